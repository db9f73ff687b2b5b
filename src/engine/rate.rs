//! How much each connection asks for in a second, when that is limited.
//!
//! Owns the counts. Seconds are the clock's, not the connection's: across the turn of one, a connection may send twice its
//! share in a moment, and never more than its share on average.

use super::conn_map::ConnMap;
use super::deadline::Tick;
use super::ids::ConnId;

#[derive(Debug)]
pub(super) struct Rates {
    /// 0 means any number, and nothing is counted.
    most: u32,
    counts: ConnMap<Count>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Count {
    second: u32,
    frames: u32,
}

impl Rates {
    pub(super) fn new(most: u32) -> Self {
        Self { most, counts: ConnMap::new() }
    }

    /// Counts one message or control frame; false when it is one too many in this second.
    pub(super) fn admits(&mut self, id: ConnId, now: Tick) -> bool {
        if self.most == 0 {
            return true;
        }
        let second = now.second();
        let frames = match self.counts.find(id) {
            Some(count) if count.second == second => count.frames.saturating_add(1),
            _ => 1,
        };
        self.counts.insert(id, Count { second, frames });
        frames <= self.most
    }

    /// Forgets a connection that has gone.
    pub(super) fn remove(&mut self, id: ConnId) {
        self.counts.remove(id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_connection_has_so_many_frames_in_a_second_and_as_many_in_the_next() {
        let id = |n: usize| ConnId::of_token(mio::Token(1 << 32 | n)).unwrap();
        let mut rates = Rates::new(2);
        let (first, next) = (Tick::default(), Tick::default().after(Duration::from_secs(1)));
        assert!(rates.admits(id(0), first) && rates.admits(id(0), first));
        assert!(!rates.admits(id(0), first));
        assert!(rates.admits(id(1), first), "each for itself");
        assert!(rates.admits(id(0), next));
        let mut unlimited = Rates::new(0);
        assert!((0..1000).all(|_| unlimited.admits(id(0), first)) && unlimited.counts.is_empty());
    }
}
