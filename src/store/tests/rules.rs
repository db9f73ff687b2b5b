//! Every answer of the log, and what entries do.

use super::*;
use crate::chat::log::RestoredRoom;
use crate::chat::{Emoji, Mode};

fn written_at(seq: u64) -> impl Fn(Written) -> bool {
    move |written| matches!(written, Written::Entry(entry) if entry.seq == Seq(seq))
}

#[test]
fn places_are_given_per_room_in_the_order_of_requests() {
    let mut log = memory();
    let Written::Created { room, .. } = log.told(Write::Create(group(1, &[(1, Role::Owner)])))
    else {
        panic!("created")
    };
    let in_group = |text| Append { basis: Seq(1), ..append(room, 1, post(text)) };
    let requests: Vec<_> = [
        append(LOBBY, 1, post("a")),
        in_group("b"),
        append(LOBBY, 2, post("c")),
        in_group("d"),
        append(LOBBY, 1, post("e")),
    ]
    .into_iter()
    .map(|append| Request::Write(Write::Append(append)))
    .collect();
    let seqs = log.commit(&requests).into_iter().map(|outcome| match outcome {
        Outcome::Written(Written::Entry(entry)) => entry.seq.0,
        outcome => panic!("{outcome:?}"),
    });
    assert_eq!(seqs.collect::<Vec<_>>(), [1, 2, 2, 3, 3]);
}

#[test]
fn a_repeated_key_answers_with_the_first_place() {
    let mut log = memory();
    let first = Append { at: UnixMs(7), ..append(LOBBY, 1, keyed("k", "hello")) };
    assert_eq!(log.seq(first.clone()), Seq(1));
    let again = Append { at: UnixMs(9), ..first.clone() };
    let duplicate = Written::Duplicate { seq: Seq(1), at: UnixMs(7) };
    assert_eq!(log.appended(again.clone()), duplicate);

    let other_text = Append { what: keyed("k", "other"), ..first.clone() };
    assert_eq!(log.appended(other_text), Written::KeyReused);
    assert!(written_at(2)(log.appended(append(LOBBY, 2, keyed("k", "of another author")))));
    assert!(written_at(3)(log.appended(append(LOBBY, 1, keyed("K", "another key")))));

    // Neither an edit, nor a delete, nor rules that have changed since make it another post.
    let edit = What::Edit { post: Seq(1), body: Some(Body::stored("edited")) };
    log.seq(append(LOBBY, 1, edit));
    assert_eq!(log.appended(again.clone()), duplicate);
    log.seq(append(LOBBY, 1, What::Delete { post: Seq(1) }));
    assert_eq!(log.appended(again.clone()), duplicate);
    log.seq(append(LOBBY, 1, What::Mode(Mode { read_only: true, slow_ms: 0 })));
    assert_eq!(log.appended(again), duplicate);
}

#[test]
fn a_repetition_within_one_transaction_is_found() {
    let mut log = memory();
    let request = Request::Write(Write::Append(append(LOBBY, 1, keyed("k", "hello"))));
    let outcomes = log.commit(&[request.clone(), request]);
    let duplicate = Written::Duplicate { seq: Seq(1), at: UnixMs(1_000) };
    assert_eq!(outcomes[1], Outcome::Written(duplicate));
}

#[test]
fn what_was_decided_upon_old_rules_is_turned_back() {
    let mut log = memory();
    let mute = What::Mute { user: author(2), until: UnixMs(9_999) };
    let requests = [append(LOBBY, 1, mute), append(LOBBY, 2, post("too late"))]
        .map(|append| Request::Write(Write::Append(append)));
    let outcomes = log.commit(&requests);
    assert_eq!(outcomes[1], Outcome::Written(Written::Stale));
    let anew = Append { basis: Seq(1), ..append(LOBBY, 2, post("again")) };
    assert!(written_at(2)(log.appended(anew)));
}

