//! Joins: who may come in, in which order, and what a session is attached to.

use super::super::limits::Limits;
use super::script::{Runner, run, run_unlimited};
use super::world::World;

#[test]
fn everybody_can_join_the_lobby_and_any_open_room() {
    run(r#"
        accounts ana bo
        guest gus
        show room
        ana  create open den   -> ana: ok room den owner seq=1 read=1 left=0+0
        ana  join lobby        -> ana: ok lobby seq=0
        ana  join den          -> ana: ok den seq=1
        // An account joins by an entry, which it has seen when it is in.
        bo   join den          -> ana: den#2 bo join
                                | bo: room den member seq=2 read=2 left=0+0
                                | bo: ok den seq=2
        // A guest comes and goes without one.
        gus  join den          -> gus: room den member seq=2 read=2 left=0+0
                                | gus: ok den seq=2
        gus  post den "hi"     -> gus: ok den#3
                                | ana: den#3 gus "hi"
                                | bo: den#3 gus "hi"
                                | gus: den#3 gus "hi"
        gus  leave den         -> gus: ok
                                | gus: out den left
        gus  post den "hi"     -> gus: err not_member
        bo   leave den         -> bo: ok den#4
                                | ana: den#4 bo leave
                                | bo: den#4 bo leave
                                | bo: out den left
        bo   leave den         -> bo: err not_member
        bo   join nowhere      -> bo: err no_room
        // Joining twice is joining once.
        ana  join den          -> ana: ok den seq=4
        bo   join den          -> ana: den#5 bo join
                                | bo: room den member seq=5 read=5 left=0+0
                                | bo: ok den seq=5
        ana  post den "hi"     -> ana: ok den#6
                                | ana: den#6 ana "hi"
                                | bo: den#6 ana "hi"
    "#);
}

#[test]
fn a_room_that_one_may_not_read_is_no_room() {
    run(r#"
        accounts ana bo cy
        guest gus
        ana  create group ~team
        ana  direct bo ~ab
        cy   join ~team           -> cy: err no_room
        cy   join ~ab             -> cy: err no_room
        cy   join ~nothing        -> cy: err no_room
        gus  join ~team           -> gus: err no_room
        cy   detach ~team         -> cy: err no_room
        cy   post ~team "x"       -> cy: err no_room
        cy   history ~team        -> cy: err no_room
        cy   search "x" in ~team  -> cy: err no_room
        cy   members ~team        -> cy: err no_room
        cy   leave ~team          -> cy: err no_room
        cy   add ~team bo         -> cy: err no_room
        cy   typing ~team         -> nothing
        cy   read ~team 1         -> nothing
        // An open room is known to all: it is the member that is missing.
        ana  create open den
        cy   post den "x"         -> cy: err not_member
        cy   history den          -> cy: err not_member
        cy   search "x" in den    -> cy: err not_member
        cy   members den          -> cy: err not_member
        cy   detach den           -> cy: err not_member
    "#);
}

#[test]
fn who_is_banned_does_not_come_in() {
    run(r#"
        accounts ana bo
        guest gus
        ana  create open den
        bo   join den
        gus  join den
        ana  ban den bo       -> ana: ok den#3
                               | bo: den#3 ana ban bo
                               | gus: den#3 ana ban bo
                               | bo: out den banned
        bo   join den         -> bo: err banned
        bo   post den "x"     -> bo: err not_member
        bo   history den      -> bo: err not_member
        ana  ban den gus      -> ana: ok den#4
                               | gus: den#4 ana ban gus
                               | gus: out den banned
        gus  join den         -> gus: err banned
        ana  ban den bo off   -> ana: ok den#5
        bo   join den         -> bo: ok den seq=6
    "#);
}

#[test]
fn resume_answers_each_room_in_order_and_then_the_request() {
    run(r#"
        accounts ana bo
        ana  create open den
        ana  create group ~team
        ana  post den "1"
        ana  post den "2"
        bo   resume lobby ~team den nowhere lobby@7 -> bo: joined lobby seq=0
                                                     | bo: joined ~team err no_room
                                                     | bo: joined den seq=4
                                                     | bo: joined nowhere err no_room
                                                     | bo: joined lobby seq=0 lost: ahead
                                                     | bo: ok resumed
        bo.2 connect
        bo.2 resume lobby@0 den@2 den@x:3 -> bo.2: joined lobby seq=0 recovered
                                           | bo.2: joined den seq=4 recovered
                                           | bo.2: den#3 ana "2"
                                           | bo.2: den#4 bo join
                                           | bo.2: joined den seq=4 lost: epoch
                                           | bo.2: ok resumed
        bo.2 resume -> bo.2: ok resumed
    "#);
}

#[test]
fn the_joins_of_a_session_wait_for_each_other_and_others_for_none() {
    run(r#"
        accounts ana bo
        bo.2 connect
        ana  create open den
        log  holds
        bo   join den     -> nothing
        bo   join lobby   -> nothing
        bo   detach den   -> nothing
        bo   ping         -> bo: pong
        bo.2 join lobby   -> bo.2: ok lobby seq=0
        log  answers      -> bo: ok den seq=2
                           | bo: ok lobby seq=0
                           | bo: ok
        ana  post den "x" -> nothing
        log  answers      -> ana: ok den#3
    "#);
}

#[test]
fn two_sessions_that_join_an_open_room_at_once_join_it_once() {
    run(r#"
        accounts ana bo
        bo.2 connect
        ana  create open den
        log  holds
        bo   join den
        bo.2 join den
        log  answers  -> bo: ok den seq=2
                       | bo.2: ok den seq=2
    "#);
}

#[test]
fn a_session_that_goes_while_it_joins_has_joined_and_is_not_missed() {
    run(r#"
        accounts ana bo
        ana  create open den
        ana  join den
        log  holds
        bo   join den
        bo   gone
        log  answers      -> ana: den#2 bo join
        bo   connect
        bo   post den "x" -> nothing
        log  answers      -> bo: ok den#3
                           | ana: den#3 bo "x"
    "#);
}

#[test]
fn who_is_put_out_while_joining_is_not_let_in() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo
        tails gone
        log  holds
        bo   join ~team since 1     -> nothing
        ana  remove ~team bo        -> nothing
        log  reads                  -> nothing
        log  answers                -> ana: ok ~team#3
                                     | bo: out ~team removed
        log  shows                  -> bo: err no_room
        ana  add ~team bo
        log  answers                -> ana: ok ~team#4
        bo   join ~team             -> bo: ok ~team seq=4
    "#);
}

#[test]
fn a_queue_of_joins_has_an_end() {
    let rooms =
        |from: u32, to: u32| (from..to).map(|n| format!("r{n}")).collect::<Vec<_>>().join(" ");
    let mut script = String::from("accounts ana bo\nana create open den\nlog holds\n");
    script += &format!("bo resume den {}\n", rooms(0, 255));
    script += "bo join lobby -> nothing\nbo join lobby -> bo: err busy after 1000\n";
    run_unlimited(&script);
    let too_many = format!("accounts ana\nana resume {} -> ana: err too_many\n", rooms(0, 257));
    run_unlimited(&too_many);
}

#[test]
fn who_is_in_many_full_rooms_is_asked_to_come_again_for_some() {
    let limits = Limits { commands_per_second: 0, entries_per_second: 0, ..Limits::default() };
    let mut runner = Runner::new(World::new(limits, true));
    let rooms: Vec<String> = (0..20).map(|n| format!("den{n}")).collect();
    runner.told("accounts ana");
    for room in &rooms {
        runner.told(&format!("ana create open {room}"));
    }
    // Their names are 90 bytes each: those in 17 rooms are more than one request is told of.
    for n in 0..180 {
        let guest = format!("{}{n}", "山".repeat(29));
        runner.told(&format!("guest {guest}"));
        for room in &rooms {
            runner.told(&format!("{guest} join {room}"));
            runner.told(&format!("{guest} detach {room}"));
        }
    }
    let told = runner.told(&format!("ana resume {}", rooms.join(" ")));
    let mut expected: Vec<String> = (0..17).map(|n| format!("ana: joined den{n} seq=1")).collect();
    expected.extend((17..20).map(|n| format!("ana: joined den{n} err busy after 1000")));
    expected.push("ana: ok resumed".into());
    assert_eq!(told, expected);
    let told = runner.told("ana resume den17 den18 den19");
    assert_eq!(told.iter().filter(|line| line.starts_with("ana: joined ")).count(), 3, "{told:?}");
}
