//! The ways that lead through the password thread and the store, one step each.
//!
//! ```text
//! register         hash ──→ Register ──→ OpenSession ──→ Registered
//! log in           verify ─────────────→ OpenSession ──→ LoggedIn       (a dated hash: RenewHash, unattended)
//! change password  verify ──→ hash ──→ SetPassword ──→ Changed
//! delete           verify ──→ Delete ──→ LoggedOut
//! end one, others  CloseSession, CloseSessions ──→ Changed or LoggedOut
//! profile          SetProfile ──→ ProfileSaved
//!
//! the operator     hash ──→ Register, SetPassword ──→ Changed;  Disable ──→ Changed
//! ```
//!
//! Any step may fail, and then the way ends there with a [`Denial`]; what was reserved or counted on the way is given back.

use std::sync::Arc;

use super::ending::Ending;
use super::opening::{NewAccount, Opening};
use super::profile::NewProfile;
use super::proving::{Deletion, NewPassword, Proof, Proving, RenewedHash, ReplacedPassword};
use super::{Accounts, Denial, Done, Ended};
use crate::chat::{CallId, Skeleton};
use crate::daemon::passwords::{Hashed, Phc};
use crate::daemon::turn::Turn;
use crate::store::AccountWritten;

/// What goes on when a password is hashed or verified.
#[derive(Debug)]
pub(super) enum Hashing {
    Account(NewAccount),
    LogIn { proof: Option<Proof>, tried: Skeleton, call: CallId, label: Arc<str> },
    Proof(Proving),
    Password(NewPassword),
}

/// What goes on when the store has written.
#[derive(Debug)]
pub(super) enum Storing {
    /// Nothing, and nobody waits.
    Unattended,
    Account(NewAccount, Phc),
    Session(Opening),
    RenewedHash(RenewedHash),
    Password(ReplacedPassword),
    Deletion(Deletion),
    Ending(Ending),
    Profile(NewProfile),
}

impl Accounts {
    pub(super) fn after_hashing(
        &mut self,
        hashing: Hashing,
        hashed: Hashed,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
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

    pub(super) fn after_storing(
        &mut self,
        storing: Storing,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        match storing {
            Storing::Unattended => None,
            Storing::Account(new, phc) => self.account_stored(new, phc, written, turn),
            Storing::Session(opening) => self.session_stored(opening, written, turn),
            Storing::RenewedHash(renewed) => self.renewed_hash_stored(renewed, written),
            Storing::Password(replaced) => self.password_stored(replaced, written, turn),
            Storing::Deletion(deletion) => self.deletion_stored(deletion, written, turn),
            Storing::Ending(ending) => self.ending_stored(ending, written, turn),
            Storing::Profile(new) => new.stored(written, turn),
        }
    }
}

pub(super) fn ended(call: CallId, done: Done) -> Option<Ended> {
    Some(Ended { call, outcome: Ok(done) })
}

pub(super) fn denied(call: CallId, denial: Denial) -> Option<Ended> {
    Some(Ended { call, outcome: Err(denial) })
}

/// Whether a write is done that has nothing to tell.
pub(super) fn done(written: AccountWritten) -> Result<(), Denial> {
    match written {
        AccountWritten::Done => Ok(()),
        AccountWritten::NameTaken => Err(Denial::NameTaken),
        AccountWritten::Failed(failure) => Err(failure.into()),
        AccountWritten::Registered(_) | AccountWritten::SessionOpened(_) => Err(Denial::Broken),
    }
}

impl From<Hashed> for Denial {
    /// Why there is no hash, or no verdict.
    fn from(hashed: Hashed) -> Self {
        match hashed {
            Hashed::Busy => Denial::Busy,
            Hashed::Failed | Hashed::Hash(_) | Hashed::Match { .. } | Hashed::Mismatch => {
                Denial::Broken
            }
        }
    }
}
