//! Which web pages may open a WebSocket here (RFC 6455 §4.2.2 and §10.2, RFC 6454).
//!
//! A browser lets any page connect anywhere, and sends the page's origin; the server is the only one that
//! can refuse it. By default only pages of this server itself are let in. A client that sends no
//! origin is not a browser and is let in: it could claim any.
//!
//! Pure comparison, exact, nothing like a pattern.

use std::str::FromStr;

use crate::http::Authority;

/// The origins that are let in.
///
/// ```
/// use wsrelay::ws::origin::{Allowed, Origins};
///
/// let host = Some("chat.example");
/// let own = Origins::default();
/// assert!(own.admits(Some("https://chat.example"), host));
/// assert!(!own.admits(Some("https://evil.example"), host));
/// assert!(own.admits(None, host));
///
/// let more: Origins = ["https://app.example".parse::<Allowed>().unwrap()].into_iter().collect();
/// assert!(more.admits(Some("https://app.example:443"), host));
/// assert!(more.admits(Some("https://chat.example"), host));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origins {
    /// This server's own, and those listed.
    Listed(Vec<Origin>),
    /// All, opaque ones (`null`) too.
    Any,
}

impl Origins {
    /// Whether a handshake with these values of `Origin` and `Host` is let in.
    ///
    /// A page is this server's own if its origin has the host and port that the client asked for. The
    /// scheme is not compared: behind a proxy that ends TLS, this server cannot know its own.
    pub fn admits(&self, origin: Option<&str>, host: Option<&str>) -> bool {
        let (Self::Listed(listed), Some(origin)) = (self, origin) else { return true };
        let Some(found) = Parts::parse(origin) else { return false };
        let own = host.and_then(Authority::parse).is_some_and(|host| found.is_at(host));
        own || listed.iter().any(|allowed| Parts::of(allowed) == found)
    }
}

impl Default for Origins {
    fn default() -> Self {
        Self::Listed(Vec::new())
    }
}

impl FromIterator<Allowed> for Origins {
    fn from_iter<I: IntoIterator<Item = Allowed>>(allowed: I) -> Self {
        let mut listed = Vec::new();
        for one in allowed {
            match one {
                Allowed::Any => return Self::Any,
                Allowed::One(origin) => listed.push(origin),
            }
        }
        Self::Listed(listed)
    }
}

/// One value of `--allow-origin`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Allowed {
    /// `*`.
    Any,
    /// `null`, or `scheme://host[:port]`.
    One(Origin),
}

impl FromStr for Allowed {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        match text {
            "*" => Ok(Self::Any),
            origin => origin.parse().map(Self::One),
        }
    }
}

/// One origin, in lower case, without a port that its scheme implies (RFC 6454 §6.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// As a browser would send it.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Origin {
    type Err = NotAnOrigin;

    fn from_str(text: &str) -> Result<Self, NotAnOrigin> {
        // RFC 3986 allows a `*` in a name, but who writes one here means a pattern, which this is not.
        if text.contains('*') || Parts::parse(text).is_none() {
            return Err(NotAnOrigin);
        }
        let mut text = text.to_ascii_lowercase();
        if let Some(Parts::Tuple { scheme, host, port }) = Parts::parse(&text) {
            let implied = port.is_none() || port == default_port(scheme);
            let port = port.filter(|_| !implied).map_or(String::new(), |port| format!(":{port}"));
            text = format!("{scheme}://{host}{port}");
        }
        Ok(Self(text))
    }
}

/// Text that is neither `*`, nor `null`, nor `scheme://host[:port]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotAnOrigin;

impl std::fmt::Display for NotAnOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("not an origin: write scheme://host, scheme://host:port, null or *")
    }
}

impl std::error::Error for NotAnOrigin {}

/// An origin taken apart, with the port that its scheme implies filled in.
#[derive(Clone, Copy, Debug)]
enum Parts<'a> {
    Null,
    Tuple { scheme: &'a str, host: &'a str, port: Option<u16> },
}

impl<'a> Parts<'a> {
    /// RFC 6454 §6.2. The list of origins that its §7.1 allows is no one's, and nothing sends it.
    fn parse(text: &'a str) -> Option<Self> {
        if text == "null" {
            return Some(Self::Null);
        }
        let (scheme, authority) = text.split_once("://")?;
        let (first, rest) = scheme.as_bytes().split_first()?;
        let in_scheme = |byte: &u8| byte.is_ascii_alphanumeric() || b"+-.".contains(byte);
        if !first.is_ascii_alphabetic() || !rest.iter().all(in_scheme) {
            return None;
        }
        let Authority { host, port } = Authority::parse(authority)?;
        Some(Self::Tuple { scheme, host, port: port.or_else(|| default_port(scheme)) })
    }

