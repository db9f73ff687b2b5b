//! What must hold of the chat's domain, whatever is asked of it.
//!
//! A list of operations, made of any bytes: people connect and go, ask for anything, in any room, about any post; time passes;
//! the log answers at once, or is held back for a while; the program starts anew. After each effect, and when all is
//! answered, the same is held that a simulated [world](super::world) holds: nobody is told what they may not read, nothing
//! is done by who may not, every request is answered once, each room's entries come one after the other, and what a restart
//! brings back is what follows from the entries.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::world::disk::Disk;
use super::world::pages;
use super::world::witness::Witness;
use crate::chat::limits::CURSORS_EVERY_MS;
use crate::chat::log::{Create, Read, Ticket, Write};
use crate::chat::{
    Act, Answer, Author, Body, Chat, Command, Effect, Emoji, Epoch, Event, HistoryFrom, Joined,
    Limits, Name, NewRoom, Now, PersonId, PostKey, Recovered, Request, RequestId, Role, RoomId,
    RoomKey, RoomKind, Seq, SessionId, Since, UnixMs, Whisper,
};
use crate::store::log::{Log, Outcome, Request as LogRequest};
use crate::store::{AccountWrite, AccountWritten};

/// Any bytes are a case: operations, one after the other, each a byte that says which and some that say how.
///
/// # Panics
/// If something does not hold.
pub fn chat_commands(data: &[u8]) {
    let mut stage = Stage::new();
    let mut script = Script(data);
    while let Some(operation) = script.next() {
        stage.perform(operation, &mut script);
    }
    stage.rest();
}

/// The domain, the log, and what is known of both.
struct Stage {
    chat: Chat,
    log: Log<Disk>,
    witness: Witness,
    now_ms: u64,
    people: Vec<Author>,
    /// Rooms that there may be.
    rooms: Vec<RoomId>,
    sessions: Vec<SessionId>,
    audiences: BTreeMap<RoomKey, BTreeSet<SessionId>>,
    /// The last entry that each session was sent of each room; `None` before the first of a replay.
    heard: BTreeMap<(SessionId, RoomId), Option<Seq>>,
    /// Sessions and requests so far.
    numbers: u64,
    writes: VecDeque<(Ticket, Write)>,
    reads: VecDeque<(Ticket, Read)>,
    is_held: bool,
}

/// Bytes yet to be read.
struct Script<'a>(&'a [u8]);

impl Script<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*first)
    }

    /// The next number, or 0.
    fn number(&mut self) -> u64 {
        self.next().unwrap_or(0).into()
    }

    fn flag(&mut self) -> bool {
        self.number() % 2 == 1
    }

    fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        let index = usize::from(self.next().unwrap_or(0));
        from.get(index % from.len().max(1))
    }

    /// A few of the next bytes, as text.
    fn text(&mut self) -> String {
        let len = usize::from(self.next().unwrap_or(0) % 16).min(self.0.len());
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        String::from_utf8_lossy(text).into_owned()
    }
}

impl Stage {
    fn new() -> Self {
        let mut log = Log::new(Disk::default());
        let create = Create {
            id: RoomId::lobby(),
            kind: RoomKind::Lobby,
            title: None,
            epoch: Epoch::new(1),
            at: UnixMs(0),
            from: Author { id: PersonId(0), name: Name::stored("wsrelay") },
            members: [].into(),
        };
        log.commit(&[LogRequest::Write(Write::Create(create))]);
        let mut people: Vec<_> =
            ACCOUNTS.iter().map(|name| registered(&mut log, Name::stored(name))).collect();
        people.extend(GUESTS.iter().zip(1..).map(|(name, random)| Author {
            id: PersonId::guest(random),
            name: Name::stored(name),
        }));
        let chat = Chat::new(limits(), log.tables().committed().restored());
        let mut stage = Self {
            chat,
            log,
            witness: Witness::default(),
            now_ms: 1_000,
            people,
            rooms: ["lobby", "den"].iter().map(|name| room(name)).collect(),
            sessions: Vec::new(),
            audiences: BTreeMap::new(),
            heard: BTreeMap::new(),
            numbers: 0,
            writes: VecDeque::new(),
            reads: VecDeque::new(),
            is_held: false,
        };
        stage.restart();
        stage
    }

