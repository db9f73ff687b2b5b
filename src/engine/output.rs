//! From the service to the sockets: applying actions, publishing rounds, flushing, closing.
//!
//! Owns steps 8 and 9 of a turn, and every way in which a connection stops being open. All of them go through `depart`,
//! which is where the service's `on_close` is noted, once.

use std::time::Instant;

use super::Engine;
use super::actions::{Action, Publication};
use super::audience::{Published, Rounds};
use super::conn::{Conn, HttpTurn, Phase};
use super::ending::{Cause, Ending};
use super::ids::{AudienceId, ConnId};
use super::outbox::Flush;
use super::round::Round;
use super::service::Service;
use crate::config;
use crate::ws::{CloseCode, Fault, Frame};

impl Engine {
    /// Does what a callback has recorded, in order.
    pub(super) fn apply_actions(&mut self, service: &mut impl Service) {
        if self.actions.recorded.is_empty() {
            return;
        }
        let mut recorded = std::mem::take(&mut self.actions.recorded);
        for action in recorded.drain(..) {
            self.apply(action, service);
        }
        self.actions.recorded = recorded;
    }

    fn apply(&mut self, action: Action, service: &mut impl Service) {
        match action {
            Action::Send(id, frame) => self.send(id, frame),
            Action::Publish(audience, publication) => self.publish(audience, &publication),
            Action::Join(audience, id) => {
                if let Some(conn) = self.slots.find(id).filter(|conn| conn.is_open()) {
                    self.audiences.join(audience, conn);
                }
            }
            Action::Leave(audience, id) => {
                let (slots, pool, lists) = (&mut self.slots, &mut self.pool, &mut self.lists);
                self.audiences.leave(audience, id, slots, pool, lists);
            }
            Action::CloseAudience(audience) => {
                let (slots, pool, lists) = (&mut self.slots, &mut self.pool, &mut self.lists);
                self.audiences.disband(audience, slots, pool, lists);
                self.actions.free_audience(audience);
            }
            Action::Close(id, code, reason) => self.close(id, code, &reason),
            Action::Respond(id, response) => {
                let Some(Conn { phase: Phase::Http(http), .. }) = self.slots.find(id) else {
                    return;
                };
                if let Some(exchange) = http.take_pending() {
                    self.respond(id, response, &exchange);
                }
            }
            Action::TellFigures => {
                service.on_figures(&self.figures(), &mut self.actions);
                self.apply_actions(service);
            }
            Action::Drain { over, seed } => self.drain(over, seed, service),
        }
    }

    /// Queues a frame for one connection, in the form it takes, behind all that it was published before.
    pub(super) fn send(&mut self, id: ConnId, frame: Frame) {
        let Some(conn) = self.slots.find(id).filter(|conn| conn.is_open()) else { return };
        self.audiences.settle(conn, &mut self.pool, &mut self.lists);
        if self.is_over_cap(id) {
            return;
        }
        let Some(conn) = self.slots.find(id) else { return };
        let pays =
            conn.takes_deflated() && frame.payload().len() >= config::DEFLATED_ALONE_BYTES_MIN;
        let deflated = if pays { self.codec.deflate(&frame) } else { None };
        conn.queue_frame(deflated.unwrap_or(frame), &mut self.pool);
        self.counters.sends += 1;
        if self.is_pressed() {
            self.flush(id);
            self.relieve();
        }
        let Some(conn) = self.slots.find(id) else { return };
        self.lists.flush_later(conn);
        if conn.outbox_bytes() >= config::SEND_AT_ONCE_BYTES && !conn.flags.blocked {
            self.flush(id);
        }
    }

    /// True when a connection's outbox is full even after trying to send: it is put on the list of slow readers.
    fn is_over_cap(&mut self, id: ConnId) -> bool {
        let cap = self.config.outbox_bytes_max;
        self.offer(id, cap);
        // What is left stands behind a round that still grows.
        if self.slots.find(id).is_some_and(|conn| conn.is_untried(cap)) {
            self.deliver_published();
            self.offer(id, cap);
        }
        let Some(conn) = self.slots.find(id) else { return true };
        if conn.outbox_bytes() >= cap {
            self.lists.close_as_slow(conn);
        }
        conn.flags.over_cap
    }

