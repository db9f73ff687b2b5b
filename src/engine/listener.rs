//! The sockets that connections come from.
//!
//! Owns listening and accepting. It never decides who may stay: the engine does.
//!
//! Readiness is edge-triggered, so a listener that was left before it ran dry stays *ready* and is tried again in the
//! next turn. When the process is out of descriptors (or the kernel out of memory) all listeners *rest*: trying again at
//! once would only burn the processor, as level-triggered servers do. They are tried again when a connection of ours has
//! ended, or after a second in case it was somebody else who held the descriptors.
//!
//! Listeners take turns: a crowd at one of them keeps nobody at another waiting for longer than one accept.

use std::io::{self, ErrorKind};
use std::net::{TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::time::Instant;

use mio::{Interest, Registry, Token};

use super::socket::{Peer, Socket};
use crate::config;

#[derive(Debug, Default)]
pub(super) struct Listeners {
    /// The one that accepted last stands last.
    listeners: Vec<Listener>,
    /// Until when nothing is accepted, for want of descriptors.
    rest: Option<Instant>,
}

#[derive(Debug)]
struct Listener {
    socket: ListeningSocket,
    entrance: Entrance,
    ready: bool,
    /// Somebody else has it as well, who will accept from it when we do no more.
    shared: bool,
    /// See [`Engine::keep_places`](super::Engine::keep_places).
    keeps_places: bool,
}

/// Which listening socket a connection came through: they are told apart by the order in which the engine was given them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Entrance(u8);

#[derive(Debug)]
pub(super) enum ListeningSocket {
    Tcp(mio::net::TcpListener),
    Unix(mio::net::UnixListener),
}

/// What trying to accept brought.
#[derive(Debug)]
pub(super) enum Accepted {
    Connection(Socket, Peer, Entrance),
    /// Nobody is waiting.
    Nobody,
    /// Out of descriptors, or of kernel memory: for the first time since all went well when `first`.
    Starved {
        error: io::Error,
        first: bool,
    },
}

/// The waker's token; listeners follow. All of generation 0, which no connection has.
pub(super) const WAKER: Token = Token(0);
const FIRST_LISTENER: usize = 1;

impl Listeners {
    pub(super) fn add(
        &mut self,
        mut socket: ListeningSocket,
        registry: &Registry,
    ) -> io::Result<Entrance> {
        let too_many = |_| io::Error::other("more than 256 sockets to listen on");
        let entrance = Entrance(u8::try_from(self.listeners.len()).map_err(too_many)?);
        let token = Token(FIRST_LISTENER + self.listeners.len());
        match &mut socket {
            ListeningSocket::Tcp(socket) => registry.register(socket, token, Interest::READABLE)?,
            ListeningSocket::Unix(socket) => {
                registry.register(socket, token, Interest::READABLE)?
            }
        }
        self.listeners.push(Listener {
            socket,
            entrance,
            ready: true,
            shared: false,
            keeps_places: false,
        });
        Ok(entrance)
    }

    /// See [`Engine::share`](super::Engine::share).
    pub(super) fn share(&mut self, entrance: Entrance) {
        if let Some(listener) = self.find(entrance.0.into()) {
            listener.shared = true;
        }
    }

    /// See [`Engine::keep_places`](super::Engine::keep_places).
    pub(super) fn keep_places(&mut self, entrance: Entrance) {
        if let Some(listener) = self.find(entrance.0.into()) {
            listener.keeps_places = true;
        }
    }

    /// Whether some are let in there in any case.
    pub(super) fn keeps_places(&mut self, entrance: Entrance) -> bool {
        self.find(entrance.0.into()).is_some_and(|listener| listener.keeps_places)
    }

    /// Notes that somebody may be waiting at the listener with this token.
    pub(super) fn note_ready(&mut self, token: Token) {
        if let Some(listener) = self.find(token.0 - FIRST_LISTENER) {
            listener.ready = true;
        }
    }

    fn find(&mut self, entrance: usize) -> Option<&mut Listener> {
        self.listeners.iter_mut().find(|listener| usize::from(listener.entrance.0) == entrance)
    }

    /// When to try again: at once while somebody may be waiting, after the rest while there is one.
    pub(super) fn retry_at(&self, now: Instant) -> Option<Instant> {
        let ready = self.listeners.iter().any(|listener| listener.ready);
        ready.then(|| self.rest.unwrap_or(now))
    }

    /// A descriptor of ours is free again.
    pub(super) fn end_rest(&mut self) {
        if self.rest.is_some() {
            self.rest = Some(Instant::now());
        }
    }

    pub(super) fn accept(&mut self, now: Instant) -> Accepted {
        if self.rest.is_some_and(|until| now < until) {
            return Accepted::Nobody;
        }
        while let Some(position) = self.listeners.iter().position(|listener| listener.ready) {
            let listener = &mut self.listeners[position];
            match listener.socket.accept() {
                Ok((socket, peer)) => {
                    let entrance = listener.entrance;
                    self.listeners[position..].rotate_left(1);
                    self.rest = None;
                    return Accepted::Connection(socket, peer, entrance);
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => listener.ready = false,
                Err(e) if is_about_one_peer(&e) => {}
                Err(error) => {
                    let first = self.rest.is_none();
                    self.rest = Some(now + config::ACCEPT_REST);
                    return Accepted::Starved { error, first };
                }
            }
        }
        Accepted::Nobody
    }

    /// Leaves to others what is theirs as well: who waits there is theirs.
    /// Whether there were any.
    pub(super) fn close_shared(&mut self) -> bool {
        let before = self.listeners.len();
        self.listeners.retain(|listener| !listener.shared);
        self.listeners.len() < before
    }

    /// Stops listening: the sockets are closed.
    pub(super) fn close(&mut self) {
        self.listeners.clear();
        self.rest = None;
    }
}

impl ListeningSocket {
    fn accept(&self) -> io::Result<(Socket, Peer)> {
        match self {
            ListeningSocket::Tcp(listener) => {
                let (stream, address) = listener.accept()?;
                if !INHERITS_NODELAY {
                    // A peer that has gone already makes this fail; reading finds that out.
                    let _ = stream.set_nodelay(true);
                }
                Ok((Socket::Tcp(stream), Peer::Tcp(address)))
            }
            ListeningSocket::Unix(listener) => {
                let (stream, _) = listener.accept()?;
                Ok((Socket::Unix(stream), Peer::Unix))
            }
        }
    }
}

/// Sends each frame at once: frames are small and each is complete, so that holding one back for more (RFC 896) would only
/// add latency. Set on the listening socket, because what Linux accepts from it inherits the option: one system call less
/// for each connection.
///
/// # Errors
/// When the kernel refuses the option.
pub(super) fn set_nodelay(listener: TcpListener) -> io::Result<TcpListener> {
    // The standard library has the option on streams alone; to the kernel a socket is a socket.
    let stream = TcpStream::from(OwnedFd::from(listener));
    stream.set_nodelay(true)?;
    Ok(TcpListener::from(OwnedFd::from(stream)))
}

const INHERITS_NODELAY: bool = cfg!(target_os = "linux");

/// Errors of accept(2) that speak of a connection that broke while it waited, and not of this process.
fn is_about_one_peer(error: &io::Error) -> bool {
    use ErrorKind::{
        ConnectionAborted, ConnectionReset, HostUnreachable, Interrupted, NetworkDown,
        NetworkUnreachable, NotConnected, TimedOut,
    };
    matches!(
        error.kind(),
        ConnectionAborted
            | ConnectionReset
            | HostUnreachable
            | Interrupted
            | NetworkDown
            | NetworkUnreachable
            | NotConnected
            | TimedOut
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_crowd_at_one_keeps_nobody_at_another_waiting() {
        let poll = mio::Poll::new().unwrap();
        let mut listeners = Listeners::default();
        let mut clients = Vec::new();
        for crowd in [0, 5, 1, 5] {
            let listener = TcpListener::bind("127.0.0.1:0").unwrap();
            listener.set_nonblocking(true).unwrap();
            let address = listener.local_addr().unwrap();
            clients.extend((0..crowd).map(|_| TcpStream::connect(address).unwrap()));
            let listener = ListeningSocket::Tcp(mio::net::TcpListener::from_std(listener));
            listeners.add(listener, poll.registry()).unwrap();
        }
        let now = Instant::now();
        let order: Vec<u8> = std::iter::from_fn(|| match listeners.accept(now) {
            Accepted::Connection(_, _, entrance) => Some(entrance.0),
            Accepted::Nobody | Accepted::Starved { .. } => None,
        })
        .collect();
        assert_eq!(order, [1, 2, 3, 1, 3, 1, 3, 1, 3, 1, 3]);
    }
}
