//! `idle`: connections that are opened, held, and say nothing.
//!
//! The server's memory is weighed before the first connection and when all are open and quiet. What its first
//! connection makes it fetch once is shared out over all of them: the more there are, the nearer the figure is to the
//! next one's cost.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::figures::{Figures, Metric};
use super::fleet::{Fleet, Plan};
use super::options::{Common, IdleOptions};
use super::process::{CpuTime, Memory, Stretch};
use super::subject::Subject;
use super::sweep::{Axis, whole};
use super::{Context, Failure, Measure, Parameter, Sample};

/// For the server to finish with its start, or with the last handshake, before it is weighed.
const SETTLE: Duration = Duration::from_millis(200);

impl Measure for IdleOptions {
    fn name(&self) -> &'static str {
        "idle"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn path(&self) -> &'static str {
        "/relay/bench-{room}"
    }

    fn connections(&self) -> u32 {
        self.connections
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![
            Parameter::new("connections", self.connections).along(Axis::Connections),
            Parameter::new("handshakes under way", self.common.window),
            Parameter::new("held", format!("{} s", self.hold.as_secs_f64())),
        ]
    }

    fn at(&self, axis: Axis, value: f64) -> Option<Box<dyn Measure>> {
        let connections = whole(value).filter(|_| axis == Axis::Connections)?;
        Some(Box::new(Self { connections, ..self.clone() }))
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        let plan =
            Plan { members: self.connections, ..Plan::quiet(stage.target.clone(), &self.common) };
        let mut fleet = Fleet::launch(plan, &context.interrupt)?;
        fleet.hold(SETTLE)?;
        let empty = stage.pid.and_then(|pid| pid.memory());
        let opening = stage.pid.map(Stretch::begin);
        let (all, progress) = (self.connections, &mut context.progress);
        let began_ns = fleet.clock.now_ns();
        let open =
            fleet.connect(|open| progress.step(|| format!("  {open} of {all} connected")))?;
        if open == 0 {
            return Ok(None);
        }
        let opened_ns = fleet.gauges.last_open_ns.load(Relaxed);
        fleet.hold(SETTLE)?;
        let opening = opening.and_then(|stretch| stretch.end());
        let full = stage.pid.and_then(|pid| pid.memory());

        let held = self.hold.as_secs_f64();
        context.progress.stage(&format!("  holding {open} connections for {held} s"));
        let holding = stage.pid.map(Stretch::begin);
        fleet.hold(self.hold)?;
        let holding = holding.and_then(|stretch| stretch.end());
        let tally = fleet.finish()?;

        let mut figures = Figures::default();
        let each = f64::from(open);
        let seconds = (opened_ns - began_ns) as f64 / 1e9;
        figures.set(Metric::HandshakesPerSecond, each / seconds);
        set_handshake_cpu(&mut figures, opening, each);
        let times = [
            (Metric::HandshakeP50, 0.5),
            (Metric::HandshakeP99, 0.99),
            (Metric::HandshakeMax, 1.0),
        ];
        figures.set_quantiles(&tally.handshake_ns, &times);
        if let (Some(empty), Some(full)) = (empty, full) {
            set_memory(&mut figures, empty, full, each);
        }
        if let Some((cpu, seconds)) = holding.filter(|(_, seconds)| *seconds > 0.1) {
            figures.set(Metric::HoldingCpu, cpu.total_ns as f64 / 1e7 / seconds);
        }
        Ok(Some(Sample {
            figures,
            accidents: tally.accidents,
            first_drop: tally.first_drop,
            ..Sample::default()
        }))
    }
}

pub(super) fn set_handshake_cpu(figures: &mut Figures, used: Option<(CpuTime, f64)>, each: f64) {
    let Some((cpu, seconds)) = used else { return };
    figures.set(Metric::CpuPerHandshake, cpu.total_ns as f64 / 1e3 / each);
    let user = cpu.user_ns().map(|user_ns| user_ns / 1e3 / each);
    figures.set_some(Metric::UserCpuPerHandshake, user);
    figures.set(Metric::ServerWait, cpu.waited_ns as f64 / 1e7 / seconds);
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
