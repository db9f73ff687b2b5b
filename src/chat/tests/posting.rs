//! Posts and what is done to them: the way from command to entry.

use super::script::{run, run_unlimited, run_with};
use crate::chat::Limits;

#[test]
fn a_post_is_acknowledged_and_then_told_to_all_who_are_attached() {
    run(r#"
        accounts ana bo cy
        ana  join lobby               -> ana: ok lobby seq=0
        bo   join lobby               -> bo: ok lobby seq=0
        ana  post lobby "hi"          -> ana: ok lobby#1
                                       | ana: lobby#1 ana "hi"
                                       | bo: lobby#1 ana "hi"
        bo   post lobby "ho" reply 1  -> bo: ok lobby#2
                                       | ana: lobby#2 bo "ho" reply=1
                                       | bo: lobby#2 bo "ho" reply=1
        cy   post lobby "not attached" -> cy: ok lobby#3
                                       | ana: lobby#3 cy "not attached"
                                       | bo: lobby#3 cy "not attached"
        ana  detach lobby             -> ana: ok
        ana  post lobby "nor I"       -> ana: ok lobby#4
                                       | bo: lobby#4 ana "nor I"
    "#);
}

#[test]
fn nothing_is_told_before_it_is_committed() {
    run(r#"
        accounts ana bo
        ana  join lobby
        bo   join lobby
        log  holds
        ana  post lobby "a"  -> nothing
        bo   post lobby "b"  -> nothing
        log  commits         -> nothing
        log  answers 1       -> ana: ok lobby#1
                              | ana: lobby#1 ana "a"
                              | bo: lobby#1 ana "a"
        log  answers         -> bo: ok lobby#2
                              | ana: lobby#2 bo "b"
                              | bo: lobby#2 bo "b"
    "#);
}

#[test]
fn a_key_makes_a_post_once() {
    run(r#"
        accounts ana bo
        ana  join lobby
        ana  post lobby "hi" key k          -> ana: ok lobby#1
                                             | ana: lobby#1 ana "hi"
        ana  post lobby "hi" key k          -> ana: ok lobby#1 dup
        ana  post lobby "ho" key k          -> ana: err key_reused
        ana  post lobby "hi" key k reply 1  -> ana: err key_reused
        bo   post lobby "hi" key k          -> bo: ok lobby#2
                                             | ana: lobby#2 bo "hi"
        ana  edit lobby 1 "ho"              -> ana: ok lobby#3
                                             | ana: lobby#3 ana edit 1 "ho"
        ana  post lobby "hi" key k          -> ana: ok lobby#1 dup
    "#);
}

#[test]
fn what_was_acknowledged_is_known_whatever_has_changed_since() {
    run(r#"
        accounts ana bo
        ana  create open den
        bo   join den
        bo   detach den
        bo   post den "hi" key k       -> bo: ok den#3
        ana  slow den 3000
        bo   post den "ho" key l       -> bo: ok den#5
        bo   post den "hi" key k       -> bo: ok den#3 dup
        bo   post den "ho" key l       -> bo: ok den#5 dup
        bo   post den "he" key m       -> bo: err slow after 3000
        ana  read_only den             -> ana: ok den#6
        bo   post den "hi" key k       -> bo: ok den#3 dup
        bo   post den "ho" key k       -> bo: err key_reused
        bo   post den "new" key n      -> bo: err read_only
        bo   post den "new"            -> bo: err read_only
        ana  read_only den off
        ana  mute den bo 60000
        bo   post den "hi" key k       -> bo: ok den#3 dup
        bo   post den "new" key n      -> bo: err muted after 60000
        ana  role den bo reader
        bo   post den "hi" key k       -> bo: ok den#3 dup
        // The rules change while the log is asked.
        log  holds
        bo   post den "new" key n
        ana  role den bo member
        log  works                     -> bo: err not_allowed
                                        | ana: ok den#10
        // Who is out is told nothing of it.
        ana  remove den bo
        bo   post den "hi" key k       -> bo: err not_member
    "#);
}

#[test]
fn two_sessions_that_resend_the_same_post_have_posted_it_once() {
    run(r#"
        accounts ana
        ana.2 connect
        ana   join lobby
        log   holds
        ana   post lobby "hi" key k
        ana.2 post lobby "hi" key k
        log   answers  -> ana: ok lobby#1
                        | ana: lobby#1 ana "hi"
                        | ana.2: ok lobby#1 dup
    "#);
}

#[test]
fn what_is_done_to_a_post_is_an_entry() {
    run(r#"
        accounts ana bo
        root connect
        ana  join lobby
        ana  post lobby "hi"        -> ana: ok lobby#1
                                     | ana: lobby#1 ana "hi"
        ana  edit lobby 1 "ho"      -> ana: ok lobby#2
                                     | ana: lobby#2 ana edit 1 "ho"
        bo   react lobby 1 👍       -> bo: ok lobby#3
                                     | ana: lobby#3 bo react 1 👍
        bo   react lobby 1 👍 off   -> bo: ok lobby#4
                                     | ana: lobby#4 bo react 1 👍 off
        root pin lobby 1            -> root: ok lobby#5
                                     | ana: lobby#5 root pin 1
        root pin lobby 1 off        -> root: ok lobby#6
                                     | ana: lobby#6 root pin 1 off
        ana  delete lobby 1         -> ana: ok lobby#7
                                     | ana: lobby#7 ana delete 1
        ana  delete lobby 1         -> ana: err no_post
        ana  edit lobby 1 "x"       -> ana: err no_post
        bo   react lobby 1 👍       -> bo: err no_post
        root pin lobby 1            -> root: err no_post
        bo   post lobby "x" reply 1 -> bo: err no_post
        bo   post lobby "x" reply 2 -> bo: err no_post
        bo   react lobby 0 👍       -> bo: err no_post
        bo   react lobby 18446744073709551615 👍 -> bo: err no_post
    "#);
}

#[test]
fn a_post_is_edited_by_its_author_alone_and_deleted_by_moderators_too() {
    run(r#"
        accounts ana bo cy
        root connect
        bo   post lobby "bo's"      -> bo: ok lobby#1
        cy   edit lobby 1 "cy's"    -> cy: err not_allowed
        root edit lobby 1 "root's"  -> root: err not_allowed
        cy   delete lobby 1         -> cy: err not_allowed
        bo   edit lobby 1 "mine"    -> bo: ok lobby#2
        root delete lobby 1         -> root: ok lobby#3
    "#);
}

#[test]
fn a_text_holds_to_its_limits() {
    run(r#"
        accounts ana
        ana  post lobby "  "  -> ana: err body_empty
        ana  post lobby "123456789 123456789 123456789 123456789 123456789 1" -> ana: err body_too_long
        ana  post lobby "123456789 123456789 123456789 123456789 123456789" -> ana: ok lobby#1
    "#);
}

#[test]
fn a_decision_is_taken_anew_when_the_rules_have_changed() {
    run(r#"
        accounts ana bo
        ana  create group ~team -> ana: ok room ~team "team" owner seq=1 read=1 left=0+0
        ana  add ~team bo       -> ana: ok ~team#2
        ana  join ~team
        log  holds
        // Three rules change while the posts are under way; those that still stand are posted after.
        ana  slow ~team 5000    -> nothing
        bo   post ~team "b"     -> nothing
        ana  post ~team "a"     -> nothing
        log  answers            -> ana: ok ~team#3
                                 | ana: ~team#3 ana mode slow=5000
                                 | bo: ok ~team#4
                                 | ana: ~team#4 bo "b"
                                 | ana: ok ~team#5
                                 | ana: ~team#5 ana "a"
        log  works
        bo   post ~team "b"     -> bo: err slow after 5000
    "#);
}

#[test]
fn who_is_put_out_while_a_post_is_under_way_has_not_posted() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo
        bo   join ~team
        log  holds
        ana  remove ~team bo  -> nothing
        bo   post ~team "b"   -> nothing
        log  answers          -> ana: ok ~team#3
                               | bo: ~team#3 ana remove bo
                               | bo: out ~team removed
                               | bo: err no_room
    "#);
}

#[test]
fn an_admins_right_ends_with_the_role_even_for_what_is_under_way() {
    run(r#"
        accounts ana bo cy
        ana  create group ~team
        ana  add ~team bo admin
        ana  add ~team cy
        log  holds
        ana  role ~team bo member  -> nothing
        bo   remove ~team cy       -> nothing
        log  answers               -> ana: ok ~team#4
                                    | bo: err not_allowed
    "#);
}

#[test]
fn of_two_owners_who_step_down_at_once_one_stays() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo owner
        log  holds
        ana  role ~team ana member  -> nothing
        bo   role ~team bo member   -> nothing
        log  answers                -> ana: ok ~team#3
                                     | bo: err last_owner
    "#);
}

#[test]
fn in_a_room_whose_rules_change_all_the_time_the_asker_is_told_to_try_again() {
    let mut script = String::from(
        "accounts ana bo
         ana create group ~team
         ana add ~team bo
         log holds
         ana slow ~team 1
         bo post ~team \"b\"\n",
    );
    // Whenever it comes to the log, another change has been committed before it.
    for n in 1..9 {
        script += &format!("log answers 1 -> ana: ok ~team#{}\n", n + 2);
        script += &format!("ana slow ~team {}\n", n + 1);
        let told = if n == 8 { "bo: err busy after 1000" } else { "nothing" };
        script += &format!("log answers 1 -> {told}\n");
    }
    run_unlimited(&script);
}

#[test]
fn rates_are_for_each_session_and_for_each_person() {
    let limits = Limits { commands_per_second: 5, entries_per_second: 1, ..Limits::default() };
    run_with(
        limits,
        r#"
        accounts ana bo
        ana.2 connect
        ana   post lobby "1"  -> ana: ok lobby#1
        ana.2 post lobby "2"  -> ana.2: ok lobby#2
        ana   post lobby "3"  -> ana: ok lobby#3
        ana   post lobby "4"  -> ana: err rate after 1000
        ana.2 post lobby "5"  -> ana.2: err rate after 1000
        // What is refused is no entry, and costs none.
        ana   post den "6"    -> ana: err no_room
        bo    post lobby "7"  -> bo: ok lobby#4
        wait  1000
        ana   post lobby "8"  -> ana: ok lobby#5
        // Ten commands at once, five a second.
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> bo: pong
        bo    ping -> nothing
        bo    rooms -> bo: err rate after 200
        wait  200
        bo    ping -> bo: pong
    "#,
    );
}

#[test]
fn a_slow_room_makes_members_wait_and_moderators_not() {
    run(r#"
        accounts bo
        root connect
        root slow lobby 3000      -> root: ok lobby#1
        root slow lobby 3000      -> root: err already
        bo   post lobby "1"       -> bo: ok lobby#2
        wait 1000
        bo   post lobby "2"       -> bo: err slow after 2000
        root post lobby "a"       -> root: ok lobby#3
        root post lobby "b"       -> root: ok lobby#4
        bo   react lobby 2 👍     -> bo: ok lobby#5
        wait 2000
        bo   post lobby "2"       -> bo: ok lobby#6
        bo   post lobby "3"       -> bo: err slow after 3000
        // A wait that begins with a post that is not written is none.
        wait 3000
        log  fails
        bo   post lobby "3"       -> bo: err unavailable after 700
        log  works
        bo   post lobby "3"       -> bo: ok lobby#7
        root slow lobby 0         -> root: ok lobby#8
        bo   post lobby "4"       -> bo: ok lobby#9
        root slow lobby 99999999  -> root: ok lobby#10
        bo   post lobby "5"       -> bo: ok lobby#11
        bo   post lobby "6"       -> bo: err slow after 3600000
    "#);
}

#[test]
fn a_session_has_so_many_requests_under_way_and_no_more() {
    let mut script = String::from("accounts ana\nlog holds\n");
    (0..64).for_each(|n| script += &format!("ana post lobby \"{n}\"\n"));
    script += "ana post lobby \"more\" -> ana: err busy after 1000\n";
    script += "log answers 1\nana history lobby\nana history lobby -> ana: err busy after 1000\n";
    script +=
        "log works\nana history lobby limit 1 -> ana: ok lobby [#64 ana \"63\"] more as_of=64\n";
    run_unlimited(&script);
}

#[test]
fn pins_are_listed_and_so_many() {
    let mut script = String::from(
        "accounts ana bo
        root connect
        hide ok
        root create open den
        root join den
        root create invite ~inv
        root join ~inv
        ",
    );
    for room in ["den", "~inv"] {
        let hidden: String = (1..=400).map(|seq| format!(" {room}#{seq}")).collect();
        script += &format!("hide {hidden}\n");
        (2..=102).for_each(|n| script += &format!("root post {room} p{n}\n"));
        (2..=101).for_each(|n| script += &format!("root pin {room} {n}\n"));
        script += &format!(
            "show ok
            root pin {room} 102     -> root: err too_many_pins
            root pin {room} 999     -> root: err no_post
            root pin {room} 5       -> root: ok {room}#203
            root pin {room} 7 off   -> root: ok {room}#204
            root pin {room} 102     -> root: ok {room}#205
            root pin {room} 7       -> root: err too_many_pins
            root delete {room} 101  -> root: ok {room}#206
            root pin {room} 7       -> root: ok {room}#207
            root pins {room} limit 2 -> root: ok {room} [#100 root \"p100\" pinned, #102 root \"p102\" pinned] more as_of=207
            root pins {room} before 4 -> root: ok {room} [#2 root \"p2\" pinned, #3 root \"p3\" pinned] as_of=207
            bo   pins {room}        -> bo: err not_member
            hide ok
            "
        );
    }
    script += "show ok
        bo  create group ~team
        ana pins ~team -> ana: err no_room
        bo  pins ~team -> bo: ok ~team [] as_of=1\n";
    run_unlimited(&script);
}

#[test]
fn a_post_has_so_many_different_reactions() {
    let mut script = String::from(
        "accounts ana
        hide ok
        ana create open den
        ana create invite ~inv
        ",
    );
    for room in ["den", "~inv"] {
        script += &format!("ana post {room} \"x\"\n");
        let emoji = |n: u32| char::from_u32(0x1f600 + n).unwrap();
        (1..=32).for_each(|n| script += &format!("ana react {room} 2 {}\n", emoji(n)));
        script += &format!(
            "show ok
            ana react {room} 2 {other}     -> ana: err too_many
            ana react {room} 2 {first}     -> ana: ok {room}#35
            ana react {room} 2 {first} off -> ana: ok {room}#36
            ana react {room} 2 {other}     -> ana: ok {room}#37
            ana react {room} 2 {first}     -> ana: err too_many
            ana react {room} 2 {first} off -> ana: ok {room}#38
            ana react {room} 9 {first}     -> ana: err no_post
            hide ok
            ",
            first = emoji(1),
            other = emoji(33),
        );
    }
    run_unlimited(&script);
}