    fn of(origin: &'a Origin) -> Self {
        Self::parse(origin.as_str()).unwrap_or(Self::Null)
    }

    /// Whether this is a web page served at `at`, whose port may be implied.
    fn is_at(self, at: Authority<'_>) -> bool {
        let Self::Tuple { scheme, host, port } = self else { return false };
        let Some(implied) = default_port(scheme) else { return false };
        host.eq_ignore_ascii_case(at.host) && port == at.port.or(Some(implied))
    }
}

impl PartialEq for Parts<'_> {
    fn eq(&self, other: &Self) -> bool {
        match (*self, *other) {
            (Self::Null, Self::Null) => true,
            (
                Self::Tuple { scheme, host, port },
                Self::Tuple { scheme: scheme2, host: host2, port: port2 },
            ) => {
                scheme.eq_ignore_ascii_case(scheme2)
                    && host.eq_ignore_ascii_case(host2)
                    && port == port2
            }
            _ => false,
        }
    }
}

fn default_port(scheme: &str) -> Option<u16> {
    if scheme.eq_ignore_ascii_case("http") {
        Some(80)
    } else if scheme.eq_ignore_ascii_case("https") {
        Some(443)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn allowed_values_are_normalised_or_refused() {
        let rows = [
            ("https://A.Example", Some("https://a.example")),
            ("HTTPS://a.example:443", Some("https://a.example")),
            ("http://a.example:80", Some("http://a.example")),
            ("http://a.example:443", Some("http://a.example:443")),
            ("http://[::1]:8080", Some("http://[::1]:8080")),
            ("chrome-extension://abc", Some("chrome-extension://abc")),
            ("null", Some("null")),
            ("", None),
            ("a.example", None),
            ("https://", None),
            ("https://a.example/", None),
            ("https://a.example/x", None),
            ("https://*.example", None),
            ("https://ann@a.example", None),
            ("https://a.example:x", None),
            ("1https://a.example", None),
            ("https://a.example https://b.example", None),
        ];
        for (text, expected) in rows {
            let found = text.parse::<Origin>().ok();
            assert_eq!(found.as_ref().map(Origin::as_str), expected, "{text:?}");
        }
        assert_eq!("*".parse(), Ok(Allowed::Any));
    }

    #[test]
    fn only_own_and_listed_origins_are_let_in() {
        let own = Origins::default();
        let listed = ["https://app.example", "null", "app://x:9"];
        let listed: Origins =
            listed.map(|text| text.parse::<Allowed>().unwrap()).into_iter().collect();
        let h = Some("h.example");
        // origin, host, let in by default, let in with the list
        let rows = [
            (None, h, true, true),
            (None, None, true, true),
            (Some("http://h.example"), h, true, true),
            (Some("https://H.EXAMPLE"), h, true, true),
            (Some("https://h.example:443"), h, true, true),
            (Some("https://h.example"), Some("h.example:443"), true, true),
            (Some("http://h.example:8080"), Some("h.example:8080"), true, true),
            (Some("http://h.example:8080"), h, false, false),
            (Some("http://h.example"), Some("h.example:8080"), false, false),
            (Some("https://h.example"), Some("h.example:80"), false, false),
            (Some("http://h.example"), None, false, false),
            (Some("http://h.example.evil.example"), h, false, false),
            (Some("http://evil-h.example"), h, false, false),
            (Some("http://evil.example/h.example"), h, false, false),
            (Some("http://h.example@evil.example"), h, false, false),
            (Some("ftp://h.example"), h, false, false),
            (Some("http://h.example/"), h, false, false),
            (Some(""), h, false, false),
            (Some("*"), h, false, false),
            (Some("null"), h, false, true),
            (Some("https://app.example"), h, false, true),
            (Some("https://app.example:443"), h, false, true),
            (Some("http://app.example"), h, false, false),
            (Some("app://x:9"), h, false, true),
            (Some("app://x"), h, false, false),
        ];
        for (origin, host, by_default, by_list) in rows {
            assert_eq!(own.admits(origin, host), by_default, "{origin:?} at {host:?}");
            assert_eq!(listed.admits(origin, host), by_list, "{origin:?} at {host:?}, listed");
            assert!(Origins::Any.admits(origin, host), "{origin:?} at {host:?}, any");
        }
    }
}
