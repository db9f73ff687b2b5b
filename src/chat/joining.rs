//! Joins: how a session comes to be sent what happens in a room, without a gap.
//!
//! A session that says what it has (`since`) is sent all that came after, and then what happens, as if it had never been
//! away. It is attached only when what it lacks is all here:
//!
//! ```text
//!  queue ─▶ come in ─┬─────────────────────────────────────────┐
//!    ▲      (a new   │ nothing asked for, or the tail has it   │
//!    │      member   │                                         ▼
//!    │      by an    └─ ask the log ─▶ the answer: replay ─▶ attach ─▶ next in the queue
//!    │      entry)         ▲          and the tail since        │
//!    │                     └── the tail lacks some of it        │
//!    └──────────────────────────────────────────────────────────┘
//!
//!  since                 through            seq: where the room is when the answer comes
//!    │  Replay reads this   │  the tail has this │  live from here
//!    ├──────────────────────┼────────────────────┼──────────▶
//! ```
//!
//! Answer, replay, attachment: one batch of effects, so nothing falls between, and nothing comes twice. A session that
//! joins a room again is detached while its replay is read, for what happens meanwhile is in the replay.
//!
//! The joins of one session are done one after the other, in the order asked; a detachment waits its turn among them. What
//! they are sent together is bounded, for it has to fit one outbox.

use std::collections::VecDeque;

use super::Chat;
use super::command::RequestId;
use super::deciding::Entrance;
use super::effect::RoomKey;
use super::event::{Answer, Event, Joined, Recovered};
use super::joins::{BatchKind, Join, Step};
use super::keys::{PersonKey, SessionKey};
use super::limits::{BUSY_AFTER_MS, RESUME_ROOMS_MAX};
use super::pending::{Asker, Wish};
use super::refusal::Refusal;
use super::replay::Replay;
use super::room_id::RoomId;
use super::seq::Since;

impl Chat {
    pub(super) fn ask_to_join(
        &mut self,
        session: SessionKey,
        request: RequestId,
        room: RoomId,
        since: Option<Since>,
    ) {
        self.ask_for_batch(session, request, BatchKind::One, [(room, since)].into());
    }

    pub(super) fn ask_to_resume(
        &mut self,
        session: SessionKey,
        request: RequestId,
        rooms: Vec<(RoomId, Option<Since>)>,
    ) {
        if rooms.len() > RESUME_ROOMS_MAX {
            return self.answer(Asker::Session(session, request), Err(Refusal::TooMany));
        }
        self.ask_for_batch(session, request, BatchKind::Many, rooms.into());
    }

    fn ask_for_batch(
        &mut self,
        session: SessionKey,
        request: RequestId,
        kind: BatchKind,
        rooms: VecDeque<(RoomId, Option<Since>)>,
    ) {
        let joins = self.sessions[session].joins.get_or_insert_default();
        if joins.take_on(request, kind, rooms) {
            self.joining.push_back(session);
        } else {
            let busy = Refusal::Busy { after_ms: BUSY_AFTER_MS };
            self.answer(Asker::Session(session, request), Err(busy));
        }
    }

    pub(super) fn ask_to_detach(&mut self, session: SessionKey, request: RequestId, room: RoomId) {
        let joins = self.sessions[session].joins.get_or_insert_default();
        joins.take_on_detachment(request, room);
        self.joining.push_back(session);
    }

    /// Takes one step of a session's joins, unless one waits for the log.
    pub(super) fn go_on_joining(&mut self, session: SessionKey) {
        let Some(open) = self.sessions.open_mut(session) else { return };
        let Some(joins) = open.joins.as_mut() else { return };
        if joins.current_mut().is_some() {
            return;
        }
        match joins.next_step() {
            None => open.joins = None,
            Some(Step::Join) => self.come_in_first(session),
            Some(Step::Detach(request, room)) => self.detach_in_turn(session, request, &room),
            Some(Step::End(request, kind)) => {
                if kind == BatchKind::Many {
                    self.answer(Asker::Session(session, request), Ok(Answer::Resumed));
                }
                self.joining.push_back(session);
            }
        }
    }

