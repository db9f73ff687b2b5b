//! The PROXY protocol, versions 1 and 2: how a proxy that only forwards bytes says whose they are
//! (<https://www.haproxy.org/download/3.2/doc/proxy-protocol.txt>, of which the § are).
//!
//! A connection begins with one header and then carries what the client sends. It must be read exactly: the byte behind it
//! is the client's. It is read only from peers that are [`Trusted`](super::Trusted), from whom a connection must begin with
//! it (§2: the receiver "MUST not try to guess").
//!
//! ```text
//! version 1   PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n            at most 107 bytes
//! version 2   signature:12  version:4 command:4  family:4 transport:4  length:16  addresses  (type:8 length:16 value)*
//! ```
//!
//! Strict: one way to write a number, no family but those that can reach us, a length that fits what it measures, and
//! values (TLVs, §2.2) that fill the rest exactly. Of them only "the client came over TLS" is looked at.
//!
//! Invariants: takes no byte past the header; how the input was cut changes neither the outcome nor the byte at which it is
//! found; owns what was received of the header, never what was promised.

use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::Fault;
use super::trust::decimal;

/// Who is behind a proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Source {
    /// Address and port of the client; `None` where the proxy speaks for itself, as when it checks that we are there, or
    /// cannot tell: then the peer's own are as far as one can see.
    pub address: Option<(IpAddr, u16)>,
    /// That the client came over TLS, and the proxy ends it.
    pub secure: bool,
}

/// The longest header that is read. Addresses take 232 bytes (§2.2), and what proxies add to them some hundred: names,
/// sums, the ends of VPNs. Certificates are of no use here.
pub const HEADER_BYTES_MAX: usize = 1024;

/// The longest header of version 1, CRLF included (§2.1).
const LINE_BYTES_MAX: usize = 107;

const SIGNATURE: &[u8; 12] = b"\r\n\r\n\0\r\nQUIT\n";
/// Up to the length.
const FIXED_BYTES: usize = 16;

/// Reads the header of one connection.
///
/// ```
/// use wsrelay::http::proxy::HeaderReader;
///
/// let mut reader = HeaderReader::default();
/// let mut input = &b"PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\nGET /"[..];
/// let source = reader.next(&mut input).unwrap().unwrap();
/// assert_eq!(source.address, Some(("192.0.2.1".parse().unwrap(), 56324)));
/// assert_eq!(input, b"GET /");
/// ```
#[derive(Debug, Default)]
pub struct HeaderReader {
    held: Vec<u8>,
}

impl HeaderReader {
    /// Takes the header off the front of `input`, and not a byte more. `None`: all of `input` was taken, and more is needed.
    /// Call until it returns `Some`, and not again.
    ///
    /// # Errors
    /// [`Fault::Proxy`] at the first byte with which this can be no header; answer and close.
    pub fn next(&mut self, input: &mut &[u8]) -> Result<Option<Source>, Fault> {
        // What is left to take is known piece by piece: a kind, then its length. Each is taken whole, and none is long.
        loop {
            let more = match Progress::of(&self.held)? {
                Progress::Whole(source) => return Ok(Some(source)),
                Progress::Needs(more) => more,
            };
            if input.is_empty() {
                return Ok(None);
            }
            let (taken, rest) = input.split_at(more.min(input.len()));
            self.held.extend_from_slice(taken);
            *input = rest;
        }
    }

    /// Heap bytes now owned.
    pub fn held_bytes(&self) -> usize {
        self.held.capacity()
    }
}

/// How far a header has come.
enum Progress {
    Whole(Source),
    /// At least so many bytes are missing.
    Needs(usize),
}

impl Progress {
    fn of(held: &[u8]) -> Result<Self, Fault> {
        match held.first() {
            None => Ok(Self::Needs(1)),
            Some(b'P') => Self::of_line(held),
            Some(_) => Self::of_binary(held),
        }
    }

    /// Version 1: byte by byte, since nothing tells where it ends but its end.
    fn of_line(held: &[u8]) -> Result<Self, Fault> {
        const START: &[u8] = b"PROXY ";
        let known = held.len().min(START.len());
        if held[..known] != START[..known] {
            return Err(Fault::Proxy);
        }
        if held.ends_with(b"\n") {
            let line = held.strip_suffix(b"\r\n").ok_or(Fault::Proxy)?;
            let address = line_address(line.get(START.len()..).ok_or(Fault::Proxy)?)?;
            return Ok(Self::Whole(Source { address, secure: false }));
        }
        let is_plain = held.last().is_some_and(|byte| matches!(byte, b' '..=b'~' | b'\r'));
        let is_ended = held.len() >= 2 && held[held.len() - 2] == b'\r';
        match is_plain && !is_ended && held.len() < LINE_BYTES_MAX {
            true => Ok(Self::Needs(1)),
            false => Err(Fault::Proxy),
        }
    }

