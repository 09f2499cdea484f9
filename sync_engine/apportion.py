"""apportion: what a correction of a document of several sources takes of each of them.

A source's lines stand together, so what is credited of them says whose it is. One of several is
never corrected by taking back all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from sync_engine.addresses import named_as, source_of
from sync_engine.collected import sent_with, sharing
from sync_engine.draft import draft_source, setting_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.pair import Pair
from sync_engine.standing import LINES_MOVED, Choice, Standing, Way, taken_so_far
from sync_engine.tie_out import mapping_of
from tieout.model.crediting import Extent, shares
from tieout.model.document import Invoice
from tieout.model.errors import Rejected, ValueRefused
from tieout.model.money import Currency, Money, currency

NOTHING = "null"  # the content of a source that is not to be invoiced


@dataclass(frozen=True, slots=True)
class Lines:
    """The lines of a posted document, what credits took of each, and which are one source's."""

    all: tuple[Money, ...]
    taken: tuple[Money, ...]
    own: slice
    unit: Currency

    def left(self, extent: Extent) -> tuple[Decimal, ...]:
        """Return what shall be left of each line, once so much of the source's is credited.

        Raises:
            ValueRefused: more is asked for than is left of them.
        """
        rest = [line - taken for line, taken in zip(self.all, self.taken, strict=True)]
        less = shares(self.all[self.own], self.taken[self.own], extent, self.unit)
        rest[self.own] = [line - off for line, off in zip(rest[self.own], less, strict=True)]
        return tuple(line.amount for line in rest)

    def untouched(self) -> tuple[Decimal, ...]:
        """Return what is left of the source's lines now."""
        pairs = zip(self.all[self.own], self.taken[self.own], strict=True)
        return tuple((line - taken).amount for line, taken in pairs)


def whole_of(tx: Reads, row: Row) -> Row:
    """Return the document that is in the books: that of several which a source's went with."""
    sent = sent_with(tx, row["key"])
    whole = None if sent is None else tx.one("document_get", key=sent["collective"])
    return row if whole is None else whole


def fitted(tx: Reads, row: Row, standing: Standing, choice: Choice) -> Choice:
    """Return what a person chose of one source, as a choice of the document of all.

    Raises:
        Rejected: it would take back what is another's, or more than is left.
    """
    if choice.way is not Way.CREDIT or choice.reissue:
        whole = whole_of(tx, row)
        what = named_as(source_of(whole), whole["part"])
        raise Rejected(
            f"{row['title']} was invoiced with others in {whole['title']}: only its own lines can "
            "be credited from here.",
            remedy=f"`tieout correct {what}` takes back all; credit these, then `tieout reissue` "
            "lets it go with the next.",
        )
    if not stand_as_sent(tx, whole_of(tx, row), standing):
        raise Rejected(
            f"{LINES_MOVED} Which are those of {row['title']} is not known.",
            remedy="Credit the invoice itself by `--line` or `--amount`, or put its lines back.",
        )
    try:
        left = lines_of_source(tx, row, standing).left(choice.extent)
    except ValueRefused as refused:
        raise Rejected(f"{row['title']} cannot be corrected so: {refused.what}") from refused
    return replace(choice, extent=Extent(to=left))


def now_lines(tx: Reads, pair: Pair, row: Row) -> tuple[Decimal, ...]:
    """Return what each line of a source comes to now; none where it has none in its currency."""
    mapping = mapping_of(pair, row)
    if mapping is None:
        return ()
    setting = setting_of(tx, pair)
    sketch = draft_source(tx, pair, mapping, source_of(row), setting, row["part"])
    is_won = sketch.state == "live" and not sketch.skipped
    document = sketch.document if is_won else None
    sent = sent_with(tx, row["key"])
    if not isinstance(document, Invoice) or sent is None:
        return ()
    lines = document.lines if document.currency.code == sent["currency"] else ()
    return tuple(line.amount.amount for line in lines)


def to_sources(tx: Reads, pair: Pair, whole: Row, standing: Standing) -> tuple[Decimal, ...]:
    """Return what shall be left of each line of a document, for each source to be as it is now.

    A source that comes to more than is left of it keeps its lines: a credit gives nothing more.
    None where people moved the lines, so that which are whose is not known.
    """
    left: list[Decimal] = []
    if not stand_as_sent(tx, whole, standing):
        return ()
    for row in sharing(tx, whole["key"]):
        lines = lines_of_source(tx, row, standing)
        now = now_lines(tx, pair, row)
        try:
            left += lines.left(Extent(to=now) if now else Extent())[lines.own]
        except ValueRefused:
            left += lines.untouched()
    return tuple(left)


def settled_by(
    tx: Reads, whole: Row, standing: Standing, taken: Sequence[Decimal]
) -> Mapping[str, str]:
    """Return which sources a credit settles, by their documents' keys, and what they say now."""
    settled: dict[str, str] = {}
    if not stand_as_sent(tx, whole, standing):
        return settled
    for row in sharing(tx, whole["key"]):
        lines = lines_of_source(tx, row, standing)
        less = sum(taken[lines.own], Decimal(0))
        left = sum(lines.untouched(), Decimal(0)) - less
        wanted = Decimal(0) if row["net"] is None else Decimal(row["net"])
        if less and left == wanted and not (left and standing.inclusive):
            settled[row["key"]] = NOTHING if row["net"] is None else row["content"]
    return settled


def stand_as_sent(tx: Reads, whole: Row, standing: Standing) -> bool:
    """Whether the lines that are sold are in their places still, whatever they come to.

    A ledger that was lost may not know of each line whose it is: then no line is anybody's.
    """
    before = standing.answered.get("lines")
    if before is not None and _sold(before) != _sold(standing.invoice.fields["lines"]):
        return False
    known = sum(int(row["lines"]) for row in sharing(tx, whole["key"]))
    return known == len(standing.lines)


def _sold(lines: Sequence[Mapping[str, object]]) -> list[tuple[object, object]]:
    return [(line["item"], line["description"]) for line in lines if line["item"]]


def says_now(tx: Reads, settled: Mapping[str, str]) -> dict[str, str]:
    """Return what the sources say now that a credit was chosen to settle."""
    rows = {key: tx.one("document_get", key=key) for key in settled}
    return {
        key: NOTHING if row is None or row["net"] is None else row["content"]
        for key, row in rows.items()
    }


def lines_of_source(tx: Reads, row: Row, standing: Standing) -> Lines:
    """Return which lines of a document of several sources are one source's."""
    sent = sent_with(tx, row["key"])
    assert sent is not None
    before = (one for one in sharing(tx, sent["collective"]) if one["n"] < sent["n"])
    first = sum(int(one["lines"]) for one in before)
    unit = currency(standing.invoice.fields["currency"])
    own = slice(first, first + int(sent["lines"]))
    return Lines(standing.lines, taken_so_far(standing), own, unit)
