//! `storm`: the server dies under its connections, comes back where it was, and all of them come back at once.
//!
//! The kill is a SIGKILL: nobody is told anything, every connection just breaks. Who is refused tries again a tenth of
//! a second later, as an eager client does. Times count from when the server says that it listens again.

use std::sync::atomic::Ordering::Relaxed;
use std::time::Instant;

use super::figures::{Figures, Metric};
use super::fleet::{Fleet, Plan};
use super::idle::set_handshake_cpu;
use super::options::{Common, StormOptions};
use super::process::{Pid, Stretch};
use super::subject::Subject;
use super::sweep::{Axis, whole};
use super::{Context, Failure, Measure, Parameter, Sample};

impl Measure for StormOptions {
    fn name(&self) -> &'static str {
        "storm"
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
            Parameter::new("given up after", format!("{} s", self.give_up.as_secs_f64())),
        ]
    }

    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        match subject.is_ours() {
            true => Ok(()),
            false => Err(Failure::new("storm kills the server, so it has to start it: --server")),
        }
    }

    fn at(&self, axis: Axis, value: f64) -> Option<Box<dyn Measure>> {
        let connections = whole(value).filter(|_| axis == Axis::Connections)?;
        Some(Box::new(Self { connections, ..self.clone() }))
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let mut stage = subject.raise(&self.common)?;
        let plan =
            Plan { members: self.connections, ..Plan::quiet(stage.target.clone(), &self.common) };
        let mut fleet = Fleet::launch(plan, &context.interrupt)?;
        let (all, progress) = (self.connections, &mut context.progress);
        fleet.connect(|open| progress.step(|| format!("  {open} of {all} connected")))?;
        if context.interrupt.is_set() {
            return Ok(None);
        }
        fleet.expect_endings();
        stage.kill();
        if !fleet.wait_all_ended()? {
            return Ok(None);
        }
        let killed = Instant::now();
        stage.restart(&self.common)?;
        let restart = killed.elapsed();

        let stretch = stage.pid.map(Stretch::begin);
        let load_stretch = Stretch::begin(Pid(std::process::id()));
        let since_ns = fleet.clock.now_ns();
        let are_back = fleet.storm(since_ns, self.give_up, |open| {
            progress.step(|| format!("  {open} of {all} back"))
        })?;
        let stretch = stretch.and_then(|stretch| stretch.end());
        let load = load_stretch.end();
        if context.interrupt.is_set() {
            return Ok(None);
        }
        let open = fleet.gauges.open.load(Relaxed);
        let failures = fleet.gauges.failures.load(Relaxed);
        let last_ns = fleet.gauges.last_open_ns.load(Relaxed);
        fleet.expect_endings();
        let mut tally = fleet.finish()?;

        let mut figures = Figures::default();
        figures.set(Metric::RestartSeconds, restart.as_secs_f64());
        figures.set(Metric::FailedAttempts, failures.into());
        figures
            .set_quantiles(&tally.handshake_ns, &[(Metric::BackP50, 0.5), (Metric::BackP99, 0.99)]);
        let load = load.map(|(cpu, seconds)| cpu.total_ns as f64 / 1e7 / seconds);
        figures.set_some(Metric::LoadCpu, load);
        set_handshake_cpu(&mut figures, stretch, open.into());
        if are_back {
            figures.set(Metric::AllBackSeconds, (last_ns - since_ns) as f64 / 1e9);
        } else {
            tally.accidents.dropped += u64::from(all - open);
            let patience = self.give_up;
            tally.first_drop = Some(format!("has {open} of {all} back after {patience:?}"));
        }
        Ok(Some(Sample {
            figures,
            accidents: tally.accidents,
            first_drop: tally.first_drop,
            ..Sample::default()
        }))
    }
}
