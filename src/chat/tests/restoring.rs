//! The chat as the log has it when the program starts.

use super::super::log::{Restored, RestoredMember, RestoredPerson, RestoredRoom, Write, Written};
use super::super::*;
use super::shown;
use super::world::{lobby, member, person, room_id};

fn author(id: u64, name: &str) -> Author {
    Author { id: PersonId(id), name: Name::stored(name) }
}

fn room(no: u64, name: &str, kind: RoomKind, members: Vec<RestoredMember>) -> RestoredRoom {
    let (id, seq, rules) = (room_id(name), Seq(9), Seq(4));
    RestoredRoom { id, kind, seq, rules, posts: 5, ..lobby(RoomNo(no), members) }
}

/// What somebody is told who connects to a chat of these rooms: `ana`, `bo` who is deleted, and `cy`.
fn told(rooms: Vec<RestoredRoom>, id: u64, request: Option<Request>) -> Vec<String> {
    let deleted = RestoredPerson { deleted: true, ..person(author(2, "bo")) };
    let people = vec![person(author(1, "ana")), deleted, person(author(3, "cy"))];
    let mut chat = Chat::new(Limits::default(), Restored { people, rooms });
    let (session, now) = (SessionId(1), Now { mono_ms: 0, unix: UnixMs(1_000) });
    let mut effects = Vec::new();
    chat.connect(session, PersonId(id), now, &mut effects).unwrap();
    if let Some(request) = request {
        effects.clear();
        chat.apply(session, Command::Request { id: RequestId(1), request }, now, &mut effects);
    }
    let shown = effects.iter().flat_map(|effect| match effect {
        Effect::Send(_, Event::Welcome(welcome)) => {
            welcome.rooms.iter().map(shown::summary).collect()
        }
        Effect::Send(_, event) => vec![shown::event(event)],
        Effect::Write(..) => vec!["a write".into()],
        _ => Vec::new(),
    });
    shown.collect()
}

#[test]
fn rooms_roles_and_cursors_are_back() {
    let ana = RestoredMember {
        read: Seq(5),
        received: Seq(7),
        posts_read: 3,
        mentions: 1,
        ..member(PersonId(1), Role::Admin)
    };
    let group =
        RestoredRoom { title: Some("Team".into()), ..room(2, "~team", RoomKind::Group, vec![ana]) };
    let open = room(
        3,
        "den",
        RoomKind::Open,
        vec![member(PersonId(1), Role::Owner), member(PersonId(3), Role::Reader)],
    );
    let rooms = vec![lobby(RoomNo(1), vec![member(PersonId(3), Role::Owner)]), group, open];
    assert_eq!(
        told(rooms.clone(), 1, None),
        [
            "lobby member seq=0 read=0 left=0+0",
            "~team \"Team\" admin seq=9 read=5 left=2+1",
            "den owner seq=9 read=0 left=5+0"
        ]
    );
    assert_eq!(
        told(rooms, 3, None),
        ["lobby owner seq=0 read=0 left=0+0", "den reader seq=9 read=0 left=5+0"]
    );
}

#[test]
fn who_has_nothing_of_their_own_in_the_lobby_has_nothing_unread_there() {
    let read = RestoredMember { read: Seq(39), posts_read: 38, ..member(PersonId(1), Role::Owner) };
    let mentioned = RestoredMember { mentions: 2, ..read };
    let rooms = vec![RestoredRoom { posts: 40, seq: Seq(41), ..lobby(RoomNo(1), vec![mentioned]) }];
    assert_eq!(told(rooms.clone(), 1, None), ["lobby owner seq=41 read=39 left=2+2"]);
    assert_eq!(told(rooms, 3, None), ["lobby member seq=41 read=41 left=0+0"]);
}

#[test]
fn the_deleted_are_in_no_room_but_with_whom_they_talked() {
    let both = |role| vec![member(PersonId(1), role), member(PersonId(2), Role::Owner)];
    let left_alone = room(4, "~gone", RoomKind::Group, vec![member(PersonId(2), Role::Owner)]);
    let rooms = vec![
        lobby(RoomNo(1), vec![member(PersonId(2), Role::Owner)]),
        room(2, "~ab", RoomKind::Direct, both(Role::Member)),
        room(3, "~team", RoomKind::Group, both(Role::Member)),
        left_alone,
    ];
    // The first account is made the lobby's owner again.
    assert_eq!(
        told(rooms.clone(), 1, None),
        [
            "lobby member seq=0 read=0 left=0+0",
            "~ab \"bo\" member seq=9 read=0 left=5+0",
            "~team \"\" member seq=9 read=0 left=5+0",
            "a write"
        ]
    );
    let members = |name| Request::Members { room: room_id(name), after: None, limit: 9 };
    assert_eq!(
        told(rooms.clone(), 1, Some(members("~team"))),
        ["ok ~team [ana member online] of 1"]
    );
    assert_eq!(
        told(rooms.clone(), 1, Some(members("~ab"))),
        ["ok ~ab [ana member online, bo owner] of 2"]
    );
    assert_eq!(told(rooms.clone(), 1, Some(members("~gone"))), ["err no_room"]);
    assert_eq!(
        told(rooms, 1, Some(members("lobby"))),
        ["ok lobby [ana member online, cy member] of 2"]
    );
}

