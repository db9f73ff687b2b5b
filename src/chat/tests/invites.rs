//! Invite rooms: in memory, bounded, and gone when nobody is there.

use super::script::{Runner, run, run_unlimited};
use super::world::{World, room_id};
use crate::chat::limits::{INVITE_ROOMS_FOR_GUESTS_MAX, INVITE_ROOMS_PER_GUEST_MAX};
use crate::chat::{Author, Body, CallId, Effect, Event, Limits, MemoryLog, Name, Request};

#[test]
fn what_is_said_where_nobody_listens_is_said_all_the_same() {
    let mut runner = Runner::new(World::new(Limits::default(), true));
    runner.told("accounts ana");
    runner.told("ana create invite ~inv");
    let ana = Author { id: runner.world.person("ana"), name: Name::stored("ana") };
    let (room, body) = (room_id("~inv"), Body::parse("hi", 50).unwrap());
    let request = Request::Post { room, key: None, body, reply_to: None };
    let is_entry =
        |effect: &Effect| matches!(effect, Effect::Publish { event: Event::Entry(..), .. });
    // Whoever counts entries has no other way to know of it.
    assert!(runner.world.with(|chat, now, effects| {
        chat.call(CallId(1), ana, request, now, effects);
        effects.iter().any(is_entry)
    }));
}

