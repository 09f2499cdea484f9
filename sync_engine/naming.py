"""What people name: a pair, a source as ``deal:901`` or ``901``, and what was made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sync_engine.addresses import address_of, source_address
from sync_engine.corrections import is_of_a_mapping
from sync_engine.ledger.sqlite import Ledger
from sync_engine.ledger.store import Row
from sync_engine.pair import Pair
from tieout.model.errors import NotFound
from tieout.model.ref import Ref

TAKEN_BACK = ("voided", "deleted")  # by the books: only this is issued again


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
        found = [
            (pair, ref)
            for pair, ref in self.named(text)
            if ref.kind in {mapping.kind for mapping in pair.mappings}
        ]
        if not found:
            raise NotFound(f"No pair has documents from {text!r}.", remedy="Write deal:901.")
        made = (
            one for one in found if any(row["state"] != "skipped" for row in self.made_of(*one))
        )
        return next(made, found[0])

    def named(self, text: str) -> list[tuple[Pair, Ref]]:
        """Return every address that ``deal:901``, or ``901`` alone, may mean."""
        kind, _, number = text.rpartition(":")
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
        """Return what a pair made of ``deal:901``, or of ``901`` alone."""
        named = [(pair, ref) for pair, ref in self.named(text) if pair.name == name]
        return [row for pair, ref in named for row in self.made_of(pair, ref)]

    def document(self, pair: Pair, ref: Ref) -> Row:
        """Return what was made of a source: what the books took back before anything else.

        Raises:
            NotFound: nothing was.
        """
        rows = [row for row in self.made_of(pair, ref) if is_of_a_mapping(pair, row)]
        if not rows:
            raise NotFound(f"{ref} has no document here.", remedy="`tieout explain` says why.")
        return next((row for row in rows if row["state"] in TAKEN_BACK), rows[0])

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
