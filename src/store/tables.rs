//! What the log asks of whatever keeps it.
//!
//! [`Log`](super::log::Log) decides; [`Tables`] keep rows and know no rule. Those in use are made of SQL; a simulated world
//! can have its own.
//!
//! # Transactions
//!
//! * [`begin`](Tables::begin), then any number of reads and [changes](Tables::apply), then one
//!   [`commit`](Tables::commit) or [`rollback`](Tables::rollback). There is one transaction at a time, and nothing is read
//!   or changed outside of one.
//! * A read sees what was committed, and what its own transaction has changed so far.
//! * When `commit` has answered `Ok`, its changes are durable: no crash and no loss of power takes them back.
//! * When `commit` has answered `Err`, or after `rollback`, no later read sees any of them. But of a failed `commit` the
//!   disk may hold all: if the process or the power ends *before another commit has succeeded*, the tables, when they are
//!   opened again, have the whole of that transaction or nothing of it. A commit that succeeds afterwards settles it: it
//!   is gone for good.
//! * What was neither committed nor tried to be is lost when the process or the power ends, whole.
//! * After an `Err` of `begin`, `apply` or a read the transaction may have been rolled back already. `rollback` is called
//!   after each; it cannot fail, and does nothing where there is no transaction.
//!
//! Whoever remembers what was read has to forget it after each `Err`.

use std::sync::Arc;

use super::accounts::SessionNo;
use crate::chat::log::Create;
use crate::chat::{
    Author, Body, Emoji, Entry, Lapse, Mode, Name, PersonId, Post, PostKey, Profile, ReactionsMax,
    Role, RoomId, RoomKind, RoomNo, Seq, UnixMs,
};

/// Rows, in transactions. See the [module](self) for what those promise.
pub trait Tables {
    /// Begins a transaction.
    ///
    /// # Errors
    /// When there is none for now.
    fn begin(&mut self) -> Result<(), Fault>;

    /// Makes all changes since `begin` durable, or none.
    ///
    /// # Errors
    /// When it could not; then none is seen any more.
    fn commit(&mut self) -> Result<(), Fault>;

    /// Takes all changes since `begin` back, if there is a transaction.
    fn rollback(&mut self);

    /// Changes rows. What a change names is there, unless its own words say otherwise.
    ///
    /// # Errors
    /// When the transaction is lost: it has to be rolled back.
    fn apply(&mut self, change: Change<'_>) -> Result<(), Fault>;

    /// [Appends](Change::Append) a post with a key, unless its author gave this key in this room before: then nothing is
    /// changed, and the answer is the post that has it. Tables that can do both at once may.
    ///
    /// # Errors
    /// See [`apply`](Tables::apply).
    fn append_once(
        &mut self,
        room: RoomNo,
        entry: &Entry,
        posts: u64,
        digest: Digest,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault> {
        if let Some(kept) = self.keyed(room, entry.from.id, key)? {
            return Ok(Some(kept));
        }
        self.apply(Change::Append { room, entry, posts, digest: Some(digest) })?;
        Ok(None)
    }

    /// Where a room stands.
    ///
    /// # Errors
    /// As of all reads: [`Fault::Corrupt`] if the rows asked for are damaged, else the transaction is lost.
    fn head(&mut self, room: RoomNo) -> Result<Option<Head>, Fault>;

    /// The room that clients call so.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn room_called(&mut self, id: &RoomId) -> Result<Option<RoomNo>, Fault>;

    /// The room with the highest number.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn last_room(&mut self) -> Result<Option<RoomNo>, Fault>;

    /// The post that an author gave this key in this room, deleted or not.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn keyed(
        &mut self,
        room: RoomNo,
        author: PersonId,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault>;

    /// Whose the post at this place is; `None` if there is no post, or a deleted one.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn author_of_post(&mut self, room: RoomNo, post: Seq) -> Result<Option<PersonId>, Fault>;

    /// How many posts of a room are pinned, this one not counted.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn pinned_but(&mut self, room: RoomNo, post: Seq) -> Result<u64, Fault>;

    /// Whether a person may react to a post in this way: fewer others than `max` have, and there are fewer other ways.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn has_room_for_reaction(
        &mut self,
        post: (RoomNo, Seq),
        emoji: &Emoji,
        by: PersonId,
        max: ReactionsMax,
    ) -> Result<bool, Fault>;

    /// How many posts a room has up to and including this place, deleted ones too; 0 at [`Seq::START`].
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn posts_through(&mut self, room: RoomNo, seq: Seq) -> Result<u64, Fault>;

    /// How a member of a room stands.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn standing(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Standing>, Fault>;

    /// What stands against somebody who has gone from a room.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn lapse(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Lapse>, Fault>;

    /// How many mentions of a person in a room are kept.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn mentions(&mut self, room: RoomNo, person: PersonId) -> Result<u64, Fault>;

    /// True if an account, deleted or not, has this name's first [skeleton](Name::skeletons).
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn is_taken(&mut self, name: &Name) -> Result<bool, Fault>;

    /// The account with the highest number.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn last_person(&mut self) -> Result<Option<PersonId>, Fault>;

    /// The highest number that a log-in ever had, those that are closed included.
    ///
    /// # Errors
    /// See [`head`](Tables::head).
    fn last_session(&mut self) -> Result<Option<SessionNo>, Fault>;
}

/// Why the tables could not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// For now: the disk is full, broken or slow, or somebody else is at it.
    Unavailable,
    /// What is there does not agree with itself.
    Corrupt,
}

