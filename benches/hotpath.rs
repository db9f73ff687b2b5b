//! The hot path in lock-step, for counting instructions: `hotpath MEMBERS ROUNDS BATCH`.
//!
//! In each round one member of a raw room sends BATCH messages of 128 bytes in one write, and the next round begins when
//! every member has every one of them. So a round is one busy turn of the loop, and the same numbers give the same work,
//! which makes instruction counts comparable between builds where times are not. What arrives is checked byte for byte.
//!
//! `tests/instructions/run` runs it under callgrind and holds the count for one delivery against a budget.
#![allow(missing_docs, clippy::unwrap_used, reason = "a program that stops where it cannot go on")]

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};

use wsrelay::ws::Frame;
use wsrelay::{Config, engine::Engine, relay::Relay};

const PAYLOAD_BYTES: usize = 128;

fn main() {
    let numbers: Vec<usize> = std::env::args().skip(1).filter_map(|arg| arg.parse().ok()).collect();
    let &[members, rounds, batch] = &numbers[..] else {
        // `cargo bench` passes flags of its own: a small run shows that the answers are right.
        return run(10, 10, 10);
    };
    run(members, rounds, batch);
}

fn run(members: usize, rounds: usize, batch: usize) {
    let mut engine = Engine::new(Config::default()).unwrap();
    let address = engine.listen(([127, 0, 0, 1], 0).into()).unwrap();
    std::thread::spawn(move || engine.run(&mut Relay::new()));

    let mut room: Vec<TcpStream> = (0..members).map(|_| join(address)).collect();
    let mut heard = vec![0; Frame::binary(&[0; PAYLOAD_BYTES]).as_bytes().len() * batch];
    for round in 0..rounds {
        let frames: Vec<Frame> = (0..batch).map(|n| message(round * batch + n)).collect();
        let mut sent = Vec::new();
        frames.iter().for_each(|frame| frame.append_masked([1, 2, 3, 4], &mut sent));
        room[round % members].write_all(&sent).unwrap();
        let expected: Vec<u8> = frames.iter().flat_map(|frame| frame.as_bytes().to_vec()).collect();
        for member in &mut room {
            member.read_exact(&mut heard).unwrap();
            assert!(heard == expected, "round {round} was not delivered as it was sent");
        }
    }
    println!("{} deliveries", members * rounds * batch);
}

/// A message that no other is like.
fn message(number: usize) -> Frame {
    let mut payload = [0x5a; PAYLOAD_BYTES];
    payload[..8].copy_from_slice(&number.to_le_bytes());
    Frame::binary(&payload)
}

fn join(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
        .write_all(
            b"GET /relay/r HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
              Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
        )
        .unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    assert!(head.starts_with(b"HTTP/1.1 101 "));
    stream
}
