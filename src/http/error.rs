//! Every rule of HTTP that a peer can break, and what it is answered.
//!
//! One variant per rule, one table from rule to status, one from rule to words. Nothing here tells a
//! peer more than the rule it broke.

use std::fmt;

use super::{Response, Status};

/// A rule that a request broke. The connection is answered and closed: after a broken head nobody
/// can say where the next request starts.
///
/// ```
/// use wsrelay::http::{Fault, Response, Status};
/// let fault = Fault::ObsFold;
/// assert_eq!(fault.status(), Status::BAD_REQUEST);
/// let answer = Response::from(&fault); // a JSON error that closes the connection
/// # let _ = answer;
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The first byte can start no method: another protocol, TLS for one (RFC 9112 §3).
    NotHttp,
    /// More than one empty line before the request line (RFC 9112 §2.2).
    BlankLines,
    /// Not `method SP target SP version CRLF` (RFC 9112 §3).
    RequestLine,
    /// Not `version SP code SP reason CRLF`; client role only (RFC 9112 §4).
    StatusLine,
    /// A carriage return without a line feed (RFC 9112 §2.2).
    BareCr,
    /// A line feed without a carriage return. RFC 9112 §2.2 lets a recipient accept it; where two
    /// recipients differ, a request is smuggled.
    BareLf,
    /// A NUL (RFC 9110 §5.5).
    Nul,
    /// Another control byte (RFC 9110 §5.5).
    Control,
    /// A field name that is not a token, or a line without a colon (RFC 9112 §5.1).
    FieldName,
    /// White space between a field name and its colon (RFC 9112 §5.1).
    SpaceBeforeColon,
    /// A field line that starts with white space (RFC 9112 §5.2 and §2.2).
    ObsFold,
    /// Request line over its limit (RFC 9112 §3).
    RequestLineTooLong,
    /// Method over [`head::METHOD_BYTES_MAX`](super::head::METHOD_BYTES_MAX) (RFC 9112 §3).
    MethodTooLong,
    /// Head over its limit (RFC 6585 §5).
    HeadTooLarge,
    /// More field lines than the limit (RFC 6585 §5).
    TooManyHeaders,
    /// Neither HTTP/1.0 nor HTTP/1.1; the preface of HTTP/2 among others (RFC 9110 §15.6.6). RFC 9110
    /// §2.5 would read a later HTTP/1.x as 1.1; none exists, and what says so is not a client of ours.
    Version,
    /// A target of none of the forms in RFC 9112 §3.2, or of one that the method does not allow.
    Target,
    /// `CONNECT`: this is no proxy (RFC 9110 §9.3.6).
    Connect,
    /// A path that decodes to nothing safe: see [`Target::decoded_path`](super::Target::decoded_path).
    Path,
    /// HTTP/1.1 without `Host` (RFC 9112 §3.2).
    HostMissing,
    /// More than one `Host` (RFC 9112 §3.2).
    HostDuplicate,
    /// `Host` is not `host[:port]` (RFC 9112 §3.2, RFC 3986 §3.2).
    HostInvalid,
    /// `Content-Length` that is not one decimal number, or is there twice (RFC 9112 §6.3).
    ContentLength,
    /// `Content-Length` beside `Transfer-Encoding` (RFC 9112 §6.1).
    ContentLengthWithTransferEncoding,
    /// `Transfer-Encoding` in HTTP/1.0 (RFC 9112 §6.1), or beside an upgrade to WebSocket.
    TransferEncodingMisplaced,
    /// Any transfer coding (RFC 9112 §6.1). We depart from §7.1, which wants `chunked` understood: no
    /// client of this API needs it, and what is not parsed cannot be smuggled through.
    TransferEncoding,
    /// An upgrade to WebSocket that announces a body, even an empty one: the bytes behind it would be
    /// content to one reader and frames to another.
    UpgradeWithBody,
    /// `X-Forwarded-For` and `Forwarded` name different clients: see [`Forwarded::read`](super::Forwarded::read).
    Forwarded,
    /// `Forwarded` that breaks its grammar, of which nobody can say which proxy said what (RFC 7239 §4).
    ForwardedMalformed,
    /// A proxy that has to say who its client is, and does not, or not by the rules: see [`proxy`](super::proxy).
    Proxy,
    /// Body over its limit (RFC 9110 §15.5.14).
    BodyTooLarge,
    /// `Expect` in HTTP/1.1. RFC 9110 §10.1.1 allows a final status in place of `100 Continue`, and
    /// clients then send the request again without it.
    Expect,
}

