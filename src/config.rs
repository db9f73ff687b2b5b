//! Every limit, its default, and why.
//!
//! What can be set is in [`Config`]; what cannot is a constant here. A number here bounds memory, time or both; the
//! comment beside it says which, and where the number came from. What happens at each limit is in the README's table.

use std::time::Duration;

use crate::{http, ws};

/// The limits that an engine holds its peers to.
///
/// ```
/// use wsrelay::Config;
///
/// let config = Config { connections_max: 100, ..Config::default() };
/// assert_eq!(config.ws.message_bytes_max, 65_536);
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// Heads and bodies of HTTP requests.
    pub http: http::Limits,
    /// Frames and messages.
    pub ws: ws::Limits,
    /// Which pages' scripts may connect (RFC 6455 §10.2). Default: those of this server's own origin.
    pub origins: ws::Origins,
    /// The peers whose word is believed on who their clients are. Default: none, since anybody can say anything.
    pub trusted: http::Trusted,
    /// Whether a connection of a trusted peer begins with a header of the [PROXY protocol](http::proxy).
    pub proxy_protocol: bool,
    /// How long to wait for what.
    pub waits: Waits,
    /// Connections at one time; the next is answered with 503 and closed. 100,000 need 100,000 descriptors, which the
    /// system may not grant: then the backlog holds those who come too many until one leaves.
    pub connections_max: usize,
    /// Connections at one time from one IPv4 address or IPv6 /64 network. 0: any number, because everybody behind one
    /// proxy that is not trusted has one address.
    pub connections_per_ip_max: u32,
    /// Connections at one time that are not upgraded. 0: half of `connections_max`, so that half of all places can only be
    /// taken by those who have asked for a WebSocket. When there are as many, one that has dawdled makes room.
    pub pending_max: usize,
    /// The same from one address. 0: any number. A page takes six or seven for a moment, so 256 are an office that comes back
    /// at once. Not for this machine's own addresses, which are a proxy's.
    pub pending_per_ip_max: u32,
    /// WebSockets and other connections that may be begun in one second. 0: any number, because those who are in are
    /// served before those who come: a crowd waits in the backlog and slows down nobody but itself.
    pub connects_per_second: u32,
    /// The same from one address, after a burst of ten times as many. 0: any number. 50 are next to no work, and let an office
    /// of a thousand back in within ten seconds. Not for this machine's own addresses.
    pub connects_per_ip_per_second: u32,
    /// Bytes that peers together may have begun and not finished.
    pub unfinished: Unfinished,
    /// Bytes queued for one connection before it counts as a slow reader and is closed. 1 MiB is some seconds of a busy
    /// room on a phone's link. One message may exceed it, so that any message within its own limit can be sent.
    pub outbox_bytes_max: usize,
    /// Bytes queued for all connections together; what an audience is published is held once, and counts once. Over it a
    /// connection that has more than an equal share queued is a slow reader too, or is given up if it is not let in. 256 MiB
    /// are 256 of the slowest, and little on a server; a thousand who ask for page after page and read none would take four
    /// times as much.
    pub outboxes_bytes_max: usize,
    /// Messages and control frames a second from one connection, over which it is closed with 1008. 0: any number.
    pub rate_limit: u32,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            http: http::Limits::default(),
            ws: ws::Limits::default(),
            origins: ws::Origins::default(),
            trusted: http::Trusted::default(),
            proxy_protocol: false,
            waits: Waits::default(),
            connections_max: 100_000,
            connections_per_ip_max: 0,
            pending_max: 0,
            pending_per_ip_max: 256,
            connects_per_second: 0,
            connects_per_ip_per_second: 50,
            unfinished: Unfinished::default(),
            outbox_bytes_max: 1024 * 1024,
            outboxes_bytes_max: 256 * 1024 * 1024,
            rate_limit: 0,
        }
    }
}

/// Bytes that peers have begun and not finished: request heads and bodies, messages in fragments, input not yet looked at.
/// Each budget is for itself, so that nobody is crowded out by those of whom less is known.
#[derive(Clone, Debug)]
pub struct Unfinished {
    /// Of connections that are not upgraded. 16 MiB hold a thousand heads at their largest, or 256 bodies.
    pub pending_bytes_max: usize,
    /// Of WebSockets whose holder the service does not know. 32 MiB hold 500 messages of the default limit.
    pub strangers_bytes_max: usize,
    /// Of WebSockets whose holder the service knows: see [`Upgrade::member`](crate::engine::Upgrade::member). 64 MiB hold
    /// 1,000 messages of the default limit at once, and are little on a server.
    pub members_bytes_max: usize,
}

