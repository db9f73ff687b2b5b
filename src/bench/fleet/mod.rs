//! The load: many connections on a few threads, each thread one event loop.
//!
//! Owns the threads and what passes between them and the measurement: orders one way, reports the other, and a few
//! counters that all may read. The measurement says what is to happen and waits; the workers do it.
//!
//! ```text
//!     launch ─▶ connect ─▶ greet ─▶ start … silence ─▶ settle ─▶ (dropped)
//!                  └────▶ hold                      └▶ storm
//! ```

mod beat;
mod chat;
mod dial;
mod member;
mod plan;
mod posts;
mod raw;
mod score;
mod timer;
mod tongue;
mod voice;
mod worker;

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;

pub(super) use self::beat::{Pace, Schedule};
pub(super) use self::plan::{Kind, LOBBY, Language, Plan, Talk};
pub(super) use self::score::{Accidents, Tally};
use self::worker::Worker;
use super::Failure;
use super::interrupt::Interrupt;

/// The time that all threads of a fleet share.
#[derive(Clone, Copy, Debug)]
pub(super) struct Clock(Instant);

impl Clock {
    #[inline]
    pub(super) fn now_ns(self) -> u64 {
        nanos(self.0.elapsed())
    }
}

pub(super) fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

/// What all may read while it happens.
#[derive(Debug, Default)]
pub(super) struct Gauges {
    /// Connections open now.
    pub(super) open: AtomicU32,
    /// When the last was opened.
    pub(super) last_open_ns: AtomicU64,
    /// Attempts that failed and are made again.
    pub(super) failures: AtomicU32,
    /// Connections that the server ended although nobody had asked it to.
    pub(super) dropped: AtomicU32,
    pub(super) greeted: AtomicU32,
    /// Deliveries that there should be, and those that there were, each counted once.
    pub(super) expected: AtomicU64,
    pub(super) received: AtomicU64,
    /// Posts that are to be answered, and those that were.
    pub(super) asked: AtomicU64,
    pub(super) answered: AtomicU64,
}

enum Order {
    /// Open all that are not open. In a storm, what fails is tried again, and times count from its beginning.
    Connect {
        window: usize,
        storm_ns: Option<u64>,
    },
    /// Endings are expected from now on.
    ExpectEndings,
    /// Let every room's first member greet it.
    Greet,
    Start(Arc<Schedule>),
    /// Send no more, and say how many were sent.
    Silence,
    /// So many were sent, by publisher: what is missing?
    Settle(Arc<Vec<u32>>),
    Quit,
}

enum Report {
    /// The load cannot be brought up, and why.
    Failed(String),
    /// The server ended a connection, and how.
    Dropped(String),
    /// What these publishers sent.
    Sent(Vec<(u32, u32)>),
    Tally(Box<Tally>),
}

/// Handles of all workers. They end when this is dropped.
pub(super) struct Fleet {
    pub(super) plan: Arc<Plan>,
    pub(super) clock: Clock,
    pub(super) gauges: Arc<Gauges>,
    workers: Vec<Handle>,
    reports: Receiver<Report>,
    interrupt: Interrupt,
    /// How the first connection was ended that should not have been.
    first_drop: Option<String>,
}

struct Handle {
    orders: Sender<Order>,
    waker: mio::Waker,
    thread: Option<JoinHandle<()>>,
}

impl Fleet {
    /// Starts the threads; nothing is connected yet.
    pub(super) fn launch(plan: Plan, interrupt: &Interrupt) -> Result<Self, Failure> {
        let (plan, clock, gauges) = (Arc::new(plan), Clock(Instant::now()), Arc::default());
        let (tell, reports) = mpsc::channel();
        let mut fleet = Self {
            plan,
            clock,
            gauges,
            workers: Vec::new(),
            reports,
            interrupt: interrupt.clone(),
            first_drop: None,
        };
        for number in 0..fleet.plan.workers {
            let handle = fleet.start_worker(number, tell.clone());
            fleet.workers.push(handle.map_err(|e| Failure::new(format!("cannot start: {e}")))?);
        }
        Ok(fleet)
    }

    fn start_worker(&self, number: u32, tell: Sender<Report>) -> std::io::Result<Handle> {
        let (orders, ordered) = mpsc::channel();
        let gauges = Arc::clone(&self.gauges);
        let mut worker =
            Worker::new(number, Arc::clone(&self.plan), self.clock, gauges, ordered, tell)?;
        let waker = worker.waker()?;
        let thread = std::thread::Builder::new().name(format!("load-{number}"));
        let thread = thread.spawn(move || worker.run())?;
        Ok(Handle { orders, waker, thread: Some(thread) })
    }

