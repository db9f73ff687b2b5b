//! Every command, word for word, and every rule that a text can break.

use super::fault::WHOLE_MAX;
use super::fault::{Fault, Rule, Wants};
use super::field::Field;
use super::{decode, request_types, whisper_types};
use crate::chat::limits::{MUTE_MS_MAX, RESUME_ROOMS_MAX, SLOW_MS_MAX};
use crate::chat::{
    Act, Body, BodyFault, Command, Emoji, Epoch, HistoryFrom, Limits, Name, NewRoom, PostKey,
    Refusal, Request, RequestId, Role, RoomId, Seq, Since, Whisper,
};

/// Reads with a chance that says 1, 2, 3… in both halves.
fn read(text: &str) -> Result<Command, Fault> {
    let mut last = 0;
    let mut chance = || {
        last += 1;
        last << 64 | last
    };
    decode(text, &Limits { post_chars_max: 20, ..Limits::default() }, &mut chance)
}

const SECRET: u128 = 1 << 64 | 1;

fn room(text: &str) -> RoomId {
    RoomId::parse(text).unwrap()
}

fn name(text: &str) -> Name {
    Name::parse(text).unwrap()
}

fn since(epoch: &str, seq: u64) -> Option<Since> {
    Some(Since { epoch: Epoch::from_text(epoch), seq: Seq(seq) })
}

fn act(act: Act) -> Request {
    Request::Act { room: room("a"), act }
}

fn post(key: Option<&str>, body: &str, reply_to: Option<u64>) -> Request {
    Request::Post {
        room: room("a"),
        key: key.map(|key| PostKey::parse(key).unwrap()),
        body: Body::stored(body),
        reply_to: reply_to.map(Seq),
    }
}

fn history(from: HistoryFrom, limit: u16) -> Request {
    Request::History { room: room("a"), from, limit }
}

