"""New records: customers and items that must be in the books before a document that names them."""

from __future__ import annotations

from datetime import datetime

from sync_engine.addresses import source_address, source_of
from sync_engine.frozen import keep_plan, state_of_same_plan
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair, folded
from sync_engine.preflight import preflight_new
from sync_engine.resolve import NewRecord, Resolved
from sync_engine.sketch import Sketch
from sync_engine.states import ASKED
from sync_engine.tasks import REFUSED, keep
from tieout.model.canonical import canonical, digest
from tieout.model.change import Create, Finding, Plan, Severity
from tieout.model.ref import Key


def plan_new_records(
    tx: Writes, pair: Pair, sketch: Sketch, resolved: Resolved, now: datetime
) -> list[Finding]:
    """Plan the records that must be created first; what blocks them blocks this document too.

    Of all documents that wait for a new record one words it, so that they never undo each other.
    """
    findings: list[Finding] = []
    tx.run("needs_clear", key=str(sketch.key))
    for key, new in resolved.needs.items():
        tx.run("need_add", key=str(sketch.key), need=key)
        wrong = preflight_new(new.kind, new.values, new.source, pair.books.capabilities)
        findings += () if new.shared else wrong
        held = tx.one("document_get", key=key)
        if held is not None and held["state"] == "refused":
            findings.append(
                Finding(
                    f"{new.kind}-refused",
                    Severity.BLOCK,
                    f"The books refused its new {new.kind} {new.values['name']!r}.",
                    "Answer that record's own task first.",
                    new.source,
                )
            )
        words_it = not new.shared and tx.value("need_first", need=key) == str(sketch.key)
        if not wrong and words_it and (held is None or _may_plan_again(held, new)):
            _put_new(tx, pair, sketch, new, held, now)
    return findings


def leave_unneeded(tx: Writes, pair: Pair) -> None:
    """Leave the new records that no document waits for any more, also those that were refused."""
    for row in tx.all("needs_unwanted", pair=pair.name):
        at = tx.now_text()
        tx.run("document_state", key=row["key"], state="skipped", reason="not-needed", at=at)
        source = source_of(row)
        keep(
            tx,
            pair=pair.name,
            family=REFUSED,
            subject=row["key"],
            source=source,
            wanted=(),
        )


def _may_plan_again(held: Row, new: NewRecord) -> bool:
    """A twin of its company shares the plan, and does not write it in its own words."""
    own = (held["source_kind"], held["source_id"]) == (new.source.kind, new.source.id)
    return own and held["state"] not in ASKED


def _put_new(
    tx: Writes, pair: Pair, sketch: Sketch, new: NewRecord, held: Row | None, now: datetime
) -> None:
    name = str(new.values["name"])
    values = {field: value for field, value in new.values.items() if value is not None}
    plan = Plan(
        key=str(new.key),
        mapping=sketch.mapping.name,
        mapping_version=sketch.mapping.version,
        change=Create(new.kind, values),
        title=f"{new.kind} {name}",
        source=new.source,
    )
    keep_plan(tx, pair, plan, now)
    content = canonical(values)
    tx.run(
        "document_put",
        **document_row(pair, sketch, plan.key, new.key, tx.now_text()),
        **source_address(new.source),
        part="",
        kind=new.kind,
        state=state_of_same_plan(tx, held, plan),
        reason=None,
        title=plan.title,
        content=content,
        content_hash=digest(content),
        net=None,
        currency=new.currency,
        purchase_order=None,
        customer=None,
        name_key=folded(name),
        plan_hash=plan.hash,
    )
    if held is not None and held["plan_hash"] != plan.hash:
        tx.run("dependants_again", need=plan.key, pair=pair.name)


def made_since(tx: Writes, key: str) -> dict[tuple[str, str], str]:
    """Return what this document waited for and got: the key by the kind and id that it has now."""
    return {(row["kind"], row["posted_id"]): row["need"] for row in tx.all("needs_made", key=key)}


def document_row(pair: Pair, sketch: Sketch, text: str, key: Key, at: str) -> dict[str, str | int]:
    """Return the columns that every document has: whose it is, and of which generation."""
    return {
        "key": text,
        "stem": key.stem,
        "generation": key.generation,
        "pair": pair.name,
        "mapping": sketch.mapping.identity,
        "at": at,
    }
