"""What is written: minimal bodies, exact numbers, the marker never cut off."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.quickbooks.bodies import body_of
from connectors.quickbooks.settings import Settings, TaxCode
from tieout.model.change import Create, Update, Void
from tieout.model.document import net_unit_price
from tieout.model.errors import InvalidField, Unsupported
from tieout.model.money import Money
from tieout.model.ref import Key, Ref, Version, find_marker
from tieout.transport import dump_json

KEY = Key("0123456789ABCDEF", 1)
GERMANY = Settings(
    read_at=datetime(2026, 3, 31, tzinfo=UTC),
    name="Books",
    country="DE",
    home_currency="EUR",
    multi_currency=True,
    custom_numbers=False,
    closed_through=None,
    uses_tax=True,
    automated_tax=False,
    auto_apply_credit=False,
    auto_apply_payments=False,
    version="0",
    tax_codes={
        "S19": TaxCode("S19", "S19", active=True, taxable=True, rate=Decimal(19), version="0"),
        "?": TaxCode("?", "?", active=True, taxable=True, rate=None, version="0"),
    },
)
US = replace(GERMANY, country="US", home_currency="USD", multi_currency=False)
LINE = {"item": "7", "quantity": "10", "unit_price": "150.0", "amount": "1500"}


def created(kind, values, settings=GERMANY):
    return body_of(Create(kind, values), str(KEY), settings)


def test_an_invoice_is_written_whole_and_exactly():
    values = {
        "customer": "58",
        "date": "2026-03-31",
        "due_date": "2026-04-30",
        "terms": "3",
        "currency": "EUR",
        "number": "R-1",
        "prices": "exclusive",
        "tax": "285.00",
        "lines": [
            {
                "item": "7",
                "description": "Consulting",
                "quantity": "10",
                "unit_price": "150.00",
                "amount": "1500.00",
                "tax_code": "S19",
                "class": "4",
                "service_date": "2026-03-30",
            }
        ],
        "memo": "HubSpot deal 901 Rollout",
        "message": "Thank you",
        "email": "ap@baer.example",
        "project": "77",
        "department": "2",
        "custom_fields": {"1": "PO-77"},
    }
    assert dump_json(created("invoice", values)).decode() == (
        '{"CustomerRef":{"value":"58"},"TxnDate":"2026-03-31","DueDate":"2026-04-30",'
        '"SalesTermRef":{"value":"3"},"DocNumber":"R-1","BillEmail":{"Address":"ap@baer.example"},'
        '"CustomerMemo":{"value":"Thank you"},"ProjectRef":{"value":"77"},'
        '"DepartmentRef":{"value":"2"},"CurrencyRef":{"value":"EUR"},'
        '"PrivateNote":"HubSpot deal 901 Rollout [TIEOUT:0123456789ABCDEF-1]",'
        '"GlobalTaxCalculation":"TaxExcluded","TxnTaxDetail":{"TotalTax":285.00},'
        '"Line":[{"LineNum":1,"Description":"Consulting","Amount":1500.00,'
        '"DetailType":"SalesItemLineDetail","SalesItemLineDetail":{"ItemRef":{"value":"7"},'
        '"Qty":10,"UnitPrice":150.00,"TaxCodeRef":{"value":"S19"},"ClassRef":{"value":"4"},'
        '"ServiceDate":"2026-03-30"}}],'
        '"CustomField":[{"DefinitionId":"1","Type":"StringType","StringValue":"PO-77"}]}'
    )


def test_a_credit_memo_is_written_as_an_invoice_and_numbered_by_nobody_but_us():
    """The next number of the sequence is not known to be asked for on a credit memo (R6)."""
    values = {"customer": "58", "date": "2026-04-30", "lines": [LINE], "memo": "Credit of R-1"}
    ours = replace(GERMANY, custom_numbers=True)
    body = created("credit_memo", {**values, "currency": "EUR", "prices": "exclusive"}, ours)
    assert body == {
        "CustomerRef": {"value": "58"},
        "TxnDate": "2026-04-30",
        "CurrencyRef": {"value": "EUR"},
        "PrivateNote": f"Credit of R-1 [TIEOUT:{KEY}]",
        "GlobalTaxCalculation": "TaxExcluded",
        "Line": created("invoice", {"lines": [LINE], "prices": "exclusive"})["Line"],
    }
    numbered = created("credit_memo", {**values, "number": "R-1-C1"}, ours)
    assert numbered["DocNumber"] == "R-1-C1"


@pytest.mark.parametrize("word", ["due_date", "terms"])
def test_what_only_an_invoice_has_is_refused_on_a_credit_memo(word):
    with pytest.raises(InvalidField, match=f"credit memos have no {word} here"):
        created("credit_memo", {"customer": "5", word: "2026-03-31", "lines": [LINE]})


def test_a_credit_is_applied_by_a_payment_of_nothing_that_names_both():
    """Intuit, reference of Payment; docs.breadwinner.com, "Applying Credit to an Invoice"."""
    parts = [
        {"kind": "credit_memo", "id": "9", "amount": "50"},
        {"kind": "invoice", "id": "145", "amount": "50"},
    ]
    body = created("payment", {"customer": "58", "amount": "0", "allocations": parts})
    assert body["TotalAmt"] == 0
    assert [line["LinkedTxn"] for line in body["Line"]] == [
        [{"TxnId": "9", "TxnType": "CreditMemo"}],
        [{"TxnId": "145", "TxnType": "Invoice"}],
    ]


def test_the_class_of_an_invoice_stands_on_it_and_on_lines_without_one_of_their_own():
    """Companies track classes by transaction or by line, and ignore the other place."""
    lines = [LINE, {**LINE, "class": "4"}]
    body = created("invoice", {"customer": "5", "class": "9", "lines": lines})
    details = [line["SalesItemLineDetail"]["ClassRef"] for line in body["Line"]]
    assert (body["ClassRef"], details) == ({"value": "9"}, [{"value": "9"}, {"value": "4"}])


def test_an_approved_value_that_no_field_takes_is_refused_and_not_left_out():
    with pytest.raises(InvalidField, match="have no cost_centre here"):
        created("invoice", {"customer": "5", "cost_centre": "9", "lines": [LINE]})


def test_what_a_change_does_not_say_is_not_sent():
    body = created("invoice", {"customer": "58", "date": "2026-03-31", "lines": [LINE]}, US)
    assert set(body) == {"CustomerRef", "TxnDate", "PrivateNote", "Line"}
    assert set(body["Line"][0]["SalesItemLineDetail"]) == {"ItemRef", "Qty", "UnitPrice"}


def test_the_american_way_knows_no_calculation_and_untaxed_lines_are_non():
    values = {"customer": "5", "date": "2026-03-31", "prices": "untaxed", "lines": [LINE]}
    body = created("invoice", values, US)
    assert "GlobalTaxCalculation" not in body
    assert body["Line"][0]["SalesItemLineDetail"]["TaxCodeRef"] == {"value": "NON"}
    with pytest.raises(InvalidField, match="United States"):
        created("invoice", {**values, "prices": "inclusive"}, US)


def test_untaxed_elsewhere_is_not_applicable():
    body = created("invoice", {"customer": "5", "prices": "untaxed", "lines": [LINE]})
    assert body["GlobalTaxCalculation"] == "NotApplicable"


def test_prices_with_tax_are_written_net_with_the_gross_beside_them():
    line = {
        "item": "7",
        "quantity": "3",
        "unit_price": "33.33",
        "amount": "99.99",
        "tax_code": "S19",
    }
    body = created(
        "invoice", {"customer": "5", "currency": "EUR", "prices": "inclusive", "lines": [line]}
    )
    (written,) = body["Line"]
    assert body["GlobalTaxCalculation"] == "TaxInclusive"
    assert written["Amount"] == Decimal("84.03")
    assert written["SalesItemLineDetail"]["TaxInclusiveAmt"] == Decimal("99.99")
    assert written["SalesItemLineDetail"]["UnitPrice"] == Decimal("28.01")


@pytest.mark.parametrize("code", ["?", "unknown"])
def test_prices_with_tax_need_a_rate_to_take_out(code):
    line = {**LINE, "tax_code": code}
    with pytest.raises(InvalidField, match="rate of tax code"):
        created("invoice", {"prices": "inclusive", "lines": [line]})


def test_a_currency_is_named_only_where_there_are_several():
    home = {"customer": "5", "currency": "USD"}
    assert "CurrencyRef" not in created("payment", home, US)
    with pytest.raises(InvalidField, match="know USD only"):
        created("payment", {"customer": "5", "currency": "EUR"}, US)
    assert created("payment", {"currency": "CHF"})["CurrencyRef"] == {"value": "CHF"}


def test_a_payment_is_linked_to_its_invoices():
    values = {
        "customer": "58",
        "date": "2026-04-15",
        "currency": "EUR",
        "amount": "120.50",
        "method": "2",
        "deposit_to": "35",
        "reference": "SEPA-1",
        "memo": "HubSpot payment 4",
        "allocations": [
            {"kind": "invoice", "id": "145", "amount": "100.00"},
            {"kind": "invoice", "id": "146", "amount": "20.50"},
        ],
    }
    assert created("payment", values) == {
        "CustomerRef": {"value": "58"},
        "TxnDate": "2026-04-15",
        "TotalAmt": Decimal("120.50"),
        "PaymentMethodRef": {"value": "2"},
        "DepositToAccountRef": {"value": "35"},
        "PaymentRefNum": "SEPA-1",
        "CurrencyRef": {"value": "EUR"},
        "PrivateNote": "HubSpot payment 4 [TIEOUT:0123456789ABCDEF-1]",
        "Line": [
            {
                "Amount": Decimal("100.00"),
                "LinkedTxn": [{"TxnId": "145", "TxnType": "Invoice"}],
            },
            {"Amount": Decimal("20.50"), "LinkedTxn": [{"TxnId": "146", "TxnType": "Invoice"}]},
        ],
    }


def test_a_reference_that_is_too_long_is_refused_and_not_cut():
    with pytest.raises(InvalidField, match="longer than 21"):
        created("payment", {"reference": "x" * 22})


def test_a_customer_is_written_with_its_marker_in_the_notes():
    values = {
        "name": "Bär GmbH",
        "company_name": "Bär GmbH",
        "email": "ap@baer.example",
        "currency": "EUR",
        "phone": "+49 30 1",
        "tax_number": "DE811907980",
        "address": {"line1": "Weg 1", "city": "Berlin", "postal_code": "10115", "country": "DE"},
        "terms": "3",
        "parent": "9",
        "notes": "From HubSpot",
    }
    assert created("customer", values) == {
        "DisplayName": "Bär GmbH",
        "CompanyName": "Bär GmbH",
        "PrimaryEmailAddr": {"Address": "ap@baer.example"},
        "PrimaryPhone": {"FreeFormNumber": "+49 30 1"},
        "BillAddr": {"Line1": "Weg 1", "City": "Berlin", "PostalCode": "10115", "Country": "DE"},
        "SalesTermRef": {"value": "3"},
        "ParentRef": {"value": "9"},
        "Job": True,
        "CurrencyRef": {"value": "EUR"},
        "Notes": "From HubSpot [TIEOUT:0123456789ABCDEF-1]",
    }


def test_a_tax_number_goes_only_where_there_is_a_place_for_it():
    britain = replace(GERMANY, country="GB")
    assert created("customer", {"name": "A", "tax_number": "GB1"}, britain)[
        "PrimaryTaxIdentifier"
    ] == ("GB1")


def test_an_item_carries_no_marker():
    values = {"name": "Consulting", "sku": "C-1", "income_account": "5", "unit_price": "150.5"}
    assert created("item", {**values, "type": "non_inventory", "taxable": False}) == {
        "Name": "Consulting",
        "Sku": "C-1",
        "Type": "NonInventory",
        "IncomeAccountRef": {"value": "5"},
        "UnitPrice": Decimal("150.5"),
        "Taxable": False,
    }
    assert created("item", values)["Type"] == "Service"


def test_an_update_is_sparse_and_leaves_the_memo_alone_unless_it_says_one():
    ref = Ref("quickbooks:913", "invoice", "145")
    change = Update(ref, Version("3"), {"due_date": "2026-05-31"})
    assert body_of(change, str(KEY), GERMANY) == {
        "Id": "145",
        "SyncToken": "3",
        "sparse": True,
        "DueDate": "2026-05-31",
    }
    with_memo = Update(ref, Version("3"), {"memo": "New words"})
    assert body_of(with_memo, str(KEY), GERMANY)["PrivateNote"] == (
        "New words [TIEOUT:0123456789ABCDEF-1]"
    )


def test_a_customers_currency_is_never_updated():
    ref = Ref("quickbooks:913", "customer", "5")
    change = Update(ref, Version("0"), {"name": "New", "currency": "CHF"})
    assert body_of(change, str(KEY), GERMANY) == {
        "Id": "5",
        "SyncToken": "0",
        "sparse": True,
        "DisplayName": "New",
    }


def test_a_void_names_its_record_and_version_only():
    ref = Ref("quickbooks:913", "invoice", "145")
    assert body_of(Void(ref, Version("3")), str(KEY), GERMANY) == {"Id": "145", "SyncToken": "3"}


def test_a_kind_that_is_not_written_is_unsupported():
    with pytest.raises(Unsupported, match="kind term"):
        created("term", {"name": "Net 30"})


@given(st.text(max_size=6000), st.integers(1, 9999))
def test_the_marker_is_the_last_word_of_a_memo_or_there_is_no_room(memo, generation):
    """A memo is never cut: what we write must read as what was approved."""
    key = Key("0123456789ABCDEF", generation)
    try:
        body = body_of(Create("invoice", {"memo": memo}), str(key), GERMANY)
    except InvalidField:
        assert len(memo.rstrip()) + len(key.marker) >= 4000
        return
    note = body["PrivateNote"]
    assert len(note) <= 4000
    assert note.removesuffix(key.marker).rstrip() == memo.rstrip()
    assert find_marker(note) == key


amounts = st.decimals(min_value="0.01", max_value="99999", places=2)


@given(amounts, st.decimals(min_value="1", max_value="50", places=2))
def test_amount_is_quantity_times_price_when_tax_is_taken_out(amount, quantity):
    """QuickBooks refuses a line whose amount is another (6070)."""
    price = net_unit_price(quantity, amount, Money.of(amount, "EUR"), 7)
    if price is None:
        return
    line = {
        "item": "7",
        "quantity": str(quantity),
        "unit_price": str(price),
        "amount": str(amount),
        "tax_code": "S19",
    }
    body = created("invoice", {"currency": "EUR", "prices": "inclusive", "lines": [line]})
    (written,) = json.loads(dump_json(body), parse_float=Decimal)["Line"]
    sold = written["SalesItemLineDetail"]
    product = Decimal(sold["Qty"]) * Decimal(sold["UnitPrice"])
    assert product.quantize(Decimal("0.01"), "ROUND_HALF_UP") == Decimal(written["Amount"])
