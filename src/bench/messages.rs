//! What is sent in a measurement, and for how long: what fanout and echo have in common.

use clap::Args;

use super::Parameter;
use super::axis::{Axis, whole};
use super::fleet::{Kind, Language, Pace, Plan};
use super::options::{Common, Span};
use super::stamp::Stamp;
use super::target::Target;
use super::traffic::Course;

/// What is sent, and for how long.
#[derive(Args, Clone, Debug)]
pub(super) struct Messages {
    /// Bytes of a message, at least 24.
    #[arg(long, value_name = "B", default_value_t = 128)]
    #[arg(value_parser = clap::value_parser!(u32).range(BYTES_MIN..=BYTES_MAX))]
    bytes: u32,

    /// Send text, which servers have to check, instead of binary messages.
    #[arg(long)]
    text: bool,

    #[command(flatten)]
    span: Span,
}

impl Messages {
    pub(super) fn parameters(&self, pace: Pace) -> Vec<Parameter> {
        let kind = if self.text { "text" } else { "binary" };
        let message = Parameter::new("message", format!("{} bytes, {kind}", self.bytes));
        let mut parameters = vec![pace.parameter(), message.along(Axis::Bytes)];
        parameters.extend(self.span.parameters());
        parameters
    }

    /// Takes another length; `None` if no message can have it.
    pub(super) fn resize(&mut self, bytes: f64) -> Option<()> {
        let can_be = |bytes: &u32| (BYTES_MIN..=BYTES_MAX).contains(&i64::from(*bytes));
        self.bytes = whole(bytes).filter(can_be)?;
        Some(())
    }

    /// Such messages, and nobody yet to send them.
    pub(super) fn plan(&self, target: Target, common: &Common) -> Plan {
        let kind = if self.text { Kind::Text } else { Kind::Binary };
        let language = Language::Raw { kind, bytes: self.bytes as usize };
        Plan { language, ..Plan::quiet(target, common) }
    }

    pub(super) fn course(&self, pace: Pace) -> Course {
        Course { pace, span: self.span }
    }
}

/// A message holds its stamp at the least, and at the most what the load keeps of one.
const BYTES_MIN: i64 = Stamp::BYTES as i64;
const BYTES_MAX: i64 = 1 << 24;
