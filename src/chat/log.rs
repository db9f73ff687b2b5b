//! What the domain asks of the log, and what it is told.
//!
//! The log assigns each entry its place when it commits it. What was decided in memory is written only if it still holds:
//! a write names what it was decided upon ([`Append::basis`], [`Guard`]), and is turned back where that is no longer so.

use std::sync::Arc;

use super::entry::{Entry, ReactionsMax, Record, What};
use super::event::Hit;
use super::lapse::Lapse;
use super::now::UnixMs;
use super::person::{Author, PersonId};
use super::role::Role;
use super::room_id::{RoomId, RoomKind, RoomNo};
use super::seq::{Epoch, Seq};

/// What the domain knows a pending write or read by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// On whose behalf something is read, as far as the log is to know: it serves each in turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Whose(pub u64);

/// Something to be written, answered by one [`Written`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Write {
    /// An entry for a room's log.
    Append(Append),
    /// A room, with [`What::Created`] as its first entry.
    Create(Create),
    /// How far a person has received and read a room. Merged by maximum. Answered with what is left to read.
    Cursor {
        /// Who.
        person: PersonId,
        /// Where.
        room: RoomNo,
        /// The last entry received.
        received: Seq,
        /// The last entry read.
        read: Seq,
    },
    /// When an account was last present.
    Seen {
        /// Who.
        person: PersonId,
        /// When.
        at: UnixMs,
    },
}

/// An entry for a room's log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Append {
    /// The room.
    pub room: RoomNo,
    /// The last entry that [changed the rules](What::changes_rules) when this was decided. If another has been committed
    /// since, the write is turned back with [`Written::Stale`], to be decided again.
    pub basis: Seq,
    /// What must be true of the post that the entry is about.
    pub guard: Guard,
    /// When it was asked for.
    pub at: UnixMs,
    /// Who asked.
    pub from: Author,
    /// What is to happen. A [`What::Post`] with a key is written once for its author and room; see
    /// [`Written::Duplicate`].
    pub what: What,
}

/// What must be true of a post for an entry about it to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// It is about none.
    None,
    /// The post is in the log and not deleted.
    Post(Seq),
    /// And is this person's.
    PostBy(Seq, PersonId),
    /// The post is in the log, and fewer others of the room than this are pinned.
    Pin(Seq, u16),
    /// The post is in the log, and what others have put to it leaves room for the reaction that the entry puts.
    Reaction(Seq, ReactionsMax),
    /// The post is itself in the log, by its key: a repetition is answered as one, and nothing is written.
    Known,
}

/// A room to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Create {
    /// What clients call it.
    pub id: RoomId,
    /// How people come to be in it.
    pub kind: RoomKind,
    /// What it is called.
    pub title: Option<Arc<str>>,
    /// Its log.
    pub epoch: Epoch,
    /// When it was asked for.
    pub at: UnixMs,
    /// Who asked.
    pub from: Author,
    /// Who is in it from the first.
    pub members: Arc<[(Author, Role)]>,
}

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Written {
    /// Committed, durably, at this place.
    Entry(Entry),
    /// The room is there, with its first entry. Its other fields are those that were asked for.
    Created {
        /// The room's number from now on.
        room: RoomNo,
        /// Its first entry.
        entry: Entry,
    },
    /// The author used this key for the same post in this room before: here is where that is.
    Duplicate {
        /// Its place.
        seq: Seq,
        /// When it was asked for.
        at: UnixMs,
    },
    /// The author used this key for another post in this room.
    KeyReused,
    /// The rules have changed since; decide again. All that changed them has been answered before this.
    Stale,
    /// The guard's post is not there, or is deleted; or is not known.
    NoPost,
    /// The guard's post is somebody else's.
    NotAuthor,
    /// As many posts are pinned as the guard lets be.
    PinsFull,
    /// As many reactions are put to the post as the guard lets be.
    ReactionsFull,
    /// The cursor, as merged, and what is left after it.
    Cursor {
        /// The last entry received.
        received: Seq,
        /// The last entry read.
        read: Seq,
        /// How many posts the room had when that was the last; see [`RestoredMember::posts_read`].
        posts_read: u64,
        /// Posts after it that mention the person.
        mentions: u64,
    },
    /// Done.
    Done,
    /// Not done: nothing of it is in the log, or will be.
    Failed(Failure),
}

