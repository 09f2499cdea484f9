"""Queries: columns, filters, order, expansion, pages, labels, and what is refused."""

from decimal import Decimal
from urllib.parse import quote

import pytest

IN = "Microsoft.Dynamics.CRM.In"
LABEL = "OData.Community.Display.V1.FormattedValue"


@pytest.fixture
def deals(crm):
    """Four opportunities of an account and a contact; their ids by name."""
    account = crm.create("accounts", name="Bär & Söhne")
    contact = crm.create("contacts", firstname="Ada", lastname="O'Neill")
    held = {"account": account, "contact": contact}
    for name, value, day in (
        ("Alpha", 100, "2026-01-05"),
        ("beta", 2500.5, "2026-02-10"),
        ("Gamma's", 30, None),
    ):
        held[name] = crm.create(
            "opportunities",
            **{
                "name": name,
                "estimatedvalue": value,
                "estimatedclosedate": day,
                "customerid_account@odata.bind": f"/accounts({account})",
            },
        )
    held["Delta"] = crm.create(
        "opportunities",
        **{"name": "Delta", "parentcontactid@odata.bind": f"/contacts({contact})"},
    )
    return held


def found(crm, text):
    rows = crm.rows(f"opportunities?$select=name&$orderby=name&$filter={quote(text)}")
    return [row["name"] for row in rows]


def test_d2_selected_columns_come_with_the_id_and_the_etag(crm, deals):
    row = crm.read("opportunities", deals["Alpha"], "name", "description", "_customerid_value")
    version = crm.org.record("opportunity", deals["Alpha"]).version
    assert row == {
        "@odata.context": (
            f"{crm.base}/$metadata#opportunities(name,description,_customerid_value)/$entity"
        ),
        "@odata.etag": f'W/"{version}"',
        "name": "Alpha",
        "description": None,
        "_customerid_value": deals["account"],
        "opportunityid": deals["Alpha"],
    }


def test_d2_without_select_every_column_is_shown(crm, deals):
    row = crm.read("opportunities", deals["Alpha"])
    columns = crm.org.tables["opportunity"].columns.values()
    told = {name for name in row if not name.startswith("@")}
    assert told == {column.wire for column in columns}


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("name eq 'alpha'", ["Alpha"]),
        ("name ne 'alpha'", ["beta", "Delta", "Gamma's"]),
        ("name eq 'gamma''s'", ["Gamma's"]),
        ("estimatedvalue gt 100", ["beta"]),
        ("estimatedvalue ge 100", ["Alpha", "beta"]),
        ("estimatedvalue lt 100.5 and estimatedvalue gt 30", ["Alpha"]),
        ("100 le estimatedvalue", ["Alpha", "beta"]),
        ("estimatedclosedate eq null", ["Delta", "Gamma's"]),
        ("not (estimatedclosedate eq null)", ["Alpha", "beta"]),
        ("estimatedclosedate ge 2026-02-01", ["beta"]),
        ("createdon ge 2026-03-31T11:59:59Z", ["Alpha", "beta", "Delta", "Gamma's"]),
        ("createdon gt 2026-03-31T14:30:00%2B02:00", []),
        ("contains(name,'LPH')", ["Alpha"]),
        ("startswith(name,'de') or endswith(name,'''s')", ["Delta", "Gamma's"]),
        ("statecode eq 0 and (name eq 'Alpha' or name eq 'beta')", ["Alpha", "beta"]),
        (f"{IN}(PropertyName='name',PropertyValues=['Alpha','delta'])", ["Alpha", "Delta"]),
        (
            f"{IN}(PropertyName='estimatedvalue',PropertyValues=['100','30.0'])",
            ["Alpha", "Gamma's"],
        ),
        (f"{IN}(PropertyName='estimatedclosedate',PropertyValues=['2026-02-10'])", ["beta"]),
        ("parentcontactid/lastname eq 'O''Neill'", ["Delta"]),
        ("customerid_account/name eq 'Bär & Söhne'", ["Alpha", "beta", "Gamma's"]),
    ],
)
def test_d2_a_filter_finds(crm, deals, text, names):
    assert found(crm, text.replace("%2B", "+")) == names


