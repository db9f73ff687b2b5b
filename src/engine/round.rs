//! A round: all that one lane of an audience is published in one turn, in one piece of memory.
//!
//! Owns the joining of frames, once for all recipients. It never knows who they are.
//!
//! Outboxes may refer to a round that still grows, by a handle and a range; it is read only after it is frozen, at the
//! turn's end at the latest, and never changes again. A round of one frame is that frame, unjoined.
//!
//! Invariant: what a [`Ledger`] says is held is the memory of the frozen rounds that somebody still waits for, each counted once.

use std::sync::atomic::{AtomicUsize, Ordering};
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

    /// Ends the making, if there is anything in it: whoever holds a handle can now read the whole. Its memory is entered into
    /// the ledger for as long as anybody does.
    pub(super) fn freeze(&mut self, ledger: &Ledger) -> Option<Round> {
        if self.bytes() == 0 {
            return None;
        }
        let round = self.handle();
        let bytes = match self.single.take() {
            Some(frame) => RoundBytes::Single(frame),
            None => RoundBytes::Joined(std::mem::take(&mut self.joined)),
        };
        round.0.set(Frozen::new(bytes, ledger)).expect("a round is frozen once");
        self.handle = None;
        Some(round)
    }
}

/// All that a lane was published in one turn, in one piece of memory that its members share.
#[derive(Clone, Debug, Default)]
pub(super) struct Round(Arc<OnceLock<Frozen>>);

/// Memory of all rounds that are still waited for, in bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Ledger(Arc<AtomicUsize>);

#[derive(Debug)]
struct Frozen {
    bytes: RoundBytes,
    ledger: Ledger,
}

#[derive(Debug)]
enum RoundBytes {
    Single(Frame),
    Joined(Vec<u8>),
}

impl Round {
    /// The frames, once the round is frozen.
    pub(super) fn bytes(&self) -> Option<&[u8]> {
        self.0.get().map(|frozen| match &frozen.bytes {
            RoundBytes::Single(frame) => frame.as_bytes(),
            RoundBytes::Joined(joined) => joined,
        })
    }

    /// Its memory, once it is frozen.
    pub(super) fn held_bytes(&self) -> usize {
        self.0.get().map_or(0, |frozen| frozen.bytes.held())
    }

    #[cfg(test)]
    pub(super) fn joined(frames: &[Frame], ledger: &Ledger) -> Self {
        let mut making = Making::default();
        frames.iter().for_each(|frame| making.add(frame));
        making.freeze(ledger).expect("there are frames")
    }
}

impl Ledger {
    pub(super) fn held(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }
}

impl Frozen {
    fn new(bytes: RoundBytes, ledger: &Ledger) -> Self {
        ledger.0.fetch_add(bytes.held(), Ordering::Relaxed);
        Self { bytes, ledger: ledger.clone() }
    }
}

impl Drop for Frozen {
    fn drop(&mut self) {
        self.ledger.0.fetch_sub(self.bytes.held(), Ordering::Relaxed);
    }
}

impl RoundBytes {
    fn held(&self) -> usize {
        match self {
            Self::Single(frame) => frame.as_bytes().len(),
            Self::Joined(joined) => joined.capacity(),
        }
    }
}
