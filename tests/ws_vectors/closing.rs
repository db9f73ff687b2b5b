//! RFC 6455 §5.5.1 and §7: closing the connection.

use wsrelay::ws::Fault;

use super::{client, server};

/// A server's close frame.
fn close_frame(code: u16, reason: &[u8]) -> Vec<u8> {
    let length = u8::try_from(2 + reason.len()).expect("a control frame is short");
    [&[0x88, length], code.to_be_bytes().as_slice(), reason].concat()
}

#[test]
fn the_close_frame() {
    let reason = "x".repeat(123);
    let utf8 = Fault::InvalidCloseReason;
    let rows = [
        client("§5.5.1", "a close without a body", b"\x88\x00").close_without_code(),
        client("§5.5.1", "a code", b"\x88\x02\x03\xe8").close(1000, ""),
        client("§5.5.1", "a code and a reason", b"\x88\x05\x03\xe8bye").close(1000, "bye"),
        server("§5.5.1", "a masked code", b"\x88\x82\x37\xfa\x21\x3d\x34\x12").close(1000, ""),
        client("§5.5.1", "the longest reason", close_frame(1000, reason.as_bytes()))
            .close(1000, &reason),
        client("§5.5.1", "a reason beyond ASCII", close_frame(1000, "κόσμε".as_bytes()))
            .close(1000, "κόσμε"),
        client("§5.5.1", "half a code", b"\x88\x01").fails(Fault::ShortClose, 1002),
        server("§5.5.1", "half a code, masked", b"\x88\x81").fails(Fault::ShortClose, 1002),
        client("§5.5.1", "a reason that is not UTF-8", close_frame(1000, b"\xff"))
            .fails(utf8, 1007),
        client("§5.5.1", "a reason that breaks off in a character", close_frame(1000, b"a\xce"))
            .fails(utf8, 1007),
        client("§5.5.1", "a reason with a surrogate", close_frame(1000, b"\xed\xa0\x80"))
            .fails(utf8, 1007),
        client("§5.5.1", "a bad byte before the end of the reason", b"\x88\x7d\x03\xe8a\xff")
            .fails(utf8, 1007),
        client("§5.5.1", "what comes after a close is discarded", b"\x88\x00\x81\x02hi\xff\xff")
            .close_without_code(),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn close_codes() {
    for code in [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014] {
        client("§7.4.1", "a code with a meaning", close_frame(code, b"")).close(code, "").run();
    }
    for code in [3000, 3999, 4000, 4999] {
        client("§7.4.2", "a code of others", close_frame(code, b"why")).close(code, "why").run();
    }
    for code in [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 65_535] {
        client("§7.4", "a code that must not be sent", close_frame(code, b""))
            .fails(Fault::InvalidCloseCode, 1002)
            .run();
    }
    client("§7.4", "a bad code, before the reason is there", b"\x88\x7d\x03\xed")
        .fails(Fault::InvalidCloseCode, 1002)
        .run();
}

#[test]
fn the_closing_handshake() {
    let rows = [
        client("§7.1.2", "the answer to our close", b"\x88\x02\x03\xe8").closing().close(1000, ""),
        client("§7.1.2", "both close at once", b"\x88\x02\x03\xe9").closing().close(1001, ""),
        client("§1.4", "data after our close", b"\x81\x01a\x89\x00\x8a\x00\x88\x02\x03\xe8")
            .closing()
            .close(1000, ""),
        client("§1.4", "a message unfinished at our close", b"\x01\x01a\x88\x02\x03\xe8")
            .closing()
            .close(1000, ""),
        client("§1.4", "data and no close", b"\x81\x01a\x82\x01b").closing(),
        client("§7.1.7", "a broken rule after our close", b"\x81\x01a\x83\x00")
            .closing()
            .fails(Fault::ReservedOpcode, 1002),
        client("§7.1.7", "a good frame after a broken rule", b"\x83\x00\x81\x01a\x88\x00")
            .fails(Fault::ReservedOpcode, 1002),
        client("§5.5.1", "a second close", b"\x88\x02\x03\xe8\x88\x02\x03\xe9").close(1000, ""),
    ];
    rows.iter().for_each(super::Row::run);
}
