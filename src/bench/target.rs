//! Where the load goes: an address, and a path for each room.

use std::net::{SocketAddr, ToSocketAddrs};

use super::Failure;

/// A server to connect to.
#[derive(Clone, Debug)]
pub(super) struct Target {
    pub(super) address: SocketAddr,
    /// As it stands in the handshake's `Host` field.
    pub(super) host: String,
    /// Path and query, in which `{room}` stands for a room's number.
    pub(super) path: String,
}

impl Target {
    /// The server that listens at this address.
    pub(super) fn at(address: SocketAddr, path: &str) -> Self {
        Self { address, host: address.to_string(), path: path.to_owned() }
    }

    /// Reads `ws://HOST:PORT/PATH`; without a path, it is `path`.
    pub(super) fn parse(url: &str, path: &str, allow_remote: bool) -> Result<Self, Failure> {
        let Some(rest) = url.strip_prefix("ws://") else {
            return Err(Failure::new(format!("{url}: expected ws://HOST:PORT/PATH (no TLS here)")));
        };
        let (host, own_path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, path),
        };
        let named = if has_port(host) { host.to_owned() } else { format!("{host}:80") };
        let address = named.to_socket_addrs().map(|mut addresses| addresses.next());
        let address = match address {
            Ok(Some(address)) => address,
            Ok(None) => return Err(Failure::new(format!("{url}: {host} has no address"))),
            Err(e) => return Err(Failure::new(format!("{url}: {e}"))),
        };
        if !address.ip().is_loopback() && !allow_remote {
            return Err(Failure::new(format!(
                "{url}: {address} is another machine; --allow-remote if it is yours to load"
            )));
        }
        Ok(Self { address, host: host.to_owned(), path: own_path.to_owned() })
    }

    /// Path and query for this room.
    pub(super) fn path_of(&self, room: &str) -> String {
        self.path.replace("{room}", room)
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ws://{}{}", self.host, self.path)
    }
}

fn has_port(host: &str) -> bool {
    host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok())
        && !host.ends_with(']')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_address_host_and_path() {
        let rows = [
            ("ws://127.0.0.1:9/x/{room}?y=1", "127.0.0.1:9", "127.0.0.1:9", "/x/7?y=1"),
            ("ws://127.0.0.1:9", "127.0.0.1:9", "127.0.0.1:9", "/default/7"),
            ("ws://[::1]:9/", "[::1]:9", "[::1]:9", "/"),
            ("ws://127.0.0.1/a", "127.0.0.1:80", "127.0.0.1", "/a"),
            ("ws://[::1]/a", "[::1]:80", "[::1]", "/a"),
        ];
        for (url, address, host, path) in rows {
            let target = Target::parse(url, "/default/{room}", false).unwrap();
            assert_eq!(target.address, address.parse().unwrap(), "{url}");
            assert_eq!((target.host.as_str(), target.path_of("7").as_str()), (host, path), "{url}");
        }
    }

    #[test]
    fn other_machines_and_other_schemes_are_refused() {
        let remote = "ws://192.0.2.1:80/";
        assert!(Target::parse(remote, "/", false).unwrap_err().to_string().contains("--allow-r"));
        assert!(Target::parse(remote, "/", true).is_ok());
        for url in ["wss://127.0.0.1:1/", "127.0.0.1:1", "ws://127.0.0.1:99999/"] {
            assert!(Target::parse(url, "/", true).is_err(), "{url}");
        }
    }
}
