"""A mapping file: what may stand in it, and what it is once compiled.

``grammar`` is the file's shape in words; the dataclasses below hold the same things as compiled
formulas. Both documents that exist now are here; a credit memo, a bill or an expense adds a block
beside ``invoice`` and ``payment`` and a class beside theirs.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

from mapping.formula import Formula
from mapping.functions import Type
from mapping.grammar import Anything, Block, Cell, Either, Key, Rows, Text, Whole, Word
from mapping.grammar import json_schema as schema_of
from mapping.yaml12 import Node
from tieout.model.change import Severity
from tieout.model.document import Prices, TaxBy

TARGETS = ("quickbooks",)  # systems whose own words a document may carry in a block of their name
NAME = r"[a-z][a-z0-9_]*"
ROLE = rf"({NAME})\.({NAME})(\?|\[\])?"
SOURCE = rf"({NAME})\.({NAME})(?: as ({NAME}))?"
EACH = rf"({NAME}) in ({NAME})"
PAYS = rf"=\s*invoice_of\(\s*({NAME})\s*\)"
DOCUMENTS = ("invoice", "payment")


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
    target: abc.Mapping[str, Formula]


@dataclass(frozen=True, slots=True)
class PaymentRules:
    """How a payment is made. ``pays`` is the role whose invoice it pays."""

    pays: str
    cells: abc.Mapping[str, Formula]
    target: abc.Mapping[str, Formula]


DocumentRules: TypeAlias = InvoiceRules | PaymentRules


@dataclass(frozen=True, slots=True)
class Check:
    """What must hold of a drafted document, and what is said when it does not."""

    that: Formula
    say: Formula
    severity: Severity


@dataclass(frozen=True, slots=True)
class WriteBack:
    """A field of a CRM record that is told what became of the document."""

    role: str
    field: str
    value: Formula


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
    document: DocumentRules
    checks: tuple[Check, ...]
    write_back: tuple[WriteBack, ...]
    tests: tuple[Test, ...]
    fields: abc.Mapping[str, frozenset[str]]  # by role
    reads: abc.Mapping[str, frozenset[str]]
    declared: abc.Mapping[str, abc.Mapping[str, str]]
    hash: str

    @property
    def names(self) -> dict[str, str]:
        """Each record's name in formulas, and its kind."""
        return {self.source: self.kind, **{role.name: role.kind for role in self.roles}}


# -- the file's shape -------------------------------------------------------------------------

_TEXT, _NUMBER, _DATE = Cell(Type.TEXT), Cell(Type.NUMBER), Cell(Type.DATE)
_FREE = Block({}, others=Cell())

