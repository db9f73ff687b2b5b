//! How long things took: counts in a few classes, cheap enough for every turn of a loop.
//!
//! Knows no clock: durations are handed in.

use std::time::Duration;

/// How long things took, in classes that are wide enough to be few and narrow enough to tell good from bad.
#[derive(Clone, Debug, Default)]
pub struct Histogram {
    /// Of each class the number that fell into it; the last is for what is longer than all bounds.
    classes: [u64; Histogram::BOUNDS.len() + 1],
    sum: Duration,
}

impl Histogram {
    /// The classes' upper bounds, each included in its class.
    pub const BOUNDS: [Duration; 15] = [
        Duration::from_micros(100),
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_micros(2_500),
        Duration::from_millis(5),
        Duration::from_millis(10),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
        Duration::from_millis(500),
        Duration::from_secs(1),
        Duration::from_millis(2_500),
        Duration::from_secs(10),
    ];

    /// Counts one that took so long.
    pub fn note(&mut self, took: Duration) {
        let class = Self::BOUNDS.iter().position(|bound| took <= *bound);
        self.classes[class.unwrap_or(Self::BOUNDS.len())] += 1;
        self.sum += took;
    }

    /// Each bound, and how many took no longer.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let counts = self.classes.iter().scan(0, |sum, class| {
            *sum += class;
            Some(*sum)
        });
        Self::BOUNDS.into_iter().zip(counts)
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.classes.iter().sum()
    }

    /// How long all took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_histogram_counts_each_once_and_includes_its_bounds() {
        let mut histogram = Histogram::default();
        for micros in [0, 100, 101, 2_500, 20_000_000] {
            histogram.note(Duration::from_micros(micros));
        }
        let counts: Vec<_> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts, [2, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4]);
        assert_eq!(histogram.count(), 5);
        assert_eq!(histogram.sum(), Duration::from_micros(20_002_701));
        assert!(Histogram::BOUNDS.is_sorted());
    }
}
