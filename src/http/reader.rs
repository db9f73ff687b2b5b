//! Requests out of the bytes of one connection, in whatever pieces they arrive (RFC 9112 §2, §9.3).
//!
//! ```text
//!            first byte            end of head, body announced
//! Idle ───────────────────→ Head ──────────────────────────────→ Body ──→ Idle
//!   ↑                        │ end of head, no body                │
//!   └────────────────────────┘          any fault → Failed (stays) ┘
//! ```
//!
//! Invariants: takes no byte past the request returned; a request that is whole in its input is
//! borrowed from there, with nothing allocated; otherwise what was received of it is owned, no more,
//! until the next call.

use super::head::Scanner;
use super::{Exchange, Fault, Limits, Request};

/// Reads one connection's requests.
///
/// ```
/// use wsrelay::http::{Limits, Method, Reader};
///
/// let mut reader = Reader::new();
/// let mut input = &b"GET /a HTTP/1.1\r\nHost: h\r\n\r\nHEAD /b HTTP/1.1\r\nHo"[..];
/// let mut seen = Vec::new();
/// while let Some(request) = reader.next_request(&mut input, &Limits::default()).unwrap() {
///     seen.push(request.target.path().to_owned());
/// }
/// assert_eq!(seen, ["/a"]);
/// assert!(input.is_empty() && !reader.is_idle());
///
/// let mut input = &b"st: h\r\n\r\n"[..];
/// let request = reader.next_request(&mut input, &Limits::default()).unwrap().unwrap();
/// assert_eq!((request.method, request.target.path()), (Method::Head, "/b"));
/// ```
#[derive(Debug)]
pub struct Reader {
    /// What was received of an unfinished request, or of the one last returned.
    held: Vec<u8>,
    state: State,
}

#[derive(Debug)]
enum State {
    /// Nothing of a request yet. `held` may still back the last one returned.
    Idle,
    /// Within the head.
    Head(Scanner),
    /// The head is held, and the body not yet whole.
    Body { head_bytes: usize, body_bytes: usize },
    /// A rule was broken, and nothing after it can be understood. And whether it began as a `HEAD`.
    Failed(Fault, bool),
}

const HEAD: &[u8] = b"HEAD ";

impl Reader {
    /// Owns nothing yet.
    pub const fn new() -> Self {
        Self { held: Vec::new(), state: State::Idle }
    }

    /// Takes the next request off the front of `input`, and not a byte more: what follows may be
    /// another request, or frames. `None`: all of `input` was taken, and more is needed.
    ///
    /// Call until it returns `None`, which also gives back what the request before it had to own. After
    /// a [`Fault`], answer with `Response::from(&fault)` and close; further calls return the same.
    pub fn next_request<'r, 'i: 'r>(
        &'r mut self,
        input: &mut &'i [u8],
        limits: &Limits,
    ) -> Result<Option<Request<'r>>, Fault> {
        let first = *input;
        let found = match self.find(input, limits) {
            Ok(found) => found,
            Err(fault) => {
                let begins = self.held.iter().chain(first);
                // An empty line before a request is passed over (RFC 9112 §2.2).
                let begins = begins.skip_while(|byte| b"\r\n".contains(byte)).take(HEAD.len());
                let is_head = matches!(self.state, State::Failed(_, true)) || begins.eq(HEAD);
                *self = Self { held: Vec::new(), state: State::Failed(fault, is_head) };
                return Err(fault);
            }
        };
        match found {
            Found::Nothing => Ok(None),
            Found::InInput(request) => Ok(Some(request)),
            Found::Held { head_bytes } => {
                let (head, body) = self.held.split_at(head_bytes);
                let (request, _) = Request::parse(head, limits)?;
                Ok(Some(Request { body, ..request }))
            }
        }
    }

    /// What a response to a fault must know of what there was of the request.
    pub fn broken_exchange(&self) -> Exchange {
        Exchange::broken_off(matches!(self.state, State::Failed(_, true)))
    }

    fn find<'i>(&mut self, input: &mut &'i [u8], limits: &Limits) -> Result<Found<'i>, Fault> {
        loop {
            match &mut self.state {
                State::Failed(fault, _) => return Err(*fault),
                State::Idle => {
                    self.held = Vec::new();
                    if input.is_empty() {
                        return Ok(Found::Nothing);
                    }
                    self.state = State::Head(Scanner::request());
                }
                State::Head(scanner) => {
                    let Some(end) = scanner.scan(input, limits)? else {
                        self.hold(input, input.len());
                        return Ok(Found::Nothing);
                    };
                    if let Some(request) = self.end_head(input, end, limits)? {
                        return Ok(Found::InInput(request));
                    }
                }
                State::Body { head_bytes, body_bytes } => {
                    let (head_bytes, request_bytes) = (*head_bytes, *head_bytes + *body_bytes);
                    let missing = request_bytes - self.held.len();
                    self.hold(input, missing.min(input.len()));
                    if self.held.len() < request_bytes {
                        return Ok(Found::Nothing);
                    }
                    self.state = State::Idle;
                    return Ok(Found::Held { head_bytes });
                }
            }
        }
    }

    /// Parses the head, which ends with the first `bytes` of `input`. The request, if it is whole there;
    /// else its head is held from now on, and the body comes next.
    fn end_head<'i>(
        &mut self,
        input: &mut &'i [u8],
        bytes: usize,
        limits: &Limits,
    ) -> Result<Option<Request<'i>>, Fault> {
        let (head, behind) = input.split_at(bytes);
        let body_bytes = if self.held.is_empty() {
            let (request, body_bytes) = Request::parse(head, limits)?;
            if let Some((body, rest)) = behind.split_at_checked(body_bytes) {
                *input = rest;
                self.state = State::Idle;
                return Ok(Some(Request { body, ..request }));
            }
            self.hold(input, bytes);
            body_bytes
        } else {
            self.hold(input, bytes);
            Request::parse(&self.held, limits)?.1
        };
        self.state = State::Body { head_bytes: self.held.len(), body_bytes };
        Ok(None)
    }

    /// Takes the first `bytes` of `input` over.
    fn hold(&mut self, input: &mut &[u8], bytes: usize) {
        let (taken, rest) = input.split_at(bytes);
        self.held.extend_from_slice(taken);
        *input = rest;
    }

    /// Heap bytes now owned.
    pub fn held_bytes(&self) -> usize {
        self.held.capacity()
    }

    /// Whether no request has begun: nothing is owed to this peer but patience.
    pub fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }
}

