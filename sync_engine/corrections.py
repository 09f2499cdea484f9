"""corrections: what people choose to do about a posted invoice, planned, and planned again.

``correcting`` says what is possible; here is how an invoice stands, by the ledger, and how a choice
becomes a document and a plan of its own. One correction of an invoice is under way at a time.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

from sync_engine.addresses import named_as, source_address, source_of
from sync_engine.apportion import says_now, settled_by, to_sources
from sync_engine.collected import is_collective
from sync_engine.corrected import NOTHING
from sync_engine.correcting import option
from sync_engine.credits import credits_of, gift_of
from sync_engine.done_already import KINDS, close_tasks, take_done
from sync_engine.draft import draft_source, setting_of
from sync_engine.frozen import keep_plan, standing_decision
from sync_engine.ledger.spelling import change_of, fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.mirror import mirror_fetched, preferences
from sync_engine.mirror_rows import Mirror, record_of
from sync_engine.pair import Pair
from sync_engine.posted_as import agreed_of, answered_of, sent_of
from sync_engine.preflight import preflight
from sync_engine.resolve import Resolver
from sync_engine.sketch import Sketch, content_of
from sync_engine.standing import Choice, Option, Standing, Way, last_number
from sync_engine.states import ASKED, CORRECTION
from sync_engine.tasks import answers
from sync_engine.tie_out import mapping_of
from tieout.model.canonical import Values, canonical, digest
from tieout.model.change import Severity, Update
from tieout.model.dates import day_of
from tieout.model.document import Invoice, Prices
from tieout.model.errors import Rejected, StaleVersion
from tieout.model.record import Unreadable
from tieout.model.ref import Key, Ref

UNDER_WAY = frozenset({"sending", "unknown"})
NOT_SENT = frozenset({"planned", "waiting", "approved", "blocked", "refused", "rejected"})


def choose(
    ledger: Ledger,
    pair: Pair,
    invoice: Row,
    choice: Choice,
    *,
    who: str,
    reason: str,
    now: datetime,
    asking: str = "",
) -> Option:
    """Plan a correction that a person chose, in place of one that was not sent yet.

    ``asking`` names the choice: a wish whose granting was cut off is granted again, and half of an
    invoice must not be credited twice for it.

    Raises:
        Rejected: the books would refuse it now, or this very choice was taken down before.
    """
    with ledger.transaction() as tx:
        _demand_new(tx, invoice, asking)
        found = option(standing_of(tx, pair, invoice, now), choice)
        if found.plan is None:
            raise Rejected(
                f"{invoice['title']} cannot be corrected by {choice.name}: {found.why}",
                remedy=f"`tieout correct {named_as(source_of(invoice), invoice['part'])}` shows "
                "what is possible now.",
            )
        for row in tx.all("corrections_of", key=invoice["key"]):
            if row["state"] in NOT_SENT and row["way"] != Way.APPLY:
                _leave(tx, pair, _document(tx, row["key"]), "replaced")
        put_correction(tx, pair, invoice, found, now, asking)
        tx.journal(
            who,
            "correct",
            invoice["key"],
            {"choice": found.choice.plain(), "plan": found.plan.hash, "reason": reason},
        )
    return found


def _demand_new(tx: Reads, invoice: Row, asking: str) -> None:
    for row in tx.all("corrections_of", key=invoice["key"]):
        if asking and json.loads(row["choice"]).get("asking") == asking:
            raise Rejected(f"This was chosen already, and is {row['state']}.")


def plan_again(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Plan every correction again that was not sent yet: the deal, the books or a period moved.

    It keeps its approval only while its hash stays the same; what is not possible any more is left.
    """
    for row in ledger.all("corrections_pending", pair=pair.name):
        with ledger.transaction() as tx:
            _plan_again(tx, pair, row, now)


