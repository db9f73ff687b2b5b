//! A plot as SVG: lines over an axis, or bars side by side. Colours are classes, which the page's style sheet fills in
//! for light, dark and paper.

use std::fmt::Write;

use super::scale::{Scale, name};
use super::show;
use crate::bench::figures::Unit;

/// A plot to be drawn.
#[derive(Debug)]
pub(super) struct Plot {
    pub(super) title: String,
    /// What a reader should know, under the title.
    pub(super) note: String,
    pub(super) unit: Unit,
    pub(super) kind: Kind,
    pub(super) series: Vec<Series>,
    /// Values that the scale has to hold besides: those of plots that are to be compared with this one.
    pub(super) beside: Vec<f64>,
}

#[derive(Debug)]
pub(super) enum Kind {
    /// Points over an axis with this title, joined.
    Over(&'static str),
    /// Latency over its percentile: one nine is one step.
    Percentiles,
    /// One bar for each point of each series.
    Bars,
}

/// Points that belong together.
#[derive(Debug)]
pub(super) struct Series {
    pub(super) name: String,
    /// What it is drawn in.
    pub(super) ink: Ink,
    pub(super) points: Vec<Spot>,
}

/// Whose figures these are, and which of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Ink {
    pub(super) subject: usize,
    /// Which of the subject's figures; the first is drawn in a full line.
    pub(super) shade: usize,
    /// Whether the subject has the plot for itself, and so more than one colour.
    pub(super) is_alone: bool,
}

/// One figure: its median, and from where to where repetitions went.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spot {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) least: f64,
    pub(super) most: f64,
}

const WIDTH: f64 = 600.0;
const HEIGHT: f64 = 340.0;
const LEFT: f64 = 76.0;
const RIGHT: f64 = 18.0;
const BOTTOM: f64 = 46.0;
const LEGEND_LINE: f64 = 20.0;

impl Plot {
    pub(super) fn render(&self) -> String {
        let mut svg = String::new();
        let height = match self.kind {
            Kind::Bars => self.bars(&mut svg),
            Kind::Over(_) | Kind::Percentiles => self.lines(&mut svg),
        };
        let label = escape(&self.title);
        format!(
            "<svg viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\" aria-label=\"{label}\">\n{svg}</svg>\n"
        )
    }

    fn lines(&self, svg: &mut String) -> f64 {
        let top = self.legend(svg) + 10.0;
        let spots = || self.series.iter().flat_map(|series| &series.points);
        let across = (LEFT, WIDTH - RIGHT);
        let up = (HEIGHT - BOTTOM, top);
        let x = Scale::around(spots().map(|spot| spot.x), across);
        let y = Scale::fitting(self.values(), up);
        self.grid(svg, &x, &y);
        // The server comes first and is drawn last, over what it is compared with.
        for series in self.series.iter().rev() {
            series.draw(svg, &x, &y, self.unit);
        }
        HEIGHT
    }

    /// All that the scale has to hold.
    fn values(&self) -> impl Iterator<Item = f64> + Clone {
        let spots = self.series.iter().flat_map(|series| &series.points);
        let even = (self.unit == Unit::Ratio).then_some(1.0);
        let own = spots.flat_map(|spot| [spot.least, spot.most]);
        own.chain(self.beside.iter().copied()).chain(even)
    }

    /// Axes, their names and ticks.
    fn grid(&self, svg: &mut String, x: &Scale, y: &Scale) {
        let (bottom, right) = (HEIGHT - BOTTOM, WIDTH - RIGHT);
        let (size, unit) = tick_unit(self.unit, y);
        for value in y.ticks() {
            let at = y.place(value);
            let named = match size {
                Some(size) => name(value / size),
                None => show_time(value, self.unit),
            };
            let _ = writeln!(svg, "<path class=\"grid\" d=\"M{LEFT} {at:.1}H{right}\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{:.1}\" class=\"end\">{named}</text>",
                LEFT - 8.0,
                at + 4.0
            );
        }
        let log = if y.is_log() { ", log scale" } else { "" };
        let middle = bottom / 2.0 + 12.0;
        let _ = writeln!(
            svg,
            "<text class=\"axis mid\" transform=\"translate(12 {middle:.0}) rotate(-90)\">{unit}{log}</text>"
        );
        let _ = writeln!(svg, "<path class=\"base\" d=\"M{LEFT} {bottom}H{right}\"/>");
        if self.unit == Unit::Ratio {
            let even = y.place(1.0);
            let _ = writeln!(svg, "<path class=\"even\" d=\"M{LEFT} {even:.1}H{right}\"/>");
        }
        for (value, named) in self.x_ticks(x) {
            let at = x.place(value);
            let _ = writeln!(svg, "<path class=\"base\" d=\"M{at:.1} {bottom}v5\"/>");
            let _ = writeln!(
                svg,
                "<text x=\"{at:.1}\" y=\"{:.0}\" class=\"mid\">{named}</text>",
                bottom + 19.0
            );
        }
        let title = match self.kind {
            Kind::Over(title) => title,
            Kind::Percentiles => "percentile of deliveries",
            Kind::Bars => "",
        };
        let log = if x.is_log() && matches!(self.kind, Kind::Over(_)) { ", log scale" } else { "" };
        let centre = f64::midpoint(LEFT, right);
        let _ = writeln!(
            svg,
            "<text x=\"{centre:.0}\" y=\"{:.0}\" class=\"axis mid\">{title}{log}</text>",
            HEIGHT - 8.0
        );
    }

