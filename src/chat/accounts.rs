//! Accounts and guests: how they come to be known, and how they go for good.
//!
//! Who has gone for good leaves groups and open rooms as everybody leaves, by an entry. Nobody waits for those entries: they
//! are *chores*, tried again until they are written. What is not written when the program ends is not missed, since a
//! deleted account's memberships are not restored; but for who comes after it as a room's owner, and that is seen to at the next
//! start.

use super::Chat;
use super::effect::{CloseReason, RoomKey};
use super::event::Event;
use super::keys::PersonKey;
use super::limits::{GUEST_GRACE_MS, GUESTS_FULL_AFTER_MS, IDLE_GUEST_GRACE_MS};
use super::now::UnixMs;
use super::pending::{Asked, Asker, Chore, Wish};
use super::people::Whereabouts;
use super::person::{Author, PersonId, Profile};
use super::refusal::Refusal;
use super::role::Role;
use super::room_id::{RoomId, RoomKind};
use super::timers::Timer;

impl Chat {
    pub(super) fn take_in(&mut self, author: Author) {
        if self.people.find(author.id).is_none() {
            let guest = self.people.reserved_for(&author.name);
            if let Some(guest) = guest {
                self.retire(guest);
            }
            let person = self.people.add(author);
            self.crown_if_first(person);
            if let Some(guest) = guest {
                self.succeed(guest, person);
            }
        }
    }

    /// A guest is no more, but for the rooms.
    fn retire(&mut self, guest: PersonKey) {
        for session in self.people[guest].sessions.clone().iter() {
            self.close(session, CloseReason::Registered);
        }
        if let Whereabouts::Away { forget_at_ms } = self.people[guest].whereabouts {
            self.timers.cancel(forget_at_ms, Timer::Forget(guest));
        }
        self.count_out(guest);
        self.people.delete(guest);
    }

    /// An account is in the rooms that the guest was in who it was, as what the guest was there, and the guest no longer.
    fn succeed(&mut self, guest: PersonKey, account: PersonKey) {
        for room in self.people[guest].rooms.clone().iter() {
            let (id, role) = (self.rooms[room].id.clone(), self.rooms[room].role_of(guest));
            self.do_chore(Chore::Join, account, id.clone());
            if let Some(role) = role.filter(|role| *role != Role::Member) {
                self.do_chore(Chore::Succeed(role), account, id);
            }
        }
        self.leave_all(guest);
        self.forget_if_retired(guest);
    }

    /// Forgets a guest who became an account, once nothing is left of their connections.
    pub(super) fn forget_if_retired(&mut self, person: PersonKey) {
        let known = &self.people[person];
        if known.is_guest() && known.is_deleted() && known.sessions.is_empty() {
            self.forget(person);
        }
    }

    /// Makes the first account of all the owner of a lobby that has none. Tried whenever that account comes, since the
    /// program may have ended between the registration and this.
    pub(super) fn crown_if_first(&mut self, person: PersonKey) {
        if self.people.is_first(self.people[person].author.id) {
            self.crown_where_nobody_is(self.rooms.lobby(), person);
        }
    }

    /// Makes who came first into a room that all had left its owner, or nobody would ever moderate it again.
    pub(super) fn crown_if_alone(&mut self, key: RoomKey, id: PersonId) {
        if let Some(person) = self.people.find_living(id)
            && self.rooms[key].kind != RoomKind::Lobby
        {
            self.crown_where_nobody_is(key, person);
        }
    }

    /// Unless somebody else has been waiting for it to be written.
    fn crown_where_nobody_is(&mut self, key: RoomKey, person: PersonKey) {
        let room = &self.rooms[key];
        let is_crown = |chore: &Asked| {
            chore.room == room.id && matches!(chore.wish, Wish::Chore(Chore::Crown))
        };
        if room.owners == 0 && !self.chores.iter().any(is_crown) {
            self.do_chore(Chore::Crown, person, room.id.clone());
        }
    }

    pub(super) fn let_in(&mut self, author: &Author) -> Result<(), Refusal> {
        if let Some(person) = self.people.find_living(author.id) {
            self.keep_for_longer(person);
            return Ok(());
        }
        if !self.limits.guests || !author.id.is_guest() {
            return Err(Refusal::GuestsNot);
        }
        if !self.people.is_free(&author.name) {
            return Err(Refusal::NameTaken);
        }
        if self.people.guests() >= self.limits.guests_max {
            // Who is here comes before who has gone.
            let gone = self.timers.next_to_forget();
            self.forget(gone.ok_or(Refusal::Full { after_ms: GUESTS_FULL_AFTER_MS })?);
        }
        let guest = self.people.add(author.clone());
        self.meet_again_in_lobby(guest);
        self.forget_later(guest, self.out.now.mono_ms);
        Ok(())
    }

    /// Everybody is in the lobby without coming in: a guest who was forgotten and is muted there still is so from the first.
    fn meet_again_in_lobby(&mut self, guest: PersonKey) {
        let id = self.people[guest].author.id;
        let lobby = self.rooms.lobby();
        let lobby = &mut self.rooms[lobby];
        if lobby.lapses.has(id) {
            lobby.admit(guest, id, Role::Member);
        }
    }

