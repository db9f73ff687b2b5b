//! The opening handshake (RFC 6455 §4), the server's side of it; the client's is in [`client`].
//!
//! ```text
//! http::Request ─ is_upgrade? ─→ Offer::parse ─→ Offer ─→ Offer::accept ─→ 101, then frames
//!                                     └─→ Refusal ─→ http::Response
//! ```
//!
//! An [`Offer`] can only be had by passing every MUST of §4.2.1, and only what it offers can be agreed
//! to. Who may come in from where (`Origin`) and what a subprotocol means is for the caller to decide.
//! Nothing here knows frames. One allocation a handshake: the response.

pub mod client;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha1::{Digest as _, Sha1};

use super::extension::{Agreement, Deflate};
use crate::http::grammar::{elements, is_token};
use crate::http::{Method, Request, Response, Status, Version};

/// Whether this request asks to become a WebSocket. Everything else, an upgrade to something that is not
/// spoken here among it, is plain HTTP (RFC 9110 §7.8).
///
/// It is only a question of intent: [`Offer::parse`] tells whether it is done well.
pub fn is_upgrade(request: &Request<'_>) -> bool {
    request.upgrades_to("websocket")
}

/// A client's opening handshake that keeps every rule.
///
/// ```
/// use wsrelay::http::{Limits, Reader};
/// use wsrelay::ws::handshake::Offer;
///
/// let mut input = &b"GET /chat HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
///     Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\
///     Sec-WebSocket-Protocol: v2, v1\r\n\r\n"[..];
/// let mut reader = Reader::new();
/// let request = reader.next_request(&mut input, &Limits::default()).unwrap().unwrap();
/// let offer = Offer::parse(&request).unwrap();
/// let subprotocol = offer.subprotocols().find(|name| *name == "v1");
/// let response = offer.accept(subprotocol, offer.deflate()).unwrap();
/// assert!(response.starts_with(b"HTTP/1.1 101 Switching Protocols\r\n"));
/// ```
#[derive(Clone, Debug)]
pub struct Offer<'a> {
    request: &'a Request<'a>,
    key: &'a [u8],
    origin: Option<&'a str>,
    agreement: Option<Agreement>,
}

impl<'a> Offer<'a> {
    /// Checks RFC 6455 §4.2.1, in its order. What HTTP itself demands, one valid `Host` for one, was
    /// checked when the request was read.
    pub fn parse(request: &'a Request<'a>) -> Result<Self, Refusal> {
        // "An HTTP/1.1 or higher GET request"
        if request.version < Version::Http11 {
            return Err(Refusal::HttpVersion);
        }
        if request.method != Method::Get {
            return Err(Refusal::Method);
        }
        // "An |Upgrade| header field containing the value "websocket", treated as an ASCII
        // case-insensitive value."
        if !is_upgrade(request) {
            return Err(Refusal::Upgrade);
        }
        // "A |Connection| header field that includes the token "Upgrade""
        if !request.headers.lists("connection", "upgrade") {
            return Err(Refusal::Connection);
        }
        // §4.4: "If the server doesn't support the requested version, it MUST respond with ...
        // |Sec-WebSocket-Version|". Asked before the key: another version may know another key.
        match one(request, "sec-websocket-version") {
            Ok(Some(b"13")) => {}
            Ok(_) => return Err(Refusal::Version),
            Err(More) => return Err(Refusal::VersionDuplicate),
        }
        let key = match one(request, "sec-websocket-key") {
            Ok(Some(key)) if is_key(key) => key,
            Ok(Some(_)) => return Err(Refusal::Key),
            Ok(None) => return Err(Refusal::KeyMissing),
            Err(More) => return Err(Refusal::KeyDuplicate),
        };
        let origin = match one(request, "origin") {
            Ok(None) => None,
            // Never taken for absent: who sends no origin is let in.
            Ok(Some(origin)) => Some(str::from_utf8(origin).map_err(|_| Refusal::OriginMalformed)?),
            Err(More) => return Err(Refusal::OriginMalformed),
        };
        check_subprotocols(request)?;
        let extensions = request.headers.values("sec-websocket-extensions");
        let agreement = Agreement::choose(extensions).map_err(|_| Refusal::Extensions)?;
        Ok(Self { request, key, origin, agreement })
    }

    /// The subprotocols offered, in the client's order of preference: tokens, no two the same.
    pub fn subprotocols(&self) -> impl Iterator<Item = &'a str> + use<'a> {
        subprotocols(self.request).filter_map(|name| str::from_utf8(name).ok())
    }

