//! The executable: the process around the loop.
//!
//! Owns the order in which it begins and ends: sockets to listen on, the data file, signals, the first line on standard output.
//! What each path leads to is `service`'s:
//!
//! | path | module |
//! | --- | --- |
//! | `/ws` | `socket`: sessions of the chat, of which `seats` keeps count |
//! | `/api/…` | `api`: REST; behind it `accounts`, `passwords`, `tokens`, `cookies` |
//! | `/relay/ROOM`, `/echo` | [`crate::relay`] |
//! | `/metrics` | `metrics`, of which `process` is a part |
//! | all others | `page` |
//!
//! `options` has the flags. Beside the loop, [`operator`] has the commands that work on the data file, and `control` the socket by which some of them
//! reach the daemon that has it.
//!
//! What the chat and the accounts want done is done by `live`; what is sent and read as JSON is `wire`'s. Around it all are
//! `sockets`, `stop`, `logging` and, for whoever started the process, `supervisor`.

mod accounts;
mod api;
mod chance;
mod close_code;
mod control;
mod cookies;
mod live;
mod logging;
mod metrics;
pub mod operator;
pub mod options;
mod page;
mod passwords;
mod process;
#[cfg(test)]
mod readme;
mod seats;
mod service;
mod socket;
mod sockets;
mod stop;
mod supervisor;
mod tokens;
mod turn;
pub mod wire;

use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

use self::control::Control;
use self::live::{Live, Ticket, wake_by};
use self::logging::Logging;
use self::options::{Registration, Serve, Switch};
use self::page::Page;
use self::service::{Daemon, Stalled};
use self::sockets::{Bound, HandedOver};
use self::stop::StopSignals;
use self::supervisor::Supervisor;
use crate::engine::Engine;
use crate::relay::Relay;
use crate::store::{OpenError, Opened, Place, Store};

/// Serves until SIGTERM or SIGINT, and says on standard output where.
///
/// # Errors
/// When an address cannot be listened on, the data file cannot be opened, or the loop fails: a message for the operator.
pub fn serve(options: &Serve) -> io::Result<()> {
    let started = SystemTime::now();
    let handed_over = HandedOver::from_env();
    let _logging = Logging::start(options.log, options.log_format)?;
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let config = options.config(descriptors);
    if u64::try_from(config.connections_max).unwrap_or(u64::MAX) > descriptors {
        let most = config.connections_max;
        log::warn!("--max-connections is {most}, and {descriptors} descriptors may be open");
    }
    let mut engine = Engine::new(config.clone())?;
    let metrics = options.metrics_listen.as_ref();
    let bound = Bound::listen(handed_over, &options.listen, metrics, &mut engine)?;
    if bound.is_handed_over() && !options.listens_by_default() {
        log::warn!("sockets were handed over: --listen has no say");
    }
    let supervisor = Supervisor::from_env();
    let patience = if bound.is_handed_over() { PREDECESSOR_ENDS_WITHIN } else { Duration::ZERO };
    let opened = open_store(&options.place(), patience, &engine, &supervisor)?;
    let registration = options.registration == Registration::Open;
    let control = listen_for_operators(options, &engine);
    let limits = options.limits();
    let live = Live::start(opened, limits, registration, control, engine.waker(), &config)?;
    let stop = StopSignals::watch(engine.waker())?;
    announce(&bound)?;
    let room = config.connections_max;
    log::info!("serving, version {}, with room for {room} connections", env!("CARGO_PKG_VERSION"));
    supervisor.ready();

    let mut daemon = Daemon {
        relay: (options.relay == Switch::On).then(Relay::new),
        page: Page::new(),
        live,
        stop,
        supervisor,
        metrics_at: bound.metrics().collect(),
        scrapers: Vec::new(),
        started,
        drain_over: Duration::from_secs(options.drain_seconds.into()),
        draining: false,
        stalled: Stalled::default(),
        failed: false,
    };
    let ended = engine.run(&mut daemon);
    daemon.live.close();
    log::info!("ended");
    match daemon.failed {
        true => Err(io::Error::other("a worker thread has failed: see the log")),
        false => ended,
    }
}

/// What is kept in memory has no operators.
fn listen_for_operators(options: &Serve, engine: &Engine) -> Option<Control> {
    let Place::File(data) = options.place() else { return None };
    let control = Control::listen(&data, wake_by(engine.waker()));
    control.inspect_err(|e| log::warn!("no `wsrelay user` while this runs: {e}")).ok()
}

/// Opens the store. Somebody else who has it is waited for as long as `patience` lasts: the process before this one, which is
/// about to end.
fn open_store(
    place: &Place,
    patience: Duration,
    engine: &Engine,
    supervisor: &Supervisor,
) -> io::Result<Opened<Ticket>> {
    let until = Instant::now() + patience;
    let mut is_first = true;
    loop {
        match Store::open(place, wake_by(engine.waker())) {
            Err(OpenError::InUse) if Instant::now() < until => {}
            opened => return opened.map_err(|e| io::Error::other(format!("{place}: {e}"))),
        }
        if std::mem::take(&mut is_first) {
            let seconds = patience.as_secs();
            log::info!(
                "the data file is in use: waiting for its holder to end, {seconds} s at the most"
            );
            supervisor.starting("waiting for the data file", patience);
        }
        std::thread::sleep(LOOK_AGAIN_AFTER);
    }
}

/// How long a process to which sockets were handed over waits for the one before it to give back the data file: more than a
/// drain of the default length and a slow last commit.
const PREDECESSOR_ENDS_WITHIN: Duration = Duration::from_secs(60);
/// And how often it looks: newcomers wait as long in line.
const LOOK_AGAIN_AFTER: Duration = Duration::from_millis(20);

fn announce(bound: &Bound) -> io::Result<()> {
    let mut out = io::stdout().lock();
    for line in bound.lines() {
        writeln!(out, "{line}")?;
    }
    out.flush()
}
