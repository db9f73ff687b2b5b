//! The client's side of the opening handshake (RFC 6455 §4.1).
//!
//! Serves the tests and the load harness. Like everything here it is sans-IO: the caller brings the 16
//! random bytes, sends the request, and hands over what comes back.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::accept_value;
use crate::http::grammar::{TARGET, VALUE, is_token, run};
use crate::http::head::Scanner;
use crate::http::{Authority, Fault, Headers, Limits, headers};
use crate::ws::extension::{self, BadAnswer, Deflate, OFFER};

/// What to ask for.
///
/// ```
/// use wsrelay::ws::handshake::client::Opening;
/// let opening = Opening { target: "/relay/lobby", ..Opening::at("localhost:8080") };
/// # let _ = opening;
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// `host[:port]`, for the `Host` field.
    pub host: &'a str,
    /// Path and query.
    pub target: &'a str,
    /// In order of preference.
    pub subprotocols: &'a [&'a str],
    /// Sent by browsers only.
    pub origin: Option<&'a str>,
    /// More fields: names and values.
    pub headers: &'a [(&'a str, &'a str)],
    /// Whether to offer `permessage-deflate`. Without the feature of that name it never is.
    pub deflate: bool,
}

impl<'a> Opening<'a> {
    /// `/` on that host, and nothing else.
    pub fn at(host: &'a str) -> Self {
        Self { host, target: "/", subprotocols: &[], origin: None, headers: &[], deflate: false }
    }

    /// Whether every part fits its place, so that none can end its line.
    fn is_valid(&self) -> bool {
        let is_value = |text: &str| run(VALUE, text.as_bytes()) == text.len();
        let is_target = self.target.starts_with('/')
            && run(TARGET, self.target.as_bytes()) == self.target.len();
        let names = self.subprotocols;
        Authority::parse(self.host).is_some()
            && is_target
            && names.iter().all(|name| is_token(name.as_bytes()))
            && names.iter().enumerate().all(|(at, name)| !names[..at].contains(name))
            && self.origin.is_none_or(is_value)
            && self.headers.iter().all(|(n, v)| is_token(n.as_bytes()) && is_value(v))
    }
}

/// Our misuse: an [`Opening`] with a part that cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadOpening;

impl std::fmt::Display for BadOpening {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a part of the opening handshake has characters that it cannot have")
    }
}

impl std::error::Error for BadOpening {}

/// An opening handshake under way.
///
/// ```
/// use wsrelay::http::Limits;
/// use wsrelay::ws::handshake::client::{ClientHandshake, Opening};
///
/// let mut handshake =
///     ClientHandshake::new(*b"the sample nonce", &Opening::at("localhost")).unwrap();
/// assert!(handshake.request().starts_with(b"GET / HTTP/1.1\r\nHost: localhost\r\n"));
///
/// let mut input = &b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\
///     Connection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n\x81\x00"[..];
/// let agreed = handshake.verify(&mut input, &Limits::default()).unwrap().unwrap();
/// assert_eq!((agreed.subprotocol, agreed.deflate), (None, None));
/// assert_eq!(input, b"\x81\x00"); // the first frame
/// ```
#[derive(Debug)]
pub struct ClientHandshake {
    request: Vec<u8>,
    accept: [u8; 28],
    subprotocols: Vec<Box<str>>,
    deflate: bool,
    scanner: Scanner,
    /// What was received of an unfinished response head.
    held: Vec<u8>,
}

impl ClientHandshake {
    /// `key` is "a randomly selected 16-byte value" (RFC 6455 §4.1 7), new for each connection.
    pub fn new(key: [u8; 16], opening: &Opening<'_>) -> Result<Self, BadOpening> {
        if !opening.is_valid() {
            return Err(BadOpening);
        }
        let key = STANDARD.encode(key);
        let deflate = opening.deflate && cfg!(feature = "deflate");
        Ok(Self {
            request: encode(opening, &key, deflate),
            accept: accept_value(key.as_bytes()),
            subprotocols: opening.subprotocols.iter().map(|name| Box::from(*name)).collect(),
            deflate,
            scanner: Scanner::response(),
            held: Vec::new(),
        })
    }

    /// The bytes to send first.
    pub fn request(&self) -> &[u8] {
        &self.request
    }

    /// Takes the server's response off the front of `input`, and not a byte more: frames may follow.
    /// `None`: all of `input` was taken, and more is needed.
    ///
    /// On a [`ServerFault`] the client "MUST _Fail the WebSocket Connection_": close, send nothing.
    pub fn verify(
        &mut self,
        input: &mut &[u8],
        limits: &Limits,
    ) -> Result<Option<Agreed>, ServerFault> {
        loop {
            let Some(end) = self.scanner.scan(input, limits).map_err(ServerFault::Http)? else {
                self.held.extend_from_slice(input);
                *input = &[];
                return Ok(None);
            };
            let (taken, rest) = input.split_at(end);
            *input = rest;
            let held = std::mem::take(&mut self.held);
            let head = if held.is_empty() { taken } else { &[&held[..], taken].concat() };
            // RFC 9110 §15.2: "A client MUST be able to parse one or more 1xx responses received prior
            // to a final response". Together they are bounded as one head is.
            self.scanner.start_response();
            if let Some(agreed) = self.check(head)? {
                return Ok(Some(agreed));
            }
        }
    }

