//! permessage-deflate (RFC 7692 §7.2): a message's payload as raw DEFLATE blocks (RFC 1951).
//!
//! Both directions begin every message with an empty window. A sender ends a message with an empty
//! stored block and leaves off the block's last four bytes, 00 00 FF FF, which the receiver puts
//! back.
//!
//! **Inflating is bounded while it happens**: the output never grows past the limit, whatever the
//! input would become, and a message over it fails there and then.
//!
//! **A broken stream is found out**, where many receivers deliver what they could make of it. After
//! the four bytes we append one more block, empty and final: if the message was whole blocks, the
//! stream ends with exactly the last of our bytes. A message cut off within a block swallows them
//! and ends elsewhere or nowhere.
//!
//! **Blocks marked final** (§7.2.3.4) end a stream; what follows in the message is another stream.
//! The same section has the sender append a 00 to a message that ends so; we do not insist on it.
//! To begin a stream takes as long as to inflate a hundred bytes, so that a message of nothing but
//! final blocks would cost fifty times what its size does: their number is bounded by the size.

use flate2::{Compress, Compression, Decompress, FlushCompress, FlushDecompress, Status};

use super::{Fault, Frame, work};

/// Inflates messages, one at a time.
pub(crate) struct Inflater(Decompress);

/// Where a stream is when its input is used up.
#[derive(PartialEq)]
enum Stream {
    /// After a final block.
    Ended,
    /// Anywhere else.
    Open,
}

impl Inflater {
    pub(crate) fn new() -> Inflater {
        Inflater(Decompress::new(RAW))
    }

    /// Inflates a whole message of at most `bytes_max` into `space`, which is empty.
    pub(crate) fn inflate(
        &mut self,
        compressed: &[u8],
        bytes_max: usize,
        mut space: Vec<u8>,
    ) -> Result<Vec<u8>, Fault> {
        // No block at all is how some senders spell the empty message.
        if compressed.is_empty() {
            return Ok(space);
        }
        work::add(compressed.len());
        self.0.reset(RAW);
        let mut streams = STREAMS_FREE + compressed.len() / STREAM_BYTES_MIN;
        if space.capacity().saturating_sub(1) > bytes_max {
            // What it has too much would be filled.
            space = Vec::new();
        }
        space.reserve_exact(first_guess(compressed.len(), bytes_max));
        if self.feed(compressed, bytes_max, &mut streams, &mut space)? == Stream::Open
            && self.feed(&END, bytes_max, &mut streams, &mut space)? == Stream::Open
        {
            return Err(Fault::InvalidDeflate);
        }
        Ok(space)
    }

    /// Inflates all of `input`, over as many streams as it holds and `streams` still allows.
    fn feed(
        &mut self,
        mut input: &[u8],
        bytes_max: usize,
        streams: &mut usize,
        out: &mut Vec<u8>,
    ) -> Result<Stream, Fault> {
        loop {
            if out.len() == out.capacity() {
                // Room for one byte over the limit is how a message over the limit shows.
                work::add(out.len());
                out.reserve_exact(out.len().min(bytes_max - out.len()) + 1);
            }
            let (taken, made) = (self.0.total_in(), out.len());
            let status = self.0.decompress_vec(input, out, FlushDecompress::None);
            // Before anything else: what comes after the limit makes no difference any more.
            if out.len() > bytes_max {
                return Err(Fault::MessageTooBig);
            }
            let status = status.map_err(|_| Fault::InvalidDeflate)?;
            let taken = usize::try_from(self.0.total_in() - taken);
            let taken = taken.expect("no more is taken than there is");
            input = &input[taken..];
            match status {
                Status::StreamEnd if input.is_empty() => return Ok(Stream::Ended),
                Status::StreamEnd => {
                    *streams = streams.checked_sub(1).ok_or(Fault::InvalidDeflate)?;
                    self.0.reset(RAW);
                }
                _ if out.len() == out.capacity() => {}
                _ if input.is_empty() => return Ok(Stream::Open),
                // There is input and there is room, so that it must have got on.
                _ if taken == 0 && out.len() == made => return Err(Fault::InvalidDeflate),
                _ => {}
            }
        }
    }
}

