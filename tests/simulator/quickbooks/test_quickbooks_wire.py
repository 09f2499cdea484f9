"""Connection, rates, batches, replay, the feed and wrong answers (R22-R26, R50, R51)."""

import asyncio
import base64
import http.client
import time
from urllib.parse import parse_qs, urlsplit

import pytest

from tieout.simulator import jsonwire
from tieout.simulator.quickbooks import (
    Authority,
    Limits,
    QuickBooksCompany,
    quickbooks_app,
    truth_of,
)
from tieout.simulator.serving import serve

TOKEN = "a-token"


def basic(authority, secret=None):
    pair = f"{authority.client_id}:{secret or authority.client_secret}"
    return {"authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


def ask_tokens(books, form, **options):
    body = "&".join(f"{name}={value}" for name, value in form.items()).encode()
    headers = basic(books.authority, **options)
    return books.ask("POST", "/oauth2/v1/tokens/bearer", body, headers=headers)


def connect(books):
    answer = books.ask(
        "GET",
        "/connect/oauth2",
        client_id=books.authority.client_id,
        redirect_uri="http://127.0.0.1:9/back",
        state="s1",
        response_type="code",
    )
    back = {
        name: value[0]
        for name, value in parse_qs(urlsplit(answer.headers["location"]).query).items()
    }
    assert (back["state"], back["realmId"]) == ("s1", books.company.realm_id)
    form = {"grant_type": "authorization_code", "code": back["code"], "redirect_uri": "x"}
    return ask_tokens(books, form).json


def ask_as(books, token, realm=None):
    path = f"/v3/company/{realm or books.company.realm_id}/preferences"
    return books.ask("GET", path, headers={"authorization": f"Bearer {token}"})


def test_r26_a_code_becomes_tokens_that_open_the_books(books):
    tokens = connect(books)

    assert (tokens["expires_in"], tokens["x_refresh_token_expires_in"]) == (3600, 8_640_000)
    assert ask_as(books, tokens["access_token"]).status == 200


def test_r26_an_access_token_lasts_an_hour(books, clock):
    tokens = connect(books)
    clock.advance(hours=1)

    answer = ask_as(books, tokens["access_token"])

    assert (answer.status, answer.code) == (401, "3200")
    assert answer.json["fault"]["type"] == "AUTHENTICATION"


def test_r26_a_refresh_rotates_and_the_old_token_serves_once_more(books):
    tokens = connect(books)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    first = ask_tokens(books, form)
    again = ask_tokens(books, form)
    third = ask_tokens(books, form)

    assert (first.status, again.status) == (200, 200)
    assert first.json["refresh_token"] != tokens["refresh_token"]
    assert (third.status, third.json["error"]) == (400, "invalid_grant")
    assert ask_as(books, first.json["access_token"]).status == 200


def test_r26_a_wrong_secret_and_a_used_code_are_refused(books):
    tokens = connect(books)
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}

    assert ask_tokens(books, form, secret="wrong").status == 401
    used = ask_tokens(books, {"grant_type": "authorization_code", "code": "used"})
    assert used.json["error"] == "invalid_grant"


def test_r26_revoking_ends_the_connection(books):
    tokens = connect(books)

    answer = books.ask(
        "POST",
        "/oauth2/v1/tokens/revoke",
        {"token": tokens["refresh_token"]},
        headers={**basic(books.authority), "content-type": "application/json"},
    )

    assert answer.status == 200
    assert ask_as(books, tokens["access_token"]).status == 401


def test_without_a_token_401_and_with_another_companys_403(clock, books):
    other = QuickBooksCompany(realm_id="77", now=clock)
    books.authority = Authority(now=clock, static_tokens={"other": "77"})
    books.app = quickbooks_app([books.company, other], authority=books.authority)

    assert ask_as(books, "nobody").status == 401
    assert ask_as(books, "other").status == 403
    assert ask_as(books, "other", realm="77").status == 200


def test_every_answer_carries_a_trace_id_and_the_servers_date(books):
    good, bad = books.query("SELECT * FROM Customer"), books.query("nonsense")

    for answer in (good, bad):
        assert answer.headers["intuit_tid"]
        assert answer.headers["date"] == "Tue, 10 Nov 2026 18:00:00 GMT"
    assert good.json["time"] == "2026-11-10T10:00:00.000-08:00"


