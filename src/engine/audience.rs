//! Sets of connections that are published to together, and what each is published in one turn.
//!
//! Owns who is in which audience, and the round that each is published: joined once, and each member is sent one slice of
//! it. It never touches a socket: `deliver` in `output.rs` does.
//!
//! An audience has two lanes, for members that take plain frames and for those that take deflated ones; a lane without
//! members costs nothing, so the second form is made only when somebody wants it.
//!
//! A member's *cursor* is how much of the round in the making it must not be sent at the round's end: what was
//! published before it joined, its own frames where it is not echoed, and what is in its outbox already because a frame
//! of its own had to follow it, or one that is not for it. Cursors are 0 between rounds, and lie beside the member so that
//! delivery reads one dense array.
//!
//! Invariants: a member is in exactly one lane, the one that its connection's form asks for; a connection's
//! [`Membership`]s and its audiences' members name each other; members are connections in their open phase; whoever has
//! part of a round in its outbox is to be flushed.

use super::actions::Publication;
use super::conn::Conn;
use super::ids::{AudienceId, ConnId};
use super::lists::Lists;
use super::membership::Membership;
use super::outbox::Pool;
use super::round::{Ledger, Making, Round};
use super::slots::Slots;
use crate::config;
use crate::ws::Codec;

/// All audiences, by id, and those with something to deliver at the end of this turn.
#[derive(Debug, Default)]
pub(super) struct Audiences {
    audiences: Vec<Audience>,
    published: Vec<Published>,
    rounds: Ledger,
    /// What this turn has published, times those it is for.
    weight_bytes: usize,
    publications: u64,
    deliveries: u64,
}

#[derive(Debug, Default)]
struct Audience {
    plain: Lane,
    deflated: Lane,
}

/// The members of an audience that take one form of frame, and what they are published this turn.
#[derive(Debug, Default)]
pub(super) struct Lane {
    pub(super) members: Vec<Member>,
    round: Making,
}

/// An audience that was published to, and once its round has ended, what.
#[derive(Debug)]
pub(super) struct Published {
    pub(super) audience: AudienceId,
    pub(super) rounds: Rounds,
}

/// What the lanes of an audience were published in one turn, if anything.
pub(super) type Rounds = [Option<Round>; 2];

/// A member that a frame is not for.
struct PassedBy {
    deflated: bool,
    position: u32,
}

#[derive(Debug)]
pub(super) struct Member {
    pub(super) slot: u32,
    /// Where in the round this member starts to be sent it.
    pub(super) cursor: u32,
}

impl Audiences {
    /// Puts a connection into an audience, from what is published after now. Twice is once.
    pub(super) fn join(&mut self, audience: AudienceId, conn: &mut Conn) {
        if conn.memberships.position_in(audience).is_some() {
            return;
        }
        if audience.index() >= self.audiences.len() {
            self.audiences.resize_with(audience.index() + 1, Audience::default);
        }
        let lane = self.audiences[audience.index()].lane(conn.takes_deflated());
        let position = u32::try_from(lane.members.len()).expect("fewer members than slots");
        lane.members.push(Member { slot: conn.id.slot(), cursor: lane.round.bytes() });
        conn.memberships.add(Membership { audience, position });
    }

    /// Takes a connection out of an audience; what was published before now still reaches it.
    pub(super) fn leave(
        &mut self,
        audience: AudienceId,
        id: ConnId,
        slots: &mut Slots,
        pool: &mut Pool,
        lists: &mut Lists,
    ) {
        let Some(conn) = slots.find(id) else { return };
        let Some(position) = conn.memberships.position_in(audience) else { return };
        let lane = self.audiences[audience.index()].lane(conn.takes_deflated());
        lane.settle(position, conn, pool, lists);
        conn.memberships.remove(audience);

        lane.members.swap_remove(position as usize);
        if let Some(moved) = lane.members.get(position as usize) {
            slots.at(moved.slot).memberships.move_to(audience, position);
        } else if lane.members.is_empty() {
            lane.members = Vec::new();
        }
    }

