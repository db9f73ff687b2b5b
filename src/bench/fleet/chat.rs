//! A chat: requests and events as JSON, one object a message.
//!
//! Everybody in a room is sent the same entries, so an entry is decoded once, for the first member of this worker that
//! hears it, and compared byte for byte for those after it. That keeps the load able to hear what a server can say, and
//! a server that told two members different things would be found out.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::plan::Talk;
use crate::bench::stamp::{Run, Stamp};
use crate::ws::Message;

pub(super) struct Chat {
    run: Run,
    rooms: Vec<Room>,
    /// What every post says.
    body: String,
    /// By receiver: the `seq` that its next entry should have.
    next_seqs: Vec<Option<u64>>,
    /// By receiver: the `seq` that its room had when it came in.
    joined_at: Vec<u64>,
    /// By receiver: what it is known again by.
    tokens: Vec<Option<Box<str>>>,
    request: Vec<u8>,
}

struct Room {
    id: String,
    /// Which log it has, once somebody was told.
    epoch: Option<String>,
    /// The last entries as they came, in order; the first has this `seq`.
    first_seq: u64,
    entries: VecDeque<(Box<[u8]>, Option<Stamp>)>,
}

/// What a message says to the member that received it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// An entry of the room's log, which may be a post of the measurement.
    Entry(Entry),
    /// The member is let in, and has yet to say where it wants to be.
    Welcome,
    /// The member hears its room from now on.
    Present,
    /// Its post with this number has this place in the log.
    Acknowledged { sequence: u32, seq: u64 },
    /// Its post with this number is not taken; without a number it is something else that is not.
    Refused { sequence: Option<u32>, why: String },
    /// Nothing that is counted.
    Aside,
    /// What nobody should have said.
    Nonsense,
}

/// An entry of a room's log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) seq: u64,
    /// Of a post of the measurement.
    pub(super) stamp: Option<Stamp>,
    /// Whether its `seq` is the one after that of the last entry that the member heard.
    pub(super) is_next: bool,
    pub(super) bytes: usize,
}

/// What a client sends.
#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
enum Request<'a> {
    Join {
        id: u64,
        room: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        since: Option<Cursor<'a>>,
    },
    Post {
        id: u64,
        room: &'a str,
        key: &'a str,
        body: &'a str,
    },
}

/// How far a member has come in a log.
#[derive(Serialize)]
struct Cursor<'a> {
    epoch: &'a str,
    seq: u64,
}

/// What a client is told, as far as it matters here.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Event {
    r#type: String,
    id: Option<u64>,
    room: Option<String>,
    seq: Option<u64>,
    epoch: Option<String>,
    token: Option<String>,
    recovered: Option<bool>,
    reason: String,
    dup: bool,
    key: Option<String>,
    body: Option<String>,
    code: String,
    message: String,
}

impl Chat {
    pub(super) fn new(talk: &Talk, run: Run, receivers: usize) -> Self {
        let room = |id: &String| Room {
            id: id.clone(),
            epoch: None,
            first_seq: 0,
            entries: VecDeque::new(),
        };
        Self {
            run,
            rooms: talk.rooms.iter().map(room).collect(),
            body: talk.body.clone(),
            next_seqs: vec![None; receivers],
            joined_at: vec![0; receivers],
            tokens: vec![None; receivers],
            request: Vec::new(),
        }
    }

    /// Asks for a room; who has been in it before, for what it has missed since.
    pub(super) fn join(&mut self, receiver: usize, room: u32) -> &[u8] {
        let Room { id, epoch, .. } = &self.rooms[room as usize];
        let heard = self.next_seqs[receiver].map(|next| next - 1);
        let since = epoch.as_deref().zip(heard).map(|(epoch, seq)| Cursor { epoch, seq });
        encode(&Request::Join { id: JOIN_ID, room: id, since }, &mut self.request)
    }

    /// The subprotocol that says who a member is, once it has been somebody.
    pub(super) fn bearer(&self, receiver: usize) -> Option<&str> {
        self.tokens[receiver].as_deref()
    }

    /// True once a member has heard all that it had missed when it came in.
    pub(super) fn has_caught_up(&self, receiver: usize) -> bool {
        self.next_seqs[receiver].is_some_and(|next| next > self.joined_at[receiver])
    }

    pub(super) fn post(&mut self, stamp: Stamp, room: u32) -> &[u8] {
        let (room, key) = (&self.rooms[room as usize].id, stamp.key(self.run));
        let request =
            Request::Post { id: stamp.sequence.into(), room, key: &key, body: &self.body };
        encode(&request, &mut self.request)
    }

