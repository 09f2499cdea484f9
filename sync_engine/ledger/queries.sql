-- Every question the ledger is asked. One header line `name: purpose`, then one statement with named
-- parameters, in SQL that SQLite and PostgreSQL share. What reads a whole table says so: (reads all).
-- CROSS JOIN, and id > 0 beside a state, keep to an index also where ANALYZE was run.

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

-- meta_of_pairs: one fact for each pair that has read anything, where there is none (reads all)
INSERT INTO meta (name, value) SELECT DISTINCT :prefix || pair, :value FROM cursor WHERE true
ON CONFLICT (name) DO NOTHING;

-- meta_clear: forget one fact about this ledger
DELETE FROM meta WHERE name = :name;

-- journal_append: one line after the last
INSERT INTO journal (n, at, who, what, subject, detail, prev, hash)
VALUES (:n, :at, :who, :what, :subject, :detail, :prev, :hash);

-- journal_last: the line that was written last
SELECT n, at, who, what, subject, detail, prev, hash FROM journal ORDER BY n DESC LIMIT 1;

-- journal_first_at: when this ledger was begun
SELECT at FROM journal WHERE n = 1;

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

-- === observe: cursors, snapshots, relations ====================================================

-- cursor_get: where a feed was read up to
SELECT value FROM cursor WHERE pair = :pair AND company = :company AND feed = :feed;

-- cursor_set: where a feed is read up to now
INSERT INTO cursor (pair, company, feed, value, as_of)
VALUES (:pair, :company, :feed, :value, :as_of)
ON CONFLICT (pair, company, feed) DO UPDATE SET value = excluded.value, as_of = excluded.as_of;

-- cursor_step: how far a walk has come that has not reached its end
INSERT INTO cursor (pair, company, feed, value, as_of)
VALUES (:pair, :company, :feed, :value, :as_of)
ON CONFLICT (pair, company, feed) DO UPDATE SET value = excluded.value;

-- cursors_of_pair: how fresh each feed is
SELECT company, feed, as_of FROM cursor WHERE pair = :pair ORDER BY company, feed;

-- snapshot_get: a CRM record as it was last shown
SELECT version, fields, state, merged_into, reason, seen_at FROM snapshot
WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id;

-- snapshot_set: what a CRM record shows now
INSERT INTO snapshot (pair, company, kind, id, version, fields, state, seen_at)
VALUES (:pair, :company, :kind, :id, :version, :fields, :state, :seen_at)
ON CONFLICT (pair, company, kind, id) DO UPDATE SET version = excluded.version, fields = excluded.fields,
    state = excluded.state, merged_into = NULL, reason = NULL, seen_at = excluded.seen_at;

-- snapshot_mark: a CRM record that is gone, merged or could not be read; its fields stay
INSERT INTO snapshot (pair, company, kind, id, version, fields, state, merged_into, reason, seen_at)
VALUES (:pair, :company, :kind, :id, '', '{}', :state, :merged_into, :reason, :seen_at)
ON CONFLICT (pair, company, kind, id) DO UPDATE SET state = excluded.state,
    merged_into = excluded.merged_into, reason = excluded.reason, seen_at = excluded.seen_at;

-- related_get: the set of records in a role to one record
SELECT to_kind, to_ids, primary_id, reason FROM related
WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id AND role = :role;

-- related_set: the whole set as it was answered
INSERT INTO related (pair, company, kind, id, role, to_kind, to_ids, primary_id, reason)
VALUES (:pair, :company, :kind, :id, :role, :to_kind, :to_ids, :primary_id, :reason)
ON CONFLICT (pair, company, kind, id, role) DO UPDATE SET to_kind = excluded.to_kind,
    to_ids = excluded.to_ids, primary_id = excluded.primary_id, reason = excluded.reason;

-- member_clear: forget a set, seen from its members
DELETE FROM member
WHERE pair = :pair AND company = :company AND to_kind = :to_kind AND kind = :kind AND id = :id AND role = :role;

-- member_add: one member of a set
INSERT INTO member (pair, company, to_kind, to_id, kind, id, role)
VALUES (:pair, :company, :to_kind, :to_id, :kind, :id, :role)
ON CONFLICT DO NOTHING;

-- member_owners: to which records a record belongs
SELECT DISTINCT kind, id FROM member
WHERE pair = :pair AND company = :company AND to_kind = :to_kind AND to_id = :to_id;

-- touch: a source is to be drafted again
INSERT INTO touched (pair, company, kind, id, reread)
VALUES (:pair, :company, :kind, :id, :reread)
ON CONFLICT (pair, company, kind, id) DO UPDATE SET reread = max(reread, excluded.reread);

-- touch_members: the sources that name a record are to be drafted again
INSERT INTO touched (pair, company, kind, id, reread)
SELECT pair, company, kind, id, 0 FROM member
WHERE pair = :pair AND company = :company AND to_kind = :kind AND to_id = :id
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- touched_to_read: touched sources whose related records must be read first
SELECT t.id, s.state, s.fields FROM touched t
JOIN snapshot s ON s.pair = t.pair AND s.company = t.company AND s.kind = t.kind AND s.id = t.id
WHERE t.pair = :pair AND t.company = :company AND t.kind = :kind AND t.reread = 1
LIMIT :limit;

-- touched_read: their related records have been read
UPDATE touched SET reread = 0
WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id;

-- touched_of: touched sources, ready to be drafted
SELECT id FROM touched WHERE pair = :pair AND company = :company AND kind = :kind AND reread = 0
AND id > :after ORDER BY id LIMIT :limit;

-- touched_strangers: records of a kind whose owners are to be asked for
SELECT id FROM touched WHERE pair = :pair AND company = :company AND kind = :kind AND id > :after
ORDER BY id LIMIT :limit;

-- stranger_known: its owners are known, and touched
DELETE FROM touched WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id;

-- untouch: a source was drafted
DELETE FROM touched WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id
AND reread = 0;

-- pending_again: plans of a pair that are not sent yet are to be made again
INSERT INTO touched (pair, company, kind, id, reread)
SELECT pair, company, source_kind, source_id, 0 FROM document
WHERE pair = :pair AND state IN ('blocked', 'planned', 'collected', 'waiting', 'approved')
AND kind IN ('invoice', 'payment', 'credit_memo')
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- touch_due: sources of which a part was not due, and its day has come
INSERT INTO touched (pair, company, kind, id, reread)
SELECT DISTINCT pair, company, source_kind, source_id, 0 FROM document
WHERE pair = :pair AND state = 'planned' AND reason >= :first AND reason <= :last
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- left_out_again: sources that the mappings left out are to be made again (reads all)
INSERT INTO touched (pair, company, kind, id, reread)
SELECT pair, company, source_kind, source_id, 1 FROM document
WHERE pair = :pair AND kind IN ('invoice', 'payment', 'credit_memo')
AND (state = 'skipped' OR state IN ('posted', 'voided', 'deleted') AND reason IS NOT NULL)
ON CONFLICT (pair, company, kind, id) DO UPDATE SET reread = 1;

-- pending_everywhere: and those of every pair, for books have moved that they may share
INSERT INTO touched (pair, company, kind, id, reread)
SELECT d.pair, d.company, d.source_kind, d.source_id, 0 FROM pair_state CROSS JOIN document d
WHERE d.pair = pair_state.pair
AND d.state IN ('blocked', 'planned', 'collected', 'waiting', 'approved')
AND d.kind IN ('invoice', 'payment', 'credit_memo')
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- dependants_again: what waits for a record is to be planned again
INSERT INTO touched (pair, company, kind, id, reread)
SELECT d.pair, d.company, d.source_kind, d.source_id, 0 FROM need n
JOIN document d ON d.key = n.key WHERE n.need = :need AND d.pair = :pair
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- === mirror: the books' records ================================================================

