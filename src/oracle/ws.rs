//! Properties of the WebSocket protocol.
//!
//! Each function that takes `data: &[u8]` is a fuzz target: any bytes are a case. Where a case needs
//! parameters, the first bytes are those.

use std::io::Read;

use flate2::read::DeflateDecoder;
use flate2::{Compress, Compression, FlushCompress};

use crate::ws::deflate::Inflater;
use crate::ws::header::{self, Expect, Header, Unfinished};
use crate::ws::utf8::Begun;
use crate::ws::{
    CloseCode, Codec, Connection, Deflate, Event, Fault, Frame, Limits, Message, Opcode, Role, mask,
};

/// What an endpoint made of what it received: an event, owned, or the fault that ended it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// [`Message::Text`].
    Text(String),
    /// [`Message::Binary`].
    Binary(Vec<u8>),
    /// [`Event::Ping`].
    Ping(Vec<u8>),
    /// [`Event::Pong`].
    Pong(Vec<u8>),
    /// [`Event::Close`].
    Close(Option<(CloseCode, String)>),
    /// The peer broke a rule.
    Fault(Fault),
}

impl Seen {
    /// How many bytes of payload the peer got in.
    fn payload_bytes(&self) -> usize {
        match self {
            Seen::Text(text) => text.len(),
            Seen::Binary(bytes) | Seen::Ping(bytes) | Seen::Pong(bytes) => bytes.len(),
            Seen::Close(reason) => reason.as_ref().map_or(0, |(_, reason)| 2 + reason.len()),
            Seen::Fault(_) => 0,
        }
    }

    /// The frame that says the same.
    fn frame(&self) -> Option<Frame> {
        Some(match self {
            Seen::Text(text) => Frame::text(text),
            Seen::Binary(bytes) => Frame::binary(bytes),
            Seen::Ping(payload) => Frame::ping(payload),
            Seen::Pong(payload) => Frame::pong(payload),
            Seen::Close(None) => Frame::close(None, ""),
            Seen::Close(Some((code, reason))) => Frame::close(Some(*code), reason),
            Seen::Fault(_) => return None,
        })
    }
}

impl From<Event<'_>> for Seen {
    fn from(event: Event<'_>) -> Seen {
        match event {
            Event::Message(Message::Text(text)) => Seen::Text(text.to_owned()),
            Event::Message(Message::Binary(bytes)) => Seen::Binary(bytes.to_owned()),
            Event::Ping(payload) => Seen::Ping(payload.to_owned()),
            Event::Pong(payload) => Seen::Pong(payload.to_owned()),
            Event::Close(close) => {
                Seen::Close(close.map(|close| (close.code, close.reason.to_owned())))
            }
        }
    }
}

/// Whatever reads frames: an endpoint, or a broken one in a test of these properties.
pub trait Endpoint {
    /// Reads a piece of input to its end.
    fn read(&mut self, piece: &mut [u8], seen: &mut Vec<Seen>);
    /// The memory it owns for what is not whole.
    fn held_bytes(&self) -> usize;
}

/// The endpoint that we mean.
pub struct Reader {
    connection: Connection,
    codec: Codec,
}

impl Reader {
    /// An endpoint in this role, with permessage-deflate or without.
    #[must_use]
    pub fn new(role: Role, deflate: bool, limits: Limits) -> Reader {
        let deflate = deflate.then_some(Deflate { sends_compressed: true });
        Reader { connection: Connection::new(role, deflate), codec: Codec::new(limits) }
    }
}

impl Endpoint for Reader {
    fn read(&mut self, mut piece: &mut [u8], seen: &mut Vec<Seen>) {
        loop {
            match self.connection.next_event(&mut piece, &mut self.codec) {
                Ok(Some(event)) => seen.push(event.into()),
                Ok(None) => break,
                Err(fault) => seen.push(Seen::Fault(fault)),
            }
        }
        assert!(piece.is_empty(), "input was left over");
    }

    fn held_bytes(&self) -> usize {
        self.connection.held_bytes()
    }
}

