"""Metadata: what tables, columns, keys and choices there are, and making new ones."""

import pytest

OPPORTUNITY = "EntityDefinitions(LogicalName='opportunity')"
PICKLIST = "Microsoft.Dynamics.CRM.PicklistAttributeMetadata"


def label(text):
    one = {"Label": text, "LanguageCode": 1033}
    return {"@odata.type": "Microsoft.Dynamics.CRM.Label", "LocalizedLabels": [one]}


def column(kind, schema_name, **more):
    return {
        "@odata.type": f"Microsoft.Dynamics.CRM.{kind}AttributeMetadata",
        "SchemaName": schema_name,
        "DisplayName": label(schema_name),
        "RequiredLevel": {"Value": "None"},
        **more,
    }


@pytest.fixture
def solution(crm):
    """A publisher with the prefix tieout, and a solution of its."""
    publisher = crm.create(
        "publishers",
        uniquename="tieout",
        friendlyname="Tieout",
        customizationprefix="tieout",
        customizationoptionvalueprefix=71_000,
    )
    bound = {"publisherid@odata.bind": f"/publishers({publisher})"}
    crm.create(
        "solutions", uniquename="tieout_outcome", friendlyname="Outcome", version="1.0", **bound
    )
    return {"MSCRM.SolutionUniqueName": "tieout_outcome"}


def test_d7_tables_are_listed_and_filtered(crm):
    path = "EntityDefinitions?$select=LogicalName,EntitySetName"
    (row,) = crm.rows(f"{path}&$filter=LogicalName eq 'opportunity'")
    assert (row["EntitySetName"], set(row)) == (
        "opportunities",
        {"LogicalName", "EntitySetName", "MetadataId"},
    )
    crm.deed("track", table="invoice", on=False)
    tracked = crm.rows(f"{path}&$filter=ChangeTrackingEnabled eq true and IsCustomEntity eq false")
    names = {one["LogicalName"] for one in tracked}
    assert ("opportunity" in names, "invoice" in names) == (True, False)
    wanted = "LogicalName eq 'account' or LogicalName eq 'contact'"
    assert len(crm.rows(f"{path}&$filter={wanted}")) == 2


def test_d7_a_table_tells_its_columns_and_keys(crm):
    _, table = crm.get(f"{OPPORTUNITY}?$select=ChangeTrackingEnabled&$expand=Keys,Attributes")
    assert (table["ChangeTrackingEnabled"], table["Keys"]) == (True, [])
    assert "estimatedvalue_base" in {one["LogicalName"] for one in table["Attributes"]}


def test_d7_columns_tell_types_lengths_and_precision(crm):
    told = {one["LogicalName"]: one for one in crm.rows(f"{OPPORTUNITY}/Attributes")}
    assert (told["name"]["AttributeType"], told["name"]["MaxLength"]) == ("String", 300)
    money = told["totalamount"]
    assert (money["AttributeType"], money["PrecisionSource"], money["IsValidForUpdate"]) == (
        "Money",
        2,
        False,
    )
    twin = told["estimatedvalue_base"]
    assert (twin["IsBaseCurrency"], twin["CalculationOf"]) == (True, "estimatedvalue")
    day = told["estimatedclosedate"]
    assert (day["Format"], day["DateTimeBehavior"]) == ("DateOnly", {"Value": "DateOnly"})
    assert told["customerid"]["Targets"] == ["account", "contact"]
    assert told["opportunityid"]["IsPrimaryId"] is True


def test_d7_a_query_over_all_columns_selects_only_what_all_have(crm):
    path = f"{OPPORTUNITY}/Attributes?$select=LogicalName,AttributeType,IsValidForUpdate"
    assert {"LogicalName", "IsValidForUpdate"} <= set(crm.rows(path)[0])
    refused = crm.get(f"{OPPORTUNITY}/Attributes?$select=MaxLength")
    assert crm.refused(refused) == (400, "0x80060888")
    derived = f"{OPPORTUNITY}/Attributes/Microsoft.Dynamics.CRM.StringAttributeMetadata"
    rows = crm.rows(f"{derived}?$select=LogicalName,MaxLength")
    assert {one["LogicalName"]: one["MaxLength"] for one in rows}["name"] == 300


