//! Who is connected: a dense array of connections, and the giving out of their ids.
//!
//! Owns the slab of [`Conn`]s. It never reads or writes a socket.
//!
//! Invariant: the generations of ids count all insertions, not those into one slot, so that none is given twice.

use slab::Slab;

use super::conn::Conn;
use super::ids::ConnId;

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

    /// All connections.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Conn> {
        self.slab.iter().map(|(_, conn)| conn)
    }

    /// The same, to change them.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Conn> {
        self.slab.iter_mut().map(|(_, conn)| conn)
    }

    pub(super) fn ids(&self) -> Vec<ConnId> {
        self.slab.iter().map(|(_, conn)| conn.id).collect()
    }
}

/// Slots that are kept in any case: an array this small is not worth giving back.
const SLOTS_KEPT: usize = 1024;
