//! Every MUST of the opening handshake (RFC 6455 §4, RFC 7692 §5 and §7) as a row, for both roles.
//!
//! A row is a good handshake with some of its lines changed, and what is made of it. Each runs whole, byte
//! by byte, cut in two at every place, and with a frame behind it, which must be left alone.

use wsrelay::http::{Exchange, Fault, Limits, Reader, Response};
use wsrelay::ws::handshake::client::{ClientHandshake, Opening, ServerFault};
use wsrelay::ws::handshake::{NotOffered, Offer, Refusal, is_upgrade};

/// Name, section, lines to change, expected. A change `Name: value` replaces that field, `-Name` takes
/// it out, `+Name: value` adds one at the end, and anything else is the first line.
type Row<T> = (&'static str, &'static str, &'static [&'static str], T);

const REQUEST: [&str; 7] = [
    "GET /chat HTTP/1.1",
    "Host: server.example.com",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Origin: http://example.com",
    "Sec-WebSocket-Version: 13",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Server {
    /// `subprotocols | fields of the response beyond the three that it always has`, everything taken up.
    Accepts(&'static str),
    Refuses(Refusal, u16),
    /// No WebSocket was asked for.
    Plain,
    /// Not even HTTP.
    Breaks(Fault),
}
use Server::{Accepts, Breaks, Plain, Refuses};

const DEFLATE: &str = " | Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                       client_no_context_takeover";
const DEFLATE_9: &str = " | Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; \
                         client_no_context_takeover; server_max_window_bits=9";

const SERVER: &[Row<Server>] = &[
    ("example of the RFC", "6455 §1.3", &[], Accepts(" | ")),
    // 4.2.1 1: HTTP/1.1 or higher, GET
    (
        "absolute target",
        "6455 §4.2.1 1",
        &["GET http://server.example.com/chat HTTP/1.1"],
        Accepts(" | "),
    ),
    ("1.0", "6455 §4.2.1 1", &["GET /chat HTTP/1.0"], Refuses(Refusal::HttpVersion, 505)),
    (
        "1.0, no host",
        "6455 §4.2.1 1",
        &["GET /chat HTTP/1.0", "-Host"],
        Refuses(Refusal::HttpVersion, 505),
    ),
    ("POST", "6455 §4.2.1 1", &["POST /chat HTTP/1.1"], Refuses(Refusal::Method, 405)),
    ("HEAD", "6455 §4.2.1 1", &["HEAD /chat HTTP/1.1"], Refuses(Refusal::Method, 405)),
    ("unknown method", "6455 §4.2.1 1", &["get /chat HTTP/1.1"], Refuses(Refusal::Method, 405)),
    ("2.0", "6455 §4.2.1 1", &["GET /chat HTTP/2.0"], Breaks(Fault::Version)),
    // 4.2.1 2: Host
    ("no host", "6455 §4.2.1 2", &["-Host"], Breaks(Fault::HostMissing)),
    ("two hosts", "6455 §4.2.1 2", &["+Host: server.example.com"], Breaks(Fault::HostDuplicate)),
    ("bad host", "6455 §4.2.1 2", &["Host: a b"], Breaks(Fault::HostInvalid)),
    // 4.2.1 3: Upgrade
    ("upgrade in any case", "6455 §4.2.1 3", &["Upgrade: WebSOCKET"], Accepts(" | ")),
    ("upgrade in a list", "6455 §4.2.1 3", &["Upgrade: h2c, , websocket"], Accepts(" | ")),
    (
        "upgrade in a second field",
        "6455 §4.2.1 3",
        &["Upgrade: h2c", "+upgrade: websocket"],
        Accepts(" | "),
    ),
    ("no upgrade", "6455 §4.2.1 3", &["-Upgrade"], Plain),
    ("another upgrade", "6455 §4.2.1 3", &["Upgrade: h2c"], Plain),
    ("upgrade to a like name", "6455 §4.2.1 3", &["Upgrade: websockets"], Plain),
    ("upgrade with a version", "9110 §7.8", &["Upgrade: websocket/13"], Plain),
    // 4.2.1 4: Connection
    ("connection in any case", "6455 §4.2.1 4", &["Connection: uPGRADE"], Accepts(" | ")),
    ("connection in a list", "6455 §4.2.1 4", &["Connection: keep-alive,Upgrade"], Accepts(" | ")),
    (
        "connection in a second field",
        "6455 §4.2.1 4",
        &["Connection: x", "+connection: upgrade"],
        Accepts(" | "),
    ),
    ("no connection", "6455 §4.2.1 4", &["-Connection"], Refuses(Refusal::Connection, 400)),
    (
        "connection without upgrade",
        "6455 §4.2.1 4",
        &["Connection: keep-alive"],
        Refuses(Refusal::Connection, 400),
    ),
    (
        "connection with a like word",
        "6455 §4.2.1 4",
        &["Connection: upgraded"],
        Refuses(Refusal::Connection, 400),
    ),
    // 4.2.1 5: Sec-WebSocket-Key
    ("no key", "6455 §4.2.1 5", &["-Sec-WebSocket-Key"], Refuses(Refusal::KeyMissing, 400)),
    (
        "two keys",
        "6455 §11.3.1",
        &["+Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="],
        Refuses(Refusal::KeyDuplicate, 400),
    ),
    ("empty key", "6455 §4.2.1 5", &["Sec-WebSocket-Key: "], Refuses(Refusal::Key, 400)),
    (
        "key of 15 bytes",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"],
        Refuses(Refusal::Key, 400),
    ),
    (
        "key of 17 bytes",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWU="],
        Refuses(Refusal::Key, 400),
    ),
    (
        "key of 18 bytes",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZWVl"],
        Refuses(Refusal::Key, 400),
    ),
    (
        "key without padding",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"],
        Refuses(Refusal::Key, 400),
    ),
    (
        "key in the other alphabet",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j_-=="],
        Refuses(Refusal::Key, 400),
    ),
    (
        "key with a space",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBs SBub25jZQ=="],
        Refuses(Refusal::Key, 400),
    ),
    (
        "two keys in a list",
        "6455 §4.2.1 5",
        &["Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==, dGhlIHNhbXBsZSBub25jZQ=="],
        Refuses(Refusal::Key, 400),
    ),
    (
        "spare bits in the key",
        "6455 §4.1 7",
        &["Sec-WebSocket-Key: AQIDBAUGBwgJCgsMDQ4PEC=="],
        Accepts(" | "),
    ),
    (
        "blanks around the key",
        "9110 §5.5",
        &["Sec-WebSocket-Key: \t dGhlIHNhbXBsZSBub25jZQ== \t"],
        Accepts(" | "),
    ),
    // 4.2.1 6 and 4.4: Sec-WebSocket-Version
    ("no version", "6455 §4.2.1 6", &["-Sec-WebSocket-Version"], Refuses(Refusal::Version, 426)),
    ("version 8", "6455 §4.4", &["Sec-WebSocket-Version: 8"], Refuses(Refusal::Version, 426)),
    ("version 14", "6455 §4.4", &["Sec-WebSocket-Version: 14"], Refuses(Refusal::Version, 426)),
    ("version 013", "6455 §4.4", &["Sec-WebSocket-Version: 013"], Refuses(Refusal::Version, 426)),
    ("version +13", "6455 §4.4", &["Sec-WebSocket-Version: +13"], Refuses(Refusal::Version, 426)),
    (
        "list of versions",
        "6455 §4.4",
        &["Sec-WebSocket-Version: 13, 8"],
        Refuses(Refusal::Version, 426),
    ),
    (
        "version is no number",
        "6455 §4.4",
        &["Sec-WebSocket-Version: x"],
        Refuses(Refusal::Version, 426),
    ),
    (
        "version twice",
        "6455 §11.3.5",
        &["+Sec-WebSocket-Version: 13"],
        Refuses(Refusal::VersionDuplicate, 400),
    ),
    // 4.2.1 7: Origin
    ("no origin", "6455 §4.2.1 7", &["-Origin"], Accepts(" | ")),
    (
        "two origins",
        "6454 §7.3",
        &["+Origin: http://example.com"],
        Refuses(Refusal::OriginMalformed, 400),
    ),
    ("origin is not text", "6454 §7.3", &["Origin: http://\u{7f}"], Breaks(Fault::Control)),
    // 4.2.1 8: Sec-WebSocket-Protocol
    (
        "subprotocols in order",
        "6455 §4.2.1 8",
        &["+Sec-WebSocket-Protocol: v2 ,v1"],
        Accepts("v2 v1 | Sec-WebSocket-Protocol: v2"),
    ),
    (
        "subprotocols in two fields",
        "6455 §11.3.4",
        &["+Sec-WebSocket-Protocol: v2", "+Sec-WebSocket-Protocol: v1"],
        Accepts("v2 v1 | Sec-WebSocket-Protocol: v2"),
    ),
    (
        "empty elements",
        "9110 §5.6.1",
        &["+Sec-WebSocket-Protocol: ,v2,, v1,"],
        Accepts("v2 v1 | Sec-WebSocket-Protocol: v2"),
    ),
    (
        "case tells subprotocols apart",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: a, A"],
        Accepts("a A | Sec-WebSocket-Protocol: a"),
    ),
    (
        "no subprotocol listed",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: "],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "only commas",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: , ,"],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "subprotocol with a space",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: a b"],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "subprotocol with a separator",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: a/b"],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "quoted subprotocol",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: \"a\""],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "subprotocol above ASCII",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: \u{e9}"],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "subprotocol twice",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: a, b, a"],
        Refuses(Refusal::Subprotocols, 400),
    ),
    (
        "subprotocol in two fields",
        "6455 §4.1 10",
        &["+Sec-WebSocket-Protocol: a", "+Sec-WebSocket-Protocol: a"],
        Refuses(Refusal::Subprotocols, 400),
    ),
    // 4.2.1 9 and 9.1: Sec-WebSocket-Extensions
    ("deflate", "7692 §7", &["+Sec-WebSocket-Extensions: permessage-deflate"], Accepts(DEFLATE)),
    (
        "deflate as Chromium offers it",
        "7692 §7.1.2.2",
        &["+Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"],
        Accepts(DEFLATE),
    ),
    (
        "deflate behind another",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: foo; bar=\"baz\", permessage-deflate"],
        Accepts(DEFLATE),
    ),
    (
        "deflate in a second field",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: foo", "+Sec-WebSocket-Extensions: permessage-deflate"],
        Accepts(DEFLATE),
    ),
    (
        "smaller server window",
        "7692 §7.1.2.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate;server_max_window_bits=9"],
        Accepts(DEFLATE_9),
    ),
    (
        "fallback offer",
        "7692 §5.1",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99, permessage-deflate",
        ],
        Accepts(DEFLATE),
    ),
    (
        "first offer wins",
        "7692 §5.1",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=9, permessage-deflate",
        ],
        Accepts(DEFLATE_9),
    ),
    (
        "unknown parameter",
        "7692 §7.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate; x"],
        Accepts(" | "),
    ),
    (
        "parameter twice",
        "7692 §7.1",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits; client_max_window_bits",
        ],
        Accepts(" | "),
    ),
    (
        "value where there is none",
        "7692 §7.1.1.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover=1"],
        Accepts(" | "),
    ),
    (
        "no value where there is one",
        "7692 §7.1.2.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits"],
        Accepts(" | "),
    ),
    (
        "window out of range",
        "7692 §7.1.2.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=16"],
        Accepts(" | "),
    ),
    (
        "window with a zero",
        "7692 §7.1.2.2",
        &["+Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits=09"],
        Accepts(" | "),
    ),
    (
        "unknown extension",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: x-webkit-deflate-frame"],
        Accepts(" | "),
    ),
    (
        "empty extensions",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: "],
        Refuses(Refusal::Extensions, 400),
    ),
    (
        "no parameter behind a semicolon",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate;"],
        Refuses(Refusal::Extensions, 400),
    ),
    (
        "no value behind an equals sign",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: foo; bar="],
        Refuses(Refusal::Extensions, 400),
    ),
    (
        "quoted value is no token",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: foo; bar=\"a b\""],
        Refuses(Refusal::Extensions, 400),
    ),
    (
        "open quote",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: foo; bar=\"a"],
        Refuses(Refusal::Extensions, 400),
    ),
    (
        "malformed behind a good offer",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate, ;"],
        Refuses(Refusal::Extensions, 400),
    ),
    // No smuggling.
    ("with a body", "9112 §11.2", &["+Content-Length: 5"], Breaks(Fault::UpgradeWithBody)),
    ("with an empty body", "9112 §11.2", &["+Content-Length: 0"], Breaks(Fault::UpgradeWithBody)),
    (
        "with a transfer coding",
        "9112 §11.2",
        &["+Transfer-Encoding: chunked"],
        Breaks(Fault::TransferEncodingMisplaced),
    ),
];

