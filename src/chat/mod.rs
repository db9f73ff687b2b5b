//! The chat: who is in which room, what they may do there, and what everybody is told.
//!
//! Owns people, rooms, memberships, roles, sessions, presence, cursors and the rates that people are held to. Pure: each
//! call is given the time and what it needs of chance, and records what is to be done as [`Effect`]s. It must never know
//! sockets, JSON, SQL, threads, a clock or where chance comes from. Nothing depends on the order of a hash table: the same
//! calls have the same effects.
//!
//! # The path of a post
//!
//! ```text
//! Chat::apply ── reading.rs or whispers: answered at once, or read from the log
//!      │
//!      ▼
//! posting.rs     decides upon the state in memory (permission.rs, rate.rs)
//!      │                     ▲
//!      │ Effect::Write       │ Written::Stale: the rules have changed, decide anew
//!      ▼                     │
//!   the log, which gives the entry its place and commits it
//!      │ Chat::written
//!      ▼
//! committing.rs  the asker is answered, the state follows the entry, all who are attached are told
//! ```
//!
//! # Where to look
//!
//! | what | where |
//! | --- | --- |
//! | the words: what is asked, told, wanted done, kept | `command`, `event`, `effect`, `entry`, `log`, … (all public) |
//! | everybody, and how they come and go | `people`, `accounts`, `sessions`, `connecting` |
//! | a room's state, and what an entry changes | `room`, `members`, `lapse`, `slow`, `rooms`, `committing`, `membership`, `creating` |
//! | who may do what | `permission`, `deciding`, `rate` |
//! | being sent what happens, without a gap | `joining`, `joins`, `replay`, `tail` |
//! | what is not kept in the log | `presence`, `typing`, `cursors` |
//! | requests that change nothing | `reading`, `summary` |
//! | rooms in memory only | `invites`, `memory_log` |
//! | what waits, and for when | `pending`, `timers`, `routing` |
//! | how they are held | `keys`, `slots`, `few` |
//!
//! # Invariants
//!
//! * What is durable changes in memory only by an entry that the log has committed, and in the log's order.
//! * Nobody is sent anything of a room that they may not read at that moment: what waited for the log is decided anew when
//!   the answer comes.
//! * Every request is answered exactly once, unless its session goes first.
//! * What a post costs here does not depend on how many are in the room.

pub mod command;
pub mod effect;
pub mod entry;
pub mod event;
pub mod lapse;
pub mod limits;
pub mod log;
pub mod name;
pub mod now;
pub mod person;
pub mod refusal;
pub mod role;
pub mod room_id;
pub mod seq;
pub mod text;

mod accounts;
mod committing;
mod connecting;
mod creating;
mod cursors;
mod deciding;
mod few;
mod invites;
mod joining;
mod joins;
mod keys;
mod members;
mod membership;
mod memory_log;
mod mention;
mod out;
mod pending;
mod people;
mod permission;
mod posting;
mod presence;
mod rate;
mod reading;
mod replay;
mod room;
mod rooms;
mod routing;
mod sessions;
mod slots;
mod slow;
mod summary;
mod tail;
mod timers;
mod typing;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

pub use command::{Act, Command, HistoryFrom, NewRoom, Request, RequestId, Whisper};
pub use effect::{CallId, CloseReason, Effect, ReplyTo, RoomKey, SessionId};
pub use entry::{Entry, Marks, Mode, Post, Reaction, ReactionsMax, Record, What};
pub use event::{
    Answer, Event, Hit, Joined, Member, OutReason, Presence, Recovered, RoomSummary, Unread, User,
    Welcome,
};
pub use lapse::Lapse;
pub use limits::Limits;
pub use memory_log::MemoryLog;
pub use name::{Name, NameFault, Skeleton};
pub use now::{Now, UnixMs};
pub use person::{Author, PersonId, Profile};
pub use refusal::Refusal;
pub use role::Role;
pub use room_id::{RoomId, RoomKind, RoomNo};
pub use seq::{Epoch, Seq, Since};
pub use text::{Body, BodyFault, Emoji, PostKey};

use keys::{PersonKey, SessionKey};
use log::{ReadOut, Restored, Ticket, Written};
use out::Out;
use pending::{Asked, Pending};
use people::People;
use rate::Rate;
use room::Room;
use rooms::{Pair, Rooms};
use sessions::Sessions;
use tail::Tails;
use timers::{Timer, Timers};

