//! Files of earlier versions, as they were written then: rows and checks, not only tables.

use rusqlite::Connection;
use wsrelay::chat::log::{Append, Guard, Read, ReadOut, Restored, Write, Written};
use wsrelay::chat::{Author, Lapse, PersonId, Record, Role, RoomNo, Seq, UnixMs, What};

use super::near::{Near, Scratch, try_open};

/// Never changed: what the first version wrote, every kind of entry in it.
const VERSION_1: &str = include_str!("../../src/store/tests/version_1.sql");

/// Never changed: what the second version made of that.
const VERSION_2: &str = include_str!("../../src/store/tests/version_2.sql");

/// Never changed: what the third version made of that, and what it kept of who had gone.
const VERSION_3: &str = include_str!("../../src/store/tests/version_3.sql");

fn file_of(fixture: &str) -> Scratch {
    let scratch = Scratch::new();
    Connection::open(scratch.file()).unwrap().execute_batch(fixture).unwrap();
    scratch
}

fn replay(near: &mut Near, room: u64, through: u64) -> Vec<String> {
    let (room, through) = (RoomNo(room), Seq(through));
    let read = Read::Replay { room, after: Seq::START, through, bytes_max: usize::MAX };
    match near.read(read) {
        ReadOut::Page { records, .. } => records.iter().map(said).collect(),
        out => panic!("{out:?}"),
    }
}

fn named(people: &[Author]) -> String {
    people.iter().map(|author| format!(" @{}", author.name)).collect()
}

fn said(record: &Record) -> String {
    let what = match &record.entry.what {
        What::Post(post) => {
            let key = post.key.as_ref().map_or("", |key| key.as_str());
            let reply = post.reply_to.map_or(String::new(), |to| format!(" to {to}"));
            format!("post {key}{reply}{}: {}", named(&post.mentions), post.body.as_str())
        }
        What::Tombstone => "deleted".to_owned(),
        What::Edit { post, body } => {
            format!("edit {post}: {}", body.as_ref().map_or("-", |body| body.as_str()))
        }
        What::Delete { post } => format!("delete {post}"),
        What::React { post, emoji, on } => format!("react {post} {} {on}", emoji.as_str()),
        What::Pin { post, on } => format!("pin {post} {on}"),
        What::Created { kind, title, members } => {
            let members: String =
                members.iter().map(|(who, role)| format!(" {} {role:?}", who.name)).collect();
            format!("created {kind:?} {}{members}", title.as_deref().unwrap_or("-"))
        }
        What::Join => "join".to_owned(),
        What::Leave => "leave".to_owned(),
        What::Add { user, role } => format!("add {} {role:?}", user.name),
        What::Remove { user } => format!("remove {}", user.name),
        What::Role { user, role } => format!("role {} {role:?}", user.name),
        What::Rename { title } => format!("rename {title}"),
        What::Ban { user, on } => format!("ban {} {on}", user.name),
        What::Mute { user, until } => format!("mute {} {}", user.name, until.0),
        What::Mode(mode) => format!("mode {} {}", mode.read_only, mode.slow_ms),
    };
    let marks = &record.marks;
    let edited = marks.edited.map_or(String::new(), |at| format!(" edited {}", at.0));
    let pinned = if marks.pinned { " pinned" } else { "" };
    let reactions: String = marks
        .reactions
        .iter()
        .map(|reaction| {
            let users: Vec<_> = reaction.users.iter().map(|user| user.as_str()).collect();
            format!(" {} {}", reaction.emoji.as_str(), users.join("+"))
        })
        .collect();
    format!("{} {}: {what}{edited}{pinned}{reactions}", record.entry.at.0, record.entry.from.name)
}

#[test]
fn a_file_of_version_1_has_all_it_had() {
    let scratch = file_of(VERSION_1);
    let (mut near, opened) = try_open(&scratch.file()).unwrap();
    assert_eq!(
        replay(&mut near, 2, 18),
        [
            "5000 ann: created Group Team ann Owner Bo Reader",
            "6100 ann: post k-1: hello again edited 6700 pinned",
            "6200 Bo: post  to 2 @ann: hello @ann 👍 ann+Bo",
            "6300 ann: react 3 👍 true",
            "6400 Bo: react 3 👍 true",
            "6500 ann: react 2 🎉 true",
            "6600 ann: react 2 🎉 false",
            "6700 ann: edit 2: hello again",
            "6800 ann: pin 2 true",
            "6900 ann: deleted",
            "7000 ann: edit 10: -",
            "7100 ann: delete 10",
            "7200 ann: role Bo Admin",
            "7300 ann: rename The Team",
            "7400 ann: mode true 1500",
            "7500 ann: mute Bo 99000",
            "7600 ann: remove Bo",
            "7700 ann: add Bo Member",
        ]
    );
    assert_eq!(
        replay(&mut near, 3, 7),
        [
            "5100 Bo: created Open - Bo Owner",
            "7800 ann: join",
            "7900 gus: post : a guest",
            "8000 ann: leave",
            "8100 Bo: ban gus true",
            "8200 Bo: ban ann true",
            "8300 Bo: ban ann false",
        ]
    );
    assert_eq!(
        replay(&mut near, 1, 2),
        ["8400 ann: role ann Owner", "8500 Bo: post  @ann: hello @ann again"]
    );
    check_restored(&opened.restored);
    assert_ne!(opened.secret, [0; 32]);
    assert_eq!(opened.accounts[1].phc.as_deref(), Some("$argon2id$of-Bo"));
    let sessions: Vec<_> =
        opened.sessions.iter().map(|session| (session.no.0, session.last_used.0)).collect();
    assert_eq!(sessions, [(1, 2_000), (2, 3_000)]);
}

