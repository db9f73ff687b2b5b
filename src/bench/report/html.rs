//! The report as one page that needs nothing else: plots, every figure, and what was asked for. No scripts.

use std::fmt::Write;

use super::svg::escape;
use super::table::{self, Table};
use super::{Report, plots};
use crate::bench::fleet::Accidents;

pub(super) fn render(report: &Report) -> String {
    let title = title(report);
    let mut page = format!(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
         <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n\
         <p class=\"by\">{}</p>\n",
        escape(&report.machine.to_string())
    );
    page.push_str(&parameters(report));
    page.push_str(&said(report));
    page.push_str("<div class=\"plots\">\n");
    for plot in plots::plots(report) {
        let _ = writeln!(
            page,
            "<figure>\n<figcaption><h2>{}</h2><p>{}</p></figcaption>\n{}</figure>",
            escape(&plot.title),
            escape(&plot.note),
            plot.render()
        );
    }
    page.push_str("</div>\n");
    page.push_str(&figures(&table::table(report)));
    let _ = writeln!(page, "<footer>{FOOTER}</footer>\n</html>");
    page
}

const STYLE: &str = include_str!("style.css");

const FOOTER: &str = concat!(
    "<p>Figures are medians of the repetitions, which are marked where they differ; a ratio is the median of the ratios of \
     neighbours in time. Latency counts from when a message was due, not from when it was sent. CPU is the processor time of \
     the server process, kernel included. The <em>floor</em> is a server that makes one system call for each member and \
     message and does nothing else; <em>batched</em>, one for each member and round.</p><p>Made by wsrelay ",
    env!("CARGO_PKG_VERSION"),
    ".</p>"
);

fn title(report: &Report) -> String {
    let subject = report.subjects().next().unwrap_or("wsrelay");
    let over = report.axis.map_or(String::new(), |axis| format!(" over {axis}"));
    escape(&format!("{subject}: {}{over}", report.mode))
}

fn parameters(report: &Report) -> String {
    let mut list = String::from("<dl>\n");
    for parameter in &report.parameters {
        let (name, value) = (escape(parameter.name), escape(&parameter.value));
        let _ = writeln!(list, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    list.push_str("</dl>\n");
    list
}

/// What was checked, what went astray, and what to mind.
fn said(report: &Report) -> String {
    let mut said = String::from("<div class=\"said\">\n");
    let outcomes = || report.points.iter().flat_map(|point| &point.outcomes);
    let received: u64 = outcomes().map(|outcome| outcome.counts()[2]).sum();
    let clean = outcomes().all(|outcome| outcome.accidents() == Accidents::default());
    if received > 0 && clean {
        let _ = writeln!(
            said,
            "<p>{} deliveries, each checked: none lost, none twice, none out of order, none changed.</p>",
            super::grouped(received as f64)
        );
    }
    for mishap in report.mishaps() {
        let _ = writeln!(said, "<p class=\"alarm\">{}</p>", escape(&mishap));
    }
    for note in report.notes() {
        let _ = writeln!(said, "<p>Note: {}.</p>", escape(&note));
    }
    if report.is_interrupted {
        said.push_str("<p>Interrupted: this is what there was until then.</p>\n");
    }
    said.push_str("</div>\n");
    if said.contains("<p") { said } else { String::new() }
}

/// The table, as it is on the terminal.
fn figures(table: &Table) -> String {
    let mut text = String::from("<div class=\"wide\"><table>\n<thead><tr>");
    for cell in &table.head {
        let _ = write!(text, "<th>{}</th>", escape(cell));
    }
    text.push_str("</tr></thead>\n<tbody>\n");
    for row in &table.rows {
        let starts = table.has_axis && row.first().is_some_and(|cell| !cell.is_empty());
        let class = if starts { " class=\"server next\"" } else { "" };
        let _ = write!(text, "<tr{class}>");
        for (column, cell) in row.iter().enumerate() {
            let tag = if column == 0 { "th" } else { "td" };
            let _ = write!(text, "<{tag}>{}</{tag}>", escape(cell));
        }
        text.push_str("</tr>\n");
    }
    text.push_str("</tbody>\n</table></div>\n");
    text
}