/// A header is read, or fails, the same however few of the bytes after it are there; it fails at one
/// byte and no earlier; and what is read encodes to what was read.
pub fn frame_header(data: &[u8]) {
    let data = &data[..data.len().min(Header::BYTES_MAX)];
    let limits = Limits { frame_payload_bytes_max: 1 << 40, ..Limits::for_messages(1 << 20) };
    let begun = |deflated| Some(Unfinished { deflated, fragments: 1, bytes: 1000 });
    for role in [Role::Server, Role::Client] {
        for deflate in [false, true] {
            for unfinished in [None, begun(false), begun(deflate)] {
                header_is_monotonous(data, &Expect { role, deflate, unfinished, limits: &limits });
            }
        }
    }
}

fn header_is_monotonous(data: &[u8], expect: &Expect<'_>) {
    let mut known = Ok(None);
    for end in 0..=data.len() {
        let result = Header::parse(&data[..end], expect);
        if known == Ok(None) {
            known = result;
        }
        assert_eq!(result, known, "more bytes changed the header {data:x?}");
    }
    if let Ok(Some((header, header_bytes))) = known {
        assert_eq!(header.encode().as_bytes(), &data[..header_bytes], "not encoded as it was read");
        header_round_trip(&header);
    }
}

/// A header that is encoded is read back.
pub fn header_round_trip(header: &Header) {
    let encoded = header.encode();
    let bytes = encoded.as_bytes();
    let limits = Limits {
        frame_payload_bytes_max: u64::MAX,
        message_bytes_max: usize::MAX,
        fragments_max: u32::MAX,
    };
    let expect = Expect {
        role: if header.key.is_some() { Role::Server } else { Role::Client },
        deflate: header.rsv1,
        unfinished: (header.opcode == Opcode::Continuation).then_some(Unfinished {
            deflated: false,
            fragments: 1,
            bytes: 0,
        }),
        limits: &limits,
    };
    assert_eq!(Header::parse(bytes, &expect), Ok(Some((*header, bytes.len()))));
    if header.key.is_none()
        && let Ok(payload_bytes) = usize::try_from(header.payload_bytes)
    {
        assert_eq!(header::frame_bytes(bytes), bytes.len() + payload_bytes);
    }
}

/// [`frames`], received by a server.
pub fn frames_server(data: &[u8]) {
    frames(Role::Server, data);
}

/// [`frames`], received by a client.
pub fn frames_client(data: &[u8]) {
    frames(Role::Client, data);
}

/// Received bytes, of any kind, are read within the limits and the same however they are cut; and
/// what was seen in them can be sent back and is seen again.
///
/// The first byte chooses the extension and the limits, the second how to cut.
pub fn frames(role: Role, data: &[u8]) {
    let [setup, cut, data @ ..] = data else { return };
    let deflate = setup & 1 != 0;
    let limits = LIMITS[usize::from(setup >> 1) % LIMITS.len()];
    let make = || Reader::new(role, deflate, limits);

    let seen = chunking_changes_nothing(make, data, &[*cut]);
    for seen in &seen {
        let payload_bytes = seen.payload_bytes();
        assert!(payload_bytes <= limits.message_bytes_max.max(125), "{payload_bytes} bytes got in");
    }
    let answered = [Role::Server, Role::Client][usize::from(role == Role::Server)];
    what_was_seen_can_be_said(&seen, answered);
}

/// Reading `data` whole, byte by byte, and in pieces of these sizes comes to the same; what is held
/// meanwhile is in proportion to what was received; and nothing is seen after the end.
pub fn chunking_changes_nothing<E: Endpoint>(
    make: impl Fn() -> E,
    data: &[u8],
    cuts: &[u8],
) -> Vec<Seen> {
    let whole = read(make(), data, &[]);
    assert_eq!(read(make(), data, &[0]), whole, "reading byte by byte made a difference");
    assert_eq!(read(make(), data, cuts), whole, "reading in pieces made a difference");
    let last = whole.iter().position(|seen| matches!(seen, Seen::Fault(_) | Seen::Close(_)));
    assert!(last.is_none_or(|last| last + 1 == whole.len()), "something was seen after the end");
    whole
}

/// Reads `data` in pieces, and holds what is held meanwhile against what was received.
fn read(mut endpoint: impl Endpoint, data: &[u8], cuts: &[u8]) -> Vec<Seen> {
    let mut seen = Vec::new();
    let mut unfinished_bytes = 0;
    for mut piece in pieces(data, cuts) {
        endpoint.read(&mut piece, &mut seen);
        unfinished_bytes += piece.len();
        let held_bytes = endpoint.held_bytes();
        assert!(
            held_bytes <= HELD_BYTES_FIXED + 2 * unfinished_bytes,
            "{held_bytes} bytes are held of {unfinished_bytes} received"
        );
        if held_bytes == 0 {
            unfinished_bytes = 0;
        }
    }
    seen
}

