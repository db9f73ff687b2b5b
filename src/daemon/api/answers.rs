//! What is answered: one table for each kind of outcome.

use std::hash::{BuildHasher, RandomState};

use crate::chat::{Answer, Chat, NameFault, PersonId, Refusal, RoomId, User};
use crate::daemon::accounts::{Denial, Done, UNUSED_MS_MAX};
use crate::daemon::passwords::PasswordFault;
use crate::daemon::tokens::GUEST_TOKEN_MS;
use crate::daemon::wire::{self, rest};
use crate::daemon::{cookies, tokens};
use crate::http::{Response, Status};

/// Over so many seconds those come back who asked for too much; those whom the server could not serve, over as many more as they
/// wait anyway.
pub(super) const APART_SECONDS: u64 = 8;

/// What every response of the API has beside its own: no cache keeps it, and no browser guesses at what it is.
pub(super) fn sealed(response: Response) -> Response {
    response.header("Cache-Control", "no-store").header("X-Content-Type-Options", "nosniff")
}

pub(super) fn json(status: Status, body: String) -> Response {
    Response::new(status).body("application/json", body.into_bytes())
}

/// What the accounts have done.
pub(super) fn done(done: &Done, secure: bool, chat: &Chat) -> Response {
    match done {
        Done::Registered(person, token) => opened(Status::CREATED, *person, token, secure, chat),
        Done::LoggedIn(person, token) => opened(Status::OK, *person, token, secure, chat),
        Done::ProfileSaved(person) => match chat.person(*person) {
            Some(user) => shown(&user),
            None => not_logged_in(),
        },
        Done::Changed => Response::new(Status::NO_CONTENT),
        Done::LoggedOut => logged_out(secure),
    }
}

fn opened(
    status: Status,
    person: PersonId,
    token: &tokens::AccountToken,
    secure: bool,
    chat: &Chat,
) -> Response {
    let Some(user) = chat.person(person) else { return not_logged_in() };
    let response = json(status, rest::user_and_token(&user, token.as_str()));
    with_cookie(response, token.as_str(), secure)
}

/// Has a browser keep an account's token, for as long as it is good when it is not used.
pub(super) fn with_cookie(response: Response, token: &str, secure: bool) -> Response {
    response.header("Set-Cookie", cookies::keep(token, UNUSED_MS_MAX / 1_000, secure))
}

pub(super) fn logged_out(secure: bool) -> Response {
    Response::new(Status::NO_CONTENT).header("Set-Cookie", cookies::forget(secure))
}

pub(super) fn guest(guest: &User, token: &str, secure: bool) -> Response {
    let cookie = cookies::keep(token, GUEST_TOKEN_MS / 1_000, secure);
    json(Status::OK, rest::user_and_token(guest, token)).header("Set-Cookie", cookie)
}

pub(super) fn shown(user: &User) -> Response {
    json(Status::OK, rest::user(user))
}

/// What the chat tells.
pub(super) fn told(answer: &Answer) -> Response {
    json(Status::OK, wire::answer_body(answer))
}

pub(super) fn room_begun(room: &RoomId) -> Response {
    json(Status::CREATED, rest::room(room.as_str()))
}

/// Why the accounts have not done it.
pub(super) fn denied(denial: Denial) -> Response {
    match denial {
        Denial::BadLogIn => bad_log_in(),
        Denial::WrongPassword => {
            error(Status::FORBIDDEN, "wrong_password", "That is not your password.")
        }
        Denial::NameTaken => refused(Refusal::NameTaken),
        Denial::NoAccount => refused(Refusal::NoUser),
        Denial::NoSession => no_session(),
        Denial::SlowDown { after_ms } => slow_down(after_ms),
        Denial::Busy => {
            let busy = "Too many people are logging in at once.";
            later(Status::SERVICE_UNAVAILABLE, "busy", busy, 1_000)
        }
        Denial::Unavailable { after_ms } => refused(Refusal::Unavailable { after_ms }),
        Denial::RegisteredOnly { after_ms } => {
            let message = "The account is there; log in in a moment.";
            later(Status::SERVICE_UNAVAILABLE, "registered", message, after_ms)
        }
        Denial::Broken => {
            error(Status::INTERNAL_SERVER_ERROR, "internal", "The server cannot do that now.")
        }
    }
}

