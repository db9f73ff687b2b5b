//! Fragments into messages (RFC 6455 §5.4), for a message that does not come whole.
//!
//! All fragments go into one contiguous buffer, with running totals: a message of a hundred thousand
//! fragments costs what one of its size costs. The buffer holds at most about twice the bytes that
//! have come, whatever was promised. Text is checked piece by piece as it comes; what is compressed
//! stays so until it is whole, for only then may it be inflated under a bound.
//!
//! It is never asked whether a frame is allowed: [`Expect`](super::header::Expect) has seen to that.

use super::codec::{Codec, Finished};
use super::header::{Header, Unfinished};
use super::utf8::Begun;
use super::{Fault, Opcode, work};

/// What has come of a message.
pub(crate) struct Assembler {
    fragments: u32,
    body: Body,
}

enum Body {
    Text { text: String, begun: Begun },
    Binary(Vec<u8>),
    Deflated { opcode: Opcode, bytes: Vec<u8> },
}

impl Assembler {
    /// Begins the message whose first frame has this header.
    pub(crate) fn new(first: &Header) -> Assembler {
        let body = match first.opcode {
            opcode if first.rsv1 => Body::Deflated { opcode, bytes: Vec::new() },
            Opcode::Text => Body::Text { text: String::new(), begun: Begun::default() },
            _ => Body::Binary(Vec::new()),
        };
        Assembler { fragments: 0, body }
    }

    /// Counts one more frame, the first included.
    pub(crate) fn begin_fragment(&mut self) {
        self.fragments += 1;
    }

    /// Appends unmasked payload. `to_come` is how many bytes are still to come in all, these
    /// included, if that is known: room is made for no more.
    pub(crate) fn push(&mut self, piece: &[u8], to_come: Option<usize>) -> Result<(), Fault> {
        work::add(piece.len());
        match &mut self.body {
            Body::Text { text, begun } => {
                let growth =
                    growth(text.len(), text.capacity(), begun.len() + piece.len(), to_come);
                text.reserve_exact(growth);
                begun.push(piece, text).map_err(|_| Fault::InvalidUtf8)
            }
            Body::Binary(bytes) | Body::Deflated { bytes, .. } => {
                bytes.reserve_exact(growth(bytes.len(), bytes.capacity(), piece.len(), to_come));
                bytes.extend_from_slice(piece);
                Ok(())
            }
        }
    }

    /// What the next header is held against.
    pub(crate) fn unfinished(&self) -> Unfinished {
        let (deflated, bytes) = match &self.body {
            Body::Text { text, begun } => (false, text.len() + begun.len()),
            Body::Binary(bytes) => (false, bytes.len()),
            Body::Deflated { bytes, .. } => (true, bytes.len()),
        };
        Unfinished { deflated, fragments: self.fragments, bytes }
    }

    /// The size of its buffer.
    pub(crate) fn held_bytes(&self) -> usize {
        match &self.body {
            Body::Text { text, .. } => text.capacity(),
            Body::Binary(bytes) | Body::Deflated { bytes, .. } => bytes.capacity(),
        }
    }

    /// Hands the whole message to `codec`, from which its event is made.
    pub(crate) fn finish(self, codec: &mut Codec) -> Result<(), Fault> {
        match self.body {
            Body::Text { text, begun } => {
                begun.finish().map_err(|_| Fault::InvalidUtf8)?;
                codec.keep(Finished::Text(text));
                Ok(())
            }
            Body::Binary(bytes) => {
                codec.keep(Finished::Binary(bytes));
                Ok(())
            }
            Body::Deflated { opcode, bytes } => codec.inflate(opcode, &bytes),
        }
    }
}

/// By how much a buffer should grow to take `piece` more bytes: nothing if they fit; else it doubles,
/// so that bytes are moved rarely, but no further than the message can go.
fn growth(len: usize, capacity: usize, piece: usize, to_come: Option<usize>) -> usize {
    if capacity - len >= piece {
        return 0;
    }
    work::add(len);
    let doubled = len.max(BUFFER_BYTES_MIN);
    piece.max(to_come.map_or(doubled, |to_come| doubled.min(to_come)))
}

/// Below this a buffer is not worth growing in steps: it is about what holding any message costs.
const BUFFER_BYTES_MIN: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_buffer_follows_what_has_come_and_stops_at_what_can_come() {
        let header = Header {
            fin: true,
            rsv1: false,
            opcode: Opcode::Binary,
            key: None,
            payload_bytes: 1000,
        };
        let mut assembler = Assembler::new(&header);
        assembler.begin_fragment();
        for received in 1..=1000 {
            assembler.push(b"x", Some(1001 - received)).unwrap();
            assert!(assembler.held_bytes() <= 64.max(2 * received), "after {received} bytes");
        }
        assert_eq!(assembler.held_bytes(), 1000);
        assert_eq!(
            assembler.unfinished(),
            Unfinished { deflated: false, fragments: 1, bytes: 1000 }
        );
    }
}
