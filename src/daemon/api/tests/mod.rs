//! The API in a world of its own: requests as they come off the wire, a password thread and a store that work when told to.

mod accounts;
mod guests;
mod log_ins;
mod operator;
mod rooms;

use std::collections::{HashMap, VecDeque};

use serde_json::Value;

use super::answers::APART_SECONDS;
use super::*;
use crate::chat::log::{Failure, Restored};
use crate::chat::{self, Author, Chat, Limits, Now, PersonId, RoomId, UnixMs};
use crate::daemon::accounts::LogIn;
use crate::daemon::passwords::{JOBS_MAX, Job};
use crate::engine::{Caller, Client, ConnId, Entrance, Peer};
use crate::http::{self, Date, Exchange, Reader};
use crate::store::{AccountWrite, SessionNo, StoredAccount, StoredSession};

struct World {
    api: Api,
    chat: Chat,
    now: Now,
    /// Where requests come from.
    address: &'static str,
    /// Whether they come over TLS.
    secure: bool,
    connections: u32,
    responses: HashMap<ConnId, Response>,
    jobs: VecDeque<(AccountTicket, Job)>,
    writes: VecDeque<(AccountTicket, AccountWrite)>,
    logged_out: Vec<LogIn>,
    people: u64,
    sessions: u64,
    store_fails: bool,
}

/// A response, taken apart.
#[derive(Debug)]
struct Told {
    status: u16,
    head: String,
    body: Value,
}

impl World {
    fn new() -> Self {
        Self::restored(Vec::new(), &[])
    }

    fn restored(accounts: Vec<StoredAccount>, sessions: &[StoredSession]) -> Self {
        let now = Now { mono_ms: 0, unix: UnixMs(1_800_000_000_000) };
        let people = accounts.iter().map(|account| chat::log::RestoredPerson {
            author: Author { id: account.person, name: account.name.clone() },
            profile: chat::Profile::default(),
            last_seen: None,
            deleted: false,
        });
        let restored = Restored { people: people.collect(), rooms: vec![lobby()] };
        let mut effects = Vec::new();
        let accounts = Accounts::new(accounts, sessions, now.unix, &mut effects);
        let mut world = Self {
            api: Api::new(accounts, &[7; 32], Admission { registration: true, guests: true }),
            chat: Chat::new(Limits::default(), restored),
            now,
            address: "192.0.2.1",
            secure: false,
            connections: 0,
            responses: HashMap::new(),
            jobs: VecDeque::new(),
            writes: VecDeque::new(),
            logged_out: Vec::new(),
            people: 0,
            sessions: 100,
            store_fails: false,
        };
        world.take_in(effects, Vec::new());
        world
    }

    /// A world in which ann has registered, and the token that she got.
    fn with_ann() -> (Self, String) {
        let mut world = Self::new();
        let token = world.register("ann");
        (world, token)
    }

    fn register(&mut self, name: &str) -> String {
        let body = credentials(name, "correct horse");
        let reply = self.ask("POST", "/api/register", "", &body);
        assert_eq!(reply.status, 201, "{reply:?}");
        reply.token()
    }

    fn log_in(&mut self, name: &str, password: &str) -> Told {
        self.ask("POST", "/api/login", "", &credentials(name, password))
    }

    /// Sends a request and works until there is nothing more to do.
    fn ask(&mut self, method: &str, path: &str, fields: &str, body: &str) -> Told {
        let conn = self.begin(method, path, fields, body);
        self.settle();
        self.reply_to(conn).expect("answered")
    }

    /// Like [`ask`](Self::ask), with this token.
    fn ask_as(&mut self, token: &str, method: &str, path: &str, body: &str) -> Told {
        self.ask(method, path, &format!("Authorization: Bearer {token}\r\n"), body)
    }

    /// Like [`begin`](Self::begin), with this token.
    fn begin_as(&mut self, token: &str, method: &str, path: &str, body: &str) -> ConnId {
        self.begin(method, path, &format!("Authorization: Bearer {token}\r\n"), body)
    }