def test_r23_more_than_so_many_a_minute_are_refused_in_both_spellings(open_books):
    books = open_books({"limits": Limits(per_minute=3, per_second=None)})

    answers = [books.query("SELECT * FROM Term") for _ in range(5)]

    assert [answer.status for answer in answers] == [200, 200, 200, 429, 429]
    assert ["Fault" in answer.json for answer in answers[3:]] == [True, False]
    assert {answer.code for answer in answers[3:]} == {"3001"}
    assert books.truth()["throttled"] == 2


@pytest.mark.parametrize(("spelling", "key"), [("Fault", "Fault"), ("fault", "fault")])
def test_r23_the_spelling_can_be_fixed_and_the_wait_told(open_books, spelling, key):
    limits = Limits(per_second=1, spelling=spelling, retry_after=True)
    books = open_books({"limits": limits})

    answers = [books.query("SELECT * FROM Term") for _ in range(2)]

    assert key in answers[1].json
    assert answers[1].headers["retry-after"] == "1"


def test_r23_batches_have_a_limit_of_their_own(open_books):
    books = open_books({"limits": Limits(per_second=None, batches_per_minute=1)})
    body = {"BatchItemRequest": [{"bId": "1", "Query": "SELECT * FROM Term"}]}

    statuses = [books.api("POST", "batch", body).status for _ in range(2)]

    assert statuses == [200, 429]
    assert books.query("SELECT * FROM Term").status == 200


def test_r23_at_most_so_many_at_once(open_books):
    limits = Limits(per_second=None, at_once=2)
    books = open_books({"limits": limits, "latency_secs": 0.02})

    async def three():
        path = f"/v3/company/{books.company.realm_id}/preferences"
        return await asyncio.gather(*[books.ask_async("GET", path) for _ in range(3)])

    statuses = [answer.status for answer in asyncio.run(three())]

    assert sorted(statuses) == [200, 200, 429]


def test_r23_a_scaled_minute_is_shorter(open_books):
    limits = Limits(per_minute=1, per_second=None, time_scale=3000)
    books = open_books({"limits": limits})
    assert [books.query("SELECT * FROM Term").status for _ in range(2)] == [200, 429]

    time.sleep(0.02)

    assert books.query("SELECT * FROM Term").status == 200


def test_r22_the_same_request_id_is_answered_from_memory(books):
    body = books.invoice_body(books.customer())

    first = books.post("Invoice", body, requestid="r-1")
    again = books.post("Invoice", body, requestid="r-1")

    assert again.body == first.body
    assert len(books.truth()["invoices"]) == 1


def test_r22_a_replayed_answer_may_speak_of_what_is_gone(books):
    body = books.invoice_body(books.customer())
    made = books.create("Invoice", body, requestid="r-1")
    books.deed("delete", id=made["Id"])

    assert books.create("Invoice", body, requestid="r-1")["Id"] == made["Id"]
    assert books.api("GET", f"invoice/{made['Id']}").code == "610"


def test_r22_without_memory_the_same_id_writes_twice(open_books):
    books = open_books(replay_memory=0)
    body = books.invoice_body(books.customer())

    for _ in range(2):
        books.create("Invoice", body, requestid="r-1")

    assert len(books.truth()["invoices"]) == 2


def test_r22_memory_reaches_as_far_as_its_size(open_books):
    books = open_books(replay_memory=1)
    body = books.invoice_body(books.customer())

    for request_id in ("r-1", "r-2", "r-1"):
        books.create("Invoice", body, requestid=request_id)

    assert len(books.truth()["invoices"]) == 3


@pytest.mark.parametrize("code", ["6000", "600"])
def test_r22_a_known_id_may_be_refused_instead(open_books, code):
    books = open_books(replay_answers=code)
    body = books.invoice_body(books.customer())
    books.create("Invoice", body, requestid="r-1")

    assert books.post("Invoice", body, requestid="r-1").code == code
    assert len(books.truth()["invoices"]) == 1


def test_r22_a_refusal_is_not_remembered(books):
    customer = books.customer()
    wrong = books.invoice_body(customer, books.line(Qty=1, UnitPrice=1))
    assert books.post("Invoice", wrong, requestid="r-1").code == "6070"

    assert books.post("Invoice", books.invoice_body(customer), requestid="r-1").status == 200


