//! The properties of the WebSocket protocol, with cases made at random; and for each kind of
//! property a broken implementation that it must find.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::Index;

use wsrelay::oracle::ws::{self as oracle, Endpoint, Reader, Seen, Sent};
use wsrelay::ws::header::Header;
use wsrelay::ws::{Frame, Limits, Opcode, Role, mask};

#[path = "../fuzz/differential.rs"]
mod differential;

proptest! {
    #[test]
    fn what_is_sent_arrives(role in role(), sent in vec(sent(), 0..8), cuts in vec(any::<u8>(), 0..4)) {
        oracle::round_trip(role, &sent, &cuts);
    }

    #[test]
    fn any_bytes_are_read_the_same_however_they_are_cut(
        role in role(),
        data in vec(any::<u8>(), 0..200),
    ) {
        oracle::frames(role, &data);
    }

    /// Random bytes break a rule within a frame or two. Good frames with one byte changed get further.
    #[test]
    fn nearly_good_frames_are_read_the_same_however_they_are_cut(
        role in role(),
        setup in any::<[u8; 2]>(),
        frames in vec(frame(), 1..6),
        change in change(),
    ) {
        oracle::frames(role, &[&setup, nearly(role, &frames, change).as_slice()].concat());
    }

    #[test]
    fn we_and_tungstenite_see_the_same(
        role in role(),
        frames in vec(frame(), 1..6),
        change in change(),
    ) {
        let role_byte = u8::from(role == Role::Client);
        let data = [&[role_byte], nearly(role, &frames, change).as_slice()].concat();
        differential::agrees_with_tungstenite(&data);
    }

    #[test]
    fn a_header_is_read_as_it_is_encoded(
        fin in any::<bool>(),
        rsv1 in any::<bool>(),
        opcode in opcode(),
        key in any::<Option<[u8; 4]>>(),
        bits in 0..64_u32,
        payload_bytes in any::<u64>(),
    ) {
        let payload_bytes = payload_bytes >> 1 >> bits;
        let header = if opcode.is_control() {
            // A close frame of one byte is the one length that is refused.
            let payload_bytes = match payload_bytes % 126 { 1 => 0, short => short };
            Header { fin: true, rsv1: false, opcode, key, payload_bytes }
        } else {
            Header { fin, rsv1: rsv1 && opcode != Opcode::Continuation, opcode, key, payload_bytes }
        };
        oracle::header_round_trip(&header);
    }

    #[test]
    fn a_header_is_the_same_with_more_bytes(data in vec(any::<u8>(), 0..16)) {
        oracle::frame_header(&data);
    }

    #[test]
    fn masking_equals_its_twin(data in vec(any::<u8>(), 6..600)) {
        oracle::mask(&data);
    }

    #[test]
    fn text_is_what_the_standard_library_says(cut in any::<u8>(), text in any::<String>()) {
        oracle::utf8(&[&[cut], text.as_bytes()].concat());
    }

    #[test]
    fn nearly_text_is_what_the_standard_library_says(
        cut in any::<u8>(),
        text in "[a-zé€😀\u{7ff}\u{800}\u{10ffff}]{1,40}",
        at in any::<Index>(),
        byte in any::<u8>(),
    ) {
        let mut data = [&[cut], text.as_bytes()].concat();
        let at = at.index(data.len());
        data[at] = byte;
        oracle::utf8(&data);
    }

    #[test]
    fn any_bytes_inflate_as_flate2_reads_them(data in vec(any::<u8>(), 2..200)) {
        oracle::inflate(&data);
    }

    #[test]
    fn one_deflater_serves_any_sequence_of_messages(messages in vec(any::<u8>(), 4..20)) {
        oracle::deflate(&messages);
    }

    #[test]
    fn long_and_repetitive_bytes_inflate_to_themselves(
        word in vec(any::<u8>(), 1..50),
        times in 1..500_usize,
    ) {
        oracle::inflate(&[&[0xff, 0xff], word.repeat(times).as_slice()].concat());
    }
}

#[test]
#[should_panic(expected = "reading byte by byte made a difference")]
fn an_endpoint_that_forgets_at_the_end_of_its_input_is_found_out() {
    struct Forgetful;
    impl Endpoint for Forgetful {
        fn read(&mut self, piece: &mut [u8], seen: &mut Vec<Seen>) {
            Reader::new(Role::Client, false, Limits::default()).read(piece, seen);
        }
        fn held_bytes(&self) -> usize {
            0
        }
    }
    oracle::chunking_changes_nothing(|| Forgetful, Frame::text("hi").as_bytes(), &[]);
}

