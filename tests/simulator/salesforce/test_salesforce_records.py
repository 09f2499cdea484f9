"""Single records: what is described, taken, refused, deleted and found again."""

import json
from decimal import Decimal

import pytest


def refused(answer):
    return answer.status, answer.code, answer.json[0].get("fields")


def test_s5_describe_tells_each_field_with_its_type_and_limits(crm):
    told = crm.ask("GET", "sobjects/Opportunity/describe").json
    fields = {one["name"]: one for one in told["fields"]}

    def parts(name, *keys):
        return tuple(fields[name][key] for key in keys)

    assert (told["name"], told["keyPrefix"], told["custom"]) == ("Opportunity", "006", False)
    assert parts("Name", "type", "length", "nillable") == ("string", 120, False)
    assert parts("Amount", "type", "precision", "scale") == ("currency", 18, 3)
    assert parts("IsWon", "calculated", "updateable") == (True, False)
    assert parts("AccountId", "referenceTo", "relationshipName") == (["Account"], "Account")
    assert parts("Id", "type", "createable") == ("id", False)
    stages = [one["value"] for one in fields["StageName"]["picklistValues"]]
    assert stages[-2:] == ["Closed Won", "Closed Lost"]
    lines = next(
        one for one in told["childRelationships"] if one["childSObject"] == "OpportunityLineItem"
    )
    assert lines["relationshipName"] == "OpportunityLineItems"
    assert told["recordTypeInfos"][-1]["master"] is True


def test_s5_kinds_are_listed_and_others_are_not_found(crm):
    names = [one["name"] for one in crm.ask("GET", "sobjects").json["sobjects"]]
    assert {"Opportunity", "Account", "Invoice__c"} <= set(names)
    assert "CustomField" not in names
    assert crm.ask("GET", "sobjects/Account").json["objectDescribe"]["keyPrefix"] == "001"
    assert crm.ask("GET", "sobjects/Nope/describe").code == "NOT_FOUND"


def test_s5_record_types_are_described(crm):
    made = crm.deed("add_record_type", kind="Opportunity", name="Renewal")
    told = crm.ask("GET", "sobjects/Opportunity/describe").json["recordTypeInfos"]
    assert (told[0]["developerName"], told[0]["recordTypeId"]) == ("Renewal", made)
    crm.deal(RecordTypeId=made)
    row = crm.rows("SELECT RecordType.DeveloperName FROM Opportunity")[0]
    assert row["RecordType"]["DeveloperName"] == "Renewal"


def test_s8_a_record_is_made_read_changed_and_deleted(crm):
    account = crm.create("Account", Name="Acme", Phone="")
    assert crm.change("Account", account[:15], Name="Acme AS").status == 204
    told = crm.read("Account", account, "Name", "Phone")
    assert (told["Name"], told["Phone"], told["Id"]) == ("Acme AS", None, account)
    whole = crm.ask("GET", f"sobjects/Account/{account}").json
    assert (whole["BillingCity"], whole["CurrencyIsoCode"]) == (None, "EUR")
    assert crm.ask("DELETE", f"sobjects/Account/{account}").status == 204
    gone = crm.ask("GET", f"sobjects/Account/{account}")
    assert (gone.status, gone.code) == (404, "ENTITY_IS_DELETED")
    assert crm.ask("GET", "sobjects/Account/001000000000zzz").code == "NOT_FOUND"


