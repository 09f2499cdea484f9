"""What a HubSpot portal's people define: objects of their own, and labels of associations."""

import pytest

from tieout.simulator.hubspot import Token, deeds, load, save, truth
from tieout.simulator.hubspot.errors import Refusal

OBJECTS = "/crm/objects/2026-03"
LINKS = "/crm/associations/2026-03"
SCHEMAS = "/crm-object-schemas/2026-03/schemas"
DEFINITION = {
    "name": "subscription",
    "labels": {"singular": "Subscription", "plural": "Subscriptions"},
    "properties": [
        {"name": "plan", "label": "Plan", "type": "string", "fieldType": "text"},
        {"name": "fee", "label": "Fee", "type": "number", "fieldType": "number"},
    ],
    "requiredProperties": ["plan"],
    "primaryDisplayProperty": "plan",
    "associatedObjects": ["COMPANY", "line_items"],
}


@pytest.fixture
def made(crm):
    status, told = crm.post(SCHEMAS, DEFINITION)
    assert status == 201
    return told


def test_h13_an_object_is_defined_once_and_shown_by_its_full_name_or_its_type_id(crm, portal, made):
    full = f"p{portal.portal_id}_subscription"
    assert (made["fullyQualifiedName"], made["objectTypeId"]) == (full, "2-1001")
    assert [crm.get(f"{SCHEMAS}/{name}")[1] for name in (full, "2-1001", "p_subscription")] == [
        made,
        made,
        made,
    ]
    assert crm.get(SCHEMAS)[1] == {"results": [made]}
    assert crm.post(SCHEMAS, DEFINITION)[0] == 409


def test_h13_a_schema_has_its_properties_and_its_associations_from_both_sides(crm, made):
    assert {"plan", "fee", "hs_object_id", "hs_lastmodifieddate", "hubspot_owner_id"} <= {
        one["name"] for one in made["properties"]
    }
    assert {(one["fromObjectTypeId"], one["toObjectTypeId"]) for one in made["associations"]} == {
        ("2-1001", "0-2"),
        ("0-2", "2-1001"),
        ("2-1001", "0-8"),
        ("0-8", "2-1001"),
    }


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"name": "no name"}, 400),
        ({"associatedObjects": ["unknown"]}, 400),
        ({"properties": [{"name": "X", "label": "X", "type": "string", "fieldType": "text"}]}, 400),
        ({"unknown": "word"}, 400),
    ],
)
def test_h13_what_is_no_definition_is_refused(crm, said, status):
    assert crm.post(SCHEMAS, {**DEFINITION, **said})[0] == status


def test_h13_its_records_are_made_changed_searched_and_merged_as_any(crm, made):
    path = f"{OBJECTS}/{made['fullyQualifiedName']}"
    ids = [
        crm.post(path, {"properties": {"plan": plan, "fee": "7.50"}})[1]["id"]
        for plan in ("Gold", "Silver")
    ]
    assert crm.ask("PATCH", f"{path}/{ids[0]}", {"properties": {"fee": "8"}})[0] == 200
    filters = [{"propertyName": "fee", "operator": "EQ", "value": "8"}]
    _, found = crm.post(f"{OBJECTS}/2-1001/search", {"filterGroups": [{"filters": filters}]})
    assert [row["id"] for row in found["results"]] == [ids[0]]
    told = {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]}
    _, merged = crm.post(f"{path}/merge", told)
    assert merged["id"] not in ids


def test_h13_a_kind_that_its_schema_does_not_name_cannot_be_associated(crm, made):
    full = made["fullyQualifiedName"]
    record = crm.post(f"{OBJECTS}/{full}", {"properties": {"plan": "Gold"}})[1]["id"]
    for to, status in (("companies", 200), ("contacts", 400)):
        target = crm.create(to)
        link = f"{OBJECTS}/{full}/{record}/associations/default/{to}/{target}"
        assert crm.ask("PUT", link)[0] == status
    _, told = crm.get(f"{OBJECTS}/{full}/{record}/associations/companies")
    ((kind,),) = [one["associationTypes"] for one in told["results"]]
    assert (kind["category"], kind["label"]) == ("USER_DEFINED", None)


