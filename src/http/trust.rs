//! Whose word on where a request comes from is believed.
//!
//! A proxy knows its client's address and passes it on; anybody else could pass on any. So the operator names the peers
//! that are believed, by network. Pure comparison, exact; an IPv4 address mapped to IPv6 (RFC 4291 §2.5.5.2) is the IPv4
//! address.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use core::str::FromStr;

/// The peers that are believed. Default: none.
///
/// ```
/// use wsrelay::http::Trusted;
///
/// let trusted: Trusted = ["10.0.0.0/8", "::1", "unix"].iter().map(|text| text.parse().unwrap()).collect();
/// assert!(trusted.has("10.1.2.3".parse().unwrap()) && trusted.has("::ffff:10.1.2.3".parse().unwrap()));
/// assert!(!trusted.has("192.0.2.1".parse().unwrap()) && trusted.has_unix());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trusted {
    networks: Vec<Network>,
    unix: bool,
}

impl Trusted {
    /// True for an address that is believed.
    pub fn has(&self, address: IpAddr) -> bool {
        self.networks.iter().any(|network| network.has(address))
    }

    /// True if those who come over a Unix socket are believed.
    pub fn has_unix(&self) -> bool {
        self.unix
    }
}

impl FromIterator<Proxy> for Trusted {
    fn from_iter<I: IntoIterator<Item = Proxy>>(proxies: I) -> Self {
        let mut trusted = Self::default();
        for proxy in proxies {
            match proxy {
                Proxy::Network(network) => trusted.networks.push(network),
                Proxy::Unix => trusted.unix = true,
            }
        }
        trusted
    }
}

/// One value of `--trust-proxy`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proxy {
    /// Those at these addresses.
    Network(Network),
    /// Those who come over a Unix socket.
    Unix,
}

impl FromStr for Proxy {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        match text {
            "unix" => Ok(Self::Unix),
            network => network.parse().map(Self::Network),
        }
    }
}

/// The addresses that begin with the same bits (RFC 4632 §3.1, RFC 4291 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix_bits: u8,
}

impl Network {
    /// True for an address within.
    pub fn has(&self, address: IpAddr) -> bool {
        match (self.address, address.to_canonical()) {
            (IpAddr::V4(ours), IpAddr::V4(theirs)) => {
                first_bits_v4(ours, self.prefix_bits) == first_bits_v4(theirs, self.prefix_bits)
            }
            (IpAddr::V6(ours), IpAddr::V6(theirs)) => {
                first_bits_v6(ours, self.prefix_bits) == first_bits_v6(theirs, self.prefix_bits)
            }
            _ => false,
        }
    }

    /// The network that an address counts as one with: an IPv6 host has a /64 to choose addresses from (RFC 4291 §2.5.4).
    pub fn of_one(address: IpAddr) -> IpAddr {
        match address.to_canonical() {
            IpAddr::V4(v4) => IpAddr::V4(v4),
            IpAddr::V6(v6) => IpAddr::V6(first_bits_v6(v6, 64).into()),
        }
    }
}

impl FromStr for Network {
    type Err = NotANetwork;

    fn from_str(text: &str) -> Result<Self, NotANetwork> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| NotANetwork)?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix_bits = match prefix {
            None => longest,
            Some(digits) => decimal(digits).filter(|&bits| bits <= longest).ok_or(NotANetwork)?,
        };
        let network = Self { address: address.to_canonical(), prefix_bits };
        match (address, network.address) {
            // Mapped addresses have the IPv4 address behind 96 bits.
            (IpAddr::V6(_), IpAddr::V4(_)) => match prefix_bits.checked_sub(96) {
                Some(prefix_bits) => Ok(Self { prefix_bits, ..network }),
                None => Err(NotANetwork),
            },
            _ => Ok(network),
        }
    }
}

/// Digits and nothing else, no zero before them: one way to write a number.
pub(super) fn decimal<T: FromStr>(digits: &str) -> Option<T> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let shortest = digits.len() == 1 || !digits.starts_with('0');
    if plain && shortest { digits.parse().ok() } else { None }
}

fn first_bits_v4(address: Ipv4Addr, bits: u8) -> u32 {
    address.to_bits() & u32::MAX.checked_shl(32 - u32::from(bits)).unwrap_or(0)
}

fn first_bits_v6(address: Ipv6Addr, bits: u8) -> u128 {
    address.to_bits() & u128::MAX.checked_shl(128 - u32::from(bits)).unwrap_or(0)
}

/// Text that is neither an address, nor `ADDRESS/BITS`, nor `unix`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotANetwork;

impl core::fmt::Display for NotANetwork {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not a network: write ADDRESS, ADDRESS/BITS or unix")
    }
}

impl core::error::Error for NotANetwork {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_has_the_addresses_that_begin_like_it_and_no_others() {
        for (network, within, outside) in [
            ("192.0.2.7", &["192.0.2.7", "::ffff:192.0.2.7"][..], &["192.0.2.6", "::1"][..]),
            ("10.9.8.7/8", &["10.0.0.0", "10.255.255.255"], &["11.0.0.0", "9.255.255.255"]),
            ("192.0.2.128/25", &["192.0.2.128", "192.0.2.255"], &["192.0.2.127", "192.0.3.128"]),
            ("0.0.0.0/0", &["0.0.0.0", "255.255.255.255"], &["::1", "2001:db8::"]),
            ("2001:db8::/32", &["2001:db8::", "2001:db8:ffff::1"], &["2001:db9::", "32.1.13.184"]),
            ("::1", &["::1"], &["::2", "127.0.0.1"]),
            ("::/0", &["::", "2001:db8::1"], &["192.0.2.1", "::ffff:192.0.2.1"]),
            ("::ffff:10.0.0.0/104", &["10.1.1.1", "::ffff:10.1.1.1"], &["11.1.1.1"]),
            ("fe80::/10", &["febf::1"], &["fec0::1"]),
        ] {
            let parsed: Network = network.parse().unwrap();
            for address in within {
                assert!(parsed.has(address.parse().unwrap()), "{network} has {address}");
            }
            for address in outside {
                assert!(!parsed.has(address.parse().unwrap()), "{network} has not {address}");
            }
        }
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "",
            "/",
            "10.0.0.0/",
            "10.0.0.0/33",
            "10.0.0.0/-1",
            "10.0.0.0/+8",
            "10.0.0.0/08",
            "10.0.0/8",
            "::1/129",
            "10.0.0.0/8/8",
            "10.0.0.0:80",
            "[::1]",
            "::ffff:10.0.0.0/95",
            "localhost",
            "UNIX",
            "*",
            " 10.0.0.1",
        ] {
            assert_eq!(text.parse::<Proxy>(), Err(NotANetwork), "{text:?}");
        }
    }

    #[test]
    fn an_ipv6_hosts_network_counts_as_one() {
        for (address, one) in [
            ("192.0.2.1", "192.0.2.1"),
            ("::ffff:192.0.2.1", "192.0.2.1"),
            ("2001:db8:0:1:2:3:4:5", "2001:db8:0:1::"),
        ] {
            let (address, one): (IpAddr, IpAddr) = (address.parse().unwrap(), one.parse().unwrap());
            assert_eq!(Network::of_one(address), one);
        }
    }
}
