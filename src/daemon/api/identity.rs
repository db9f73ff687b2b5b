//! Who asks: as far as the connection tells, and as their token tells.

use std::net::IpAddr;

use super::{Api, answers, guard};
use crate::chat::{Author, Now, Refusal};
use crate::daemon::accounts::LogIn;
use crate::daemon::cookies;
use crate::daemon::tokens::Claim;
use crate::daemon::turn::Turn;
use crate::engine::{Caller, ConnId};
use crate::http::trust::Network;
use crate::http::{Request, Response};

/// Who asks, as far as the connection tells.
#[derive(Clone, Copy, Debug)]
pub(in crate::daemon) struct Asker {
    /// The connection that waits.
    pub(in crate::daemon) conn: ConnId,
    /// The client's address, if it tells one from another: it does not, where everybody comes through one proxy.
    pub(in crate::daemon) address: Option<IpAddr>,
    /// Whether the client came over TLS, as a trusted proxy says.
    pub(in crate::daemon) secure: bool,
}

/// Who asks, as their token tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) enum Identity {
    /// Somebody with an account.
    Account(LogIn, Author),
    /// Somebody without.
    Guest(Author),
}

/// Why a token does not let anybody in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::daemon) enum Unknown {
    /// It was not made here, or is over.
    BadToken,
    /// It is a guest's, who cannot be let in.
    Guest(Refusal),
}

impl Api {
    /// Who shows this token: for sockets, too. A guest is admitted to the chat by it.
    pub(in crate::daemon) fn who_is(
        &mut self,
        token: &str,
        turn: &mut Turn<'_>,
    ) -> Result<Identity, Unknown> {
        match Claim::parse(token, &self.guests, self.accounts.clocks().earlier(turn.now)) {
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
    pub(in crate::daemon) fn guest_token(&self, guest: &Author, now: Now) -> String {
        self.guests.mint(guest, self.accounts.clocks().later(now))
    }

    /// Who asks. A cookie that is good for nothing is as none; a token that a program shows on purpose is not.
    pub(super) fn identity(
        &mut self,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<Option<Identity>, Response> {
        if guard::shows_token(request) {
            let token = guard::bearer(request).ok_or_else(answers::bad_token)?;
            return self.who_is(token, turn).map(Some).map_err(|unknown| match unknown {
                // The token is good, and will be again.
                Unknown::Guest(refusal @ Refusal::Full { .. }) => answers::refused(refusal),
                Unknown::BadToken | Unknown::Guest(_) => answers::bad_token(),
            });
        }
        let token = cookies::session(&request.headers);
        Ok(token.and_then(|token| self.who_is(token, turn).ok()))
    }

    /// The account that asks, where only accounts are served.
    pub(super) fn account(
        &mut self,
        request: &Request<'_>,
        turn: &mut Turn<'_>,
    ) -> Result<(LogIn, Author), Response> {
        match self.identity(request, turn)? {
            Some(Identity::Account(log_in, author)) => Ok((log_in, author)),
            Some(Identity::Guest(_)) | None => Err(answers::not_logged_in()),
        }
    }
}

impl Asker {
    /// Whoever makes a request.
    ///
    /// Who comes from this machine itself is a proxy that nobody has called trusted, or the operator: then the address says
    /// nothing of who asks. Of an IPv6 address only the network counts, since its host has all the others of it as well.
    pub(in crate::daemon) fn of(Caller { id, client, .. }: Caller) -> Self {
        let address = client.address.filter(|address| !address.is_loopback());
        Self { conn: id, address: address.map(Network::of_one), secure: client.secure }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::{Client, Entrance, Peer};

    #[test]
    fn addresses_are_counted_by_network_unless_this_machines() {
        let asker = |address: &str| {
            let client = Client { address: address.parse().ok(), port: None, secure: true };
            let (id, entrance) = (ConnId::imagined(1), Entrance::default());
            let asker = Asker::of(Caller { id, peer: Peer::Unix, client, entrance });
            assert!(asker.secure);
            asker.address.map(|ip| ip.to_string())
        };
        assert_eq!(asker("192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(asker("::ffff:192.0.2.1").as_deref(), Some("192.0.2.1"));
        assert_eq!(asker("2001:db8:0:1:2:3:4:5").as_deref(), Some("2001:db8:0:1::"));
        assert_eq!(asker("127.0.0.1"), None);
        assert_eq!(asker("::1"), None);
        assert_eq!(asker("nowhere"), None);
    }
}
