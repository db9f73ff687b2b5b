//! The log: lines for whoever runs the daemon, on standard error.
//!
//! Owns the way of a line from whoever has something to say to standard error. What says it never waits: a line is put
//! into a bounded queue, and a thread of its own writes. If standard error takes nothing (a full pipe, a stopped
//! terminal), lines are left out and counted, and the loop goes on; if it is closed, they go nowhere.
//!
//! * [`limiter`]: one cause that speaks without end is cut short, with a count.
//! * [`line`]: what a line looks like, as text or as JSON.
//!
//! Lines say what happened and to which connection. Invariant, which is everybody's who logs: no text that a person or a
//! peer wrote, no token and no password is in them, at any level.

mod limiter;
mod line;

use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsFd;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, SyncSender, TrySendError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use log::{Level, LevelFilter, Metadata, Record};

use self::limiter::{Limiter, Verdict};
use self::line::Line;
use crate::daemon::options::LogFormat;

/// The log while the daemon runs. What is queued is written when it goes, unless standard error takes nothing.
#[derive(Debug)]
pub(super) struct Logging {
    to_writer: Option<SyncSender<News>>,
    written: Receiver<()>,
}

#[derive(Debug)]
enum News {
    Line(Line),
    End,
}

struct Logger {
    level: LevelFilter,
    to_writer: SyncSender<News>,
}

/// Lines that found the queue full since the last that did not.
static LEFT_OUT: AtomicU64 = AtomicU64::new(0);

impl Logging {
    /// Starts to log to standard error. Does nothing if the process has a logger already, which then serves.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub(super) fn start(level: LevelFilter, format: LogFormat) -> io::Result<Self> {
        let (to_writer, news) = sync_channel(QUEUED_MAX);
        let (tell, written) = sync_channel(1);
        let logger = Box::new(Logger { level, to_writer: to_writer.clone() });
        if log::set_boxed_logger(logger).is_err() {
            return Ok(Self { to_writer: None, written });
        }
        log::set_max_level(level);
        // A descriptor of its own: who else writes to standard error, such as a panic, need not wait for this thread.
        let out = io::stderr().as_fd().try_clone_to_owned().map(File::from);
        thread::Builder::new().name("log".to_owned()).spawn(move || {
            if let Ok(out) = out {
                write_all(&news, out, format);
            }
            // Fails when nobody waits for it any more.
            let _ = tell.send(());
        })?;
        Ok(Self { to_writer: Some(to_writer), written })
    }
}

impl Drop for Logging {
    fn drop(&mut self) {
        let Some(to_writer) = &self.to_writer else { return };
        let until = Instant::now() + END_WAITS_MAX;
        while let Err(TrySendError::Full(_)) = to_writer.try_send(News::End) {
            if Instant::now() > until {
                return;
            }
            thread::sleep(Duration::from_millis(5));
        }
        // Late or not, the process ends.
        let _ = self.written.recv_timeout(END_WAITS_MAX);
    }
}

impl log::Log for Logger {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.level() <= self.level
    }

    fn log(&self, record: &Record<'_>) {
        if !self.enabled(record.metadata()) {
            return;
        }
        if let Err(TrySendError::Full(_)) = self.to_writer.try_send(News::Line(Line::of(record))) {
            LEFT_OUT.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn flush(&self) {}
}

/// Writes what comes, until the end does.
fn write_all(news: &Receiver<News>, mut out: impl Write, format: LogFormat) {
    let mut limiter = Limiter::default();
    // What cannot be written is nobody's: there is no other place to complain to.
    let mut say = |line: &Line| drop(out.write_all(line.render(format).as_bytes()));
    loop {
        let wait = limiter.wait_from(Instant::now()).unwrap_or(Duration::MAX);
        let line = match news.recv_timeout(wait) {
            Ok(News::Line(line)) => Some(line),
            Err(RecvTimeoutError::Timeout) => None,
            Ok(News::End) | Err(RecvTimeoutError::Disconnected) => break,
        };
        for summary in limiter.summaries(Some(Instant::now())) {
            say(&summary);
        }
        let left_out = LEFT_OUT.swap(0, Ordering::Relaxed);
        if left_out > 0 {
            let text = format!("{left_out} lines were left out: standard error did not take them");
            say(&Line::own(Level::Warn, text));
        }
        if let Some(line) = line
            && limiter.admit(&line, Instant::now()) == Verdict::Say
        {
            say(&line);
        }
    }
    for summary in limiter.summaries(None) {
        say(&summary);
    }
}

/// Lines that may wait to be written: some hundred kilobytes, and more than anything but a flood says at once.
const QUEUED_MAX: usize = 1_024;
/// How long the end of the process waits for the last lines to be written.
const END_WAITS_MAX: Duration = Duration::from_millis(500);
