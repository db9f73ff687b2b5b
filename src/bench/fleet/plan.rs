//! Who connects where, and what they say: the arithmetic of rooms, members and publishers.

use std::time::Duration;

use crate::bench::affinity::Cpu;
use crate::bench::options::Common;
use crate::bench::random;
use crate::bench::stamp::{self, Run};
use crate::bench::target::Target;

/// Who connects where, and what they say.
#[derive(Debug)]
pub(in crate::bench) struct Plan {
    pub(in crate::bench) target: Target,
    /// Member `i` is in room `i % rooms`.
    pub(in crate::bench) members: u32,
    pub(in crate::bench) rooms: u32,
    /// More connections, in a room of their own where nobody speaks.
    pub(in crate::bench) bystanders: u32,
    /// Members `0..publishers` publish.
    pub(in crate::bench) publishers: u32,
    pub(in crate::bench) message_bytes: usize,
    pub(in crate::bench) kind: Kind,
    pub(in crate::bench) run: Run,
    /// Handshakes under way at one time.
    pub(in crate::bench) window: u32,
    pub(in crate::bench) workers: u32,
    pub(in crate::bench) load_cpu: Option<Cpu>,
    /// How long a handshake or a greeting may take; and after how long a silence what is missing is lost.
    pub(in crate::bench) patience: Duration,
    /// Whether the time until a message's last receiver has it is of interest.
    pub(in crate::bench) tracks_last: bool,
}

/// What messages are sent as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::bench) enum Kind {
    Text,
    Binary,
}

impl Plan {
    /// Nobody connects and nobody speaks, where and as the flags say.
    pub(in crate::bench) fn quiet(target: Target, common: &Common) -> Self {
        Self {
            target,
            members: 0,
            rooms: 1,
            bystanders: 0,
            publishers: 0,
            message_bytes: 0,
            kind: Kind::Binary,
            run: Run::new(random()),
            window: common.window,
            workers: common.workers,
            load_cpu: common.load_cpu(),
            patience: common.patience,
            tracks_last: false,
        }
    }

    pub(in crate::bench) fn connections(&self) -> u32 {
        self.members + self.bystanders
    }

    pub(super) fn room_of(&self, member: u32) -> u32 {
        member % self.rooms
    }

    /// The room that a connection is in; bystanders hear none.
    pub(super) fn room_heard_by(&self, connection: u32) -> u32 {
        if connection < self.members { self.room_of(connection) } else { u32::MAX }
    }

    pub(super) fn members_of(&self, room: u32) -> u32 {
        self.members / self.rooms + u32::from(room < self.members % self.rooms)
    }

    /// How many publishers a room has at the most; publisher `p` is number `p / rooms` in its room.
    pub(super) fn publishers_per_room(&self) -> usize {
        self.publishers.div_ceil(self.rooms) as usize
    }

    pub(super) fn path_of(&self, connection: u32) -> String {
        if connection < self.members {
            self.target.path_of(&self.room_of(connection).to_string())
        } else {
            self.target.path_of("bystanders")
        }
    }

    pub(super) fn filler(&self) -> Vec<u8> {
        stamp::filler(self.message_bytes)
    }
}
