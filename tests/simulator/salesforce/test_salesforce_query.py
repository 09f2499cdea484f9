"""SOQL: what it finds, how it refuses, and its pages."""

from decimal import Decimal

import pytest


@pytest.fixture
def three(crm):
    """Three opportunities of two accounts, one of them won."""
    acme = crm.create("Account", Name="Acme", BillingCity="Köln")
    brook = crm.create("Account", Name="Brook", ParentId=acme)
    crm.deal(Name="A", AccountId=acme, Amount=10, StageName="Closed Won")
    crm.deal(Name="b", AccountId=brook, Amount=20.5, CloseDate="2026-04-30")
    crm.deal(Name="C", NextStep="50% \\ it's")
    return crm


@pytest.mark.parametrize(
    ("where", "found"),
    [
        ("IsWon = true", ["A"]),
        ("Amount > 10", ["b"]),
        ("Amount >= 10 AND Amount <= 20.5", ["A", "b"]),
        ("Amount = null", ["C"]),
        ("Amount != 10", ["b", "C"]),
        ("Amount <> 10", ["b", "C"]),
        ("Amount < 20", ["A"]),
        ("Amount > EUR15", ["b"]),
        ("CloseDate = 2026-03-31", ["A", "C"]),
        ("CloseDate > 2026-03-31", ["b"]),
        ("Name = 'B'", ["b"]),
        ("Name IN ('a', 'c')", ["A", "C"]),
        ("Name NOT IN ('a', 'c')", ["b"]),
        ("NOT Name = 'a'", ["b", "C"]),
        ("(Name = 'a' OR Name = 'b') AND (NOT Amount = 10)", ["b"]),
        ("Name LIKE 'A%' OR Name LIKE '_'", ["A", "b", "C"]),
        ("NextStep LIKE '50\\% \\\\ it\\'s'", ["C"]),
        ("NextStep = '50% \\\\ it\\'s'", ["C"]),
        ("NextStep LIKE '5\\_%'", []),
        ("Account.Name = 'acme'", ["A"]),
        ("Account.Parent.Name = 'Acme'", ["b"]),
        ("AccountId IN (SELECT Id FROM Account WHERE Name = 'Brook')", ["b"]),
        ("SystemModstamp >= 2026-04-01T14:00:00+02:00", ["A", "b", "C"]),
        ("SystemModstamp > 2026-04-01T12:00:00.000Z", []),
        ("CreatedDate = TODAY", ["A", "b", "C"]),
        ("CloseDate = YESTERDAY", ["A", "C"]),
        ("CloseDate = LAST_N_DAYS:3 OR CloseDate > TOMORROW", ["A", "b", "C"]),
        ("CreatedDate < THIS_MONTH", []),
        ("Opportunity.Name = 'a'", ["A"]),
        ("Name = '\\u0041'", ["A"]),
        ("Id IN ('006000000000001', '006000000000001AAA')", ["A"]),
        ("OwnerId = '005000000000001AAA'", []),
    ],
)
def test_s2_a_condition_finds_what_it_says(three, where, found):
    assert three.names(f"SELECT Name FROM Opportunity WHERE {where} ORDER BY Name") == found


@pytest.mark.parametrize(
    ("clause", "found"),
    [
        ("ORDER BY Amount", ["C", "A", "b"]),
        ("ORDER BY Amount NULLS LAST", ["A", "b", "C"]),
        ("ORDER BY Amount NULLS FIRST", ["C", "A", "b"]),
        ("ORDER BY Amount DESC NULLS LAST", ["b", "A", "C"]),
        ("ORDER BY CloseDate DESC, Name DESC", ["b", "C", "A"]),
        ("ORDER BY Account.Name ASC NULLS LAST LIMIT 2", ["A", "b"]),
        ("ORDER BY Name LIMIT 2 OFFSET 1", ["b", "C"]),
    ],
)
def test_s2_what_is_found_is_ordered_and_cut(three, clause, found):
    assert three.names(f"SELECT Name FROM Opportunity {clause}") == found


