"""approve: which plans need nobody, and what people decided about the others.

A decision is bound to a plan's hash. What a plan waits for, a new customer or item, is approved
with it. A sheet that is too large is unsafe: then even an automatic policy asks.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime

from sync_engine.addresses import source_of
from sync_engine.ledger.spelling import money_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.tasks import APPROVAL, UNSAFE, Wanted, keep
from tieout.model.canonical import digest
from tieout.model.dates import instant_text
from tieout.model.errors import NotFound, Rejected
from tieout.model.money import total

POLICY = "policy"  # who decided, when nobody had to
SHORTEST_HASH = 8  # letters of a hash that a person may type
DECISIONS_AT_ONCE = 2_000

APPROVED, REJECTED = "approved", "rejected"


def approve(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Decide by policy about every plan that is new; the others wait for a person."""
    planned = ledger.all("documents_in_state", pair=pair.name, state="planned", limit=-1)
    asked = [row for row in planned if row["kind"] not in ("customer", "item")]
    unsafe = _unsafe(pair, asked)
    for start in range(0, len(asked), DECISIONS_AT_ONCE):
        with ledger.transaction() as tx:
            for row in asked[start : start + DECISIONS_AT_ONCE]:
                if not unsafe and pair.policy.approves(money_of(row["net"], row["currency"])):
                    _decide(tx, row, APPROVED, POLICY, pair.policy.name, "", now)
                else:
                    _wait(tx, pair, row, now)
    _keep_unsafe(ledger, pair, unsafe)


def decide(
    ledger: Ledger, pair: Pair, wanted: str, verdict: str, *, who: str, reason: str, now: datetime
) -> int:
    """Approve or reject what waits, by a plan's hash or the whole sheet's; return how many.

    Raises:
        NotFound: nothing that waits has this hash: it moved, or was decided already.
        Rejected: the hash is too short or names several plans.
    """
    waiting = ledger.all("documents_in_state", pair=pair.name, state="waiting", limit=-1)
    chosen = _chosen(waiting, wanted)
    with ledger.transaction() as tx:
        for row in chosen:
            _decide(tx, row, verdict, who, pair.policy.name, reason, now)
            _keep_waiting_task(tx, pair, row, ())
        if len(chosen) == len(waiting):
            keep(
                tx,
                pair=pair.name,
                family=UNSAFE,
                subject=pair.name,
                source=None,
                wanted=(),
            )
    return len(chosen)


def sheet_of(rows: Sequence[Row]) -> str:
    """Return the hash of a sheet: of all its plans, whatever their order."""
    return digest(sorted(str(row["plan_hash"]) for row in rows))


def _chosen(waiting: Sequence[Row], wanted: str) -> list[Row]:
    if len(wanted) < SHORTEST_HASH:
        raise Rejected(
            f"{wanted!r} is too short to name a plan.",
            remedy=f"Give at least {SHORTEST_HASH} letters of the hash that `tieout plan` prints.",
        )
    if waiting and sheet_of(waiting).startswith(wanted):
        return list(waiting)
    chosen = [row for row in waiting if str(row["plan_hash"]).startswith(wanted)]
    if not chosen:
        raise NotFound(
            f"No plan that waits has the hash {wanted}.",
            remedy="It moved or was decided: `tieout plan` shows the present hashes.",
        )
    if len(chosen) > 1:
        raise Rejected(f"{len(chosen)} plans begin with {wanted}.", remedy="Give more letters.")
    return chosen


def _decide(
    tx: Writes, row: Row, verdict: str, who: str, policy: str, reason: str, now: datetime
) -> None:
    at = instant_text(now)
    needs = tx.all("needs_planned", key=row["key"]) if verdict == APPROVED else []
    for each in (row, *needs):
        tx.run(
            "decision_add",
            plan_hash=each["plan_hash"],
            key=each["key"],
            verdict=verdict,
            who=who,
            policy=policy,
            reason=reason,
            at=at,
        )
        tx.run("document_state", key=each["key"], state=verdict, reason=None, at=at)
        tx.journal(
            who,
            verdict,
            each["key"],
            {"plan": each["plan_hash"], "policy": policy, "reason": reason},
        )


def _wait(tx: Writes, pair: Pair, row: Row, now: datetime) -> None:
    tx.run("document_state", key=row["key"], state="waiting", reason=None, at=instant_text(now))
    short = str(row["plan_hash"])[:SHORTEST_HASH]
    task = Wanted(
        "approval",
        row["title"],
        f"{row['title']}: {row['net']} {row['currency']} waits for approval of plan {short}.",
        f"`tieout approve {short}` or `tieout reject {short} --reason …`.",
        detail={"plan": row["plan_hash"]},
    )
    _keep_waiting_task(tx, pair, row, (task,))


def _keep_waiting_task(tx: Writes, pair: Pair, row: Row, wanted: Sequence[Wanted]) -> None:
    keep(
        tx,
        pair=pair.name,
        family=APPROVAL,
        subject=row["key"],
        source=source_of(row),
        wanted=wanted,
    )


def _unsafe(pair: Pair, asked: Sequence[Row]) -> str:
    """Return why a sheet asks a person however small its documents are; empty when it does not."""
    if len(asked) > pair.unsafe_documents:
        return f"{len(asked)} documents, more than the {pair.unsafe_documents}"
    limit = pair.unsafe_amount
    if limit is None:
        return ""
    nets = [money_of(row["net"], row["currency"]) for row in asked]
    sums = total((net for net in nets if net and net.currency == limit.currency), limit.currency)
    return f"{sums}, more than the {limit}" if sums > limit else ""


def _keep_unsafe(ledger: Ledger, pair: Pair, unsafe: str) -> None:
    """Keep the task of a sheet that is too large, with its present hash, while any of it waits."""
    opened = ledger.all("task_open_of", family=UNSAFE, subject=pair.name)
    if not unsafe and not opened:
        return
    why = unsafe or str(json.loads(opened[0]["detail"])["why"])
    waiting = ledger.all("documents_in_state", pair=pair.name, state="waiting", limit=-1)
    sheet = sheet_of(waiting)
    short = sheet[:SHORTEST_HASH]
    task = Wanted(
        "unsafe",
        f"{len(waiting)} documents at once",
        f"A round would post {why} that `unsafe` allows without a person.",
        f"Look at `tieout plan`; if it is right, `tieout approve {short}` approves it all.",
        detail={"sheet": sheet, "why": why},
    )
    with ledger.transaction() as tx:
        keep(
            tx,
            pair=pair.name,
            family=UNSAFE,
            subject=pair.name,
            source=None,
            wanted=[task] if waiting else (),
        )
