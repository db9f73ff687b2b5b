//! The thread that writes.
//!
//! It commits what has arrived; between commits it extends the index for searches, and sees to it that the write-ahead log
//! is emptied. In memory, where nobody else can, it reads as well.
//!
//! Invariants:
//! * A commit waits for nothing but the disk, and what else is done between two takes some milliseconds at most; except that
//!   the index, when it has fallen far behind, grows by more rows than were committed.
//! * A search is handed on when the index has all that was committed before it.

use std::collections::VecDeque;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender};
use std::time::{Duration, Instant};

use super::db::{Backlog, Db, Lock};
use super::log::{Log, Outcome, Request};
use super::tables::Fault;
use super::threads::{Answered, Asked, Committed, Lane};
use super::{AFTER_MS, Answer};
use crate::chat::log::{Failure, ReadOut};

/// What is asked of the writer.
#[derive(Debug)]
pub(super) enum Job<T> {
    Commit(T, Request),
    /// A search; in memory any read.
    Read(Asked<T>),
}

/// Where the writer's jobs come from, and where what comes of them goes.
#[derive(Debug)]
pub(super) struct Ends<T> {
    pub(super) jobs: Receiver<Vec<Job<T>>>,
    pub(super) written: Sender<Committed<T>>,
    pub(super) read: SyncSender<Answered<T>>,
    /// `None` where the writer reads.
    pub(super) to_searcher: Option<Sender<Asked<T>>>,
    /// `None` where there is no log to empty.
    pub(super) to_checkpointer: Option<SyncSender<()>>,
}

/// The thread that writes.
#[derive(Debug)]
pub(super) struct Writer<T, W> {
    log: Log<Db>,
    ends: Ends<T>,
    wake: W,
    queue: VecDeque<Job<T>>,
    /// Searches that wait for the index.
    waiting: VecDeque<Waiting<T>>,
    /// Nothing has arrived for a while.
    is_idle: bool,
    _lock: Option<Lock>,
}

#[derive(Debug)]
struct Waiting<T> {
    search: Asked<T>,
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

impl<T, W: Fn()> Writer<T, W> {
    pub(super) fn new(db: Db, lock: Option<Lock>, ends: Ends<T>, wake: W) -> Self {
        let (queue, waiting) = (VecDeque::new(), VecDeque::new());
        Self { log: Log::new(db), ends, wake, queue, waiting, is_idle: false, _lock: lock }
    }

    /// Works until the store's near end is gone and all it gave is done.
    pub(super) fn run(mut self) {
        loop {
            let channel = self.wait();
            let jobs = self.queue.len().min(REQUESTS_PER_COMMIT_MAX);
            if jobs == 0 && channel == Channel::Closed {
                break;
            }
            self.perform(jobs);
            let extended = self.extend_index(jobs);
            self.hand_on_searches(extended);
            self.empty_log();
        }
        self.log.into_tables().close();
    }

    /// Takes in what has arrived, and waits for it if there is nothing else to do.
    fn wait(&mut self) -> Channel {
        let jobs = &self.ends.jobs;
        let is_busy = !self.queue.is_empty() || !self.waiting.is_empty();
        let arrived = match self.log.tables().unindexed() {
            0 if !is_busy => jobs.recv().map_err(RecvTimeoutError::from),
            _ if !is_busy && !self.is_idle => jobs.recv_timeout(IDLE_AFTER),
            _ => jobs.recv_timeout(Duration::ZERO),
        };
        match arrived {
            Ok(jobs) => self.queue.extend(jobs),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return Channel::Closed,
        }
        while self.queue.len() < REQUESTS_PER_COMMIT_MAX
            && let Ok(jobs) = jobs.try_recv()
        {
            self.queue.extend(jobs);
        }
        self.is_idle = self.queue.is_empty();
        Channel::Open
    }

