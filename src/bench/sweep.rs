//! `sweep`: a mode over a list of sizes or rates, in one report.

use clap::ValueEnum;

use super::options::{MESSAGE_BYTES_MAX, MESSAGE_BYTES_MIN};
use super::{Failure, Measure};

/// What varies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Axis {
    /// Connections; in rooms, members.
    #[value(alias = "members")]
    Connections,
    /// Messages a second.
    Rate,
    /// Members who publish.
    Publishers,
    /// Rooms, for the same number of members.
    Rooms,
    /// Connections in a room where nobody speaks.
    Bystanders,
    /// Bytes of a message.
    Bytes,
}

impl Axis {
    /// As a plot's axis is labelled.
    pub(super) fn title(self) -> &'static str {
        match self {
            Axis::Connections => "connections",
            Axis::Rate => "messages per second",
            Axis::Publishers => "publishers",
            Axis::Rooms => "rooms",
            Axis::Bystanders => "bystanders",
            Axis::Bytes => "bytes per message",
        }
    }
}

/// The mode at each of these values.
pub(super) fn measures(
    measure: &dyn Measure,
    axis: Axis,
    values: &[f64],
) -> Result<Vec<Box<dyn Measure>>, Failure> {
    let at = |&value: &f64| {
        measure.at(axis, value).ok_or_else(|| {
            let (mode, title) = (measure.name(), axis.title());
            Failure::new(format!("{mode} cannot be measured at {value} {title}"))
        })
    };
    values.iter().map(at).collect()
}

/// A value that counts something, of which there has to be one.
pub(super) fn whole(value: f64) -> Option<u32> {
    count(value).filter(|count| *count > 0)
}

/// A value that counts something.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(super) fn count(value: f64) -> Option<u32> {
    (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

/// A value that is a message's length.
pub(super) fn whole_bytes(value: f64) -> Option<u32> {
    whole(value)
        .filter(|bytes| (MESSAGE_BYTES_MIN..=MESSAGE_BYTES_MAX).contains(&i64::from(*bytes)))
}