    fn perform(&mut self, operation: u8, script: &mut Script<'_>) {
        match operation % 32 {
            0 | 1 => self.connect(script),
            2 => self.disconnect(script),
            3 => self.pass(1 << (script.number() % 21)),
            4 => self.is_held = true,
            5 => self.is_held = false,
            6 => self.restart(),
            7 => self.whisper(script),
            _ => self.ask(operation % 32, script),
        }
        if !self.is_held {
            self.answer_all();
        }
    }

    fn connect(&mut self, script: &mut Script<'_>) {
        let Some(person) = script.pick(&self.people).cloned() else { return };
        self.numbers += 1;
        let session = SessionId(self.numbers);
        if person.id.is_guest() {
            if self.chat.person(person.id).is_none() {
                self.witness.truth.forget_guest(person.id);
            }
            let (name, id) = (person.name, person.id);
            let let_in = self.tell(|chat, now, effects| chat.guest(name, id, now, effects));
            assert_eq!(let_in, Ok(()), "a known guest is let in");
        }
        self.witness.connects(session, person.id);
        match self.tell(|chat, now, effects| chat.connect(session, person.id, now, effects)) {
            Ok(()) => self.sessions.push(session),
            Err(_) => self.witness.goes(session),
        }
    }

    fn disconnect(&mut self, script: &mut Script<'_>) {
        if let Some(session) = script.pick(&self.sessions).copied() {
            self.gone(session);
        }
    }

    fn gone(&mut self, session: SessionId) {
        self.sessions.retain(|other| *other != session);
        self.heard.retain(|(other, _), _| *other != session);
        self.tell(|chat, now, effects| chat.disconnect(session, now, effects));
        self.witness.goes(session);
        self.audiences.values_mut().for_each(|audience| {
            audience.remove(&session);
        });
    }

    /// Time passes, and the domain is told of each moment that it waits for.
    fn pass(&mut self, ms: u64) {
        let until_ms = self.now_ms + ms;
        while let Some(due_ms) = self.chat.next_deadline_ms().filter(|due_ms| *due_ms <= until_ms) {
            self.now_ms = self.now_ms.max(due_ms);
            self.tell(Chat::tick);
        }
        self.now_ms = until_ms;
    }

    /// The program ends and starts anew.
    fn restart(&mut self) {
        self.sessions.clear();
        self.audiences.clear();
        self.heard.clear();
        self.writes.clear();
        self.reads.clear();
        self.log.tables().crash();
        let rows = self.log.tables().committed();
        let restored = rows.restored();
        held(self.witness.restart(rows));
        held(self.witness.truth.check_restored(&restored));
        self.chat = Chat::new(limits(), restored);
    }

    fn whisper(&mut self, script: &mut Script<'_>) {
        let Some(session) = script.pick(&self.sessions).copied() else { return };
        let Some(room) = script.pick(&self.rooms).cloned() else { return };
        let whisper = match script.number() % 4 {
            0 => Whisper::Typing { room, on: script.flag() },
            1 => Whisper::Received { room, seq: Seq(script.number()) },
            2 => Whisper::Read { room, seq: Seq(script.number()) },
            _ => Whisper::Ping,
        };
        let command = Command::Whisper(whisper);
        self.tell(|chat, now, effects| chat.apply(session, command, now, effects));
    }

    fn ask(&mut self, operation: u8, script: &mut Script<'_>) {
        let Some(session) = script.pick(&self.sessions).copied() else { return };
        let Some(request) = self.request(operation, script) else { return };
        self.numbers += 1;
        let id = RequestId(self.numbers);
        self.witness.asks(session, id, &request);
        let command = Command::Request { id, request };
        self.tell(|chat, now, effects| chat.apply(session, command, now, effects));
    }

