//! One room's log as it was committed, and who may do what there, worked out from the entries alone.

use std::collections::{BTreeMap, BTreeSet};

use crate::chat::log::RestoredRoom;
use crate::chat::{
    Author, Emoji, Entry, Epoch, Marks, Mode, PersonId, Reaction, Record, Role, RoomKind, Seq,
    UnixMs, What,
};

/// One room.
#[derive(Clone, Debug)]
pub(crate) struct Story {
    pub(crate) kind: RoomKind,
    pub(crate) epoch: Epoch,
    pub(crate) log: Vec<Entry>,
    pub(crate) members: BTreeMap<PersonId, Role>,
    /// Guests in an open room: no entry says so.
    pub(super) visitors: BTreeSet<PersonId>,
    banned: BTreeSet<PersonId>,
    /// Whether they are members still or not.
    pub(super) muted: BTreeMap<PersonId, UnixMs>,
    /// Who was a reader when they went.
    readers_gone: BTreeSet<PersonId>,
    mode: Mode,
}

impl Story {
    pub(super) fn new(kind: RoomKind, epoch: Epoch) -> Self {
        Self {
            kind,
            epoch,
            log: Vec::new(),
            members: BTreeMap::new(),
            visitors: BTreeSet::new(),
            banned: BTreeSet::new(),
            muted: BTreeMap::new(),
            readers_gone: BTreeSet::new(),
            mode: Mode::default(),
        }
    }

    pub(crate) fn last(&self) -> Seq {
        Seq(self.log.len() as u64)
    }

    pub(crate) fn entry(&self, seq: Seq) -> Option<&Entry> {
        self.log.get(usize::try_from(seq.0.checked_sub(1)?).ok()?)
    }

    pub(crate) fn role_of(&self, person: PersonId) -> Option<Role> {
        let role = self.members.get(&person).copied();
        let is_here = self.kind == RoomKind::Lobby || self.visitors.contains(&person);
        role.or(is_here.then_some(Role::Member))
    }

    pub(super) fn is_banned(&self, person: PersonId) -> bool {
        self.banned.contains(&person)
    }

    pub(super) fn posts(&self) -> u64 {
        self.log.iter().filter(|entry| matches!(entry.what, What::Post(_))).count() as u64
    }

    /// Posts after `read`, and those of them that mention the person; deleted ones too.
    pub(crate) fn unread(&self, person: PersonId, read: Seq) -> (u64, u64) {
        let after = self.log.iter().filter(|entry| entry.seq > read);
        let posts = after.filter_map(|entry| match &entry.what {
            What::Post(post) => Some((entry, post)),
            _ => None,
        });
        let mentions = posts.clone().filter(|(entry, post)| {
            let mentioned = post.mentions.iter().any(|author| author.id == person);
            mentioned && entry.from.id != person
        });
        (posts.count() as u64, mentions.count() as u64)
    }

    fn is_deleted(&self, post: Seq) -> bool {
        let deletes = |entry: &Entry| matches!(entry.what, What::Delete { post: p } if p == post);
        self.log.iter().any(deletes)
    }

    /// The log up to `as_of`, as a history shows it: lines, with what later entries made of them.
    pub(crate) fn lines(&self, as_of: Seq) -> Vec<Record> {
        let entries = || self.log.iter().filter(|entry| entry.seq <= as_of);
        let mut lines: Vec<_> =
            entries().filter(|entry| entry.what.is_line()).cloned().map(Record::from).collect();
        for entry in entries() {
            fold(&mut lines, entry);
        }
        lines
    }

