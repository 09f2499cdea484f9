"""sides: the two sides of a pair as the ledger was last shown them, and what links them.

Each side is read once, whatever its size; what people see of either is said here in one way.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from mapping.rules import InvoiceRules
from mapping.rules import Mapping as Rules
from sync_engine.addresses import source_of
from sync_engine.draft import draft_source, setting_of
from sync_engine.ledger.spelling import change_of, fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.linking import ByHand, Links, Unlinked, links
from sync_engine.pair import Pair
from sync_engine.states import COLLECTED, OVERRULED
from sync_engine.tasks import answers
from sync_engine.tie_out import figure_of
from tieout.model.dates import parse_day
from tieout.model.document import Invoice
from tieout.model.errors import Rejected
from tieout.model.money import plain_text

KIND: Final = "invoice"
NO_CURRENCY: Final = "?"
TWIN: Final = "twin?"  # the finding of an invoice that a person made, whose answer is kept


@dataclass(frozen=True, slots=True)
class Found:
    """The two sides of a pair as the ledger was last shown them, and what links them."""

    documents: Mapping[str, Row]
    records: Mapping[str, Row]
    links: Links
    customers: Mapping[str, str | None]


def found_links(ledger: Reads, pair: Pair, beside: Sequence[Pair]) -> Found:
    """Return both sides and what links them; an invoice from before the cutover is not missing.

    ``beside`` are the other pairs of these books: an invoice that a deal of theirs may claim too is
    a question here, and one that is likelier theirs is left out.

    Raises:
        Rejected: a pair was never read whole: what was not read yet would seem to be missing.
    """
    for one in (pair, *beside):
        _demand_read(ledger, one)
    documents = {row["key"]: row for row in waiting(ledger, pair)}
    records = {row["id"]: row for row in by_hand(ledger, pair)}
    waits = {other.name: waiting(ledger, other) for other in beside}
    others = [one for other in beside for one in _unlinked(ledger, other, waits[other.name])]
    figures = _figures(pair, documents.values()).union(
        *(_figures(other, waits[other.name]) for other in beside)
    )
    made = links(
        [*_unlinked(ledger, pair, documents.values()), *others],
        [_by_hand(row, figures) for row in records.values()],
        days=pair.twin_days,
    )
    theirs = made.leave({one.key for one in others})
    before = pair.cutover_date.isoformat()
    made.records = [number for number in made.records if (records[number]["day"] or "") >= before]
    names = {row["id"]: fields_of(row["fields"]).get("name") for row in _customers(ledger, pair)}
    left = {number: row for number, row in records.items() if number not in theirs}
    return Found(documents, left, made, names)


def _demand_read(ledger: Reads, pair: Pair) -> None:
    state = ledger.one("pair_get", pair=pair.name)
    if state is None or state["last_good_at"] is None:
        raise Rejected(
            f"{pair.name} was never read whole: no round of it has come to its end.",
            remedy="`tieout status` says why; ask again without --no-look.",
        )


def waiting(ledger: Reads, pair: Pair) -> list[Row]:
    """Return the documents that were never sent, the oldest source first.

    One of a mapping that the pair has no more is left out: its next round retires it. So is what
    goes with a document of several sources: that one is there.
    """
    made = {mapping.identity for mapping in pair.mappings}
    rows = ledger.all("documents_pending", pair=pair.name)
    ours = [
        row
        for row in rows
        if row["kind"] == KIND and row["mapping"] in made and row["state"] != COLLECTED
    ]
    return sorted(ours, key=lambda row: (len(row["source_id"]), row["source_id"], row["key"]))


def by_hand(ledger: Reads, pair: Pair) -> list[Row]:
    """Return the living invoices that people made and that are no deal's yet, the oldest first."""
    rows = ledger.all("mirror_by_hand", company=pair.books.company, kind=KIND)
    return sorted(rows, key=lambda row: (len(row["id"]), row["id"]))


def _customers(ledger: Reads, pair: Pair) -> list[Row]:
    return ledger.all("mirror_all", company=pair.books.company, kind="customer")


