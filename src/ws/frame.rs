//! A frame to be sent: encoded once, then immutable, and cloned by counting (RFC 6455 §5.2).
//!
//! A publication is one allocation, header and payload together, however many receive it. A server
//! sends it as it is. A client masks it with a fresh key each time it is sent (§5.3), into whatever
//! buffer it sends from; keys come from outside, for nothing here is random.

use std::sync::Arc;

use super::header::{Header, HeaderBytes};
use super::{CloseCode, CloseReason, Message, Opcode, mask};

/// One whole unmasked frame, as a server sends it. Cloning counts a reference.
///
/// ```
/// use wsrelay::ws::{Frame, Opcode};
///
/// let frame = Frame::text("Hello");
/// assert_eq!(frame.as_bytes(), b"\x81\x05Hello");
/// assert_eq!(frame.payload(), b"Hello");
/// assert_eq!(frame.opcode(), Opcode::Text);
///
/// let mut from_a_client = Vec::new();
/// frame.append_masked([0x37, 0xfa, 0x21, 0x3d], &mut from_a_client);
/// assert_eq!(from_a_client, b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58");
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame(Arc<[u8]>);

impl Frame {
    /// A text message in one frame.
    #[must_use]
    pub fn text(text: &str) -> Frame {
        Frame::encode(Opcode::Text, false, text.as_bytes())
    }

    /// A binary message in one frame.
    #[must_use]
    pub fn binary(bytes: &[u8]) -> Frame {
        Frame::encode(Opcode::Binary, false, bytes)
    }

    /// A message in one frame, of the kind that it is.
    #[must_use]
    pub fn message(message: &Message<'_>) -> Frame {
        match message {
            Message::Text(text) => Frame::text(text),
            Message::Binary(bytes) => Frame::binary(bytes),
        }
    }

    /// A ping.
    ///
    /// # Panics
    /// If the payload has more than 125 bytes (RFC 6455 §5.5).
    #[must_use]
    pub fn ping(payload: &[u8]) -> Frame {
        Frame::control(Opcode::Ping, payload)
    }

    /// A pong; in answer to a ping, with the ping's payload (RFC 6455 §5.5.3).
    ///
    /// # Panics
    /// If the payload has more than 125 bytes. A ping's never has.
    #[must_use]
    pub fn pong(payload: &[u8]) -> Frame {
        Frame::control(Opcode::Pong, payload)
    }

    /// A close frame. Of a reason over [`CloseReason::BYTES_MAX`], only the first whole characters
    /// are sent; without a code, none of it can be.
    ///
    /// [`Connection::close`](super::Connection::close) makes it and keeps the account of it too.
    #[must_use]
    pub fn close(code: Option<CloseCode>, reason: &str) -> Frame {
        let Some(code) = code else { return Frame::control(Opcode::Close, &[]) };
        let reason = first_characters(reason, CloseReason::BYTES_MAX);
        let mut body = [0; CONTROL_BYTES_MAX];
        let end = 2 + reason.len();
        body[..2].copy_from_slice(&code.value().to_be_bytes());
        body[2..end].copy_from_slice(reason.as_bytes());
        Frame::control(Opcode::Close, &body[..end])
    }

    /// A compressed message in one frame.
    #[cfg(feature = "deflate")]
    pub(crate) fn deflated(opcode: Opcode, compressed: &[u8]) -> Frame {
        Frame::encode(opcode, true, compressed)
    }

    /// All of it: header and payload.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The payload.
    #[must_use]
    #[inline]
    pub fn payload(&self) -> &[u8] {
        let header_bytes = match self.0[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        &self.0[header_bytes..]
    }

    /// The kind.
    #[must_use]
    #[inline]
    pub fn opcode(&self) -> Opcode {
        Opcode::from_first_byte(self.0[0]).expect("a frame is encoded from an opcode")
    }

    /// Whether the payload is compressed: not for a connection that agreed on no compression.
    #[must_use]
    #[inline]
    pub fn is_deflated(&self) -> bool {
        self.0[0] & 0x40 != 0
    }

    /// Appends the frame as a client sends it, masked with `key`, to `out`.
    ///
    /// §5.3: "the masking key MUST be derived from a strong source of entropy", and fresh for each
    /// frame.
    pub fn append_masked(&self, key: [u8; 4], out: &mut Vec<u8>) {
        let payload = self.payload();
        let header = Header {
            fin: true,
            rsv1: self.is_deflated(),
            opcode: self.opcode(),
            key: Some(key),
            payload_bytes: payload.len() as u64,
        };
        out.reserve(Header::BYTES_MAX + payload.len());
        out.extend_from_slice(header.encode().as_bytes());
        let payload_at = out.len();
        out.extend_from_slice(payload);
        mask::apply(&mut out[payload_at..], key);
    }

    fn control(opcode: Opcode, payload: &[u8]) -> Frame {
        assert!(payload.len() <= CONTROL_BYTES_MAX, "a control frame carries at most 125 bytes");
        Frame::encode(opcode, false, payload)
    }

    fn encode(opcode: Opcode, rsv1: bool, payload: &[u8]) -> Frame {
        let payload_bytes = payload.len() as u64;
        let header = Header { fin: true, rsv1, opcode, key: None, payload_bytes }.encode();
        Frame(join(&header, payload))
    }
}

/// Header and payload in one allocation.
///
/// `Arc<[u8]>` can be made from a `Vec`, which allocates and copies a second time, or from an
/// iterator, which moves byte by byte: at 1 KiB those take as long and fifteen times as long as this,
/// which writes over zeros, and at 64 KiB a third longer and thirty times.
fn join(header: &HeaderBytes, payload: &[u8]) -> Arc<[u8]> {
    let header = header.as_bytes();
    let mut frame: Arc<[u8]> = std::iter::repeat_n(0, header.len() + payload.len()).collect();
    let bytes = Arc::get_mut(&mut frame).expect("nobody else has it yet");
    let (head, body) = bytes.split_at_mut(header.len());
    head.copy_from_slice(header);
    body.copy_from_slice(payload);
    frame
}

/// As many whole characters as fit.
fn first_characters(text: &str, bytes_max: usize) -> &str {
    let end = (0..=bytes_max.min(text.len())).rev().find(|&end| text.is_char_boundary(end));
    &text[..end.expect("every text has a boundary at 0")]
}

const CONTROL_BYTES_MAX: usize = 125;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_its_header_and_its_payload_at_every_size_class() {
        for payload_bytes in [0, 1, 125, 126, 508, 509, 65_535, 65_536, 100_000] {
            let payload = vec![0xA5; payload_bytes];
            let frame = Frame::binary(&payload);
            let header = Header {
                fin: true,
                rsv1: false,
                opcode: Opcode::Binary,
                key: None,
                payload_bytes: payload_bytes as u64,
            };
            let expected = [header.encode().as_bytes(), &payload].concat();
            assert!(frame.as_bytes() == expected, "{payload_bytes} bytes");
            assert!(frame.payload() == payload, "{payload_bytes} bytes");
        }
    }

    #[test]
    fn a_long_close_reason_is_cut_between_characters() {
        let frame = Frame::close(Some(CloseCode::NORMAL), &"€".repeat(50));
        let close = CloseReason::parse(frame.payload()).unwrap().unwrap();
        assert_eq!(close.reason, "€".repeat(41));
        let without_code = Frame::close(None, "never sent");
        assert_eq!(without_code.as_bytes(), b"\x88\x00");
    }

    #[test]
    fn clones_share_one_allocation() {
        let frame = Frame::text("shared");
        assert!(std::ptr::eq(frame.as_bytes(), frame.clone().as_bytes()));
    }
}
