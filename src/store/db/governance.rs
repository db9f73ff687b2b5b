//! Rooms, members, lapses, bans and mentions.

use rusqlite::{Connection, OptionalExtension, params};

use super::fields::{mode_code, role, role_code, room_kind, room_kind_code, signed, unsigned};
use super::trouble::Trouble;
use super::{entries, people};
use crate::chat::log::Create;
use crate::chat::{Lapse, Mode, PersonId, Role, RoomId, RoomNo, Seq, UnixMs};
use crate::store::tables::{Head, Standing};

pub(super) fn head(db: &Connection, room: RoomNo) -> Result<Option<Head>, Trouble> {
    let mut select = db.prepare_cached("SELECT kind, rules FROM rooms WHERE no = ?1")?;
    let found = select
        .query_one([signed(room.0)], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)));
    let Some((kind, rules)) = found.optional()? else { return Ok(None) };
    let last = entries::find_last(db, room, |row| Ok((row.seq, row.posts)))?;
    let (seq, posts) = last.unwrap_or_default();
    Ok(Some(Head { kind: room_kind(kind)?, seq, rules: Seq(unsigned(rules)), posts }))
}

pub(super) fn room_called(db: &Connection, id: &RoomId) -> Result<Option<RoomNo>, Trouble> {
    let mut select = db.prepare_cached("SELECT no FROM rooms WHERE id = ?1")?;
    let no = select.query_one([id.as_str()], |row| row.get(0)).optional()?;
    Ok(no.map(|no| RoomNo(unsigned(no))))
}

pub(super) fn last_room(db: &Connection) -> Result<Option<RoomNo>, Trouble> {
    let no: Option<i64> =
        db.prepare_cached("SELECT max(no) FROM rooms")?.query_one([], |row| row.get(0))?;
    Ok(no.map(|no| RoomNo(unsigned(no))))
}

pub(super) fn create(db: &Connection, room: RoomNo, create: &Create) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO rooms (no, id, kind, title, epoch) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    insert.execute(params![
        signed(room.0),
        create.id.as_str(),
        room_kind_code(create.kind),
        create.title.as_deref(),
        create.epoch.as_str(),
    ])?;
    Ok(())
}

pub(super) fn set_rules(db: &Connection, room: RoomNo, seq: Seq) -> Result<(), Trouble> {
    let mut update = db.prepare_cached("UPDATE rooms SET rules = ?2 WHERE no = ?1")?;
    update.execute(params![signed(room.0), signed(seq.0)])?;
    Ok(())
}

pub(super) fn set_title(db: &Connection, room: RoomNo, title: &str) -> Result<(), Trouble> {
    let mut update = db.prepare_cached("UPDATE rooms SET title = ?2 WHERE no = ?1")?;
    update.execute(params![signed(room.0), title])?;
    Ok(())
}

pub(super) fn set_mode(db: &Connection, room: RoomNo, mode: Mode) -> Result<(), Trouble> {
    let mut update = db.prepare_cached("UPDATE rooms SET mode = ?2 WHERE no = ?1")?;
    update.execute(params![signed(room.0), mode_code(mode)])?;
    Ok(())
}

pub(super) fn standing(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
) -> Result<Option<Standing>, Trouble> {
    let mut select = db.prepare_cached(
        "SELECT role, muted_until, received, read, posts_read FROM members WHERE room = ?1 AND person = ?2",
    )?;
    let columns: Option<[i64; 5]> = select
        .query_one([signed(room.0), signed(person.0)], |row| {
            Ok([row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?, row.get(4)?])
        })
        .optional()?;
    Ok(columns.map(standing_of).transpose()?)
}

/// From the columns `role, muted_until, received, read, posts_read`.
pub(super) fn standing_of(columns: [i64; 5]) -> Result<Standing, super::trouble::Damage> {
    let [code, muted_until, received, read, posts_read] = columns;
    Ok(Standing {
        role: role(code)?,
        muted_until: UnixMs(unsigned(muted_until)),
        received: Seq(unsigned(received)),
        read: Seq(unsigned(read)),
        posts_read: unsigned(posts_read),
    })
}

