"""Reading: what is asked for, how it is understood, what is found, and what belongs together."""

import json
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from connectors.dynamics365.facts import facts
from tieout.model.errors import ConfigError, NotFound, Unauthorized, Unavailable, Unsupported
from tieout.model.lookup import MARKER, Absent, Ambiguous, Found, Lookup, NotKnown
from tieout.model.record import Gone, Unreadable
from tieout.model.ref import Ref
from tieout.simulator.dynamics365 import Grant, deeds
from tieout.simulator.dynamics365.schema import Column, Target

CONTRACT = Path(__file__).parents[4] / "shared" / "contracts" / "dataverse" / "columns.json"
NEWER = {  # columns that the published model lacks, by table; the pages beside them have them
    # learn.microsoft.com/dynamics365/developer/reference/entities/TABLE
    "opportunity": {"ownerid", "createdon"},
    "account": {"ownerid"},
    "contact": {"ownerid", "parentcustomerid"},
    "invoice": {"createdon"},
}
ADDRESS = "address1_"  # of the model's inline address


def one(session, kind, record_id):
    [answer] = session.fetch([Ref(session.company, kind, record_id)])
    return answer


# -- what is asked for --------------------------------------------------------------------------


def test_each_column_that_is_read_is_published():
    """Names are held against the vendor's model where it stands beside the repository."""
    if not CONTRACT.exists():
        return
    tables = json.loads(CONTRACT.read_text())["tables"]
    unknown = {}
    for kind in facts().kinds.values():
        if kind.table not in tables:
            continue
        told = tables[kind.table]
        known = {row.get("column", name) for name, row in told.items()} | set(told)
        known |= NEWER.get(kind.table, set())
        wanted = {logical(field.column) for field in kind.fields.values()}
        ours = {name for name in wanted if name.startswith(("tieout_", ADDRESS))}
        left = wanted - known - ours
        if left:
            unknown[kind.table] = left
    assert unknown == {}


def logical(column):
    plain = column.partition("@")[0]
    return plain[1:].removesuffix("_value") if plain.startswith("_") else plain


def test_only_what_mappings_use_and_what_we_need_is_asked_for(org, opened):
    deal = org.deal(description="Two floors")
    record = one(opened(reads={"deal": frozenset({"name"})}), "deal", deal)
    assert "description" not in record.fields
    assert {"name", "is_won", "close_date", "company_id"} <= set(record.fields)


def test_a_thousand_records_are_read_in_one_call(org, dynamics):
    companies = [org.company() for _ in range(1_000)]
    answers = list(dynamics.fetch([Ref(dynamics.company, "company", one) for one in companies]))
    assert len(answers) == 1_000
    assert sum(n for name, n in dynamics.calls.items() if "account" in name or "batch" in name) == 1


# -- how it is understood -----------------------------------------------------------------------


def test_an_amount_in_the_organizations_currency_has_a_name_of_its_own(org, dynamics):
    deeds.add_currency(org, "USD", "1.25")
    dollar = Target("transactioncurrency", org.currency("USD").id)
    line = {"priceperunit": Decimal("100.00"), "transactioncurrencyid": dollar}
    record = one(dynamics, "deal", org.deal(transactioncurrencyid=dollar, lines=[line]))
    assert (record.fields["currency"], record.fields["amount"]) == ("USD", Decimal(100))
    assert record.fields["amount_base"] == Decimal(80)
    assert record.fields["exchange_rate"] == Decimal("1.25")


def test_a_twin_is_readable_under_the_vendors_name_as_well(org, opened):
    session = opened(reads={"deal": frozenset({"totalamount_base"})})
    record = one(session, "deal", org.deal(lines=[{}]))
    assert record.fields["totalamount_base"] == Decimal(100)


def test_a_currency_that_the_organization_does_not_list_makes_its_deal_unreadable(org, dynamics):
    deal = org.deal()
    org.faults.transformers["none"] = lambda _asked, right, _dice: {**right, "value": []}
    org.faults.add(fault="none", path="/transactioncurrencies$", count=None)
    answer = one(dynamics, "deal", deal)
    assert isinstance(answer, Unreadable)
    assert "lists no currency" in str(answer.error)


def test_a_currency_that_was_added_meanwhile_is_asked_for(org, dynamics):
    one(dynamics, "deal", org.deal())
    deeds.add_currency(org, "NOK", "11.5")
    krone = Target("transactioncurrency", org.currency("NOK").id)
    assert one(dynamics, "deal", org.deal(transactioncurrencyid=krone)).fields["currency"] == "NOK"


