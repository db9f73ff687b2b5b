//! What waits, in a fair order: each in turn, however much others have asked for.
//!
//! ```text
//!   whose        what waits
//!   1      ──▶   a b c            in turn: 1 2 3
//!   2      ──▶   d                taken:   a d e, b f, c
//!   3      ──▶   e f
//! ```
//!
//! Owns what waits, whose turn it is, and how much may wait. Invariants:
//!
//! * Of what is one's own, what came first is taken first.
//! * Whoever has something waiting stands in the round once, and nobody else does.
//! * Where no more can wait, the last of whoever has the most gives way to whoever has less. What gave way is given back:
//!   nothing is lost here.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::{Full, Load};
use crate::chat::log::Whose;

/// What waits, by whose it is.
#[derive(Debug)]
pub(super) struct Rotation<T> {
    waiting: BTreeMap<Whose, VecDeque<Waits<T>>>,
    /// Whose turn it is, and whose after that.
    turns: VecDeque<Whose>,
    by_count: BTreeSet<(usize, Whose)>,
    load: Load,
    gave_way: VecDeque<T>,
}

#[derive(Debug)]
struct Waits<T> {
    what: T,
    bytes: usize,
}

impl<T> Rotation<T> {
    pub(super) fn new() -> Self {
        Self {
            waiting: BTreeMap::new(),
            turns: VecDeque::new(),
            by_count: BTreeSet::new(),
            load: Load::default(),
            gave_way: VecDeque::new(),
        }
    }

    /// Takes something in, behind what waits of the same one; others' may have to give way to it.
    ///
    /// # Errors
    /// If one has as much waiting as one may, or nobody has more while no more can wait.
    pub(super) fn push(&mut self, whose: Whose, what: T, bytes: usize) -> Result<(), Full> {
        let own = self.waiting.get(&whose).map_or(0, VecDeque::len);
        if own >= OWN_WAITING_MAX {
            return Err(Full);
        }
        while self.load.add(bytes).is_err() {
            match self.by_count.last() {
                Some((most, busiest)) if *most > own + 1 => self.give_way(*busiest),
                _ => return Err(Full),
            }
        }
        if own == 0 {
            self.turns.push_back(whose);
        }
        self.waiting.entry(whose).or_default().push_back(Waits { what, bytes });
        self.recount(whose, own);
        Ok(())
    }

    /// Takes what is next.
    pub(super) fn pop(&mut self) -> Option<T> {
        let whose = self.turns.pop_front()?;
        let own = self.waiting.get_mut(&whose)?;
        let (before, first) = (own.len(), own.pop_front()?);
        if own.is_empty() {
            self.waiting.remove(&whose);
        } else {
            self.turns.push_back(whose);
        }
        self.recount(whose, before);
        self.load.take(first.bytes);
        Some(first.what)
    }

    /// What had to give way since the last time.
    pub(super) fn gave_way(&mut self) -> Option<T> {
        self.gave_way.pop_front()
    }

    /// Lets go the last of somebody who has another.
    fn give_way(&mut self, whose: Whose) {
        let Some(own) = self.waiting.get_mut(&whose) else { return };
        let before = own.len();
        if let Some(Waits { what, bytes }) = own.pop_back() {
            self.gave_way.push_back(what);
            self.recount(whose, before);
            self.load.take(bytes);
        }
    }

    /// Takes note that somebody has not so much waiting any more as before.
    fn recount(&mut self, whose: Whose, before: usize) {
        self.by_count.remove(&(before, whose));
        if let Some(own) = self.waiting.get(&whose) {
            self.by_count.insert((own.len(), whose));
        }
    }
}

