"""A person at work in the books, the truth about them, and their memory in a file."""

from decimal import Decimal

import pytest

from tieout.simulator.quickbooks import (
    load,
    load_authority,
    save,
    save_authority,
    truth_of,
)


def test_a_person_edits_an_invoice_without_knowing_its_token(books):
    made = books.invoice(books.customer())

    after = books.deed("edit", id=made["Id"], changes={"DocNumber": "A-1"})

    assert (after["DocNumber"], after["SyncToken"]) == ("A-1", "1")


def test_a_person_receives_what_is_open_or_less_or_more(books):
    customer = books.customer()
    first, second = books.invoice(customer), books.invoice(customer)

    books.deed("receive_payment", invoices={first["Id"]: "30.00"})
    over = books.deed(
        "receive_payment", invoices={first["Id"]: None, second["Id"]: None}, total="200.00"
    )

    assert over["UnappliedAmt"] == 30
    balances = {one["id"]: one["balance"] for one in books.truth()["invoices"]}
    assert balances == {first["Id"]: 0, second["Id"]: 0}


def test_a_person_receives_money_for_nothing_yet(books):
    payment = books.deed("receive_payment", customer=books.customer(), total="12.34")

    assert payment["UnappliedAmt"] == Decimal("12.34")


def test_an_invoice_by_hand_carries_its_purchase_order_number(books):
    books.deed(
        "create_invoice",
        customer=books.customer(),
        lines=[{"item": books.item(), "amount": "250.00"}],
        po_number="PO-77",
        day="2026-11-03",
    )

    (found,) = books.truth()["invoices"]
    assert (found["po_number"], found["by_hand"], found["net"]) == ("PO-77", True, 250)


def test_a_copied_invoice_carries_the_memo_along(books):
    original = books.invoice(
        books.customer(),
        PrivateNote="deal [tieout:ABCDEFGHJKMNPQRS-1]",
        CustomField=[{"DefinitionId": "1", "StringValue": "PO-1"}],
    )

    copy = books.deed("copy_invoice", id=original["Id"])

    assert copy["PrivateNote"] == original["PrivateNote"]
    assert copy["DocNumber"] != original["DocNumber"]
    assert books.truth()["duplicates"] == {"PO-1": [original["Id"], copy["Id"]]}


def test_a_credit_is_used_on_an_invoice(books):
    customer = books.customer()
    invoice = books.invoice(customer)

    memo = books.deed(
        "credit",
        customer=customer,
        lines=[{"item": books.item(), "amount": "40.00", "tax_code": "NON"}],
        apply_to=invoice["Id"],
    )

    assert memo["RemainingCredit"] == 0
    assert books.get("Invoice", invoice["Id"])["Balance"] == 60


def test_a_refund_is_told_in_the_truth(books):
    books.deed(
        "refund",
        customer=books.customer(),
        lines=[{"item": books.item(), "amount": "40.00", "tax_code": "NON"}],
        po_number="PO-1",
    )

    (found,) = books.truth()["refund_receipts"]
    assert (found["total"], found["po_number"]) == (40, "PO-1")


def test_a_renamed_customer_shows_on_the_documents(books):
    customer = books.customer("Acme")
    made = books.invoice(customer)

    books.deed("rename_customer", id=customer, name="Acme Holding")

    assert books.get("Invoice", made["Id"])["CustomerRef"]["name"] == "Acme Holding"


def test_a_merged_customer_is_inactive_and_its_documents_are_the_other_one_s(books):
    gone, kept = books.customer("Acme Ltd"), books.customer("Acme")
    made = books.invoice(gone)

    books.deed("merge_customers", id=gone, into=kept)

    shown = books.get("Customer", gone)
    assert (shown["DisplayName"], shown["Active"], shown["Balance"]) == (
        "Acme Ltd (deleted)",
        False,
        0,
    )
    assert books.get("Invoice", made["Id"])["CustomerRef"]["value"] == kept
    assert books.get("Customer", kept)["Balance"] == made["Balance"]


def test_a_changed_preference_is_read_by_the_api(books):
    books.deed("change_preference", name="custom_txn_numbers", value=True)

    found = books.api("GET", "preferences").json["Preferences"]
    assert (found["SalesFormsPrefs"]["CustomTxnNumbers"], found["SyncToken"]) == (True, "1")


@pytest.mark.parametrize(
    "wanted",
    [
        {"deed": "fly"},
        {"deed": "void"},
        {"deed": "void", "id": "9999"},
        {"deed": "change_preference", "name": "multicurrency", "value": True},
        {"deed": "void", "id": "1", "realm": "nowhere"},
    ],
)
def test_a_deed_that_cannot_be_done_is_refused(books, wanted):
    assert books.ask("POST", "/__deeds", wanted).status == 400


