//! The evening: all is quiet, and everything is compared with everything.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use serde_json::Value;

use super::client::view::{Line, Present, Stage, View};
use super::client::{Client, Page};
use super::disk::Weather;
use super::network::End;
use super::story::Story;
use super::{Breach, World};
use crate::chat::log::{Create, Write};
use crate::chat::{
    Author, Epoch, Event, Name, PersonId, Record, Role, RoomId, RoomKind, Seq, UnixMs, What,
};
use crate::daemon::wire;
use crate::store::log::{Log, Request};

impl World {
    /// Before anything else there is a lobby.
    pub(super) fn found_lobby(&mut self) {
        let disk = self.disk.take().expect("nothing runs yet");
        let mut log = Log::new(disk);
        let create = Create {
            id: RoomId::lobby(),
            kind: RoomKind::Lobby,
            title: None,
            epoch: Epoch::new(self.dice.next()),
            at: UnixMs(0),
            from: Author { id: PersonId(0), name: Name::stored("wsrelay") },
            members: [].into(),
        };
        log.commit(&[Request::Write(Write::Create(create))]);
        self.disk = Some(std::mem::take(log.tables()));
    }

    /// The day ends: all who want to come back do, all is done that was begun, and all is compared. Then the process is
    /// killed, and all is compared again.
    pub(super) fn evening(&mut self) -> Result<(), Breach> {
        self.is_evening = true;
        self.note(|| "the evening".to_owned());
        self.turn(Weather::Fair);
        self.pace.reads_failing_per_cent = 0;
        self.start()?;
        self.settle_doubts();
        for client in 0..self.clients.len() {
            if self.dice.one_in(4) {
                self.stay_away(client);
            }
        }
        self.run_until(self.now_ms + CALM_MS)?;
        let before = self.compare()?;
        self.kill();
        self.start()?;
        self.run_until(self.now_ms + CALM_MS / 2)?;
        let after = self.compare()?;
        self.same_after_restart(&before, &after).map_err(|why| self.breach(why))
    }

    fn stay_away(&mut self, client: usize) {
        self.clients[client].comes_back = false;
        if let Some(link) = self.clients[client].link {
            let arrivals = self.network.close(link, End::Client, self.now_ms);
            self.agenda.plan_arrivals(arrivals);
            self.clients[client].lose();
        }
    }

    /// Compares all that is known, and answers with what each client was told when it asked.
    fn compare(&mut self) -> Result<Vec<Standing>, Breach> {
        self.all_is_done().map_err(|why| self.breach(why))?;
        for client in 0..self.clients.len() {
            let asks = self.clients[client].is_welcome && !self.clients[client].is_idle;
            let texts = if asks { self.clients[client].inquire() } else { Vec::new() };
            self.send_all(client, texts);
        }
        self.run_until(self.now_ms + ANSWERS_MS)?;
        self.all_is_done().map_err(|why| self.breach(why))?;
        let compared = self.posts_are_there_once().and_then(|()| {
            let awake = |client: &&Client| client.is_welcome && !client.is_idle;
            self.clients.iter().filter(awake).try_for_each(|client| {
                self.is_told_the_truth(client)
                    .map_err(|why| format!("{} on {:?}: {why}", client.name(), client.link))
            })
        });
        compared.and_then(|()| self.devices_agree()).map_err(|why| self.breach(why))?;
        Ok(self.clients.iter().map(Standing::of).collect())
    }

    fn all_is_done(&self) -> Result<(), String> {
        let server = self.server.as_ref().ok_or("no process runs")?;
        if !server.readers.is_empty() || server.writer.is_busy {
            return Err(format!("the store is not done: {:?} {:?}", server.readers, server.writer));
        }
        if let Some(waits) = self.witness.waits_for() {
            return Err(format!("the domain has not answered {waits}"));
        }
        for client in &self.clients {
            let persona = &self.town.personas[client.persona];
            if client.comes_back && !persona.is_deleted && !client.is_welcome {
                return Err(format!("{} is not let in", client.name()));
            }
            if let Some(waits) = client.waits_for().filter(|_| client.is_welcome) {
                return Err(format!("{} waits for {waits}", client.name()));
            }
        }
        Ok(())
    }

    /// What was acknowledged is in the log, as it was sent; and nothing is there twice.
    fn posts_are_there_once(&self) -> Result<(), String> {
        let mut logged = BTreeMap::new();
        for (room, story) in self.witness.truth.stories() {
            for entry in &story.log {
                let What::Post(post) = &entry.what else { continue };
                let Some(key) = &post.key else { continue };
                let name = entry.from.name.to_string();
                let posting = (name, room.to_string(), key.as_str().to_owned());
                let sent = self.town.posted.get(&posting);
                if sent.is_none_or(|sent| sent.body != post.body.as_str()) {
                    return Err(format!("{room} has {entry:?}, but sent was {sent:?}"));
                }
                if logged.insert(posting, entry.seq.0).is_some() {
                    return Err(format!("{room} has {entry:?} twice"));
                }
            }
        }
        let is_durable = |room: &str| {
            RoomId::parse(room).is_ok_and(|room| self.witness.truth.story(&room).is_some())
        };
        for (posting, sent) in &self.town.posted {
            if sent.seq.is_some()
                && is_durable(&posting.1)
                && logged.get(posting) != sent.seq.as_ref()
            {
                return Err(format!(
                    "{posting:?} was acknowledged as {sent:?}, and is at {:?}",
                    logged.get(posting)
                ));
            }
        }
        Ok(())
    }

