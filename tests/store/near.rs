//! A store in a scratch directory, asked and waited for.

use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use wsrelay::chat::log::{Append, Guard, Read, ReadOut, Whose, Write, Written};
use wsrelay::chat::{
    Author, Body, Name, PersonId, Post, PostKey, Record, RoomNo, Seq, UnixMs, What,
};
use wsrelay::store::{AccountWrite, AccountWritten, Answer, OpenError, Opened, Place, Store};

/// How long anything may take before the test gives up on it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

pub(crate) const LOBBY: RoomNo = RoomNo(1);

/// A directory that goes with the test.
pub(crate) struct Scratch(PathBuf);

impl Scratch {
    pub(crate) fn new() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let no = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("store-{}-{no}", std::process::id());
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn file(&self) -> PathBuf {
        self.0.join("chat.db")
    }

    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        self.0.join(format!("chat.db{suffix}"))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A store and its wake-ups.
pub(crate) struct Near {
    pub(crate) store: Store<u64>,
    woken: Receiver<()>,
}

pub(crate) fn try_open(path: &Path) -> Result<(Near, Opened<()>), OpenError> {
    open_place(&Place::File(path.to_owned()))
}

/// A store, and what it had, in an [`Opened`] whose own store keeps nothing.
pub(crate) fn open_place(place: &Place) -> Result<(Near, Opened<()>), OpenError> {
    let (wake, woken) = mpsc::channel();
    let opened = Store::open(place, move || wake.send(()).unwrap_or_default())?;
    let Opened { store, restored, accounts, sessions, secret } = opened;
    let nothing = Store::open(&Place::Memory, || {})?.store;
    let rest = Opened { store: nothing, restored, accounts, sessions, secret };
    Ok((Near { store, woken }, rest))
}

pub(crate) fn open(path: &Path) -> Near {
    try_open(path).unwrap().0
}

impl Near {
    /// The next answers, at least one.
    pub(crate) fn wait(&mut self) -> Vec<Answer<u64>> {
        self.store.submit();
        loop {
            let answers: Vec<_> = self.store.answers().collect();
            if !answers.is_empty() {
                return answers;
            }
            self.woken.recv_timeout(PATIENCE).expect("an answer in time");
        }
    }

    fn one(&mut self) -> Answer<u64> {
        let mut answers = self.wait();
        assert_eq!(answers.len(), 1, "{answers:?}");
        answers.remove(0)
    }

    pub(crate) fn write(&mut self, write: Write) -> Written {
        self.store.write(0, write).unwrap();
        match self.one() {
            Answer::Written(0, written) => written,
            answer => panic!("{answer:?}"),
        }
    }

    pub(crate) fn account(&mut self, write: AccountWrite) -> AccountWritten {
        self.store.write_account(0, write).unwrap();
        match self.one() {
            Answer::Account(0, written) => written,
            answer => panic!("{answer:?}"),
        }
    }

    pub(crate) fn read(&mut self, read: Read) -> ReadOut {
        self.store.read(0, Whose(0), read).unwrap();
        match self.one() {
            Answer::Read(0, out) => out,
            answer => panic!("{answer:?}"),
        }
    }

    pub(crate) fn post(&mut self, no: u64) -> Written {
        self.write(Write::Append(post(no)))
    }

    pub(crate) fn post_upon(&mut self, no: u64, basis: Seq) -> Written {
        self.write(Write::Append(Append { basis, ..post(no) }))
    }

    /// Posts these at once.
    pub(crate) fn post_all(&mut self, numbers: RangeInclusive<u64>) {
        let mut left = numbers.clone().count();
        for no in numbers {
            self.store.write(no, Write::Append(post(no))).unwrap();
        }
        while left > 0 {
            for answer in self.wait() {
                assert!(matches!(answer, Answer::Written(_, Written::Entry(_))), "{answer:?}");
                left -= 1;
            }
        }
    }

    pub(crate) fn history(&mut self) -> Result<Vec<Record>, ReadOut> {
        match self.read(Read::Before { room: LOBBY, before: Seq(u64::MAX), limit: 200 }) {
            ReadOut::Page { records, .. } => Ok(records),
            out => Err(out),
        }
    }

    pub(crate) fn search(&mut self, query: &str) -> ReadOut {
        let rooms = [LOBBY].into();
        self.read(Read::Search { query: query.into(), rooms, skip: 0, limit: 50 })
    }
}

pub(crate) fn author(id: u64) -> Author {
    Author { id: PersonId(id), name: Name::stored(&format!("person{id}")) }
}

/// A post that its number makes unlike any other.
pub(crate) fn post(no: u64) -> Append {
    append(What::Post(Post {
        key: PostKey::parse(&format!("key-{no}")),
        body: Body::stored(&format!("post number{no} says hello")),
        reply_to: None,
        mentions: [].into(),
    }))
}

pub(crate) fn append(what: What) -> Append {
    let (basis, guard, at) = (Seq::START, Guard::None, UnixMs(1_000));
    Append { room: LOBBY, basis, guard, at, from: author(1), what }
}

pub(crate) fn texts(records: &[Record]) -> Vec<&str> {
    let text = |record| match record {
        &Record { entry: wsrelay::chat::Entry { what: What::Post(ref post), .. }, .. } => {
            post.body.as_str()
        }
        record => panic!("{record:?}"),
    };
    records.iter().map(text).collect()
}
