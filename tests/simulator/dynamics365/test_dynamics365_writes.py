"""Writing rows: bodies, conditions, keys, duplicates, plug-ins, closed opportunities."""

import pytest

from tieout.simulator.dynamics365.schema import Key, text


@pytest.fixture
def marked(org):
    """A column with an alternate key on it."""
    org.define("opportunity", text("new_mark", 100))
    org.add_key("opportunity", Key("new_mark_key", ("new_mark",), org.present()))
    return "new_mark"


def test_d4_a_create_answers_204_and_where_the_row_is(crm):
    status, answer = crm.post("accounts", {"name": "Acme"})
    assert (status, answer) == (204, None)
    where = crm.headers["odata-entityid"]
    assert crm.headers["location"] == where
    assert where.startswith(f"{crm.base}/accounts(")
    assert crm.get(where)[1]["name"] == "Acme"


def test_d4_a_write_shows_the_row_to_whom_prefers_it(crm):
    prefer = "return=representation"
    status, row = crm.post("accounts?$select=name", {"name": "Acme"}, Prefer=prefer)
    assert (status, row["name"]) == (201, "Acme")
    assert set(row) == {"@odata.context", "@odata.etag", "name", "accountid"}
    path = f"accounts({row['accountid']})?$select=name"
    status, again = crm.patch(path, {"name": "Acme 2"}, Prefer=prefer)
    assert (status, again["name"]) == (200, "Acme 2")
    assert again["@odata.etag"] != row["@odata.etag"]
    assert crm.headers["preference-applied"] == prefer


def test_d4_the_version_grows_with_each_write_of_any_table(crm):
    account = crm.create("accounts", name="Acme")
    contact = crm.create("contacts", lastname="Byron")
    versions = [
        crm.read("accounts", account, "versionnumber")["versionnumber"],
        crm.read("contacts", contact, "versionnumber")["versionnumber"],
    ]
    crm.patch(f"accounts({account})", {"name": "Acme"})
    versions.append(crm.read("accounts", account, "versionnumber")["versionnumber"])
    assert versions == sorted(set(versions))


def test_d4_if_match_is_the_version_that_must_be_there(crm):
    account = crm.create("accounts", name="Acme")
    etag = crm.read("accounts", account, "name")["@odata.etag"]
    assert crm.patch(f"accounts({account})", {"name": "B"}, If_Match=etag)[0] == 204
    stale = crm.patch(f"accounts({account})", {"name": "C"}, If_Match=etag)
    assert crm.refused(stale) == (412, "0x80060882")
    gone = crm.ask("DELETE", f"accounts({account})", If_Match=etag)
    assert crm.refused(gone) == (412, "0x80060882")
    assert crm.read("accounts", account, "name")["name"] == "B"


def test_d4_a_read_of_the_version_that_one_has_answers_304(crm):
    account = crm.create("accounts", name="Acme")
    etag = crm.read("accounts", account, "name")["@odata.etag"]
    assert crm.get(f"accounts({account})", If_None_Match=etag)[0] == 304
    assert crm.get(f"accounts({account})", If_None_Match="null")[0] == 200


def test_d4_an_upsert_creates_or_updates_and_either_can_be_prevented(crm):
    new = crm.org.new_id()
    prevented = crm.patch(f"accounts({new})", {"name": "A"}, If_Match="*")
    assert crm.refused(prevented) == (404, "0x80040217")
    assert crm.patch(f"accounts({new})", {"name": "A"}, If_None_Match="*")[0] == 204
    assert crm.read("accounts", new, "name")["name"] == "A"
    prevented = crm.patch(f"accounts({new})", {"name": "B"}, If_None_Match="*")
    assert crm.refused(prevented) == (412, "0x80040237")
    assert crm.patch(f"accounts({new})", {"name": "C"}, If_Match="*")[0] == 204


def test_d4_a_deleted_row_is_gone_with_its_lines_and_notes(crm):
    deal = crm.create("opportunities", name="Deal")
    line = crm.deed("add_line", opportunity=deal, values={"priceperunit": "1"})
    crm.ask("DELETE", f"opportunities({deal})")
    for entity_set, one in (("opportunities", deal), ("opportunityproducts", line)):
        assert crm.refused(crm.get(f"{entity_set}({one})")) == (404, "0x80040217")


def test_d5_an_alternate_key_finds_updates_and_creates(crm, marked):
    path = "opportunities(new_mark='A-1')"
    assert crm.refused(crm.get(path)) == (404, "0x80060891")
    assert crm.patch(path, {"name": "Deal"}, If_None_Match="*")[0] == 204
    assert crm.get(f"{path}?$select=name,new_mark")[1]["new_mark"] == "A-1"
    assert crm.patch("opportunities(new_mark='a-1')", {"name": "Same"})[0] == 204
    assert crm.get(f"{path}?$select=name")[1]["name"] == "Same"
    assert crm.refused(crm.patch(path, {"name": "B"}, If_None_Match="*"))[0] == 412
    absent = crm.patch("opportunities(new_mark='A-2')", {"name": "B"}, If_Match="*")
    assert crm.refused(absent) == (404, "0x80060891")