fn check_restored(restored: &Restored) {
    let [ann, bo, gone] = &restored.people[..] else { panic!("{restored:?}") };
    assert_eq!(ann.profile.hue, Some(200));
    assert_eq!(bo.last_seen, Some(UnixMs(4_000)));
    assert!(gone.deleted && gone.author.name.as_str() == "Жук");
    let [lobby, team, den] = &restored.rooms[..] else { panic!("{restored:?}") };
    assert_eq!((lobby.rules, lobby.posts, lobby.members[0].mentions), (Seq(1), 1, 1));
    assert_eq!((team.title.as_deref(), team.rules), (Some("The Team"), Seq(18)));
    assert_eq!((team.members[0].read, team.members[0].posts_read), (Seq(8), 2));
    assert_eq!(den.banned, [PersonId(1 << 63 | 77)]);
}

#[test]
fn a_file_of_version_1_goes_on() {
    let scratch = file_of(VERSION_1);
    let (mut near, _) = try_open(&scratch.file()).unwrap();
    let found = near.search("again");
    assert!(matches!(&found, ReadOut::Found { hits, .. } if hits.len() == 1), "{found:?}");
    let pins = Read::Pins { room: RoomNo(2), before: Seq(99), limit: 9 };
    let ReadOut::Page { records, .. } = near.read(pins) else { panic!("no pins") };
    assert_eq!(records.iter().map(|record| record.entry.seq).collect::<Vec<_>>(), [Seq(2)]);
    let next = near.post_upon(1, Seq(1));
    assert!(matches!(&next, Written::Entry(entry) if entry.seq == Seq(3)), "{next:?}");
    near.store.close();
    assert!(try_open(&scratch.file()).is_ok());
}

#[test]
fn a_file_of_version_2_has_all_it_had_and_keeps_what_stands_against_who_goes() {
    let scratch = file_of(&[VERSION_1, VERSION_2].concat());
    let (mut near, opened) = try_open(&scratch.file()).unwrap();
    check_restored(&opened.restored);
    assert_eq!((replay(&mut near, 2, 18).len(), replay(&mut near, 3, 7).len()), (18, 7));
    assert!(opened.restored.rooms.iter().all(|room| room.lapses.is_empty()));

    let [ann, bo] = [1, 2].map(|id| opened.restored.people[id - 1].author.clone());
    let mut act = |basis, at, what| {
        let (room, basis, guard, from) = (RoomNo(2), Seq(basis), Guard::None, ann.clone());
        let append = Append { room, basis, guard, at: UnixMs(at), from, what };
        let written = near.write(Write::Append(append));
        assert!(matches!(written, Written::Entry(_)), "{written:?}");
    };
    act(18, 9_000, What::Mute { user: bo.clone(), until: UnixMs(99_000) });
    act(19, 9_100, What::Remove { user: bo });
    near.store.close();
    let (_, opened) = try_open(&scratch.file()).unwrap();
    let lapse = Lapse { role: Role::Member, muted_until: UnixMs(99_000) };
    assert_eq!(opened.restored.rooms[1].lapses, [(PersonId(2), lapse)]);
}

#[test]
fn a_file_of_version_3_is_searched_by_an_index_of_its_own() {
    let scratch = file_of(&[VERSION_1, VERSION_2, VERSION_3].concat());
    let (mut near, opened) = try_open(&scratch.file()).unwrap();
    check_restored(&opened.restored);
    let lapse = Lapse { role: Role::Reader, muted_until: UnixMs(99_000) };
    assert_eq!(opened.restored.rooms[2].lapses, [(PersonId(1), lapse)]);
    for query in ["again", "hello agai", "hello-ann"] {
        let found = near.search(query);
        assert!(matches!(&found, ReadOut::Found { hits, .. } if hits.len() == 1), "{found:?}");
    }
    near.store.close();
    let own = Connection::open(scratch.file()).unwrap();
    own.execute_batch("INSERT INTO search (search, rank) VALUES ('integrity-check', 1)").unwrap();
}

/// What an upgrade makes anew is not left in the file as it was: what is deleted later would be there still.
#[test]
fn what_an_upgrade_replaces_is_overwritten() {
    let scratch = file_of(&[VERSION_1, VERSION_2, VERSION_3].concat());
    Connection::open(scratch.file())
        .unwrap()
        .execute_batch(
            "INSERT INTO search (rowid, text, room)
             WITH RECURSIVE n (no) AS (SELECT 1000 UNION ALL SELECT no + 1 FROM n LIMIT 5000)
             SELECT no, 'xylophone' || no, 1 FROM n",
        )
        .unwrap();
    let has_word = || std::fs::read(scratch.file()).unwrap().windows(8).any(|at| at == b"xylophon");
    assert!(has_word());
    let (near, _) = try_open(&scratch.file()).unwrap();
    near.store.close();
    assert!(!has_word());
}

/// A step's name is taken: by somebody's own index, say.
#[test]
fn a_step_that_fails_changes_nothing() {
    let scratch = file_of(VERSION_1);
    let own = |sql: &str| Connection::open(scratch.file()).unwrap().execute_batch(sql).unwrap();
    own("CREATE INDEX pins ON people (name)");
    assert!(try_open(&scratch.file()).is_err());
    let version: i64 = Connection::open(scratch.file())
        .unwrap()
        .pragma_query_value(None, "user_version", |row| row.get(0))
        .unwrap();
    assert_eq!(version, 1);
    own("DROP INDEX pins");
    let (mut near, _) = try_open(&scratch.file()).unwrap();
    assert_eq!(replay(&mut near, 1, 2).len(), 2);
}