/// The chat.
///
/// Each call appends to `effects` what is to be done, in that order. `now` must not go back on its monotonic clock.
///
/// ```
/// use wsrelay::chat::log::{Restored, RestoredRoom};
/// use wsrelay::chat::*;
///
/// // A log in memory; a server's is on disk, and answers later.
/// let mut log = MemoryLog::bounded(1_000, 1 << 20, 1 << 30);
/// let lobby = RestoredRoom::lobby(log.begin(RoomId::lobby()), Epoch::new(7));
/// let restored = Restored { people: Vec::new(), rooms: vec![lobby] };
/// let mut chat = Chat::new(Limits::default(), restored);
///
/// let (ana, session, now) = (PersonId::guest(1), SessionId(1), Now::default());
/// let mut effects = Vec::new();
/// chat.guest(Name::parse("ana").unwrap(), ana, now, &mut effects)?;
/// chat.connect(session, ana, now, &mut effects)?;
/// assert!(matches!(effects[..], [Effect::Send(_, Event::Welcome(_))]));
///
/// effects.clear();
/// let (room, body) = (RoomId::lobby(), Body::parse("hi", 4_000).unwrap());
/// let request = Request::Post { room, key: None, body, reply_to: None };
/// chat.apply(session, Command::Request { id: RequestId(1), request }, now, &mut effects);
/// let Some(Effect::Write(ticket, write)) = effects.pop() else { panic!("nothing is said yet") };
///
/// let written = log.write(write);
/// chat.written(ticket, written, now, &mut effects);
/// assert!(matches!(effects[..], [Effect::Send(_, Event::Ok(RequestId(1), _))]));
/// # Ok::<(), Refusal>(())
/// ```
#[derive(Debug)]
pub struct Chat {
    limits: Limits,
    commands: Rate,
    entries: Rate,

    people: People,
    rooms: Rooms,
    sessions: Sessions,
    /// The log of the invite rooms.
    memory: MemoryLog,
    tails: Tails,

    pending: Pending,
    /// Who waits for a direct room that is under way.
    pairs: BTreeMap<Pair, Vec<Ticket>>,
    /// Durable rooms that are under way.
    rooms_under_way: usize,
    /// Sessions whose joins can go on.
    joining: VecDeque<SessionKey>,
    /// What nobody waits for and could not be written.
    chores: Vec<Asked>,
    /// Rooms whose last owner was deleted before the program ended, until they are seen to.
    orphans: Vec<(RoomId, PersonKey)>,
    timers: Timers,

    /// No mentions, as most posts have them.
    nobody: Arc<[Author]>,
    out: Out,
}

impl Chat {
    /// The chat as the log has it.
    ///
    /// # Panics
    /// If there is no lobby among the rooms.
    pub fn new(limits: Limits, restored: Restored) -> Self {
        let mut people = People::restore(restored.people);
        let commands =
            Rate::new(limits.commands_per_second, limits.commands_per_second.saturating_mul(2));
        let entries =
            Rate::new(limits.entries_per_second, limits.entries_per_second.saturating_mul(3));
        let (rooms, orphans) = Rooms::restore(restored.rooms, &mut people);
        let mut timers = Timers::default();
        if !orphans.is_empty() {
            timers.set(0, Timer::Orphans);
        }
        Self {
            limits,
            commands,
            entries,
            rooms,
            people,
            sessions: Sessions::new(),
            memory: MemoryLog::bounded(
                limits::INVITE_ENTRIES_MAX,
                limits::INVITE_BYTES_MAX,
                limits::INVITES_BYTES_MAX,
            ),
            tails: Tails::default(),
            pending: Pending::new(),
            pairs: BTreeMap::new(),
            rooms_under_way: 0,
            joining: VecDeque::new(),
            chores: Vec::new(),
            orphans,
            timers,
            nobody: Arc::from([]),
            out: Out::default(),
        }
    }

    /// How many rooms there are, those in memory included.
    pub fn rooms(&self) -> usize {
        self.rooms.durable() + self.rooms.invites()
    }

    /// True if a room's log is in memory only, and its entries never were an [`Effect::Write`].
    pub fn is_in_memory(&self, room: RoomKey) -> bool {
        self.rooms.get(room).is_some_and(Room::is_invite)
    }

    /// Who somebody is. `None` for the deleted, and for guests who are forgotten.
    pub fn person(&self, id: PersonId) -> Option<User> {
        self.people.find_living(id).map(|key| self.people[key].user())
    }

    /// Who is called so, in any case.
    pub fn named(&self, name: &Name) -> Option<PersonId> {
        self.people.named(name.as_str()).map(|key| self.people[key].author.id)
    }

    /// True if nobody has the name, or one that a reader would confuse with it: not as a name, not as a second one, not as
    /// an account that is deleted, and not while a registration is under way.
    pub fn is_free(&self, name: &Name) -> bool {
        self.people.is_free(name)
    }

    /// Keeps a name for a registration that is under way; false if it is not free. The name that a guest has is free for
    /// that guest.
    pub fn reserve(&mut self, name: &Name, guest: Option<PersonId>) -> bool {
        self.people.reserve(name, guest)
    }

    /// Gives back a reserved name for which there will be no account.
    pub fn release(&mut self, name: &Name) {
        self.people.release(name);
    }

    /// Takes in an account that the store has, under a name that was reserved for it. The first of all becomes the lobby's
    /// owner. A guest who had the name becomes the account: their rooms are its rooms, and their sessions are to come back.
    pub fn register(&mut self, author: Author, now: Now, effects: &mut Vec<Effect>) {
        self.serve(Some(now), effects, |chat| chat.take_in(author));
    }