def _unlinked(ledger: Reads, pair: Pair, rows: Iterable[Row]) -> Iterator[Unlinked]:
    setting = setting_of(ledger, pair)
    telling = {mapping.identity: mapping for mapping in pair.mappings if _tells(mapping)}
    for row in rows:
        answered = answers(ledger, row["key"]).get(TWIN)
        if answered is not None and answered["answer"] == OVERRULED:
            yield Unlinked(row["key"])  # a person said that none of them is its own
            continue
        values = _values(ledger, row)
        customer = values.get("customer")
        before: Mapping[str, str] = {}
        if row["mapping"] in telling:
            sketch = draft_source(
                ledger, pair, telling[row["mapping"]], source_of(row), setting, row["part"]
            )
            document = sketch.document
            before = document.made_before if isinstance(document, Invoice) else {}
        words = (*(values.get("custom_fields") or {}).values(), before.get("reference"))
        yield Unlinked(
            key=row["key"],
            customer=customer if isinstance(customer, str) else None,
            day=day_of(row),
            currency=row["currency"],
            net=None if row["net"] is None else Decimal(row["net"]),
            words=_there(row["purchase_order"], *words),
            ids=_there(before.get("id")),
            numbers=_there(before.get("number")),
        )


def _tells(mapping: Rules) -> bool:
    """Whether a mapping says how an invoice that was made before is known."""
    return isinstance(mapping.document, InvoiceRules) and bool(mapping.document.made_before)


def _there(*texts: str | None) -> frozenset[str]:
    return frozenset(text for text in texts if text)


def _values(ledger: Reads, row: Row) -> Mapping[str, Any]:
    """Return what would be posted of a document; nothing where it cannot be made."""
    plan = ledger.one("plan_get", hash=row["plan_hash"]) if row["plan_hash"] else None
    return {} if plan is None else change_of(plan["change"]).values


def day_of(row: Row) -> date | None:
    """Return the day of a document's row; None where no document can be made."""
    content = json.loads(row["content"] or "null") or {}
    day = content.get("date")
    return parse_day(day) if isinstance(day, str) else None


def _figures(pair: Pair, documents: Iterable[Row]) -> frozenset[str]:
    """Return which figures of an invoice compare with what these documents come to."""
    return frozenset(figure_of(pair, row) for row in documents)


def _by_hand(row: Row, figures: frozenset[str]) -> ByHand:
    fields = fields_of(row["fields"])
    known = {name: Decimal(row[name]) for name in ("net", "total") if row[name]}
    return ByHand(
        id=row["id"],
        number=fields.get("number"),
        customer=row["customer"],
        day=fields.get("date"),
        currency=fields.get("currency"),
        amounts=frozenset(held for name, held in known.items() if name in figures),
        others=frozenset(known.values()),
        words=_there(*(fields.get("custom_fields") or {}).values()),
    )


def deal_shown(found: Found, key: str) -> dict[str, Any]:
    """Return one document as plain values, by its key."""
    row = found.documents[key]
    day = day_of(row)
    return {
        "key": key,
        "source": f"{row['source_kind']}:{row['source_id']}",
        "title": row["title"],
        "date": None if day is None else day.isoformat(),
        "net": row["net"],
        "currency": row["currency"],
        "state": row["state"],
    }


def record_shown(found: Found, number: str) -> dict[str, Any]:
    """Return one invoice of the books as plain values, by its id."""
    row = found.records[number]
    fields = fields_of(row["fields"])
    return {
        "id": number,
        "number": fields.get("number"),
        "customer": found.customers.get(row["customer"] or ""),
        "date": row["day"],
        "net": row["net"],
        "total": row["total"],
        "currency": fields.get("currency"),
    }


def figure_name(pair: Pair, found: Found) -> str:
    """Return which figure of an invoice compares with what its deal comes to."""
    row = next(iter(found.documents.values()), None)
    return "net" if row is None else figure_of(pair, row)


def sums_of(amounts: Iterable[tuple[str | None, str | None]]) -> dict[str, Any]:
    """Return how many amounts there are, and their sums by currency, as plain values."""
    count = 0
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        count += 1
        code = currency or NO_CURRENCY
        sums[code] = sums.get(code, Decimal(0)) + Decimal(amount or 0)
    return {"n": count, "sums": {code: plain_text(sums[code]) for code in sorted(sums)}}
