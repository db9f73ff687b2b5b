//! What a client is told.

use std::rc::Rc;
use std::sync::Arc;

use super::command::RequestId;
use super::entry::{Entry, Record};
use super::limits::Limits;
use super::name::Name;
use super::now::UnixMs;
use super::person::{PersonId, Profile};
use super::refusal::Refusal;
use super::role::Role;
use super::room_id::{RoomId, RoomKind};
use super::seq::{Epoch, Seq};

/// What a client is told.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// The first, on every session.
    Welcome(Box<Welcome>),
    /// A request is done.
    Ok(RequestId, Box<Answer>),
    /// A request is not done; or, without a number, what came was no command.
    Error(Option<RequestId>, Refusal),
    /// Something happened in a room, live or on the way there: entries come in `seq` order, none missing.
    Entry(RoomId, Rc<Entry>),
    /// The same, as the log has it now: what a join replays.
    Record(RoomId, Rc<Record>),
    /// A room is new to this person, or its title, mode or their role in it has changed.
    Room(Box<RoomSummary>),
    /// This person is no longer in the room.
    Out(RoomId, OutReason),
    /// Who is present in a room: all (`Names`), how many (`Count`), or one's coming or going.
    Presence(RoomId, Presence),
    /// Somebody writes.
    Typing {
        /// Where.
        room: RoomId,
        /// Who.
        from: Name,
        /// Writes or has stopped. Forget it by yourself after [`TYPING_MS`](super::limits::TYPING_MS).
        on: bool,
    },
    /// Somebody's devices have a room up to here.
    Received {
        /// The room.
        room: RoomId,
        /// Who.
        from: Name,
        /// The last entry that they have.
        seq: Seq,
    },
    /// Somebody has read a room up to here. Sent to the reader's own sessions with `unread` and `mentions`.
    Read {
        /// The room.
        room: RoomId,
        /// Who.
        from: Name,
        /// The last entry that was read.
        seq: Seq,
        /// To oneself: what is left.
        left: Option<Unread>,
    },
    /// A person is shown otherwise from now on.
    Profile(Box<User>),
    /// Somebody is there.
    Pong,
}

/// What a client is told first.
#[derive(Clone, Debug, PartialEq)]
pub struct Welcome {
    /// Who it is.
    pub user: User,
    /// What it is held to.
    pub limits: Limits,
    /// Its rooms.
    pub rooms: Vec<RoomSummary>,
}

/// What a request came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// Joined; the replay follows, then what happens.
    Joined(Joined),
    /// All are joined, or refused; each join's replay followed its own [`Answer::JoinedOne`].
    Resumed,
    /// One of the joins of a `resume`. Not the request's answer: it is sent as `joined` without a number.
    JoinedOne(RoomId, Result<Joined, Refusal>),
    /// Stored.
    Posted {
        /// Where.
        room: RoomId,
        /// At this place.
        seq: Seq,
        /// When it was first asked for.
        at: UnixMs,
        /// True if the key had been used for the same post already.
        dup: bool,
    },
    /// Done, and nothing more to tell.
    Done,
    /// A part of a log.
    Page {
        /// Of which room.
        room: RoomId,
        /// The lines, earliest first.
        records: Vec<Record>,
        /// Whether there are lines beyond the last in the direction that was asked for.
        more: bool,
        /// The state of the log that it was read from: changes with a later `seq` are not in it.
        as_of: Seq,
    },
    /// What a search found.
    Found {
        /// Newest first.
        hits: Vec<Hit>,
        /// Whether there are more.
        more: bool,
    },
    /// The room that was asked for.
    Room(Box<RoomSummary>),
    /// Who is in a room.
    Members {
        /// The room.
        room: RoomId,
        /// By name.
        members: Vec<Member>,
        /// How many there are in all.
        total: u64,
        /// Whether there are more after the last.
        more: bool,
    },
    /// Who is banned from a room, as far as they are known still.
    Bans {
        /// The room.
        room: RoomId,
        /// By name.
        users: Vec<User>,
        /// Whether there are more after the last.
        more: bool,
    },
    /// Rooms.
    Rooms {
        /// One's own.
        rooms: Vec<RoomSummary>,
        /// Those open to join.
        open: Vec<RoomId>,
    },
    /// People.
    Users {
        /// By name.
        users: Vec<User>,
    },
}

