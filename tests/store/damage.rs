//! Files that are not what they should be.

use std::fs::{self, OpenOptions};
use std::os::unix::fs::FileExt;
use std::path::Path;

use wsrelay::chat::log::{Failure, Read, ReadOut};
use wsrelay::chat::{RoomNo, Seq};
use wsrelay::store::{Archive, OpenError};

use super::near::{Near, Scratch, open, try_open};

fn refusal(path: &Path) -> OpenError {
    match try_open(path) {
        Ok(_) => panic!("opened"),
        Err(error) => error,
    }
}

/// A closed store with some hundred posts.
fn filled() -> Scratch {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post_all(1..=500);
    near.search("hello");
    near.store.close();
    scratch
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    for content in [
        "just a text".repeat(1_000).into_bytes(),
        b"x".to_vec(),
        vec![0; 4_096],
        foreign_database(),
    ] {
        let scratch = Scratch::new();
        fs::write(scratch.file(), &content).unwrap();
        let error = refusal(&scratch.file());
        assert!(matches!(error, OpenError::NotOurs), "{error:?}");
        assert_eq!(fs::read(scratch.file()).unwrap(), content);
    }
}

/// A store, made to say that it is another program's.
fn foreign_database() -> Vec<u8> {
    let scratch = filled();
    let mut bytes = fs::read(scratch.file()).unwrap();
    bytes[68..72].copy_from_slice(&0x1234_5678_u32.to_be_bytes());
    bytes
}

#[test]
fn a_later_version_is_refused_by_its_number() {
    let scratch = filled();
    let file = OpenOptions::new().write(true).open(scratch.file()).unwrap();
    file.write_all_at(&77_u32.to_be_bytes(), 60).unwrap();
    let error = refusal(&scratch.file());
    assert!(matches!(error, OpenError::Newer { found: 77, known: 4 }), "{error:?}");
    assert!(error.to_string().contains("later version of wsrelay"), "{error}");
}

#[test]
fn a_place_that_is_not_there_is_named_as_such() {
    let error = refusal(Path::new("/no/such/directory/chat.db"));
    assert!(matches!(&error, OpenError::Io(io) if io.kind() == std::io::ErrorKind::NotFound));
}

#[test]
fn a_file_in_use_is_refused_until_it_is_given_back() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    for _ in 0..3 {
        let error = refusal(&scratch.file());
        assert!(matches!(error, OpenError::InUse), "{error:?}");
        near.post(1);
    }
    near.store.close();
    assert_eq!(open(&scratch.file()).history().unwrap().len(), 1);
}

/// What is cut off, or half of it, is noticed at the door.
#[test]
fn a_truncated_file_is_refused() {
    let scratch = filled();
    let bytes = fs::metadata(scratch.file()).unwrap().len();
    for left in [bytes - 1, bytes - 4_096, bytes / 2, 8_192, 4_096, 511, 20] {
        let cut = Scratch::new();
        fs::copy(scratch.file(), cut.file()).unwrap();
        OpenOptions::new().write(true).open(cut.file()).unwrap().set_len(left).unwrap();
        let error = refusal(&cut.file());
        assert!(matches!(error, OpenError::Corrupt(_)), "{left} of {bytes}: {error:?}");
    }
}

/// A file emptied beside its write-ahead log is no new store.
#[test]
fn an_emptied_file_is_refused() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post(1);
    let copy = Scratch::new();
    fs::copy(scratch.beside("-wal"), copy.beside("-wal")).unwrap();
    fs::write(copy.file(), b"").unwrap();
    let error = refusal(&copy.file());
    assert!(matches!(error, OpenError::Corrupt(_)), "{error:?}");
}

/// One byte in every so many, each in a copy of its own: refused, told, or without a trace in what is read.
#[test]
fn a_flipped_byte_is_never_served() {
    let scratch = filled();
    let whole = fs::read(scratch.file()).unwrap();
    let expected = read_all(&mut open(&scratch.file()));
    let (mut refused, mut told) = (0, 0);
    for place in (100..whole.len()).step_by(whole.len() / 211) {
        let copy = Scratch::new();
        let mut bytes = whole.clone();
        bytes[place] ^= 0x15;
        fs::write(copy.file(), bytes).unwrap();
        let (mut near, opened) = match try_open(&copy.file()) {
            Ok(opened) => opened,
            Err(_) => {
                refused += 1;
                continue;
            }
        };
        assert!(opened.restored.rooms.len() <= 1);
        for (read, expected) in read_all(&mut near).into_iter().zip(&expected) {
            match read {
                ReadOut::Failed(Failure::Corrupt) => told += 1,
                read => assert_eq!(read, *expected, "byte {place}"),
            }
        }
    }
    assert!(refused > 0 && told > 0, "{refused} refused, {told} told");
}

/// A start looks at how the file is built, and at each entry when it is read; who asks finds all of it out, and which entry.
#[test]
fn a_spoilt_entry_is_found_by_whoever_looks_and_costs_no_other() {
    let scratch = filled();
    let mut bytes = fs::read(scratch.file()).unwrap();
    for text in ["post number250 says", "post number300 says"] {
        // In its row and not in the index for searches, which has words and no texts.
        let place = bytes.windows(text.len()).position(|there| there == text.as_bytes()).unwrap();
        bytes[place] = b'P';
    }
    fs::write(scratch.file(), bytes).unwrap();
    let Err(OpenError::Corrupt(what)) = wsrelay::store::examine(&scratch.file()) else {
        panic!("is whole")
    };
    assert_eq!(what, "entry 250 of room lobby and 1 more cannot be read");
    let mut archive = Archive::open(&scratch.file()).unwrap();
    let log = archive.logs().unwrap().remove(0);
    let read: Vec<u64> = (0..log.last.0)
        .filter_map(|after| archive.next_entry(&log, Seq(after)).ok())
        .map(|next| next.unwrap().entry.seq.0)
        .collect();
    assert_eq!(read, (1..=500).filter(|seq| ![250, 300].contains(seq)).collect::<Vec<_>>());
}

fn read_all(near: &mut Near) -> Vec<ReadOut> {
    let room = RoomNo(1);
    let pages = (0..500).step_by(100).map(|after| Read::Replay {
        room,
        after: Seq(after),
        through: Seq(after + 100),
        bytes_max: usize::MAX,
    });
    pages.map(|read| near.read(read)).collect()
}
