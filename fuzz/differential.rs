//! The same bytes, read by us and by tungstenite, an implementation we share nothing with: both see
//! the same messages, and both fail the connection or neither does.
//!
//! It stands here and not among the crate's properties so that tungstenite is no dependency of the
//! crate.
//!
//! Where the two are known to differ:
//! - A length that is not minimal fails here, as §5.2 has it, and passes there. In a control frame it
//!   fails here as too long, which is all that its second byte shows.
//! - A close code that must not be sent fails here, and there is taken for a close with 1002, as is
//!   1014, which the registry has added since.
//! - Rules are checked here as soon as their byte is there, and there when the frame is whole. So
//!   both are sent zeros at the end, for any frame that is begun to become whole.
//! - There is no limit there on the number of fragments, so there is none here.

use std::io::{self, Read, Write};

use tungstenite::protocol::{self, WebSocket, WebSocketConfig};
use wsrelay::oracle::ws::{Endpoint, Reader, Seen};
use wsrelay::ws::{CloseCode, Fault, Limits, Role};

/// Both see the same in `data`, whose first byte says in which role.
pub(crate) fn agrees_with_tungstenite(data: &[u8]) {
    let [role, data @ ..] = data else { return };
    compare([Role::Server, Role::Client][usize::from(role & 1)], data);
}

/// Both see the same in these frames: so many events, and then a fault or none.
pub(crate) fn compare(role: Role, data: &[u8]) -> (usize, bool) {
    let bytes = [data, &[0; 2 * BYTES_MAX]].concat();
    let (theirs, failed) = read_theirs(role, &bytes);
    let (ours, fault) = read_ours(role, bytes);
    let seen = (ours.len(), fault.is_some());
    match fault {
        Some(Fault::LengthNotMinimal | Fault::LongControl) => {
            assert!(theirs.starts_with(&ours), "{theirs:?} before a long length, here {ours:?}");
        }
        // Of a bad code and a bad reason, they fail for the reason.
        Some(Fault::InvalidCloseCode) if failed => assert_eq!(theirs, ours),
        Some(Fault::InvalidCloseCode) => {
            assert_eq!(theirs, [ours, vec![protocol_violation()]].concat());
        }
        _ => assert_eq!((theirs, failed), (ours, fault.is_some()), "our fault is {fault:?}"),
    }
    seen
}

fn read_ours(role: Role, mut bytes: Vec<u8>) -> (Vec<Seen>, Option<Fault>) {
    let limits = Limits {
        frame_payload_bytes_max: BYTES_MAX as u64,
        message_bytes_max: BYTES_MAX,
        fragments_max: u32::MAX,
    };
    let mut seen = Vec::new();
    Reader::new(role, false, limits).read(&mut bytes, &mut seen);
    match seen.last() {
        Some(&Seen::Fault(fault)) => {
            seen.pop();
            (seen, Some(fault))
        }
        Some(Seen::Close(Some((code, _)))) if code.value() == 1014 => {
            seen.pop();
            seen.push(protocol_violation());
            (seen, None)
        }
        _ => (seen, None),
    }
}

fn read_theirs(role: Role, bytes: &[u8]) -> (Vec<Seen>, bool) {
    let role = match role {
        Role::Server => protocol::Role::Server,
        Role::Client => protocol::Role::Client,
    };
    // Their buffer's default, 128 KiB, is more to clear than there is to read.
    let config = WebSocketConfig::default()
        .read_buffer_size(4 * BYTES_MAX)
        .max_frame_size(Some(BYTES_MAX))
        .max_message_size(Some(BYTES_MAX));
    let mut socket = WebSocket::from_raw_socket(Wire(io::Cursor::new(bytes)), role, Some(config));
    let mut seen = Vec::new();
    loop {
        match socket.read() {
            Ok(message) => seen.push(as_seen(message)),
            Err(tungstenite::Error::Protocol(
                tungstenite::error::ProtocolError::ResetWithoutClosingHandshake,
            )) => return (seen, false),
            Err(_) => return (seen, true),
        }
        if let Some(Seen::Close(_)) = seen.last() {
            return (seen, false);
        }
    }
}

fn as_seen(message: tungstenite::Message) -> Seen {
    match message {
        tungstenite::Message::Text(text) => Seen::Text(text.as_str().to_owned()),
        tungstenite::Message::Binary(bytes) => Seen::Binary(bytes.to_vec()),
        tungstenite::Message::Ping(payload) => Seen::Ping(payload.to_vec()),
        tungstenite::Message::Pong(payload) => Seen::Pong(payload.to_vec()),
        tungstenite::Message::Close(close) => Seen::Close(close.map(|close| {
            let code = CloseCode::new(close.code.into()).expect("they let a bad code pass");
            (code, close.reason.as_str().to_owned())
        })),
        tungstenite::Message::Frame(_) => unreachable!("frames are written, not read"),
    }
}

/// What they see in place of a close code that they do not know.
fn protocol_violation() -> Seen {
    Seen::Close(Some((CloseCode::PROTOCOL, "Protocol violation".to_owned())))
}

/// A connection that has delivered all it will, and takes whatever is written.
struct Wire<'a>(io::Cursor<&'a [u8]>);

impl Read for Wire<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The limit of a frame and of a message, on both sides.
const BYTES_MAX: usize = 300;
