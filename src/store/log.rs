//! The log's decisions: what is committed, at which place, and what is turned back.
//!
//! Owns the order of things and every rule of [`Written`]. Knows nothing of SQL, threads or who asked: pure over
//! [`Tables`].
//!
//! Invariants:
//! * What is given to [`Log::commit`] at once is one transaction, and is answered after it: each by what became of it, or,
//!   if the transaction failed, all by [`Failure::Unavailable`].
//! * A room's entries are contiguous from 1. A place that was answered is never taken by another entry.
//! * After a failed transaction nothing is assumed: what was remembered of rooms is read again.
//! * What meets damaged rows fails alone, with [`Failure::Corrupt`]; the rest of its transaction is done again.
//!
//! What an entry does beside being kept is in `effects`.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::AFTER_MS;
use super::accounts::{AccountWrite, AccountWritten, SessionNo};
use super::tables::{Change, Digest, Fault, Head, Keyed, Standing, Tables};
use crate::chat::log::{Append, Create, Failure, Guard, Write, Written};
use crate::chat::{Author, Entry, Name, PersonId, Post, Role, RoomNo, Seq, UnixMs, What};

/// Something to be committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// For the domain.
    Write(Write),
    /// For an account.
    Account(AccountWrite),
}

/// What became of a [`Request`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Of a [`Request::Write`].
    Written(Written),
    /// Of a [`Request::Account`].
    Account(AccountWritten),
}

/// Decides what becomes of requests.
#[derive(Debug)]
pub struct Log<D> {
    pub(super) tables: D,
    /// Where rooms stand: as committed, and within a transaction as changed by it.
    heads: HashMap<RoomNo, Head>,
}

impl<D: Tables> Log<D> {
    /// Over tables that nobody else changes.
    pub fn new(tables: D) -> Self {
        Self { tables, heads: HashMap::new() }
    }

    /// The tables, between two commits.
    pub fn tables(&mut self) -> &mut D {
        &mut self.tables
    }

    /// The tables, when nothing more is to be committed.
    pub fn into_tables(self) -> D {
        self.tables
    }

    /// Commits all that is asked for as one transaction. Outcomes are as many as requests, and in their order.
    pub fn commit(&mut self, requests: &[Request]) -> Vec<Outcome> {
        let mut left_out = BTreeSet::new();
        loop {
            let stop = match self.transact(requests, &left_out) {
                Ok(outcomes) => return outcomes,
                Err(stop) => stop,
            };
            self.tables.rollback();
            self.heads.clear();
            match stop.met_damage {
                Some(index) if left_out.len() < LEFT_OUT_MAX => left_out.insert(index),
                _ => return requests.iter().map(|request| request.failed(UNAVAILABLE)).collect(),
            };
        }
    }

    fn transact(
        &mut self,
        requests: &[Request],
        left_out: &BTreeSet<usize>,
    ) -> Result<Vec<Outcome>, Stop> {
        self.tables.begin()?;
        let mut outcomes = Vec::with_capacity(requests.len());
        for (index, request) in requests.iter().enumerate() {
            outcomes.push(match left_out.contains(&index) {
                true => request.failed(Failure::Corrupt),
                false => self.perform(request).map_err(|fault| Stop::at(index, fault))?,
            });
        }
        self.tables.commit()?;
        Ok(outcomes)
    }

    fn perform(&mut self, request: &Request) -> Result<Outcome, Fault> {
        match request {
            Request::Write(write) => self.write(write).map(Outcome::Written),
            Request::Account(write) => self.write_account(write).map(Outcome::Account),
        }
    }

    fn write(&mut self, write: &Write) -> Result<Written, Fault> {
        match write {
            Write::Append(append) => self.append(append),
            Write::Create(create) => self.create(create),
            &Write::Cursor { person, room, received, read } => {
                self.move_cursor(room, person, received, read)
            }
            &Write::Seen { person, at } => {
                self.tables.apply(Change::Seen { person, at })?;
                Ok(Written::Done)
            }
        }
    }

    /// A repetition is answered as such whatever has changed since: what is in the log is in the log.
    fn append(&mut self, append: &Append) -> Result<Written, Fault> {
        let Append { room, basis, at, .. } = *append;
        let head = self.head(room)?;
        let refused = match head.rules == basis {
            true => self.check(append)?,
            false => Some(Written::Stale),
        };
        if let Some(refused) = refused {
            return Ok(self.repetition(append)?.unwrap_or(refused));
        }
        let entry = Entry {
            seq: head.seq.next(),
            at,
            from: append.from.clone(),
            what: append.what.clone(),
        };
        Ok(match self.enter(room, head, &entry)? {
            None => Written::Entry(entry),
            Some(repeated) => repeated,
        })
    }

