//! Finds where a head ends, however its bytes arrive, and refuses on the way what is not strictly
//! HTTP/1.x (RFC 9112 §2–§5).
//!
//! `Scanner` is a state machine over bytes. It keeps no bytes, only where it stands, so each byte is
//! looked at once, be it alone in its packet or in one with the whole head. What it lets through is
//! strict: lines end in CRLF, no control byte, no folding, a version we speak, everything within
//! limits. A fault is raised by the first byte that makes it certain, so it is the same however the
//! input was cut, and a peer that speaks another protocol is told at once.
//!
//! ```text
//! request   Start ─→ Method ─→ TargetStart ─→ Target ─→ Version ─┐
//!             └ one empty line may come before                    ├→ LineLf ─→ FieldStart ─→ EndLf ─→ Done
//! response  StatusVersion ─→ StatusCode ─→ Reason ────────────────┘            │   ↑
//!                                                                              ↓   │
//!                                                      Name ─→ Value ─→ FieldLf ───┘
//! ```
//!
//! It must never know what a field means.

use super::grammar::{self, TARGET, TOKEN, VALUE};
use super::{Fault, Limits, headers};

/// A head is never longer, whatever its limit says: positions within it are kept in 16 bits.
pub const HEAD_BYTES_MAX: usize = u16::MAX as usize;

/// Longer methods are answered with 501 ("a method longer than any that it implements", RFC 9112 §3)
/// before a whole line of one is read. The longest one registered has 17 characters.
pub const METHOD_BYTES_MAX: u8 = 32;

/// Where in a head the next byte stands.
#[derive(Clone, Debug)]
pub(crate) struct Scanner {
    head_bytes: usize,
    fields: usize,
    state: State,
}

impl Scanner {
    /// Before the first byte of a request.
    pub(crate) const fn request() -> Self {
        Self { head_bytes: 0, fields: 0, state: State::Start }
    }

    /// Before the first byte of a response.
    pub(crate) const fn response() -> Self {
        Self { head_bytes: 0, fields: 0, state: State::StatusVersion(0) }
    }

    /// Before the first byte of a response again, behind one that only informed. The limits go on
    /// counting.
    pub(crate) fn start_response(&mut self) {
        self.state = State::StatusVersion(0);
    }

    /// Looks at `input`, which follows what was given before. `Some(n)`: the head ends with the first
    /// `n` bytes of it. `None`: all of it belongs to the head, which goes on.
    pub(crate) fn scan(&mut self, input: &[u8], limits: &Limits) -> Result<Option<usize>, Fault> {
        let head_bytes_max = limits.head_bytes_max.min(HEAD_BYTES_MAX);
        let mut at = 0;
        loop {
            let in_first_line = self.state.in_first_line();
            let (bytes_max, fault) = if in_first_line {
                (limits.request_line_bytes_max.min(head_bytes_max), Fault::RequestLineTooLong)
            } else {
                (head_bytes_max, Fault::HeadTooLarge)
            };
            let room = bytes_max.saturating_sub(self.head_bytes);
            let rest = &input[at..];
            let looked_at = self.advance(&rest[..rest.len().min(room)], limits.headers_max)?;
            work::add(looked_at);
            at += looked_at;
            self.head_bytes += looked_at;
            if self.state == State::Done {
                return Ok(Some(at));
            }
            if at == input.len() {
                return Ok(None);
            }
            // Input is left, so either the first line ended, or a limit stopped us.
            if !in_first_line || self.state.in_first_line() {
                return Err(fault);
            }
        }
    }

    /// Looks at `window` until it is used up, or the first line ends, or the head does.
    fn advance(&mut self, window: &[u8], headers_max: usize) -> Result<usize, Fault> {
        let headers_max = headers_max.min(headers::HEADERS_MAX);
        let mut at = 0;
        while at < window.len() {
            at += self.state.run(&window[at..]);
            let Some(&byte) = window.get(at) else { break };
            at += 1;
            self.state = self.state.after(byte)?;
            match self.state {
                // Entered by the first character of a name; the others are run over.
                State::Name => {
                    self.fields += 1;
                    if self.fields > headers_max {
                        return Err(Fault::TooManyHeaders);
                    }
                }
                State::FieldStart if self.fields == 0 => break,
                State::Done => break,
                _ => {}
            }
        }
        Ok(at)
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Start,
    BlankLf,
    AfterBlank,
    /// Characters of the method so far.
    Method(u8),
    TargetStart,
    Target,
    /// Characters of the version so far, its carriage return among them.
    Version(u8),
    StatusVersion(u8),
    StatusCode(u8),
    Reason,
    LineLf,
    FieldStart,
    Name,
    Value,
    FieldLf,
    EndLf,
    Done,
}

impl State {
    fn in_first_line(self) -> bool {
        !matches!(
            self,
            Self::FieldStart | Self::Name | Self::Value | Self::FieldLf | Self::EndLf | Self::Done
        )
    }

