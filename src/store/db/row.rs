//! An entry as a row: its columns, and the check over them.
//!
//! Invariant: no row is made into an entry before its CRC was compared, so that what a disk has spoilt is never served.

use crc32fast::Hasher;
use rusqlite::types::ValueRef;

use super::fields::{self, Fields, signed, unsigned};
use super::trouble::Damage;
use crate::chat::{Author, Body, Entry, Name, PersonId, RoomNo, Seq, UnixMs, What};
use crate::store::tables::Digest;

/// A row of the table `entries`, borrowed from what it was made of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// Its place in the order of all commits; 0 before it has one.
    pub(super) no: i64,
    pub(super) room: RoomNo,
    pub(super) seq: Seq,
    pub(super) at: UnixMs,
    pub(super) author: PersonId,
    pub(super) name: &'a str,
    /// Posts of the room up to and including this entry.
    pub(super) posts: u64,
    pub(super) fields: Fields<'a>,
    pub(super) key: Option<&'a str>,
    pub(super) digest: Option<Digest>,
    /// When a post's text was last replaced.
    pub(super) edited: Option<UnixMs>,
    pub(super) pinned: bool,
}

impl<'a> Row<'a> {
    pub(super) fn of(room: RoomNo, entry: &'a Entry, posts: u64, digest: Option<Digest>) -> Self {
        let key = match &entry.what {
            What::Post(post) => post.key.as_ref().map(|key| key.as_str()),
            _ => None,
        };
        Self {
            no: 0,
            room,
            seq: entry.seq,
            at: entry.at,
            author: entry.from.id,
            name: entry.from.name.as_str(),
            posts,
            fields: Fields::of(&entry.what),
            key,
            digest,
            edited: None,
            pinned: false,
        }
    }

    /// From [`COLUMNS`], compared with their CRC.
    pub(super) fn read(columns: &'a rusqlite::Row<'_>) -> Result<Self, Damage> {
        let column = |index| Column(columns.get_ref(index).unwrap_or(ValueRef::Null));
        let row = Self {
            no: signed(column(16).number()?),
            room: RoomNo(column(0).number()?),
            seq: Seq(column(1).number()?),
            at: UnixMs(column(3).number()?),
            author: PersonId(column(4).number()?),
            name: column(5).text()?.ok_or(Damage)?,
            posts: column(6).number()?,
            fields: Fields {
                kind: signed(column(2).number()?),
                about: column(7).maybe_number()?.map(Seq),
                value: signed(column(8).number()?),
                text: column(9).text()?,
                people: column(10).bytes()?.map(Into::into),
            },
            key: column(11).text()?,
            digest: column(12).maybe_number()?.map(Digest),
            edited: column(13).maybe_number()?.map(UnixMs),
            pinned: column(14).number()? != 0,
        };
        let is_whole = u64::from(row.crc()) == column(15).number()?;
        is_whole.then_some(row).ok_or(Damage)
    }

    /// Over all columns but `no`, each with its length or its absence.
    pub(super) fn crc(&self) -> u32 {
        let mut crc = Hasher::new();
        let numbers = [
            self.room.0,
            self.seq.0,
            unsigned(self.fields.kind),
            self.at.0,
            self.author.0,
            self.posts,
            self.fields.about.map_or(u64::MAX, |seq| seq.0),
            unsigned(self.fields.value),
            self.digest.map_or(0, |digest| digest.0),
            self.edited.map_or(u64::MAX, |at| at.0),
            self.pinned.into(),
        ];
        let mut bytes = [0; 8 * 11];
        for (place, number) in bytes.chunks_exact_mut(8).zip(numbers) {
            place.copy_from_slice(&number.to_le_bytes());
        }
        crc.update(&bytes);
        let text = |text: Option<&'a str>| text.map(str::as_bytes);
        for part in [
            Some(self.name.as_bytes()),
            text(self.fields.text),
            self.fields.people.as_deref(),
            text(self.key),
        ] {
            crc.update(&part.map_or(u64::MAX, |part| part.len() as u64).to_le_bytes());
            crc.update(part.unwrap_or_default());
        }
        crc.finalize()
    }

    /// The post as a tombstone: what it said, and of whom, is gone.
    pub(super) fn wiped(&self) -> Row<'a> {
        Row {
            fields: Fields { kind: fields::TOMBSTONE, ..Fields::default() },
            edited: None,
            pinned: false,
            ..self.clone()
        }
    }

    /// The post with another text.
    pub(super) fn edited<'b>(&'b self, body: &'b Body, at: UnixMs) -> Row<'b> {
        let fields = Fields { text: Some(body.as_str()), ..self.fields.clone() };
        Row { fields, edited: Some(at), ..self.clone() }
    }

    /// What happened; of an edit without the text, which its post has.
    pub(super) fn entry(&self) -> Result<Entry, Damage> {
        let from = Author { id: self.author, name: Name::stored(self.name) };
        Ok(Entry { seq: self.seq, at: self.at, from, what: self.fields.what(self.key)? })
    }
}

/// A value of a row that may be anything at all.
struct Column<'a>(ValueRef<'a>);

impl<'a> Column<'a> {
    fn maybe_number(&self) -> Result<Option<u64>, Damage> {
        match self.0 {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(number) => Ok(Some(unsigned(number))),
            _ => Err(Damage),
        }
    }

    fn number(&self) -> Result<u64, Damage> {
        self.maybe_number()?.ok_or(Damage)
    }

    fn text(&self) -> Result<Option<&'a str>, Damage> {
        match self.0 {
            ValueRef::Null => Ok(None),
            ValueRef::Text(text) => str::from_utf8(text).map(Some).map_err(|_| Damage),
            _ => Err(Damage),
        }
    }

    fn bytes(&self) -> Result<Option<&'a [u8]>, Damage> {
        match self.0 {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(Damage),
        }
    }
}

/// The columns of an entry, in the order in which [`Row::read`] takes them.
macro_rules! columns {
    () => {
        "entries.room, entries.seq, entries.kind, entries.at, entries.author, entries.name, entries.posts, \
         entries.about, entries.value, entries.text, entries.people, entries.key, entries.digest, \
         entries.edited, entries.pinned, entries.crc, entries.no"
    };
}
pub(super) use columns;
