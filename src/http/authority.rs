//! `host[:port]` (RFC 3986 §3.2.2 and §3.2.3), as `Host`, absolute targets and origins have it.
//!
//! Checks and splits; resolves and connects nothing. User information is refused (RFC 9110 §4.2.4),
//! and so is an empty host (RFC 9110 §4.2.1).

use core::net::Ipv6Addr;

/// A valid `host[:port]`, borrowed from where it was written.
///
/// ```
/// use wsrelay::http::Authority;
/// let authority = Authority::parse("Chat.Example:8080").unwrap();
/// assert_eq!((authority.host, authority.port), ("Chat.Example", Some(8080)));
/// assert!(Authority::parse("ann@chat.example").is_none());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Authority<'a> {
    /// A name, an IPv4 address, or an IPv6 address in its brackets. Compare without regard to case.
    pub host: &'a str,
    /// The port, if one was written. `host:` with nothing behind it is as `host`.
    pub port: Option<u16>,
}

impl<'a> Authority<'a> {
    /// `None` if `text` is not `host[:port]`.
    pub fn parse(text: &'a str) -> Option<Self> {
        let (host, port) = if text.starts_with('[') {
            let end = text.find(']')? + 1;
            text[1..end - 1].parse::<Ipv6Addr>().ok()?;
            match &text[end..] {
                "" => (&text[..end], None),
                rest => (&text[..end], Some(rest.strip_prefix(':')?)),
            }
        } else {
            let (host, port) = match text.split_once(':') {
                Some((host, port)) => (host, Some(port)),
                None => (text, None),
            };
            if host.is_empty() || !is_registered_name(host.as_bytes()) {
                return None;
            }
            (host, port)
        };
        let port = match port {
            None | Some("") => None,
            // `u16::from_str` would take a plus sign.
            Some(digits) if digits.bytes().all(|b| b.is_ascii_digit()) => {
                Some(digits.parse().ok()?)
            }
            Some(_) => return None,
        };
        Some(Self { host, port })
    }
}

/// `reg-name` of RFC 3986 §3.2.2; IPv4 addresses have the same characters.
fn is_registered_name(host: &[u8]) -> bool {
    let mut rest = host;
    while let [byte, tail @ ..] = rest {
        rest = match byte {
            b'%' => match tail {
                [a, b, tail @ ..] if a.is_ascii_hexdigit() && b.is_ascii_hexdigit() => tail,
                _ => return false,
            },
            b'-' | b'.' | b'_' | b'~' => tail,
            b'!' | b'$' | b'&' | b'\'' | b'(' | b')' | b'*' | b'+' | b',' | b';' | b'=' => tail,
            _ if byte.is_ascii_alphanumeric() => tail,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_split_or_refused() {
        let rows = [
            ("localhost", Some(("localhost", None))),
            ("127.0.0.1:8080", Some(("127.0.0.1", Some(8080)))),
            ("a.example:", Some(("a.example", None))),
            ("a.example:0", Some(("a.example", Some(0)))),
            ("a.example:00080", Some(("a.example", Some(80)))),
            ("[::1]", Some(("[::1]", None))),
            ("[2001:db8::7]:443", Some(("[2001:db8::7]", Some(443)))),
            ("xn--bcher-kva.example", Some(("xn--bcher-kva.example", None))),
            ("b%C3%BCcher.example", Some(("b%C3%BCcher.example", None))),
            ("", None),
            (":80", None),
            ("a.example:65536", None),
            ("a.example:+80", None),
            ("a.example:8 0", None),
            ("a.example:80:80", None),
            ("ann@a.example", None),
            ("a.example/", None),
            ("a.example, b.example", None),
            ("a b", None),
            ("a%2", None),
            ("b\u{fc}cher.example", None),
            ("[::1", None),
            ("[::1]8080", None),
            ("[::g]", None),
            ("[fe80::1%25eth0]", None),
            ("::1", None),
        ];
        for (text, expected) in rows {
            let found = Authority::parse(text).map(|a| (a.host, a.port));
            assert_eq!(found, expected, "{text:?}");
        }
    }
}
