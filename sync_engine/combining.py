"""combining: what a source is told of several documents, as if they were one. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal

from mapping.drafting import Afterwards


def combined(parts: Sequence[Afterwards]) -> Afterwards:
    """Return what a source is told of all its parts together. Pure.

    Numbers are joined; total and balance are sums; the due date is the earliest that is open, the
    last payment the latest, id and link those of the part posted last. The status is the worst
    that needs a person, else how far they are paid together. Parts that the mapping makes no more
    are left out.
    """
    made = [part for part in parts if part.status]
    if not made:
        return parts[0]
    posted = sorted(
        (part for part in made if part.posted_at is not None), key=lambda part: str(part.posted_at)
    )
    last = posted[-1] if posted else made[0]
    live = [part for part in posted if part.status != "voided"]
    days = [part.due_date for part in live if part.due_date and part.balance]
    return replace(
        last,
        status=_status_of(made),
        problem=next((part.problem for part in made if part.problem), None),
        approval=_approval_of(made),
        tied_out_at=last.tied_out_at if all(part.tied_out_at for part in made) else None,
        number=", ".join(part.number for part in posted if part.number) or None,
        total=_sum_of(part.total for part in live),
        balance=_sum_of(part.balance for part in live),
        due_date=min(days, default=last.due_date),
        last_payment_date=max(
            (part.last_payment_date for part in posted if part.last_payment_date), default=None
        ),
    )


def _status_of(parts: Sequence[Afterwards]) -> str:
    said = {part.status for part in parts}
    for worst in ("problem", "held", "voided"):
        if worst in said:
            return worst
    if len(said) == 1:
        return said.pop()
    if said <= {"paid", "credited"}:
        return "paid"
    return "part-paid" if said & {"paid", "part-paid", "credited"} else "invoiced"


def _approval_of(parts: Sequence[Afterwards]) -> str | None:
    said = {part.approval for part in parts}
    return next((word for word in ("rejected", "waiting", None, "approved") if word in said), None)


def _sum_of(amounts: Iterable[Decimal | None]) -> Decimal | None:
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if known else None