/// How a join went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Joined {
    /// The room.
    pub room: RoomId,
    /// Its log.
    pub epoch: Epoch,
    /// The last entry; the replay ends there, and what follows is live.
    pub seq: Seq,
    /// The first entry that the log still has.
    pub first: Seq,
    /// Whether all since the client's `since` follows.
    pub recovered: Recovered,
}

/// Whether a join brought back what was missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Recovered {
    /// Nothing was asked for.
    NotAsked,
    /// Every entry after `since` follows.
    Yes,
    /// No: the log is another one than the client's.
    OtherEpoch,
    /// No: the client claims to have more than there is.
    Ahead,
    /// No: there is more than a replay holds. The history has it.
    TooMany,
    /// No: the log no longer has it.
    Trimmed,
    /// No: the store cannot read at present. The history may have it later.
    Unavailable,
}

/// A post that a search found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// Where.
    pub room: RoomId,
    /// The post.
    pub record: Record,
    /// A part of its text, with what matched between [`Self::OPENS`] and [`Self::CLOSES`], of which the text itself has none
    /// here.
    pub snippet: Arc<str>,
}

impl Hit {
    /// Before what matched, in a snippet.
    pub const OPENS: char = '\u{E000}';
    /// After it.
    pub const CLOSES: char = '\u{E001}';
}

/// A room, as one person sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoomSummary {
    /// The room.
    pub room: RoomId,
    /// How people come to be in it.
    pub kind: RoomKind,
    /// What to show: the name, the title, or of a direct room the other's name.
    pub name: Arc<str>,
    /// Its log.
    pub epoch: Epoch,
    /// Its last entry.
    pub seq: Seq,
    /// When that happened; `None` in an empty room.
    pub at: Option<UnixMs>,
    /// One's role.
    pub role: Role,
    /// How it takes posts.
    pub mode: super::entry::Mode,
    /// The last entry that one has read.
    pub read: Seq,
    /// What is after it.
    pub left: Unread,
}

/// What somebody has not read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Unread {
    /// Posts.
    pub posts: u64,
    /// Posts that mention them.
    pub mentions: u64,
}

/// A person, as others see them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// Who.
    pub id: PersonId,
    /// The name.
    pub name: Name,
    /// How they are shown beside it.
    pub profile: Profile,
}

/// Somebody in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Who.
    pub user: User,
    /// As what.
    pub role: Role,
    /// Whether present.
    pub online: bool,
    /// When last present, if not now; guests and those never seen have none.
    pub last_seen: Option<UnixMs>,
    /// The last entry that their devices have. START where rooms are too large to tell.
    pub received: Seq,
    /// The last entry that they have read. START where rooms are too large to tell.
    pub read: Seq,
    /// Until when they may not post; told to moderators and to themselves.
    pub muted_until: Option<UnixMs>,
}

/// Who is present in a room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presence {
    /// These, all of them.
    Names(Vec<Name>),
    /// So many, too many to name.
    Count(u64),
    /// One more.
    Came(Name),
    /// One less; when, for accounts.
    Went(Name, Option<UnixMs>),
}

impl Presence {
    /// Bytes of the names in a list of all who are present.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Names(names) => names.iter().map(|name| name.as_str().len()).sum(),
            Self::Count(_) | Self::Came(_) | Self::Went(..) => 0,
        }
    }
}

/// Why somebody is no longer in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutReason {
    /// They left, on another device perhaps.
    Left,
    /// They were put out.
    Removed,
    /// They were banned.
    Banned,
    /// The room is no more.
    Gone,
}
