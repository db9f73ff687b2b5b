//! Peers that mean no good, or are merely broken: memory stays bounded, the loop does not spin, bystanders are served, and
//! everything is given back.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use support::{Client, Daemon, Heard, connect, eventually, frame, handshake, read_head};
use wsrelay::ws::CloseCode;

const MIB: usize = 1 << 20;

/// What the daemon holds may grow by so much and no more while `act` runs, and a bystander is served before and after.
fn bounded(growth: usize, daemon: &Daemon, act: impl FnOnce()) {
    let mut bystander = Client::connect(daemon.address, "/echo");
    bystander.assert_echoed("before");
    let before = daemon.rss();
    act();
    bystander.assert_echoed("after");
    let after = daemon.rss();
    assert!(after <= before + growth, "grew from {before} to {after}");
}

/// While nothing happens that could be served, the loop sleeps: a spinning one uses a whole core.
fn assert_at_rest(daemon: &Daemon) {
    let (before, started) = (daemon.cpu(), Instant::now());
    std::thread::sleep(Duration::from_secs(2)); // measuring what an idle loop uses takes a while of idling
    let used = daemon.cpu() - before;
    assert!(used < started.elapsed() / 10, "the loop span: {used:?} of processor time");
}

/// Closes so that the peer sees a reset and not an end.
fn reset(stream: &TcpStream) {
    socket2::SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn assert_all_given_back(daemon: &Daemon, descriptors: usize) {
    eventually("descriptors are given back", || daemon.descriptors() <= descriptors);
}

#[test]
fn a_flood_of_one_byte_fragments_is_cut_off() {
    let daemon = Daemon::start(&[]);
    bounded(2 * MIB, &daemon, || {
        let mut flooder = Client::connect(daemon.address, "/echo");
        let mut flood = frame(0x01, b"a");
        for _ in 0..100_000 {
            flood.extend(frame(0x00, b"b"));
        }
        // The server hangs up in the middle of it.
        let _ = flooder.stream.write_all(&flood);
        assert_eq!(flooder.close_code(), Some(CloseCode::POLICY));
    });
}

#[test]
fn a_flood_of_empty_fragments_is_cut_off() {
    let daemon = Daemon::start(&[]);
    bounded(2 * MIB, &daemon, || {
        let mut flooder = Client::connect(daemon.address, "/echo");
        let mut flood = frame(0x01, b"");
        (0..20_000).for_each(|_| flood.extend(frame(0x00, b"")));
        let _ = flooder.stream.write_all(&flood);
        assert_eq!(flooder.close_code(), Some(CloseCode::POLICY));
    });
}

#[test]
fn a_flood_of_pings_is_answered_ping_by_ping() {
    let daemon = Daemon::start(&[]);
    bounded(4 * MIB, &daemon, || {
        let mut pinger = Client::connect(daemon.address, "/echo");
        let mut writer = pinger.stream.try_clone().unwrap();
        let pings = std::thread::spawn(move || {
            let burst = frame(0x89, b"?").repeat(1000);
            (0..100).for_each(|_| writer.write_all(&burst).unwrap());
        });
        for _ in 0..100_000 {
            assert_eq!(pinger.hear(), Heard::Pong(b"?".to_vec()));
        }
        pings.join().unwrap();
    });
}

#[test]
fn pings_from_a_peer_that_never_reads_cost_it_its_turn_and_not_memory() {
    let daemon = Daemon::start(&[]);
    bounded(4 * MIB, &daemon, || {
        let mut pinger = Client::connect(daemon.address, "/echo");
        pinger.stream.set_write_timeout(Some(Duration::from_millis(500))).unwrap();
        let burst = frame(0x89, &[b'?'; 125]).repeat(1000);
        // Until the server no longer takes them, or a hundred megabytes.
        let taken = (0..800).take_while(|_| pinger.stream.write_all(&burst).is_ok()).count();
        assert!(taken < 800, "the server took everything and kept it somewhere");
        assert_at_rest(&daemon);
    });
}

#[test]
fn a_thousand_promises_of_large_frames_cost_what_was_sent_and_not_what_was_promised() {
    let daemon = Daemon::start(&["--max-message", "16777216"]);
    let descriptors = daemon.descriptors();
    bounded(2 * MIB, &daemon, || {
        let peers: Vec<Client> = (0..1000)
            .map(|_| {
                let mut peer = Client::connect(daemon.address, "/echo");
                let mut promise = vec![0x82, 0xff];
                promise.extend(16_777_216u64.to_be_bytes());
                promise.extend([1, 2, 3, 4, b'x']);
                peer.send_raw(&promise);
                peer
            })
            .collect();
        assert_eq!(daemon.descriptors(), descriptors + 1001);
        drop(peers);
    });
    assert_all_given_back(&daemon, descriptors);
}

#[test]
fn a_promise_over_the_limit_is_refused_from_the_header() {
    let daemon = Daemon::start(&[]);
    for (header, code) in [
        (&[0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 1][..], CloseCode::TOO_BIG),
        (&[0x82, 0xff, 0x80, 0, 0, 0, 0, 0, 0, 0], CloseCode::PROTOCOL),
        (&[0x82, 0xff, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], CloseCode::TOO_BIG),
        (&[0x8b, 0xff], CloseCode::PROTOCOL),
    ] {
        let mut peer = Client::connect(daemon.address, "/echo");
        peer.send_raw(header);
        assert_eq!(peer.close_code(), Some(code), "{header:02x?}");
    }
}

#[test]
fn a_peer_that_has_ended_its_half_or_says_nothing_does_not_keep_the_loop_awake() {
    let daemon = Daemon::start(&[]);
    let _mute = connect(daemon.address);
    let half = connect(daemon.address);
    half.shutdown(Shutdown::Write).unwrap();
    let mut unfinished = Client::connect(daemon.address, "/relay/r");
    unfinished.send_raw(&frame(0x01, b"to be continued"));
    let closing = Client::connect(daemon.address, "/relay/r");
    closing.stream.shutdown(Shutdown::Write).unwrap();
    assert_at_rest(&daemon);
}

#[test]
fn a_member_that_never_reads_is_closed_and_the_others_notice_nothing() {
    let daemon = Daemon::start(&[]);
    bounded(8 * MIB, &daemon, || {
        let mut sleeper = Client::connect(daemon.address, "/relay/r?echo=off");
        let mut reader = Client::connect(daemon.address, "/relay/r?echo=off");
        let mut writer = Client::connect(daemon.address, "/relay/r?echo=off");
        // The kernel holds no more for it than this, and what it lets a sender queue.
        socket2::SockRef::from(&sleeper.stream).set_recv_buffer_size(64 * 1024).unwrap();
        let (wake, woken) = std::sync::mpsc::channel();
        // It wakes up to find itself closed, before the server gives up on saying so.
        let sleeper = std::thread::spawn(move || {
            woken.recv().unwrap();
            sleeper.close_code()
        });
        let post = vec![b'p'; 32 * 1024];
        for n in 0..1024u32 {
            let numbered = [&n.to_be_bytes(), &post[..]].concat();
            writer.send_binary(&numbered);
            assert_eq!(reader.hear(), Heard::Binary(numbered), "post {n}");
            if n == 224 {
                wake.send(()).unwrap(); // 7 MiB are more than all buffers between them hold
            }
        }
        assert_eq!(sleeper.join().unwrap(), Some(CloseCode::TRY_AGAIN));
    });
}

#[test]
fn a_head_that_drips_holds_nobody_up() {
    let daemon = Daemon::start(&[]);
    bounded(MIB, &daemon, || {
        let mut drips: Vec<TcpStream> = (0..100).map(|_| connect(daemon.address)).collect();
        for byte in handshake("/echo").bytes() {
            drips.iter_mut().for_each(|drip| drip.write_all(&[byte]).unwrap());
        }
        for drip in &mut drips {
            assert!(read_head(drip).starts_with("HTTP/1.1 101 "));
        }
    });
}

#[test]
fn a_head_without_end_is_refused_when_it_is_too_long() {
    let daemon = Daemon::start(&[]);
    for (start, filler, status) in [
        ("GET /", "a", "414"),
        ("GET / HTTP/1.1\r\nHost: t\r\nX: ", "a", "431"),
        ("GET / HTTP/1.1\r\n", "X:y\r\n", "431"),
    ] {
        let mut peer = connect(daemon.address);
        peer.write_all(start.as_bytes()).unwrap();
        let _ = peer.write_all(filler.repeat(40_000).as_bytes());
        let head = read_head(&mut peer);
        assert!(head.starts_with(&format!("HTTP/1.1 {status} ")), "{start:?}: {head:?}");
    }
}

#[test]
fn a_reset_at_any_stage_leaves_nothing_behind() {
    let daemon = Daemon::start(&[]);
    let mut bystander = Client::connect(daemon.address, "/relay/r");
    let descriptors = daemon.descriptors();
    let upgrade = handshake("/relay/r").into_bytes();
    let stages: [&[u8]; 7] = [
        b"",
        b"GET /re",
        b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc",
        &upgrade,
        &[&upgrade[..], &[0x82]].concat(),
        &[&upgrade[..], &frame(0x01, b"half")[..]].concat(),
        &[&upgrade[..], &frame(0x88, &[3, 232])[..]].concat(),
    ];
    for stage in stages {
        for _ in 0..20 {
            let mut peer = connect(daemon.address);
            peer.write_all(stage).unwrap();
            if stage.starts_with(&upgrade) {
                assert!(read_head(&mut peer).starts_with("HTTP/1.1 101 "));
            }
            reset(&peer);
        }
    }
    assert_all_given_back(&daemon, descriptors);
    bystander.assert_echoed("alone again");
}

#[test]
fn who_ends_its_half_is_still_answered() {
    let daemon = Daemon::start(&[]);
    let mut peer = connect(daemon.address);
    let mut bytes = handshake("/echo").into_bytes();
    bytes.extend(frame(0x81, b"last words"));
    peer.write_all(&bytes).unwrap();
    peer.shutdown(Shutdown::Write).unwrap();
    assert!(read_head(&mut peer).starts_with("HTTP/1.1 101 "));
    let mut rest = Vec::new();
    peer.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"\x81\x0alast words");
}

