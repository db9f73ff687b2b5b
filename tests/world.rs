//! Simulated worlds: see `wsrelay::oracle::world`.
//!
//! Two hundred run here. For more: `WORLD_SEEDS=5000 cargo test --release --test world`, or a hundred thousand, on all
//! processors, with `cargo test --release --test world -- --ignored`, beginning at `WORLD_FIRST` if that is set. A world that
//! fails is told by its seed, and the same seed fails again: it gets a line in [`KNOWN`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use wsrelay::oracle::world::{Breach, Flaw, Tally, Verdict, World};

/// Worlds in which something was found once, and what.
const KNOWN: &[(u64, &str)] = &[
    (0, "a slow reader was not told who came, and never learned"),
    (3, "what was unread in the lobby was another number after a restart"),
    (4, "a guest who had read a part still had all mentions"),
    (83, "a deleted account had its colour until the next restart"),
    (309, "who was added while the only member was going was left without an owner"),
    (34067, "who owned nothing left it to another all the same"),
    (74027, "who was added while their account went was a member for good"),
    (
        5729,
        "who was let in by a resume that broke, and was told by the next welcome, passed for a spy",
    ),
    (14113, "who was in fifty rooms read too slowly each time they came back"),
    (
        37684,
        "who came into a room whose owner was deleted, and not yet out of it, passed for a usurper",
    ),
    (95501, "the same, with a guest and an open room"),
    (
        221_660,
        "what an invite room had forgotten was posted again with its key, and as another, and passed for the first",
    ),
    (300_360, "a bequest that was written after a restart passed for a stranger's"),
    (316_450, "who was let in by a resume that broke, and was told by a call, passed for a spy"),
];

#[test]
fn every_world_keeps_its_promises() {
    let all = live(0..seeds(200) / 2);
    let missing: Vec<_> = HAPPENS.iter().filter(|what| all.of(what) == 0).collect();
    assert!(missing.is_empty(), "worlds in which this never happens prove little: {missing:?}");
}

#[test]
fn every_other_world_keeps_them_too() {
    let seeds = seeds(200);
    live(seeds / 2..seeds);
}

#[test]
#[ignore = "takes an hour of processor time"]
fn a_hundred_thousand_worlds_keep_them() {
    let (first, end) = (asked("WORLD_FIRST").unwrap_or(0), seeds(100_000));
    let next = AtomicU64::new(first);
    // Goes on after a failure: whoever waited so long wants to know of all of them.
    let work = || {
        let mut breaches = Vec::new();
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= end {
                return breaches;
            }
            if seed.is_multiple_of(1_000) {
                println!("world {seed} of {first} to {end}");
            }
            if let Err(breach) = World::run(seed) {
                println!("{breach}");
                breaches.push(seed);
            }
        }
    };
    let breaches: Vec<u64> = thread::scope(|scope| {
        let processors = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..processors).map(|_| scope.spawn(work)).collect();
        workers
            .into_iter()
            .flat_map(|worker| worker.join().expect("a world ends with a verdict"))
            .collect()
    });
    assert!(breaches.is_empty(), "worlds that broke a promise: {breaches:?}");
}

#[test]
fn what_was_found_once_is_not_found_again() {
    for (seed, what) in KNOWN {
        if let Err(breach) = World::run(*seed) {
            panic!("{breach}\n{what}");
        }
    }
}

/// Each flaw is noticed soon; a world that did not notice one would prove nothing.
#[test]
fn every_canary_is_caught() {
    for flaw in Flaw::ALL {
        let caught = (0..50).find_map(|seed| World::run_with(seed, Some(flaw)).err());
        let breach = caught.unwrap_or_else(|| panic!("{flaw:?} goes unnoticed"));
        assert!(!breach.trace.is_empty(), "what led to it is told");
    }
}

#[test]
fn a_world_is_the_same_each_time() {
    let outcome = |seed| World::run(seed).map_err(|breach| breach.why);
    for seed in 1_000..1_005 {
        assert_eq!(outcome(seed), outcome(seed));
    }
    let digest = |outcome: Result<Verdict, Box<Breach>>| outcome.map(|verdict| verdict.digest).ok();
    assert_ne!(digest(World::run(1_000)), digest(World::run(1_001)));
}

fn live(seeds: std::ops::Range<u64>) -> Tally {
    let mut all = Tally::default();
    for seed in seeds {
        match World::run(seed) {
            Ok(verdict) => all.add(&verdict.tally),
            Err(breach) => panic!("{breach}"),
        }
    }
    all
}

fn seeds(usually: u64) -> u64 {
    asked("WORLD_SEEDS").unwrap_or(usually)
}

fn asked(variable: &str) -> Option<u64> {
    let asked = std::env::var(variable).ok()?;
    Some(asked.parse().unwrap_or_else(|_| panic!("{variable} is a number")))
}

/// What has to happen in a hundred worlds.
const HAPPENS: &[&str] = &[
    "posted",
    "posted before",
    "key_reused",
    "live entry",
    "replayed entry",
    "joined: recovered",
    "joined: ahead",
    "joined: other epoch",
    "joined: unavailable",
    "not resumed",
    "presence: came",
    "presence: went",
    "presence: count",
    "left to read",
    "found",
    "page",
    "out: left",
    "out: removed",
    "out: banned",
    "no_room",
    "muted",
    "a guest registered",
    "slow",
    "rate",
    "read_only",
    "unavailable",
    "written: stale",
    "written: failed",
    "written: no post",
    "written: not author",
];
