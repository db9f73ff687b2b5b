//! What one worker's members have heard, counted as it comes; and what all workers' counts come to.
//!
//! The accidents are counted over the whole run, warm-up included. Rates, latencies and times until the last receiver
//! are of the measurement alone: rates of what was received in it, latencies of what was due in it.

use hdrhistogram::Histogram;

use super::chat::Entry;
use super::posts::{Contradiction, Posts};
use super::{Plan, Schedule, histogram};
use crate::bench::ledger::{Ledger, Verdict};
use crate::bench::stamp::Stamp;

/// The count of one worker.
pub(super) struct Score {
    ledger: Ledger,
    posts: Posts,
    /// When the measurement began and ends; nothing counts towards it before there is a schedule.
    window_ns: (u64, u64),
    pub(super) tally: Tally,
    /// Since the gauges were last brought up to date.
    news: News,
}

/// What has come since somebody last looked.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct News {
    /// Deliveries, each counted once.
    pub(super) received: u64,
    /// Posts that were acknowledged or refused.
    pub(super) answered: u64,
}

/// What a message was to the member that received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    New,
    Again,
    Nonsense,
}

/// What can go wrong with a delivery.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::bench) struct Accidents {
    pub(in crate::bench) lost: u64,
    pub(in crate::bench) duplicated: u64,
    pub(in crate::bench) reordered: u64,
    /// Changed on the way, from another room, or not from this run at all.
    pub(in crate::bench) corrupted: u64,
    /// Connections that the server ended.
    pub(in crate::bench) dropped: u64,
    /// Posts that had no answer.
    pub(in crate::bench) unanswered: u64,
    /// Posts that the server did not take.
    pub(in crate::bench) refused: u64,
    /// Entries that did not have the place in the log that they should have, or that their author was told.
    pub(in crate::bench) misplaced: u64,
}

/// What was sent and received, all in all.
pub(in crate::bench) struct Tally {
    pub(in crate::bench) sent: u64,
    pub(in crate::bench) expected: u64,
    /// Each delivery counted once.
    pub(in crate::bench) received: u64,
    /// Of these, how many within the measurement.
    pub(in crate::bench) received_measured: u64,
    /// Posts that were acknowledged within the measurement.
    pub(in crate::bench) acknowledged_measured: u64,
    /// Deliveries that there never were to be, because the post was refused.
    pub(super) withheld: u64,
    /// Of all entries received together.
    pub(in crate::bench) entry_bytes: u64,
    pub(in crate::bench) accidents: Accidents,
    /// How the first connection ended that should not have, or what the first refusal said.
    pub(in crate::bench) first_mishap: Option<String>,
    /// From due to received.
    pub(in crate::bench) latency_ns: Histogram<u64>,
    /// From due to acknowledged.
    pub(in crate::bench) answer_ns: Histogram<u64>,
    /// From due to sent: how late the load itself was.
    pub(in crate::bench) lag_ns: Histogram<u64>,
    /// From the first packet to an open connection.
    pub(in crate::bench) handshake_ns: Histogram<u64>,
    /// By publisher and sequence: from due to received by the last receiver so far. 0: not measured.
    last_ns: Vec<Vec<u64>>,
}

impl Score {
    pub(super) fn new(plan: &Plan, receivers: usize) -> Self {
        Self {
            ledger: Ledger::new(receivers, plan.publishers_per_room()),
            posts: Posts::new(receivers),
            window_ns: (u64::MAX, u64::MAX),
            tally: Tally::new(plan),
            news: News::default(),
        }
    }

    /// Takes over when the measurement begins and ends, which may have moved.
    pub(super) fn follow(&mut self, schedule: &Schedule) {
        self.window_ns = (schedule.warm_ns, schedule.end_ns());
    }

