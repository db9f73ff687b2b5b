//! Random batches against the model, with everything read after each, and with tables that fail at any point.

use proptest::prelude::*;

use super::model::{Model, places};
use super::*;
use crate::chat::log::Failure;
use crate::chat::{Emoji, Entry, Lapse, Mode, ReactionsMax};
use crate::store::AFTER_MS;
use crate::store::accounts::SessionNo;
use crate::store::tables::{Change, Digest, Fault, Head, Keyed, Standing, Tables};

/// A request in a few small numbers, so that it can be made smaller.
type Dice = (u8, u8, u8, u8, u8);

fn batches() -> impl Strategy<Value = Vec<Vec<Dice>>> {
    prop::collection::vec(prop::collection::vec(any::<Dice>(), 1..12), 1..12)
}

/// What the dice mean where the model stands.
fn request(model: &Model, (kind, room, person, a, b): Dice) -> Request {
    let index = usize::from(room) % model.rooms.len();
    let (no, room) = (RoomNo(index as u64 + 1), &model.rooms[index]);
    let somebody = |dice: u8| match dice % 6 {
        5 => guest(u64::from(dice)),
        id => author(u64::from(id) + 1),
    };
    let mut from = somebody(person);
    let user = somebody(b);
    let at = UnixMs(u64::from(a) * 7 + u64::from(b));
    let seq = Seq(u64::from(a) % (room.last().0 + 2));
    let role = [Role::Reader, Role::Member, Role::Admin, Role::Owner][usize::from(a) % 4];
    let body = Body::stored(["red", "red green", "green blue", "blue"][usize::from(b) % 4]);
    let on = a % 3 != 0;
    let account = PersonId(u64::from(person) % 6);
    let mut guard = Guard::Post(seq);
    // Nobody comes to the lobby or goes; and there soon is another room.
    let kind = match kind % 32 {
        0..4 if model.rooms.len() == 1 => 23,
        14..=17 | 20 if no == LOBBY => 18,
        _ => kind,
    };
    let what = match kind % 32 {
        // Somebody comes and goes, so often that something stands against them when they do.
        0..6 if no != LOBBY => {
            guard = Guard::None;
            let visitor = author(2);
            let moderated = visitor.clone();
            match a % 6 {
                0 => What::Mute { user: moderated, until: UnixMs(at.0 + 500) },
                1 => What::Role { user: moderated, role: Role::Reader },
                2 => What::Remove { user: moderated },
                3 => What::Add { user: moderated, role },
                4 => {
                    from = visitor;
                    What::Leave
                }
                _ => {
                    from = visitor;
                    What::Join
                }
            }
        }
        0..8 => {
            guard = Guard::None;
            let key = PostKey::parse(&format!("k{}", a % 5)).filter(|_| a % 2 == 0);
            let reply_to = (b % 7 == 0).then_some(seq);
            let mentions = [user, somebody(a)].into_iter().take(usize::from(a % 3)).collect();
            What::Post(Post { key, body, reply_to, mentions })
        }
        8..10 => {
            guard = Guard::PostBy(seq, from.id);
            What::Edit { post: seq, body: Some(body) }
        }
        10 => What::Delete { post: seq },
        11..13 => {
            let emoji = Emoji::stored(["👍", "🎉", "🍵"][usize::from(b) % 3]);
            if on {
                let max = ReactionsMax { emoji: u16::from(a % 4), people: u16::from(b % 4) };
                guard = Guard::Reaction(seq, max);
            }
            What::React { post: seq, emoji, on }
        }
        13 => {
            // So few that they are reached.
            guard = if on { Guard::Pin(seq, u16::from(b % 3)) } else { guard };
            What::Pin { post: seq, on }
        }
        other => {
            guard = Guard::None;
            match other {
                14 => What::Join,
                15 => What::Leave,
                16 => What::Add { user, role },
                17 => What::Remove { user },
                18 => What::Role { user, role },
                19 => What::Rename { title: format!("Room {a}").into() },
                20 => What::Ban { user, on },
                21 => What::Mute { user, until: at },
                22 => What::Mode(Mode { read_only: on, slow_ms: u32::from(b) }),
                23 => {
                    let mut create = group(u64::from(a) % 4, &[(1, Role::Owner)]);
                    create.members = [(from, role), (user, Role::Member)].into();
                    return Request::Write(Write::Create(create));
                }
                24 | 25 => {
                    let (person, received, read) = (from.id, Seq(seq.0 + 1), seq);
                    return Request::Write(Write::Cursor { person, room: no, received, read });
                }
                _ => return Request::Account(account_write(kind, account, at, a, b)),
            }
        }
    };
    let basis = match a % 11 {
        10 => Seq(u64::from(b) % 3),
        _ => room.rules(),
    };
    Request::Write(Write::Append(Append { room: no, basis, guard, at, from, what }))
}

