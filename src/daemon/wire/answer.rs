//! What a request came to.

use super::entry::record_fields;
use super::error::refusal_fields;
use super::json::{Object, object};
use super::people::{member_fields, user_fields};
use super::room::summary_fields;
use crate::chat::{Answer, Hit, Joined, Record, Recovered, RoomId};

/// What an answer says, as an object of its own: the body of an HTTP response.
pub fn answer_body(answer: &Answer) -> String {
    let mut out = String::new();
    object(&mut out, |o| fields(answer, o));
    out
}

pub(super) fn fields(answer: &Answer, o: &mut Object<'_>) {
    match answer {
        Answer::Joined(joined) | Answer::JoinedOne(_, Ok(joined)) => joined_fields(joined, o),
        Answer::JoinedOne(room, Err(refusal)) => {
            o.text("room", room.as_str());
            o.object("error", |o| refusal_fields(*refusal, o));
        }
        Answer::Resumed | Answer::Done => {}
        Answer::Posted { room, seq, at, dup } => {
            o.text("room", room.as_str());
            o.whole("seq", seq.0);
            o.moment("at", *at);
            o.flag_if("dup", *dup);
        }
        Answer::Page { room, records, more, as_of } => {
            page_fields(room, records, *more, o);
            o.whole("as_of", as_of.0);
        }
        Answer::Found { hits, more } => {
            o.objects("hits", hits, hit_fields);
            o.flag("more", *more);
        }
        Answer::Room(summary) => {
            o.text("room", summary.room.as_str());
            o.object("summary", |o| summary_fields(summary, o));
        }
        Answer::Members { room, members, total, more } => {
            o.text("room", room.as_str());
            o.objects("members", members, member_fields);
            o.whole("total", *total);
            o.flag("more", *more);
        }
        Answer::Bans { room, users, more } => {
            o.text("room", room.as_str());
            o.objects("users", users, user_fields);
            o.flag("more", *more);
        }
        Answer::Rooms { rooms, open } => {
            o.objects("rooms", rooms, summary_fields);
            o.texts("open", open.iter().map(RoomId::as_str));
        }
        Answer::Users { users } => o.objects("users", users, user_fields),
    }
}

fn joined_fields(joined: &Joined, o: &mut Object<'_>) {
    o.text("room", joined.room.as_str());
    o.text("epoch", joined.epoch.as_str());
    o.whole("seq", joined.seq.0);
    o.whole("first", joined.first.0);
    let reason = match joined.recovered {
        Recovered::NotAsked => return,
        Recovered::Yes => return o.flag("recovered", true),
        Recovered::OtherEpoch => "epoch",
        Recovered::Ahead => "ahead",
        Recovered::TooMany => "too_many",
        Recovered::Trimmed => "trimmed",
        Recovered::Unavailable => "unavailable",
    };
    o.flag("recovered", false);
    o.word("reason", reason);
}

fn page_fields(room: &RoomId, records: &[Record], more: bool, o: &mut Object<'_>) {
    o.text("room", room.as_str());
    o.objects("entries", records, |record, o| record_fields(room, record, o));
    o.flag("more", more);
}

fn hit_fields(hit: &Hit, o: &mut Object<'_>) {
    o.text("room", hit.room.as_str());
    o.object("entry", |o| record_fields(&hit.room, &hit.record, o));
    o.text("snippet", &hit.snippet);
}