    /// Enters a message that the `receiver`th of this worker's members, in this room, got.
    #[inline]
    pub(super) fn note(
        &mut self,
        plan: &Plan,
        receiver: usize,
        room: u32,
        stamp: Stamp,
        now_ns: u64,
    ) -> Heard {
        let Stamp { publisher, sequence, due_ns } = stamp;
        if publisher >= plan.publishers || plan.room_of(publisher) != room {
            return self.note_nonsense();
        }
        match self.ledger.note(receiver, (publisher / plan.rooms) as usize, sequence) {
            Verdict::InOrder => {}
            Verdict::Reordered => self.tally.accidents.reordered += 1,
            Verdict::Duplicated => {
                self.tally.accidents.duplicated += 1;
                return Heard::Again;
            }
        }
        self.news.received += 1;
        self.tally.received_measured += u64::from(self.is_measured(now_ns));
        if self.window_ns.0 <= due_ns {
            let latency_ns = now_ns.saturating_sub(due_ns);
            self.tally.latency_ns.saturating_record(latency_ns);
            if plan.tracks_last {
                self.tally.note_last(publisher, sequence, latency_ns);
            }
        }
        Heard::New
    }

    #[cold]
    pub(super) fn note_nonsense(&mut self) -> Heard {
        self.tally.accidents.corrupted += 1;
        Heard::Nonsense
    }

    /// Enters an entry that the `receiver`th of this worker's members, number `member` of all, got in this room.
    pub(super) fn note_entry(
        &mut self,
        plan: &Plan,
        (receiver, member): (usize, u32),
        room: u32,
        entry: Entry,
        now_ns: u64,
    ) {
        let Some(stamp) = entry.stamp else {
            self.tally.accidents.misplaced += u64::from(!entry.is_next);
            return;
        };
        if self.note(plan, receiver, room, stamp, now_ns) != Heard::New {
            return;
        }
        self.tally.entry_bytes += entry.bytes as u64;
        self.tally.accidents.misplaced += u64::from(!entry.is_next);
        if stamp.publisher == member {
            let told = self.posts.heard(receiver, stamp.sequence, entry.seq);
            self.note_contradiction(told.err());
        }
    }

    /// Enters that a post of the member at this place was sent.
    pub(super) fn note_post(&mut self, place: usize, due_ns: u64) {
        self.posts.sent(place, due_ns);
    }

    /// Enters that the post has this place in the log.
    pub(super) fn note_answer(&mut self, place: usize, sequence: u32, seq: u64, now_ns: u64) {
        let told = self.posts.acknowledged(place, sequence, seq);
        self.news.answered += u64::from(told != Err(Contradiction::Unasked));
        self.note_contradiction(told.err());
        let Ok(due_ns) = told else { return };
        self.tally.acknowledged_measured += u64::from(self.is_measured(now_ns));
        if self.window_ns.0 <= due_ns {
            self.tally.answer_ns.saturating_record(now_ns.saturating_sub(due_ns));
        }
    }

    /// Enters that the post is not taken, and why, so that none of its `hearers` is to get it.
    pub(super) fn note_refusal(&mut self, place: usize, sequence: u32, hearers: u32, why: &str) {
        self.news.answered += 1;
        self.tally.accidents.refused += 1;
        self.tally.withheld += u64::from(hearers);
        self.tally.first_mishap.get_or_insert_with(|| format!("refused a post ({why})"));
        let told = self.posts.refused(place, sequence);
        self.note_contradiction(told.err());
    }

    fn note_contradiction(&mut self, contradiction: Option<Contradiction>) {
        match contradiction {
            None => {}
            Some(Contradiction::Unasked) => self.tally.accidents.corrupted += 1,
            Some(Contradiction::OtherPlace) => self.tally.accidents.misplaced += 1,
        }
    }

    fn is_measured(&self, now_ns: u64) -> bool {
        let (from_ns, until_ns) = self.window_ns;
        from_ns <= now_ns && now_ns < until_ns
    }

    /// What was is over: the handshakes to come are another matter.
    pub(super) fn forget_handshakes(&mut self) {
        self.tally.handshake_ns.reset();
    }

    /// Enters how late a message was sent.
    pub(super) fn note_lag(&mut self, due_ns: u64, now_ns: u64) {
        if self.window_ns.0 <= due_ns {
            self.tally.lag_ns.saturating_record(now_ns.saturating_sub(due_ns));
        }
    }

    /// Brings what is new into the count; answers with it.
    pub(super) fn take_news(&mut self) -> News {
        let news = std::mem::take(&mut self.news);
        self.tally.received += news.received;
        news
    }

