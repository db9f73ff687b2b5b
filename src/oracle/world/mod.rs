//! A simulated world: the real chat, wire and log, and around them clients, connections, a clock and a disk that are made up
//! from a seed.
//!
//! | real | simulated |
//! | --- | --- |
//! | [`Chat`](crate::chat::Chat): every decision and effect | `server`, `serving`: what carries effects out |
//! | `daemon::wire`: every text | `network`: connections that are late, break, stall, and die half |
//! | [`store::log::Log`](crate::store::log::Log): every commit | `disk`: a [`Tables`](crate::store::tables::Tables) that fails and forgets |
//! | | `client`: devices that post, drop, resume, send again, govern |
//! | | `agenda`: virtual time; nothing waits and nothing runs beside something else |
//!
//! A day in this world is full of misfortune. In the evening the disk is well, all who want to come back do, and everything is
//! compared with everything: then the process is killed once more, and it is all asked again.
//!
//! # What must hold
//!
//! * What was acknowledged, or told to anybody, is in the log for good (`truth`, at each start; the evening).
//! * No post is there twice, however often it was sent (the evening); no key is taken for another post.
//! * Everybody sees the same entries in the same order, each once, with no gap that is not told (`client::view`).
//! * Nobody is told of a room that they may not read at that moment, nor does anybody do there what they may not
//!   (`witness`, `story`).
//! * Every request is answered once, unless its connection dies (`witness`, `client`).
//! * At rest, who is present, what is unread, who is a member, and what each client has of a room are as a naive count says
//!   (the evening).
//! * What is there after a restart is what was there before.
//!
//! The same seed makes the same world, to the letter. [`Flaw`]s are canaries: worlds in which one promise is broken.

mod agenda;
mod audit;
mod client;
mod day;
mod dice;
pub(super) mod disk;
mod evening;
mod flaw;
mod network;
pub(super) mod pages;
mod rows;
mod server;
mod serving;
mod storing;
mod story;
mod tally;
mod town;
mod truth;
pub(super) mod witness;

use std::fmt;

use self::agenda::{Agenda, Happening};
use self::client::Client;
use self::dice::Dice;
use self::disk::Disk;
pub use self::flaw::Flaw;
use self::network::Network;
use self::server::Server;
pub use self::tally::Tally;
use self::town::Town;
use self::witness::Witness;
use crate::chat::{Limits, UnixMs};

/// A world, from its first morning to its evening.
#[derive(Debug)]
pub struct World {
    seed: u64,
    flaw: Option<Flaw>,
    dice: Dice,
    /// Of their own, so that worlds in which no guest registers are as they were.
    ambition: Dice,
    now_ms: u64,
    /// What the wall's clock showed when virtual time began, if it had gone since as it does now.
    clock_unix_ms: u64,
    /// The latest that it ever showed.
    latest_unix: UnixMs,
    /// Nobody is awake before.
    asleep_until_ms: u64,
    agenda: Agenda,
    pace: Pace,
    limits: Limits,
    network: Network,
    /// The process, while one runs.
    server: Option<Server>,
    /// The disk, while none does.
    disk: Option<Disk>,
    generation: u64,
    witness: Witness,
    town: Town,
    clients: Vec<Client>,
    /// Nothing goes wrong any more, and nobody begins anything.
    is_evening: bool,
    digest: u64,
    tally: Tally,
    /// The last things that happened, if they are to be told.
    trace: Option<Vec<String>>,
}

/// How fast things are in a world.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// How long the day is.
    day_ms: u64,
    /// A client does something every so often, on average.
    act_ms: u64,
    /// Something goes wrong every so often, on average.
    strike_ms: u64,
    /// A transaction takes at most so long.
    writer_ms: u64,
    /// A read takes at most twice so long.
    reader_ms: u64,
    reads_failing_per_cent: u64,
    /// The loop gets round to answers after at most so long.
    loop_ms: u64,
}

/// A world that kept its promises.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Entries in its logs in the end.
    pub entries: u64,
    /// Processes that it took.
    pub starts: u64,
    /// Of every text that was sent: the same world has the same.
    pub digest: u64,
    /// What happened in it.
    pub tally: Tally,
}

/// A promise that was broken.
#[derive(Clone, Debug)]
pub struct Breach {
    /// Which world.
    pub seed: u64,
    /// Which promise.
    pub why: String,
    /// When, in milliseconds of virtual time.
    pub at_ms: u64,
    /// What happened last.
    pub trace: Vec<String>,
}

