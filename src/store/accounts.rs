//! Accounts and their log-ins, as they are stored.
//!
//! Knows passwords and tokens only as what was made of them: a PHC string and a SHA-256.

use std::sync::Arc;

use crate::chat::log::Failure;
use crate::chat::{Name, PersonId, Profile, UnixMs};

/// Something to be written about an account, answered by one [`AccountWritten`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccountWrite {
    /// A new account.
    Register {
        /// What it is called for good.
        name: Name,
        /// Its password, hashed (the PHC string format).
        phc: Arc<str>,
        /// When it was asked for.
        at: UnixMs,
    },
    /// Another password; log-ins that were opened with the one before end.
    SetPassword {
        /// Whose.
        person: PersonId,
        /// Hashed.
        phc: Arc<str>,
        /// But not this one.
        except: Option<SessionNo>,
    },
    /// The same password, hashed otherwise.
    RenewHash {
        /// Whose.
        person: PersonId,
        /// Hashed.
        phc: Arc<str>,
    },
    /// No password, and no log-ins: nobody is this account until there is [another](Self::SetPassword).
    Disable {
        /// Whose.
        person: PersonId,
    },
    /// How a person is shown.
    SetProfile {
        /// Whose.
        person: PersonId,
        /// From now on.
        profile: Profile,
    },
    /// The account is no more: password, profile and log-ins are wiped. Its name stays taken.
    Delete {
        /// Whose.
        person: PersonId,
    },
    /// A log-in.
    OpenSession {
        /// Whose.
        person: PersonId,
        /// The SHA-256 of the token it is known by.
        token_sha256: [u8; 32],
        /// When.
        at: UnixMs,
        /// What its owner tells it by.
        label: Arc<str>,
    },
    /// A log-out.
    CloseSession {
        /// Which.
        no: SessionNo,
    },
    /// A log-out of everything.
    CloseSessions {
        /// Whose.
        person: PersonId,
        /// But not this one.
        except: Option<SessionNo>,
    },
    /// A log-in was used.
    TouchSession {
        /// Which.
        no: SessionNo,
        /// When.
        at: UnixMs,
    },
}

/// What became of an [`AccountWrite`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountWritten {
    /// There is a new account.
    Registered(PersonId),
    /// There is a new log-in.
    SessionOpened(SessionNo),
    /// Done. What is no longer there is done with, too.
    Done,
    /// There is an account of that name, or of one that looks like it.
    NameTaken,
    /// Not done.
    Failed(Failure),
}

/// A log-in's number. Never used again for another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionNo(pub u64);

/// An account that is not deleted, as the store has it when it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredAccount {
    /// Who.
    pub person: PersonId,
    /// What they are called.
    pub name: Name,
    /// Their password, hashed; `None`: the account is disabled.
    pub phc: Option<Arc<str>>,
}

/// A log-in, as the store has it when it opens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSession {
    /// Which.
    pub no: SessionNo,
    /// Whose.
    pub person: PersonId,
    /// The SHA-256 of its token.
    pub token_sha256: [u8; 32],
    /// Since when.
    pub created: UnixMs,
    /// When it was last used, as far as that was told.
    pub last_used: UnixMs,
    /// What its owner tells it by.
    pub label: Arc<str>,
}
