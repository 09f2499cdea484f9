"""The mirror's rows as matching asks for them: by an index where one is, else by reading all."""

from __future__ import annotations

from sync_engine.ledger.spelling import fields_of
from sync_engine.ledger.store import Reads, Row
from sync_engine.pair import folded
from tieout.model.record import Record
from tieout.model.ref import Ref, Version


class MirrorRows:
    """The mirror's rows of one kind, asked by the columns that have an index."""

    as_of = None

    def __init__(self, ledger: Reads, company: str, kind: str) -> None:
        self._ledger = ledger
        self._company = company
        self._kind = kind

    def asked(self, by: str, value: str) -> list[Record]:
        """Return the rows whose field has this value, capitals and spaces aside."""
        return [record_of(row) for row in self._rows(by, value) if not row["gone"]]

    def _rows(self, by: str, value: str) -> list[Row]:
        company, kind = self._company, self._kind
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


def record_of(row: Row) -> Record:
    """Return the record of a row of the mirror."""
    ref = Ref(row["company"], row["kind"], row["id"])
    return Record(ref, Version(row["version"]), fields_of(row["fields"]))
