//! One connection of the load: a socket, how far it has come, and what it could not send yet.

use std::io::{self, ErrorKind, Write};

use mio::net::TcpStream;

use crate::ws::handshake::client::ClientHandshake;
use crate::ws::{CloseReason, Connection};

#[derive(Debug)]
pub(super) struct Member {
    /// Its number in the whole fleet.
    pub(super) number: u32,
    pub(super) phase: Phase,
    /// What the kernel did not take.
    #[expect(clippy::box_collection, reason = "one word in the many connections that have none")]
    unsent: Option<Box<Vec<u8>>>,
    pub(super) is_greeted: bool,
}

#[derive(Debug)]
pub(super) enum Phase {
    /// Not connected, or no longer.
    Absent,
    Opening(Box<Opening>),
    Open(TcpStream, Connection),
}

/// A connection on its way to being open.
#[derive(Debug)]
pub(super) struct Opening {
    pub(super) stream: TcpStream,
    pub(super) handshake: ClientHandshake,
    pub(super) is_asked: bool,
    pub(super) began_ns: u64,
}

impl Member {
    pub(super) fn new(number: u32) -> Self {
        Self { number, phase: Phase::Absent, unsent: None, is_greeted: false }
    }

    pub(super) fn hang_up(&mut self) {
        self.phase = Phase::Absent;
        self.unsent = None;
    }

    /// Sends, or keeps what cannot be sent now. Nothing on a connection that is not open.
    ///
    /// # Errors
    /// What the socket says; the connection is lost.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        let Phase::Open(stream, _) = &mut self.phase else { return Ok(()) };
        if let Some(unsent) = &mut self.unsent {
            unsent.extend_from_slice(bytes);
            return Ok(());
        }
        let sent = write(stream, bytes)?;
        if sent < bytes.len() {
            self.unsent = Some(Box::new(bytes[sent..].to_vec()));
        }
        Ok(())
    }

    /// Sends what was kept.
    ///
    /// # Errors
    /// What the socket says; the connection is lost.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        let Phase::Open(stream, _) = &mut self.phase else { return Ok(()) };
        let Some(unsent) = &mut self.unsent else { return Ok(()) };
        let sent = write(stream, unsent)?;
        unsent.drain(..sent);
        if unsent.is_empty() {
            self.unsent = None;
        }
        Ok(())
    }
}

/// Writes until the kernel takes no more.
fn write(stream: &mut TcpStream, bytes: &[u8]) -> io::Result<usize> {
    let mut sent = 0;
    while sent < bytes.len() {
        match stream.write(&bytes[sent..]) {
            Ok(more) => sent += more,
            Err(e) if e.kind() == ErrorKind::WouldBlock => break,
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    Ok(sent)
}

/// How a server ended a connection, as the rest of a sentence that begins with its name.
#[derive(Debug)]
pub(super) enum Ended {
    Closed(String),
    Cut,
    Broken(String),
}

impl Ended {
    pub(super) fn by_close(reason: Option<CloseReason<'_>>) -> Self {
        Self::Closed(match reason {
            Some(CloseReason { code, reason }) => format!("{} {reason}", code.value()),
            None => "no code".to_owned(),
        })
    }

    pub(super) fn by_error(error: &io::Error) -> Self {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe => Self::Cut,
            _ => Self::Broken(error.to_string()),
        }
    }
}

impl std::fmt::Display for Ended {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Ended::Closed(how) => write!(f, "closed a connection ({})", how.trim_end()),
            Ended::Cut => f.write_str("cut a connection without a closing handshake"),
            Ended::Broken(how) => write!(f, "failed on a connection: {how}"),
        }
    }
}
