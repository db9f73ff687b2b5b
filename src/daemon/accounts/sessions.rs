//! The log-ins that are open: by what token each is known, and whose it is.
//!
//! Invariant: both maps have the same log-ins. A person's are found together and in the order of their numbers.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::chat::{PersonId, UnixMs};
use crate::daemon::tokens::TokenDigest;
use crate::store::{SessionNo, StoredSession};

/// All open log-ins.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    by_token: HashMap<TokenDigest, LogIn>,
    all: BTreeMap<LogIn, Session>,
}

/// Names one log-in of one account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::daemon) struct LogIn {
    /// Whose.
    pub(in crate::daemon) person: PersonId,
    /// Which.
    pub(in crate::daemon) no: SessionNo,
}

/// What is known of a log-in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::daemon) struct Session {
    pub(super) token: TokenDigest,
    /// When it was opened.
    pub(in crate::daemon) created: UnixMs,
    /// When its token was last shown, or the last connection that came in by it went.
    pub(in crate::daemon) last_used: UnixMs,
    /// What the store has of that: to the day.
    stored_use: UnixMs,
    /// Connections that came in by it and have not gone.
    connections: u32,
    /// What its owner knows it by.
    pub(in crate::daemon) label: Arc<str>,
}

impl Sessions {
    pub(super) fn insert(&mut self, log_in: LogIn, session: Session) {
        self.by_token.insert(session.token, log_in);
        self.all.insert(log_in, session);
    }

    pub(super) fn by_token(&mut self, token: TokenDigest) -> Option<(LogIn, &mut Session)> {
        let log_in = *self.by_token.get(&token)?;
        self.all.get_mut(&log_in).map(|session| (log_in, session))
    }

    pub(super) fn find_mut(&mut self, log_in: LogIn) -> Option<&mut Session> {
        self.all.get_mut(&log_in)
    }

    pub(super) fn has(&self, log_in: LogIn) -> bool {
        self.all.contains_key(&log_in)
    }

    /// A person's, oldest first.
    pub(super) fn of(&self, person: PersonId) -> impl Iterator<Item = (SessionNo, &Session)> {
        let [first, last] = [0, u64::MAX].map(|no| LogIn { person, no: SessionNo(no) });
        self.all.range(first..=last).map(|(log_in, session)| (log_in.no, session))
    }

    /// The one to give way to a new one when a person has more than `most`: the longest unused, and one that somebody is
    /// connected by only if there is no other.
    pub(super) fn surplus(&self, new: LogIn, most: usize) -> Option<LogIn> {
        let person = new.person;
        if self.of(person).count() <= most {
            return None;
        }
        let others = self.of(person).filter(|(no, _)| *no != new.no);
        let unused =
            others.min_by_key(|(no, session)| (session.connections > 0, session.last_used, *no));
        unused.map(|(no, _)| LogIn { person, no })
    }

    /// False if it was gone already.
    pub(super) fn remove(&mut self, log_in: LogIn) -> bool {
        let Some(session) = self.all.remove(&log_in) else { return false };
        self.by_token.remove(&session.token);
        true
    }
}

impl Session {
    /// One that is opened now.
    pub(super) fn new(token: TokenDigest, now: UnixMs, label: Arc<str>) -> Self {
        let (created, last_used, stored_use) = (now, now, now);
        Self { token, created, last_used, stored_use, connections: 0, label }
    }

    pub(super) fn stored(stored: &StoredSession) -> Self {
        Self {
            token: TokenDigest(stored.token_sha256),
            created: stored.created,
            last_used: stored.last_used,
            stored_use: stored.last_used,
            connections: 0,
            label: stored.label.clone(),
        }
    }

    /// True when it was not used for so long that its token no longer counts. Who is connected by it uses it.
    pub(super) fn is_over(&self, now: UnixMs) -> bool {
        self.connections == 0 && now.0.saturating_sub(self.last_used.0) >= UNUSED_MS_MAX
    }