    /// Offers the kernel what a connection has queued, until less than so much is left, or what cannot be sent yet.
    fn offer(&mut self, id: ConnId, bytes: usize) {
        let mut before = usize::MAX;
        while let Some(conn) = self.slots.find(id)
            && conn.is_untried(bytes)
            && conn.outbox_bytes() < before
        {
            before = conn.outbox_bytes();
            self.flush(id);
        }
    }

    fn publish(&mut self, audience: AudienceId, publication: &Publication) {
        let (slots, pool, lists) = (&mut self.slots, &mut self.pool, &mut self.lists);
        if self.audiences.publish(audience, publication, slots, pool, lists, &mut self.codec) {
            let rounds = self.audiences.end_round(audience);
            self.deliver(audience, &rounds);
        }
    }

    /// Sends what the turn has brought. Those come first who are answered themselves, with their part of the rounds behind
    /// it: whoever has asked for something does not wait until a whole room has heard of it.
    pub(super) fn send_all(&mut self) {
        let (short, long) = self.take_dirty();
        let published = self.audiences.end_rounds();
        self.flush_dirty(short, long);
        self.deliver_all(published);
        self.audiences.weigh_anew();
        if self.is_pressed() {
            self.relieve();
        }
    }

    /// Sends what was published so far before the turn ends.
    fn deliver_published(&mut self) {
        let published = self.audiences.end_rounds();
        self.deliver_all(published);
    }

    fn deliver_all(&mut self, published: Vec<Published>) {
        for Published { audience, rounds } in &published {
            self.deliver(*audience, rounds);
        }
        self.audiences.keep_list(published);
    }

    /// Who is to be flushed: those who have little of their own to take, now with their part of the rounds behind it, and those
    /// who have much.
    fn take_dirty(&mut self) -> (Vec<ConnId>, Vec<ConnId>) {
        let cap = self.config.outbox_bytes_max;
        let mut short = std::mem::take(&mut self.lists.dirty);
        let mut long = Vec::new();
        short.retain(|&id| {
            let Some(conn) = self.slots.find(id) else { return false };
            if conn.flags.blocked {
                conn.flags.dirty = false;
                return false;
            }
            if conn.outbox_bytes() > config::SEND_AT_ONCE_BYTES {
                long.push(id);
                return false;
            }
            if conn.is_open() && conn.outbox_bytes() < cap {
                self.audiences.settle(conn, &mut self.pool, &mut self.lists);
            }
            true
        });
        debug_assert!(self.lists.dirty.is_empty(), "whoever was settled is to be flushed already");
        (short, long)
    }

    /// Sends each member of an audience its slice of a round that has ended.
    fn deliver(&mut self, audience: AudienceId, rounds: &Rounds) {
        let registry = self.poll.registry();
        let (mut behind, mut broken) = (Vec::new(), Vec::new());
        let mut sent_bytes = 0;
        for (lane, round) in self.audiences.lanes(audience).into_iter().zip(rounds) {
            let Some(round) = round else { continue };
            let bytes = round.bytes().expect("frozen by ending it");
            for member in &mut lane.members {
                let start = std::mem::take(&mut member.cursor) as usize;
                let conn = self.slots.at(member.slot);
                if conn.has_outbox() {
                    behind.push((conn.id, round, start));
                } else if start < bytes.len() {
                    match conn.deliver(round, bytes, start, &mut self.pool, registry) {
                        Ok(taken) => sent_bytes += taken,
                        Err(_) => broken.push(conn.id),
                    }
                }
            }
        }
        self.counters.sent_bytes += sent_bytes as u64;
        for id in broken {
            self.kill(id, Ending::Lost);
        }
        for (id, round, start) in behind {
            self.queue_round(id, round, start);
        }
    }

    /// Queues its slice of a round that has ended for a member before whom something else waits, unless it is too slow for
    /// that.
    fn queue_round(&mut self, id: ConnId, round: &Round, start: usize) {
        let cap = self.config.outbox_bytes_max;
        let end = round.bytes().expect("frozen by ending it").len();
        // Its part of this very round, if it has it already, is no backlog yet.
        let full = if start == end { cap.saturating_add(end) } else { cap };
        if self.slots.find(id).is_some_and(|conn| conn.is_untried(full)) {
            self.flush(id);
        }
        let Some(conn) = self.slots.find(id).filter(|conn| conn.is_open()) else { return };
        // What is left untried stands behind another audience's round, and is no fault of the peer.
        if conn.outbox_bytes() >= full && !conn.is_untried(full) {
            self.lists.close_as_slow(conn);
        } else if start < end {
            conn.queue_round(round.clone(), start, end, &mut self.pool);
            self.lists.flush_later(conn);
        }
    }

