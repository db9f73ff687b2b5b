//! The frame header (RFC 6455 §5.2): two bytes, a longer length if need be, a masking key if masked.
//!
//! ```text
//!  0 1 2 3  4..7    8   9..15
//! ┌─┬─┬─┬─┬───────┬─┬──────────┬──────────────────┬─────────────┐
//! │F│R│R│R│opcode │M│ length   │ longer length:   │ masking key │
//! │I│S│S│S│       │A│ 0–125,   │ 2 bytes if 126,  │ 4 bytes,    │
//! │N│1│2│3│       │S│ 126, 127 │ 8 bytes if 127   │ if MASK     │
//! └─┴─┴─┴─┴───────┴─┴──────────┴──────────────────┴─────────────┘
//! ```
//!
//! Every rule that a header alone can break is checked here, in the order of the bytes, so that a
//! header fails as soon as its first bad byte is there, and fails the same however it is cut. That
//! includes the limits: a payload that will not be accepted is never waited for.
//!
//! It knows nothing of payloads. The length is a `u64` until it is known to be under a limit.

use super::{Fault, Limits, Role};

/// A frame's kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Opcode {
    /// A further fragment of the unfinished message.
    Continuation = 0x0,
    /// The first fragment of a text message, or all of it.
    Text = 0x1,
    /// The first fragment of a binary message, or all of it.
    Binary = 0x2,
    /// The last frame that its sender sends.
    Close = 0x8,
    /// Asks for a pong.
    Ping = 0x9,
    /// Answers a ping, or just says "here I am".
    Pong = 0xA,
}

impl Opcode {
    /// Whether frames of this kind may come between the fragments of a message.
    #[must_use]
    #[inline]
    pub const fn is_control(self) -> bool {
        self as u8 & CONTROL != 0
    }

    /// The opcode in a header's first byte, unless it is a reserved one.
    #[inline]
    pub(crate) const fn from_first_byte(first: u8) -> Option<Opcode> {
        match first & OPCODE {
            0x0 => Some(Opcode::Continuation),
            0x1 => Some(Opcode::Text),
            0x2 => Some(Opcode::Binary),
            0x8 => Some(Opcode::Close),
            0x9 => Some(Opcode::Ping),
            0xA => Some(Opcode::Pong),
            _ => None,
        }
    }
}

/// One frame's header.
///
/// ```
/// use wsrelay::ws::header::{Expect, Header};
/// use wsrelay::ws::{Limits, Opcode, Role};
///
/// let limits = Limits::default();
/// let expect = Expect { role: Role::Server, deflate: false, unfinished: None, limits: &limits };
///
/// let masked_hello = [0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58];
/// let (header, header_bytes) = Header::parse(&masked_hello, &expect)?.expect("the header is whole");
/// assert_eq!((header.opcode, header.fin, header.payload_bytes), (Opcode::Text, true, 5));
/// assert_eq!(header.key, Some([0x37, 0xfa, 0x21, 0x3d]));
/// assert_eq!(header.encode().as_bytes(), &masked_hello[..header_bytes]);
/// # Ok::<(), wsrelay::ws::Fault>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Whether this frame is the last of its message.
    pub fin: bool,
    /// Whether the message is compressed (RFC 7692 §6).
    pub rsv1: bool,
    /// The kind.
    pub opcode: Opcode,
    /// The masking key, of a masked frame.
    pub key: Option<[u8; 4]>,
    /// How long the payload is.
    pub payload_bytes: u64,
}

impl Header {
    /// The most bytes a header can have.
    pub const BYTES_MAX: usize = 14;

