//! Where an entry stands in its room's log.

use std::fmt;
use std::sync::Arc;

/// The place of an entry in its room's log: contiguous, from 1. 0 stands before the first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seq(pub u64);

impl Seq {
    /// Before the first entry.
    pub const START: Self = Self(0);

    /// The place after this one.
    pub fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

impl fmt::Display for Seq {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Which log a [`Seq`] counts in. A room whose log began anew has another epoch, so that no two different entries ever
/// share room, epoch and seq.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Epoch(Arc<str>);

impl Epoch {
    /// From 64 random bits.
    pub fn new(random: u64) -> Self {
        Self(format!("{random:x}").into())
    }

    /// As a store kept it or a client sent it; compared only.
    pub fn from_text(text: &str) -> Self {
        Self(text.into())
    }

    /// As it is stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What a client has seen of a room: all up to and including `seq`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Since {
    /// The log it saw it in.
    pub epoch: Epoch,
    /// The last entry that it has.
    pub seq: Seq,
}
