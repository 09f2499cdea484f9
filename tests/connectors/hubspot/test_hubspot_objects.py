"""A portal's own (custom) object, as a source beside deals."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from foreign_server import Bent

from tieout.model.change import Update
from tieout.model.contract import Request
from tieout.model.errors import ConfigError, InvalidField, Unavailable, Unsupported
from tieout.model.lookup import Absent, Found, Lookup
from tieout.model.record import Seen
from tieout.model.ref import Ref
from tieout.simulator.hubspot import Token, deeds
from tieout.simulator.hubspot.schema import custom

PROPERTIES = {"plan": "string", "fee": "number", "begins": "date", "po_number": "string"}
ASSOCIATED = ["companies", "contacts", "deals", "line_items"]
READS = {
    "object": frozenset({"plan", "fee", "begins", "owner_id"}),
    "company": frozenset({"name"}),
    "line_item": frozenset({"name"}),
    "owner": frozenset(),
}


@pytest.fixture
def named(portal):
    """The full name of the portal's own object."""
    return deeds.define_object(portal, "subscription", PROPERTIES, ASSOCIATED)


@pytest.fixture
def session(opened, named):
    return opened(options={"object": named}, reads=READS)


@pytest.fixture
def made(portal, named):
    def making(links=None, **properties):
        given = {"plan": "Gold", "fee": "950.07", "begins": "2026-04-01", **properties}
        return deeds.create(portal, named, given, links)

    return making


def ref(portal, kind, record_id):
    return Ref(f"hubspot:{portal.portal_id}", kind, str(record_id))


def test_its_records_are_read_with_the_types_of_its_schema(session, portal, named, made, read_all):
    one = made()
    (event,), _ = read_all(session, "object")
    assert event.ref == ref(portal, "object", one)
    assert event.record.fields == {
        "id": one,
        "plan": "Gold",
        "fee": Decimal("950.07"),
        "begins": date(2026, 4, 1),
        "owner_id": None,
        "merged_ids": None,
    }
    assert session.calls[f"crm-object-schemas schemas/{named}"] == 1


def test_it_may_be_named_by_its_type_id(opened, portal, named, made, read_all):
    session = opened(options={"object": portal.kinds[named].type_id}, reads=READS)
    one = made()
    (event,), _ = read_all(session, "object")
    assert event.record.fields["id"] == one


def test_the_first_read_takes_what_was_made_since_the_cutover(opened, portal, named, read_all):
    session = opened(options={"object": named}, reads=READS, cutover_date=datetime.now(UTC).date())
    old, new = (deeds.create(portal, named, {"plan": plan}) for plan in ("old", "new"))
    record = portal.find(named, old)
    object.__setattr__(record, "created", record.created - 3 * 86_400_000)
    events, _ = read_all(session, "object")
    assert [event.ref.id for event in events] == [new]


@pytest.mark.parametrize("zone", ["America/Los_Angeles", "Europe/Oslo", "Pacific/Auckland"])
def test_or_since_a_day_of_its_own(opened, portal, named, made, read_all, zone):
    """A calendar day is compared as such: no time zone moves the record of the cutover's day."""
    dated = {"object": named, "object_date": "begins"}
    session = opened(options=dated, reads=READS, cutover_date=date(2026, 4, 1), time_zone=zone)
    made(begins="2026-03-31")
    first = made(begins="2026-04-01")
    events, _ = read_all(session, "object")
    assert [event.ref.id for event in events] == [first]


def test_or_since_an_instant_of_its_own(opened, portal, read_all):
    named = deeds.define_object(portal, "visit", {"plan": "string", "ended": "datetime"}, [])
    dated = {"object": named, "object_date": "ended"}
    session = opened(
        options=dated, reads=READS, cutover_date=date(2026, 4, 1), time_zone="Europe/Oslo"
    )
    deeds.create(portal, named, {"plan": "before", "ended": "2026-03-31T21:59:59Z"})
    first = deeds.create(portal, named, {"plan": "after", "ended": "2026-03-31T22:00:00Z"})
    events, _ = read_all(session, "object")
    assert [event.ref.id for event in events] == [first]


