//! RFC 7692: the framing of compressed messages (§6) and their payload (§7.2).

use wsrelay::ws::Fault;

use super::{client, server};

#[test]
fn the_examples_of_the_rfc() {
    let rows = [
        client("§7.2.3.1", "one block", b"\xc1\x07\xf2\x48\xcd\xc9\xc9\x07\x00"),
        client(
            "§7.2.3.1",
            "one block, in two frames",
            b"\x41\x03\xf2\x48\xcd\x80\x04\xc9\xc9\x07\x00",
        ),
        client(
            "§7.2.3.3",
            "a block that is stored",
            b"\xc1\x0b\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00",
        ),
        client("§7.2.3.4", "a final block", b"\xc1\x08\xf3\x48\xcd\xc9\xc9\x07\x00\x00"),
        client(
            "§7.2.3.5",
            "two blocks",
            b"\xc1\x0d\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00",
        ),
        server(
            "§7.2.3.1",
            "masked after it is compressed",
            b"\xc1\x87\x37\xfa\x21\x3d\xc5\xb2\xec\xf4\xfe\xfd\x21",
        ),
    ];
    for row in rows {
        row.deflating().text("Hello").run();
    }
}

#[test]
fn framing() {
    let hello = b"\xf2\x48\xcd\xc9\xc9\x07\x00";
    let after = |before: &[u8], header: &[u8]| [before, header, hello].concat();
    let misplaced = Fault::MisplacedRsv1;
    let rows = [
        client("§6", "an uncompressed message is one too", b"\x81\x05Hello").text("Hello"),
        client("§6", "binary", after(b"", b"\xc2\x07")).binary(b"Hello"),
        client("§6", "one compressed, one not", after(b"\x81\x01a", b"\xc1\x07"))
            .text("a")
            .text("Hello"),
        client("§6", "every message begins anew", after(&after(b"", b"\xc1\x07"), b"\xc1\x07"))
            .text("Hello")
            .text("Hello"),
        client(
            "§6.1",
            "a ping between fragments",
            b"\x41\x03\xf2\x48\xcd\x89\x01?\x80\x04\xc9\xc9\x07\x00",
        )
        .ping(b"?")
        .text("Hello"),
        client("§6.1", "RSV1 in a continuation", b"\x41\x03\xf2\x48\xcd\xc0")
            .fails(misplaced, 1002),
        client("§6.1", "RSV1 in a continuation of plain text", b"\x01\x03Hel\xc0")
            .fails(misplaced, 1002),
        client("§6.1", "RSV1 in a ping", b"\xc9").fails(misplaced, 1002),
        client("§6.1", "RSV1 in a pong", b"\xca").fails(misplaced, 1002),
        client("§6.1", "RSV1 in a close", b"\xc8").fails(misplaced, 1002),
        client("§6", "RSV2 is still reserved", b"\xa1").fails(Fault::ReservedBit, 1002),
        client("§6", "RSV3 is still reserved", b"\xd1").fails(Fault::ReservedBit, 1002),
        client("§6", "a reserved opcode is still reserved", b"\xc3")
            .fails(Fault::ReservedOpcode, 1002),
        client("§6", "a compressed message in a plain one", b"\x01\x01a\xc1")
            .fails(Fault::InterleavedMessage, 1002),
    ];
    for row in rows {
        row.deflating().run();
    }
    client("§6", "not agreed on", after(b"", b"\xc1\x07")).fails(Fault::ReservedBit, 1002).run();
}

#[test]
fn payloads() {
    let broken = Fault::InvalidDeflate;
    let rows = [
        client("§7.2.3.6", "an empty message", b"\xc1\x01\x00").text(""),
        client("§7.2.3.6", "an empty message in empty fragments", b"\x41\x00\x00\x01\x00\x80\x00")
            .text(""),
        client("§7.2.2", "an empty message without a block", b"\xc2\x00").binary(b""),
        client(
            "§7.2.3.4",
            "a final block, with nothing after it",
            b"\xc1\x07\xf3\x48\xcd\xc9\xc9\x07\x00",
        )
        .text("Hello"),
        client(
            "§7.2.3.4",
            "two final blocks",
            b"\xc1\x0f\xf3\x48\xcd\xc9\xc9\x07\x00\xf3\x48\xcd\xc9\xc9\x07\x00\x00",
        )
        .text("HelloHello"),
        client("§7.2.2", "a reserved block type", b"\xc1\x01\x07").fails(broken, 1007),
        client("§7.2.2", "stored lengths that disagree", b"\xc1\x05\x00\x05\x00\x00\x00")
            .fails(broken, 1007),
        client("§7.2.2", "a distance before the beginning", b"\xc1\x05\xf2\x00\x11\x00\x00")
            .fails(broken, 1007),
        client("§7.2.2", "a message cut off within a block", b"\xc1\x04\xf2\x48\xcd\xc9")
            .fails(broken, 1007),
        client(
            "§7.2.1",
            "the last four bytes not left off",
            b"\xc1\x0b\xf2\x48\xcd\xc9\xc9\x07\x00\x00\x00\xff\xff",
        )
        .fails(broken, 1007),
        client("§8.1", "inflated text that is not UTF-8", b"\xc1\x07\x00\x01\x00\xfe\xff\xff\x00")
            .fails(Fault::InvalidUtf8, 1007),
        client(
            "§8.1",
            "inflated binary need not be UTF-8",
            b"\xc2\x07\x00\x01\x00\xfe\xff\xff\x00",
        )
        .binary(b"\xff"),
    ];
    for row in rows {
        row.deflating().run();
    }
}

#[test]
fn limits() {
    let fits = compressed(&[0; 80_000]);
    let over = compressed(&[0; 80_001]);
    client("§10.4", "the longest message, inflated", frame(&fits))
        .deflating()
        .binary(&[0; 80_000])
        .run();
    client("§10.4", "a byte more", frame(&over))
        .deflating()
        .fails(Fault::MessageTooBig, 1009)
        .run();
    // Bytes that do not shrink may be as long as they are in plain frames, and a little longer.
    let stored = [
        b"\x00\xff\xff\x00\x00".as_slice(),
        &[0x5A; 65_535],
        b"\x00\x71\x11\x8e\xee",
        &[0x5A; 4_465],
        b"\x00",
    ];
    client("§7.2.1", "stored blocks, longer than a plain frame may be", frame(&stored.concat()))
        .deflating()
        .binary(&[0x5A; 70_000])
        .run();
    client("§10.4", "longer than any compressor makes it", b"\xc2\x7f\0\0\0\0\0\x01\x33\xdf")
        .deflating()
        .fails(Fault::FrameTooBig, 1009)
        .run();
}

/// One compressed binary frame from a server.
fn frame(payload: &[u8]) -> Vec<u8> {
    let header = wsrelay::ws::header::Header {
        fin: true,
        rsv1: true,
        opcode: wsrelay::ws::Opcode::Binary,
        key: None,
        payload_bytes: payload.len() as u64,
    };
    [header.encode().as_bytes(), payload].concat()
}

fn compressed(plain: &[u8]) -> Vec<u8> {
    let frame = wsrelay::ws::Frame::binary(plain);
    let mut codec = wsrelay::ws::Codec::new(super::LIMITS);
    codec.deflate(&frame).expect("zeros shrink").payload().to_vec()
}
