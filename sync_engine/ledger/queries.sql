-- Every question the ledger is asked. One header line `name: purpose`, then one statement with named
-- parameters, in SQL that SQLite and PostgreSQL share. What reads a whole table says so: (reads all).

-- === ground: migrations, meta, journal, wishes =================================================

-- migration_latest: which schema this ledger has
SELECT coalesce(max(n), 0) FROM migration;

-- migration_record: that a migration ran
INSERT INTO migration (n, name, at) VALUES (:n, :name, :at);

-- unknowns_open: calls without an answer, which the version that made them must look up (reads all)
SELECT count(*) FROM parcel WHERE state IN ('sending', 'unknown');

-- meta_get: one fact about this ledger
SELECT value FROM meta WHERE name = :name;

-- meta_set: write one fact about this ledger
INSERT INTO meta (name, value) VALUES (:name, :value)
ON CONFLICT (name) DO UPDATE SET value = excluded.value;

-- meta_clear: forget one fact about this ledger
DELETE FROM meta WHERE name = :name;

-- journal_append: one line after the last
INSERT INTO journal (n, at, who, what, subject, detail, prev, hash)
VALUES (:n, :at, :who, :what, :subject, :detail, :prev, :hash);

-- journal_last: the line that was written last
SELECT n, at, who, what, subject, detail, prev, hash FROM journal ORDER BY n DESC LIMIT 1;

-- journal_ends: the last line beside the head that is noted, at one instant
SELECT
    (SELECT value FROM meta WHERE name = 'journal_head') AS noted,
    (SELECT max(n) FROM journal) AS n,
    (SELECT hash FROM journal WHERE n = (SELECT max(n) FROM journal)) AS hash;

-- journal_after: the lines that follow a line, in their order
SELECT n, at, who, what, subject, detail, prev, hash FROM journal
WHERE n > :n ORDER BY n LIMIT :limit;

-- wish_leave: a wish for the process that owns the ledger
INSERT INTO wish (kind, args, who, at) VALUES (:kind, :args, :who, :at) RETURNING id;

-- wish_open: wishes that wait, the oldest first
SELECT id, kind, args, who, at FROM wish WHERE outcome IS NULL ORDER BY id LIMIT :limit;

-- wish_grant: what came of an open wish
UPDATE wish SET outcome = :outcome, granted_at = :at WHERE id = :id AND outcome IS NULL;

-- wish_close_all: no open wish is granted in a restored ledger
UPDATE wish SET outcome = :outcome, granted_at = :at WHERE outcome IS NULL;

-- wish_outcome: what came of a wish
SELECT outcome FROM wish WHERE id = :id;