CUSTOMER_CLUES: abc.Mapping[str, str] = {
    "bound": "the id of a CRM record: a person or an earlier match tied a customer to it",
    "id": "the books' own id",
    "email": "the e-mail address, whatever its capitals",
    "name": "the unique name, whatever its capitals and spaces",
    "tax_number": "the VAT or GST number, where the books do not mask it (R48)",
    "phone": "the telephone number",
}
ITEM_CLUES: abc.Mapping[str, str] = {
    "bound": "the id of a CRM record that an item was tied to",
    "id": "the books' own id",
    "sku": "the stock keeping unit, exactly",
    "name": "the unique name, whatever its capitals and spaces",
}
CUSTOMER_FIELDS: abc.Mapping[str, tuple[str, Type]] = {
    "name": ("the unique name in the books", Type.TEXT),
    "name_in_other_currency": (
        "the name when the first is taken by the same customer in another currency (R16)",
        Type.TEXT,
    ),
    "company_name": ("the name on documents, when it differs", Type.TEXT),
    "email": ("where invoices are sent", Type.TEXT),
    "phone": ("a telephone number", Type.TEXT),
    "currency": ("fixed for ever when the customer is created (R16)", Type.TEXT),
    "tax_number": ("a VAT or GST number", Type.TEXT),
    "terms": ("the terms' name in the books", Type.TEXT),
    "notes": ("shown to people in the books", Type.TEXT),
}
ADDRESS_FIELDS: abc.Mapping[str, tuple[str, Type]] = {
    "line1": ("the street", Type.TEXT),
    "line2": ("what else the post needs", Type.TEXT),
    "city": ("the town", Type.TEXT),
    "region": ("the state or province", Type.TEXT),
    "postal_code": ("the postal code", Type.TEXT),
    "country": ("the country", Type.TEXT),
}
ITEM_FIELDS: abc.Mapping[str, tuple[str, Type]] = {
    "name": ("the unique name in the books", Type.TEXT),
    "sku": ("the stock keeping unit", Type.TEXT),
    "description": ("the text on new lines", Type.TEXT),
    "unit_price": ("the list price", Type.NUMBER),
    "type": ("service or non_inventory", Type.TEXT),
    "income_account": ("the account's name; the company's default when left out (R20)", Type.TEXT),
    "taxable": ("whether sales tax is due on it (US)", Type.TRUTH),
}
INVOICE_CELLS: abc.Mapping[str, tuple[str, Type, bool]] = {
    "date": ("the posting date, a calendar day in the company's time zone", Type.DATE, True),
    "due_date": ("the day it is due; from the terms when left out", Type.DATE, False),
    "terms": ("the terms' name in the books", Type.TEXT, False),
    "currency": ("an ISO 4217 code", Type.TEXT, True),
    "number": ("our own number, for companies that number so", Type.TEXT, False),
    "purchase_order": ("the customer's order number", Type.TEXT, False),
    "memo": ("a note for the accountants; our marker follows it", Type.TEXT, False),
    "message": ("a note to the customer", Type.TEXT, False),
    "email": ("where the invoice is sent", Type.TEXT, False),
    "project": ("the project that it belongs to", Type.TEXT, False),
    "title": ("what people call it in lists; kind, id and name when left out", Type.TEXT, False),
}
LINE_CELLS: abc.Mapping[str, tuple[str, Type, bool]] = {
    "description": ("the text of the line", Type.TEXT, False),
    "quantity": ("how many", Type.NUMBER, True),
    "unit_price": ("the price of one, before discount", Type.NUMBER, True),
    "tax_code": ("the tax code's name in the books", Type.TEXT, False),
    "service_date": (
        "the day of the service, where revenue recognition asks for it",
        Type.DATE,
        False,
    ),
}
PAYMENT_CELLS: abc.Mapping[str, tuple[str, Type, bool]] = {
    "amount": ("what was received", Type.NUMBER, True),
    "currency": ("an ISO 4217 code", Type.TEXT, True),
    "date": ("the day it was received", Type.DATE, True),
    "method": ("the payment method's name in the books", Type.TEXT, False),
    "deposit_to": ("the account's name; undeposited funds when left out (R17)", Type.TEXT, False),
    "reference": ("a cheque or transfer number", Type.TEXT, False),
    "memo": ("a note for the accountants; our marker follows it", Type.TEXT, False),
    "title": ("what people call it in lists; kind and id when left out", Type.TEXT, False),
}
FIELD_TYPES = ("text", "number", "money", "date", "instant", "flag", "choice")
NONE_CHOICES = ("ask", "create", "block", "skip")
MANY_CHOICES = ("ask", "block")


