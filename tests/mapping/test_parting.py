"""A source that makes several documents: what each takes, and that they always sum to the whole."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given as every
from hypothesis import settings
from hypothesis import strategies as st

from mapping.compiler import load
from mapping.drafting import Draft, Drafted, Given, Setting, Skipped, drafts
from mapping.mistake import Mistakes
from mapping.rules import Mapping
from mapping.trial import run
from tieout.model.document import Invoice
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version

KNOWN = {
    "deal": {
        "name": "text",
        "is_won": "flag",
        "close_date": "date",
        "delivered_on": "date",
        "amount": "money",
        "months": "number",
        "percent": "number",
        "currency": "text",
    },
    "company": {"name": "text"},
    "line_item": {
        "name": "text",
        "sku": "text",
        "entity": "text",
        "quantity": "number",
        "price": "money",
        "months": "number",
    },
}
HEAD = """\
mapping: deals
version: 1
from: hubspot.deal
to: invoice
with: {company: deal.company, lines: "deal.line_items[]"}
when: =deal.is_won
invoice:
  customer: {match: [{name: =company.name}]}
  date: =deal.close_date
  currency: =deal.currency
  lines:
    for: line in lines
    quantity: =line.quantity
    unit_price: =line.price
    description: =line.name
checks:
  - {that: =sum(lines.amount) == deal.amount, say: They disagree., else: block}
parts:
"""
SETTING = Setting("quickbooks:913")
DOWN_PAYMENT = """\
  - {name: down-payment, percent: 30, title: Down payment}
  - {name: rest, rest: true, date: =deal.delivered_on}