const FRAME: &[u8] = b"\x81\x85\x01\x02\x03\x04ignored";

#[test]
fn every_server_row_whole_and_with_a_frame_behind_it() {
    for (name, section, changes, expected) in SERVER {
        let bytes = edited(&REQUEST, changes);
        for behind in [&b""[..], FRAME] {
            let bytes = [&bytes[..], behind].concat();
            let mut input = &bytes[..];
            let answer = serve(&mut Reader::new(), &mut input).expect("the head is whole");
            check(name, section, &answer, expected);
            if !matches!(expected, Breaks(_)) {
                assert_eq!(input, behind, "{name}: takes what is not its own");
            }
        }
    }
}

#[test]
fn every_server_row_in_pieces() {
    for (name, section, changes, expected) in SERVER {
        let bytes = edited(&REQUEST, changes);
        let mut reader = Reader::new();
        let drip = bytes.iter().find_map(|byte| serve(&mut reader, &mut &[*byte][..]));
        check(name, section, &drip.expect("the head is whole"), expected);
        for at in 1..bytes.len() {
            let mut reader = Reader::new();
            let first = serve(&mut reader, &mut &bytes[..at]);
            let rest = [&bytes[at..], FRAME].concat();
            let mut input = &rest[..];
            let answer = first.or_else(|| serve(&mut reader, &mut input));
            check(name, section, &answer.expect("the head is whole"), expected);
            if !matches!(expected, Breaks(_)) {
                assert_eq!(input, FRAME, "{name} at {at}: takes what is not its own");
            }
        }
    }
}

