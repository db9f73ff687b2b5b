//! Registering, logging in, changing the password, deleting the account.

use std::collections::BTreeSet;

use super::*;
use crate::daemon::passwords::Password;

#[test]
fn who_registers_is_logged_in() {
    let mut world = World::new();
    let body = credentials("Ann", "correct horse");
    let reply = world.ask("POST", "/api/register", "User-Agent: curl/8\r\n", &body);
    assert_eq!(reply.status, 201);
    assert_eq!(reply.body["user"]["name"], "Ann");
    assert_eq!(reply.body["user"]["guest"], false);
    let token = reply.token();
    let cookie =
        format!("wsrelay_session={token}; HttpOnly; SameSite=Lax; Path=/; Max-Age=7776000");
    assert_eq!(reply.field("Set-Cookie"), Some(&*cookie));
    let me = world.ask_as(&token, "GET", "/api/me", "");
    assert_eq!((me.status, &me.body["user"]["name"]), (200, &"Ann".into()));
    assert_eq!(me.field("Set-Cookie"), None, "programs keep their tokens themselves");
    let field = format!("Cookie: wsrelay_session={token}\r\n");
    let me = world.ask("GET", "/api/me", &field, "");
    assert_eq!((me.status, me.field("Set-Cookie")), (200, Some(&*cookie)), "to last as long");
}

#[test]
fn only_a_free_name_and_a_fit_password_make_an_account() {
    let (mut world, _) = World::with_ann();
    for (name, password, refusal) in [
        ("ann", "correct horse", (409, "name_taken")),
        ("ANN", "correct horse", (409, "name_taken")),
        ("", "correct horse", (400, "bad_name")),
        ("a b", "correct horse", (400, "bad_name")),
        ("system", "correct horse", (400, "bad_name")),
        ("bo", "short", (400, "bad_password")),
        ("annabella", "AnnaBella", (400, "bad_password")),
        ("bo", "tab\tin the middle", (400, "bad_password")),
    ] {
        let reply = world.ask("POST", "/api/register", "", &credentials(name, password));
        assert_eq!((reply.status, reply.code()), refusal, "{name:?} {password:?}");
    }
    world.api.admission.registration = false;
    let reply = world.ask("POST", "/api/register", "", &credentials("bo", "correct horse"));
    assert_eq!((reply.status, reply.code()), (403, "closed"));
}

#[test]
fn two_who_register_one_name_at_once_are_one_account() {
    let mut world = World::new();
    let body = credentials("ann", "correct horse");
    let first = world.begin("POST", "/api/register", "", &body);
    let second = world.begin("POST", "/api/register", "", &body);
    world.settle();
    assert_eq!(world.reply_to(first).unwrap().status, 201);
    assert_eq!(world.reply_to(second).unwrap().status, 409);
}

#[test]
fn a_registration_that_fails_leaves_the_name_free() {
    let mut world = World::new();
    let body = credentials("ann", "correct horse");
    world.store_fails = true;
    let reply = world.ask("POST", "/api/register", "", &body);
    reply.is_refused((503, "unavailable", Some(3)));
    world.store_fails = false;
    let conn = world.begin("POST", "/api/register", "", &body);
    let (ticket, _) = world.jobs.pop_front().unwrap();
    world.turn(|api, turn| api.hashed(ticket, Hashed::Busy, turn));
    world.reply_to(conn).unwrap().is_refused((503, "busy", Some(1)));
    world.register("ann");
}

#[test]
fn an_account_that_could_not_be_opened_can_be_logged_in_to() {
    let mut world = World::new();
    let body = credentials("ann", "correct horse");
    let conn = world.begin("POST", "/api/register", "", &body);
    assert!(world.hash_one() && world.write_one());
    world.store_fails = true;
    world.settle();
    world.reply_to(conn).unwrap().is_refused((503, "registered", Some(3)));
    world.store_fails = false;
    assert_eq!(world.log_in("ann", "correct horse").status, 200);
}

#[test]
fn a_name_and_its_password_log_in() {
    let (mut world, first) = World::with_ann();
    let reply = world.log_in("ANN", "correct horse");
    assert_eq!((reply.status, &reply.body["user"]["name"]), (200, &"ann".into()));
    assert_ne!(reply.token(), first);
    assert!(world.knows(&first) && world.knows(&reply.token()));
}

