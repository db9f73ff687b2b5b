//! Opening the file: whose it is, whether somebody has it, and whether it is whole.
//!
//! Nothing is written to a file before it is known to be ours, or empty.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, TransactionBehavior, params};

use super::schema::{APPLICATION_ID, STEPS, VERSION};
use super::trouble::{Complaints, Trouble, is_damage};
use super::words::Words;
use super::{Db, index};
use crate::chat::{Epoch, RoomId, RoomKind};
use crate::store::{OpenError, Place};

/// Opens a place, makes it what this version needs, and finds whether it is whole.
///
/// That costs a walk through every page of the file: some two seconds for each gigabyte that the system has in memory.
pub(in crate::store) fn open(place: &Place) -> Result<(Db, Option<Lock>), OpenError> {
    let (mut connection, lock) = match place {
        Place::Memory => (Connection::open_in_memory()?, None),
        Place::File(path) => {
            let lock = Lock::take(path)?;
            (connect(path)?, Some(lock))
        }
    };
    let version = identify(&connection)?;
    if version > 0 {
        check(&connection)?;
    }
    // What was deleted is overwritten, and so is what an upgrade makes anew.
    connection.pragma_update(None, "secure_delete", true)?;
    upgrade(&mut connection, version)?;
    configure(&connection)?;
    furnish(&mut connection)?;
    let identity = match place {
        Place::Memory => None,
        Place::File(path) => Some(Identity::of(path)?),
    };
    let indexed = index::reach(&connection)?;
    let last =
        connection.query_one("SELECT ifnull(max(no), 0) FROM entries", [], |row| row.get(0))?;
    let (words, complaints) = (Words::default(), Complaints::default());
    let (appended, is_durable) = (None, true);
    let db = Db { connection, identity, last, appended, indexed, is_durable, words, complaints };
    Ok((db, lock))
}

/// That no other process has the file. Given back by the kernel however the process ends.
///
/// It lies on a file beside the store's: SQLite's own locks are per process, and go when *any* descriptor of the file is
/// closed.
#[derive(Debug)]
pub(in crate::store) struct Lock {
    _file: File,
}

impl Lock {
    fn take(path: &Path) -> Result<Self, OpenError> {
        let file = OpenOptions::new()
            .create(true)
            .truncate(false)
            .write(true)
            .mode(OWNER_ALONE)
            .open(beside(path, "-lock"))?;
        match file.try_lock() {
            Ok(()) => Ok(Self { _file: file }),
            Err(TryLockError::WouldBlock) => Err(OpenError::InUse),
            Err(TryLockError::Error(error)) => Err(error.into()),
        }
    }
}

/// Which files those are that were opened: writing to files that have lost their names would be writing to nobody.
#[derive(Debug)]
pub(super) struct Identity {
    files: Vec<(PathBuf, (u64, u64))>,
}

impl Identity {
    fn of(path: &Path) -> io::Result<Self> {
        let with_id = |path: PathBuf| id_of(&path).map(|id| (path, id));
        let files = [path.to_owned(), beside(path, "-wal")].into_iter().map(with_id);
        Ok(Self { files: files.collect::<io::Result<_>>()? })
    }

    pub(super) fn check(&self) -> Result<(), Trouble> {
        let is_there = |(path, id): &(PathBuf, (u64, u64))| id_of(path).is_ok_and(|now| now == *id);
        self.files.iter().all(is_there).then_some(()).ok_or(Trouble::Moved)
    }
}

fn id_of(path: &Path) -> io::Result<(u64, u64)> {
    let metadata = std::fs::metadata(path)?;
    Ok((metadata.dev(), metadata.ino()))
}

pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn connect(path: &Path) -> Result<Connection, OpenError> {
    // Passwords, even hashed, and what people say to each other are nobody else's to read. SQLite gives its other files
    // the same permissions.
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .read(true)
        .write(true)
        .mode(OWNER_ALONE)
        .open(path)?;
    look_at(&file, path)?;
    drop(file);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    Ok(connection)
}

/// Refuses what SQLite would take for a new file and overwrite, and a last page that is not whole. (That whole pages are
/// missing it notices by itself.)
pub(super) fn look_at(file: &File, path: &Path) -> Result<(), OpenError> {
    let has_log = std::fs::metadata(beside(path, "-wal")).is_ok_and(|log| log.len() > 0);
    let bytes = file.metadata()?.len();
    if bytes == 0 {
        let damage = || OpenError::Corrupt("it is empty, its write-ahead log is not".into());
        return if has_log { Err(damage()) } else { Ok(()) };
    }
    let mut first = [0; MAGIC.len() + 2];
    let begins_well = file.read_exact_at(&mut first, 0).is_ok() && first.starts_with(MAGIC);
    if !begins_well {
        return Err(OpenError::NotOurs);
    }
    let page_bytes = match u16::from_be_bytes([first[16], first[17]]) {
        // 65,536 does not fit.
        0 | 1 => 0x1_0000,
        bytes => u64::from(bytes),
    };
    // Where there is a write-ahead log, it may have what is missing.
    let is_whole = bytes >= page_bytes && (has_log || bytes.is_multiple_of(page_bytes));
    is_whole.then_some(()).ok_or_else(|| OpenError::Corrupt("it ends within a page".into()))
}

