
CREATE INDEX pins ON entries (room, seq) WHERE pinned = 1;

PRAGMA user_version = 2;
