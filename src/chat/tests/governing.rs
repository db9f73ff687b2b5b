//! Members, roles, bans, mutes and modes, beyond what `matrix.rs` says of who may at all.

use super::script::{run, run_unlimited};

#[test]
fn members_are_added_to_groups_and_told() {
    run(r#"
        accounts ana bo cy
        guest gus
        show room
        ana  create group ~team    -> ana: ok room ~team "team" owner seq=1 read=1 left=0+0
        ana  join ~team            -> ana: ok ~team seq=1
        ana  add ~team bo admin    -> ana: ok ~team#2
                                    | ana: ~team#2 ana add bo admin
                                    | bo: room ~team "team" admin seq=2 read=2 left=0+0
        ana  add ~team bo          -> ana: err already
        ana  add ~team ana         -> ana: err already
        ana  add ~team nobody      -> ana: err no_user
        ana  add ~team gus         -> ana: err guests_not
        bo   add ~team cy admin    -> bo: err not_allowed
        bo   add ~team cy owner    -> bo: err not_allowed
        bo   add ~team CY reader   -> bo: ok ~team#3
                                    | ana: ~team#3 bo add cy reader
                                    | cy: room ~team "team" reader seq=3 read=3 left=0+0
    "#);
}

#[test]
fn who_is_put_out_is_told_on_every_session_and_sent_nothing_more() {
    run(r#"
        accounts ana bo
        bo.2 connect
        ana  create group ~team
        ana  add ~team bo
        ana  join ~team
        bo   join ~team
        ana  remove ~team nobody  -> ana: err no_user
        ana  remove ~team root    -> ana: err no_user
        ana  remove ~team ana     -> ana: err oneself
        ana  remove ~team bo      -> ana: ok ~team#3
                                   | ana: ~team#3 ana remove bo
                                   | bo: ~team#3 ana remove bo
                                   | bo: out ~team removed
                                   | bo.2: out ~team removed
        ana  post ~team "x"       -> ana: ok ~team#4
                                   | ana: ~team#4 ana "x"
        // Out of an open room one may come back.
        ana  create open den
        bo   join den
        ana  remove den bo        -> ana: ok den#3
                                   | bo: den#3 ana remove bo
                                   | bo: out den removed
                                   | bo.2: out den removed
        bo   join den             -> bo: ok den seq=4
    "#);
}

#[test]
fn a_guest_can_be_put_out_banned_and_muted_but_given_no_lasting_role() {
    run(r#"
        accounts ana
        guest gus
        root connect
        ana  create open den
        gus  join den
        ana  role den gus admin     -> ana: err guests_not
        root role lobby gus reader  -> root: err guests_not
        root mute lobby gus 5000    -> root: ok lobby#1
        gus  post lobby "x"         -> gus: err muted after 5000
        ana  mute den gus 1000      -> ana: ok den#2
                                     | gus: den#2 ana mute gus
        gus  post den "x"           -> gus: err muted after 1000
        ana  remove den gus         -> ana: ok den#3
                                     | gus: den#3 ana remove gus
                                     | gus: out den removed
        gus  join den               -> gus: ok den seq=3
        // The room is as short as the guest's stay.
        gus  create invite ~inv     -> gus: ok room ~inv "" owner seq=1 read=1 left=0+0
        ana  join ~inv              -> ana: ok ~inv seq=2
        gus  role ~inv ana admin    -> gus: ok ~inv#3
                                     | ana: ~inv#3 gus role ana admin
    "#);
}

#[test]
fn one_moderates_those_below() {
    run(r#"
        accounts ana bo cy di
        ana  create group ~team
        ana  add ~team bo admin
        ana  add ~team cy admin
        ana  add ~team di
        bo   remove ~team cy       -> bo: err not_allowed
        bo   remove ~team ana      -> bo: err not_allowed
        bo   ban ~team cy          -> bo: err not_allowed
        bo   mute ~team cy 5       -> bo: err not_allowed
        bo   role ~team cy member  -> bo: err not_allowed
        bo   role ~team di admin   -> bo: err not_allowed
        bo   role ~team bo owner   -> bo: err not_allowed
        bo   role ~team di reader  -> bo: ok ~team#5
        ana  role ~team cy member  -> ana: ok ~team#6
        ana  role ~team cy owner   -> ana: ok ~team#7
        ana  remove ~team cy       -> ana: err not_allowed
        ana  role ~team cy member  -> ana: err not_allowed
        bo   role ~team bo member  -> bo: ok ~team#8
        bo   mute ~team di 5       -> bo: err not_allowed
        ana  role ~team nobody member -> ana: err no_user
        ana  role ~team root member   -> ana: err no_user
    "#);
}

#[test]
fn a_room_keeps_an_owner() {
    run(r#"
        accounts ana bo
        root connect
        ana  create group ~team
        ana  add ~team bo
        ana  leave ~team             -> ana: err last_owner
        ana  role ~team ana member   -> ana: err last_owner
        ana  role ~team ana owner    -> ana: err already
        ana  role ~team bo owner     -> ana: ok ~team#3
        ana  leave ~team             -> ana: ok ~team#4
                                      | ana: out ~team left
        bo   role ~team bo admin     -> bo: err last_owner
        // But for the only member there is nobody to keep it for.
        bo   leave ~team             -> bo: ok ~team#5
                                      | bo: out ~team left
        bo   join ~team              -> bo: err no_room
        root role lobby root member  -> root: err last_owner
        root leave lobby             -> root: err wrong_kind
    "#);
}

#[test]
fn a_guest_who_visits_keeps_no_owner_in_an_open_room() {
    run(r#"
        accounts ana bo
        guest gus
        ana  create open attic
        gus  join attic
        ana  leave attic     -> ana: ok attic#2
                              | gus: attic#2 ana leave
                              | ana: out attic left
        // Guests come in without an entry: all is well for the next account.
        bo   join attic
        bo   members attic   -> bo: ok attic [bo owner online 3/3, gus member online 1/1] of 2
        gus  leave attic
        ana  join attic
        bo   leave attic     -> bo: err last_owner
    "#);
}

#[test]
fn who_comes_first_into_a_room_that_all_had_left_owns_it() {
    run(r#"
        accounts ana bo cy
        ana  create open attic
        ana  leave attic     -> ana: ok attic#2
                              | ana: out attic left
        bo   join attic
        cy   join attic
        bo   members attic   -> bo: ok attic [bo owner online 3/3, cy member online 5/5] of 2
        // Who owns nothing leaves nothing to anybody.
        delete account cy    -> cy: closed LoggedOut
                              | bo: attic#6 cy leave
    "#);
}

#[test]
fn a_role_is_told_to_who_has_it_on_every_session() {
    run(r#"
        accounts ana bo
        bo.2 connect
        root connect
        show room
        root role lobby bo reader  -> root: ok lobby#1
                                    | bo: room lobby reader seq=1 read=1 left=0+0
                                    | bo.2: room lobby reader seq=1 read=1 left=0+0
        root role lobby bo reader  -> root: err already
        bo   post lobby "x"        -> bo: err not_allowed
    "#);
}

#[test]
fn a_ban_keeps_out_who_is_in_and_who_is_not() {
    run(r#"
        accounts ana bo cy
        ana  create group ~team
        ana  add ~team bo
        ana  ban ~team bo       -> ana: ok ~team#3
                                 | bo: out ~team banned
        ana  add ~team bo       -> ana: err banned
        ana  ban ~team bo       -> ana: err already
        ana  ban ~team cy       -> ana: ok ~team#4
        ana  ban ~team ana      -> ana: err oneself
        ana  ban ~team nobody   -> ana: err no_user
        ana  ban ~team bo off   -> ana: ok ~team#5
        ana  ban ~team bo off   -> ana: err already
        ana  add ~team bo       -> ana: ok ~team#6
        // Somebody with the token of an invite room knows of it.
        ana  create invite ~inv
        ana  ban ~inv bo        -> ana: ok ~inv#2
        bo   join ~inv          -> bo: err banned
        bo   post ~inv "x"      -> bo: err not_member
    "#);
}

#[test]
fn a_mute_passes() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo
        bo   post ~team "1"           -> bo: ok ~team#3
        ana  mute ~team bo 5000       -> ana: ok ~team#4
        wait 1000
        bo   post ~team "2"           -> bo: err muted after 4000
        bo   edit ~team 3 "2"         -> bo: err muted after 4000
        bo   react ~team 3 👍         -> bo: err muted after 4000
        bo   typing ~team             -> nothing
        bo   history ~team limit 1    -> bo: ok ~team [#4 ana mute bo] more as_of=4
        bo   delete ~team 3           -> bo: ok ~team#5
        wait 4000
        bo   post ~team "3"           -> bo: ok ~team#6
        ana  mute ~team bo 0          -> ana: err already
        ana  mute ~team bo 5000       -> ana: ok ~team#7
        ana  mute ~team bo 0          -> ana: ok ~team#8
        bo   post ~team "4"           -> bo: ok ~team#9
        ana  mute ~team ana 5         -> ana: err oneself
        ana  mute ~team root 5        -> ana: err no_user
        // A year at most.
        ana  mute ~team bo 99999999999999 -> ana: ok ~team#10
        bo   post ~team "5"           -> bo: err muted after 31536000000
    "#);
}

#[test]
fn a_read_only_room_takes_posts_of_moderators() {
    run(r#"
        accounts ana bo
        show room
        ana  create group ~team       -> ana: ok room ~team "team" owner seq=1 read=1 left=0+0
        ana  add ~team bo             -> ana: ok ~team#2
                                       | bo: room ~team "team" member seq=2 read=2 left=0+0
        bo   post ~team "1"           -> bo: ok ~team#3
        ana  join ~team               -> ana: ok ~team seq=3
        // Who is attached sees the entry, who is not is told of the room.
        ana  read_only ~team          -> ana: ok ~team#4
                                       | ana: ~team#4 ana mode read_only slow=0
                                       | bo: room ~team "team" member seq=4 read=3 left=0+0 read_only
        ana  read_only ~team          -> ana: err already
        bo   post ~team "2"           -> bo: err read_only
        bo   edit ~team 3 "2"         -> bo: err read_only
        bo   react ~team 3 👍         -> bo: ok ~team#5
                                       | ana: ~team#5 bo react 3 👍
        ana  post ~team "3"           -> ana: ok ~team#6
                                       | ana: ~team#6 ana "3"
        ana  read_only ~team off      -> ana: ok ~team#7
                                       | ana: ~team#7 ana mode slow=0
                                       | bo: room ~team "team" member seq=7 read=3 left=1+0
        bo   post ~team "4"           -> bo: ok ~team#8
                                       | ana: ~team#8 bo "4"
        ana  rename ~team "Crew"      -> ana: ok ~team#9
                                       | ana: ~team#9 ana rename "Crew"
                                       | bo: room ~team "Crew" member seq=9 read=8 left=0+0
        ana  rename ~team "Crew"      -> ana: err already
    "#);
}

#[test]
fn a_name_is_given_to_one_open_room() {
    run(r#"
        accounts ana bo
        guest gus
        gus  create open den     -> gus: err guests_not
        gus  create group ~team  -> gus: err guests_not
        ana  create open lobby   -> ana: err name_taken
        ana  create open system  -> ana: err name_taken
        ana  create open a11     -> ana: err name_taken
        log  holds
        ana  create open den1    -> nothing
        bo   create open den1    -> bo: err name_taken
        bo   create open denl    -> bo: err name_taken
        log  works
        bo   rooms               -> bo: ok rooms [lobby] open [den1]
        log  fails
        ana  create open den2    -> ana: err unavailable after 700
        log  works
        bo   create open den2    -> bo: ok room den2 owner seq=1 read=1 left=0+0
    "#);
}

#[test]
fn two_people_have_one_direct_room_whoever_asks() {
    run(r#"
        accounts ana bo cy
        guest gus
        show room
        ana  direct ana ~aa     -> ana: err oneself
        ana  direct nobody ~an  -> ana: err no_user
        ana  direct gus ~ag     -> ana: err guests_not
        gus  direct ana ~ga     -> gus: err guests_not
        log  holds
        ana  direct bo ~ab      -> nothing
        bo   direct ana ~ba     -> nothing
        bo   direct ANA ~bc     -> nothing
        log  answers            -> bo: room ~ab "ana" member seq=1 read=1 left=0+0
                                 | ana: ok room ~ab "bo" member seq=1 read=1 left=0+0
                                 | bo: ok room ~ab "ana" member seq=1 read=1 left=0+0
                                 | bo: ok room ~ab "ana" member seq=1 read=1 left=0+0
        log  works
        bo   direct ana ~ba     -> bo: ok room ~ab "ana" member seq=1 read=1 left=0+0
        // All are told when it cannot be.
        log  fails
        log  holds
        ana  direct cy ~ac
        cy   direct ana ~ca
        log  answers            -> ana: err unavailable after 700
                                 | cy: err unavailable after 700
        log  works
        cy   direct ana ~ca     -> ana: room ~ca "cy" member seq=1 read=1 left=0+0
                                 | cy: ok room ~ca "ana" member seq=1 read=1 left=0+0
    "#);
}

#[test]
fn a_person_is_in_so_many_rooms_and_no_more() {
    let mut script = String::from("accounts ana bo\nana create open den\nana create group ~team\n");
    (0..1_000).for_each(|n| script += &format!("bo create group ~g{n}\n"));
    script += "bo create group ~more -> bo: err too_many
        bo create open more -> bo: err too_many
        bo join den -> bo: err too_many
        bo direct ana ~ab -> bo: err too_many
        ana direct bo ~ab -> ana: err too_many
        ana add ~team bo -> ana: err too_many
        hide out
        bo leave ~g7
        bo join den -> bo: ok den seq=2\n";
    run_unlimited(&script);
}

#[test]
fn who_is_banned_is_listed_to_who_may_ban() {
    run(r#"
        accounts ana bo cy
        guest gus
        ana  create open den
        bo   join den
        ana  bans den          -> ana: ok bans den []
        ana  ban den gus
        ana  ban den cy
        ana  ban den bo
        ana  ban den cy off
        ana  bans den          -> ana: ok bans den [bo, gus]
        ana  bans den limit 1  -> ana: ok bans den [bo] more
        ana  bans den after BO -> ana: ok bans den [gus]
        cy   bans den          -> cy: err not_member
        cy   join den
        cy   bans den          -> cy: err not_allowed
        ana  bans lobby        -> ana: err wrong_kind
        ana  create group ~team
        cy   bans ~team        -> cy: err no_room
        // A guest who is forgotten has no name to be told by, and is banned still.
        gus  gone
        wait 700000
        ana  bans den          -> ana: ok bans den [bo]
        ana  ban den bo off
        ana  bans den          -> ana: ok bans den []
    "#);
}
