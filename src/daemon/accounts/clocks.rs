//! How old a token is, by two clocks: the wall's, which somebody may put forward or back while the daemon runs, and the one
//! that has ticked evenly since it began.
//!
//! A token's time begins by the later of the two, and is over when it is over by both. So a clock that jumps, and is put
//! right again, ends nobody's log-in; one that was wrong all along does not either before the daemon is started again.

use crate::chat::{Now, UnixMs};

/// The two clocks, since the daemon began.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Clocks {
    began: UnixMs,
}

impl Clocks {
    /// `began`: what the wall's clock said when [`Now::mono_ms`] was 0.
    pub(super) fn new(began: UnixMs) -> Self {
        Self { began }
    }

    /// What to hold an end against.
    pub(in crate::daemon) fn earlier(self, now: Now) -> UnixMs {
        self.steady(now).min(now.unix)
    }

    /// What to note as a beginning.
    pub(in crate::daemon) fn later(self, now: Now) -> UnixMs {
        self.steady(now).max(now.unix)
    }

    fn steady(self, now: Now) -> UnixMs {
        UnixMs(self.began.0.saturating_add(now.mono_ms))
    }
}
