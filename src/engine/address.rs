//! How many connections each address has, when that is limited.
//!
//! Owns the counts. An IPv6 host has a /64 network to choose addresses from, so the whole /64 counts as one (RFC 4291
//! §2.5.4). Unix sockets have no address and are not counted.
//!
//! Invariant: a count is at least 1; an address without connections is forgotten.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};

use slab::Slab;

use super::conn::{AddressSlot, Peer};

#[derive(Debug, Default)]
pub(super) struct Addresses {
    slots: HashMap<IpAddr, u32>,
    counts: Slab<(IpAddr, u32)>,
}

impl Addresses {
    /// Counts a connection; `None` when its address has `most` already. 0 means any number, uncounted.
    pub(super) fn admit(&mut self, peer: Peer, most: u32) -> Option<AddressSlot> {
        let Peer::Tcp(address) = peer else { return Some(AddressSlot::UNCOUNTED) };
        if most == 0 {
            return Some(AddressSlot::UNCOUNTED);
        }
        let network = network(address.ip());
        let counts = &mut self.counts;
        let slot = *self.slots.entry(network).or_insert_with(|| {
            u32::try_from(counts.insert((network, 0))).expect("fewer addresses than descriptors")
        });
        let (_, count) = &mut self.counts[slot as usize];
        if *count >= most {
            return None;
        }
        *count += 1;
        Some(AddressSlot(slot))
    }

    /// Uncounts a connection that has gone.
    pub(super) fn release(&mut self, slot: AddressSlot) {
        if slot == AddressSlot::UNCOUNTED {
            return;
        }
        let (network, count) = &mut self.counts[slot.0 as usize];
        *count -= 1;
        if *count == 0 {
            self.slots.remove(network);
            self.counts.remove(slot.0 as usize);
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

    #[test]
    fn an_address_has_so_many_connections_and_no_more() {
        let mut addresses = Addresses::default();
        let first = addresses.admit(tcp("192.0.2.1"), 2).unwrap();
        assert!(addresses.admit(tcp("192.0.2.1"), 2).is_some());
        assert_eq!(addresses.admit(tcp("192.0.2.1"), 2), None);
        assert_eq!(
            addresses.admit(tcp("[::ffff:192.0.2.1]"), 2),
            None,
            "the same, mapped into IPv6"
        );
        assert!(addresses.admit(tcp("192.0.2.2"), 2).is_some());
        addresses.release(first);
        assert!(addresses.admit(tcp("192.0.2.1"), 2).is_some());
    }

    #[test]
    fn an_ipv6_network_counts_as_one() {
        let mut addresses = Addresses::default();
        assert!(addresses.admit(tcp("[2001:db8::1]"), 1).is_some());
        assert_eq!(addresses.admit(tcp("[2001:db8::2]"), 1), None);
        assert!(addresses.admit(tcp("[2001:db8:0:1::2]"), 1).is_some());
    }

    #[test]
    fn what_is_not_limited_is_not_counted() {
        let mut addresses = Addresses::default();
        assert_eq!(addresses.admit(tcp("192.0.2.1"), 0), Some(AddressSlot::UNCOUNTED));
        assert_eq!(addresses.admit(Peer::Unix, 1), Some(AddressSlot::UNCOUNTED));
        addresses.release(AddressSlot::UNCOUNTED);
        assert!(addresses.slots.is_empty());
    }
}
