//! One request, or one WebSocket, as a client: no more of either protocol than is needed to look.

use std::io::{self, ErrorKind, Read, Write};
use std::time::{Duration, Instant};

use super::link::Link;
use crate::http;
use crate::ws::handshake::client::{ClientHandshake, Opening, ServerFault};
use crate::ws::{Codec, Connection, Event, Frame, Limits, Message, Role};

/// An answer to a request.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Names in lower case.
    fields: Vec<(String, String)>,
    pub(super) body: String,
}

impl Answer {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let field = self.fields.iter().find(|(known, _)| known == name);
        field.map(|(_, value)| value.as_str())
    }

    /// True for an error that this kind of daemon makes, and not a proxy before it.
    pub(super) fn is_ours(&self) -> bool {
        self.body.starts_with("{\"error\":{\"code\":\"")
    }
}

/// Asks for something, with a body if there is one; the connection ends with it.
pub(super) fn ask(
    mut link: Link,
    head: &str,
    host: &str,
    body: &str,
    patience: Duration,
) -> io::Result<Answer> {
    let length = body.len();
    let content = match length {
        0 => String::new(),
        _ => format!("Content-Type: application/json\r\nContent-Length: {length}\r\n"),
    };
    let request =
        format!("{head} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{content}\r\n{body}");
    // Who refuses from the head alone may close before it has taken all of the body.
    let sent = link.write_all(request.as_bytes()).and_then(|()| link.flush());
    let answer = read_to_end(&mut link, patience).and_then(|bytes| parse(&bytes));
    match (answer, sent) {
        (Err(_), Err(e)) => Err(e),
        (answer, _) => answer,
    }
}

fn read_to_end(link: &mut Link, patience: Duration) -> io::Result<Vec<u8>> {
    let until = Instant::now() + patience;
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 16 * 1024];
    while bytes.len() < ANSWER_BYTES_MAX {
        link.set_patience(until.saturating_duration_since(Instant::now()))?;
        match link.read(&mut buffer) {
            Ok(0) => break,
            Ok(received) => bytes.extend_from_slice(&buffer[..received]),
            // Proxies end TLS without saying so.
            Err(e) if e.kind() == ErrorKind::UnexpectedEof || is_reset(&e) => break,
            Err(e) => return Err(e),
        }
    }
    Ok(bytes)
}

fn is_reset(error: &io::Error) -> bool {
    error.kind() == ErrorKind::ConnectionReset
}

fn parse(bytes: &[u8]) -> io::Result<Answer> {
    let mut fields = [httparse::EMPTY_HEADER; 100];
    let mut response = httparse::Response::new(&mut fields);
    let not_http = || io::Error::new(ErrorKind::InvalidData, "the answer is not HTTP");
    let Ok(httparse::Status::Complete(end)) = response.parse(bytes) else { return Err(not_http()) };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let status = response.code.ok_or_else(not_http)?;
    let fields =
        response.headers.iter().map(|f| (f.name.to_ascii_lowercase(), text(f.value))).collect();
    Ok(Answer { status, fields, body: text(&bytes[end..]) })
}

/// An answer whose head is there: with its body, which tells whose it is. The connection may be kept, and so has no end.
fn rest_of_answer(mut link: Link, mut seen: Vec<u8>) -> io::Result<Answer> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let answer = parse(&seen)?;
        let length = answer.field("content-length").and_then(|length| length.parse().ok());
        if length.is_some_and(|length: usize| answer.body.len() >= length) {
            return Ok(answer);
        }
        match link.read(&mut buffer) {
            Ok(received) if received > 0 && seen.len() < ANSWER_BYTES_MAX => {
                seen.extend_from_slice(&buffer[..received]);
            }
            _ => return Ok(answer),
        }
    }
}

/// An open WebSocket.
pub(super) struct Socket {
    link: Link,
    connection: Connection,
    codec: Codec,
    /// Read and not looked at yet.
    input: Vec<u8>,
    pub(super) deflates: bool,
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum NoSocket {
    /// An answer, but no WebSocket.
    Answer(Answer),
    /// It breaks a rule.
    Fault(ServerFault),
    Io(io::Error),
}

/// What comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    Text(String),
    Binary(usize),
    Ping(Vec<u8>),
    Pong(Vec<u8>),
    Close(Option<u16>),
    /// The stream ended without a word.
    Lost,
    /// Nothing, for as long as was waited.
    Nothing,
}