/// Where a room stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head {
    /// How people come to be in it.
    pub kind: RoomKind,
    /// Its last entry.
    pub seq: Seq,
    /// The last entry that changed the rules.
    pub rules: Seq,
    /// How many posts it has had.
    pub posts: u64,
}

impl Head {
    /// True if it is the lobby, and the person one of its members, as every account is.
    pub fn is_lobby_of(self, person: PersonId) -> bool {
        self.kind == RoomKind::Lobby && !person.is_guest()
    }
}

/// A post with a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keyed {
    /// Its place.
    pub seq: Seq,
    /// When it was asked for.
    pub at: UnixMs,
    /// What it said at first.
    pub digest: Digest,
}

/// What a post said at first, its text and what it answers, in 64 bits: enough to tell a repetition from another post,
/// for whoever sends both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Digest(pub u64);

impl Digest {
    /// Of a post as it was written.
    pub fn of(post: &Post) -> Self {
        let text = post.body.as_str().as_bytes();
        let mut crc = crc32fast::Hasher::new();
        crc.update(text);
        if let Some(Seq(seq)) = post.reply_to {
            crc.update(&seq.to_le_bytes());
        }
        // The length keeps apart what a text's last bytes would have in common with a place.
        let bytes = text.len() as u64 ^ (u64::from(post.reply_to.is_some()) << 31);
        Self((bytes << 32) | u64::from(crc.finalize()))
    }
}

/// How a member of a room stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// As what.
    pub role: Role,
    /// Until when they may not post; 0: they may.
    pub muted_until: UnixMs,
    /// The last entry that their devices have.
    pub received: Seq,
    /// The last entry that they have read.
    pub read: Seq,
    /// How many posts the room had when that was the last.
    pub posts_read: u64,
}

