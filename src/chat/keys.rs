//! What persons and sessions are found by in memory; a room's is [`RoomKey`](super::effect::RoomKey), which those outside
//! know as well.

use super::slots::Place;

/// A person in memory. An account's for good; a guest's until it is forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct PersonKey(pub(super) u32);

/// A session in memory. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct SessionKey(pub(super) Place);
