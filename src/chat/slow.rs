//! Slow mode: when each last posted, in a room that makes its members wait between two posts.
//!
//! By [`PersonId`], whether they are members still or not: who leaves and comes back waits on. In memory only, since the
//! longest wait is short.

use std::collections::BTreeMap;

use super::limits::SLOW_MS_MAX;
use super::person::PersonId;

/// When each last posted, on the monotonic clock; at least of those who did within the longest wait that there can be.
#[derive(Debug, Default)]
pub(super) struct LastPosts {
    at_ms: BTreeMap<PersonId, u64>,
    /// When there are more, those are looked for who cannot have to wait any more: twice as many as were left the last time,
    /// so that a post costs the same however many there are.
    len_max: usize,
}

impl LastPosts {
    pub(super) fn note(&mut self, person: PersonId, now_ms: u64) {
        self.at_ms.insert(person, now_ms);
        if self.at_ms.len() > self.len_max {
            self.at_ms.retain(|_, at_ms| *at_ms + u64::from(SLOW_MS_MAX) > now_ms);
            self.len_max = 2 * self.at_ms.len();
        }
    }

    /// It came to nothing.
    pub(super) fn take_back(&mut self, person: PersonId) {
        self.at_ms.remove(&person);
    }

    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }

    /// How long somebody still has to wait before the next post.
    pub(super) fn wait_ms(&self, person: PersonId, slow_ms: u32, now_ms: u64) -> u64 {
        let last_ms = self.at_ms.get(&person);
        last_ms.map_or(0, |last_ms| (last_ms + u64::from(slow_ms)).saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_waits_from_ones_last_post_on() {
        let (mut posts, ana, bo) = (LastPosts::default(), PersonId(1), PersonId(2));
        posts.note(ana, 1_000);
        assert_eq!(posts.wait_ms(ana, 5_000, 1_000), 5_000);
        assert_eq!(posts.wait_ms(ana, 5_000, 5_999), 1);
        assert_eq!(posts.wait_ms(ana, 5_000, 6_000), 0);
        assert_eq!(posts.wait_ms(bo, 5_000, 1_000), 0);
        posts.take_back(ana);
        assert_eq!(posts.wait_ms(ana, 5_000, 1_000), 0);
    }

    #[test]
    fn no_more_are_known_than_could_have_to_wait_twice_over() {
        let mut posts = LastPosts::default();
        for person in 1..=100_000 {
            posts.note(PersonId(person), person * 1_000);
        }
        let within_the_longest = u64::from(SLOW_MS_MAX) / 1_000;
        assert!(posts.at_ms.len() as u64 <= 2 * within_the_longest + 1);
        let oldest = 100_000 - within_the_longest + 1;
        assert_eq!(posts.wait_ms(PersonId(oldest), SLOW_MS_MAX, 100_000_000), 1_000);
    }
}
