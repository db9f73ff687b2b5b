//! Every event, word for word.

use std::rc::Rc;

use super::fault::{Fault, Rule};
use super::{Terms, answer_body, encode_event, encode_fault, encode_welcome};
use crate::chat::{
    Answer, Author, Body, BodyFault, Emoji, Entry, Epoch, Event, Hit, Joined, Limits, Marks,
    Member, Mode, Name, OutReason, PersonId, Post, PostKey, Presence, Profile, Reaction, Record,
    Recovered, Refusal, RequestId, Role, RoomId, RoomKind, RoomSummary, Seq, UnixMs, Unread, User,
    Welcome, What,
};

/// 2026-11-21T02:06:48.123Z
const AT: UnixMs = UnixMs(1_795_226_808_123);
const LATER: UnixMs = UnixMs(1_795_226_809_000);

fn told(event: &Event) -> String {
    let mut out = String::new();
    encode_event(event, &mut out);
    out
}

fn ok(answer: Answer) -> String {
    told(&Event::Ok(RequestId(2), Box::new(answer)))
}

fn lobby() -> RoomId {
    RoomId::lobby()
}

fn name(text: &str) -> Name {
    Name::stored(text)
}

fn ann() -> Author {
    Author { id: PersonId(1), name: name("ann") }
}

fn bo() -> Author {
    Author { id: PersonId(2), name: name("bo") }
}

fn ann_as_seen() -> User {
    let profile = Profile { display: Some(name("Ann of Kent")), hue: Some(210) };
    User { id: PersonId(1), name: name("ann"), profile }
}

fn guest_as_seen() -> User {
    User { id: PersonId::guest(5), name: name("gus"), profile: Profile::default() }
}

fn entry(what: What) -> Entry {
    Entry { seq: Seq(16), at: AT, from: ann(), what }
}

fn hi() -> Post {
    Post { key: None, body: Body::stored("hi"), reply_to: None, mentions: [].into() }
}

fn joined(recovered: Recovered) -> Joined {
    Joined { room: lobby(), epoch: Epoch::from_text("k3"), seq: Seq(15), first: Seq(1), recovered }
}

fn lobby_summary() -> RoomSummary {
    RoomSummary {
        room: lobby(),
        kind: RoomKind::Lobby,
        name: "lobby".into(),
        epoch: Epoch::from_text("k3"),
        seq: Seq(0),
        at: None,
        role: Role::Member,
        mode: Mode::default(),
        read: Seq(0),
        left: Unread::default(),
    }
}

fn team_summary() -> RoomSummary {
    RoomSummary {
        room: RoomId::secret(0),
        kind: RoomKind::Group,
        name: "The \"Team\"".into(),
        epoch: Epoch::from_text("k4"),
        seq: Seq(9),
        at: Some(AT),
        role: Role::Owner,
        mode: Mode { read_only: true, slow_ms: 500 },
        read: Seq(3),
        left: Unread { posts: 4, mentions: 1 },
    }
}

const LOBBY: &str = r#"{"room":"lobby","kind":"lobby","name":"lobby","epoch":"k3","seq":0,"role":"member","read":0,"unread":0,"mentions":0}"#;
const TEAM: &str = r#"{"room":"~AAAAAAAAAAAAAAAAAAAAAA","kind":"group","name":"The \"Team\"","epoch":"k4","seq":9,"at":"2026-11-21T02:06:48.123Z","role":"owner","read_only":true,"slow_ms":500,"read":3,"unread":4,"mentions":1}"#;
const ANN: &str = r#"{"id":"1","name":"ann","guest":false,"display":"Ann of Kent","hue":210}"#;
const GUEST: &str = r#"{"id":"9223372036854775813","name":"gus","guest":true}"#;
const ENTRY: &str = r#""room":"lobby","seq":16,"kind":"post","from":"ann","at":"2026-11-21T02:06:48.123Z","body":"hi""#;

