//! A world for scripts: the chat, a log that answers when told, and everybody's connection.
//!
//! Holds to what must always be so: each request is answered once; a session is sent the entries of a room that it is
//! attached to in their order, none missing and none twice, and none of any other room.

use std::collections::{BTreeMap, BTreeSet};

use super::super::log::{Restored, RestoredMember, RestoredPerson, RestoredRoom};
use super::super::*;
use super::held_log::HeldLog;
use super::shown;

/// The world of one script.
pub(super) struct World {
    pub(super) chat: Chat,
    pub(super) now: Now,
    pub(super) log: HeldLog,
    sessions: BTreeMap<SessionId, Session>,
    /// Requests that are not answered yet.
    open: BTreeSet<(SessionId, RequestId)>,
    requests: u64,
    rooms: BTreeMap<RoomKey, RoomId>,
    /// What was told since it was last asked for.
    told: Vec<String>,
    effects: Vec<Effect>,
}

/// A connection, as its client sees it.
struct Session {
    name: String,
    attached: BTreeSet<RoomKey>,
    /// The last entry that it was sent of each room that it is attached to.
    last: BTreeMap<RoomId, Seq>,
    /// It was told to close, and hears and is heard no more.
    is_closed: bool,
}

impl World {
    /// With `root`, who owns the lobby, or without anybody.
    pub(super) fn new(limits: Limits, root: bool) -> Self {
        let root = root.then(|| Author { id: PersonId(1), name: Name::stored("root") });
        let owner = root.as_ref();
        let (log, no) = HeldLog::with_lobby();
        let owners = owner.map(|owner| member(owner.id, Role::Owner)).into_iter().collect();
        let lobby = lobby(no, owners);
        let people = root.iter().map(|author| person(author.clone())).collect();
        let restored = Restored { people, rooms: vec![lobby] };
        Self {
            chat: Chat::new(limits, restored),
            now: Now { mono_ms: 1_000, unix: UnixMs(1_000_000) },
            log,
            sessions: BTreeMap::new(),
            open: BTreeSet::new(),
            requests: 0,
            rooms: BTreeMap::new(),
            told: Vec::new(),
            effects: Vec::new(),
        }
    }

    pub(super) fn register(&mut self, name: &str) {
        self.register_as(name, None);
    }

    /// Makes an account of the guest of this name.
    pub(super) fn register_guest(&mut self, name: &str) {
        let guest = self.person(name);
        self.register_as(name, Some(guest));
    }

    fn register_as(&mut self, name: &str, guest: Option<PersonId>) {
        let name = Name::parse(name).unwrap();
        let id = PersonId(self.person_ids() + 1);
        assert!(self.chat.reserve(&name, guest));
        let author = Author { id, name };
        self.with(|chat, now, effects| chat.register(author, now, effects));
    }

    pub(super) fn person(&self, name: &str) -> PersonId {
        self.chat.named(&Name::stored(name)).unwrap_or_else(|| panic!("nobody is called {name}"))
    }

    fn person_ids(&self) -> u64 {
        (1..).take_while(|id| self.chat.people.find(PersonId(*id)).is_some()).last().unwrap_or(0)
    }

    pub(super) fn guest(&mut self, name: &str) -> Result<(), Refusal> {
        let random = name.bytes().fold(7, |hash: u64, b| hash.wrapping_mul(31) + u64::from(b));
        let (name, id) = (Name::parse(name).unwrap(), PersonId::guest(random));
        self.with(|chat, now, effects| chat.guest(name, id, now, effects))
    }

    /// Connects a person; `name` is the person's, and after a dot which of the sessions it is.
    pub(super) fn connect(&mut self, name: &str) {
        let person = self.person(name.split('.').next().unwrap());
        let id = SessionId(1 + self.sessions.keys().last().map_or(0, |id| id.0));
        let session = Session {
            name: name.into(),
            attached: BTreeSet::new(),
            last: BTreeMap::new(),
            is_closed: false,
        };
        self.sessions.insert(id, session);
        let connected = self.with(|chat, now, effects| chat.connect(id, person, now, effects));
        if let Err(refusal) = connected {
            self.sessions.remove(&id);
            self.tell(name, &format!("turned away: {}", shown::refusal(refusal)));
        }
    }

    pub(super) fn disconnect(&mut self, name: &str) {
        let id = self.session(name);
        self.sessions.remove(&id);
        self.open.retain(|(session, _)| *session != id);
        self.with(|chat, now, effects| chat.disconnect(id, now, effects));
    }

    pub(super) fn is_connected(&self, name: &str) -> bool {
        self.sessions.values().any(|session| session.name == name)
    }

