//! All that is kept in memory, as the file has it when it is opened.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::fields::{mode, room_kind, unsigned};
use super::governance::{lapse_of, standing_of};
use super::people::NO_PASSWORD;
use super::trouble::Trouble;
use super::{Db, entries};
use crate::chat::log::{Restored, RestoredMember, RestoredPerson, RestoredRoom};
use crate::chat::{Author, Epoch, Lapse, Name, PersonId, Profile, RoomId, RoomNo, Seq, UnixMs};
use crate::store::accounts::{SessionNo, StoredAccount, StoredSession};
use crate::store::{OpenError, tables::Standing};

/// What a store has when it opens.
#[derive(Debug)]
pub(in crate::store) struct Stored {
    pub(in crate::store) restored: Restored,
    pub(in crate::store) accounts: Vec<StoredAccount>,
    pub(in crate::store) sessions: Vec<StoredSession>,
    pub(in crate::store) secret: [u8; 32],
}

impl Db {
    /// Everything but the logs themselves.
    pub(in crate::store) fn stored(&self) -> Result<Stored, OpenError> {
        let db = &self.connection;
        let (people, accounts) = people(db)?;
        let secret =
            db.query_one("SELECT value FROM state WHERE name = 'secret'", [], |row| row.get(0))?;
        Ok(Stored {
            restored: Restored { people, rooms: rooms(db)? },
            accounts,
            sessions: sessions(db)?,
            secret,
        })
    }
}

fn people(db: &Connection) -> Result<(Vec<RestoredPerson>, Vec<StoredAccount>), Trouble> {
    let mut select =
        db.prepare("SELECT id, name, phc, display, hue, last_seen FROM people ORDER BY id")?;
    let mut rows = select.query([])?;
    let (mut people, mut accounts) = (Vec::new(), Vec::new());
    while let Some(row) = rows.next()? {
        let person = PersonId(number(row, 0)?);
        let name = Name::stored(&row.get::<_, String>(1)?);
        let phc: Option<Arc<str>> = row.get(2)?;
        let display: Option<String> = row.get(3)?;
        let last_seen: Option<i64> = row.get(5)?;
        people.push(RestoredPerson {
            author: Author { id: person, name: name.clone() },
            profile: Profile { display: display.map(|name| Name::stored(&name)), hue: row.get(4)? },
            last_seen: last_seen.map(|at| UnixMs(unsigned(at))),
            deleted: phc.is_none(),
        });
        accounts.extend(phc.map(|phc| {
            let phc = Some(phc).filter(|phc| **phc != *NO_PASSWORD);
            StoredAccount { person, name, phc }
        }));
    }
    Ok((people, accounts))
}

fn sessions(db: &Connection) -> Result<Vec<StoredSession>, Trouble> {
    let mut select = db.prepare(
        "SELECT no, person, token_sha256, created, used, label FROM sessions ORDER BY no",
    )?;
    let mut rows = select.query([])?;
    let mut sessions = Vec::new();
    while let Some(row) = rows.next()? {
        sessions.push(StoredSession {
            no: SessionNo(number(row, 0)?),
            person: PersonId(number(row, 1)?),
            token_sha256: row.get(2)?,
            created: UnixMs(number(row, 3)?),
            last_used: UnixMs(number(row, 4)?),
            label: row.get(5)?,
        });
    }
    Ok(sessions)
}

fn rooms(db: &Connection) -> Result<Vec<RestoredRoom>, Trouble> {
    let mut members = members(db)?;
    let (mut banned, mut lapses) = (banned(db)?, lapses(db)?);
    let mut select =
        db.prepare("SELECT no, id, kind, title, epoch, rules, mode FROM rooms ORDER BY no")?;
    let mut rows = select.query([])?;
    let mut rooms = Vec::new();
    while let Some(row) = rows.next()? {
        let no = RoomNo(number(row, 0)?);
        let last = entries::find_last(db, no, |row| Ok((row.seq, row.at, row.posts)))?;
        let (seq, at, posts) = last.unwrap_or_default();
        rooms.push(RestoredRoom {
            no,
            id: RoomId::stored(&row.get::<_, String>(1)?),
            kind: room_kind(row.get(2)?)?,
            title: row.get(3)?,
            epoch: Epoch::from_text(&row.get::<_, String>(4)?),
            seq,
            at,
            rules: Seq(number(row, 5)?),
            posts,
            mode: mode(row.get(6)?)?,
            members: members.remove(&no).unwrap_or_default(),
            banned: banned.remove(&no).unwrap_or_default(),
            lapses: lapses.remove(&no).unwrap_or_default(),
        });
    }
    Ok(rooms)
}

/// By room, each in the order of their numbers.
fn members(db: &Connection) -> Result<HashMap<RoomNo, Vec<RestoredMember>>, Trouble> {
    let mentions = mentions(db)?;
    let mut select = db.prepare(
        "SELECT room, person, role, muted_until, received, read, posts_read FROM members ORDER BY room, person",
    )?;
    let mut rows = select.query([])?;
    let mut members: HashMap<_, Vec<_>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let (room, person) = (RoomNo(number(row, 0)?), PersonId(number(row, 1)?));
        let standing =
            standing_of([row.get(2)?, row.get(3)?, row.get(4)?, row.get(5)?, row.get(6)?])?;
        let Standing { role, muted_until, received, read, posts_read } = standing;
        let mentions = mentions.get(&(room, person)).copied().unwrap_or(0);
        members.entry(room).or_default().push(RestoredMember {
            person,
            role,
            muted_until,
            received,
            read,
            posts_read,
            mentions,
        });
    }
    Ok(members)
}

fn mentions(db: &Connection) -> Result<HashMap<(RoomNo, PersonId), u64>, Trouble> {
    let mut select =
        db.prepare("SELECT room, person, count(*) FROM mentions GROUP BY room, person")?;
    let mut rows = select.query([])?;
    let mut mentions = HashMap::new();
    while let Some(row) = rows.next()? {
        let of = (RoomNo(number(row, 0)?), PersonId(number(row, 1)?));
        mentions.insert(of, number(row, 2)?);
    }
    Ok(mentions)
}

fn banned(db: &Connection) -> Result<HashMap<RoomNo, Vec<PersonId>>, Trouble> {
    let mut select = db.prepare("SELECT room, person FROM bans")?;
    let mut rows = select.query([])?;
    let mut banned: HashMap<_, Vec<_>> = HashMap::new();
    while let Some(row) = rows.next()? {
        banned.entry(RoomNo(number(row, 0)?)).or_default().push(PersonId(number(row, 1)?));
    }
    // SQLite has guests' numbers below all others.
    banned.values_mut().for_each(|banned| banned.sort_unstable());
    Ok(banned)
}

/// By room, each in the order of their numbers.
fn lapses(db: &Connection) -> Result<HashMap<RoomNo, Vec<(PersonId, Lapse)>>, Trouble> {
    let mut select =
        db.prepare("SELECT room, person, role, muted_until FROM lapses ORDER BY room, person")?;
    let mut rows = select.query([])?;
    let mut lapses: HashMap<_, Vec<_>> = HashMap::new();
    while let Some(row) = rows.next()? {
        let lapse = lapse_of([row.get(2)?, row.get(3)?])?;
        let person = PersonId(number(row, 1)?);
        lapses.entry(RoomNo(number(row, 0)?)).or_default().push((person, lapse));
    }
    Ok(lapses)
}

fn number(row: &Row<'_>, column: usize) -> Result<u64, Trouble> {
    Ok(unsigned(row.get(column)?))
}
