//! Who may come in, how many at once and how fast.
//!
//! Owns what is counted of those who come: how many have not been let in yet, in all and from each address, how many are
//! in from each address, and how often somebody came. What is over a limit is turned away with a status that says why, and
//! a time to come back that differs from one to the next, so that a crowd does not come back as one.
//!
//! A connection is counted when it is known whose it is: one that is made directly, when it is accepted; one that begins
//! with a header of the PROXY protocol, when that is read; one that brings requests of many through a trusted proxy, when
//! one of them opens a WebSocket, for that is when the connection becomes its own.
//!
//! Those who are not let in yet *dawdle* when they have had a moment and have not finished a request. Where there is no
//! room, the one who has dawdled for long makes some: whoever comes with a whole request finds a place, however many hold
//! theirs with half of one.
//!
//! Invariants: a count is at least 1, and an address without connections is forgotten; whoever is in `waiting` and still
//! not let in is there once.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher, RandomState};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use super::client::Client;
use super::conn_map::ConnMap;
use super::ids::ConnId;
use super::throttle::{Allowance, SlowDown, Throttle};
use crate::config::Config;
use crate::http::trust::Network;
use crate::http::{Response, Status};

#[derive(Debug)]
pub(super) struct Door {
    limits: Limits,
    started: Instant,
    /// Connections that are not let in yet.
    pending: usize,
    /// Those, in about the order in which they began to wait, and some who are let in or gone since.
    waiting: VecDeque<ConnId>,
    places: HashMap<IpAddr, Places>,
    /// Which places a connection takes.
    networks: ConnMap<IpAddr>,
    everybody: Option<Throttle<()>>,
    addresses: Option<Throttle<IpAddr>>,
    dice: RandomState,
    thrown: u64,
}

/// How many there may be. Where 0 means any number, it still does.
#[derive(Debug)]
struct Limits {
    connections_per_ip_max: u32,
    pending_max: usize,
    pending_per_ip_max: u32,
}

/// What connections from one address or network there are.
#[derive(Clone, Copy, Debug, Default)]
struct Places {
    all: u32,
    pending: u32,
}

/// Why somebody is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TurnedAway {
    /// There are as many connections as may be.
    Full,
    /// The address has as many as it may.
    AddressFull,
    /// The address has as many without a whole request as it may.
    AddressDawdles,
    /// Too many come at once.
    Crowd(SlowDown),
    /// Too many come at once from this address.
    AddressCrowd(SlowDown),
}

impl TurnedAway {
    fn status(self) -> Status {
        match self {
            Self::Full | Self::Crowd(_) => Status::SERVICE_UNAVAILABLE,
            Self::AddressFull | Self::AddressDawdles | Self::AddressCrowd(_) => {
                Status::TOO_MANY_REQUESTS
            }
        }
    }

    /// One word for it, for programs and for counting.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::AddressFull => "too_many",
            Self::AddressDawdles => "too_many_pending",
            Self::Crowd(_) => "crowd",
            Self::AddressCrowd(_) => "slow_down",
        }
    }

    pub(super) fn message(self) -> &'static str {
        match self {
            Self::Full => "The server has no room for more connections.",
            Self::AddressFull => "Your address has too many connections.",
            Self::AddressDawdles => "Your address has too many connections that ask for nothing.",
            Self::Crowd(_) => "Too many are connecting at once.",
            Self::AddressCrowd(_) => "Your address connects too often.",
        }
    }

    /// After what time it may be otherwise.
    fn after(self) -> Duration {
        match self {
            Self::Full | Self::AddressDawdles => Duration::from_secs(2),
            Self::AddressFull => Duration::from_secs(5),
            Self::Crowd(slow) | Self::AddressCrowd(slow) => slow.after,
        }
    }
}

impl Door {
    pub(super) fn new(config: &Config, now: Instant) -> Self {
        let throttle = |per_second: u32, burst_seconds: u32| Allowance {
            at_once: per_second.saturating_mul(burst_seconds),
            every: Duration::from_secs(1) / per_second.max(1),
        };
        let everybody = throttle(config.connects_per_second, 1);
        let addresses = throttle(config.connects_per_ip_per_second, BURST_SECONDS);
        let half = (config.connections_max / 2).max(1);
        Self {
            limits: Limits {
                connections_per_ip_max: config.connections_per_ip_max,
                pending_max: if config.pending_max == 0 { half } else { config.pending_max },
                pending_per_ip_max: config.pending_per_ip_max,
            },
            started: now,
            pending: 0,
            waiting: VecDeque::new(),
            places: HashMap::new(),
            networks: ConnMap::new(),
            everybody: (everybody.at_once > 0).then(|| Throttle::new(everybody)),
            addresses: (addresses.at_once > 0).then(|| Throttle::new(addresses)),
            dice: RandomState::new(),
            thrown: 0,
        }
    }

