//! The report for the terminal.
//!
//! One point is a table of figures against subjects; several are a table of points and subjects against the figures
//! that matter most.

use std::fmt::Write;

use super::{Outcome, Point, Report, digits, grouped, show};
use crate::bench::figures::Metric;

pub(super) fn render(report: &Report) -> String {
    let mut text = head(report);
    text.push_str(&table(report).render());
    text.push_str(&foot(report));
    text
}

/// All figures.
pub(super) fn table(report: &Report) -> Table {
    match &report.points[..] {
        [point] if report.axis.is_none() => one_point(report, point),
        points => many_points(report, points),
    }
}

fn head(report: &Report) -> String {
    let parameters = report.parameters.iter().map(|p| format!("{} {}", p.name, p.value));
    let parameters: Vec<String> = parameters.collect();
    format!("{}: {}\n{}\n\n", report.mode, parameters.join("; "), report.machine)
}

/// What everything was checked against, and what went astray. An accident is loud.
fn foot(report: &Report) -> String {
    let mut text = String::new();
    for point in &report.points {
        for outcome in &point.outcomes {
            let [sent, expected, received] = outcome.counts().map(|count| grouped(count as f64));
            if sent != "0" {
                let at = point.at.map_or(String::new(), |at| format!(" at {}", grouped(at)));
                let _ = writeln!(
                    text,
                    "{}{at}: {sent} messages, {received} of {expected} deliveries, each checked",
                    outcome.name
                );
            }
        }
    }
    for mishap in report.mishaps() {
        let _ = writeln!(text, "!! {mishap}");
    }
    for note in report.notes() {
        let _ = writeln!(text, "note: {note}");
    }
    if report.is_interrupted {
        text.push_str("interrupted: this is what there was until then\n");
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

fn one_point(report: &Report, point: &Point) -> Table {
    let mut head = vec![if report.repeat > 1 { "medians" } else { "" }.to_owned()];
    head.extend(point.outcomes.iter().map(|outcome| outcome.name.clone()));
    head.extend(point.yardsticks().map(|yardstick| format!("÷ {}", yardstick.name)));
    let mut table = Table::new(head);
    for metric in report.metrics() {
        let style = metric.style();
        let mut row = vec![style.title.to_owned()];
        row.extend(point.outcomes.iter().map(|outcome| shown(outcome, metric)));
        row.extend(point.yardsticks().map(|yardstick| ratio(point, metric, yardstick)));
        table.rows.push(row);
    }
    table
}

fn many_points(report: &Report, points: &[Point]) -> Table {
    let metrics = report.metrics();
    let main = main_metric(&metrics);
    let mut head = vec![report.axis.unwrap_or_default().to_owned(), String::new()];
    head.extend(metrics.iter().map(|metric| metric.style().short.to_owned()));
    if let (Some(main), Some(first)) = (main, points.first()) {
        let title = main.style().short;
        head.extend(first.yardsticks().map(|yardstick| format!("{title} ÷ {}", yardstick.name)));
    }
    let mut table = Table { has_axis: true, ..Table::new(head) };
    for point in points {
        for (number, outcome) in point.outcomes.iter().enumerate() {
            let at = point.at.filter(|_| number == 0).map_or(String::new(), super::scale::name);
            let mut row = vec![at, outcome.name.clone()];
            row.extend(metrics.iter().map(|&metric| shown(outcome, metric)));
            if let Some(main) = main.filter(|_| number == 0) {
                row.extend(point.yardsticks().map(|yardstick| ratio(point, main, yardstick)));
            }
            table.rows.push(row);
        }
    }
    table
}

/// The figure whose ratio says most.
fn main_metric(metrics: &[Metric]) -> Option<Metric> {
    let ranked = [Metric::CpuPerDelivery, Metric::CpuPerHandshake, Metric::AllBackSeconds];
    ranked.into_iter().find(|metric| metrics.contains(metric))
}

fn shown(outcome: &Outcome, metric: Metric) -> String {
    outcome.median(metric).map_or("–".to_owned(), |value| show(value, metric.style().unit))
}

fn ratio(point: &Point, metric: Metric, yardstick: &Outcome) -> String {
    point.ratio(metric, yardstick).map_or(String::new(), digits)
}

/// Columns as wide as what is in them: names to the left, figures to the right.
pub(super) struct Table {
    pub(super) head: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    /// Whether the first column is what varies; a cell there begins a point.
    pub(super) has_axis: bool,
}

impl Table {
    fn new(head: Vec<String>) -> Self {
        Self { head, rows: Vec::new(), has_axis: false }
    }

    fn render(&self) -> String {
        let lines = || std::iter::once(&self.head).chain(&self.rows);
        let width = |column: usize| {
            let cells = lines().filter_map(|line| line.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..self.head.len()).map(width).collect();
        let mut text = String::new();
        for line in lines() {
            let mut shown = String::new();
            for (column, (cell, width)) in line.iter().zip(&widths).enumerate() {
                let _ = match column {
                    0 => write!(shown, "{cell:width$}"),
                    _ => write!(shown, "  {cell:>width$}"),
                };
            }
            text.push_str(shown.trim_end());
            text.push('\n');
        }
        text
    }
}
