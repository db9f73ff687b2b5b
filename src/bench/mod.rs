//! `wsrelay bench`: how a WebSocket server scales, measured from outside.
//!
//! Owns the measurement: the load, the server as the system sees it, and the report. It knows nothing of the server's
//! insides: it drives any relay by its URL in the same way, and a chat by the protocol that its clients speak.
//!
//! # How a measurement runs
//!
//! 1. The `subject` is raised: our own `serve`, a command, or what runs already at a URL.
//! 2. A `fleet` connects, paced, and checks every handshake. Rooms are greeted until every member hears.
//! 3. Publishers speak by a schedule: open loop, where latency counts from when a message was *due*, so that a stalled
//!    server cannot hide by stalling the load; or closed loop, each as soon as its last message is back.
//! 4. Every message carries a `stamp`, every delivery is entered in a `ledger`: lost, duplicated, reordered and
//!    corrupted deliveries are counted, not assumed away. A chat's acknowledgements and places in the log are, too.
//! 5. The server's processor time and memory are read from `/proc`, before and after.
//!
//! The `floor` is measured in the same invocation with the same flags, in turns with the server (A B A B …), because a
//! figure in microseconds says little on a machine that others share, and a ratio to the physical limit says much; and
//! beside a chat the raw relay, which shows what it costs that posts are kept. A ratio is the median of the ratios of
//! neighbours in time.

mod affinity;
mod axis;
mod chat;
mod command;
mod crowd;
mod echo;
mod fanout;
mod figures;
mod fleet;
mod floor;
mod idle;
mod interrupt;
mod ledger;
mod members;
mod messages;
mod options;
mod process;
mod progress;
mod report;
mod scratch;
mod server;
mod stamp;
mod storm;
mod subject;
mod target;
mod traffic;

use std::hash::{BuildHasher, RandomState};

use hdrhistogram::Histogram;

use self::axis::Axis;
pub use self::command::{Options, run};
use self::figures::Figures;
use self::fleet::{Accidents, Fleet, Tally};
use self::interrupt::Interrupt;
use self::options::Common;
use self::progress::Progress;
use self::report::{Outcome, Point, Report};
use self::server::Keeping;
use self::subject::{Subject, Yardstick};

/// Why there is no report, or why the report is not to be trusted: one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    fn new(why: impl Into<String>) -> Self {
        Self(why.into())
    }
}

impl std::fmt::Display for Failure {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

/// A mode with its flags: what can be measured.
trait Measure: Clone {
    fn about(&self) -> About<'_>;

    fn parameters(&self) -> Vec<Parameter>;

    /// Whether the flags make sense together, for this subject.
    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        let _ = subject;
        Ok(())
    }

    /// Moves to another point of an axis; `None` where it has no such axis, or not so far.
    fn vary(&mut self, axis: Axis, value: f64) -> Option<()>;

    /// Measures once. `None` when it was interrupted before there was anything to report.
    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure>;
}

/// What every mode says of itself.
struct About<'a> {
    name: &'static str,
    connections: u32,
    /// Where our own server has what this measures.
    path: &'static str,
    /// What our own server does with its log.
    keeping: Keeping,
    /// What is measured beside the server, and where that has it.
    yardsticks: &'static [Yardstick],
    path_beside: &'static str,
    common: &'a Common,
}

impl<'a> About<'a> {
    /// What a mode says that connects to raw rooms and has the floor beside it.
    fn raw(common: &'a Common) -> Self {
        Self {
            name: "",
            connections: 0,
            path: ROOMS,
            keeping: Keeping::Memory,
            yardsticks: &[Yardstick::Floor],
            path_beside: ROOMS,
            common,
        }
    }
}

/// Where our own server has its raw rooms.
const ROOMS: &str = "/relay/bench-{room}";

/// What a measurement may need from around it.
struct Context {
    interrupt: Interrupt,
    progress: Progress,
}

impl Context {
    /// Opens every connection of a fleet; answers with how many are open, which is fewer only when interrupted.
    fn connect(&mut self, fleet: &mut Fleet) -> Result<u32, Failure> {
        let (all, progress) = (fleet.plan.connections(), &mut self.progress);
        fleet.connect(|open| progress.step(|| format!("  {open} of {all} connected")))
    }

    /// Opens every connection, and waits until all of those in rooms hear theirs.
    fn assemble(&mut self, fleet: &mut Fleet) -> Result<u32, Failure> {
        let open = self.connect(fleet)?;
        if fleet.plan.greets {
            fleet.greet()?;
        }
        Ok(open)
    }
}

