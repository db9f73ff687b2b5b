//! Reading: history, search, members, rooms, users.

use super::script::run;

#[test]
fn history_is_pages_of_lines_as_they_are_now() {
    run(r#"
        accounts ana bo
        ana  post lobby "1"
        ana  post lobby "2"
        ana  post lobby "3"
        ana  edit lobby 2 "two"
        bo   react lobby 2 👍
        ana  delete lobby 1
        ana  post lobby "4"
        bo   history lobby                   -> bo: ok lobby [#1 ana deleted, #2 ana "two" edited 👍[bo], #3 ana "3", #7 ana "4"] as_of=7
        bo   history lobby limit 2           -> bo: ok lobby [#3 ana "3", #7 ana "4"] more as_of=7
        bo   history lobby before 3 limit 1  -> bo: ok lobby [#2 ana "two" edited 👍[bo]] more as_of=7
        bo   history lobby after 2 limit 1   -> bo: ok lobby [#3 ana "3"] more as_of=7
        bo   history lobby after 3           -> bo: ok lobby [#7 ana "4"] as_of=7
        bo   history lobby before 1          -> bo: ok lobby [] as_of=7
        bo   history nowhere                 -> bo: err no_room
    "#);
}

#[test]
fn a_search_finds_what_one_may_read() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  create open den
        ana  post lobby "tea in the lobby"
        ana  post ~team "secret tea"
        ana  post den "open tea"
        bo   search "TEA"               -> bo: ok found [lobby#1 <tea> in the lobby]
        bo   search "tea" in ~team      -> bo: err no_room
        bo   search "tea" in den        -> bo: err not_member
        bo   join den
        wait 1
        ana  post lobby "more tea"
        bo   search "tea"               -> bo: ok found [lobby#2 more <tea>, den#2 open <tea>, lobby#1 <tea> in the lobby]
        bo   search "tea" limit 1       -> bo: ok found [lobby#2 more <tea>] more
        bo   search "tea" limit 1 skip 1 -> bo: ok found [den#2 open <tea>] more
        bo   search "tea" in den        -> bo: ok found [den#2 open <tea>]
        ana  search "secret tea"        -> ana: ok found [~team#2 <secret> <tea>]
        bo   search "coffee"            -> bo: ok found []
    "#);
}

#[test]
fn what_is_read_for_somebody_who_was_put_out_meanwhile_is_not_told() {
    run(r#"
        accounts ana bo
        ana  create group ~team
        ana  add ~team bo
        ana  post ~team "secret tea"
        ana  post lobby "tea"
        log  holds
        bo   history ~team
        bo   search "tea"
        bo   search "tea" in ~team
        log  reads
        ana  remove ~team bo
        log  answers  -> ana: ok ~team#4
                       | bo: out ~team removed
        log  shows    -> bo: err no_room
                       | bo: ok found [lobby#1 <tea>]
                       | bo: err no_room
    "#);
}

#[test]
fn what_cannot_be_read_is_refused_with_the_reason() {
    run(r#"
        accounts ana
        log  fails
        ana  history lobby    -> ana: err unavailable after 700
        ana  search "x"       -> ana: err unavailable after 700
        log  fails costly
        ana  search "x"       -> ana: err too_costly
        log  fails corrupt
        ana  history lobby    -> ana: err corrupt
    "#);
}

#[test]
fn members_are_listed_by_name_page_by_page() {
    run(r#"
        accounts bo ana Cy
        guest gus
        bo   create open den
        ana  join den
        Cy   join den
        gus  join den
        bo   post den "x"
        ana  read den 4
        bo   mute den ana 60000
        Cy   gone
        wait 8000
        bo   members den                 -> bo: ok den [ana member online 4/4 muted, bo owner online 4/4, Cy member seen 3/3, gus member online 3/3] of 4
        gus  members den after BO limit 1 -> gus: ok den [Cy member seen 3/3] of 4 more
        gus  members den limit 1         -> gus: ok den [ana member online 4/4] of 4 more
        gus  members den after gus       -> gus: ok den [] of 4
        bo   members lobby               -> bo: ok lobby [ana member online, bo member online, Cy member seen, gus member online, root owner] of 5
        bo   members lobby after b limit 1 -> bo: ok lobby [bo member online] of 5 more
    "#);
}

#[test]
fn users_are_accounts_and_guests_who_are_present() {
    run(r#"
        accounts ana anabel bo Андрей
        guest angus
        bo   users              -> bo: ok users [ana, anabel, angus, bo, root, Андрей]
        bo   users AN           -> bo: ok users [ana, anabel, angus]
        bo   users an limit 2   -> bo: ok users [ana, anabel]
        bo   users а            -> bo: ok users [Андрей]
        bo   users x*200        -> bo: ok users []
        angus gone
        wait 8000
        bo   users an           -> bo: ok users [ana, anabel]
    "#);
}

#[test]
fn rooms_are_ones_own_and_those_open_to_join() {
    run(r#"
        accounts ana bo
        ana  create open zoo
        ana  create open den
        ana  create group ~team
        bo   join zoo
        bo   rooms  -> bo: ok rooms [lobby, zoo] open [den, zoo]
        ana  rooms  -> ana: ok rooms [lobby, zoo, den, ~team] open [den, zoo]
    "#);
}
