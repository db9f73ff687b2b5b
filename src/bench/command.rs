//! `wsrelay bench …`: the modes as the command line has them.

use clap::{Args, Subcommand};

use super::axis::Axis;
use super::chat;
use super::echo::Echo;
use super::fanout::Fanout;
use super::floor::{self, FloorOptions};
use super::idle::Idle;
use super::options::per_second;
use super::storm::Storm;
use super::{Failure, Measure, report_on};

/// What `wsrelay bench` is to measure.
#[derive(Args, Clone, Debug)]
pub struct Options {
    #[command(subcommand)]
    mode: Mode,
}

#[derive(Subcommand, Clone, Debug)]
enum Mode {
    /// Opens connections and holds them: handshakes, memory, and the cost of doing nothing.
    Idle(Idle),
    /// Members of rooms, some of whom publish: deliveries, latency, and CPU per delivery.
    Fanout(Fanout),
    /// Each connection gets back what it sends.
    Echo(Echo),
    /// Kills the server under its connections, starts it again, and lets all come back at once.
    Storm(Storm),
    /// The chat: sessions that sign in and speak its protocol.
    #[command(subcommand)]
    Chat(chat::Mode),
    /// Repeats a measurement over a list of sizes or rates.
    #[command(subcommand)]
    Sweep(SweepMode),
    /// Serves as the physical limit: one send for each member and frame, and nothing else.
    Floor(FloorOptions),
}

#[derive(Subcommand, Clone, Debug)]
enum SweepMode {
    /// Opens connections and holds them.
    Idle(Swept<Idle>),
    /// Members of rooms, some of whom publish.
    Fanout(Swept<Fanout>),
    /// Each connection gets back what it sends.
    Echo(Swept<Echo>),
    /// Kills the server and lets all come back at once.
    Storm(Swept<Storm>),
    /// The chat.
    #[command(subcommand)]
    Chat(SweepChat),
}

#[derive(Subcommand, Clone, Debug)]
enum SweepChat {
    /// Members of rooms, some of whom post.
    Post(Swept<chat::Post>),
    /// Sessions that sign in, join the lobby, and say nothing.
    Idle(Swept<chat::Idle>),
    /// Kills the server and lets all come back at once.
    Storm(Swept<chat::Storm>),
}

/// A mode, and what to repeat it over.
#[derive(Args, Clone, Debug)]
#[group(skip)]
struct Swept<M: Args> {
    #[command(flatten)]
    measure: M,

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

/// Does what the flags ask for, and prints the report.
///
/// # Errors
/// When there is nothing to report; or, after the report, when deliveries or connections went astray.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.mode {
        Mode::Floor(floor) => floor::serve(floor),
        Mode::Idle(idle) => report_on(idle, None),
        Mode::Fanout(fanout) => report_on(fanout, None),
        Mode::Echo(echo) => report_on(echo, None),
        Mode::Storm(storm) => report_on(storm, None),
        Mode::Chat(chat::Mode::Post(post)) => report_on(post, None),
        Mode::Chat(chat::Mode::Idle(idle)) => report_on(idle, None),
        Mode::Chat(chat::Mode::Storm(storm)) => report_on(storm, None),
        Mode::Sweep(SweepMode::Idle(idle)) => idle.report(),
        Mode::Sweep(SweepMode::Fanout(fanout)) => fanout.report(),
        Mode::Sweep(SweepMode::Echo(echo)) => echo.report(),
        Mode::Sweep(SweepMode::Storm(storm)) => storm.report(),
        Mode::Sweep(SweepMode::Chat(SweepChat::Post(post))) => post.report(),
        Mode::Sweep(SweepMode::Chat(SweepChat::Idle(idle))) => idle.report(),
        Mode::Sweep(SweepMode::Chat(SweepChat::Storm(storm))) => storm.report(),
    }
}

impl<M: Args + Measure> Swept<M> {
    fn report(&self) -> Result<(), Failure> {
        let over = match self.rates.is_empty() {
            true => (self.vary, &self.over[..]),
            false => (Axis::Rate, &self.rates[..]),
        };
        report_on(&self.measure, Some(over))
    }
}

fn positive(text: &str) -> Result<f64, String> {
    match text.parse() {
        Ok(value) if (0.0..=1e9).contains(&value) => Ok(value),
        _ => Err("expected a number, 0 or more".to_owned()),
    }
}
