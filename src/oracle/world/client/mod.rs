//! A model client: one device of somebody, which speaks JSON as `PROTOCOL.md` has it, and believes nothing.
//!
//! It posts with keys and sends again what was not acknowledged, resumes where it was, and holds what it is told against
//! what it asked: each request is answered once, and each room's entries come one after the other. [`wish`] is what it does
//! of its own accord, [`view`] what it has of a room.

pub(crate) mod view;
mod wish;

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

use self::view::{Stage, View};
use super::network::LinkNo;
use super::town::Town;

/// One device.
#[derive(Debug)]
pub(crate) struct Client {
    no: usize,
    /// Whose it is.
    pub(crate) persona: usize,
    name: String,
    pub(crate) link: Option<LinkNo>,
    /// Whether the server has said something on this link.
    pub(crate) is_welcome: bool,
    /// Comes back by itself when the connection is gone.
    pub(crate) comes_back: bool,
    /// Follows no room, and does nothing but be there.
    pub(crate) is_idle: bool,
    next_id: u64,
    asked: BTreeMap<u64, Asked>,
    pub(crate) views: BTreeMap<String, View>,
    drafts: VecDeque<Draft>,
    drafted: u64,
    /// Pages of histories that it was given.
    pub(crate) pages: Vec<Page>,
    /// The last answer to `rooms`, and to `members` of each room.
    pub(crate) rooms: Option<Value>,
    pub(crate) members: BTreeMap<String, Value>,
}

/// What a client waits for an answer to.
#[derive(Clone, Debug)]
enum Asked {
    Join(String),
    /// The rooms that are not answered yet, in their order.
    Resume(VecDeque<String>),
    Detach(String),
    Post(String),
    /// A post that was acknowledged before, under this key; with the same text or another.
    Repeat {
        room: String,
        key: String,
        same: bool,
    },
    History(Page),
    Members(String),
    Rooms,
    /// Anything else in a room, or nowhere.
    Other,
}

/// A post that is not acknowledged yet.
#[derive(Clone, Debug)]
struct Draft {
    room: String,
    key: String,
    body: String,
    reply_to: Option<u64>,
    is_sent: bool,
    wait_until_ms: u64,
    tries: u32,
}

/// A page that was asked for, and what came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Page {
    pub(crate) room: String,
    pub(crate) before: Option<u64>,
    pub(crate) after: Option<u64>,
    pub(crate) limit: u64,
    pub(crate) came: Value,
}

