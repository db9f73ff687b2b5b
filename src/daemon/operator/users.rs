//! `wsrelay user`: accounts, listed and changed.

use std::io::{self, Write};
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
    if !matches!(order, Order::Add(..)) {
        open(data)?;
    }
    desk::carry_out(data, order)
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
