//! What whoever started the process is told, if it wants to know: that it is ready, alive, and about to end (sd_notify(3)).
//!
//! Owns the socket named by `NOTIFY_SOCKET`, and the beat that `WATCHDOG_USEC` asks for. It never waits: a message that the
//! socket does not take is lost, and the next one says the same. Whether the process is well, others say.

use std::env;
use std::io;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::time::{Duration, Instant};

/// The near end of a supervisor's ear. Says nothing where there is none.
#[derive(Debug, Default)]
pub(super) struct Supervisor {
    ear: Option<(UnixDatagram, SocketAddr)>,
    beat: Option<Beat>,
}

#[derive(Debug)]
struct Beat {
    every: Duration,
    next: Instant,
}

impl Supervisor {
    /// The one that the environment names.
    pub(super) fn from_env() -> Self {
        Self::named_by(|name| env::var(name).ok())
    }

    fn named_by(variable: impl Fn(&str) -> Option<String>) -> Self {
        let Some(name) = variable("NOTIFY_SOCKET") else { return Self::default() };
        let ear = address(&name).and_then(|address| {
            let socket = UnixDatagram::unbound()?;
            socket.set_nonblocking(true)?;
            Ok((socket, address))
        });
        let ear = ear.inspect_err(|e| log::warn!("NOTIFY_SOCKET cannot be used: {e}")).ok();
        let is_ours =
            variable("WATCHDOG_PID").is_none_or(|pid| pid == std::process::id().to_string());
        let period = variable("WATCHDOG_USEC").and_then(|usec| usec.parse().ok());
        let period = period.filter(|usec| *usec > 0 && is_ours).map(Duration::from_micros);
        // Twice in each period, as sd_watchdog_enabled(3) advises.
        let beat = period.map(|period| Beat { every: period / 2, next: Instant::now() });
        Self { beat: beat.filter(|_| ear.is_some()), ear }
    }

    /// The process serves.
    pub(super) fn ready(&self) {
        self.tell("READY=1\nSTATUS=serving\n");
    }

    /// The process waits for something before it serves, for so long at the most.
    pub(super) fn starting(&self, status: &str, most: Duration) {
        self.tell(&format!("STATUS={status}\nEXTEND_TIMEOUT_USEC={}\n", most.as_micros()));
    }

    /// The process is about to end.
    pub(super) fn stopping(&self) {
        self.tell("STOPPING=1\nSTATUS=closing connections\n");
    }

    /// When a sign of life is due, if any is wanted.
    pub(super) fn next_beat(&self) -> Option<Instant> {
        self.beat.as_ref().map(|beat| beat.next)
    }

    /// Gives the sign of life that is due by `now`, if all `is_well`.
    pub(super) fn beat(&mut self, now: Instant, is_well: impl FnOnce(Duration) -> bool) {
        let Some(beat) = self.beat.as_mut().filter(|beat| beat.next <= now) else { return };
        beat.next = now + beat.every;
        if is_well(beat.every) {
            self.tell("WATCHDOG=1\n");
        }
    }

    fn tell(&self, message: &str) {
        if let Some((socket, address)) = &self.ear
            && let Err(e) = socket.send_to_addr(message.as_bytes(), address)
        {
            log::debug!("the supervisor was not told: {e}");
        }
    }
}

fn address(name: &str) -> io::Result<SocketAddr> {
    match name.strip_prefix('@') {
        Some(hidden) => hidden_address(hidden),
        None if name.starts_with('/') => SocketAddr::from_pathname(name),
        None => Err(io::Error::new(io::ErrorKind::InvalidInput, "neither a path nor a @name")),
    }
}

/// An address in Linux' own namespace, without a file.
#[cfg(target_os = "linux")]
fn hidden_address(name: &str) -> io::Result<SocketAddr> {
    use std::os::linux::net::SocketAddrExt;
    SocketAddr::from_abstract_name(name)
}

#[cfg(not(target_os = "linux"))]
fn hidden_address(_: &str) -> io::Result<SocketAddr> {
    Err(io::ErrorKind::Unsupported.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(ear: &UnixDatagram) -> Option<String> {
        let mut buffer = [0; 200];
        let received = ear.recv(&mut buffer).ok()?;
        Some(String::from_utf8_lossy(&buffer[..received]).into_owned())
    }

    fn supervised(usec: &str, pid: Option<u32>) -> (Supervisor, UnixDatagram) {
        let name = format!("wsrelay-test-{}-{usec}-{pid:?}", std::process::id());
        let ear = UnixDatagram::bind_addr(&hidden_address(&name).unwrap()).unwrap();
        ear.set_nonblocking(true).unwrap();
        let supervisor = Supervisor::named_by(|variable| match variable {
            "NOTIFY_SOCKET" => Some(format!("@{name}")),
            "WATCHDOG_USEC" => Some(usec.to_owned()),
            "WATCHDOG_PID" => pid.map(|pid| pid.to_string()),
            _ => None,
        });
        (supervisor, ear)
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn signs_of_life_come_twice_a_period_and_only_while_all_is_well() {
        let (mut supervisor, ear) = supervised("4000000", Some(std::process::id()));
        supervisor.ready();
        assert_eq!(told(&ear).as_deref(), Some("READY=1\nSTATUS=serving\n"));
        let first = supervisor.next_beat().unwrap();
        supervisor.beat(first, |_| true);
        assert_eq!(told(&ear).as_deref(), Some("WATCHDOG=1\n"));
        assert_eq!(supervisor.next_beat(), Some(first + Duration::from_secs(2)));
        supervisor.beat(first + Duration::from_secs(1), |_| panic!("not due yet"));
        supervisor.beat(first + Duration::from_secs(2), |_| false);
        assert_eq!(told(&ear), None);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_watchdog_of_another_process_is_not_ours() {
        assert_eq!(supervised("4000000", Some(1)).0.next_beat(), None);
        assert_eq!(supervised("0", None).0.next_beat(), None);
        assert_eq!(Supervisor::named_by(|_| None).next_beat(), None);
    }
}