def test_the_truth_keeps_what_was_voided_and_deleted(books):
    customer = books.customer()
    voided, deleted = books.invoice(customer), books.invoice(customer)
    books.deed("void", id=voided["Id"])
    books.deed("delete", id=deleted["Id"])

    found = {one["id"]: one for one in books.truth()["invoices"]}

    assert (found[voided["Id"]]["voided"], found[voided["Id"]]["total"]) == (True, 0)
    assert (found[deleted["Id"]]["deleted"], found[deleted["Id"]]["total"]) == (True, 100)


def test_the_truth_counts_requests_by_route(books):
    books.query("SELECT * FROM Customer")
    books.customer()

    requests = books.truth()["requests"]

    assert (requests["GET query"], requests["POST customer"]) == (1, 1)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"country": "DE", "home_currency": "EUR", "utc_offset_hours": 1},
        {"multicurrency": True, "custom_txn_numbers": True},
    ],
)
def test_a_company_lives_on_from_its_file(open_books, clock, tmp_path, settings):
    books = open_books(**settings)
    code = "S19" if settings.get("country") == "DE" else "TAX"
    customer = books.customer("Bär & 王")
    invoice = books.invoice(customer, books.line("100.00", code), PrivateNote="x")
    gone = books.invoice(customer, books.line("5.00", code))
    books.deed("delete", id=gone["Id"])
    books.pay(customer, "50.00", {invoice["Id"]: "50.00"})
    body = books.invoice_body(customer, books.line("7.00", code))
    first = books.post("Invoice", body, requestid="r-1")
    save(books.company, tmp_path / "books.json")

    again = load(tmp_path / "books.json", clock)

    assert truth_of(again) == truth_of(books.company)
    books.app.state.books.companies[again.realm_id] = books.company = again
    assert books.post("Invoice", body, requestid="r-1").body == first.body
    assert books.get("Invoice", invoice["Id"])["SyncToken"] == "1"
    books.deed("rename_customer", id=customer, name="Renamed")
    assert books.get("Invoice", invoice["Id"])["CustomerRef"]["name"] == "Renamed"
    answer = books.api("GET", "cdc", entities="Invoice", changedSince="2026-11-10")
    ids = [one["Id"] for one in answer.json["CDCResponse"][0]["QueryResponse"][0]["Invoice"]]
    assert gone["Id"] in ids
    assert int(books.invoice(customer, books.line("1.00", code))["Id"]) > int(invoice["Id"])


def test_a_foreign_file_is_refused(clock, tmp_path):
    (tmp_path / "books.json").write_text("{}")

    with pytest.raises(ValueError, match="not a simulator"):
        load(tmp_path / "books.json", clock)


def test_the_same_requests_make_the_same_answers(open_books):
    def play():
        books = open_books()
        customer = books.customer()
        return books.post("Invoice", books.invoice_body(customer)).body

    assert play() == play()


def test_connections_live_on_from_their_file(books, clock, tmp_path):
    before = books.authority.issue(books.company.realm_id)
    save_authority(books.authority, tmp_path / "tokens.json")

    again = load_authority(tmp_path / "tokens.json", clock)

    assert again.realm_of(f"Bearer {before['access_token']}") == books.company.realm_id
    after = again.issue(books.company.realm_id)
    assert after["access_token"] != before["access_token"]
    assert set(again.refresh) == {before["refresh_token"], after["refresh_token"]}


def test_a_person_may_edit_what_refers_to_inactive_records(books):
    made = books.invoice(books.customer())
    books.deed("inactivate", kind="Item", id=books.item())

    after = books.deed("edit", id=made["Id"], changes={"PrivateNote": "seen"})

    assert after["PrivateNote"] == "seen"


def test_a_voided_invoice_that_is_filled_again_lives_again(books):
    made = books.invoice(books.customer())
    books.deed("void", id=made["Id"])
    books.deed("edit", id=made["Id"], changes={"PrivateNote": "still void"})
    assert books.truth()["invoices"][0]["voided"] is True

    books.deed("edit", id=made["Id"], changes={"Line": [books.line("5.00")]})

    assert books.truth()["invoices"][0]["voided"] is False


def test_any_record_can_be_made_by_hand(books):
    made = books.deed("create", kind="Vendor", body={"DisplayName": "A vendor"})

    assert books.get("Vendor", made["Id"])["DisplayName"] == "A vendor"
