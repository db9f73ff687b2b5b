//! How often somebody may try, for as many somebodies as come.
//!
//! Owns one moment for each key: until when its allowance is used up (the generic cell rate algorithm, a token bucket without
//! a count). Pure: the time is handed in.
//!
//! Invariant: at most twice [`KEYS_MAX`] keys are held. The keys live in two generations; when the younger is full, the older
//! is forgotten. So a key is forgotten only when that many others have tried since it last did.

use std::collections::HashMap;
use std::hash::Hash;

use crate::chat::Now;

/// Holds each key to an [`Allowance`].
#[derive(Debug)]
pub(super) struct Throttle<K> {
    allowance: Allowance,
    /// When a key's allowance is whole again, on the clock that never goes back.
    younger: HashMap<K, u64>,
    older: HashMap<K, u64>,
}

/// So many tries at once, and then one each time.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    pub(super) at_once: u32,
    pub(super) every_ms: u64,
}

/// That the allowance is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SlowDown {
    /// The next try is admitted after this.
    pub(super) after_ms: u64,
}

impl<K: Hash + Eq> Throttle<K> {
    pub(super) fn new(allowance: Allowance) -> Self {
        Self { allowance, younger: HashMap::new(), older: HashMap::new() }
    }

    /// Counts one try.
    ///
    /// # Errors
    /// When it is one too many; it is then not counted.
    pub(super) fn admit(&mut self, key: K, now: Now) -> Result<(), SlowDown> {
        let Allowance { at_once, every_ms } = self.allowance;
        let whole_at = self.whole_at(&key).max(now.mono_ms) + every_ms;
        let latest = now.mono_ms + u64::from(at_once) * every_ms;
        if whole_at > latest {
            return Err(SlowDown { after_ms: whole_at - latest });
        }
        self.set(key, whole_at);
        Ok(())
    }

    /// Uncounts one try: it was a rightful one.
    pub(super) fn give_back(&mut self, key: K) {
        let whole_at = self.whole_at(&key).saturating_sub(self.allowance.every_ms);
        self.set(key, whole_at);
    }

    fn whole_at(&self, key: &K) -> u64 {
        let known = self.younger.get(key).or_else(|| self.older.get(key));
        known.copied().unwrap_or_default()
    }

    fn set(&mut self, key: K, whole_at: u64) {
        if self.younger.len() >= KEYS_MAX {
            self.older = std::mem::take(&mut self.younger);
        }
        self.younger.insert(key, whole_at);
    }
}

/// Keys of one generation; some hundred bytes each.
const KEYS_MAX: usize = 8_192;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::UnixMs;

    fn at(mono_ms: u64) -> Now {
        Now { mono_ms, unix: UnixMs(0) }
    }

    #[test]
    fn so_many_tries_at_once_and_then_one_each_time() {
        let mut throttle = Throttle::new(Allowance { at_once: 2, every_ms: 100 });
        assert!(throttle.admit("a", at(0)).is_ok() && throttle.admit("a", at(0)).is_ok());
        assert_eq!(throttle.admit("a", at(30)), Err(SlowDown { after_ms: 70 }));
        assert!(throttle.admit("b", at(30)).is_ok(), "each for itself");
        assert!(throttle.admit("a", at(100)).is_ok());
        assert_eq!(throttle.admit("a", at(100)), Err(SlowDown { after_ms: 100 }));
        assert!(throttle.admit("a", at(1_000)).is_ok() && throttle.admit("a", at(1_000)).is_ok());
        assert!(throttle.admit("a", at(1_000)).is_err(), "what is not used is not saved up");
    }

    #[test]
    fn a_rightful_try_costs_nothing() {
        let mut throttle = Throttle::new(Allowance { at_once: 1, every_ms: 100 });
        for _ in 0..10 {
            assert!(throttle.admit("a", at(5)).is_ok());
            throttle.give_back("a");
        }
        throttle.give_back("a");
        assert!(throttle.admit("a", at(5)).is_ok());
        assert!(throttle.admit("a", at(5)).is_err(), "giving back twice gains nothing");
    }

    #[test]
    fn a_crowd_of_keys_takes_bounded_memory_and_the_busy_stay_known() {
        let mut throttle = Throttle::new(Allowance { at_once: 1, every_ms: 1_000_000 });
        for key in 0..10 * KEYS_MAX {
            assert!(throttle.admit(key + 1, at(0)).is_ok());
        }
        assert!(throttle.younger.len() + throttle.older.len() <= 2 * KEYS_MAX);
        assert!(throttle.admit(10 * KEYS_MAX, at(0)).is_err());
        assert!(throttle.admit(9 * KEYS_MAX, at(0)).is_err(), "one generation ago");
        assert!(throttle.admit(1, at(0)).is_ok(), "forgotten");
    }
}
