//! `wsrelay bench`: how a WebSocket server scales, measured from outside.
//!
//! Owns the measurement: the load, the server as the system sees it, and the report. It knows nothing of the relay's
//! insides and drives any server by its URL in the same way.
//!
//! # How a measurement runs
//!
//! 1. The `subject` is raised: our own `serve`, a command, or what runs already at a URL.
//! 2. A `fleet` connects, paced, and checks every handshake. Rooms are greeted until every member hears.
//! 3. Publishers speak by a schedule: open loop, where latency counts from when a message was *due*, so that a stalled
//!    server cannot hide by stalling the load; or closed loop, each as soon as its last message is back.
//! 4. Every message carries a `stamp`, every delivery is entered in a `ledger`: lost, duplicated, reordered and
//!    corrupted
//!    deliveries are counted, not assumed away.
//! 5. The server's processor time and memory are read from `/proc`, before and after.
//!
//! The `floor` is measured in the same invocation with the same flags, in turns with the server (A B A B …), because a
//! figure in microseconds says little on a machine that others share, and a ratio to the physical limit says much. A
//! ratio is the median of the ratios of neighbours in time.

mod affinity;
mod echo;
mod fanout;
mod figures;
mod fleet;
mod floor;
mod idle;
mod interrupt;
mod ledger;
mod options;
mod process;
mod progress;
mod report;
mod stamp;
mod storm;
mod subject;
mod sweep;
mod target;
mod traffic;

use std::hash::{BuildHasher, RandomState};

use hdrhistogram::Histogram;

use self::figures::Figures;
use self::fleet::Accidents;
use self::interrupt::Interrupt;
pub use self::options::Options;
use self::options::{Common, Mode, SweepMode};
use self::progress::Progress;
use self::report::{Outcome, Point, Report};
use self::subject::Subject;
use self::sweep::Axis;

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
trait Measure {
    fn name(&self) -> &'static str;

    fn common(&self) -> &Common;

    /// Where our own server has what this measures.
    fn path(&self) -> &'static str;

    fn connections(&self) -> u32;

    /// Whether the batched floor does anything that the other does not.
    fn batching_matters(&self) -> bool {
        false
    }

    fn parameters(&self) -> Vec<Parameter>;

    /// Whether the flags make sense together, for this subject.
    fn check(&self, subject: &Subject) -> Result<(), Failure> {
        let _ = subject;
        Ok(())
    }

    /// The same at another point of an axis; `None` where it has no such axis, or not so far.
    fn at(&self, axis: Axis, value: f64) -> Option<Box<dyn Measure>>;

    /// Measures once. `None` when it was interrupted before there was anything to report.
    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure>;
}

/// What a measurement may need from around it.
struct Context {
    interrupt: Interrupt,
    progress: Progress,
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
#[derive(Clone, Debug, Default)]
struct Sample {
    figures: Figures,
    sent: u64,
    expected: u64,
    received: u64,
    accidents: Accidents,
    first_drop: Option<String>,
    latency_ns: Option<Histogram<u64>>,
}

/// Does what the flags ask for, and prints the report.
///
/// # Errors
/// When there is nothing to report; or, after the report, when deliveries or connections went astray.
pub fn run(options: &Options) -> Result<(), Failure> {
    match &options.mode {
        Mode::Floor(floor) => floor::serve(floor.listen, floor.batch),
        Mode::Idle(idle) => report_on(idle, None),
        Mode::Fanout(fanout) => report_on(fanout, None),
        Mode::Echo(echo) => report_on(echo, None),
        Mode::Storm(storm) => report_on(storm, None),
        Mode::Sweep(SweepMode::Idle(idle)) => report_on(&idle.measure, Some(idle.axis())),
        Mode::Sweep(SweepMode::Fanout(fanout)) => report_on(&fanout.measure, Some(fanout.axis())),
        Mode::Sweep(SweepMode::Echo(echo)) => report_on(&echo.measure, Some(echo.axis())),
        Mode::Sweep(SweepMode::Storm(storm)) => report_on(&storm.measure, Some(storm.axis())),
    }
}

/// Measures once, or at each point of an axis, and publishes what came of it.
fn report_on(measure: &dyn Measure, over: Option<(Axis, &[f64])>) -> Result<(), Failure> {
    let common = measure.common();
    let mut report = Report::new(measure, over);
    let mut context = Context { interrupt: Interrupt::watch()?, progress: Progress::new() };
    if let Some(cpu) = common.load_cpu() {
        affinity::pin_this_thread(cpu)?;
    }
    let descriptors = rlimit::increase_nofile_limit(u64::MAX).unwrap_or(1024);
    context.progress.say(&format!("descriptors: {descriptors} allowed, to load and server each"));
    match over {
        None => {
            let contest = Contest::new(measure, None, descriptors)?;
            report.points.extend(contest.hold(&mut context)?);
        }
        Some((axis, values)) => {
            let measures = sweep::measures(measure, axis, values)?;
            let contests = measures.iter().zip(values).map(|(measure, value)| {
                Contest::new(&**measure, Some(*value), descriptors) // all before the first takes its time
            });
            for contest in contests.collect::<Result<Vec<_>, _>>()? {
                report.points.extend(contest.hold(&mut context)?);
            }
        }
    }
    context.progress.clear();
    report.is_interrupted = context.interrupt.is_set();
    report.publish(common)
}

/// Server and floors under the same conditions.
struct Contest<'a> {
    measure: &'a dyn Measure,
    at: Option<f64>,
    subjects: Vec<Subject>,
}

impl<'a> Contest<'a> {
    /// Checks what can be checked before anything is started.
    fn new(measure: &'a dyn Measure, at: Option<f64>, descriptors: u64) -> Result<Self, Failure> {
        let (common, connections) = (measure.common(), measure.connections());
        if u64::from(connections) + DESCRIPTORS_RESERVED > descriptors {
            return Err(Failure::new(format!(
                "{connections} connections need more descriptors than the {descriptors} allowed (ulimit -n)"
            )));
        }
        let mut subjects = vec![Subject::in_question(common, measure.path())?];
        subjects.extend(Subject::floors(common.floor, measure.batching_matters(), measure.path()));
        measure.check(&subjects[0])?;
        Ok(Self { measure, at, subjects })
    }

    /// Measures all in turns, as often as asked. `None` when it was interrupted before there was anything to report.
    fn hold(&self, context: &mut Context) -> Result<Option<Point>, Failure> {
        let mut outcomes: Vec<Outcome> = self.subjects.iter().map(Outcome::new).collect();
        let (mode, repeat) = (self.measure.name(), self.measure.common().repeat);
        let at = self.at.map_or(String::new(), |at| format!(" at {at}"));
        for turn in 1..=repeat {
            for (subject, outcome) in self.subjects.iter().zip(&mut outcomes) {
                if context.interrupt.is_set() {
                    break;
                }
                let name = &subject.name;
                context.progress.stage(&format!("{mode}{at}: {name}, {turn} of {repeat}"));
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
