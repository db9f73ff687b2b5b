//! The log's rows in SQLite: the only place that knows SQL.
//!
//! [`Db`] is the writer's: it changes rows within transactions, as [`Tables`] asks for, and keeps the index for searches.
//! [`Reader`] reads, from a connection of its own, what is committed. Which rows there are is decided elsewhere; how they
//! lie in the file is in `schema`.

mod archive;
mod checkpoint;
mod entries;
mod examine;
mod fields;
mod governance;
mod index;
mod open;
mod pages;
mod people;
mod query;
mod restored;
mod row;
mod schema;
mod search;
mod snippet;
mod trouble;
mod words;

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;

pub use self::archive::{AccountState, Archive, ArchivedAccount, ArchivedLog, PAGE_ENTRIES};
pub(super) use self::checkpoint::{Backlog, Checkpointer};
pub use self::examine::{Examination, examine};
pub(super) use self::open::{Lock, open};
pub(super) use self::restored::Stored;

use self::open::Identity;
use self::query::Query;
use self::row::Row;
use self::trouble::{Complaints, Trouble};
use self::words::Words;
use super::accounts::SessionNo;
use super::tables::{Change, Digest, Fault, Head, Keyed, Standing, Tables};
use crate::chat::log::{Failure, Read, ReadOut};
use crate::chat::{
    Emoji, Entry, Lapse, Name, PersonId, PostKey, ReactionsMax, RoomId, RoomNo, Seq,
};

/// The writer's connection.
#[derive(Debug)]
pub(super) struct Db {
    connection: Connection,
    /// What the file was when it was opened; none of its own in memory.
    identity: Option<Identity>,
    /// The last row that is committed, in the order of commits, and the last that is not yet.
    last: i64,
    appended: Option<i64>,
    /// How far the index for searches reaches.
    indexed: i64,
    /// Known to wait for the disk at each commit.
    is_durable: bool,
    words: Words,
    complaints: Complaints,
}

impl Db {
    /// Rows that searches do not find yet.
    pub(super) fn unindexed(&self) -> u64 {
        (self.last - self.indexed).max(0).cast_unsigned()
    }

    /// The last row that is committed.
    pub(super) fn last(&self) -> i64 {
        self.last
    }

    /// How far searches see.
    pub(super) fn indexed(&self) -> i64 {
        self.indexed
    }

    /// Indexes at most so many rows more, in a transaction that need not be on the disk when this returns: if it is lost,
    /// the rows are indexed again.
    pub(super) fn index(&mut self, rows_max: usize) -> Result<(), Fault> {
        let through = self.last.min(self.indexed + i64::try_from(rows_max).unwrap_or(i64::MAX));
        let done = self.index_through(through);
        if done.is_err() {
            self.rollback();
        }
        self.tell("indexing", done)?;
        self.indexed = through;
        Ok(())
    }

    fn index_through(&mut self, through: i64) -> Result<(), Trouble> {
        self.set_durable(false)?;
        self.begin_transaction()?;
        index::extend(&self.connection, self.indexed, through)?;
        self.commit_transaction()
    }

    /// Whether a commit waits until the disk has it.
    fn set_durable(&mut self, is_durable: bool) -> Result<(), Trouble> {
        if self.is_durable != is_durable {
            // Whatever comes of it, the next that has to be durable makes sure.
            self.is_durable = false;
            let synchronous = if is_durable { "FULL" } else { "NORMAL" };
            self.connection.pragma_update(None, "synchronous", synchronous)?;
            self.is_durable = is_durable;
        }
        Ok(())
    }

    /// Reads, on this connection: for a place that has no other.
    pub(super) fn read(&mut self, read: &Read) -> ReadOut {
        let read = read_from(&mut self.connection, &mut self.words, read);
        read.unwrap_or_else(|trouble| ReadOut::Failed(failure(&mut self.complaints, &trouble)))
    }

    fn begin_transaction(&mut self) -> Result<(), Trouble> {
        if let Some(identity) = &self.identity {
            identity.check()?;
        }
        self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        Ok(())
    }

