//! What is going to happen, in the order of virtual time.

use std::collections::BTreeMap;

use super::disk::Weather;
use super::network::{Arrival, End, LinkNo};

/// All that is planned. What is planned for one moment happens in the order in which it was planned.
#[derive(Debug, Default)]
pub(crate) struct Agenda {
    planned: BTreeMap<(u64, u64), Happening>,
    plans: u64,
}

/// Something that happens at its moment. What a process was to do happens only while that very process runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Happening {
    /// A client's connection reaches the server.
    Connects(LinkNo),
    /// Something on a link arrives at one of its ends, unless it is lost.
    Arrives(LinkNo, End),
    /// The server closed a connection, and tells its domain.
    Gone(LinkNo),
    /// The domain is told the time.
    Ticks(u64),
    /// The writer takes what has been recorded.
    WriterBegins(u64),
    /// It makes a transaction of that.
    WriterCommits(u64),
    /// What it has done is told.
    WriterAnswers(u64),
    /// A reader reads.
    ReaderReads(u64, u64),
    /// What it has read is told.
    ReaderAnswers(u64, u64),
    /// A client does something of its own accord.
    Acts(usize),
    /// A client looks after what it has not got yet.
    Tends(usize),
    /// Something goes wrong.
    Strikes,
    /// The disk is so from now on.
    Turns(Weather),
    /// A process starts.
    Starts,
}

impl Agenda {
    pub(crate) fn plan(&mut self, at_ms: u64, happening: Happening) {
        self.plans += 1;
        self.planned.insert((at_ms, self.plans), happening);
    }

    pub(crate) fn plan_arrivals(&mut self, arrivals: impl IntoIterator<Item = Arrival>) {
        for (at_ms, link, end) in arrivals {
            self.plan(at_ms, Happening::Arrives(link, end));
        }
    }

    /// What happens next, if anything does until then.
    pub(crate) fn next(&mut self, until_ms: u64) -> Option<(u64, Happening)> {
        let next = self.planned.first_entry()?;
        let (at_ms, _) = *next.key();
        (at_ms <= until_ms).then(|| (at_ms, next.remove()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_come_in_order_and_plans_of_one_moment_in_theirs() {
        let mut agenda = Agenda::default();
        for (at_ms, who) in [(5, 0), (3, 1), (5, 2)] {
            agenda.plan(at_ms, Happening::Acts(who));
        }
        assert_eq!(agenda.next(2), None);
        let who = std::iter::from_fn(|| agenda.next(9)).map(|(_, happening)| happening);
        assert_eq!(who.collect::<Vec<_>>(), [1, 0, 2].map(Happening::Acts));
    }
}
