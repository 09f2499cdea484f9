"""Each difference between what was approved, the CRM now and the books now has a named cause."""

from dataclasses import replace
from decimal import Decimal

import pytest

from sync_engine.reconcile import Sides, differences

SAYS = {"net": "100.00", "date": "2026-03-31"}
BOOKS = {
    "number": "1001",
    "customer": "58",
    "net": Decimal("100.00"),
    "total": Decimal("119.00"),
    "balance": Decimal("119.00"),
}
POSTED = Sides(
    posted=SAYS,
    now=SAYS,
    gone=None,
    answered=BOOKS,
    books=BOOKS,
    expected=Decimal("119.00"),
    net=Decimal("100.00"),
    tolerance=Decimal("0.05"),
)
PAID = {**BOOKS, "balance": Decimal("0.00")}


def causes(**moved):
    return [one.cause for one in differences(replace(POSTED, **moved))]


@pytest.mark.parametrize(
    ("cause", "moved"),
    [
        ("changed-in-crm", {"now": {**SAYS, "net": "90.00"}}),
        ("changed-in-crm", {"now": None}),
        ("reopened", {"gone": "not-won"}),
        ("deleted-in-crm", {"gone": "gone"}),
        ("merged", {"gone": "merged"}),
        ("changed-in-books", {"books": {**BOOKS, "customer": "59"}}),
        ("number-changed", {"books": {**BOOKS, "number": "1002"}}),
        ("voided", {"books": {**BOOKS, "voided": True}}),
        ("deleted", {"books": None}),
        ("variance", {"expected": Decimal("118.94")}),
        ("variance", {"net": Decimal("99.99")}),
        ("paid-elsewhere", {"books": PAID}),
        ("paid-elsewhere", {"covered": Decimal("10.00")}),
    ],
)
def test_each_difference_has_its_own_cause(cause, moved):
    assert causes(**moved) == [cause]


@pytest.mark.parametrize(
    "moved",
    [
        {},
        {"books": PAID, "covered": Decimal("119.00")},
        {"expected": Decimal("118.95")},  # within the tolerance
        {"expected": None},
        {"gone": "not-won", "books": None},  # neither won nor in the books: at rest
        {"gone": "gone", "books": {**BOOKS, "voided": True}},
    ],
)
def test_what_agrees_or_is_at_rest_is_no_difference(moved):
    assert causes(**moved) == []


def test_both_sides_may_differ_at_once():
    assert causes(now={**SAYS, "net": "90.00"}, books={**PAID, "number": "7"}) == [
        "changed-in-crm",
        "number-changed",
        "paid-elsewhere",
    ]