def test_d5_a_key_column_is_not_repeated_in_the_body_of_a_create(crm, marked):
    answer = crm.patch("opportunities(new_mark='A-1')", {"name": "Deal", "new_mark": "A-1"})
    assert crm.refused(answer) == (400, "0x80048d19")


def test_d5_a_value_with_reserved_signs_is_refused_in_the_path_and_taken_as_a_parameter(
    crm, marked
):
    value = "a/b#c'd&e"
    quoted = "a%2Fb%23c%27%27d%26e"
    headers = {"Authorization": f"Bearer {crm.token}", "Content-Type": "application/json"}
    inside = f"/api/data/v9.2/opportunities(new_mark='{quoted}')"
    status, _ = crm.send("PATCH", inside, '{"name": "Deal"}', headers)
    assert status == 400
    beside = f"/api/data/v9.2/opportunities(new_mark=@p1)?@p1='{quoted}'"
    status, _ = crm.send("PATCH", beside, '{"name": "Deal"}', headers)
    assert status == 204
    (row,) = crm.rows("opportunities?$select=new_mark")
    assert row["new_mark"] == value


def test_d5_a_key_is_held_once(crm, marked):
    crm.create("opportunities", name="Deal", new_mark="A-1")
    twice = crm.post("opportunities", {"name": "Other", "new_mark": "a-1"})
    assert crm.refused(twice) == (412, "0x80060892")
    other = crm.create("opportunities", name="Other")
    moved = crm.patch(f"opportunities({other})", {"new_mark": "A-1"})
    assert crm.refused(moved) == (412, "0x80060892")
    assert crm.read("opportunities", other, "new_mark")["new_mark"] is None


def test_d5_columns_that_are_no_key_find_nothing(crm):
    assert crm.refused(crm.get("opportunities(name='Deal')")) == (400, "0x80060890")


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"nope": 1}, "0x80048d19"),
        ({"customerid": "x"}, "0x80048d19"),
        ({"nope@odata.bind": "/accounts(x)"}, "0x80048d19"),
        ({"name": 7}, "0x80048d19"),
        ({"estimatedvalue": "7"}, "0x80048d19"),
        ({"estimatedclosedate": "soon"}, "0x80048d19"),
        ({"closeprobability": 1.5}, "0x80048d19"),
        ({"isrevenuesystemcalculated": 1}, "0x80048d19"),
        ({"name": "x" * 301}, "0x80044331"),
        ({"estimatedvalue": 10**15}, "0x80044330"),
        ({"closeprobability": 2**31}, "0x80044330"),
        ({"overriddencreatedon": "1752-12-31T00:00:00Z"}, "0x80040239"),
        ({"opportunityratingcode": 9}, "0x8004431a"),
    ],
)
def test_d9_a_value_that_is_not_taken_is_refused_with_its_code(crm, body, code):
    assert crm.refused(crm.post("opportunities", {"name": "Deal", **body})) == (400, code)
    assert crm.rows("opportunities") == []


def test_d9_a_line_beyond_all_money_is_refused(crm):
    values = {"priceperunit": 900_000_000_000_000, "quantity": 90_000_000_000}
    assert crm.refused(crm.post("opportunityproducts", values)) == (400, "0x80044330")
    assert crm.rows("opportunityproducts") == []


def test_d9_an_option_that_is_not_there_is_told_with_those_that_are(crm):
    _, answer = crm.post("opportunities", {"name": "Deal", "opportunityratingcode": 9})
    assert answer["error"]["message"] == (
        "A validation error occurred. The value 9 of 'opportunityratingcode' on record of type "
        "'opportunity' is outside the valid range. Accepted Values: 1,2,3"
    )


def test_d9_a_lookup_is_bound_to_a_record_that_is_there_and_taken_away_by_null(crm):
    account = crm.create("accounts", name="Acme")
    address = f"{crm.base}/accounts({account})"
    deal = crm.create("opportunities", **{"name": "D", "parentaccountid@odata.bind": address})
    assert crm.read("opportunities", deal)["_parentaccountid_value"] == account
    crm.patch(f"opportunities({deal})", {"parentaccountid@odata.bind": None})
    assert crm.read("opportunities", deal)["_parentaccountid_value"] is None
    lost = {"parentaccountid@odata.bind": f"/accounts({crm.org.new_id()})"}
    assert crm.refused(crm.patch(f"opportunities({deal})", lost)) == (404, "0x80040217")
    wrong = {"parentaccountid@odata.bind": f"/opportunities({deal})"}
    assert crm.refused(crm.patch(f"opportunities({deal})", wrong)) == (400, "0x80048d19")


