//! What a person can ask for.

use std::sync::Arc;

use super::name::Name;
use super::role::Role;
use super::room_id::RoomId;
use super::seq::{Seq, Since};
use super::text::{Body, Emoji, PostKey};

/// What a client sends: a request, which is answered exactly once, or a whisper, which is not answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// To be answered.
    Request {
        /// Chosen by the client; comes back in the answer.
        id: RequestId,
        /// What is asked for.
        request: Request,
    },
    /// Not to be answered.
    Whisper(Whisper),
}

/// A client's number for a request: whatever it likes, up to 2^53 so that JavaScript can hold it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId(pub u64);

/// A request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// Be sent what happens in rooms from now on, and first what happened since. An account becomes a member of an open
    /// room by it. `join` has one room, `resume` many; each is answered by itself in [`Answer::Joined`](super::Answer).
    Join {
        /// The room.
        room: RoomId,
        /// What the client has of it.
        since: Option<Since>,
    },
    /// Several joins at once; answered when all are.
    Resume {
        /// The rooms, at most [`RESUME_ROOMS_MAX`](super::limits::RESUME_ROOMS_MAX).
        rooms: Vec<(RoomId, Option<Since>)>,
    },
    /// Be sent nothing more of a room on this connection; membership stays.
    Detach {
        /// The room.
        room: RoomId,
    },
    /// Say something.
    Post {
        /// Where.
        room: RoomId,
        /// What makes it idempotent.
        key: Option<PostKey>,
        /// The text.
        body: Body,
        /// The post that it answers.
        reply_to: Option<Seq>,
    },
    /// Do something to a post, or to a room.
    Act {
        /// Where.
        room: RoomId,
        /// What.
        act: Act,
    },
    /// Read a part of the log.
    History {
        /// Of which room.
        room: RoomId,
        /// From where.
        from: HistoryFrom,
        /// How many lines, 1 to [`HISTORY_LINES_MAX`](super::limits::HISTORY_LINES_MAX).
        limit: u16,
    },
    /// Posts that have all the words, newest first, in one room or all that one may read.
    Search {
        /// Words, as typed.
        query: Arc<str>,
        /// Where; `None`: everywhere.
        room: Option<RoomId>,
        /// Continue after this many hits.
        skip: u32,
        /// How many, 1 to [`SEARCH_HITS_MAX`](super::limits::SEARCH_HITS_MAX).
        limit: u16,
    },
    /// Begin a room.
    Create {
        /// What kind, and what it is called.
        room: NewRoom,
        /// For the id of a room that has none by its name.
        secret: u128,
        /// For its log's epoch.
        epoch: u64,
    },
    /// The one room of oneself and another, begun if need be.
    Direct {
        /// The other.
        user: Name,
        /// For its id.
        secret: u128,
        /// For its log's epoch.
        epoch: u64,
    },
    /// Who is in a room.
    Members {
        /// The room.
        room: RoomId,
        /// Continue after this name.
        after: Option<Name>,
        /// How many, 1 to [`MEMBERS_PER_PAGE_MAX`](super::limits::MEMBERS_PER_PAGE_MAX).
        limit: u16,
    },
    /// Who is banned from a room; for those who may ban there.
    Bans {
        /// The room.
        room: RoomId,
        /// Continue after this name.
        after: Option<Name>,
        /// How many, 1 to [`BANS_PER_PAGE_MAX`](super::limits::BANS_PER_PAGE_MAX).
        limit: u16,
    },
    /// One's rooms, and those that are open to join.
    Rooms,
    /// Accounts and present guests whose name begins so.
    Users {
        /// The beginning, in any case; empty: anybody.
        query: Arc<str>,
        /// How many, 1 to [`USERS_PER_PAGE_MAX`](super::limits::USERS_PER_PAGE_MAX).
        limit: u16,
    },
}

/// What becomes an entry, posts apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Act {
    /// Give a post of one's own another text.
    Edit {
        /// The post.
        post: Seq,
        /// Its text from now on.
        body: Body,
    },
    /// Delete a post of one's own, or as a moderator anybody's.
    Delete {
        /// The post.
        post: Seq,
    },
    /// Put a reaction to a post, or take it back.
    React {
        /// The post.
        post: Seq,
        /// The reaction.
        emoji: Emoji,
        /// Put or take back.
        on: bool,
    },
    /// Pin a post, or unpin it.
    Pin {
        /// The post.
        post: Seq,
        /// Pin or unpin.
        on: bool,
    },
    /// Add a member to a group.
    Add {
        /// Who.
        user: Name,
        /// As what.
        role: Role,
    },
    /// Put a member out.
    Remove {
        /// Who.
        user: Name,
    },
    /// Leave.
    Leave,
    /// Give a member another role.
    Role {
        /// Who.
        user: Name,
        /// From now on.
        role: Role,
    },
    /// Give a group another title.
    Rename {
        /// From now on.
        title: Arc<str>,
    },
    /// Put a person out for good, or let them come back.
    Ban {
        /// Who.
        user: Name,
        /// Ban or lift the ban.
        on: bool,
    },
    /// Keep a member from posting for a while; 0: lift it.
    Mute {
        /// Who.
        user: Name,
        /// How long.
        for_ms: u64,
    },
    /// Whether only admins post.
    ReadOnly {
        /// Only they.
        on: bool,
    },
    /// How long a member has to wait between posts.
    Slow {
        /// At least this long.
        slow_ms: u32,
    },
}

/// A room to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NewRoom {
    /// Listed, joined by this name.
    Open {
        /// Its id, which is its name.
        room: RoomId,
    },
    /// With members of the creator's choice.
    Group {
        /// What it is called: 1–64 characters, any that can be seen.
        title: Arc<str>,
    },
    /// For who has the token.
    Invite {
        /// What it is called.
        title: Option<Arc<str>>,
    },
}

/// Where a history begins. Exclusive, both ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HistoryFrom {
    /// The last lines.
    End,
    /// The lines before this one, the nearest.
    Before(Seq),
    /// The lines after this one, the nearest.
    After(Seq),
    /// The last pinned posts.
    PinsEnd,
    /// The pinned posts before this line, the nearest.
    PinsBefore(Seq),
}

/// What is not kept, and dropped first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Whisper {
    /// One writes, or has stopped.
    Typing {
        /// Where.
        room: RoomId,
        /// Writes or has stopped.
        on: bool,
    },
    /// One's devices have the room up to here.
    Received {
        /// The room.
        room: RoomId,
        /// The last entry that they have.
        seq: Seq,
    },
    /// One has read the room up to here.
    Read {
        /// The room.
        room: RoomId,
        /// The last entry that was read.
        seq: Seq,
    },
    /// Is anybody there? Answered with a pong, so that a page's script can tell.
    Ping,
}