    /// A room as the domain is given it.
    ///
    /// # Errors
    /// What is otherwise than it follows from the entries.
    pub(super) fn check_restored(
        &self,
        room: &RestoredRoom,
        deleted: &BTreeSet<PersonId>,
    ) -> Result<(), String> {
        let rules = self.log.iter().rev().find(|entry| entry.what.changes_rules());
        let rules = rules.map_or(Seq::START, |entry| entry.seq);
        let head = (self.kind, &self.epoch, self.last(), rules, self.posts(), self.mode);
        if head != (room.kind, &room.epoch, room.seq, room.rules, room.posts, room.mode) {
            return Err(format!("is {head:?}"));
        }
        let is_there = |person: &PersonId| !deleted.contains(person);
        let members = room.members.iter().filter(|member| is_there(&member.person));
        let members: BTreeMap<_, _> = members.map(|member| (member.person, member.role)).collect();
        // In the lobby are they who have something of their own there.
        let is_known = |(person, role): (&PersonId, &Role)| match members.get(person) {
            Some(known) => known == role,
            None => !is_there(person),
        };
        let is_more = members.len() > self.members.len() && self.kind != RoomKind::Lobby;
        if is_more || !self.members.iter().all(is_known) {
            return Err(format!("has the members {:?}", self.members));
        }
        if !room.banned.iter().eq(&self.banned) {
            return Err(format!("has banned {:?}", self.banned));
        }
        self.check_lapses(room, deleted)
    }

    /// What stands against somebody stands whether they are there still or have gone. A mute that is over by any entry's
    /// moment may be forgotten.
    fn check_lapses(
        &self,
        room: &RestoredRoom,
        deleted: &BTreeSet<PersonId>,
    ) -> Result<(), String> {
        let is_there = |person: &PersonId| !person.is_guest() && !deleted.contains(person);
        let latest = self.log.iter().map(|entry| entry.at).max().unwrap_or_default();
        let is_muted = |(person, until): &(PersonId, UnixMs)| is_there(person) && *until > latest;
        let members = room.members.iter().map(|member| (member.person, member.muted_until));
        let gone = room.lapses.iter().map(|(person, lapse)| (*person, lapse.muted_until));
        let told: BTreeMap<_, _> = members.chain(gone).filter(is_muted).collect();
        let muted = self.muted.iter().map(|(person, until)| (*person, *until)).filter(is_muted);
        if !told.into_iter().eq(muted) {
            return Err(format!("has muted {:?}", self.muted));
        }
        let readers = room.lapses.iter().filter(|(_, lapse)| lapse.role == Role::Reader);
        let known = self.readers_gone.iter().filter(|person| is_there(person));
        match readers.map(|(person, _)| person).eq(known) {
            true => Ok(()),
            false => Err(format!("has let go of the readers {:?}", self.readers_gone)),
        }
    }

    /// Goes on by an entry.
    ///
    /// # Errors
    /// If it does not follow, or leaves to themselves those who are not `deleted`: what is left of these goes next.
    pub(super) fn take(
        &mut self,
        entry: &Entry,
        deleted: &BTreeSet<PersonId>,
    ) -> Result<(), String> {
        if entry.seq != self.last().next() {
            return Err(format!("after {} comes {entry:?}", self.last()));
        }
        let was_owned = self.is_owned();
        match &entry.what {
            What::Created { members, .. } => {
                self.members.extend(members.iter().map(|(who, role)| (who.id, *role)));
            }
            What::Join => {
                let was_reader = self.readers_gone.contains(&entry.from.id);
                self.admit(&entry.from, if was_reader { Role::Reader } else { Role::Member });
            }
            What::Leave => self.put_out(entry.from.id),
            What::Add { user, role } | What::Role { user, role } => self.admit(user, *role),
            What::Remove { user } => self.put_out(user.id),
            What::Ban { user, on: true } => {
                self.put_out(user.id);
                self.banned.insert(user.id);
            }
            What::Ban { user, on: false } => {
                self.banned.remove(&user.id);
            }
            What::Mute { user, until } => {
                self.muted.insert(user.id, *until);
            }
            What::Mode(mode) => self.mode = *mode,
            _ => {}
        }
        self.log.push(entry.clone());
        let is_anybody_there = self.members.keys().any(|member| !deleted.contains(member));
        let is_left_alone = !self.is_owned() && is_anybody_there;
        match was_owned && is_left_alone && self.kind != RoomKind::Lobby {
            true => Err(format!("nobody owns the room after {entry:?}")),
            false => Ok(()),
        }
    }

    fn is_owned(&self) -> bool {
        self.members.values().any(|role| *role == Role::Owner)
    }