    /// How many bytes at the front of `bytes` leave this state as it is.
    fn run(self, bytes: &[u8]) -> usize {
        match self {
            Self::Target => grammar::run(TARGET, bytes),
            Self::Name => grammar::run(TOKEN, bytes),
            Self::Value | Self::Reason => grammar::run(VALUE, bytes),
            _ => 0,
        }
    }

    /// The state that `byte` leads to.
    fn after(self, byte: u8) -> Result<Self, Fault> {
        let is_tchar = grammar::is_token(&[byte]);
        Ok(match (self, byte) {
            // RFC 9112 §2.2: "a server ... SHOULD ignore at least one empty line (CRLF) received
            // prior to the request-line." One it is: a stream of them is not a request.
            (Self::Start, b'\r') => Self::BlankLf,
            (Self::BlankLf, b'\n') => Self::AfterBlank,
            (Self::AfterBlank, b'\r') => return Err(Fault::BlankLines),
            (Self::Start | Self::AfterBlank, _) if is_tchar => Self::Method(1),
            (Self::Start | Self::AfterBlank, b'\n') => return Err(Fault::BareLf),
            (Self::Start | Self::AfterBlank, _) => return Err(Fault::NotHttp),

            (Self::Method(_), b' ') => Self::TargetStart,
            (Self::Method(METHOD_BYTES_MAX), _) if is_tchar => return Err(Fault::MethodTooLong),
            (Self::Method(bytes), _) if is_tchar => Self::Method(bytes + 1),
            (Self::TargetStart, _) if grammar::run(TARGET, &[byte]) == 1 => Self::Target,
            (Self::Target, b' ') => Self::Version(0),
            (Self::Version(8), b'\r') => Self::LineLf,
            (Self::Version(at), _) => Self::Version(after_version(at, byte, Fault::RequestLine)?),
            (Self::Method(_) | Self::TargetStart | Self::Target, _) => {
                return Err(stray(byte, Fault::RequestLine));
            }

            (Self::StatusVersion(8), b' ') => Self::StatusCode(0),
            (Self::StatusVersion(at), _) => {
                Self::StatusVersion(after_version(at, byte, Fault::StatusLine)?)
            }
            (Self::StatusCode(digits @ 0..3), b'0'..=b'9') => Self::StatusCode(digits + 1),
            (Self::StatusCode(3), b' ') => Self::Reason,
            // RFC 9112 §4 wants a space here even if there is no reason; servers have left it out.
            (Self::StatusCode(3) | Self::Reason, b'\r') => Self::LineLf,
            (Self::StatusCode(_), _) => return Err(stray(byte, Fault::StatusLine)),

            (Self::LineLf | Self::FieldLf, b'\n') => Self::FieldStart,
            (Self::FieldStart, b'\r') => Self::EndLf,
            (Self::EndLf, b'\n') => Self::Done,
            // RFC 9112 §2.2: a recipient of a bare CR "MUST consider that element to be invalid or
            // replace each bare CR with SP".
            (Self::BlankLf | Self::LineLf | Self::FieldLf | Self::EndLf, _) => {
                return Err(Fault::BareCr);
            }
            // RFC 9112 §5.2: "A server that receives an obs-fold ... MUST either reject the message by
            // sending a 400 ... or replace" it. §2.2 says the same of a space before the first field.
            (Self::FieldStart, b' ' | b'\t') => return Err(Fault::ObsFold),
            (Self::FieldStart, _) if is_tchar => Self::Name,
            (Self::Name, b':') => Self::Value,
            // RFC 9112 §5.1: "A server MUST reject, with a response status code of 400 (Bad Request),
            // any received request message that contains whitespace between a header field name and
            // colon."
            (Self::Name, b' ' | b'\t') => return Err(Fault::SpaceBeforeColon),
            (Self::FieldStart | Self::Name, _) => return Err(stray(byte, Fault::FieldName)),
            (Self::Value, b'\r') => Self::FieldLf,
            (Self::Value | Self::Reason, _) => return Err(stray(byte, Fault::Control)),
            (Self::Done, _) => unreachable!("a scan ends with the head"),
        })
    }
}

/// Takes the `at`th character of `HTTP/1.0` or `HTTP/1.1`; `malformed` if it is no version at all.
fn after_version(at: u8, byte: u8, malformed: Fault) -> Result<u8, Fault> {
    match (at, byte) {
        (0..5 | 6, _) if b"HTTP/1."[usize::from(at)] == byte => Ok(at + 1),
        (5, b'1') | (7, b'0' | b'1') => Ok(at + 1),
        (5 | 7, b'0'..=b'9') => Err(Fault::Version),
        _ => Err(stray(byte, malformed)),
    }
}

/// The fault of a byte that cannot stand where it does.
fn stray(byte: u8, otherwise: Fault) -> Fault {
    match byte {
        0 => Fault::Nul,
        b'\n' => Fault::BareLf,
        b'\t' => otherwise,
        0x01..=0x1f | 0x7f if byte != b'\r' => Fault::Control,
        _ => otherwise,
    }
}

/// Counts bytes looked at, so that a property can hold the work to be linear.
pub(crate) mod work {
    #[cfg(feature = "oracle")]
    use std::cell::Cell;