@pytest.mark.parametrize(
    ("fields", "code", "at"),
    [
        ({"Name": None}, "REQUIRED_FIELD_MISSING", ["Name"]),
        ({"Name": "x" * 121}, "STRING_TOO_LONG", ["Name"]),
        ({"Name": {"a": 1}}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["Name"]),
        ({"Amount": "much"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["Amount"]),
        ({"Amount": True}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["Amount"]),
        ({"Amount": "NaN"}, "INVALID_TYPE_ON_FIELD_IN_RECORD", ["Amount"]),
        ({"Amount": 10**16}, "NUMBER_OUTSIDE_VALID_RANGE", ["Amount"]),
        ({"CloseDate": "31.3.2026"}, "JSON_PARSER_ERROR", ["CloseDate"]),
        ({"IsWon": True}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["IsWon"]),
        ({"SystemModstamp": "2026-01-01"}, "INVALID_FIELD_FOR_INSERT_UPDATE", ["SystemModstamp"]),
        ({"Nope": 1}, "INVALID_FIELD", []),
        ({"AccountId": "001000000000zzzAAA"}, "INVALID_CROSS_REFERENCE_KEY", ["AccountId"]),
        ({"AccountId": "003000000000001AAA"}, "FIELD_INTEGRITY_EXCEPTION", ["AccountId"]),
        ({"AccountId": "acme"}, "MALFORMED_ID", ["AccountId"]),
        (
            {"CurrencyIsoCode": "XXX"},
            "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST",
            ["CurrencyIsoCode"],
        ),
    ],
)
def test_s8_a_value_that_is_not_taken_is_named(crm, fields, code, at):
    deal = crm.deal()
    assert refused(crm.change("Opportunity", deal, **fields)) == (400, code, at)


def test_s8_what_is_missing_at_birth_is_named(crm):
    answer = crm.ask("POST", "sobjects/Opportunity", {"Name": "A"})
    assert answer.message == "Required fields are missing: [StageName, CloseDate]"


def test_s8_whole_numbers_and_checkboxes_take_their_own_alone(crm):
    account = crm.create("Account", Name="Acme", NumberOfEmployees="7")
    assert crm.read("Account", account, "NumberOfEmployees")["NumberOfEmployees"] == 7
    half = crm.change("Account", account, NumberOfEmployees=Decimal("1.5"))
    assert half.code == "INVALID_TYPE_ON_FIELD_IN_RECORD"
    product = crm.create("Product2", Name="A", IsActive="true")
    assert crm.read("Product2", product, "IsActive")["IsActive"] is True
    for value in (None, "perhaps"):
        assert crm.change("Product2", product, IsActive=value).code == (
            "INVALID_TYPE_ON_FIELD_IN_RECORD"
        )
    assert crm.ask("GET", f"sobjects/Product2/{product}", fields="Nope").code == "INVALID_FIELD"


def test_s8_what_is_deleted_is_no_reference(crm):
    account, deal = crm.create("Account", Name="A"), crm.deal()
    crm.deed("delete", kind="Account", id=account)
    assert crm.change("Opportunity", deal, AccountId=account).code == "ENTITY_IS_DELETED"
    rows = [{"id": account, "Name": "B"}]
    told = crm.collection("PATCH", "Account", rows).json[0]["errors"][0]
    assert told["statusCode"] == "ENTITY_IS_DELETED"


def test_s8_numbers_are_rounded_half_up_to_the_fields_digits(crm):
    deal = crm.deal(Amount=Decimal("1.0005"))
    assert crm.read("Opportunity", deal, "Amount")["Amount"] == Decimal("1.001")


def test_s8_an_address_of_mail_and_an_inactive_owner_are_refused(crm):
    mail = crm.ask("POST", "sobjects/Contact", {"LastName": "A", "Email": "nobody"})
    assert mail.code == "INVALID_EMAIL_ADDRESS"
    seller = crm.rows("SELECT Id FROM User WHERE Username = 'seller1@nordlys.example'")[0]["Id"]
    crm.org.put("User", {**crm.org.tables["User"].records[seller], "IsActive": False})
    owner = crm.ask("POST", "sobjects/Account", {"Name": "A", "OwnerId": seller})
    assert owner.code == "INACTIVE_OWNER_OR_USER"


@pytest.fixture
def marked(crm):
    """An org in which an invoice's number is an external id, and one invoice is there."""
    crm.create("Invoice__c", Name="one", Number__c="A/1 b#c")
    return crm


def test_s7_an_external_id_is_read_as_it_was_encoded(marked, encoded):
    path = f"sobjects/Invoice__c/Number__c/{encoded('A/1 b#c')}"
    assert marked.ask("GET", path).json["Name"] == "one"
    assert marked.ask("GET", "sobjects/Invoice__c/Number__c/A").code == "NOT_FOUND"
    assert marked.ask("GET", "sobjects/Invoice__c/Number__c/A/1").code == "NOT_FOUND"


def test_s7_an_upsert_changes_the_holder_or_makes_one(marked, encoded):
    path = f"sobjects/Invoice__c/Number__c/{encoded('A/1 b#c')}"
    first = marked.ask("PATCH", path, {"Name": "renamed"})
    other = marked.ask("PATCH", "sobjects/Invoice__c/Number__c/A", {"Name": "two"})
    assert [(one.status, one.json["created"]) for one in (first, other)] == [
        (200, False),
        (201, True),
    ]
    assert marked.names("SELECT Name FROM Invoice__c ORDER BY Name") == ["renamed", "two"]
    twice = marked.ask("PATCH", path, {"Number__c": "B"})
    assert twice.code == "INVALID_FIELD"


def test_s7_no_field_is_an_external_id_that_is_not_made_so(marked):
    answer = marked.ask("PATCH", "sobjects/Invoice__c/Name/one", {"Status__c": "Draft"})
    assert (answer.status, answer.code) == (404, "NOT_FOUND")
    assert "external ID field does not exist" in answer.message


def test_s7_an_id_is_an_external_id_too_and_its_value_may_not_be_empty(marked):
    held = marked.rows("SELECT Id FROM Invoice__c")[0]["Id"]
    path = f"sobjects/Invoice__c/Id/{held}"
    assert marked.ask("GET", path).json["Name"] == "one"
    assert marked.ask("PATCH", path, {"Name": "two"}).status == 204
    rows = [{"Id": held, "Name": "three"}]
    told = marked.collection("PATCH", "Invoice__c", rows, "composite/sobjects/Invoice__c/Id").json
    assert (told[0]["id"], told[0]["created"]) == (held, False)
    other = marked.collection("PATCH", "Account", rows, "composite/sobjects/Invoice__c/Id").json
    assert other[0]["errors"][0]["statusCode"] == "INVALID_TYPE"


def test_s7_a_unique_value_is_held_once_whatever_its_case(marked):
    answer = marked.ask("POST", "sobjects/Invoice__c", {"Number__c": "a/1 B#C"})
    assert (answer.status, answer.code) == (400, "DUPLICATE_VALUE")
    holder = marked.rows("SELECT Id FROM Invoice__c")[0]["Id"]
    assert answer.message.endswith(f"record with id: {holder}")
    marked.deed("delete", kind="Invoice__c", id=holder)
    assert marked.create("Invoice__c", Number__c="a/1 B#C")


def test_s7_an_external_id_that_several_hold_is_ambiguous(crm):
    crm.deed("create_field", kind="Account", name="Legacy__c", external_id=True)
    crm.deed("show_field", kind="Account", field="Legacy__c")
    for _ in range(2):
        crm.create("Account", Name="Acme", Legacy__c="7")
    answer = crm.ask("PATCH", "sobjects/Account/Legacy__c/7", {"Name": "B"})
    assert answer.status == 300
    rows = [{"Legacy__c": "7", "Name": "B"}]
    told = crm.collection("PATCH", "Account", rows, "composite/sobjects/Account/Legacy__c").json
    assert told[0]["errors"][0]["statusCode"] == "DUPLICATE_EXTERNAL_ID"


def test_s4_a_field_that_the_user_may_not_see_is_as_if_it_were_not_there(crm):
    deal = crm.deal(PO_Number__c="7")
    crm.deed("hide_field", kind="Opportunity", field="PO_Number__c")

    assert (
        "No such column 'PO_Number__c'" in crm.query("SELECT PO_Number__c FROM Opportunity").message
    )
    described = crm.ask("GET", "sobjects/Opportunity/describe").json["fields"]
    assert "PO_Number__c" not in {one["name"] for one in described}
    assert crm.change("Opportunity", deal, PO_Number__c="8").code == "INVALID_FIELD"
    assert "PO_Number__c" not in crm.ask("GET", f"sobjects/Opportunity/{deal}").json
    crm.deed("show_field", kind="Opportunity", field="PO_Number__c", edit=False)
    assert crm.read("Opportunity", deal, "PO_Number__c")["PO_Number__c"] == "7"
    closed = crm.change("Opportunity", deal, PO_Number__c="8")
    assert closed.code == "INVALID_FIELD_FOR_INSERT_UPDATE"


def test_s4_a_standard_field_can_be_hidden_too(crm):
    crm.deed("hide_field", kind="Opportunity", field="NextStep")
    assert crm.query("SELECT NextStep FROM Opportunity").code == "INVALID_FIELD"
    crm.deed("show_field", kind="Opportunity", field="NextStep")
    assert crm.query("SELECT NextStep FROM Opportunity").status == 200


def test_s4_a_kind_that_the_user_may_not_see_is_as_if_it_were_not_there(crm):
    crm.deed("hide_kind", kind="Product2")
    assert crm.query("SELECT Id FROM Product2").code == "INVALID_TYPE"
    assert crm.query("SELECT Product2.Name FROM OpportunityLineItem").code == "INVALID_FIELD"
    assert crm.ask("GET", "sobjects/Product2/describe").code == "NOT_FOUND"
    assert "Product2" not in {one["name"] for one in crm.ask("GET", "sobjects").json["sobjects"]}
    crm.deed("hide_kind", kind="OpportunityLineItem")
    children = crm.query("SELECT (SELECT Id FROM OpportunityLineItems) FROM Opportunity")
    assert children.code == "INVALID_TYPE"
    crm.deed("show_kind", kind="Product2")
    assert crm.query("SELECT Id FROM Product2").status == 200


def test_s4_a_kind_that_the_user_may_only_read_says_so(crm):
    account = crm.create("Account", Name="Acme")
    crm.deed("forbid_writing", kind="Account")
    described = crm.ask("GET", "sobjects/Account/describe").json
    assert (described["createable"], described["updateable"], described["queryable"]) == (
        False,
        False,
        True,
    )
    for answer in (
        crm.change("Account", account, Name="B"),
        crm.ask("POST", "sobjects/Account", {"Name": "B"}),
        crm.ask("DELETE", f"sobjects/Account/{account}"),
    ):
        assert (answer.status, answer.code) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
    crm.deed("show_kind", kind="Account")
    assert crm.change("Account", account, Name="B").status == 204


def test_s9_a_record_that_another_transaction_holds_is_refused_for_a_while(crm, clock):
    deal = crm.deal()
    line = crm.line(deal)
    crm.deed("lock_row", id=deal, seconds=30)
    answer = crm.change("Opportunity", deal, Name="B")
    assert (answer.status, answer.code) == (400, "UNABLE_TO_LOCK_ROW")
    assert crm.change("OpportunityLineItem", line, Quantity=2).code == "UNABLE_TO_LOCK_ROW"
    clock.advance(seconds=30)
    assert crm.change("Opportunity", deal, Name="B").status == 204


def test_s9_a_record_in_approval_is_locked_for_all_but_administrators(crm):
    deal = crm.deal()
    crm.deed("lock_record", id=deal)
    assert crm.change("Opportunity", deal, Name="B").code == "ENTITY_IS_LOCKED"
    crm.deed("edit_deal", deal=deal, fields={"Name": "C"})
    crm.deed("unlock_record", id=deal)
    assert crm.change("Opportunity", deal, Name="B").status == 204


def test_s9_a_validation_rule_refuses_in_its_own_words(crm):
    deal = crm.deal(Amount=10)
    crm.deed(
        "add_validation_rule",
        kind="Opportunity",
        where="Amount > 100 AND NextStep = null",
        message="Say what comes next",
        field="NextStep",
    )
    answer = crm.change("Opportunity", deal, Amount=101)
    assert refused(answer) == (400, "FIELD_CUSTOM_VALIDATION_EXCEPTION", ["NextStep"])
    assert answer.message == "Say what comes next"
    crm.deed("drop_validation_rules")
    assert crm.change("Opportunity", deal, Amount=101).status == 204


def test_s9_an_administrators_own_code_may_throw(crm):
    deal = crm.deal()
    crm.deed("add_trigger", kind="Opportunity", where="Amount > 100", message="Too much")
    answer = crm.change("Opportunity", deal, Amount=101)
    assert refused(answer) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY", [])
    assert answer.message.endswith("caused by: Too much")


def test_s9_a_duplicate_rule_refuses_unless_the_caller_insists(crm):
    crm.create("Account", Name="Acme")
    crm.deed("add_duplicate_rule", kind="Account", field="Name")
    body = {"Name": "ACME"}
    assert crm.ask("POST", "sobjects/Account", body).code == "DUPLICATES_DETECTED"
    insisting = {"Sforce-Duplicate-Rule-Header": "allowSave=true"}
    assert crm.ask("POST", "sobjects/Account", body, headers=insisting).status == 201


def test_r37_what_is_deleted_is_in_the_bin_for_15_days_and_then_nowhere(crm, clock):
    crm.org.session_secs = 10**7
    crm.token = crm.org.open_session()
    deal = crm.deal()
    line = crm.line(deal)
    clock.advance(minutes=1)
    crm.deed("delete", kind="Opportunity", id=deal)

    assert crm.rows("SELECT Id FROM Opportunity") == []
    binned = crm.rows("SELECT Id, IsDeleted, SystemModstamp FROM Opportunity", "queryAll")[0]
    assert (binned["Id"], binned["IsDeleted"]) == (deal, True)
    assert binned["SystemModstamp"] == "2026-04-01T12:01:00.000+0000"
    lines = crm.rows("SELECT Id FROM OpportunityLineItem WHERE IsDeleted = true", "queryAll")
    assert [one["Id"] for one in lines] == [line]
    assert crm.change("Opportunity", deal, Name="B").code == "ENTITY_IS_DELETED"
    clock.advance(days=15)
    assert crm.rows("SELECT Id FROM Opportunity", "queryAll") == []
    assert crm.rows("SELECT Id FROM OpportunityLineItem", "queryAll") == []


def test_r37_what_is_undeleted_comes_back_with_its_parts(crm, clock):
    deal = crm.deal()
    kept, dropped = crm.line(deal), crm.line(deal)
    crm.deed("remove_line", line=dropped)
    clock.advance(minutes=1)
    crm.deed("delete", kind="Opportunity", id=deal)
    clock.advance(minutes=1)
    crm.deed("undelete", kind="Opportunity", id=deal)

    row = crm.rows("SELECT SystemModstamp FROM Opportunity")[0]
    assert row["SystemModstamp"] == "2026-04-01T12:02:00.000+0000"
    assert [one["Id"] for one in crm.rows("SELECT Id FROM OpportunityLineItem")] == [kept]
    clock.advance(days=16)
    crm.org.purge()
    assert len(crm.org.tables["Opportunity"].records) == 1


def test_r37_the_loser_of_a_merge_names_its_master_and_its_deals_move(crm, clock):
    acme, twin = crm.create("Account", Name="Acme"), crm.create("Account", Name="ACME")
    deal = crm.deal(AccountId=twin)
    clock.advance(seconds=1)
    crm.deed("merge", kind="Account", master=acme, loser=twin)

    gone = crm.rows("SELECT Id, MasterRecordId FROM Account WHERE IsDeleted = true", "queryAll")
    assert [(one["Id"], one["MasterRecordId"]) for one in gone] == [(twin, acme)]
    moved = crm.rows("SELECT AccountId, SystemModstamp FROM Opportunity")[0]
    assert (moved["AccountId"], moved["SystemModstamp"]) == (acme, "2026-04-01T12:00:01.000+0000")
    assert crm.ask("GET", "/__truth").json["merged"] == {twin: acme}
    told = crm.ask("POST", "/__deeds", {"deed": "undelete", "kind": "Account", "id": twin})
    assert (told.status, deal != "") == (400, True)


def test_r49_an_opportunity_cannot_be_merged(crm):
    words = {"deed": "merge", "kind": "Opportunity", "master": crm.deal(), "loser": crm.deal()}
    assert crm.ask("POST", "/__deeds", words).status == 400


def test_r37_an_account_that_has_bought_is_not_deleted_and_another_takes_its_deals_along(crm):
    acme, other = crm.create("Account", Name="Acme"), crm.create("Account", Name="Other")
    crm.deal(AccountId=acme, StageName="Closed Won")
    crm.line(crm.deal(AccountId=other))
    assert crm.ask("DELETE", f"sobjects/Account/{acme}").code == "DELETE_FAILED"
    assert crm.ask("DELETE", f"sobjects/Account/{other}").status == 204
    assert len(crm.rows("SELECT Id FROM Opportunity")) == 1
    assert crm.rows("SELECT Id FROM OpportunityLineItem") == []


def test_s16_a_file_is_a_version_of_a_document_and_linked_to_its_record(crm):
    deal = crm.deal()
    version = crm.create(
        "ContentVersion",
        Title="Quote",
        PathOnClient="quote.pdf",
        VersionData="JVBERg==",
        FirstPublishLocationId=deal,
    )
    link = crm.rows(
        "SELECT ContentDocument.Title, ContentDocument.LatestPublishedVersion.ContentSize, "
        f"ShareType FROM ContentDocumentLink WHERE LinkedEntityId = '{deal}'"
    )[0]
    assert link["ContentDocument"]["Title"] == "Quote"
    assert link["ContentDocument"]["LatestPublishedVersion"]["ContentSize"] == 4
    row = crm.rows("SELECT VersionData, FileExtension, Checksum, IsLatest FROM ContentVersion")[0]
    assert (row["FileExtension"], row["IsLatest"]) == ("pdf", True)
    content = crm.ask("GET", row["VersionData"])
    assert (content.status, content.body) == (200, b"%PDF")
    assert content.headers["content-type"].startswith("application/octetstream")
    assert crm.ask("DELETE", f"sobjects/ContentVersion/{version}").status == 403


def test_s16_links_are_asked_for_by_their_ends(crm):
    deal = crm.deal()
    crm.deed("attach", record=deal, name="a.pdf", content="JVBERg==")
    by_deal = f"SELECT ContentDocumentId FROM ContentDocumentLink WHERE LinkedEntityId = '{deal}'"
    assert len(crm.rows(by_deal)) == 1
    bare = crm.query("SELECT Id FROM ContentDocumentLink")
    assert (bare.code, "Implementation restriction" in bare.message) == ("MALFORMED_QUERY", True)
    inner = crm.query(f"SELECT Id FROM ContentVersion WHERE ContentDocumentId IN ({by_deal})")
    assert "not supported for semi join" in inner.message
    nested = crm.rows(
        "SELECT (SELECT ContentDocument.Title FROM ContentDocumentLinks) FROM Opportunity"
    )
    assert nested[0]["ContentDocumentLinks"]["records"][0]["ContentDocument"]["Title"] == "a"


def test_s16_people_attach_files_of_any_size_and_name(crm):
    deal = crm.deal()
    names = ["empty.pdf", "../../etc/passwd", "huge.bin", "no extension"]
    sizes = [0, 3, 3_000_000, 1]
    for name, size in zip(names, sizes, strict=True):
        crm.deed("attach", record=deal, name=name, size_bytes=size)
    rows = crm.rows("SELECT PathOnClient, ContentSize, VersionData FROM ContentVersion")
    assert [(one["PathOnClient"], one["ContentSize"]) for one in rows] == list(
        zip(names, sizes, strict=True)
    )
    assert [len(crm.ask("GET", one["VersionData"]).body) for one in rows] == sizes


def test_s16_a_second_version_is_the_latest_and_keeps_the_document(crm):
    first = crm.create("ContentVersion", PathOnClient="a.txt", VersionData="YQ==")
    document = crm.rows("SELECT ContentDocumentId FROM ContentVersion")[0]["ContentDocumentId"]
    crm.create("ContentVersion", PathOnClient="b.txt", VersionData="", ContentDocumentId=document)
    rows = crm.rows("SELECT Id, IsLatest, VersionNumber, ContentSize FROM ContentVersion")
    told = sorted((one["VersionNumber"], one["IsLatest"], one["ContentSize"]) for one in rows)
    assert told == [("1", False, 1), ("2", True, 0)]
    assert first in {one["Id"] for one in rows}


def test_s16_a_version_needs_bytes_and_a_path(crm):
    path = "sobjects/ContentVersion"
    assert crm.ask("POST", path, {"PathOnClient": "a"}).code == "REQUIRED_FIELD_MISSING"
    assert crm.ask("POST", path, {"VersionData": "YQ=="}).code == "REQUIRED_FIELD_MISSING"
    wrong = {"PathOnClient": "a", "VersionData": "not base64"}
    assert crm.ask("POST", path, wrong).code == "INVALID_BASE64"


def test_s16_a_file_may_come_in_a_part_of_its_own(crm):
    deal = crm.deal()
    fields = {"Title": "Big", "PathOnClient": "big.pdf", "FirstPublishLocationId": deal}
    content = b"%PDF-" + bytes(range(256)) * 10
    body = form(json.dumps(fields).encode(), content)
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    answer = crm.ask("POST", "sobjects/ContentVersion", body, headers=headers)
    assert answer.status == 201, answer.body
    assert crm.org.blobs[answer.json["id"]] == content
    for wrong in (body[:-10], body.replace(b"; filename", b"; x"), b"--b--", form(b"[]", content)):
        answer = crm.ask("POST", "sobjects/ContentVersion", wrong, headers=headers)
        assert answer.code == "INVALID_MULTIPART_REQUEST", wrong[:80]


def form(fields, content):
    """The body of a record that comes with its bytes."""
    lines = [
        b"--b",
        b'Content-Disposition: form-data; name="entity_content"',
        b"Content-Type: application/json",
        b"",
        fields,
        b"--b",
        b'Content-Disposition: form-data; name="VersionData"; filename="big.pdf"',
        b"",
        content,
        b"--b--",
        b"",
    ]
    return b"\r\n".join(lines)
