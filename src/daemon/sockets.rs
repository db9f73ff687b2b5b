//! The sockets that the daemon listens on.
//!
//! Owns how they are made: a backlog as long as the kernel allows, so that a crowd that reconnects at once waits in line
//! instead of being dropped; and a Unix socket's file, which a killed process leaves behind and a new one replaces.
//!
//! Or they are not made but handed over, by a supervisor that keeps them from one process to the next (sd_listen_fds(3)):
//! then those who come in between wait in line, and no attempt to connect fails. This is why there is no `SO_REUSEPORT`
//! here, with which each process has a line of its own, and the one that ends takes those who wait in it along.

use std::io::{self, ErrorKind};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};

use listenfd::ListenFd;
use socket2::{Domain, Protocol, Socket, Type};

use super::options::ListenAddr;
use crate::engine::{Engine, Entrance};

/// What is listened on. The files of the Unix sockets that were made here go when this does.
#[derive(Debug, Default)]
pub(super) struct Bound {
    sockets: Vec<Listening>,
    files: Vec<PathBuf>,
    /// The sockets were handed over, and are somebody's who may hand them to another process as well.
    handed_over: bool,
}

#[derive(Debug)]
struct Listening {
    entrance: Entrance,
    address: String,
    is_unix: bool,
    /// Metrics are served there, and nothing else is.
    is_metrics: bool,
}

/// The sockets that a supervisor has handed over.
pub(super) struct HandedOver {
    sockets: ListenFd,
    /// What each is called, as far as that was said.
    names: Vec<String>,
}

impl HandedOver {
    /// As the environment says. To be called before any thread is started: the variables are taken out of it.
    pub(super) fn from_env() -> Self {
        let names = std::env::var("LISTEN_FDNAMES").unwrap_or_default();
        let names = names.split(':').map(str::to_owned).collect();
        Self { sockets: ListenFd::from_env(), names }
    }
}

impl Bound {
    /// Lets the engine accept from what was handed over or, if nothing was, from all of `addresses`; and for metrics alone
    /// from `metrics`.
    pub(super) fn listen(
        mut handed_over: HandedOver,
        addresses: &[ListenAddr],
        metrics: Option<&ListenAddr>,
        engine: &mut Engine,
    ) -> io::Result<Self> {
        let mut bound = Self::default();
        if handed_over.sockets.len() == 0 {
            for address in addresses {
                bound.bind(address, false, engine)?;
            }
        } else {
            bound.take(&mut handed_over, engine)?;
        }
        if let Some(address) = metrics {
            bound.bind(address, true, engine)?;
        }
        if bound.sockets.iter().all(|socket| socket.is_metrics) {
            return Err(io::Error::other(
                "of the sockets that were handed over, all are for metrics",
            ));
        }
        for entrance in bound.metrics() {
            engine.keep_places(entrance);
        }
        Ok(bound)
    }

    /// Each as it is announced: those over TCP first, and last those for metrics.
    pub(super) fn lines(&self) -> impl Iterator<Item = String> {
        let mut sockets: Vec<&Listening> = self.sockets.iter().collect();
        sockets.sort_by_key(|socket| (socket.is_metrics, socket.is_unix));
        sockets.into_iter().map(|Listening { address, is_metrics, .. }| match is_metrics {
            false => format!("listening on {address}"),
            true => format!("metrics on {address}"),
        })
    }

    /// True when the sockets may outlive this process.
    pub(super) fn is_handed_over(&self) -> bool {
        self.handed_over
    }

    /// The entrances at which nothing but metrics is served.
    pub(super) fn metrics(&self) -> impl Iterator<Item = Entrance> {
        self.sockets.iter().filter(|socket| socket.is_metrics).map(|socket| socket.entrance)
    }

    fn bind(
        &mut self,
        address: &ListenAddr,
        is_metrics: bool,
        engine: &mut Engine,
    ) -> io::Result<()> {
        match address {
            ListenAddr::Tcp(addresses) => {
                for address in addresses {
                    let listener = bind_tcp(*address).map_err(|e| cannot(address, &e))?;
                    self.listen_tcp(listener, is_metrics, engine)?;
                }
                Ok(())
            }
            ListenAddr::Unix(path) => {
                let listener = bind_unix(path).map_err(|e| cannot(path.display(), &e))?;
                self.files.push(path.clone());
                self.listen_unix(listener, is_metrics, engine)
            }
        }
    }

    fn take(&mut self, handed_over: &mut HandedOver, engine: &mut Engine) -> io::Result<()> {
        self.handed_over = true;
        let HandedOver { sockets, names } = handed_over;
        for index in 0..sockets.len() {
            let is_metrics = names.get(index).is_some_and(|name| name == METRICS_NAME);
            if let Ok(Some(listener)) = sockets.take_tcp_listener(index) {
                self.listen_tcp(listener, is_metrics, engine)?;
            } else {
                let listener = sockets
                    .take_unix_listener(index)
                    .map_err(|e| cannot("what was handed over", &e))?;
                let listener = listener.expect("each is taken once");
                self.listen_unix(listener, is_metrics, engine)?;
            }
        }
        for socket in &self.sockets {
            engine.share(socket.entrance);
        }
        Ok(())
    }

    fn listen_tcp(
        &mut self,
        listener: TcpListener,
        is_metrics: bool,
        engine: &mut Engine,
    ) -> io::Result<()> {
        let address = format!("http://{}", listener.local_addr()?);
        let entrance = engine.listen_on(listener)?;
        self.sockets.push(Listening { entrance, address, is_unix: false, is_metrics });
        Ok(())
    }

    fn listen_unix(
        &mut self,
        listener: UnixListener,
        is_metrics: bool,
        engine: &mut Engine,
    ) -> io::Result<()> {
        let address = listener.local_addr()?;
        let path = address.as_pathname().unwrap_or(Path::new(""));
        let address = format!("unix:{}", path.display());
        let entrance = engine.listen_on_unix(listener)?;
        self.sockets.push(Listening { entrance, address, is_unix: true, is_metrics });
        Ok(())
    }
}

impl Drop for Bound {
    fn drop(&mut self) {
        for path in &self.files {
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

/// What a socket that is handed over for metrics is called (`FileDescriptorName=`).
const METRICS_NAME: &str = "metrics";

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
