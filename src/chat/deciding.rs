//! What becomes of a wish, as the rules are now: the entry that it makes, or the refusal.
//!
//! Pure: reads the state and changes nothing, so that it can be asked again whenever the rules have changed.

use std::sync::Arc;

use super::Chat;
use super::command::Act;
use super::effect::RoomKey;
use super::entry::{Mode, Post, What};
use super::keys::PersonKey;
use super::limits::{
    MEMBERS_MAX, MUTE_MS_MAX, PINS_MAX, REACTIONS_MAX, ROOMS_PER_PERSON_MAX, SLOW_MS_MAX,
};
use super::log::Guard;
use super::members::rank;
use super::mention;
use super::name::Name;
use super::now::UnixMs;
use super::pending::{Asked, Chore, Wish};
use super::permission::{Deed, Standing};
use super::person::Author;
use super::refusal::Refusal;
use super::role::Role;
use super::room::Room;
use super::room_id::RoomKind;
use super::seq::Seq;
use super::text::{Body, PostKey};

/// What is to be written.
#[derive(Debug)]
pub(super) struct Decision {
    pub(super) room: RoomKey,
    pub(super) person: PersonKey,
    pub(super) guard: Guard,
    pub(super) what: What,
}

/// How somebody can come to be sent what happens in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Entrance {
    /// As the member that they are.
    Member,
    /// As a new member, by an entry.
    ByEntry,
    /// As a new member, without one: guests come and go in open rooms, and their memberships with them.
    Quietly,
}

impl Chat {
    pub(super) fn decide(&self, asked: &Asked) -> Result<Decision, Refusal> {
        let key = self.rooms.find(&asked.room).ok_or(Refusal::NoRoom)?;
        let person = self.people.find(asked.by.id).ok_or(Refusal::NoUser)?;
        let room = &self.rooms[key];
        let (guard, what) = match &asked.wish {
            Wish::Chore(chore) => (Guard::None, self.decide_chore(room, person, *chore)?),
            // Only chores are done for those who have gone for good.
            _ if self.people[person].is_deleted() => return Err(Refusal::NoUser),
            Wish::Join => match self.entrance(room, person)? {
                Entrance::ByEntry => (Guard::None, What::Join),
                Entrance::Member | Entrance::Quietly => return Err(Refusal::Already),
            },
            Wish::Post { key, body, reply_to } => {
                self.decide_post(room, person, key.as_ref(), body, *reply_to)?
            }
            Wish::Act(act) => self.decide_act(room, person, act)?,
        };
        Ok(Decision { room: key, person, guard, what })
    }

    /// How a person can come in.
    ///
    /// # Errors
    /// [`Refusal::NoRoom`] where they must not know of it, [`Refusal::Banned`], [`Refusal::TooMany`].
    pub(super) fn entrance(&self, room: &Room, person: PersonKey) -> Result<Entrance, Refusal> {
        if room.is_member(person) {
            return Ok(Entrance::Member);
        }
        let newcomer = &self.people[person];
        let is_full = room.is_invite() && room.members.len() >= MEMBERS_MAX;
        match room.kind {
            RoomKind::Group | RoomKind::Direct => Err(Refusal::NoRoom),
            _ if room.banned.contains(&newcomer.author.id) => Err(Refusal::Banned),
            _ if is_full || newcomer.rooms.len() >= ROOMS_PER_PERSON_MAX => Err(Refusal::TooMany),
            RoomKind::Open if newcomer.is_guest() => Ok(Entrance::Quietly),
            RoomKind::Lobby | RoomKind::Open | RoomKind::Invite => Ok(Entrance::ByEntry),
        }
    }

    fn decide_chore(&self, room: &Room, person: PersonKey, chore: Chore) -> Result<What, Refusal> {
        let known = &self.people[person];
        let may_come = !known.is_deleted() && !room.banned.contains(&known.author.id);
        let is_last_owner = room.role_of(person) == Some(Role::Owner) && room.owners == 1;
        // What one did not ask for can come after one has left; the lobby nobody leaves.
        let is_there = room.kind == RoomKind::Lobby || room.is_member(person);
        let crown = |heir| What::Role { user: self.author(heir), role: Role::Owner };
        match chore {
            Chore::Crown | Chore::Bequeath if room.owners > 0 => Err(Refusal::Already),
            Chore::Crown if is_there => Ok(crown(person)),
            Chore::Crown | Chore::Bequeath => {
                self.heir(room, None).map(crown).ok_or(Refusal::Already)
            }
            Chore::Leave if is_last_owner => {
                Ok(self.heir(room, Some(person)).map_or(What::Leave, crown))
            }
            Chore::Leave if room.is_member(person) => Ok(What::Leave),
            Chore::Join if !room.is_member(person) && may_come => Ok(What::Join),
            Chore::Succeed(role) if room.role_of(person).is_some_and(|own| own != role) => {
                Ok(What::Role { user: self.author(person), role })
            }
            Chore::Leave | Chore::Join | Chore::Succeed(_) => Err(Refusal::Already),
        }
    }

