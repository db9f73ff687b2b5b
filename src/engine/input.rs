//! From readiness to the service: reading sockets, and what the protocols make of the bytes.
//!
//! Owns step 2 of a turn: one buffer-full from each ready connection, cut into requests and messages, each handed to the
//! service, whose actions are applied before the next. What a budget or a slow peer leaves unread is kept with its
//! connection and comes first next time.

use std::collections::VecDeque;
use std::io::Read;
use std::time::{Duration, Instant};

use super::conn::{Conn, HttpTurn, Phase};
use super::ending::Ending;
use super::ids::ConnId;
use super::lists::Lists;
use super::service::{Caller, Reply, Service, Upgrade};
use super::socket::would_wait;
use super::{Actions, Client, Engine, draining, figures};
use crate::config;
use crate::http::{Exchange, Reader, Request, Response, Status};
use crate::ws::{
    CloseCode, Connection, Deflate, Event, Frame, Offer, Origins, Refusal, Role, is_upgrade,
};

/// What a request leads to, once nothing borrows from it any more.
enum Outcome {
    Respond(Response, Exchange),
    Refuse { reason: &'static str, response: Response, exchange: Exchange },
    Await(Exchange),
    Open { answer: Vec<u8>, deflate: Option<Deflate>, member: bool },
}

/// What one connection that is ready may bring into a turn.
struct Share {
    time: Duration,
    bytes: usize,
}

impl Engine {
    /// Reads the connections that are ready, within the turn's budgets.
    pub(super) fn read_ready(&mut self, service: &mut impl Service) {
        let mut receive = std::mem::take(&mut self.receive);
        let times = config::READ_TIME_PER_TURN;
        let share = self.share_of_ready();
        self.slice = share.time;
        let first = &mut receive[..share.bytes];
        self.read_list(|lists| &mut lists.ready, times.ready, first, service);
        self.slice = config::READ_TIME_WHEN_BUSY;
        self.read_list(|lists| &mut lists.busy, times.busy, &mut receive, service);
        self.read_list(|lists| &mut lists.arriving, times.arriving, &mut receive, service);
        self.receive = receive;
    }

    /// What each of those who are ready may bring before it counts as busy: the more there are, the less, so that who says
    /// little and comes last does not wait for many turns.
    fn share_of_ready(&self) -> Share {
        let crowd = self.lists.ready.len().max(1);
        let least = config::RECEIVE_BYTES_IN_A_CROWD;
        let time = config::READ_TIME_PER_TURN.ready / u32::try_from(crowd).unwrap_or(u32::MAX);
        Share {
            time: time.min(config::READ_TIME_WHEN_READY),
            bytes: (config::RECEIVE_BYTES_PER_TURN / crowd).clamp(least, config::RECEIVE_BYTES),
        }
    }

    fn read_list(
        &mut self,
        list: impl Fn(&mut Lists) -> &mut VecDeque<ConnId>,
        time: Duration,
        receive: &mut [u8],
        service: &mut impl Service,
    ) {
        let listed = list(&mut self.lists).len();
        // One alone is over soon enough, and what it says need not pay for looking at the clock.
        let until = (listed > 1).then(|| Instant::now() + time);
        let mut bytes = config::RECEIVE_BYTES_PER_TURN;
        for _ in 0..listed {
            let Some(id) = list(&mut self.lists).pop_front() else { return };
            bytes = bytes.saturating_sub(self.read(id, receive, service));
            if bytes == 0 || until.is_some_and(|until| Instant::now() >= until) {
                return;
            }
        }
    }

