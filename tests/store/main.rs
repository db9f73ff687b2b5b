//! The store on a real file: what survives, what is refused, and what happens when the disk does not play along.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod archive;
mod broken_disk;
mod crash;
mod damage;
mod lanes;
mod near;
mod reopening;
mod upgrading;
