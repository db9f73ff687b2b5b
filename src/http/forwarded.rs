//! Who a request comes from, as the proxies say that it passed: `X-Forwarded-For` with `X-Forwarded-Proto`, and
//! `Forwarded` (RFC 7239).
//!
//! Each proxy adds the address of its own peer on the right, behind what it was given, which anybody may have made up. So
//! the lists are read from the right, for as long as those who speak are [`Trusted`]: the first address that is not one of
//! theirs is the client's. Whoever calls this has made sure that the peer itself is trusted.
//!
//! Most proxies write one of the two and pass the other on as the client sent it. So where both are there, they have to
//! say the same: a request that could come from two places is refused, not guessed about.
//!
//! Nothing that stands on the left may hide what stands on the right, or the client would pass for the proxy. `X-Forwarded-For`
//! has no quotes, so every comma parts. `Forwarded` has some: where it breaks its grammar, nobody can say whose words are
//! whose, and the request is refused.
//!
//! One pass over each field, nothing allocated.

use core::net::{IpAddr, Ipv6Addr};

use super::grammar::{self, is_token, trim};
use super::trust::decimal;
use super::{Fault, Headers, Trusted};

/// What the proxies say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forwarded {
    /// The client's address. `None`: they say nothing that can be believed, and the peer's own is as far as one can see.
    pub address: Option<IpAddr>,
    /// That the client came over TLS.
    pub secure: bool,
}

impl Forwarded {
    /// Reads the fields of a request from a trusted peer.
    ///
    /// # Errors
    /// [`Fault::ForwardedMalformed`] if `Forwarded` breaks its grammar, [`Fault::Forwarded`] if the two kinds of fields name
    /// different clients.
    pub fn read(headers: &Headers<'_>, trusted: &Trusted) -> Result<Self, Fault> {
        let customary = plain_list(headers, "x-forwarded-for")
            .fold(Walk::Absent, |walk, element| walk.on(address_of(element), trusted));
        let elements = || headers.list("forwarded").map(Element::parse);
        let standard = elements().try_fold(Walk::Absent, |walk, element| {
            element.map(|element| walk.on(element.client, trusted))
        })?;
        let address = match (customary, standard) {
            (Walk::Absent, walk) | (walk, Walk::Absent) => walk.address(),
            (one, other) if one.address() == other.address() => one.address(),
            _ => return Err(Fault::Forwarded),
        };
        // Each proxy's word is on the right of what it was given, so the client's own hop is the first. Who forges it
        // harms nobody else: it decides how their own cookie is kept.
        let secure = match plain_list(headers, "x-forwarded-proto").next() {
            Some(scheme) => scheme.eq_ignore_ascii_case(b"https"),
            None => elements().next().transpose()?.is_some_and(|element| element.secure),
        };
        Ok(Self { address, secure })
    }
}

/// The elements of a list that no standard describes: between commas, trimmed, empty ones left out.
fn plain_list<'a>(headers: &Headers<'a>, name: &str) -> impl Iterator<Item = &'a [u8]> {
    let elements = headers.values(name).flat_map(|value| value.split(|&byte| byte == b','));
    elements.map(trim).filter(|element| !element.is_empty())
}

/// Where reading a list from the right ends, found from the left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Walk {
    /// There is no list.
    Absent,
    /// What stood last is no address, or one that its proxy hides.
    Lost,
    /// A trusted peer's address: nothing before it can be told.
    Trusted(IpAddr),
    /// An address that is not trusted.
    Client(IpAddr),
}

impl Walk {
    /// One element on to the right.
    fn on(self, address: Option<IpAddr>, trusted: &Trusted) -> Self {
        match (address, self) {
            (None, _) => Self::Lost,
            (Some(address), _) if !trusted.has(address) => Self::Client(address),
            (Some(address), Self::Absent | Self::Lost) => Self::Trusted(address),
            (Some(_), walk) => walk,
        }
    }

    fn address(self) -> Option<IpAddr> {
        match self {
            Self::Absent | Self::Lost => None,
            Self::Trusted(address) | Self::Client(address) => Some(address),
        }
    }
}

/// One `forwarded-element` (RFC 7239 §4).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Element {
    client: Option<IpAddr>,
    secure: bool,
}

impl Element {
    fn parse(element: &[u8]) -> Result<Self, Fault> {
        let (mut client, mut secure) = (None, None);
        for pair in pairs(element) {
            let (name, value) = pair.ok_or(Fault::ForwardedMalformed)?;
            let before = match name {
                name if name.eq_ignore_ascii_case(b"for") => {
                    client.replace(address_of(value)).is_some()
                }
                name if name.eq_ignore_ascii_case(b"proto") => {
                    secure.replace(value.eq_ignore_ascii_case(b"https")).is_some()
                }
                _ => false,
            };
            // §4: "Each parameter MUST NOT occur more than once per field-value."
            if before {
                return Err(Fault::ForwardedMalformed);
            }
        }
        Ok(Self { client: client.flatten(), secure: secure.unwrap_or(false) })
    }
}

