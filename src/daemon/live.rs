//! The chat, live: news from sockets, people and threads in; what the domain and the accounts want done, out.
//!
//! Owns the domain, the accounts behind their API, the store and the password thread, which audience is which room, and the
//! clocks that all are told. It must never know JSON (that is [`wire`]'s), nor decide who may do what (that is
//! [`Chat`]'s and [`Api`]'s).
//!
//! Invariants: what is wanted done is done in the order in which it was recorded, before any other news is told; every
//! write, read and hash that is asked for is answered, with a failure if it could not even be queued.

use std::io;
use std::time::{Duration, Instant, SystemTime};

use super::accounts::{AccountTicket, Accounts, LogIn};
use super::api::{Admission, Api};
use super::close_code;
use super::control::Control;
use super::metrics::Counts;
use super::passwords::{Hashed, Passwords};
use super::seats::Seats;
use super::turn::{self, Turn};
use super::wire::{self, Terms};
use crate::chat::log::{self, Failure, ReadOut, Written};
use crate::chat::{
    self, Answer, Author, CallId, Chat, Event, Limits, Now, Refusal, RoomKey, SessionId, UnixMs,
};
use crate::engine::{Actions, AudienceId, ConnId, Waker};
use crate::store::{self, AccountWritten, Opened, Store};
use crate::ws::{Frame, Message};

/// The chat and all that it is served by.
pub(super) struct Live {
    pub(super) chat: Chat,
    pub(super) api: Api,
    pub(super) seats: Seats,
    pub(super) limits: Limits,
    pub(super) counts: Counts,
    store: Store<Ticket>,
    passwords: Passwords<AccountTicket>,
    /// Wakes the loop for what was left.
    waker: Waker,
    /// `None`: operators have to wait until the daemon ends.
    control: Option<Control>,
    clock: Clock,
    /// By room.
    audiences: Vec<Option<AudienceId>>,
    todo: ToDo,
    welcome: WelcomeTerms,
    text: String,
}

/// What answers of the store are known by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ticket {
    /// The domain asked.
    Chat(log::Ticket),
    /// The accounts did.
    Account(AccountTicket),
}

/// What is wanted done.
#[derive(Default)]
struct ToDo {
    chat: Vec<chat::Effect>,
    accounts: Vec<turn::Effect>,
}

/// The connection's part of what a welcome says.
struct WelcomeTerms {
    token: Option<String>,
    ping: Duration,
    message_bytes_max: usize,
}

impl Live {
    /// The chat as the store has it. `ping` and `message_bytes_max` are what the engine holds connections to.
    ///
    /// # Errors
    /// When no thread can be started.
    pub(super) fn start(
        opened: Opened<Ticket>,
        limits: Limits,
        registration: bool,
        control: Option<Control>,
        waker: Waker,
        engine: &crate::Config,
    ) -> io::Result<Self> {
        let clock = Clock { started: Instant::now() };
        let mut todo = ToDo::default();
        let now = UnixMs(ms(SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap_or_default()));
        let Opened { store, restored, accounts, sessions, secret } = opened;
        let accounts = Accounts::new(accounts, &sessions, now, &mut todo.accounts);
        let admission = Admission { registration, guests: limits.guests };
        Ok(Self {
            chat: Chat::new(limits.clone(), restored),
            api: Api::new(accounts, &secret, admission),
            seats: Seats::default(),
            limits,
            counts: Counts::default(),
            store,
            passwords: Passwords::start(wake_by(waker.clone()))?,
            waker,
            control,
            clock,
            audiences: Vec::new(),
            todo,
            welcome: WelcomeTerms {
                token: None,
                ping: engine.waits.ping,
                message_bytes_max: engine.ws.message_bytes_max,
            },
            text: String::new(),
        })
    }

    /// Tells the domain something, and does what it wants done.
    pub(super) fn tell<R>(
        &mut self,
        actions: &mut Actions,
        news: impl FnOnce(&mut Chat, Now, &mut Vec<chat::Effect>) -> R,
    ) -> R {
        let now = self.clock.now(actions);
        let outcome = news(&mut self.chat, now, &mut self.todo.chat);
        self.carry_out(now, actions);
        outcome
    }

