//! What was measured, and its three forms: a table for the terminal, JSON for programs, a page with plots for people.
//!
//! Owns how repetitions become one figure and how figures become ratios. The forms only show.

mod html;
mod json;
mod machine;
mod plots;
mod scale;
mod svg;
mod table;

use std::path::Path;

use hdrhistogram::Histogram;

use self::machine::Machine;
use super::axis::Axis;
use super::figures::{Better, Metric, Unit, median};
use super::fleet::Accidents;
use super::options::Common;
use super::subject::Subject;
use super::{About, Failure, Measure, Parameter, Sample};

/// All of one invocation.
pub(super) struct Report {
    mode: &'static str,
    /// What varies from point to point, if anything does.
    axis: Option<&'static str>,
    parameters: Vec<Parameter>,
    machine: Machine,
    /// What the kernel had dropped before the first measurement.
    dropped_before: u64,
    repeat: u32,
    workers: u32,
    pub(super) is_interrupted: bool,
    pub(super) points: Vec<Point>,
}

/// All subjects under the same conditions. The first is the server in question.
pub(super) struct Point {
    /// Where on the axis.
    pub(super) at: Option<f64>,
    pub(super) outcomes: Vec<Outcome>,
}

/// One subject, measured again and again.
pub(super) struct Outcome {
    name: String,
    key: &'static str,
    is_yardstick: bool,
    pub(super) samples: Vec<Sample>,
}

impl Report {
    pub(super) fn new(measure: &impl Measure, over: Option<(Axis, &[f64])>) -> Self {
        let About { name: mode, common, .. } = measure.about();
        let pinned = |cpu: Option<super::affinity::Cpu>| {
            cpu.map_or("any".to_owned(), |cpu| cpu.0.to_string())
        };
        let mut parameters = measure.parameters();
        if let Some((axis, values)) = over {
            vary(&mut parameters, axis, values);
        }
        parameters.push(Parameter::new("repetitions", common.repeat));
        parameters.push(Parameter::new("threads of the load", common.workers));
        parameters.push(Parameter::new("processor of the server", pinned(common.server_cpu())));
        parameters.push(Parameter::new("processor of the load", pinned(common.load_cpu())));
        Self {
            mode,
            axis: over.map(|(axis, _)| axis.title()),
            parameters,
            machine: Machine::this(),
            dropped_before: machine::packets_dropped(),
            repeat: common.repeat,
            workers: common.workers,
            is_interrupted: false,
            points: Vec::new(),
        }
    }

    /// Prints it, writes the files that are asked for, and says whether all went well.
    pub(super) fn publish(&self, common: &Common) -> Result<(), Failure> {
        if self.points.is_empty() {
            return Err(Failure::new("interrupted before anything was measured"));
        }
        print!("{}", table::render(self));
        let write = |path: &Path, text: String| {
            std::fs::write(path, text)
                .map_err(|e| Failure::new(format!("cannot write {}: {e}", path.display())))
        };
        if let Some(path) = &common.json {
            write(path, json::render(self))?;
        }
        if let Some(path) = &common.html {
            write(path, html::render(self))?;
        }
        match self.mishaps().next() {
            None => Ok(()),
            Some(mishap) => Err(Failure::new(mishap)),
        }
    }

    /// What went astray, a line for each subject and point.
    fn mishaps(&self) -> impl Iterator<Item = String> {
        let outcomes = self
            .points
            .iter()
            .flat_map(|point| point.outcomes.iter().map(|outcome| (point.at, outcome)));
        outcomes.filter_map(|(at, outcome)| {
            let accidents = outcome.accidents();
            if accidents == Accidents::default() {
                return None;
            }
            let counts = accidents.named().into_iter().filter(|(_, count)| *count > 0);
            let counts: Vec<String> = counts.map(|(name, n)| format!("{n} {name}")).collect();
            let at = at.map_or(String::new(), |at| format!(" at {at}"));
            let first = outcome.samples.iter().find_map(|sample| sample.first_mishap.as_ref());
            let first = first.map_or(String::new(), |how| format!("; it {how}"));
            Some(format!("{}{at}: {}{first}", outcome.name, counts.join(", ")))
        })
    }

