//! Who may do what: one table.
//!
//! Everything that is asked for in a room is a [`Deed`]. Of each the table says in which kinds of rooms it is done at all,
//! which role it takes, and whether it takes a voice. Whom it may be done to is a matter of ranks: of lower roles than
//! one's own. Pure decisions upon a [`Standing`]; whoever asks finds out the standing first, and refuses those who have
//! none.

use super::command::Act;
use super::keys::PersonKey;
use super::now::UnixMs;
use super::refusal::Refusal;
use super::role::Role;
use super::room::Room;
use super::room_id::RoomKind;

/// What can be done in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Deed {
    Post,
    Edit,
    Delete,
    React,
    Pin,
    Add,
    Remove,
    Leave,
    GiveRole,
    Rename,
    Ban,
    Mute,
    SetMode,
}

/// What a member is in a room at a moment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) kind: RoomKind,
    pub(super) role: Role,
    /// How long the member is muted still.
    pub(super) muted_ms: u64,
    /// Only admins post.
    pub(super) read_only: bool,
}

/// What a deed takes.
struct Rule {
    kinds: &'static [RoomKind],
    least: Role,
    voice: Voice,
}

/// Whether one must be allowed to speak.
#[derive(Clone, Copy)]
enum Voice {
    /// No.
    Silent,
    /// One must not be muted.
    Unmuted,
    /// And the room must take posts.
    Heard,
}

impl Deed {
    #[rustfmt::skip]
    fn rule(self) -> Rule {
        use Role::{Admin, Member, Reader};
        use Voice::{Heard, Silent, Unmuted};
        let (kinds, least, voice): (&[RoomKind], _, _) = match self {
            Deed::Post     => (ALL,       Member, Heard),
            // An edit says something new.
            Deed::Edit     => (ALL,       Member, Heard),
            // One's own; who moderates, anybody's.
            Deed::Delete   => (ALL,       Reader, Silent),
            Deed::React    => (ALL,       Member, Unmuted),
            Deed::Pin      => (ALL,       Admin,  Silent),
            Deed::Add      => (GROUP,     Admin,  Silent),
            Deed::Remove   => (LEFT,      Admin,  Silent),
            Deed::Leave    => (LEFT,      Reader, Silent),
            Deed::GiveRole => (MODERATED, Admin,  Silent),
            Deed::Rename   => (GROUP,     Admin,  Silent),
            Deed::Ban      => (LEFT,      Admin,  Silent),
            Deed::Mute     => (MODERATED, Admin,  Silent),
            Deed::SetMode  => (MODERATED, Admin,  Silent),
        };
        Rule { kinds, least, voice }
    }
}

const ALL: &[RoomKind] =
    &[RoomKind::Lobby, RoomKind::Open, RoomKind::Group, RoomKind::Direct, RoomKind::Invite];
const GROUP: &[RoomKind] = &[RoomKind::Group];
/// Where somebody is above somebody.
const MODERATED: &[RoomKind] =
    &[RoomKind::Lobby, RoomKind::Open, RoomKind::Group, RoomKind::Invite];
/// Which one can leave, and be put out of.
const LEFT: &[RoomKind] = &[RoomKind::Open, RoomKind::Group, RoomKind::Invite];

impl From<&Act> for Deed {
    fn from(act: &Act) -> Self {
        match act {
            Act::Edit { .. } => Deed::Edit,
            Act::Delete { .. } => Deed::Delete,
            Act::React { .. } => Deed::React,
            Act::Pin { .. } => Deed::Pin,
            Act::Add { .. } => Deed::Add,
            Act::Remove { .. } => Deed::Remove,
            Act::Leave => Deed::Leave,
            Act::Role { .. } => Deed::GiveRole,
            Act::Rename { .. } => Deed::Rename,
            Act::Ban { .. } => Deed::Ban,
            Act::Mute { .. } => Deed::Mute,
            Act::ReadOnly { .. } | Act::Slow { .. } => Deed::SetMode,
        }
    }
}

