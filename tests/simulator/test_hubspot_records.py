"""Records of the HubSpot portal: values, reads, batches, merges, archives."""

import json
from decimal import Decimal

import pytest

from tieout.simulator.hubspot.pricing import TaxRate

OBJECTS = "/crm/objects/2026-03"


def test_h6_every_value_is_a_text_and_the_system_adds_its_own(crm):
    deal = crm.create("deals", dealname="Rollout", amount=1900.5)
    status, record = crm.get(f"{OBJECTS}/deals/{deal}?properties=dealname,amount,closedate,nope")
    assert status == 200
    assert record["properties"] == {
        "dealname": "Rollout",
        "amount": "1900.5",
        "closedate": None,  # known, without a value; an unknown name is left out
        "createdate": record["createdAt"],
        "hs_lastmodifieddate": record["updatedAt"],
        "hs_object_id": deal,
    }
    assert record["archived"] is False


def test_r40_a_datetime_is_an_instant_and_a_date_a_day(crm):
    deal = crm.create("deals", closedate="2026-03-31T23:30:00+02:00")
    assert crm.read("deals", deal, "closedate")["closedate"] == "2026-03-31T21:30:00Z"
    other = crm.create("deals", closedate="1774992600123")
    assert crm.read("deals", other, "closedate")["closedate"] == "2026-03-31T21:30:00.123Z"
    invoice = crm.create("invoices", hs_due_date="1774915200000")
    assert crm.read("invoices", invoice, "hs_due_date")["hs_due_date"] == "2026-03-31"
    status, refusal = crm.post(
        f"{OBJECTS}/invoices", {"properties": {"hs_due_date": "1774915200001"}}
    )
    assert (status, refusal["errors"][0]["code"]) == (400, "INVALID_DATE")


@pytest.mark.parametrize(
    ("kind", "properties", "code"),
    [
        ("deals", {"nope": "1"}, "PROPERTY_DOESNT_EXIST"),
        ("deals", {"hs_is_closed_won": "true"}, "READ_ONLY_VALUE"),
        ("deals", {"amount": "much"}, "INVALID_NUMBER"),
        ("deals", {"amount": "NaN"}, "INVALID_NUMBER"),
        ("deals", {"closedate": "soon"}, "INVALID_LONG"),
        ("deals", {"deal_currency_code": "XXX"}, "INVALID_OPTION"),
        ("deals", {"dealstage": "115002002"}, "INVALID_OPTION"),
        ("deals", {"pipeline": "nope"}, "INVALID_OPTION"),
        ("deals", {"dealname": "x" * 65_537}, "PROPERTY_VALUE_TOO_LONG"),
    ],
)
def test_h6_a_value_that_is_not_taken_is_named_with_its_code(crm, kind, properties, code):
    status, refusal = crm.post(f"{OBJECTS}/{kind}", {"properties": properties})
    assert status == 400
    assert refusal["category"] == "VALIDATION_ERROR"
    assert [error["code"] for error in refusal["errors"]] == [code]
    inside = json.loads(refusal["message"].removeprefix("Property values were not valid: "))
    assert [(one["error"], one["isValid"]) for one in inside] == [(code, False)]
    assert refusal["correlationId"] == crm.headers["x-hubspot-correlation-id"]


def test_r39_a_line_items_price_is_never_negative(crm):
    status, _ = crm.post(f"{OBJECTS}/line_items", {"properties": {"price": "-1"}})
    assert status == 400


@pytest.mark.parametrize(
    ("line", "net"),
    [
        ({"quantity": "3", "price": "33.33"}, "99.99"),
        ({"quantity": "3", "price": "100", "hs_discount_percentage": "33"}, "201.00"),
        ({"quantity": "4", "price": "10.00", "discount": "1.255"}, "34.98"),
        ({"quantity": "0", "price": "99"}, "0.00"),
        ({"quantity": "3", "price": "33.3333", "discount": "1.005"}, "96.98"),
        ({"price": "10", "quantity": "1", "discount": "9", "hs_discount_percentage": "5"}, "9.50"),
        ({"quantity": "3", "price": "333", "hs_line_item_currency_code": "JPY"}, "999"),
        ({"quantity": "1", "price": "1.2345", "hs_line_item_currency_code": "KWD"}, "1.235"),
    ],
)
def test_r39_a_lines_net_price_is_computed(crm, line, net):
    assert crm.read("line_items", crm.create("line_items", **line), "amount")["amount"] == net


