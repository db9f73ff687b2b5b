//! Where a daemon is to be reached.

use std::fmt;
use std::path::PathBuf;

/// Where a daemon is to be reached: its front door, since its paths are known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    pub(super) place: Place,
    /// As it stands in the `Host` field.
    pub(super) host: String,
}

/// How it is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Tcp { name: String, port: u16, tls: bool },
    Unix(PathBuf),
}

impl Url {
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.is_empty() {
                true => Err("unix: needs a path".to_owned()),
                false => Ok(Self { place: Place::Unix(path.into()), host: "localhost".to_owned() }),
            };
        }
        let (scheme, rest) = text
            .split_once("://")
            .ok_or("expected http://HOST[:PORT], https://HOST[:PORT] or unix:PATH")?;
        let tls = match scheme {
            "http" | "ws" => false,
            "https" | "wss" => true,
            _ => return Err(format!("{scheme} is neither http nor https")),
        };
        let host = rest.split_once('/').map_or(rest, |(host, path)| match path {
            "" => host,
            _ => "",
        });
        if host.is_empty() || host.contains(['@', '?', '#', ' ']) {
            return Err("expected the front door alone: scheme, host and port".to_owned());
        }
        let default = if tls { 443 } else { 80 };
        let (name, port) = match host.rsplit_once(':') {
            Some((name, port)) if !port.ends_with(']') => {
                (name, port.parse().map_err(|_| format!("{port} is no port"))?)
            }
            _ => (host, default),
        };
        let name = name.trim_start_matches('[').trim_end_matches(']').to_owned();
        Ok(Self { place: Place::Tcp { name, port, tls }, host: host.to_owned() })
    }

    /// True where TLS is spoken.
    pub(super) fn is_secure(&self) -> bool {
        matches!(self.place, Place::Tcp { tls: true, .. })
    }

    /// The origin of the pages that are served there (RFC 6454 §4).
    pub(super) fn origin(&self) -> String {
        let scheme = match self.place {
            Place::Tcp { tls: true, .. } => "https",
            Place::Tcp { tls: false, .. } | Place::Unix(_) => "http",
        };
        format!("{scheme}://{}", self.host)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.place {
            Place::Unix(path) => write!(f, "unix:{}", path.display()),
            Place::Tcp { .. } => f.write_str(&self.origin()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tcp(text: &str) -> (String, u16, bool, String) {
        let url = Url::parse(text).unwrap();
        let Place::Tcp { name, port, tls } = url.place else { panic!("{text}") };
        (name, port, tls, url.host)
    }

    #[test]
    fn a_url_names_a_front_door() {
        let s = str::to_owned;
        assert_eq!(tcp("http://h"), (s("h"), 80, false, s("h")));
        assert_eq!(tcp("https://h/"), (s("h"), 443, true, s("h")));
        assert_eq!(tcp("wss://h:8443"), (s("h"), 8443, true, s("h:8443")));
        assert_eq!(tcp("http://[::1]:9"), (s("::1"), 9, false, s("[::1]:9")));
        assert_eq!(tcp("http://[::1]"), (s("::1"), 80, false, s("[::1]")));
        assert_eq!(Url::parse("https://h:1").unwrap().origin(), "https://h:1");
        assert_eq!(Url::parse("unix:/run/x").unwrap().place, Place::Unix("/run/x".into()));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in
            ["", "h", "ftp://h", "http://", "http://h/x", "http://u@h", "http://h:x", "unix:"]
        {
            assert!(Url::parse(text).is_err(), "{text}");
        }
    }
}
