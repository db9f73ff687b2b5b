//! Who is writing.
//!
//! Passed on to those who are attached, by name, in rooms that are small enough for it; at most every so often for each
//! person, whatever they send. Clients forget it by themselves, so nothing is sent when it ends unsaid.

use super::Chat;
use super::effect::RoomKey;
use super::event::Event;
use super::keys::{PersonKey, SessionKey};
use super::limits::{TYPING_EVERY_MS, TYPING_MS};
use super::permission::{Deed, Standing};
use super::room::Typing;
use super::room_id::RoomId;

impl Chat {
    /// Passes on that somebody writes, or has stopped. Who may not post does not write.
    pub(super) fn type_in(
        &mut self,
        session: SessionKey,
        person: PersonKey,
        id: &RoomId,
        on: bool,
    ) {
        let Some(key) = self.rooms.find(id) else { return };
        let room = &self.rooms[key];
        let standing = Standing::of(room, person, self.out.now.unix);
        let may_post = standing.and_then(|standing| standing.may(Deed::Post)).is_ok();
        let is_heard = room.is_named() && room.attached > 0;
        if may_post && is_heard && self.is_news(key, person, on) {
            let (room, from) = (id.clone(), self.people[person].author.name.clone());
            let except = Some(self.sessions[session].id);
            self.out.whisper(key, Event::Typing { room, from, on }, except);
        }
    }

    /// Takes note of it, unless it is known or too soon.
    fn is_news(&mut self, key: RoomKey, person: PersonKey, on: bool) -> bool {
        let now_ms = self.out.now.mono_ms;
        let typing = &mut self.rooms[key].live_mut().typing;
        typing.retain(|typing| now_ms < typing.at_ms + TYPING_MS);
        let before = typing.iter_mut().find(|typing| typing.person == person);
        match (before, on) {
            (None, false) => false,
            (None, true) => {
                typing.push(Typing { person, at_ms: now_ms, on });
                true
            }
            // The moment stays that of the last sign of writing: stopping and going on is not a way round it.
            (Some(before), false) => std::mem::replace(&mut before.on, false),
            (Some(before), true) if now_ms < before.at_ms + TYPING_EVERY_MS => false,
            (Some(before), true) => {
                (before.at_ms, before.on) = (now_ms, true);
                true
            }
        }
    }

    /// Takes note that somebody has posted: they have stopped, and everybody sees it.
    pub(super) fn has_typed(&mut self, key: RoomKey, person: PersonKey) {
        let mut typing = self.rooms[key].live_mut().typing.iter_mut();
        if let Some(typing) = typing.find(|typing| typing.person == person) {
            typing.on = false;
        }
    }
}
