"""A pair: one CRM company, one books company, the mappings between them and how they are run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TypeAlias

from mapping import matching
from mapping.rules import Mapping
from sync_engine.approvals.policy import Policy
from tieout.model.contract import Connector
from tieout.model.money import Money, Rounding

Clock: TypeAlias = Callable[[], datetime]
Sleep: TypeAlias = Callable[[float], None]

FEW_CALLS = "few_calls"
FAST = "fast"


@dataclass(frozen=True, slots=True)
class Pair:
    """What one round works on.

    Attributes:
        name: the configuration's word for it.
        crm: the open session with the CRM.
        books: the open session with the books.
        mappings: the translations, compiled.
        policy: when a plan needs a person.
        cutover_date: nothing before it is ever posted.
        unsafe_documents: a sheet with more creates than this asks a person.
        unsafe_amount: and one that comes to more than this, counting what is in its currency.
        twin_days: how far around its date an invoice's twin is looked for.
        payment_twin_days: the same for a payment.
        sweep_hours: how often every posted source is read again, beside what the feeds show.
        quiet_secs: how long after an unanswered write the books may still be doing it.
        rounding: the named rule for amounts that are computed.
        numbers_ours: whether we give the invoices their numbers.
        shadow: whether it begins by only watching; what it does now, the ledger knows (``mode``).
        default_income_account: the account of new items, where the mapping names none (R20).
        time_zone: where a credit's day is today.
    """

    name: str
    crm: Connector
    books: Connector
    mappings: tuple[Mapping, ...]
    policy: Policy
    cutover_date: date
    unsafe_documents: int = 500
    unsafe_amount: Money | None = None
    twin_days: int = 45
    payment_twin_days: int = 7
    sweep_hours: float = 24
    quiet_secs: float = 150
    rounding: Rounding = Rounding.HALF_UP
    numbers_ours: bool = False
    shadow: bool = False
    default_income_account: str | None = None
    time_zone: str = "UTC"

    def connector(self, company: str) -> Connector:
        """Return the session with one of the two companies."""
        return self.crm if company == self.crm.company else self.books


def folded(text: str | None) -> str | None:
    """Return a text as matching compares it; None where there is nothing to compare."""
    return None if text is None else matching.folded(text) or None