-- mirror_get: one record of the books
SELECT * FROM mirror WHERE company = :company AND kind = :kind AND id = :id;

-- mirror_set: what a record of the books shows now
INSERT INTO mirror (company, kind, id, version, fields, name_key, email_key, sku_key, customer, day,
    net, total, marker, live, gone, created_at)
VALUES (:company, :kind, :id, :version, :fields, :name_key, :email_key, :sku_key, :customer, :day,
    :net, :total, :marker, :live, 0, :created_at)
ON CONFLICT (company, kind, id) DO UPDATE SET version = excluded.version, fields = excluded.fields,
    name_key = excluded.name_key, email_key = excluded.email_key, sku_key = excluded.sku_key,
    customer = excluded.customer, day = excluded.day, net = excluded.net, total = excluded.total,
    marker = excluded.marker, live = excluded.live, gone = 0,
    created_at = coalesce(excluded.created_at, mirror.created_at);

-- mirror_fields: what our own answer says of a record before the feed does
UPDATE mirror SET fields = :fields WHERE company = :company AND kind = :kind AND id = :id;

-- mirror_version: only the version moved
UPDATE mirror SET version = :version WHERE company = :company AND kind = :kind AND id = :id;

-- mirror_gone: the books deleted a record
UPDATE mirror SET gone = 1, live = 0
WHERE company = :company AND kind = :kind AND id = :id AND gone = 0;

-- mirror_by_name: records of a kind with a folded name
SELECT * FROM mirror WHERE company = :company AND kind = :kind AND name_key = :value;

-- mirror_by_email: records of a kind with a folded e-mail address
SELECT * FROM mirror WHERE company = :company AND kind = :kind AND email_key = :value;

-- mirror_by_sku: records of a kind with a folded stock keeping unit
SELECT * FROM mirror WHERE company = :company AND kind = :kind AND sku_key = :value;

-- mirror_all: all records of a kind, for a clue that has no index (reads all)
SELECT * FROM mirror WHERE company = :company AND kind = :kind;

-- mirror_of_customer: a customer's documents of some days
SELECT * FROM mirror WHERE company = :company AND kind = :kind AND customer = :customer
AND day BETWEEN :since AND :until AND live = 1 AND gone = 0;

-- mirror_made_since: a customer's living documents without a mark, made since an instant
SELECT id, net, total FROM mirror
WHERE company = :company AND kind = :kind AND customer = :customer AND created_at >= :since
AND marker IS NULL AND live = 1 AND gone = 0;

-- mirror_living: the documents of the books that lived when they were last shown (reads all)
SELECT kind, id FROM mirror WHERE company = :company AND kind = :kind AND live = 1 AND gone = 0;

-- mirror_by_hand: the living documents of a kind that people made and that are linked to none of ours (reads all)
SELECT m.* FROM mirror m
WHERE m.company = :company AND m.kind = :kind AND m.marker IS NULL AND m.live = 1 AND m.gone = 0
AND NOT EXISTS (SELECT 1 FROM receipt r JOIN document d ON d.key = r.key AND d.posted_id = r.id
    WHERE r.company = m.company AND r.kind = m.kind AND r.id = m.id);

-- found_again: the books' living documents with a mark that this ledger never asked for (reads all)
SELECT count(*) AS found, count(d.key) AS linked FROM mirror m LEFT JOIN document d ON d.key = m.marker
WHERE m.company = :company AND m.marker IS NOT NULL AND m.live = 1 AND m.gone = 0
AND m.kind IN ('invoice', 'payment', 'credit_memo', 'refund')
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.key = m.marker AND o.first_at IS NOT NULL);

-- former_made: one record of the books, be it a customer or voided, that an earlier ledger asked for
SELECT m.kind FROM mirror m WHERE m.company = :company AND m.marker IS NOT NULL
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.key = m.marker AND o.first_at IS NOT NULL) LIMIT 1;

-- found_unlinked: those of them that are linked to no document (reads all)
SELECT m.kind, m.id, m.marker, m.fields, m.day, m.total FROM mirror m
WHERE m.company = :company AND m.marker IS NOT NULL AND m.live = 1 AND m.gone = 0
AND m.kind IN ('invoice', 'payment', 'credit_memo', 'refund')
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.key = m.marker AND o.first_at IS NOT NULL)
AND NOT EXISTS (SELECT 1 FROM document d WHERE d.key = m.marker)
ORDER BY m.kind, m.id LIMIT :limit;

-- mirror_by_marker: the records that carry a marker
SELECT id, kind, fields, live, gone, created_at FROM mirror
WHERE company = :company AND marker = :marker;

-- mirror_of_marker: the record of a kind that carries a marker: a living one, else a voided; the oldest
SELECT * FROM mirror WHERE company = :company AND marker = :marker AND kind = :kind
ORDER BY live DESC, gone, created_at LIMIT 1;

-- mirror_generations: the records that carry a mark of any generation of a document
SELECT * FROM mirror
WHERE company = :company AND marker >= :first AND marker < :behind AND kind = :kind;

-- mirror_text_clear: forget a document's custom fields
DELETE FROM mirror_text WHERE company = :company AND kind = :kind AND id = :id;

-- mirror_text_add: one text of a document's custom fields
INSERT INTO mirror_text (company, kind, words, id) VALUES (:company, :kind, :words, :id)
ON CONFLICT DO NOTHING;

-- mirror_by_words: documents that carry a text in a custom field
SELECT m.* FROM mirror_text t
JOIN mirror m ON m.company = t.company AND m.kind = t.kind AND m.id = t.id
WHERE t.company = :company AND t.kind = :kind AND t.words = :words;

-- allocations_of: what a payment covers
SELECT invoice, amount FROM allocation WHERE company = :company AND kind = :kind AND id = :id;

-- allocations_clear: forget what a payment covers
DELETE FROM allocation WHERE company = :company AND kind = :kind AND id = :id;

-- allocation_add: a part of a payment or credit, on an invoice
INSERT INTO allocation (company, kind, id, invoice, means, amount, day)
VALUES (:company, :kind, :id, :invoice, :means, :amount, :day)
ON CONFLICT (company, kind, id, invoice) DO UPDATE SET amount = excluded.amount, day = excluded.day;

-- allocations_on: what covers an invoice
SELECT kind, id, means, amount, day FROM allocation WHERE company = :company AND invoice = :invoice;

-- === documents and plans =======================================================================

-- document_get: one document
SELECT * FROM document WHERE key = :key;

-- document_generation: the latest generation of a document
SELECT max(generation) FROM document WHERE stem = :stem;

-- documents_before: the earlier generations of a document, but for what is not answered yet
SELECT key FROM document WHERE stem = :stem AND generation < :generation
AND state NOT IN ('sending', 'unknown', 'superseded');

-- document_put: what a document is now, before anything was sent
INSERT INTO document (key, stem, generation, pair, mapping, part, kind, company, source_kind, source_id,
    state, reason, title, content, content_hash, net, currency, purchase_order, customer, name_key,
    plan_hash, told, checked, changed_at)
