"""backfill: what both sides already have is linked, once a person has seen it and said yes.

It creates nothing. The report says which invoice made by hand is certainly which deal's, which is
likely, and what is on one side only; its hash names exactly the links that it shows, and whoever
confirms it takes these and no others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from sync_engine.answer import bind
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Writes
from sync_engine.linking import BY_PERSON, Link, Links, Question
from sync_engine.new_records import leave_unneeded
from sync_engine.pair import Pair
from sync_engine.sides import (
    KIND,
    Found,
    by_hand,
    deal_shown,
    figure_name,
    found_links,
    record_shown,
    sums_of,
    waiting,
)
from tieout.model.canonical import digest
from tieout.model.errors import NotFound, Rejected

ROWS_LIMIT = 10_000  # of each list that one answer shows; figures and hashes are of all
SHORTEST_HASH = 8  # letters of a hash that a person may type


def report(ledger: Reads, pair: Pair, beside: Sequence[Pair] = ()) -> dict[str, Any]:
    """Return what is certainly linked, likely linked and missing, with sums by currency.

    ``beside`` are the other pairs of the same books, whose deals may claim the same invoices.
    """
    found = found_links(ledger, pair, beside)
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
            "deals": [deal_shown(found, key) for key in made.documents[:ROWS_LIMIT]],
            "invoices": [record_shown(found, number) for number in made.records[:ROWS_LIMIT]],
        },
        "figures": _figures(pair, found),
    }


def confirm(
    ledger: Ledger,
    pair: Pair,
    wanted: str,
    *,
    who: str,
    reason: str,
    beside: Sequence[Pair] = (),
) -> int | None:
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
        found = found_links(tx, pair, beside)
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
        open_now = {row["key"]: row for row in waiting(tx, pair)}
        key = next((key for key in keys if key in open_now), None)
        if key is None:
            raise NotFound(
                "No deal of that name waits for an invoice.",
                remedy="`tieout backfill` lists those that do; `tieout explain` says why not.",
            )
        records = {row["id"]: row for row in by_hand(tx, pair)}
        if record not in records:
            raise NotFound(
                f"The books have no {KIND} {record} that a person made and that is not linked.",
                remedy="`tieout backfill --json` has the id of each.",
            )
        found = Found({key: open_now[key]}, {record: records[record]}, Links(), {})
        chosen = [Link(key, record, BY_PERSON)]
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


# -- what people see ------------------------------------------------------------------------------


def _shown(found: Found, link: Link) -> dict[str, Any]:
    return {
        **deal_shown(found, link.key),
        "by": link.by,
        "record": record_shown(found, link.record),
        "differences": list(link.differences),
    }


def _asked(found: Found, question: Question) -> dict[str, Any]:
    records = [record_shown(found, number) for number in question.records]
    return {**deal_shown(found, question.key), "by": question.by, "records": records}


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
    figure = figure_name(pair, found)
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
            name: sums_of(
                (found.documents[key]["currency"], found.documents[key]["net"]) for key in keys
            )
            for name, keys in deals.items()
        },
        "invoices": {
            name: sums_of(
                (
                    fields_of(found.records[one]["fields"]).get("currency"),
                    found.records[one][figure],
                )
                for one in numbers
            )
            for name, numbers in invoices.items()
        },
    }
