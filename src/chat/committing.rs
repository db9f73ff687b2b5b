//! What a committed entry changes, and who is told.
//!
//! Nothing durable changes in memory but here. All who are attached are sent the entry; whoever's own rooms or role it
//! changes is told on every session, attached or not.
//!
//! An entry may come from or be about somebody who was deleted or forgotten while it was on its way: it is in the log, and
//! of them nothing is kept here.

use std::rc::Rc;

use super::Chat;
use super::effect::{RoomKey, SessionId};
use super::entry::{Entry, Post, What};
use super::event::{Event, OutReason};
use super::keys::PersonKey;
use super::lapse::Lapse;
use super::limits::PRESENCE_NAMES_MAX;
use super::now::UnixMs;
use super::pending::Chore;
use super::person::{Author, PersonId};
use super::role::Role;
use super::room_id::RoomKind;

impl Chat {
    /// Lets the state follow an entry, and tells those whom it concerns.
    pub(super) fn settle(&mut self, key: RoomKey, entry: Entry) {
        let entry = Rc::new(entry);
        let room = &mut self.rooms[key];
        room.advance(&entry);
        // One that is in memory only is no write that anybody could count.
        if room.attached > 0 || room.is_invite() {
            self.out.publish(key, Event::Entry(room.id.clone(), entry.clone()));
        }
        if !room.is_invite() {
            self.keep_ready(key, entry.clone());
        }
        match &entry.what {
            What::Post(post) => self.posted(key, &entry, post),
            What::Join => {
                let role = self.rooms[key].lapses.role_of(entry.from.id);
                self.come_in(key, &entry.from, role);
                self.crown_if_alone(key, entry.from.id);
            }
            What::Add { user, role } => self.come_in(key, user, *role),
            What::Leave => self.gone(key, entry.from.id, entry.at, OutReason::Left),
            What::Remove { user } => self.gone(key, user.id, entry.at, OutReason::Removed),
            What::Ban { user, on } => {
                let banned = &mut self.rooms[key].banned;
                match on {
                    true => banned.insert(user.id),
                    false => banned.remove(&user.id),
                };
                if *on {
                    self.gone(key, user.id, entry.at, OutReason::Banned);
                }
            }
            What::Role { user, role } => self.ranked(key, user.id, *role),
            What::Mute { user, until } => self.muted(key, user.id, *until, entry.at),
            What::Rename { title } => {
                self.rooms[key].title = Some(title.clone());
                self.tell_unattached(key);
            }
            What::Mode(mode) => {
                self.rooms[key].set_mode(*mode);
                self.tell_unattached(key);
            }
            What::Created { .. }
            | What::Tombstone
            | What::Edit { .. }
            | What::Delete { .. }
            | What::React { .. }
            | What::Pin { .. } => {}
        }
    }

    /// Adds an entry to the tail of its room, and lets go another tail if all together are too much.
    fn keep_ready(&mut self, key: RoomKey, entry: Rc<Entry>) {
        let tail = &mut self.rooms[key].live_mut().tail;
        let before = tail.bytes();
        tail.push(entry);
        let after = tail.bytes();
        self.tails.changed(key, before, after);
        while let Some(oldest) = self.tails.to_let_go() {
            self.let_go_tail(oldest);
        }
    }

    pub(super) fn let_go_tail(&mut self, key: RoomKey) {
        let tail = std::mem::take(&mut self.rooms[key].live_mut().tail);
        self.tails.changed(key, tail.bytes(), 0);
    }

    fn posted(&mut self, key: RoomKey, entry: &Entry, post: &Post) {
        for mentioned in post.mentions.iter().filter(|author| author.id != entry.from.id) {
            self.mentioned(key, mentioned);
        }
        let Some(author) = self.people.find_living(entry.from.id) else { return };
        self.has_read_own(key, author, entry.seq);
        self.has_typed(key, author);
    }

    /// Counts a mention of a member. Who had nothing of their own in the lobby has now: this post is unread.
    fn mentioned(&mut self, key: RoomKey, author: &Author) {
        let Some(person) = self.people.find_living(author.id) else { return };
        let room = &mut self.rooms[key];
        let is_new = room.kind == RoomKind::Lobby && room.members.find(person).is_none();
        let Some(member) = room.member_mut(person) else { return };
        member.mentions += 1;
        // As the store does: all before this post is old.
        if is_new {
            member.posts_read -= 1;
            member.read = super::seq::Seq(member.read.0 - 1);
        }
    }

    fn come_in(&mut self, key: RoomKey, author: &Author, role: Role) {
        let Some(person) = self.people.find(author.id) else { return };
        if !self.rooms[key].is_member(person) {
            self.take_into(key, person, role, None);
        }
        if self.people[person].is_deleted() {
            // Since the entry was asked for. The log has them in, and has to have them out.
            self.leave_for_good(key, person);
        }
    }

    fn gone(&mut self, key: RoomKey, id: PersonId, at: UnixMs, reason: OutReason) {
        if let Some(person) = self.people.find(id) {
            self.put_out(key, person, at, Some(reason));
        }
    }

    /// A guest may have gone meanwhile, without an entry; it waits for them.
    fn muted(&mut self, key: RoomKey, id: PersonId, until: UnixMs, at: UnixMs) {
        let person = self.people.find_living(id);
        let room = &mut self.rooms[key];
        match person.and_then(|person| room.member_mut(person)) {
            Some(member) => member.muted_until = until,
            None if id.is_guest() => room.lapses.keep(id, Lapse::of(Role::Member, until, at), at),
            None => {}
        }
    }

    fn ranked(&mut self, key: RoomKey, id: PersonId, role: Role) {
        let Some(person) = self.people.find_living(id) else { return };
        self.rooms[key].set_role(person, role);
        self.tell_room(key, person, None);
        if self.rooms[key].owners == 0 {
            // Another owner was deleted while this one stepped down, and that is no entry that would have made this one's stale.
            let id = self.rooms[key].id.clone();
            self.do_chore(Chore::Bequeath, person, id);
        }
    }

    /// Tells the sessions of present members that are not attached, and so do not see the entry, how the room is now. In a
    /// large room nobody is: they see it when they next ask for their rooms.
    fn tell_unattached(&mut self, key: RoomKey) {
        let room = &self.rooms[key];
        if room.kind == RoomKind::Lobby || room.members.len() > PRESENCE_NAMES_MAX {
            return;
        }
        let sessions = room.members.iter().flat_map(|(member, _)| {
            self.sessions.of(&self.people[member]).map(move |session| (member, session))
        });
        let unattached = sessions.filter(|(_, session)| !session.attached.contains(key));
        let told: Vec<(SessionId, PersonKey)> =
            unattached.map(|(member, session)| (session.id, member)).collect();
        for (session, member) in told {
            let summary = Box::new(self.summary(key, member));
            self.out.send(session, Event::Room(summary));
        }
    }
}
