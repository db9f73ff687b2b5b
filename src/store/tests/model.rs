//! What the store should do, done in the simplest way: lists that are gone through from the beginning.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::chat::event::Hit;
use crate::chat::log::{
    Append, Create, Guard, Read, ReadOut, Restored, RestoredMember, RestoredPerson, RestoredRoom,
    Write, Written,
};
use crate::chat::{
    Author, Body, Entry, Epoch, Lapse, Marks, Mode, Name, PersonId, Profile, Reaction, Record,
    Role, RoomId, RoomKind, RoomNo, Seq, UnixMs, What,
};
use crate::store::accounts::{
    AccountWrite, AccountWritten, SessionNo, StoredAccount, StoredSession,
};
use crate::store::log::{Outcome, Request};

#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) rooms: Vec<Room>,
    people: Vec<Person>,
    sessions: Vec<StoredSession>,
    sessions_ever: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Room {
    id: RoomId,
    kind: RoomKind,
    title: Option<Arc<str>>,
    epoch: Epoch,
    mode: Mode,
    /// As they were committed.
    pub(super) log: Vec<Entry>,
    members: BTreeMap<PersonId, Standing>,
    banned: BTreeSet<PersonId>,
    /// As what those come back who have gone, and how long they are muted then.
    gone: BTreeMap<PersonId, (Role, UnixMs)>,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    role: Role,
    muted_until: UnixMs,
    received: Seq,
    read: Seq,
}

const AT_THE_START: Standing =
    Standing { role: Role::Member, muted_until: UnixMs(0), received: Seq::START, read: Seq::START };

#[derive(Clone, Debug)]
struct Person {
    name: Name,
    /// `None`: deleted; `Some(None)`: disabled.
    phc: Option<Option<Arc<str>>>,
    profile: Profile,
    last_seen: Option<UnixMs>,
}

impl Model {
    pub(super) fn new(lobby: &RestoredRoom) -> Self {
        let lobby = Room::new(lobby.id.clone(), RoomKind::Lobby, None, lobby.epoch.clone());
        Self { rooms: vec![lobby], people: Vec::new(), sessions: Vec::new(), sessions_ever: 0 }
    }

    pub(super) fn commit(&mut self, requests: &[Request]) -> Vec<Outcome> {
        let perform = |request: &Request| match request {
            Request::Write(write) => Outcome::Written(self.write(write)),
            Request::Account(write) => Outcome::Account(self.write_account(write)),
        };
        requests.iter().map(perform).collect()
    }

    fn write(&mut self, write: &Write) -> Written {
        match write {
            Write::Append(append) => {
                let deleted = self.deleted();
                self.rooms[index(append.room.0)].append(append, &deleted)
            }
            Write::Create(create) => self.create(create),
            Write::Cursor { person, room, received, read } => {
                self.rooms[index(room.0)].move_cursor(*person, *received, *read)
            }
            Write::Seen { person, at } => {
                if let Some(person) = self.living(*person) {
                    person.last_seen = Some(*at);
                }
                Written::Done
            }
        }
    }

    fn create(&mut self, create: &Create) -> Written {
        if self.rooms.iter().any(|room| room.id == create.id) {
            return Written::Stale;
        }
        let Create { id, kind, title, epoch, at, from, members } = create.clone();
        let mut room = Room::new(id, kind, title.clone(), epoch);
        let entry = Entry { seq: Seq(1), at, from, what: What::Created { kind, title, members } };
        room.push(entry.clone(), &self.deleted());
        self.rooms.push(room);
        Written::Created { room: RoomNo(self.rooms.len() as u64), entry }
    }

    fn deleted(&self) -> BTreeSet<PersonId> {
        let deleted = (1..).zip(&self.people).filter(|(_, person)| person.phc.is_none());
        deleted.map(|(id, _)| PersonId(id)).collect()
    }

    fn living(&mut self, person: PersonId) -> Option<&mut Person> {
        let index = usize::try_from(person.0).ok()?.checked_sub(1)?;
        self.people.get_mut(index).filter(|person| person.phc.is_some())
    }