#[test]
fn an_unknown_name_and_a_wrong_password_are_one() {
    let (mut world, _) = World::with_ann();
    let mut all = Vec::new();
    for (name, password) in [("ann", "wrong horse"), ("bo", "correct horse")] {
        let conn = world.begin("POST", "/api/login", "", &credentials(name, password));
        assert!(matches!(world.jobs[0], (_, Job::Verify { .. })), "the same work for {name}");
        assert!(world.responses.is_empty());
        world.settle();
        let reply = world.reply_to(conn).unwrap();
        assert_eq!(reply.field("WWW-Authenticate"), Some("Bearer"));
        all.push((reply.status, reply.head, reply.body));
    }
    assert_eq!(all[0], all[1]);
    assert_eq!(all[0].0, 401);
    for (name, password) in [("a b", "correct horse"), ("ann", "short"), ("", "")] {
        let reply = world.log_in(name, password);
        assert_eq!((reply.status, reply.head, reply.body), all[0], "{name:?} {password:?}");
    }
}

#[test]
fn the_rates_are_the_same_whether_there_is_an_account_or_not() {
    for name in ["ann", "bo"] {
        let (mut world, _) = World::with_ann();
        for _ in 0..10 {
            assert_eq!(world.log_in(name, "wrong horse").status, 401);
        }
        let refused = world.log_in(&name.to_uppercase(), "correct horse");
        refused.is_refused((429, "slow_down", Some(6)));
        assert_eq!(world.log_in("carl", "wrong horse").status, 401, "each name for itself");
        world.pass_ms(6_000);
        assert_eq!(world.log_in(name, "wrong horse").status, 401);
        assert_eq!(world.log_in(name, "wrong horse").status, 429);
    }
}

#[test]
fn right_passwords_are_not_counted() {
    let (mut world, _) = World::with_ann();
    for _ in 0..30 {
        assert_eq!(world.log_in("ann", "correct horse").status, 200);
    }
}

