//! Random requests and handshakes, held against the properties in `wsrelay::oracle::http`.
//!
//! The generators write what is almost right: whole requests out of parts that are mostly valid, then
//! a few bytes changed. Purely random bytes seldom pass the first line. The canaries at the end are
//! readers that are broken on purpose: if a property lets one through, it proves nothing.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::select;
use wsrelay::http::{Fault, Limits, Reader};
use wsrelay::oracle::http::{
    Requests, Seen, client_handshake, forwarded, handshake_headers, request_head, requests_hold,
};

/// A field line out of parts that mean something, or nearly.
fn field() -> impl Strategy<Value = String> {
    let name = select(vec![
        "Host",
        "host",
        "Content-Length",
        "Transfer-Encoding",
        "Connection",
        "Upgrade",
        "Expect",
        "If-None-Match",
        "Sec-WebSocket-Protocol",
        "Sec-WebSocket-Extensions",
        "Sec-WebSocket-Key",
        "Sec-WebSocket-Version",
        "Origin",
        "X-Y",
        "a",
        "",
        "B ad",
        " folded",
    ]);
    let colon = select(vec![":", ": ", ":\t ", " :", ""]);
    let value = prop_oneof![
        4 => select(vec![
            "h", "h:80", "[::1]", "0", "5", "05", "65", "99999999999999999999", "5, 5", "chunked",
            "close", "keep-alive, Upgrade", "upgrade", "websocket", "h2c, WebSocket", "100-continue",
            "\"v1\"", "W/\"v1\", \"v2\"", "*", "v1, v2", "v1,v1", "13", "http://h", "null", "",
            "dGhlIHNhbXBsZSBub25jZQ==", "permessage-deflate",
            "permessage-deflate; server_max_window_bits=9, permessage-deflate",
        ]).prop_map(str::to_owned),
        2 => list(),
        1 => "[ -~\t]{0,40}",
        1 => "\\PC{0,10}",
    ];
    (name, colon, value).prop_map(|(name, colon, value)| format!("{name}{colon}{value}\r\n"))
}

/// A list with quotes, parameters and empty elements.
fn list() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        4 => "[a-c]{1,2}",
        2 => select(vec!["permessage-deflate", "client_max_window_bits", "server_max_window_bits",
            "server_no_context_takeover", "client_no_context_takeover", "8", "15", "16", "08"])
            .prop_map(str::to_owned),
        6 => select(vec![",", ", ", ";", "; ", "=", "\"", "\\", " ", "\t"]).prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

/// What a client may say of who it comes for.
fn made_up() -> impl Strategy<Value = String> {
    let part = select(vec![
        "\"",
        "\"",
        "\\",
        ",",
        ";",
        "=",
        " ",
        "for=",
        "host=",
        "192.0.2.9",
        "unknown",
        "a",
        "\u{e9}",
    ]);
    prop::collection::vec(part, 0..8).prop_map(|parts| parts.concat())
}

fn target() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "/[a-c.%/?&=+|\\\\]{0,8}(%[0-9a-fA-F]{2}){0,3}[a-c/.]{0,3}",
        1 => select(vec!["*", "http://h:80/x?y", "HTTP://h", "https://a@h/", "h:80", "/#", "//"])
            .prop_map(str::to_owned),
    ]
}

fn request() -> impl Strategy<Value = Vec<u8>> {
    let method = select(vec!["GET", "GET", "HEAD", "POST", "OPTIONS", "CONNECT", "BREW", "G/T"]);
    let version =
        select(vec!["HTTP/1.1", "HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/2.0", "http/1.1"]);
    let host = prop::bool::weighted(0.8);
    let fields = prop::collection::vec(field(), 0..5);
    let body = prop::collection::vec(any::<u8>(), 0..12);
    (method, target(), version, host, fields, body).prop_map(
        |(method, target, version, host, fields, body)| {
            let host = if host { "Host: h\r\n" } else { "" };
            let head = format!("{method} {target} {version}\r\n{host}{}\r\n", fields.concat());
            [head.as_bytes(), &body].concat()
        },
    )
}

/// Several of them behind one another, some bytes changed.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let noise = select(vec![b'\r', b'\n', 0, b' ', b'\t', b':', b'%', b'"', 0x7f, 0xff, b'A']);
    let changes = prop::collection::vec((any::<prop::sample::Index>(), noise), 0..3);
    let blank = select(vec!["", "", "", "\r\n", "\r\n\r\n"]);
    let harmless = prop::bool::weighted(0.6);
    (blank, prop::collection::vec(request(), 1..4), changes, harmless).prop_map(
        |(blank, requests, changes, harmless)| {
            let mut bytes = [blank.as_bytes(), &requests.concat()].concat();
            for (at, byte) in changes {
                if !harmless {
                    let at = at.index(bytes.len());
                    bytes[at] = byte;
                }
            }
            bytes
        },
    )
}

