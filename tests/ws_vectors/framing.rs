//! RFC 6455 §5: the base framing protocol.

use wsrelay::ws::Fault;

use super::{client, server};

/// A frame's bytes: a header and so many times `x`.
fn xs(header: &[u8], payload_bytes: usize) -> Vec<u8> {
    [header, &vec![b'x'; payload_bytes]].concat()
}

#[test]
fn the_examples_of_the_rfc() {
    let rows = [
        client("§5.7", "an unmasked text message", b"\x81\x05Hello").text("Hello"),
        server("§5.7", "a masked text message", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
            .text("Hello"),
        client("§5.7", "a fragmented text message", b"\x01\x03Hel\x80\x02lo").text("Hello"),
        client("§5.7", "an unmasked ping", b"\x89\x05Hello").ping(b"Hello"),
        server("§5.7", "a masked pong", b"\x8a\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
            .pong(b"Hello"),
        client("§5.7", "256 bytes", xs(b"\x82\x7e\x01\x00", 256)).binary(&[b'x'; 256]),
        client("§5.7", "64 KiB", xs(b"\x82\x7f\0\0\0\0\0\x01\0\0", 65_536)).binary(&[b'x'; 65_536]),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn masking() {
    let rows = [
        server("§5.1", "an unmasked text frame", b"\x81\x05Hello").fails(Fault::Unmasked, 1002),
        server("§5.1", "an unmasked empty frame", b"\x82\x00").fails(Fault::Unmasked, 1002),
        server("§5.1", "an unmasked ping", b"\x89\x00").fails(Fault::Unmasked, 1002),
        server("§5.1", "an unmasked close", b"\x88\x00").fails(Fault::Unmasked, 1002),
        server("§5.1", "an unmasked fragment", b"\x01\x81\0\0\0\0a\x80\x01b")
            .fails(Fault::Unmasked, 1002),
        client("§5.1", "a masked text frame", b"\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58")
            .fails(Fault::Masked, 1002),
        client("§5.1", "a frame masked with zeros", b"\x89\x80\0\0\0\0").fails(Fault::Masked, 1002),
        server("§5.3", "a key for nothing", b"\x81\x80\x37\xfa\x21\x3d").text(""),
        server("§5.3", "a key of zeros", b"\x81\x85\0\0\0\0Hello").text("Hello"),
        server(
            "§5.3",
            "each frame has its own key",
            b"\x01\x82\x01\x01\x01\x01\x60\x60\x80\x81\x02\x02\x02\x02\x60",
        )
        .text("aab"),
        server(
            "§5.3",
            "the key goes around",
            b"\x82\x89\x01\x02\x03\x04\x01\x02\x03\x04\x01\x02\x03\x04\x00",
        )
        .binary(b"\0\0\0\0\0\0\0\0\x01"),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn reserved_bits_and_opcodes() {
    for bits in [0x10, 0x20, 0x30, 0x40, 0x50, 0x60, 0x70] {
        for opcode in [0x0, 0x1, 0x2, 0x8, 0x9, 0xA] {
            let first = 0x80 | bits | opcode;
            server("§5.2", "a reserved bit", [first, 0x80, 0, 0, 0, 0])
                .fails(Fault::ReservedBit, 1002)
                .run();
            client("§5.2", "a reserved bit", [first, 0]).fails(Fault::ReservedBit, 1002).run();
        }
    }
    for opcode in (0x3..=0x7).chain(0xB..=0xF) {
        client("§5.2", "a reserved opcode", [0x80 | opcode, 0])
            .fails(Fault::ReservedOpcode, 1002)
            .run();
        server("§5.2", "a reserved opcode, unfinished and long", [opcode, 0xFF, 0, 0, 0, 0, 0])
            .fails(Fault::ReservedOpcode, 1002)
            .run();
    }
    client("§5.2", "a reserved bit in a continuation", b"\x01\x01a\xa0\x01b")
        .fails(Fault::ReservedBit, 1002)
        .run();
    client("§5.2", "the frames before the bad one are seen", b"\x81\x01a\x89\x00\x83\x00")
        .text("a")
        .ping(b"")
        .fails(Fault::ReservedOpcode, 1002)
        .run();
}

#[test]
fn lengths() {
    let top_bit = Fault::LengthTopBit;
    let minimal = Fault::LengthNotMinimal;
    let rows = [
        client("§5.2", "0 bytes", b"\x82\x00").binary(b""),
        client("§5.2", "125 bytes, the longest in 7 bits", xs(b"\x82\x7d", 125))
            .binary(&[b'x'; 125]),
        client("§5.2", "126 bytes, the shortest in 16 bits", xs(b"\x82\x7e\x00\x7e", 126))
            .binary(&[b'x'; 126]),
        client("§5.2", "65,535 bytes, the longest in 16 bits", xs(b"\x82\x7e\xff\xff", 65_535))
            .binary(&[b'x'; 65_535]),
        client("§5.2", "65,536, the shortest in 64", xs(b"\x82\x7f\0\0\0\0\0\x01\0\0", 65_536))
            .binary(&[b'x'; 65_536]),
        client("§5.2", "125 in 16 bits", b"\x82\x7e\x00\x7d").fails(minimal, 1002),
        client("§5.2", "0 in 16 bits", b"\x82\x7e\x00\x00").fails(minimal, 1002),
        client("§5.2", "125 in 64 bits", b"\x82\x7f\0\0\0\0\0\0\0\x7d").fails(minimal, 1002),
        client("§5.2", "65,535 in 64 bits", b"\x82\x7f\0\0\0\0\0\0\xff\xff").fails(minimal, 1002),
        server("§5.2", "5 in 16 bits, masked", b"\x81\xfe\x00\x05\0\0\0\0Hello")
            .fails(minimal, 1002),
        client("§5.2", "the top bit", b"\x82\x7f\x80\0\0\0\0\0\0\0").fails(top_bit, 1002),
        client("§5.2", "every bit", b"\x82\x7f\xff\xff\xff\xff\xff\xff\xff\xff")
            .fails(top_bit, 1002),
        server("§5.2", "the top bit, alone", b"\x82\xff\x80").fails(top_bit, 1002),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn fragmentation() {
    let stray = Fault::StrayContinuation;
    let interleaved = Fault::InterleavedMessage;
    let rows = [
        client("§5.4", "two fragments", b"\x02\x01a\x80\x01b").binary(b"ab"),
        client("§5.4", "three fragments", b"\x02\x01a\x00\x01b\x80\x01c").binary(b"abc"),
        client("§5.4", "empty fragments", b"\x01\x00\x00\x00\x80\x00").text(""),
        client("§5.4", "an empty first fragment", b"\x01\x00\x80\x02hi").text("hi"),
        client("§5.4", "an empty last fragment", b"\x01\x02hi\x80\x00").text("hi"),
        client("§5.4", "text between messages", b"\x01\x01a\x80\x01b\x82\x01c")
            .text("ab")
            .binary(b"c"),
        client("§5.4", "a ping between fragments", b"\x01\x01a\x89\x01?\x80\x01b")
            .ping(b"?")
            .text("ab"),
        client(
            "§5.4",
            "pings and pongs between fragments",
            b"\x01\x00\x89\x00\x8a\x01!\x00\x01a\x89\x01?\x80\x00",
        )
        .ping(b"")
        .pong(b"!")
        .ping(b"?")
        .text("a"),
        server(
            "§5.4",
            "a masked ping between masked fragments",
            b"\x01\x81\x01\0\0\0\x60\x89\x81\x02\0\0\0\x3d\x80\x81\x03\0\0\0\x61",
        )
        .ping(b"?")
        .text("ab"),
        client("§5.4", "a close between fragments", b"\x01\x01a\x88\x02\x03\xe8").close(1000, ""),
        client("§5.4", "a continuation of nothing", b"\x80\x01a").fails(stray, 1002),
        client("§5.4", "an unfinished continuation of nothing", b"\x00\x01a").fails(stray, 1002),
        client("§5.4", "a continuation of a finished message", b"\x81\x01a\x80\x01b")
            .text("a")
            .fails(stray, 1002),
        client("§5.4", "a continuation after the last", b"\x01\x01a\x80\x01b\x80\x01c")
            .text("ab")
            .fails(stray, 1002),
        client("§5.4", "text in a text message", b"\x01\x01a\x81\x01b").fails(interleaved, 1002),
        client("§5.4", "text in a binary message", b"\x02\x01a\x01\x01b").fails(interleaved, 1002),
        client("§5.4", "binary in a text message", b"\x01\x01a\x00\x01b\x82\x01c")
            .fails(interleaved, 1002),
        client("§5.4", "text in a message of which nothing has come", b"\x01\x00\x81\x01b")
            .fails(interleaved, 1002),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn control_frames() {
    let fragmented = Fault::FragmentedControl;
    let long = Fault::LongControl;
    let rows = [
        client("§5.5", "a ping in two", b"\x09\x00").fails(fragmented, 1002),
        client("§5.5", "a pong in two", b"\x0a\x00").fails(fragmented, 1002),
        client("§5.5", "a close in two", b"\x08\x00").fails(fragmented, 1002),
        client("§5.5", "a ping in two, between fragments", b"\x01\x01a\x09\x00")
            .fails(fragmented, 1002),
        client("§5.5", "a ping of 125 bytes", xs(b"\x89\x7d", 125)).ping(&[b'x'; 125]),
        client("§5.5", "a ping of 126 bytes", b"\x89\x7e").fails(long, 1002),
        client("§5.5", "a pong of 126 bytes", b"\x8a\x7e").fails(long, 1002),
        client("§5.5", "a close of 126 bytes", b"\x88\x7e").fails(long, 1002),
        server("§5.5", "a ping in the long form", b"\x89\xff").fails(long, 1002),
        client("§5.5.2", "a ping without a payload", b"\x89\x00").ping(b""),
        client("§5.5.2", "a ping's payload is not text", b"\x89\x02\xff\x00").ping(b"\xff\x00"),
        client("§5.5.2", "three pings", b"\x89\x01p".repeat(3)).ping(b"p").ping(b"p").ping(b"p"),
        client("§5.5.3", "a pong that nobody asked for", b"\x8a\x01p").pong(b"p"),
        client("§5.5.3", "a pong of 125 bytes", xs(b"\x8a\x7d", 125)).pong(&[b'x'; 125]),
    ];
    rows.iter().for_each(super::Row::run);
}

#[test]
fn data_frames() {
    let every_byte: Vec<u8> = (0..=255).collect();
    let rows = [
        client("§5.6", "text", b"\x81\x02hi").text("hi"),
        client("§5.6", "empty text", b"\x81\x00").text(""),
        client("§5.6", "text with a NUL", b"\x81\x03a\0b").text("a\0b"),
        client("§5.6", "binary", b"\x82\x02hi").binary(b"hi"),
        client("§5.6", "any binary", [b"\x82\x7e\x01\x00", every_byte.as_slice()].concat())
            .binary(&every_byte),
        client("§5.6", "one after the other", b"\x81\x01a\x82\x01b\x81\x01c")
            .text("a")
            .binary(b"b")
            .text("c"),
    ];
    rows.iter().for_each(super::Row::run);
}