/// One change of rows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change<'a> {
    /// An entry is kept. It follows the last of its room.
    Append {
        /// Whose log.
        room: RoomNo,
        /// The entry: never a [`Tombstone`](crate::chat::What::Tombstone).
        entry: &'a Entry,
        /// How many posts the room has with it.
        posts: u64,
        /// Of a post with a key.
        digest: Option<Digest>,
    },
    /// A room is kept, without entries.
    Room {
        /// Its number: the next.
        room: RoomNo,
        /// All else of it.
        create: &'a Create,
    },
    /// This entry changed the rules.
    Rules {
        /// Of which room.
        room: RoomNo,
        /// The entry.
        seq: Seq,
    },
    /// A room has another title.
    Title {
        /// The room.
        room: RoomNo,
        /// Its title.
        title: &'a Arc<str>,
    },
    /// A room takes posts otherwise.
    Mode {
        /// The room.
        room: RoomNo,
        /// From now on.
        mode: Mode,
    },
    /// A member comes, or stands otherwise.
    Member {
        /// Of which room.
        room: RoomNo,
        /// Who.
        person: PersonId,
        /// From now on.
        standing: Standing,
    },
    /// A member goes, if there is one, and so do the mentions of it in the room.
    NoMember {
        /// Of which room.
        room: RoomNo,
        /// Who.
        person: PersonId,
    },
    /// Something stands against somebody who goes from a room, unless the account is deleted. Of the room's others that is
    /// forgotten which is [over](Lapse::is_over) by then.
    Lapse {
        /// From which room.
        room: RoomNo,
        /// Who.
        person: PersonId,
        /// What.
        lapse: Lapse,
        /// Since when.
        at: UnixMs,
    },
    /// Nothing stands any more against somebody who has gone from a room.
    NoLapse {
        /// From which room.
        room: RoomNo,
        /// Who.
        person: PersonId,
    },
    /// A person may not come in; or may again.
    Ban {
        /// Where.
        room: RoomNo,
        /// Who.
        person: PersonId,
        /// Banned or not.
        on: bool,
    },
    /// A post has another text. Nothing of the old one is kept.
    Edit {
        /// In which room.
        room: RoomNo,
        /// The post.
        post: Seq,
        /// Its text.
        body: &'a Body,
        /// Since when.
        at: UnixMs,
    },
    /// A post becomes a tombstone: its text and marks are wiped, and who is named in it. Its place, author, time, key and
    /// digest stay.
    Wipe {
        /// In which room.
        room: RoomNo,
        /// The post.
        post: Seq,
    },
    /// A reaction is kept, unless the same is; or is no longer.
    React {
        /// In which room.
        room: RoomNo,
        /// Of which post.
        post: Seq,
        /// The reaction.
        emoji: &'a Emoji,
        /// Whose.
        by: &'a Author,
        /// The entry that says so: reactions are in the order of these.
        seq: Seq,
        /// Kept or no longer.
        on: bool,
    },
    /// A post is pinned or not.
    Pin {
        /// In which room.
        room: RoomNo,
        /// The post.
        post: Seq,
        /// Pinned or not.
        on: bool,
    },
    /// A post mentions somebody.
    Mention {
        /// In which room.
        room: RoomNo,
        /// The post.
        post: Seq,
        /// Who is mentioned.
        person: PersonId,
    },
    /// Mentions of somebody need not be kept up to and including this place.
    MentionsRead {
        /// In which room.
        room: RoomNo,
        /// Of whom.
        person: PersonId,
        /// Up to here.
        through: Seq,
    },
    /// An account is kept.
    Person {
        /// Its number: the next.
        person: PersonId,
        /// Its name.
        name: &'a Name,
        /// Its password, hashed.
        phc: &'a Arc<str>,
        /// Since when.
        at: UnixMs,
    },
    /// An account was present, if there is one.
    Seen {
        /// Whose.
        person: PersonId,
        /// When.
        at: UnixMs,
    },
    /// An account has another password, if there is one that is not deleted.
    Password {
        /// Whose.
        person: PersonId,
        /// Hashed.
        phc: &'a Arc<str>,
    },
    /// An account has no password any more, if there is one that is not deleted.
    NoPassword {
        /// Whose.
        person: PersonId,
    },
    /// An account is shown otherwise, if there is one that is not deleted.
    Profile {
        /// Whose.
        person: PersonId,
        /// From now on.
        profile: &'a Profile,
    },
    /// An account is deleted, if there is one: password, profile, when it was seen, its log-ins, and what stands against it
    /// where it has gone from are wiped.
    NoPerson {
        /// Whose.
        person: PersonId,
    },
    /// A log-in is kept, used when it was opened.
    Session {
        /// Its number: higher than any before.
        no: SessionNo,
        /// Whose.
        person: PersonId,
        /// The SHA-256 of its token.
        token_sha256: &'a [u8; 32],
        /// Since when.
        at: UnixMs,
        /// What its owner tells it by.
        label: &'a Arc<str>,
    },
    /// A log-in was used, if there is one.
    SessionUsed {
        /// Which.
        no: SessionNo,
        /// When.
        at: UnixMs,
    },
    /// A log-in goes, if there is one.
    NoSession {
        /// Which.
        no: SessionNo,
    },
    /// All of a person's log-ins go.
    NoSessions {
        /// Whose.
        person: PersonId,
        /// But not this one.
        except: Option<SessionNo>,
    },
}
