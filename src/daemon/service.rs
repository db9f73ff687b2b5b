//! The executable's service: what each path leads to, and what the process is told from outside.
//!
//! Owns the routing of requests between the page, the probes, the chat and the raw rooms; that it ends when it is told to;
//! and what whoever watches over it is told. Each destination lives in a module of its own.
//!
//! Paths are matched against fixed tables as they stand in the request line; nothing a peer sends ever becomes a file
//! name.

use std::time::{Duration, Instant, SystemTime};

use super::api::{Api, Asker};
use super::live::Live;
use super::metrics::Reading;
use super::page::Page;
use super::process::Usage;
use super::stop::StopSignals;
use super::supervisor::Supervisor;
use super::{chance, socket};
use crate::chat::Chat;
use crate::engine::{
    Actions, Caller, Cause, ConnId, Ending, Entrance, Figures, Reply, Service, Upgrade,
};
use crate::http::{Method, Request, Response, Status};
use crate::relay::Relay;
use crate::ws::{CloseCode, Message};

/// The executable's service.
pub(super) struct Daemon {
    pub(super) relay: Option<Relay>,
    pub(super) page: Page,
    pub(super) live: Live,
    pub(super) stop: StopSignals,
    pub(super) supervisor: Supervisor,
    /// The entrances where metrics are served and nothing else; if there is none, they are served to this machine.
    pub(super) metrics_at: Vec<Entrance>,
    /// Who waits for metrics.
    pub(super) scrapers: Vec<ConnId>,
    pub(super) started: SystemTime,
    pub(super) drain_over: Duration,
    pub(super) draining: bool,
    pub(super) stalled: Stalled,
    /// A thread has gone: nothing can be promised any more.
    pub(super) failed: bool,
}

/// Tells a store that works from one that does not answer, by looking at it now and then.
#[derive(Debug, Default)]
pub(super) struct Stalled {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_store_is_stalled_when_it_is_asked_at_two_looks_and_has_done_nothing_between() {
        let mut stalled = Stalled::default();
        for (is_asked, commits, expected) in [
            (true, 0, false),
            (true, 1, false),
            (true, 1, true),
            (true, 1, true),
            (false, 1, false),
            (true, 1, false),
            (true, 2, false),
        ] {
            assert_eq!(stalled.look(is_asked, commits), expected, "{is_asked} {commits}");
        }
    }
}
