//! What the domain says to each session, held against what is so.
//!
//! Every event passes here on its way out, for each who is sent it, before it is encoded. What matters is what the domain was
//! told when it said it: what is on its way to the domain still, it cannot know. So the witness is told everything that the
//! domain is: who comes and goes, what is asked, and what became of each write.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::Rows;
use super::truth::Truth;
use crate::chat::log::{Write, Written};
use crate::chat::{
    Answer, CallId, Event, Joined, PersonId, Refusal, Request, RequestId, RoomId, RoomKind,
    RoomSummary, SessionId, UnixMs,
};

/// Who is there, what they asked for, and what is so.
#[derive(Debug, Default)]
pub(crate) struct Witness {
    pub(crate) truth: Truth,
    sessions: BTreeMap<SessionId, PersonId>,
    /// Requests that are not answered yet.
    asked: BTreeMap<(SessionId, RequestId), Matter>,
    /// Calls that are not answered yet.
    calls: BTreeMap<CallId, (PersonId, Matter)>,
    /// Who has asked to be let in where.
    knocked: BTreeSet<(RoomId, PersonId)>,
}

/// What a request is about.
#[derive(Clone, Debug)]
struct Matter {
    room: Option<RoomId>,
    /// Whether who asks might read there when asking.
    is_known: bool,
}

impl Witness {
    /// A process begins upon these rows; of the last one nothing is left.
    ///
    /// # Errors
    /// If anything that was told before is missing or another.
    pub(crate) fn restart(&mut self, rows: &Rows) -> Result<(), String> {
        self.sessions.clear();
        self.asked.clear();
        self.calls.clear();
        self.knocked.clear();
        self.truth.restart(rows)
    }

    /// A session begins.
    pub(crate) fn connects(&mut self, session: SessionId, person: PersonId) {
        self.sessions.insert(session, person);
    }

    /// A session has gone, and what it asked for needs no answer.
    pub(crate) fn goes(&mut self, session: SessionId) {
        self.sessions.remove(&session);
        self.asked.retain(|(asker, _), _| *asker != session);
    }

    pub(crate) fn person(&self, session: SessionId) -> Option<PersonId> {
        self.sessions.get(&session).copied()
    }

    /// All who have a session.
    pub(crate) fn present(&self) -> impl Iterator<Item = PersonId> {
        self.sessions.values().copied().collect::<BTreeSet<_>>().into_iter()
    }

    /// What is asked and not answered, in words; `None` if nothing is.
    pub(crate) fn waits_for(&self) -> Option<String> {
        let is_idle = self.asked.is_empty() && self.calls.is_empty();
        (!is_idle).then(|| format!("{:?} {:?}", self.asked, self.calls))
    }

    /// A session asks for something.
    pub(crate) fn asks(&mut self, session: SessionId, id: RequestId, request: &Request) {
        if let Some(person) = self.person(session) {
            let matter = self.matter(person, request);
            self.asked.insert((session, id), matter);
            match request {
                Request::Join { room, .. } => self.knocks(room, person),
                Request::Resume { rooms } => {
                    rooms.iter().for_each(|(room, _)| self.knocks(room, person));
                }
                _ => {}
            }
        }
    }

    fn knocks(&mut self, room: &RoomId, person: PersonId) {
        self.knocked.insert((room.clone(), person));
    }

    /// Somebody asks for something without a session.
    pub(crate) fn calls(&mut self, call: CallId, person: PersonId, request: &Request) {
        let matter = self.matter(person, request);
        self.calls.insert(call, (person, matter));
    }

    fn matter(&self, person: PersonId, request: &Request) -> Matter {
        let room = room_of(request);
        let is_known = room.is_some_and(|room| self.truth.may_read(room, person));
        Matter { room: room.cloned(), is_known }
    }