#[test]
fn every_refusal_is_answered_with_its_status_and_what_goes_with_it() {
    for (name, _, _, expected) in SERVER {
        let Refuses(refusal, status) = expected else { continue };
        let response = Response::from(refusal);
        let date = wsrelay::http::Date::from_unix(0);
        let bytes = response.encode(&Exchange::broken(), &date);
        let text = String::from_utf8(bytes).unwrap();
        assert_eq!(response.status().number(), *status, "{name}");
        assert!(text.contains("\r\nConnection: ") && text.contains("close\r\n"), "{name}: {text}");
        let has = |field: &str| text.contains(&format!("\r\n{field}\r\n"));
        assert_eq!(has("Sec-WebSocket-Version: 13"), *status == 426, "{name}: {text}");
        assert_eq!(has("Upgrade: websocket"), *status == 426, "{name}: {text}");
        assert_eq!(has("Allow: GET"), *status == 405, "{name}: {text}");
    }
}

#[test]
fn an_origin_that_is_not_text_is_not_taken_for_absent() {
    let text = edited(&REQUEST, &["Origin: http://|"]);
    let bytes: Vec<_> = text.iter().map(|&byte| if byte == b'|' { 0xff } else { byte }).collect();
    let answer = serve(&mut Reader::new(), &mut &bytes[..]);
    assert_eq!(answer, Some(Answer::Refused(Refusal::OriginMalformed)));
}