VALUES (:key, :stem, :generation, :pair, :mapping, :part, :kind, :company, :source_kind, :source_id,
    :state, :reason, :title, :content, :content_hash, :net, :currency, :purchase_order, :customer,
    :name_key, :plan_hash, 0, 0, :at)
ON CONFLICT (key) DO UPDATE SET state = excluded.state, reason = excluded.reason,
    title = excluded.title, content = excluded.content, content_hash = excluded.content_hash,
    net = excluded.net, currency = excluded.currency, purchase_order = excluded.purchase_order,
    customer = excluded.customer, name_key = excluded.name_key, plan_hash = excluded.plan_hash,
    posted_content = NULL, told = 0, checked = 0, changed_at = excluded.changed_at;

-- document_now: what the source of a posted document says now
UPDATE document SET content = :content, content_hash = :content_hash, net = :net, reason = :reason,
    currency = :currency, purchase_order = :purchase_order, checked = 0, told = 0,
    changed_at = :at
WHERE key = :key;

-- document_state: another state, and why
UPDATE document SET state = :state, reason = :reason, told = 0, checked = 0, changed_at = :at
WHERE key = :key;

-- document_sending: it is in a parcel that is about to be sent
UPDATE document SET state = 'sending', reason = NULL, changed_at = :at
WHERE key = :key AND state <> 'posted';

-- document_posted: the books have it; what became of its source meanwhile stays its reason
UPDATE document SET state = 'posted', posted_id = :posted_id,
    reason = CASE WHEN state IN ('sending', 'unknown') AND reason IN ('gone', 'merged', 'not-won')
        THEN reason END,
    customer = coalesce(:customer, customer), posted_content = coalesce(posted_content, content),
    told = 0, checked = 0, changed_at = :at
WHERE key = :key;

-- document_look: settle and reconcile must look at the document that a record of the books is
UPDATE document SET told = 0, checked = 0 WHERE kind = :kind AND posted_id = :posted_id;

-- documents_look_order: reconcile must look at the documents that carry an order number
UPDATE document SET checked = 0 WHERE purchase_order = :purchase_order AND kind = :kind;

-- document_told: the CRM was told, or needs not hear of it
UPDATE document SET told = 1 WHERE key = :key;

-- document_checked: its three sides were compared
UPDATE document SET checked = 1 WHERE key = :key;

-- document_of_record: whose record of the books this is, its corrections aside
SELECT d.* FROM receipt r JOIN document d ON d.key = r.key AND d.posted_id = r.id
WHERE r.company = :company AND r.kind = :kind AND r.id = :id AND d.kind <> 'correction' ORDER BY d.generation DESC LIMIT 1;

-- touch_held_beside: what is held of a document's source beside it, by any pair, is to be planned again
INSERT INTO touched (pair, company, kind, id, reread)
SELECT o.pair, o.company, o.source_kind, o.source_id, 0 FROM document d CROSS JOIN document o
    ON o.company = d.company AND o.source_kind = d.source_kind AND o.source_id = d.source_id
WHERE d.key = :key AND o.key <> d.key AND o.state = 'blocked'
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- touch_held_kin: what is held of a source that names this document's, or that its own names
INSERT INTO touched (pair, company, kind, id, reread)
SELECT o.pair, o.company, o.source_kind, o.source_id, 0 FROM document d CROSS JOIN member m CROSS JOIN document o
    ON m.pair = d.pair AND m.company = d.company AND m.to_kind = d.source_kind AND m.to_id = d.source_id
    AND o.company = m.company AND o.source_kind = m.kind AND o.source_id = m.id
WHERE d.key = :key AND o.pair = d.pair AND o.state = 'blocked'
UNION
SELECT o.pair, o.company, o.source_kind, o.source_id, 0 FROM document d CROSS JOIN member m CROSS JOIN document o
    ON m.pair = d.pair AND m.company = d.company AND m.kind = d.source_kind AND m.id = d.source_id
    AND o.company = m.company AND o.source_kind = m.to_kind AND o.source_id = m.to_id
WHERE d.key = :key AND o.pair = d.pair AND o.state = 'blocked'
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- documents_naming: a pair's documents of sources of another kind that name a record
SELECT DISTINCT d.* FROM member m CROSS JOIN document d
ON d.company = m.company AND d.source_kind = m.kind AND d.source_id = m.id
WHERE m.pair = :pair AND m.company = :company AND m.to_kind = :kind AND m.to_id = :id
AND m.kind <> :kind AND d.pair = :pair AND d.kind = :of ORDER BY d.generation DESC, d.key;

-- named_by: the records of other kinds that a record names
SELECT DISTINCT to_kind, to_id FROM member
WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id AND to_kind <> :kind;

-- documents_of_named: a pair's documents that were born from such a record
SELECT * FROM document
WHERE company = :company AND source_kind = :kind AND source_id = :id AND pair = :pair AND kind = :of
ORDER BY generation DESC, key;

-- documents_of_source: every document that was born from a source
SELECT * FROM document
WHERE company = :company AND source_kind = :source_kind AND source_id = :source_id
ORDER BY generation DESC, key;

-- documents_with_order: documents that carry a purchase order number
SELECT * FROM document WHERE purchase_order = :purchase_order AND kind = :kind;

-- payments_to_come: the plans of a deal's payments that are not in the books yet
SELECT d.key, d.source_id, p.change FROM member m CROSS JOIN document d CROSS JOIN plan p
WHERE m.pair = :pair AND m.company = :company AND m.to_kind = :kind AND m.to_id = :id
AND d.company = m.company AND d.source_kind = m.kind AND d.source_id = m.id
AND d.pair = m.pair AND d.kind = 'payment'
AND d.state IN ('planned', 'waiting', 'approved', 'sending', 'unknown')
AND p.hash = d.plan_hash;

-- documents_in_state: a pair's documents in one state, from behind one of them on
SELECT * FROM document WHERE pair = :pair AND state = :state AND (kind, key) > (:kind, :key)
ORDER BY kind, key LIMIT :limit;

-- documents_of_plan: the documents whose present plan has a hash in this range
SELECT d.* FROM plan p CROSS JOIN document d
WHERE p.hash >= :first AND p.hash < :behind
AND d.key = p.key AND d.plan_hash = p.hash AND d.pair = :pair;

-- documents_linked: the documents of a pair that a person linked to what the books had
SELECT d.* FROM document d CROSS JOIN receipt r
WHERE d.pair = :pair AND d.state = 'posted' AND d.kind = :kind
AND r.key = d.key AND r.plan_hash = 'linked'
ORDER BY d.key;

-- documents_new: what each new plan comes to, for judging them all together
SELECT net, currency FROM document
WHERE pair = :pair AND state = 'planned' AND kind NOT IN ('customer', 'item', 'attachment', 'print')
AND coalesce(reason, '') NOT LIKE 'not-due%';

-- plans_waiting: the hashes of all plans of a pair that wait for a person
SELECT plan_hash FROM document WHERE pair = :pair AND state = 'waiting' ORDER BY plan_hash;

-- documents_untold: documents about which the CRM may need to hear
SELECT * FROM document WHERE pair = :pair AND told = 0 AND key > :after ORDER BY key LIMIT :limit;

-- documents_unchecked: documents whose sides are to be compared
SELECT * FROM document WHERE pair = :pair AND checked = 0 LIMIT :limit;

-- invoices_drifted: posted invoices to be compared whose source says otherwise than they were posted
SELECT * FROM document WHERE pair = :pair AND checked = 0 AND kind = 'invoice' AND state = 'posted'
AND content <> posted_content AND key > :after ORDER BY key LIMIT :limit;