    /// Reads one connection once, what was left unread before anything new. Answers with the bytes used; those kept for
    /// later do not count, or sixteen who bring a buffer-full would use up a turn's bytes in a fraction of its time.
    fn read(&mut self, id: ConnId, receive: &mut [u8], service: &mut impl Service) -> usize {
        let Some(conn) = self.slots.find(id) else { return 0 };
        conn.flags.ready = false;
        if conn.is_paused() {
            if conn.flags.read_ended {
                self.check_paused(id);
            }
            return 0;
        }
        if conn.flags.unread {
            conn.flags.unread = false;
            // There may be news in the socket as well, whose edge has been seen already.
            self.lists.read_on_later(conn);
            let mut unread = self.unread.remove(&id).unwrap_or_default();
            return self.take_in(id, &mut unread, service);
        }
        match conn.socket.read(receive) {
            Ok(0) => self.peer_ended(id),
            Ok(received) => {
                self.counters.received_bytes += received as u64;
                let was_asked = conn.heard(self.tick);
                // A short read has emptied the socket: the next edge tells of more. Unless the end was seen already,
                // which has no second edge.
                if received == receive.len() {
                    self.lists.read_on_later(conn);
                } else if conn.flags.read_ended {
                    self.lists.read_later(conn);
                }
                if was_asked {
                    self.schedule(id);
                }
                return self.take_in(id, &mut receive[..received], service);
            }
            Err(e) if would_wait(&e) => {}
            Err(_) => self.kill(id, Ending::Lost),
        }
        0
    }

    /// Hands input to the protocol of the connection's phase until it is used up, or until the connection has had its
    /// share of this turn. Answers with the bytes used.
    fn take_in(&mut self, id: ConnId, input: &mut [u8], service: &mut impl Service) -> usize {
        let mut taken = 0;
        let mut budget = config::MESSAGE_BYTES_PER_TURN;
        let (mut events, mut until) = (0u32, None);
        while taken < input.len() {
            let weighs = self.audiences.weight_bytes() >= config::FANOUT_BYTES_PER_TURN;
            if events > 0 && (weighs || events % config::EVENTS_PER_LOOK == 0) {
                let now = Instant::now();
                if weighs || now >= *until.get_or_insert(now + self.slice) {
                    budget = 0;
                }
            }
            events += 1;
            let Some(conn) = self.slots.find(id) else { return taken };
            if conn.is_paused() || budget == 0 {
                if !conn.has_heard_all() {
                    conn.flags.unread = true;
                    self.lists.read_on_later(conn);
                    self.unread.insert(id, input[taken..].to_vec());
                }
                break;
            }
            taken += match conn.phase {
                Phase::Http(ref http) => match http.turn {
                    HttpTurn::Preface(_) => self.read_preface(id, &input[taken..]),
                    HttpTurn::TurnedAway(why) => {
                        self.refuse_client(id, why);
                        input.len() - taken
                    }
                    _ => self.next_request(id, &input[taken..], service),
                },
                Phase::Open(_) => self.next_event(id, &mut input[taken..], &mut budget, service),
                Phase::Lingering { .. } | Phase::Dead => break,
            };
        }
        self.charge(id);
        taken
    }

    /// Reads towards the header with which a trusted proxy begins. Answers with the bytes used.
    fn read_preface(&mut self, id: ConnId, input: &[u8]) -> usize {
        let Some(Conn { phase: Phase::Http(http), .. }) = self.slots.find(id) else { return 0 };
        let HttpTurn::Preface(header) = &mut http.turn else { return 0 };
        let mut rest = input;
        match header.next(&mut rest) {
            Ok(None) => {}
            Ok(Some(source)) => {
                http.client = http.client.behind(source);
                http.turn = HttpTurn::First;
                let client = http.client;
                self.name(id, client);
            }
            Err(fault) => {
                log::warn!(conn = id.generation, peer:% = http.peer; "a proxy does not say who it comes for: {fault}");
                self.respond(id, (&fault).into(), &Exchange::broken());
                return input.len();
            }
        }
        input.len() - rest.len()
    }

