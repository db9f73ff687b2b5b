//! How far everybody has received and read.
//!
//! A cursor moves in memory at once, forward only and never beyond what there is. What has moved is told all together, a
//! while after the first of it: to the room by name if it is small enough, and to the store, which answers with what is
//! left to read; that is told to the reader's own sessions.
//!
//! A post says by itself that its author has read so far, so that is not announced; only stored.

use super::Chat;
use super::effect::RoomKey;
use super::entry::What;
use super::event::{Event, Unread};
use super::keys::PersonKey;
use super::limits::{CURSORS_EVERY_MS, CURSORS_PER_FLUSH_MAX};
use super::log::{Failure, Write, Written};
use super::members::{Member, Moved};
use super::pending::Waiting;
use super::person::PersonId;
use super::room::Room;
use super::room_id::RoomId;
use super::routing::Log;
use super::seq::Seq;
use super::timers::Timer;

impl Chat {
    /// Moves a member's cursor, as the member said.
    pub(super) fn move_cursor(&mut self, person: PersonKey, id: &RoomId, seq: Seq, is_read: bool) {
        let Some(key) = self.rooms.find(id) else { return };
        let room = &mut self.rooms[key];
        let seq = seq.min(room.seq);
        let (last, posts) = (room.seq, room.posts);
        let is_new = room.members.find(person).is_none();
        let Some(member) = room.member_mut(person) else { return };
        // Who had nothing of their own in the lobby stands at its end, and has said only now how far they have read.
        let received = is_new || seq > member.received;
        let read = is_read && (is_new || seq > member.read);
        member.received = member.received.max(seq);
        if read {
            member.read = member.read.max(seq);
            if seq == last {
                (member.posts_read, member.mentions) = (posts, 0);
            }
        }
        // Who had nothing of their own in the lobby has now, and the store is to know.
        if received || read || is_new {
            let moved = Moved { received: received && !is_read, read, left: read, queued: false };
            self.cursor_moved(key, person, moved);
        }
    }

    /// Takes note that an author has read up to a post of their own: the room's last.
    pub(super) fn has_read_own(&mut self, key: RoomKey, author: PersonKey, seq: Seq) {
        let room = &mut self.rooms[key];
        let posts = room.posts;
        let Some(member) = room.member_mut(author) else { return };
        (member.received, member.read) = (seq, seq);
        (member.posts_read, member.mentions) = (posts, 0);
        // A session that is attached sees the post; another may not.
        let left = self.people[author].sessions.len() > 1;
        self.cursor_moved(key, author, Moved { left, ..Moved::default() });
    }

    /// Takes note of what is to be told of a member's cursors.
    pub(super) fn cursor_moved(&mut self, key: RoomKey, person: PersonKey, moved: Moved) {
        let at_ms = self.out.now.mono_ms + CURSORS_EVERY_MS;
        let room = &mut self.rooms[key];
        let Some(member) = room.members.find_mut(person) else { return };
        let before = member.moved;
        member.moved = Moved {
            queued: true,
            received: before.received || moved.received,
            read: before.read || moved.read,
            left: before.left || moved.left,
        };
        if !before.queued {
            room.live_mut().moved.push_back(person);
            self.flush_cursors_at(key, at_ms);
        }
    }

    fn flush_cursors_at(&mut self, key: RoomKey, at_ms: u64) {
        let live = self.rooms[key].live_mut();
        if live.flush_at_ms.is_none() {
            live.flush_at_ms = Some(at_ms);
            self.timers.set(at_ms, Timer::Cursors(key));
        }
    }

    /// Tells of the cursors that have moved, those that wait longest first.
    pub(super) fn flush_cursors(&mut self, key: RoomKey) {
        self.rooms[key].live_mut().flush_at_ms = None;
        for _ in 0..CURSORS_PER_FLUSH_MAX {
            let Some(person) = self.rooms[key].live_mut().moved.pop_front() else { return };
            self.flush_cursor(key, person);
        }
        if !self.rooms[key].live_mut().moved.is_empty() {
            self.flush_cursors_at(key, self.out.now.mono_ms + CURSORS_EVERY_MS);
        }
    }

    /// Tells of all that have moved, in all rooms, however many.
    pub(super) fn flush_all_cursors(&mut self) {
        let has_moved = |room: &Room| room.live().is_some_and(|live| !live.moved.is_empty());
        let rooms = self.rooms.iter().filter(|(_, room)| has_moved(room));
        for key in rooms.map(|(key, _)| key).collect::<Vec<_>>() {
            while let Some(person) = self.rooms[key].live_mut().moved.pop_front() {
                self.flush_cursor(key, person);
            }
        }
    }

