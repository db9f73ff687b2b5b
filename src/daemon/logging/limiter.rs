//! Cuts short whoever says the same thing without end: so many lines of one cause in a while, and then a count.
//!
//! Pure: the time is handed in. A cause is a place in the source, so there are as many as there are lines that log.
//!
//! Debugging lines are not cut: who asks for them wants each.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use log::Level;

use super::line::Line;

/// Who has said how much.
#[derive(Debug, Default)]
pub(super) struct Limiter {
    causes: HashMap<(&'static str, u32), Spate>,
}

/// The lines of one cause within a while.
#[derive(Debug)]
struct Spate {
    until: Instant,
    said: u32,
    left_out: u64,
    /// The last that was left out.
    last: Option<Line>,
}

/// What to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Say,
    LeaveOut,
}

impl Limiter {
    /// Whether a line may be said now. What a while left out is to be [summed up](Self::summaries) before.
    pub(super) fn admit(&mut self, line: &Line, now: Instant) -> Verdict {
        let Some(place) = line.place.filter(|_| line.level <= Level::Info) else {
            return Verdict::Say;
        };
        let new = || Spate { until: now + WHILE, said: 0, left_out: 0, last: None };
        let spate = self.causes.entry(place).or_insert_with(new);
        if spate.said < LINES_MAX {
            spate.said += 1;
            return Verdict::Say;
        }
        spate.left_out += 1;
        spate.last = Some(line.clone());
        Verdict::LeaveOut
    }

    /// Ends the whiles that are over by `now`, or all of them; says what each has left out.
    pub(super) fn summaries(&mut self, now: Option<Instant>) -> Vec<Line> {
        let is_over = |spate: &Spate| now.is_none_or(|now| spate.until <= now);
        let over = self.causes.extract_if(|_, spate| is_over(spate));
        let mut summaries = Vec::new();
        for (_, Spate { left_out, last, .. }) in over {
            if let Some(mut last) = last {
                last.text = format!("{left_out} more like: {}", last.text);
                summaries.push(last);
            }
        }
        summaries
    }

    /// How long until a while is over.
    pub(super) fn wait_from(&self, now: Instant) -> Option<Duration> {
        let ends = self.causes.values().map(|spate| spate.until);
        ends.min().map(|end| end.saturating_duration_since(now))
    }
}

/// Lines of one cause in a [`WHILE`]: enough to see who it is about, too few to hide what else happens.
const LINES_MAX: u32 = 10;
const WHILE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn line(place: u32, level: Level) -> Line {
        let mut line = Line::own(level, format!("cause {place}"));
        line.place = Some(("here", place));
        line
    }

    #[test]
    fn a_cause_says_ten_lines_in_ten_seconds_and_the_rest_is_counted() {
        let (mut limiter, start) = (Limiter::default(), Instant::now());
        let noisy = line(1, Level::Warn);
        let said = (0..500).filter(|_| limiter.admit(&noisy, start) == Verdict::Say).count();
        assert_eq!(said, 10);
        assert_eq!(limiter.admit(&line(2, Level::Warn), start), Verdict::Say, "each for itself");

        assert!(limiter.summaries(Some(start + WHILE / 2)).is_empty());
        assert_eq!(limiter.wait_from(start), Some(WHILE));
        let summaries = limiter.summaries(Some(start + WHILE));
        let texts: Vec<_> = summaries.iter().map(|line| line.text.as_str()).collect();
        assert_eq!(texts, ["490 more like: cause 1"]);
        assert_eq!(limiter.wait_from(start), None, "nothing is kept of it");
        assert_eq!(limiter.admit(&noisy, start + WHILE), Verdict::Say, "and it may speak again");
    }

    #[test]
    fn debugging_lines_are_not_cut() {
        let mut limiter = Limiter::default();
        let debug = line(1, Level::Debug);
        assert!((0..500).all(|_| limiter.admit(&debug, Instant::now()) == Verdict::Say));
    }
}
