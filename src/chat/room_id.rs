//! What rooms are called, by people and by programs.

use std::fmt;
use std::sync::Arc;

use super::name::{self, NameFault};

/// What a client calls a room.
///
/// | kind | id |
/// | --- | --- |
/// | lobby, open | its name, case folded: 1–32 characters as in [`Name`](super::Name) |
/// | group, direct | `~` and 22 characters of base64url (RFC 4648 §5): opaque |
/// | invite | `~` and 22 characters of base64url: the token, 128 random bits |
///
/// No name begins with `~`, so that no open room can be mistaken for another kind.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomId(Arc<str>);

impl RoomId {
    /// The room that everybody is in.
    pub fn lobby() -> Self {
        Self("lobby".into())
    }

    /// As a client sent it: folded if it is a name, and refused if no room could have it.
    ///
    /// # Errors
    /// The rule that it breaks.
    pub fn parse(text: &str) -> Result<Self, NameFault> {
        match text.strip_prefix('~') {
            Some(token) => {
                let is_base64url = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
                let is_token = token.len() == TOKEN_CHARS && token.bytes().all(is_base64url);
                is_token.then(|| Self(text.into())).ok_or(NameFault::Character)
            }
            None => name::folded(text).map(|name| Self(name.into())),
        }
    }

    /// As a store kept it.
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// An id that nobody can guess, from 128 random bits.
    pub fn secret(random: u128) -> Self {
        let mut text = String::with_capacity(1 + TOKEN_CHARS);
        text.push('~');
        for place in (0..TOKEN_CHARS).rev() {
            let digit = (random >> (place * 6)) & 0x3F;
            text.push(char::from(BASE64URL[usize::try_from(digit).expect("six bits")]));
        }
        Self(text.into())
    }

    /// Its text, shared.
    pub fn shared(&self) -> Arc<str> {
        self.0.clone()
    }

    /// As it is stored and sent.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RoomId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// 128 bits, six to a character.
const TOKEN_CHARS: usize = 22;
const BASE64URL: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// A durable room's number in the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomNo(pub u64);

/// How people come to be in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RoomKind {
    /// Everybody is in it.
    Lobby,
    /// Listed; joined by name.
    Open,
    /// Members are added.
    Group,
    /// The one room of two people.
    Direct,
    /// Who has its token may come in. In memory only.
    Invite,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::name::NAME_CHARS_MAX;

    #[test]
    fn what_a_room_was_begun_with_finds_it_again() {
        let chars = (0..=0x10_FFFF).filter_map(char::from_u32);
        let texts = chars.flat_map(|c| [1, 2, 17, NAME_CHARS_MAX].map(|n| c.to_string().repeat(n)));
        let ids: Vec<_> = texts.filter_map(|text| RoomId::parse(&text).ok()).collect();
        assert!(ids.len() > 100_000, "{}", ids.len());
        for id in ids {
            assert!(id.as_str().chars().count() <= NAME_CHARS_MAX, "{id}");
            assert_eq!(RoomId::parse(id.as_str()).as_ref(), Ok(&id));
        }
    }

    #[test]
    fn a_name_that_grows_as_it_is_folded_is_too_long_then() {
        let id = RoomId::parse(&"İ".repeat(16)).unwrap();
        assert_eq!(id.as_str().chars().count(), NAME_CHARS_MAX);
        assert_eq!(RoomId::parse(&"İ".repeat(17)), Err(NameFault::TooLong));
    }
}
