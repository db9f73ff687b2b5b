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
//! This is what is kept of each meanwhile. Any step may fail, and then the way ends there with a [`Denial`]; what was reserved or counted on the way is given back.

use std::sync::Arc;

use super::sessions::LogIn;
use crate::chat::{CallId, Name, PersonId, Profile, Skeleton, UnixMs};
use crate::daemon::passwords::{Password, Phc};
use crate::daemon::tokens::AccountToken;
use crate::store::SessionNo;

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

/// An account on its way into the store. Its name is reserved.
#[derive(Debug)]
pub(super) struct NewAccount {
    pub(super) call: CallId,
    pub(super) name: Name,
    /// What the log-in that comes with it is known by; `None`: there is none.
    pub(super) label: Option<Arc<str>>,
}

/// A log-in on its way into the store.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) call: CallId,
    pub(super) proof: Proof,
    pub(super) token: AccountToken,
    pub(super) at: UnixMs,
    pub(super) label: Arc<str>,
    pub(super) is_first: bool,
}

/// That a password is, or is to be shown to be, the one which the account has after so many changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Proof {
    pub(super) person: PersonId,
    pub(super) changes: u32,
}

/// Somebody who is logged in gives the password once more.
#[derive(Debug)]
pub(super) struct Proving {
    pub(super) call: CallId,
    pub(super) tried: Skeleton,
    pub(super) proof: Proof,
    pub(super) purpose: Purpose,
}

#[derive(Debug)]
pub(super) enum Purpose {
    Password { new: Password, by: SessionNo },
    Deletion,
}

/// A new password, being hashed.
#[derive(Debug)]
pub(super) struct NewPassword {
    pub(super) call: CallId,
    pub(super) proof: Proof,
    /// The log-in that goes on.
    pub(super) by: Option<SessionNo>,
}

/// A new password, or that there is none any more, being stored. It counts already; the proof is one for it.
#[derive(Debug)]
pub(super) struct ReplacedPassword {
    pub(super) call: CallId,
    pub(super) before: Option<Phc>,
    pub(super) proof: Proof,
    pub(super) by: Option<SessionNo>,
}

/// The same password's hash at today's cost, being stored.
#[derive(Debug)]
pub(super) struct RenewedHash {
    pub(super) proof: Proof,
    pub(super) phc: Phc,
}

/// An account, being deleted.
#[derive(Debug)]
pub(super) struct Deletion {
    pub(super) call: CallId,
    pub(super) person: PersonId,
}

/// Log-ins, being ended by their owner.
#[derive(Debug)]
pub(super) struct Ending {
    pub(super) call: CallId,
    /// The log-in that asks.
    pub(super) by: LogIn,
    pub(super) which: Which,
}

#[derive(Debug)]
pub(super) enum Which {
    One(SessionNo),
    Others,
}

/// A profile on its way into the store.
#[derive(Debug)]
pub(super) struct NewProfile {
    pub(super) call: CallId,
    pub(super) person: PersonId,
    /// What is shown if it is not stored: what the one before it made of it.
    pub(super) before: Profile,
}
