"""Sources that go together: which period each falls into, and the document that is made of them."""

from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given as every
from hypothesis import strategies as st

from mapping.collecting import collective, customer_in, period_of
from mapping.compiler import load
from mapping.drafting import Drafted, Given, Setting, draft
from mapping.mistake import Mistakes
from mapping.rules import Held, Late, Mapping
from mapping.trial import run
from tieout.model.document import Invoice
from tieout.model.errors import ValueRefused
from tieout.model.record import Record
from tieout.model.ref import Key, Ref, Version

KNOWN = {
    "deal": {
        "name": "text",
        "close_date": "date",
        "currency": "text",
        "terms": "text",
        "order": "text",
        "tax": "number",
    },
    "company": {"name": "text"},
    "line_item": {"quantity": "number", "price": "money"},
}
HEAD = """\
mapping: deals
version: 1
from: hubspot.deal
to: invoice
with: {company: deal.company, contact: deal.company?, lines: "deal.line_items[]"}
invoice:
  customer: {match: [{bound: =company.id}]}
  date: =group.last_day
  due_date: =deal.close_date + 30
  currency: =deal.currency
  terms: =deal.terms
  memo: =join(" ", "Deals of", group.name)
  tax: {prices: exclusive, compute: expect, expected: =deal.tax, tolerance: 0.01}
  custom_fields: {PO: =deal.order, Always: the same}
  lines:
    for: line in lines
    quantity: =line.quantity
    unit_price: =line.price
"""
GROUP = "group: {by: customer, every: month, date: =deal.close_date}\n"


@pytest.fixture
def compiled(tmp_path: Path) -> Callable[..., Mapping]:
    def make(text: str = HEAD + GROUP) -> Mapping:
        file = tmp_path / "deals.yaml"
        file.write_text(text)
        return load(file, KNOWN)

    return make


def drafted(mapping: Mapping, number: str = "1", price: str = "10", **fields: object) -> Drafted:
    def record(kind: str, of: str, **held: object) -> Record:
        return Record(Ref("hubspot:1", kind, of), Version(""), held)

    source = {"close_date": date(2026, 3, 31), "currency": "EUR", "tax": Decimal(1), **fields}
    given = Given(
        record("deal", number, **source),
        {
            "company": (record("company", "7"),),
            "lines": (record("line_item", number, quantity=Decimal(1), price=Decimal(price)),),
        },
    )
    made = draft(mapping, given, Setting("quickbooks:9"))
    assert isinstance(made, Drafted)
    return made


def together(*made: Drafted) -> Invoice:
    documents = [one.document for one in made]
    assert all(isinstance(one, Invoice) for one in documents)
    customer = Ref("hubspot:1", "company", "7")
    key = Key.of(customer, mapping="deals", document="invoice", target_company="quickbooks:9")
    return collective(documents, key, customer, "2026-03:EUR")


@pytest.mark.parametrize(
    ("day", "months", "name", "last"),
    [
        (date(2026, 2, 28), 1, "2026-02", date(2026, 2, 28)),
        (date(2028, 2, 1), 1, "2028-02", date(2028, 2, 29)),
        (date(2026, 12, 31), 1, "2026-12", date(2026, 12, 31)),
        (date(2026, 4, 1), 3, "2026-Q2", date(2026, 6, 30)),
        (date(2026, 7, 1), 6, "2026-H2", date(2026, 12, 31)),
        (date(2026, 6, 15), 12, "2026", date(2026, 12, 31)),
    ],
)
def test_a_period_is_of_the_calendar(day, months, name, last):
    period = period_of(day, months)
    assert (period.name, period.last) == (name, last)


@every(st.dates(date(1990, 1, 1), date(2199, 12, 31)), st.sampled_from([1, 3, 6, 12]))
def test_each_day_lies_in_one_period_and_the_next_begins_when_it_ends(day, months):
    period = period_of(day, months)
    assert period.first <= day <= period.last
    assert period_of(period.due, months).first == period.due
    assert period_of(period.first, months) == period == period_of(period.last, months)


def test_a_day_that_no_books_can_hold_is_refused():
    with pytest.raises(ValueRefused):
        period_of(date(9999, 12, 31), 1)


def test_lines_follow_one_another_and_amounts_sum(compiled):
    mapping = compiled()
    made = together(drafted(mapping, "1", "0.10"), drafted(mapping, "2", "0.20"))
    assert [line.source.id for line in made.lines if line.source] == ["1", "2"]
    assert (made.net.amount, made.tax.amount.amount) == (Decimal("0.30"), Decimal(2))
    assert (made.date, made.memo) == (date(2026, 3, 31), "Deals of 2026-03")


