//! The executable's service: what each path leads to.
//!
//! Owns the routing of requests between the page, the probes, the chat and the raw rooms, and the process around the loop:
//! sockets to listen on, signals, the data file, the first line on standard output. Each destination lives in a module of
//! its own.
//!
//! | path | module |
//! | --- | --- |
//! | `/ws` | `socket`: sessions of the chat, of which `seats` keeps count |
//! | `/api/…` | `api`: REST; behind it `accounts`, `passwords`, `tokens`, `cookies` |
//! | `/relay/ROOM`, `/echo` | [`crate::relay`] |
//! | `/metrics` | `metrics`, of which `process` is a part |
//! | all others | `page` |
//!
//! Beside the loop, [`operator`] has the commands that work on the data file, and `control` the socket by which some of them
//! reach the daemon that has it.
//!
//! What the chat and the accounts want done is done by `live`; what is sent and read as JSON is `wire`'s. Around it all are
//! `sockets`, `stop`, `logging` and, for whoever started the process, `supervisor`.
//!
//! Paths are matched against fixed tables as they stand in the request line; nothing a peer sends ever becomes a file
//! name.

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
mod page;
mod passwords;
mod process;
mod seats;
mod socket;
mod sockets;
mod stop;
mod supervisor;
mod tokens;
mod turn;
pub mod wire;

use std::io::{self, Write};
use std::time::{Duration, Instant, SystemTime};

use self::api::{Api, Asker};
use self::control::Control;
use self::live::{Live, Ticket, wake_by};
use self::logging::Logging;
use self::metrics::Reading;
use self::page::Page;
use self::process::Usage;
use self::sockets::{Bound, HandedOver};
use self::stop::StopSignals;
use self::supervisor::Supervisor;
use crate::chat::Chat;
use crate::cli::{Registration, Serve, Switch};
use crate::engine::{
    Actions, Caller, Cause, ConnId, Ending, Engine, Entrance, Figures, Reply, Service, Upgrade,
};
use crate::http::{Method, Request, Response, Status};
use crate::relay::Relay;
use crate::store::{OpenError, Opened, Place, Store};
use crate::ws::{CloseCode, Message};

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
    let mut engine = Engine::new(config.clone())?;
    let metrics = options.metrics_listen.as_ref();
    let bound = Bound::listen(handed_over, &options.listen, metrics, &mut engine)?;
    let supervisor = Supervisor::from_env();
    let patience = if bound.is_handed_over() { PREDECESSOR_ENDS_WITHIN } else { Duration::ZERO };
    let opened = open_store(&options.place(), patience, &engine, &supervisor)?;
    let registration = options.registration == Registration::Open;
    let control = listen_for_operators(options, &engine);
    let limits = options.limits();
    let live = Live::start(opened, limits, registration, control, engine.waker(), &config)?;
    let stop = StopSignals::watch(engine.waker())?;
    announce(&bound)?;
    log::info!("serving, version {}", env!("CARGO_PKG_VERSION"));
    supervisor.ready();

    let mut daemon = Daemon {
        relay: (options.relay == Switch::On).then(Relay::new),
        page: Page::new(),
        live,
        stop,
        supervisor,
        metrics_at: bound.metrics().to_vec(),
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
            opened => return opened.map_err(io::Error::other),
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
        writeln!(out, "listening on {line}")?;
    }
    out.flush()
}

struct Daemon {
    relay: Option<Relay>,
    page: Page,
    live: Live,
    stop: StopSignals,
    supervisor: Supervisor,
    /// The entrances where metrics are served and nothing else; if there is none, they are served to this machine.
    metrics_at: Vec<Entrance>,
    /// Who waits for metrics.
    scrapers: Vec<ConnId>,
    started: SystemTime,
    drain_over: Duration,
    draining: bool,
    stalled: Stalled,
    /// A thread has gone: nothing can be promised any more.
    failed: bool,
}

/// Tells a store that works from one that does not answer, by looking at it now and then.
#[derive(Debug, Default)]
struct Stalled {
    /// At the last look: whether something was to be written, and how many commits there had been.
    last: (bool, u64),
}

impl Stalled {
    /// True if something was to be written at the last look and nothing has been since.
    fn look(&mut self, is_asked: bool, commits: u64) -> bool {
        let stalled = self.last == (true, commits) && is_asked;
        self.last = (is_asked, commits);
        stalled
    }
}

impl Daemon {
    fn relay_for(&mut self, request: &Request<'_>) -> Option<&mut Relay> {
        self.relay.as_mut().filter(|_| Relay::serves(request.target.path()))
    }
}

