//! `idle`: connections that are opened, held, and say nothing.
//!
//! The server's memory is weighed before the first connection and when all are open and quiet. What its first
//! connection makes it fetch once is shared out over all of them: the more there are, the nearer the figure is to the
//! next one's cost.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use clap::Args;

use super::axis::Axis;
use super::crowd::Crowd;
use super::figures::{Figures, Metric};
use super::fleet::{Fleet, Plan, Tally};
use super::options::seconds;
use super::process::{Memory, Pid, Stretch, Used};
use super::subject::Subject;
use super::{About, Context, Failure, Measure, Parameter, Sample};

#[derive(Args, Clone, Debug)]
pub(super) struct Idle {
    #[command(flatten)]
    crowd: Crowd,

    /// Seconds to hold the connections.
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    hold: Duration,
}

impl Measure for Idle {
    fn about(&self) -> About<'_> {
        self.crowd.about("idle")
    }

    fn parameters(&self) -> Vec<Parameter> {
        self.crowd.holding(self.hold)
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        self.crowd.vary(axis, value)
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.crowd.common)?;
        weigh(self.crowd.plan(&stage), self.hold, stage.pid, context)
    }
}

/// Opens the connections of a plan, holds them, and weighs the server. `None` when it was interrupted before any was
/// open.
pub(super) fn weigh(
    plan: Plan,
    hold: Duration,
    server: Option<Pid>,
    context: &mut Context,
) -> Result<Option<Sample>, Failure> {
    let memory = || server.and_then(Pid::memory);
    let mut fleet = Fleet::launch(plan, &context.interrupt)?;
    fleet.hold(SETTLE)?;
    let empty = memory();
    let (opening, began_ns) = (server.map(Stretch::begin), fleet.clock.now_ns());
    let open = context.assemble(&mut fleet)?;
    if open == 0 {
        return Ok(None);
    }
    let opened_ns = fleet.gauges.last_open_ns.load(Relaxed);
    fleet.hold(SETTLE)?;
    let (opening, full) = (opening.and_then(|stretch| stretch.end()), memory());

    context.progress.stage(&format!("  holding {open} connections for {hold:?}"));
    let holding = server.map(Stretch::begin);
    fleet.hold(hold)?;
    let holding = holding.and_then(|stretch| stretch.end());
    let tally = fleet.finish()?;

    let each = f64::from(open);
    let mut figures = Figures::default();
    figures.set(Metric::HandshakesPerSecond, each * 1e9 / (opened_ns - began_ns) as f64);
    set_handshakes(&mut figures, &tally, opening, each);
    if let (Some(empty), Some(full)) = (empty, full) {
        set_memory(&mut figures, empty, full, each);
    }
    let holding = holding.filter(|used| used.seconds > 0.1);
    figures.set_some(Metric::HoldingCpu, holding.map(Used::percent));
    Ok(Some(Sample::new(figures, tally)))
}

fn set_handshakes(figures: &mut Figures, tally: &Tally, opening: Option<Used>, each: f64) {
    let times =
        [(Metric::HandshakeP50, 0.5), (Metric::HandshakeP99, 0.99), (Metric::HandshakeMax, 1.0)];
    figures.set_quantiles(&tally.handshake_ns, &times);
    set_handshake_cpu(figures, opening, each);
}

pub(super) fn set_handshake_cpu(figures: &mut Figures, opening: Option<Used>, each: f64) {
    let Some(used) = opening else { return };
    figures.set(Metric::CpuPerHandshake, used.us_per(each));
    figures.set_some(Metric::UserCpuPerHandshake, used.user_us_per(each));
    figures.set(Metric::ServerWait, used.waited_percent());
}

fn set_memory(figures: &mut Figures, empty: Memory, full: Memory, each: f64) {
    let rows = [
        (Metric::PssPerConnection, empty.pss_bytes, full.pss_bytes),
        (Metric::RssPerConnection, empty.rss_bytes, full.rss_bytes),
        (Metric::PrivateDirtyPerConnection, empty.private_dirty_bytes, full.private_dirty_bytes),
    ];
    for (metric, before, after) in rows {
        figures.set(metric, (after as f64 - before as f64) / each);
    }
}

/// For the server to finish with its start, or with the last handshake, before it is weighed.
const SETTLE: Duration = Duration::from_millis(200);
