//! Letting in, and turning away: step 4 of a turn.
//!
//! Owns what becomes of a socket that was accepted, and of a connection when it is known whose it is. Who may come in is
//! decided by the [`Door`](super::door::Door)'s counts.

use std::io::Write;

use mio::Interest;

use super::client::Client;
use super::conn::{Conn, Http, HttpTurn, Phase};
use super::door::{TurnedAway, Waiting};
use super::ending::Ending;
use super::ids::ConnId;
use super::listener::{Accepted, Entrance};
use super::socket::{Peer, Socket};
use super::{Engine, doorstep};
use crate::config;
use crate::http::Exchange;

impl Engine {
    /// Lets in those who wait, within the turn's budget, and turns away those for whom there is no room.
    pub(super) fn accept(&mut self) {
        for _ in 0..config::ACCEPTS_PER_TURN {
            match self.listeners.accept(self.now) {
                Accepted::Connection(socket, peer, entrance) => self.admit(socket, peer, entrance),
                Accepted::Nobody => return,
                Accepted::Starved { error, first } => {
                    if first {
                        log::warn!("cannot accept connections for now: {error}");
                    }
                    return;
                }
            }
        }
    }

    fn admit(&mut self, socket: Socket, peer: Peer, entrance: Entrance) {
        let client = Client::of(peer);
        let is_proxy = client.is_trusted(&self.config.trusted);
        if self.kept_places.len() < config::PLACES_KEPT && self.listeners.keeps_places(entrance) {
            let http = Http::new(peer, entrance, is_proxy && self.config.proxy_protocol);
            let id = self.take_in_socket(socket, peer, http);
            self.end_waiting(id);
            self.kept_places.insert(id);
            return;
        }
        if !self.has_room() && !self.make_room() {
            return self.turn_away(socket, peer, TurnedAway::Full);
        }
        // Of a proxy nothing is known yet but that it is one.
        if !is_proxy && let Err(why) = self.door.admit(client, self.now) {
            return self.turn_away(socket, peer, why);
        }
        let http = Http::new(peer, entrance, is_proxy && self.config.proxy_protocol);
        let id = self.take_in_socket(socket, peer, http);
        if !is_proxy {
            self.door.name(id, client, true);
        }
    }

    fn take_in_socket(&mut self, mut socket: Socket, peer: Peer, http: Http) -> ConnId {
        let registry = self.poll.registry();
        let now = self.tick;
        let mut refused = None;
        let id = self.slots.insert(|id| {
            let token = id.token();
            let watch =
                |s: &mut dyn mio::event::Source| registry.register(s, token, Interest::READABLE);
            refused = socket.source(watch).err();
            Conn::new(id, socket, http, now)
        });
        self.counters.accepted += 1;
        self.door.begin(id);
        match refused {
            // The kernel's limit on watched descriptors: as rare as being out of memory.
            Some(error) => {
                log::warn!(conn = id.generation, peer:%; "a connection cannot be watched: {error}");
                self.kill(id, Ending::Lost);
            }
            None => self.schedule(id),
        }
        id
    }

    fn has_room(&self) -> bool {
        // Those who are dead leave before this turn is over.
        let connections = self.slots.len() - self.lists.dead.len();
        connections < self.config.connections_max && self.door.has_room()
    }

    /// Has one leave who has dawdled. False if there is none.
    fn make_room(&mut self) -> bool {
        let (slots, now) = (&mut self.slots, self.tick);
        let dawdler = self.door.dawdler(|id| match slots.find(id) {
            Some(conn) if conn.flags.pending => match conn.has_dawdled(now) {
                true => Waiting::ForLong,
                false => Waiting::Shortly,
            },
            _ => Waiting::NotAtAll,
        });
        let Some(id) = dawdler else { return false };
        self.end_waiting(id);
        if let Some(conn) = self.slots.find(id) {
            self.counters.turned_away.add("dawdler");
            let asks = matches!(&conn.phase, Phase::Http(http) if http.is_reading());
            if asks && conn.outbox_bytes() == 0 {
                let bytes = self.refusal(TurnedAway::Full);
                if let Some(conn) = self.slots.find(id) {
                    let _ = conn.socket.write(&bytes);
                }
            }
        }
        self.kill(id, Ending::Lost);
        true
    }

