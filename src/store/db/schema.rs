//! What the file holds, version by version.
//!
//! A version, once released, is never changed: what comes later is a step of its own at the end of [`STEPS`].

/// "wsry", in the file's header: it is ours.
pub(super) const APPLICATION_ID: i32 = 0x7773_7279;

/// What makes version `n + 1` of version `n`.
pub(super) const STEPS: &[&str] = &[V1, V2, V3, V4];

/// The version that this program reads and writes.
pub(super) const VERSION: usize = STEPS.len();

/// Tables are STRICT, so that a damaged type is an error and not another value.
const V1: &str = "
-- What there is one of.
CREATE TABLE state (
    name TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE people (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    skeleton TEXT NOT NULL UNIQUE,
    phc TEXT,                           -- NULL: deleted
    created INTEGER NOT NULL,
    display TEXT,
    hue INTEGER,
    last_seen INTEGER
) STRICT;

CREATE TABLE sessions (
    no INTEGER PRIMARY KEY AUTOINCREMENT,
    person INTEGER NOT NULL,
    token_sha256 BLOB NOT NULL,
    created INTEGER NOT NULL,
    used INTEGER NOT NULL,
    label TEXT NOT NULL
) STRICT;
CREATE INDEX sessions_of_person ON sessions (person);

CREATE TABLE rooms (
    no INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    kind INTEGER NOT NULL,
    title TEXT,
    epoch TEXT NOT NULL,
    rules INTEGER NOT NULL DEFAULT 0,   -- the last entry that changed who may do what
    mode INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE members (
    room INTEGER,
    person INTEGER,
    role INTEGER NOT NULL,
    muted_until INTEGER NOT NULL,
    received INTEGER NOT NULL,
    read INTEGER NOT NULL,
    posts_read INTEGER NOT NULL,        -- posts of the room up to and including read
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

CREATE TABLE bans (
    room INTEGER,
    person INTEGER,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

-- All logs, in the order of commits.
CREATE TABLE entries (
    no INTEGER PRIMARY KEY,
    room INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    kind INTEGER NOT NULL,              -- below 16: a line of its own; from 16: changes another
    at INTEGER NOT NULL,
    author INTEGER NOT NULL,
    name TEXT NOT NULL,
    posts INTEGER NOT NULL,             -- posts of the room up to and including this entry
    about INTEGER,
    value INTEGER NOT NULL,
    text TEXT,
    people BLOB,
    key TEXT,
    digest INTEGER,
    edited INTEGER,
    pinned INTEGER NOT NULL,
    crc INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX lines ON entries (room, seq) WHERE kind < 16;
CREATE UNIQUE INDEX changes ON entries (room, seq) WHERE kind >= 16;
-- The key first: keys that begin with the time, as clients' should, are then written where the last ones were.
CREATE UNIQUE INDEX keys ON entries (key, author, room) WHERE key IS NOT NULL;

CREATE TABLE reactions (
    room INTEGER,
    post INTEGER,
    emoji TEXT,
    author INTEGER,
    name TEXT NOT NULL,
    seq INTEGER NOT NULL,               -- the entry that put it
    PRIMARY KEY (room, post, emoji, author)
) STRICT, WITHOUT ROWID;

-- Those that are not read yet.
CREATE TABLE mentions (
    room INTEGER,
    person INTEGER,
    post INTEGER,
    PRIMARY KEY (room, person, post)
) STRICT, WITHOUT ROWID;

-- What is searched. A room's number is a word of its posts, so that the index itself leaves out the rooms that are not
-- asked for. U+E000 and U+E001 mark what was found: in a text they separate words, and are shown as spaces.
CREATE VIEW posts (no, text, room) AS
    SELECT no, replace(replace(text, char(0xE000), ' '), char(0xE001), ' '), room
    FROM entries WHERE kind = 1;
CREATE VIRTUAL TABLE search USING fts5 (
    text, room,
    content = 'posts', content_rowid = 'no', columnsize = 0,
    tokenize = \"unicode61 remove_diacritics 2 separators '\u{E000}\u{E001}'\"
);
-- The words of what is deleted go at once, and not when the index is next put in order.
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
";

/// Pins can be listed and counted.
const V2: &str = "
CREATE INDEX pins ON entries (room, seq) WHERE pinned = 1;
";

/// What stands against those who have gone from a room is kept for when they come back.
const V3: &str = "
CREATE TABLE lapses (
    room INTEGER,
    person INTEGER,
    role INTEGER NOT NULL,              -- as what they come back by themselves
    muted_until INTEGER NOT NULL,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;
";

/// The index says which posts have a word, and no longer where: to look for the beginning of one takes as much memory as there
/// is to say of all the words that begin so. It is made anew, behind what is written from now on.
const V4: &str = "
DROP TABLE search;
CREATE VIRTUAL TABLE search USING fts5 (
    text, room,
    content = 'posts', content_rowid = 'no', columnsize = 0, detail = column,
    tokenize = \"unicode61 remove_diacritics 2 separators '\u{E000}\u{E001}'\"
);
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);
DELETE FROM state WHERE name = 'indexed';
";

/// How the texts in the index fall into words.
pub(super) const TOKENIZER: &str =
    "tokenize = \"unicode61 remove_diacritics 2 separators '\u{E000}\u{E001}'\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_released_stays_as_it_was() {
        assert!(include_str!("../tests/version_1.sql").starts_with(V1));
        assert!(include_str!("../tests/version_2.sql").starts_with(V2));
        assert!(include_str!("../tests/version_3.sql").starts_with(V3));
    }

    #[test]
    fn words_are_those_of_the_index() {
        let index = STEPS.iter().rfind(|step| step.contains("TABLE search USING fts5"));
        assert!(index.is_some_and(|step| step.contains(TOKENIZER)));
    }
}
