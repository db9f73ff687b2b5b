//! Rooms begin.
//!
//! An open room's name is kept from the moment it is asked for, so that of two who ask at once one is told that it is
//! taken. Of two who ask for their direct room at once, the second waits for the first's.

use std::sync::Arc;

use super::Chat;
use super::command::NewRoom;
use super::effect::RoomKey;
use super::event::Answer;
use super::keys::PersonKey;
use super::limits::{
    INVITE_ROOMS_FOR_GUESTS_MAX, INVITE_ROOMS_MAX, INVITE_ROOMS_PER_ACCOUNT_MAX,
    INVITE_ROOMS_PER_GUEST_MAX, ROOMS_MAX, ROOMS_PER_PERSON_MAX,
};
use super::log::{Create, Write, Written};
use super::name::Name;
use super::pending::{Asker, Waiting};
use super::person::{Author, PersonId};
use super::refusal::Refusal;
use super::role::Role;
use super::room::Room;
use super::room_id::{RoomId, RoomKind};
use super::rooms::Pair;
use super::routing::Log;
use super::seq::Epoch;

impl Chat {
    pub(super) fn create(
        &mut self,
        asker: Asker,
        person: PersonKey,
        room: NewRoom,
        secret: u128,
        epoch: u64,
    ) {
        let (id, kind, title) = match room {
            NewRoom::Open { room } => (room, RoomKind::Open, None),
            NewRoom::Group { title } => (RoomId::secret(secret), RoomKind::Group, Some(title)),
            NewRoom::Invite { title } => (RoomId::secret(secret), RoomKind::Invite, title),
        };
        if let Err(refusal) = self.may_create(person, kind, &id) {
            return self.answer(asker, Err(refusal));
        }
        let from = self.people[person].author.clone();
        let members = Arc::from([(from.clone(), Role::Owner)]);
        let (epoch, at) = (Epoch::new(epoch), self.out.now.unix);
        self.begin(asker, Create { id, kind, title, epoch, at, from, members }, None);
    }

    /// Whether a room may be begun; takes the name of an open one.
    fn may_create(
        &mut self,
        person: PersonKey,
        kind: RoomKind,
        id: &RoomId,
    ) -> Result<(), Refusal> {
        let creator = &self.people[person];
        if creator.is_guest() && kind != RoomKind::Invite {
            return Err(Refusal::GuestsNot);
        }
        if self.is_full(kind) || creator.rooms.len() >= ROOMS_PER_PERSON_MAX {
            return Err(Refusal::TooMany);
        }
        if kind == RoomKind::Invite && self.has_founded_enough(person) {
            return Err(Refusal::TooMany);
        }
        // A secret that is used already is the caller's mistake, and must not shadow a room.
        let is_taken = self.rooms.find(id).is_some();
        if is_taken || (kind == RoomKind::Open && !self.rooms.is_name_free(id)) {
            return Err(Refusal::NameTaken);
        }
        self.take_entry(person)?;
        if kind == RoomKind::Open {
            self.rooms.take_name(id);
        }
        Ok(())
    }

    /// Whether a person has begun so many invite rooms, or there are so many, that they begin no other.
    fn has_founded_enough(&self, person: PersonKey) -> bool {
        let founder = &self.people[person];
        let (own_max, all_max) = match founder.is_guest() {
            true => (INVITE_ROOMS_PER_GUEST_MAX, INVITE_ROOMS_FOR_GUESTS_MAX),
            false => (INVITE_ROOMS_PER_ACCOUNT_MAX, INVITE_ROOMS_MAX),
        };
        self.rooms.founded_by(founder.author.id) >= own_max || self.rooms.invites() >= all_max
    }

    /// Whether there is no place for another room, whoever begins it.
    fn is_full(&self, kind: RoomKind) -> bool {
        match Log::of(kind) {
            Log::Memory => false,
            Log::Store => self.rooms.durable() + self.rooms_under_way >= ROOMS_MAX,
        }
    }

