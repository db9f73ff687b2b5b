//! What a reader makes of the rows: pages, replays and searches, each in the most obvious way.

use std::rc::Rc;

use super::dice::Dice;
use super::rows::{Room, Row, Rows};
use crate::chat::log::{Failure, Read, ReadOut};
use crate::chat::{Hit, Record, RoomNo, Seq, What};

/// Answers a read from rows as they were at one moment.
pub(crate) fn read(rows: &Rows, read: &Read) -> ReadOut {
    match read {
        &Read::Replay { room, after, through, bytes_max } => {
            page(rows, room, |room| replay(room, after, through, bytes_max))
        }
        &Read::Before { room, before, limit } => page(rows, room, |room| {
            let mut lines: Vec<_> =
                lines(room).take_while(|record| record.entry.seq < before).collect();
            let more = lines.len() > usize::from(limit);
            let records = lines.split_off(lines.len().saturating_sub(limit.into()));
            (records, more)
        }),
        &Read::After { room, after, limit } => page(rows, room, |room| {
            let mut lines: Vec<_> =
                lines(room).skip_while(|record| record.entry.seq <= after).collect();
            let more = lines.len() > usize::from(limit);
            lines.truncate(limit.into());
            (lines, more)
        }),
        &Read::Pins { room, before, limit } => page(rows, room, |room| {
            let pins = lines(room).take_while(|record| record.entry.seq < before);
            let mut pins: Vec<_> = pins.filter(|record| record.marks.pinned).collect();
            let more = pins.len() > usize::from(limit);
            let records = pins.split_off(pins.len().saturating_sub(limit.into()));
            (records, more)
        }),
        Read::Search { query, rooms, skip, limit } => search(rows, query, rooms, *skip, *limit),
    }
}

/// Leaves one record out, and does not say so.
pub(crate) fn drop_one(out: &mut ReadOut, dice: &mut Dice) {
    if let ReadOut::Page { records, .. } = out
        && !records.is_empty()
    {
        let index = dice.below(records.len() as u64);
        records.remove(usize::try_from(index).expect("an index"));
    }
}

fn page(rows: &Rows, room: RoomNo, records: impl FnOnce(&Room) -> (Vec<Record>, bool)) -> ReadOut {
    let Some(room) = rows.room(room) else { return ReadOut::Failed(Failure::Corrupt) };
    let (records, more) = records(room);
    ReadOut::Page { records, more, as_of: room.last() }
}

fn lines(room: &Room) -> impl Iterator<Item = Record> {
    let lines = room.log.iter().filter(|row| row.record.entry.what.is_line());
    lines.map(|row| row.record.clone())
}

fn replay(room: &Room, after: Seq, through: Seq, bytes_max: usize) -> (Vec<Record>, bool) {
    let mut records = Vec::new();
    let mut bytes = 0;
    let is_asked = |row: &&Rc<Row>| (after.next()..=through).contains(&row.appended.seq);
    for row in room.log.iter().filter(is_asked) {
        let record = as_it_is_now(room, row);
        bytes += record.entry.text_bytes();
        if bytes > bytes_max {
            return (records, true);
        }
        records.push(record);
    }
    (records, false)
}

/// An edit has the text that its post has now, or none if that was deleted.
fn as_it_is_now(room: &Room, row: &Row) -> Record {
    let mut record = row.record.clone();
    if let What::Edit { post, body } = &mut record.entry.what {
        *body = match room.row(*post).map(|row| &row.record.entry.what) {
            Some(What::Post(post)) => Some(post.body.clone()),
            _ => None,
        };
    }
    record
}

fn search(rows: &Rows, query: &str, rooms: &[RoomNo], skip: u32, limit: u16) -> ReadOut {
    let query = query.to_lowercase();
    let mut hits: Vec<_> = rooms
        .iter()
        .filter_map(|no| rows.room(*no))
        .flat_map(|room| room.log.iter().filter_map(|row| hit(room, row, &query)))
        .collect();
    hits.sort_by_key(|hit| std::cmp::Reverse((hit.record.entry.at, hit.record.entry.seq)));
    let mut hits: Vec<_> = hits.into_iter().skip(skip as usize).collect();
    let more = hits.len() > usize::from(limit);
    hits.truncate(limit.into());
    ReadOut::Found { hits, more }
}

fn hit(room: &Room, row: &Row, query: &str) -> Option<Hit> {
    let What::Post(post) = &row.record.entry.what else { return None };
    let text = post.body.as_str();
    let has = |word: &str| text.to_lowercase().contains(word);
    let mut words = query.split_whitespace().peekable();
    let is_hit = words.peek().is_some() && words.all(has);
    is_hit.then(|| Hit { room: room.id.clone(), record: row.record.clone(), snippet: text.into() })
}