    /// Whether one more may come in whose address this is. If so, it is counted as having come.
    ///
    /// # Errors
    /// Why not.
    pub(super) fn admit(&mut self, client: Client, now: Instant) -> Result<(), TurnedAway> {
        let Some(address) = client.address else { return self.admit_to_crowd(now) };
        let network = Network::of_one(address);
        let places = self.places.get(&network).copied().unwrap_or_default();
        if is_full(self.limits.connections_per_ip_max, places.all) {
            return Err(TurnedAway::AddressFull);
        }
        // Whoever comes from this machine itself is a proxy that nobody has called trusted, or the operator: then the
        // address tells nobody from another, and only the limit that somebody has set on purpose holds.
        if !address.is_loopback() {
            if is_full(self.limits.pending_per_ip_max, places.pending) {
                return Err(TurnedAway::AddressDawdles);
            }
            if let Some(addresses) = &mut self.addresses {
                addresses.admit(network, now - self.started).map_err(TurnedAway::AddressCrowd)?;
            }
        }
        self.admit_to_crowd(now)
    }

    fn admit_to_crowd(&mut self, now: Instant) -> Result<(), TurnedAway> {
        let Some(everybody) = &mut self.everybody else { return Ok(()) };
        everybody.admit((), now - self.started).map_err(TurnedAway::Crowd)
    }

    /// False when there are as many who are not let in yet as may be.
    pub(super) fn has_room(&self) -> bool {
        self.pending < self.limits.pending_max
    }

    /// A connection begins, and is not let in yet.
    pub(super) fn begin(&mut self, id: ConnId) {
        self.pending += 1;
        self.waiting.push_back(id);
    }

    /// It is known whose a connection is.
    pub(super) fn name(&mut self, id: ConnId, client: Client, is_pending: bool) {
        let Some(address) = client.address.filter(|address| self.counts(*address)) else { return };
        let network = Network::of_one(address);
        let places = self.places.entry(network).or_default();
        places.all += 1;
        places.pending += u32::from(is_pending);
        self.networks.insert(id, network);
    }

    /// A connection is let in, or given up.
    pub(super) fn end_waiting(&mut self, id: ConnId) {
        self.pending -= 1;
        let Some(network) = self.networks.find(id) else { return };
        self.places.entry(*network).and_modify(|places| places.pending -= 1);
        if self.limits.connections_per_ip_max == 0 {
            self.forget(id);
        }
    }

    /// A connection is gone, or need not be counted any more.
    pub(super) fn forget(&mut self, id: ConnId) {
        let Some(network) = self.networks.remove(id) else { return };
        if let Some(places) = self.places.get_mut(&network) {
            places.all -= 1;
            if places.all == 0 {
                self.places.remove(&network);
            }
        }
    }

    /// One who has waited for long, if there is one: `what` tells how it is with each.
    pub(super) fn dawdler(&mut self, mut what: impl FnMut(ConnId) -> Waiting) -> Option<ConnId> {
        let mut spared = 0;
        while spared < TRIES_MAX.min(self.waiting.len()) {
            let id = self.waiting.pop_front()?;
            match what(id) {
                // Looked at once and not again, so it is no try.
                Waiting::NotAtAll => {}
                Waiting::ForLong => return Some(id),
                Waiting::Shortly => {
                    spared += 1;
                    self.waiting.push_back(id);
                }
            }
        }
        None
    }

    /// Forgets those who do not wait any more, once they are most.
    pub(super) fn tidy(&mut self, mut waits: impl FnMut(ConnId) -> bool) {
        if self.waiting.len() > 2 * self.pending + WAITING_KEPT {
            self.waiting.retain(|id| waits(*id));
            self.waiting.shrink_to(2 * self.waiting.len());
        }
    }

    /// The response that turns somebody away.
    pub(super) fn response(&mut self, why: TurnedAway) -> Response {
        let response = Response::error(why.status(), why.code(), why.message());
        response.header("Retry-After", self.seconds_from(why.after()).to_string()).closing()
    }

    /// When to come back: not before `after`, and not all at once.
    pub(super) fn seconds_from(&mut self, after: Duration) -> u64 {
        self.thrown = self.thrown.wrapping_add(1);
        let least = after.as_secs() + 1;
        least + self.dice.hash_one(self.thrown) % (least + RETRY_SPREAD_SECONDS)
    }

