//! What may be said to whom, as far as the truth goes.

use super::rows::Rows;
use super::story::Story;
use super::truth::Truth;
use crate::chat::{Event, PersonId, Record, Refusal, RoomId, RoomKind, RoomSummary, Seq, What};

impl Truth {
    /// An event that is no answer.
    pub(super) fn check_event(&self, person: PersonId, event: &Event) -> Result<(), String> {
        match event {
            Event::Entry(room, entry) => {
                self.check_reader(room, person)?;
                let Some(story) = self.story(room) else { return Ok(()) };
                let is_so = story.entry(entry.seq) == Some(entry);
                is_so.then_some(()).ok_or_else(|| format!("{room} has no such entry: {entry:?}"))
            }
            Event::Presence(room, _)
            | Event::Record(room, _)
            | Event::Typing { room, .. }
            | Event::Received { room, .. }
            | Event::Read { room, .. } => self.check_reader(room, person),
            Event::Welcome(welcome) => self.check_rooms(person, &welcome.rooms),
            // Nothing of a room, or checked above.
            Event::Ok(..)
            | Event::Error(..)
            | Event::Room(_)
            | Event::Out(..)
            | Event::Profile(_)
            | Event::Pong => Ok(()),
        }
    }

    pub(super) fn check_reader(&self, room: &RoomId, person: PersonId) -> Result<(), String> {
        let may = self.may_read(room, person);
        may.then_some(())
            .ok_or_else(|| format!("{person:?} is told of {room}, and may not read there"))
    }

    /// Who may not know of a room is told what is said of a room that is not there.
    pub(super) fn check_refusal(
        &self,
        room: &RoomId,
        person: PersonId,
        refusal: Refusal,
    ) -> Result<(), String> {
        let is_secret = |story: &Story| matches!(story.kind, RoomKind::Group | RoomKind::Direct);
        let is_hidden = self.story(room).is_some_and(is_secret) && !self.may_read(room, person);
        let says_nothing =
            matches!(refusal, Refusal::NoRoom | Refusal::Rate { .. } | Refusal::Busy { .. });
        let discreet = !is_hidden || says_nothing || self.is_deleted(person);
        discreet.then_some(()).ok_or_else(|| format!("{person:?} learns of {room} by {refusal:?}"))
    }

    pub(super) fn check_summary(
        &self,
        person: PersonId,
        summary: &RoomSummary,
    ) -> Result<(), String> {
        let room = &summary.room;
        self.check_reader(room, person)?;
        let Some(story) = self.story(room) else { return Ok(()) };
        let role = self.role_of(story, person);
        let is_so = role == Some(summary.role) && story.last() == summary.seq;
        is_so
            .then_some(())
            .ok_or_else(|| format!("{person:?} is {role:?} in {room}, not {summary:?}"))
    }

    /// All of a person's rooms, and no other.
    pub(super) fn check_rooms(
        &self,
        person: PersonId,
        rooms: &[RoomSummary],
    ) -> Result<(), String> {
        rooms.iter().try_for_each(|summary| self.check_summary(person, summary))?;
        let listed = |room: &RoomId| rooms.iter().any(|summary| summary.room == *room);
        let mut own = self.stories().filter(|(_, story)| story.members.contains_key(&person));
        match own.find(|(room, _)| !listed(room) && !self.is_deleted(person)) {
            None => Ok(()),
            Some((room, _)) => Err(format!("{person:?} is in {room}, which is not listed")),
        }
    }

    /// A reader may have seen more than the domain was told. What came after somebody was put out is not for them in any case.
    pub(super) fn check_page(
        &self,
        rows: &Rows,
        room: &RoomId,
        person: PersonId,
        records: &[Record],
        as_of: Seq,
    ) -> Result<(), String> {
        let Some(story) = self.story(room).filter(|story| story.last() < as_of) else {
            return Ok(());
        };
        let kept = rows.rooms().find(|(_, kept)| kept.id == *room);
        let (_, kept) = kept.ok_or_else(|| format!("{room} is nowhere"))?;
        let ahead =
            kept.log.iter().map(|row| &row.appended).filter(|entry| entry.seq > story.last());
        let put_out = |what: &What| match what {
            What::Remove { user } | What::Ban { user, on: true } => user.id == person,
            _ => false,
        };
        let Some(end) = ahead.clone().find(|entry| put_out(&entry.what)) else { return Ok(()) };
        match records.iter().find(|record| record.entry.seq > end.seq) {
            None => Ok(()),
            Some(record) => {
                Err(format!("{person:?} was put out of {room} by {end:?}, and reads {record:?}"))
            }
        }
    }
}