def test_h15_a_discount_is_rounded_before_it_is_taken_off(crm):
    line = crm.create("line_items", quantity="1", price="11.90", hs_discount_percentage="15")
    told = crm.read("line_items", line, "hs_pre_discount_amount", "hs_total_discount", "amount")
    figures = ("11.90", "1.79", "10.11")
    assert [told[name] for name in ("hs_pre_discount_amount", "hs_total_discount", "amount")] == [
        *figures
    ]


def test_h16_a_line_has_the_tax_of_the_rate_that_it_names(crm):
    crm.portal.tax_rates["4401"] = TaxRate("VAT 25", Decimal(25))
    given = {"quantity": "3", "price": "33.33", "hs_tax_rate_group_id": "4401"}
    names = ("hs_tax_label", "hs_tax_rate", "hs_tax_amount", "hs_post_tax_amount")
    line = crm.create("line_items", **given)
    told = crm.read("line_items", line, *names)
    assert [told[name] for name in names] == ["VAT 25", "25", "25.00", "124.99"]
    crm.patch(f"{OBJECTS}/line_items/{line}", {"properties": {"hs_tax_rate_group_id": ""}})
    told = crm.read("line_items", line, *names)
    assert [told[name] for name in names] == [None, None, None, "99.99"]


@pytest.mark.parametrize(
    ("given", "payments", "value"),
    [
        ({}, "1", "100.00"),
        ({"recurringbillingfrequency": "monthly"}, None, None),
        (
            {"recurringbillingfrequency": "monthly", "hs_recurring_billing_period": "P12M"},
            "12",
            "1200.00",
        ),
        (
            {"recurringbillingfrequency": "annually", "hs_recurring_billing_period": "P2Y6M"},
            "3",
            "300.00",
        ),
        (
            {
                "recurringbillingfrequency": "weekly",
                "hs_recurring_billing_number_of_payments": "6",
            },
            "6",
            "600.00",
        ),
    ],
)
def test_h17_a_term_and_a_frequency_make_the_number_of_payments(crm, given, payments, value):
    names = ("hs_recurring_billing_number_of_payments", "hs_tcv")
    line = crm.create("line_items", quantity="1", price="100", **given)
    told = crm.read("line_items", line, *names)
    assert [told[name] for name in names] == [payments, value]


@pytest.mark.parametrize("term", ["24", "P", "12M", "P1W2D"])
def test_h17_a_term_of_another_form_is_refused(crm, term):
    status, refusal = crm.post(
        f"{OBJECTS}/line_items", {"properties": {"hs_recurring_billing_period": term}}
    )
    assert (status, refusal["errors"][0]["code"]) == (400, "INVALID_PERIOD")


def test_h6_an_empty_text_clears_a_property(crm):
    deal = crm.create("deals", dealname="Rollout", amount="1")
    crm.patch(f"{OBJECTS}/deals/{deal}", {"properties": {"amount": ""}})
    assert crm.read("deals", deal, "amount")["amount"] is None


def test_r41_won_is_computed_from_the_stage_of_the_deals_own_pipeline(crm):
    deal = crm.create("deals", pipeline="renewals", dealstage="115002002")
    assert crm.read("deals", deal, "hs_is_closed_won")["hs_is_closed_won"] == "true"
    crm.patch(f"{OBJECTS}/deals/{deal}", {"properties": {"dealstage": "115002003"}})
    told = crm.read("deals", deal, "hs_is_closed_won", "hs_is_closed")
    assert (told["hs_is_closed_won"], told["hs_is_closed"]) == ("false", "true")


def test_h2_a_batch_read_leaves_out_what_is_not_there_and_says_so(crm):
    ids = [crm.create("deals", dealname=name) for name in "abc"]
    asked = [{"id": ids[2]}, {"id": "404"}, {"id": ids[0]}, {"id": ids[2]}]
    status, answer = crm.post(
        f"{OBJECTS}/deals/batch/read", {"inputs": asked, "properties": ["dealname"]}
    )
    assert status == 207
    assert [record["id"] for record in answer["results"]] == [ids[0], ids[2]]  # not as asked
    assert answer["numErrors"] == 1
    assert answer["errors"][0]["category"] == "OBJECT_NOT_FOUND"
    assert answer["errors"][0]["context"] == {"ids": ["404"]}