def grammar(targets: Iterable[str] = TARGETS) -> Block:
    """Return the shape of a mapping file, with a block for each target's own words."""
    own = {name: Key(_FREE, f"words that only {name} understands") for name in targets}
    return Block(
        {
            "mapping": Key(
                Text(r"[a-z][a-z0-9-]*", "a name such as hubspot-deal-to-invoice"),
                "the name, which is identity: documents are known by it for ever",
                required=True,
            ),
            "renamed_from": Key(Text(r"[a-z][a-z0-9-]*", "a name"), "the first name it ever had"),
            "version": Key(Whole(), "raised when the meaning changes", required=True),
            "from": Key(
                Text(SOURCE, "system.kind, or system.kind as name"),
                "where documents come from: hubspot.deal",
                required=True,
            ),
            "to": Key(Word(DOCUMENTS), "the document that is made", required=True),
            "fields": Key(
                Block({}, others=Block({}, others=Word(FIELD_TYPES))),
                "fields that your company added to a kind, by the system's own names, typed",
            ),
            "with": Key(
                Block({}, others=Text(ROLE, "record.role, record.role? or record.role[]")),
                "records that travel with the source; ? may be missing, [] are many",
            ),
            "when": Key(Cell(Type.TRUTH), "which sources become documents"),
            "invoice": Key(_invoice(own), "how an invoice is made"),
            "payment": Key(_payment(own), "how a payment is made"),
            "tables": Key(Block({}, others=Block({}, others=Anything())), "what lookup(…) asks"),
            "checks": Key(Rows(_CHECK), "what must hold of the document"),
            "write_back": Key(
                Block({}, others=Cell()), "fields of CRM records: record.field and its formula"
            ),
            "tests": Key(Rows(_test(own)), "example records and what must come out"),
        }
    )


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema that gives editors completion for mapping files."""
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "A mapping from CRM records to a document",
        **schema_of(grammar()),
    }


_CHECK = Block(
    {
        "that": Key(Cell(Type.TRUTH), "a formula that must be true", required=True),
        "say": Key(_TEXT, "what people read when it is not", required=True),
        "else": Key(Word(("block", "ask", "warn")), "what happens then", required=True),
    }
)
_DISCOUNT = Either(
    _NUMBER,
    Block(
        {"percent": Key(_NUMBER, "0 to 100"), "amount": Key(_NUMBER, "in the document's currency")},
        one_only=True,
    ),
)
_TAX = Block(
    {
        "prices": Key(Word(tuple(Prices)), "whether prices contain the tax", required=True),
        "compute": Key(
            Word(tuple(TaxBy)),
            "books: they compute it, the net is compared; ours: the amount expected is sent; "
            "expect: they compute it and it is compared with the amount expected",
            required=True,
        ),
        "tolerance": Key(_NUMBER, "up to this a difference is a variance, above it a task"),
        "expected": Key(_NUMBER, "the whole tax; for ours and expect"),
    }
)


def _invoice(own: dict[str, Key]) -> Block:
    return Block(
        {
            "customer": Key(
                _match(CUSTOMER_CLUES, CUSTOMER_FIELDS, NONE_CHOICES), "who owes it", required=True
            ),
            **_cells(INVOICE_CELLS),
            "tax": Key(_TAX, "how it is taxed"),
            "discount": Key(_DISCOUNT, "off the whole document; a plain number is percent"),
            "lines": Key(_lines(own), "what was sold", required=True),
            "custom_fields": Key(_FREE, "the books' own fields by their names"),
            **own,
        }
    )


def _lines(own: dict[str, Key]) -> Block:
    return Block(
        {
            "for": Key(Text(EACH, "`line in lines`"), "one line for each", required=True),
            "when": Key(Cell(Type.TRUTH), "which rows become lines"),
            "item": Key(
                _match(ITEM_CLUES, ITEM_FIELDS, (*NONE_CHOICES, "default")),
                "the product or service",
            ),
            **_cells(LINE_CELLS),
            "discount": Key(_DISCOUNT, "off the line; a plain number is percent"),
            **own,
        }
    )


def _payment(own: dict[str, Key]) -> Block:
    return Block(
        {
            "pays": Key(
                Text(PAYS, "=invoice_of(record)"),
                "whose invoice it pays",
                required=True,
            ),
            **_cells(PAYMENT_CELLS),
            **own,
        }
    )


def _test(own: abc.Mapping[str, Key]) -> Block:
    values = (*INVOICE_CELLS, *PAYMENT_CELLS, "customer", "custom_fields", "net", "findings", *own)
    line = {
        name: Key(Anything(), "what it must be")
        for name in (*LINE_CELLS, "item", "discount", "amount", *own)
    }
    expected = Block(
        {
            **{name: Key(Anything(), "what it must be") for name in values},
            "lines": Key(Rows(Block(line)), "each line's values, in order"),
        }
    )
    return Block(
        {
            "name": Key(Text(), "what must hold, as a sentence", required=True),
            "given": Key(
                Block({}, others=Anything()), "records by their names, and books", required=True
            ),
            "expect": Key(
                Either(Word(("skipped",)), expected),
                "the document's values and findings, or skipped",
                required=True,
            ),
        }
    )


def _match(
    clues: abc.Mapping[str, str],
    fields: abc.Mapping[str, tuple[str, Type]],
    none: tuple[str, ...],
) -> Block:
    rule = Block({name: Key(_TEXT, says) for name, says in clues.items()}, one_only=True)
    create = {name: Key(Cell(gives), says) for name, (says, gives) in fields.items()}
    if fields is CUSTOMER_FIELDS:
        parts = {name: Key(Cell(gives), says) for name, (says, gives) in ADDRESS_FIELDS.items()}
        create["address"] = Key(Block(parts), "where bills are sent")
    return Block(
        {
            "match": Key(
                Rows(rule),
                "clues, tried in order",
                required=True,
            ),
            "none": Key(Word(none), "when no clue finds any"),
            "many": Key(Word(MANY_CHOICES), "when a clue finds several"),
            "default": Key(Text(), "the name of the record that stands in"),
            "create": Key(Block(create), "what a new record gets"),
        }
    )


def _cells(cells: abc.Mapping[str, tuple[str, Type, bool]]) -> dict[str, Key]:
    return {
        name: Key(Cell(gives), says, required) for name, (says, gives, required) in cells.items()
    }