impl Socket {
    pub(super) fn open(
        mut link: Link,
        opening: &Opening<'_>,
        patience: Duration,
    ) -> Result<Self, NoSocket> {
        let io = NoSocket::Io;
        let mut key = [0; 16];
        getrandom::fill(&mut key).map_err(|e| io(e.into()))?;
        let handshake = ClientHandshake::new(key, opening);
        let mut handshake =
            handshake.map_err(|e| io(io::Error::new(ErrorKind::InvalidInput, e)))?;
        link.write_all(handshake.request()).and_then(|()| link.flush()).map_err(io)?;
        link.set_patience(patience).map_err(io)?;
        let (mut seen, mut buffer) = (Vec::new(), vec![0; 16 * 1024]);
        loop {
            let received = link.read(&mut buffer).map_err(io)?;
            if received == 0 {
                return Err(io(ErrorKind::UnexpectedEof.into()));
            }
            seen.extend_from_slice(&buffer[..received]);
            let mut input = &buffer[..received];
            match handshake.verify(&mut input, &http::Limits::default()) {
                Ok(None) => {}
                Ok(Some(agreed)) => {
                    return Ok(Self {
                        link,
                        deflates: agreed.deflate.is_some(),
                        connection: Connection::new(Role::Client, agreed.deflate),
                        codec: Codec::new(Limits::for_messages(MESSAGE_BYTES_MAX)),
                        input: input.to_vec(),
                    });
                }
                Err(ServerFault::Status(_)) => {
                    return Err(rest_of_answer(link, seen).map_or_else(io, NoSocket::Answer));
                }
                Err(fault) => return Err(NoSocket::Fault(fault)),
            }
        }
    }

    pub(super) fn send(&mut self, frame: &Frame) -> io::Result<()> {
        let mut key = [0; 4];
        getrandom::fill(&mut key)?;
        let mut bytes = Vec::new();
        frame.append_masked(key, &mut bytes);
        self.link.write_all(&bytes)?;
        self.link.flush()
    }

    /// What comes next, within this time. A ping is answered.
    pub(super) fn hear(&mut self, wait: Duration) -> Heard {
        let until = Instant::now() + wait;
        let mut buffer = vec![0; 64 * 1024];
        loop {
            if let Some(heard) = self.next() {
                return match &heard {
                    Heard::Ping(payload) if self.send(&Frame::pong(payload)).is_err() => {
                        Heard::Lost
                    }
                    _ => heard,
                };
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Heard::Nothing;
            }
            match self.link.set_patience(left).and_then(|()| self.link.read(&mut buffer)) {
                Ok(0) => return Heard::Lost,
                Ok(received) => self.input.extend_from_slice(&buffer[..received]),
                Err(e) if matches!(e.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Heard::Lost,
            }
        }
    }

    fn next(&mut self) -> Option<Heard> {
        let mut rest = &mut self.input[..];
        let event = self.connection.next_event(&mut rest, &mut self.codec);
        let heard = match event {
            Ok(None) => None,
            Ok(Some(Event::Message(Message::Text(text)))) => Some(Heard::Text(text.to_owned())),
            Ok(Some(Event::Message(Message::Binary(bytes)))) => Some(Heard::Binary(bytes.len())),
            Ok(Some(Event::Ping(payload))) => Some(Heard::Ping(payload.to_vec())),
            Ok(Some(Event::Pong(payload))) => Some(Heard::Pong(payload.to_vec())),
            Ok(Some(Event::Close(close))) => Some(Heard::Close(close.map(|c| c.code.value()))),
            Err(_) => Some(Heard::Lost),
        };
        let left = rest.len();
        let used = self.input.len() - left;
        self.input.drain(..used);
        heard
    }
}

/// More than the largest page, and than what a stranger may make us keep.
const ANSWER_BYTES_MAX: usize = 1024 * 1024;
/// The largest message that `--max-message` allows.
const MESSAGE_BYTES_MAX: usize = 1 << 30;
