//! REST: what a page or a program asks for without a socket.
//!
//! Owns who asks (a token in a field or a cookie), from where they may ask, how often, and what they are answered. What
//! they ask for is done by the accounts and the chat. It must never know sockets, files, or how JSON is written.
//!
//! # The path of a request
//!
//! [`Api::request`] finds the route, checks that no other site's page sent it, reads the body, and answers at once, or
//! has the accounts or the chat do something under a [`CallId`]. What they come to ([`Api::hashed`], [`Api::stored`],
//! [`Api::answered`]) becomes the response, as an [`Effect::Respond`].
//!
//! # Invariants
//!
//! * A request that is answered later is answered once; who has gone by then is answered in vain.
//! * Nothing that is answered here is kept by a cache.
//! * A call for each waiting connection, no more: a connection that waits is not read.

mod account;
mod answers;
mod guard;
mod guests;
mod identity;
mod operator;
mod rooms;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;
use std::time::Duration;

use self::routes::Route;
use super::accounts::{AccountTicket, Accounts, Denial, Done, Ended, LogIn};
use super::control::ReplyTo;
use super::passwords::Hashed;
use super::tokens::GuestKey;
use super::turn::{Effect, Turn};
use crate::chat::{Answer, CallId, Refusal};
use crate::engine::throttle::{Allowance, Throttle};
use crate::engine::{Reply, Tally};
use crate::http::{Request, Response, Status};
use crate::store::AccountWritten;

pub(super) use self::identity::{Asker, Identity, Unknown};

/// The API, and the accounts behind it.
#[derive(Debug)]
pub(super) struct Api {
    accounts: Accounts,
    guests: GuestKey,
    admission: Admission,
    addresses: Throttle<IpAddr>,
    /// Who waits for what the accounts or the chat come to.
    calls: HashMap<CallId, Waits>,
    last_call: u64,
    /// Log-ins and registrations, by outcome.
    log_ins: Tally<&'static str>,
}

/// Who waits.
#[derive(Debug)]
enum Waits {
    /// A connection, for its response.
    Asker(Asker),
    /// An operator.
    Operator(ReplyTo),
}

/// Whom the operator lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    /// Whether accounts can be made.
    pub(super) registration: bool,
    /// Whether people without one are let in.
    pub(super) guests: bool,
}

impl Api {
    /// With the accounts as the store has them, and its secret.
    pub(super) fn new(accounts: Accounts, secret: &[u8; 32], admission: Admission) -> Self {
        Self {
            accounts,
            guests: GuestKey::new(secret),
            admission,
            addresses: Throttle::new(PER_ADDRESS),
            calls: HashMap::new(),
            last_call: 0,
            log_ins: Tally::default(),
        }
    }

    /// True for the paths that are answered here.
    pub(super) fn serves(path: &str) -> bool {
        path.starts_with("/api/")
    }