    fn request(&self, operation: u8, script: &mut Script<'_>) -> Option<Request> {
        let room = script.pick(&self.rooms)?.clone();
        let act = |act| Some(Request::Act { room: room.clone(), act });
        let secret = u128::from(self.numbers) << 64 | 7;
        Some(match operation {
            8 | 9 => Request::Join { since: self.since(&room, script), room },
            10 => {
                let others = self.rooms.iter().map(|room| (room.clone(), self.since(room, script)));
                Request::Resume { rooms: others.collect() }
            }
            11 => Request::Detach { room },
            12..=14 => Request::Post {
                room,
                key: PostKey::parse(&script.text()),
                body: self.body(script)?,
                reply_to: script.flag().then(|| Seq(script.number())),
            },
            15 => {
                let (post, body) = (Seq(script.number()), self.body(script)?);
                return act(Act::Edit { post, body });
            }
            16 => return act(Act::Delete { post: Seq(script.number()) }),
            17 => {
                let emoji = Emoji::parse("👍")?;
                return act(Act::React { post: Seq(script.number()), emoji, on: script.flag() });
            }
            18 => return act(Act::Pin { post: Seq(script.number()), on: script.flag() }),
            19 => return act(self.govern(script)?),
            20 => return act(Act::Leave),
            21 => return act(Act::Add { user: self.user(script)?, role: role(script) }),
            22 => return act(Act::Role { user: self.user(script)?, role: role(script) }),
            23 => Request::History {
                room,
                from: from(script),
                limit: 1 + u16::from(script.next().unwrap_or(0)),
            },
            24 => Request::Search {
                query: script.text().into(),
                room: script.flag().then_some(room),
                skip: 0,
                limit: 5,
            },
            25 => Request::Create {
                room: NewRoom::Open { room: RoomId::parse("den").ok()? },
                secret,
                epoch: 1,
            },
            26 => Request::Create { room: NewRoom::Group { title: "G".into() }, secret, epoch: 1 },
            27 => Request::Create { room: NewRoom::Invite { title: None }, secret, epoch: 1 },
            28 => Request::Direct { user: self.user(script)?, secret, epoch: 1 },
            29 if script.flag() => Request::Bans { room, after: None, limit: 10 },
            29 => Request::Members { room, after: None, limit: 10 },
            30 => Request::Rooms,
            _ => Request::Users { query: script.text().into(), limit: 5 },
        })
    }

    fn govern(&self, script: &mut Script<'_>) -> Option<Act> {
        let user = self.user(script)?;
        Some(match script.number() % 6 {
            0 => Act::Remove { user },
            1 => Act::Ban { user, on: script.flag() },
            2 => Act::Mute { user, for_ms: script.number() * 100 },
            3 => Act::ReadOnly { on: script.flag() },
            4 => Act::Slow { slow_ms: 1_000 * u32::from(script.flag()) },
            _ => Act::Rename { title: "H".into() },
        })
    }

    fn user(&self, script: &mut Script<'_>) -> Option<Name> {
        script.pick(&self.people).map(|person| person.name.clone())
    }

    fn body(&self, script: &mut Script<'_>) -> Option<Body> {
        let mentioned = self.user(script)?;
        Body::parse(&format!("{} @{mentioned}", script.text()), 100).ok()
    }

    fn since(&self, room: &RoomId, script: &mut Script<'_>) -> Option<Since> {
        let epoch = self.witness.truth.story(room).map(|story| story.epoch.clone());
        let epoch = epoch.unwrap_or_else(|| Epoch::new(1));
        script.flag().then(|| Since { epoch, seq: Seq(script.number() % 32) })
    }

    fn now(&self) -> Now {
        Now { mono_ms: self.now_ms, unix: UnixMs(self.now_ms) }
    }

    fn tell<R>(&mut self, news: impl FnOnce(&mut Chat, Now, &mut Vec<Effect>) -> R) -> R {
        let mut effects = Vec::new();
        let now = self.now();
        let told = news(&mut self.chat, now, &mut effects);
        effects.into_iter().for_each(|effect| self.carry_out(effect));
        told
    }

    fn carry_out(&mut self, effect: Effect) {
        match effect {
            Effect::Send(session, event) => self.hear(session, &event),
            Effect::Publish { room, event, except, .. } => {
                let audience = self.audiences.get(&room).cloned().unwrap_or_default();
                let heard = |session: &SessionId| Some(*session) != except;
                audience.into_iter().filter(heard).for_each(|session| self.hear(session, &event));
            }
            Effect::Attach(session, room) => {
                self.audiences.entry(room).or_default().insert(session);
            }
            Effect::Detach(session, room) => {
                self.audiences.entry(room).or_default().remove(&session);
            }
            Effect::EndRoom(room) => {
                self.audiences.remove(&room);
            }
            Effect::Write(ticket, write) => self.writes.push_back((ticket, write)),
            Effect::Read(ticket, _, read) => self.reads.push_back((ticket, read)),
            Effect::Answer(..) | Effect::Close(..) => {
                panic!("nobody called, and nobody is put out")
            }
        }
    }

