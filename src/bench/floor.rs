//! The physical limit as a server: the least that any server on this system must do, and nothing else.
//!
//! It accepts, answers the handshake, and on each frame makes one direct `send` of one prepared frame to each member
//! of the room, the sender included; there is one room for each path, and `/echo` echoes. No queue, no limit, no
//! check: what it costs is the system calls. In batches it reads every ready socket first and sends each member all of
//! a round at once.
//!
//! It is a yardstick and trusts its peers: one that does not read stops it, one that lies about a length confuses it.
//! Never let anybody near it.

use std::collections::HashMap;
use std::io::{self, ErrorKind, Read, Write};
use std::net::SocketAddr;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;
use mio::net::{TcpListener, TcpStream};
use mio::{Events, Interest, Poll, Token};
use sha1::{Digest, Sha1};
use slab::Slab;
use socket2::{Domain, Socket, Type};

use super::Failure;
use crate::ws::mask;

#[derive(Args, Clone, Debug)]
pub(super) struct FloorOptions {
    /// Address to listen on.
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0")]
    listen: SocketAddr,

    /// Read all ready sockets first, then send each member the whole round at once.
    #[arg(long)]
    batch: bool,
}

/// Serves until it is killed; the first line on standard output says where.
pub(super) fn serve(&FloorOptions { listen, batch }: &FloorOptions) -> Result<(), Failure> {
    let failed = |e: io::Error| Failure::new(format!("floor on {listen}: {e}"));
    let mut floor = Floor::listen(listen, batch).map_err(failed)?;
    let address = floor.listener.local_addr().map_err(failed)?;
    let mut out = io::stdout().lock();
    writeln!(out, "listening on http://{address}").and_then(|()| out.flush()).map_err(failed)?;
    drop(out);
    floor.run().map_err(failed)
}

struct Floor {
    poll: Poll,
    listener: TcpListener,
    peers: Slab<Peer>,
    rooms: Slab<Room>,
    names: HashMap<Vec<u8>, usize>,
    receive: Vec<u8>,
    is_batched: bool,
    /// Rooms with something in their round.
    spoken: Vec<usize>,
}

struct Peer {
    stream: TcpStream,
    seat: Seat,
    /// What has come of a head or a frame that is not whole.
    partial: Vec<u8>,
}

#[derive(Clone, Copy)]
enum Seat {
    Door,
    Echo,
    Room(usize),
}

#[derive(Default)]
struct Room {
    members: Vec<usize>,
    round: Vec<u8>,
}

const LISTENER: Token = Token(usize::MAX - 1);
/// As the relay's own, so that one `read` brings the same.
const RECEIVE_BYTES: usize = 64 * 1024;
const BACKLOG: i32 = 4096;

impl Floor {
    fn listen(address: SocketAddr, is_batched: bool) -> io::Result<Self> {
        let socket = Socket::new(Domain::for_address(address), Type::STREAM, None)?;
        socket.set_reuse_address(true)?;
        socket.set_nonblocking(true)?;
        socket.bind(&address.into())?;
        socket.listen(BACKLOG)?;
        let mut listener = TcpListener::from_std(socket.into());
        let poll = Poll::new()?;
        poll.registry().register(&mut listener, LISTENER, Interest::READABLE)?;
        Ok(Self {
            poll,
            listener,
            peers: Slab::new(),
            rooms: Slab::new(),
            names: HashMap::new(),
            receive: vec![0; RECEIVE_BYTES],
            is_batched,
            spoken: Vec::new(),
        })
    }

