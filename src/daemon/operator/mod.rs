//! The operator's commands beside `serve`, which work on the data file: `export`, `backup` and `user`.
//!
//! Owns their flags and what they print. What only reads does so beside a daemon that has the file
//! ([`Archive`]). What changes an account is done by the daemon if one has the file
//! (`control`), since it holds the accounts in memory, and by the same code here if none does (`desk`).
//!
//! | command | module |
//! | --- | --- |
//! | `export` | `export` |
//! | `backup` | here |
//! | `user` | `users`; behind it `prompt` and `desk` |

mod desk;
mod export;
mod prompt;
mod users;

use std::io;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use crate::chat::{Name, RoomId};
use crate::store::{Archive, OpenError};

/// Which file.
#[derive(Args, Clone, Debug)]
pub struct Data {
    /// File that holds people, rooms and posts. A daemon may have it.
    #[arg(
        long,
        value_name = "FILE",
        env = "WSRELAY_DATA",
        default_value = "wsrelay.db",
        global = true
    )]
    pub data: PathBuf,
}

/// What `wsrelay export` is to do.
#[derive(Args, Clone, Debug)]
pub struct Export {
    /// Room to export, by its id: an open room's is its name. Entries `created` of an export of all name the others'.
    #[arg(value_name = "ROOM", value_parser = room, required_unless_present = "all", conflicts_with = "all")]
    pub room: Option<RoomId>,

    /// Export all rooms.
    #[arg(long)]
    pub all: bool,

    /// Leave out entries that a disk has spoilt, and say which, instead of ending at the first.
    #[arg(long)]
    pub skip_damaged: bool,

    /// The file.
    #[command(flatten)]
    pub data: Data,
}

/// What `wsrelay backup` is to do.
#[derive(Args, Clone, Debug)]
pub struct Backup {
    /// Where the copy is to be. Nothing that is there is replaced.
    #[arg(value_name = "COPY")]
    pub copy: PathBuf,

    /// The file.
    #[command(flatten)]
    pub data: Data,
}

/// What `wsrelay user` is to do.
#[derive(Args, Clone, Debug)]
#[command(arg_required_else_help = false)]
pub struct User {
    /// What.
    #[command(subcommand)]
    pub command: UserCommand,

    /// The file.
    #[command(flatten)]
    pub data: Data,
}

/// What is to be done about accounts.
#[derive(Clone, Debug, Subcommand)]
pub enum UserCommand {
    /// Make an account, even where registration is closed. The password is asked for at a terminal; else it is the first
    /// line of standard input.
    Add(Whose),
    /// Give an account another password, and end its log-ins. A disabled account is enabled by it. The password is asked
    /// for at a terminal; else it is the first line of standard input.
    Passwd(Whose),
    /// Take an account's password away, and end its log-ins. Its name, its posts and its place in rooms stay.
    Disable(Whose),
    /// List all accounts: name, state, how many log-ins are open, when it was made, when last seen.
    List,
}

/// One account.
#[derive(Args, Clone, Debug)]
pub struct Whose {
    /// The account's name.
    #[arg(value_parser = name)]
    pub name: Name,
}

impl Export {
    /// Prints the entries.
    ///
    /// # Errors
    /// A message for the operator.
    pub fn run(&self) -> io::Result<()> {
        export::run(&self.data.data, self.room.as_ref(), self.skip_damaged)
    }
}

impl Backup {
    /// Makes the copy.
    ///
    /// # Errors
    /// A message for the operator.
    pub fn run(&self) -> io::Result<()> {
        let archive = open(&self.data.data)?;
        archive.back_up(&self.copy).map_err(|e| about(&self.copy, &e))
    }
}

impl User {
    /// Does it.
    ///
    /// # Errors
    /// A message for the operator.
    pub fn run(&self) -> io::Result<()> {
        users::run(&self.data.data, &self.command)
    }
}

fn open(data: &Path) -> io::Result<Archive> {
    Archive::open(data).map_err(|e| about(data, &e))
}

/// What is wrong with a file, behind its name.
fn about(path: &Path, error: &OpenError) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

fn room(text: &str) -> Result<RoomId, String> {
    RoomId::parse(text).map_err(|_| "no room has such an id".to_owned())
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|fault| fault.message().to_owned())
}
