//! The threads that work on the file.
//!
//! The writer commits what has arrived, and between commits extends the index for searches and empties the write-ahead log.
//! A lane answers reads one after the other. Each is reached through a channel alone, and ends when its channel does.
//!
//! Invariants:
//! * A commit never waits for the index: it is extended when nothing else is to be done, when a search waits for it, or
//!   when it has fallen far behind; then by no more than a fraction of a second's work at a time.
//! * A search is given to its lane when the index has all that was committed before it.

use std::collections::VecDeque;
use std::io;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender, SyncSender};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::db::{Db, Lock, Reader};
use super::log::{Log, Outcome, Request};
use super::tables::Fault;
use super::{AFTER_MS, Answer, OpenError, Place};
use crate::chat::log::{Failure, Read, ReadOut};

/// What is asked of the writer.
#[derive(Debug)]
pub(super) enum Job<T> {
    Commit(T, Request),
    /// A search; in memory any read.
    Read(T, Read),
}

/// An answer, and what its request counted for.
#[derive(Debug)]
pub(super) struct Answered<T> {
    pub(super) answer: Answer<T>,
    pub(super) bytes: usize,
}

/// Starts a thread that wakes its owner when it ends, however it does.
pub(super) fn start(
    name: &str,
    wake: impl Fn() + Send + 'static,
    run: impl FnOnce() + Send + 'static,
) -> io::Result<JoinHandle<()>> {
    thread::Builder::new().name(name.to_owned()).spawn(move || {
        let _wake_at_the_end = WakeAtTheEnd(wake);
        run();
    })
}

struct WakeAtTheEnd<W: Fn()>(W);

impl<W: Fn()> Drop for WakeAtTheEnd<W> {
    fn drop(&mut self) {
        (self.0)();
    }
}

/// Starts a lane that reads a file; there is none for a place in memory.
pub(super) fn start_lane<T: Send + 'static>(
    name: &str,
    place: &Place,
    answers: &SyncSender<Answered<T>>,
    wake: &(impl Fn() + Send + Clone + 'static),
    threads: &mut Vec<JoinHandle<()>>,
) -> Result<Option<Sender<(T, Read)>>, OpenError> {
    let Place::File(path) = place else { return Ok(None) };
    let mut reader = Reader::open(path)?;
    let (to_lane, reads) = mpsc::channel::<(T, Read)>();
    let (answers, at_the_end, wake) = (answers.clone(), wake.clone(), wake.clone());
    threads.push(start(name, at_the_end, move || {
        for (by, read) in reads {
            let out = reader.read(&read);
            if answers.send(answered(by, &read, out)).is_err() {
                return;
            }
            wake();
        }
    })?);
    Ok(Some(to_lane))
}

fn answered<T>(by: T, read: &Read, out: ReadOut) -> Answered<T> {
    Answered { answer: Answer::Read(by, out), bytes: read_bytes(read) }
}

/// What a read counts for while it is under way.
pub(super) fn read_bytes(read: &Read) -> usize {
    let inside = match read {
        Read::Search { query, rooms, .. } => query.len() + size_of_val(&rooms[..]),
        Read::Replay { .. } | Read::Before { .. } | Read::After { .. } => 0,
    };
    size_of::<Read>() + inside
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writer<T> {
    log: Log<Db>,
    jobs: Receiver<Vec<Job<T>>>,
    queue: VecDeque<Job<T>>,
    written: Sender<Vec<Answered<T>>>,
    read: SyncSender<Answered<T>>,
    /// `None` where this thread reads.
    to_searcher: Option<Sender<(T, Read)>>,
    waiting: VecDeque<Waiting<T>>,
    /// Nothing has arrived for a while.
    is_idle: bool,
    _lock: Option<Lock>,
}

/// A search that waits for the index.
#[derive(Debug)]
struct Waiting<T> {
    by: T,
    read: Read,
    /// How far the index has to reach.
    needs: i64,
    since: Instant,
}

/// Whether more can arrive.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Channel {
    Open,
    Closed,
}

impl<T> Writer<T> {
    pub(super) fn new(
        db: Db,
        jobs: Receiver<Vec<Job<T>>>,
        written: Sender<Vec<Answered<T>>>,
        read: SyncSender<Answered<T>>,
        to_searcher: Option<Sender<(T, Read)>>,
        lock: Option<Lock>,
    ) -> Self {
        Self {
            log: Log::new(db),
            jobs,
            queue: VecDeque::new(),
            written,
            read,
            to_searcher,
            waiting: VecDeque::new(),
            is_idle: false,
            _lock: lock,
        }
    }

    /// Works until the store's near end is gone and all it gave is done.
    pub(super) fn run(mut self, wake: &impl Fn()) {
        loop {
            let channel = self.wait();
            let jobs = self.queue.len().min(REQUESTS_PER_COMMIT_MAX);
            if jobs == 0 && channel == Channel::Closed {
                break;
            }
            self.perform(jobs, wake);
            self.extend_index(jobs, wake);
            // What fails is said to the operator, and tried again after the next commit.
            let _ = self.log.tables().checkpoint();
        }
        self.log.into_tables().close();
    }

