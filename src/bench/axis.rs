//! What a sweep varies, and the numbers that can stand on such an axis.

use clap::ValueEnum;

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

/// A value that counts something, of which there has to be one.
pub(super) fn whole(value: f64) -> Option<u32> {
    count(value).filter(|count| *count > 0)
}

/// A value that counts something.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub(super) fn count(value: f64) -> Option<u32> {
    (value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(&value)).then_some(value as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_numbers_count() {
        assert_eq!((count(0.0), whole(0.0)), (Some(0), None));
        assert_eq!((count(7.0), whole(7.0)), (Some(7), Some(7)));
        for value in [-1.0, 0.5, 1e10, f64::NAN] {
            assert_eq!((count(value), whole(value)), (None, None), "{value}");
        }
    }
}
