"""Periods that each line decides: how many, how far apart, and when the first is."""

from collections.abc import Mapping as AnyMapping
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mapping.compiler import load
from mapping.drafting import Draft, Drafted, Given, Setting, drafts
from mapping.mistake import Mistakes
from mapping.periods import EVERY, Place, Step, Terms, step_of
from tieout.model.errors import ValueRefused
from tieout.model.record import Record
from tieout.model.ref import Ref, Version

KNOWN = {
    "deal": {"close_date": "date", "currency": "text"},
    "company": {"name": "text"},
    "line_item": {
        "price": "money",
        "payments": "number",
        "every": "text",
        "months": "number",
        "starts": "date",
        "delay": "number",
    },
}
HEAD = """\
mapping: deals
version: 1
from: hubspot.deal
to: invoice
with: {company: deal.company, lines: "deal.line_items[]"}
invoice:
  customer: {match: [{name: =company.name}]}
  date: =deal.close_date
  currency: =deal.currency
  lines: {for: line in lines, quantity: 1, unit_price: =line.price}
parts:
"""
EACH = (
    "  - {name: p, periods: =line.payments, every: =line.every, date: =line.starts,"
    " delay_months: =line.delay}\n"
)
FIRST = date(2026, 1, 31)


def record(kind: str, number: str, fields: AnyMapping[str, object]) -> Record:
    return Record(Ref("hubspot:1", kind, number), Version("1"), fields)


def made(parts: str, *rows: dict[str, object]) -> dict[str, Draft]:
    lines = [
        {"price": 12, "payments": 1, "every": "month", "starts": FIRST, "delay": 0, **row}
        for row in rows
    ]
    exact = [
        {name: Decimal(str(v)) if isinstance(v, int | float) else v for name, v in row.items()}
        for row in lines
    ]
    given = Given(
        record("deal", "901", {"close_date": FIRST, "currency": "EUR"}),
        {
            "company": (record("company", "31", {"name": "Baer"}),),
            "lines": tuple(record("line_item", str(n), row) for n, row in enumerate(exact, 1)),
        },
    )
    return drafts(load(HEAD + parts, KNOWN, name="parts.yaml"), given, Setting("quickbooks:913"))


def shown(came: dict[str, Draft]) -> list[tuple[str, date | None, Decimal]]:
    return [
        (name, one.part.day, one.part.net.amount)
        for name, one in came.items()
        if isinstance(one, Drafted) and one.part is not None
    ]


def said(came: dict[str, Draft]) -> list[str]:
    [alone] = came.values()
    assert isinstance(alone, Drafted)
    assert alone.document is None
    return [finding.message for finding in alone.findings]


def test_lines_of_other_frequencies_meet_on_the_days_that_they_share() -> None:
    came = made(EACH, {"payments": 4}, {"price": 200, "payments": 2, "every": "quarter"})
    assert shown(came) == [
        ("p:1", date(2026, 1, 31), Decimal(103)),
        ("p:2", date(2026, 2, 28), Decimal(3)),
        ("p:3", date(2026, 3, 31), Decimal(3)),
        ("p:4", date(2026, 4, 30), Decimal(103)),
    ]


def test_a_line_begins_on_its_own_day_and_so_many_months_later() -> None:
    came = made(EACH, {"delay": 1}, {"starts": date(2026, 2, 1)}, {"starts": date(2025, 12, 1)})
    assert shown(came) == [
        ("p:1", date(2025, 12, 1), Decimal(12)),
        ("p:2", date(2026, 2, 1), Decimal(12)),
        ("p:3", date(2026, 2, 28), Decimal(12)),
    ]


def test_a_line_whose_first_day_is_not_known_waits_and_the_others_do_not() -> None:
    came = made(EACH, {"starts": None, "payments": 2}, {"payments": 2})
    assert shown(came) == [
        ("p:1", date(2026, 1, 31), Decimal(6)),
        ("p:2", date(2026, 2, 28), Decimal(6)),
        ("p:3", None, Decimal(6)),
        ("p:4", None, Decimal(6)),
    ]
    waiting = came["p:3"]
    assert isinstance(waiting, Drafted)
    assert waiting.document is None
    assert waiting.findings == ()


def test_weeks_are_counted_in_days() -> None:
    came = made(EACH, {"payments": 3, "every": "two-weeks"}, {"payments": 2, "every": "week"})
    assert [day for _, day, _ in shown(came)] == [
        date(2026, 1, 31),
        date(2026, 2, 7),
        date(2026, 2, 14),
        date(2026, 2, 28),
    ]


