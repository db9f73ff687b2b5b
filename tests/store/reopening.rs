//! What one store wrote, the next one has.

use wsrelay::chat::log::{Append, Create, ReadOut, RestoredRoom, Write, Written};
use wsrelay::chat::{
    Body, Emoji, Epoch, Lapse, Mode, Name, PersonId, Post, Profile, Role, RoomId, RoomKind, RoomNo,
    Seq, UnixMs, What,
};
use wsrelay::store::{AccountWrite, Place, SessionNo};

use super::near::{Near, Scratch, append, author, open, open_place, post, try_open};

#[test]
fn a_new_store_has_the_lobby_and_a_secret() {
    let scratch = Scratch::new();
    for place in [Place::Memory, Place::File(scratch.file())] {
        let (near, opened) = open_place(&place).unwrap();
        let [lobby] = &opened.restored.rooms[..] else { panic!("{:?}", opened.restored) };
        assert_eq!((lobby.kind, &lobby.id), (RoomKind::Lobby, &RoomId::lobby()));
        let RestoredRoom { seq, rules, posts, at, .. } = lobby;
        assert_eq!((*seq, *rules, *posts, *at), (Seq(0), Seq(0), 0, UnixMs(0)));
        assert_ne!(opened.secret, [0; 32]);
        near.store.close();
    }
}

fn fill(near: &mut Near) {
    let register = |name| AccountWrite::Register {
        name: Name::stored(name),
        phc: "$argon2id$".into(),
        at: UnixMs(5),
    };
    near.account(register("person1"));
    near.account(register("person2"));
    near.account(register("person3"));
    near.account(AccountWrite::Delete { person: PersonId(3) });
    let profile = Profile { display: Some(Name::stored("Ann of Kent")), hue: Some(200) };
    near.account(AccountWrite::SetProfile { person: PersonId(1), profile });
    for label in ["phone", "desk"] {
        near.account(AccountWrite::OpenSession {
            person: PersonId(1),
            token_sha256: [9; 32],
            at: UnixMs(6),
            label: label.into(),
        });
    }
    near.account(AccountWrite::TouchSession { no: SessionNo(2), at: UnixMs(8) });
    near.write(Write::Seen { person: PersonId(2), at: UnixMs(77) });
    let members = [(author(1), Role::Owner), (author(2), Role::Reader)].into();
    let created = near.write(Write::Create(Create {
        id: RoomId::secret(5),
        kind: RoomKind::Group,
        title: Some("Team".into()),
        epoch: Epoch::new(99),
        at: UnixMs(9),
        from: author(1),
        members,
    }));
    assert!(matches!(created, Written::Created { .. }));
    near.post(1);
    near.write(Write::Append(append(What::React {
        post: Seq(1),
        emoji: Emoji::stored("👍"),
        on: true,
    })));
    near.write(Write::Append(append(What::Edit {
        post: Seq(1),
        body: Some(Body::stored("edited")),
    })));
    near.write(Write::Append(append(What::Post(Post {
        key: None,
        body: Body::stored("hello @person2"),
        reply_to: Some(Seq(1)),
        mentions: [author(2)].into(),
    }))));
    near.write(Write::Append(append(What::Mode(Mode { read_only: true, slow_ms: 7 }))));
    let remove = What::Remove { user: author(2) };
    let remove = Append { room: RoomNo(2), basis: Seq(1), ..append(remove) };
    assert!(matches!(near.write(Write::Append(remove)), Written::Entry(_)));
}

#[test]
fn everything_is_there_again() {
    let scratch = Scratch::new();
    let (mut near, first) = try_open(&scratch.file()).unwrap();
    fill(&mut near);
    let history = near.history().unwrap();
    let found = near.search("hello");
    near.store.close();

    let (mut near, second) = try_open(&scratch.file()).unwrap();
    assert_eq!(near.history().unwrap(), history);
    assert_eq!(near.search("hello"), found);
    assert!(matches!(found, ReadOut::Found { hits, .. } if hits.len() == 1));
    assert_eq!(second.secret, first.secret);
    let restored = &second.restored;
    assert_eq!(restored.rooms[0].epoch, first.restored.rooms[0].epoch);
    assert_eq!(restored.people.len(), 3);
    assert_eq!(restored.people[0].profile.hue, Some(200));
    assert_eq!(restored.people[1].last_seen, Some(UnixMs(77)));
    assert!(restored.people[2].deleted);
    assert_eq!(second.accounts.len(), 2);
    assert_eq!(second.sessions.len(), 2);
    assert_eq!(second.sessions[1].last_used, UnixMs(8));
    let [lobby, team] = &restored.rooms[..] else { panic!("{restored:?}") };
    assert_eq!((lobby.seq, lobby.rules, lobby.posts), (Seq(5), Seq(5), 2));
    assert_eq!(lobby.mode, Mode { read_only: true, slow_ms: 7 });
    let mentioned = &lobby.members[0];
    assert_eq!((mentioned.person, mentioned.mentions), (PersonId(2), 1));
    assert_eq!((team.epoch.clone(), team.members.len()), (Epoch::new(99), 1));
    let reader = Lapse { role: Role::Reader, muted_until: UnixMs(0) };
    assert_eq!(team.lapses, [(PersonId(2), reader)]);

    // And again, without anything done in between.
    near.store.close();
    let (near, third) = try_open(&scratch.file()).unwrap();
    assert_eq!(third.restored, second.restored);
    assert_eq!((third.accounts, third.sessions), (second.accounts, second.sessions));
    near.store.close();
}

#[test]
fn a_closed_store_is_one_file() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post(1);
    near.store.close();
    assert!(!scratch.beside("-wal").exists());
    let copy = Scratch::new();
    std::fs::copy(scratch.file(), copy.file()).unwrap();
    assert_eq!(open(&copy.file()).history().unwrap().len(), 1);
}

#[test]
fn what_is_given_before_the_end_is_committed() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    for no in 1..=100 {
        near.store.write(no, Write::Append(post(no))).unwrap();
    }
    near.store.close();
    assert_eq!(open(&scratch.file()).history().unwrap().len(), 100);
}

#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    near.post(1);
    for suffix in ["", "-wal", "-shm", "-lock"] {
        let mode = std::fs::metadata(scratch.beside(suffix)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{suffix}");
    }
}

#[test]
fn what_was_deleted_or_edited_is_not_in_the_file() {
    let scratch = Scratch::new();
    let mut near = open(&scratch.file());
    for (no, text) in [(1, "jeopardy deed"), (2, "xylophone quagmire")] {
        let body = Body::stored(text);
        let post = Post { key: None, body, reply_to: None, mentions: [].into() };
        near.write(Write::Append(append(What::Post(post))));
        near.search(text);
        near.post(no);
    }
    let body = Some(Body::stored("harmless"));
    near.write(Write::Append(append(What::Edit { post: Seq(3), body })));
    near.write(Write::Append(append(What::Delete { post: Seq(1) })));
    near.store.close();
    let bytes = std::fs::read(scratch.file()).unwrap();
    let has = |word: &str| bytes.windows(word.len()).any(|bytes| bytes == word.as_bytes());
    assert!(has("harmless") && has("number1"));
    for gone in ["jeopardy", "deed", "xylophone", "quagmire"] {
        assert!(!has(gone), "{gone}");
    }
}