def standing_of(tx: Reads, pair: Pair, invoice: Row, now: datetime) -> Standing:
    """Return how a posted invoice stands."""
    books = pair.books.company
    shown = tx.one("mirror_get", company=books, kind="invoice", id=invoice["posted_id"])
    if shown is None:
        raise Rejected(f"The books have not shown the invoice of {invoice['title']}.")
    corrections = tx.all("corrections_of", key=invoice["key"])
    sketch = _sketch(tx, pair, invoice)
    is_won = sketch is not None and sketch.state == "live" and not sketch.skipped
    wanted, why_not = _wanted(tx, pair, invoice, sketch) if is_won else (None, "It is not won.")
    document = sketch.document if sketch is not None and is_won else None
    lines = document.lines if isinstance(document, Invoice) else ()
    plan = tx.one("plan_get", hash=invoice["plan_hash"]) if invoice["plan_hash"] else None
    sent = {row["way"] for row in corrections if row["state"] in UNDER_WAY}
    applying = {row["state"] for row in corrections if row["way"] == Way.APPLY}
    stands = Standing(
        key=Key.parse(invoice["key"]),
        source=source_of(invoice),
        mapping=(invoice["mapping"], 0)
        if plan is None
        else (plan["mapping"], plan["mapping_version"]),
        title=invoice["title"],
        invoice=record_of(shown),
        live=bool(shown["live"]) and not shown["gone"] and invoice["state"] == "posted",
        in_flight=bool(sent or applying & {*UNDER_WAY, "approved"}),
        inactive=tuple(_inactive(tx, shown)),
        credits=tuple(credit for _, credit in credits_of(tx, books, invoice["key"])),
        gift=gift_of(tx, books, shown),
        wanted=wanted,
        why_not=why_not,
        sent=sent_of(tx, invoice, corrections),
        answered=answered_of(tx, invoice),
        agreed=agreed_of(tx, invoice),
        now_net=sketch.net.amount if sketch is not None and is_won and sketch.net else None,
        now_lines=tuple(line.amount.amount for line in lines),
        now_currency=None if document is None else document.currency.code,
        inclusive=isinstance(document, Invoice) and document.tax.prices is Prices.INCLUSIVE,
        preferences=preferences(tx, pair),
        capabilities=pair.books.capabilities,
        today=day_of(now, pair.time_zone),
        numbers=_numbers(invoice, books, corrections),
        several=is_collective(mapping_of(pair, invoice), invoice),
    )
    return (
        replace(stands, now_lines=to_sources(tx, pair, invoice, stands))
        if stands.several
        else stands
    )


def read_now(ledger: Ledger, pair: Pair, invoice: Row) -> None:
    """Read an invoice and the books' preferences anew: no feed tells that a period was closed.

    Raises:
        TieoutError: the books do not answer.
    """
    books = pair.books.company
    refs = [Ref(books, "preferences", "1"), Ref(books, "invoice", invoice["posted_id"])]
    read = list(pair.books.fetch(refs))  # before the transaction: while one lasts, all wait
    for answer in read:
        if isinstance(answer, Unreadable):
            raise answer.error
    with ledger.transaction() as tx:
        moved = [mirror_fetched(tx, pair, answer) for answer in read]
        if any(moved):
            tx.run("pending_everywhere")


def is_of_a_mapping(pair: Pair, row: Row) -> bool:
    """Whether a document is what a mapping makes of its source, and no correction of one."""
    made = {(mapping.identity, mapping.to) for mapping in pair.mappings}
    return (row["mapping"], row["kind"]) in made


def _numbers(invoice: Row, books: str, corrections: list[Row]) -> Mapping[Way, int]:
    """Return which number of each way was sent last."""
    asked = {row["key"] for row in corrections if row["state"] in ASKED}
    key, source = Key.parse(invoice["key"]), source_of(invoice)
    return {
        way: last_number(key, source, books, way, lambda each: str(each) in asked)
        for way in (Way.AMEND, Way.VOID, Way.CREDIT)
    }


def _sketch(tx: Reads, pair: Pair, invoice: Row) -> Sketch | None:
    mapping = next((held for held in pair.mappings if held.identity == invoice["mapping"]), None)
    if mapping is None:
        return None
    return draft_source(
        tx, pair, mapping, source_of(invoice), setting_of(tx, pair), invoice["part"]
    )


def _wanted(
    tx: Reads, pair: Pair, invoice: Row, sketch: Sketch | None
) -> tuple[Values | None, str]:
    """Return the values that a source would be invoiced with now, or why it cannot be."""
    document = None if sketch is None else sketch.document
    found = [] if sketch is None else list(sketch.findings)
    if sketch is not None and document is not None:
        mirror = Mirror(tx, pair.books.company)
        known = answers(tx, invoice["key"])
        resolver = Resolver(tx, pair, mirror, sketch.mapping.identity, known)
        resolved = resolver.resolve(document, {})
        prefer, can = preferences(tx, pair), pair.books.capabilities
        found += [*resolved.findings, *preflight(document, resolved.values, prefer, can)]
        blocking = [one.message for one in found if one.severity is Severity.BLOCK]
        if not blocking and not resolved.needs:
            return resolved.values, ""
        if not blocking:
            return None, "It needs a new customer or item: credit it and issue it again."
    first = next((one.message for one in found), "No mapping makes it any more.")
    return None, f"As it stands it could not be invoiced: {first}"


def _inactive(tx: Reads, invoice: Row) -> Iterator[str]:
    """Yield what an invoice names and no new document may (R30)."""
    fields = fields_of(invoice["fields"])
    named = [("customer", fields["customer"])]
    named += [("item", line["item"]) for line in fields["lines"] if line["item"]]
    for kind, number in dict.fromkeys(named):
        shown = tx.one("mirror_get", company=invoice["company"], kind=kind, id=number)
        gone = shown is not None and bool(shown["gone"])
        if shown is not None and (gone or fields_of(shown["fields"]).get("active") is False):
            yield f"{kind} {number}"