    /// What a reader should know before believing the figures.
    fn notes(&self) -> Vec<String> {
        let most = |metric: Metric| {
            let outcomes = self.points.iter().flat_map(|point| &point.outcomes);
            outcomes.flat_map(|outcome| outcome.values(metric)).fold(0.0, f64::max)
        };
        let mut notes = Vec::new();
        let waited = most(Metric::ServerWait).min(100.0);
        if waited >= WAIT_PERCENT_MAX {
            notes.push(format!(
                "a server waited for a processor up to {waited:.0} % of the time: others use this machine, and times are \
                 longer than they need be"
            ));
        }
        let load = most(Metric::LoadCpu) / f64::from(self.workers);
        if load >= LOAD_PERCENT_MAX {
            notes.push(format!(
                "the load was busy up to {load:.0} % of the time: it may be the limit, and not the server (--workers)"
            ));
        }
        let dropped = machine::packets_dropped().saturating_sub(self.dropped_before);
        if dropped > 0 {
            notes.push(format!(
                "the kernel dropped {dropped} packets meanwhile (net.core.netdev_max_backlog): what was in them came late"
            ));
        }
        notes
    }

    /// Every figure that any subject has, in order.
    fn metrics(&self) -> Vec<Metric> {
        let outcomes = self.points.iter().flat_map(|point| &point.outcomes);
        let samples = outcomes.flat_map(|outcome| &outcome.samples);
        let mut metrics: Vec<Metric> =
            samples.flat_map(|sample| sample.figures.metrics()).collect();
        metrics.sort_unstable();
        metrics.dedup();
        metrics
    }
}

impl Point {
    /// How the server compares to this yardstick, pair by pair of neighbours in time.
    fn ratios(&self, metric: Metric, yardstick: &Outcome) -> Vec<f64> {
        let is_compared = metric.style().better != Better::Neither;
        let Some(server) = self.outcomes.first().filter(|_| is_compared) else { return Vec::new() };
        let pairs = server.samples.iter().zip(&yardstick.samples);
        let ratios = pairs.filter_map(|(server, yardstick)| {
            let limit = yardstick.figures.find(metric).filter(|limit| *limit > 0.0)?;
            Some(server.figures.find(metric)? / limit)
        });
        ratios.collect()
    }

    fn ratio(&self, metric: Metric, yardstick: &Outcome) -> Option<f64> {
        median(self.ratios(metric, yardstick))
    }

    fn yardsticks(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.is_yardstick)
    }
}

impl Outcome {
    pub(super) fn new(subject: &Subject) -> Self {
        let (name, key, is_yardstick) = (subject.name.clone(), subject.key, subject.is_yardstick());
        Self { name, key, is_yardstick, samples: Vec::new() }
    }

    fn values(&self, metric: Metric) -> impl Iterator<Item = f64> {
        self.samples.iter().filter_map(move |sample| sample.figures.find(metric))
    }

    fn median(&self, metric: Metric) -> Option<f64> {
        median(self.values(metric))
    }

    /// Over all repetitions: an accident is never averaged away.
    fn accidents(&self) -> Accidents {
        let mut all = Accidents::default();
        for sample in &self.samples {
            all.add(sample.accidents);
        }
        all
    }

    /// Messages sent, deliveries that there should be, deliveries that there were, over all repetitions.
    fn counts(&self) -> [u64; 3] {
        let mut counts = [0; 3];
        for sample in &self.samples {
            counts[0] += sample.sent;
            counts[1] += sample.expected;
            counts[2] += sample.received;
        }
        counts
    }

