//! Who is present.
//!
//! A person is present in a room who is its member and has a session, or had one a moment ago: not a tab, and whether
//! attached or not. Small rooms are told who comes and goes; a large one is told how many there are, now and then, for
//! there each person's coming would cost more than what is said.
//!
//! ```text
//!             more than 200 present: the count is told
//!      Named ──────────────────────────────────────────▶ Counted
//!        ▲                                                  │ changes are told together, every 2 s
//!        └──────────────────────────────────────────────────┘
//!             200 or less when a count is due: the names are told
//! ```

use super::Chat;
use super::effect::RoomKey;
use super::event::{Event, Presence};
use super::keys::PersonKey;
use super::limits::{PRESENCE_COUNT_EVERY_MS, PRESENCE_GRACE_MS, PRESENCE_NAMES_MAX};
use super::log::Write;
use super::name::{Name, fold};
use super::pending::Waiting;
use super::people::Whereabouts;
use super::room::{Crowd, Room};
use super::room_id::RoomKind;
use super::routing::Log;
use super::timers::Timer;

impl Chat {
    /// Counts a person who has come, in all their rooms.
    pub(super) fn count_in(&mut self, person: PersonKey) {
        self.one_more(self.rooms.lobby(), person);
        for at in 0..self.people[person].rooms.len() {
            let room = self.people[person].rooms.as_slice()[at];
            self.one_more(room, person);
        }
    }

    /// Counts a person out of all their rooms at once.
    pub(super) fn count_out(&mut self, person: PersonKey) {
        match self.people[person].whereabouts {
            Whereabouts::Away { .. } | Whereabouts::Deleted => return,
            Whereabouts::Here => {}
            Whereabouts::Lingering { since_ms } => {
                self.timers.cancel(since_ms + PRESENCE_GRACE_MS, Timer::Went(person));
            }
        }
        self.people.set_whereabouts(person, Whereabouts::Away { forget_at_ms: 0 });
        self.one_less(self.rooms.lobby(), person);
        for at in 0..self.people[person].rooms.len() {
            let room = self.people[person].rooms.as_slice()[at];
            self.one_less(room, person);
        }
    }

    /// The last session ended a while ago.
    pub(super) fn went(&mut self, person: PersonKey) {
        let Whereabouts::Lingering { since_ms } = self.people[person].whereabouts else { return };
        self.count_out(person);
        let gone = &self.people[person];
        if gone.is_guest() {
            return self.forget_later(person, since_ms);
        }
        if let Some(at) = gone.last_seen() {
            let seen = Write::Seen { person: gone.author.id, at };
            self.write(Log::Store, Waiting::Seen, seen);
        }
    }

    /// Writes down of all accounts that are present that they were so until now, or until their last session ended.
    pub(super) fn note_who_was_present(&mut self) {
        let now = self.out.now.unix;
        let present = self.people.present().map(|person| &self.people[person]);
        let accounts = present.filter(|person| !person.is_guest());
        let seen = accounts
            .map(|person| Write::Seen { person: person.author.id, at: person.seen_until(now) });
        for seen in seen.collect::<Vec<_>>() {
            self.write(Log::Store, Waiting::Seen, seen);
        }
    }

    /// Counts one more who is present in a room, and tells the others.
    pub(super) fn one_more(&mut self, key: RoomKey, person: PersonKey) {
        let room = &mut self.rooms[key];
        room.present += 1;
        match room.crowd {
            Crowd::Named if room.present as usize > PRESENCE_NAMES_MAX => self.tell_count(key),
            Crowd::Named => {
                let came = Presence::Came(self.people[person].author.name.clone());
                self.tell_one(key, came);
            }
            Crowd::Counted { .. } => self.tell_count_later(key),
        }
        self.keep_invite(key);
    }

    /// Counts one less who is present in a room, and tells the others.
    pub(super) fn one_less(&mut self, key: RoomKey, person: PersonKey) {
        let room = &mut self.rooms[key];
        room.present -= 1;
        match room.crowd {
            Crowd::Named => {
                let gone = &self.people[person];
                let went = Presence::Went(gone.author.name.clone(), gone.last_seen());
                self.tell_one(key, went);
            }
            Crowd::Counted { .. } => self.tell_count_later(key),
        }
        self.end_invite_later(key);
    }

    fn tell_one(&mut self, key: RoomKey, presence: Presence) {
        let room = &self.rooms[key];
        if room.attached > 0 {
            self.out.publish(key, Event::Presence(room.id.clone(), presence));
        }
    }

    fn tell_count_later(&mut self, key: RoomKey) {
        let at_ms = self.out.now.mono_ms + PRESENCE_COUNT_EVERY_MS;
        if let Crowd::Counted { tell_at_ms: tell_at_ms @ None } = &mut self.rooms[key].crowd {
            *tell_at_ms = Some(at_ms);
            self.timers.set(at_ms, Timer::Count(key));
        }
    }

    /// Tells a large room how many are present, or who, if it is large no more.
    pub(super) fn tell_count(&mut self, key: RoomKey) {
        let room = &mut self.rooms[key];
        room.crowd = match room.present as usize > PRESENCE_NAMES_MAX {
            true => Crowd::Counted { tell_at_ms: None },
            false => Crowd::Named,
        };
        if self.rooms[key].attached > 0 {
            self.tell_one(key, self.presence(key));
        }
    }

    /// Who is present in a room: all of them, or how many.
    pub(super) fn presence(&self, key: RoomKey) -> Presence {
        let room = &self.rooms[key];
        match room.crowd {
            Crowd::Named => Presence::Names(self.names_in(room)),
            Crowd::Counted { .. } => Presence::Count(room.present.into()),
        }
    }

    /// Those present in a room, by name. From whichever is shorter: the room's members, or all who are present anywhere.
    fn names_in(&self, room: &Room) -> Vec<Name> {
        let name = |person: PersonKey| self.people[person].author.name.clone();
        let all_present = self.people.present();
        let mut names: Vec<Name> = match room.kind {
            RoomKind::Lobby => all_present.map(name).collect(),
            _ if room.members.len() > self.people.present_count() => {
                all_present.filter(|person| room.is_member(*person)).map(name).collect()
            }
            _ => {
                let members = room.members.iter().map(|(person, _)| person);
                members.filter(|person| self.people[*person].is_present()).map(name).collect()
            }
        };
        names.sort_by_cached_key(|name| fold(name.as_str()));
        names
    }
}