/// Why the chat has not done it.
pub(super) fn refused(refusal: Refusal) -> Response {
    let (code, message) = refusal.code_and_message();
    let status = status_of(refusal);
    match refusal.after_ms() {
        Some(after_ms) => later(status, code, message, after_ms),
        None => error(status, code, message),
    }
}

fn status_of(refusal: Refusal) -> Status {
    match refusal {
        Refusal::NoRoom | Refusal::NoUser | Refusal::NoPost => Status::NOT_FOUND,
        Refusal::NotMember
        | Refusal::NotAllowed
        | Refusal::Banned
        | Refusal::Muted { .. }
        | Refusal::ReadOnly
        | Refusal::GuestsNot => Status::FORBIDDEN,
        Refusal::Slow { .. } | Refusal::Rate { .. } => Status::TOO_MANY_REQUESTS,
        Refusal::Busy { .. } | Refusal::Unavailable { .. } | Refusal::Full { .. } => {
            Status::SERVICE_UNAVAILABLE
        }
        Refusal::Corrupt => Status::INTERNAL_SERVER_ERROR,
        Refusal::Body(_) | Refusal::WrongKind | Refusal::TooCostly => Status::BAD_REQUEST,
        Refusal::KeyReused
        | Refusal::NameTaken
        | Refusal::Already
        | Refusal::LastOwner
        | Refusal::Oneself
        | Refusal::TooManyPins
        | Refusal::TooMany => Status::CONFLICT,
    }
}

pub(super) fn slow_down(after_ms: u64) -> Response {
    let message = "You try too often. Wait a little.";
    later(Status::TOO_MANY_REQUESTS, "slow_down", message, after_ms)
}

/// 401, whether there is such an account or not.
pub(super) fn bad_log_in() -> Response {
    unauthorized("bad_login", "There is no account of that name and password.")
}

pub(super) fn not_logged_in() -> Response {
    unauthorized("not_logged_in", "That needs an account: log in.")
}

pub(super) fn bad_token() -> Response {
    unauthorized("bad_token", "That token is not good, or no longer.")
}

pub(super) fn no_session() -> Response {
    error(Status::NOT_FOUND, "no_session", "You have no such log-in.")
}

pub(super) fn no_room() -> Response {
    refused(Refusal::NoRoom)
}

pub(super) fn closed() -> Response {
    error(Status::FORBIDDEN, "closed", "New accounts are not made here.")
}

pub(super) fn no_guests() -> Response {
    error(Status::FORBIDDEN, "no_guests", "Guests are not admitted here.")
}

pub(super) fn logged_in_already() -> Response {
    error(Status::CONFLICT, "logged_in", "You are logged in: log out to be a guest.")
}

pub(super) fn bad_body(rest::BadBody(says): rest::BadBody) -> Response {
    error(Status::BAD_REQUEST, "bad_json", &says)
}

/// A value that its field cannot have.
pub(super) fn bad_field(says: &str) -> Response {
    error(Status::BAD_REQUEST, "bad_field", says)
}

pub(super) fn bad_name(fault: NameFault) -> Response {
    error(Status::BAD_REQUEST, "bad_name", fault.message())
}

pub(super) fn bad_password(fault: PasswordFault) -> Response {
    error(Status::BAD_REQUEST, "bad_password", fault.message())
}

fn error(status: Status, code: &str, message: &str) -> Response {
    Response::error(status, code, message)
}

/// RFC 9110 §15.5.2: "The server generating a 401 response MUST send a WWW-Authenticate header field".
fn unauthorized(code: &str, message: &str) -> Response {
    error(Status::UNAUTHORIZED, code, message).header("WWW-Authenticate", "Bearer")
}

/// Refuses for now, and says when to try again: in whole seconds (RFC 9110 §10.2.3), rounded up, and some later, to each another
/// number, or all who are refused at once would come back as one. Whom the server cannot serve may be everybody; what is too much
/// of one person or one address is so of fewer. Who was muted is alone in it.
fn later(status: Status, code: &str, message: &str, after_ms: u64) -> Response {
    let least = after_ms.div_ceil(1_000).max(1);
    let spread = match status {
        Status::SERVICE_UNAVAILABLE => least + APART_SECONDS,
        Status::TOO_MANY_REQUESTS => APART_SECONDS,
        _ => 1,
    };
    let apart = RandomState::new().hash_one(()) % spread;
    error(status, code, message).header("Retry-After", (least + apart).to_string())
}
