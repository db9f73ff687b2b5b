//! The executable's service: what each path leads to.
//!
//! Owns the routing of requests between the page, the probes, the chat and the raw rooms, and the process around the loop:
//! sockets to listen on, signals, the data file, the first line on standard output. Each destination lives in a module of
//! its own.
//!
//! | path | module |
//! | --- | --- |
//! | `/ws` | `socket`: sessions of the chat, of which `seats` keeps count |
//! | `/api/…` | `api`: REST; behind it `accounts`, `passwords`, `tokens`, `cookies`, `throttle` |
//! | `/relay/ROOM`, `/echo` | [`crate::relay`] |
//! | all others | `page` |
//!
//! What the chat and the accounts want done is done by `live`; what is sent and read as JSON is `wire`'s.
//!
//! Paths are matched against fixed tables as they stand in the request line; nothing a peer sends ever becomes a file
//! name.

mod accounts;
mod api;
mod chance;
mod close_code;
mod cookies;
mod live;
mod page;
mod passwords;
mod seats;
mod socket;
mod sockets;
mod stop;
mod throttle;
mod tokens;
mod turn;
pub mod wire;

use std::io::{self, Write};
use std::time::Instant;

use self::api::{Api, Asker};
use self::live::{Live, wake_by};
use self::page::Page;
use self::sockets::Bound;
use self::stop::StopSignals;
use crate::chat::Chat;
use crate::cli::{Registration, Serve, Switch};
use crate::engine::{Actions, Caller, Cause, ConnId, Ending, Engine, Reply, Service, Upgrade};
use crate::http::{Method, Request, Response, Status};
use crate::relay::Relay;
use crate::store::Store;
use crate::ws::{CloseCode, Message};

/// Serves until SIGTERM or SIGINT, and says on standard output where.
///
/// # Errors
/// When an address cannot be listened on, the data file cannot be opened, or the loop fails: a message for the operator.
pub fn serve(options: &Serve) -> io::Result<()> {
    start_logging(options.log);
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let config = options.config(descriptors);
    let mut engine = Engine::new(config.clone())?;
    let bound = Bound::listen(&options.listen, &mut engine)?;
    let opened =
        Store::open(&options.place(), wake_by(engine.waker())).map_err(io::Error::other)?;
    let registration = options.registration == Registration::Open;
    let live = Live::start(opened, options.limits(), registration, engine.waker(), &config)?;
    let stop = StopSignals::watch(engine.waker())?;
    announce(&bound)?;

    let relay = (options.relay == Switch::On).then(Relay::new);
    let mut daemon = Daemon { relay, page: Page::new(), live, stop, failed: false };
    let ended = engine.run(&mut daemon);
    daemon.live.close();
    match daemon.failed {
        true => Err(io::Error::other("a worker thread has failed: see the log")),
        false => ended,
    }
}

fn start_logging(level: log::LevelFilter) {
    // Fails only when a logger is set already, which then serves.
    let _ = simple_logger::SimpleLogger::new().with_level(level).with_utc_timestamps().init();
}

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
    /// A thread has gone: nothing can be promised any more.
    failed: bool,
}

impl Daemon {
    fn relay_for(&mut self, request: &Request<'_>) -> Option<&mut Relay> {
        self.relay.as_mut().filter(|_| Relay::serves(request.target.path()))
    }
}

impl Service for Daemon {
    fn on_request(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Reply {
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
        let found = match path {
            "/healthz" => Some(Response::text(Status::OK, "ok")),
            path => self.page.asset(path),
        };
        let response = match (found, request.method) {
            (None, _) => Response::error(Status::NOT_FOUND, "not_found", "There is nothing here."),
            (Some(found), Method::Get | Method::Head) => found,
            (Some(_), Method::Other(_)) => Response::not_implemented(),
            (Some(_), _) => Response::method_not_allowed("GET, HEAD"),
        };
        response.into()
    }

    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
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
        if self.stop.is_asked() {
            log::info!("stopping: closing all connections");
            actions.drain();
        }
        if !self.live.is_sound() && !self.failed {
            log::error!(
                "a worker thread has ended: stopping, since nothing can be promised any more"
            );
            self.failed = true;
            actions.drain();
        }
    }

    fn next_deadline(&self) -> Option<Instant> {
        self.live.next_deadline()
    }

    fn on_deadline(&mut self, actions: &mut Actions) {
        self.live.tell(actions, Chat::tick);
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
