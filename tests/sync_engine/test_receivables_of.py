"""What a customer owes: four ages that sum up, one currency, and the day on which it ages."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from sync_engine.receivables import NEVER, next_look, receivables_of

TODAY = date(2026, 6, 1)


def invoice(late_days, balance="100.00", currency="EUR", number="7"):
    due = TODAY - timedelta(days=late_days)
    day = due - timedelta(days=30)
    amount = Decimal(balance)
    return {
        "balance": amount,
        "currency": currency,
        "due_date": due,
        "date": day,
        "number": number,
    }


def owed(*invoices, preferred=("EUR",), limits=()):
    return receivables_of(invoices, TODAY, preferred=preferred, credit_limits=dict(limits))


@pytest.mark.parametrize(
    ("late_days", "age", "overdue"),
    [
        (-30, 0, 0),
        (0, 0, 0),
        (1, 0, 100),
        (30, 0, 100),
        (31, 1, 100),
        (60, 1, 100),
        (61, 2, 100),
        (90, 2, 100),
        (91, 3, 100),
    ],
)
def test_an_age_goes_by_days_after_the_due_date(late_days, age, overdue):
    shown = owed(invoice(late_days))
    ages = [shown.aged_30, shown.aged_60, shown.aged_90, shown.aged_over_90]
    assert [bool(one) for one in ages] == [place == age for place in range(4)]
    assert (sum(ages), shown.overdue) == (shown.open_balance, overdue)


def test_the_oldest_is_the_one_that_was_due_first():
    assert owed(invoice(3, number="3"), invoice(9, number="9")).oldest_open_invoice == "9"


def test_amounts_are_in_the_first_preferred_currency_in_which_something_is_open():
    both = invoice(1), invoice(1, "5.00", "USD")
    assert (owed(*both).currency, owed(*both).other_currencies) == ("EUR", "5.00 USD")
    assert owed(*both, preferred=("USD", "EUR")).other_currencies == "100.00 EUR"
    assert owed(*both, preferred=("SEK",)).currency == "EUR"


def test_where_nothing_is_open_all_is_nothing_in_the_books_own_currency():
    shown = owed(preferred=(None, "EUR"), limits={"EUR": Decimal(500)})
    assert (shown.open_balance, shown.currency, shown.credit_limit) == (0, "EUR", 500)
    assert (shown.oldest_open_invoice, shown.other_currencies) == (None, None)


@pytest.mark.parametrize(
    ("late_days", "in_days"), [(-5, 6), (0, 1), (1, 30), (30, 1), (31, 30), (61, 30), (90, 1)]
)
def test_it_is_another_on_the_day_after_a_limit(late_days, in_days):
    assert next_look([invoice(late_days)], TODAY) == str(TODAY + timedelta(days=in_days))


def test_what_is_oldest_ages_no_more():
    assert next_look([invoice(91)], TODAY) == next_look([], TODAY) == NEVER
