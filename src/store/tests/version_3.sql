
CREATE TABLE lapses (
    room INTEGER,
    person INTEGER,
    role INTEGER NOT NULL,              -- as what they come back by themselves
    muted_until INTEGER NOT NULL,
    PRIMARY KEY (room, person)
) STRICT, WITHOUT ROWID;

INSERT INTO lapses VALUES (3, 1, 0, 99000);
PRAGMA user_version = 3;