#[test]
fn every_request_is_read() {
    let token = "~0123456789abcdefghijkl";
    let both = vec![(room("a"), since("k3", 12)), (room(token), None)];
    let rows = [
        (r#""type":"join","room":"a""#, Request::Join { room: room("a"), since: None }),
        (
            r#""type":"join","room":"a","since":{"epoch":"k3","seq":12}"#,
            Request::Join { room: room("a"), since: since("k3", 12) },
        ),
        (
            r#""type":"resume","rooms":[{"room":"a","since":{"epoch":"k3","seq":12}},
                {"room":"~0123456789abcdefghijkl"}]"#,
            Request::Resume { rooms: both },
        ),
        (r#""type":"resume","rooms":[]"#, Request::Resume { rooms: vec![] }),
        (r#""type":"detach","room":"a""#, Request::Detach { room: room("a") }),
        (r#""type":"post","room":"a","body":"hi""#, post(None, "hi", None)),
        (
            r#""type":"post","room":"A","key":"9f0c","body":"hi","reply_to":3"#,
            post(Some("9f0c"), "hi", Some(3)),
        ),
        (
            r#""type":"edit","room":"a","seq":3,"body":"ho""#,
            act(Act::Edit { post: Seq(3), body: Body::stored("ho") }),
        ),
        (r#""type":"delete","room":"a","seq":3"#, act(Act::Delete { post: Seq(3) })),
        (
            r#""type":"react","room":"a","seq":3,"emoji":"👍","on":true"#,
            act(Act::React { post: Seq(3), emoji: Emoji::stored("👍"), on: true }),
        ),
        (
            r#""type":"pin","room":"a","seq":3,"on":false"#,
            act(Act::Pin { post: Seq(3), on: false }),
        ),
        (
            r#""type":"add","room":"a","user":"bo""#,
            act(Act::Add { user: name("bo"), role: Role::Member }),
        ),
        (
            r#""type":"add","room":"a","user":"bo","role":"reader""#,
            act(Act::Add { user: name("bo"), role: Role::Reader }),
        ),
        (r#""type":"remove","room":"a","user":"bo""#, act(Act::Remove { user: name("bo") })),
        (r#""type":"leave","room":"a""#, act(Act::Leave)),
        (
            r#""type":"role","room":"a","user":"bo","role":"admin""#,
            act(Act::Role { user: name("bo"), role: Role::Admin }),
        ),
        (
            r#""type":"role","room":"a","user":"bo","role":"owner""#,
            act(Act::Role { user: name("bo"), role: Role::Owner }),
        ),
        (
            r#""type":"rename","room":"a","name":"The Team""#,
            act(Act::Rename { title: "The Team".into() }),
        ),
        (r#""type":"ban","room":"a","user":"bo""#, act(Act::Ban { user: name("bo"), on: true })),
        (
            r#""type":"ban","room":"a","user":"bo","on":false"#,
            act(Act::Ban { user: name("bo"), on: false }),
        ),
        (
            r#""type":"mute","room":"a","user":"bo","for_ms":60000"#,
            act(Act::Mute { user: name("bo"), for_ms: 60_000 }),
        ),
        (r#""type":"slow","room":"a","slow_ms":500"#, act(Act::Slow { slow_ms: 500 })),
        (r#""type":"read_only","room":"a","on":true"#, act(Act::ReadOnly { on: true })),
        (r#""type":"history","room":"a""#, history(HistoryFrom::End, 50)),
        (
            r#""type":"history","room":"a","before":16,"limit":200"#,
            history(HistoryFrom::Before(Seq(16)), 200),
        ),
        (
            r#""type":"history","room":"a","after":0,"limit":1"#,
            history(HistoryFrom::After(Seq(0)), 1),
        ),
        (
            r#""type":"search","query":"fox dog""#,
            Request::Search { query: "fox dog".into(), room: None, skip: 0, limit: 20 },
        ),
        (
            r#""type":"search","query":"","room":"a","skip":40,"limit":50"#,
            Request::Search { query: "".into(), room: Some(room("a")), skip: 40, limit: 50 },
        ),
        (
            r#""type":"create","kind":"open","name":"Tea-Time""#,
            Request::Create {
                room: NewRoom::Open { room: room("tea-time") },
                secret: SECRET,
                epoch: 2,
            },
        ),
        (
            r#""type":"create","kind":"group","name":"The Team ☕""#,
            Request::Create {
                room: NewRoom::Group { title: "The Team ☕".into() },
                secret: SECRET,
                epoch: 2,
            },
        ),
        (
            r#""type":"create","kind":"invite""#,
            Request::Create { room: NewRoom::Invite { title: None }, secret: SECRET, epoch: 2 },
        ),
        (
            r#""type":"create","kind":"invite","name":"Tea""#,
            Request::Create {
                room: NewRoom::Invite { title: Some("Tea".into()) },
                secret: SECRET,
                epoch: 2,
            },
        ),
        (
            r#""type":"direct","user":"bo""#,
            Request::Direct { user: name("bo"), secret: SECRET, epoch: 2 },
        ),
        (
            r#""type":"members","room":"a""#,
            Request::Members { room: room("a"), after: None, limit: 100 },
        ),
        (
            r#""type":"members","room":"a","after":"bo","limit":3"#,
            Request::Members { room: room("a"), after: Some(name("bo")), limit: 3 },
        ),
        (
            r#""type":"pins","room":"a""#,
            Request::History { room: room("a"), from: HistoryFrom::PinsEnd, limit: 100 },
        ),
        (
            r#""type":"pins","room":"a","before":16,"limit":1"#,
            Request::History { room: room("a"), from: HistoryFrom::PinsBefore(Seq(16)), limit: 1 },
        ),
        (r#""type":"bans","room":"a""#, Request::Bans { room: room("a"), after: None, limit: 100 }),
        (
            r#""type":"bans","room":"a","after":"bo","limit":3"#,
            Request::Bans { room: room("a"), after: Some(name("bo")), limit: 3 },
        ),
        (r#""type":"rooms""#, Request::Rooms),
        (r#""type":"users""#, Request::Users { query: "".into(), limit: 20 }),
        (r#""type":"users","query":"B","limit":5"#, Request::Users { query: "B".into(), limit: 5 }),
    ];
    let mut types: Vec<_> = request_types().collect();
    for (fields, request) in rows {
        types.retain(|name| !fields.contains(&format!(r#""type":"{name}""#)));
        let id = RequestId(7);
        let command = Ok(Command::Request { id, request });
        assert_eq!(read(&format!("{{{fields},\"id\":7}}")), command, "{fields}");
        assert_eq!(read(&format!("{{\"id\":7,\"new\":[{{}}],{fields}}}")), command, "{fields}");
    }
    assert!(types.is_empty(), "no row for {types:?}");
}

#[test]
fn every_whisper_is_read() {
    let rows = [
        (r#"{"type":"typing","room":"a"}"#, Whisper::Typing { room: room("a"), on: true }),
        (
            r#"{"type":"typing","room":"a","on":false}"#,
            Whisper::Typing { room: room("a"), on: false },
        ),
        (
            r#"{"type":"received","room":"a","seq":16}"#,
            Whisper::Received { room: room("a"), seq: Seq(16) },
        ),
        (
            r#"{"type":"read","room":"a","seq":16,"id":"no matter"}"#,
            Whisper::Read { room: room("a"), seq: Seq(16) },
        ),
        (r#"{"type":"ping"}"#, Whisper::Ping),
    ];
    let mut types: Vec<_> = whisper_types().collect();
    for (text, whisper) in rows {
        types.retain(|name| !text.contains(&format!(r#""type":"{name}""#)));
        assert_eq!(read(text), Ok(Command::Whisper(whisper)), "{text}");
    }
    assert!(types.is_empty(), "no row for {types:?}");
}

#[test]
fn every_rule_is_told_with_the_number_of_the_request() {
    let such = |field, words| Rule::Field(field, Wants::Such(words));
    let whole = |field, min, max| Rule::Field(field, Wants::Whole { min, max });
    let text = |field| Rule::Field(field, Wants::Text);
    let rows = [
        (r#""type":"fly""#, Rule::Type),
        (r#""type":"Post""#, Rule::Type),
        (r#""type":"""#, Rule::Type),
        (r#""room":"a""#, Rule::Missing(Field::Type)),
        (r#""type":["post"]"#, text(Field::Type)),
        (r#""type":"post","type":"post""#, Rule::Twice(Field::Type)),
        (r#""type":"leave""#, Rule::Missing(Field::Room)),
        (r#""type":"leave","room":null"#, Rule::Missing(Field::Room)),
        (r#""type":"leave","room":7"#, text(Field::Room)),
        (r#""type":"leave","room":"a","room":"b""#, Rule::Twice(Field::Room)),
        (r#""type":"leave","room":"a b""#, Refusal::NoRoom.into()),
        (r#""type":"leave","room":"""#, Refusal::NoRoom.into()),
        (r#""type":"leave","room":"~abc""#, Refusal::NoRoom.into()),
        (r#""type":"direct","user":"a b""#, Refusal::NoUser.into()),
        (r#""type":"direct","user":"everyone""#, Refusal::NoUser.into()),
        (r#""type":"direct","user":{}"#, text(Field::User)),
        (r#""type":"post","room":"a""#, Rule::Missing(Field::Body)),
        (r#""type":"post","room":"a","body":" \n""#, Refusal::Body(BodyFault::Empty).into()),
        (
            r#""type":"post","room":"a","body":"123456789012345678901""#,
            Refusal::Body(BodyFault::TooLong { chars_max: 20 }).into(),
        ),
        (
            r#""type":"post","room":"a","body":"x","key":"a b""#,
            such(Field::Key, "1 to 64 visible ASCII characters"),
        ),
        (
            r#""type":"post","room":"a","body":"x","reply_to":-1"#,
            whole(Field::ReplyTo, 0, WHOLE_MAX),
        ),
        (r#""type":"delete","room":"a""#, Rule::Missing(Field::Seq)),
        (r#""type":"delete","room":"a","seq":1.0"#, whole(Field::Seq, 0, WHOLE_MAX)),
        (r#""type":"delete","room":"a","seq":1e3"#, whole(Field::Seq, 0, WHOLE_MAX)),
        (r#""type":"delete","room":"a","seq":"1""#, whole(Field::Seq, 0, WHOLE_MAX)),
        (r#""type":"delete","room":"a","seq":9007199254740993"#, whole(Field::Seq, 0, WHOLE_MAX)),
        (
            r#""type":"delete","room":"a","seq":18446744073709551616"#,
            whole(Field::Seq, 0, WHOLE_MAX),
        ),
        (r#""type":"react","room":"a","seq":1,"emoji":"👍""#, Rule::Missing(Field::On)),
        (
            r#""type":"react","room":"a","seq":1,"emoji":"x","on":true"#,
            such(Field::Emoji, "an emoji"),
        ),
        (r#""type":"pin","room":"a","seq":1,"on":1"#, Rule::Field(Field::On, Wants::Flag)),
        (
            r#""type":"role","room":"a","user":"bo","role":"king""#,
            such(Field::Role, "reader, member, admin or owner"),
        ),
        (r#""type":"rename","room":"a""#, Rule::Missing(Field::Name)),
        (
            r#""type":"rename","room":"a","name":"a\u0007""#,
            such(Field::Name, "a title, which has something to see and no controls"),
        ),
        (
            r#""type":"mute","room":"a","user":"bo","for_ms":31536000001"#,
            whole(Field::ForMs, 0, MUTE_MS_MAX),
        ),
        (
            r#""type":"slow","room":"a","slow_ms":3600001"#,
            whole(Field::SlowMs, 0, SLOW_MS_MAX.into()),
        ),
        (r#""type":"history","room":"a","limit":0"#, whole(Field::Limit, 1, 200)),
        (r#""type":"history","room":"a","limit":201"#, whole(Field::Limit, 1, 200)),
        (
            r#""type":"history","room":"a","before":9,"after":3"#,
            such(Field::After, "left out where \"before\" is"),
        ),
        (r#""type":"search""#, Rule::Missing(Field::Query)),
        (r#""type":"search","query":"x","room":"a b""#, Refusal::NoRoom.into()),
        (r#""type":"search","query":"x","limit":51"#, whole(Field::Limit, 1, 50)),
        (
            r#""type":"create","kind":"lobby","name":"x""#,
            such(Field::Kind, "open, group or invite"),
        ),
        (r#""type":"create","kind":"open""#, Rule::Missing(Field::Name)),
        (
            r#""type":"create","kind":"open","name":"~0123456789abcdefghijkl""#,
            such(Field::Name, "a name of 1 to 32 letters, digits, _, . and -"),
        ),
        (r#""type":"create","kind":"group""#, Rule::Missing(Field::Name)),
        (r#""type":"members","room":"a","after":3"#, text(Field::After)),
        (r#""type":"members","room":"a","after":"""#, such(Field::After, "a name")),
        (r#""type":"join","room":"a","since":12"#, no_since()),
        (r#""type":"join","room":"a","since":{"seq":12}"#, no_since()),
        (r#""type":"join","room":"a","since":{"epoch":"x"}"#, no_since()),
        (
            r#""type":"join","room":"a","since":{"epoch":"x","seq":-1}"#,
            whole(Field::Seq, 0, WHOLE_MAX),
        ),
        (
            r#""type":"join","room":"a","since":{"epoch":"x","seq":1,"seq":2}"#,
            Rule::Twice(Field::Seq),
        ),
        (r#""type":"resume""#, Rule::Missing(Field::Rooms)),
        (r#""type":"resume","rooms":{"room":"a"}"#, no_rooms()),
        (r#""type":"resume","rooms":["a"]"#, no_rooms()),
        (r#""type":"resume","rooms":[{"room":"a"},null]"#, no_rooms()),
        (r#""type":"resume","rooms":[{}]"#, Rule::Missing(Field::Room)),
        (r#""type":"resume","rooms":[{"room":"a b"},{"room":"a"}]"#, Refusal::NoRoom.into()),
        (r#""type":"resume","rooms":[{"room":"a","since":1}]"#, no_since()),
    ];
    for (fields, rule) in rows {
        let fault = Err(Fault { id: Some(RequestId(0)), rule });
        assert_eq!(read(&format!("{{{fields},\"id\":0}}")), fault, "{fields}");
        assert_eq!(read(&format!("{{\"id\":0,{fields}}}")), fault, "{fields}");
    }
}

fn no_since() -> Rule {
    Rule::Field(Field::Since, Wants::Such("an object with an \"epoch\" and a \"seq\""))
}

fn no_rooms() -> Rule {
    let words = "a list of objects with a \"room\" and perhaps a \"since\"";
    Rule::Field(Field::Rooms, Wants::Such(words))
}

#[test]
fn a_request_without_a_good_number_is_refused_without_one() {
    let largest = r#"{"type":"rooms","id":9007199254740992}"#;
    let id = RequestId(WHOLE_MAX);
    assert_eq!(read(largest), Ok(Command::Request { id, request: Request::Rooms }));
    for (id, rule) in [
        ("", Rule::Id),
        (r#","id":null"#, Rule::Id),
        (r#","id":-1"#, Rule::Id),
        (r#","id":-0"#, Rule::Id),
        (r#","id":1.0"#, Rule::Id),
        (r#","id":"1""#, Rule::Id),
        (r#","id":[1]"#, Rule::Id),
        (r#","id":9007199254740993"#, Rule::Id),
        (r#","id":1e400"#, Rule::Json { line: 1, column: 26 }),
    ] {
        let fault = Fault { id: None, rule };
        assert_eq!(read(&format!("{{\"type\":\"rooms\"{id}}}")), Err(fault), "{id}");
    }
    let twice = Fault { id: None, rule: Rule::Twice(Field::Id) };
    for rest in ["", r#","type":"ping""#, r#","id":3"#] {
        assert_eq!(read(&format!(r#"{{"type":"rooms","id":1,"id":2{rest}}}"#)), Err(twice.clone()));
    }
}

#[test]
fn what_is_no_json_object_is_refused_where_it_ends_to_be_one() {
    let json = |line, column| Rule::Json { line, column };
    for (text, rule) in [
        ("", json(1, 0)),
        ("null", Rule::NotAnObject),
        ("[]", Rule::NotAnObject),
        (r#""type""#, Rule::NotAnObject),
        ("7", Rule::NotAnObject),
        ("{", json(1, 1)),
        ("{}}", json(1, 3)),
        ("\u{feff}{}", json(1, 1)),
        ("{'type':'rooms'}", json(1, 2)),
        ("{\"type\":\n\"rooms\",}", json(2, 9)),
        (r#"{"type":"rooms","x":nul}"#, json(1, 24)),
        (r#"{"type":"rooms","x":"\ud800"}"#, json(1, 28)),
        (r#"{"type":"post","body":"\ud800"}"#, json(1, 30)),
        ("{\"type\":\"post\",\"body\":\"a\nb\"}", json(2, 0)),
        (r#"{"type":"rooms","x":01}"#, json(1, 22)),
    ] {
        assert_eq!(read(text), Err(Fault { id: None, rule }), "{text:?}");
    }
}

#[test]
fn a_whisper_that_is_none_is_refused() {
    for (text, rule) in [
        (r#"{"type":"typing"}"#, Rule::Missing(Field::Room)),
        (r#"{"type":"typing","room":"a b"}"#, Refusal::NoRoom.into()),
        (r#"{"type":"read","room":"a","seq":1,"seq":2}"#, Rule::Twice(Field::Seq)),
    ] {
        assert_eq!(read(text), Err(Fault { id: None, rule }), "{text}");
    }
}

/// Where values nest, and where they are dropped.
#[test]
fn what_is_nested_too_deeply_is_refused() {
    for place in ["x", "room", "since", "rooms"] {
        for (open, close) in [("[", "]"), (r#"{"since":"#, "}"), (r#"[{"rooms":"#, "}]")] {
            let text = |levels| {
                let (open, close) = (str::repeat(open, levels), str::repeat(close, levels));
                format!(r#"{{"type":"rooms","id":1,"{place}":{open}1{close}}}"#)
            };
            assert!(read(&text(60)).is_ok(), "{place} {open}");
            let Err(fault) = read(&text(20_000)) else { panic!("{place} {open}") };
            assert_eq!((fault.id, fault.rule.code()), (None, "bad_json"), "{place} {open}");
        }
    }
}

#[test]
fn lists_and_texts_have_an_end() {
    let rooms = |count| {
        let rooms = vec![r#"{"room":"a"}"#; count].join(",");
        read(&format!(r#"{{"type":"resume","rooms":[{rooms}],"id":1}}"#))
    };
    let too_large =
        |field, max| Err(Fault { id: Some(RequestId(1)), rule: Rule::TooLarge(field, max) });
    assert!(rooms(RESUME_ROOMS_MAX).is_ok());
    assert_eq!(rooms(RESUME_ROOMS_MAX + 1), too_large(Field::Rooms, RESUME_ROOMS_MAX));

    let query = |chars| {
        let query = "é".repeat(chars);
        read(&format!(r#"{{"type":"search","query":"{query}","id":1}}"#))
    };
    assert!(query(200).is_ok());
    assert_eq!(query(201), too_large(Field::Query, 200));

    let name = |chars| {
        let name = "é".repeat(chars);
        read(&format!(r#"{{"type":"create","kind":"group","name":"{name}","id":1}}"#))
    };
    assert!(name(64).is_ok());
    assert_eq!(name(65), too_large(Field::Name, 64));

    let epoch = "e".repeat(65);
    let long =
        format!(r#"{{"type":"join","room":"a","since":{{"epoch":"{epoch}","seq":1}},"id":1}}"#);
    assert_eq!(read(&long), Err(Fault { id: Some(RequestId(1)), rule: no_since() }));
}

#[test]
fn escapes_are_what_they_stand_for() {
    let escaped =
        r#"{"\u0074ype":"p\u006fst","id":1,"room":"\u0061","body":"\"\\\/\b\f\n\r\t\ud83d\ude00"}"#;
    let request = post(None, "\"\\/\u{8}\u{c}\n\r\t😀", None);
    assert_eq!(read(escaped), Ok(Command::Request { id: RequestId(1), request }));
}

#[test]
fn each_fault_is_told_in_words() {
    let told = |text: &str| {
        let fault = read(text).unwrap_err();
        (fault.rule.code(), fault.rule.message().into_owned(), fault.rule.after_ms())
    };
    for (text, code, message) in [
        ("{", "bad_json", "That is no JSON: line 1, column 1."),
        ("[]", "bad_json", "That is no JSON object."),
        (r#"{"type":"fly","id":1}"#, "bad_type", "There is no such \"type\"."),
        ("{}", "bad_field", "\"type\" is missing."),
        (
            r#"{"type":"rooms"}"#,
            "bad_id",
            "A request needs an \"id\": a whole number from 0 to 9007199254740992.",
        ),
        (r#"{"type":"ping","on":1,"on":1}"#, "bad_field", "\"on\" stands twice."),
        (
            r#"{"type":"users","limit":0,"id":1}"#,
            "bad_field",
            "\"limit\" is to be a whole number from 1 to 50.",
        ),
        (r#"{"type":"users","query":0,"id":1}"#, "bad_field", "\"query\" is to be text."),
        (r#"{"type":"typing","room":"a","on":0}"#, "bad_field", "\"on\" is to be true or false."),
        (
            r#"{"type":"join","room":"a","since":0,"id":1}"#,
            "bad_field",
            "\"since\" is to be an object with an \"epoch\" and a \"seq\".",
        ),
        (r#"{"type":"typing","room":""}"#, "no_room", "There is no such room for you."),
    ] {
        assert_eq!(told(text), (code, message.to_owned(), None), "{text}");
    }
    assert_eq!(Fault::binary().rule.code(), "binary");
    let too_large = Rule::TooLarge(Field::Rooms, 256);
    assert_eq!(
        (too_large.code(), &*too_large.message()),
        ("too_large", "\"rooms\" is longer than 256.")
    );
}
