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
//! 8. *Flush* every connection with something of its own to send, its part of what the turn published behind it.
//! 9. *Publish*: what the turn published to an audience is joined once, and each other member is sent its slice.
//!
//! What a budget leaves undone comes first in the next turn, which then does not wait.
//!
//! # Invariants
//!
//! * No connection is read, and none written, more than its budget in one turn: a busy peer never starves the rest.
//! * A service's callback changes nothing by itself: actions are applied after it, in the order recorded.
//! * What one connection is sent keeps the order in which it was asked for, publications included.
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
mod figures;
mod ids;
mod input;
mod listener;
mod membership;
mod outbox;
mod output;
mod overdue;
mod pressure;
mod rate;
mod round;
mod slots;
mod socket;
pub(crate) mod throttle;
mod unfinished;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime};

use mio::{Events, Poll};

pub use self::actions::Actions;
pub use self::client::Client;
pub use self::conn_map::ConnMap;
pub use self::figures::{Close, Counters, Figures, Tally};
pub use self::ids::{AudienceId, ConnId};
pub use self::listener::Entrance;
pub use self::socket::Peer;

use self::audience::Audiences;
use self::conn::{Conn, Http, Phase};
use self::deadline::{Deadlines, Tick};
use self::door::Door;
use self::doorstep::Doorstep;
use self::draining::Drain;
use self::listener::{Listeners, ListeningSocket, WAKER, set_nodelay};
use self::outbox::Pool;
use self::pressure::Pressure;
use self::rate::Rates;
use self::slots::Slots;
use self::unfinished::Unfinished;
use crate::config::{self, Config};
use crate::http::{Date, Request, Response, Status};
use crate::ws::{CloseCode, Codec, Fault, Message};

/// What a program does with its connections. See `examples/echo.rs` for the smallest, [`Relay`](crate::relay::Relay)
/// for a useful one.
pub trait Service {
    /// A request that is not a WebSocket handshake: answer now, or [later](Reply::Later). Default: 404.
    fn on_request(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Reply {
        let _ = (caller, request, actions);
        Reply::Now(Response::error(Status::NOT_FOUND, "not_found", "There is nothing here."))
    }

    /// A valid opening handshake (RFC 6455 §4.2.1) from an admitted origin: open the connection, or refuse with a
    /// response. Actions recorded here are applied to the connection when it is open, after the handshake's answer.
    ///
    /// # Errors
    /// The response that refuses, such as 404 for a path that is no WebSocket.
    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response>;

    /// A whole message from an open connection. Text is valid UTF-8.
    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions);

    /// An open connection has begun to close, or is lost: nothing more comes from it or reaches it. Called once for
    /// every upgrade that was granted; it has left its audiences already.
    fn on_close(&mut self, id: ConnId, ending: Ending, actions: &mut Actions) {
        let _ = (id, ending, actions);
    }

    /// Somebody called [`Waker::wake`] since the last turn.
    fn on_wake(&mut self, actions: &mut Actions) {
        let _ = actions;
    }

    /// When [`on_deadline`](Self::on_deadline) is to be called next, if ever. Asked for before each wait.
    fn next_deadline(&self) -> Option<Instant> {
        None
    }

    /// The moment that [`next_deadline`](Self::next_deadline) named has come.
    fn on_deadline(&mut self, actions: &mut Actions) {
        let _ = actions;
    }

    /// All that this turn has brought has been handed over. What is recorded here goes out with the rest of the turn.
    fn on_turn_end(&mut self, actions: &mut Actions) {
        let _ = actions;
    }

    /// What [`Actions::ask_figures`] asked for.
    fn on_figures(&mut self, figures: &Figures, actions: &mut Actions) {
        let _ = (figures, actions);
    }

    /// The close code for a connection that the engine closes for a reason of its own.
    fn close_code(&self, id: ConnId, cause: Cause) -> CloseCode {
        let _ = id;
        cause.close_code()
    }
}

/// Who makes a request.
#[derive(Clone, Copy, Debug)]
pub struct Caller {
    /// The connection; it keeps this id when it is upgraded.
    pub id: ConnId,
    /// The other end of its socket.
    pub peer: Peer,
    /// Who asks: the peer, or whom it names if it is a trusted proxy. The same connection of a proxy may bring requests of
    /// many.
    pub client: Client,
    /// The listening socket that it came through.
    pub entrance: Entrance,
}

/// The answer to a request.
#[derive(Debug)]
pub enum Reply {
    /// This response.
    Now(Response),
    /// A response will be given to [`Actions::respond`], within [`Waits::response`](config::Waits::response). Until
    /// then nothing more is read from the connection.
    Later,
}

impl From<Response> for Reply {
    fn from(response: Response) -> Self {
        Reply::Now(response)
    }
}

/// That a handshake is granted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Upgrade {
    /// The subprotocol chosen, among those that the client offered (RFC 6455 §4.2.2); else the handshake fails.
    pub subprotocol: Option<&'static str>,
    /// That the service knows who this is. What members have not finished is charged to a budget of their own, which no
    /// stranger can use up.
    pub member: bool,
}

