"""Opportunities and their lines: what they compute, and which times of change move."""

from decimal import Decimal

import pytest

LINE = "OpportunityLineItem"


def prices(crm, line):
    told = crm.read(LINE, line, "Quantity", "UnitPrice", "Discount", "Subtotal", "TotalPrice")
    return tuple(told[name] for name in ("UnitPrice", "Subtotal", "TotalPrice"))


@pytest.fixture
def deal(crm):
    return crm.deal()


def test_r35_a_lines_total_is_net_of_its_discount(crm, deal):
    line = crm.line(deal, Quantity=3, UnitPrice=10, Discount=Decimal("12.5"))
    assert prices(crm, line) == (10, 30, Decimal("26.25"))
    told = crm.read("Opportunity", deal, "Amount", "HasOpportunityLineItem")
    assert (told["Amount"], told["HasOpportunityLineItem"]) == (Decimal("26.25"), True)


def test_r35_a_discount_alone_computes_the_total_and_holds_the_price(crm, deal):
    line = crm.line(deal, Quantity=2, UnitPrice=10)
    assert crm.change(LINE, line, Discount=10).status == 204
    assert prices(crm, line) == (10, 20, 18)


def test_r35_a_discount_with_a_quantity_needs_a_price_too(crm, deal):
    line = crm.line(deal, Quantity=2, UnitPrice=10)
    answer = crm.change(LINE, line, Discount=10, Quantity=3)
    assert (answer.status, answer.code) == (400, "FIELD_INTEGRITY_EXCEPTION")
    assert crm.change(LINE, line, Discount=10, Quantity=3, UnitPrice=10).status == 204
    assert prices(crm, line) == (10, 30, 27)


def test_r35_a_total_that_is_sent_makes_the_price_and_both_are_refused(crm, deal):
    line = crm.line(deal, Quantity=4, TotalPrice=30)
    assert prices(crm, line) == (Decimal("7.5"), 30, 30)
    assert crm.change(LINE, line, UnitPrice=1, TotalPrice=4).code == "FIELD_INTEGRITY_EXCEPTION"


def test_r35_a_line_needs_an_entry_of_its_opportunitys_book_and_money(crm, deal):
    body = {"OpportunityId": deal, "Quantity": 1}
    assert crm.ask("POST", f"sobjects/{LINE}", body).code == "FIELD_INTEGRITY_EXCEPTION"
    dollars = {**body, "PricebookEntryId": crm.entry(currency="USD")}
    assert "currency code" in crm.ask("POST", f"sobjects/{LINE}", dollars).message
    product = crm.rows("SELECT Id FROM Product2 WHERE Name = 'Audit'")[0]["Id"]
    line = crm.create(LINE, **body, Product2Id=product)
    assert crm.read(LINE, line, "UnitPrice", "ProductCode")["ProductCode"] == "A-700"
    book = crm.create("Pricebook2", Name="Other", IsActive=True)
    entry = crm.create(
        "PricebookEntry", Pricebook2Id=book, Product2Id=product, UnitPrice=1, IsActive=True
    )
    other = {**body, "PricebookEntryId": entry}
    assert "different pricebook" in crm.ask("POST", f"sobjects/{LINE}", other).message


def test_r35_an_amount_that_is_sent_is_ignored_where_there_are_lines(crm, deal):
    crm.line(deal, UnitPrice=10)
    assert crm.change("Opportunity", deal, Amount=99).status == 204
    assert crm.read("Opportunity", deal, "Amount")["Amount"] == 10
    usd = crm.change("Opportunity", deal, CurrencyIsoCode="USD")
    assert usd.code == "FIELD_INTEGRITY_EXCEPTION"


