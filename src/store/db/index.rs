//! The words of posts, for searches.
//!
//! Posts are indexed after they were committed, in their order, whenever the writer has time; the file says how far. What
//! replaces or deletes a post's text takes the old words out of the index in the same transaction.
//!
//! It says which posts have a word, and no longer where: FTS5 gathers in memory what there is about all the words that begin as
//! the one that is looked for. Of 14,000 posts of 790 times the same word that was 29 MiB, and is 2. The
//! index was 11.5 MiB for these and as many short ones, and is 0.5; to extend it takes two thirds of the time.

use rusqlite::{Connection, params};

use super::fields::signed;
use super::trouble::Trouble;
use crate::chat::RoomNo;

/// How far the index reaches, in the order of commits.
pub(super) fn reach(db: &Connection) -> Result<i64, Trouble> {
    let mut select =
        db.prepare_cached("SELECT ifnull(max(value), 0) FROM state WHERE name = 'indexed'")?;
    Ok(select.query_one([], |row| row.get(0))?)
}

/// Extends the index over the rows after `after` up to and including `through`.
pub(super) fn extend(db: &Connection, after: i64, through: i64) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO search (rowid, text, room) SELECT no, text, room FROM entries
         WHERE no > ?1 AND no <= ?2 AND kind = 1",
    )?;
    insert.execute([after, through])?;
    let mut update =
        db.prepare_cached("INSERT OR REPLACE INTO state (name, value) VALUES ('indexed', ?1)")?;
    update.execute([through])?;
    // Each transaction leaves a part of the index of its own, and a search goes through every part for each of its words.
    let mut merge = db.prepare_cached("INSERT INTO search (search, rank) VALUES ('merge', ?1)")?;
    merge.execute([PAGES_MERGED])?;
    Ok(())
}

/// Takes a post's words out of the index, and those of its new text in. Nothing to do for what is not indexed yet.
pub(super) fn replace(
    db: &Connection,
    room: RoomNo,
    before: &str,
    no: i64,
    after: Option<&str>,
    indexed: i64,
) -> Result<(), Trouble> {
    if no > indexed {
        return Ok(());
    }
    let room = signed(room.0);
    let mut delete = db.prepare_cached(
        "INSERT INTO search (search, rowid, text, room) VALUES ('delete', ?1, ?2, ?3)",
    )?;
    delete.execute(params![no, before, room])?;
    if let Some(after) = after {
        let mut insert =
            db.prepare_cached("INSERT INTO search (rowid, text, room) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![no, after, room])?;
    }
    Ok(())
}

/// Pages of the index, of 4 KiB, that are put together at a time: about a millisecond's work, and more than most extensions
/// write.
const PAGES_MERGED: i64 = 64;
