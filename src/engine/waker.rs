//! What other threads ask of the loop.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Wakes the loop from another thread, which then calls [`Service::on_wake`](super::Service::on_wake). Clones wake the same loop.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Wake>);

#[derive(Debug)]
struct Wake {
    waker: mio::Waker,
    drain: AtomicBool,
}

impl Waker {
    pub(super) fn new(waker: mio::Waker) -> Self {
        Self(Arc::new(Wake { waker, drain: AtomicBool::new(false) }))
    }

    /// Wakes the loop, if it has not been woken already. Never blocks.
    ///
    /// # Errors
    /// When the kernel refuses; then nothing was woken.
    pub fn wake(&self) -> io::Result<()> {
        self.0.waker.wake()
    }

    /// Has the loop [drain](super::Actions::drain), so that [`Engine::run`](super::Engine::run) returns: for a program that ends by a signal. Never blocks.
    ///
    /// # Errors
    /// When the kernel refuses; then it drains when next it is woken.
    pub fn drain(&self) -> io::Result<()> {
        self.0.drain.store(true, Ordering::Release);
        self.wake()
    }

    /// True if it was woken to drain, since this was asked last.
    pub(super) fn takes_drain(&self) -> bool {
        self.0.drain.swap(false, Ordering::AcqRel)
    }
}
