//! What an entry says, as the columns of a row.
//!
//! One code for each kind. What has a line of its own in a history has a code below 16, so that each side has an index of its
//! own, and a page of lines never wades through reactions.

use std::borrow::Cow;
use std::sync::Arc;

use super::trouble::Damage;
use crate::chat::{
    Author, Body, Emoji, Mode, Name, PersonId, Post, PostKey, Role, RoomKind, Seq, UnixMs, What,
};

/// The columns that depend on the kind of an entry. What a kind does not need is 0 or NULL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Fields<'a> {
    pub(super) kind: i64,
    /// The post that an entry is about, or answers.
    pub(super) about: Option<Seq>,
    /// A role, a switch, a moment, a mode.
    pub(super) value: i64,
    /// The text of a post, a title, an emoji.
    pub(super) text: Option<&'a str>,
    /// Who is named, in the order named.
    pub(super) people: Option<Cow<'a, [u8]>>,
}

impl<'a> Fields<'a> {
    pub(super) fn of(what: &'a What) -> Self {
        let of_kind = |kind| Fields { kind, ..Fields::default() };
        let about = |kind, post: &Seq| Fields { about: Some(*post), ..of_kind(kind) };
        let naming = |kind, user: &Author| Fields { people: named([(user, 0)]), ..of_kind(kind) };
        match what {
            What::Post(post) => Fields {
                about: post.reply_to,
                text: Some(post.body.as_str()),
                people: named(post.mentions.iter().map(|author| (author, 0))),
                ..of_kind(POST)
            },
            What::Tombstone => of_kind(TOMBSTONE),
            What::Created { kind, title, members } => Fields {
                value: room_kind_code(*kind),
                text: title.as_deref(),
                people: named(members.iter().map(|(author, role)| (author, role_code(*role)))),
                ..of_kind(CREATED)
            },
            What::Join => of_kind(JOIN),
            What::Leave => of_kind(LEAVE),
            What::Add { user, role } => {
                Fields { value: role_code(*role).into(), ..naming(ADD, user) }
            }
            What::Remove { user } => naming(REMOVE, user),
            What::Role { user, role } => {
                Fields { value: role_code(*role).into(), ..naming(ROLE, user) }
            }
            What::Rename { title } => Fields { text: Some(title), ..of_kind(RENAME) },
            What::Ban { user, on } => Fields { value: (*on).into(), ..naming(BAN, user) },
            What::Mute { user, until } => Fields { value: signed(until.0), ..naming(MUTE, user) },
            What::Mode(mode) => Fields { value: mode_code(*mode), ..of_kind(MODE) },
            // The post has the text: of two places one could be forgotten when it is deleted.
            What::Edit { post, .. } => about(EDIT, post),
            What::Delete { post } => about(DELETE, post),
            What::React { post, emoji, on } => {
                Fields { value: (*on).into(), text: Some(emoji.as_str()), ..about(REACT, post) }
            }
            What::Pin { post, on } => Fields { value: (*on).into(), ..about(PIN, post) },
        }
    }

    /// What the columns say; of an edit without the text, which its post has. `key` is a post's.
    pub(super) fn what(&self, key: Option<&str>) -> Result<What, Damage> {
        Ok(match self.kind {
            POST => What::Post(Post {
                key: key.map(|key| PostKey::parse(key).ok_or(Damage)).transpose()?,
                body: Body::stored(self.text()?),
                reply_to: self.about,
                mentions: self.people()?.into_iter().map(|(author, _)| author).collect(),
            }),
            TOMBSTONE => What::Tombstone,
            CREATED => What::Created {
                kind: room_kind(self.value)?,
                title: self.text.map(Arc::from),
                members: self.members()?,
            },
            JOIN => What::Join,
            LEAVE => What::Leave,
            ADD => What::Add { user: self.user()?, role: role(self.value)? },
            REMOVE => What::Remove { user: self.user()? },
            ROLE => What::Role { user: self.user()?, role: role(self.value)? },
            RENAME => What::Rename { title: self.text()?.into() },
            BAN => What::Ban { user: self.user()?, on: self.value != 0 },
            MUTE => What::Mute { user: self.user()?, until: UnixMs(unsigned(self.value)) },
            MODE => What::Mode(mode(self.value)?),
            EDIT => What::Edit { post: self.about()?, body: None },
            DELETE => What::Delete { post: self.about()? },
            REACT => What::React {
                post: self.about()?,
                emoji: Emoji::stored(self.text()?),
                on: self.value != 0,
            },
            PIN => What::Pin { post: self.about()?, on: self.value != 0 },
            _ => return Err(Damage),
        })
    }

