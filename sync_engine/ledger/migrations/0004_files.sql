-- Files of a source on their way to its invoice, and the parcels that carry one.

ALTER TABLE parcel ADD COLUMN enclosure TEXT; -- JSON: the file that is sent within the body, and where

CREATE TABLE attachment (       -- each file that a mapping wants on an invoice
    invoice TEXT NOT NULL,      -- the document's key
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,           -- the file in the CRM
    pair TEXT NOT NULL,
    version TEXT NOT NULL,      -- of the file when it was last shown
    name TEXT NOT NULL,         -- with its extension
    size_bytes INTEGER,         -- as the CRM says, null where it does not
    sha256 TEXT,                -- of its bytes, once they were read
    key TEXT,                   -- of the document that attaches these bytes
    problem TEXT,               -- the code of what keeps it off; until it changes
    PRIMARY KEY (invoice, company, kind, id)
) WITHOUT ROWID;
CREATE INDEX attachment_pair ON attachment (pair, key);