impl Daemon {
    /// What operators and their programs ask for. `None` for what is for everybody.
    fn operators_request(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Option<Reply> {
        match request.target.path() {
            "/healthz" => Some(reading(request, || self.health().into())),
            "/metrics" if self.may_see_metrics(caller, request) => Some(reading(request, || {
                self.scrapers.push(caller.id);
                actions.ask_figures();
                Reply::Later
            })),
            "/metrics" => Some(nothing_here().into()),
            _ if self.metrics_at.contains(&caller.entrance) => Some(nothing_here().into()),
            _ => None,
        }
    }

    fn health(&self) -> Response {
        match self.draining {
            false => Response::text(Status::OK, "ok"),
            true => Response::text(Status::SERVICE_UNAVAILABLE, "draining"),
        }
    }

    /// Metrics are for the operator. Where they have no entrance of their own, who comes from this machine itself is taken
    /// for the operator, unless they come for somebody else: what a proxy on this machine passes on, it says so of.
    fn may_see_metrics(&self, caller: Caller, request: &Request<'_>) -> bool {
        if !self.metrics_at.is_empty() {
            return self.metrics_at.contains(&caller.entrance);
        }
        let is_near = caller.client.address.is_none_or(|address| address.is_loopback());
        is_near && FORWARDED.iter().all(|name| request.headers.value(name).is_none())
    }

    fn metrics(&self, figures: &Figures) -> Response {
        let (live, store) = (&self.live, self.live.store());
        let reading = Reading {
            figures,
            counts: &live.counts,
            log_ins: live.api.log_ins(),
            commits: store.commits(),
            writes: store.writes_under_way(),
            reads: store.reads_under_way(),
            chat_sessions: live.seats.len(),
            chat_rooms: live.chat.rooms(),
            relay_members: self.relay.as_ref().map_or(0, Relay::members),
            relay_rooms: self.relay.as_ref().map_or(0, Relay::rooms),
            draining: self.draining,
            usage: Usage::now(self.started),
        };
        reading.response()
    }

    /// Gives whoever watches over the process the sign of life that is due; not while the store is out of order, since a
    /// process that cannot keep anything is better started anew.
    fn beat(&mut self, now: Instant) {
        let store = self.live.store();
        let (is_asked, commits) = (store.writes_under_way().requests > 0, store.commits().count());
        let (is_sound, stalled) = (self.live.is_sound(), &mut self.stalled);
        self.supervisor.beat(now, |every| {
            let is_stalled = stalled.look(is_asked, commits);
            if is_stalled {
                log::error!(
                    "the store has written nothing for {} s, and is asked to",
                    every.as_secs()
                );
            }
            is_sound && !is_stalled
        });
    }
}

/// Answers a request that only reads.
fn reading(request: &Request<'_>, answer: impl FnOnce() -> Reply) -> Reply {
    match request.method {
        Method::Get | Method::Head => answer(),
        Method::Other(_) => Response::not_implemented().into(),
        _ => Response::method_not_allowed("GET, HEAD").into(),
    }
}

fn nothing_here() -> Response {
    Response::error(Status::NOT_FOUND, "not_found", "There is nothing here.")
}

/// Fields that proxies add to what they pass on: any of them means that somebody else asks.
const FORWARDED: [&str; 4] = ["x-forwarded-for", "forwarded", "x-real-ip", "via"];

impl Service for Daemon {
    fn on_request(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Reply {
        if let Some(reply) = self.operators_request(caller, request, actions) {
            return reply;
        }
        if let Some(relay) = self.relay_for(request) {
            return relay.on_request(caller, request, actions);
        }
        let path = request.target.path();
        if Api::serves(path) {
            let asker = Asker::of(caller);
            return self.live.tell_api(actions, |api, turn| api.request(asker, request, turn));
        }
        if path == socket::PATH {
            return socket::not_upgraded().into();
        }
        match self.page.asset(path) {
            Some(asset) => reading(request, || asset.into()),
            None => nothing_here().into(),
        }
    }

    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
        if self.metrics_at.contains(&caller.entrance) {
            return Err(nothing_here());
        }
        if request.target.path() == socket::PATH {
            return socket::upgrade(&mut self.live, caller, request, actions);
        }
        match self.relay_for(request) {
            Some(relay) => relay.on_upgrade(caller, request, actions),
            None => Err(Response::error(Status::NOT_FOUND, "not_found", "No WebSocket is here.")),
        }
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        if self.live.seats.has(id) {
            socket::on_message(&mut self.live, id, message, actions);
        } else if let Some(relay) = &mut self.relay {
            relay.on_message(id, message, actions);
        }
    }

    fn on_close(&mut self, id: ConnId, ending: Ending, actions: &mut Actions) {
        socket::on_close(&mut self.live, id, actions);
        if let Some(relay) = &mut self.relay {
            relay.on_close(id, ending, actions);
        }
    }

    fn on_wake(&mut self, actions: &mut Actions) {
        self.live.on_wake(actions);
        if self.stop.is_asked() && !self.draining {
            let seconds = self.drain_over.as_secs();
            log::info!("told to end: closing all connections within {seconds} s");
            self.supervisor.stopping();
            self.draining = true;
            actions.drain_over(self.drain_over, chance::bits64());
        }
        if !self.live.is_sound() && !self.failed {
            log::error!(
                "a worker thread has ended: stopping, since nothing can be promised any more"
            );
            self.failed = true;
            self.draining = true;
            actions.drain();
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.live.next_deadline().into_iter().chain(self.supervisor.next_beat()).min()
    }

    fn on_deadline(&mut self, actions: &mut Actions) {
        self.live.tell(actions, Chat::tick);
        self.beat(actions.now());
    }

    fn on_figures(&mut self, figures: &Figures, actions: &mut Actions) {
        let response = self.metrics(figures);
        for scraper in self.scrapers.drain(..) {
            actions.respond(scraper, response.clone());
        }
    }

    fn on_turn_end(&mut self, actions: &mut Actions) {
        self.live.on_turn_end(actions);
    }

    fn close_code(&self, id: ConnId, cause: Cause) -> CloseCode {
        match self.live.seats.has(id) {
            true => socket::close_code(cause),
            false => cause.close_code(),
        }
    }
}