    #[cfg(feature = "oracle")]
    thread_local! {
        static BYTES: Cell<usize> = const { Cell::new(0) };
    }

    /// Adds to this thread's count, in builds that have one.
    #[inline]
    pub(crate) fn add(_bytes: usize) {
        #[cfg(feature = "oracle")]
        BYTES.set(BYTES.get() + _bytes);
    }

    /// This thread's count since it was last taken.
    #[cfg(feature = "oracle")]
    pub(crate) fn take() -> usize {
        BYTES.take()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan(mut scanner: Scanner, head: &[u8]) -> Result<Option<usize>, Fault> {
        scanner.scan(head, &Limits::default())
    }

    #[test]
    fn each_strict_rule_of_the_head_has_its_fault() {
        let rows: [(&[u8], Fault); 30] = [
            (b"\x16", Fault::NotHttp),
            (b" ", Fault::NotHttp),
            (b"\0", Fault::NotHttp),
            (b"\n", Fault::BareLf),
            (b"\r\r", Fault::BareCr),
            (b"\r\n\r", Fault::BlankLines),
            (b"GET\t", Fault::RequestLine),
            (b"GET\r", Fault::RequestLine),
            (b"GET  ", Fault::RequestLine),
            (b"GET /\r", Fault::RequestLine),
            (b"GET /\n", Fault::BareLf),
            (b"GET /#", Fault::RequestLine),
            (b"GET /\xc3", Fault::RequestLine),
            (b"GET /\0", Fault::Nul),
            (b"GET /\x7f", Fault::Control),
            (b"GET / h", Fault::RequestLine),
            (b"GET / HTTP/1.1 ", Fault::RequestLine),
            (b"GET / HTTP/1.1\n", Fault::BareLf),
            (b"GET / HTTP/1.1\rx", Fault::BareCr),
            (b"PRI * HTTP/2", Fault::Version),
            (b"GET / HTTP/1.2", Fault::Version),
            (b"GET / HTTP/1.1\r\n ", Fault::ObsFold),
            (b"GET / HTTP/1.1\r\na: b\r\n\t", Fault::ObsFold),
            (b"GET / HTTP/1.1\r\na ", Fault::SpaceBeforeColon),
            (b"GET / HTTP/1.1\r\na\r", Fault::FieldName),
            (b"GET / HTTP/1.1\r\n:", Fault::FieldName),
            (b"GET / HTTP/1.1\r\na: b\0", Fault::Nul),
            (b"GET / HTTP/1.1\r\na: b\x1b", Fault::Control),
            (b"GET / HTTP/1.1\r\na: b\n", Fault::BareLf),
            (b"GET / HTTP/1.1\r\na: b\r\n\rx", Fault::BareCr),
        ];
        for (head, fault) in rows {
            let shown = head.escape_ascii();
            assert_eq!(scan(Scanner::request(), head), Err(fault), "{shown}");
            // And its last byte is what raised it, not one before.
            let before = &head[..head.len() - 1];
            assert_eq!(scan(Scanner::request(), before), Ok(None), "{shown}");
        }
    }

    #[test]
    fn a_head_ends_after_its_empty_line_and_not_later() {
        let rows: [(Scanner, &[u8]); 4] = [
            (Scanner::request(), b"GET / HTTP/1.1\r\n\r\n"),
            (Scanner::request(), b"\r\nGET / HTTP/1.0\r\nA:b\r\n\r\n"),
            (Scanner::response(), b"HTTP/1.1 101\r\n\r\n"),
            (Scanner::response(), b"HTTP/1.1 101 So be it\r\nA: \xff\tb\r\n\r\n"),
        ];
        for (scanner, head) in rows {
            let longer = [head, b"\x81\x05hello"].concat();
            assert_eq!(scan(scanner.clone(), &longer), Ok(Some(head.len())));
            assert_eq!(scan(scanner, &head[..head.len() - 1]), Ok(None));
        }
    }

    #[test]
    fn limits_are_met_to_the_byte() {
        let head = b"GET / HTTP/1.1\r\nA: b\r\nC: d\r\n\r\n";
        let fits = Limits {
            request_line_bytes_max: 16,
            head_bytes_max: head.len(),
            headers_max: 2,
            ..Limits::default()
        };
        let rows = [
            (fits, Ok(Some(head.len()))),
            (Limits { request_line_bytes_max: 15, ..fits }, Err(Fault::RequestLineTooLong)),
            (Limits { head_bytes_max: head.len() - 1, ..fits }, Err(Fault::HeadTooLarge)),
            (Limits { headers_max: 1, ..fits }, Err(Fault::TooManyHeaders)),
            (Limits { head_bytes_max: 0, ..fits }, Err(Fault::RequestLineTooLong)),
        ];
        for (limits, expected) in rows {
            assert_eq!(Scanner::request().scan(head, &limits), expected, "{limits:?}");
        }
        let method = [b'A'; METHOD_BYTES_MAX as usize + 1];
        assert_eq!(scan(Scanner::request(), &method), Err(Fault::MethodTooLong));
    }
}