fn account_write(kind: u8, person: PersonId, at: UnixMs, a: u8, b: u8) -> AccountWrite {
    let no = SessionNo(u64::from(a) % 5);
    let phc: Arc<str> = format!("phc{b}").into();
    match (kind / 32).wrapping_add(a) % 10 {
        0 => AccountWrite::Register { name: Name::stored(&format!("name{}", b % 8)), phc, at },
        1 => {
            let except = Some(no).filter(|_| b.is_multiple_of(2));
            AccountWrite::SetPassword { person, phc, except }
        }
        2 => {
            let display = b.is_multiple_of(2).then(|| Name::stored("Shown So"));
            let profile =
                crate::chat::Profile { display, hue: b.is_multiple_of(3).then_some(a.into()) };
            AccountWrite::SetProfile { person, profile }
        }
        3 => AccountWrite::Delete { person },
        4 => AccountWrite::OpenSession { person, token_sha256: [a; 32], at, label: "x".into() },
        5 => AccountWrite::CloseSession { no },
        6 => {
            AccountWrite::CloseSessions { person, except: Some(no).filter(|_| b.is_multiple_of(2)) }
        }
        7 => AccountWrite::RenewHash { person, phc },
        8 => AccountWrite::Disable { person },
        _ => AccountWrite::TouchSession { no, at },
    }
}

/// All that can be read is as the model has it.
fn assert_alike(db: &mut Db, model: &Model) {
    let stored = db.stored().unwrap();
    assert_eq!(stored.restored, model.restored());
    assert_eq!(stored.accounts, model.accounts());
    assert_eq!(stored.sessions, model.sessions());
    for (index, of) in model.rooms.iter().enumerate() {
        let (room, last) = (RoomNo(index as u64 + 1), of.last());
        let middle = Seq(last.0 / 2);
        for read in [
            Read::Replay { room, after: Seq::START, through: last, bytes_max: usize::MAX },
            Read::Replay { room, after: middle, through: last, bytes_max: 20 },
            Read::Before { room, before: last.next(), limit: 200 },
            Read::Before { room, before: last, limit: 3 },
            Read::After { room, after: middle, limit: 3 },
            Read::After { room, after: Seq::START, limit: 200 },
            Read::Pins { room, before: last, limit: 200 },
            Read::Pins { room, before: last.next(), limit: 1 },
        ] {
            assert_eq!(db.read(&read), model.read(&read), "{read:?}");
        }
    }
}

fn assert_finds_alike(db: &mut Db, model: &Model) {
    while db.unindexed() > 0 {
        db.index(7).unwrap();
    }
    let rooms: Arc<[RoomNo]> = (1..=model.rooms.len() as u64).map(RoomNo).collect();
    for word in ["red", "green", "blue"] {
        let read = Read::Search { query: word.into(), rooms: rooms.clone(), skip: 0, limit: 1_000 };
        let ReadOut::Found { hits, more: false } = db.read(&read) else { panic!("{read:?}") };
        assert_eq!(places(&hits), model.with_word(word), "{word}");
    }
    db.check_index();
}

/// Tables that fail once, after so many steps.
#[derive(Debug)]
struct Failing {
    db: Db,
    steps_left: Option<u32>,
    fault: Fault,
}

impl Failing {
    fn step(&mut self) -> Result<(), Fault> {
        match self.steps_left {
            Some(0) => {
                self.steps_left = None;
                Err(self.fault)
            }
            Some(left) => {
                self.steps_left = Some(left - 1);
                Ok(())
            }
            None => Ok(()),
        }
    }
}

impl Tables for Failing {
    fn begin(&mut self) -> Result<(), Fault> {
        self.step()?;
        self.db.begin()
    }

    fn commit(&mut self) -> Result<(), Fault> {
        self.step()?;
        self.db.commit()
    }

    fn rollback(&mut self) {
        self.db.rollback();
    }

    fn apply(&mut self, change: Change<'_>) -> Result<(), Fault> {
        self.step()?;
        self.db.apply(change)
    }

