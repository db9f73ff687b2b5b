//! Who is let in and who is turned away, each limit from the other end of a socket. Addresses are told by the PROXY
//! protocol or by `X-Forwarded-For`, which the servers here believe.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use support::{Client, Heard, PATIENCE, Server, connect, eventually, frame, handshake, read_head};

use wsrelay::engine::{Actions, Caller, ConnId, Engine, Figures, Reply, Service, Upgrade};
use wsrelay::http::{Request, Response, Status, Trusted};
use wsrelay::relay::Relay;
use wsrelay::ws::{CloseCode, Message};
use wsrelay::{Config, Unfinished, Waits};

/// Believes this machine on who its clients are.
fn believing() -> Config {
    let trusted: Trusted = ["127.0.0.1"].iter().map(|text| text.parse().unwrap()).collect();
    Config { trusted, ..Config::default() }
}

/// The same, by the PROXY protocol.
fn told() -> Config {
    Config { proxy_protocol: true, ..believing() }
}

/// A connection made from this address.
fn from(server: &Server, address: &str) -> TcpStream {
    let mut stream = connect(server.address);
    stream.write_all(format!("PROXY TCP4 {address} 203.0.113.9 5 80\r\n").as_bytes()).unwrap();
    stream
}

/// What is answered to an opening handshake, or to nothing at all where somebody is turned away unheard.
fn opened(stream: &mut TcpStream) -> String {
    let _ = stream.write_all(handshake("/echo").as_bytes());
    read_head(stream)
}

fn status(head: &str) -> &str {
    head.split(' ').nth(1).unwrap_or("none")
}

fn retry_after(head: &str) -> u64 {
    let (_, rest) = head.split_once("\r\nRetry-After: ").expect("says when to come back");
    rest.split("\r\n").next().unwrap().parse().unwrap()
}

#[test]
fn an_address_behind_a_tcp_proxy_has_its_share_of_connections() {
    let server = Server::start(Config { connections_per_ip_max: 2, ..told() }, Relay::new());
    let mut held: Vec<TcpStream> = (0..2).map(|_| from(&server, "192.0.2.1")).collect();
    for stream in &mut held {
        assert_eq!(status(&opened(stream)), "101");
    }
    let head = read_head(&mut from(&server, "192.0.2.1"));
    assert_eq!(status(&head), "429", "before it has asked for anything");
    assert!(retry_after(&head) >= 5);
    assert_eq!(status(&opened(&mut from(&server, "192.0.2.2"))), "101");
    held.pop();
    eventually("a place is free", || status(&opened(&mut from(&server, "192.0.2.1"))) == "101");
}

#[test]
fn who_is_turned_away_behind_a_tcp_proxy_takes_no_place_while_they_wait_to_be_told() {
    let config = Config { connections_per_ip_max: 1, pending_max: 40, ..told() };
    let server = Server::start(config, Relay::new());
    let mut inside = from(&server, "192.0.2.1");
    assert_eq!(status(&opened(&mut inside)), "101");
    let mut silent: Vec<TcpStream> = Vec::new();
    for n in 0..100 {
        silent.push(from(&server, "192.0.2.1"));
        // Somebody else is let in after each of them.
        let mut other = from(&server, &format!("198.51.100.{n}"));
        assert_eq!(status(&opened(&mut other)), "101", "after {n}");
    }
    for stream in &mut silent {
        assert_eq!(status(&read_head(stream)), "429", "each is told, though it never asks");
    }
}

#[test]
fn an_address_behind_an_http_proxy_has_its_share_of_sockets_and_any_number_of_requests() {
    let server = Server::start(Config { connections_per_ip_max: 1, ..believing() }, Relay::new());
    let open = |address: &str| {
        let mut stream = connect(server.address);
        let field = format!("\r\nX-Forwarded-For: {address}\r\n");
        stream.write_all(handshake("/echo").replacen("\r\n", &field, 1).as_bytes()).unwrap();
        let head = read_head(&mut stream);
        (stream, status(&head).to_owned())
    };
    let (first, answered) = open("192.0.2.1");
    assert_eq!(answered, "101");
    assert_eq!(open("192.0.2.1").1, "429");
    let (_other, answered) = open("192.0.2.2");
    assert_eq!(answered, "101");
    for _ in 0..5 {
        let mut asks = connect(server.address);
        asks.write_all(b"GET /echo HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: 192.0.2.1\r\n\r\n")
            .unwrap();
        assert_eq!(status(&read_head(&mut asks)), "426", "a request is not a socket");
    }
    drop(first);
    eventually("a place is free", || open("192.0.2.1").1 == "101");
}

