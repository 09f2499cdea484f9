"""Many at once: collections, composites, bulk jobs; and fields made by the Tooling API."""

import csv
import io
from decimal import Decimal

import pytest

COLLECTION = "composite/sobjects"


def outcomes(answer):
    assert answer.status == 200, answer.body
    return [
        one["errors"][0]["statusCode"] if one["errors"] else one["success"] for one in answer.json
    ]


@pytest.fixture
def deals(crm):
    return [crm.deal(Name=name) for name in "abc"]


def test_s6_each_record_of_a_collection_is_answered_on_its_own(crm, deals):
    rows = [
        {"id": deals[0], "NextStep": "done"},
        {"id": "006000000000zzzAAA", "NextStep": "done"},
        {"id": deals[1], "Amount": "much"},
        {"NextStep": "done"},
        {"id": deals[2], "Name": "C"},
    ]
    answer = crm.collection("PATCH", "Opportunity", rows, allOrNone=False)
    assert outcomes(answer) == [
        True,
        "INVALID_CROSS_REFERENCE_KEY",
        "INVALID_TYPE_ON_FIELD_IN_RECORD",
        "MISSING_ARGUMENT",
        True,
    ]
    assert answer.json[0] == {"id": deals[0], "success": True, "errors": []}
    assert answer.json[2]["errors"][0]["fields"] == ["Amount"]
    assert crm.names("SELECT Name FROM Opportunity ORDER BY Id") == ["a", "b", "C"]


def test_s6_all_or_none_undoes_what_went_well(crm, deals):
    rows = [{"id": deals[0], "Name": "A"}, {"id": deals[1], "Name": None}]
    answer = crm.collection("PATCH", "Opportunity", rows, allOrNone=True)
    assert outcomes(answer) == ["ALL_OR_NONE_OPERATION_ROLLED_BACK", "REQUIRED_FIELD_MISSING"]
    assert crm.names("SELECT Name FROM Opportunity ORDER BY Id") == ["a", "b", "c"]


def test_s6_a_collection_has_200_records_at_most(crm, deals):
    rows = [{"id": deals[0], "NextStep": str(place)} for place in range(201)]
    answer = crm.collection("PATCH", "Opportunity", rows)
    assert (answer.status, answer.code) == (400, "EXCEEDED_ID_LIMIT")
    assert outcomes(crm.collection("PATCH", "Opportunity", rows[:200])) == [True] * 200


def test_s6_types_that_alternate_make_chunks_of_which_ten_are_allowed(crm):
    def rows(count):
        kinds = ("Account", "Product2")
        return [{"attributes": {"type": kinds[n % 2]}, "Name": str(n)} for n in range(count)]

    refused = crm.ask("POST", COLLECTION, {"records": rows(11)})
    assert (refused.status, refused.code) == (400, "LIMIT_EXCEEDED")
    assert "10 chunks" in refused.message
    assert outcomes(crm.ask("POST", COLLECTION, {"records": rows(10)})) == [True] * 10
    together = sorted(rows(40), key=lambda one: one["attributes"]["type"])
    assert outcomes(crm.ask("POST", COLLECTION, {"records": together})) == [True] * 40


def test_s6_what_is_not_well_formed_is_refused_whole(crm, deals):
    bare = crm.ask("PATCH", COLLECTION, {"records": [{"id": deals[0], "Name": "A"}]})
    assert (bare.status, bare.code) == (400, "INVALID_INPUT")
    assert crm.collection("PATCH", "Deal", [{"id": deals[0]}]).code == "INVALID_TYPE"
    assert crm.ask("PATCH", COLLECTION, {"records": "all"}).code == "JSON_PARSER_ERROR"
    mixed = [
        {"attributes": {"type": "Account"}, "Name": "A"},
        {"attributes": {"type": "PermissionSet"}, "Name": "A", "Label": "A"},
    ]
    assert crm.ask("POST", COLLECTION, {"records": mixed}).code == "MIXED_DML_OPERATION"


