//! How often somebody may try, for as many somebodies as come.
//!
//! Owns one moment for each key: until when its allowance is used up (the generic cell rate algorithm, a token bucket without
//! a count). Pure: the time is handed in, as what has passed on a clock that never goes back.
//!
//! Invariant: at most twice [`KEYS_MAX`] keys are held. The keys live in two generations; when the younger is full, the older
//! is forgotten. So a key is forgotten only when that many others have tried since it last did.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

/// Holds each key to an [`Allowance`].
#[derive(Debug)]
pub(crate) struct Throttle<K> {
    allowance: Allowance,
    /// When a key's allowance is whole again.
    younger: HashMap<K, Duration>,
    older: HashMap<K, Duration>,
}

/// So many tries at once, and then one each time.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Allowance {
    pub(crate) at_once: u32,
    pub(crate) every: Duration,
}

/// That the allowance is used up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SlowDown {
    /// The next try is admitted after this.
    pub(crate) after: Duration,
}

impl SlowDown {
    /// In whole milliseconds, rounded up.
    #[cfg(feature = "daemon")]
    pub(crate) fn after_ms(self) -> u64 {
        u64::try_from(self.after.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX)
    }
}

impl<K: Hash + Eq> Throttle<K> {
    pub(crate) fn new(allowance: Allowance) -> Self {
        Self { allowance, younger: HashMap::new(), older: HashMap::new() }
    }

    /// Counts one try.
    ///
    /// # Errors
    /// When it is one too many; it is then not counted.
    pub(crate) fn admit(&mut self, key: K, now: Duration) -> Result<(), SlowDown> {
        let Allowance { at_once, every } = self.allowance;
        let whole_at = self.whole_at(&key).max(now) + every;
        let latest = now + every * at_once;
        if whole_at > latest {
            return Err(SlowDown { after: whole_at - latest });
        }
        self.set(key, whole_at);
        Ok(())
    }

    /// Uncounts one try: it was a rightful one.
    #[cfg(any(test, feature = "daemon"))]
    pub(crate) fn give_back(&mut self, key: K) {
        let whole_at = self.whole_at(&key).saturating_sub(self.allowance.every);
        self.set(key, whole_at);
    }

    fn whole_at(&self, key: &K) -> Duration {
        let known = self.younger.get(key).or_else(|| self.older.get(key));
        known.copied().unwrap_or_default()
    }

    fn set(&mut self, key: K, whole_at: Duration) {
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

    fn at(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn so_many_tries_at_once_and_then_one_each_time() {
        let mut throttle = Throttle::new(Allowance { at_once: 2, every: at(100) });
        assert!(throttle.admit("a", at(0)).is_ok() && throttle.admit("a", at(0)).is_ok());
        assert_eq!(throttle.admit("a", at(30)), Err(SlowDown { after: at(70) }));
        assert!(throttle.admit("b", at(30)).is_ok(), "each for itself");
        assert!(throttle.admit("a", at(100)).is_ok());
        assert_eq!(throttle.admit("a", at(100)), Err(SlowDown { after: at(100) }));
        assert!(throttle.admit("a", at(1_000)).is_ok() && throttle.admit("a", at(1_000)).is_ok());
        assert!(throttle.admit("a", at(1_000)).is_err(), "what is not used is not saved up");
    }

    #[test]
    fn a_rightful_try_costs_nothing() {
        let mut throttle = Throttle::new(Allowance { at_once: 1, every: at(100) });
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
        let mut throttle = Throttle::new(Allowance { at_once: 1, every: at(1_000_000) });
        for key in 0..10 * KEYS_MAX {
            assert!(throttle.admit(key + 1, at(0)).is_ok());
        }
        assert!(throttle.younger.len() + throttle.older.len() <= 2 * KEYS_MAX);
        assert!(throttle.admit(10 * KEYS_MAX, at(0)).is_err());
        assert!(throttle.admit(9 * KEYS_MAX, at(0)).is_err(), "one generation ago");
        assert!(throttle.admit(1, at(0)).is_ok(), "forgotten");
    }
}
