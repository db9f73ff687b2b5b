//! Anybody does anything at any time: the state stays what the log says, the counts stay counts, and the same world always
//! takes the same course.

use std::collections::{BTreeMap, BTreeSet};

use super::super::*;
use super::script::Runner;
use super::world::World;

#[test]
fn whatever_happens_the_state_is_what_the_log_says() {
    for seed in 0..300 {
        let mut course = Course::new(seed);
        for _ in 0..150 {
            course.step();
            check(&course.runner.world);
        }
        course.runner.told("log works");
        check(&course.runner.world);
        check_log(&course.runner.world);
        course.runner.world.end();
    }
}

#[test]
fn the_same_world_takes_the_same_course() {
    let told = |seed| {
        let mut course = Course::new(seed);
        (0..300).flat_map(|_| course.step()).collect::<Vec<_>>()
    };
    for seed in [1, 2, 3] {
        assert_eq!(told(seed), told(seed));
    }
    assert_ne!(told(1), told(2), "the check can fail");
}

/// A course of random rows.
struct Course {
    runner: Runner,
    dice: u64,
}

impl Course {
    fn new(seed: u64) -> Self {
        let limits = Limits { commands_per_second: 0, entries_per_second: 0, ..Limits::default() };
        let mut runner = Runner::new(World::new(limits, true));
        runner.told("accounts ana bo cy");
        runner.told("guest gus");
        runner.told("ana create open den");
        runner.told("bo create group ~team");
        runner.told("bo add ~team ana admin");
        runner.told("gus create invite ~inv");
        Self { runner, dice: seed }
    }

    /// One of so many, by splitmix64.
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.dice;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) % sides
    }

    fn one_of<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[usize::try_from(self.roll(words.len() as u64)).unwrap()]
    }

    /// Does something; answers with what was told.
    fn step(&mut self) -> Vec<String> {
        let who = self.one_of(&["ana", "ana.2", "bo", "cy", "cy.2", "gus", "root"]);
        let row = match self.roll(12) {
            0 => self.one_of(LOG).to_owned(),
            1 => format!("wait {}", self.one_of(&["1", "300", "2000", "9000", "700000"])),
            2 if self.is_connected(who) => format!("{who} gone"),
            _ if !self.is_connected(who) && self.is_known(who) => format!("{who} connect"),
            _ if !self.is_known(who) && who == "gus" => "guest gus".to_owned(),
            _ if !self.is_known(who) => return Vec::new(),
            3 if self.roll(40) == 0 => format!("delete account {}", self.one_of(&["bo", "cy"])),
            _ => format!("{who} {}", self.command(who)),
        };
        if row.starts_with("delete") && !self.is_known(row.split(' ').nth(2).unwrap()) {
            return Vec::new();
        }
        self.runner.told(&row)
    }

    fn command(&mut self, who: &str) -> String {
        let template = self.one_of(COMMANDS);
        let room = self.one_of(&["lobby", "den", "~team", "~inv", "~ab", "~bc", "none"]);
        let user = self.one_of(&["ana", "bo", "cy", "gus", "root"]);
        let role = self.one_of(&["reader", "member", "admin", "owner"]);
        let [seq, other] = [12, 12].map(|sides| self.roll(sides).to_string());
        let mut pair = [who, user].map(|name| &name[..1]);
        pair.sort_unstable();
        let template = template.replace("PAIR", &format!("~{}", pair.join("")));
        let row = template.replace("ROOM", room).replace("USER", user).replace("ROLE", role);
        row.replace("SEQ", &seq).replace("NUM", &other)
    }

    fn is_connected(&self, session: &str) -> bool {
        self.runner.world.is_connected(session)
    }

    fn is_known(&self, session: &str) -> bool {
        let name = session.split('.').next().unwrap();
        self.runner.world.chat.named(&Name::stored(name)).is_some()
    }
}

const LOG: &[&str] = &[
    "log holds",
    "log holds",
    "log answers 1",
    "log answers 2",
    "log answers",
    "log commits 1",
    "log reads",
    "log shows 1",
    "log shows",
    "log fails",
    "log works",
    "log works",
    "tails gone",
];

const COMMANDS: &[&str] = &[
    "join ROOM",
    "join ROOM since SEQ",
    "join ROOM since x:SEQ",
    "resume lobby@SEQ den@NUM ROOM",
    "detach ROOM",
    "post ROOM \"hi @USER\"",
    "post ROOM \"hi\"",
    "post ROOM \"hi\" key kSEQ",
    "post ROOM \"hi\" reply SEQ",
    "edit ROOM SEQ \"ho\"",
    "delete ROOM SEQ",
    "react ROOM SEQ 👍",
    "react ROOM SEQ 👍 off",
    "pin ROOM SEQ",
    "add ROOM USER ROLE",
    "remove ROOM USER",
    "leave ROOM",
    "role ROOM USER ROLE",
    "rename ROOM \"tSEQ\"",
    "ban ROOM USER",
    "ban ROOM USER off",
    "mute ROOM USER NUM",
    "mute den USER NUM00000000",
    "role den USER reader",
    "leave den",
    "join den",
    "join den",
    "read_only ROOM",
    "read_only ROOM off",
    "slow ROOM NUM",
    "history ROOM",
    "history ROOM after SEQ limit 3",
    "search \"hi\"",
    "search \"hi\" in ROOM",
    "create open den",
    "create invite ~inv",
    "direct USER PAIR",
    "members ROOM",
    "rooms",
    "users",
    "typing ROOM",
    "typing ROOM off",
    "received ROOM SEQ",
    "read ROOM SEQ",
    "ping",
];