pub(super) fn put_member(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
    standing: &Standing,
) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO members (room, person, role, muted_until, received, read, posts_read)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?;
    insert.execute(params![
        signed(room.0),
        signed(person.0),
        role_code(standing.role),
        signed(standing.muted_until.0),
        signed(standing.received.0),
        signed(standing.read.0),
        signed(standing.posts_read),
    ])?;
    Ok(())
}

pub(super) fn remove_member(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
) -> Result<(), Trouble> {
    let mut delete = db.prepare_cached("DELETE FROM members WHERE room = ?1 AND person = ?2")?;
    delete.execute([signed(room.0), signed(person.0)])?;
    forget_mentions(db, room, person, Seq(i64::MAX.cast_unsigned()))
}

pub(super) fn lapse(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
) -> Result<Option<Lapse>, Trouble> {
    let mut select =
        db.prepare_cached("SELECT role, muted_until FROM lapses WHERE room = ?1 AND person = ?2")?;
    let columns = select
        .query_one([signed(room.0), signed(person.0)], |row| Ok([row.get(0)?, row.get(1)?]))
        .optional()?;
    Ok(columns.map(lapse_of).transpose()?)
}

/// From the columns `role, muted_until`.
pub(super) fn lapse_of([code, muted_until]: [i64; 2]) -> Result<Lapse, super::trouble::Damage> {
    Ok(Lapse { role: role(code)?, muted_until: UnixMs(unsigned(muted_until)) })
}

pub(super) fn put_lapse(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
    lapse: Lapse,
    at: UnixMs,
) -> Result<(), Trouble> {
    if people::is_deleted(db, person)? {
        return Ok(());
    }
    let mut delete = db.prepare_cached(
        "DELETE FROM lapses WHERE room = ?1 AND role != ?2 AND muted_until <= ?3",
    )?;
    delete.execute(params![signed(room.0), role_code(Role::Reader), signed(at.0)])?;
    let mut insert = db.prepare_cached(
        "INSERT OR REPLACE INTO lapses (room, person, role, muted_until) VALUES (?1, ?2, ?3, ?4)",
    )?;
    insert.execute(params![
        signed(room.0),
        signed(person.0),
        role_code(lapse.role),
        signed(lapse.muted_until.0),
    ])?;
    Ok(())
}

pub(super) fn remove_lapse(db: &Connection, room: RoomNo, person: PersonId) -> Result<(), Trouble> {
    let mut delete = db.prepare_cached("DELETE FROM lapses WHERE room = ?1 AND person = ?2")?;
    delete.execute([signed(room.0), signed(person.0)])?;
    Ok(())
}

pub(super) fn forget_lapses(db: &Connection, person: PersonId) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM lapses WHERE person = ?1")?.execute([signed(person.0)])?;
    Ok(())
}

pub(super) fn ban(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
    on: bool,
) -> Result<(), Trouble> {
    let sql = match on {
        true => "INSERT OR IGNORE INTO bans (room, person) VALUES (?1, ?2)",
        false => "DELETE FROM bans WHERE room = ?1 AND person = ?2",
    };
    db.prepare_cached(sql)?.execute([signed(room.0), signed(person.0)])?;
    Ok(())
}

pub(super) fn mention(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
    post: Seq,
) -> Result<(), Trouble> {
    let mut insert =
        db.prepare_cached("INSERT INTO mentions (room, person, post) VALUES (?1, ?2, ?3)")?;
    insert.execute([signed(room.0), signed(person.0), signed(post.0)])?;
    Ok(())
}

pub(super) fn forget_mentions(
    db: &Connection,
    room: RoomNo,
    person: PersonId,
    through: Seq,
) -> Result<(), Trouble> {
    let mut delete =
        db.prepare_cached("DELETE FROM mentions WHERE room = ?1 AND person = ?2 AND post <= ?3")?;
    delete.execute([signed(room.0), signed(person.0), signed(through.0)])?;
    Ok(())
}

pub(super) fn mentions(db: &Connection, room: RoomNo, person: PersonId) -> Result<u64, Trouble> {
    let mut select =
        db.prepare_cached("SELECT count(*) FROM mentions WHERE room = ?1 AND person = ?2")?;
    let count = select.query_one([signed(room.0), signed(person.0)], |row| row.get(0))?;
    Ok(unsigned(count))
}