#[test]
fn more_subprotocols_than_a_choice_are_refused() {
    for (count, expected) in [(64, None), (65, Some(Refusal::TooManySubprotocols))] {
        let names: Vec<_> = (0..count).map(|n| format!("v{n}")).collect();
        let field = format!("+Sec-WebSocket-Protocol: {}", names.join(","));
        let bytes = edited(&REQUEST, &[&field]);
        let refused = match serve(&mut Reader::new(), &mut &bytes[..]) {
            Some(Answer::Refused(refusal)) => Some(refusal),
            _ => None,
        };
        assert_eq!(refused, expected, "{count}");
    }
}

#[test]
fn nothing_is_agreed_to_that_was_not_offered() {
    let fields = ["+Sec-WebSocket-Protocol: v1", "+Sec-WebSocket-Extensions: permessage-deflate"];
    let (plain, full) = (edited(&REQUEST, &[]), edited(&REQUEST, &fields));
    let (mut first, mut second) = (Reader::new(), Reader::new());
    let limits = Limits::default();
    let plain = first.next_request(&mut &plain[..], &limits).unwrap().unwrap();
    let full = second.next_request(&mut &full[..], &limits).unwrap().unwrap();
    let (plain, full) = (Offer::parse(&plain).unwrap(), Offer::parse(&full).unwrap());
    assert_eq!(plain.origin(), Some("http://example.com"));
    assert_eq!(plain.accept(Some("v1"), None), Err(NotOffered::Subprotocol));
    assert_eq!(full.accept(Some("V1"), None), Err(NotOffered::Subprotocol));
    assert_eq!(full.accept(Some(""), None), Err(NotOffered::Subprotocol));
    assert_eq!(plain.accept(None, full.deflate()), Err(NotOffered::Deflate));
    let declined = String::from_utf8(full.accept(None, None).unwrap()).unwrap();
    assert!(
        !declined.contains("Sec-WebSocket-Protocol") && !declined.contains("Extensions"),
        "{declined}"
    );
}

