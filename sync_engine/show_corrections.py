"""show_corrections: how a posted invoice differs from its deal, and what can be done about it now.

Plain values that every door prints. It writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sync_engine.addresses import named_as, source_of
from sync_engine.apportion import fitted, lines_of_source, now_lines, stand_as_sent, whole_of
from sync_engine.collected import share_of
from sync_engine.correcting import option, options
from sync_engine.corrections import standing_of
from sync_engine.credits import credits_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.pair import Pair
from sync_engine.standing import Choice, Option, Standing, Way, taken_so_far
from sync_engine.tasks import DRIFT
from tieout.model.canonical import plain
from tieout.model.crediting import Extent
from tieout.model.errors import Rejected, ValueRefused
from tieout.model.money import Money


def standing(ledger: Reads, pair: Pair, invoice: Row, now: datetime) -> dict[str, Any]:
    """Return an invoice beside its deal, field by field, and each correction with its hash."""
    stands = standing_of(ledger, pair, invoice, now)
    fields = stands.invoice.fields
    company = pair.books.company
    return {
        "source": f"{invoice['source_kind']}:{invoice['source_id']}",
        "part": invoice["part"],
        "with": None,
        "title": invoice["title"],
        "state": invoice["state"],
        "invoice": {
            "id": stands.invoice.ref.id,
            **{name: plain(fields.get(name)) for name in ("number", "date", "currency")},
            **{name: plain(fields.get(name)) for name in ("net", "tax", "total", "balance")},
            "left": plain(stands.rest),
        },
        "lines": list(_lines_in_the_books(stands, slice(None))),
        "fields": list(_differing(invoice, fields)),
        "tasks": [
            {"code": row["code"], "message": row["message"]}
            for row in ledger.all("task_open_of", family=DRIFT, subject=invoice["key"])
        ],
        "credits": [
            {"id": row["id"], "net": plain(credit.net), "total": plain(credit.total)}
            for row, credit in credits_of(ledger, company, invoice["key"])
        ],
        "corrections": [
            {name: row[name] for name in ("way", "state", "reason", "title", "net", "currency")}
            | {"hash": row["plan_hash"]}
            for row in ledger.all("corrections_of", key=invoice["key"])
        ],
        "options": [shown_option(one) for one in options(stands)],
    }


def share(ledger: Reads, pair: Pair, row: Row, now: datetime) -> dict[str, Any]:
    """Return one source of an invoice of several beside it, and what can be done about its lines.

    What takes back all of them is shown of the invoice itself.
    """
    whole = whole_of(ledger, row)
    stands = standing_of(ledger, pair, whole, now)
    shown = standing(ledger, pair, whole, now)
    has = share_of(ledger, pair.books.company, row["key"])
    assert has is not None
    own = now_lines(ledger, pair, row)
    lines = lines_of_source(ledger, row, stands).own
    is_known = stand_as_sent(ledger, whole, stands)
    asked = [Extent(to=own)] if own and 0 < sum(own, Decimal(0)) < has.left else []
    options = []
    for extent in (*asked, Extent()):
        choice = Choice(Way.CREDIT, extent)
        try:
            options.append(option(stands, fitted(ledger, row, stands, choice)))
        except Rejected as refused:
            options.append(Option(choice, why=refused.what))
    return {
        **shown,
        "source": f"{row['source_kind']}:{row['source_id']}",
        "part": row["part"],
        "title": row["title"],
        "with": named_as(source_of(whole), whole["part"]),
        "invoice": {**shown["invoice"], "left": plain(has.left)},
        "lines": list(_lines_in_the_books(stands, lines)) if is_known else [],
        "fields": list(_differing(row, {})),
        "tasks": [
            {"code": task["code"], "message": task["message"]}
            for task in ledger.all("task_open_of", family=DRIFT, subject=row["key"])
        ],
        "options": [shown_option(one) for one in options],
    }


def shown_option(option: Option) -> dict[str, Any]:
    """Return one correction: what it would do and its hash, or why it is not possible."""
    plan = option.plan
    change = None if plan is None else plan.change
    return {
        "name": option.choice.name,
        "extent": option.choice.extent.plain(),
        "day": plain(option.choice.day),
        "possible": plan is not None,
        "why": option.why,
        "settles": option.settles,
        "hash": None if plan is None else plan.hash,
        "net": None if plan is None or plan.net is None else str(plan.net.amount),
        "currency": None if plan is None or plan.net is None else plan.net.currency.code,
        "verb": None if change is None else change.verb.value,
        "kind": None if change is None else change.kind,
        "values": None if change is None else change.values,
        "before": None if change is None else getattr(change, "before", {}),
    }


def _lines_in_the_books(stands: Standing, own: slice) -> Iterator[dict[str, Any]]:
    """Yield the lines that can be credited, each with the number that ``--line`` takes.

    What is left of each is not known where they cancel each other.
    """
    try:
        taken: Sequence[Money | None] = taken_so_far(stands)
    except ValueRefused:
        taken = [None] * len(stands.lines)
    sold = [line for line in stands.invoice.fields["lines"] if line["item"]]
    rows = zip(sold[own], stands.lines[own], taken[own], strict=True)
    for number, (line, amount, off) in enumerate(rows, 1):
        yield {
            "line": number,
            "description": line["description"],
            "amount": plain(amount.amount),
            "left": None if off is None else plain((amount - off).amount),
        }


def _differing(invoice: Row, books: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield each field that is not the same everywhere: as posted, as the deal is, as booked."""
    posted = _said(invoice["posted_content"])
    now = _said(invoice["content"]) if invoice["reason"] is None else {}
    for name in dict.fromkeys((*posted, *now)):
        shown = plain(books.get(name)) if name in ("net", "date", "currency") else None
        before, after = posted.get(name), now.get(name)
        if before != after or shown not in (None, before):
            yield {"field": name, "posted": before, "deal": after, "books": shown}


def _said(text: str | None) -> dict[str, Any]:
    """Return what a document says, each line by itself and money as its amount.

    A deal's lines are named as its own: accountants may have put others between the invoice's.
    """
    content = json.loads(text or "null") or {}
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if name == "lines":
            flat |= {f"deal line {n}": line for n, line in enumerate(value, 1)}
        else:
            flat[name] = value["amount"] if isinstance(value, dict) else value
    return flat
