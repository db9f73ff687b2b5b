//! What the kernel has not taken yet, for one connection.
//!
//! Owns the order of what is to be sent, and how much of the first piece is gone already. Pieces are shared: a frame or
//! a round of joined frames is one allocation for all its recipients, and an outbox holds a reference and a range. It
//! never knows what the bytes mean, save where one frame ends and the next begins.
//!
//! A connection has an outbox only while something is queued; emptied outboxes go back to a small [`Pool`], so that a
//! steady exchange allocates none.
//!
//! Invariants: a segment starts at the start of a frame, so that what is half sent can always be finished and the rest
//! dropped; no segment is empty; `bytes` is the sum of what is unsent, `held` that of the memory of segments and of the pieces that
//! are nobody else's; and what the pool says is held is the sum of all outboxes'.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IoSlice, Write};

use super::round::Round;
use crate::config;
use crate::ws::{Frame, header};

#[derive(Debug, Default)]
pub(super) struct Outbox {
    segments: VecDeque<Segment>,
    /// Bytes of the first segment that the kernel has taken.
    taken: usize,
    bytes: usize,
    /// Memory that is held for this connection alone. What an audience is published is held once for all its members, and
    /// counted where that is.
    held: usize,
}

#[derive(Debug)]
struct Segment {
    chunk: Chunk,
    start: usize,
    end: usize,
}

/// A piece of memory with bytes to send.
#[derive(Debug)]
pub(super) enum Chunk {
    /// One frame for this connection, or shared by some.
    Frame(Frame),
    /// What an audience is published in one turn; readable once the round is frozen.
    Round(Round),
    /// Frames that were parts of larger pieces, or small pieces themselves: see [`Outbox::lean`].
    Copied(Vec<u8>),
    /// An HTTP response: never cut short.
    Response(Vec<u8>),
}

impl Chunk {
    /// What a segment of it holds for one connection alone, or for some.
    fn held(&self) -> usize {
        let own = match self {
            Chunk::Frame(frame) => frame.as_bytes().len(),
            Chunk::Round(_) => 0,
            Chunk::Copied(bytes) | Chunk::Response(bytes) => bytes.capacity(),
        };
        SEGMENT_BYTES + own
    }

    fn bytes(&self) -> Option<&[u8]> {
        match self {
            Chunk::Frame(frame) => Some(frame.as_bytes()),
            Chunk::Round(round) => round.bytes(),
            Chunk::Copied(bytes) | Chunk::Response(bytes) => Some(bytes),
        }
    }
}

impl Segment {
    /// The bytes, if they are better copied: where the piece is much larger than what is wanted of it, or so small that its
    /// own keeping costs more.
    fn wasteful(&self) -> Option<&[u8]> {
        let wanted = self.end - self.start;
        let is_wasteful = match &self.chunk {
            Chunk::Frame(_) => wanted < SMALL_BYTES,
            Chunk::Round(round) => wanted < SMALL_BYTES || wanted < round.held_bytes() / 2,
            Chunk::Copied(_) | Chunk::Response(_) => false,
        };
        let bytes = self.chunk.bytes().filter(|_| is_wasteful)?;
        Some(&bytes[self.start..self.end])
    }
}

/// How a flush ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flush {
    /// Nothing is left.
    Drained,
    /// The kernel takes no more for now; it will say when.
    Blocked,
    /// The budget is used up, or the rest is not frozen yet; the kernel would take more.
    Spent,
}

impl Outbox {
    /// Unsent bytes.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Memory held for this connection alone.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// What it would hold if nobody else waited for any of it. Once [lean](Self::lean), it pins at most twice as much.
    pub(super) fn weight(&self) -> usize {
        self.bytes + self.segments.len() * SEGMENT_BYTES
    }

    /// Lets go of what pins much more memory than is wanted of it: such parts are copied, and those that follow each other
    /// joined.
    pub(super) fn lean(&mut self) {
        if self.segments.iter().all(|segment| segment.wasteful().is_none()) {
            return;
        }
        let mut lean: VecDeque<Segment> = VecDeque::new();
        for segment in std::mem::take(&mut self.segments) {
            let Some(bytes) = segment.wasteful() else {
                lean.push_back(segment);
                continue;
            };
            match lean.back_mut() {
                // What ends before its piece does was cut there.
                Some(Segment { chunk: Chunk::Copied(copied), end, .. }) if *end == copied.len() => {
                    copied.extend_from_slice(bytes);
                    *end = copied.len();
                }
                _ => {
                    let copied = Chunk::Copied(bytes.to_vec());
                    lean.push_back(Segment { chunk: copied, start: 0, end: bytes.len() });
                }
            }
        }
        for segment in &mut lean {
            if let Chunk::Copied(copied) = &mut segment.chunk {
                copied.shrink_to_fit();
            }
        }
        self.held = lean.iter().map(|segment| segment.chunk.held()).sum();
        self.segments = lean;
    }

