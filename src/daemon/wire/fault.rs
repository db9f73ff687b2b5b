//! Why a text is no command: one variant for each rule, and one table from rule to what the client is told.

use std::borrow::Cow;
use std::fmt;

use super::field::Field;
use crate::chat::{Refusal, RequestId};

/// Why a text is no command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The number that it has, if that could be read: of a request, as a rule.
    pub id: Option<RequestId>,
    /// The rule that it breaks.
    pub rule: Rule,
}

/// A rule that a text breaks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rule {
    /// It came as binary, where only text is read.
    Binary,
    /// It is no JSON (RFC 8259), from here on; or nested too deeply.
    Json {
        /// From 1.
        line: usize,
        /// In bytes, from 1.
        column: usize,
    },
    /// It is JSON, but no object.
    NotAnObject,
    /// A field stands twice.
    Twice(Field),
    /// There is no such type.
    Type,
    /// A request needs a number.
    Id,
    /// A field that the type needs is not there.
    Missing(Field),
    /// A field is not what it is to be.
    Field(Field, Wants),
    /// A field is longer than it may be.
    TooLarge(Field, usize),
    /// It is a command, but one that is refused in any case: of a room that there cannot be, say.
    Refused(Refusal),
}

/// What a field is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wants {
    /// Text.
    Text,
    /// True or false.
    Flag,
    /// A whole number, written without fraction or exponent.
    Whole {
        /// At least.
        min: u64,
        /// At most.
        max: u64,
    },
    /// Something with a rule of its own, in words.
    Such(&'static str),
}

/// The largest whole number that is read: every number up to it is one in JavaScript (2^53).
pub(super) const WHOLE_MAX: u64 = 1 << 53;

impl Fault {
    /// A message that is not text.
    pub fn binary() -> Self {
        Self { id: None, rule: Rule::Binary }
    }
}

impl Rule {
    /// The word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Rule::Binary => "binary",
            Rule::Json { .. } | Rule::NotAnObject => "bad_json",
            Rule::Twice(_) | Rule::Missing(_) | Rule::Field(..) => "bad_field",
            Rule::Type => "bad_type",
            Rule::Id => "bad_id",
            Rule::TooLarge(..) => "too_large",
            Rule::Refused(refusal) => refusal.code_and_message().0,
        }
    }

    /// The sentence for people.
    pub fn message(&self) -> Cow<'static, str> {
        match self {
            Rule::Binary => "Only text is read here.".into(),
            Rule::Json { line, column } => {
                format!("That is no JSON: line {line}, column {column}.").into()
            }
            Rule::NotAnObject => "That is no JSON object.".into(),
            Rule::Twice(field) => format!("\"{field}\" stands twice.").into(),
            Rule::Type => "There is no such \"type\".".into(),
            Rule::Id => {
                format!("A request needs an \"id\": a whole number from 0 to {WHOLE_MAX}.").into()
            }
            Rule::Missing(field) => format!("\"{field}\" is missing.").into(),
            Rule::Field(field, wants) => format!("\"{field}\" is to be {wants}.").into(),
            Rule::TooLarge(field, max) => format!("\"{field}\" is longer than {max}.").into(),
            Rule::Refused(refusal) => refusal.code_and_message().1.into(),
        }
    }

    /// Milliseconds after which the same text may well be a command that is granted.
    pub fn after_ms(&self) -> Option<u64> {
        match self {
            Rule::Refused(refusal) => refusal.after_ms(),
            _ => None,
        }
    }
}

impl From<Refusal> for Rule {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl fmt::Display for Wants {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Wants::Text => f.write_str("text"),
            Wants::Flag => f.write_str("true or false"),
            Wants::Whole { min, max } => write!(f, "a whole number from {min} to {max}"),
            Wants::Such(words) => f.write_str(words),
        }
    }
}