    /// Who owns a room after its last owner, who may still be there: the one of the highest role, and of those the oldest
    /// account. The lobby, where members are not chosen, passes to admins only.
    fn heir(&self, room: &Room, owner: Option<PersonKey>) -> Option<PersonKey> {
        let others = room.members.iter().filter(|(person, _)| Some(*person) != owner);
        let least = if room.kind == RoomKind::Lobby { Role::Admin } else { Role::Reader };
        let heirs = others.filter(|(person, member)| {
            let person = &self.people[*person];
            let can_own = room.is_invite() || !person.is_guest();
            can_own && !person.is_deleted() && member.role >= least
        });
        let rank = |person: PersonKey, role| rank(role, self.people[person].author.id);
        heirs.max_by_key(|(person, member)| rank(*person, member.role)).map(|(person, _)| person)
    }

    fn decide_post(
        &self,
        room: &Room,
        person: PersonKey,
        key: Option<&PostKey>,
        body: &Body,
        reply_to: Option<Seq>,
    ) -> Result<(Guard, What), Refusal> {
        let standing = self.standing(room, person)?;
        standing.may(Deed::Post)?;
        if room.mode.slow_ms > 0 && !standing.moderates() {
            let id = self.people[person].author.id;
            let after_ms = room.slow_wait_ms(id, self.out.now.mono_ms);
            if after_ms > 0 {
                return Err(Refusal::Slow { after_ms });
            }
        }
        let mentions = self.mentions(room, body.as_str());
        let post = Post { key: key.cloned(), body: body.clone(), reply_to, mentions };
        Ok((reply_to.map_or(Guard::None, Guard::Post), What::Post(post)))
    }

    /// Who is mentioned, of those who may read it.
    fn mentions(&self, room: &Room, text: &str) -> Arc<[Author]> {
        if !text.as_bytes().contains(&b'@') {
            return self.nobody.clone();
        }
        let mut mentioned = Vec::new();
        for word in mention::words(text) {
            let can_read = |name| self.people.named(name).filter(|key| room.is_member(*key));
            if let Some(person) = mention::readings(word).find_map(can_read)
                && !mentioned.contains(&person)
            {
                mentioned.push(person);
            }
        }
        mentioned.into_iter().map(|person| self.author(person)).collect()
    }

    fn decide_act(
        &self,
        room: &Room,
        person: PersonKey,
        act: &Act,
    ) -> Result<(Guard, What), Refusal> {
        let standing = self.standing(room, person)?;
        standing.may(Deed::from(act))?;
        let own = |post| Guard::PostBy(post, self.people[person].author.id);
        let what = match act {
            Act::Edit { post, body } => {
                let edit = What::Edit { post: *post, body: Some(body.clone()) };
                return Ok((own(*post), edit));
            }
            Act::Delete { post } => {
                let guard = if standing.moderates() { Guard::Post(*post) } else { own(*post) };
                return Ok((guard, What::Delete { post: *post }));
            }
            Act::React { post, emoji, on } => {
                let react = What::React { post: *post, emoji: emoji.clone(), on: *on };
                let has_room = Guard::Reaction(*post, REACTIONS_MAX);
                return Ok((if *on { has_room } else { Guard::Post(*post) }, react));
            }
            Act::Pin { post, on } => {
                let guard = if *on { Guard::Pin(*post, PINS_MAX) } else { Guard::Post(*post) };
                return Ok((guard, What::Pin { post: *post, on: *on }));
            }
            Act::Add { user, role } => self.decide_add(room, standing, user, *role)?,
            Act::Remove { user } => {
                let target = self.other_member(room, person, user)?;
                standing.outranks(room.role_of(target))?;
                What::Remove { user: self.author(target) }
            }
            Act::Leave => self.decide_leave(room, standing, person)?,
            Act::Role { user, role } => self.decide_role(room, standing, person, user, *role)?,
            Act::Rename { title } => {
                changed(room.title.as_deref() != Some(title))?;
                What::Rename { title: title.clone() }
            }
            Act::Ban { user, on } => self.decide_ban(room, standing, person, user, *on)?,
            Act::Mute { user, for_ms } => {
                self.decide_mute(room, standing, person, user, *for_ms)?
            }
            Act::ReadOnly { on } => {
                changed(room.mode.read_only != *on)?;
                What::Mode(Mode { read_only: *on, ..room.mode })
            }
            Act::Slow { slow_ms } => {
                let slow_ms = (*slow_ms).min(SLOW_MS_MAX);
                changed(room.mode.slow_ms != slow_ms)?;
                What::Mode(Mode { slow_ms, ..room.mode })
            }
        };
        Ok((Guard::None, what))
    }

