//! `fanout`: members over rooms, some of whom publish, and everybody in a room hears it.

use super::fleet::{Kind, Pace, Plan};
use super::options::{Common, FanoutOptions, Messages, Publishers};
use super::stamp::Run;
use super::subject::Subject;
use super::sweep::{Axis, count, whole, whole_bytes};
use super::target::Target;
use super::traffic::{self, Course};
use super::{Context, Failure, Measure, Parameter, Sample};

impl Measure for FanoutOptions {
    fn name(&self) -> &'static str {
        "fanout"
    }

    fn common(&self) -> &Common {
        &self.common
    }

    fn path(&self) -> &'static str {
        "/relay/bench-{room}"
    }

    fn connections(&self) -> u32 {
        self.members + self.bystanders
    }

    fn batching_matters(&self) -> bool {
        true
    }

    fn parameters(&self) -> Vec<Parameter> {
        let pace = match self.closed {
            true => Parameter::new("pace", "closed loop"),
            false => Parameter::new("messages a second", format!("{}, open loop", self.rate)),
        };
        let mut parameters = vec![
            Parameter::new("members", self.members).along(Axis::Connections),
            Parameter::new("rooms", self.rooms).along(Axis::Rooms),
            Parameter::new("publishers", self.publishers).along(Axis::Publishers),
            pace.along(Axis::Rate),
        ];
        if self.bystanders > 0 {
            parameters.push(Parameter::new("bystanders", self.bystanders).along(Axis::Bystanders));
        }
        parameters.extend(self.messages.parameters());
        parameters
    }

    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        let wrong = |why: String| Err(Failure::new(why));
        let Self { members, rooms, bystanders, .. } = *self;
        let publishers = self.publishers.of(members);
        if rooms > members {
            return wrong(format!("{rooms} rooms need as many members at least, not {members}"));
        }
        if publishers > members {
            return wrong(format!("{publishers} publishers among {members} members"));
        }
        if (rooms > 1 || bystanders > 0) && !subject.tells_rooms_apart() {
            return wrong("the path has no {room}: there is one room only".to_owned());
        }
        Ok(())
    }

    fn at(&self, axis: Axis, value: f64) -> Option<Box<dyn Measure>> {
        let mut there = self.clone();
        match axis {
            Axis::Connections => there.members = whole(value)?,
            Axis::Rooms => there.rooms = whole(value)?,
            Axis::Publishers => there.publishers = Publishers::Some(whole(value)?),
            Axis::Bystanders => there.bystanders = count(value)?,
            Axis::Bytes => there.messages.bytes = whole_bytes(value)?,
            Axis::Rate => (there.rate, there.closed) = (value, false),
        }
        Some(Box::new(there))
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        let plan = Plan {
            members: self.members,
            rooms: self.rooms,
            bystanders: self.bystanders,
            publishers: self.publishers.of(self.members),
            message_bytes: self.messages.bytes as usize,
            kind: self.messages.kind(),
            tracks_last: true,
            ..Plan::quiet(stage.target.clone(), &self.common)
        };
        let course = Course {
            pace: if self.closed { Pace::Closed } else { Pace::Open { per_second: self.rate } },
            warm_up: self.messages.warm_up,
            duration: self.messages.duration,
            greets: true,
        };
        traffic::measure(plan, &course, stage.pid, context)
    }
}

impl Messages {
    pub(super) fn kind(&self) -> Kind {
        if self.text { Kind::Text } else { Kind::Binary }
    }

    pub(super) fn parameters(&self) -> [Parameter; 3] {
        let kind = if self.text { "text" } else { "binary" };
        [
            Parameter::new("message", format!("{} bytes, {kind}", self.bytes)).along(Axis::Bytes),
            Parameter::new("measured", format!("{} s", self.duration.as_secs_f64())),
            Parameter::new("warm-up", format!("{} s", self.warm_up.as_secs_f64())),
        ]
    }
}

impl Plan {
    /// Nobody connects and nobody speaks, where and as the flags say.
    pub(super) fn quiet(target: Target, common: &Common) -> Self {
        Self {
            target,
            members: 0,
            rooms: 1,
            bystanders: 0,
            publishers: 0,
            message_bytes: 0,
            kind: Kind::Binary,
            run: Run::new(super::random()),
            window: common.window,
            workers: common.workers,
            load_cpu: common.load_cpu(),
            patience: common.patience,
            tracks_last: false,
        }
    }
}