    fn commit_transaction(&mut self) -> Result<(), Trouble> {
        self.connection.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    fn change(&mut self, change: Change<'_>) -> Result<(), Trouble> {
        let db = &self.connection;
        match change {
            Change::Append { room, entry, posts, digest } => {
                let appended = entries::append(db, &Row::of(room, entry, posts, digest))?;
                self.appended = Some(appended.ok_or(Trouble::Damage)?);
                Ok(())
            }
            Change::Edit { room, post, body, at } => {
                entries::edit(db, (room, post), body, at, self.indexed)
            }
            Change::Wipe { room, post } => entries::wipe(db, (room, post), self.indexed),
            Change::React { room, post, emoji, by, seq, on } => {
                entries::react(db, (room, post), emoji, by, on.then_some(seq))
            }
            Change::Pin { room, post, on } => entries::pin(db, (room, post), on),
            Change::Room { room, create } => governance::create(db, room, create),
            Change::Rules { room, seq } => governance::set_rules(db, room, seq),
            Change::Title { room, title } => governance::set_title(db, room, title),
            Change::Mode { room, mode } => governance::set_mode(db, room, mode),
            Change::Member { room, person, standing } => {
                governance::put_member(db, room, person, &standing)
            }
            Change::NoMember { room, person } => governance::remove_member(db, room, person),
            Change::Lapse { room, person, lapse, at } => {
                governance::put_lapse(db, room, person, lapse, at)
            }
            Change::NoLapse { room, person } => governance::remove_lapse(db, room, person),
            Change::Ban { room, person, on } => governance::ban(db, room, person, on),
            Change::Mention { room, post, person } => governance::mention(db, room, person, post),
            Change::MentionsRead { room, person, through } => {
                governance::forget_mentions(db, room, person, through)
            }
            Change::Person { person, name, phc, at } => people::register(db, person, name, phc, at),
            Change::Seen { person, at } => people::seen(db, person, at),
            Change::Password { person, phc } => people::set_password(db, person, phc),
            Change::NoPassword { person } => people::set_password(db, person, people::NO_PASSWORD),
            Change::Profile { person, profile } => people::set_profile(db, person, profile),
            Change::NoPerson { person } => {
                people::delete(db, person)?;
                governance::forget_lapses(db, person)
            }
            Change::Session { no, person, token_sha256, at, label } => {
                people::open_session(db, no, person, token_sha256, at, label)
            }
            Change::SessionUsed { no, at } => people::use_session(db, no, at),
            Change::NoSession { no } => people::close_session(db, no),
            Change::NoSessions { person, except } => people::close_sessions(db, person, except),
        }
    }

    fn tell<T>(&mut self, doing: &'static str, done: Result<T, Trouble>) -> Result<T, Fault> {
        done.map_err(|trouble| {
            self.complaints.complain(doing, &trouble);
            trouble.fault()
        })
    }
}

impl Tables for Db {
    fn begin(&mut self) -> Result<(), Fault> {
        let begun = self.set_durable(true).and_then(|()| self.begin_transaction());
        self.tell("writing", begun)
    }

    fn commit(&mut self) -> Result<(), Fault> {
        let done = self.commit_transaction();
        self.tell("writing", done)?;
        self.complaints.end("writing");
        self.last = self.appended.take().unwrap_or(self.last);
        Ok(())
    }

    fn rollback(&mut self) {
        self.appended = None;
        if !self.connection.is_autocommit() {
            // Fails only where SQLite has ended the transaction by itself.
            let _ = self.connection.execute_batch("ROLLBACK");
        }
    }

    fn apply(&mut self, change: Change<'_>) -> Result<(), Fault> {
        let done = self.change(change);
        self.tell("writing", done)
    }