#[test]
fn an_address_has_its_share_of_connections_that_ask_for_nothing() {
    let server = Server::start(Config { pending_per_ip_max: 3, ..told() }, Relay::new());
    let mut held: Vec<TcpStream> = (0..3).map(|_| from(&server, "192.0.2.1")).collect();
    assert_eq!(status(&read_head(&mut from(&server, "192.0.2.1"))), "429");
    assert_eq!(status(&opened(&mut from(&server, "192.0.2.2"))), "101");
    for stream in &mut held {
        assert_eq!(status(&opened(stream)), "101", "they were let in, and still are");
    }
    let mut more = from(&server, "192.0.2.1");
    assert_eq!(status(&opened(&mut more)), "101", "who is in does not count");
}

#[test]
fn an_address_that_comes_too_often_is_told_when_to_come_back_and_each_time_otherwise() {
    let config = Config { connects_per_ip_per_second: 1, pending_per_ip_max: 0, ..told() };
    let server = Server::start(config, Relay::new());
    let all: Vec<String> = (0..60).map(|_| opened(&mut from(&server, "192.0.2.1"))).collect();
    let let_in = all.iter().filter(|head| status(head) == "101").count();
    assert!((10..=40).contains(&let_in), "ten at once, then one a second: {let_in}");
    let turned_away: Vec<&String> = all.iter().filter(|head| status(head) == "429").collect();
    assert_eq!(let_in + turned_away.len(), 60);
    let times: BTreeSet<u64> = turned_away.iter().map(|head| retry_after(head)).collect();
    assert!(times.len() > 3 && times.iter().all(|seconds| (1..=11).contains(seconds)), "{times:?}");
    assert_eq!(status(&opened(&mut from(&server, "192.0.2.2"))), "101");
}

#[test]
fn a_crowd_is_told_that_it_is_one() {
    let config = Config { connects_per_second: 5, ..Config::default() };
    let server = Server::start(config, Relay::new());
    let mut clients: Vec<TcpStream> = (0..50).map(|_| connect(server.address)).collect();
    let heads: Vec<String> = clients.iter_mut().map(opened).collect();
    let turned_away = heads.iter().filter(|head| status(head) == "503").count();
    assert!(turned_away >= 10, "{turned_away}");
    assert!(heads.iter().filter(|head| status(head) == "101").count() >= 5);
    assert!(heads.iter().filter(|head| status(head) == "503").all(|head| retry_after(head) >= 1));
}

#[test]
fn where_there_is_no_room_who_dawdles_makes_some() {
    let config = Config { connections_max: 20, pending_max: 10, ..Config::default() };
    let server = Server::start(config, Relay::new());
    let mut inside = Client::connect(server.address, "/echo");
    let mut dawdlers: Vec<TcpStream> = (0..10).map(|_| connect(server.address)).collect();
    for dawdler in &mut dawdlers[..5] {
        dawdler.write_all(b"GET /echo HT").unwrap();
    }
    let mut let_in = Vec::new();
    eventually("they have had their moment", || {
        let mut stream = connect(server.address);
        let came = status(&opened(&mut stream)) == "101";
        let_in.push(stream);
        came
    });
    // Now that they have, each newcomer that stays at the door has one of them leave.
    let_in.extend((0..7).map(|_| connect(server.address)));
    inside.assert_echoed("nobody who is in was asked to leave");
    let mut told: Vec<(TcpStream, Vec<u8>, bool)> =
        dawdlers.into_iter().map(|stream| (stream, Vec::new(), false)).collect();
    eventually("six are gone", || {
        for (stream, answer, is_gone) in &mut told {
            stream.set_read_timeout(Some(Duration::from_millis(1))).unwrap();
            *is_gone |= stream.read_to_end(answer).is_ok();
        }
        told.iter().filter(|(_, _, is_gone)| *is_gone).count() >= 6
    });
    let told_why = told.iter().filter(|(_, answer, _)| answer.starts_with(b"HTTP/1.1 503 "));
    assert!(told_why.count() > 0, "who had begun to ask is told");
}

#[test]
fn half_of_all_places_are_for_those_who_have_asked_to_be_let_in() {
    let waits = Waits { head: PATIENCE, ..Waits::default() };
    let server =
        Server::start(Config { connections_max: 8, waits, ..Config::default() }, Relay::new());
    let _mute: Vec<TcpStream> = (0..20).map(|_| connect(server.address)).collect();
    let mut inside = Vec::new();
    eventually("four are in, whoever else holds a connection", || {
        let mut stream = connect(server.address);
        if status(&opened(&mut stream)) == "101" {
            inside.push(stream);
        }
        inside.len() >= 4
    });
}

