//! The flags of `wsrelay serve`, and what each part of the daemon makes of them.
//!
//! Owns the names of the flags and of their `WSRELAY_…` twins in the environment, their defaults, and what may stand behind
//! them.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::{ArgAction, Args, ValueEnum};

use crate::chat;
use crate::config::Config;
use crate::http;
use crate::store;
use crate::ws;

/// What `wsrelay serve` is to do.
#[derive(Args, Clone, Debug)]
pub struct Serve {
    /// Address to listen on: HOST:PORT, or unix:PATH. Port 0 takes a free one. Repeatable.
    #[arg(long, value_name = "ADDR", env = "WSRELAY_LISTEN", default_value = LISTEN)]
    #[arg(value_delimiter = ',', action = ArgAction::Append, value_parser = ListenAddr::parse)]
    pub listen: Vec<ListenAddr>,

    /// File that holds people, rooms and posts. Made if it is not there.
    #[arg(long, value_name = "FILE", env = "WSRELAY_DATA", default_value = "wsrelay.db")]
    pub data: PathBuf,

    /// Keep everything in memory, and nothing once the process ends.
    #[arg(long, env = "WSRELAY_MEMORY", value_parser = BoolishValueParser::new())]
    pub memory: bool,

    /// Whether people without an account may take part.
    #[arg(long, value_name = "on|off", env = "WSRELAY_GUESTS", default_value = "on")]
    pub guests: Switch,

    /// Whether accounts can be made. The operator makes them with `wsrelay user` all the same.
    #[arg(long, value_name = "open|closed", env = "WSRELAY_REGISTRATION", default_value = "open")]
    pub registration: Registration,

    /// Posts and reactions a second of one person, after a burst of three times as many. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_POST_RATE", default_value_t = chat::Limits::default().entries_per_second)]
    pub post_rate: u32,

    /// Requests and whispers a second of one chat connection, after a burst of twice as many. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_COMMAND_RATE", default_value_t = chat::Limits::default().commands_per_second)]
    pub command_rate: u32,

    /// Connections at one time; those beyond get 503. Default: what the descriptor limit allows, 100000 at the most.
    #[arg(long, value_name = "N", env = "WSRELAY_MAX_CONNECTIONS")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub max_connections: Option<u32>,

    /// Connections at one time from one address (IPv6: one /64 network); those beyond get 429. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_MAX_CONNECTIONS_PER_IP", default_value_t = 0)]
    pub max_connections_per_ip: u32,

    /// Connections at one time that have not opened a WebSocket. Over it, one that dawdles makes room, or newcomers get 503.
    /// 0: half of all.
    #[arg(long, value_name = "N", env = "WSRELAY_MAX_PENDING", default_value_t = 0)]
    pub max_pending: u32,

    /// The same from one address; those beyond get 429. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_MAX_PENDING_PER_IP", default_value_t = Config::default().pending_per_ip_max)]
    pub max_pending_per_ip: u32,

    /// Connections begun in a second; those beyond get 503. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_CONNECT_RATE", default_value_t = 0)]
    pub connect_rate: u32,

    /// The same from one address, after a burst of ten times as many; those beyond get 429. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_CONNECT_RATE_PER_IP", default_value_t = Config::default().connects_per_ip_per_second)]
    pub connect_rate_per_ip: u32,

    /// Largest message in bytes, after inflating; a larger one closes with 1009.
    #[arg(long, value_name = "BYTES", env = "WSRELAY_MAX_MESSAGE", default_value_t = 65_536)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=i64::from(MESSAGE_BYTES_CEILING)))]
    pub max_message: u32,

    /// Messages and control frames a second from one connection; more closes with 1008. 0: any number.
    #[arg(long, value_name = "N", env = "WSRELAY_RATE_LIMIT", default_value_t = 0)]
    pub rate_limit: u32,

    /// Origin whose pages may connect besides this server's own: `scheme://host[:port]`, or `*` for all. Repeatable.
    #[arg(long, value_name = "ORIGIN", env = "WSRELAY_ALLOW_ORIGIN", value_delimiter = ',')]
    #[arg(action = ArgAction::Append)]
    pub allow_origin: Vec<ws::Allowed>,

    /// Proxy that is believed on who its clients are: an address, a network as ADDRESS/BITS, or `unix` for those who come
    /// over a Unix socket. Repeatable.
    #[arg(long, value_name = "CIDR", env = "WSRELAY_TRUST_PROXY", value_delimiter = ',')]
    #[arg(action = ArgAction::Append)]
    pub trust_proxy: Vec<http::trust::Proxy>,

