//! One endpoint of one connection: bytes in, events out (RFC 6455 §5–7).
//!
//! Whatever is whole in the input is lent out from the input: nothing is copied and nothing
//! allocated. Whatever is not goes into one box, in proportion to the bytes that came, and the box is
//! gone when the message is whole. An endpoint at rest is one null pointer and three bytes.
//!
//! The closing handshake (§7.1) is all the state there is besides:
//!
//! ```text
//!                        close()
//!          Open ───────────────────────▶ Closing
//!           │                               │
//!           │ the peer's close, or a fault  │ the peer's close, or a fault
//!           ▼                               ▼
//!       PeerClosed ────────────────────▶ Closed
//!                        close()
//! ```
//!
//! In the upper row input is read, in the lower row it is ignored. §1.4: "After sending a control
//! frame indicating the connection should be closed, a peer does not send any further data; after
//! receiving [one], a peer discards any further data received." So in `Closing` what comes is still
//! held to every rule, for the close frame has to be found in it, but only the close is an event.
//!
//! It knows nothing of sockets, clocks or randomness: when to ping, how long to wait for the peer's
//! close, and the masking keys are its owner's.

use super::assembler::Assembler;
use super::codec::{Codec, Finished, control_event};
use super::extension::Deflate;
use super::header::{Expect, Header, HeaderBytes};
use super::{CloseCode, CloseReason, Fault, Frame, Opcode, mask};

/// One endpoint of one connection.
///
/// ```
/// use wsrelay::ws::{CloseCode, Codec, Connection, Event, Frame, Limits, Message, Role, State};
///
/// let mut codec = Codec::new(Limits::default());
/// let mut server = Connection::new(Role::Server, None);
///
/// let mut received = Vec::new();
/// Frame::text("hi").append_masked([1, 2, 3, 4], &mut received);
/// Frame::close(Some(CloseCode::NORMAL), "bye").append_masked([5, 6, 7, 8], &mut received);
///
/// let mut input = received.as_mut_slice();
/// let event = server.next_event(&mut input, &mut codec)?;
/// assert_eq!(event, Some(Event::Message(Message::Text("hi"))));
///
/// let event = server.next_event(&mut input, &mut codec)?;
/// let Some(Event::Close(Some(close))) = event else { panic!("it said bye") };
/// let reply = server.close(Some(close.code), "").expect("the peer closed first");
/// assert_eq!(reply, Frame::close(Some(CloseCode::NORMAL), ""));
/// assert_eq!(server.state(), State::Closed);
/// # Ok::<(), wsrelay::ws::Fault>(())
/// ```
pub struct Connection {
    partial: Option<Box<Partial>>,
    role: Role,
    state: State,
    deflate: Option<Deflate>,
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Connection { partial, role, state, deflate } = self;
        f.debug_struct("Connection")
            .field("role", role)
            .field("state", state)
            .field("deflate", deflate)
            .field("partial", &partial.is_some())
            .finish()
    }
}

/// Which endpoint one is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Receives masked frames, sends unmasked ones.
    Server,
    /// Receives unmasked frames, sends masked ones.
    Client,
}

/// How far the closing handshake has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Nobody has closed.
    Open,
    /// We have, and wait for the peer's close: [`Event::Close`] is the only event to come.
    Closing,
    /// The peer has, or broke a rule: nothing more is read, and our close frame is due.
    PeerClosed,
    /// Both have. A server now ends the TCP connection; a client gives it a moment to (§7.1.1).
    Closed,
}

