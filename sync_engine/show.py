"""show: what the ledger knows, as the plain values that every door prints. It writes nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from mapping.drafting import Drafted, draft
from sync_engine.addresses import named_as, source_of
from sync_engine.collected import part_name, period_of_row, sharing
from sync_engine.draft import setting_of
from sync_engine.ledger.spelling import change_of, fields_of, findings_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.mode import mode_of
from sync_engine.pair import Pair
from sync_engine.sketch import Sketch
from sync_engine.states import COLLECTED, HELD, REFERENCE_KINDS, is_not_due
from tieout.model.money import plain_text
from tieout.model.ref import Ref


def planned(ledger: Reads, row: Row) -> dict[str, Any]:
    """Return what would be done about one document, with its hash, findings and tasks."""
    plan = ledger.one("plan_get", hash=row["plan_hash"]) if row["plan_hash"] else None
    change = None if plan is None else change_of(plan["change"])
    return {
        "title": row["title"],
        "kind": row["kind"],
        "source": f"{row['source_kind']}:{row['source_id']}",
        "part": row["part"],
        "state": row["state"],
        "goes": _goes(ledger, row),
        "goes_with": _goes_with(ledger, row),
        "reason": row["reason"],
        "not_due": is_not_due(row),
        "hash": row["plan_hash"],
        "net": row["net"],
        "currency": row["currency"],
        "verb": None if change is None else change.verb.value,
        "values": None if change is None else change.values,
        "needs": [] if plan is None else json.loads(plan["needs"]),
        "findings": [] if plan is None else _findings(plan["findings"]),
        "tasks": [
            {"code": task["code"], "message": task["message"]}
            for task in ledger.all("tasks_open_of", subject=row["key"])
        ],
    }


def _goes(ledger: Reads, row: Row) -> bool:
    """Whether it is sent once it is approved: a new record only when what waits for it is."""
    if row["state"] in HELD or row["state"] == COLLECTED or is_not_due(row):
        return False
    return row["kind"] not in REFERENCE_KINDS or bool(ledger.all("need_goes", need=row["key"]))


def _goes_with(ledger: Reads, row: Row) -> str | None:
    """Return what a document that waits goes with; None of one that is sent by itself."""
    return _together(ledger, row["key"]) if row["state"] == COLLECTED else None


def _together(ledger: Reads, key: str) -> str | None:
    """Return the name of the document of several sources that one's goes, or went, with."""
    for one in ledger.all("collected_of", document=key):
        if not one["held"]:
            customer = Ref(one["company"], one["kind"], one["id"])
            return named_as(customer, part_name(period_of_row(one), one["currency"]))
    return None


def pair_status(ledger: Reads, pair: Pair, counts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return how one pair is; ``counts`` are the open tasks of all pairs by code."""
    name = pair.name
    state = ledger.one("pair_get", pair=name)
    documents = ledger.all("document_counts", pair=name)
    queue = {row["state"]: row["n"] for row in ledger.all("outbox_counts", pair=name)}
    return {
        "pair": name,
        "mode": mode_of(ledger, pair),
        "paused": None
        if state is None or state["paused_code"] is None
        else {"code": state["paused_code"], "reason": state["paused_reason"]},
        "last_round_at": None if state is None else state["last_round_at"],
        "last_good_at": None if state is None else state["last_good_at"],
        "last_round": json.loads(state["last_said"]) if state and state["last_said"] else None,
        "feeds": [dict(row) for row in ledger.all("cursors_of_pair", pair=name)],
        "documents": [dict(row) for row in documents],
        "queue": queue,
        "unknowns": queue.get("unknown", 0) + queue.get("sending", 0),
        "tasks": {row["code"]: row["n"] for row in counts if row["pair"] == name},
    }


def explained(ledger: Reads, pair: Pair, sketch: Sketch, wanted: str | None) -> dict[str, Any]:
    """Return what became of one sketch, and which line of the mapping made each value."""
    row = ledger.one("document_get", key=str(sketch.key))
    trace = sketch.trace
    if sketch.given is not None and not trace.made:
        again = draft(sketch.mapping, sketch.given, setting_of(ledger, pair))
        trace = again.trace if isinstance(again, Drafted) else trace
    made = trace.made if wanted is None else trace.of(wanted)
    return {
        "mapping": sketch.mapping.name,
        "key": str(sketch.key),
        "part": sketch.part,
        "title": sketch.title,
        "state": "unseen" if row is None else row["state"],
        "reason": sketch.skipped or (None if row is None else row["reason"]),
        "record": None if row is None else row["posted_id"],
        "goes_with": _together(ledger, str(sketch.key)),
        "members": [
            {"source": named_as(source_of(one)), "net": one["share"], "state": one["state"]}
            for one in sharing(ledger, str(sketch.key))
        ],
        "values": [
            {"field": one.field, "line": one.formula.line, "says": str(one)} for one in made
        ],
        "findings": [
            {"code": one.code, "message": one.message, "remedy": one.remedy, "line": one.line}
            for one in sketch.findings
        ],
        "decisions": [dict(held) for held in ledger.all("decisions_of", key=str(sketch.key))],
        "receipt": _receipt(ledger, str(sketch.key)),
        "tasks": [
            {"code": task["code"], "message": task["message"], "remedy": task["remedy"]}
            for task in ledger.all("tasks_open_of", subject=str(sketch.key))
        ],
        "journal": [
            {
                "at": line["at"],
                "who": line["who"],
                "what": line["what"],
                "detail": line["detail"],
            }
            for line in ledger.all("journal_of", subject=str(sketch.key))
        ],
    }


def task(row: Row) -> dict[str, Any]:
    """Return one task, its choices and detail opened."""
    shown = dict(row)
    shown["choices"] = json.loads(row["choices"])
    shown["detail"] = json.loads(row["detail"])
    return shown


def _receipt(ledger: Reads, key: str) -> dict[str, Any] | None:
    row = ledger.one("receipt_any", key=key)
    if row is None:
        return None
    fields = fields_of(row["fields"])
    return {
        "kind": row["kind"],
        "id": row["id"],
        "number": fields.get("number"),
        "total": None if fields.get("total") is None else str(fields["total"]),
        "variance": _variance(ledger, row["plan_hash"], fields),
        "how": row["how"],
        "at": row["at"],
        "url": fields.get("url"),
    }


def _variance(ledger: Reads, plan_hash: str, fields: Mapping[str, Any]) -> str | None:
    """Return how far the books' total is from the expected one, None where it is not."""
    plan = ledger.one("plan_get", hash=plan_hash)
    expected = None if plan is None else plan["expected"]
    if expected is None or fields.get("total") is None:
        return None
    off = fields["total"] - Decimal(expected)
    return plain_text(off) if off else None


def _findings(text: str) -> list[dict[str, Any]]:
    return [
        {
            "code": one.code,
            "severity": one.severity.value,
            "message": one.message,
            "remedy": one.remedy,
            "line": one.line,
        }
        for one in findings_of(text)
    ]
