"""What the books hold: records by kind, in the order of their birth and of their last change."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from tieout.simulator.quickbooks.refusals import Json

LIST_KINDS = (
    "Customer",
    "Vendor",
    "Employee",
    "Item",
    "TaxCode",
    "TaxRate",
    "Term",
    "Class",
    "Account",
    "PaymentMethod",
    "Department",
    "CompanyCurrency",
)
"""Kinds that are never deleted, only made inactive (R5)."""

SALES_KINDS = ("Invoice", "CreditMemo", "RefundReceipt")
TXN_KINDS = (*SALES_KINDS, "Payment")
FILE_KIND = "Attachable"
"""A file or a note on a record; no feed tells of it."""

KINDS = (*LIST_KINDS, *TXN_KINDS, FILE_KIND)

REFERS_TO = {
    "CustomerRef": "Customer",
    "ProjectRef": "Customer",
    "SalesTermRef": "Term",
    "ClassRef": "Class",
    "DepartmentRef": "Department",
    "PaymentMethodRef": "PaymentMethod",
    "DepositToAccountRef": "Account",
    "IncomeAccountRef": "Account",
    "ItemAccountRef": "Account",
    "ItemRef": "Item",
    "TaxCodeRef": "TaxCode",
    "TaxRateRef": "TaxRate",
}
"""Of which kind a reference is, by its name; a ParentRef is of its owner's kind."""

KIND_OF_PATH = {kind.lower(): kind for kind in KINDS}


def references_in(kind: str, body: Json) -> Iterator[tuple[Json, str, str]]:
    """Yield each reference of a body: the object that holds it, its name, the kind it means."""
    for name, value in body.items():
        other = kind if name == "ParentRef" else REFERS_TO.get(name)
        if other is not None:
            yield body, name, other
        elif isinstance(value, dict):
            yield from references_in(kind, value)
        elif isinstance(value, list):
            for one in value:
                if isinstance(one, dict):
                    yield from references_in(kind, one)


@dataclass(slots=True)
class Record:
    """One record: its body as the API shows it, without what every body has."""

    id: str
    body: Json
    created: datetime
    updated: datetime
    token: int = 0
    voided: bool = False
    deposited: bool = False
    by_hand: bool = False
    """Made by a person in the books, not through the API."""
    ref: Json = field(default_factory=dict)
    """`{"value", "name"}`, shared by all who refer to this record, so that a rename shows."""


@dataclass(frozen=True, slots=True)
class Gone:
    """A deleted record, kept for the truth and for the feed."""

    record: Record
    at: datetime


class Table:
    """The records of one kind.

    `indexed` names the fields that a query finds without reading every record. Ids never
    repeat, and the company's clock never goes back: so the order of birth is the order of
    `rows`, and the order of the last change is the order of `recent`.
    """

    def __init__(self, indexed: dict[str, Callable[[Record], Any]]) -> None:
        self.rows: dict[str, Record] = {}
        self.gone: dict[str, Gone] = {}
        self._recent: dict[str, None] = {}
        self._indexed = indexed
        self._index: dict[str, dict[Any, dict[str, None]]] = {name: {} for name in indexed}

    def add(self, record: Record) -> None:
        """Put a new record in."""
        self.rows[record.id] = record
        self._recent[record.id] = None
        for name, value_of in self._indexed.items():
            self._index[name].setdefault(value_of(record), {})[record.id] = None

    def change(self, record: Record, body: Json, at: datetime) -> None:
        """Give a record its new body; the token moves on."""
        before = {name: value_of(record) for name, value_of in self._indexed.items()}
        record.body = body
        for name, value_of in self._indexed.items():
            after = value_of(record)
            if after != before[name]:
                self._forget(name, before[name], record.id)
                self._index[name].setdefault(after, {})[record.id] = None
        record.token += 1
        record.updated = at
        self._recent.pop(record.id)
        self._recent[record.id] = None

    def delete(self, record: Record, at: datetime) -> None:
        """Take a record out; the feed will tell."""
        del self.rows[record.id]
        self.gone[record.id] = Gone(record, at)
        self._recent.pop(record.id)
        self._recent[record.id] = None
        for name, value_of in self._indexed.items():
            self._forget(name, value_of(record), record.id)

    def bury(self, gone: Gone) -> None:
        """Put a record that was deleted in an earlier life back among the deleted."""
        self.gone[gone.record.id] = gone

    def having(self, name: str, value: Any) -> list[Record]:
        """Return the records whose indexed field equals `value`, the oldest first."""
        return [self.rows[one] for one in self._index[name].get(value, ())]

    def is_indexed(self, name: str) -> bool:
        """Tell whether `having` can be asked for this field."""
        return name in self._index

    def changed_since(self, since: datetime) -> Iterator[Record | Gone]:
        """Yield what was changed or deleted at or after `since`, the newest first."""
        for one in reversed(self._recent):
            record = self.rows.get(one)
            found: Record | Gone = self.gone[one] if record is None else record
            if (found.at if isinstance(found, Gone) else found.updated) < since:
                return
            yield found

    def created_since(self, since: datetime) -> Iterator[Record]:
        """Yield what was created at or after `since`, the newest first."""
        for record in reversed(self.rows.values()):
            if record.created < since:
                return
            yield record

    def order_of_change(self) -> list[str]:
        """Return all ids, deleted ones too, the longest unchanged first."""
        return list(self._recent)

    def reorder(self, ids: Iterable[str]) -> None:
        """Set the order of the last change."""
        self._recent = dict.fromkeys(ids)

    def _forget(self, name: str, value: Any, one: str) -> None:
        found = self._index[name][value]
        del found[one]
        if not found:
            del self._index[name][value]
