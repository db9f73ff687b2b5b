//! SIGTERM and SIGINT: the first asks the loop to drain, the second ends the process at once.
//!
//! Owns the thread that waits for signals. A signal handler may do next to nothing, so the thread does the telling.

use std::io;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::engine::Waker;

/// Tells whether somebody has asked the process to stop.
#[derive(Debug)]
pub(super) struct StopSignals {
    asked: Receiver<()>,
}

impl StopSignals {
    /// Starts to watch; wakes the loop at the first signal.
    pub(super) fn watch(waker: Waker) -> io::Result<Self> {
        let mut signals = Signals::new([SIGTERM, SIGINT])?;
        let (ask, asked) = channel();
        thread::Builder::new().name("signals".to_owned()).spawn(move || {
            let mut arriving = signals.forever();
            if arriving.next().is_some() && ask.send(()).is_ok() && waker.wake().is_ok() {
                let signal = arriving.next().unwrap_or(SIGTERM);
                std::process::exit(128 + signal);
            }
        })?;
        Ok(Self { asked })
    }

    /// True once after the first signal.
    pub(super) fn is_asked(&self) -> bool {
        self.asked.try_recv().is_ok()
    }
}
