//! Processes that end without warning.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader, Write as _};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use wsrelay::chat::log::{Write, Written};
use wsrelay::store::{Answer, OpenError};

use super::near::{Scratch, open, post, texts, try_open};

const FILE: &str = "WSRELAY_TEST_STORE";

/// Not a test by itself: a process that posts and says what was acknowledged, until it is killed.
#[test]
fn posts_until_killed() {
    let Ok(path) = env::var(FILE) else { return };
    let mut near = open(&PathBuf::from(path));
    for no in 1.. {
        while near.store.write(no, Write::Append(post(no))).is_err() {
            acknowledge(near.wait());
        }
        if no % 20 == 0 {
            acknowledge(near.wait());
        }
    }
}

fn acknowledge(answers: Vec<Answer<u64>>) {
    let mut out = std::io::stderr().lock();
    for answer in answers {
        let Answer::Written(no, Written::Entry(entry)) = answer else { panic!("{answer:?}") };
        assert_eq!(entry.seq.0, no);
        writeln!(out, "stored {no}").unwrap();
    }
}

fn start(scratch: &Scratch) -> Child {
    Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::posts_until_killed", "--nocapture"])
        .env(FILE, scratch.file())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn what_was_acknowledged_survives_a_kill() {
    let scratch = Scratch::new();
    let mut child = start(&scratch);
    let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
    let stored = |line: String| line.strip_prefix("stored ").and_then(|no| no.parse().ok());
    let mut acknowledged: u64 = 0;
    while acknowledged < 2_000 {
        let line = lines.next().expect("the process lives").unwrap();
        acknowledged = stored(line).unwrap_or(acknowledged);
    }
    assert!(matches!(try_open(&scratch.file()), Err(OpenError::InUse)));
    child.kill().unwrap();
    child.wait().unwrap();
    for line in lines.map_while(Result::ok) {
        acknowledged = stored(line).unwrap_or(acknowledged);
    }

    let (mut near, opened) = try_open(&scratch.file()).unwrap();
    let last = opened.restored.rooms[0].seq.0;
    assert!(last >= acknowledged, "{last} of {acknowledged}");
    // Whatever was not acknowledged is there as a whole or not at all; a retry tells which.
    let again = near.post(acknowledged);
    assert!(matches!(again, Written::Duplicate { .. }), "{again:?}");
    let next = near.post(last + 1);
    assert!(matches!(next, Written::Entry(entry) if entry.seq.0 == last + 1));
    let history = near.history().unwrap();
    let expected: Vec<_> =
        (last - 198..=last + 1).map(|no| format!("post number{no} says hello")).collect();
    assert_eq!(texts(&history), expected);
}

/// The files as they lie at some moment, as after a loss of power: the write-ahead log is what there is.
#[test]
fn a_copy_of_the_files_in_use_opens() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    for no in 1..=50 {
        near.post(no);
    }
    let copy = Scratch::new();
    for suffix in ["", "-wal"] {
        fs::copy(scratch.beside(suffix), copy.beside(suffix)).unwrap();
    }
    assert_eq!(open(&copy.file()).history().unwrap(), near.history().unwrap());
}

/// A commit that was only half written is as if it had never been.
#[test]
fn a_torn_commit_is_gone_whole() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post(1);
    let before = fs::metadata(scratch.beside("-wal")).unwrap().len();
    near.post_all(2..=40);
    let after = fs::metadata(scratch.beside("-wal")).unwrap().len();
    assert!(after > before);
    for cut in [after - 1, after - 4_096, (before + after) / 2, before] {
        let copy = Scratch::new();
        fs::copy(scratch.file(), copy.file()).unwrap();
        let wal = fs::read(scratch.beside("-wal")).unwrap();
        fs::write(copy.beside("-wal"), &wal[..usize::try_from(cut).unwrap()]).unwrap();
        let mut near = open(&copy.file());
        assert_eq!(near.history().unwrap().len(), 1, "{cut}");
        assert!(matches!(near.post(2), Written::Entry(entry) if entry.seq.0 == 2));
    }
}
