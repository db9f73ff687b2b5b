//! What a join brings back: see `joining.rs` for when.
//!
//! Owns the decision where it comes from, and that it is whole. What was read from the log is as the log was when it was
//! read; texts that were edited or deleted since are brought up to date from the tail before anybody is sent them.

use std::rc::Rc;

use super::Chat;
use super::entry::{Entry, Record, What};
use super::event::{Event, Recovered};
use super::joins::Budget;
use super::keys::SessionKey;
use super::limits::{REPLAY_ENTRIES_MAX, REPLAY_READS_MAX};
use super::log::{Read, ReadOut};
use super::pending::Waiting;
use super::room::Room;
use super::room_id::RoomId;
use super::routing::Log;
use super::seq::{Seq, Since};

/// What is sent before what happens.
#[derive(Debug, Default)]
pub(super) struct Replay {
    /// As the log had them.
    records: Vec<Record>,
    /// After those, as they happened.
    entries: Vec<Rc<Entry>>,
}

/// Where a join's gap is to be filled from.
enum Gap {
    /// There is nothing to bring back, or it cannot be.
    Closed(Recovered),
    /// Here.
    Here(Replay),
    /// The log, from after the first up to the second.
    InLog(Seq, Seq),
}

impl Replay {
    pub(super) fn len(&self) -> u64 {
        (self.records.len() + self.entries.len()) as u64
    }

    /// What is taken from the budget for it.
    pub(super) fn bytes(&self) -> usize {
        let entries = self.entries.iter().map(|entry| entry.text_bytes());
        self.records.iter().map(Record::bytes).chain(entries).sum()
    }

    /// Reactions take what texts leave, and are no reason to do without a replay.
    fn fits(&self, budget: Budget) -> bool {
        let entries = self.entries.iter().map(|entry| entry.text_bytes());
        let texts = self.records.iter().map(|record| record.entry.text_bytes()).chain(entries);
        self.len() <= budget.entries && texts.sum::<usize>() <= budget.bytes
    }

    pub(super) fn into_events(self, room: &RoomId) -> impl Iterator<Item = Event> {
        let record = |record| Event::Record(room.clone(), Rc::new(record));
        let entry = |entry| Event::Entry(room.clone(), entry);
        self.records.into_iter().map(record).chain(self.entries.into_iter().map(entry))
    }

    /// Makes of the records what the entries after them, later than `as_of`, made of their texts.
    fn bring_up_to_date(&mut self, as_of: Seq) {
        for later in self.entries.iter().filter(|entry| entry.seq > as_of) {
            match &later.what {
                What::Edit { post, body: Some(body) } => {
                    if let Some(record) = self.records.iter_mut().find(|r| r.entry.seq == *post)
                        && let What::Post(edited) = &mut record.entry.what
                    {
                        edited.body = body.clone();
                        record.marks.edited = Some(later.at);
                    }
                }
                What::Delete { post } => {
                    self.records.iter_mut().for_each(|record| delete_text(record, *post));
                }
                _ => {}
            }
        }
    }
}

impl Chat {
    /// Brings a member who joins up to date, at once or when the log has answered.
    pub(super) fn bring_up_to_date(&mut self, session: SessionKey) {
        let Some(join) = self.join_of(session).cloned() else { return };
        let person = self.sessions[session].person;
        let key = match self.readable(person, &join.room) {
            Ok((key, _)) => key,
            Err(refusal) => return self.refuse_join(session, refusal),
        };
        match self.gap(&self.rooms[key], join.since.as_ref(), join.budget) {
            Gap::Closed(recovered) => self.attach_with(session, recovered, Replay::default()),
            Gap::Here(replay) => self.attach_with(session, Recovered::Yes, replay),
            Gap::InLog(..) if join.reads == REPLAY_READS_MAX => {
                self.attach_with(session, Recovered::TooMany, Replay::default());
            }
            Gap::InLog(after, through) => {
                // What happens meanwhile is in the replay.
                self.detach(session, key);
                if let Some(join) = self.join_of(session) {
                    join.reads += 1;
                    join.through = through;
                }
                let room = &self.rooms[key];
                let bytes_max = join.budget.bytes;
                let read = Read::Replay { room: room.no, after, through, bytes_max };
                let (log, by) = (Log::of(room.kind), self.people[person].author.id);
                self.read(log, by, Waiting::Replay { session }, read);
            }
        }
    }

    fn gap(&self, room: &Room, since: Option<&Since>, budget: Budget) -> Gap {
        let Some(since) = since else { return Gap::Closed(Recovered::NotAsked) };
        if since.epoch != room.epoch {
            return Gap::Closed(Recovered::OtherEpoch);
        }
        let Some(missed) = room.seq.0.checked_sub(since.seq.0) else {
            return Gap::Closed(Recovered::Ahead);
        };
        if since.seq.next() < self.first_of(room) {
            return Gap::Closed(Recovered::Trimmed);
        }
        if missed > REPLAY_ENTRIES_MAX.min(budget.entries) {
            return Gap::Closed(Recovered::TooMany);
        }
        match tail_after(room, since.seq) {
            None => Gap::InLog(since.seq, room.seq),
            Some(entries) => {
                let replay = Replay { records: Vec::new(), entries };
                match replay.fits(budget) {
                    true => Gap::Here(replay),
                    false => Gap::Closed(Recovered::TooMany),
                }
            }
        }
    }

    /// The log has answered a join. Who was put out meanwhile is told nothing; what came meanwhile is in the tail, or all is
    /// read again.
    pub(super) fn replay_read(&mut self, session: SessionKey, out: ReadOut) {
        let Some(join) = self.join_of(session).cloned() else { return };
        let person = self.sessions[session].person;
        let key = match self.readable(person, &join.room) {
            Ok((key, _)) => key,
            Err(refusal) => return self.refuse_join(session, refusal),
        };
        let (records, more, as_of) = match out {
            ReadOut::Page { records, more, as_of } => (records, more, as_of),
            ReadOut::Found { .. } | ReadOut::Failed(_) => {
                return self.attach_with(session, Recovered::Unavailable, Replay::default());
            }
        };
        let is_whole = !more && records.last().is_some_and(|last| last.entry.seq == join.through);
        let Some(entries) = tail_after(&self.rooms[key], join.through) else {
            return self.bring_up_to_date(session);
        };
        let mut replay = Replay { records, entries };
        if !is_whole || !replay.fits(join.budget) {
            return self.attach_with(session, Recovered::TooMany, Replay::default());
        }
        replay.bring_up_to_date(as_of);
        self.attach_with(session, Recovered::Yes, replay);
    }

    /// The first entry that a room's log still has.
    pub(super) fn first_of(&self, room: &Room) -> Seq {
        match Log::of(room.kind) {
            Log::Store => Seq::START.next(),
            Log::Memory => self.memory.first(room.no),
        }
    }
}

/// What has happened in a room since, if it is here.
fn tail_after(room: &Room, seq: Seq) -> Option<Vec<Rc<Entry>>> {
    if seq == room.seq {
        return Some(Vec::new());
    }
    Some(room.live()?.tail.after(seq, room.seq)?.cloned().collect())
}

fn delete_text(record: &mut Record, deleted: Seq) {
    let entry = &mut record.entry;
    match &mut entry.what {
        What::Post(_) if entry.seq == deleted => {
            entry.what = What::Tombstone;
            record.marks = super::entry::Marks::default();
        }
        What::Edit { post, body } if *post == deleted => *body = None,
        _ => {}
    }
}
