//! The executable's service: what each path leads to.
//!
//! Owns the routing of requests between the page, the probes and the raw rooms, and the process around the loop:
//! sockets to listen on, signals, the first line on standard output. Each destination lives in a module of its own.
//!
//! Paths are matched against fixed tables as they stand in the request line; nothing a peer sends ever becomes a file
//! name.

mod page;
mod sockets;
mod stop;

use std::io::{self, Write};

use self::page::Page;
use self::sockets::Bound;
use self::stop::StopSignals;
use crate::cli::{Serve, Switch};
use crate::engine::{Actions, Caller, ConnId, Ending, Engine, Reply, Service, Upgrade};
use crate::http::{Method, Request, Response, Status};
use crate::relay::Relay;
use crate::ws::Message;

/// Serves until SIGTERM or SIGINT, and says on standard output where.
///
/// # Errors
/// When an address cannot be listened on, or the loop fails: a message for the operator.
pub fn serve(options: &Serve) -> io::Result<()> {
    start_logging(options.log);
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    let mut engine = Engine::new(options.config(descriptors))?;
    let bound = Bound::listen(&options.listen, &mut engine)?;
    let stop = StopSignals::watch(engine.waker())?;
    announce(&bound)?;

    let relay = (options.relay == Switch::On).then(Relay::new);
    let mut daemon = Daemon { relay, page: Page::new(), stop };
    engine.run(&mut daemon)
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
    stop: StopSignals,
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
        let found = match request.target.path() {
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
        match self.relay_for(request) {
            Some(relay) => relay.on_upgrade(caller, request, actions),
            None => Err(Response::error(Status::NOT_FOUND, "not_found", "No WebSocket is here.")),
        }
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        if let Some(relay) = &mut self.relay {
            relay.on_message(id, message, actions);
        }
    }

    fn on_close(&mut self, id: ConnId, ending: Ending, actions: &mut Actions) {
        if let Some(relay) = &mut self.relay {
            relay.on_close(id, ending, actions);
        }
    }

    fn on_wake(&mut self, actions: &mut Actions) {
        if self.stop.is_asked() {
            log::info!("stopping: closing all connections");
            actions.drain();
        }
    }
}
