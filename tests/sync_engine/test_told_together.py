"""What a deal is told of several invoices: sums, joined numbers, and the status that matters most."""

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from mapping.drafting import Afterwards
from sync_engine.combining import combined


def posted(day: int, status: str = "invoiced", **more: Any) -> Afterwards:
    values: dict[str, Any] = {
        "receipt_id": str(day),
        "number": f"10{day}",
        "url": f"https://books.example/{day}",
        "posted_at": datetime(2026, 4, day, tzinfo=UTC),
        "total": Decimal(100),
        "balance": Decimal(100),
        "due_date": date(2026, 5, day),
        **more,
    }
    return Afterwards(status, **values)


def test_amounts_are_sums_and_numbers_are_joined_in_the_order_of_posting() -> None:
    paid = posted(2, "paid", balance=Decimal(0), last_payment_date=date(2026, 4, 9))
    told = combined([posted(3), paid, Afterwards("waiting")])
    assert (told.number, told.total, told.balance) == ("102, 103", Decimal(200), Decimal(100))
    assert (told.receipt_id, told.due_date) == ("3", date(2026, 5, 3))
    assert (told.status, told.last_payment_date) == ("part-paid", date(2026, 4, 9))


def test_what_is_voided_is_in_no_sum() -> None:
    told = combined([posted(1), posted(2, "voided")])
    assert (told.status, told.total, told.number) == ("voided", Decimal(100), "101, 102")


@pytest.mark.parametrize(
    ("statuses", "together"),
    [
        (["waiting", "waiting"], "waiting"),
        (["invoiced", "waiting"], "invoiced"),
        (["paid", "waiting"], "part-paid"),
        (["paid", "credited"], "paid"),
        (["credited", "credited"], "credited"),
        (["paid", "held"], "held"),
        (["held", "problem"], "problem"),
        (["", "paid"], "paid"),
        (["", ""], ""),
    ],
)
def test_the_status_is_the_worst_or_how_far_they_are_paid(
    statuses: list[str], together: str
) -> None:
    assert combined([Afterwards(one) for one in statuses]).status == together


def test_the_first_problem_is_told() -> None:
    told = combined([posted(1), Afterwards("held", "A"), Afterwards("held", "B")])
    assert (told.status, told.problem, told.total) == ("held", "A", Decimal(100))