    fn admit(&mut self, who: &Author, role: Role) {
        if !self.may_visit(who.id) {
            self.members.insert(who.id, role);
            self.readers_gone.remove(&who.id);
        }
    }

    fn put_out(&mut self, person: PersonId) {
        if self.members.remove(&person) == Some(Role::Reader) {
            self.readers_gone.insert(person);
        }
        self.visitors.remove(&person);
    }

    pub(super) fn put_out_by(&self, entry: &Entry) -> Option<PersonId> {
        match &entry.what {
            What::Leave => Some(entry.from.id),
            What::Remove { user } | What::Ban { user, on: true } => Some(user.id),
            _ => None,
        }
    }

    /// Whether who did this was allowed to, when it was committed.
    ///
    /// # Errors
    /// What is against it.
    pub(super) fn allows(
        &self,
        entry: &Entry,
        now: UnixMs,
        deleted: &BTreeSet<PersonId>,
    ) -> Result<(), &'static str> {
        let by = entry.from.id;
        let is_for_guests = matches!(self.kind, RoomKind::Lobby | RoomKind::Open);
        if by.is_guest() && !is_for_guests {
            return Err("a guest is in a room for accounts");
        }
        if let What::Join = entry.what {
            return self.allows_join(by);
        }
        if self.is_bequest(entry) {
            return Ok(());
        }
        let visits = self.may_visit(by) && !self.is_banned(by);
        let role =
            self.role_of(by).or(visits.then_some(Role::Member)).ok_or("done by a stranger")?;
        let is_muted = self.muted.get(&by).is_some_and(|until| *until > now);
        let allowed = match &entry.what {
            What::Post(_)
            | What::Edit { .. }
            | What::Delete { .. }
            | What::React { .. }
            | What::Pin { .. } => self.allows_saying(by, role, is_muted, &entry.what),
            what => self.allows_governing(by, role, what, deleted),
        };
        allowed.then_some(()).ok_or("done without the right to")
    }

    /// Whether somebody becomes the owner where nobody is: after an account that was the last one and is deleted, or after one
    /// who has gone while it was waiting to be written. If the program ended before, they are no member any more when it is.
    fn is_bequest(&self, entry: &Entry) -> bool {
        let What::Role { user, role: Role::Owner } = &entry.what else { return false };
        let is_heir = self.members.get(&user.id).is_some_and(|role| match self.kind {
            RoomKind::Lobby => *role >= Role::Admin,
            RoomKind::Open | RoomKind::Group => true,
            RoomKind::Direct | RoomKind::Invite => false,
        });
        let has_owner = self.members.values().any(|role| *role == Role::Owner);
        is_heir && !has_owner
    }

    /// Guests come and go in open rooms without an entry: who was there when something was decided may be gone by now.
    fn may_visit(&self, person: PersonId) -> bool {
        person.is_guest() && self.kind == RoomKind::Open
    }

    fn allows_saying(&self, by: PersonId, role: Role, is_muted: bool, what: &What) -> bool {
        let moderates = role >= Role::Admin;
        let is_heard = role >= Role::Member && !is_muted && (moderates || !self.mode.read_only);
        match what {
            What::Post(post) => {
                is_heard && post.reply_to.is_none_or(|post| self.live_post(post).is_some())
            }
            What::Edit { post, .. } => {
                is_heard && self.live_post(*post).is_some_and(|entry| entry.from.id == by)
            }
            What::Delete { post } => {
                self.live_post(*post).is_some_and(|entry| entry.from.id == by || moderates)
            }
            What::React { post, .. } => {
                self.live_post(*post).is_some() && role >= Role::Member && !is_muted
            }
            What::Pin { post, .. } => {
                self.live_post(*post).is_some() && (moderates || self.kind == RoomKind::Direct)
            }
            _ => false,
        }
    }

    fn allows_governing(
        &self,
        by: PersonId,
        role: Role,
        what: &What,
        deleted: &BTreeSet<PersonId>,
    ) -> bool {
        let moderates = role >= Role::Admin;
        let of_kind = |kinds: &[RoomKind]| kinds.contains(&self.kind);
        let is_above = |user: &Author| self.role_of(user.id).is_none_or(|other| other < role);
        let may_give = |given: Role| given < role || role == Role::Owner;
        match what {
            What::Add { user, role: given } => {
                let is_new = self.role_of(user.id).is_none() && !self.is_banned(user.id);
                let may_come = is_new && !user.id.is_guest();
                of_kind(&[RoomKind::Group]) && moderates && may_give(*given) && may_come
            }
            What::Rename { .. } => of_kind(&[RoomKind::Group]) && moderates,
            What::Leave => of_kind(LEFT),
            What::Remove { user } => {
                let is_there = self.may_visit(user.id) || self.role_of(user.id).is_some();
                of_kind(LEFT) && moderates && is_above(user) && is_there
            }
            What::Ban { user, .. } => of_kind(LEFT) && moderates && is_above(user),
            What::Mute { user, .. } => of_kind(MODERATED) && moderates && is_above(user),
            What::Mode(_) => of_kind(MODERATED) && moderates,
            What::Role { user, role: given } => {
                let by_rank = moderates && may_give(*given) && (is_above(user) || user.id == by);
                // The first account of all takes a lobby that nobody owns, and who comes first a room that all had left, or
                // whose owner's account is deleted and about to leave.
                let may_take = self.kind == RoomKind::Lobby || user.id == by;
                let mut owners = self.members.iter().filter(|(_, role)| **role == Role::Owner);
                let is_crowned = may_take && owners.all(|(owner, _)| deleted.contains(owner));
                of_kind(MODERATED) && (by_rank || is_crowned)
            }
            _ => false,
        }
    }

    fn allows_join(&self, by: PersonId) -> Result<(), &'static str> {
        let may_come = match self.kind {
            RoomKind::Open => !by.is_guest(),
            RoomKind::Lobby | RoomKind::Group | RoomKind::Direct | RoomKind::Invite => false,
        };
        let is_new = !self.members.contains_key(&by);
        (may_come && is_new && !self.is_banned(by)).then_some(()).ok_or("came in where it may not")
    }

    /// The post at this place, if it is one and not deleted.
    fn live_post(&self, post: Seq) -> Option<&Entry> {
        let entry = self.entry(post)?;
        (matches!(entry.what, What::Post(_)) && !self.is_deleted(post)).then_some(entry)
    }
}