def test_what_changes_is_told_by_its_time_of_change(session, portal, named, made, read_all):
    one, _ = made(), made()
    _, cursor = read_all(session, "object")
    deeds.edit(portal, named, one, {"fee": "951"})
    (event,), _ = read_all(session, "object", cursor)
    assert (event.ref.id, event.record.fields["fee"]) == (one, Decimal(951))


def test_a_merge_is_told_with_where_each_went(session, portal, named, made, read_all):
    one, other = made(), made()
    _, cursor = read_all(session, "object")
    into = deeds.merge(portal, named, one, other)
    events, _ = read_all(session, "object", cursor)
    told = {event.ref.id: event.seen for event in events}
    assert told == {one: Seen.MERGED, other: Seen.MERGED, into: Seen.CHANGED}


def test_its_companies_and_contacts_and_lines_are_found(session, portal, made):
    company = portal.company()
    contact = portal.create("contacts", {"email": "a@x.example"}).id
    lines = [
        portal.create("line_items", {"name": name, "hs_position_on_quote": place}).id
        for name, place in (("second", "2"), ("first", "1"))
    ]
    one = made({"companies": [company], "contacts": [contact], "line_items": lines})
    asked = [ref(portal, "object", one)]
    found = {
        role: [each.id for each in next(iter(session.related(asked, role))).refs]
        for role in ("company", "contact", "line_items", "deal")
    }
    assert found == {
        "company": [str(company)],
        "contact": [str(contact)],
        "line_items": [str(lines[1]), str(lines[0])],
        "deal": [],
    }


def test_a_line_leads_back_to_it(session, portal, made):
    """A line that was added is a stranger in the feed of lines: whose is it?"""
    line = portal.create("line_items", {"name": "new"}).id
    one = made({"line_items": [line]})
    (answer,) = session.related([ref(portal, "line_item", line)], "object")
    assert answer.refs == (ref(portal, "object", one),)


def test_a_deal_leads_to_it(session, portal, made):
    deal = portal.deal()
    one = made({"deals": [deal]})
    (answer,) = session.related([ref(portal, "deal", deal)], "object")
    assert answer.refs == (ref(portal, "object", one),)


def test_its_owner_is_found(session, portal, made):
    portal.hire("7", "o@x.example")
    one = made(hubspot_owner_id="7")
    (answer,) = session.related([ref(portal, "object", one)], "owner")
    assert answer.refs == (ref(portal, "owner", "7"),)


def test_what_its_schema_does_not_associate_is_no_empty_set(session, portal, made):
    one = made()
    (answer,) = session.related([ref(portal, "object", one)], "payments")
    assert isinstance(answer.error, InvalidField)
    assert "cannot be associated" in answer.error.vendor_words


def provided(session):
    """Make what must exist, as `tieout provision` does."""
    wanted = session.provisions()
    for parcel in session.prepare([Request(f"0-{n}", one) for n, one in enumerate(wanted)]):
        for outcome in session.apply(parcel):
            assert outcome.error is None
    return wanted


def test_its_properties_are_made_by_provision_and_found_again(session, portal, named):
    wanted = [one for one in provided(session) if one.values["object"] == "object"]
    assert {name for name in portal.properties[named] if name.startswith("tieout_")} == {
        one.values["name"] for one in wanted if one.kind == "property"
    }
    names = [f"object.{one.values['name']}" for one in wanted if one.kind == "property"]
    asked = [Lookup("property", "name", name) for name in names]
    assert all(isinstance(one, Found) for one in session.find("property", asked))
    (missing,) = session.find("property", [Lookup("property", "name", "object.nothing")])
    assert isinstance(missing, Absent)