-- documents_ready: approved documents whose needs the books have; records that one of them needs
SELECT d.* FROM document d WHERE d.pair = :pair AND d.state = 'approved'
AND NOT EXISTS (SELECT 1 FROM need n JOIN document w ON w.key = n.need
    WHERE n.key = d.key AND w.posted_id IS NULL)
AND (d.kind NOT IN ('customer', 'item') OR EXISTS (SELECT 1 FROM need n JOIN document f
    ON f.key = n.key WHERE n.need = d.key AND f.state = 'approved'))
LIMIT :limit;

-- documents_held: whether anything is blocked for one reason
SELECT key FROM document WHERE pair = :pair AND state = 'blocked' AND reason = :reason LIMIT 1;

-- sources_leaving: where the documents come from that are about to be sent, or sent again
SELECT company, source_kind, source_id FROM document
WHERE pair = :pair AND state = 'approved' AND kind NOT IN ('customer', 'item', 'attachment', 'print')
UNION SELECT d.company, d.source_kind, d.source_id FROM parcel p
JOIN outbox o ON o.request_id = p.request_id JOIN document d ON d.key = o.key
WHERE p.pair = :pair AND p.state = 'again' AND d.kind NOT IN ('customer', 'item', 'attachment', 'print')
UNION SELECT m.company, m.source_kind, m.source_id FROM document d
JOIN collected c ON c.collective = d.key JOIN document m ON m.key = c.document
WHERE d.pair = :pair AND d.state = 'approved' AND c.held = 0;

-- document_counts: how many documents of a pair are in which state, not due beside planned (reads all)
SELECT kind, CASE WHEN state = 'planned' AND reason LIKE 'not-due%' THEN 'not-due' ELSE state END AS state,
    count(*) AS n
FROM document WHERE pair = :pair GROUP BY 1, 2 ORDER BY 2, 1;

-- planned_by_name: plans that will create a record of this folded name
SELECT key, currency, state FROM document WHERE pair = :pair AND kind = :kind AND name_key = :name
AND state NOT IN ('posted', 'voided', 'deleted', 'skipped', 'rejected');

-- needs_clear: forget what a document waited for and does not have yet
DELETE FROM need WHERE key = :key
AND need IN (SELECT w.key FROM document w WHERE w.key = need.need AND w.posted_id IS NULL);

-- needs_unwanted: new records that no document waits for any more
SELECT * FROM document
WHERE pair = :pair AND state IN ('planned', 'approved', 'refused') AND kind IN ('customer', 'item')
AND NOT EXISTS (SELECT 1 FROM need n WHERE n.need = document.key);

-- made_elsewhere: new records that a pair plans, and that another pair of its books has posted meanwhile
SELECT d.key, o.key AS made_by, o.kind, o.posted_id, p.change = q.change AND d.currency IS o.currency AS same
FROM document d CROSS JOIN pair_state CROSS JOIN document o
    ON o.pair = pair_state.pair AND o.kind = d.kind AND o.name_key = d.name_key
JOIN mirror m ON m.company = :books AND m.kind = o.kind AND m.id = o.posted_id
JOIN plan p ON p.hash = d.plan_hash JOIN plan q ON q.hash = o.plan_hash
WHERE d.pair = :pair AND d.state IN ('planned', 'approved') AND d.kind IN ('customer', 'item')
AND pair_state.pair <> d.pair AND m.name_key = d.name_key AND m.gone = 0
ORDER BY d.key, same DESC;

-- need_goes: one document that waits for a new record and is not held itself
SELECT d.key FROM need n JOIN document d ON d.key = n.key
WHERE n.need = :need AND d.state IN ('planned', 'waiting', 'approved') LIMIT 1;

-- need_first: which of the documents that wait for a new record words it
SELECT min(key) FROM need WHERE need = :need;

-- needs_plans: the plans that are approved with a document's own, also what was made of them since
SELECT w.plan_hash FROM need n JOIN document w ON w.key = n.need
WHERE n.key = :key AND w.plan_hash IS NOT NULL;

-- need_add: a document waits for a new record
INSERT INTO need (key, need) VALUES (:key, :need) ON CONFLICT DO NOTHING;

-- needs_made: what a document waited for, and the id that it has now
SELECT n.need, w.kind, w.posted_id FROM need n JOIN document w ON w.key = n.need
WHERE n.key = :key AND w.posted_id IS NOT NULL;

-- needs_planned: the new records that a document waits for and nobody decided about yet
SELECT w.* FROM need n JOIN document w ON w.key = n.need
WHERE n.key = :key AND w.state = 'planned';

-- plan_put: a plan, frozen
INSERT INTO plan (hash, key, pair, change, title, needs, findings, mapping, mapping_version, net,
    expected, tolerance, currency, made_at)
VALUES (:hash, :key, :pair, :change, :title, :needs, :findings, :mapping, :mapping_version, :net,
    :expected, :tolerance, :currency, :made_at)
ON CONFLICT (hash) DO UPDATE SET findings = excluded.findings, needs = excluded.needs;

-- plan_get: a plan by its hash
SELECT * FROM plan WHERE hash = :hash;

-- decision_add: what was decided about a plan
INSERT INTO decision (plan_hash, key, verdict, who, policy, reason, at)
VALUES (:plan_hash, :key, :verdict, :who, :policy, :reason, :at);

-- decisions_of: everything that was decided about a document
SELECT plan_hash, verdict, who, policy, reason, at FROM decision WHERE key = :key ORDER BY id;

-- === push: outbox, parcels, attempts, receipts =================================================

-- outbox_queue: an approved change, to be sent; one that was refused is asked anew
INSERT INTO outbox (key, plan_hash, pair, company, kind, verb, change, about, state, asking)
VALUES (:key, :plan_hash, :pair, :company, :kind, :verb, :change, :about, 'queued', 1)
ON CONFLICT (key, plan_hash) DO UPDATE SET state = 'queued', change = excluded.change,
    asking = outbox.asking + 1, request_id = NULL, item_id = NULL, error = NULL
WHERE outbox.state = 'refused';

-- outbox_tell: a write-back; what was told before may be told again
INSERT INTO outbox (key, plan_hash, pair, company, kind, verb, change, about, state, asking)
VALUES (:key, :plan_hash, :pair, :company, :kind, :verb, :change, :about, 'queued', 1)
ON CONFLICT (key, plan_hash) DO UPDATE SET state = 'queued', change = excluded.change,
    asking = outbox.asking + 1, request_id = NULL, item_id = NULL, error = NULL
WHERE outbox.state IN ('done', 'refused');

-- outbox_supersede: a queued write-back gives way to the next; how often it was asked is kept
UPDATE outbox SET state = 'refused' WHERE key = :key AND state = 'queued' AND request_id IS NULL;

-- outbox_queued: changes for one company that wait to be packed
SELECT * FROM outbox WHERE pair = :pair AND state = 'queued' AND company = :company
ORDER BY kind, key LIMIT :limit;

-- outbox_open_of: a change of this key that has no answer yet
SELECT key, state FROM outbox WHERE key = :key AND state IN ('sending', 'unknown');

-- outbox_sending: a change goes out in a parcel
UPDATE outbox SET state = 'sending', request_id = :request_id, item_id = :item_id,
    first_at = coalesce(first_at, :at)
WHERE key = :key AND state IN ('queued', 'sending', 'unknown');

