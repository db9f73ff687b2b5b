//! `echo`: each connection gets back what it sends, and nobody else does.

use clap::Args;

use super::axis::{Axis, whole};
use super::fleet::{Pace, Plan};
use super::messages::Messages;
use super::options::{CONNECTIONS_MAX, Common, per_second};
use super::subject::Subject;
use super::{About, Context, Failure, Measure, Parameter, Sample, traffic};

#[derive(Args, Clone, Debug)]
pub(super) struct Echo {
    /// Connections that send.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    connections: u32,

    #[command(flatten)]
    messages: Messages,

    /// Messages a second, over all connections (open loop). Default: each sends when its last is back (closed loop).
    #[arg(long, value_name = "R", value_parser = per_second)]
    rate: Option<f64>,

    #[command(flatten)]
    common: Common,
}

impl Echo {
    fn pace(&self) -> Pace {
        self.rate.map_or(Pace::Closed { in_flight: 1 }, |per_second| Pace::Open { per_second })
    }
}

impl Measure for Echo {
    fn about(&self) -> About<'_> {
        About {
            name: "echo",
            path: ECHO,
            path_beside: ECHO,
            connections: self.connections,
            ..About::raw(&self.common)
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters =
            vec![Parameter::new("connections", self.connections).along(Axis::Connections)];
        parameters.extend(self.messages.parameters(self.pace()));
        parameters
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        match axis {
            Axis::Connections => self.connections = whole(value)?,
            Axis::Bytes => self.messages.resize(value)?,
            Axis::Rate => self.rate = Some(value),
            Axis::Rooms | Axis::Publishers | Axis::Bystanders => return None,
        }
        Some(())
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        // Each is alone in a room of its own, whatever the path.
        let plan = Plan {
            members: self.connections,
            rooms: self.connections,
            publishers: self.connections,
            ..self.messages.plan(stage.target.clone(), &self.common)
        };
        let course = self.messages.course(self.pace());
        traffic::measure(plan, &course, stage.pid, context)
    }
}

/// Where our own server echoes.
const ECHO: &str = "/echo";