    /// The page's origin; programs send none. Put it to [`Origins::admits`](super::origin::Origins).
    pub fn origin(&self) -> Option<&'a str> {
        self.origin
    }

    /// What accepting the first acceptable offer of `permessage-deflate` would mean, if there is one and
    /// this build has the feature `deflate`.
    pub fn deflate(&self) -> Option<Deflate> {
        self.agreement.filter(|_| cfg!(feature = "deflate")).map(Agreement::deflate)
    }

    /// The 101 response, after which both sides send frames (RFC 6455 §4.2.2).
    ///
    /// `deflate` is what [`deflate`](Offer::deflate) returned, or `None` to decline. It is our own misuse
    /// to agree to what was not offered, and nothing is sent then.
    pub fn accept(
        &self,
        subprotocol: Option<&str>,
        deflate: Option<Deflate>,
    ) -> Result<Vec<u8>, NotOffered> {
        if subprotocol.is_some_and(|chosen| self.subprotocols().all(|name| name != chosen)) {
            return Err(NotOffered::Subprotocol);
        }
        if deflate.is_some() && deflate != self.deflate() {
            return Err(NotOffered::Deflate);
        }
        let mut out = Vec::with_capacity(320 + subprotocol.map_or(0, str::len));
        out.extend_from_slice(
            b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Accept: ",
        );
        out.extend_from_slice(&accept_value(self.key));
        if let Some(name) = subprotocol {
            out.extend_from_slice(b"\r\nSec-WebSocket-Protocol: ");
            out.extend_from_slice(name.as_bytes());
        }
        if let (Some(_), Some(agreement)) = (deflate, self.agreement) {
            out.extend_from_slice(b"\r\nSec-WebSocket-Extensions: ");
            agreement.encode(&mut out);
        }
        out.extend_from_slice(b"\r\n\r\n");
        Ok(out)
    }
}

/// Why an opening handshake is not accepted. Its response closes the connection: what is pipelined
/// behind it may be frames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// Before HTTP/1.1 (RFC 6455 §4.2.1 1).
    HttpVersion,
    /// Not `GET` (§4.2.1 1).
    Method,
    /// No `Upgrade: websocket` (§4.2.1 3). Also fits a plain request for what is only a WebSocket.
    Upgrade,
    /// No `Connection: Upgrade` (§4.2.1 4).
    Connection,
    /// `Sec-WebSocket-Version` is missing or not 13 (§4.2.1 6, §4.4).
    Version,
    /// `Sec-WebSocket-Version` more than once (§11.3.5).
    VersionDuplicate,
    /// No `Sec-WebSocket-Key` (§4.2.1 5).
    KeyMissing,
    /// `Sec-WebSocket-Key` more than once (§11.3.1).
    KeyDuplicate,
    /// `Sec-WebSocket-Key` is not the base64 of 16 bytes (§4.2.1 5).
    Key,
    /// `Origin` more than once, or not text (§4.2.1 7, RFC 6454 §7.3).
    OriginMalformed,
    /// The page's origin is not let in (§4.2.2 4). Not found by [`Offer::parse`].
    Origin,
    /// `Sec-WebSocket-Protocol` is not a list of tokens, or names one twice (§4.1 10).
    Subprotocols,
    /// More than [`SUBPROTOCOLS_MAX`] subprotocols: that is no choice, it is work.
    TooManySubprotocols,
    /// `Sec-WebSocket-Extensions` breaks its grammar (§9.1).
    Extensions,
}

impl Refusal {
    /// The status that answers it.
    pub fn status(self) -> Status {
        match self {
            Self::HttpVersion => Status::VERSION_NOT_SUPPORTED,
            Self::Method => Status::METHOD_NOT_ALLOWED,
            Self::Upgrade | Self::Version => Status::UPGRADE_REQUIRED,
            Self::Origin => Status::FORBIDDEN,
            Self::Connection
            | Self::VersionDuplicate
            | Self::KeyMissing
            | Self::KeyDuplicate
            | Self::Key
            | Self::OriginMalformed
            | Self::Subprotocols
            | Self::TooManySubprotocols
            | Self::Extensions => Status::BAD_REQUEST,
        }
    }

