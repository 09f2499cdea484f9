"""Finding by id, by our mark and by any unique value; a refused search is never an absence."""

from datetime import UTC, datetime, timedelta

import pytest

from tieout.model.change import Create
from tieout.model.contract import Request
from tieout.model.errors import Rejected, Unavailable, Unsupported
from tieout.model.lookup import Absent, Found, Lookup, NotKnown
from tieout.model.ref import Ref
from tieout.simulator.hubspot.schema import custom


@pytest.fixture(autouse=True)
def mark(portal):
    portal.define("deals", custom(name="tieout_mark", label="Mark", unique=True))


def test_what_was_written_as_the_mark_is_found_by_it(hubspot, portal):
    deal = portal.deal(tieout_mark="M-1")
    (found,) = hubspot.find("deal", [Lookup("deal", "marker", "M-1", line=12)])
    assert (found.ref.id, found.by, found.line) == (deal, "marker", 12)
    assert found.record.fields["name"] == "Rollout"


def test_each_question_is_answered_in_its_order(hubspot, portal):
    deals = {f"M-{n}": portal.deal(tieout_mark=f"M-{n}") for n in range(3)}
    asked = ["M-2", "M-9", "M-0", "M-2"]
    answers = hubspot.find("deal", [Lookup("deal", "mark", value) for value in asked])
    assert [isinstance(answer, Found) for answer in answers] == [True, False, True, True]
    assert answers[0].ref.id == deals["M-2"]
    assert isinstance(answers[1], Absent)


def test_an_absence_has_the_servers_time(hubspot):
    (absent,) = hubspot.find("deal", [Lookup("deal", "marker", "M-9")])
    assert abs(absent.as_of - datetime.now(UTC)) < timedelta(seconds=3)


def test_a_record_just_written_is_found_though_search_does_not_see_it_yet(hubspot, portal):
    portal.index_lag_secs = 3600
    portal.deal(tieout_mark="M-1")
    assert isinstance(hubspot.find("deal", [Lookup("deal", "marker", "M-1")])[0], Found)


def test_by_id_a_merged_record_is_what_it_became(hubspot, portal):
    kept, other, gone = portal.deal(), portal.deal(), portal.deal()
    merged = portal.merge("deals", portal.find("deals", kept), portal.find("deals", other))
    portal.archive("deals", portal.find("deals", gone))
    found, absent = hubspot.find("deal", [Lookup("deal", "id", kept), Lookup("deal", "id", gone)])
    assert found.ref.id == str(merged.id)
    assert isinstance(absent, Absent)


def test_a_contact_is_found_by_its_address_in_any_case(hubspot, portal):
    portal.create("contacts", {"email": "ada@nordlys.example"})
    (found,) = hubspot.find("contact", [Lookup("contact", "email", "Ada@Nordlys.example")])
    assert found.record.fields["email"] == "ada@nordlys.example"


@pytest.mark.parametrize("fault", ["refuse", "html", "not_json"])
def test_a_search_that_fails_is_not_an_absence(hubspot, portal, fault):
    portal.faults.add(fault=fault, path="/batch/read$", count=None)
    (answer,) = hubspot.find("deal", [Lookup("deal", "marker", "M-1")])
    assert isinstance(answer, NotKnown)
    assert isinstance(answer.error, Unavailable)


def test_one_that_the_answer_leaves_out_is_asked_for_alone(hubspot, portal):
    deal = portal.deal(tieout_mark="M-1")
    portal.faults.add(fault="drop_item", path="/batch/read$", count=None)
    (answer,) = hubspot.find("deal", [Lookup("deal", "marker", "M-1")])
    assert answer.ref.id == deal
    portal.faults.add(fault="refuse", path="/deals/M-1$", count=None)
    (answer,) = hubspot.find("deal", [Lookup("deal", "marker", "M-1")])
    assert isinstance(answer.error, Unavailable)


def test_a_property_that_is_not_unique_finds_nothing(hubspot, portal):
    portal.deal()
    (answer,) = hubspot.find("deal", [Lookup("deal", "name", "Rollout")])
    assert isinstance(answer, NotKnown)
    assert isinstance(answer.error, Rejected)


@pytest.mark.parametrize(("kind", "by"), [("ticket", "id"), ("company", "marker")])
def test_what_cannot_be_asked_is_not_known(hubspot, kind, by):
    (answer,) = hubspot.find(kind, [Lookup(kind, by, "1")])
    assert isinstance(answer.error, Unsupported)


def test_properties_and_groups_are_found_by_their_name(hubspot):
    group, *_ = hubspot.provisions()
    (parcel,) = hubspot.prepare([Request("K", group)])
    (outcome,) = hubspot.apply(parcel)
    asked = [Lookup("property_group", "name", name) for name in ("deal.tieout", "deal.other")]
    found, absent = hubspot.find("property_group", asked)
    assert found.ref == outcome.receipt.ref == Ref(hubspot.company, "property_group", "deal.tieout")
    assert isinstance(absent, Absent)
    (known,) = hubspot.find("property", [Lookup("property", "name", "deal.tieout_mark")])
    assert known.record.fields["unique"] is True
    assert isinstance(group, Create)