    pub(super) fn ask_for_direct(
        &mut self,
        asker: Asker,
        person: PersonKey,
        user: &Name,
        secret: u128,
        epoch: u64,
    ) {
        let other = match self.may_be_direct(person, user) {
            Ok(other) => other,
            Err(refusal) => return self.answer(asker, Err(refusal)),
        };
        let [from, other] = [person, other].map(|key| self.people[key].author.clone());
        let pair = Pair::new(from.id, other.id);
        if let Some(key) = self.rooms.direct(pair) {
            let summary = self.summary(key, person);
            return self.answer(asker, Ok(Answer::Room(Box::new(summary))));
        }
        if self.pairs.contains_key(&pair) {
            let ticket = self.wait(Waiting::Direct { asker, by: from.id });
            self.pairs.entry(pair).or_default().push(ticket);
            return;
        }
        if let Err(refusal) = self.may_begin_direct(person, &other) {
            return self.answer(asker, Err(refusal));
        }
        self.pairs.insert(pair, Vec::new());
        let (id, kind, title) = (RoomId::secret(secret), RoomKind::Direct, None);
        let members = Arc::from([(from.clone(), Role::Member), (other, Role::Member)]);
        let (epoch, at) = (Epoch::new(epoch), self.out.now.unix);
        self.begin(asker, Create { id, kind, title, epoch, at, from, members }, Some(pair));
    }

    fn may_be_direct(&self, person: PersonKey, user: &Name) -> Result<PersonKey, Refusal> {
        let other = self.people.named(user.as_str()).ok_or(Refusal::NoUser)?;
        match other {
            _ if self.people[person].is_guest() => Err(Refusal::GuestsNot),
            _ if other == person => Err(Refusal::Oneself),
            _ if self.people[other].is_guest() => Err(Refusal::GuestsNot),
            _ => Ok(other),
        }
    }

    fn may_begin_direct(&mut self, person: PersonKey, other: &Author) -> Result<(), Refusal> {
        let is_busy = |key: PersonKey| self.people[key].rooms.len() >= ROOMS_PER_PERSON_MAX;
        let other = self.people.find(other.id);
        if self.is_full(RoomKind::Direct) || is_busy(person) || other.is_some_and(is_busy) {
            return Err(Refusal::TooMany);
        }
        self.take_entry(person)
    }

    fn begin(&mut self, asker: Asker, create: Create, pair: Option<Pair>) {
        let log = Log::of(create.kind);
        self.rooms_under_way += usize::from(log == Log::Store);
        let write = Write::Create(create.clone());
        self.write(log, Waiting::Create { asker, create, pair }, write);
    }

    /// A room is there, or did not come to be.
    pub(super) fn room_written(
        &mut self,
        asker: Asker,
        create: Create,
        pair: Option<Pair>,
        written: Written,
    ) {
        self.rooms_under_way -= usize::from(Log::of(create.kind) == Log::Store);
        let by = create.from.id;
        let result = match written {
            Written::Created { room, entry } => {
                Ok(self.open(Room::begin(room, &create, &entry), pair, &create.members, asker))
            }
            failed => {
                if create.kind == RoomKind::Open {
                    self.rooms.free_name(&create.id);
                }
                Err(match failed {
                    Written::Failed(failure) => failure.into(),
                    // There is a room of that id in the log that is not in memory.
                    Written::Stale => Refusal::NameTaken,
                    _ => Refusal::Corrupt,
                })
            }
        };
        self.answer_with_room(asker, by, result);
        for ticket in pair.and_then(|pair| self.pairs.remove(&pair)).unwrap_or_default() {
            if let Some(Waiting::Direct { asker, by }) = self.resolve(ticket) {
                self.answer_with_room(asker, by, result);
            }
        }
    }

    /// Takes a room in, with those who are in it from the first. Who asked is told of it by the answer.
    fn open(
        &mut self,
        room: Room,
        pair: Option<Pair>,
        members: &[(Author, Role)],
        asker: Asker,
    ) -> RoomKey {
        let kind = room.kind;
        let key = self.rooms.insert(room, pair);
        let except = match asker {
            Asker::Session(session, _) => Some(session),
            Asker::Call(_) | Asker::Join(_) | Asker::Nobody => None,
        };
        for (author, role) in members {
            if let Some(person) = self.people.find(author.id)
                && (kind == RoomKind::Direct || !self.people[person].is_deleted())
            {
                self.take_into(key, person, *role, except);
            }
        }
        self.end_invite_later(key);
        key
    }

    fn answer_with_room(&mut self, asker: Asker, by: PersonId, result: Result<RoomKey, Refusal>) {
        let answer = result.and_then(|key| {
            let person = self.people.find(by).ok_or(Refusal::NoUser)?;
            Ok(Answer::Room(Box::new(self.summary(key, person))))
        });
        self.answer(asker, answer);
    }
}
