//! Connections that say nothing: the flags that idle, storm and the chat's idle share, and what follows from them.

use std::time::Duration;

use clap::Args;

use super::axis::{Axis, whole};
use super::fleet::Plan;
use super::options::{CONNECTIONS_MAX, Common};
use super::subject::Stage;
use super::{About, Parameter};

#[derive(Args, Clone, Debug)]
pub(super) struct Crowd {
    /// Connections.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) connections: u32,

    #[command(flatten)]
    pub(super) common: Common,
}

impl Crowd {
    pub(super) fn about(&self, name: &'static str) -> About<'_> {
        About { name, connections: self.connections, ..About::raw(&self.common) }
    }

    pub(super) fn parameter(&self) -> Parameter {
        Parameter::new("connections", self.connections).along(Axis::Connections)
    }

    /// What is asked for when they are held for so long.
    pub(super) fn holding(&self, hold: Duration) -> Vec<Parameter> {
        vec![
            self.parameter(),
            Parameter::new("handshakes under way", self.common.window),
            Parameter::new("held", format!("{} s", hold.as_secs_f64())),
        ]
    }

    pub(super) fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        self.connections = whole(value).filter(|_| axis == Axis::Connections)?;
        Some(())
    }

    /// All of them in one room.
    pub(super) fn plan(&self, stage: &Stage) -> Plan {
        Plan { members: self.connections, ..Plan::quiet(stage.target.clone(), &self.common) }
    }
}