    /// The values that were measured are named, as far as their names do not touch.
    fn x_ticks(&self, x: &Scale) -> Vec<(f64, String)> {
        let spots = self.series.iter().flat_map(|series| &series.points);
        let mut values: Vec<f64> = spots.map(|spot| spot.x).collect();
        values.sort_by(f64::total_cmp);
        values.dedup();
        let mut ticks: Vec<(f64, String)> = Vec::new();
        let mut free_from = f64::NEG_INFINITY;
        for value in values {
            let named = match self.kind {
                Kind::Percentiles => percentile_name(value),
                _ => name(value),
            };
            let half = named.chars().count() as f64 * 3.6 + 4.0;
            if x.place(value) - half >= free_from {
                free_from = x.place(value) + half;
                ticks.push((value, named));
            }
        }
        ticks
    }

    /// Names of the series in rows above the plot; answers with where they end.
    fn legend(&self, svg: &mut String) -> f64 {
        let (mut x, mut y) = (LEFT, 14.0);
        for series in &self.series {
            let width = 34.0 + series.name.chars().count() as f64 * 6.6 + 14.0;
            if x + width > WIDTH && x > LEFT {
                (x, y) = (LEFT, y + LEGEND_LINE);
            }
            let class = series.ink.class();
            let _ = writeln!(svg, "<path class=\"line {class}\" d=\"M{x:.0} {:.0}h24\"/>", y - 4.0);
            let _ = writeln!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{:.0}\" cy=\"{:.0}\" r=\"3\"/>",
                x + 12.0,
                y - 4.0
            );
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{y:.0}\">{}</text>",
                x + 31.0,
                escape(&series.name)
            );
            x += width;
        }
        y
    }

    /// Bars to the right, each with its name before it and its figure behind it; answers with the height.
    fn bars(&self, svg: &mut String) -> f64 {
        const NAME: f64 = 190.0;
        const FIGURE: f64 = 84.0;
        const BAR: f64 = 26.0;
        let rows =
            || self.series.iter().filter_map(|series| Some((series, series.points.first()?)));
        let scale = Scale::linear(self.values(), (NAME, WIDTH - FIGURE));
        let mut y = 6.0;
        for (series, spot) in rows() {
            let (start, end) = (scale.place(0.0), scale.place(spot.y));
            let (left, width) = (start.min(end), (end - start).abs().max(1.0));
            let class = series.ink.class();
            let middle = y + BAR / 2.0 + 4.0;
            let shown = show(spot.y, self.unit);
            let _ = writeln!(
                svg,
                "<text x=\"{:.0}\" y=\"{middle:.0}\" class=\"end\">{}</text>\
                 <rect class=\"bar {class}\" x=\"{left:.1}\" y=\"{:.0}\" width=\"{width:.1}\" height=\"{:.0}\" rx=\"2\"/>",
                NAME - 10.0,
                escape(&series.name),
                y + 3.0,
                BAR - 6.0
            );
            let (least, most) = (scale.place(spot.least), scale.place(spot.most));
            if most - least > 1.0 {
                let _ = writeln!(
                    svg,
                    "<path class=\"range\" d=\"M{least:.1} {0:.1}H{most:.1}M{least:.1} {1:.1}v6M{most:.1} {1:.1}v6\"/>",
                    y + BAR / 2.0,
                    y + BAR / 2.0 - 3.0
                );
            }
            let _ = writeln!(
                svg,
                "<text x=\"{:.1}\" y=\"{middle:.0}\" class=\"strong\">{shown}</text>",
                end.max(most) + 8.0
            );
            y += BAR;
        }
        y + 6.0
    }
}

impl Series {
    fn draw(&self, svg: &mut String, x: &Scale, y: &Scale, unit: Unit) {
        let class = self.ink.class();
        let mut path = String::new();
        for (number, spot) in self.points.iter().enumerate() {
            let step = if number == 0 { 'M' } else { 'L' };
            let _ = write!(path, "{step}{:.1} {:.1}", x.place(spot.x), y.place(spot.y));
        }
        let _ = writeln!(svg, "<path class=\"line {class}\" d=\"{path}\"/>");
        for spot in &self.points {
            let (at, middle) = (x.place(spot.x), y.place(spot.y));
            let (least, most) = (y.place(spot.least), y.place(spot.most));
            if least - most > 1.0 {
                let _ = writeln!(
                    svg,
                    "<path class=\"range {class}\" d=\"M{at:.1} {least:.1}V{most:.1}\"/>"
                );
            }
            let _ = writeln!(
                svg,
                "<circle class=\"dot {class}\" cx=\"{at:.1}\" cy=\"{middle:.1}\" r=\"3.5\"><title>{}: {}</title></circle>",
                escape(&self.name),
                show(spot.y, unit)
            );
        }
    }
}

