"""The mirror's rows as matching asks for them: by an index where one is, else by reading all."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.pair import folded
from tieout.model.record import Record
from tieout.model.ref import Ref, Version


class Mirror:
    """The mirror as one transaction sees it that plans and so writes nothing to it.

    Each answer is remembered as long: every line of every deal asks for the same few tax codes,
    terms and items.
    """

    def __init__(self, ledger: Reads, company: str) -> None:
        self._ledger = ledger
        self._company = company
        self._answers: dict[tuple[str, str, str], list[Record]] = {}

    def of(self, kind: str) -> MirrorRows:
        """Return the rows of one kind."""
        return MirrorRows(self, kind)

    def asked(self, kind: str, by: str, value: str) -> list[Record]:
        """Return the rows of a kind whose field has this value, capitals and spaces aside."""
        asking = kind, by, value
        if asking not in self._answers:
            rows = self._rows(kind, by, value)
            self._answers[asking] = [record_of(row) for row in rows if not row["gone"]]
        return self._answers[asking]

    def _rows(self, kind: str, by: str, value: str) -> list[Row]:
        company = self._company
        match by:
            case "id":
                return self._ledger.all("mirror_get", company=company, kind=kind, id=value)
            case "name":
                return self._ledger.all(
                    "mirror_by_name", company=company, kind=kind, value=folded(value)
                )
            case "email":
                return self._ledger.all(
                    "mirror_by_email", company=company, kind=kind, value=folded(value)
                )
            case "sku":
                return self._ledger.all(
                    "mirror_by_sku", company=company, kind=kind, value=folded(value)
                )
        return [
            row
            for row in self._ledger.all("mirror_all", company=company, kind=kind)
            if folded(str(fields_of(row["fields"]).get(by) or "")) == folded(value)
        ]


@dataclass(frozen=True, slots=True)
class MirrorRows:
    """The mirror's rows of one kind, asked by the columns that have an index."""

    mirror: Mirror
    kind: str
    as_of: datetime | None = None

    def asked(self, by: str, value: str) -> list[Record]:
        """Return the rows whose field has this value, capitals and spaces aside."""
        return self.mirror.asked(self.kind, by, value)


def record_of(row: Row) -> Record:
    """Return the record of a row of the mirror."""
    ref = Ref(row["company"], row["kind"], row["id"])
    return Record(ref, Version(row["version"]), fields_of(row["fields"]))
