//! A session's joins that are under way.
//!
//! Owns the order in which they are done: one after the other as asked, a detachment in its turn among them; and what those
//! of one request may bring together. What a join takes is `joining`'s.
//!
//! Invariant: a request stands in the queue until its last join has ended.

use std::collections::VecDeque;

use super::command::RequestId;
use super::limits::{
    PRESENCE_BYTES_MAX, REPLAY_BYTES_MAX, REPLAY_ENTRIES_TOGETHER_MAX, RESUME_ROOMS_MAX,
};
use super::room_id::RoomId;
use super::seq::{Seq, Since};

/// What a session asked for, in its order.
#[derive(Debug, Default)]
pub(super) struct Joins {
    queue: VecDeque<Errand>,
    /// Rooms in the queue.
    rooms: usize,
    /// The join that waits for the log.
    current: Option<Join>,
}

/// What a session asked for.
#[derive(Debug)]
enum Errand {
    Join(Batch),
    Detach(RequestId, RoomId),
}

/// The joins of one request.
#[derive(Debug)]
struct Batch {
    request: RequestId,
    kind: BatchKind,
    rooms: VecDeque<(RoomId, Option<Since>)>,
    budget: Budget,
}

/// How a request's joins are answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum BatchKind {
    /// The one join is the answer.
    One,
    /// Each by itself, and then the request.
    Many,
}

/// One join.
#[derive(Clone, Debug)]
pub(super) struct Join {
    pub(super) room: RoomId,
    pub(super) since: Option<Since>,
    /// What its request may still be sent.
    pub(super) budget: Budget,
    /// How often the log was asked for what it lacks, and up to where it was asked last.
    pub(super) reads: u8,
    pub(super) through: Seq,
}

/// What the joins of one request may still bring.
#[derive(Clone, Copy, Debug)]
pub(super) struct Budget {
    pub(super) bytes: usize,
    pub(super) entries: u64,
    /// Of the names of those who are present.
    presence_bytes: usize,
}

/// What is to be done next.
#[derive(Debug)]
pub(super) enum Step {
    /// The join that is [`current`](Joins::current_mut) now.
    Join,
    Detach(RequestId, RoomId),
    /// Nothing but answering: all joins of the request have ended.
    End(RequestId, BatchKind),
}

impl Joins {
    /// Requests that are not answered yet.
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }

    /// Takes on the joins of a request; or does not, if there would be too many.
    #[must_use]
    pub(super) fn take_on(
        &mut self,
        request: RequestId,
        kind: BatchKind,
        rooms: VecDeque<(RoomId, Option<Since>)>,
    ) -> bool {
        if self.rooms + rooms.len() > RESUME_ROOMS_MAX {
            return false;
        }
        self.rooms += rooms.len();
        self.queue.push_back(Errand::Join(Batch { request, kind, rooms, budget: Budget::WHOLE }));
        true
    }

    pub(super) fn take_on_detachment(&mut self, request: RequestId, room: RoomId) {
        self.queue.push_back(Errand::Detach(request, room));
    }

    /// The join that is being done.
    pub(super) fn current_mut(&mut self) -> Option<&mut Join> {
        self.current.as_mut()
    }

    /// Begins the next step. `None` if all is done.
    pub(super) fn next_step(&mut self) -> Option<Step> {
        if let Errand::Join(batch) = self.queue.front_mut()?
            && let Some((room, since)) = batch.rooms.pop_front()
        {
            let (budget, through) = (batch.budget, Seq::START);
            self.current = Some(Join { room, since, budget, reads: 0, through });
            self.rooms -= 1;
            return Some(Step::Join);
        }
        Some(match self.queue.pop_front()? {
            Errand::Detach(request, room) => Step::Detach(request, room),
            Errand::Join(Batch { request, kind, .. }) => Step::End(request, kind),
        })
    }

    /// Ends the join that is being done. Returns whose it was, and of what room.
    pub(super) fn end_current(&mut self) -> Option<(RequestId, BatchKind, RoomId)> {
        let Join { room, budget, .. } = self.current.take()?;
        let Errand::Join(batch) = self.queue.front_mut()? else { return None };
        batch.budget = budget;
        Some((batch.request, batch.kind, room))
    }
}

impl Budget {
    const WHOLE: Self = Self {
        bytes: REPLAY_BYTES_MAX,
        entries: REPLAY_ENTRIES_TOGETHER_MAX,
        presence_bytes: PRESENCE_BYTES_MAX,
    };

    pub(super) fn spend(&mut self, entries: u64, bytes: usize, presence_bytes: usize) {
        self.entries = self.entries.saturating_sub(entries);
        self.bytes = self.bytes.saturating_sub(bytes);
        self.presence_bytes = self.presence_bytes.saturating_sub(presence_bytes);
    }

    /// True if no more can be told of who is present. A room can do without a replay, and not without this.
    pub(super) fn is_spent(self) -> bool {
        self.presence_bytes == 0
    }
}
