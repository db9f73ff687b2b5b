//! Who is present, and who is told.

use super::script::{run, run_unlimited};

#[test]
fn a_small_room_is_told_who_comes_and_goes() {
    run(r#"
        show presence
        accounts ana
        ana  join lobby   -> ana: ok lobby seq=0
                           | ana: presence lobby [ana]
        accounts bo       -> ana: presence lobby +bo
        bo   join lobby   -> bo: ok lobby seq=0
                           | bo: presence lobby [ana, bo]
        // A second tab is not a second person.
        bo.2 connect      -> nothing
        bo   gone         -> nothing
        wait 9000         -> nothing
        bo.2 gone         -> nothing
        wait 7999         -> nothing
        wait 1            -> ana: presence lobby -bo seen
        wait 9000         -> nothing
        bo   connect      -> ana: presence lobby +bo
    "#);
}

#[test]
fn of_who_is_deleted_it_is_not_told_when_they_were_there() {
    run(r#"
        show presence
        accounts ana bo
        ana  join lobby
        bo   gone
        wait 8000         -> ana: presence lobby -bo seen
        bo   connect      -> ana: presence lobby +bo
        delete account bo -> bo: closed LoggedOut
                           | ana: presence lobby -bo
    "#);
}

#[test]
fn a_reload_is_not_told() {
    run(r#"
        show presence
        accounts ana bo
        ana  join lobby  -> ana: ok lobby seq=0
                          | ana: presence lobby [ana, bo]
        bo   gone        -> nothing
        wait 7999        -> nothing
        bo   connect     -> nothing
        wait 9000        -> nothing
        bo   gone        -> nothing
        bo   connect     -> nothing
        bo   gone        -> nothing
        wait 1000
        bo   connect     -> nothing
        wait 1000
        // The time begins anew.
        bo   gone        -> nothing
        wait 7999        -> nothing
        wait 1           -> ana: presence lobby -bo seen
    "#);
}

#[test]
fn presence_is_of_members_wherever_they_look() {
    run(r#"
        show presence
        accounts ana bo cy
        guest gus
        ana  create group ~team
        ana  join ~team          -> ana: ok ~team seq=1
                                  | ana: presence ~team [ana]
        ana  add ~team bo        -> ana: ok ~team#2
                                  | ana: ~team#2 ana add bo member
                                  | ana: presence ~team +bo
        cy   gone
        wait 8000
        ana  add ~team cy        -> ana: ok ~team#3
                                  | ana: ~team#3 ana add cy member
        cy   connect             -> ana: presence ~team +cy
        ana  remove ~team cy     -> ana: ok ~team#4
                                  | ana: ~team#4 ana remove cy
                                  | cy: out ~team removed
                                  | ana: presence ~team -cy
        bo   gone
        wait 8000                -> ana: presence ~team -bo seen
        ana  create open den
        ana  join den            -> ana: ok den seq=1
                                  | ana: presence den [ana]
        gus  join den            -> ana: presence den +gus
                                  | gus: ok den seq=1
                                  | gus: presence den [ana, gus]
        gus  gone
        wait 8000                -> ana: presence den -gus
    "#);
}

#[test]
fn a_large_room_is_told_how_many_and_a_shrunk_one_who() {
    let crowd: String = (0..200).map(|n| format!(" p{n}")).collect();
    let leaving: String = (0..199).map(|n| format!("p{n} gone\n")).collect();
    let script = format!(
        r#"
        accounts ana
        show presence
        ana  join lobby        -> ana: ok lobby seq=0
                                | ana: presence lobby [ana]
        hide presence
        accounts{crowd}
        show presence
        accounts bo            -> nothing
        wait 1                 -> nothing
        accounts cy            -> nothing
        wait 1999              -> ana: presence lobby 203
        wait 9000              -> nothing
        bo   join lobby        -> bo: ok lobby seq=0
                                | bo: presence lobby 203
        // Nobody's cursor or typing is told by name.
        ana  post lobby "x"    -> ana: ok lobby#1
                                | ana: lobby#1 ana "x"
                                | bo: lobby#1 ana "x"
        show read
        bo   typing lobby      -> nothing
        bo   read lobby 1      -> nothing
        wait 500               -> bo: read lobby bo 1 left=0+0
        {leaving}
        wait 9999              -> nothing
        wait 1                 -> ana: presence lobby [ana, bo, cy, p199]
                                | bo: presence lobby [ana, bo, cy, p199]
        cy   gone
        wait 8000              -> ana: presence lobby -cy seen
                                | bo: presence lobby -cy seen
    "#
    );
    run_unlimited(&script);
}