    /// Flushes every connection with something to send: those first who have little to take, and the others for as long as
    /// there is time.
    fn flush_dirty(&mut self, mut short: Vec<ConnId>, long: Vec<ConnId>) {
        for id in short.drain(..) {
            let Some(conn) = self.slots.find(id) else { continue };
            conn.flags.dirty = false;
            self.flush(id);
        }
        let until = (long.len() > 1).then(|| Instant::now() + config::FLUSH_TIME_PER_TURN);
        let mut long = long.into_iter();
        for id in long.by_ref() {
            let Some(conn) = self.slots.find(id) else { continue };
            conn.flags.dirty = false;
            self.flush(id);
            if until.is_some_and(|until| Instant::now() >= until) {
                break;
            }
        }
        // Those for whom there was no time come first in the next turn. The list's memory serves again.
        short.extend(long);
        short.append(&mut self.lists.dirty);
        self.lists.dirty = short;
    }

    /// Sends what one connection has queued, within its budget, and sees to what follows from it.
    fn flush(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        let (before, was_full) = (conn.outbox_bytes(), conn.flags.watches_writing);
        let flushed = conn.flush(&mut self.pool).and_then(|flush| {
            conn.note_blocked(flush == Flush::Blocked, self.poll.registry())?;
            Ok(flush)
        });
        let Ok(flush) = flushed else { return self.kill(id, Ending::Lost) };
        let queued = conn.outbox_bytes();
        self.counters.sent_bytes += (before - queued) as u64;
        // The peer has made room: it is alive, though its pong waits behind all this.
        let was_asked = was_full && queued < before && conn.heard(self.tick);
        if flush == Flush::Spent {
            self.lists.flush_later(conn);
        }
        if queued <= config::RESUME_BYTES && conn.flags.paused && conn.is_heard() {
            conn.flags.paused = false;
            self.lists.read_on_later(conn);
        }
        if was_asked {
            self.schedule(id);
        }
        if flush == Flush::Drained {
            self.drained(id);
        }
    }

    /// All that was queued is sent: a connection with nothing more to say ends its direction.
    fn drained(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        match &conn.phase {
            Phase::Http(http) if matches!(http.turn, HttpTurn::Last) => self.end_answers(id),
            // What it has said before it was answered is still heard.
            Phase::Http(http)
                if self.drain.is_leaving() && http.is_waiting() && !conn.flags.unread =>
            {
                self.end_answers(id);
            }
            // The wait for another request begins, or that for the rest of one, which is shorter than that for an answer.
            Phase::Http(http) => {
                if http.is_waiting() {
                    conn.mark = self.tick;
                }
                self.schedule(id);
            }
            Phase::Lingering { peer_ended: true } => self.kill(id, Ending::Lost),
            Phase::Lingering { peer_ended: false } => conn.socket.end_writing(),
            Phase::Open(_) | Phase::Dead => {}
        }
    }

    /// The last answer is sent.
    fn end_answers(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        conn.socket.end_writing();
        self.linger(id, false);
    }

    /// Closes those whose outbox is over its cap. What they have not been sent they will not get; the Close frame says
    /// why, if they ever read that far.
    pub(super) fn close_slow_readers(&mut self, service: &mut impl Service) {
        for id in std::mem::take(&mut self.lists.over_cap) {
            let code = service.close_code(id, Cause::SlowReader);
            let Some(conn) = self.slots.find(id).filter(|conn| conn.is_open()) else { continue };
            conn.drop_unsent_frames(&mut self.pool);
            log::info!(conn = id.generation, client:% = self.client(id); "a slow reader is closed");
            self.close(id, code, "slow consumer");
        }
    }

    /// Pings a connection that has been silent; it has until [`Waits::pong`](config::Waits::pong) to show life.
    pub(super) fn ping(&mut self, id: ConnId) {
        self.send(id, Frame::ping(&[]));
        let Some(conn) = self.slots.find(id) else { return };
        conn.flags.pinged = true;
        // From now, also when the process itself was stopped for a while and everybody seems silent.
        conn.mark = self.tick.before(self.config.waits.ping);
    }

