"""Batches, and the memory of request ids."""

import pytest

from tieout.simulator.quickbooks import (
    Limits,
)


def test_r23_batches_have_a_limit_of_their_own(open_books):
    books = open_books({"limits": Limits(per_second=None, batches_per_minute=1)})
    body = {"BatchItemRequest": [{"bId": "1", "Query": "SELECT * FROM Term"}]}

    statuses = [books.api("POST", "batch", body).status for _ in range(2)]

    assert statuses == [200, 429]
    assert books.query("SELECT * FROM Term").status == 200


def test_r22_the_same_request_id_is_answered_from_memory(books):
    body = books.invoice_body(books.customer())

    first = books.post("Invoice", body, requestid="r-1")
    again = books.post("Invoice", body, requestid="r-1")

    assert again.body == first.body
    assert len(books.truth()["invoices"]) == 1


def test_r22_another_body_under_a_known_id_is_answered_from_memory_too(books):
    customer = books.customer()
    first = books.post("Invoice", books.invoice_body(customer), requestid="r-1")
    other = books.invoice_body(customer, books.line("7.00"))

    assert books.post("Invoice", other, requestid="r-1").body == first.body
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


def test_r23_a_batch_has_at_most_thirty_items(books):
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(31)]

    answer = books.api("POST", "batch", {"BatchItemRequest": items})

    assert (answer.status, answer.code) == (400, "1040")
    assert len(books.batch(items[:30])) == 30


def test_q2_a_batch_answers_each_item_for_itself(books):
    customer = books.customer()
    wrong = books.invoice_body(customer, books.line(Qty=1, UnitPrice=1))

    answers = books.batch(
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


def test_q2_items_of_a_batch_do_not_see_what_earlier_ones_made(books):
    customer = int(books.customer("First"))
    body = books.invoice_body(str(customer))
    body["CustomerRef"] = {"value": str(customer + 1)}

    answers = books.batch(
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


def test_q2_a_batch_updates_voids_and_deletes(books):
    customer = books.customer()
    first, second, third = (books.invoice(customer) for _ in range(3))
    payment = books.pay(customer, "5.00", {})

    answers = books.batch(
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

    first = books.batch(items, requestid="k")
    again = books.batch(items, requestid="k")
    regrouped = books.batch(items[:1], requestid="other")

    assert again == first
    assert regrouped["a"]["Invoice"]["Id"] not in {one["Invoice"]["Id"] for one in first.values()}
    assert len(books.truth()["invoices"]) == 3


def test_q2_a_batch_may_answer_in_another_order(open_books):
    books = open_books(shuffle_batches=True, seed=3)
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(30)]

    answer = books.api("POST", "batch", {"BatchItemRequest": items}).json

    order = [one["bId"] for one in answer["BatchItemResponse"]]
    assert sorted(order, key=int) == [item["bId"] for item in items]
    assert order != [item["bId"] for item in items]


def test_an_item_can_be_missing_from_a_batchs_answer_though_it_was_done(books):
    books.fault(fault="omit_batch_item", path="/batch$")
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(5)]

    answers = books.batch(items)

    assert len(answers) == 4
    assert len(books.truth()["customers"]) == 5


def test_a_batchs_answer_can_come_in_another_order(books):
    books.fault(fault="reorder_batch", path="/batch$")
    items = [create_item(f"{n}", "Customer", {"DisplayName": f"C{n}"}) for n in range(30)]

    answer = books.api("POST", "batch", {"BatchItemRequest": items}).json

    assert [one["bId"] for one in answer["BatchItemResponse"]] != [one["bId"] for one in items]


def test_r22_a_batchs_request_id_has_thirty_six_characters_and_a_bid_ten(books):
    """The books join the two, and take fifty together."""

    def code(b_id, request_id):
        item = create_item(b_id, "Customer", {"DisplayName": f"{b_id} {request_id}"})
        (answer,) = books.batch([item], requestid=request_id).values()
        return answer["Fault"]["Error"][0]["code"] if "Fault" in answer else "done"

    assert code("b" * 10, "r" * 36) == "done"
    assert code("b" * 11, "r" * 36) == "6000"
    assert code("b" * 10, "r" * 37) == "6000"


def test_q2_each_item_of_a_batch_has_a_name(books):
    body = {"BatchItemRequest": [{"Query": "SELECT * FROM Term"}]}

    assert books.api("POST", "batch", body).code == "2020"
    assert books.api("POST", "batch", {**body, "items": []}).code == "2010"
