//! Ending log-ins.

use super::Accounts;
use super::outcome::{Denial, Done, Ended, denied, done, ended};
use super::sessions::LogIn;
use super::steps::{Ending, Storing, Which};
use crate::chat::{CallId, PersonId};
use crate::daemon::turn::{Effect, Turn};
use crate::store::{AccountWrite, AccountWritten, SessionNo};

impl Accounts {
    /// Ends one of a person's log-ins, perhaps the one that asks. Ends in [`Done::Changed`] or [`Done::LoggedOut`].
    pub(in crate::daemon) fn end_one(
        &mut self,
        call: CallId,
        by: LogIn,
        no: SessionNo,
        turn: &mut Turn<'_>,
    ) -> Result<(), Denial> {
        if !self.sessions.has(LogIn { no, ..by }) {
            return Err(Denial::NoSession);
        }
        let storing = Storing::Ending(Ending { call, by, which: Which::One(no) });
        self.write(storing, AccountWrite::CloseSession { no }, turn.effects);
        Ok(())
    }

    /// Ends all of a person's log-ins but the one that asks. Ends in [`Done::Changed`].
    pub(in crate::daemon) fn end_others(&mut self, call: CallId, by: LogIn, turn: &mut Turn<'_>) {
        let close = AccountWrite::CloseSessions { person: by.person, except: Some(by.no) };
        let storing = Storing::Ending(Ending { call, by, which: Which::Others });
        self.write(storing, close, turn.effects);
    }

    pub(super) fn ending_stored(
        &mut self,
        ending: Ending,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) -> Option<Ended> {
        let Ending { call, by, which } = ending;
        if let Err(denial) = done(written) {
            return denied(call, denial);
        }
        match which {
            Which::Others => self.end_all(by.person, Some(by.no), turn),
            Which::One(no) => self.end(LogIn { no, ..by }, turn),
        }
        match which {
            Which::One(no) if no == by.no => ended(call, Done::LoggedOut),
            Which::One(_) | Which::Others => ended(call, Done::Changed),
        }
    }

    /// Ends a log-in here.
    pub(super) fn end(&mut self, log_in: LogIn, turn: &mut Turn<'_>) {
        if self.sessions.remove(log_in) {
            turn.effects.push(Effect::LoggedOut(log_in));
        }
    }

    /// Ends all of a person's log-ins here, but this one.
    pub(super) fn end_all(
        &mut self,
        person: PersonId,
        but: Option<SessionNo>,
        turn: &mut Turn<'_>,
    ) {
        let all: Vec<_> = self.sessions.of(person).map(|(no, _)| no).collect();
        for no in all.into_iter().filter(|no| Some(*no) != but) {
            self.end(LogIn { person, no }, turn);
        }
    }

    /// Has the store forget a log-in. If it cannot, the log-in is back when the store is next opened; it ends then, or when
    /// there are too many, as it did now.
    pub(super) fn forget(&mut self, no: SessionNo, effects: &mut Vec<Effect>) {
        self.write(Storing::Unattended, AccountWrite::CloseSession { no }, effects);
    }
}
