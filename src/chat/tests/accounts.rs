//! Accounts and guests come to be known, and go.

use super::script::{Runner, run, run_empty, run_unlimited, run_with};
use super::world::World;
use crate::chat::limits::MEMBERS_MAX;
use crate::chat::*;

#[test]
fn the_first_account_of_all_owns_the_lobby() {
    run_empty(
        r#"
        guest gus
        gus  join lobby
        accounts ana        -> gus: lobby#1 ana role ana owner
        accounts bo         -> nothing
        ana  mute lobby bo 5 -> ana: ok lobby#2
                             | gus: lobby#2 ana mute bo
    "#,
    );
}

#[test]
fn the_first_account_is_made_the_owner_even_if_that_fails_at_first() {
    run_empty(
        r#"
        log  fails
        accounts ana
        accounts bo
        ana  pin lobby 1       -> ana: err not_allowed
        log  works
        wait 700
        ana  pin lobby 1       -> ana: err no_post
        bo   pin lobby 1       -> bo: err not_allowed
    "#,
    );
}

#[test]
fn a_session_is_welcomed_with_what_is_its_persons() {
    run(r#"
        accounts ana
        guest gus
        ana   create open den
        show  welcome
        ana.2 connect  -> ana.2: welcome ana [lobby, den]
        gus.2 connect  -> gus.2: welcome gus [lobby]
    "#);
}

#[test]
fn a_person_has_so_many_sessions_and_no_more() {
    let mut script = String::from("accounts ana\n");
    (2..=32).for_each(|n| script += &format!("ana.{n} connect -> nothing\n"));
    script += "ana.33 connect -> ana.33: turned away: err too_many\nana.7 gone\nana.33 connect -> nothing\n";
    run(&script);
}

#[test]
fn who_logs_out_is_sent_nothing_more_and_asks_for_nothing() {
    run(r#"
        accounts ana bo
        ana.2 connect
        ana   join lobby
        logout ana          -> ana: closed LoggedOut
        ana   ping          -> nothing
        logout ana          -> nothing
        ana   gone
        ana.2 ping          -> ana.2: pong
    "#);
}

#[test]
fn a_deleted_account_leaves_its_rooms_and_not_without_an_owner() {
    run(r#"
        accounts ana bo cy di
        bo   create group ~team
        bo   add ~team cy
        bo   add ~team ana
        bo   direct cy ~bc
        ana  join ~team
        cy   join ~bc
        show presence
        delete account bo    -> bo: closed LoggedOut
                              | ana: presence ~team -bo
                              | cy: presence ~bc -bo
                              | ana: ~team#4 bo role ana owner
                              | ana: ~team#5 bo leave
        ana  members ~team   -> ana: ok ~team [ana owner online 3/3, cy member online 2/2] of 2
        cy   members ~bc     -> cy: ok ~bc [bo member 1/1, cy member online 1/1] of 2
        ana  add ~team bo    -> ana: err no_user
        ana  direct bo ~ab   -> ana: err no_user
        ana  users b         -> ana: ok users []
        // The name stays taken.
        call bo rooms        -> call 7: err name_taken
    "#);
}

#[test]
fn who_was_being_added_while_their_account_went_is_not_there() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  join ~team
        log  holds
        ana  add ~team bo
        delete account bo
        log  works           -> ana: ok ~team#2
                              | ana: ~team#2 ana add bo member
                              | ana: ~team#3 bo leave
        ana  members ~team   -> ana: ok ~team [ana owner online 1/1] of 1
    "#);
}

#[test]
fn who_was_being_added_while_the_only_member_went_owns_the_room() {
    run(r#"
        accounts ana bo
        bo   create group ~team
        log  holds
        bo   add ~team ana
        delete account bo
        log  works
        ana  join ~team
        ana  members ~team   -> ana: ok ~team [ana owner online 2/2] of 1
    "#);
}

#[test]
fn a_lobby_without_an_owner_passes_to_an_admin_and_to_nobody_else() {
    run(r#"
        accounts ana bo
        root connect
        ana  join lobby
        root role lobby bo admin
        ana  post lobby "x"
        delete account root   -> root: closed LoggedOut
                               | ana: lobby#3 root role bo owner
        delete account bo     -> bo: closed LoggedOut
        ana  pin lobby 2      -> ana: err not_allowed
    "#);
}

#[test]
fn a_lobby_whose_owners_go_at_once_passes_on_as_well() {
    run(r#"
        accounts ana bo cy
        root connect
        root role lobby bo owner
        root role lobby cy admin
        ana  join lobby
        log  holds
        bo   role lobby bo member
        delete account root   -> root: closed LoggedOut
        log  works            -> bo: ok lobby#3
                               | ana: lobby#3 bo role bo member
                               | ana: lobby#4 bo role cy owner
    "#);
}

#[test]
fn who_steps_down_to_be_the_lobbys_only_admin_owns_it_again() {
    run(r#"
        accounts ana bo
        root connect
        root role lobby bo owner
        ana  join lobby
        log  holds
        bo   role lobby bo admin
        delete account root   -> root: closed LoggedOut
        log  works            -> bo: ok lobby#2
                               | ana: lobby#2 bo role bo admin
                               | ana: lobby#3 bo role bo owner
    "#);
}

#[test]
fn a_room_that_waits_for_its_owner_is_nobody_elses() {
    let is_come_into = r#"
        accounts ana bo cy
        ana  create open den
        ana  leave den
        log  holds
        bo   join den
        log  answers 1        -> bo: ok den seq=3
        log  fails
        log  answers          -> nothing
        log  works            -> nothing
    "#;
    run(&format!(
        "{is_come_into}\n{}",
        r#"
        cy   join den         -> bo: den#4 cy join
                               | cy: ok den seq=4
        wait 700              -> bo: den#5 bo role bo owner
                               | cy: den#5 bo role bo owner
    "#
    ));
    run(&format!(
        "{is_come_into}\n{}",
        r#"
        cy   join den
        bo   leave den
        wait 700              -> cy: den#6 bo role cy owner
    "#
    ));
}

#[test]
fn an_account_is_let_in_as_its_guest_unless_something_stands_against_it_by_then() {
    for (against, number_of_members) in
        [("root ban den gus", 1), ("delete account gus", 1), ("wait 1", 2)]
    {
        let mut runner = Runner::new(World::new(Limits::default(), true));
        for command in [
            "root connect",
            "root create open den",
            "guest gus",
            "gus join den",
            "log fails",
            "register gus",
            "log works",
            against,
            "wait 700",
        ] {
            runner.told(command);
        }
        let members = runner.told("root members den").concat();
        assert!(members.ends_with(&format!("of {number_of_members}")), "{against}: {members}");
    }
}

#[test]
fn an_account_takes_its_guests_place_in_a_room_that_is_full() {
    let mut script = String::from("guest gus\ngus create invite ~inv\n");
    for guest in 1..MEMBERS_MAX {
        script += &format!("guest g{guest}\ng{guest} join ~inv\ng{guest} gone\n");
    }
    script += "guest late
        late join ~inv -> late: err too_many
        register gus
        gus gone
        gus connect
        gus rooms      -> gus: ok rooms [lobby, ~inv] open []
        gus role ~inv g1 admin -> gus: ok ~inv#10004\n";
    run_unlimited(&script);
}

#[test]
fn a_deletion_that_cannot_be_written_is_written_later() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo
        ana  join ~team
        log  fails
        delete account bo   -> bo: closed LoggedOut
        ana  members ~team  -> ana: ok ~team [ana owner online 1/1, bo member 2/2] of 2
        log  works
        wait 700            -> ana: ~team#3 bo leave
    "#);
}

#[test]
fn what_a_deleted_account_had_under_way_is_not_done() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo
        ana  join ~team
        log  holds
        bo   post ~team "x"
        bo   history ~team
        delete account bo
        bo   gone
        log  answers  -> ana: ~team#3 bo "x"
                       | ana: ~team#4 bo leave
        log  shows    -> nothing
    "#);
}

#[test]
fn what_is_said_of_a_deleted_account_makes_it_nothing_again() {
    run(r#"
        accounts ana bo
        root connect
        ana  create group ~team
        log  holds
        root role lobby bo owner
        ana  add ~team bo
        bo   post lobby "x"
        delete account bo            -> bo: closed LoggedOut
        log  answers                 -> root: ok lobby#1
                                      | ana: ok ~team#2
        log  works
        root role lobby root member  -> root: err last_owner
        ana  members ~team           -> ana: ok ~team [ana owner online 1/1] of 1
        root members lobby           -> root: ok lobby [ana member online, root owner online] of 2
    "#);
}

#[test]
fn a_guest_who_is_away_for_long_is_forgotten() {
    run(r#"
        accounts ana
        guest gus
        ana  create open den
        gus  join den
        gus  join lobby
        gus  gone
        wait 599999
        gus  connect
        gus  rooms        -> gus: ok rooms [lobby, den] open [den]
        gus  gone
        wait 600000
        ana  members den  -> ana: ok den [ana owner online 1/1] of 1
        ana  mute lobby gus 5 -> ana: err not_allowed
        guest gus
        gus  rooms        -> gus: ok rooms [lobby] open [den]
    "#);
}

#[test]
fn a_guest_who_has_done_nothing_is_soon_forgotten() {
    let mut world = World::new(Limits::default(), true);
    let is_free = |world: &World| world.chat.is_free(&Name::stored("gus"));
    world.guest("gus").unwrap();
    world.wait(59_999);
    assert!(!is_free(&world));
    world.wait(1);
    assert!(is_free(&world), "who never came");
    world.guest("gus").unwrap();
    world.connect("gus");
    world.ask("gus", Request::Rooms);
    world.wait(999_999);
    world.disconnect("gus");
    world.wait(59_999);
    assert!(!is_free(&world));
    world.wait(1);
    assert!(is_free(&world), "who only looked");
    // Whatever one has there is kept: a join, something said without a connection, what others made of one.
    for deed in ["join lobby", "create invite ~inv", "muted"] {
        let mut runner = Runner::new(World::new(Limits::default(), true));
        runner.told("root");
        runner.told("guest gus");
        match deed {
            "muted" => runner.told("root mute lobby gus 999999999"),
            "create invite ~inv" => {
                runner.told("gus gone");
                runner.told("wait 50000");
                runner.told("call gus create invite ~inv")
            }
            deed => runner.told(&format!("gus {deed}")),
        };
        if deed != "create invite ~inv" {
            runner.told("gus gone");
        }
        let mut world = runner.world;
        world.wait(599_999);
        assert!(!is_free(&world), "{deed}");
        world.wait(1);
        assert!(is_free(&world), "{deed}");
    }
}

#[test]
fn where_all_guests_places_are_taken_the_longest_gone_makes_room() {
    let limits = Limits { guests_max: 3, ..Limits::default() };
    let mut world = World::new(limits.clone(), true);
    for name in ["gus", "hal", "ida"] {
        world.guest(name).unwrap();
        world.connect(name);
    }
    let is_known = |world: &World, name| !world.chat.is_free(&Name::stored(name));
    assert_eq!(world.guest("joe"), Err(Refusal::Full { after_ms: 10_000 }), "all are here");
    assert_eq!(world.guest("gus"), Ok(()), "who is known is");
    world.ask("hal", Request::Join { room: RoomId::lobby(), since: None });
    world.ask("ida", Request::Join { room: RoomId::lobby(), since: None });
    world.disconnect("hal");
    world.wait(7_999);
    assert_eq!(world.guest("joe"), Err(Refusal::Full { after_ms: 10_000 }), "a reload");
    world.wait(1);
    assert_eq!(world.guest("ROOT"), Err(Refusal::NameTaken));
    assert!(is_known(&world, "hal"), "who cannot come in takes nobody's place");
    world.disconnect("gus");
    world.disconnect("ida");
    world.wait(8_000);
    // Who has done nothing before who has, and then who has gone first.
    for (newcomer, gone) in [("joe", "gus"), ("kay", "joe"), ("lee", "kay")] {
        assert_eq!(world.guest(newcomer), Ok(()));
        assert!(!is_known(&world, gone) && is_known(&world, newcomer), "{gone} for {newcomer}");
        assert!(is_known(&world, "hal") && is_known(&world, "ida"));
    }
    world.connect("lee");
    for (newcomer, gone) in [("max", "hal"), ("ned", "max")] {
        assert_eq!(world.guest(newcomer), Ok(()));
        assert!(!is_known(&world, gone), "{gone} for {newcomer}");
    }
    world.connect("ned");
    assert_eq!(world.guest("pat"), Ok(()));
    assert!(!is_known(&world, "ida"));
    world.end();

    // Those who stay in an invite room are told that one of them has left it.
    run_with(
        limits,
        r#"
        accounts ana
        guest gus hal
        gus  create invite ~inv
        ana  join ~inv
        gus  gone
        wait 8000
        guest ida               -> nothing
        call joe rooms          -> ana: ~inv#3 gus role ana owner
                                 | ana: ~inv#4 gus leave
                                 | call 7: ok rooms [lobby] open []
    "#,
    );
}

#[test]
fn a_crowd_that_comes_and_goes_keeps_nobody_out() {
    let limits = Limits { guests_max: 1_000, ..Limits::default() };
    let mut world = World::new(limits, true);
    for n in 0..5_000 {
        assert_eq!(world.guest(&format!("crowd{n}z")), Ok(()));
        assert!(world.chat.people.guests() <= 1_000);
    }
    world.guest("gus").unwrap();
    world.connect("gus");
    assert!(world.is_connected("gus"));
}

#[test]
fn nothing_of_a_forgotten_guest_passes_to_another() {
    run(r#"
        guest gus
        root connect
        gus  post lobby "x"
        root mute lobby gus 999999999
        gus  gone
        wait 600000
        guest hal
        hal  members lobby  -> hal: ok lobby [hal member online, root owner online] of 2
        hal  post lobby "y" -> hal: ok lobby#3
    "#);
}

#[test]
fn a_name_is_somebodys_for_good_or_a_guests_for_a_while() {
    let mut world = World::new(Limits::default(), true);
    world.register("ana");
    assert_eq!(world.guest("Ana"), Err(Refusal::NameTaken));
    assert_eq!(world.guest("gus"), Ok(()));
    assert_eq!(world.guest("gus"), Ok(()), "the same guest again");
    world.connect("gus");
    world.ask("gus", Request::Join { room: RoomId::lobby(), since: None });
    world.disconnect("gus");
    let gus = Name::stored("gus");
    assert!(!world.chat.is_free(&gus) && !world.chat.reserve(&gus, None));
    world.wait(599_999);
    assert_eq!(world.guest("gus"), Ok(()), "kept for longer");
    world.wait(599_999);
    assert!(!world.chat.is_free(&gus));
    world.wait(1);
    assert!(world.chat.is_free(&gus) && world.chat.reserve(&gus, None));
    assert_eq!(world.guest("gus"), Err(Refusal::NameTaken), "being registered");
    world.chat.release(&gus);
    assert_eq!(world.guest("gus"), Ok(()));
}

#[test]
fn a_guest_registers_the_own_name_and_keeps_the_rooms() {
    run(r#"
        accounts ana
        guest gus
        show presence
        gus.2 connect
        ana  create open den
        ana  join den       -> ana: ok den seq=1
                             | ana: presence den [ana]
        gus  join den       -> ana: presence den +gus
                             | gus: ok den seq=1
                             | gus: presence den [ana, gus]
        gus  create invite ~inv
        ana  join ~inv      -> ana: ok ~inv seq=2
                             | ana: presence ~inv [ana, gus]
        // Both tabs are to come back; nobody is in a room twice, nor is a room without its owner.
        register gus        -> gus: closed Registered
                             | gus.2: closed Registered
                             | ana: presence den -gus
                             | ana: presence ~inv -gus
                             | ana: ~inv#3 gus join
                             | ana: ~inv#4 gus role gus owner
                             | ana: ~inv#5 gus leave
                             | ana: den#2 gus join
        gus  gone
        gus.2 gone
        gus  connect        -> ana: presence den +gus
                             | ana: presence ~inv +gus
        gus  rooms          -> gus: ok rooms [lobby, den, ~inv] open [den]
        gus  members ~inv   -> gus: ok ~inv [ana member online 2/2, gus owner online 3/3] of 2
        gus  users gus      -> gus: ok users [gus]
        gus  create group ~team  -> gus: ok room ~team "team" owner seq=1 read=1 left=0+0
        // Who was away is forgotten in the same way, and nothing is left that falls due.
        guest hal
        hal  gone
        wait 9000
        register hal
        wait 700000
        hal  connect
        hal  users hal      -> hal: ok users [hal]
    "#);
}

#[test]
fn a_name_that_a_guest_would_register_is_no_other_guests() {
    let mut world = World::new(Limits::default(), true);
    world.guest("gus").unwrap();
    world.guest("hal").unwrap();
    let [gus, hal] = ["gus", "hal"].map(|name| world.person(name));
    let like_gus = Name::stored("GUS");
    assert!(!world.chat.reserve(&like_gus, None) && !world.chat.reserve(&like_gus, Some(hal)));
    assert!(!world.chat.reserve(&Name::stored("root"), Some(gus)));
    assert!(world.chat.reserve(&like_gus, Some(gus)));
    assert!(!world.chat.reserve(&like_gus, Some(gus)), "once is enough");
    world.chat.release(&like_gus);
    assert!(!world.chat.is_free(&like_gus), "the guest has it still");
    assert!(world.chat.reserve(&like_gus, Some(gus)));
    // Another name leaves the guest alone.
    let other = Name::stored("ida");
    assert!(world.chat.reserve(&other, Some(hal)));
    let author = Author { id: PersonId(2), name: other };
    world.with(|chat, now, effects| chat.register(author, now, effects));
    assert_eq!((world.person("hal"), world.person("ida")), (hal, PersonId(2)));
}

#[test]
fn what_is_no_command_counts_like_one() {
    let limits = Limits { commands_per_second: 1, ..Limits::default() };
    let mut world = World::new(limits, true);
    world.connect("root");
    let session = world.session("root");
    let mut mishear = || world.with(|chat, now, _| chat.misheard(session, now));
    assert_eq!([mishear(), mishear()], [Ok(()); 2]);
    assert_eq!(mishear(), Err(Refusal::Rate { after_ms: 1_000 }));
    world.told();
    world.whisper("root", Whisper::Ping);
    assert!(world.told().is_empty(), "there is nothing left for it");
    let nobody = world.with(|chat, now, _| chat.misheard(SessionId(99), now));
    assert_eq!(nobody, Ok(()));
}

#[test]
fn guests_are_let_in_only_where_they_are() {
    let limits = Limits { guests: false, ..Limits::default() };
    let mut world = World::new(limits.clone(), true);
    assert_eq!(world.guest("gus"), Err(Refusal::GuestsNot));
    run_with(limits, "call gus create invite ~inv -> call 7: err guests_not\n");
}

#[test]
fn a_profile_is_told_to_who_shares_a_room() {
    run(r#"
        accounts ana bo
        ana.2 connect
        bo   join lobby
        ana  join lobby
        profile ana "Queen Ana"  -> ana: profile ana=Queen Ana
                                  | bo: profile ana=Queen Ana
                                  | ana.2: profile ana=Queen Ana
        bo   users a             -> bo: ok users [ana=Queen Ana]
        profile ana ""           -> ana: profile ana
                                  | bo: profile ana
                                  | ana.2: profile ana
    "#);
}

#[test]
fn nobody_is_shown_as_somebody_else() {
    let mut world = World::new(Limits::default(), true);
    world.register("bill");
    let root = world.person("root");
    let profile = Profile { display: Some(Name::parse_display("BiII").unwrap()), hue: None };
    let set = world.with(|chat, _, effects| chat.set_profile(root, profile, effects));
    assert_eq!(set, Err(Refusal::NameTaken));
    let nobody = PersonId(99);
    let set = world.with(|chat, _, effects| chat.set_profile(nobody, Profile::default(), effects));
    assert_eq!(set, Err(Refusal::NoUser));
}

#[test]
fn calls_are_served_without_a_connection() {
    run(r#"
        accounts ana bo
        call ana rooms                -> call 7: ok rooms [lobby] open []
        call ana create invite ~inv   -> call 7: ok room ~inv "" owner seq=1 read=1 left=0+0
        call gus create invite ~gin   -> call 7: ok room ~gin "" owner seq=1 read=1 left=0+0
        call ana join lobby           -> call 7: err wrong_kind
        call ana resume lobby         -> call 7: err wrong_kind
        call ana detach lobby         -> call 7: err wrong_kind
        call ana post lobby "hi"      -> call 7: ok lobby#1
        call ana members ~inv         -> call 7: ok ~inv [ana owner online 1/1] of 1
        call bo  members ~inv         -> call 7: err not_member
        bo   join ~gin                -> bo: ok ~gin seq=2
    "#);
    let mut runner = Runner::new(World::new(Limits::default(), true));
    let author = Author { id: PersonId(99), name: Name::stored("nobody") };
    runner.world.with(|chat, now, effects| {
        chat.call(CallId(1), author, Request::Rooms, now, effects);
    });
    assert_eq!(runner.told(""), ["call 1: err no_user"]);
}
