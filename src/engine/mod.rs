//! The event loop: the only place that knows sockets and the clock.
//!
//! Owns every connection from accept to close, and when things happen. It never knows what a message means: a
//! [`Service`] does, and records what it wants in [`Actions`].
//!
//! # A turn
//!
//! 1. *Wait* for readiness, the next deadline, or a [`Waker`].
//! 2. *Read* every ready connection, a buffer-full at most, and hand its requests and messages to the service: those who
//!    are in first, and of them those first who say little. Who says much is found out by reading: the more are ready, the
//!    less each may say before it counts as busy.
//! 3. *Wake*: when a worker has something, the service takes it in.
//! 4. *Accept*: those at the door come after those inside.
//! 5. *Deadlines*: late heads, pings, silence, slow closes; then the service's own.
//! 6. *Reap*: the service is told who has gone; slots are freed. Nowhere else.
//! 7. *Turn's end*: the service hands on what the turn has brought, to a worker perhaps, as one batch.
//! 8. *Flush* every connection with something queued for it, its part of what the turn published behind it.
//! 9. *Publish*: what the turn published to an audience is joined once, and each other member is sent its slice.
//!
//! What a budget leaves undone comes first in the next turn, which then does not wait.
//!
//! # Where to look
//!
//! | what | where |
//! | --- | --- |
//! | the words of those who use it | `service`, `actions`, `client`, `ending`, `figures`, `ids`, `conn_map`, `waker` |
//! | coming in, or not | `listener`, `door`, `admission`, `doorstep`, `throttle` |
//! | a connection | `conn`, `socket`, `slots`; `lists` has what is to be done about which |
//! | what it sends | `input`, `rate`, `unfinished` |
//! | what it is sent | `output`, `outbox`, `audience`, `membership`, `round`, `pressure` |
//! | what becomes due | `deadline`, `overdue`, `draining` |
//!
//! # Invariants
//!
//! * No connection is read, and none written, more than its budget in one turn: a busy peer never starves the rest.
//! * A service's callback changes nothing by itself: actions are applied after it, in the order recorded.
//! * What one connection is sent keeps the order in which it was asked for, publications included; only what one turn
//!   publishes to two audiences may come in either order.
//! * Every connection that was upgraded is told of exactly once by `on_close`.
//! * Memory grows with what peers have sent and not with what they promise, and is given back when they go.

mod actions;
mod admission;
mod audience;
mod client;
mod conn;
mod conn_map;
mod deadline;
mod door;
mod doorstep;
mod draining;
mod ending;
mod figures;
mod ids;
mod input;
mod listener;
mod lists;
mod membership;
mod outbox;
mod output;
mod overdue;
mod pressure;
mod rate;
mod round;
mod service;
mod slots;
mod socket;
pub(crate) mod throttle;
mod unfinished;
mod waker;

use std::collections::{HashMap, HashSet};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Poll};

pub use self::actions::Actions;
pub use self::client::Client;
pub use self::conn_map::ConnMap;
pub use self::ending::{Cause, Ending};
pub use self::figures::{Close, Counters, Figures, Tally};
pub use self::ids::{AudienceId, ConnId};
pub use self::listener::Entrance;
pub use self::service::{Caller, Reply, Service, Upgrade};
pub use self::socket::Peer;
pub use self::waker::Waker;

use self::audience::Audiences;
use self::conn::Conn;
use self::deadline::{Deadlines, Tick};
use self::door::Door;
use self::doorstep::Doorstep;
use self::draining::Drain;
use self::listener::{Listeners, ListeningSocket, WAKER, set_nodelay};
use self::lists::Lists;
use self::outbox::Pool;
use self::pressure::Pressure;
use self::rate::Rates;
use self::slots::Slots;
use self::unfinished::Unfinished;
use crate::config::{self, Config};
use crate::http::Date;
use crate::ws::Codec;

/// The loop and all its connections.
///
/// ```no_run
/// use wsrelay::{Config, engine::Engine, relay::Relay};
///
/// let mut engine = Engine::new(Config::default())?;
/// println!("listening on {}", engine.listen("127.0.0.1:8080".parse().unwrap())?);
/// engine.run(&mut Relay::new())?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct Engine {
    config: Config,
    poll: Poll,
    events: Events,
    waker: Waker,
    woken: bool,
    listeners: Listeners,

    slots: Slots,
    door: Door,
    doorstep: Doorstep,
    /// Who has one of the places that are kept.
    kept_places: HashSet<ConnId>,
    /// That there seems to be a proxy whom nobody has called trusted was told.
    told_of_proxy: bool,
    /// Who WebSockets are for that a trusted proxy has brought.
    behind_proxies: HashMap<ConnId, Client>,
    rates: Rates,
    audiences: Audiences,
    deadlines: Deadlines,
    codec: Codec,
    pool: Pool,
    pressure: Pressure,
    actions: Actions,
    /// The buffer that every socket is read into.
    receive: Box<[u8]>,
    /// How long one connection is read before it is another's turn.
    slice: Duration,
    /// Input that is read but not looked at yet: of connections that have had their share of a turn, or that do not take
    /// what they have asked for already.
    unread: HashMap<ConnId, Vec<u8>>,
    unfinished: Unfinished,
    lists: Lists,
    counters: Counters,

    /// When this turn's wait ended.
    now: Instant,
    /// When the last turn ended.
    ended: Instant,
    tick: Tick,
    /// The date as responses carry it, and the second since 1970 that it is for.
    date: (u64, Date),
    drain: Drain,
}

