//! One room: its state in memory.
//!
//! Owns who is a member and as what, who is banned, what stands against those who have gone, how posts are taken, how many
//! are present, and counts. Governance is as the last committed entry left it; the texts are in the log, the last of them in
//! the [`Tail`] too.
//!
//! Invariants: `seq`, `posts` and `rules` are those of the last entry that was committed and told here. The lobby has no
//! record of a member without something of its own: who has none is a [`Role::Member`] that has nothing unread.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::entry::{Entry, Mode, What};
use super::keys::PersonKey;
use super::lapse::{Lapse, Lapses};
use super::log::{Create, RestoredRoom};
use super::members::{Member, Members};
use super::now::UnixMs;
use super::people::People;
use super::person::PersonId;
use super::role::Role;
use super::room_id::{RoomId, RoomKind, RoomNo};
use super::seq::{Epoch, Seq};
use super::slow::LastPosts;
use super::tail::Tail;

/// A room in memory.
#[derive(Debug)]
pub(super) struct Room {
    pub(super) no: RoomNo,
    pub(super) id: RoomId,
    pub(super) kind: RoomKind,
    pub(super) title: Option<Arc<str>>,
    pub(super) epoch: Epoch,
    /// The last entry.
    pub(super) seq: Seq,
    /// When that was asked for.
    pub(super) at: UnixMs,
    /// The last entry that changed the rules.
    pub(super) rules: Seq,
    /// How many posts there have been.
    pub(super) posts: u64,
    pub(super) mode: Mode,
    pub(super) members: Members,
    /// By their ids, for a guest who is forgotten stays banned.
    pub(super) banned: BTreeSet<PersonId>,
    pub(super) lapses: Lapses,
    /// Members of the role [`Role::Owner`].
    pub(super) owners: u32,
    /// Members who are present.
    pub(super) present: u32,
    /// Sessions that are attached.
    pub(super) attached: u32,
    /// How those who are attached know who is present.
    pub(super) crowd: Crowd,
    /// `None` in a room where nothing has happened since the start.
    live: Option<Box<Live>>,
}

/// How those who are attached to a room know who is present.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Crowd {
    /// By their names: they were told all, and then each who comes and goes.
    Named,
    /// By their number, told when it has changed, at this moment on the monotonic clock if one is set.
    Counted { tell_at_ms: Option<u64> },
}

/// What a room has while something happens in it.
#[derive(Debug, Default)]
pub(super) struct Live {
    pub(super) tail: Tail,
    /// Members whose cursors have moved, the longest waiting first. Who has left since is skipped.
    pub(super) moved: VecDeque<PersonKey>,
    /// When they are told of, if there are any.
    pub(super) flush_at_ms: Option<u64>,
    /// When somebody's typing was last passed on.
    pub(super) typing: Vec<Typing>,
    pub(super) last_posts: LastPosts,
    /// When the room ends if nobody comes; of an invite room only.
    pub(super) end_at_ms: Option<u64>,
    /// Who has begun it; of an invite room only.
    pub(super) founder: Option<PersonId>,
}

/// Somebody's typing, as it was last passed on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Typing {
    pub(super) person: PersonKey,
    pub(super) at_ms: u64,
    pub(super) on: bool,
}

impl Room {
    /// A room as the log has it. Memberships end with the account; but a direct room keeps both whom it is for.
    pub(super) fn restore(restored: RestoredRoom, people: &People) -> Self {
        let (kind, posts) = (restored.kind, restored.posts);
        let listed = |id: PersonId| {
            people.find(id).filter(|key| kind == RoomKind::Direct || !people[*key].is_deleted())
        };
        let members = restored.members.iter().filter_map(|member| {
            let person = listed(member.person)?;
            Some((person, Member::restore(member)))
        });
        let members: Members = members.collect();
        let owners = members.iter().filter(|(_, member)| member.role == Role::Owner).count();
        Self {
            no: restored.no,
            id: restored.id,
            kind,
            title: restored.title,
            epoch: restored.epoch,
            seq: restored.seq,
            at: restored.at,
            rules: restored.rules,
            posts,
            mode: restored.mode,
            members,
            banned: restored.banned.into_iter().collect(),
            lapses: restored.lapses.into_iter().collect(),
            owners: u32::try_from(owners).expect("fewer owners than people"),
            present: 0,
            attached: 0,
            crowd: Crowd::Named,
            live: None,
        }
    }

