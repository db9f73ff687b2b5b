//! When to look at a connection again: a hashed timing wheel of coarse ticks.
//!
//! Owns the passing of time in [`Tick`]s and which connection is due at which tick. It never knows what a deadline
//! means: `conn.rs` says when a connection is next worth a look, and the engine looks.
//!
//! Nothing is cancelled. An entry is a slot's number. The connection in it remembers the one tick at which it is armed; an
//! entry for any other tick is stale, or was another connection's, and is dropped when its bucket comes round. Traffic only moves a mark in the connection: the entry fires at
//! the old time, finds that the deadline has moved, and is armed anew. So a busy connection costs the wheel one entry
//! for each period of its shortest wait, not one for each frame.
//!
//! Time in which the loop stood still, because the process was stopped or starved, is left out: nobody was listened to
//! meanwhile, so it is nobody's silence.
//!
//! Invariants: an entry is armed less than one turn of the wheel ahead, so a bucket holds entries of one tick only;
//! `next` is never later than the first armed tick.

use std::time::{Duration, Instant};

/// Time since the engine started, in units of [`TICK`], without that for which it stood still. Lasts 13 years.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Tick(u32);

impl Tick {
    /// Never earlier than asked: waits are rounded up to whole ticks.
    pub(super) fn after(self, wait: Duration) -> Tick {
        let ticks = wait.as_millis().div_ceil(TICK.as_millis());
        Tick(self.0.saturating_add(u32::try_from(ticks).unwrap_or(u32::MAX)))
    }

    /// The next whole multiple of `step`, or this one if it is one.
    pub(super) fn round_up(self, step: Duration) -> Tick {
        let step = u32::try_from(step.as_millis() / TICK.as_millis()).unwrap_or(u32::MAX).max(1);
        Tick(self.0.div_ceil(step).saturating_mul(step))
    }

    pub(super) fn before(self, wait: Duration) -> Tick {
        Tick(self.0.saturating_sub(Tick(0).after(wait).0))
    }

    /// The whole second, for counting by second.
    pub(super) fn second(self) -> u32 {
        self.0 / TICKS_PER_SECOND
    }
}

/// One unit of the wheel: a tenth of a second, far finer than any wait a person notices, and ten wake-ups a second at
/// the most for any number of quiet connections.
const TICK: Duration = Duration::from_millis(100);
const TICKS_PER_SECOND: u32 = 10;

/// Buckets: 51.2 s ahead, more than the longest default wait, so that nothing is armed twice on the way.
const BUCKETS: u32 = 512;

#[derive(Debug)]
pub(super) struct Deadlines {
    /// When it would have started, had it never stood still.
    started: Instant,
    /// The last tick whose bucket has fired.
    passed: Tick,
    next: Option<Tick>,
    buckets: Vec<Vec<u32>>,
}

impl Deadlines {
    pub(super) fn new(started: Instant) -> Self {
        let buckets = (0..BUCKETS).map(|_| Vec::new()).collect();
        Self { started, passed: Tick(0), next: None, buckets }
    }

    pub(super) fn tick_at(&self, now: Instant) -> Tick {
        let ticks = now.duration_since(self.started).as_millis() / TICK.as_millis();
        Tick(u32::try_from(ticks).unwrap_or(u32::MAX))
    }

    /// Leaves out time that has passed just now.
    pub(super) fn stand_still(&mut self, away: Duration) {
        self.started += away;
    }

    /// How long the loop may sleep: until the first armed tick has begun.
    pub(super) fn wait_from(&self, now: Instant) -> Option<Duration> {
        let due = self.started + TICK * self.next?.0;
        Some(due.saturating_duration_since(now))
    }

    /// Arms a slot for `due`, or for the furthest tick within reach when that is later; answers with the tick taken,
    /// which the connection has to remember.
    pub(super) fn arm(&mut self, slot: u32, due: Tick) -> Tick {
        let due = due.clamp(Tick(self.passed.0 + 1), Tick(self.passed.0 + BUCKETS - 1));
        self.buckets[(due.0 % BUCKETS) as usize].push(slot);
        self.next = Some(self.next.map_or(due, |next| next.min(due)));
        due
    }

