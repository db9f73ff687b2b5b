//! Who the client is: what trusted proxies say is believed, and what others say changes nothing.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

mod support;

use std::io::{Read, Write};
use std::net::TcpStream;

use support::{Client, Server, connect, handshake, read_head};
use wsrelay::Config;
use wsrelay::engine::{Actions, Caller, ConnId, Reply, Service, Upgrade};
use wsrelay::http::{Request, Response, Status, Trusted};
use wsrelay::ws::Message;

/// Tells each who they are: in a response, or in the first message.
struct Mirror;

impl Mirror {
    fn says(caller: Caller) -> String {
        format!("{}{}", caller.client, if caller.client.secure { " tls" } else { "" })
    }
}

impl Service for Mirror {
    fn on_request(&mut self, caller: Caller, _: &Request<'_>, _: &mut Actions) -> Reply {
        Response::text(Status::OK, &Self::says(caller)).into()
    }

    fn on_upgrade(
        &mut self,
        caller: Caller,
        _: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
        actions.send(caller.id, Message::Text(&Self::says(caller)));
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, _: ConnId, _: Message<'_>, _: &mut Actions) {}
}

fn trusting(proxies: &[&str]) -> Config {
    let trusted: Trusted = proxies.iter().map(|text| text.parse().unwrap()).collect();
    Config { trusted, ..Config::default() }
}

fn behind_proxy_headers() -> Config {
    Config { proxy_protocol: true, ..trusting(&["127.0.0.1"]) }
}

/// What a request with these bytes before it, and these fields, is answered: the body, or the status if it is refused.
fn asked(server: &Server, before: &[u8], fields: &str) -> String {
    let mut stream = connect(server.address);
    let request = format!("GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{fields}\r\n");
    stream.write_all(&[before, request.as_bytes()].concat()).unwrap();
    answer(&mut stream)
}

fn answer(stream: &mut TcpStream) -> String {
    let mut all = String::new();
    stream.read_to_string(&mut all).unwrap();
    let status = all.split(' ').nth(1).unwrap_or_default().to_owned();
    match all.split_once("\r\n\r\n") {
        Some((_, body)) if status == "200" => body.trim().to_owned(),
        _ => status,
    }
}

fn own(stream: &TcpStream) -> String {
    stream.local_addr().unwrap().to_string()
}

#[test]
fn a_trusted_proxy_names_the_client_of_each_request() {
    let server = Server::start(trusting(&["127.0.0.1", "10.0.0.0/8"]), Mirror);
    for (fields, client) in [
        ("X-Forwarded-For: 192.0.2.1\r\n", "192.0.2.1"),
        ("X-Forwarded-For: 198.51.100.9, 192.0.2.1, 10.1.1.1\r\n", "192.0.2.1"),
        ("Forwarded: for=\"[2001:db8::1]:9\";proto=https\r\n", "2001:db8::1 tls"),
        ("X-Forwarded-For: ::ffff:192.0.2.1\r\nX-Forwarded-Proto: https\r\n", "192.0.2.1 tls"),
        ("X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\n", "400"),
        // What stands before the last comma is whatever the client made up.
        ("X-Forwarded-For: \", 192.0.2.1\r\n", "192.0.2.1"),
        ("Forwarded: for=\", for=192.0.2.1\r\n", "400"),
    ] {
        assert_eq!(asked(&server, b"", fields), client, "{fields:?}");
    }
    let mut kept = connect(server.address);
    let ask =
        |client: &str| format!("GET / HTTP/1.1\r\nHost: t\r\nX-Forwarded-For: {client}\r\n\r\n");
    kept.write_all(format!("{}{}", ask("192.0.2.1"), ask("192.0.2.2")).as_bytes()).unwrap();
    let mut body = [0; 10];
    for client in ["192.0.2.1\n", "192.0.2.2\n"] {
        assert!(read_head(&mut kept).starts_with("HTTP/1.1 200 "));
        kept.read_exact(&mut body).unwrap();
        assert_eq!(body, client.as_bytes(), "one connection, two clients");
    }
}

#[test]
fn without_a_word_that_can_be_read_the_client_is_the_peer() {
    let server = Server::start(trusting(&["127.0.0.1"]), Mirror);
    for fields in
        ["", "X-Forwarded-For: nonsense\r\n", "X-Forwarded-For:\r\n", "Forwarded: for=_x\r\n"]
    {
        let mut stream = connect(server.address);
        let request = format!("GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let own = own(&stream);
        assert_eq!(answer(&mut stream), own, "{fields:?}");
    }
}

#[test]
fn who_is_not_trusted_is_whoever_they_are() {
    for config in [Config::default(), trusting(&["192.0.2.0/24", "unix"])] {
        let server = Server::start(config, Mirror);
        let mut stream = connect(server.address);
        let fields = "X-Forwarded-For: 192.0.2.1\r\nForwarded: for=192.0.2.2\r\nX-Forwarded-Proto: https\r\n";
        let request = format!("GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n{fields}\r\n");
        stream.write_all(request.as_bytes()).unwrap();
        let own = own(&stream);
        assert_eq!(answer(&mut stream), own);
    }
}

const V1: &[u8] = b"PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n";
const V2: &[u8] =
    b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x14\xc0\x00\x02\x01\xcb\x00\x71\x09\xdc\x04\x01\xbb\x20\0\x05\x01\0\0\0\0";

#[test]
fn a_proxy_header_names_the_client_of_its_connection() {
    let server = Server::start(behind_proxy_headers(), Mirror);
    assert_eq!(asked(&server, V1, ""), "192.0.2.1:56324");
    assert_eq!(asked(&server, V2, ""), "192.0.2.1:56324 tls");
    let forged = "X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-Proto: https\r\n";
    assert_eq!(
        asked(&server, V1, forged),
        "192.0.2.1:56324",
        "whoever is behind it is not trusted"
    );
    let checking = asked(&server, b"PROXY UNKNOWN\r\n", "");
    assert!(checking.starts_with("127.0.0.1:"), "{checking}");
}

#[test]
fn a_proxy_header_may_come_in_pieces_and_with_frames_behind_the_handshake() {
    let server = Server::start(behind_proxy_headers(), Mirror);
    for header in [V1, V2] {
        let mut stream = connect(server.address);
        for byte in [header, handshake("/").as_bytes()].concat() {
            stream.write_all(&[byte]).unwrap();
        }
        assert!(read_head(&mut stream).starts_with("HTTP/1.1 101 "));
        let mut heard = [0; 2 + 15];
        stream.read_exact(&mut heard).unwrap();
        assert_eq!(&heard[2..], b"192.0.2.1:56324");
    }
}

#[test]
fn a_trusted_proxy_has_to_say_it_and_others_must_not() {
    let server = Server::start(behind_proxy_headers(), Mirror);
    assert_eq!(asked(&server, b"", ""), "400");
    assert_eq!(asked(&server, b"PROXY TCP4 nonsense\r\n", ""), "400");
    let server = Server::start(Config { proxy_protocol: true, ..trusting(&["192.0.2.1"]) }, Mirror);
    assert_eq!(asked(&server, V1, ""), "400");
    assert_eq!(asked(&server, V2, ""), "400");
    assert!(asked(&server, b"", "").starts_with("127.0.0.1:"));
    let mut client = Client::connect(server.address, "/");
    assert_eq!(client.hear_text(), own(&client.stream));
}