/// What may wait of one person: as much as two connections ask for at once.
pub const OWN_WAITING_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use super::super::{WAITING_BYTES_MAX, WAITING_MAX};
    use super::*;

    /// Numbers whose thousands say whose they are.
    fn push(rotation: &mut Rotation<u64>, no: u64) -> Result<(), Full> {
        rotation.push(Whose(no / 1_000), no, 1)
    }

    fn all(rotation: &mut Rotation<u64>) -> Vec<u64> {
        std::iter::from_fn(|| rotation.pop()).collect()
    }

    /// Full, of so many who have all that they may.
    fn full() -> (Rotation<u64>, u64) {
        let mut rotation = Rotation::new();
        let crowd = (WAITING_MAX / OWN_WAITING_MAX) as u64;
        for whose in 1..=crowd {
            (0..OWN_WAITING_MAX as u64)
                .for_each(|no| push(&mut rotation, whose * 1_000 + no).unwrap());
        }
        (rotation, crowd)
    }

    fn check(rotation: &Rotation<u64>) {
        let counts = rotation.waiting.iter().map(|(whose, own)| (own.len(), *whose));
        assert_eq!(rotation.by_count, counts.collect());
        let turns: BTreeSet<_> = rotation.turns.iter().copied().collect();
        assert_eq!(turns, rotation.waiting.keys().copied().collect());
        assert_eq!(turns.len(), rotation.turns.len(), "each has one turn");
        let requests = rotation.waiting.values().map(VecDeque::len).sum();
        assert_eq!(rotation.load, Load { requests, bytes: requests });
        assert!(rotation.waiting.values().all(|own| !own.is_empty()));
    }

    #[test]
    fn each_has_a_turn_and_ones_own_come_in_order() {
        let mut rotation = Rotation::new();
        for no in [1_000, 1_001, 1_002, 2_000, 3_000, 3_001] {
            push(&mut rotation, no).unwrap();
        }
        check(&rotation);
        assert_eq!(rotation.pop(), Some(1_000));
        // Who comes now is behind those who wait, and before their second turns' ends.
        push(&mut rotation, 4_000).unwrap();
        check(&rotation);
        assert_eq!(all(&mut rotation), [2_000, 3_000, 1_001, 4_000, 3_001, 1_002]);
        check(&rotation);
        assert_eq!(rotation.pop(), None);
    }

    #[test]
    fn one_alone_has_every_turn_and_no_more_than_may_wait() {
        let mut rotation = Rotation::new();
        let taken = (1_000..).take_while(|no| push(&mut rotation, *no).is_ok()).count();
        assert_eq!(taken, OWN_WAITING_MAX);
        push(&mut rotation, 2_000).unwrap();
        assert_eq!(all(&mut rotation)[..3], [1_000, 2_000, 1_001]);
        assert_eq!(rotation.gave_way(), None);
    }

    #[test]
    fn where_no_more_can_wait_the_busiest_give_way() {
        let (mut rotation, crowd) = full();
        check(&rotation);
        assert_eq!(push(&mut rotation, 1_500), Err(Full), "one of the busiest");
        let newcomer = (crowd + 1) * 1_000;
        for no in 0..10 {
            push(&mut rotation, newcomer + no).unwrap();
            check(&rotation);
            let gave_way = rotation.gave_way().unwrap();
            let last = OWN_WAITING_MAX as u64 - 1;
            assert_eq!(gave_way, (crowd - no) * 1_000 + last, "the last of one who had the most");
            assert_eq!(rotation.gave_way(), None);
        }
        // Nobody is left with nothing, and the newcomer is served in the first round.
        let order = all(&mut rotation);
        assert_eq!(order.len(), WAITING_MAX);
        let place = order.iter().position(|no| *no == newcomer).unwrap();
        assert_eq!(place as u64, crowd);
    }

    #[test]
    fn where_all_have_as_little_a_newcomer_is_refused() {
        let mut rotation = Rotation::new();
        for whose in 0..WAITING_MAX as u64 {
            push(&mut rotation, whose * 1_000).unwrap();
        }
        assert_eq!(push(&mut rotation, 9_999_000), Err(Full));
        assert_eq!(rotation.gave_way(), None, "to be refused takes nobody's place");
        rotation.pop().unwrap();
        push(&mut rotation, 9_999_000).unwrap();
        check(&rotation);
    }

    #[test]
    fn bytes_are_as_bounded_as_numbers() {
        let mut rotation = Rotation::new();
        let bytes = WAITING_BYTES_MAX / 64;
        for no in 0..64 {
            rotation.push(Whose(no / 32), no, bytes).unwrap();
        }
        assert_eq!(rotation.push(Whose(0), 64, bytes), Err(Full));
        rotation.push(Whose(2), 65, 2 * bytes).unwrap();
        assert_eq!([rotation.gave_way(), rotation.gave_way()], [Some(63), Some(31)]);
        let order: Vec<_> = std::iter::from_fn(|| rotation.pop()).collect();
        assert_eq!((order.len(), &order[..3]), (63, &[0, 32, 65][..]));
        assert_eq!(rotation.load, Load::default());
    }

    #[test]
    fn whatever_is_done_it_is_all_accounted_for() {
        let (mut rotation, crowd) = full();
        let mut dice: u64 = 7;
        let (mut given, mut refused, mut taken) = (WAITING_MAX, 0, 0);
        for no in 0..20_000 {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            let roll = dice >> 33;
            if roll.is_multiple_of(5) {
                taken += usize::from(rotation.pop().is_some());
            } else {
                given += 1;
                // A few ask for much.
                let whose = (roll % (4 * crowd)).min(roll / 7 % (4 * crowd));
                refused += usize::from(rotation.push(Whose(whose), no, 1).is_err());
            }
        }
        check(&rotation);
        let gave_way = std::iter::from_fn(|| rotation.gave_way()).count();
        assert!(refused > 0 && gave_way > 0);
        assert_eq!(given, refused + taken + gave_way + all(&mut rotation).len());
    }
}