/// One line of what was asked for.
#[derive(Clone, Debug)]
struct Parameter {
    name: &'static str,
    value: String,
    /// Along which axis it can vary.
    axis: Option<Axis>,
}

impl Parameter {
    fn new(name: &'static str, value: impl ToString) -> Self {
        Self { name, value: value.to_string(), axis: None }
    }

    fn along(self, axis: Axis) -> Self {
        Self { axis: Some(axis), ..self }
    }
}

/// What one measurement of one subject brought.
#[derive(Clone, Debug)]
struct Sample {
    figures: Figures,
    sent: u64,
    expected: u64,
    received: u64,
    accidents: Accidents,
    first_mishap: Option<String>,
    latency_ns: Histogram<u64>,
}

impl Sample {
    fn new(figures: Figures, tally: Tally) -> Self {
        Self {
            figures,
            sent: tally.sent,
            expected: tally.expected,
            received: tally.received,
            accidents: tally.accidents,
            first_mishap: tally.first_mishap,
            latency_ns: tally.latency_ns,
        }
    }
}

/// Measures once, or at each point of an axis, and publishes what came of it.
fn report_on<M: Measure>(measure: &M, over: Option<(Axis, &[f64])>) -> Result<(), Failure> {
    let common = measure.about().common;
    let mut report = Report::new(measure, over);
    let mut context = Context { interrupt: Interrupt::watch()?, progress: Progress::new() };
    if let Some(cpu) = common.load_cpu() {
        affinity::pin_this_thread(cpu)?;
    }
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    context.progress.say(&format!("descriptors: {descriptors} allowed, to load and server each"));
    // All are made before the first takes its time.
    for contest in contests(measure, over, descriptors)? {
        report.points.extend(contest.hold(&mut context)?);
    }
    context.progress.clear();
    report.is_interrupted = context.interrupt.is_set();
    report.publish(common)
}

/// One contest, or one at each point of an axis.
fn contests<M: Measure>(
    measure: &M,
    over: Option<(Axis, &[f64])>,
    descriptors: u64,
) -> Result<Vec<Contest<M>>, Failure> {
    let Some((axis, values)) = over else {
        return Ok(vec![Contest::new(measure.clone(), None, descriptors)?]);
    };
    let at = |&value: &f64| {
        let mut there = measure.clone();
        let (mode, title) = (measure.about().name, axis.title());
        there
            .vary(axis, value)
            .ok_or_else(|| Failure::new(format!("{mode} cannot be measured at {value} {title}")))?;
        Contest::new(there, Some(value), descriptors)
    };
    values.iter().map(at).collect()
}

/// Server and yardsticks under the same conditions.
struct Contest<M> {
    measure: M,
    at: Option<f64>,
    subjects: Vec<Subject>,
}

impl<M: Measure> Contest<M> {
    /// Checks what can be checked before anything is started.
    fn new(measure: M, at: Option<f64>, descriptors: u64) -> Result<Self, Failure> {
        let about = measure.about();
        let connections = about.connections;
        if u64::from(connections) + DESCRIPTORS_RESERVED > descriptors {
            return Err(Failure::new(format!(
                "{connections} connections need more descriptors than the {descriptors} allowed (ulimit -n)"
            )));
        }
        let mut subjects = vec![Subject::in_question(&about)?];
        subjects.extend(Subject::beside(&about));
        measure.check(&subjects[0])?;
        Ok(Self { measure, at, subjects })
    }

    /// Measures all in turns, as often as asked. `None` when it was interrupted before there was anything to report.
    fn hold(&self, context: &mut Context) -> Result<Option<Point>, Failure> {
        let mut outcomes: Vec<Outcome> = self.subjects.iter().map(Outcome::new).collect();
        let About { name: mode, common, .. } = self.measure.about();
        let at = self.at.map_or(String::new(), |at| format!(" at {at}"));
        for turn in 1..=common.repeat {
            for (subject, outcome) in self.subjects.iter().zip(&mut outcomes) {
                if context.interrupt.is_set() {
                    break;
                }
                let name = &subject.name;
                context.progress.stage(&format!("{mode}{at}: {name}, {turn} of {}", common.repeat));
                outcome.samples.extend(self.measure.measure(subject, context)?);
            }
        }
        let has_any = outcomes.iter().any(|outcome| !outcome.samples.is_empty());
        Ok(has_any.then_some(Point { at: self.at, outcomes }))
    }
}

/// Descriptors that are not for connections: standard streams, pollers, timers, wakers, and files under `/proc`.
const DESCRIPTORS_RESERVED: u64 = 64;

/// A random number, for what must differ between runs. The standard library seeds its hashes from the system's dice.
fn random() -> u64 {
    RandomState::new().hash_one(0)
}