/// Members at `/member`, strangers elsewhere: each message goes back.
struct Known;

impl Service for Known {
    fn on_upgrade(
        &mut self,
        _: Caller,
        request: &Request<'_>,
        _: &mut Actions,
    ) -> Result<Upgrade, Response> {
        Ok(Upgrade { member: request.target.path() == "/member", ..Upgrade::default() })
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        actions.send(id, message);
    }
}

#[test]
fn what_each_kind_of_peer_leaves_unfinished_is_bounded_for_itself() {
    let unfinished = Unfinished {
        pending_bytes_max: 100_000,
        strangers_bytes_max: 300_000,
        members_bytes_max: 300_000,
    };
    let server = Server::start(Config { unfinished, ..Config::default() }, Known);
    let begun = frame(0x01, &[b'a'; 40_000]);

    let mut askers: Vec<TcpStream> = (0..20).map(|_| connect(server.address)).collect();
    let head = format!("GET / HTTP/1.1\r\nHost: t\r\nX: {}", "x".repeat(8_000));
    for asker in &mut askers {
        asker.write_all(head.as_bytes()).unwrap();
    }
    let answered = read_head(askers.last_mut().unwrap());
    assert_eq!(status(&answered), "503");
    assert!(retry_after(&answered) > 2);

    let mut strangers: Vec<Client> =
        (0..20).map(|_| Client::connect(server.address, "/")).collect();
    for stranger in &mut strangers {
        stranger.send_raw(&begun);
    }
    assert_eq!(strangers.last_mut().unwrap().close_code(), Some(CloseCode::TRY_AGAIN));

    let mut members: Vec<Client> =
        (0..20).map(|_| Client::connect(server.address, "/member")).collect();
    for member in &mut members[..5] {
        member.send_raw(&begun);
        member.send_raw(&frame(0x80, b"!"));
        assert!(
            matches!(member.hear(), Heard::Text(text) if text.len() == 40_001),
            "not crowded out"
        );
    }
    for member in &mut members {
        member.send_raw(&begun);
    }
    assert_eq!(members.last_mut().unwrap().close_code(), Some(CloseCode::TRY_AGAIN));

    drop((askers, strangers, members));
    eventually("the budgets are given back", || {
        let mut stranger = Client::connect(server.address, "/");
        stranger.send_raw(&begun);
        stranger.send_raw(&frame(0x80, b"!"));
        matches!(stranger.hear(), Heard::Text(text) if text.len() == 40_001)
    });
}

#[test]
fn what_comes_behind_a_last_request_is_neither_kept_nor_answered() {
    let unfinished = Unfinished { pending_bytes_max: 1_000, ..Unfinished::default() };
    let server = Server::start(Config { unfinished, ..Config::default() }, Relay::new());
    let mut asker = connect(server.address);
    let last = "GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    asker.write_all(&[last.as_bytes(), &[b'x'; 10_000]].concat()).unwrap();
    let mut answers = String::new();
    asker.read_to_string(&mut answers).unwrap();
    assert_eq!(status(&answers), "404");
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
}

