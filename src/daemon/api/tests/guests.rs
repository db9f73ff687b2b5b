//! Guests, who have no account.

use super::*;
use crate::daemon::tokens::GUEST_TOKEN_MS;

fn guest(world: &mut World, fields: &str, body: &str) -> Told {
    world.ask("POST", "/api/guest", fields, body)
}

#[test]
fn a_guest_comes_back_as_the_same_until_the_token_is_over() {
    let mut world = World::new();
    let first = guest(&mut world, "", r#"{"name":"ann"}"#);
    assert_eq!((first.status, &first.body["user"]["guest"]), (200, &true.into()));
    let cookie = first.field("Set-Cookie").unwrap();
    assert!(cookie.ends_with("Max-Age=2592000"), "{cookie}");
    let field = format!("Cookie: wsrelay_session={}\r\n", first.token());
    for body in ["", "{}", r#"{"name":"ann"}"#] {
        let again = guest(&mut world, &field, body);
        assert_eq!(again.body["user"], first.body["user"], "{body}");
    }
    let me = world.ask("GET", "/api/me", &field, "");
    assert_eq!(me.body["user"], first.body["user"]);
    world.pass_ms(GUEST_TOKEN_MS / 2);
    let renewed = guest(&mut world, &field, "").token();
    world.pass_ms(GUEST_TOKEN_MS / 2);
    assert!(!world.knows(&first.token()) && world.knows(&renewed));
}

#[test]
fn another_name_is_another_guest() {
    let mut world = World::new();
    let ann = guest(&mut world, "", r#"{"name":"ann"}"#);
    let field = format!("Cookie: wsrelay_session={}\r\n", ann.token());
    let bo = guest(&mut world, &field, r#"{"name":"bo"}"#);
    assert_ne!(bo.body["user"]["id"], ann.body["user"]["id"]);
}

#[test]
fn a_guest_without_a_name_is_given_one() {
    let mut world = World::new();
    let names = [(); 3].map(|()| guest(&mut world, "", "").body["user"]["name"].clone());
    assert!(names[0] != names[1] && names[1] != names[2]);
    for name in names {
        let name = name.as_str().unwrap();
        assert!(name.starts_with("guest-") && chat::Name::parse(name).is_ok(), "{name}");
    }
}

#[test]
fn a_taken_name_is_no_guests() {
    let (mut world, ann) = World::with_ann();
    guest(&mut world, "", r#"{"name":"bo"}"#);
    for (body, refusal) in [
        (r#"{"name":"ann"}"#, (409, "name_taken")),
        (r#"{"name":"Ann"}"#, (409, "name_taken")),
        (r#"{"name":"bo"}"#, (409, "name_taken")),
        (r#"{"name":"a b"}"#, (400, "bad_name")),
    ] {
        let reply = guest(&mut world, "", body);
        assert_eq!((reply.status, reply.code()), refusal, "{body}");
    }
    let reply = world.ask_as(&ann, "POST", "/api/guest", "");
    assert_eq!((reply.status, reply.code()), (409, "logged_in"), "no log-in is lost by it");
}

#[test]
fn a_guest_has_no_account() {
    let mut world = World::new();
    let token = guest(&mut world, "", "").token();
    for (method, path, body) in [
        ("GET", "/api/sessions", ""),
        ("GET", "/api/rooms", ""),
        ("PATCH", "/api/me", "{}"),
        ("DELETE", "/api/me", r#"{"password":"correct horse"}"#),
        ("POST", "/api/password", r#"{"old":"correct horse","new":"battery staple"}"#),
    ] {
        let reply = world.ask_as(&token, method, path, body);
        assert_eq!((reply.status, reply.code()), (401, "not_logged_in"), "{method} {path}");
    }
    let reply = world.ask_as(&token, "POST", "/api/logout", "");
    assert!(reply.status == 204 && reply.field("Set-Cookie").is_some());
}

#[test]
fn guests_are_let_in_only_where_they_are_wanted() {
    let mut world = World::new();
    let token = guest(&mut world, "", "").token();
    world.api.admission.guests = false;
    let reply = guest(&mut world, "", "");
    assert_eq!((reply.status, reply.code()), (403, "no_guests"));
    let known = world.turn(|api, turn| api.who_is(&token, turn));
    assert_eq!(known, Err(Unknown::Guest(Refusal::GuestsNot)));
}

#[test]
fn where_guests_are_as_many_as_can_be_a_good_token_is_not_called_a_bad_one() {
    let mut world = World::new();
    let limits = Limits { guests_max: 1, ..Limits::default() };
    let restored = Restored { people: Vec::new(), rooms: vec![lobby()] };
    let token = guest(&mut world, "", "").token();
    world.chat = Chat::new(limits, restored);
    let (now, ann) = (world.now, PersonId::guest(1));
    world.chat.guest(chat::Name::stored("ann"), ann, now, &mut Vec::new()).unwrap();
    world.chat.connect(chat::SessionId(1), ann, now, &mut Vec::new()).unwrap();
    for reply in [guest(&mut world, "", ""), world.ask_as(&token, "GET", "/api/me", "")] {
        assert_eq!((reply.status, reply.code()), (503, "full"));
        assert!(reply.field("Retry-After").is_some());
    }
}

/// The chat's part of it is told by its own scripts.
#[test]
fn a_guest_registers_the_own_name_and_nobody_elses() {
    let mut world = World::new();
    let [gus, hal] =
        [r#"{"name":"gus"}"#, r#"{"name":"hal"}"#].map(|body| guest(&mut world, "", body).token());
    let body = credentials("Gus", "correct horse");
    world.ask("POST", "/api/register", "", &body).is_refused((409, "name_taken", None));
    assert_eq!(world.ask_as(&hal, "POST", "/api/register", &body).code(), "name_taken");
    world.store_fails = true;
    assert_eq!(world.ask_as(&gus, "POST", "/api/register", &body).code(), "unavailable");
    world.store_fails = false;
    assert!(world.knows(&gus), "nothing has changed");
    let cookie = format!("Cookie: wsrelay_session={gus}\r\n");
    let reply = world.ask("POST", "/api/register", &cookie, &body);
    assert_eq!((reply.status, &reply.body["user"]["name"]), (201, &"Gus".into()));
    assert!(reply.field("Set-Cookie").unwrap().contains(&reply.token()));
    assert!(world.knows(&reply.token()) && !world.knows(&gus));
    assert!(world.knows(&hal));
}
