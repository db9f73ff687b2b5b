//! A log in memory: that of the invite rooms, and in tests a stand-in for the durable one.
//!
//! Keeps to the contract of `log.rs`, and answers at once. Of each room it keeps the last entries, as many and as much text
//! as it was told; those before are trimmed, and their posts' keys with them.

use std::cmp::Reverse;
use std::collections::HashMap;

use super::entry::What;
use super::event::Hit;
use super::log::{Create, Failure, Read, ReadOut, Write, Written};
use super::matching::Words;
use super::room_id::{RoomId, RoomNo};
use super::room_log::RoomLog;
use super::seq::Seq;

/// Rooms' logs in memory.
#[derive(Debug)]
pub struct MemoryLog {
    rooms: HashMap<RoomNo, RoomLog>,
    last_no: u64,
    entries_max: usize,
    bytes_max: usize,
}

impl MemoryLog {
    /// A log that keeps so many entries of each room, and so many bytes of their texts.
    pub fn bounded(entries_max: usize, bytes_max: usize) -> Self {
        Self { rooms: HashMap::new(), last_no: 0, entries_max, bytes_max }
    }

    /// Begins a room without an entry, as the lobby begins.
    pub fn begin(&mut self, id: RoomId) -> RoomNo {
        self.last_no += 1;
        let no = RoomNo(self.last_no);
        self.rooms.insert(no, RoomLog::new(id));
        no
    }

    /// Forgets a room.
    pub fn forget(&mut self, room: RoomNo) {
        self.rooms.remove(&room);
    }

    /// The first entry that a room still has, or the place of the first that it will have.
    pub fn first(&self, room: RoomNo) -> Seq {
        self.rooms.get(&room).map_or(Seq::START, RoomLog::first)
    }

    /// Writes, at once.
    pub fn write(&mut self, write: Write) -> Written {
        match write {
            Write::Append(append) => match self.rooms.get_mut(&append.room) {
                Some(room) => {
                    let written = room.append(append);
                    room.trim(self.entries_max, self.bytes_max);
                    written
                }
                None => Written::Failed(Failure::Corrupt),
            },
            Write::Create(create) => self.create(create),
            Write::Cursor { person, room, received, read } => match self.rooms.get(&room) {
                Some(room) => room.cursor(person, received, read),
                None => Written::Failed(Failure::Corrupt),
            },
            Write::Seen { .. } => Written::Done,
        }
    }

    /// Reads, at once.
    pub fn read(&self, read: &Read) -> ReadOut {
        let of = |no: &RoomNo| self.rooms.get(no);
        let page = match read {
            Read::Replay { room, after, through, bytes_max } => {
                of(room).map(|room| room.replay(*after, *through, *bytes_max))
            }
            Read::Before { room, before, limit } => {
                of(room).map(|room| room.before(*before, *limit))
            }
            Read::After { room, after, limit } => of(room).map(|room| room.after(*after, *limit)),
            Read::Pins { room, before, limit } => of(room).map(|room| room.pins(*before, *limit)),
            Read::Search { query, rooms, skip, limit } => {
                Some(search(rooms.iter().filter_map(of), query, *skip, *limit))
            }
        };
        page.unwrap_or(ReadOut::Failed(Failure::Corrupt))
    }

    fn create(&mut self, create: Create) -> Written {
        let no = self.begin(create.id);
        let (kind, title, members) = (create.kind, create.title, create.members);
        let what = What::Created { kind, title, members };
        let room = self.rooms.get_mut(&no).expect("begun above");
        let entry = room.commit(create.at, create.from, what);
        Written::Created { room: no, entry }
    }
}

