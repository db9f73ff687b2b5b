//! What a simulated disk holds, in the plainest form that can answer.
//!
//! Owns rows, and knows no rule: [`Disk`](super::disk::Disk) says when they are kept. A copy of all rows costs a few
//! references, since rooms and people are shared until one of the copies changes them.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::sync::Arc;

use crate::chat::log::{Restored, RestoredMember, RestoredPerson, RestoredRoom};
use crate::chat::{
    Author, Emoji, Entry, Epoch, Lapse, Marks, Mode, PersonId, PostKey, Profile, Reaction,
    ReactionsMax, Record, RoomId, RoomKind, RoomNo, Seq, UnixMs, What,
};
use crate::store::SessionNo;
use crate::store::tables::{Change, Digest, Head, Keyed, Standing};

/// All rows.
#[derive(Clone, Debug, Default)]
pub(crate) struct Rows {
    rooms: BTreeMap<RoomNo, Rc<Room>>,
    people: BTreeMap<PersonId, Rc<Person>>,
    last_session: Option<SessionNo>,
}

/// A room and its log.
#[derive(Clone, Debug)]
pub(crate) struct Room {
    pub(crate) id: RoomId,
    pub(crate) kind: RoomKind,
    pub(crate) epoch: Epoch,
    title: Option<Arc<str>>,
    mode: Mode,
    rules: Seq,
    pub(crate) log: Vec<Rc<Row>>,
    members: BTreeMap<PersonId, Standing>,
    banned: BTreeSet<PersonId>,
    lapses: BTreeMap<PersonId, Lapse>,
    mentions: BTreeSet<(PersonId, Seq)>,
}

/// An entry, as it was appended and as it is now.
#[derive(Clone, Debug)]
pub(crate) struct Row {
    pub(crate) appended: Entry,
    pub(crate) record: Record,
    posts: u64,
    digest: Option<Digest>,
    /// Who put which reaction, by the entry that says so.
    reactions: BTreeMap<Seq, (Emoji, Author)>,
}

#[derive(Clone, Debug)]
struct Person {
    author: Author,
    profile: Profile,
    last_seen: Option<UnixMs>,
    deleted: bool,
}

impl Rows {
    pub(crate) fn room(&self, room: RoomNo) -> Option<&Room> {
        self.rooms.get(&room).map(|room| &**room)
    }

    pub(crate) fn rooms(&self) -> impl Iterator<Item = (RoomNo, &Room)> {
        self.rooms.iter().map(|(no, room)| (*no, &**room))
    }

    pub(super) fn room_called(&self, id: &RoomId) -> Option<RoomNo> {
        self.rooms().find(|(_, room)| room.id == *id).map(|(no, _)| no)
    }

    pub(super) fn last_room(&self) -> Option<RoomNo> {
        self.rooms.keys().next_back().copied()
    }

    pub(super) fn last_person(&self) -> Option<PersonId> {
        self.people.keys().next_back().copied()
    }

    pub(super) fn last_session(&self) -> Option<SessionNo> {
        self.last_session
    }

    pub(super) fn is_taken(&self, name: &crate::chat::Name) -> bool {
        let [skeleton, _] = name.skeletons();
        self.people.values().any(|person| person.author.name.skeletons()[0] == skeleton)
    }

    /// All accounts that are not deleted.
    pub(crate) fn accounts(&self) -> impl Iterator<Item = &Author> {
        self.people.values().filter(|person| !person.deleted).map(|person| &person.author)
    }

    pub(crate) fn deleted(&self) -> impl Iterator<Item = PersonId> {
        self.people.values().filter(|person| person.deleted).map(|person| person.author.id)
    }

    /// What a store tells the domain when it opens.
    pub(crate) fn restored(&self) -> Restored {
        let person = |person: &Rc<Person>| RestoredPerson {
            author: person.author.clone(),
            profile: person.profile.clone(),
            last_seen: person.last_seen,
            deleted: person.deleted,
        };
        Restored {
            people: self.people.values().map(person).collect(),
            rooms: self.rooms().map(|(no, room)| room.restored(no)).collect(),
        }
    }

