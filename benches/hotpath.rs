//! The hot path in lock-step: joining a room, and what is said in it reaching everybody.
//!
//! In each round one member of a raw room sends a batch of 128-byte messages in one write, and the next round begins
//! when every member has every one of them. So a round is one busy turn of the loop. What arrives is checked byte for
//! byte.
//!
//! * `hotpath MEMBERS ROUNDS BATCH` does that much work and no more: the same numbers give the same work, which makes
//!   instruction counts comparable between builds where times are not. `tests/instructions/run` runs it under callgrind
//!   and holds the count for one delivery against a budget.
//! * `cargo bench --bench hotpath` times it over Unix sockets, which are the kernel's cheapest: what is left beside them
//!   is ours. The time has both ends in it, the loop's and the members'.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark that stops where it cannot go on"
)]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use divan::Bencher;
use divan::counter::ItemsCount;
use wsrelay::ws::Frame;
use wsrelay::{Config, engine::Engine, relay::Relay};

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    match numbers[..] {
        [members, rounds, batch] => count(members, rounds, batch),
        _ => divan::main(),
    }
}

/// The work that is counted.
fn count(members: usize, rounds: usize, batch: usize) {
    let mut engine = Engine::new(Config::default()).unwrap();
    let address = engine.listen(([127, 0, 0, 1], 0).into()).unwrap();
    serve(engine);
    let mut room = Room::of((0..members).map(|_| join(connect(address))), batch);
    (0..rounds).for_each(|_| room.hear_one_another());
    println!("{} deliveries", members * rounds * batch);
}

#[divan::bench]
fn join_a_room(bencher: Bencher<'_, '_>) {
    let server = Local::start();
    bencher.bench_local(|| join(server.connect()));
}

#[divan::bench(args = [1, 10, 100])]
fn reach_100_members(bencher: Bencher<'_, '_>, batch: usize) {
    let server = Local::start();
    let mut room = Room::of((0..100).map(|_| join(server.connect())), batch);
    bencher.counter(ItemsCount::new(100 * batch)).bench_local(|| room.hear_one_another());
}

/// Ends with the process.
fn serve(mut engine: Engine) {
    std::thread::spawn(move || engine.run(&mut Relay::new()));
}

/// A relay behind a Unix socket.
struct Local {
    path: PathBuf,
}

impl Local {
    fn start() -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let name = format!("wsrelay-{}-{}", std::process::id(), NUMBER.fetch_add(1, Relaxed));
        let path = std::env::temp_dir().join(name);
        let mut engine = Engine::new(Config::default()).unwrap();
        engine.listen_on_unix(UnixListener::bind(&path).unwrap()).unwrap();
        serve(engine);
        Self { path }
    }

    fn connect(&self) -> UnixStream {
        UnixStream::connect(&self.path).unwrap()
    }
}

impl Drop for Local {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// Members who speak in turns, and what each of them has to hear.
struct Room<S> {
    members: Vec<S>,
    batch: usize,
    round: usize,
    heard: Vec<u8>,
}

impl<S: Read + Write> Room<S> {
    fn of(members: impl Iterator<Item = S>, batch: usize) -> Self {
        let heard = vec![0; message(0).as_bytes().len() * batch];
        Self { members: members.collect(), batch, round: 0, heard }
    }

    fn hear_one_another(&mut self) {
        let first = self.round * self.batch;
        let frames: Vec<Frame> = (first..first + self.batch).map(message).collect();
        let mut sent = Vec::new();
        frames.iter().for_each(|frame| frame.append_masked([1, 2, 3, 4], &mut sent));
        let speaker = self.round % self.members.len();
        self.members[speaker].write_all(&sent).unwrap();
        let expected: Vec<u8> = frames.iter().flat_map(|frame| frame.as_bytes().to_vec()).collect();
        for member in &mut self.members {
            member.read_exact(&mut self.heard).unwrap();
            assert!(self.heard == expected, "round {} did not arrive as it was sent", self.round);
        }
        self.round += 1;
    }
}

/// A message that no other is like.
fn message(number: usize) -> Frame {
    let mut payload = [0x5a; PAYLOAD_BYTES];
    payload[..8].copy_from_slice(&number.to_le_bytes());
    Frame::binary(&payload)
}

fn connect(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

fn join<S: Read + Write>(mut stream: S) -> S {
    stream
        .write_all(
            b"GET /relay/r HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    // Nobody speaks before all are in: what comes is the answer and nothing else.
    let (mut answer, mut filled) = ([0; 1024], 0);
    while !answer[..filled].ends_with(b"\r\n\r\n") {
        filled += stream.read(&mut answer[filled..]).unwrap();
    }
    assert!(answer.starts_with(b"HTTP/1.1 101 "));
    stream
}

const PAYLOAD_BYTES: usize = 128;
