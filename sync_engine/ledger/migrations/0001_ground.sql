-- The ground under every other table: which migrations ran, a few facts about this ledger, the
-- journal and the wishes that other processes leave for the one that owns the ledger.

CREATE TABLE migration (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

-- Append-only: hash = SHA-256 of prev and of the line itself, so a changed line breaks all later ones.
CREATE TABLE journal (
    n INTEGER PRIMARY KEY,      -- 1, 2, 3 ... without a gap
    at TEXT NOT NULL,           -- instant
    who TEXT NOT NULL,          -- a person, or the stage of the engine
    what TEXT NOT NULL,         -- a verb
    subject TEXT NOT NULL,      -- the key, ref or hash that it concerns
    detail TEXT NOT NULL,       -- canonical JSON
    prev TEXT NOT NULL,         -- hash of the line before; 64 zeros for the first
    hash TEXT NOT NULL
);

CREATE TRIGGER journal_continues BEFORE INSERT ON journal
WHEN NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM journal)
BEGIN
    SELECT RAISE(ABORT, 'a journal line follows the last one');
END;

CREATE TRIGGER journal_keeps_its_words BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'a journal line is never changed');
END;

CREATE TRIGGER journal_keeps_its_lines BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'a journal line is never deleted');
END;

CREATE TABLE wish (
    id INTEGER PRIMARY KEY,
    kind TEXT NOT NULL,         -- the verb of the command line: apply, approve, resync ...
    args TEXT NOT NULL,         -- canonical JSON
    who TEXT NOT NULL,
    at TEXT NOT NULL,           -- instant
    outcome TEXT,               -- canonical JSON; NULL while it is open
    granted_at TEXT             -- instant
);

CREATE INDEX wish_open ON wish (id) WHERE outcome IS NULL;
