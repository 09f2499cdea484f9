-- Made by `python -m sync_engine.ledger.schema` from migrations/. Do not edit.

CREATE TABLE allocation (       -- which payment or credit covers which invoice (R50)
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    invoice TEXT NOT NULL,
    means TEXT NOT NULL,        -- payment, credit
    amount TEXT NOT NULL,
    day TEXT,
    PRIMARY KEY (company, kind, id, invoice)
);

CREATE INDEX allocation_invoice ON allocation (company, invoice);

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

CREATE TABLE attempt (
    request_id TEXT NOT NULL,
    n INTEGER NOT NULL,
    began_at TEXT NOT NULL,
    ended_at TEXT,
    outcome TEXT,               -- answered, unknown, unavailable, rate-limited, …
    trace_id TEXT,
    PRIMARY KEY (request_id, n)
) WITHOUT ROWID;

CREATE TABLE binding (          -- the remembered answer: this CRM record is that record of the books
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    books TEXT NOT NULL,
    currency TEXT NOT NULL,     -- a customer has one currency for ever (R16); empty for items
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    by_whom TEXT NOT NULL,
    since TEXT NOT NULL,
    PRIMARY KEY (company, kind, id, books, currency)
) WITHOUT ROWID;

CREATE INDEX binding_target ON binding (books, target_kind, target_id);

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

CREATE INDEX collected_customer ON collected (pair, mapping, company, kind, id);

CREATE INDEX collected_document ON collected (document);

CREATE TABLE correction (
    key TEXT PRIMARY KEY,       -- the correction's own document
    corrects TEXT NOT NULL,     -- the key of the document that it corrects
    way TEXT NOT NULL,          -- amend, void, credit, apply (of a credit to its invoice)
    choice TEXT NOT NULL,       -- JSON: what was chosen: how much, of which line, and for what the deal said
    shares TEXT NOT NULL,       -- JSON: what a credit takes of each line of its invoice
    along_key TEXT,             -- the document that follows it: a credit's application
    along_hash TEXT             -- and its plan, approved with this one
) WITHOUT ROWID;

CREATE INDEX correction_corrects ON correction (corrects);

CREATE TABLE cursor (
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    feed TEXT NOT NULL,         -- the feed's kinds, joined by +
    value TEXT NOT NULL,        -- opaque, written by the connector
    as_of TEXT NOT NULL,        -- the server's clock at the last page
    PRIMARY KEY (pair, company, feed)
) WITHOUT ROWID;