    /// Tells the API something, and does what it and the domain want done.
    pub(super) fn tell_api<R>(
        &mut self,
        actions: &mut Actions,
        news: impl FnOnce(&mut Api, &mut Turn<'_>) -> R,
    ) -> R {
        let now = self.clock.now(actions);
        let outcome = self.in_turn(now, news);
        self.carry_out(now, actions);
        outcome
    }

    /// Lets a connection in as this person, whose guest's token is this.
    pub(super) fn connect(
        &mut self,
        session: SessionId,
        person: chat::PersonId,
        token: Option<String>,
        actions: &mut Actions,
    ) -> Result<(), Refusal> {
        self.welcome.token = token;
        self.tell(actions, |chat, now, effects| chat.connect(session, person, now, effects))
    }

    /// What brings this guest back.
    pub(super) fn guest_token(&self, guest: &Author, actions: &Actions) -> String {
        self.api.guest_token(guest, self.clock.now(actions))
    }

    /// When the domain wants to be told the time.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.chat.next_deadline_ms().map(|ms| self.clock.instant(ms))
    }

    /// A thread has something, or says that it has ended.
    pub(super) fn on_wake(&mut self, actions: &mut Actions) {
        let now = self.clock.now(actions);
        self.take_answers(now, actions);
        let results: Vec<_> = self.passwords.results().collect();
        for (ticket, hashed) in results {
            self.in_turn(now, |api, turn| api.hashed(ticket, hashed, turn));
            self.carry_out(now, actions);
        }
        while let Some(Ok((order, reply_to))) = self.control.as_mut().map(Control::next) {
            self.in_turn(now, |api, turn| api.obey(order, reply_to, turn));
            self.carry_out(now, actions);
        }
    }

    /// Goes on with what the store has answered, for a while: sockets are not to wait for all that a large transaction, or
    /// many reads, have brought. What is left then comes first in the next turn.
    fn take_answers(&mut self, now: Now, actions: &mut Actions) {
        let began = Instant::now();
        while let Some(answer) = self.store.next_answer() {
            self.answered(answer, now);
            self.carry_out(now, actions);
            if began.elapsed() >= ANSWERS_PER_TURN {
                wake_by(self.waker.clone())();
                break;
            }
        }
        self.counts.store_took += began.elapsed();
    }

    /// Hands to the store what the turn has brought.
    pub(super) fn on_turn_end(&mut self, actions: &mut Actions) {
        // What a restart left to be done has no turn of its own.
        self.carry_out(self.clock.now(actions), actions);
        let began = Instant::now();
        self.store.submit();
        self.counts.store_took += began.elapsed();
        self.counts.turn_ended();
    }

    /// The store, to see how it does.
    pub(super) fn store(&self) -> &Store<Ticket> {
        &self.store
    }

    /// False once a thread has ended, which it does only by a fault of its own.
    pub(super) fn is_sound(&self) -> bool {
        self.store.is_alive() && self.passwords.is_alive()
    }

    /// Commits what is queued and what the domain has yet to write, and closes the file.
    pub(super) fn close(mut self) {
        // Before the file is another's, who will want that socket.
        drop(self.control);
        let mut last = Vec::new();
        self.chat.end(self.clock.at(Instant::now(), SystemTime::now()), &mut last);
        let last = last.into_iter().filter_map(|effect| match effect {
            chat::Effect::Write(ticket, write) => Some((Ticket::Chat(ticket), write)),
            _ => None, // nobody is there any more
        });
        self.store.close_after(last);
    }

    /// Sends a connection an error that is no answer.
    pub(super) fn send_text(
        &mut self,
        id: ConnId,
        actions: &mut Actions,
        encode: impl FnOnce(&mut String),
    ) {
        self.text.clear();
        encode(&mut self.text);
        actions.send(id, Message::Text(&self.text));
    }