    /// The answer to a post whose key was used.
    fn repetition(&mut self, append: &Append) -> Result<Option<Written>, Fault> {
        let What::Post(post @ Post { key: Some(key), .. }) = &append.what else { return Ok(None) };
        let kept = self.tables.keyed(append.room, append.from.id, key)?;
        Ok(kept.map(|kept| repeated(kept, Digest::of(post))))
    }

    fn check(&mut self, append: &Append) -> Result<Option<Written>, Fault> {
        let Append { room, guard, ref from, ref what, .. } = *append;
        let post = match guard {
            Guard::None => return Ok(None),
            Guard::Known => return Ok(Some(Written::NoPost)),
            Guard::Post(post)
            | Guard::PostBy(post, _)
            | Guard::Pin(post, _)
            | Guard::Reaction(post, _) => post,
        };
        let Some(author) = self.tables.author_of_post(room, post)? else {
            return Ok(Some(Written::NoPost));
        };
        Ok(match (guard, what) {
            (Guard::PostBy(_, person), _) if author != person => Some(Written::NotAuthor),
            (Guard::Pin(_, max), _) if self.tables.pinned_but(room, post)? >= max.into() => {
                Some(Written::PinsFull)
            }
            (Guard::Reaction(_, max), What::React { emoji, .. })
                if !self.tables.has_room_for_reaction((room, post), emoji, from.id, max)? =>
            {
                Some(Written::ReactionsFull)
            }
            _ => None,
        })
    }

    /// An id that is taken was taken after this was decided.
    fn create(&mut self, create: &Create) -> Result<Written, Fault> {
        if self.tables.room_called(&create.id)?.is_some() {
            return Ok(Written::Stale);
        }
        let room = RoomNo(self.tables.last_room()?.map_or(1, |RoomNo(last)| last + 1));
        self.tables.apply(Change::Room { room, create })?;
        let head = Head { kind: create.kind, seq: Seq::START, rules: Seq::START, posts: 0 };
        let entry = Entry {
            seq: Seq::START.next(),
            at: create.at,
            from: create.from.clone(),
            what: What::Created {
                kind: create.kind,
                title: create.title.clone(),
                members: create.members.clone(),
            },
        };
        self.enter(room, head, &entry)?;
        Ok(Written::Created { room, entry })
    }

    /// Appends an entry to a room that stands at `head`, and does what it says; unless it repeats a key: then the answer to
    /// that.
    fn enter(
        &mut self,
        room: RoomNo,
        mut head: Head,
        entry: &Entry,
    ) -> Result<Option<Written>, Fault> {
        head.seq = entry.seq;
        head.posts += u64::from(matches!(entry.what, What::Post(_)));
        let posts = head.posts;
        if let What::Post(post @ Post { key: Some(key), .. }) = &entry.what {
            let digest = Digest::of(post);
            if let Some(kept) = self.tables.append_once(room, entry, posts, digest, key)? {
                return Ok(Some(repeated(kept, digest)));
            }
        } else {
            self.tables.apply(Change::Append { room, entry, posts, digest: None })?;
        }
        self.take_effect(room, head, entry)?;
        if entry.what.changes_rules() {
            head.rules = entry.seq;
            self.tables.apply(Change::Rules { room, seq: entry.seq })?;
        }
        self.heads.insert(room, head);
        Ok(None)
    }

    /// Cursors only go forward, and never beyond the last entry. Those of no member are kept nowhere.
    fn move_cursor(
        &mut self,
        room: RoomNo,
        person: PersonId,
        received: Seq,
        read: Seq,
    ) -> Result<Written, Fault> {
        let head = self.head(room)?;
        let before = self.tables.standing(room, person)?;
        let mut standing = before.unwrap_or(AT_THE_START);
        standing.received = standing.received.max(received.min(head.seq));
        let through = read.min(head.seq);
        if through > standing.read {
            standing.read = through;
            standing.posts_read = self.tables.posts_through(room, through)?;
            self.tables.apply(Change::MentionsRead { room, person, through })?;
        }
        if before.is_some() || head.is_lobby_of(person) {
            self.tables.apply(Change::Member { room, person, standing })?;
        }
        let mentions = self.tables.mentions(room, person)?;
        let Standing { received, read, posts_read, .. } = standing;
        Ok(Written::Cursor { received, read, posts_read, mentions })
    }

