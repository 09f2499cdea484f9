"""Money: precision, twins in the organization's money, and what the server sums."""

from decimal import Decimal

import pytest


def D(value):
    return None if value is None else Decimal(str(value))


@pytest.fixture
def dollars(crm):
    return crm.deed("add_currency", code="USD", rate="1.25")


def deal_in(crm, currency=None, **values):
    if currency:
        values["transactioncurrencyid@odata.bind"] = f"/transactioncurrencies({currency})"
    return crm.create("opportunities", name="Deal", isrevenuesystemcalculated=True, **values)


def line_of(crm, deal, **values):
    bound = {"opportunityid@odata.bind": f"/opportunities({deal})", "isproductoverridden": True}
    return crm.create("opportunityproducts", **bound, **values)


def sums(crm, deal):
    names = (
        "totallineitemamount",
        "totaldiscountamount",
        "totalamountlessfreight",
        "totaltax",
        "totalamount",
        "estimatedvalue",
    )
    row = crm.read("opportunities", deal, *names)
    return [D(row[name]) for name in names]


def test_d10_the_twin_is_the_amount_over_the_rate_and_cannot_be_written(crm, dollars):
    account = crm.create(
        "accounts",
        **{
            "name": "Acme",
            "creditlimit": 1000,
            "creditlimit_base": 5,
            "transactioncurrencyid@odata.bind": f"/transactioncurrencies({dollars})",
        },
    )
    row = crm.read("accounts", account, "creditlimit", "creditlimit_base", "exchangerate")
    assert [D(row[one]) for one in ("creditlimit", "creditlimit_base", "exchangerate")] == [
        1000,
        800,
        Decimal("1.25"),
    ]


def test_d10_money_without_a_currency_is_the_organizations(crm):
    euro = crm.org.currency("EUR").id
    deal = crm.create("opportunities", name="Deal", budgetamount=5)
    row = crm.read("opportunities", deal, "_transactioncurrencyid_value", "budgetamount_base")
    assert (row["_transactioncurrencyid_value"], D(row["budgetamount_base"])) == (euro, 5)
    bare = crm.create("opportunities", name="Bare")
    assert crm.read("opportunities", bare)["_transactioncurrencyid_value"] is None


def test_d10_a_record_keeps_its_rate_until_it_is_written_again(crm, dollars):
    deal = deal_in(crm, dollars, freightamount=10)
    crm.deed("change_rate", code="USD", rate="2")
    row = crm.read("opportunities", deal, "freightamount_base", "exchangerate")
    assert (D(row["freightamount_base"]), D(row["exchangerate"])) == (8, Decimal("1.25"))
    crm.patch(f"opportunities({deal})", {"description": "touched"})
    row = crm.read("opportunities", deal, "freightamount_base", "exchangerate")
    assert (D(row["freightamount_base"]), D(row["exchangerate"])) == (5, 2)


def test_d10_money_is_rounded_to_its_currency_and_prices_to_the_organizations_digits(crm):
    yen = crm.deed("add_currency", code="JPY", rate="160")
    deal = deal_in(crm, yen, freightamount=10.6)
    line_of(crm, deal, quantity=3, priceperunit=0.12345, manualdiscountamount=0.4)
    row = crm.read("opportunities", deal, "freightamount")
    assert D(row["freightamount"]) == 11
    (line,) = crm.rows("opportunityproducts?$select=priceperunit,baseamount,manualdiscountamount")
    assert D(line["priceperunit"]) == Decimal("0.1235")
    assert (D(line["baseamount"]), D(line["manualdiscountamount"])) == (0, 0)


def test_d10_money_is_shown_with_four_decimals(crm):
    deal = deal_in(crm, freightamount=7)
    crm.get(f"opportunities({deal})?$select=freightamount")
    assert '"freightamount":7.0000' in crm.text


def test_d10_a_line_is_price_times_quantity_less_discount_plus_tax(crm):
    deal = deal_in(crm)
    line = line_of(crm, deal, quantity=3, priceperunit=100, manualdiscountamount=30, tax=54)
    row = crm.read("opportunityproducts", line, "baseamount", "extendedamount", "pricingerrorcode")
    assert (D(row["baseamount"]), D(row["extendedamount"])) == (300, 324)
    assert row["pricingerrorcode"] == 0


def test_d10_an_opportunity_sums_details_discounts_freight_and_tax(crm):
    deal = deal_in(crm, discountpercentage=10, discountamount=5, freightamount=12)
    line_of(crm, deal, quantity=1, priceperunit=100, tax=19)
    line_of(crm, deal, quantity=2, priceperunit=50, manualdiscountamount=20)
    assert sums(crm, deal) == [180, 23, 157, 19, 188, 188]


def test_d10_an_amount_of_a_persons_own_stays_beside_the_sum(crm):
    deal = crm.create("opportunities", name="Deal", estimatedvalue=990)
    line_of(crm, deal, quantity=1, priceperunit=100)
    assert sums(crm, deal)[-2:] == [100, 990]


def test_d10_a_line_without_a_price_or_quantity_has_an_error_code_and_no_amount(crm):
    deal = deal_in(crm)
    line = line_of(crm, deal, quantity=1)
    row = crm.read("opportunityproducts", line, "baseamount", "pricingerrorcode")
    assert (row["baseamount"], row["pricingerrorcode"]) == (None, 5)
    assert crm.read("opportunities", deal, "pricingerrorcode")["pricingerrorcode"] == 1


def test_d10_the_opportunity_moves_only_when_a_sum_does(crm, org):
    deal = deal_in(crm)
    line = line_of(crm, deal, quantity=1, priceperunit=100)
    before = org.record("opportunity", deal).version
    crm.patch(f"opportunityproducts({line})", {"description": "as agreed"})
    assert org.record("opportunity", deal).version == before
    crm.patch(f"opportunityproducts({line})", {"quantity": 2})
    assert org.record("opportunity", deal).version > before
    crm.ask("DELETE", f"opportunityproducts({line})")
    assert sums(crm, deal) == [0, 0, 0, 0, 0, 0]


def test_d10_a_line_has_its_opportunitys_currency(crm, dollars):
    deal = deal_in(crm, dollars)
    line = line_of(crm, deal, quantity=1, priceperunit=100)
    row = crm.read("opportunityproducts", line, "_transactioncurrencyid_value", "baseamount_base")
    assert (row["_transactioncurrencyid_value"], D(row["baseamount_base"])) == (dollars, 80)


def test_d10_the_organization_tells_its_base_currency(crm):
    (row,) = crm.rows("organizations?$select=name&$expand=basecurrencyid($select=isocurrencycode)")
    assert row["basecurrencyid"]["isocurrencycode"] == "EUR"


def test_d10_an_invoice_of_the_crm_sums_its_details(crm):
    account = crm.create("accounts", name="Acme")
    deal = deal_in(crm, **{"customerid_account@odata.bind": f"/accounts({account})"})
    line_of(crm, deal, quantity=2, priceperunit=50, tax=10)
    invoice = crm.deed("add_invoice", opportunity=deal, number="INV-1")
    row = crm.read("invoices", invoice)
    assert (row["invoicenumber"], D(row["totalamount"])) == ("INV-1", 110)
    assert row["_opportunityid_value"] == deal
    assert (row["_customerid_value"], row["_accountid_value"]) == (account, account)
    details = crm.rows(f"invoices({invoice})/invoice_details?$select=extendedamount")
    assert [D(one["extendedamount"]) for one in details] == [110]