-- outbox_unknown: a change got no answer
UPDATE outbox SET state = 'unknown', error = :error WHERE key = :key AND plan_hash = :plan_hash;

-- outbox_state: a change got its answer
UPDATE outbox SET state = :state, error = :error WHERE key = :key AND plan_hash = :plan_hash;

-- outbox_requeue: what a parcel's answer left undone is packed again
UPDATE outbox SET state = 'queued', asking = asking + 1, request_id = NULL, item_id = NULL
WHERE request_id = :request_id AND state = 'sending';

-- outbox_anew: a change that looking proved absent is packed again
UPDATE outbox SET state = 'queued', asking = asking + 1, request_id = NULL, item_id = NULL
WHERE key = :key AND plan_hash = :plan_hash AND state = 'unknown';

-- outbox_of_parcel: the changes in a parcel
SELECT * FROM outbox WHERE request_id = :request_id;

-- outbox_unknown_of: the changes of a parcel whose outcome is not known
SELECT * FROM outbox WHERE request_id = :request_id AND state = 'unknown';

-- outbox_counts: how many changes of a pair are not done; again: refused for now, to be asked again
SELECT CASE p.state WHEN 'again' THEN p.state ELSE o.state END AS state, count(*) AS n
FROM outbox o LEFT JOIN parcel p ON p.request_id = o.request_id
WHERE o.pair = :pair AND o.state IN ('queued', 'sending', 'unknown') GROUP BY 1;

-- asked: whether we have ever asked for a document, and have the answer or miss it
SELECT key FROM outbox WHERE key = :key AND first_at IS NOT NULL LIMIT 1;

-- parcel_sending: the intent, with the exact bytes, before they are sent
INSERT INTO parcel (request_id, pair, company, call, body, body_sha256, enclosure, items, state,
    attempts, first_at)
VALUES (:request_id, :pair, :company, :call, :body, :body_sha256, :enclosure, :items, 'sending',
    :attempts, :at)
ON CONFLICT (request_id) DO UPDATE SET state = 'sending', attempts = excluded.attempts,
    ended_at = NULL, not_before = NULL;

-- parcel_ended: an attempt ended, with or without an answer; settled bytes are dropped
UPDATE parcel SET state = :state, ended_at = :at, not_before = :not_before,
    body = CASE WHEN :state = 'settled' THEN NULL ELSE body END
WHERE request_id = :request_id;

-- parcel_state: looking settled a parcel, or found that it may be sent again
UPDATE parcel SET state = :state, not_before = NULL,
    body = CASE WHEN :state = 'settled' THEN NULL ELSE body END
WHERE request_id = :request_id;

-- parcels_again: parcels whose exact bytes may be sent again
SELECT * FROM parcel WHERE pair = :pair AND state = 'again' ORDER BY first_at;

-- again_of: whether the call that a document's change is in was refused for now
SELECT p.not_before FROM outbox o JOIN parcel p ON p.request_id = o.request_id
WHERE o.key = :key AND o.state IN ('sending', 'unknown') AND p.state = 'again' LIMIT 1;

-- parcels_moved: parcels to be sent again whose source says something else now, or of which another pair made one
SELECT DISTINCT p.request_id FROM parcel p JOIN outbox o ON o.request_id = p.request_id
JOIN document d ON d.key = o.key
WHERE p.pair = :pair AND p.state = 'again' AND o.state IN ('sending', 'unknown')
AND (d.content <> d.posted_content OR EXISTS (SELECT 1 FROM correction c
    JOIN document i ON i.key = c.corrects WHERE c.key = d.key AND i.changed_at > p.ended_at)
OR d.kind IN ('customer', 'item') AND EXISTS (SELECT 1 FROM pair_state CROSS JOIN document m
    ON m.pair = pair_state.pair AND m.kind = d.kind AND m.name_key = d.name_key
    JOIN mirror r ON r.company = p.company AND r.kind = m.kind AND r.id = m.posted_id
    WHERE pair_state.pair <> d.pair AND r.name_key = d.name_key AND r.gone = 0));

-- parcels_doubted: what was to be sent again when a backup was made may have been sent since
UPDATE parcel SET state = 'sending' WHERE state = 'again';

-- files_doubted: so may a file that was planned and in no call yet; it is looked for again (reads all)
UPDATE attachment SET sha256 = NULL, key = NULL WHERE key IN (SELECT d.key FROM document d
    WHERE d.kind IN ('attachment', 'print') AND d.state IN ('planned', 'approved', 'sending')
    AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.key = d.key AND o.request_id IS NOT NULL));

-- files_doubted_put_back: what was planned of it is as if it never was (reads all)
DELETE FROM document WHERE kind IN ('attachment', 'print')
AND state IN ('planned', 'approved', 'sending')
AND NOT EXISTS (SELECT 1 FROM outbox o WHERE o.key = document.key AND o.request_id IS NOT NULL);

-- files_doubted_unqueued: and nothing of it waits to be sent (reads all)
DELETE FROM outbox WHERE kind IN ('attachment', 'print') AND request_id IS NULL
AND key NOT IN (SELECT key FROM document);

-- parcel_elsewhere: a call of a pair to a company that the pair has no more
SELECT company FROM parcel WHERE pair = :pair AND state IN ('sending', 'unknown', 'again')
AND company NOT IN (:crm, :books) LIMIT 1;

-- parcels_unknown: parcels whose outcome is not known
SELECT * FROM parcel WHERE pair = :pair AND state = 'unknown' ORDER BY first_at;

-- parcels_ahead: calls whose end lies ahead of a clock that was set back: they wait from now on
UPDATE parcel SET ended_at = :at, not_before = CASE WHEN not_before > :at THEN :at END
WHERE pair = :pair AND state IN ('unknown', 'again') AND ended_at > :at;

-- parcel_quiet_from: when the last attempt of a call ended, by a clock that was put forward since
UPDATE parcel SET ended_at = :at WHERE request_id = :request_id;

-- parcels_left_behind: what a stopped process had in flight is unknown
UPDATE parcel SET state = 'unknown', ended_at = :at WHERE pair = :pair AND state = 'sending';

-- outbox_left_behind: and so are the changes in it
UPDATE outbox SET state = 'unknown' WHERE pair = :pair AND state = 'sending'
AND request_id IN (SELECT request_id FROM parcel WHERE pair = :pair AND state = 'unknown');

-- document_left_behind: and the documents
UPDATE document SET state = 'unknown', told = 0, checked = 0
WHERE pair = :pair AND state = 'sending'
AND key IN (SELECT key FROM outbox WHERE pair = :pair AND state = 'unknown');

-- attempt_begin: one asking begins
INSERT INTO attempt (request_id, n, began_at) VALUES (:request_id, :n, :at);

-- attempt_end: one asking ended
UPDATE attempt SET ended_at = :at, outcome = :outcome, trace_id = :trace_id
WHERE request_id = :request_id AND n = :n;

-- attempt_windows: when we were asking for a document
SELECT a.began_at, a.ended_at FROM outbox o JOIN attempt a ON a.request_id = o.request_id
WHERE o.key = :key;

-- receipt_put: the other system did it
INSERT INTO receipt (key, plan_hash, verb, company, kind, id, version, fields, how, request_id, at)
VALUES (:key, :plan_hash, :verb, :company, :kind, :id, :version, :fields, :how, :request_id, :at)
ON CONFLICT (key, plan_hash) DO UPDATE SET version = excluded.version, fields = excluded.fields,
    id = excluded.id, how = excluded.how, request_id = excluded.request_id, at = excluded.at;

