//! The threads: order, bounds, and who waits for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use wsrelay::chat::log::{Failure, Read, ReadOut, Whose, Write, Written};
use wsrelay::chat::{Body, Post, RoomNo, Seq, What};
use wsrelay::store::{Answer, Full, Load, Place, Store, WAITING_BYTES_MAX, WAITING_MAX};

use super::near::{LOBBY, Near, PATIENCE, Scratch, append, open, open_place, post};

#[test]
fn answers_come_in_the_order_of_requests() {
    let scratch = Scratch::new();
    for place in [Place::Memory, Place::File(scratch.file())] {
        let (mut near, _) = open_place(&place).unwrap();
        let mut answered = Vec::new();
        for no in 1..=1_000 {
            near.store.write(no, Write::Append(post(no))).unwrap();
            if no % 7 == 0 {
                near.store.submit();
            }
        }
        while answered.len() < 1_000 {
            for answer in near.wait() {
                let Answer::Written(no, Written::Entry(entry)) = answer else {
                    panic!("{answer:?}")
                };
                assert_eq!(entry.seq, Seq(no));
                answered.push(no);
            }
        }
        assert!(answered.is_sorted());
    }
}

#[test]
fn no_more_is_taken_than_can_wait() {
    let (mut near, _) = open_place(&Place::Memory).unwrap();
    for no in 0..WAITING_MAX as u64 {
        near.store.write(no, Write::Append(post(no))).unwrap();
    }
    assert_eq!(near.store.write(0, Write::Append(post(0))), Err(Full));
    let read = Read::Before { room: LOBBY, before: Seq(1), limit: 1 };
    near.store.read(0, Whose(1), read).expect("reads are counted apart");
    near.wait();
    near.store.write(0, Write::Append(post(0))).unwrap();
}

#[test]
fn no_more_bytes_are_taken_than_can_wait() {
    let (mut near, _) = open_place(&Place::Memory).unwrap();
    let body = Body::stored(&"x".repeat(16_000));
    let long = Post { key: None, body, reply_to: None, mentions: [].into() };
    let write = Write::Append(append(What::Post(long)));
    let taken = (0..).take_while(|no| near.store.write(*no, write.clone()).is_ok()).count();
    assert!((WAITING_BYTES_MAX / 17_000..=WAITING_BYTES_MAX / 16_000).contains(&taken), "{taken}");
    let mut answered = 0;
    while answered < taken {
        answered += near.wait().len();
    }
    near.store.write(0, write).unwrap();
}

#[test]
fn a_search_finds_what_was_given_before_it() {
    let scratch = Scratch::new();
    for place in [Place::Memory, Place::File(scratch.file())] {
        let (mut near, _) = open_place(&place).unwrap();
        for no in 1..=3_000 {
            near.store.write(no, Write::Append(post(no))).unwrap();
        }
        let search =
            Read::Search { query: "number3000".into(), rooms: [LOBBY].into(), skip: 0, limit: 9 };
        near.store.read(0, Whose(1), search.clone()).unwrap();
        let found = loop {
            let answers = near.wait();
            let found = answers.into_iter().find_map(|answer| match answer {
                Answer::Read(_, out) => Some(out),
                _ => None,
            });
            match found {
                // A machine that is busy with something else: what was given before is there all the same.
                Some(ReadOut::Failed(Failure::Unavailable { .. })) => {
                    near.store.read(0, Whose(1), search.clone()).unwrap();
                }
                Some(found) => break found,
                None => {}
            }
        };
        assert!(matches!(&found, ReadOut::Found { hits, .. } if hits.len() == 1), "{found:?}");
    }
}

#[test]
fn reads_and_writes_pass_each_other() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post(1);
    for no in 0..1_000 {
        let room = if no % 2 == 0 { LOBBY } else { RoomNo(9) };
        let whose = Whose(no % 10);
        near.store.read(no, whose, Read::Before { room, before: Seq(9), limit: 9 }).unwrap();
        near.store.write(no, Write::Append(post(no))).unwrap();
    }
    let (mut reads, mut writes) = (Vec::new(), Vec::new());
    while reads.len() + writes.len() < 2_000 {
        for answer in near.wait() {
            match answer {
                Answer::Read(no, ReadOut::Page { .. }) => reads.push(no),
                Answer::Written(no, _) => writes.push(no),
                answer => panic!("{answer:?}"),
            }
        }
    }
    assert!(writes.is_sorted());
    assert!((0..10).all(|whose| reads.iter().filter(|no| **no % 10 == whose).is_sorted()));
}

