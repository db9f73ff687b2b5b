//! One connection: a socket, the phase it is in, and what waits to be sent.
//!
//! Owns the bytes between the socket and the protocol. It knows neither rooms nor people, and it keeps nothing that an
//! idle connection does not need: what is partial lives behind a pointer that is null most of the time, and what few
//! connections have lives in tables beside the slots.
//!
//! ```text
//!   accepted ──► Http ──upgrade──► Open ──Close sent and received, or a fault──► Lingering ──► Dead
//!                 │ ▲                │                                              ▲           ▲
//!                 └─┘ next request   └────────────── nothing heard, reset ──────────┼───────────┤
//!                 └── last response, or a fault ────────────────────────────────────┘           │
//!                 └── reset, or the head is late ───────────────────────────────────────────────┘
//! ```
//!
//! *Lingering* sends what is queued, ends its own direction, and reads on until the peer has ended its own: closing at
//! once, with input unread, would make the kernel reset the connection, and the peer might never see why.

use std::io::{self, Write};
use std::time::Duration;

use mio::{Interest, Registry};

use super::client::Client;
use super::deadline::Tick;
use super::door::TurnedAway;
use super::ids::ConnId;
use super::listener::Entrance;
use super::membership::Memberships;
use super::outbox::{Flush, Outbox, Pool};
use super::round::Round;
use super::socket::{Peer, Socket, would_wait};
use super::unfinished::Standing;
use crate::config::{self, Waits};
use crate::http::proxy::HeaderReader;
use crate::http::{Exchange, Reader};
use crate::ws::{self, Frame};

#[derive(Debug)]
pub(super) struct Conn {
    pub(super) id: ConnId,
    pub(super) socket: Socket,
    pub(super) phase: Phase,
    outbox: Option<Box<Outbox>>,
    pub(super) memberships: Memberships,
    /// Open: when the peer was last heard. Else: when the phase began, the request in it, or the wait for one.
    pub(super) mark: Tick,
    /// The one tick at which the wheel's entry for this connection counts.
    pub(super) armed: Tick,
    /// What of the process-wide budget for unfinished input is charged to it.
    pub(super) charged: u32,
    pub(super) flags: Flags,
}

/// What a connection is doing.
#[derive(Debug)]
pub(super) enum Phase {
    /// Requests and responses.
    Http(Box<Http>),
    /// WebSocket, the closing handshake included.
    Open(ws::Connection),
    /// All is said: send it, end our direction, read until the peer ends its own.
    Lingering { peer_ended: bool },
    /// To be reaped: the socket is of no use any more.
    Dead,
}

/// A connection that has not been upgraded.
#[derive(Debug)]
pub(super) struct Http {
    pub(super) reader: Reader,
    pub(super) peer: Peer,
    /// Who the connection comes from: the peer, or whom a header of the PROXY protocol names.
    pub(super) client: Client,
    pub(super) entrance: Entrance,
    pub(super) turn: HttpTurn,
}

/// Whose turn it is on a connection that has not been upgraded.
#[derive(Debug)]
pub(super) enum HttpTurn {
    /// The peer's, a trusted proxy, to say in whose name it comes.
    Preface(HeaderReader),
    /// The peer's, to make its first request.
    First,
    /// The peer's, to make another.
    Next,
    /// The peer's, whose first request will be refused.
    TurnedAway(TurnedAway),
    /// The service's, to answer this request; nothing more is read until it has.
    Answer(Exchange),
    /// Ours, to send the last response.
    Last,
}

/// Facts about a connection within the engine's lists; each is true while the connection stands in that list.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Flags {
    /// In the list of those to read.
    pub(super) ready: bool,
    /// In the list of those to flush.
    pub(super) dirty: bool,
    /// The kernel will say when it takes more.
    pub(super) blocked: bool,
    /// The kernel took no more at the last flush, and is asked to say when it does.
    pub(super) watches_writing: bool,
    /// Not read until the outbox is short again.
    pub(super) paused: bool,
    /// Input of it is kept for later.
    pub(super) unread: bool,
    /// A ping is on its way and nothing has been heard since.
    pub(super) pinged: bool,
    /// No longer open: the service is told, or will be in this turn.
    pub(super) departed: bool,
    /// In the list of those whose outbox is over its cap: nothing more is queued.
    pub(super) over_cap: bool,
    /// The peer will send no more; reading finds out after what it has sent.
    pub(super) read_ended: bool,
    /// Not let in yet, and counted as such.
    pub(super) pending: bool,
    /// The service knows who it is.
    pub(super) member: bool,
}

impl Conn {
    pub(super) fn new(id: ConnId, socket: Socket, http: Http, now: Tick) -> Self {
        Self {
            id,
            socket,
            phase: Phase::Http(Box::new(http)),
            outbox: None,
            memberships: Memberships::None,
            mark: now,
            armed: now,
            charged: 0,
            flags: Flags { pending: true, ..Flags::default() },
        }
    }

