"""The first clue that finds exactly one record wins; what is not certain is asked."""

import pytest

from mapping.matching import Index, match
from tieout.model.lookup import Absent, Ambiguous, Found, Lookup, Match
from tieout.model.record import Record
from tieout.model.ref import Ref, Version


def row(number: str, **fields: object) -> Record:
    return Record(Ref("quickbooks:913", "customer", number), Version("0"), fields)


def found(
    rows: list[Record],
    *rules: tuple[str, str],
    bound: dict[str, str] | None = None,
    currency: str | None = None,
    none: str = "ask",
    default: str | None = None,
) -> object:
    clues = tuple(Lookup("customer", by, value, n) for n, (by, value) in enumerate(rules, 1))
    answer = match(
        Match("customer", clues, none=none, default=default), Index(rows), bound, currency
    )
    match answer:
        case Found(ref, by):
            return ref.id, by
        case Ambiguous(refs, by):
            return [ref.id for ref in refs], by
        case Absent():
            return None


ROWS = [
    row("1", name="Acme", email="a@acme.example", currency="EUR"),
    row("2", name="ACME  ", email="b@acme.example", currency="EUR"),
    row("3", name="Straße 7", email="c@x.example", currency="USD", sku="AB"),
    row("4", name="Old", active=False, sku="ab"),
    row("5", name="Old", active=True),
    row("6", name="Gone", active=False),
]


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ([("name", "Acme"), ("email", "B@acme.example")], ("2", "email=B@acme.example")),
        ([("name", "acme")], (["1", "2"], "name=acme")),
        ([("email", "z@z.example"), ("name", "strasse  7")], ("3", "name=strasse  7")),
        ([("name", "Old")], ("5", "name=Old")),
        ([("name", "Gone")], ("6", "name=Gone")),
        ([("sku", "ab")], ("4", "sku=ab")),
        ([("id", "3")], ("3", "id=3")),
        ([("id", "99")], None),
        ([], None),
    ],
)
def test_the_first_clue_that_finds_exactly_one_wins(
    rules: list[tuple[str, str]], expected: object
) -> None:
    assert found(ROWS, *rules) == expected


def test_a_binding_is_used_while_its_record_is_there() -> None:
    assert found(ROWS, ("bound", "31"), ("name", "Acme"), bound={"31": "3"}) == ("3", "bound=31")
    assert found(ROWS, ("bound", "31"), ("name", "Old"), bound={"31": "99"}) == ("5", "name=Old")


def test_a_customer_of_another_currency_is_no_candidate() -> None:
    assert found(ROWS, ("email", "c@x.example"), currency="EUR") is None
    assert found(ROWS, ("email", "c@x.example"), currency="USD") == ("3", "email=c@x.example")
    assert found(ROWS, ("bound", "31"), bound={"31": "3"}, currency="EUR") is None


def test_a_default_stands_in_only_where_nothing_was_found() -> None:
    assert found(ROWS, ("name", "x"), none="default", default="straße 7") == (
        "3",
        "default=straße 7",
    )
    assert found(ROWS, ("name", "Acme"), none="default", default="Old") == (["1", "2"], "name=Acme")
    assert found(ROWS, ("name", "x"), none="default", default="nothing") is None