    /// Notes that it was used; true when that is to be stored. To the day: a write for each request would cost more than it
    /// tells.
    pub(super) fn touch(&mut self, now: UnixMs) -> bool {
        self.last_used = self.last_used.max(now);
        let is_news = now.0.saturating_sub(self.stored_use.0) >= TOUCH_EVERY_MS;
        if is_news {
            self.stored_use = now;
        }
        is_news
    }

    /// A connection came in by it.
    pub(super) fn came(&mut self) {
        self.connections += 1;
    }

    /// And has gone.
    pub(super) fn went(&mut self) {
        self.connections -= 1;
    }
}

/// A log-in ends by itself when it was not used for this long: 90 days, as the cookie does.
pub(in crate::daemon) const UNUSED_MS_MAX: u64 = 90 * DAY_MS;
const TOUCH_EVERY_MS: u64 = DAY_MS;
const DAY_MS: u64 = 24 * 3_600 * 1_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn log_in(person: u64, no: u64) -> LogIn {
        LogIn { person: PersonId(person), no: SessionNo(no) }
    }

    fn session(token: u8, last_used: u64) -> Session {
        Session::new(TokenDigest([token; 32]), UnixMs(last_used), "x".into())
    }

    #[test]
    fn a_log_in_is_found_by_its_token_and_its_person_until_it_is_removed() {
        let mut sessions = Sessions::default();
        for (person, no, token) in [(1, 7, 1), (2, 8, 2), (1, 9, 3)] {
            sessions.insert(log_in(person, no), session(token, 0));
        }
        let of_1: Vec<_> = sessions.of(PersonId(1)).map(|(no, _)| no.0).collect();
        assert_eq!(of_1, [7, 9]);
        let found = |sessions: &mut Sessions| {
            sessions.by_token(TokenDigest([3; 32])).map(|(found, _)| found)
        };
        assert_eq!(found(&mut sessions), Some(log_in(1, 9)));
        assert!(sessions.remove(log_in(1, 9)) && !sessions.remove(log_in(1, 9)));
        assert_eq!(found(&mut sessions), None);
        assert!(!sessions.remove(log_in(2, 7)), "another's");
    }

    #[test]
    fn the_longest_unused_gives_way_unless_somebody_is_connected_by_it() {
        let mut sessions = Sessions::default();
        for (no, last_used) in [(1, 50), (2, 20), (3, 20), (4, 60)] {
            sessions.insert(log_in(1, no), session(u8::try_from(no).unwrap(), last_used));
        }
        let new = log_in(1, 4);
        assert_eq!(sessions.surplus(new, 4), None);
        for expected in [2, 3, 1] {
            assert_eq!(sessions.surplus(new, 3), Some(log_in(1, expected)));
            sessions.find_mut(log_in(1, expected)).unwrap().came();
        }
        assert_eq!(sessions.surplus(new, 3), Some(log_in(1, 2)), "never the new one");
        sessions.find_mut(log_in(1, 1)).unwrap().went();
        assert_eq!(sessions.surplus(new, 3), Some(log_in(1, 1)));
    }

    #[test]
    fn a_log_in_is_over_after_90_days_without_use_and_stored_once_a_day() {
        let mut session = session(1, 1_000);
        assert!(!session.is_over(UnixMs(1_000 + UNUSED_MS_MAX - 1)));
        assert!(session.is_over(UnixMs(1_000 + UNUSED_MS_MAX)));
        assert!(!session.touch(UnixMs(0)), "a clock that went back");
        assert!(!session.touch(UnixMs(1_000 + DAY_MS - 1)));
        assert!(session.touch(UnixMs(1_000 + DAY_MS)));
        assert!(!session.touch(UnixMs(1_000 + DAY_MS)));
        assert!(!session.touch(UnixMs(1_000 + DAY_MS + 5)));
        assert!(!session.is_over(UnixMs(1_000 + DAY_MS + 5 + UNUSED_MS_MAX - 1)), "to the moment");
        let later = UnixMs(1_000 + DAY_MS + 5 + UNUSED_MS_MAX);
        assert!(session.is_over(later));
        session.came();
        assert!(!session.is_over(later));
        session.went();
        assert!(session.is_over(later));
    }
}
