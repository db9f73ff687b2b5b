//! Why the chat's sockets are closed, and what a client is to do then: one table.
//!
//! 1013, 4000–4499: come back, after a random wait. 4500–4999: do not come back as you are; an error said why before.

use crate::chat::{CloseReason, Refusal};
use crate::engine::Cause;
use crate::ws::CloseCode;

/// Why somebody is shown the door at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The token names nobody, or nobody any more.
    BadToken,
    /// The nick is no name.
    BadNick,
    /// The chat does not let them in.
    Refused(Refusal),
}

impl Stop {
    /// The word for programs, and the sentence for people.
    pub(super) fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Stop::BadToken => ("bad_token", "That token lets nobody in, or no longer."),
            Stop::BadNick => ("bad_name", "That is no name: see the rules for names."),
            Stop::Refused(refusal) => refusal.code_and_message(),
        }
    }

    /// When to come back, if coming back helps.
    pub(super) fn after_ms(self) -> Option<u64> {
        match self {
            Stop::BadToken | Stop::BadNick => None,
            Stop::Refused(refusal) => refusal.after_ms(),
        }
    }

    /// What the connection is closed with, and its reason.
    pub(super) fn close_code(self) -> (CloseCode, &'static str) {
        match self {
            Stop::BadToken => (LOGGED_OUT, "bad token"),
            Stop::BadNick => (NICK, "bad name"),
            Stop::Refused(Refusal::GuestsNot) => (NO_GUESTS, "no guests"),
            Stop::Refused(Refusal::TooMany) => (TOO_MANY_SESSIONS, "too many sessions"),
            Stop::Refused(Refusal::Full { .. }) => (CloseCode::TRY_AGAIN, "too many guests"),
            Stop::Refused(refusal) => (NICK, refusal.code_and_message().0),
        }
    }
}

/// When the domain closes a session.
pub(super) fn of_reason(reason: CloseReason) -> (CloseCode, &'static str) {
    match reason {
        CloseReason::LoggedOut => (LOGGED_OUT, "logged out"),
        CloseReason::Registered => (REGISTERED, "registered"),
        CloseReason::TooManySessions => (TOO_MANY_SESSIONS, "too many sessions"),
    }
}

/// When the engine closes a session.
pub(super) fn of_cause(cause: Cause) -> CloseCode {
    match cause {
        Cause::SlowReader => SLOW_CONSUMER,
        Cause::Drain => CloseCode::SERVICE_RESTART,
    }
}

/// It read too slowly; it loses nothing if it resumes.
const SLOW_CONSUMER: CloseCode = private(4008);
/// The guest has become an account; a browser comes back with its cookie.
const REGISTERED: CloseCode = private(4009);
/// The log-in was ended, or the token names nobody.
const LOGGED_OUT: CloseCode = private(4501);
/// The nick cannot be had.
const NICK: CloseCode = private(4502);
/// People without an account are not let in.
const NO_GUESTS: CloseCode = private(4503);
/// The person has too many sessions.
const TOO_MANY_SESSIONS: CloseCode = private(4504);

const fn private(code: u16) -> CloseCode {
    CloseCode::new(code).expect("RFC 6455 §7.4.2 leaves 4000–4999 to applications")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_shown_the_door_comes_back_where_that_helps() {
        for (stop, code) in [
            (Stop::BadToken, 4501),
            (Stop::BadNick, 4502),
            (Stop::Refused(Refusal::NameTaken), 4502),
            (Stop::Refused(Refusal::GuestsNot), 4503),
            (Stop::Refused(Refusal::TooMany), 4504),
            (Stop::Refused(Refusal::Full { after_ms: 10_000 }), 1013),
        ] {
            assert_eq!(stop.close_code().0.value(), code, "{stop:?}");
            assert_eq!(stop.after_ms().is_some(), code < 4500, "{stop:?}");
        }
    }
}