    pub(super) fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    pub(super) fn push_frame(&mut self, frame: Frame) {
        let end = frame.as_bytes().len();
        self.push(Chunk::Frame(frame), 0, end);
    }

    pub(super) fn push_response(&mut self, bytes: Vec<u8>) {
        let end = bytes.len();
        self.push(Chunk::Response(bytes), 0, end);
    }

    pub(super) fn push_round(&mut self, round: Round, start: usize, end: usize) {
        self.push(Chunk::Round(round), start, end);
    }

    /// Notes that the first `taken` bytes of what was just pushed to an empty outbox are sent already.
    pub(super) fn mark_taken(&mut self, taken: usize) {
        debug_assert!(self.segments.len() == 1 && self.taken == 0 && taken < self.bytes);
        self.taken = taken;
        self.bytes -= taken;
    }

    fn push(&mut self, chunk: Chunk, start: usize, end: usize) {
        if start < end {
            self.bytes += end - start;
            self.held += chunk.held();
            self.segments.push_back(Segment { chunk, start, end });
        }
    }

    /// Sends until all is gone, the kernel takes no more, or about `budget` bytes are sent.
    ///
    /// # Errors
    /// What the socket says, save `WouldBlock` and `Interrupted`.
    pub(super) fn flush(&mut self, socket: &mut impl Write, budget: usize) -> io::Result<Flush> {
        let mut sent = 0;
        while sent < budget {
            let (offered, result) = self.send_once(socket);
            let taken = match result {
                _ if offered == 0 && self.is_empty() => return Ok(Flush::Drained),
                _ if offered == 0 => return Ok(Flush::Spent),
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => taken,
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(Flush::Blocked),
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                Err(e) => return Err(e),
            };
            self.advance(taken);
            sent += taken.max(config::SEND_COUNTS_AS_BYTES);
            if taken < offered {
                return Ok(Flush::Blocked);
            }
        }
        Ok(if self.is_empty() { Flush::Drained } else { Flush::Spent })
    }

    /// One system call; answers how many bytes it offered.
    fn send_once(&self, socket: &mut impl Write) -> (usize, io::Result<usize>) {
        if self.segments.len() > 1 {
            return self.send_many(socket);
        }
        // Most often there is one segment, which needs no list of slices.
        let Some(segment) = self.segments.front() else { return (0, Ok(0)) };
        let Some(bytes) = segment.chunk.bytes() else { return (0, Ok(0)) };
        let unsent = &bytes[segment.start + self.taken..segment.end];
        (unsent.len(), socket.write(unsent))
    }

    /// One system call with as many segments as fit, up to one that is not frozen.
    fn send_many(&self, socket: &mut impl Write) -> (usize, io::Result<usize>) {
        let mut slices = [IoSlice::new(&[]); SLICES_PER_SEND];
        let (mut count, mut offered, mut skip) = (0, 0, self.taken);
        for (slice, segment) in slices.iter_mut().zip(&self.segments) {
            let Some(bytes) = segment.chunk.bytes() else { break };
            let unsent = &bytes[segment.start + skip..segment.end];
            *slice = IoSlice::new(unsent);
            offered += unsent.len();
            count += 1;
            skip = 0;
        }
        let result = if count == 0 { Ok(0) } else { socket.write_vectored(&slices[..count]) };
        (offered, result)
    }

    fn advance(&mut self, taken: usize) {
        self.bytes -= taken;
        self.taken += taken;
        while let Some(first) = self.segments.front() {
            let whole = first.end - first.start;
            if self.taken < whole {
                break;
            }
            self.taken -= whole;
            self.held -= first.chunk.held();
            self.segments.pop_front();
        }
    }