    /// Takes a connection out of every audience.
    pub(super) fn leave_all(
        &mut self,
        id: ConnId,
        slots: &mut Slots,
        pool: &mut Pool,
        lists: &mut Lists,
    ) {
        while let Some(audience) = slots.find(id).and_then(|conn| conn.memberships.first()) {
            self.leave(audience, id, slots, pool, lists);
        }
    }

    /// Takes every connection out of an audience that its service has closed.
    pub(super) fn disband(
        &mut self,
        audience: AudienceId,
        slots: &mut Slots,
        pool: &mut Pool,
        lists: &mut Lists,
    ) {
        for deflated in [false, true] {
            while let Some(slot) = self.last_member(audience, deflated) {
                let id = slots.at(slot).id;
                self.leave(audience, id, slots, pool, lists);
            }
        }
    }

    fn last_member(&mut self, audience: AudienceId, deflated: bool) -> Option<u32> {
        let audience = self.audiences.get_mut(audience.index())?;
        audience.lane(deflated).members.last().map(|member| member.slot)
    }

    /// Adds a frame to the round of an audience, for all its members but those it is not for. True when the round has
    /// grown so large that it is to be delivered before the turn ends.
    pub(super) fn publish(
        &mut self,
        audience: AudienceId,
        publication: &Publication,
        slots: &mut Slots,
        pool: &mut Pool,
        lists: &mut Lists,
        codec: &mut Codec,
    ) -> bool {
        let Some(entry) = self.audiences.get_mut(audience.index()) else { return false };
        let excepted = publication.except.and_then(|id| slots.find(id)).and_then(|conn| {
            let position = conn.memberships.position_in(audience)?;
            Some(entry.pass_by(conn.takes_deflated(), position, conn, pool, lists))
        });
        let lagging = match publication.is_whisper {
            true => entry.pass_by_lagging(slots, pool, lists),
            false => Vec::new(),
        };

        if entry.is_quiet() {
            self.published.push(Published { audience, rounds: Rounds::default() });
        }
        let frame = &publication.frame;
        if !entry.plain.members.is_empty() {
            entry.plain.round.add(frame);
        }
        if !entry.deflated.members.is_empty() {
            let twin = codec.deflate(frame);
            entry.deflated.round.add(twin.as_ref().unwrap_or(frame));
        }
        self.publications += 1;
        let members = entry.plain.members.len() + entry.deflated.members.len();
        self.weight_bytes += frame.as_bytes().len() * members;
        self.deliveries += (entry.plain.members.len() + entry.deflated.members.len()) as u64;
        for passed in excepted.into_iter().chain(lagging) {
            let lane = entry.lane(passed.deflated);
            let end = lane.round.bytes();
            let cursor = &mut lane.members[passed.position as usize].cursor;
            self.deliveries -= u64::from(std::mem::replace(cursor, end) != end);
        }
        entry.plain.round.bytes().max(entry.deflated.round.bytes()) >= ROUND_BYTES_MAX
    }

    /// Moves what this turn has published to `conn` so far into its outbox, so that a frame of its own can follow in
    /// order.
    pub(super) fn settle(&mut self, conn: &mut Conn, pool: &mut Pool, lists: &mut Lists) {
        if self.published.is_empty() {
            return;
        }
        let memberships = std::mem::take(&mut conn.memberships);
        for &Membership { audience, position } in memberships.as_slice() {
            self.audiences[audience.index()]
                .lane(conn.takes_deflated())
                .settle(position, conn, pool, lists);
        }
        conn.memberships = memberships;
    }

    /// Publications so far.
    pub(super) fn publications(&self) -> u64 {
        self.publications
    }

    /// Publications so far, each counted for every member that it was for.
    pub(super) fn deliveries(&self) -> u64 {
        self.deliveries
    }