-- receipt_any: the latest receipt of a document
SELECT * FROM receipt WHERE key = :key ORDER BY at DESC LIMIT 1;

-- binding_get: the remembered record of the books for a CRM record
SELECT target_id FROM binding WHERE company = :company AND kind = :kind AND id = :id
AND books = :books AND currency = :currency;

-- binding_put: remember it
INSERT INTO binding (company, kind, id, books, currency, target_kind, target_id, by_whom, since)
VALUES (:company, :kind, :id, :books, :currency, :target_kind, :target_id, :by_whom, :at)
ON CONFLICT (company, kind, id, books, currency) DO UPDATE SET target_id = excluded.target_id,
    by_whom = excluded.by_whom, since = excluded.since;

-- bindings_follow: what is remembered of a record that was merged holds for the new one
INSERT INTO binding (company, kind, id, books, currency, target_kind, target_id, by_whom, since)
SELECT company, kind, :new, books, currency, target_kind, target_id, by_whom, since FROM binding
WHERE company = :company AND kind = :kind AND id = :id
ON CONFLICT (company, kind, id, books, currency) DO NOTHING;

-- bindings_repoint: what was remembered as one record of the books is another since they were merged
UPDATE binding SET target_id = :new, by_whom = :by_whom, since = :at
WHERE books = :books AND target_kind = :kind AND target_id = :old;

-- === settle ====================================================================================

-- written_get: what the CRM was last told about a record
SELECT fields FROM written
WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id;

-- written_put: what the CRM was told
INSERT INTO written (pair, company, kind, id, fields)
VALUES (:pair, :company, :kind, :id, :fields)
ON CONFLICT (pair, company, kind, id) DO UPDATE SET fields = excluded.fields;

-- written_doubt: somebody else may have told it something since
UPDATE written SET fields = '{}'
WHERE pair = :pair AND company = :company AND kind = :kind AND id = :id;

-- written_doubt_all: what a pair told stands where nobody looks any more (reads all)
UPDATE written SET fields = '{}' WHERE pair = :pair;

-- receivables_again: what each customer of a pair owes is to be looked at (reads all)
UPDATE receivable SET look_from = '' WHERE pair = :pair;

-- receivable_moved: what a customer owes moved
UPDATE receivable SET look_from = '' WHERE books = :books AND customer = :customer;

-- receivable_add: a pair's customer, whose open balance is to be looked at
INSERT INTO receivable (pair, books, customer, look_from) VALUES (:pair, :books, :customer, '')
ON CONFLICT (pair, books, customer) DO UPDATE SET look_from = '';

-- receivable_seen: it was looked at; from this day on it is another
UPDATE receivable SET look_from = :look_from
WHERE pair = :pair AND books = :books AND customer = :customer;

-- receivables_due: customers of whom something moved, or who have an invoice that ages by this day
SELECT customer, look_from FROM receivable WHERE pair = :pair AND books = :books
AND look_from <= :today AND (look_from, customer) > (:after_day, :after)
ORDER BY look_from, customer LIMIT :limit;

-- receivable_invoices: a customer's invoices of which something is open
SELECT fields FROM mirror WHERE company = :books AND kind = 'invoice' AND customer = :customer
AND live = 1 AND gone = 0 AND CAST(json_extract(fields, '$.balance."$n"') AS REAL) <> 0;

-- bindings_to: the CRM's records that are a customer of the books
SELECT DISTINCT kind, id FROM binding WHERE books = :books AND target_kind = 'customer'
AND target_id = :customer AND company = :company;

-- bindings_of: the customers of the books that a CRM's record is, one for each currency
SELECT DISTINCT target_id FROM binding WHERE company = :company AND kind = :kind AND id = :id
AND books = :books AND target_kind = 'customer';

-- task_first_of: the first open task of a document
SELECT message FROM task WHERE subject = :subject AND state = 'open' ORDER BY id LIMIT 1;

-- === pairs =====================================================================================

-- pair_get: how a pair is
SELECT * FROM pair_state WHERE pair = :pair;

-- pair_pause: it stands still until a person resumes it
INSERT INTO pair_state (pair, paused_code, paused_reason, paused_at)
VALUES (:pair, :code, :reason, :at)
ON CONFLICT (pair) DO UPDATE SET paused_code = excluded.paused_code,
    paused_reason = excluded.paused_reason, paused_at = excluded.paused_at;

-- pair_resume: it goes on
UPDATE pair_state SET paused_code = NULL, paused_reason = NULL, paused_at = NULL WHERE pair = :pair;

-- pair_round: a round ended
INSERT INTO pair_state (pair, last_round_at, last_good_at, last_said)
VALUES (:pair, :at, :good_at, :said)
ON CONFLICT (pair) DO UPDATE SET last_round_at = excluded.last_round_at,
    last_good_at = coalesce(excluded.last_good_at, pair_state.last_good_at),
    last_said = excluded.last_said;

-- pair_swept: every source was read again
INSERT INTO pair_state (pair, swept_at) VALUES (:pair, :at)
ON CONFLICT (pair) DO UPDATE SET swept_at = excluded.swept_at;

-- pair_mappings: which meaning of the mappings is active
INSERT INTO pair_state (pair, mappings_hash) VALUES (:pair, :hash)
ON CONFLICT (pair) DO UPDATE SET mappings_hash = excluded.mappings_hash;

-- === tasks =====================================================================================

-- task_open_of: the open tasks of one family and subject
SELECT id, code, message, detail FROM task
WHERE subject = :subject AND family = :family AND state = 'open';

-- task_open: a new task
INSERT INTO task (pair, family, code, subject, company, source_kind, source_id, title, message, remedy,
    choices, detail, state, opened_at)
VALUES (:pair, :family, :code, :subject, :company, :source_kind, :source_id, :title, :message, :remedy,
    :choices, :detail, 'open', :at)
ON CONFLICT DO NOTHING;

-- task_reword: what an open task says now
UPDATE task SET message = :message, remedy = :remedy, choices = :choices, detail = :detail
WHERE id = :id;

-- task_close: its cause is gone
UPDATE task SET state = 'closed', closed_at = :at WHERE id = :id AND state = 'open';

-- task_answer: what a person decided
UPDATE task SET state = 'answered', closed_at = :at, answer = :answer, answered_by = :who,
    answer_reason = :reason
WHERE id = :id AND state = 'open';

-- task_answered_of: what people decided about a subject, the latest last
SELECT id, code, detail, answer, answered_by, answer_reason FROM task
WHERE subject = :subject AND state = 'answered' ORDER BY id;

-- task_get: one task
SELECT * FROM task WHERE id = :id;

-- tasks_open: the inbox of a pair, or of all
SELECT * FROM task WHERE state = 'open' AND id > 0 AND (pair = :pair OR :pair IS NULL)
ORDER BY id LIMIT :limit;

-- tasks_unread: the records of the books that cannot be read and nobody ignores
SELECT source_kind, source_id FROM task
WHERE company = :company AND source_kind > '' AND state = 'open' AND family = 'unread'
AND pair = :pair ORDER BY source_kind, source_id;

-- tasks_of_source: the open tasks that name a source
SELECT id, family, code, subject, net, currency FROM task
WHERE company = :company AND source_kind = :kind AND source_id = :id AND state = 'open' ORDER BY id;

-- task_amount: what a task holds back
UPDATE task SET net = :net, currency = :currency WHERE id = :id;