    /// Shows a person otherwise, as the store has it already, or is about to.
    ///
    /// # Errors
    /// [`Refusal::NoUser`]; [`Refusal::NameTaken`] if the second name looks like somebody else's.
    pub fn set_profile(
        &mut self,
        person: PersonId,
        profile: Profile,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.serve(None, effects, |chat| chat.show_otherwise(person, profile))
    }

    /// Takes note that an account is deleted: its sessions are closed, and it leaves its rooms. Its name stays taken.
    pub fn delete_person(&mut self, person: PersonId, now: Now, effects: &mut Vec<Effect>) {
        self.serve(Some(now), effects, |chat| chat.let_go(person));
    }

    /// Lets a guest in, or keeps one for longer who is known already. If as many are remembered as can be, the one who would
    /// be forgotten next makes room.
    ///
    /// # Errors
    /// [`Refusal::GuestsNot`] if guests are not let in, [`Refusal::NameTaken`], [`Refusal::Full`] if all are present.
    pub fn guest(
        &mut self,
        name: Name,
        id: PersonId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.serve(Some(now), effects, |chat| chat.let_in(&Author { id, name }))
    }

    /// Takes in a connection of somebody who is known, and welcomes it.
    ///
    /// # Errors
    /// [`Refusal::NoUser`]; [`Refusal::TooMany`] if the person has as many sessions as can be.
    pub fn connect(
        &mut self,
        session: SessionId,
        person: PersonId,
        now: Now,
        effects: &mut Vec<Effect>,
    ) -> Result<(), Refusal> {
        self.serve(Some(now), effects, |chat| chat.come(session, person))
    }

    /// Takes note that a connection has gone, whoever ended it. What it asked for and is under way is still done.
    pub fn disconnect(&mut self, session: SessionId, now: Now, effects: &mut Vec<Effect>) {
        self.serve(Some(now), effects, |chat| chat.go(session));
    }

    /// Closes sessions whose log-in was ended.
    pub fn log_out(&mut self, sessions: &[SessionId], effects: &mut Vec<Effect>) {
        self.serve(None, effects, |chat| chat.close_all(sessions));
    }

    /// Serves what a session sent.
    pub fn apply(
        &mut self,
        session: SessionId,
        command: Command,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.serve(Some(now), effects, |chat| chat.obey(session, command));
    }

    /// Counts what a session sent and what was no command: it took as much to find that out.
    ///
    /// # Errors
    /// [`Refusal::Rate`] if it sends too much.
    pub fn misheard(&mut self, session: SessionId, now: Now) -> Result<(), Refusal> {
        self.serve(Some(now), &mut Vec::new(), |chat| chat.miscount(session))
    }

    /// Serves a request that came without a connection. A guest who is not known is let in first.
    pub fn call(
        &mut self,
        call: CallId,
        author: Author,
        request: Request,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.serve(Some(now), effects, |chat| chat.serve_call(call, &author, request));
    }

    /// Goes on with what waited for a write. Outcomes must be told in the order of commits.
    pub fn written(
        &mut self,
        ticket: Ticket,
        written: Written,
        now: Now,
        effects: &mut Vec<Effect>,
    ) {
        self.serve(Some(now), effects, |chat| chat.go_on_written(ticket, written));
    }

    /// Goes on with what waited for a read.
    pub fn read_out(&mut self, ticket: Ticket, read: ReadOut, now: Now, effects: &mut Vec<Effect>) {
        self.serve(Some(now), effects, |chat| chat.go_on_read(ticket, read));
    }

    /// The last call: writes down what else would be written later, since there is no later. Those are how far everybody has
    /// read, and when the accounts that are present were last so. What it tells anybody may stay untold.
    pub fn end(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.serve(Some(now), effects, |chat| {
            chat.flush_all_cursors();
            chat.note_who_was_present();
        });
    }

    /// When [`tick`](Self::tick) has something to do next, on the monotonic clock.
    pub fn next_deadline_ms(&self) -> Option<u64> {
        self.timers.next_ms()
    }

    /// Does what is due. Calling it early does nothing.
    pub fn tick(&mut self, now: Now, effects: &mut Vec<Effect>) {
        self.serve(Some(now), effects, Self::do_what_is_due);
    }

    /// Serves one call: what it wants done goes to `effects`, and joins that can go on do.
    fn serve<R>(
        &mut self,
        now: Option<Now>,
        effects: &mut Vec<Effect>,
        work: impl FnOnce(&mut Self) -> R,
    ) -> R {
        if let Some(now) = now {
            self.out.now = now;
        }
        // The caller's own list is written to: nothing is copied, and its memory is used again.
        std::mem::swap(&mut self.out.effects, effects);
        let result = work(self);
        while let Some(session) = self.joining.pop_front() {
            self.go_on_joining(session);
        }
        std::mem::swap(&mut self.out.effects, effects);
        result
    }
}
