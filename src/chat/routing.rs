//! What comes in, told to whom it concerns: commands, calls, the log's answers, and deadlines.
//!
//! Owns the counting of commands, and the way to either log: the store, which answers later, and that of the invite rooms,
//! which answers at once; what comes after the answer is the same.

use super::Chat;
use super::command::{Command, Request, RequestId, Whisper};
use super::effect::{CallId, Effect, SessionId};
use super::event::{Answer, Event};
use super::keys::{PersonKey, SessionKey};
use super::limits::{BUSY_AFTER_MS, PENDING_PER_SESSION_MAX};
use super::log::{Failure, Read, ReadOut, Ticket, Whose, Write, Written};
use super::pending::{Asker, Waiting, Wish};
use super::person::{Author, PersonId};
use super::refusal::Refusal;
use super::room_id::RoomKind;
use super::timers::Timer;

/// Which log something is in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Log {
    /// The durable one.
    Store,
    /// That of the invite rooms.
    Memory,
}

impl Log {
    pub(super) fn of(kind: RoomKind) -> Self {
        match kind {
            RoomKind::Invite => Log::Memory,
            RoomKind::Lobby | RoomKind::Open | RoomKind::Group | RoomKind::Direct => Log::Store,
        }
    }
}

impl Chat {
    pub(super) fn obey(&mut self, id: SessionId, command: Command) {
        let Some(session) = self.sessions.find(id) else { return };
        let now_ms = self.out.now.mono_ms;
        let Some(open) = self.sessions.open_mut(session) else { return };
        let allowed = self.commands.take(&mut open.commands, now_ms);
        let person = open.person;
        match (command, allowed) {
            (Command::Whisper(whisper), Ok(())) => self.hear(session, person, whisper),
            (Command::Whisper(_), Err(_)) => {}
            (Command::Request { id, request }, Ok(())) => self.serve_request(session, id, request),
            (Command::Request { id, .. }, Err(after_ms)) => {
                self.answer(Asker::Session(session, id), Err(Refusal::Rate { after_ms }));
            }
        }
    }

    /// Counts what was no command like one.
    pub(super) fn miscount(&mut self, id: SessionId) -> Result<(), Refusal> {
        let now_ms = self.out.now.mono_ms;
        let session = self.sessions.find(id);
        let open = session.and_then(|session| self.sessions.open_mut(session));
        let taken = open.map_or(Ok(()), |open| self.commands.take(&mut open.commands, now_ms));
        taken.map_err(|after_ms| Refusal::Rate { after_ms })
    }

    fn hear(&mut self, session: SessionKey, person: PersonKey, whisper: Whisper) {
        match whisper {
            Whisper::Typing { room, on } => self.type_in(session, person, &room, on),
            Whisper::Received { room, seq } => self.move_cursor(person, &room, seq, false),
            Whisper::Read { room, seq } => self.move_cursor(person, &room, seq, true),
            Whisper::Ping => self.out.send(self.sessions[session].id, Event::Pong),
        }
    }

    fn serve_request(&mut self, session: SessionKey, id: RequestId, request: Request) {
        let open = &self.sessions[session];
        let joins = open.joins.as_ref().map_or(0, |joins| joins.len());
        let under_way = usize::from(open.waiting) + joins;
        let asker = Asker::Session(session, id);
        if under_way >= PENDING_PER_SESSION_MAX as usize {
            return self.answer(asker, Err(Refusal::Busy { after_ms: BUSY_AFTER_MS }));
        }
        match request {
            Request::Join { room, since } => self.ask_to_join(session, id, room, since),
            Request::Resume { rooms } => self.ask_to_resume(session, id, rooms),
            Request::Detach { room } => self.ask_to_detach(session, id, room),
            request => self.serve_any(asker, open.person, request),
        }
    }

    pub(super) fn serve_call(&mut self, call: CallId, author: &Author, request: Request) {
        let asker = Asker::Call(call);
        let person = match self.people.find(author.id) {
            None if author.id.is_guest() => {
                self.let_in(author).map(|()| self.people.find(author.id))
            }
            known => Ok(known),
        };
        match person {
            Ok(Some(person)) if !self.people[person].is_deleted() => {
                self.serve_any(asker, person, request);
            }
            Ok(_) => self.answer(asker, Err(Refusal::NoUser)),
            Err(refusal) => self.answer(asker, Err(refusal)),
        }
    }

