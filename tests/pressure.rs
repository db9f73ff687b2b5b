//! Memory for what nobody takes, over all connections together: measured on this very process, in which the server runs.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use support::{Client, Heard, PATIENCE, Server, eventually, frame, handshake, read_head};
use wsrelay::engine::{
    Actions, AudienceId, Caller, ConnId, ConnMap, Ending, Engine, Reply, Service, Upgrade,
};
use wsrelay::http::{Request, Response, Status};
use wsrelay::ws::{CloseCode, Frame, Message};
use wsrelay::{Config, Waits};

const MIB: usize = 1024 * 1024;
/// As much as one message may be.
const LARGE: usize = 60 * 1024;
/// More than a share of any of these limits.
const ANSWER: usize = 2 * MIB;

/// `/together` are one audience, and what the one at `/together/asleep` hears of it is little; each at `/alone` is published what
/// they say.
struct House {
    together: Option<AudienceId>,
    asleep: Option<ConnId>,
    alone: ConnMap<AudienceId>,
    rounds: u32,
    closed: Sender<Ending>,
}

impl House {
    /// At an address, and at the end of a Unix socket, whose kernel buffers are small and do not grow.
    fn start(outboxes_bytes_max: usize) -> (Server, Door, Receiver<Ending>) {
        let (closed, reports) = channel();
        let house = Self { together: None, asleep: None, alone: ConnMap::new(), rounds: 0, closed };
        // Nobody is asked whether they are still there.
        let waits = Waits { ping: Duration::from_secs(600), ..Waits::default() };
        let config = Config { outboxes_bytes_max, waits, ..Config::default() };
        let mut engine = Engine::new(config).unwrap();
        let door = Door::new();
        engine.listen_on_unix(UnixListener::bind(&door.path).unwrap()).unwrap();
        (Server::start_engine(engine, house), door, reports)
    }
}

/// Where those come in who do not take what they are sent.
struct Door {
    path: PathBuf,
}

impl Door {
    fn new() -> Self {
        static DOORS: AtomicU32 = AtomicU32::new(0);
        let no = DOORS.fetch_add(1, Ordering::Relaxed);
        let name = format!("wsrelay-pressure-{}-{no}", std::process::id());
        Self { path: std::env::temp_dir().join(name) }
    }

    fn connect(&self) -> UnixStream {
        let stream = UnixStream::connect(&self.path).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        // Long enough for the server to take what it will.
        stream.set_write_timeout(Some(Duration::from_millis(100))).unwrap();
        stream
    }

    fn open(&self, path: &str) -> UnixStream {
        let mut stream = self.connect();
        stream.write_all(handshake(path).as_bytes()).unwrap();
        assert!(read_head(&mut stream).starts_with("HTTP/1.1 101 "));
        stream
    }

    /// Somebody who has been published, alone, as much as the server takes, and reads none of it.
    fn open_and_fill(&self) -> UnixStream {
        let mut alone = self.open("/alone");
        let message = frame(0x82, &[b'a'; LARGE]);
        let _ = (0..40).try_for_each(|_| alone.write_all(&message));
        alone
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Service for House {
    fn on_request(&mut self, _: Caller, request: &Request<'_>, _: &mut Actions) -> Reply {
        let bytes = if request.target.path() == "/large" { ANSWER } else { 4096 };
        Response::text(Status::OK, &"r".repeat(bytes)).into()
    }

    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
        let path = request.target.path();
        if path == "/alone" {
            let alone = actions.open_audience();
            actions.join(alone, caller.id);
            self.alone.insert(caller.id, alone);
        } else {
            let together = *self.together.get_or_insert_with(|| actions.open_audience());
            actions.join(together, caller.id);
        }
        if path == "/together/asleep" {
            self.asleep = Some(caller.id);
        }
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        let large = [b'l'; LARGE];
        match (self.alone.find(id), self.together) {
            (Some(alone), _) => actions.publish(*alone, message),
            (None, Some(together)) if message == Message::Text("all") => {
                actions.publish(together, Message::Binary(&large));
            }
            (None, Some(together)) => {
                self.rounds += 1;
                let asleep = self.asleep.expect("somebody sleeps");
                actions.publish_except(together, Message::Binary(&large), asleep);
                actions.publish(together, Message::Text(&self.rounds.to_string()));
            }
            _ => {}
        }
    }

    fn on_close(&mut self, _: ConnId, ending: Ending, _: &mut Actions) {
        let _ = self.closed.send(ending);
    }
}

/// One at a time, since all of them are measured as one process; what it holds more than at first.
struct Measured {
    _alone: MutexGuard<'static, ()>,
    before: usize,
}

impl Measured {
    fn begin() -> Self {
        static ALONE: Mutex<()> = Mutex::new(());
        let alone = ALONE.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        Self { _alone: alone, before: Self::resident() }
    }

