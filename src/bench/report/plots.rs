//! Which plots a report has: what belongs together on one sheet of paper.

use super::svg::{Ink, Kind, Plot, Series, Spot, percentile_place};
use super::{Outcome, Report, SPECTRUM};
use crate::bench::figures::{Metric, Unit, median, quantile_us};

/// A question, and the figures that answer it.
struct Sheet {
    title: &'static str,
    note: &'static str,
    /// The first is shown for every subject; the others are finer points, shown beside it.
    metrics: &'static [Metric],
    /// Whether the subjects share one plot, or each has its own.
    is_shared: bool,
}

const SHEETS: &[Sheet] = &[
    Sheet {
        title: "Throughput",
        note: "Messages received, by all members together.",
        metrics: &[Metric::DeliveriesPerSecond],
        is_shared: true,
    },
    Sheet {
        title: "CPU per delivery",
        note: "Processor time of the server for one message received by one member.",
        metrics: &[Metric::CpuPerDelivery, Metric::UserCpuPerDelivery],
        is_shared: true,
    },
    Sheet {
        title: "Latency",
        note: "From when a message was due to when a member had it.",
        metrics: &[Metric::LatencyP50, Metric::LatencyP99, Metric::LatencyP999, Metric::LatencyMax],
        is_shared: false,
    },
    Sheet {
        title: "Until everybody has it",
        note: "From when a message was due to when its last receiver had it.",
        metrics: &[Metric::LastP50, Metric::LastP99],
        is_shared: true,
    },
    Sheet {
        title: "Memory per connection",
        note: "What the process grew by since before the first: proportional, resident, private and dirty.",
        metrics: &[
            Metric::PssPerConnection,
            Metric::RssPerConnection,
            Metric::PrivateDirtyPerConnection,
        ],
        is_shared: false,
    },
    Sheet {
        title: "CPU per handshake",
        note: "Processor time of the server to take in one connection.",
        metrics: &[Metric::CpuPerHandshake],
        is_shared: true,
    },
    Sheet {
        title: "Posts",
        note: "Posts acknowledged; the load has its part in it.",
        metrics: &[Metric::PostsPerSecond],
        is_shared: true,
    },
    Sheet {
        title: "CPU per post",
        note: "Processor time of the server, kernel included, over posts acknowledged; all deliveries are in it.",
        metrics: &[Metric::CpuPerPost],
        is_shared: true,
    },
    Sheet {
        title: "Acknowledgement",
        note: "From when a post was due to its author's answer.",
        metrics: &[Metric::AnswerP50, Metric::AnswerP99, Metric::AnswerP999],
        is_shared: false,
    },
    Sheet {
        title: "Handshakes",
        note: "Connections opened; the load has its part in it.",
        metrics: &[Metric::HandshakesPerSecond],
        is_shared: true,
    },
    Sheet {
        title: "Time to open",
        note: "From the first packet to an open connection.",
        metrics: &[Metric::HandshakeP50, Metric::HandshakeP99, Metric::HandshakeMax],
        is_shared: false,
    },
    Sheet {
        title: "CPU while all are quiet",
        note: "Processor time of the server when nothing happens.",
        metrics: &[Metric::HoldingCpu],
        is_shared: true,
    },
    Sheet {
        title: "Until all are back",
        note: "From when the killed server listens again to the last connection.",
        metrics: &[Metric::AllBackSeconds],
        is_shared: true,
    },
    Sheet {
        title: "Until one is back",
        note: "From when the killed server listens again.",
        metrics: &[Metric::BackP50, Metric::BackP99],
        is_shared: false,
    },
];

/// All plots of a report, in order.
pub(super) fn plots(report: &Report) -> Vec<Plot> {
    let mut plots: Vec<Plot> = SHEETS.iter().flat_map(|sheet| sheet.plots(report)).collect();
    let ratios = [Metric::CpuPerDelivery, Metric::CpuPerHandshake];
    let first = plots.len().min(2);
    let ratio = ratios.into_iter().find_map(|metric| ratio(report, metric));
    plots.splice(first..first, ratio);
    plots.extend(spectrum(report));
    plots
}

impl Sheet {
    fn plots(&self, report: &Report) -> Vec<Plot> {
        let names: Vec<&str> = report.subjects().collect();
        if self.is_shared {
            let series = names.iter().enumerate().flat_map(|(subject, name)| {
                let metrics = self.metrics.iter().enumerate();
                metrics.filter_map(move |(shade, metric)| {
                    let name = match finer(*metric) {
                        "" => (*name).to_owned(),
                        finer => format!("{name}, {finer}"),
                    };
                    series(report, subject, *metric, name, Ink { subject, shade, is_alone: false })
                })
            });
            return self
                .plot(report, self.title.to_owned(), series.collect())
                .into_iter()
                .collect();
        }
        let each = names.iter().enumerate().filter_map(|(subject, name)| {
            let metrics = self.metrics.iter().enumerate();
            let series = metrics.filter_map(|(shade, metric)| {
                let name = finer(*metric).to_owned();
                series(report, subject, *metric, name, Ink { subject, shade, is_alone: true })
            });
            self.plot(report, format!("{}: {name}", self.title), series.collect())
        });
        let mut plots: Vec<Plot> = each.collect();
        let all: Vec<f64> = plots.iter().flat_map(|plot| plot.extent()).collect();
        for plot in &mut plots {
            plot.beside.clone_from(&all);
        }
        plots
    }