impl Default for Unfinished {
    fn default() -> Self {
        const MIB: usize = 1024 * 1024;
        Self {
            pending_bytes_max: 16 * MIB,
            strangers_bytes_max: 32 * MIB,
            members_bytes_max: 64 * MIB,
        }
    }
}

/// How long the engine waits for a peer. Rounded up to a tenth of a second.
#[derive(Clone, Debug)]
pub struct Waits {
    /// For a whole request head and body, from its first byte, or from the connection's first moment. A phone on a bad
    /// link needs two or three seconds; who drips a byte at a time is dropped.
    pub head: Duration,
    /// For the next request on a kept connection. Longer than the pause between a page and what it loads.
    pub keep_alive: Duration,
    /// For the peer to take a response, and for a service that answers later. The page at 5 kB/s.
    pub response: Duration,
    /// Silence after which a ping is sent. Well under the 60 s after which common proxies drop an idle connection.
    pub ping: Duration,
    /// From the ping, for any sign of life. Long enough for a phone to wake its radio and for a retransmission or two.
    pub pong: Duration,
    /// For the peer's half of a closing handshake, and then for the end of its stream.
    pub close: Duration,
}

impl Default for Waits {
    fn default() -> Self {
        Self {
            head: Duration::from_secs(10),
            keep_alive: Duration::from_secs(15),
            response: Duration::from_secs(30),
            ping: Duration::from_secs(25),
            pong: Duration::from_secs(20),
            close: Duration::from_secs(5),
        }
    }
}

/// The receive buffer that all connections share, and so what one connection can bring into one turn: enough for a
/// default message whole, little enough that a turn with a thousand busy peers stays in the tens of milliseconds.
pub(crate) const RECEIVE_BYTES: usize = 64 * 1024;

/// What those who are in bring into one turn together before it publishes and flushes. Those not read yet come first in the
/// next. Counted is what is used, not what is kept for later, which costs next to nothing.
pub(crate) const RECEIVE_BYTES_PER_TURN: usize = 1024 * 1024;

/// What one connection is read of at least, however many are ready: a message of 16 KiB whole. The rest stays in the kernel
/// until it counts as busy. To copy 64 KiB in, and what is kept of them out again, takes longer than the time that one in
/// two hundred has.
pub(crate) const RECEIVE_BYTES_IN_A_CROWD: usize = 20 * 1024;

/// How long a turn reads those who bring little at a time, those who bring more than one reading took, and those who are not
/// let in yet. What a byte costs differs a thousandfold, from a large message to a thousand commands, so time is what
/// keeps a turn short: with sending to a room of a thousand (5 ms) it stays under half of the 50 ms that nobody notices.
pub(crate) const READ_TIME_PER_TURN: ReadTime = ReadTime {
    ready: Duration::from_millis(8),
    busy: Duration::from_millis(4),
    arriving: Duration::from_millis(4),
};

/// How long one connection is read before it is another's turn, and it counts as busy: long enough for whatever somebody
/// says who does not flood. Of more than eighty, each has an equal share of the turn's time, and a few frames at least: two
/// hundred who begin to flood at once are all looked at within two turns or three, and from then on are behind the others.
pub(crate) const READ_TIME_WHEN_READY: Duration = Duration::from_micros(100);
/// The same for one who is busy: some thousand of the smallest frames.
pub(crate) const READ_TIME_WHEN_BUSY: Duration = Duration::from_millis(1);

/// See [`READ_TIME_PER_TURN`].
pub(crate) struct ReadTime {
    pub(crate) ready: Duration,
    pub(crate) busy: Duration,
    pub(crate) arriving: Duration,
}

/// After so many frames or requests of one connection the clock is looked at, which costs a quarter of the smallest.
pub(crate) const EVENTS_PER_LOOK: u32 = 4;

