"""approve: which plans need nobody, and what people decided about the others.

A decision is bound to a plan's hash. What a plan waits for, a new customer or item, is approved
with it. A sheet that is too large is unsafe: then even an automatic policy asks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import islice

from sync_engine.addresses import source_of
from sync_engine.ledger.spelling import money_of
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Reads, Row, Writes
from sync_engine.pair import Pair
from sync_engine.states import ENCLOSED, REFERENCE_KINDS, in_state, is_not_due
from sync_engine.tasks import APPROVAL, UNSAFE, Wanted, keep
from tieout.model.canonical import digest
from tieout.model.dates import instant_text
from tieout.model.errors import NotFound, Rejected
from tieout.model.money import total

POLICY = "policy"  # who decided, when nobody had to
SHORTEST_HASH = 8  # letters of a hash that a person may type
DECISIONS_AT_ONCE = 2_000

BEHIND_HEX = "g"  # sorts behind every letter that a hash has

APPROVED, REJECTED = "approved", "rejected"


def approve(ledger: Ledger, pair: Pair, now: datetime) -> None:
    """Decide by policy about every plan that is new; the others wait for a person."""
    unsafe = _unsafe(pair, ledger.all("documents_new", pair=pair.name))
    planned = in_state(ledger, pair.name, "planned")
    beside = {*REFERENCE_KINDS, *ENCLOSED}
    asked = (row for row in planned if row["kind"] not in beside and not is_not_due(row))
    while some := list(islice(asked, DECISIONS_AT_ONCE)):
        with ledger.transaction() as tx:
            for row in some:
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
    decided = 0
    with ledger.transaction() as tx:
        for row in _chosen(tx, pair, wanted):
            _decide(tx, row, verdict, who, pair.policy.name, reason, now)
            _keep_waiting_task(tx, pair, row, ())
            decided += 1
        if sheet_of(tx, pair) is None:
            keep(
                tx,
                pair=pair.name,
                family=UNSAFE,
                subject=pair.name,
                source=None,
                wanted=(),
            )
    return decided


def demand_waiting(ledger: Ledger, pair: Pair, wanted: str) -> None:
    """Refuse a hash that names nothing of a pair that waits.

    Raises:
        NotFound, Rejected: as ``decide``.
    """
    _chosen(ledger, pair, wanted)


def sheet_of(ledger: Reads, pair: Pair) -> str | None:
    """Return the hash of all plans that wait for a person, None where none does."""
    hashes = [str(row["plan_hash"]) for row in ledger.all("plans_waiting", pair=pair.name)]
    return digest(hashes) if hashes else None


def named_by(ledger: Reads, pair: Pair, wanted: str) -> list[Row]:
    """Return the documents whose present plan has a hash that begins so.

    Raises:
        Rejected: the hash is too short.
    """
    if len(wanted) < SHORTEST_HASH:
        raise Rejected(
            f"{wanted!r} is too short to name a plan.",
            remedy=f"Give at least {SHORTEST_HASH} letters of the hash that `tieout plan` prints.",
        )
    behind = wanted + BEHIND_HEX
    return ledger.all("documents_of_plan", pair=pair.name, first=wanted, behind=behind)


def _chosen(tx: Reads, pair: Pair, wanted: str) -> Iterable[Row]:
    named = [row for row in named_by(tx, pair, wanted) if row["state"] == "waiting"]
    if len(named) > 1:
        raise Rejected(f"{len(named)} plans begin with {wanted}.", remedy="Give more letters.")
    if named:
        return named
    if not (sheet_of(tx, pair) or "").startswith(wanted):
        raise NotFound(
            f"No plan that waits has the hash {wanted}.",
            remedy="It moved or was decided: `tieout plan` shows the present hashes.",
        )
    return in_state(tx, pair.name, "waiting")


def _decide(
    tx: Writes, row: Row, verdict: str, who: str, policy: str, reason: str, now: datetime
) -> None:
    at = instant_text(now)
    needs = tx.all("needs_planned", key=row["key"]) if verdict == APPROVED else []
    along = tx.all("correction_along", key=row["key"]) if verdict == APPROVED else []
    for each in (row, *needs, *along):
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
        why = (reason or None) if verdict == REJECTED else None
        tx.run("document_state", key=each["key"], state=verdict, reason=why, at=at)
        tx.journal(
            who,
            verdict,
            each["key"],
            {"plan": each["plan_hash"], "policy": policy, "reason": reason},
        )
    if verdict == REJECTED:
        tx.run("touch_held_kin", key=row["key"])


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
    sheet = sheet_of(ledger, pair)
    wanted = [] if sheet is None else [_too_large(sheet, why)]
    with ledger.transaction() as tx:
        keep(
            tx,
            pair=pair.name,
            family=UNSAFE,
            subject=pair.name,
            source=None,
            wanted=wanted,
        )


def _too_large(sheet: str, why: str) -> Wanted:
    short = sheet[:SHORTEST_HASH]
    return Wanted(
        "unsafe",
        "Too much at once",
        f"A round would post {why} that `unsafe` allows without a person.",
        f"Look at `tieout plan`; if it is right, `tieout approve {short}` approves it all.",
        detail={"sheet": sheet, "why": why},
    )
