//! Typing: passed on, not too often, and to nobody who should not know.

use super::script::run;

#[test]
fn typing_is_passed_on_to_others_and_not_too_often() {
    run(r#"
        accounts ana bo
        bo.2 connect
        ana  join lobby
        bo   join lobby
        bo.2 join lobby
        bo   typing lobby      -> ana: typing lobby bo
                                | bo.2: typing lobby bo
        bo   typing lobby      -> nothing
        bo.2 typing lobby      -> nothing
        wait 2000
        bo   typing lobby      -> ana: typing lobby bo
                                | bo.2: typing lobby bo
        bo   typing lobby off  -> ana: typing lobby bo stopped
                                | bo.2: typing lobby bo stopped
        bo   typing lobby off  -> nothing
        // Stopping and going on is no way round it.
        bo   typing lobby      -> nothing
        wait 2000
        bo   typing lobby      -> ana: typing lobby bo
                                | bo.2: typing lobby bo
        // A post says by itself that they have stopped.
        bo   post lobby "x"    -> bo: ok lobby#1
                                | ana: lobby#1 bo "x"
                                | bo: lobby#1 bo "x"
                                | bo.2: lobby#1 bo "x"
        bo   typing lobby off  -> nothing
        wait 6000
        bo   typing lobby off  -> nothing
        bo   typing lobby      -> ana: typing lobby bo
                                | bo.2: typing lobby bo
        // It ends by itself, which nobody is told.
        wait 6000              -> nothing
        bo   typing lobby off  -> nothing
    "#);
}

#[test]
fn who_may_not_post_does_not_write() {
    run(r#"
        accounts ana bo cy
        ana  create open den
        ana  join den
        bo   join den          -> ana: den#2 bo join
                                | bo: ok den seq=2
        cy   typing den        -> nothing
        ana  role den bo reader
        bo   typing den        -> nothing
        ana  role den bo member
        ana  read_only den
        bo   typing den        -> nothing
        ana  typing den        -> bo: typing den ana
        bo   typing nowhere    -> nothing
    "#);
}
