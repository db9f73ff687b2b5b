//! The properties of the chat's texts, with cases made at random; and broken decoders that they must find.

use std::rc::Rc;
use std::sync::Arc;

use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use wsrelay::chat::limits::{MUTE_MS_MAX, SLOW_MS_MAX};
use wsrelay::chat::{
    Act, Answer, Author, Body, Command, Emoji, Entry, Epoch, Event, HistoryFrom, Hit, Marks,
    Member, Name, NewRoom, PersonId, Post, PostKey, Profile, Reaction, Record, Request, RequestId,
    Role, RoomId, RoomKind, RoomSummary, Seq, Since, UnixMs, Unread, User, What, Whisper,
};
use wsrelay::daemon::wire::{Fault, Rule};
use wsrelay::oracle::wire as oracle;

proptest! {
    #[test]
    fn any_text_is_a_command_or_none(text in ".*") {
        oracle::commands_hold(oracle::read, &text);
    }

    #[test]
    fn any_object_of_known_fields_is_read_as_it_stands(text in object()) {
        oracle::commands_hold(oracle::read, &text);
    }

    /// One byte changed: mostly still JSON, and often still a command.
    #[test]
    fn nearly_good_commands_are_read_as_they_stand(
        command in command(),
        at in any::<Index>(),
        byte in b' '..0x7f,
    ) {
        let mut said = oracle::say(&command).to_string().into_bytes();
        *at.get_mut(&mut said) = byte;
        oracle::command(&said);
    }

    #[test]
    fn what_a_client_says_is_what_is_read(command in command()) {
        let said = oracle::say(&command).to_string();
        assert_eq!(oracle::read(&said), Ok(command));
        oracle::commands_hold(oracle::read, &said);
    }

    #[test]
    fn whatever_people_write_arrives(texts in vec(any::<String>(), 3)) {
        for event in events(&texts) {
            oracle::event(&event, &texts.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}

/// What an ordinary client may send, and what a broken one.
fn object() -> impl Strategy<Value = String> {
    let name = select(vec![
        "type", "id", "room", "key", "body", "seq", "reply_to", "since", "epoch", "rooms", "emoji",
        "on", "user", "role", "name", "kind", "for_ms", "slow_ms", "before", "after", "limit",
        "query", "skip", "unknown",
    ]);
    let field = (name, value()).prop_map(|(name, value)| format!("{name:?}:{value}"));
    let kind = select(vec!["post", "resume", "join", "history", "create", "react", "typing", "no"]);
    (kind, vec(field, 0..8)).prop_map(|(kind, fields)| {
        let fields = [vec![format!("\"type\":{kind:?},\"id\":1")], fields].concat();
        format!("{{{}}}", fields.join(","))
    })
}

fn value() -> impl Strategy<Value = Value> {
    let scalar = select(vec![
        json!(null),
        json!(true),
        json!(0),
        json!(1),
        json!(201),
        json!(-1),
        json!(1.0),
        json!(1_u64 << 53),
        json!((1_u64 << 53) + 1),
        json!(u64::MAX),
        json!(1e300),
        json!(""),
        json!("lobby"),
        json!("~0123456789abcdefghijkl"),
        json!("a b"),
        json!("ann"),
        json!("open"),
        json!("group"),
        json!("admin"),
        json!("👍"),
        json!("\u{0}"),
        json!([]),
        json!({}),
        json!({"epoch": "k", "seq": 3}),
        json!({"seq": 3}),
        json!([{"room": "lobby", "since": {"epoch": "k", "seq": 3}}, {"room": "a"}]),
        json!([{"room": "lobby"}, {"room": "a b"}]),
        json!(["lobby"]),
        json!([[{"room": {"room": 1}}]]),
    ]);
    prop_oneof![4 => scalar, 1 => any::<String>().prop_map(Value::from)]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        4 => (0..=1_u64 << 53, request())
            .prop_map(|(id, request)| Command::Request { id: RequestId(id), request }),
        1 => whisper().prop_map(Command::Whisper),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let post = (room(), option::of(key()), body(), option::of(seq()))
        .prop_map(|(room, key, body, reply_to)| Request::Post { room, key, body, reply_to });
    let history = (room(), history_from(), 1..=200_u16)
        .prop_map(|(room, from, limit)| Request::History { room, from, limit });
    let search = ("\\PC{0,200}", option::of(room()), any::<u32>(), 1..=50_u16).prop_map(
        |(query, room, skip, limit)| Request::Search { query: query.into(), room, skip, limit },
    );
    let members = (room(), option::of(name()), 1..=200_u16)
        .prop_map(|(room, after, limit)| Request::Members { room, after, limit });
    let users = ("\\PC{0,200}", 1..=50_u16)
        .prop_map(|(query, limit)| Request::Users { query: query.into(), limit });
    prop_oneof![
        (room(), option::of(since())).prop_map(|(room, since)| Request::Join { room, since }),
        vec((room(), option::of(since())), 0..5).prop_map(|rooms| Request::Resume { rooms }),
        room().prop_map(|room| Request::Detach { room }),
        post,
        (room(), act()).prop_map(|(room, act)| Request::Act { room, act }),
        history,
        search,
        new_room().prop_map(|room| Request::Create { room, secret: CHANCE, epoch: EPOCH }),
        name().prop_map(|user| Request::Direct { user, secret: CHANCE, epoch: EPOCH }),
        members,
        Just(Request::Rooms),
        users,
    ]
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        (seq(), body()).prop_map(|(post, body)| Act::Edit { post, body }),
        seq().prop_map(|post| Act::Delete { post }),
        (seq(), emoji(), any::<bool>()).prop_map(|(post, emoji, on)| Act::React {
            post,
            emoji,
            on
        }),
        (seq(), any::<bool>()).prop_map(|(post, on)| Act::Pin { post, on }),
        (name(), role()).prop_map(|(user, role)| Act::Add { user, role }),
        name().prop_map(|user| Act::Remove { user }),
        Just(Act::Leave),
        (name(), role()).prop_map(|(user, role)| Act::Role { user, role }),
        title().prop_map(|title| Act::Rename { title }),
        (name(), any::<bool>()).prop_map(|(user, on)| Act::Ban { user, on }),
        (name(), 0..=MUTE_MS_MAX).prop_map(|(user, for_ms)| Act::Mute { user, for_ms }),
        any::<bool>().prop_map(|on| Act::ReadOnly { on }),
        (0..=SLOW_MS_MAX).prop_map(|slow_ms| Act::Slow { slow_ms }),
    ]
}

fn whisper() -> impl Strategy<Value = Whisper> {
    prop_oneof![
        (room(), any::<bool>()).prop_map(|(room, on)| Whisper::Typing { room, on }),
        (room(), seq()).prop_map(|(room, seq)| Whisper::Received { room, seq }),
        (room(), seq()).prop_map(|(room, seq)| Whisper::Read { room, seq }),
        Just(Whisper::Ping),
    ]
}

fn new_room() -> impl Strategy<Value = NewRoom> {
    prop_oneof![
        open_room().prop_map(|room| NewRoom::Open { room }),
        title().prop_map(|title| NewRoom::Group { title }),
        option::of(title()).prop_map(|title| NewRoom::Invite { title }),
    ]
}

fn history_from() -> impl Strategy<Value = HistoryFrom> {
    prop_oneof![
        Just(HistoryFrom::End),
        seq().prop_map(HistoryFrom::Before),
        seq().prop_map(HistoryFrom::After),
    ]
}

fn room() -> impl Strategy<Value = RoomId> {
    prop_oneof![open_room(), any::<u128>().prop_map(RoomId::secret)]
}

fn open_room() -> impl Strategy<Value = RoomId> {
    select(vec!["lobby", "tea-time", "жук", "山田", "José", "_x_"])
        .prop_map(|name| RoomId::parse(name).expect("a name"))
}

fn name() -> impl Strategy<Value = Name> {
    select(vec!["ann", "Bo", "J.-P", "жук", "山田", "José"])
        .prop_map(|name| Name::parse(name).expect("a name"))
}

fn seq() -> impl Strategy<Value = Seq> {
    (0..=1_u64 << 53).prop_map(Seq)
}

fn since() -> impl Strategy<Value = Since> {
    (any::<u64>(), seq()).prop_map(|(epoch, seq)| Since { epoch: Epoch::new(epoch), seq })
}

fn key() -> impl Strategy<Value = PostKey> {
    "[!-~]{1,64}".prop_map(|key| PostKey::parse(&key).expect("a key"))
}

fn body() -> impl Strategy<Value = Body> {
    vec(any::<char>(), 0..90).prop_map(|chars| {
        let text = format!("{}x", chars.into_iter().collect::<String>());
        Body::parse(&text, 100).expect("something to see")
    })
}

fn title() -> impl Strategy<Value = Arc<str>> {
    "\\PC{0,63}".prop_map(|title| format!("{title}x").into())
}

fn emoji() -> impl Strategy<Value = Emoji> {
    select(vec!["👍", "1️⃣", "🇳🇿", "❤️"]).prop_map(|emoji| Emoji::parse(emoji).expect("an emoji"))
}

fn role() -> impl Strategy<Value = Role> {
    select(vec![Role::Reader, Role::Member, Role::Admin, Role::Owner])
}

/// Events that have these texts in them: bodies, titles, names; each wherever a person's text can stand.
fn events(texts: &[String]) -> Vec<Event> {
    let [one, two, three] = texts else { panic!("three texts") };
    let author = Author { id: PersonId(7), name: Name::stored(one) };
    let room = RoomId::lobby();
    let entry = |what| Entry { seq: Seq(1), at: UnixMs(0), from: author.clone(), what };
    let post = What::Post(Post {
        key: PostKey::parse("k\"\\"),
        body: Body::stored(two),
        reply_to: None,
        mentions: [Author { id: PersonId(8), name: Name::stored(three) }].into(),
    });
    let created = What::Created {
        kind: RoomKind::Group,
        title: Some(two.as_str().into()),
        members: [(Author { id: PersonId(9), name: Name::stored(three) }, Role::Owner)].into(),
    };
    let reaction = Reaction { emoji: Emoji::stored(two), users: vec![Name::stored(three)] };
    let marks = Marks { edited: None, pinned: true, reactions: vec![reaction] };
    let record = Record { entry: entry(post.clone()), marks };
    let profile = Profile { display: Some(Name::stored(two)), hue: Some(1) };
    let user = User { id: PersonId(7), name: Name::stored(one), profile };
    let member = Member {
        user: user.clone(),
        role: Role::Owner,
        online: true,
        last_seen: None,
        received: Seq(1),
        read: Seq(1),
        muted_until: None,
    };
    let summary = RoomSummary {
        room: room.clone(),
        kind: RoomKind::Group,
        name: one.as_str().into(),
        epoch: Epoch::from_text(two),
        seq: Seq(1),
        at: None,
        role: Role::Owner,
        mode: Default::default(),
        read: Seq(1),
        left: Unread::default(),
    };
    let titled = RoomSummary { name: three.as_str().into(), ..summary.clone() };
    let hit = Hit { room: room.clone(), record: record.clone(), snippet: three.as_str().into() };
    let other = User { name: Name::stored(three), ..user.clone() };
    let ok = |answer| Event::Ok(RequestId(1), Box::new(answer));
    vec![
        Event::Entry(room.clone(), Rc::new(entry(post))),
        Event::Entry(room.clone(), Rc::new(entry(created))),
        Event::Record(room.clone(), Rc::new(record.clone())),
        ok(Answer::Found { hits: vec![hit], more: false }),
        ok(Answer::Page {
            room: room.clone(),
            records: vec![record.clone(), record],
            more: false,
            as_of: Seq(1),
        }),
        ok(Answer::Users { users: vec![user, other.clone()] }),
        ok(Answer::Members {
            room,
            members: vec![member.clone(), Member { user: other, ..member }],
            total: 2,
            more: false,
        }),
        ok(Answer::Rooms { rooms: vec![summary, titled], open: vec![] }),
    ]
}

const CHANCE: u128 = 0x0123_4567_89ab_cdef_0123_4567_89ab_cdef;
const EPOCH: u64 = 0x0123_4567_89ab_cdef;

#[test]
#[should_panic(expected = "another number was read")]
fn a_decoder_that_lets_the_last_win_is_found() {
    fn last_wins(text: &str) -> Result<Command, Fault> {
        let tidied = serde_json::from_str::<Value>(text).map(|value| value.to_string());
        oracle::read(tidied.as_deref().unwrap_or(text))
    }
    oracle::commands_hold(last_wins, r#"{"type":"rooms","id":1,"id":2}"#);
}

#[test]
#[should_panic(expected = "left == right")]
fn a_decoder_that_wants_the_type_first_is_found() {
    fn type_first(text: &str) -> Result<Command, Fault> {
        let is_first = text.trim_start_matches([' ', '{']).starts_with("\"type\"");
        if is_first { oracle::read(text) } else { Err(Fault { id: None, rule: Rule::Type }) }
    }
    oracle::commands_hold(type_first, r#"{"type":"ping","unknown":1}"#);
}

#[test]
#[should_panic(expected = "left == right")]
fn a_decoder_that_does_not_know_escapes_is_found() {
    fn small_letters(text: &str) -> Result<Command, Fault> {
        oracle::read(&text.to_lowercase())
    }
    oracle::commands_hold(small_letters, r#"{"type":"post","id":1,"room":"a","body":"X"}"#);
}

#[test]
#[should_panic(expected = "what is JSON is told otherwise")]
fn a_decoder_that_does_not_look_behind_the_end_is_found() {
    fn no_end(text: &str) -> Result<Command, Fault> {
        oracle::read(text.strip_suffix("}}").map_or(text, |_| &text[..text.len() - 1]))
    }
    oracle::commands_hold(no_end, r#"{"type":"rooms","id":1}}"#);
}