/// The pairs of an element, names and values; `None` for what is no pair. Escapes within quotes are left as they are: no
/// address has any.
fn pairs(element: &[u8]) -> impl Iterator<Item = Option<(&[u8], &[u8])>> {
    grammar::parts(element).map(|pair| {
        let equals = pair.iter().position(|&byte| byte == b'=')?;
        let (name, value) = (&pair[..equals], &pair[equals + 1..]);
        let value = match value {
            [b'"', inner @ .., b'"'] if is_quotable(inner) => inner,
            token if is_token(token) => token,
            _ => return None,
        };
        is_token(name).then_some((name, value))
    })
}

/// Whether this can stand between quotes (RFC 9110 §5.6.4): no quote in it ends them early, and nothing escapes the last.
fn is_quotable(inner: &[u8]) -> bool {
    let mut bytes = inner.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'"' => return false,
            b'\\' if bytes.next().is_none() => return false,
            _ => {}
        }
    }
    true
}

/// `ADDRESS`, `ADDRESS:PORT`, or an IPv6 address in brackets with or without a port; an address of either kind on its own,
/// as most proxies write it in `X-Forwarded-For`, too.
fn address_of(text: &[u8]) -> Option<IpAddr> {
    let text = str::from_utf8(text).ok()?;
    let address = match text.strip_prefix('[').and_then(|inner| inner.split_once(']')) {
        Some((inner, "")) => IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?),
        Some((inner, port)) => {
            decimal::<u16>(port.strip_prefix(':')?)?;
            IpAddr::V6(inner.parse::<Ipv6Addr>().ok()?)
        }
        None => match text.split_once(':') {
            Some((v4, port)) if !port.contains(':') => {
                decimal::<u16>(port)?;
                IpAddr::V4(v4.parse().ok()?)
            }
            _ => text.parse().ok()?,
        },
    };
    Some(address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Limits, Reader};

    /// What a request with these fields says, to somebody who trusts 10.0.0.0/8 and fd00::/8.
    fn said(fields: &str) -> Result<(Option<String>, bool), Fault> {
        let trusted: Trusted =
            ["10.0.0.0/8", "fd00::/8"].iter().map(|text| text.parse().unwrap()).collect();
        let bytes = format!("GET / HTTP/1.1\r\nHost: h\r\n{fields}\r\n");
        let mut reader = Reader::new();
        let request =
            reader.next_request(&mut bytes.as_bytes(), &Limits::default()).unwrap().unwrap();
        let said = Forwarded::read(&request.headers, &trusted)?;
        Ok((said.address.map(|address| address.to_string()), said.secure))
    }

    fn address(fields: &str) -> Option<String> {
        said(fields).unwrap().0
    }

    #[test]
    fn the_client_is_the_first_from_the_right_who_is_not_trusted() {
        for (list, client) in [
            ("192.0.2.1", Some("192.0.2.1")),
            ("192.0.2.1, 10.0.0.1", Some("192.0.2.1")),
            ("192.0.2.1 ,10.0.0.1,\t10.0.0.2", Some("192.0.2.1")),
            ("198.51.100.9, 192.0.2.1", Some("192.0.2.1")),
            ("198.51.100.9, 192.0.2.1, 10.0.0.1", Some("192.0.2.1")),
            ("10.0.0.9, 192.0.2.1, 10.0.0.1", Some("192.0.2.1")),
            ("10.0.0.9, 10.0.0.1", Some("10.0.0.9")),
            ("192.0.2.1:4711", Some("192.0.2.1")),
            ("::ffff:192.0.2.1", Some("192.0.2.1")),
            ("2001:db8::1", Some("2001:db8::1")),
            ("[2001:db8::1]", Some("2001:db8::1")),
            ("[2001:db8::1]:80, fd00::1, ::ffff:10.0.0.1", Some("2001:db8::1")),
            (", ,192.0.2.1,", Some("192.0.2.1")),
            ("unknown, 192.0.2.1", Some("192.0.2.1")),
            // What cannot be read ends the walk at the last who could be told.
            ("192.0.2.1, unknown, 10.0.0.1", Some("10.0.0.1")),
            ("192.0.2.1, unknown, 10.0.0.2, 10.0.0.1", Some("10.0.0.2")),
            ("192.0.2.1, unknown", None),
            ("unknown", None),
            ("", None),
            (",", None),
            ("192.0.2.256", None),
            ("192.0.2.01", None),
            ("192.0.2.1:", None),
            ("192.0.2.1:65536", None),
            ("192.0.2.1:+8", None),
            ("[192.0.2.1]", None),
            ("[2001:db8::1", None),
            ("[2001:db8::1]80", None),
            ("2001:db8::1%eth0", None),
            ("\"192.0.2.1\"", None),
            ("\", 192.0.2.1", Some("192.0.2.1")),
            ("\"a\\, 192.0.2.1", Some("192.0.2.1")),
            ("\", 192.0.2.1, 10.0.0.1", Some("192.0.2.1")),
            ("192.0.2.1 192.0.2.2", None),
            ("\u{e9}", None),
        ] {
            let found = address(&format!("X-Forwarded-For: {list}\r\n"));
            assert_eq!(found.as_deref(), client, "{list:?}");
        }
        assert_eq!(address(""), None);
        let two = "X-Forwarded-For: 198.51.100.9\r\nX-FORWARDED-FOR: 192.0.2.1\r\n";
        assert_eq!(address(two).as_deref(), Some("192.0.2.1"), "fields are one list");
    }

    #[test]
    fn the_standard_field_says_the_same_in_its_own_words() {
        for (list, client) in [
            ("for=192.0.2.1", Some("192.0.2.1")),
            ("For=192.0.2.1;proto=http;by=203.0.113.43", Some("192.0.2.1")),
            ("by=203.0.113.43; for=\"192.0.2.1:80\"", Some("192.0.2.1")),
            ("for=\"[2001:db8::1]:4711\", for=10.0.0.1", Some("2001:db8::1")),
            ("for=198.51.100.9, for=192.0.2.1, for=\"[fd00::1]\"", Some("192.0.2.1")),
            ("for=192.0.2.1;", Some("192.0.2.1")),
            ("for=192.0.2.1;host=\"a;b\"", Some("192.0.2.1")),
            ("host=\"a\\\",;b\";for=192.0.2.1", Some("192.0.2.1")),
            ("for=unknown", None),
            ("for=_hidden, for=10.0.0.1", Some("10.0.0.1")),
            ("proto=https", None),
            ("for=nonsense, for=192.0.2.1", Some("192.0.2.1")),
            ("for=\"192.0.2.\\1\"", None),
        ] {
            let found = address(&format!("Forwarded: {list}\r\n"));
            assert_eq!(found.as_deref(), client, "{list:?}");
        }
    }

    #[test]
    fn where_one_cannot_say_whose_words_are_whose_the_request_is_refused() {
        for list in [
            "for=\", for=192.0.2.1",
            "for=\"x, for=\"192.0.2.1\"",
            "for=\"x\\, for=192.0.2.1",
            "by=\"x, for=192.0.2.1;host=\"a\\\"b\"",
            "for=192.0.2.1;by=\"x\\\"",
            "for=\"192.0.2.1",
            "for=192.0.2.1;for=192.0.2.2",
            "for=192.0.2.1;FOR=192.0.2.1",
            "for = 192.0.2.1",
            "for",
            "=192.0.2.1",
            "192.0.2.1",
        ] {
            let fields = format!("Forwarded: {list}\r\n");
            assert_eq!(said(&fields), Err(Fault::ForwardedMalformed), "{list:?}");
        }
        let two = "Forwarded: for=\"\r\nForwarded: for=192.0.2.1\r\n";
        assert_eq!(said(two), Err(Fault::ForwardedMalformed), "fields are one list");
    }

    #[test]
    fn a_request_from_two_places_is_refused() {
        let both = |customary: &str, standard: &str| {
            said(&format!("X-Forwarded-For: {customary}\r\nForwarded: {standard}\r\n"))
        };
        let client = Ok((Some("192.0.2.1".to_owned()), false));
        assert_eq!(both("192.0.2.1", "for=192.0.2.1"), client);
        assert_eq!(both("10.0.0.9, 192.0.2.1", "for=\"192.0.2.1:1\", for=10.0.0.1"), client);
        assert_eq!(both("192.0.2.1", "for=192.0.2.2"), Err(Fault::Forwarded));
        assert_eq!(both("192.0.2.1", "for=unknown"), Err(Fault::Forwarded));
        assert_eq!(both("unknown", "for=192.0.2.1"), Err(Fault::Forwarded));
        assert_eq!(both("", "for=192.0.2.1"), client, "an empty list is none");
    }

    #[test]
    fn tls_is_the_clients_own_hop() {
        for (fields, secure) in [
            ("", false),
            ("X-Forwarded-Proto: https\r\n", true),
            ("X-Forwarded-Proto: HTTPS\r\n", true),
            ("X-Forwarded-Proto: http\r\n", false),
            ("X-Forwarded-Proto: https, http\r\n", true),
            ("X-Forwarded-Proto: http\r\nX-Forwarded-Proto: https\r\n", false),
            ("X-Forwarded-Proto: wss\r\n", false),
            ("Forwarded: for=192.0.2.1;proto=https\r\n", true),
            ("Forwarded: proto=\"https\"\r\n", true),
            ("Forwarded: proto=http, proto=https\r\n", false),
            ("X-Forwarded-Proto: \", https\r\n", false),
        ] {
            assert_eq!(said(fields).unwrap().1, secure, "{fields:?}");
        }
    }
}
