"""Plans as the ledger keeps them: frozen by their hash, with what was decided about each.

A decision is about one hash. A plan that moved is another one; if it comes back to what it was, the
decision of then does not.
"""

from __future__ import annotations

from datetime import datetime

from sync_engine.ledger.spelling import amount_text, change_text, findings_text
from sync_engine.ledger.store import Row, Writes
from sync_engine.pair import Pair
from sync_engine.states import DECIDED, UNREADABLE
from tieout.model.canonical import canonical
from tieout.model.change import Plan
from tieout.model.dates import instant_text

RECALLED = "recalled"  # the verdict that ends the one before


def keep_plan(tx: Writes, pair: Pair, plan: Plan | None, now: datetime) -> None:
    """Freeze a plan; None keeps nothing."""
    if plan is None:
        return
    tx.run(
        "plan_put",
        hash=plan.hash,
        key=plan.key,
        pair=pair.name,
        change=change_text(plan.change),
        title=plan.title,
        needs=canonical(list(plan.needs)),
        findings=findings_text(plan.findings),
        mapping=plan.mapping,
        mapping_version=plan.mapping_version,
        net=amount_text(plan.net),
        expected=amount_text(plan.expected),
        tolerance=amount_text(plan.tolerance),
        currency=None if plan.net is None else plan.net.currency.code,
        made_at=instant_text(now),
    )


def state_of_same_plan(tx: Writes, held: Row | None, plan: Plan) -> str:
    """A plan with the same hash keeps what was decided; any other starts anew."""
    if held is None or held["plan_hash"] != plan.hash:
        return "planned"
    if held["state"] == "blocked" and held["reason"] == UNREADABLE:
        return standing_decision(tx, plan.key, plan.hash) or "planned"
    return str(held["state"]) if held["state"] in DECIDED else "planned"


def standing_decision(tx: Writes, key: str, plan_hash: str) -> str | None:
    """Return what was last decided about this very plan, None where nothing stands."""
    decisions = tx.all("decisions_of", key=key)
    same = [str(one["verdict"]) for one in decisions if one["plan_hash"] == plan_hash]
    return same[-1] if same and same[-1] != RECALLED else None


def recall(tx: Writes, held: Row, at: str) -> None:
    """Write down that a decision fell before: a plan that moved and came back waits for another."""
    tx.run(
        "decision_add",
        plan_hash=held["plan_hash"],
        key=held["key"],
        verdict=RECALLED,
        who="tieout",
        policy="",
        reason="it fell when the plan moved",
        at=at,
    )
