//! The sockets of connections: TCP and Unix, as one.
//!
//! Owns the differences between the two. It knows nothing of what is said over them.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::net::{Shutdown, SocketAddr};

use mio::net::{TcpStream, UnixStream};

/// True when a call is to be tried again later rather than given up.
pub(super) fn would_wait(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted)
}

/// Who is at the other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Peer {
    /// Over TCP, from this address and port.
    Tcp(SocketAddr),
    /// Over a Unix socket; most clients of one have no name.
    Unix,
}

impl std::fmt::Display for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Peer::Tcp(address) => address.fmt(f),
            Peer::Unix => f.write_str("unix"),
        }
    }
}

/// A stream socket of either kind.
#[derive(Debug)]
pub(super) enum Socket {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Socket {
    pub(super) fn source<T>(
        &mut self,
        with: impl FnOnce(&mut dyn mio::event::Source) -> io::Result<T>,
    ) -> io::Result<T> {
        match self {
            Socket::Tcp(stream) => with(stream),
            Socket::Unix(stream) => with(stream),
        }
    }

    /// Who is at the other end, for the log alone: the kernel is asked.
    pub(super) fn peer(&self) -> Peer {
        match self {
            Socket::Tcp(stream) => stream.peer_addr().map_or(Peer::Unix, Peer::Tcp),
            Socket::Unix(_) => Peer::Unix,
        }
    }

    /// False when the connection is known to be broken.
    pub(super) fn is_sound(&self) -> bool {
        let error = match self {
            Socket::Tcp(stream) => stream.take_error(),
            Socket::Unix(stream) => stream.take_error(),
        };
        matches!(error, Ok(None))
    }

    /// Ends our direction: the peer reads to the end of what was sent.
    pub(super) fn end_writing(&self) {
        // Fails only when the peer has gone, and then there is nobody to tell.
        let _ = match self {
            Socket::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Socket::Unix(stream) => stream.shutdown(Shutdown::Write),
        };
    }
}

impl Read for Socket {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.read(buffer),
            Socket::Unix(stream) => stream.read(buffer),
        }
    }
}

impl Write for Socket {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write(bytes),
            Socket::Unix(stream) => stream.write(bytes),
        }
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Socket::Tcp(stream) => stream.write_vectored(slices),
            Socket::Unix(stream) => stream.write_vectored(slices),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
