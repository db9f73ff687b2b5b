//! What a peer can do wrong after the opening handshake, and the close code that answers it.
//!
//! One variant per rule broken, and one table, [`Fault::close_code`], from the rule to the wire
//! (RFC 6455 §7.4.1). A normal close is not here: it is [`Event::Close`](super::Event::Close).
//! A fault says which rule was broken and nothing else: no state of ours reaches the peer.

use std::fmt;

use super::CloseCode;

/// The rule a peer broke. The connection has failed (RFC 6455 §7.1.7): nothing more is read from it.
///
/// Send what [`Connection::close`](super::Connection::close) makes of [`Fault::close_code`] and
/// [`Fault::rule`], then end the connection without waiting for an answer.
///
/// ```
/// use wsrelay::ws::{CloseCode, Fault};
///
/// let fault = Fault::Unmasked;
/// assert_eq!(fault.close_code(), CloseCode::PROTOCOL);
/// assert_eq!(fault.to_string(), "a client must mask every frame");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// RFC 6455 §5.2: a reserved bit is set and no extension gave it a meaning.
    ReservedBit,
    /// RFC 7692 §6: RSV1 marks the first frame of a data message, and no other frame.
    MisplacedRsv1,
    /// RFC 6455 §5.2: opcodes 0x3–0x7 and 0xB–0xF are reserved.
    ReservedOpcode,
    /// RFC 6455 §5.5: control frames are never fragmented.
    FragmentedControl,
    /// RFC 6455 §5.5: a control frame carries at most 125 bytes.
    LongControl,
    /// RFC 6455 §5.4: a continuation frame continues an unfinished message.
    StrayContinuation,
    /// RFC 6455 §5.4: the fragments of two messages are never interleaved.
    InterleavedMessage,
    /// RFC 6455 §5.1: a client masks every frame that it sends.
    Unmasked,
    /// RFC 6455 §5.1: a server masks no frame that it sends.
    Masked,
    /// RFC 6455 §5.2: a length is written in as few bytes as it needs.
    LengthNotMinimal,
    /// RFC 6455 §5.2: the top bit of a 64-bit length is 0.
    LengthTopBit,
    /// RFC 6455 §10.4: a frame over [`Limits::frame_payload_bytes_max`](super::Limits).
    FrameTooBig,
    /// RFC 6455 §10.4: a message over [`Limits::message_bytes_max`](super::Limits), as sent or
    /// inflated.
    MessageTooBig,
    /// RFC 6455 §10.4: a message of more frames than [`Limits::fragments_max`](super::Limits).
    TooManyFragments,
    /// RFC 6455 §8.1: a text message is UTF-8.
    InvalidUtf8,
    /// RFC 6455 §5.5.1: a close frame's body, if any, begins with a code of two bytes.
    ShortClose,
    /// RFC 6455 §7.4: a close code that has a meaning on the wire.
    InvalidCloseCode,
    /// RFC 6455 §5.5.1: a close reason is UTF-8.
    InvalidCloseReason,
    /// RFC 7692 §7.2.2: the payload of a compressed message is whole DEFLATE blocks.
    InvalidDeflate,
}

impl Fault {
    /// The code to close with.
    #[must_use]
    pub const fn close_code(self) -> CloseCode {
        match self {
            Fault::ReservedBit
            | Fault::MisplacedRsv1
            | Fault::ReservedOpcode
            | Fault::FragmentedControl
            | Fault::LongControl
            | Fault::StrayContinuation
            | Fault::InterleavedMessage
            | Fault::Unmasked
            | Fault::Masked
            | Fault::LengthNotMinimal
            | Fault::LengthTopBit
            | Fault::ShortClose
            | Fault::InvalidCloseCode => CloseCode::PROTOCOL,
            // The RFCs name no code for a broken DEFLATE stream. 1007 is for "data within a message
            // that was not consistent with the type of the message", which it is.
            Fault::InvalidUtf8 | Fault::InvalidCloseReason | Fault::InvalidDeflate => {
                CloseCode::INVALID_PAYLOAD
            }
            // Few bytes in many frames is not "too big", it is a use that we refuse.
            Fault::TooManyFragments => CloseCode::POLICY,
            Fault::FrameTooBig | Fault::MessageTooBig => CloseCode::TOO_BIG,
        }
    }

    /// The rule in a few words, fit to be sent as the close reason.
    #[must_use]
    pub const fn rule(self) -> &'static str {
        match self {
            Fault::ReservedBit => "reserved bits must be 0",
            Fault::MisplacedRsv1 => "only the first frame of a data message may set RSV1",
            Fault::ReservedOpcode => "this opcode is reserved",
            Fault::FragmentedControl => "a control frame must not be fragmented",
            Fault::LongControl => "a control frame carries at most 125 bytes",
            Fault::StrayContinuation => "there is no message to continue",
            Fault::InterleavedMessage => "the message before this one is not finished",
            Fault::Unmasked => "a client must mask every frame",
            Fault::Masked => "a server must not mask a frame",
            Fault::LengthNotMinimal => "a length must be written in as few bytes as it needs",
            Fault::LengthTopBit => "the top bit of a length must be 0",
            Fault::FrameTooBig => "this frame is too big",
            Fault::MessageTooBig => "this message is too big",
            Fault::TooManyFragments => "this message has too many fragments",
            Fault::InvalidUtf8 => "text must be UTF-8",
            Fault::ShortClose => "a close code has two bytes",
            Fault::InvalidCloseCode => "this close code must not be sent",
            Fault::InvalidCloseReason => "a close reason must be UTF-8",
            Fault::InvalidDeflate => "this is not whole DEFLATE blocks",
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.rule())
    }
}

impl std::error::Error for Fault {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::CloseReason;

    const ALL: [Fault; 19] = [
        Fault::ReservedBit,
        Fault::MisplacedRsv1,
        Fault::ReservedOpcode,
        Fault::FragmentedControl,
        Fault::LongControl,
        Fault::StrayContinuation,
        Fault::InterleavedMessage,
        Fault::Unmasked,
        Fault::Masked,
        Fault::LengthNotMinimal,
        Fault::LengthTopBit,
        Fault::FrameTooBig,
        Fault::MessageTooBig,
        Fault::TooManyFragments,
        Fault::InvalidUtf8,
        Fault::ShortClose,
        Fault::InvalidCloseCode,
        Fault::InvalidCloseReason,
        Fault::InvalidDeflate,
    ];

    #[test]
    fn every_rule_fits_into_a_close_frame_and_is_told_apart() {
        for (i, fault) in ALL.into_iter().enumerate() {
            assert_eq!(fault as usize, i, "the list is complete and in order");
            assert!(fault.rule().len() <= CloseReason::BYTES_MAX);
            assert!(ALL[..i].iter().all(|other| other.rule() != fault.rule()));
        }
    }
}