#[test]
fn guards_are_held_against_what_is_committed() {
    let mut log = memory();
    log.seq(append(LOBBY, 1, post("mine")));
    log.seq(append(LOBBY, 1, What::Rename { title: "no post".into() }));
    let edit = |guard| Append {
        guard,
        ..append(LOBBY, 1, What::Edit { post: Seq(1), body: Some(Body::stored("b")) })
    };
    for (guard, expected) in [
        (Guard::Post(Seq(9)), Written::NoPost),
        (Guard::Post(Seq(0)), Written::NoPost),
        (Guard::Post(Seq(2)), Written::NoPost),
        (Guard::Post(Seq(u64::MAX)), Written::NoPost),
        (Guard::PostBy(Seq(9), PersonId(1)), Written::NoPost),
        (Guard::PostBy(Seq(1), PersonId(2)), Written::NotAuthor),
    ] {
        assert_eq!(log.appended(edit(guard)), expected, "{guard:?}");
    }
    assert!(written_at(3)(log.appended(edit(Guard::PostBy(Seq(1), PersonId(1))))));
    log.seq(append(LOBBY, 1, What::Delete { post: Seq(1) }));
    assert_eq!(log.appended(edit(Guard::Post(Seq(1)))), Written::NoPost);
    assert_eq!(log.appended(edit(Guard::PostBy(Seq(1), PersonId(2)))), Written::NoPost);
}

#[test]
fn an_id_that_is_taken_makes_no_second_room() {
    let mut log = memory();
    let create = Write::Create(group(1, &[(1, Role::Owner), (2, Role::Member)]));
    let Written::Created { room, entry } = log.told(create.clone()) else { panic!("created") };
    assert_eq!((room, entry.seq), (RoomNo(2), Seq(1)));
    assert_eq!(log.told(create), Written::Stale);
    let other = Write::Create(group(2, &[(1, Role::Owner)]));
    assert!(matches!(log.told(other), Written::Created { room: RoomNo(3), .. }));
}

#[test]
fn a_room_that_is_not_there_takes_nothing_and_harms_nobody() {
    let mut log = memory();
    let requests = [append(RoomNo(99), 1, post("a")), append(LOBBY, 1, post("b"))]
        .map(|append| Request::Write(Write::Append(append)));
    let outcomes = log.commit(&requests);
    assert_eq!(outcomes[0], Outcome::Written(Written::Failed(crate::chat::log::Failure::Corrupt)));
    assert!(matches!(&outcomes[1], Outcome::Written(Written::Entry(_))));
}

#[test]
fn cursors_go_forward_and_not_beyond_the_end() {
    let mut log = memory();
    for no in 1..=4 {
        log.seq(append(LOBBY, 1, mentioning(&format!("{no}"), &[author(2)])));
    }
    let mut cursor = |received, read| {
        let (person, room) = (PersonId(2), LOBBY);
        log.told(Write::Cursor { person, room, received: Seq(received), read: Seq(read) })
    };
    let at = |received, read, mentions| Written::Cursor {
        received: Seq(received),
        read: Seq(read),
        posts_read: read,
        mentions,
    };
    assert_eq!(cursor(3, 2), at(3, 2, 2));
    assert_eq!(cursor(1, 1), at(3, 2, 2));
    assert_eq!(cursor(99, 99), at(4, 4, 0));
}

#[test]
fn the_cursor_of_no_member_is_answered_and_not_kept() {
    let mut log = memory();
    log.seq(append(LOBBY, 1, post("a")));
    let person = guest(7).id;
    let cursor = Write::Cursor { person, room: LOBBY, received: Seq(1), read: Seq(1) };
    let answer = Written::Cursor { received: Seq(1), read: Seq(1), posts_read: 1, mentions: 0 };
    assert_eq!(log.told(cursor), answer);
    assert_eq!(log.tables().stored().unwrap().restored.rooms[0].members, []);
}