fn response() -> impl Strategy<Value = Vec<u8>> {
    let line = select(vec![
        "HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1 101 ",
        "HTTP/1.1 101",
        "HTTP/1.0 101 x",
        "HTTP/1.1 200 OK",
        "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 y",
    ]);
    let field = select(vec![
        "Upgrade: websocket",
        "Upgrade: WebSocket",
        "Upgrade: websocket, x",
        "Connection: Upgrade",
        "Connection: keep-alive, upgrade",
        "Connection: close",
        "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
        "Sec-WebSocket-Accept: s3pPLM",
        "Sec-WebSocket-Protocol: v1",
        "Sec-WebSocket-Protocol: v3",
        "Sec-WebSocket-Protocol: v1, v2",
        "Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover",
        "Sec-WebSocket-Extensions: permessage-deflate",
        "Sec-WebSocket-Extensions: x",
        "X: y",
        "X : y",
        " X: y",
    ]);
    let complete = prop::bool::weighted(0.7);
    (line, complete, prop::collection::vec(field, 0..4)).prop_map(|(line, complete, fields)| {
        let must = "Upgrade: websocket\r\nConnection: Upgrade\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
        let fields: String = fields.iter().map(|field| format!("{field}\r\n")).collect();
        let must = if complete { must } else { "" };
        format!("{line}\r\n{must}{fields}\r\n").into_bytes()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn requests_hold_their_properties(data in stream()) {
        request_head(&data);
    }

    #[test]
    fn random_bytes_hold_them_too(data in prop::collection::vec(any::<u8>(), 0..300)) {
        request_head(&data);
        client_handshake(&data);
    }

    #[test]
    fn handshakes_hold_their_properties(fields in prop::collection::vec(field(), 0..4)) {
        handshake_headers(fields.concat().trim_end().as_bytes());
    }

    #[test]
    fn offers_hold_their_properties(value in list(), name in select(vec!["Protocol", "Extensions"])) {
        handshake_headers(format!("Sec-WebSocket-{name}: {value}").as_bytes());
    }

    #[test]
    fn what_proxies_say_holds_its_properties(data in made_up()) {
        forwarded(data.as_bytes());
    }

    #[test]
    fn responses_hold_their_properties(data in response()) {
        client_handshake(&data);
    }
}

#[test]
fn the_committed_corpus_replays() {
    let targets = [
        ("request_head", request_head as fn(&[u8])),
        ("handshake_headers", handshake_headers),
        ("client_handshake", client_handshake),
    ];
    for (target, holds) in targets {
        let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target);
        let files: Vec<_> =
            fs::read_dir(&corpus).unwrap().map(|file| file.unwrap().path()).collect();
        assert!(!files.is_empty(), "no corpus in {}", corpus.display());
        for file in files {
            holds(&fs::read(file).unwrap());
        }
    }
}

/// What the canaries are fed: two requests, the first with a body.
const STREAM: &[u8] =
    b"POST /a HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhelloGET /b HTTP/1.1\r\n\
    Host: h\r\n\r\n";

#[test]
fn the_real_reader_passes_where_the_canaries_must_not() {
    requests_hold::<Reader>(STREAM);
}

/// Takes one byte too many behind a request.
#[derive(Default)]
struct Greedy(Reader);

impl Requests for Greedy {
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault> {
        let seen = Requests::next(&mut self.0, input, limits)?;
        if seen.is_some() {
            *input = input.get(1..).unwrap_or_default();
        }
        Ok(seen)
    }

    fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }
}

#[test]
#[should_panic(expected = "a difference")]
fn a_reader_that_takes_too_much_is_caught() {
    requests_hold::<Greedy>(STREAM);
}

/// Forgets what it has whenever the input ends in mid-request.
#[derive(Default)]
struct Forgetful(Reader);

impl Requests for Forgetful {
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault> {
        let seen = Requests::next(&mut self.0, input, limits)?;
        if seen.is_none() {
            self.0 = Reader::new();
        }
        Ok(seen)
    }

    fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }
}

#[test]
#[should_panic(expected = "one byte at a time makes a difference")]
fn a_reader_that_depends_on_the_cuts_is_caught() {
    requests_hold::<Forgetful>(STREAM);
}

/// Makes room for the largest body there may be as soon as a request begins.
#[derive(Default)]
struct Hoarder(Reader);

impl Requests for Hoarder {
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault> {
        Requests::next(&mut self.0, input, limits)
    }

    fn held_bytes(&self) -> usize {
        if self.0.is_idle() { 0 } else { 4096 }
    }
}

#[test]
#[should_panic(expected = "holds more than was received")]
fn a_reader_that_hoards_is_caught() {
    requests_hold::<Hoarder>(STREAM);
}

/// Starts again from the first byte with every byte that comes.
#[derive(Default)]
struct Rescanner(Vec<u8>);

impl Requests for Rescanner {
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault> {
        self.0.extend_from_slice(input);
        let held = self.0.clone();
        let mut again = &held[..];
        let seen = Requests::next(&mut Reader::new(), &mut again, limits)?;
        let unused = if seen.is_some() { again.len() } else { 0 };
        *input = &input[input.len() - unused..];
        if seen.is_some() {
            self.0 = Vec::new();
        }
        Ok(seen)
    }

    fn held_bytes(&self) -> usize {
        0
    }
}

#[test]
#[should_panic(expected = "looks at bytes again and again")]
fn a_reader_of_quadratic_cost_is_caught() {
    requests_hold::<Rescanner>(STREAM);
}

/// Does not mind a missing `Host`.
#[derive(Default)]
struct Lax(Reader);

impl Requests for Lax {
    fn next(&mut self, input: &mut &[u8], limits: &Limits) -> Result<Option<Seen>, Fault> {
        let seen = Requests::next(&mut self.0, input, limits);
        if seen != Err(Fault::HostMissing) {
            return seen;
        }
        *self = Self::default();
        let end = input.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        *input = &input[end.unwrap_or(input.len())..];
        Ok(Some(Seen { rendered: String::new(), facts: String::new(), body_bytes: 0 }))
    }

    fn held_bytes(&self) -> usize {
        self.0.held_bytes()
    }
}

#[test]
#[should_panic(expected = "accepts what it must refuse")]
fn a_reader_that_is_laxer_than_the_model_is_caught() {
    requests_hold::<Lax>(b"GET / HTTP/1.1\r\n\r\n");
}
