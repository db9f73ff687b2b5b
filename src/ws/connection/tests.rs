use super::*;
use crate::ws::{Limits, work};

/// What a client sends: each frame masked with its own key.
fn sent(frames: &[Frame]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for (i, frame) in (0..).zip(frames) {
        frame.append_masked([i, 0xfa, 0x21, 0x3d], &mut bytes);
    }
    bytes
}

fn codec() -> Codec {
    Codec::new(Limits::default())
}

fn server() -> Connection {
    Connection::new(Role::Server, None)
}

#[test]
fn an_endpoint_is_sixteen_bytes() {
    assert!(size_of::<Connection>() <= 16);
    assert!(size_of::<Partial>() <= 128);
}

#[test]
fn a_whole_frame_is_lent_from_the_input_and_nothing_is_held() {
    let mut bytes = sent(&[Frame::text("Hello")]);
    let payload = bytes[6..].as_ptr();
    let (mut connection, mut codec) = (server(), codec());
    let mut input = bytes.as_mut_slice();
    let event = connection.next_event(&mut input, &mut codec).unwrap();
    let Some(Event::Message(Message::Text(text))) = event else { panic!("{event:?}") };
    assert_eq!(text, "Hello");
    assert_eq!(text.as_ptr(), payload);
    assert_eq!(connection.held_bytes(), 0);
}

#[test]
fn what_is_partial_is_held_and_given_back_when_whole() {
    let bytes = sent(&[Frame::binary(&[7; 1000])]);
    let (mut connection, mut codec) = (server(), codec());
    for &byte in &bytes[..bytes.len() - 1] {
        assert_eq!(connection.next_event(&mut [byte].as_mut_slice(), &mut codec), Ok(None));
        assert!(connection.held_bytes() > 0);
    }
    let mut last = [bytes[bytes.len() - 1]];
    let event = connection.next_event(&mut last.as_mut_slice(), &mut codec);
    assert_eq!(event, Ok(Some(Event::Message(Message::Binary(&[7; 1000])))));
    assert_eq!(connection.held_bytes(), 0);
}

#[test]
fn a_promise_costs_nothing() {
    let (mut connection, mut codec) = (server(), codec());
    let mut promise = *b"\x82\xff\x00\x00\x00\x00\x00\x01\x00\x00\x01\x02\x03\x04x";
    assert_eq!(connection.next_event(&mut promise.as_mut_slice(), &mut codec), Ok(None));
    assert!(connection.held_bytes() < 256, "{} bytes", connection.held_bytes());
}

#[test]
fn after_our_close_only_the_peers_is_an_event() {
    let bye = Frame::close(Some(CloseCode::NORMAL), "");
    let mut bytes = sent(&[Frame::text("late"), Frame::ping(b"?"), bye, Frame::text("later")]);
    let (mut connection, mut codec) = (server(), codec());
    let close = connection.close(Some(CloseCode::GOING_AWAY), "draining");
    assert_eq!(close, Some(Frame::close(Some(CloseCode::GOING_AWAY), "draining")));
    assert_eq!(connection.state(), State::Closing);

    let mut input = bytes.as_mut_slice();
    let event = connection.next_event(&mut input, &mut codec).unwrap();
    let reason = CloseReason { code: CloseCode::NORMAL, reason: "" };
    assert_eq!(event, Some(Event::Close(Some(reason))));
    assert_eq!(connection.state(), State::Closed);
    assert_eq!(connection.close(None, ""), None);
    assert_eq!(connection.next_event(&mut input, &mut codec), Ok(None));
    assert!(input.is_empty());
}

#[test]
fn a_fault_ends_the_reading_and_leaves_our_close_due() {
    let (mut connection, mut codec) = (server(), codec());
    let mut bytes = *b"\x81\x00\x81\x80\x00\x00\x00\x00";
    let mut input = bytes.as_mut_slice();
    let fault = connection.next_event(&mut input, &mut codec).unwrap_err();
    assert_eq!(fault, Fault::Unmasked);
    assert_eq!(connection.state(), State::PeerClosed);
    assert_eq!(connection.next_event(&mut input, &mut codec), Ok(None));
    let close = connection.close(Some(fault.close_code()), fault.rule());
    assert_eq!(
        close,
        Some(Frame::close(Some(CloseCode::PROTOCOL), "a client must mask every frame"))
    );
    assert_eq!(connection.state(), State::Closed);
}

