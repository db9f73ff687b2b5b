//! What waits for the log.
//!
//! Owns what is kept of a request until its write or read is answered. Persons and rooms are kept by the ids that are never
//! used again, since both may be gone when the answer comes; so may the session, whose key then misses.

use super::command::{Act, RequestId};
use super::effect::CallId;
use super::keys::SessionKey;
use super::log::{Create, Ticket};
use super::now::UnixMs;
use super::person::{Author, PersonId};
use super::refusal::Refusal;
use super::role::Role;
use super::room_id::RoomId;
use super::rooms::Pair;
use super::seq::Seq;
use super::slots::{Place, Slots};
use super::text::{Body, PostKey};

/// Who is told what became of something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// A session's request.
    Session(SessionKey, RequestId),
    /// A request without a connection.
    Call(CallId),
    /// A session's join, which goes on from there.
    Join(SessionKey),
    /// Nobody: it has to be done in any case.
    Nobody,
}

/// Something that is to become an entry, kept so that it can be decided anew.
#[derive(Clone, Debug)]
pub(super) struct Asked {
    pub(super) asker: Asker,
    pub(super) by: Author,
    pub(super) at: UnixMs,
    pub(super) room: RoomId,
    pub(super) wish: Wish,
    /// How often it was decided already.
    pub(super) decisions: u8,
    /// Why it is refused, unless the log has it already.
    pub(super) refused: Option<Refusal>,
}

/// What is to become an entry.
#[derive(Clone, Debug)]
pub(super) enum Wish {
    Post { key: Option<PostKey>, body: Body, reply_to: Option<Seq> },
    Act(Act),
    Join,
    Chore(Chore),
}

/// What is done without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Chore {
    /// The first account becomes the lobby's owner, and who comes first into a room that all had left becomes that one's.
    Crown,
    /// The last owner of the lobby has gone for good, or two have stepped down at once: another takes the place.
    Bequeath,
    /// One who has gone for good leaves; if it is the last owner, after another has taken the place, in an entry before.
    Leave,
    /// The account that a guest has become is where the guest was, however full it is there.
    Join,
    /// And is what the guest was.
    Succeed(Role),
}

/// What waits for an answer of the log.
#[derive(Debug)]
pub(super) enum Waiting {
    /// An entry.
    Entry(Asked),
    /// A room, and the pair that it is for if it is a direct one.
    Create { asker: Asker, create: Create, pair: Option<Pair> },
    /// A direct room that somebody else has asked for already. No ticket of the log's.
    Direct { asker: Asker, by: PersonId },
    /// A cursor of a member, whose sessions are told what is left if `tell`.
    Cursor { person: PersonId, room: RoomId, tell: bool },
    /// When somebody was last present.
    Seen,
    /// A replay for the join that a session is at.
    Replay { session: SessionKey },
    /// A page of a room's history.
    History { asker: Asker, by: PersonId, room: RoomId },
    /// A search; in one room, or in all.
    Search { asker: Asker, by: PersonId, room: Option<RoomId> },
}

/// All that waits, by ticket.
#[derive(Debug)]
pub(super) struct Pending(Slots<Waiting>);

impl Waiting {
    /// The session whose request it is, if it is one's: such requests are counted.
    pub(super) fn session(&self) -> Option<SessionKey> {
        match self {
            Waiting::Entry(Asked { asker, .. })
            | Waiting::Create { asker, .. }
            | Waiting::Direct { asker, .. }
            | Waiting::History { asker, .. }
            | Waiting::Search { asker, .. } => match asker {
                Asker::Session(session, _) => Some(*session),
                Asker::Call(_) | Asker::Join(_) | Asker::Nobody => None,
            },
            Waiting::Cursor { .. } | Waiting::Seen | Waiting::Replay { .. } => None,
        }
    }
}

impl Pending {
    pub(super) fn new() -> Self {
        Self(Slots::new())
    }

    pub(super) fn insert(&mut self, waiting: Waiting) -> Ticket {
        let Place { index, turn } = self.0.insert(waiting);
        Ticket(u64::from(turn) << 32 | u64::from(index))
    }

    /// `None` for a ticket that was answered already, or never given.
    pub(super) fn take(&mut self, ticket: Ticket) -> Option<Waiting> {
        let [index, turn] = [ticket.0 & u64::from(u32::MAX), ticket.0 >> 32]
            .map(|half| u32::try_from(half).expect("half of 64 bits"));
        self.0.remove(Place { index, turn })
    }
}