def test_r22_a_request_id_has_fifty_characters(books):
    body = books.invoice_body(books.customer())

    assert books.post("Invoice", body, requestid="r" * 50).status == 200
    assert books.post("Invoice", body, requestid="r" * 51).code == "6000"


def create_item(b_id, kind, body):
    return {"bId": b_id, "operation": "create", kind: body}


def send_batch(books, items, **query):
    answer = books.api("POST", "batch", {"BatchItemRequest": items}, **query)
    assert answer.status == 200, answer.body
    return {one["bId"]: one for one in answer.json["BatchItemResponse"]}


def test_r23_a_batch_has_at_most_thirty_items(books):
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(31)]

    answer = books.api("POST", "batch", {"BatchItemRequest": items})

    assert (answer.status, answer.code) == (400, "1040")
    assert len(send_batch(books, items[:30])) == 30


def test_a_batch_answers_each_item_for_itself(books):
    customer = books.customer()
    wrong = books.invoice_body(customer, books.line(Qty=1, UnitPrice=1))

    answers = send_batch(
        books,
        [
            create_item("a", "Invoice", books.invoice_body(customer)),
            create_item("b", "Invoice", wrong),
            {"bId": "c", "Query": "SELECT * FROM Invoice"},
            {"bId": "d", "operation": "dance", "Invoice": {}},
        ],
    )

    assert answers["a"]["Invoice"]["DocNumber"] == "1001"
    assert answers["b"]["Fault"]["Error"][0]["code"] == "6070"
    assert len(answers["c"]["QueryResponse"]["Invoice"]) == 1
    assert answers["d"]["Fault"]["Error"][0]["code"] == "500"


def test_items_of_a_batch_do_not_see_what_earlier_ones_made(books):
    customer = int(books.customer("First"))
    body = books.invoice_body(str(customer))
    body["CustomerRef"] = {"value": str(customer + 1)}

    answers = send_batch(
        books,
        [
            create_item("a", "Customer", {"DisplayName": "Second"}),
            create_item("b", "Invoice", body),
            create_item("c", "Customer", {"DisplayName": "Second"}),
        ],
    )

    assert answers["a"]["Customer"]["Id"] == str(customer + 1)
    assert answers["b"]["Fault"]["Error"][0]["code"] == "2500"
    assert answers["c"]["Fault"]["Error"][0]["code"] == "6240"
    assert books.post("Invoice", body).status == 200


def test_a_batch_updates_voids_and_deletes(books):
    customer = books.customer()
    first, second, third = (books.invoice(customer) for _ in range(3))
    payment = books.pay(customer, "5.00", {})

    answers = send_batch(
        books,
        [
            {
                "bId": "a",
                "operation": "update",
                "Invoice": {
                    "Id": first["Id"],
                    "SyncToken": "0",
                    "sparse": True,
                    "PrivateNote": "x",
                },
            },
            {"bId": "b", "operation": "void", "Invoice": {"Id": second["Id"], "SyncToken": "0"}},
            {"bId": "c", "operation": "delete", "Invoice": {"Id": third["Id"], "SyncToken": "0"}},
            {
                "bId": "d",
                "operation": "update",
                "optionsData": "void",
                "Payment": {"Id": payment["Id"], "SyncToken": "0", "sparse": True},
            },
        ],
    )

    assert answers["a"]["Invoice"]["PrivateNote"] == "x"
    assert answers["b"]["Invoice"]["TotalAmt"] == 0
    assert answers["c"]["Invoice"]["status"] == "Deleted"
    assert answers["d"]["Payment"]["TotalAmt"] == 0


def test_r22_in_a_batch_the_pair_of_request_id_and_bid_is_remembered(books):
    body = books.invoice_body(books.customer())
    items = [create_item("a", "Invoice", body), create_item("b", "Invoice", body)]

    first = send_batch(books, items, requestid="k")
    again = send_batch(books, items, requestid="k")
    regrouped = send_batch(books, items[:1], requestid="other")

    assert again == first
    assert regrouped["a"]["Invoice"]["Id"] not in {one["Invoice"]["Id"] for one in first.values()}
    assert len(books.truth()["invoices"]) == 3