/// Something to be read, answered by one [`ReadOut`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Read {
    /// Every entry after `after`, up to `through`, contiguous.
    Replay {
        /// Of which room.
        room: RoomNo,
        /// Exclusive.
        after: Seq,
        /// Inclusive.
        through: Seq,
        /// Stop before the texts come to more; the answer says so. Reactions have what is left of it.
        bytes_max: usize,
    },
    /// Lines before `before`, the nearest.
    Before {
        /// Of which room.
        room: RoomNo,
        /// Exclusive.
        before: Seq,
        /// How many.
        limit: u16,
    },
    /// Lines after `after`, the nearest.
    After {
        /// Of which room.
        room: RoomNo,
        /// Exclusive.
        after: Seq,
        /// How many.
        limit: u16,
    },
    /// Pinned posts before `before`, the nearest.
    Pins {
        /// Of which room.
        room: RoomNo,
        /// Exclusive.
        before: Seq,
        /// How many.
        limit: u16,
    },
    /// Posts that have all the words, newest first.
    Search {
        /// Words, as typed: any text at all.
        query: Arc<str>,
        /// Where.
        rooms: Arc<[RoomNo]>,
        /// Leave out so many.
        skip: u32,
        /// How many.
        limit: u16,
    },
}

/// What became of a read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReadOut {
    /// Entries, earliest first.
    Page {
        /// The entries.
        records: Vec<Record>,
        /// Whether there is more in the direction asked for.
        more: bool,
        /// The last entry of the log that it was read from.
        as_of: Seq,
    },
    /// What a search found.
    Found {
        /// Newest first.
        hits: Vec<Hit>,
        /// Whether there is more.
        more: bool,
    },
    /// Not read.
    Failed(Failure),
}

/// Why the store could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// For now: the disk is full, broken or slow, or what is searched is not yet in order. Try again after this.
    Unavailable {
        /// Milliseconds.
        after_ms: u64,
    },
    /// The query takes too long; it was given up.
    TooCostly,
    /// What is stored does not agree with itself.
    Corrupt,
}

/// All that the domain keeps in memory, as the store has it when it opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Restored {
    /// Accounts, deleted ones included: their names stay taken.
    pub people: Vec<RestoredPerson>,
    /// Durable rooms.
    pub rooms: Vec<RestoredRoom>,
}

/// An account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredPerson {
    /// Who.
    pub author: Author,
    /// How they are shown.
    pub profile: super::person::Profile,
    /// When last present.
    pub last_seen: Option<UnixMs>,
    /// Whether the account is deleted.
    pub deleted: bool,
}

/// A durable room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredRoom {
    /// Its number.
    pub no: RoomNo,
    /// What clients call it.
    pub id: RoomId,
    /// How people come to be in it.
    pub kind: RoomKind,
    /// What it is called.
    pub title: Option<Arc<str>>,
    /// Its log.
    pub epoch: Epoch,
    /// Its last entry.
    pub seq: Seq,
    /// When that was.
    pub at: UnixMs,
    /// The last entry that changed the rules.
    pub rules: Seq,
    /// How many posts it has had.
    pub posts: u64,
    /// How it takes posts.
    pub mode: super::entry::Mode,
    /// Its members, and in the lobby those accounts that have a cursor, role or mute of their own.
    pub members: Vec<RestoredMember>,
    /// Who may not come in.
    pub banned: Vec<PersonId>,
    /// What stands against accounts that are not in it.
    pub lapses: Vec<(PersonId, Lapse)>,
}

impl RestoredRoom {
    /// A lobby in which nothing has happened yet.
    pub fn lobby(no: RoomNo, epoch: Epoch) -> Self {
        Self {
            no,
            id: RoomId::lobby(),
            kind: RoomKind::Lobby,
            title: None,
            epoch,
            seq: Seq::START,
            at: UnixMs(0),
            rules: Seq::START,
            posts: 0,
            mode: super::entry::Mode::default(),
            members: Vec::new(),
            banned: Vec::new(),
            lapses: Vec::new(),
        }
    }
}

/// A member of a durable room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RestoredMember {
    /// Who.
    pub person: PersonId,
    /// As what.
    pub role: Role,
    /// Until when they may not post; 0: they may.
    pub muted_until: UnixMs,
    /// The last entry that their devices have.
    pub received: Seq,
    /// The last entry that they have read.
    pub read: Seq,
    /// How many posts the room had when that was the last: the room's `posts` less this are unread.
    pub posts_read: u64,
    /// Posts after it that mention them.
    pub mentions: u64,
}