def test_h2_a_batch_takes_a_hundred(crm):
    inputs = [{"id": str(number)} for number in range(101)]
    assert crm.post(f"{OBJECTS}/deals/batch/read", {"inputs": inputs})[0] == 400
    assert crm.post(f"{OBJECTS}/deals/batch/read", {"inputs": []})[0] == 400


def test_h4_a_batch_read_by_a_unique_property_finds_at_once(crm):
    mark = {
        "name": "tieout_mark",
        "label": "Mark",
        "type": "string",
        "fieldType": "text",
        "groupName": "information",
        "hasUniqueValue": True,
    }
    assert crm.post("/crm/properties/2026-03/deals", mark)[0] == 201
    deal = crm.create("deals", tieout_mark="ABC")
    body = {"inputs": [{"id": "ABC"}], "idProperty": "tieout_mark"}
    status, answer = crm.post(f"{OBJECTS}/deals/batch/read", body)
    assert (status, [record["id"] for record in answer["results"]]) == (200, [deal])
    body["idProperty"] = "dealname"
    assert crm.post(f"{OBJECTS}/deals/batch/read", body)[0] == 400
    status, refusal = crm.post(f"{OBJECTS}/deals", {"properties": {"tieout_mark": "ABC"}})
    assert (status, refusal["errors"][0]["code"]) == (400, "CONFLICTING_UNIQUE_VALUE")
    assert crm.patch(f"{OBJECTS}/deals/{deal}", {"properties": {"tieout_mark": "ABC"}})[0] == 200


def test_h4_a_contacts_address_is_unique_and_a_second_one_conflicts(crm):
    contact = crm.create("contacts", email="ap@baer.example")
    status, refusal = crm.post(f"{OBJECTS}/contacts", {"properties": {"email": "AP@baer.example"}})
    assert (status, refusal["category"]) == (409, "CONFLICT")
    assert refusal["message"] == f"Contact already exists. Existing ID: {contact}"


def test_h2_a_batch_without_trace_ids_fails_whole(crm):
    inputs = [{"properties": {"dealname": "a"}}, {"properties": {"amount": "much"}}]
    status, _ = crm.post(f"{OBJECTS}/deals/batch/create", {"inputs": inputs})
    assert (status, crm.found("deals")) == (400, [])


def test_h2_a_batch_with_trace_ids_answers_in_part_and_names_what_failed(crm):
    inputs = [
        {"properties": {"dealname": "a"}, "objectWriteTraceId": "t1"},
        {"properties": {"amount": "much"}, "objectWriteTraceId": "t2"},
    ]
    status, answer = crm.post(f"{OBJECTS}/deals/batch/create", {"inputs": inputs})
    assert status == 207
    assert [record["objectWriteTraceId"] for record in answer["results"]] == ["t1"]
    assert answer["errors"][0]["context"]["objectWriteTraceId"] == ["t2"]


def test_h2_a_batch_update_writes_what_is_there_and_names_what_is_not(crm):
    deal = crm.create("deals")
    inputs = [
        {"id": deal, "properties": {"amount": "5"}, "objectWriteTraceId": "t1"},
        {"id": "404", "properties": {"amount": "5"}, "objectWriteTraceId": "t2"},
    ]
    status, answer = crm.post(f"{OBJECTS}/deals/batch/update", {"inputs": inputs})
    assert status == 207
    assert [record["id"] for record in answer["results"]] == [deal]
    assert answer["errors"][0]["context"] == {"ids": ["404"], "objectWriteTraceId": ["t2"]}
    twice = [{"id": deal, "properties": {}}] * 2
    assert crm.post(f"{OBJECTS}/deals/batch/update", {"inputs": twice})[0] == 400


