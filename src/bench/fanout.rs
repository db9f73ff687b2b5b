//! `fanout`: members over rooms, some of whom publish, and everybody in a room hears it.

use std::str::FromStr;

use clap::Args;

use super::axis::{Axis, count, whole};
use super::fleet::{Pace, Plan};
use super::messages::Messages;
use super::options::{CONNECTIONS_MAX, Common, per_second};
use super::subject::{Subject, Yardstick};
use super::{About, Context, Failure, Measure, Parameter, ROOMS, Sample, traffic};

#[derive(Args, Clone, Debug)]
pub(super) struct Fanout {
    /// Members, over all rooms.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    members: u32,

    /// Rooms that the members are spread over.
    #[arg(long, value_name = "K", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    rooms: u32,

    /// Members who publish, over all rooms; or `all`.
    #[arg(long, value_name = "P", default_value = "1")]
    publishers: Publishers,

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

/// How many of the members publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Publishers {
    All,
    Some(u32),
}

impl Fanout {
    fn pace(&self) -> Pace {
        if self.closed { Pace::Closed } else { Pace::Open { per_second: self.rate } }
    }
}

impl Measure for Fanout {
    fn about(&self) -> About<'_> {
        About {
            name: "fanout",
            path: ROOMS,
            connections: self.members + self.bystanders,
            yardsticks: &[Yardstick::Floor, Yardstick::Batched],
            common: &self.common,
        }
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = vec![
            Parameter::new("members", self.members).along(Axis::Connections),
            Parameter::new("rooms", self.rooms).along(Axis::Rooms),
            Parameter::new("publishers", self.publishers).along(Axis::Publishers),
        ];
        if self.bystanders > 0 {
            parameters.push(Parameter::new("bystanders", self.bystanders).along(Axis::Bystanders));
        }
        parameters.extend(self.messages.parameters(self.pace()));
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

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        match axis {
            Axis::Connections => self.members = whole(value)?,
            Axis::Rooms => self.rooms = whole(value)?,
            Axis::Publishers => self.publishers = Publishers::Some(whole(value)?),
            Axis::Bystanders => self.bystanders = count(value)?,
            Axis::Bytes => self.messages.resize(value)?,
            Axis::Rate => (self.rate, self.closed) = (value, false),
        }
        Some(())
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        let plan = Plan {
            members: self.members,
            rooms: self.rooms,
            bystanders: self.bystanders,
            publishers: self.publishers.of(self.members),
            tracks_last: true,
            ..self.messages.plan(stage.target.clone(), &self.common)
        };
        let course = self.messages.course(self.pace(), true);
        traffic::measure(plan, &course, stage.pid, context)
    }
}

impl Publishers {
    fn of(self, members: u32) -> u32 {
        match self {
            Publishers::All => members,
            Publishers::Some(publishers) => publishers,
        }
    }
}

impl FromStr for Publishers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("all", _) => Ok(Publishers::All),
            (_, Ok(publishers @ 1..)) => Ok(Publishers::Some(publishers)),
            _ => Err("expected 1 or more, or all"),
        }
    }
}

impl std::fmt::Display for Publishers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Publishers::All => f.write_str("all"),
            Publishers::Some(publishers) => publishers.fmt(f),
        }
    }
}