/// Deflates frames, one at a time.
pub(crate) struct Deflater(Compress);

impl Deflater {
    pub(crate) fn new() -> Deflater {
        Deflater(Compress::new(LEVEL, RAW))
    }

    /// See [`Codec::deflate`](super::Codec::deflate).
    pub(crate) fn deflate(&mut self, plain: &Frame) -> Option<Frame> {
        let payload = plain.payload();
        if plain.opcode().is_control() || plain.is_deflated() || payload.len() < PAYLOAD_BYTES_MIN {
            return None;
        }
        self.0.reset();
        // Room for all that zlib may make of it, so that it always comes to an end: what would not pay is found out after.
        let mut out = Vec::with_capacity(deflated_bytes_max(payload.len()));
        let status = self.0.compress_vec(payload, &mut out, FlushCompress::Sync);
        let is_whole = self.0.total_in() == payload.len() as u64 && out.len() < out.capacity();
        if status.is_err() || !is_whole {
            // One that stopped half-way is not to be reset but replaced: zlib-rs 0.6 forgets to rewind its pending
            // output, and panics two messages later.
            self.0 = Compress::new(LEVEL, RAW);
            return None;
        }
        let deflated = out.strip_suffix(&SYNC)?;
        (deflated.len() < payload.len()).then(|| Frame::deflated(plain.opcode(), deflated))
    }
}

/// The most that a payload can become: nine bits a byte in fixed codes, which the fastest level never changes its mind
/// about, and the ends of blocks.
fn deflated_bytes_max(payload_bytes: usize) -> usize {
    payload_bytes + payload_bytes / 8 + 64
}

/// Space for a message about to be inflated: text in JSON shrinks to a third or so.
fn first_guess(compressed: usize, bytes_max: usize) -> usize {
    compressed.saturating_mul(4).clamp(256, 32_768).min(bytes_max) + 1
}