    /// True while the service may send to it and hears from it: upgraded, and not closing.
    pub(super) fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open(_)) && !self.flags.departed
    }

    /// True while what the peer sends is of interest.
    pub(super) fn is_heard(&self) -> bool {
        match &self.phase {
            Phase::Http(http) => http.is_peers_turn(),
            Phase::Open(_) => true,
            Phase::Lingering { .. } | Phase::Dead => false,
        }
    }

    /// True once nothing that the peer sends is of interest any more.
    pub(super) fn has_heard_all(&self) -> bool {
        match &self.phase {
            Phase::Http(http) => matches!(http.turn, HttpTurn::Last),
            Phase::Open(_) => false,
            Phase::Lingering { .. } | Phase::Dead => true,
        }
    }

    /// True while it is not to be read: the service owes it an answer, or it does not take what it has asked for.
    pub(super) fn is_paused(&mut self) -> bool {
        self.flags.paused |= self.is_heard() && self.outbox_bytes() >= config::PAUSE_BYTES;
        self.flags.paused
    }

    /// Which of an audience's two forms this connection takes.
    pub(super) fn takes_deflated(&self) -> bool {
        matches!(&self.phase, Phase::Open(protocol) if protocol.deflates())
    }

    /// What is known of the peer.
    pub(super) fn standing(&self) -> Standing {
        match (self.flags.pending, self.flags.member) {
            (true, _) => Standing::Pending,
            (false, false) => Standing::Stranger,
            (false, true) => Standing::Member,
        }
    }

    /// Heap held for what the peer has not finished: a head, a body or a message.
    pub(super) fn partial_bytes(&self) -> usize {
        match &self.phase {
            Phase::Http(http) => http.held_bytes(),
            Phase::Open(protocol) => protocol.held_bytes(),
            Phase::Lingering { .. } | Phase::Dead => 0,
        }
    }

    /// When this connection is next worth a look, whatever happens until then.
    pub(super) fn due(&self, waits: &Waits) -> Tick {
        let wait = match &self.phase {
            Phase::Http(_) if self.has_outbox() => waits.response,
            Phase::Http(http) => http.wait(waits),
            Phase::Open(_) if self.is_open() && !self.flags.pinged => {
                return self.mark.after(waits.ping).round_up(waits.ping / PINGS_TOGETHER);
            }
            Phase::Open(_) if self.is_open() => waits.ping.saturating_add(waits.pong),
            Phase::Open(_) | Phase::Lingering { .. } => waits.close,
            Phase::Dead => Duration::ZERO,
        };
        self.mark.after(wait)
    }

    /// Notes a sign of life. While a closing handshake is under way none counts: its wait is for all of it. True when one was
    /// asked for: what is waited for now may be due before that.
    #[must_use = "it may have to be looked at earlier"]
    pub(super) fn heard(&mut self, now: Tick) -> bool {
        if !self.is_open() {
            return false;
        }
        self.mark = now;
        std::mem::take(&mut self.flags.pinged)
    }

    pub(super) fn outbox_bytes(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.bytes())
    }

    /// True while something is queued, or was a moment ago: what comes now has to follow it.
    pub(super) fn has_outbox(&self) -> bool {
        self.outbox.is_some()
    }

    /// True when so much is queued that it seems slow, and the kernel has not been offered all of it.
    pub(super) fn is_untried(&self, cap: usize) -> bool {
        self.outbox_bytes() >= cap && !self.flags.blocked && !self.flags.over_cap
    }

    /// Memory that is held for this connection alone, to be sent to it.
    pub(super) fn held_bytes(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.held())
    }

    /// What is queued, with what its keeping costs.
    pub(super) fn outbox_weight(&self) -> usize {
        self.outbox.as_ref().map_or(0, |outbox| outbox.weight())
    }

    pub(super) fn queue_frame(&mut self, frame: Frame, pool: &mut Pool) {
        let before = self.held_bytes();
        self.outbox.get_or_insert_with(|| pool.take()).push_frame(frame);
        pool.note(before, self.held_bytes());
    }

    pub(super) fn queue_response(&mut self, bytes: Vec<u8>, pool: &mut Pool) {
        let before = self.held_bytes();
        self.outbox.get_or_insert_with(|| pool.take()).push_response(bytes);
        pool.note(before, self.held_bytes());
    }

    pub(super) fn queue_round(&mut self, round: Round, start: usize, end: usize, pool: &mut Pool) {
        if self.flags.over_cap {
            return;
        }
        let before = self.held_bytes();
        self.outbox.get_or_insert_default().push_round(round, start, end);
        pool.note(before, self.held_bytes());
    }

    /// Sends a round, whose bytes these are, from `start` on, where nothing waits before it: straight from the shared memory,
    /// so that a member that keeps up costs one system call and no memory. Answers with the bytes taken; the rest is queued.
    ///
    /// # Errors
    /// What the socket says; the connection is lost.
    pub(super) fn deliver(
        &mut self,
        round: &Round,
        bytes: &[u8],
        start: usize,
        pool: &mut Pool,
        registry: &Registry,
    ) -> io::Result<usize> {
        debug_assert!(!self.has_outbox());
        let taken = match self.socket.write(&bytes[start..]) {
            Ok(taken) if taken == bytes.len() - start => return Ok(taken),
            Ok(taken) => taken,
            Err(e) if would_wait(&e) => 0,
            Err(e) => return Err(e),
        };
        let mut outbox = pool.take();
        outbox.push_round(round.clone(), start, bytes.len());
        outbox.mark_taken(taken);
        pool.note(0, outbox.held());
        self.outbox = Some(outbox);
        self.note_blocked(true, registry)?;
        Ok(taken)
    }

    /// Sends what is queued, within the turn's budget for one connection.
    ///
    /// # Errors
    /// What the socket says; the connection is lost.
    pub(super) fn flush(&mut self, pool: &mut Pool) -> io::Result<Flush> {
        let Some(outbox) = &mut self.outbox else { return Ok(Flush::Drained) };
        let before = outbox.held();
        let flush = outbox.flush(&mut self.socket, config::FLUSH_BYTES_PER_TURN);
        pool.note(before, outbox.held());
        let flush = flush?;
        if flush == Flush::Drained {
            pool.give_back(self.outbox.take().expect("flushed just now"));
        }
        Ok(flush)
    }

    /// Drops all queued frames, save one that is half sent, to make way for a Close frame.
    pub(super) fn drop_unsent_frames(&mut self, pool: &mut Pool) {
        self.change_outbox(pool, Outbox::drop_unsent_frames);
    }

    /// Lets go of memory of which little is wanted.
    pub(super) fn lean(&mut self, pool: &mut Pool) {
        self.change_outbox(pool, Outbox::lean);
    }

    /// Drops all that is queued: nothing more is sent.
    pub(super) fn drop_outbox(&mut self, pool: &mut Pool) {
        pool.note(self.held_bytes(), 0);
        self.outbox = None;
    }

    fn change_outbox(&mut self, pool: &mut Pool, change: impl FnOnce(&mut Outbox)) {
        if let Some(outbox) = &mut self.outbox {
            let before = outbox.held();
            change(outbox);
            pool.note(before, outbox.held());
        }
    }

    /// Notes whether the kernel takes no more, and asks to be told when it does again.
    pub(super) fn note_blocked(&mut self, blocked: bool, registry: &Registry) -> io::Result<()> {
        self.flags.blocked = blocked;
        if self.flags.watches_writing == blocked {
            return Ok(());
        }
        self.flags.watches_writing = blocked;
        let interest =
            if blocked { Interest::READABLE | Interest::WRITABLE } else { Interest::READABLE };
        let token = self.id.token();
        self.socket.source(|source| registry.reregister(source, token, interest))
    }
}