// The client's side.

const RESPONSE: [&str; 4] = [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=",
];

#[derive(Clone, Debug, PartialEq, Eq)]
enum Client {
    /// `subprotocol deflate`
    Agrees(&'static str),
    Fails(ServerFault),
}
use Client::{Agrees, Fails};

const CLIENT: &[Row<Client>] = &[
    ("least", "6455 §4.1", &[], Agrees("- plain")),
    // 4.1 1: the status
    ("no reason", "9112 §4", &["HTTP/1.1 101 "], Agrees("- plain")),
    ("200", "6455 §4.1 1", &["HTTP/1.1 200 OK"], Fails(ServerFault::Status(200))),
    ("426", "6455 §4.1 1", &["HTTP/1.1 426 Upgrade Required"], Fails(ServerFault::Status(426))),
    (
        "301",
        "6455 §4.1 1",
        &["HTTP/1.1 301 Moved", "+Location: /"],
        Fails(ServerFault::Status(301)),
    ),
    ("1.0", "9110 §15.2", &["HTTP/1.0 101 x"], Fails(ServerFault::Status(101))),
    ("2.0", "9110 §2.5", &["HTTP/2.0 101 x"], Fails(ServerFault::Http(Fault::Version))),
    ("no HTTP", "9112 §4", &["SSH-2.0-x"], Fails(ServerFault::Http(Fault::StatusLine))),
    (
        "code of two digits",
        "9112 §4",
        &["HTTP/1.1 10 x"],
        Fails(ServerFault::Http(Fault::StatusLine)),
    ),
    (
        "code of four digits",
        "9112 §4",
        &["HTTP/1.1 1010 x"],
        Fails(ServerFault::Http(Fault::StatusLine)),
    ),
    ("folded line", "9112 §5.2", &["+ X: y"], Fails(ServerFault::Http(Fault::ObsFold))),
    ("NUL", "9110 §5.5", &["+X: \0"], Fails(ServerFault::Http(Fault::Nul))),
    (
        "early hints before",
        "9110 §15.2",
        &["HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 101 x"],
        Agrees("- plain"),
    ),
    // 4.1 2: Upgrade
    ("no upgrade", "6455 §4.1 2", &["-Upgrade"], Fails(ServerFault::Upgrade)),
    ("upgrade in any case", "6455 §4.1 2", &["Upgrade: WEBsocket"], Agrees("- plain")),
    ("another upgrade", "6455 §4.1 2", &["Upgrade: h2c"], Fails(ServerFault::Upgrade)),
    ("list of upgrades", "6455 §4.1 2", &["Upgrade: websocket, h2c"], Fails(ServerFault::Upgrade)),
    ("two upgrades", "6455 §4.1 2", &["+Upgrade: websocket"], Fails(ServerFault::Upgrade)),
    // 4.1 3: Connection
    ("no connection", "6455 §4.1 3", &["-Connection"], Fails(ServerFault::Connection)),
    ("connection in a list", "6455 §4.1 3", &["Connection: x, upgrade"], Agrees("- plain")),
    (
        "connection without upgrade",
        "6455 §4.1 3",
        &["Connection: close"],
        Fails(ServerFault::Connection),
    ),
    // 4.1 4: Sec-WebSocket-Accept
    ("no accept", "6455 §4.1 4", &["-Sec-WebSocket-Accept"], Fails(ServerFault::Accept)),
    (
        "accept of another key",
        "6455 §4.1 4",
        &["Sec-WebSocket-Accept: HSmrc0sMlYUkAGmm5OPpG2HaGWk="],
        Fails(ServerFault::Accept),
    ),
    (
        "accept in another case",
        "6455 §4.1 4",
        &["Sec-WebSocket-Accept: S3PPLMBITXAQ9KYGZZHZRBK+XOO="],
        Fails(ServerFault::Accept),
    ),
    (
        "blanks around accept",
        "6455 §4.1 4",
        &["Sec-WebSocket-Accept: \t s3pPLMBiTxaQ9kYGzzhZRbK+xOo= \t"],
        Agrees("- plain"),
    ),
    (
        "accept twice",
        "6455 §11.3.3",
        &["+Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="],
        Fails(ServerFault::Accept),
    ),
    // 4.1 5: Sec-WebSocket-Extensions
    (
        "deflate",
        "7692 §7.1.1.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover"],
        Agrees("- deflate"),
    ),
    (
        "deflate in full",
        "7692 §7.1",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover; server_max_window_bits=12",
        ],
        Agrees("- deflate"),
    ),
    (
        "deflate with context",
        "7692 §7.1.1.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate"],
        Fails(ServerFault::ExtensionNotOffered),
    ),
    (
        "client window not offered",
        "7692 §7.1.2.2",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_max_window_bits=10",
        ],
        Fails(ServerFault::ExtensionNotOffered),
    ),
    (
        "unknown parameter",
        "7692 §7.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; x"],
        Fails(ServerFault::ExtensionNotOffered),
    ),
    (
        "bad value",
        "7692 §7.1",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; server_max_window_bits=7",
        ],
        Fails(ServerFault::ExtensionNotOffered),
    ),
    (
        "deflate twice",
        "7692 §5",
        &[
            "+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover, permessage-deflate; server_no_context_takeover",
        ],
        Fails(ServerFault::ExtensionNotOffered),
    ),
    (
        "unknown extension",
        "6455 §4.1 5",
        &["+Sec-WebSocket-Extensions: foo"],
        Fails(ServerFault::ExtensionNotOffered),
    ),
    (
        "malformed extensions",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions: permessage-deflate;"],
        Fails(ServerFault::ExtensionsMalformed),
    ),
    (
        "empty extensions",
        "6455 §9.1",
        &["+Sec-WebSocket-Extensions:"],
        Fails(ServerFault::ExtensionsMalformed),
    ),
    // 4.1 6: Sec-WebSocket-Protocol
    ("subprotocol", "6455 §4.1 6", &["+Sec-WebSocket-Protocol: v1"], Agrees("v1 plain")),
    (
        "subprotocol not offered",
        "6455 §4.1 6",
        &["+Sec-WebSocket-Protocol: v3"],
        Fails(ServerFault::SubprotocolNotOffered),
    ),
    (
        "subprotocol in another case",
        "6455 §4.1 6",
        &["+Sec-WebSocket-Protocol: V1"],
        Fails(ServerFault::SubprotocolNotOffered),
    ),
    (
        "two subprotocols",
        "6455 §4.2.2 4",
        &["+Sec-WebSocket-Protocol: v2, v1"],
        Fails(ServerFault::SubprotocolNotOffered),
    ),
    (
        "subprotocol twice",
        "6455 §11.3.4",
        &["+Sec-WebSocket-Protocol: v1", "+Sec-WebSocket-Protocol: v1"],
        Fails(ServerFault::SubprotocolNotOffered),
    ),
    (
        "empty subprotocol",
        "6455 §4.1 6",
        &["+Sec-WebSocket-Protocol:"],
        Fails(ServerFault::SubprotocolNotOffered),
    ),
];

