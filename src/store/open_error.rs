//! Why a store does not open.

use std::{error, fmt, io};

/// Why a store does not open. Its text is for the operator, and is to follow the file's name.
#[derive(Debug)]
pub enum OpenError {
    /// Another process has the file.
    InUse,
    /// The file was made by a later version of this program.
    Newer {
        /// Its version.
        found: usize,
        /// The last that this program knows.
        known: usize,
    },
    /// The file was made by an earlier version of this program, and is not brought up to date by who only reads it.
    Older {
        /// Its version.
        found: usize,
    },
    /// The file is something else: no database, or another program's.
    NotOurs,
    /// The file is damaged: what SQLite says of it.
    Corrupt(String),
    /// The system refuses.
    Io(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::InUse => f.write_str("in use by another process"),
            OpenError::Newer { found, known } => write!(
                f,
                "made by a later version of wsrelay (format {found}, this one knows {known})"
            ),
            OpenError::Older { found } => write!(
                f,
                "made by an earlier version of wsrelay (format {found}); `wsrelay serve` takes it along"
            ),
            OpenError::NotOurs => f.write_str("not a file of wsrelay"),
            OpenError::Corrupt(what) => write!(f, "damaged, restore a copy: {what}"),
            OpenError::Io(error) => error.fmt(f),
        }
    }
}

impl error::Error for OpenError {
    fn source(&self) -> Option<&(dyn error::Error + 'static)> {
        match self {
            OpenError::Io(error) => Some(error),
            _ => None,
        }
    }
}

impl From<io::Error> for OpenError {
    fn from(error: io::Error) -> Self {
        OpenError::Io(error)
    }
}
