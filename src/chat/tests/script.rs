//! Scripts: one row for each command.
//!
//! ```text
//! accounts NAME …      guest NAME …                    people come to be, and connect; root, who owns the lobby,
//!                                                      is there already
//! register NAME                                        a guest becomes an account
//! SESSION COMMAND …    call NAME COMMAND …             a person's request or whisper; NAME, NAME.2, … are sessions
//! SESSION connect      SESSION gone                    a connection comes, goes
//! wait MS              show WORD …   hide WORD …       time passes; what is written of what is told
//! tails gone                                           no entry is ready in memory, as after a restart
//! log holds            log answers [N]                 the log keeps its answers back; gives the first N, or all
//! log commits [N]      log reads                       does what it is asked for, and tells nobody yet
//! log shows [N]        log fails [WHY]   log works     gives what was read; fails; works again, at once
//! ```
//!
//! After `->` stands all that anybody is told for it, one line each: a row that begins with `|` goes on with that. A row
//! without `->` may have any outcome but an error. `nothing` is nothing. Posts have up to 50 characters; `x*4000` is one of
//! 4,000.

use super::super::log::Failure;
use super::super::*;
use super::world::{World, room_id, secret};

/// Runs a script, with the limits that a server has by default.
pub(super) fn run(script: &str) {
    run_with(Limits::default(), script);
}

/// Runs a script, with no limits on rates.
pub(super) fn run_unlimited(script: &str) {
    run_with(Limits { commands_per_second: 0, entries_per_second: 0, ..Limits::default() }, script);
}

/// Runs a script.
pub(super) fn run_with(limits: Limits, script: &str) {
    Runner::new(World::new(limits, true)).run(script);
}

/// Runs a script in a world without anybody.
pub(super) fn run_empty(script: &str) {
    Runner::new(World::new(Limits::default(), false)).run(script);
}

/// A world with a script's rows to do.
pub(super) struct Runner {
    pub(super) world: World,
    /// First words of what is not written.
    hidden: Vec<String>,
}

/// A row, and what is expected of it.
struct Row {
    command: String,
    expected: Option<Vec<String>>,
}

impl Runner {
    pub(super) fn new(world: World) -> Self {
        let hidden = ["welcome", "presence", "room", "read", "received"].map(String::from);
        Self { world, hidden: hidden.into() }
    }

    /// Does all rows; if any has another outcome than it should, fails with all of those.
    pub(super) fn run(mut self, script: &str) {
        let wrong: Vec<String> = rows(script).iter().filter_map(|row| self.fault(row)).collect();
        assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
        self.world.end();
    }

    /// Does a row, and answers with what was told.
    pub(super) fn told(&mut self, command: &str) -> Vec<String> {
        let words = words(command);
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.perform(&words);
        let mut told = self.world.told();
        told.retain(|line| !self.is_hidden(line));
        told
    }

    fn fault(&mut self, row: &Row) -> Option<String> {
        let told = self.told(&row.command);
        let is_right = match &row.expected {
            Some(expected) => told == *expected,
            None => !told.iter().any(|line| line.contains(": err ")),
        };
        let shown = if told.is_empty() { "nothing".into() } else { told.join("\n    | ") };
        (!is_right).then(|| format!("{} -> {shown}", row.command))
    }

    fn is_hidden(&self, line: &str) -> bool {
        let what = line.split_once(": ").map_or("", |(_, what)| what);
        self.hidden.iter().any(|word| what.split(' ').next() == Some(word))
    }

    fn perform(&mut self, words: &[&str]) {
        let world = &mut self.world;
        match words {
            ["accounts", names @ ..] => names.iter().for_each(|name| {
                world.register(name);
                world.connect(name);
            }),
            ["root"] => world.connect("root"),
            ["guest", names @ ..] => names.iter().for_each(|name| {
                world.guest(name).unwrap();
                world.connect(name);
            }),
            ["register", name] => world.register_guest(name),
            ["show", words @ ..] => self.hidden.retain(|hidden| !words.contains(&hidden.as_str())),
            ["hide", words @ ..] => self.hidden.extend(words.iter().map(|word| (*word).to_owned())),
            ["tails", "gone"] => world.let_go_tails(),
            ["wait", ms] => world.wait(ms.parse().unwrap()),
            ["log", words @ ..] => direct_log(world, words),
            ["call", name, words @ ..] => call(world, name, words),
            ["delete", "account", name] => {
                let person = world.person(name);
                world.with(|chat, now, effects| chat.delete_person(person, now, effects));
            }
            ["logout", session] => {
                let session = world.session(session);
                world.with(|chat, _, effects| chat.log_out(&[session], effects));
            }
            ["profile", name, display] => {
                let person = world.person(name);
                let display = (!display.is_empty()).then(|| Name::parse_display(display).unwrap());
                let profile = Profile { display, hue: None };
                let set = world.with(|chat, _, effects| chat.set_profile(person, profile, effects));
                set.unwrap();
            }
            [session, "connect"] => world.connect(session),
            [session, "gone"] => world.disconnect(session),
            [session, words @ ..] => match parse(words) {
                Ok(Command::Request { request, .. }) => world.ask(session, request),
                Ok(Command::Whisper(whisper)) => world.whisper(session, whisper),
                Err(fault) => world.tell(session, &super::shown::refusal(Refusal::Body(fault))),
            },
            [] => {}
        }
    }
}