#[test]
fn every_client_row_whole_and_with_a_frame_behind_it() {
    for (name, section, changes, expected) in CLIENT {
        let bytes = edited(&RESPONSE, changes);
        for behind in [&b""[..], FRAME] {
            let bytes = [&bytes[..], behind].concat();
            let mut input = &bytes[..];
            let answer = verify(&mut client(true), &mut input).expect("the head is whole");
            check(name, section, &answer, expected);
            if let Agrees(_) = expected {
                assert_eq!(input, behind, "{name}: takes what is not its own");
            }
        }
    }
}

#[test]
fn every_client_row_in_pieces() {
    for (name, section, changes, expected) in CLIENT {
        let bytes = edited(&RESPONSE, changes);
        let mut handshake = client(true);
        let drip = bytes.iter().find_map(|byte| verify(&mut handshake, &mut &[*byte][..]));
        check(name, section, &drip.expect("the head is whole"), expected);
        for at in 1..bytes.len() {
            let mut handshake = client(true);
            let first = verify(&mut handshake, &mut &bytes[..at]);
            let rest = [&bytes[at..], FRAME].concat();
            let mut input = &rest[..];
            let answer = first.or_else(|| verify(&mut handshake, &mut input));
            check(name, section, &answer.expect("the head is whole"), expected);
            if let Agrees(_) = expected {
                assert_eq!(input, FRAME, "{name} at {at}: takes what is not its own");
            }
        }
    }
}

