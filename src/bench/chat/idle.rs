//! `chat idle`: sessions that are signed in and in the lobby, and say nothing.

use std::time::Duration;

use clap::Args;

use super::Log;
use crate::bench::axis::Axis;
use crate::bench::crowd::Crowd;
use crate::bench::fleet::{Language, Plan, Talk};
use crate::bench::options::seconds;
use crate::bench::subject::{Subject, Yardstick};
use crate::bench::{About, Context, Failure, Measure, Parameter, Sample, idle};

#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Idle {
    #[command(flatten)]
    crowd: Crowd,

    /// Seconds to hold the sessions.
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    hold: Duration,

    #[command(flatten)]
    log: Log,
}

impl Measure for Idle {
    fn about(&self) -> About<'_> {
        let beside = &[Yardstick::Relay, Yardstick::Floor];
        super::about(&self.log, About { yardsticks: beside, ..self.crowd.about("chat idle") })
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.crowd.holding(self.hold);
        parameters.push(Parameter::new("log", self.log.name()));
        parameters
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        self.crowd.vary(axis, value)
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.crowd.common)?;
        let plan = self.crowd.plan(&stage);
        let plan = match subject.is_yardstick() {
            true => plan,
            false => Plan { language: Language::Chat(Talk::in_the_lobby()), greets: true, ..plan },
        };
        idle::weigh(plan, self.hold, stage.pid, context)
    }
}