#[test]
fn ten_thousand_quick_connects_are_all_served_and_forgotten() {
    let daemon = Daemon::start(&[]);
    let descriptors = daemon.descriptors();
    bounded(2 * MIB, &daemon, || {
        for n in 0..10_000 {
            let mut peer = connect(daemon.address);
            peer.write_all(handshake("/relay/quick").as_bytes()).unwrap();
            if n % 2 == 0 {
                assert!(read_head(&mut peer).starts_with("HTTP/1.1 101 "));
            }
            reset(&peer); // so that ports do not wait in TIME_WAIT
        }
    });
    assert_all_given_back(&daemon, descriptors);
}

#[test]
fn out_of_descriptors_the_loop_rests_and_serves_again_when_some_are_free() {
    let daemon = Daemon::start_limited(Some(64), &["--max-connections", "1000"]);
    let mut held: Vec<Client> = Vec::new();
    while daemon.descriptors() < 64 {
        held.push(Client::connect(daemon.address, "/echo"));
    }
    let mut waiting: Vec<TcpStream> = (0..20).map(|_| connect(daemon.address)).collect();
    waiting.iter_mut().for_each(|w| w.write_all(handshake("/echo").as_bytes()).unwrap());
    held[0].assert_echoed("those inside are served");

    assert_at_rest(&daemon);

    held.truncate(1);
    for w in &mut waiting {
        assert!(read_head(w).starts_with("HTTP/1.1 101 "), "served when a place was free");
    }
    held[0].assert_echoed("and so are those who were in");
}

