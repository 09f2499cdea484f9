"""Associations of the HubSpot portal: types, pages for each record, one parent."""

import pytest

OBJECTS = "/crm/objects/2026-03"
LINKS = "/crm/associations/2026-03"


def lines_of(crm, *inputs):
    return crm.post(f"{LINKS}/deals/line_items/batch/read", {"inputs": list(inputs)})


def link(crm, kind, source, to, target):
    return crm.ask("PUT", f"{OBJECTS}/{kind}/{source}/associations/default/{to}/{target}")


@pytest.fixture
def deal(crm):
    deal = crm.create("deals")
    for _ in range(5):
        link(crm, "deals", deal, "line_items", crm.create("line_items"))
    return deal


def test_h5_each_row_pages_on_its_own(crm, portal, deal):
    portal.association_page = 2
    other = crm.create("deals")
    link(crm, "deals", other, "line_items", crm.create("line_items"))
    status, answer = lines_of(crm, {"id": deal}, {"id": other})
    assert status == 200
    assert [(len(row["to"]), "paging" in row) for row in answer["results"]] == [
        (2, True),
        (1, False),
    ]
    seen = [one["toObjectId"] for one in answer["results"][0]["to"]]
    row = answer["results"][0]
    while "paging" in row:
        row = lines_of(crm, {"id": deal, "after": row["paging"]["next"]["after"]})[1]["results"][0]
        seen += [one["toObjectId"] for one in row["to"]]
    assert len(set(seen)) == 5


def test_h5_a_record_without_associations_has_no_row_but_an_error(crm, deal):
    bare = crm.create("deals")
    status, answer = lines_of(crm, {"id": deal}, {"id": bare}, {"id": "404"})
    assert status == 207
    assert [row["from"]["id"] for row in answer["results"]] == [deal]
    assert [
        (error["subCategory"], error["context"]["fromObjectId"]) for error in answer["errors"]
    ] == [
        ("crm.associations.NO_ASSOCIATIONS_FOUND", [bare]),
        ("crm.associations.NO_ASSOCIATIONS_FOUND", ["404"]),
    ]


def test_h5_a_thousand_ids_are_read_at_once_and_no_more(crm, deal):
    inputs = [{"id": str(number)} for number in range(1_001)]
    assert lines_of(crm, *inputs)[0] == 400
    assert lines_of(crm, *inputs[:1_000])[0] == 207


def test_r39_the_types_are_those_of_the_vendor(crm, deal):
    row = lines_of(crm, {"id": deal})[1]["results"][0]["to"][0]
    assert row["associationTypes"] == [{"category": "HUBSPOT_DEFINED", "typeId": 19, "label": None}]
    back = crm.get(f"{OBJECTS}/line_items/{row['toObjectId']}/associations/deals")[1]["results"]
    assert back == [
        {
            "toObjectId": deal,
            "associationTypes": [{"category": "HUBSPOT_DEFINED", "typeId": 20, "label": None}],
        }
    ]


def test_r41_the_primary_company_is_a_type_and_there_is_one(crm, deal):
    first, second = crm.create("companies"), crm.create("companies")
    for company in (first, second):
        inputs = [
            {
                "from": {"id": deal},
                "to": {"id": company},
                "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 5}],
            }
        ]
        assert crm.post(f"{LINKS}/deals/companies/batch/create", {"inputs": inputs})[0] == 201
    _, answer = crm.post(f"{LINKS}/deals/companies/batch/read", {"inputs": [{"id": deal}]})
    types = {
        one["toObjectId"]: [told["typeId"] for told in one["associationTypes"]]
        for one in answer["results"][0]["to"]
    }
    assert types == {first: [341], second: [5, 341]}


def test_h1_v4_answers_ids_as_numbers(crm, deal):
    body = {"inputs": [{"id": deal}]}
    _, answer = crm.post("/crm/v4/associations/deals/line_items/batch/read", body)
    assert isinstance(answer["results"][0]["to"][0]["toObjectId"], int)


def test_r39_a_line_item_belongs_to_one_parent(crm, deal):
    line = lines_of(crm, {"id": deal})[1]["results"][0]["to"][0]["toObjectId"]
    other = crm.create("deals")
    assert link(crm, "deals", other, "line_items", line)[0] == 400
    assert link(crm, "line_items", line, "deals", other)[0] == 400
    assert link(crm, "deals", deal, "line_items", line)[0] == 200


def test_h5_a_record_is_made_with_its_associations_or_not_at_all(crm, deal):
    def line_for(target):
        types = [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 20}]
        associations = [{"to": {"id": target}, "types": types}]
        return crm.post(
            f"{OBJECTS}/line_items",
            {"properties": {"name": "new"}, "associations": associations},
        )

    assert line_for(deal)[0] == 201
    assert len(lines_of(crm, {"id": deal})[1]["results"][0]["to"]) == 6
    assert line_for("404")[0] == 404
    assert len(crm.found("line_items")) == 6


def test_h5_an_archived_line_is_no_longer_associated(crm, deal):
    line = lines_of(crm, {"id": deal})[1]["results"][0]["to"][0]["toObjectId"]
    crm.ask("DELETE", f"{OBJECTS}/line_items/{line}")
    ids = [one["toObjectId"] for one in lines_of(crm, {"id": deal})[1]["results"][0]["to"]]
    assert (len(ids), line in ids) == (4, False)


def test_r41_a_merged_deal_has_the_lines_of_both(crm, deal):
    other = crm.create("deals")
    link(crm, "deals", other, "line_items", crm.create("line_items"))
    body = {"primaryObjectId": other, "objectIdToMerge": deal}
    _, merged = crm.post(f"{OBJECTS}/deals/merge", body)
    row = lines_of(crm, {"id": deal})[1]["results"][0]
    assert (row["from"]["id"], len(row["to"])) == (merged["id"], 6)


def test_h5_associations_can_be_removed(crm, deal):
    line = lines_of(crm, {"id": deal})[1]["results"][0]["to"][0]["toObjectId"]
    body = {"inputs": [{"from": {"id": deal}, "to": [{"id": line}]}]}
    status, answer = crm.post(f"{LINKS}/deals/line_items/batch/archive", body)
    assert (status, answer["status"], answer["results"]) == (200, "COMPLETE", [])
    assert len(lines_of(crm, {"id": deal})[1]["results"][0]["to"]) == 4
    assert crm.post("/crm/v4/associations/deals/line_items/batch/archive", body)[0] == 204


def test_h5_a_default_association_names_its_type(crm, deal):
    company = crm.create("companies")
    body = {"inputs": [{"from": {"id": deal}, "to": {"id": company}}]}
    status, answer = crm.post(f"{LINKS}/deals/companies/batch/associate/default", body)
    spec = {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": 341}
    assert status == 200
    assert answer["results"] == [
        {"from": {"id": deal}, "to": {"id": company}, "associationSpec": spec}
    ]


def test_h5_kinds_that_have_nothing_to_do_with_each_other_are_refused(crm):
    body = {"inputs": [{"id": "1"}]}
    assert crm.post(f"{LINKS}/line_items/contacts/batch/read", body)[0] == 400
    assert crm.get(f"{LINKS}/deals/companies/labels")[1]["results"][1]["label"] == "Primary"