    fn run(&mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(1024);
        loop {
            match self.poll.poll(&mut events, None) {
                Err(e) if e.kind() == ErrorKind::Interrupted => continue,
                result => result?,
            }
            for event in &events {
                match event.token() {
                    LISTENER => self.accept()?,
                    Token(peer) => self.read(peer, event.is_read_closed()),
                }
            }
            self.send_rounds();
        }
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((mut stream, _)) => {
                    // A peer that has gone already shows when it is read.
                    let _ = stream.set_nodelay(true);
                    let entry = self.peers.vacant_entry();
                    let token = Token(entry.key());
                    self.poll.registry().register(&mut stream, token, Interest::READABLE)?;
                    entry.insert(Peer { stream, seat: Seat::Door, partial: Vec::new() });
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(e) if e.kind() == ErrorKind::ConnectionAborted => {}
                Err(e) => return Err(e),
            }
        }
    }

    fn read(&mut self, id: usize, is_ending: bool) {
        let mut receive = std::mem::take(&mut self.receive);
        while let Some(peer) = self.peers.get_mut(id) {
            match peer.stream.read(&mut receive) {
                Ok(0) => self.leave(id),
                Ok(taken) => {
                    self.take(id, &mut receive[..taken]);
                    // Less than there was room for: all is read (epoll(7)), unless the end is to be found.
                    if taken < receive.len() && !is_ending {
                        break;
                    }
                }
                Err(e) if e.kind() == ErrorKind::WouldBlock => break,
                Err(e) if e.kind() == ErrorKind::Interrupted => {}
                Err(_) => self.leave(id),
            }
        }
        self.receive = receive;
    }

    /// Heads and frames out of what was read; a part of one is kept.
    fn take(&mut self, id: usize, input: &mut [u8]) {
        let peer = &mut self.peers[id];
        if peer.partial.is_empty() {
            let used = self.take_whole(id, input);
            if used < input.len() {
                self.peers[id].partial.extend_from_slice(&input[used..]);
            }
            return;
        }
        let mut joined = std::mem::take(&mut peer.partial);
        joined.extend_from_slice(input);
        let used = self.take_whole(id, &mut joined);
        joined.drain(..used);
        if let Some(peer) = self.peers.get_mut(id) {
            peer.partial = joined;
        }
    }

    fn take_whole(&mut self, id: usize, input: &mut [u8]) -> usize {
        let mut used = 0;
        while let Some(peer) = self.peers.get(id) {
            let rest = &mut input[used..];
            let taken = match peer.seat {
                Seat::Door => self.open(id, rest),
                seat => match unmasked(rest) {
                    Some((frame, end)) => {
                        self.send(id, seat, &rest[frame..end]);
                        Some(end)
                    }
                    None => None,
                },
            };
            match taken {
                Some(taken) => used += taken,
                None => break,
            }
        }
        used
    }

    /// Answers a handshake, once it is whole, and takes the peer to its room.
    fn open(&mut self, id: usize, head: &[u8]) -> Option<usize> {
        let end = head.windows(4).position(|bytes| bytes == b"\r\n\r\n")? + 4;
        let head = &head[..end];
        let path = head.split(|byte| *byte == b' ').nth(1).unwrap_or_default();
        let seat = match path {
            b"/echo" => Seat::Echo,
            path => Seat::Room(self.enter(id, path)),
        };
        self.peers[id].seat = seat;
        let accept =
            STANDARD.encode(Sha1::new().chain_update(key(head)).chain_update(GUID).finalize());
        let answer = format!(
            "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Accept: {accept}\r\n\r\n"
        );
        send_all(&self.peers[id].stream, answer.as_bytes());
        Some(end)
    }

    fn enter(&mut self, id: usize, path: &[u8]) -> usize {
        let room = match self.names.get(path) {
            Some(&room) => room,
            None => {
                let room = self.rooms.insert(Room::default());
                self.names.insert(path.to_vec(), room);
                room
            }
        };
        self.rooms[room].members.push(id);
        room
    }

    fn leave(&mut self, id: usize) {
        let Peer { seat, .. } = self.peers.remove(id);
        if let Seat::Room(room) = seat {
            self.rooms[room].members.retain(|member| *member != id);
        }
    }

    fn send(&mut self, id: usize, seat: Seat, frame: &[u8]) {
        match seat {
            Seat::Room(room) if self.is_batched => {
                let round = &mut self.rooms[room].round;
                if round.is_empty() {
                    self.spoken.push(room);
                }
                round.extend_from_slice(frame);
            }
            Seat::Room(room) => {
                for member in &self.rooms[room].members {
                    send_all(&self.peers[*member].stream, frame);
                }
            }
            Seat::Echo => send_all(&self.peers[id].stream, frame),
            Seat::Door => {}
        }
    }

    fn send_rounds(&mut self) {
        for room in self.spoken.drain(..) {
            let Room { members, round } = &mut self.rooms[room];
            for member in members {
                send_all(&self.peers[*member].stream, round);
            }
            round.clear();
        }
    }
}

/// Sends everything, however long the peer takes: nothing is ever queued. One that has gone is found out by reading.
fn send_all(mut stream: &TcpStream, mut bytes: &[u8]) {
    while !bytes.is_empty() {
        match stream.write(bytes) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(e) if e.kind() == ErrorKind::WouldBlock => std::thread::yield_now(),
            Err(e) if e.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

/// Turns the masked frame that `input` begins with into an unmasked one, where it lies: the header is moved up over the
/// key. Answers with where it begins and ends, once it is whole.
fn unmasked(input: &mut [u8]) -> Option<(usize, usize)> {
    let length = usize::from(input.get(1)? & 0x7F);
    let (header_bytes, payload_bytes) = match length {
        126 => (4, usize::from(u16::from_be_bytes(*input.get(2..)?.first_chunk()?))),
        127 => (10, usize::try_from(u64::from_be_bytes(*input.get(2..)?.first_chunk()?)).ok()?),
        short => (2, short),
    };
    let key = *input.get(header_bytes..)?.first_chunk()?;
    let payload = header_bytes + 4;
    let end = payload + payload_bytes;
    mask::apply(input.get_mut(payload..end)?, key);
    input[1] &= 0x7F;
    input.copy_within(..header_bytes, 4);
    Some((4, end))
}

fn key(head: &[u8]) -> &[u8] {
    let name = b"sec-websocket-key:";
    let mut lines = head.split(|byte| *byte == b'\n');
    let line = lines
        .find(|line| line.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name)));
    line.map_or(&[][..], |line| line[name.len()..].trim_ascii())
}

/// RFC 6455 §1.3.
const GUID: &[u8] = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ws::Frame;

    #[test]
    fn a_masked_frame_is_unmasked_where_it_lies() {
        for payload_bytes in [0, 1, 125, 126, 65_535, 65_536] {
            let frame = Frame::binary(&vec![0xA5; payload_bytes]);
            let mut input = Vec::new();
            frame.append_masked([1, 2, 3, 4], &mut input);
            let whole = input.len();
            for cut in [0, 1, 5, whole - 1] {
                let mut part = input[..cut].to_vec();
                assert_eq!(unmasked(&mut part), None, "{cut} of {whole}");
                assert!(part == input[..cut], "a part is left as it is");
            }
            input.extend_from_slice(b"rest");
            assert_eq!(unmasked(&mut input), Some((4, whole)));
            assert!(input[4..whole] == *frame.as_bytes(), "{payload_bytes} bytes");
        }
    }

    #[test]
    fn the_key_is_found_whatever_its_case() {
        for name in ["Sec-WebSocket-Key", "sec-websocket-key"] {
            let head = format!("GET / HTTP/1.1\r\nHost: x\r\n{name}:  abc \r\n\r\n");
            assert_eq!(key(head.as_bytes()), b"abc");
        }
    }
}
