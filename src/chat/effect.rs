//! What the domain wants done.

use super::command::RequestId;
use super::event::{Answer, Event};
use super::log::{Read, Ticket, Whose, Write};
use super::refusal::Refusal;

/// A connection, as the domain knows it: a number that whoever connects it chooses, and does not use again while it is
/// connected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionId(pub u64);

/// A request that came without a connection, as the domain knows it: chosen by whoever asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct CallId(pub u64);

/// To whom an answer goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum ReplyTo {
    /// A session's request.
    Session(SessionId, RequestId),
    /// A call.
    Call(CallId),
}

/// A room in memory. A number that is dense, and used again after [`Effect::EndRoom`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RoomKey(pub u32);

/// What the domain wants done, in this order. It does nothing by itself.
#[derive(Clone, Debug, PartialEq)]
pub enum Effect {
    /// Tell one session something.
    Send(SessionId, Event),
    /// Tell all sessions attached to a room. The entries of a room in memory come even where none is.
    Publish {
        /// The room.
        room: RoomKey,
        /// What.
        event: Event,
        /// But not this one.
        except: Option<SessionId>,
        /// Leave out who reads slowly: true of whispers, never of entries.
        droppable: bool,
    },
    /// A session is sent what is published to a room from now on.
    Attach(SessionId, RoomKey),
    /// A session is no longer sent what is published to a room.
    Detach(SessionId, RoomKey),
    /// The room's number is free for another.
    EndRoom(RoomKey),
    /// Answer a call.
    Answer(CallId, Result<Answer, Refusal>),
    /// Write, and give [`Chat::written`](super::Chat::written) the outcome. Outcomes come in the order of commits.
    Write(Ticket, Write),
    /// Read on somebody's behalf, and give [`Chat::read_out`](super::Chat::read_out) the outcome. Outcomes come in any order.
    Read(Ticket, Whose, Read),
    /// Close a session's connection.
    Close(SessionId, CloseReason),
}

/// Why a session is closed by the domain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CloseReason {
    /// Its log-in was ended, or its account deleted: 4501, do not come back as you are.
    LoggedOut,
    /// The guest has become an account: come back, as that.
    Registered,
    /// The person has too many sessions: 4504, do not come back by yourself.
    TooManySessions,
}
