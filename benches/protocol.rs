//! The protocol's pieces, each checked against a plain twin before it is timed.
//!
//! `cargo bench --bench protocol`. Compare runs on one machine at one time only; what is worth knowing is how a figure
//! moves between two commits, and bytes a second where bytes are worked on.
#![allow(
    missing_docs,
    clippy::unwrap_used,
    reason = "a benchmark that stops where it cannot go on"
)]

use divan::counter::{BytesCount, ItemsCount};
use divan::{Bencher, black_box};
use wsrelay::http::{self, Reader};
use wsrelay::ws::Offer;
use wsrelay::ws::header::{Expect, Header};
use wsrelay::ws::{
    Codec, Connection, Deflate, Event, Frame, Limits, Message, Role, is_upgrade, mask,
};

fn main() {
    divan::main();
}

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// Bytes without order, the same at each run.
fn noise(bytes: usize) -> Vec<u8> {
    let mut state = 0x2545_f491_u32;
    let next = || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state.to_le_bytes()[0]
    };
    std::iter::repeat_with(next).take(bytes).collect()
}

/// JSON as a chat sends it, of about so many bytes.
fn posts(bytes: usize) -> String {
    let post =
        r#"{"type":"entry","room":"lobby","seq":16,"kind":"post","from":"ann","body":"hello"}"#;
    post.repeat(bytes.div_ceil(post.len()))
}

fn masked(frame: &Frame) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame.append_masked(KEY, &mut bytes);
    bytes
}

#[divan::bench(args = [16, 128, 1024, 65536])]
fn unmask(bencher: Bencher<'_, '_>, bytes: usize) {
    let plain = noise(bytes);
    let mut twin = plain.clone();
    twin.iter_mut().zip(KEY.iter().cycle()).for_each(|(byte, key)| *byte ^= key);
    let mut payload = plain;
    mask::apply(&mut payload, KEY);
    assert_eq!(payload, twin);
    bencher
        .counter(BytesCount::new(bytes))
        .bench_local(|| mask::apply(black_box(&mut payload), KEY));
}

#[divan::bench(args = [0, 128, 1024, 65536])]
fn whole_text_frame(bencher: Bencher<'_, '_>, bytes: usize) {
    let text = &posts(bytes)[..bytes];
    let received = masked(&Frame::text(text));
    let mut codec = Codec::new(Limits::for_messages(1 << 20));
    let mut connection = Connection::new(Role::Server, None);
    let mut input = received.clone();
    let mut read = |input: &mut [u8]| -> usize {
        let mut rest = input;
        match connection.next_event(&mut rest, &mut codec) {
            Ok(Some(Event::Message(Message::Text(read)))) => {
                black_box(read);
                read.len()
            }
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&mut input), bytes);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        input.copy_from_slice(&received); // unmasking changed it
        read(&mut input)
    });
}

#[divan::bench]
fn frame_header(bencher: Bencher<'_, '_>) {
    let received = masked(&Frame::binary(&[0; 1000]));
    let limits = Limits::default();
    let expect = Expect { role: Role::Server, deflate: false, unfinished: None, limits: &limits };
    let (header, header_bytes) = Header::parse(&received, &expect).unwrap().unwrap();
    assert_eq!((header.payload_bytes, header.key, header_bytes), (1000, Some(KEY), 8));
    bencher
        .counter(ItemsCount::new(1_usize))
        .bench(|| Header::parse(black_box(&received), &expect));
}

#[divan::bench(args = [128, 1024, 16384])]
fn encode_frame(bencher: Bencher<'_, '_>, bytes: usize) {
    let payload = noise(bytes);
    assert_eq!(Frame::binary(&payload).payload(), payload);
    bencher.counter(BytesCount::new(bytes)).bench(|| Frame::binary(black_box(&payload)));
}

#[divan::bench(args = [512, 4096, 65536])]
fn deflate(bencher: Bencher<'_, '_>, bytes: usize) {
    let mut codec = Codec::new(Limits::default());
    let frame = Frame::text(&posts(bytes)[..bytes]);
    assert!(codec.deflate(&frame).unwrap().payload().len() < bytes);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| codec.deflate(black_box(&frame)));
}

#[divan::bench(args = [512, 4096, 65536])]
fn inflate(bencher: Bencher<'_, '_>, bytes: usize) {
    let mut codec = Codec::new(Limits::default());
    let plain = Frame::text(&posts(bytes)[..bytes]);
    let received = masked(&codec.deflate(&plain).unwrap());
    let mut connection = Connection::new(Role::Server, Some(Deflate { sends_compressed: true }));
    let mut input = received.clone();
    let mut read = |input: &mut [u8]| -> usize {
        let mut rest = input;
        match connection.next_event(&mut rest, &mut codec) {
            Ok(Some(Event::Message(message))) => message.payload().len(),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(read(&mut input), bytes);
    bencher.counter(BytesCount::new(bytes)).bench_local(|| {
        input.copy_from_slice(&received);
        read(&mut input)
    });
}

#[divan::bench]
fn handshake(bencher: Bencher<'_, '_>) {
    let head = b"GET /relay/lobby HTTP/1.1\r\nHost: chat.example.org\r\nUpgrade: websocket\r\n\
        Connection: Upgrade\r\nPragma: no-cache\r\nCache-Control: no-cache\r\n\
        Origin: https://chat.example.org\r\nSec-WebSocket-Version: 13\r\n\
        Accept-Encoding: gzip, deflate, br, zstd\r\nAccept-Language: en-GB,en;q=0.9\r\n\
        Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
        Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n\r\n";
    let shake = || -> Vec<u8> {
        let mut reader = Reader::new();
        let mut input = black_box(&head[..]);
        let request = reader.next_request(&mut input, &http::Limits::default()).unwrap().unwrap();
        assert!(is_upgrade(&request));
        let offer = Offer::parse(&request).unwrap();
        offer.accept(None, offer.deflate()).unwrap()
    };
    // RFC 6455 §1.3 has the answer to this key.
    let answer = String::from_utf8(shake()).unwrap();
    assert!(answer.contains("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n"));
    bencher.counter(ItemsCount::new(1_usize)).bench(shake);
}
