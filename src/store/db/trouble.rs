//! What can go wrong with SQL, and what the log is told of it.

use std::collections::HashMap;
use std::fmt;
use std::time::{Duration, Instant};

use rusqlite::ErrorCode;

use crate::store::tables::Fault;

/// A row that says nothing, or does not agree with its CRC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Damage;

/// Why SQL did not do what it was asked for.
#[derive(Debug)]
pub(super) enum Trouble {
    Sql(rusqlite::Error),
    Damage,
    /// The file is no longer where it was: what is written to it would be found by nobody.
    Moved,
}

impl Trouble {
    pub(super) fn fault(&self) -> Fault {
        match self {
            Trouble::Damage => Fault::Corrupt,
            Trouble::Sql(error) if is_damage(error) => Fault::Corrupt,
            Trouble::Sql(_) | Trouble::Moved => Fault::Unavailable,
        }
    }

    /// True if it was given up for taking too long.
    pub(super) fn is_interrupted(&self) -> bool {
        matches!(self, Trouble::Sql(error) if error.sqlite_error_code() == Some(ErrorCode::OperationInterrupted))
    }
}

/// True if SQLite says that the file is not what it should be, or if a value in it is not.
pub(super) fn is_damage(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, Utf8Error,
    };
    match error {
        FromSqlConversionFailure(..)
        | IntegralValueOutOfRange(..)
        | InvalidColumnType(..)
        | Utf8Error(..) => true,
        error => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
        ),
    }
}

impl From<rusqlite::Error> for Trouble {
    fn from(error: rusqlite::Error) -> Self {
        Trouble::Sql(error)
    }
}

impl From<Damage> for Trouble {
    fn from(Damage: Damage) -> Self {
        Trouble::Damage
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Trouble::Sql(error) => error.fmt(f),
            Trouble::Damage => f.write_str("a row does not agree with itself"),
            Trouble::Moved => f.write_str("the file was moved, replaced or deleted"),
        }
    }
}

/// Tells the operator of trouble: of each kind once in a while, since a broken disk says the same at each try.
#[derive(Debug, Default)]
pub(super) struct Complaints {
    /// By what was being done.
    last: HashMap<&'static str, Instant>,
}

impl Complaints {
    pub(super) fn complain(&mut self, doing: &'static str, trouble: &Trouble) {
        let now = Instant::now();
        let is_news = self.last.get(doing).is_none_or(|last| now - *last >= COMPLAIN_EVERY);
        if is_news {
            log::error!("store: {doing}: {trouble}");
            self.last.insert(doing, now);
        }
    }

    /// It works again.
    pub(super) fn end(&mut self, doing: &str) {
        if !self.last.is_empty() && self.last.remove(doing).is_some() {
            log::info!("store: {doing} works again");
        }
    }
}

const COMPLAIN_EVERY: Duration = Duration::from_secs(10);
