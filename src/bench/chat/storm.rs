//! `chat storm`: the server dies under its sessions, comes back with its log, and all of them come back at once, each asking
//! for what it has missed.
//!
//! Somebody talks between the restart and their return, so that there is something to have missed. Who is back has signed
//! in, is in the lobby, and has heard all of it, in order.

use clap::Args;

use super::{Log, absent};
use crate::bench::axis::Axis;
use crate::bench::fleet::{Language, Plan, Talk};
use crate::bench::storm::Storm as RawStorm;
use crate::bench::subject::{Subject, Yardstick};
use crate::bench::{About, Context, Failure, Measure, Parameter, Sample};

#[derive(Args, Clone, Debug)]
#[group(skip)] // the other storm's has the same name
pub(in crate::bench) struct Storm {
    #[command(flatten)]
    storm: RawStorm,

    /// Posts that everybody has missed.
    #[arg(long, value_name = "N", default_value_t = 20)]
    #[arg(value_parser = clap::value_parser!(u32).range(..=MISSED_MAX))]
    missed: u32,

    #[command(flatten)]
    log: Log,
}

impl Measure for Storm {
    fn about(&self) -> About<'_> {
        let beside = &[Yardstick::Relay, Yardstick::Floor];
        let raw = self.storm.crowd().about("chat storm");
        super::about(&self.log, About { yardsticks: beside, ..raw })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.storm.parameters();
        parameters.push(Parameter::new("missed", format!("{} posts", self.missed)));
        parameters.push(Parameter::new("log", self.log.name()));
        parameters
    }

    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        if self.log.memory {
            return Err(Failure::new("what is in memory does not outlive the server: no --memory"));
        }
        self.storm.check(subject)
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        self.storm.vary(axis, value)
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        if subject.is_yardstick() {
            return self.storm.measure(subject, context);
        }
        let crowd = self.storm.crowd();
        let stage = subject.raise(&crowd.common)?;
        let language = Language::Chat(Talk::in_the_lobby());
        let plan = Plan { language, greets: true, ..crowd.plan(&stage) };
        let (missed, patience) = (self.missed, plan.patience);
        let meanwhile = |target: &_| absent::say(target, missed, patience);
        self.storm.weather(stage, plan, meanwhile, context)
    }
}

/// As many as a replay brings back.
const MISSED_MAX: i64 = 1_000;
