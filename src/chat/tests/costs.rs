//! What it costs: memory for each session, account and room, and work for each post.

use allocation_counter::measure;

use super::super::log::{Append, Guard, Restored, RestoredRoom, Write, Written};
use super::super::*;
use super::world::{lobby, member, person};

fn author(id: PersonId) -> Author {
    Author { id, name: Name::stored(&format!("person{}", id.0 & 0xFFFF_FFFF)) }
}

/// A chat with so many accounts, who are in no room but the lobby.
fn chat_of(accounts: u64) -> Chat {
    let people = (1..=accounts).map(|id| person(author(PersonId(id)))).collect();
    let lobby = lobby(RoomNo(1), vec![member(PersonId(1), Role::Owner)]);
    Chat::new(Limits::default(), Restored { people, rooms: vec![lobby] })
}

/// Connects a person, who joins the lobby; what is to be done is dropped.
fn come(chat: &mut Chat, session: SessionId, person: PersonId, effects: &mut Vec<Effect>) {
    let now = Now::default();
    chat.connect(session, person, now, effects).unwrap();
    let request = Request::Join { room: RoomId::lobby(), since: None };
    chat.apply(session, Command::Request { id: RequestId(1), request }, now, effects);
    assert!(matches!(effects[..], [.., Effect::Attach(..), Effect::Send(..)]), "{effects:?}");
    effects.clear();
}

/// Bytes that `grow` leaves allocated, for each of `count`.
fn bytes_each(count: u64, grow: impl FnOnce()) -> i64 {
    let measured = measure(grow);
    measured.bytes_current / i64::try_from(count).unwrap()
}

#[test]
fn an_idle_session_in_the_lobby_costs_little() {
    const CROWD: u64 = 10_000;
    let mut effects = Vec::with_capacity(64);
    let mut chat = chat_of(CROWD);
    let signed_in = bytes_each(CROWD, || {
        (1..=CROWD).for_each(|id| come(&mut chat, SessionId(id), PersonId(id), &mut effects));
    });
    println!("a signed-in session: {signed_in} bytes");
    assert!(signed_in <= 120, "{signed_in}");

    let mut chat = chat_of(1);
    let guest = bytes_each(CROWD, || {
        for n in 1..=CROWD {
            let (id, name) = (PersonId::guest(n), Name::stored(&format!("guest{n}")));
            chat.guest(name, id, Now::default(), &mut effects).unwrap();
            come(&mut chat, SessionId(n), id, &mut effects);
        }
    });
    println!("a guest with a session: {guest} bytes");
    assert!(guest <= 520, "{guest}");
}

#[test]
fn accounts_and_rooms_at_rest_cost_little() {
    const COUNT: u64 = 10_000;
    let mut chats = Vec::with_capacity(2);
    let account = bytes_each(COUNT, || chats.push(chat_of(COUNT)));
    println!("an account: {account} bytes");
    assert!(account <= 400, "{account}");

    let mut rooms = vec![lobby(RoomNo(1), Vec::new())];
    rooms.extend((2..COUNT + 2).map(|no| RestoredRoom {
        id: RoomId::secret(no.into()),
        kind: RoomKind::Direct,
        epoch: Epoch::new(no),
        members: [1, 2].map(|id| member(PersonId(id), Role::Member)).into(),
        ..lobby(RoomNo(no), Vec::new())
    }));
    let people = [1, 2].map(|id| person(author(PersonId(id)))).into();
    let restored = Restored { people, rooms };
    let room = bytes_each(COUNT, || chats.push(Chat::new(Limits::default(), restored)));
    // The ids and epochs were allocated before.
    println!("a direct room: {room} bytes");
    assert!(room <= 500, "{room}");
}

/// Allocations of so many posts to the lobby with so many attached.
fn allocations(crowd: u64, posts: u64) -> u64 {
    let mut chat = chat_of(crowd);
    let mut effects = Vec::with_capacity(64);
    (1..=crowd).for_each(|id| come(&mut chat, SessionId(id), PersonId(id), &mut effects));
    let body = Body::parse("a post", 100).unwrap();
    let measured = measure(|| {
        for seq in 1..=posts {
            let now = Now { mono_ms: seq * 1_000, unix: UnixMs(seq) };
            let (room, body) = (RoomId::lobby(), body.clone());
            let request = Request::Post { room, key: None, body, reply_to: None };
            let id = RequestId(seq);
            chat.apply(SessionId(1), Command::Request { id, request }, now, &mut effects);
            let Some(Effect::Write(ticket, Write::Append(append))) = effects.pop() else {
                panic!("{effects:?}")
            };
            let Append { at, from, what, .. } = append;
            let written = Written::Entry(Entry { seq: Seq(seq), at, from, what });
            chat.written(ticket, written, now, &mut effects);
            assert!(matches!(effects[..], [Effect::Send(..), Effect::Publish { .. }]));
            effects.clear();
        }
    });
    measured.count_total
}

#[test]
fn a_post_takes_a_few_allocations_however_many_hear_it() {
    for crowd in [1, 1_000] {
        let each = (allocations(crowd, 1_100) - allocations(crowd, 100)) as f64 / 1_000.0;
        println!("{each:.2} allocations a post in the domain, to {crowd}");
        // This test's room id, the answer, and the entry that all share.
        assert!(each <= 3.1, "{each}");
    }
}

#[test]
fn what_there_are_many_of_is_small() {
    use super::super::{members, people, sessions};
    assert!(size_of::<sessions::Session>() <= 48);
    assert!(size_of::<people::Person>() <= 112);
    assert!(size_of::<members::Member>() <= 48);
    assert!(size_of::<Room>() <= 208);
}

#[test]
fn invite_rooms_take_no_more_memory_than_they_are_counted_for() {
    const TOGETHER: usize = 8 << 20;
    let from = |n: u64| Author { id: PersonId::guest(n), name: Name::stored(&format!("guest{n}")) };
    let say = |log: &mut MemoryLog, room, n: u64, what| {
        let (basis, guard, at) = (Seq::START, Guard::None, UnixMs(0));
        log.write(Write::Append(Append { room, basis, guard, at, from: from(n), what }));
    };
    // Long posts and short ones; keys, mentions and reactions. Rooms are filled, and forget most of it for the next.
    let bodies = [(8, ""), (2_000, ""), (20, "key"), (4, "key and mentions")];
    for (chars, with) in bodies {
        let mut logs = Vec::with_capacity(1);
        let taken = bytes_each(1, || {
            let mut log = MemoryLog::bounded(1_000, 1 << 18, TOGETHER);
            for room in 1..=100u64 {
                let room = log.begin(RoomId::secret(room.into()));
                for n in 0..600 {
                    let key = with.starts_with("key").then(|| format!("{n:064}"));
                    let mentions = if with.ends_with("mentions") { 0..20 } else { 0..0 };
                    let post = Post {
                        key: key.and_then(|key| PostKey::parse(&key)),
                        body: Body::stored(&"x".repeat(chars)),
                        reply_to: None,
                        mentions: mentions.map(from).collect(),
                    };
                    say(&mut log, room, n, What::Post(post));
                    let (post, emoji) = (log.first(room), Emoji::stored("👍"));
                    say(&mut log, room, n, What::React { post, emoji, on: true });
                }
            }
            logs.push(log);
        });
        let share = f64::from(u32::try_from(taken).unwrap()) / (TOGETHER as f64);
        println!("{chars} characters, {with}: {share:.2} of what is counted");
        assert!((0.5..=1.0).contains(&share), "{chars} characters, {with}: {share:.2}");
    }
}
