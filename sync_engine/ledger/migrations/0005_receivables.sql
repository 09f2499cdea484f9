-- Whose open balance the CRM is told, and when it must be looked at again.

CREATE TABLE receivable (
    pair TEXT NOT NULL,
    books TEXT NOT NULL,
    customer TEXT NOT NULL,
    look_from TEXT NOT NULL,    -- a day; empty: something moved. Beyond it an invoice ages
    PRIMARY KEY (pair, books, customer)
) WITHOUT ROWID;
CREATE INDEX receivable_due ON receivable (pair, books, look_from, customer);
CREATE INDEX receivable_customer ON receivable (books, customer);

INSERT OR IGNORE INTO receivable (pair, books, customer, look_from)
SELECT d.pair, r.company, m.customer, '' FROM document d
JOIN receipt r ON r.key = d.key
JOIN mirror m ON m.company = r.company AND m.kind = d.kind AND m.id = d.posted_id
WHERE d.kind = 'invoice' AND m.customer IS NOT NULL;