    /// Starts the closing handshake (RFC 6455 §7.1.2).
    pub(super) fn close(&mut self, id: ConnId, code: CloseCode, reason: &str) {
        if self.depart(id, Ending::ByServer(code)) {
            self.say_close(id, Some(code), reason);
        }
    }

    /// The peer's Close frame: answered with its own code (§5.5.1), after which nothing more is to be said.
    pub(super) fn answer_close(&mut self, id: ConnId, code: Option<CloseCode>) {
        self.depart(id, Ending::ByPeer(code));
        self.say_close(id, code, "");
        self.linger(id, false);
    }

    /// *Fail the WebSocket Connection* (§7.1.7): say which rule was broken, and take in no more.
    pub(super) fn fail(&mut self, id: ConnId, fault: Fault) {
        log::info!(conn = id.generation, client:% = self.client(id); "the protocol was broken: {fault}");
        self.depart(id, Ending::Failed(fault));
        self.say_close(id, Some(fault.close_code()), &fault.to_string());
        self.linger(id, false);
    }

    /// Gives a connection up at once. What is queued is lost with it.
    pub(super) fn kill(&mut self, id: ConnId, ending: Ending) {
        self.depart(id, ending);
        let Some(conn) = self.slots.find(id) else { return };
        if !matches!(conn.phase, Phase::Dead) {
            conn.phase = Phase::Dead;
            self.lists.dead.push(id);
            self.end_waiting(id);
        }
    }

    /// Sends what is queued, ends our direction, and waits a while for the peer to end its own.
    pub(super) fn linger(&mut self, id: ConnId, peer_ended: bool) {
        let Some(conn) = self.slots.find(id) else { return };
        conn.phase = Phase::Lingering { peer_ended };
        conn.flags.unread = false;
        conn.flags.paused = false;
        conn.mark = self.tick;
        self.lists.flush_later(conn);
        self.lists.read_later(conn);
        self.unread.remove(&id);
        self.recount_unfinished(id);
        self.schedule(id);
    }

    /// Takes an open connection out of service: out of its audiences, and on the list of those whose end the service is
    /// told of. False when it was not open.
    pub(super) fn depart(&mut self, id: ConnId, ending: Ending) -> bool {
        if !self.slots.find(id).is_some_and(|conn| conn.is_open()) {
            return false;
        }
        let (slots, pool, lists) = (&mut self.slots, &mut self.pool, &mut self.lists);
        self.audiences.leave_all(id, slots, pool, lists);
        self.counters.closes.add(ending.into());
        let conn = self.slots.find(id).expect("found above");
        conn.flags.departed = true;
        conn.mark = self.tick;
        self.lists.departed.push_back((id, ending));
        self.schedule(id);
        true
    }

    /// Queues our Close frame, unless one was sent.
    fn say_close(&mut self, id: ConnId, code: Option<CloseCode>, reason: &str) {
        let Some(conn) = self.slots.find(id) else { return };
        let Phase::Open(protocol) = &mut conn.phase else { return };
        if let Some(frame) = protocol.close(code, reason) {
            conn.queue_frame(frame, &mut self.pool);
            self.lists.flush_later(conn);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpStream;

    use super::*;
    use crate::Config;
    use crate::engine::service::tests::Admits;

    const HANDSHAKE: &[u8] =
        b"GET / HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

    #[test]
    fn what_a_slow_reader_is_not_sent_any_more_is_not_counted_as_sent() {
        let mut engine = Engine::new(Config::default()).unwrap();
        let address = engine.listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let mut client = TcpStream::connect(address).unwrap();
        client.write_all(HANDSHAKE).unwrap();
        while !engine.slots.iter().any(Conn::is_open) {
            engine.turn(&mut Admits::Anybody).unwrap();
        }
        let audience = engine.actions.open_audience();
        let conn = engine.slots.iter_mut().next().unwrap();
        engine.audiences.join(audience, conn);
        // As where memory is short.
        conn.queue_frame(Frame::text("dropped"), &mut engine.pool);
        conn.drop_unsent_frames(&mut engine.pool);
        engine.lists.close_as_slow(conn);

        let frame = Frame::text("published");
        engine.publish(audience, &Publication { frame, except: None, is_whisper: false });
        let before = engine.counters.sent_bytes;
        engine.send_all();
        assert_eq!(engine.counters.sent_bytes, before);
    }
}
