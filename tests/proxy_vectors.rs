//! Every rule of the PROXY protocol as a row: bytes in, whose they are out. And random headers, held against the shared
//! properties.
//!
//! Each row runs whole, byte by byte, cut in two at every place, and with the client's first bytes behind it. A row that
//! breaks a rule ends with the byte that makes it certain, and without that byte it must not be a fault yet.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use wsrelay::http::Fault;
use wsrelay::http::proxy::{HEADER_BYTES_MAX, HeaderReader, Source};
use wsrelay::oracle::proxy::proxy_header;

enum Expected {
    /// `ADDRESS PORT`, or `-`; with ` tls` where the client came over it.
    Names(&'static str),
    Breaks,
}
use Expected::{Breaks, Names};

/// What a header of version 1 is, and what it says.
const LINES: &[(&str, &str, Expected)] = &[
    ("IPv4", "PROXY TCP4 192.0.2.1 203.0.113.9 56324 443\r\n", Names("192.0.2.1 56324")),
    ("shortest", "PROXY TCP4 1.1.1.1 1.1.1.1 0 0\r\n", Names("1.1.1.1 0")),
    (
        "last port",
        "PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n",
        Names("255.255.255.255 65535"),
    ),
    ("IPv6", "PROXY TCP6 2001:db8::1 ::1 1 2\r\n", Names("2001:db8::1 1")),
    (
        "IPv6 at its longest",
        "PROXY TCP6 ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff 65535 65535\r\n",
        Names("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe 65535"),
    ),
    ("mapped IPv4 is IPv4", "PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\n", Names("192.0.2.1 1")),
    ("unknown", "PROXY UNKNOWN\r\n", Names("-")),
    ("unknown with more", "PROXY UNKNOWN ffff::1 whatever 1\r\n", Names("-")),
    ("unknown with a word on its heels", "PROXY UNKNOWNX\r\n", Breaks),
    ("lower case", "p", Breaks),
    ("another word", "PRI", Breaks),
    ("no space", "PROXYT", Breaks),
    ("tab for a space", "PROXY TCP4\t", Breaks),
    ("two spaces", "PROXY TCP4  192.0.2.1 192.0.2.2 1 2\r\n", Breaks),
    ("space behind", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 \r\n", Breaks),
    ("nothing", "PROXY \r\n", Breaks),
    ("too little", "PROXY TCP4 192.0.2.1 192.0.2.2 1\r\n", Breaks),
    ("too much", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2 3\r\n", Breaks),
    ("IPv6 for IPv4", "PROXY TCP4 ::1 ::1 1 2\r\n", Breaks),
    ("IPv4 for IPv6", "PROXY TCP6 192.0.2.1 192.0.2.2 1 2\r\n", Breaks),
    ("UDP", "PROXY UDP4 192.0.2.1 192.0.2.2 1 2\r\n", Breaks),
    ("leading zero in an address", "PROXY TCP4 192.0.2.01 192.0.2.2 1 2\r\n", Breaks),
    ("leading zero in a port", "PROXY TCP4 192.0.2.1 192.0.2.2 01 2\r\n", Breaks),
    ("sign in a port", "PROXY TCP4 192.0.2.1 192.0.2.2 +1 2\r\n", Breaks),
    ("port out of range", "PROXY TCP4 192.0.2.1 192.0.2.2 1 65536\r\n", Breaks),
    ("zone", "PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n", Breaks),
    ("name", "PROXY TCP4 localhost 192.0.2.2 1 2\r\n", Breaks),
    ("line feed alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\n", Breaks),
    ("carriage return alone", "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\rG", Breaks),
    ("two carriage returns", "PROXY UNKNOWN\r\r", Breaks),
    ("NUL", "PROXY TCP4 \0", Breaks),
    ("above ASCII", "PROXY UNKNOWN \u{e9}", Breaks),
];

const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";

fn v2(command: u8, kind: u8, rest: &[u8]) -> Vec<u8> {
    let length = u16::try_from(rest.len()).unwrap().to_be_bytes();
    [SIGNATURE, &[command, kind], &length, rest].concat()
}

fn v4() -> Vec<u8> {
    [&[192, 0, 2, 1, 203, 0, 113, 9][..], &56324u16.to_be_bytes(), &443u16.to_be_bytes()].concat()
}

fn v6(address: &str) -> Vec<u8> {
    let address: std::net::Ipv6Addr = address.parse().unwrap();
    [&address.octets()[..], &[0; 16], &1u16.to_be_bytes(), &2u16.to_be_bytes()].concat()
}

fn value(kind: u8, value: &[u8]) -> Vec<u8> {
    [&[kind][..], &u16::try_from(value.len()).unwrap().to_be_bytes(), value].concat()
}

/// Ends a row that breaks a rule where that is certain.
fn cut(mut bytes: Vec<u8>, at: usize) -> Vec<u8> {
    bytes.truncate(at);
    bytes
}

fn rows() -> Vec<(&'static str, Vec<u8>, Expected)> {
    let lines = LINES.iter().map(|(name, line, expected)| {
        // A character above ASCII is over with its first byte.
        let end =
            line.char_indices().find(|(_, c)| !c.is_ascii()).map_or(line.len(), |(at, _)| at + 1);
        let expected = match expected {
            Names(text) => Names(text),
            Breaks => Breaks,
        };
        (*name, line.as_bytes()[..end].to_vec(), expected)
    });
    let endless = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 93]].concat();
    let longest = [b"PROXY UNKNOWN ".to_vec(), vec![b'x'; 91], b"\r\n".to_vec()].concat();
    let tls = |client: u8| value(0x20, &[client, 0, 0, 0, 0]);
    let with = |values: &[u8]| v2(0x21, 0x11, &[&v4()[..], values].concat());
    let room = HEADER_BYTES_MAX - 16 - 12 - 3;
    lines
        .chain([
            ("longest line", longest, Names("-")),
            ("line without end", endless, Breaks),
            ("v2 IPv4", v2(0x21, 0x11, &v4()), Names("192.0.2.1 56324")),
            ("v2 IPv6", v2(0x21, 0x21, &v6("2001:db8::1")), Names("2001:db8::1 1")),
            ("v2 mapped", v2(0x21, 0x21, &v6("::ffff:192.0.2.1")), Names("192.0.2.1 1")),
            ("v2 Unix", v2(0x21, 0x31, &[b'/'; 216]), Names("-")),
            ("v2 unspecified", v2(0x21, 0x00, &[]), Names("-")),
            ("v2 local", v2(0x20, 0x00, &[]), Names("-")),
            ("v2 local of whatever family", v2(0x20, 0xee, &[1, 2, 3]), Names("-")),
            ("v2 TLS", with(&tls(1)), Names("192.0.2.1 56324 tls")),
            ("v2 TLS with a certificate", with(&tls(7)), Names("192.0.2.1 56324 tls")),
            ("v2 no TLS", with(&tls(0)), Names("192.0.2.1 56324")),
            ("v2 TLS without a word", with(&value(0x20, &[])), Names("192.0.2.1 56324")),
            (
                "v2 other values",
                with(&[value(0x04, &[0; 9]), value(0xea, b"vpce")].concat()),
                Names("192.0.2.1 56324"),
            ),
            ("v2 longest", with(&value(0x04, &vec![0; room])), Names("192.0.2.1 56324")),
            ("v2 too long", cut(with(&value(0x04, &vec![0; room + 1])), 16), Breaks),
            ("v2 of 64 KiB", [SIGNATURE, &[0x21, 0x11, 0xff, 0xff]].concat(), Breaks),
            ("v2 signature", b"\r\n\r\n\0\r\nQUIT\r".to_vec(), Breaks),
            ("v2 of version 1", [SIGNATURE, &[0x11]].concat(), Breaks),
            ("v2 of version 3", [SIGNATURE, &[0x31]].concat(), Breaks),
            ("v2 command", [SIGNATURE, &[0x22]].concat(), Breaks),
            ("v2 datagrams", v2(0x21, 0x12, &v4()), Breaks),
            ("v2 family", v2(0x21, 0x41, &v4()), Breaks),
            ("v2 short IPv4", v2(0x21, 0x11, &v4()[..11]), Breaks),
            ("v2 short IPv6", v2(0x21, 0x21, &v6("::1")[..35]), Breaks),
            ("v2 short Unix", v2(0x21, 0x31, &[b'/'; 215]), Breaks),
            ("v2 half a value's head", with(&[4, 0]), Breaks),
            ("v2 value over the end", with(&[4, 0, 2, 9]), Breaks),
        ])
        .collect()
}

fn rendered(source: Source) -> String {
    let address =
        source.address.map_or("-".to_owned(), |(address, port)| format!("{address} {port}"));
    format!("{address}{}", if source.secure { " tls" } else { "" })
}

fn check(name: &str, found: Result<Option<Source>, Fault>, expected: &Expected) {
    match expected {
        Names(text) => assert_eq!(
            found.map(|found| found.map(rendered)),
            Ok(Some((*text).to_owned())),
            "{name}"
        ),
        Breaks => assert_eq!(found, Err(Fault::Proxy), "{name}"),
    }
}

#[test]
fn every_row_whole_and_with_a_request_behind_it() {
    for (name, bytes, expected) in rows() {
        check(name, HeaderReader::default().next(&mut &bytes[..]), &expected);
        let both = [&bytes[..], b"GET / HTTP/1.1\r\n"].concat();
        let mut input = &both[..];
        check(name, HeaderReader::default().next(&mut input), &expected);
        assert_eq!(both.len() - input.len(), bytes.len(), "{name}: takes what is not its own");
    }
}

#[test]
fn every_row_byte_by_byte() {
    for (name, bytes, expected) in rows() {
        let mut reader = HeaderReader::default();
        let (last, before) = bytes.split_last().unwrap();
        for byte in before {
            assert_eq!(reader.next(&mut &[*byte][..]), Ok(None), "{name}");
        }
        check(name, reader.next(&mut &[*last][..]), &expected);
        assert!(reader.held_bytes() <= 2 * bytes.len().max(8), "{name}");
    }
}

#[test]
fn every_row_cut_in_two_anywhere() {
    for (name, bytes, expected) in rows() {
        for at in 1..bytes.len() {
            let mut reader = HeaderReader::default();
            assert_eq!(reader.next(&mut &bytes[..at]), Ok(None), "{name} at {at}");
            check(name, reader.next(&mut &bytes[at..]), &expected);
        }
    }
}

/// A row, or words and blocks that are nearly one; some bytes changed.
fn header() -> impl Strategy<Value = Vec<u8>> {
    let row = select(rows().into_iter().map(|(_, bytes, _)| bytes).collect::<Vec<_>>());
    let word = select(vec![
        "TCP4",
        "TCP6",
        "UNKNOWN",
        "192.0.2.1",
        "::1",
        "0",
        "65535",
        "65536",
        "07",
        "",
        "x",
    ]);
    let line = prop::collection::vec(word, 0..7)
        .prop_map(|words| format!("PROXY {}\r\n", words.join(" ")).into_bytes());
    let block = (
        select(vec![0x20u8, 0x21]),
        select(vec![0x00u8, 0x11, 0x21, 0x31]),
        prop::collection::vec(any::<u8>(), 0..300),
    )
        .prop_map(|(command, kind, rest)| v2(command, kind, &rest));
    let changes = prop::collection::vec((any::<Index>(), any::<u8>()), 0..3);
    (prop_oneof![row, line, block], changes).prop_map(|(mut bytes, changes)| {
        for (at, byte) in changes {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        bytes
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..ProptestConfig::default() })]

    #[test]
    fn headers_hold_their_properties(data in header(), behind in prop::collection::vec(any::<u8>(), 0..20)) {
        proxy_header(&[data, behind].concat());
    }
}

#[test]
fn the_committed_corpus_replays() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/proxy_header");
    let files: Vec<_> = fs::read_dir(&corpus).unwrap().map(|file| file.unwrap().path()).collect();
    assert!(files.len() > 5, "no corpus in {}", corpus.display());
    for file in files {
        proxy_header(&fs::read(file).unwrap());
    }
}
