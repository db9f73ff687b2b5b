//! What a client does of its own accord: what people do, and what programs do so that people need not.

use serde_json::{Value, json};

use super::view::{Present, Stage};
use super::{Asked, Client, Draft, Page};
use crate::oracle::world::dice::Dice;
use crate::oracle::world::town::{EMOJI, Posted, Town};

impl Client {
    /// Looks after what it has not got yet: rooms to be in, posts to be acknowledged. Texts to be sent.
    pub(crate) fn tend(&mut self, now_ms: u64, dice: &mut Dice) -> Vec<String> {
        let mut texts = Vec::new();
        if !self.is_welcome {
            return texts;
        }
        let is_due = |view: &super::View| {
            view.is_wanted && view.stage == Stage::Idle && view.wait_until_ms <= now_ms
        };
        let due: Vec<_> = self
            .views
            .iter()
            .filter(|(_, view)| is_due(view))
            .map(|(room, _)| room.clone())
            .collect();
        let resumes = self.asked.values().any(|asked| matches!(asked, Asked::Resume(_)));
        match due.len() > 1 && !resumes && dice.per_cent(70) {
            true => texts.push(self.resume(due, dice)),
            false => due.into_iter().for_each(|room| texts.push(self.join_room(room, dice))),
        }
        let drafts = 0..self.drafts.len();
        for at in drafts {
            let draft = &mut self.drafts[at];
            if !draft.is_sent && draft.wait_until_ms <= now_ms {
                draft.is_sent = true;
                let draft = draft.clone();
                texts.push(self.post(&draft));
            }
        }
        texts
    }

    fn resume(&mut self, rooms: Vec<String>, dice: &mut Dice) -> String {
        let mut place = |room: &String| {
            let view = self.views.entry(room.clone()).or_default();
            match view.ask_to_join(dice) {
                Some(since) => json!({"room": room, "since": since}),
                None => json!({"room": room}),
            }
        };
        let places: Vec<_> = rooms.iter().map(&mut place).collect();
        self.ask(Asked::Resume(rooms.into()), json!({"type": "resume", "rooms": places}))
    }

    fn join_room(&mut self, room: String, dice: &mut Dice) -> String {
        let mut join = json!({"type": "join", "room": room});
        if let Some(since) = self.views.entry(room.clone()).or_default().ask_to_join(dice) {
            join["since"] = since;
        }
        self.ask(Asked::Join(room), join)
    }

    fn post(&mut self, draft: &Draft) -> String {
        let Draft { room, key, body, reply_to, .. } = draft;
        let mut post = json!({"type": "post", "room": room, "key": key, "body": body});
        if let Some(reply_to) = reply_to {
            post["reply_to"] = (*reply_to).into();
        }
        self.ask(Asked::Post(key.clone()), post)
    }

    /// Asks for what shows how everything stands.
    pub(crate) fn inquire(&mut self) -> Vec<String> {
        self.rooms = None;
        self.members.clear();
        let rooms: Vec<_> = self.views.keys().cloned().collect();
        let mut texts = vec![self.ask(Asked::Rooms, json!({"type": "rooms"}))];
        for room in rooms {
            let members = json!({"type": "members", "room": room, "limit": 100});
            texts.push(self.ask(Asked::Members(room), members));
        }
        texts
    }

    /// Does something, as people do. Texts to be sent.
    pub(crate) fn act(&mut self, dice: &mut Dice, town: &mut Town) -> Vec<String> {
        if !self.is_welcome {
            return Vec::new();
        }
        let room = self.some_room(dice, town);
        let what = if town.is_political { dice.between(40, 95) } else { dice.below(100) };
        match what {
            0..40 if self.drafts.len() < DRAFTS_MAX => {
                self.draft(room, dice, town);
                self.tend(u64::MAX, dice)
            }
            0..44 => self.repeat(dice, town).into_iter().collect(),
            44..62 => vec![self.change_post(&room, dice, town)],
            62..70 => vec![self.whisper(&room, dice)],
            70..76 => vec![self.history(room, dice)],
            76..79 => vec![self.search(&room, dice, town)],
            79..83 => self.come_or_go(room, dice),
            83..87 => vec![self.begin(dice, town)],
            87..95 => {
                let room = self.some_smaller_room(dice).unwrap_or(room);
                vec![self.govern(&room, dice, town)]
            }
            95..97 => vec![self.ask(Asked::Rooms, json!({"type": "rooms"}))],
            97 | 98 => vec![
                self.ask(Asked::Members(room.clone()), json!({"type": "members", "room": room})),
            ],
            _ => vec![self.ask(Asked::Other, json!({"type": "users", "query": ""}))],
        }
    }

