
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
    tokenize = "unicode61 remove_diacritics 2 separators ''"
);
-- The words of what is deleted go at once, and not when the index is next put in order.
INSERT INTO search (search, rank) VALUES ('secure-delete', 1);

PRAGMA application_id = 0x77737279;
PRAGMA user_version = 1;

INSERT INTO state (name, value) VALUES ('secret', x'106f96ada5bfb87a871fb7321094e9af588e8b0c3d9b45b296e6d50669c6be97');
INSERT INTO people (id, name, skeleton, phc, created, display, hue, last_seen) VALUES (1, 'ann', 'ann', '$argon2id$of-ann', 1000, 'Ann of Kent', 200, NULL);
INSERT INTO people (id, name, skeleton, phc, created, display, hue, last_seen) VALUES (2, 'Bo', 'bo', '$argon2id$of-Bo', 1000, NULL, NULL, 4000);
INSERT INTO people (id, name, skeleton, phc, created, display, hue, last_seen) VALUES (3, 'Жук', 'жyĸ', NULL, 1000, NULL, NULL, NULL);
INSERT INTO sessions (no, person, token_sha256, created, used, label) VALUES (1, 1, x'0505050505050505050505050505050505050505050505050505050505050505', 2000, 2000, 'phone');
INSERT INTO sessions (no, person, token_sha256, created, used, label) VALUES (2, 1, x'0404040404040404040404040404040404040404040404040404040404040404', 2000, 3000, 'desk');
INSERT INTO rooms (no, id, kind, title, epoch, rules, mode) VALUES (1, 'lobby', 0, NULL, '6f9bec2c0c2b827e', 1, 0);
INSERT INTO rooms (no, id, kind, title, epoch, rules, mode) VALUES (2, '~AAAAAAAAAAAAAAAAAAADA5', 2, 'The Team', 'abcdef', 18, 4294968796);
INSERT INTO rooms (no, id, kind, title, epoch, rules, mode) VALUES (3, 'den', 1, NULL, '42', 7, 0);
INSERT INTO members (room, person, role, muted_until, received, read, posts_read) VALUES (1, 1, 3, 0, 1, 1, 0);
INSERT INTO members (room, person, role, muted_until, received, read, posts_read) VALUES (1, 2, 1, 0, 2, 2, 1);
INSERT INTO members (room, person, role, muted_until, received, read, posts_read) VALUES (2, 1, 3, 0, 9, 8, 2);
INSERT INTO members (room, person, role, muted_until, received, read, posts_read) VALUES (2, 2, 1, 0, 18, 18, 3);
INSERT INTO members (room, person, role, muted_until, received, read, posts_read) VALUES (3, 2, 3, 0, 1, 1, 0);
INSERT INTO bans (room, person) VALUES (3, -9223372036854775731);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (1, 2, 1, 3, 5000, 1, 'ann', 0, NULL, 2, 'Team', x'01000000000000000303616e6e02000000000000000002426f', NULL, NULL, NULL, 0, 1065952370);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (2, 3, 1, 3, 5100, 2, 'Bo', 0, NULL, 1, NULL, x'02000000000000000302426f', NULL, NULL, NULL, 0, 269492198);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (3, 2, 2, 1, 6100, 1, 'ann', 1, NULL, 0, 'hello again', NULL, 'k-1', 101538342499, 6700, 1, 2271984625);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (4, 2, 3, 1, 6200, 2, 'Bo', 2, 2, 0, 'hello @ann', x'01000000000000000003616e6e', NULL, NULL, NULL, 0, 1326536102);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (5, 2, 4, 18, 6300, 1, 'ann', 2, 3, 1, '👍', NULL, NULL, NULL, NULL, 0, 4090030429);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (6, 2, 5, 18, 6400, 2, 'Bo', 2, 3, 1, '👍', NULL, NULL, NULL, NULL, 0, 1083983975);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (7, 2, 6, 18, 6500, 1, 'ann', 2, 2, 1, '🎉', NULL, NULL, NULL, NULL, 0, 2529939118);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (8, 2, 7, 18, 6600, 1, 'ann', 2, 2, 0, '🎉', NULL, NULL, NULL, NULL, 0, 889647195);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (9, 2, 8, 16, 6700, 1, 'ann', 2, 2, 0, NULL, NULL, NULL, NULL, NULL, 0, 2484130920);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (10, 2, 9, 19, 6800, 1, 'ann', 2, 2, 1, NULL, NULL, NULL, NULL, NULL, 0, 383184273);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (11, 2, 10, 2, 6900, 1, 'ann', 3, NULL, 0, NULL, NULL, 'k-2', 59687358339, NULL, 0, 1610616762);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (12, 2, 11, 16, 7000, 1, 'ann', 3, 10, 0, NULL, NULL, NULL, NULL, NULL, 0, 2885178938);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (13, 2, 12, 17, 7100, 1, 'ann', 3, 10, 0, NULL, NULL, NULL, NULL, NULL, 0, 1759274160);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (14, 2, 13, 8, 7200, 1, 'ann', 3, NULL, 2, NULL, x'02000000000000000002426f', NULL, NULL, NULL, 0, 3717788899);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (15, 2, 14, 9, 7300, 1, 'ann', 3, NULL, 0, 'The Team', NULL, NULL, NULL, NULL, 0, 2822353680);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (16, 2, 15, 12, 7400, 1, 'ann', 3, NULL, 4294968796, NULL, NULL, NULL, NULL, NULL, 0, 3264477037);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (17, 2, 16, 11, 7500, 1, 'ann', 3, NULL, 99000, NULL, x'02000000000000000002426f', NULL, NULL, NULL, 0, 3421203982);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (18, 2, 17, 7, 7600, 1, 'ann', 3, NULL, 0, NULL, x'02000000000000000002426f', NULL, NULL, NULL, 0, 1454816600);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (19, 2, 18, 6, 7700, 1, 'ann', 3, NULL, 1, NULL, x'02000000000000000002426f', NULL, NULL, NULL, 0, 2811993065);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (20, 3, 2, 4, 7800, 1, 'ann', 0, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, 1842147826);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (21, 3, 3, 1, 7900, -9223372036854775731, 'gus', 1, NULL, 0, 'a guest', NULL, NULL, NULL, NULL, 0, 62659504);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (22, 3, 4, 5, 8000, 1, 'ann', 1, NULL, 0, NULL, NULL, NULL, NULL, NULL, 0, 729396745);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (23, 3, 5, 10, 8100, 2, 'Bo', 1, NULL, 1, NULL, x'4d000000000000800003677573', NULL, NULL, NULL, 0, 2175958939);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (24, 3, 6, 10, 8200, 2, 'Bo', 1, NULL, 1, NULL, x'01000000000000000003616e6e', NULL, NULL, NULL, 0, 833266155);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (25, 3, 7, 10, 8300, 2, 'Bo', 1, NULL, 0, NULL, x'01000000000000000003616e6e', NULL, NULL, NULL, 0, 294028807);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (26, 1, 1, 8, 8400, 1, 'ann', 0, NULL, 3, NULL, x'01000000000000000003616e6e', NULL, NULL, NULL, 0, 1131354097);
INSERT INTO entries (no, room, seq, kind, at, author, name, posts, about, value, text, people, key, digest, edited, pinned, crc) VALUES (27, 1, 2, 1, 8500, 2, 'Bo', 1, NULL, 0, 'hello @ann again', x'01000000000000000003616e6e', NULL, NULL, NULL, 0, 3339856409);
INSERT INTO reactions (room, post, emoji, author, name, seq) VALUES (2, 3, '👍', 1, 'ann', 4);
INSERT INTO reactions (room, post, emoji, author, name, seq) VALUES (2, 3, '👍', 2, 'Bo', 5);
INSERT INTO mentions (room, person, post) VALUES (1, 1, 2);
UPDATE sqlite_sequence SET seq = 3 WHERE name = 'sessions';
