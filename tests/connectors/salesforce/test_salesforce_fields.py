"""Fields that are hidden, gone, renamed or of no such name: an error at its place, and no guess."""

from decimal import Decimal

import pytest

from tieout.model.errors import Unsupported
from tieout.model.lookup import Found, Lookup, NotKnown
from tieout.model.record import Record, Unreadable
from tieout.simulator.salesforce import deeds

READS = {
    "deal": frozenset({"name", "is_won", "amount", "currency", "po_number__c"}),
    "company": frozenset({"name"}),
}


@pytest.fixture
def reading(opened, org):
    org.add_field("Opportunity", "PO_Number__c")
    return opened(reads=READS)


def one(session, org, deal):
    (answer,) = session.fetch([org.ref("deal", deal)])
    return answer


def test_a_custom_field_is_read_by_its_name_in_small_letters(reading, org):
    answer = one(reading, org, org.deal(PO_Number__c="PO-7"))
    assert isinstance(answer, Record)
    assert answer.fields["po_number__c"] == "PO-7"


def test_a_field_that_is_removed_between_two_rounds_holds_its_records_and_says_so(
    reading, org, read_all
):
    """Nothing is read as empty that is only not shown; accounts go on."""
    deal = org.deal(PO_Number__c="PO-7")
    _, cursor = read_all(reading, "deal")
    _, companies = read_all(reading, "company")
    deeds.remove_field(org, "Opportunity", "PO_Number__c")
    deeds.edit_deal(org, deal, {"Name": "Edited"})
    org.account()
    (event,), cursor = read_all(reading, "deal", cursor)
    assert event.record is None, "whoever reads it by its address is told why"
    answer = one(reading, org, deal)
    assert isinstance(answer, Unreadable)
    assert isinstance(answer.error, Unsupported)
    assert "Opportunity shows no field po_number__c" in str(answer.error)
    assert len(read_all(reading, "company", companies)[0]) == 1


def test_a_field_that_came_back_is_read_again_by_itself(reading, org, read_all):
    deal = org.deal()
    _, cursor = read_all(reading, "deal")
    deeds.hide_field(org, "Opportunity", "PO_Number__c")
    assert isinstance(one(reading, org, deal), Unreadable)
    deeds.show_field(org, "Opportunity", "PO_Number__c")
    read_all(reading, "deal", cursor)
    assert isinstance(one(reading, org, deal), Record)


@pytest.mark.parametrize("field", ["Amount", "PO_Number__c"])
def test_a_field_that_the_user_may_not_see_is_named_and_never_empty(reading, org, field):
    deal = org.deal(PO_Number__c="PO-7")
    deeds.hide_field(org, "Opportunity", field)
    answer = one(reading, org, deal)
    assert isinstance(answer, Unreadable)
    assert field.lower() in str(answer.error).lower()
    assert "right to see it" in answer.error.next


@pytest.mark.parametrize(
    "name", ["select", "group", "order by id", "x') or (name != '", "a.b.c.d.e.f"]
)
def test_a_name_that_is_none_of_salesforces_is_never_asked_for(opened, org, name):
    """Not even a reserved word of its language, or more than a word."""
    deal = org.deal()
    session = opened(reads={"deal": frozenset({"name", name})})
    answer = one(session, org, deal)
    assert isinstance(answer, Unreadable)
    assert name in str(answer.error)
    assert session.calls["describe"] == 1


def test_fields_that_nobody_demands_are_left_out_where_they_are_hidden(opened, org):
    deal = org.deal()
    deeds.hide_field(org, "Opportunity", "Description")
    answer = one(opened(), org, deal)
    assert isinstance(answer, Record)
    assert "description" not in answer.fields


def test_an_account_that_lacks_a_field_is_held_and_its_deal_is_not(opened, org):
    account = org.account(Phone="1")
    deal = org.deal(AccountId=account)
    deeds.hide_field(org, "Account", "Phone")
    session = opened(reads={"deal": frozenset({"name"}), "company": frozenset({"phone"})})
    assert isinstance(one(session, org, deal), Record)
    (related,) = session.related([org.ref("deal", deal)], "company")
    assert (related.refs, related.records) == ((org.ref("company", account),), {})
    (answer,) = session.fetch(related.refs)
    assert isinstance(answer, Unreadable)