    /// The domain is about to be told what became of a write, at this time of day.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub(crate) fn learns(
        &mut self,
        write: &Write,
        written: &Written,
        now: UnixMs,
    ) -> Result<(), String> {
        match (write, written) {
            (Write::Append(append), Written::Entry(entry)) => {
                let room = self.truth.id_of(append.room).cloned().ok_or("an entry of no room")?;
                if (&append.from, &append.what) != (&entry.from, &entry.what) {
                    return Err(format!("{append:?} became {entry:?}"));
                }
                self.truth.tell(&room, entry, now)
            }
            (Write::Create(create), Written::Created { room, entry }) => {
                self.truth.begin(*room, &create.id, &create.epoch, entry)
            }
            (
                &Write::Cursor { person, room, .. },
                &Written::Cursor { read, posts_read, mentions, .. },
            ) => self.truth.check_cursor(person, room, read, posts_read, mentions),
            _ => Ok(()),
        }
    }

    /// One event to one session. `rows` are what is committed.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub(crate) fn hears(
        &mut self,
        to: SessionId,
        event: &Event,
        rows: &Rows,
    ) -> Result<(), String> {
        let person = self.person(to).ok_or("a session that has gone is told something")?;
        match event {
            Event::Ok(id, answer) => {
                if !matches!(**answer, Answer::JoinedOne(..)) {
                    let asked = self.asked.remove(&(to, *id));
                    asked.ok_or("a request is answered twice, or was not made")?;
                }
                self.check_answer(person, answer, rows)
            }
            Event::Error(Some(id), refusal) => {
                let matter = self.asked.remove(&(to, *id));
                let matter = matter.ok_or("a request is refused twice, or was not made")?;
                self.check_refusal(person, &matter, *refusal)
            }
            Event::Out(room, _) => {
                self.knocked.remove(&(room.clone(), person));
                self.truth.visit(room, person, false);
                Ok(())
            }
            Event::Room(summary) => {
                self.comes_in_silently(person, summary);
                self.truth.check_summary(person, summary)
            }
            Event::Welcome(welcome) => {
                self.have_come_in(person, &welcome.rooms);
                self.truth.check_event(person, event)
            }
            event => self.truth.check_event(person, event),
        }
    }

    /// Who was let in when their connection broke is told so by the next list of their rooms.
    fn have_come_in(&mut self, person: PersonId, rooms: &[RoomSummary]) {
        for summary in rooms {
            if self.knocked.contains(&(summary.room.clone(), person)) {
                self.comes_in_silently(person, summary);
            }
        }
    }

    /// Into an invite room, and as a guest into an open one, one comes without an entry that could be seen, whoever asks; and
    /// may hear of it before the answer.
    fn comes_in_silently(&mut self, person: PersonId, summary: &RoomSummary) {
        let lets_in = matches!(summary.kind, RoomKind::Open | RoomKind::Invite);
        if lets_in && !self.truth.is_banned(&summary.room, person) {
            self.truth.visit(&summary.room, person, true);
        }
    }

    /// What came of a call.
    ///
    /// # Errors
    /// See [`hears`](Self::hears).
    pub(crate) fn is_answered(
        &mut self,
        call: CallId,
        answer: &Result<Answer, Refusal>,
        rows: &Rows,
    ) -> Result<(), String> {
        let asked = self.calls.remove(&call);
        let (person, matter) = asked.ok_or("a call is answered twice, or was not made")?;
        match answer {
            Ok(answer) => self.check_answer(person, answer, rows),
            Err(refusal) => self.check_refusal(person, &matter, *refusal),
        }
    }

    fn check_refusal(
        &self,
        person: PersonId,
        matter: &Matter,
        refusal: Refusal,
    ) -> Result<(), String> {
        match &matter.room {
            Some(room) if !matter.is_known => self.truth.check_refusal(room, person, refusal),
            _ => Ok(()),
        }
    }

    fn check_answer(
        &mut self,
        person: PersonId,
        answer: &Answer,
        rows: &Rows,
    ) -> Result<(), String> {
        match answer {
            Answer::Joined(joined) | Answer::JoinedOne(_, Ok(joined)) => {
                self.check_joined(person, joined)
            }
            Answer::JoinedOne(room, Err(refusal)) => match self.truth.may_read(room, person) {
                true => Ok(()),
                false => self.truth.check_refusal(room, person, *refusal),
            },
            Answer::Posted { room, seq, at, dup: _ } => {
                let Some(story) = self.truth.story(room) else { return Ok(()) };
                let entry = story.entry(*seq);
                let is_so = entry.is_some_and(|entry| entry.from.id == person && entry.at == *at);
                is_so
                    .then_some(())
                    .ok_or_else(|| format!("{room} {seq} is acknowledged: {entry:?}"))
            }
            Answer::Page { room, records, as_of, .. } => {
                self.truth.check_reader(room, person)?;
                self.truth.check_page(rows, room, person, records, *as_of)
            }
            Answer::Found { hits, .. } => {
                hits.iter().try_for_each(|hit| self.truth.check_reader(&hit.room, person))
            }
            Answer::Room(summary) => {
                if summary.kind == RoomKind::Invite {
                    self.truth.visit(&summary.room, person, true);
                }
                self.truth.check_summary(person, summary)
            }
            Answer::Members { room, .. } | Answer::Bans { room, .. } => {
                self.truth.check_reader(room, person)
            }
            Answer::Rooms { rooms, .. } => {
                self.have_come_in(person, rooms);
                self.truth.check_rooms(person, rooms)
            }
            Answer::Users { .. } | Answer::Resumed | Answer::Done => Ok(()),
        }
    }

    fn check_joined(&mut self, person: PersonId, joined: &Joined) -> Result<(), String> {
        let room = &joined.room;
        if let Some(story) = self.truth.story(room) {
            if self.truth.is_banned(room, person) {
                return Err(format!("{person:?} is banned from {room}, and joined"));
            }
            if (&story.epoch, story.last()) != (&joined.epoch, joined.seq) {
                return Err(format!("{room} is at {}, not as in {joined:?}", story.last()));
            }
        }
        self.truth.visit(room, person, true);
        self.truth.check_reader(room, person)
    }
}

fn room_of(request: &Request) -> Option<&RoomId> {
    match request {
        Request::Join { room, .. }
        | Request::Detach { room }
        | Request::Post { room, .. }
        | Request::Act { room, .. }
        | Request::History { room, .. }
        | Request::Members { room, .. }
        | Request::Bans { room, .. } => Some(room),
        Request::Search { room, .. } => room.as_ref(),
        Request::Resume { .. }
        | Request::Create { .. }
        | Request::Direct { .. }
        | Request::Rooms
        | Request::Users { .. } => None,
    }
}
