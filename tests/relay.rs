//! Raw rooms and probes, as a client that we did not write (tungstenite) and plain HTTP see them on the real daemon.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;

use support::{Daemon, connect, handshake};
use tungstenite::client::IntoClientRequest;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Bytes, Error, Message, WebSocket};

type Socket = WebSocket<TcpStream>;

fn join(daemon: &Daemon, path: &str) -> Socket {
    join_with(daemon, path, &[]).expect("upgraded")
}

/// Joins with more fields in the handshake; a refusal is its status.
fn join_with(daemon: &Daemon, path: &str, fields: &[(&'static str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{}{path}", daemon.address).into_client_request().unwrap();
    for (name, value) in fields {
        request.headers_mut().insert(*name, value.parse().unwrap());
    }
    match tungstenite::client(request, connect(daemon.address)) {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::HandshakeError::Failure(Error::Http(response))) => {
            Err(response.status().as_u16())
        }
        Err(other) => panic!("{other}"),
    }
}

/// One request on a connection of its own: the whole answer.
fn ask(daemon: &Daemon, request: &str) -> String {
    let mut stream = connect(daemon.address);
    stream.write_all(request.replace('\n', "\r\n").as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn get(daemon: &Daemon, path: &str) -> String {
    ask(daemon, &format!("GET {path} HTTP/1.1\nHost: h\nConnection: close\n\n"))
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).unwrap_or(answer)
}

#[test]
fn all_members_get_what_one_sends_byte_for_byte_and_kind_for_kind() {
    let daemon = Daemon::start(&[]);
    let mut members: Vec<Socket> = (0..5).map(|_| join(&daemon, "/relay/r")).collect();
    let messages = [
        Message::text("héllo"),
        Message::text(""),
        Message::binary(vec![0, 255, 10, 13]),
        Message::binary(Bytes::new()),
        Message::text("x".repeat(65_536)),
    ];
    for (turn, message) in messages.iter().cycle().take(10).enumerate() {
        members[turn % 5].send(message.clone()).unwrap();
        for member in &mut members {
            assert_eq!(&member.read().unwrap(), message);
        }
    }
}

#[test]
fn echo_off_leaves_out_the_sender_alone() {
    let daemon = Daemon::start(&[]);
    let mut quiet = join(&daemon, "/relay/r?echo=off");
    let mut plain = join(&daemon, "/relay/r?echo=on");
    quiet.send(Message::text("from quiet")).unwrap();
    assert_eq!(plain.read().unwrap(), Message::text("from quiet"));
    plain.send(Message::text("from plain")).unwrap();
    assert_eq!(plain.read().unwrap(), Message::text("from plain"));
    assert_eq!(quiet.read().unwrap(), Message::text("from plain"), "its own was not echoed");
}

#[test]
fn rooms_are_apart_and_a_name_is_taken_as_written() {
    let daemon = Daemon::start(&[]);
    let names = ["lobby", "Lobby", "lobby.", "~lobby", "..", "_-.~0"];
    let mut rooms: Vec<Socket> =
        names.iter().map(|name| join(&daemon, &format!("/relay/{name}"))).collect();
    for (name, room) in names.iter().zip(&mut rooms) {
        room.send(Message::text(*name)).unwrap();
    }
    for (name, room) in names.iter().zip(&mut rooms) {
        assert_eq!(room.read().unwrap(), Message::text(*name), "only its own");
    }
}

#[test]
fn a_crowd_that_all_sends_at_once_gets_everything_in_one_order() {
    const MEMBERS: usize = 20;
    const EACH: usize = 50;
    let daemon = Daemon::start(&[]);
    let members: Vec<Socket> = (0..MEMBERS).map(|_| join(&daemon, "/relay/crowd")).collect();
    let threads: Vec<_> = members
        .into_iter()
        .enumerate()
        .map(|(me, mut socket)| {
            std::thread::spawn(move || {
                for n in 0..EACH {
                    socket.send(Message::text(format!("{me}.{n}"))).unwrap();
                }
                (0..MEMBERS * EACH).map(|_| socket.read().unwrap().to_string()).collect::<Vec<_>>()
            })
        })
        .collect();
    let heard: Vec<Vec<String>> = threads.into_iter().map(|t| t.join().unwrap()).collect();
    assert!(heard.iter().all(|each| *each == heard[0]), "one order for all");
    for me in 0..MEMBERS {
        let mine = heard[0].iter().filter(|text| text.starts_with(&format!("{me}.")));
        assert!(mine.eq((0..EACH).map(|n| format!("{me}.{n}")).collect::<Vec<_>>().iter()));
    }
}

#[test]
fn a_message_at_the_limit_passes_and_one_byte_more_closes_with_1009() {
    let daemon = Daemon::start(&["--max-message", "1000"]);
    let mut socket = join(&daemon, "/echo");
    socket.send(Message::text("a".repeat(1000))).unwrap();
    assert_eq!(socket.read().unwrap().len(), 1000);
    socket.send(Message::text("a".repeat(1001))).unwrap();
    let Message::Close(Some(close)) = socket.read().unwrap() else { panic!("not closed") };
    assert_eq!(close.code, CloseCode::Size);
}

#[test]
fn what_is_no_room_is_404_and_a_room_without_an_upgrade_426() {
    let daemon = Daemon::start(&[]);
    let too_long = format!("/relay/{}", "a".repeat(65));
    for path in
        ["/relay/", "/relay/a/b", "/relay/a%20b", "/relay/%61", &too_long, "/relays", "/nope"]
    {
        assert_eq!(join_with(&daemon, path, &[]).err(), Some(404), "{path}");
        assert_eq!(status(&get(&daemon, path)), "404", "{path}");
    }
    for path in ["/relay/lobby", "/echo"] {
        let answer = get(&daemon, path);
        assert_eq!(status(&answer), "426");
        assert!(answer.contains("\r\nUpgrade: websocket\r\n"), "{answer}");
    }
    for echo in ["perhaps", "%ff", "%6", ""] {
        let path = format!("/relay/lobby?echo={echo}");
        assert_eq!(join_with(&daemon, &path, &[]).err(), Some(400), "{path}");
    }
}

#[test]
fn what_comes_behind_a_refused_handshake_is_no_request() {
    let daemon = Daemon::start(&[]);
    for path in ["/nowhere", "/relay/a/b", "/relay/r?echo=maybe"] {
        let refused = handshake(path).replace('\r', "");
        let answer = ask(&daemon, &format!("{refused}GET /healthz HTTP/1.1\nHost: t\n\n"));
        assert_eq!(answer.matches("HTTP/1.1 ").count(), 1, "{path}: {answer}");
        assert!(answer.contains("\r\nConnection: close\r\n"), "{path}: {answer}");
    }
}

#[test]
fn relay_off_hides_rooms_and_probe() {
    let daemon = Daemon::start(&["--relay", "off"]);
    for path in ["/relay/lobby", "/echo"] {
        assert_eq!(join_with(&daemon, path, &[]).err(), Some(404), "{path}");
        assert_eq!(status(&get(&daemon, path)), "404", "{path}");
    }
    assert_eq!(status(&get(&daemon, "/healthz")), "200");
}

#[test]
fn an_origin_must_be_the_servers_own_or_allowed() {
    let daemon = Daemon::start(&["--allow-origin", "https://chat.example"]);
    let own = format!("http://{}", daemon.address);
    for (origin, expected) in [
        (own.as_str(), None),
        ("https://chat.example", None),
        ("https://chat.example:443", None),
        ("http://chat.example", Some(403)),
        ("https://chat.example.evil.example", Some(403)),
        ("https://evil.example", Some(403)),
        ("null", Some(403)),
        ("", Some(403)),
    ] {
        let refused = join_with(&daemon, "/echo", &[("Origin", origin)]).err();
        assert_eq!(refused, expected, "{origin:?}");
    }
    let open = Daemon::start(&["--allow-origin", "*"]);
    assert!(join_with(&open, "/echo", &[("Origin", "https://evil.example")]).is_ok());
}

#[test]
fn the_page_is_served_with_etags_and_only_for_reading() {
    let daemon = Daemon::start(&[]);
    let page = get(&daemon, "/");
    assert_eq!(status(&page), "200");
    assert!(page.contains("\r\nContent-Type: text/html; charset=utf-8\r\n"));
    assert!(page.contains("\r\nContent-Security-Policy: default-src 'none'; script-src 'self';"));
    let etag = page.lines().find_map(|line| line.strip_prefix("ETag: ")).expect("an ETag");
    let again = ask(
        &daemon,
        &format!("GET / HTTP/1.1\nHost: h\nIf-None-Match: {etag}\nConnection: close\n\n"),
    );
    assert_eq!(status(&again), "304");
    assert!(again.ends_with("\r\n\r\n"), "no body");
    let head = ask(&daemon, "HEAD / HTTP/1.1\nHost: h\nConnection: close\n\n");
    assert!(head.ends_with("\r\n\r\n") && head.contains("\r\nContent-Length: "));
    let post = ask(&daemon, "POST / HTTP/1.1\nHost: h\nContent-Length: 2\nConnection: close\n\nhi");
    assert_eq!(status(&post), "405");
    assert!(post.contains("\r\nAllow: GET, HEAD\r\n"));
    assert_eq!(status(&ask(&daemon, "BREW / HTTP/1.1\nHost: h\nConnection: close\n\n")), "501");
}

#[test]
fn a_path_is_never_a_file_name() {
    let daemon = Daemon::start(&[]);
    for path in [
        "/../Cargo.toml",
        "/%2e%2e/Cargo.toml",
        "/..%2fCargo.toml",
        "//etc/passwd",
        "/style.css/",
        "/./style.css",
    ] {
        let answer = get(&daemon, path);
        assert!(["400", "404"].contains(&status(&answer)), "{path}: {answer}");
    }
}

#[test]
fn a_unix_socket_serves_the_same_and_its_file_comes_and_goes() {
    let path = std::env::temp_dir().join(format!("wsrelay-{}.sock", std::process::id()));
    drop(std::os::unix::net::UnixListener::bind(&path).unwrap()); // as a killed process leaves it
    let daemon = Daemon::start(&["--listen", &format!("unix:{}", path.display())]);
    let stream = UnixStream::connect(&path).unwrap();
    let (mut over_unix, _) = tungstenite::client("ws://localhost/relay/both", stream).unwrap();
    let mut over_tcp = join(&daemon, "/relay/both");
    over_unix.send(Message::text("hello from the file system")).unwrap();
    assert_eq!(over_tcp.read().unwrap(), Message::text("hello from the file system"));
    daemon.signal("TERM");
    assert!(daemon.ended().success());
    assert!(!path.exists());
}

#[test]
fn sigterm_and_sigint_close_with_1001_and_end_well_and_a_second_one_ends_at_once() {
    for signal in ["TERM", "INT"] {
        let daemon = Daemon::start(&[]);
        let mut socket = join(&daemon, "/relay/r");
        daemon.signal(signal);
        let Message::Close(Some(close)) = socket.read().unwrap() else { panic!("not closed") };
        assert_eq!(close.code, CloseCode::Away);
        drop(socket);
        assert!(daemon.ended().success(), "SIG{signal}");
    }
    let daemon = Daemon::start(&[]);
    let mut mute = join(&daemon, "/relay/r");
    daemon.signal("TERM");
    assert!(matches!(mute.get_mut().peek(&mut [0]), Ok(1)), "it has begun to close");
    daemon.signal("TERM");
    assert_eq!(daemon.ended().code(), Some(128 + 15));
}

#[test]
fn a_bad_flag_ends_with_status_2_and_an_address_in_use_with_1() {
    let run = |args: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_wsrelay")).args(args).output();
        let output = output.unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, line) = run(&["--frob"]);
    assert_eq!((code, line.lines().count()), (Some(2), 1), "{line}");
    let daemon = Daemon::start(&[]);
    let (code, line) = run(&["--listen", &daemon.address.to_string()]);
    assert_eq!((code, line.lines().count()), (Some(1), 1), "{line}");
    assert!(line.contains(&daemon.address.to_string()), "{line}");
}

#[test]
fn a_flag_counts_for_more_than_the_environment() {
    let directory = std::env::temp_dir().join(format!("wsrelay-flags-{}", std::process::id()));
    std::fs::create_dir(&directory).unwrap();
    let file = directory.join("chat.db");
    // Whether a daemon that was told so keeps its data in the file.
    let keeps = |args: &[&str], variables: &[(&str, &str)]| {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_wsrelay"));
        command.args(args).args(["--listen", "127.0.0.1:0"]).envs(variables.iter().copied());
        let mut daemon = command.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        std::io::BufReader::new(daemon.stdout.take().unwrap()).read_line(&mut line).unwrap();
        daemon.kill().unwrap();
        daemon.wait().unwrap();
        assert!(line.starts_with("listening on "), "{args:?} {variables:?}: {line}");
        let is_there = file.exists();
        for left in std::fs::read_dir(&directory).unwrap() {
            std::fs::remove_file(left.unwrap().path()).unwrap();
        }
        is_there
    };
    let path = file.to_str().unwrap();
    assert!(!keeps(&["--memory"], &[("WSRELAY_DATA", path)]));
    assert!(!keeps(&[], &[("WSRELAY_DATA", path), ("WSRELAY_MEMORY", "1")]));
    assert!(keeps(&["--data", path], &[("WSRELAY_MEMORY", "1")]));
    assert!(keeps(&["--data", path], &[("WSRELAY_MEMORY", "0")]));
    assert!(keeps(&["serve", "--data", path], &[("WSRELAY_PROXY_PROTOCOL", "false")]));
    std::fs::remove_dir(directory).unwrap();
}

#[test]
fn a_flag_in_the_environment_that_is_neither_true_nor_false_is_refused() {
    let mut daemon = std::process::Command::new(env!("CARGO_BIN_EXE_wsrelay"));
    let output = daemon.env("WSRELAY_MEMORY", "banana").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("banana") && said.contains("--memory"), "{said}");
}

