//! Replays, and pages of a history.
//!
//! Invariants:
//! * What is read is of one moment: entries, their marks and where the log ends.
//! * A replay has no gap, and the posts of a page are counted without one; else the log is damaged, and nothing of it is
//!   served.

use std::slice;

use rusqlite::{Connection, params};

use super::entries;
use super::fields::{POST, TOMBSTONE, signed, unsigned};
use super::row::{Row, columns};
use super::trouble::Trouble;
use crate::chat::limits::REACTIONS_MAX;
use crate::chat::log::ReadOut;
use crate::chat::{Body, Emoji, Marks, Name, Reaction, Record, RoomNo, Seq, What};

/// Every entry of a room after `after` and up to `through`, as far as the texts stay within `bytes_max`; with as many
/// reactions as there is room for then.
pub(super) fn replay(
    db: &mut Connection,
    room: RoomNo,
    after: Seq,
    through: Seq,
    bytes_max: usize,
) -> Result<ReadOut, Trouble> {
    let snapshot = db.transaction()?;
    let mut page = Page::new(bytes_max);
    let mut select = snapshot.prepare_cached(concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND kind < 16
         UNION ALL
         SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq > ?2 AND seq <= ?3 AND kind >= 16
         ORDER BY 2"
    ))?;
    let mut rows = select.query([signed(room.0), place(after), place(through)])?;
    let mut expected = after.next();
    while let Some(columns) = rows.next()? {
        let row = Row::read(columns)?;
        if row.seq != expected {
            return Err(Trouble::Damage);
        }
        expected = expected.next();
        if !page.take(&snapshot, &row)? {
            break;
        }
    }
    if !page.more && expected <= through {
        return Err(Trouble::Damage);
    }
    let bytes_left = page.bytes_left;
    page.add_reactions(&snapshot, room, bytes_left)?;
    page.finish(&snapshot, room)
}

/// At most `limit` lines before a place, the nearest.
pub(super) fn lines_before(
    db: &mut Connection,
    room: RoomNo,
    before: Seq,
    limit: u16,
) -> Result<ReadOut, Trouble> {
    const LINES: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq < ?2 AND kind < 16
         ORDER BY seq DESC LIMIT ?3"
    );
    let snapshot = db.transaction()?;
    let mut page = Page::new(PAGE_BYTES_MAX);
    let mut count = Count::default();
    lines(&snapshot, LINES, room, before, limit, &mut page, |row| count.go_back(row))?;
    if !page.more && !count.is_at_the_first() {
        return Err(Trouble::Damage);
    }
    page.records.reverse();
    page.add_reactions(&snapshot, room, REACTION_BYTES_PER_PAGE_MAX)?;
    page.finish(&snapshot, room)
}

/// At most `limit` lines after a place, the nearest.
pub(super) fn lines_after(
    db: &mut Connection,
    room: RoomNo,
    after: Seq,
    limit: u16,
) -> Result<ReadOut, Trouble> {
    const LINES: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq > ?2 AND kind < 16
         ORDER BY seq LIMIT ?3"
    );
    let snapshot = db.transaction()?;
    let mut page = Page::new(PAGE_BYTES_MAX);
    let mut count = Count::default();
    lines(&snapshot, LINES, room, after, limit, &mut page, |row| count.go_on(row))?;
    page.add_reactions(&snapshot, room, REACTION_BYTES_PER_PAGE_MAX)?;
    page.finish(&snapshot, room)
}

