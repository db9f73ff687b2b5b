//! A file read beside the daemon that has it.

use std::fs;
use std::os::unix::fs::{FileExt, PermissionsExt};
use std::path::Path;

use wsrelay::chat::{Seq, What};
use wsrelay::store::{
    AccountState, AccountWrite, AccountWritten, Archive, OpenError, Opened, Place, Store,
};

use super::near::{Near, Scratch, open, texts, try_open};

fn lobby_of(archive: &mut Archive) -> Vec<String> {
    let logs = archive.logs().unwrap();
    let (mut last, mut all) = (Seq::START, Vec::new());
    loop {
        let records = archive.entries(&logs[0], last).unwrap();
        let Some(record) = records.last() else { return all };
        last = record.entry.seq;
        all.extend(texts(&records).into_iter().map(str::to_owned));
    }
}

fn register(near: &mut Near, name: &str) -> wsrelay::chat::PersonId {
    let name = wsrelay::chat::Name::parse(name).unwrap();
    let register = AccountWrite::Register { name, phc: "$of".into(), at: wsrelay::chat::UnixMs(5) };
    match near.account(register) {
        AccountWritten::Registered(person) => person,
        written => panic!("{written:?}"),
    }
}

/// Copies of more entries than are read at a time, while more come.
#[test]
fn a_file_in_use_is_read_and_copied_and_nobody_notices() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post_all(1..=2_500);
    let mut archive = Archive::open(&scratch.file()).unwrap();
    let posts = |count: u64| (1..=count).map(|no| format!("post number{no} says hello"));
    assert!(lobby_of(&mut archive).into_iter().eq(posts(2_500)));
    let copy = scratch.beside("-copy");
    archive.back_up(&copy).unwrap();
    near.post_all(2_501..=2_600);
    assert!(lobby_of(&mut archive).into_iter().eq(posts(2_600)), "what came since, too");
    drop(archive);
    near.post_all(2_601..=2_700);
    near.store.close();
    assert_eq!(fs::metadata(&copy).unwrap().permissions().mode() & 0o777, 0o600);
    assert!(lobby_of(&mut Archive::open(&copy).unwrap()).into_iter().eq(posts(2_500)));
    // It is a file like any other, and goes on; but where it does, other entries come than those that it lacks.
    let (mut copied, of_copy) = try_open(&copy).unwrap();
    let (_, of_file) = try_open(&scratch.file()).unwrap();
    let epoch = |opened: &Opened<()>| opened.restored.rooms[0].epoch.clone();
    assert_ne!(epoch(&of_copy), epoch(&of_file));
    copied.post_all(2_501..=2_501);
    assert!(
        matches!(copied.search("number2501"), wsrelay::chat::log::ReadOut::Found { hits, .. } if hits.len() == 1)
    );
}

#[test]
fn a_copy_replaces_nothing_and_leaves_nothing_unfinished() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post_all(1..=10);
    let archive = Archive::open(&scratch.file()).unwrap();
    let copy = scratch.beside("-copy");
    fs::write(&copy, "precious").unwrap();
    assert!(matches!(archive.back_up(&copy), Err(OpenError::Io(_))));
    assert_eq!(fs::read(&copy).unwrap(), b"precious");
    assert!(archive.back_up(Path::new("/nowhere/at/all")).is_err());
    let names: Vec<_> = fs::read_dir(scratch.file().parent().unwrap())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("-unfinished"))
        .collect();
    assert!(names.is_empty(), "{names:?}");
}

/// What SQLite does not see, since the page is well-formed: a letter of a post.
#[test]
fn a_damaged_file_is_not_copied_nor_exported() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post_all(1..=10);
    near.store.close();
    let bytes = fs::read(scratch.file()).unwrap();
    let text = b"number7 says";
    let at = bytes.windows(text.len()).position(|window| window == text).unwrap();
    let file = fs::OpenOptions::new().write(true).open(scratch.file()).unwrap();
    file.write_at(b"N", at as u64).unwrap();
    let mut archive = Archive::open(&scratch.file()).unwrap();
    let logs = archive.logs().unwrap();
    assert!(matches!(archive.entries(&logs[0], Seq::START), Err(OpenError::Corrupt(_))));
    let copy = scratch.beside("-copy");
    assert!(matches!(archive.back_up(&copy), Err(OpenError::Corrupt(_))));
    assert!(!copy.exists());
}

#[test]
fn an_archive_is_a_whole_file_of_this_version() {
    let scratch = Scratch::new();
    assert!(matches!(Archive::open(&scratch.file()), Err(OpenError::Io(_))), "not there");
    assert!(!scratch.file().exists(), "and not made");
    fs::write(scratch.file(), "").unwrap();
    assert!(matches!(Archive::open(&scratch.file()), Err(OpenError::NotOurs)));
    fs::write(scratch.file(), "no database at all").unwrap();
    assert!(matches!(Archive::open(&scratch.file()), Err(OpenError::NotOurs)));
    for (version, is_expected) in [
        (1, (|e| matches!(e, OpenError::Older { found: 1 })) as fn(&OpenError) -> bool),
        (99, |e| matches!(e, OpenError::Newer { found: 99, .. })),
    ] {
        fs::remove_file(scratch.file()).unwrap();
        open(&scratch.file()).store.close();
        let connection = rusqlite::Connection::open(scratch.file()).unwrap();
        connection.pragma_update(None, "user_version", version).unwrap();
        drop(connection);
        let opened = Archive::open(&scratch.file());
        assert!(opened.as_ref().is_err_and(is_expected), "{opened:?}");
    }
}

#[test]
fn accounts_are_listed_with_what_they_are_good_for() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    let [ann, bo, _] = ["ann", "bo", "cy"].map(|name| register(&mut near, name));
    for _ in 0..2 {
        let (token_sha256, at) = ([1; 32], wsrelay::chat::UnixMs(6));
        near.account(AccountWrite::OpenSession {
            person: ann,
            token_sha256,
            at,
            label: "x".into(),
        });
    }
    near.account(AccountWrite::Disable { person: ann });
    near.account(AccountWrite::Delete { person: bo });
    let archive = Archive::open(&scratch.file()).unwrap();
    let listed: Vec<_> = archive
        .accounts()
        .unwrap()
        .into_iter()
        .map(|account| {
            (account.name.to_string(), account.state, account.log_ins, account.created.0)
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("ann".to_owned(), AccountState::Disabled, 0, 5),
            ("bo".to_owned(), AccountState::Deleted, 0, 5),
            ("cy".to_owned(), AccountState::Active, 0, 5),
        ]
    );
    near.store.close();
    let (_, opened) = try_open(&scratch.file()).unwrap();
    let phcs: Vec<_> = opened.accounts.iter().map(|account| account.phc.as_deref()).collect();
    assert_eq!(phcs, [None, Some("$of")]);
}

/// A reader does not make a second writer possible, nor is it one.
#[test]
fn an_archive_keeps_nobody_out_and_lets_nobody_in() {
    let scratch = Scratch::new();
    let near = open(&scratch.file());
    let _archive = Archive::open(&scratch.file()).unwrap();
    let second = Store::<()>::open(&Place::File(scratch.file()), || {});
    assert!(matches!(second, Err(OpenError::InUse)));
    near.store.close();
    let mut near = open(&scratch.file());
    assert!(
        matches!(near.post(1), wsrelay::chat::log::Written::Entry(entry) if matches!(entry.what, What::Post(_)))
    );
}