    /// Takes note that a person has done something here: a guest is remembered for it.
    pub(super) fn takes_part(&mut self, person: PersonKey) {
        let took_part = std::mem::replace(&mut self.people[person].took_part, true);
        if !took_part {
            self.keep_for_longer(person);
        }
    }

    /// Lets a guest's time begin anew. An account has all the time there is.
    fn keep_for_longer(&mut self, person: PersonKey) {
        let known = &self.people[person];
        if let Whereabouts::Away { forget_at_ms } = known.whereabouts
            && known.is_guest()
        {
            self.timers.cancel(forget_at_ms, Timer::Forget(person));
            self.forget_later(person, self.out.now.mono_ms);
        }
    }

    /// Lets a guest's time run, who is away since then.
    pub(super) fn forget_later(&mut self, guest: PersonKey, since_ms: u64) {
        let grace_ms = match self.is_memorable(guest) {
            true => GUEST_GRACE_MS,
            false => IDLE_GUEST_GRACE_MS,
        };
        let forget_at_ms = since_ms + grace_ms;
        self.people.set_whereabouts(guest, Whereabouts::Away { forget_at_ms });
        self.timers.set(forget_at_ms, Timer::Forget(guest));
    }

    /// Whether more would go with a guest than the name.
    fn is_memorable(&self, guest: PersonKey) -> bool {
        let known = &self.people[guest];
        let lobby = &self.rooms[self.rooms.lobby()];
        known.took_part || !known.rooms.is_empty() || lobby.members.find(guest).is_some()
    }

    /// Forgets a guest who has been away for long, or as long as nobody else while there is no place for another: the rooms,
    /// and the name.
    pub(super) fn forget(&mut self, guest: PersonKey) {
        self.leave_all(guest);
        self.people.forget(guest);
    }

    fn leave_all(&mut self, guest: PersonKey) {
        let at = self.out.now.unix;
        for room in self.people[guest].rooms.clone().iter() {
            match self.rooms[room].kind {
                RoomKind::Invite => self.leave_for_good(room, guest),
                _ => self.put_out(room, guest, at, None),
            }
        }
        self.expel(self.rooms.lobby(), guest, at);
    }

    pub(super) fn show_otherwise(&mut self, id: PersonId, profile: Profile) -> Result<(), Refusal> {
        let person = self.people.find_living(id).ok_or(Refusal::NoUser)?;
        if !self.people.set_profile(person, profile) {
            return Err(Refusal::NameTaken);
        }
        let shown = &self.people[person];
        let event = || Event::Profile(Box::new(shown.user()));
        for room in shown.rooms.iter().chain([self.rooms.lobby()]) {
            if self.rooms[room].attached > 0 {
                self.out.whisper(room, event(), None);
            }
        }
        // Its own sessions need not be attached to anything.
        for session in self.sessions.of(shown).filter(|session| session.attached.is_empty()) {
            self.out.send(session.id, event());
        }
        Ok(())
    }

    /// An account is deleted.
    pub(super) fn let_go(&mut self, id: PersonId) {
        let Some(person) = self.people.find_living(id) else { return };
        for session in self.people[person].sessions.clone().iter() {
            self.close(session, CloseReason::LoggedOut);
        }
        // When they were there before is nobody's business any more.
        self.people[person].seen(UnixMs(0));
        self.count_out(person);
        self.people.delete(person);
        let lobby = self.rooms.lobby();
        self.rooms[lobby].expel(person);
        self.do_chore(Chore::Bequeath, person, RoomId::lobby());
        for room in self.people[person].rooms.clone().iter() {
            // The other one keeps a direct room, and reads who was there.
            if self.rooms[room].kind != RoomKind::Direct {
                self.leave_for_good(room, person);
            }
        }
    }

    /// Gives the rooms an owner that had none when the program ended, as [`let_go`](Self::let_go) would have, or
    /// [`crown_if_alone`](Self::crown_if_alone).
    pub(super) fn bequeath_orphans(&mut self) {
        for (room, first) in std::mem::take(&mut self.orphans) {
            let chore = match self.people[first].is_deleted() {
                true => Chore::Bequeath,
                false => Chore::Crown,
            };
            self.do_chore(chore, first, room);
        }
    }

    pub(super) fn leave_for_good(&mut self, room: RoomKey, person: PersonKey) {
        let id = self.rooms[room].id.clone();
        self.do_chore(Chore::Leave, person, id);
    }

    pub(super) fn do_chore(&mut self, chore: Chore, person: PersonKey, room: RoomId) {
        let by = self.people[person].author.clone();
        let at = self.out.now.unix;
        self.decide_and_write(Asked {
            asker: Asker::Nobody,
            by,
            at,
            room,
            wish: Wish::Chore(chore),
            decisions: 0,
            refused: None,
        });
    }

    /// Keeps a chore that could not be written for later.
    pub(super) fn do_later(&mut self, mut asked: Asked, after_ms: u64) {
        asked.decisions = 0;
        if self.chores.is_empty() {
            self.timers.set(self.out.now.mono_ms + after_ms, Timer::Chores);
        }
        self.chores.push(asked);
    }

    pub(super) fn do_chores(&mut self) {
        for asked in std::mem::take(&mut self.chores) {
            self.decide_and_write(asked);
        }
    }
}