    fn write_account(&mut self, write: &AccountWrite) -> AccountWritten {
        match write.clone() {
            AccountWrite::Register { name, phc, .. } => {
                let [skeleton, _] = name.skeletons();
                if self.people.iter().any(|person| person.name.skeletons()[0] == skeleton) {
                    return AccountWritten::NameTaken;
                }
                let (profile, last_seen) = (Profile::default(), None);
                self.people.push(Person { name, phc: Some(Some(phc)), profile, last_seen });
                return AccountWritten::Registered(PersonId(self.people.len() as u64));
            }
            AccountWrite::OpenSession { person, token_sha256, at, label } => {
                self.sessions_ever += 1;
                let no = SessionNo(self.sessions_ever);
                let (created, last_used) = (at, at);
                let session = StoredSession { no, person, token_sha256, created, last_used, label };
                self.sessions.push(session);
                return AccountWritten::SessionOpened(no);
            }
            AccountWrite::SetPassword { person, phc, except } => {
                if let Some(person) = self.living(person) {
                    person.phc = Some(Some(phc));
                }
                self.close_sessions(person, except);
            }
            AccountWrite::RenewHash { person, phc } => {
                if let Some(person) = self.living(person) {
                    person.phc = Some(Some(phc));
                }
            }
            AccountWrite::Disable { person } => {
                if let Some(person) = self.living(person) {
                    person.phc = Some(None);
                }
                self.close_sessions(person, None);
            }
            AccountWrite::SetProfile { person, profile } => {
                if let Some(person) = self.living(person) {
                    person.profile = profile;
                }
            }
            AccountWrite::Delete { person } => {
                if let Some(person) = self.living(person) {
                    (person.phc, person.last_seen) = (None, None);
                    person.profile = Profile::default();
                }
                self.sessions.retain(|session| session.person != person);
                for room in &mut self.rooms {
                    room.gone.remove(&person);
                }
            }
            AccountWrite::CloseSession { no } => self.sessions.retain(|session| session.no != no),
            AccountWrite::CloseSessions { person, except } => self.close_sessions(person, except),
            AccountWrite::TouchSession { no, at } => {
                self.sessions
                    .iter_mut()
                    .filter(|session| session.no == no)
                    .for_each(|session| session.last_used = at);
            }
        }
        AccountWritten::Done
    }

    fn close_sessions(&mut self, person: PersonId, except: Option<SessionNo>) {
        self.sessions.retain(|session| session.person != person || Some(session.no) == except);
    }

    pub(super) fn accounts(&self) -> Vec<StoredAccount> {
        let account = |(index, person): (usize, &Person)| {
            let phc = person.phc.clone()?;
            let name = person.name.clone();
            Some(StoredAccount { person: PersonId(index as u64 + 1), name, phc })
        };
        self.people.iter().enumerate().filter_map(account).collect()
    }

    pub(super) fn sessions(&self) -> Vec<StoredSession> {
        self.sessions.clone()
    }

    pub(super) fn restored(&self) -> Restored {
        let person = |(index, person): (usize, &Person)| RestoredPerson {
            author: Author { id: PersonId(index as u64 + 1), name: person.name.clone() },
            profile: person.profile.clone(),
            last_seen: person.last_seen,
            deleted: person.phc.is_none(),
        };
        let room = |(index, room): (usize, &Room)| room.restored(RoomNo(index as u64 + 1));
        Restored {
            people: self.people.iter().enumerate().map(person).collect(),
            rooms: self.rooms.iter().enumerate().map(room).collect(),
        }
    }

    pub(super) fn read(&self, read: &Read) -> ReadOut {
        match read {
            Read::Replay { room, after, through, bytes_max } => {
                let room = &self.rooms[index(room.0)];
                let records = room.records();
                let wanted =
                    records.into_iter().filter(|r| r.entry.seq > *after && r.entry.seq <= *through);
                let (mut bytes, mut kept, mut more) = (0, Vec::new(), false);
                for record in wanted {
                    bytes += record.entry.text_bytes();
                    if bytes > *bytes_max {
                        more = true;
                        break;
                    }
                    kept.push(record);
                }
                if *bytes_max < REACTION_BYTES_MIN {
                    kept.iter_mut().for_each(|record| record.marks.reactions.clear());
                }
                ReadOut::Page { records: kept, more, as_of: room.last() }
            }
            Read::Before { room, before, limit } => {
                let room = &self.rooms[index(room.0)];
                let mut lines = room.lines(|seq| seq < *before);
                let extra = lines.len().saturating_sub(usize::from(*limit));
                let records = lines.split_off(extra);
                ReadOut::Page { records, more: extra > 0, as_of: room.last() }
            }
            Read::After { room, after, limit } => {
                let room = &self.rooms[index(room.0)];
                let mut records = room.lines(|seq| seq > *after);
                let more = records.len() > usize::from(*limit);
                records.truncate((*limit).into());
                ReadOut::Page { records, more, as_of: room.last() }
            }
            Read::Pins { room, before, limit } => {
                let room = &self.rooms[index(room.0)];
                let mut pins = room.lines(|seq| seq < *before);
                pins.retain(|record| record.marks.pinned);
                let extra = pins.len().saturating_sub(usize::from(*limit));
                let records = pins.split_off(extra);
                ReadOut::Page { records, more: extra > 0, as_of: room.last() }
            }
            Read::Search { .. } => ReadOut::Found { hits: Vec::new(), more: false },
        }
    }