    /// Reads towards one request and, when it is whole, asks the service. Answers with the bytes used.
    fn next_request(&mut self, id: ConnId, input: &[u8], service: &mut impl Service) -> usize {
        let Some(conn) = self.slots.find(id) else { return 0 };
        let Phase::Http(http) = &mut conn.phase else { return 0 };
        let (peer, mut client, entrance) = (http.peer, http.client, http.entrance);
        let mut rest = input;
        let begins = http.reader.is_idle();
        let mut named = None;
        let outcome = match http.reader.next_request(&mut rest, &self.config.http) {
            Ok(None) => None,
            Ok(Some(request)) if self.drain.refuses() && is_upgrade(&request) => {
                let seconds = self.door.seconds_from(Duration::from_secs(2));
                Some(refuse("draining", draining::refusal(seconds), &request))
            }
            Ok(Some(request)) => match client.asking(&request, &self.config.trusted) {
                Ok(asking) => {
                    if !self.told_of_proxy && client.seems_a_proxy(&request, &self.config.trusted) {
                        self.told_of_proxy = true;
                        log::warn!(
                            conn = id.generation, peer:%;
                            "a proxy on this machine says for whom it comes, and is not trusted: all its clients count as one"
                        );
                    }
                    // A proxy's connection becomes its client's own when it is upgraded.
                    let is_proxys = client.is_trusted(&self.config.trusted);
                    named = (is_proxys && is_upgrade(&request)).then_some(asking);
                    client = asking;
                    let caller = Caller { id, peer, client, entrance };
                    Some(match named.map_or(Ok(()), |client| self.door.admit(client, self.now)) {
                        Ok(()) => {
                            let origins = &self.config.origins;
                            ask(service, origins, caller, &request, &mut self.actions)
                        }
                        Err(why) => refuse(why.code(), self.door.response(why), &request),
                    })
                }
                Err(fault) => {
                    let response = Response::from(&fault).closing();
                    Some(Outcome::Respond(response, request.exchange()))
                }
            },
            Err(fault) => Some(Outcome::Respond((&fault).into(), http.reader.broken_exchange())),
        };
        let used = input.len() - rest.len();
        match outcome {
            Some(outcome) => self.conclude(id, client, named.is_some(), outcome),
            None if begins => {
                conn.mark = self.tick;
                self.schedule(id);
            }
            None => {}
        }
        self.apply_actions(service);
        used
    }

    /// `becomes_theirs`: the connection is this client's alone once it is upgraded, and not before.
    fn conclude(&mut self, id: ConnId, client: Client, becomes_theirs: bool, outcome: Outcome) {
        match outcome {
            Outcome::Respond(response, exchange) => self.respond(id, response, &exchange),
            Outcome::Refuse { reason, response, exchange } => {
                self.counters.handshakes_refused.add(reason);
                log::info!(conn = id.generation, client:%; "a handshake is refused: {reason}");
                self.respond(id, response, &exchange);
            }
            Outcome::Await(exchange) => {
                let Some(conn) = self.slots.find(id) else { return };
                let Phase::Http(http) = &mut conn.phase else { return };
                http.turn = HttpTurn::Answer(exchange);
                http.reader = Reader::new(); // the service has the request, and has taken of it what it needs
                conn.mark = self.tick;
                conn.flags.paused = true;
                self.schedule(id);
            }
            Outcome::Open { answer, deflate, member } => {
                self.end_waiting(id);
                if becomes_theirs {
                    self.door.name(id, client, false);
                }
                let Some(conn) = self.slots.find(id) else { return };
                self.counters.handshakes += 1;
                if !matches!(&conn.phase, Phase::Http(http) if Client::of(http.peer) == client) {
                    self.behind_proxies.insert(id, client);
                }
                self.drain.tell_now(id, self.now);
                conn.flags.member = member;
                conn.phase = Phase::Open(Connection::new(Role::Server, deflate));
                conn.mark = self.tick;
                conn.queue_response(answer, &mut self.pool);
                self.lists.flush_later(conn);
                self.schedule(id);
            }
        }
    }

