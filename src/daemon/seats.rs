//! Which connections are the chat's, and by which log-in each came in.
//!
//! Knows what it takes to close the sockets of a log-in that ends, and nothing else of who anybody is.

use std::collections::BTreeSet;

use super::accounts::LogIn;
use crate::chat::SessionId;
use crate::engine::{ConnId, ConnMap};

/// The connections that are sessions of the chat.
#[derive(Debug, Default)]
pub(super) struct Seats {
    taken: ConnMap<Option<LogIn>>,
    /// Those of accounts, by log-in.
    accounts: BTreeSet<(LogIn, SessionId)>,
}

impl Seats {
    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.taken.len()
    }

    /// A connection came in; guests have no log-in.
    pub(super) fn take(&mut self, id: ConnId, log_in: Option<LogIn>) {
        self.taken.insert(id, log_in);
        self.accounts.extend(log_in.map(|log_in| (log_in, SessionId(id.to_bits()))));
    }

    /// A connection went. `None` if it had no seat, else by what log-in it had come in.
    pub(super) fn leave(&mut self, id: ConnId) -> Option<Option<LogIn>> {
        let log_in = self.taken.remove(id)?;
        if let Some(log_in) = log_in {
            self.accounts.remove(&(log_in, SessionId(id.to_bits())));
        }
        Some(log_in)
    }

    /// True if the connection has a seat.
    pub(super) fn has(&self, id: ConnId) -> bool {
        self.taken.find(id).is_some()
    }

    /// The sessions that came in by this log-in.
    pub(super) fn of(&self, log_in: LogIn) -> Vec<SessionId> {
        let all = (log_in, SessionId(0))..=(log_in, SessionId(u64::MAX));
        self.accounts.range(all).map(|(_, session)| *session).collect()
    }
}
