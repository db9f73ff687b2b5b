//! Values in a dense array, each known by its place.
//!
//! Owns the reuse of places. Invariant: no two values ever have the same [`Place`], so what is kept for later and has gone
//! meanwhile is missed, never mistaken for another. (Turns count all insertions and wrap after 2^32 of them: a place
//! would have to be kept for exactly so many to be mistaken.)

/// Where a value stands, and which one of those that ever stood there it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Place {
    pub(super) index: u32,
    pub(super) turn: u32,
}

/// Values by their places.
#[derive(Debug)]
pub(super) struct Slots<T> {
    slots: Vec<Slot<T>>,
    free: Vec<u32>,
    turns: u32,
}

#[derive(Debug)]
struct Slot<T> {
    turn: u32,
    value: Option<T>,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self { slots: Vec::new(), free: Vec::new(), turns: 0 }
    }

    pub(super) fn len(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// Takes the place that was left last, or a new one.
    pub(super) fn insert(&mut self, value: T) -> Place {
        self.turns = self.turns.wrapping_add(1);
        let turn = self.turns;
        let slot = Slot { turn, value: Some(value) };
        let index = match self.free.pop() {
            Some(index) => {
                self.slots[index as usize] = slot;
                index
            }
            None => {
                // By a quarter, not twofold: these arrays are most of what a crowd costs.
                if self.slots.len() == self.slots.capacity() {
                    self.slots.reserve_exact((self.slots.len() / 4).max(SLOTS_AT_FIRST));
                }
                self.slots.push(slot);
                u32::try_from(self.slots.len() - 1).expect("memory ends before 2^32 values")
            }
        };
        Place { index, turn }
    }

    pub(super) fn find(&self, place: Place) -> Option<&T> {
        let slot = self.slots.get(place.index as usize)?;
        slot.value.as_ref().filter(|_| slot.turn == place.turn)
    }

    pub(super) fn find_mut(&mut self, place: Place) -> Option<&mut T> {
        let slot = self.slots.get_mut(place.index as usize)?;
        slot.value.as_mut().filter(|_| slot.turn == place.turn)
    }

    /// Whatever stands at an index now.
    pub(super) fn at(&self, index: u32) -> Option<&T> {
        self.slots.get(index as usize)?.value.as_ref()
    }

    /// Like [`at`](Self::at), to change it.
    pub(super) fn at_mut(&mut self, index: u32) -> Option<&mut T> {
        self.slots.get_mut(index as usize)?.value.as_mut()
    }

    pub(super) fn remove(&mut self, place: Place) -> Option<T> {
        self.find(place)?;
        self.remove_at(place.index)
    }

    pub(super) fn remove_at(&mut self, index: u32) -> Option<T> {
        let value = self.slots.get_mut(index as usize)?.value.take()?;
        self.free.push(index);
        if self.slots.len() > SLOTS_KEPT && self.len() < self.slots.len() / 4 {
            self.shrink();
        }
        Some(value)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, &T)> {
        (0..).zip(&self.slots).filter_map(|(index, slot)| Some((index, slot.value.as_ref()?)))
    }

    /// Gives memory back, as far as no value stands behind it.
    fn shrink(&mut self) {
        let used = self.slots.iter().rposition(|slot| slot.value.is_some()).map_or(0, |i| i + 1);
        if used > self.slots.len() / 2 {
            return;
        }
        self.slots.truncate(used);
        self.slots.shrink_to_fit();
        self.free.retain(|index| (*index as usize) < used);
        self.free.shrink_to_fit();
    }
}

/// Slots that there is room for from the first value on.
const SLOTS_AT_FIRST: usize = 4;
/// Slots that are kept in any case: an array this small is not worth giving back.
const SLOTS_KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_used_again_but_never_mistaken() {
        let mut slots = Slots::new();
        let first = slots.insert('a');
        assert_eq!(slots.remove(first), Some('a'));
        let second = slots.insert('b');
        assert_eq!(second.index, first.index);
        assert_eq!((slots.find(first), slots.find(second)), (None, Some(&'b')));
        assert_eq!((slots.remove(first), slots.len()), (None, 1));
    }

    #[test]
    fn memory_goes_with_a_crowd_and_places_stay_unmistakable() {
        let mut slots = Slots::new();
        let places: Vec<_> = (0..10_000).map(|n| slots.insert(n)).collect();
        for place in &places[1..] {
            slots.remove(*place);
        }
        assert_eq!((slots.len(), slots.find(places[0])), (1, Some(&0)));
        assert!(slots.slots.capacity() < 2 * SLOTS_KEPT, "{}", slots.slots.capacity());
        let late = slots.insert(7);
        assert!(places.iter().all(|place| *place != late));
        assert_eq!(slots.iter().map(|(_, n)| *n).collect::<Vec<_>>(), [0, 7]);
    }
}