    /// Refuses a connection before anything is made of it: cheap, and clear to who asked.
    fn turn_away(&mut self, socket: Socket, peer: Peer, why: TurnedAway) {
        self.counters.turned_away.add(why.code());
        log::info!(peer:%; "a connection is turned away: {}", why.message());
        let answer = self.refusal(why);
        self.doorstep.turn_away(socket, answer, self.now, &mut self.receive);
    }

    /// Has those leave who have been told why they cannot come in.
    pub(super) fn clear_doorstep(&mut self) {
        if self.doorstep.tell_due(self.now, &mut self.receive) {
            self.listeners.end_rest();
        }
    }

    fn refusal(&mut self, why: TurnedAway) -> Vec<u8> {
        let date = self.date();
        self.door.response(why).encode(&Exchange::broken(), &date)
    }

    /// A proxy has said in whose name a connection comes: it is that client's from now on, and counted as such.
    pub(super) fn name(&mut self, id: ConnId, client: Client) {
        if client.is_trusted(&self.config.trusted) || self.kept_places.contains(&id) {
            return;
        }
        match self.door.admit(client, self.now) {
            Ok(()) => self.door.name(id, client, true),
            Err(why) => {
                self.counters.turned_away.add(why.code());
                log::info!(conn = id.generation, client:%; "a connection is turned away: {}", why.message());
                let Some(conn) = self.slots.find(id) else { return };
                let Phase::Http(http) = &mut conn.phase else { return };
                http.turn = HttpTurn::TurnedAway(why);
                conn.mark = self.tick;
                self.schedule(id);
                self.lists.turned_away.push_back(id);
                if self.lists.turned_away.len() > config::TURNED_AWAY_WAIT_MAX {
                    self.refuse_first_client();
                }
            }
        }
    }

    /// Too many of them wait to be told: the first is told now.
    fn refuse_first_client(&mut self) {
        let Some(id) = self.lists.turned_away.pop_front() else { return };
        if let Some(Conn { phase: Phase::Http(http), .. }) = self.slots.find(id)
            && let HttpTurn::TurnedAway(why) = http.turn
        {
            self.refuse_client(id, why);
        }
    }

    /// Tells a client who was turned away why, now that they have asked for something or have had the time to, and leaves
    /// them: on a [doorstep](super::doorstep) of their own, as it is the proxy's connection.
    pub(super) fn refuse_client(&mut self, id: ConnId, why: TurnedAway) {
        self.lists.turned_away.retain(|waiting| *waiting != id);
        let answer = self.refusal(why);
        let Some(conn) = self.slots.find(id) else { return };
        doorstep::tell(&mut conn.socket, &answer, &mut self.receive);
        self.kill(id, Ending::Lost);
    }

    /// A connection is upgraded, or given up: it is not one of those any more who wait to be let in, if it was.
    pub(super) fn end_waiting(&mut self, id: ConnId) {
        let Some(conn) = self.slots.find(id) else { return };
        // What it had not finished was charged to who it was until now.
        self.unfinished.change(conn.standing(), std::mem::take(&mut conn.charged), 0);
        if !std::mem::take(&mut conn.flags.pending) {
            return;
        }
        self.door.end_waiting(id);
        let slots = &mut self.slots;
        self.door.tidy(|id| slots.find(id).is_some_and(|conn| conn.flags.pending));
    }
}

impl Conn {
    /// True for who has had its chance to be let in.
    fn has_dawdled(&self, now: super::Tick) -> bool {
        let patience = match &self.phase {
            Phase::Http(http) if matches!(http.turn, HttpTurn::Answer(_)) => return false,
            _ if self.outbox_bytes() > 0 => config::DAWDLES_READING_AFTER,
            _ => config::DAWDLES_AFTER,
        };
        self.mark.after(patience) <= now
    }
}
