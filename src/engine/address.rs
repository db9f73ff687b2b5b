//! How many connections each address has, when that is limited.
//!
//! Owns the counts. An IPv6 host has a /64 network to choose addresses from, so the whole /64 counts as one (RFC 4291
//! §2.5.4). Unix sockets have no address and are not counted.
//!
//! Invariant: a count is at least 1; an address without connections is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use super::conn::Peer;
use super::conn_map::ConnMap;
use super::ids::ConnId;

#[derive(Debug)]
pub(super) struct Addresses {
    /// 0 means any number, and nothing is counted.
    most: u32,
    counts: HashMap<IpAddr, u32>,
    networks: ConnMap<IpAddr>,
}

impl Addresses {
    pub(super) fn new(most: u32) -> Self {
        Self { most, counts: HashMap::new(), networks: ConnMap::new() }
    }

    /// False when this peer's address has all the connections it may have.
    pub(super) fn has_room_for(&self, peer: Peer) -> bool {
        let count = self.counted(peer).and_then(|network| self.counts.get(&network));
        count.is_none_or(|count| *count < self.most)
    }

    /// Counts a connection.
    pub(super) fn add(&mut self, id: ConnId, peer: Peer) {
        if let Some(network) = self.counted(peer) {
            *self.counts.entry(network).or_default() += 1;
            self.networks.insert(id, network);
        }
    }

    /// Uncounts a connection that has gone.
    pub(super) fn remove(&mut self, id: ConnId) {
        let Some(network) = self.networks.remove(id) else { return };
        if let Some(count) = self.counts.get_mut(&network) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&network);
            }
        }
    }

    fn counted(&self, peer: Peer) -> Option<IpAddr> {
        match peer {
            Peer::Tcp(address) if self.most > 0 => Some(network(address.ip())),
            Peer::Tcp(_) | Peer::Unix => None,
        }
    }
}

fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(v4) => IpAddr::V4(v4),
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & (u128::MAX << 64))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(address: &str) -> Peer {
        Peer::Tcp(format!("{address}:9").parse().unwrap())
    }

    fn id(n: usize) -> ConnId {
        ConnId::of_token(mio::Token(1 << 32 | n)).unwrap()
    }

    /// Lets the `n`th connection in if there is room.
    fn admit(addresses: &mut Addresses, n: usize, peer: Peer) -> bool {
        let has_room = addresses.has_room_for(peer);
        if has_room {
            addresses.add(id(n), peer);
        }
        has_room
    }

    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        let mut addresses = Addresses::new(2);
        assert!(admit(&mut addresses, 0, tcp("192.0.2.1")));
        assert!(admit(&mut addresses, 1, tcp("192.0.2.1")));
        assert!(!admit(&mut addresses, 2, tcp("192.0.2.1")));
        assert!(!admit(&mut addresses, 2, tcp("[::ffff:192.0.2.1]")), "the same, mapped to IPv6");
        assert!(admit(&mut addresses, 2, tcp("192.0.2.2")));
        addresses.remove(id(0));
        addresses.remove(id(0));
        assert!(admit(&mut addresses, 3, tcp("192.0.2.1")));
        assert!(!admit(&mut addresses, 4, tcp("192.0.2.1")));
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let mut addresses = Addresses::new(1);
        assert!(admit(&mut addresses, 0, tcp("[2001:db8::1]")));
        assert!(!admit(&mut addresses, 1, tcp("[2001:db8::2]")));
        assert!(admit(&mut addresses, 1, tcp("[2001:db8:0:1::2]")));
    }

    #[test]
    fn what_is_not_limited_is_not_counted() {
        let mut unlimited = Addresses::new(0);
        assert!(admit(&mut unlimited, 0, tcp("192.0.2.1")));
        let mut limited = Addresses::new(1);
        assert!(admit(&mut limited, 0, Peer::Unix) && admit(&mut limited, 1, Peer::Unix));
        assert!(unlimited.counts.is_empty() && limited.counts.is_empty());
    }
}
