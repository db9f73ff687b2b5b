//! What a client asks for: text in, a [`Command`] out.
//!
//! One table has the types, each with the function that makes a command of its fields.
//! All values are parsed here, so that the chat is never handed a room, a name or a limit that there cannot be.

use std::sync::Arc;

use super::fault::{Fault, Rule, WHOLE_MAX, Wants};
use super::field::Field;
use super::fields::Fields;
use crate::chat::limits::{
    BANS_PER_PAGE_MAX, HISTORY_LINES_MAX, MEMBERS_PER_PAGE_MAX, MUTE_MS_MAX, PINS_MAX,
    SEARCH_CHARS_MAX, SEARCH_HITS_MAX, SLOW_MS_MAX, TITLE_CHARS_MAX, USERS_PER_PAGE_MAX, is_title,
};
use crate::chat::{
    Act, Body, Command, Emoji, HistoryFrom, Limits, Name, NewRoom, PostKey, Refusal, Request,
    RequestId, Role, RoomId, Seq, Whisper,
};

/// Reads a command. `chance` is asked for the ids and epochs of new rooms, and must be unguessable.
///
/// # Errors
/// The rule that the text breaks, and the number that it has.
pub fn decode(
    text: &str,
    limits: &Limits,
    chance: &mut impl FnMut() -> u128,
) -> Result<Command, Fault> {
    let fields = Fields::parse(text).map_err(|rule| Fault { id: None, rule })?;
    let id = fields.whole(Field::Id, 0, WHOLE_MAX).ok().flatten().map(RequestId);
    command(fields, id, &mut Means { limits, chance }).map_err(|rule| Fault { id, rule })
}

/// The types of request that there are.
pub fn request_types() -> impl Iterator<Item = &'static str> {
    let is_request = |(_, meaning): &&(_, Meaning)| !matches!(meaning, Meaning::Whisper(_));
    TYPES.iter().filter(is_request).map(|(name, _)| *name)
}

/// The types of whisper that there are.
pub fn whisper_types() -> impl Iterator<Item = &'static str> {
    let is_whisper = |(_, meaning): &&(_, Meaning)| matches!(meaning, Meaning::Whisper(_));
    TYPES.iter().filter(is_whisper).map(|(name, _)| *name)
}

/// What a request is held to, and made with.
struct Means<'a> {
    limits: &'a Limits,
    chance: &'a mut dyn FnMut() -> u128,
}

impl Means<'_> {
    fn secret(&mut self) -> u128 {
        (self.chance)()
    }

    fn epoch(&mut self) -> u64 {
        u64::try_from((self.chance)() >> 64).expect("64 bits of 128")
    }
}