#[test]
#[should_panic(expected = "bytes are held of 2 received")]
fn an_endpoint_that_believes_a_promise_is_found_out() {
    struct Gullible;
    impl Endpoint for Gullible {
        fn read(&mut self, _: &mut [u8], _: &mut Vec<Seen>) {}
        fn held_bytes(&self) -> usize {
            65_536
        }
    }
    oracle::chunking_changes_nothing(|| Gullible, b"\x82\x7e", &[]);
}

#[test]
#[should_panic(expected = "masking differs from its naive twin")]
fn masking_that_begins_each_piece_with_the_first_byte_of_the_key_is_found_out() {
    let broken = |payload: &mut [u8], key| {
        mask::apply(payload, key);
        key
    };
    oracle::mask_equals_twin(broken, b"\x01\x02\x03\x04\x00\x01payload");
}

#[test]
#[should_panic(expected = "not what the standard library says")]
fn a_validator_that_checks_each_piece_alone_is_found_out() {
    let broken = |pieces: &[&[u8]]| {
        let texts =
            pieces.iter().enumerate().map(|(i, piece)| str::from_utf8(piece).map_err(|_| i));
        texts.collect::<Result<String, usize>>()
    };
    oracle::utf8_equals_std(broken, &[b"\xe2\x82", b"\xac"]);
}

#[test]
#[should_panic(expected = "not what the standard library says")]
fn a_validator_that_fails_at_the_end_and_not_before_is_found_out() {
    let broken = |pieces: &[&[u8]]| String::from_utf8(pieces.concat()).map_err(|_| pieces.len());
    oracle::utf8_equals_std(broken, &[b"\xff", b"a"]);
}

fn role() -> impl Strategy<Value = Role> {
    prop_oneof![Just(Role::Server), Just(Role::Client)]
}

fn opcode() -> impl Strategy<Value = Opcode> {
    prop_oneof![
        Just(Opcode::Continuation),
        Just(Opcode::Text),
        Just(Opcode::Binary),
        Just(Opcode::Close),
        Just(Opcode::Ping),
        Just(Opcode::Pong),
    ]
}

/// Frames that are good one by one, though hardly in this order.
fn frame() -> impl Strategy<Value = (Header, Vec<u8>)> {
    let payload = prop_oneof![
        vec(any::<u8>(), 0..40),
        "[a-zé€😀]{0,20}".prop_map(String::into_bytes),
        (1000..1004_u16).prop_map(|code| code.to_be_bytes().to_vec()),
        vec(Just(0x2a), 120..220),
    ];
    (any::<bool>(), any::<bool>(), opcode(), payload).prop_map(|(fin, rsv1, opcode, payload)| {
        let fin = fin || opcode.is_control();
        let rsv1 = rsv1 && matches!(opcode, Opcode::Text | Opcode::Binary);
        (Header { fin, rsv1, opcode, key: None, payload_bytes: 0 }, payload)
    })
}

/// Where a byte is changed, and into what; if one is.
fn change() -> impl Strategy<Value = Option<(Index, u8)>> {
    proptest::option::of((any::<Index>(), any::<u8>()))
}

/// The frames as an endpoint in this role receives them, but for the change.
fn nearly(role: Role, frames: &[(Header, Vec<u8>)], change: Option<(Index, u8)>) -> Vec<u8> {
    let mut data = Vec::new();
    for (header, payload) in frames {
        let key = (role == Role::Server).then_some([0x37, 0xfa, 0x21, 0x3d]);
        let header = Header { key, payload_bytes: payload.len() as u64, ..*header };
        data.extend_from_slice(header.encode().as_bytes());
        let payload_at = data.len();
        data.extend_from_slice(payload);
        mask::apply(&mut data[payload_at..], key.unwrap_or_default());
    }
    if let Some((at, byte)) = change {
        let at = at.index(data.len());
        data[at] = byte;
    }
    data
}

fn sent() -> impl Strategy<Value = Sent> {
    let small = || vec(any::<u8>(), 0..=125);
    let message = prop_oneof![
        any::<String>().prop_map(Seen::Text),
        vec(any::<u8>(), 0..300).prop_map(Seen::Binary),
        (0..70_000_usize).prop_map(|size| Seen::Binary(vec![0xa5; size])),
        ("[a-z€]{1,9}", 1..3000_usize).prop_map(|(word, times)| Seen::Text(word.repeat(times))),
    ];
    let fragments = vec(0..200_usize, 0..5);
    prop_oneof![
        1 => small().prop_map(Sent::Ping),
        1 => small().prop_map(Sent::Pong),
        4 => (message, fragments, any::<bool>(), proptest::option::of(small())).prop_map(
            |(message, fragments, deflated, pings)| Sent::Message {
                message, fragments, deflated, pings
            }
        ),
    ]
}
