//! Every rule of RFC 6455 §5, §7 and §8 and of RFC 7692 §6 and §7.2 as a row of a table: who reads
//! which bytes, what it sees, and what it sends back.
//!
//! Each row is run whole, byte by byte, and with more bytes behind it, which must change nothing but
//! to be seen after it, or to be ignored if the row ended the connection.
//!
//! In the rows a server is sent frames with the key 00 00 00 00, where masking is not the point: so
//! that they can be read.

mod closing;
mod deflate;
mod framing;
mod limits;
mod text;

use wsrelay::oracle::ws::Seen;
use wsrelay::ws::{
    CloseCode, Codec, Connection, Deflate, Event, Fault, Frame, Limits, Role, State,
};

/// One rule, or one case of it.
struct Row {
    section: &'static str,
    name: &'static str,
    role: Role,
    deflate: bool,
    /// Whether this endpoint closed before it read.
    closing: bool,
    bytes: Vec<u8>,
    events: Vec<Seen>,
    fault: Option<(Fault, u16)>,
    /// What it sends back, as a server would: pongs, and its close if one was due.
    output: Vec<Frame>,
}

/// A row for a server. Its bytes are those a client sends.
fn server(section: &'static str, name: &'static str, bytes: impl Into<Vec<u8>>) -> Row {
    let (events, output) = (Vec::new(), Vec::new());
    let (role, bytes) = (Role::Server, bytes.into());
    Row { section, name, role, deflate: false, closing: false, bytes, events, fault: None, output }
}

/// A row for a client. Its bytes are those a server sends.
fn client(section: &'static str, name: &'static str, bytes: impl Into<Vec<u8>>) -> Row {
    Row { role: Role::Client, ..server(section, name, bytes) }
}

impl Row {
    /// permessage-deflate was agreed on.
    fn deflating(self) -> Row {
        Row { deflate: true, ..self }
    }

    /// This endpoint has sent its close.
    fn closing(self) -> Row {
        Row { closing: true, ..self }
    }

    fn text(self, text: &str) -> Row {
        self.sees(Seen::Text(text.to_owned()))
    }

    fn binary(self, bytes: &[u8]) -> Row {
        self.sees(Seen::Binary(bytes.to_owned()))
    }

    /// A ping is seen, and answered with the same payload.
    fn ping(mut self, payload: &[u8]) -> Row {
        self.output.push(Frame::pong(payload));
        self.sees(Seen::Ping(payload.to_owned()))
    }

    fn pong(self, payload: &[u8]) -> Row {
        self.sees(Seen::Pong(payload.to_owned()))
    }

    /// A close is seen and, unless this endpoint closed first, answered with the same code.
    fn close(mut self, code: u16, reason: &str) -> Row {
        let code = CloseCode::new(code).expect("a row's code is one that can be received");
        if !self.closing {
            self.output.push(Frame::close(Some(code), ""));
        }
        self.sees(Seen::Close(Some((code, reason.to_owned()))))
    }

    /// As [`Row::close`], but no code is given.
    fn close_without_code(mut self) -> Row {
        self.output.push(Frame::close(None, ""));
        self.sees(Seen::Close(None))
    }

    /// The connection fails, with this code.
    fn fails(mut self, fault: Fault, code: u16) -> Row {
        if !self.closing {
            self.output.push(Frame::close(CloseCode::new(code), fault.rule()));
        }
        self.fault = Some((fault, code));
        self
    }

    fn sees(mut self, event: Seen) -> Row {
        self.events.push(event);
        self
    }

    fn run(&self) {
        self.expect("whole", [self.bytes.clone()], &[], &[]);
        self.expect("byte by byte", self.bytes.chunks(1).map(<[u8]>::to_vec), &[], &[]);
        self.run_with_trailing_bytes();
    }

    fn run_with_trailing_bytes(&self) {
        let ended = self.fault.is_some() || matches!(self.events.last(), Some(Seen::Close(_)));
        let ping: &[u8] = match self.role {
            Role::Server => b"\x89\x83\0\0\0\0end",
            Role::Client => b"\x89\x03end",
        };
        let (seen, sent) = (Seen::Ping(b"end".to_vec()), Frame::pong(b"end"));
        let pieces = [[self.bytes.as_slice(), ping].concat()];
        if ended || self.closing {
            self.expect("with trailing bytes, to be ignored", pieces, &[], &[]);
        } else {
            self.expect("with a ping behind it", pieces, &[seen], &[sent]);
        }
    }

    /// Runs an endpoint over the pieces and compares all that it does.
    fn expect(
        &self,
        how: &str,
        pieces: impl IntoIterator<Item = Vec<u8>>,
        more_events: &[Seen],
        more_output: &[Frame],
    ) {
        let what = format!("{} {} ({:?}, {how})", self.section, self.name, self.role);
        let mut endpoint = Endpoint::new(self);
        for piece in pieces {
            endpoint.receive(piece);
        }
        let events = [self.events.as_slice(), more_events].concat();
        assert_eq!(endpoint.events, events, "{what}: events");
        let fault = endpoint.fault.map(|fault| (fault, fault.close_code().value()));
        assert_eq!(fault, self.fault, "{what}: fault");
        let output = [self.output.as_slice(), more_output].concat();
        assert_eq!(endpoint.output, output, "{what}: output");
        assert_eq!(endpoint.connection.held_bytes(), 0, "{what}: memory was kept");
    }
}

/// An endpoint that answers as the RFC has it: pings with pongs, a close or a fault with a close.
struct Endpoint {
    connection: Connection,
    codec: Codec,
    events: Vec<Seen>,
    fault: Option<Fault>,
    output: Vec<Frame>,
}

impl Endpoint {
    fn new(row: &Row) -> Endpoint {
        let deflate = row.deflate.then_some(Deflate { sends_compressed: true });
        let mut connection = Connection::new(row.role, deflate);
        if row.closing {
            assert!(connection.close(Some(CloseCode::NORMAL), "").is_some());
        }
        let codec = Codec::new(LIMITS);
        Endpoint { connection, codec, events: Vec::new(), fault: None, output: Vec::new() }
    }

    fn receive(&mut self, mut piece: Vec<u8>) {
        let mut input = piece.as_mut_slice();
        loop {
            match self.connection.next_event(&mut input, &mut self.codec) {
                Ok(None) => break,
                Ok(Some(event)) => {
                    self.events.push(Seen::from(event));
                    match event {
                        Event::Ping(payload) => self.output.push(Frame::pong(payload)),
                        Event::Close(close) => {
                            let code = close.map(|close| close.code);
                            self.output.extend(self.connection.close(code, ""));
                            assert_eq!(self.connection.state(), State::Closed);
                        }
                        Event::Message(_) | Event::Pong(_) => {}
                    }
                }
                Err(fault) => {
                    self.fault = Some(fault);
                    let close = self.connection.close(Some(fault.close_code()), fault.rule());
                    self.output.extend(close);
                    assert_eq!(self.connection.state(), State::Closed);
                }
            }
        }
        assert!(input.is_empty(), "input was left over");
    }
}

/// Fragments are few enough to write down, and messages longer than any 16-bit length.
const LIMITS: Limits =
    Limits { frame_payload_bytes_max: 70_000, message_bytes_max: 80_000, fragments_max: 8 };