/// Another connection to a file that was opened, for reading.
pub(super) fn reading(path: &Path) -> rusqlite::Result<Connection> {
    let connection = another(path)?;
    connection.pragma_update(None, "query_only", true)?;
    connection.pragma_update(None, "cache_size", READER_CACHE)?;
    Ok(connection)
}

/// Another connection to a file that was opened.
pub(super) fn another(path: &Path) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    // SQLite opens files when it first needs them; by then they could be others.
    connection.query_one("SELECT count(*) FROM rooms", [], |_| Ok(()))?;
    Ok(connection)
}

/// The file's version, 0 if it is empty.
pub(super) fn identify(connection: &Connection) -> Result<usize, OpenError> {
    let number = |pragma| connection.pragma_query_value(None, pragma, |row| row.get::<_, i32>(0));
    let (id, version) = (number("application_id")?, number("user_version")?);
    let tables: i64 =
        connection.query_one("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    match (id, usize::try_from(version)) {
        (0, Ok(0)) if tables == 0 => Ok(0),
        (APPLICATION_ID, Ok(found)) if found > VERSION => {
            Err(OpenError::Newer { found, known: VERSION })
        }
        (APPLICATION_ID, Ok(found)) if found > 0 => Ok(found),
        _ => Err(OpenError::NotOurs),
    }
}

/// Walks through every table and what is indexed of it. Not through the words of the index for searches, which would take
/// as long again twice: what they lead to is checked when it is read.
pub(super) fn check(connection: &Connection) -> Result<(), OpenError> {
    let mut select = connection.prepare(
        "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%'",
    )?;
    let names = select.query_map([], |row| row.get(0))?;
    for name in names.collect::<Result<Vec<String>, _>>()? {
        let mut check = connection.prepare("SELECT quick_check FROM pragma_quick_check(?1)")?;
        let told: String = check.query_row([name], |row| row.get(0))?;
        if told != "ok" {
            return Err(OpenError::Corrupt(told));
        }
    }
    Ok(())
}

fn upgrade(connection: &mut Connection, version: usize) -> Result<(), OpenError> {
    if version == VERSION {
        return Ok(());
    }
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    for step in &STEPS[version..] {
        transaction.execute_batch(step)?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION_ID)?;
    transaction.pragma_update(
        None,
        "user_version",
        i32::try_from(VERSION).expect("a few steps"),
    )?;
    Ok(transaction.commit()?)
}

fn configure(connection: &Connection) -> Result<(), OpenError> {
    // Readers see the last commit while the next is written; a commit is one write and one sync.
    let mode: String =
        connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    if mode != "wal" && mode != "memory" {
        let reason = "its file system cannot share memory, which a write-ahead log needs";
        return Err(OpenError::Io(io::Error::other(reason)));
    }
    connection.pragma_update(None, "synchronous", "FULL")?;
    // Between commits, and not within one.
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    connection.pragma_update(None, "journal_size_limit", WAL_BYTES_KEPT)?;
    connection.pragma_update(None, "cache_size", WRITER_CACHE)?;
    connection.pragma_update(None, "cell_size_check", true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    Ok(())
}

/// What every store has: a secret, and the lobby.
fn furnish(connection: &mut Connection) -> Result<(), OpenError> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let mut secret = [0; 32];
    getrandom::fill(&mut secret).map_err(io::Error::from)?;
    transaction.execute(
        "INSERT OR IGNORE INTO state (name, value) VALUES ('secret', ?1)",
        params![secret],
    )?;
    let epoch = Epoch::new(getrandom::u64().map_err(io::Error::from)?);
    transaction.execute(
        "INSERT OR IGNORE INTO rooms (no, id, kind, epoch) VALUES (1, ?1, ?2, ?3)",
        params![
            RoomId::lobby().as_str(),
            super::fields::room_kind_code(RoomKind::Lobby),
            epoch.as_str()
        ],
    )?;
    Ok(transaction.commit()?)
}

impl From<rusqlite::Error> for OpenError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(rusqlite::ErrorCode::NotADatabase) => OpenError::NotOurs,
            Some(rusqlite::ErrorCode::DatabaseBusy | rusqlite::ErrorCode::DatabaseLocked) => {
                OpenError::InUse
            }
            _ if is_damage(&error) => OpenError::Corrupt(error.to_string()),
            _ => OpenError::Io(io::Error::other(error)),
        }
    }
}

impl From<Trouble> for OpenError {
    fn from(trouble: Trouble) -> Self {
        match trouble {
            Trouble::Sql(error) => error.into(),
            trouble => OpenError::Corrupt(trouble.to_string()),
        }
    }
}

/// How every file of SQLite begins.
const MAGIC: &[u8; 16] = b"SQLite format 3\0";
pub(super) const OWNER_ALONE: u32 = 0o600;
/// How long a lock of somebody who looks at the file from outside is waited for. The writer is held up as long.
const BUSY: Duration = Duration::from_millis(250);
/// Statements that stay prepared, on each connection: more than there are.
const STATEMENTS: usize = 64;
/// Kibibytes, negative as SQLite wants it: enough for the pages that a busy hour writes to.
const WRITER_CACHE: i32 = -32 * 1024;
/// In the same units. Whoever only reads loses its cache with each commit of others: it serves one read.
const READER_CACHE: i32 = -256;
/// The write-ahead log is cut to this when it begins anew after a peak.
const WAL_BYTES_KEPT: i64 = 64 * 1024 * 1024;
