//! A file read beside whoever writes it: for exports, copies and lists.
//!
//! Takes no lock that keeps the writer from anything and changes nothing: the connection can only read. What is read is what
//! was committed, page by page, so that no snapshot lasts long enough to make the write-ahead log grow; a copy alone is of
//! one moment.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, backup};

use super::examine::check_entries;
use super::fields::unsigned;
use super::open::{self, OWNER_ALONE, beside};
use super::people::NO_PASSWORD;
use super::{entries, pages, schema};
use crate::chat::log::ReadOut;
use crate::chat::{Name, Record, RoomId, RoomNo, Seq, UnixMs};
use crate::store::OpenError;

/// A file, as it is.
#[derive(Debug)]
pub struct Archive {
    connection: Connection,
}

/// A room's log in an [`Archive`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedLog {
    /// What clients call the room.
    pub room: RoomId,
    /// Its last entry.
    pub last: Seq,
    no: RoomNo,
}

/// An account in an [`Archive`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArchivedAccount {
    /// What it is called.
    pub name: Name,
    /// Since when there is one.
    pub created: UnixMs,
    /// When last present, if ever, and as far as that was written.
    pub last_seen: Option<UnixMs>,
    /// How many log-ins are open.
    pub log_ins: u64,
    /// What it is good for.
    pub state: AccountState,
}

/// What an account is good for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountState {
    /// Its holder can log in.
    Active,
    /// Nobody can log in.
    Disabled,
    /// It is gone, but for its name.
    Deleted,
}