    fn resident() -> usize {
        let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
        let pages: usize = statm.split(' ').nth(1).unwrap().parse().unwrap();
        pages * 4096
    }

    #[track_caller]
    fn assert_below(&self, bytes: usize) {
        let more = Self::resident().saturating_sub(self.before);
        assert!(more < bytes, "{} MiB more than before", more / MIB);
    }
}

fn hear_large(client: &mut Client) {
    let heard = client.hear();
    assert!(matches!(&heard, Heard::Binary(bytes) if bytes.len() == LARGE));
}

/// These messages, and in this order.
fn assert_reads(stream: &mut UnixStream, messages: impl Iterator<Item = Frame>) {
    for message in messages {
        let mut read = vec![0; message.as_bytes().len()];
        stream.read_exact(&mut read).unwrap();
        assert!(read == message.as_bytes(), "another frame than was sent");
    }
}

fn larges(count: usize) -> impl Iterator<Item = Frame> {
    std::iter::repeat_n(Frame::binary(&[b'l'; LARGE]), count)
}

#[test]
fn who_waits_for_little_of_what_others_were_sent_does_not_hold_all_of_it() {
    const FIRST: usize = 8;
    const ROUNDS: usize = 400;
    let (server, door, closed) = House::start(4 * MIB);
    let mut awake = Client::connect(server.address, "/together");
    let mut asleep = door.open("/together/asleep");
    for _ in 0..FIRST {
        awake.send_text("all");
        hear_large(&mut awake);
    }
    let measured = Measured::begin();
    for round in 1..=ROUNDS {
        awake.send_text("others");
        hear_large(&mut awake);
        assert_eq!(awake.hear_text(), round.to_string());
        measured.assert_below(12 * MIB); // 23 MiB are sent in all
    }
    // And loses nothing by it.
    assert_reads(&mut asleep, larges(FIRST));
    assert_reads(&mut asleep, (1..=ROUNDS).map(|round| Frame::text(&round.to_string())));
    assert_eq!(closed.try_recv().ok(), None);
}

#[test]
fn who_was_not_offered_anything_yet_does_not_give_way() {
    let (server, door, closed) = House::start(4 * MIB);
    let _measured = Measured::begin();
    let _others: Vec<_> = (0..30).map(|_| door.open("/alone")).collect();
    let _asleep: Vec<_> = (0..10).map(|_| door.open_and_fill()).collect();
    assert_eq!(closed.try_recv().ok(), None, "all of them hold less than there may be");
    let mut asks = TcpStream::connect(server.address).unwrap();
    asks.set_read_timeout(Some(PATIENCE)).unwrap();
    asks.write_all(b"GET /large HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n").unwrap();
    assert!(read_head(&mut asks).starts_with("HTTP/1.1 200 "));
    let mut answer = Vec::new();
    asks.read_to_end(&mut answer).unwrap();
    assert_eq!(answer.len(), ANSWER + 1, "a text ends its line");
    assert_eq!(closed.recv_timeout(PATIENCE).ok(), Some(Ending::ByServer(CloseCode::TRY_AGAIN)));
}

#[test]
fn what_is_published_counts_where_nobody_shares_it() {
    let (server, door, closed) = House::start(2 * MIB);
    let measured = Measured::begin();
    let mut each = Vec::new();
    for _ in 0..64 {
        each.push(door.open_and_fill());
        measured.assert_below(12 * MIB); // 16 MiB are what all of them may have queued before they are not read
    }
    eventually("those with more than a share are closed", || {
        matches!(closed.try_recv(), Ok(Ending::ByServer(CloseCode::TRY_AGAIN)))
    });
    let mut newcomer = Client::connect(server.address, "/alone");
    newcomer.send_text("served");
    assert_eq!(newcomer.hear_text(), "served");
}

#[test]
fn answers_that_nobody_takes_count_and_who_is_in_does_not_pay_for_them() {
    const FIRST: usize = 10;
    let (server, door, closed) = House::start(4 * MIB);
    let mut asleep = door.open("/together/asleep");
    let mut awake = Client::connect(server.address, "/together");
    for _ in 0..FIRST {
        awake.send_text("all");
        hear_large(&mut awake);
    }
    let measured = Measured::begin();
    let requests = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n".repeat(400);
    let mut crowd = Vec::new();
    for _ in 0..200 {
        let mut asks = door.connect();
        asks.write_all(&requests).unwrap();
        crowd.push(asks);
        measured.assert_below(20 * MIB); // 50 MiB are what all of them may have queued
    }
    eventually("they are given up", || {
        measured.assert_below(20 * MIB);
        crowd.iter_mut().any(|asks| {
            asks.write_all(b"G").is_err_and(|error| error.kind() == ErrorKind::BrokenPipe)
        })
    });
    // Far more than an equal share among so many.
    assert_reads(&mut asleep, larges(FIRST));
    assert_eq!(closed.try_recv().ok(), None);
}