/// `data` in pieces, each one byte longer than its cut says, the cuts over and over; whole if there
/// are none.
fn pieces(mut data: &[u8], cuts: &[u8]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut sizes = cuts.iter().map(|&cut| usize::from(cut) + 1).cycle();
    while !data.is_empty() {
        let piece = data.split_off(..sizes.next().unwrap_or(data.len()).min(data.len()));
        pieces.push(piece.expect("a piece is no longer than the data").to_vec());
    }
    pieces
}

/// Sends what was seen to the other end of a connection, which sees the same.
fn what_was_seen_can_be_said(seen: &[Seen], role: Role) {
    let mut bytes = Vec::new();
    for frame in seen.iter().filter_map(Seen::frame) {
        send(role, &frame, &mut bytes);
    }
    let limits = Limits::for_messages(1 << 20);
    let again = read(Reader::new(role, false, limits), &bytes, &[]);
    let without_fault = seen.iter().filter(|seen| !matches!(seen, Seen::Fault(_)));
    assert!(without_fault.eq(&again), "what was seen is not seen again");
}

/// Appends a frame as an endpoint in this role receives it.
fn send(receiver: Role, frame: &Frame, out: &mut Vec<u8>) {
    match receiver {
        Role::Server => frame.append_masked(KEY, out),
        Role::Client => out.extend_from_slice(frame.as_bytes()),
    }
}

/// Something to send, for [`round_trip`].
#[derive(Clone, Debug)]
pub enum Sent {
    /// A ping, or what looks like one in a case.
    Ping(Vec<u8>),
    /// A pong.
    Pong(Vec<u8>),
    /// A data message.
    Message {
        /// What is to arrive: text or bytes.
        message: Seen,
        /// How many bytes each fragment has but the last, which has the rest.
        fragments: Vec<usize>,
        /// Whether it is compressed.
        deflated: bool,
        /// Sent after each fragment but the last.
        pings: Option<Vec<u8>>,
    },
}

/// Whatever is sent arrives: any messages, in any fragments, with pings between them, compressed or
/// not, to either end, however it is cut on the way.
pub fn round_trip(receiver: Role, sent: &[Sent], cuts: &[u8]) {
    let (mut bytes, mut expected) = (Vec::new(), Vec::new());
    for sent in sent {
        match sent {
            Sent::Ping(payload) => {
                send(receiver, &Frame::ping(payload), &mut bytes);
                expected.push(Seen::Ping(payload.clone()));
            }
            Sent::Pong(payload) => {
                send(receiver, &Frame::pong(payload), &mut bytes);
                expected.push(Seen::Pong(payload.clone()));
            }
            Sent::Message { message, fragments, deflated, pings } => {
                let frames = fragmented(receiver, message, fragments, *deflated);
                for (i, frame) in frames.iter().enumerate() {
                    bytes.extend_from_slice(frame);
                    if let Some(ping) = pings.as_ref().filter(|_| i + 1 < frames.len()) {
                        send(receiver, &Frame::ping(ping), &mut bytes);
                        expected.push(Seen::Ping(ping.clone()));
                    }
                }
                expected.push(message.clone());
            }
        }
    }
    let make = || Reader::new(receiver, true, Limits::for_messages(1 << 20));
    let seen = chunking_changes_nothing(make, &bytes, cuts);
    assert_eq!(seen, expected, "what was sent did not arrive");
}

