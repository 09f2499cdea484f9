"""Records become a document, and whatever is wrong in them becomes a finding."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from mapping.compiler import load
from mapping.drafting import (
    Afterwards,
    Draft,
    Drafted,
    Given,
    Setting,
    Skipped,
    draft,
    tell,
)
from mapping.making import LINES_LIMIT
from mapping.rules import Mapping
from tieout.model.change import Severity
from tieout.model.document import Invoice, Payment, Percent, Tax, TaxBy
from tieout.model.lookup import Lookup
from tieout.model.money import Money
from tieout.model.record import Record
from tieout.model.ref import Key, Ref

Compiled = Callable[..., Mapping]
Giving = Callable[..., Given]


def invoice_of(made: Draft) -> Invoice:
    assert isinstance(made, Drafted)
    assert isinstance(made.document, Invoice)
    return made.document


def said(made: Draft) -> list[str]:
    assert isinstance(made, Drafted)
    return [finding.message for finding in made.findings]


def test_a_won_deal_becomes_an_invoice(compiled: Compiled, given: Giving, setting: Setting) -> None:
    made = draft(compiled(), given(), setting)
    invoice = invoice_of(made)
    assert said(made) == []
    assert invoice.key == Key.of(
        Ref("hubspot:1", "deal", "901"),
        mapping="deals",
        document="invoice",
        target_company="quickbooks:913",
    )
    assert (invoice.date, invoice.due_date, invoice.currency.code) == (
        date(2026, 3, 31),
        date(2026, 4, 30),
        "EUR",
    )
    assert (invoice.title, invoice.memo, invoice.net) == (
        "deal 901 Rollout",
        "Deal 901",
        Money.of("1900.00", "EUR"),
    )
    assert invoice.target == {"department": "North"}
    assert [
        (line.quantity, line.amount.amount, line.discount, line.tax_code) for line in invoice.lines
    ] == [
        (Decimal(10), Decimal("1500.00"), None, "S19"),
        (Decimal(1), Decimal("400.00"), Percent(Decimal(20)), "S19"),
    ]
    assert invoice.lines[0].extra == {"class": "default"}
    assert invoice.lines[1].source == Ref("hubspot:1", "line_item", "3")


def test_drafting_again_gives_the_same(compiled: Compiled, given: Giving, setting: Setting) -> None:
    assert invoice_of(draft(compiled(), given(), setting)) == invoice_of(
        draft(compiled(), given(), setting)
    )


def test_a_reissue_has_another_generation(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    first, again = (invoice_of(draft(compiled(), given(), setting, n)).key for n in (1, 2))
    assert again == first.next_generation()


def test_the_clues_that_have_a_value_are_kept_in_order(
    compiled: Compiled, given: Giving, setting: Setting, make_record: Callable[..., Record]
) -> None:
    contact = make_record("contact", "5", email=" ap@baer.example ")
    customer = invoice_of(draft(compiled(), given(contact=(contact,)), setting)).customer
    assert customer.rules == (
        Lookup("customer", "bound", "31", 13),
        Lookup("customer", "email", "ap@baer.example", 14),
        Lookup("customer", "name", "Bär GmbH", 15),
    )
    assert customer.source == Ref("hubspot:1", "company", "31")
    assert customer.create == {
        "name": "Bär GmbH",
        "email": " ap@baer.example ",
        "address": {"city": "Köln", "country": "DE"},
    }
    without = invoice_of(draft(compiled(), given(), setting)).customer
    assert [rule.by for rule in without.rules] == ["bound", "name"]


@pytest.mark.parametrize(
    ("deal", "message"),
    [
        ({"close_date": None}, "deal.close_date is missing"),
        ({"currency": "EURO"}, "'EURO' is not a currency."),
        ({"currency": "JPY"}, None),
        ({"amount": Decimal(2000)}, "The deal says 2000."),
        ({"amount": None}, "The deal says ."),
    ],
)
def test_a_value_of_the_deal_that_is_wrong_is_a_finding(
    compiled: Compiled,
    given: Giving,
    setting: Setting,
    deal: dict[str, object],
    message: str | None,
) -> None:
    assert said(draft(compiled(), given(**deal), setting)) == ([message] if message else [])


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ({"quantity": None, "price": 1}, "There is no quantity: line.quantity is missing."),
        ({"quantity": 1, "price": "1"}, "line.price is a text, not a number: '1'"),
        ({"quantity": 1, "price": 1.5}, "lines[0].unit_price is a text, not a number: 1.5"),
        (
            {"quantity": 1, "price": 1, "discount_percent": Decimal(120)},
            "A discount of 120 % is not between 0 and 100.",
        ),
        (
            {"quantity": Decimal(10) ** 20, "price": 1},
            "1.000E+20 is larger than any set of books holds.",
        ),
    ],
)
def test_a_line_that_is_wrong_is_a_finding_and_no_document(
    compiled: Compiled, given: Giving, setting: Setting, line: dict[str, object], message: str
) -> None:
    made = draft(compiled(), given(lines=[line]), setting)
    assert isinstance(made, Drafted)
    assert (made.document, said(made)) == (None, [message])
    assert made.findings[0].record == Ref("hubspot:1", "line_item", "1")


@pytest.mark.parametrize("said_there", ["maybe", "{'x': 1}"])
def test_a_flag_that_is_a_text_is_a_finding_and_never_true(
    compiled: Compiled, given: Giving, setting: Setting, said_there: str
) -> None:
    made = draft(compiled(), given(is_won=said_there), setting)
    assert said(made)[0] == f"deal.is_won is a text, not true or false: {said_there!r}"


def test_every_finding_is_told_once_and_all_at_once(
    compiled: Compiled, given: Giving, setting: Setting, make_record: Callable[..., Record]
) -> None:
    italian = make_record("company", "32", name="Bo", country="IT")
    rows = [
        {"quantity": 1, "price": None},
        {"quantity": 1, "price": 1},
        {"quantity": 1, "price": 2},
    ]
    made = draft(compiled(), given(company=(italian,), lines=rows), setting)
    assert said(made) == [
        "tax has no entry for IT",
        "There is no unit_price: line.price is missing.",
    ]


def test_a_deal_without_lines_is_blocked(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    assert said(draft(compiled(), given(lines=[], amount=Decimal(0)), setting)) == [
        "There is nothing to invoice: no line."
    ]


def test_a_deal_of_too_many_lines_is_blocked(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    rows: list[dict[str, object]] = [{"quantity": 1, "price": 1}] * (LINES_LIMIT + 1)
    assert said(draft(compiled(), given(lines=rows), setting)) == [
        "1001 lines are more than the 1000 that one document has."
    ]


def test_the_primary_company_is_taken(
    compiled: Compiled, given: Giving, setting: Setting, make_record: Callable[..., Record]
) -> None:
    two = (
        make_record("company", "1", name="A", country="DE"),
        make_record("company", "2", name="B", country="DE"),
    )
    chosen = draft(compiled(), given(company=two, primary={"company": two[1].ref}), setting)
    assert invoice_of(chosen).customer.rules[0].value == "2"
    assert "2 records are company and none is the primary one." in said(
        draft(compiled(), given(company=two), setting)
    )
    assert "There is no company." in said(draft(compiled(), given(company=()), setting))


def test_several_contacts_only_warn(
    compiled: Compiled, given: Giving, setting: Setting, make_record: Callable[..., Record]
) -> None:
    two = (
        make_record("contact", "1", email="a@x.example"),
        make_record("contact", "2", email="b@x.example"),
    )
    made = draft(compiled(), given(contact=two), setting)
    assert isinstance(made, Drafted)
    assert [(finding.severity, finding.code) for finding in made.findings] == [
        (Severity.WARN, "ambiguous-relation")
    ]


def test_several_with_the_same_label_hold_the_document(
    compiled: Compiled, given: Giving, setting: Setting, make_record: Callable[..., Record]
) -> None:
    """Who names a payer says that nobody else is to pay."""
    labelled = compiled(("deal.contact?", 'deal.contact labelled "Payer"?'))
    two = tuple(make_record("contact", number, email=f"{number}@x.example") for number in "12")
    made = draft(labelled, given(contact=two), setting)
    (finding,) = [each for each in made.findings if each.code == "ambiguous-relation"]
    assert (finding.severity, finding.remedy) == (
        Severity.BLOCK,
        "Leave the label Payer on one of them in the CRM.",
    )


def test_a_deal_that_the_rule_excludes_is_skipped_with_its_line(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    made = draft(compiled(), given(is_won=False), setting)
    assert isinstance(made, Skipped)
    assert (made.line, made.why) == (
        9,
        "=deal.is_won and deal.close_date >= cutover_date is not so",
    )


def test_a_mapping_without_a_rule_takes_every_source(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    always = compiled(("when: =deal.is_won and deal.close_date >= cutover_date\n", ""))
    assert invoice_of(draft(always, given(is_won=False), setting)).net == Money.of(1900, "EUR")


def test_discounts_are_percent_or_amount_of_line_or_document(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    mapping = compiled(
        ("discount: =line.discount_percent", "discount: {amount: 10}"),
        ("  memo:", "  discount: {percent: 50}\n  memo:"),
        ("=sum(lines.amount) == deal.amount", "=document.net == sum(lines.amount)"),
    )
    invoice = invoice_of(draft(mapping, given(), setting))
    assert [line.amount.amount for line in invoice.lines] == [Decimal("745.00"), Decimal("245.00")]
    assert invoice.discount == Percent(Decimal(50))


def test_a_discount_larger_than_the_document_is_a_finding(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    mapping = compiled(("  memo:", "  discount: {amount: 5000}\n  memo:"))
    [message] = said(draft(mapping, given(), setting))
    assert message.startswith("A discount of 5000.00 EUR is larger than the 1900.00 EUR")


def test_tax_is_as_the_mapping_says(compiled: Compiled, given: Giving, setting: Setting) -> None:
    words = "tax: {prices: exclusive, compute: expect, tolerance: 0.05, expected: '=round(deal.amount * 0.19, 2)'}"
    invoice = invoice_of(draft(compiled(("  memo:", f"  {words}\n  memo:")), given(), setting))
    assert invoice.tax == Tax(
        by=TaxBy.EXPECT, tolerance=Decimal("0.05"), amount=Money.of("361.00", "EUR")
    )


def test_the_words_of_another_target_are_left_out(compiled: Compiled, given: Giving) -> None:
    other = Setting("xero:7", cutover_date=date(2026, 1, 1))
    assert invoice_of(draft(compiled(), given(), other)).target == {}


def test_custom_fields_are_texts_and_empty_ones_are_left_out(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    assert invoice_of(draft(compiled(), given(stage="won"), setting)).custom_fields == {"PO": "won"}


def test_a_service_date_travels_with_the_line(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    mapping = compiled(("    quantity:", "    service_date: =deal.close_date\n    quantity:"))
    assert (
        invoice_of(draft(mapping, given(), setting)).lines[0].extra["service_date"] == "2026-03-31"
    )


def test_a_check_that_cannot_be_computed_blocks(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    mapping = compiled(("=sum(lines.amount) == deal.amount", "=deal.paid > 5"))
    assert said(draft(mapping, given(), setting)) == ["deal.paid is missing"]


def test_a_check_whose_words_fail_shows_its_formula(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    mapping = compiled(
        ('say: =join("", "The deal says ", deal.amount, ".")', 'say: =lookup("tax", deal.name)')
    )
    assert "=sum(lines.amount) == deal.amount" in said(
        draft(mapping, given(amount=Decimal(1)), setting)
    )


def test_a_trace_names_the_line_and_the_sources_of_a_value(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    made = draft(compiled(), given(), setting)
    [price] = made.trace.of("lines[1].unit_price")
    assert str(price) == "lines[1].unit_price = 500 (line 32: =line.price; line.price = 500)"
    assert {cell.field for cell in made.trace.of("customer")} >= {
        "customer.match.bound",
        "customer.create.name",
    }
    [table] = made.trace.of("lines[0].tax_code")
    assert table.sources == {"company.country": "DE"}
    [check] = made.trace.of("check")
    assert str(check).endswith("lines.amount = [1500, 400], deal.amount = 1900)")
    [constant] = made.trace.of("quickbooks.department")
    assert str(constant) == "quickbooks.department = 'North' (line 37: North)"


PAYMENT = """\
mapping: paid
version: 1
from: hubspot.deal
to: payment
when: =deal.paid is not None
payment:
  pays: =invoice_of(deal)
  amount: =deal.paid
  date: =deal.paid_on
  currency: =deal.currency
  reference: =deal.id
