//! A thread that works for the loop, and whose end does not go unnoticed.
//!
//! Owns how such a thread is started, and how it is found to have ended: by itself, or by a panic. It knows nothing of what is
//! worked on.
//!
//! Invariant: whoever is woken by a thread's end finds it ended.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};

/// A thread, from its owner's side.
#[derive(Debug)]
pub(crate) struct Worker {
    thread: JoinHandle<()>,
    has_ended: Arc<AtomicBool>,
}

impl Worker {
    /// Starts a thread that calls `wake` when it ends, however it does.
    ///
    /// # Errors
    /// When the system has no more threads.
    pub(crate) fn start(
        name: &str,
        wake: impl Fn() + Send + 'static,
        run: impl FnOnce() + Send + 'static,
    ) -> io::Result<Self> {
        let has_ended = Arc::new(AtomicBool::new(false));
        let end = AtTheEnd { has_ended: has_ended.clone(), wake };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || {
            let _end = end;
            run();
        })?;
        Ok(Self { thread, has_ended })
    }

    /// True once it works no more. Not what [`JoinHandle::is_finished`] says: that is true only some moments after `wake` was
    /// called, and whoever was woken and looked too soon would never look again.
    pub(crate) fn has_ended(&self) -> bool {
        self.has_ended.load(Ordering::Acquire)
    }

    /// Waits until it has ended. A panic was told by itself, and nothing is left to be done about it.
    pub(crate) fn join(self) {
        let _ = self.thread.join();
    }
}

struct AtTheEnd<W: Fn()> {
    has_ended: Arc<AtomicBool>,
    wake: W,
}

impl<W: Fn()> Drop for AtTheEnd<W> {
    fn drop(&mut self) {
        self.has_ended.store(true, Ordering::Release);
        (self.wake)();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::time::Duration;

    #[test]
    fn whoever_is_woken_by_the_end_finds_it() {
        for panics in [false, true] {
            let (begin, begun) = mpsc::channel::<()>();
            let (woken, wait) = mpsc::channel();
            let wake = move || woken.send(()).unwrap_or_default();
            let worker = Worker::start("some-worker", wake, move || {
                begun.recv().expect("told to begin");
                assert!(!panics, "on purpose");
            });
            let worker = worker.expect("a thread");
            assert!(!worker.has_ended());
            begin.send(()).expect("it waits");
            wait.recv_timeout(Duration::from_secs(60)).expect("woken");
            assert!(worker.has_ended());
            worker.join();
        }
    }
}