    /// Takes in what has arrived, and waits for it if there is nothing else to do.
    fn wait(&mut self) -> Channel {
        let unindexed = self.log.tables().unindexed();
        let is_busy = !self.queue.is_empty() || !self.waiting.is_empty();
        let arrived = match (is_busy, unindexed) {
            (false, 0) => self.jobs.recv().map_err(RecvTimeoutError::from),
            (false, _) if !self.is_idle => self.jobs.recv_timeout(IDLE_AFTER),
            _ => self.jobs.recv_timeout(Duration::ZERO),
        };
        match arrived {
            Ok(jobs) => self.queue.extend(jobs),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Channel::Closed,
        }
        self.is_idle = self.queue.is_empty();
        while self.queue.len() < REQUESTS_PER_COMMIT_MAX
            && let Ok(jobs) = self.jobs.try_recv()
        {
            self.queue.extend(jobs);
        }
        Channel::Open
    }

    fn perform(&mut self, jobs: usize, wake: &impl Fn()) {
        let (mut by, mut requests, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for job in self.queue.drain(..jobs) {
            match job {
                Job::Commit(asker, request) => {
                    by.push(asker);
                    requests.push(request);
                }
                Job::Read(asker, read) => reads.push((asker, read)),
            }
        }
        if !requests.is_empty() {
            let outcomes = self.log.commit(&requests);
            let answers = by.into_iter().zip(&requests).zip(outcomes);
            let answers = answers.map(|((by, request), outcome)| Answered {
                answer: match outcome {
                    Outcome::Written(written) => Answer::Written(by, written),
                    Outcome::Account(written) => Answer::Account(by, written),
                },
                bytes: request.bytes(),
            });
            // Fails when the store's near end is gone: then nobody waits.
            let _ = self.written.send(answers.collect());
            wake();
        }
        let needs = self.log.tables().last();
        for (by, read) in reads {
            match read {
                Read::Search { .. } => {
                    self.waiting.push_back(Waiting { by, read, needs, since: Instant::now() });
                }
                read => self.read(by, &read, wake),
            }
        }
    }

    /// Extends the index if it is time to, and hands on the searches that it is far enough for.
    fn extend_index(&mut self, jobs: usize, wake: &impl Fn()) {
        let unindexed = self.log.tables().unindexed();
        let rows = match unindexed {
            0 => 0,
            _ if !self.waiting.is_empty() || self.is_idle => INDEX_ROWS,
            UNINDEXED_MAX.. => INDEX_ROWS.max(2 * jobs),
            _ => 0,
        };
        let mut failure = None;
        if rows > 0
            && let Err(fault) = self.log.tables().index(rows)
        {
            self.is_idle = false;
            failure = Some(match fault {
                Fault::Unavailable => Failure::Unavailable { after_ms: AFTER_MS },
                Fault::Corrupt => Failure::Corrupt,
            });
        }
        let indexed = self.log.tables().indexed();
        while let Some(first) = self.waiting.front() {
            let is_late = first.since.elapsed() > SEARCH_WAITS_MAX;
            let failure = failure.or(is_late.then_some(Failure::TooCostly));
            let is_ready = first.needs <= indexed;
            if !is_ready && failure.is_none() {
                break;
            }
            let Some(Waiting { by, read, .. }) = self.waiting.pop_front() else { break };
            match failure {
                Some(failure) if !is_ready => {
                    self.answer(answered(by, &read, ReadOut::Failed(failure)), wake);
                }
                _ => self.search(by, read, wake),
            }
        }
    }

    fn search(&mut self, by: T, read: Read, wake: &impl Fn()) {
        match &self.to_searcher {
            // A lane that has ended answers nothing; its end was told.
            Some(searcher) => drop(searcher.send((by, read))),
            None => self.read(by, &read, wake),
        }
    }

    fn read(&mut self, by: T, read: &Read, wake: &impl Fn()) {
        let out = self.log.tables().read(read);
        self.answer(answered(by, read, out), wake);
    }

    fn answer(&mut self, answered: Answered<T>, wake: &impl Fn()) {
        // Fails when the store's near end is gone: then nobody waits.
        let _ = self.read.send(answered);
        wake();
    }
}

/// Requests of one transaction: at 10 µs each its first is answered 40 ms after it was given.
pub(super) const REQUESTS_PER_COMMIT_MAX: usize = 4_096;
/// When nothing has arrived for so long, there is time for the index.
const IDLE_AFTER: Duration = Duration::from_millis(200);
/// Rows that are indexed at a time: some milliseconds, which is what they may delay a commit.
const INDEX_ROWS: usize = 512;
/// When searches would have to wait for more rows than this, the index grows with every commit.
const UNINDEXED_MAX: u64 = 16_384;
/// A search that the index is not far enough for by then is given up.
const SEARCH_WAITS_MAX: Duration = Duration::from_millis(500);
