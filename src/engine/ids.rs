//! The names of connections and audiences.
//!
//! Owns what a name is, and how a connection's travels through the poller as a token. Knows nothing of what is named.
//!
//! Invariants: a [`ConnId`]'s generation is given once in the life of an engine, so that an id, or a readiness event that
//! the poller still holds, for a connection that is gone never finds its successor in the same slot. Generation 0 is never
//! given; tokens of generation 0 name the listeners and the waker.

use std::fmt;

use mio::Token;

/// Names one connection for as long as the process runs.
///
/// Small and `Copy`; ids are never reused, so holding one after the connection has gone is harmless: whatever is
/// recorded for it is dropped.
///
/// ```
/// use std::collections::HashMap;
/// use wsrelay::engine::ConnId;
///
/// let mut nicks: HashMap<ConnId, String> = HashMap::new(); // an id is a fine key
/// # nicks.clear();
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct ConnId {
    pub(super) index: u32,
    pub(super) generation: u32,
}

impl ConnId {
    /// The slot, dense from 0: what an array of per-connection state is indexed by (see [`ConnMap`](super::ConnMap)).
    pub fn index(self) -> usize {
        self.index as usize
    }

    /// The id as a number, for those who know connections by numbers alone.
    pub fn to_bits(self) -> u64 {
        u64::from(self.generation) << 32 | u64::from(self.index)
    }

    /// The id that [`to_bits`](Self::to_bits) made this number of. Of any other number it makes an id that names nothing.
    pub fn from_bits(bits: u64) -> Self {
        let half = |bits: u64| u32::try_from(bits & 0xffff_ffff).expect("masked to 32 bits");
        Self { index: half(bits), generation: half(bits >> 32) }
    }

    /// A connection that there never was, for tests of what stands on the engine.
    #[cfg(test)]
    pub(crate) fn imagined(index: u32) -> Self {
        Self { index, generation: 1 }
    }

    pub(super) fn slot(self) -> u32 {
        self.index
    }

    pub(super) fn token(self) -> Token {
        Token((self.generation as usize) << 32 | self.index as usize)
    }

    /// The connection that a readiness event is about, or `None` when it is about a listener or the waker.
    pub(super) fn of_token(token: Token) -> Option<ConnId> {
        let generation = u32::try_from(token.0 >> 32).expect("a usize has 64 bits");
        let index = u32::try_from(token.0 & 0xffff_ffff).expect("masked to 32 bits");
        (generation != 0).then_some(ConnId { index, generation })
    }
}

impl fmt::Display for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "conn {}", self.generation)
    }
}

impl fmt::Debug for ConnId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ConnId({}@{})", self.generation, self.index)
    }
}

/// Names a set of connections that are published to together. From [`Actions::open_audience`](super::Actions::open_audience), until
/// [`Actions::close_audience`](super::Actions::close_audience); not to be used after that, since another audience may then bear the number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct AudienceId(pub(super) u32);

impl AudienceId {
    pub(super) fn index(self) -> usize {
        self.0 as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_leads_back_to_its_connection_and_to_no_other_in_its_slot() {
        let old = ConnId { index: 3, generation: 7 };
        let new = ConnId { index: 3, generation: 9 };
        assert_eq!(ConnId::of_token(old.token()), Some(old));
        assert_eq!(ConnId::from_bits(old.to_bits()), old);
        assert_ne!(old.token(), new.token());
        assert_eq!(ConnId::of_token(Token(12)), None, "a listener's token names no connection");
    }
}
