//! The threads beside the writer: those that read, and the one that empties the write-ahead log.
//!
//! Each is reached through a channel alone and ends when its channel does. Whoever owns the store is woken when one has
//! ended, however it did.

use std::sync::mpsc::{self, Sender, SyncSender};
use std::time::{Duration, Instant};

use super::db::{Checkpointer, Reader};
use super::{AFTER_MS, Answer, OpenError, Place};
use crate::chat::log::{Failure, Read, ReadOut};
use crate::worker::Worker;

/// A read that is under way.
#[derive(Debug)]
pub(super) struct Asked<T> {
    pub(super) by: T,
    pub(super) read: Read,
    pub(super) since: Instant,
}

/// An answer, what its request counted for, and where.
#[derive(Debug)]
pub(super) struct Answered<T> {
    pub(super) answer: Answer<T>,
    pub(super) bytes: usize,
    pub(super) lane: Lane,
}

/// What does not wait for one another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Write,
    Read,
    Search,
}

/// What one transaction came to.
#[derive(Debug)]
pub(super) struct Committed<T> {
    pub(super) answers: Vec<Answered<T>>,
    pub(super) took: Duration,
}

impl<T> Asked<T> {
    pub(super) fn new(by: T, read: Read) -> Self {
        Self { by, read, since: Instant::now() }
    }

    pub(super) fn answered(self, out: ReadOut) -> Answered<T> {
        let (bytes, lane) = (self.bytes(), self.lane());
        Answered { answer: Answer::Read(self.by, out), bytes, lane }
    }

    pub(super) fn lane(&self) -> Lane {
        match &self.read {
            Read::Search { .. } => Lane::Search,
            Read::Replay { .. } | Read::Before { .. } | Read::After { .. } | Read::Pins { .. } => {
                Lane::Read
            }
        }
    }

    /// What it counts for while it is under way.
    pub(super) fn bytes(&self) -> usize {
        let inside = match &self.read {
            Read::Search { query, rooms, .. } => query.len() + size_of_val(&rooms[..]),
            Read::Replay { .. } | Read::Before { .. } | Read::After { .. } | Read::Pins { .. } => 0,
        };
        size_of::<Self>() + inside
    }
}

/// Starts a thread that reads a file, one read after the other. There is none for a place in memory.
pub(super) fn start_reader<T: Send + 'static>(
    name: &str,
    place: &Place,
    answers: &SyncSender<Answered<T>>,
    wake: &(impl Fn() + Send + Clone + 'static),
    threads: &mut Vec<Worker>,
) -> Result<Option<Sender<Asked<T>>>, OpenError> {
    let Place::File(path) = place else { return Ok(None) };
    let mut reader = Reader::open(path)?;
    let (to_reader, reads) = mpsc::channel::<Asked<T>>();
    let (answers, at_the_end, wake) = (answers.clone(), wake.clone(), wake.clone());
    threads.push(Worker::start(name, at_the_end, move || {
        for asked in reads {
            let out = match asked.since.elapsed() > READ_WAITS_MAX {
                false => reader.read(&asked.read),
                true => ReadOut::Failed(Failure::Unavailable { after_ms: AFTER_MS }),
            };
            if answers.send(asked.answered(out)).is_err() {
                return;
            }
            wake();
        }
    })?);
    Ok(Some(to_reader))
}

/// Starts the thread that empties the write-ahead log of a file. There is none for a place in memory.
pub(super) fn start_checkpointer(
    place: &Place,
    wake: impl Fn() + Send + 'static,
    threads: &mut Vec<Worker>,
) -> Result<Option<SyncSender<()>>, OpenError> {
    let Place::File(path) = place else { return Ok(None) };
    let mut checkpointer = Checkpointer::open(path)?;
    let (to_checkpointer, nudges) = mpsc::sync_channel(1);
    threads.push(Worker::start("store-wal", wake, move || {
        for () in nudges {
            checkpointer.checkpoint();
        }
    })?);
    Ok(Some(to_checkpointer))
}

/// Who has waited so long for a read has long given up: it is not done any more, so that those behind it need not wait as
/// long.
const READ_WAITS_MAX: Duration = Duration::from_secs(10);
