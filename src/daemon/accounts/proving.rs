//! Proving to be an account's holder, and what that is asked for again: another password, and deletion. The operator gives
//! passwords and takes them without.
//!
//! A [`Proof`] is good for the password that it was given with. It is looked at once more whenever a step has taken time, so
//! that nothing that was begun with an old password is done after the new one counts.

use std::time::Duration;

use super::Accounts;
use super::outcome::{Denial, Done, Ended, denied, done, ended};
use super::sessions::LogIn;
use super::steps::{
    Deletion, Hashing, NewPassword, Proof, Proving, Purpose, RenewedHash, ReplacedPassword, Storing,
};
use crate::chat::{CallId, Name, PersonId, Skeleton};
use crate::daemon::passwords::{Hashed, Job, Password, Phc};
use crate::daemon::turn::Turn;
use crate::engine::throttle::Allowance;
use crate::store::{AccountWrite, AccountWritten};

impl Accounts {
    /// Changes the password of who knows it, and ends every other log-in. Ends in [`Done::Changed`].
    pub(in crate::daemon) fn change_password(
        &mut self,
        call: CallId,
        who: LogIn,
        (old, new): (Password, Password),
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        self.prove(call, who.person, old, Purpose::Password { new, by: who.no }, turn)
    }

    /// Deletes the account of who knows its password. Ends in [`Done::LoggedOut`].
    pub(in crate::daemon) fn delete(
        &mut self,
        call: CallId,
        who: LogIn,
        password: Password,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        self.prove(call, who.person, password, Purpose::Deletion, turn)
    }

    /// Gives an account another password, and ends its log-ins. For the operator. Ends in [`Done::Changed`].
    pub(in crate::daemon) fn give_password(
        &mut self,
        call: CallId,
        name: &Name,
        new: Password,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        let proof = self.proof_of_operator(name, turn)?;
        let hashing = Hashing::Password(NewPassword { call, proof, by: None });
        self.hash(hashing, Job::Hash(new), turn.effects);
        Ok(())
    }

    /// Takes an account's password away, and ends its log-ins. For the operator. Ends in [`Done::Changed`].
    pub(in crate::daemon) fn disable(
        &mut self,
        call: CallId,
        name: &Name,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        let proof = self.proof_of_operator(name, turn)?;
        let (before, proof) = self.replace(proof, None).ok_or(Denial::NoAccount)?;
        let replaced = ReplacedPassword { call, before, proof, by: None };
        let disable = AccountWrite::Disable { person: proof.person };
        self.write(Storing::Password(replaced), disable, turn.effects);
        Ok(())
    }

    /// Whoever has the data file need not prove anything.
    fn proof_of_operator(&self, name: &Name, turn: &Turn<'_>) -> Result<Proof, Denial> {
        let person = turn.chat.named(name);
        person.and_then(|person| self.proof_for(person)).ok_or(Denial::NoAccount)
    }

    fn prove(
        &mut self,
        call: CallId,
        person: PersonId,
        password: Password,
        purpose: Purpose,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        let user = turn.chat.person(person).ok_or(Denial::WrongPassword)?;
        let proof = self.proof_for(person).ok_or(Denial::WrongPassword)?;
        let tried = tried(&user.name);
        self.tries.admit(tried.clone(), turn.now.mono())?;
        let phc = self.phc_of(proof);
        let hashing = Hashing::Proof(Proving { call, tried, proof, purpose });
        self.hash(hashing, Job::Verify { password, phc }, turn.effects);
        Ok(())
    }

    /// What is to be proven now, if there is such an account.
    pub(super) fn proof_for(&self, person: PersonId) -> Option<Proof> {
        let changes = self.credentials.get(&person)?.changes;
        Some(Proof { person, changes })
    }

    /// What it is proven against; `None`: no password is right.
    pub(super) fn phc_of(&self, proof: Proof) -> Option<Phc> {
        self.credentials[&proof.person].phc.clone()
    }

    pub(super) fn holds(&self, proof: Proof) -> bool {
        self.proof_for(proof.person) == Some(proof)
    }