    /// Reads the header that `bytes` begin with, and how long it is; `None` if it is all good so
    /// far and not whole.
    ///
    /// # Errors
    /// The first rule broken, in the order of the bytes. More bytes never change which.
    #[inline]
    pub fn parse(bytes: &[u8], expect: &Expect<'_>) -> Result<Option<(Header, usize)>, Fault> {
        let Some(&first) = bytes.first() else { return Ok(None) };
        let opcode = expect.opcode(first)?;
        let (fin, rsv1) = (first & FIN != 0, first & RSV1 != 0);

        let Some(&second) = bytes.get(1) else { return Ok(None) };
        // §5.1: "a client MUST mask all frames", "a server MUST NOT mask any frames".
        let masked = second & MASK != 0;
        match expect.role {
            Role::Server if !masked => return Err(Fault::Unmasked),
            Role::Client if masked => return Err(Fault::Masked),
            _ => {}
        }
        let short = second & LENGTH;
        if opcode.is_control() {
            check_control_length(opcode, short)?;
        }
        let Some((payload_bytes, length_end)) = parse_length(short, bytes)? else {
            return Ok(None);
        };
        if !opcode.is_control() {
            expect.check_size(rsv1, payload_bytes)?;
        }
        if !masked {
            return Ok(Some((Header { fin, rsv1, opcode, key: None, payload_bytes }, length_end)));
        }
        let Some(key) = bytes.get(length_end..).and_then(<[u8]>::first_chunk) else {
            return Ok(None);
        };
        let header = Header { fin, rsv1, opcode, key: Some(*key), payload_bytes };
        Ok(Some((header, length_end + key.len())))
    }

    /// The header on the wire, its length in as few bytes as it needs.
    #[must_use]
    #[inline]
    pub fn encode(&self) -> HeaderBytes {
        let flags = if self.fin { FIN } else { 0 } | if self.rsv1 { RSV1 } else { 0 };
        let mask = if self.key.is_some() { MASK } else { 0 };
        let mut bytes = HeaderBytes::default();
        bytes.push(flags | self.opcode as u8);
        match (u8::try_from(self.payload_bytes), u16::try_from(self.payload_bytes)) {
            (Ok(short @ ..SHORT_END), _) => bytes.push(mask | short),
            (_, Ok(medium)) => {
                bytes.push(mask | LENGTH_IN_2);
                bytes.extend(medium.to_be_bytes());
            }
            _ => {
                bytes.push(mask | LENGTH_IN_8);
                bytes.extend(self.payload_bytes.to_be_bytes());
            }
        }
        if let Some(key) = self.key {
            bytes.extend(key);
        }
        bytes
    }
}

/// What a header is held against: who reads, and what came before.
#[derive(Clone, Copy, Debug)]
pub struct Expect<'a> {
    /// Who reads.
    pub role: Role,
    /// Whether permessage-deflate was agreed on.
    pub deflate: bool,
    /// The message whose fragments are arriving.
    pub unfinished: Option<Unfinished>,
    /// What is accepted.
    pub limits: &'a Limits,
}

/// What has come of a message that is not finished.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unfinished {
    /// Whether its first frame said that it is compressed.
    pub deflated: bool,
    /// How many frames have come.
    pub fragments: u32,
    /// How many payload bytes have come, as sent.
    pub bytes: usize,
}

impl Expect<'_> {
    /// Every rule that the first byte can break, and the opcode that is in it.
    #[inline]
    fn opcode(&self, first: u8) -> Result<Opcode, Fault> {
        let opcode = Opcode::from_first_byte(first);
        if first & (RSV1 | RSV2 | RSV3) != 0 {
            self.check_reserved_bits(first, opcode)?;
        }
        let opcode = opcode.ok_or(Fault::ReservedOpcode)?;
        match (opcode, self.unfinished) {
            (Opcode::Close | Opcode::Ping | Opcode::Pong, _) if first & FIN == 0 => {
                Err(Fault::FragmentedControl)
            }
            (Opcode::Continuation, None) => Err(Fault::StrayContinuation),
            (Opcode::Text | Opcode::Binary, Some(_)) => Err(Fault::InterleavedMessage),
            (Opcode::Continuation, Some(message))
                if message.fragments >= self.limits.fragments_max =>
            {
                Err(Fault::TooManyFragments)
            }
            _ => Ok(opcode),
        }
    }

    /// §5.2: reserved bits "MUST be 0 unless an extension is negotiated that defines meanings for
    /// non-zero values"; permessage-deflate defines RSV1, on a message's first frame alone.
    #[cold]
    fn check_reserved_bits(&self, first: u8, opcode: Option<Opcode>) -> Result<(), Fault> {
        if first & (RSV2 | RSV3) != 0 || !self.deflate {
            Err(Fault::ReservedBit)
        } else if matches!(opcode, Some(Opcode::Text | Opcode::Binary) | None) {
            Ok(())
        } else {
            Err(Fault::MisplacedRsv1)
        }
    }

    /// Whether a data frame this long is accepted, after what has come of its message.
    #[inline]
    fn check_size(&self, rsv1: bool, payload_bytes: u64) -> Result<(), Fault> {
        let (deflated, before) =
            self.unfinished.map_or((rsv1, 0), |message| (message.deflated, message.bytes));
        let limits = self.limits;
        let (mut frame_max, mut message_max) =
            (limits.frame_payload_bytes_max, limits.message_bytes_max as u64);
        if deflated {
            (frame_max, message_max) =
                (deflated_bytes_max(frame_max), deflated_bytes_max(message_max));
        }
        if payload_bytes > frame_max {
            Err(Fault::FrameTooBig)
        } else if payload_bytes > message_max - before as u64 {
            Err(Fault::MessageTooBig)
        } else {
            Ok(())
        }
    }
}