    fn decide_add(
        &self,
        room: &Room,
        standing: Standing,
        user: &Name,
        role: Role,
    ) -> Result<What, Refusal> {
        let target = self.target(user)?;
        let newcomer = &self.people[target];
        changed(!room.is_member(target))?;
        if newcomer.is_guest() {
            return Err(Refusal::GuestsNot);
        }
        if room.banned.contains(&newcomer.author.id) {
            return Err(Refusal::Banned);
        }
        standing.may_give(role)?;
        let is_full = room.members.len() >= MEMBERS_MAX;
        if is_full || newcomer.rooms.len() >= ROOMS_PER_PERSON_MAX {
            return Err(Refusal::TooMany);
        }
        Ok(What::Add { user: newcomer.author.clone(), role })
    }

    fn decide_role(
        &self,
        room: &Room,
        standing: Standing,
        person: PersonKey,
        user: &Name,
        role: Role,
    ) -> Result<What, Refusal> {
        let target = self.member(room, user)?;
        let before = room.role_of(target);
        changed(before != Some(role))?;
        if target == person {
            // One can only step down.
            if role > standing.role {
                return Err(Refusal::NotAllowed);
            }
            keeps_an_owner(room, standing)?;
        } else {
            standing.outranks(before)?;
            standing.may_give(role)?;
        }
        if self.people[target].is_guest() && !room.is_invite() {
            return Err(Refusal::GuestsNot);
        }
        Ok(What::Role { user: self.author(target), role })
    }

    fn decide_ban(
        &self,
        room: &Room,
        standing: Standing,
        person: PersonKey,
        user: &Name,
        on: bool,
    ) -> Result<What, Refusal> {
        let target = self.target(user)?;
        let user = self.author(target);
        if target == person {
            return Err(Refusal::Oneself);
        }
        changed(room.banned.contains(&user.id) != on)?;
        standing.outranks(room.role_of(target))?;
        Ok(What::Ban { user, on })
    }

    fn decide_mute(
        &self,
        room: &Room,
        standing: Standing,
        person: PersonKey,
        user: &Name,
        for_ms: u64,
    ) -> Result<What, Refusal> {
        let target = self.other_member(room, person, user)?;
        standing.outranks(room.role_of(target))?;
        let now = self.out.now.unix;
        let is_muted = room.members.find(target).is_some_and(|member| member.muted_until > now);
        changed(for_ms > 0 || is_muted)?;
        let until = match for_ms {
            0 => UnixMs(0),
            _ => UnixMs(now.0.saturating_add(for_ms.min(MUTE_MS_MAX))),
        };
        Ok(What::Mute { user: self.author(target), until })
    }

    fn standing(&self, room: &Room, person: PersonKey) -> Result<Standing, Refusal> {
        Standing::of(room, person, self.out.now.unix)
    }

    /// Somebody who is known.
    fn target(&self, user: &Name) -> Result<PersonKey, Refusal> {
        self.people.named(user.as_str()).ok_or(Refusal::NoUser)
    }

    /// Somebody who is in the room.
    fn member(&self, room: &Room, user: &Name) -> Result<PersonKey, Refusal> {
        let target = self.target(user)?;
        room.is_member(target).then_some(target).ok_or(Refusal::NoUser)
    }

    /// Somebody else who is in the room.
    fn other_member(
        &self,
        room: &Room,
        person: PersonKey,
        user: &Name,
    ) -> Result<PersonKey, Refusal> {
        match self.member(room, user)? {
            target if target == person => Err(Refusal::Oneself),
            target => Ok(target),
        }
    }

    /// The last owner may go where nobody stays who could be made another: a guest who visits an open room cannot.
    fn decide_leave(
        &self,
        room: &Room,
        standing: Standing,
        person: PersonKey,
    ) -> Result<What, Refusal> {
        match keeps_an_owner(room, standing) {
            Err(refusal) if self.heir(room, Some(person)).is_some() => Err(refusal),
            _ => Ok(What::Leave),
        }
    }

    fn author(&self, person: PersonKey) -> Author {
        self.people[person].author.clone()
    }
}

/// Whether a room has an owner still when this member no longer is.
fn keeps_an_owner(room: &Room, standing: Standing) -> Result<(), Refusal> {
    match standing.role == Role::Owner && room.owners == 1 {
        true => Err(Refusal::LastOwner),
        false => Ok(()),
    }
}

/// Refuses what is so already.
fn changed(is_change: bool) -> Result<(), Refusal> {
    if is_change { Ok(()) } else { Err(Refusal::Already) }
}
