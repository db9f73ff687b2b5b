//! Who is connected: a dense array of connections and the ids that name them.
//!
//! Owns the slab of [`Conn`]s and hands out [`ConnId`]s. It never reads or writes a socket.
//!
//! Invariants:
//! * A generation is given once: the counter runs over all insertions, not per slot, so an id (or a readiness event
//!   that the poller still holds) for a connection that is gone never finds its successor in the same slot.
//! * Generation 0 is never given; tokens of generation 0 name the listeners and the waker.

use std::fmt;

use mio::Token;
use slab::Slab;

use super::conn::Conn;

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
    index: u32,
    generation: u32,
}

impl ConnId {
    /// The slot, dense from 0: what an array of per-connection state is indexed by (see [`ConnMap`]).
    pub fn index(self) -> usize {
        self.index as usize
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

/// All connections, by slot.
#[derive(Debug, Default)]
pub(super) struct Slots {
    slab: Slab<Conn>,
    generation: u32,
}

impl Slots {
    pub(super) fn len(&self) -> usize {
        self.slab.len()
    }

    /// Puts a connection into the first free slot. `make` is told its id.
    pub(super) fn insert(&mut self, make: impl FnOnce(ConnId) -> Conn) -> ConnId {
        self.generation = self.generation.checked_add(1).unwrap_or(1);
        let entry = self.slab.vacant_entry();
        let index = u32::try_from(entry.key()).expect("descriptors are numbered by 31 bits");
        let id = ConnId { index, generation: self.generation };
        entry.insert(make(id));
        id
    }

    /// The connection that `id` names, unless it has gone.
    pub(super) fn find(&mut self, id: ConnId) -> Option<&mut Conn> {
        self.slab.get_mut(id.index()).filter(|conn| conn.id == id)
    }

    /// The connection in a slot that is known to be taken: audiences list only the living.
    pub(super) fn at(&mut self, slot: u32) -> &mut Conn {
        &mut self.slab[slot as usize]
    }

    /// The connection in a slot, if there is one.
    pub(super) fn find_at(&mut self, slot: u32) -> Option<&mut Conn> {
        self.slab.get_mut(slot as usize)
    }

    /// Takes a connection out; its slot is free for another. Only `reap` calls this.
    pub(super) fn remove(&mut self, id: ConnId) -> Option<Conn> {
        self.find(id)?;
        Some(self.slab.remove(id.index()))
    }

    /// Gives memory back when most slots are free, as far as no connection sits behind them. Each time at least half
    /// of the slots go, so that many removals together pay for it.
    pub(super) fn shrink(&mut self) {
        let capacity = self.slab.capacity();
        if capacity > SLOTS_KEPT && self.slab.len() < capacity / 4 {
            self.slab.shrink_to_fit();
        }
    }

    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.slab.iter().map(|(_, conn)| conn.id).collect()
    }
}

/// Slots that are kept in any case: an array this small is not worth giving back.
const SLOTS_KEPT: usize = 1024;

/// State that a service keeps for each connection: a dense array indexed by slot, where stale ids miss.
///
/// Cheaper than a hash map (no hashing, no spare buckets): `size_of::<Option<(u32, T)>>()` bytes a connection.
///
/// ```
/// use wsrelay::engine::{ConnId, ConnMap};
///
/// fn rename(nicks: &mut ConnMap<String>, id: ConnId, nick: &str) {
///     nicks.insert(id, nick.to_owned());
///     assert_eq!(nicks.find(id).map(String::as_str), Some(nick));
/// }
/// # let _ = rename;
/// ```
#[derive(Debug)]
pub struct ConnMap<T> {
    entries: Vec<Option<(u32, T)>>,
    len: usize,
}

impl<T> ConnMap<T> {
    /// An empty map; allocates nothing.
    pub const fn new() -> Self {
        Self { entries: Vec::new(), len: 0 }
    }

    /// Connections that have an entry.
    pub fn len(&self) -> usize {
        self.len
    }

    /// True when no connection has an entry.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Sets the entry of `id`, in place of whatever its slot held.
    pub fn insert(&mut self, id: ConnId, value: T) {
        if id.index() >= self.entries.len() {
            self.entries.resize_with(id.index() + 1, || None);
        }
        let before = self.entries[id.index()].replace((id.generation, value));
        self.len += usize::from(before.is_none());
    }

    /// The entry of `id`, or `None` when it has none or the connection's slot has passed to another.
    pub fn find(&self, id: ConnId) -> Option<&T> {
        match self.entries.get(id.index()) {
            Some(Some((generation, value))) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    /// Like [`find`](Self::find), to change it.
    pub fn find_mut(&mut self, id: ConnId) -> Option<&mut T> {
        match self.entries.get_mut(id.index()) {
            Some(Some((generation, value))) if *generation == id.generation => Some(value),
            _ => None,
        }
    }

    /// Takes the entry of `id` out. Gives memory back when most of the map is empty.
    pub fn remove(&mut self, id: ConnId) -> Option<T> {
        self.find(id)?;
        let (_, value) = self.entries[id.index()].take().expect("found above");
        self.len -= 1;
        if self.len < self.entries.len() / 4 && self.entries.len() > SLOTS_KEPT {
            self.shrink();
        }
        Some(value)
    }

    fn shrink(&mut self) {
        let used = self.entries.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        self.entries.truncate(used);
        self.entries.shrink_to_fit();
    }
}

impl<T> Default for ConnMap<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: ConnId = ConnId { index: 3, generation: 7 };
    const NEW: ConnId = ConnId { index: 3, generation: 9 };

    #[test]
    fn a_token_leads_back_to_its_connection() {
        assert_eq!(ConnId::of_token(OLD.token()), Some(OLD));
        assert_ne!(OLD.token(), NEW.token());
        assert_eq!(ConnId::of_token(Token(12)), None, "a listener's token names no connection");
    }

    #[test]
    fn a_stale_id_finds_nothing_in_a_slot_that_was_passed_on() {
        let mut map = ConnMap::new();
        map.insert(OLD, "ann");
        assert_eq!(map.find(OLD), Some(&"ann"));
        map.insert(NEW, "bo");
        assert_eq!(map.find(OLD), None);
        assert_eq!(map.remove(OLD), None);
        assert_eq!(map.remove(NEW), Some("bo"));
        assert!(map.is_empty());
    }

    #[test]
    fn a_map_gives_memory_back_when_its_connections_have_gone() {
        let id = |index| ConnId { index, generation: 1 };
        let mut map = ConnMap::new();
        (0..10_000).for_each(|index| map.insert(id(index), index));
        (1..10_000).for_each(|index| assert_eq!(map.remove(id(index)), Some(index)));
        assert!(map.entries.capacity() <= SLOTS_KEPT, "{}", map.entries.capacity());
        assert_eq!((map.find(id(0)), map.len()), (Some(&0), 1));
    }
}