def test_h4_an_upsert_needs_a_unique_property_and_tells_what_is_new(crm):
    old = crm.create("contacts", email="old@baer.example")
    inputs = [
        {"idProperty": "email", "id": "old@baer.example", "properties": {"firstname": "O"}},
        {"idProperty": "email", "id": "new@baer.example", "properties": {"firstname": "N"}},
    ]
    status, answer = crm.post(f"{OBJECTS}/contacts/batch/upsert", {"inputs": inputs})
    assert status == 200
    assert [(record["id"] == old, record["new"]) for record in answer["results"]] == [
        (True, False),
        (False, True),
    ]
    inputs = [{"idProperty": "firstname", "id": "O", "properties": {}}]
    assert crm.post(f"{OBJECTS}/contacts/batch/upsert", {"inputs": inputs})[0] == 400


def test_r41_an_archived_record_is_gone_from_reads_and_search_and_listed_apart(crm):
    deal = crm.create("deals", dealname="a")
    assert crm.ask("DELETE", f"{OBJECTS}/deals/{deal}") == (204, None)
    assert crm.get(f"{OBJECTS}/deals/{deal}")[0] == 404
    assert crm.found("deals") == []
    body = {"inputs": [{"id": deal}]}
    assert crm.post(f"{OBJECTS}/deals/batch/read", body)[1]["results"] == []
    assert crm.post(f"{OBJECTS}/deals/batch/read?archived=true", body)[0] == 200
    _, answer = crm.get(f"{OBJECTS}/deals?archived=true")
    assert [record["id"] for record in answer["results"]] == [deal]
    assert answer["results"][0]["archivedAt"]


def test_h1_a_list_pages_by_id(crm):
    ids = [crm.create("deals") for _ in range(5)]
    _, first = crm.get(f"{OBJECTS}/deals?limit=3")
    _, second = crm.get(f"{OBJECTS}/deals?limit=3&after={first['paging']['next']['after']}")
    assert [record["id"] for record in first["results"] + second["results"]] == ids
    assert "paging" not in second
    assert crm.get(f"{OBJECTS}/deals?limit=101")[0] == 400


def test_r41_a_merge_makes_a_new_record_to_which_both_old_ids_lead(crm):
    one = crm.create("deals", dealname="one", amount="1")
    two = crm.create("deals", dealname="two", amount="2", description="kept")
    body = {"primaryObjectId": one, "objectIdToMerge": two}
    status, merged = crm.post(f"{OBJECTS}/deals/merge", body)
    assert status == 200
    assert merged["id"] not in {one, two}
    for old in (one, two):
        status, record = crm.get(
            f"{OBJECTS}/deals/{old}?properties=dealname,description,hs_merged_object_ids"
        )
        assert record["id"] == merged["id"]
        assert record["properties"]["dealname"] == "one"
        assert record["properties"]["description"] == "kept"
        assert record["properties"]["hs_merged_object_ids"] == f"{one};{two}"
    assert crm.found("deals") == [merged["id"]]
    inputs = {"inputs": [{"id": two, "properties": {"amount": "3"}}]}
    status, answer = crm.post(f"{OBJECTS}/deals/batch/update", inputs)
    assert [record["id"] for record in answer["results"]] == [merged["id"]]  # not as asked


def test_r41_a_record_merged_twice_is_found_by_all_its_ids(crm):
    ids = [crm.create("companies", name=name) for name in "abc"]
    merge = f"{OBJECTS}/companies/merge"
    _, first = crm.post(merge, {"primaryObjectId": ids[0], "objectIdToMerge": ids[1]})
    _, last = crm.post(merge, {"primaryObjectId": ids[2], "objectIdToMerge": first["id"]})
    found = {crm.get(f"{OBJECTS}/companies/{one}")[1]["id"] for one in (*ids, first["id"])}
    assert found == {last["id"]}


def test_h6_a_propertys_past_is_told_newest_first(crm, clock):
    deal = crm.create("deals", amount="1")
    clock.advance(60)
    crm.patch(f"{OBJECTS}/deals/{deal}", {"properties": {"amount": "2"}})
    _, record = crm.get(f"{OBJECTS}/deals/{deal}?propertiesWithHistory=amount,dealname")
    past = record["propertiesWithHistory"]
    assert [one["value"] for one in past["amount"]] == ["2", "1"]
    assert past["amount"][1]["timestamp"] == record["createdAt"]
    assert past["dealname"] == []