impl Standing {
    /// What a person is in a room.
    ///
    /// # Errors
    /// If the person may not read there: what a room that must be known already answers, and one that must not be known
    /// of. Who holds an invite's token knows of its room.
    pub(super) fn of(room: &Room, person: PersonKey, now: UnixMs) -> Result<Self, Refusal> {
        let Some(role) = room.role_of(person) else {
            return Err(match room.kind {
                RoomKind::Lobby | RoomKind::Open | RoomKind::Invite => Refusal::NotMember,
                RoomKind::Group | RoomKind::Direct => Refusal::NoRoom,
            });
        };
        let muted_until = room.members.find(person).map_or(UnixMs(0), |member| member.muted_until);
        Ok(Self {
            kind: room.kind,
            role,
            muted_ms: muted_until.0.saturating_sub(now.0),
            read_only: room.mode.read_only,
        })
    }

    /// Whether this member may do such a thing at all.
    ///
    /// # Errors
    /// The rule that is against it: first the room's kind, then the role, then the voice.
    pub(super) fn may(self, deed: Deed) -> Result<(), Refusal> {
        let Rule { kinds, least, voice } = deed.rule();
        if !kinds.contains(&self.kind) {
            return Err(Refusal::WrongKind);
        }
        // In a direct room nobody is above anybody: both may pin.
        let is_shared = deed == Deed::Pin && self.kind == RoomKind::Direct;
        if self.role < least && !is_shared {
            return Err(Refusal::NotAllowed);
        }
        let (must_be_unmuted, must_be_heard) = match voice {
            Voice::Silent => (false, false),
            Voice::Unmuted => (true, false),
            Voice::Heard => (true, true),
        };
        if must_be_unmuted && self.muted_ms > 0 {
            return Err(Refusal::Muted { after_ms: self.muted_ms });
        }
        if must_be_heard && self.read_only && !self.moderates() {
            return Err(Refusal::ReadOnly);
        }
        Ok(())
    }

    /// True for those above the others: waits are not for them, and they may delete anybody's posts.
    pub(super) fn moderates(self) -> bool {
        self.role >= Role::Admin
    }

    /// Whether this member is above somebody of that role; a stranger is below all.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] if not.
    pub(super) fn outranks(self, other: Option<Role>) -> Result<(), Refusal> {
        match other.is_none_or(|other| other < self.role) {
            true => Ok(()),
            false => Err(Refusal::NotAllowed),
        }
    }

    /// Whether this member may make somebody that: less than themselves, or an owner another owner.
    ///
    /// # Errors
    /// [`Refusal::NotAllowed`] if not.
    pub(super) fn may_give(self, role: Role) -> Result<(), Refusal> {
        match role < self.role || self.role == Role::Owner {
            true => Ok(()),
            false => Err(Refusal::NotAllowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn standing(role: Role) -> Standing {
        Standing { kind: RoomKind::Group, role, muted_ms: 0, read_only: false }
    }

    #[test]
    fn kind_comes_before_role_and_role_before_voice() {
        let reader = Standing { kind: RoomKind::Direct, muted_ms: 5, ..standing(Role::Reader) };
        assert_eq!(reader.may(Deed::Ban), Err(Refusal::WrongKind));
        assert_eq!(reader.may(Deed::Post), Err(Refusal::NotAllowed));
        let muted = Standing { muted_ms: 5, read_only: true, ..standing(Role::Member) };
        assert_eq!(muted.may(Deed::Post), Err(Refusal::Muted { after_ms: 5 }));
        assert_eq!(Standing { muted_ms: 0, ..muted }.may(Deed::Post), Err(Refusal::ReadOnly));
        assert_eq!(Standing { muted_ms: 0, ..muted }.may(Deed::React), Ok(()));
        assert_eq!(muted.may(Deed::Delete), Ok(()));
    }

    #[test]
    fn one_acts_on_lower_ranks_and_an_owner_makes_owners() {
        let ranks = [Role::Reader, Role::Member, Role::Admin, Role::Owner];
        let below = |own: Role| ranks.map(|r| standing(own).outranks(Some(r)).is_ok());
        assert_eq!(below(Role::Admin), [true, true, false, false]);
        assert_eq!(below(Role::Owner), [true, true, true, false]);
        assert!(standing(Role::Admin).outranks(None).is_ok());
        let gives = |own: Role| ranks.map(|r| standing(own).may_give(r).is_ok());
        assert_eq!(gives(Role::Admin), [true, true, false, false]);
        assert_eq!(gives(Role::Owner), [true; 4]);
    }
}
