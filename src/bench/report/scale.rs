//! From values to places on paper, and which values to name.

use super::grouped;

/// One axis of a plot: values from `low` to `high` on a stretch of paper.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Scale {
    low: f64,
    high: f64,
    is_log: bool,
    /// Where `low` and `high` lie.
    paper: (f64, f64),
}

impl Scale {
    /// A linear scale from 0, or from below it when values are, to a round number above the highest value.
    pub(super) fn linear(values: impl Iterator<Item = f64>, paper: (f64, f64)) -> Self {
        let (least, most) = extent(values.chain([0.0]));
        let most = if most > least { most } else { least + 1.0 };
        let step = nice_step((most - least) / TICKS);
        let (low, high) = ((least / step).floor() * step, (most / step).ceil() * step);
        Self { low, high, is_log: false, paper }
    }

    /// A logarithmic scale between round numbers around all values above 0.
    pub(super) fn log(values: impl Iterator<Item = f64>, paper: (f64, f64)) -> Self {
        let (least, most) = extent(values.filter(|value| *value > 0.0));
        let (low, high) =
            if least > most { (1.0, 10.0) } else { (round_down(least), round_up(most)) };
        let high = if high > low { high } else { low * 10.0 };
        Self { low, high, is_log: true, paper }
    }

    /// A scale that ends where the values do, with a little room: for the values that were chosen, and not measured.
    pub(super) fn around(values: impl Iterator<Item = f64> + Clone, paper: (f64, f64)) -> Self {
        let (least, most) = extent(values);
        let is_log = spans(least, most);
        let (low, high) = match (is_log, most > least) {
            (true, _) => (least / 1.15, most * 1.15),
            (false, true) => (least - (most - least) * 0.04, most + (most - least) * 0.04),
            (false, false) => (least - 1.0, most + 1.0),
        };
        Self { low, high, is_log, paper }
    }

    /// Linear when that shows the values, logarithmic when it would squeeze the small ones into nothing.
    pub(super) fn fitting(values: impl Iterator<Item = f64> + Clone, paper: (f64, f64)) -> Self {
        let (least, most) = extent(values.clone());
        if spans(least, most) { Self::log(values, paper) } else { Self::linear(values, paper) }
    }

    pub(super) fn is_log(&self) -> bool {
        self.is_log
    }

    /// Where a value lies. What a logarithmic scale cannot show lies at its end.
    pub(super) fn place(&self, value: f64) -> f64 {
        let share = if self.is_log {
            let value = value.max(self.low);
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.paper.0 + share * (self.paper.1 - self.paper.0)
    }

    /// Round values to name, from low to high: about half a dozen.
    pub(super) fn ticks(&self) -> Vec<f64> {
        if self.is_log { self.log_ticks() } else { self.linear_ticks() }
    }

    fn linear_ticks(&self) -> Vec<f64> {
        let step = nice_step((self.high - self.low) / TICKS);
        let first = (self.low / step).ceil();
        let steps = (0..).map(|n| (first + f64::from(n)) * step);
        // A hair beyond the end is rounding.
        steps.take_while(|value| *value <= self.high + step * 1e-6).collect()
    }

    fn log_ticks(&self) -> Vec<f64> {
        let decades = (self.high / self.low).log10();
        let factors: &[f64] = match decades {
            ..1.5 => &[1.0, 2.0, 3.0, 5.0],
            1.5..3.5 => &[1.0, 2.0, 5.0],
            _ => &[1.0],
        };
        let powers = (self.low.log10().floor()..=self.high.log10().ceil()).by_ones();
        let every = (decades / 8.0).ceil().max(1.0);
        let powers = powers.into_iter().filter(|power| power.rem_euclid(every) == 0.0);
        let all = powers.flat_map(|power| factors.iter().map(move |f| f * 10f64.powf(power)));
        let inside = self.low * 0.999..=self.high * 1.001;
        all.filter(|value| inside.contains(value)).collect()
    }
}

/// The whole numbers of a range of floats.
trait ByOnes {
    fn by_ones(self) -> Vec<f64>;
}

impl ByOnes for std::ops::RangeInclusive<f64> {
    fn by_ones(self) -> Vec<f64> {
        let (start, end) = self.into_inner();
        (0..).map(|n| start + f64::from(n)).take_while(|value| *value <= end).collect()
    }
}

/// How many ticks to aim at.
const TICKS: f64 = 5.0;

fn extent(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let start = (f64::INFINITY, f64::NEG_INFINITY);
    values.fold(start, |(least, most), value| (least.min(value), most.max(value)))
}

/// Whether the values need a logarithmic scale, and can have one.
fn spans(least: f64, most: f64) -> bool {
    least > 0.0 && most / least >= 12.0
}

/// 1, 2 or 5 times a power of ten, no less than `rough`.
fn nice_step(rough: f64) -> f64 {
    let power = 10f64.powf(rough.log10().floor());
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= rough * 0.999_999);
    factor.unwrap_or(10.0) * power
}

