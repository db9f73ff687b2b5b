//! Messages over a fleet, from the first handshake to the last delivery: what fanout and echo have in common.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use super::figures::{Figures, Metric};
use super::fleet::{Fleet, Pace, Plan, Schedule, Tally};
use super::process::{CpuTime, Pid, Stretch};
use super::{Context, Failure, Sample};

/// What happens once all are connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) pace: Pace,
    pub(super) warm_up: Duration,
    pub(super) duration: Duration,
    /// Whether members are in rooms, which are complete only when all have heard a greeting.
    pub(super) greets: bool,
}

/// Connects, lets the publishers speak, and counts. `None` when it was interrupted before anything counted.
pub(super) fn measure(
    plan: Plan,
    course: &Course,
    server: Option<Pid>,
    context: &mut Context,
) -> Result<Option<Sample>, Failure> {
    let all = plan.connections();
    let mut fleet = Fleet::launch(plan, &context.interrupt)?;
    let progress = &mut context.progress;
    fleet.connect(|open| progress.step(|| format!("  {open} of {all} connected")))?;
    if course.greets {
        fleet.greet()?;
    }
    if context.interrupt.is_set() {
        return Ok(None);
    }
    let schedule = Schedule::new(course.pace, fleet.clock, course.warm_up, course.duration);
    let schedule = Arc::new(schedule);
    fleet.start(&schedule);
    if !fleet.pass_until(schedule.warm_ns, |_| {})? {
        return Ok(None);
    }
    let (server_stretch, load_stretch) =
        (server.map(Stretch::begin), Stretch::begin(Pid(std::process::id())));
    let gauges = Arc::clone(&fleet.gauges);
    fleet.pass_until(schedule.end_ns(), |_| {
        let received = gauges.received.load(Relaxed);
        progress.step(|| format!("  {received} deliveries"));
    })?;
    let (server_cpu, load_cpu) = (server_stretch.and_then(|s| s.end()), load_stretch.end());
    schedule.end_at(fleet.clock.now_ns());
    let seconds = (schedule.end_ns() - schedule.warm_ns) as f64 / 1e9;
    let tally = fleet.finish()?;
    let figures = figures(&tally, course.pace, seconds, server_cpu, load_cpu);
    Ok(Some(Sample {
        figures,
        sent: tally.sent,
        expected: tally.expected,
        received: tally.received,
        accidents: tally.accidents,
        first_drop: tally.first_drop,
        latency_ns: Some(tally.latency_ns),
    }))
}

fn figures(
    tally: &Tally,
    pace: Pace,
    seconds: f64,
    server_cpu: Option<(CpuTime, f64)>,
    load_cpu: Option<(CpuTime, f64)>,
) -> Figures {
    let deliveries = tally.received_measured as f64;
    let mut figures = Figures::default();
    figures.set(Metric::DeliveriesPerSecond, deliveries / seconds);
    let hearers = tally.expected as f64 / tally.sent as f64;
    figures.set(Metric::MessagesPerSecond, deliveries / hearers / seconds);
    let latencies = [
        (Metric::LatencyP50, 0.5),
        (Metric::LatencyP99, 0.99),
        (Metric::LatencyP999, 0.999),
        (Metric::LatencyMax, 1.0),
    ];
    figures.set_quantiles(&tally.latency_ns, &latencies);
    let last = [(Metric::LastP50, 0.5), (Metric::LastP99, 0.99)];
    figures.set_quantiles(&tally.last_receiver_ns(), &last);
    if let Some((cpu, seconds)) = server_cpu {
        figures.set(Metric::CpuPerDelivery, cpu.total_ns as f64 / 1e3 / deliveries);
        figures.set_some(
            Metric::UserCpuPerDelivery,
            cpu.user_ns().map(|user_ns| user_ns / 1e3 / deliveries),
        );
        figures.set(Metric::ServerCpu, cpu.total_ns as f64 / 1e7 / seconds);
        figures.set(Metric::ServerWait, cpu.waited_ns as f64 / 1e7 / seconds);
    }
    if let Some((cpu, seconds)) = load_cpu {
        figures.set(Metric::LoadCpu, cpu.total_ns as f64 / 1e7 / seconds);
    }
    if pace != Pace::Closed {
        figures.set_quantiles(&tally.lag_ns, &[(Metric::SendLagP99, 0.99)]);
    }
    figures
}