impl World {
    /// Lives through one world.
    ///
    /// # Errors
    /// The first promise that is broken, with what led to it.
    pub fn run(seed: u64) -> Result<Verdict, Box<Breach>> {
        Self::run_with(seed, None)
    }

    /// The same, with a flaw that ought to be noticed.
    ///
    /// # Errors
    /// See [`run`](Self::run).
    pub fn run_with(seed: u64, flaw: Option<Flaw>) -> Result<Verdict, Box<Breach>> {
        match Self::new(seed, flaw, None).live() {
            Ok(verdict) => Ok(verdict),
            // Once more, and this time somebody writes down what happens.
            Err(_) => Self::new(seed, flaw, Some(Vec::new())).live(),
        }
    }

    fn new(seed: u64, flaw: Option<Flaw>, trace: Option<Vec<String>>) -> Self {
        let mut dice = Dice::new(seed);
        let town = Town::new(&mut dice);
        let disk = Disk::new(dice.fork(), flaw.and_then(Flaw::of_disk));
        let network = Network::new(dice.fork());
        let mut world = Self {
            seed,
            flaw,
            now_ms: 0,
            clock_unix_ms: EPOCH_UNIX_MS,
            latest_unix: UnixMs(0),
            asleep_until_ms: 0,
            agenda: Agenda::default(),
            pace: Pace::of(&mut dice),
            limits: limits(&mut dice),
            network,
            server: None,
            disk: Some(disk),
            generation: 0,
            witness: Witness::default(),
            clients: Vec::new(),
            is_evening: false,
            digest: 0,
            tally: Tally::default(),
            trace,
            town,
            dice,
            ambition: Dice::new(!seed),
        };
        world.people();
        world
    }

    /// Everybody has a device, some have two.
    fn people(&mut self) {
        for persona in 0..self.town.personas.len() {
            let devices = if self.town.personas[persona].is_idle { 1 } else { 2 };
            for _ in 0..self.dice.between(1, devices) {
                let no = self.clients.len();
                self.clients.push(Client::new(no, persona, &self.town));
            }
        }
    }

    fn live(mut self) -> Result<Verdict, Box<Breach>> {
        self.morning()?;
        while self.now_ms < self.pace.day_ms {
            self.run_until(self.pace.day_ms)?;
        }
        self.evening()?;
        let entries = self.witness.truth.stories().map(|(_, story)| story.last().0).sum();
        let (starts, digest, tally) = (self.generation, self.digest, self.tally);
        Ok(Verdict { entries, starts, digest, tally })
    }

    fn note(&mut self, what: impl FnOnce() -> String) {
        let Some(trace) = &mut self.trace else { return };
        if trace.len() == TRACE_MAX {
            trace.drain(..TRACE_MAX / 2);
        }
        trace.push(format!("{:>7} {}", self.now_ms, what()));
    }

    fn digest(&mut self, text: &str) {
        for byte in text.bytes() {
            self.digest = (self.digest ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3);
        }
    }

    fn breach(&self, why: String) -> Breach {
        let trace = self.trace.clone().unwrap_or_default();
        Breach { seed: self.seed, why, at_ms: self.now_ms, trace }
    }
}

impl Pace {
    fn of(dice: &mut Dice) -> Self {
        let mut one_of = |all: &[u64]| dice.pick(all).copied().expect("some");
        Self {
            day_ms: one_of(&[5_000, 20_000, 40_000]),
            act_ms: one_of(&[100, 400, 1_500]),
            strike_ms: one_of(&[700, 3_000, 10_000, 100_000]),
            writer_ms: one_of(&[0, 10, 100, 1_000]),
            reader_ms: one_of(&[0, 10, 300]),
            reads_failing_per_cent: one_of(&[0, 0, 10]),
            loop_ms: one_of(&[0, 5, 5, 300]),
        }
    }
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.trace {
            writeln!(f, "{line}")?;
        }
        write!(f, "seed {} after {} ms: {}", self.seed, self.at_ms, self.why)
    }
}

fn limits(dice: &mut Dice) -> Limits {
    let mut one_of = |all: &[u32]| dice.pick(all).copied().expect("some");
    let (commands_per_second, entries_per_second) = (one_of(&[0, 0, 40]), one_of(&[0, 0, 2]));
    Limits { commands_per_second, entries_per_second, ..Limits::default() }
}

/// The wall's clock shows about this, in November 2026.
const EPOCH_UNIX_MS: u64 = 1_795_000_000_000;

/// What is remembered of what led to a breach.
const TRACE_MAX: usize = 400;
