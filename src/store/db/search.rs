//! Searches.
//!
//! The index tells which posts have the words. Their texts are looked at one by one, for the words that have to stand together,
//! and for what is shown of them.
//!
//! Invariant: what is given up is given up within the time it takes to look at one text.

use std::slice;
use std::time::{Duration, Instant};

use rusqlite::{Connection, params};

use super::fields::signed;
use super::pages::{self, PAGE_BYTES_MAX, REACTION_BYTES_PER_PAGE_MAX};
use super::query::Query;
use super::row::{Row, columns};
use super::snippet::snippet;
use super::trouble::Trouble;
use super::words::Words;
use crate::chat::event::Hit;
use crate::chat::log::{Failure, ReadOut};
use crate::chat::{RoomId, RoomNo};

/// Posts in one of the rooms that have all the words, newest first: `limit` of them, after the first `skip`. One that takes
/// longer than `time_max` is given up.
pub(super) fn search(
    db: &mut Connection,
    words: &mut Words,
    query: &Query,
    rooms: &[RoomNo],
    page: (u32, u16),
    time_max: Duration,
) -> Result<ReadOut, Trouble> {
    let until = Instant::now() + time_max;
    db.progress_handler(OPS_BETWEEN_LOOKS, Some(move || Instant::now() > until))?;
    let found = find(db, words, query, rooms, page, until);
    db.progress_handler(0, None::<fn() -> bool>)?;
    found
}

fn find(
    db: &mut Connection,
    words: &mut Words,
    query: &Query,
    rooms: &[RoomNo],
    (skip, limit): (u32, u16),
    until: Instant,
) -> Result<ReadOut, Trouble> {
    let snapshot = db.transaction()?;
    let mut select = snapshot.prepare_cached(concat!(
        "SELECT ", columns!(), ", rooms.id
         FROM search CROSS JOIN entries ON entries.no = search.rowid CROSS JOIN rooms ON rooms.no = entries.room
         WHERE search MATCH ?1 AND entries.room IN (SELECT value FROM json_each(?2))
         ORDER BY search.rowid DESC LIMIT ?3 OFFSET ?4"
    ))?;
    // Where the index finds more than there is, its places are not those of the hits.
    let (mut skip, rows_max, rows_skipped) = match query.has_phrases {
        true => (skip, -1, 0),
        false => (0, i64::from(limit) + 1, skip),
    };
    let mut rows =
        select.query(params![query.in_index, json_list(rooms), rows_max, rows_skipped])?;
    let mut hits = Vec::new();
    let (mut bytes_left, mut reactions_left) = (PAGE_BYTES_MAX, REACTION_BYTES_PER_PAGE_MAX);
    while let Some(columns) = rows.next()? {
        if Instant::now() > until {
            return Ok(ReadOut::Failed(Failure::TooCostly));
        }
        let row = Row::read(columns)?;
        let text = row.fields.text.unwrap_or_default();
        let Some(marked) = words.marked(text, &query.in_text)? else { continue };
        if skip > 0 {
            skip -= 1;
            continue;
        }
        let mut record = pages::record(&snapshot, &row)?;
        let left = bytes_left.checked_sub(record.entry.text_bytes());
        let Some(left) = left.filter(|_| hits.len() < usize::from(limit)) else {
            return Ok(ReadOut::Found { hits, more: true });
        };
        bytes_left = left;
        let place = (row.seq, row.seq);
        let records = slice::from_mut(&mut record);
        pages::add_reactions(&snapshot, row.room, place, records, &mut reactions_left)?;
        let room = RoomId::stored(&columns.get::<_, String>(17)?);
        hits.push(Hit { room, record, snippet: snippet(&marked) });
    }
    Ok(ReadOut::Found { hits, more: false })
}

fn json_list(rooms: &[RoomNo]) -> String {
    let rooms: Vec<_> = rooms.iter().map(|room| signed(room.0).to_string()).collect();
    format!("[{}]", rooms.join(","))
}

/// Steps of SQLite's machine between two looks at the clock: some ten microseconds.
const OPS_BETWEEN_LOOKS: i32 = 1_000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Place;

    #[test]
    fn a_search_that_takes_too_long_is_given_up() {
        let (mut db, _) = super::super::open(&Place::Memory).unwrap();
        db.tamper(
            "INSERT INTO search (rowid, text, room)
             WITH RECURSIVE n (no) AS (SELECT 1 UNION ALL SELECT no + 1 FROM n LIMIT 10000)
             SELECT no, 'word', 1 FROM n",
        );
        let mut search = |time_max| {
            let (rooms, words) = ([RoomNo(1)], &mut db.words);
            let query = Query::of("word", &rooms, words).unwrap().unwrap();
            search(&mut db.connection, words, &query, &rooms, (0, 1), time_max)
        };
        let given_up = search(Duration::ZERO).unwrap_err();
        assert!(given_up.is_interrupted(), "{given_up}");
        let found = search(Duration::from_secs(60)).unwrap();
        assert_eq!(found, ReadOut::Found { hits: Vec::new(), more: false });
    }
}
