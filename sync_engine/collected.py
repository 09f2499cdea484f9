"""collected: which sources go together in one document, by the ledger, and what is whose in it.

A source of a mapping with ``group`` keeps a document of its own: drafted, judged and told by
itself, and never sent. It goes with one of several, the *collective*, whose source is the customer.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from mapping.collecting import Period
from mapping.rules import Mapping
from sync_engine.credits import credits_of, is_credited_whole
from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.standing import lines_of, taken_of
from sync_engine.states import ASKED
from tieout.model.dates import parse_day
from tieout.model.money import Money, allocate, currency, total
from tieout.model.ref import Key, Ref

ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Collective:
    """The document of several sources that a source goes with.

    ``currency`` is empty while the source's own is not known.
    """

    key: Key
    customer: Ref
    period: Period
    currency: str


@dataclass(frozen=True, slots=True)
class Share:
    """What a source has in the document of several that the books have.

    Attributes:
        first: the place of its first line, from 0.
        lines: how many there are.
        net: what they came to when it was posted.
        credited: what credits of ours took of them since.
        live: whether the document is neither voided nor deleted.
        currency: the document's.
    """

    first: int
    lines: int
    net: Decimal
    credited: Decimal
    live: bool
    currency: str

    @property
    def left(self) -> Decimal:
        """What is left of it in the books."""
        return self.net - self.credited if self.live else ZERO


def part_name(period: Period, code: str) -> str:
    """Return the part of a key that tells the documents of one customer apart."""
    return f"{period.name}:{code}"


def is_collective(mapping: Mapping | None, row: Row) -> bool:
    """Whether a document is one of several sources, by the mapping that makes it."""
    if mapping is None or row["kind"] != mapping.to:
        return False
    return is_customer(mapping, row["source_kind"])


def is_customer(mapping: Mapping, kind: str) -> bool:
    """Whether records of a kind are what the sources of a mapping have in common."""
    return mapping.collects == kind


def sent_with(tx: Reads, key: str) -> Row | None:
    """Return what a source's document goes with, where that was sent: it never leaves it."""
    rows = tx.all("collected_of", document=key)
    return next((row for row in rows if row["state"] in ASKED and row["n"] is not None), None)


def was_sent(tx: Reads, row: Row) -> bool:
    """Whether something of a document was sent: by itself, or with others."""
    return row["state"] in ASKED or sent_with(tx, row["key"]) is not None


def period_of_row(row: Row) -> Period:
    """Return the period that a row of what is collected names."""
    return Period(row["period"], parse_day(row["first_day"]), parse_day(row["last_day"]))


def going_along(tx: Reads, collective: str) -> list[Row]:
    """Return the documents that go with one of several, in their order in it."""
    return [row for row in tx.all("collected_in", collective=collective) if not row["held"]]


def sharing(tx: Reads, collective: str) -> list[Row]:
    """Return the documents that have lines in one of several, as it is planned or was sent."""
    rows = tx.all("collected_in", collective=collective)
    return sorted((row for row in rows if row["n"] is not None), key=lambda row: int(row["n"]))


def share_of(tx: Reads, books: str, key: str, figure: str = "net") -> Share | None:
    """Return what a source has in a document of several that was posted; None where it has none.

    Args:
        tx: the ledger.
        books: the books' company.
        key: of the source's own document.
        figure: net or total: which figure of a credit compares with the source's.
    """
    row = sent_with(tx, key)
    collective = None if row is None else tx.one("document_get", key=row["collective"])
    if row is None or collective is None or collective["posted_id"] is None:
        return None
    before = (one for one in sharing(tx, row["collective"]) if one["n"] < row["n"])
    first = sum(int(one["lines"]) for one in before)
    lines = int(row["lines"])
    return Share(
        first,
        lines,
        Decimal(row["net"]),
        _credited(tx, books, collective, slice(first, first + lines), figure),
        is_living(tx, books, collective),
        row["currency"],
    )


def posted_net(tx: Reads, collective: Row) -> Decimal:
    """Return what the sources of a posted document came to together when it was posted."""
    return sum((Decimal(row["share"]) for row in sharing(tx, collective["key"])), ZERO)


def present_net(tx: Reads, collective: Row) -> Decimal:
    """Return what the sources of a document come to now, those in another currency left out."""
    rows = sharing(tx, collective["key"])
    nets = [row["net"] for row in rows if row["currency"] == collective["currency"]]
    return sum((Decimal(net) for net in nets if net is not None), ZERO)


def shared(amount: Decimal, rows: Sequence[Row], code: str) -> Iterator[Decimal]:
    """Yield what each source has of an amount of its document, in proportion to what it came to."""
    weights = [abs(Decimal(row["share"])) for row in rows]
    for part in allocate(Money(amount, currency(code)), weights):
        yield part.amount


def is_taken_back(tx: Reads, books: str, row: Row) -> bool:
    """Whether credits of ours took all of a posted document, or of a source's lines in one."""
    share = share_of(tx, books, row["key"])
    if share is not None:
        return share.live and bool(share.credited) and not share.left
    return row["kind"] == "invoice" and is_credited_whole(tx, books, row)


def _credited(tx: Reads, books: str, collective: Row, own: slice, figure: str) -> Decimal:
    """Return what credits of ours took of some lines: of the net, or in proportion of the total."""
    shown = tx.one("mirror_get", company=books, kind="invoice", id=collective["posted_id"])
    if shown is None or not is_living(tx, books, collective):
        return ZERO
    lines = lines_of(fields_of(shown["fields"]))
    unit = currency(collective["currency"])
    taken = ZERO
    for row, credit in credits_of(tx, books, collective["key"]):
        weights = [one.amount for one in taken_of(credit, lines)]
        parts = allocate(Money(Decimal(row[figure]), unit), weights)
        taken += total(parts[own], unit).amount
    return taken


def is_living(tx: Reads, books: str, collective: Row) -> bool:
    """Whether the books have a document of several sources, neither voided nor deleted."""
    shown = tx.one("mirror_get", company=books, kind="invoice", id=collective["posted_id"])
    return shown is not None and bool(shown["live"]) and not shown["gone"]