impl Archive {
    /// Opens a file, whether it is in use or not.
    ///
    /// # Errors
    /// When it is not there, somebody else's, of another version, or out of reach.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        open::look_at(&File::open(path)?, path)?;
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // Nobody waits for this but its operator.
        connection.busy_timeout(PATIENCE)?;
        connection.pragma_update(None, "cell_size_check", true)?;
        connection.pragma_update(None, "trusted_schema", false)?;
        match open::identify(&connection)? {
            schema::VERSION => Ok(Self { connection }),
            0 => Err(OpenError::NotOurs),
            found => Err(OpenError::Older { found }),
        }
    }

    /// All rooms' logs, in the order in which the rooms began. Invite rooms are in no file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn logs(&self) -> Result<Vec<ArchivedLog>, OpenError> {
        let mut select = self.connection.prepare("SELECT no, id FROM rooms ORDER BY no")?;
        let mut rows = select.query([])?;
        let mut logs = Vec::new();
        while let Some(row) = rows.next()? {
            let no = RoomNo(unsigned(row.get(0)?));
            let room = RoomId::stored(&row.get::<_, String>(1)?);
            let last = entries::find_last(&self.connection, no, |row| Ok(row.seq))?;
            logs.push(ArchivedLog { room, last: last.unwrap_or_default(), no });
        }
        Ok(logs)
    }

    /// Entries of a log after `after`, earliest first, as the log has them now; none only if there are none up to
    /// [`ArchivedLog::last`].
    ///
    /// # Errors
    /// When they cannot be read, or are damaged.
    pub fn entries(&mut self, log: &ArchivedLog, after: Seq) -> Result<Vec<Record>, OpenError> {
        let through = log.last.min(Seq(after.0 + PAGE_ENTRIES));
        if through <= after {
            return Ok(Vec::new());
        }
        match pages::replay(&mut self.connection, log.no, after, through, usize::MAX)? {
            ReadOut::Page { records, .. } => Ok(records),
            ReadOut::Found { .. } | ReadOut::Failed(_) => Err(damaged("a log")),
        }
    }

    /// The first entry of a log after `after`, and no other: to find out which of a page cannot be read.
    ///
    /// # Errors
    /// When it cannot be read, or is damaged.
    pub fn next_entry(
        &mut self,
        log: &ArchivedLog,
        after: Seq,
    ) -> Result<Option<Record>, OpenError> {
        let next = ArchivedLog { last: log.last.min(Seq(after.0 + 1)), ..log.clone() };
        Ok(self.entries(&next, after)?.pop())
    }

    /// All accounts, in the order in which they were made.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn accounts(&self) -> Result<Vec<ArchivedAccount>, OpenError> {
        let mut select = self.connection.prepare(
            "SELECT name, created, last_seen, phc, (SELECT count(*) FROM sessions WHERE person = people.id)
             FROM people ORDER BY id",
        )?;
        let mut rows = select.query([])?;
        let mut accounts = Vec::new();
        while let Some(row) = rows.next()? {
            let last_seen: Option<i64> = row.get(2)?;
            accounts.push(ArchivedAccount {
                name: Name::stored(&row.get::<_, String>(0)?),
                created: UnixMs(unsigned(row.get(1)?)),
                last_seen: last_seen.map(|at| UnixMs(unsigned(at))),
                log_ins: unsigned(row.get(4)?),
                state: match row.get::<_, Option<String>>(3)?.as_deref() {
                    None => AccountState::Deleted,
                    Some(NO_PASSWORD) => AccountState::Disabled,
                    Some(_) => AccountState::Active,
                },
            });
        }
        Ok(accounts)
    }

    /// Copies the file, as it is at this moment, to a place where there is none yet. When this returns, the copy is whole,
    /// was read from end to end, and is on the disk.
    ///
    /// The logs in it are of other epochs: where the copy takes the file's place, other entries will come where those stood
    /// that it has not got, and whoever has seen those begins anew.
    ///
    /// # Errors
    /// When there is a file at that place, the copy cannot be written, or the file is damaged. Then there is no copy.
    pub fn back_up(&self, to: &Path) -> Result<(), OpenError> {
        if fs::symlink_metadata(to).is_ok() {
            let says = "there already, and nothing is written over";
            return Err(io::Error::new(io::ErrorKind::AlreadyExists, says).into());
        }
        // Under its own name only when it is whole: half a copy must not be taken for one.
        let unfinished = Unfinished::begin(beside(to, "-unfinished"))?;
        self.copy_to(&unfinished.0)?;
        check_copy(&unfinished.0)?;
        File::open(&unfinished.0)?.sync_all()?;
        // Unlike a renaming, this replaces nothing.
        fs::hard_link(&unfinished.0, to)?;
        drop(unfinished);
        let folder = to.parent().filter(|folder| !folder.as_os_str().is_empty());
        Ok(File::open(folder.unwrap_or(Path::new(".")))?.sync_all()?)
    }

    fn copy_to(&self, path: &Path) -> Result<(), OpenError> {
        let mut copy = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
        let backup = backup::Backup::new(&self.connection, &mut copy)?;
        // In one step: one that is interrupted by a commit would begin anew.
        match backup.step(-1)? {
            backup::StepResult::Done => drop(backup),
            _ => return Err(OpenError::InUse),
        }
        copy.execute("UPDATE rooms SET epoch = lower(hex(randomblob(8)))", [])?;
        // One file, without others beside it, until a store opens it.
        Ok(copy.pragma_update(None, "journal_mode", "DELETE")?)
    }
}

/// A file that goes unless it was given another name.
struct Unfinished(PathBuf);

impl Unfinished {
    fn begin(path: PathBuf) -> io::Result<Self> {
        OpenOptions::new().write(true).create_new(true).mode(OWNER_ALONE).open(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // What cannot be removed is called what it is.
        let _ = fs::remove_file(&self.0);
    }
}

fn check_copy(path: &Path) -> Result<(), OpenError> {
    let copy = Archive::open(path)?.connection;
    open::check(&copy)?;
    check_entries(&copy)
}

fn damaged(what: &str) -> OpenError {
    OpenError::Corrupt(format!("{what} does not agree with itself"))
}

/// Entries that are read at a time.
pub const PAGE_ENTRIES: u64 = 1_000;
/// How long a file that is in use is waited for.
const PATIENCE: std::time::Duration = std::time::Duration::from_secs(10);
