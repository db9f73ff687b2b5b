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
mod rooms;
mod routes;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::net::IpAddr;

use self::routes::Route;
use super::accounts::{AccountTicket, Accounts, Denial, Ended, LogIn};
use super::cookies;
use super::passwords::Hashed;
use super::throttle::{Allowance, Throttle};
use super::tokens::{Claim, GuestKey};
use super::turn::{Effect, Turn};
use crate::chat::{Answer, Author, CallId, Now, Refusal};
use crate::engine::{Caller, ConnId, Peer, Reply};
use crate::http::{Request, Response};
use crate::store::AccountWritten;

/// The API, and the accounts behind it.
#[derive(Debug)]
pub(super) struct Api {
    accounts: Accounts,
    guests: GuestKey,
    admission: Admission,
    addresses: Throttle<IpAddr>,
    /// Who waits for what the accounts or the chat come to.
    calls: HashMap<CallId, Asker>,
    last_call: u64,
}

/// Whom the operator lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Admission {
    /// Whether accounts can be made.
    pub(super) registration: bool,
    /// Whether people without one are let in.
    pub(super) guests: bool,
}

/// Who asks, as far as the connection tells.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asker {
    /// The connection that waits.
    pub(super) conn: ConnId,
    /// The client's address, if it is known: it is not, where everybody comes through one proxy.
    pub(super) address: Option<IpAddr>,
    /// Whether the client came over TLS.
    pub(super) secure: bool,
}

/// Who asks, as their token tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Identity {
    /// Somebody with an account.
    Account(LogIn, Author),
    /// Somebody without.
    Guest(Author),
}

/// Why a token does not let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unknown {
    /// It was not made here, or is over.
    BadToken,
    /// It is a guest's, who cannot be let in.
    Guest(Refusal),
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
        }
    }

    /// True for the paths that are answered here.
    pub(super) fn serves(path: &str) -> bool {
        path.starts_with("/api/")
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

    /// Who shows this token: for sockets, too. A guest is admitted to the chat by it.
    pub(super) fn who_is(&mut self, token: &str, turn: &mut Turn<'_>) -> Result<Identity, Unknown> {
        match Claim::parse(token, &self.guests, turn.now.unix) {
            None => Err(Unknown::BadToken),
            Some(Claim::Account(digest)) => {
                let log_in = self.accounts.who_is(digest, turn).ok_or(Unknown::BadToken)?;
                let user = turn.chat.person(log_in.person).ok_or(Unknown::BadToken)?;
                Ok(Identity::Account(log_in, Author { id: user.id, name: user.name }))
            }
            Some(Claim::Guest(guest)) => {
                self.admit_guest(&guest, turn).map_err(Unknown::Guest)?;
                Ok(Identity::Guest(guest))
            }
        }
    }

    /// A token that brings this guest back.
    pub(super) fn guest_token(&self, guest: &Author, now: Now) -> String {
        self.guests.mint(guest, now.unix)
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
        let Some(asker) = self.calls.remove(&call) else { return };
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
        match route {
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
        }
    }

    /// Who asks. A cookie that is good for nothing is as none; a token that a program shows on purpose is not.
    fn identity(
        &mut self,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Identity>, Response> {
        if guard::shows_token(request) {
            let token = guard::bearer(request).ok_or_else(answers::bad_token)?;
            return self.who_is(token, turn).map(Some).map_err(|_| answers::bad_token());
        }
        let token = cookies::session(&request.headers);
        Ok(token.and_then(|token| self.who_is(token, turn).ok()))
    }

    /// The account that asks, where only accounts are served.
    fn account(
        &mut self,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(LogIn, Author), Response> {
        match self.identity(request, turn)? {
            Some(Identity::Account(log_in, author)) => Ok((log_in, author)),
            Some(Identity::Guest(_)) | None => Err(answers::not_logged_in()),
        }
    }

    /// Counts something that costs more than looking it up.
    fn count(&mut self, asker: Asker, turn: &Turn<'_>) -> Result<(), Response> {
        let Some(address) = asker.address else { return Ok(()) };
        self.addresses.admit(address, turn.now).map_err(|slow| answers::slow_down(slow.after_ms))
    }

    /// The reply to what the accounts have begun, or not.
    fn begun(&mut self, call: CallId, begun: Result<(), Denial>) -> Result<Reply, Response> {
        begun.map(|()| Reply::Later).map_err(|denial| {
            self.calls.remove(&call);
            answers::denied(denial)
        })
    }

    fn later(&mut self, asker: Asker) -> CallId {
        self.last_call += 1;
        let call = CallId(self.last_call);
        self.calls.insert(call, asker);
        call
    }

    /// Answers a call that is over.
    fn end(&mut self, ended: Option<Ended>, turn: &mut Turn<'_>) {
        let Some(Ended { call, outcome }) = ended else { return };
        let Some(asker) = self.calls.remove(&call) else { return };
        let response = match outcome {
            Ok(done) => answers::done(&done, asker.secure, turn.chat),
            Err(denial) => answers::denied(denial),
        };
        turn.effects.push(Effect::Respond(asker.conn, answers::sealed(response)));
    }
}

impl Asker {
    /// A client that is connected without a proxy.
    ///
    /// Who comes from this machine itself is a proxy, or the operator: then the address says nothing of who asks. Of an
    /// IPv6 address only the network counts, since its host has all the others of it as well (RFC 4291 §2.5.4).
    pub(super) fn direct(caller: Caller) -> Self {
        let address = match caller.peer {
            Peer::Tcp(address) => Some(address.ip().to_canonical()).filter(|ip| !ip.is_loopback()),
            Peer::Unix => None,
        };
        Self { conn: caller.id, address: address.map(network), secure: false }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => IpAddr::V6((v6.to_bits() & (u128::MAX << 64)).into()),
    }
}

/// What one address may ask for of those things that cost a hash or a place in memory: an office's worth at once, and then
/// one a second.
const PER_ADDRESS: Allowance = Allowance { at_once: 60, every_ms: 1_000 };