def test_d7_choices_tell_their_values_and_labels(crm):
    path = f"{OPPORTUNITY}/Attributes(LogicalName='opportunityratingcode')/{PICKLIST}"
    _, told = crm.get(f"{path}?$select=LogicalName&$expand=OptionSet")
    options = told["OptionSet"]["Options"]
    assert [(one["Value"], one["Label"]["UserLocalizedLabel"]["Label"]) for one in options] == [
        (1, "Hot"),
        (2, "Warm"),
        (3, "Cold"),
    ]
    rows = crm.rows(f"{OPPORTUNITY}/Attributes/{PICKLIST}?$select=LogicalName&$expand=OptionSet")
    assert "pricingerrorcode" in {one["LogicalName"] for one in rows}
    status = f"{OPPORTUNITY}/Attributes/Microsoft.Dynamics.CRM.StatusAttributeMetadata"
    (reasons,) = crm.rows(f"{status}?$expand=OptionSet")
    assert [(one["Value"], one["State"]) for one in reasons["OptionSet"]["Options"]] == [
        (1, 0),
        (2, 0),
        (3, 1),
        (4, 2),
        (5, 2),
    ]


def test_d7_an_option_without_a_label_has_none_in_any_language(crm):
    crm.deed("label_option", table="opportunity", column="opportunityratingcode", value=4, label="")
    path = f"{OPPORTUNITY}/Attributes(LogicalName='opportunityratingcode')/{PICKLIST}"
    _, told = crm.get(f"{path}?$expand=OptionSet")
    last = told["OptionSet"]["Options"][-1]
    assert (last["Value"], last["Label"]["UserLocalizedLabel"]) == (4, None)


def test_d7_an_unknown_table_or_column_is_not_found(crm):
    for path in (
        "EntityDefinitions(LogicalName='nope')",
        f"{OPPORTUNITY}/Attributes(LogicalName='nope')",
    ):
        assert crm.refused(crm.get(path)) == (404, "0x80060888")


@pytest.mark.parametrize(
    ("body", "value"),
    [
        (column("String", "tieout_Text", MaxLength=40), "INV-1"),
        (column("Memo", "tieout_Memo", MaxLength=4000), "All is well."),
        (column("Money", "tieout_Money", PrecisionSource=2), 12.5),
        (column("DateTime", "tieout_Day", Format="DateOnly"), "2026-04-01"),
        (column("DateTime", "tieout_At", Format="DateAndTime"), "2026-04-01T10:00:00Z"),
        (column("Boolean", "tieout_Flag"), True),
        (column("Decimal", "tieout_Decimal", Precision=2), 1.25),
        (column("Integer", "tieout_Whole"), 7),
        (
            column(
                "Picklist",
                "tieout_Choice",
                OptionSet={"Options": [{"Value": 710_000_000, "Label": label("Paid")}]},
            ),
            710_000_000,
        ),
    ],
)
def test_d8_a_column_is_made_in_a_solution_and_holds_values(crm, solution, body, value):
    status, _ = crm.ask("POST", f"{OPPORTUNITY}/Attributes", body, **solution)
    assert status == 204
    where = crm.headers["odata-entityid"]
    name = body["SchemaName"].lower()
    assert crm.get(where)[1]["LogicalName"] == name
    xml = {"ParameterXml": "<importexportxml><entities/></importexportxml>"}
    assert crm.post("PublishXml", xml)[0] == 204
    deal = crm.create("opportunities", **{"name": "Deal", name: value})
    assert crm.read("opportunities", deal, name)[name] == value
    if "Money" in name.title():
        assert f"{name}_base" in crm.read("opportunities", deal)
    twice = crm.ask("POST", f"{OPPORTUNITY}/Attributes", body, **solution)
    assert crm.refused(twice) == (400, "0x80047013")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (column("String", "other_Text", MaxLength=40), "0x80040203"),
        (column("String", "Text", MaxLength=40), "0x80040203"),
        (column("String", "tieout_Text", MaxLength=5000), "0x80048d19"),
        (column("Picklist", "tieout_Choice"), "0x80048d19"),
        (column("Unknown", "tieout_Text"), "0x80048d19"),
    ],
)
def test_d8_a_column_that_is_not_taken_is_refused(crm, solution, body, code):
    answer = crm.ask("POST", f"{OPPORTUNITY}/Attributes", body, **solution)
    assert crm.refused(answer) == (400, code)


def test_d8_a_solution_that_is_not_there_is_refused(crm, solution):
    body = column("String", "tieout_Text", MaxLength=40)
    header = {"MSCRM.SolutionUniqueName": "nope"}
    answer = crm.ask("POST", f"{OPPORTUNITY}/Attributes", body, **header)
    assert crm.refused(answer) == (400, "0x80040203")