def test_before_it_is_provisioned_our_own_fields_hold_nothing(opened, org):
    for name in list(org.kinds["Opportunity"].fields):
        if name.startswith("Tieout_"):
            deeds.remove_field(org, "Opportunity", name)
    deal = org.deal()
    session = opened(reads={"deal": frozenset({"name", "mark", "invoice_number"})})
    answer = one(session, org, deal)
    assert isinstance(answer, Record)
    named = {"company_id", "owner_id", "price_book_id"}
    assert {name: told for name, told in answer.fields.items() if name not in named} == {
        "id": deal,
        "name": "Rollout",
    }


def test_whom_a_deal_names_is_part_of_what_it_says(salesforce, org):
    first, second = org.account(), org.account()
    deal = org.deal(AccountId=first)
    assert one(salesforce, org, deal).fields["company_id"] == first
    deeds.edit_deal(org, deal, {"AccountId": second})
    assert one(salesforce, org, deal).fields["company_id"] == second


def test_a_renamed_value_of_a_picklist_is_read_as_it_is_called_now(salesforce, org):
    deal = org.deal(Type="New Customer")
    deeds.rename_value(org, "Opportunity", "Type", "New Customer", "Brand New")
    assert one(salesforce, org, deal).fields["deal_type"] == "Brand New"
    assert "Brand New" in salesforce.describe("deal")["deal_type"].choices


def test_an_org_of_one_currency_has_it_for_every_deal(new_org, opened, front):
    org = new_org(multi_currency=False, company_currency="NOK")
    deal = org.deal()
    session = opened(company_id=org.org_id, token=org.open_session())
    (answer,) = session.fetch([org.ref("deal", deal)])
    assert answer.fields["currency"] == "NOK"


def test_the_options_may_name_the_one_currency(new_org, opened):
    org = new_org(multi_currency=False, company_currency="NOK")
    options = {"currency": "SEK"}
    session = opened(company_id=org.org_id, token=org.open_session(), options=options)
    (answer,) = session.fetch([org.ref("deal", org.deal())])
    assert answer.fields["currency"] == "SEK"
    assert "GET connect/organization" not in session.calls


def test_a_total_is_net_of_its_discount_already(salesforce, org):
    """R35: what a mapping gets is the price, the percent and the total, each as it stands."""
    deal = org.deal()
    org.line(deal, UnitPrice="500", Quantity="2", Discount="20")
    (answer,) = salesforce.related([org.ref("deal", deal)], "line_items")
    (line,) = answer.records.values()
    shown = {name: line.fields[name] for name in ("unit_price", "discount_percent", "total")}
    assert shown == {
        "unit_price": Decimal(500),
        "discount_percent": Decimal(20),
        "total": Decimal(800),
    }


def test_large_amounts_are_exact(salesforce, org):
    """A large double is written with an exponent."""
    deal = org.deal(Amount="123456789012.35")
    assert one(salesforce, org, deal).fields["amount"] == Decimal("123456789012.35")


@pytest.mark.parametrize("value", ["O'Brien", "a\\b", "' OR Name != '", "“ü” 株", "x\ny", "100%"])
def test_whatever_stands_in_a_value_finds_that_value_and_no_other(salesforce, org, value):
    org.add_field("Contact", "Ext__c", unique=True, external_id=True)
    contact = org.contact(Ext__c=value)
    org.contact(Ext__c="other")
    answers = salesforce.find("contact", [Lookup("contact", "ext__c", value)])
    assert [answer.ref.id for answer in answers if isinstance(answer, Found)] == [contact]


def test_a_field_that_nobody_made_finds_nothing_and_says_so(salesforce):
    (answer,) = salesforce.find("deal", [Lookup("deal", "no_such__c", "1")])
    assert isinstance(answer, NotKnown)
    assert "no_such__c" in str(answer.error)


def test_record_types_are_told_by_describe_and_read_by_their_own_names(salesforce, org):
    made = deeds.DEEDS["add_record_type"](org, "Opportunity", "Renewal")
    deal = org.deal(RecordTypeId=made)
    assert one(salesforce, org, deal).fields["record_type"] == "Renewal"
    assert salesforce.describe("deal")["record_type"].choices == ("Renewal", "Master")
