//! What committed entries do: to posts, to members, to rooms.
//!
//! A new member has read all that was there before: its cursors stand at the entry by which it came. Everybody is in the
//! lobby without ever coming; there a member is kept from the first entry that mentions it or is about it, or the first
//! cursor that it moves, and all before is old to it.
//!
//! Who goes leaves behind what stands against them, a [`Lapse`], and takes it up again when they come back: who comes by
//! themselves all of it, who is added by somebody else that they are muted.
//!
//! Guests are named in entries, and banned if need be, but are no members here: they have no cursors, and what mutes them
//! is not kept.

use std::collections::BTreeSet;

use super::log::Log;
use super::tables::{Change, Fault, Head, Standing, Tables};
use crate::chat::{Author, Entry, Lapse, PersonId, Post, Role, RoomNo, Seq, UnixMs, What};

impl<D: Tables> Log<D> {
    /// Does what an entry says that was just appended, so that its room stands at `head`.
    pub(super) fn take_effect(
        &mut self,
        room: RoomNo,
        head: Head,
        entry: &Entry,
    ) -> Result<(), Fault> {
        let seq = entry.seq;
        match &entry.what {
            What::Post(post) => self.mention(room, head, entry, post),
            What::Tombstone | What::Edit { body: None, .. } => Ok(()),
            &What::Edit { post, body: Some(ref body) } => {
                self.tables.apply(Change::Edit { room, post, body, at: entry.at })
            }
            &What::Delete { post } => self.tables.apply(Change::Wipe { room, post }),
            &What::React { post, ref emoji, on } => {
                let by = &entry.from;
                self.tables.apply(Change::React { room, post, emoji, by, seq, on })
            }
            &What::Pin { post, on } => self.tables.apply(Change::Pin { room, post, on }),
            What::Created { members, .. } => {
                members.iter().try_for_each(|(who, role)| self.admit(room, head, who, Some(*role)))
            }
            What::Join => self.admit(room, head, &entry.from, None),
            What::Leave => self.let_go(room, entry.from.id, entry.at),
            What::Add { user, role } => self.admit(room, head, user, Some(*role)),
            What::Remove { user } => self.let_go(room, user.id, entry.at),
            What::Role { user, role } => {
                self.restand(room, head, user, |standing| standing.role = *role)
            }
            What::Rename { title } => self.tables.apply(Change::Title { room, title }),
            What::Ban { user, on } => {
                self.tables.apply(Change::Ban { room, person: user.id, on: *on })?;
                if *on { self.let_go(room, user.id, entry.at) } else { Ok(()) }
            }
            What::Mute { user, until } => {
                self.restand(room, head, user, |standing| standing.muted_until = *until)
            }
            &What::Mode(mode) => self.tables.apply(Change::Mode { room, mode }),
        }
    }

    /// Kept are the mentions of members other than the author, each once. To who is first mentioned in the lobby all before
    /// is old, and this is not.
    fn mention(
        &mut self,
        room: RoomNo,
        head: Head,
        entry: &Entry,
        post: &Post,
    ) -> Result<(), Fault> {
        let people: BTreeSet<_> = post.mentions.iter().map(|author| author.id).collect();
        for person in people {
            if person == entry.from.id {
                continue;
            }
            if self.tables.standing(room, person)?.is_none() {
                if !head.is_lobby_of(person) {
                    continue;
                }
                let (read, posts_read) = (Seq(head.seq.0 - 1), head.posts - 1);
                let standing = Standing { read, posts_read, ..newcomer(Role::Member, head) };
                self.tables.apply(Change::Member { room, person, standing })?;
            }
            self.tables.apply(Change::Mention { room, post: entry.seq, person })?;
        }
        Ok(())
    }

    /// Without a role that somebody gave, one comes as what one was.
    fn admit(
        &mut self,
        room: RoomNo,
        head: Head,
        who: &Author,
        given: Option<Role>,
    ) -> Result<(), Fault> {
        let person = who.id;
        if person.is_guest() {
            return Ok(());
        }
        let lapse = self.tables.lapse(room, person)?;
        if lapse.is_some() {
            self.tables.apply(Change::NoLapse { room, person })?;
        }
        let Lapse { role, muted_until } = lapse.unwrap_or_default();
        let standing = Standing { muted_until, ..newcomer(given.unwrap_or(role), head) };
        self.tables.apply(Change::Member { room, person, standing })?;
        // Who was in already begins anew.
        self.tables.apply(Change::MentionsRead { room, person, through: head.seq })
    }

    fn let_go(&mut self, room: RoomNo, person: PersonId, at: UnixMs) -> Result<(), Fault> {
        if let Some(Standing { role, muted_until, .. }) = self.tables.standing(room, person)?
            && let Some(lapse) = Lapse::of(role, muted_until, at)
        {
            self.tables.apply(Change::Lapse { room, person, lapse, at })?;
        }
        self.tables.apply(Change::NoMember { room, person })
    }

    /// Changes how a member stands; who is none stays none.
    fn restand(
        &mut self,
        room: RoomNo,
        head: Head,
        user: &Author,
        change: impl FnOnce(&mut Standing),
    ) -> Result<(), Fault> {
        let person = user.id;
        let mut standing = match self.tables.standing(room, person)? {
            Some(standing) => standing,
            None if head.is_lobby_of(person) => newcomer(Role::Member, head),
            None => return Ok(()),
        };
        change(&mut standing);
        self.tables.apply(Change::Member { room, person, standing })
    }
}

/// How a member stands to whom all that is there is old.
fn newcomer(role: Role, head: Head) -> Standing {
    let Head { seq, posts, .. } = head;
    Standing { role, muted_until: UnixMs(0), received: seq, read: seq, posts_read: posts }
}
