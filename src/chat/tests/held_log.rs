//! The durable log of a script: one in memory, whose answers can be held back.
//!
//! Writes and reads are done in the order asked; what is done and what is told are two steps, for between a commit and its
//! answer anything can happen.

use std::collections::VecDeque;

use super::super::log::{Failure, Read, ReadOut, Ticket, Write, Written};
use super::super::*;

/// A log that answers when told.
pub(super) struct HeldLog {
    memory: MemoryLog,
    /// Answers at once.
    pub(super) at_once: bool,
    /// Fails whatever it is asked.
    pub(super) fails: Option<Failure>,
    writes: VecDeque<(Ticket, Job<Write, Written>)>,
    reads: VecDeque<(Ticket, Job<Read, ReadOut>)>,
    /// How many writes have been done.
    pub(super) committed: usize,
}

enum Job<Q, A> {
    Asked(Q),
    Done(A),
}

impl HeldLog {
    /// With a lobby in which nothing has happened.
    pub(super) fn with_lobby() -> (Self, RoomNo) {
        let mut memory = MemoryLog::bounded(usize::MAX, usize::MAX, usize::MAX);
        let lobby = memory.begin(RoomId::lobby());
        let (writes, reads) = (VecDeque::new(), VecDeque::new());
        (Self { memory, at_once: true, fails: None, writes, reads, committed: 0 }, lobby)
    }

    pub(super) fn ask_to_write(&mut self, ticket: Ticket, write: Write) {
        self.writes.push_back((ticket, Job::Asked(write)));
    }

    pub(super) fn ask_to_read(&mut self, ticket: Ticket, read: Read) {
        self.reads.push_back((ticket, Job::Asked(read)));
    }

    /// Commits the first so many writes that are not committed yet; nobody is told.
    pub(super) fn commit(&mut self, count: usize) {
        let asked = |job: &&mut (Ticket, Job<Write, Written>)| matches!(job.1, Job::Asked(_));
        for (_, job) in self.writes.iter_mut().filter(asked).take(count) {
            let Job::Asked(write) = job else { unreachable!("filtered") };
            *job = Job::Done(match self.fails {
                Some(failure) => Written::Failed(failure),
                None => self.memory.write(write.clone()),
            });
            self.committed += 1;
        }
    }

    /// The first write's answer, which is told now.
    pub(super) fn next_written(&mut self) -> Option<(Ticket, Written)> {
        if matches!(self.writes.front(), Some((_, Job::Asked(_)))) {
            self.commit(1);
        }
        match self.writes.pop_front()? {
            (ticket, Job::Done(written)) => Some((ticket, written)),
            (_, Job::Asked(_)) => unreachable!("committed above"),
        }
    }

    /// Reads all that is asked for, as the log is now; nobody is told.
    pub(super) fn read(&mut self) {
        for (_, job) in &mut self.reads {
            if let Job::Asked(read) = job {
                *job = Job::Done(match self.fails {
                    Some(failure) => ReadOut::Failed(failure),
                    None => self.memory.read(read),
                });
            }
        }
    }

    /// The first read's answer, which is told now.
    pub(super) fn next_read(&mut self) -> Option<(Ticket, ReadOut)> {
        self.read();
        match self.reads.pop_front()? {
            (ticket, Job::Done(out)) => Some((ticket, out)),
            (_, Job::Asked(_)) => unreachable!("read above"),
        }
    }

    /// Writes that are asked for and not committed yet.
    pub(super) fn asked(&self) -> impl Iterator<Item = &Write> {
        self.writes.iter().filter_map(|(_, job)| match job {
            Job::Asked(write) => Some(write),
            Job::Done(_) => None,
        })
    }

    pub(super) fn is_idle(&self) -> bool {
        self.writes.is_empty() && self.reads.is_empty()
    }

    /// Every entry of a room.
    pub(super) fn entries(&self, room: RoomNo) -> Vec<Entry> {
        let (after, through) = (Seq::START, Seq(u64::MAX));
        let read = Read::Replay { room, after, through, bytes_max: usize::MAX };
        let ReadOut::Page { records, .. } = self.memory.read(&read) else { panic!("{room:?}") };
        records.into_iter().map(|record| record.entry).collect()
    }
}