def _plan_again(tx: Writes, pair: Pair, row: Row, now: datetime) -> None:
    correction = tx.one("correction_get", key=row["key"])
    assert correction is not None
    if row["reason"] == StaleVersion.code and not _moved_since(tx, row):
        return
    invoice = _document(tx, correction["corrects"])
    if take_done(tx, pair, invoice, row, Way(correction["way"])):
        return
    chosen = json.loads(correction["choice"])
    settles = chosen.get("settles") or {}
    moved = chosen["because"] not in (None, _says(tx, pair, invoice))
    if moved or says_now(tx, settles) != settles:
        _leave(tx, pair, row, "deal-moved", "The deal says something else than when it was chosen.")
        return
    found = option(standing_of(tx, pair, invoice, now), Choice.of(chosen))
    if found.plan is None:
        _leave(tx, pair, row, "not-possible", found.why)
    elif found.plan.hash != row["plan_hash"] or row["state"] == "blocked":
        if row["state"] == "approved":
            tx.journal("tieout", "approval fell", row["key"], {"plan": row["plan_hash"]})
        put_correction(tx, pair, invoice, found, now, chosen["asking"])


def _moved_since(tx: Reads, row: Row) -> bool:
    """Whether the books have shown another version than the one that a change was refused for."""
    asked = tx.one("outbox_last", key=row["key"])
    change = None if asked is None else change_of(asked["change"])
    if not isinstance(change, Update):
        return True
    ref = change.ref
    shown = tx.one("mirror_get", company=ref.company, kind=ref.kind, id=ref.id)
    return shown is not None and shown["version"] != change.version


def put_correction(
    tx: Writes, pair: Pair, invoice: Row, found: Option, now: datetime, asking: str
) -> None:
    """Write a correction down as a document with its plan, and the plan that follows it."""
    plan, way = found.plan, found.choice.way
    assert plan is not None
    keep_plan(tx, pair, plan, now)
    keep_plan(tx, pair, found.along, now)
    key = Key.parse(plan.key)
    held = tx.one("document_get", key=plan.key)
    sketch = _sketch(tx, pair, invoice)
    content = canonical(content_of(sketch.document)) if found.settles and sketch else NOTHING
    because = _says(tx, pair, invoice) if found.settles else None
    choice = {**found.choice.plain(), "because": because, "asking": asking}
    if way is Way.CREDIT and is_collective(mapping_of(pair, invoice), invoice):
        stands = standing_of(tx, pair, invoice, now)
        settles = settled_by(tx, invoice, stands, found.shares)
        choice |= {"because": None, "settles": dict(settles)}
    verdict = standing_decision(tx, plan.key, plan.hash)
    is_same = held is not None and held["plan_hash"] == plan.hash
    tx.run(
        "document_put",
        key=plan.key,
        stem=key.stem,
        generation=key.generation,
        pair=pair.name,
        mapping=invoice["mapping"],
        part="",
        **source_address(source_of(invoice)),
        kind=KINDS.get(way, CORRECTION),
        state=verdict if is_same and verdict == "approved" else "planned",
        reason=None,
        title=plan.title,
        content=content,
        content_hash=digest(content),
        net=None if plan.net is None else str(plan.net.amount),
        currency=None if plan.net is None else plan.net.currency.code,
        purchase_order=None,
        customer=invoice["customer"],
        name_key=None,
        plan_hash=plan.hash,
        at=tx.now_text(),
    )
    tx.run(
        "correction_put",
        key=plan.key,
        corrects=invoice["key"],
        way=way.value,
        choice=canonical(choice),
        shares=canonical([_text(share) for share in found.shares]),
        along_key=None if found.along is None else found.along.key,
        along_hash=None if found.along is None else found.along.hash,
    )


def _says(tx: Reads, pair: Pair, invoice: Row) -> str:
    """Return a name of what a source says now: what settles a difference is chosen because of it.

    An invoice that is to be voided as its deal was lost is not voided when the deal is won again.
    """
    sketch = _sketch(tx, pair, invoice)
    is_won = sketch is not None and sketch.state == "live" and not sketch.skipped
    return digest(content_of(sketch.document) if sketch is not None and is_won else None)


def _document(tx: Reads, key: str) -> Row:
    """Return a document that is there."""
    row = tx.one("document_get", key=key)
    assert row is not None
    return row


def _text(share: Decimal) -> str:
    return str(share)


def _leave(tx: Writes, pair: Pair, row: Row, reason: str, why: str = "") -> None:
    """Leave a correction that was not sent; its drift goes on being a task."""
    tx.run("document_state", key=row["key"], state="skipped", reason=reason, at=tx.now_text())
    close_tasks(tx, pair, row)
    tx.journal("tieout", "correction left", row["key"], {"reason": reason, "why": why})
