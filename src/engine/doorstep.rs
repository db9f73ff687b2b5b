//! Those who are turned away, from then until they are told so.
//!
//! Owns their sockets, for a few milliseconds each and a few of them at a time. It never decides who is turned away, nor what
//! they are told.
//!
//! A client sends its request right behind the handshake of TCP, but an accept can be faster. Who is answered and left before
//! having asked finds a connection that has ended, and many never look at the answer. So the answer waits for the question, but
//! not for long: somebody who asks nothing has nothing to expect, and under a flood the first is told as soon as too many wait.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::time::Instant;

use super::socket::Socket;
use crate::config;

#[derive(Debug, Default)]
pub(super) struct Doorstep {
    waiting: VecDeque<Leaving>,
}

/// Somebody who is to be told why, and then left.
#[derive(Debug)]
struct Leaving {
    socket: Socket,
    answer: Vec<u8>,
    until: Instant,
}

impl Doorstep {
    /// Answers a fresh connection and leaves it, now if it has asked and soon if not. What it says is read into `buffer`, and
    /// of no interest.
    pub(super) fn turn_away(
        &mut self,
        mut socket: Socket,
        answer: Vec<u8>,
        now: Instant,
        buffer: &mut [u8],
    ) {
        match socket.read(buffer) {
            // A fresh socket's buffer is empty: either all of it fits or the peer has gone.
            Ok(1..) => drop(socket.write(&answer)),
            Err(e) if e.kind() == ErrorKind::WouldBlock => {
                if self.waiting.len() == config::TURNED_AWAY_WAIT_MAX {
                    self.tell_first(buffer);
                }
                let until = now + config::TURNED_AWAY_WAIT;
                self.waiting.push_back(Leaving { socket, answer, until });
            }
            Ok(0) | Err(_) => {}
        }
    }

    /// When the next one has waited for long enough.
    pub(super) fn next(&self) -> Option<Instant> {
        self.waiting.front().map(|first| first.until)
    }

    /// Tells those who have waited for long enough. True if there were any.
    pub(super) fn tell_due(&mut self, now: Instant, buffer: &mut [u8]) -> bool {
        let before = self.waiting.len();
        while self.next().is_some_and(|until| until <= now) {
            self.tell_first(buffer);
        }
        self.waiting.len() < before
    }

    fn tell_first(&mut self, buffer: &mut [u8]) {
        if let Some(Leaving { mut socket, answer, .. }) = self.waiting.pop_front() {
            tell(&mut socket, &answer, buffer);
        }
    }
}

/// Tells somebody why who was told nothing before, and who is to be left next.
pub(super) fn tell(socket: &mut Socket, answer: &[u8], buffer: &mut [u8]) {
    // The socket's buffer is empty: either all of it fits or the peer has gone.
    let _ = socket.write(answer);
    // Closed with the request unread, the connection would be reset, and the answer perhaps lost with it.
    let _ = socket.read(buffer);
}

#[cfg(test)]
mod tests {
    use mio::net::UnixStream;

    use super::*;

    const ANSWER: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\n\r\n";

    struct Client(UnixStream);

    impl Client {
        /// Comes when there is no room.
        fn come(doorstep: &mut Doorstep, now: Instant, asks: bool) -> Self {
            let (mut own, servers) = UnixStream::pair().unwrap();
            if asks {
                own.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
            }
            doorstep.turn_away(Socket::Unix(servers), ANSWER.to_vec(), now, &mut [0; 64]);
            Self(own)
        }

        /// All it was told, once the connection has ended.
        fn told(&mut self) -> Option<Vec<u8>> {
            let mut told = Vec::new();
            match self.0.read_to_end(&mut told) {
                Ok(_) => Some(told),
                Err(e) if e.kind() == ErrorKind::WouldBlock => None,
                Err(e) => panic!("{e}"),
            }
        }
    }

    #[test]
    fn who_has_asked_is_told_at_once() {
        let (mut doorstep, now) = (Doorstep::default(), Instant::now());
        assert_eq!(Client::come(&mut doorstep, now, true).told().as_deref(), Some(ANSWER));
        assert_eq!(doorstep.next(), None);
    }

    #[test]
    fn who_has_not_is_told_soon() {
        let (mut doorstep, now) = (Doorstep::default(), Instant::now());
        let mut client = Client::come(&mut doorstep, now, false);
        assert!(!doorstep.tell_due(now, &mut [0; 64]));
        assert_eq!(client.told(), None);
        client.0.write_all(b"GET / HTTP/1.1\r\n\r\n").unwrap();
        assert_eq!(doorstep.next(), Some(now + config::TURNED_AWAY_WAIT));
        assert!(doorstep.tell_due(now + config::TURNED_AWAY_WAIT, &mut [0; 64]));
        assert_eq!(client.told().as_deref(), Some(ANSWER));
        assert_eq!(doorstep.next(), None);
    }

    #[test]
    fn no_more_than_a_few_wait() {
        let (mut doorstep, now) = (Doorstep::default(), Instant::now());
        let mut come = || Client::come(&mut doorstep, now, false);
        let mut first = come();
        let mut others: Vec<Client> = (1..config::TURNED_AWAY_WAIT_MAX).map(|_| come()).collect();
        assert_eq!(first.told(), None);
        others.push(come());
        assert_eq!(first.told().as_deref(), Some(ANSWER));
        assert!(others.iter_mut().all(|client| client.told().is_none()));
    }
}
