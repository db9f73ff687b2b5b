//! Tokens, and the log-ins that they stand for.

use super::*;
use crate::daemon::tokens::AccountToken;

const DAY_MS: u64 = 24 * 3_600 * 1_000;

/// One log-in as the list shows it: its id, its label, and whether it is the one that asks.
fn listed(world: &mut World, token: &str) -> Vec<(String, String, bool)> {
    let reply = world.ask_as(token, "GET", "/api/sessions", "");
    assert_eq!(reply.status, 200);
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let all = reply.body["sessions"].as_array().unwrap().iter();
    all.map(|s| (text(&s["id"]), text(&s["label"]), s["current"].as_bool().unwrap())).collect()
}

fn logged_in_with(world: &mut World, user_agent: &str) -> String {
    let field = format!("User-Agent: {user_agent}\r\n");
    world.ask("POST", "/api/login", &field, &credentials("ann", "correct horse")).token()
}

/// Opens a connection by a token.
fn connected(world: &mut World, token: &str) -> LogIn {
    world.turn(|api, turn| match api.who_is(token, turn) {
        Ok(Identity::Account(log_in, _)) => {
            api.came(log_in);
            log_in
        }
        other => panic!("{other:?}"),
    })
}

#[test]
fn nobody_is_known_without_a_good_token() {
    let (mut world, ann) = World::with_ann();
    let stranger = AccountToken::new([0; 32]);
    for (fields, code) in [
        (String::new(), "not_logged_in"),
        ("Cookie: wsrelay_session=\r\n".to_owned(), "not_logged_in"),
        (format!("Cookie: wsrelay_session={}\r\n", stranger.as_str()), "not_logged_in"),
        (format!("Cookie: wsrelay_session={ann}x\r\n"), "not_logged_in"),
        (format!("Authorization: Bearer {}\r\n", stranger.as_str()), "bad_token"),
        ("Authorization: Bearer \r\n".to_owned(), "bad_token"),
        (format!("Authorization: Basic {ann}\r\n"), "bad_token"),
        (format!("Authorization: Bearer x\r\nCookie: wsrelay_session={ann}\r\n"), "bad_token"),
    ] {
        for path in ["/api/me", "/api/sessions", "/api/rooms", "/api/rooms/lobby/members"] {
            let reply = world.ask("GET", path, &fields, "");
            assert_eq!((reply.status, reply.code()), (401, code), "{path} {fields}");
            assert_eq!(reply.field("WWW-Authenticate"), Some("Bearer"));
        }
    }
}

#[test]
fn the_cookie_is_secure_for_who_comes_over_tls() {
    let (mut world, _) = World::with_ann();
    for secure in [false, true] {
        world.secure = secure;
        let cookie = |told: &Told| told.field("Set-Cookie").map(|set| set.ends_with("; Secure"));
        let logged_in = world.ask("POST", "/api/login", "", &credentials("ann", "correct horse"));
        assert_eq!(cookie(&logged_in), Some(secure));
        let shown = format!("Cookie: wsrelay_session={}\r\n", logged_in.token());
        assert_eq!(cookie(&world.ask("GET", "/api/me", &shown, "")), Some(secure), "set anew");
        assert_eq!(cookie(&world.ask("POST", "/api/guest", "", "")), Some(secure));
        assert_eq!(cookie(&world.ask("POST", "/api/logout", &shown, "")), Some(secure));
    }
}

#[test]
fn a_cookie_is_not_enough_for_another_sites_page() {
    let (mut world, ann) = World::with_ann();
    let fields = format!("Cookie: wsrelay_session={ann}\r\nOrigin: http://evil.example\r\n");
    assert_eq!(world.ask("POST", "/api/logout", &fields, "").code(), "foreign_origin");
    assert!(world.knows(&ann));
    let fields = format!("Cookie: wsrelay_session={ann}\r\nOrigin: http://h\r\n");
    assert_eq!(world.ask("POST", "/api/logout", &fields, "").status, 204);
    assert!(!world.knows(&ann));
}

