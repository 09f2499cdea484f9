"""Payments, credits and what they take from invoices (R17, R18)."""

from decimal import Decimal

import pytest


def test_r17_a_payment_lowers_the_balance_and_makes_the_token_stale(books, clock):
    customer = books.customer()
    invoice = books.invoice(customer)
    clock.advance(seconds=90)

    payment = books.pay(customer, "40.00", {invoice["Id"]: "40.00"})

    after = books.get("Invoice", invoice["Id"])
    assert after["Balance"] == Decimal("60.00")
    assert after["SyncToken"] == "1"
    assert after["LinkedTxn"] == [{"TxnId": payment["Id"], "TxnType": "Payment"}]
    assert after["MetaData"]["LastUpdatedTime"] == "2026-11-10T10:01:30-08:00"
    change = {"Id": invoice["Id"], "SyncToken": "0", "sparse": True, "PrivateNote": "x"}
    assert books.post("Invoice", change).code == "5010"


def test_r17_one_payment_over_several_invoices(books):
    customer = books.customer()
    first, second = books.invoice(customer), books.invoice(customer)

    payment = books.pay(customer, "150.00", {first["Id"]: "100.00", second["Id"]: "50.00"})

    assert payment["UnappliedAmt"] == 0
    balances = [books.get("Invoice", one["Id"])["Balance"] for one in (first, second)]
    assert balances == [0, 50]
    assert books.get("Customer", customer)["Balance"] == 50


def test_r17_an_overpayment_is_accepted_and_the_rest_is_unapplied(books):
    customer = books.customer()
    invoice = books.invoice(customer)

    payment = books.pay(customer, "130.00", {invoice["Id"]: "130.00"})

    assert payment["UnappliedAmt"] == Decimal("30.00")
    assert [line["Amount"] for line in payment["Line"]] == [Decimal("100.00")]
    assert books.get("Invoice", invoice["Id"])["Balance"] == 0
    assert books.get("Customer", customer)["Balance"] == -30


def test_r17_without_lines_a_payment_is_unapplied(books):
    customer = books.customer()

    payment = books.pay(customer, "25.00", {})

    assert payment["UnappliedAmt"] == 25
    assert payment["DepositToAccountRef"]["name"] == "Undeposited Funds"


def test_r17_a_payment_for_another_customers_invoice_sits_unapplied(books):
    invoice = books.invoice(books.customer("Acme"))

    payment = books.pay(books.customer("Other"), "100.00", {invoice["Id"]: "100.00"})

    assert (payment["UnappliedAmt"], payment["Line"]) == (100, [])
    assert books.get("Invoice", invoice["Id"])["Balance"] == 100


def test_r17_lines_above_the_total_are_refused(books):
    customer = books.customer()
    invoice = books.invoice(customer)

    answer = books.post("Payment", books.payment_body(customer, "50", {invoice["Id"]: "60"}))

    assert answer.code == "6000"
    assert books.get("Invoice", invoice["Id"])["SyncToken"] == "0"


def test_r17_nothing_can_be_linked_to_a_voided_or_missing_invoice(books):
    customer = books.customer()
    invoice = books.invoice(customer)
    books.deed("void", id=invoice["Id"])

    for one in (invoice["Id"], "9999"):
        assert books.post("Payment", books.payment_body(customer, "1", {one: "1"})).code == "620"


def test_r17_a_payment_is_not_applied_from_inside_the_invoice(books):
    body = books.invoice_body(books.customer(), LinkedTxn=[{"TxnId": "9", "TxnType": "Payment"}])

    assert books.post("Invoice", body).code == "2017"


def test_r17_a_voided_payment_gives_back_what_it_took(books):
    customer = books.customer()
    invoice = books.invoice(customer)
    payment = books.pay(customer, "100.00", {invoice["Id"]: "100.00"}, PrivateNote="wire 7")

    gone = books.update(
        "Payment",
        {"Id": payment["Id"], "SyncToken": "0", "sparse": True},
        operation="update",
        include="void",
    )

    assert (gone["TotalAmt"], gone["Line"], gone["PrivateNote"]) == (0, [], "Voided - wire 7")
    after = books.get("Invoice", invoice["Id"])
    assert (after["Balance"], after["LinkedTxn"], after["SyncToken"]) == (100, [], "2")