#[test]
fn who_comes_has_read_what_was_there_and_begins_anew_when_they_come_again() {
    let mut log = memory();
    let group = group(1, &[(1, Role::Owner)]);
    let Written::Created { room, .. } = log.told(Write::Create(group)) else { panic!("created") };
    let mut basis = Seq(1);
    let mut act = |log: &mut Log<Db>, what: What| {
        let changes = what.changes_rules();
        let seq = log.seq(Append { basis, ..append(room, 1, what) });
        basis = if changes { seq } else { basis };
    };
    let member = |log: &mut Log<Db>| {
        let stored = log.tables().stored().unwrap();
        let room = stored.restored.rooms.into_iter().nth(1).unwrap();
        room.members.into_iter().find(|member| member.person == PersonId(2))
    };
    act(&mut log, post("before"));
    act(&mut log, What::Add { user: author(2), role: Role::Reader });
    act(&mut log, mentioning("hello", &[author(2), author(2), author(1), author(9)]));
    let added = member(&mut log).unwrap();
    assert_eq!((added.role, added.read, added.posts_read), (Role::Reader, Seq(3), 1));
    assert_eq!(added.mentions, 1);

    act(&mut log, What::Ban { user: author(2), on: true });
    assert_eq!(member(&mut log), None);
    act(&mut log, What::Ban { user: author(2), on: false });
    act(&mut log, What::Add { user: author(2), role: Role::Member });
    assert_eq!(member(&mut log).unwrap().mentions, 0);
}

/// An open room with its owner, who is the first account; what happens there, one after the other; and who is there and
/// who has gone, with what stands against them.
struct Den {
    log: Log<Db>,
    no: RoomNo,
    basis: Seq,
    at: UnixMs,
}

impl Den {
    fn new() -> Self {
        let mut log = memory();
        for id in 1..=4 {
            let (name, phc, at) = (author(id).name, "phc".into(), UnixMs(1));
            log.account(AccountWrite::Register { name, phc, at });
        }
        let create = Create { kind: RoomKind::Open, ..group(1, &[(1, Role::Owner)]) };
        let Written::Created { room: no, .. } = log.told(Write::Create(create)) else {
            panic!("created")
        };
        Self { log, no, basis: Seq(1), at: UnixMs(1_000) }
    }

    fn act(&mut self, from: u64, what: What) {
        let (basis, at) = (self.basis, self.at);
        self.basis = self.log.seq(Append { basis, at, ..append(self.no, from, what) });
    }

    fn room(&mut self) -> RestoredRoom {
        self.log.tables().stored().unwrap().restored.rooms.remove(1)
    }

    fn member(&mut self, id: u64) -> Option<(Role, UnixMs)> {
        let members = self.room().members.into_iter();
        let mut found = members.filter(|member| member.person == PersonId(id));
        found.next().map(|member| (member.role, member.muted_until))
    }

    fn lapses(&mut self) -> Vec<(u64, Role, u64)> {
        let lapses = self.room().lapses.into_iter();
        lapses.map(|(id, lapse)| (id.0, lapse.role, lapse.muted_until.0)).collect()
    }
}

#[test]
fn what_stands_against_who_goes_is_kept_for_when_they_come_back() {
    let mut den = Den::new();
    let mute = |id, until| What::Mute { user: author(id), until: UnixMs(until) };
    let role = |id, role| What::Role { user: author(id), role };
    den.act(2, What::Join);
    den.act(1, mute(2, 5_000));
    den.act(1, role(2, Role::Reader));
    den.act(2, What::Leave);
    assert_eq!((den.member(2), den.lapses()), (None, vec![(2, Role::Reader, 5_000)]));
    den.act(2, What::Join);
    assert_eq!(den.member(2), Some((Role::Reader, UnixMs(5_000))));
    assert_eq!(den.lapses(), []);

    // Whoever adds somebody says as what; that they are muted is another matter.
    den.act(1, What::Remove { user: author(2) });
    den.act(1, What::Add { user: author(2), role: Role::Admin });
    assert_eq!(den.member(2), Some((Role::Admin, UnixMs(5_000))));

    // A ban and its end change nothing of it. What one was above members is gone.
    den.act(1, What::Ban { user: author(2), on: true });
    assert_eq!(den.lapses(), [(2, Role::Member, 5_000)]);
    den.act(1, What::Ban { user: author(2), on: false });
    den.act(2, What::Join);
    assert_eq!(den.member(2), Some((Role::Member, UnixMs(5_000))));

    // Of whoever has nothing against them there is nothing.
    den.act(1, mute(2, 0));
    den.act(2, What::Leave);
    den.act(3, What::Join);
    den.act(1, mute(3, 900));
    den.act(3, What::Leave);
    assert_eq!(den.lapses(), []);
}