    /// Commits the first jobs of the queue, and answers them.
    fn perform(&mut self, jobs: usize) {
        let (mut by, mut requests, mut reads) = (Vec::new(), Vec::new(), Vec::new());
        for job in self.queue.drain(..jobs) {
            match job {
                Job::Commit(asker, request) => {
                    by.push(asker);
                    requests.push(request);
                }
                Job::Read(asked) => reads.push(asked),
            }
        }
        if !requests.is_empty() {
            let began = Instant::now();
            let outcomes = self.log.commit(&requests);
            let took = began.elapsed();
            let answers = by.into_iter().zip(&requests).zip(outcomes);
            let answers = answers.map(|((by, request), outcome)| answered(by, request, outcome));
            let committed = Committed { answers: answers.collect(), took };
            // Fails when the store's near end is gone: then nobody waits.
            let _ = self.ends.written.send(committed);
            (self.wake)();
        }
        let (needs, since) = (self.log.tables().last(), Instant::now());
        for asked in reads {
            match asked.lane() {
                Lane::Search => self.waiting.push_back(Waiting { search: asked, needs, since }),
                Lane::Read | Lane::Write => self.read(asked),
            }
        }
    }

    /// Extends the index, if a search waits for it, nothing else is to be done, or it has fallen far behind.
    fn extend_index(&mut self, jobs: usize) -> Result<(), Fault> {
        let rows = match self.log.tables().unindexed() {
            0 => return Ok(()),
            UNINDEXED_MAX.. => INDEX_ROWS.max(jobs + jobs / 4),
            _ if self.is_idle || !self.waiting.is_empty() => INDEX_ROWS,
            _ => return Ok(()),
        };
        let extended = self.log.tables().index(rows);
        // What has failed is not tried again before some time has passed.
        self.is_idle &= extended.is_ok();
        extended
    }

    /// Hands on the searches that the index is far enough for, and gives up those that cannot wait for it.
    fn hand_on_searches(&mut self, extended: Result<(), Fault>) {
        let indexed = self.log.tables().indexed();
        while let Some(Waiting { search, needs, since }) = self.waiting.pop_front() {
            if needs <= indexed {
                self.search(search);
                continue;
            }
            let failure = match extended {
                Err(Fault::Unavailable) => Failure::Unavailable { after_ms: AFTER_MS },
                Err(Fault::Corrupt) => Failure::Corrupt,
                Ok(()) if since.elapsed() > SEARCH_WAITS_MAX || needs - indexed > BEHIND_MAX => {
                    Failure::Unavailable { after_ms: AFTER_MS }
                }
                Ok(()) => return self.waiting.push_front(Waiting { search, needs, since }),
            };
            self.answer(search.answered(ReadOut::Failed(failure)));
        }
    }

    fn search(&mut self, search: Asked<T>) {
        match &self.ends.to_searcher {
            // A thread that has ended answers nothing; its end was told.
            Some(searcher) => drop(searcher.send(search)),
            None => self.read(search),
        }
    }

    fn read(&mut self, asked: Asked<T>) {
        let out = self.log.tables().read(&asked.read);
        self.answer(asked.answered(out));
    }

    fn answer(&mut self, answered: Answered<T>) {
        // Fails when the store's near end is gone: then nobody waits.
        let _ = self.ends.read.send(answered);
        (self.wake)();
    }

    fn empty_log(&mut self) {
        if self.log.tables().checkpoint() == Backlog::Large
            && let Some(checkpointer) = &self.ends.to_checkpointer
        {
            // Fails when the last nudge is not seen to yet, or its thread has ended, which was told.
            let _ = checkpointer.try_send(());
        }
    }
}

fn answered<T>(by: T, request: &Request, outcome: Outcome) -> Answered<T> {
    let answer = match outcome {
        Outcome::Written(written) => Answer::Written(by, written),
        Outcome::Account(written) => Answer::Account(by, written),
    };
    Answered { answer, bytes: request.bytes(), lane: Lane::Write }
}

/// Requests of one transaction: at 10 µs each, its first is answered 40 ms after it was given.
pub(super) const REQUESTS_PER_COMMIT_MAX: usize = 4_096;
/// When nothing has arrived for so long, there is time for the index.
const IDLE_AFTER: Duration = Duration::from_millis(200);
/// Rows that are indexed at a time: some milliseconds, which is what they may delay a commit.
const INDEX_ROWS: usize = 512;
/// When a search would have to wait for more rows than this, a fifth of a second, the index grows with every commit.
const UNINDEXED_MAX: u64 = 16_384;
/// A search that the index is not far enough for by then is given up.
const SEARCH_WAITS_MAX: Duration = Duration::from_millis(500);
/// One that it cannot be far enough for by then is given up at once.
const BEHIND_MAX: i64 = 65_536;