#[test]
fn one_address_is_slowed_down_whatever_names_it_tries() {
    let mut world = World::new();
    for n in 0..60 {
        assert_eq!(world.log_in(&format!("n{n}"), "wrong horse").status, 401);
    }
    world.log_in("n60", "wrong horse").is_refused((429, "slow_down", Some(1)));
    let body = credentials("ann", "correct horse");
    assert_eq!(world.ask("POST", "/api/register", "", &body).status, 429);
    assert_eq!(world.ask("POST", "/api/guest", "", "").status, 429);
    world.address = "192.0.2.2";
    let ann = world.register("ann");
    for _ in 1..60 {
        assert_eq!(world.ask_as(&ann, "PATCH", "/api/me", r#"{"hue":7}"#).status, 200);
    }
    assert_eq!(world.ask_as(&ann, "PATCH", "/api/me", r#"{"hue":7}"#).status, 429);
    assert_eq!(world.ask_as(&ann, "DELETE", "/api/sessions/others", "").status, 429);
    assert_eq!(world.ask_as(&ann, "DELETE", "/api/sessions/1", "").status, 429);
    world.address = "192.0.2.3";
    assert_eq!(world.log_in("n60", "wrong horse").status, 401);
}

#[test]
fn those_who_try_too_often_are_told_to_come_back_apart() {
    let (mut world, _) = World::with_ann();
    for _ in 0..10 {
        assert_eq!(world.log_in("ann", "wrong horse").status, 401);
    }
    let mut when = BTreeSet::new();
    for _ in 0..40 {
        let refused = world.log_in("ann", "wrong horse");
        refused.is_refused((429, "slow_down", Some(6)));
        when.insert(refused.field("Retry-After").unwrap().to_owned());
    }
    assert!(when.len() > 1, "all at once: {when:?}");
}

#[test]
fn a_storm_is_told_to_come_back() {
    let mut world = World::new();
    world.address = "127.0.0.1";
    for n in 0..2 * JOBS_MAX {
        world.begin("POST", "/api/login", "", &credentials(&format!("n{n}"), "wrong horse"));
    }
    // What the daemon does with those that the password thread does not take on.
    for (ticket, _) in world.jobs.split_off(JOBS_MAX) {
        world.turn(|api, turn| api.hashed(ticket, Hashed::Busy, turn));
    }
    assert_eq!(world.responses.len(), JOBS_MAX);
    for (_, response) in std::mem::take(&mut world.responses) {
        Told::of(&response).is_refused((503, "busy", Some(1)));
    }
    world.settle();
    assert_eq!(world.responses.len(), JOBS_MAX);
}

#[test]
fn a_new_password_ends_every_other_log_in() {
    let (mut world, ann) = World::with_ann();
    let other = world.log_in("ann", "correct horse").token();
    let body = r#"{"old":"correct horse","new":"battery staple"}"#;
    let reply = world.ask_as(&ann, "POST", "/api/password", body);
    assert_eq!((reply.status, reply.head.contains("Set-Cookie")), (204, false));
    assert!(world.knows(&ann) && !world.knows(&other));
    assert_eq!(world.logged_out.len(), 1);
    assert_eq!(world.log_in("ann", "correct horse").status, 401);
    assert_eq!(world.log_in("ann", "battery staple").status, 200);
}

/// Were they two, a crash in between would leave a thief's log-in open behind a changed password.
#[test]
fn a_new_password_and_the_end_of_the_others_are_one_write() {
    let (mut world, ann) = World::with_ann();
    let body = r#"{"old":"correct horse","new":"battery staple"}"#;
    let conn = world.begin_as(&ann, "POST", "/api/password", body);
    while world.hash_one() {}
    let [(_, AccountWrite::SetPassword { except: Some(SessionNo(101)), .. })] =
        world.writes.make_contiguous()
    else {
        panic!("{:?}", world.writes)
    };
    world.write_one();
    assert!(world.writes.is_empty() && world.reply_to(conn).is_some());
}

#[test]
fn a_new_password_needs_the_old_one() {
    let (mut world, ann) = World::with_ann();
    for (body, refusal) in [
        (r#"{"old":"wrong horse","new":"battery staple"}"#, (403, "wrong_password")),
        (r#"{"old":"","new":"battery staple"}"#, (403, "wrong_password")),
        (r#"{"old":"correct horse","new":"short"}"#, (400, "bad_password")),
    ] {
        let reply = world.ask_as(&ann, "POST", "/api/password", body);
        assert_eq!((reply.status, reply.code()), refusal, "{body}");
    }
    let body = r#"{"old":"correct horse","new":"battery staple"}"#;
    assert_eq!(world.ask("POST", "/api/password", "", body).code(), "not_logged_in");
    for _ in 0..9 {
        world.ask_as(&ann, "POST", "/api/password", r#"{"old":"wrong ho","new":"long enough"}"#);
    }
    assert_eq!(world.ask_as(&ann, "POST", "/api/password", body).status, 429, "guessing, too");
}

#[test]
fn a_new_password_that_cannot_be_stored_does_not_count() {
    let (mut world, ann) = World::with_ann();
    world.store_fails = true;
    let body = r#"{"old":"correct horse","new":"battery staple"}"#;
    let reply = world.ask_as(&ann, "POST", "/api/password", body);
    reply.is_refused((503, "unavailable", Some(3)));
    world.store_fails = false;
    assert_eq!(world.log_in("ann", "battery staple").status, 401);
    assert_eq!(world.log_in("ann", "correct horse").status, 200);
}

/// A thief who knows the old password logs in while its owner changes it: at no moment does the log-in outlive the change.
#[test]
fn no_log_in_slips_past_a_change_of_the_password() {
    let change = r#"{"old":"correct horse","new":"battery staple"}"#;
    for steps_before in 0..=4 {
        for steps_between in 0..=4 {
            let (mut world, ann) = World::with_ann();
            let owner = world.begin_as(&ann, "POST", "/api/password", change);
            let step =
                |world: &mut World, n: usize| (0..n).all(|_| world.hash_one() || world.write_one());
            step(&mut world, steps_before);
            let body = credentials("ann", "correct horse");
            let thief = world.begin("POST", "/api/login", "", &body);
            step(&mut world, steps_between);
            world.settle();
            assert_eq!(world.reply_to(owner).unwrap().status, 204);
            let reply = world.reply_to(thief).unwrap();
            let let_in = reply.status == 200 && world.knows(&reply.token());
            assert!(!let_in, "after {steps_before} and {steps_between} steps");
        }
    }
}

#[test]
fn a_deleted_account_is_gone_with_its_log_ins() {
    let (mut world, ann) = World::with_ann();
    let other = world.log_in("ann", "correct horse").token();
    let wrong = world.ask_as(&ann, "DELETE", "/api/me", r#"{"password":"wrong horse"}"#);
    assert_eq!((wrong.status, wrong.code()), (403, "wrong_password"));
    let reply = world.ask_as(&ann, "DELETE", "/api/me", r#"{"password":"correct horse"}"#);
    assert_eq!(reply.status, 204);
    assert!(reply.field("Set-Cookie").unwrap().contains("Max-Age=0"));
    assert!(!world.knows(&ann) && !world.knows(&other));
    assert_eq!(world.logged_out.len(), 2);
    assert_eq!(world.log_in("ann", "correct horse").status, 401);
    let again = world.ask("POST", "/api/register", "", &credentials("ann", "correct horse"));
    assert_eq!(again.status, 409, "the name stays taken");
}

#[test]
fn no_log_in_slips_past_a_deletion() {
    let (mut world, ann) = World::with_ann();
    let body = r#"{"password":"correct horse"}"#;
    let delete = world.begin_as(&ann, "DELETE", "/api/me", body);
    let thief = world.begin("POST", "/api/login", "", &credentials("ann", "correct horse"));
    world.settle();
    assert_eq!(world.reply_to(delete).unwrap().status, 204);
    assert_eq!(world.reply_to(thief).unwrap().status, 401);
}

#[test]
fn a_profile_is_changed_field_by_field() {
    let (mut world, ann) = World::with_ann();
    let shown =
        |reply: &Told| (reply.body["user"]["display"].clone(), reply.body["user"]["hue"].clone());
    let set = world.ask_as(&ann, "PATCH", "/api/me", r#"{"display":" Ann  of Kent","hue":7}"#);
    assert_eq!((set.status, shown(&set)), (200, ("Ann of Kent".into(), 7.into())));
    let cleared = world.ask_as(&ann, "PATCH", "/api/me", r#"{"display":null}"#);
    assert_eq!(shown(&cleared), (Value::Null, 7.into()));
    for (body, code) in [(r#"{"hue":360}"#, "bad_field"), (r#"{"display":""}"#, "bad_name")] {
        assert_eq!(world.ask_as(&ann, "PATCH", "/api/me", body).code(), code);
    }
    world.register("bo");
    let taken = world.ask_as(&ann, "PATCH", "/api/me", r#"{"display":"Bo"}"#);
    assert_eq!((taken.status, taken.code()), (409, "name_taken"));
    let me = world.ask_as(&ann, "GET", "/api/me", "");
    assert_eq!(shown(&me), (Value::Null, 7.into()));
}

#[test]
fn a_profile_that_cannot_be_stored_is_taken_back() {
    let (mut world, ann) = World::with_ann();
    world.store_fails = true;
    assert_eq!(world.ask_as(&ann, "PATCH", "/api/me", r#"{"hue":7}"#).status, 503);
    world.store_fails = false;
    let me = world.ask_as(&ann, "GET", "/api/me", "");
    assert_eq!(me.body["user"]["hue"], Value::Null);
}

#[test]
fn of_two_profiles_that_cannot_be_stored_neither_stays() {
    let (mut world, ann) = World::with_ann();
    assert_eq!(world.ask_as(&ann, "PATCH", "/api/me", r#"{"hue":1}"#).status, 200);
    world.store_fails = true;
    let waiting =
        [r#"{"hue":2}"#, r#"{"hue":3}"#].map(|body| world.begin_as(&ann, "PATCH", "/api/me", body));
    world.settle();
    for conn in waiting {
        assert_eq!(world.reply_to(conn).unwrap().status, 503);
    }
    let me = world.ask_as(&ann, "GET", "/api/me", "");
    assert_eq!(me.body["user"]["hue"], 1);
}

/// Three changes at once, to all hues of two and with all outcomes; of the last one also that no queue takes it.
#[test]
fn whatever_becomes_of_profiles_under_way_what_is_stored_is_shown() {
    for case in 0..128_u32 {
        let bit = |no: u32| case >> no & 1;
        let (mut world, ann) = World::with_ann();
        assert_eq!(world.ask_as(&ann, "PATCH", "/api/me", r#"{"hue":0}"#).status, 200);
        let hues = [0, 1, 2].map(bit);
        for hue in hues {
            world.begin_as(&ann, "PATCH", "/api/me", &format!(r#"{{"hue":{hue}}}"#));
        }
        let mut order = vec![0, 1, 2];
        if bit(6) == 1 {
            order.rotate_right(1);
            world.writes.rotate_right(1);
        }
        let mut stored = 0;
        for no in order {
            world.store_fails = bit(3 + no) == 1 || (no == 2 && bit(6) == 1);
            assert!(world.write_one());
            if !world.store_fails {
                stored = hues[no as usize];
            }
        }
        let me = world.ask_as(&ann, "GET", "/api/me", "");
        assert_eq!(me.body["user"]["hue"], stored, "case {case}");
    }
}

#[test]
fn a_dated_hash_is_renewed_behind_a_log_in() {
    let password = Password::typed("correct horse").unwrap();
    let Hashed::Hash(phc) = Job::Hash(password).done_with(2 * HASH_KIB) else { panic!("no hash") };
    let (person, name) = (PersonId(5), chat::Name::stored("ann"));
    let ann = StoredAccount { person, name, phc: Some(phc.text().clone()) };
    let mut world = World::restored(vec![ann], &[]);
    let conn = world.begin("POST", "/api/login", "", &credentials("ann", "correct horse"));
    world.hash_one();
    let Some((_, AccountWrite::RenewHash { person: PersonId(5), phc: renewed })) =
        world.writes.front()
    else {
        panic!("{:?}", world.writes)
    };
    assert!(renewed.starts_with("$argon2id$v=19$m=8,t=1,p=1$"), "{renewed}");
    world.settle();
    assert_eq!(world.reply_to(conn).unwrap().status, 200);
    world.begin("POST", "/api/login", "", &credentials("ann", "correct horse"));
    world.hash_one();
    assert!(matches!(world.writes.front(), Some((_, AccountWrite::OpenSession { .. }))));
    world.settle();
}
