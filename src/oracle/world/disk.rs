//! A simulated disk under the real [`Log`](crate::store::log::Log): it fails, it doubts, and it forgets when the power goes.
//!
//! Keeps exactly what [`Tables`] promises and no more. Of a commit that failed it may hold all, which shows only when it is
//! opened again; a commit that succeeds settles that. See the module of [`Tables`].

use super::dice::Dice;
use super::rows::{Room, Rows};
use crate::chat::{Emoji, Lapse, Name, PersonId, PostKey, ReactionsMax, RoomId, RoomNo, Seq};
use crate::store::SessionNo;
use crate::store::tables::{Change, Fault, Head, Keyed, Standing, Tables};

/// A disk, and the transaction that is being made on it.
#[derive(Debug, Default)]
pub(crate) struct Disk {
    /// What every reader sees.
    committed: Rows,
    /// What a failed commit may have left.
    doubtful: Option<Rows>,
    open: Option<Rows>,
    weather: Weather,
    dice: Dice,
    flaw: Option<Flaw>,
}

/// How the disk is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Weather {
    /// All succeeds.
    #[default]
    Fair,
    /// One in so many steps fails: each beginning, change, read and commit is one.
    Flaky(u64),
    /// No commit succeeds.
    Full,
}

/// A promise that a disk breaks on purpose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// Says that it has what it has not yet: the last commit goes with the power.
    Unsynced,
    /// Does not find a post by its key.
    ForgetsKeys,
    /// Keeps the cursors but not what is left after them.
    ForgetsMentions,
    /// Keeps nothing of those who have gone from a room.
    ForgetsLapses,
}

impl Disk {
    pub(crate) fn new(dice: Dice, flaw: Option<Flaw>) -> Self {
        Self { dice, flaw, ..Self::default() }
    }

    pub(crate) fn set_weather(&mut self, weather: Weather) {
        self.weather = weather;
    }

    /// What is committed: a reader's view from now on, whatever is committed later.
    pub(crate) fn committed(&self) -> &Rows {
        &self.committed
    }

    /// The process or the power ended: what was under way is gone, and what was in doubt is decided.
    pub(crate) fn crash(&mut self) {
        self.open = None;
        if let Some(rows) = self.doubtful.take() {
            let is_there = self.flaw == Some(Flaw::Unsynced) || self.dice.per_cent(50);
            if is_there {
                self.committed = rows;
            }
        }
    }

    fn step(&mut self) -> Result<(), Fault> {
        let fails = match self.weather {
            Weather::Flaky(steps) => self.dice.one_in(steps),
            Weather::Fair | Weather::Full => false,
        };
        if fails {
            self.open = None;
        }
        if fails { Err(Fault::Unavailable) } else { Ok(()) }
    }

    /// The rows of the transaction, to be read.
    fn rows(&mut self) -> Result<&Rows, Fault> {
        self.step()?;
        self.open.as_ref().ok_or(Fault::Unavailable)
    }

    fn room<T>(
        &mut self,
        room: RoomNo,
        read: impl FnOnce(&Room) -> Option<T>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.rows()?.room(room).and_then(read))
    }
}

impl Tables for Disk {
    fn begin(&mut self) -> Result<(), Fault> {
        assert!(self.open.is_none(), "there is one transaction at a time");
        self.step()?;
        self.open = Some(self.committed.clone());
        Ok(())
    }

    fn commit(&mut self) -> Result<(), Fault> {
        let rows = self.open.take().ok_or(Fault::Unavailable)?;
        if self.weather == Weather::Full || self.step().is_err() {
            // Not even the disk knows; of two that failed one at most is there, since neither was made upon the other.
            if self.dice.per_cent(50) {
                self.doubtful = Some(rows);
            }
            return Err(Fault::Unavailable);
        }
        let before = std::mem::replace(&mut self.committed, rows);
        self.doubtful = (self.flaw == Some(Flaw::Unsynced)).then_some(before);
        Ok(())
    }

    fn rollback(&mut self) {
        self.open = None;
    }

    fn apply(&mut self, change: Change<'_>) -> Result<(), Fault> {
        self.step()?;
        let is_forgotten = match change {
            Change::Mention { .. } => self.flaw == Some(Flaw::ForgetsMentions),
            Change::Lapse { .. } => self.flaw == Some(Flaw::ForgetsLapses),
            _ => false,
        };
        if !is_forgotten {
            self.open.as_mut().ok_or(Fault::Unavailable)?.apply(change);
        }
        Ok(())
    }

    fn head(&mut self, room: RoomNo) -> Result<Option<Head>, Fault> {
        self.room(room, |room| Some(room.head()))
    }

    fn room_called(&mut self, id: &RoomId) -> Result<Option<RoomNo>, Fault> {
        Ok(self.rows()?.room_called(id))
    }

    fn last_room(&mut self) -> Result<Option<RoomNo>, Fault> {
        Ok(self.rows()?.last_room())
    }

    fn keyed(
        &mut self,
        room: RoomNo,
        author: PersonId,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault> {
        let remembers = self.flaw != Some(Flaw::ForgetsKeys);
        self.room(room, |room| room.keyed(author, key).filter(|_| remembers))
    }

    fn author_of_post(&mut self, room: RoomNo, post: Seq) -> Result<Option<PersonId>, Fault> {
        self.room(room, |room| room.author_of_post(post))
    }

    fn pinned_but(&mut self, room: RoomNo, post: Seq) -> Result<u64, Fault> {
        Ok(self.room(room, |room| Some(room.pinned_but(post)))?.unwrap_or(0))
    }

    fn has_room_for_reaction(
        &mut self,
        (room, post): (RoomNo, Seq),
        emoji: &Emoji,
        by: PersonId,
        max: ReactionsMax,
    ) -> Result<bool, Fault> {
        let leaves_room = |room: &Room| Some(room.row(post)?.leaves_room(max, emoji, by));
        Ok(self.room(room, leaves_room)?.unwrap_or(false))
    }

    fn posts_through(&mut self, room: RoomNo, seq: Seq) -> Result<u64, Fault> {
        Ok(self.room(room, |room| Some(room.posts_through(seq)))?.unwrap_or(0))
    }

    fn standing(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Standing>, Fault> {
        self.room(room, |room| room.standing(person))
    }

    fn lapse(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Lapse>, Fault> {
        self.room(room, |room| room.lapse(person))
    }

    fn mentions(&mut self, room: RoomNo, person: PersonId) -> Result<u64, Fault> {
        Ok(self.room(room, |room| Some(room.mentions(person)))?.unwrap_or(0))
    }

    fn is_taken(&mut self, name: &Name) -> Result<bool, Fault> {
        Ok(self.rows()?.is_taken(name))
    }

    fn last_person(&mut self) -> Result<Option<PersonId>, Fault> {
        Ok(self.rows()?.last_person())
    }

    fn last_session(&mut self) -> Result<Option<SessionNo>, Fault> {
        Ok(self.rows()?.last_session())
    }
}
