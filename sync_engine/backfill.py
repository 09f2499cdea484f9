"""backfill: what both sides already have is linked, once a person has seen it and said yes.

It creates nothing. The report says which invoice made by hand is certainly which deal's, which is
likely, and what is on one side only; its hash names exactly the links that it shows, and whoever
confirms it takes these and no others.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

from sync_engine.answer import bind
from sync_engine.ledger.spelling import change_of, fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.linking import ByHand, Link, Links, Question, Unlinked, links
from sync_engine.pair import Pair
from sync_engine.plan import leave_unneeded
from sync_engine.tie_out import figure_of
from tieout.model.canonical import digest
from tieout.model.dates import parse_day
from tieout.model.errors import NotFound, Rejected
from tieout.model.money import plain_text

KIND: Final = "invoice"
ROWS_LIMIT = 10_000  # of each list that one answer shows; figures and hashes are of all
SHORTEST_HASH = 8  # letters of a hash that a person may type
NO_CURRENCY = "?"


@dataclass(frozen=True, slots=True)
class Found:
    """The two sides of a pair as the ledger was last shown them, and what links them."""

    documents: Mapping[str, Row]
    records: Mapping[str, Row]
    links: Links
    customers: Mapping[str, str | None]


def report(ledger: Reads, pair: Pair) -> dict[str, Any]:
    """Return what is certainly linked, likely linked and missing, with sums by currency."""
    found = _found(ledger, pair)
    made = found.links
    return {
        "pair": pair.name,
        "cutover_date": pair.cutover_date.isoformat(),
        "days": pair.twin_days,
        "hashes": {
            "certain": _hash(pair, found, made.certain),
            "shown": _hash(pair, found, [*made.certain, *made.likely]),
        },
        "certain": [_shown(found, link) for link in made.certain[:ROWS_LIMIT]],
        "likely": [_shown(found, link) for link in made.likely[:ROWS_LIMIT]],
        "questions": [_asked(found, one) for one in made.questions[:ROWS_LIMIT]],
        "missing": {
            "deals": [_deal(found, key) for key in made.documents[:ROWS_LIMIT]],
            "invoices": [_record(found, number) for number in made.records[:ROWS_LIMIT]],
        },
        "figures": _figures(pair, found),
    }


def confirm(ledger: Ledger, pair: Pair, wanted: str, *, who: str, reason: str) -> int | None:
    """Link all that a report's hash names, in one commit; return how many.

    None: the hash names none of this pair's links as they are now.

    Raises:
        Rejected: the hash is too short.
    """
    if len(wanted) < SHORTEST_HASH:
        raise Rejected(
            f"{wanted!r} is too short to name a report.",
            remedy=f"Give at least {SHORTEST_HASH} letters of a hash that `tieout backfill` says.",
        )
    with ledger.transaction() as tx:
        found = _found(tx, pair)
        for chosen in (found.links.certain, [*found.links.certain, *found.links.likely]):
            named = _hash(pair, found, chosen)
            if named is not None and named.startswith(wanted):
                _link_all(tx, pair, found, chosen, who=who, reason=reason, named=named)
                return len(chosen)
    return None


def link_one(
    ledger: Ledger, pair: Pair, keys: Iterable[str], record: str, *, who: str, reason: str
) -> str:
    """Link one document, among those that may be meant, to a record by its id; return its key.

    Raises:
        NotFound: no document waits under these keys, or no such record was made by hand.
    """
    with ledger.transaction() as tx:
        waiting = {row["key"]: row for row in _documents(tx, pair)}
        key = next((key for key in keys if key in waiting), None)
        if key is None:
            raise NotFound(
                "No deal of that name waits for an invoice.",
                remedy="`tieout backfill` lists those that do; `tieout explain` says why not.",
            )
        records = {row["id"]: row for row in _records(tx, pair)}
        if record not in records:
            raise NotFound(
                f"The books have no {KIND} {record} that a person made and that is not linked.",
                remedy="`tieout backfill --json` has the id of each.",
            )
        found = Found({key: waiting[key]}, {record: records[record]}, Links(), {})
        chosen = [Link(key, record, "a person")]
        _link_all(tx, pair, found, chosen, who=who, reason=reason, named=None)
    return key


def _link_all(
    tx: Writes,
    pair: Pair,
    found: Found,
    chosen: Sequence[Link],
    *,
    who: str,
    reason: str,
    named: str | None,
) -> None:
    for link in chosen:
        bind(tx, pair, found.documents[link.key], link.record)
        told = {"record": link.record, "by": link.by, "reason": reason}
        tx.journal(who, "linked", link.key, told)
    leave_unneeded(tx, pair)
    tx.run("pending_again", pair=pair.name)  # what was asked about a twin that has a deal now
    tx.journal(who, "backfilled", pair.name, {"hash": named, "n": len(chosen), "reason": reason})


# -- the two sides --------------------------------------------------------------------------------


def _found(ledger: Reads, pair: Pair) -> Found:
    documents = {row["key"]: row for row in _documents(ledger, pair)}
    records = {row["id"]: row for row in _records(ledger, pair)}
    made = links(
        [_unlinked(ledger, row) for row in documents.values()],
        [_by_hand(row) for row in records.values()],
        days=pair.twin_days,
    )
    before = pair.cutover_date.isoformat()
    made.records = [number for number in made.records if (records[number]["day"] or "") >= before]
    names = {row["id"]: fields_of(row["fields"]).get("name") for row in _customers(ledger, pair)}
    return Found(documents, records, made, names)


def _documents(ledger: Reads, pair: Pair) -> list[Row]:
    """Return the documents that were never sent, the oldest source first."""
    rows = ledger.all("documents_pending", pair=pair.name)
    ours = [row for row in rows if row["kind"] == KIND]
    return sorted(ours, key=lambda row: (len(row["source_id"]), row["source_id"], row["key"]))


def _records(ledger: Reads, pair: Pair) -> list[Row]:
    rows = ledger.all("mirror_by_hand", company=pair.books.company, kind=KIND)
    return sorted(rows, key=lambda row: (len(row["id"]), row["id"]))


def _customers(ledger: Reads, pair: Pair) -> list[Row]:
    return ledger.all("mirror_all", company=pair.books.company, kind="customer")


def _unlinked(ledger: Reads, row: Row) -> Unlinked:
    values = _values(ledger, row)
    customer = values.get("customer")
    words = [row["purchase_order"], *(values.get("custom_fields") or {}).values()]
    return Unlinked(
        key=row["key"],
        customer=customer if isinstance(customer, str) else None,
        day=_day_of(row),
        currency=row["currency"],
        net=None if row["net"] is None else Decimal(row["net"]),
        words=frozenset(filter(None, words)),
    )


def _values(ledger: Reads, row: Row) -> Mapping[str, Any]:
    """Return what would be posted of a document; nothing where it cannot be made."""
    plan = ledger.one("plan_get", hash=row["plan_hash"]) if row["plan_hash"] else None
    return {} if plan is None else change_of(plan["change"]).values


def _day_of(row: Row) -> date | None:
    content = json.loads(row["content"] or "null") or {}
    day = content.get("date")
    return parse_day(day) if isinstance(day, str) else None


def _by_hand(row: Row) -> ByHand:
    fields = fields_of(row["fields"])
    return ByHand(
        id=row["id"],
        number=fields.get("number"),
        customer=row["customer"],
        day=fields.get("date"),
        currency=fields.get("currency"),
        amounts=frozenset(Decimal(row[name]) for name in ("net", "total") if row[name]),
        words=frozenset(filter(None, (fields.get("custom_fields") or {}).values())),
    )


# -- what people see ------------------------------------------------------------------------------


def _shown(found: Found, link: Link) -> dict[str, Any]:
    return {
        **_deal(found, link.key),
        "by": link.by,
        "record": _record(found, link.record),
        "differences": list(link.differences),
    }


def _asked(found: Found, question: Question) -> dict[str, Any]:
    records = [_record(found, number) for number in question.records]
    return {**_deal(found, question.key), "by": question.by, "records": records}


def _deal(found: Found, key: str) -> dict[str, Any]:
    row = found.documents[key]
    day = _day_of(row)
    return {
        "key": key,
        "source": f"{row['source_kind']}:{row['source_id']}",
        "title": row["title"],
        "date": None if day is None else day.isoformat(),
        "net": row["net"],
        "currency": row["currency"],
        "state": row["state"],
    }


def _record(found: Found, number: str) -> dict[str, Any]:
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


def _hash(pair: Pair, found: Found, chosen: Sequence[Link]) -> str | None:
    """Return the fingerprint of links: which, and what either side says. None where none is."""
    if not chosen:
        return None
    said = [
        [
            link.key,
            found.documents[link.key]["content_hash"],
            link.record,
            found.records[link.record]["version"],
        ]
        for link in chosen
    ]
    return digest([pair.name, pair.books.company, said])


def _figures(pair: Pair, found: Found) -> dict[str, Any]:
    """Return how many and how much there is of each, by currency: the parts sum to ``all``."""
    made = found.links
    figure = _figure(pair, found)
    asked = {number for one in made.questions for number in one.records}
    linked = [*made.certain, *made.likely]
    older = set(found.records) - asked - {one.record for one in linked} - set(made.records)
    deals = {
        "certain": [one.key for one in made.certain],
        "likely": [one.key for one in made.likely],
        "questions": [one.key for one in made.questions],
        "missing": made.documents,
        "all": list(found.documents),
    }
    invoices = {
        "certain": [one.record for one in made.certain],
        "likely": [one.record for one in made.likely],
        "questions": sorted(asked),
        "missing": made.records,
        "before_cutover": sorted(older),
        "all": list(found.records),
    }
    return {
        "deals": {
            name: _sums(
                (found.documents[key]["currency"], found.documents[key]["net"]) for key in keys
            )
            for name, keys in deals.items()
        },
        "invoices": {
            name: _sums(
                (
                    fields_of(found.records[one]["fields"]).get("currency"),
                    found.records[one][figure],
                )
                for one in numbers
            )
            for name, numbers in invoices.items()
        },
    }


def _figure(pair: Pair, found: Found) -> str:
    """Return which figure of an invoice compares with what its deal comes to."""
    row = next(iter(found.documents.values()), None)
    return "net" if row is None else figure_of(pair, row)


def _sums(amounts: Iterable[tuple[str | None, str | None]]) -> dict[str, Any]:
    count = 0
    sums: dict[str, Decimal] = {}
    for currency, amount in amounts:
        count += 1
        code = currency or NO_CURRENCY
        sums[code] = sums.get(code, Decimal(0)) + Decimal(amount or 0)
    return {"n": count, "sums": {code: plain_text(sums[code]) for code in sorted(sums)}}