    fn flush_cursor(&mut self, key: RoomKey, person: PersonKey) {
        let room = &mut self.rooms[key];
        // Who has left since, or left and come again, has nothing queued.
        let Some(member) = room.members.find_mut(person).filter(|member| member.moved.queued)
        else {
            return;
        };
        let moved = std::mem::take(&mut member.moved);
        let (received, read) = (member.received, member.read);
        if room.is_named() && room.attached > 0 && room.present > 1 {
            self.announce_cursor(key, person, moved);
        }
        let room = &mut self.rooms[key];
        let author = &self.people[person].author;
        if author.id.is_guest() && !room.is_invite() {
            // The store knows no guests: what is left is counted as far as the tail reaches.
            let id = author.id;
            count_left(room, person, id);
            return self.tell_left(key, person, moved.left);
        }
        let waiting =
            Waiting::Cursor { person: author.id, room: room.id.clone(), tell: moved.left };
        let cursor = Write::Cursor { person: author.id, room: room.no, received, read };
        let log = Log::of(room.kind);
        self.write(log, waiting, cursor);
    }

    /// Tells a room what of a member's cursors has moved. Who has read has received.
    fn announce_cursor(&mut self, key: RoomKey, person: PersonKey, moved: Moved) {
        let room = &self.rooms[key];
        let Some(&Member { received, read, .. }) = room.members.find(person) else { return };
        let of = || (room.id.clone(), self.people[person].author.name.clone());
        if moved.received && received > read {
            let (room, from) = of();
            self.out.whisper(key, Event::Received { room, from, seq: received }, None);
        }
        if moved.read {
            let (room, from) = of();
            self.out.whisper(key, Event::Read { room, from, seq: read, left: None }, None);
        }
    }

    pub(super) fn cursor_written(
        &mut self,
        person: PersonId,
        id: &RoomId,
        tell: bool,
        written: &Written,
    ) {
        let Some((key, person)) = self.rooms.find(id).zip(self.people.find(person)) else { return };
        let Some(member) = self.rooms[key].members.find_mut(person) else { return };
        match *written {
            // What was read since is on its way; its answer is to come.
            Written::Cursor { read, .. } if read < member.read => {}
            Written::Cursor { received, read, posts_read, mentions } => {
                member.mentions = mentions;
                // The store may have had more of it: another record of the lobby, made by a mention.
                (member.read, member.posts_read) = (read, posts_read);
                member.received = member.received.max(received);
                self.tell_left(key, person, tell);
            }
            Written::Failed(Failure::Unavailable { after_ms }) => {
                member.moved.left |= tell;
                self.try_cursor_again(key, person, after_ms);
            }
            _ => {}
        }
    }

    fn try_cursor_again(&mut self, key: RoomKey, person: PersonKey, after_ms: u64) {
        let at_ms = self.out.now.mono_ms + after_ms.max(CURSORS_EVERY_MS);
        self.flush_cursors_at(key, at_ms);
        self.cursor_moved(key, person, Moved::default());
    }

    /// Tells a reader's sessions what is left.
    fn tell_left(&mut self, key: RoomKey, person: PersonKey, tell: bool) {
        let room = &self.rooms[key];
        let Some(member) = room.members.find(person).filter(|_| tell) else { return };
        let left = Some(left(room, member));
        let reader = &self.people[person];
        for session in self.sessions.of(reader) {
            let (room, from) = (room.id.clone(), reader.author.name.clone());
            let event = Event::Read { room, from, seq: member.read, left };
            self.out.send(session.id, event);
        }
    }
}

/// What a member has not read.
pub(super) fn left(room: &Room, member: &Member) -> Unread {
    Unread { posts: room.posts - member.posts_read, mentions: member.mentions }
}

/// Counts what a guest has not read, if the room's tail has all of it. Otherwise it stays what it was: more than it is.
fn count_left(room: &mut Room, guest: PersonKey, id: PersonId) {
    let Some(member) = room.members.find(guest) else { return };
    let Some(tail) = room.live().and_then(|live| live.tail.after(member.read, room.seq)) else {
        return;
    };
    let (mut unread, mut mentions) = (0, 0);
    for entry in tail {
        let What::Post(post) = &entry.what else { continue };
        unread += 1;
        let is_mentioned =
            entry.from.id != id && post.mentions.iter().any(|author| author.id == id);
        mentions += u64::from(is_mentioned);
    }
    let posts_read = room.posts - unread;
    if let Some(member) = room.members.find_mut(guest) {
        (member.posts_read, member.mentions) = (posts_read, mentions);
    }
}
