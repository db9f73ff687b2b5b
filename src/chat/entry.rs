//! What a room's log holds.
//!
//! An [`Entry`] is what happened, as it is committed and published. A [`Record`] is an entry as the log has it now: of a post,
//! with what later entries made of it.

use std::sync::Arc;

use super::name::Name;
use super::now::UnixMs;
use super::person::Author;
use super::role::Role;
use super::room_id::RoomKind;
use super::seq::Seq;
use super::text::{Body, Emoji, PostKey, bytes_sent};

/// One thing that happened in a room, for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its place in the room's log.
    pub seq: Seq,
    /// When it was asked for.
    pub at: UnixMs,
    /// Who did it.
    pub from: Author,
    /// What was done.
    pub what: What,
}

/// What can happen in a room.
///
/// Whatever names a post by `seq` was checked when it was committed: the post is in this log, and was not deleted then.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// Somebody said something.
    Post(Post),
    /// A post that was deleted; its place stays. Only ever read, never appended.
    Tombstone,
    /// A post's text became another. `None` when the post was deleted afterwards.
    Edit {
        /// The post.
        post: Seq,
        /// Its text from now on.
        body: Option<Body>,
    },
    /// A post was deleted by its author or a moderator.
    Delete {
        /// The post.
        post: Seq,
    },
    /// A reaction was put to a post (`on`) or taken back.
    React {
        /// The post.
        post: Seq,
        /// The reaction.
        emoji: Emoji,
        /// Put or taken back.
        on: bool,
    },
    /// A post was pinned (`on`) or unpinned.
    Pin {
        /// The post.
        post: Seq,
        /// Pinned or unpinned.
        on: bool,
    },
    /// The room began, with these members.
    Created {
        /// How people come to be in it.
        kind: RoomKind,
        /// What it is called; of a direct room nothing.
        title: Option<Arc<str>>,
        /// Who is in it from the first, the creator included.
        members: Arc<[(Author, Role)]>,
    },
    /// An account joined an open room of its own accord.
    Join,
    /// A member left of its own accord.
    Leave,
    /// A member was added.
    Add {
        /// Who.
        user: Author,
        /// As what.
        role: Role,
    },
    /// A member was put out; in an open room it may come back.
    Remove {
        /// Who.
        user: Author,
    },
    /// A member was given another role.
    Role {
        /// Who.
        user: Author,
        /// From now on.
        role: Role,
    },
    /// The room was given another title.
    Rename {
        /// From now on.
        title: Arc<str>,
    },
    /// A person was put out, and may not come back (`on`); or may again.
    Ban {
        /// Who.
        user: Author,
        /// Banned or no longer.
        on: bool,
    },
    /// A member may not post until a moment; 0: may again.
    Mute {
        /// Who.
        user: Author,
        /// Until when.
        until: UnixMs,
    },
    /// How the room takes posts.
    Mode(Mode),
}

/// A post, as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Post {
    /// What makes it idempotent.
    pub key: Option<PostKey>,
    /// The text.
    pub body: Body,
    /// The post that it answers.
    pub reply_to: Option<Seq>,
    /// Who is mentioned by `@name`, as resolved when it was posted.
    pub mentions: Arc<[Author]>,
}

/// How a room takes posts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Mode {
    /// Only admins and the owner post.
    pub read_only: bool,
    /// At least this long between two posts of one member; admins and the owner excepted. 0: no wait.
    pub slow_ms: u32,
}

impl Entry {
    /// Bytes of what people wrote in it, names that it carries included, [as they are sent](bytes_sent).
    pub fn text_bytes(&self) -> usize {
        let name = |author: &Author| bytes_sent(author.name.as_str());
        match &self.what {
            What::Post(post) => {
                let key = post.key.as_ref().map_or(0, |key| bytes_sent(key.as_str()));
                key + bytes_sent(post.body.as_str()) + post.mentions.iter().map(name).sum::<usize>()
            }
            What::Edit { body, .. } => body.as_ref().map_or(0, |body| bytes_sent(body.as_str())),
            What::React { emoji, .. } => bytes_sent(emoji.as_str()),
            What::Created { title, members, .. } => {
                let title = title.as_ref().map_or(0, |title| bytes_sent(title));
                title + members.iter().map(|(member, _)| name(member)).sum::<usize>()
            }
            What::Rename { title } => bytes_sent(title),
            What::Add { user, .. }
            | What::Remove { user }
            | What::Role { user, .. }
            | What::Ban { user, .. }
            | What::Mute { user, .. } => name(user),
            What::Tombstone
            | What::Delete { .. }
            | What::Pin { .. }
            | What::Join
            | What::Leave
            | What::Mode(_) => 0,
        }
    }
}