impl Fault {
    /// The status that answers it.
    pub fn status(self) -> Status {
        match self {
            Self::NotHttp
            | Self::BlankLines
            | Self::RequestLine
            | Self::StatusLine
            | Self::BareCr
            | Self::BareLf
            | Self::Nul
            | Self::Control
            | Self::FieldName
            | Self::SpaceBeforeColon
            | Self::ObsFold
            | Self::Target
            | Self::Path
            | Self::HostMissing
            | Self::HostDuplicate
            | Self::HostInvalid
            | Self::ContentLength
            | Self::ContentLengthWithTransferEncoding
            | Self::TransferEncodingMisplaced
            | Self::UpgradeWithBody
            | Self::Forwarded
            | Self::ForwardedMalformed
            | Self::Proxy => Status::BAD_REQUEST,
            Self::BodyTooLarge => Status::CONTENT_TOO_LARGE,
            Self::RequestLineTooLong => Status::URI_TOO_LONG,
            Self::Expect => Status::EXPECTATION_FAILED,
            Self::HeadTooLarge | Self::TooManyHeaders => Status::HEADERS_TOO_LARGE,
            Self::MethodTooLong | Self::Connect | Self::TransferEncoding => Status::NOT_IMPLEMENTED,
            Self::Version => Status::VERSION_NOT_SUPPORTED,
        }
    }

    /// The rule, in words for whoever wrote the client.
    pub fn message(self) -> &'static str {
        match self {
            Self::NotHttp => "this is not an HTTP request",
            Self::BlankLines => "more than one empty line before the request line",
            Self::RequestLine => "the request line is not METHOD TARGET HTTP/1.1",
            Self::StatusLine => "the status line is not HTTP/1.1 CODE REASON",
            Self::BareCr => "a carriage return without a line feed",
            Self::BareLf => "a line feed without a carriage return",
            Self::Nul => "a NUL byte in the head",
            Self::Control => "a control byte in the head",
            Self::FieldName => "a field name is not a token followed by a colon",
            Self::SpaceBeforeColon => "white space before the colon of a field",
            Self::ObsFold => "a field line starts with white space",
            Self::RequestLineTooLong => "the request line is too long",
            Self::MethodTooLong => "the method is not known here",
            Self::HeadTooLarge => "the head is too large",
            Self::TooManyHeaders => "too many header fields",
            Self::Version => "only HTTP/1.1 and HTTP/1.0 are spoken here",
            Self::Target => "the request target has no form that this method allows",
            Self::Connect => "CONNECT is not spoken here",
            Self::Path => "the path does not decode to a plain path",
            Self::HostMissing => "the Host field is missing",
            Self::HostDuplicate => "there is more than one Host field",
            Self::HostInvalid => "the Host field is not host[:port]",
            Self::ContentLength => "Content-Length is not one decimal number",
            Self::ContentLengthWithTransferEncoding => "Content-Length beside Transfer-Encoding",
            Self::TransferEncodingMisplaced => "Transfer-Encoding where there can be none",
            Self::TransferEncoding => "transfer codings are not spoken here, send Content-Length",
            Self::UpgradeWithBody => "an upgrade cannot carry a body",
            Self::Forwarded => "X-Forwarded-For and Forwarded name different clients",
            Self::ForwardedMalformed => "the Forwarded field is malformed",
            Self::Proxy => {
                "a connection of a trusted proxy has to begin with a header of the PROXY protocol"
            }
            Self::BodyTooLarge => "the body is too large",
            Self::Expect => "expectations are not met here, send the body at once",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl std::error::Error for Fault {}

impl From<&Fault> for Response {
    fn from(fault: &Fault) -> Self {
        let status = fault.status();
        Self::error(status, status.code(), fault.message()).closing()
    }
}