impl Client {
    pub(crate) fn new(no: usize, persona: usize, town: &Town) -> Self {
        Self {
            no,
            persona,
            name: town.personas[persona].name.to_string(),
            link: None,
            is_welcome: false,
            comes_back: true,
            is_idle: town.personas[persona].is_idle,
            next_id: 0,
            asked: BTreeMap::new(),
            views: BTreeMap::new(),
            drafts: VecDeque::new(),
            drafted: 0,
            pages: Vec::new(),
            rooms: None,
            members: BTreeMap::new(),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// What it waits for still, in words; `None` if nothing.
    pub(crate) fn waits_for(&self) -> Option<String> {
        let is_idle = self.asked.is_empty() && self.drafts.is_empty();
        (!is_idle).then(|| format!("{:?} {:?}", self.asked, self.drafts))
    }

    /// Its person is another one now: to post once more what is on its way would be another post.
    pub(crate) fn forget_drafts(&mut self) {
        self.drafts.clear();
        let posts = |asked: &&mut Asked| matches!(asked, Asked::Post(_) | Asked::Repeat { .. });
        self.asked.values_mut().filter(posts).for_each(|asked| *asked = Asked::Other);
    }

    /// The connection is gone, and with it the answers to what was asked on it.
    pub(crate) fn lose(&mut self) {
        self.link = None;
        self.is_welcome = false;
        self.asked.clear();
        self.views.values_mut().for_each(View::lose);
        self.drafts.iter_mut().for_each(|draft| draft.is_sent = false);
    }

    /// What came is held against what is known.
    ///
    /// # Errors
    /// The promise that it breaks.
    pub(crate) fn hear(&mut self, text: &str, now_ms: u64, town: &mut Town) -> Result<(), String> {
        let heard: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
        let kind = heard["type"].as_str().unwrap_or_default();
        if !self.is_welcome && kind != "welcome" {
            return Err("the first is no welcome".to_owned());
        }
        let room = heard["room"].as_str().unwrap_or_default();
        match kind {
            "welcome" => self.be_welcome(&heard, town),
            "ok" => self.be_answered(&heard, now_ms, town),
            "error" => self.be_refused(&heard, town, now_ms),
            "joined" => self.be_joined(&heard, now_ms),
            "entry" => {
                let view = self.views.get_mut(room).ok_or("an entry of an unknown room")?;
                view.take(&heard)
            }
            "room" => {
                self.hear_of(&heard, town);
                Ok(())
            }
            "out" => {
                // Who has asked to come back already goes on from here.
                let joins = |view: &View| view.stage == Stage::Joining;
                if !self.views.get(room).is_some_and(joins) {
                    self.views.remove(room);
                }
                Ok(())
            }
            "presence" => match self.views.get_mut(room) {
                Some(view) if view.stage != Stage::Idle => view.meet(&heard),
                _ => Err("a presence in a room that is not attached".to_owned()),
            },
            "typing" | "received" | "read" => match heard["from"].is_string() {
                true => Ok(()),
                false => Err("nobody does something".to_owned()),
            },
            "profile" | "pong" => Ok(()),
            _ => Err("a type that is not documented".to_owned()),
        }
    }

    fn be_welcome(&mut self, welcome: &Value, town: &mut Town) -> Result<(), String> {
        if std::mem::replace(&mut self.is_welcome, true) {
            return Err("welcome twice".to_owned());
        }
        if welcome["user"]["name"] != self.name {
            return Err("welcome as somebody else".to_owned());
        }
        let rooms = welcome["rooms"].as_array().ok_or("welcome without rooms")?;
        for summary in rooms {
            self.hear_of(summary, town);
        }
        Ok(())
    }

    /// There is a room that it is in.
    fn hear_of(&mut self, summary: &Value, town: &mut Town) {
        let room = summary["room"].as_str().unwrap_or_default();
        town.gossip(room);
        if summary["kind"] == "invite" {
            town.invites.insert(room.to_owned());
        }
        let wanted = !self.is_idle && !(self.no + room.len()).is_multiple_of(5);
        let new = || View { is_wanted: wanted, ..View::default() };
        self.views.entry(room.to_owned()).or_insert_with(new);
    }

    fn be_answered(&mut self, ok: &Value, now_ms: u64, town: &mut Town) -> Result<(), String> {
        let asked = self.asked(ok)?;
        match asked {
            Asked::Join(room) => return self.join(&room, ok),
            Asked::Resume(rooms) if !rooms.is_empty() => {
                return Err(format!("resumed without {rooms:?}"));
            }
            Asked::Resume(_) | Asked::Other => {
                if !ok["summary"].is_null() {
                    self.hear_of(&ok["summary"], town);
                }
            }
            Asked::Detach(room) => {
                let view = self.views.get_mut(&room);
                if let Some(view) = view.filter(|view| view.stage == Stage::Detaching) {
                    view.lose();
                    view.wait_until_ms = now_ms + 3_000;
                }
            }
            Asked::Post(key) => return self.acknowledge(&key, ok, town),
            Asked::Repeat { room, key, same } => {
                if town.invites.contains(&room) {
                    return Ok(());
                }
                let posted = town.posted.get(&(self.name.clone(), room, key));
                let is_so =
                    same && ok["dup"] == true && ok["seq"].as_u64() == posted.and_then(|p| p.seq);
                return is_so.then_some(()).ok_or_else(|| format!("a repeat of {posted:?}"));
            }
            Asked::History(page) => self.pages.push(Page { came: ok.clone(), ..page }),
            Asked::Members(room) => {
                self.members.insert(room, ok.clone());
            }
            Asked::Rooms => self.rooms = Some(ok.clone()),
        }
        Ok(())
    }

    fn acknowledge(&mut self, key: &str, ok: &Value, town: &mut Town) -> Result<(), String> {
        let at = self.drafts.iter().position(|draft| draft.key == key);
        let draft =
            at.and_then(|at| self.drafts.remove(at)).ok_or("a post is acknowledged twice")?;
        let posting = (self.name.clone(), draft.room, draft.key);
        let seq = ok["seq"].as_u64();
        let posted = town.posted.entry(posting).or_default();
        if seq.is_none() || posted.seq.is_some_and(|before| Some(before) != seq) {
            return Err(format!("{posted:?} is acknowledged otherwise"));
        }
        posted.seq = seq;
        Ok(())
    }

    fn be_refused(&mut self, error: &Value, town: &Town, now_ms: u64) -> Result<(), String> {
        let after_ms = error["after_ms"].as_u64();
        let code = error["code"].as_str().ok_or("an error without a code")?;
        if error["retry"] != after_ms.is_some() {
            return Err("a retry without a time, or a time without a retry".to_owned());
        }
        match self.asked(error)? {
            Asked::Join(room) => self.refuse_join(&room, after_ms, now_ms),
            Asked::Resume(rooms) => {
                rooms
                    .iter()
                    .for_each(|room| self.refuse_join(room, after_ms.or(Some(500)), now_ms));
            }
            Asked::Detach(room) => {
                let view = self.views.get_mut(&room);
                if let Some(view) = view.filter(|view| view.stage == Stage::Detaching) {
                    view.stage = Stage::Attached;
                }
            }
            Asked::Post(key) => self.refuse_post(&key, code, after_ms, now_ms),
            // A key that an invite room has forgotten may have been given to another post since.
            Asked::Repeat { same: true, room, .. }
                if code == "key_reused" && !town.invites.contains(&room) =>
            {
                return Err("the same post is another".to_owned());
            }
            _ => {}
        }
        Ok(())
    }

    fn refuse_join(&mut self, room: &str, after_ms: Option<u64>, now_ms: u64) {
        match (self.views.get_mut(room), after_ms) {
            (Some(view), Some(after_ms)) => {
                view.stage = Stage::Idle;
                view.wait_until_ms = now_ms + after_ms;
            }
            (Some(_), None) => {
                self.views.remove(room);
            }
            (None, _) => {}
        }
    }

    fn refuse_post(&mut self, key: &str, code: &str, after_ms: Option<u64>, now_ms: u64) {
        let Some(at) = self.drafts.iter().position(|draft| draft.key == key) else { return };
        let draft = &mut self.drafts[at];
        draft.is_sent = false;
        draft.tries += 1;
        draft.wait_until_ms = now_ms + after_ms.unwrap_or(0);
        let is_patient = matches!(code, "unavailable" | "busy" | "rate");
        let is_tired = draft.tries > 3 || after_ms > Some(PATIENCE_MS);
        if after_ms.is_none() || !is_patient && is_tired {
            self.drafts.remove(at);
        }
    }

    fn be_joined(&mut self, joined: &Value, now_ms: u64) -> Result<(), String> {
        let room = joined["room"].as_str().unwrap_or_default();
        let resumes = self.asked.values_mut().find_map(|asked| match asked {
            Asked::Resume(rooms) => Some(rooms),
            _ => None,
        });
        if resumes.and_then(VecDeque::pop_front).as_deref() != Some(room) {
            return Err("not the next room that was to be resumed".to_owned());
        }
        match joined.get("error") {
            None => self.join(room, joined),
            Some(error) => {
                self.refuse_join(room, error["after_ms"].as_u64(), now_ms);
                Ok(())
            }
        }
    }

    /// A join that succeeded may be of a room that was left in the meantime, on another device.
    fn join(&mut self, room: &str, joined: &Value) -> Result<(), String> {
        if joined["room"] != *room {
            return Err(format!("joined another room than {room}"));
        }
        self.views.entry(room.to_owned()).or_default().join(joined)
    }

    fn asked(&mut self, answer: &Value) -> Result<Asked, String> {
        let id = answer["id"].as_u64().ok_or("an answer without a number")?;
        self.asked.remove(&id).ok_or_else(|| "answered twice, or not asked".to_owned())
    }
}

/// Who is muted, or has to wait, for longer does not wait.
const PATIENCE_MS: u64 = 5_000;