#[test]
fn deflated_messages_are_read_from_a_client_that_compresses() {
    // tungstenite does not compress: this frame is "Hello" as RFC 7692 §7.2.3.1 has it, masked with zeros.
    let daemon = Daemon::start(&[]);
    let mut stream = connect(daemon.address);
    let offer = "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let handshake = handshake("/echo").replace("\r\n\r\n", &format!("\r\n{offer}"));
    stream.write_all(handshake.as_bytes()).unwrap();
    let head = support::read_head(&mut stream);
    assert!(head.contains("permessage-deflate; "), "{head}");
    stream.write_all(&[0xc1, 0x87, 0, 0, 0, 0, 0xf2, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00]).unwrap();
    let mut echoed = [0; 7];
    stream.read_exact(&mut echoed).unwrap();
    assert_eq!(&echoed, b"\x81\x05Hello", "too short to be worth deflating");

    // For one connection alone it has to be long to be worth it.
    for (bytes, first_of_answer) in [(1_023, 0x81), (1_024, 0xc1)] {
        stream.write_all(&support::frame(0x81, &vec![b'a'; bytes])).unwrap();
        let mut head = [0; 2];
        stream.read_exact(&mut head).unwrap();
        assert_eq!(head[0], first_of_answer, "{bytes} bytes");
        let length = match head[1] {
            126 => {
                let mut extended = [0; 2];
                stream.read_exact(&mut extended).unwrap();
                u16::from_be_bytes(extended).into()
            }
            short => u64::from(short),
        };
        assert_eq!(length == bytes as u64, bytes < 1_024, "{length} of {bytes} bytes");
        std::io::copy(&mut (&mut stream).take(length), &mut std::io::sink()).unwrap();
    }
}
