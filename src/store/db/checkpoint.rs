//! From the write-ahead log to its place in the file.
//!
//! Commits go to the end of the log, which has to be emptied now and then. A thread of its own moves what is there while
//! the writer goes on; the writer moves the little that came meanwhile, and its next commit is at the log's beginning
//! again. So no commit waits for more than that little.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::wal::CheckpointMode;

use super::trouble::{Complaints, Trouble};
use super::{Db, open};

/// A connection that moves what was committed.
#[derive(Debug)]
pub(in crate::store) struct Checkpointer {
    connection: Connection,
    complaints: Complaints,
}

/// What is left for a [`Checkpointer`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::store) enum Backlog {
    /// Nothing that is worth it.
    Small,
    /// Enough.
    Large,
}

impl Checkpointer {
    /// One for a file that is open already.
    pub(in crate::store) fn open(path: &Path) -> rusqlite::Result<Self> {
        Ok(Self { connection: open::another(path)?, complaints: Complaints::default() })
    }

    /// Moves what is committed now. What fails is tried again with what comes.
    pub(in crate::store) fn checkpoint(&mut self) {
        if let Err(trouble) = checkpoint(&self.connection, CheckpointMode::PASSIVE) {
            self.complaints.complain("checkpointing", &trouble);
        }
    }
}

impl Db {
    /// Moves the rest if it is little, or if the log is too long to wait any more.
    pub(in crate::store) fn checkpoint(&mut self) -> Backlog {
        let done = self.move_rest();
        self.tell("checkpointing", done).unwrap_or(Backlog::Small)
    }

    fn move_rest(&self) -> Result<Backlog, Trouble> {
        let (pages, moved) =
            self.connection.wal_checkpoint_v2(None::<&str>, CheckpointMode::NOOP)?;
        let left = pages - moved;
        if pages < CHECKPOINT_PAGES || left == 0 {
            return Ok(Backlog::Small);
        }
        if left > REST_PAGES && pages < PAGES_MAX {
            return Ok(Backlog::Large);
        }
        checkpoint(&self.connection, CheckpointMode::PASSIVE)?;
        Ok(Backlog::Small)
    }

    /// Moves all of the log into the file, and empties it.
    pub(in crate::store) fn close(mut self) {
        let done = checkpoint(&self.connection, CheckpointMode::TRUNCATE);
        let _ = self.tell("closing", done);
    }
}

/// Does nothing while somebody else is at it.
fn checkpoint(connection: &Connection, mode: CheckpointMode) -> Result<(), Trouble> {
    match connection.wal_checkpoint_v2(None::<&str>, mode) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::DatabaseBusy) => {
            Ok(())
        }
        done => Ok(done.map(drop)?),
    }
}

/// Pages of the log, of 4 KiB, that are worth a checkpoint. With more of them, a page that changes often is moved less often;
/// with fewer, less is read again when a process that was killed is started anew.
const CHECKPOINT_PAGES: i32 = 2_048;
/// Pages that the writer moves by itself: a millisecond or two.
const REST_PAGES: i32 = 256;
/// Pages at which the writer waits for a checkpoint, since otherwise the log would fill the disk: 128 MiB.
const PAGES_MAX: i32 = 32_768;
