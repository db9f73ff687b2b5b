//! What is written when the program ends.

use super::super::log::Write;
use super::super::*;
use super::script::Runner;
use super::world::World;

/// What is asked of the log when all ends after these rows.
fn written_at_the_end(script: &str) -> Vec<Write> {
    let mut runner = Runner::new(World::new(Limits::default(), true));
    for row in script.lines().map(str::trim).filter(|row| !row.is_empty()) {
        runner.told(row);
    }
    let world = &mut runner.world;
    world.log.at_once = false;
    world.with(|chat, now, effects| chat.end(now, effects));
    let written = world.log.asked().cloned().collect();
    runner.run("");
    written
}

#[test]
fn whoever_is_present_at_the_end_was_last_seen_then() {
    let written = written_at_the_end(
        "accounts ana bo cy
         guest gus
         cy gone
         wait 8000
         wait 1000
         bo gone
         wait 7000",
    );
    let seen = |no, at: u64| Write::Seen { person: PersonId(no), at: UnixMs(1_000_000 + at) };
    assert_eq!(
        written,
        [seen(2, 16_000), seen(3, 9_000)],
        "ana until the end, bo as long as he was"
    );
}

#[test]
fn what_was_read_a_moment_before_the_end_is_written() {
    let written = written_at_the_end(
        "accounts ana bo
         guest gus
         ana create group ~team
         ana add ~team bo
         ana create invite ~tea
         ana post lobby one
         ana post ~team two
         ana post ~tea three
         wait 500
         bo read lobby 1
         bo received ~team 3
         gus read lobby 1
         ana received ~tea 2",
    );
    let cursors = written.into_iter().filter_map(|write| match write {
        Write::Cursor { person, room, received, read } => {
            Some((person.0, room.0, received.0, read.0))
        }
        _ => None,
    });
    assert_eq!(cursors.collect::<Vec<_>>(), [(3, 1, 1, 1), (3, 2, 3, 2)]);
}
