//! `fanout`: members over rooms, some of whom publish, and everybody in a room hears it.

use clap::Args;

use super::axis::{Axis, count};
use super::fleet::{Pace, Plan};
use super::members::Members;
use super::messages::Messages;
use super::options::{Common, per_second};
use super::subject::{Subject, Yardstick};
use super::{About, Context, Failure, Measure, Parameter, Sample, traffic};

#[derive(Args, Clone, Debug)]
pub(super) struct Fanout {
    #[command(flatten)]
    members: Members,

    /// More connections, in a room where nobody speaks.
    #[arg(long, value_name = "N", default_value_t = 0)]
    bystanders: u32,

    #[command(flatten)]
    messages: Messages,

    /// Messages a second, over all publishers, whatever becomes of them (open loop).
    #[arg(long, value_name = "R", default_value = "100", value_parser = per_second)]
    #[arg(conflicts_with = "closed")]
    rate: f64,

    /// Each publisher's next message when its last has come back (closed loop).
    #[arg(long)]
    closed: bool,

    #[command(flatten)]
    common: Common,
}

impl Fanout {
    fn pace(&self) -> Pace {
        match self.closed {
            true => Pace::Closed { in_flight: 1 },
            false => Pace::Open { per_second: self.rate },
        }
    }
}

impl Measure for Fanout {
    fn about(&self) -> About<'_> {
        About {
            name: "fanout",
            connections: self.members.members + self.bystanders,
            yardsticks: &[Yardstick::Floor, Yardstick::Batched],
            ..About::raw(&self.common)
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.members.parameters();
        if self.bystanders > 0 {
            parameters.push(Parameter::new("bystanders", self.bystanders).along(Axis::Bystanders));
        }
        parameters.extend(self.messages.parameters(self.pace()));
        parameters
    }

    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        self.members.check()?;
        if (self.members.rooms > 1 || self.bystanders > 0) && !subject.tells_rooms_apart() {
            return Err(Failure::new("the path has no {room}: there is one room only"));
        }
        Ok(())
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        match axis {
            Axis::Bystanders => self.bystanders = count(value)?,
            Axis::Bytes => self.messages.resize(value)?,
            Axis::Rate => (self.rate, self.closed) = (value, false),
            axis => self.members.vary(axis, value)?,
        }
        Some(())
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        let plan = self.members.join(self.messages.plan(stage.target.clone(), &self.common));
        let plan = Plan { bystanders: self.bystanders, ..plan };
        let course = self.messages.course(self.pace());
        traffic::measure(plan, &course, stage.pid, context)
    }
}
