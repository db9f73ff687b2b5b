//! Servers that a measurement starts for itself: our own, the floor, or whatever a command line names.
//!
//! Owns their processes, from the first moment until they are killed, and what their first line of output says.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::net::{SocketAddr, ToSocketAddrs};
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::Failure;
use super::affinity::{self, Cpu};
use super::process::Pid;
use super::scratch::Scratch;

/// A server that we started. It ends when this is dropped.
#[derive(Debug)]
pub(super) struct Server {
    child: Child,
    pub(super) address: SocketAddr,
    /// Removed after the process has ended.
    data: Option<Scratch>,
}

/// How a server is started.
#[derive(Clone, Debug)]
pub(super) enum Recipe {
    /// This executable's own server.
    Serve(Keeping),
    /// This executable's physical limit.
    Floor { is_batched: bool },
    /// A shell command; `{listen}` in it is the address to listen on.
    Command(String),
}

/// What our own server does with its log.
#[derive(Clone, Debug)]
pub(super) enum Keeping {
    /// Forgets it.
    Memory,
    /// Writes it to a file, in a directory that is made in this one and kept through restarts.
    File { under: PathBuf },
}

impl Recipe {
    /// Starts the server on this address (port 0: any), on this processor, and waits until it says where it listens.
    pub(super) fn start(&self, listen: SocketAddr, cpu: Option<Cpu>) -> Result<Server, Failure> {
        self.start_with(self.data()?, listen, cpu)
    }

    /// Likewise, with the log of a server that was [killed](Server::kill).
    pub(super) fn start_with(
        &self,
        data: Option<Scratch>,
        listen: SocketAddr,
        cpu: Option<Cpu>,
    ) -> Result<Server, Failure> {
        let mut command = self.command(listen, data.as_ref())?;
        // A group of its own: Ctrl-C at the terminal is for us, who then end it in order.
        command.stdin(Stdio::null()).stdout(Stdio::piped()).process_group(0);
        let spawned = affinity::inherited(cpu, || command.spawn())?;
        let child = spawned.map_err(|e| Failure::new(format!("cannot start {self}: {e}")))?;
        let mut server = Server { child, address: listen, data };
        server.address = server.announced().map_err(|why| Failure::new(format!("{self} {why}")))?;
        Ok(server)
    }

    /// Where its log is to be.
    fn data(&self) -> Result<Option<Scratch>, Failure> {
        let Recipe::Serve(Keeping::File { under }) = self else { return Ok(None) };
        let failed = |e| Failure::new(format!("no directory in {}: {e}", under.display()));
        Scratch::new(under).map(Some).map_err(failed)
    }

    fn command(&self, listen: SocketAddr, data: Option<&Scratch>) -> Result<Command, Failure> {
        let listen = listen.to_string();
        let mut command = match self {
            Recipe::Serve(_) => {
                let mut command = ourselves()?;
                command.args([
                    "serve",
                    "--log",
                    "error",
                    "--post-rate",
                    "0",
                    "--command-rate",
                    "0",
                ]);
                command
            }
            Recipe::Floor { is_batched } => {
                let mut command = ourselves()?;
                command.args(["bench", "floor"]).args(is_batched.then_some("--batch"));
                command
            }
            Recipe::Command(line) => {
                let mut command = Command::new("sh");
                command.args(["-c", &format!("exec {}", line.replace("{listen}", &listen))]);
                return Ok(command);
            }
        };
        match (self, data) {
            (_, Some(data)) => command.arg("--data").arg(data.path().join("wsrelay.db")),
            (Recipe::Serve(_), None) => command.arg("--memory"),
            _ => &mut command,
        };
        command.args(["--listen", &listen]);
        Ok(command)
    }
}

/// This executable. What is measured is what the report says, whatever the operator's environment.
fn ourselves() -> Result<Command, Failure> {
    let program = std::env::current_exe()
        .map_err(|e| Failure::new(format!("cannot find this executable: {e}")))?;
    let mut command = Command::new(program);
    let is_ours =
        |(name, _): &(OsString, OsString)| name.as_encoded_bytes().starts_with(b"WSRELAY_");
    for (name, _) in std::env::vars_os().filter(is_ours) {
        command.env_remove(name);
    }
    Ok(command)
}

impl std::fmt::Display for Recipe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Recipe::Serve(_) => f.write_str("wsrelay serve"),
            Recipe::Floor { .. } => f.write_str("wsrelay bench floor"),
            Recipe::Command(line) => f.write_str(line),
        }
    }
}

impl Server {
    pub(super) fn pid(&self) -> Pid {
        Pid(self.child.id())
    }

    /// Ends it as a power cut would.
    pub(super) fn kill(&mut self) {
        // Both fail only when it has ended by itself, which is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its log, for the next one.
    pub(super) fn take_data(&mut self) -> Option<Scratch> {
        self.data.take()
    }

    /// The address in its first line. What it prints later is read and forgotten, so that it never has to wait.
    fn announced(&mut self) -> Result<SocketAddr, String> {
        let stdout = self.child.stdout.take().expect("piped when it was started");
        let (tell, told) = mpsc::channel();
        std::thread::spawn(move || {
            let mut lines = BufReader::new(stdout);
            let mut first = String::new();
            // The other end hangs up when it has waited long enough.
            let _ = tell.send(lines.read_line(&mut first).map(|_| first));
            let _ = std::io::copy(&mut lines, &mut std::io::sink());
        });
        match told.recv_timeout(START_PATIENCE) {
            Ok(Ok(line)) if line.is_empty() => match self.child.wait() {
                Ok(status) => Err(format!("ended before it said where it listens ({status})")),
                Err(e) => Err(format!("ended before it said where it listens ({e})")),
            },
            Ok(Ok(line)) => address_in(&line)
                .ok_or_else(|| format!("names no address in its first line: {}", line.trim())),
            Ok(Err(e)) => Err(format!("says nothing readable: {e}")),
            Err(_) => Err(format!("does not say where it listens within {START_PATIENCE:?}")),
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

const START_PATIENCE: Duration = Duration::from_secs(10);

/// The first thing in a line that is HOST:PORT, with or without a scheme and a path.
fn address_in(line: &str) -> Option<SocketAddr> {
    line.split_whitespace().find_map(|word| {
        let bare = word.split_once("://").map_or(word, |(_, rest)| rest);
        let bare = bare.split('/').next()?.trim_end_matches([',', '.', ';']);
        let bare =
            bare.strip_prefix(':').map_or(bare.to_owned(), |port| format!("127.0.0.1:{port}"));
        bare.contains(':').then(|| bare.to_socket_addrs().ok()?.next()).flatten().map(connectable)
    })
}

/// Who listens on every address can be reached on the loopback.
fn connectable(mut address: SocketAddr) -> SocketAddr {
    if address.ip().is_unspecified() {
        address.set_ip(std::net::Ipv4Addr::LOCALHOST.into());
    }
    address
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_first_line_names_an_address() {
        let rows = [
            ("listening on http://127.0.0.1:8080\n", Some("127.0.0.1:8080")),
            ("ready: ws://127.0.0.1:9001/chat", Some("127.0.0.1:9001")),
            ("Listening on 0.0.0.0:7.", Some("127.0.0.1:7")),
            ("listening on [::1]:7", Some("[::1]:7")),
            ("up at :9002", Some("127.0.0.1:9002")),
            ("hello", None),
        ];
        for (line, address) in rows {
            assert_eq!(address_in(line), address.map(|a| a.parse().unwrap()), "{line}");
        }
    }
}
