//! Looking at a file from outside, whether a daemon has it or not. Nothing of it, or beside it, is changed.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::open::{beside, check, identify, look_at};
use super::row::{Row, columns};
use crate::store::OpenError;

/// What a file is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Examination {
    /// The version of its format.
    pub version: usize,
    /// Its size, without the files beside it.
    pub bytes: u64,
    /// Another process has it.
    pub in_use: bool,
    /// It was read from end to end, and is whole. False where it cannot be without changing anything: nobody has it, and what its
    /// last process wrote is not all in its place.
    pub was_checked: bool,
}

/// Looks at a file; `None` if there is none, or an empty one.
///
/// # Errors
/// When it is somebody else's, of a later version, damaged or out of reach.
pub fn examine(path: &Path) -> Result<Option<Examination>, OpenError> {
    let file = match File::open(path) {
        Err(e) if e.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let bytes = file.metadata()?.len();
    look_at(&file, path)?;
    if bytes == 0 {
        return Ok(None);
    }
    let in_use = is_in_use(path)?;
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let connection = match in_use {
        true => Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_ONLY)?,
        // Nothing is looked for beside the file, and nothing is made there.
        false => Connection::open_with_flags(
            immutable(path),
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
        )?,
    };
    let version = identify(&connection)?;
    let was_checked = in_use || !has_log;
    if was_checked {
        check(&connection)?;
        check_entries(&connection)?;
    }
    Ok(Some(Examination { version, bytes, in_use, was_checked }))
}

/// Compares every entry with its CRC. A start leaves that for when each is read.
///
/// # Errors
/// When there are any that do not agree: how many, and which is the first.
pub(super) fn check_entries(db: &Connection) -> Result<(), OpenError> {
    let mut select = db.prepare(concat!("SELECT ", columns!(), " FROM entries"))?;
    let mut rows = select.query([])?;
    let (mut spoilt, mut first) = (0_u64, None);
    while let Some(columns) = rows.next()? {
        if Row::read(columns).is_err() {
            spoilt += 1;
            first.get_or_insert((columns.get::<_, i64>(0), columns.get::<_, i64>(1)));
        }
    }
    let Some(first) = first else { return Ok(()) };
    let which = match first {
        (Ok(room), Ok(seq)) => format!("entry {seq} of {}", room_name(db, room)),
        _ => "an entry that does not say where it belongs".to_owned(),
    };
    let others = match spoilt {
        1 => String::new(),
        _ => format!(" and {} more", spoilt - 1),
    };
    Err(OpenError::Corrupt(format!("{which}{others} cannot be read")))
}

fn room_name(db: &Connection, no: i64) -> String {
    let id = db.query_row("SELECT id FROM rooms WHERE no = ?1", [no], |row| row.get(0));
    id.map_or_else(|_| "a room that is not there".to_owned(), |id: String| format!("room {id}"))
}

fn is_in_use(path: &Path) -> io::Result<bool> {
    match File::open(beside(path, "-lock")) {
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(false),
        lock => match lock?.try_lock_shared() {
            Ok(()) => Ok(false),
            Err(TryLockError::WouldBlock) => Ok(true),
            Err(TryLockError::Error(e)) => Err(e),
        },
    }
}

/// The name of a file that does not change while it is looked at, as SQLite wants it.
fn immutable(path: &Path) -> String {
    let path = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    format!("file:{path}?immutable=1")
}
