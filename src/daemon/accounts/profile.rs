//! How a person is shown.
//!
//! Shown at once, as the chat decides whether the name imitates another's; taken back if the store then cannot keep it.

use super::Accounts;
use super::outcome::{AccountTicket, Done, Ended, denied, done, ended};
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
        let new = NewProfile { call, person, before };
        let set = AccountWrite::SetProfile { person, profile };
        self.write(Storing::Profile(new), set, turn.effects);
        Ok(())
    }

    pub(super) fn profile_stored(
        &mut self,
        ticket: AccountTicket,
        new: NewProfile,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let NewProfile { call, person, before } = new;
        let Err(denial) = done(written) else { return ended(call, Done::ProfileSaved(person)) };
        match self.next_profile(person, ticket) {
            // What is shown is a later one's, which comes behind what is stored now.
            Some(next) => next.before = before,
            // Refused only if somebody took the old name meanwhile; then the new one stays until a restart.
            None => _ = turn.chat.set_profile(person, before, turn.chat_effects),
        }
        denied(call, denial)
    }

    /// The first of a person's profiles that are on their way behind one.
    fn next_profile(&mut self, person: PersonId, behind: AccountTicket) -> Option<&mut NewProfile> {
        let later = self.storing.iter_mut().filter(|(ticket, _)| **ticket > behind);
        let profiles = later.filter_map(|(ticket, storing)| match storing {
            Storing::Profile(new) if new.person == person => Some((*ticket, new)),
            _ => None,
        });
        profiles.min_by_key(|(ticket, _)| *ticket).map(|(_, new)| new)
    }
}