def test_a_number_of_months_is_as_good_as_a_word() -> None:
    parts = "  - {name: p, periods: =line.payments, every: =line.months, date: =line.starts}\n"
    came = made(parts, {"payments": 2, "months": 24})
    assert [day for _, day, _ in shown(came)] == [date(2026, 1, 31), date(2028, 1, 31)]
    parts = "  - {name: p, periods: 2, every: 24, date: =deal.close_date}\n"
    assert [day for _, day, _ in shown(made(parts, {}))] == [date(2026, 1, 31), date(2028, 1, 31)]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ({"every": "fortnight"}, "The periods of p are apart by fortnight, not week, two-weeks,"),
        ({"every": None}, "The periods of p are apart by nothing, not week"),
        ({"delay": 1.5}, "p begins 1.5 months later, not 0 to 120."),
        ({"delay": -1}, "p begins -1 months later, not 0 to 120."),
        ({"delay": 121}, "p begins 121 months later, not 0 to 120."),
        ({"payments": None}, "The number of periods of p is missing, not 1 to 120."),
        ({"payments": 121}, "The number of periods of p is 121, not 1 to 120."),
        ({"starts": "soon"}, "line.starts is a text, not a date: 'soon'"),
        (
            {"starts": date(9998, 1, 1), "payments": 2, "every": "year"},
            "12 months after 9998-01-01 is outside the years that books hold.",
        ),
    ],
)
def test_what_no_line_can_say_holds_the_whole(row: dict[str, object], message: str) -> None:
    [found] = said(made(EACH, {}, row))
    assert message in found


def test_more_documents_than_one_source_has_are_refused() -> None:
    rows = [{"starts": date(2026, 1, day), "payments": 61} for day in (1, 2)]
    assert said(made(EACH, *rows)) == ["122 parts are more than the 120 that one source has."]


@pytest.mark.parametrize(
    ("part", "says"),
    [
        ("{name: a, periods: 2, every: fortnight}", "every cannot be fortnight"),
        ("{name: a, periods: 2, every: mont}", "did you mean month?"),
        ("{name: a, periods: 2, every: 0}", "every cannot be 0"),
        ("{name: a, periods: 2, every: 1.5}", "every cannot be 1.5"),
        ("{name: a, periods: 2, every: true}", "every cannot be True"),
        ("{name: a, rest: true, delay_months: 1}", "delay_months stands beside periods only"),
        ("{name: a, rest: true, date: =line.starts}", "line"),
    ],
)
def test_what_is_no_step_is_a_mistake_at_its_line(part: str, says: str) -> None:
    with pytest.raises(Mistakes) as refused:
        load(f"{HEAD}  - {part}\n", KNOWN, name="parts.yaml")
    [mistake] = refused.value.mistakes
    assert str(mistake).startswith("parts.yaml:12: ")
    assert says in str(mistake)


def test_a_step_is_a_word_or_whole_months() -> None:
    assert [step_of(word) for word in EVERY] == list(EVERY.values())
    assert step_of(Decimal(7)) == Step(months=7)
    assert step_of(120) == Step(months=120)
    wrong = ("", "Month", 0, -1, 121, Decimal("0.5"), True, None, FIRST)
    assert [one for one in wrong if step_of(one) is not None] == []


def test_an_end_of_month_stays_one_and_is_counted_from_the_first() -> None:
    assert [Step(months=1).after(FIRST, n) for n in range(4)] == [
        date(2026, 1, 31),
        date(2026, 2, 28),
        date(2026, 3, 31),
        date(2026, 4, 30),
    ]
    for day in (date(9999, 12, 30), date(9999, 12, 1)):
        with pytest.raises(ValueRefused):
            Step(days=14).after(day, 3)


def test_what_waits_stands_after_what_has_a_day() -> None:
    dated, other = Terms(1, Step(months=1), FIRST).place(1), Terms(1, Step(days=7), None).place(0)
    assert sorted([other, dated]) == [dated, other]
    assert (dated.day, other.day, other) == (date(2026, 2, 28), None, Place(awaited=True, order=0))


@settings(max_examples=60, deadline=None)
@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {
                "price": st.integers(1, 9999),
                "payments": st.integers(1, 20),
                "every": st.sampled_from(tuple(EVERY)),
                "starts": st.none() | st.dates(date(2026, 1, 1), date(2026, 12, 31)),
                "delay": st.integers(0, 24),
            }
        ),
        min_size=1,
        max_size=4,
    )
)
def test_periods_sum_to_the_lines_whatever_each_says(rows: list[dict[str, object]]) -> None:
    came = shown(made(EACH, *rows))
    assert sum(net for _, _, net in came) == sum(int(str(row["price"])) for row in rows)
    days = [day for _, day, _ in came if day is not None]
    assert days == sorted(set(days))
    assert [day for _, day, _ in came][: len(days)] == days
