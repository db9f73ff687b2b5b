//! Accounts and log-ins.

use rusqlite::{Connection, params};

use super::fields::{signed, unsigned};
use super::trouble::Trouble;
use crate::chat::{Name, PersonId, Profile, UnixMs};
use crate::store::accounts::SessionNo;

/// Stands where a password's hash would: that of no password at all.
pub(super) const NO_PASSWORD: &str = "!";

pub(super) fn is_taken(db: &Connection, name: &Name) -> Result<bool, Trouble> {
    let mut select = db.prepare_cached("SELECT 1 FROM people WHERE skeleton = ?1")?;
    let [skeleton, _] = name.skeletons();
    Ok(select.exists([skeleton.as_str()])?)
}

pub(super) fn last_person(db: &Connection) -> Result<Option<PersonId>, Trouble> {
    let id: Option<i64> =
        db.prepare_cached("SELECT max(id) FROM people")?.query_one([], |row| row.get(0))?;
    Ok(id.map(|id| PersonId(unsigned(id))))
}

pub(super) fn register(
    db: &Connection,
    person: PersonId,
    name: &Name,
    phc: &str,
    at: UnixMs,
) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO people (id, name, skeleton, phc, created) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    let [skeleton, _] = name.skeletons();
    insert.execute(params![
        signed(person.0),
        name.as_str(),
        skeleton.as_str(),
        phc,
        signed(at.0)
    ])?;
    Ok(())
}

pub(super) fn seen(db: &Connection, person: PersonId, at: UnixMs) -> Result<(), Trouble> {
    let mut update =
        db.prepare_cached("UPDATE people SET last_seen = ?2 WHERE id = ?1 AND phc IS NOT NULL")?;
    update.execute([signed(person.0), signed(at.0)])?;
    Ok(())
}

pub(super) fn set_password(db: &Connection, person: PersonId, phc: &str) -> Result<(), Trouble> {
    let mut update =
        db.prepare_cached("UPDATE people SET phc = ?2 WHERE id = ?1 AND phc IS NOT NULL")?;
    update.execute(params![signed(person.0), phc])?;
    Ok(())
}

pub(super) fn set_profile(
    db: &Connection,
    person: PersonId,
    profile: &Profile,
) -> Result<(), Trouble> {
    let mut update = db.prepare_cached(
        "UPDATE people SET display = ?2, hue = ?3 WHERE id = ?1 AND phc IS NOT NULL",
    )?;
    let display = profile.display.as_ref().map(Name::as_str);
    update.execute(params![signed(person.0), display, profile.hue])?;
    Ok(())
}

pub(super) fn delete(db: &Connection, person: PersonId) -> Result<(), Trouble> {
    let mut update = db.prepare_cached(
        "UPDATE people SET phc = NULL, display = NULL, hue = NULL, last_seen = NULL WHERE id = ?1",
    )?;
    update.execute([signed(person.0)])?;
    close_sessions(db, person, None)
}

pub(super) fn is_deleted(db: &Connection, person: PersonId) -> Result<bool, Trouble> {
    let mut select = db.prepare_cached("SELECT 1 FROM people WHERE id = ?1 AND phc IS NULL")?;
    Ok(select.exists([signed(person.0)])?)
}

/// SQLite's own count of AUTOINCREMENT, which closed log-ins do not lower.
pub(super) fn last_session(db: &Connection) -> Result<Option<SessionNo>, Trouble> {
    let mut select =
        db.prepare_cached("SELECT max(seq) FROM sqlite_sequence WHERE name = 'sessions'")?;
    let no: Option<i64> = select.query_one([], |row| row.get(0))?;
    Ok(no.map(|no| SessionNo(unsigned(no))))
}

pub(super) fn open_session(
    db: &Connection,
    no: SessionNo,
    person: PersonId,
    token_sha256: &[u8; 32],
    at: UnixMs,
    label: &str,
) -> Result<(), Trouble> {
    let mut insert = db.prepare_cached(
        "INSERT INTO sessions (no, person, token_sha256, created, used, label) VALUES (?1, ?2, ?3, ?4, ?4, ?5)",
    )?;
    insert.execute(params![signed(no.0), signed(person.0), token_sha256, signed(at.0), label])?;
    Ok(())
}

pub(super) fn use_session(db: &Connection, no: SessionNo, at: UnixMs) -> Result<(), Trouble> {
    let mut update = db.prepare_cached("UPDATE sessions SET used = ?2 WHERE no = ?1")?;
    update.execute([signed(no.0), signed(at.0)])?;
    Ok(())
}

pub(super) fn close_session(db: &Connection, no: SessionNo) -> Result<(), Trouble> {
    db.prepare_cached("DELETE FROM sessions WHERE no = ?1")?.execute([signed(no.0)])?;
    Ok(())
}

pub(super) fn close_sessions(
    db: &Connection,
    person: PersonId,
    except: Option<SessionNo>,
) -> Result<(), Trouble> {
    let mut delete =
        db.prepare_cached("DELETE FROM sessions WHERE person = ?1 AND no IS NOT ?2")?;
    delete.execute(params![signed(person.0), except.map(|no| signed(no.0))])?;
    Ok(())
}