/// A header's bytes, whole or not, on the stack.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HeaderBytes {
    bytes: [u8; Header::BYTES_MAX],
    len: u8,
}

impl HeaderBytes {
    /// The bytes.
    #[must_use]
    #[inline]
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len.into()]
    }

    /// Appends one byte. No header has more than [`Header::BYTES_MAX`].
    #[inline]
    pub(crate) fn push(&mut self, byte: u8) {
        self.bytes[usize::from(self.len)] = byte;
        self.len += 1;
    }

    #[inline]
    fn extend<const N: usize>(&mut self, bytes: [u8; N]) {
        for byte in bytes {
            self.push(byte);
        }
    }
}

/// The length of the whole frame, unmasked, that `bytes` begin with: header and payload.
///
/// This is how frames joined into one buffer are told apart again. The buffer must be our own: a
/// peer's is read with [`Header::parse`].
///
/// # Panics
/// If `bytes` are shorter than the header.
///
/// ```
/// use wsrelay::ws::{Frame, header};
///
/// let joined = [Frame::text("one").as_bytes(), Frame::text("three").as_bytes()].concat();
/// assert_eq!(header::frame_bytes(&joined), 5);
/// assert_eq!(header::frame_bytes(&joined[5..]), 7);
/// ```
#[must_use]
#[inline]
pub fn frame_bytes(bytes: &[u8]) -> usize {
    match bytes[1] & LENGTH {
        LENGTH_IN_2 => 4 + usize::from(u16::from_be_bytes([bytes[2], bytes[3]])),
        LENGTH_IN_8 => {
            let length =
                *bytes[2..].first_chunk().expect("eight bytes of length are in the header");
            let length = usize::try_from(u64::from_be_bytes(length));
            10 + length.expect("a frame in memory is no longer than memory")
        }
        short => 2 + usize::from(short),
    }
}

/// §5.5: "All control frames MUST have a payload length of 125 bytes or less". And a close body has
/// a code of two bytes or is empty (§5.5.1), which leaves no room for one byte.
#[inline]
fn check_control_length(opcode: Opcode, short: u8) -> Result<(), Fault> {
    match (opcode, short) {
        (_, SHORT_END..) => Err(Fault::LongControl),
        (Opcode::Close, 1) => Err(Fault::ShortClose),
        _ => Ok(()),
    }
}

/// The payload's length, and where the length ends; `None` if it is not whole.
#[inline]
fn parse_length(short: u8, bytes: &[u8]) -> Result<Option<(u64, usize)>, Fault> {
    match short {
        LENGTH_IN_2 => {
            let Some(length) = bytes.get(2..4).and_then(<[u8]>::first_chunk) else {
                return Ok(None);
            };
            let length = u16::from_be_bytes(*length);
            // §5.2: "the minimal number of bytes MUST be used to encode the length".
            if length < SHORT_END.into() {
                Err(Fault::LengthNotMinimal)
            } else {
                Ok(Some((length.into(), 4)))
            }
        }
        LENGTH_IN_8 => parse_long_length(bytes),
        short => Ok(Some((short.into(), 2))),
    }
}

/// The length in eight bytes. Apart, for it is rare.
fn parse_long_length(bytes: &[u8]) -> Result<Option<(u64, usize)>, Fault> {
    // §5.2: "the most significant bit MUST be 0".
    if bytes.get(2).is_some_and(|&top| top & 0x80 != 0) {
        return Err(Fault::LengthTopBit);
    }
    let Some(length) = bytes.get(2..10).and_then(<[u8]>::first_chunk) else { return Ok(None) };
    let length = u64::from_be_bytes(*length);
    if length <= u16::MAX.into() { Err(Fault::LengthNotMinimal) } else { Ok(Some((length, 10))) }
}

