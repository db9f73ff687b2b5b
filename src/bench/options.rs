//! The flags of `wsrelay bench`, and what may stand behind them.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use clap::{Args, Subcommand, ValueEnum};

use super::affinity::Cpu;
use super::stamp::Stamp;
use super::sweep::Axis;

/// What `wsrelay bench` is to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(subcommand)]
    pub(super) mode: Mode,
}

#[derive(Subcommand, Clone, Debug)]
pub(super) enum Mode {
    /// Opens connections and holds them: handshakes, memory, and the cost of doing nothing.
    Idle(IdleOptions),
    /// Members of rooms, some of whom publish: deliveries, latency, and CPU per delivery.
    Fanout(FanoutOptions),
    /// Each connection gets back what it sends.
    Echo(EchoOptions),
    /// Kills the server under its connections, starts it again, and lets all come back at once.
    Storm(StormOptions),
    /// Repeats a measurement over a list of sizes or rates.
    #[command(subcommand)]
    Sweep(SweepMode),
    /// Serves as the physical limit: one send for each member and frame, and nothing else.
    Floor(FloorOptions),
}

#[derive(Subcommand, Clone, Debug)]
pub(super) enum SweepMode {
    /// Opens connections and holds them.
    Idle(Swept<IdleOptions>),
    /// Members of rooms, some of whom publish.
    Fanout(Swept<FanoutOptions>),
    /// Each connection gets back what it sends.
    Echo(Swept<EchoOptions>),
    /// Kills the server and lets all come back at once.
    Storm(Swept<StormOptions>),
}

/// A mode, and what to repeat it over.
#[derive(Args, Clone, Debug)]
#[group(skip)]
pub(super) struct Swept<M: Args> {
    #[command(flatten)]
    pub(super) measure: M,

    /// Values to measure at, in this order, separated by commas.
    #[arg(long, value_name = "N,N,…", value_delimiter = ',', value_parser = positive)]
    #[arg(required_unless_present = "rates", conflicts_with = "rates")]
    over: Vec<f64>,

    /// What the values are.
    #[arg(long, value_name = "WHAT", default_value = "connections", conflicts_with = "rates")]
    vary: Axis,

    /// Short for `--vary rate --over …`.
    #[arg(long, value_name = "R,R,…", value_delimiter = ',', value_parser = per_second)]
    rates: Vec<f64>,
}

impl<M: Args> Swept<M> {
    /// What varies, and its values.
    pub(super) fn axis(&self) -> (Axis, &[f64]) {
        if self.rates.is_empty() { (self.vary, &self.over) } else { (Axis::Rate, &self.rates) }
    }
}

/// Flags that every measurement has.
#[derive(Args, Clone, Debug)]
pub(super) struct Common {
    /// Server to measure, already running: ws://HOST:PORT[/PATH]. Default: a wsrelay of our own, started for it.
    #[arg(long, conflicts_with = "server")]
    pub(super) url: Option<String>,

    /// Program, with arguments, that starts the server to measure. Its first line of output names its address;
    /// `{listen}` in it becomes the address to listen on.
    #[arg(long, value_name = "CMD")]
    pub(super) server: Option<String>,

    /// Path to connect to; `{room}` in it becomes the room's number. Default: /relay/bench-{room}, for echo /echo.
    #[arg(long)]
    pub(super) path: Option<String>,

    /// Process whose CPU and memory are measured. Default: found by itself.
    #[arg(long)]
    pub(super) pid: Option<u32>,

    /// What the report calls the server.
    #[arg(long)]
    pub(super) name: Option<String>,

    /// Load a server on another machine. Make sure that it is yours.
    #[arg(long)]
    pub(super) allow_remote: bool,

    /// Which floor to measure beside the server, for the ratio.
    #[arg(long, value_name = "WHICH", default_value = "both")]
    pub(super) floor: FloorChoice,

    /// Measure so many times, server and floor in turns, and take medians.
    #[arg(long, value_name = "N", default_value_t = 3)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) repeat: u32,

    /// Threads of the load.
    #[arg(long, value_name = "N", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(super) workers: u32,

    /// Processor for the server.
    #[arg(long, value_name = "CPU")]
    server_cpu: Option<u16>,

    /// Processor for the load.
    #[arg(long, value_name = "CPU")]
    load_cpu: Option<u16>,

    /// Handshakes under way at one time.
    #[arg(long, value_name = "N", default_value_t = 64)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) window: u32,

    /// Seconds that a handshake may take; and seconds of silence after which what is missing is lost.
    #[arg(long, value_name = "S", default_value = "10", value_parser = seconds)]
    pub(super) patience: Duration,

    /// Write the report to this file as JSON, every repetition included.
    #[arg(long, value_name = "FILE")]
    pub(super) json: Option<PathBuf>,

    /// Write the report to this file as one HTML page with plots.
    #[arg(long, value_name = "FILE")]
    pub(super) html: Option<PathBuf>,
}

