//! Every limit of the chat, its value, and why. They are told to clients in `welcome`.

use super::entry::ReactionsMax;
use super::text;

/// What an operator can change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Characters of a post. 4,000 are a page and a half of prose; Slack takes as many.
    pub post_chars_max: usize,
    /// Whether persons without an account are let in.
    pub guests: bool,
    /// Commands of one connection: twice as many at once, and then so many a second. A page that loads asks a dozen at
    /// once. 0: any number.
    pub commands_per_second: u32,
    /// Posts and other entries of one person: three times as many at once, and then so many a second. 0: any number.
    pub entries_per_second: u32,
    /// Guests that are remembered at one time, present or not. Some hundred bytes each. One more takes the place of the one
    /// who would be forgotten next; if all are present, there is none.
    pub guests_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            post_chars_max: 4_000,
            guests: true,
            commands_per_second: 50,
            entries_per_second: 10,
            guests_max: 100_000,
        }
    }
}

/// Rooms that one `resume` names. More than anybody follows at once.
pub const RESUME_ROOMS_MAX: usize = 256;
/// Entries that a join replays; who has missed more reads the history, page by page.
pub const REPLAY_ENTRIES_MAX: u64 = 1_000;
/// Bytes of text that the replays of one request come to, all its rooms together: a quarter of what an outbox holds. Reactions
/// have what the texts leave of it: each is in the same replay as an entry of its own.
pub const REPLAY_BYTES_MAX: usize = 256 * 1024;
/// Bytes of names that one request is told of who is present, all its rooms together, before it is asked to come again for the
/// rest: a quarter of what an outbox holds. Whoever is in so many full rooms would else read too slowly each time.
pub const PRESENCE_BYTES_MAX: usize = 256 * 1024;
/// Entries that the replays of one request come to, all its rooms together: with the bytes of their texts and what JSON
/// adds they still fit an outbox.
pub const REPLAY_ENTRIES_TOGETHER_MAX: u64 = 2_000;
/// Lines of one history page.
pub const HISTORY_LINES_MAX: u16 = 200;
/// Hits of one search page.
pub const SEARCH_HITS_MAX: u16 = 50;
/// Characters of a search.
pub const SEARCH_CHARS_MAX: usize = 200;
/// Members of one page.
pub const MEMBERS_PER_PAGE_MAX: u16 = 200;
/// Banned persons of one page.
pub const BANS_PER_PAGE_MAX: u16 = 200;
/// Users of one page.
pub const USERS_PER_PAGE_MAX: u16 = 50;
/// Rooms with at most this many people present tell who comes, goes, writes and reads; larger ones tell only how many
/// there are. Beyond it each person's coming and going would cost more than what is said.
pub const PRESENCE_NAMES_MAX: usize = 200;
/// A person who lost the last connection counts as present for this long: a reload, a tunnel, a changed network.
pub const PRESENCE_GRACE_MS: u64 = 8_000;
/// A count of those present is sent at most this often.
pub const PRESENCE_COUNT_EVERY_MS: u64 = 2_000;
/// Somebody who writes is shown for this long after the last sign of it.
pub const TYPING_MS: u64 = 6_000;
/// A person's typing is passed on at most this often in one room.
pub const TYPING_EVERY_MS: u64 = 2_000;
/// Cursors are announced to a room, and given to the store, at most this often.
pub const CURSORS_EVERY_MS: u64 = 500;
/// Cursors of one room that are given to the store at one time; the others wait for the next. A crowd that reads along
/// moves more of them than are worth a transaction.
pub const CURSORS_PER_FLUSH_MAX: usize = 256;
/// An invite room without anybody in it is gone after this long.
pub const INVITE_GRACE_MS: u64 = 10 * 60 * 1_000;
/// Entries that an invite room keeps, and the bytes of their texts.
pub const INVITE_ENTRIES_MAX: usize = 1_000;
/// See [`INVITE_ENTRIES_MAX`].
pub const INVITE_BYTES_MAX: usize = 256 * 1024;
/// What the logs of all invite rooms together take of memory, all that stands around the texts included. Over it the largest
/// rooms forget first; so each of as many as there can be keeps 26 KiB, which is some dozens of posts.
pub const INVITES_BYTES_MAX: usize = 256 * 1024 * 1024;
/// Invite rooms at one time.
pub const INVITE_ROOMS_MAX: usize = 10_000;
/// With so many no guest begins another: crowds of guests come easily, and are not to take the places of accounts as well.
pub const INVITE_ROOMS_FOR_GUESTS_MAX: usize = 7_500;
/// Invite rooms that one guest has begun, as long as they last: more than one talks in at once, and so few that a few guests
/// do not take all places. Who has left one, or given it to another, has begun it all the same.
pub const INVITE_ROOMS_PER_GUEST_MAX: usize = 8;
/// The same of an account. To make one takes longer.
pub const INVITE_ROOMS_PER_ACCOUNT_MAX: usize = 100;
/// The last entries of a room that are kept ready, so that a crowd that comes back at once does not ask the disk.
pub const TAIL_ENTRIES_MAX: usize = 256;
/// See [`TAIL_ENTRIES_MAX`].
pub const TAIL_BYTES_MAX: usize = 64 * 1024;
/// What all rooms' tails together take of memory.
pub const TAILS_BYTES_MAX: usize = 64 * 1024 * 1024;
/// A guest who has gone is remembered this long: rooms joined, and the name.
pub const GUEST_GRACE_MS: u64 = 10 * 60 * 1_000;
/// The same of a guest who has joined nothing and done nothing. There is but the name to come back to; and who only comes
/// and goes, under one name after the other, takes few places.
pub const IDLE_GUEST_GRACE_MS: u64 = 60 * 1_000;
/// When to try again where as many guests are present as can be.
pub const GUESTS_FULL_AFTER_MS: u64 = 10_000;
/// Rooms that one person is a member of.
pub const ROOMS_PER_PERSON_MAX: usize = 1_000;
/// Durable rooms in all. Each costs some hundred bytes of memory.
pub const ROOMS_MAX: usize = 100_000;
/// Open rooms that are listed, the first by name. A list for people to look through; who knows a name can join any.
pub const OPEN_ROOMS_LISTED_MAX: usize = 1_000;
/// Posts of one room that are pinned at one time. More than anybody looks through, and a list of them is cheap.
pub const PINS_MAX: u16 = 100;
/// Different reactions to one post, and people who react in one way. More than anybody looks through; and what is put in order
/// when the post is read, and taken away when it is deleted, stays a moment's work.
pub const REACTIONS_MAX: ReactionsMax = ReactionsMax { emoji: 32, people: 1_000 };
/// Members of a group or an invite room.
pub const MEMBERS_MAX: usize = 10_000;
/// Mentions of one post; further ones are text.
pub const MENTIONS_MAX: usize = 50;
/// Sessions of one person at one time.
pub const SESSIONS_PER_PERSON_MAX: usize = 32;
/// Requests of one session that wait for the store; more are refused with `busy`.
pub const PENDING_PER_SESSION_MAX: u32 = 64;
/// How often a decision is taken anew because the rules changed while it was written; then the room is too lively to
/// say, and the asker is told to try again.
pub const DECISIONS_MAX: u8 = 8;
/// How often a replay is read anew because the room went on too fast while it was read; then it is given up.
pub const REPLAY_READS_MAX: u8 = 4;
/// When to try again what was refused because too much is under way.
pub const BUSY_AFTER_MS: u64 = 1_000;
/// The longest a member can be muted: a year.
pub const MUTE_MS_MAX: u64 = 365 * 24 * 3_600 * 1_000;
/// The longest wait between two posts that a room can ask for: an hour.
pub const SLOW_MS_MAX: u32 = 3_600 * 1_000;
/// Characters of a room's title.
pub const TITLE_CHARS_MAX: usize = 64;

/// True if `text` can be a room's title: 1–[`TITLE_CHARS_MAX`] characters, of which one can be seen and none is a control.
pub fn is_title(text: &str) -> bool {
    !text.chars().any(char::is_control) && text::Body::parse(text, TITLE_CHARS_MAX).is_ok()
}