def test_s2_parents_nest_and_children_are_lists(three):
    rows = three.rows(
        "SELECT Name, Account.Name, Account.Parent.BillingCity, Owner.Username, "
        "(SELECT Quantity FROM OpportunityLineItems) FROM Opportunity ORDER BY Name"
    )
    assert rows[0]["Account"]["Name"] == "Acme"
    assert rows[0]["Account"]["Parent"] is None
    assert rows[1]["Account"]["Parent"]["BillingCity"] == "Köln"
    assert rows[1]["Account"]["attributes"]["type"] == "Account"
    assert rows[2]["Account"] is None
    assert rows[2]["Owner"]["Username"] == "integration@nordlys.example"
    assert [one["OpportunityLineItems"] for one in rows] == [None] * 3

    children = three.rows("SELECT (SELECT Name FROM Opportunities) FROM Account ORDER BY Name")
    held = [one["Opportunities"] for one in children]
    assert [(one["totalSize"], one["done"], one["records"][0]["Name"]) for one in held] == [
        (1, True, "A"),
        (1, True, "b"),
    ]


def test_s2_a_polymorphic_reference_leads_to_a_name_or_by_its_type_further(three):
    deal = three.rows("SELECT Id FROM Opportunity LIMIT 1")[0]["Id"]
    three.create("Task", Subject="Call", WhatId=deal)
    row = three.rows(
        "SELECT What.Name, What.Type, TYPEOF Owner WHEN User THEN Username ELSE Name END FROM Task"
    )[0]
    assert (row["What"]["Name"], row["What"]["Type"]) == ("A", "Opportunity")
    assert row["Owner"]["Username"] == "integration@nordlys.example"
    three.create("Task", Subject="Alone")
    others = three.rows(
        "SELECT TYPEOF What WHEN Account THEN Phone, Name ELSE Id, Name END FROM Task ORDER BY Id"
    )
    assert [one["What"] and one["What"]["Name"] for one in others] == ["A", None]
    typed = three.rows("SELECT Id FROM Task WHERE What.Type = 'Opportunity'")
    assert len(typed) == 1
    refused = three.query("SELECT What.StageName FROM Task")
    assert "No such column 'StageName' on entity 'Name'" in refused.message


def test_s2_a_queues_records_show_its_name_and_no_field_that_only_people_have(crm):
    """What leads to a user or a queue leads to a Name; a queue has no user name."""
    queue = crm.deed("add_queue", name="Billing", kinds=["Invoice__c"], email="bills@n.example")
    crm.create("Invoice__c", Number__c="7", OwnerId=queue)
    crm.create("Invoice__c", Number__c="8")
    rows = crm.rows("SELECT Owner.Name, Owner.Email, Owner.Type FROM Invoice__c ORDER BY Number__c")
    assert [(one["Owner"]["Name"], one["Owner"]["Type"]) for one in rows] == [
        ("Billing", "Group"),
        ("Tieout Integration", "User"),
    ]
    assert rows[0]["Owner"]["Email"] == "bills@n.example"
    typed = crm.rows(
        "SELECT TYPEOF Owner WHEN User THEN Username WHEN Group THEN DeveloperName, Name END "
        "FROM Invoice__c WHERE Owner.Type = 'Group'"
    )
    assert [one["Owner"]["Name"] for one in typed] == ["Billing"]
    refused = crm.query("SELECT Owner.Username FROM Invoice__c")
    assert "No such column 'Username' on entity 'Name'" in refused.message
    assert crm.query("SELECT IsDeleted FROM Group").code == "INVALID_FIELD"


def test_s2_a_queue_owns_only_what_it_was_made_for(crm):
    queue = crm.deed("add_queue", name="Billing", kinds=["Invoice__c"])
    refused = crm.ask("POST", "sobjects/Payment__c", {"Amount__c": 1, "OwnerId": queue})
    assert (refused.status, refused.code) == (400, "INVALID_OPERATION")
    other = crm.ask("POST", "sobjects/Opportunity", {"Name": "A", "OwnerId": queue})
    assert other.code == "FIELD_INTEGRITY_EXCEPTION"


def test_s2_count_tells_a_size_and_no_rows(three):
    answer = three.query("SELECT COUNT() FROM Opportunity WHERE Amount != null").json
    assert answer == {"totalSize": 2, "done": True, "records": []}


def test_s2_numbers_are_bare_and_instants_end_in_their_offset(three):
    row = three.rows(
        "SELECT Amount, CloseDate, CreatedDate, IsWon, TotalOpportunityQuantity FROM Opportunity "
        "WHERE Name = 'A'"
    )[0]
    del row["attributes"]
    assert row == {
        "Amount": 10,
        "CloseDate": "2026-03-31",
        "CreatedDate": "2026-04-01T12:00:00.000+0000",
        "IsWon": True,
        "TotalOpportunityQuantity": None,
    }
    assert b'"Amount":10.0' in three.query("SELECT Amount FROM Opportunity WHERE Name='A'").body


