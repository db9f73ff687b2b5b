//! One room's log in memory: what is written, what it makes of what was written before, and pages of it.
//!
//! Invariants: lines are contiguous, the last is the room's last entry; each knows how many posts there were up to it. What
//! a room weighs is what it takes of memory, about, and never depends on how a hash table happens to lie: so what is
//! forgotten because of it is the same each time.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::chat::entry::{Entry, Marks, Post, Reaction, Record, What};
use crate::chat::log::{Append, Guard, ReadOut, Written};
use crate::chat::name::Name;
use crate::chat::now::UnixMs;
use crate::chat::person::{Author, PersonId};
use crate::chat::room_id::{RoomId, RoomNo};
use crate::chat::seq::Seq;
use crate::chat::text::PostKey;

/// The log of a room.
#[derive(Debug)]
pub(super) struct RoomLog {
    pub(super) id: RoomId,
    lines: VecDeque<Line>,
    /// The last entry.
    seq: Seq,
    /// The last entry that changed the rules.
    pub(super) rules: Seq,
    posts: u64,
    /// Bytes of all texts.
    pub(super) bytes: usize,
    /// Bytes of memory.
    weight: usize,
    keys: HashMap<(PersonId, PostKey), Keyed>,
}

#[derive(Debug)]
struct Line {
    record: Record,
    /// How many posts there were when this was the last entry.
    posts: u64,
    key: Option<PostKey>,
}

/// The post that a key was used for.
#[derive(Debug)]
struct Keyed {
    seq: Seq,
    at: UnixMs,
    /// Of what was posted; the text may be edited since.
    digest: u64,
}

impl RoomLog {
    pub(super) fn new(id: RoomId) -> Self {
        Self {
            id,
            lines: VecDeque::new(),
            seq: Seq::START,
            rules: Seq::START,
            posts: 0,
            bytes: 0,
            weight: ROOM_BYTES,
            keys: HashMap::new(),
        }
    }

    pub(super) fn append(&mut self, append: Append) -> Written {
        let Append { basis, guard, at, from, what, .. } = append;
        if let What::Post(post @ Post { key: Some(key), .. }) = &what
            && let Some(keyed) = self.keys.get(&(from.id, key.clone()))
        {
            return match keyed.digest == digest(post) {
                true => Written::Duplicate { seq: keyed.seq, at: keyed.at },
                false => Written::KeyReused,
            };
        }
        if basis != self.rules {
            return Written::Stale;
        }
        match self.guarded(guard, &from, &what) {
            Ok(()) => Written::Entry(self.commit(at, from, what)),
            Err(turned_back) => turned_back,
        }
    }

    fn guarded(&self, guard: Guard, from: &Author, what: &What) -> Result<(), Written> {
        let (seq, author) = match guard {
            Guard::None => return Ok(()),
            Guard::Known => return Err(Written::NoPost),
            Guard::Post(seq) | Guard::Pin(seq, _) | Guard::Reaction(seq, _) => (seq, None),
            Guard::PostBy(seq, author) => (seq, Some(author)),
        };
        let post = self.find(seq).map(|line| &line.record);
        match post.filter(|record| matches!(record.entry.what, What::Post(_))) {
            None => Err(Written::NoPost),
            Some(post) if author.is_some_and(|author| author != post.entry.from.id) => {
                Err(Written::NotAuthor)
            }
            Some(post) => match (guard, what) {
                (Guard::Pin(_, pins_max), _) if self.pinned_but(seq) >= pins_max.into() => {
                    Err(Written::PinsFull)
                }
                (Guard::Reaction(_, max), What::React { emoji, .. })
                    if !max.leave_room(&post.marks.reactions, emoji, &from.name) =>
                {
                    Err(Written::ReactionsFull)
                }
                _ => Ok(()),
            },
        }
    }

    /// How many posts are pinned, one not counted.
    fn pinned_but(&self, post: Seq) -> usize {
        let others = self.records().filter(|record| record.entry.seq != post);
        others.filter(|record| record.marks.pinned).count()
    }

    pub(super) fn commit(&mut self, at: UnixMs, from: Author, what: What) -> Entry {
        self.seq = self.seq.next();
        if what.changes_rules() {
            self.rules = self.seq;
        }
        let mut key = None;
        if let What::Post(post) = &what {
            self.posts += 1;
            key.clone_from(&post.key);
            if let Some(key) = key.clone() {
                let keyed = Keyed { seq: self.seq, at, digest: digest(post) };
                self.keys.insert((from.id, key), keyed);
            }
        }
        let entry = Entry { seq: self.seq, at, from, what };
        self.mark(&entry);
        let record = Record::from(entry.clone());
        let line = Line { record, posts: self.posts, key };
        self.bytes += entry.text_bytes();
        self.weight += line.weight();
        self.lines.push_back(line);
        entry
    }