impl Common {
    pub(super) fn server_cpu(&self) -> Option<Cpu> {
        self.server_cpu.map(Cpu)
    }

    pub(super) fn load_cpu(&self) -> Option<Cpu> {
        self.load_cpu.map(Cpu)
    }
}

/// Which floor is measured beside the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum FloorChoice {
    /// None.
    Off,
    /// One send for each frame and member.
    Single,
    /// One send for each round and member.
    Batch,
    /// Both, where they differ.
    Both,
}

#[derive(Args, Clone, Debug)]
pub(super) struct IdleOptions {
    /// Connections to open.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) connections: u32,

    /// Seconds to hold them.
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    pub(super) hold: Duration,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args, Clone, Debug)]
pub(super) struct FanoutOptions {
    /// Members, over all rooms.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) members: u32,

    /// Rooms that the members are spread over.
    #[arg(long, value_name = "K", default_value_t = 1)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rooms: u32,

    /// Members who publish, over all rooms; or `all`.
    #[arg(long, value_name = "P", default_value = "1")]
    pub(super) publishers: Publishers,

    /// More connections, in a room where nobody speaks.
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub(super) bystanders: u32,

    #[command(flatten)]
    pub(super) messages: Messages,

    /// Messages a second, over all publishers, whatever becomes of them (open loop).
    #[arg(long, value_name = "R", default_value = "100", value_parser = per_second)]
    #[arg(conflicts_with = "closed")]
    pub(super) rate: f64,

    /// Each publisher's next message when its last has come back (closed loop).
    #[arg(long)]
    pub(super) closed: bool,

    #[command(flatten)]
    pub(super) common: Common,
}

/// How many of the members publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Publishers {
    All,
    Some(u32),
}

impl Publishers {
    pub(super) fn of(self, members: u32) -> u32 {
        match self {
            Publishers::All => members,
            Publishers::Some(publishers) => publishers,
        }
    }
}

impl FromStr for Publishers {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match (text, text.parse()) {
            ("all", _) => Ok(Publishers::All),
            (_, Ok(publishers @ 1..)) => Ok(Publishers::Some(publishers)),
            _ => Err("expected 1 or more, or all"),
        }
    }
}

impl std::fmt::Display for Publishers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Publishers::All => f.write_str("all"),
            Publishers::Some(publishers) => publishers.fmt(f),
        }
    }
}

#[derive(Args, Clone, Debug)]
pub(super) struct StormOptions {
    /// Connections that come back.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 1000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) connections: u32,

    /// Seconds after which those who are not back are given up.
    #[arg(long, value_name = "S", default_value = "60", value_parser = seconds)]
    pub(super) give_up: Duration,

    #[command(flatten)]
    pub(super) common: Common,
}

#[derive(Args, Clone, Debug)]
pub(super) struct EchoOptions {
    /// Connections that send.
    #[arg(short = 'n', long, value_name = "N", default_value_t = 100)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=CONNECTIONS_MAX))]
    pub(super) connections: u32,

    #[command(flatten)]
    pub(super) messages: Messages,

    /// Messages a second, over all connections (open loop). Default: each sends when its last is back (closed loop).
    #[arg(long, value_name = "R", value_parser = per_second)]
    pub(super) rate: Option<f64>,

    #[command(flatten)]
    pub(super) common: Common,
}

/// What is sent, and for how long.
#[derive(Args, Clone, Debug)]
pub(super) struct Messages {
    /// Bytes of a message, at least 24.
    #[arg(long, value_name = "B", default_value_t = 128)]
    #[arg(value_parser = clap::value_parser!(u32).range(MESSAGE_BYTES_MIN..=MESSAGE_BYTES_MAX))]
    pub(super) bytes: u32,

    /// Send text, which servers have to check, instead of binary messages.
    #[arg(long)]
    pub(super) text: bool,

    /// Seconds that are measured.
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    pub(super) duration: Duration,

    /// Seconds before that which do not count.
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(super) warm_up: Duration,
}

#[derive(Args, Clone, Debug)]
pub(super) struct FloorOptions {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    pub(super) listen: SocketAddr,

    /// Read all ready sockets first, then send each member the whole round at once.
    #[arg(long)]
    pub(super) batch: bool,
}

/// More than one machine's kernel holds; a number above it is a slip.
const CONNECTIONS_MAX: i64 = 1_000_000;
/// A message holds its stamp at the least, and at the most what the load keeps of one.
pub(super) const MESSAGE_BYTES_MIN: i64 = Stamp::BYTES as i64;
pub(super) const MESSAGE_BYTES_MAX: i64 = 1 << 24;

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "expected seconds, 0 or more".to_owned())
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=1e9).contains(&value) => Ok(value),
        _ => Err("expected a number, 0 or more".to_owned()),
    }
}

fn per_second(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e8).contains(&rate) => Ok(rate),
        _ => Err("expected messages a second, 0.001 or more".to_owned()),
    }
}