/// The frames of a message, cut as told.
fn fragmented(receiver: Role, message: &Seen, fragments: &[usize], deflated: bool) -> Vec<Vec<u8>> {
    let (first_opcode, payload) = match message {
        Seen::Text(text) => (Opcode::Text, text.as_bytes()),
        Seen::Binary(bytes) => (Opcode::Binary, bytes.as_slice()),
        other => panic!("{other:?} is not a data message"),
    };
    let payload = if deflated { compress(payload) } else { payload.to_vec() };
    let mut rest = payload.as_slice();
    let mut frames = Vec::new();
    for i in 0..=fragments.len() {
        let size = fragments.get(i).map_or(rest.len(), |&size| size.min(rest.len()));
        let (piece, after) = rest.split_at(size);
        rest = after;
        let header = Header {
            fin: i == fragments.len(),
            rsv1: deflated && i == 0,
            opcode: if i == 0 { first_opcode } else { Opcode::Continuation },
            key: (receiver == Role::Server).then_some(KEY),
            payload_bytes: piece.len() as u64,
        };
        let mut frame = [header.encode().as_bytes(), piece].concat();
        let payload_at = frame.len() - piece.len();
        if let Some(key) = header.key {
            mask_naively(&mut frame[payload_at..], key, 0);
        }
        frames.push(frame);
    }
    frames
}

/// A payload compressed as RFC 7692 §7.2.1 says.
fn compress(payload: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(payload.len() + payload.len() / 8 + 64);
    Compress::new(Compression::default(), false)
        .compress_vec(payload, &mut out, FlushCompress::Sync)
        .expect("compressing does not fail");
    out.strip_suffix(&[0x00, 0x00, 0xFF, 0xFF]).expect("a sync flush ends so").to_vec()
}

/// UTF-8 in pieces is what the standard library says of the whole, and fails in the piece that holds
/// the first byte that nothing could have been continued with.
///
/// The first byte says how to cut; and every single cut is tried near the beginning.
pub fn utf8(data: &[u8]) {
    let [cut, text @ ..] = data else { return };
    for at in 0..=text.len().min(16) {
        let (first, second) = text.split_at(at);
        utf8_equals_std(read_utf8, &[first, second]);
    }
    utf8_equals_std(read_utf8, &text.chunks(1).collect::<Vec<_>>());
    utf8_equals_std(read_utf8, &text.chunks(usize::from(*cut) + 1).collect::<Vec<_>>());
}

/// See [`utf8`]. The reader returns the text, or how many pieces it took before it failed: as many
/// as there are if it was the end that failed.
pub fn utf8_equals_std(reader: impl Fn(&[&[u8]]) -> Result<String, usize>, pieces: &[&[u8]]) {
    let whole = pieces.concat();
    let expected = String::from_utf8(whole.clone()).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let bad = (valid + 1..=whole.len()).find(|&end| {
            let begun = str::from_utf8(&whole[valid..end]);
            begun.is_err_and(|error| error.error_len().is_some())
        });
        let ends = pieces.iter().scan(0, |end, piece| {
            *end += piece.len();
            Some(*end)
        });
        bad.map_or(pieces.len(), |bad| ends.take_while(|&end| end < bad).count())
    });
    assert_eq!(reader(pieces), expected, "not what the standard library says of {pieces:x?}");
}

fn read_utf8(pieces: &[&[u8]]) -> Result<String, usize> {
    let (mut begun, mut text) = (Begun::default(), String::new());
    for (i, piece) in pieces.iter().enumerate() {
        begun.push(piece, &mut text).map_err(|_| i)?;
    }
    begun.finish().map_err(|_| pieces.len())?;
    Ok(text)
}

/// What is inflated is what flate2's own reader makes of it, and never over the limit; and what is
/// deflated inflates to itself.
///
/// The first two bytes are the limit.
pub fn inflate(data: &[u8]) {
    let Some((bytes_max, compressed)) = data.split_first_chunk() else { return };
    let bytes_max = usize::from(u16::from_le_bytes(*bytes_max));
    let inflated = Inflater::new().inflate(compressed, bytes_max, Vec::new());
    if let Ok(inflated) = &inflated {
        assert!(inflated.len() <= bytes_max, "{} bytes over {bytes_max}", inflated.len());
    }
    if let Some(expected) = inflate_naively(compressed, bytes_max) {
        assert_eq!(inflated.ok(), expected, "not what flate2 reads");
    }
    let again = Inflater::new().inflate(&compress(compressed), compressed.len(), Vec::new());
    assert_eq!(again.as_deref(), Ok(compressed), "deflated and inflated is not the same");
}