def test_r17_a_deleted_payment_gives_back_what_it_took(books):
    customer = books.customer()
    invoice = books.invoice(customer)
    payment = books.pay(customer, "100.00", {invoice["Id"]: "100.00"})

    books.update("Payment", {"Id": payment["Id"], "SyncToken": "0"}, operation="delete")

    assert books.get("Invoice", invoice["Id"])["Balance"] == 100
    assert books.get("Customer", customer)["Balance"] == 100


def test_r17_a_payment_can_be_moved_to_another_invoice(books):
    customer = books.customer()
    first, second = books.invoice(customer), books.invoice(customer)
    payment = books.pay(customer, "100.00", {first["Id"]: "100.00"})

    moved = books.payment_body(customer, "100.00", {second["Id"]: "100.00"})
    books.update("Payment", {**moved, "Id": payment["Id"], "SyncToken": "0"})

    assert books.get("Invoice", first["Id"])["Balance"] == 100
    assert books.get("Invoice", second["Id"])["Balance"] == 0


@pytest.mark.parametrize("operation", ["update", "delete", "void"])
def test_r17_a_deposited_payment_cannot_be_changed(books, operation):
    customer = books.customer()
    payment = books.pay(customer, "10.00", {})
    books.deed("deposit_payment", id=payment["Id"])
    body = {**books.payment_body(customer, "11.00", {}), "Id": payment["Id"], "SyncToken": "1"}

    answer = books.post("Payment", body, operation=operation)

    assert (answer.status, answer.code) == (400, "6540")


def test_r30_a_payment_dated_in_closed_books_is_refused(books):
    customer = books.customer()
    invoice = books.invoice(customer)
    books.deed("close_books", until="2026-11-05")

    answer = books.post("Payment", books.payment_body(customer, "10", {invoice["Id"]: "10"}))

    assert answer.code == "6210"


def test_r16_a_payments_currency_is_its_customers(many_currencies):
    customer = many_currencies.customer(CurrencyRef={"value": "EUR"})
    body = many_currencies.payment_body(customer, "10", {}, CurrencyRef={"value": "USD"})

    assert many_currencies.post("Payment", body).code == "6000"


def test_r17_a_credit_memo_is_used_by_a_payment_of_nothing(books):
    customer = books.customer()
    invoice = books.invoice(customer)
    memo = books.create("CreditMemo", books.invoice_body(customer, books.line("30.00")))
    assert memo["RemainingCredit"] == 30

    body = books.payment_body(customer, "0", {invoice["Id"]: "30.00"})
    body["Line"].append(
        {"Amount": Decimal(30), "LinkedTxn": [{"TxnId": memo["Id"], "TxnType": "CreditMemo"}]}
    )
    payment = books.create("Payment", body)

    assert (payment["TotalAmt"], payment["UnappliedAmt"]) == (0, 0)
    assert books.get("Invoice", invoice["Id"])["Balance"] == 70
    assert books.get("CreditMemo", memo["Id"])["RemainingCredit"] == 0


def test_r18_credits_are_applied_behind_our_back_if_the_company_wants_it(open_books):
    books = open_books(auto_apply_credit=True)
    customer = books.customer()
    books.create("CreditMemo", books.invoice_body(customer, books.line("30.00")))

    invoice = books.invoice(customer)

    assert (invoice["Balance"], invoice["SyncToken"]) == (70, "1")
    assert [payment["total"] for payment in books.truth()["payments"]] == [0]


def test_r18_payments_are_applied_behind_our_back_if_the_company_wants_it(open_books):
    books = open_books(auto_apply_payments=True)
    customer = books.customer()
    books.pay(customer, "250.00", {})

    balances = [books.invoice(customer)["Balance"] for _ in range(3)]

    assert balances == [0, 0, 50]


def test_r17_an_invoice_edited_below_what_was_paid_frees_the_rest(books):
    customer = books.customer()
    invoice = books.invoice(customer)
    payment = books.pay(customer, "100.00", {invoice["Id"]: "100.00"})

    books.deed("edit", id=invoice["Id"], changes={"Line": [books.line("60.00")]})

    assert books.get("Invoice", invoice["Id"])["Balance"] == 0
    after = books.get("Payment", payment["Id"])
    assert (after["UnappliedAmt"], after["Line"][0]["Amount"]) == (40, 60)


def test_r17_money_without_an_account_waits_in_undeposited_funds(books):
    paid = books.pay(books.customer(), "10.00", {})

    assert paid["DepositToAccountRef"]["value"] == books.account("Undeposited Funds")