@pytest.mark.parametrize(
    ("amount", "written"),
    [
        ("0", b"0.0"),
        ("100", b"100.0"),
        ("-99.50", b"-99.5"),
        ("9999999.99", b"9999999.99"),
        ("10000000", b"1.0E7"),
        ("12345678.9", b"1.23456789E7"),
        ("-123456789012.34", b"-1.2345678901234E11"),
        ("0.001", b"0.001"),
    ],
)
def test_s2_a_number_is_written_as_a_double_is(crm, amount, written):
    """Up to seven digits plainly, more with an exponent."""
    crm.deal(Amount=Decimal(amount))
    answer = crm.query("SELECT Amount FROM Opportunity")
    assert b'"Amount":' + written + b"}" in answer.body
    assert answer.json["records"][0]["Amount"] == Decimal(amount)


@pytest.mark.parametrize(
    ("soql", "code", "said"),
    [
        ("SELECT", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT FROM Opportunity", "MALFORMED_QUERY", "unexpected token: 'FROM'"),
        ("SELECT Id FROM Opportunity WHERE", "MALFORMED_QUERY", "unexpected token: '<EOF>'"),
        ("SELECT Id FROM Opportunity WHERE Id", "MALFORMED_QUERY", "unexpected token"),
        ("SELECT Id FROM Opportunity WHERE Name = 'O'Brien'", "MALFORMED_QUERY", "viable"),
        ("SELECT Id FROM Opportunity WHERE Name = 'a\\q'", "MALFORMED_QUERY", "escape"),
        ("SELECT Id FROM Opportunity WHERE Name = 'open", "MALFORMED_QUERY", "viable"),
        ("SELECT Id FROM Opportunity GROUP BY Name", "MALFORMED_QUERY", "'GROUP'"),
        ("SELECT SUM(Amount) FROM Opportunity", "MALFORMED_QUERY", "'('"),
        ("SELECT Id FROM Opportunity ALL ROWS", "MALFORMED_QUERY", "'ALL'"),
        ("SELECT Id FROM Opportunity FOR UPDATE", "MALFORMED_QUERY", "'FOR'"),
        ("SELECT Id FROM Opportunity LIMIT many", "MALFORMED_QUERY", "'many'"),
        ("SELECT Id FROM Opportunity OFFSET 3000", "MALFORMED_QUERY", "2000"),
        (
            "SELECT Id FROM Opportunity WHERE Name='a' AND Name='b' OR Name='c'",
            "MALFORMED_QUERY",
            "'OR'",
        ),
        ("SELECT Group FROM Opportunity", "MALFORMED_QUERY", "unexpected token: 'Group'"),
        ("SELECT Id FROM Order", "INVALID_TYPE", "sObject type 'Order' is not supported"),
        ("SELECT TYPEOF What END FROM Task", "MALFORMED_QUERY", "TYPEOF needs WHEN"),
        ("SELECT TYPEOF Account WHEN User THEN Id END FROM Task", "INVALID_FIELD", "'Account'"),
        ("SELECT TYPEOF What WHEN User THEN Id END FROM Task", "INVALID_TYPE", "TYPEOF"),
        ("SELECT TYPEOF What WHEN Account THEN Id ELSE Phone END FROM Task", "INVALID_FIELD", "Ph"),
        ("SELECT (SELECT (SELECT Id FROM A) FROM B) FROM Account", "MALFORMED_QUERY", "'('"),
        ("SELECT Id FROM Account WHERE Id BETWEEN 1", "MALFORMED_QUERY", "'BETWEEN'"),
        (f"SELECT Id FROM Account WHERE {'(' * 60}Id = null", "MALFORMED_QUERY", "deeply"),
        ("SELECT Id FROM Task WHERE Subject LIKE 1", "INVALID_FIELD", "type string"),
        ("SELECT Id FROM Task WHERE Subject = TODAY", "INVALID_FIELD", "type string"),
        (
            "SELECT Id FROM Account WHERE Name IN (SELECT Id FROM Contact)",
            "INVALID_QUERY_FILTER_OPERATOR",
            "string field",
        ),
        (
            "SELECT Id FROM Account WHERE Id IN (SELECT Id, Name FROM Contact)",
            "MALFORMED_QUERY",
            "inner select",
        ),
        ("SELECT Id FROM Deal", "INVALID_TYPE", "sObject type 'Deal' is not supported"),
        ("SELECT Nope FROM Opportunity", "INVALID_FIELD", "No such column 'Nope' on entity"),
        ("SELECT Id, Id FROM Opportunity", "INVALID_FIELD", "duplicate field selected: Id"),
        ("SELECT Shop.Name FROM Opportunity", "INVALID_FIELD", "relationship 'Shop'"),
        ("SELECT (SELECT Id FROM Shops) FROM Opportunity", "INVALID_TYPE", "'Shops' in FROM"),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate = '2026-01-01'",
            "INVALID_FIELD",
            "must be of type date and should not be enclosed in quotes",
        ),
        (
            "SELECT Id FROM Opportunity WHERE CloseDate > 2026-01-01T00:00:00Z",
            "INVALID_FIELD",
            "must be of type date",
        ),
        (
            "SELECT Id FROM Opportunity WHERE SystemModstamp > 2026-01-01",
            "INVALID_FIELD",
            "must be of type dateTime",
        ),
        ("SELECT Id FROM Opportunity WHERE Amount = '1'", "INVALID_FIELD", "type double"),
        ("SELECT Id FROM Opportunity WHERE Name = 1", "INVALID_FIELD", "should be enclosed"),
        ("SELECT Id FROM Opportunity WHERE IsWon = 'true'", "INVALID_FIELD", "type boolean"),
        ("SELECT Id FROM Opportunity WHERE CloseDate = 2026-02-30", "MALFORMED_QUERY", "Invalid"),
        ("SELECT Id FROM Task WHERE CreatedDate > 2026-01-01T99:00:00Z", "MALFORMED_QUERY", "Inv"),
        ("SELECT Id FROM Task WHERE CreatedDate = LAST_N_DAYS:9999999", "MALFORMED_QUERY", "range"),
        ("SELECT Id FROM Opportunity WHERE Description = 'a'", "INVALID_FIELD", "filtered"),
        ("SELECT Id FROM Opportunity ORDER BY Description", "INVALID_FIELD", "sorted"),
        (
            "SELECT Id FROM Opportunity WHERE Id = 'abc'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "invalid ID field: abc",
        ),
        (
            "SELECT Id FROM Opportunity WHERE IsWon > true",
            "INVALID_QUERY_FILTER_OPERATOR",
            "boolean field",
        ),
        (
            "SELECT Id FROM Opportunity WHERE AccountId LIKE '001%'",
            "INVALID_QUERY_FILTER_OPERATOR",
            "id field",
        ),
        (
            "SELECT Id FROM Opportunity WHERE AccountId IN (SELECT Name FROM Account)",
            "MALFORMED_QUERY",
            "inner select",
        ),
        (
            "SELECT Account.Parent.Parent.Parent.Parent.Parent.Name FROM Opportunity",
            "INVALID_FIELD",
            "5 parents",
        ),
    ],
)
def test_s2_a_query_that_cannot_be_answered_is_refused_with_its_place(three, soql, code, said):
    answer = three.query(soql)
    assert (answer.status, answer.code) == (400, code)
    assert said in answer.message
    assert "ERROR at Row:1:Column:" in answer.message