#[test]
fn who_logs_out_is_gone_and_the_others_stay() {
    let (mut world, ann) = World::with_ann();
    let other = logged_in_with(&mut world, "curl/8");
    let reply = world.ask_as(&ann, "POST", "/api/logout", "");
    assert_eq!(reply.status, 204);
    assert!(reply.field("Set-Cookie").unwrap().starts_with("wsrelay_session=; "));
    assert!(!world.knows(&ann) && world.knows(&other));
    assert_eq!(world.logged_out.len(), 1, "its sockets are closed");
    for token in [&*ann, "nonsense"] {
        let again = world.ask_as(token, "POST", "/api/logout", "");
        assert_eq!((again.status, again.field("Set-Cookie").is_some()), (204, true));
    }
}

#[test]
fn a_log_out_that_cannot_be_stored_is_none() {
    let (mut world, ann) = World::with_ann();
    world.store_fails = true;
    assert_eq!(world.ask_as(&ann, "POST", "/api/logout", "").status, 503);
    assert!(world.knows(&ann) && world.logged_out.is_empty());
}

#[test]
fn log_ins_are_listed_and_ended_one_by_one() {
    let (mut world, ann) = World::with_ann();
    let curl = logged_in_with(&mut world, "curl/8");
    let bo = world.register("bo");
    let all = listed(&mut world, &ann);
    let shown: Vec<_> = all.iter().map(|(_, label, current)| (&**label, *current)).collect();
    assert_eq!(shown, [("Unknown program", true), ("curl/8", false)]);
    let path = format!("/api/sessions/{}", all[1].0);
    let by_bo = world.ask_as(&bo, "DELETE", &path, "");
    assert_eq!((by_bo.status, by_bo.code()), (404, "no_session"), "nobody else's");
    let reply = world.ask_as(&ann, "DELETE", &path, "");
    assert_eq!((reply.status, reply.field("Set-Cookie")), (204, None));
    assert!(world.knows(&ann) && !world.knows(&curl));
    assert_eq!(world.ask_as(&ann, "DELETE", &path, "").status, 404, "gone already");
    let own = format!("/api/sessions/{}", all[0].0);
    let reply = world.ask_as(&ann, "DELETE", &own, "");
    assert!(reply.status == 204 && reply.field("Set-Cookie").is_some(), "as by logging out");
    assert!(!world.knows(&ann) && world.knows(&bo));
}

#[test]
fn all_others_are_ended_at_once() {
    let (mut world, ann) = World::with_ann();
    let others = [logged_in_with(&mut world, "a"), logged_in_with(&mut world, "b")];
    let bo = world.register("bo");
    assert_eq!(world.ask_as(&ann, "DELETE", "/api/sessions/others", "").status, 204);
    assert!(world.knows(&ann) && world.knows(&bo));
    assert!(others.iter().all(|token| !world.knows(token)));
    assert_eq!(world.logged_out.len(), 2);
    assert_eq!(listed(&mut world, &ann).len(), 1);
}

#[test]
fn an_account_keeps_32_log_ins_and_the_longest_unused_goes() {
    let (mut world, ann) = World::with_ann();
    world.pass_ms(DAY_MS);
    let tokens: Vec<_> = (0..31).map(|_| logged_in_with(&mut world, "x")).collect();
    assert!(world.knows(&ann), "and it was used since");
    world.pass_ms(DAY_MS);
    assert!(world.knows(&ann) && tokens[1..].iter().all(|token| world.knows(token)));
    assert!(world.logged_out.is_empty());
    let next = logged_in_with(&mut world, "x");
    assert!(world.knows(&ann) && world.knows(&next) && !world.knows(&tokens[0]));
    assert_eq!((listed(&mut world, &ann).len(), world.logged_out.len()), (32, 1));
}

#[test]
fn who_was_there_a_moment_ago_does_not_give_way() {
    let (mut world, ann) = World::with_ann();
    let tokens: Vec<_> = (0..31).map(|_| logged_in_with(&mut world, "x")).collect();
    world.pass_ms(1);
    assert!(world.knows(&ann));
    world.pass_ms(1);
    let next = logged_in_with(&mut world, "x");
    assert!(world.knows(&ann) && world.knows(&next) && !world.knows(&tokens[0]));
}

