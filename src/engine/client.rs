//! Who is at the far end, behind whatever proxies there are.
//!
//! Owns how what the peer is, what a header of the PROXY protocol says and what a request's fields say become one client.
//! Only trusted peers are asked; what others say of themselves changes nothing.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use super::socket::Peer;
use crate::http::proxy::Source;
use crate::http::{Fault, Forwarded, Request, Trusted};

/// Who somebody is, as far as the network tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// The address; an IPv4 address is one, however it is written. `None`: over a Unix socket, from a peer that says no
    /// more.
    pub address: Option<IpAddr>,
    /// The port, where it is known: `X-Forwarded-For` has none.
    pub port: Option<u16>,
    /// That a trusted proxy says that they came over TLS.
    pub secure: bool,
}

impl Client {
    /// The peer itself.
    pub(super) fn of(peer: Peer) -> Self {
        let (address, port) = match peer {
            Peer::Tcp(address) => (Some(address.ip().to_canonical()), Some(address.port())),
            Peer::Unix => (None, None),
        };
        Self { address, port, secure: false }
    }

    /// Whether what they say of those behind them is believed.
    pub(super) fn is_trusted(self, trusted: &Trusted) -> bool {
        self.address.map_or_else(|| trusted.has_unix(), |address| trusted.has(address))
    }

    /// Whom this one, a trusted proxy, names before anything else.
    pub(super) fn behind(self, source: Source) -> Self {
        let named = source.address.map(|(address, port)| (Some(address), Some(port)));
        let (address, port) = named.unwrap_or((self.address, self.port));
        Self { address, port, secure: source.secure }
    }

    /// True if a request says that it is passed on for somebody, and this one, on this machine, is not believed: then all its
    /// clients are one.
    pub(super) fn seems_a_proxy(self, request: &Request<'_>, trusted: &Trusted) -> bool {
        self.address.is_none_or(|address| address.is_loopback())
            && !self.is_trusted(trusted)
            && ["x-forwarded-for", "forwarded"]
                .iter()
                .any(|name| request.headers.values(name).next().is_some())
    }

    /// Whom this one names in a request.
    ///
    /// # Errors
    /// When a trusted one names two, or leaves in doubt who says what.
    pub(super) fn asking(self, request: &Request<'_>, trusted: &Trusted) -> Result<Self, Fault> {
        if !self.is_trusted(trusted) {
            return Ok(self);
        }
        let Forwarded { address, secure } = Forwarded::read(&request.headers, trusted)?;
        let secure = secure || self.secure;
        Ok(match address {
            Some(address) => Self { address: Some(address), port: None, secure },
            None => Self { secure, ..self },
        })
    }
}

impl fmt::Display for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.address, self.port) {
            (Some(address), Some(port)) => SocketAddr::new(address, port).fmt(f),
            (Some(address), None) => address.fmt(f),
            (None, _) => f.write_str("unix"),
        }
    }
}