impl Default for Reader {
    fn default() -> Self {
        Self::new()
    }
}

/// Where a whole request lies.
#[expect(clippy::large_enum_variant, reason = "made and matched within one call, never stored")]
enum Found<'i> {
    Nothing,
    InInput(Request<'i>),
    Held { head_bytes: usize },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Method, Version};

    const LIMITS: Limits = Limits {
        request_line_bytes_max: 64,
        head_bytes_max: 256,
        headers_max: 8,
        body_bytes_max: 32,
    };

    #[test]
    fn a_reader_is_small() {
        assert!(size_of::<Reader>() <= 48, "{}", size_of::<Reader>());
    }

    #[test]
    fn a_whole_request_is_borrowed_and_costs_no_memory() {
        let bytes = b"POST /x HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabcGET";
        let mut input = &bytes[..];
        let mut reader = Reader::new();
        let request = reader.next_request(&mut input, &LIMITS).unwrap().unwrap();
        assert_eq!((request.method, request.version), (Method::Post, Version::Http11));
        assert_eq!(request.body, b"abc");
        assert!(bytes.as_ptr_range().contains(&request.body.as_ptr()), "not borrowed");
        assert_eq!(input, b"GET");
        assert_eq!(reader.held_bytes(), 0);
        assert!(reader.is_idle());
    }

    #[test]
    fn what_a_cut_request_owned_is_given_back_by_the_next_call() {
        let mut reader = Reader::new();
        let limits = &LIMITS;
        assert!(reader.next_request(&mut &b"GET / HT"[..], limits).unwrap().is_none());
        assert!(!reader.is_idle() && reader.held_bytes() >= 8);
        let mut input = &b"TP/1.1\r\nHost: h\r\n\r\n\x81\x80"[..];
        let request = reader.next_request(&mut input, limits).unwrap().unwrap();
        assert_eq!(request.host(), Some("h"));
        assert_eq!(input, b"\x81\x80");
        assert!(reader.is_idle());
        assert!(reader.next_request(&mut &b""[..], limits).unwrap().is_none());
        assert_eq!(reader.held_bytes(), 0);
    }

    #[test]
    fn a_promised_body_owns_only_what_has_arrived() {
        let limits = Limits { body_bytes_max: 1 << 30, ..LIMITS };
        let head = b"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1000000000\r\n\r\n";
        let mut reader = Reader::new();
        assert!(reader.next_request(&mut &head[..], &limits).unwrap().is_none());
        assert!(reader.held_bytes() <= 2 * head.len(), "{}", reader.held_bytes());
    }

    #[test]
    fn a_failed_reader_stays_failed_and_owns_nothing() {
        let mut reader = Reader::new();
        assert!(reader.next_request(&mut &b"GET "[..], &LIMITS).unwrap().is_none());
        for input in [&b"\n"[..], b"GET / HTTP/1.1\r\nHost: h\r\n\r\n"] {
            let fault = reader.next_request(&mut { input }, &LIMITS).unwrap_err();
            assert_eq!(fault, Fault::BareLf);
            assert_eq!(reader.held_bytes(), 0);
        }
    }
}