CREATE TABLE decision (
    id INTEGER PRIMARY KEY,
    plan_hash TEXT NOT NULL,
    key TEXT NOT NULL,
    verdict TEXT NOT NULL,      -- approved, rejected, recalled
    who TEXT NOT NULL,
    policy TEXT NOT NULL,
    reason TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE INDEX decision_key ON decision (key);

CREATE TABLE document (
    key TEXT PRIMARY KEY,
    stem TEXT NOT NULL,
    generation INTEGER NOT NULL,
    pair TEXT NOT NULL,
    mapping TEXT NOT NULL,
    part TEXT NOT NULL,
    kind TEXT NOT NULL,
    company TEXT NOT NULL,      -- of the source
    source_kind TEXT NOT NULL,
    source_id TEXT NOT NULL,
    state TEXT NOT NULL,        -- skipped, blocked, planned, waiting, approved, rejected, sending,
                                -- unknown, refused, posted, voided, deleted, superseded
    reason TEXT,                -- the first finding's code, or why it was skipped
    title TEXT NOT NULL,
    content TEXT NOT NULL,      -- JSON: what it says now, for people and for comparing
    content_hash TEXT NOT NULL,
    posted_content TEXT,        -- JSON: what it said when it was posted
    net TEXT,
    currency TEXT,
    purchase_order TEXT,
    customer TEXT,              -- the customer's id in the books, or the key of its plan
    name_key TEXT,              -- folded name of a record that is to be created
    plan_hash TEXT,
    posted_id TEXT,             -- the record's id in the books
    told INTEGER NOT NULL,      -- 0: settle must look whether the CRM needs to hear of it
    checked INTEGER NOT NULL,   -- 0: reconcile must compare it again
    changed_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX document_name ON document (pair, kind, name_key) WHERE name_key IS NOT NULL;

CREATE INDEX document_order ON document (purchase_order) WHERE purchase_order IS NOT NULL;

CREATE INDEX document_pair_state ON document (pair, state, kind);

CREATE INDEX document_posted ON document (kind, posted_id) WHERE posted_id IS NOT NULL;

CREATE INDEX document_source ON document (company, source_kind, source_id);

CREATE INDEX document_stem ON document (stem);

CREATE INDEX document_unchecked ON document (pair, checked) WHERE checked = 0;

CREATE INDEX document_untold ON document (pair, told) WHERE told = 0;

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

CREATE INDEX journal_subject ON journal (subject);

CREATE TRIGGER journal_continues BEFORE INSERT ON journal
WHEN NEW.n <> (SELECT coalesce(max(n), 0) + 1 FROM journal)
BEGIN
    SELECT RAISE(ABORT, 'a journal line follows the last one');
END;

CREATE TRIGGER journal_keeps_its_lines BEFORE DELETE ON journal
BEGIN
    SELECT RAISE(ABORT, 'a journal line is never deleted');
END;

CREATE TRIGGER journal_keeps_its_words BEFORE UPDATE ON journal
BEGIN
    SELECT RAISE(ABORT, 'a journal line is never changed');
END;

CREATE TABLE member (           -- the same sets, seen from the other side
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    to_kind TEXT NOT NULL,
    to_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL,
    PRIMARY KEY (pair, company, to_kind, to_id, kind, id, role)
);

CREATE INDEX member_set ON member (pair, company, kind, id, role, to_kind);

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);

CREATE TABLE migration (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    at TEXT NOT NULL
);

CREATE TABLE mirror (           -- the books' records as they were last shown
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,
    name_key TEXT,              -- folded name, for matching
    email_key TEXT,
    sku_key TEXT,
    customer TEXT,
    day TEXT,
    net TEXT,
    total TEXT,
    marker TEXT,                -- a key of ours, or of a copy
    live INTEGER NOT NULL,      -- 0: voided, deleted
    gone INTEGER NOT NULL,      -- 1: deleted
    created_at TEXT,
    PRIMARY KEY (company, kind, id)
);

CREATE INDEX mirror_customer ON mirror (company, kind, customer, day) WHERE customer IS NOT NULL;

CREATE INDEX mirror_email ON mirror (company, kind, email_key) WHERE email_key IS NOT NULL;

CREATE INDEX mirror_marker ON mirror (company, marker) WHERE marker IS NOT NULL;

CREATE INDEX mirror_name ON mirror (company, kind, name_key) WHERE name_key IS NOT NULL;

CREATE INDEX mirror_sku ON mirror (company, kind, sku_key) WHERE sku_key IS NOT NULL;

CREATE TABLE mirror_text (      -- custom fields of the books' documents, to find an order number
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    words TEXT NOT NULL,
    id TEXT NOT NULL,
    PRIMARY KEY (company, kind, words, id)
);

CREATE INDEX mirror_text_of ON mirror_text (company, kind, id);

CREATE TABLE need (             -- which documents wait for which new customer or item
    key TEXT NOT NULL,
    need TEXT NOT NULL,
    PRIMARY KEY (key, need)
) WITHOUT ROWID;

CREATE INDEX need_of ON need (need);

CREATE TABLE outbox (           -- each change that was approved, until it has its answer
    key TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    verb TEXT NOT NULL,
    change TEXT NOT NULL,       -- JSON, references resolved: what was packed
    about TEXT NOT NULL,
    state TEXT NOT NULL,        -- queued, sending, unknown, done, refused
    request_id TEXT,
    item_id TEXT,
    asking INTEGER NOT NULL,    -- raised only after every earlier asking was definitely refused
    first_at TEXT,              -- the first attempt for this key began
    error TEXT,                 -- JSON: code, words, remedy
    PRIMARY KEY (key, plan_hash)
) WITHOUT ROWID;

CREATE INDEX outbox_parcel ON outbox (request_id) WHERE request_id IS NOT NULL;

CREATE INDEX outbox_state ON outbox (state, pair, company);

CREATE TABLE pair_state (
    pair TEXT PRIMARY KEY,
    paused_code TEXT,           -- null: it goes on
    paused_reason TEXT,
    paused_at TEXT,
    last_round_at TEXT,
    last_good_at TEXT,
    mappings_hash TEXT,
    swept_at TEXT,              -- every source was read again, the archived ones too
    last_said TEXT               -- JSON: the report of the last round
) WITHOUT ROWID;

CREATE TABLE parcel (           -- one call to come, or made
    request_id TEXT PRIMARY KEY,
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    call TEXT NOT NULL,
    body BLOB,                  -- exact bytes; dropped when settled
    body_sha256 TEXT NOT NULL,
    items TEXT NOT NULL,        -- JSON
    state TEXT NOT NULL,        -- sending, unknown, again (a definite answer asks to send it again), settled
    attempts INTEGER NOT NULL,
    first_at TEXT NOT NULL,     -- the first attempt began
    ended_at TEXT,              -- the last attempt ended; null while it runs
    not_before TEXT             -- when the other system lets us ask again
, enclosure TEXT) WITHOUT ROWID;

CREATE INDEX parcel_state ON parcel (state, pair);

CREATE TABLE plan (
    hash TEXT PRIMARY KEY,
    key TEXT NOT NULL,
    pair TEXT NOT NULL,
    change TEXT NOT NULL,       -- JSON
    title TEXT NOT NULL,
    needs TEXT NOT NULL,        -- JSON list of keys
    findings TEXT NOT NULL,     -- JSON
    mapping TEXT NOT NULL,
    mapping_version INTEGER NOT NULL,
    net TEXT,
    expected TEXT,
    tolerance TEXT,
    currency TEXT,
    made_at TEXT NOT NULL
) WITHOUT ROWID;

CREATE INDEX plan_key ON plan (key);

CREATE TABLE receipt (
    key TEXT NOT NULL,
    plan_hash TEXT NOT NULL,
    verb TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,       -- JSON: what the other system answered
    how TEXT NOT NULL,          -- answered, found (by our marker), adopted, linked (by a person)
    request_id TEXT,
    at TEXT NOT NULL,
    PRIMARY KEY (key, plan_hash)
) WITHOUT ROWID;

CREATE INDEX receipt_record ON receipt (company, kind, id);

CREATE TABLE receivable (
    pair TEXT NOT NULL,
    books TEXT NOT NULL,
    customer TEXT NOT NULL,
    look_from TEXT NOT NULL,    -- a day; empty: something moved. Beyond it an invoice ages
    PRIMARY KEY (pair, books, customer)
) WITHOUT ROWID;

CREATE INDEX receivable_customer ON receivable (books, customer);

CREATE INDEX receivable_due ON receivable (pair, books, look_from, customer);

CREATE TABLE related (          -- the whole set in a role, as it was last answered
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    role TEXT NOT NULL,
    to_kind TEXT NOT NULL,
    to_ids TEXT NOT NULL,       -- JSON list, in the system's order
    primary_id TEXT,
    reason TEXT,                -- why the set is not known
    PRIMARY KEY (pair, company, kind, id, role)
) WITHOUT ROWID;

CREATE TABLE snapshot (         -- the CRM's records as they were last shown
    pair TEXT NOT NULL,         -- each pair has its own eyes
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,       -- JSON, our names, amounts and days as typed texts
    state TEXT NOT NULL,        -- live, gone (on evidence only), merged, unreadable
    merged_into TEXT,
    reason TEXT,                -- why it could not be read
    seen_at TEXT NOT NULL,
    PRIMARY KEY (pair, company, kind, id)
) WITHOUT ROWID;

CREATE TABLE task (
    id INTEGER PRIMARY KEY,
    pair TEXT NOT NULL,
    family TEXT NOT NULL,       -- who opens and closes it: sync_engine/tasks.py
    code TEXT NOT NULL,
    subject TEXT NOT NULL,      -- the document's key, or the pair
    company TEXT,
    source_kind TEXT,
    source_id TEXT,
    title TEXT NOT NULL,
    message TEXT NOT NULL,
    remedy TEXT NOT NULL,
    choices TEXT NOT NULL,      -- JSON list
    detail TEXT NOT NULL,       -- JSON: the diff, the candidates
    net TEXT,                   -- signed: what it holds back, or what was invoiced too much
    currency TEXT,
    state TEXT NOT NULL,        -- open, answered, closed
    opened_at TEXT NOT NULL,
    closed_at TEXT,
    answer TEXT,
    answered_by TEXT,
    answer_reason TEXT
);

CREATE INDEX task_inbox ON task (id) WHERE state = 'open';

CREATE UNIQUE INDEX task_open ON task (pair, code, subject) WHERE state = 'open';

CREATE INDEX task_source ON task (company, source_kind, source_id) WHERE state = 'open';

CREATE INDEX task_subject ON task (subject, code);

CREATE TABLE touched (          -- sources to draft again, and lines whose deal is to be asked for
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    reread INTEGER NOT NULL,    -- 1: its related records must be read first
    PRIMARY KEY (pair, company, kind, id)
) WITHOUT ROWID;

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

CREATE TABLE written (          -- what the CRM was last told, to tell it only what changed
    pair TEXT NOT NULL,
    company TEXT NOT NULL,
    kind TEXT NOT NULL,
    id TEXT NOT NULL,
    fields TEXT NOT NULL,       -- JSON
    PRIMARY KEY (pair, company, kind, id)
) WITHOUT ROWID;
