//! The threads: order, bounds, and who waits for whom.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use wsrelay::chat::log::{Failure, Read, ReadOut, Write, Written};
use wsrelay::chat::{Body, Post, RoomNo, Seq, What};
use wsrelay::store::{Answer, Full, Place, Store, WAITING_BYTES_MAX, WAITING_MAX};

use super::near::{LOBBY, PATIENCE, Scratch, append, open, open_place, post};

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
    near.store.read(0, read).expect("reads are counted apart");
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
        near.store.read(0, search.clone()).unwrap();
        let found = loop {
            let answers = near.wait();
            let found = answers.into_iter().find_map(|answer| match answer {
                Answer::Read(_, out) => Some(out),
                _ => None,
            });
            match found {
                // A machine that is busy with something else: what was given before is there all the same.
                Some(ReadOut::Failed(Failure::TooCostly)) => {
                    near.store.read(0, search.clone()).unwrap();
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
        near.store.read(no, Read::Before { room, before: Seq(9), limit: 9 }).unwrap();
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
    assert!(reads.is_sorted() && writes.is_sorted());
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
