//! Subcommands and flags, made into what the daemon needs.
//!
//! Owns the names of flags and of their `WSRELAY_…` twins in the environment, and what may stand behind them. It opens
//! nothing and starts nothing.

use std::net::{SocketAddr, ToSocketAddrs};
use std::path::PathBuf;

use clap::builder::BoolishValueParser;
use clap::parser::ValueSource;
use clap::{
    ArgAction, ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum,
};

#[cfg(all(feature = "bench", target_os = "linux"))]
use crate::bench;
use crate::chat;
use crate::config::Config;
use crate::daemon::operator;
use crate::doctor;
use crate::http;
use crate::store;
use crate::ws;

/// What the command line asks for.
#[derive(Debug)]
pub enum Invocation {
    /// Serve until told to stop.
    Serve(Serve),
    /// Print rooms' logs.
    Export(operator::Export),
    /// Copy the data file.
    Backup(operator::Backup),
    /// List or change accounts.
    User(operator::User),
    /// Measure a server.
    #[cfg(all(feature = "bench", target_os = "linux"))]
    Bench(Box<bench::Options>),
    /// Look for trouble.
    Doctor(doctor::Options),
    /// Print this and end well: help, or the version.
    Print(String),
}

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
    fn parse(text: &str) -> Result<Self, String> {
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

#[derive(Parser)]
#[command(name = "wsrelay", version, about = "A WebSocket relay: rooms to talk in, in real time")]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
    #[command(flatten)]
    serve: Serve,
}

#[derive(Subcommand)]
enum Command {
    /// Serve the page and the rooms (the default).
    Serve(Serve),
    /// Print a room's log, or all rooms' logs, as lines of JSON: each an `entry` as PROTOCOL.md has it, edits and
    /// deletions at their places. Works while a daemon has the file.
    Export(operator::Export),
    /// Copy the data file, as it is at this moment, and check the copy. Works while a daemon has the file.
    Backup(operator::Backup),
    /// List, make, change or disable accounts. Works while a daemon has the file.
    User(operator::User),
    /// Measure how a WebSocket server scales.
    #[cfg(all(feature = "bench", target_os = "linux"))]
    Bench(Box<bench::Options>),
    /// Look for what stands in the way of a good service: on this machine, and on the way to a URL.
    Doctor(doctor::Options),
}

