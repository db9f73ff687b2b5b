//! Why a request is not done: one variant for each rule, and one table from variant to what the client is told.

use super::text::BodyFault;

/// Why a request is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such room, or none that this person may know of.
    NoRoom,
    /// There is no such person.
    NoUser,
    /// There is no such post in the room, or it was deleted.
    NoPost,
    /// The room is known to this person, who is no member of it.
    NotMember,
    /// The person's role does not allow it.
    NotAllowed,
    /// The person is banned from the room.
    Banned,
    /// The person may not post for a while.
    Muted {
        /// How long still.
        after_ms: u64,
    },
    /// The room takes posts from admins only.
    ReadOnly,
    /// The room makes its members wait between posts.
    Slow {
        /// How long still.
        after_ms: u64,
    },
    /// Too many commands, or entries, in too short a time.
    Rate {
        /// Try again after this.
        after_ms: u64,
    },
    /// Too many requests of this session wait for the store.
    Busy {
        /// Try again after this.
        after_ms: u64,
    },
    /// The store cannot write, or read, at present.
    Unavailable {
        /// Try again after this.
        after_ms: u64,
    },
    /// What was searched for takes too long to find; it was given up.
    TooCostly,
    /// What is stored does not agree with itself; it is not served.
    Corrupt,
    /// The post's text breaks a rule.
    Body(BodyFault),
    /// The key was used for a post with another content.
    KeyReused,
    /// The name is taken, or too like one that is.
    NameTaken,
    /// A guest cannot do that: it needs an account.
    GuestsNot,
    /// That is not done in a room of this kind.
    WrongKind,
    /// The member is one already.
    Already,
    /// The room would be without an owner.
    LastOwner,
    /// One cannot do that to oneself.
    Oneself,
    /// As many posts of the room are pinned as can be.
    TooManyPins,
    /// A limit is reached: of members, of rooms.
    TooMany,
    /// As many guests are present as can be.
    Full {
        /// Try again after this.
        after_ms: u64,
    },
}

impl Refusal {
    /// The word for programs, and the sentence for people.
    pub fn code_and_message(self) -> (&'static str, &'static str) {
        match self {
            Refusal::NoRoom => ("no_room", "There is no such room for you."),
            Refusal::NoUser => ("no_user", "There is nobody of that name."),
            Refusal::NoPost => ("no_post", "There is no such post, or it was deleted."),
            Refusal::NotMember => ("not_member", "You are not in that room."),
            Refusal::NotAllowed => ("not_allowed", "Your role in that room does not allow it."),
            Refusal::Banned => ("banned", "You are banned from that room."),
            Refusal::Muted { .. } => ("muted", "You cannot post in that room for now."),
            Refusal::ReadOnly => ("read_only", "Only admins post in that room."),
            Refusal::Slow { .. } => ("slow", "That room makes its members wait between posts."),
            Refusal::Rate { .. } => ("rate", "That is too much in too short a time."),
            Refusal::Busy { .. } => ("busy", "Too many of your requests are waiting."),
            Refusal::Unavailable { .. } => ("unavailable", "The store is not available for now."),
            Refusal::TooCostly => ("too_costly", "That search takes too long: use rarer words."),
            Refusal::Corrupt => ("corrupt", "What is stored there is damaged."),
            Refusal::Body(BodyFault::Empty) => ("body_empty", "A post needs something to see."),
            Refusal::Body(BodyFault::TooLong { .. }) => ("body_too_long", "The post is too long."),
            Refusal::KeyReused => ("key_reused", "That key was used for another post."),
            Refusal::NameTaken => ("name_taken", "That name is taken, or too like one that is."),
            Refusal::GuestsNot => ("guests_not", "That needs an account."),
            Refusal::WrongKind => ("wrong_kind", "That is not done in a room of this kind."),
            Refusal::Already => ("already", "That is so already."),
            Refusal::LastOwner => ("last_owner", "A room needs an owner: name another first."),
            Refusal::Oneself => ("oneself", "That cannot be done to oneself."),
            Refusal::TooManyPins => ("too_many_pins", "As many posts are pinned there as can be."),
            Refusal::TooMany => ("too_many", "A limit is reached."),
            Refusal::Full { .. } => ("full", "As many guests are here as can be. Try again soon."),
        }
    }

    /// Milliseconds after which the same request may well be granted; `None` where trying again does not help.
    pub fn after_ms(self) -> Option<u64> {
        match self {
            Refusal::Muted { after_ms }
            | Refusal::Slow { after_ms }
            | Refusal::Rate { after_ms }
            | Refusal::Busy { after_ms }
            | Refusal::Unavailable { after_ms }
            | Refusal::Full { after_ms } => Some(after_ms),
            _ => None,
        }
    }
}
