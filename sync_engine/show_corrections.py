"""show_corrections: how a posted invoice differs from its deal, and what can be done about it now.

Plain values that every door prints. It writes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from sync_engine.correcting import options
from sync_engine.corrections import standing_of
from sync_engine.credits import credits_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.pair import Pair
from sync_engine.standing import Option
from sync_engine.tasks import DRIFT
from tieout.model.canonical import plain


def standing(ledger: Reads, pair: Pair, invoice: Row, now: datetime) -> dict[str, Any]:
    """Return an invoice beside its deal, field by field, and each correction with its hash."""
    stands = standing_of(ledger, pair, invoice, now)
    fields = stands.invoice.fields
    company = pair.books.company
    return {
        "source": f"{invoice['source_kind']}:{invoice['source_id']}",
        "part": invoice["part"],
        "title": invoice["title"],
        "state": invoice["state"],
        "invoice": {
            "id": stands.invoice.ref.id,
            **{name: plain(fields.get(name)) for name in ("number", "date", "currency")},
            **{name: plain(fields.get(name)) for name in ("net", "tax", "total", "balance")},
            "left": plain(stands.rest),
        },
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
    """Return what a document says, each line by itself and money as its amount."""
    content = json.loads(text or "null") or {}
    flat: dict[str, Any] = {}
    for name, value in content.items():
        if name == "lines":
            flat |= {f"line {n}": line for n, line in enumerate(value, 1)}
        else:
            flat[name] = value["amount"] if isinstance(value, dict) else value
    return flat
