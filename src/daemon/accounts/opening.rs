//! Registering, and opening a log-in.

use std::sync::Arc;

use super::outcome::{Denial, Done, Ended, denied, done, ended};
use super::proving::tried;
use super::sessions::{LogIn, Session};
use super::steps::{Hashing, NewAccount, Opening, Proof, Storing};
use super::{Accounts, Credential};
use crate::chat::{Author, CallId, Name, PersonId, UnixMs};
use crate::daemon::chance;
use crate::daemon::passwords::{Hashed, Job, Password, Phc};
use crate::daemon::tokens::{AccountToken, TokenDigest};
use crate::daemon::turn::Turn;
use crate::store::{AccountWrite, AccountWritten};

impl Accounts {
    /// Begins an account. Ends in [`Done::Registered`], or, without a label for a log-in, in [`Done::Changed`].
    /// `guest`: who asks, and may have the name already.
    pub(in crate::daemon) fn register(
        &mut self,
        call: CallId,
        (name, guest): (Name, Option<PersonId>),
        password: Password,
        label: Option<Arc<str>>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        if !turn.chat.reserve(&name, guest) {
            return Err(Denial::NameTaken);
        }
        let hashing = Hashing::Account(NewAccount { call, name, label });
        self.hash(hashing, Job::Hash(password), turn.effects);
        Ok(())
    }

    /// Opens a log-in, if somebody has that name and that password. Ends in [`Done::LoggedIn`].
    ///
    /// A name without an account takes the same way, and as long.
    pub(in crate::daemon) fn log_in(
        &mut self,
        call: CallId,
        name: &Name,
        password: Password,
        label: Arc<str>,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        let tried = tried(name);
        self.tries.admit(tried.clone(), turn.now.mono())?;
        let proof = turn.chat.named(name).and_then(|person| self.proof_for(person));
        let phc = proof.and_then(|proof| self.phc_of(proof));
        let hashing = Hashing::LogIn { call, tried, proof, label };
        self.hash(hashing, Job::Verify { password, phc }, turn.effects);
        Ok(())
    }

    pub(super) fn account_hashed(
        &mut self,
        new: NewAccount,
        hashed: Hashed,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let Hashed::Hash(phc) = hashed else {
            turn.chat.release(&new.name);
            return denied(new.call, hashed.into());
        };
        let register = AccountWrite::Register {
            name: new.name.clone(),
            phc: phc.text().clone(),
            at: turn.now.unix,
        };
        self.write(Storing::Account(new, phc), register, turn.effects);
        None
    }

    pub(super) fn account_stored(
        &mut self,
        new: NewAccount,
        phc: Phc,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let NewAccount { call, name, label } = new;
        let AccountWritten::Registered(person) = written else {
            turn.chat.release(&name);
            return denied(call, done(written).err().unwrap_or(Denial::Broken));
        };
        self.credentials.insert(person, Credential { phc: Some(phc), changes: 0 });
        turn.chat.register(Author { id: person, name }, turn.now, turn.chat_effects);
        let Some(label) = label else { return ended(call, Done::Changed) };
        let proof = self.proof_for(person).expect("inserted above");
        let at = self.clocks.later(turn.now);
        self.open(Opening::first(call, proof, label, at), turn);
        None
    }

    pub(super) fn open(&mut self, opening: Opening, turn: &mut Turn<'_>) {
        let TokenDigest(token_sha256) = opening.token.digest();
        let open = AccountWrite::OpenSession {
            person: opening.proof.person,
            token_sha256,
            at: opening.at,
            label: opening.label.clone(),
        };
        self.write(Storing::Session(opening), open, turn.effects);
    }

    pub(super) fn session_stored(
        &mut self,
        opening: Opening,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let AccountWritten::SessionOpened(no) = written else {
            return denied(opening.call, opening.denial(written));
        };
        let Opening { call, proof, token, at, label, is_first } = opening;
        if !self.holds(proof) {
            self.forget(no, turn.effects);
            return denied(call, Denial::BadLogIn);
        }
        let person = proof.person;
        let new = LogIn { person, no };
        self.sessions.insert(new, Session::new(token.digest(), at, label));
        if let Some(surplus) = self.sessions.surplus(new, SESSIONS_PER_PERSON_MAX) {
            self.end(surplus, turn);
            self.forget(surplus.no, turn.effects);
        }
        match is_first {
            true => ended(call, Done::Registered(person, token)),
            false => ended(call, Done::LoggedIn(person, token)),
        }
    }
}

impl Opening {
    /// The log-in that comes with registering.
    fn first(call: CallId, proof: Proof, label: Arc<str>, at: UnixMs) -> Self {
        Self { is_first: true, ..Self::again(call, proof, label, at) }
    }

    /// A log-in of who has proven to be the account's holder.
    pub(super) fn again(call: CallId, proof: Proof, label: Arc<str>, at: UnixMs) -> Self {
        let token = AccountToken::new(chance::bytes());
        Self { call, proof, token, at, label, is_first: false }
    }

    /// Why it did not open; who has just registered is told that the account is there.
    fn denial(&self, written: AccountWritten) -> Denial {
        match done(written) {
            Err(Denial::Unavailable { after_ms }) if self.is_first => {
                Denial::RegisteredOnly { after_ms }
            }
            Err(denial) => denial,
            Ok(()) => Denial::Broken,
        }
    }
}

/// Log-ins that one account keeps open.
pub(super) const SESSIONS_PER_PERSON_MAX: usize = 32;
