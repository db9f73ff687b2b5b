//! When messages are due: the schedule of a measurement, and what of it falls to one worker.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use super::member::Member;
use super::{Clock, Plan, nanos};
use crate::bench::Parameter;
use crate::bench::axis::Axis;
use crate::bench::options::Span;

/// When messages are due.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::bench) enum Pace {
    /// So many a second in all, whatever becomes of them; the publishers take turns.
    Open { per_second: f64 },
    /// Each publisher's next when one of its last, of which so many are on their way, has come back or is answered.
    Closed { in_flight: u32 },
}

impl Pace {
    pub(in crate::bench) fn parameter(self) -> Parameter {
        let parameter = match self {
            Pace::Open { per_second } => {
                Parameter::new("messages a second", format!("{per_second}, open loop"))
            }
            Pace::Closed { in_flight: 1 } => Parameter::new("pace", "closed loop"),
            Pace::Closed { in_flight } => {
                Parameter::new("pace", format!("closed loop, {in_flight} each on their way"))
            }
        };
        parameter.along(Axis::Rate)
    }
}

/// When to send, and which of it counts. All in nanoseconds of the fleet's clock.
#[derive(Debug)]
pub(in crate::bench) struct Schedule {
    pub(in crate::bench) pace: Pace,
    pub(in crate::bench) start_ns: u64,
    /// From here on it is the measurement; before, the warm-up.
    pub(in crate::bench) warm_ns: u64,
    end_ns: AtomicU64,
}

impl Schedule {
    /// Begins in a moment, so that every worker has it by then.
    pub(in crate::bench) fn new(pace: Pace, clock: Clock, span: Span) -> Self {
        let start_ns = clock.now_ns() + nanos(Duration::from_millis(20));
        let warm_ns = start_ns + nanos(span.warm_up);
        let end_ns = AtomicU64::new(warm_ns + nanos(span.duration));
        Self { pace, start_ns, warm_ns, end_ns }
    }

    pub(in crate::bench) fn end_ns(&self) -> u64 {
        self.end_ns.load(Relaxed)
    }

    /// Ends it early.
    pub(in crate::bench) fn end_at(&self, end_ns: u64) {
        self.end_ns.fetch_min(end_ns.max(self.warm_ns), Relaxed);
    }

    /// When the open loop's message number `index` is due.
    ///
    /// Each is up to a tenth of the interval late, by a fixed rule: a beat that is strictly even would fall in with the
    /// kernel's tick, which samples what is user and what is system time, and so bend that figure.
    fn due_ns(&self, index: u64, per_second: f64) -> u64 {
        let late = (mix(index) >> 40) as f64 / f64::from(1 << 24) * 0.1;
        self.start_ns + whole((index as f64 + late) * 1e9 / per_second)
    }
}

/// A fixed scramble (the finaliser of splitmix64).
fn mix(index: u64) -> u64 {
    let mut z = index.wrapping_add(0x9E37_79B9_7F4A_7C15);
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "times are small and positive"
)]
fn whole(nanos: f64) -> u64 {
    nanos as u64
}

/// When this worker's publishers speak.
pub(super) struct Beat {
    pub(super) schedule: Arc<Schedule>,
    /// By number in the fleet, with their places here.
    pub(super) publishers: Vec<(u32, usize)>,
    /// Of the open loop: how many messages of these publishers were due so far.
    taken: u64,
    publishers_in_all: u64,
    /// Of the closed loop: whether the first messages have left.
    pub(super) is_started: bool,
}

impl Beat {
    pub(super) fn new(schedule: Arc<Schedule>, plan: &Plan, members: &[Member]) -> Self {
        let publishers = members.iter().enumerate().map(|(place, member)| (member.number, place));
        let publishers = publishers.filter(|(number, _)| *number < plan.publishers).collect();
        let publishers_in_all = plan.publishers.into();
        Self { schedule, publishers, taken: 0, publishers_in_all, is_started: false }
    }

    /// When there is next something to do. Publishers take turns over the whole fleet: message `i` is of publisher
    /// `i % publishers`.
    pub(super) fn next_due_ns(&self) -> Option<u64> {
        let own = self.publishers.len() as u64;
        match self.schedule.pace {
            _ if own == 0 => None,
            Pace::Closed { .. } => (!self.is_started).then_some(self.schedule.start_ns),
            Pace::Open { per_second } => {
                let (number, _) = self.next_publisher();
                let index = self.taken / own * self.publishers_in_all + u64::from(number);
                let due_ns = self.schedule.due_ns(index, per_second);
                (due_ns < self.schedule.end_ns()).then_some(due_ns)
            }
        }
    }

    fn next_publisher(&self) -> (u32, usize) {
        let own = self.publishers.len() as u64;
        self.publishers[usize::try_from(self.taken % own).expect("an index")]
    }

    /// The next message that is due by now: of which place, and since when.
    pub(super) fn take_due(&mut self, now_ns: u64) -> Option<(usize, u64)> {
        let due_ns = self.next_due_ns().filter(|due_ns| *due_ns <= now_ns)?;
        let (_, place) = self.next_publisher();
        self.taken += 1;
        Some((place, due_ns))
    }

    /// Whether what comes back now is to be followed by another.
    pub(super) fn is_closed_at(&self, now_ns: u64) -> bool {
        matches!(self.schedule.pace, Pace::Closed { .. }) && now_ns < self.schedule.end_ns()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    #[test]
    fn the_beat_keeps_its_rate_and_never_runs_backwards() {
        let clock = Clock(Instant::now());
        let pace = Pace::Open { per_second: 1000.0 };
        let span = Span { duration: Duration::from_secs(1), warm_up: Duration::ZERO };
        let schedule = Schedule::new(pace, clock, span);
        let dues: Vec<u64> =
            (0..10_000).map(|index| schedule.due_ns(index, 1000.0) - schedule.start_ns).collect();
        for (index, pair) in dues.windows(2).enumerate() {
            let gap = pair[1] - pair[0];
            assert!((899_999..=1_100_001).contains(&gap), "{gap} ns after message {index}");
        }
        assert!((9_999_000_000..9_999_100_001).contains(&dues[9_999]));
    }
}
