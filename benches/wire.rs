//! The chat's texts: what it costs to read a command and to write an event. Each is checked before it is timed.
//!
//! `cargo bench --bench wire`. An entry is encoded once however many hear it; a command is decoded for each post.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark that stops where it cannot go on"
)]

use std::rc::Rc;

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use wsrelay::chat::{
    Answer, Author, Body, Command, Entry, Event, Limits, Name, PersonId, Post, PostKey, Request,
    RequestId, RoomId, Seq, UnixMs, What,
};
use wsrelay::daemon::wire::{decode, encode_event};

fn main() {
    divan::main();
}

const KEY: &str = "9f0c2f4e-7d0b-4a55-9d55-2f1f6a0b7c11";

/// Texts of about 128 bytes: as most are, with escapes, and with letters of two bytes.
const BODIES: [(&str, &str); 3] = [
    (
        "plain",
        "The quick brown fox jumps over the lazy dog, and then it comes back again to see what \
         all of the barking was about, as foxes do.",
    ),
    (
        "quoted",
        "She said \"no\", he said \"yes\".\n\nThen both said \"perhaps\", and \\o/ was what the \
         others had to say to all of that\tin the end.\n",
    ),
    ("cyrillic", "Съешь же ещё этих мягких французских булок, да выпей чаю, и ещё раз."),
];

fn body(name: &str) -> &'static str {
    BODIES.iter().find(|(known, _)| *known == name).unwrap().1
}

#[divan::bench(args = ["plain", "quoted", "cyrillic"])]
fn decode_post(bencher: Bencher<'_, '_>, name: &str) {
    let body = body(name);
    let text = serde_json::json!({
        "type": "post", "id": 12, "room": "lobby", "key": KEY, "body": body,
    });
    let text = text.to_string();
    let limits = Limits::default();
    let read = || decode(black_box(&text), &limits, &mut || 0);
    let request = Request::Post {
        room: RoomId::lobby(),
        key: PostKey::parse(KEY),
        body: Body::stored(body),
        reply_to: None,
    };
    assert_eq!(read(), Ok(Command::Request { id: RequestId(12), request }));
    bencher.counter(ItemsCount::new(1_usize)).bench(read);
}

#[divan::bench]
fn decode_typing(bencher: Bencher<'_, '_>) {
    let limits = Limits::default();
    let read = || decode(black_box(r#"{"type":"typing","room":"lobby"}"#), &limits, &mut || 0);
    assert!(matches!(read(), Ok(Command::Whisper(_))));
    bencher.counter(ItemsCount::new(1_usize)).bench(read);
}

#[divan::bench(args = ["plain", "quoted", "cyrillic"])]
fn encode_entry(bencher: Bencher<'_, '_>, name: &str) {
    let body = body(name);
    let post = Post {
        key: PostKey::parse(KEY),
        body: Body::stored(body),
        reply_to: None,
        mentions: [].into(),
    };
    let entry = Entry {
        seq: Seq(123_456),
        at: UnixMs(1_800_000_000_123),
        from: Author { id: PersonId(7), name: Name::stored("ann") },
        what: What::Post(post),
    };
    let event = Event::Entry(RoomId::lobby(), Rc::new(entry));
    let expected = serde_json::json!({
        "type": "entry", "room": "lobby", "seq": 123_456, "kind": "post", "from": "ann",
        "at": "2027-01-15T08:00:00.123Z", "key": KEY, "body": body,
    });
    time_event(bencher, &event, &expected);
}

#[divan::bench]
fn encode_posted(bencher: Bencher<'_, '_>) {
    let posted = Answer::Posted {
        room: RoomId::lobby(),
        seq: Seq(123_456),
        at: UnixMs(1_800_000_000_123),
        dup: false,
    };
    let expected = serde_json::json!({
        "type": "ok", "id": 12, "room": "lobby", "seq": 123_456, "at": "2027-01-15T08:00:00.123Z",
    });
    time_event(bencher, &Event::Ok(RequestId(12), Box::new(posted)), &expected);
}

fn time_event(bencher: Bencher<'_, '_>, event: &Event, expected: &serde_json::Value) {
    let mut out = String::new();
    encode_event(event, &mut out);
    assert_eq!(serde_json::from_str::<serde_json::Value>(&out).unwrap(), *expected);
    bencher.counter(ItemsCount::new(1_usize)).bench_local(|| {
        out.clear();
        encode_event(black_box(event), &mut out);
        out.len()
    });
}