    /// Drops all that the peer need not get before a Close frame: every frame save one that is half sent. An HTTP
    /// response stays, since the handshake's answer may be among what is queued.
    pub(super) fn drop_unsent_frames(&mut self) {
        let taken = self.taken;
        let mut first = true;
        self.segments.retain_mut(|segment| {
            let half_sent = std::mem::take(&mut first) && taken > 0;
            match &segment.chunk {
                Chunk::Response(_) => true,
                chunk if half_sent => {
                    let bytes = chunk.bytes().expect("only a frozen round was sent from");
                    segment.end = frame_end(bytes, segment.start, segment.start + taken);
                    segment.start + taken < segment.end
                }
                _ => false,
            }
        });
        let queued: usize = self.segments.iter().map(|segment| segment.end - segment.start).sum();
        self.held = self.segments.iter().map(|segment| segment.chunk.held()).sum();
        self.taken = taken.min(queued);
        self.bytes = queued - self.taken;
    }
}

/// The end of the frame that `position` lies in or ends at, walking from the frame that starts at `start`.
fn frame_end(bytes: &[u8], start: usize, position: usize) -> usize {
    let mut end = start;
    while end < position {
        end += header::frame_bytes(&bytes[end..]);
    }
    end
}

/// A segment, and what an allocation costs beside its bytes.
const SEGMENT_BYTES: usize = size_of::<Segment>() + 32;

/// A piece of fewer bytes is better copied than kept by itself, where memory is short.
const SMALL_BYTES: usize = 4 * SEGMENT_BYTES;

/// Slices handed to the kernel at once. More would not save calls: a full socket buffer ends the send before.
const SLICES_PER_SEND: usize = 64;

/// Emptied outboxes, kept for the next connection that needs one; and what the others hold.
#[derive(Debug, Default)]
pub(super) struct Pool {
    held: usize,
    #[expect(clippy::vec_box, reason = "a connection has a box or nothing")]
    free: Vec<Box<Outbox>>,
}

impl Pool {
    pub(super) fn take(&mut self) -> Box<Outbox> {
        self.free.pop().unwrap_or_default()
    }

    /// Memory that all outboxes hold for one connection each.
    pub(super) fn held(&self) -> usize {
        self.held
    }

    /// Notes that an outbox held so much, and now holds so much.
    pub(super) fn note(&mut self, before: usize, now: usize) {
        self.held = self.held - before + now;
    }

    /// Keeps an empty outbox, unless enough are kept or its queue has grown long.
    pub(super) fn give_back(&mut self, outbox: Box<Outbox>) {
        debug_assert!(outbox.is_empty());
        if self.free.len() < OUTBOXES_KEPT && outbox.segments.capacity() <= SLICES_PER_SEND {
            self.free.push(outbox);
        }
    }
}

