//! The log, durable: one SQLite file, written by a thread of its own.
//!
//! Owns the file, the threads that work on it, and what is on its way to them and back. It gives each entry its place when
//! it commits it, keeps what the domain holds in memory, reads pages and searches. It must never know sockets, JSON, or who
//! may do what: the domain decides that, and says upon what it did ([`Append`](crate::chat::log::Append)).
//!
//! # The path of a write
//!
//! [`Store::write`] records it; [`Store::submit`], once a turn, hands over what was recorded. The writer takes all that has
//! arrived since its last transaction, makes one transaction of it ([`log`]), and answers when the disk has it.
//! [`Store::answers`] has what came back. None of these ever waits.
//!
//! Histories and replays are read on one thread and searches on another, each from a snapshot of what is committed: a
//! search that costs much delays nobody but other searches. They wait here, and are handed over a few at a time, each
//! asker's in turn (`reads.rs`): who asks for much waits for it alone.
//!
//! # Invariants
//!
//! * Each request is answered once; writes in the order in which they were given, which is that of their commits. Reads of
//!   one asker and one kind are done in the order in which they were given.
//! * What was answered as written is on the disk: no crash and no loss of power takes it back.
//! * A read sees every commit that was answered before it was given; so does a search.
//! * Damage is told, as [`Failure::Corrupt`](crate::chat::log::Failure) or [`OpenError::Corrupt`], and never served.
//! * What is under way is bounded, in number and in bytes; more is refused with [`Full`]. Of reads, those of whoever has the
//!   most waiting are refused before others'.
//! * The file is this process's alone.

pub mod accounts;
mod db;
mod effects;
pub mod log;
mod open_error;
mod reads;
mod rotation;
pub mod tables;
#[cfg(test)]
mod tests;
mod threads;
mod writer;

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, Sender};

pub use self::accounts::{AccountWrite, AccountWritten, SessionNo, StoredAccount, StoredSession};
pub use self::db::{
    AccountState, Archive, ArchivedAccount, ArchivedLog, Examination, PAGE_ENTRIES, examine,
};
pub use self::open_error::OpenError;
pub use self::rotation::OWN_WAITING_MAX;

use self::db::Stored;
use self::log::Request;
use self::reads::Reads;
use self::threads::{Answered, Asked, Committed, Lane};
use self::writer::{Ends, Job, Writer};
use crate::Histogram;
use crate::chat::log::{Read, ReadOut, Restored, Whose, Write, Written};
use crate::worker::Worker;

/// Where a store keeps what it is given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In this file, and in others beside it whose names begin with its name. It is created if it is not there.
    File(PathBuf),
    /// Nowhere: all is gone when the store is. Reads then wait for writes, and writes for reads.
    Memory,
}

/// As the operator is told of it.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::File(path) => write!(f, "{}", path.display()),
            Place::Memory => f.write_str("memory"),
        }
    }
}

/// A store's near end. `T` is what the caller knows an answer by.
///
/// ```
/// use wsrelay::chat::log::{Read, ReadOut, Whose};
/// use wsrelay::chat::{RoomNo, Seq};
/// use wsrelay::store::{Answer, Place, Store};
///
/// let (woken, wait) = std::sync::mpsc::channel();
/// let mut opened = Store::open(&Place::Memory, move || woken.send(()).unwrap_or_default())?;
/// let lobby = opened.restored.rooms[0].no;
///
/// let read = Read::Before { room: lobby, before: Seq(1), limit: 10 };
/// opened.store.read("the lobby", Whose(1), read).unwrap();
/// opened.store.submit();
/// wait.recv().unwrap();
/// let answer = opened.store.answers().next();
/// let nothing = ReadOut::Page { records: vec![], more: false, as_of: Seq::START };
/// assert_eq!(answer, Some(Answer::Read("the lobby", nothing)));
/// opened.store.close();
/// # Ok::<(), wsrelay::store::OpenError>(())
/// ```
#[derive(Debug)]
pub struct Store<T> {
    /// What was asked for since the last [`Store::submit`].
    recorded: Vec<Job<T>>,
    to_writer: Sender<Vec<Job<T>>>,
    /// `None` where the writer reads.
    to_reader: Option<Sender<Asked<T>>>,
    written: Receiver<Committed<T>>,
    read: Receiver<Answered<T>>,
    /// Writes that were answered.
    arrived: VecDeque<Answered<T>>,
    /// Reads and writes come in turns.
    is_reads_turn: bool,
    writes: Load,
    reads: Reads<T>,
    commits: Histogram,
    threads: Vec<Worker>,
}

