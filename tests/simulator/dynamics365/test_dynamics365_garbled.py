"""Whatever is asked is answered or refused: no text from outside breaks the organization."""

import json
import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tieout.simulator.dynamics365 import DynamicsOrg
from tieout.simulator.dynamics365.batch import answer_batch
from tieout.simulator.dynamics365.call import Call, split_path
from tieout.simulator.dynamics365.org import Grant
from tieout.simulator.dynamics365.refusals import Refusal
from tieout.simulator.dynamics365.routes import answer

ORG = DynamicsOrg(seed=3)
DEAL = ORG.create("opportunity", {"name": "Deal", "statuscode": 1}).id
WORDS = st.sampled_from(
    [
        "name",
        "estimatedvalue",
        "createdon",
        "estimatedclosedate",
        "_customerid_value",
        "opportunityid",
        "statecode",
        "isrevenuesystemcalculated",
        "customerid_account/name",
        "eq",
        "ne",
        "gt",
        "and",
        "or",
        "not",
        "(",
        ")",
        ",",
        "null",
        "true",
        "1",
        "-2.5",
        "'a'",
        "'",
        '"b"',
        DEAL,
        "2026-01-01",
        "2026-13-45",
        "2026-01-01T00:00:00Z",
        "2026-01-01T99:00:00Z",
        "contains(name,'a')",
        "contains(",
        "Microsoft.Dynamics.CRM.In(PropertyName='name',PropertyValues=['a'])",
        "Microsoft.Dynamics.CRM.In(PropertyName='estimatedvalue',PropertyValues=['a'])",
        "Microsoft.Dynamics.CRM.In(PropertyName='createdon',PropertyValues=['a'])",
        "desc",
        "$",
        "@p",
        ";",
        "=",
    ]
)
TEXTS = st.one_of(
    st.lists(WORDS, max_size=12).map(" ".join), st.text(string.printable, max_size=40)
)
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(
        ["2026-01-01", "0001-01-01T00:00:00Z", "/accounts(x)", f"/opportunities({DEAL})"]
    ),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=4,
)
OPTIONS = [
    "$select",
    "$filter",
    "$orderby",
    "$top",
    "$expand",
    "$skiptoken",
    "$deltatoken",
    "$count",
]


def ask(method, path, query=None, body=b"", headers=None):
    told = {"content-type": "application/json", **(headers or {})}
    try:
        segments = split_path(path)
        call = Call(
            ORG, method, segments, query or {}, told, body, "http://x/api/data/v9.2", Grant()
        )
        return answer(call).status
    except Refusal as refusal:
        return refusal.status


@settings(max_examples=300)
@given(option=st.sampled_from(OPTIONS), text=TEXTS, track=st.booleans())
def test_d2_any_query_is_answered_or_refused(option, text, track):
    headers = {"prefer": "odata.track-changes"} if track else {}
    assert ask("GET", "opportunities", {option: text}, headers=headers) in {200, 400, 404}
    assert ask("GET", f"opportunities({DEAL})", {option: text}) in {200, 400, 404}


@settings(max_examples=200)
@given(path=st.text("abo'()=,/@$%é 1", max_size=30))
def test_d2_any_path_is_answered_or_refused(path):
    assert ask("GET", path) in {200, 400, 404, 405}
    assert ask("GET", f"opportunities({path})") in {200, 400, 404}
    assert ask("GET", f"EntityDefinitions({path})/Attributes") in {400, 404}


COLUMNS = sorted(
    {*ORG.tables["opportunity"].columns}
    | {"customerid_account@odata.bind", "parentaccountid@odata.bind", "x", "@odata.type"}
)


@settings(max_examples=300)
@given(body=st.dictionaries(st.sampled_from(COLUMNS), VALUES, max_size=4))
def test_d9_any_body_is_taken_or_refused(body):
    text = json.dumps(body).encode()
    assert ask("PATCH", f"opportunities({DEAL})", body=text) in {204, 400, 404}
    assert ask("POST", "opportunities", body=text) in {204, 400, 404, 412}
    lines = {"quantity": 1, "opportunityid@odata.bind": f"/opportunities({DEAL})", **body}
    assert ask("POST", "opportunityproducts", body=json.dumps(lines).encode()) in {204, 400, 404}


@settings(max_examples=200)
@given(body=st.dictionaries(st.sampled_from(["Status", "OpportunityClose", "Target"]), VALUES))
def test_d11_any_action_is_done_or_refused(body):
    for name in ("WinOpportunity", "LoseOpportunity", "Merge", "PublishXml"):
        assert ask("POST", name, body=json.dumps(body).encode()) in {204, 400, 404}
    closing = {"opportunityid@odata.bind": f"/opportunities({DEAL})", **body}
    told = {"OpportunityClose": closing, "Status": body.get("Status", 3)}
    for values in ({"actualrevenue": body.get("Target")}, {"actualend": body.get("Target")}):
        closing |= values
        text = json.dumps(told).encode()
        assert ask("POST", "WinOpportunity", body=text) in {204, 400, 404}


DEFINITION = st.dictionaries(
    st.sampled_from(
        [
            "@odata.type",
            "SchemaName",
            "MaxLength",
            "Precision",
            "OptionSet",
            "KeyAttributes",
            "Lookup",
        ]
    ),
    VALUES
    | st.sampled_from(
        ["#Microsoft.Dynamics.CRM.StringAttributeMetadata", "new_a", {"Options": [{}]}, [1]]
    ),
)


@settings(max_examples=200)
@given(body=DEFINITION)
def test_d8_any_definition_is_taken_or_refused(body):
    text = json.dumps(body).encode()
    for where in ("Attributes", "Keys"):
        path = f"EntityDefinitions(LogicalName='account')/{where}"
        assert ask("POST", path, body=text) in {204, 400, 404}
    for path in ("EntityDefinitions", "RelationshipDefinitions"):
        assert ask("POST", path, body=text) in {204, 400, 404}


@settings(max_examples=200)
@given(
    text=st.lists(
        st.sampled_from(
            [
                "--b\r\n",
                "--b--",
                "Content-Type: application/http\r\n",
                "\r\n",
                "GET accounts HTTP/1.1\r\n",
                "Content-Type: multipart/mixed; boundary=c\r\n",
                "--c\r\n",
                "--c--\r\n",
                "{}",
                "\x00é",
                "POST $1 HTTP/1.1\r\n",
            ]
        ),
        max_size=14,
    ).map("".join)
)
def test_d6_any_batch_is_answered_or_refused(text):
    headers = {"content-type": "multipart/mixed; boundary=b"}
    call = Call(ORG, "POST", split_path("$batch"), {}, headers, text.encode(), "http://x", Grant())
    try:
        status = answer_batch(call, refuse).status
    except Refusal as refusal:
        status = refusal.status
    assert status in {200, 400}


def refuse(*_):
    raise Refusal(400, "0x80040203", "No.")


@pytest.mark.parametrize("text", ["\ud800", "a\ud800b"])
def test_d9_half_a_sign_is_refused(crm, text):
    body = json.dumps({"name": text})
    headers = {"Authorization": f"Bearer {crm.token}", "Content-Type": "application/json"}
    assert crm.send("POST", "/api/data/v9.2/accounts", body, headers)[0] == 400
