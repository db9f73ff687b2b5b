//! The routes about accounts and log-ins.

use super::{Api, Asker, Identity, answers, guard};
use crate::chat::{Name, PersonId, Profile};
use crate::daemon::accounts::{Denial, LogIn, label};
use crate::daemon::cookies;
use crate::daemon::passwords::Password;
use crate::daemon::turn::Turn;
use crate::daemon::wire::rest::{
    self, Change, Confirmation, Credentials, ListedSession, PasswordChange, ProfileChange,
};
use crate::engine::Reply;
use crate::http::{Request, Response, Status};
use crate::store::SessionNo;

impl Api {
    pub(super) fn register(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        if !self.admission.registration {
            return Err(answers::closed());
        }
        let body: Credentials<'_> = rest::decode(request.body).map_err(answers::bad_body)?;
        let name = Name::parse(&body.name).map_err(answers::bad_name)?;
        let password = Password::choose(&body.password, &name).map_err(answers::bad_password)?;
        self.count(asker, turn)?;
        let guest = match self.identity(request, turn) {
            Ok(Some(Identity::Guest(guest))) => Some(guest.id),
            _ => None,
        };
        let label = label::of_user_agent(request.headers.value("user-agent"));
        let call = self.later(asker);
        let begun = self.accounts.register(call, (name, guest), password, Some(label), turn);
        self.begun(call, begun)
    }

    pub(super) fn log_in(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let body: Credentials<'_> = rest::decode(request.body).map_err(answers::bad_body)?;
        self.count(asker, turn)?;
        // What no account can have for a name or a password is no secret, and costs nothing.
        let name = Name::parse(&body.name).map_err(|_| answers::bad_log_in())?;
        let password = Password::typed(&body.password).map_err(|_| answers::bad_log_in())?;
        let label = label::of_user_agent(request.headers.value("user-agent"));
        let call = self.later(asker);
        let begun = self.accounts.log_in(call, &name, password, label, turn);
        self.begun(call, begun)
    }

    /// Who is not logged in is logged out as well as anybody; the cookie goes in any case.
    pub(super) fn log_out(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let Ok(Some(Identity::Account(by, _))) = self.identity(request, turn) else {
            return Ok(answers::logged_out(asker.secure).into());
        };
        let call = self.later(asker);
        let begun = self.accounts.end_one(call, by, by.no, turn);
        self.begun(call, begun)
    }

    /// Who asks. An account's cookie is set anew, so that it lasts as long as the log-in does, which counts from its last use.
    pub(super) fn show_me(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let identity = self.identity(request, turn)?.ok_or_else(answers::not_logged_in)?;
        let (Identity::Account(_, author) | Identity::Guest(author)) = &identity;
        let user = turn.chat.person(author.id).ok_or_else(answers::not_logged_in)?;
        let shown = answers::shown(&user);
        Ok(match (identity, cookies::session(&request.headers)) {
            (Identity::Account(..), Some(token)) if !guard::shows_token(request) => {
                answers::with_cookie(shown, token, asker.secure).into()
            }
            _ => shown.into(),
        })
    }

    pub(super) fn change_me(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (by, _) = self.account(request, turn)?;
        let body: ProfileChange<'_> = rest::decode(request.body).map_err(answers::bad_body)?;
        self.count(asker, turn)?;
        let profile = changed_profile(by.person, body, turn)?;
        let call = self.later(asker);
        match self.accounts.set_profile(call, by.person, profile, turn) {
            Ok(()) => Ok(Reply::Later),
            Err(refusal) => {
                self.calls.remove(&call);
                Err(answers::refused(refusal))
            }
        }
    }

    pub(super) fn delete_me(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (by, _) = self.account(request, turn)?;
        let body: Confirmation<'_> = rest::decode(request.body).map_err(answers::bad_body)?;
        self.count(asker, turn)?;
        let password = typed(&body.password)?;
        let call = self.later(asker);
        let begun = self.accounts.delete(call, by, password, turn);
        self.begun(call, begun)
    }

    pub(super) fn change_password(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (by, author) = self.account(request, turn)?;
        let body: PasswordChange<'_> = rest::decode(request.body).map_err(answers::bad_body)?;
        let new = Password::choose(&body.new, &author.name).map_err(answers::bad_password)?;
        self.count(asker, turn)?;
        let old = typed(&body.old)?;
        let call = self.later(asker);
        let begun = self.accounts.change_password(call, by, (old, new), turn);
        self.begun(call, begun)
    }

    pub(super) fn list_sessions(
        &mut self,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (LogIn { person, no: current }, _) = self.account(request, turn)?;
        let all = self.accounts.sessions(person).map(|(no, session)| ListedSession {
            id: no.0,
            created: session.created,
            last_used: session.last_used,
            label: &session.label,
            current: no == current,
        });
        Ok(answers::json(Status::OK, rest::sessions(all)).into())
    }

    pub(super) fn end_session(
        &mut self,
        asker: Asker,
        no: SessionNo,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (by, _) = self.account(request, turn)?;
        self.count(asker, turn)?;
        let call = self.later(asker);
        let begun = self.accounts.end_one(call, by, no, turn);
        self.begun(call, begun)
    }

    pub(super) fn end_other_sessions(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let (by, _) = self.account(request, turn)?;
        self.count(asker, turn)?;
        let call = self.later(asker);
        self.accounts.end_others(call, by, turn);
        Ok(Reply::Later)
    }
}

/// The profile that a person has after a change.
fn changed_profile(
    person: PersonId,
    change: ProfileChange<'_>,
    turn: &Turn<'_>,
) -> Result<Profile, Response> {
    let before = turn.chat.person(person).ok_or_else(answers::not_logged_in)?.profile;
    let display = match change.display {
        Change::Keep => before.display,
        Change::Clear => None,
        Change::Set(text) => Some(Name::parse_display(&text).map_err(answers::bad_name)?),
    };
    let hue = match change.hue {
        Change::Keep => before.hue,
        Change::Clear => None,
        Change::Set(hue) if hue < 360 => Some(hue),
        Change::Set(_) => return Err(answers::bad_field("A hue is a number from 0 to 359.")),
    };
    Ok(Profile { display, hue })
}

/// A password that somebody gives once more.
fn typed(text: &str) -> Result<Password, Response> {
    Password::typed(text).map_err(|_| answers::denied(Denial::WrongPassword))
}
