"""The least rights of Tieout's user: asked of the org, and what is lacking is named."""

import pytest

from tieout.model.contract import ListsRights
from tieout.simulator.salesforce import deeds

READS = {"deal": frozenset({"name", "amount"}), "company": frozenset({"name", "phone"})}


@pytest.fixture
def held(opened):
    """Return each right with whether it is held."""

    def asking(**told):
        return {right.name: right for right in opened(**{"reads": READS, **told}).rights()}

    return asking


def test_it_lists_rights(salesforce):
    assert isinstance(salesforce, ListsRights)


def test_what_the_user_may_is_told_so_and_what_only_the_deed_shows_is_left_open(held):
    assert {name: right.held for name, right in held().items()} == {
        "API Enabled": True,
        "Read on Account": True,
        "Read on Opportunity": True,
        "Edit on Opportunity": True,
        "Edit on the Tieout fields of Opportunity": True,
        "Nobody else edits the Tieout fields": True,
        "View All on what is read": None,
        "Customize Application": None,
    }


def test_a_field_that_a_mapping_uses_and_the_user_may_not_see_is_a_right_of_its_own(held, org):
    deeds.hide_field(org, "Account", "Phone")
    lacking = held()["Read on Account.Phone"]
    assert (lacking.held, "does not show it" in lacking.said) == (False, True)


def test_fields_that_are_not_provisioned_are_named(held, org):
    deeds.remove_field(org, "Opportunity", "Tieout_Mark__c")
    lacking = held()["Edit on the Tieout fields of Opportunity"]
    assert (lacking.held, lacking.said) == (
        False,
        "Run `tieout provision COMPANY`: Tieout_Mark__c.",
    )


def test_without_a_mapping_every_kind_is_asked_about_that_any_may_need(held):
    names = held(reads={}).keys()
    assert {"Read on OpportunityLineItem", "Read on Contact", "Read on User"} <= names


def test_records_that_the_user_may_not_see_or_write_are_named(held, org):
    deeds.DEEDS["hide_kind"](org, "Account")
    deeds.DEEDS["forbid_writing"](org, "Opportunity")
    told = held()
    assert told["Read on Account"].held is False
    assert told["Edit on Opportunity"].held is False
