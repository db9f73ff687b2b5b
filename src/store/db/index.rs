//! The words of posts, for searches.
//!
//! Posts are indexed after they were committed, in their order, whenever the writer has time; the file says how far. What
//! replaces or deletes a post's text takes the old words out of the index in the same transaction.

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
