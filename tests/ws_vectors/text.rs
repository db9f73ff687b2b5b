//! RFC 6455 §8.1: text is UTF-8, and fails at its first bad byte.

use wsrelay::ws::Fault;

use super::{client, server};

/// A text frame that promises more than there is, so that what is there has to fail by itself.
fn begun(payload: &[u8]) -> Vec<u8> {
    [b"\x81\x7d", payload].concat()
}

#[test]
fn well_formed_text() {
    let rows = [
        client("§8.1", "one to four bytes", b"\x81\x0aa\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80")
            .text("aé€😀"),
        client(
            "§8.1",
            "the ends of each range",
            b"\x81\x11\x7f\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf\xf0\x90\x80\x80\x00\x00",
        )
        .text("\u{7f}\u{80}\u{7ff}\u{800}\u{ffff}\u{10000}\0\0"),
        client("§8.1", "the last character", b"\x81\x04\xf4\x8f\xbf\xbf").text("\u{10ffff}"),
        client("§8.1", "around the surrogates", b"\x81\x06\xed\x9f\xbf\xee\x80\x80")
            .text("\u{d7ff}\u{e000}"),
        client("§8.1", "a byte order mark is text", b"\x81\x03\xef\xbb\xbf").text("\u{feff}"),
        client("§8.1", "not a character, but well formed", b"\x81\x03\xef\xbf\xbe")
            .text("\u{fffe}"),
        client("§8.1", "a character in two fragments", b"\x01\x02\xe2\x82\x80\x01\xac").text("€"),
        client(
            "§8.1",
            "a character in four fragments",
            b"\x01\x01\xf0\x00\x01\x9f\x00\x01\x98\x80\x01\x80",
        )
        .text("😀"),
        client("§8.1", "a ping within a character", b"\x01\x01\xc3\x89\x00\x80\x01\xa9")
            .ping(b"")
            .text("é"),
        server("§8.1", "masked", b"\x81\x82\x01\x02\x03\x04\xc2\xab").text("é"),
        client("§8.1", "binary need not be UTF-8", b"\x82\x02\xff\xfe").binary(b"\xff\xfe"),
        client("§8.1", "fragmented binary neither", b"\x02\x01\xff\x80\x01\xfe")
            .binary(b"\xff\xfe"),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn ill_formed_text() {
    let rows: [(&str, &[u8]); 16] = [
        ("a continuation byte alone", b"a\x80"),
        ("two bytes, overlong", b"\xc0"),
        ("two bytes, overlong", b"\xc1"),
        ("three bytes, overlong", b"\xe0\x9f"),
        ("four bytes, overlong", b"\xf0\x8f"),
        ("the first surrogate", b"\xed\xa0"),
        ("the last surrogate", b"\xed\xbf"),
        ("past the last character", b"\xf4\x90"),
        ("far past the last character", b"\xf5"),
        ("five bytes", b"\xf8"),
        ("six bytes", b"\xfc"),
        ("no byte of UTF-8", b"\xfe"),
        ("no byte of UTF-8", b"\xff"),
        ("a character broken off by ASCII", b"\xe2\x82a"),
        ("a character broken off by another", b"\xce\xce"),
        ("the last byte of four missing", b"\xf0\x9f\x98a"),
    ];
    for (name, text) in rows {
        client("§8.1", name, begun(text)).fails(Fault::InvalidUtf8, 1007).run();
        let fragment = [&[0x01, u8::try_from(text.len()).expect("it is short")], text].concat();
        client("§8.1", name, fragment.as_slice()).fails(Fault::InvalidUtf8, 1007).run();
        let split = [b"\x01\x01".as_slice(), &text[..1], b"\x00\x7d", &text[1..]].concat();
        client("§8.1", name, split).fails(Fault::InvalidUtf8, 1007).run();
    }
}

#[test]
fn text_that_ends_within_a_character() {
    let rows = [
        client("§8.1", "the end in two bytes", b"\x81\x01\xce").fails(Fault::InvalidUtf8, 1007),
        client("§8.1", "the end in four bytes", b"\x81\x03\xf0\x9f\x98")
            .fails(Fault::InvalidUtf8, 1007),
        client("§8.1", "the end of the last fragment", b"\x01\x01a\x80\x01\xce")
            .fails(Fault::InvalidUtf8, 1007),
        client("§8.1", "the end before an empty fragment", b"\x01\x01\xce\x80\x00")
            .fails(Fault::InvalidUtf8, 1007),
        client("§8.1", "the messages before are seen", b"\x81\x01a\x81\x01\xce")
            .text("a")
            .fails(Fault::InvalidUtf8, 1007),
    ];
    rows.iter().for_each(super::Row::run);
}
