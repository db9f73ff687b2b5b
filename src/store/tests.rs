//! The store without its threads: what is decided, kept, read and found.

mod failing;
mod model;
mod random;
mod reading;
mod rules;
mod searching;

use std::sync::Arc;

use super::Place;
use super::accounts::{AccountWrite, AccountWritten};
use super::db::{self, Db};
use super::log::{Log, Outcome, Request};
use crate::chat::log::{Append, Create, Guard, Read, ReadOut, Write, Written};
use crate::chat::{
    Author, Body, Epoch, Name, PersonId, Post, PostKey, Record, Role, RoomId, RoomKind, RoomNo,
    Seq, UnixMs, What,
};

const LOBBY: RoomNo = RoomNo(1);

/// A log in memory.
fn memory() -> Log<Db> {
    let (db, _) = db::open(&Place::Memory).unwrap();
    Log::new(db)
}

fn author(id: u64) -> Author {
    let name = match PersonId(id).is_guest() {
        true => format!("guest{}", id & 0xFF),
        false => format!("person{id}"),
    };
    Author { id: PersonId(id), name: Name::stored(&name) }
}

fn guest(no: u64) -> Author {
    author(PersonId::guest(no).0)
}

fn post(text: &str) -> What {
    What::Post(Post { key: None, body: Body::stored(text), reply_to: None, mentions: [].into() })
}

fn keyed(key: &str, text: &str) -> What {
    let key = PostKey::parse(key);
    What::Post(Post { key, body: Body::stored(text), reply_to: None, mentions: [].into() })
}

fn mentioning(text: &str, mentions: &[Author]) -> What {
    let mentions: Arc<[Author]> = mentions.into();
    What::Post(Post { key: None, body: Body::stored(text), reply_to: None, mentions })
}

fn append(room: RoomNo, from: u64, what: What) -> Append {
    let (basis, guard, at) = (Seq::START, Guard::None, UnixMs(1_000));
    Append { room, basis, guard, at, from: author(from), what }
}

fn group(no: u64, members: &[(u64, Role)]) -> Create {
    let members: Arc<[_]> = members.iter().map(|(id, role)| (author(*id), *role)).collect();
    Create {
        id: RoomId::secret(u128::from(no)),
        kind: RoomKind::Group,
        title: Some("Team".into()),
        epoch: Epoch::new(no),
        at: UnixMs(500),
        from: members[0].0.clone(),
        members,
    }
}

impl Log<Db> {
    fn told(&mut self, write: Write) -> Written {
        match self.commit(&[Request::Write(write)]).remove(0) {
            Outcome::Written(written) => written,
            outcome @ Outcome::Account(_) => panic!("{outcome:?}"),
        }
    }

    fn appended(&mut self, append: Append) -> Written {
        self.told(Write::Append(append))
    }

    fn account(&mut self, write: AccountWrite) -> AccountWritten {
        match self.commit(&[Request::Account(write)]).remove(0) {
            Outcome::Account(written) => written,
            outcome @ Outcome::Written(_) => panic!("{outcome:?}"),
        }
    }

    /// Appends, and answers with the place.
    fn seq(&mut self, append: Append) -> Seq {
        match self.appended(append) {
            Written::Entry(entry) => entry.seq,
            written => panic!("{written:?}"),
        }
    }

    fn history(&mut self, room: RoomNo) -> Vec<Record> {
        match self.tables().read(&Read::Before { room, before: Seq(u64::MAX), limit: 200 }) {
            ReadOut::Page { records, .. } => records,
            out => panic!("{out:?}"),
        }
    }

    fn index_all(&mut self) {
        while self.tables().unindexed() > 0 {
            self.tables().index(100).unwrap();
        }
    }
}
