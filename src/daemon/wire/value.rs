//! A field's value, read before it is known what it is for.
//!
//! Nothing is an error here but broken JSON: that a value is not what it is to be is told when it is asked for, with the
//! request's number, which may stand behind it. Text without escapes is borrowed.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

use super::fault::{Rule, Wants};
use super::field::Field;
use super::fields::Fields;
use crate::chat::limits::RESUME_ROOMS_MAX;
use crate::chat::{RoomId, Since};

/// A field's value. `null` is as good as no field.
#[derive(Debug)]
pub(super) enum Value<'a> {
    Absent,
    Flag(bool),
    Whole(u64),
    Text(Cow<'a, str>),
    Since(Result<Since, Rule>),
    Room(Result<(RoomId, Option<Since>), Rule>),
    Rooms(Result<Vec<(RoomId, Option<Since>)>, Rule>),
    /// Anything that no field can be: a fraction, a negative number, a list or an object where none is wanted.
    Other,
}

/// What a value may be, beside a scalar: anything else is [`Value::Other`].
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Scalar,
    Since,
    Room,
    Rooms,
}

impl Shape {
    pub(super) fn of(field: Field) -> Self {
        match field {
            Field::Since => Self::Since,
            Field::Rooms => Self::Rooms,
            _ => Self::Scalar,
        }
    }
}

impl<'de> DeserializeSeed<'de> for Shape {
    type Value = Value<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Value<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Shape {
    type Value = Value<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Value<'de>, E> {
        Ok(Value::Absent)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Value<'de>, E> {
        Ok(Value::Flag(flag))
    }

    fn visit_u64<E>(self, whole: u64) -> Result<Value<'de>, E> {
        Ok(Value::Whole(whole))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Value<'de>, E> {
        Ok(Value::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value<'de>, E> {
        Ok(Value::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de>, A::Error> {
        Ok(match self {
            Self::Since => Value::Since(Fields::read(map)?.as_since()),
            Self::Room => Value::Room(Fields::read(map)?.as_room()),
            Self::Scalar | Self::Rooms => {
                Dropped.visit_map(map)?;
                Value::Other
            }
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value<'de>, A::Error> {
        if !matches!(self, Self::Rooms) {
            Dropped.visit_seq(list)?;
            return Ok(Value::Other);
        }
        let mut rooms = Ok(Vec::new());
        // Once the list is refused, what is left of it need only be JSON.
        let shape = |rooms: &Result<_, _>| if rooms.is_ok() { Self::Room } else { Self::Scalar };
        while let Some(value) = list.next_element_seed(shape(&rooms))? {
            rooms = rooms.and_then(|rooms| with_another(rooms, value));
        }
        Ok(Value::Rooms(rooms))
    }
}

/// The list with one room more.
fn with_another(
    mut rooms: Vec<(RoomId, Option<Since>)>,
    value: Value<'_>,
) -> Result<Vec<(RoomId, Option<Since>)>, Rule> {
    if rooms.len() == RESUME_ROOMS_MAX {
        return Err(Rule::TooLarge(Field::Rooms, RESUME_ROOMS_MAX));
    }
    let Value::Room(room) = value else { return Err(NO_ROOMS) };
    rooms.push(room?);
    Ok(rooms)
}

pub(super) const NO_ROOMS: Rule = Rule::Field(
    Field::Rooms,
    Wants::Such("a list of objects with a \"room\" and perhaps a \"since\""),
);

/// A value that nobody asks for: read to its end like any other, so that what is JSON does not depend on who asks.
#[derive(Clone, Copy)]
pub(super) struct Dropped;

impl<'de> Deserialize<'de> for Dropped {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        from.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Dropped {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<Self, Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }
}
