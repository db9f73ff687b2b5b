//! Mentions: who is meant, and how they are counted.

use super::script::run;

#[test]
fn a_mention_is_of_somebody_who_may_read_it() {
    run(r#"
        accounts ana bo cy
        guest gus
        ana  create group ~team
        ana  add ~team bo
        ana  join ~team
        ana  post ~team "@bo @cy @Bo. @nobody a@bo" -> ana: ok ~team#3
                                                     | ana: ~team#3 ana "@bo @cy @Bo. @nobody a@bo" @[bo]
        ana  post ~team "@ana!"                     -> ana: ok ~team#4
                                                     | ana: ~team#4 ana "@ana!" @[ana]
        ana  join lobby
        ana  post lobby "@gus, @CY-- and @root"     -> ana: ok lobby#1
                                                     | ana: lobby#1 ana "@gus, @CY-- and @root" @[gus, cy, root]
        ana  create open den
        ana  join den
        gus  join den
        ana  post den "@gus @bo"                    -> ana: ok den#2
                                                     | ana: den#2 ana "@gus @bo" @[gus]
                                                     | gus: den#2 ana "@gus @bo" @[gus]
    "#);
}

#[test]
fn mentions_by_others_are_counted_until_they_are_read() {
    run(r#"
        accounts ana bo
        show room
        ana  create group ~team -> ana: ok room ~team "team" owner seq=1 read=1 left=0+0
        ana  add ~team bo       -> ana: ok ~team#2
                                 | bo: room ~team "team" member seq=2 read=2 left=0+0
        ana  post ~team "@bo"   -> ana: ok ~team#3
        ana  post ~team "@ana"  -> ana: ok ~team#4
        ana  post ~team "hi"    -> ana: ok ~team#5
        ana  role ~team bo admin -> ana: ok ~team#6
                                 | bo: room ~team "team" admin seq=6 read=2 left=3+1
        show read
        bo   read ~team 3       -> nothing
        wait 500                -> bo: read ~team bo 3 left=2+0
        ana  role ~team bo member -> ana: ok ~team#7
                                 | bo: room ~team "team" member seq=7 read=3 left=2+0
    "#);
}

#[test]
fn a_mention_in_the_lobby_concerns_even_who_was_never_there() {
    run(r#"
        accounts ana bo
        root connect
        ana  post lobby "old"    -> ana: ok lobby#1
        ana  post lobby "@bo"    -> ana: ok lobby#2
        ana  post lobby "new"    -> ana: ok lobby#3
        show room
        root role lobby bo admin -> root: ok lobby#4
                                  | bo: room lobby admin seq=4 read=1 left=2+1
        wait 500
        root role lobby bo member -> root: ok lobby#5
                                  | bo: room lobby member seq=5 read=1 left=2+1
    "#);
}