    /// Sends a response, and hears the next request or none as the exchange and the response want it.
    pub(super) fn respond(&mut self, id: ConnId, response: Response, exchange: &Exchange) {
        let response = if self.drain.is_on() { response.closing() } else { response };
        let bytes = response.encode(exchange, &self.date());
        let Some(conn) = self.slots.find(id) else { return };
        let Phase::Http(http) = &mut conn.phase else { return };
        self.counters.responses.add(response.status_for(exchange).number());
        http.turn = if response.closes(exchange) { HttpTurn::Last } else { HttpTurn::Next };
        let is_last = matches!(http.turn, HttpTurn::Last);
        http.reader = Reader::new(); // gives back what the request had to own
        conn.mark = self.tick;
        conn.queue_response(bytes, &mut self.pool);
        conn.flags.paused = is_last;
        self.lists.flush_later(conn);
        if is_last {
            self.forget_unread(id);
        } else if !conn.flags.paused {
            self.lists.read_later(conn);
        }
        self.schedule(id);
        self.recount_unfinished(id);
        if self.is_pressed() {
            self.relieve();
        }
    }

    /// 408 to a peer whose request is late.
    pub(super) fn refuse_late_request(&mut self, id: ConnId) {
        let late = "The request took too long to arrive.";
        let response = Response::error(Status::REQUEST_TIMEOUT, "late", late).closing();
        self.respond(id, response, &Exchange::broken());
    }

    /// 503 to a peer whose request would be one too many that is not whole.
    fn refuse_one_request_more(&mut self, id: ConnId) {
        let full = "The server holds too many unfinished requests.";
        let response = Response::error(Status::SERVICE_UNAVAILABLE, "overloaded", full);
        let seconds = self.door.seconds_from(Duration::from_secs(2));
        let response = response.header("Retry-After", seconds.to_string()).closing();
        self.respond(id, response, &Exchange::broken());
    }

    /// What was read of a connection and put off will not be heard.
    fn forget_unread(&mut self, id: ConnId) {
        if let Some(conn) = self.slots.find(id) {
            conn.flags.unread = false;
        }
        self.unread.remove(&id);
    }

    /// Reads one frame or message and deals with it. Answers with the bytes used.
    fn next_event(
        &mut self,
        id: ConnId,
        input: &mut [u8],
        budget: &mut usize,
        service: &mut impl Service,
    ) -> usize {
        let Some(Conn { phase: Phase::Open(protocol), .. }) = self.slots.find(id) else { return 0 };
        let length = input.len();
        let mut rest = input;
        let event = match protocol.next_event(&mut rest, &mut self.codec) {
            Ok(None) => return length - rest.len(),
            Ok(Some(event)) => event,
            Err(fault) => {
                self.fail(id, fault);
                return length;
            }
        };
        let is_admitted = self.rates.admits(id, self.tick);
        match event {
            Event::Close(close) => {
                let code = close.map(|close| close.code);
                self.answer_close(id, code);
                return length;
            }
            _ if !is_admitted => {
                let client = self.client(id);
                log::info!(conn = id.generation, client:%; "more frames a second than allowed: closing");
                self.close(id, CloseCode::POLICY, "more frames a second than allowed");
            }
            Event::Message(message) => {
                self.counters.messages += 1;
                *budget = budget.saturating_sub(message.payload().len());
                service.on_message(id, message, &mut self.actions);
            }
            Event::Ping(payload) => {
                let pong = Frame::pong(payload);
                self.send(id, pong);
            }
            Event::Pong(_) => {}
        }
        let used = length - rest.len();
        self.apply_actions(service);
        used
    }

    /// The peer will send no more. Without a closing handshake before it that is a loss; what is queued is still sent.
    fn peer_ended(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        match &mut conn.phase {
            Phase::Lingering { peer_ended } => *peer_ended = true,
            // What it has asked for it may still take, and has as long for that as others.
            Phase::Http(http) => {
                http.turn = HttpTurn::Last;
                http.reader = Reader::new();
                conn.flags.paused = true;
                self.recount_unfinished(id);
            }
            Phase::Open(_) => {
                self.depart(id, Ending::Lost);
                self.linger(id, true);
            }
            Phase::Dead => return,
        }
        let Some(conn) = self.slots.find(id) else { return };
        self.lists.flush_later(conn);
        if conn.outbox_bytes() == 0 {
            self.kill(id, Ending::Lost);
        }
    }