    /// How many sessions are sent what is published to a room.
    pub(super) fn attached_to(&self, room: RoomKey) -> usize {
        self.sessions.values().filter(|session| session.attached.contains(&room)).count()
    }

    pub(super) fn session(&self, name: &str) -> SessionId {
        let found = self.sessions.iter().find(|(_, session)| session.name == name);
        *found.unwrap_or_else(|| panic!("{name} is not connected")).0
    }

    pub(super) fn ask(&mut self, session: &str, request: Request) {
        let session = self.session(session);
        self.requests += 1;
        let id = RequestId(self.requests);
        if !self.sessions[&session].is_closed {
            self.open.insert((session, id));
        }
        let command = Command::Request { id, request };
        self.with(|chat, now, effects| chat.apply(session, command, now, effects));
    }

    pub(super) fn whisper(&mut self, session: &str, whisper: Whisper) {
        let session = self.session(session);
        let command = Command::Whisper(whisper);
        self.with(|chat, now, effects| chat.apply(session, command, now, effects));
    }

    pub(super) fn let_go_tails(&mut self) {
        let rooms: Vec<RoomKey> = self.chat.rooms.iter().map(|(key, _)| key).collect();
        rooms.into_iter().for_each(|room| self.chat.let_go_tail(room));
    }

    /// Lets time pass, deadline by deadline.
    pub(super) fn wait(&mut self, ms: u64) {
        let until = self.now.mono_ms + ms;
        while let Some(next) = self.chat.next_deadline_ms().filter(|next| *next <= until) {
            self.pass_to(next.max(self.now.mono_ms));
            self.with(|chat, now, effects| chat.tick(now, effects));
            let after = self.chat.next_deadline_ms();
            assert!(after.is_none_or(|after| after > self.now.mono_ms), "what is due is done");
        }
        self.pass_to(until);
    }

    fn pass_to(&mut self, mono_ms: u64) {
        self.now.unix.0 += mono_ms - self.now.mono_ms;
        self.now.mono_ms = mono_ms;
    }

    /// Calls the chat, and does what it wants done.
    pub(super) fn with<R>(
        &mut self,
        call: impl FnOnce(&mut Chat, Now, &mut Vec<Effect>) -> R,
    ) -> R {
        let mut effects = std::mem::take(&mut self.effects);
        let result = call(&mut self.chat, self.now, &mut effects);
        for effect in effects.drain(..) {
            self.perform(effect);
        }
        self.effects = effects;
        if self.log.at_once {
            self.answer_writes(usize::MAX);
            self.answer_reads(usize::MAX);
        }
        result
    }

    /// Tells the chat of so many writes.
    pub(super) fn answer_writes(&mut self, count: usize) {
        for _ in 0..count {
            let Some((ticket, written)) = self.log.next_written() else { return };
            self.with(|chat, now, effects| chat.written(ticket, written, now, effects));
        }
    }

    /// Tells the chat what was read, so many times.
    pub(super) fn answer_reads(&mut self, count: usize) {
        for _ in 0..count {
            let Some((ticket, out)) = self.log.next_read() else { return };
            self.with(|chat, now, effects| chat.read_out(ticket, out, now, effects));
        }
    }

