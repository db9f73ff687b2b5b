//! What each message of a measurement carries: who published it, which of that publisher's it is, and when it was due.
//!
//! Owns the first 24 bytes of a message, and knows nothing of sockets. Each third is 48 bits as eight characters of
//! six bits, `0` to `o`, so that one stamp serves binary messages and text alike:
//!
//! ```text
//!     run (24 bits)  publisher (24 bits) │ sequence │ due, in ns of the run's clock (3 days)
//! ```
//!
//! What follows is filler, the same in every message of a run, so that a byte changed on the way is noticed. The *run*
//! is a random number: what somebody else says in the same room is never taken for ours.

use std::ops::Range;

/// Tells one run's messages from another's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Run(u32);

/// What a message's first bytes say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Stamp {
    pub(super) publisher: u32,
    pub(super) sequence: u32,
    pub(super) due_ns: u64,
}

impl Run {
    pub(super) fn new(random: u64) -> Self {
        Self(low_bits(random, 24))
    }
}

impl std::fmt::Display for Run {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:06x}", self.0)
    }
}

impl Stamp {
    pub(super) const BYTES: usize = 24;

    /// The publisher that greetings are from: those tell whether a room is complete before anything counts.
    pub(super) const GREETER: u32 = (1 << 24) - 1;

    pub(super) fn write(self, run: Run, message: &mut [u8]) {
        let identity = u64::from(run.0) << 24 | u64::from(self.publisher);
        let thirds = [identity, u64::from(self.sequence), self.due_ns];
        for (third, bits) in message.as_chunks_mut::<8>().0.iter_mut().zip(thirds) {
            *third = spread(bits).to_le_bytes();
        }
    }

    /// `None` for what is no message of this run.
    #[inline]
    pub(super) fn read(run: Run, message: &[u8]) -> Option<Self> {
        let [identity, sequence, due, ..] = message.as_chunks::<8>().0 else { return None };
        let identity = gather(u64::from_le_bytes(*identity))?;
        let sequence = u32::try_from(gather(u64::from_le_bytes(*sequence))?).ok()?;
        let due_ns = gather(u64::from_le_bytes(*due))?;
        let publisher = low_bits(identity, 24);
        (identity >> 24 == u64::from(run.0)).then_some(Self { publisher, sequence, due_ns })
    }
}

/// A stamp as a post's key: 32 hexadecimal digits, which JSON leaves as they are.
impl Stamp {
    pub(super) fn key(self, run: Run) -> String {
        let Self { publisher, sequence, due_ns } = self;
        format!("{run}{publisher:06x}{sequence:08x}{due_ns:012x}")
    }

    /// `None` for what is no key of this run.
    pub(super) fn of_key(run: Run, key: &str) -> Option<Self> {
        let number = |range: Range<usize>| u64::from_str_radix(key.get(range)?, 16).ok();
        if key.len() != 32 || number(0..6)? != u64::from(run.0) {
            return None;
        }
        let publisher = u32::try_from(number(6..12)?).ok()?;
        let sequence = u32::try_from(number(12..20)?).ok()?;
        Some(Self { publisher, sequence, due_ns: number(20..32)? })
    }
}

/// The bytes after the stamp in a message of this length: letters, so that they are text too.
pub(super) fn filler(message_bytes: usize) -> Vec<u8> {
    (b'a'..=b'z').cycle().take(message_bytes.saturating_sub(Stamp::BYTES)).collect()
}

/// 48 bits as eight bytes of six each, lowest first, every one a printable character.
fn spread(bits: u64) -> u64 {
    let halves = (bits & 0xFF_FFFF) | ((bits & 0xFFFF_FF00_0000) << 8);
    let quarters = (halves & 0x0FFF_0000_0FFF) | ((halves & 0x00FF_F000_00FF_F000) << 4);
    let eighths = (quarters & 0x003F_003F_003F_003F) | ((quarters & 0x0FC0_0FC0_0FC0_0FC0) << 2);
    eighths + ZEROS
}

/// What [`spread`] made eight bytes of; `None` when it cannot have.
#[inline]
fn gather(characters: u64) -> Option<u64> {
    let eighths = characters.wrapping_sub(ZEROS);
    let quarters = (eighths & 0x003F_003F_003F_003F) | ((eighths & 0x3F00_3F00_3F00_3F00) >> 2);
    let halves = (quarters & 0x0FFF_0000_0FFF) | ((quarters & 0x0FFF_0000_0FFF_0000) >> 4);
    let bits = (halves & 0xFF_FFFF) | ((halves & 0x00FF_FFFF_0000_0000) >> 8);
    (spread(bits) == characters).then_some(bits)
}

const ZEROS: u64 = u64::from_ne_bytes([b'0'; 8]);

fn low_bits(bits: u64, count: u32) -> u32 {
    u32::try_from(bits & ((1 << count) - 1)).expect("at most 32 bits are asked for")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamps() -> impl Iterator<Item = Stamp> {
        let edges = [0, 1, 0x3F, 0x40, 0xABC_DEF, (1 << 24) - 1];
        edges.into_iter().flat_map(move |publisher| {
            let sequence = u32::MAX - publisher;
            let dues = [0, 1, u64::from(u32::MAX), (1 << 48) - 1];
            dues.map(|due_ns| Stamp { publisher, sequence, due_ns })
        })
    }

    #[test]
    fn what_is_written_is_read() {
        let run = Run::new(0x1234_5678_9ABC_DEF0);
        for stamp in stamps() {
            let mut message = [0; 30];
            stamp.write(run, &mut message);
            assert_eq!(Stamp::read(run, &message), Some(stamp));
            assert_eq!(message[24..], [0; 6], "it keeps to its place");
        }
    }

    #[test]
    fn a_key_is_read_as_it_was_made() {
        let run = Run::new(0xABC_DEF0);
        for stamp in stamps() {
            let key = stamp.key(run);
            assert_eq!(Stamp::of_key(run, &key), Some(stamp), "{key}");
            assert_eq!(Stamp::of_key(Run::new(1), &key), None);
        }
        for key in ["", "9f0c", "é".repeat(16).as_str(), "+".repeat(32).as_str()] {
            assert_eq!(Stamp::of_key(run, key), None, "{key}");
        }
    }

    #[test]
    fn a_stamp_is_printable_text() {
        for stamp in stamps() {
            let mut message = [0; Stamp::BYTES];
            stamp.write(Run::new(u64::MAX), &mut message);
            assert!(message.iter().all(u8::is_ascii_graphic), "{message:?}");
        }
    }

    #[test]
    fn what_is_not_of_this_run_is_nobodys() {
        let (ours, theirs) = (Run::new(7), Run::new(8));
        let mut message = [0; Stamp::BYTES];
        Stamp { publisher: 1, sequence: 2, due_ns: 3 }.write(theirs, &mut message);
        assert_eq!(Stamp::read(ours, &message), None);
        assert_eq!(Stamp::read(ours, b"short"), None);
        assert_eq!(Stamp::read(ours, b"a chat line, long enough to be one"), None);
        for at in 0..Stamp::BYTES {
            let mut bent = message;
            bent[at] = b' ';
            assert_eq!(Stamp::read(theirs, &bent), None, "byte {at}");
        }
    }
}
