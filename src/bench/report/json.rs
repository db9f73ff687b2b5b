//! The report as JSON: every repetition, medians, ratios and counts, under names that carry their units.

use serde_json::{Map, Value, json};

use super::{Outcome, Point, Report};
use crate::bench::figures::{Metric, quantile_us};

pub(super) fn render(report: &Report) -> String {
    let metrics = report.metrics();
    let machine = &report.machine;
    let parameters = report.parameters.iter().map(|p| (p.name.to_owned(), json!(p.value)));
    let points = report.points.iter().map(|point| show_point(point, &metrics));
    let value = json!({
        "program": concat!("wsrelay ", env!("CARGO_PKG_VERSION")),
        "mode": report.mode,
        "date": machine.date,
        "machine": {
            "processor": machine.processor,
            "processors": machine.processors,
            "memory_gib": machine.memory_gib.round(),
            "kernel": machine.kernel,
        },
        "parameters": parameters.collect::<Map<_, _>>(),
        "axis": report.axis,
        "interrupted": report.is_interrupted,
        "notes": report.notes(),
        "points": points.collect::<Vec<_>>(),
    });
    format!("{value:#}\n")
}

fn show_point(point: &Point, metrics: &[Metric]) -> Value {
    let outcomes = point.outcomes.iter().map(|outcome| {
        let mut shown = show_outcome(outcome, metrics);
        if outcome.is_yardstick {
            let ratios = metrics.iter().filter_map(|&metric| {
                let ratio = point.ratio(metric, outcome)?;
                Some((metric.style().key.to_owned(), json!(ratio)))
            });
            shown["ratio_of_server"] = Value::Object(ratios.collect());
        }
        (outcome.key.to_owned(), shown)
    });
    json!({ "at": point.at, "subjects": outcomes.collect::<Map<_, _>>() })
}

fn show_outcome(outcome: &Outcome, metrics: &[Metric]) -> Value {
    let figures = metrics.iter().filter_map(|&metric| {
        let values: Vec<f64> = outcome.values(metric).collect();
        let shown = json!({ "median": outcome.median(metric)?, "values": values });
        Some((metric.style().key.to_owned(), shown))
    });
    let [sent, expected, received] = outcome.counts();
    let mut counts = Map::new();
    for (name, count) in [("sent", sent), ("expected", expected), ("received", received)] {
        counts.insert(name.to_owned(), json!(count));
    }
    for (name, count) in outcome.accidents().named() {
        counts.insert(name.replace(' ', "_"), json!(count));
    }
    let spectrum = outcome.latency_ns().map(|latency_ns| {
        let at = |&quantile: &f64| json!([quantile, quantile_us(&latency_ns, quantile)]);
        super::SPECTRUM.iter().map(at).collect::<Vec<_>>()
    });
    json!({
        "name": outcome.name,
        "repetitions": outcome.samples.len(),
        "figures": figures.collect::<Map<_, _>>(),
        "counts": counts,
        "latency_spectrum_us": spectrum,
    })
}