    fn is_told_the_truth(&self, client: &Client) -> Result<(), String> {
        for (room, view) in &client.views {
            self.view_is_true(room, view).map_err(|why| format!("in {room}: {why}"))?;
        }
        for page in &client.pages {
            self.page_is_true(page).map_err(|why| format!("{why}: {page:?}"))?;
        }
        let rooms = client.rooms.as_ref().ok_or("rooms are not told")?;
        for summary in rooms["rooms"].as_array().into_iter().flatten() {
            self.summary_is_true(client, summary)?;
        }
        for (room, members) in &client.members {
            self.members_are_true(room, members)
                .map_err(|why| format!("in {room}: {why}: {members}"))?;
        }
        Ok(())
    }

    fn view_is_true(&self, room: &str, view: &View) -> Result<(), String> {
        if view.stage != Stage::Attached {
            let is_at_rest = view.stage == Stage::Idle && !view.is_wanted;
            return is_at_rest.then_some(()).ok_or_else(|| format!("is {:?}", view.stage));
        }
        let room = RoomId::parse(room).map_err(|_| "is no room")?;
        let Some(story) = self.witness.truth.story(&room) else { return Ok(()) };
        if Seq(view.last) != story.last() {
            return Err(format!("is at {}, not at {}", view.last, story.last()));
        }
        let lines = story.lines(story.last());
        let known = lines.iter().filter(|record| record.entry.seq.0 > view.from);
        let known: BTreeMap<_, _> =
            known.map(|record| (record.entry.seq.0, line_of(&room, record))).collect();
        if let Some((seq, line)) =
            known.iter().find(|(seq, line)| view.lines.get(seq) != Some(line))
        {
            return Err(format!("has {:?}, not {line:?}", view.lines.get(seq)));
        }
        if view.lines.len() != known.len() {
            return Err("has lines that are not there".to_owned());
        }
        let present = self.present_in(&room);
        let is_so = match &view.present {
            Some(Present::Names(names)) => *names == present,
            Some(Present::Count(count)) => *count == present.len() as u64,
            None => false,
        };
        let wrong = || format!("believes {:?} to be present, not {present:?}", view.present);
        is_so.then_some(()).ok_or_else(wrong)
    }

    fn present_in(&self, room: &RoomId) -> BTreeSet<String> {
        let here = self.witness.present().filter(|id| self.witness.truth.is_inside(room, *id));
        here.filter_map(|id| self.town.name_of(id)).map(str::to_owned).collect()
    }

    /// A page is the part of the lines that was asked for, as they were at that place of the log.
    fn page_is_true(&self, page: &Page) -> Result<(), String> {
        let room = RoomId::parse(&page.room).map_err(|_| "is no room")?;
        let Some(story) = self.witness.truth.story(&room) else { return Ok(()) };
        let as_of = Seq(page.came["as_of"].as_u64().ok_or("is of no time")?);
        let lines = story.lines(as_of);
        let limit = usize::try_from(page.limit).expect("a small number");
        let (expected, more): (Vec<_>, bool) = match (page.before, page.after) {
            (_, Some(after)) => {
                let after: Vec<_> = lines.iter().filter(|line| line.entry.seq.0 > after).collect();
                (
                    after.iter().take(limit).map(|line| line_of(&room, line)).collect(),
                    after.len() > limit,
                )
            }
            (before, None) => {
                let is_before =
                    |line: &&Record| before.is_none_or(|before| line.entry.seq.0 < before);
                let before: Vec<_> = lines.iter().filter(is_before).collect();
                let skipped = before.len().saturating_sub(limit);
                (
                    before.iter().skip(skipped).map(|line| line_of(&room, line)).collect(),
                    skipped > 0,
                )
            }
        };
        let came = page.came["entries"].as_array().into_iter().flatten().map(Line::of);
        let is_so = came.eq(expected.iter().cloned()) && page.came["more"] == more;
        is_so.then_some(()).ok_or_else(|| format!("is not {expected:?}, {more}"))
    }

    fn summary_is_true(&self, client: &Client, summary: &Value) -> Result<(), String> {
        let (story, person) = match self.story_for(client, summary) {
            Some(known) => known,
            None => return Ok(()),
        };
        let read = Seq(summary["read"].as_u64().ok_or("nothing is read")?);
        let unread = story.unread(person, read);
        let told = (summary["unread"].as_u64(), summary["mentions"].as_u64());
        // Of guests no store keeps count: what is told may be more than there is, and never less.
        let is_so = match person.is_guest() {
            true => told.0 >= Some(unread.0) && told.1 >= Some(unread.1),
            false => told == (Some(unread.0), Some(unread.1)),
        };
        is_so.then_some(()).ok_or_else(|| format!("{unread:?} unread, not {summary}"))
    }