    fn about(&self) -> Result<Seq, Damage> {
        self.about.ok_or(Damage)
    }

    fn text(&self) -> Result<&'a str, Damage> {
        self.text.ok_or(Damage)
    }

    fn user(&self) -> Result<Author, Damage> {
        let (author, _) = self.people()?.pop().ok_or(Damage)?;
        Ok(author)
    }

    fn members(&self) -> Result<Arc<[(Author, Role)]>, Damage> {
        let members = self.people()?;
        members.into_iter().map(|(author, code)| Ok((author, role(code.into())?))).collect()
    }

    /// Each is 8 bytes of number, a role, a length and a name.
    fn people(&self) -> Result<Vec<(Author, u8)>, Damage> {
        let mut people = Vec::new();
        let mut rest = self.people.as_deref().unwrap_or_default();
        while let Some((id, after)) = rest.split_first_chunk::<8>() {
            let [role, bytes, after @ ..] = after else { return Err(Damage) };
            let (name, after) = after.split_at_checked(usize::from(*bytes)).ok_or(Damage)?;
            let name = Name::stored(str::from_utf8(name).map_err(|_| Damage)?);
            people.push((Author { id: PersonId(u64::from_le_bytes(*id)), name }, *role));
            rest = after;
        }
        rest.is_empty().then_some(people).ok_or(Damage)
    }
}

