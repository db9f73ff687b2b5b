//! The end of an engine: from the wish to stop until nobody is connected.
//!
//! Owns the order in which connections are told to go, and when it is over.
//!
//! ```text
//!   No ──drain──► Telling ──all WebSockets are told──► Leaving ──all have gone, or have had their time──► run returns
//! ```
//!
//! While *telling*, requests are answered as ever, though each connection closes behind its answer, and handshakes are
//! refused: whoever asks whether this server is well must be told that it goes. *Leaving*, nobody is accepted any more, and
//! what is under way may end.
//!
//! Where a successor has the listening sockets as well, those who are at the door are its own. Those who have come in and not
//! asked yet cannot be given to it; so that not one attempt fails, they are let in, and told to come back.

use std::cmp::Reverse;
use std::time::{Duration, Instant};

use super::Engine;
use super::conn::{Http, HttpTurn, Phase};
use super::ending::{Cause, Ending};
use super::ids::ConnId;
use super::service::Service;
use crate::http::{Response, Status};

/// How far the end has come.
#[derive(Debug)]
pub(super) enum Drain {
    No,
    Telling {
        /// Who is to be told, and when; the first is the last in the list.
        left: Vec<(Instant, ConnId)>,
        /// Until when those who have said nothing yet are waited for.
        newcomers_until: Instant,
        /// There is a successor.
        succeeded: bool,
    },
    /// Until when those who are left may take.
    Leaving(Instant),
}

impl Drain {
    pub(super) fn is_on(&self) -> bool {
        !matches!(self, Drain::No)
    }

    /// Whether handshakes are refused.
    pub(super) fn refuses(&self) -> bool {
        !matches!(self, Drain::No | Drain::Telling { succeeded: true, .. })
    }

    /// Whether nobody is to ask for anything more.
    pub(super) fn is_leaving(&self) -> bool {
        matches!(self, Drain::Leaving(_))
    }

    /// When there is something to do.
    pub(super) fn next(&self) -> Option<Instant> {
        match self {
            Drain::No => None,
            Drain::Telling { left, newcomers_until, .. } => {
                Some(left.last().map_or(*newcomers_until, |(at, _)| *at))
            }
            Drain::Leaving(until) => Some(*until),
        }
    }

    /// Puts somebody who was let in meanwhile before all others.
    pub(super) fn tell_now(&mut self, id: ConnId, now: Instant) {
        if let Drain::Telling { left, .. } = self {
            left.push((now, id));
        }
    }
}

impl Engine {
    /// Begins the end, or hurries it.
    pub(super) fn drain(&mut self, over: Duration, seed: u64, service: &mut impl Service) {
        if matches!(self.drain, Drain::Leaving(_)) {
            return;
        }
        let was_succeeded = matches!(self.drain, Drain::Telling { succeeded: true, .. });
        let ids = self.slots.iter().filter(|conn| conn.is_open()).map(|conn| conn.id);
        let mut left: Vec<_> =
            ids.map(|id| (self.now + over.mul_f64(fraction(seed, id)), id)).collect();
        left.sort_unstable_by_key(|(at, _)| Reverse(*at));
        self.drain = Drain::Telling {
            left,
            newcomers_until: self.now + NEWCOMERS_ASK_WITHIN,
            succeeded: self.listeners.close_shared() || was_succeeded,
        };
        self.go_on_draining(service);
    }

    /// Tells those whose moment has come.
    pub(super) fn go_on_draining(&mut self, service: &mut impl Service) {
        while let Drain::Telling { left, newcomers_until, .. } = &mut self.drain {
            let Some(&(at, id)) = left.last() else {
                if *newcomers_until <= self.now || !self.has_newcomers() {
                    self.leave();
                }
                return;
            };
            let is_open = self.slots.find(id).is_some_and(|conn| conn.is_open());
            if is_open && self.now < at {
                return;
            }
            left.pop();
            if is_open {
                let code = service.close_code(id, Cause::Drain);
                self.close(id, code, "the server is going away");
            }
        }
    }

    /// True while somebody has come in and not asked for anything yet.
    fn has_newcomers(&self) -> bool {
        let is_new = |http: &Http| matches!(http.turn, HttpTurn::First | HttpTurn::Preface(_));
        self.slots.iter().any(|conn| matches!(&conn.phase, Phase::Http(http) if is_new(http)))
    }

    /// All are told: lets nobody in any more, and ends what has no request under way. Who takes an answer still is ended
    /// behind it.
    fn leave(&mut self) {
        self.drain = Drain::Leaving(self.now + self.config.waits.close * 2);
        self.listeners.close();
        for id in self.slots.ids() {
            let Some(conn) = self.slots.find(id) else { continue };
            if let Phase::Http(http) = &conn.phase
                && http.is_waiting()
                && conn.outbox_bytes() == 0
                && !conn.flags.unread
            {
                self.kill(id, Ending::Lost);
            }
        }
    }

    pub(super) fn is_drained(&self) -> bool {
        match self.drain {
            Drain::Leaving(until) => self.slots.len() == 0 || until <= self.now,
            Drain::No | Drain::Telling { .. } => false,
        }
    }
}

/// The answer to a handshake that comes too late.
pub(super) fn refusal(retry_after_seconds: u64) -> Response {
    Response::error(Status::SERVICE_UNAVAILABLE, "draining", "The server is about to end.")
        .header("Retry-After", retry_after_seconds.to_string())
}

/// Who has connected has also asked after a round trip; who has not by then was only warming up the connection.
const NEWCOMERS_ASK_WITHIN: Duration = Duration::from_millis(500);

/// A number from 0 up to 1 that looks random: the mixer of `SplitMix64` (Steele, Lea and Flood, 2014).
fn fraction(seed: u64, id: ConnId) -> f64 {
    let mut bits = seed.wrapping_add(id.to_bits().wrapping_mul(0x9e37_79b9_7f4a_7c15));
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^= bits >> 31;
    f64::from(u32::try_from(bits >> 32).expect("the upper half")) / 2f64.powi(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_spread_evenly_over_the_time_and_differ_by_seed() {
        let mut tenths = [0; 10];
        for bits in 1..=10_000 {
            let at = fraction(7, ConnId::from_bits(bits << 32 | bits));
            let tenth = (0..10).find(|tenth| at < f64::from(tenth + 1) / 10.0);
            tenths[tenth.expect("below 1") as usize] += 1;
        }
        assert!(tenths.iter().all(|count| (800..1_200).contains(count)), "{tenths:?}");
        let id = ConnId::from_bits(1 << 32);
        assert!((fraction(1, id) - fraction(2, id)).abs() > f64::EPSILON);
    }
}