    /// The whole count, now that it is known what was `sent`, by publisher. `members` gives receivers and their rooms.
    pub(super) fn settle(
        &mut self,
        plan: &Plan,
        sent: &[u32],
        members: impl Iterator<Item = (usize, u32)>,
    ) -> Tally {
        self.take_news();
        self.tally.accidents.unanswered += self.posts.unanswered();
        for (receiver, room) in members {
            for publisher in (room..plan.publishers).step_by(plan.rooms as usize) {
                let place = (publisher / plan.rooms) as usize;
                let lost = self.ledger.lost(receiver, place, sent[publisher as usize]);
                self.tally.accidents.lost += lost;
            }
        }
        std::mem::replace(&mut self.tally, Tally::new(plan))
    }
}

impl Tally {
    pub(super) fn new(plan: &Plan) -> Self {
        let publishers = if plan.tracks_last { plan.publishers as usize } else { 0 };
        Self {
            sent: 0,
            expected: 0,
            received: 0,
            received_measured: 0,
            acknowledged_measured: 0,
            withheld: 0,
            entry_bytes: 0,
            accidents: Accidents::default(),
            first_mishap: None,
            latency_ns: histogram(),
            answer_ns: histogram(),
            lag_ns: histogram(),
            handshake_ns: histogram(),
            last_ns: vec![Vec::new(); publishers],
        }
    }

    #[inline]
    fn note_last(&mut self, publisher: u32, sequence: u32, latency_ns: u64) {
        let messages = &mut self.last_ns[publisher as usize];
        let at = sequence as usize;
        if at >= messages.len() {
            messages.resize(at + 1, 0);
        }
        messages[at] = messages[at].max(latency_ns);
    }

    /// Adds another worker's count.
    pub(super) fn add(&mut self, other: &Tally) {
        self.received += other.received;
        self.received_measured += other.received_measured;
        self.acknowledged_measured += other.acknowledged_measured;
        self.withheld += other.withheld;
        self.entry_bytes += other.entry_bytes;
        self.accidents.add(other.accidents);
        if self.first_mishap.is_none() {
            self.first_mishap.clone_from(&other.first_mishap);
        }
        let pairs = [
            (&mut self.latency_ns, &other.latency_ns),
            (&mut self.answer_ns, &other.answer_ns),
            (&mut self.lag_ns, &other.lag_ns),
            (&mut self.handshake_ns, &other.handshake_ns),
        ];
        for (ours, theirs) in pairs {
            ours.add(theirs).expect("all have the same bounds");
        }
        for (ours, theirs) in self.last_ns.iter_mut().zip(&other.last_ns) {
            ours.resize(ours.len().max(theirs.len()), 0);
            for (ours, theirs) in ours.iter_mut().zip(theirs) {
                *ours = (*ours).max(*theirs);
            }
        }
    }

    /// How long each message took until its last receiver had it.
    pub(in crate::bench) fn last_receiver_ns(&self) -> Histogram<u64> {
        let mut all = histogram();
        for latency_ns in self.last_ns.iter().flatten().filter(|latency_ns| **latency_ns > 0) {
            all.saturating_record(*latency_ns);
        }
        all
    }
}

impl Accidents {
    pub(in crate::bench) fn add(&mut self, other: Self) {
        self.lost += other.lost;
        self.duplicated += other.duplicated;
        self.reordered += other.reordered;
        self.corrupted += other.corrupted;
        self.dropped += other.dropped;
        self.unanswered += other.unanswered;
        self.refused += other.refused;
        self.misplaced += other.misplaced;
    }

    /// Each kind by name, with its count.
    pub(in crate::bench) fn named(self) -> [(&'static str, u64); 8] {
        let Self { lost, duplicated, reordered, corrupted, dropped, .. } = self;
        let Self { unanswered, refused, misplaced, .. } = self;
        [
            ("lost", lost),
            ("duplicated", duplicated),
            ("reordered", reordered),
            ("corrupted", corrupted),
            ("connections dropped", dropped),
            ("posts unanswered", unanswered),
            ("posts refused", refused),
            ("entries misplaced", misplaced),
        ]
    }
}
