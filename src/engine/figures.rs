//! What the loop counts of itself, for whoever watches it from outside.
//!
//! Owns plain integers that only the loop's thread touches: counted once for a read, a turn or a publication, and never for a
//! delivery alone. It knows neither names nor formats of metrics: a service is handed [`Figures`] and writes them down.
//!
//! Invariant: every key that something is counted under comes from a closed set, never from a peer's bytes, so that no
//! stranger makes these grow.

use super::Engine;
use super::conn::Phase;
use super::ending::Ending;
use crate::Histogram;
use crate::ws::Refusal;

/// What an engine has counted and what it holds, at one moment. See [`Actions::ask_figures`](super::Actions::ask_figures).
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Since the engine was made.
    pub counters: Counters,
    /// Connections that make requests and have not been upgraded.
    pub http: u64,
    /// WebSocket connections that the service may send to.
    pub open: u64,
    /// Connections in a closing handshake, or that wait for the peer to end its direction.
    pub closing: u64,
    /// Bytes that wait to be sent, what many wait for counted for each of them.
    pub outbox_bytes: u64,
    /// Bytes that peers have begun and not finished.
    pub unfinished_bytes: u64,
}

/// What only grows.
#[derive(Clone, Debug, Default)]
pub struct Counters {
    /// Connections let in.
    pub accepted: u64,
    /// Connections turned away before anything was read of them, by the error code they were told.
    pub turned_away: Tally<&'static str>,
    /// Responses to requests that were no handshake, or a refused one, by status.
    pub responses: Tally<u16>,
    /// Handshakes granted.
    pub handshakes: u64,
    /// Handshakes refused, by the rule they broke, or by the status with which the service refused.
    pub handshakes_refused: Tally<&'static str>,
    /// Connections that were open and are no longer, by how they ended.
    pub closes: Tally<Close>,
    /// Bytes read from sockets.
    pub received_bytes: u64,
    /// Bytes that sockets took.
    pub sent_bytes: u64,
    /// Messages that came.
    pub messages: u64,
    /// Frames for one connection alone.
    pub sends: u64,
    /// Frames for the members of an audience.
    pub publications: u64,
    /// Publications times those they were for.
    pub deliveries: u64,
    /// How long turns of the loop took, from the end of their wait on: what somebody who is ready may have to wait.
    pub turns: Histogram,
}

/// How a connection ended, as far as it is counted: a few dozen values, whatever peers send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Close {
    /// `peer`, `server`, `fault` (the peer broke a rule), `lost` or `silent`.
    pub by: &'static str,
    /// The close code. 1005 when the peer gave none, 1006 when there was no closing handshake (RFC 6455 §7.4.1). Of the
    /// codes 3000–4999 that a peer may choose from, 3000.
    pub code: u16,
}

impl From<Ending> for Close {
    fn from(ending: Ending) -> Self {
        let (by, code) = match ending {
            Ending::ByPeer(None) => ("peer", 1005),
            Ending::ByPeer(Some(code)) => ("peer", code.value().min(3000)),
            Ending::ByServer(code) => ("server", code.value()),
            Ending::Failed(fault) => ("fault", fault.close_code().value()),
            Ending::Lost => ("lost", 1006),
            Ending::Silent => ("silent", 1006),
        };
        Self { by, code }
    }
}

/// Counts by key, for the few keys of a closed set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tally<K>(Vec<(K, u64)>);

impl<K: PartialEq + Copy> Tally<K> {
    /// Counts one more.
    pub fn add(&mut self, key: K) {
        match self.0.iter_mut().find(|(known, _)| *known == key) {
            Some((_, count)) => *count += 1,
            None => self.0.push((key, 1)),
        }
    }

    /// How many of this key there were.
    pub fn get(&self, key: K) -> u64 {
        self.0.iter().find(|(known, _)| *known == key).map_or(0, |(_, count)| *count)
    }

    /// What has been counted, in the order in which keys first came.
    pub fn iter(&self) -> impl Iterator<Item = (K, u64)> {
        self.0.iter().copied()
    }
}

impl<K> Default for Tally<K> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl Engine {
    /// All figures as of now. Looks at every connection once.
    pub(super) fn figures(&self) -> Figures {
        let mut figures = Figures {
            counters: self.counters.clone(),
            unfinished_bytes: self.unfinished.bytes() as u64,
            ..Figures::default()
        };
        figures.counters.publications = self.audiences.publications();
        figures.counters.deliveries = self.audiences.deliveries();
        for conn in self.slots.iter() {
            figures.outbox_bytes += conn.outbox_bytes() as u64;
            match conn.phase {
                Phase::Http(_) => figures.http += 1,
                Phase::Open(_) if conn.is_open() => figures.open += 1,
                Phase::Open(_) | Phase::Lingering { .. } => figures.closing += 1,
                Phase::Dead => {}
            }
        }
        figures
    }
}

/// A word for the rule that a handshake broke.
pub(super) fn reason(refusal: Refusal) -> &'static str {
    match refusal {
        Refusal::HttpVersion => "http_version",
        Refusal::Method => "method",
        Refusal::Upgrade => "upgrade",
        Refusal::Connection => "connection",
        Refusal::Version | Refusal::VersionDuplicate => "version",
        Refusal::KeyMissing | Refusal::KeyDuplicate | Refusal::Key => "key",
        Refusal::Origin | Refusal::OriginMalformed => "origin",
        Refusal::Subprotocols | Refusal::TooManySubprotocols => "subprotocols",
        Refusal::Extensions => "extensions",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::CloseCode;

    #[test]
    fn whatever_code_a_peer_closes_with_there_are_few_to_count() {
        let mut closes = Tally::default();
        for code in (0..=u16::MAX).filter_map(CloseCode::new) {
            closes.add(Close::from(Ending::ByPeer(Some(code))));
        }
        assert_eq!(closes.iter().count(), 13);
        assert_eq!(closes.iter().last(), Some((Close { by: "peer", code: 3000 }, 2_000)));
    }
}