    /// The rule, in words for whoever wrote the client.
    pub fn message(self) -> &'static str {
        match self {
            Self::HttpVersion => "a WebSocket needs HTTP/1.1",
            Self::Method => "a WebSocket is opened with GET",
            Self::Upgrade => "this is a WebSocket: send Upgrade: websocket",
            Self::Connection => "the Connection field does not name Upgrade",
            Self::Version => "only Sec-WebSocket-Version 13 is spoken here",
            Self::VersionDuplicate => "there is more than one Sec-WebSocket-Version field",
            Self::KeyMissing => "the Sec-WebSocket-Key field is missing",
            Self::KeyDuplicate => "there is more than one Sec-WebSocket-Key field",
            Self::Key => "Sec-WebSocket-Key is not the base64 of 16 bytes",
            Self::OriginMalformed => "the Origin field is not one origin",
            Self::Origin => "pages of this origin are not let in",
            Self::Subprotocols => "Sec-WebSocket-Protocol is not a list of different tokens",
            Self::TooManySubprotocols => "too many subprotocols",
            Self::Extensions => "Sec-WebSocket-Extensions is malformed",
        }
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Refusal {}

impl From<&Refusal> for Response {
    fn from(refusal: &Refusal) -> Self {
        let status = refusal.status();
        let response = Self::error(status, status.code(), refusal.message()).closing();
        match refusal {
            Refusal::Method => response.header("Allow", "GET"),
            // §4.2.2 4: "MUST abort the WebSocket handshake ... and instead send an appropriate HTTP error
            // code (such as 426 Upgrade Required) and a |Sec-WebSocket-Version| header field".
            Refusal::Upgrade | Refusal::Version => {
                response.upgrade("websocket").header("Sec-WebSocket-Version", "13")
            }
            _ => response,
        }
    }
}

/// Our misuse: a response would have agreed to something that the client did not offer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NotOffered {
    /// "The value chosen MUST be derived from the client's handshake" (RFC 6455 §4.2.2 4).
    Subprotocol,
    /// "Extensions not listed by the client MUST NOT be listed" (§4.2.2 4).
    Deflate,
}

impl std::fmt::Display for NotOffered {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Subprotocol => "this subprotocol was not offered",
            Self::Deflate => "permessage-deflate was not offered so",
        })
    }
}

impl std::error::Error for NotOffered {}

/// More subprotocols than this in one handshake are refused: comparing each with each must stay cheap.
pub const SUBPROTOCOLS_MAX: usize = 64;

/// The value of `Sec-WebSocket-Accept` for a key: base64 of the SHA-1 of key and GUID (§4.2.2 5).
pub(crate) fn accept_value(key: &[u8]) -> [u8; 28] {
    let digest = Sha1::new().chain_update(key).chain_update(GUID).finalize();
    let mut value = [0; 28];
    STANDARD.encode_slice(digest, &mut value).expect("20 bytes encode to 28 characters");
    value
}

/// Whether `key` is base64 that, "when decoded, is 16 bytes in length" (§4.2.1 5).
///
/// The four bits that the last character has too many are not looked at: the key is only ever hashed as
/// it stands, and the RFC's own example in §4.1 7, `AQIDBAUGBwgJCgsMDQ4PEC==`, has some of them set.
fn is_key(key: &[u8]) -> bool {
    let in_alphabet = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(in_alphabet)
}

fn subprotocols<'a>(request: &'a Request<'a>) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    request.headers.list("sec-websocket-protocol")
}

/// §4.1 10: "The elements that comprise this value MUST be non-empty strings with characters in the range
/// U+0021 to U+007E not including separator characters ... and MUST all be unique strings."
fn check_subprotocols(request: &Request<'_>) -> Result<(), Refusal> {
    let mut fields = request.headers.values("sec-websocket-protocol");
    // A field is `1#token`: one that lists nothing is malformed.
    if fields.any(|field| elements(field).next().is_none()) {
        return Err(Refusal::Subprotocols);
    }
    let mut seen = [&b""[..]; SUBPROTOCOLS_MAX];
    for (at, name) in subprotocols(request).enumerate() {
        if !is_token(name) || seen.iter().take(at).any(|earlier| *earlier == name) {
            return Err(Refusal::Subprotocols);
        }
        *seen.get_mut(at).ok_or(Refusal::TooManySubprotocols)? = name;
    }
    Ok(())
}

/// The value of a field that may be there once; [`More`] if there are several.
fn one<'a>(request: &Request<'a>, name: &str) -> Result<Option<&'a [u8]>, More> {
    let mut values = request.headers.values(name);
    let first = values.next();
    if values.next().is_some() { Err(More) } else { Ok(first) }
}

/// A field that may be there once is there more often.
struct More;

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