def test_d8_an_option_is_added_to_a_choice_and_no_other_is_touched(crm, solution):
    shipped = {"Value": 1, "Label": label("Shipped")}
    sets = {"OptionSet": {"Options": [shipped]}}
    crm.post(f"{OPPORTUNITY}/Attributes", column("Picklist", "tieout_State", **sets), **solution)
    told = {
        "EntityLogicalName": "opportunity",
        "AttributeLogicalName": "tieout_state",
        "Value": 842170007,
        "Label": label("credited"),
        "SolutionUniqueName": "tieout_outcome",
    }
    status, answer = crm.post("InsertOptionValue", told)
    assert (status, answer["NewOptionValue"]) == (200, 842170007)
    path = f"{OPPORTUNITY}/Attributes/{PICKLIST}?$select=LogicalName&$expand=OptionSet"

    def shown() -> list[int]:
        (made,) = [one for one in crm.rows(path) if one["LogicalName"] == "tieout_state"]
        return [one["Value"] for one in made["OptionSet"]["Options"]]

    assert shown() == [1]  # metadata shows what is published
    crm.post("PublishXml", {"ParameterXml": "<importexportxml/>"})
    assert shown() == [1, 842170007]


@pytest.mark.parametrize(
    "wrong",
    [
        {"Value": 1},
        {"Value": "two"},
        {"Label": None},
        {"AttributeLogicalName": "name"},
        {"EntityLogicalName": "nothing"},
        {"SolutionUniqueName": "elsewhere"},
    ],
)
def test_d8_an_option_that_is_not_taken_is_refused(crm, solution, wrong):
    sets = {"OptionSet": {"Options": [{"Value": 1, "Label": label("Shipped")}]}}
    crm.post(f"{OPPORTUNITY}/Attributes", column("Picklist", "tieout_State", **sets), **solution)
    told = {
        "EntityLogicalName": "opportunity",
        "AttributeLogicalName": "tieout_state",
        "Value": 2,
        "Label": label("Sent"),
        "SolutionUniqueName": "tieout_outcome",
    }
    assert crm.post("InsertOptionValue", {**told, **wrong})[0] == 400


def test_d8_a_key_is_pending_until_its_index_is_built(crm, org, clock, solution):
    org.key_index_secs = 60
    crm.ask("POST", f"{OPPORTUNITY}/Attributes", column("String", "tieout_Mark"), **solution)
    key = {
        "SchemaName": "tieout_MarkKey",
        "KeyAttributes": ["tieout_mark"],
        "DisplayName": label("Mark"),
    }
    assert crm.ask("POST", f"{OPPORTUNITY}/Keys", key, **solution)[0] == 204
    path = f"{OPPORTUNITY}/Keys?$select=SchemaName,KeyAttributes,EntityKeyIndexStatus"
    (told,) = crm.rows(path)
    assert (told["KeyAttributes"], told["EntityKeyIndexStatus"]) == (["tieout_mark"], "Pending")
    marked = "opportunities(tieout_mark='A')"
    assert crm.refused(crm.get(marked)) == (400, "0x80060890")
    clock.advance(61)
    assert crm.rows(path)[0]["EntityKeyIndexStatus"] == "Active"
    assert crm.refused(crm.get(marked)) == (404, "0x80060891")
    twice = crm.ask("POST", f"{OPPORTUNITY}/Keys", key, **solution)
    assert crm.refused(twice) == (400, "0x80060893")
    other = {**key, "SchemaName": "tieout_OtherKey"}
    assert crm.refused(crm.ask("POST", f"{OPPORTUNITY}/Keys", other, **solution)) == (
        400,
        "0x80060894",
    )
    wrong = {**key, "SchemaName": "tieout_WrongKey", "KeyAttributes": ["freightamount"]}
    assert crm.ask("POST", f"{OPPORTUNITY}/Keys", wrong, **solution)[0] == 400


def test_d8_a_key_whose_values_are_there_twice_fails(crm, solution):
    crm.ask("POST", f"{OPPORTUNITY}/Attributes", column("String", "tieout_Mark"), **solution)
    for _ in range(2):
        crm.create("opportunities", name="Deal", tieout_mark="A")
    key = {"SchemaName": "tieout_MarkKey", "KeyAttributes": ["tieout_mark"]}
    crm.ask("POST", f"{OPPORTUNITY}/Keys", key, **solution)
    (told,) = crm.rows(f"{OPPORTUNITY}/Keys")
    assert told["EntityKeyIndexStatus"] == "Failed"
    assert crm.ask("DELETE", f"{OPPORTUNITY}/Keys(LogicalName='tieout_markkey')")[0] == 204
    assert crm.rows(f"{OPPORTUNITY}/Keys") == []