/// A ping may be late by this part of its wait, so that the pings of that time go out together: a second of the usual 25.
/// Their answers then arrive while others are still being sent, and one wake-up of the loop takes in many of them, where
/// pings spread evenly would wake it for each.
const PINGS_TOGETHER: u32 = 25;

impl Http {
    /// `has_preface`: the peer is a proxy that says first in whose name it comes.
    pub(super) fn new(peer: Peer, entrance: Entrance, has_preface: bool) -> Self {
        let turn = match has_preface {
            true => HttpTurn::Preface(HeaderReader::default()),
            false => HttpTurn::First,
        };
        Self { reader: Reader::new(), peer, client: Client::of(peer), entrance, turn }
    }

    /// True while the peer is to say something.
    fn is_peers_turn(&self) -> bool {
        match self.turn {
            HttpTurn::Preface(_) | HttpTurn::First | HttpTurn::Next | HttpTurn::TurnedAway(_) => {
                true
            }
            HttpTurn::Answer(_) | HttpTurn::Last => false,
        }
    }

    /// True in the middle of a request.
    pub(super) fn is_reading(&self) -> bool {
        self.is_peers_turn() && !self.reader.is_idle()
    }

    /// True between requests, with nothing asked and nothing owed.
    pub(super) fn is_waiting(&self) -> bool {
        self.is_peers_turn() && self.reader.is_idle()
    }

    fn held_bytes(&self) -> usize {
        let preface = match &self.turn {
            HttpTurn::Preface(header) => header.held_bytes(),
            _ => 0,
        };
        self.reader.held_bytes() + preface
    }

    /// The exchange that the service is to answer, which is then no longer pending.
    pub(super) fn take_pending(&mut self) -> Option<Exchange> {
        match std::mem::replace(&mut self.turn, HttpTurn::Next) {
            HttpTurn::Answer(exchange) => Some(exchange),
            other => {
                self.turn = other;
                None
            }
        }
    }

    fn wait(&self, waits: &Waits) -> Duration {
        match self.turn {
            HttpTurn::Next if self.reader.is_idle() => waits.keep_alive,
            HttpTurn::Preface(_) | HttpTurn::First | HttpTurn::Next => waits.head,
            HttpTurn::TurnedAway(_) => config::TURNED_AWAY_BEHIND_PROXY_WAIT,
            HttpTurn::Answer(_) | HttpTurn::Last => waits.response,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_idle_connection_is_ten_words() {
        if cfg!(not(debug_assertions)) {
            assert_eq!(size_of::<Conn>(), 80, "mio's sockets carry more in debug builds");
        }
    }
}
