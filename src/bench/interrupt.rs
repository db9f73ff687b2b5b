//! Ctrl-C: the first asks for an orderly end, the second is one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use super::Failure;

#[derive(Clone, Debug, Default)]
pub(super) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// Watches for the signals that mean "enough".
    pub(super) fn watch() -> Result<Self, Failure> {
        let interrupt = Self::default();
        for signal in [SIGINT, SIGTERM] {
            let failed = |e| Failure::new(format!("cannot watch for signals: {e}"));
            let is_asked = &interrupt.0;
            // In this order: the second signal finds the flag set by the first.
            flag::register_conditional_shutdown(signal, 130, Arc::clone(is_asked))
                .map_err(failed)?;
            flag::register(signal, Arc::clone(is_asked)).map_err(failed)?;
        }
        Ok(interrupt)
    }

    pub(super) fn is_set(&self) -> bool {
        self.0.load(Relaxed)
    }
}
