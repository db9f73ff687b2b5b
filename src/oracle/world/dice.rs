//! Chance, from a seed: the same seed throws the same numbers on every machine.

/// A generator (SplitMix64, by Sebastiano Vigna): one number of state, quite random enough to make up a day.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Dice of their own for a part of the world, so that one part's throws do not change another's.
    pub(crate) fn fork(&mut self) -> Self {
        Self(self.next())
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// One of 0 up to, and not including, `n`, which is not 0.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// One of the range, both ends included.
    pub(crate) fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most - least + 1)
    }

    /// True in so many of a hundred throws.
    pub(crate) fn per_cent(&mut self, n: u64) -> bool {
        self.below(100) < n
    }

    /// True once in so many throws; never, if that is 0.
    pub(crate) fn one_in(&mut self, n: u64) -> bool {
        n != 0 && self.below(n) == 0
    }

    /// One of these; `None` of none.
    pub(crate) fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = self.below(from.len().max(1) as u64);
        from.get(usize::try_from(index).expect("an index"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_throws_the_same_again_and_a_fork_goes_its_own_way() {
        let throws = |mut dice: Dice| [(); 4].map(|()| dice.below(1_000));
        assert_eq!(throws(Dice::new(7)), throws(Dice::new(7)));
        assert_ne!(throws(Dice::new(7)), throws(Dice::new(8)));
        let mut dice = Dice::new(7);
        assert_ne!(throws(dice.fork()), throws(dice.fork()));
    }

    #[test]
    fn throws_keep_to_their_bounds() {
        let mut dice = Dice::new(1);
        assert!((0..1_000).all(|_| (3..=5).contains(&dice.between(3, 5))));
        assert!((0..100).all(|_| dice.per_cent(100) && !dice.per_cent(0) && !dice.one_in(0)));
        assert_eq!((dice.pick(&[9]), dice.pick::<u8>(&[])), (Some(&9), None));
    }
}
