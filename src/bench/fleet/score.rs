//! What one worker's members have heard, counted as it comes; and what all workers' counts come to.
//!
//! The accidents are counted over the whole run, warm-up included. Rates, latencies and times until the last receiver
//! are of the measurement alone: rates of what was received in it, latencies of what was due in it.

use hdrhistogram::Histogram;

use super::{Kind, Plan, Schedule, histogram};
use crate::bench::ledger::{Ledger, Verdict};
use crate::bench::stamp::Stamp;
use crate::ws::Message;

/// The count of one worker.
pub(super) struct Score {
    filler: Vec<u8>,
    ledger: Ledger,
    /// When the measurement began and ends; nothing counts towards it before there is a schedule.
    window_ns: (u64, u64),
    pub(super) tally: Tally,
    /// Deliveries, each counted once, since the gauges were last brought up to date.
    pub(super) news: u64,
}

/// What a message was to the member that received it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Heard {
    /// Of the measurement: this publisher's message with this number.
    Published {
        publisher: u32,
        sequence: u32,
    },
    Greeting,
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
}

/// What was sent and received, all in all.
pub(in crate::bench) struct Tally {
    pub(in crate::bench) sent: u64,
    pub(in crate::bench) expected: u64,
    /// Each delivery counted once.
    pub(in crate::bench) received: u64,
    /// Of these, how many within the measurement.
    pub(in crate::bench) received_measured: u64,
    pub(in crate::bench) accidents: Accidents,
    pub(in crate::bench) first_drop: Option<String>,
    /// From due to received.
    pub(in crate::bench) latency_ns: Histogram<u64>,
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
            filler: plan.filler(),
            ledger: Ledger::new(receivers, plan.publishers_per_room()),
            window_ns: (u64::MAX, u64::MAX),
            tally: Tally::new(plan),
            news: 0,
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
        message: Message<'_>,
        now_ns: u64,
    ) -> Heard {
        let Some(stamp) = self.read(plan, message) else { return self.nonsense() };
        let Stamp { publisher, sequence, due_ns } = stamp;
        if publisher == Stamp::GREETER {
            return Heard::Greeting;
        }
        if publisher >= plan.publishers || plan.room_of(publisher) != room {
            return self.nonsense();
        }
        match self.ledger.note(receiver, (publisher / plan.rooms) as usize, sequence) {
            Verdict::InOrder => {}
            Verdict::Reordered => self.tally.accidents.reordered += 1,
            Verdict::Duplicated => {
                self.tally.accidents.duplicated += 1;
                return Heard::Published { publisher, sequence };
            }
        }
        self.news += 1;
        let (from_ns, until_ns) = self.window_ns;
        self.tally.received_measured += u64::from(from_ns <= now_ns && now_ns < until_ns);
        if from_ns <= due_ns {
            let latency_ns = now_ns.saturating_sub(due_ns);
            self.tally.latency_ns.saturating_record(latency_ns);
            if plan.tracks_last {
                self.tally.note_last(publisher, sequence, latency_ns);
            }
        }
        Heard::Published { publisher, sequence }
    }

    fn read(&self, plan: &Plan, message: Message<'_>) -> Option<Stamp> {
        let payload = match (plan.kind, message) {
            (Kind::Binary, Message::Binary(payload)) => payload,
            (Kind::Text, Message::Text(payload)) => payload.as_bytes(),
            _ => return None,
        };
        let stamp = Stamp::read(plan.run, payload)?;
        (payload[Stamp::BYTES..] == self.filler).then_some(stamp)
    }

    #[cold]
    fn nonsense(&mut self) -> Heard {
        self.tally.accidents.corrupted += 1;
        Heard::Nonsense
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
    pub(super) fn take_news(&mut self) -> u64 {
        let news = std::mem::take(&mut self.news);
        self.tally.received += news;
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
            accidents: Accidents::default(),
            first_drop: None,
            latency_ns: histogram(),
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
        self.accidents.add(other.accidents);
        let pairs = [
            (&mut self.latency_ns, &other.latency_ns),
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
    }

    /// Each kind by name, with its count.
    pub(in crate::bench) fn named(self) -> [(&'static str, u64); 5] {
        let Self { lost, duplicated, reordered, corrupted, dropped } = self;
        [
            ("lost", lost),
            ("duplicated", duplicated),
            ("reordered", reordered),
            ("corrupted", corrupted),
            ("connections dropped", dropped),
        ]
    }
}