#[test]
fn a_fault_after_our_close_leaves_nothing_due() {
    let (mut connection, mut codec) = (server(), codec());
    assert!(connection.close(None, "").is_some());
    let mut bad = [0xff];
    let fault = connection.next_event(&mut bad.as_mut_slice(), &mut codec);
    assert_eq!(fault, Err(Fault::ReservedBit));
    assert_eq!(connection.state(), State::Closed);
}

#[test]
fn a_flood_of_tiny_fragments_is_one_buffer_and_a_count() {
    let (mut connection, mut codec) = (server(), codec());
    let mut first = *b"\x02\x81\x00\x00\x00\x00x";
    assert_eq!(connection.next_event(&mut first.as_mut_slice(), &mut codec), Ok(None));
    for fragments in 2.. {
        let mut fragment = *b"\x00\x81\x00\x00\x00\x00x";
        match connection.next_event(&mut fragment.as_mut_slice(), &mut codec) {
            Ok(event) => assert_eq!(event, None),
            Err(fault) => {
                assert_eq!((fault, fragments), (Fault::TooManyFragments, 1025));
                break;
            }
        }
        assert!(connection.held_bytes() <= 256 + 2 * fragments);
    }
    assert_eq!(connection.held_bytes(), 0);
}

/// Messages of as many fragments, each of 64 bytes and each with a start and an end that do not fit its own: the frames, and
/// what they come to.
fn in_fragments(count: usize) -> [(Opcode, bool, Vec<u8>); 3] {
    let bytes = 64 * count;
    let text = format!("{}{}", "€".repeat(bytes / 3), &"ab"[..bytes % 3]);
    // Blocks that are stored as they are, and the beginning of the empty one that RFC 7692 §7.2.1 takes the rest of.
    let block = [&[0, 59, 0, !59, !0][..], &[7; 59]].concat();
    let last = [&[0, 58, 0, !58, !0][..], &[7; 58], &[0]].concat();
    [
        (Opcode::Text, false, text.into_bytes()),
        (Opcode::Binary, false, vec![7; bytes]),
        (Opcode::Binary, true, [block.repeat(count - 1), last].concat()),
    ]
}

/// What it takes to put a message together that comes in fragments of 64 bytes.
fn work_of(opcode: Opcode, deflated: bool, payload: &[u8]) -> usize {
    let deflate = deflated.then_some(Deflate { sends_compressed: true });
    let mut connection = Connection::new(Role::Server, deflate);
    let mut codec = Codec::new(Limits::for_messages(1 << 20));
    let fragments = payload.chunks(64);
    let last = fragments.len() - 1;
    work::take();
    for (at, fragment) in fragments.enumerate() {
        let opcode = if at == 0 { opcode as u8 | u8::from(deflated) << 6 } else { 0 };
        let mut frame = vec![opcode | u8::from(at == last) << 7, 0x80 | 64, 0, 0, 0, 0];
        frame.extend_from_slice(fragment);
        let event = connection.next_event(&mut frame.as_mut_slice(), &mut codec).unwrap();
        assert_eq!(event.is_some(), at == last);
    }
    work::take()
}

#[test]
fn as_many_fragments_as_there_may_be_are_put_together_in_linear_time() {
    let most = Limits::for_messages(1 << 20).fragments_max as usize;
    assert_eq!(most, 16_384);
    for (few, many) in in_fragments(most / 4).into_iter().zip(in_fragments(most)) {
        let (opcode, deflated, payload) = few;
        let of_few = work_of(opcode, deflated, &payload);
        let of_many = work_of(opcode, deflated, &many.2);
        // Each byte is appended and looked at once, and moved once, on average, as the buffer doubles.
        assert!(of_few >= payload.len() && of_many <= 4 * many.2.len(), "{opcode:?}: {of_many}");
        assert!(of_many * 2 <= of_few * 9, "{opcode:?} {deflated}: {of_few}, {of_many}");
    }
}
