//! Who goes and comes back: what stands against them is still there.

use super::super::Limits;
use super::script::{Runner, run};
use super::world::World;

#[test]
fn to_leave_and_to_join_ends_no_mute() {
    run(r#"
        accounts ana bo
        ana  create open den
        bo   join den
        ana  mute den bo 5000    -> ana: ok den#3
                                  | bo: den#3 ana mute bo
        bo   leave den           -> bo: ok den#4
                                  | bo: den#4 bo leave
                                  | bo: out den left
        wait 1000
        bo   join den            -> bo: ok den seq=5
        bo   post den "x"        -> bo: err muted after 4000
        ana  members den         -> ana: ok den [ana owner online 1/1, bo member online 5/5 muted] of 2
        // Nor does to be put out.
        ana  remove den bo
        bo   join den            -> bo: ok den seq=7
        bo   post den "x"        -> bo: err muted after 4000
        ana  ban den bo
        ana  ban den bo off
        bo   join den            -> bo: ok den seq=10
        bo   post den "x"        -> bo: err muted after 4000
        // It is over when it would have been.
        hide out
        bo   leave den
        wait 4000
        bo   join den
        bo   post den "x"        -> bo: ok den#13
                                  | bo: den#13 bo "x"
        bo   leave den
        bo   join den
        ana  mute den bo 0       -> ana: err already
    "#);
}

#[test]
fn a_mute_is_lifted_from_who_came_back() {
    run(r#"
        accounts ana bo
        hide out
        ana  create open den
        bo   join den
        bo   detach den
        ana  mute den bo 60000
        bo   leave den
        // Of whoever is not there nothing is known.
        ana  mute den bo 0       -> ana: err no_user
        bo   join den
        ana  mute den bo 0       -> ana: ok den#6
                                  | bo: den#6 ana mute bo off
        bo   leave den
        bo   join den
        bo   post den "x"        -> bo: ok den#9
                                  | bo: den#9 bo "x"
    "#);
}

#[test]
fn who_was_a_reader_comes_back_as_one_and_is_told() {
    run(r#"
        accounts ana bo
        show room
        bo.2 connect
        ana  create open den     -> ana: ok room den owner seq=1 read=1 left=0+0
        bo   join den            -> bo: room den member seq=2 read=2 left=0+0
                                  | bo.2: room den member seq=2 read=2 left=0+0
                                  | bo: ok den seq=2
        hide room out
        ana  role den bo reader
        bo   leave den
        show room
        bo   join den            -> bo: room den reader seq=5 read=5 left=0+0
                                  | bo.2: room den reader seq=5 read=5 left=0+0
                                  | bo: ok den seq=5
        bo   post den "x"        -> bo: err not_allowed
        ana  members den         -> ana: ok den [ana owner online 1/1, bo reader online 5/5] of 2
        hide room
        ana  ban den bo
        ana  ban den bo off
        bo   join den
        bo   post den "x"        -> bo: err not_allowed
        // Whom a moderator made a member again is one.
        ana  role den bo member
        bo   leave den
        bo   join den
        bo   post den "x"        -> bo: ok den#12
                                  | bo: den#12 bo "x"
    "#);
}

#[test]
fn who_was_above_comes_back_as_a_member() {
    run(r#"
        accounts ana bo cy
        hide out
        ana  create open den
        bo   join den
        cy   join den
        cy   detach den
        bo   detach den
        ana  role den bo owner
        ana  role den cy admin
        ana  leave den
        ana  join den
        cy   leave den
        cy   join den
        bo   members den         -> bo: ok den [ana member online 7/7, bo owner online 2/2, cy member online 9/9] of 3
    "#);
}

#[test]
fn a_room_that_all_had_left_is_owned_by_a_reader_rather_than_by_nobody() {
    run(r#"
        accounts ana bo
        hide out
        ana  create open attic
        bo   join attic
        bo   detach attic
        ana  role attic bo reader
        ana  mute attic bo 5000
        bo   leave attic
        ana  leave attic
        bo   join attic
        bo   members attic       -> bo: ok attic [bo owner online 7/7 muted] of 1
        bo   post attic "x"      -> bo: err muted after 5000
    "#);
}

#[test]
fn who_is_added_again_is_what_they_are_made_and_muted_still() {
    run(r#"
        accounts ana bo
        hide out
        ana  create group ~team
        ana  add ~team bo reader
        ana  mute ~team bo 5000
        ana  remove ~team bo
        wait 1000
        ana  add ~team bo admin
        ana  members ~team       -> ana: ok ~team [ana owner online 1/1, bo admin online 5/5 muted] of 2
        bo   post ~team "x"      -> bo: err muted after 4000
        bo   leave ~team
        wait 4000
        ana  add ~team bo
        bo   post ~team "x"      -> bo: ok ~team#8
        ana  role ~team bo reader
        bo   leave ~team
        ana  add ~team bo        -> ana: ok ~team#11
        bo   post ~team "x"      -> bo: ok ~team#12
    "#);
}

#[test]
fn an_invite_room_knows_who_went() {
    run(r#"
        accounts ana bo
        guest gus
        hide out
        ana  create invite ~inv
        bo   join ~inv
        gus  join ~inv
        bo   detach ~inv
        gus  detach ~inv
        ana  mute ~inv bo 5000
        ana  role ~inv gus reader
        bo   leave ~inv
        gus  leave ~inv
        bo   join ~inv           -> bo: ok ~inv seq=8
        gus  join ~inv           -> bo: ~inv#9 gus join
                                  | gus: ok ~inv seq=9
        bo   post ~inv "x"       -> bo: err muted after 5000
        gus  post ~inv "x"       -> gus: err not_allowed
    "#);
}

#[test]
fn a_guest_comes_and_goes_and_is_muted_still() {
    run(r#"
        accounts ana
        guest gus
        root connect
        hide out
        ana  create open den
        gus  join den
        ana  mute den gus 900000000  -> ana: ok den#2
                                      | gus: den#2 ana mute gus
        gus  leave den
        gus  join den
        gus  post den "x"        -> gus: err muted after 900000000
        root mute lobby gus 900000000
        // A guest who is forgotten and comes again is the same.
        gus  gone
        wait 700000
        guest gus
        gus  join den
        gus  post den "x"        -> gus: err muted after 899300000
        gus  post lobby "x"      -> gus: err muted after 899300000
        gus  leave den
        gus  gone
        wait 900000000
        guest gus
        gus  join den
        gus  post den "x"        -> gus: ok den#3
                                  | gus: den#3 gus "x"
        gus  post lobby "x"      -> gus: ok lobby#2
    "#);
}

#[test]
fn a_guest_who_leaves_while_being_muted_is_muted() {
    run(r#"
        accounts ana
        guest gus
        ana  create open den
        gus  join den
        log  holds
        ana  mute den gus 5000   -> nothing
        gus  leave den           -> gus: ok
                                  | gus: out den left
        log  works               -> ana: ok den#2
        gus  join den
        gus  post den "x"        -> gus: err muted after 5000
    "#);
}

#[test]
fn one_waits_on_after_coming_back() {
    run(r#"
        accounts ana bo
        guest gus
        hide out
        ana  create open den
        ana  slow den 5000
        bo   join den
        gus  join den
        bo   post den "1"
        gus  post den "2"
        bo   leave den
        gus  leave den
        wait 1000
        bo   join den
        gus  join den
        bo   post den "3"        -> bo: err slow after 4000
        gus  post den "4"        -> gus: err slow after 4000
        bo   detach den
        gus  detach den
        wait 4000
        bo   post den "3"        -> bo: ok den#8
        gus  post den "4"        -> gus: ok den#9
        // Who is put out waits as well.
        ana  remove den bo
        bo   join den
        bo   post den "5"        -> bo: err slow after 5000
        ana  slow den 0
        bo   detach den
        bo   post den "5"        -> bo: ok den#13
    "#);
}

#[test]
fn who_has_gone_for_good_leaves_nothing_behind() {
    let mut runner = Runner::new(World::new(Limits::default(), true));
    for row in [
        "accounts ana bo cy",
        "guest gus",
        "ana create open den",
        "bo join den",
        "cy join den",
        "gus join den",
        "ana role den bo reader",
        "ana mute den cy 900000",
        "ana mute den gus 900000",
    ] {
        runner.told(row);
    }
    let lapses = |runner: &Runner| -> usize {
        runner.world.chat.rooms.iter().map(|(_, room)| room.lapses.iter().count()).sum()
    };
    runner.told("delete account bo");
    runner.told("register gus");
    assert_eq!(lapses(&runner), 0);
    runner.told("cy leave den");
    assert_eq!(lapses(&runner), 1);
}
