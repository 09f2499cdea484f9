"""A mapping once compiled: what ``vocabulary`` lets a file say, as formulas in frozen dataclasses.

Both documents that exist now are here; a credit memo, a bill or an expense adds a class beside
theirs, and a block in the vocabulary.
"""

from __future__ import annotations

from collections import abc
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, TypeAlias

from mapping.formula import Formula
from mapping.yaml12 import Node
from tieout.model.change import Severity
from tieout.model.document import Prices, TaxBy

RECEIVABLES: Final = "receivables"  # the word of write-back formulas for what a customer owes


@dataclass(frozen=True, slots=True)
class Role:
    """A record, or records, that travel with the source: ``company: deal.company``."""

    name: str
    of: str  # the role it hangs on
    role: str  # the connector's word for the way there
    kind: str
    optional: bool
    many: bool
    line: int
    label: str = ""  # that the tie must bear; it is in ``role`` as well


@dataclass(frozen=True, slots=True)
class MatchRule:
    """One clue: the field of the books' record, and the formula of its value."""

    by: str
    value: Formula


@dataclass(frozen=True, slots=True)
class MatchRules:
    """How a record of the books is found; the first rule that finds exactly one wins."""

    kind: str
    rules: tuple[MatchRule, ...]
    none: str
    many: str
    default: str | None
    create: abc.Mapping[str, Formula]  # by name; the parts of an address as address.city
    source: str | None  # the role whose record a binding remembers
    line: int


@dataclass(frozen=True, slots=True)
class DiscountRule:
    """A percentage or an amount off."""

    value: Formula
    is_percent: bool


@dataclass(frozen=True, slots=True)
class TaxRules:
    """How the document is taxed."""

    prices: Prices
    by: TaxBy
    tolerance: Formula | None
    expected: Formula | None


@dataclass(frozen=True, slots=True)
class LineRules:
    """How each row becomes a line."""

    each: str  # the name of one row in formulas
    rows: str  # the role that holds them
    when: Formula | None
    item: MatchRules | None
    discount: DiscountRule | None
    cells: abc.Mapping[str, Formula]  # description, quantity, unit_price, tax_code, service_date
    target: abc.Mapping[str, Formula]
    line: int


@dataclass(frozen=True, slots=True)
class InvoiceRules:
    """How an invoice is made. ``cells`` has date, currency and the other single values."""

    customer: MatchRules
    lines: LineRules
    cells: abc.Mapping[str, Formula]
    tax: TaxRules
    discount: DiscountRule | None
    custom_fields: abc.Mapping[str, Formula]
    made_before: abc.Mapping[str, Formula]  # id, number, reference: what backfill looks for
    target: abc.Mapping[str, Formula]


@dataclass(frozen=True, slots=True)
class PaymentRules:
    """How a payment is made. ``pays`` is the role whose invoice it pays."""

    pays: str
    cells: abc.Mapping[str, Formula]


DocumentRules: TypeAlias = InvoiceRules | PaymentRules


class Takes(StrEnum):
    """What a part takes of the whole."""

    PERCENT = "percent"
    AMOUNT = "amount"
    REST = "rest"
    PERIODS = "periods"  # the rest, in as many documents
    LINES = "lines"
    BY = "by"  # lines, a document for each value


@dataclass(frozen=True, slots=True)
class PartRule:
    """One row of ``parts``: a document, or several, of a source that makes more than one.

    ``value`` is the formula of what it takes: percent, amount, number of periods, which lines, or
    what they are grouped by. ``date`` None: it waits for no day of its own. ``every``, ``date`` and
    ``delay_months`` of periods may ask of each line.
    """

    name: str
    takes: Takes
    value: Formula
    every: Formula | None
    date: Formula | None
    delay_months: Formula | None
    title: Formula | None
    line: int


class Bearing(StrEnum):
    """Which of a source's documents get its files."""

    FIRST = "first"  # one contract hangs in the books once
    ALL = "all"


class Printing(StrEnum):
    """How often the books' PDF of an invoice goes to its source."""

    ONCE = "once"
    AMENDED = "amended"  # again with each amendment that we made


class Late(StrEnum):
    """What becomes of a source whose period's document was sent before it came."""

    NEXT = "next"  # it goes with the next document that was not
    HOLD = "hold"  # a person decides


class Held(StrEnum):
    """What a source that is held does to the others of its period."""

    LEAVE_OUT = "leave-out"  # they go without it; it is late, once it is mended
    WAIT = "wait"  # they wait for it


@dataclass(frozen=True, slots=True)
class GroupRule:
    """Which sources go together in one document: those of one customer, of a period each.

    ``role`` is the record that they have in common, the customer's; ``date`` decides the period.
    """

    role: str
    every_months: int
    date: Formula
    late: Late
    held: Held
    line: int


@dataclass(frozen=True, slots=True)
class FileRules:
    """Which files of a source go to its invoice."""

    each: str  # the name of one file in its formula
    rows: str  # the role that holds them
    names: tuple[str, ...]  # patterns in small letters; none is any name
    when: Formula | None
    parts: Bearing  # where it makes several documents
    line: int


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold of a drafted document, and what is said when it does not."""

    that: Formula
    say: Formula
    severity: Severity


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A field of a CRM record that is told what became of the document, or what it owes."""

    role: str
    field: str
    value: Formula

    @property
    def of_customer(self) -> bool:
        """Whether it asks what the customer owes: that moves without the document."""
        return any(path[0] == RECEIVABLES for path in self.value.paths)


@dataclass(frozen=True, slots=True)
class Test:
    """One test of the file: example records, and what must come out."""

    name: str
    given: Node
    expect: Node
    line: int


@dataclass(frozen=True, slots=True, eq=False)
class Mapping:
    """One compiled file.

    Attributes:
        name: its identity, for ever: keys are made of it; ``renamed_from`` when it was renamed.
        source: the name of the source record in formulas.
        kind: the source's kind, of ``system``.
        parts: how a source is split into several documents; empty when it makes one.
        group: which sources go together in one document; None where each makes its own.
        reads: for each kind the fields that are used, so that no other is asked for.
        declared: the fields of each kind that the file itself declares, and their types.
        hash: changes with every meaning of the file, its tests left out.
    """

    name: str
    identity: str
    version: int
    file: str
    system: str
    kind: str
    source: str
    to: str
    roles: tuple[Role, ...]
    when: Formula | None
    worth: Formula | None
    document: DocumentRules
    parts: tuple[PartRule, ...]
    group: GroupRule | None
    checks: tuple[Check, ...]
    write_back: tuple[WriteBack, ...]
    files: FileRules | None
    pdf: Printing | None
    tests: tuple[Test, ...]
    fields: abc.Mapping[str, frozenset[str]]  # by role
    reads: abc.Mapping[str, frozenset[str]]
    declared: abc.Mapping[str, abc.Mapping[str, str]]
    hash: str

    @property
    def collects(self) -> str | None:
        """The kind of the records whose sources go together; None where none do."""
        return None if self.group is None else self.names[self.group.role]

    @property
    def names(self) -> dict[str, str]:
        """Each record's name in formulas, and its kind."""
        return {self.source: self.kind, **{role.name: role.kind for role in self.roles}}
