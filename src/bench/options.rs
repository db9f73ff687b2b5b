//! Flags that every measurement has, and what may stand behind flags.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum};

use super::Parameter;
use super::affinity::Cpu;

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

    /// Path to connect to; `{room}` in it becomes the room's number. Default: /relay/bench-{room}, for echo /echo, for
    /// chat /ws.
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

    /// Which floor to measure beside the server, for the ratio; off: nothing.
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

/// How long a measurement of traffic takes.
#[derive(Args, Clone, Copy, Debug)]
pub(super) struct Span {
    /// Seconds that are measured.
    #[arg(long, value_name = "S", default_value = "5", value_parser = seconds)]
    pub(super) duration: Duration,

    /// Seconds before that which do not count.
    #[arg(long, value_name = "S", default_value = "1", value_parser = seconds)]
    pub(super) warm_up: Duration,
}

impl Span {
    pub(super) fn parameters(self) -> [Parameter; 2] {
        let seconds =
            |name, span: Duration| Parameter::new(name, format!("{} s", span.as_secs_f64()));
        [seconds("measured", self.duration), seconds("warm-up", self.warm_up)]
    }
}

/// More than one machine's kernel holds; a number above it is a slip.
pub(super) const CONNECTIONS_MAX: i64 = 1_000_000;

pub(super) fn seconds(text: &str) -> Result<Duration, String> {
    let seconds: f64 = text.parse().map_err(|_| "expected seconds".to_owned())?;
    Duration::try_from_secs_f64(seconds).map_err(|_| "expected seconds, 0 or more".to_owned())
}

pub(super) fn per_second(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(rate) if (0.001..=1e8).contains(&rate) => Ok(rate),
        _ => Err("expected messages a second, 0.001 or more".to_owned()),
    }
}