#[test]
fn what_is_over_is_forgotten_when_another_goes() {
    let mut den = Den::new();
    for (id, until) in [(2, 5_000), (3, 9_000), (4, 9_000)] {
        den.act(id, What::Join);
        den.act(1, What::Mute { user: author(id), until: UnixMs(until) });
    }
    den.act(2, What::Leave);
    den.act(3, What::Leave);
    den.at = UnixMs(5_000);
    den.act(4, What::Leave);
    assert_eq!(den.lapses(), [(3, Role::Member, 9_000), (4, Role::Member, 9_000)]);
}

#[test]
fn nothing_is_kept_of_a_deleted_account() {
    let mut den = Den::new();
    for id in [2, 3] {
        den.act(id, What::Join);
        den.act(1, What::Role { user: author(id), role: Role::Reader });
    }
    den.act(2, What::Leave);
    for person in [2, 3].map(PersonId) {
        den.log.account(AccountWrite::Delete { person });
    }
    assert_eq!(den.lapses(), []);
    den.act(3, What::Leave);
    assert_eq!(den.lapses(), []);
}

#[test]
fn a_deleted_post_keeps_its_place_and_nothing_else() {
    let mut log = memory();
    let mentions = [author(2)];
    log.seq(append(LOBBY, 1, mentioning("secret", &mentions)));
    let emoji = Emoji::stored("👍");
    log.seq(append(LOBBY, 2, What::React { post: Seq(1), emoji, on: true }));
    log.seq(append(LOBBY, 1, What::Pin { post: Seq(1), on: true }));
    log.seq(append(LOBBY, 1, What::Edit { post: Seq(1), body: Some(Body::stored("secret2")) }));
    log.seq(append(LOBBY, 1, What::Delete { post: Seq(1) }));
    let history = log.history(LOBBY);
    assert_eq!(history.len(), 1);
    assert_eq!(history[0].entry.what, What::Tombstone);
    assert_eq!(history[0].marks, Default::default());
    let replay = Read::Replay { room: LOBBY, after: Seq(0), through: Seq(5), bytes_max: 999 };
    let ReadOut::Page { records, .. } = log.tables().read(&replay) else { panic!("a page") };
    assert_eq!(records[3].entry.what, What::Edit { post: Seq(1), body: None });
}

#[test]
fn numbers_of_accounts_and_log_ins_are_never_used_again() {
    let mut log = memory();
    let mut register = |name: &str| {
        log.account(AccountWrite::Register {
            name: Name::stored(name),
            phc: "phc".into(),
            at: UnixMs(1),
        })
    };
    assert_eq!(register("ann"), AccountWritten::Registered(PersonId(1)));
    assert_eq!(register("Ann"), AccountWritten::NameTaken);
    assert_eq!(register("bo"), AccountWritten::Registered(PersonId(2)));
    log.account(AccountWrite::Delete { person: PersonId(2) });
    assert_eq!(
        log.account(AccountWrite::Register {
            name: Name::stored("bo"),
            phc: "phc".into(),
            at: UnixMs(1)
        }),
        AccountWritten::NameTaken
    );

    let open = || AccountWrite::OpenSession {
        person: PersonId(1),
        token_sha256: [7; 32],
        at: UnixMs(1),
        label: "phone".into(),
    };
    let opened = |no| AccountWritten::SessionOpened(crate::store::SessionNo(no));
    assert_eq!(log.account(open()), opened(1));
    assert_eq!(log.account(open()), opened(2));
    log.account(AccountWrite::CloseSession { no: crate::store::SessionNo(2) });
    assert_eq!(log.account(open()), opened(3));
}