    /// Makes of a post what an entry about it says.
    fn mark(&mut self, entry: &Entry) {
        match &entry.what {
            What::Edit { post, body: Some(body) } => self.change(*post, |record| {
                if let What::Post(edited) = &mut record.entry.what {
                    edited.body = body.clone();
                    record.marks.edited = Some(entry.at);
                }
            }),
            What::Delete { post: deleted } => {
                self.change(*deleted, |record| {
                    record.entry.what = What::Tombstone;
                    record.marks = Marks::default();
                });
                for seq in self.edits_of(*deleted) {
                    self.change(seq, |record| {
                        record.entry.what = What::Edit { post: *deleted, body: None };
                    });
                }
            }
            What::React { post, emoji, on } => self.change(*post, |record| {
                let reactions = &mut record.marks.reactions;
                if let Some(reaction) = reactions.iter_mut().find(|r| r.emoji == *emoji) {
                    reaction.users.retain(|user| *user != entry.from.name);
                    reaction.users.extend(on.then(|| entry.from.name.clone()));
                } else if *on {
                    let users = vec![entry.from.name.clone()];
                    reactions.push(Reaction { emoji: emoji.clone(), users });
                }
                reactions.retain(|reaction| !reaction.users.is_empty());
            }),
            What::Pin { post, on } => self.change(*post, |record| record.marks.pinned = *on),
            _ => {}
        }
    }

    fn edits_of(&self, deleted: Seq) -> Vec<Seq> {
        let entries = self.lines.iter().map(|line| &line.record.entry);
        let is_edit =
            |entry: &&Entry| matches!(entry.what, What::Edit { post, .. } if post == deleted);
        entries.filter(is_edit).map(|entry| entry.seq).collect()
    }

    /// Changes a record, and the counts of bytes with it.
    fn change(&mut self, seq: Seq, change: impl FnOnce(&mut Record)) {
        let Some(at) = self.place_of(seq) else { return };
        let line = &mut self.lines[at];
        self.bytes -= line.record.entry.text_bytes();
        self.weight -= line.weight();
        change(&mut line.record);
        self.bytes += line.record.entry.text_bytes();
        self.weight += line.weight();
    }

    /// Forgets the first entries, until no more is kept than may be; the last is kept in any case.
    pub(super) fn trim(&mut self, entries_max: usize, bytes_max: usize) {
        while self.lines.len() > entries_max || self.bytes > bytes_max {
            if !self.can_forget() {
                return;
            }
            self.forget_first();
        }
    }

    /// Forgets the first entry, and gives back its memory.
    pub(super) fn forget_first(&mut self) {
        let Some(line) = self.lines.pop_front() else { return };
        self.bytes -= line.record.entry.text_bytes();
        self.weight -= line.weight();
        if let Some(key) = line.key {
            self.keys.remove(&(line.record.entry.from.id, key));
        }
        let (lines, keys) = (self.lines.len(), self.keys.len());
        if self.lines.capacity() > 2 * lines + PLACES_KEPT {
            self.lines.shrink_to(lines + lines / 4);
        }
        if self.keys.capacity() > 4 * keys + PLACES_KEPT {
            self.keys.shrink_to(2 * keys);
        }
    }

    /// True if there is an entry that is not the last.
    pub(super) fn can_forget(&self) -> bool {
        self.lines.len() > 1
    }

    /// What the room takes of memory, about.
    pub(super) fn weight(&self) -> usize {
        self.weight
    }

    pub(super) fn cursor(&self, person: PersonId, received: Seq, read: Seq) -> Written {
        let unread = self.lines.iter().filter(|line| line.record.entry.seq > read);
        let mentions = unread.filter(|line| line.mentions(person)).count() as u64;
        let last_read = self.lines.iter().rev().find(|line| line.record.entry.seq <= read);
        let posts_read = match (last_read, self.lines.front()) {
            (Some(line), _) => line.posts,
            // Before the first that is kept: as if read up to that.
            (None, Some(first)) => first.posts - u64::from(first.is_post()),
            (None, None) => self.posts,
        };
        Written::Cursor { received, read, posts_read, mentions }
    }

