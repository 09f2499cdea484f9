-- A ledger as years of work leave it: everything posted, told and compared. The texts are short; the
-- rows, keys and indexes are as many as :documents make them. Run in this order, once.

-- documents: invoices, three to a customer
WITH RECURSIVE many(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM many WHERE n < :documents),
named(n, stem) AS (SELECT n, printf('%08X%08X', n * 2654435761 % 4294967296, n) FROM many)
INSERT INTO document (key, stem, generation, pair, mapping, part, kind, company, source_kind, source_id,
    state, title, content, content_hash, posted_content, net, currency, purchase_order, customer,
    plan_hash, posted_id, told, checked, changed_at)
SELECT stem || '-1', stem, 1, :pair, 'deals', '', 'invoice', :crm, 'deal', 'D' || n, 'posted', 'deal ' || n,
    '{}', printf('%064x', n), '{}', '100.00', 'EUR', 'PO-' || n, 'C' || (n / 3), printf('%064x', n),
    'I' || n, 1, 1, '2025-01-01T00:00:00.000000Z' FROM named;

-- plans: one for each document
INSERT INTO plan (hash, key, pair, change, title, needs, findings, mapping, mapping_version, net,
    currency, made_at)
SELECT plan_hash, key, pair, '{}', title, '[]', '[]', mapping, 1, net, currency, changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- needs: the customer that each document waited for
INSERT INTO need (key, need) SELECT key, 'N' || customer FROM document WHERE source_id GLOB 'D[0-9]*';

-- decisions: one for each document
INSERT INTO decision (plan_hash, key, verdict, who, policy, reason, at)
SELECT plan_hash, key, 'approved', 'policy', 'automatic', '', changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- outboxes: what was sent of each document, thirty to a parcel, and what the CRM was told
INSERT INTO outbox (key, plan_hash, pair, company, kind, verb, change, about, state, request_id, item_id,
    asking, first_at)
SELECT key, plan_hash, pair, :books, kind, 'create', '{}', title, 'done',
    'P' || (CAST(substr(source_id, 2) AS INTEGER) / 30), '001', 1, changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- told: what the CRM was told, a hundred to a parcel
INSERT INTO outbox (key, plan_hash, pair, company, kind, verb, change, about, state, request_id, item_id,
    asking, first_at)
SELECT 'W' || source_id, plan_hash, pair, :crm, 'deal', 'update', '{}', title, 'done',
    'W' || (CAST(substr(source_id, 2) AS INTEGER) / 100), '001', 1, changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- parcels: what carried them
INSERT INTO parcel (request_id, pair, company, call, body_sha256, items, state, attempts, first_at,
    ended_at)
SELECT request_id, pair, min(company), 'POST batch', '', '[]', 'settled', 1, min(first_at), min(first_at)
FROM outbox WHERE request_id IS NOT NULL AND state = 'done' GROUP BY request_id, pair
ON CONFLICT DO NOTHING;

-- attempts: each was sent once
INSERT INTO attempt (request_id, n, began_at, ended_at, outcome)
SELECT request_id, 1, first_at, ended_at, 'settled' FROM parcel WHERE true ON CONFLICT DO NOTHING;

-- receipts: what the books answered
INSERT INTO receipt (key, plan_hash, verb, company, kind, id, version, fields, how, request_id, at)
SELECT key, plan_hash, 'create', :books, kind, posted_id, '0', '{}', 'answered', 'P1', changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- writings: what the CRM was told last
INSERT INTO written (pair, company, kind, id, fields)
SELECT pair, :crm, 'deal', source_id, '{}' FROM document WHERE source_id GLOB 'D[0-9]*';

-- deals: the CRM's deals
INSERT INTO snapshot (pair, company, kind, id, version, fields, state, seen_at)
SELECT pair, :crm, 'deal', source_id, '1', '{}', 'live', changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- lines: three of each deal
WITH three(n) AS (VALUES (1), (2), (3))
INSERT INTO snapshot (pair, company, kind, id, version, fields, state, seen_at)
SELECT pair, :crm, 'line_item', source_id || '.' || n, '1', '{}', 'live', changed_at
FROM document, three WHERE source_id GLOB 'D[0-9]*';

-- companies: one for three deals
INSERT INTO snapshot (pair, company, kind, id, version, fields, state, seen_at)
SELECT DISTINCT pair, :crm, 'company', customer, '1', '{}', 'live', changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- roles: which lines and company each deal has
WITH two(role, kind) AS (VALUES ('line_items', 'line_item'), ('company', 'company'))
INSERT INTO related (pair, company, kind, id, role, to_kind, to_ids)
SELECT pair, :crm, 'deal', source_id, two.role, two.kind, '[]'
FROM document, two WHERE source_id GLOB 'D[0-9]*';

-- members: the same, seen from the lines
WITH three(n) AS (VALUES (1), (2), (3))
INSERT INTO member (pair, company, to_kind, to_id, kind, id, role)
SELECT pair, :crm, 'line_item', source_id || '.' || n, 'deal', source_id, 'line_items'
FROM document, three WHERE source_id GLOB 'D[0-9]*';

-- buyers: and from the companies
INSERT INTO member (pair, company, to_kind, to_id, kind, id, role)
SELECT pair, :crm, 'company', customer, 'deal', source_id, 'company'
FROM document WHERE source_id GLOB 'D[0-9]*';

-- invoices: the books' documents
INSERT INTO mirror (company, kind, id, version, fields, customer, day, net, total, marker, live, gone,
    created_at)
SELECT :books, kind, posted_id, '0', '{}', customer, '2025-01-01', net, net, key, 1, 0, changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- customers: and whom they are for
INSERT INTO mirror (company, kind, id, version, fields, name_key, email_key, live, gone, created_at)
SELECT DISTINCT :books, 'customer', customer, '0', '{}', 'name ' || customer, customer || '@x.example', 1,
    0, changed_at FROM document WHERE source_id GLOB 'D[0-9]*';

-- bindings: which customer each company is
INSERT INTO binding (company, kind, id, books, currency, target_kind, target_id, by_whom, since)
SELECT DISTINCT :crm, 'company', customer, :books, 'EUR', 'customer', customer, 'matching', changed_at
FROM document WHERE source_id GLOB 'D[0-9]*';

-- orders: the order number of each invoice
INSERT INTO mirror_text (company, kind, words, id)
SELECT :books, kind, purchase_order, posted_id FROM document WHERE source_id GLOB 'D[0-9]*';

-- payments: one of three invoices is paid
INSERT INTO allocation (company, kind, id, invoice, means, amount, day)
SELECT :books, 'payment', 'Q' || posted_id, posted_id, 'payment', net, '2025-02-01'
FROM document WHERE source_id GLOB 'D[0-9]*' AND posted_id LIKE '%1';

-- closed: a task of each fiftieth that a person answered long ago
INSERT INTO task (pair, family, code, subject, company, source_kind, source_id, title, message, remedy,
    choices, detail, state, opened_at, closed_at, answer)
SELECT pair, 'finding', 'twin?', key, :crm, 'deal', source_id, title, '', '', '[]', '{}', 'answered',
    changed_at, changed_at, 'create' FROM document WHERE source_id GLOB 'D[0-9]*' AND source_id LIKE '%50';
