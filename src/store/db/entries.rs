//! The table of all logs, and what later entries make of a post.

use rusqlite::{Connection, OptionalExtension, params};

use super::fields::{POST, TOMBSTONE, signed, unsigned};
use super::index;
use super::row::{Row, columns};
use super::trouble::Trouble;
use crate::chat::{Author, Body, Emoji, PersonId, PostKey, ReactionsMax, RoomNo, Seq, UnixMs};

/// Where the index for searches ends, in the order of commits.
type Indexed = i64;

/// Appends a row, and answers with its place in the order of all commits; `None` if its author gave its key in this room
/// before.
pub(super) fn append(db: &Connection, row: &Row<'_>) -> Result<Option<i64>, Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO entries (room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, pinned, crc)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, 0, ?14)
         ON CONFLICT (key, author, room) WHERE key IS NOT NULL DO NOTHING",
    )?;
    let appended = insert.execute(params![
        signed(row.room.0),
        signed(row.seq.0),
        row.fields.kind,
        signed(row.at.0),
        signed(row.author.0),
        row.name,
        signed(row.posts),
        row.fields.about.map(|seq| signed(seq.0)),
        row.fields.value,
        row.fields.text,
        row.fields.people.as_deref(),
        row.key,
        row.digest.map(|digest| signed(digest.0)),
        row.crc(),
    ])?;
    Ok((appended > 0).then(|| db.last_insert_rowid()))
}

/// The row at a place, if there is one.
pub(super) fn find<T>(
    db: &Connection,
    room: RoomNo,
    seq: Seq,
    then: impl FnOnce(Row<'_>) -> Result<T, Trouble>,
) -> Result<Option<T>, Trouble> {
    let mut select = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq = ?2 AND kind < 16
         UNION ALL
         SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq = ?2 AND kind >= 16"
    ))?;
    let mut rows = select.query(params![signed(room.0), signed(seq.0)])?;
    match rows.next()? {
        Some(columns) => then(Row::read(columns)?).map(Some),
        None => Ok(None),
    }
}

/// The last row of a room, if there is one.
pub(super) fn find_last<T>(
    db: &Connection,
    room: RoomNo,
    then: impl FnOnce(Row<'_>) -> Result<T, Trouble>,
) -> Result<Option<T>, Trouble> {
    match last_seq(db, room)? {
        Seq::START => Ok(None),
        last => find(db, room, last, then),
    }
}

/// How many posts of a room are pinned, one not counted.
pub(super) fn pinned_but(db: &Connection, room: RoomNo, post: Seq) -> Result<u64, Trouble> {
    let mut select = db.prepare_cached(
        "SELECT count(*) FROM entries WHERE room = ?1 AND pinned = 1 AND seq <> ?2",
    )?;
    let count = select.query_one([signed(room.0), signed(post.0)], |row| row.get(0))?;
    Ok(unsigned(count))
}

/// Whether a person may react to a post in this way, for all that others have put to it.
pub(super) fn has_room_for_reaction(
    db: &Connection,
    (room, post): (RoomNo, Seq),
    emoji: &Emoji,
    by: PersonId,
    max: ReactionsMax,
) -> Result<bool, Trouble> {
    let (room, post, emoji) = (signed(room.0), signed(post.0), emoji.as_str());
    let mut others = db.prepare_cached(
        "SELECT count(*) FROM (
             SELECT 1 FROM reactions WHERE room = ?1 AND post = ?2 AND emoji = ?3 AND author <> ?4 LIMIT ?5
         )",
    )?;
    let people: u16 =
        others.query_one(params![room, post, emoji, signed(by.0), max.people], |row| row.get(0))?;
    // From one to the next, past all who have put it.
    let mut next = db.prepare_cached(
        "SELECT emoji FROM reactions WHERE room = ?1 AND post = ?2 AND emoji > ?3 ORDER BY emoji LIMIT 1",
    )?;
    let (mut last, mut different) = (String::new(), 0);
    while different < max.emoji {
        let Some(found) = next.query_row(params![room, post, last], |row| row.get(0)).optional()?
        else {
            break;
        };
        last = found;
        different += u16::from(last != emoji);
    }
    Ok(people < max.people && different < max.emoji)
}

/// The last place of a room.
pub(super) fn last_seq(db: &Connection, room: RoomNo) -> Result<Seq, Trouble> {
    let mut select = db.prepare_cached(
        "SELECT max(ifnull((SELECT max(seq) FROM entries WHERE room = ?1 AND kind < 16), 0),
                    ifnull((SELECT max(seq) FROM entries WHERE room = ?1 AND kind >= 16), 0))",
    )?;
    let seq = select.query_one([signed(room.0)], |row| row.get(0))?;
    Ok(Seq(unsigned(seq)))
}

