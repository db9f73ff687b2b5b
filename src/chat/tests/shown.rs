//! What is told, written for scripts.

use super::super::*;
use super::world::room_name;

pub(super) fn event(event: &Event) -> String {
    match event {
        Event::Welcome(welcome) => {
            let rooms = list(&welcome.rooms, |room| room_name(&room.room));
            format!("welcome {} {rooms}", welcome.user.name)
        }
        Event::Ok(_, answered) => answer(answered),
        Event::Error(_, refused) => refusal(*refused),
        Event::Entry(room, told) => format!("{}{}", room_name(room), entry(told)),
        Event::Record(room, told) => format!("{}{} (read)", room_name(room), record(told)),
        Event::Room(told) => format!("room {}", summary(told)),
        Event::Out(room, reason) => {
            format!("out {} {}", room_name(room), format!("{reason:?}").to_lowercase())
        }
        Event::Presence(room, told) => format!("presence {} {}", room_name(room), presence(told)),
        Event::Typing { room, from, on } => {
            format!("typing {} {from}{}", room_name(room), flag(!on, "stopped"))
        }
        Event::Received { room, from, seq } => format!("received {} {from} {seq}", room_name(room)),
        Event::Read { room, from, seq, left } => {
            let left = left.map_or(String::new(), |left| format!(" left={}", unread(left)));
            format!("read {} {from} {seq}{left}", room_name(room))
        }
        Event::Profile(told) => format!("profile {}", user(told)),
        Event::Pong => "pong".into(),
    }
}

pub(super) fn answer(answer: &Answer) -> String {
    match answer {
        Answer::Joined(told) => format!("ok {}", joined(told)),
        Answer::Resumed => "ok resumed".into(),
        Answer::JoinedOne(_, Ok(told)) => format!("joined {}", joined(told)),
        Answer::JoinedOne(room, Err(refused)) => {
            format!("joined {} {}", room_name(room), refusal(*refused))
        }
        Answer::Posted { room, seq, dup, .. } => {
            format!("ok {}#{seq}{}", room_name(room), flag(*dup, "dup"))
        }
        Answer::Done => "ok".into(),
        Answer::Page { room, records, more, as_of } => {
            let lines = list(records, record);
            format!("ok {} {lines}{} as_of={as_of}", room_name(room), flag(*more, "more"))
        }
        Answer::Found { hits, more } => {
            let hits = list(hits, |hit| {
                let snippet = hit.snippet.replace('\u{E000}', "<").replace('\u{E001}', ">");
                format!("{}#{} {snippet}", room_name(&hit.room), hit.record.entry.seq)
            });
            format!("ok found {hits}{}", flag(*more, "more"))
        }
        Answer::Room(told) => format!("ok room {}", summary(told)),
        Answer::Members { room, members, total, more } => {
            let members = list(members, member);
            format!("ok {} {members} of {total}{}", room_name(room), flag(*more, "more"))
        }
        Answer::Rooms { rooms, open } => {
            let rooms = list(rooms, |room| room_name(&room.room));
            format!("ok rooms {rooms} open {}", list(open, RoomId::to_string))
        }
        Answer::Bans { room, users, more } => {
            let users = list(users, user);
            format!("ok bans {} {users}{}", room_name(room), flag(*more, "more"))
        }
        Answer::Users { users } => format!("ok users {}", list(users, user)),
    }
}

pub(super) fn refusal(refusal: Refusal) -> String {
    let after = refusal.after_ms().map_or(String::new(), |ms| format!(" after {ms}"));
    format!("err {}{after}", refusal.code_and_message().0)
}

fn joined(told: &Joined) -> String {
    let recovered = match told.recovered {
        Recovered::NotAsked => "",
        Recovered::Yes => " recovered",
        Recovered::OtherEpoch => " lost: epoch",
        Recovered::Ahead => " lost: ahead",
        Recovered::TooMany => " lost: too_many",
        Recovered::Trimmed => " lost: trimmed",
        Recovered::Unavailable => " lost: unavailable",
    };
    let first = if told.first == Seq(1) { String::new() } else { format!(" first={}", told.first) };
    format!("{} seq={}{first}{recovered}", room_name(&told.room), told.seq)
}