    fn hear(&mut self, session: SessionId, event: &Event) {
        held(self.witness.hears(session, event, self.log.tables().committed()));
        match event {
            Event::Ok(_, answer) => match &**answer {
                Answer::Joined(joined) | Answer::JoinedOne(_, Ok(joined)) => {
                    self.begin_to_hear(session, joined);
                }
                Answer::Room(summary) => self.rooms.push(summary.room.clone()),
                _ => {}
            },
            Event::Entry(room, entry) => self.hear_next(session, room, entry.seq),
            Event::Record(room, record) => self.hear_next(session, room, record.entry.seq),
            Event::Out(room, _) => {
                self.heard.remove(&(session, room.clone()));
            }
            _ => {}
        }
    }

    fn begin_to_hear(&mut self, session: SessionId, joined: &Joined) {
        let last = match joined.recovered {
            Recovered::Yes => None,
            _ => Some(joined.seq),
        };
        self.heard.insert((session, joined.room.clone()), last);
    }

    fn hear_next(&mut self, session: SessionId, room: &RoomId, seq: Seq) {
        let heard = self.heard.get_mut(&(session, room.clone()));
        let last = heard.expect("an entry comes after a join");
        assert!(last.is_none_or(|last| last.next() == seq), "{room}: {seq} comes after {last:?}");
        *last = Some(seq);
    }

    /// The log answers what it was asked, and what that brings.
    fn answer_all(&mut self) {
        loop {
            if let Some((ticket, write)) = self.writes.pop_front() {
                self.answer_write(ticket, write);
            } else if let Some((ticket, read)) = self.reads.pop_front() {
                let out = pages::read(self.log.tables().committed(), &read);
                self.tell(|chat, now, effects| chat.read_out(ticket, out, now, effects));
            } else {
                return;
            }
        }
    }

    fn answer_write(&mut self, ticket: Ticket, write: Write) {
        let outcomes = self.log.commit(&[LogRequest::Write(write.clone())]);
        let [Outcome::Written(written)] = &outcomes[..] else { panic!("one write, one outcome") };
        held(self.witness.learns(&write, written, self.now().unix));
        let written = written.clone();
        self.tell(|chat, now, effects| chat.written(ticket, written, now, effects));
        self.witness.truth.settle();
    }

    /// All is answered, and what is there is what follows from the log.
    fn rest(&mut self) {
        self.answer_all();
        self.pass(2 * CURSORS_EVERY_MS);
        self.answer_all();
        assert_eq!(self.witness.waits_for(), None, "every request is answered");
        for session in self.sessions.clone() {
            self.gone(session);
        }
        self.restart();
    }
}

fn registered(log: &mut Log<Disk>, name: Name) -> Author {
    let write = AccountWrite::Register { name: name.clone(), phc: "".into(), at: UnixMs(0) };
    match log.commit(&[LogRequest::Account(write)])[..] {
        [Outcome::Account(AccountWritten::Registered(id))] => Author { id, name },
        ref other => panic!("{name} is free, and yet {other:?}"),
    }
}

fn held(result: Result<(), String>) {
    if let Err(why) = result {
        panic!("{why}");
    }
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).expect("a name that rooms can have")
}

fn role(script: &mut Script<'_>) -> Role {
    let roles = [Role::Reader, Role::Member, Role::Admin, Role::Owner];
    *script.pick(&roles).expect("some")
}

fn from(script: &mut Script<'_>) -> HistoryFrom {
    match script.number() % 5 {
        0 => HistoryFrom::End,
        1 => HistoryFrom::Before(Seq(script.number())),
        2 => HistoryFrom::PinsEnd,
        3 => HistoryFrom::PinsBefore(Seq(script.number())),
        _ => HistoryFrom::After(Seq(script.number())),
    }
}

/// Without rates, which would only make most of what is asked for refused.
fn limits() -> Limits {
    Limits { commands_per_second: 0, entries_per_second: 0, ..Limits::default() }
}

const ACCOUNTS: [&str; 3] = ["ana", "bo", "cy"];
const GUESTS: [&str; 2] = ["gus", "hedy"];
