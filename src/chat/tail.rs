//! The last entries of a room, kept ready: so that a crowd that comes back at once does not ask the disk.
//!
//! Invariants: the entries are contiguous, and the last is the room's last. No text of a post that was edited or deleted
//! since is among them: everything up to that text is let go, and who needs it asks the log, which has it as it is now.

use std::collections::VecDeque;
use std::rc::Rc;

use super::effect::RoomKey;
use super::entry::{Entry, What};
use super::limits::{TAIL_BYTES_MAX, TAIL_ENTRIES_MAX, TAILS_BYTES_MAX};
use super::seq::Seq;

/// The last entries of one room.
#[derive(Debug, Default)]
pub(super) struct Tail {
    entries: VecDeque<Rc<Entry>>,
    bytes: usize,
}

impl Tail {
    /// What it takes of memory, about.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Adds the room's new last entry, and lets go what no longer fits or is no longer so.
    pub(super) fn push(&mut self, entry: Rc<Entry>) {
        if let What::Edit { post, .. } | What::Delete { post } = &entry.what {
            self.let_go_text_of(*post);
        }
        self.bytes += weight(&entry);
        self.entries.push_back(entry);
        while self.entries.len() > TAIL_ENTRIES_MAX || self.bytes > TAIL_BYTES_MAX {
            self.pop();
        }
    }

    /// All entries after `seq` up to the room's last, which is `last`; `None` if some are not here.
    pub(super) fn after(&self, seq: Seq, last: Seq) -> Option<impl Iterator<Item = &Rc<Entry>>> {
        let missed = usize::try_from(last.0.saturating_sub(seq.0)).ok()?;
        let skipped = self.entries.len().checked_sub(missed)?;
        Some(self.entries.range(skipped..))
    }

    fn let_go_text_of(&mut self, post: Seq) {
        let has_text = |entry: &Rc<Entry>| match &entry.what {
            What::Post(_) => entry.seq == post,
            What::Edit { post: edited, .. } => *edited == post,
            _ => false,
        };
        let texts = self.entries.iter().rposition(has_text).map_or(0, |last| last + 1);
        (0..texts).for_each(|_| self.pop());
    }

    fn pop(&mut self) {
        if let Some(entry) = self.entries.pop_front() {
            self.bytes -= weight(&entry);
        }
    }
}

/// What all tails together take of memory, and whose is let go when that is too much.
///
/// In the order in which the rooms' tails began: simpler than by last use, and a busy room whose turn it is has its tail
/// again after a few posts.
#[derive(Debug, Default)]
pub(super) struct Tails {
    bytes: usize,
    began: VecDeque<RoomKey>,
}

impl Tails {
    /// Takes note of how much a room's tail took and takes.
    pub(super) fn changed(&mut self, room: RoomKey, before: usize, after: usize) {
        self.bytes = self.bytes - before + after;
        match (before, after) {
            (0, 0) => {}
            (0, _) => self.began.push_back(room),
            (_, 0) if self.began.front() == Some(&room) => _ = self.began.pop_front(),
            (_, 0) => self.began.retain(|other| *other != room),
            _ => {}
        }
    }

    /// The room whose tail is to be let go, if all together are too much.
    pub(super) fn to_let_go(&self) -> Option<RoomKey> {
        if self.bytes <= TAILS_BYTES_MAX { None } else { self.began.front().copied() }
    }
}

fn weight(entry: &Entry) -> usize {
    size_of::<Entry>() + entry.text_bytes()
}

#[cfg(test)]
mod tests {
    use super::super::entry::{Post, What};
    use super::super::name::Name;
    use super::super::now::UnixMs;
    use super::super::person::{Author, PersonId};
    use super::super::text::Body;
    use super::*;

    fn entry(seq: u64, what: What) -> Rc<Entry> {
        let from = Author { id: PersonId(1), name: Name::stored("ana") };
        Rc::new(Entry { seq: Seq(seq), at: UnixMs(0), from, what })
    }

    fn post(seq: u64, text: &str) -> Rc<Entry> {
        let body = Body::stored(text);
        entry(seq, What::Post(Post { key: None, body, reply_to: None, mentions: [].into() }))
    }

    fn seqs(tail: &Tail, after: u64, last: u64) -> Option<Vec<u64>> {
        Some(tail.after(Seq(after), Seq(last))?.map(|entry| entry.seq.0).collect())
    }

    #[test]
    fn it_has_the_last_entries_and_knows_which_it_lacks() {
        let mut tail = Tail::default();
        assert_eq!((seqs(&tail, 9, 9), seqs(&tail, 8, 9)), (Some(vec![]), None));
        (10..13).for_each(|seq| tail.push(post(seq, "x")));
        assert_eq!(seqs(&tail, 9, 12), Some(vec![10, 11, 12]));
        assert_eq!(seqs(&tail, 11, 12), Some(vec![12]));
        assert_eq!(seqs(&tail, 8, 12), None);
    }

    #[test]
    fn it_holds_to_its_limits() {
        let mut tail = Tail::default();
        (1..1_000).for_each(|seq| tail.push(post(seq, "x")));
        assert_eq!(tail.entries.len(), TAIL_ENTRIES_MAX);
        let long = "x".repeat(TAIL_BYTES_MAX / 3);
        (1_000..1_010).for_each(|seq| tail.push(post(seq, &long)));
        assert!(tail.entries.len() == 2 && tail.bytes <= TAIL_BYTES_MAX);
    }

    #[test]
    fn an_edited_or_deleted_text_goes_with_all_before_it() {
        let mut tail = Tail::default();
        (1..5).for_each(|seq| tail.push(post(seq, "x")));
        tail.push(entry(5, What::Edit { post: Seq(2), body: Some(Body::stored("y")) }));
        assert_eq!(seqs(&tail, 2, 5), Some(vec![3, 4, 5]));
        assert_eq!(seqs(&tail, 1, 5), None);
        tail.push(entry(6, What::Delete { post: Seq(2) }));
        assert_eq!(
            (seqs(&tail, 4, 6), seqs(&tail, 5, 6)),
            (None, Some(vec![6])),
            "the edit's text"
        );
        tail.push(entry(7, What::Delete { post: Seq(1) }));
        assert_eq!(
            seqs(&tail, 5, 7),
            Some(vec![6, 7]),
            "a text that is not here takes nothing along"
        );
    }

    #[test]
    fn all_together_stay_under_a_limit() {
        let mut tails = Tails::default();
        tails.changed(RoomKey(1), 0, TAILS_BYTES_MAX);
        assert_eq!(tails.to_let_go(), None);
        tails.changed(RoomKey(2), 0, 10);
        assert_eq!(tails.to_let_go(), Some(RoomKey(1)));
        tails.changed(RoomKey(1), TAILS_BYTES_MAX, 0);
        tails.changed(RoomKey(2), 10, 20);
        assert_eq!((tails.to_let_go(), tails.bytes, tails.began.len()), (None, 20, 1));
    }
}
