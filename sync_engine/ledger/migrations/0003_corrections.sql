-- What a person chose to do about a posted document, beside the document that the correction is.

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
CREATE INDEX binding_target ON binding (books, target_kind, target_id);
