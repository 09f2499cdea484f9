"""The change feed: what was written or deleted since an instant (R24, R50)."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from tieout.simulator.quickbooks import refusals, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.fields import id_order
from tieout.simulator.quickbooks.records import FILE_KIND, KINDS, Gone, Record
from tieout.simulator.quickbooks.refusals import Json

MAX_OBJECTS = 1000
MAX_AGE_DAYS = 30
NOT_FED = frozenset({"TaxCode", "TaxRate", "TaxAgency", "JournalCode", "TimeActivity", FILE_KIND})

_FED = {kind.lower(): kind for kind in KINDS if kind not in NOT_FED}

Found = tuple[datetime, str, Record | Gone]
"""When, of which kind, what."""


def feed(company: QuickBooksCompany, entities: str, changed_since: str) -> list[Json]:
    """Return a `QueryResponse` for each asked kind, in the asked order.

    At most 1,000 objects over all kinds, and no cursor: the company's `cdc_truncation` says which
    ones a full answer keeps. A deleted record is its id and its time.

    Raises:
        Refused: 500 a kind that the feed does not carry, 2020 or 2180 the instant, 4001 too old.
    """
    kinds = [_kind(name) for name in entities.split(",") if name.strip()]
    if not kinds:
        raise refusals.missing("entities")
    kept = _kept(company, kinds, _since(company, changed_since))
    answers: list[Json] = []
    for kind in kinds:
        shown = [_shown(company, kind, one) for _, of_kind, one in kept if of_kind == kind]
        answers.append({kind: shown, "startPosition": 1, "maxResults": len(shown)} if shown else {})
    return answers


def _kept(company: QuickBooksCompany, kinds: Sequence[str], since: datetime) -> list[Found]:
    by_kind = [
        [(_when(one), kind, one) for one in company.tables[kind].changed_since(since)]
        for kind in kinds
    ]
    for found in by_kind:
        found.sort(key=_order)
    every = [one for found in by_kind for one in found]
    if company.cdc_truncation == "by_kind":
        return every[:MAX_OBJECTS]
    every.sort(key=_order)
    if company.cdc_truncation == "newest":
        return every[-MAX_OBJECTS:]
    return every[:MAX_OBJECTS]


def _kind(name: str) -> str:
    kind = _FED.get(name.strip().lower())
    if kind is None:
        raise refusals.unsupported(f"CDC of {name.strip()}")
    return kind


def _since(company: QuickBooksCompany, given: str) -> datetime:
    if not given:
        raise refusals.missing("changedSince")
    try:
        # A plus sign that was not escaped arrives as a space.
        since = values.instant(given.replace(" ", "+"), company.present())
    except ValueError:
        raise refusals.invalid_date("changedSince", given) from None
    if since < company.present() - timedelta(days=MAX_AGE_DAYS):
        raise refusals.invalid_query(f"changedSince can be at most {MAX_AGE_DAYS} days ago")
    return since


def _shown(company: QuickBooksCompany, kind: str, one: Record | Gone) -> Json:
    return company.shown_gone(one) if isinstance(one, Gone) else company.shown(kind, one)


def _when(one: Record | Gone) -> datetime:
    return one.at if isinstance(one, Gone) else one.updated


def _order(found: Found) -> tuple[datetime, tuple[int, str]]:
    at, _, one = found
    return (at, id_order(one.record.id if isinstance(one, Gone) else one.id))