    fn append_once(
        &mut self,
        room: RoomNo,
        entry: &Entry,
        posts: u64,
        digest: Digest,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault> {
        let row = Row::of(room, entry, posts, Some(digest));
        let appended = entries::append(&self.connection, &row);
        match self.tell("writing", appended)? {
            Some(no) => {
                self.appended = Some(no);
                Ok(None)
            }
            None => self.keyed(room, entry.from.id, key)?.ok_or(Fault::Corrupt).map(Some),
        }
    }

    fn head(&mut self, room: RoomNo) -> Result<Option<Head>, Fault> {
        let head = governance::head(&self.connection, room);
        self.tell("reading", head)
    }

    fn room_called(&mut self, id: &RoomId) -> Result<Option<RoomNo>, Fault> {
        let room = governance::room_called(&self.connection, id);
        self.tell("reading", room)
    }

    fn last_room(&mut self) -> Result<Option<RoomNo>, Fault> {
        let room = governance::last_room(&self.connection);
        self.tell("reading", room)
    }

    fn keyed(
        &mut self,
        room: RoomNo,
        author: PersonId,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault> {
        let keyed = entries::find_keyed(&self.connection, room, author, key, |row| {
            let digest = row.digest.ok_or(Trouble::Damage)?;
            Ok(Keyed { seq: row.seq, at: row.at, digest })
        });
        self.tell("reading", keyed)
    }

    fn author_of_post(&mut self, room: RoomNo, post: Seq) -> Result<Option<PersonId>, Fault> {
        let author = entries::find(&self.connection, room, post, |row| {
            Ok((row.fields.kind == fields::POST).then_some(row.author))
        });
        self.tell("reading", author.map(Option::flatten))
    }

    fn pinned_but(&mut self, room: RoomNo, post: Seq) -> Result<u64, Fault> {
        let pinned = entries::pinned_but(&self.connection, room, post);
        self.tell("reading", pinned)
    }

    fn has_room_for_reaction(
        &mut self,
        post: (RoomNo, Seq),
        emoji: &Emoji,
        by: PersonId,
        max: ReactionsMax,
    ) -> Result<bool, Fault> {
        let has_room = entries::has_room_for_reaction(&self.connection, post, emoji, by, max);
        self.tell("reading", has_room)
    }

    fn posts_through(&mut self, room: RoomNo, seq: Seq) -> Result<u64, Fault> {
        let posts = match seq {
            Seq::START => Ok(0),
            seq => entries::find(&self.connection, room, seq, |row| Ok(row.posts))
                .and_then(|posts| posts.ok_or(Trouble::Damage)),
        };
        self.tell("reading", posts)
    }

    fn standing(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Standing>, Fault> {
        let standing = governance::standing(&self.connection, room, person);
        self.tell("reading", standing)
    }

    fn lapse(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Lapse>, Fault> {
        let lapse = governance::lapse(&self.connection, room, person);
        self.tell("reading", lapse)
    }

    fn mentions(&mut self, room: RoomNo, person: PersonId) -> Result<u64, Fault> {
        let mentions = governance::mentions(&self.connection, room, person);
        self.tell("reading", mentions)
    }

    fn is_taken(&mut self, name: &Name) -> Result<bool, Fault> {
        let taken = people::is_taken(&self.connection, name);
        self.tell("reading", taken)
    }

    fn last_person(&mut self) -> Result<Option<PersonId>, Fault> {
        let person = people::last_person(&self.connection);
        self.tell("reading", person)
    }

    fn last_session(&mut self) -> Result<Option<SessionNo>, Fault> {
        let session = people::last_session(&self.connection);
        self.tell("reading", session)
    }
}

#[cfg(test)]
impl Db {
    /// Changes rows behind the store's back.
    pub(super) fn tamper(&mut self, sql: &str) {
        self.connection.execute_batch(sql).unwrap();
    }

    /// A number that SQLite tells.
    pub(super) fn ask(&self, sql: &str) -> i64 {
        self.connection.query_one(sql, [], |row| row.get(0)).unwrap()
    }

    /// Whether the index has the words of all posts and no others.
    pub(super) fn check_index(&mut self) {
        self.tamper("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)");
    }
}

/// A connection that reads what is committed.
#[derive(Debug)]
pub(super) struct Reader {
    connection: Connection,
    words: Words,
    complaints: Complaints,
}

impl Reader {
    /// A reader of a file that is open already.
    pub(super) fn open(path: &Path) -> rusqlite::Result<Self> {
        let connection = open::reading(path)?;
        Ok(Self { connection, words: Words::default(), complaints: Complaints::default() })
    }

    /// Reads what a snapshot of this moment has.
    pub(super) fn read(&mut self, read: &Read) -> ReadOut {
        let read = read_from(&mut self.connection, &mut self.words, read);
        read.unwrap_or_else(|trouble| ReadOut::Failed(failure(&mut self.complaints, &trouble)))
    }
}

fn read_from(
    connection: &mut Connection,
    words: &mut Words,
    read: &Read,
) -> Result<ReadOut, Trouble> {
    match *read {
        Read::Replay { room, after, through, bytes_max } => {
            pages::replay(connection, room, after, through, bytes_max)
        }
        Read::Before { room, before, limit } => {
            pages::lines_before(connection, room, before, limit)
        }
        Read::After { room, after, limit } => pages::lines_after(connection, room, after, limit),
        Read::Pins { room, before, limit } => pages::pins_before(connection, room, before, limit),
        Read::Search { ref query, ref rooms, skip, limit } => {
            let Some(query) = Query::of(query, rooms, words)? else {
                return Ok(ReadOut::Found { hits: Vec::new(), more: false });
            };
            search::search(connection, words, &query, rooms, (skip, limit), SEARCH_TIME_MAX)
        }
    }
}

fn failure(complaints: &mut Complaints, trouble: &Trouble) -> Failure {
    if trouble.is_interrupted() {
        return Failure::TooCostly;
    }
    complaints.complain("reading", trouble);
    match trouble.fault() {
        Fault::Unavailable => Failure::Unavailable { after_ms: super::AFTER_MS },
        Fault::Corrupt => Failure::Corrupt,
    }
}

/// A search that takes longer is given up: before anybody stops waiting, and before those behind it wait for long.
const SEARCH_TIME_MAX: Duration = Duration::from_millis(500);