    /// Version 2.
    fn of_binary(held: &[u8]) -> Result<Self, Fault> {
        let known = held.len().min(SIGNATURE.len());
        if held[..known] != SIGNATURE[..known] {
            return Err(Fault::Proxy);
        }
        // Byte by byte up to here, so that who is no proxy is found out at the first wrong one.
        let [version_and_command, kind, high, low] = match held.get(SIGNATURE.len()..) {
            Some(&[a, b, c, d, ..]) => [a, b, c, d],
            Some(&[version, ..]) if !matches!(version, 0x20 | 0x21) => return Err(Fault::Proxy),
            _ => return Ok(Self::Needs(1)),
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        let command = match version_and_command {
            0x20 => Command::Local,
            0x21 => Command::Proxy,
            _ => return Err(Fault::Proxy),
        };
        if FIXED_BYTES + length > HEADER_BYTES_MAX {
            return Err(Fault::Proxy);
        }
        match (FIXED_BYTES + length)
            .checked_sub(held.len())
            .expect("never more than is needed is held")
        {
            0 => binary_source(command, kind, &held[FIXED_BYTES..])
                .map(Self::Whole)
                .ok_or(Fault::Proxy),
            missing => Ok(Self::Needs(missing)),
        }
    }
}

enum Command {
    /// The proxy speaks for itself.
    Local,
    Proxy,
}

/// What stands behind `PROXY ` in version 1.
fn line_address(line: &[u8]) -> Result<Option<(IpAddr, u16)>, Fault> {
    let line = str::from_utf8(line).map_err(|_| Fault::Proxy)?;
    // §2.1: "the receiver must ignore anything presented before the CRLF is found".
    if line == "UNKNOWN" || line.starts_with("UNKNOWN ") {
        return Ok(None);
    }
    tcp_address(line).map(Some).ok_or(Fault::Proxy)
}

/// `FAMILY SOURCE DESTINATION SOURCE-PORT DESTINATION-PORT`, one space between.
fn tcp_address(line: &str) -> Option<(IpAddr, u16)> {
    let mut words = line.split(' ');
    let family = words.next()?;
    let mut address = || -> Option<IpAddr> {
        let word = words.next()?;
        match family {
            "TCP4" => Some(IpAddr::V4(word.parse::<Ipv4Addr>().ok()?)),
            "TCP6" => Some(IpAddr::V6(word.parse::<Ipv6Addr>().ok()?)),
            _ => None,
        }
    };
    let (source, _destination) = (address()?, address()?);
    let (port, _) = (decimal(words.next()?)?, decimal::<u16>(words.next()?)?);
    words.next().is_none().then_some((source.to_canonical(), port))
}

/// What the addresses and values of version 2 say. `None`: nothing that may be said.
fn binary_source(command: Command, kind: u8, rest: &[u8]) -> Option<Source> {
    // §2.2: of LOCAL, "the receiver [...] must discard the protocol block including the family which is ignored".
    if matches!(command, Command::Local) {
        return Some(Source { address: None, secure: false });
    }
    let (address, values) = match kind {
        // Whoever the proxy does not know.
        0x00 => (None, rest),
        // IPv4, IPv6 and Unix, each as a stream.
        0x11 => {
            let (block, values) = rest.split_at_checked(12)?;
            let address: [u8; 4] = block[..4].try_into().ok()?;
            (Some((IpAddr::from(address), port(&block[8..]))), values)
        }
        0x21 => {
            let (block, values) = rest.split_at_checked(36)?;
            let address: [u8; 16] = block[..16].try_into().ok()?;
            (Some((IpAddr::from(address).to_canonical(), port(&block[32..]))), values)
        }
        0x31 => (None, rest.split_at_checked(216)?.1),
        _ => return None,
    };
    Some(Source { address, secure: is_over_tls(values)? })
}

fn port(bytes: &[u8]) -> u16 {
    u16::from_be_bytes([bytes[0], bytes[1]])
}

/// Whether the values say that the client came over TLS (§2.2.6). `None`: they do not fill their place exactly.
fn is_over_tls(mut values: &[u8]) -> Option<bool> {
    let mut secure = false;
    while !values.is_empty() {
        let [kind, high, low, rest @ ..] = values else { return None };
        let (value, behind) =
            rest.split_at_checked(usize::from(u16::from_be_bytes([*high, *low])))?;
        secure |= *kind == TLS && value.first().is_some_and(|client| client & CLIENT_TLS != 0);
        values = behind;
    }
    Some(secure)
}

/// `PP2_TYPE_SSL`, and `PP2_CLIENT_SSL` in its first byte.
const TLS: u8 = 0x20;
const CLIENT_TLS: u8 = 0x01;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_proxy_is_found_out_at_the_first_wrong_byte() {
        for (bytes, wrong) in [
            (&b"GET / HTTP/1.1\r\n"[..], 1),
            (b"POST / HTTP/1.1\r\n", 2),
            (b"\x16\x03\x01", 1),
            (b"\r\n\r\nGET", 5),
            (b"\r\n\r\n\0\r\nQUIT\n\x11", 13),
        ] {
            for whole in [true, false] {
                let mut reader = HeaderReader::default();
                let pieces = if whole { bytes.chunks(bytes.len()) } else { bytes.chunks(1) };
                let mut taken = 0;
                let fault = pieces.into_iter().find_map(|mut piece| {
                    let before = piece.len();
                    let outcome = reader.next(&mut piece);
                    taken += before - piece.len();
                    outcome.err()
                });
                assert_eq!((fault, taken), (Some(Fault::Proxy), wrong), "{}", bytes.escape_ascii());
            }
        }
    }
}
