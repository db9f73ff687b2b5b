//! Accounts: who may be whom.
//!
//! Owns passwords' hashes and open log-ins, in memory as the store has them, and what people do about them: register, log in
//! and out, change the password, end log-ins, delete the account. It must never know sockets, HTTP, JSON or SQL; names, and
//! which of them are taken, are the chat's.
//!
//! # How things get done
//!
//! Nothing here waits. What takes time is recorded as an [`Effect`], and goes on when its result comes back under its
//! [`AccountTicket`]; `steps` has the way of each. Whoever asked is named by a [`CallId`], and may be gone by then.
//!
//! # Invariants
//!
//! * Memory changes when the store has committed. What counts before says so where it is done: a new password, a profile.
//! * What waits is bounded by the queues it waits in: each pending step is one job of the password thread's or the store's.
//! * A log-in proven with a password is void when that password is changed, or the account deleted, before it is opened.
//! * Whether a name has an account is told by nothing that a log-in does, or costs.

pub(super) mod clocks;
mod ending;
pub(super) mod label;
mod opening;
mod profile;
mod proving;
mod sessions;
mod steps;

use std::collections::HashMap;

use self::clocks::Clocks;
use self::sessions::Sessions;
use self::steps::{Hashing, Storing};
use super::passwords::{Hashed, Job, Phc};
use super::tokens::{AccountToken, TokenDigest};
use super::turn::{Effect, Turn};
use crate::chat::log::Failure;
use crate::chat::{CallId, PersonId, Skeleton, UnixMs};
use crate::engine::throttle::{SlowDown, Throttle};
use crate::store::{AccountWrite, AccountWritten, SessionNo, StoredAccount, StoredSession};

pub(super) use self::sessions::{LogIn, Session, UNUSED_MS_MAX};

/// All accounts' credentials and log-ins.
#[derive(Debug)]
pub(super) struct Accounts {
    credentials: HashMap<PersonId, Credential>,
    sessions: Sessions,
    hashing: HashMap<AccountTicket, Hashing>,
    storing: HashMap<AccountTicket, Storing>,
    tickets: u64,
    clocks: Clocks,
    /// Passwords tried, by the name they were tried for: an account's or not.
    tries: Throttle<Skeleton>,
}

/// What the account's password is now, and how often it was changed.
#[derive(Debug)]
struct Credential {
    /// `None`: the account is disabled, and no password is right.
    phc: Option<Phc>,
    changes: u32,
}

/// What a pending step is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct AccountTicket(pub(super) u64);

/// That something somebody asked for is over, well or not.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ended {
    /// What was asked for.
    pub(super) call: CallId,
    /// How it went.
    pub(super) outcome: Result<Done, Denial>,
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Done {
    /// The account is there, and this opens it.
    Registered(PersonId, AccountToken),
    /// This opens the account.
    LoggedIn(PersonId, AccountToken),
    /// The profile is as was asked for.
    ProfileSaved(PersonId),
    /// Another log-in, or all others, ended; or the password is another; or the operator's wish is done.
    Changed,
    /// The log-in that asked has ended, perhaps with its account.
    LoggedOut,
}

/// Why something is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// No account has that name and that password.
    BadLogIn,
    /// That is not the account's password.
    WrongPassword,
    /// The name is taken, or too like one that is.
    NameTaken,
    /// No account has that name.
    NoAccount,
    /// The person has no such log-in.
    NoSession,
    /// Too many passwords were tried.
    SlowDown { after_ms: u64 },
    /// Too much is being done already.
    Busy,
    /// The store cannot write for now.
    Unavailable { after_ms: u64 },
    /// The account is made, but the store could not open it.
    RegisteredOnly { after_ms: u64 },
    /// Something here is broken.
    Broken,
}

impl Accounts {
    /// As the store has them. Log-ins that were not used for too long end here. `now` is when [`Now::mono_ms`](crate::chat::Now) was 0.
    pub(super) fn new(
        accounts: Vec<StoredAccount>,
        sessions: &[StoredSession],
        now: UnixMs,
        effects: &mut Vec<Effect>,
    ) -> Self {
        let credential = |account: StoredAccount| {
            (account.person, Credential { phc: account.phc.map(Phc::stored), changes: 0 })
        };
        let mut new = Self {
            credentials: accounts.into_iter().map(credential).collect(),
            sessions: Sessions::default(),
            hashing: HashMap::new(),
            storing: HashMap::new(),
            tickets: 0,
            clocks: Clocks::new(now),
            tries: Throttle::new(proving::TRIES),
        };
        for stored in sessions {
            let session = Session::stored(stored);
            match session.is_over(now) {
                true => new.forget(stored.no, effects),
                false => {
                    new.sessions.insert(LogIn { person: stored.person, no: stored.no }, session)
                }
            }
        }
        new
    }

    /// Whose token this is, if a log-in is open with it; and notes that it was used.
    pub(super) fn who_is(&mut self, token: TokenDigest, turn: &mut Turn<'_>) -> Option<LogIn> {
        let (now, at) = (self.clocks.earlier(turn.now), self.clocks.later(turn.now));
        let (log_in, session) = self.sessions.by_token(token)?;
        if session.is_over(now) {
            self.end(log_in, turn);
            self.forget(log_in.no, turn.effects);
            return None;
        }
        if session.touch(at) {
            let touch = AccountWrite::TouchSession { no: log_in.no, at };
            self.write(Storing::Unattended, touch, turn.effects);
        }
        Some(log_in)
    }

    /// What tells how old a token is.
    pub(in crate::daemon) fn clocks(&self) -> Clocks {
        self.clocks
    }

    /// A person's log-ins, oldest first.
    pub(super) fn sessions(&self, person: PersonId) -> impl Iterator<Item = (SessionNo, &Session)> {
        self.sessions.of(person)
    }

    /// A job is done; or was not taken on.
    pub(super) fn hashed(
        &mut self,
        ticket: AccountTicket,
        hashed: Hashed,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let hashing = self.hashing.remove(&ticket)?;
        self.after_hashing(hashing, hashed, turn)
    }

    /// A write is committed; or failed, or was not taken on.
    pub(super) fn stored(
        &mut self,
        ticket: AccountTicket,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let storing = self.storing.remove(&ticket)?;
        self.after_storing(storing, written, turn)
    }

    fn hash(&mut self, hashing: Hashing, job: Job, effects: &mut Vec<Effect>) {
        let ticket = self.next_ticket();
        self.hashing.insert(ticket, hashing);
        effects.push(Effect::Hash(ticket, job));
    }

    fn write(&mut self, storing: Storing, write: AccountWrite, effects: &mut Vec<Effect>) {
        let ticket = self.next_ticket();
        self.storing.insert(ticket, storing);
        effects.push(Effect::Write(ticket, write));
    }

    fn next_ticket(&mut self) -> AccountTicket {
        self.tickets += 1;
        AccountTicket(self.tickets)
    }
}

impl From<SlowDown> for Denial {
    fn from(slow: SlowDown) -> Self {
        Denial::SlowDown { after_ms: slow.after_ms() }
    }
}

impl From<Failure> for Denial {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Unavailable { after_ms } => Denial::Unavailable { after_ms },
            Failure::TooCostly | Failure::Corrupt => Denial::Broken,
        }
    }
}
