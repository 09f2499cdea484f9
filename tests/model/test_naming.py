"""A company chooses what our fields are called in its CRM; what the CRM would refuse is refused."""

import pytest

from connectors.dynamics365 import facts as dynamics365
from connectors.hubspot import facts as hubspot
from connectors.salesforce import facts as salesforce
from tieout.model.errors import ConfigError

SYSTEMS = {"hubspot": hubspot, "salesforce": salesforce, "dynamics365": dynamics365}


def fields(system, **options):
    known = SYSTEMS[system]
    return known.our_fields(known.chosen_names(options))


@pytest.mark.parametrize(
    ("system", "prefix", "mark"),
    [
        ("hubspot", "acme", "acme_mark"),
        ("salesforce", "Acme", "Acme_Mark__c"),
        ("dynamics365", "acme", "acme_mark"),
    ],
)
def test_a_prefix_names_every_field_anew(system, prefix, mark):
    before, after = fields(system), fields(system, field_prefix=prefix)
    assert after["mark"] == mark
    assert before.keys() == after.keys()
    assert {name.startswith(f"{prefix}_") for name in after.values()} == {True}


@pytest.mark.parametrize(
    ("system", "name"),
    [
        ("hubspot", "rechnungsnummer"),
        ("salesforce", "Rechnungsnummer__c"),
        ("dynamics365", "tieout_rechnungsnummer"),
    ],
)
def test_a_single_field_is_named_and_no_other(system, name):
    before, after = fields(system), fields(system, field_invoice_number=name)
    assert {ours for ours in before if before[ours] != after[ours]} == {"invoice_number"}
    assert after["invoice_number"] == name


@pytest.mark.parametrize(
    ("system", "options", "said"),
    [
        ("hubspot", {"field_prefix": "Acme"}, "small letters, digits and single underscores"),
        ("hubspot", {"field_prefix": ""}, "cannot be ''"),
        ("hubspot", {"field_prefix": "hs"}, "what begins with hs_ is HubSpot's own"),
        ("hubspot", {"field_prefix": "a" * 99}, "and 100 is the most"),
        ("hubspot", {"field_mark": "Mark"}, "small letters, digits and underscores"),
        ("hubspot", {"field_mark": "dealname"}, "HubSpot's own field"),
        ("hubspot", {"field_mark": "x", "field_invoice_url": "x"}, "the name of (mark|invoice_url) and of"),
        ("hubspot", {"field_mark": "tieout_invoice_url"}, "the name of (mark|invoice_url) and of"),
        ("salesforce", {"field_prefix": "Acme__"}, "letters, digits and single underscores"),
        ("salesforce", {"field_prefix": "A" * 20}, "beside __c, and 40 is the most"),
        ("salesforce", {"field_mark": "Mark"}, "must end in __c"),
        ("salesforce", {"field_mark": "my__Mark__c"}, "single underscores"),
        ("salesforce", {"field_mark": "TIEOUT_INVOICE_URL__c"}, "the name of (mark|invoice_url) and of"),
        ("dynamics365", {"field_prefix": "mscrmx"}, "2 to 8 small letters and digits"),
        ("dynamics365", {"field_prefix": "a"}, "2 to 8"),
        ("dynamics365", {"field_prefix": "abcdefghi"}, "2 to 8"),
        ("dynamics365", {"field_mark": "new_mark"}, "must begin with tieout_, the prefix of the"),
        ("dynamics365", {"field_mark": "tieout_Mark"}, "small letters"),
        ("dynamics365", {"field_mark": f"tieout_{'a' * 44}"}, "51 characters, and 50 is the most"),
    ],
)  # fmt: skip
def test_a_name_that_the_crm_would_not_take_is_refused_with_a_sentence(system, options, said):
    with pytest.raises(ConfigError, match=said) as refused:
        fields(system, **options)
    assert refused.value.remedy


def test_a_single_name_of_dataverse_follows_the_prefix_that_is_chosen_with_it():
    named = fields("dynamics365", field_prefix="acme", field_mark="acme_ref")
    assert (named["mark"], named["invoice_url"]) == ("acme_ref", "acme_invoice_url")


def test_what_provision_makes_in_dataverse_all_bears_the_prefix():
    known = dynamics365.facts(dynamics365.chosen_names({"field_prefix": "acme"}))
    named = [one["name"] for one in (*known.provisions, *known.provisions_of_child)]
    assert [name for name in named if "tieout" in name.lower()] == []
    assert (known.solution, known.outcome.table, known.outcome.set) == (
        "acme",
        "acme_outcome",
        "acme_outcomes",
    )