def test_d8_a_custom_column_is_removed_and_a_standard_one_stays(crm, solution):
    crm.ask("POST", f"{OPPORTUNITY}/Attributes", column("String", "tieout_Text"), **solution)
    path = f"{OPPORTUNITY}/Attributes(LogicalName='tieout_text')"
    assert crm.ask("DELETE", path)[0] == 204
    assert crm.get(path)[0] == 404
    kept = crm.ask("DELETE", f"{OPPORTUNITY}/Attributes(LogicalName='name')")
    assert crm.refused(kept) == (400, "0x80040203")


def test_d18_a_secured_column_is_closed_without_a_profile(crm, solution):
    body = column("String", "tieout_Mark", IsSecured=True)
    assert crm.ask("POST", f"{OPPORTUNITY}/Attributes", body, **solution)[0] == 204
    path = f"{OPPORTUNITY}/Attributes(LogicalName='tieout_mark')"
    assert crm.get(f"{path}?$select=IsSecured")[1]["IsSecured"] is True
    deal = crm.create("opportunities", name="Deal", tieout_mark="A")
    crm.deed("grant_token", token="person", secured=False)
    crm.token = "person"
    assert crm.read("opportunities", deal, "tieout_mark")["tieout_mark"] is None
    (row,) = crm.rows("opportunities?$select=tieout_mark", Prefer="odata.track-changes")
    assert row["tieout_mark"] is None
    written = crm.patch(f"opportunities({deal})", {"tieout_mark": "B"})
    assert crm.refused(written) == (403, "0x8004F507")
    made = crm.post("opportunities", {"name": "Other", "tieout_mark": "B"})
    assert crm.refused(made) == (403, "0x8004F502")
    asked = crm.get("opportunities?$filter=tieout_mark eq 'A'")
    assert crm.refused(asked) == (403, "0x8004F506")
    assert crm.patch(f"opportunities({deal})", {"name": "Renamed"})[0] == 204
    crm.token = crm.org.token
    assert crm.read("opportunities", deal, "tieout_mark")["tieout_mark"] == "A"


def test_d8_change_tracking_is_enabled_for_ever(crm):
    crm.deed("track", table="opportunity", on=False)
    body = {"ChangeTrackingEnabled": True}
    assert crm.ask("PUT", OPPORTUNITY, body)[0] == 204
    assert crm.get(f"{OPPORTUNITY}?$select=ChangeTrackingEnabled")[1]["ChangeTrackingEnabled"]
    taken_back = crm.ask("PUT", OPPORTUNITY, {"ChangeTrackingEnabled": False})
    assert crm.refused(taken_back) == (400, "0x80040203")


def test_d8_a_child_table_is_made_with_a_lookup_to_its_parent(crm, solution):
    table = {
        "@odata.type": "Microsoft.Dynamics.CRM.EntityMetadata",
        "SchemaName": "tieout_Outcome",
        "DisplayName": label("Outcome"),
        "DisplayCollectionName": label("Outcomes"),
        "OwnershipType": "UserOwned",
        "HasActivities": False,
        "HasNotes": False,
        "Attributes": [column("String", "tieout_Name", MaxLength=100, IsPrimaryName=True)],
    }
    assert crm.ask("POST", "EntityDefinitions", table, **solution)[0] == 204
    relation = {
        "@odata.type": "Microsoft.Dynamics.CRM.OneToManyRelationshipMetadata",
        "SchemaName": "tieout_opportunity_outcomes",
        "ReferencedEntity": "opportunity",
        "ReferencingEntity": "tieout_outcome",
        "Lookup": column("Lookup", "tieout_Opportunity"),
    }
    assert crm.ask("POST", "RelationshipDefinitions", relation, **solution)[0] == 204
    deal = crm.create("opportunities", name="Deal")
    bound = {"tieout_Opportunity@odata.bind": f"/opportunities({deal})"}
    crm.create("tieout_outcomes", tieout_name="INV-1", **bound)
    (row,) = crm.rows(f"opportunities({deal})/tieout_opportunity_outcomes?$select=tieout_name")
    assert row["tieout_name"] == "INV-1"
    assert crm.refused(crm.ask("POST", "EntityDefinitions", table, **solution)) == (
        400,
        "0x80047010",
    )
    assert crm.refused(crm.ask("POST", "RelationshipDefinitions", relation, **solution)) == (
        400,
        "0x80047013",
    )