/// A page of the lobby.
fn page() -> Read {
    Read::Before { room: LOBBY, before: Seq(9), limit: 9 }
}

/// 128 people who ask for 64 pages each, numbered so that thousands say whose a page is.
fn crowd_that_asks_for_much(near: &mut Near) {
    for no in 0..64 {
        for whose in 1..=128 {
            near.store.read(whose * 1_000 + no, Whose(whose), page()).unwrap();
        }
    }
}

/// Where among the next answers these are.
fn places_of<const N: usize>(near: &mut Near, asked: [u64; N]) -> [usize; N] {
    let mut answered = Vec::new();
    while !asked.iter().all(|no| answered.contains(no)) {
        for answer in near.wait() {
            let Answer::Read(no, ReadOut::Page { .. }) = answer else { panic!("{answer:?}") };
            answered.push(no);
        }
    }
    asked.map(|asked| answered.iter().position(|no| *no == asked).unwrap())
}

#[test]
fn who_asks_for_little_does_not_wait_for_those_who_ask_for_much() {
    let scratch = Scratch::new();
    for place in [Place::Memory, Place::File(scratch.file())] {
        let (mut near, _) = open_place(&place).unwrap();
        near.post(1);
        crowd_that_asks_for_much(&mut near);
        near.store.read(7, Whose(999), page()).expect("whoever has the most is refused instead");
        let replay = Read::Replay { room: LOBBY, after: Seq(0), through: Seq(1), bytes_max: 99 };
        near.store.read(8, Whose(998), replay).unwrap();
        near.store.read(9, Whose(997), page()).unwrap();
        let [replay, page] = places_of(&mut near, [8, 7]);
        assert!(
            replay <= 40,
            "who comes back waits for none who looks through histories: {replay}"
        );
        assert!(page <= 200, "one round: {page}");
    }
}

#[test]
fn every_read_is_answered_even_one_that_gives_way() {
    let scratch = Scratch::new();
    for place in [Place::Memory, Place::File(scratch.file())] {
        let (mut near, _) = open_place(&place).unwrap();
        near.post(1);
        crowd_that_asks_for_much(&mut near);
        for no in 0..100 {
            near.store.read(no, Whose(10_000 + no), page()).unwrap_or_else(|Full| panic!("{no}"));
        }
        let (mut answered, mut refused) = (Vec::new(), 0);
        while answered.len() < WAITING_MAX + 100 {
            for answer in near.wait() {
                let Answer::Read(no, out) = answer else { panic!("{answer:?}") };
                if out == ReadOut::Failed(Failure::Unavailable { after_ms: 1_000 }) {
                    assert!(no >= 1_000, "of those who ask for much");
                    refused += 1;
                }
                answered.push(no);
            }
        }
        assert_eq!(refused, 100 - 8, "8 are with the reader");
        answered.sort_unstable();
        answered.dedup();
        assert_eq!(answered.len(), WAITING_MAX + 100, "each once");
        assert_eq!(near.store.reads_under_way(), Load::default());
    }
}

#[test]
fn one_asker_has_so_much_waiting_and_no_more() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    let asked = (0..10_000).take_while(|no| near.store.read(*no, Whose(1), page()).is_ok()).count();
    assert_eq!(asked, 128 + 8, "8 are with the reader already");
    near.store.read(99_999, Whose(2), page()).unwrap();
    let [place] = places_of(&mut near, [99_999]);
    assert!(place <= 16, "{place}");
}

#[test]
fn a_thread_that_ends_early_is_noticed() {
    let is_first = Arc::new(AtomicBool::new(true));
    let wake = move || assert!(!is_first.swap(false, Ordering::Relaxed), "the first wake-up fails");
    let mut store = Store::open(&Place::Memory, wake).unwrap().store;
    assert!(store.is_alive());
    store.write(1, Write::Append(post(1))).unwrap();
    store.submit();
    let start = Instant::now();
    while store.is_alive() {
        assert!(start.elapsed() < PATIENCE);
        std::thread::yield_now();
    }
    store.close();
}
