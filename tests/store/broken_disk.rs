//! Disks that stop taking what is written.

use std::env;
use std::fs;
use std::path::PathBuf;
use std::process::Command;

use rlimit::Resource;
use wsrelay::chat::log::{Failure, ReadOut, Write, Written};

use super::near::{Near, Scratch, open, post, texts};

const FILE: &str = "WSRELAY_TEST_FULL_STORE";

fn is_unavailable(written: &Written) -> bool {
    matches!(written, Written::Failed(Failure::Unavailable { after_ms: 1.. }))
}

/// Posts as many as come to something until one does not.
fn post_until_it_fails(near: &mut Near, from: u64) -> u64 {
    for no in from.. {
        let written = near.post(no);
        match written {
            Written::Entry(entry) => assert_eq!(entry.seq.0, no),
            written => {
                assert!(is_unavailable(&written), "{written:?}");
                return no;
            }
        }
    }
    unreachable!("no disk is endless")
}

/// Not a test by itself: it runs where no file can grow beyond a few megabytes.
#[test]
fn runs_where_files_cannot_grow() {
    let Ok(path) = env::var(FILE) else { return };
    let path = PathBuf::from(path);
    let mut near = open(&path);
    let failed = post_until_it_fails(&mut near, 1);
    assert!(failed > 50);
    let last = format!("post number{} says hello", failed - 1);
    for _ in 0..3 {
        assert!(is_unavailable(&near.post(failed)));
        let history = near.history().unwrap();
        assert_eq!(texts(&history).last(), Some(&&*last), "reads go on");
    }

    let (_, hard) = Resource::FSIZE.get().unwrap();
    Resource::FSIZE.set(hard, hard).unwrap();
    for no in failed..failed + 100 {
        let written = near.post(no);
        assert!(matches!(&written, Written::Entry(entry) if entry.seq.0 == no), "{written:?}");
    }
    assert!(matches!(near.search("hello"), ReadOut::Found { hits, .. } if hits.len() == 50));
    near.store.close();
    let mut near = open(&path);
    let expected: Vec<_> =
        (failed - 100..failed + 100).map(|no| format!("post number{no} says hello")).collect();
    assert_eq!(texts(&near.history().unwrap()), expected);
}

#[test]
fn a_disk_without_room_refuses_writes_until_it_has_some() {
    let scratch = Scratch::new();
    // In blocks of 512 bytes. The signal would end the process before it could be told.
    let limited = "trap '' XFSZ; ulimit -S -f 8000; exec \"$0\" \"$@\"";
    let status = Command::new("sh")
        .args(["-c", limited])
        .arg(env::current_exe().unwrap())
        .args(["--exact", "broken_disk::runs_where_files_cannot_grow", "--nocapture"])
        .env(FILE, scratch.file())
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn a_file_that_is_moved_away_takes_no_more_until_it_is_back() {
    for suffix in ["", "-wal"] {
        let scratch = Scratch::new();
        let (file, elsewhere) = (scratch.beside(suffix), scratch.beside(".elsewhere"));
        let mut near = open(&scratch.file());
        near.post(1);
        fs::rename(&file, &elsewhere).unwrap();
        assert!(is_unavailable(&near.post(2)));
        fs::write(&file, b"another").unwrap();
        assert!(is_unavailable(&near.post(2)));
        assert_eq!(near.history().unwrap().len(), 1);
        fs::rename(&elsewhere, &file).unwrap();
        assert!(matches!(near.post(2), Written::Entry(entry) if entry.seq.0 == 2));
    }
}

/// All that is given at once comes to the same, one answer for each.
#[test]
fn a_failed_batch_is_answered_whole() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post(1);
    fs::rename(scratch.file(), scratch.beside(".elsewhere")).unwrap();
    for no in 2..=100 {
        near.store.write(no, Write::Append(post(no))).unwrap();
    }
    let mut answered = Vec::new();
    while answered.len() < 99 {
        for answer in near.wait() {
            let wsrelay::store::Answer::Written(no, written) = answer else { panic!("{answer:?}") };
            assert!(is_unavailable(&written));
            answered.push(no);
        }
    }
    assert_eq!(answered, (2..=100).collect::<Vec<_>>());
}

/// Somebody looks at the file with a program of their own, and does not let go.
#[test]
fn a_locked_file_takes_no_writes_until_it_is_let_go_and_is_read_meanwhile() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post_all(1..=1);
    let other = rusqlite::Connection::open(scratch.file()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let refused = near.post(2);
    assert!(is_unavailable(&refused), "{refused:?}");
    assert_eq!(near.history().unwrap().len(), 1);
    other.execute_batch("ROLLBACK").unwrap();
    let written = near.post(3);
    assert!(matches!(&written, Written::Entry(entry) if entry.seq.0 == 2), "{written:?}");
}
