//! A log in memory: that of the invite rooms, and in tests a stand-in for the durable one.
//!
//! Keeps to the contract of `log.rs`, and answers at once. Of each room it keeps the last entries, as many and as much text
//! as it was told; those before are trimmed, and their posts' keys with them. If all rooms together take more memory than
//! they may, the largest of them forgets its first entry, and so on: a room that is no larger than an equal share loses
//! nothing to others.
//!
//! Invariants: `together` is what the rooms weigh; each that can forget something is in `by_weight` once, by its weight now.
//! The last entry of a room is kept in any case.

mod matching;
mod room_log;

use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};

use self::matching::Words;
use self::room_log::RoomLog;
use super::entry::What;
use super::event::Hit;
use super::few::give_back;
use super::log::{Create, Failure, Read, ReadOut, Write, Written};
use super::room_id::{RoomId, RoomNo};
use super::seq::Seq;

/// Rooms' logs in memory.
#[derive(Debug)]
pub struct MemoryLog {
    rooms: HashMap<RoomNo, RoomLog>,
    last_no: u64,
    entries_max: usize,
    bytes_max: usize,
    /// What all rooms together may take of memory.
    together_max: usize,
    together: usize,
    by_weight: BTreeSet<(usize, RoomNo)>,
}

impl MemoryLog {
    /// A log that keeps so many entries of each room, so many bytes of their texts, and of all rooms together what so many
    /// bytes of memory hold.
    pub fn bounded(entries_max: usize, bytes_max: usize, together_max: usize) -> Self {
        let (rooms, by_weight) = (HashMap::new(), BTreeSet::new());
        Self { rooms, last_no: 0, entries_max, bytes_max, together_max, together: 0, by_weight }
    }

    /// Begins a room without an entry, as the lobby begins.
    pub fn begin(&mut self, id: RoomId) -> RoomNo {
        self.last_no += 1;
        let no = RoomNo(self.last_no);
        let room = RoomLog::new(id);
        self.together += room.weight();
        self.rooms.insert(no, room);
        no
    }

    /// Forgets a room.
    pub fn forget(&mut self, no: RoomNo) {
        let Some(room) = self.rooms.remove(&no) else { return };
        self.by_weight.remove(&(room.weight(), no));
        self.together -= room.weight();
        give_back(&mut self.rooms);
    }

    /// The first entry that a room still has, or the place of the first that it will have.
    pub fn first(&self, room: RoomNo) -> Seq {
        self.rooms.get(&room).map_or(Seq::START, RoomLog::first)
    }

