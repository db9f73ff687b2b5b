//! Connections that say nothing: the flags that idle and storm share, and what follows from them.

use clap::Args;

use super::axis::{Axis, whole};
use super::fleet::Plan;
use super::options::{CONNECTIONS_MAX, Common};
use super::subject::{Stage, Yardstick};
use super::{About, Parameter, ROOMS};

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
        About {
            name,
            path: ROOMS,
            connections: self.connections,
            yardsticks: &[Yardstick::Floor],
            common: &self.common,
        }
    }

    pub(super) fn parameter(&self) -> Parameter {
        Parameter::new("connections", self.connections).along(Axis::Connections)
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