    /// What this turn has published, in bytes for all that it is for: about as much as sending it costs.
    pub(super) fn weight_bytes(&self) -> usize {
        self.weight_bytes
    }

    /// A turn is over.
    pub(super) fn weigh_anew(&mut self) {
        self.weight_bytes = 0;
    }

    /// Ends the rounds of all audiences that were published to since the last call.
    pub(super) fn end_rounds(&mut self) -> Vec<Published> {
        let mut published = std::mem::take(&mut self.published);
        for Published { audience, rounds } in &mut published {
            *rounds = self.end_round(*audience);
        }
        published
    }

    /// Gives back the list that [`end_rounds`](Self::end_rounds) gave, so that its memory serves again.
    pub(super) fn keep_list(&mut self, mut list: Vec<Published>) {
        list.clear();
        if self.published.is_empty() {
            self.published = list;
        }
    }

    /// Ends the round of one audience: what each of its [`lanes`](Self::lanes) was published. Cursors stand in it until it is
    /// delivered, before anything else is published.
    pub(super) fn end_round(&mut self, audience: AudienceId) -> Rounds {
        let ledger = self.rounds.clone();
        self.lanes(audience).map(|lane| lane.round.freeze(&ledger))
    }

    /// Memory of what was published and is still waited for, each round counted once.
    pub(super) fn held_bytes(&self) -> usize {
        self.rounds.held()
    }

    /// The two lanes of one audience.
    pub(super) fn lanes(&mut self, audience: AudienceId) -> [&mut Lane; 2] {
        let Audience { plain, deflated } = &mut self.audiences[audience.index()];
        [plain, deflated]
    }
}

impl Audience {
    fn lane(&mut self, deflated: bool) -> &mut Lane {
        if deflated { &mut self.deflated } else { &mut self.plain }
    }

    /// Moves what a member was published so far into its outbox: the next frame is not for it.
    fn pass_by(
        &mut self,
        deflated: bool,
        position: u32,
        conn: &mut Conn,
        pool: &mut Pool,
        lists: &mut Lists,
    ) -> PassedBy {
        self.lane(deflated).settle(position, conn, pool, lists);
        PassedBy { deflated, position }
    }

    /// Passes by all who have much to take in already.
    fn pass_by_lagging(
        &mut self,
        slots: &mut Slots,
        pool: &mut Pool,
        lists: &mut Lists,
    ) -> Vec<PassedBy> {
        let mut passed = Vec::new();
        for deflated in [false, true] {
            let members = self.lane(deflated).members.iter().map(|member| member.slot);
            for (position, slot) in (0..).zip(members.collect::<Vec<_>>()) {
                let conn = slots.at(slot);
                if conn.outbox_bytes() > config::LAGGING_BYTES {
                    passed.push(self.pass_by(deflated, position, conn, pool, lists));
                }
            }
        }
        passed
    }

    fn is_quiet(&self) -> bool {
        self.plain.round.bytes() == 0 && self.deflated.round.bytes() == 0
    }
}

impl Lane {
    /// Moves what a member was published so far into its outbox, and sees to it that it is sent: the round's end passes by
    /// whoever has all of it.
    fn settle(&mut self, position: u32, conn: &mut Conn, pool: &mut Pool, lists: &mut Lists) {
        let member = &mut self.members[position as usize];
        let (start, end) = (member.cursor, self.round.bytes());
        if start < end {
            conn.queue_round(self.round.handle(), start as usize, end as usize, pool);
            lists.flush_later(conn);
            member.cursor = end;
        }
    }
}

/// Delivers a round at this size without waiting for the turn's end, so that the memory of rounds is bounded by the
/// number of audiences that a turn's input can name. A send costs about as much as copying 16 KiB, so that nothing is
/// saved by joining more.
const ROUND_BYTES_MAX: u32 = 256 * 1024;
