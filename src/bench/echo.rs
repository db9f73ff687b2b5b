//! `echo`: each connection gets back what it sends, and nobody else does.

use super::fleet::{Pace, Plan};
use super::options::{Common, EchoOptions};
use super::subject::Subject;
use super::sweep::{Axis, whole, whole_bytes};
use super::traffic::{self, Course};
use super::{Context, Failure, Measure, Parameter, Sample};

impl Measure for EchoOptions {
    fn name(&self) -> &'static str {
        "echo"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn path(&self) -> &'static str {
        "/echo"
    }

    fn connections(&self) -> u32 {
        self.connections
    }

    fn parameters(&self) -> Vec<Parameter> {
        let pace = match self.rate {
            None => Parameter::new("pace", "closed loop"),
            Some(rate) => Parameter::new("messages a second", format!("{rate}, open loop")),
        };
        let mut parameters = vec![
            Parameter::new("connections", self.connections).along(Axis::Connections),
            pace.along(Axis::Rate),
        ];
        parameters.extend(self.messages.parameters());
        parameters
    }

    fn at(&self, axis: Axis, value: f64) -> Option<Box<dyn Measure>> {
        let mut there = self.clone();
        match axis {
            Axis::Connections => there.connections = whole(value)?,
            Axis::Bytes => there.messages.bytes = whole_bytes(value)?,
            Axis::Rate => there.rate = Some(value),
            Axis::Rooms | Axis::Publishers | Axis::Bystanders => return None,
        }
        Some(Box::new(there))
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        // Each is alone in a room of its own, whatever the path.
        let plan = Plan {
            members: self.connections,
            rooms: self.connections,
            publishers: self.connections,
            message_bytes: self.messages.bytes as usize,
            kind: self.messages.kind(),
            ..Plan::quiet(stage.target.clone(), &self.common)
        };
        let course = Course {
            pace: self.rate.map_or(Pace::Closed, |per_second| Pace::Open { per_second }),
            warm_up: self.messages.warm_up,
            duration: self.messages.duration,
            greets: false,
        };
        traffic::measure(plan, &course, stage.pid, context)
    }
}
