//! What committed entries do: to posts, to members, to rooms.
//!
//! A new member has read all that was there before: its cursors stand at the entry by which it came. Everybody is in the
//! lobby without ever coming; there a member is kept from the first entry that mentions it or is about it, or the first
//! cursor that it moves, and all before is old to it.
//!
//! Guests are named in entries, and banned if need be, but are no members here: they have no cursors, and what mutes them
//! is not kept.

use std::collections::BTreeSet;

use super::log::Log;
use super::tables::{Change, Fault, Head, Standing, Tables};
use crate::chat::{Author, Entry, Post, Role, RoomNo, Seq, UnixMs, What};

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
                members.iter().try_for_each(|(who, role)| self.admit(room, head, who, *role))
            }
            What::Join => self.admit(room, head, &entry.from, Role::Member),
            What::Leave => self.tables.apply(Change::NoMember { room, person: entry.from.id }),
            What::Add { user, role } => self.admit(room, head, user, *role),
            What::Remove { user } => self.tables.apply(Change::NoMember { room, person: user.id }),
            What::Role { user, role } => {
                self.restand(room, head, user, |standing| standing.role = *role)
            }
            What::Rename { title } => self.tables.apply(Change::Title { room, title }),
            What::Ban { user, on } => self.ban(room, user, *on),
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

    fn admit(&mut self, room: RoomNo, head: Head, who: &Author, role: Role) -> Result<(), Fault> {
        if who.id.is_guest() {
            return Ok(());
        }
        let standing = newcomer(role, head);
        self.tables.apply(Change::Member { room, person: who.id, standing })?;
        // Who was in already begins anew.
        self.tables.apply(Change::MentionsRead { room, person: who.id, through: head.seq })
    }

    fn ban(&mut self, room: RoomNo, user: &Author, on: bool) -> Result<(), Fault> {
        let person = user.id;
        self.tables.apply(Change::Ban { room, person, on })?;
        match on {
            true => self.tables.apply(Change::NoMember { room, person }),
            false => Ok(()),
        }
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