def test_a_day_is_a_day_and_an_instant_one_in_the_business_time_zone(org, opened):
    deal = org.deal()
    org.faults.transformers["instant"] = lambda _asked, right, _dice: {
        **right,
        "value": [{**row, "actualclosedate": "2026-03-30T22:30:00Z"} for row in right["value"]],
    }
    assert one(opened(), "deal", deal).fields["close_date"] == date(2026, 3, 31)
    org.faults.add(fault="instant", path="/opportunities$", count=None)
    assert one(opened(), "deal", deal).fields["close_date"] == date(2026, 3, 31)
    answer = one(opened(time_zone=None), "deal", deal)
    assert isinstance(answer.error, ConfigError)


def test_a_merged_account_leads_to_where_it_lives_on(org, dynamics):
    first, second, third = (org.company(name=name) for name in "abc")
    deeds.merge(org, "account", second, third)
    deeds.merge(org, "account", first, second)
    assert one(dynamics, "company", third).into.ref.id == first


def test_what_a_proxy_does_not_find_is_not_gone(org, dynamics):
    """A 404 without a code of Dataverse's says nothing of the record."""
    org.faults.add(fault="html", status=404, path=r"/opportunities\(", count=None)
    answer = one(dynamics, "deal", "00000000-0000-4000-8000-000000000009")
    assert isinstance(answer, Unreadable)


def test_what_is_deleted_is_gone_in_the_systems_own_words(org, dynamics):
    deal = org.deal()
    org.take_away("opportunity", deal)
    answer = one(dynamics, "deal", deal)
    assert isinstance(answer, Gone)
    assert "Does Not Exist" in answer.evidence


def test_notes_with_a_file_are_the_deals_files(org, dynamics):
    deal = org.deal()
    deeds.add_note(org, "opportunity", deal, "order.pdf", "application/pdf", "JVBERi0=")
    [files] = dynamics.related([Ref(dynamics.company, "deal", deal)], "files")
    [record] = files.records.values()
    shown = {name: record.fields[name] for name in ("name", "is_file", "size_bytes")}
    assert shown == {"name": "order.pdf", "is_file": True, "size_bytes": 5}


def test_invoices_of_the_crm_have_their_lines(org, dynamics):
    buyer = org.company()
    deal = org.deal(lines=[{}, {}], customerid=Target("account", buyer))
    invoice = deeds.add_invoice(org, deal, "INV-7")
    record = one(dynamics, "crm_invoice", invoice)
    assert (record.fields["number"], record.fields["deal_id"]) == ("INV-7", deal)
    [lines] = dynamics.related([record.ref], "line_items")
    assert len(lines.refs) == 2
    [company] = dynamics.related([record.ref], "company")
    assert [ref.id for ref in company.refs] == [buyer]


# -- finding ------------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", ["MARK1", "a/b#c'd", "ä & ö", 'say "x"', "50%"])
def test_a_mark_is_found_by_its_alternate_key_whatever_is_in_it(org, dynamics, mark):
    deal = org.deal(tieout_mark=mark)
    [answer] = dynamics.find("deal", [Lookup("deal", MARKER, mark)])
    assert isinstance(answer, Found), answer
    assert answer.ref.id == deal


def test_a_mark_that_nobody_has_is_absent_by_the_systems_word(dynamics):
    [answer] = dynamics.find("deal", [Lookup("deal", MARKER, "nobody/has#it")])
    assert isinstance(answer, Absent)


def test_two_people_with_one_address_are_ambiguous(org, dynamics):
    people = {org.person(emailaddress1="ap@baer.example") for _ in range(2)}
    [answer] = dynamics.find("contact", [Lookup("contact", "email", "AP@baer.example")])
    assert isinstance(answer, Ambiguous)
    assert {ref.id for ref in answer.refs} == people


def test_a_list_that_shows_less_than_it_counts_finds_nothing(org, dynamics):
    org.person(emailaddress1="ap@baer.example")
    org.faults.add(fault="drop_item", path="/contacts$", count=None)
    [answer] = dynamics.find("contact", [Lookup("contact", "email", "ap@baer.example")])
    assert isinstance(answer, NotKnown)


# -- what belongs together ----------------------------------------------------------------------


def test_the_lines_of_a_thousand_deals_are_read_in_one_call(org, dynamics):
    deals = [org.deal(lines=[{}]) for _ in range(1_000)]
    answers = list(
        dynamics.related([Ref(dynamics.company, "deal", one) for one in deals], "line_items")
    )
    assert {len(answer.refs) for answer in answers} == {1}
    assert dynamics.calls["read $batch"] == 1


def test_the_lines_of_a_deleted_deal_are_not_none(org, dynamics):
    deal = org.deal(lines=[{}])
    org.take_away("opportunity", deal)
    [answer] = dynamics.related([Ref(dynamics.company, "deal", deal)], "line_items")
    assert isinstance(answer.error, NotFound)