    /// The next bucket that is due by `now`, with its tick: call until `None`. Its memory goes with it.
    pub(super) fn expire(&mut self, now: Tick) -> Option<(Tick, Vec<u32>)> {
        let due = self.next.filter(|next| *next <= now)?;
        self.passed = due;
        let fired = std::mem::take(&mut self.buckets[(due.0 % BUCKETS) as usize]);
        self.next = (1..BUCKETS)
            .map(|ahead| Tick(due.0 + ahead))
            .find(|tick| !self.buckets[(tick.0 % BUCKETS) as usize].is_empty());
        Some((due, fired))
    }

    /// Tells the wheel that all is fired up to `now`, so that what is armed next is armed from there.
    pub(super) fn catch_up(&mut self, now: Tick) {
        debug_assert!(self.next.is_none_or(|next| next > now));
        self.passed = self.passed.max(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fired(wheel: &mut Deadlines, now: Tick) -> Vec<(u32, u32)> {
        let mut all = Vec::new();
        while let Some((tick, slots)) = wheel.expire(now) {
            all.extend(slots.into_iter().map(|slot| (tick.0, slot)));
        }
        wheel.catch_up(now);
        all
    }

    #[test]
    fn fires_in_order_of_time_and_never_early() {
        let mut wheel = Deadlines::new(Instant::now());
        for (index, due) in [(0, 30), (1, 10), (2, 20), (3, 10)] {
            assert_eq!(wheel.arm(index, Tick(due)), Tick(due));
        }
        assert_eq!(fired(&mut wheel, Tick(9)), []);
        assert_eq!(fired(&mut wheel, Tick(20)), [(10, 1), (10, 3), (20, 2)]);
        assert_eq!(fired(&mut wheel, Tick(400)), [(30, 0)]);
        assert_eq!(wheel.wait_from(Instant::now()), None);
    }

    #[test]
    fn what_is_too_far_ahead_is_armed_as_far_as_the_wheel_reaches() {
        let mut wheel = Deadlines::new(Instant::now());
        wheel.catch_up(Tick(1000));
        assert_eq!(wheel.arm(0, Tick(9000)), Tick(1000 + BUCKETS - 1));
        assert_eq!(wheel.arm(1, Tick(3)), Tick(1001), "the past is due at once");
        assert_eq!(fired(&mut wheel, Tick(9000)), [(1001, 1), (1000 + BUCKETS - 1, 0)]);
    }

    #[test]
    fn waits_round_up_to_whole_ticks() {
        assert_eq!(Tick(5).after(Duration::from_millis(1)), Tick(6));
        assert_eq!(Tick(5).after(Duration::from_millis(200)), Tick(7));
        assert_eq!(Tick(5).before(Duration::from_secs(60)), Tick(0));
    }

    #[test]
    fn time_that_is_left_out_moves_all_that_is_due() {
        let start = Instant::now();
        let mut wheel = Deadlines::new(start);
        wheel.arm(0, Tick(20));
        wheel.stand_still(TICK * 1_000);
        let now = start + TICK * 1_005;
        assert_eq!(wheel.tick_at(now), Tick(5));
        assert_eq!(wheel.wait_from(now), Some(TICK * 15));
    }

    #[test]
    fn what_may_wait_a_little_is_due_together() {
        let second = Duration::from_secs(1);
        assert_eq!([1, 9, 10, 11].map(|at| Tick(at).round_up(second).0), [10, 10, 10, 20]);
        assert_eq!(Tick(7).round_up(Duration::from_millis(4)), Tick(7), "a step under one tick");
    }

    #[test]
    fn the_loop_sleeps_until_the_first_armed_tick() {
        let start = Instant::now();
        let mut wheel = Deadlines::new(start);
        wheel.arm(0, Tick(20));
        wheel.arm(1, Tick(10));
        assert_eq!(wheel.wait_from(start), Some(TICK * 10));
        assert_eq!(wheel.wait_from(start + TICK * 99), Some(Duration::ZERO));
    }
}
