//! How members speak: raw messages, or a chat's JSON.

use super::chat::Chat;
use super::plan::{Language, Plan};
use super::raw::Raw;
use crate::bench::stamp::Stamp;
use crate::ws::Opcode;

/// How one worker's members speak.
pub(super) enum Tongue {
    Raw(Raw),
    Chat(Chat),
}

impl Tongue {
    pub(super) fn new(plan: &Plan, receivers: usize) -> Self {
        match &plan.language {
            Language::Raw { kind, bytes } => Self::Raw(Raw::new(*kind, *bytes, plan.run)),
            Language::Chat(talk) => Self::Chat(Chat::new(talk, plan.run, receivers)),
        }
    }

    pub(super) fn opcode(&self) -> Opcode {
        match self {
            Tongue::Raw(raw) => raw.opcode(),
            Tongue::Chat(_) => Opcode::Text,
        }
    }

    /// The subprotocol that says who the member at this place is, where that was told.
    pub(super) fn bearer(&self, receiver: usize) -> Option<&str> {
        match self {
            Tongue::Chat(chat) => chat.bearer(receiver),
            Tongue::Raw(_) => None,
        }
    }

    /// The message that carries this stamp to a room.
    pub(super) fn say(&mut self, stamp: Stamp, room: u32) -> &[u8] {
        match self {
            Tongue::Raw(raw) => raw.say(stamp),
            Tongue::Chat(chat) => chat.post(stamp, room),
        }
    }

    /// What the first member of a room says to find out who hears it already; nothing where the server tells everybody
    /// by itself.
    pub(super) fn greet(&mut self) -> Option<&[u8]> {
        match self {
            Tongue::Raw(raw) => Some(raw.greet()),
            Tongue::Chat(_) => None,
        }
    }
}
