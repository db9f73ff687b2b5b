//! Looking at a file from outside, whether a daemon has it or not. Nothing of it, or beside it, is changed.

use std::fs::{File, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::open::{beside, check, identify, look_at};
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
    /// It was walked through, and is whole. False where it cannot be without changing anything: nobody has it, and what its
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
    }
    Ok(Some(Examination { version, bytes, in_use, was_checked }))
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