    fn counts(&self, address: IpAddr) -> bool {
        let held_to_pending = self.limits.pending_per_ip_max > 0 && !address.is_loopback();
        self.limits.connections_per_ip_max > 0 || held_to_pending
    }
}

/// How it is with one who is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Waiting {
    /// It is let in, or gone.
    NotAtAll,
    /// It has just begun to.
    Shortly,
    /// It has had its chance.
    ForLong,
}

/// 0 means any number.
fn is_full(most: u32, count: u32) -> bool {
    most > 0 && count >= most
}

/// An address may come as often at once as in so many seconds: an office whose network is back.
const BURST_SECONDS: u32 = 10;

/// Those who are spared while room is sought for one: who has just come is not asked to leave, and looking costs.
const TRIES_MAX: usize = 8;

/// Over how many seconds more those who are turned away are spread, at least.
const RETRY_SPREAD_SECONDS: u64 = 8;

/// Who does not wait any more is not looked for in a list as short as this.
const WAITING_KEPT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::Engine;
    use crate::engine::service::tests::Admits;

    fn door(config: Config) -> (Door, Instant) {
        let now = Instant::now();
        (Door::new(&config, now), now)
    }

    fn at(address: &str) -> Client {
        Client { address: address.parse().ok(), port: None, secure: false }
    }

    fn id(n: usize) -> ConnId {
        ConnId::of_token(mio::Token(1 << 32 | n)).unwrap()
    }

    /// Lets the `n`th connection begin, if it may.
    fn comes(door: &mut Door, n: usize, address: &str, now: Instant) -> Result<(), TurnedAway> {
        door.admit(at(address), now)?;
        door.begin(id(n));
        door.name(id(n), at(address), true);
        Ok(())
    }

    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        let (mut door, now) = door(Config { connections_per_ip_max: 2, ..Config::default() });
        assert!(comes(&mut door, 0, "192.0.2.1", now).is_ok());
        assert!(comes(&mut door, 1, "192.0.2.1", now).is_ok());
        door.end_waiting(id(1));
        for same in ["192.0.2.1", "::ffff:192.0.2.1"] {
            assert_eq!(comes(&mut door, 2, same, now), Err(TurnedAway::AddressFull), "{same}");
        }
        assert!(comes(&mut door, 2, "192.0.2.2", now).is_ok());
        door.end_waiting(id(0));
        door.forget(id(0));
        door.forget(id(0));
        assert!(comes(&mut door, 3, "192.0.2.1", now).is_ok());
        assert_eq!(comes(&mut door, 4, "192.0.2.1", now), Err(TurnedAway::AddressFull));
    }

    #[test]
    fn an_ipv6_network_counts_as_one_and_a_unix_socket_as_nobody() {
        let (mut door, now) = door(Config { connections_per_ip_max: 1, ..Config::default() });
        assert!(comes(&mut door, 0, "2001:db8::1", now).is_ok());
        assert_eq!(comes(&mut door, 1, "2001:db8::2", now), Err(TurnedAway::AddressFull));
        assert!(comes(&mut door, 1, "2001:db8:0:1::2", now).is_ok());
        for n in 2..9 {
            assert!(comes(&mut door, n, "unix", now).is_ok());
        }
    }

    #[test]
    fn who_is_let_in_makes_place_for_another_of_the_same_address() {
        let (mut door, now) = door(Config { pending_per_ip_max: 2, ..Config::default() });
        for n in 0..2 {
            assert!(comes(&mut door, n, "192.0.2.1", now).is_ok());
        }
        assert_eq!(comes(&mut door, 2, "192.0.2.1", now), Err(TurnedAway::AddressDawdles));
        door.end_waiting(id(0));
        assert!(comes(&mut door, 2, "192.0.2.1", now).is_ok());
        for n in 3..9 {
            assert!(comes(&mut door, n, "127.0.0.1", now).is_ok(), "this machine's own");
        }
        for n in (1..9).chain([0]) {
            if n != 0 {
                door.end_waiting(id(n));
            }
            door.forget(id(n));
        }
        assert!(door.places.is_empty() && door.networks.is_empty() && door.pending == 0);
    }

    #[test]
    fn an_address_comes_so_often_and_the_crowd_so_often() {
        let config = Config {
            connects_per_second: 30,
            connects_per_ip_per_second: 1,
            pending_max: 1_000,
            ..Config::default()
        };
        let (mut door, now) = door(config);
        for n in 0..10 {
            assert!(comes(&mut door, n, "192.0.2.1", now).is_ok(), "{n}");
        }
        let slow = comes(&mut door, 10, "192.0.2.1", now);
        let after = Duration::from_secs(1);
        assert_eq!(slow, Err(TurnedAway::AddressCrowd(SlowDown { after })));
        let others =
            (0..40).filter(|n| comes(&mut door, 20 + n, &format!("192.0.3.{n}"), now).is_ok());
        assert_eq!(others.count(), 20, "who was turned away is not counted");
        assert!(matches!(comes(&mut door, 99, "unix", now), Err(TurnedAway::Crowd(_))));
        assert!(comes(&mut door, 99, "192.0.2.1", now + after).is_ok());
    }

    #[test]
    fn when_to_come_back_is_later_than_asked_and_another_for_each() {
        let (mut door, _) = door(Config::default());
        for least in [0, 7] {
            let after = Duration::from_millis(least * 1_000 + 10);
            let all: Vec<u64> = (0..200).map(|_| door.seconds_from(after)).collect();
            assert!(
                all.iter().all(|seconds| (least + 1..=2 * least + 10).contains(seconds)),
                "{all:?}"
            );
            let distinct: std::collections::BTreeSet<_> = all.iter().collect();
            assert!(distinct.len() > 5, "{distinct:?}");
        }
    }

    #[test]
    fn who_has_dawdled_longest_is_found_and_who_has_just_come_is_spared() {
        let (mut door, now) = door(Config { pending_max: 4, ..Config::default() });
        for n in 0..4 {
            assert!(door.has_room());
            assert!(comes(&mut door, n, "192.0.2.1", now).is_ok());
        }
        assert!(!door.has_room());
        assert_eq!(door.dawdler(|_| Waiting::Shortly), None);
        let what = |waiting: ConnId| match waiting {
            gone if gone == id(0) => Waiting::NotAtAll,
            new if new == id(1) => Waiting::Shortly,
            _ => Waiting::ForLong,
        };
        assert_eq!(door.dawdler(what), Some(id(2)));
        assert_eq!(door.dawdler(what), Some(id(3)));
        assert_eq!(door.dawdler(what), None);
        assert_eq!(Vec::from(door.waiting), [id(1)]);
    }

    #[test]
    fn who_dawdles_is_found_behind_any_number_who_wait_no_longer() {
        let (mut door, _) = door(Config::default());
        (0..WAITING_KEPT + 1).for_each(|n| door.begin(id(n)));
        let dawdler = id(WAITING_KEPT);
        let what = |waiting| {
            if waiting == dawdler { Waiting::ForLong } else { Waiting::NotAtAll }
        };
        assert_eq!(door.dawdler(what), Some(dawdler));
        assert!(door.waiting.is_empty());
    }

    #[test]
    fn of_those_who_have_just_come_few_are_looked_at_and_each_once() {
        let (mut door, _) = door(Config::default());
        for come in [3, 20] {
            (0..come).for_each(|n| door.begin(id(n)));
            let mut looked_at = Vec::new();
            let shortly = |waiting| {
                looked_at.push(waiting);
                Waiting::Shortly
            };
            assert_eq!(door.dawdler(shortly), None);
            let few: Vec<ConnId> = (0..come.min(TRIES_MAX)).map(id).collect();
            assert_eq!(looked_at, few);
            door.waiting.clear();
        }
    }

    #[test]
    fn who_goes_without_having_been_let_in_is_forgotten() {
        let mut engine = Engine::new(Config::default()).unwrap();
        let address = engine.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        for n in 1..=WAITING_KEPT as u64 + 20 {
            drop(std::net::TcpStream::connect(address).unwrap());
            while engine.counters.accepted < n || engine.connections() > 0 {
                engine.turn(&mut Admits::Nobody).unwrap();
            }
        }
        assert!(engine.door.waiting.len() <= WAITING_KEPT, "{}", engine.door.waiting.len());
    }

    #[test]
    fn the_list_of_those_who_wait_does_not_grow_with_those_who_have_waited() {
        let (mut door, now) = door(Config { connects_per_ip_per_second: 0, ..Config::default() });
        for n in 0..10_000 {
            assert!(comes(&mut door, n, "192.0.2.1", now).is_ok());
            door.end_waiting(id(n));
            door.tidy(|_| false);
        }
        assert!(door.waiting.len() <= WAITING_KEPT && door.places.is_empty());
    }
}