def test_r36_a_change_of_a_line_moves_its_opportunity_only_with_its_amount(crm, deal, clock):
    line = crm.line(deal, UnitPrice=10)
    before = crm.read("Opportunity", deal, "SystemModstamp")["SystemModstamp"]
    clock.advance(minutes=1)
    crm.deed("edit_line", line=line, fields={"Description": "agreed", "SortOrder": 7})
    assert crm.read("Opportunity", deal, "SystemModstamp")["SystemModstamp"] == before
    assert crm.read(LINE, line, "SystemModstamp")["SystemModstamp"] > before
    crm.deed("edit_line", line=line, fields={"UnitPrice": 11})
    told = crm.read("Opportunity", deal, "SystemModstamp", "Amount")
    assert told["Amount"] == 11
    assert told["SystemModstamp"] > before


def test_r36_times_of_change_have_whole_seconds_of_the_servers_clock(crm, deal, clock):
    clock.advance(seconds=0.7)
    crm.change("Opportunity", deal, NextStep="a")
    told = crm.read("Opportunity", deal, "SystemModstamp", "LastModifiedDate")
    times = [told[name] for name in ("SystemModstamp", "LastModifiedDate")]
    assert times == ["2026-04-01T12:00:00.000+0000"] * 2


def test_r36_a_slow_transaction_comes_to_light_under_an_earlier_time(crm, deal, clock):
    clock.advance(minutes=5)
    crm.deal(Name="Quick")
    crm.deed("edit_slowly", kind="Opportunity", id=deal, fields={"NextStep": "a"}, seconds=60)
    rows = crm.rows("SELECT Name, NextStep FROM Opportunity ORDER BY SystemModstamp DESC")
    assert [(one["Name"], one["NextStep"]) for one in rows] == [("Quick", None), ("Deal", "a")]
    stamp = crm.read("Opportunity", deal, "SystemModstamp")["SystemModstamp"]
    assert stamp == "2026-04-01T12:04:00.000+0000"


def test_r36_an_accounts_change_moves_no_opportunity(crm, clock):
    account = crm.create("Account", Name="Acme")
    deal = crm.deal(AccountId=account)
    clock.advance(minutes=1)
    crm.deed("edit_account", account=account, fields={"Name": "Acme AS"})
    stamp = crm.read("Opportunity", deal, "SystemModstamp")["SystemModstamp"]
    assert stamp == "2026-04-01T12:00:00.000+0000"


def test_r36_what_is_removed_is_seen_by_query_all_alone(crm, deal):
    line, other = crm.line(deal, UnitPrice=10), crm.line(deal, UnitPrice=5)
    crm.deed("remove_line", line=line)
    assert crm.read("Opportunity", deal, "Amount")["Amount"] == 5
    gone = crm.rows(f"SELECT Id FROM {LINE} WHERE IsDeleted = true", "queryAll")
    assert [one["Id"] for one in gone] == [line]
    crm.deed("remove_line", line=other)
    told = crm.read("Opportunity", deal, "Amount", "HasOpportunityLineItem")
    assert (told["Amount"], told["HasOpportunityLineItem"]) == (0, False)
    crm.deed("undelete", kind=LINE, id=line)
    told = crm.read("Opportunity", deal, "Amount", "HasOpportunityLineItem")
    assert (told["Amount"], told["HasOpportunityLineItem"]) == (10, True)


def test_r36_the_stage_says_whether_a_deal_is_won(crm, deal):
    def state():
        told = crm.read("Opportunity", deal, "IsWon", "IsClosed", "Probability")
        return told["IsWon"], told["IsClosed"], told["Probability"]

    assert state() == (False, False, 10)
    for deed, expected in (
        ("win", (True, True, 100)),
        ("lose", (False, True, 0)),
        ("reopen", (False, False, 10)),
    ):
        crm.deed(deed, deal=deal)
        assert state() == expected