def test_r22_request_id_and_bid_together_have_fifty_characters(books):
    items = [create_item("b" * 36, "Customer", {"DisplayName": "Acme"})]

    answers = send_batch(books, items, requestid="r" * 36)

    assert answers["b" * 36]["Fault"]["Error"][0]["code"] == "6000"


def test_a_batch_may_answer_in_another_order(open_books):
    books = open_books(shuffle_batches=True, seed=3)
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(30)]

    answer = books.api("POST", "batch", {"BatchItemRequest": items}).json

    order = [one["bId"] for one in answer["BatchItemResponse"]]
    assert sorted(order, key=int) == [item["bId"] for item in items]
    assert order != [item["bId"] for item in items]


def feed(books, entities, since):
    answer = books.api("GET", "cdc", entities=entities, changedSince=since)
    assert answer.status == 200, answer.body
    return answer.json["CDCResponse"][0]["QueryResponse"]


def test_r24_the_feed_tells_what_changed_of_many_kinds(books, clock):
    customer = books.customer()
    old = books.invoice(customer)
    clock.advance(minutes=5)
    new = books.invoice(customer)
    payment = books.pay(customer, "10.00", {new["Id"]: "10.00"})

    invoices, payments, customers = feed(
        books, "Invoice,Payment,Customer", "2026-11-10T10:01:00-08:00"
    )

    assert [one["Id"] for one in invoices["Invoice"]] == [new["Id"]]
    assert invoices["Invoice"][0]["Balance"] == 90
    assert [one["Id"] for one in payments["Payment"]] == [payment["Id"]]
    assert customers == {}
    assert old["Id"] != new["Id"]


def test_r50_a_deleted_payment_is_a_bare_id_in_the_feed(books, clock):
    customer = books.customer()
    invoice = books.invoice(customer)
    payment = books.pay(customer, "10.00", {invoice["Id"]: "10.00"})
    clock.advance(minutes=1)
    books.deed("delete", kind="Payment", id=payment["Id"])

    invoices, payments = feed(books, "Invoice,Payment", "2026-11-10T18:00:30+00:00")

    assert payments["Payment"] == [
        {
            "domain": "QBO",
            "status": "Deleted",
            "Id": payment["Id"],
            "MetaData": {"LastUpdatedTime": "2026-11-10T10:01:00-08:00"},
        }
    ]
    assert invoices["Invoice"][0]["Balance"] == 100


@pytest.mark.parametrize("kind", ["TaxCode", "TaxRate", "TaxAgency", "TimeActivity", "JournalCode"])
def test_r24_some_kinds_are_not_fed(books, kind):
    answer = books.api("GET", "cdc", entities=kind, changedSince="2026-11-10")

    assert (answer.status, answer.code) == (400, "500")


def test_r24_the_feed_reaches_thirty_days_back(books):
    answer = books.api("GET", "cdc", entities="Invoice", changedSince="2026-10-10T00:00:00Z")

    assert (answer.status, answer.code) == (400, "4001")


@pytest.mark.parametrize(
    ("truncation", "customers", "invoices"),
    [
        ("oldest", ["2"], [str(number) for number in range(1, 1000)]),
        ("newest", ["1"], [str(number) for number in range(2, 1001)]),
        ("by_kind", [], [str(number) for number in range(1, 1001)]),
    ],
)
def test_r24_a_full_feed_keeps_a_thousand_objects_over_all_kinds(
    open_books, clock, truncation, customers, invoices
):
    books = open_books(cdc_truncation=truncation, replay_memory=0)
    books.customer("First")
    second = books.customer("Second")
    clock.advance(seconds=1)
    for number in range(1000):
        if number == 999:
            clock.advance(seconds=1)
            books.deed("edit", kind="Customer", id="1", changes={"Notes": "late"})
        books.deed("create_invoice", customer=second, lines=[{"item": books.item(), "amount": "1"}])

    found = feed(books, "Invoice,Customer", "2026-11-10T18:00:00Z")

    assert [one["Id"] for one in found[0].get("Invoice", [])] == invoices
    assert [one["Id"] for one in found[1].get("Customer", [])] == customers


def test_r51_the_feeds_time_is_the_servers_clock(books, clock):
    clock.advance(seconds=7)

    answer = books.api("GET", "cdc", entities="Invoice", changedSince="2026-11-10")

    assert answer.json["time"] == "2026-11-10T10:00:07.000-08:00"


