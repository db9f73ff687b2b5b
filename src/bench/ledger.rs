//! What each receiver has had of each publisher, and what that says about the server: pure bookkeeping.
//!
//! Every publisher counts its messages from 0. A receiver that gets them one after the other costs one comparison and
//! one addition for each. The three ways to go wrong are defined against that:
//!
//! * *lost*: published, and never received;
//! * *reordered*: received after a later one of the same publisher;
//! * *duplicated*: received again.
//!
//! What is skipped is remembered as a gap, a range of sequence numbers, so that memory follows the number of
//! accidents and not their size.

use std::collections::BTreeMap;
use std::ops::Range;

/// The books of many receivers, each over the same number of publishers.
#[derive(Debug)]
pub(super) struct Ledger {
    publishers: usize,
    /// By receiver, then publisher: the sequence number that should come next.
    next: Vec<u32>,
    /// By place in `next` and first number missed: the number after the last.
    gaps: BTreeMap<(usize, u32), u32>,
}

/// What a message was to its receiver.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// The next one, or one further on.
    InOrder,
    /// Missed before.
    Reordered,
    /// Received before.
    Duplicated,
}

impl Ledger {
    pub(super) fn new(receivers: usize, publishers: usize) -> Self {
        Self { publishers, next: vec![0; receivers * publishers], gaps: BTreeMap::new() }
    }

    /// Enters that a receiver got this message.
    #[inline]
    pub(super) fn note(&mut self, receiver: usize, publisher: usize, sequence: u32) -> Verdict {
        let place = receiver * self.publishers + publisher;
        let next = &mut self.next[place];
        if sequence == *next {
            *next = next.saturating_add(1);
            return Verdict::InOrder;
        }
        self.note_surprise(place, sequence)
    }

    #[cold]
    fn note_surprise(&mut self, place: usize, sequence: u32) -> Verdict {
        let next = self.next[place];
        if sequence > next {
            self.gaps.insert((place, next), sequence);
            self.next[place] = sequence.saturating_add(1);
            return Verdict::InOrder;
        }
        let Some(gap) = self.gap_around(place, sequence) else { return Verdict::Duplicated };
        self.gaps.remove(&(place, gap.start));
        for rest in [gap.start..sequence, sequence + 1..gap.end] {
            if !rest.is_empty() {
                self.gaps.insert((place, rest.start), rest.end);
            }
        }
        Verdict::Reordered
    }

    fn gap_around(&self, place: usize, sequence: u32) -> Option<Range<u32>> {
        let upto = (place, 0)..=(place, sequence);
        let (&(_, start), &end) = self.gaps.range(upto).next_back()?;
        (sequence < end).then_some(start..end)
    }

    /// How many of the `sent` messages of this publisher the receiver never got.
    pub(super) fn lost(&self, receiver: usize, publisher: usize, sent: u32) -> u64 {
        let place = receiver * self.publishers + publisher;
        let gaps = self.gaps.range((place, 0)..=(place, u32::MAX));
        let within: u64 =
            gaps.map(|(&(_, start), &end)| u64::from(end.min(sent) - start.min(sent))).sum();
        within + u64::from(sent.saturating_sub(self.next[place]))
    }
}

#[cfg(test)]
mod tests {
    use super::Verdict::{Duplicated, InOrder, Reordered};
    use super::*;

    /// What receiver 1 of 3 makes of these from publisher 2 of 4, and what it then lacks of `sent`.
    fn books(sequences: &[u32], sent: u32) -> (Vec<Verdict>, u64) {
        let mut ledger = Ledger::new(3, 4);
        let verdicts = sequences.iter().map(|&sequence| ledger.note(1, 2, sequence)).collect();
        assert_eq!(ledger.lost(0, 2, 5), 5, "the others' books are untouched");
        assert_eq!(ledger.lost(1, 3, 5), 5, "the others' books are untouched");
        (verdicts, ledger.lost(1, 2, sent))
    }

    #[test]
    fn each_accident_is_told_from_the_others() {
        let rows: &[(&[u32], u32, &[Verdict], u64)] = &[
            (&[0, 1, 2], 3, &[InOrder; 3], 0),
            (&[], 3, &[], 3),
            (&[0, 1], 3, &[InOrder; 2], 1),
            (&[1, 2], 3, &[InOrder; 2], 1),
            (&[0, 2], 3, &[InOrder; 2], 1),
            (&[0, 2, 1], 3, &[InOrder, InOrder, Reordered], 0),
            (&[0, 0, 1], 2, &[InOrder, Duplicated, InOrder], 0),
            (&[0, 2, 2, 1, 1], 3, &[InOrder, InOrder, Duplicated, Reordered, Duplicated], 0),
            (&[9], 10, &[InOrder], 9),
            (&[9, 4, 4], 10, &[InOrder, Reordered, Duplicated], 8),
            (&[9, 0, 8, 4], 10, &[InOrder, Reordered, Reordered, Reordered], 6),
            (&[3, 7, 5, 1], 9, &[InOrder, InOrder, Reordered, Reordered], 5),
        ];
        for (sequences, sent, verdicts, lost) in rows {
            assert_eq!(books(sequences, *sent), (verdicts.to_vec(), *lost), "{sequences:?}");
        }
    }

    #[test]
    fn any_order_of_any_subset_is_accounted_for() {
        for seed in 0..500_u32 {
            let mut random = seed.wrapping_mul(2_654_435_761) | 1;
            let mut dice = || {
                random ^= random << 13;
                random ^= random >> 17;
                random ^= random << 5;
                random % 12
            };
            let sequences: Vec<u32> = (0..dice() + 5).map(|_| dice()).collect();
            let (verdicts, lost) = books(&sequences, 12);
            let mut distinct = sequences.clone();
            distinct.sort_unstable();
            distinct.dedup();
            let again = verdicts.iter().filter(|verdict| **verdict == Duplicated).count();
            assert_eq!(again, sequences.len() - distinct.len(), "{sequences:?}");
            assert_eq!(lost, 12 - distinct.len() as u64, "{sequences:?}");
            let late = (1..sequences.len()).filter(|&at| {
                let earlier = &sequences[..at];
                !earlier.contains(&sequences[at]) && earlier.iter().any(|one| *one > sequences[at])
            });
            let reordered = verdicts.iter().filter(|verdict| **verdict == Reordered).count();
            assert_eq!(reordered, late.count(), "{sequences:?}");
        }
    }
}