fn search<'a>(
    rooms: impl Iterator<Item = &'a RoomLog>,
    query: &str,
    skip: u32,
    limit: u16,
) -> ReadOut {
    let words = Words::of(query);
    let posts = rooms.flat_map(|room| room.records().map(move |record| (room, record)));
    let found = posts.filter_map(|(room, record)| match &record.entry.what {
        What::Post(post) => Some((room, record, post.body.as_str())),
        _ => None,
    });
    let mut found: Vec<_> = found.filter(|(_, _, text)| words.are_in(text)).collect();
    found.sort_by_key(|(_, record, _)| Reverse((record.entry.at, record.entry.seq)));
    let (skip, limit) = (skip as usize, usize::from(limit));
    let more = found.len() > skip.saturating_add(limit);
    let hits = found.into_iter().skip(skip).take(limit).map(|(room, record, text)| Hit {
        room: room.id.clone(),
        record: record.clone(),
        snippet: words.snippet(text),
    });
    ReadOut::Found { hits: hits.collect(), more }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::log::{Append, Guard};
    use crate::chat::{Author, Body, Emoji, Epoch, Name, PersonId, Post, RoomKind, UnixMs};

    fn author(id: u64) -> Author {
        Author { id: PersonId(id), name: Name::stored(if id == 1 { "ana" } else { "bo" }) }
    }

    fn post(text: &str, mentions: &[u64]) -> What {
        let mentions = mentions.iter().map(|id| author(*id)).collect();
        What::Post(Post { key: None, body: Body::stored(text), reply_to: None, mentions })
    }

    fn append(log: &mut MemoryLog, by: u64, guard: Guard, what: What) -> Written {
        let (room, basis, at) = (RoomNo(1), log.rooms[&RoomNo(1)].rules, UnixMs(by));
        log.write(Write::Append(Append { room, basis, guard, at, from: author(by), what }))
    }

    fn log() -> MemoryLog {
        let mut log = MemoryLog::bounded(5, 100);
        assert_eq!(log.begin(RoomId::lobby()), RoomNo(1));
        log
    }

    #[test]
    fn a_write_that_was_decided_upon_other_rules_is_turned_back() {
        let mut log = log();
        let room = RoomNo(1);
        let append = |basis| {
            let (guard, at, from, what) = (Guard::None, UnixMs(0), author(1), What::Join);
            Write::Append(Append { room, basis, guard, at, from, what })
        };
        assert!(matches!(log.write(append(Seq(0))), Written::Entry(_)));
        assert_eq!(log.write(append(Seq(0))), Written::Stale);
        assert!(matches!(log.write(append(Seq(1))), Written::Entry(_)));
    }

    #[test]
    fn a_guard_is_held_against_the_post_as_it_is_now() {
        let mut log = log();
        append(&mut log, 1, Guard::None, post("x", &[]));
        let mut react = |guard, by| {
            let (post, emoji) = (Seq(1), Emoji::stored("👍"));
            append(&mut log, by, guard, What::React { post, emoji, on: true })
        };
        assert_eq!(react(Guard::Post(Seq(2)), 2), Written::NoPost);
        assert_eq!(react(Guard::PostBy(Seq(1), PersonId(2)), 2), Written::NotAuthor);
        assert!(matches!(react(Guard::PostBy(Seq(1), PersonId(1)), 1), Written::Entry(_)));
        append(&mut log, 1, Guard::Post(Seq(1)), What::Delete { post: Seq(1) });
        let again = append(&mut log, 1, Guard::Post(Seq(1)), What::Delete { post: Seq(1) });
        assert_eq!(again, Written::NoPost);
    }

    #[test]
    fn a_deleted_post_leaves_no_text_behind() {
        let mut log = log();
        append(&mut log, 1, Guard::None, post("secret", &[]));
        let edit = What::Edit { post: Seq(1), body: Some(Body::stored("still secret")) };
        append(&mut log, 1, Guard::Post(Seq(1)), edit);
        append(&mut log, 1, Guard::Post(Seq(1)), What::Delete { post: Seq(1) });
        let room = RoomNo(1);
        let (after, through) = (Seq(0), Seq(3));
        let out = log.read(&Read::Replay { room, after, through, bytes_max: 0 });
        let ReadOut::Page { records, more: false, as_of: Seq(3) } = out else { panic!("{out:?}") };
        assert_eq!(records[0].entry.what, What::Tombstone);
        assert_eq!(records[1].entry.what, What::Edit { post: Seq(1), body: None });
        assert_eq!(log.rooms[&room].bytes, 0);
    }

    #[test]
    fn it_keeps_the_last_entries_and_as_much_text_as_it_may() {
        let mut log = log();
        (0..9).for_each(|_| _ = append(&mut log, 1, Guard::None, post("x", &[])));
        assert_eq!(log.first(RoomNo(1)), Seq(5));
        append(&mut log, 1, Guard::None, post(&"x".repeat(98), &[]));
        assert_eq!(log.first(RoomNo(1)), Seq(8), "100 bytes are two and one of 98");
        append(&mut log, 1, Guard::None, post(&"x".repeat(500), &[]));
        assert_eq!((log.first(RoomNo(1)), log.rooms[&RoomNo(1)].bytes), (Seq(11), 500));
    }

    #[test]
    fn a_cursor_is_answered_with_what_is_left() {
        let mut log = log();
        append(&mut log, 1, Guard::None, post("@bo", &[2]));
        append(&mut log, 1, Guard::None, What::Leave);
        append(&mut log, 1, Guard::None, post("@bo @ana", &[1, 2]));
        let mut left = |person, read| {
            let (person, read) = (PersonId(person), Seq(read));
            let cursor = Write::Cursor { person, room: RoomNo(1), received: read, read };
            match log.write(cursor) {
                Written::Cursor { posts_read, mentions, .. } => (posts_read, mentions),
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(
            [left(2, 0), left(2, 1), left(2, 2), left(2, 3)],
            [(0, 2), (1, 1), (1, 1), (2, 0)]
        );
        assert_eq!(left(1, 0), (0, 0), "nobody mentions themselves");
    }

    #[test]
    fn a_room_that_is_not_there_is_the_callers_mistake() {
        let mut log = MemoryLog::bounded(5, 100);
        let room = RoomNo(7);
        let page = log.read(&Read::Before { room, before: Seq(9), limit: 1 });
        assert_eq!(page, ReadOut::Failed(Failure::Corrupt));
        let create = Create {
            id: RoomId::secret(1),
            kind: RoomKind::Invite,
            title: None,
            epoch: Epoch::new(1),
            at: UnixMs(0),
            from: author(1),
            members: [].into(),
        };
        let Written::Created { room, .. } = log.write(Write::Create(create)) else { panic!() };
        log.forget(room);
        assert_eq!(log.first(room), Seq::START);
    }
}