    /// Mostly one of its own, and now and then one that it has only heard of.
    fn some_room(&self, dice: &mut Dice, town: &Town) -> String {
        let own: Vec<_> = self.views.keys().collect();
        match dice.pick(&own) {
            Some(room) if dice.per_cent(90) => (*room).clone(),
            _ => town.some_room(dice),
        }
    }

    /// One of its own, but not the lobby: most is decided elsewhere.
    fn some_smaller_room(&self, dice: &mut Dice) -> Option<String> {
        let rooms: Vec<_> = self.views.keys().filter(|room| *room != "lobby").collect();
        dice.pick(&rooms).map(|room| (*room).clone())
    }

    fn some_post(&self, room: &str, dice: &mut Dice) -> u64 {
        let view = self.views.get(room);
        let lines = view.iter().flat_map(|view| &view.lines);
        let posts: Vec<_> = lines.filter(|(_, line)| line.is_post()).map(|(seq, _)| *seq).collect();
        match dice.pick(&posts) {
            Some(seq) if dice.per_cent(90) => *seq,
            _ => dice.between(1, 20),
        }
    }

    fn draft(&mut self, room: String, dice: &mut Dice, town: &mut Town) {
        self.drafted += 1;
        let key = format!("{}-{}", self.no, self.drafted);
        let body = town.some_text(dice);
        let reply_to = dice.per_cent(10).then(|| self.some_post(&room, dice));
        let posting = (self.name.clone(), room.clone(), key.clone());
        town.posted.insert(posting, Posted { body: body.clone(), reply_to, ..Posted::default() });
        let draft = Draft { room, key, body, reply_to, is_sent: false, wait_until_ms: 0, tries: 0 };
        self.drafts.push_back(draft);
    }

    /// Sends again what was acknowledged, or another text under the same key.
    fn repeat(&mut self, dice: &mut Dice, town: &Town) -> Option<String> {
        let own = town.posted.iter().filter(|((name, ..), posted)| {
            *name == self.name && posted.seq.is_some() && !posted.by_guest
        });
        let own: Vec<_> = own.collect();
        let ((_, room, key), posted) = *dice.pick(&own)?;
        let same = dice.per_cent(70);
        let body = if same { posted.body.clone() } else { format!("not {}", posted.body) };
        let mut post = json!({"type": "post", "room": room, "key": key, "body": body});
        if let Some(reply_to) = posted.reply_to {
            post["reply_to"] = reply_to.into();
        }
        let repeat = Asked::Repeat { room: room.clone(), key: key.clone(), same };
        Some(self.ask(repeat, post))
    }

    fn change_post(&mut self, room: &str, dice: &mut Dice, town: &Town) -> String {
        let seq = self.some_post(room, dice);
        let on = dice.per_cent(70);
        let change = match dice.below(10) {
            0..3 => {
                json!({"type": "edit", "room": room, "seq": seq, "body": town.some_words(dice)})
            }
            3..5 => json!({"type": "delete", "room": room, "seq": seq}),
            5..9 => {
                let emoji = dice.pick(EMOJI).copied().unwrap_or_default();
                json!({"type": "react", "room": room, "seq": seq, "emoji": emoji, "on": on})
            }
            _ => json!({"type": "pin", "room": room, "seq": seq, "on": on}),
        };
        self.ask(Asked::Other, change)
    }

    fn whisper(&mut self, room: &str, dice: &mut Dice) -> String {
        let last = self.views.get(room).map_or(0, |view| view.last);
        let seq = last.saturating_sub(dice.below(4)).max(1) + u64::from(dice.one_in(20));
        let whisper = match dice.below(10) {
            0..3 => json!({"type": "typing", "room": room, "on": dice.per_cent(80)}),
            3..5 => json!({"type": "received", "room": room, "seq": seq}),
            5..9 => json!({"type": "read", "room": room, "seq": seq}),
            _ => json!({"type": "ping"}),
        };
        whisper.to_string()
    }