    fn head(&mut self, room: RoomNo) -> Result<Head, Fault> {
        if let Some(head) = self.heads.get(&room) {
            return Ok(*head);
        }
        // Rooms are never removed: one that was known and is not there is damage.
        let head = self.tables.head(room)?.ok_or(Fault::Corrupt)?;
        self.heads.insert(room, head);
        Ok(head)
    }

    fn write_account(&mut self, write: &AccountWrite) -> Result<AccountWritten, Fault> {
        let change = match write {
            AccountWrite::Register { name, phc, at } => return self.register(name, phc, *at),
            AccountWrite::OpenSession { person, token_sha256, at, label } => {
                let no = SessionNo(self.tables.last_session()?.map_or(1, |SessionNo(no)| no + 1));
                let person = *person;
                self.tables.apply(Change::Session { no, person, token_sha256, at: *at, label })?;
                return Ok(AccountWritten::SessionOpened(no));
            }
            &AccountWrite::SetPassword { person, ref phc, except } => {
                self.tables.apply(Change::Password { person, phc })?;
                Change::NoSessions { person, except }
            }
            AccountWrite::RenewHash { person, phc } => Change::Password { person: *person, phc },
            &AccountWrite::Disable { person } => {
                self.tables.apply(Change::NoPassword { person })?;
                Change::NoSessions { person, except: None }
            }
            AccountWrite::SetProfile { person, profile } => {
                Change::Profile { person: *person, profile }
            }
            &AccountWrite::Delete { person } => Change::NoPerson { person },
            &AccountWrite::CloseSession { no } => Change::NoSession { no },
            &AccountWrite::CloseSessions { person, except } => {
                Change::NoSessions { person, except }
            }
            &AccountWrite::TouchSession { no, at } => Change::SessionUsed { no, at },
        };
        self.tables.apply(change)?;
        Ok(AccountWritten::Done)
    }

    fn register(
        &mut self,
        name: &Name,
        phc: &Arc<str>,
        at: UnixMs,
    ) -> Result<AccountWritten, Fault> {
        if self.tables.is_taken(name)? {
            return Ok(AccountWritten::NameTaken);
        }
        let person = PersonId(self.tables.last_person()?.map_or(1, |PersonId(last)| last + 1));
        self.tables.apply(Change::Person { person, name, phc, at })?;
        Ok(AccountWritten::Registered(person))
    }
}

impl Request {
    /// What it takes of memory, texts included.
    pub fn bytes(&self) -> usize {
        let inside = match self {
            Request::Write(Write::Append(append)) => match &append.what {
                What::Post(post) => {
                    post.body.as_str().len() + post.mentions.len() * size_of::<Author>()
                }
                What::Edit { body: Some(body), .. } => body.as_str().len(),
                _ => 0,
            },
            Request::Write(Write::Create(create)) => {
                create.members.len() * size_of::<(Author, Role)>()
            }
            Request::Account(AccountWrite::OpenSession { label, .. }) => label.len(),
            Request::Write(_) | Request::Account(_) => 0,
        };
        size_of::<Self>() + inside
    }

    fn failed(&self, failure: Failure) -> Outcome {
        match self {
            Request::Write(_) => Outcome::Written(Written::Failed(failure)),
            Request::Account(_) => Outcome::Account(AccountWritten::Failed(failure)),
        }
    }
}

/// The answer to a post whose key is that of a post that is kept.
fn repeated(kept: Keyed, digest: Digest) -> Written {
    match kept.digest == digest {
        true => Written::Duplicate { seq: kept.seq, at: kept.at },
        false => Written::KeyReused,
    }
}

/// Why a transaction came to nothing.
struct Stop {
    /// The request that met damage, where it was one.
    met_damage: Option<usize>,
}

impl Stop {
    fn at(index: usize, fault: Fault) -> Self {
        Self { met_damage: (fault == Fault::Corrupt).then_some(index) }
    }
}

impl From<Fault> for Stop {
    /// At the beginning or the end: nobody's fault in particular.
    fn from(_: Fault) -> Self {
        Self { met_damage: None }
    }
}

/// How somebody stands who has said nothing of what they have read.
const AT_THE_START: Standing = Standing {
    role: Role::Member,
    muted_until: UnixMs(0),
    received: Seq::START,
    read: Seq::START,
    posts_read: 0,
};

/// Requests of one transaction that may meet damage before it is given up. Each costs a transaction done in vain.
const LEFT_OUT_MAX: usize = 8;

const UNAVAILABLE: Failure = Failure::Unavailable { after_ms: AFTER_MS };
