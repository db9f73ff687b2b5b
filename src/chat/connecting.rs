//! Sessions come and go.

use super::Chat;
use super::effect::{CloseReason, Effect, SessionId};
use super::event::{Event, Welcome};
use super::keys::{PersonKey, SessionKey};
use super::limits::{PRESENCE_GRACE_MS, SESSIONS_PER_PERSON_MAX};
use super::people::Whereabouts;
use super::person::PersonId;
use super::refusal::Refusal;
use super::timers::Timer;

impl Chat {
    pub(super) fn come(&mut self, id: SessionId, person: PersonId) -> Result<(), Refusal> {
        // One number, one connection: whoever had it has gone.
        self.go(id);
        let person = self.people.find_living(person).ok_or(Refusal::NoUser)?;
        let known = &mut self.people[person];
        if known.sessions.len() >= SESSIONS_PER_PERSON_MAX {
            return Err(Refusal::TooMany);
        }
        let session = self.sessions.insert(id, person);
        known.sessions.insert(session);
        self.welcome(id, person);
        self.is_here(person);
        self.crown_if_first(person);
        Ok(())
    }

    fn welcome(&mut self, session: SessionId, person: PersonKey) {
        let user = self.people[person].user();
        let (limits, rooms) = (self.limits.clone(), self.summaries(person));
        self.out.send(session, Event::Welcome(Box::new(Welcome { user, limits, rooms })));
    }

    /// Takes note that a person has a session.
    fn is_here(&mut self, person: PersonKey) {
        let known = &self.people[person];
        match known.whereabouts {
            Whereabouts::Here | Whereabouts::Deleted => {}
            Whereabouts::Lingering { since_ms } => {
                self.timers.cancel(since_ms + PRESENCE_GRACE_MS, Timer::Went(person));
                self.people.set_whereabouts(person, Whereabouts::Here);
            }
            Whereabouts::Away { forget_at_ms } => {
                if known.is_guest() {
                    self.timers.cancel(forget_at_ms, Timer::Forget(person));
                }
                self.people.set_whereabouts(person, Whereabouts::Here);
                self.count_in(person);
            }
        }
    }

    pub(super) fn go(&mut self, id: SessionId) {
        let Some(key) = self.sessions.find(id) else { return };
        let Some(session) = self.sessions.remove(key) else { return };
        for room in session.attached.iter() {
            self.rooms[room].attached -= 1;
        }
        let person = &mut self.people[session.person];
        person.sessions.remove(key);
        if person.sessions.is_empty() && person.is_present() {
            self.linger(session.person);
        }
        self.forget_if_retired(session.person);
    }

    /// Takes note that a person's last session has ended; they count as present for a while.
    fn linger(&mut self, person: PersonKey) {
        let since_ms = self.out.now.mono_ms;
        self.people[person].seen(self.out.now.unix);
        self.people.set_whereabouts(person, Whereabouts::Lingering { since_ms });
        self.timers.set(since_ms + PRESENCE_GRACE_MS, Timer::Went(person));
    }

    pub(super) fn close_all(&mut self, sessions: &[SessionId]) {
        for id in sessions {
            if let Some(session) = self.sessions.find(*id) {
                self.close(session, CloseReason::LoggedOut);
            }
        }
    }

    /// Tells a session's connection to close; it goes when that has closed.
    pub(super) fn close(&mut self, session: SessionKey, reason: CloseReason) {
        if let Some(open) = self.sessions.open_mut(session) {
            open.is_closing = true;
            self.out.push(Effect::Close(open.id, reason));
        }
    }
}