def test_s6_records_are_made_read_and_deleted_together(crm):
    made = crm.collection("POST", "Account", [{"Name": "a"}, {"Name": "b"}, {"Id": "1"}])
    assert outcomes(made) == [True, True, "INVALID_FIELD"]
    ids = [one["id"] for one in made.json[:2]]
    path = f"{COLLECTION}/Account"
    read = crm.ask("GET", path, ids=",".join([*ids, "001000000000zzzAAA"]), fields="Name")
    assert [one and one["Name"] for one in read.json] == ["a", "b", None]
    posted = crm.ask("POST", path, {"ids": ids, "fields": ["Name", "Phone"]})
    assert [one["Phone"] for one in posted.json] == [None, None]
    assert crm.ask("GET", path, ids=ids[0]).code == "MISSING_ARGUMENT"
    assert crm.ask("POST", path, {"ids": "all", "fields": 1}).code == "JSON_PARSER_ERROR"
    gone = crm.ask("DELETE", COLLECTION, ids=",".join([*ids, "nothing"]), allOrNone="false")
    assert outcomes(gone) == [True, True, "MALFORMED_ID"]


def test_s6_an_upsert_of_a_collection_goes_by_its_external_id(crm):
    crm.create("Invoice__c", Name="one", Number__c="A/1")
    rows = [
        {"Number__c": "a/1", "Name": "renamed"},
        {"Number__c": "B", "Name": "two"},
        {"Number__c": "", "Name": "three"},
        {"Number__c": "C", "Name": "four"},
        {"Number__c": "c", "Name": "five"},
    ]
    answer = crm.collection("PATCH", "Invoice__c", rows, f"{COLLECTION}/Invoice__c/Number__c")
    assert outcomes(answer) == [
        True,
        True,
        "MISSING_ARGUMENT",
        "DUPLICATE_VALUE",
        "DUPLICATE_VALUE",
    ]
    assert [one.get("created") for one in answer.json[:2]] == [False, True]
    assert crm.names("SELECT Name FROM Invoice__c ORDER BY Name") == ["renamed", "two"]
    unknown = crm.collection("PATCH", "Invoice__c", rows, f"{COLLECTION}/Invoice__c/Name")
    assert unknown.code == "NOT_FOUND"


def compose(crm, *parts, **more):
    told = [
        {"method": method, "url": f"/services/data/v66.0/{url}", "referenceId": name, "body": body}
        for name, method, url, body in parts
    ]
    return crm.ask("POST", "composite", {"compositeRequest": told, **more})


def statuses(answer):
    return [one["httpStatusCode"] for one in answer.json["compositeResponse"]]


def test_s11_a_later_part_refers_to_what_an_earlier_one_answered(crm):
    answer = compose(
        crm,
        ("acme", "POST", "sobjects/Account", {"Name": "Acme"}),
        ("ada", "POST", "sobjects/Contact", {"LastName": "Ada", "AccountId": "@{acme.id}"}),
        ("found", "GET", "query?q=SELECT+Id,Name+FROM+Contact", None),
        ("read", "GET", "sobjects/Contact/@{found.records[0].Id}?fields=AccountId", None),
    )
    assert statuses(answer) == [201, 201, 200, 200]
    told = {one["referenceId"]: one["body"] for one in answer.json["compositeResponse"]}
    assert told["read"]["AccountId"] == told["acme"]["id"]
    assert answer.headers["sforce-limit-info"] == "api-usage=1/100000"


def test_s11_a_part_fails_alone_unless_another_needs_it(crm):
    parts = (
        ("wrong", "POST", "sobjects/Account", {}),
        ("needs", "POST", "sobjects/Contact", {"LastName": "A", "AccountId": "@{wrong.id}"}),
        ("alone", "POST", "sobjects/Account", {"Name": "B"}),
    )
    answer = compose(crm, *parts)
    assert statuses(answer) == [400, 400, 201]
    assert answer.json["compositeResponse"][1]["body"][0]["errorCode"] == "PROCESSING_HALTED"