    /// A room that has just begun with its first entry; its members come in after this.
    pub(super) fn begin(no: RoomNo, create: &Create, entry: &Entry) -> Self {
        let founder = (create.kind == RoomKind::Invite).then_some(create.from.id);
        Self {
            no,
            id: create.id.clone(),
            kind: create.kind,
            title: create.title.clone(),
            epoch: create.epoch.clone(),
            seq: entry.seq,
            at: entry.at,
            rules: entry.seq,
            posts: 0,
            mode: Mode::default(),
            members: Members::default(),
            banned: BTreeSet::new(),
            lapses: Lapses::default(),
            owners: 0,
            present: 0,
            attached: 0,
            crowd: Crowd::Named,
            live: founder.map(|_| Box::new(Live { founder, ..Live::default() })),
        }
    }

    pub(super) fn role_of(&self, person: PersonKey) -> Option<Role> {
        match (self.members.find(person), self.kind) {
            (Some(member), _) => Some(member.role),
            (None, RoomKind::Lobby) => Some(Role::Member),
            (None, _) => None,
        }
    }

    pub(super) fn is_member(&self, person: PersonKey) -> bool {
        self.role_of(person).is_some()
    }

    /// A member's record; in the lobby it is made if there is none.
    pub(super) fn member_mut(&mut self, person: PersonKey) -> Option<&mut Member> {
        let (seq, posts) = (self.seq, self.posts);
        match self.kind {
            RoomKind::Lobby => {
                Some(self.members.entry(person, || Member::new(Role::Member, seq, posts)))
            }
            _ => self.members.find_mut(person),
        }
    }

    /// Adds a member, to whom all that is here already is old. Who was muted when they went is muted still.
    pub(super) fn admit(&mut self, person: PersonKey, id: PersonId, role: Role) {
        let (seq, posts) = (self.seq, self.posts);
        let Lapse { muted_until, .. } = self.lapses.take(id).unwrap_or_default();
        let newcomer = || Member { muted_until, ..Member::new(role, seq, posts) };
        let member = self.members.entry(person, newcomer);
        let before = std::mem::replace(&mut member.role, role);
        debug_assert_eq!(before, role, "a member is admitted once");
        self.owners += u32::from(role == Role::Owner);
    }

    /// Takes a member out. What is to stay behind of it, its caller sees to.
    pub(super) fn expel(&mut self, person: PersonKey) -> Option<Member> {
        let member = self.members.remove(person)?;
        self.owners -= u32::from(member.role == Role::Owner);
        if let Some(live) = &mut self.live {
            live.typing.retain(|typing| typing.person != person);
        }
        Some(member)
    }

    pub(super) fn set_role(&mut self, person: PersonKey, role: Role) {
        let Some(member) = self.member_mut(person) else { return };
        let before = std::mem::replace(&mut member.role, role);
        self.owners -= u32::from(before == Role::Owner);
        self.owners += u32::from(role == Role::Owner);
    }

    pub(super) fn set_mode(&mut self, mode: Mode) {
        self.mode = mode;
        if let Some(live) = self.live.as_mut().filter(|_| mode.slow_ms == 0) {
            live.last_posts.clear();
        }
    }

    /// Takes note of a committed entry: the counts.
    pub(super) fn advance(&mut self, entry: &Entry) {
        debug_assert_eq!(entry.seq, self.seq.next(), "a log has no gaps");
        self.seq = entry.seq;
        self.at = entry.at;
        self.posts += u64::from(matches!(entry.what, What::Post(_)));
        if entry.what.changes_rules() {
            self.rules = entry.seq;
        }
    }

    /// How long a member still has to wait before the next post.
    pub(super) fn slow_wait_ms(&self, person: PersonId, now_ms: u64) -> u64 {
        self.live().map_or(0, |live| live.last_posts.wait_ms(person, self.mode.slow_ms, now_ms))
    }

    /// True where everybody's coming, typing and reading is told by name.
    pub(super) fn is_named(&self) -> bool {
        self.crowd == Crowd::Named
    }

    /// True if its log is in memory.
    pub(super) fn is_invite(&self) -> bool {
        self.kind == RoomKind::Invite
    }

    /// Who has begun an invite room.
    pub(super) fn founder(&self) -> Option<PersonId> {
        self.live()?.founder
    }

    pub(super) fn live(&self) -> Option<&Live> {
        self.live.as_deref()
    }

    pub(super) fn live_mut(&mut self) -> &mut Live {
        self.live.get_or_insert_default()
    }
}