fn named<'a, 'b>(people: impl IntoIterator<Item = (&'b Author, u8)>) -> Option<Cow<'a, [u8]>> {
    let mut bytes = Vec::new();
    for (author, role) in people {
        // A name has 32 characters at most, of 4 bytes at most.
        let name = author.name.as_str().as_bytes();
        let len = u8::try_from(name.len()).expect("a name is shorter than 256 bytes");
        bytes.extend_from_slice(&author.id.0.to_le_bytes());
        bytes.extend_from_slice(&[role, len]);
        bytes.extend_from_slice(name);
    }
    (!bytes.is_empty()).then_some(Cow::Owned(bytes))
}

/// An unsigned number in SQLite's signed 64 bits: the same bits. Guests have the highest one set.
pub(super) fn signed(number: u64) -> i64 {
    number.cast_signed()
}

/// The reverse of [`signed`].
pub(super) fn unsigned(number: i64) -> u64 {
    number.cast_unsigned()
}

pub(super) fn role_code(role: Role) -> u8 {
    match role {
        Role::Reader => 0,
        Role::Member => 1,
        Role::Admin => 2,
        Role::Owner => 3,
    }
}

pub(super) fn role(code: i64) -> Result<Role, Damage> {
    Ok(match code {
        0 => Role::Reader,
        1 => Role::Member,
        2 => Role::Admin,
        3 => Role::Owner,
        _ => return Err(Damage),
    })
}

pub(super) fn room_kind_code(kind: RoomKind) -> i64 {
    match kind {
        RoomKind::Lobby => 0,
        RoomKind::Open => 1,
        RoomKind::Group => 2,
        RoomKind::Direct => 3,
        RoomKind::Invite => 4,
    }
}

pub(super) fn room_kind(code: i64) -> Result<RoomKind, Damage> {
    Ok(match code {
        0 => RoomKind::Lobby,
        1 => RoomKind::Open,
        2 => RoomKind::Group,
        3 => RoomKind::Direct,
        4 => RoomKind::Invite,
        _ => return Err(Damage),
    })
}

/// Whether admins alone post, above 32 bits of milliseconds.
pub(super) fn mode_code(mode: Mode) -> i64 {
    i64::from(mode.read_only) << 32 | i64::from(mode.slow_ms)
}

pub(super) fn mode(code: i64) -> Result<Mode, Damage> {
    let slow_ms = u32::try_from(code & 0xFFFF_FFFF).expect("32 bits");
    match code >> 32 {
        0 => Ok(Mode { read_only: false, slow_ms }),
        1 => Ok(Mode { read_only: true, slow_ms }),
        _ => Err(Damage),
    }
}

pub(super) const POST: i64 = 1;
pub(super) const TOMBSTONE: i64 = 2;
const CREATED: i64 = 3;
const JOIN: i64 = 4;
const LEAVE: i64 = 5;
const ADD: i64 = 6;
const REMOVE: i64 = 7;
const ROLE: i64 = 8;
const RENAME: i64 = 9;
const BAN: i64 = 10;
const MUTE: i64 = 11;
const MODE: i64 = 12;
// From 16 on: what changes a line and is none.
const EDIT: i64 = 16;
const DELETE: i64 = 17;
const REACT: i64 = 18;
const PIN: i64 = 19;

#[cfg(test)]
mod tests {
    use super::*;

    fn author(id: u64, name: &str) -> Author {
        Author { id: PersonId(id), name: Name::stored(name) }
    }

    fn every_kind() -> Vec<What> {
        let user = author(7, "山田");
        let post = Seq(3);
        let key = PostKey::parse("k-1");
        let mentions: Arc<[Author]> = [user.clone(), author(1 << 63, "guest")].into();
        let text = Body::stored("héllo");
        vec![
            What::Post(Post { key: None, body: text.clone(), reply_to: None, mentions: [].into() }),
            What::Post(Post { key, body: text, reply_to: Some(post), mentions }),
            What::Tombstone,
            What::Edit { post, body: None },
            What::Delete { post },
            What::React { post, emoji: Emoji::stored("👍"), on: true },
            What::Pin { post, on: false },
            What::Created {
                kind: RoomKind::Group,
                title: Some("Team".into()),
                members: [(user.clone(), Role::Owner), (author(2, "bo"), Role::Reader)].into(),
            },
            What::Created { kind: RoomKind::Direct, title: None, members: [].into() },
            What::Join,
            What::Leave,
            What::Add { user: user.clone(), role: Role::Admin },
            What::Remove { user: user.clone() },
            What::Role { user: user.clone(), role: Role::Owner },
            What::Rename { title: "B".into() },
            What::Ban { user: user.clone(), on: true },
            What::Mute { user, until: UnixMs(u64::MAX) },
            What::Mode(Mode { read_only: true, slow_ms: u32::MAX }),
        ]
    }

    #[test]
    fn what_is_stored_is_what_is_read() {
        for what in every_kind() {
            let key = match &what {
                What::Post(post) => post.key.clone(),
                _ => None,
            };
            let fields = Fields::of(&what);
            assert_eq!(fields.what(key.as_ref().map(PostKey::as_str)), Ok(what.clone()));
            assert_eq!(fields.kind < 16, what.is_line(), "{what:?}");
        }
    }

    #[test]
    fn an_edit_keeps_no_text_of_its_own() {
        let edit = What::Edit { post: Seq(3), body: Some(Body::stored("secret")) };
        assert_eq!(Fields::of(&edit).text, None);
    }

    #[test]
    fn columns_that_say_nothing_are_damage() {
        let text = |kind, text| Fields { kind, text, ..Fields::default() };
        let people = |bytes: &'static [u8]| Fields {
            people: Some(bytes.into()),
            ..Fields { kind: REMOVE, ..Fields::default() }
        };
        for fields in [
            text(0, None),
            text(99, None),
            text(POST, None),
            text(RENAME, None),
            text(EDIT, None),
            people(b""),
            people(b"1234567"),
            people(b"12345678"),
            people(b"12345678\0\x05four"),
            people(b"12345678\0\x01\xFF"),
            people(b"12345678\0\x01a tail"),
            Fields { value: 4, ..text(ADD, None) },
            Fields { value: 9, ..text(CREATED, None) },
            Fields { value: 2 << 32, ..text(MODE, None) },
        ] {
            assert_eq!(fields.what(None), Err(Damage), "{fields:?}");
        }
    }
}
