//! What is to be looked at when: virtual time's alarm clock.
//!
//! Owns the deadlines. Invariant: whoever sets one remembers its moment, and takes it back before setting another or going;
//! so nothing here is ever stale, and there are at most a few for each person and room. Guests who are to be forgotten are
//! in a list of their own: whose turn is next has to be found where there is no place for another, too.

use std::collections::BTreeSet;

use super::effect::RoomKey;
use super::keys::PersonKey;

/// What is due at a moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Timer {
    /// A person whose last session ended a while ago is no longer present.
    Went(PersonKey),
    /// A guest who has been away for long is forgotten.
    Forget(PersonKey),
    /// A room's cursors are announced and stored.
    Cursors(RoomKey),
    /// A room's count of those present is announced.
    Count(RoomKey),
    /// An invite room that has been empty for long ends.
    End(RoomKey),
    /// What nobody waits for, and could not be written, is tried again.
    Chores,
    /// Rooms whose last owner was deleted, when the program ended before they had another, are given one.
    Orphans,
}

/// All deadlines, by their moments on the monotonic clock.
#[derive(Debug, Default)]
pub(super) struct Timers {
    forget: BTreeSet<(u64, PersonKey)>,
    /// All others.
    others: BTreeSet<(u64, Timer)>,
}

impl Timers {
    pub(super) fn set(&mut self, at_ms: u64, timer: Timer) {
        match timer {
            Timer::Forget(guest) => self.forget.insert((at_ms, guest)),
            timer => self.others.insert((at_ms, timer)),
        };
    }

    pub(super) fn cancel(&mut self, at_ms: u64, timer: Timer) {
        match timer {
            Timer::Forget(guest) => self.forget.remove(&(at_ms, guest)),
            timer => self.others.remove(&(at_ms, timer)),
        };
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.first().map(|(at_ms, _)| at_ms)
    }

    /// Takes the first that is due.
    pub(super) fn due(&mut self, now_ms: u64) -> Option<Timer> {
        let (at_ms, timer) = self.first().filter(|(at_ms, _)| *at_ms <= now_ms)?;
        self.cancel(at_ms, timer);
        Some(timer)
    }

    /// Takes the guest who is to be forgotten next, due or not.
    pub(super) fn next_to_forget(&mut self) -> Option<PersonKey> {
        self.forget.pop_first().map(|(_, guest)| guest)
    }

    fn first(&self) -> Option<(u64, Timer)> {
        let forget = self.forget.first().map(|(at_ms, guest)| (*at_ms, Timer::Forget(*guest)));
        forget.into_iter().chain(self.others.first().copied()).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn due_in_order_of_time_and_gone_when_taken_back() {
        let mut timers = Timers::default();
        let [a, b, c] = [1, 2, 3].map(|n| Timer::Cursors(RoomKey(n)));
        timers.set(30, a);
        timers.set(10, b);
        timers.set(20, c);
        timers.cancel(20, c);
        assert_eq!((timers.next_ms(), timers.due(9)), (Some(10), None));
        assert_eq!((timers.due(40), timers.due(40), timers.due(40)), (Some(b), Some(a), None));
    }

    #[test]
    fn who_is_forgotten_next_is_known_among_all_others() {
        let mut timers = Timers::default();
        let [a, b, c] = [1, 2, 3].map(PersonKey);
        timers.set(10, Timer::Chores);
        timers.set(30, Timer::Forget(a));
        timers.set(20, Timer::Forget(b));
        timers.set(15, Timer::Forget(c));
        timers.cancel(15, Timer::Forget(c));
        assert_eq!((timers.next_ms(), timers.next_to_forget()), (Some(10), Some(b)));
        assert_eq!((timers.due(10), timers.due(29)), (Some(Timer::Chores), None));
        assert_eq!((timers.due(30), timers.next_to_forget()), (Some(Timer::Forget(a)), None));
    }
}
