"""Opening an org, making sure that it is the right one, and what its options may be."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.salesforce import Salesforce, soql
from connectors.salesforce.facts import facts
from tieout.model.contract import Counts, Describes, Opening
from tieout.model.errors import ConfigError, Unauthorized, Unavailable, Unsupported


def test_check_says_which_org_it_is(salesforce, org):
    identity = salesforce.check()
    assert (identity.company, identity.name, identity.time_zone) == (
        org.org_id,
        "Nordlys",
        "Europe/Oslo",
    )
    assert abs(identity.clock - datetime.now(UTC)) < timedelta(seconds=3)


def test_another_orgs_session_is_refused_with_both_ids(opened, org):
    with pytest.raises(ConfigError, match=f"org {org.org_id}, not of 00D5g0000099999EAA"):
        opened(company_id="00D5g0000099999EAA").check()


def test_a_session_that_is_not_accepted_pauses_and_is_not_shown(opened):
    with pytest.raises(Unauthorized) as caught:
        opened(token="no-such-session").check()
    assert caught.value.vendor_code == "INVALID_SESSION_ID"
    assert "no-such-session" not in str(caught.value)


@pytest.mark.parametrize("token", ["s3cret\n", "s3crét"])
def test_a_session_that_no_header_can_hold_is_refused_and_not_shown(opened, token):
    with pytest.raises(Unauthorized) as caught:
        opened(token=token).check()
    assert "s3cr" not in f"{caught.value} {caught.value.__context__}"


def test_nobody_listening_is_unavailable(opened):
    with pytest.raises(Unavailable, match="nothing was sent"):
        opened(urls={"api": "http://127.0.0.1:9"}).check()


def test_without_an_address_and_a_login_it_says_what_to_set(opened):
    with pytest.raises(ConfigError, match="where the org is") as caught:
        opened(urls={}).check()
    assert "My Domain" in caught.value.next


@pytest.mark.parametrize(
    "options",
    [
        {"colour": 1},
        {"overlap_secs": 0},
        {"at_once": 26},
        {"share": 101},
        {"share": True},
        {"page": 100},
        {"version": "latest"},
        {"version": "66.5"},
    ],
)
def test_an_option_that_is_not_one_is_refused(opened, options):
    with pytest.raises(ConfigError):
        opened(options=options)


def test_plain_http_elsewhere_is_refused(opened):
    with pytest.raises(ConfigError, match="not encrypted"):
        opened(urls={"api": "http://acme.my.salesforce.com"})


def test_the_version_of_the_api_is_a_setting(opened, org):
    org.api_versions = ("64.0",)
    assert opened(options={"version": "64"}).check().company == org.org_id
    with pytest.raises(Unsupported, match="no such address") as caught:
        opened().check()
    assert "version" in caught.value.next


def test_it_describes_and_counts(salesforce):
    assert isinstance(salesforce, Describes)
    assert isinstance(salesforce, Counts)
    salesforce.check()
    assert salesforce.calls == {"query": 1}


def test_fields_are_described_with_our_names_first(salesforce, org):
    org.add_field("Opportunity", "PO_Number__c", unique=True)
    fields = salesforce.describe("deal")
    assert (fields["close_date"].type, fields["close_date"].vendor_name) == ("date", "CloseDate")
    known = fields["po_number__c"]
    assert (known.label, known.unique, known.custom) == ("PO Number", True, True)
    assert fields["is_won"].read_only
    assert "closedate" not in fields


def test_what_the_fields_are_is_asked_once(salesforce):
    salesforce.describe("deal")
    salesforce.describe("deal")
    assert salesforce.calls == {"describe": 1}


def test_the_capabilities_name_their_feeds():
    feeds = facts().capabilities.feeds
    assert feeds[:4] == (("deal",), ("line_item",), ("company",), ("contact",))


def test_the_library_is_loaded_only_when_something_is_asked(monkeypatch):
    """It drags in two parsers of XML."""
    import sys

    monkeypatch.setitem(sys.modules, "simple_salesforce", None)
    session = Salesforce.open(
        Opening("0"), urls={}, credentials=None, now=lambda: datetime.now(UTC), sleep=print
    )
    assert session.capabilities.system == "salesforce"


@pytest.mark.parametrize(
    ("short", "whole"),
    [
        ("00D5g000004TieO", "00D5g000004TieOEAS"),
        ("00D5g000004TieOEAS", "00D5g000004TieOEAS"),
        ("006000000000001", "006000000000001AAA"),
        ("999999999", ""),
        ("00D5g000004Tie' OR", ""),
    ],
)
def test_an_id_has_one_form(short, whole):
    assert soql.whole_id(short) == whole


def test_a_text_stays_a_text_whatever_stands_in_it():
    assert soql.text('O\'Brien \\ "x"\n') == "'O\\'Brien \\\\ \\\"x\\\"\\n'"


def test_a_list_is_cut_where_a_statement_is_full():
    values = [f"{n:018d}" for n in range(5_000)]
    parts = list(soql.parts(values))
    assert [one for part in parts for one in part] == values
    assert max(len(soql.within("Id", part)) for part in parts) <= soql.VALUES_CHARS_LIMIT + 20