#[test]
fn a_client_that_offered_no_extension_takes_none() {
    let field = "+Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover";
    let bytes = edited(&RESPONSE, &[field]);
    let answer = verify(&mut client(false), &mut &bytes[..]);
    assert_eq!(answer, Some(Answer::Failed(ServerFault::ExtensionNotOffered)));
}

#[test]
fn a_response_head_is_taken_within_limits_only() {
    let field = format!("+X: {}", "y".repeat(20_000));
    let bytes = edited(&RESPONSE, &[&field]);
    let answer = verify(&mut client(true), &mut &bytes[..]);
    assert_eq!(answer, Some(Answer::Failed(ServerFault::Http(Fault::HeadTooLarge))));
}

#[test]
fn a_client_asks_for_what_it_was_told_and_the_server_understands() {
    let opening = Opening {
        target: "/chat?x=1",
        origin: Some("http://example.com"),
        subprotocols: &["v1", "v2"],
        headers: &[("Cookie", "a=b")],
        deflate: true,
        ..Opening::at("server.example.com:8080")
    };
    let handshake = ClientHandshake::new(*b"the sample nonce", &opening).unwrap();
    assert_eq!(
        str::from_utf8(handshake.request()).unwrap(),
        "GET /chat?x=1 HTTP/1.1\r\nHost: server.example.com:8080\r\nUpgrade: websocket\r\n\
         Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
         Sec-WebSocket-Version: 13\r\nOrigin: http://example.com\r\n\
         Sec-WebSocket-Protocol: v1, v2\r\nSec-WebSocket-Extensions: permessage-deflate; \
         server_no_context_takeover; client_no_context_takeover\r\nCookie: a=b\r\n\r\n"
    );
    let answer = serve(&mut Reader::new(), &mut handshake.request());
    let expected = format!("v1 v2 | Sec-WebSocket-Protocol: v1{}", DEFLATE.replace(" | ", " & "));
    assert_eq!(answer, Some(Answer::Made(expected)));
}

#[test]
fn an_opening_that_would_break_its_lines_is_not_sent() {
    let good = Opening::at("h");
    let rows = [
        Opening { host: "h\r\nX: y", ..good },
        Opening { host: "", ..good },
        Opening { target: "x", ..good },
        Opening { target: "/a b", ..good },
        Opening { target: "/#", ..good },
        Opening { subprotocols: &["a b"], ..good },
        Opening { subprotocols: &[""], ..good },
        Opening { subprotocols: &["a", "a"], ..good },
        Opening { origin: Some("a\nb"), ..good },
        Opening { headers: &[("X", "a\r\nY: b")], ..good },
        Opening { headers: &[("X:", "a")], ..good },
    ];
    for opening in rows {
        assert!(ClientHandshake::new([0; 16], &opening).is_err(), "{opening:?}");
    }
}

/// What became of a handshake, on either side.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Made(String),
    Refused(Refusal),
    Plain,
    Broken(Fault),
    Failed(ServerFault),
}

