//! `wsrelay user`: accounts, listed and changed.

use std::fs;
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, chown};
use std::path::Path;

use super::{UserCommand, about, desk, open, prompt};
use crate::daemon::control::{self, Order};
use crate::daemon::wire;
use crate::store::{AccountState, ArchivedAccount};

pub(super) fn run(data: &Path, command: &UserCommand) -> io::Result<()> {
    match command {
        UserCommand::List => list(data),
        UserCommand::Add(whose) => {
            let password = prompt::password_for(&whose.name)?;
            change(data, Order::Add(whose.name.clone(), password))
        }
        UserCommand::Passwd(whose) => {
            let password = prompt::password_for(&whose.name)?;
            change(data, Order::SetPassword(whose.name.clone(), password))
        }
        UserCommand::Disable(whose) => change(data, Order::Disable(whose.name.clone())),
    }
}

/// Has the daemon that has the file do it, or does it if none has.
fn change(data: &Path, order: Order) -> io::Result<()> {
    if control::ask(data, &order)?.is_some() {
        return Ok(());
    }
    // The first account may be made before the daemon's first start; others are nowhere yet.
    let is_new = matches!(order, Order::Add(..)) && !data.exists();
    if !is_new {
        open(data)?;
    }
    desk::carry_out(data, order)?;
    if is_new {
        give_to_owner_of_directory(data)?;
        println!("{} was not there, and is made anew", data.display());
    }
    Ok(())
}

/// What root makes in somebody's directory is theirs: the daemon that is to have it runs as them.
fn give_to_owner_of_directory(data: &Path) -> io::Result<()> {
    let directory = data.parent().filter(|parent| !parent.as_os_str().is_empty());
    let owner = fs::metadata(directory.unwrap_or(Path::new(".")))?;
    if fs::metadata(data)?.uid() == owner.uid() {
        return Ok(());
    }
    for suffix in ["", "-lock", "-wal", "-shm"] {
        let mut file = data.as_os_str().to_owned();
        file.push(suffix);
        match chown(&file, Some(owner.uid()), Some(owner.gid())) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(e),
            _ => {}
        }
    }
    Ok(())
}

fn list(data: &Path) -> io::Result<()> {
    let accounts = open(data)?.accounts().map_err(|e| about(data, &e))?;
    let width = accounts.iter().map(|account| account.name.as_str().chars().count()).max();
    let width = width.unwrap_or(0).max("NAME".len());
    let mut out = io::stdout().lock();
    writeln!(out, "{:width$}  STATE     LOG-INS  CREATED                   LAST SEEN", "NAME")?;
    accounts.iter().try_for_each(|account| writeln!(out, "{}", line(account, width)))
}

fn line(account: &ArchivedAccount, width: usize) -> String {
    let state = match account.state {
        AccountState::Active => "active",
        AccountState::Disabled => "disabled",
        AccountState::Deleted => "deleted",
    };
    let (name, log_ins) = (account.name.as_str(), account.log_ins);
    let created = wire::moment(account.created);
    let last_seen = account.last_seen.map_or_else(|| "-".to_owned(), wire::moment);
    format!("{name:width$}  {state:8}  {log_ins:7}  {created}  {last_seen}")
}
