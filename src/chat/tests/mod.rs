//! The chat as scripts: one row for each command, in virtual time, with what everybody is told for it.
//!
//! ```text
//! ana  join lobby      -> ana: ok lobby seq=0
//! bo   post ~team "hi" -> bo: err no_room
//! ```
//!
//! `script.rs` says what a row can be, `shown.rs` how what is told is written. `world.rs` runs the chat against a log that
//! answers when told, and holds every script to what must always be so.

mod held_log;
mod script;
mod shown;
mod world;

mod accounts;
mod costs;
mod cursors;
mod ending;
mod failures;
mod governing;
mod invites;
mod joining;
mod lapsing;
mod matrix;
mod mentions;
mod posting;
mod presence;
mod random;
mod reading;
mod replaying;
mod restoring;
mod typing;