/// What a type means: how its fields become a command.
enum Meaning {
    Request(fn(&mut Fields<'_>, &mut Means<'_>) -> Result<Request, Rule>),
    /// A request as well, about a room that is named like any other's.
    Act(fn(&Fields<'_>, &Limits) -> Result<Act, Rule>),
    Whisper(fn(&Fields<'_>) -> Result<Whisper, Rule>),
}

/// The most frequent first: they are looked for in this order.
const TYPES: &[(&str, Meaning)] = &[
    ("post", Meaning::Request(post)),
    ("typing", Meaning::Whisper(|f| Ok(Whisper::Typing { room: f.room()?, on: on_or_true(f)? }))),
    ("received", Meaning::Whisper(|f| Ok(Whisper::Received { room: f.room()?, seq: place(f)? }))),
    ("read", Meaning::Whisper(|f| Ok(Whisper::Read { room: f.room()?, seq: place(f)? }))),
    ("ping", Meaning::Whisper(|_| Ok(Whisper::Ping))),
    ("join", Meaning::Request(|f, _| Ok(Request::Join { room: f.room()?, since: f.since()? }))),
    ("resume", Meaning::Request(|f, _| Ok(Request::Resume { rooms: f.rooms()? }))),
    ("detach", Meaning::Request(|f, _| Ok(Request::Detach { room: f.room()? }))),
    ("history", Meaning::Request(history)),
    ("search", Meaning::Request(search)),
    ("members", Meaning::Request(members)),
    ("pins", Meaning::Request(pins)),
    ("bans", Meaning::Request(bans)),
    ("rooms", Meaning::Request(|_, _| Ok(Request::Rooms))),
    ("users", Meaning::Request(users)),
    ("create", Meaning::Request(create)),
    ("direct", Meaning::Request(direct)),
    ("edit", Meaning::Act(|f, limits| Ok(Act::Edit { post: place(f)?, body: body(f, limits)? }))),
    ("delete", Meaning::Act(|f, _| Ok(Act::Delete { post: place(f)? }))),
    ("react", Meaning::Act(react)),
    ("pin", Meaning::Act(|f, _| Ok(Act::Pin { post: place(f)?, on: on(f)? }))),
    ("add", Meaning::Act(|f, _| Ok(Act::Add { user: f.user()?, role: role_or_member(f)? }))),
    ("remove", Meaning::Act(|f, _| Ok(Act::Remove { user: f.user()? }))),
    ("leave", Meaning::Act(|_, _| Ok(Act::Leave))),
    ("role", Meaning::Act(|f, _| Ok(Act::Role { user: f.user()?, role: role(f)? }))),
    ("rename", Meaning::Act(|f, _| Ok(Act::Rename { title: title(f)? }))),
    ("ban", Meaning::Act(|f, _| Ok(Act::Ban { user: f.user()?, on: on_or_true(f)? }))),
    ("mute", Meaning::Act(mute)),
    ("slow", Meaning::Act(slow)),
    ("read_only", Meaning::Act(|f, _| Ok(Act::ReadOnly { on: on(f)? }))),
];

fn command(
    mut fields: Fields<'_>,
    id: Option<RequestId>,
    means: &mut Means<'_>,
) -> Result<Command, Rule> {
    fields.once()?;
    let name = fields.text(Field::Type)?.ok_or(Rule::Missing(Field::Type))?;
    let (_, meaning) = TYPES.iter().find(|(known, _)| *known == name).ok_or(Rule::Type)?;
    let numbered = |request| Ok(Command::Request { id: id.ok_or(Rule::Id)?, request });
    match meaning {
        Meaning::Whisper(whisper) => Ok(Command::Whisper(whisper(&fields)?)),
        Meaning::Request(request) => numbered(request(&mut fields, means)?),
        Meaning::Act(act) => {
            let (room, act) = (fields.room()?, act(&fields, means.limits)?);
            numbered(Request::Act { room, act })
        }
    }
}

fn post(fields: &mut Fields<'_>, means: &mut Means<'_>) -> Result<Request, Rule> {
    let key = fields.text(Field::Key)?.map(|text| PostKey::parse(text).ok_or(NO_KEY));
    Ok(Request::Post {
        room: fields.room()?,
        key: key.transpose()?,
        body: body(fields, means.limits)?,
        reply_to: fields.seq(Field::ReplyTo)?,
    })
}

fn history(fields: &mut Fields<'_>, _: &mut Means<'_>) -> Result<Request, Rule> {
    let from = match (fields.seq(Field::Before)?, fields.seq(Field::After)?) {
        (None, None) => HistoryFrom::End,
        (Some(before), None) => HistoryFrom::Before(before),
        (None, Some(after)) => HistoryFrom::After(after),
        (Some(_), Some(_)) => return Err(BOTH_WAYS),
    };
    let limit = limit(fields, HISTORY_LINES_MAX, HISTORY_LINES)?;
    Ok(Request::History { room: fields.room()?, from, limit })
}

fn search(fields: &mut Fields<'_>, _: &mut Means<'_>) -> Result<Request, Rule> {
    let skip = fields.whole(Field::Skip, 0, u32::MAX.into())?.unwrap_or(0);
    Ok(Request::Search {
        query: query(fields)?.ok_or(Rule::Missing(Field::Query))?,
        room: fields.room_or_none()?,
        skip: u32::try_from(skip).expect("within the bounds given"),
        limit: limit(fields, SEARCH_HITS_MAX, SEARCH_HITS)?,
    })
}

fn pins(fields: &mut Fields<'_>, _: &mut Means<'_>) -> Result<Request, Rule> {
    let before = fields.seq(Field::Before)?;
    let from = before.map_or(HistoryFrom::PinsEnd, HistoryFrom::PinsBefore);
    let limit = limit(fields, HISTORY_LINES_MAX, PINS_MAX)?;
    Ok(Request::History { room: fields.room()?, from, limit })
}

fn bans(fields: &mut Fields<'_>, _: &mut Means<'_>) -> Result<Request, Rule> {
    let limit = limit(fields, BANS_PER_PAGE_MAX, BANS_PER_PAGE)?;
    Ok(Request::Bans { room: fields.room()?, after: after_name(fields)?, limit })
}

fn members(fields: &mut Fields<'_>, _: &mut Means<'_>) -> Result<Request, Rule> {
    let limit = limit(fields, MEMBERS_PER_PAGE_MAX, MEMBERS_PER_PAGE)?;
    Ok(Request::Members { room: fields.room()?, after: after_name(fields)?, limit })
}

fn after_name(fields: &Fields<'_>) -> Result<Option<Name>, Rule> {
    let name = fields.text(Field::After)?;
    name.map(|name| Name::parse(name).map_err(|_| NO_NAME)).transpose()
}

fn users(fields: &mut Fields<'_>, _: &mut Means<'_>) -> Result<Request, Rule> {
    let limit = limit(fields, USERS_PER_PAGE_MAX, USERS_PER_PAGE)?;
    Ok(Request::Users { query: query(fields)?.unwrap_or_default(), limit })
}

fn create(fields: &mut Fields<'_>, means: &mut Means<'_>) -> Result<Request, Rule> {
    let room = match fields.text(Field::Kind)?.ok_or(Rule::Missing(Field::Kind))? {
        "open" => NewRoom::Open { room: open_room(fields)? },
        "group" => NewRoom::Group { title: title(fields)? },
        "invite" => NewRoom::Invite { title: title_or_none(fields)? },
        _ => return Err(NO_KIND),
    };
    Ok(Request::Create { room, secret: means.secret(), epoch: means.epoch() })
}

fn direct(fields: &mut Fields<'_>, means: &mut Means<'_>) -> Result<Request, Rule> {
    Ok(Request::Direct { user: fields.user()?, secret: means.secret(), epoch: means.epoch() })
}

fn react(fields: &Fields<'_>, _: &Limits) -> Result<Act, Rule> {
    let emoji = fields.text(Field::Emoji)?.ok_or(Rule::Missing(Field::Emoji))?;
    let emoji = Emoji::parse(emoji).ok_or(NO_EMOJI)?;
    Ok(Act::React { post: place(fields)?, emoji, on: on(fields)? })
}

fn mute(fields: &Fields<'_>, _: &Limits) -> Result<Act, Rule> {
    let for_ms = fields.whole(Field::ForMs, 0, MUTE_MS_MAX)?;
    Ok(Act::Mute { user: fields.user()?, for_ms: for_ms.ok_or(Rule::Missing(Field::ForMs))? })
}

fn slow(fields: &Fields<'_>, _: &Limits) -> Result<Act, Rule> {
    let slow_ms = fields.whole(Field::SlowMs, 0, SLOW_MS_MAX.into())?;
    let slow_ms = slow_ms.ok_or(Rule::Missing(Field::SlowMs))?;
    Ok(Act::Slow { slow_ms: u32::try_from(slow_ms).expect("within the bounds given") })
}

fn body(fields: &Fields<'_>, limits: &Limits) -> Result<Body, Rule> {
    let text = fields.text(Field::Body)?.ok_or(Rule::Missing(Field::Body))?;
    Body::parse(text, limits.post_chars_max).map_err(|fault| Refusal::Body(fault).into())
}

/// The place in the log that the command is about.
fn place(fields: &Fields<'_>) -> Result<Seq, Rule> {
    fields.seq(Field::Seq)?.ok_or(Rule::Missing(Field::Seq))
}

fn on(fields: &Fields<'_>) -> Result<bool, Rule> {
    fields.flag(Field::On)?.ok_or(Rule::Missing(Field::On))
}

fn on_or_true(fields: &Fields<'_>) -> Result<bool, Rule> {
    Ok(fields.flag(Field::On)?.unwrap_or(true))
}

fn role(fields: &Fields<'_>) -> Result<Role, Rule> {
    role_if_any(fields)?.ok_or(Rule::Missing(Field::Role))
}

fn role_or_member(fields: &Fields<'_>) -> Result<Role, Rule> {
    Ok(role_if_any(fields)?.unwrap_or(Role::Member))
}

fn role_if_any(fields: &Fields<'_>) -> Result<Option<Role>, Rule> {
    Ok(Some(match fields.text(Field::Role)? {
        None => return Ok(None),
        Some("reader") => Role::Reader,
        Some("member") => Role::Member,
        Some("admin") => Role::Admin,
        Some("owner") => Role::Owner,
        Some(_) => return Err(NO_ROLE),
    }))
}

/// An open room's id is its name, and no name begins with `~`.
fn open_room(fields: &Fields<'_>) -> Result<RoomId, Rule> {
    let name = fields.text(Field::Name)?.ok_or(Rule::Missing(Field::Name))?;
    let room = if name.starts_with('~') { None } else { RoomId::parse(name).ok() };
    room.ok_or(NO_ROOM_NAME)
}

fn title(fields: &Fields<'_>) -> Result<Arc<str>, Rule> {
    title_or_none(fields)?.ok_or(Rule::Missing(Field::Name))
}

fn title_or_none(fields: &Fields<'_>) -> Result<Option<Arc<str>>, Rule> {
    let Some(title) = fields.text(Field::Name)? else { return Ok(None) };
    not_longer(title, Field::Name, TITLE_CHARS_MAX)?;
    if is_title(title) { Ok(Some(title.into())) } else { Err(NO_TITLE) }
}

fn query(fields: &Fields<'_>) -> Result<Option<Arc<str>>, Rule> {
    let Some(query) = fields.text(Field::Query)? else { return Ok(None) };
    not_longer(query, Field::Query, SEARCH_CHARS_MAX)?;
    Ok(Some(query.into()))
}

fn limit(fields: &Fields<'_>, max: u16, default: u16) -> Result<u16, Rule> {
    let limit = fields.whole(Field::Limit, 1, max.into())?.unwrap_or(default.into());
    Ok(u16::try_from(limit).expect("within the bounds given"))
}

fn not_longer(text: &str, field: Field, chars_max: usize) -> Result<(), Rule> {
    match text.chars().nth(chars_max) {
        None => Ok(()),
        Some(_) => Err(Rule::TooLarge(field, chars_max)),
    }
}

/// Lines of a history page, where none are asked for: a tall window's.
const HISTORY_LINES: u16 = 50;
/// Hits of a search page, where none are asked for.
const SEARCH_HITS: u16 = 20;
/// Members of a page, where none are asked for.
const MEMBERS_PER_PAGE: u16 = 100;
/// Banned persons of a page, where none are asked for.
const BANS_PER_PAGE: u16 = 100;
/// Users of a page, where none are asked for: a list to choose from.
const USERS_PER_PAGE: u16 = 20;

const NO_KEY: Rule = Rule::Field(Field::Key, Wants::Such("1 to 64 visible ASCII characters"));
const NO_EMOJI: Rule = Rule::Field(Field::Emoji, Wants::Such("an emoji"));
const NO_NAME: Rule = Rule::Field(Field::After, Wants::Such("a name"));
const NO_KIND: Rule = Rule::Field(Field::Kind, Wants::Such("open, group or invite"));
const NO_ROLE: Rule = Rule::Field(Field::Role, Wants::Such("reader, member, admin or owner"));
const NO_ROOM_NAME: Rule =
    Rule::Field(Field::Name, Wants::Such("a name of 1 to 32 letters, digits, _, . and -"));
const NO_TITLE: Rule =
    Rule::Field(Field::Name, Wants::Such("a title, which has something to see and no controls"));
const BOTH_WAYS: Rule = Rule::Field(Field::After, Wants::Such("left out where \"before\" is"));