/// Why the engine closes a connection of its own accord; see [`Service::close_code`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// Its outbox is over [`Config::outbox_bytes_max`]; or all together are over [`Config::outboxes_bytes_max`], and its own
    /// is more than an equal share of that.
    SlowReader,
    /// The engine drains.
    Drain,
}

impl Cause {
    /// What a connection is closed with, unless its service knows better.
    pub fn close_code(self) -> CloseCode {
        match self {
            Cause::SlowReader => CloseCode::TRY_AGAIN,
            Cause::Drain => CloseCode::GOING_AWAY,
        }
    }
}

/// Why a connection is no longer open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The peer began the closing handshake, with this code if it gave one.
    ByPeer(Option<CloseCode>),
    /// This side did: the service, a drain, or a limit.
    ByServer(CloseCode),
    /// The peer broke a rule of the protocol, and was told which with [`Fault::close_code`].
    Failed(Fault),
    /// The stream ended or broke without a closing handshake.
    Lost,
    /// Nothing was heard from the peer, although it was pinged.
    Silent,
}

/// Wakes the loop from another thread, which then calls [`Service::on_wake`]. Clones wake the same loop.
#[derive(Clone, Debug)]
pub struct Waker(Arc<Wake>);

#[derive(Debug)]
struct Wake {
    waker: mio::Waker,
    drain: AtomicBool,
}

impl Waker {
    /// Wakes the loop, if it has not been woken already. Never blocks.
    ///
    /// # Errors
    /// When the kernel refuses; then nothing was woken.
    pub fn wake(&self) -> io::Result<()> {
        self.0.waker.wake()
    }

    /// Has the loop [drain](Actions::drain), so that [`Engine::run`] returns: for a program that ends by a signal. Never blocks.
    ///
    /// # Errors
    /// When the kernel refuses; then it drains when next it is woken.
    pub fn drain(&self) -> io::Result<()> {
        self.0.drain.store(true, Ordering::Release);
        self.wake()
    }
}

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

/// Who is to be seen to, in this turn or the next. A connection's `Flags` tell which of them it is in.
#[derive(Debug, Default)]
struct Lists {
    /// To be read: those who are in.
    ready: VecDeque<ConnId>,
    /// Those of them who bring more than one reading takes. They come after those who do not, so that who says little does
    /// not wait for who says much.
    busy: VecDeque<ConnId>,
    /// And those who are not let in yet, or are on their way out.
    arriving: VecDeque<ConnId>,
    dirty: Vec<ConnId>,
    over_cap: Vec<ConnId>,
    departed: VecDeque<(ConnId, Ending)>,
    dead: Vec<ConnId>,
    /// Whom a header of the PROXY protocol has named, who may not come in and has not been told so; and some who have gone.
    turned_away: VecDeque<ConnId>,
}

impl Engine {
    /// An engine that listens nowhere yet.
    ///
    /// # Errors
    /// When the kernel has no descriptors for the poller and the waker.
    pub fn new(config: Config) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = mio::Waker::new(poll.registry(), WAKER)?;
        let waker = Waker(Arc::new(Wake { waker, drain: AtomicBool::new(false) }));
        let now = Instant::now();
        Ok(Self {
            poll,
            events: Events::with_capacity(config::EVENTS_PER_TURN),
            waker,
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
            if self.waker.0.drain.swap(false, Ordering::AcqRel) {
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
        let lists = &self.lists;
        let undone = !lists.ready.is_empty()
            || !lists.busy.is_empty()
            || !lists.arriving.is_empty()
            || !lists.dirty.is_empty()
            || !lists.over_cap.is_empty()
            || !lists.departed.is_empty()
            || !lists.dead.is_empty();
        if undone {
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
            let Some(conn) = self.slots.remove(id) else { continue };
            self.unfinished.change(conn.standing(), conn.charged, 0);
            self.pool.note(conn.held_bytes(), 0);
            if conn.flags.pending {
                self.door.end_waiting(id);
            }
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

impl Lists {
    fn read_later(&mut self, conn: &mut Conn) {
        if std::mem::replace(&mut conn.flags.ready, true) {
            return;
        }
        match conn.phase {
            Phase::Open(_) => self.ready.push_back(conn.id),
            Phase::Http(_) | Phase::Lingering { .. } | Phase::Dead => {
                self.arriving.push_back(conn.id)
            }
        }
    }

    /// The same for one who has brought more than one reading took.
    fn read_on_later(&mut self, conn: &mut Conn) {
        let is_open = matches!(conn.phase, Phase::Open(_));
        if is_open && !std::mem::replace(&mut conn.flags.ready, true) {
            self.busy.push_back(conn.id);
        }
        self.read_later(conn);
    }

    fn close_as_slow(&mut self, conn: &mut Conn) {
        if !std::mem::replace(&mut conn.flags.over_cap, true) {
            self.over_cap.push(conn.id);
        }
    }

    fn flush_later(&mut self, conn: &mut Conn) {
        if !conn.flags.blocked && !std::mem::replace(&mut conn.flags.dirty, true) {
            self.dirty.push(conn.id);
        }
    }
}