    pub(super) fn understand(&mut self, receiver: usize, room: u32, message: Message<'_>) -> Said {
        let Message::Text(text) = message else { return Said::Nonsense };
        if let Some(entry) = self.recognise(receiver, room, text) {
            return Said::Entry(entry);
        }
        let Ok(event) = serde_json::from_str::<Event>(text) else { return Said::Nonsense };
        match &*event.r#type {
            "welcome" => {
                self.tokens[receiver] = event.token.map(|token| format!("bearer.{token}").into());
                Said::Welcome
            }
            "entry" => self.entry(receiver, room, &event, text),
            "ok" => self.answer(receiver, room, event),
            "error" => Said::Refused {
                sequence: event.id.and_then(|id| u32::try_from(id).ok()),
                why: format!("{}: {}", event.code, event.message),
            },
            "" => Said::Nonsense,
            _ => Said::Aside,
        }
    }

    /// The entry that comes next, if another member has heard it before in these very bytes.
    fn recognise(&mut self, receiver: usize, room: u32, text: &str) -> Option<Entry> {
        let next = self.next_seqs[receiver].as_mut()?;
        let seq = *next;
        let (heard, stamp) = self.rooms[room as usize].heard(seq)?;
        if **heard != *text.as_bytes() {
            return None;
        }
        *next = seq + 1;
        Some(Entry { seq, stamp: *stamp, is_next: true, bytes: text.len() })
    }

    fn entry(&mut self, receiver: usize, room: u32, event: &Event, text: &str) -> Said {
        let room = &mut self.rooms[room as usize];
        let (Some(seq), Some(id)) = (event.seq, &event.room) else { return Said::Nonsense };
        if *id != room.id || room.heard(seq).is_some_and(|(heard, _)| **heard != *text.as_bytes()) {
            return Said::Nonsense; // not for this member, or not what the others heard
        }
        let stamp = event.key.as_ref().and_then(|key| Stamp::of_key(self.run, key));
        if stamp.is_some() && event.body.as_ref() != Some(&self.body) {
            return Said::Nonsense;
        }
        let next = &mut self.next_seqs[receiver];
        let is_next = *next == Some(seq);
        *next = (*next).max(Some(seq + 1));
        room.keep(seq, text, stamp);
        Said::Entry(Entry { seq, stamp, is_next, bytes: text.len() })
    }

    fn answer(&mut self, receiver: usize, room: u32, event: Event) -> Said {
        if let (Some(JOIN_ID), Some(seq)) = (event.id, event.seq) {
            self.joined_at[receiver] = seq;
        }
        match (event.id, event.seq) {
            (Some(JOIN_ID), Some(seq)) => match &mut self.next_seqs[receiver] {
                None => {
                    self.next_seqs[receiver] = Some(seq + 1);
                    self.rooms[room as usize].epoch = event.epoch;
                    Said::Present
                }
                // What was missed follows, and is checked as it comes.
                Some(_) if event.recovered == Some(true) => Said::Present,
                Some(_) => {
                    let why = format!("what was missed is not brought back: {}", event.reason);
                    Said::Refused { sequence: None, why }
                }
            },
            (Some(id), Some(seq)) if !event.dup => match u32::try_from(id) {
                Ok(sequence) => Said::Acknowledged { sequence, seq },
                Err(_) => Said::Nonsense,
            },
            _ => Said::Nonsense, // no key is used twice
        }
    }
}

impl Room {
    fn heard(&self, seq: u64) -> Option<&(Box<[u8]>, Option<Stamp>)> {
        self.entries.get(usize::try_from(seq.checked_sub(self.first_seq)?).ok()?)
    }

    /// Keeps an entry that nobody here has heard before, if it comes after those that somebody has.
    fn keep(&mut self, seq: u64, text: &str, stamp: Option<Stamp>) {
        let end = self.first_seq + self.entries.len() as u64;
        if seq < end {
            return;
        }
        if seq > end {
            self.entries.clear();
        }
        if self.entries.is_empty() {
            self.first_seq = seq;
        }
        if self.entries.len() == ENTRIES_KEPT {
            self.entries.pop_front();
            self.first_seq += 1;
        }
        self.entries.push_back((text.as_bytes().into(), stamp));
    }
}

fn encode<'a>(request: &Request<'_>, out: &'a mut Vec<u8>) -> &'a [u8] {
    out.clear();
    serde_json::to_writer(&mut *out, request).expect("a map with text keys, into memory");
    out
}

