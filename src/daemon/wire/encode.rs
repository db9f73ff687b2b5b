//! What a client is told: an [`Event`] in, text out.
//!
//! Appends to a text that the caller keeps, so that nothing is allocated for an event once that text has grown.

use super::answer;
use super::entry::{entry_fields, record_fields};
use super::error::{error_fields, refusal_fields};
use super::fault::Fault;
use super::json::{Object, object};
use super::people::user_fields;
use super::room::summary_fields;
use crate::chat::limits::{
    HISTORY_LINES_MAX, MEMBERS_PER_PAGE_MAX, MENTIONS_MAX, REPLAY_ENTRIES_MAX, RESUME_ROOMS_MAX,
    SEARCH_CHARS_MAX, TITLE_CHARS_MAX,
};
use crate::chat::name::NAME_CHARS_MAX;
use crate::chat::{
    Answer, Event, Limits, Name, OutReason, Presence, RequestId, RoomId, Seq, Unread, Welcome,
};

/// What a welcome says beside what the chat knows: the connection's part.
#[derive(Clone, Copy, Debug)]
pub struct Terms<'a> {
    /// What makes a guest the same one again.
    pub token: Option<&'a str>,
    /// After this much silence the server pings.
    pub ping_ms: u64,
    /// The longest text that a client may send.
    pub message_bytes_max: usize,
}

/// Appends an event. A [`Welcome`] is without its [`Terms`]: [`encode_welcome`] has them.
pub fn encode_event(event: &Event, out: &mut String) {
    match event {
        Event::Welcome(welcome) => welcome_with(welcome, None, out),
        Event::Ok(_, answer) if matches!(**answer, Answer::JoinedOne(..)) => {
            typed("joined", out, |o| answer::fields(answer, o));
        }
        Event::Ok(id, answer) => typed("ok", out, |o| {
            o.whole("id", id.0);
            answer::fields(answer, o);
        }),
        Event::Error(id, refusal) => typed("error", out, |o| {
            id_field(*id, o);
            refusal_fields(*refusal, o);
        }),
        Event::Entry(room, entry) => typed("entry", out, |o| entry_fields(room, entry, o)),
        Event::Record(room, record) => typed("entry", out, |o| record_fields(room, record, o)),
        Event::Room(summary) => typed("room", out, |o| summary_fields(summary, o)),
        Event::Out(room, reason) => typed("out", out, |o| {
            o.text("room", room.as_str());
            o.word("reason", out_reason(*reason));
        }),
        Event::Presence(room, presence) => {
            typed("presence", out, |o| presence_fields(room, presence, o));
        }
        Event::Typing { room, from, on } => typed("typing", out, |o| {
            from_fields(room, from, o);
            o.flag("on", *on);
        }),
        Event::Received { room, from, seq } => typed("received", out, |o| {
            from_fields(room, from, o);
            o.whole("seq", seq.0);
        }),
        Event::Read { room, from, seq, left } => {
            typed("read", out, |o| read_fields(room, from, *seq, *left, o));
        }
        Event::Profile(user) => {
            typed("profile", out, |o| o.object("user", |o| user_fields(user, o)));
        }
        Event::Pong => typed("pong", out, |_| {}),
    }
}

/// Appends the first event of a session, whole.
pub fn encode_welcome(welcome: &Welcome, terms: &Terms<'_>, out: &mut String) {
    welcome_with(welcome, Some(terms), out);
}

/// Appends the error for a text that is no command.
pub fn encode_fault(fault: &Fault, out: &mut String) {
    typed("error", out, |o| {
        id_field(fault.id, o);
        error_fields(fault.rule.code(), &fault.rule.message(), fault.rule.after_ms(), o);
    });
}

/// Appends an error that is about no command at all.
pub fn encode_error(code: &'static str, message: &str, after_ms: Option<u64>, out: &mut String) {
    typed("error", out, |o| error_fields(code, message, after_ms, o));
}

fn typed(name: &'static str, out: &mut String, write: impl FnOnce(&mut Object<'_>)) {
    object(out, |o| {
        o.word("type", name);
        write(o);
    });
}

fn id_field(id: Option<RequestId>, o: &mut Object<'_>) {
    if let Some(id) = id {
        o.whole("id", id.0);
    }
}

fn welcome_with(welcome: &Welcome, terms: Option<&Terms<'_>>, out: &mut String) {
    typed("welcome", out, |o| {
        o.object("user", |o| user_fields(&welcome.user, o));
        if let Some(token) = terms.and_then(|terms| terms.token) {
            o.text("token", token);
        }
        o.object("limits", |o| limits_fields(&welcome.limits, terms, o));
        if let Some(terms) = terms {
            o.whole("ping_ms", terms.ping_ms);
        }
        o.objects("rooms", &welcome.rooms, summary_fields);
    });
}

fn limits_fields(limits: &Limits, terms: Option<&Terms<'_>>, o: &mut Object<'_>) {
    o.count("post_chars", limits.post_chars_max);
    o.whole("entries_per_second", limits.entries_per_second);
    o.whole("commands_per_second", limits.commands_per_second);
    o.whole("history_lines", HISTORY_LINES_MAX);
    o.whole("replay_entries", REPLAY_ENTRIES_MAX);
    o.whole("members_page", MEMBERS_PER_PAGE_MAX);
    o.count("resume_rooms", RESUME_ROOMS_MAX);
    if let Some(terms) = terms {
        o.count("message_bytes", terms.message_bytes_max);
    }
    o.count("search_chars", SEARCH_CHARS_MAX);
    o.count("title_chars", TITLE_CHARS_MAX);
    o.count("name_chars", NAME_CHARS_MAX);
    o.count("mentions", MENTIONS_MAX);
}

fn presence_fields(room: &RoomId, presence: &Presence, o: &mut Object<'_>) {
    o.text("room", room.as_str());
    match presence {
        Presence::Names(names) => o.texts("online", names.iter().map(Name::as_str)),
        Presence::Count(count) => o.whole("count", *count),
        Presence::Came(name) => {
            o.text("user", name.as_str());
            o.flag("online", true);
        }
        Presence::Went(name, last_seen) => {
            o.text("user", name.as_str());
            o.flag("online", false);
            o.moment_if("last_seen", *last_seen);
        }
    }
}

fn read_fields(room: &RoomId, from: &Name, seq: Seq, left: Option<Unread>, o: &mut Object<'_>) {
    from_fields(room, from, o);
    o.whole("seq", seq.0);
    if let Some(left) = left {
        o.whole("unread", left.posts);
        o.whole("mentions", left.mentions);
    }
}

fn from_fields(room: &RoomId, from: &Name, o: &mut Object<'_>) {
    o.text("room", room.as_str());
    o.text("from", from.as_str());
}

fn out_reason(reason: OutReason) -> &'static str {
    match reason {
        OutReason::Left => "left",
        OutReason::Removed => "removed",
        OutReason::Banned => "banned",
        OutReason::Gone => "gone",
    }
}