impl Ink {
    fn class(self) -> String {
        let kind = if self.is_alone { 'a' } else { 't' };
        format!("s{} {kind}{}", self.subject.min(3), self.shade.min(3))
    }
}

/// The unit that an axis is named in, and how many of the figure's own make one; `None` when each tick names its own.
fn tick_unit(unit: Unit, scale: &Scale) -> (Option<f64>, &'static str) {
    let top = scale.ticks().last().copied().unwrap_or(1.0);
    let (size, unit) = match unit {
        Unit::Micros | Unit::Seconds if scale.is_log() => return (None, "time"),
        Unit::Micros if top >= 2e6 => (1e6, "seconds"),
        Unit::Micros if top >= 2e3 => (1e3, "milliseconds"),
        Unit::Micros => (1.0, "microseconds"),
        Unit::CpuMicros => (1.0, "microseconds of CPU"),
        Unit::Seconds if top < 1.0 => (1e-3, "milliseconds"),
        Unit::Seconds => (1.0, "seconds"),
        Unit::Bytes => (1.0, "bytes"),
        Unit::PerSecond if top >= 2e6 => (1e6, "million per second"),
        Unit::PerSecond if top >= 2e4 => (1e3, "thousand per second"),
        Unit::PerSecond => (1.0, "per second"),
        Unit::Percent => (1.0, "% of one processor"),
        Unit::Ratio => (1.0, "times as much"),
        Unit::Count => (1.0, ""),
    };
    (Some(size), unit)
}

/// A time with its own unit, as ticks on a logarithmic scale have it.
fn show_time(value: f64, unit: Unit) -> String {
    let micros = if unit == Unit::Seconds { value * 1e6 } else { value };
    let steps = [(1.0, "µs"), (1e3, "ms"), (1e6, "s")];
    let fitting = steps.into_iter().rev().find(|(size, _)| micros >= size * 0.999);
    let (size, unit) = fitting.unwrap_or(steps[0]);
    format!("{} {unit}", name(micros / size))
}

/// A percentile's place on an axis on which each nine is one step: how many share the rest.
pub(super) fn percentile_place(quantile: f64) -> f64 {
    1.0 / (1.0 - quantile)
}

fn percentile_name(place: f64) -> String {
    let percent = 100.0 - 100.0 / place;
    format!("p{}", (percent * 1000.0).round() / 1000.0)
}

/// Text between tags, or within an attribute's quotes.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(points: &[(f64, f64)]) -> Series {
        let spot = |&(x, y): &(f64, f64)| Spot { x, y, least: y * 0.9, most: y * 1.1 };
        let ink = Ink { subject: 0, shade: 0, is_alone: false };
        Series { name: "a < b".to_owned(), ink, points: points.iter().map(spot).collect() }
    }

    fn plot(kind: Kind, points: &[(f64, f64)]) -> String {
        let (title, note) = ("A \"plot\"".to_owned(), String::new());
        Plot {
            title,
            note,
            unit: Unit::Micros,
            kind,
            series: vec![series(points)],
            beside: Vec::new(),
        }
        .render()
    }

    #[test]
    fn a_plot_has_its_points_its_ticks_and_its_legend() {
        let svg =
            plot(Kind::Over("connections"), &[(100.0, 5.0), (1000.0, 50.0), (10_000.0, 900.0)]);
        assert_eq!(svg.matches("<title>").count(), 3, "one for each point");
        for text in ["a &lt; b", ">10,000<", "connections, log scale", "time, log scale"] {
            assert!(svg.contains(text), "{text} is not in {svg}");
        }
        assert!(!svg.contains("NaN") && !svg.contains("inf"));
    }

    #[test]
    fn one_point_or_none_is_a_plot_too() {
        for points in [&[][..], &[(0.0, 0.0)], &[(7.0, 3.0)]] {
            for kind in [Kind::Over("x"), Kind::Percentiles, Kind::Bars] {
                let svg = plot(kind, points);
                assert!(svg.starts_with("<svg") && !svg.contains("NaN"), "{svg}");
            }
        }
    }

    #[test]
    fn percentiles_have_their_usual_names() {
        let names =
            [0.5, 0.9, 0.99, 0.999].map(|quantile| percentile_name(percentile_place(quantile)));
        assert_eq!(names, ["p50", "p90", "p99", "p99.9"]);
    }
}