def test_r41_required_properties_are_demanded_from_2026_09_on(crm, portal):
    deal = crm.create("deals")
    portal.required["deals"] = {"po_number"}
    body = {"properties": {"amount": "1"}}
    assert crm.patch(f"/crm/objects/2026-03/deals/{deal}", body)[0] == 200
    status, refusal = crm.patch(f"/crm/objects/2026-09/deals/{deal}", body)
    assert (status, refusal["errors"][0]["code"]) == (400, "REQUIRED_FIELD")


def test_h1_an_unknown_kind_version_or_path_is_refused_in_json(crm):
    assert crm.get(f"{OBJECTS}/dragons/1")[1]["message"] == (
        "Unable to infer object type from: dragons"
    )
    assert crm.get("/crm/objects/1999-01/deals/1")[0] == 404
    assert crm.get("/nothing/here")[1]["category"] == "OBJECT_NOT_FOUND"
    assert crm.post(f"{OBJECTS}/deals", ["no", "object"])[0] == 400


def test_h1_v3_paths_and_type_ids_lead_to_the_same_records(crm):
    deal = crm.create("deals")
    assert crm.get(f"/crm/v3/objects/0-3/{deal}")[1]["id"] == deal


def test_r41_what_was_archived_can_be_read_and_restored_for_ninety_days(crm, clock):
    deal = crm.create("deals", dealname="old")
    crm.ask("DELETE", f"{OBJECTS}/deals/{deal}")
    restore = {"deed": "restore", "kind": "deals", "id": deal}
    clock.advance(90 * 86_400 - 60)
    assert crm.get(f"{OBJECTS}/deals/{deal}?archived=true")[0] == 200
    assert len(crm.get(f"{OBJECTS}/deals?archived=true")[1]["results"]) == 1
    clock.advance(120)
    assert crm.get(f"{OBJECTS}/deals/{deal}?archived=true")[0] == 404
    assert crm.get(f"{OBJECTS}/deals?archived=true")[1]["results"] == []
    assert crm.post("/__deeds", restore)[0] == 400


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("deals/batch/read", {"inputs": ["1"]}),
        ("deals/batch/read", {"inputs": [{"id": 1}]}),
        ("deals/batch/read", {"inputs": [{"id": "1"}], "properties": "amount"}),
        ("deals/batch/read", {"inputs": [{"id": "1"}], "archived": True}),
        ("deals/batch/read", {"ids": ["1"]}),
        ("deals/batch/update", {"inputs": [{"id": "1"}]}),
        ("deals/batch/update", {"inputs": [{"id": "1", "properties": ["amount"]}]}),
        ("deals/batch/update", {"inputs": [{"id": "1", "properties": {"amount": {"value": 1}}}]}),
        ("deals/batch/update", {"inputs": [{"id": "1", "properties": {}, "traceId": "1"}]}),
        ("deals/batch/create", {"inputs": [{"associations": []}]}),
        ("deals/merge", {"primaryObjectId": "1"}),
        ("deals", {"dealname": "Rollout"}),
        ("deals", []),
    ],
)
def test_h9_a_body_of_other_names_or_types_is_refused(crm, path, body):
    status, refusal = crm.post(f"{OBJECTS}/{path}", body)
    assert (status, refusal["category"]) == (400, "VALIDATION_ERROR")
    assert refusal["message"].startswith("Invalid input JSON: ")


@pytest.mark.parametrize("said", [None, "text/plain", "application/x-www-form-urlencoded"])
def test_h9_a_body_that_is_not_called_json_is_refused(crm, said):
    headers = {"Authorization": f"Bearer {crm.token}", **({"Content-Type": said} if said else {})}
    assert crm.send("POST", f"{OBJECTS}/deals", '{"properties": {}}', headers)[0] == 415
    headers["Content-Type"] = "application/json;charset=utf-8"
    assert crm.send("POST", f"{OBJECTS}/deals", '{"properties": {}}', headers)[0] == 201
    assert crm.send("POST", f"{OBJECTS}/deals", '{"properties": ', headers)[0] == 400


def test_h6_a_parameter_that_is_neither_true_nor_false_is_refused(crm):
    assert crm.get(f"{OBJECTS}/deals?archived=perhaps")[0] == 400
