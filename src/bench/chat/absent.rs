//! Somebody who talks in the lobby while nobody listens.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bench::fleet::LOBBY;
use crate::bench::target::Target;
use crate::bench::{Failure, random};
use crate::http;
use crate::ws::handshake::client::{ClientHandshake, Opening};
use crate::ws::{Codec, Connection, Event, Frame, Limits, Message, Role};

/// Posts so often, and waits until all of it is acknowledged.
pub(super) fn say(target: &Target, posts: u32, patience: Duration) -> Result<(), Failure> {
    let failed = |e: std::io::Error| Failure::new(format!("{target}: nobody could post: {e}"));
    let mut speaker = Speaker::connect(target, Instant::now() + patience).map_err(failed)?;
    for id in 1..=posts {
        let request =
            json!({ "type": "post", "id": id, "room": LOBBY, "body": format!("missed {id}") });
        speaker.ask(&request).map_err(failed)?;
    }
    Ok(())
}

struct Speaker {
    stream: TcpStream,
    connection: Connection,
    codec: Codec,
    deadline: Instant,
}

impl Speaker {
    fn connect(target: &Target, deadline: Instant) -> std::io::Result<Self> {
        let opening = Opening {
            target: &target.path,
            subprotocols: &["wsrelay.v1"],
            ..Opening::at(&target.host)
        };
        let mut handshake = ClientHandshake::new(key(), &opening).map_err(std::io::Error::other)?;
        let mut stream = TcpStream::connect(target.address)?;
        stream.set_read_timeout(Some(deadline.saturating_duration_since(Instant::now())))?;
        stream.write_all(handshake.request())?;
        loop {
            // A byte at a time, so that nothing of what follows is taken with it.
            let mut byte = [0];
            stream.read_exact(&mut byte)?;
            let verified = handshake.verify(&mut &byte[..], &http::Limits::default());
            if verified.map_err(std::io::Error::other)?.is_some() {
                break;
            }
        }
        let connection = Connection::new(Role::Client, None);
        Ok(Self { stream, connection, codec: Codec::new(Limits::for_messages(1 << 20)), deadline })
    }

    /// Sends a request, and waits for its `ok`.
    fn ask(&mut self, request: &Value) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        Frame::text(&request.to_string()).append_masked(mask(), &mut bytes);
        self.stream.write_all(&bytes)?;
        let mut received = vec![0; 64 * 1024];
        while Instant::now() < self.deadline {
            let count = self.stream.read(&mut received)?;
            if count == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let mut input = &mut received[..count];
            let mut is_answered = false;
            while let Some(event) = self
                .connection
                .next_event(&mut input, &mut self.codec)
                .map_err(|fault| std::io::Error::other(fault.to_string()))?
            {
                is_answered |= is_answer(&event, &request["id"])?;
            }
            if is_answered {
                return Ok(());
            }
        }
        Err(ErrorKind::TimedOut.into())
    }
}

fn is_answer(event: &Event<'_>, id: &Value) -> std::io::Result<bool> {
    let Event::Message(Message::Text(text)) = event else { return Ok(false) };
    let told: Value = serde_json::from_str(text)?;
    if told["id"] != *id {
        return Ok(false);
    }
    match told["type"] == "ok" {
        true => Ok(true),
        false => Err(std::io::Error::other(told.to_string())),
    }
}

fn key() -> [u8; 16] {
    let (a, b) = (random().to_ne_bytes(), random().to_ne_bytes());
    std::array::from_fn(|at| if at < 8 { a[at] } else { b[at - 8] })
}

fn mask() -> [u8; 4] {
    let [a, b, c, d, ..] = random().to_ne_bytes();
    [a, b, c, d]
}