def test_s15_an_org_with_several_currencies_has_rates_and_names_each_records_money(crm, clock):
    codes = {
        one["IsoCode"]: one
        for one in crm.rows(
            "SELECT IsoCode, ConversionRate, DecimalPlaces, IsCorporate FROM CurrencyType"
        )
    }
    assert (codes["EUR"]["IsCorporate"], codes["JPY"]["DecimalPlaces"]) == (True, 0)
    first = crm.create(
        "DatedConversionRate", IsoCode="USD", StartDate="2026-01-01", ConversionRate=Decimal("1.1")
    )
    crm.create(
        "DatedConversionRate", IsoCode="USD", StartDate="2026-02-01", ConversionRate=Decimal("1.2")
    )
    told = crm.read("DatedConversionRate", first, "NextStartDate", "ConversionRate")
    assert (told["NextStartDate"], told["ConversionRate"]) == ("2026-02-01", Decimal("1.1"))
    assert crm.ask("GET", "connect/organization").json["features"] == {"multiCurrency": True}


def test_s15_an_org_with_one_currency_knows_no_other(open_org):
    crm = open_org(multi_currency=False, company_currency="USD")
    assert crm.query("SELECT CurrencyIsoCode FROM Opportunity").code == "INVALID_FIELD"
    assert crm.query("SELECT Id FROM CurrencyType").code == "INVALID_TYPE"
    assert crm.change("Opportunity", crm.deal(), CurrencyIsoCode="USD").code == "INVALID_FIELD"
    features = crm.ask("GET", "connect/organization").json["features"]
    assert features == {"multiCurrency": False, "defaultCurrencyIsoCode": "USD"}


def test_s18_a_clone_has_the_lines_and_no_external_id(crm, deal):
    crm.deed("create_field", kind="Opportunity", name="Mark__c", unique=True, external_id=True)
    crm.deed("show_field", kind="Opportunity", field="Mark__c")
    crm.line(deal, Quantity=2, UnitPrice=10, Discount=10)
    crm.change("Opportunity", deal, Mark__c="portal:1", PO_Number__c="7")
    copy = crm.deed("clone", deal=deal)
    told = crm.read("Opportunity", copy, "Mark__c", "PO_Number__c", "Amount", "Name")
    assert (told["Mark__c"], told["PO_Number__c"], told["Amount"]) == (None, "7", 18)


def test_s18_a_picklist_value_is_renamed_in_the_list_and_in_the_records(crm, deal, clock):
    crm.deed("win", deal=deal)
    clock.advance(minutes=1)
    crm.deed(
        "rename_value",
        kind="Opportunity",
        field="StageName",
        old="Closed Won",
        new="Order received",
    )
    told = crm.read("Opportunity", deal, "StageName", "IsWon", "SystemModstamp", "LastModifiedDate")
    assert (told["StageName"], told["IsWon"]) == ("Order received", True)
    assert told["SystemModstamp"] == "2026-04-01T12:01:00.000+0000"
    assert told["LastModifiedDate"] == "2026-04-01T12:00:00.000+0000"
    crm.deed("edit_deal", deal=deal, fields={"NextStep": "a"})
    assert crm.read("Opportunity", deal, "IsWon")["IsWon"] is True


def test_s18_a_custom_field_that_is_removed_is_gone_with_its_values(crm, deal):
    crm.change("Opportunity", deal, PO_Number__c="7")
    crm.deed("remove_field", kind="Opportunity", field="PO_Number__c")
    assert crm.query("SELECT PO_Number__c FROM Opportunity").code == "INVALID_FIELD"
    crm.deed("create_field", kind="Opportunity", name="PO_Number__c")
    crm.deed("show_field", kind="Opportunity", field="PO_Number__c")
    assert crm.read("Opportunity", deal, "PO_Number__c")["PO_Number__c"] is None


def test_s18_people_record_payments(crm, deal):
    paid = crm.deed("add_payment", deal=deal, fields={"Amount__c": 7})
    row = crm.rows(
        "SELECT Id, Amount__c, Opportunity__r.Name, Status__c, Paid_On__c FROM Payment__c"
    )[0]
    assert (row["Id"], row["Amount__c"], row["Opportunity__r"]["Name"]) == (paid, 7, "Deal")
    assert (row["Status__c"], row["Paid_On__c"]) == ("Received", "2026-04-01")