#[test]
fn who_has_the_token_comes_in() {
    run(r#"
        accounts ana
        guest gus
        ana  create invite ~inv "Tea"  -> ana: ok room ~inv "Tea" owner seq=1 read=1 left=0+0
        ana  join ~inv                 -> ana: ok ~inv seq=1
        gus  join ~inv                 -> ana: ~inv#2 gus join
                                        | gus: ok ~inv seq=2
        gus  post ~inv "hi" key k      -> gus: ok ~inv#3
                                        | ana: ~inv#3 gus "hi"
                                        | gus: ~inv#3 gus "hi"
        gus  post ~inv "hi" key k      -> gus: ok ~inv#3 dup
        gus  post ~inv "ho" key k      -> gus: err key_reused
        gus  edit ~inv 3 "ho"          -> gus: ok ~inv#4
                                        | ana: ~inv#4 gus edit 3 "ho"
                                        | gus: ~inv#4 gus edit 3 "ho"
        ana  react ~inv 3 👍           -> ana: ok ~inv#5
                                        | ana: ~inv#5 ana react 3 👍
                                        | gus: ~inv#5 ana react 3 👍
        ana  pin ~inv 3                -> ana: ok ~inv#6
                                        | ana: ~inv#6 ana pin 3
                                        | gus: ~inv#6 ana pin 3
        gus  history ~inv limit 2      -> gus: ok ~inv [#2 gus join, #3 gus "ho" edited pinned 👍[ana]] more as_of=6
        ana  search "HO" in ~inv       -> ana: ok found [~inv#3 <ho>]
        ana  search "ho"               -> ana: ok found []
        gus.2 connect
        gus.2 join ~inv since 4        -> gus.2: ok ~inv seq=6 recovered
                                        | gus.2: ~inv#5 ana react 3 👍 (read)
                                        | gus.2: ~inv#6 ana pin 3 (read)
        ana  delete ~inv 3             -> ana: ok ~inv#7
                                        | ana: ~inv#7 ana delete 3
                                        | gus: ~inv#7 ana delete 3
                                        | gus.2: ~inv#7 ana delete 3
        gus  history ~inv after 2      -> gus: ok ~inv [#3 gus deleted] as_of=7
        gus  leave ~inv                -> gus: ok ~inv#8
                                        | ana: ~inv#8 gus leave
                                        | gus: ~inv#8 gus leave
                                        | gus.2: ~inv#8 gus leave
                                        | gus: out ~inv left
                                        | gus.2: out ~inv left
    "#);
}

#[test]
fn an_invite_room_ends_when_nobody_was_present_for_a_while() {
    run(r#"
        accounts ana bo
        guest gus
        gus  create invite ~inv
        gus  gone
        // Empty from when the guest no longer counts as present; the guest leaves when forgotten.
        wait 607999
        bo   join ~inv        -> bo: ok ~inv seq=4
        bo   leave ~inv       -> bo: ok ~inv#5
                               | bo: ~inv#5 bo leave
                               | bo: out ~inv left
        wait 599999
        bo   join ~inv        -> bo: ok ~inv seq=7
        wait 9999999
        bo   leave ~inv       -> bo: ok ~inv#8
                               | bo: ~inv#8 bo leave
                               | bo: out ~inv left
        wait 600000
        bo   join ~inv        -> bo: err no_room
        // A member's absence counts as well: memory is not for what nobody uses.
        ana  create invite ~two
        ana  gone
        wait 608000
        ana  connect
        ana  rooms            -> ana: ok rooms [lobby] open []
        bo   join ~two        -> bo: err no_room
    "#);
}

#[test]
fn an_invite_room_keeps_so_much_and_forgets_the_rest() {
    let mut script = String::from("accounts ana bo\nana create invite ~inv\nbo join ~inv\n");
    let hidden: String = (1..=1_100).map(|n| format!(" ~inv#{n}")).collect();
    script += &format!("hide {hidden}\n");
    (0..1_000).for_each(|n| script += &format!("ana post ~inv hi{n} key k{n}\n"));
    script += "bo.2 connect
        bo.2 join ~inv since 1 -> bo.2: ok ~inv seq=1002 first=3 lost: trimmed
        bo.2 join ~inv since 2 -> bo.2: ok ~inv seq=1002 first=3 recovered
        bo.2 join ~inv since 1001 -> bo.2: ok ~inv seq=1002 first=3 recovered
        // The key of a post that is forgotten is, too.
        ana post ~inv hi1 key k1 -> ana: ok ~inv#4 dup
        ana post ~inv one -> ana: ok ~inv#1003
        ana react ~inv 3 👍 -> ana: err no_post
        ana post ~inv hi0 key k0 -> ana: ok ~inv#1004
        bo history ~inv before 6 -> bo: ok ~inv [#5 ana \"hi2\"] as_of=1004
        bo history ~inv after 1002 limit 1 -> bo: ok ~inv [#1003 ana \"one\"] more as_of=1004
        bo search hi999 in ~inv -> bo: ok found [~inv#1002 <hi999>]
        bo search hi limit 1 skip 998 in ~inv -> bo: ok found [~inv#5 <hi>2]\n";
    // So much text, too: each of two posts is half of it.
    script += "ana post ~inv x*131072\nana post ~inv x*131072
        bo history ~inv after 0 limit 1 -> bo: ok ~inv [#1005 ana ";
    script += &format!("\"{}\"] more as_of=1006\n", "x".repeat(131_072));
    run_unlimited(&script);
}

#[test]
fn searches_of_an_invite_room_are_as_few_as_posts() {
    let mut script = String::from("accounts ana\nana create invite ~inv\n");
    (0..29).for_each(|_| script += "ana search hi in ~inv -> ana: ok found []\n");
    script += "ana search hi in ~inv -> ana: err rate after 100\n";
    run(&script);
}

#[test]
fn all_invite_rooms_together_keep_so_much_and_the_largest_forget_first() {
    let mut world = World::new(Limits::default(), true);
    world.chat.memory = MemoryLog::bounded(1_000, 256 * 1_024, 60 * 1_024);
    Runner::new(world).run(
        r#"
        accounts ana bo
        guest gus
        ana  create invite ~big
        gus  create invite ~inv
        ana  join ~big
        gus  join ~inv
        gus  post ~inv "hi"
        ana  post ~big x*20000
        ana  post ~big x*20000
        // What is forgotten is missed as it is in a room that is too large by itself.
        bo   join ~big                 -> ana: ~big#4 bo join
                                        | bo: ok ~big seq=4
        bo   post ~big x*20000
        bo.2 connect
        bo.2 join ~big since 1         -> bo.2: ok ~big seq=5 first=3 lost: trimmed
        bo   react ~big 2 👍           -> bo: err no_post
        gus  history ~inv              -> gus: ok ~inv [#1 gus created [gus owner], #2 gus "hi"] as_of=2
    "#,
    );
}

#[test]
fn a_guest_begins_so_many_rooms_and_an_account_more() {
    let mut script = String::from("accounts ana\nguest gus hal\n");
    (1..=8).for_each(|n| script += &format!("gus create invite ~g{n}\n"));
    script += "gus create invite ~more -> gus: err too_many
        // Whose they are now, and who is still there, is not asked.
        ana join ~g1
        gus role ~g1 ana owner
        hide out
        gus leave ~g1
        gus create invite ~more -> gus: err too_many
        hal create invite ~hal
        // One that ends makes room for another.
        ana leave ~g1
        wait 600000
        gus create invite ~more
        gus create invite ~over -> gus: err too_many
        call gus create invite ~over -> call 7: err too_many\n";
    (1..=100).for_each(|n| script += &format!("ana create invite ~a{n}\n"));
    script += "ana create invite ~over -> ana: err too_many
        ana create group ~team\n";
    run_unlimited(&script);
}

#[test]
fn guests_do_not_take_the_places_of_accounts() {
    let mut script = String::from("accounts ana\n");
    for room in 0..INVITE_ROOMS_FOR_GUESTS_MAX {
        let guest = room / INVITE_ROOMS_PER_GUEST_MAX;
        if room % INVITE_ROOMS_PER_GUEST_MAX == 0 {
            script += &format!("guest g{guest}\n");
        }
        script += &format!("g{guest} create invite ~r{room}\n");
    }
    script += "guest late
        late create invite ~late -> late: err too_many
        ana  create invite ~ana  -> ana: ok room ~ana \"\" owner seq=1 read=1 left=0+0\n";
    run_unlimited(&script);
}