    pub(super) fn replay(&self, after: Seq, through: Seq, bytes_max: usize) -> ReadOut {
        let mut left = bytes_max;
        let mut records = Vec::new();
        let in_range = |seq: Seq| seq > after && seq <= through;
        for record in self.records().filter(|record| in_range(record.entry.seq)) {
            let Some(less) = left.checked_sub(record.entry.text_bytes()) else {
                return ReadOut::Page { records, more: true, as_of: self.seq };
            };
            left = less;
            records.push(record.clone());
        }
        ReadOut::Page { records, more: false, as_of: self.seq }
    }

    pub(super) fn before(&self, before: Seq, limit: u16) -> ReadOut {
        let lines = self.records().rev().filter(|record| record.entry.seq < before);
        let (mut records, more) = page(lines, limit);
        records.reverse();
        ReadOut::Page { records, more, as_of: self.seq }
    }

    pub(super) fn after(&self, after: Seq, limit: u16) -> ReadOut {
        let (records, more) = page(self.records().filter(|r| r.entry.seq > after), limit);
        ReadOut::Page { records, more, as_of: self.seq }
    }

    pub(super) fn pins(&self, before: Seq, limit: u16) -> ReadOut {
        let pinned = self.records().rev().filter(|record| record.marks.pinned);
        let (mut records, more) = page(pinned.filter(|record| record.entry.seq < before), limit);
        records.reverse();
        ReadOut::Page { records, more, as_of: self.seq }
    }

    pub(super) fn records(&self) -> impl DoubleEndedIterator<Item = &Record> {
        self.lines.iter().map(|line| &line.record)
    }

    pub(super) fn first(&self) -> Seq {
        self.lines.front().map_or(self.seq.next(), |line| line.record.entry.seq)
    }

    fn find(&self, seq: Seq) -> Option<&Line> {
        self.place_of(seq).map(|at| &self.lines[at])
    }

    fn place_of(&self, seq: Seq) -> Option<usize> {
        let place = usize::try_from(seq.0.checked_sub(self.first().0)?).ok()?;
        (place < self.lines.len()).then_some(place)
    }
}

impl Line {
    fn is_post(&self) -> bool {
        matches!(self.record.entry.what, What::Post(_) | What::Tombstone)
    }

    fn mentions(&self, person: PersonId) -> bool {
        let entry = &self.record.entry;
        let What::Post(post) = &entry.what else { return false };
        entry.from.id != person && post.mentions.iter().any(|author| author.id == person)
    }

    /// What it takes of memory, about, with what it has made of an earlier line.
    fn weight(&self) -> usize {
        let Entry { from, what, .. } = &self.record.entry;
        let (texts, inside) = match what {
            What::Post(post) => (1 + post.mentions.len(), size_of_val(&post.mentions[..])),
            What::Created { members, .. } => (1 + members.len(), size_of_val(&members[..])),
            What::React { .. } => (1, MARK_BYTES),
            _ => (1, 0),
        };
        let key = self.key.as_ref().map_or(0, |key| KEY_BYTES + key.as_str().len());
        let text = from.name.as_str().len() + self.record.entry.text_bytes();
        LINE_BYTES + (1 + texts) * TEXT_BYTES + text + inside + key
    }
}

/// The first so many lines, and whether there are more.
fn page<'a>(records: impl Iterator<Item = &'a Record>, limit: u16) -> (Vec<Record>, bool) {
    let limit = usize::from(limit);
    let lines = records.filter(|record| record.entry.what.is_line());
    let mut records: Vec<_> = lines.take(limit + 1).cloned().collect();
    let more = records.len() > limit;
    records.truncate(limit);
    (records, more)
}

/// A room before anything is said in it, in a table that is half empty at most.
const ROOM_BYTES: usize = 2 * size_of::<(RoomNo, RoomLog)>() + TEXT_BYTES;
/// A line's place, in a list that is half empty at most.
const LINE_BYTES: usize = 2 * size_of::<Line>();
/// A key's place, in a table that is half empty at most, beside the text of the key.
const KEY_BYTES: usize = 2 * size_of::<((PersonId, PostKey), Keyed)>() + TEXT_BYTES;
/// What stands around a text: who counts on it, and what the allocator adds.
const TEXT_BYTES: usize = 32;
/// A reaction at its post: lists begin with four places.
const MARK_BYTES: usize = 4 * (size_of::<Reaction>() + size_of::<Name>());
/// Places that are kept in any case.
const PLACES_KEPT: usize = 16;

fn digest(post: &Post) -> u64 {
    let mut hasher = DefaultHasher::new();
    (&post.body, post.reply_to).hash(&mut hasher);
    hasher.finish()
}
