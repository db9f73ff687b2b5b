//! The chat as JSON: texts in, commands out; events in, texts out.
//!
//! Owns every name and every shape that `PROTOCOL.md` promises: it is the only place that knows JSON, so that neither the
//! chat's values nor whoever carries the texts depend on how they are written. It must never decide what a command may do,
//! nor know who sent it.
//!
//! | file | what it has |
//! | --- | --- |
//! | `decode` | what a client asks for: one function for each type |
//! | `fields`, `field`, `dropped` | the text of it, read in one pass |
//! | `fault` | why a text is no command, and what the client is told |
//! | `encode` | what a client is told: one arm for each event |
//! | `answer`, `entry`, `room`, `people`, `error` | the parts of it |
//! | `rest` | what HTTP requests and responses have in them |
//! | `json` | how values are written |
//!
//! # Invariants
//!
//! * Any text is decoded in one pass, in time and memory that its length bounds. Nothing in it makes anything panic.
//! * What could be read in two ways is refused: a field that stands twice, a number that is no whole one.
//! * What is encoded is valid JSON whatever a person wrote in it, and its fields stand in the order that `PROTOCOL.md` has.

mod answer;
mod decode;
#[cfg(test)]
mod decode_vectors;
mod dropped;
mod encode;
#[cfg(test)]
mod encode_vectors;
mod entry;
mod error;
mod fault;
mod field;
mod fields;
mod json;
mod people;
pub(in crate::daemon) mod rest;
mod room;

use crate::chat::UnixMs;

pub use self::answer::answer_body;
pub use self::decode::{decode, request_types, whisper_types};
pub use self::encode::{Terms, encode_error, encode_event, encode_fault, encode_welcome};
pub(in crate::daemon) use self::entry::entry_kind;
pub use self::fault::{Fault, Rule, Wants};
pub use self::field::Field;

/// A moment as it stands in every text.
pub(in crate::daemon) fn moment(at: UnixMs) -> String {
    let mut text = String::new();
    json::moment(at, &mut text);
    text
}