    /// Heap bytes owned by an unfinished response head.
    pub fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Checks a whole response head, in the order of RFC 6455 §4.1. `None` for one that only informs.
    fn check(&self, head: &[u8]) -> Result<Option<Agreed>, ServerFault> {
        let mut fields = [httparse::EMPTY_HEADER; headers::HEADERS_MAX];
        let mut response = httparse::Response::new(&mut fields);
        let status = response.parse(head);
        let (Ok(httparse::Status::Complete(_)), Some(code), Some(minor)) =
            (status, response.code, response.version)
        else {
            return Err(ServerFault::Http(Fault::StatusLine));
        };
        match code {
            101 if minor == 1 => {}
            100..=199 if code != 101 => return Ok(None),
            _ => return Err(ServerFault::Status(code)),
        }
        let headers = Headers::new(head, response.headers);
        let one = |name, fault| {
            let mut values = headers.values(name);
            let value = values.next().ok_or(fault)?;
            if values.next().is_some() { Err(fault) } else { Ok(value) }
        };
        if !one("upgrade", ServerFault::Upgrade)?.eq_ignore_ascii_case(b"websocket") {
            return Err(ServerFault::Upgrade);
        }
        if !headers.lists("connection", "upgrade") {
            return Err(ServerFault::Connection);
        }
        if one("sec-websocket-accept", ServerFault::Accept)? != self.accept {
            return Err(ServerFault::Accept);
        }
        let extensions = headers.values("sec-websocket-extensions");
        let deflate = extension::answered(extensions, self.deflate).map_err(|bad| match bad {
            BadAnswer::Malformed => ServerFault::ExtensionsMalformed,
            BadAnswer::NotOffered => ServerFault::ExtensionNotOffered,
        })?;
        Ok(Some(Agreed { subprotocol: self.subprotocol(&headers)?, deflate }))
    }

    /// "If the response includes a |Sec-WebSocket-Protocol| header field and this header field indicates
    /// the use of a subprotocol that was not present in the client's handshake ..., the client MUST _Fail
    /// the WebSocket Connection_." The field "MUST NOT appear more than once" (§11.3.4).
    fn subprotocol(&self, headers: &Headers<'_>) -> Result<Option<Box<str>>, ServerFault> {
        let mut values = headers.values("sec-websocket-protocol");
        let Some(value) = values.next() else { return Ok(None) };
        let chosen = self.subprotocols.iter().find(|name| name.as_bytes() == value);
        match (chosen, values.next()) {
            (Some(name), None) => Ok(Some(name.clone())),
            _ => Err(ServerFault::SubprotocolNotOffered),
        }
    }
}

/// What client and server agreed to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agreed {
    /// One of those offered.
    pub subprotocol: Option<Box<str>>,
    /// For the connection; `None` if not offered or not taken up.
    pub deflate: Option<Deflate>,
}

/// How a server's response fails the connection (RFC 6455 §4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ServerFault {
    /// Not a head of HTTP/1.x within the limits.
    Http(Fault),
    /// Another status than 101, or a 101 of HTTP/1.0: an answer, but no WebSocket.
    Status(u16),
    /// `Upgrade` is not `websocket`, once.
    Upgrade,
    /// `Connection` does not name `Upgrade`.
    Connection,
    /// `Sec-WebSocket-Accept` is not there once, or not what our key makes it.
    Accept,
    /// `Sec-WebSocket-Extensions` breaks its grammar (§9.1).
    ExtensionsMalformed,
    /// An extension, or a parameter of one, that our handshake did not allow for.
    ExtensionNotOffered,
    /// A subprotocol that we did not offer, or more than one.
    SubprotocolNotOffered,
}

impl std::fmt::Display for ServerFault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Http(fault) => write!(f, "the response is not HTTP: {fault}"),
            Self::Status(code) => write!(f, "the server answered with status {code}"),
            Self::Upgrade => f.write_str("the server does not upgrade to websocket"),
            Self::Connection => f.write_str("the server's Connection field lacks Upgrade"),
            Self::Accept => f.write_str("the server's Sec-WebSocket-Accept is not for our key"),
            Self::ExtensionsMalformed => f.write_str("the server's extensions are malformed"),
            Self::ExtensionNotOffered => f.write_str("the server uses an extension not offered"),
            Self::SubprotocolNotOffered => f.write_str("the server uses a subprotocol not offered"),
        }
    }
}

impl std::error::Error for ServerFault {}

fn encode(opening: &Opening<'_>, key: &str, deflate: bool) -> Vec<u8> {
    let mut out = Vec::with_capacity(256);
    let mut field = |parts: &[&str]| {
        for part in parts {
            out.extend_from_slice(part.as_bytes());
        }
        out.extend_from_slice(b"\r\n");
    };
    field(&["GET ", opening.target, " HTTP/1.1"]);
    field(&["Host: ", opening.host]);
    field(&["Upgrade: websocket"]);
    field(&["Connection: Upgrade"]);
    field(&["Sec-WebSocket-Key: ", key]);
    field(&["Sec-WebSocket-Version: 13"]);
    if let Some(origin) = opening.origin {
        field(&["Origin: ", origin]);
    }
    if !opening.subprotocols.is_empty() {
        field(&["Sec-WebSocket-Protocol: ", &opening.subprotocols.join(", ")]);
    }
    if deflate {
        field(&["Sec-WebSocket-Extensions: ", OFFER]);
    }
    for (name, value) in opening.headers {
        field(&[name, ": ", value]);
    }
    field(&[]);
    out
}
