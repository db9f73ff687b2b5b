//! What must hold of the chat's texts, whatever the bytes.
//!
//! The properties:
//!
//! - what is JSON, and which number it has, is what a naive reading says;
//! - the order of fields, how their letters are written, and what is unknown among them make no difference;
//! - a field that stands twice is refused, wherever it counts;
//! - a command that was read is the command that a client says so;
//! - whatever is told is one JSON object, its type first, no field in it twice, and what people wrote in it unchanged.

mod client;
mod tree;

use std::str;

pub use self::client::say;
use self::tree::Tree;
use crate::chat::{Command, Event, Limits, RequestId};
use crate::daemon::wire::{
    Fault, Rule, decode, encode_event, encode_fault, request_types, whisper_types,
};

/// Whatever reads commands: the real one, and broken ones that must be caught.
pub type Decoder = fn(&str) -> Result<Command, Fault>;

/// Any bytes as a command.
pub fn command(data: &[u8]) {
    if let Ok(text) = str::from_utf8(data) {
        commands_hold(read, text);
    }
}

/// The real decoder, with short posts and a chance that always says the same.
///
/// # Errors
/// As [`decode`].
pub fn read(text: &str) -> Result<Command, Fault> {
    decode(text, &Limits { post_chars_max: 100, ..Limits::default() }, &mut || CHANCE)
}

/// Every property of reading commands, of any [`Decoder`].
pub fn commands_hold(decode: Decoder, text: &str) {
    let seen = decode(text);
    let tree = Tree::parse(text);
    equals_the_naive_reading(&seen, tree.as_ref());
    if let Some(tree) = &tree {
        writing_makes_no_difference(decode, &seen, tree);
    }
    match &seen {
        Ok(command) => is_what_a_client_says(decode, command),
        Err(fault) => a_fault_is_told(fault),
    }
}

/// Every property of an event's text. `written` is what people wrote in it.
pub fn event(event: &Event, written: &[&str]) {
    let mut out = String::from("before");
    encode_event(event, &mut out);
    let text = out.strip_prefix("before").expect("an event is appended");
    let tree = Tree::parse(text).unwrap_or_else(|| panic!("no JSON: {text}"));
    told_well(&tree, text);
    let texts = tree.texts();
    for written in written {
        assert!(texts.contains(written), "{written:?} is not in {text}");
    }
}

fn equals_the_naive_reading(seen: &Result<Command, Fault>, tree: Option<&Tree>) {
    let object = tree.filter(|tree| tree.is_object());
    let id = object.and_then(number);
    let (code, seen_id) = match seen {
        Ok(Command::Request { id, .. }) => ("", Some(*id)),
        Ok(Command::Whisper(_)) => ("", id), // Whatever it has, it is not read.
        Err(fault) => (fault.rule.code(), fault.id),
    };
    assert_eq!(code == "bad_json", object.is_none(), "what is JSON is told otherwise");
    assert_eq!(seen_id, id, "another number was read");
    let name = object.and_then(|tree| tree.only("type")).and_then(Tree::text);
    let is_type =
        name.is_some_and(|name| request_types().chain(whisper_types()).any(|t| t == name));
    assert!(is_type || !code.is_empty(), "a type that there is not was read");
    assert!(!is_type || code != "bad_type", "a type that there is was refused");
}

/// The number of a request.
fn number(object: &Tree) -> Option<RequestId> {
    object.only("id")?.whole().filter(|&id| id <= 1 << 53).map(RequestId)
}

fn writing_makes_no_difference(decode: Decoder, seen: &Result<Command, Fault>, tree: &Tree) {
    let rewritten = [tree.written(), tree.reversed().written(), tree.with_unknown().escaped()];
    for text in rewritten {
        let again = decode(&text);
        match (seen, &again) {
            // Which of two that stand twice is told depends on the order.
            (
                Err(Fault { rule: Rule::Twice(_), id }),
                Err(Fault { rule: Rule::Twice(_), id: again }),
            ) => {
                assert_eq!(id, again, "{text}");
            }
            _ => assert_eq!(*seen, again, "{text}"),
        }
    }
}

fn is_what_a_client_says(decode: Decoder, command: &Command) {
    let said = say(command).to_string();
    assert_eq!(decode(&said).as_ref(), Ok(command), "{said}");
}

fn a_fault_is_told(fault: &Fault) {
    let mut text = String::new();
    encode_fault(fault, &mut text);
    let tree = Tree::parse(&text).unwrap_or_else(|| panic!("no JSON: {text}"));
    told_well(&tree, &text);
    assert_eq!(tree.only("type").and_then(Tree::text), Some("error"));
    assert_eq!(tree.only("code").and_then(Tree::text), Some(fault.rule.code()));
    assert_eq!(number(&tree), fault.id);
}

fn told_well(tree: &Tree, text: &str) {
    assert!(text.starts_with("{\"type\":\""), "the type is not first: {text}");
    assert!(tree.is_object() && !tree.repeats(), "a field stands twice: {text}");
}

const CHANCE: u128 = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
