-- Which sources go together in one document.

CREATE TABLE collected (        -- a source's own document, and that of several which it goes with
    collective TEXT NOT NULL,   -- the key of the document of several sources
    document TEXT NOT NULL,     -- the key of the source's own, which is never sent by itself
    pair TEXT NOT NULL,
    mapping TEXT NOT NULL,
    company TEXT NOT NULL,      -- the record that the sources have in common: the customer's
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    period TEXT NOT NULL,
    first_day TEXT NOT NULL,
    last_day TEXT NOT NULL,
    currency TEXT NOT NULL,     -- empty where it is not known
    held INTEGER NOT NULL,      -- 1: it is held, and does not go along
    n INTEGER,                  -- its place among them, from 1
    lines INTEGER,              -- how many of the lines are its own
    net TEXT,                   -- what they come to
    content TEXT,               -- JSON: what the source said when they were planned
    PRIMARY KEY (collective, document)
) WITHOUT ROWID;
CREATE INDEX collected_document ON collected (document);
CREATE INDEX collected_customer ON collected (pair, mapping, company, kind, id);
