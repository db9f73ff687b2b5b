//! RFC 6455 §10.4: limits on frames and messages, found broken from a header.
//!
//! The table's limits are 70,000 bytes a frame, 80,000 a message, 8 frames a message.

use wsrelay::ws::Fault;

use super::{client, server};

#[test]
fn limits() {
    let frame = Fault::FrameTooBig;
    let message = Fault::MessageTooBig;
    let half = [b"\x02\x7e\x9c\x40".as_slice(), &[0; 40_000]].concat();
    let rows = [
        client(
            "§10.4",
            "the longest frame",
            [b"\x82\x7f\0\0\0\0\0\x01\x11\x70".as_slice(), &[0; 70_000]].concat(),
        )
        .binary(&[0; 70_000]),
        client("§10.4", "a byte more, from the header", b"\x82\x7f\0\0\0\0\0\x01\x11\x71")
            .fails(frame, 1009),
        client("§10.4", "as long as can be said", b"\x82\x7f\x7f\xff\xff\xff\xff\xff\xff\xff")
            .fails(frame, 1009),
        server(
            "§10.4",
            "before the masking key is there",
            b"\x82\xff\x7f\xff\xff\xff\xff\xff\xff\xff",
        )
        .fails(frame, 1009),
        client("§10.4", "an unfinished frame", b"\x01\x7f\0\0\0\0\0\x01\x11\x71")
            .fails(frame, 1009),
        client(
            "§10.4",
            "the longest message",
            [half.as_slice(), b"\x80\x7e\x9c\x40", &[0; 40_000]].concat(),
        )
        .binary(&[0; 80_000]),
        client(
            "§10.4",
            "a byte more, from the last header",
            [half.as_slice(), b"\x80\x7e\x9c\x41"].concat(),
        )
        .fails(message, 1009),
        client(
            "§10.4",
            "a ping between is not counted",
            [half.as_slice(), b"\x89\x01?\x80\x7e\x9c\x40", &[0; 40_000]].concat(),
        )
        .ping(b"?")
        .binary(&[0; 80_000]),
        client(
            "§10.4",
            "eight fragments",
            [b"\x02\x00".as_slice(), &b"\x00\x00".repeat(6), b"\x80\x00"].concat(),
        )
        .binary(b""),
        client(
            "§10.4",
            "nine fragments",
            [b"\x02\x00".as_slice(), &b"\x00\x00".repeat(7), b"\x80"].concat(),
        )
        .fails(Fault::TooManyFragments, 1008),
    ];
    rows.iter().for_each(super::Row::run);
}
