"""What people name: a pair, a source as ``deal:901`` or ``901``, and what was made of it.

One document of several that a source makes is named with its part: ``deal:901/rest``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sync_engine.addresses import OF_PART, address_of, named_as, source_address
from sync_engine.collected import is_taken_back
from sync_engine.corrections import is_of_a_mapping
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row
from sync_engine.observe import drafted_kinds
from sync_engine.pair import Pair
from sync_engine.states import TAKEN_BACK
from sync_engine.tasks import DRIFT
from tieout.model.errors import NotFound, Rejected
from tieout.model.ref import Ref


@dataclass(frozen=True, slots=True)
class Names:
    """The words of people, looked up in one ledger and its pairs."""

    ledger: Ledger
    pairs: Mapping[str, Pair]

    def pair(self, name: str) -> Pair:
        """Return the pair of this name.

        Raises:
            NotFound: there is none.
        """
        if name not in self.pairs:
            raise NotFound(f"There is no pair {name}.", remedy=f"Pairs: {', '.join(self.pairs)}.")
        return self.pairs[name]

    def source(self, text: str) -> tuple[Pair, Ref]:
        """Return the pair and address of ``deal:901``, or of ``901`` where one kind is meant.

        Of several pairs it is the one that has made something of it, else the first.

        Raises:
            NotFound: no pair makes documents of this kind.
        """
        found = [(pair, ref) for pair, ref in self.named(text) if ref.kind in drafted_kinds(pair)]
        if not found:
            raise NotFound(f"No pair has documents from {text!r}.", remedy="Write deal:901.")
        made = (
            one for one in found if any(row["state"] != "skipped" for row in self.made_of(*one))
        )
        return next(made, found[0])

    def named(self, text: str) -> list[tuple[Pair, Ref]]:
        """Return every address that ``deal:901``, or ``901`` alone, may mean."""
        kind, _, number = text.partition(OF_PART)[0].rpartition(":")
        return [
            (pair, Ref(pair.crm.company, meant, number))
            for pair in self.pairs.values()
            for meant in ([kind] if kind else [mapping.kind for mapping in pair.mappings])
        ]

    def made_of(self, pair: Pair, ref: Ref) -> list[Row]:
        """Return the documents that a pair made of a source."""
        rows = self.ledger.all("documents_of_source", **source_address(ref))
        return [row for row in rows if row["pair"] == pair.name]

    def made_of_text(self, name: str, text: str) -> list[Row]:
        """Return what a pair made of ``deal:901``, of ``901`` alone, or of one part of it."""
        named = [(pair, ref) for pair, ref in self.named(text) if pair.name == name]
        made = [row for pair, ref in named for row in self.made_of(pair, ref)]
        part = part_of(text)
        return made if part is None else [row for row in made if row["part"] == part]

    def posted_invoice(self, text: str) -> tuple[Pair, Row]:
        """Return the latest invoice that was posted of a source, or of the part that is named.

        Of several the only one that drifted is meant.

        Raises:
            NotFound: there is none.
            Rejected: it may be one of several parts.
        """
        pair, ref = self.source(text)
        made = self.made_of(pair, ref)
        sent = [row for row in made if row["kind"] == "invoice" and row["posted_id"] is not None]
        posted = _meant(ref, sent, part_of(text))
        if not posted:
            raise NotFound(
                f"No invoice of {ref} was posted.", remedy="`tieout explain` says how it stands."
            )
        return pair, _only(ref, posted, (row for row in posted if self._has_drifted(row)))

    def taken_back(self, text: str) -> tuple[Pair, Row]:
        """Return the document of a source, or of one part, that the books took back before others.

        Raises:
            NotFound: nothing was made of it.
            Rejected: it may be one of several parts.
        """
        pair, ref = self.source(text)
        made = [row for row in self.made_of(pair, ref) if is_of_a_mapping(pair, row)]
        rows = _meant(ref, made, part_of(text))
        if not rows:
            raise NotFound(f"{ref} has no document here.", remedy="`tieout explain` says why.")
        return pair, _only(ref, rows, (row for row in rows if self.is_taken_back(pair, row)))

    def is_taken_back(self, pair: Pair, row: Row) -> bool:
        """Whether the books voided or deleted a document, or credits of ours took all of it."""
        books = pair.books.company
        is_posted = row["posted_id"] is not None
        return row["state"] in TAKEN_BACK or (is_posted and is_taken_back(self.ledger, books, row))

    def _has_drifted(self, row: Row) -> bool:
        return bool(self.ledger.all("task_open_of", family=DRIFT, subject=row["key"]))

    def demand_known(self, text: str) -> None:
        """Refuse a word for what no side ever showed.

        Raises:
            NotFound: neither the CRM nor the books ever showed anything of it.
        """
        if all(self.is_strange(*one) for one in self.named(text)):
            raise NotFound(
                f"Nothing was ever shown of {text}: there is no such record, or it was not won "
                "since the cutover.",
                remedy="Write its kind and id, as deal:901; `tieout resync` reads it now.",
            )

    def is_strange(self, pair: Pair, ref: Ref) -> bool:
        """Whether no side ever showed anything of a source."""
        row = self.snapshot(pair, ref)
        shown = row is not None and (row["state"] != "gone" or row["version"])
        return not shown and not self.made_of(pair, ref)

    def snapshot(self, pair: Pair, ref: Ref) -> Row | None:
        """Return what the ledger holds of a source as the CRM last showed it."""
        return self.ledger.one("snapshot_get", pair=pair.name, **address_of(ref))


def part_of(text: str) -> str | None:
    """Return the part that ``deal:901/rest`` names; None where the whole source is meant."""
    _, slash, part = text.partition(OF_PART)
    return part if slash else None


def _meant(ref: Ref, rows: Iterable[Row], part: str | None) -> list[Row]:
    """Return the latest of each part's documents, or of the part that is meant.

    Raises:
        NotFound: there are others, and not of this part.
    """
    present: dict[str, Row] = {}
    for row in rows:
        present.setdefault(row["part"], row)
    if part is None or not present:
        return list(present.values())
    if part not in present:
        known = ", ".join(named_as(ref, each) for each in present)
        raise NotFound(f"{ref} has no such part as {part!r} here.", remedy=f"It has {known}.")
    return [present[part]]


def _only(ref: Ref, rows: list[Row], likely: Iterable[Row]) -> Row:
    """Return the document that is meant: the only one there is, else the only likely one.

    Raises:
        Rejected: several are as likely.
    """
    meant = list(likely)
    if len(rows) == 1 or len(meant) == 1:
        return (rows if len(rows) == 1 else meant)[0]
    asked = meant or rows
    listed = ", ".join(f"{named_as(ref, row['part'])} ({_stands(row)})" for row in asked)
    raise Rejected(
        f"{named_as(ref, '')} has {len(asked)} documents that may be meant: {listed}.",
        remedy=f"Name one of them, as {named_as(ref, asked[0]['part'])}.",
    )


def _stands(row: Row) -> str:
    net = f"{row['net']} {row['currency']}, " if row["net"] is not None else ""
    return f"{net}{row['state']}"
