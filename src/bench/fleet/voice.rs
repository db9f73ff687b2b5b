//! How one worker's members speak: frames as clients send them, and how many each member has sent.

use super::member::Member;
use super::{Kind, Plan};
use crate::bench::stamp::Stamp;
use crate::ws::header::Header;
use crate::ws::{Frame, Opcode, mask};

/// How this worker's members speak: the frame in the making, and how many each has sent.
pub(super) struct Voice {
    message: Vec<u8>,
    pub(super) frame: Vec<u8>,
    sent: Vec<u32>,
    pub(super) dice: Dice,
}

impl Voice {
    pub(super) fn new(plan: &Plan, members: usize) -> Self {
        let message = [vec![0; Stamp::BYTES], plan.filler()].concat();
        Self { message, frame: Vec::new(), sent: vec![0; members], dice: Dice::new() }
    }

    /// The number of the next message from this place.
    pub(super) fn count(&mut self, place: usize) -> u32 {
        let sequence = self.sent[place];
        self.sent[place] += 1;
        sequence
    }

    pub(super) fn is_last(&self, place: usize, sequence: u32) -> bool {
        self.sent[place] == sequence.saturating_add(1)
    }

    /// What each publisher among these has sent.
    pub(super) fn sent_by(&self, members: &[Member]) -> Vec<(u32, u32)> {
        let sent = members.iter().zip(&self.sent).filter(|(_, sent)| **sent > 0);
        sent.map(|(member, sent)| (member.number, *sent)).collect()
    }

    /// A message on the wire.
    pub(super) fn frame(&mut self, plan: &Plan, stamp: Stamp) -> &[u8] {
        stamp.write(plan.run, &mut self.message);
        let opcode = match plan.kind {
            Kind::Text => Opcode::Text,
            Kind::Binary => Opcode::Binary,
        };
        let key = self.dice.mask();
        let payload_bytes = self.message.len() as u64;
        let header = Header { fin: true, rsv1: false, opcode, key: Some(key), payload_bytes };
        self.frame.clear();
        self.frame.extend_from_slice(header.encode().as_bytes());
        let payload_at = self.frame.len();
        self.frame.extend_from_slice(&self.message);
        mask::apply(&mut self.frame[payload_at..], key);
        &self.frame
    }

    pub(super) fn pong(&mut self, payload: &[u8]) {
        self.frame.clear();
        Frame::pong(payload).append_masked(self.dice.mask(), &mut self.frame);
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