/// Once what a turn has published comes to so many bytes for all that they go to, whoever has said something waits for the
/// next: sending them to a thousand takes five milliseconds, or twice that into fresh memory. A post waits for two turns: the
/// one in which it comes, and the one in which it is committed.
pub(crate) const FANOUT_BYTES_PER_TURN: usize = 8 * 1024 * 1024;

/// Who is not let in within this time may be asked to make room, where there is none: enough for a head to cross the world.
pub(crate) const DAWDLES_AFTER: Duration = Duration::from_secs(1);
/// The same for who has made a request and takes its answer.
pub(crate) const DAWDLES_READING_AFTER: Duration = Duration::from_secs(5);

/// Pings sent in one turn, which are two milliseconds' work: many who came at once, after a restart perhaps, fall silent at
/// once. The rest is a tenth of a second late for each so many; five thousand a second are the silence of 125,000.
pub(crate) const PINGS_PER_TURN: usize = 512;

/// Message bytes of one connection handed to the service in one turn, counted after inflating: 64 KiB of input can
/// inflate to 64 MiB in messages that are each within their limit.
pub(crate) const MESSAGE_BYTES_PER_TURN: usize = 256 * 1024;

/// Bytes sent to one connection in one turn: a reader that drains a long backlog lets the others come first.
pub(crate) const FLUSH_BYTES_PER_TURN: usize = 256 * 1024;

/// What is for one connection alone is deflated from this size on. It costs six microseconds however little there is to gain,
/// most of them for clearing zlib's tables, which a room's members share; and a replay is a thousand of them in one turn.
pub(crate) const DEFLATED_ALONE_BYTES_MIN: usize = 1024;

/// A send counts as so many bytes at least, which cost about as much: of the smallest frames few fit into one.
pub(crate) const SEND_COUNTS_AS_BYTES: usize = 16 * 1024;

/// How long a turn sends what those have queued who have more than [`SEND_AT_ONCE_BYTES`] of their own to take. The rest
/// comes first in the next; who has less to take is always sent it.
pub(crate) const FLUSH_TIME_PER_TURN: Duration = Duration::from_millis(4);

/// What is queued for one connection is sent at this size without waiting for the turn's end. Joining more would save next
/// to nothing, since by then a send's cost is mostly in its bytes; and answers of this size to many connections, held until
/// the turn's end, would make the heap grow and shrink with every turn.
pub(crate) const SEND_AT_ONCE_BYTES: usize = 16 * 1024;

/// A connection whose outbox is longer than this is not read until it is shorter than [`RESUME_BYTES`]: who does not
/// take the answers may not ask for more.
pub(crate) const PAUSE_BYTES: usize = 256 * 1024;
/// See [`PAUSE_BYTES`].
pub(crate) const RESUME_BYTES: usize = 64 * 1024;

/// A connection whose outbox is longer than this is not whispered to: what is worth hearing now or never only delays what it
/// must get. Some hundred entries of a chat.
pub(crate) const LAGGING_BYTES: usize = 64 * 1024;

/// Connections accepted in one turn: those that are in come before those at the door.
pub(crate) const ACCEPTS_PER_TURN: usize = 128;

/// Connections that are let in at an entrance that keeps places, whatever the limits: a few who look in every few seconds.
/// Fewer than the descriptors that are left for the process itself.
pub(crate) const PLACES_KEPT: usize = 8;

/// Readiness events taken from the kernel at once.
pub(crate) const EVENTS_PER_TURN: usize = 1024;

/// Between one turn of the loop and the next there is what it waits for and some milliseconds of work. If there is so much
/// more, the process was stopped or starved, and its peers have that time back.
pub(crate) const AWAY: Duration = Duration::from_secs(1);

/// How long who is turned away has for a request, and how many have that at a time: each holds a descriptor.
pub(crate) const TURNED_AWAY_WAIT: Duration = Duration::from_millis(10);
pub(crate) const TURNED_AWAY_WAIT_MAX: usize = 16;
/// The same for whom a header of the PROXY protocol has named: the proxy passes their request on when it has it.
pub(crate) const TURNED_AWAY_BEHIND_PROXY_WAIT: Duration = Duration::from_millis(500);

/// How long a listener rests when the process is out of descriptors and none of its own connections ends.
pub(crate) const ACCEPT_REST: Duration = Duration::from_secs(1);