def test_s11_all_or_none_undoes_every_part(crm):
    parts = (
        ("alone", "POST", "sobjects/Account", {"Name": "B"}),
        ("wrong", "POST", "sobjects/Account", {}),
        ("never", "POST", "sobjects/Account", {"Name": "C"}),
    )
    answer = compose(crm, *parts, allOrNone=True)
    assert statuses(answer) == [400] * 3
    codes = [one["body"][0]["errorCode"] for one in answer.json["compositeResponse"]]
    assert codes == ["PROCESSING_HALTED", "REQUIRED_FIELD_MISSING", "PROCESSING_HALTED"]
    assert crm.rows("SELECT Id FROM Account") == []


def test_s11_a_composite_has_25_parts_and_five_queries_or_collections(crm):
    query = ("GET", "query?q=SELECT+Id+FROM+Account", None)
    light = ("GET", "sobjects/Account", None)
    assert statuses(compose(crm, *((f"a{n}", *query) for n in range(5)))) == [200] * 5
    assert compose(crm, *((f"a{n}", *query) for n in range(6))).code == "LIMIT_EXCEEDED"
    assert statuses(compose(crm, *((f"a{n}", *light) for n in range(25)))) == [200] * 25
    assert compose(crm, *((f"a{n}", *light) for n in range(26))).code == "LIMIT_EXCEEDED"
    assert compose(crm, ("a", *light), ("a", *light)).code == "INVALID_INPUT"
    assert crm.ask("POST", "composite", {"compositeRequest": [{}]}).code == "JSON_PARSER_ERROR"
    assert crm.ask("POST", "composite", {}).code == "JSON_PARSER_ERROR"
    assert compose(crm, ("a", "POST", "composite", {})).code == "INVALID_INPUT"
    assert compose(crm, ("a", 5, "sobjects", None)).code == "JSON_PARSER_ERROR"


def test_s11_a_thousand_records_are_written_in_one_call(crm):
    made = [crm.org.plant("Account", {"Name": "A"}) for _ in range(1000)]
    parts = []
    for place in range(0, 1000, 200):
        rows = [
            {"attributes": {"type": "Account"}, "id": one, "Phone": "1"}
            for one in made[place : place + 200]
        ]
        parts.append((f"p{place}", "PATCH", COLLECTION, {"records": rows}))
    answer = compose(crm, *parts)
    done = [one["success"] for part in answer.json["compositeResponse"] for one in part["body"]]
    assert done == [True] * 1000


MARK = {
    "FullName": "Opportunity.Tieout_Mark__c",
    "Metadata": {
        "label": "Tieout mark",
        "type": "Text",
        "length": 80,
        "unique": True,
        "externalId": True,
        "caseSensitive": True,
    },
}
FIELDS = "tooling/sobjects/CustomField"


def grant(crm, field, **more):
    """Make a permission set with the field, and assign it to the integration user."""
    granted = crm.create("PermissionSet", Name="Tieout", Label="Tieout")
    rights = {"PermissionsRead": True, "PermissionsEdit": True, **more}
    crm.create(
        "FieldPermissions", ParentId=granted, SobjectType="Opportunity", Field=field, **rights
    )
    crm.create(
        "PermissionSetAssignment", PermissionSetId=granted, AssigneeId=crm.org.integration_id
    )
    return granted


