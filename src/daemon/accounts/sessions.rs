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
    /// When its token was last shown, to the day.
    pub(in crate::daemon) last_used: UnixMs,
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

    /// The one to give way when a person has more than `most`: the longest unused.
    pub(super) fn surplus(&self, person: PersonId, most: usize) -> Option<LogIn> {
        if self.of(person).count() <= most {
            return None;
        }
        let unused = self.of(person).min_by_key(|(no, session)| (session.last_used, *no));
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
    pub(super) fn stored(stored: &StoredSession) -> Self {
        Self {
            token: TokenDigest(stored.token_sha256),
            created: stored.created,
            last_used: stored.last_used,
            label: stored.label.clone(),
        }
    }

    /// True when it was not used for so long that its token no longer counts.
    pub(super) fn is_over(&self, now: UnixMs) -> bool {
        now.0.saturating_sub(self.last_used.0) >= UNUSED_MS_MAX
    }

    /// Notes that the token was shown; true when that is to be stored. To the day: a write for each request would cost more
    /// than it tells.
    pub(super) fn touch(&mut self, now: UnixMs) -> bool {
        let is_news = now.0.saturating_sub(self.last_used.0) >= TOUCH_EVERY_MS;
        if is_news {
            self.last_used = now;
        }
        is_news
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
        let token = TokenDigest([token; 32]);
        Session { token, created: UnixMs(0), last_used: UnixMs(last_used), label: "x".into() }
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
    fn the_longest_unused_gives_way() {
        let mut sessions = Sessions::default();
        for (no, last_used) in [(1, 50), (2, 20), (3, 20), (4, 60)] {
            sessions.insert(log_in(1, no), session(u8::try_from(no).unwrap(), last_used));
        }
        assert_eq!(sessions.surplus(PersonId(1), 4), None);
        assert_eq!(sessions.surplus(PersonId(1), 3), Some(log_in(1, 2)));
    }

    #[test]
    fn a_log_in_is_over_after_90_days_without_use_and_touched_once_a_day() {
        let mut session = session(1, 1_000);
        assert!(!session.is_over(UnixMs(1_000 + UNUSED_MS_MAX - 1)));
        assert!(session.is_over(UnixMs(1_000 + UNUSED_MS_MAX)));
        assert!(!session.touch(UnixMs(0)), "a clock that went back");
        assert!(!session.touch(UnixMs(1_000 + DAY_MS - 1)));
        assert!(session.touch(UnixMs(1_000 + DAY_MS)));
        assert!(!session.touch(UnixMs(1_000 + DAY_MS)));
        assert!(!session.is_over(UnixMs(1_000 + UNUSED_MS_MAX)));
    }
}
