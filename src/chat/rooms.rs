//! All rooms.
//!
//! Owns the rooms and by what they are found: their ids, the names that open rooms have taken, the pair that a direct room
//! is for. Invariant: there is always a lobby.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::ops::{Index, IndexMut};

use super::effect::RoomKey;
use super::keys::PersonKey;
use super::log::RestoredRoom;
use super::members::rank;
use super::name::{Skeleton, reserved};
use super::people::People;
use super::person::PersonId;
use super::role::Role;
use super::room::Room;
use super::room_id::{RoomId, RoomKind};
use super::slots::Slots;

/// Two people, whichever of them asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Pair(PersonId, PersonId);

/// All rooms.
#[derive(Debug)]
pub(super) struct Rooms {
    slots: Slots<Room>,
    by_id: HashMap<RoomId, RoomKey>,
    pairs: HashMap<Pair, RoomKey>,
    /// Those that are listed, by name.
    open: BTreeSet<RoomId>,
    /// What the names of lobby and open rooms look like, those of rooms under way and those that no room can have too.
    taken: HashSet<Skeleton>,
    /// How many of the invite rooms each person has begun, of those who have begun one.
    founded: HashMap<PersonId, usize>,
    durable: usize,
    lobby: RoomKey,
}

impl Pair {
    pub(super) fn new(one: PersonId, other: PersonId) -> Self {
        Self(one.min(other), one.max(other))
    }
}

/// Who owns a room, or would be the first to. The lobby, which is everybody's, is
/// nobody's but its owner's; a direct one has none.
fn first_in_rank(room: &RestoredRoom) -> Option<PersonId> {
    let first = room.members.iter().max_by_key(|member| rank(member.role, member.person))?;
    let may_own = match room.kind {
        RoomKind::Direct => false,
        RoomKind::Lobby => first.role == Role::Owner,
        RoomKind::Open | RoomKind::Group | RoomKind::Invite => true,
    };
    may_own.then_some(first.person)
}

impl Rooms {
    /// With the lobby alone.
    fn new(lobby: Room) -> Self {
        let mut rooms = Self {
            slots: Slots::new(),
            by_id: HashMap::new(),
            pairs: HashMap::new(),
            open: BTreeSet::new(),
            taken: reserved().map(|name| Skeleton::of(name.as_str())).collect(),
            founded: HashMap::new(),
            durable: 0,
            lobby: RoomKey(0),
        };
        rooms.lobby = rooms.insert(lobby, None);
        rooms
    }

    /// The rooms as the log has them, each listed with its members. Empty groups are left out, for nobody can ever come into
    /// one. And the rooms that are to have another owner and did not get to it, with the first in rank there: the owner, whose
    /// account was deleted; or who came into a room that all had left.
    pub(super) fn restore(
        restored: Vec<RestoredRoom>,
        people: &mut People,
    ) -> (Self, Vec<(RoomId, PersonKey)>) {
        let (lobby, others): (Vec<_>, Vec<_>) =
            restored.into_iter().partition(|room| room.kind == RoomKind::Lobby);
        let lobby = lobby.into_iter().next().expect("a log is made with a lobby in it");
        let mut orphans = Vec::new();
        let mut restore = |restored: RestoredRoom| {
            let first = first_in_rank(&restored).and_then(|person| people.find(person));
            let room = Room::restore(restored, people);
            if let Some(first) = first.filter(|_| room.owners == 0) {
                orphans.push((room.id.clone(), first));
            }
            room
        };
        let mut rooms = Self::new(restore(lobby));
        for room in others {
            let pair = match (room.kind, &room.members[..]) {
                (RoomKind::Direct, [one, other]) => Some(Pair::new(one.person, other.person)),
                _ => None,
            };
            let room = restore(room);
            if room.kind != RoomKind::Group || !room.members.is_empty() {
                rooms.insert(room, pair);
            }
        }
        for (key, room) in rooms.iter().filter(|(_, room)| room.kind != RoomKind::Lobby) {
            for (member, _) in room.members.iter() {
                people[member].rooms.insert(key);
            }
        }
        (rooms, orphans)
    }

    /// Adds a room; a direct one with those whom it is for.
    pub(super) fn insert(&mut self, room: Room, pair: Option<Pair>) -> RoomKey {
        let (id, kind) = (room.id.clone(), room.kind);
        if let Some(founder) = room.founder() {
            *self.founded.entry(founder).or_default() += 1;
        }
        let key = RoomKey(self.slots.insert(room).index);
        if matches!(kind, RoomKind::Lobby | RoomKind::Open) {
            self.take_name(&id);
        }
        if kind == RoomKind::Open {
            self.open.insert(id.clone());
        }
        self.durable += usize::from(kind != RoomKind::Invite);
        self.pairs.extend(pair.map(|pair| (pair, key)));
        self.by_id.insert(id, key);
        key
    }

    /// Forgets a group or an invite room; others stay for good.
    pub(super) fn remove(&mut self, key: RoomKey) {
        let Some(room) = self.slots.remove_at(key.0) else { return };
        self.by_id.remove(&room.id);
        if let Some(founder) = room.founder()
            && let Some(founded) = self.founded.get_mut(&founder)
        {
            *founded -= 1;
            if *founded == 0 {
                self.founded.remove(&founder);
            }
        }
        self.durable -= usize::from(room.kind != RoomKind::Invite);
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (RoomKey, &Room)> {
        self.slots.iter().map(|(index, room)| (RoomKey(index), room))
    }

    pub(super) fn lobby(&self) -> RoomKey {
        self.lobby
    }

    /// `None` if the room has ended.
    pub(super) fn get(&self, key: RoomKey) -> Option<&Room> {
        self.slots.at(key.0)
    }

    pub(super) fn find(&self, id: &RoomId) -> Option<RoomKey> {
        self.by_id.get(id).copied()
    }

    pub(super) fn direct(&self, pair: Pair) -> Option<RoomKey> {
        self.pairs.get(&pair).copied()
    }

    /// The open rooms, by name.
    pub(super) fn open(&self) -> impl Iterator<Item = &RoomId> {
        self.open.iter()
    }

    /// True if no open room is called so, or so that a reader would confuse them.
    pub(super) fn is_name_free(&self, id: &RoomId) -> bool {
        !self.taken.contains(&Skeleton::of(id.as_str()))
    }

    /// Takes the name for an open room.
    pub(super) fn take_name(&mut self, id: &RoomId) {
        self.taken.insert(Skeleton::of(id.as_str()));
    }

    /// Gives back the name of an open room that did not come to be.
    pub(super) fn free_name(&mut self, id: &RoomId) {
        self.taken.remove(&Skeleton::of(id.as_str()));
    }

    /// Rooms that the store has.
    pub(super) fn durable(&self) -> usize {
        self.durable
    }

    /// Invite rooms that somebody has begun, and that have not ended.
    pub(super) fn founded_by(&self, person: PersonId) -> usize {
        self.founded.get(&person).copied().unwrap_or_default()
    }

    /// Rooms that are in memory only.
    pub(super) fn invites(&self) -> usize {
        self.slots.len() - self.durable
    }
}

impl Index<RoomKey> for Rooms {
    type Output = Room;

    fn index(&self, key: RoomKey) -> &Room {
        self.slots.at(key.0).expect("a room's key goes when nothing names it")
    }
}

impl IndexMut<RoomKey> for Rooms {
    fn index_mut(&mut self, key: RoomKey) -> &mut Room {
        self.slots.at_mut(key.0).expect("a room's key goes when nothing names it")
    }
}