def test_d9_what_the_server_computes_is_left_out(crm):
    deal = crm.create("opportunities", name="D", totalamount=5, createdon="2020-01-01T00:00:00Z")
    row = crm.read("opportunities", deal, "totalamount", "createdon")
    assert (row["totalamount"], row["createdon"][:10]) == (0, "2026-03-31")


def test_d9_a_body_is_json_by_its_content_type(crm):
    headers = {"Authorization": f"Bearer {crm.token}", "Content-Type": "text/plain"}
    assert crm.send("POST", "/api/data/v9.2/accounts", "{}", headers)[0] == 415
    headers["Content-Type"] = "application/json"
    for text_ in ("{", "[]"):
        status, answer = crm.send("POST", "/api/data/v9.2/accounts", text_, headers)
        assert (status, answer["error"]["code"]) == (400, "0x80060888")


def test_d16_duplicates_are_found_only_by_whom_asks(crm):
    crm.deed("detect_duplicates", table="account", columns=["name"])
    crm.create("accounts", name="Acme")
    asked = {"MSCRM_SuppressDuplicateDetection": "false"}
    headers = {name.replace("_", "."): one for name, one in asked.items()}
    found = crm.ask("POST", "accounts", {"name": "ACME"}, **headers)
    assert crm.refused(found) == (412, "0x80040333")
    other = crm.create("accounts", name="ACME")
    moved = crm.ask("PATCH", f"accounts({other})", {"name": "acme"}, **headers)
    assert crm.refused(moved) == (412, "0x80040333")
    assert crm.ask("PATCH", f"accounts({other})", {"name": "B"}, **headers)[0] == 204


def test_d17_a_plug_in_refuses_in_its_own_words(crm):
    crm.deed("plug_in", table="account", message="Credit check failed.")
    status, answer = crm.post("accounts", {"name": "Acme"})
    assert (status, answer["error"]) == (
        400,
        {"code": "0x80040265", "message": "Credit check failed."},
    )
    bypass = {"MSCRM.BypassCustomPluginExecution": "true"}
    assert crm.ask("POST", "accounts", {"name": "Acme"}, **bypass)[0] == 204
    crm.deed("grant_token", token="app", privileges=["prvCreateAccount"])
    crm.token = "app"
    refused = crm.ask("POST", "accounts", {"name": "Acme"}, **bypass)
    assert crm.refused(refused) == (403, "0x80040220")
    crm.token = crm.org.token
    crm.deed("plug_in", table="account")
    assert crm.post("accounts", {"name": "Acme"})[0] == 204


def test_d15_a_note_holds_a_file_in_base64_and_tells_its_size(crm):
    deal = crm.create("opportunities", name="Deal")
    note = crm.create(
        "annotations",
        **{
            "subject": "Offer",
            "filename": "offer.pdf",
            "mimetype": "application/pdf",
            "documentbody": "JVBERi0=",
            "objectid_opportunity@odata.bind": f"/opportunities({deal})",
        },
    )
    row = crm.read("annotations", note, "filesize", "isdocument", "_objectid_value")
    assert (row["filesize"], row["isdocument"], row["_objectid_value"]) == (5, True, deal)
    (found,) = crm.rows(f"opportunities({deal})/Opportunity_Annotation?$select=documentbody")
    assert found["documentbody"] == "JVBERi0="


def test_d15_a_notes_file_is_given_as_it_is_kept(crm):
    note = crm.create("annotations", subject="Offer", filename="o.pdf", documentbody="JVBERi0=")
    status, _ = crm.get(f"annotations({note})/documentbody/$value")
    assert (status, crm.headers["content-type"], crm.text) == (200, "text/plain", "JVBERi0=")
    empty = crm.create("annotations", subject="No file")
    assert crm.get(f"annotations({empty})/documentbody/$value")[0] == 204
    assert crm.get(f"annotations({empty})/filesize/$value")[0] == 404


def test_d15_a_file_beyond_the_organizations_size_is_refused(crm):
    crm.org.max_upload_chars = 8
    crm.create("annotations", filename="small.pdf", documentbody="JVBERi0=")
    for answer in (
        crm.post("annotations", {"filename": "large.pdf", "documentbody": "JVBERi0xLjc="}),
        crm.patch(f"annotations({NEW})", {"documentbody": "JVBERi0xLjc="}, If_None_Match="*"),
    ):
        assert crm.refused(answer) == (400, "0x80044a02")


NEW = "00000000-0000-4000-8000-0000000000aa"
