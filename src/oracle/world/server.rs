//! The simulated process: the real domain and the real log, and in place of sockets and threads what is under way.
//!
//! Owns what a process has in memory; all of it goes when the process ends, but the disk. It does by hand what the daemon and
//! the store's threads do: attach sessions to rooms, gather writes into batches, answer them in order, and read whenever a
//! reader gets round to it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::disk::Disk;
use crate::chat::log::{Read, ReadOut, Restored, Ticket};
use crate::chat::{Chat, Effect, Limits, Name, PersonId, Profile, RoomKey, SessionId};
use crate::store::log::{Log, Outcome, Request};

/// A process that runs.
#[derive(Debug)]
pub(crate) struct Server {
    /// Which one: what was planned for an earlier one does not happen to this.
    pub(crate) generation: u64,
    pub(crate) chat: Chat,
    pub(crate) log: Log<Disk>,
    pub(crate) limits: Limits,
    /// Who is attached to which room.
    pub(crate) audiences: BTreeMap<RoomKey, BTreeSet<SessionId>>,
    pub(crate) calls_made: u64,
    pub(crate) writer: Writer,
    pub(crate) readers: BTreeMap<u64, Reading>,
    pub(crate) reads_made: u64,
    pub(crate) effects: Vec<Effect>,
    /// When the domain is next told the time.
    pub(crate) ticks_at_ms: Option<u64>,
}

/// The thread that writes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// Recorded, and not yet in a transaction.
    pub(crate) recorded: Vec<(For, Request)>,
    /// In the transaction that is being made.
    pub(crate) batch: Vec<(For, Request)>,
    /// Committed, and not yet told.
    pub(crate) outcomes: VecDeque<(For, Request, Outcome)>,
    pub(crate) is_busy: bool,
}

/// Whom an outcome is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum For {
    /// The domain.
    Chat(Ticket),
    /// A registration under this name.
    Registration(Name),
    /// The end of an account.
    Deletion(PersonId),
    /// How somebody is shown.
    Profile(PersonId, Profile),
    /// Nobody.
    Nobody,
}

/// A read that is under way.
#[derive(Debug)]
pub(crate) struct Reading {
    pub(crate) ticket: Ticket,
    pub(crate) read: Read,
    pub(crate) out: Option<ReadOut>,
}

impl Server {
    /// Starts upon what the disk has.
    pub(crate) fn start(generation: u64, limits: Limits, restored: Restored, disk: Disk) -> Self {
        Self {
            generation,
            chat: Chat::new(limits.clone(), restored),
            log: Log::new(disk),
            limits,
            audiences: BTreeMap::new(),
            calls_made: 0,
            writer: Writer::default(),
            readers: BTreeMap::new(),
            reads_made: 0,
            effects: Vec::new(),
            ticks_at_ms: None,
        }
    }

    /// Ends the process: only the disk is left.
    pub(crate) fn kill(mut self) -> Disk {
        let mut disk = std::mem::take(self.log.tables());
        disk.crash();
        disk
    }

    /// A session's connection has gone.
    pub(crate) fn forget(&mut self, session: SessionId) {
        self.audiences.values_mut().for_each(|audience| {
            audience.remove(&session);
        });
    }
}

/// Writes that may wait at one time; the store's own bound is larger, but a small world has to meet it.
pub(crate) const WAITING_MAX: usize = 24;
