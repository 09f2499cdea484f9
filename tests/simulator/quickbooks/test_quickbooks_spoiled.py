"""What goes wrong on the wire when it is asked to."""

import http.client
import time

import pytest

from tieout.simulator import jsonwire
from tieout.simulator.quickbooks import (
    truth_of,
)
from tieout.simulator.serving import serve

TOKEN = "a-token"


@pytest.mark.parametrize(
    ("status", "spelling", "code"),
    [(429, "Fault", "3001"), (429, "fault", "3001"), (401, None, "3200"), (500, None, "10000")],
)
def test_a_fault_is_worded_as_the_vendor_words_it(books, status, spelling, code):
    books.fault(fault="status", status=status, spelling=spelling)

    answer = books.query("SELECT * FROM Term")

    assert (answer.status, answer.code) == (status, code)
    assert books.query("SELECT * FROM Term").status == 200


def test_a_page_can_come_twice_or_short(books):
    for number in range(4):
        books.customer(f"C{number}")
    text = "SELECT * FROM Customer ORDERBY Id STARTPOSITION {} MAXRESULTS 2"
    first = [one["Id"] for one in books.rows("Customer", text.format(1))]

    books.fault(fault="duplicate_page", path="/query$")
    assert [one["Id"] for one in books.rows("Customer", text.format(3))] == first
    books.fault(fault="short_page", path="/query$")
    assert [one["Id"] for one in books.rows("Customer", text.format(1))] == first[:1]
    assert [one["Id"] for one in books.rows("Customer", text.format(3))] == ["3", "4"]


def post_on_socket(served, path, body):
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=5)
    try:
        headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
        connection.request("POST", path, jsonwire.dumps(body), headers)
        return connection.getresponse().read()
    finally:
        connection.close()


@pytest.mark.parametrize("kind", ["lose_answer", "commit_late"])
def test_an_answer_can_be_lost_and_the_invoice_is_there_all_the_same(books, kind):
    body = books.invoice_body(books.customer())
    path = f"/v3/company/{books.company.realm_id}/invoice"

    with serve(books.app) as served:
        books.fault(fault=kind, path="/invoice$", seconds=0.05)
        with pytest.raises((http.client.RemoteDisconnected, ConnectionResetError)):
            post_on_socket(served, f"{path}?requestid=r-1", body)
        at_once = len(truth_of(books.company)["invoices"])
        time.sleep(0.2)
        again = jsonwire.loads(post_on_socket(served, f"{path}?requestid=r-1", body))

    assert at_once == (1 if kind == "lose_answer" else 0)
    (found,) = truth_of(books.company)["invoices"]
    assert again["Invoice"]["Id"] == found["id"]
