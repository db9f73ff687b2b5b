//! The log fails: whoever asked is told, and nothing has changed.

use super::script::run;

#[test]
fn what_is_not_written_has_not_happened() {
    run(r#"
        accounts ana bo
        bo   join lobby
        ana  create group ~team
        ana  add ~team bo
        log  fails
        ana  post lobby "x"          -> ana: err unavailable after 700
        ana  remove ~team bo         -> ana: err unavailable after 700
        ana  rename ~team "other"    -> ana: err unavailable after 700
        ana  create group ~more      -> ana: err unavailable after 700
        ana  create open den         -> ana: err unavailable after 700
        ana  direct bo ~ab           -> ana: err unavailable after 700
        ana  leave ~team             -> ana: err last_owner
        log  fails corrupt
        ana  post lobby "x"          -> ana: err corrupt
        log  works
        bo   post ~team "still here" -> bo: ok ~team#3
        ana  rooms                   -> ana: ok rooms [lobby, ~team] open []
        ana  post lobby "x"          -> ana: ok lobby#1
                                      | bo: lobby#1 ana "x"
    "#);
}

#[test]
fn an_invite_room_needs_no_disk() {
    run(r#"
        accounts ana
        log  fails
        ana  create invite ~inv  -> ana: ok room ~inv "" owner seq=1 read=1 left=0+0
        ana  join ~inv           -> ana: ok ~inv seq=1
        ana  post ~inv "x"       -> ana: ok ~inv#2
                                  | ana: ~inv#2 ana "x"
        ana  history ~inv limit 1 -> ana: ok ~inv [#2 ana "x"] more as_of=2
    "#);
}

#[test]
fn a_session_that_has_gone_is_not_answered() {
    run(r#"
        accounts ana bo
        bo   join lobby
        log  holds
        ana  post lobby "x"
        ana  history lobby
        ana  direct bo ~ab
        ana  gone
        log  answers  -> bo: lobby#1 ana "x"
        log  shows    -> nothing
        ana  connect
        ana  ping     -> ana: pong
    "#);
}
