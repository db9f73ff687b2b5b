//! The time, as it is handed in.

use std::time::Duration;

/// One moment on two clocks. The domain never reads a clock: each call is told when it happens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// Milliseconds on a clock that never goes back: for waits and rates.
    pub mono_ms: u64,
    /// The time of day: what entries are stamped with. May jump.
    pub unix: UnixMs,
}

impl Now {
    /// What has passed on the clock that never goes back.
    pub fn mono(self) -> Duration {
        Duration::from_millis(self.mono_ms)
    }
}

/// Milliseconds since 1970-01-01T00:00:00Z, leap seconds not counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UnixMs(pub u64);
