"""What may stand in a mapping file: its keys, the type of each cell, and what people read of them.

The page on mappings, the editors' schema and the check of a file's shape are all made from here.
A credit memo, a bill or an expense adds a block beside ``invoice`` and ``payment``.
"""

from __future__ import annotations

from collections import abc
from collections.abc import Iterable
from typing import Any

from mapping.functions import Type
from mapping.grammar import Anything, Block, Cell, Either, Key, Rows, Text, Whole, Word
from mapping.grammar import json_schema as schema_of
from mapping.periods import CALENDAR_MONTHS, EVERY
from mapping.rules import Bearing, Held, Late, Printing
from tieout.model.document import Prices, TaxBy

TARGETS = ("quickbooks",)  # systems whose own words a document may carry in a block of their name
NAME = r"[a-z][a-z0-9_]*"
ROLE = rf'({NAME})\.({NAME})(?: labelled "([^"]+)")?(\?|\[\])?'
SOURCE = rf"({NAME})\.({NAME})(?: as ({NAME}))?"
EACH = rf"({NAME}) in ({NAME})"
PAYS = rf"=\s*invoice_of\(\s*({NAME})\s*\)"
DOCUMENTS = ("invoice", "payment")

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
MADE_BEFORE: abc.Mapping[str, tuple[str, Type, bool]] = {
    "id": ("its id in the books, as an earlier tool left it in the CRM", Type.TEXT, False),
    "number": ("its number, as somebody wrote it into the CRM", Type.TEXT, False),
    "reference": (
        "a text that one of its own fields carries, beside the order number",
        Type.TEXT,
        False,
    ),
}
LINE_CELLS: abc.Mapping[str, tuple[str, Type, bool]] = {
    "description": ("the text of the line", Type.TEXT, False),
    "quantity": ("how many", Type.NUMBER, True),
    "unit_price": ("the price of one, before discount", Type.NUMBER, True),
    "amount": (
        "what the CRM says that it comes to; a line that comes to anything else is held",
        Type.NUMBER,
        False,
    ),
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
PART_TAKES: abc.Mapping[str, tuple[str, Type]] = {
    "percent": ("so much of what the parts share, 0 to 100", Type.NUMBER),
    "amount": ("so much, in the document's currency", Type.NUMBER),
    "rest": ("true: what the others leave", Type.TRUTH),
    "periods": (
        "what the others leave, in so many documents; it may ask of each line",
        Type.NUMBER,
    ),
    "lines": (
        "the lines for which this is so, whole; the first part that wants one has it",
        Type.TRUTH,
    ),
    "by": ("the lines that have a value, whole; a document for each value", Type.TEXT),
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
                "records that travel with the source; ? may be missing, [] are many; with a label "
                'of HubSpot\'s associations: `deal.company labelled "Payer"?`',
            ),
            "when": Key(Cell(Type.TRUTH), "which sources become documents"),
            "worth": Key(
                Cell(Type.NUMBER),
                "what a source comes to before tax while it is held and no document says so; what "
                "its lines give when left out, else its `amount`",
            ),
            "invoice": Key(_invoice(own), "how an invoice is made"),
            "payment": Key(_payment(), "how a payment is made"),
            "parts": Key(
                Rows(_PART), "the documents of one source, where it makes several; they sum to it"
            ),
            "group": Key(
                _GROUP, "which sources go together in one document; each is drafted alone first"
            ),
            "files": Key(_FILES, "which files of the source go to its invoice in the books"),
            "pdf": Key(
                Word(tuple(Printing)),
                "the books' PDF of the invoice goes to its source: `once`, or again when it was "
                "`amended`; never when left out",
            ),
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


_PART = Block(
    {
        "name": Key(
            Text(r"[a-z][a-z0-9-]*", "a name such as down-payment"),
            "its name, which is identity as the mapping's is",
            required=True,
        ),
        **{name: Key(Cell(gives), says) for name, (says, gives) in PART_TAKES.items()},
        "every": Key(
            Cell(),
            f"how far apart periods are, for each line: {', '.join(EVERY)}, or a number of months; "
            "month when left out",
        ),
        "date": Key(
            _DATE,
            "its date; it is not posted before that day, nor while there is none (a milestone); "
            "of periods the first one's, for each line",
        ),
        "delay_months": Key(_NUMBER, "so many months later, beside the date of periods"),
        "title": Key(_TEXT, "what is written before the text of each of its lines"),
    }
)
_GROUP = Block(
    {
        "by": Key(
            Word(("customer",)), "what they have in common: the customer's record", required=True
        ),
        "every": Key(
            Word(tuple(CALENDAR_MONTHS)),
            "the time that a document is of, by the calendar; it is not posted before its end",
            required=True,
        ),
        "date": Key(_DATE, "the day that decides which month a source falls into", required=True),
        "late": Key(
            Word(tuple(Late)),
            "a source that comes after its document was sent goes with the `next`, or is put on "
            "`hold`; next when left out",
        ),
        "held": Key(
            Word(tuple(Held)),
            "the others of its time go without a source that is held (`leave-out`), or `wait` for "
            "it; leave-out when left out",
        ),
    }
)
_FILES = Block(
    {
        "for": Key(Text(EACH, "`file in files`"), "each file of a list of records", required=True),
        "names": Key(
            Rows(Text()),
            "patterns, of which a file's name must meet one, whatever its capitals: `*.pdf`",
        ),
        "when": Key(Cell(Type.TRUTH), "which of them; all when left out"),
        "parts": Key(
            Word(tuple(Bearing)),
            "which of the source's documents get them, where it makes several: `first` when left "
            "out, or `all`",
        ),
    }
)
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
            "made_before": Key(
                Block(_cells(MADE_BEFORE)),
                "how `tieout backfill` knows the invoice that a person made of it; nothing of "
                "this is posted",
            ),
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


def _payment() -> Block:
    return Block(
        {
            "pays": Key(
                Text(PAYS, "=invoice_of(record)"),
                "whose invoice it pays",
                required=True,
            ),
            **_cells(PAYMENT_CELLS),
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
    part = {
        name: Key(Anything(), "what it must be")
        for name in (*INVOICE_CELLS, "part", "customer", "custom_fields", "net", "findings", *own)
    }
    together = {**part, **dict.fromkeys(("group", "sources"), Key(Anything(), "what it must be"))}
    expected = Block(
        {
            **expected.keys,
            "parts": Key(
                Rows(Block({**part, "lines": expected.keys["lines"]})),
                "each part's values, in order",
            ),
            "collectives": Key(
                Rows(Block({**together, "lines": expected.keys["lines"]})),
                "the values of each document of several sources, in order of period and currency",
            ),
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