def test_preferences_tell_how_documents_are_written(open_books):
    books = open_books(multicurrency=True, custom_txn_numbers=True, auto_apply_credit=True)
    books.deed("close_books", until="2026-10-31")

    found = books.api("GET", "preferences").json["Preferences"]

    assert found["CurrencyPrefs"]["MultiCurrencyEnabled"] is True
    assert found["SalesFormsPrefs"]["CustomTxnNumbers"] is True
    assert found["SalesFormsPrefs"]["AutoApplyCredit"] is True
    assert found["AccountingInfoPrefs"]["BookCloseDate"] == "2026-10-31"
    assert found["TaxPrefs"]["PartnerTaxEnabled"] is True
    names = found["SalesFormsPrefs"]["CustomField"][1]["CustomField"]
    assert [(one["Name"], one["StringValue"]) for one in names] == [
        ("SalesFormsPrefs.SalesCustomName1", "PO Number")
    ]


def test_company_info_tells_the_country(german_books):
    answer = german_books.api("GET", f"companyinfo/{german_books.company.realm_id}")

    assert answer.json["CompanyInfo"]["Country"] == "DE"


@pytest.mark.parametrize("body", [b"{", b"[]", b"\xff"])
def test_a_body_that_is_no_object_is_refused(books, body):
    assert books.post("Invoice", body).code == "2010"


def test_an_unknown_object_is_refused(books):
    assert books.post("Dragon", {}).code == "500"


def fault(books, **wanted):
    answer = books.ask("POST", "/__faults", wanted)
    assert answer.status == 200, answer.body


@pytest.mark.parametrize(
    ("status", "spelling", "code"),
    [(429, "Fault", "3001"), (429, "fault", "3001"), (401, None, "3200"), (500, None, "10000")],
)
def test_a_fault_is_worded_as_the_vendor_words_it(books, status, spelling, code):
    fault(books, fault="status", status=status, spelling=spelling)

    answer = books.query("SELECT * FROM Term")

    assert (answer.status, answer.code) == (status, code)
    assert books.query("SELECT * FROM Term").status == 200


def test_an_item_can_be_missing_from_a_batchs_answer_though_it_was_done(books):
    fault(books, fault="omit_batch_item", path="/batch$")
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(5)]

    answers = send_batch(books, items)

    assert len(answers) == 4
    assert len(books.truth()["customers"]) == 5


def test_a_batchs_answer_can_come_in_another_order(books):
    fault(books, fault="reorder_batch", path="/batch$")
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(30)]

    answer = books.api("POST", "batch", {"BatchItemRequest": items}).json

    assert [one["bId"] for one in answer["BatchItemResponse"]] != [one["bId"] for one in items]


def test_a_page_can_come_twice_or_short(books):
    for number in range(4):
        books.customer(f"C{number}")
    text = "SELECT * FROM Customer ORDERBY Id STARTPOSITION {} MAXRESULTS 2"
    first = [one["Id"] for one in books.rows("Customer", text.format(1))]

    fault(books, fault="duplicate_page", path="/query$")
    assert [one["Id"] for one in books.rows("Customer", text.format(3))] == first
    fault(books, fault="short_page", path="/query$")
    assert [one["Id"] for one in books.rows("Customer", text.format(1))] == first[:1]
    assert [one["Id"] for one in books.rows("Customer", text.format(3))] == ["3", "4"]


def post_on_socket(served, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        connection.request("POST", path, jsonwire.dumps(body), headers)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["lose_answer", "commit_late"])
def test_an_answer_can_be_lost_and_the_invoice_is_there_all_the_same(books, kind):
    body = books.invoice_body(books.customer())
    path = f"/v3/company/{books.company.realm_id}/invoice"

    with serve(books.app) as served:
        fault(books, fault=kind, path="/invoice$", seconds=0.05)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            post_on_socket(served, f"{path}?requestid=r-1", body)
        at_once = len(truth_of(books.company)["invoices"])
        time.sleep(0.2)
        again = jsonwire.loads(post_on_socket(served, f"{path}?requestid=r-1", body))

    assert at_once == (1 if kind == "lose_answer" else 0)
    (found,) = truth_of(books.company)["invoices"]
    assert again["Invoice"]["Id"] == found["id"]
