//! HTTP/1.1 for a server that mostly hands its connections on: requests in, responses out.
//!
//! Owns as much of RFC 9112 and RFC 9110 as a WebSocket server with a page and a small API needs:
//! strict request heads, bodies framed by `Content-Length`, keep-alive, pipelining, `HEAD`, entity
//! tags. It must never know sockets, the clock, or what any path means: bytes and values go in, bytes
//! and values come out.
//!
//! The path of one request:
//!
//! ```text
//! bytes → Reader ──→ head::Scanner   finds the end of the head, byte for byte, and refuses
//!           │                        what is not strictly HTTP/1.x where it stands
//!           └─────→ Request::parse   httparse splits the head; the rules between the fields
//!                                    (Host, framing, target) are held; nothing is copied
//! Request → Exchange ─┐
//! Response ───────────┴→ Response::encode → bytes
//! Fault → Response                   the one conversion from a broken rule to an answer
//! ```
//!
//! Invariants:
//!
//! - A [`Reader`] takes no byte past the request it returns. What follows may be a frame.
//! - How the input was cut changes neither the requests, nor the fault, nor the byte at which it is found.
//! - Memory follows the bytes received, never the bytes promised, and none is owned between requests.
//! - Whatever could be framed in two ways (RFC 9112 §11.2, request smuggling) is refused, not repaired.
//!
//! Not spoken, by intent: transfer codings (501), `CONNECT` (501), trailers, `100 Continue` (417).

pub mod authority;
pub mod date;
pub mod error;
pub mod forwarded;
pub mod grammar;
pub mod head;
pub mod headers;
pub mod proxy;
pub mod reader;
pub mod request;
pub mod response;
pub mod status;
pub mod target;
pub mod trust;

pub use authority::Authority;
pub use date::Date;
pub use error::Fault;
pub use forwarded::Forwarded;
pub use headers::Headers;
pub use reader::Reader;
pub use request::{Method, Request, Version};
pub use response::{Exchange, Response};
pub use status::Status;
pub use target::Target;
pub use trust::Trusted;

/// How much of one request is taken before it is refused.
///
/// ```
/// let limits = wsrelay::http::Limits { body_bytes_max: 0, ..Default::default() };
/// assert_eq!(limits.request_line_bytes_max, 8192);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Request line with its CRLF; a longer one is answered with 414.
    pub request_line_bytes_max: usize,
    /// Request line, fields and the empty line; a longer head is answered with 431. Never more than
    /// [`head::HEAD_BYTES_MAX`], whatever is set here.
    pub head_bytes_max: usize,
    /// Field lines; more are answered with 431. Never more than [`headers::HEADERS_MAX`].
    pub headers_max: usize,
    /// `Content-Length`; a larger one is answered with 413.
    pub body_bytes_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            // RFC 9112 §3 recommends that at least 8000 be supported.
            request_line_bytes_max: 8 * 1024,
            // Twice a full request line: browsers with many cookies stay below 8 KiB of fields.
            head_bytes_max: 16 * 1024,
            headers_max: headers::HEADERS_MAX,
            // The default size of a WebSocket message: what fits one way in fits the other.
            body_bytes_max: 64 * 1024,
        }
    }
}
