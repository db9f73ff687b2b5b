//! A stream to a daemon: over TCP or a Unix socket, perhaps within TLS. Each read has a deadline.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use super::url::{Place, Url};

/// A stream.
pub(super) enum Link {
    Tcp(TcpStream),
    Unix(UnixStream),
    #[cfg(feature = "tls")]
    Tls(Box<rustls::StreamOwned<rustls::ClientConnection, TcpStream>>),
}

/// Why there is none.
#[derive(Debug)]
pub(super) enum NoLink {
    /// The name stands for no address.
    Name(io::Error),
    /// Nobody takes the connection.
    Connect(io::Error),
    /// The certificate, or the way the other end speaks TLS.
    Tls(String),
    /// What the other end says is no TLS at all.
    NoTls,
    /// The certificates to trust cannot be read.
    Trust(String),
}

impl Link {
    /// Connects. `ca` has the certificates to trust instead of the system's.
    pub(super) fn open(url: &Url, ca: Option<&Path>, patience: Duration) -> Result<Self, NoLink> {
        match &url.place {
            Place::Unix(path) => {
                let stream = UnixStream::connect(path).map_err(NoLink::Connect)?;
                stream.set_write_timeout(Some(patience)).map_err(NoLink::Connect)?;
                Ok(Self::Unix(stream))
            }
            Place::Tcp { name, port, tls } => {
                let stream = connect(name, *port, patience)?;
                match tls {
                    false => Ok(Self::Tcp(stream)),
                    true => secure(stream, name, ca, patience),
                }
            }
        }
    }

    /// How long a read may take.
    pub(super) fn set_patience(&self, patience: Duration) -> io::Result<()> {
        // Zero would mean for ever.
        let patience = Some(patience.max(Duration::from_millis(1)));
        match self {
            Link::Tcp(stream) => stream.set_read_timeout(patience),
            Link::Unix(stream) => stream.set_read_timeout(patience),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.sock.set_read_timeout(patience),
        }
    }
}

fn connect(name: &str, port: u16, patience: Duration) -> Result<TcpStream, NoLink> {
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let addresses = (name, port).to_socket_addrs().map_err(NoLink::Name)?;
    for address in addresses {
        match TcpStream::connect_timeout(&address, patience) {
            Ok(stream) => {
                let set = stream.set_nodelay(true).and(stream.set_write_timeout(Some(patience)));
                return set.map(|()| stream).map_err(NoLink::Connect);
            }
            Err(e) => last = e,
        }
    }
    Err(NoLink::Connect(last))
}

#[cfg(feature = "tls")]
fn secure(
    stream: TcpStream,
    name: &str,
    ca: Option<&Path>,
    patience: Duration,
) -> Result<Link, NoLink> {
    use rustls::pki_types::{CertificateDer, ServerName, pem::PemObject};

    let told = |e: &dyn std::fmt::Display| NoLink::Tls(e.to_string());
    let ca = ca.or_else(|| BUNDLES.iter().map(Path::new).find(|path| path.exists()));
    let ca =
        ca.ok_or_else(|| NoLink::Tls("this system has no certificates to trust".to_owned()))?;
    let mut roots = rustls::RootCertStore::empty();
    let certificates = CertificateDer::pem_file_iter(ca)
        .map_err(|e| NoLink::Trust(format!("{}: {e}", ca.display())))?;
    roots.add_parsable_certificates(certificates.flatten());
    let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| told(&e))?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name.to_owned()).map_err(|e| told(&e))?;
    let client = rustls::ClientConnection::new(config.into(), name).map_err(|e| told(&e))?;
    let mut stream = rustls::StreamOwned::new(client, stream);
    stream.sock.set_read_timeout(Some(patience)).map_err(NoLink::Connect)?;
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).map_err(|e| {
            let inner = e.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
            match inner {
                Some(rustls::Error::InvalidMessage(_)) => NoLink::NoTls,
                _ => told(&e),
            }
        })?;
    }
    Ok(Link::Tls(Box::new(stream)))
}

/// Where systems keep the certificates that they trust: Debian, Fedora, Alpine and BSD.
#[cfg(feature = "tls")]
const BUNDLES: [&str; 3] =
    ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem"];

#[cfg(not(feature = "tls"))]
fn secure(_: TcpStream, _: &str, _: Option<&Path>, _: Duration) -> Result<Link, NoLink> {
    Err(NoLink::Tls("this wsrelay was built without the feature `tls`".to_owned()))
}

impl std::fmt::Display for NoLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            NoLink::Name(e) | NoLink::Connect(e) => e.fmt(f),
            NoLink::Tls(says) | NoLink::Trust(says) => f.write_str(says),
            NoLink::NoTls => f.write_str("nothing speaks TLS there"),
        }
    }
}

impl Read for Link {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Link::Tcp(stream) => stream.read(buffer),
            Link::Unix(stream) => stream.read(buffer),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Link {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Link::Tcp(stream) => stream.write(bytes),
            Link::Unix(stream) => stream.write(bytes),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Link::Tcp(stream) => stream.flush(),
            Link::Unix(stream) => stream.flush(),
            #[cfg(feature = "tls")]
            Link::Tls(stream) => stream.flush(),
        }
    }
}