impl Engine {
    /// An engine that listens nowhere yet.
    ///
    /// # Errors
    /// When the kernel has no descriptors for the poller and the waker.
    pub fn new(config: Config) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        let now = Instant::now();
        Ok(Self {
            poll,
            events: Events::with_capacity(config::EVENTS_PER_TURN),
            waker: Waker::new(waker),
            woken: false,
            listeners: Listeners::default(),
            slots: Slots::default(),
            door: Door::new(&config, now),
            doorstep: Doorstep::default(),
            kept_places: HashSet::new(),
            told_of_proxy: false,
            behind_proxies: HashMap::new(),
            rates: Rates::new(config.rate_limit),
            audiences: Audiences::default(),
            deadlines: Deadlines::new(now),
            codec: Codec::new(config.ws),
            pool: Pool::default(),
            pressure: Pressure::new(config.outboxes_bytes_max),
            actions: Actions::new(now),
            receive: vec![0; config::RECEIVE_BYTES].into_boxed_slice(),
            slice: config::READ_TIME_WHEN_READY,
            unread: HashMap::new(),
            unfinished: Unfinished::new(&config.unfinished),
            lists: Lists::default(),
            counters: Counters::default(),
            now,
            ended: now,
            tick: Tick::default(),
            date: (0, Date::from_unix(0)),
            drain: Drain::No,
            config,
        })
    }

    /// Listens on a TCP address; port 0 takes a free one. Answers with the address taken. May be called again for more.
    ///
    /// # Errors
    /// When the address cannot be bound.
    pub fn listen(&mut self, address: SocketAddr) -> io::Result<SocketAddr> {
        let listener = std::net::TcpListener::bind(address)?;
        let address = listener.local_addr()?;
        self.listen_on(listener)?;
        Ok(address)
    }

    /// Accepts from a TCP socket that listens already, however it came to be.
    ///
    /// # Errors
    /// When it cannot be made non-blocking or watched.
    pub fn listen_on(&mut self, listener: std::net::TcpListener) -> io::Result<Entrance> {
        listener.set_nonblocking(true)?;
        let listener = mio::net::TcpListener::from_std(set_nodelay(listener)?);
        self.listeners.add(ListeningSocket::Tcp(listener), self.poll.registry())
    }

    /// Accepts from a Unix socket that listens already.
    ///
    /// # Errors
    /// When it cannot be made non-blocking or watched.
    pub fn listen_on_unix(
        &mut self,
        listener: std::os::unix::net::UnixListener,
    ) -> io::Result<Entrance> {
        listener.set_nonblocking(true)?;
        let listener = mio::net::UnixListener::from_std(listener);
        self.listeners.add(ListeningSocket::Unix(listener), self.poll.registry())
    }

    /// Says that a listening socket is held by somebody else as well, who will have a successor accept from it. So a
    /// [drain](Actions::drain) stops accepting from it at once: newcomers wait in the kernel's queue, and none is refused.
    pub fn share(&mut self, entrance: Entrance) {
        self.listeners.share(entrance);
    }

    /// Keeps a few places for those who come in at this entrance, whatever limits there are on connections: for whoever
    /// watches over the process, and has to see how it is just when it is full. Beyond them the limits hold there, too.
    pub fn keep_places(&mut self, entrance: Entrance) {
        self.listeners.keep_places(entrance);
    }

    /// For other threads to wake this loop.
    pub fn waker(&self) -> Waker {
        self.waker.clone()
    }

    /// Connections at this moment, in whatever phase.
    pub fn connections(&self) -> usize {
        self.slots.len()
    }

    /// Serves until a [drain](Actions::drain) has ended.
    ///
    /// # Errors
    /// When the poller fails; a connection's or a listener's failure is dealt with and logged.
    pub fn run(&mut self, service: &mut impl Service) -> io::Result<()> {
        self.now = Instant::now();
        self.ended = self.now;
        while !self.is_drained() {
            self.turn(service)?;
        }
        Ok(())
    }

    /// One turn of the loop. Never inlined, so that a profile can tell its work from that of others.
    #[inline(never)]
    fn turn(&mut self, service: &mut impl Service) -> io::Result<()> {
        self.wait(service)?;
        self.note_readiness();
        self.read_ready(service);
        if std::mem::take(&mut self.woken) {
            service.on_wake(&mut self.actions);
            if self.waker.takes_drain() {
                self.actions.drain();
            }
            self.apply_actions(service);
        }
        self.accept();
        self.clear_doorstep();
        self.pass_deadlines();
        self.go_on_draining(service);
        if service.next_deadline().is_some_and(|at| at <= self.now) {
            service.on_deadline(&mut self.actions);
            self.apply_actions(service);
        }
        self.close_slow_readers(service);
        self.reap(service);
        service.on_turn_end(&mut self.actions);
        self.apply_actions(service);
        // Who has become slow by that is out of all audiences before anything is sent: nobody hears what comes behind a gap.
        self.close_slow_readers(service);
        self.send_all();
        self.ended = Instant::now();
        self.counters.turns.note(self.ended - self.now);
        Ok(())
    }

    fn wait(&mut self, service: &impl Service) -> io::Result<()> {
        let timeout = self.timeout(self.ended, service.next_deadline());
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() == ErrorKind::Interrupted => self.events.clear(),
            result => result?,
        }
        let now = Instant::now();
        let away = (now - self.now).saturating_sub(timeout.unwrap_or(now - self.ended));
        if away > config::AWAY {
            log::warn!("nobody was served for {} ms: the process stood still", away.as_millis());
            // All of it: of what it was to wait, nobody knows how much it waited and how much it stood.
            self.deadlines.stand_still(now - self.now);
        }
        self.now = now;
        self.tick = self.deadlines.tick_at(self.now);
        self.actions.now = self.now;
        self.actions.wall = SystemTime::now();
        Ok(())
    }

    fn timeout(&self, now: Instant, service: Option<Instant>) -> Option<Duration> {
        if self.lists.are_undone() {
            return Some(Duration::ZERO);
        }
        let from_now = |at: Instant| at.saturating_duration_since(now);
        let accept = self.listeners.retry_at(now).map(from_now);
        let doorstep = self.doorstep.next().map(from_now);
        let drain = self.drain.next().map(from_now);
        let service = service.map(from_now);
        [self.deadlines.wait_from(now), accept, doorstep, drain, service]
            .into_iter()
            .flatten()
            .min()
    }

    fn note_readiness(&mut self) {
        for event in &self.events {
            let Some(id) = ConnId::of_token(event.token()) else {
                match event.token() {
                    WAKER => self.woken = true,
                    listener => self.listeners.note_ready(listener),
                }
                continue;
            };
            let Some(conn) = self.slots.find(id) else { continue };
            if event.is_writable() {
                conn.flags.blocked = false;
                self.lists.flush_later(conn);
            }
            if event.is_readable() || event.is_read_closed() || event.is_error() {
                conn.flags.read_ended |= event.is_read_closed() || event.is_error();
                self.lists.read_later(conn);
            }
        }
    }

    /// Who is at the far end of a connection, for the log: the kernel is asked, unless a proxy has told.
    fn client(&mut self, id: ConnId) -> Client {
        let of_peer = |conn: &mut Conn| Client::of(conn.socket.peer());
        match self.behind_proxies.get(&id) {
            Some(client) => *client,
            None => self.slots.find(id).map_or(Client::of(Peer::Unix), of_peer),
        }
    }

    /// The current date, rendered once a second.
    fn date(&mut self) -> Date {
        let since_epoch = self.actions.wall.duration_since(SystemTime::UNIX_EPOCH);
        let seconds = since_epoch.map_or(0, |since| since.as_secs());
        if self.date.0 != seconds {
            self.date = (seconds, Date::from_unix(seconds));
        }
        self.date.1
    }

    /// Tells the service who has gone, and frees the slots of those whose sockets are done with. Nothing else does.
    fn reap(&mut self, service: &mut impl Service) {
        while let Some((id, ending)) = self.lists.departed.pop_front() {
            service.on_close(id, ending, &mut self.actions);
            self.apply_actions(service);
        }
        if self.lists.dead.is_empty() {
            return;
        }
        for id in std::mem::take(&mut self.lists.dead) {
            self.end_waiting(id);
            let Some(conn) = self.slots.remove(id) else { continue };
            self.pool.note(conn.held_bytes(), 0);
            self.door.forget(id);
            self.kept_places.remove(&id);
            self.rates.remove(id);
            self.behind_proxies.remove(&id);
            self.unread.remove(&id);
        }
        self.slots.shrink();
        self.listeners.end_rest();
    }
}