"""


def test_a_payment_may_be_properties_of_the_deal(
    known_fields: dict[str, dict[str, str]], given: Giving, setting: Setting
) -> None:
    mapping = load(PAYMENT, known_fields)
    made = draft(mapping, given(paid=Decimal("950.00"), paid_on=date(2026, 4, 2)), setting)
    assert isinstance(made, Drafted)
    payment = made.document
    assert isinstance(payment, Payment)
    assert (payment.pays, payment.amount, payment.date, payment.reference) == (
        Ref("hubspot:1", "deal", "901"),
        Money.of("950.00", "EUR"),
        date(2026, 4, 2),
        "901",
    )
    assert isinstance(draft(mapping, given(), setting), Skipped)


@pytest.mark.parametrize(
    ("deal", "message"),
    [
        (
            {"paid": Decimal("9.505"), "paid_on": date(2026, 4, 2)},
            "9.505 has more than the 2 decimals of EUR.",
        ),
        ({"paid": Decimal(9)}, "There is no date: deal.paid_on is missing."),
        (
            {"paid": Decimal(9), "paid_on": datetime(2026, 4, 2, tzinfo=UTC)},
            "date is an instant, not a date: 2026-04-02T00:00:00+00:00",
        ),
        (
            {"paid": Decimal(9), "paid_on": date(2026, 4, 2), "currency": None},
            "There is no currency: deal.currency is missing.",
        ),
    ],
)
def test_a_payment_that_is_wrong_is_a_finding(
    known_fields: dict[str, dict[str, str]],
    given: Giving,
    setting: Setting,
    deal: dict[str, object],
    message: str,
) -> None:
    made = draft(load(PAYMENT, known_fields), given(**deal), setting)
    assert isinstance(made, Drafted)
    assert (made.document, said(made)) == (None, [message])


def test_what_became_of_a_document_is_told_to_its_deal(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    after = Afterwards(
        "invoiced",
        number="1001",
        balance=Decimal("10.50"),
        synced_at=datetime(2026, 4, 1, tzinfo=UTC),
    )
    told = tell(compiled(), given(), setting, after)
    deal = Ref("hubspot:1", "deal", "901")
    assert [(one.ref, one.field, one.value, one.clock_only) for one in told] == [
        (deal, "invoice_number", "1001", False),
        (deal, "invoice_balance", "10.5", False),
        (deal, "invoice_checked_at", "2026-04-01T00:00:00.000Z", True),
    ]


def test_what_cannot_be_computed_is_left_untold(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    mapping = compiled(("=receipt.number", '=lookup("tax", status)'))
    assert [one.field for one in tell(mapping, given(), setting, Afterwards("held"))] == [
        "invoice_balance",
        "invoice_checked_at",
    ]


def test_lines_need_no_rule_and_no_item(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    words = """    item:
      match: [{sku: =line.sku}]
      none: default
      default: Services