impl What {
    /// True for what changes who may do what. Decisions are made against the last of these; see
    /// [`Append::basis`](super::log::Append::basis).
    pub fn changes_rules(&self) -> bool {
        match self {
            What::Post(_)
            | What::Tombstone
            | What::Edit { .. }
            | What::Delete { .. }
            | What::React { .. }
            | What::Pin { .. }
            | What::Rename { .. } => false,
            What::Created { .. }
            | What::Join
            | What::Leave
            | What::Add { .. }
            | What::Remove { .. }
            | What::Role { .. }
            | What::Ban { .. }
            | What::Mute { .. }
            | What::Mode(_) => true,
        }
    }

    /// True for what a history shows as a line of its own. The others change a line, and are folded into its [`Record`].
    pub fn is_line(&self) -> bool {
        !matches!(
            self,
            What::Edit { .. } | What::Delete { .. } | What::React { .. } | What::Pin { .. }
        )
    }
}

/// An entry as the log has it now. A post's text is that of its last edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// What happened; a deleted post is a [`What::Tombstone`].
    pub entry: Entry,
    /// What later entries made of a post.
    pub marks: Marks,
}

/// What later entries made of a post.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Marks {
    /// When it was last edited.
    pub edited: Option<UnixMs>,
    /// Whether it is pinned.
    pub pinned: bool,
    /// Its reactions, in the order in which each was first used.
    pub reactions: Vec<Reaction>,
}

/// One emoji under a post.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reaction {
    /// The emoji.
    pub emoji: Emoji,
    /// Who put it, earliest first.
    pub users: Vec<Name>,
}

/// How many reactions a post has room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReactionsMax {
    /// Different ones.
    pub emoji: u16,
    /// People under each of them.
    pub people: u16,
}

impl Record {
    /// Bytes of what people wrote in it and put to it, as they are sent.
    pub fn bytes(&self) -> usize {
        self.entry.text_bytes() + self.marks.reactions.iter().map(Reaction::bytes).sum::<usize>()
    }
}

impl Reaction {
    /// Bytes of it and its names as they are sent. What stands between them counts too: there can be thousands.
    pub fn bytes(&self) -> usize {
        let names = self.users.iter().map(Self::name_bytes);
        Self::emoji_bytes(&self.emoji) + names.sum::<usize>()
    }

    /// Bytes of one that has no name yet.
    pub fn emoji_bytes(emoji: &Emoji) -> usize {
        bytes_sent(emoji.as_str()) + BYTES_AROUND_EMOJI
    }

    /// Bytes that a name adds to one.
    pub fn name_bytes(name: &Name) -> usize {
        bytes_sent(name.as_str()) + BYTES_AROUND_NAME
    }
}

impl ReactionsMax {
    /// Whether somebody may react in this way, for all that others have put there.
    pub fn leave_room(self, there: &[Reaction], emoji: &Emoji, by: &Name) -> bool {
        let (same, different): (Vec<_>, Vec<_>) =
            there.iter().partition(|reaction| reaction.emoji == *emoji);
        let others = same.iter().flat_map(|reaction| &reaction.users).filter(|user| *user != by);
        different.len() < self.emoji.into() && others.count() < self.people.into()
    }
}

impl From<Entry> for Record {
    /// An entry that nothing has been made of yet.
    fn from(entry: Entry) -> Self {
        Self { entry, marks: Marks::default() }
    }
}

/// What is written of a reaction besides its emoji and its names: the object with its fields, and a comma.
const BYTES_AROUND_EMOJI: usize = 24;
/// Two quotes and a comma.
const BYTES_AROUND_NAME: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_for_so_many_different_reactions_and_so_many_people_under_each() {
        let reaction = |emoji, users: &[&str]| Reaction {
            emoji: Emoji::stored(emoji),
            users: users.iter().map(|user| Name::stored(user)).collect(),
        };
        let there = [reaction("👍", &["ana", "bo"]), reaction("🎉", &["ana"])];
        let leave_room = |emoji, people, put, by| {
            let (put, by) = (Emoji::stored(put), Name::stored(by));
            ReactionsMax { emoji, people }.leave_room(&there, &put, &by)
        };
        for (emoji, people, put, by, expected) in [
            (3, 3, "👍", "cy", true),
            (3, 2, "👍", "cy", false),
            (3, 2, "👍", "bo", true),
            (2, 2, "🎉", "cy", true),
            (2, 1, "🎉", "cy", false),
            (3, 1, "🍵", "cy", true),
            (2, 1, "🍵", "ana", false),
        ] {
            let has_room = leave_room(emoji, people, put, by);
            assert_eq!(has_room, expected, "{put} by {by}, {emoji} and {people}");
        }
    }
}
