//! What is asked of the chat.

use super::*;

#[test]
fn rooms_are_told_to_who_has_an_account() {
    let (mut world, ann) = World::with_ann();
    let reply = world.ask_as(&ann, "GET", "/api/rooms", "");
    assert_eq!(reply.status, 200);
    assert!(reply.body["rooms"].is_array() && reply.body["open"].is_array(), "{reply:?}");
}

#[test]
fn anybody_can_begin_an_invite_room() {
    let (mut world, ann) = World::with_ann();
    let body = r#"{"kind":"invite"}"#;
    let guest = world.ask("POST", "/api/guest", "", "").token();
    for fields in [
        String::new(),
        format!("Authorization: Bearer {ann}\r\n"),
        format!("Cookie: wsrelay_session={guest}\r\n"),
    ] {
        let reply = world.ask("POST", "/api/rooms", &fields, body);
        assert_eq!(reply.status, 201, "{fields}");
        assert!(reply.body["room"].as_str().unwrap().starts_with('~'));
    }
}

#[test]
fn other_rooms_need_an_account_and_a_name() {
    let mut world = World::new();
    for (body, refusal) in [
        (r#"{"kind":"open","name":"tea"}"#, (401, "not_logged_in")),
        (r#"{"kind":"group","name":"Tea"}"#, (401, "not_logged_in")),
        (r#"{"kind":"open"}"#, (400, "bad_field")),
        (r#"{"kind":"group"}"#, (400, "bad_field")),
        (r#"{"kind":"group","name":" "}"#, (400, "bad_field")),
        (r#"{"kind":"invite","name":"\u0000"}"#, (400, "bad_field")),
        (r#"{"kind":"open","name":"a b"}"#, (400, "bad_name")),
        (r#"{"kind":"open","name":"~AAAAAAAAAAAAAAAAAAAAAA"}"#, (400, "bad_field")),
        (r#"{"kind":"direct","name":"bo"}"#, (400, "bad_json")),
    ] {
        let reply = world.ask("POST", "/api/rooms", "", body);
        assert_eq!((reply.status, reply.code()), refusal, "{body}");
    }
}

#[test]
fn a_room_that_one_may_not_know_is_none() {
    let (mut world, ann) = World::with_ann();
    let secret = "/api/rooms/~AAAAAAAAAAAAAAAAAAAAAA/members";
    for path in [secret, "/api/rooms/~x/members", "/api/rooms/a%20b/members"] {
        let reply = world.ask_as(&ann, "GET", path, "");
        assert_eq!((reply.status, reply.code()), (404, "no_room"), "{path}");
    }
    for query in ["limit=0", "limit=201", "limit=x", "limit=-1", "after=a%20b"] {
        let path = format!("/api/rooms/lobby/members?{query}");
        assert_eq!(world.ask_as(&ann, "GET", &path, "").status, 400, "{query}");
    }
}

#[test]
fn what_the_chat_refuses_has_a_status() {
    let mut world = World::new();
    for (refusal, expected) in [
        (Refusal::NoRoom, (404, "no_room", None)),
        (Refusal::NotMember, (403, "not_member", None)),
        (Refusal::NameTaken, (409, "name_taken", None)),
        (Refusal::Rate { after_ms: 1 }, (429, "rate", Some(1))),
        (Refusal::Busy { after_ms: 1_001 }, (503, "busy", Some(2))),
        (Refusal::Corrupt, (500, "corrupt", None)),
    ] {
        let conn = ConnId::imagined(1);
        let call = world.api.later(Asker { conn, address: None, secure: false });
        let mut effects = Vec::new();
        world.api.answered(call, Err(refusal), &mut effects);
        world.api.answered(call, Err(refusal), &mut effects);
        assert_eq!(effects.len(), 1, "once");
        world.take_in(effects, Vec::new());
        world.reply_to(conn).unwrap().is_refused(expected);
    }
}