#[test]
fn who_is_connected_does_not_give_way() {
    let (mut world, ann) = World::with_ann();
    let log_in = connected(&mut world, &ann);
    world.pass_ms(DAY_MS);
    let tokens: Vec<_> = (0..31).map(|_| logged_in_with(&mut world, "x")).collect();
    let next = logged_in_with(&mut world, "x");
    assert!(!world.logged_out.contains(&log_in) && !world.knows(&tokens[0]));
    // Where all are, the one who has been for the longest does, and not who has just come.
    for token in tokens[1..].iter().chain([&next]) {
        connected(&mut world, token);
        world.pass_ms(1);
    }
    let last = logged_in_with(&mut world, "x");
    assert!(world.logged_out.contains(&log_in) && world.knows(&last));
}

#[test]
fn a_log_in_is_over_90_days_after_its_last_use() {
    let (mut world, ann) = World::with_ann();
    world.pass_ms(89 * DAY_MS);
    assert!(world.knows(&ann));
    world.pass_ms(89 * DAY_MS);
    assert!(world.knows(&ann), "since it was used");
    world.pass_ms(90 * DAY_MS);
    assert!(!world.knows(&ann));
    assert_eq!(world.logged_out.len(), 1);
}

#[test]
fn a_connection_uses_its_log_in_until_it_goes() {
    let (mut world, ann) = World::with_ann();
    let log_in = connected(&mut world, &ann);
    world.pass_ms(100 * DAY_MS);
    assert!(world.knows(&ann), "while it is there");
    world.pass_ms(100 * DAY_MS);
    world.turn(|api, turn| api.went(log_in, turn));
    assert_eq!(world.writes.len(), 1, "and it is stored");
    world.settle();
    world.pass_ms(89 * DAY_MS);
    assert!(world.knows(&ann));
    connected(&mut world, &ann);
    world.ask_as(&ann, "POST", "/api/logout", "");
    world.turn(|api, turn| api.went(log_in, turn));
    assert!(world.writes.is_empty(), "one that has ended is not used");
}

#[test]
fn a_use_is_stored_once_a_day() {
    let (mut world, ann) = World::with_ann();
    let stored = |world: &mut World| {
        world.turn(|api, turn| api.who_is(&ann, turn).unwrap());
        let writes = world.writes.len();
        world.settle();
        writes
    };
    assert_eq!(stored(&mut world), 0);
    world.pass_ms(DAY_MS);
    assert_eq!(stored(&mut world), 1);
    assert_eq!(stored(&mut world), 0);
}

#[test]
fn log_ins_outlive_a_restart_unless_they_are_over() {
    let tokens = [1, 2].map(|n| AccountToken::new([n; 32]));
    let last_used = [1_800_000_000_000 - DAY_MS, 1_800_000_000_000 - 90 * DAY_MS];
    let sessions: Vec<_> = std::iter::zip(&tokens, last_used)
        .zip(1..)
        .map(|((token, last_used), no)| StoredSession {
            no: SessionNo(no),
            person: PersonId(5),
            token_sha256: token.digest().0,
            created: UnixMs(0),
            last_used: UnixMs(last_used),
            label: "x".into(),
        })
        .collect();
    let ann = StoredAccount {
        person: PersonId(5),
        name: chat::Name::stored("ann"),
        phc: Some("".into()),
    };
    let mut world = World::restored(vec![ann], &sessions);
    let forgotten = world.writes.iter().map(|(_, write)| write);
    assert!(forgotten.eq([&AccountWrite::CloseSession { no: SessionNo(2) }]));
    world.settle();
    assert!(world.knows(tokens[0].as_str()) && !world.knows(tokens[1].as_str()));
}

/// The wall's clock is wrong for a while, by years, one way or the other.
#[test]
fn a_clock_that_jumps_and_comes_back_ends_no_log_in() {
    let (mut world, ann) = World::with_ann();
    let guest = world.ask("POST", "/api/guest", "", "").token();
    let is_known =
        |world: &mut World, token: &str| world.turn(|api, turn| api.who_is(token, turn).is_ok());
    let right = world.now.unix;
    for wrong in [right.0 + 1_000 * DAY_MS, right.0 - 1_000 * DAY_MS] {
        world.now.unix = UnixMs(wrong);
        assert!(is_known(&mut world, &ann) && is_known(&mut world, &guest), "{wrong}");
        let begun_meanwhile = logged_in_with(&mut world, "x");
        let guest_meanwhile = world.ask("POST", "/api/guest", "", "").token();
        world.now.unix = right;
        for token in [&ann, &guest, &begun_meanwhile, &guest_meanwhile] {
            assert!(is_known(&mut world, token), "{wrong}");
        }
    }
}