def test_d2_a_lookup_is_filtered_by_its_value(crm, deals):
    assert found(crm, f"_customerid_value eq {deals['account']}") == ["Alpha", "beta", "Gamma's"]
    assert found(crm, "_customerid_value eq null") == ["Delta"]
    ids = f"'{deals['Alpha']}','{deals['beta']}'"
    text = f"Microsoft.Dynamics.CRM.In(PropertyName='opportunityid',PropertyValues=[{ids}])"
    assert found(crm, text) == ["Alpha", "beta"]
    assert found(crm, text.replace("['", '["').replace("','", '","').replace("']", '"]')) == (
        ["Alpha", "beta"]
    )
    text = f"Microsoft.Dynamics.CRM.In(PropertyName='customerid',PropertyValues=['{deals['account']}'])"
    assert found(crm, text) == ["Alpha", "beta", "Gamma's"]


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("$select=nope", "Could not find a property named 'nope' on type"),
        ("$select=customerid", "Could not find a property named 'customerid'"),
        ("$filter=nope eq 1", "Could not find a property named 'nope'"),
        ("$filter=name eq", "Syntax error at position 7 in 'name eq'."),
        ("$filter=name eq 'a", "Syntax error at position 7"),
        ("$filter=name like 'a'", "Syntax error at position 5"),
        ("$filter=(name eq 'a'", "Syntax error"),
        ("$filter=name eq 1", "A binary operator with incompatible types was detected."),
        ("$filter=_customerid_value eq 'x'", "operand types 'Edm.Guid' and 'Edm.String'"),
        ("$filter=estimatedvalue eq 'x'", "operand types 'Edm.Decimal' and 'Edm.String'"),
        ("$filter=createdon gt '2026-01-01'", "operand types 'Edm.DateTimeOffset'"),
        ("$filter=createdon gt 2026-13-01", "incompatible types"),
        (f"$filter={IN}(PropertyName='createdon',PropertyValues=['a'])", "The value 'a' is not"),
        (f"$filter={IN}(PropertyName='estimatedvalue',PropertyValues=['a'])", "The value 'a' is"),
        (f"$filter={IN}(PropertyName='nope',PropertyValues=['a'])", "named 'nope'"),
        ("$expand=product_opportunities($top=x)", "Invalid value 'x' for $top"),
        ("$expand=product_opportunities($count=true)", "'$count' is not supported in $expand"),
        ("$filter=length(name) eq 1", "An unknown function with name 'length'"),
        ("$orderby=nope", "Could not find a property named 'nope'"),
        ("$expand=nope", "Could not find a property named 'nope'"),
        ("$skip=5", "Skip Clause is not supported in CRM"),
        ("$search=x", "The query parameter $search is not supported"),
        ("$top=x", "Invalid value 'x' for $top"),
    ],
)
def test_d2_what_cannot_be_read_is_refused_with_0x80060888(crm, query, said):
    status, answer = crm.get(f"opportunities?{query}")
    assert (status, answer["error"]["code"]) == (400, "0x80060888")
    assert said in answer["error"]["message"]


def test_d2_rows_come_in_the_order_asked_for_empty_values_first(crm, deals):
    rows = crm.rows("opportunities?$select=name&$orderby=estimatedclosedate,name desc")
    assert [row["name"] for row in rows] == ["Gamma's", "Delta", "Alpha", "beta"]


def test_d2_top_limits_and_count_counts(crm, deals):
    status, answer = crm.get("opportunities?$select=name&$orderby=name&$top=2&$count=true")
    assert (status, answer["@odata.count"], len(answer["value"])) == (200, 4, 2)
    crm.get("opportunities/$count")
    assert crm.text == "4"
    crm.get("opportunities/$count?$filter=name eq 'beta'")
    assert crm.text == "1"


def test_d2_a_lookup_and_a_collection_are_expanded(crm, deals):
    crm.deed("add_line", opportunity=deals["Alpha"], values={"priceperunit": "2"})
    crm.deed("add_line", opportunity=deals["Alpha"], values={"priceperunit": "1"})
    expand = (
        "customerid_account($select=name),parentcontactid($select=lastname),"
        "product_opportunities($select=priceperunit;$orderby=priceperunit;$top=1)"
    )
    path = f"opportunities({deals['Alpha']})?$select=name&$expand={expand}"
    _, row = crm.get(path)
    assert row["customerid_account"]["name"] == "Bär & Söhne"
    assert row["parentcontactid"] is None
    (line,) = row["product_opportunities"]
    assert Decimal(str(line["priceperunit"])) == 1
    assert row["@odata.context"].endswith(
        "#opportunities(name,customerid_account(),parentcontactid(),product_opportunities())"
        "/$entity"
    )


def test_d2_a_navigation_leads_to_rows_and_to_a_record(crm, deals):
    crm.deed("add_line", opportunity=deals["Alpha"], values={"priceperunit": "2"})
    path = f"opportunities({deals['Alpha']})/product_opportunities?$select=quantity"
    assert len(crm.rows(path)) == 1
    _, led = crm.get(f"opportunities({deals['Alpha']})/customerid_account?$select=name")
    assert led["name"] == "Bär & Söhne"
    assert crm.get(f"opportunities({deals['Alpha']})/parentcontactid")[0] == 204
    assert crm.get(f"opportunities({deals['Alpha']})/nope")[0] == 404