/// What arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Event<'a> {
    /// A data message.
    Message(Message<'a>),
    /// Send [`Frame::pong`] with the same payload. If several arrive before one can be sent, the
    /// latest alone may be answered (§5.5.3).
    Ping(&'a [u8]),
    /// The peer is alive. Whether it answers a ping of ours shows in the payload.
    Pong(&'a [u8]),
    /// The peer closes; `None` if it does not say why. Send what [`Connection::close`] returns, if
    /// anything, with the same code; then end the connection. No event follows.
    Close(Option<CloseReason<'a>>),
}

/// A whole data message, inflated if it was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Message<'a> {
    /// Text.
    Text(&'a str),
    /// Bytes.
    Binary(&'a [u8]),
}

impl<'a> Message<'a> {
    /// The payload as bytes, of either kind.
    #[must_use]
    pub fn payload(&self) -> &'a [u8] {
        match self {
            Message::Text(text) => text.as_bytes(),
            Message::Binary(bytes) => bytes,
        }
    }
}

impl Connection {
    /// A connection just after the opening handshake, on which `deflate` was agreed. Allocates
    /// nothing.
    ///
    /// Without the crate's feature `deflate` no handshake agrees on it, and it is ignored here.
    #[must_use]
    pub fn new(role: Role, deflate: Option<Deflate>) -> Connection {
        let deflate = deflate.filter(|_| cfg!(feature = "deflate"));
        Connection { partial: None, role, state: State::Open, deflate }
    }

    /// Reads from the front of `input`, unmasking in place, up to the end of the next event.
    ///
    /// `Ok(None)` means that all of `input` is consumed and more is needed. To be called until then:
    /// one input may hold many events. The event borrows from `input` if it was whole there, else
    /// from `codec`; never from the connection.
    ///
    /// # Errors
    /// The first rule that the peer broke, as soon as the byte that broke it is there. The
    /// connection has failed (§7.1.7): see [`Fault`] for what to send. Later input is ignored.
    #[inline]
    pub fn next_event<'event, 'input: 'event>(
        &mut self,
        input: &mut &'input mut [u8],
        codec: &'event mut Codec,
    ) -> Result<Option<Event<'event>>, Fault> {
        let event = self.read(input, codec);
        if let Err(_) | Ok(Some(Event::Close(_))) = event {
            self.end_reading();
        }
        event
    }

    /// Starts, or answers, the closing handshake: the close frame to send, or `None` if one was sent
    /// already.
    ///
    /// After it, send nothing else (§5.5.1). To answer a peer, give its code back.
    #[must_use]
    pub fn close(&mut self, code: Option<CloseCode>, reason: &str) -> Option<Frame> {
        self.state = match self.state {
            State::Open => State::Closing,
            State::PeerClosed => State::Closed,
            State::Closing | State::Closed => return None,
        };
        Some(Frame::close(code, reason))
    }

    /// How far the closing handshake has come.
    #[must_use]
    #[inline]
    pub fn state(&self) -> State {
        self.state
    }

    /// The memory it owns for what is not whole yet: 0 if there is nothing. It never exceeds twice
    /// the bytes received of it, but for a constant of about two hundred.
    #[must_use]
    #[inline]
    pub fn held_bytes(&self) -> usize {
        self.partial.as_ref().map_or(0, |partial| partial.held_bytes())
    }

    /// Whether compressed frames may be sent to the peer.
    #[must_use]
    #[inline]
    pub fn deflates(&self) -> bool {
        self.deflate.is_some_and(|deflate| deflate.sends_compressed)
    }

    #[inline]
    fn read<'event, 'input: 'event>(
        &mut self,
        input: &mut &'input mut [u8],
        codec: &'event mut Codec,
    ) -> Result<Option<Event<'event>>, Fault> {
        if let State::PeerClosed | State::Closed = self.state {
            *input = &mut [];
        }
        while !input.is_empty() {
            let whole = match self.take_frame(input, codec)? {
                Some(whole) => whole,
                None => match self.take_piece(input, codec)? {
                    Some(whole) => whole,
                    None => continue,
                },
            };
            if self.state == State::Open || whole.is_close(codec) {
                return whole.event(codec).map(Some);
            }
        }
        Ok(None)
    }

    /// The fast path: a message or control frame that is one frame, whole in `input`, when nothing
    /// is unfinished. `None` leaves `input` as it is.
    #[inline]
    fn take_frame<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        codec: &mut Codec,
    ) -> Result<Option<Whole<'a>>, Fault> {
        if self.partial.is_some() {
            return Ok(None);
        }
        let expect = Expect {
            role: self.role,
            deflate: self.deflate.is_some(),
            unfinished: None,
            limits: codec.limits(),
        };
        let Some((header, header_bytes)) = Header::parse(input, &expect)? else { return Ok(None) };
        let Some(frame_bytes) = usize::try_from(header.payload_bytes)
            .ok()
            .and_then(|payload_bytes| header_bytes.checked_add(payload_bytes))
            .filter(|&frame_bytes| header.fin && frame_bytes <= input.len())
        else {
            return Ok(None);
        };
        let (frame, rest) = std::mem::take(input).split_at_mut(frame_bytes);
        *input = rest;
        let payload = &mut frame[header_bytes..];
        if let Some(key) = header.key {
            mask::apply(payload, key);
        }
        Whole::frame(&header, payload, codec).map(Some)
    }

    /// The slow path: goes on to the end of `input` or of the current frame, whichever comes first,
    /// and returns what that makes whole.
    #[inline(never)]
    fn take_piece<'a>(
        &mut self,
        input: &mut &'a mut [u8],
        codec: &mut Codec,
    ) -> Result<Option<Whole<'a>>, Fault> {
        let partial = self.partial.get_or_insert_default();
        let expect = Expect {
            role: self.role,
            deflate: self.deflate.is_some(),
            unfinished: partial.message.as_ref().map(Assembler::unfinished),
            limits: codec.limits(),
        };
        let Some(mut frame) = partial.take_frame(input, &expect)? else { return Ok(None) };
        let piece = frame.take(input);
        let whole = if frame.opcode.is_control() {
            partial.push_control(frame, piece, codec)?
        } else {
            partial.push_data(frame, piece, codec)?
        };
        if partial.is_empty() {
            self.partial = None;
        }
        Ok(whole)
    }

    /// The peer's close or a fault: §7.1.7, an endpoint "MUST NOT continue to attempt to process data".
    #[cold]
    fn end_reading(&mut self) {
        self.partial = None;
        self.state = match self.state {
            State::Open | State::PeerClosed => State::PeerClosed,
            State::Closing | State::Closed => State::Closed,
        };
    }
}

