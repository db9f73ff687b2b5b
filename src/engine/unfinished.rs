//! What peers have begun and not finished, summed up by who they are.
//!
//! Owns the sums, each against a budget of its own: somebody of whom nothing is known cannot use up what is there for
//! somebody who is known.

use crate::config;

/// What is known of whoever is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Standing {
    /// Not let in yet.
    Pending,
    /// In, and nobody in particular.
    Stranger,
    /// Known to the service.
    Member,
}

#[derive(Debug)]
pub(super) struct Unfinished {
    bytes: [usize; 3],
    bytes_max: [usize; 3],
}

impl Unfinished {
    pub(super) fn new(limits: &config::Unfinished) -> Self {
        let bytes_max =
            [limits.pending_bytes_max, limits.strangers_bytes_max, limits.members_bytes_max];
        Self { bytes: [0; 3], bytes_max }
    }

    /// Charges `now` bytes where `before` were.
    pub(super) fn change(&mut self, standing: Standing, before: u32, now: u32) {
        let bytes = &mut self.bytes[standing as usize];
        *bytes = *bytes + now as usize - before as usize;
    }

    /// Of all together.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.iter().sum()
    }

    pub(super) fn is_over(&self, standing: Standing) -> bool {
        self.bytes[standing as usize] > self.bytes_max[standing as usize]
    }
}
