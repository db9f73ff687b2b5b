//! Reads, on their way to the threads that do them.
//!
//! Owns which is handed over, and when: few at a time, so that whoever asks waits for few, and each person in turn
//! ([`Rotation`]). Replays and pages are read by one thread and come in turns, as long as there are both: nobody who comes
//! back waits for those who look through histories, nor the other way round. Searches are done by another.
//!
//! Invariant: where something waits, as much as may be is handed over, so an answer will come after which this is asked
//! again.

use super::rotation::Rotation;
use super::threads::{Answered, Asked, Lane};
use super::{AFTER_MS, Full, Load};
use crate::chat::log::{Failure, Read, ReadOut, Whose};

/// Reads that are under way.
#[derive(Debug)]
pub(super) struct Reads<T> {
    replays: Rotation<Asked<T>>,
    pages: Rotation<Asked<T>>,
    searches: Rotation<Asked<T>>,
    is_pages_turn: bool,
    /// Handed over and not answered: pages and replays.
    reading: usize,
    /// The same: searches.
    searching: usize,
    load: Load,
}

impl<T> Reads<T> {
    pub(super) fn new() -> Self {
        let [replays, pages, searches] = [(); 3].map(|()| Rotation::new());
        let (reading, searching, load) = (0, 0, Load::default());
        Self { replays, pages, searches, is_pages_turn: false, reading, searching, load }
    }

    pub(super) fn push(&mut self, whose: Whose, asked: Asked<T>) -> Result<(), Full> {
        let bytes = asked.bytes();
        let lane = match &asked.read {
            Read::Replay { .. } => &mut self.replays,
            Read::Before { .. } | Read::After { .. } | Read::Pins { .. } => &mut self.pages,
            Read::Search { .. } => &mut self.searches,
        };
        lane.push(whose, asked, bytes)?;
        self.load.requests += 1;
        self.load.bytes += bytes;
        Ok(())
    }

    /// The next page or replay to be handed over.
    pub(super) fn next_to_read(&mut self) -> Option<Asked<T>> {
        if self.reading >= READING_MAX {
            return None;
        }
        self.is_pages_turn = !self.is_pages_turn;
        let next = match self.is_pages_turn {
            true => self.pages.pop().or_else(|| self.replays.pop()),
            false => self.replays.pop().or_else(|| self.pages.pop()),
        };
        self.reading += usize::from(next.is_some());
        next
    }

    /// The next search to be handed over.
    pub(super) fn next_to_search(&mut self) -> Option<Asked<T>> {
        if self.searching >= SEARCHING_MAX {
            return None;
        }
        let next = self.searches.pop();
        self.searching += usize::from(next.is_some());
        next
    }

    /// Takes note that one was answered which was handed over.
    pub(super) fn answered(&mut self, lane: Lane, bytes: usize) {
        match lane {
            Lane::Search => self.searching -= 1,
            Lane::Read => self.reading -= 1,
            Lane::Write => return,
        }
        self.load.take(bytes);
    }

    /// The answer to one that had to give way to somebody else's.
    pub(super) fn gave_way(&mut self) -> Option<Answered<T>> {
        let lanes = [&mut self.pages, &mut self.searches, &mut self.replays];
        let asked = lanes.into_iter().find_map(Rotation::gave_way)?;
        self.load.take(asked.bytes());
        Some(asked.answered(ReadOut::Failed(Failure::Unavailable { after_ms: AFTER_MS })))
    }

    pub(super) fn load(&self) -> Load {
        self.load
    }
}

/// Pages and replays that are handed over at one time: some milliseconds' work, so that the thread has something to do until
/// the loop looks after it again, and nobody waits long for others'. What is read and not taken is in memory.
const READING_MAX: usize = 8;
/// The same of searches, which take longer.
const SEARCHING_MAX: usize = 8;
/// Reads that are answered and not taken: no more than are handed over. Each may be a page of some hundred kilobytes.
pub(super) const ANSWERED_MAX: usize = READING_MAX + SEARCHING_MAX;