def test_s2_the_place_is_pointed_at(crm):
    answer = crm.query("SELECT Id, Nope FROM Opportunity")
    assert answer.message.startswith(
        "\nSELECT Id, Nope FROM Opportunity\n           ^\nERROR at Row:1:Column:12\nNo such column"
    )


def test_s2_a_query_has_at_most_100_000_characters_and_20_subqueries(crm):
    """What no address can hold travels within a composite."""
    long = "SELECT Id FROM Account WHERE Name = '" + "x" * 100_000 + "'"
    part = {"method": "GET", "url": f"/services/data/v66.0/query?q={long}", "referenceId": "a"}
    answer = crm.ask("POST", "composite", {"compositeRequest": [part]})
    refused = answer.json["compositeResponse"][0]["body"][0]
    assert refused["errorCode"] == "MALFORMED_QUERY"
    assert "100000 characters" in refused["message"]
    many = ",".join(["(SELECT Id FROM Contacts)"] * 21)
    assert crm.query(f"SELECT {many} FROM Account").code == "MALFORMED_QUERY"
    assert crm.ask("GET", "query").code == "MALFORMED_QUERY"


@pytest.fixture
def many(crm):
    crm.org.page_rows = 300
    for number in range(1000):
        crm.org.plant("Account", {"Name": f"A{number:04d}"})
    return crm


