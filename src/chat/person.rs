//! Who can be in a room.

use super::name::Name;

/// A person: an account's number in the store, or a guest's random number, which has the highest bit set. Never used
/// again for another person.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PersonId(pub u64);

impl PersonId {
    /// A guest, from 63 random bits.
    pub fn guest(random: u64) -> Self {
        Self(random | GUEST)
    }

    /// True for a person without an account.
    pub fn is_guest(self) -> bool {
        self.0 & GUEST != 0
    }
}

const GUEST: u64 = 1 << 63;

/// Who did something, as it is kept with what was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Author {
    /// Who.
    pub id: PersonId,
    /// What they were called; a name never passes to another account.
    pub name: Name,
}

/// How a person is shown beside the name.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Profile {
    /// A second, freely spaced name; not unique by itself, but never one that imitates somebody else's.
    pub display: Option<Name>,
    /// A hue of the colour circle, 0–359. Without one, clients derive it from the name.
    pub hue: Option<u16>,
}