    fn plot(&self, report: &Report, title: String, series: Vec<Series>) -> Option<Plot> {
        let unit = self.metrics[0].style().unit;
        let kind = report.axis.map_or(Kind::Bars, Kind::Over);
        let note = self.note.to_owned();
        (!series.is_empty()).then_some(Plot { title, note, unit, kind, series, beside: Vec::new() })
    }
}

/// A figure's name beside others of its sheet.
fn finer(metric: Metric) -> &'static str {
    match metric {
        Metric::UserCpuPerDelivery => "in user space",
        Metric::DeliveriesPerSecond
        | Metric::CpuPerDelivery
        | Metric::PostsPerSecond
        | Metric::CpuPerPost
        | Metric::CpuPerHandshake
        | Metric::HandshakesPerSecond
        | Metric::HoldingCpu
        | Metric::AllBackSeconds => "",
        Metric::LastP50 => "p50",
        Metric::LastP99 => "p99",
        Metric::PssPerConnection => "Pss",
        Metric::RssPerConnection => "Rss",
        Metric::PrivateDirtyPerConnection => "private dirty",
        Metric::HandshakeP50 | Metric::BackP50 | Metric::AnswerP50 => "p50",
        Metric::HandshakeP99 | Metric::BackP99 | Metric::AnswerP99 => "p99",
        Metric::AnswerP999 => "p99.9",
        Metric::HandshakeMax => "max",
        other => other.style().short,
    }
}

/// One figure of one subject, over all points.
fn series(
    report: &Report,
    subject: usize,
    metric: Metric,
    name: String,
    ink: Ink,
) -> Option<Series> {
    let points = report.points.iter().enumerate().filter_map(|(number, point)| {
        let outcome = point.outcomes.get(subject)?;
        let y = outcome.median(metric)?;
        let (least, most) = outcome.values(metric).fold((y, y), |(l, m), v| (l.min(v), m.max(v)));
        Some(Spot { x: point.at.unwrap_or(number as f64), y, least, most })
    });
    let mut points: Vec<Spot> = points.collect();
    points.sort_by(|one, other| one.x.total_cmp(&other.x));
    (!points.is_empty()).then_some(Series { name, ink, points })
}

/// The server's figure in relation to each yardstick's.
fn ratio(report: &Report, metric: Metric) -> Option<Plot> {
    let yardsticks = report.points.first()?.yardsticks().count();
    let server = report.subjects().next()?;
    let series = (1..=yardsticks).filter_map(|subject| {
        let points = report.points.iter().enumerate().filter_map(|(number, point)| {
            let ratios = point.ratios(metric, point.outcomes.get(subject)?);
            let y = median(ratios.iter().copied())?;
            let (least, most) = ratios.iter().fold((y, y), |(l, m), v| (l.min(*v), m.max(*v)));
            Some(Spot { x: point.at.unwrap_or(number as f64), y, least, most })
        });
        let mut points: Vec<Spot> = points.collect();
        points.sort_by(|one, other| one.x.total_cmp(&other.x));
        let yardstick = report.subjects().nth(subject)?;
        let name = format!("{server} ÷ {yardstick}");
        let ink = Ink { subject, shade: 0, is_alone: false };
        (!points.is_empty()).then_some(Series { name, ink, points })
    });
    let series: Vec<Series> = series.collect();
    (!series.is_empty()).then(|| Plot {
        title: format!("{}, in relation", metric.style().short.replace('/', " per ")),
        note: "Measured in turns; below 1 is less than what stands behind the ÷.".to_owned(),
        unit: Unit::Ratio,
        kind: report.axis.map_or(Kind::Bars, Kind::Over),
        series,
        beside: Vec::new(),
    })
}

/// Latency by percentile, at the last point, where it is most telling.
fn spectrum(report: &Report) -> Option<Plot> {
    let point = report.points.last()?;
    let series = point.outcomes.iter().enumerate().filter_map(|(subject, outcome)| {
        Some(Series {
            name: outcome.name.clone(),
            ink: Ink { subject, shade: 0, is_alone: false },
            points: spectrum_of(outcome)?,
        })
    });
    let series: Vec<Series> = series.collect();
    let (title, note) = match (report.axis, point.at) {
        (Some(axis), Some(at)) => (
            format!("Latency by percentile at {} {axis}", super::scale::name(at)),
            "All repetitions together.",
        ),
        _ => ("Latency by percentile".to_owned(), "All repetitions together."),
    };
    let (unit, kind, note) = (Metric::LatencyP50.style().unit, Kind::Percentiles, note.to_owned());
    (!series.is_empty()).then_some(Plot { title, note, unit, kind, series, beside: Vec::new() })
}

fn spectrum_of(outcome: &Outcome) -> Option<Vec<Spot>> {
    let latency_ns = outcome.latency_ns()?;
    // A percentile that rests on less than a handful of deliveries says nothing.
    let known = |quantile: &&f64| latency_ns.len() as f64 * (1.0 - **quantile) >= 5.0;
    let spots = SPECTRUM.iter().filter(known).map(|&quantile| {
        let y = quantile_us(&latency_ns, quantile);
        Spot { x: percentile_place(quantile), y, least: y, most: y }
    });
    Some(spots.collect())
}

impl Plot {
    /// From where to where its own values go.
    fn extent(&self) -> Vec<f64> {
        let spots = self.series.iter().flat_map(|series| &series.points);
        spots.flat_map(|spot| [spot.least, spot.most]).collect()
    }
}

impl Report {
    /// Names of the subjects, the server first.
    pub(super) fn subjects(&self) -> impl Iterator<Item = &str> {
        let outcomes = self.points.first().map_or(&[][..], |point| &point.outcomes);
        outcomes.iter().map(|outcome| outcome.name.as_str())
    }
}