    /// What was told since the last time, one line for each.
    pub(super) fn told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }

    /// Checks what must be so at the end of every script.
    pub(super) fn end(mut self) {
        self.log.fails = None;
        self.log.at_once = true;
        self.answer_writes(usize::MAX);
        self.answer_reads(usize::MAX);
        self.wait(60_000);
        assert!(self.open.is_empty(), "not answered: {:?}", self.open);
        assert!(self.log.is_idle());
    }

    pub(super) fn tell(&mut self, name: &str, what: &str) {
        self.told.push(format!("{name}: {what}"));
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Send(id, event) => self.deliver(id, &event),
            Effect::Publish { room, event, except, .. } => {
                let hears = |(id, session): (&SessionId, &Session)| {
                    (session.attached.contains(&room) && Some(*id) != except).then_some(*id)
                };
                let hearers: Vec<_> = self.sessions.iter().filter_map(hears).collect();
                hearers.into_iter().for_each(|id| self.deliver(id, &event));
            }
            Effect::Attach(id, room) => {
                let room_id = self.chat.rooms[room].id.clone();
                self.rooms.insert(room, room_id);
                let session = self.sessions.get_mut(&id).expect("connected");
                assert!(session.attached.insert(room), "attached once");
            }
            Effect::Detach(id, room) => {
                if let Some(session) = self.sessions.get_mut(&id) {
                    assert!(session.attached.remove(&room), "detached once");
                }
            }
            Effect::EndRoom(room) => {
                let attached =
                    self.sessions.values().any(|session| session.attached.contains(&room));
                assert!(!attached, "nobody is left behind");
            }
            Effect::Answer(call, result) => {
                let shown = match result {
                    Ok(answer) => shown::answer(&answer),
                    Err(refusal) => shown::refusal(refusal),
                };
                self.tell(&format!("call {}", call.0), &shown);
            }
            Effect::Write(ticket, write) => self.log.ask_to_write(ticket, write),
            Effect::Read(ticket, _, read) => self.log.ask_to_read(ticket, read),
            Effect::Close(id, reason) => {
                let session = self.sessions.get_mut(&id).expect("connected");
                session.is_closed = true;
                let name = session.name.clone();
                self.open.retain(|(session, _)| *session != id);
                self.tell(&name, &format!("closed {reason:?}"));
            }
        }
    }

    fn deliver(&mut self, id: SessionId, event: &Event) {
        let session = self.sessions.get_mut(&id).expect("nobody is sent anything after they went");
        if session.is_closed {
            return;
        }
        match event {
            Event::Ok(request, answer) if !matches!(**answer, Answer::JoinedOne(..)) => {
                assert!(self.open.remove(&(id, *request)), "answered once");
            }
            Event::Error(Some(request), _) => {
                assert!(self.open.remove(&(id, *request)), "answered once");
            }
            _ => {}
        }
        session.follow(event);
        let name = session.name.clone();
        self.tell(&name, &shown::event(event));
    }
}

impl Session {
    /// Checks that entries come in order, none missing.
    fn follow(&mut self, event: &Event) {
        let (room, seq) = match event {
            Event::Ok(_, answer) => match &**answer {
                Answer::Joined(joined) | Answer::JoinedOne(_, Ok(joined)) => {
                    self.begin(joined);
                    return;
                }
                _ => return,
            },
            Event::Entry(room, entry) => (room, entry.seq),
            Event::Record(room, record) => (room, record.entry.seq),
            Event::Out(room, _) => {
                self.last.remove(room);
                return;
            }
            _ => return,
        };
        let last = self.last.get_mut(room).expect("only of rooms that were joined");
        // What a replay begins with is checked by the script: it says what the client has.
        assert!(*last == Seq(u64::MAX) || seq == last.next(), "{room} {seq} after {last}");
        *last = seq;
    }

    fn begin(&mut self, joined: &Joined) {
        let replays = joined.recovered == Recovered::Yes;
        let last = if replays { Seq(u64::MAX) } else { joined.seq };
        self.last.insert(joined.room.clone(), last);
    }
}

/// An account, as the log has it when the program starts.
pub(super) fn person(author: Author) -> RestoredPerson {
    RestoredPerson { author, profile: Profile::default(), last_seen: None, deleted: false }
}

/// A lobby in which nothing has happened yet, as the log has it.
pub(super) fn lobby(no: RoomNo, members: Vec<RestoredMember>) -> RestoredRoom {
    RestoredRoom { members, ..RestoredRoom::lobby(no, Epoch::from_text("e")) }
}

/// A member who has read nothing, as the log has it.
pub(super) fn member(person: PersonId, role: Role) -> RestoredMember {
    let muted_until = UnixMs(0);
    let (received, read) = (Seq::START, Seq::START);
    RestoredMember { person, role, muted_until, received, read, posts_read: 0, mentions: 0 }
}

/// A room's id by a script's name for it: `~team` stands for a secret.
pub(super) fn room_id(name: &str) -> RoomId {
    match name.strip_prefix('~') {
        Some(alias) => RoomId::secret(secret(alias)),
        None => RoomId::parse(name).unwrap(),
    }
}

/// What a script's name for a secret stands for.
pub(super) fn secret(alias: &str) -> u128 {
    alias.bytes().fold(0, |secret, byte| secret << 8 | u128::from(byte))
}

/// A script's name for a room's id.
pub(super) fn room_name(id: &RoomId) -> String {
    let Some(token) = id.as_str().strip_prefix('~') else { return id.to_string() };
    let digit = |c: char| match c {
        'A'..='Z' => c as u128 - 'A' as u128,
        'a'..='z' => c as u128 - 'a' as u128 + 26,
        '0'..='9' => c as u128 - '0' as u128 + 52,
        '-' => 62,
        _ => 63,
    };
    let secret = token.chars().fold(0u128, |secret, c| secret << 6 | digit(c));
    let alias: Vec<u8> = secret.to_be_bytes().into_iter().filter(|byte| *byte != 0).collect();
    format!("~{}", String::from_utf8(alias).unwrap())
}