/// Reads a command line, the program's name first.
///
/// # Errors
/// One line that says which flag or value is wrong.
pub fn parse(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Invocation, String> {
    let parsed = Cli::command().try_get_matches_from(args).and_then(|matches| {
        let cli = Cli::from_arg_matches(&matches)?;
        Ok((matches, cli))
    });
    match parsed {
        Ok((matches, Cli { command: Some(Command::Serve(serve)), .. })) => {
            let (_, matches) = matches.subcommand().expect("it was found");
            agree(serve, matches).map(Invocation::Serve)
        }
        Ok((matches, Cli { command: None, serve })) => {
            agree(serve, &matches).map(Invocation::Serve)
        }
        Ok((_, Cli { command: Some(command), .. })) => Ok(match command {
            Command::Serve(serve) => Invocation::Serve(serve),
            Command::Export(export) => Invocation::Export(export),
            Command::Backup(backup) => Invocation::Backup(backup),
            Command::User(user) => Invocation::User(user),
            #[cfg(all(feature = "bench", target_os = "linux"))]
            Command::Bench(options) => Invocation::Bench(options),
            Command::Doctor(options) => Invocation::Doctor(options),
        }),
        Err(e) if e.use_stderr() => Err(first_paragraph(&e.render().to_string())),
        Err(e) => Ok(Invocation::Print(e.render().to_string())),
    }
}

/// Settles what can be said in two ways at once: a flag counts for more than the environment, and memory for more than a file
/// where both are in the environment.
fn agree(mut serve: Serve, matches: &ArgMatches) -> Result<Serve, String> {
    let is_flag = |id| matches.value_source(id) == Some(ValueSource::CommandLine);
    if serve.memory && is_flag("data") {
        if is_flag("memory") {
            return Err("error: --memory keeps no file: it cannot be used with --data".to_owned());
        }
        serve.memory = false;
    }
    if serve.proxy_protocol && serve.trust_proxy.is_empty() {
        return Err(
            "error: --proxy-protocol believes nobody unless --trust-proxy says whom".to_owned()
        );
    }
    Ok(serve)
}

/// The part of a message that says what is wrong, on one line; usage and advice follow after a blank line.
fn first_paragraph(text: &str) -> String {
    let lines = text.lines().map(str::trim).take_while(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(args: &[&str]) -> Result<Invocation, String> {
        parse(std::iter::once("wsrelay").chain(args.iter().copied()).map(Into::into))
    }

    fn serve(args: &[&str]) -> Serve {
        match parsed(args) {
            Ok(Invocation::Serve(serve)) => serve,
            other => panic!("{args:?} gave {other:?}"),
        }
    }

    #[test]
    fn serving_is_what_no_subcommand_means() {
        for args in [&["--rate-limit", "7"][..], &["serve", "--rate-limit", "7"]] {
            assert_eq!(serve(args).rate_limit, 7);
        }
        assert_eq!(serve(&[]).listen, [ListenAddr::parse("127.0.0.1:8080").unwrap()]);
    }

    #[test]
    fn addresses_are_tcp_or_unix_and_as_many_as_given() {
        let serve =
            serve(&["--listen", "127.0.0.1:0", "--listen=[::1]:9", "--listen", "unix:/run/x"]);
        let [ListenAddr::Tcp(v4), ListenAddr::Tcp(v6), ListenAddr::Unix(path)] = &serve.listen[..]
        else {
            panic!("{:?}", serve.listen)
        };
        assert_eq!(v4[..], ["127.0.0.1:0".parse().unwrap()]);
        assert_eq!(v6[..], ["[::1]:9".parse().unwrap()]);
        assert_eq!(path.to_str(), Some("/run/x"));
    }

    #[test]
    fn what_is_wrong_is_said_in_one_line() {
        for (args, says) in [
            (&["--frob"][..], "--frob"),
            (&["--listen", "nonsense"], "HOST:PORT"),
            (&["--listen", "unix:"], "path"),
            (&["--relay", "maybe"], "on, off"),
            (&["--max-message", "0"], "--max-message"),
            (&["--max-message", "9999999999"], "--max-message"),
            (&["--max-connections", "0"], "--max-connections"),
            (&["--memory", "--data", "x"], "--data"),
            (&["--registration", "ajar"], "open, closed"),
            (&["--rate-limit", "-1"], "-1"),
            (&["--allow-origin", "example.org"], "example.org"),
            (&["--trust-proxy", "10.0.0.0/33"], "10.0.0.0/33"),
            (&["--proxy-protocol"], "--trust-proxy"),
            (&["--log", "loud"], "loud"),
            (&["fly"], "fly"),
            (&["export"], "ROOM"),
            (&["export", "lobby", "--all"], "--all"),
            (&["export", "a b"], "no room"),
            (&["backup"], "COPY"),
            (&["user"], "user"),
            (&["user", "add"], "NAME"),
            (&["user", "add", "a b"], "letters and digits"),
            (&["user", "add", "ann", "secret"], "secret"),
        ] {
            let line = parsed(args).expect_err("refused");
            assert!(line.contains(says) && !line.contains('\n'), "{args:?}: {line}");
        }
    }

    #[test]
    fn help_and_version_are_printed_and_end_well() {
        for flag in ["--help", "-h", "--version", "-V"] {
            assert!(
                matches!(parsed(&[flag]), Ok(Invocation::Print(text)) if text.contains("wsrelay"))
            );
        }
    }

    #[test]
    fn connections_fit_the_descriptors_unless_asked_otherwise() {
        assert_eq!(serve(&[]).config(1024).connections_max, 992);
        assert_eq!(serve(&[]).config(u64::MAX).connections_max, 100_000);
        assert_eq!(serve(&["--max-connections", "5"]).config(1024).connections_max, 5);
    }

    /// What is in the first two columns of the README's table of flags: `--flag VALUE` and its default.
    fn rows_of_the_readme() -> Vec<(String, String)> {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md");
        let readme = std::fs::read_to_string(path).unwrap();
        let begin = readme.find("\n| flag | default |").unwrap() + 1;
        let rows = readme[begin..].lines().take_while(|line| !line.is_empty()).skip(2);
        let cells = |row: &str| {
            let plain = row.replace("\\|", "/").replace('`', "");
            let mut cells = plain.split('|').skip(1).map(|cell| cell.trim().replace('/', "|"));
            (cells.next().unwrap(), cells.next().unwrap())
        };
        rows.map(cells).collect()
    }

    #[test]
    fn the_readme_has_every_flag_with_its_default() {
        let rows = rows_of_the_readme();
        let command = Cli::command();
        let mut flags = Vec::new();
        for flag in command.get_arguments() {
            let Some(name) = flag.get_long().filter(|name| !["help", "version"].contains(name))
            else {
                continue;
            };
            let value = flag.get_value_names().filter(|_| flag.get_action().takes_values());
            let written =
                value.map_or(format!("--{name}"), |value| format!("--{name} {}", value[0]));
            let row = rows.iter().find(|(flag, _)| *flag == written);
            let (_, default) = row.unwrap_or_else(|| panic!("the README has no {written}"));
            // Some defaults have more words: `0: any number`.
            if let [value] = flag.get_default_values() {
                let first = default.split(':').next().unwrap_or_default();
                let value = value.to_str().unwrap();
                assert!(*default == value || first == value, "{written}: {default}, not {value}");
            }
            let twin = format!("WSRELAY_{}", name.to_uppercase().replace('-', "_"));
            assert_eq!(flag.get_env(), Some(twin.as_ref()), "{written}");
            flags.push(written);
        }
        let of_the_table: Vec<_> = rows.into_iter().map(|(flag, _)| flag).collect();
        assert_eq!(of_the_table, flags, "the table has the order of the help");
    }
}
