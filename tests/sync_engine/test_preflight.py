"""What the books would refuse is a finding, with its record and what to do (R47).

How each looks from end to end is told in ``tests/journeys/test_before_approval.py``.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from sync_engine.preflight import preflight, preflight_new
from tieout.model.capability import Capabilities, KindCapability
from tieout.model.change import Severity, Verb
from tieout.model.document import Invoice, Line, Payment
from tieout.model.lookup import Match
from tieout.model.money import Money, currency
from tieout.model.ref import Key, Ref

DEAL, COMPANY = Ref("hubspot:123", "deal", "901"), Ref("hubspot:123", "company", "31")
CREATES = frozenset({Verb.CREATE})
BOOKS = Capabilities(
    "books",
    "Books",
    {
        "invoice": KindCapability(
            CREATES,
            limits={
                "lines": 2,
                "memo": 9,
                "description": 9,
                "custom_text": 4,
                "custom_fields": 1,
                "amount": 1_000,
                "amount_places": 2,
            },
        ),
        "payment": KindCapability(
            CREATES, limits={"reference": 5, "amount": 1_000, "amount_places": 2}
        ),
        "customer": KindCapability(CREATES, limits={"name": 10}),
    },
)
OPEN = {"home_currency": "EUR", "multi_currency": True, "currencies": {"EUR", "KWD"}}


def line(price="10", code="EUR", **more):
    return Line(None, "", Decimal(1), Decimal(price), currency(code), **more)


def invoice(*lines, code="EUR"):
    return Invoice.of(
        key=Key("0123456789ABCDEF"),
        source=DEAL,
        mapping="deal-to-invoice",
        customer=Match("customer", ()),
        date=date(2026, 3, 31),
        currency=currency(code),
        lines=lines,
    )


def payment(amount="10", code="EUR", **more):
    return Payment(
        Key("0123456789ABCDEF"),
        DEAL,
        "payment-to-payment",
        pays=DEAL,
        amount=Money.of(amount, code),
        date=date(2026, 3, 31),
        **more,
    )


GOOD = invoice(line())
WITHOUT_INVOICES = replace(BOOKS, kinds={})


@pytest.mark.parametrize(
    ("code", "document", "values", "preferences", "books"),
    [
        ("unsupported", GOOD, {}, OPEN, WITHOUT_INVOICES),
        ("period-closed", GOOD, {}, {**OPEN, "closed_through": date(2026, 3, 31)}, BOOKS),
        ("currency", invoice(line(code="KWD"), code="KWD"), {}, {"home_currency": "EUR"}, BOOKS),
        ("currency", GOOD, {}, {**OPEN, "currencies": {"KWD"}}, BOOKS),
        ("no-lines", invoice(), {}, OPEN, BOOKS),
        ("too-many-lines", invoice(line(), line(), line()), {}, OPEN, BOOKS),
        ("negative-total", invoice(line("-1")), {}, OPEN, BOOKS),
        ("too-large", invoice(line("1000.01")), {}, OPEN, BOOKS),
        ("too-many-decimals", invoice(line("1.005", "KWD"), code="KWD"), {}, OPEN, BOOKS),
        ("no-tax-code", GOOD, {}, {**OPEN, "tax_codes_required": True}, BOOKS),
        ("too-long", GOOD, {"memo": "0123456789"}, OPEN, BOOKS),
        ("too-long", GOOD, {"lines": [{"description": "0123456789"}]}, OPEN, BOOKS),
        ("too-long", GOOD, {"custom_fields": {"1": "01234"}}, OPEN, BOOKS),
        ("too-many-custom-fields", GOOD, {"custom_fields": {"1": "a", "2": "b"}}, OPEN, BOOKS),
        ("period-closed", payment(), {}, {**OPEN, "closed_through": date(2026, 3, 31)}, BOOKS),
        ("payment-amount", payment("0"), {}, OPEN, BOOKS),
        ("too-large", payment("1000.01"), {}, OPEN, BOOKS),
        ("too-many-decimals", payment("1.005", "KWD"), {}, OPEN, BOOKS),
        ("too-long", payment(reference="012345"), {}, OPEN, BOOKS),
    ],
)
def test_what_the_books_would_refuse_blocks_and_says_what_to_do(
    code, document, values, preferences, books
):
    [found] = preflight(document, values, preferences, books)

    assert (found.code, found.severity, found.record) == (code, Severity.BLOCK, DEAL)
    assert found.message
    assert found.remedy


@pytest.mark.parametrize(
    ("code", "values"),
    [
        ("name-characters", {"name": "A:B"}),
        ("name-characters", {"name": "A\tB"}),
        ("name-characters", {"name": "A\x07B"}),
        ("too-long", {"name": "0123456789A"}),
        ("email", {"name": "A", "email": "nobody@nowhere"}),
        ("email", {"name": "A", "email": "a@b.example, c@d.example"}),
    ],
)
def test_what_the_books_would_refuse_of_a_new_customer_blocks_what_waits_for_it(code, values):
    [found] = preflight_new("customer", values, COMPANY, BOOKS)

    assert (found.code, found.severity, found.record) == (code, Severity.BLOCK, COMPANY)
    assert found.remedy


@pytest.mark.parametrize(
    ("document", "values", "preferences"),
    [
        (GOOD, {"memo": "012345678", "custom_fields": {"1": "0123"}}, OPEN),
        (invoice(line("600"), line("400")), {}, {**OPEN, "closed_through": date(2026, 3, 30)}),
        (invoice(line(tax_code="S")), {}, {**OPEN, "tax_codes_required": True}),
        (invoice(line("0")), {}, OPEN),
        (GOOD, {}, {}),  # books that say nothing of themselves
        (payment("1000", reference="01234"), {}, OPEN),
        (payment("1.01", "KWD"), {}, OPEN),
    ],
)
def test_what_lies_at_the_limit_passes(document, values, preferences):
    assert preflight(document, values, preferences, BOOKS) == ()


def test_a_plain_customer_passes():
    assert preflight_new("customer", {"name": "0123456789"}, COMPANY, BOOKS) == ()
