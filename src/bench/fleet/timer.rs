//! A timer that the poller can wait for, finer than the poller's own milliseconds.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use mio::unix::SourceFd;
use mio::{Interest, Registry, Token};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
    timerfd_settime,
};

#[derive(Debug)]
pub(super) struct Timer(OwnedFd);

impl Timer {
    pub(super) fn new(registry: &Registry, token: Token) -> io::Result<Self> {
        let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
        let fd = timerfd_create(TimerfdClockId::Monotonic, flags)?;
        registry.register(&mut SourceFd(&fd.as_raw_fd()), token, Interest::READABLE)?;
        Ok(Self(fd))
    }

    /// Makes it ready in so many nanoseconds. Setting it again is enough: it need not be read.
    pub(super) fn set(&self, nanos: u64) -> io::Result<()> {
        let (second, rest) = (nanos / 1_000_000_000, nanos.max(1) % 1_000_000_000);
        let it_value = Timespec {
            tv_sec: i64::try_from(second).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(rest).expect("under a second"),
        };
        let once = Itimerspec { it_interval: Timespec::default(), it_value };
        timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
        Ok(())
    }
}
