"""How far an invoice is paid is read from what names it, and never from its balance (pain 15)."""

from datetime import date
from decimal import Decimal

import pytest

from sync_engine.settle import settlement_of


def part(means, amount, day):
    return {"means": means, "amount": amount, "day": day}


MARCH, APRIL = part("payment", "60.00", "2026-03-31"), part("payment", "59.00", "2026-04-02")
CREDIT = part("credit", "59.00", "2026-05-01")


@pytest.mark.parametrize(
    ("parts", "status", "paid", "last"),
    [
        ([], "invoiced", "0", None),
        ([MARCH], "part-paid", "60.00", date(2026, 3, 31)),
        ([APRIL, MARCH], "paid", "119.00", date(2026, 4, 2)),
        ([MARCH, CREDIT], "paid", "60.00", date(2026, 3, 31)),  # covered by it, not paid
        ([CREDIT], "part-paid", "0", None),
    ],
)
@pytest.mark.parametrize("balance", ["0", "59.00", "119.00"])
def test_a_settlement_is_the_sum_of_what_names_the_invoice(parts, status, paid, last, balance):
    invoice = {"total": Decimal("119.00"), "balance": Decimal(balance)}

    found = settlement_of(invoice, parts, live=True)

    assert (found.status, found.paid, found.last_payment) == (status, Decimal(paid), last)
    assert (found.total, found.balance) == (Decimal("119.00"), Decimal(balance))


def test_what_the_books_took_back_is_voided_whatever_was_paid():
    invoice = {"total": Decimal("119.00"), "balance": Decimal(0)}

    assert settlement_of(invoice, [MARCH, APRIL], live=False).status == "voided"