/// Raw DEFLATE, without zlib's header and checksum.
const RAW: bool = false;
/// What a sender leaves off and a receiver puts back: the lengths of an empty stored block.
const SYNC: [u8; 4] = [0x00, 0x00, 0xFF, 0xFF];
/// The same, and an empty final block in fixed codes.
const END: [u8; 6] = [0x00, 0x00, 0xFF, 0xFF, 0x03, 0x00];
const LEVEL: Compression = Compression::fast();
/// Below this a frame is not worth the two microseconds, nor its receivers' half of one: a post of
/// 160 bytes in JSON shrinks by a single byte.
const PAYLOAD_BYTES_MIN: usize = 256;
/// How many streams may follow the first in any message.
const STREAMS_FREE: usize = 8;
/// How many bytes of a message pay for one more.
const STREAM_BYTES_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn inflate(compressed: &[u8], bytes_max: usize) -> Result<Vec<u8>, Fault> {
        Inflater::new().inflate(compressed, bytes_max, Vec::new())
    }

    /// RFC 7692 §7.2.3: "Hello" in each of the forms shown there.
    #[test]
    fn the_rfc_examples_inflate() {
        let rows: [(&str, &[u8]); 4] = [
            ("one block in fixed codes", b"\xf2\x48\xcd\xc9\xc9\x07\x00"),
            ("a block that is stored", b"\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00"),
            ("a final block", b"\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
            ("two blocks", b"\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00"),
        ];
        for (name, compressed) in rows {
            assert_eq!(inflate(compressed, 5).as_deref(), Ok(b"Hello".as_slice()), "{name}");
            assert_eq!(inflate(compressed, 4), Err(Fault::MessageTooBig), "{name}");
        }
    }

    #[test]
    fn the_empty_message_has_two_spellings() {
        assert_eq!(inflate(b"\x00", 0), Ok(Vec::new()));
        assert_eq!(inflate(b"", 0), Ok(Vec::new()));
    }

    #[test]
    fn a_final_block_may_be_followed_by_more_or_by_nothing() {
        let hello = b"\xf3\x48\xcd\xc9\xc9\x07\x00";
        assert_eq!(inflate(hello, 5).as_deref(), Ok(b"Hello".as_slice()));
        let twice = [hello.as_slice(), hello, b"\x00"].concat();
        assert_eq!(inflate(&twice, 10).as_deref(), Ok(b"HelloHello".as_slice()));
    }

    #[test]
    fn a_flood_of_final_blocks_fails() {
        let flood = b"\x03\x00".repeat(32_768);
        assert_eq!(inflate(&flood, 65_536), Err(Fault::InvalidDeflate));
        assert_eq!(inflate(&flood[..16], 0), Ok(Vec::new()));
    }

    #[test]
    fn a_stream_that_is_cut_off_or_broken_fails() {
        let rows: [(&str, &[u8]); 5] = [
            ("cut off in a block", b"\xf2\x48\xcd\xc9"),
            ("cut off in a stored block", b"\x00\x05\x00\xfa\xff\x48\x65"),
            ("the tail was not left off", b"\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff"),
            ("a reserved block type", b"\x07"),
            ("a distance before the beginning", b"\xf2\x00\x11\x00\x00"),
        ];
        for (name, compressed) in rows {
            assert_eq!(inflate(compressed, 1000), Err(Fault::InvalidDeflate), "{name}");
        }
    }

    #[test]
    fn what_becomes_of_a_message_is_the_same_in_any_space() {
        let hello_and_a_reserved_type = b"\xf2\x48\xcd\xc9\xc9\x07\x06\x00";
        let mut inflater = Inflater::new();
        for (bytes_max, expected) in [
            (3, Err(Fault::MessageTooBig)),
            (4, Err(Fault::MessageTooBig)),
            (5, Err(Fault::InvalidDeflate)),
            (1000, Err(Fault::InvalidDeflate)),
        ] {
            for space in [0, 1, 4, 5, 6, 500, 65_536].map(Vec::with_capacity) {
                let result = inflater.inflate(hello_and_a_reserved_type, bytes_max, space);
                assert_eq!(result, expected, "{bytes_max}");
            }
        }
    }

    #[test]
    fn a_bomb_fails_at_the_limit_and_takes_no_more_than_that() {
        let mut bomb = Vec::with_capacity(1 << 20);
        let zeros = vec![0; 8 << 20];
        Compress::new(Compression::best(), RAW)
            .compress_vec(&zeros, &mut bomb, FlushCompress::Sync)
            .unwrap();
        assert!(bomb.len() < 10_000);
        let mut inflater = Inflater::new();
        let bomb = bomb.strip_suffix(&SYNC).unwrap();
        assert_eq!(inflater.inflate(bomb, 65_536, Vec::new()), Err(Fault::MessageTooBig));
        let whole = inflater.inflate(bomb, zeros.len(), Vec::new()).unwrap();
        assert_eq!(whole.len(), zeros.len());
        assert!(whole.capacity() <= zeros.len() + 1);
    }

    #[test]
    fn what_is_deflated_is_shorter_and_inflates_to_the_same() {
        let plain = Frame::text(&"so much of it is the same ".repeat(100));
        let deflated = Deflater::new().deflate(&plain).unwrap();
        assert!(deflated.is_deflated());
        assert!(deflated.as_bytes().len() < plain.as_bytes().len() / 4);
        assert_eq!(inflate(deflated.payload(), 10_000).as_deref(), Ok(plain.payload()));
    }

    #[test]
    fn what_would_not_pay_is_not_deflated() {
        let mut deflater = Deflater::new();
        let short = Frame::text(&"a".repeat(PAYLOAD_BYTES_MIN - 1));
        assert!(deflater.deflate(&short).is_none());
        // A sequence without repeats of three bytes: nothing for DEFLATE to find.
        let mut state = 1_u32;
        let noise: Vec<u8> = std::iter::repeat_with(|| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .take(1000)
        .collect();
        assert!(deflater.deflate(&Frame::binary(&noise)).is_none());
        let long = Frame::text(&"a".repeat(PAYLOAD_BYTES_MIN));
        let twin = deflater.deflate(&long).unwrap();
        assert!(deflater.deflate(&twin).is_none(), "what is deflated is not deflated again");
        assert!(deflater.deflate(&Frame::ping(&[0; 125])).is_none());
    }
}