    /// Posts that have a word, in no order.
    pub(super) fn with_word(&self, word: &str) -> BTreeSet<(RoomId, Seq)> {
        let mut found = BTreeSet::new();
        for room in &self.rooms {
            for record in room.records() {
                if let What::Post(post) = &record.entry.what
                    && post.body.as_str().split(' ').any(|has| has == word)
                {
                    found.insert((room.id.clone(), record.entry.seq));
                }
            }
        }
        found
    }
}

impl Room {
    fn new(id: RoomId, kind: RoomKind, title: Option<Arc<str>>, epoch: Epoch) -> Self {
        let (log, members, banned) = (Vec::new(), BTreeMap::new(), BTreeSet::new());
        let (mode, gone) = (Mode::default(), BTreeMap::new());
        Self { id, kind, title, epoch, mode, log, members, banned, gone }
    }

    pub(super) fn last(&self) -> Seq {
        Seq(self.log.len() as u64)
    }

    pub(super) fn rules(&self) -> Seq {
        let last = self.log.iter().rev().find(|entry| entry.what.changes_rules());
        last.map_or(Seq::START, |entry| entry.seq)
    }

    fn posts_through(&self, seq: Seq) -> u64 {
        let is_post = |entry: &&Entry| entry.seq <= seq && matches!(entry.what, What::Post(_));
        self.log.iter().filter(is_post).count() as u64
    }

    fn is_deleted(&self, seq: Seq) -> bool {
        self.log.iter().any(|entry| entry.what == What::Delete { post: seq })
    }

    fn append(&mut self, append: &Append, deleted: &BTreeSet<PersonId>) -> Written {
        if let What::Post(post) = &append.what
            && post.key.is_some()
        {
            for kept in &self.log {
                let What::Post(other) = &kept.what else { continue };
                if kept.from.id != append.from.id || other.key != post.key {
                    continue;
                }
                let is_same = other.body == post.body && other.reply_to == post.reply_to;
                return match is_same {
                    true => Written::Duplicate { seq: kept.seq, at: kept.at },
                    false => Written::KeyReused,
                };
            }
        }
        if append.basis != self.rules() {
            return Written::Stale;
        }
        let post_at = |seq: Seq| {
            let post = self.log.iter().find(|entry| entry.seq == seq)?;
            (matches!(post.what, What::Post(_)) && !self.is_deleted(seq)).then_some(post.from.id)
        };
        match append.guard {
            Guard::Known => return Written::NoPost,
            Guard::Post(post)
            | Guard::PostBy(post, _)
            | Guard::Pin(post, _)
            | Guard::Reaction(post, _)
                if post_at(post).is_none() =>
            {
                return Written::NoPost;
            }
            Guard::Pin(post, max) => {
                let pinned = self.records().into_iter().filter(|record| record.marks.pinned);
                if pinned.filter(|record| record.entry.seq != post).count() >= max.into() {
                    return Written::PinsFull;
                }
            }
            Guard::Reaction(post, max) => {
                let What::React { emoji, .. } = &append.what else { panic!("{append:?}") };
                let there = self.records().into_iter().find(|record| record.entry.seq == post);
                let there = there.expect("a post").marks.reactions;
                if !max.leave_room(&there, emoji, &append.from.name) {
                    return Written::ReactionsFull;
                }
            }
            Guard::PostBy(post, person) if post_at(post) != Some(person) => {
                return Written::NotAuthor;
            }
            _ => {}
        }
        let Append { at, from, what, .. } = append.clone();
        let entry = Entry { seq: self.last().next(), at, from, what };
        self.push(entry.clone(), deleted);
        Written::Entry(entry)
    }