    fn story_for(&self, client: &Client, summary: &Value) -> Option<(&Story, PersonId)> {
        let room = RoomId::parse(summary["room"].as_str()?).ok()?;
        let person = self.town.personas[client.persona].id?;
        Some((self.witness.truth.story(&room)?, person))
    }

    fn members_are_true(&self, room: &str, told: &Value) -> Result<(), String> {
        let id = RoomId::parse(room).map_err(|_| "is no room")?;
        let Some(story) =
            self.witness.truth.story(&id).filter(|story| story.kind != RoomKind::Lobby)
        else {
            return Ok(());
        };
        let present = self.present_in(&id);
        let told = told["members"].as_array().ok_or("no members")?;
        let is_guest = |member: &&Value| member["guest"] == true;
        let told: BTreeMap<_, _> = told
            .iter()
            .filter(|member| !is_guest(member))
            .map(|member| {
                (text(&member["name"]), (text(&member["role"]), member["online"] == true))
            })
            .collect();
        let members = story.members.iter().filter_map(|(id, role)| {
            let name = self.town.name_of(*id)?;
            Some((name.to_owned(), (role_word(*role).to_owned(), present.contains(name))))
        });
        let members: BTreeMap<_, _> = members.collect();
        (told == members).then_some(()).ok_or_else(|| format!("not {members:?}"))
    }

    /// Two devices that have the same line have it alike, in rooms without a log too.
    fn devices_agree(&self) -> Result<(), String> {
        let mut lines: BTreeMap<(&str, u64), &Line> = BTreeMap::new();
        let views = self.clients.iter().flat_map(|client| &client.views);
        for (room, view) in views.filter(|(_, view)| view.stage == Stage::Attached) {
            for (seq, line) in &view.lines {
                let first = lines.entry((room, *seq)).or_insert(line);
                if *first != line {
                    return Err(format!(
                        "{room} {seq} is {first:?} to one and {line:?} to another"
                    ));
                }
            }
        }
        Ok(())
    }

    fn same_after_restart(&self, before: &[Standing], after: &[Standing]) -> Result<(), String> {
        let now = UnixMs(self.clock_unix_ms + self.now_ms);
        for (client, (before, after)) in self.clients.iter().zip(before.iter().zip(after)) {
            let [before, after] = [before, after].map(|standing| standing.without_mutes_over(now));
            let is_guest = self.town.personas[client.persona].id.is_none_or(PersonId::is_guest);
            if !is_guest && client.is_welcome && before != after {
                return Err(format!("{} had {before:?}, and has {after:?}", client.name()));
            }
        }
        Ok(())
    }
}

/// What a client was told of its durable rooms, and who is in them.
#[derive(Clone, Debug, Default, PartialEq)]
struct Standing {
    rooms: BTreeMap<String, Value>,
    members: BTreeMap<(String, String), Value>,
}

impl Standing {
    fn of(client: &Client) -> Self {
        let is_durable = |summary: &&Value| summary["kind"] != "invite";
        let rooms = client.rooms.iter().flat_map(|told| told["rooms"].as_array()).flatten();
        let named = |summary: &Value| (text(&summary["room"]), summary.clone());
        let rooms: BTreeMap<_, _> = rooms.filter(is_durable).map(named).collect();
        let mut members = BTreeMap::new();
        for (room, told) in client.members.iter().filter(|(room, _)| rooms.contains_key(*room)) {
            for member in told["members"].as_array().into_iter().flatten() {
                let mut lasting = member.clone();
                for passing in ["online", "last_seen"] {
                    lasting.as_object_mut().map(|fields| fields.remove(passing));
                }
                if member["guest"] != true {
                    members.insert((room.clone(), text(&member["name"])), lasting);
                }
            }
        }
        Self { rooms, members }
    }

    /// Without what time alone has ended: between two looks a mute can be over, and is then told no more.
    fn without_mutes_over(&self, now: UnixMs) -> Self {
        let mut standing = self.clone();
        for member in standing.members.values_mut().filter_map(Value::as_object_mut) {
            let until = member.get("muted_until").and_then(Value::as_str).map(str::parse);
            if let Some(Ok(until)) = until
                && is_past(until, now)
            {
                member.remove("muted_until");
            }
        }
        standing
    }
}

fn is_past(moment: jiff::Timestamp, now: UnixMs) -> bool {
    u64::try_from(moment.as_millisecond()).is_ok_and(|moment| moment <= now.0)
}

/// A record as a client would have it.
fn line_of(room: &RoomId, record: &Record) -> Line {
    let mut text = String::new();
    wire::encode_event(&Event::Record(room.clone(), Rc::new(record.clone())), &mut text);
    Line::of(&serde_json::from_str(&text).expect("what is encoded is JSON"))
}

fn role_word(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

/// Longer than a half-open connection lasts, and than anybody is thought to be present who is not.
const CALM_MS: u64 = 60_000;
/// Longer than an answer takes.
const ANSWERS_MS: u64 = 10_000;