fn entry(entry: &Entry) -> String {
    format!("#{} {} {}", entry.seq, entry.from.name, what(&entry.what))
}

fn record(record: &Record) -> String {
    let Marks { edited, pinned, reactions } = &record.marks;
    let mut shown = entry(&record.entry);
    shown += &flag(edited.is_some(), "edited");
    shown += &flag(*pinned, "pinned");
    for reaction in reactions {
        shown += &format!(" {}{}", reaction.emoji.as_str(), list(&reaction.users, Name::to_string));
    }
    shown
}

fn what(what: &What) -> String {
    match what {
        What::Post(post) => {
            let reply = post.reply_to.map_or(String::new(), |seq| format!(" reply={seq}"));
            let mentions = match &post.mentions[..] {
                [] => String::new(),
                some => format!(" @{}", list(some, |author| author.name.to_string())),
            };
            format!("{:?}{reply}{mentions}", post.body.as_str())
        }
        What::Tombstone => "deleted".into(),
        What::Edit { post, body: Some(body) } => format!("edit {post} {:?}", body.as_str()),
        What::Edit { post, body: None } => format!("edit {post} deleted"),
        What::Delete { post } => format!("delete {post}"),
        What::React { post, emoji, on } => {
            format!("react {post} {}{}", emoji.as_str(), flag(!on, "off"))
        }
        What::Pin { post, on } => format!("pin {post}{}", flag(!on, "off")),
        What::Created { members, .. } => {
            format!(
                "created {}",
                list(members, |(author, role)| format!("{} {}", author.name, word(role)))
            )
        }
        What::Join => "join".into(),
        What::Leave => "leave".into(),
        What::Add { user, role } => format!("add {} {}", user.name, word(role)),
        What::Remove { user } => format!("remove {}", user.name),
        What::Role { user, role } => format!("role {} {}", user.name, word(role)),
        What::Rename { title } => format!("rename {title:?}"),
        What::Ban { user, on } => format!("ban {}{}", user.name, flag(!on, "off")),
        What::Mute { user, until } => format!("mute {}{}", user.name, flag(until.0 == 0, "off")),
        What::Mode(Mode { read_only, slow_ms }) => {
            format!("mode{} slow={slow_ms}", flag(*read_only, "read_only"))
        }
    }
}

pub(super) fn summary(told: &RoomSummary) -> String {
    let name = if *told.name == *room_name(&told.room) {
        String::new()
    } else {
        format!(" {:?}", told.name)
    };
    let mode = flag(told.mode.read_only, "read_only");
    format!(
        "{}{name} {} seq={} read={} left={}{mode}",
        room_name(&told.room),
        word(&told.role),
        told.seq,
        told.read,
        unread(told.left)
    )
}

fn member(member: &Member) -> String {
    let muted = flag(member.muted_until.is_some(), "muted");
    let seen = flag(member.last_seen.is_some(), "seen");
    let (received, read) = (member.received, member.read);
    let cursors =
        if received == Seq::START { String::new() } else { format!(" {received}/{read}") };
    let online = flag(member.online, "online");
    format!("{} {}{online}{seen}{cursors}{muted}", user(&member.user), word(&member.role))
}

fn user(user: &User) -> String {
    let display = user.profile.display.as_ref().map_or(String::new(), |name| format!("={name}"));
    format!("{}{display}", user.name)
}

fn presence(presence: &Presence) -> String {
    match presence {
        Presence::Names(names) => list(names, Name::to_string),
        Presence::Count(count) => count.to_string(),
        Presence::Came(name) => format!("+{name}"),
        Presence::Went(name, seen) => format!("-{name}{}", flag(seen.is_some(), "seen")),
    }
}

fn unread(unread: Unread) -> String {
    format!("{}+{}", unread.posts, unread.mentions)
}

fn word(of: &impl std::fmt::Debug) -> String {
    format!("{of:?}").to_lowercase()
}

fn flag(is_set: bool, word: &str) -> String {
    if is_set { format!(" {word}") } else { String::new() }
}

fn list<T>(items: &[T], show: impl Fn(&T) -> String) -> String {
    format!("[{}]", items.iter().map(show).collect::<Vec<_>>().join(", "))
}