/// A join's number; posts have their own sequence numbers, which are smaller.
const JOIN_ID: u64 = 1 << 32;
/// Members are read one after the other, and each has what came since its last turn: far fewer entries than these.
const ENTRIES_KEPT: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    const STAMP: Stamp = Stamp { publisher: 3, sequence: 7, due_ns: 99 };

    fn chat() -> Chat {
        let rooms = vec!["lobby".to_owned(), "den".to_owned()];
        Chat::new(&Talk { rooms, body: "hello".to_owned() }, Run::new(5), 2)
    }

    fn entry(seq: u64, body: &str) -> String {
        let key = STAMP.key(Run::new(5));
        format!(
            r#"{{"type":"entry","room":"lobby","seq":{seq},"kind":"post","from":"ann","key":"{key}","body":"{body}"}}"#
        )
    }

    fn hear(chat: &mut Chat, receiver: usize, text: &str) -> Said {
        chat.understand(receiver, 0, Message::Text(text))
    }

    #[test]
    fn requests_are_as_the_wire_has_them() {
        let mut chat = chat();
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(chat.join(0, 1)), r#"{"type":"join","id":4294967296,"room":"den"}"#);
        let key = STAMP.key(Run::new(5));
        let post =
            format!(r#"{{"type":"post","id":7,"room":"lobby","key":"{key}","body":"hello"}}"#);
        assert_eq!(text(chat.post(STAMP, 0)), post);
    }

    #[test]
    fn each_event_is_told_from_the_others() {
        let refused = |sequence| Said::Refused { sequence, why: "rate: Too fast.".to_owned() };
        for (text, said) in [
            (r#"{"type":"welcome","user":{"id":"1"},"rooms":[]}"#, Said::Welcome),
            (r#"{"type":"ok","id":4294967296,"room":"lobby","epoch":"k","seq":3}"#, Said::Present),
            (
                r#"{"type":"ok","id":7,"room":"lobby","seq":4}"#,
                Said::Acknowledged { sequence: 7, seq: 4 },
            ),
            (r#"{"type":"ok","id":7,"room":"lobby","seq":4,"dup":true}"#, Said::Nonsense),
            (
                r#"{"type":"error","id":7,"code":"rate","message":"Too fast.","retry":true}"#,
                refused(Some(7)),
            ),
            (r#"{"type":"error","code":"rate","message":"Too fast."}"#, refused(None)),
            (r#"{"type":"presence","room":"lobby","count":5}"#, Said::Aside),
            ("hello", Said::Nonsense),
            ("{}", Said::Nonsense),
        ] {
            assert_eq!(hear(&mut chat(), 0, text), said, "{text}");
        }
    }

    #[test]
    fn entries_are_numbered_from_where_the_member_came_in() {
        let mut chat = chat();
        for receiver in [0, 1] {
            hear(&mut chat, receiver, r#"{"type":"ok","id":4294967296,"room":"lobby","seq":3}"#);
        }
        for receiver in [0, 1] {
            for (seq, is_next) in [(4, true), (5, true), (7, false), (8, true)] {
                let text = entry(seq, "hello");
                let expected = Entry { seq, stamp: Some(STAMP), is_next, bytes: text.len() };
                assert_eq!(hear(&mut chat, receiver, &text), Said::Entry(expected), "{receiver}");
            }
        }
    }

    #[test]
    fn who_comes_back_asks_for_what_was_missed_and_must_be_given_it() {
        let mut chat = chat();
        let ok = |more| {
            format!(r#"{{"type":"ok","id":4294967296,"room":"lobby","epoch":"k","seq":5{more}}}"#)
        };
        assert_eq!(hear(&mut chat, 0, &ok("")), Said::Present);
        let again = String::from_utf8(chat.join(0, 0).to_vec()).unwrap();
        assert!(again.ends_with(r#""room":"lobby","since":{"epoch":"k","seq":5}}"#), "{again}");
        assert!(chat.has_caught_up(0));
        let newer = ok(r#","recovered":true"#).replace(r#""seq":5"#, r#""seq":6"#);
        assert_eq!(hear(&mut chat, 0, &newer), Said::Present);
        assert!(!chat.has_caught_up(0));
        assert!(matches!(hear(&mut chat, 0, &entry(6, "hello")), Said::Entry(e) if e.is_next));
        assert!(chat.has_caught_up(0));
        let lost = hear(&mut chat, 0, &ok(r#","recovered":false,"reason":"too_many""#));
        assert!(matches!(lost, Said::Refused { sequence: None, .. }), "{lost:?}");
    }

    #[test]
    fn what_one_member_hears_the_others_hear_too() {
        let mut chat = chat();
        for receiver in [0, 1] {
            hear(&mut chat, receiver, r#"{"type":"ok","id":4294967296,"room":"lobby","seq":3}"#);
        }
        assert!(matches!(hear(&mut chat, 0, &entry(4, "hello")), Said::Entry(_)));
        let other = entry(4, "hello").replace("ann", "bob");
        assert_eq!(hear(&mut chat, 1, &other), Said::Nonsense);
        let again = hear(&mut chat, 0, &entry(4, "hello"));
        assert!(matches!(again, Said::Entry(Entry { is_next: false, .. })), "{again:?}");
        assert_eq!(hear(&mut chat, 0, &entry(5, "jello")), Said::Nonsense, "another body");
        let elsewhere = entry(5, "hello").replace("lobby", "den");
        assert_eq!(hear(&mut chat, 0, &elsewhere), Said::Nonsense, "another room");
    }
}
