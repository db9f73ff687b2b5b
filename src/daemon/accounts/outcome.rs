//! What became of what somebody asked for.

use crate::chat::log::Failure;
use crate::chat::{CallId, PersonId};
use crate::daemon::passwords::Hashed;
use crate::daemon::tokens::AccountToken;
use crate::engine::throttle::SlowDown;
use crate::store::AccountWritten;

/// What a pending step is known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::daemon) struct AccountTicket(pub(in crate::daemon) u64);

/// That something somebody asked for is over, well or not.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Ended {
    /// What was asked for.
    pub(in crate::daemon) call: CallId,
    /// How it went.
    pub(in crate::daemon) outcome: Result<Done, Denial>,
}

/// What was done.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::daemon) enum Done {
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
pub(in crate::daemon) enum Denial {
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
