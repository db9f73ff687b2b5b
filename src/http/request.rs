//! A request whose head is whole, and the rules between its fields (RFC 9112 §3, §6; RFC 9110 §7, §10).
//!
//! It is given what the scanner in [`head`](super::head) let through, so it is only about meaning: whose host, how long a body, whether the connection goes on. Copies nothing.

use std::mem::MaybeUninit;

use super::head::work;
use super::headers::HEADERS_MAX;
use super::{Authority, Exchange, Fault, Headers, Limits, Target};

/// One request. Borrowed from the input where it arrived whole, else from its [`Reader`](super::Reader).
///
/// Answer it with a [`Response`](super::Response) encoded for its [`exchange`](Request::exchange).
#[derive(Clone, Debug)]
pub struct Request<'a> {
    /// What to do.
    pub method: Method<'a>,
    /// To what.
    pub target: Target<'a>,
    /// HTTP/1.0 or HTTP/1.1.
    pub version: Version,
    /// The field lines.
    pub headers: Headers<'a>,
    /// The whole body; empty if there is none.
    pub body: &'a [u8],
}

impl<'a> Request<'a> {
    /// Takes a whole head apart. The body is not there yet: its length is returned.
    pub(crate) fn parse(head: &'a [u8], limits: &Limits) -> Result<(Self, usize), Fault> {
        work::add(head.len());
        let mut fields = [const { MaybeUninit::uninit() }; HEADERS_MAX];
        let mut parsed = httparse::Request::new(&mut []);
        // The scanner is stricter than httparse. Were it ever not, this is where it would show.
        let status = parsed.parse_with_uninit_headers(head, &mut fields);
        let (Ok(httparse::Status::Complete(_)), Some(method), Some(target), Some(minor)) =
            (status, parsed.method, parsed.path, parsed.version)
        else {
            return Err(Fault::RequestLine);
        };
        let method = Method::from(method);
        if method == Method::Other("CONNECT") {
            return Err(Fault::Connect);
        }
        let request = Self {
            method,
            target: Target::parse(target, method)?,
            version: if minor == 0 { Version::Http10 } else { Version::Http11 },
            headers: Headers::new(head, parsed.headers),
            body: &[],
        };
        request.check_host()?;
        let body_bytes = request.body_bytes()?;
        if request.version == Version::Http11 && request.headers.value("expect").is_some() {
            return Err(Fault::Expect);
        }
        if body_bytes > limits.body_bytes_max as u64 {
            return Err(Fault::BodyTooLarge);
        }
        let body_bytes = usize::try_from(body_bytes).map_err(|_| Fault::BodyTooLarge)?;
        Ok((request, body_bytes))
    }

    /// `host[:port]` that the client means: of an absolute target, else of the `Host` field
    /// (RFC 9112 §3.2.2). Only HTTP/1.0 can leave it out.
    pub fn host(&self) -> Option<&'a str> {
        let field = || str::from_utf8(self.headers.value("host")?).ok();
        self.target.authority().or_else(field)
    }

    /// Whether the client wants the connection to go on after the response (RFC 9112 §9.3).
    pub fn keep_alive(&self) -> bool {
        let option = |name| self.headers.lists("connection", name);
        match self.version {
            Version::Http11 => !option("close"),
            Version::Http10 => option("keep-alive") && !option("close"),
        }
    }

    /// Whether `Upgrade` names this protocol (RFC 9110 §7.8), by name and without regard to case.
    ///
    /// A client may name others as well; those that this server does not speak are ignored.
    pub fn upgrades_to(&self, protocol: &str) -> bool {
        self.headers.lists("upgrade", protocol)
    }

    /// What a response must know of this request once its bytes are gone.
    pub fn exchange(&self) -> Exchange {
        Exchange::of(self)
    }

    /// RFC 9112 §3.2: "A server MUST respond with a 400 (Bad Request) status code to any HTTP/1.1
    /// request message that lacks a Host header field and to any request message that contains more
    /// than one Host header field line or a Host header field with an invalid field value."
    fn check_host(&self) -> Result<(), Fault> {
        let mut hosts = self.headers.values("host");
        let Some(host) = hosts.next() else {
            return match self.version {
                Version::Http10 => Ok(()),
                Version::Http11 => Err(Fault::HostMissing),
            };
        };
        if hosts.next().is_some() {
            return Err(Fault::HostDuplicate);
        }
        let host = str::from_utf8(host).ok().and_then(Authority::parse);
        host.map(|_| ()).ok_or(Fault::HostInvalid)
    }

    /// How long the body is (RFC 9112 §6.3), if that can be said in one way only.
    fn body_bytes(&self) -> Result<u64, Fault> {
        let mut lengths = self.headers.values("content-length");
        let length = lengths.next();
        let upgrades = self.upgrades_to("websocket");
        if self.headers.value("transfer-encoding").is_some() {
            // RFC 9112 §6.1: a server "MAY reject a request that contains both Content-Length and
            // Transfer-Encoding", and of HTTP/1.0: "MUST treat the message as if the framing is faulty".
            return Err(match length {
                Some(_) => Fault::ContentLengthWithTransferEncoding,
                None if upgrades || self.version == Version::Http10 => {
                    Fault::TransferEncodingMisplaced
                }
                None => Fault::TransferEncoding,
            });
        }
        let Some(length) = length else { return Ok(0) };
        // RFC 9112 §6.3: "the server MUST respond with a 400". It spares a list of equal numbers if a
        // recipient likes; we do not.
        if lengths.next().is_some() || length.is_empty() || !length.iter().all(u8::is_ascii_digit) {
            return Err(Fault::ContentLength);
        }
        if upgrades {
            return Err(Fault::UpgradeWithBody);
        }
        // More digits than a u64 holds are a valid number, only a large one.
        let number = length.iter().fold(0u64, |number, digit| {
            number.saturating_mul(10).saturating_add(u64::from(digit - b'0'))
        });
        Ok(number)
    }
}

/// A method (RFC 9110 §9). Case matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method<'a> {
    /// `GET`.
    Get,
    /// `HEAD`.
    Head,
    /// `POST`.
    Post,
    /// `PUT`.
    Put,
    /// `PATCH` (RFC 5789).
    Patch,
    /// `DELETE`.
    Delete,
    /// `OPTIONS`.
    Options,
    /// Anything else; answer with [`Response::not_implemented`](super::Response::not_implemented).
    Other(&'a str),
}

impl<'a> Method<'a> {
    /// As on the wire.
    pub fn as_str(self) -> &'a str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other(name) => name,
        }
    }
}

impl<'a> From<&'a str> for Method<'a> {
    fn from(name: &'a str) -> Self {
        match name {
            "GET" => Self::Get,
            "HEAD" => Self::Head,
            "POST" => Self::Post,
            "PUT" => Self::Put,
            "PATCH" => Self::Patch,
            "DELETE" => Self::Delete,
            "OPTIONS" => Self::Options,
            other => Self::Other(other),
        }
    }
}

/// A version that is spoken here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0: no `Host` needed, closes unless asked not to, never upgrades.
    Http10,
    /// HTTP/1.1.
    Http11,
}
