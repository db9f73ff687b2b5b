//! Bringing connections up: who is to be dialled, how many at one time, and from which address.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use mio::net::TcpStream;
use socket2::{Domain, Protocol, Socket, Type};

/// Who is still to be connected, by place in the worker's list.
#[derive(Debug, Default)]
pub(super) struct Dial {
    waiting: VecDeque<usize>,
    /// Who is tried again, and when; in that order.
    again: VecDeque<(u64, usize)>,
    pub(super) under_way: usize,
    window: usize,
    /// Whether an attempt that fails is made again.
    pub(super) is_persistent: bool,
}

impl Dial {
    pub(super) fn begin(
        &mut self,
        who: impl Iterator<Item = usize>,
        window: usize,
        persistent: bool,
    ) {
        self.waiting.extend(who);
        self.window = window;
        self.is_persistent = persistent;
    }

    /// The next to be dialled now, if the window has room; counted as under way.
    pub(super) fn next(&mut self, now_ns: u64) -> Option<usize> {
        if self.under_way >= self.window {
            return None;
        }
        let is_due = self.again.front().is_some_and(|(at_ns, _)| *at_ns <= now_ns);
        let next = match is_due {
            true => self.again.pop_front().map(|(_, who)| who),
            false => self.waiting.pop_front(),
        };
        self.under_way += usize::from(next.is_some());
        next
    }

    /// To be dialled again after a pause.
    pub(super) fn retry(&mut self, who: usize, now_ns: u64) {
        self.again.push_back((now_ns + RETRY_NS, who));
    }

    /// True while somebody could be dialled now.
    pub(super) fn is_hungry(&self) -> bool {
        self.under_way < self.window && !self.waiting.is_empty()
    }

    /// True while somebody waits to be dialled again.
    pub(super) fn waits(&self) -> bool {
        !self.again.is_empty()
    }
}

/// Dialled in one turn: those who are through already are heard before everybody has been dialled.
pub(super) const DIALS_PER_TURN: usize = 64;

/// As quick as an eager client's first retry.
const RETRY_NS: u64 = 100_000_000;

/// Begins to connect, without waiting. On the loopback, connection `number` comes from an address that it shares with
/// at most a thousand, so that ports never run out.
pub(super) fn connect(to: SocketAddr, number: u32) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(to), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_nonblocking(true)?;
    if let Some(from) = source(to, number) {
        socket.bind(&SocketAddr::from((from, 0)).into())?;
    }
    match socket.connect(&to.into()) {
        Err(e) if !is_under_way(&e) => return Err(e),
        _ => {}
    }
    socket.set_tcp_nodelay(true)?;
    Ok(TcpStream::from_std(socket.into()))
}

fn is_under_way(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}

/// The address to come from, of the sixteen million that the IPv4 loopback has.
fn source(to: SocketAddr, number: u32) -> Option<Ipv4Addr> {
    let is_v4_loopback = matches!(to.ip(), IpAddr::V4(address) if address.is_loopback());
    is_v4_loopback.then(|| Ipv4Addr::from_bits(FIRST_SOURCE.to_bits() + number / 1000))
}

const FIRST_SOURCE: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_are_under_way_than_the_window_has_room_for() {
        let mut dial = Dial::default();
        dial.begin(0..5, 2, true);
        assert_eq!((dial.next(0), dial.next(0), dial.next(0)), (Some(0), Some(1), None));
        assert!(!dial.is_hungry(), "there is no room");
        dial.under_way -= 1;
        assert!(dial.is_hungry());
        dial.retry(0, 0);
        assert_eq!(dial.next(0), Some(2), "the pause is not over");
        dial.under_way -= 2;
        assert_eq!(dial.next(RETRY_NS), Some(0), "now it is");
        assert!(!dial.waits());
    }

    #[test]
    fn sources_are_spread_on_the_ipv4_loopback_alone() {
        let local = "127.0.0.1:1".parse().unwrap();
        assert_eq!(source(local, 999), Some(Ipv4Addr::new(127, 1, 0, 1)));
        assert_eq!(source(local, 300_000), Some(Ipv4Addr::new(127, 1, 1, 45)));
        assert_eq!(source("[::1]:1".parse().unwrap(), 0), None);
        assert_eq!(source("192.0.2.1:1".parse().unwrap(), 0), None);
    }
}