#[test]
fn connections_without_a_request_do_not_keep_others_out_for_ever() {
    let daemon = Daemon::start(&["--max-connections", "20"]);
    let _mute: Vec<TcpStream> = (0..20).map(|_| connect(daemon.address)).collect();
    eventually("the mute are let go", || {
        let mut peer = connect(daemon.address);
        let _ = peer.write_all(handshake("/echo").as_bytes());
        read_head(&mut peer).starts_with("HTTP/1.1 101 ")
    });
}

#[test]
fn one_busy_peer_does_not_starve_another() {
    let daemon = Daemon::start(&[]);
    let mut busy = Client::connect(daemon.address, "/echo");
    let mut reader = busy.stream.try_clone().unwrap();
    let drain = std::thread::spawn(move || {
        let mut sink = vec![0; MIB];
        while matches!(reader.read(&mut sink), Ok(n) if n > 0) {}
    });
    let mut writer = busy.stream.try_clone().unwrap();
    let flood = std::thread::spawn(move || {
        let burst = frame(0x82, &[0; 16]).repeat(4096);
        while writer.write_all(&burst).is_ok() {}
    });
    let mut bystander = Client::connect(daemon.address, "/echo");
    let mut slowest = Duration::ZERO;
    for n in 0..200 {
        let asked = Instant::now();
        bystander.assert_echoed(&format!("round {n}"));
        slowest = slowest.max(asked.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "a round trip took {slowest:?}");
    busy.stream.shutdown(Shutdown::Both).unwrap();
    flood.join().unwrap();
    drain.join().unwrap();
    let _ = busy.stream.flush();
}
