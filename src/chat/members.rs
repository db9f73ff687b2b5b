//! The members of a room.
//!
//! A sorted array, not a tree or a table: most rooms have two members or ten, and there may be a hundred thousand rooms. In
//! a room of ten thousand a newcomer moves half a megabyte, some 20 µs, which is what its commit costs many times over.

use std::cmp::Reverse;

use super::keys::PersonKey;
use super::log::RestoredMember;
use super::now::UnixMs;
use super::person::PersonId;
use super::role::Role;
use super::seq::Seq;

/// What a room knows of one member.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) role: Role,
    /// Until when the member may not post; 0: may.
    pub(super) muted_until: UnixMs,
    /// The last entry that the member's devices have; never before `read`.
    pub(super) received: Seq,
    /// The last entry that the member has read.
    pub(super) read: Seq,
    /// How many posts the room had when that was the last.
    pub(super) posts_read: u64,
    /// Posts after it that mention the member.
    pub(super) mentions: u64,
    /// What of the cursors is still to be told.
    pub(super) moved: Moved,
}

/// By what it goes who is to own a room: the role, and of the same the older account comes first.
pub(super) fn rank(role: Role, person: PersonId) -> (Role, Reverse<PersonId>) {
    (role, Reverse(person))
}

/// What of a member's cursors has moved and is still to be told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Moved {
    /// The member is in the room's queue: the store is to be told.
    pub(super) queued: bool,
    /// The room is to be told how far the member's devices are.
    pub(super) received: bool,
    /// The room is to be told how far the member has read.
    pub(super) read: bool,
    /// The member's own sessions are to be told what is left.
    pub(super) left: bool,
}

/// Members by person.
#[derive(Debug, Default)]
pub(super) struct Members(Vec<(PersonKey, Member)>);

impl Member {
    /// One as the log has it. Who has read nothing of the lobby has nothing unread there but what mentions them.
    pub(super) fn restore(restored: &RestoredMember) -> Self {
        Self {
            role: restored.role,
            muted_until: restored.muted_until,
            received: restored.received.max(restored.read),
            read: restored.read,
            posts_read: restored.posts_read,
            mentions: restored.mentions,
            moved: Moved::default(),
        }
    }

    /// One who comes in now: all that is in the room already is old.
    pub(super) fn new(role: Role, seq: Seq, posts: u64) -> Self {
        Self {
            role,
            muted_until: UnixMs(0),
            received: seq,
            read: seq,
            posts_read: posts,
            mentions: 0,
            moved: Moved::default(),
        }
    }
}

impl Members {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn find(&self, person: PersonKey) -> Option<&Member> {
        self.place_of(person).ok().map(|at| &self.0[at].1)
    }

    pub(super) fn find_mut(&mut self, person: PersonKey) -> Option<&mut Member> {
        self.place_of(person).ok().map(|at| &mut self.0[at].1)
    }

    /// The member, made first if there is none.
    pub(super) fn entry(&mut self, person: PersonKey, new: impl FnOnce() -> Member) -> &mut Member {
        let at = self.place_of(person).unwrap_or_else(|at| {
            self.0.insert(at, (person, new()));
            at
        });
        &mut self.0[at].1
    }

    pub(super) fn remove(&mut self, person: PersonKey) -> Option<Member> {
        self.place_of(person).ok().map(|at| self.0.remove(at).1)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (PersonKey, &Member)> {
        self.0.iter().map(|(person, member)| (*person, member))
    }

    fn place_of(&self, person: PersonKey) -> Result<usize, usize> {
        self.0.binary_search_by_key(&person, |(person, _)| *person)
    }
}

impl FromIterator<(PersonKey, Member)> for Members {
    fn from_iter<I: IntoIterator<Item = (PersonKey, Member)>>(members: I) -> Self {
        let mut members: Vec<_> = members.into_iter().collect();
        members.sort_unstable_by_key(|(person, _)| *person);
        members.dedup_by_key(|(person, _)| *person);
        members.shrink_to_fit();
        Self(members)
    }
}