def pages(crm, soql, resource="query", **headers):
    answer = crm.query(soql, resource, **headers).json
    while True:
        yield answer
        if answer["done"]:
            return
        answer = crm.ask("GET", answer["nextRecordsUrl"], headers=headers).json


def test_s3_pages_follow_each_other_until_one_says_that_it_is_the_last(many):
    read = list(pages(many, "SELECT Name FROM Account ORDER BY Name"))
    assert [len(one["records"]) for one in read] == [300, 300, 300, 100]
    assert {one["totalSize"] for one in read} == {1000}
    assert [one["Name"] for page in read for one in page["records"]] == [
        f"A{number:04d}" for number in range(1000)
    ]
    assert "nextRecordsUrl" not in read[-1]


def test_s3_a_page_may_hold_fewer_rows_than_it_might(many):
    many.org.short_pages = 1
    sizes = [len(one["records"]) for one in pages(many, "SELECT Id FROM Account")]
    assert sum(sizes) == 1000
    assert all(270 <= size < 300 for size in sizes[:-1])


def test_s3_the_caller_may_ask_for_200_to_2000_rows(many):
    many.org.page_rows = 2000
    options = {"Sforce-Query-Options": "batchSize=200"}
    sizes = [len(one["records"]) for one in pages(many, "SELECT Id FROM Account", **options)]
    assert sizes == [200] * 5
    options = {"Sforce-Query-Options": "batchSize=10"}
    assert len(next(pages(many, "SELECT Id FROM Account", **options))["records"]) == 200


def test_s3_children_count_as_rows_of_a_page(many):
    for one in list(many.org.tables["Account"].records)[:200]:
        for _ in range(2):
            many.org.plant("Contact", {"LastName": "A", "AccountId": one})
    soql = "SELECT Id, (SELECT Id FROM Contacts) FROM Account ORDER BY Id"
    assert [len(one["records"]) for one in pages(many, soql)][:3] == [100, 100, 300]


def test_s3_with_two_long_texts_a_page_has_200_rows(many):
    many.org.page_rows = 2000
    for name in ("A__c", "B__c"):
        metadata = {"type": "LongTextArea", "length": 1000, "label": name}
        told = {"FullName": f"Account.{name}", "Metadata": metadata}
        assert many.ask("POST", "tooling/sobjects/CustomField", told).status == 201
        many.deed("show_field", kind="Account", field=name)
    assert len(next(pages(many, "SELECT A__c FROM Account"))["records"]) == 1000
    assert len(next(pages(many, "SELECT A__c, B__c FROM Account"))["records"]) == 200


def test_s3_a_page_shows_what_is_there_when_it_is_read(many):
    read = pages(many, "SELECT Id, Name FROM Account ORDER BY Name")
    next(read)
    named = {one["Name"]: one["Id"] for one in many.org.tables["Account"].records.values()}
    many.deed("delete", kind="Account", id=named["A0300"])
    many.deed("edit", kind="Account", id=named["A0301"], fields={"Name": "Anew"})
    second = next(read)["records"]
    assert (len(second), second[0]["Name"]) == (299, "Anew")


def test_s3_a_locator_lives_two_days_and_is_its_users_alone(many, clock):
    many.org.session_secs = 10**7
    many.token = many.org.open_session()
    url = many.query("SELECT Id FROM Account").json["nextRecordsUrl"]
    assert many.ask("GET", url).status == 200
    clock.advance(hours=48)
    late = many.ask("GET", url)
    assert (late.status, late.code) == (400, "INVALID_QUERY_LOCATOR")
    fresh = many.query("SELECT Id FROM Account").json["nextRecordsUrl"]
    many.token = many.org.open_session("admin@nordlys.example")
    assert many.ask("GET", fresh).code == "INVALID_QUERY_LOCATOR"
    assert many.ask("GET", "query/0r8000000000001AAA-10").code == "INVALID_QUERY_LOCATOR"


def test_s3_ten_cursors_are_open_at_once(many):
    urls = [many.query("SELECT Id FROM Account").json["nextRecordsUrl"] for _ in range(11)]
    assert [many.ask("GET", url).status for url in urls] == [400] + [200] * 10
