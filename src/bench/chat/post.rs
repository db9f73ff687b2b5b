//! `chat post`: members of durable rooms, some of whom post, and everybody in a room hears it.
//!
//! Beside it the same load is laid on raw rooms, with messages as long as the entries that the chat sends: what it costs
//! that posts are kept.

use clap::Args;

use super::{Log, rooms};
use crate::bench::axis::{Axis, whole};
use crate::bench::fleet::{Kind, Language, Pace, Plan, Talk};
use crate::bench::members::Members;
use crate::bench::options::{Common, Span, per_second};
use crate::bench::subject::Subject;
use crate::bench::traffic::{self, Course};
use crate::bench::{About, Context, Failure, Measure, Parameter, Sample};

#[derive(Args, Clone, Debug)]
pub(in crate::bench) struct Post {
    #[command(flatten)]
    members: Members,

    /// Bytes of an entry as members are sent it; the post's text is as long as that leaves room for.
    #[arg(long, value_name = "B", default_value_t = 256)]
    #[arg(value_parser = clap::value_parser!(u32).range(BYTES_MIN..=BYTES_MAX))]
    bytes: u32,

    /// Posts a second, over all publishers, whatever becomes of them (open loop).
    #[arg(long, value_name = "R", value_parser = per_second)]
    rate: Option<f64>,

    /// Posts of each publisher that wait for their acknowledgement; the next follows when one has it (closed loop).
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "rate")]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=IN_FLIGHT_MAX))]
    in_flight: u32,

    #[command(flatten)]
    span: Span,

    #[command(flatten)]
    log: Log,

    #[command(flatten)]
    common: Common,
}

impl Post {
    fn pace(&self) -> Pace {
        match self.rate {
            Some(per_second) => Pace::Open { per_second },
            None => Pace::Closed { in_flight: self.in_flight },
        }
    }

    /// Opens the rooms, and says what is said in them.
    fn talk(&self, plan: &Plan) -> Result<Talk, Failure> {
        let ids = rooms::open(&plan.target, plan.run, self.members.rooms, plan.patience)?;
        Ok(Talk::of_entries(ids, self.bytes as usize))
    }
}

impl Measure for Post {
    fn about(&self) -> About<'_> {
        let rest = About {
            name: "chat post",
            connections: self.members.members,
            yardsticks: super::BESIDE,
            ..About::raw(&self.common)
        };
        super::about(&self.log, rest)
    }

    fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = self.members.parameters();
        parameters.push(self.pace().parameter());
        parameters
            .push(Parameter::new("entry", format!("{} bytes", self.bytes)).along(Axis::Bytes));
        parameters.extend(self.span.parameters());
        parameters.push(Parameter::new("log", self.log.name()));
        parameters
    }

    fn check(&self, _: &Subject) -> Result<(), Failure> {
        self.members.check()
    }

    fn vary(&mut self, axis: Axis, value: f64) -> Option<()> {
        let can_be = |bytes: &u32| (BYTES_MIN..=BYTES_MAX).contains(&i64::from(*bytes));
        match axis {
            Axis::Bytes => self.bytes = whole(value).filter(can_be)?,
            Axis::Rate => self.rate = Some(value),
            axis => self.members.vary(axis, value)?,
        }
        Some(())
    }

    fn measure(&self, subject: &Subject, context: &mut Context) -> Result<Option<Sample>, Failure> {
        let stage = subject.raise(&self.common)?;
        let plan = self.members.join(Plan::quiet(stage.target.clone(), &self.common));
        let language = match subject.is_yardstick() {
            true => Language::Raw { kind: Kind::Text, bytes: self.bytes as usize },
            false => Language::Chat(self.talk(&plan)?),
        };
        let course = Course { pace: self.pace(), span: self.span };
        traffic::measure(Plan { language, ..plan }, &course, stage.pid, context)
    }
}

/// Room for what stands around a post's text, and for some of it.
const BYTES_MIN: i64 = 256;
/// As much as a post can say.
const BYTES_MAX: i64 = 4096;
/// As many requests as one session may have waiting for the log.
const IN_FLIGHT_MAX: i64 = 64;
