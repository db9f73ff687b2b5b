//! `storm`: the server dies under its connections, comes back where it was, and all of them come back at once.
//!
//! The kill is a SIGKILL: nobody is told anything, every connection just breaks. Who is refused tries again a tenth of
//! a second later, as an eager client does. Times count from when the server says that it listens again.

use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use clap::Args;

use super::axis::Axis;
use super::crowd::Crowd;
use super::figures::{Figures, Metric};
use super::fleet::{Fleet, Plan};
use super::idle::set_handshake_cpu;
use super::options::seconds;
use super::process::{Pid, Stretch, Used};
use super::subject::{Stage, Subject};
use super::target::Target;
use super::{About, Context, Failure, Measure, Parameter, Sample};

#[derive(Args, Clone, Debug)]
pub(super) struct Storm {
    #[command(flatten)]
    crowd: Crowd,

    /// Seconds after which those who are not back are given up.
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    give_up: Duration,
}

impl Measure for Storm {
    fn about(&self) -> About<'_> {
        self.crowd.about("storm")
    }

    fn parameters(&self) -> Vec<Parameter> {
        vec![
            self.crowd.parameter(),
            Parameter::new("given up after", format!("{} s", self.give_up.as_secs_f64())),
        ]
    }

    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        match subject.is_ours() {
            true => Ok(()),
            false => Err(Failure::new("storm kills the server, so it has to start it: --server")),
        }
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        self.crowd.vary(axis, value)
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.crowd.common)?;
        let plan = self.crowd.plan(&stage);
        self.weather(stage, plan, |_| Ok(()), context)
    }
}

impl Storm {
    pub(super) fn crowd(&self) -> &Crowd {
        &self.crowd
    }

    /// Lets the storm pass. `meanwhile` happens between the restart and the return of all.
    pub(super) fn weather(
        &self,
        mut stage: Stage,
        plan: Plan,
        meanwhile: impl FnOnce(&Target) -> Result<(), Failure>,
        context: &mut Context,
    ) -> Result<Option<Sample>, Failure> {
        let mut fleet = Fleet::launch(plan, &context.interrupt)?;
        context.assemble(&mut fleet)?;
        if context.interrupt.is_set() {
            return Ok(None);
        }
        let Some(restart) = self.strike(&mut stage, &mut fleet)? else { return Ok(None) };
        meanwhile(&stage.target)?;

        let server = stage.pid.map(Stretch::begin);
        let load = Stretch::begin(Pid(std::process::id()));
        let since_ns = fleet.clock.now_ns();
        let (all, progress) = (self.crowd.connections, &mut context.progress);
        let are_back = fleet.storm(since_ns, self.give_up, |open| {
            progress.step(|| format!("  {open} of {all} back"));
        })?;
        let (server, load) = (server.and_then(|stretch| stretch.end()), load.end());
        if context.interrupt.is_set() {
            return Ok(None);
        }
        self.sample(&mut fleet, are_back.then_some(since_ns), restart, server, load).map(Some)
    }

    /// Kills the server and starts it again; answers with how long that took. `None`: interrupted, or out of patience.
    fn strike(&self, stage: &mut Stage, fleet: &mut Fleet) -> Result<Option<Duration>, Failure> {
        fleet.expect_endings();
        stage.kill();
        if !fleet.wait_all_ended()? {
            return Ok(None);
        }
        let killed = Instant::now();
        stage.restart(&self.crowd.common)?;
        Ok(Some(killed.elapsed()))
    }

    /// What it came to. `all_since_ns`: all are back, and came since then.
    fn sample(
        &self,
        fleet: &mut Fleet,
        all_since_ns: Option<u64>,
        restart: Duration,
        server: Option<Used>,
        load: Option<Used>,
    ) -> Result<Sample, Failure> {
        let open = fleet.gauges.open.load(Relaxed);
        let failures = fleet.gauges.failures.load(Relaxed);
        let last_ns = fleet.gauges.last_open_ns.load(Relaxed);
        fleet.expect_endings();
        let mut tally = fleet.finish()?;
        let mut figures = Figures::default();
        figures.set(Metric::RestartSeconds, restart.as_secs_f64());
        figures.set(Metric::FailedAttempts, failures.into());
        let times = [(Metric::BackP50, 0.5), (Metric::BackP99, 0.99)];
        figures.set_quantiles(&tally.handshake_ns, &times);
        figures.set_some(Metric::LoadCpu, load.map(Used::percent));
        set_handshake_cpu(&mut figures, server, open.into());
        match all_since_ns {
            Some(since_ns) => {
                figures.set(Metric::AllBackSeconds, (last_ns - since_ns) as f64 / 1e9);
            }
            None => {
                let (all, patience) = (self.crowd.connections, self.give_up);
                tally.accidents.dropped += u64::from(all - open);
                tally.first_mishap = Some(format!("has {open} of {all} back after {patience:?}"));
            }
        }
        Ok(Sample::new(figures, tally))
    }
}