def test_h13_all_own_objects_share_one_scope_and_either_of_two_shows_a_schema(crm, portal, made):
    path = f"{OBJECTS}/2-1001"
    for scopes, seen in (
        ({"crm.objects.custom.read"}, [200, 200, 403]),
        ({"crm.schemas.custom.read"}, [200, 403, 403]),
        ({"crm.schemas.custom.write"}, [403, 403, 409]),
    ):
        portal.tokens[crm.token] = Token(frozenset(scopes))
        asked = [crm.get(f"{SCHEMAS}/2-1001"), crm.get(path), crm.post(SCHEMAS, DEFINITION)]
        assert [status for status, _ in asked] == seen


def test_h14_a_label_is_shown_beside_the_type_without_one_and_from_the_other_side(crm):
    label = {"label": "Billing contact", "name": "billing", "inverseLabel": "Is billed for"}
    status, told = crm.post(f"{LINKS}/deals/contacts/labels", label)
    assert (status, [one["label"] for one in told["results"]]) == (
        200,
        ["Billing contact", "Is billed for"],
    )
    deal, contact = crm.create("deals"), crm.create("contacts")
    types = [
        {"associationCategory": "USER_DEFINED", "associationTypeId": told["results"][0]["typeId"]}
    ]
    inputs = [{"from": {"id": deal}, "to": {"id": contact}, "types": types}]
    assert crm.post(f"{LINKS}/deals/contacts/batch/create", {"inputs": inputs})[0] == 201
    shown = [
        [
            [(one["category"], one["label"]) for one in row["associationTypes"]]
            for row in crm.get(f"{OBJECTS}/{here}/{record}/associations/{there}")[1]["results"]
        ]
        for here, record, there in (("deals", deal, "contacts"), ("contacts", contact, "deals"))
    ]
    assert shown == [
        [[("HUBSPOT_DEFINED", None), ("USER_DEFINED", "Billing contact")]],
        [[("HUBSPOT_DEFINED", None), ("USER_DEFINED", "Is billed for")]],
    ]


def test_h14_the_labels_of_a_pair_are_listed_and_each_is_made_once(crm):
    label = {"label": "Payer", "name": "payer"}
    assert [crm.post(f"{LINKS}/deals/companies/labels", label)[0] for _ in range(2)] == [200, 409]
    _, told = crm.get(f"{LINKS}/deals/companies/labels")
    assert [one["label"] for one in told["results"]] == [None, "Primary", "Payer"]


def test_a_merge_takes_the_labels_along(portal):
    deeds.define_label(portal, "deals", "contacts", "Billing contact")
    one, other = (deeds.create(portal, "deals", {"dealname": "D"}) for _ in range(2))
    contact = deeds.create(portal, "contacts", {"email": "a@x.example"})
    deeds.label(portal, "deals", other, "contacts", contact, "Billing contact")
    merged = int(deeds.merge(portal, "deals", one, other))
    types = portal.links.of(("deals", "contacts"), merged)[int(contact)]
    known = portal.links.labels["deals", "contacts"]
    assert [known[one] for one in types] == [None, "Billing contact"]
    deeds.part(portal, "deals", str(merged), "contacts", contact)
    assert portal.links.of(("deals", "contacts"), merged) == {}


def test_a_label_that_nobody_defined_is_given_to_none(portal):
    deal, contact = deeds.create(portal, "deals", {}), deeds.create(portal, "contacts", {})
    with pytest.raises(Refusal, match="no label Payer"):
        deeds.label(portal, "deals", deal, "contacts", contact, "Payer")


def test_a_kept_portal_has_its_objects_and_labels_again(portal, tmp_path):
    deeds.define_label(portal, "deals", "contacts", "Billing contact", "Is billed for")
    full = deeds.define_object(portal, "subscription", {"plan": "string"}, ["contacts"])
    deeds.define_label(portal, full, "contacts", "Payer")
    contact = deeds.create(portal, "contacts", {"email": "a@x.example"})
    one = deeds.create(portal, full, {"plan": "Gold"}, {"contacts": [contact]})
    deeds.edit(portal, full, one, {"plan": "Silver"})
    deeds.label(portal, full, one, "contacts", contact, "Payer")
    save(portal, tmp_path / "portal.json")
    again = load(tmp_path / "portal.json", portal.now)
    assert (
        truth(again)["own_objects"]
        == truth(portal)["own_objects"]
        == {full: [{"id": one, "plan": "Silver"}]}
    )
    assert again.links.labels == portal.links.labels
    assert again.links.inverse == portal.links.inverse
    assert again.links.targets == portal.links.targets
    assert again.own_objects == portal.own_objects