    /// How log-ins and registrations have ended.
    pub(super) fn log_ins(&self) -> &Tally<&'static str> {
        &self.log_ins
    }

    /// A connection came in by a log-in.
    pub(super) fn came(&mut self, log_in: LogIn) {
        self.accounts.came(log_in);
    }

    /// It has gone.
    pub(super) fn went(&mut self, log_in: LogIn, turn: &mut Turn<'_>) {
        self.accounts.went(log_in, turn);
    }

    /// A request came.
    pub(super) fn request(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Reply {
        match self.reply(asker, request, turn) {
            Ok(Reply::Later) => Reply::Later,
            Ok(Reply::Now(response)) | Err(response) => answers::sealed(response).into(),
        }
    }

    /// What became of [`Effect::Hash`].
    pub(super) fn hashed(&mut self, ticket: AccountTicket, hashed: Hashed, turn: &mut Turn<'_>) {
        let ended = self.accounts.hashed(ticket, hashed, turn);
        self.end(ended, turn);
    }

    /// What became of [`Effect::Write`].
    pub(super) fn stored(
        &mut self,
        ticket: AccountTicket,
        written: AccountWritten,
        turn: &mut Turn<'_>,
    ) {
        let ended = self.accounts.stored(ticket, written, turn);
        self.end(ended, turn);
    }

    /// What became of a [`Chat::call`](crate::chat::Chat::call).
    pub(super) fn answered(
        &mut self,
        call: CallId,
        answer: Result<Answer, Refusal>,
        effects: &mut Vec<Effect>,
    ) {
        let Some(Waits::Asker(asker)) = self.calls.remove(&call) else { return };
        let response = match answer {
            Err(refusal) => answers::refused(refusal),
            Ok(Answer::Room(summary)) => answers::room_begun(&summary.room),
            Ok(answer) => answers::told(&answer),
        };
        effects.push(Effect::Respond(asker.conn, answers::sealed(response)));
    }

    fn reply(
        &mut self,
        asker: Asker,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Reply, Response> {
        let route = Route::of(request)?;
        guard::admit(request)?;
        let opens_account = matches!(route, Route::Register | Route::LogIn);
        let reply = match route {
            Route::Register => self.register(asker, request, turn),
            Route::LogIn => self.log_in(asker, request, turn),
            Route::LogOut => self.log_out(asker, request, turn),
            Route::ShowMe => self.show_me(asker, request, turn),
            Route::ChangeMe => self.change_me(asker, request, turn),
            Route::DeleteMe => self.delete_me(asker, request, turn),
            Route::ChangePassword => self.change_password(asker, request, turn),
            Route::ListSessions => self.list_sessions(request, turn),
            Route::EndSession(no) => self.end_session(asker, no, request, turn),
            Route::EndOtherSessions => self.end_other_sessions(asker, request, turn),
            Route::ListRooms => self.list_rooms(asker, request, turn),
            Route::BeginRoom => self.begin_room(asker, request, turn),
            Route::ListMembers(room) => self.list_members(asker, room, request, turn),
            Route::BeGuest => self.be_guest(asker, request, turn),
        };
        if let (true, Err(response)) = (opens_account, &reply) {
            let why = refused_log_in(response.status());
            self.log_ins.add(why);
            if why == "slow_down" {
                let client = asker.address.map_or("this machine".to_owned(), |at| at.to_string());
                log::info!(client:%; "log-ins are tried too often, and slowed down");
            }
        }
        reply
    }

    /// Counts something that costs more than looking it up.
    fn count(&mut self, asker: Asker, turn: &Turn<'_>) -> Result<(), Response> {
        let Some(address) = asker.address else { return Ok(()) };
        let admitted = self.addresses.admit(address, turn.now.mono());
        admitted.map_err(|slow| answers::slow_down(slow.after_ms()))
    }

    /// The reply to what the accounts have begun, or not.
    fn begun(&mut self, call: CallId, begun: Result<(), Denial>) -> Result<Reply, Response> {
        begun.map(|()| Reply::Later).map_err(|denial| {
            self.calls.remove(&call);
            answers::denied(denial)
        })
    }

    fn later(&mut self, waits: impl Into<Waits>) -> CallId {
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.calls.insert(call, waits.into());
        call
    }

    /// Answers a call that is over.
    fn end(&mut self, ended: Option<Ended>, turn: &mut Turn<'_>) {
        let Some(Ended { call, outcome }) = ended else { return };
        let asker = match self.calls.remove(&call) {
            None => return,
            Some(Waits::Asker(asker)) => asker,
            Some(Waits::Operator(reply_to)) => {
                return turn.effects.push(Effect::Report(reply_to, outcome.map(drop)));
            }
        };
        match &outcome {
            Ok(Done::LoggedIn(..)) => self.log_ins.add("ok"),
            Ok(Done::Registered(..)) => self.log_ins.add("registered"),
            Err(Denial::BadLogIn) => self.log_ins.add("refused"),
            Ok(Done::ProfileSaved(_) | Done::Changed | Done::LoggedOut) | Err(_) => {}
        }
        let response = match outcome {
            Ok(done) => answers::done(&done, asker.secure, turn.chat),
            Err(denial) => answers::denied(denial),
        };
        turn.effects.push(Effect::Respond(asker.conn, answers::sealed(response)));
    }
}

impl From<Asker> for Waits {
    fn from(asker: Asker) -> Self {
        Waits::Asker(asker)
    }
}

/// Why somebody was refused before a password was looked at, as it is counted.
fn refused_log_in(status: Status) -> &'static str {
    match status {
        Status::TOO_MANY_REQUESTS => "slow_down",
        Status::SERVICE_UNAVAILABLE => "busy",
        Status::UNAUTHORIZED => "refused",
        _ => "bad_request",
    }
}

/// What one address may ask for of those things that cost a hash or a place in memory: an office's worth at once, and then
/// one a second.
const PER_ADDRESS: Allowance = Allowance { at_once: 60, every: Duration::from_secs(1) };