def test_what_the_sources_do_not_agree_on_is_left_out(compiled):
    mapping = compiled()
    one = drafted(mapping, "1", terms="Net 30", order="A", close_date=date(2026, 3, 1))
    other = drafted(mapping, "2", terms="Net 15", order="B", tax=None)
    made = together(one, other)
    assert (made.terms, made.purchase_order, made.tax.amount) == (None, None, None)
    assert made.custom_fields == {"Always": "the same"}
    assert made.due_date == date(2026, 4, 30)
    assert together(one).custom_fields == {"PO": "A", "Always": "the same"}


def test_a_source_without_its_day_is_held(compiled):
    made = drafted(compiled(), close_date=None)
    assert made.period is None
    assert made.findings[0].code == "missing-value"


def test_whose_a_source_is_is_known_where_it_is_certain(compiled):
    rule = compiled().group
    one, other = (
        Record(Ref("hubspot:1", "company", number), Version(""), {}) for number in ("7", "8")
    )
    source = Record(Ref("hubspot:1", "deal", "1"), Version(""), {})
    assert customer_in(Given(source, {"company": (one,)}), rule) == one.ref
    assert customer_in(Given(source, {"company": (one, other)}), rule) is None
    primary = Given(source, {"company": (one, other)}, {"company": other.ref})
    assert customer_in(primary, rule) == other.ref
    assert customer_in(Given(source), rule) is None


def test_what_is_left_out_of_the_file_is_the_next_and_leaving_out(compiled):
    rule = compiled().group
    assert (rule.late, rule.held, rule.every_months) == (Late.NEXT, Held.LEAVE_OUT, 1)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("{bound: =company.id}", "{name: =company.name}", "no record of its own"),
        ("{bound: =company.id}", "{bound: =contact.id}", "no record of its own"),
        ("{bound: =company.id}", "{bound: =deal.id}", "no record of its own"),
        ("group: {", "parts: [{name: all, rest: true}]\ngroup: {", "has parts or a group"),
        ("every: month", "every: week", "week"),
        ("by: customer", "by: owner", "owner"),
        (", date: =deal.close_date}", "}", "date"),
        (GROUP, "", "group"),
    ],
)
def test_a_group_that_cannot_be_is_a_mistake_with_its_line(compiled, old, new, what):
    text = HEAD + GROUP
    assert old in text
    with pytest.raises(Mistakes, match=what):
        compiled(text.replace(old, new))


def test_only_invoices_go_together(compiled):
    text = """\
mapping: payments
version: 1
from: hubspot.deal
to: payment
with: {company: deal.company}
payment: {pays: =invoice_of(company), amount: 1, currency: EUR, date: =deal.close_date}
"""
    with pytest.raises(Mistakes, match="only invoices go together"):
        compiled(text + GROUP)


TESTS = """\
tests:
  - name: two of a month
    given:
      sources:
        - {deal: &deal {close_date: 2026-03-01, currency: EUR}, company: &seven {id: "7"}, lines: [{quantity: 1, price: 1}]}
        - {deal: *deal, company: *seven, lines: [{quantity: 1, price: 2}]}
    expect: {collectives: [{group: 2026-03, sources: 2, net: %s}]}
  - name: one that is held
    given:
      sources:
        - {deal: *deal, company: *seven, lines: [{quantity: 1, price: 1}]}
        - {deal: {close_date: 2026-03-01}, company: *seven, lines: [{quantity: 1, price: 2}]}
    expect: {collectives: [{group: 2026-03, sources: %s}]}
"""


@pytest.mark.parametrize(("held", "sources"), [("leave-out", 1), ("wait", 0)])
def test_the_tests_of_a_file_say_what_goes_together(compiled, held, sources):
    group = GROUP.replace("}\n", f", held: {held}}}\n")
    verdicts = run(compiled(HEAD + group + TESTS % (3, sources)))
    assert [one.passed for one in verdicts] == [True, True]
    first, _ = run(compiled(HEAD + group + TESTS % (4, sources)))
    assert "came net 3.00, expected 4" in str(first.differences[0])


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("{collectives: [{group: 2026-03, sources: 2, net: 3}]}", "{net: 3}", "write both"),
        ("net: 3}]}", "net: 3}], net: 3}", "collectives stand alone"),
        ("currency: EUR}", "currencies: EUR}", "no field 'currencies'"),
    ],
)
def test_a_test_of_several_that_cannot_be_is_a_mistake(compiled, old, new, what):
    text = HEAD + GROUP + TESTS % (3, 1)
    assert old in text
    with pytest.raises(Mistakes, match=what):
        compiled(text.replace(old, new, 1))


def test_a_test_that_expects_another_number_of_documents_says_so(compiled):
    text = (TESTS % (3, 1)).replace("net: 3}]", "net: 3}, {group: 2026-04}]")
    first, _ = run(compiled(HEAD + GROUP + text))
    assert "came 1 collectives, expected 2" in str(first.differences[0])
