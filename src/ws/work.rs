//! Counts bytes of payload that are appended, moved, checked or inflated, so that a test can hold the work to be linear.

#[cfg(test)]
use std::cell::Cell;

#[cfg(test)]
thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
}

/// Adds to this thread's count, in tests.
#[inline]
pub(crate) fn add(_bytes: usize) {
    #[cfg(test)]
    BYTES.set(BYTES.get() + _bytes);
}

/// This thread's count since it was last taken.
#[cfg(test)]
pub(crate) fn take() -> usize {
    BYTES.take()
}