    /// Whatever can be asked for with a connection or without.
    fn serve_any(&mut self, asker: Asker, person: PersonKey, request: Request) {
        match request {
            Request::Join { .. } | Request::Resume { .. } | Request::Detach { .. } => {
                self.answer(asker, Err(Refusal::WrongKind));
            }
            Request::Post { room, key, body, reply_to } => {
                self.ask_for_entry(asker, person, room, Wish::Post { key, body, reply_to });
            }
            Request::Act { room, act } => {
                self.ask_for_entry(asker, person, room, Wish::Act(act));
            }
            Request::History { room, from, limit } => {
                self.read_history(asker, person, room, from, limit);
            }
            Request::Search { query, room, skip, limit } => {
                self.search(asker, person, query, room, skip, limit);
            }
            Request::Create { room, secret, epoch } => {
                self.create(asker, person, room, secret, epoch);
            }
            Request::Direct { user, secret, epoch } => {
                self.ask_for_direct(asker, person, &user, secret, epoch);
            }
            Request::Members { room, after, limit } => {
                let answer = self.members(person, &room, after.as_ref(), limit);
                self.answer(asker, answer);
            }
            Request::Bans { room, after, limit } => {
                let answer = self.bans(person, &room, after.as_ref(), limit);
                self.answer(asker, answer);
            }
            Request::Rooms => {
                let answer = self.rooms_of(person);
                self.answer(asker, Ok(answer));
            }
            Request::Users { query, limit } => {
                let answer = self.users(&query, limit);
                self.answer(asker, Ok(answer));
            }
        }
    }

    /// Tells whoever asked. A session that has gone is told nothing.
    pub(super) fn answer(&mut self, asker: Asker, result: Result<Answer, Refusal>) {
        match asker {
            Asker::Session(session, request) => {
                if let Some(open) = self.sessions.open(session) {
                    self.out.reply(open.id, request, result);
                }
            }
            Asker::Call(call) => self.out.push(Effect::Answer(call, result)),
            Asker::Join(session) => self.entered(session, result.map(|_| ())),
            Asker::Nobody => {}
        }
    }

    /// Hands a write to the log that it is for.
    pub(super) fn write(&mut self, log: Log, waiting: Waiting, write: Write) {
        let ticket = self.wait(waiting);
        match log {
            Log::Store => self.out.push(Effect::Write(ticket, write)),
            Log::Memory => {
                let written = self.memory.write(write);
                self.go_on_written(ticket, written);
            }
        }
    }

    /// Hands a read of somebody's to the log that it is for.
    pub(super) fn read(&mut self, log: Log, by: PersonId, waiting: Waiting, read: Read) {
        let ticket = self.wait(waiting);
        match log {
            Log::Store => self.out.push(Effect::Read(ticket, Whose(by.0), read)),
            Log::Memory => {
                let out = self.memory.read(&read);
                self.go_on_read(ticket, out);
            }
        }
    }

    pub(super) fn go_on_written(&mut self, ticket: Ticket, written: Written) {
        match self.resolve(ticket) {
            Some(Waiting::Entry(asked)) => self.entry_written(asked, written),
            Some(Waiting::Create { asker, create, pair }) => {
                self.room_written(asker, create, pair, written);
            }
            Some(Waiting::Cursor { person, room, tell }) => {
                self.cursor_written(person, &room, tell, &written);
            }
            // When somebody was last seen is not worth a second try: the next time it is written anew.
            Some(Waiting::Seen) => {}
            // Not a ticket that was given for a write: the log's mistake, which nobody waits for.
            Some(
                Waiting::Direct { .. }
                | Waiting::Replay { .. }
                | Waiting::History { .. }
                | Waiting::Search { .. },
            )
            | None => {}
        }
    }

    pub(super) fn go_on_read(&mut self, ticket: Ticket, out: ReadOut) {
        match self.resolve(ticket) {
            Some(Waiting::Replay { session }) => self.replay_read(session, out),
            Some(Waiting::History { asker, by, room }) => {
                let answer = self.history_read(by, room, out);
                self.answer(asker, answer);
            }
            Some(Waiting::Search { asker, by, room }) => {
                let answer = self.search_done(by, room.as_ref(), out);
                self.answer(asker, answer);
            }
            // Not a ticket that was given for a read: as above.
            Some(
                Waiting::Entry(_)
                | Waiting::Create { .. }
                | Waiting::Direct { .. }
                | Waiting::Cursor { .. }
                | Waiting::Seen,
            )
            | None => {}
        }
    }

    pub(super) fn do_what_is_due(&mut self) {
        while let Some(timer) = self.timers.due(self.out.now.mono_ms) {
            match timer {
                Timer::Went(person) => self.went(person),
                Timer::Forget(guest) => self.forget(guest),
                Timer::Cursors(room) => self.flush_cursors(room),
                Timer::Count(room) => self.tell_count(room),
                Timer::End(room) => self.end_invite(room),
                Timer::Chores => self.do_chores(),
                Timer::Orphans => self.bequeath_orphans(),
            }
        }
    }

    pub(super) fn wait(&mut self, waiting: Waiting) -> Ticket {
        if let Some(session) = waiting.session() {
            self.sessions.wait(session, 1);
        }
        self.pending.insert(waiting)
    }

    pub(super) fn resolve(&mut self, ticket: Ticket) -> Option<Waiting> {
        let waiting = self.pending.take(ticket)?;
        if let Some(session) = waiting.session() {
            self.sessions.wait(session, -1);
        }
        Some(waiting)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable { after_ms } => Refusal::Unavailable { after_ms },
            Failure::TooCostly => Refusal::TooCostly,
            Failure::Corrupt => Refusal::Corrupt,
        }
    }
}