/// Checks that what is counted, and what is kept twice, agrees.
fn check(world: &World) {
    let chat = &world.chat;
    for (key, room) in chat.rooms.iter() {
        let is_lobby = room.kind == RoomKind::Lobby;
        let members: Vec<_> = room.members.iter().collect();
        let owners = members.iter().filter(|(_, member)| member.role == Role::Owner).count();
        assert_eq!(room.owners as usize, owners, "{}", room.id);
        let present = match is_lobby {
            true => chat.people.present().count(),
            false => members.iter().filter(|(person, _)| chat.people[*person].is_present()).count(),
        };
        assert_eq!(room.present as usize, present, "{}", room.id);
        for (person, member) in &members {
            assert!(!is_lobby || !chat.people[*person].is_deleted());
            assert!(is_lobby || chat.people[*person].rooms.contains(key));
            assert!(member.read <= member.received && member.received <= room.seq);
            assert!(member.posts_read <= room.posts, "{}", room.id);
        }
        for (id, _) in room.lapses.iter() {
            let person = chat.people.find(id);
            assert!(person.is_none_or(|person| room.members.find(person).is_none()));
        }
        assert_eq!(room.attached as usize, world.attached_to(key), "{}", room.id);
    }
    for id in (1..=4).map(PersonId).chain([PersonId::guest(0)]) {
        let Some(person) = chat.people.find(id) else { continue };
        for room in chat.people[person].rooms.iter() {
            assert!(chat.rooms[room].is_member(person));
        }
    }
}

/// Checks that durable rooms are as their logs' entries make them.
fn check_log(world: &World) {
    for (_, room) in world.chat.rooms.iter().filter(|(_, room)| !room.is_invite()) {
        let entries = world.log.entries(room.no);
        let mut members: BTreeMap<PersonId, Role> = BTreeMap::new();
        let mut readers_gone = BTreeSet::new();
        let mut muted = BTreeMap::new();
        let mut mode = Mode::default();
        for entry in &entries {
            match &entry.what {
                What::Created { members: first, .. } => {
                    members.extend(first.iter().map(|(author, role)| (author.id, *role)));
                }
                What::Join => {
                    let was_reader = readers_gone.remove(&entry.from.id);
                    let role = if was_reader { Role::Reader } else { Role::Member };
                    members.insert(entry.from.id, role);
                }
                What::Leave => let_go(entry.from.id, &mut members, &mut readers_gone),
                What::Remove { user } | What::Ban { user, on: true } => {
                    let_go(user.id, &mut members, &mut readers_gone);
                }
                What::Add { user, role } | What::Role { user, role } => {
                    readers_gone.remove(&user.id);
                    members.insert(user.id, *role);
                }
                What::Mute { user, until } => _ = muted.insert(user.id, *until),
                What::Mode(new) => mode = *new,
                _ => {}
            }
        }
        assert_eq!((room.seq.0, room.mode), (entries.len() as u64, mode), "{}", room.id);
        let is_there = |id: &PersonId| world.chat.person(*id).is_some();
        let lapses: BTreeMap<_, _> = room.lapses.iter().filter(|(id, _)| is_there(id)).collect();
        let is_reader =
            |(id, lapse): (&PersonId, &Lapse)| (lapse.role == Role::Reader).then_some(*id);
        readers_gone.retain(|id| is_there(id) && !id.is_guest());
        assert!(lapses.iter().filter_map(is_reader).eq(readers_gone), "{}", room.id);
        // Members or not; guests too, while they are known.
        for (id, until) in muted.into_iter().filter(|(id, _)| is_there(id)) {
            let member = world.chat.people.find(id).and_then(|person| room.members.find(person));
            let kept = member.map(|member| member.muted_until);
            let kept = kept.or_else(|| lapses.get(&id).map(|lapse| lapse.muted_until));
            let is_so = until <= world.now.unix || kept == Some(until);
            assert!(is_so, "{}: {id:?} is muted until {until:?}, not {kept:?}", room.id);
        }
        if room.kind != RoomKind::Lobby {
            let accounts = room.members.iter().filter(|(key, _)| {
                let person = &world.chat.people[*key];
                !person.is_guest() && !person.is_deleted()
            });
            let kept =
                accounts.map(|(key, member)| (world.chat.people[key].author.id, member.role));
            members.retain(|id, _| world.chat.person(*id).is_some() && !id.is_guest());
            assert_eq!(kept.collect::<BTreeMap<_, _>>(), members, "{}", room.id);
        }
    }
}

fn let_go(
    person: PersonId,
    members: &mut BTreeMap<PersonId, Role>,
    readers_gone: &mut BTreeSet<PersonId>,
) {
    if members.remove(&person) == Some(Role::Reader) {
        readers_gone.insert(person);
    }
}