#[test]
fn who_was_to_be_owner_is_made_it_after_a_restart() {
    let people = vec![
        person(author(1, "ana")),
        RestoredPerson { deleted: true, ..person(author(2, "bo")) },
        person(author(3, "cy")),
    ];
    let of = |members: &[(u64, Role)]| {
        members.iter().map(|(id, role)| member(PersonId(*id), *role)).collect::<Vec<_>>()
    };
    let (owner, admin) = (Role::Owner, Role::Admin);
    let rooms = vec![
        lobby(RoomNo(1), of(&[(2, owner), (3, admin)])),
        room(2, "~team", RoomKind::Group, of(&[(1, Role::Reader), (2, owner), (3, admin)])),
        room(3, "~whole", RoomKind::Group, of(&[(1, owner), (2, owner), (3, admin)])),
        room(4, "den", RoomKind::Open, of(&[(2, owner)])),
        room(5, "begun", RoomKind::Open, of(&[(1, Role::Member), (3, Role::Reader)])),
        room(6, "bobs", RoomKind::Open, of(&[(2, Role::Member), (3, Role::Reader)])),
        room(7, "~ac", RoomKind::Direct, of(&[(1, Role::Member), (3, Role::Member)])),
    ];
    let mut chat = Chat::new(Limits::default(), Restored { people, rooms });
    assert_eq!(chat.next_deadline_ms(), Some(0));
    let (now, mut effects) = (Now { mono_ms: 7, unix: UnixMs(1_000) }, Vec::new());
    chat.tick(now, &mut effects);
    let appends = effects.iter().map(|effect| match effect {
        Effect::Write(_, Write::Append(append)) => (append.room.0, append.at.0, &append.what),
        effect => panic!("{effect:?}"),
    });
    let [ana, cy] =
        [author(1, "ana"), author(3, "cy")].map(|user| What::Role { user, role: owner });
    let expected = [(1, &cy), (2, &cy), (5, &ana), (6, &cy)];
    assert_eq!(appends.collect::<Vec<_>>(), expected.map(|(room, crown)| (room, 1_000, crown)));
    assert_eq!(chat.next_deadline_ms(), None);
}

#[test]
fn a_ban_a_mute_and_a_pair_last() {
    let muted = RestoredMember { muted_until: UnixMs(1_500), ..member(PersonId(1), Role::Member) };
    let den =
        RestoredRoom { banned: vec![PersonId(3)], ..room(2, "den", RoomKind::Open, vec![muted]) };
    let pair = [1, 3].map(|id| member(PersonId(id), Role::Member)).into();
    let rooms = vec![lobby(RoomNo(1), Vec::new()), den, room(3, "~ac", RoomKind::Direct, pair)];
    let post =
        Request::Post { room: room_id("den"), key: None, body: Body::stored("x"), reply_to: None };
    assert_eq!(told(rooms.clone(), 1, Some(post)), ["err muted after 500"]);
    let join = Request::Join { room: room_id("den"), since: None };
    assert_eq!(told(rooms.clone(), 3, Some(join)), ["err banned"]);
    let direct = Request::Direct { user: Name::stored("ana"), secret: 1, epoch: 1 };
    let answer = told(rooms.clone(), 3, Some(direct));
    assert_eq!(answer, ["ok room ~ac \"ana\" member seq=9 read=0 left=5+0"]);
    let create = |name: &str| Request::Create {
        room: NewRoom::Open { room: room_id(name) },
        secret: 1,
        epoch: 1,
    };
    assert_eq!(told(rooms.clone(), 1, Some(create("den"))), ["err name_taken"]);
    assert_eq!(told(rooms, 1, Some(create("lobby"))), ["err name_taken"]);
}

#[test]
fn what_stands_against_who_has_gone_lasts() {
    let lapse = Lapse { role: Role::Reader, muted_until: UnixMs(1_500) };
    let lapses = vec![(PersonId(1), lapse)];
    let den = RestoredRoom { lapses, ..room(2, "den", RoomKind::Open, Vec::new()) };
    let rooms = vec![lobby(RoomNo(1), Vec::new()), den];
    let people = vec![person(author(1, "ana"))];
    let mut chat = Chat::new(Limits::default(), Restored { people, rooms });
    let (session, now) = (SessionId(1), Now { mono_ms: 0, unix: UnixMs(1_000) });
    let mut effects = Vec::new();
    chat.connect(session, PersonId(1), now, &mut effects).unwrap();
    let request = Request::Join { room: room_id("den"), since: None };
    chat.apply(session, Command::Request { id: RequestId(1), request }, now, &mut effects);
    let Some(Effect::Write(ticket, Write::Append(append))) = effects.pop() else {
        panic!("{effects:?}")
    };
    effects.clear();
    let entry = Entry { seq: Seq(10), at: append.at, from: append.from, what: append.what };
    chat.written(ticket, Written::Entry(entry), now, &mut effects);
    let told = effects.iter().find_map(|effect| match effect {
        Effect::Send(_, event @ Event::Room(_)) => Some(shown::event(event)),
        _ => None,
    });
    assert_eq!(told.as_deref(), Some("room den reader seq=10 read=10 left=0+0"));
    let request = Request::Members { room: room_id("den"), after: None, limit: 9 };
    effects.clear();
    chat.apply(session, Command::Request { id: RequestId(2), request }, now, &mut effects);
    let [Effect::Send(_, ref members)] = effects[..] else { panic!("{effects:?}") };
    assert_eq!(shown::event(members), "ok den [ana reader online 10/10 muted] of 1");
}