/// The post with a key.
pub(super) fn find_keyed<T>(
    db: &Connection,
    room: RoomNo,
    author: PersonId,
    key: &PostKey,
    then: impl FnOnce(Row<'_>) -> Result<T, Trouble>,
) -> Result<Option<T>, Trouble> {
    let mut select = db.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND author = ?2 AND key = ?3"
    ))?;
    let mut rows = select.query(params![signed(room.0), signed(author.0), key.as_str()])?;
    match rows.next()? {
        Some(columns) => then(Row::read(columns)?).map(Some),
        None => Ok(None),
    }
}

/// Gives a post another text.
pub(super) fn edit(
    db: &Connection,
    (room, post): (RoomNo, Seq),
    body: &Body,
    at: UnixMs,
    indexed: Indexed,
) -> Result<(), Trouble> {
    let before = find_post(db, room, post, |row| Ok(Rewrite::of(&row, &row.edited(body, at))))?;
    index::replace(db, room, &before.text, before.no, Some(body.as_str()), indexed)?;
    let mut update =
        db.prepare_cached("UPDATE entries SET text = ?2, edited = ?3, crc = ?4 WHERE no = ?1")?;
    update.execute(params![before.no, body.as_str(), signed(at.0), before.crc])?;
    Ok(())
}

/// Makes a post a tombstone.
pub(super) fn wipe(
    db: &Connection,
    (room, post): (RoomNo, Seq),
    indexed: Indexed,
) -> Result<(), Trouble> {
    let before = find_post(db, room, post, |row| Ok(Rewrite::of(&row, &row.wiped())))?;
    index::replace(db, room, &before.text, before.no, None, indexed)?;
    let mut update = db.prepare_cached(
        "UPDATE entries SET kind = ?2, about = NULL, value = 0, text = NULL, people = NULL, edited = NULL, pinned = 0,
             crc = ?3
         WHERE no = ?1",
    )?;
    update.execute(params![before.no, TOMBSTONE, before.crc])?;
    let mut delete = db.prepare_cached("DELETE FROM reactions WHERE room = ?1 AND post = ?2")?;
    delete.execute(params![signed(room.0), signed(post.0)])?;
    Ok(())
}

/// Pins or unpins a post.
pub(super) fn pin(db: &Connection, (room, post): (RoomNo, Seq), on: bool) -> Result<(), Trouble> {
    let before =
        find_post(db, room, post, |row| Ok(Rewrite::of(&row, &Row { pinned: on, ..row.clone() })))?;
    let mut update = db.prepare_cached("UPDATE entries SET pinned = ?2, crc = ?3 WHERE no = ?1")?;
    update.execute(params![before.no, on, before.crc])?;
    Ok(())
}

/// Puts a reaction to a post, or takes it back.
pub(super) fn react(
    db: &Connection,
    (room, post): (RoomNo, Seq),
    emoji: &Emoji,
    by: &Author,
    put_by: Option<Seq>,
) -> Result<(), Trouble> {
    let (room, post, author) = (signed(room.0), signed(post.0), signed(by.id.0));
    match put_by {
        Some(Seq(seq)) => db
            .prepare_cached(
                "INSERT INTO reactions (room, post, emoji, author, name, seq) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
                 ON CONFLICT DO NOTHING",
            )?
            .execute(params![room, post, emoji.as_str(), author, by.name.as_str(), signed(seq)])?,
        None => db
            .prepare_cached(
                "DELETE FROM reactions WHERE room = ?1 AND post = ?2 AND emoji = ?3 AND author = ?4",
            )?
            .execute(params![room, post, emoji.as_str(), author])?,
    };
    Ok(())
}

/// What is needed to rewrite a row: copied, since it is read from the page that is about to change.
struct Rewrite {
    no: i64,
    text: String,
    crc: u32,
}

impl Rewrite {
    fn of(before: &Row<'_>, after: &Row<'_>) -> Self {
        let text = before.fields.text.unwrap_or_default().to_owned();
        Self { no: before.no, text, crc: after.crc() }
    }
}

/// The row of a post that has to be there.
fn find_post<T>(
    db: &Connection,
    room: RoomNo,
    post: Seq,
    then: impl FnOnce(Row<'_>) -> Result<T, Trouble>,
) -> Result<T, Trouble> {
    let found = find(db, room, post, |row| match row.fields.kind {
        POST => then(row),
        _ => Err(Trouble::Damage),
    })?;
    found.ok_or(Trouble::Damage)
}
