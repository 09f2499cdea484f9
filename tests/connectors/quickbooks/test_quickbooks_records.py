"""What bodies show, in our names and types, and what the company's settings say."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from connectors.quickbooks.records import Reader
from connectors.quickbooks.settings import CustomField, TaxCode, settings_of
from tieout.model.errors import Unavailable
from tieout.model.ref import Ref

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
META = {
    "CreateTime": "2026-03-30T23:30:00-08:00",
    "LastUpdatedTime": "2026-03-31T04:00:00-08:00",
}


def settings(company=None, preferences=None, codes=(), rates=()):
    return settings_of(company or {"Country": "DE"}, preferences or {}, codes, rates, NOW)


def reader(**said):
    return Reader("quickbooks:913", "https://app.example/", settings(**said))


def body(**more):
    return {"Id": "145", "SyncToken": "3", "MetaData": META, **more}


def sale(**more):
    return body(
        CustomerRef={"value": "58", "name": "Bär"},
        CurrencyRef={"value": "EUR"},
        TxnDate="2026-03-31",
        TotalAmt=Decimal("119.00"),
        TxnTaxDetail={"TotalTax": 19},
        **more,
    )


def test_instants_are_utc_and_a_day_stays_its_day():
    record = reader().record("invoice", sale(Balance=0))
    assert record.created_at == datetime(2026, 3, 31, 7, 30, tzinfo=UTC)
    assert record.updated_at == datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert record.fields["date"] == date(2026, 3, 31)


def test_lines_make_up_the_net_discounts_and_bundles_too():
    sold = {"ItemRef": {"value": "7"}, "Qty": 2, "UnitPrice": 30}
    lines = [
        {"Amount": 60, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": sold},
        {
            "Amount": 50,
            "DetailType": "GroupLineDetail",
            "GroupLineDetail": {
                "Line": [
                    {
                        "Amount": 50,
                        "DetailType": "SalesItemLineDetail",
                        "SalesItemLineDetail": {"ItemRef": {"value": "8"}},
                    }
                ]
            },
        },
        {"Description": "only words", "DetailType": "DescriptionOnly"},
        {"Amount": 110, "DetailType": "SubTotalLineDetail", "SubTotalLineDetail": {}},
        {"Amount": 10, "DetailType": "DiscountLineDetail", "DiscountLineDetail": {}},
    ]
    fields = reader().record("invoice", sale(Line=lines, Balance=100)).fields
    assert [line["amount"] for line in fields["lines"]] == [60, 50, -10]
    assert sum(line["amount"] for line in fields["lines"]) == fields["net"]
    assert fields["lines"][1]["quantity"] is None


def test_a_credit_memo_shows_what_is_left_of_it():
    fields = reader().record("credit_memo", sale(Balance=0, RemainingCredit=40)).fields
    assert (fields["net"], fields["tax"], fields["total"]) == (100, 19, 119)
    assert fields["balance"] == 40


def test_a_refund_shows_its_total():
    assert reader().record("refund", sale(DocNumber="R-1")).fields["total"] == 119


@pytest.mark.parametrize(
    ("note", "total", "memo", "marker", "voided"),
    [
        (None, 5, None, None, False),
        ("by hand", 5, "by hand", None, False),
        (
            "HubSpot deal 1 [TIEOUT:0123456789ABCDEF-2]",
            5,
            "HubSpot deal 1",
            "0123456789ABCDEF-2",
            False,
        ),
        ("[TIEOUT:0123456789ABCDEF-2]", 5, "", "0123456789ABCDEF-2", False),
        (
            "Voided - x [TIEOUT:0123456789ABCDEF-2]",
            0,
            "Voided - x",
            "0123456789ABCDEF-2",
            True,
        ),
        ("Voided", 0, "Voided", None, True),
        ("Voided cheque replaced", 5, "Voided cheque replaced", None, False),
    ],
)
def test_the_private_note_tells_memo_marker_and_void(note, total, memo, marker, voided):
    said = body(CustomerRef={"value": "1"}, TxnDate="2026-03-31", TotalAmt=total, PrivateNote=note)
    fields = reader().record("payment", said).fields
    assert (fields["memo"], fields["marker"], fields["voided"]) == (memo, marker, voided)


def test_a_payment_tells_what_it_was_taken_for():
    line = {"Amount": Decimal("12.5"), "LinkedTxn": [{"TxnId": "9", "TxnType": "CreditMemo"}]}
    said = sale(UnappliedAmt=Decimal("1.5"), PaymentRefNum="SEPA", Line=[line])
    fields = reader().record("payment", said).fields
    assert fields["allocations"] == [{"kind": "credit_memo", "id": "9", "amount": Decimal("12.5")}]
    assert (fields["unapplied"], fields["reference"]) == (Decimal("1.5"), "SEPA")


def test_a_transaction_without_a_currency_is_in_the_home_currency():
    said = body(CustomerRef={"value": "1"}, TxnDate="2026-03-31", TotalAmt=1)
    home = {"CurrencyPrefs": {"HomeCurrency": {"value": "GBP"}}}
    assert reader(preferences=home).record("payment", said).fields["currency"] == "GBP"


def test_lists_are_read_with_their_types():
    read = reader().record
    assert read("term", body(Name="Net 30", DueDays=30)).fields == {
        "name": "Net 30",
        "active": True,
        "due_days": 30,
    }
    account = body(Name="Bank", AccountType="Other Current Asset", Active=False)
    assert read("account", account).fields == {
        "name": "Bank",
        "active": False,
        "type": "other_current_asset",
        "currency": "USD",
    }
    assert read("vendor", body(DisplayName="Acme")).fields == {"name": "Acme", "active": True}
    assert read("item", body(Name="A", Type="NonInventory")).fields["type"] == "non_inventory"


@pytest.mark.parametrize(
    "broken", [{}, {"Id": "1"}, {"Id": "1", "SyncToken": "0", "TxnDate": "soon"}]
)
def test_a_body_that_is_none_is_unreadable_and_not_guessed(broken):
    with pytest.raises(Unavailable, match="cannot be read"):
        reader().record("invoice", broken)


def test_settings_are_read_from_their_places():
    names = [
        {"CustomField": [{"Name": "SalesFormsPrefs.UseSalesCustom1", "BooleanValue": True}]},
        {
            "CustomField": [
                {"Name": "SalesFormsPrefs.SalesCustomName1", "StringValue": "PO Number"},
                {"Name": "SalesFormsPrefs.SalesCustomName3", "StringValue": "Rep"},
            ]
        },
    ]
    preferences = {
        "SyncToken": "4",
        "AccountingInfoPrefs": {"BookCloseDate": "2026-02-28"},
        "SalesFormsPrefs": {
            "CustomTxnNumbers": True,
            "AutoApplyCredit": True,
            "AutoApplyPayments": False,
            "CustomField": names,
        },
        "TaxPrefs": {"PartnerTaxEnabled": True},
        "CurrencyPrefs": {"MultiCurrencyEnabled": True, "HomeCurrency": {"value": "CAD"}},
    }
    found = settings({"CompanyName": "Maple", "Country": "CA"}, preferences)
    assert found.custom_fields == (
        CustomField("1", "PO Number", active=True),
        CustomField("3", "Rep", active=True),
    )
    (record,) = Reader("quickbooks:913", "", found).setting_records(frozenset({"preferences"}))
    assert record.ref == Ref("quickbooks:913", "preferences", "1")
    assert record.fields == {
        "home_currency": "CAD",
        "country": "CA",
        "multi_currency": True,
        "currencies": None,
        "custom_numbers": True,
        "closed_through": date(2026, 2, 28),
        "tax_codes_required": True,
        "automated_tax": True,
        "auto_apply_credit": True,
        "auto_apply_payments": False,
    }


@pytest.mark.parametrize(
    ("country", "uses_tax", "needed"),
    [("DE", True, True), ("GB", False, False), ("US", True, False)],
)
def test_lines_need_tax_codes_outside_the_united_states_where_tax_is_used(
    country, uses_tax, needed
):
    found = settings({"Country": country}, {"TaxPrefs": {"UsingSalesTax": uses_tax}})
    assert found.needs_tax_codes is needed


def rate_list(*ids):
    return {"TaxRateDetail": [{"TaxRateRef": {"value": one}} for one in ids]}


def test_a_tax_codes_rate_is_the_sum_of_its_rates():
    rates = [{"Id": "1", "RateValue": 5}, {"Id": "2", "RateValue": Decimal("9.975")}]
    codes = [
        {"Id": "7", "Name": "GST/QST", "SalesTaxRateList": rate_list("1", "2")},
        {"Id": "8", "Name": "Lost", "SalesTaxRateList": rate_list("1", "99")},
        {"Id": "9", "Name": "Exempt", "Taxable": False},
    ]
    found = settings(codes=codes, rates=rates).tax_codes
    assert {one: code.rate for one, code in found.items()} == {
        "7": Decimal("14.975"),
        "8": None,
        "9": 0,
    }


def test_the_united_states_have_two_codes_for_lines():
    found = settings({"Country": "US"}).tax_codes
    assert found == {
        "TAX": TaxCode("TAX", "TAX", active=True, taxable=True, rate=None, version="0"),
        "NON": TaxCode("NON", "NON", active=True, taxable=False, rate=None, version="0"),
    }