    fn append_once(
        &mut self,
        room: RoomNo,
        entry: &Entry,
        posts: u64,
        digest: Digest,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault> {
        self.step()?;
        self.db.append_once(room, entry, posts, digest, key)
    }

    fn head(&mut self, room: RoomNo) -> Result<Option<Head>, Fault> {
        self.step()?;
        self.db.head(room)
    }

    fn room_called(&mut self, id: &RoomId) -> Result<Option<RoomNo>, Fault> {
        self.step()?;
        self.db.room_called(id)
    }

    fn last_room(&mut self) -> Result<Option<RoomNo>, Fault> {
        self.step()?;
        self.db.last_room()
    }

    fn keyed(
        &mut self,
        room: RoomNo,
        author: PersonId,
        key: &PostKey,
    ) -> Result<Option<Keyed>, Fault> {
        self.step()?;
        self.db.keyed(room, author, key)
    }

    fn author_of_post(&mut self, room: RoomNo, post: Seq) -> Result<Option<PersonId>, Fault> {
        self.step()?;
        self.db.author_of_post(room, post)
    }

    fn pinned_but(&mut self, room: RoomNo, post: Seq) -> Result<u64, Fault> {
        self.step()?;
        self.db.pinned_but(room, post)
    }

    fn has_room_for_reaction(
        &mut self,
        post: (RoomNo, Seq),
        emoji: &Emoji,
        by: PersonId,
        max: ReactionsMax,
    ) -> Result<bool, Fault> {
        self.step()?;
        self.db.has_room_for_reaction(post, emoji, by, max)
    }

    fn posts_through(&mut self, room: RoomNo, seq: Seq) -> Result<u64, Fault> {
        self.step()?;
        self.db.posts_through(room, seq)
    }

    fn standing(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Standing>, Fault> {
        self.step()?;
        self.db.standing(room, person)
    }

    fn lapse(&mut self, room: RoomNo, person: PersonId) -> Result<Option<Lapse>, Fault> {
        self.step()?;
        self.db.lapse(room, person)
    }

    fn mentions(&mut self, room: RoomNo, person: PersonId) -> Result<u64, Fault> {
        self.step()?;
        self.db.mentions(room, person)
    }

    fn is_taken(&mut self, name: &Name) -> Result<bool, Fault> {
        self.step()?;
        self.db.is_taken(name)
    }

    fn last_person(&mut self) -> Result<Option<PersonId>, Fault> {
        self.step()?;
        self.db.last_person()
    }

    fn last_session(&mut self) -> Result<Option<SessionNo>, Fault> {
        self.step()?;
        self.db.last_session()
    }
}

fn failed(outcome: &Outcome) -> Option<Failure> {
    match outcome {
        Outcome::Written(Written::Failed(failure))
        | Outcome::Account(AccountWritten::Failed(failure)) => Some(*failure),
        _ => None,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn random_batches_come_to_what_the_model_says(batches in batches(), index_every in 1_usize..5) {
        let mut log = memory();
        let mut model = Model::new(&log.tables().stored().unwrap().restored.rooms[0]);
        for (no, batch) in batches.iter().enumerate() {
            let requests: Vec<_> = batch.iter().map(|dice| request(&model, *dice)).collect();
            assert_eq!(log.commit(&requests), model.commit(&requests));
            assert_alike(log.tables(), &model);
            if no % index_every == 0 {
                assert_finds_alike(log.tables(), &model);
            }
        }
        assert_finds_alike(log.tables(), &model);
    }

    #[test]
    fn a_transaction_that_fails_leaves_nothing(
        batches in batches(),
        steps in prop::collection::vec(0_u32..60, 12),
        is_damage in any::<bool>(),
    ) {
        let (db, _) = db::open(&Place::Memory).unwrap();
        let fault = if is_damage { Fault::Corrupt } else { Fault::Unavailable };
        let mut log = Log::new(Failing { db, steps_left: None, fault });
        let mut model = Model::new(&log.tables().db.stored().unwrap().restored.rooms[0]);
        for (batch, steps) in batches.iter().zip(steps) {
            let requests: Vec<_> = batch.iter().map(|dice| request(&model, *dice)).collect();
            log.tables().steps_left = Some(steps);
            let outcomes = log.commit(&requests);
            let failures: Vec<_> = outcomes.iter().filter_map(failed).collect();
            match &failures[..] {
                [] => assert_eq!(outcomes, model.commit(&requests)),
                // One met damage: the others are as if it had not been asked for.
                [Failure::Corrupt] if is_damage => {
                    let index = outcomes.iter().position(|outcome| failed(outcome).is_some());
                    let without = |list: &mut Vec<_>| drop(list.remove(index.unwrap()));
                    let (mut outcomes, mut requests) = (outcomes, requests);
                    without(&mut outcomes);
                    requests.remove(index.unwrap());
                    assert_eq!(outcomes, model.commit(&requests));
                }
                failures => {
                    assert_eq!(failures.len(), requests.len());
                    let unavailable = Failure::Unavailable { after_ms: AFTER_MS };
                    assert!(failures.iter().all(|failure| *failure == unavailable));
                }
            }
            assert_alike(&mut log.tables().db, &model);
        }
    }
}

#[test]
#[should_panic(expected = "left == right")]
fn the_comparison_can_fail() {
    let mut log = memory();
    let model = Model::new(&log.tables().stored().unwrap().restored.rooms[0]);
    log.seq(append(LOBBY, 1, post("that the model was not told of")));
    assert_alike(log.tables(), &model);
}
