//! How one worker's members speak: frames as clients send them, and how many each member has sent.

use super::member::Member;
use crate::ws::header::Header;
use crate::ws::{Frame, Opcode, mask};

/// The frame in the making, and how many messages each member has sent.
pub(super) struct Voice {
    frame: Vec<u8>,
    sent: Vec<u32>,
    pub(super) dice: Dice,
}

impl Voice {
    pub(super) fn new(members: usize) -> Self {
        Self { frame: Vec::new(), sent: vec![0; members], dice: Dice::new() }
    }

    /// The number of the next message from this place.
    pub(super) fn count(&mut self, place: usize) -> u32 {
        let sequence = self.sent[place];
        self.sent[place] += 1;
        sequence
    }

    /// What each publisher among these has sent.
    pub(super) fn sent_by(&self, members: &[Member]) -> Vec<(u32, u32)> {
        let sent = members.iter().zip(&self.sent).filter(|(_, sent)| **sent > 0);
        sent.map(|(member, sent)| (member.number, *sent)).collect()
    }

    /// A message on the wire.
    pub(super) fn frame(&mut self, opcode: Opcode, message: &[u8]) -> &[u8] {
        let (key, payload_bytes) = (self.dice.mask(), message.len() as u64);
        let header = Header { fin: true, rsv1: false, opcode, key: Some(key), payload_bytes };
        self.frame.clear();
        self.frame.extend_from_slice(header.encode().as_bytes());
        let payload_at = self.frame.len();
        self.frame.extend_from_slice(message);
        mask::apply(&mut self.frame[payload_at..], key);
        &self.frame
    }

    pub(super) fn pong(&mut self, payload: &[u8]) -> &[u8] {
        self.frame.clear();
        Frame::pong(payload).append_masked(self.dice.mask(), &mut self.frame);
        &self.frame
    }
}

/// Keys and masks. They must differ, not be unguessable: this is no browser, and the other end is under test.
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new() -> Self {
        Self(crate::bench::random() | 1)
    }

    /// xorshift64.
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn mask(&mut self) -> [u8; 4] {
        let [a, b, c, d, ..] = self.roll().to_ne_bytes();
        [a, b, c, d]
    }

    pub(super) fn key(&mut self) -> [u8; 16] {
        let (a, b) = (self.roll().to_ne_bytes(), self.roll().to_ne_bytes());
        std::array::from_fn(|at| if at < 8 { a[at] } else { b[at - 8] })
    }
}
