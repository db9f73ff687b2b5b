//! What is going on, on standard error: one line that changes on a terminal, plain lines elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct Progress {
    is_terminal: bool,
    /// The line that the terminal shows now; it is overwritten.
    shown: String,
    next: Instant,
}

/// As fast as anybody reads.
const BETWEEN: Duration = Duration::from_millis(100);

impl Progress {
    pub(super) fn new() -> Self {
        Self { is_terminal: stderr().is_terminal(), shown: String::new(), next: Instant::now() }
    }

    /// A line that stays.
    pub(super) fn say(&mut self, line: &str) {
        self.clear();
        eprintln!("{line}");
    }

    /// A new stage of the work: shown at once, and on a line of its own elsewhere than on a terminal.
    pub(super) fn stage(&mut self, line: &str) {
        if self.is_terminal {
            self.show(line);
        } else {
            eprintln!("{line}");
        }
    }

    /// How far the stage is: shown on a terminal alone, now and then.
    pub(super) fn step(&mut self, line: impl FnOnce() -> String) {
        if self.is_terminal && self.next <= Instant::now() {
            self.next = Instant::now() + BETWEEN;
            self.show(&line());
        }
    }

    /// Takes the changing line away.
    pub(super) fn clear(&mut self) {
        if !self.shown.is_empty() {
            self.show("");
        }
    }

    fn show(&mut self, line: &str) {
        let blank = self.shown.chars().count().saturating_sub(line.chars().count());
        let mut out = stderr().lock();
        // A terminal that is gone needs no progress.
        let _ = write!(out, "\r{line}{:blank$}\r{line}", "");
        let _ = out.flush();
        line.clone_into(&mut self.shown);
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}