/// At most `limit` pinned posts before a place, the nearest.
pub(super) fn pins_before(
    db: &mut Connection,
    room: RoomNo,
    before: Seq,
    limit: u16,
) -> Result<ReadOut, Trouble> {
    const PINS: &str = concat!(
        "SELECT ",
        columns!(),
        " FROM entries WHERE room = ?1 AND seq < ?2 AND pinned = 1
         ORDER BY seq DESC LIMIT ?3"
    );
    let snapshot = db.transaction()?;
    let mut page = Page::new(PAGE_BYTES_MAX);
    // They are those that are pinned by their CRC, too; that none is missing is not known.
    lines(&snapshot, PINS, room, before, limit, &mut page, |row| row.pinned)?;
    page.records.reverse();
    // One by one: between them may be any number of posts, with any number of reactions.
    let mut bytes_left = REACTION_BYTES_PER_PAGE_MAX;
    for record in &mut page.records {
        let place = record.entry.seq;
        add_reactions(&snapshot, room, (place, place), slice::from_mut(record), &mut bytes_left)?;
    }
    page.finish(&snapshot, room)
}

fn lines(
    snapshot: &Connection,
    sql: &str,
    room: RoomNo,
    from: Seq,
    limit: u16,
    page: &mut Page,
    mut counts: impl FnMut(&Row<'_>) -> bool,
) -> Result<(), Trouble> {
    let mut select = snapshot.prepare_cached(sql)?;
    let one_more = i64::from(limit) + 1;
    let mut rows = select.query(params![signed(room.0), place(from), one_more])?;
    while let Some(columns) = rows.next()? {
        let row = Row::read(columns)?;
        if !counts(&row) {
            return Err(Trouble::Damage);
        }
        if page.records.len() == usize::from(limit) {
            page.more = true;
        }
        if page.more || !page.take(snapshot, &row)? {
            break;
        }
    }
    Ok(())
}

/// A place as SQLite compares it. What is beyond its numbers is beyond every log.
fn place(seq: Seq) -> i64 {
    i64::try_from(seq.0).unwrap_or(i64::MAX)
}

/// Posts as lines count them: each line says how many there are up to and including it.
#[derive(Debug, Default)]
struct Count {
    /// How many there have to be up to and including the next line, if that is known.
    next: Option<u64>,
    last: Option<u64>,
}

impl Count {
    fn go_on(&mut self, row: &Row<'_>) -> bool {
        let fits = self.last.is_none_or(|last| row.posts == last + one_if_post(row));
        self.last = Some(row.posts);
        fits
    }

    fn go_back(&mut self, row: &Row<'_>) -> bool {
        let fits = self.next.is_none_or(|next| row.posts == next);
        self.next = row.posts.checked_sub(one_if_post(row));
        fits && self.next.is_some()
    }

    fn is_at_the_first(&self) -> bool {
        self.next.is_none_or(|next| next == 0)
    }
}

fn one_if_post(row: &Row<'_>) -> u64 {
    matches!(row.fields.kind, POST | TOMBSTONE).into()
}

/// Records, as far as their texts stay within a limit.
struct Page {
    records: Vec<Record>,
    bytes_left: usize,
    more: bool,
}

impl Page {
    fn new(bytes_max: usize) -> Self {
        Self { records: Vec::new(), bytes_left: bytes_max, more: false }
    }

    /// Adds a record, or answers that there is no room for it.
    fn take(&mut self, snapshot: &Connection, row: &Row<'_>) -> Result<bool, Trouble> {
        let record = record(snapshot, row)?;
        match self.bytes_left.checked_sub(record.entry.text_bytes()) {
            Some(left) => {
                self.bytes_left = left;
                self.records.push(record);
            }
            None => self.more = true,
        }
        Ok(!self.more)
    }

    /// All at once: of records between whose posts there are no others.
    fn add_reactions(
        &mut self,
        snapshot: &Connection,
        room: RoomNo,
        mut bytes_left: usize,
    ) -> Result<(), Trouble> {
        let ([first, .., last] | [first @ last]) = &self.records[..] else { return Ok(()) };
        let places = (first.entry.seq, last.entry.seq);
        add_reactions(snapshot, room, places, &mut self.records, &mut bytes_left)
    }

    fn finish(self, snapshot: &Connection, room: RoomNo) -> Result<ReadOut, Trouble> {
        let as_of = entries::last_seq(snapshot, room)?;
        Ok(ReadOut::Page { records: self.records, more: self.more, as_of })
    }
}

/// What a row says now; its reactions apart.
pub(super) fn record(snapshot: &Connection, row: &Row<'_>) -> Result<Record, Trouble> {
    let mut entry = row.entry()?;
    if let What::Edit { post, body } = &mut entry.what {
        *body = text_of(snapshot, row.room, *post)?;
    }
    let marks = Marks { edited: row.edited, pinned: row.pinned, reactions: Vec::new() };
    Ok(Record { entry, marks })
}

/// The text that a post has now; `None` if it was deleted.
fn text_of(snapshot: &Connection, room: RoomNo, post: Seq) -> Result<Option<Body>, Trouble> {
    let found =
        entries::find(snapshot, room, post, |row| match (row.fields.kind, row.fields.text) {
            (POST, Some(text)) => Ok(Some(Body::stored(text))),
            (TOMBSTONE, _) => Ok(None),
            _ => Err(Trouble::Damage),
        })?;
    found.ok_or(Trouble::Damage)
}

/// Puts the reactions to the posts of a range under them, the first ones, as far as there are bytes left: one that is not
/// shown takes its part as well, so that nobody reads for long past thousands of them. `records` are in the order of their
/// places.
pub(super) fn add_reactions(
    snapshot: &Connection,
    room: RoomNo,
    (first, last): (Seq, Seq),
    records: &mut [Record],
    bytes_left: &mut usize,
) -> Result<(), Trouble> {
    let mut select = snapshot.prepare_cached(
        "SELECT post, emoji, name FROM reactions WHERE room = ?1 AND post BETWEEN ?2 AND ?3 ORDER BY post, seq",
    )?;
    let mut rows = select.query([signed(room.0), place(first), place(last)])?;
    while let Some(columns) = rows.next()? {
        let post = Seq(unsigned(columns.get(0)?));
        let found = records.binary_search_by_key(&post, |record| record.entry.seq);
        let Ok(index) = found else { continue };
        let (emoji, name): (String, String) = (columns.get(1)?, columns.get(2)?);
        let (emoji, name) = (Emoji::stored(&emoji), Name::stored(&name));
        let reactions = &mut records[index].marks.reactions;
        let there = reactions.iter().position(|reaction| reaction.emoji == emoji);
        let emoji_bytes = there.map_or(Reaction::emoji_bytes(&emoji), |_| 0);
        let left = bytes_left.checked_sub(emoji_bytes + Reaction::name_bytes(&name));
        let Some(left) = left else { break };
        *bytes_left = left;
        react(reactions, there, emoji, name);
    }
    Ok(())
}

/// In the order in which each emoji was first used, and under it by whom. `there` is where the emoji is already.
fn react(reactions: &mut Vec<Reaction>, there: Option<usize>, emoji: Emoji, user: Name) {
    match there {
        Some(index) if reactions[index].users.len() < REACTION_USERS_MAX => {
            reactions[index].users.push(user);
        }
        None if reactions.len() < usize::from(REACTIONS_MAX.emoji) => {
            reactions.push(Reaction { emoji, users: vec![user] });
        }
        _ => {}
    }
}

/// Bytes of text of one page of a history or a search, as of one replay: what a page comes to on the wire has to fit in an
/// outbox.
pub(super) const PAGE_BYTES_MAX: usize = 256 * 1024;
/// People under one reaction that are read, the earliest. Nobody looks at more.
const REACTION_USERS_MAX: usize = 256;
/// Bytes of the reactions to all posts of one page, [as they are sent](Reaction::bytes): a crowd that has reacted to all of
/// them makes no page that takes the loop long to tell. With the texts, and what JSON adds to them, they leave a third of an
/// outbox. A page of a busy room has some kilobytes.
pub(super) const REACTION_BYTES_PER_PAGE_MAX: usize = 256 * 1024;