def test_d13_pages_are_as_long_as_preferred_and_the_next_link_leads_on(crm, deals):
    path = "opportunities?$select=name&$orderby=name&$filter=statecode eq 0"
    seen, lengths = [], []
    while path:
        status, answer = crm.get(path, Prefer="odata.maxpagesize=3")
        assert status == 200, answer
        lengths.append(len(answer["value"]))
        seen += [row["name"] for row in answer["value"]]
        path = answer.get("@odata.nextLink")
    assert (lengths, seen) == ([3, 1], ["Alpha", "beta", "Delta", "Gamma's"])
    assert crm.headers["preference-applied"] == "odata.maxpagesize=3"


def test_d13_a_page_has_5000_rows_at_most(crm, org):
    for number in range(5_001):
        org.create("contact", {"lastname": str(number)})
    status, answer = crm.get("contacts?$select=lastname", Prefer="odata.maxpagesize=9000")
    assert (status, len(answer["value"])) == (200, 5_000)
    _, rest = crm.get(answer["@odata.nextLink"])
    assert len(rest["value"]) == 1
    _, counted = crm.get("contacts?$select=lastname&$count=true")
    assert counted["@odata.count"] == 5_000
    assert crm.refused(crm.get("contacts?$skiptoken=nonsense")) == (400, "0x80060888")


def test_d13_an_address_has_32768_characters_at_most_and_in_a_batch_65536(crm):
    text = " or ".join(["statecode eq 0"] * 1_500)
    path = f"opportunities?$filter={quote(text)}"
    assert crm.refused(crm.get(path)) == (414, "0x80060888")
    status, ((inner, _),) = crm.batch(("GET", path))
    assert (status, inner) == (200, 200)


def test_d14_labels_and_lookups_are_told_to_whom_asks(crm, deals):
    select = "$select=statecode,_customerid_value,isrevenuesystemcalculated,estimatedclosedate"
    path = f"opportunities({deals['Alpha']})?{select}"
    _, plain = crm.get(path)
    assert not any("@" in name.lstrip("@") for name in plain)
    _, noted = crm.get(path, Prefer=f'odata.include-annotations="{LABEL}"')
    assert noted[f"statecode@{LABEL}"] == "Open"
    assert noted[f"_customerid_value@{LABEL}"] == "Bär & Söhne"
    assert noted[f"isrevenuesystemcalculated@{LABEL}"] == "No"
    assert noted[f"estimatedclosedate@{LABEL}"] == "1/5/2026"
    assert "_customerid_value@Microsoft.Dynamics.CRM.lookuplogicalname" not in noted
    _, all_of_them = crm.get(path, Prefer='odata.include-annotations="*"')
    lookup = "_customerid_value@Microsoft.Dynamics.CRM"
    assert all_of_them[f"{lookup}.lookuplogicalname"] == "account"
    assert all_of_them[f"{lookup}.associatednavigationproperty"] == "customerid_account"


def test_d14_an_option_without_a_label_and_a_renamed_one_show_it(crm, deals):
    crm.deed("label_option", table="opportunity", column="statuscode", value=1, label="")
    path = f"opportunities({deals['Alpha']})?$select=statuscode"
    prefer = f'odata.include-annotations="{LABEL}"'
    _, row = crm.get(path, Prefer=prefer)
    assert (row["statuscode"], f"statuscode@{LABEL}" in row) == (1, False)
    crm.deed("label_option", table="opportunity", column="statuscode", value=1, label="Läuft")
    assert crm.get(path, Prefer=prefer)[1][f"statuscode@{LABEL}"] == "Läuft"
    crm.deed("remove_option", table="opportunity", column="statuscode", value=1)
    _, row = crm.get(path, Prefer=prefer)
    assert (row["statuscode"], f"statuscode@{LABEL}" in row) == (1, False)


def test_d2_a_removed_column_is_not_found_any_more(crm, org, deals):
    from tieout.simulator.dynamics365.schema import text

    org.define("opportunity", text("new_po", 20))
    crm.patch(f"opportunities({deals['Alpha']})", {"new_po": "PO 7"})
    assert crm.read("opportunities", deals["Alpha"], "new_po")["new_po"] == "PO 7"
    crm.deed("remove_column", table="opportunity", column="new_po")
    answer = crm.get("opportunities?$select=new_po")
    assert crm.refused(answer) == (400, "0x80060888")
    assert "new_po" not in crm.read("opportunities", deals["Alpha"])


def test_d2_an_unknown_table_record_or_method_is_refused(crm, deals):
    assert crm.refused(crm.get("nopes")) == (404, "0x80060888")
    unknown = crm.org.new_id()
    assert crm.refused(crm.get(f"opportunities({unknown})")) == (404, "0x80040217")
    assert crm.refused(crm.ask("DELETE", "opportunities")) == (405, "0x80060888")
    assert crm.refused(crm.get("/api/data/v8.0/opportunities")) == (404, "0x80060888")
