//! What a room's log holds.

use super::json::Object;
use super::room::{kind, role};
use crate::chat::{
    Author, Entry, Marks, Mode, Name, Post, Reaction, Record, Role, RoomId, UnixMs, What,
};

/// An entry, as it happens.
pub(super) fn entry_fields(room: &RoomId, entry: &Entry, o: &mut Object<'_>) {
    o.text("room", room.as_str());
    o.whole("seq", entry.seq.0);
    o.word("kind", entry_kind(&entry.what));
    o.text("from", entry.from.name.as_str());
    o.flag_if("guest", entry.from.id.is_guest());
    o.moment("at", entry.at);
    what_fields(&entry.what, o);
}

/// An entry as the log has it now.
pub(super) fn record_fields(room: &RoomId, record: &Record, o: &mut Object<'_>) {
    entry_fields(room, &record.entry, o);
    marks_fields(&record.marks, o);
}

/// The word for what an entry is.
pub(in crate::daemon) fn entry_kind(what: &What) -> &'static str {
    match what {
        What::Post(_) | What::Tombstone => "post",
        What::Edit { .. } => "edit",
        What::Delete { .. } => "delete",
        What::React { .. } => "react",
        What::Pin { .. } => "pin",
        What::Created { .. } => "created",
        What::Join => "join",
        What::Leave => "leave",
        What::Add { .. } => "add",
        What::Remove { .. } => "remove",
        What::Role { .. } => "role",
        What::Rename { .. } => "rename",
        What::Ban { .. } => "ban",
        What::Mute { .. } => "mute",
        What::Mode(_) => "mode",
    }
}

fn what_fields(what: &What, o: &mut Object<'_>) {
    match what {
        What::Post(post) => post_fields(post, o),
        What::Tombstone => o.flag("deleted", true),
        What::Edit { post, body } => {
            o.whole("post", post.0);
            if let Some(body) = body {
                o.text("body", body.as_str());
            }
        }
        What::Delete { post } => o.whole("post", post.0),
        What::React { post, emoji, on } => {
            o.whole("post", post.0);
            o.text("emoji", emoji.as_str());
            o.flag("on", *on);
        }
        What::Pin { post, on } => {
            o.whole("post", post.0);
            o.flag("on", *on);
        }
        What::Created { kind: room_kind, title, members } => {
            o.word("room_kind", kind(*room_kind));
            if let Some(title) = title {
                o.text("name", title);
            }
            o.objects("members", members.iter(), first_member_fields);
        }
        What::Join | What::Leave => {}
        What::Add { user, role } | What::Role { user, role } => user_and_role(user, *role, o),
        What::Remove { user } => o.text("user", user.name.as_str()),
        What::Rename { title } => o.text("name", title),
        What::Ban { user, on } => {
            o.text("user", user.name.as_str());
            o.flag("on", *on);
        }
        What::Mute { user, until } => {
            o.text("user", user.name.as_str());
            o.moment_if("until", (*until > UnixMs(0)).then_some(*until));
        }
        What::Mode(Mode { read_only, slow_ms }) => {
            o.flag("read_only", *read_only);
            o.whole("slow_ms", *slow_ms);
        }
    }
}

fn post_fields(post: &Post, o: &mut Object<'_>) {
    if let Some(key) = &post.key {
        o.text("key", key.as_str());
    }
    o.text("body", post.body.as_str());
    if let Some(reply_to) = post.reply_to {
        o.whole("reply_to", reply_to.0);
    }
    if !post.mentions.is_empty() {
        o.texts("mentions", post.mentions.iter().map(|author| author.name.as_str()));
    }
}

fn marks_fields(marks: &Marks, o: &mut Object<'_>) {
    o.moment_if("edited", marks.edited);
    o.flag_if("pinned", marks.pinned);
    if !marks.reactions.is_empty() {
        o.objects("reactions", &marks.reactions, reaction_fields);
    }
}

fn reaction_fields(reaction: &Reaction, o: &mut Object<'_>) {
    o.text("emoji", reaction.emoji.as_str());
    o.texts("users", reaction.users.iter().map(Name::as_str));
}

fn first_member_fields((author, role): &(Author, Role), o: &mut Object<'_>) {
    o.text("name", author.name.as_str());
    o.word("role", self::role(*role));
}

fn user_and_role(user: &Author, role: Role, o: &mut Object<'_>) {
    o.text("user", user.name.as_str());
    o.word("role", self::role(role));
}
