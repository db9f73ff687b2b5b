//! The chat: who is in which room, what they may do there, and what everybody is told.
//!
//! Owns people, rooms, memberships, roles, sessions, presence, cursors and the rates that people are held to. Pure: each
//! call is given the time and what it needs of chance, and records what is to be done as [`Effect`]s. It must never know
//! sockets, JSON, SQL, threads, a clock or where chance comes from.

pub mod command;
pub mod effect;
pub mod entry;
pub mod event;
pub mod limits;
pub mod log;
pub mod name;
pub mod now;
pub mod person;
pub mod refusal;
pub mod role;
pub mod room_id;
pub mod seq;
pub mod text;

pub use command::{Act, Command, HistoryFrom, NewRoom, Request, RequestId, Whisper};
pub use effect::{CallId, CloseReason, Effect, ReplyTo, RoomKey, SessionId};
pub use entry::{Entry, Marks, Mode, Post, Reaction, Record, What};
pub use event::{
    Answer, Event, Hit, Joined, Member, OutReason, Presence, Recovered, RoomSummary, Unread, User,
    Welcome,
};
pub use limits::Limits;
pub use name::{Name, NameFault, Skeleton};
pub use now::{Now, UnixMs};
pub use person::{Author, PersonId, Profile};
pub use refusal::Refusal;
pub use role::Role;
pub use room_id::{RoomId, RoomKind, RoomNo};
pub use seq::{Epoch, Seq, Since};
pub use text::{Body, BodyFault, Emoji, PostKey};