/// A message or control frame that is whole, and where it is.
enum Whole<'a> {
    /// In the input.
    Lent(Event<'a>),
    /// In the codec, as what it finished last.
    Kept,
}

impl<'a> Whole<'a> {
    /// What one unfragmented frame says.
    #[inline]
    fn frame(header: &Header, payload: &'a [u8], codec: &mut Codec) -> Result<Whole<'a>, Fault> {
        let event = match header.opcode {
            opcode if header.rsv1 => {
                codec.inflate(opcode, payload)?;
                return Ok(Whole::Kept);
            }
            Opcode::Text => {
                let text = str::from_utf8(payload).map_err(|_| Fault::InvalidUtf8)?;
                Event::Message(Message::Text(text))
            }
            // A continuation is not here: its header failed, for there is nothing to continue.
            Opcode::Binary | Opcode::Continuation => Event::Message(Message::Binary(payload)),
            opcode => control_event(opcode, payload)?,
        };
        Ok(Whole::Lent(event))
    }

    #[inline]
    fn is_close(&self, codec: &Codec) -> bool {
        match self {
            Whole::Lent(event) => matches!(event, Event::Close(_)),
            Whole::Kept => codec.keeps_close(),
        }
    }

    #[inline]
    fn event<'event>(self, codec: &'event Codec) -> Result<Event<'event>, Fault>
    where
        'a: 'event,
    {
        match self {
            Whole::Lent(event) => Ok(event),
            Whole::Kept => codec.event(),
        }
    }
}

/// What has come of what is not whole: of a header, of a frame's payload, of a message's fragments.
/// A control frame may be between two fragments, so that there can be some of each.
#[derive(Default)]
struct Partial {
    header: HeaderBytes,
    frame: Option<PartialFrame>,
    control: Vec<u8>,
    message: Option<Assembler>,
}

impl Partial {
    fn is_empty(&self) -> bool {
        self.header.as_bytes().is_empty() && self.frame.is_none() && self.message.is_none()
    }

    fn held_bytes(&self) -> usize {
        let message = self.message.as_ref().map_or(0, Assembler::held_bytes);
        size_of::<Partial>() + self.control.capacity() + message
    }