impl PartialEq<Server> for Answer {
    fn eq(&self, expected: &Server) -> bool {
        match (self, expected) {
            (Self::Made(found), Accepts(expected)) => found == expected,
            (Self::Refused(found), Refuses(expected, _)) => found == expected,
            (Self::Broken(found), Breaks(expected)) => found == expected,
            (Self::Plain, Plain) => true,
            _ => false,
        }
    }
}

impl PartialEq<Client> for Answer {
    fn eq(&self, expected: &Client) -> bool {
        match (self, expected) {
            (Self::Made(found), Agrees(expected)) => found == expected,
            (Self::Failed(found), Fails(expected)) => found == expected,
            _ => false,
        }
    }
}

fn check<T>(name: &str, section: &str, found: &Answer, expected: &T)
where
    T: std::fmt::Debug,
    Answer: PartialEq<T>,
{
    assert!(found == expected, "{name} (RFC {section}): {found:?}, expected {expected:?}");
}

/// Serves a handshake, taking up all that it offers.
fn serve(reader: &mut Reader, input: &mut &[u8]) -> Option<Answer> {
    let request = match reader.next_request(input, &Limits::default()) {
        Ok(request) => request?,
        Err(fault) => return Some(Answer::Broken(fault)),
    };
    if !is_upgrade(&request) {
        return Some(Answer::Plain);
    }
    let offer = match Offer::parse(&request) {
        Ok(offer) => offer,
        Err(refusal) => return Some(Answer::Refused(refusal)),
    };
    let names: Vec<_> = offer.subprotocols().collect();
    let response =
        offer.accept(names.first().copied(), offer.deflate()).expect("both were offered");
    let response = String::from_utf8(response).expect("a head is text");
    let mut lines = response.split("\r\n");
    assert_eq!(lines.next(), Some("HTTP/1.1 101 Switching Protocols"));
    assert_eq!(lines.next(), Some("Upgrade: websocket"));
    assert_eq!(lines.next(), Some("Connection: Upgrade"));
    let accept = lines.next().expect("the response goes on");
    // For the key in `REQUEST`, and for the one with spare bits.
    let expected = ["s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", "OfS0wDaT5NoxF2gqm7Zj2YtetzM="];
    let value = accept.strip_prefix("Sec-WebSocket-Accept: ");
    assert!(value.is_some_and(|value| expected.contains(&value)), "{accept}");
    assert!(response.ends_with("\r\n\r\n"));
    let fields: Vec<_> = lines.filter(|line| !line.is_empty()).collect();
    Some(Answer::Made(format!("{} | {}", names.join(" "), fields.join(" & "))))
}

fn client(deflate: bool) -> ClientHandshake {
    let opening = Opening { subprotocols: &["v1", "v2"], deflate, ..Opening::at("h") };
    ClientHandshake::new(*b"the sample nonce", &opening).expect("it can be sent")
}

fn verify(handshake: &mut ClientHandshake, input: &mut &[u8]) -> Option<Answer> {
    match handshake.verify(input, &Limits::default()) {
        Ok(agreed) => agreed.map(|agreed| {
            let subprotocol = agreed.subprotocol.as_deref().unwrap_or("-");
            let deflate = if agreed.deflate.is_some() { "deflate" } else { "plain" };
            Answer::Made(format!("{subprotocol} {deflate}"))
        }),
        Err(fault) => Some(Answer::Failed(fault)),
    }
}

/// The bytes of a head with some of its lines changed.
fn edited(lines: &[&str], changes: &[&str]) -> Vec<u8> {
    let mut lines: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    for change in changes {
        let name = |line: &str| line.split_once(": ").map(|(name, _)| name.to_owned());
        if let Some(added) = change.strip_prefix('+') {
            lines.push(added.to_owned());
        } else if let Some(removed) = change.strip_prefix('-') {
            lines.retain(|line| name(line).as_deref() != Some(removed));
        } else {
            let replaced = lines.iter().position(|line| name(line) == name(change)).unwrap_or(0);
            lines[replaced] = (*change).to_owned();
        }
    }
    format!("{}\r\n\r\n", lines.join("\r\n")).into_bytes()
}