/// A store, and what it had when it was opened.
#[derive(Debug)]
pub struct Opened<T> {
    /// The store.
    pub store: Store<T>,
    /// What the domain keeps in memory.
    pub restored: Restored,
    /// Who has an account.
    pub accounts: Vec<StoredAccount>,
    /// Who is logged in.
    pub sessions: Vec<StoredSession>,
    /// Random, and the same for as long as the file exists.
    pub secret: [u8; 32],
}

/// Too much is under way: nothing was recorded. It is less when some [`Store::answers`] were taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Full;

/// What came of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// Of [`Store::write`].
    Written(T, Written),
    /// Of [`Store::write_account`].
    Account(T, AccountWritten),
    /// Of [`Store::read`].
    Read(T, ReadOut),
}

impl<T: Send + 'static> Store<T> {
    /// Opens a place, and starts what works on it. `wake` is called, from other threads, when there are answers, and when a
    /// thread has ended.
    ///
    /// A file is walked through once, to find whether it is whole: that takes some two seconds for each gigabyte.
    ///
    /// # Errors
    /// When the file is somebody else's, in use, of a later version, damaged or out of reach; nothing of it was changed.
    pub fn open(
        place: &Place,
        wake: impl Fn() + Send + Clone + 'static,
    ) -> Result<Opened<T>, OpenError> {
        let (db, lock) = db::open(place)?;
        let Stored { restored, accounts, sessions, secret } = db.stored()?;
        let (to_writer, jobs) = mpsc::channel();
        let (answer_writes, written) = mpsc::channel();
        let (answer_reads, read) = mpsc::sync_channel(reads::ANSWERED_MAX);
        let mut threads = Vec::new();
        let mut reader =
            |name| threads::start_reader(name, place, &answer_reads, &wake, &mut threads);
        let (to_reader, to_searcher) = (reader("store-reader")?, reader("store-search")?);
        let to_checkpointer = threads::start_checkpointer(place, wake.clone(), &mut threads)?;
        let ends =
            Ends { jobs, written: answer_writes, read: answer_reads, to_searcher, to_checkpointer };
        let writer = Writer::new(db, lock, ends, wake.clone());
        threads.push(Worker::start("store-writer", wake, move || writer.run())?);
        let store = Self {
            recorded: Vec::new(),
            to_writer,
            to_reader,
            written,
            read,
            arrived: VecDeque::new(),
            is_reads_turn: false,
            writes: Load::default(),
            reads: Reads::new(),
            commits: Histogram::default(),
            threads,
        };
        Ok(Opened { store, restored, accounts, sessions, secret })
    }

    /// Records something to be written.
    ///
    /// # Errors
    /// When too much is under way.
    pub fn write(&mut self, by: T, write: Write) -> Result<(), Full> {
        self.commit(by, Request::Write(write))
    }

    /// Records something to be written about an account.
    ///
    /// # Errors
    /// When too much is under way.
    pub fn write_account(&mut self, by: T, write: AccountWrite) -> Result<(), Full> {
        self.commit(by, Request::Account(write))
    }

    fn commit(&mut self, by: T, request: Request) -> Result<(), Full> {
        self.writes.add(request.bytes())?;
        self.recorded.push(Job::Commit(by, request));
        Ok(())
    }

    /// Records something to be read on somebody's behalf. If no more can wait, something of whoever has the most waiting is
    /// answered as refused instead.
    ///
    /// # Errors
    /// When too much is under way, and nobody has more waiting than this one.
    pub fn read(&mut self, by: T, whose: Whose, read: Read) -> Result<(), Full> {
        self.reads.push(whose, Asked::new(by, read))?;
        self.hand_reads_over();
        Ok(())
    }

    fn hand_reads_over(&mut self) {
        while let Some(asked) = self.reads.next_to_read() {
            match &self.to_reader {
                // A reader that has ended answers nothing; `is_alive` tells.
                Some(reader) => drop(reader.send(asked)),
                None => self.recorded.push(Job::Read(asked)),
            }
        }
        // Not before the index has what was committed until then, which the writer knows.
        let searches = std::iter::from_fn(|| self.reads.next_to_search());
        self.recorded.extend(searches.map(Job::Read));
    }

    /// Hands over what was recorded. What is handed over at once is not torn apart without need.
    pub fn submit(&mut self) {
        if !self.recorded.is_empty() {
            // A writer that has ended answers nothing; `is_alive` tells.
            let _ = self.to_writer.send(std::mem::take(&mut self.recorded));
        }
    }

    /// The first of the [`answers`](Self::answers).
    pub fn next_answer(&mut self) -> Option<Answer<T>> {
        self.answers().next()
    }

    /// The answers that are there, writes in the order of their commits. Reads are taken from their queue one by one, and for
    /// each another is handed over: what is left in it, for want of time, keeps those who read from reading on.
    pub fn answers(&mut self) -> impl Iterator<Item = Answer<T>> {
        for committed in self.written.try_iter() {
            self.commits.note(committed.took);
            self.arrived.extend(committed.answers);
        }
        std::iter::from_fn(|| {
            if let Some(refused) = self.reads.gave_way() {
                return Some(refused.answer);
            }
            self.is_reads_turn = !self.is_reads_turn;
            let read = if self.is_reads_turn { self.read.try_recv().ok() } else { None };
            let next = read.or_else(|| self.arrived.pop_front());
            let Answered { answer, bytes, lane } = next.or_else(|| self.read.try_recv().ok())?;
            match lane {
                Lane::Write => self.writes.take(bytes),
                Lane::Read | Lane::Search => {
                    self.reads.answered(lane, bytes);
                    self.hand_reads_over();
                }
            }
            Some(answer)
        })
    }

    /// How long commits took.
    pub fn commits(&self) -> &Histogram {
        &self.commits
    }

    /// The writes that are under way.
    pub fn writes_under_way(&self) -> Load {
        self.writes
    }

    /// The reads that are under way.
    pub fn reads_under_way(&self) -> Load {
        self.reads.load()
    }

    /// False when a thread has ended that should not have: nothing more is to be expected of this store.
    pub fn is_alive(&self) -> bool {
        !self.threads.iter().any(Worker::has_ended)
    }

    /// Commits what is recorded, puts all in its place in the file, and gives the file back.
    pub fn close(self) {
        self.close_after([]);
    }

    /// The same, after some last writes. However many they are: nobody else's have to wait for them.
    pub fn close_after(mut self, last: impl IntoIterator<Item = (T, Write)>) {
        let last = last.into_iter().map(|(by, write)| Job::Commit(by, Request::Write(write)));
        self.recorded.extend(last);
        self.submit();
        let Self { to_writer, to_reader, written, read, threads, .. } = self;
        drop((to_writer, to_reader, written, read));
        for thread in threads {
            thread.join();
        }
    }
}

/// What is under way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Load {
    /// How many requests.
    pub requests: usize,
    /// What they come to.
    pub bytes: usize,
}

impl Load {
    fn add(&mut self, bytes: usize) -> Result<(), Full> {
        if self.requests >= WAITING_MAX || self.bytes + bytes > WAITING_BYTES_MAX {
            return Err(Full);
        }
        self.requests += 1;
        self.bytes += bytes;
        Ok(())
    }

    fn take(&mut self, bytes: usize) {
        self.requests -= 1;
        self.bytes -= bytes;
    }
}

/// Writes that are under way at one time, from [`Store::write`] to [`Store::answers`]: two transactions of the largest kind,
/// so that one can wait while the other is written. Of replays, of pages and of searches as many may wait.
pub const WAITING_MAX: usize = 2 * writer::REQUESTS_PER_COMMIT_MAX;
/// Bytes that they come to: a thousand of the longest posts.
pub const WAITING_BYTES_MAX: usize = 16 * 1024 * 1024;
/// After so many milliseconds a failed write is worth another try: a full disk does not empty itself sooner.
const AFTER_MS: u64 = 1_000;
