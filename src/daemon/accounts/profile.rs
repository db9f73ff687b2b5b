//! How a person is shown.
//!
//! Shown at once, as the chat decides whether the name imitates another's; taken back if the store then cannot keep it.

use super::Accounts;
use super::outcome::{Done, Ended, denied, done, ended};
use super::steps::{NewProfile, Storing};
use crate::chat::{CallId, PersonId, Profile, Refusal};
use crate::daemon::turn::Turn;
use crate::store::{AccountWrite, AccountWritten};

impl Accounts {
    /// Shows a person otherwise from now on. Ends in [`Done::ProfileSaved`].
    pub(in crate::daemon) fn set_profile(
        &mut self,
        call: CallId,
        person: PersonId,
        profile: Profile,
        turn: &mut Turn<'_>,
    ) -> Result<(), Refusal> {
        let before = turn.chat.person(person).ok_or(Refusal::NoUser)?.profile;
        turn.chat.set_profile(person, profile.clone(), turn.chat_effects)?;
        let new = NewProfile { call, person, before, after: profile.clone() };
        let set = AccountWrite::SetProfile { person, profile };
        self.write(Storing::Profile(new), set, turn.effects);
        Ok(())
    }

    pub(super) fn profile_stored(
        &mut self,
        new: NewProfile,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let NewProfile { call, person, before, after } = new;
        let Err(denial) = done(written) else { return ended(call, Done::ProfileSaved(person)) };
        // What came behind it is taken back to what is stored, too.
        for storing in self.storing.values_mut() {
            if let Storing::Profile(next) = storing
                && next.person == person
                && next.before == after
            {
                next.before = before.clone();
            }
        }
        if turn.chat.person(person).is_some_and(|user| user.profile == after) {
            // Refused only if somebody took the old name meanwhile; then the new one stays until a restart.
            let _ = turn.chat.set_profile(person, before, turn.chat_effects);
        }
        denied(call, denial)
    }
}