def test_s12_a_field_is_made_once_and_found_again(crm):
    made = crm.ask("POST", FIELDS, MARK)
    assert (made.status, made.json["success"]) == (201, True)
    again = crm.ask("POST", FIELDS, MARK)
    assert (again.status, again.code) == (400, "DUPLICATE_DEVELOPER_NAME")
    told = crm.ask(
        "GET",
        "tooling/query",
        q="SELECT Id, DeveloperName FROM CustomField WHERE TableEnumOrId = 'Opportunity' "
        "AND DeveloperName LIKE 'Tieout%'",
    ).json["records"]
    assert [(one["Id"], one["DeveloperName"]) for one in told] == [(made.json["id"], "Tieout_Mark")]
    defined = crm.ask(
        "GET",
        "tooling/query",
        q="SELECT QualifiedApiName, DataType FROM FieldDefinition WHERE "
        "EntityDefinition.QualifiedApiName = 'Opportunity' AND QualifiedApiName = 'Tieout_Mark__c'",
    ).json["records"]
    assert [one["DataType"] for one in defined] == ["Text(80)"]
    assert crm.query("SELECT Id FROM CustomField").code == "INVALID_TYPE"
    assert crm.ask("DELETE", f"{FIELDS}/{made.json['id']}").status == 204
    assert crm.ask("POST", FIELDS, MARK).status == 201


def test_s13_a_field_that_was_made_is_seen_once_a_permission_set_grants_it(crm):
    crm.ask("POST", FIELDS, MARK)
    soql = "SELECT Tieout_Mark__c FROM Opportunity"
    assert crm.query(soql).code == "INVALID_FIELD"
    grant(crm, "Opportunity.Tieout_Mark__c")
    deal = crm.deal(Tieout_Mark__c="portal:1")
    assert crm.rows(soql)[0]["Tieout_Mark__c"] == "portal:1"
    other = crm.ask(
        "PATCH",
        "sobjects/Opportunity/Tieout_Mark__c/PORTAL%3A1",
        {"Name": "B", "StageName": "Prospecting", "CloseDate": "2026-03-31"},
    )
    assert (other.status, other.json["id"] != deal) == (201, True)


def test_s13_to_read_is_not_to_edit(crm):
    crm.ask("POST", FIELDS, MARK)
    grant(crm, "Opportunity.Tieout_Mark__c", PermissionsEdit=False)
    answer = crm.change("Opportunity", crm.deal(), Tieout_Mark__c="a")
    assert answer.code == "INVALID_FIELD_FOR_INSERT_UPDATE"
    described = crm.ask("GET", "sobjects/Opportunity/describe").json["fields"]
    assert [one["updateable"] for one in described if one["name"] == "Tieout_Mark__c"] == [False]


def test_s13_a_grant_is_given_once_and_only_of_what_can_be_granted(crm):
    crm.ask("POST", FIELDS, MARK)
    held = grant(crm, "Opportunity.Tieout_Mark__c")
    body = {"ParentId": held, "SobjectType": "Opportunity", "PermissionsRead": True}

    def code(field, **more):
        told = {**body, "Field": f"Opportunity.{field}", **more}
        return crm.ask("POST", "sobjects/FieldPermissions", told).code

    assert code("Tieout_Mark__c") == "DUPLICATE_VALUE"
    assert code("Nope__c") == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert code("Name") == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    lone = {"PermissionsRead": False, "PermissionsEdit": True}
    assert code("PO_Number__c", **lone) == "FIELD_INTEGRITY_EXCEPTION"
    assigned = {"PermissionSetId": held, "AssigneeId": crm.org.integration_id}
    again = crm.ask("POST", "sobjects/PermissionSetAssignment", assigned)
    assert again.code == "DUPLICATE_VALUE"


def test_s13_the_set_up_is_for_those_who_may_customize(crm):
    crm.deed("forbid_customizing")
    assert crm.ask("POST", FIELDS, MARK).code == "INSUFFICIENT_ACCESS"
    sets = crm.ask("POST", "sobjects/PermissionSet", {"Name": "A", "Label": "A"})
    assert (sets.status, sets.code) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")


