//! Close codes and the body of a close frame (RFC 6455 §5.5.1, §7.4).
//!
//! Invariant: a [`CloseCode`] is one that may stand in a close frame. The codes that only ever
//! describe the absence of one (1005, 1006, 1015), and those nobody may use, cannot be made.

use std::fmt;

use super::Fault;

/// A close code that may be sent and received.
///
/// ```
/// use wsrelay::ws::CloseCode;
///
/// assert_eq!(CloseCode::new(1000), Some(CloseCode::NORMAL));
/// assert_eq!(CloseCode::new(4008).map(CloseCode::value), Some(4008));
/// assert_eq!(CloseCode::new(1006), None); // "closed abnormally" is never on the wire
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CloseCode(u16);

impl CloseCode {
    /// The purpose of the connection is fulfilled.
    pub const NORMAL: CloseCode = CloseCode(1000);
    /// The server goes down, or the browser leaves the page.
    pub const GOING_AWAY: CloseCode = CloseCode(1001);
    /// The peer broke the protocol.
    pub const PROTOCOL: CloseCode = CloseCode(1002);
    /// The peer sent a type of data that is not accepted here.
    pub const UNSUPPORTED: CloseCode = CloseCode(1003);
    /// The payload does not agree with the message's type.
    pub const INVALID_PAYLOAD: CloseCode = CloseCode(1007);
    /// A policy was broken, and no other code says more.
    pub const POLICY: CloseCode = CloseCode(1008);
    /// The message is too big to be processed.
    pub const TOO_BIG: CloseCode = CloseCode(1009);
    /// Something unexpected happened on this side.
    pub const INTERNAL: CloseCode = CloseCode(1011);
    /// The service restarts: come back, after a random wait.
    pub const SERVICE_RESTART: CloseCode = CloseCode(1012);
    /// The service is overloaded: come back later, or elsewhere.
    pub const TRY_AGAIN: CloseCode = CloseCode(1013);

    /// The code, if it may be on the wire.
    #[must_use]
    pub const fn new(code: u16) -> Option<CloseCode> {
        // §7.4.1 defines 1000–1011 but for 1004–1006, which MUST NOT be sent; the IANA registry
        // adds 1012–1014. §7.4.2 gives 3000–3999 to libraries and 4000–4999 to applications, and
        // keeps 0–999 unused and the rest of 1000–2999 for later revisions.
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(CloseCode(code)),
            _ => None,
        }
    }

    /// The number on the wire.
    #[must_use]
    pub const fn value(self) -> u16 {
        self.0
    }
}

impl fmt::Debug for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CloseCode({})", self.0)
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Why a peer closed: the body of its close frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseReason<'a> {
    /// The code.
    pub code: CloseCode,
    /// A text for whoever debugs; often empty.
    pub reason: &'a str,
}

impl<'a> CloseReason<'a> {
    /// The most bytes a reason can have: a control frame's 125 less the code's two.
    pub const BYTES_MAX: usize = 123;

    /// Reads a whole close body; `None` is an empty one.
    pub(crate) fn parse(body: &'a [u8]) -> Result<Option<CloseReason<'a>>, Fault> {
        let Some((code, reason)) = body.split_first_chunk() else {
            return if body.is_empty() { Ok(None) } else { Err(Fault::ShortClose) };
        };
        let code = CloseCode::new(u16::from_be_bytes(*code)).ok_or(Fault::InvalidCloseCode)?;
        let reason = str::from_utf8(reason).map_err(|_| Fault::InvalidCloseReason)?;
        Ok(Some(CloseReason { code, reason }))
    }

    /// Checks the part of a close body that has come, so that its first bad byte is its last.
    pub(crate) fn check_begun(body: &[u8]) -> Result<(), Fault> {
        match CloseReason::parse(body) {
            Err(Fault::ShortClose) => Ok(()),
            Err(Fault::InvalidCloseReason) if ends_within_a_character(&body[2..]) => Ok(()),
            other => other.map(|_| ()),
        }
    }
}

fn ends_within_a_character(bytes: &[u8]) -> bool {
    str::from_utf8(bytes).is_err_and(|error| error.error_len().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_codes_with_a_meaning_on_the_wire_can_be_made() {
        let valid: Vec<u16> =
            (0..=u16::MAX).filter(|&code| CloseCode::new(code).is_some()).collect();
        let expected: Vec<u16> = (1000..=1003).chain(1007..=1014).chain(3000..=4999).collect();
        assert_eq!(valid, expected);
    }

    #[test]
    fn a_body_is_nothing_or_a_code_and_a_reason() {
        assert_eq!(CloseReason::parse(b""), Ok(None));
        assert_eq!(CloseReason::parse(b"\x03"), Err(Fault::ShortClose));
        let bye = CloseReason { code: CloseCode::NORMAL, reason: "bye" };
        assert_eq!(CloseReason::parse(b"\x03\xe8bye"), Ok(Some(bye)));
        assert_eq!(CloseReason::parse(b"\x03\xed"), Err(Fault::InvalidCloseCode));
        assert_eq!(CloseReason::parse(b"\x03\xe8\xc3"), Err(Fault::InvalidCloseReason));
    }

    #[test]
    fn a_begun_body_fails_at_its_first_bad_byte() {
        let good = b"\x03\xe8\xe2\x82\xac";
        for end in 0..=good.len() {
            assert_eq!(CloseReason::check_begun(&good[..end]), Ok(()), "{end} bytes");
        }
        assert_eq!(CloseReason::check_begun(b"\x03\xed"), Err(Fault::InvalidCloseCode));
        let bad = CloseReason::check_begun(b"\x03\xe8\xe2\x28");
        assert_eq!(bad, Err(Fault::InvalidCloseReason));
    }
}