fn round_down(value: f64) -> f64 {
    let power = 10f64.powf(value.log10().floor());
    let factor = [5.0, 2.0, 1.0].into_iter().find(|factor| factor * power <= value * 1.000_001);
    factor.unwrap_or(1.0) * power
}

fn round_up(value: f64) -> f64 {
    nice_step(value)
}

/// A tick's name: whole, or with as few digits as tell it from its neighbours.
pub(super) fn name(value: f64) -> String {
    let rounded = (value * 1e6).round() / 1e6;
    if rounded.abs() >= 10_000.0 || rounded.fract() == 0.0 {
        return grouped(rounded);
    }
    rounded.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(scale: Scale) -> Vec<String> {
        scale.ticks().into_iter().map(name).collect()
    }

    #[test]
    fn linear_ticks_are_round_and_cover_the_values() {
        let rows: &[(&[f64], &str)] = &[
            (&[4.06, 5.12], "0 2 4 6"),
            (&[0.147], "0 0.05 0.1 0.15"),
            (&[97_000.0, 3.0], "0 20,000 40,000 60,000 80,000 100,000"),
            (&[-30.0, 100.0], "-50 0 50 100"),
            (&[0.0], "0 0.2 0.4 0.6 0.8 1"),
        ];
        for (values, ticks) in rows {
            let scale = Scale::linear(values.iter().copied(), (0.0, 100.0));
            assert_eq!(names(scale).join(" "), *ticks, "{values:?}");
        }
    }

    #[test]
    fn log_ticks_are_round_and_cover_the_values() {
        let rows: &[(&[f64], &str)] = &[
            (&[100.0, 10_000.0], "100 200 500 1,000 2,000 5,000 10,000"),
            (&[30.0, 90.0], "20 30 50 100"),
            (&[0.7, 4_000_000.0], "1 10 100 1,000 10,000 100,000 1,000,000"),
            (&[], "1 2 3 5 10"),
            (&[1000.0], "1,000 2,000 3,000 5,000 10,000"),
        ];
        for (values, ticks) in rows {
            let scale = Scale::log(values.iter().copied(), (0.0, 100.0));
            assert_eq!(names(scale).join(" "), *ticks, "{values:?}");
        }
    }

    #[test]
    fn values_lie_where_they_belong() {
        let linear = Scale::linear([10.0].into_iter(), (200.0, 0.0));
        assert_eq!([0.0, 5.0, 10.0].map(|value| linear.place(value)), [200.0, 100.0, 0.0]);
        let log = Scale::log([1.0, 100.0].into_iter(), (0.0, 100.0));
        let places = [1.0, 10.0, 100.0, 0.0].map(|value| log.place(value).round());
        assert_eq!(places, [0.0, 50.0, 100.0, 0.0], "what it cannot show lies at its end");
    }

    #[test]
    fn a_scale_is_logarithmic_where_a_linear_one_would_hide_the_small() {
        let is_log = |values: &[f64]| Scale::fitting(values.iter().copied(), (0.0, 1.0)).is_log();
        assert!(is_log(&[1.0, 12.0]) && !is_log(&[1.0, 11.0]) && !is_log(&[0.0, 1000.0]));
        let single = Scale::around([5.0].into_iter(), (0.0, 10.0));
        assert_eq!(single.place(5.0), 5.0);
    }
}
