//! One call's moment, and what it wants done.

use super::command::RequestId;
use super::effect::{Effect, RoomKey, SessionId};
use super::event::{Answer, Event};
use super::now::Now;
use super::refusal::Refusal;

/// The moment of the call that is being served, and its effects so far.
#[derive(Debug, Default)]
pub(super) struct Out {
    pub(super) now: Now,
    pub(super) effects: Vec<Effect>,
}

impl Out {
    pub(super) fn push(&mut self, effect: Effect) {
        self.effects.push(effect);
    }

    pub(super) fn send(&mut self, session: SessionId, event: Event) {
        self.push(Effect::Send(session, event));
    }

    pub(super) fn reply(
        &mut self,
        session: SessionId,
        request: RequestId,
        result: Result<Answer, Refusal>,
    ) {
        self.send(
            session,
            match result {
                Ok(answer) => Event::Ok(request, Box::new(answer)),
                Err(refusal) => Event::Error(Some(request), refusal),
            },
        );
    }

    /// To all who are attached, whatever they have yet to take: an entry.
    pub(super) fn publish(&mut self, room: RoomKey, event: Event) {
        self.push(Effect::Publish { room, event, except: None, droppable: false });
    }

    /// To those who are attached and take what they are sent: what is worth knowing now or never.
    pub(super) fn whisper(&mut self, room: RoomKey, event: Event, except: Option<SessionId>) {
        self.push(Effect::Publish { room, event, except, droppable: true });
    }
}