    /// Sends a request; what it needs is left to do.
    fn begin(&mut self, method: &str, path: &str, fields: &str, body: &str) -> ConnId {
        let json = if body.is_empty() { "" } else { "Content-Type: application/json\r\n" };
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nHost: h\r\n{json}{fields}");
        let bytes = format!("{head}Content-Length: {length}\r\n\r\n{body}");
        let mut reader = Reader::new();
        let request = reader.next_request(&mut bytes.as_bytes(), &http::Limits::default());
        let request = request.expect("a good request").expect("a whole one");
        self.connections += 1;
        let conn = ConnId::imagined(self.connections);
        let client = Client { address: self.address.parse().ok(), port: None, secure: self.secure };
        let entrance = Entrance::default();
        let asker = Asker::of(Caller { id: conn, peer: Peer::Unix, client, entrance });
        let reply = self.turn(|api, turn| api.request(asker, &request, turn));
        if let Reply::Now(response) = reply {
            self.responses.insert(conn, response);
        }
        conn
    }

    fn reply_to(&mut self, conn: ConnId) -> Option<Told> {
        self.responses.remove(&conn).map(|response| Told::of(&response))
    }

    fn turn<R>(&mut self, call: impl FnOnce(&mut Api, &mut Turn<'_>) -> R) -> R {
        let (mut effects, mut chat_effects) = (Vec::new(), Vec::new());
        let chat = &mut self.chat;
        let now = self.now;
        let mut turn = Turn { now, chat, chat_effects: &mut chat_effects, effects: &mut effects };
        let result = call(&mut self.api, &mut turn);
        self.take_in(effects, chat_effects);
        result
    }

    fn take_in(&mut self, effects: Vec<Effect>, chat_effects: Vec<chat::Effect>) {
        let mut all = effects;
        for effect in chat_effects {
            if let chat::Effect::Answer(call, answer) = effect {
                self.api.answered(call, answer, &mut all);
            }
        }
        for effect in all {
            match effect {
                Effect::Respond(conn, response) => {
                    let before = self.responses.insert(conn, response);
                    assert!(before.is_none(), "{conn} was answered twice");
                }
                Effect::Hash(ticket, job) => self.jobs.push_back((ticket, job)),
                Effect::Write(ticket, write) => self.writes.push_back((ticket, write)),
                Effect::Report(reply_to, outcome) => reply_to.tell(outcome),
                Effect::LoggedOut(log_in) => self.logged_out.push(log_in),
            }
        }
    }

    /// Does all there is to do.
    fn settle(&mut self) {
        while self.hash_one() || self.write_one() {}
        let idle = self.api.calls.is_empty() && self.jobs.is_empty() && self.writes.is_empty();
        assert!(idle, "somebody waits for ever");
    }

    /// Does one job of the password thread.
    fn hash_one(&mut self) -> bool {
        let Some((ticket, job)) = self.jobs.pop_front() else { return false };
        let hashed = job.done_with(HASH_KIB);
        self.turn(|api, turn| api.hashed(ticket, hashed, turn));
        true
    }

    /// Does one of the store's.
    fn write_one(&mut self) -> bool {
        let Some((ticket, write)) = self.writes.pop_front() else { return false };
        let written = match write {
            _ if self.store_fails => {
                AccountWritten::Failed(Failure::Unavailable { after_ms: 2_500 })
            }
            AccountWrite::Register { .. } => {
                self.people += 1;
                AccountWritten::Registered(PersonId(self.people))
            }
            AccountWrite::OpenSession { .. } => {
                self.sessions += 1;
                AccountWritten::SessionOpened(SessionNo(self.sessions))
            }
            _ => AccountWritten::Done,
        };
        self.turn(|api, turn| api.stored(ticket, written, turn));
        true
    }

    /// Whether a token still lets somebody in.
    fn knows(&mut self, token: &str) -> bool {
        let known = self.turn(|api, turn| api.who_is(token, turn).is_ok());
        self.settle();
        known
    }

    fn pass_ms(&mut self, ms: u64) {
        self.now.mono_ms += ms;
        self.now.unix.0 += ms;
    }
}

impl Told {
    fn of(response: &Response) -> Self {
        let bytes = response.encode(&Exchange::broken(), &Date::from_unix(0));
        let text = String::from_utf8(bytes).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains("\r\nCache-Control: no-store\r\n"), "{head}");
        let body = serde_json::from_str(body).unwrap_or_default();
        Self { status: response.status().number(), head: head.to_owned(), body }
    }

    fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }

    fn token(&self) -> String {
        self.body["token"].as_str().expect("a token").to_owned()
    }

    fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(found, _)| *found == name).map(|(_, value)| value)
    }

    /// It is refused with this status and code, until so many seconds have passed or some more, never fewer.
    #[track_caller]
    fn is_refused(&self, (status, code, least): (u16, &str, Option<u64>)) {
        assert_eq!((self.status, self.code()), (status, code));
        let after = self.field("Retry-After").map(|seconds| seconds.parse::<u64>().unwrap());
        let Some(least) = least else { return assert_eq!(after, None) };
        let most = match status {
            503 => least + least + APART_SECONDS - 1,
            429 => least + APART_SECONDS - 1,
            _ => least,
        };
        assert!(after.is_some_and(|after| (least..=most).contains(&after)), "{after:?}");
    }
}

/// The one room that there always is.
fn lobby() -> chat::log::RestoredRoom {
    chat::log::RestoredRoom {
        no: chat::RoomNo(1),
        id: RoomId::lobby(),
        kind: chat::RoomKind::Lobby,
        title: None,
        epoch: chat::Epoch::new(1),
        seq: chat::Seq(1),
        at: UnixMs(0),
        rules: chat::Seq(1),
        posts: 0,
        mode: chat::Mode::default(),
        members: Vec::new(),
        banned: Vec::new(),
        lapses: Vec::new(),
    }
}

/// Memory of a hash in these tests: the least there is.
const HASH_KIB: u32 = 8;

fn credentials(name: &str, password: &str) -> String {
    serde_json::json!({ "name": name, "password": password }).to_string()
}

#[test]
fn paths_methods_and_origins_are_checked_before_all_else() {
    let mut world = World::new();
    for (method, path, fields, refusal) in [
        ("GET", "/api/nothing", "", (404, "not_found")),
        ("POST", "/api/", "", (404, "not_found")),
        ("PUT", "/api/me", "", (405, "method_not_allowed")),
        ("OPTIONS", "/api/login", "", (405, "method_not_allowed")),
        ("BREW", "/api/me", "", (501, "not_implemented")),
        ("POST", "/api/logout", "Origin: http://evil.example\r\n", (403, "foreign_origin")),
        ("POST", "/api/logout", "Sec-Fetch-Site: cross-site\r\n", (403, "foreign_origin")),
        ("GET", "/api/%2e%2e/me", "", (400, "bad_request")),
    ] {
        let reply = world.ask(method, path, fields, "");
        assert_eq!((reply.status, reply.code()), refusal, "{method} {path} {fields}");
    }
    let reply = world.ask("PUT", "/api/me", "", "");
    assert_eq!(reply.field("Allow"), Some("GET, HEAD, PATCH, DELETE"));
}

#[test]
fn a_body_that_does_not_fit_is_refused_with_the_reason() {
    let (mut world, token) = World::with_ann();
    for (method, path) in [
        ("POST", "/api/register"),
        ("POST", "/api/login"),
        ("POST", "/api/password"),
        ("POST", "/api/rooms"),
        ("PATCH", "/api/me"),
        ("DELETE", "/api/me"),
    ] {
        for body in ["", "nonsense", "[]", r#"{"name":7,"display":7,"password":7,"old":7}"#] {
            let reply = world.ask_as(&token, method, path, body);
            assert_eq!((reply.status, reply.code()), (400, "bad_json"), "{method} {path} {body}");
        }
    }
    let reply = world.ask("POST", "/api/login", "Content-Type: text/plain\r\n", "");
    assert_eq!(reply.status, 400, "no body needs no type");
}
