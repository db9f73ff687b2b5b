//! Raw rooms: the smallest useful [`Service`], and the relay that a program can embed.
//!
//! Owns which room a connection is in. It never looks into a message: what a member sends goes to all members byte for
//! byte, text as text and binary as binary. No history, no accounts, no JSON.
//!
//! | path | what it does |
//! | --- | --- |
//! | `/relay/ROOM` | joins a room: each message goes to all its members, the sender included |
//! | `/relay/ROOM?echo=off` | the same, but the sender does not get its own |
//! | `/echo` | sends each message back to its sender alone |
//!
//! Invariant: a room exists while it has members, so rooms are bounded by connections.

use std::collections::HashMap;

use slab::Slab;

use crate::engine::{
    Actions, AudienceId, Caller, ConnId, ConnMap, Ending, Reply, Service, Upgrade,
};
use crate::http::{Request, Response, Status};
use crate::ws::{Message, Refusal};

/// Raw rooms and the echo probe.
///
/// On its own it is a whole [`Service`]:
///
/// ```no_run
/// use wsrelay::{Config, engine::Engine, relay::Relay};
///
/// let mut engine = Engine::new(Config::default())?;
/// engine.listen("127.0.0.1:8080".parse().unwrap())?;
/// engine.run(&mut Relay::new())?;
/// # Ok::<(), std::io::Error>(())
/// ```
///
/// A larger service can hand it the connections whose path [`Relay::serves`].
#[derive(Debug, Default)]
pub struct Relay {
    rooms: Slab<Room>,
    names: HashMap<Box<str>, u32>,
    seats: ConnMap<Seat>,
}

#[derive(Debug)]
struct Room {
    name: Box<str>,
    audience: AudienceId,
    members: u32,
}

/// Where a connection's messages go.
#[derive(Clone, Copy, Debug)]
enum Seat {
    Echo,
    Room { room: u32, echo: bool },
}

impl Relay {
    /// A relay without rooms.
    pub fn new() -> Self {
        Self::default()
    }

    /// True for the paths that are this service's: `/echo` and everything under `/relay/`.
    pub fn serves(path: &str) -> bool {
        path == "/echo" || path.starts_with("/relay/")
    }

    /// True for an open connection that this relay has let in.
    pub fn has(&self, id: ConnId) -> bool {
        self.seats.find(id).is_some()
    }

    /// Rooms with somebody in them.
    pub fn rooms(&self) -> usize {
        self.rooms.len()
    }

    /// Open connections that this relay has let in, those to `/echo` among them.
    pub fn members(&self) -> usize {
        self.seats.len()
    }

    fn enter(&mut self, name: RoomName<'_>, id: ConnId, actions: &mut Actions) -> u32 {
        let room = match self.names.get(name.0) {
            Some(&room) => room,
            None => self.open_room(name, actions),
        };
        let entered = &mut self.rooms[room as usize];
        entered.members += 1;
        actions.join(entered.audience, id);
        room
    }

    fn open_room(&mut self, name: RoomName<'_>, actions: &mut Actions) -> u32 {
        let audience = actions.open_audience();
        let room = self.rooms.insert(Room { name: name.0.into(), audience, members: 0 });
        let room = u32::try_from(room).expect("fewer rooms than connections");
        self.names.insert(name.0.into(), room);
        room
    }

    fn leave(&mut self, room: u32, actions: &mut Actions) {
        let left = &mut self.rooms[room as usize];
        left.members -= 1;
        if left.members == 0 {
            let Room { name, audience, .. } = self.rooms.remove(room as usize);
            self.names.remove(&name);
            actions.close_audience(audience);
        }
    }
}

impl Service for Relay {
    fn on_request(&mut self, _: Caller, request: &Request<'_>, _: &mut Actions) -> Reply {
        match Route::parse(request) {
            Ok(_) => Response::from(&Refusal::Upgrade).into(),
            Err(refusal) => refusal.into(),
        }
    }

    fn on_upgrade(
        &mut self,
        caller: Caller,
        request: &Request<'_>,
        actions: &mut Actions,
    ) -> Result<Upgrade, Response> {
        let seat = match Route::parse(request)? {
            Route::Echo => Seat::Echo,
            Route::Room { name, echo } => {
                Seat::Room { room: self.enter(name, caller.id, actions), echo }
            }
        };
        self.seats.insert(caller.id, seat);
        Ok(Upgrade::default())
    }

    fn on_message(&mut self, id: ConnId, message: Message<'_>, actions: &mut Actions) {
        match self.seats.find(id) {
            Some(Seat::Echo) => actions.send(id, message),
            Some(&Seat::Room { room, echo }) => {
                let audience = self.rooms[room as usize].audience;
                match echo {
                    true => actions.publish(audience, message),
                    false => actions.publish_except(audience, message, id),
                }
            }
            None => {}
        }
    }

    fn on_close(&mut self, id: ConnId, _: Ending, actions: &mut Actions) {
        if let Some(Seat::Room { room, .. }) = self.seats.remove(id) {
            self.leave(room, actions);
        }
    }
}

/// What a path asks for.
enum Route<'a> {
    Echo,
    Room { name: RoomName<'a>, echo: bool },
}

impl<'a> Route<'a> {
    fn parse(request: &Request<'a>) -> Result<Self, Response> {
        let path = request.target.path();
        if path == "/echo" {
            return Ok(Route::Echo);
        }
        let name = path.strip_prefix("/relay/").and_then(RoomName::parse).ok_or_else(not_found)?;
        let echo = match request.target.query_value("echo").as_deref() {
            None | Some("on") => true,
            Some("off") => false,
            Some(_) => return Err(bad_echo()),
        };
        Ok(Route::Room { name, echo })
    }
}

/// The name of a raw room: 1–64 of `A–Z a–z 0–9 . _ ~ -`, the characters that no URL needs to escape (RFC 3986 §2.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct RoomName<'a>(&'a str);

impl<'a> RoomName<'a> {
    fn parse(name: &'a str) -> Option<Self> {
        let is_allowed = |b: u8| b.is_ascii_alphanumeric() || b"._~-".contains(&b);
        ((1..=64).contains(&name.len()) && name.bytes().all(is_allowed)).then_some(Self(name))
    }
}

fn not_found() -> Response {
    Response::error(
        Status::NOT_FOUND,
        "not_found",
        "A room's name is 1 to 64 of A-Z a-z 0-9 . _ ~ - after /relay/.",
    )
}

fn bad_echo() -> Response {
    Response::error(Status::BAD_REQUEST, "bad_echo", "echo is either on or off.")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_name_is_what_a_url_carries_unescaped() {
        let longest = "a".repeat(64);
        for name in ["lobby", "A-Z", "0", ".", "..", "~", "_x.y-z~", &longest] {
            assert_eq!(RoomName::parse(name), Some(RoomName(name)));
        }
        let too_long = "a".repeat(65);
        for name in ["", "a/b", "a%20b", "ä", "a b", "a?b", "a+b", "\0", &too_long] {
            assert_eq!(RoomName::parse(name), None, "{name:?}");
        }
    }

    #[test]
    fn only_its_own_paths_are_served() {
        for path in ["/echo", "/relay/lobby", "/relay/", "/relay/a/b"] {
            assert!(Relay::serves(path), "{path}");
        }
        for path in ["/", "/echo/", "/relay", "/relays/x", "/ws"] {
            assert!(!Relay::serves(path), "{path}");
        }
    }
}