    /// The frame whose payload is next, as soon as its header is whole.
    fn take_frame(
        &mut self,
        input: &mut &mut [u8],
        expect: &Expect<'_>,
    ) -> Result<Option<PartialFrame>, Fault> {
        if let Some(frame) = self.frame.take() {
            return Ok(Some(frame));
        }
        let Some(header) = self.take_header(input, expect)? else { return Ok(None) };
        match header.opcode {
            Opcode::Text | Opcode::Binary => {
                self.message.insert(Assembler::new(&header)).begin_fragment()
            }
            Opcode::Continuation => self.unfinished_message().begin_fragment(),
            Opcode::Close | Opcode::Ping | Opcode::Pong => {}
        }
        Ok(Some(PartialFrame::new(&header)))
    }

    fn take_header(
        &mut self,
        input: &mut &mut [u8],
        expect: &Expect<'_>,
    ) -> Result<Option<Header>, Fault> {
        if self.header.as_bytes().is_empty()
            && let Some((header, header_bytes)) = Header::parse(input, expect)?
        {
            *input = &mut std::mem::take(input)[header_bytes..];
            return Ok(Some(header));
        }
        // At most fourteen bytes, each of which may be the one that breaks a rule.
        while let Some(&mut byte) = input.split_off_first_mut() {
            self.header.push(byte);
            if let Some((header, _)) = Header::parse(self.header.as_bytes(), expect)? {
                self.header = HeaderBytes::default();
                return Ok(Some(header));
            }
        }
        Ok(None)
    }

    fn push_control<'a>(
        &mut self,
        frame: PartialFrame,
        piece: &'a [u8],
        codec: &mut Codec,
    ) -> Result<Option<Whole<'a>>, Fault> {
        let opcode = frame.opcode;
        if frame.to_come == 0 && self.control.is_empty() {
            return control_event(opcode, piece).map(Whole::Lent).map(Some);
        }
        self.control.extend_from_slice(piece);
        if frame.to_come == 0 {
            codec.keep(Finished::Control(opcode, std::mem::take(&mut self.control)));
            return Ok(Some(Whole::Kept));
        }
        if opcode == Opcode::Close {
            CloseReason::check_begun(&self.control)?;
        }
        self.frame = Some(frame);
        Ok(None)
    }

    fn push_data<'a>(
        &mut self,
        frame: PartialFrame,
        piece: &[u8],
        codec: &mut Codec,
    ) -> Result<Option<Whole<'a>>, Fault> {
        let to_come = usize::try_from(frame.to_come).ok().filter(|_| frame.fin);
        let to_come = to_come.map(|to_come| to_come.saturating_add(piece.len()));
        self.unfinished_message().push(piece, to_come)?;
        if frame.to_come > 0 {
            self.frame = Some(frame);
            return Ok(None);
        }
        match self.message.take_if(|_| frame.fin) {
            Some(message) => message.finish(codec).map(|()| Some(Whole::Kept)),
            None => Ok(None),
        }
    }

    fn unfinished_message(&mut self) -> &mut Assembler {
        self.message.as_mut().expect("a data frame begins or continues a message")
    }
}

/// A frame whose header is whole.
struct PartialFrame {
    opcode: Opcode,
    fin: bool,
    /// Turned so that it begins with the next byte's.
    key: Option<[u8; 4]>,
    /// How much of the payload is not taken yet.
    to_come: u64,
}

impl PartialFrame {
    fn new(header: &Header) -> PartialFrame {
        let Header { fin, opcode, key, payload_bytes, .. } = *header;
        PartialFrame { opcode, fin, key, to_come: payload_bytes }
    }

    /// As much of the payload as there is, unmasked.
    fn take<'a>(&mut self, input: &mut &'a mut [u8]) -> &'a [u8] {
        let piece_bytes = usize::try_from(self.to_come).map_or(input.len(), |n| n.min(input.len()));
        let piece = input.split_off_mut(..piece_bytes).expect("it is no more than there is");
        self.to_come -= piece_bytes as u64;
        self.key = self.key.map(|key| mask::apply(piece, key));
        piece
    }
}

#[cfg(test)]
mod tests;