/// What one deflater makes of one message after another is shorter than the message and inflates to it, however the
/// ones before it went: it is shared by all connections of a process, and a message that does not shrink is given up
/// on.
///
/// Every four bytes are a message: its kind, its seed, and its length in units of two bytes.
pub fn deflate(data: &[u8]) {
    let mut codec = Codec::new(Limits::for_messages(1 << 20));
    let mut inflater = Inflater::new();
    for message in data.as_chunks().0.iter().take(16) {
        let plain = Frame::binary(&message_of(*message));
        let Some(deflated) = codec.deflate(&plain) else { continue };
        assert!(deflated.payload().len() < plain.payload().len(), "it grew");
        let again = inflater.inflate(deflated.payload(), plain.payload().len(), Vec::new());
        assert_eq!(again.as_deref(), Ok(plain.payload()), "deflated and inflated is not the same");
    }
}

/// A message of up to 128 KiB: of one byte, of some words, or of no order at all.
fn message_of([kind, seed, length @ ..]: [u8; 4]) -> Vec<u8> {
    let bytes = usize::from(u16::from_le_bytes(length)) * 2;
    let mut state = u32::from(seed) << 8 | 1;
    let mut random = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    match kind % 3 {
        0 => vec![seed; bytes],
        1 => (0..bytes / 4).flat_map(|_| (random() % 8 * 0x0101_0101).to_le_bytes()).collect(),
        _ => (0..bytes / 4).flat_map(|_| random().to_le_bytes()).collect(),
    }
}

/// The whole message or nothing, by flate2's reader; `None` where the two are meant to differ, which
/// is in messages of many streams.
fn inflate_naively(compressed: &[u8], bytes_max: usize) -> Option<Option<Vec<u8>>> {
    if compressed.is_empty() {
        return Some(Some(Vec::new()));
    }
    let mut bytes = Vec::new();
    let end = [compressed, &[0x00, 0x00, 0xFF, 0xFF, 0x03, 0x00]].concat();
    let mut rest = end.as_slice();
    for _ in 0..8 {
        let mut stream = DeflateDecoder::new(rest);
        let room = bytes_max as u64 + 1 - bytes.len() as u64;
        if stream.by_ref().take(room).read_to_end(&mut bytes).is_err() || bytes.len() > bytes_max {
            return Some(None);
        }
        // The room may have been used up just before the stream's end.
        if !matches!(stream.read(&mut [0]), Ok(0)) {
            return Some(None);
        }
        let taken = usize::try_from(stream.total_in()).expect("no more is taken than there is");
        rest = &rest[taken..];
        if rest.is_empty() || rest.len() == end.len() - compressed.len() {
            return Some(Some(bytes));
        }
    }
    None
}

/// Masking is what the loop in RFC 6455 §5.3 says, in one piece or two, wherever they begin.
///
/// The first four bytes are the key, the next two say where the pieces begin.
pub fn mask(data: &[u8]) {
    mask_equals_twin(mask::apply, data);
}

/// See [`mask()`](fn@mask).
pub fn mask_equals_twin(apply: impl Fn(&mut [u8], [u8; 4]) -> [u8; 4], data: &[u8]) {
    let Some((key, [start, cut, payload @ ..])) = data.split_first_chunk() else { return };
    let start = usize::from(*start).min(payload.len());
    let cut = start + usize::from(*cut).min(payload.len() - start);

    let (mut fast, mut slow) = (payload.to_vec(), payload.to_vec());
    let next = apply(&mut fast[start..cut], *key);
    apply(&mut fast[cut..], next);
    mask_naively(&mut slow[start..], *key, 0);
    assert_eq!(fast, slow, "masking differs from its naive twin");
}

fn mask_naively(payload: &mut [u8], key: [u8; 4], phase: usize) {
    for (i, byte) in payload.iter_mut().enumerate() {
        *byte ^= key[(phase + i) % 4];
    }
}

const KEY: [u8; 4] = [0x37, 0xFA, 0x21, 0x3D];
/// What holding anything costs, whatever its size: the box, and the buffers' least sizes.
const HELD_BYTES_FIXED: usize = 256;
/// Limits small enough to be reached, and one at which the two length forms differ.
const LIMITS: [Limits; 4] = [
    Limits { frame_payload_bytes_max: 16, message_bytes_max: 32, fragments_max: 4 },
    Limits { frame_payload_bytes_max: 200, message_bytes_max: 300, fragments_max: 8 },
    Limits { frame_payload_bytes_max: 65_536, message_bytes_max: 65_536, fragments_max: 1024 },
    Limits { frame_payload_bytes_max: 1 << 40, message_bytes_max: 1 << 20, fragments_max: 64 },
];
