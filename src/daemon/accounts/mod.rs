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
pub(super) mod outcome;
mod profile;
mod proving;
pub(super) mod sessions;
mod steps;

use std::collections::HashMap;

use self::clocks::Clocks;
use self::outcome::denied;
use self::sessions::Sessions;
use self::steps::{Hashing, Opening, Storing};
use super::passwords::{Hashed, Job, Phc};
use super::tokens::TokenDigest;
use super::turn::{Effect, Turn};
use crate::chat::{PersonId, Skeleton, UnixMs};
use crate::engine::throttle::Throttle;
use crate::store::{AccountWrite, AccountWritten, SessionNo, StoredAccount, StoredSession};

pub(super) use self::outcome::{AccountTicket, Denial, Done, Ended};
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
        let now = self.clocks.earlier(turn.now);
        let (log_in, session) = self.sessions.by_token(token)?;
        if session.is_over(now) {
            self.end(log_in, turn);
            self.forget(log_in.no, turn.effects);
            return None;
        }
        self.was_used(log_in, turn);
        Some(log_in)
    }

    /// A connection came in by a log-in.
    pub(super) fn came(&mut self, log_in: LogIn) {
        if let Some(session) = self.sessions.find_mut(log_in) {
            session.came();
        }
    }

    /// It has gone. The log-in was in use until now, if it has not ended meanwhile.
    pub(super) fn went(&mut self, log_in: LogIn, turn: &mut Turn<'_>) {
        if let Some(session) = self.sessions.find_mut(log_in) {
            session.went();
            self.was_used(log_in, turn);
        }
    }

    fn was_used(&mut self, log_in: LogIn, turn: &mut Turn<'_>) {
        let at = self.clocks.later(turn.now);
        if self.sessions.find_mut(log_in).is_some_and(|session| session.touch(at)) {
            let touch = AccountWrite::TouchSession { no: log_in.no, at };
            self.write(Storing::Unattended, touch, turn.effects);
        }
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
        match hashing {
            Hashing::Account(new) => self.account_hashed(new, hashed, turn),
            Hashing::LogIn { call, tried, proof, label } => {
                match self.proven(hashed, tried, proof, turn) {
                    Ok(proof) => {
                        let at = self.clocks.later(turn.now);
                        self.open(Opening::again(call, proof, label, at), turn);
                    }
                    Err(denial) => return denied(call, denial.unwrap_or(Denial::BadLogIn)),
                }
                None
            }
            Hashing::Proof(proving) => self.after_proof(proving, hashed, turn),
            Hashing::Password(new) => self.password_hashed(new, hashed, turn),
        }
    }

    /// A write is committed; or failed, or was not taken on.
    pub(super) fn stored(
        &mut self,
        ticket: AccountTicket,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let storing = self.storing.remove(&ticket)?;
        match storing {
            Storing::Unattended => None,
            Storing::Account(new, phc) => self.account_stored(new, phc, written, turn),
            Storing::Session(opening) => self.session_stored(opening, written, turn),
            Storing::RenewedHash(renewed) => self.renewed_hash_stored(renewed, written),
            Storing::Password(replaced) => self.password_stored(replaced, written, turn),
            Storing::Deletion(deletion) => self.deletion_stored(deletion, written, turn),
            Storing::Ending(ending) => self.ending_stored(ending, written, turn),
            Storing::Profile(new) => self.profile_stored(ticket, new, written, turn),
        }
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