"""
    mapping = compiled((words, ""), ("    when: =line.quantity != 0\n", ""))
    lines = invoice_of(draft(mapping, given(), setting)).lines
    assert [(line.item, line.quantity) for line in lines] == [(None, 10), (None, 0), (None, 1)]


@pytest.mark.parametrize(
    ("crm", "held"),
    [
        ("=line.price * line.quantity", []),
        ("300.00", []),
        ("null", []),
        ("=line.price", ["Consulting comes to 300.00 EUR, and the CRM says 150."]),
        ("300.004", ["Consulting comes to 300.00 EUR, and the CRM says 300.004."]),
    ],
)
def test_a_line_that_does_not_come_to_what_the_crm_says_is_held(
    compiled: Compiled, given: Giving, setting: Setting, crm: str, held: list[str]
) -> None:
    price = "    unit_price: =line.price\n"
    mapping = compiled((price, f"{price}    amount: {crm}\n    description: Consulting\n"))
    rows = [{"sku": "C-1", "quantity": Decimal(2), "price": Decimal(150)}]
    made = draft(mapping, given(lines=rows, amount=Decimal(300)), setting)
    assert said(made) == held
    assert isinstance(made, Drafted)
    assert {found.code for found in made.findings} <= {"line-amount"}
    assert [str(found.record) for found in made.findings] == ["line_item 1" for _ in held]


def test_a_line_without_a_text_is_called_by_its_record(
    compiled: Compiled, given: Giving, setting: Setting
) -> None:
    price = "    unit_price: =line.price\n"
    rows = [{"sku": "C-1", "quantity": Decimal(2), "price": Decimal(150)}]
    mapping = compiled((price, f"{price}    amount: 299\n"))
    made = draft(mapping, given(lines=rows, amount=Decimal(300)), setting)
    assert said(made) == ["line_item 1 comes to 300.00 EUR, and the CRM says 299."]
