//! What connections cost, measured from outside on the daemon as it is run.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use support::{Client, Daemon, connect, eventually, handshake, read_head};

/// As many as a process with 20,000 descriptors can hold with ease, on both sides.
const CONNECTIONS: usize = 10_000;

fn member(daemon: &Daemon, room: &str) -> TcpStream {
    let mut stream = connect(daemon.address);
    stream.write_all(handshake(&format!("/relay/{room}")).as_bytes()).unwrap();
    assert!(read_head(&mut stream).starts_with("HTTP/1.1 101 "));
    stream
}

#[test]
fn idle_connections_cost_next_to_nothing_and_it_is_given_back() {
    let granted = rlimit::increase_nofile_limit(u64::MAX).unwrap();
    assert!(granted > CONNECTIONS as u64 + 500, "only {granted} descriptors are allowed");
    let daemon = Daemon::start(&[]);
    // Warm: what the first connections make the allocator and the kernel fetch is not theirs.
    let warm: Vec<TcpStream> = (0..100).map(|_| member(&daemon, "warm")).collect();
    let descriptors = daemon.descriptors();
    let before = daemon.pss();

    let members: Vec<TcpStream> = (0..CONNECTIONS).map(|_| member(&daemon, "idle")).collect();
    let each = daemon.pss().saturating_sub(before) / CONNECTIONS;
    println!("user-space memory of an idle connection: {each} bytes");
    assert!(each <= 200, "{each} bytes for each of {CONNECTIONS} connections");

    let (cpu, started) = (daemon.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(3)); // what is measured is the passing of time
    let share = (daemon.cpu() - cpu).as_secs_f64() / started.elapsed().as_secs_f64();
    println!("processor time of {CONNECTIONS} quiet connections: {:.2} % of a core", share * 100.0);
    assert!(share <= 0.02, "{share} of a core while nothing happens");

    drop(members);
    eventually("all are gone", || daemon.descriptors() == descriptors);
    let left = daemon.pss().saturating_sub(before) / 1024;
    println!("left of it when they have gone: {left} KiB");
    assert!(left <= CONNECTIONS * 200 / 1024, "no more than one crowd's worth is kept: {left} KiB");
    Client::connect(daemon.address, "/echo").assert_echoed("awake");
    drop(warm);
}