@pytest.mark.parametrize(
    ("name", "metadata", "code"),
    [
        ("Opportunity.Mark", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.9Mark__c", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.My__Mark__c", {}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Deal.Mark__c", {}, "INVALID_CROSS_REFERENCE_KEY"),
        ("Opportunity.Mark__c", {"type": "Magic"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Mark__c", {"length": 256}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Mark__c", {"label": "x" * 41}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Mark__c", {"type": "Checkbox"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Mark__c", {"length": "long"}, "FIELD_INTEGRITY_EXCEPTION"),
        ("Opportunity.Mark__c", {"type": "Lookup"}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            "Opportunity.Mark__c",
            {"type": "Lookup", "referenceTo": "Deal", "relationshipName": "Marks"},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        (
            "Opportunity.Mark__c",
            {"type": "Picklist", "valueSet": {"valueSetDefinition": {"value": ["a"]}}},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
        ("Opportunity.Mark__c", {"type": "Date", "unique": True}, "FIELD_INTEGRITY_EXCEPTION"),
        (
            "Opportunity.Mark__c",
            {"type": "Number", "precision": 2, "scale": 3},
            "FIELD_INTEGRITY_EXCEPTION",
        ),
    ],
)
def test_s12_a_field_that_cannot_be_is_refused(crm, name, metadata, code):
    told = {"label": "Mark", "type": "Text", "length": 80, **metadata}
    answer = crm.ask("POST", FIELDS, {"FullName": name, "Metadata": told})
    assert (answer.status, answer.code) == (400, code)


@pytest.mark.parametrize(
    ("metadata", "value"),
    [
        ({"type": "Text", "length": 20}, "text"),
        ({"type": "TextArea"}, "text"),
        ({"type": "LongTextArea", "length": 1000, "visibleLines": 3}, "text"),
        ({"type": "Url"}, "https://books.example/1"),
        ({"type": "Email"}, "a@b.example"),
        ({"type": "Date"}, "2026-03-31"),
        ({"type": "DateTime"}, "2026-03-31T22:00:00.000+0000"),
        ({"type": "Currency", "precision": 18, "scale": 2}, Decimal("10.5")),
        ({"type": "Number", "precision": 5, "scale": 0}, Decimal("7.0")),
        ({"type": "Checkbox", "defaultValue": False}, True),
        (
            {
                "type": "Picklist",
                "valueSet": {
                    "restricted": True,
                    "valueSetDefinition": {"value": [{"fullName": "paid", "label": "Paid"}]},
                },
            },
            "paid",
        ),
    ],
)
def test_s12_a_field_of_each_type_keeps_a_value(crm, metadata, value):
    told = {"label": "Extra", **metadata}
    assert crm.ask("POST", FIELDS, {"FullName": "Opportunity.X__c", "Metadata": told}).status == 201
    deal = crm.deal()
    if metadata["type"] != "Checkbox":
        grant(crm, "Opportunity.X__c")
    assert crm.change("Opportunity", deal, X__c=value).status == 204
    assert crm.read("Opportunity", deal, "X__c")["X__c"] == value


def test_s12_a_lookup_makes_a_relationship_in_both_directions(crm):
    metadata = {
        "label": "Payer",
        "type": "Lookup",
        "referenceTo": "Account",
        "relationshipName": "Paid_Deals",
    }
    told = {"FullName": "Opportunity.Payer__c", "Metadata": metadata}
    assert crm.ask("POST", FIELDS, told).status == 201
    grant(crm, "Opportunity.Payer__c")
    crm.deal(Payer__c=crm.create("Account", Name="Acme"))
    assert crm.rows("SELECT Payer__r.Name FROM Opportunity")[0]["Payer__r"]["Name"] == "Acme"
    row = crm.rows("SELECT (SELECT Name FROM Paid_Deals__r) FROM Account")[0]
    assert row["Paid_Deals__r"]["records"][0]["Name"] == "Deal"


def bulk(crm, soql, operation="query"):
    return crm.ask("POST", "jobs/query", {"operation": operation, "query": soql})


def completed(crm, soql, operation="query"):
    job = bulk(crm, soql, operation).json
    states = [job["state"]]
    while states[-1] != "JobComplete":
        states.append(crm.ask("GET", f"jobs/query/{job['id']}").json["state"])
    assert states == ["UploadComplete", "InProgress", "JobComplete"]
    return job["id"]


def test_s14_a_query_job_is_polled_and_read_page_by_page(crm, deals):
    crm.change("Opportunity", deals[0], Name='a "quoted", line\nof two', Amount=7)
    soql = "SELECT Id, Name, Amount, IsWon, Account.Name FROM Opportunity"
    path = f"jobs/query/{completed(crm, soql)}/results"
    first = crm.ask("GET", path, maxRecords="2")
    head, *rows = csv.reader(io.StringIO(first.body.decode()))

    assert head == ["Id", "Name", "Amount", "IsWon", "Account.Name"]
    assert first.headers["content-type"].startswith("text/csv")
    assert first.headers["sforce-numberofrecords"] == "2"
    rest = crm.ask("GET", path, locator=first.headers["sforce-locator"])
    assert rest.headers["sforce-locator"] == "null"
    rows += list(csv.reader(io.StringIO(rest.body.decode())))[1:]
    assert min(rows) == [deals[0], 'a "quoted", line\nof two', "7.0", "false", ""]
    assert sorted(one[0] for one in rows) == deals
    assert crm.ask("GET", path, locator="?").code == "INVALID_LOCATOR"


def test_s14_a_jobs_rows_come_in_no_order(crm):
    made = [crm.org.plant("Account", {"Name": "A"}) for _ in range(20)]
    path = f"jobs/query/{completed(crm, 'SELECT Id FROM Account')}/results"
    rows = crm.ask("GET", path).body.decode().split()[1:]
    ids = [one.strip('"') for one in rows]
    assert (ids != made, sorted(ids)) == (True, made)


def test_s14_query_all_reads_the_bin(crm, deals):
    crm.deed("delete", kind="Opportunity", id=deals[0])
    job = completed(crm, "SELECT Id FROM Opportunity WHERE IsDeleted = true", "queryAll")
    assert crm.ask("GET", f"jobs/query/{job}").json["numberRecordsProcessed"] == 1


def test_s14_a_job_is_aborted_before_its_end_and_deleted_after_it(crm, deals):
    job = bulk(crm, "SELECT Id FROM Opportunity").json["id"]
    path = f"jobs/query/{job}"
    assert crm.ask("GET", f"{path}/results").code == "INVALIDJOBSTATE"
    assert crm.ask("DELETE", path).code == "INVALIDJOBSTATE"
    assert crm.ask("PATCH", path, {"state": "Aborted"}).json["state"] == "Aborted"
    assert crm.ask("GET", path).json["state"] == "Aborted"
    assert crm.ask("PATCH", path, {"state": "Aborted"}).code == "INVALIDJOBSTATE"
    assert len(crm.ask("GET", "jobs/query").json["records"]) == 1
    assert crm.ask("DELETE", path).status == 204
    assert crm.ask("GET", path).code == "NOT_FOUND"


def test_s14_results_are_kept_for_a_week(crm, deals, clock):
    job = completed(crm, "SELECT Id FROM Opportunity")
    clock.advance(days=8)
    crm.token = crm.org.open_session()
    assert crm.ask("GET", f"jobs/query/{job}/results").status == 404


@pytest.mark.parametrize(
    "soql",
    [
        "SELECT (SELECT Id FROM OpportunityLineItems) FROM Opportunity",
        "SELECT COUNT() FROM Opportunity",
        "SELECT Id FROM Opportunity OFFSET 1",
        "SELECT Id FROM Opportunity LIMIT 1",
        "SELECT Id FROM Opportunity ORDER BY Id",
    ],
)
def test_s14_a_job_takes_plain_columns_only(crm, soql):
    assert (bulk(crm, soql).status, bulk(crm, soql).code) == (400, "INVALIDJOB")
    assert bulk(crm, "SELECT Nope FROM Opportunity").code == "INVALID_FIELD"
    assert bulk(crm, soql, "insert").code == "INVALIDENTITY"
