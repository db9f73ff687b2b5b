//! Rooms as one person sees them.

use std::sync::Arc;

use super::Chat;
use super::cursors::left;
use super::effect::RoomKey;
use super::event::{RoomSummary, Unread};
use super::keys::PersonKey;
use super::role::Role;
use super::room::Room;
use super::room_id::RoomKind;
use super::seq::Seq;

impl Chat {
    /// All rooms of a person: the lobby, and then in the order in which they came to be known.
    pub(super) fn summaries(&self, person: PersonKey) -> Vec<RoomSummary> {
        let rooms = std::iter::once(self.rooms.lobby()).chain(self.people[person].rooms.iter());
        rooms.map(|room| self.summary(room, person)).collect()
    }

    /// A room as a member sees it.
    pub(super) fn summary(&self, key: RoomKey, person: PersonKey) -> RoomSummary {
        let room = &self.rooms[key];
        let member = room.members.find(person);
        RoomSummary {
            room: room.id.clone(),
            kind: room.kind,
            name: self.name_for(room, person),
            epoch: room.epoch.clone(),
            seq: room.seq,
            at: (room.seq > Seq::START).then_some(room.at),
            role: room.role_of(person).unwrap_or(Role::Reader),
            mode: room.mode,
            read: member.map_or(room.seq, |member| member.read),
            left: member.map_or(Unread::default(), |member| left(room, member)),
        }
    }

    /// What a room is called: of a direct room the other's name, of an invite room without a title nothing.
    fn name_for(&self, room: &Room, person: PersonKey) -> Arc<str> {
        match (room.kind, &room.title) {
            (RoomKind::Lobby | RoomKind::Open, None) => room.id.shared(),
            (RoomKind::Direct, _) => {
                let mut others = room.members.iter().filter(|(member, _)| *member != person);
                let name = |other| self.people[other].author.name.shared();
                others.next().map(|(other, _)| name(other)).unwrap_or_default()
            }
            (_, title) => title.clone().unwrap_or_default(),
        }
    }
}
