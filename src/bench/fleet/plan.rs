//! Who connects where, and what they say: the arithmetic of rooms, members and publishers.

use std::time::Duration;

use crate::bench::affinity::Cpu;
use crate::bench::options::Common;
use crate::bench::random;
use crate::bench::stamp::Run;
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
    pub(in crate::bench) language: Language,
    /// Whether members are in rooms, which are complete only when all of them are known to hear.
    pub(in crate::bench) greets: bool,
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

/// What messages look like.
#[derive(Clone, Debug)]
pub(in crate::bench) enum Language {
    /// A stamp and filler, so many bytes of it.
    Raw { kind: Kind, bytes: usize },
    /// Posts.
    Chat(Talk),
}

/// What is said in a chat.
#[derive(Clone, Debug)]
pub(in crate::bench) struct Talk {
    /// Ids of the rooms, by number.
    pub(in crate::bench) rooms: Vec<String>,
    /// The text of every post.
    pub(in crate::bench) body: String,
}

impl Talk {
    /// Nothing, but in the room where everybody is.
    pub(in crate::bench) fn in_the_lobby() -> Self {
        Self { rooms: vec![LOBBY.to_owned()], body: String::new() }
    }

    /// Posts in these rooms, with as much text as makes an entry so long.
    pub(in crate::bench) fn of_entries(rooms: Vec<String>, entry_bytes: usize) -> Self {
        let id_bytes = rooms.first().map_or(0, String::len);
        let text_bytes = entry_bytes.saturating_sub(ENTRY.len() + id_bytes).max(1);
        let body = WORDS.chars().cycle().take(text_bytes).collect();
        Self { rooms, body }
    }
}

/// What raw messages are sent as.
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
            language: Language::Raw { kind: Kind::Binary, bytes: 0 },
            greets: false,
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
        if let Language::Chat(_) = self.language {
            return format!("{}?nick={}", self.target.path, self.nick_of(connection));
        }
        if connection < self.members {
            self.target.path_of(&self.room_of(connection).to_string())
        } else {
            self.target.path_of("bystanders")
        }
    }

    /// The most that a message of ours takes.
    pub(super) fn message_bytes(&self) -> usize {
        match &self.language {
            Language::Raw { bytes, .. } => *bytes,
            Language::Chat(talk) => talk.body.len() + ENVELOPE_BYTES_MAX,
        }
    }

    /// A guest's name that is no one else's, and as long as any other.
    fn nick_of(&self, connection: u32) -> String {
        format!("b{}-{connection:06}", self.run)
    }

    pub(super) fn subprotocols(&self) -> &'static [&'static str] {
        match self.language {
            Language::Raw { .. } => &[],
            Language::Chat(_) => &["wsrelay.v1"],
        }
    }

    /// Why a server is not what it should be, when of all members only so many hear their room.
    pub(super) fn complaint(&self, hear: u32) -> String {
        let Self { target, members, patience, .. } = self;
        match self.language {
            Language::Raw { .. } => format!(
                "{target} is no relay: {hear} of {members} members heard a message to their room within {patience:?}"
            ),
            Language::Chat(_) => format!(
                "{target} is no chat: {hear} of {members} members were let into their room within {patience:?}"
            ),
        }
    }
}

/// The room that everybody is in.
pub(in crate::bench) const LOBBY: &str = "lobby";
/// An entry of ours without its room and text.
const ENTRY: &str = r#"{"type":"entry","room":"","seq":1000,"kind":"post","from":"b000000-000000","guest":true,"at":"2026-11-21T02:06:48.123Z","key":"00000000000000000000000000000000","body":""}"#;
/// Text as people write it, for a server that indexes words.
const WORDS: &str = "the quick brown fox jumps over the lazy dog and ";
/// What stands around a post's text in JSON, and then some.
const ENVELOPE_BYTES_MAX: usize = 1024;
