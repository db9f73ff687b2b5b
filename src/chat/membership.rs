//! People come into rooms and go out of them.
//!
//! Invariant: a room is in a person's list exactly while the person is in its members, the lobby apart, in whose members
//! only those are listed who have something of their own there.

use super::Chat;
use super::effect::{Effect, RoomKey};
use super::event::{Event, OutReason};
use super::keys::{PersonKey, SessionKey};
use super::lapse::Lapse;
use super::now::UnixMs;
use super::role::Role;
use super::room::Crowd;
use super::room_id::RoomKind;
use super::timers::Timer;

impl Chat {
    /// Makes a person a member, and tells them on every session but one that learns of it otherwise.
    pub(super) fn take_into(
        &mut self,
        key: RoomKey,
        person: PersonKey,
        role: Role,
        except: Option<SessionKey>,
    ) {
        let id = self.people[person].author.id;
        self.rooms[key].admit(person, id, role);
        self.people[person].rooms.insert(key);
        if self.people[person].is_present() {
            self.one_more(key, person);
        }
        self.tell_room(key, person, except);
    }

    /// Ends a membership at once: no session of theirs is sent anything more of the room. Without a reason nobody is told.
    pub(super) fn put_out(
        &mut self,
        key: RoomKey,
        person: PersonKey,
        at: UnixMs,
        reason: Option<OutReason>,
    ) {
        if self.rooms[key].kind == RoomKind::Lobby || !self.expel(key, person, at) {
            return;
        }
        let gone = &mut self.people[person];
        gone.rooms.remove(key);
        for session in gone.sessions.clone().iter() {
            if let (Some(reason), Some(open)) = (reason, self.sessions.open(session)) {
                self.out.send(open.id, Event::Out(self.rooms[key].id.clone(), reason));
            }
            self.detach(session, key);
        }
        if self.people[person].is_present() {
            self.one_less(key, person);
        }
        if self.rooms[key].kind == RoomKind::Group && self.rooms[key].members.is_empty() {
            self.end_room(key);
        }
    }

    /// Takes a person out of a room's members, unless they are none. What stands against them stays behind, but nothing of
    /// those who have gone for good.
    pub(super) fn expel(&mut self, key: RoomKey, person: PersonKey, at: UnixMs) -> bool {
        let room = &mut self.rooms[key];
        let Some(member) = room.expel(person) else { return false };
        let gone = &self.people[person];
        if !gone.is_deleted() {
            room.lapses.keep(gone.author.id, Lapse::of(member.role, member.muted_until, at), at);
        }
        true
    }

    /// Tells a person of a room as it is for them now.
    pub(super) fn tell_room(
        &mut self,
        key: RoomKey,
        person: PersonKey,
        except: Option<SessionKey>,
    ) {
        for session in self.people[person].sessions.iter().filter(|key| Some(*key) != except) {
            if let Some(open) = self.sessions.open(session) {
                let summary = Box::new(self.summary(key, person));
                self.out.send(open.id, Event::Room(summary));
            }
        }
    }

    pub(super) fn attach(&mut self, session: SessionKey, key: RoomKey) {
        let open = &mut self.sessions[session];
        if open.attached.insert(key) {
            self.rooms[key].attached += 1;
            self.out.push(Effect::Attach(open.id, key));
            let person = open.person;
            self.takes_part(person);
        }
    }

    pub(super) fn detach(&mut self, session: SessionKey, key: RoomKey) {
        let open = &mut self.sessions[session];
        if open.attached.remove(key) {
            self.rooms[key].attached -= 1;
            self.out.push(Effect::Detach(open.id, key));
        }
    }

    /// Forgets a room that nobody can come into any more.
    pub(super) fn end_room(&mut self, key: RoomKey) {
        self.let_go_tail(key);
        self.cancel_timers_of(key);
        self.rooms.remove(key);
        self.out.push(Effect::EndRoom(key));
    }

    /// Takes back what is due for a room that ends.
    fn cancel_timers_of(&mut self, key: RoomKey) {
        let room = &self.rooms[key];
        if let Crowd::Counted { tell_at_ms: Some(at_ms) } = room.crowd {
            self.timers.cancel(at_ms, Timer::Count(key));
        }
        let Some(live) = room.live() else { return };
        if let Some(at_ms) = live.flush_at_ms {
            self.timers.cancel(at_ms, Timer::Cursors(key));
        }
        if let Some(at_ms) = live.end_at_ms {
            self.timers.cancel(at_ms, Timer::End(key));
        }
    }
}
