//! How a client says a command: as plainly as can be.

use serde_json::{Value, json};

use crate::chat::{Act, Command, HistoryFrom, NewRoom, Request, Role, RoomId, Since, Whisper};

/// The text of a command, as a client would write it.
pub fn say(command: &Command) -> Value {
    match command {
        Command::Whisper(whisper) => say_whisper(whisper),
        Command::Request { id, request } => {
            let mut said = say_request(request);
            said["id"] = id.0.into();
            said
        }
    }
}

fn say_request(request: &Request) -> Value {
    match request {
        Request::Join { room, since } => with_since(json!({"type": "join"}), room, since.as_ref()),
        Request::Resume { rooms } => {
            let rooms = rooms.iter().map(|(room, s)| with_since(json!({}), room, s.as_ref()));
            json!({"type": "resume", "rooms": rooms.collect::<Vec<_>>()})
        }
        Request::Detach { room } => json!({"type": "detach", "room": room.as_str()}),
        Request::Post { room, key, body, reply_to } => json!({
            "type": "post", "room": room.as_str(), "key": key.as_ref().map(|key| key.as_str()),
            "body": body.as_str(), "reply_to": reply_to.map(|seq| seq.0),
        }),
        Request::Act { room, act } => {
            let mut said = say_act(act);
            said["room"] = room.as_str().into();
            said
        }
        Request::History { room, from, limit } => {
            let mut said = json!({"type": "history", "room": room.as_str(), "limit": limit});
            match from {
                HistoryFrom::End => {}
                HistoryFrom::PinsEnd => said["type"] = "pins".into(),
                HistoryFrom::PinsBefore(seq) => {
                    said["type"] = "pins".into();
                    said["before"] = seq.0.into();
                }
                HistoryFrom::Before(seq) => said["before"] = seq.0.into(),
                HistoryFrom::After(seq) => said["after"] = seq.0.into(),
            }
            said
        }
        Request::Search { query, room, skip, limit } => json!({
            "type": "search", "query": **query, "room": room.as_ref().map(RoomId::as_str),
            "skip": skip, "limit": limit,
        }),
        Request::Create { room, .. } => say_create(room),
        Request::Direct { user, .. } => json!({"type": "direct", "user": user.as_str()}),
        Request::Members { room, after, limit } => json!({
            "type": "members", "room": room.as_str(), "limit": limit,
            "after": after.as_ref().map(|name| name.as_str()),
        }),
        Request::Bans { room, after, limit } => json!({
            "type": "bans", "room": room.as_str(), "limit": limit,
            "after": after.as_ref().map(|name| name.as_str()),
        }),
        Request::Rooms => json!({"type": "rooms"}),
        Request::Users { query, limit } => {
            json!({"type": "users", "query": **query, "limit": limit})
        }
    }
}

fn say_create(room: &NewRoom) -> Value {
    let (kind, name) = match room {
        NewRoom::Open { room } => ("open", Some(room.as_str())),
        NewRoom::Group { title } => ("group", Some(&**title)),
        NewRoom::Invite { title } => ("invite", title.as_deref()),
    };
    json!({"type": "create", "kind": kind, "name": name})
}

fn say_act(act: &Act) -> Value {
    match act {
        Act::Edit { post, body } => json!({"type": "edit", "seq": post.0, "body": body.as_str()}),
        Act::Delete { post } => json!({"type": "delete", "seq": post.0}),
        Act::React { post, emoji, on } => {
            json!({"type": "react", "seq": post.0, "emoji": emoji.as_str(), "on": on})
        }
        Act::Pin { post, on } => json!({"type": "pin", "seq": post.0, "on": on}),
        Act::Add { user, role } => {
            json!({"type": "add", "user": user.as_str(), "role": word(*role)})
        }
        Act::Remove { user } => json!({"type": "remove", "user": user.as_str()}),
        Act::Leave => json!({"type": "leave"}),
        Act::Role { user, role } => {
            json!({"type": "role", "user": user.as_str(), "role": word(*role)})
        }
        Act::Rename { title } => json!({"type": "rename", "name": **title}),
        Act::Ban { user, on } => json!({"type": "ban", "user": user.as_str(), "on": on}),
        Act::Mute { user, for_ms } => {
            json!({"type": "mute", "user": user.as_str(), "for_ms": for_ms})
        }
        Act::ReadOnly { on } => json!({"type": "read_only", "on": on}),
        Act::Slow { slow_ms } => json!({"type": "slow", "slow_ms": slow_ms}),
    }
}

fn say_whisper(whisper: &Whisper) -> Value {
    match whisper {
        Whisper::Typing { room, on } => {
            json!({"type": "typing", "room": room.as_str(), "on": on})
        }
        Whisper::Received { room, seq } => {
            json!({"type": "received", "room": room.as_str(), "seq": seq.0})
        }
        Whisper::Read { room, seq } => {
            json!({"type": "read", "room": room.as_str(), "seq": seq.0})
        }
        Whisper::Ping => json!({"type": "ping"}),
    }
}

fn with_since(mut said: Value, room: &RoomId, since: Option<&Since>) -> Value {
    said["room"] = room.as_str().into();
    if let Some(Since { epoch, seq }) = since {
        said["since"] = json!({"epoch": epoch.as_str(), "seq": seq.0});
    }
    said
}

fn word(role: Role) -> &'static str {
    match role {
        Role::Reader => "reader",
        Role::Member => "member",
        Role::Admin => "admin",
        Role::Owner => "owner",
    }
}
