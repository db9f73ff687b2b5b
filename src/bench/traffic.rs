//! Messages over a fleet, from the first handshake to the last delivery: what fanout, echo and the chat's posts have in
//! common.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use super::figures::{Figures, Metric};
use super::fleet::{Fleet, Pace, Plan, Schedule, Tally};
use super::options::Span;
use super::process::{Pid, Stretch, Used};
use super::{Context, Failure, Sample};

/// What happens once all are connected.
#[derive(Clone, Copy, Debug)]
pub(super) struct Course {
    pub(super) pace: Pace,
    pub(super) span: Span,
}

/// Connects, lets the publishers speak, and counts. `None` when it was interrupted before anything counted.
pub(super) fn measure(
    plan: Plan,
    course: &Course,
    server: Option<Pid>,
    context: &mut Context,
) -> Result<Option<Sample>, Failure> {
    let mut fleet = Fleet::launch(plan, &context.interrupt)?;
    context.assemble(&mut fleet)?;
    if context.interrupt.is_set() {
        return Ok(None);
    }
    let schedule = Arc::new(Schedule::new(course.pace, fleet.clock, course.span));
    fleet.start(&schedule);
    if !fleet.pass_until(schedule.warm_ns, |_| {})? {
        return Ok(None);
    }
    let (server, load) = (server.map(Stretch::begin), Stretch::begin(Pid(std::process::id())));
    let (gauges, progress) = (Arc::clone(&fleet.gauges), &mut context.progress);
    fleet.pass_until(schedule.end_ns(), |_| {
        let received = gauges.received.load(Relaxed);
        progress.step(|| format!("  {received} deliveries"));
    })?;
    let (server, load) = (server.and_then(|stretch| stretch.end()), load.end());
    schedule.end_at(fleet.clock.now_ns());
    let seconds = (schedule.end_ns() - schedule.warm_ns) as f64 / 1e9;
    let tally = fleet.finish()?;
    let mut figures = Figures::default();
    set_heard(&mut figures, &tally, course.pace, seconds);
    set_answered(&mut figures, &tally, seconds, server);
    set_used(&mut figures, &tally, server, load);
    Ok(Some(Sample::new(figures, tally)))
}

/// What was heard, and when.
fn set_heard(figures: &mut Figures, tally: &Tally, pace: Pace, seconds: f64) {
    let deliveries = tally.received_measured as f64;
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
    if let Pace::Open { .. } = pace {
        figures.set_quantiles(&tally.lag_ns, &[(Metric::SendLagP99, 0.99)]);
    }
}

/// What became of posts.
fn set_answered(figures: &mut Figures, tally: &Tally, seconds: f64, server: Option<Used>) {
    let answers =
        [(Metric::AnswerP50, 0.5), (Metric::AnswerP99, 0.99), (Metric::AnswerP999, 0.999)];
    figures.set_quantiles(&tally.answer_ns, &answers);
    let posts = tally.acknowledged_measured as f64;
    if posts > 0.0 {
        figures.set(Metric::PostsPerSecond, posts / seconds);
        figures.set(Metric::EntryBytes, tally.entry_bytes as f64 / tally.received as f64);
        figures.set_some(Metric::CpuPerPost, server.map(|used| used.us_per(posts)));
    }
}

/// What it cost the server, and the load.
fn set_used(figures: &mut Figures, tally: &Tally, server: Option<Used>, load: Option<Used>) {
    let deliveries = tally.received_measured as f64;
    if let Some(used) = server {
        figures.set(Metric::CpuPerDelivery, used.us_per(deliveries));
        figures.set_some(Metric::UserCpuPerDelivery, used.user_us_per(deliveries));
        figures.set(Metric::ServerCpu, used.percent());
        figures.set(Metric::ServerWait, used.waited_percent());
    }
    figures.set_some(Metric::LoadCpu, load.map(Used::percent));
}