def test_it_is_told_the_outcome_and_found_by_its_mark(session, portal, named, made):
    provided(session)
    one = made()
    (record,) = session.fetch([ref(portal, "object", one)])
    change = Update(record.ref, record.version, {"mark": "M-1", "invoice_number": "1001"})
    (parcel,) = session.prepare([Request("0-1", change)])
    (outcome,) = session.apply(parcel)
    assert outcome.error is None
    held = portal.find(named, one).values
    assert (held["tieout_mark"], held["tieout_invoice_number"]) == ("M-1", "1001")
    (found,) = session.find("object", [Lookup("object", "marker", "M-1")])
    assert found.ref == ref(portal, "object", one)


def test_without_an_object_there_is_neither_feed_nor_field_of_it(opened):
    session = opened()
    assert ("object",) not in session.capabilities.feeds
    assert not any(one.values["object"] == "object" for one in session.provisions())
    assert not any("custom" in right.name for right in session.rights())
    with pytest.raises(Unsupported, match="kind object"):
        session.describe("object")


def test_a_mapping_that_reads_one_needs_its_name(opened):
    with pytest.raises(ConfigError, match="no object is named") as caught:
        opened(reads=READS)
    assert "object: p123456_subscription" in caught.value.next


@pytest.mark.parametrize(
    "options",
    [
        {"object": "deals"},
        {"object": "0-3"},
        {"object": "p1_x/../deals"},
        {"object_date": "begins"},
        {"object": "2-1001", "object_date": "a b"},
    ],
)
def test_what_is_no_name_is_refused(opened, options):
    with pytest.raises(ConfigError):
        opened(options=options)


def test_an_object_that_the_portal_has_not_is_named(opened, portal, read_all):
    session = opened(options={"object": "p1_nothing"}, reads=READS)
    with pytest.raises(InvalidField, match="p1_nothing"):
        read_all(session, "object")


def test_its_scopes_are_listed_and_tried(opened, portal, named):
    kept = {"crm.objects.deals.write", "crm.objects.custom.read"}
    portal.tokens = {"weak": Token(frozenset(kept | {"crm.objects.owners.read"}))}
    session = opened(options={"object": named}, reads={"object": frozenset()}, token="weak")
    held = {right.name: right.held for right in session.rights() if "custom" in right.name}
    assert held == {
        "crm.objects.custom.read": True,
        "crm.objects.custom.write": False,
        "crm.schemas.custom.write": None,
    }


def test_a_schema_that_cannot_be_read_is_no_object_without_properties(session, portal, made, front):
    """Else each property would be taken for a text, and the cutover's day for an instant."""
    made()
    bent = front.app = Bent(front.app)

    def bend(exchange):
        if "/crm-object-schemas/" in exchange.path:
            exchange.told.pop("properties")

    bent.bends.append(bend)
    with pytest.raises(Unavailable):
        list(session.changes(["object"], None))


def test_a_server_that_knows_only_the_numbered_paths_is_enough(opened, portal, named, made):
    portal.api_versions = ()
    portal.define(named, custom(name="tieout_mark", label="Mark", unique=True))
    company = portal.company()
    one = made({"companies": [company]}, tieout_mark="M-1")
    session = opened(options={"object": named, "version": "v3"}, reads=READS)
    (record,) = session.fetch([ref(portal, "object", one)])
    assert record.fields["fee"] == Decimal("950.07")
    (companies,) = session.related([record.ref], "company")
    assert [each.id for each in companies.refs] == [str(company)]
    (found,) = session.find("object", [Lookup("object", "marker", "M-1")])
    assert found.ref == record.ref


def test_a_property_that_was_removed_between_two_rounds_is_absent_and_the_rest_is_read(
    session, portal, named, made, read_all
):
    one = made()
    _, cursor = read_all(session, "object")
    del portal.properties[named]["fee"]
    deeds.edit(portal, named, one, {"plan": "Silver"})
    (event,), _ = read_all(session, "object", cursor)
    assert "fee" not in event.record.fields
    assert event.record.fields["plan"] == "Silver"