    /// Writes, at once.
    pub fn write(&mut self, write: Write) -> Written {
        match write {
            Write::Append(append) => {
                let (no, entries_max, bytes_max) = (append.room, self.entries_max, self.bytes_max);
                let written = self.change(no, |room| {
                    let written = room.append(append);
                    room.trim(entries_max, bytes_max);
                    written
                });
                self.forget_what_is_too_much();
                written.unwrap_or(Written::Failed(Failure::Corrupt))
            }
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
        let entry = self.change(no, |room| room.commit(create.at, create.from, what));
        self.forget_what_is_too_much();
        Written::Created { room: no, entry: entry.expect("begun above") }
    }

    /// Changes a room, and keeps account of its weight.
    fn change<R>(&mut self, no: RoomNo, change: impl FnOnce(&mut RoomLog) -> R) -> Option<R> {
        let room = self.rooms.get_mut(&no)?;
        let before = room.weight();
        let result = change(room);
        let after = room.weight();
        self.together = self.together - before + after;
        self.by_weight.remove(&(before, no));
        if room.can_forget() {
            self.by_weight.insert((after, no));
        }
        Some(result)
    }

    fn forget_what_is_too_much(&mut self) {
        while self.together > self.together_max
            && let Some((_, largest)) = self.by_weight.last().copied()
        {
            self.change(largest, RoomLog::forget_first);
        }
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
        let mut log = MemoryLog::bounded(5, 100, usize::MAX);
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

    /// A log of so many rooms, and what `say` says in each.
    fn rooms(together_max: usize, count: u64, say: impl Fn(u64) -> Vec<What>) -> MemoryLog {
        let mut log = MemoryLog::bounded(1_000, 1 << 18, together_max);
        for no in 1..=count {
            let room = log.begin(RoomId::secret(no.into()));
            say(no).into_iter().for_each(|what| say_in(&mut log, room, what));
        }
        log
    }

    fn say_in(log: &mut MemoryLog, room: RoomNo, what: What) {
        let (basis, guard, at, from) = (log.rooms[&room].rules, Guard::None, UnixMs(0), author(1));
        let append = Append { room, basis, guard, at, from, what };
        assert!(matches!(log.write(Write::Append(append)), Written::Entry(_)));
    }

    fn kept(log: &MemoryLog, no: u64) -> usize {
        log.rooms.get(&RoomNo(no)).map_or(0, |room| room.records().count())
    }

    /// Everything that is counted as it goes along, counted anew.
    fn check_counts(log: &MemoryLog) {
        assert_eq!(log.together, log.rooms.values().map(RoomLog::weight).sum::<usize>());
        let can_forget = log.rooms.iter().filter(|(_, room)| room.can_forget());
        let by_weight: BTreeSet<_> = can_forget.map(|(no, room)| (room.weight(), *no)).collect();
        assert_eq!(log.by_weight, by_weight);
    }

    #[test]
    fn all_rooms_together_take_no_more_than_they_may() {
        let post_of_a_kilobyte = || post(&"x".repeat(1_000), &[]);
        let log = rooms(1 << 20, 100, |_| (0..200).map(|_| post_of_a_kilobyte()).collect());
        check_counts(&log);
        assert!(log.together <= 1 << 20, "{}", log.together);
        assert!(
            log.together > (1 << 20) - 2_000,
            "{}: no more is forgotten than must",
            log.together
        );
        let least = (1..=100).map(|no| kept(&log, no)).min().unwrap();
        let most = (1..=100).map(|no| kept(&log, no)).max().unwrap();
        assert!(least > 0 && most <= least + 1, "{least} to {most}: each has an equal share");
    }

    #[test]
    fn the_largest_rooms_forget_first_and_a_small_one_nothing() {
        let say = |no| (0..if no == 7 { 10 } else { 400 }).map(|_| post("hi", &[])).collect();
        let mut log = rooms(1 << 20, 20, say);
        check_counts(&log);
        assert_eq!((kept(&log, 7), log.first(RoomNo(7))), (10, Seq(1)));
        assert!((1..=20).all(|no| no == 7 || kept(&log, no) < 400));
        // One that is very large pays for itself.
        let before = kept(&log, 8);
        (0..300).for_each(|_| say_in(&mut log, RoomNo(7), post(&"x".repeat(800), &[])));
        check_counts(&log);
        assert!(log.first(RoomNo(7)) > Seq(1));
        assert!(kept(&log, 8) < before && kept(&log, 8) > 2 * kept(&log, 7));
        // What a room has taken is there for others when it ends.
        (1..=19).for_each(|no| log.forget(RoomNo(no)));
        check_counts(&log);
        (0..400).for_each(|_| say_in(&mut log, RoomNo(20), post("hi", &[])));
        assert!(kept(&log, 20) > 400);
    }

    #[test]
    fn the_last_entry_of_each_room_is_kept_whatever_it_takes() {
        let log = rooms(1_000, 10, |_| vec![post("hi", &[]), post(&"x".repeat(1_000), &[])]);
        check_counts(&log);
        assert!((1..=10).all(|no| (kept(&log, no), log.first(RoomNo(no))) == (1, Seq(2))));
    }

    #[test]
    fn what_is_edited_deleted_and_put_to_posts_is_counted_too() {
        let mut log = rooms(usize::MAX, 1, |_| vec![post("hi", &[1, 2]), post("ho", &[])]);
        let react = |emoji, on| What::React { post: Seq(1), emoji: Emoji::stored(emoji), on };
        let body = Some(Body::stored(&"y".repeat(500)));
        let before = log.together;
        say_in(&mut log, RoomNo(1), react("👍", true));
        say_in(&mut log, RoomNo(1), What::Edit { post: Seq(1), body });
        check_counts(&log);
        assert!(log.together > before + 1_000, "the text is counted where it is, twice");
        let edited = log.together;
        say_in(&mut log, RoomNo(1), What::Delete { post: Seq(1) });
        check_counts(&log);
        assert!(log.together < edited - 300, "the entry that deletes it takes less");
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
        let mut log = MemoryLog::bounded(5, 100, usize::MAX);
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