    fn order(&self, make: impl Fn() -> Order) {
        for worker in &self.workers {
            // A worker that has ended has said why in its last report, which is read next.
            let _ = worker.orders.send(make());
            let _ = worker.waker.wake();
        }
    }

    /// Waits until `done`, and takes in reports meanwhile. False: interrupted, or out of time.
    fn wait(
        &mut self,
        until_ns: u64,
        mut done: impl FnMut(&Gauges) -> bool,
    ) -> Result<bool, Failure> {
        loop {
            if done(&self.gauges) {
                return Ok(true);
            }
            if self.interrupt.is_set() || self.clock.now_ns() >= until_ns {
                return Ok(false);
            }
            match self.reports.recv_timeout(Duration::from_millis(1)) {
                Ok(report) => self.take_in(report)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    return Err(Failure::new("the load has stopped".to_owned()));
                }
            }
        }
    }

    fn take_in(&mut self, report: Report) -> Result<(), Failure> {
        match report {
            Report::Failed(why) => Err(Failure::new(why)),
            Report::Dropped(how) => {
                self.first_drop.get_or_insert(how);
                Ok(())
            }
            Report::Sent(_) | Report::Tally(_) => Ok(()),
        }
    }

    /// Opens every connection; answers with how many are open, which is fewer only when interrupted.
    pub(super) fn connect(&mut self, mut progress: impl FnMut(u32)) -> Result<u32, Failure> {
        let window = self.plan.window.div_ceil(self.plan.workers).max(1) as usize;
        self.order(|| Order::Connect { window, storm_ns: None });
        let all = self.plan.connections();
        self.wait(u64::MAX, |gauges| {
            let open = gauges.open.load(Relaxed);
            progress(open);
            open + gauges.dropped.load(Relaxed) >= all
        })?;
        self.check_all_stay()?;
        Ok(self.gauges.open.load(Relaxed))
    }

    /// Opens every connection at once, again and again until all are open, and, where members are greeted, in their rooms.
    /// False: given up, or interrupted. Times count from `since_ns`.
    pub(super) fn storm(
        &mut self,
        since_ns: u64,
        patience: Duration,
        mut progress: impl FnMut(u32),
    ) -> Result<bool, Failure> {
        self.order(|| Order::Connect { window: usize::MAX, storm_ns: Some(since_ns) });
        let (all, greets) = (self.plan.connections(), self.plan.greets);
        self.wait(since_ns + nanos(patience), |gauges| {
            let back = if greets { &gauges.greeted } else { &gauges.open }.load(Relaxed);
            progress(back);
            back == all
        })
    }

    /// From now on the server may end connections.
    pub(super) fn expect_endings(&mut self) {
        self.order(|| Order::ExpectEndings);
    }

    /// Waits until it has ended all. False: it has not.
    pub(super) fn wait_all_ended(&mut self) -> Result<bool, Failure> {
        let until = self.clock.now_ns() + nanos(self.plan.patience);
        self.wait(until, |gauges| gauges.open.load(Relaxed) == 0)
    }

    /// Waits until every member hears its room, so that what is lost later was not just early.
    pub(super) fn greet(&mut self) -> Result<(), Failure> {
        let until = self.clock.now_ns() + nanos(self.plan.patience);
        let all = self.plan.members;
        loop {
            self.order(|| Order::Greet);
            let again = until.min(self.clock.now_ns() + nanos(GREET_AGAIN));
            let is_complete = self.wait(again, |gauges| gauges.greeted.load(Relaxed) == all)?;
            self.check_all_stay()?;
            if is_complete || self.interrupt.is_set() {
                return Ok(());
            }
            if self.clock.now_ns() >= until {
                let hear = self.gauges.greeted.load(Relaxed);
                return Err(Failure::new(self.plan.complaint(hear)));
            }
        }
    }

    /// Lets time pass, until then. False: interrupted.
    pub(super) fn pass_until(
        &mut self,
        at_ns: u64,
        mut progress: impl FnMut(&Gauges),
    ) -> Result<bool, Failure> {
        self.wait(at_ns, |gauges| {
            progress(gauges);
            false
        })?;
        Ok(!self.interrupt.is_set())
    }

    /// Holds the connections as they are. False: interrupted.
    pub(super) fn hold(&mut self, duration: Duration) -> Result<bool, Failure> {
        self.pass_until(self.clock.now_ns() + nanos(duration), |_| {})
    }

    fn check_all_stay(&mut self) -> Result<(), Failure> {
        if self.gauges.dropped.load(Relaxed) == 0 {
            return Ok(());
        }
        self.wait(0, |_| false)?;
        while self.first_drop.is_none() {
            match self.reports.recv_timeout(self.plan.patience) {
                Ok(report) => self.take_in(report)?,
                Err(_) => break,
            }
        }
        let how = self.first_drop.as_deref().unwrap_or("ended");
        let (target, open) = (&self.plan.target, self.gauges.open.load(Relaxed));
        Err(Failure::new(format!("{target} {how}, with {open} other connections open")))
    }

    pub(super) fn start(&self, schedule: &Arc<Schedule>) {
        self.order(|| Order::Start(Arc::clone(schedule)));
    }

    /// Stops the sending, waits for what is on its way, and adds everything up.
    pub(super) fn finish(&mut self) -> Result<Tally, Failure> {
        self.order(|| Order::Silence);
        let sent = Arc::new(self.collect_sent()?);
        self.wait_for_stragglers()?;
        self.order(|| Order::Settle(Arc::clone(&sent)));
        let mut total = Tally::new(&self.plan);
        for _ in 0..self.workers.len() {
            let tally = self.expect(|report| match report {
                Report::Tally(tally) => Ok(tally),
                other => Err(other),
            })?;
            total.add(&tally);
        }
        total.sent = sent.iter().map(|&sent| u64::from(sent)).sum();
        total.expected = self.gauges.expected.load(Relaxed);
        total.accidents.lost = total.accidents.lost.saturating_sub(total.withheld);
        total.accidents.dropped = u64::from(self.gauges.dropped.load(Relaxed));
        total.first_mishap = self.first_drop.take().or(total.first_mishap);
        Ok(total)
    }

    fn collect_sent(&mut self) -> Result<Vec<u32>, Failure> {
        let mut sent = vec![0; self.plan.publishers as usize];
        for _ in 0..self.workers.len() {
            let counts = self.expect(|report| match report {
                Report::Sent(counts) => Ok(counts),
                other => Err(other),
            })?;
            for (publisher, count) in counts {
                sent[publisher as usize] = count;
            }
        }
        Ok(sent)
    }

    /// Until all is received, or nothing more has come for a while; then a moment more, for what comes twice.
    ///
    /// A server that is slow keeps something coming. Only time in which this thread could have looked counts: when the
    /// whole machine is stopped for a while, that is nobody's loss.
    fn wait_for_stragglers(&mut self) -> Result<(), Failure> {
        let (clock, patience_ns) = (self.clock, nanos(self.plan.patience));
        let (mut seen, mut quiet_ns, mut looked_ns) = (0, 0, clock.now_ns());
        self.wait_uninterrupted(|gauges| {
            let answered = gauges.answered.load(Relaxed);
            let (received, now_ns) = (gauges.received.load(Relaxed), clock.now_ns());
            quiet_ns += (now_ns - looked_ns).min(LOOK_NS_MAX);
            looked_ns = now_ns;
            if received > seen {
                (seen, quiet_ns) = (received, 0);
            }
            let is_all =
                received >= gauges.expected.load(Relaxed) && answered >= gauges.asked.load(Relaxed);
            is_all || quiet_ns > patience_ns
        })?;
        let until = clock.now_ns() + nanos(REPEATS_WAIT);
        self.wait_uninterrupted(|_| clock.now_ns() >= until)
    }

    fn wait_uninterrupted(&mut self, mut done: impl FnMut(&Gauges) -> bool) -> Result<(), Failure> {
        while !done(&self.gauges) {
            if let Ok(report) = self.reports.recv_timeout(Duration::from_millis(1)) {
                self.take_in(report)?;
            }
        }
        Ok(())
    }

    /// The next report of one kind.
    fn expect<T>(&mut self, pick: impl Fn(Report) -> Result<T, Report>) -> Result<T, Failure> {
        loop {
            let report = self.reports.recv_timeout(TALLY_WAIT);
            let report = report.map_err(|_| Failure::new("the load is stuck".to_owned()))?;
            match pick(report) {
                Ok(wanted) => return Ok(wanted),
                Err(other) => self.take_in(other)?,
            }
        }
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        self.order(|| Order::Quit);
        for worker in &mut self.workers {
            if let Some(thread) = worker.thread.take() {
                // A panic there has been printed there; nothing is to be added while this one ends.
                let _ = thread.join();
            }
        }
    }
}

/// A histogram of nanoseconds up to an hour, exact to three digits.
fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 3_600_000_000_000, 3).expect("these bounds are valid")
}

/// A server that registers members late misses greetings, so they are repeated.
const GREET_AGAIN: Duration = Duration::from_millis(200);
/// Far more than passes between two looks of a thread that is not stopped.
const LOOK_NS_MAX: u64 = 20_000_000;
/// For the workers to add up, which takes them a moment when there are many publishers and members.
const TALLY_WAIT: Duration = Duration::from_secs(60);
/// How long to listen on for what comes twice.
const REPEATS_WAIT: Duration = Duration::from_millis(50);