    fn push(&mut self, entry: Entry, deleted: &BTreeSet<PersonId>) {
        let seq = entry.seq;
        self.log.push(entry.clone());
        let newcomer = |role| Standing { role, received: seq, read: seq, ..AT_THE_START };
        match entry.what {
            What::Created { members, .. } => {
                for (who, role) in members.iter().filter(|(who, _)| !who.id.is_guest()) {
                    self.members.insert(who.id, newcomer(*role));
                }
            }
            What::Join if !entry.from.id.is_guest() => {
                let fresh = (Role::Member, UnixMs(0));
                let (role, muted_until) = self.gone.remove(&entry.from.id).unwrap_or(fresh);
                self.members.insert(entry.from.id, Standing { muted_until, ..newcomer(role) });
            }
            What::Add { user, role } if !user.id.is_guest() => {
                let muted_until = self.gone.remove(&user.id).map_or(UnixMs(0), |(_, until)| until);
                self.members.insert(user.id, Standing { muted_until, ..newcomer(role) });
            }
            What::Leave => self.put_out(entry.from.id, entry.at, deleted),
            What::Remove { user } => self.put_out(user.id, entry.at, deleted),
            What::Ban { user, on: true } => {
                self.put_out(user.id, entry.at, deleted);
                self.banned.insert(user.id);
            }
            What::Ban { user, on: false } => drop(self.banned.remove(&user.id)),
            What::Role { user, role } => {
                self.with_member(user.id, |standing| standing.role = role);
            }
            What::Mute { user, until } => {
                self.with_member(user.id, |standing| standing.muted_until = until);
            }
            What::Rename { title } => self.title = Some(title),
            What::Mode(mode) => self.mode = mode,
            What::Post(post) if self.kind == RoomKind::Lobby => {
                let standing = Standing { read: Seq(seq.0 - 1), ..newcomer(Role::Member) };
                for who in post.mentions.iter().filter(|who| who.id != entry.from.id) {
                    if !who.id.is_guest() {
                        self.members.entry(who.id).or_insert(standing);
                    }
                }
            }
            _ => {}
        }
    }

    fn put_out(&mut self, person: PersonId, at: UnixMs, deleted: &BTreeSet<PersonId>) {
        let Some(Standing { role, muted_until, .. }) = self.members.remove(&person) else { return };
        if !deleted.contains(&person) && (role == Role::Reader || muted_until > at) {
            self.gone.retain(|_, (role, until)| *role == Role::Reader || *until > at);
            let role = if role == Role::Reader { Role::Reader } else { Role::Member };
            self.gone.insert(person, (role, muted_until));
        }
    }

    fn with_member(&mut self, person: PersonId, change: impl FnOnce(&mut Standing)) {
        if self.kind == RoomKind::Lobby && !person.is_guest() {
            let last = self.last();
            let newcomer = Standing { received: last, read: last, ..AT_THE_START };
            self.members.entry(person).or_insert(newcomer);
        }
        if let Some(standing) = self.members.get_mut(&person) {
            change(standing);
        }
    }

    fn move_cursor(&mut self, person: PersonId, received: Seq, read: Seq) -> Written {
        let last = self.last();
        let forward = |standing: &mut Standing| {
            standing.received = standing.received.max(received.min(last));
            standing.read = standing.read.max(read.min(last));
        };
        if self.kind == RoomKind::Lobby && !person.is_guest() {
            self.members.entry(person).or_insert(AT_THE_START);
        }
        self.with_member(person, forward);
        let is_member = self.members.contains_key(&person);
        let standing = self.members.get(&person).copied().unwrap_or(Standing {
            received: received.min(last),
            read: read.min(last),
            ..AT_THE_START
        });
        Written::Cursor {
            received: standing.received,
            read: standing.read,
            posts_read: self.posts_through(standing.read),
            mentions: if is_member { self.mentions_after(person, standing.read) } else { 0 },
        }
    }

