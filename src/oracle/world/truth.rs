//! What is so: each room's log as the domain was told it, and what follows from that in the plainest way.
//!
//! The twin that the real code is held against. A [`Story`] has each room; it is told each entry just before the domain is.

use std::collections::{BTreeMap, BTreeSet};

use super::rows::Rows;
use super::story::Story;
use crate::chat::log::Restored;
use crate::chat::{Entry, Epoch, PersonId, Role, RoomId, RoomKind, RoomNo, Seq, UnixMs, What};

/// All rooms' stories.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    stories: BTreeMap<RoomId, Story>,
    by_no: BTreeMap<RoomNo, RoomId>,
    /// Who is in which invite room: their entries are in no log that can be looked at.
    invites: BTreeMap<RoomId, BTreeSet<PersonId>>,
    deleted: BTreeSet<PersonId>,
    /// Who was put out by the last entry, and may still be told that one.
    leaving: Option<(RoomId, PersonId)>,
}

impl Truth {
    pub(crate) fn story(&self, room: &RoomId) -> Option<&Story> {
        self.stories.get(room)
    }

    pub(crate) fn stories(&self) -> impl Iterator<Item = (&RoomId, &Story)> {
        self.stories.iter()
    }

    pub(crate) fn id_of(&self, no: RoomNo) -> Option<&RoomId> {
        self.by_no.get(&no)
    }

    /// A room begins with its first entry.
    ///
    /// # Errors
    /// What is wrong with it.
    pub(crate) fn begin(
        &mut self,
        no: RoomNo,
        room: &RoomId,
        epoch: &Epoch,
        entry: &Entry,
    ) -> Result<(), String> {
        let What::Created { kind, .. } = entry.what else {
            return Err(format!("{room} begins with {entry:?}"));
        };
        if self.stories.contains_key(room) {
            return Err(format!("{room} begins twice"));
        }
        self.by_no.insert(no, room.clone());
        self.leaving = None;
        let mut story = Story::new(kind, epoch.clone());
        story.take(entry, &self.deleted)?;
        self.stories.insert(room.clone(), story);
        Ok(())
    }

