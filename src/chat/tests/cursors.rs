//! Cursors: told together, after a while, and kept.

use super::script::{run, run_unlimited};

#[test]
fn what_has_moved_is_told_together_after_a_while() {
    run(r#"
        accounts ana bo
        bo.2 connect
        ana  create group ~team
        ana  add ~team bo
        ana  join ~team
        bo   join ~team
        ana  post ~team "1"
        ana  post ~team "2"
        wait 500
        show read received
        bo   received ~team 3  -> nothing
        wait 400               -> nothing
        bo   received ~team 4  -> nothing
        bo   read ~team 3      -> nothing
        wait 100               -> ana: received ~team bo 4
                                | bo: received ~team bo 4
                                | ana: read ~team bo 3
                                | bo: read ~team bo 3
                                | bo: read ~team bo 3 left=1+0
                                | bo.2: read ~team bo 3 left=1+0
        // Never back, and never beyond what there is.
        bo   read ~team 2      -> nothing
        bo   received ~team 1  -> nothing
        wait 500               -> nothing
        bo   read ~team 99     -> nothing
        wait 500               -> ana: read ~team bo 4
                                | bo: read ~team bo 4
                                | bo: read ~team bo 4 left=0+0
                                | bo.2: read ~team bo 4 left=0+0
        ana  members ~team     -> ana: ok ~team [ana owner online 4/4, bo member online 4/4] of 2
    "#);
}

#[test]
fn ones_own_post_is_read() {
    run(r#"
        accounts ana bo
        bo.2 connect
        ana  create group ~team
        ana  add ~team bo
        ana  post ~team "1"
        bo   join ~team
        wait 500
        show read
        // Nobody has to be told but one's other sessions.
        bo   post ~team "2"    -> bo: ok ~team#4
                                | bo: ~team#4 bo "2"
        wait 500               -> bo: read ~team bo 4 left=0+0
                                | bo.2: read ~team bo 4 left=0+0
        ana  post ~team "3"    -> ana: ok ~team#5
                                | bo: ~team#5 ana "3"
        wait 500               -> nothing
        show room
        ana  rename ~team "T"  -> ana: ok ~team#6
                                | bo: ~team#6 ana rename "T"
                                | ana: room ~team "T" owner seq=6 read=5 left=0+0
                                | bo.2: room ~team "T" member seq=6 read=4 left=1+0
    "#);
}

#[test]
fn a_cursor_that_cannot_be_stored_is_stored_later() {
    run(r#"
        accounts ana bo
        bo   join lobby
        ana  post lobby "1"
        wait 500
        show read
        log  fails
        bo   read lobby 1  -> nothing
        wait 500           -> bo: read lobby bo 1
        wait 700           -> nothing
        log  works
        wait 700           -> bo: read lobby bo 1 left=0+0
    "#);
}

#[test]
fn an_answer_that_is_older_than_what_was_read_since_is_not_told() {
    run(r#"
        accounts ana bo
        ana  create open den
        bo   join den
        ana  post den "1"
        ana  post den "2"
        wait 500
        show read
        log  holds
        bo   read den 3    -> nothing
        wait 500           -> bo: read den bo 3
        bo   read den 4    -> nothing
        log  answers       -> nothing
        wait 500           -> bo: read den bo 4
        log  answers       -> bo: read den bo 4 left=0+0
    "#);
}

#[test]
fn a_guests_cursor_is_kept_in_memory_as_far_as_that_reaches() {
    run(r#"
        accounts ana
        guest gus
        ana  create open den
        gus  join den
        ana  post den "1"
        ana  post den "2"
        ana  post den "3"
        wait 500
        show read
        gus  read den 2   -> nothing
        wait 500          -> gus: read den gus 2
                           | gus: read den gus 2 left=2+0
        gus  read den 4   -> nothing
        wait 500          -> gus: read den gus 4
                           | gus: read den gus 4 left=0+0
    "#);
}

#[test]
fn a_crowd_that_reads_along_is_stored_bit_by_bit() {
    use super::script::Runner;
    use super::world::World;
    use crate::chat::Limits;
    let limits = Limits { commands_per_second: 0, entries_per_second: 0, ..Limits::default() };
    let mut runner = Runner::new(World::new(limits, true));
    let names: Vec<String> = (0..600).map(|n| format!("p{n}")).collect();
    runner.told(&format!("accounts {}", names.join(" ")));
    runner.told("p0 post lobby hi");
    runner.told("wait 500");
    let before = runner.world.log.committed;
    for name in &names[1..] {
        runner.told(&format!("{name} read lobby 1"));
    }
    for (wait, stored) in [(500, 256), (500, 512), (500, 599), (500, 599)] {
        runner.told(&format!("wait {wait}"));
        assert_eq!(runner.world.log.committed - before, stored);
    }
}

#[test]
fn cursors_of_who_has_left_are_not_told() {
    run_unlimited(
        r#"
        accounts ana bo
        ana  create open den
        ana  join den
        bo   join den
        ana  post den "1"
        wait 500
        show read received
        bo   read den 3     -> nothing
        bo   leave den      -> bo: ok den#4
                             | ana: den#4 bo leave
                             | bo: den#4 bo leave
                             | bo: out den left
        wait 500            -> nothing
        bo   read den 3     -> nothing
        wait 500            -> nothing
    "#,
    );
}