/// Does to the lines what an entry says.
fn fold(lines: &mut [Record], entry: &Entry) {
    let (What::Edit { post, .. }
    | What::Delete { post }
    | What::React { post, .. }
    | What::Pin { post, .. }) = &entry.what
    else {
        return;
    };
    let Some(line) = lines.iter_mut().find(|line| line.entry.seq == *post) else { return };
    match &entry.what {
        What::Edit { body: Some(text), .. } => {
            if let What::Post(post) = &mut line.entry.what {
                post.body = text.clone();
                line.marks.edited = Some(entry.at);
            }
        }
        What::Delete { .. } => {
            line.entry.what = What::Tombstone;
            line.marks = Marks::default();
        }
        What::React { emoji, on, .. } => {
            react(&mut line.marks.reactions, emoji, &entry.from, *on);
        }
        What::Pin { on, .. } => line.marks.pinned = *on,
        _ => {}
    }
}

fn react(reactions: &mut Vec<Reaction>, emoji: &Emoji, by: &Author, on: bool) {
    let at = reactions.iter().position(|reaction| reaction.emoji == *emoji).unwrap_or_else(|| {
        reactions.push(Reaction { emoji: emoji.clone(), users: Vec::new() });
        reactions.len() - 1
    });
    let users = &mut reactions[at].users;
    match on {
        true if !users.contains(&by.name) => users.push(by.name.clone()),
        true => {}
        false => users.retain(|user| *user != by.name),
    }
    reactions.retain(|reaction| !reaction.users.is_empty());
}

/// Where somebody is above somebody.
const MODERATED: &[RoomKind] = &[RoomKind::Lobby, RoomKind::Open, RoomKind::Group];
/// What one can leave, and be put out of.
const LEFT: &[RoomKind] = &[RoomKind::Open, RoomKind::Group];