    /// The proof, if the password was right and is still the account's. A right one is not counted as a try, and its hash is
    /// renewed where it is dated.
    ///
    /// # Errors
    /// Why not, where it is not simply that the password is wrong.
    pub(super) fn proven(
        &mut self,
        hashed: Hashed,
        tried: Skeleton,
        proof: Option<Proof>,
        turn: &mut Turn<'_>,
    ) -> Result<Proof, Option<Denial>> {
        if hashed == Hashed::Mismatch {
            return Err(None);
        }
        self.tries.give_back(tried);
        let Hashed::Match { renewed } = hashed else { return Err(Some(hashed.into())) };
        let proof = proof.filter(|proof| self.holds(*proof)).ok_or(None)?;
        if let Some(phc) = renewed {
            let person = proof.person;
            let set = AccountWrite::RenewHash { person, phc: phc.text().clone() };
            self.write(Storing::RenewedHash(RenewedHash { proof, phc }), set, turn.effects);
        }
        Ok(proof)
    }

    pub(super) fn after_proof(
        &mut self,
        proving: Proving,
        hashed: Hashed,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let Proving { call, tried, proof, purpose } = proving;
        match (self.proven(hashed, tried, Some(proof), turn), purpose) {
            (Err(denial), _) => return denied(call, denial.unwrap_or(Denial::WrongPassword)),
            (Ok(proof), Purpose::Password { new, by }) => {
                let hashing = Hashing::Password(NewPassword { call, proof, by: Some(by) });
                self.hash(hashing, Job::Hash(new), turn.effects);
            }
            (Ok(Proof { person, .. }), Purpose::Deletion) => {
                let storing = Storing::Deletion(Deletion { call, person });
                self.write(storing, AccountWrite::Delete { person }, turn.effects);
            }
        }
        None
    }

    pub(super) fn password_hashed(
        &mut self,
        new: NewPassword,
        hashed: Hashed,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let NewPassword { call, proof, by } = new;
        let Hashed::Hash(phc) = hashed else { return denied(call, hashed.into()) };
        let person = proof.person;
        let set = AccountWrite::SetPassword { person, phc: phc.text().clone(), except: by };
        let Some((before, proof)) = self.replace(proof, Some(phc)) else {
            return denied(call, Denial::WrongPassword);
        };
        let replaced = ReplacedPassword { call, before, proof, by };
        self.write(Storing::Password(replaced), set, turn.effects);
        None
    }

    /// Makes another password count from now on, before it is stored: were it to count only then, a log-in with the old one
    /// could still be opened, behind the write that ends all others.
    ///
    /// The hash before, and the proof for the new one; `None` if the proof no longer holds.
    fn replace(&mut self, proof: Proof, phc: Option<Phc>) -> Option<(Option<Phc>, Proof)> {
        let credential = self.credentials.get_mut(&proof.person)?;
        if credential.changes != proof.changes {
            return None;
        }
        credential.changes += 1;
        let before = std::mem::replace(&mut credential.phc, phc);
        Some((before, Proof { changes: credential.changes, ..proof }))
    }

    pub(super) fn password_stored(
        &mut self,
        replaced: ReplacedPassword,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let ReplacedPassword { call, before, proof, by } = replaced;
        if let Err(denial) = done(written) {
            self.replace(proof, before);
            return denied(call, denial);
        }
        self.end_all(proof.person, by, turn);
        ended(call, Done::Changed)
    }

    pub(super) fn renewed_hash_stored(
        &mut self,
        renewed: RenewedHash,
        written: AccountWritten,
    ) -> Option<Ended> {
        let RenewedHash { proof, phc } = renewed;
        if done(written).is_ok() && self.holds(proof) {
            self.credentials.entry(proof.person).and_modify(|known| known.phc = Some(phc));
        }
        None
    }

    pub(super) fn deletion_stored(
        &mut self,
        deletion: Deletion,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let Deletion { call, person } = deletion;
        if let Err(denial) = done(written) {
            return denied(call, denial);
        }
        self.credentials.remove(&person);
        self.end_all(person, None, turn);
        turn.chat.delete_person(person, turn.now, turn.chat_effects);
        ended(call, Done::LoggedOut)
    }
}

/// What passwords for a name are counted under, however it is written.
pub(super) fn tried(name: &Name) -> Skeleton {
    let [skeleton, _] = name.skeletons();
    skeleton
}

/// Wrong passwords for one name: ten at once, then one in six seconds. 14,400 guesses a day are few against any password, and
/// who mistypes never has to wait.
pub(super) const TRIES: Allowance = Allowance { at_once: 10, every: Duration::from_secs(6) };