#[test]
fn a_welcome() {
    let rooms = vec![lobby_summary(), team_summary()];
    let welcome = Welcome { user: guest_as_seen(), limits: Limits::default(), rooms };
    let terms = Terms { token: Some("g_x"), ping_ms: 25_000, message_bytes_max: 65_536 };
    let mut out = String::new();
    encode_welcome(&welcome, &terms, &mut out);
    let limits = r#"{"post_chars":4000,"entries_per_second":10,"commands_per_second":50,"history_lines":200,"replay_entries":1000,"members_page":200,"resume_rooms":256,"message_bytes":65536,"search_chars":200,"title_chars":64,"name_chars":32,"mentions":50}"#;
    assert_eq!(
        out,
        format!(
            r#"{{"type":"welcome","user":{GUEST},"token":"g_x","limits":{limits},"ping_ms":25000,"rooms":[{LOBBY},{TEAM}]}}"#
        )
    );

    let bare = told(&Event::Welcome(Box::new(Welcome { rooms: vec![], ..welcome })));
    let limits = limits.replace(r#""message_bytes":65536,"#, "");
    let expected = format!(r#"{{"type":"welcome","user":{GUEST},"limits":{limits},"rooms":[]}}"#);
    assert_eq!(bare, expected);
}

#[test]
fn answers_to_joins() {
    let head = r#""room":"lobby","epoch":"k3","seq":15,"first":1"#;
    for (recovered, expected) in [
        (Recovered::NotAsked, ""),
        (Recovered::Yes, r#","recovered":true"#),
        (Recovered::OtherEpoch, r#","recovered":false,"reason":"epoch""#),
        (Recovered::Ahead, r#","recovered":false,"reason":"ahead""#),
        (Recovered::TooMany, r#","recovered":false,"reason":"too_many""#),
        (Recovered::Trimmed, r#","recovered":false,"reason":"trimmed""#),
        (Recovered::Unavailable, r#","recovered":false,"reason":"unavailable""#),
    ] {
        let one = Answer::JoinedOne(lobby(), Ok(joined(recovered)));
        assert_eq!(ok(one), format!(r#"{{"type":"joined",{head}{expected}}}"#));
        let expected = format!(r#"{{"type":"ok","id":2,{head}{expected}}}"#);
        assert_eq!(ok(Answer::Joined(joined(recovered))), expected);
    }
    assert_eq!(
        ok(Answer::JoinedOne(lobby(), Err(Refusal::Busy { after_ms: 250 }))),
        r#"{"type":"joined","room":"lobby","error":{"code":"busy","message":"Too many of your requests are waiting.","retry":true,"after_ms":250}}"#
    );
}

#[test]
fn answers() {
    let record = Record { entry: entry(What::Post(hi())), marks: Marks::default() };
    let hit = Hit { room: lobby(), record: record.clone(), snippet: "\u{e000}hi\u{e001}".into() };
    let member = Member {
        user: ann_as_seen(),
        role: Role::Admin,
        online: false,
        last_seen: Some(AT),
        received: Seq(16),
        read: Seq(15),
        muted_until: Some(LATER),
    };
    let present = Member {
        user: guest_as_seen(),
        role: Role::Reader,
        online: true,
        last_seen: None,
        received: Seq::START,
        read: Seq::START,
        muted_until: None,
    };
    let page = |records| Answer::Page { room: lobby(), records, more: true, as_of: Seq(20) };
    let posted = |dup| Answer::Posted { room: lobby(), seq: Seq(16), at: AT, dup };
    let rows = [
        (Answer::Resumed, String::new()),
        (Answer::Done, String::new()),
        (
            posted(false),
            r#""room":"lobby","seq":16,"at":"2026-11-21T02:06:48.123Z""#.to_owned(),
        ),
        (
            posted(true),
            r#""room":"lobby","seq":16,"at":"2026-11-21T02:06:48.123Z","dup":true"#.to_owned(),
        ),
        (page(vec![]), r#""room":"lobby","entries":[],"more":true,"as_of":20"#.to_owned()),
        (
            page(vec![record.clone(), record]),
            format!(
                r#""room":"lobby","entries":[{{{ENTRY}}},{{{ENTRY}}}],"more":true,"as_of":20"#
            ),
        ),
        (
            Answer::Found { hits: vec![hit], more: false },
            format!(
                "\"hits\":[{{\"room\":\"lobby\",\"entry\":{{{ENTRY}}},\
                 \"snippet\":\"\u{e000}hi\u{e001}\"}}],\"more\":false"
            ),
        ),
        (
            Answer::Room(Box::new(team_summary())),
            format!(r#""room":"~AAAAAAAAAAAAAAAAAAAAAA","summary":{TEAM}"#),
        ),
        (
            Answer::Members {
                room: lobby(),
                members: vec![member, present],
                total: 7,
                more: true,
            },
            r#""room":"lobby","members":[{"name":"ann","id":"1","display":"Ann of Kent","hue":210,"role":"admin","online":false,"last_seen":"2026-11-21T02:06:48.123Z","received":16,"read":15,"muted_until":"2026-11-21T02:06:49.000Z"},{"name":"gus","id":"9223372036854775813","guest":true,"role":"reader","online":true}],"total":7,"more":true"#.to_owned(),
        ),
        (
            Answer::Rooms { rooms: vec![lobby_summary()], open: vec![lobby()] },
            format!(r#""rooms":[{LOBBY}],"open":["lobby"]"#),
        ),
        (
            Answer::Bans { room: lobby(), users: vec![guest_as_seen()], more: true },
            format!(r#""room":"lobby","users":[{GUEST}],"more":true"#),
        ),
        (
            Answer::Users { users: vec![ann_as_seen(), guest_as_seen()] },
            format!(r#""users":[{ANN},{GUEST}]"#),
        ),
    ];
    for (answer, expected) in rows {
        assert_eq!(answer_body(&answer), format!("{{{expected}}}"));
        let comma = if expected.is_empty() { "" } else { "," };
        assert_eq!(ok(answer), format!(r#"{{"type":"ok","id":2{comma}{expected}}}"#));
    }
}

#[test]
fn errors() {
    let error = |id, refusal| told(&Event::Error(id, refusal));
    assert_eq!(
        error(Some(RequestId(0)), Refusal::NotMember),
        r#"{"type":"error","id":0,"code":"not_member","message":"You are not in that room.","retry":false}"#
    );
    assert_eq!(
        error(None, Refusal::Rate { after_ms: 1 }),
        r#"{"type":"error","code":"rate","message":"That is too much in too short a time.","retry":true,"after_ms":1}"#
    );
    let fault = |id, rule| {
        let mut out = String::new();
        encode_fault(&Fault { id, rule }, &mut out);
        out
    };
    assert_eq!(
        fault(Some(RequestId(1 << 53)), Rule::Type),
        r#"{"type":"error","id":9007199254740992,"code":"bad_type","message":"There is no such \"type\".","retry":false}"#
    );
    let too_long = Refusal::Body(BodyFault::TooLong { chars_max: 4000 });
    assert_eq!(
        fault(None, too_long.into()),
        r#"{"type":"error","code":"body_too_long","message":"The post is too long.","retry":false}"#
    );
}

#[test]
fn entries_of_every_kind() {
    let member = |author, role| (author, role);
    let whole = Post {
        key: PostKey::parse("9f0c"),
        body: Body::stored("@bo hi"),
        reply_to: Some(Seq(3)),
        mentions: [bo()].into(),
    };
    let created = |kind, title: Option<&str>| What::Created {
        kind,
        title: title.map(Into::into),
        members: [member(ann(), Role::Owner), member(bo(), Role::Member)].into(),
    };
    let members = r#""members":[{"name":"ann","role":"owner"},{"name":"bo","role":"member"}]"#;
    let until = r#""user":"bo","until":"2026-11-21T02:06:49.000Z""#;
    let rows = [
        ("post", What::Post(hi()), r#""body":"hi""#.to_owned()),
        (
            "post",
            What::Post(whole),
            r#""key":"9f0c","body":"@bo hi","reply_to":3,"mentions":["bo"]"#.to_owned(),
        ),
        ("post", What::Tombstone, r#""deleted":true"#.to_owned()),
        (
            "edit",
            What::Edit { post: Seq(3), body: Some(Body::stored("ho")) },
            r#""post":3,"body":"ho""#.to_owned(),
        ),
        ("edit", What::Edit { post: Seq(3), body: None }, r#""post":3"#.to_owned()),
        ("delete", What::Delete { post: Seq(3) }, r#""post":3"#.to_owned()),
        (
            "react",
            What::React { post: Seq(3), emoji: Emoji::stored("👍"), on: true },
            r#""post":3,"emoji":"👍","on":true"#.to_owned(),
        ),
        ("pin", What::Pin { post: Seq(3), on: false }, r#""post":3,"on":false"#.to_owned()),
        (
            "created",
            created(RoomKind::Group, Some("Team")),
            format!(r#""room_kind":"group","name":"Team",{members}"#),
        ),
        ("created", created(RoomKind::Direct, None), format!(r#""room_kind":"direct",{members}"#)),
        ("join", What::Join, String::new()),
        ("leave", What::Leave, String::new()),
        (
            "add",
            What::Add { user: bo(), role: Role::Reader },
            r#""user":"bo","role":"reader""#.to_owned(),
        ),
        ("remove", What::Remove { user: bo() }, r#""user":"bo""#.to_owned()),
        (
            "role",
            What::Role { user: bo(), role: Role::Admin },
            r#""user":"bo","role":"admin""#.to_owned(),
        ),
        ("rename", What::Rename { title: "Tea".into() }, r#""name":"Tea""#.to_owned()),
        ("ban", What::Ban { user: bo(), on: true }, r#""user":"bo","on":true"#.to_owned()),
        ("mute", What::Mute { user: bo(), until: LATER }, until.to_owned()),
        ("mute", What::Mute { user: bo(), until: UnixMs(0) }, r#""user":"bo""#.to_owned()),
        (
            "mode",
            What::Mode(Mode { read_only: true, slow_ms: 500 }),
            r#""read_only":true,"slow_ms":500"#.to_owned(),
        ),
    ];
    for (kind, what, fields) in rows {
        let head = format!(
            r#""type":"entry","room":"lobby","seq":16,"kind":"{kind}","from":"ann","at":"2026-11-21T02:06:48.123Z""#
        );
        let comma = if fields.is_empty() { "" } else { "," };
        let expected = format!("{{{head}{comma}{fields}}}");
        let entry = entry(what);
        assert_eq!(told(&Event::Entry(lobby(), Rc::new(entry.clone()))), expected);
        assert_eq!(told(&Event::Record(lobby(), Rc::new(entry.into()))), expected);
    }
}

#[test]
fn an_entry_of_a_guest_says_so() {
    let from = Author { id: PersonId::guest(5), name: name("gus") };
    let entry = Entry { from, ..entry(What::Leave) };
    assert_eq!(
        told(&Event::Entry(lobby(), Rc::new(entry))),
        r#"{"type":"entry","room":"lobby","seq":16,"kind":"leave","from":"gus","guest":true,"at":"2026-11-21T02:06:48.123Z"}"#
    );
}

#[test]
fn a_post_that_much_was_made_of() {
    let reaction =
        |emoji, users: &[Name]| Reaction { emoji: Emoji::stored(emoji), users: users.to_vec() };
    let marks = Marks {
        edited: Some(LATER),
        pinned: true,
        reactions: vec![reaction("👍", &[name("ann"), name("bo")]), reaction("🎉", &[name("bo")])],
    };
    let record = Record { entry: entry(What::Post(hi())), marks };
    assert_eq!(
        told(&Event::Record(lobby(), Rc::new(record))),
        format!(
            r#"{{"type":"entry",{ENTRY},"edited":"2026-11-21T02:06:49.000Z","pinned":true,"reactions":[{{"emoji":"👍","users":["ann","bo"]}},{{"emoji":"🎉","users":["bo"]}}]}}"#
        )
    );
}

#[test]
fn reactions_count_for_what_they_are_sent_in() {
    let sent = |reactions: &[Reaction]| {
        let marks = Marks { reactions: reactions.to_vec(), ..Marks::default() };
        let record = Record { entry: entry(What::Post(hi())), marks };
        told(&Event::Record(lobby(), Rc::new(record))).len()
    };
    let names = [name("ann"), name("한국어"), name("bo")];
    let mut reactions = vec![Reaction { emoji: Emoji::stored("👍"), users: vec![name("ann")] }];
    let mut before = sent(&reactions);
    for (count, emoji) in ["🎉", "🏳️‍🌈", "1️⃣"].into_iter().enumerate() {
        let users = names[..=count].to_vec();
        let reaction = Reaction { emoji: Emoji::stored(emoji), users };
        let counted = reaction.bytes();
        reactions.push(reaction);
        let after = sent(&reactions);
        assert_eq!(counted, after - before + 1, "no comma follows the last name");
        before = after;
    }
}

#[test]
fn the_other_events() {
    let (room, from) = (lobby(), name("bo"));
    let presence = |presence| Event::Presence(lobby(), presence);
    let rows = [
        (
            Event::Room(Box::new(team_summary())),
            format!(r#"{{"type":"room",{}"#, &TEAM[1..]),
        ),
        (Event::Pong, r#"{"type":"pong"}"#.to_owned()),
        (
            Event::Profile(Box::new(ann_as_seen())),
            format!(r#"{{"type":"profile","user":{ANN}}}"#),
        ),
        (
            presence(Presence::Names(vec![name("ann"), name("bo")])),
            r#"{"type":"presence","room":"lobby","online":["ann","bo"]}"#.to_owned(),
        ),
        (
            presence(Presence::Names(vec![])),
            r#"{"type":"presence","room":"lobby","online":[]}"#.to_owned(),
        ),
        (
            presence(Presence::Count(523)),
            r#"{"type":"presence","room":"lobby","count":523}"#.to_owned(),
        ),
        (
            presence(Presence::Came(name("bo"))),
            r#"{"type":"presence","room":"lobby","user":"bo","online":true}"#.to_owned(),
        ),
        (
            presence(Presence::Went(name("bo"), Some(AT))),
            r#"{"type":"presence","room":"lobby","user":"bo","online":false,"last_seen":"2026-11-21T02:06:48.123Z"}"#.to_owned(),
        ),
        (
            presence(Presence::Went(name("gus"), None)),
            r#"{"type":"presence","room":"lobby","user":"gus","online":false}"#.to_owned(),
        ),
        (
            Event::Typing { room: room.clone(), from: from.clone(), on: true },
            r#"{"type":"typing","room":"lobby","from":"bo","on":true}"#.to_owned(),
        ),
        (
            Event::Received { room: room.clone(), from: from.clone(), seq: Seq(16) },
            r#"{"type":"received","room":"lobby","from":"bo","seq":16}"#.to_owned(),
        ),
        (
            Event::Read { room: room.clone(), from: from.clone(), seq: Seq(16), left: None },
            r#"{"type":"read","room":"lobby","from":"bo","seq":16}"#.to_owned(),
        ),
        (
            Event::Read { room, from, seq: Seq(16), left: Some(Unread { posts: 2, mentions: 0 }) },
            r#"{"type":"read","room":"lobby","from":"bo","seq":16,"unread":2,"mentions":0}"#.to_owned(),
        ),
    ];
    for (event, expected) in rows {
        assert_eq!(told(&event), expected);
    }
    for (reason, word) in [
        (OutReason::Left, "left"),
        (OutReason::Removed, "removed"),
        (OutReason::Banned, "banned"),
        (OutReason::Gone, "gone"),
    ] {
        let expected = format!(r#"{{"type":"out","room":"lobby","reason":"{word}"}}"#);
        assert_eq!(told(&Event::Out(lobby(), reason)), expected);
    }
}

#[test]
fn rooms_and_roles_have_their_words() {
    let kinds = [
        (RoomKind::Lobby, "lobby"),
        (RoomKind::Open, "open"),
        (RoomKind::Group, "group"),
        (RoomKind::Direct, "direct"),
        (RoomKind::Invite, "invite"),
    ];
    for (kind, word) in kinds {
        let summary = told(&Event::Room(Box::new(RoomSummary { kind, ..lobby_summary() })));
        assert!(summary.contains(&format!(r#","kind":"{word}","#)), "{summary}");
    }
}