/// Enough for the direct answers of a busy turn: some 50 KiB, with their short queues.
const OUTBOXES_KEPT: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::round::Ledger;

    /// Takes as many bytes at each call as `takes` says, then would block.
    struct Kernel {
        takes: Vec<usize>,
        got: Vec<u8>,
    }

    impl Kernel {
        fn taking(takes: &[usize]) -> Self {
            Self { takes: takes.iter().rev().copied().collect(), got: Vec::new() }
        }
    }

    impl Write for Kernel {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let Some(most) = self.takes.pop() else { return Err(ErrorKind::WouldBlock.into()) };
            let taken = most.min(bytes.len());
            self.got.extend(&bytes[..taken]);
            Ok(taken)
        }

        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let joined: Vec<u8> = slices.iter().flat_map(|slice| slice.iter().copied()).collect();
            self.write(&joined)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn frame(payload: &str) -> Frame {
        Frame::text(payload)
    }

    #[test]
    fn what_is_sent_is_what_was_queued_wherever_the_kernel_stops() {
        let frames: Vec<Frame> = (0..200).map(|n| frame(&"x".repeat(n))).collect();
        let whole: Vec<u8> = frames.iter().flat_map(|frame| frame.as_bytes().to_vec()).collect();
        for step in [1, 7, 64, 1000, 100_000] {
            let mut outbox = Outbox::default();
            frames.iter().for_each(|frame| outbox.push_frame(frame.clone()));
            let mut got = Vec::new();
            while !outbox.is_empty() {
                let mut kernel = Kernel::taking(&[step]);
                outbox.flush(&mut kernel, usize::MAX).unwrap();
                got.extend(kernel.got);
                assert_eq!(outbox.bytes(), whole.len() - got.len());
            }
            assert_eq!(got, whole, "in steps of {step}");
        }
    }

    #[test]
    fn a_flush_says_why_it_ended() {
        let mut outbox = Outbox::default();
        (0..300).for_each(|_| outbox.push_frame(frame(&"y".repeat(100))));
        let mut kernel = Kernel::taking(&[usize::MAX; 10]);
        assert_eq!(outbox.flush(&mut kernel, 1000).unwrap(), Flush::Spent);
        let mut kernel = Kernel::taking(&[10]);
        assert_eq!(outbox.flush(&mut kernel, 1000).unwrap(), Flush::Blocked);
        let mut kernel = Kernel::taking(&[usize::MAX; 10]);
        assert_eq!(outbox.flush(&mut kernel, usize::MAX).unwrap(), Flush::Drained);
        assert_eq!(outbox.bytes(), 0);
    }

    #[test]
    fn dropping_the_unsent_finishes_the_frame_that_is_half_sent() {
        let [a, b, c] = ["first", "second", "third"].map(frame);
        let joined: Vec<u8> = [a.as_bytes(), b.as_bytes()].concat();
        for taken in 1..joined.len() {
            let round = Round::joined(&[a.clone(), b.clone()], &Ledger::default());
            let mut outbox = Outbox::default();
            outbox.push_round(round, 0, joined.len());
            outbox.push_frame(c.clone());
            let mut kernel = Kernel::taking(&[taken]);
            outbox.flush(&mut kernel, usize::MAX).unwrap();
            outbox.drop_unsent_frames();
            outbox.push_frame(Frame::text("bye"));
            let mut rest = Kernel::taking(&[usize::MAX]);
            assert_eq!(outbox.flush(&mut rest, usize::MAX).unwrap(), Flush::Drained);
            kernel.got.extend(rest.got);

            let cut = if taken <= a.as_bytes().len() { a.as_bytes() } else { &joined };
            assert_eq!(kernel.got, [cut, Frame::text("bye").as_bytes()].concat(), "taken {taken}");
        }
    }

    #[test]
    fn lean_it_sends_the_same_wherever_the_kernel_stopped_and_pins_little() {
        let frames: Vec<Frame> = (0..64).map(|n| frame(&"z".repeat(n * n % 2000))).collect();
        let joined: Vec<u8> = frames.iter().flat_map(|frame| frame.as_bytes().to_vec()).collect();
        let bounds: Vec<usize> = frames
            .iter()
            .scan(0, |at, frame| Some(std::mem::replace(at, *at + frame.as_bytes().len())))
            .chain([joined.len()])
            .collect();
        for taken in [0, 1, 500, 3000] {
            let ledger = Ledger::default();
            let (mut outbox, mut whole) = (Outbox::default(), Vec::new());
            for (n, piece) in bounds.windows(2).enumerate() {
                let round = Round::joined(&frames, &ledger);
                // Some want one frame of a round, and some a frame and all behind it.
                let end = if n % 16 == 5 { joined.len() } else { piece[1] };
                outbox.push_round(round, piece[0], end);
                outbox.push_frame(frames[n].clone());
                whole.extend_from_slice(&joined[piece[0]..end]);
                whole.extend_from_slice(frames[n].as_bytes());
            }
            let pinned = ledger.held();
            let mut kernel = Kernel::taking(&[taken]);
            if taken > 0 {
                outbox.flush(&mut kernel, usize::MAX).unwrap();
            }
            outbox.lean();
            assert!(pinned > 10 * whole.len(), "{pinned}");
            assert!(ledger.held() + outbox.held() <= 2 * outbox.weight() + taken);
            let held: usize = outbox.segments.iter().map(|segment| segment.chunk.held()).sum();
            assert_eq!(outbox.held(), held);

            // What comes behind a cut is not joined to what was cut off.
            if taken == 500 {
                outbox.drop_unsent_frames();
                outbox.push_frame(Frame::text("bye"));
                outbox.lean();
                whole.truncate(frame_end(&whole, 0, taken));
                whole.extend_from_slice(Frame::text("bye").as_bytes());
            }
            while !outbox.is_empty() {
                let mut rest = Kernel::taking(&[10_000]);
                outbox.flush(&mut rest, usize::MAX).unwrap();
                kernel.got.extend(rest.got);
            }
            assert_eq!(kernel.got, whole, "after {taken}");
            assert_eq!((outbox.held(), ledger.held()), (0, 0));
        }
    }

    #[test]
    fn dropping_the_unsent_keeps_the_answer_to_a_handshake() {
        let mut outbox = Outbox::default();
        outbox.push_response(b"HTTP/1.1 101 \r\n\r\n".to_vec());
        outbox.push_frame(frame("gone"));
        outbox.drop_unsent_frames();
        assert_eq!(outbox.bytes(), 17);
    }
}