    /// Latencies of all repetitions together.
    fn latency_ns(&self) -> Option<Histogram<u64>> {
        let mut all = self.samples.iter().map(|sample| &sample.latency_ns);
        let mut merged = all.next()?.clone();
        for histogram in all {
            merged.add(histogram).expect("all have the same bounds");
        }
        (!merged.is_empty()).then_some(merged)
    }
}

/// Waits longer than this are not the scheduler's everyday.
const WAIT_PERCENT_MAX: f64 = 5.0;
/// A thread that is busier than this has no time left to be on time.
const LOAD_PERCENT_MAX: f64 = 90.0;

/// Where a latency spectrum is looked at: evenly, as plots of percentiles are, on a scale where each nine is a step.
const SPECTRUM: &[f64] = &[0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9995, 0.9999, 1.0];

/// What varies has no one value: it has these.
fn vary(parameters: &mut Vec<Parameter>, axis: Axis, values: &[f64]) {
    let values: Vec<String> = values.iter().copied().map(scale::name).collect();
    let value = values.join(" · ");
    match parameters.iter_mut().find(|parameter| parameter.axis == Some(axis)) {
        Some(parameter) => parameter.value = value,
        None => parameters.push(Parameter::new(axis.title(), value)),
    }
}

/// A figure for people: three digits that matter, and the unit that fits its size.
fn show(value: f64, unit: Unit) -> String {
    match unit {
        Unit::Micros => show_scaled(value, &[(1.0, "µs"), (1e3, "ms"), (1e6, "s")]),
        Unit::CpuMicros => format!("{} µs", digits(value)),
        Unit::Seconds => show_scaled(value, &[(1e-3, "ms"), (1.0, "s")]),
        Unit::Bytes => format!("{} B", grouped(value)),
        Unit::Percent => format!("{} %", digits(value)),
        Unit::Ratio => format!("× {}", digits(value)),
        Unit::PerSecond => format!("{} /s", grouped(value)),
        Unit::Count => grouped(value),
    }
}

fn show_scaled(value: f64, steps: &[(f64, &str)]) -> String {
    let fitting = steps.iter().rev().find(|(size, _)| value.abs() >= *size);
    let (size, unit) = fitting.unwrap_or(&steps[0]);
    format!("{} {unit}", digits(value / size))
}

/// Three digits that matter.
fn digits(value: f64) -> String {
    match value.abs() {
        100.0.. => grouped(value),
        10.0.. => format!("{value:.1}"),
        0.1.. => format!("{value:.2}"),
        0.0 => "0".to_owned(),
        _ => format!("{value:.3}"),
    }
}

/// A whole number with a comma before each group of three.
fn grouped(value: f64) -> String {
    if value.abs() < 10.0 && value.fract() != 0.0 {
        return digits(value);
    }
    let plain = format!("{:.0}", value.abs());
    let mut text = String::new();
    for (at, digit) in plain.chars().enumerate() {
        if at > 0 && (plain.len() - at) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    if value <= -0.5 { format!("-{text}") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_shown_with_the_digits_that_matter() {
        let rows = [
            (4.0567, Unit::CpuMicros, "4.06 µs"),
            (0.1472, Unit::CpuMicros, "0.15 µs"),
            (0.0472, Unit::CpuMicros, "0.047 µs"),
            (412.4, Unit::Micros, "412 µs"),
            (1942.0, Unit::Micros, "1.94 ms"),
            (2_100_000.0, Unit::Micros, "2.10 s"),
            (0.0123, Unit::Seconds, "12.3 ms"),
            (1_234_567.8, Unit::PerSecond, "1,234,568 /s"),
            (999.6, Unit::PerSecond, "1,000 /s"),
            (31.5, Unit::Bytes, "32 B"),
            (-1500.0, Unit::Bytes, "-1,500 B"),
            (0.0, Unit::Percent, "0 %"),
        ];
        for (value, unit, shown) in rows {
            assert_eq!(show(value, unit), shown);
        }
    }
}