    /// Something was committed. `now` is the time of day at which the domain is told.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub(crate) fn tell(&mut self, room: &RoomId, entry: &Entry, now: UnixMs) -> Result<(), String> {
        let story = self.stories.get_mut(room).ok_or_else(|| format!("{room} is not there"))?;
        story
            .allows(entry, now, &self.deleted)
            .map_err(|why| format!("{room}: {why}: {entry:?}"))?;
        self.leaving = story.put_out_by(entry).map(|person| (room.clone(), person));
        story.take(entry, &self.deleted)
    }

    /// An account is deleted: it is in no room that everybody is in.
    pub(crate) fn delete(&mut self, person: PersonId) {
        self.deleted.insert(person);
    }

    pub(crate) fn is_deleted(&self, person: PersonId) -> bool {
        self.deleted.contains(&person)
    }

    /// Somebody is let into a room without an entry that could be seen, or is no longer there.
    pub(crate) fn visit(&mut self, room: &RoomId, person: PersonId, inside: bool) {
        let visitors = match self.stories.get_mut(room) {
            Some(story) if person.is_guest() && story.kind == RoomKind::Open => &mut story.visitors,
            Some(_) => return,
            None => self.invites.entry(room.clone()).or_default(),
        };
        match inside {
            true => visitors.insert(person),
            false => visitors.remove(&person),
        };
    }

    /// What the log says is left after somebody's cursor.
    ///
    /// # Errors
    /// If it is not so.
    pub(crate) fn check_cursor(
        &self,
        person: PersonId,
        room: RoomNo,
        read: Seq,
        posts_read: u64,
        mentions: u64,
    ) -> Result<(), String> {
        let story = self.id_of(room).and_then(|id| self.story(id)).ok_or("a cursor of no room")?;
        if story.role_of(person).is_none() || person.is_guest() {
            return Ok(());
        }
        let (left, mentioned) = story.unread(person, read);
        let is_so = (story.posts() - left, mentioned) == (posts_read, mentions);
        let wrong = || {
            let so = story.posts() - left;
            format!(
                "{person:?} at {read} in {room:?}: {posts_read} read and {mentions} mentions, not {so} and {mentioned}"
            )
        };
        is_so.then_some(()).ok_or_else(wrong)
    }

    /// A guest becomes an account: no room has the guest any more, and in invite rooms the account is at once.
    pub(crate) fn becomes(&mut self, guest: PersonId, account: PersonId) {
        let invites = self.invites.values_mut().filter(|inside| inside.contains(&guest));
        invites.for_each(|inside| _ = inside.insert(account));
        self.forget_guest(guest);
    }

    /// A guest was forgotten: no room has them any more.
    pub(crate) fn forget_guest(&mut self, guest: PersonId) {
        for story in self.stories.values_mut() {
            story.visitors.remove(&guest);
        }
        self.invites.values_mut().for_each(|inside| {
            inside.remove(&guest);
        });
    }

    /// Whether a person may be told what is in a room.
    pub(crate) fn may_read(&self, room: &RoomId, person: PersonId) -> bool {
        let is_leaving = self.leaving.as_ref().is_some_and(|(r, p)| r == room && *p == person);
        is_leaving || self.is_inside(room, person)
    }

    pub(crate) fn is_inside(&self, room: &RoomId, person: PersonId) -> bool {
        match self.story(room) {
            Some(story) => self.role_of(story, person).is_some(),
            None => self.invites.get(room).is_some_and(|inside| inside.contains(&person)),
        }
    }

    /// The last entry has been told to all.
    pub(crate) fn settle(&mut self) {
        self.leaving = None;
    }

    pub(crate) fn is_banned(&self, room: &RoomId, person: PersonId) -> bool {
        self.story(room).is_some_and(|story| story.is_banned(person))
    }

    /// As what a person is in a room.
    pub(crate) fn role_of(&self, story: &Story, person: PersonId) -> Option<Role> {
        story.role_of(person).filter(|_| !self.is_deleted(person))
    }

    /// What the domain is given when it starts.
    ///
    /// # Errors
    /// If it is not what follows from the entries.
    pub(crate) fn check_restored(&self, restored: &Restored) -> Result<(), String> {
        if restored.rooms.len() != self.stories.len() {
            return Err(format!("{} rooms, not {}", restored.rooms.len(), self.stories.len()));
        }
        restored.rooms.iter().try_for_each(|room| {
            let story = self.story(&room.id).ok_or_else(|| format!("{} is nowhere", room.id))?;
            story.check_restored(room, &self.deleted).map_err(|why| format!("{why}: {room:?}"))
        })
    }

    /// The process begins anew upon what the disk has.
    ///
    /// # Errors
    /// If anything that was told before is missing or another.
    pub(crate) fn restart(&mut self, rows: &Rows) -> Result<(), String> {
        self.leaving = None;
        self.invites.clear();
        let told = std::mem::take(&mut self.stories);
        for (room, story) in &told {
            let kept = rows.rooms().find(|(_, kept)| kept.id == *room);
            let kept = kept.map_or(&[][..], |(_, kept)| &kept.log);
            for (at, entry) in story.log.iter().enumerate() {
                if kept.get(at).map(|row| &row.appended) != Some(entry) {
                    let now = kept.get(at).map(|row| &row.appended);
                    return Err(format!("{room} lost {entry:?}, and has there {now:?}"));
                }
            }
        }
        self.by_no.clear();
        self.deleted.extend(rows.deleted());
        for (no, room) in rows.rooms() {
            let mut story = Story::new(room.kind, room.epoch.clone());
            for row in &room.log {
                story.take(&row.appended, &self.deleted)?;
            }
            // Of guests nothing is kept but that they are banned.
            story.muted.retain(|person, _| !person.is_guest());
            self.by_no.insert(no, room.id.clone());
            self.stories.insert(room.id.clone(), story);
        }
        // The memberships of deleted accounts are not restored, even where no entry has ended them; a direct room is still
        // theirs and the other's.
        let others = self.stories.values_mut().filter(|story| story.kind != RoomKind::Direct);
        others.for_each(|story| story.members.retain(|person, _| !self.deleted.contains(person)));
        Ok(())
    }
}