fn direct_log(world: &mut World, words: &[&str]) {
    let count = |word: Option<&&str>| word.map_or(usize::MAX, |count| count.parse().unwrap());
    match words {
        ["holds"] => world.log.at_once = false,
        ["answers", rest @ ..] => world.answer_writes(count(rest.first())),
        ["commits", rest @ ..] => world.log.commit(count(rest.first())),
        ["reads"] => world.log.read(),
        ["shows", rest @ ..] => world.answer_reads(count(rest.first())),
        ["fails"] => world.log.fails = Some(Failure::Unavailable { after_ms: 700 }),
        ["fails", "costly"] => world.log.fails = Some(Failure::TooCostly),
        ["fails", "corrupt"] => world.log.fails = Some(Failure::Corrupt),
        ["works"] => {
            world.log.fails = None;
            world.log.at_once = true;
            world.answer_writes(usize::MAX);
            world.answer_reads(usize::MAX);
        }
        _ => panic!("log {words:?}?"),
    }
}

fn call(world: &mut World, name: &str, words: &[&str]) {
    let id = world.chat.named(&Name::stored(name)).unwrap_or(PersonId::guest(99));
    let author = Author { id, name: Name::stored(name) };
    let Ok(Command::Request { request, .. }) = parse(words) else { panic!("{words:?}?") };
    world.with(|chat, now, effects| chat.call(CallId(7), author, request, now, effects));
}

