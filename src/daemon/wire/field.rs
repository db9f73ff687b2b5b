//! The names that fields have.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Visitor};

macro_rules! fields {
    ($($field:ident = $name:literal,)*) => {
        /// A field that some command has.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[allow(missing_docs, reason = "their names say it; PROTOCOL.md has their meaning")]
        pub enum Field {
            $($field,)*
        }

        impl Field {
            /// How many there are.
            pub(super) const COUNT: usize = [$(Field::$field),*].len();

            /// As it stands in the text.
            pub fn name(self) -> &'static str {
                match self {
                    $(Field::$field => $name,)*
                }
            }

            fn named(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Field::$field),)*
                    _ => None,
                }
            }
        }
    };
}

fields! {
    Type = "type",
    Id = "id",
    Room = "room",
    Key = "key",
    Body = "body",
    Seq = "seq",
    ReplyTo = "reply_to",
    Since = "since",
    Epoch = "epoch",
    Rooms = "rooms",
    Emoji = "emoji",
    On = "on",
    User = "user",
    Role = "role",
    Name = "name",
    Kind = "kind",
    ForMs = "for_ms",
    SlowMs = "slow_ms",
    Before = "before",
    After = "after",
    Limit = "limit",
    Query = "query",
    Skip = "skip",
}

impl fmt::Display for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Reads a field's name; `None` if no command has such a field.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Option<Field>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Option<Field>, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for Key {
    type Value = Option<Field>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a field's name")
    }

    fn visit_str<E>(self, name: &str) -> Result<Option<Field>, E> {
        Ok(Field::named(name))
    }
}
