"""Tax, discounts and currencies of a sale, as the books compute them."""

from decimal import Decimal

import pytest


def test_r13_automated_tax_follows_the_state_shipped_to(books):
    body = books.invoice_body(
        books.customer(),
        books.line("100.00", "TAX"),
        books.line("50.00", "NON"),
        ShipAddr={"CountrySubDivisionCode": "NY"},
    )

    made = books.create("Invoice", body)

    assert made["TxnTaxDetail"]["TotalTax"] == Decimal("8.88")
    assert made["TxnTaxDetail"]["TaxLine"][0]["TaxLineDetail"] == {
        "TaxRateRef": {"value": "automated"},
        "PercentBased": True,
        "TaxPercent": Decimal("8.875"),
        "NetAmountTaxable": Decimal("100.00"),
    }
    assert made["TotalAmt"] == Decimal("158.88")


def test_r13_an_explicit_tax_is_honoured_and_survives_a_later_edit(books):
    made = books.invoice(
        books.customer(), books.line("100.00", "TAX"), TxnTaxDetail={"TotalTax": Decimal("5.00")}
    )
    assert made["TotalAmt"] == Decimal("105.00")

    after = books.update(
        "Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    )

    assert after["TotalAmt"] == Decimal("105.00")


def test_r13_a_line_is_tax_or_non(books):
    line = books.line()
    line["SalesItemLineDetail"]["TaxCodeRef"] = {"value": "5"}

    assert books.post("Invoice", books.invoice_body(books.customer(), line)).code == "6100"


@pytest.mark.parametrize(("rounding", "tax"), [("by_rate", "0.22"), ("by_line", "0.21")])
def test_r13_tax_is_rounded_by_rate_or_by_line(open_books, rounding, tax):
    books = open_books(tax_rounding=rounding)
    lines = [books.line("0.99", "TAX")] * 3

    made = books.invoice(books.customer(), *lines)

    assert made["TxnTaxDetail"]["TotalTax"] == Decimal(tax)


def test_r14_outside_the_us_the_kind_of_amounts_must_be_said(german_books):
    body = german_books.invoice_body(german_books.customer(), german_books.line("100.00", "S19"))
    del body["GlobalTaxCalculation"]

    assert german_books.post("Invoice", body).code == "6000"


def test_r14_outside_the_us_each_line_needs_a_tax_code(german_books):
    line = german_books.line("100.00", "S19")
    del line["SalesItemLineDetail"]["TaxCodeRef"]
    body = german_books.invoice_body(german_books.customer(), line)
    assert german_books.post("Invoice", body).code == "6000"

    made = german_books.create("Invoice", {**body, "GlobalTaxCalculation": "NotApplicable"})

    assert made["TotalAmt"] == 100


def test_r14_excluded_tax_is_added_by_rate(german_books):
    made = german_books.invoice(
        german_books.customer(),
        german_books.line("1500.00", "S19"),
        german_books.line("400.00", "S7"),
    )

    taxes = [
        (line["TaxLineDetail"]["TaxPercent"], line["Amount"])
        for line in made["TxnTaxDetail"]["TaxLine"]
    ]
    assert taxes == [(19, Decimal("285.00")), (7, Decimal("28.00"))]
    assert made["TotalAmt"] == Decimal("2213.00")


def test_r14_inclusive_amounts_are_net_beside_their_gross(german_books):
    line = german_books.line("16.80", "S19", TaxInclusiveAmt=Decimal("19.99"))
    customer = german_books.customer()

    made = german_books.invoice(customer, line, GlobalTaxCalculation="TaxInclusive")

    assert made["TotalAmt"] == Decimal("19.99")
    assert made["TxnTaxDetail"]["TotalTax"] == Decimal("3.19")


@pytest.mark.parametrize(("after", "tax"), [(False, "7.25"), (True, "6.53")])
def test_r15_tax_before_or_after_the_discount(books, after, tax):
    discount = {
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }

    made = books.invoice(
        books.customer(), books.line("100.00", "TAX"), discount, ApplyTaxAfterDiscount=after
    )

    assert made["TxnTaxDetail"]["TotalTax"] == Decimal(tax)
    assert made["TotalAmt"] == Decimal("90.00") + Decimal(tax)


def test_r15_a_discount_without_percent_or_amount_is_refused(books):
    discount = {"DetailType": "DiscountLineDetail", "DiscountLineDetail": {"PercentBased": True}}

    answer = books.post("Invoice", books.invoice_body(books.customer(), books.line(), discount))

    assert answer.code == "6090"


def test_r16_with_many_currencies_each_document_names_its_own(many_currencies):
    body = many_currencies.invoice_body(many_currencies.customer())
    del body["CurrencyRef"]

    assert many_currencies.post("Invoice", body).code == "2020"


def test_r16_a_documents_currency_is_its_customers(many_currencies):
    customer = many_currencies.customer(CurrencyRef={"value": "EUR"})
    body = many_currencies.invoice_body(customer, CurrencyRef={"value": "GBP"})

    assert many_currencies.post("Invoice", body).code == "6000"


def test_r16_a_foreign_document_takes_the_books_rate_unless_told(many_currencies):
    customer = many_currencies.customer(CurrencyRef={"value": "EUR"})

    made = many_currencies.invoice(customer)
    told = many_currencies.invoice(customer, ExchangeRate=Decimal("1.5"))

    assert (made["ExchangeRate"], made["HomeTotalAmt"]) == (Decimal("1.09"), Decimal("109.00"))
    assert (told["ExchangeRate"], told["HomeTotalAmt"]) == (Decimal("1.5"), Decimal("150.00"))


def test_r16_yen_have_no_fraction(many_currencies):
    customer = many_currencies.customer(CurrencyRef={"value": "JPY"})
    body = many_currencies.invoice_body(customer, many_currencies.line("100.50"))

    assert many_currencies.post("Invoice", body).code == "2090"
