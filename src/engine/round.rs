//! A round: all that one lane of an audience is published in one turn, in one piece of memory.
//!
//! Owns the joining of frames, once for all recipients. It never knows who they are.
//!
//! Outboxes may refer to a round that still grows, by a handle and a range; it is read only after it is frozen, at the
//! turn's end at the latest, and never changes again. A round of one frame is that frame, unjoined.

use std::sync::{Arc, OnceLock};

use crate::ws::Frame;

/// A round in the making.
#[derive(Debug, Default)]
pub(super) struct Making {
    /// The only frame so far: a single one is sent as it is, without joining.
    single: Option<Frame>,
    joined: Vec<u8>,
    handle: Option<Round>,
}

impl Making {
    /// Bytes so far.
    pub(super) fn bytes(&self) -> u32 {
        let bytes = self.single.as_ref().map_or(self.joined.len(), |frame| frame.as_bytes().len());
        u32::try_from(bytes)
            .expect("delivered early when larger than ROUND_BYTES_MAX and one frame")
    }

    pub(super) fn add(&mut self, frame: &Frame) {
        if self.bytes() == 0 {
            self.single = Some(frame.clone());
            return;
        }
        if let Some(first) = self.single.take() {
            self.joined.extend_from_slice(first.as_bytes());
        }
        self.joined.extend_from_slice(frame.as_bytes());
    }

    /// The round as outboxes refer to it while it still grows.
    pub(super) fn handle(&mut self) -> Round {
        self.handle.get_or_insert_default().clone()
    }

    /// Ends the making, if there is anything in it: whoever holds a handle can now read the whole.
    pub(super) fn freeze(&mut self) -> Option<Round> {
        if self.bytes() == 0 {
            return None;
        }
        let round = self.handle();
        let bytes = match self.single.take() {
            Some(frame) => RoundBytes::Single(frame),
            None => RoundBytes::Joined(std::mem::take(&mut self.joined)),
        };
        round.0.set(bytes).expect("a round is frozen once");
        self.handle = None;
        Some(round)
    }
}

/// All that a lane was published in one turn, in one piece of memory that its members share.
#[derive(Clone, Debug, Default)]
pub(super) struct Round(Arc<OnceLock<RoundBytes>>);

#[derive(Debug)]
enum RoundBytes {
    Single(Frame),
    Joined(Vec<u8>),
}

impl Round {
    /// The frames, once the round is frozen.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.0.get().map(|bytes| match bytes {
            RoundBytes::Single(frame) => frame.as_bytes(),
            RoundBytes::Joined(joined) => joined,
        })
    }

    #[cfg(test)]
    pub(super) fn frozen(bytes: Vec<u8>) -> Self {
        Self(Arc::new(OnceLock::from(RoundBytes::Joined(bytes))))
    }
}