    fn mentions_after(&self, person: PersonId, read: Seq) -> u64 {
        let mentions = |entry: &&Entry| match &entry.what {
            What::Post(post) => {
                entry.seq > read
                    && entry.from.id != person
                    && post.mentions.iter().any(|author| author.id == person)
            }
            _ => false,
        };
        self.log.iter().filter(mentions).count() as u64
    }

    fn restored(&self, no: RoomNo) -> RestoredRoom {
        let member = |(person, standing): (PersonId, Standing)| RestoredMember {
            person,
            role: standing.role,
            muted_until: standing.muted_until,
            received: standing.received,
            read: standing.read,
            posts_read: self.posts_through(standing.read),
            mentions: self.mentions_after(person, standing.read),
        };
        let lapse = |(person, (role, muted_until)): (&PersonId, &(Role, UnixMs))| {
            (*person, Lapse { role: *role, muted_until: *muted_until })
        };
        RestoredRoom {
            no,
            id: self.id.clone(),
            kind: self.kind,
            title: self.title.clone(),
            epoch: self.epoch.clone(),
            seq: self.last(),
            at: self.log.last().map_or(UnixMs(0), |entry| entry.at),
            rules: self.rules(),
            posts: self.posts_through(self.last()),
            mode: self.mode,
            members: self.members.clone().into_iter().map(member).collect(),
            banned: self.banned.iter().copied().collect(),
            lapses: self.gone.iter().map(lapse).collect(),
        }
    }

    fn lines(&self, keep: impl Fn(Seq) -> bool) -> Vec<Record> {
        let mut records = self.records();
        records.retain(|record| record.entry.what.is_line() && keep(record.entry.seq));
        records
    }

    fn records(&self) -> Vec<Record> {
        self.log.iter().map(|entry| self.record(entry)).collect()
    }

    fn record(&self, entry: &Entry) -> Record {
        let mut record = Record::from(entry.clone());
        match &mut record.entry.what {
            What::Post(_) if self.is_deleted(entry.seq) => record.entry.what = What::Tombstone,
            What::Post(post) => {
                let (body, edited) = self.text_of(entry.seq);
                post.body = body;
                record.marks = self.marks_of(entry.seq, edited);
            }
            What::Edit { post, body } => {
                *body = (!self.is_deleted(*post)).then(|| self.text_of(*post).0);
            }
            _ => {}
        }
        record
    }

    fn text_of(&self, post: Seq) -> (Body, Option<UnixMs>) {
        let edits = self.log.iter().rev().find_map(|entry| match &entry.what {
            What::Edit { post: edited, body } if *edited == post => {
                Some((body.clone().unwrap(), Some(entry.at)))
            }
            _ => None,
        });
        edits.unwrap_or_else(|| match &self.log[index(post.0)].what {
            What::Post(post) => (post.body.clone(), None),
            what => panic!("{what:?}"),
        })
    }

    fn marks_of(&self, of: Seq, edited: Option<UnixMs>) -> Marks {
        let mut pinned = false;
        let mut put: Vec<(crate::chat::Emoji, Author)> = Vec::new();
        for entry in &self.log {
            match &entry.what {
                What::Pin { post, on } if *post == of => pinned = *on,
                What::React { post, emoji, on } if *post == of => {
                    let is_this = |(e, a): &(_, Author)| e == emoji && a.id == entry.from.id;
                    match on {
                        true if !put.iter().any(is_this) => {
                            put.push((emoji.clone(), entry.from.clone()));
                        }
                        true => {}
                        false => put.retain(|put| !is_this(put)),
                    }
                }
                _ => {}
            }
        }
        let mut reactions: Vec<Reaction> = Vec::new();
        for (emoji, author) in put {
            match reactions.iter_mut().find(|reaction| reaction.emoji == emoji) {
                Some(reaction) => reaction.users.push(author.name),
                None => reactions.push(Reaction { emoji, users: vec![author.name] }),
            }
        }
        Marks { edited, pinned, reactions }
    }
}

/// Where a number is in a list that begins with number 1.
fn index(no: u64) -> usize {
    usize::try_from(no - 1).unwrap()
}

/// What a search found, without its order.
pub(super) fn places(hits: &[Hit]) -> BTreeSet<(RoomId, Seq)> {
    hits.iter().map(|hit| (hit.room.clone(), hit.record.entry.seq)).collect()
}

/// Less has no room for any reaction. Whoever asks the model for more has to ask for enough for all.
const REACTION_BYTES_MIN: usize = 29;
