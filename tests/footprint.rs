//! What connections cost, measured from outside on the daemon as it is run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use support::{Client, Daemon, connect, eventually, handshake, read_head};
use wsrelay::ws::{Codec, Frame, Limits};

/// As many as a process with 20,000 descriptors can hold with ease, on both sides.
const CONNECTIONS: usize = 10_000;

/// User-space memory of an idle connection.
const BYTES_MAX: usize = 200;

/// Two crowds at one time would be more than the descriptors of this process.
fn alone() -> MutexGuard<'static, ()> {
    static CROWD: Mutex<()> = Mutex::new(());
    let alone = CROWD.lock().unwrap_or_else(PoisonError::into_inner);
    let granted = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(granted > CONNECTIONS as u64 + 500, "only {granted} descriptors are allowed");
    alone
}

fn member(daemon: &Daemon, room: &str) -> TcpStream {
    let mut stream = connect(daemon.address);
    stream.write_all(handshake(&format!("/relay/{room}")).as_bytes()).unwrap();
    assert!(read_head(&mut stream).starts_with("HTTP/1.1 101 "));
    stream
}

#[test]
fn idle_connections_cost_next_to_nothing_and_it_is_given_back() {
    let _alone = alone();
    let daemon = Daemon::start(&[]);
    // Warm: what the first connections make the allocator and the kernel fetch is not theirs.
    let warm: Vec<TcpStream> = (0..100).map(|_| member(&daemon, "warm")).collect();
    let descriptors = daemon.descriptors();
    let before = daemon.anonymous();

    let members: Vec<TcpStream> = (0..CONNECTIONS).map(|_| member(&daemon, "idle")).collect();
    let each = daemon.anonymous().saturating_sub(before) / CONNECTIONS;
    println!("user-space memory of an idle connection: {each} bytes");
    assert!(each <= BYTES_MAX, "{each} bytes for each of {CONNECTIONS} connections");

    let (cpu, started) = (daemon.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(3)); // what is measured is the passing of time
    let share = (daemon.cpu() - cpu).as_secs_f64() / started.elapsed().as_secs_f64();
    println!("processor time of {CONNECTIONS} quiet connections: {:.2} % of a core", share * 100.0);
    assert!(share <= 0.02, "{share} of a core while nothing happens");

    drop(members);
    eventually("all are gone", || daemon.descriptors() == descriptors);
    let left = daemon.anonymous().saturating_sub(before) / 1024;
    println!("left of it when they have gone: {left} KiB");
    assert!(
        left <= CONNECTIONS * BYTES_MAX / 1024,
        "no more than one crowd's worth is kept: {left} KiB"
    );
    Client::connect(daemon.address, "/echo").assert_echoed("awake");
    drop(warm);
}

/// Agrees on compression, says something compressed, and hears it compressed again.
fn squeezing(daemon: &Daemon, squeezed: &Frame) -> TcpStream {
    let mut stream = connect(daemon.address);
    let offer = "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n";
    stream.write_all(handshake("/echo").replacen("\r\n", offer, 1).as_bytes()).unwrap();
    let head = read_head(&mut stream);
    assert!(head.contains("\r\nSec-WebSocket-Extensions: permessage-deflate;"), "{head}");
    let mut masked = Vec::new();
    squeezed.append_masked([1, 2, 3, 4], &mut masked);
    stream.write_all(&masked).unwrap();
    let mut heard = vec![0; squeezed.as_bytes().len()];
    stream.read_exact(&mut heard).unwrap();
    assert_eq!(heard, squeezed.as_bytes());
    stream
}

#[test]
fn idle_connections_that_compress_cost_no_more() {
    let _alone = alone();
    // Long enough to be compressed for one alone.
    let plain = Frame::text(&"what goes without saying ".repeat(100));
    let squeezed = Codec::new(Limits::default()).deflate(&plain).unwrap();
    let daemon = Daemon::start(&[]);
    let _warm: Vec<TcpStream> = (0..100).map(|_| squeezing(&daemon, &squeezed)).collect();
    let before = daemon.anonymous();
    let _idle: Vec<TcpStream> = (0..CONNECTIONS).map(|_| squeezing(&daemon, &squeezed)).collect();
    let each = daemon.anonymous().saturating_sub(before) / CONNECTIONS;
    println!("user-space memory of an idle connection that compresses: {each} bytes");
    assert!(each <= BYTES_MAX, "{each} bytes for each of {CONNECTIONS} connections");
}

/// In a crowd, which is when it counts. What is compared is the daemon's own time.
#[test]
fn to_turn_somebody_away_costs_less_than_to_let_them_in() {
    const TIMES: usize = 6_400;
    const AT_ONCE: usize = 64;
    let spent = |daemon: &Daemon, status: &str| {
        let before = daemon.cpu();
        for _ in 0..TIMES / AT_ONCE {
            let mut crowd: Vec<_> = (0..AT_ONCE).map(|_| connect(daemon.address)).collect();
            for stream in &mut crowd {
                // Some are told before they have asked.
                let _ = stream.write_all(handshake("/echo").as_bytes());
            }
            for stream in &mut crowd {
                assert!(read_head(stream).starts_with(status));
            }
        }
        daemon.cpu() - before
    };
    let open = Daemon::start(&["--log", "off"]);
    let full = Daemon::start(&["--max-connections", "1", "--log", "off"]);
    let _inside = member(&full, "full");
    let let_in = spent(&open, "HTTP/1.1 101 ");
    let turned_away = spent(&full, "HTTP/1.1 503 ");
    println!("of {TIMES}: {let_in:?} to let them in, {turned_away:?} to turn them away");
    assert!(
        turned_away <= let_in,
        "{turned_away:?} for {TIMES} refusals, {let_in:?} for as many handshakes"
    );
}
