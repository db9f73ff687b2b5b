//! The fields of a command, read in one pass.
//!
//! A text is read once, from its first byte to its last, before it is known what it asks for: fields may stand in any
//! order. So each known field is kept as what it is in JSON, and is held to its meaning when it is asked for; what is
//! unknown is read and dropped. Nothing is an error before that but broken JSON: that a value is not what it is to be is
//! told with the request's number, which may stand behind it. Text without escapes is borrowed.
//!
//! Everything is held to the grammar, what is dropped as well, and to serde_json's limit of 128 levels.

use std::borrow::Cow;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::error::Category;

use super::dropped::Dropped;
use super::fault::{Rule, WHOLE_MAX, Wants};
use super::field::{Field, Key};
use crate::chat::limits::RESUME_ROOMS_MAX;
use crate::chat::{Epoch, Name, Refusal, RoomId, Seq, Since};

/// What an object says, field by field.
#[derive(Debug)]
pub(super) struct Fields<'a> {
    values: [Value<'a>; Field::COUNT],
    twice: Option<Field>,
}

impl<'a> Fields<'a> {
    /// Reads a text that is one object.
    pub(super) fn parse(text: &'a str) -> Result<Self, Rule> {
        serde_json::from_str(text).map_err(|error| match error.classify() {
            Category::Data => Rule::NotAnObject,
            _ => Rule::Json { line: error.line(), column: error.column() },
        })
    }

    /// Refuses a known field that stands twice: programs differ in which they take, and two that look at one text should
    /// see the same.
    pub(super) fn once(&self) -> Result<(), Rule> {
        self.twice.map_or(Ok(()), |field| Err(Rule::Twice(field)))
    }

    pub(super) fn text(&self, field: Field) -> Result<Option<&str>, Rule> {
        match self.value(field) {
            Value::Absent => Ok(None),
            Value::Text(text) => Ok(Some(text)),
            _ => Err(Rule::Field(field, Wants::Text)),
        }
    }

    pub(super) fn flag(&self, field: Field) -> Result<Option<bool>, Rule> {
        match *self.value(field) {
            Value::Absent => Ok(None),
            Value::Flag(flag) => Ok(Some(flag)),
            _ => Err(Rule::Field(field, Wants::Flag)),
        }
    }

    /// A whole number within these bounds.
    pub(super) fn whole(&self, field: Field, min: u64, max: u64) -> Result<Option<u64>, Rule> {
        match *self.value(field) {
            Value::Absent => Ok(None),
            Value::Whole(whole) if (min..=max).contains(&whole) => Ok(Some(whole)),
            _ => Err(Rule::Field(field, Wants::Whole { min, max })),
        }
    }

    pub(super) fn seq(&self, field: Field) -> Result<Option<Seq>, Rule> {
        Ok(self.whole(field, 0, WHOLE_MAX)?.map(Seq))
    }

    /// The room, which every type but a few needs. One that there cannot be is like one that there is not.
    pub(super) fn room(&self) -> Result<RoomId, Rule> {
        self.room_or_none()?.ok_or(Rule::Missing(Field::Room))
    }

    pub(super) fn room_or_none(&self) -> Result<Option<RoomId>, Rule> {
        let Some(text) = self.text(Field::Room)? else { return Ok(None) };
        RoomId::parse(text).map(Some).map_err(|_| Refusal::NoRoom.into())
    }

    /// Somebody, by name. Who cannot be is like who is not there.
    pub(super) fn user(&self) -> Result<Name, Rule> {
        let text = self.text(Field::User)?.ok_or(Rule::Missing(Field::User))?;
        Name::parse(text).map_err(|_| Refusal::NoUser.into())
    }

    pub(super) fn since(&self) -> Result<Option<Since>, Rule> {
        match self.value(Field::Since) {
            Value::Absent => Ok(None),
            Value::Since(since) => since.clone().map(Some),
            _ => Err(NO_SINCE),
        }
    }

    /// The list of a `resume`.
    pub(super) fn rooms(&mut self) -> Result<Vec<(RoomId, Option<Since>)>, Rule> {
        match std::mem::replace(&mut self.values[Field::Rooms as usize], Value::Absent) {
            Value::Absent => Err(Rule::Missing(Field::Rooms)),
            Value::Rooms(rooms) => rooms,
            _ => Err(NO_ROOMS),
        }
    }

    /// What `{"epoch":…,"seq":…}` means.
    pub(super) fn as_since(&self) -> Result<Since, Rule> {
        self.once()?;
        let epoch = self.text(Field::Epoch)?.filter(|epoch| epoch.len() <= EPOCH_BYTES_MAX);
        let seq = self.seq(Field::Seq)?;
        let (Some(epoch), Some(seq)) = (epoch, seq) else { return Err(NO_SINCE) };
        Ok(Since { epoch: Epoch::from_text(epoch), seq })
    }

    /// What `{"room":…,"since":…}` means.
    pub(super) fn as_room(&self) -> Result<(RoomId, Option<Since>), Rule> {
        self.once()?;
        Ok((self.room()?, self.since()?))
    }

    /// Reads an object that has begun.
    pub(super) fn read<A: MapAccess<'a>>(mut map: A) -> Result<Self, A::Error> {
        let mut fields = Self { values: [const { Value::Absent }; Field::COUNT], twice: None };
        while let Some(known) = map.next_key_seed(Key)? {
            match known {
                None => drop(map.next_value::<Dropped>()?),
                Some(field) => {
                    let value = map.next_value_seed(Shape::of(field))?;
                    fields.put(field, value);
                }
            }
        }
        Ok(fields)
    }

    /// What stands twice means neither.
    fn put(&mut self, field: Field, value: Value<'a>) {
        let place = &mut self.values[field as usize];
        match (&place, &value) {
            (_, Value::Absent) => {}
            (Value::Absent, _) => *place = value,
            _ => {
                self.twice.get_or_insert(field);
                *place = Value::Other;
            }
        }
    }

    fn value(&self, field: Field) -> &Value<'a> {
        &self.values[field as usize]
    }
}

impl<'de> Deserialize<'de> for Fields<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fields<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fields<'de>, A::Error> {
                Fields::read(map)
            }
        }
        from.deserialize_map(Object)
    }
}

/// A field's value. `null` is as good as no field.
#[derive(Debug)]
enum Value<'a> {
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
enum Shape {
    Scalar,
    Since,
    Room,
    Rooms,
}

impl Shape {
    fn of(field: Field) -> Self {
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

/// Epochs are 16 hexadecimal digits at most; a longer text than this is none.
const EPOCH_BYTES_MAX: usize = 64;

const NO_SINCE: Rule =
    Rule::Field(Field::Since, Wants::Such("an object with an \"epoch\" and a \"seq\""));

const NO_ROOMS: Rule = Rule::Field(
    Field::Rooms,
    Wants::Such("a list of objects with a \"room\" and perhaps a \"since\""),
);
