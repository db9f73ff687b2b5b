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
            // Who cannot be watched is dead already, and does not wait.
            let is_pending = self.slots.find(id).is_some_and(|conn| conn.flags.pending);
            self.door.name(id, client, is_pending);
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
        // Whoever reads at this moment has the buffer that all share.
        doorstep::tell(&mut conn.socket, &answer, &mut [0; 4096]);
        self.kill(id, Ending::Lost);
    }

    /// A connection is upgraded, or dead: it is not one of those any more who wait to be let in, if it was.
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

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener, TcpStream};
    use std::time::{Duration, Instant};

    use super::*;
    use crate::Config;
    use crate::engine::deadline::{Deadlines, Tick};
    use crate::engine::service::tests::Admits;

    /// An engine whose turns the test takes itself, and where to come to.
    struct Turns {
        engine: Engine,
        address: SocketAddr,
    }

    impl Turns {
        fn new(config: Config) -> Self {
            let mut engine = Engine::new(config).unwrap();
            // It has run for a while: who comes first can have come long ago.
            engine.deadlines = Deadlines::new(Instant::now() - Duration::from_secs(60));
            let address = engine.listen("127.0.0.1:0".parse().unwrap()).unwrap();
            Self { engine, address }
        }

        fn turn(&mut self) {
            self.engine.turn(&mut Admits::Nobody).unwrap();
        }

        fn connect(&self) -> TcpStream {
            TcpStream::connect(self.address).unwrap()
        }

        /// One who is let in and dawdles from then on.
        fn dawdler(&mut self) -> (TcpStream, ConnId) {
            let before = self.engine.slots.ids();
            let stream = self.connect();
            self.turn();
            let new = |id: &ConnId| !before.contains(id);
            let id = self.engine.slots.ids().into_iter().find(new).expect("let in");
            self.engine.slots.find(id).unwrap().mark = Tick::default();
            (stream, id)
        }

        fn turned_away(&self, why: &'static str) -> u64 {
            self.engine.counters.turned_away.get(why)
        }
    }

    #[test]
    fn who_has_gone_makes_room_for_one_and_not_for_two() {
        let config = Config { connections_max: 1, pending_max: 10, ..Config::default() };
        let mut door = Turns::new(config);
        drop(door.dawdler());
        let _newcomers: Vec<TcpStream> = (0..3).map(|_| door.connect()).collect();
        door.turn();
        assert_eq!(door.engine.connections(), 1);
        assert_eq!((door.turned_away("full"), door.turned_away("dawdler")), (2, 0));
    }

    #[test]
    fn nobody_is_asked_to_leave_while_the_place_of_one_who_has_gone_is_free() {
        let mut door = Turns::new(Config { pending_max: 2, ..Config::default() });
        let (_stays, id) = door.dawdler();
        drop(door.dawdler());
        let _newcomer = door.connect();
        door.turn();
        assert_eq!(door.engine.connections(), 2);
        assert!(door.engine.slots.find(id).is_some());
        assert_eq!(door.turned_away("dawdler"), 0);
    }

    #[test]
    fn who_cannot_be_watched_leaves_no_place_taken() {
        let config =
            Config { pending_per_ip_max: 1, connections_per_ip_max: 9, ..Config::default() };
        let mut door = Turns::new(config);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let come = || {
            let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
            let (stream, _) = listener.accept().unwrap();
            stream.set_nonblocking(true).unwrap();
            (client, mio::net::TcpStream::from_std(stream))
        };
        let peer = Peer::Tcp("192.0.2.1:5".parse().unwrap());
        let admit = |engine: &mut Engine, stream| {
            engine.admit(Socket::Tcp(stream), peer, Entrance::default());
            engine.reap(&mut Admits::Nobody);
        };
        let ((_first, first), (_second, mut second), (_third, third)) = (come(), come(), come());
        admit(&mut door.engine, first);
        let id = door.engine.slots.ids()[0];
        door.engine.end_waiting(id);
        // What is watched already cannot be watched once more.
        let registry = door.engine.poll.registry();
        registry.register(&mut second, mio::Token(usize::MAX >> 1), Interest::READABLE).unwrap();
        admit(&mut door.engine, second);
        assert_eq!(door.engine.connections(), 1);
        admit(&mut door.engine, third);
        assert_eq!(door.engine.connections(), 2, "the address has nobody else who waits");
    }
}