    pub(super) fn apply(&mut self, change: Change<'_>) {
        match change {
            Change::Room { room, create } => {
                let begun = Room {
                    id: create.id.clone(),
                    kind: create.kind,
                    epoch: create.epoch.clone(),
                    title: create.title.clone(),
                    mode: Mode::default(),
                    rules: Seq::START,
                    log: Vec::new(),
                    members: BTreeMap::new(),
                    banned: BTreeSet::new(),
                    lapses: BTreeMap::new(),
                    mentions: BTreeSet::new(),
                };
                self.rooms.insert(room, Rc::new(begun));
            }
            Change::Lapse { person, .. } if self.deleted().any(|deleted| deleted == person) => {}
            Change::Append { room, .. }
            | Change::Rules { room, .. }
            | Change::Title { room, .. }
            | Change::Mode { room, .. }
            | Change::Member { room, .. }
            | Change::NoMember { room, .. }
            | Change::Lapse { room, .. }
            | Change::NoLapse { room, .. }
            | Change::Ban { room, .. }
            | Change::Edit { room, .. }
            | Change::Wipe { room, .. }
            | Change::React { room, .. }
            | Change::Pin { room, .. }
            | Change::Mention { room, .. }
            | Change::MentionsRead { room, .. } => {
                let room = self.rooms.get_mut(&room).expect("what a change names is there");
                Rc::make_mut(room).apply(change);
            }
            Change::Session { no, .. } => self.last_session = Some(no),
            Change::SessionUsed { .. } | Change::NoSession { .. } | Change::NoSessions { .. } => {}
            Change::Person { person, name, .. } => {
                let author = Author { id: person, name: name.clone() };
                let begun =
                    Person { author, profile: Profile::default(), last_seen: None, deleted: false };
                self.people.insert(person, Rc::new(begun));
            }
            Change::Seen { person, at } => {
                self.change_person(person, |person| person.last_seen = Some(at));
            }
            Change::Password { .. } | Change::NoPassword { .. } => {}
            Change::Profile { person, profile } => {
                self.change_person(person, |person| {
                    if !person.deleted {
                        person.profile = profile.clone();
                    }
                });
            }
            Change::NoPerson { person } => {
                for room in self.rooms.values_mut().filter(|room| room.lapses.contains_key(&person))
                {
                    Rc::make_mut(room).lapses.remove(&person);
                }
                self.change_person(person, |person| {
                    person.deleted = true;
                    person.profile = Profile::default();
                    person.last_seen = None;
                });
            }
        }
    }

    fn change_person(&mut self, person: PersonId, change: impl FnOnce(&mut Person)) {
        if let Some(person) = self.people.get_mut(&person) {
            change(Rc::make_mut(person));
        }
    }
}

impl Room {
    pub(super) fn head(&self) -> Head {
        let posts = self.log.last().map_or(0, |row| row.posts);
        Head { kind: self.kind, seq: self.last(), rules: self.rules, posts }
    }

    pub(super) fn last(&self) -> Seq {
        Seq(self.log.len() as u64)
    }

    pub(super) fn row(&self, seq: Seq) -> Option<&Row> {
        let index = usize::try_from(seq.0.checked_sub(1)?).ok()?;
        self.log.get(index).map(|row| &**row)
    }

    pub(super) fn keyed(&self, author: PersonId, key: &PostKey) -> Option<Keyed> {
        let has_key = |row: &&Rc<Row>| match &row.appended.what {
            What::Post(post) => row.appended.from.id == author && post.key.as_ref() == Some(key),
            _ => false,
        };
        let row = self.log.iter().find(has_key)?;
        let digest = row.digest.expect("a post with a key has a digest");
        Some(Keyed { seq: row.appended.seq, at: row.appended.at, digest })
    }

    pub(super) fn author_of_post(&self, post: Seq) -> Option<PersonId> {
        let row = self.row(post)?;
        matches!(row.record.entry.what, What::Post(_)).then_some(row.record.entry.from.id)
    }

    pub(super) fn pinned_but(&self, post: Seq) -> u64 {
        let others = self.log.iter().filter(|row| row.appended.seq != post);
        others.filter(|row| row.record.marks.pinned).count() as u64
    }

    pub(super) fn posts_through(&self, seq: Seq) -> u64 {
        self.row(seq).map_or(0, |row| row.posts)
    }

    pub(super) fn standing(&self, person: PersonId) -> Option<Standing> {
        self.members.get(&person).copied()
    }

    pub(super) fn lapse(&self, person: PersonId) -> Option<Lapse> {
        self.lapses.get(&person).copied()
    }

    pub(super) fn mentions(&self, person: PersonId) -> u64 {
        self.mentions.iter().filter(|(mentioned, _)| *mentioned == person).count() as u64
    }

