//! How long an invite room lasts.
//!
//! It is in memory only, and memory is not for what nobody uses: once none of its members is present it ends after a while,
//! for good. Members who come back before that find it as it was.

use super::Chat;
use super::effect::RoomKey;
use super::limits::INVITE_GRACE_MS;
use super::timers::Timer;

impl Chat {
    /// Lets an invite room end later if nobody is present in it.
    pub(super) fn end_invite_later(&mut self, key: RoomKey) {
        let at_ms = self.out.now.mono_ms + INVITE_GRACE_MS;
        let room = &mut self.rooms[key];
        if !room.is_invite() || room.present > 0 {
            return;
        }
        let live = room.live_mut();
        if live.end_at_ms.is_none() {
            live.end_at_ms = Some(at_ms);
            self.timers.set(at_ms, Timer::End(key));
        }
    }

    /// Lets an invite room go on: somebody is present.
    pub(super) fn keep_invite(&mut self, key: RoomKey) {
        let room = &mut self.rooms[key];
        if room.is_invite()
            && let Some(at_ms) = room.live_mut().end_at_ms.take()
        {
            self.timers.cancel(at_ms, Timer::End(key));
        }
    }

    /// Ends an invite room.
    pub(super) fn end_invite(&mut self, key: RoomKey) {
        let room = &self.rooms[key];
        for (person, _) in room.members.iter() {
            self.people[person].rooms.remove(key);
        }
        self.memory.forget(room.no);
        self.end_room(key);
    }
}