#[test]
fn who_has_a_place_that_is_kept_and_is_known_owes_nothing_of_before() {
    let mut engine = Engine::new(Config::default()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let kept = listener.local_addr().unwrap();
    let entrance = engine.listen_on(listener).unwrap();
    engine.keep_places(entrance);
    let server = Server::start_engine(engine, Known);

    let mut member = connect(kept);
    let handshake = handshake("/member");
    let (begun, rest) = handshake.as_bytes().split_at(40);
    member.write_all(begun).unwrap();
    // Who comes later is let in later: what has begun is charged by then.
    let mut later = Client::connect(server.address, "/");
    member.write_all(rest).unwrap();
    assert_eq!(status(&read_head(&mut member)), "101");
    later.assert_echoed("the loop goes on");
}

/// Answers each request when the turn ends in which it came; and each message with what is unfinished then.
#[derive(Default)]
struct Later {
    asked: Vec<ConnId>,
    wondering: Option<ConnId>,
}

impl Service for Later {
    fn on_request(&mut self, caller: Caller, _: &Request<'_>, _: &mut Actions) -> Reply {
        self.asked.push(caller.id);
        Reply::Later
    }

    fn on_upgrade(
        &mut self,
        _: Caller,
        _: &Request<'_>,
        _: &mut Actions,
    ) -> Result<Upgrade, Response> {
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, id: ConnId, _: Message<'_>, actions: &mut Actions) {
        self.wondering = Some(id);
        actions.ask_figures();
    }

    fn on_figures(&mut self, figures: &Figures, actions: &mut Actions) {
        let id = self.wondering.take().expect("somebody asked");
        actions.send(id, Message::Text(&figures.unfinished_bytes.to_string()));
    }

    fn on_turn_end(&mut self, actions: &mut Actions) {
        for id in self.asked.drain(..) {
            actions.respond(id, Response::text(Status::OK, "at last"));
        }
    }
}

/// What is unfinished, asked of a [`Later`].
fn unfinished(watcher: &mut Client) -> usize {
    watcher.send_text("?");
    watcher.hear_text().parse().unwrap()
}

/// Asks for something in two halves of 20,000 bytes, the second once the first is charged; and is answered with this status.
fn status_of_two_halves(server: &Server, watcher: &mut Client) -> String {
    let mut asker = connect(server.address);
    let head = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 40000\r\n\r\n";
    asker.write_all(&[head.as_bytes(), &[b'b'; 20_000]].concat()).unwrap();
    eventually("half of it has come", || unfinished(watcher) >= 20_000);
    asker.write_all(&[b'b'; 20_000]).unwrap();
    let answer = read_head(&mut asker);
    assert_eq!(unfinished(watcher), 0, "the connection is kept, and holds nothing");
    status(&answer).to_owned()
}

#[test]
fn what_was_finished_and_is_answered_is_not_charged_any_more() {
    let server = Server::start(Config::default(), Later::default());
    let mut watcher = Client::connect(server.address, "/");
    assert_eq!(status_of_two_halves(&server, &mut watcher), "200");
}

#[test]
fn what_the_service_has_begun_on_is_answered_whatever_came_behind_it() {
    let unfinished = Unfinished { pending_bytes_max: 30_000, ..Unfinished::default() };
    let server = Server::start(Config { unfinished, ..Config::default() }, Later::default());
    let mut watcher = Client::connect(server.address, "/");
    let told = status_of_two_halves(&server, &mut watcher);
    assert_eq!(told, "200", "both halves together are more than may be unfinished");

    let mut hasty = connect(server.address);
    let request = "GET / HTTP/1.1\r\nHost: t\r\n\r\n";
    hasty.write_all(&[request.as_bytes(), &[b'x'; 40_000]].concat()).unwrap();
    let mut answers = String::new();
    hasty.read_to_string(&mut answers).unwrap();
    assert_eq!(status(&answers), "200");
    assert_eq!(answers.matches("HTTP/1.1 ").count(), 1, "{answers}");
}

/// Reports what it is told, and stops at the message `hold` until it is let go.
struct Held {
    heard: Sender<String>,
    gate: Receiver<()>,
}

impl Service for Held {
    fn on_upgrade(
        &mut self,
        _: Caller,
        request: &Request<'_>,
        _: &mut Actions,
    ) -> Result<Upgrade, Response> {
        self.heard.send(request.target.path().to_owned()).unwrap();
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, _: ConnId, message: Message<'_>, _: &mut Actions) {
        let Message::Text(text) = message else { return };
        self.heard.send(text.to_owned()).unwrap();
        if text == "hold" {
            self.gate.recv().unwrap();
        }
    }
}

#[test]
fn those_who_are_in_are_served_before_those_who_come() {
    let (heard, reports) = channel();
    let (open, gate) = channel();
    let server = Server::start(Config::default(), Held { heard, gate });
    let next = || reports.recv_timeout(PATIENCE).unwrap();
    let mut holder = Client::connect(server.address, "/holder");
    let mut member = Client::connect(server.address, "/member");
    // They are at the door already, and have not asked yet.
    let mut waiting: Vec<TcpStream> = (0..5).map(|_| connect(server.address)).collect();
    assert_eq!([next(), next()], ["/holder", "/member"]);

    holder.send_text("hold");
    assert_eq!(next(), "hold");
    for stream in &mut waiting {
        stream.write_all(handshake("/waiting").as_bytes()).unwrap();
    }
    let mut newcomers: Vec<TcpStream> = (0..5).map(|_| connect(server.address)).collect();
    for stream in &mut newcomers {
        stream.write_all(handshake("/newcomer").as_bytes()).unwrap();
    }
    member.send_text("last to speak");
    open.send(()).unwrap();

    assert_eq!(next(), "last to speak");
    let rest: Vec<String> = (0..10).map(|_| next()).collect();
    assert_eq!(rest, [["/waiting"; 5], ["/newcomer"; 5]].concat());
}