-- task_counts: how many are open, by code
SELECT pair, family, code, count(*) AS n FROM task WHERE state = 'open' AND id > 0
GROUP BY pair, family, code;

-- document_queued: its approved plan is in the outbox, and this is what it says
UPDATE document SET state = 'sending', posted_content = content WHERE key = :key;

-- outbox_give_back: what was not done and shall not be done so is approved and no more
UPDATE outbox SET state = 'refused' WHERE request_id = :request_id AND state IN ('sending', 'unknown');

-- documents_give_back: and so are its documents
UPDATE document SET state = 'approved', told = 0, checked = 0
WHERE state IN ('sending', 'unknown')
AND key IN (SELECT key FROM outbox WHERE request_id = :request_id AND state = 'refused');

-- touch_parcel: the sources of a parcel's documents are to be drafted again
INSERT INTO touched (pair, company, kind, id, reread)
SELECT d.pair, d.company, d.source_kind, d.source_id, 0 FROM outbox o JOIN document d ON d.key = o.key
WHERE o.request_id = :request_id AND d.kind NOT IN ('customer', 'item')
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- documents_pending: a pair's documents that were never sent, or refused
SELECT * FROM document WHERE pair = :pair AND kind NOT IN ('customer', 'item', 'attachment', 'print')
AND state IN ('blocked', 'planned', 'collected', 'waiting', 'approved', 'rejected', 'refused');

-- document_retire: nothing makes it any more
UPDATE document SET state = 'skipped', reason = :reason, net = NULL, plan_hash = NULL, told = 0,
    checked = 0, changed_at = :at
WHERE key = :key;

-- document_unqueue: what is queued, never sent or proven absent, is only approved again
UPDATE document SET state = 'approved' WHERE pair = :pair AND state IN ('sending', 'unknown')
AND key IN (SELECT key FROM outbox WHERE pair = :pair AND state = 'queued');

-- outbox_unqueue: and is queued anew when its turn comes
UPDATE outbox SET state = 'refused' WHERE pair = :pair AND state = 'queued'
AND (company <> :crm OR kind = 'print');

-- === what people ask ===========================================================================

-- document_reissue: the next generation of a voided document; the old one keeps its record
INSERT INTO document (key, stem, generation, pair, mapping, part, kind, company, source_kind, source_id,
    state, title, content, content_hash, currency, told, checked, changed_at)
SELECT :new, stem, :generation, pair, mapping, part, kind, company, source_kind, source_id,
    'blocked', title, 'null', '', currency, 0, 0, :at FROM document WHERE key = :key;

-- document_retry: a person says that what refused it is mended
UPDATE document SET state = 'planned', reason = NULL, told = 0, checked = 0, changed_at = :at
WHERE key = :key AND state IN ('refused', 'rejected');

-- documents_tell_again: the CRM may need to hear of every document of a pair (reads all)
UPDATE document SET told = 0 WHERE pair = :pair;

-- documents_doubt_told: what the CRM was told of every document is to be gone through (reads all)
UPDATE document SET told = 0;

-- document_look_at: settle and reconcile must look at a document
UPDATE document SET told = 0, checked = 0 WHERE key = :key;

-- documents_uncheck: compare every document of a pair again (reads all)
UPDATE document SET checked = 0 WHERE pair = :pair AND posted_id IS NOT NULL;

-- touch_document: the source of a document is to be drafted again
INSERT INTO touched (pair, company, kind, id, reread)
SELECT :pair, company, source_kind, source_id, 0 FROM document
WHERE key = :key AND kind NOT IN ('customer', 'item')
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- touch_unposted: a record of the books carries this document's marker, and we do not know it posted;
-- or that of a generation that we do not know
INSERT INTO touched (pair, company, kind, id, reread)
SELECT pair, company, source_kind, source_id, 0 FROM document
WHERE stem = :stem AND (key = :key AND posted_id IS NULL
    OR NOT EXISTS (SELECT 1 FROM document known WHERE known.key = :key))
ON CONFLICT (pair, company, kind, id) DO NOTHING;

-- touch_all: every source that has a document is to be read and drafted again (reads all)
INSERT INTO touched (pair, company, kind, id, reread)
SELECT DISTINCT pair, company, source_kind, source_id, 1 FROM document
WHERE pair = :pair AND company = :company AND changed_at >= :since AND kind IN ('invoice', 'payment') AND state <> 'skipped'
ON CONFLICT (pair, company, kind, id) DO UPDATE SET reread = 1;

-- touched_all: every touched source of a pair
SELECT kind, id FROM touched WHERE pair = :pair AND company = :company AND reread = 1;

-- tasks_open_of: the open tasks of a document
SELECT code, message, remedy FROM task WHERE subject = :subject AND state = 'open' ORDER BY id;

-- journal_of: what the journal tells of one document
SELECT at, who, what, detail FROM journal WHERE subject = :subject ORDER BY n;

-- === corrections of what was posted ============================================================

-- correction_get: what a document corrects, and how
SELECT * FROM correction WHERE key = :key;

-- correction_put: a correction that a person chose, or that follows one
INSERT INTO correction (key, corrects, way, choice, shares, along_key, along_hash)
VALUES (:key, :corrects, :way, :choice, :shares, :along_key, :along_hash)
ON CONFLICT (key) DO UPDATE SET choice = excluded.choice, shares = excluded.shares,
    along_key = excluded.along_key, along_hash = excluded.along_hash;

-- document_look_credited: settle and reconcile must look at the document that a record corrects
UPDATE document SET told = 0, checked = 0 WHERE key IN (SELECT c.corrects FROM document d
JOIN correction c ON c.key = d.key WHERE d.kind = :kind AND d.posted_id = :posted_id);

-- correction_along: the plan that is approved with a correction
SELECT along_key AS key, along_hash AS plan_hash FROM correction
WHERE key = :key AND along_key IS NOT NULL;

-- corrections_of: every correction of a document, and how far it is
SELECT c.key, c.way, c.choice, c.shares, d.state, d.reason, d.posted_id, d.plan_hash, d.title, d.net,
    d.currency
FROM correction c JOIN document d ON d.key = c.key WHERE c.corrects = :key ORDER BY d.changed_at;

-- credits_without_application: a pair's credits that were found in the books, and no application
SELECT d.* FROM document d JOIN correction c ON c.key = d.key
WHERE d.pair = :pair AND d.state = 'posted' AND d.kind = 'credit_memo' AND c.along_key IS NULL;

-- correction_followed: the plan that is approved with a correction which was found
UPDATE correction SET along_key = :along_key, along_hash = :along_hash WHERE key = :key;

-- corrections_pending: a pair's corrections that were not sent yet
SELECT * FROM document WHERE pair = :pair AND kind IN ('credit_memo', 'correction')
AND state IN ('planned', 'waiting', 'approved', 'blocked');

-- outbox_done: what was done under a key, references resolved
SELECT change FROM outbox WHERE key = :key AND state = 'done' ORDER BY first_at DESC LIMIT 1;

-- outbox_last: what was asked last under a key
SELECT change FROM outbox WHERE key = :key ORDER BY first_at DESC LIMIT 1;

-- document_settled: what a posted document says with its corrections
UPDATE document SET posted_content = :content, told = 0, checked = 0, changed_at = :at
WHERE key = :key;

-- document_amended: its amendment's plan is its own now
UPDATE document SET plan_hash = :plan_hash WHERE key = :key;

