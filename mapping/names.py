"""What stands by which name in a formula, and of which type, beside the records themselves."""

from __future__ import annotations

from collections import abc
from typing import Final

from mapping import rules
from mapping.formula import Names, Shape
from mapping.functions import Type

KnownFields = abc.Mapping[str, abc.Mapping[str, str]]  # kind -> field -> type, as connectors say it

TYPES: Final[abc.Mapping[str, Type]] = {  # a connector's words for types
    "text": Type.TEXT,
    "number": Type.NUMBER,
    "money": Type.NUMBER,
    "date": Type.DATE,
    "instant": Type.INSTANT,
    "flag": Type.TRUTH,
    "choice": Type.TEXT,
}
ALWAYS: Final[Names] = {
    "cutover_date": Type.DATE,
    "books": Shape({"home_currency": Type.TEXT}),
}
DRAFTED: Final = Shape(  # what checks may ask of the whole document, as ``document.net``
    {
        "net": Type.NUMBER,
        "date": Type.DATE,
        "due_date": Type.DATE,
        "currency": Type.TEXT,
        "terms": Type.TEXT,
    }
)
DRAFTED_LINE: Final[abc.Mapping[str, Type]] = {
    "amount": Type.NUMBER,
    "quantity": Type.NUMBER,
    "unit_price": Type.NUMBER,
    "description": Type.TEXT,
    "tax_code": Type.TEXT,
}
PART: Final = Shape(  # what the head of a part's document may ask of it, as ``part.n``
    {
        "name": Type.TEXT,
        "title": Type.TEXT,
        "value": Type.TEXT,
        "date": Type.DATE,
        "n": Type.NUMBER,
        "count": Type.NUMBER,
    }
)
GROUP: Final = Shape(  # what the head of a document of several sources may ask of its period
    {"name": Type.TEXT, "first_day": Type.DATE, "last_day": Type.DATE}
)
AFTERWARDS: Final[Names] = {  # what write-back may tell, beside the records themselves
    "receipt": Shape(
        {"id": Type.TEXT, "number": Type.TEXT, "url": Type.TEXT, "posted_at": Type.INSTANT}
    ),
    "status": Type.TEXT,
    "problem": Type.TEXT,
    "synced_at": Type.INSTANT,
    "books": Shape(
        {
            "home_currency": Type.TEXT,
            "total": Type.NUMBER,
            "balance": Type.NUMBER,
            "due_date": Type.DATE,
            "last_payment_date": Type.DATE,
        }
    ),
    "approval": Type.TEXT,
    "tied_out_at": Type.INSTANT,
    rules.RECEIVABLES: Shape(  # of the customer, not of the document
        {
            "currency": Type.TEXT,
            "open_balance": Type.NUMBER,
            "overdue": Type.NUMBER,
            "credit_limit": Type.NUMBER,
            "aged_30": Type.NUMBER,
            "aged_60": Type.NUMBER,
            "aged_90": Type.NUMBER,
            "aged_over_90": Type.NUMBER,
            "oldest_open_invoice": Type.TEXT,
            "other_currencies": Type.TEXT,
        }
    ),
}
OF_CUSTOMER: Final = {*ALWAYS, rules.RECEIVABLES}  # what may stand in one formula with it
RESERVED: Final = {*ALWAYS, *AFTERWARDS, "document", "part", "group"}
FILE_FIELDS: Final = frozenset({"name", "extension", "size_bytes"})  # what a file goes by
