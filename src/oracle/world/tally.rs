//! What happened in a world, counted: a world in which nothing happens proves nothing.

use std::collections::BTreeMap;

use crate::chat::log::Written;
use crate::chat::{Answer, Event, Joined, OutReason, Presence, Recovered, Refusal};

/// How often things happened, by a word for each.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally(BTreeMap<&'static str, u64>);

impl Tally {
    /// How often it happened.
    pub fn of(&self, what: &str) -> u64 {
        self.0.get(what).copied().unwrap_or(0)
    }

    /// Adds what happened elsewhere.
    pub fn add(&mut self, other: &Self) {
        other.0.iter().for_each(|(what, times)| *self.0.entry(what).or_default() += times);
    }

    pub(crate) fn count(&mut self, what: &'static str) {
        *self.0.entry(what).or_default() += 1;
    }

    pub(crate) fn count_event(&mut self, event: &Event) {
        self.count(match event {
            Event::Welcome(_) => "welcome",
            Event::Ok(_, answer) => return self.count_answer(answer),
            Event::Error(_, refusal) => return self.count_refusal(*refusal),
            Event::Entry(..) => "live entry",
            Event::Record(..) => "replayed entry",
            Event::Room(_) => "room",
            Event::Out(_, OutReason::Left) => "out: left",
            Event::Out(_, OutReason::Removed) => "out: removed",
            Event::Out(_, OutReason::Banned) => "out: banned",
            Event::Out(_, OutReason::Gone) => "out: gone",
            Event::Presence(_, Presence::Names(_)) => "presence: names",
            Event::Presence(_, Presence::Count(_)) => "presence: count",
            Event::Presence(_, Presence::Came(_)) => "presence: came",
            Event::Presence(_, Presence::Went(..)) => "presence: went",
            Event::Typing { .. } => "typing",
            Event::Received { .. } => "received",
            Event::Read { left: None, .. } => "read",
            Event::Read { .. } => "left to read",
            Event::Profile(_) => "profile",
            Event::Pong => "pong",
        });
    }

    fn count_answer(&mut self, answer: &Answer) {
        self.count(match answer {
            Answer::Joined(Joined { recovered, .. })
            | Answer::JoinedOne(_, Ok(Joined { recovered, .. })) => match recovered {
                Recovered::NotAsked => "joined",
                Recovered::Yes => "joined: recovered",
                Recovered::OtherEpoch => "joined: other epoch",
                Recovered::Ahead => "joined: ahead",
                Recovered::TooMany => "joined: too many",
                Recovered::Trimmed => "joined: trimmed",
                Recovered::Unavailable => "joined: unavailable",
            },
            Answer::JoinedOne(_, Err(_)) => "not resumed",
            Answer::Resumed => "resumed",
            Answer::Posted { dup: true, .. } => "posted before",
            Answer::Posted { dup: false, .. } => "posted",
            Answer::Done => "done",
            Answer::Page { .. } => "page",
            Answer::Found { hits, .. } if hits.is_empty() => "nothing found",
            Answer::Found { .. } => "found",
            Answer::Room(_) => "room begun",
            Answer::Members { .. } => "members",
            Answer::Rooms { .. } => "rooms",
            Answer::Bans { .. } => "bans",
            Answer::Users { .. } => "users",
        });
    }

    fn count_refusal(&mut self, refusal: Refusal) {
        self.count(refusal.code_and_message().0);
    }

    pub(crate) fn count_written(&mut self, written: &Written) {
        self.count(match written {
            Written::Entry(_) => "written: entry",
            Written::Created { .. } => "written: room",
            Written::Duplicate { .. } => "written: duplicate",
            Written::KeyReused => "written: key reused",
            Written::Stale => "written: stale",
            Written::NoPost => "written: no post",
            Written::PinsFull => "written: pins full",
            Written::ReactionsFull => "written: reactions full",
            Written::NotAuthor => "written: not author",
            Written::Cursor { .. } => "written: cursor",
            Written::Done => "written: done",
            Written::Failed(_) => "written: failed",
        });
    }
}
