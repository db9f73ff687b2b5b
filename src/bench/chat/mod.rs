//! `chat`: the same questions asked of the chat, by sessions that sign in as guests and speak its protocol.
//!
//! Owns what a measurement of the chat has and one of raw rooms has not: a log to keep, rooms to open, and the same
//! load in raw rooms beside it, with messages as long as the chat's entries are.

mod absent;
mod idle;
mod post;
mod rooms;
mod storm;

use std::path::PathBuf;

use clap::{Args, Subcommand};

pub(super) use self::idle::Idle;
pub(super) use self::post::Post;
pub(super) use self::storm::Storm;
use super::server::Keeping;
use super::subject::Yardstick;
use super::{About, ROOMS};

/// What of the chat is measured.
#[derive(Subcommand, Clone, Debug)]
pub(super) enum Mode {
    /// Members of rooms, some of whom post: posts acknowledged, deliveries, latency, and CPU.
    Post(Post),
    /// Sessions that sign in, join the lobby, and say nothing.
    Idle(Idle),
    /// Kills the server under its sessions, and lets all come back at once for what they have missed.
    Storm(Storm),
}

/// Where the server that is started for it keeps its log.
#[derive(Args, Clone, Debug)]
struct Log {
    /// Keep the log in memory. Default: in a file, since what it lies on decides what a post costs.
    #[arg(long)]
    memory: bool,

    /// Directory for the log's file, which is made for each measurement and removed after it.
    #[arg(long, value_name = "DIR", default_value_os_t = std::env::temp_dir(), conflicts_with = "memory")]
    data: PathBuf,
}

impl Log {
    fn keeping(&self) -> Keeping {
        match self.memory {
            true => Keeping::Memory,
            false => Keeping::File { under: self.data.clone() },
        }
    }

    /// For the report.
    fn name(&self) -> String {
        match self.memory {
            true => "in memory".to_owned(),
            false => format!("a file in {}", self.data.display()),
        }
    }
}

/// What every measurement of the chat says of itself.
fn about<'a>(log: &Log, rest: About<'a>) -> About<'a> {
    About { path: "/ws", path_beside: ROOMS, keeping: log.keeping(), ..rest }
}

/// What the chat is held against.
const BESIDE: &[Yardstick] = &[Yardstick::Relay, Yardstick::Floor, Yardstick::Batched];
