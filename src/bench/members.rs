//! Members spread over rooms, some of whom publish: the flags that fanout and the chat's posts share.

use std::str::FromStr;

use clap::Args;

use super::axis::{Axis, whole};
use super::fleet::Plan;
use super::options::CONNECTIONS_MAX;
use super::{Failure, Parameter};

#[derive(Args, Clone, Debug)]
pub(super) struct Members {
    /// Members, over all rooms.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) members: u32,

    /// Rooms that the members are spread over.
    #[arg(long, value_name = "K", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rooms: u32,

    /// Members who publish, over all rooms; or `all`.
    #[arg(long, value_name = "P", default_value = "1")]
    publishers: Publishers,
}

/// How many of the members publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Publishers {
    All,
    Some(u32),
}

impl Members {
    pub(super) fn parameters(&self) -> Vec<Parameter> {
        vec![
            Parameter::new("members", self.members).along(Axis::Connections),
            Parameter::new("rooms", self.rooms).along(Axis::Rooms),
            Parameter::new("publishers", self.publishers).along(Axis::Publishers),
        ]
    }

    /// Whether there are enough of them.
    pub(super) fn check(&self) -> Result<(), Failure> {
        let Self { members, rooms, .. } = self;
        let publishers = self.publishers();
        if rooms > members {
            let why = format!("{rooms} rooms need as many members at least, not {members}");
            return Err(Failure::new(why));
        }
        if publishers > *members {
            return Err(Failure::new(format!("{publishers} publishers among {members} members")));
        }
        Ok(())
    }

    pub(super) fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        match axis {
            Axis::Connections => self.members = whole(value)?,
            Axis::Rooms => self.rooms = whole(value)?,
            Axis::Publishers => self.publishers = Publishers::Some(whole(value)?),
            Axis::Bystanders | Axis::Bytes | Axis::Rate => return None,
        }
        Some(())
    }

    /// The same plan, with these in it.
    pub(super) fn join(&self, plan: Plan) -> Plan {
        Plan {
            members: self.members,
            rooms: self.rooms,
            publishers: self.publishers(),
            greets: true,
            tracks_last: true,
            ..plan
        }
    }

    fn publishers(&self) -> u32 {
        match self.publishers {
            Publishers::All => self.members,
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