/// A command from its words.
fn parse(words: &[&str]) -> Result<Command, BodyFault> {
    let request = |request| Ok(Command::Request { id: RequestId(0), request });
    let act = |room: &str, act| request(Request::Act { room: room_id(room), act });
    let number = |word: &str| word.parse::<u64>().unwrap();
    let seq = |word: &str| Seq(number(word));
    let body = |text: &str| match text.strip_prefix("x*") {
        Some(count) => Body::parse(&"x".repeat(count.parse().unwrap()), usize::MAX),
        None => Body::parse(text, 50),
    };
    let user = |name: &str| Name::stored(name);
    let is_on = |rest: &[&str]| rest != ["off"];
    match *words {
        ["join", room, ref rest @ ..] => {
            let since = since(rest.get(1).copied());
            request(Request::Join { room: room_id(room), since })
        }
        ["resume", ref rooms @ ..] => {
            let rooms = rooms.iter().map(|room| match room.split_once('@') {
                Some((room, seen)) => (room_id(room), since(Some(seen))),
                None => (room_id(room), None),
            });
            request(Request::Resume { rooms: rooms.collect() })
        }
        ["detach", room] => request(Request::Detach { room: room_id(room) }),
        ["post", room, text, ref rest @ ..] => request(Request::Post {
            room: room_id(room),
            key: option(rest, "key").map(|key| PostKey::parse(key).unwrap()),
            body: body(text)?,
            reply_to: option(rest, "reply").map(seq),
        }),
        ["edit", room, post, text] => act(room, Act::Edit { post: seq(post), body: body(text)? }),
        ["delete", room, post] => act(room, Act::Delete { post: seq(post) }),
        ["react", room, post, emoji, ref rest @ ..] => {
            let emoji = Emoji::parse(emoji).unwrap();
            act(room, Act::React { post: seq(post), emoji, on: is_on(rest) })
        }
        ["pin", room, post, ref rest @ ..] => {
            act(room, Act::Pin { post: seq(post), on: is_on(rest) })
        }
        ["add", room, name] => act(room, Act::Add { user: user(name), role: Role::Member }),
        ["add", room, name, as_what] => {
            act(room, Act::Add { user: user(name), role: role(as_what) })
        }
        ["remove", room, name] => act(room, Act::Remove { user: user(name) }),
        ["leave", room] => act(room, Act::Leave),
        ["role", room, name, new] => act(room, Act::Role { user: user(name), role: role(new) }),
        ["rename", room, title] => act(room, Act::Rename { title: title.into() }),
        ["ban", room, name, ref rest @ ..] => {
            act(room, Act::Ban { user: user(name), on: is_on(rest) })
        }
        ["mute", room, name, ms] => act(room, Act::Mute { user: user(name), for_ms: number(ms) }),
        ["read_only", room, ref rest @ ..] => act(room, Act::ReadOnly { on: is_on(rest) }),
        ["slow", room, ms] => act(room, Act::Slow { slow_ms: ms.parse().unwrap() }),
        ["history", room, ref rest @ ..] => {
            let before = option(rest, "before").map(|at| HistoryFrom::Before(seq(at)));
            let after = option(rest, "after").map(|at| HistoryFrom::After(seq(at)));
            let from = before.or(after).unwrap_or(HistoryFrom::End);
            request(Request::History { room: room_id(room), from, limit: limit(rest) })
        }
        ["pins", room, ref rest @ ..] => {
            let before = option(rest, "before").map(|at| HistoryFrom::PinsBefore(seq(at)));
            let from = before.unwrap_or(HistoryFrom::PinsEnd);
            request(Request::History { room: room_id(room), from, limit: limit(rest) })
        }
        ["bans", room, ref rest @ ..] => request(Request::Bans {
            room: room_id(room),
            after: option(rest, "after").map(user),
            limit: limit(rest),
        }),
        ["search", query, ref rest @ ..] => request(Request::Search {
            query: query.into(),
            room: option(rest, "in").map(room_id),
            skip: option(rest, "skip").map_or(0, |skip| skip.parse().unwrap()),
            limit: limit(rest),
        }),
        ["create", kind, room, ref rest @ ..] => {
            let title = rest.first().map(|title| (*title).into());
            let new = match kind {
                "open" => NewRoom::Open { room: room_id(room) },
                "group" => NewRoom::Group { title: title.unwrap_or_else(|| room[1..].into()) },
                _ => NewRoom::Invite { title },
            };
            let secret = secret(room.trim_start_matches('~'));
            request(Request::Create { room: new, secret, epoch: 14 })
        }
        ["direct", name, room] => {
            let secret = secret(&room[1..]);
            request(Request::Direct { user: user(name), secret, epoch: 14 })
        }
        ["members", room, ref rest @ ..] => request(Request::Members {
            room: room_id(room),
            after: option(rest, "after").map(user),
            limit: limit(rest),
        }),
        ["rooms"] => request(Request::Rooms),
        ["users", ref rest @ ..] => {
            let query = rest.first().filter(|word| **word != "limit").copied().unwrap_or("");
            request(Request::Users { query: query.into(), limit: limit(rest) })
        }
        ["typing", room, ref rest @ ..] => {
            Ok(Command::Whisper(Whisper::Typing { room: room_id(room), on: is_on(rest) }))
        }
        ["received", room, at] => {
            Ok(Command::Whisper(Whisper::Received { room: room_id(room), seq: seq(at) }))
        }
        ["read", room, at] => {
            Ok(Command::Whisper(Whisper::Read { room: room_id(room), seq: seq(at) }))
        }
        ["ping"] => Ok(Command::Whisper(Whisper::Ping)),
        _ => panic!("{words:?}?"),
    }
}

/// `12` is place 12 in the log that scripts know, `x:12` in another.
fn since(word: Option<&str>) -> Option<Since> {
    let word = word?;
    let (epoch, seq) = word.split_once(':').unwrap_or(("e", word));
    Some(Since { epoch: Epoch::from_text(epoch), seq: Seq(seq.parse().unwrap()) })
}

fn role(word: &str) -> Role {
    match word {
        "reader" => Role::Reader,
        "member" => Role::Member,
        "admin" => Role::Admin,
        _ => Role::Owner,
    }
}

fn limit(words: &[&str]) -> u16 {
    option(words, "limit").map_or(50, |limit| limit.parse().unwrap())
}

/// The word after a word.
fn option<'a>(words: &[&'a str], name: &str) -> Option<&'a str> {
    let at = words.iter().position(|word| *word == name)?;
    words.get(at + 1).copied()
}

fn rows(script: &str) -> Vec<Row> {
    let mut rows: Vec<Row> = Vec::new();
    let lines = script.lines().map(str::trim);
    for line in lines.filter(|line| !line.is_empty() && !line.starts_with("//")) {
        if let Some(more) = line.strip_prefix('|') {
            let expected = rows.last_mut().and_then(|row| row.expected.as_mut());
            expected.expect("a row goes on").push(more.trim().into());
            continue;
        }
        let (command, expected) = match line.split_once("->") {
            Some((command, expected)) => (command, Some(expected.trim())),
            None => (line, None),
        };
        let expected = expected.map(|line| match line {
            "nothing" => Vec::new(),
            line => vec![line.into()],
        });
        rows.push(Row { command: command.trim().into(), expected });
    }
    rows
}

/// Words, and texts between quotation marks.
fn words(row: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (at, part) in row.split('"').enumerate() {
        match at % 2 {
            0 => words.extend(part.split_whitespace().map(String::from)),
            _ => words.push(part.into()),
        }
    }
    words
}