    fn history(&mut self, room: String, dice: &mut Dice) -> String {
        let limit = dice.between(1, 12);
        let seq = dice.between(1, 40);
        let mut history = json!({"type": "history", "room": room, "limit": limit});
        let mut page = Page { room, limit, ..Page::default() };
        match dice.below(3) {
            0 => {
                history["before"] = seq.into();
                page.before = Some(seq);
            }
            1 => {
                history["after"] = seq.into();
                page.after = Some(seq);
            }
            _ => {}
        }
        self.ask(Asked::History(page), history)
    }

    fn search(&mut self, room: &str, dice: &mut Dice, town: &Town) -> String {
        let mut search = json!({"type": "search", "query": town.some_words(dice), "limit": 10});
        if dice.per_cent(50) {
            search["room"] = room.into();
        }
        self.ask(Asked::Other, search)
    }

    fn come_or_go(&mut self, room: String, dice: &mut Dice) -> Vec<String> {
        let stage = self.views.get(&room).map(|view| view.stage);
        match (stage, dice.below(3)) {
            (None | Some(Stage::Idle), _) => vec![self.join_room(room, dice)],
            (Some(Stage::Attached), 0) => {
                self.views.entry(room.clone()).or_default().stage = Stage::Detaching;
                vec![self.ask(Asked::Detach(room.clone()), json!({"type": "detach", "room": room}))]
            }
            (Some(Stage::Attached), 1) => {
                vec![self.ask(Asked::Other, json!({"type": "leave", "room": room}))]
            }
            _ => Vec::new(),
        }
    }

    fn begin(&mut self, dice: &mut Dice, town: &Town) -> String {
        let begin = match dice.below(6) {
            0 => {
                let name = dice.pick(&["den", "attic"]).copied().unwrap_or_default();
                json!({"type": "create", "kind": "open", "name": name})
            }
            1 | 2 => json!({"type": "create", "kind": "group", "name": "Team"}),
            3 => json!({"type": "create", "kind": "invite"}),
            _ => json!({"type": "direct", "user": town.somebody(dice)}),
        };
        self.ask(Asked::Other, begin)
    }

    fn govern(&mut self, room: &str, dice: &mut Dice, town: &Town) -> String {
        let user = self.somebody_in(room, dice).unwrap_or_else(|| town.somebody(dice));
        let on = dice.per_cent(50);
        let role = dice.pick(&["reader", "member", "admin", "owner"]).copied().unwrap_or_default();
        let act: Value = match dice.below(16) {
            0..5 => {
                let user = town.somebody(dice);
                json!({"type": "add", "room": room, "user": user, "role": role})
            }
            5..8 => json!({"type": "remove", "room": room, "user": user}),
            8..11 => json!({"type": "role", "room": room, "user": user, "role": role}),
            11 => json!({"type": "ban", "room": room, "user": user, "on": on}),
            12 => {
                let for_ms = if on { dice.below(3_000) } else { 0 };
                json!({"type": "mute", "room": room, "user": user, "for_ms": for_ms})
            }
            13 => {
                // In smaller rooms nearly all who post moderate, and they need not wait.
                let room = if self.next_id.is_multiple_of(2) { "lobby" } else { room };
                let slow_ms = if on { 2_000 } else { 0 };
                json!({"type": "slow", "room": room, "slow_ms": slow_ms})
            }
            14 => json!({"type": "read_only", "room": room, "on": dice.one_in(3)}),
            _ => {
                json!({"type": "rename", "room": room, "name": town.some_words(dice).replace('\n', " ")})
            }
        };
        self.ask(Asked::Other, act)
    }

    /// Somebody who is known to be there, more often than not.
    fn somebody_in(&self, room: &str, dice: &mut Dice) -> Option<String> {
        let Some(Present::Names(names)) = &self.views.get(room)?.present else { return None };
        let names: Vec<_> = names.iter().filter(|name| **name != self.name).collect();
        let is_meant = dice.per_cent(70);
        dice.pick(&names).filter(|_| is_meant).map(|name| (*name).clone())
    }

    fn ask(&mut self, asked: Asked, mut request: Value) -> String {
        self.next_id += 1;
        request["id"] = self.next_id.into();
        self.asked.insert(self.next_id, asked);
        request.to_string()
    }
}

/// Who has so much that is not acknowledged stops talking.
const DRAFTS_MAX: usize = 8;
