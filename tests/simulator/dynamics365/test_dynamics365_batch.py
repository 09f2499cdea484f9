"""`$batch`: order, each part's own answer, change sets, and what cannot be read."""

import pytest

CONTINUE = "odata.continue-on-error"


def names(crm):
    return [row["name"] for row in crm.rows("accounts?$select=name&$orderby=createdon,name")]


def test_d6_each_part_is_answered_in_its_order(crm):
    account = crm.create("accounts", name="Acme")
    status, answers = crm.batch(
        ("PATCH", f"accounts({account})", {"name": "B"}),
        ("GET", f"accounts({account})?$select=name"),
        ("POST", "accounts", {"name": "C"}),
        ("DELETE", f"accounts({account})"),
    )
    assert status == 200
    assert [one for one, _ in answers] == [204, 200, 204, 204]
    assert answers[1][1]["name"] == "B"
    assert names(crm) == ["C"]


def test_d6_without_continue_on_error_the_first_failure_ends_it(crm):
    parts = [("POST", "accounts", {"name": one}) for one in ("A", "x" * 161, "C")]
    status, answers = crm.batch(*parts)
    assert (status, [one for one, _ in answers]) == (400, [204, 400])
    assert answers[1][1]["error"]["code"] == "0x80044331"
    assert names(crm) == ["A"]


def test_d6_with_continue_on_error_the_others_go_on(crm):
    parts = [("POST", "accounts", {"name": one}) for one in ("A", "x" * 161, "C")]
    status, answers = crm.batch(*parts, prefer=CONTINUE)
    assert (status, [one for one, _ in answers]) == (200, [204, 400, 204])
    assert names(crm) == ["A", "C"]


def test_d6_each_part_has_its_own_conditions(crm):
    account = crm.create("accounts", name="Acme")
    etag = crm.read("accounts", account, "name")["@odata.etag"]
    part = ("PATCH", f"accounts({account})", {"name": "B"}, {"If-Match": etag})
    status, answers = crm.batch(part, part, prefer=CONTINUE)
    assert (status, [one for one, _ in answers]) == (200, [204, 412])
    prefer = {"Prefer": "return=representation"}
    _, ((inner, row),) = crm.batch(("PATCH", f"accounts({account})", {"name": "C"}, prefer))
    assert (inner, row["name"]) == (200, "C")


def test_d6_a_change_set_is_done_whole_or_not_at_all(crm):
    status, answers = crm.batch(
        [("POST", "accounts", {"name": "A"}), ("POST", "accounts", {"name": "B"})],
        [("POST", "accounts", {"name": "C"}), ("POST", "accounts", {"name": "x" * 161})],
        ("POST", "accounts", {"name": "D"}),
        prefer=CONTINUE,
    )
    assert status == 200
    assert [one for one, _ in answers[0]] == [204, 204]
    assert (answers[1][0], answers[2][0]) == (400, 204)
    assert names(crm) == ["A", "B", "D"]


def test_d6_what_a_failed_change_set_changed_is_as_before(crm, org):
    deal = crm.create("opportunities", name="Deal")
    line = crm.deed("add_line", opportunity=deal, values={"priceperunit": "5"})
    before = dict(org.record("opportunity", deal).values)
    crm.batch(
        [
            ("PATCH", f"opportunityproducts({line})", {"quantity": 9}),
            ("POST", "accounts", {"name": 1}),
        ]
    )
    assert org.record("opportunity", deal).values == before
    assert len(crm.rows(f"opportunities({deal})/product_opportunities")) == 1


def test_d6_a_change_set_refers_to_what_it_made(crm):
    _, (answers,) = crm.batch(
        [
            ("POST", "contacts", {"lastname": "Byron"}),
            ("POST", "accounts", {"name": "A", "primarycontactid@odata.bind": "$1"}),
            ("PATCH", "$2", {"accountnumber": "7"}),
        ]
    )
    assert [one for one, _ in answers] == [204, 204, 204]
    (row,) = crm.rows("accounts?$select=accountnumber,_primarycontactid_value")
    assert (row["accountnumber"], row["_primarycontactid_value"] is None) == ("7", False)
    _, ((inner, refusal),) = crm.batch(
        [("POST", "accounts", {"name": "B", "primarycontactid@odata.bind": "$7"})]
    )
    assert (inner, "Content-ID Reference: '$7'" in refusal["error"]["message"]) == (400, True)


def test_d6_a_change_set_takes_no_get(crm):
    status, ((inner, _),) = crm.batch([("GET", "accounts")])
    assert (status, inner) == (400, 400)


def test_d6_a_batch_has_1000_requests_at_most_and_no_batch_within(crm):
    parts = [("POST", "accounts", {"name": str(n)}) for n in range(1_000)]
    status, answers = crm.batch(*parts)
    assert (status, len(answers)) == (200, 1_000)
    status, _ = crm.batch(*parts, parts[0])
    assert status == 400
    status, ((inner, _),) = crm.batch(("POST", "$batch".replace("$", "%24"), {}))
    assert (status, inner) == (400, 400)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "--batch_b1\r\n\r\nGET /api/data/v9.2/accounts HTTP/1.1\r\n\r\n--batch_b1--",
        "--batch_b1\r\nContent-Type: application/http\r\n\r\nFETCH accounts\r\n\r\n--batch_b1--",
        "--batch_b1\r\nContent-Type: application/http\r\n\r\nGET accounts HTTP/1.1\r\n\r\n",
    ],
)
def test_d6_a_batch_that_cannot_be_read_is_refused(crm, text):
    assert crm.batch_text(text)[0] == 400


def test_d6_parts_are_counted_apart_from_requests(crm):
    crm.batch(("POST", "accounts", {"name": "A"}), ("GET", "accounts"))
    assert crm.org.counts["POST $batch"] == 1
    assert dict(crm.org.batched) == {"POST accounts": 1, "GET accounts": 1}