    fn restored(&self, no: RoomNo) -> RestoredRoom {
        let head = self.head();
        let member = |(person, standing): (&PersonId, &Standing)| RestoredMember {
            person: *person,
            role: standing.role,
            muted_until: standing.muted_until,
            received: standing.received,
            read: standing.read,
            posts_read: standing.posts_read,
            mentions: self.mentions(*person),
        };
        RestoredRoom {
            no,
            id: self.id.clone(),
            kind: self.kind,
            title: self.title.clone(),
            epoch: self.epoch.clone(),
            seq: head.seq,
            at: self.log.last().map_or(UnixMs(0), |row| row.appended.at),
            rules: self.rules,
            posts: head.posts,
            mode: self.mode,
            members: self.members.iter().map(member).collect(),
            banned: self.banned.iter().copied().collect(),
            lapses: self.lapses.iter().map(|(person, lapse)| (*person, *lapse)).collect(),
        }
    }

    fn apply(&mut self, change: Change<'_>) {
        match change {
            Change::Append { entry, posts, digest, .. } => self.append(entry, posts, digest),
            Change::Rules { seq, .. } => self.rules = seq,
            Change::Title { title, .. } => self.title = Some(title.clone()),
            Change::Mode { mode, .. } => self.mode = mode,
            Change::Member { person, standing, .. } => {
                self.members.insert(person, standing);
            }
            Change::NoMember { person, .. } => {
                self.members.remove(&person);
                self.mentions.retain(|(mentioned, _)| *mentioned != person);
            }
            Change::Lapse { person, lapse, at, .. } => {
                self.lapses.retain(|_, lapse| !lapse.is_over(at));
                self.lapses.insert(person, lapse);
            }
            Change::NoLapse { person, .. } => {
                self.lapses.remove(&person);
            }
            Change::Ban { person, on: true, .. } => {
                self.banned.insert(person);
            }
            Change::Ban { person, on: false, .. } => {
                self.banned.remove(&person);
            }
            Change::Edit { post, body, at, .. } => self.change_row(post, |row| {
                if let What::Post(post) = &mut row.record.entry.what {
                    post.body = body.clone();
                    row.record.marks.edited = Some(at);
                }
            }),
            Change::Wipe { post, .. } => self.change_row(post, |row| {
                row.record.entry.what = What::Tombstone;
                row.record.marks = Marks::default();
                row.reactions.clear();
            }),
            Change::React { post, emoji, by, seq, on, .. } => self.change_row(post, |row| {
                let same = |(e, who): &(_, Author)| *e == *emoji && who.id == by.id;
                match (row.reactions.values().any(same), on) {
                    (false, true) => {
                        row.reactions.insert(seq, (emoji.clone(), by.clone()));
                    }
                    (_, false) => row.reactions.retain(|_, reaction| !same(reaction)),
                    (true, true) => {}
                }
                row.record.marks.reactions = grouped(&row.reactions);
            }),
            Change::Pin { post, on, .. } => {
                self.change_row(post, |row| row.record.marks.pinned = on);
            }
            Change::Mention { post, person, .. } => {
                self.mentions.insert((person, post));
            }
            Change::MentionsRead { person, through, .. } => {
                self.mentions.retain(|(mentioned, seq)| *mentioned != person || *seq > through);
            }
            _ => unreachable!("not a change of a room"),
        }
    }

    fn append(&mut self, entry: &Entry, posts: u64, digest: Option<Digest>) {
        assert_eq!(entry.seq, self.last().next(), "an entry follows the last of its room");
        let row = Row {
            appended: entry.clone(),
            record: Record::from(entry.clone()),
            posts,
            digest,
            reactions: BTreeMap::new(),
        };
        self.log.push(Rc::new(row));
    }

    fn change_row(&mut self, seq: Seq, change: impl FnOnce(&mut Row)) {
        let index = usize::try_from(seq.0 - 1).expect("an index");
        change(Rc::make_mut(&mut self.log[index]));
    }
}

impl Row {
    pub(super) fn leaves_room(&self, max: ReactionsMax, emoji: &Emoji, by: PersonId) -> bool {
        let others = self.reactions.values().filter(|(_, author)| author.id != by);
        let same = others.filter(|(put, _)| put == emoji).count();
        let mut different: BTreeSet<_> = self.reactions.values().map(|(put, _)| put).collect();
        different.remove(emoji);
        different.len() < max.emoji.into() && same < max.people.into()
    }
}

fn grouped(reactions: &BTreeMap<Seq, (Emoji, Author)>) -> Vec<Reaction> {
    let mut grouped: Vec<Reaction> = Vec::new();
    for (emoji, author) in reactions.values() {
        match grouped.iter_mut().find(|reaction| reaction.emoji == *emoji) {
            Some(reaction) => reaction.users.push(author.name.clone()),
            None => {
                let users = vec![author.name.clone()];
                grouped.push(Reaction { emoji: emoji.clone(), users });
            }
        }
    }
    grouped
}
