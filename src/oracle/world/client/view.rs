//! What a client has of one room, made of nothing but what it was told.
//!
//! Invariant: `lines` are those of the entries after `from` up to `last`, none missing.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use crate::oracle::world::dice::Dice;

/// What a client has of one room.
#[derive(Clone, Debug, Default)]
pub(crate) struct View {
    pub(crate) epoch: String,
    pub(crate) stage: Stage,
    /// The entry after which nothing is missing.
    pub(crate) from: u64,
    /// The last entry.
    pub(crate) last: u64,
    pub(crate) lines: BTreeMap<u64, Line>,
    /// Who is present, once that was told.
    pub(crate) present: Option<Present>,
    /// Whether the client would be attached to it.
    pub(crate) is_wanted: bool,
    /// What it said that it had when it last asked to join.
    pub(crate) said: Option<(String, u64)>,
    /// Not to be asked for again before.
    pub(crate) wait_until_ms: u64,
}

/// Where a client is with a room on its connection.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Not attached.
    #[default]
    Idle,
    /// Has asked to be.
    Joining,
    /// Attached.
    Attached,
    /// Has asked not to be any more.
    Detaching,
}

/// Who is present.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Present {
    /// These.
    Names(BTreeSet<String>),
    /// So many.
    Count(u64),
}

/// A line of a history, as it is shown: every field but the reactions, and those as a set.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) fields: Map<String, Value>,
    pub(crate) reactions: BTreeSet<(String, String)>,
}

impl View {
    /// The connection is gone. What is here stays, to go on from.
    pub(crate) fn lose(&mut self) {
        self.stage = Stage::Idle;
        self.present = None;
        self.wait_until_ms = 0;
    }

    /// Asks to join. What the client has goes along; or what it only believes to have, and has of another log perhaps.
    pub(crate) fn ask_to_join(&mut self, dice: &mut Dice) -> Option<Value> {
        self.stage = Stage::Joining;
        let has_some = !self.epoch.is_empty();
        self.said = has_some.then(|| (self.epoch.clone(), self.last));
        if let Some((epoch, seq)) = self.said.as_mut().filter(|_| dice.one_in(20)) {
            match dice.per_cent(50) {
                true => "f00".clone_into(epoch),
                false => *seq += dice.between(1, 300),
            }
        }
        self.said.as_ref().map(|(epoch, seq)| json!({"epoch": epoch, "seq": seq}))
    }

    /// Joined. What was missed follows, or the client is told that it does not.
    pub(crate) fn join(&mut self, joined: &Value) -> Result<(), String> {
        let [seq, first] = ["seq", "first"].map(|field| joined[field].as_u64());
        let (Some(seq), Some(_), Some(epoch)) = (seq, first, joined["epoch"].as_str()) else {
            return Err("a join without a place".to_owned());
        };
        match (&self.said, joined["recovered"].as_bool()) {
            (None, None) | (Some(_), Some(false)) => {
                self.lines.clear();
                (self.from, self.last) = (seq, seq);
                self.epoch = epoch.to_owned();
            }
            // Whoever claims to have more than there was may be believed when there is so much.
            (Some((known, last)), Some(true)) if known == epoch && *last <= seq => {
                if *last != self.last {
                    self.lines.clear();
                    (self.from, self.last) = (*last, *last);
                }
            }
            (said, _) => return Err(format!("said to have {said:?}")),
        }
        self.stage = Stage::Attached;
        Ok(())
    }

    /// The next entry, live or replayed.
    pub(crate) fn take(&mut self, entry: &Value) -> Result<(), String> {
        let seq = entry["seq"].as_u64().ok_or("an entry without a place")?;
        if !matches!(self.stage, Stage::Attached | Stage::Detaching) {
            return Err("an entry of a room that is not attached".to_owned());
        }
        if seq != self.last + 1 {
            return Err(format!("after {} comes {seq}", self.last));
        }
        self.last = seq;
        match entry["kind"].as_str() {
            Some("edit" | "delete" | "react" | "pin") => self.change(entry),
            Some(_) => {
                self.lines.insert(seq, Line::of(entry));
            }
            None => return Err("an entry of no kind".to_owned()),
        }
        Ok(())
    }

    fn change(&mut self, entry: &Value) {
        let line = entry["post"].as_u64().and_then(|post| self.lines.get_mut(&post));
        let Some(line) = line.filter(|line| !line.is_deleted()) else { return };
        let on = entry["on"] == true;
        match entry["kind"].as_str() {
            Some("edit") => {
                if let Some(body) = entry.get("body") {
                    line.fields.insert("body".to_owned(), body.clone());
                    line.fields.insert("edited".to_owned(), entry["at"].clone());
                }
            }
            Some("delete") => line.delete(),
            Some("pin") if on => {
                line.fields.insert("pinned".to_owned(), true.into());
            }
            Some("pin") => {
                line.fields.remove("pinned");
            }
            Some("react") => {
                let [emoji, from] = ["emoji", "from"].map(|field| text(&entry[field]));
                match on {
                    true => line.reactions.insert((emoji, from)),
                    false => line.reactions.remove(&(emoji, from)),
                };
            }
            _ => {}
        }
    }

    /// Somebody came or went, or all who are here.
    pub(crate) fn meet(&mut self, presence: &Value) -> Result<(), String> {
        if let Some(names) = presence["online"].as_array() {
            self.present = Some(Present::Names(names.iter().map(text).collect()));
            return Ok(());
        }
        if let Some(count) = presence["count"].as_u64() {
            self.present = Some(Present::Count(count));
            return Ok(());
        }
        let Some(Present::Names(present)) = &mut self.present else {
            return Err("somebody came or went before it was told who is here".to_owned());
        };
        let user = text(&presence["user"]);
        match presence["online"].as_bool() {
            Some(true) => present.insert(user),
            Some(false) => present.remove(&user),
            None => return Err("nobody came or went".to_owned()),
        };
        Ok(())
    }
}

impl Line {
    pub(crate) fn of(entry: &Value) -> Self {
        let mut fields = entry.as_object().cloned().unwrap_or_default();
        fields.remove("type");
        let reactions = fields.remove("reactions").unwrap_or_default();
        let pairs = reactions.as_array().into_iter().flatten().flat_map(|reaction| {
            let users = reaction["users"].as_array().into_iter().flatten();
            users.map(|user| (text(&reaction["emoji"]), text(user)))
        });
        Self { reactions: pairs.collect(), fields }
    }

    pub(crate) fn is_post(&self) -> bool {
        self.fields["kind"] == "post"
    }

    pub(crate) fn is_deleted(&self) -> bool {
        self.fields.contains_key("deleted")
    }

    fn delete(&mut self) {
        self.fields.retain(|name, _| {
            matches!(name.as_str(), "room" | "seq" | "kind" | "from" | "guest" | "at")
        });
        self.fields.insert("deleted".to_owned(), true.into());
        self.reactions.clear();
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}