    fn detach_in_turn(&mut self, session: SessionKey, request: RequestId, room: &RoomId) {
        let result = self.readable(self.sessions[session].person, room);
        if let Ok((key, _)) = result {
            self.detach(session, key);
        }
        self.answer(Asker::Session(session, request), result.map(|_| Answer::Done));
        self.joining.push_back(session);
    }

    /// Sees to it that who joins is a member.
    fn come_in_first(&mut self, session: SessionKey) {
        let person = self.sessions[session].person;
        let Some(join) = self.join_of(session) else { return };
        if join.budget.is_spent() {
            return self.refuse_join(session, Refusal::Busy { after_ms: BUSY_AFTER_MS });
        }
        let room = join.room.clone();
        let Some(key) = self.rooms.find(&room) else {
            return self.refuse_join(session, Refusal::NoRoom);
        };
        match self.entrance(&self.rooms[key], person) {
            Ok(Entrance::Member) => self.bring_up_to_date(session),
            Ok(Entrance::Quietly) => self.come_in_quietly(session, key, person),
            Ok(Entrance::ByEntry) => {
                self.ask_for_entry(Asker::Join(session), person, room, Wish::Join);
            }
            Err(refusal) => self.refuse_join(session, refusal),
        }
    }

    /// No entry, but others are told of it like of one: it counts as one.
    fn come_in_quietly(&mut self, session: SessionKey, key: RoomKey, guest: PersonKey) {
        if let Err(refusal) = self.take_entry(guest) {
            return self.refuse_join(session, refusal);
        }
        let role = self.rooms[key].lapses.role_of(self.people[guest].author.id);
        self.take_into(key, guest, role, None);
        self.bring_up_to_date(session);
    }

    /// The entry that makes somebody a member is there, or refused. Another session's may have come first.
    pub(super) fn entered(&mut self, session: SessionKey, result: Result<(), Refusal>) {
        match result {
            Ok(()) | Err(Refusal::Already) => self.bring_up_to_date(session),
            Err(refusal) => self.refuse_join(session, refusal),
        }
    }

    pub(super) fn join_of(&mut self, session: SessionKey) -> Option<&mut Join> {
        self.sessions.open_mut(session)?.joins.as_mut()?.current_mut()
    }

    pub(super) fn refuse_join(&mut self, session: SessionKey, refusal: Refusal) {
        self.end_join(session, Err(refusal));
    }

    /// Answers a join, sends what it brings back, and attaches the session: all that it lacked is here now.
    pub(super) fn attach_with(
        &mut self,
        session: SessionKey,
        recovered: Recovered,
        replay: Replay,
    ) {
        let Some(id) = self.join_of(session).map(|join| join.room.clone()) else { return };
        let Some(key) = self.rooms.find(&id) else {
            return self.refuse_join(session, Refusal::NoRoom);
        };
        let presence = self.presence(key);
        if let Some(join) = self.join_of(session) {
            join.budget.spend(replay.len(), replay.bytes(), presence.bytes());
        }
        let room = &self.rooms[key];
        let (epoch, seq, first) = (room.epoch.clone(), room.seq, self.first_of(room));
        self.end_join(session, Ok(Joined { room: id.clone(), epoch, seq, first, recovered }));
        let Some(open) = self.sessions.open(session) else { return };
        let session_id = open.id;
        for event in replay.into_events(&id) {
            self.out.send(session_id, event);
        }
        self.attach(session, key);
        self.out.send(session_id, Event::Presence(id, presence));
    }

    /// Answers a join; the next can begin.
    fn end_join(&mut self, session: SessionKey, result: Result<Joined, Refusal>) {
        let open = self.sessions.open_mut(session);
        let Some((request, kind, room)) = open.and_then(|open| open.joins.as_mut()?.end_current())
        else {
            return;
        };
        let answer = match kind {
            BatchKind::One => result.map(Answer::Joined),
            BatchKind::Many => Ok(Answer::JoinedOne(room, result)),
        };
        self.answer(Asker::Session(session, request), answer);
        self.joining.push_back(session);
    }
}
