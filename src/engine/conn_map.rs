//! State kept beside the connections, by their ids.

use super::ids::ConnId;

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
        if self.len < self.entries.len() / 4 && self.entries.len() > ENTRIES_KEPT {
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

/// Entries that are kept in any case: an array this small is not worth giving back.
const ENTRIES_KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    const OLD: ConnId = ConnId { index: 3, generation: 7 };
    const NEW: ConnId = ConnId { index: 3, generation: 9 };

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
        assert!(map.entries.capacity() <= ENTRIES_KEPT, "{}", map.entries.capacity());
        assert_eq!((map.find(id(0)), map.len()), (Some(&0), 1));
    }
}