-- receipt_amended: the answer to an amendment is the document's latest
INSERT INTO receipt (key, plan_hash, verb, company, kind, id, version, fields, how, request_id, at)
SELECT :key, plan_hash, verb, company, kind, id, version, fields, how, request_id, at
FROM receipt WHERE key = :correction
ON CONFLICT (key, plan_hash) DO UPDATE SET version = excluded.version, fields = excluded.fields,
    how = excluded.how, request_id = excluded.request_id, at = excluded.at;

-- === files =====================================================================================

-- file_want: a mapping wants a file on an invoice; one that changed is looked at anew
INSERT INTO attachment (invoice, company, kind, id, pair, version, name, size_bytes)
VALUES (:invoice, :company, :kind, :id, :pair, :version, :name, :size_bytes)
ON CONFLICT (invoice, company, kind, id) DO UPDATE SET version = excluded.version,
    name = excluded.name, size_bytes = excluded.size_bytes, sha256 = NULL, key = NULL, problem = NULL
WHERE version <> excluded.version OR name <> excluded.name;

-- files_of: the files that are wanted on an invoice
SELECT * FROM attachment WHERE invoice = :invoice ORDER BY company, kind, id;

-- file_forget: a file is not wanted any more
DELETE FROM attachment WHERE invoice = :invoice AND company = :company AND kind = :kind AND id = :id;

-- files_due: files of posted invoices that no document attaches yet
SELECT a.*, d.mapping, d.company AS source_company, d.source_kind, d.source_id, d.title, d.posted_id
FROM attachment a CROSS JOIN document d
WHERE a.pair = :pair AND a.key IS NULL AND a.problem IS NULL AND a.kind <> 'print'
AND d.key = a.invoice AND d.state = 'posted'
AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.key = d.key AND r.how = 'linked')
AND (a.invoice, a.company, a.kind, a.id) > (:invoice, :company, :kind, :id)
ORDER BY a.invoice, a.company, a.kind, a.id LIMIT :limit;

-- file_problem: what keeps a file off its invoice, until it changes
UPDATE attachment SET problem = :problem
WHERE invoice = :invoice AND company = :company AND kind = :kind AND id = :id;

-- file_bound: the bytes of a file, and the document that attaches them
UPDATE attachment SET sha256 = :sha256, key = :key, problem = NULL
WHERE invoice = :invoice AND company = :company AND kind = :kind AND id = :id;

-- print_want: a mapping wants the books' PDF of an invoice on its source
INSERT INTO attachment (invoice, company, kind, id, pair, version, name)
VALUES (:invoice, :company, 'print', :invoice, :pair, '1', '')
ON CONFLICT (invoice, company, kind, id) DO NOTHING;

-- print_again: an invoice was amended, and its PDF is wanted once more
UPDATE attachment SET version = CAST(version AS INTEGER) + 1, sha256 = NULL, key = NULL, problem = NULL
WHERE invoice = :invoice AND kind = 'print';

-- prints_due: the posted invoices of a mapping whose PDF no document puts on their source yet
SELECT a.*, d.mapping, d.company AS source_company, d.source_kind, d.source_id, d.title, d.posted_id
FROM attachment a CROSS JOIN document d
WHERE a.pair = :pair AND a.key IS NULL AND a.problem IS NULL AND a.kind = 'print'
AND d.key = a.invoice AND d.state = 'posted' AND d.mapping = :mapping
AND NOT EXISTS (SELECT 1 FROM receipt r WHERE r.key = d.key AND r.how = 'linked')
AND a.invoice > :after ORDER BY a.invoice LIMIT :limit;

-- print_anew: a PDF that was refused and is to be tried again is made anew
UPDATE attachment SET sha256 = NULL, key = NULL, problem = NULL WHERE pair = :pair AND key = :key;

-- files_kept: the hashes of files that are to be sent, or may be sent again
SELECT DISTINCT a.sha256 FROM document d CROSS JOIN attachment a
WHERE d.pair = :pair AND d.state IN ('approved', 'sending', 'unknown') AND d.kind IN ('attachment', 'print')
AND a.pair = d.pair AND a.key = d.key;

-- === sources that go together ==================================================================

-- collected_put: a source's document goes with that of several, or would if it were not held
INSERT INTO collected (collective, document, pair, mapping, company, kind, id, period, first_day,
    last_day, currency, held)
VALUES (:collective, :document, :pair, :mapping, :company, :kind, :id, :period, :first_day,
    :last_day, :currency, :held)
ON CONFLICT (collective, document) DO UPDATE SET period = excluded.period,
    first_day = excluded.first_day, last_day = excluded.last_day, currency = excluded.currency,
    held = excluded.held, n = CASE excluded.held WHEN 0 THEN collected.n END;

-- collected_leave: it goes with that one no more
DELETE FROM collected WHERE collective = :collective AND document = :document;

-- collected_hold: it cannot be read now, and is waited for
UPDATE collected SET held = 1, n = NULL WHERE collective = :collective AND document = :document;

-- collected_of: what a source's document goes with, and how far that is
SELECT c.*, d.state FROM collected c LEFT JOIN document d ON d.key = c.collective
WHERE c.document = :document AND coalesce(d.state, '') <> 'superseded' ORDER BY c.collective;

-- collected_in: the documents that go with one of several, or would, in the order of their sources
SELECT c.document, c.held, c.period, c.currency AS of_currency, c.n, c.lines, c.net AS share,
    c.content AS said, d.* FROM collected c JOIN document d ON d.key = c.document
WHERE c.collective = :collective ORDER BY length(d.source_id), d.source_id;

-- collected_by: the documents of several sources that a customer's sources go with
SELECT DISTINCT c.collective, c.period, c.first_day, c.last_day, c.currency
FROM collected c LEFT JOIN document d ON d.key = c.collective
WHERE c.pair = :pair AND c.mapping = :mapping AND c.company = :company AND c.kind = :kind
AND c.id = :id AND c.held = 0 AND coalesce(d.state, '') <> 'superseded'
ORDER BY c.first_day, c.currency, c.collective;

-- collected_held: the held sources of a period, also those whose currency is not known
SELECT d.* FROM collected c JOIN document d ON d.key = c.document
WHERE c.pair = :pair AND c.mapping = :mapping AND c.company = :company AND c.kind = :kind
AND c.id = :id AND c.period = :period AND c.held = 1 AND c.currency IN ('', :currency)
AND d.state = 'blocked' ORDER BY length(d.source_id), d.source_id;

-- collected_planned: a source's place, lines and amount in the document that is planned
UPDATE collected SET n = :n, lines = :lines, net = :net, content = :content
WHERE collective = :collective AND document = :document;

-- collected_posted: the books have it, and so they have what goes with it
UPDATE document SET state = 'posted', posted_id = :posted_id,
    posted_content = coalesce((SELECT c.content FROM collected c
        WHERE c.collective = :collective AND c.document = document.key), content),
    reason = CASE WHEN reason IN ('gone', 'merged', 'not-won') THEN reason END,
    told = 0, checked = 0, changed_at = :at
WHERE state = 'collected' AND key IN (SELECT c.document FROM collected c
    WHERE c.collective = :collective AND c.n IS NOT NULL);

-- collected_again: what went with a document goes with its next generation, or another
UPDATE document SET state = 'blocked', reason = NULL, posted_id = NULL, posted_content = NULL,
    told = 0, checked = 0, changed_at = :at
WHERE state = 'posted' AND key IN (SELECT c.document FROM collected c
    WHERE c.collective = :collective AND c.n IS NOT NULL);
