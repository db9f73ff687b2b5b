//! Collections that cost little while little is in them.

use std::collections::HashMap;
use std::hash::Hash;

/// A set of keys, in order. Two words; one key more than none costs nothing, many cost a vector.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum Few<K> {
    #[default]
    None,
    One(K),
    Many(Box<Many<K>>),
}

/// At least two, sorted. In a box, so that who has few does not pay for three words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Many<K>(Vec<K>);

impl<K: Copy + Ord> Few<K> {
    pub(super) fn as_slice(&self) -> &[K] {
        match self {
            Few::None => &[],
            Few::One(key) => std::slice::from_ref(key),
            Few::Many(many) => &many.0,
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = K> {
        self.as_slice().iter().copied()
    }

    pub(super) fn len(&self) -> usize {
        self.as_slice().len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    pub(super) fn contains(&self, key: K) -> bool {
        self.as_slice().binary_search(&key).is_ok()
    }

    /// False if it was in the set already.
    pub(super) fn insert(&mut self, key: K) -> bool {
        let Err(at) = self.as_slice().binary_search(&key) else { return false };
        match self {
            Few::None => *self = Few::One(key),
            Few::One(one) => {
                let mut keys = vec![*one];
                keys.insert(at, key);
                *self = Few::Many(Box::new(Many(keys)));
            }
            Few::Many(many) => many.0.insert(at, key),
        }
        true
    }

    /// False if it was not in the set.
    pub(super) fn remove(&mut self, key: K) -> bool {
        let Ok(at) = self.as_slice().binary_search(&key) else { return false };
        match self {
            Few::None | Few::One(_) => *self = Few::None,
            Few::Many(many) => {
                many.0.remove(at);
                if let [last] = many.0[..] {
                    *self = Few::One(last);
                }
            }
        }
        true
    }
}

/// Gives a table's memory back when most of it is empty.
pub(super) fn give_back<K: Eq + Hash, V>(table: &mut HashMap<K, V>) {
    if table.capacity() > ENTRIES_KEPT && table.len() < table.capacity() / 8 {
        table.shrink_to_fit();
    }
}

/// Entries that there is room for in any case: a table this small is not worth giving back.
const ENTRIES_KEPT: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_a_set_in_order_however_many_there_are() {
        let mut set = Few::default();
        for key in [5u32, 1, 9, 5, 3] {
            assert_eq!(set.insert(key), !matches!(key, 5) || set.len() == 1);
        }
        assert_eq!(set.as_slice(), [1, 3, 5, 9]);
        for key in [9, 9, 1, 5] {
            set.remove(key);
        }
        assert_eq!(set, Few::One(3));
        assert!(set.contains(3) && set.remove(3) && !set.remove(3) && set.is_empty());
        assert_eq!(size_of::<Few<u32>>(), 16);
    }

    #[test]
    fn a_table_is_given_back_when_its_crowd_has_gone() {
        let mut table: HashMap<u32, u32> = (0..10_000).map(|n| (n, n)).collect();
        for n in 3..10_000 {
            table.remove(&n);
            give_back(&mut table);
        }
        assert!(table.len() == 3 && table.capacity() < ENTRIES_KEPT);
    }
}
