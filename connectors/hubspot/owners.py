"""Owners: a list of the portal's own, and whose each record is that was read.

Where no mapping uses a field of theirs their list is not asked for: a key may lack its scope.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from connectors.hubspot import paths
from connectors.hubspot.facts import Kind
from connectors.hubspot.wire import Wire, next_after, rows
from tieout.model.contract import Opening
from tieout.model.errors import TieoutError, Unavailable
from tieout.model.record import Fetched, Gone, Record, Unreadable
from tieout.model.ref import Ref, Version

PAGE = 500
PAGES_LIMIT = 200
RECORDS_REMEMBERED = 100_000  # a first read shows all deals before it asks whose they are


class Owners:
    """The portal's owners; ``of`` has the owner's id of the latest records that were read."""

    def __init__(self, wire: Wire, company: str, opening: Opening, version: str) -> None:
        self.of: dict[Ref, str | None] = {}
        self._wire = wire
        self._company = company
        self._reads = opening.reads  # nothing named is everything
        self._path = paths.crm(version, "owners")
        self._known: Mapping[str, Record] | None = None
        self._once = threading.Lock()
        self._remembering = threading.Lock()

    def listed(self) -> Mapping[str, Record] | None:
        """Return the portal's owners by id, asked for once; None where no mapping uses a field.

        Raises:
            TieoutError: the list was refused or not answered.
        """
        return self._all() if not self._reads or self._reads.get("owner") else None

    def fetch(self, refs: Sequence[Ref]) -> Iterator[Fetched]:
        """Yield one answer for each asked."""
        try:
            known = self._all()
        except TieoutError as error:
            yield from (Unreadable(ref, error) for ref in refs)
            return
        for ref in refs:
            yield known.get(ref.id) or Gone(ref, "not in the list of owners")

    def are_read_of(self, kind: Kind) -> bool:
        """Whether a record of this kind must tell its owner."""
        return (not self._reads or "owner" in self._reads) and "owner" in kind.relations

    def remember(self, kind: Kind, record: Record) -> None:
        """Keep whose a record is, so that it need not be read again to be asked."""
        with self._remembering:
            self.of[record.ref] = record.fields.get(kind.relations["owner"].property)
            if len(self.of) > RECORDS_REMEMBERED:
                del self.of[next(iter(self.of))]

    def nameless(self, owner_id: str) -> Record:
        """Return an owner of whom only the id was read."""
        return Record(Ref(self._company, "owner", owner_id), Version(""), {"id": owner_id})

    def _all(self) -> Mapping[str, Record]:
        with self._once:
            if self._known is None:
                self._known = {owner.ref.id: owner for owner in self._pages()}
            return self._known

    def _pages(self) -> Iterator[Record]:
        after = ""
        for _ in range(PAGES_LIMIT):
            query = {"limit": str(PAGE), **({"after": after} if after else {})}
            page, after = self._wire.ask(
                "GET",
                self._path,
                understand=lambda answer: (rows(answer, "id"), next_after(answer.json)),
                **query,
            )
            yield from map(self._owner, page)
            if not after:
                return
        raise Unavailable(f"HubSpot has more than {PAGE * PAGES_LIMIT} owners.")

    def _owner(self, row: Mapping[str, Any]) -> Record:
        first, last = row.get("firstName") or "", row.get("lastName") or ""
        email = row.get("email") or None
        values = {
            "id": str(row["id"]),
            "email": email,
            "first_name": first or None,
            "last_name": last or None,
            "full_name": f"{first} {last}".strip() or email,
        }
        ref = Ref(self._company, "owner", str(row["id"]))
        return Record(ref, Version(str(row.get("updatedAt") or "")), values)