    fn in_turn<R>(&mut self, now: Now, news: impl FnOnce(&mut Api, &mut Turn<'_>) -> R) -> R {
        let mut turn = Turn {
            now,
            chat: &mut self.chat,
            chat_effects: &mut self.todo.chat,
            effects: &mut self.todo.accounts,
        };
        news(&mut self.api, &mut turn)
    }

    fn answered(&mut self, answer: store::Answer<Ticket>, now: Now) {
        let effects = &mut self.todo.chat;
        match answer {
            store::Answer::Written(Ticket::Chat(ticket), written) => {
                if let Written::Entry(entry) | Written::Created { entry, .. } = &written {
                    self.counts.entries.add(wire::entry_kind(&entry.what));
                }
                self.chat.written(ticket, written, now, effects);
            }
            store::Answer::Read(Ticket::Chat(ticket), read) => {
                self.chat.read_out(ticket, read, now, effects);
            }
            store::Answer::Account(Ticket::Account(ticket), written) => {
                self.in_turn(now, |api, turn| api.stored(ticket, written, turn));
            }
            store::Answer::Written(Ticket::Account(_), _)
            | store::Answer::Read(Ticket::Account(_), _)
            | store::Answer::Account(Ticket::Chat(_), _) => {
                unreachable!("each is answered in kind")
            }
        }
    }

    /// Does what is wanted done. What cannot be queued is answered at once, which may bring more to do, but never more to
    /// queue without end: whoever is refused by a full queue asks for nothing.
    fn carry_out(&mut self, now: Now, actions: &mut Actions) {
        while !(self.todo.chat.is_empty() && self.todo.accounts.is_empty()) {
            let mut todo = std::mem::take(&mut self.todo);
            for effect in todo.chat.drain(..) {
                self.do_for_chat(effect, now, actions);
            }
            for effect in todo.accounts.drain(..) {
                self.do_for_accounts(effect, now, actions);
            }
            if self.todo.chat.is_empty() && self.todo.accounts.is_empty() {
                self.todo = todo; // empty, with its memory
            }
        }
    }

    fn do_for_chat(&mut self, effect: chat::Effect, now: Now, actions: &mut Actions) {
        use chat::Effect;
        match effect {
            Effect::Send(session, event) => {
                if let Event::Error(_, refusal) = event {
                    self.counts.refused(refusal);
                }
                let frame = self.encode(&event);
                actions.send_frame(conn(session), frame);
            }
            Effect::Publish { room, event, except, droppable } => {
                // Whether anybody hears it or not. Those of other rooms are counted as the store has committed them.
                if let Event::Entry(_, entry) = &event
                    && self.chat.is_in_memory(room)
                {
                    self.counts.entries.add(wire::entry_kind(&entry.what));
                }
                let Some(audience) = self.audience(room) else { return };
                let (frame, except) = (self.encode(&event), except.map(conn));
                match droppable {
                    true => actions.whisper_frame(audience, frame, except),
                    false => actions.publish_frame(audience, frame, except),
                }
            }
            Effect::Attach(session, room) => {
                let audience = self.open_audience(room, actions);
                actions.join(audience, conn(session));
            }
            Effect::Detach(session, room) => {
                if let Some(audience) = self.audience(room) {
                    actions.leave(audience, conn(session));
                }
            }
            Effect::EndRoom(room) => {
                let audience = self.audiences.get_mut(room.0 as usize).and_then(Option::take);
                if let Some(audience) = audience {
                    actions.close_audience(audience);
                }
            }
            Effect::Answer(call, answer) => self.answer_call(call, answer),
            Effect::Write(ticket, write) => {
                if self.store.write(Ticket::Chat(ticket), write).is_err() {
                    let failed = Written::Failed(BEHIND);
                    self.chat.written(ticket, failed, now, &mut self.todo.chat);
                }
            }
            Effect::Read(ticket, whose, read) => {
                if self.store.read(Ticket::Chat(ticket), whose, read).is_err() {
                    let failed = ReadOut::Failed(BEHIND);
                    self.chat.read_out(ticket, failed, now, &mut self.todo.chat);
                }
            }
            Effect::Close(session, reason) => {
                let (code, text) = close_code::of_reason(reason);
                actions.close(conn(session), code, text);
            }
        }
    }

    fn do_for_accounts(&mut self, effect: turn::Effect, now: Now, actions: &mut Actions) {
        use turn::Effect;
        match effect {
            Effect::Respond(id, response) => actions.respond(id, response),
            Effect::Report(reply_to, outcome) => reply_to.tell(outcome),
            Effect::Hash(ticket, job) => {
                if self.passwords.submit(ticket, job).is_err() {
                    self.in_turn(now, |api, turn| api.hashed(ticket, Hashed::Busy, turn));
                }
            }
            Effect::Write(ticket, write) => {
                if self.store.write_account(Ticket::Account(ticket), write).is_err() {
                    let failed = AccountWritten::Failed(BEHIND);
                    self.in_turn(now, |api, turn| api.stored(ticket, failed, turn));
                }
            }
            Effect::LoggedOut(log_in) => self.log_out(log_in),
        }
    }

    fn log_out(&mut self, log_in: LogIn) {
        let sessions = self.seats.of(log_in);
        self.chat.log_out(&sessions, &mut self.todo.chat);
    }

    fn answer_call(&mut self, call: CallId, answer: Result<Answer, Refusal>) {
        self.api.answered(call, answer, &mut self.todo.accounts);
    }

    fn encode(&mut self, event: &Event) -> Frame {
        self.text.clear();
        match event {
            Event::Welcome(welcome) => {
                let terms = Terms {
                    token: self.welcome.token.as_deref(),
                    ping_ms: ms(self.welcome.ping),
                    message_bytes_max: self.welcome.message_bytes_max,
                };
                wire::encode_welcome(welcome, &terms, &mut self.text);
            }
            event => wire::encode_event(event, &mut self.text),
        }
        Frame::message(&Message::Text(&self.text))
    }

    fn audience(&self, room: RoomKey) -> Option<AudienceId> {
        self.audiences.get(room.0 as usize).copied().flatten()
    }

    fn open_audience(&mut self, room: RoomKey, actions: &mut Actions) -> AudienceId {
        let index = room.0 as usize;
        if index >= self.audiences.len() {
            self.audiences.resize(index + 1, None);
        }
        *self.audiences[index].get_or_insert_with(|| actions.open_audience())
    }
}

/// What another thread calls when it has something for the loop.
pub(super) fn wake_by(waker: Waker) -> impl Fn() + Clone + Send + 'static {
    move || {
        // Fails only when the kernel has no memory; the next wake-up brings this news along.
        let _ = waker.wake();
    }
}

/// How long a turn goes on with the store's answers. Half of what the loop may stand still for the store's sake, 5 ms: the last
/// answer that is begun may be the longest there is, a replay of a thousand entries.
const ANSWERS_PER_TURN: Duration = Duration::from_millis(2);

/// The store has as much to do as it may: a second is some ten thousand posts.
const BEHIND: Failure = Failure::Unavailable { after_ms: 1_000 };

/// The two clocks of [`Now`].
#[derive(Clone, Copy, Debug)]
struct Clock {
    started: Instant,
}

impl Clock {
    fn now(self, actions: &Actions) -> Now {
        self.at(actions.now(), actions.wall())
    }

    fn at(self, now: Instant, wall: SystemTime) -> Now {
        let since_epoch = wall.duration_since(SystemTime::UNIX_EPOCH);
        Now {
            mono_ms: ms(now.saturating_duration_since(self.started)),
            unix: UnixMs(since_epoch.map_or(0, ms)),
        }
    }

    fn instant(self, mono_ms: u64) -> Instant {
        self.started + Duration::from_millis(mono_ms)
    }
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn conn(session: SessionId) -> ConnId {
    ConnId::from_bits(session.0)
}