/// How long the compressed form of so many bytes may be.
///
/// Bytes that no compressor can shrink get longer: by five in 65,535 if they are stored, by an eighth
/// at worst in fixed Huffman codes, where a literal takes up to nine bits; and a few for the blocks'
/// own headers. Without this allowance a peer that compresses everything could not send what one
/// that compresses nothing can.
fn deflated_bytes_max(bytes: u64) -> u64 {
    bytes.saturating_add(bytes / 8).saturating_add(64)
}

const FIN: u8 = 0x80;
const RSV1: u8 = 0x40;
const RSV2: u8 = 0x20;
const RSV3: u8 = 0x10;
const OPCODE: u8 = 0x0F;
const CONTROL: u8 = 0x08;
const MASK: u8 = 0x80;
const LENGTH: u8 = 0x7F;
/// The first length that does not fit into the second byte, where it says "in two bytes".
const SHORT_END: u8 = 126;
const LENGTH_IN_2: u8 = 126;
const LENGTH_IN_8: u8 = 127;

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits {
        frame_payload_bytes_max: u64::MAX,
        message_bytes_max: usize::MAX,
        fragments_max: 3,
    };

    fn client_expects(limits: &Limits) -> Expect<'_> {
        Expect { role: Role::Client, deflate: false, unfinished: None, limits }
    }

    #[test]
    fn every_length_is_encoded_minimally_and_read_back() {
        let lengths = [(0, 2), (1, 2), (125, 2), (126, 4), (127, 4), (255, 4), (65_535, 4)];
        let long = [(65_536, 10), (u64::from(u32::MAX), 10), (i64::MAX as u64, 10)];
        for (payload_bytes, header_bytes) in lengths.into_iter().chain(long) {
            let header =
                Header { fin: true, rsv1: false, opcode: Opcode::Binary, key: None, payload_bytes };
            let encoded = header.encode();
            assert_eq!(encoded.as_bytes().len(), header_bytes);
            let parsed = Header::parse(encoded.as_bytes(), &client_expects(&LIMITS));
            assert_eq!(parsed, Ok(Some((header, header_bytes))));
            assert_eq!(frame_bytes(encoded.as_bytes()) as u64, header_bytes as u64 + payload_bytes);
        }
    }

    #[test]
    fn a_header_fails_at_its_first_bad_byte() {
        let rows: [(&[u8], Fault); 8] = [
            (b"\xa1", Fault::ReservedBit),
            (b"\x83", Fault::ReservedOpcode),
            (b"\x09", Fault::FragmentedControl),
            (b"\x80", Fault::StrayContinuation),
            (b"\x81\x80", Fault::Masked),
            (b"\x89\x7e", Fault::LongControl),
            (b"\x82\x7e\x00\x7d", Fault::LengthNotMinimal),
            (b"\x82\x7f\x80", Fault::LengthTopBit),
        ];
        for (bytes, fault) in rows {
            let expect = client_expects(&LIMITS);
            let before = Header::parse(&bytes[..bytes.len() - 1], &expect);
            assert_eq!(before, Ok(None), "{bytes:x?} without its last byte");
            assert_eq!(Header::parse(bytes, &expect), Err(fault), "{bytes:x?}");
        }
    }

    #[test]
    fn a_promise_over_a_limit_fails_from_the_header() {
        let limits =
            Limits { frame_payload_bytes_max: 200, message_bytes_max: 300, fragments_max: 3 };
        let mut expect = client_expects(&limits);
        let parse = |bytes: &[u8], expect: &Expect<'_>| Header::parse(bytes, expect).map(|_| ());
        assert_eq!(parse(b"\x82\x7e\x00\xc8", &expect), Ok(()));
        assert_eq!(parse(b"\x82\x7e\x00\xc9", &expect), Err(Fault::FrameTooBig));
        expect.unfinished = Some(Unfinished { deflated: false, fragments: 1, bytes: 200 });
        assert_eq!(parse(b"\x80\x64", &expect), Ok(()));
        assert_eq!(parse(b"\x80\x65", &expect), Err(Fault::MessageTooBig));
        expect.unfinished = Some(Unfinished { deflated: false, fragments: 3, bytes: 0 });
        assert_eq!(parse(b"\x80", &expect), Err(Fault::TooManyFragments));
    }
}
