"""Sales changed, voided and deleted."""


def test_r11_void_zeroes_amounts_and_marks_the_note(books):
    line = books.line("30.00", "TAX", Qty=3, UnitPrice=10)
    made = books.invoice(books.customer(), line, PrivateNote="deal 901")

    gone = books.update("Invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="void")

    assert gone["PrivateNote"] == "Voided - deal 901"
    assert (gone["TotalAmt"], gone["Balance"], gone["TxnTaxDetail"]) == (0, 0, {"TotalTax": 0})
    sold = gone["Line"][0]
    assert (sold["Amount"], sold["SalesItemLineDetail"]["Qty"]) == (0, 0)
    assert gone["SyncToken"] == "1"
    assert books.get("Invoice", made["Id"])["DocNumber"] == made["DocNumber"]


def test_r11_the_note_of_a_voided_invoice_without_a_note_is_voided(books):
    made = books.invoice(books.customer())

    gone = books.update("Invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="void")

    assert gone["PrivateNote"] == "Voided"


def test_r11_an_invoice_with_payments_can_be_neither_voided_nor_deleted(books):
    customer = books.customer()
    made = books.invoice(customer)
    books.pay(customer, "40.00", {made["Id"]: "40.00"})
    body = {"Id": made["Id"], "SyncToken": "1"}

    assert books.post("Invoice", body, operation="void").code == "6000"
    assert books.post("Invoice", body, operation="delete").code == "6000"


def test_r11_a_deleted_invoice_is_gone(books):
    made = books.invoice(books.customer())

    gone = books.update("Invoice", {"Id": made["Id"], "SyncToken": "0"}, operation="delete")

    assert gone == {"domain": "QBO", "status": "Deleted", "Id": made["Id"]}
    answer = books.api("GET", f"invoice/{made['Id']}")
    assert (answer.status, answer.code) == (400, "610")
    assert "deleted" in answer.detail


def test_r11_credit_memos_and_refunds_cannot_be_voided(books):
    memo = books.create("CreditMemo", books.invoice_body(books.customer()))

    answer = books.post("CreditMemo", {"Id": memo["Id"], "SyncToken": "0"}, operation="void")

    assert answer.code == "500"


def test_r12_an_old_sync_token_is_refused(books):
    made = books.invoice(books.customer())
    change = {"Id": made["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "first"}
    assert books.update("Invoice", change)["SyncToken"] == "1"

    answer = books.post("Invoice", {**change, "PrivateNote": "second"})

    assert (answer.status, answer.code) == (400, "5010")


def test_r12_a_sparse_update_keeps_the_rest_and_replaces_the_lines_whole(books):
    made = books.invoice(books.customer(), books.line("10"), books.line("20"), PrivateNote="kept")

    after = books.update(
        "Invoice", {"Id": made["Id"], "SyncToken": "0", "sparse": True, "Line": [books.line("5")]}
    )

    assert after["PrivateNote"] == "kept"
    assert [line["Amount"] for line in after["Line"]] == [5, 5]
    assert after["TotalAmt"] == 5


def test_r12_a_full_update_clears_what_it_does_not_name(books):
    customer = books.customer()
    made = books.invoice(customer, PrivateNote="gone soon")

    after = books.update(
        "Invoice", {**books.invoice_body(customer), "Id": made["Id"], "SyncToken": "0"}
    )

    assert "PrivateNote" not in after
    assert after["DocNumber"] == made["DocNumber"]


def test_r30_what_lies_in_closed_books_can_be_neither_changed_nor_voided(books):
    made = books.invoice(books.customer())
    books.deed("close_books", until="2026-11-01")
    body = {"Id": made["Id"], "SyncToken": "0"}

    moved = {**body, "sparse": True, "TxnDate": "2026-11-02"}
    assert books.post("Invoice", moved).code == "6210"
    assert books.post("Invoice", body, operation="void").code == "6210"
    assert books.post("Invoice", body, operation="delete").code == "6210"


def test_r6_a_failed_create_writes_nothing_and_burns_no_number(books):
    customer = books.customer()
    books.post("Invoice", books.invoice_body(customer, books.line(Qty=1, UnitPrice=1)))

    assert books.invoice(customer)["DocNumber"] == "1001"
    assert len(books.truth()["invoices"]) == 1


def test_r12_an_update_names_its_record_by_texts(books):
    made = books.invoice(books.customer())
    present = {"Id": made["Id"], "SyncToken": made["SyncToken"]}

    assert books.post("Invoice", {**present, "SyncToken": 0}, operation="void").code == "2010"
    assert books.post("Invoice", {**present, "Id": int(made["Id"])}, operation="void").code == (
        "2010"
    )
    assert books.post("Invoice", {"Id": made["Id"]}, operation="void").code == "2020"
    assert books.post("Invoice", present, operation="void").status == 200