def test_more_lines_than_a_page_holds_all_come(org, opened):
    deal = org.deal(lines=[{}] * 7)
    session = opened(options={"page_rows": 3})
    [answer] = session.related([Ref(session.company, "deal", deal)], "line_items")
    assert len(answer.refs) == 7
    assert session.calls["read opportunityproducts"] == 3


def test_a_list_that_counts_nothing_is_none(org, dynamics):
    deal = org.deal(lines=[{}])
    org.faults.transformers["uncounted"] = lambda _asked, right, _dice: {"value": right["value"]}
    org.faults.add(fault="uncounted", path="/opportunityproducts$", count=None)
    [answer] = dynamics.related([Ref(dynamics.company, "deal", deal)], "line_items")
    assert isinstance(answer.error, Unavailable)


# -- what exists there --------------------------------------------------------------------------


def test_a_table_is_described_with_options_keys_and_columns_of_its_own(org, dynamics):
    org.define("opportunity", Column("new_branchid", "Lookup", "Branch", targets=("account",)))
    org.define("opportunity", Column("new_floor", "Integer", "Floor"))
    told = dynamics.describe("deal")
    assert told["status"].choices == ("1", "2", "3", "4", "5")
    assert told["invoice_status"].choices[:2] == ("held", "waiting")
    assert (told["mark"].unique, told["mark"].vendor_name) == (True, "tieout_mark")
    assert (told["new_floor"].type, told["new_floor"].custom) == ("number", True)
    assert told["new_branchid"].type == "text"
    assert told["amount"].read_only


@pytest.mark.parametrize("kind", ["print", "publisher", "nothing"])
def test_a_kind_that_has_no_table_is_not_described_and_says_so(dynamics, kind):
    with pytest.raises(Unsupported, match=kind):
        dynamics.describe(kind)


def test_a_lookup_of_the_organizations_own_is_read_by_its_name(org, opened):
    org.define("opportunity", Column("new_branchid", "Lookup", "Branch", targets=("account",)))
    branch = org.company()
    deal = org.deal(new_branchid=Target("account", branch))
    session = opened(reads={"deal": frozenset({"new_branchid"})})
    assert one(session, "deal", deal).fields["new_branchid"] == branch


# -- opening ------------------------------------------------------------------------------------


def test_check_says_who_we_are_there(org, dynamics):
    identity = dynamics.check()
    assert (identity.company, identity.name, identity.currency) == (org.org_id, "Nordlys", "EUR")
    assert abs((identity.clock - datetime.now(UTC)).total_seconds()) < 5


def test_each_right_that_is_needed_is_tried_and_what_lacks_is_in_the_vendors_words(org, dynamics):
    tables = ("Opportunity", "OpportunityProduct", "Contact", "TransactionCurrency", "Entity")
    org.grants = {org.token: Grant(frozenset(f"prvRead{one}" for one in tables))}
    deeds.track(org, "contact", on=False)
    held = {right.name: right for right in dynamics.rights()}
    assert held["prvReadOpportunity"].held is True
    assert held["prvReadEntity"].held is True
    assert held["prvReadAccount"].held is False
    assert "prvReadAccount" in held["prvReadAccount"].said
    assert held["prvWriteOpportunity"].held is None
    assert held["Track changes of opportunity"].held is True
    assert held["Track changes of contact"].held is False
    columns = "read EntityDefinitions()/Attributes"  # whether people may change ours
    assert dynamics.calls == {"read $batch": 1, columns: 1}


def test_rights_are_those_that_the_mappings_use(org, opened):
    used = {"deal": frozenset({"name"}), "company": frozenset({"name"})}
    names = [right.name for right in opened(reads=used).rights()]
    assert "prvReadNote" not in names
    assert [name for name in names if name.startswith("Track")] == [
        "Track changes of opportunity",
        "Track changes of account",
    ]


def test_a_stranger_has_no_rights_to_list(org, opened):
    with pytest.raises(Unauthorized):
        opened(token="nobodys").rights()


def test_another_organizations_address_is_a_mistake(opened):
    with pytest.raises(ConfigError):
        opened(company_id="00000000-0000-4000-8000-000000000001").check()


def test_a_company_without_an_address_is_a_mistake(opened):
    with pytest.raises(ConfigError) as wrong:
        opened(url="").check()
    assert "Set url" in wrong.value.next


@pytest.mark.parametrize(
    "told",
    [
        {"options": {"colour": "red"}},
        {"options": {"page_rows": 5_001}},
        {"options": {"page_rows": 0}},
        {"options": {"at_once": True}},
        {"urls": {"login": "https://x.example"}},
        {"url": "http://crm.example"},
    ],
)
def test_what_nobody_knows_is_refused_at_the_opening(opened, told):
    with pytest.raises(ConfigError):
        opened(**told)