    /// A paused connection is not read, so its end shows only in the socket's error.
    fn check_paused(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        if !conn.socket.is_sound() {
            self.kill(id, Ending::Lost);
        }
    }

    /// Charges what the connection now holds to the budget that all share. Over it, the connection that asked for more
    /// goes: it may try again later. A request that the service has begun on is answered for all that, and what came behind it
    /// is not.
    fn charge(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        let before = conn.charged;
        self.recount_unfinished(id);
        let Some(conn) = self.slots.find(id) else { return };
        if conn.charged <= before || !self.unfinished.is_over(conn.standing()) {
            return;
        }
        match &mut conn.phase {
            Phase::Http(http) => match &mut http.turn {
                HttpTurn::Answer(exchange) => {
                    exchange.close();
                    self.forget_unread(id);
                    self.recount_unfinished(id);
                }
                _ => self.refuse_one_request_more(id),
            },
            _ => {
                self.close(
                    id,
                    CloseCode::TRY_AGAIN,
                    "the server holds too many unfinished messages",
                );
                self.linger(id, false);
            }
        }
    }

    /// Charges what the connection now holds, be it more than before or less.
    pub(super) fn recount_unfinished(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        let unread =
            if conn.flags.unread { self.unread.get(&id).map_or(0, Vec::capacity) } else { 0 };
        let held = u32::try_from(conn.partial_bytes() + unread).unwrap_or(u32::MAX);
        let before = std::mem::replace(&mut conn.charged, held);
        self.unfinished.change(conn.standing(), before, held);
    }
}

/// What the service makes of a request. A handshake reaches it only when it is valid and its origin is admitted.
fn ask(
    service: &mut impl Service,
    origins: &Origins,
    caller: Caller,
    request: &Request<'_>,
    actions: &mut Actions,
) -> Outcome {
    if !is_upgrade(request) {
        return match service.on_request(caller, request, actions) {
            Reply::Now(response) => Outcome::Respond(response, request.exchange()),
            Reply::Later => Outcome::Await(request.exchange()),
        };
    }
    match Offer::parse(request) {
        Err(refusal) => refuse(figures::reason(refusal), (&refusal).into(), request),
        Ok(offer) if !origins.admits(offer.origin(), request.host()) => {
            refuse(figures::reason(Refusal::Origin), (&Refusal::Origin).into(), request)
        }
        Ok(offer) => match service.on_upgrade(caller, request, actions) {
            Ok(upgrade) => open(&offer, upgrade, request),
            Err(response) => refuse(response.status().code(), response, request),
        },
    }
}

/// What is pipelined behind a refused handshake may be frames: it is never read as a request.
fn refuse(reason: &'static str, response: Response, request: &Request<'_>) -> Outcome {
    Outcome::Refuse { reason, response: response.closing(), exchange: request.exchange() }
}

/// The answer to a granted handshake. A subprotocol that was not offered is the service's mistake: 500.
fn open(offer: &Offer<'_>, upgrade: Upgrade, request: &Request<'_>) -> Outcome {
    let deflate = offer.deflate();
    match offer.accept(upgrade.subprotocol, deflate) {
        Ok(answer) => Outcome::Open { answer, deflate, member: upgrade.member },
        Err(misuse) => {
            log::error!("a handshake was granted with what was not offered: {misuse}");
            let sorry = "The server answered this handshake wrongly.";
            let response = Response::error(Status::INTERNAL_SERVER_ERROR, "internal", sorry);
            Outcome::Respond(response.closing(), request.exchange())
        }
    }
}
