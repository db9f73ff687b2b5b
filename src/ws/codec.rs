//! What all connections of one process share: the limits, and the space and the machinery that only
//! the connection being read right now needs.
//!
//! A connection owns memory while it waits for the rest of a message, and hands it over here when
//! the message is whole: the event lends it out from here, and the next one takes its place. So a
//! process has one finished message, one inflater and one deflater, however many connections. They
//! can be shared because no context outlives a message (RFC 7692 §7.1.1): permessage-deflate is only
//! ever agreed on with `server_no_context_takeover` and `client_no_context_takeover`.

use super::{CloseReason, Event, Fault, Frame, Message, Opcode};

#[cfg(feature = "deflate")]
use super::deflate::{Deflater, Inflater};

/// What is accepted from a peer (RFC 6455 §10.4).
///
/// ```
/// use wsrelay::ws::Limits;
///
/// let limits = Limits::for_messages(1 << 20);
/// assert_eq!(limits.frame_payload_bytes_max, 1 << 20);
/// assert_eq!(limits.fragments_max, 16_384);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most payload bytes of one frame; else [`Fault::FrameTooBig`].
    pub frame_payload_bytes_max: u64,
    /// The most bytes of one message, all fragments together; else [`Fault::MessageTooBig`]. A
    /// compressed one is bounded when inflated, and may be an eighth longer while it is not.
    pub message_bytes_max: usize,
    /// The most frames of one message, empty ones included; else [`Fault::TooManyFragments`].
    pub fragments_max: u32,
}

impl Limits {
    /// Limits under which any message of up to so many bytes passes, unless it is cut into pieces
    /// of less than 64 bytes and into more than 1,024 of them.
    ///
    /// The finest fragments that a client in the field was seen to send, a test suite's, have 64.
    #[must_use]
    pub fn for_messages(message_bytes_max: usize) -> Limits {
        let fragments = u32::try_from(message_bytes_max / 64).unwrap_or(u32::MAX);
        Limits {
            frame_payload_bytes_max: message_bytes_max as u64,
            message_bytes_max,
            fragments_max: fragments.max(1024),
        }
    }
}

impl Default for Limits {
    /// Messages of up to 64 KiB.
    fn default() -> Limits {
        Limits::for_messages(65_536)
    }
}

/// What all connections of one process share: the limits, one inflater, one deflater and the space
/// for the message that is being looked at.
///
/// Between calls it holds at most one message and half a MiB of compression state.
///
/// ```
/// use wsrelay::ws::{Codec, Limits};
///
/// let codec = Codec::new(Limits::default());
/// assert_eq!(codec.limits().message_bytes_max, 65_536);
/// ```
pub struct Codec {
    limits: Limits,
    finished: Finished,
    /// Half a MiB together, and made when first needed: a program whose peers never compress has none.
    #[cfg(feature = "deflate")]
    inflater: Option<Inflater>,
    #[cfg(feature = "deflate")]
    deflater: Option<Deflater>,
}

/// A message or control frame that did not come whole and now is.
pub(crate) enum Finished {
    Text(String),
    Binary(Vec<u8>),
    Control(Opcode, Vec<u8>),
}

impl std::fmt::Debug for Codec {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Codec").field("limits", &self.limits).finish_non_exhaustive()
    }
}

impl Codec {
    /// A codec whose connections accept what `limits` allow.
    #[must_use]
    pub fn new(limits: Limits) -> Codec {
        Codec {
            limits,
            finished: Finished::Binary(Vec::new()),
            #[cfg(feature = "deflate")]
            inflater: None,
            #[cfg(feature = "deflate")]
            deflater: None,
        }
    }

    /// What is accepted.
    #[must_use]
    #[inline]
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// The compressed twin of a plain data frame, for those that
    /// [deflate](super::Connection::deflates); `None` if it would not pay: `plain` is short, does
    /// not get shorter, or is no plain data frame. Then all are sent the plain one.
    #[must_use]
    pub fn deflate(&mut self, plain: &Frame) -> Option<Frame> {
        #[cfg(feature = "deflate")]
        return self.deflater.get_or_insert_with(Deflater::new).deflate(plain);
        #[cfg(not(feature = "deflate"))]
        return {
            let _ = plain;
            None
        };
    }

    /// Keeps a finished message until the next one.
    pub(crate) fn keep(&mut self, finished: Finished) {
        self.finished = finished;
    }

    /// Inflates a whole message, checks it, and keeps it.
    #[cfg(feature = "deflate")]
    pub(crate) fn inflate(&mut self, opcode: Opcode, compressed: &[u8]) -> Result<(), Fault> {
        let space =
            std::mem::replace(&mut self.finished, Finished::Binary(Vec::new())).into_space();
        let inflater = self.inflater.get_or_insert_with(Inflater::new);
        let bytes = inflater.inflate(compressed, self.limits.message_bytes_max, space)?;
        self.finished = match opcode {
            Opcode::Text => {
                Finished::Text(String::from_utf8(bytes).map_err(|_| Fault::InvalidUtf8)?)
            }
            _ => Finished::Binary(bytes),
        };
        Ok(())
    }

    /// Without the feature nothing is agreed on, so that RSV1 is a reserved bit.
    #[cfg(not(feature = "deflate"))]
    pub(crate) fn inflate(&mut self, _: Opcode, _: &[u8]) -> Result<(), Fault> {
        Err(Fault::ReservedBit)
    }

    /// Whether what is kept is a close frame.
    pub(crate) fn keeps_close(&self) -> bool {
        matches!(self.finished, Finished::Control(Opcode::Close, _))
    }

    /// The event of what is kept.
    pub(crate) fn event(&self) -> Result<Event<'_>, Fault> {
        match &self.finished {
            Finished::Text(text) => Ok(Event::Message(Message::Text(text))),
            Finished::Binary(bytes) => Ok(Event::Message(Message::Binary(bytes))),
            Finished::Control(opcode, payload) => control_event(*opcode, payload),
        }
    }
}

impl Finished {
    /// Its memory, empty, to be used again. What one big message took is given back: it would stay
    /// for as long as nothing but small ones come.
    #[cfg(feature = "deflate")]
    fn into_space(self) -> Vec<u8> {
        let mut space = match self {
            Finished::Text(text) => text.into_bytes(),
            Finished::Binary(bytes) | Finished::Control(_, bytes) => bytes,
        };
        space.clear();
        if space.capacity() > SPACE_BYTES_MAX { Vec::new() } else { space }
    }
}

/// The event of a whole control frame.
#[inline]
pub(crate) fn control_event(opcode: Opcode, payload: &[u8]) -> Result<Event<'_>, Fault> {
    Ok(match opcode {
        Opcode::Ping => Event::Ping(payload),
        Opcode::Pong => Event::Pong(payload),
        _ => Event::Close(CloseReason::parse(payload)?),
    })
}

/// What the space for inflated messages may stay at: the default limit of a message.
#[cfg(feature = "deflate")]
const SPACE_BYTES_MAX: usize = 65_536;