"""
ROW = {
    "name": "Consulting",
    "sku": "C",
    "entity": "North",
    "quantity": 1,
    "price": 100,
    "months": 1,
}
Selling = Callable[..., dict[str, Draft]]


def mapping_of(parts: str, more: str = "") -> Mapping:
    return load(HEAD + parts + more, KNOWN, name="parts.yaml")


def sold(*rows: dict[str, object], **deal: object) -> Given:
    lines = [{**ROW, **row} for row in rows or ({},)]
    whole = sum(
        (Decimal(str(row["quantity"])) * Decimal(str(row["price"])) for row in lines), Decimal(0)
    )
    fields = {
        "name": "Rollout",
        "is_won": True,
        "close_date": date(2026, 1, 31),
        "delivered_on": None,
        "amount": whole,
        "months": Decimal(3),
        "percent": Decimal(30),
        "currency": "EUR",
        **deal,
    }
    numbers = ("quantity", "price", "months")
    records = [
        {name: Decimal(str(v)) if name in numbers and v is not None else v for name, v in r.items()}
        for r in lines
    ]
    return Given(
        record("deal", "901", fields),
        {
            "company": (record("company", "31", {"name": "Baer"}),),
            "lines": tuple(record("line_item", str(n), row) for n, row in enumerate(records, 1)),
        },
    )


def record(kind: str, number: str, fields: dict[str, object]) -> Record:
    return Record(Ref("hubspot:1", kind, number), Version("1"), fields)


def made(parts: str, *rows: dict[str, object], **deal: object) -> dict[str, Draft]:
    return drafts(mapping_of(parts), sold(*rows, **deal), SETTING)


def nets(came: dict[str, Draft]) -> dict[str, Decimal]:
    return {
        name: one.part.net.amount
        for name, one in came.items()
        if isinstance(one, Drafted) and one.part is not None
    }


def said(came: dict[str, Draft]) -> list[tuple[str, str, int]]:
    [alone] = came.values()
    assert isinstance(alone, Drafted)
    return [(one.code, one.message, one.line) for one in alone.findings]


def invoice(draft: Draft) -> Invoice:
    assert isinstance(draft, Drafted)
    assert isinstance(draft.document, Invoice)
    return draft.document


def refused(parts: str) -> str:
    with pytest.raises(Mistakes) as caught:
        mapping_of(parts)
    return str(caught.value)


def test_a_down_payment_and_the_rest_are_two_documents_with_keys_of_their_own() -> None:
    came = made(DOWN_PAYMENT, {"price": "100.01"}, delivered_on=date(2026, 6, 1))
    assert nets(came) == {"down-payment": Decimal("30.00"), "rest": Decimal("70.01")}
    keys = [invoice(one).key for one in came.values()]
    assert keys == [
        Key.of(
            Ref("hubspot:1", "deal", "901"),
            mapping="deals",
            document="invoice",
            target_company="quickbooks:913",
            part=part,
        )
        for part in ("down-payment", "rest")
    ]
    assert [invoice(one).date for one in came.values()] == [date(2026, 1, 31), date(2026, 6, 1)]
    assert [invoice(one).lines[0].description for one in came.values()] == [
        "Down payment: Consulting",
        "Consulting",
    ]


def test_a_milestone_that_is_not_reached_has_an_amount_and_no_document_yet() -> None:
    rest = made(DOWN_PAYMENT)["rest"]
    assert isinstance(rest, Drafted)
    assert rest.part is not None
    assert (rest.document, rest.findings, rest.part.net.amount) == (None, (), Decimal(70))


def test_instalments_fall_on_the_last_day_of_a_shorter_month() -> None:
    came = made("  - {name: month, periods: =deal.months, date: =deal.close_date}\n")
    assert nets(came) == {
        "month:1": Decimal("33.34"),
        "month:2": Decimal("33.33"),
        "month:3": Decimal("33.33"),
    }
    days = [invoice(one).date for one in came.values()]
    assert days == [date(2026, 1, 31), date(2026, 2, 28), date(2026, 3, 31)]


def test_each_line_of_a_subscription_is_in_as_many_periods_as_it_has() -> None:
    parts = (
        "  - {name: period, periods: =line.months or 1, every: quarter, date: =deal.close_date}\n"
    )
    came = made(parts, {"price": 90, "months": 3}, {"price": 50, "months": None})
    assert nets(came) == {"period:1": 80, "period:2": 30, "period:3": 30}
    assert [invoice(one).date.month for one in came.values()] == [1, 4, 7]


def test_a_line_group_takes_its_lines_whole_and_the_others_share_what_is_left() -> None:
    parts = '  - {name: goods, lines: =line.sku == "G"}\n' + DOWN_PAYMENT
    came = made(parts, {"sku": "G", "quantity": 3, "price": 7}, {"price": 200})
    assert nets(came) == {"goods": 21, "down-payment": 60, "rest": 140}
    [line] = invoice(came["goods"]).lines
    assert (line.quantity, line.unit_price) == (3, 7)


def test_each_legal_entity_has_a_document_whose_head_may_ask_which() -> None:
    parts = "  - {name: entity, by: =line.entity}\n"
    head = HEAD.replace(
        "  currency:", '  memo: =join(" ", part.value, part.n, part.count)\n  currency:'
    )
    mapping = load(head + parts, KNOWN)
    came = drafts(mapping, sold({}, {"entity": "South", "price": 5}, {"price": 1}), SETTING)
    assert nets(came) == {"entity:North": 101, "entity:South": 5}
    assert [invoice(one).memo for one in came.values()] == ["North 1 2", "South 2 2"]


def test_a_line_that_no_part_takes_is_found_and_nothing_is_made() -> None:
    came = made("  - {name: entity, by: =line.entity}\n", {"entity": None}, {"entity": "South"})
    message = "No part takes Consulting: 100.00 EUR is left."
    assert said(came) == [("parts-do-not-sum", message, 19)]


def test_amounts_that_are_not_the_deal_s_are_found_with_their_line() -> None:
    parts = "  - {name: first, amount: 60}\n  - {name: second, amount: 50}\n"
    message = "The parts come to 110.00 EUR, and the deal to 100.00 EUR."
    assert said(made(parts)) == [("parts-do-not-sum", message, 19)]


def test_a_rest_below_nothing_is_found() -> None:
    parts = "  - {name: first, amount: 160}\n  - {name: rest, rest: true}\n"
    message = "The parts come to 160.00 EUR, and the deal to 100.00 EUR."
    assert said(made(parts)) == [("parts-do-not-sum", message, 19)]


def test_a_rest_of_nothing_is_no_document() -> None:
    assert nets(made("  - {name: all, amount: 100}\n  - {name: rest, rest: true}\n")) == {
        "all": 100
    }


def test_percents_of_the_record_must_come_to_100() -> None:
    parts = "  - {name: first, percent: =deal.percent}\n  - {name: second, percent: 60}\n"
    message = "The parts come to 90.00 EUR, and the deal to 100.00 EUR."
    assert said(made(parts)) == [("parts-do-not-sum", message, 19)]
    over = made(parts, percent=Decimal(50))
    assert said(over)[0][1] == "The percents of the parts come to 110, not 100."


@pytest.mark.parametrize("months", [Decimal(0), Decimal("1.5"), Decimal(121), None])
def test_a_number_of_periods_that_none_has_is_found(months: Decimal | None) -> None:
    came = made("  - {name: month, periods: =deal.months}\n", months=months)
    assert [code for code, _, _ in said(came)] == ["parts-do-not-sum"]


def test_a_deal_that_a_check_blocks_is_blocked_whole() -> None:
    assert said(made(DOWN_PAYMENT, amount=Decimal(5))) == [("check", "They disagree.", 17)]


def test_a_deal_that_is_left_alone_has_no_parts() -> None:
    [alone] = made(DOWN_PAYMENT, is_won=False).values()
    assert isinstance(alone, Skipped)


def test_tax_that_the_mapping_knows_is_shared_too() -> None:
    head = HEAD.replace(
        "  currency:", "  tax: {prices: exclusive, compute: ours, expected: 19.01}\n  currency:"
    )
    came = drafts(load(head + DOWN_PAYMENT, KNOWN), sold(delivered_on=date(2026, 6, 1)), SETTING)
    amounts = [invoice(one).tax.amount for one in came.values()]
    assert [one.amount for one in amounts if one] == [Decimal("5.70"), Decimal("13.31")]


@pytest.mark.parametrize(
    ("parts", "says"),
    [
        (
            "  - {name: a, percent: 30}\n  - {name: b, percent: 60}\n",
            "the parts come to 90 %, not 100",
        ),
        (
            "  - {name: a, percent: 30}\n  - {name: b, percent: 80}\n",
            "the parts come to 110 %, not 100",
        ),
        ("  - {name: a, percent: 120}\n  - {name: b, rest: true}\n", "the parts come to 120 %"),
        ("  - {name: a, rest: true}\n  - {name: b, rest: true}\n", "a takes the rest already"),
        ("  - {name: a, rest: true}\n  - {name: a, percent: 5}\n", "two parts are named 'a'"),
        ("  - {name: a}\n", "a part takes one thing of the whole"),
        ("  - {name: a, rest: true, percent: 5}\n", "a part takes one thing of the whole"),
        ("  - {name: a, rest: false}\n", "rest is true, or is left out"),
        ("  - {name: a, rest: true, every: month}\n", "every stands beside periods only"),
    ],
)
def test_parts_that_cannot_sum_are_a_mistake_at_their_line(parts: str, says: str) -> None:
    assert says in refused(parts)
    assert refused(parts).startswith(("parts.yaml:19: ", "parts.yaml:20: "))


TESTED = """\
tests:
  - name: thirty percent, and the rest on delivery
    given:
      deal: {is_won: true, close_date: 2026-01-31, amount: 100, currency: EUR}
      company: {name: Baer}
      lines: [{name: Consulting, quantity: 1, price: 100}]
    expect:
      parts:
        - {part: down-payment, net: 30, lines: [{amount: 30}], findings: []}
        - {part: rest, net: %s}
"""


def test_a_test_in_the_file_expects_parts() -> None:
    [verdict] = run(mapping_of(DOWN_PAYMENT, TESTED % 70))
    assert verdict.differences == ()
    [verdict] = run(mapping_of(DOWN_PAYMENT, TESTED % 71))
    assert [one.what for one in verdict.differences] == [
        "test 'thirty percent, and the rest on delivery': came net 70.00, expected 71"
    ]


@settings(max_examples=60, deadline=None)
@every(
    prices=st.lists(st.decimals("0.01", "9999.99", places=2), min_size=1, max_size=6),
    percent=st.decimals("0.01", "99", places=2),
    months=st.integers(1, 36),
)
def test_parts_always_sum_to_the_deal(prices: list[Decimal], percent: Decimal, months: int) -> None:
    parts = "  - {name: a, percent: =deal.percent}\n  - {name: b, periods: =deal.months}\n"
    rows = [{"price": price} for price in prices]
    came = made(parts, *rows, percent=percent, months=Decimal(months))
    assert sum(nets(came).values()) == sum(prices)
    periods = [net for name, net in nets(came).items() if name.startswith("b:")]
    steps = len(prices) * Decimal("0.01")
    assert all(0 <= before - after <= steps for before, after in pairwise(periods))
