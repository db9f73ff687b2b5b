//! Frame sequences by the million, read by us and by tungstenite.
//!
//! The fuzz target of the same name is led by what code it reaches, and takes its time. This takes sequences that are nearly
//! right, as fast as dice make them: `SEQUENCES=10000000 cargo test --release --test differential`. What is random comes from
//! a seed, which is printed when it fails.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails here")]

use std::panic;

use wsrelay::ws::header::Header;
use wsrelay::ws::{Opcode, Role, mask};

#[path = "../fuzz/differential.rs"]
#[expect(dead_code, reason = "the fuzz target's own way in is not ours")]
mod differential;

/// For every run of the tests: some seconds without optimisation.
const SEQUENCES: u64 = 20_000;

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::try_from(self.roll() >> 33).unwrap() % end
    }

    fn one_in(&mut self, many: usize) -> bool {
        self.below(many) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

fn text(dice: &mut Dice, length: usize, out: &mut Vec<u8>) {
    let pieces = ["a", "z", " ", "é", "€", "😀", "\u{ffff}", "\u{d7ff}"];
    while out.len() < length {
        out.extend_from_slice(dice.pick(&pieces).as_bytes());
    }
    if dice.one_in(6) {
        out.truncate(length); // perhaps in the middle of a character
    }
}

fn payload(dice: &mut Dice, opcode: Opcode, out: &mut Vec<u8>) {
    out.clear();
    let length = match dice.below(8) {
        0 => 0,
        1 => 120 + dice.below(12),
        2 => 290 + dice.below(20),
        _ => dice.below(24),
    };
    let length = if opcode.is_control() && !dice.one_in(10) { length % 120 } else { length };
    if opcode == Opcode::Close && length >= 2 {
        let codes =
            [1000, 1001, 1002, 1003, 1005, 1006, 1007, 1011, 1014, 1015, 3000, 4999, 5000, 0];
        out.extend_from_slice(&u16::to_be_bytes(dice.pick(&codes)));
    }
    match opcode {
        Opcode::Text | Opcode::Continuation | Opcode::Close => text(dice, length, out),
        _ => out.resize_with(length.max(out.len()), || dice.roll().to_le_bytes()[0]),
    }
}

/// Some frames, most of them right and in a right order, as this end receives them.
fn sequence(dice: &mut Dice, role: Role, payload_of: &mut Vec<u8>, out: &mut Vec<u8>) {
    out.clear();
    let mut is_begun = false;
    for _ in 0..=dice.below(6) {
        let control = [Opcode::Ping, Opcode::Pong, Opcode::Ping, Opcode::Pong, Opcode::Close];
        let opcode = match (dice.below(4), is_begun) {
            (0, _) => dice.pick(&control),
            (_, true) => Opcode::Continuation,
            (_, false) => dice.pick(&[Opcode::Text, Opcode::Binary]),
        };
        let fin = opcode.is_control() || !dice.one_in(3);
        is_begun = if opcode.is_control() { is_begun } else { !fin };
        payload(dice, opcode, payload_of);
        let key = [7, 0xff, 0, 0x55].map(|bits: u8| bits ^ dice.roll().to_le_bytes()[1]);
        let key = (role == Role::Server).then_some(key);
        let payload_bytes = payload_of.len() as u64;
        let header = Header { fin, rsv1: false, opcode, key, payload_bytes };
        out.extend_from_slice(header.encode().as_bytes());
        let start = out.len();
        out.extend_from_slice(payload_of);
        if let Some(key) = key {
            mask::apply(&mut out[start..], key);
        }
    }
    match dice.below(5) {
        0 => {
            let at = dice.below(out.len());
            out[at] ^= 1 << dice.below(8);
        }
        1 => out.truncate(dice.below(out.len())),
        2 => out.insert(dice.below(out.len()), dice.roll().to_le_bytes()[2]),
        _ => {}
    }
}

#[test]
fn we_and_tungstenite_see_the_same_in_a_great_many_sequences() {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let sequences = number("SEQUENCES").unwrap_or(SEQUENCES);
    let seed = number("SEED").unwrap_or(0x5eed);
    let mut dice = Dice(seed | 1);
    let (mut payload_of, mut bytes) = (Vec::new(), Vec::new());
    let (mut events, mut faults) = (0, 0);
    for no in 0..sequences {
        let role = dice.pick(&[Role::Server, Role::Client]);
        sequence(&mut dice, role, &mut payload_of, &mut bytes);
        let compared = panic::catch_unwind(|| differential::compare(role, &bytes));
        let Ok((seen, failed)) = compared else {
            panic!("sequence {no} of SEED={seed}, {role:?}: {bytes:02x?}");
        };
        events += seen as u64;
        faults += u64::from(failed);
    }
    println!("{sequences} sequences: {events} events, {faults} faults, the same on both sides");
    // The zeros at the end are a fault, wherever there was no Close before.
    assert!(events > sequences && faults > sequences / 2 && faults < sequences, "a fair mix");
}