    /// Expect every connection of a trusted proxy to begin with a header of the PROXY protocol, version 1 or 2.
    #[arg(long, env = "WSRELAY_PROXY_PROTOCOL", value_parser = BoolishValueParser::new())]
    pub proxy_protocol: bool,

    /// Whether to serve raw rooms (/relay/ROOM) and the echo probe (/echo).
    #[arg(long, value_name = "on|off", env = "WSRELAY_RELAY", default_value = "on")]
    pub relay: Switch,

    /// Where /metrics is served, and nowhere else. Default: with all the rest, to this machine alone.
    #[arg(long, value_name = "ADDR", env = "WSRELAY_METRICS_LISTEN", value_parser = ListenAddr::parse)]
    pub metrics_listen: Option<ListenAddr>,

    /// Over how many seconds connections are closed when the process is told to end. 0: all at once.
    #[arg(long, value_name = "N", env = "WSRELAY_DRAIN_SECONDS", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(0..=3600))]
    pub drain_seconds: u32,

    /// How much to log to standard error: off, error, warn, info, debug or trace.
    #[arg(long, value_name = "LEVEL", env = "WSRELAY_LOG", default_value = "info", value_parser = log_level)]
    pub log: log::LevelFilter,

    /// What a line of the log looks like.
    #[arg(long, value_name = "text|json", env = "WSRELAY_LOG_FORMAT", default_value = "text")]
    pub log_format: LogFormat,
}

fn log_level(text: &str) -> Result<log::LevelFilter, String> {
    text.parse().map_err(|_| "expected off, error, warn, info, debug or trace".to_owned())
}

/// One message can be this large at the most: a frame's length must fit the engine's 32-bit bookkeeping with room to
/// spare, and a relay of larger messages is a file server.
const MESSAGE_BYTES_CEILING: u32 = 1 << 30;

/// On or off.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Switch {
    /// On.
    On,
    /// Off.
    Off,
}

/// Who may register an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Registration {
    /// Anybody.
    Open,
    /// Nobody.
    Closed,
}

/// What a line of the log looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object, for programs.
    Json,
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ListenAddr {
    /// Every TCP address that the host name stands for.
    Tcp(Vec<SocketAddr>),
    /// A Unix socket at this path.
    Unix(PathBuf),
}

impl ListenAddr {
    /// Reads HOST:PORT or unix:PATH.
    ///
    /// # Errors
    /// What was expected.
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.strip_prefix("unix:") {
            Some("") => Err("a path is to follow unix:".to_owned()),
            Some(path) => Ok(ListenAddr::Unix(path.into())),
            None => match text.to_socket_addrs() {
                Ok(addresses) => Ok(ListenAddr::Tcp(addresses.collect())),
                Err(e) => Err(format!("expected HOST:PORT or unix:PATH ({e})")),
            },
        }
    }
}

impl Serve {
    /// True where nobody has said where to listen.
    pub fn listens_by_default(&self) -> bool {
        ListenAddr::parse(LISTEN).is_ok_and(|default| self.listen == [default])
    }

    /// The limits to hold peers to, when the process may open `descriptors` files.
    pub fn config(&self, descriptors: u64) -> Config {
        let defaults = Config::default();
        let granted = usize::try_from(descriptors).unwrap_or(usize::MAX);
        let room = granted.saturating_sub(DESCRIPTORS_RESERVED).clamp(1, defaults.connections_max);
        Config {
            connections_max: self.max_connections.map_or(room, |most| most as usize),
            connections_per_ip_max: self.max_connections_per_ip,
            pending_max: self.max_pending as usize,
            pending_per_ip_max: self.max_pending_per_ip,
            connects_per_second: self.connect_rate,
            connects_per_ip_per_second: self.connect_rate_per_ip,
            rate_limit: self.rate_limit,
            ws: ws::Limits::for_messages(self.max_message as usize),
            origins: self.allow_origin.iter().cloned().collect(),
            trusted: self.trust_proxy.iter().copied().collect(),
            proxy_protocol: self.proxy_protocol,
            ..defaults
        }
    }

    /// Where people, rooms and posts are kept.
    pub fn place(&self) -> store::Place {
        match self.memory {
            true => store::Place::Memory,
            false => store::Place::File(self.data.clone()),
        }
    }

    /// What people are held to.
    pub fn limits(&self) -> chat::Limits {
        chat::Limits {
            guests: self.guests == Switch::On,
            entries_per_second: self.post_rate,
            commands_per_second: self.command_rate,
            ..chat::Limits::default()
        }
    }
}

/// Where to listen if nobody says.
const LISTEN: &str = "127.0.0.1:8080";

/// Descriptors that are not for connections: standard streams, poller, waker, signals, listeners, and some to spare.
const DESCRIPTORS_RESERVED: usize = 32;
