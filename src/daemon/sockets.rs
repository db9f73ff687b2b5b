//! The sockets that the daemon listens on.
//!
//! Owns how they are made: a backlog as long as the kernel allows, so that a crowd that reconnects at once waits in line
//! instead of being dropped; and a Unix socket's file, which a killed process leaves behind and a new one replaces.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use socket2::{Domain, Protocol, Socket, Type};

use crate::cli::ListenAddr;
use crate::engine::Engine;

/// What is listened on. Unix sockets' files go when this does.
#[derive(Debug, Default)]
pub(super) struct Bound {
    tcp: Vec<SocketAddr>,
    unix: Vec<PathBuf>,
}

impl Bound {
    /// Lets the engine accept from all of `addresses`.
    pub(super) fn listen(addresses: &[ListenAddr], engine: &mut Engine) -> io::Result<Self> {
        let mut bound = Self::default();
        for address in addresses {
            match address {
                ListenAddr::Tcp(addresses) => {
                    for address in addresses {
                        let listener = bind_tcp(*address).map_err(|e| cannot(address, &e))?;
                        bound.tcp.push(listener.local_addr()?);
                        engine.listen_on(listener)?;
                    }
                }
                ListenAddr::Unix(path) => {
                    let listener = bind_unix(path).map_err(|e| cannot(path.display(), &e))?;
                    bound.unix.push(path.clone());
                    engine.listen_on_unix(listener)?;
                }
            }
        }
        Ok(bound)
    }

    /// Each as it is announced, those over TCP first.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let tcp = self.tcp.iter().map(|address| format!("http://{address}"));
        tcp.chain(self.unix.iter().map(|path| format!("unix:{}", path.display())))
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        for path in &self.unix {
            // Gone already is as good.
            let _ = std::fs::remove_file(path);
        }
    }
}

fn cannot(address: impl std::fmt::Display, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot listen on {address}: {error}"))
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?; // a restart need not wait for old connections' last packets
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

/// Connections that may wait to be accepted; the kernel takes its own limit (`net.core.somaxconn`) when that is lower.
const BACKLOG: i32 = 4096;

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    match UnixListener::bind(path) {
        Err(e) if e.kind() == ErrorKind::AddrInUse && is_abandoned(path) => {
            std::fs::remove_file(path)?;
            UnixListener::bind(path)
        }
        result => result,
    }
}

/// True for a socket that nobody listens on any more.
fn is_abandoned(path: &Path) -> bool {
    matches!(UnixStream::connect(path), Err(e) if e.kind() == ErrorKind::ConnectionRefused)
}
