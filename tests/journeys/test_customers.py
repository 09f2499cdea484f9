"""Which customer of the books a deal's company is, and when a new one is made."""

import pytest
from simulated_world import buy

from sync_engine.states import in_state


@pytest.fixture
def known(world):
    def make(name, currency="EUR", **more):
        body = {"DisplayName": name, "CurrencyRef": {"value": currency}, **more}
        return world.books("create", kind="Customer", body=body)["Id"]

    return make


def contact(world, deal, email):
    person = world.portal.create("contacts", {"email": email, "lastname": "Payable"})
    world.portal.link(("deals", "contacts"), int(deal), person.id)


def customers(world):
    return [(one["name"], one["currency"]) for one in world.books_truth()["customers"]]


def buyers(world):
    return [one["customer"] for one in world.invoices()]


def test_a_new_company_becomes_a_customer_once(world, sold, ties_out):
    company = buy(world, "Neu GmbH", city="Köln", address="Markt 1")
    sold(company=company)
    sold(company=company)
    world.round(2)
    assert (customers(world), buyers(world)) == ([("Neu GmbH", "EUR")], ["1", "1"])
    ties_out(world)


def test_an_e_mail_address_comes_before_the_name(world, sold, known, ties_out):
    known("Bär GmbH")
    by_mail = known("Baer Finance", PrimaryEmailAddr={"Address": "AP@Baer.example"})
    deal = sold(company=buy(world, "Bär GmbH"))
    contact(world, deal, "ap@baer.example")
    world.round()
    assert buyers(world) == [by_mail]
    ties_out(world)


@pytest.mark.parametrize(
    "name", ["BÄR gmbh", "  Bär   GmbH ", "Ba\u0308r GmbH", "B\u00e4r\u00a0GmbH"]
)
def test_a_name_is_the_same_in_other_case_spacing_and_accents_spelling(
    world, sold, known, ties_out, name
):
    one = known("Bär GmbH")
    sold(company=buy(world, name))
    world.round()
    assert (buyers(world), len(customers(world))) == ([one], 1)
    ties_out(world)


def test_two_candidates_ask_and_an_answer_is_remembered(world, sold, known, ties_out):
    known("Acme GmbH")
    second = known("ACME  GmbH")
    company = buy(world, "acme gmbh")
    deal = sold(company=company)
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["which-customer"])
    assert world.tasks()["which-customer"]["choices"] == ["1", "2", "create"]
    ties_out(world)
    world.answer("which-customer", second)
    world.round()
    assert (buyers(world), world.codes()) == ([second], [])
    assert world.told(deal, "invoice_status") == "invoiced"
    sold(company=company)
    world.round()
    assert (buyers(world), world.codes()) == ([second, second], [])
    ties_out(world)


def test_twins_of_a_company_in_one_round_share_one_new_customer(world, sold, ties_out):
    for name in ("Nord AG", "NORD  AG", "nord ag "):
        sold(company=buy(world, name))
    world.round(2)
    assert (len(customers(world)), set(buyers(world)), len(buyers(world))) == (1, {"1"}, 3)
    ties_out(world)


def test_a_second_currency_makes_a_second_customer_with_the_suffix(world, sold, ties_out):
    company = buy(world, "Nord AG")
    sold(company=company)
    sold(company=company, deal_currency_code="USD")
    world.round(2)
    assert sorted(customers(world)) == [("Nord AG", "EUR"), ("Nord AG USD", "USD")] or sorted(
        customers(world)
    ) == [("Nord AG", "USD"), ("Nord AG EUR", "EUR")]
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_customer_of_another_currency_is_not_taken(world, sold, known, ties_out):
    known("Nord AG", currency="USD")
    sold(company=buy(world, "Nord AG"))
    world.round()
    assert sorted(customers(world)) == [("Nord AG", "USD"), ("Nord AG EUR", "EUR")]
    ties_out(world)


def test_a_vendor_of_that_name_makes_the_customer_take_the_suffix(world, sold, ties_out):
    world.books("create", kind="Vendor", body={"DisplayName": "Nord AG"})
    sold(company=buy(world, "Nord AG"))
    world.round()
    assert customers(world) == [("Nord AG EUR", "EUR")]
    ties_out(world)


def test_an_inactive_customer_blocks_until_it_is_active(world, sold, known, ties_out):
    one = known("Nord AG")
    world.books("inactivate", id=one)
    sold(company=buy(world, "Nord AG"))
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["inactive-customer"])
    ties_out(world)
    world.books("edit", kind="Customer", id=one, changes={"Active": True})
    world.round()
    assert (buyers(world), world.codes()) == ([one], [])
    ties_out(world)


def test_a_blocked_customer_parks_its_own_invoices_and_no_others(world, sold, ties_out):
    blocked = buy(world, "A:B GmbH")
    sold(company=blocked)
    sold(company=blocked)
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["name-characters"] * 2)
    ties_out(world)
    world.crm("edit_company", blocked, {"name": "A und B GmbH"})
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (3, [])
    ties_out(world)


def test_a_company_without_a_name_asks_for_one(world, sold, ties_out):
    company = buy(world, "X")
    world.crm("edit_company", company, {"name": ""})
    sold(company=company)
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["no-customer"])
    ties_out(world)


def test_a_refused_customer_is_one_task_and_retry_goes_on(world, sold, ties_out):
    """A vendor of that name was made after our last look at the books (6240)."""
    company = buy(world, "Nord AG")
    sold(company=company)
    sold(company=company)
    engine = world.restart(approve="by_hand")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.fault("books", fault="status", status=400, path="batch|customer", body="Nord AG", count=0)
    vendor = {"DisplayName": "Nord AG"}
    feed = world.working.pairs["main"].books.changes

    def late(*args):
        yield from feed(*args)
        world.books("create", kind="Vendor", body=vendor)

    world.working.pairs["main"].books.changes = late
    world.round()
    world.working.pairs["main"].books.changes = feed
    assert world.invoices() == []
    assert world.codes() == ["customer-refused", "customer-refused", "duplicate"]
    ties_out(world)
    [vendor_id] = list(world.company.tables["Vendor"].rows)
    world.books("edit", kind="Vendor", id=vendor_id, changes={"DisplayName": "Lieferant AG"})
    world.answer("duplicate", "retry")
    for _ in range(3):
        world.round()
        sheet = engine.sheet_hash("main")
        if sheet:
            engine.approve(sheet, who="ann")
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_a_customer_made_by_hand_while_the_plan_waits_is_taken(world, sold, known, ties_out):
    engine = world.restart(approve="by_hand")
    sold(company=buy(world, "Nord AG"))
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    one = known("Nord AG")
    world.round()
    assert (customers(world), world.codes()) == ([("Nord AG", "EUR")], ["approval"])
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert buyers(world) == [one]
    ties_out(world)


def test_a_shared_new_customer_keeps_the_approval_when_the_books_move(world, sold, ties_out):
    """Two deals that plan one customer in other words do not undo each other's plan."""
    engine = world.restart(approve="by_hand")
    sold(company=buy(world, "Nord AG", city="Köln"))
    sold(company=buy(world, "NORD  AG", city="Bonn"))
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.books("create", kind="Vendor", body={"DisplayName": "Lieferant AG"})
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (2, [])
    assert customers(world) == [("Nord AG", "EUR")]
    ties_out(world)


def test_customers_that_the_books_merge_are_one_from_then_on(world, sold, ties_out):
    """All that was remembered of the one is re-pointed in one step, which the journal tells."""
    one, two = buy(world, "Eins GmbH"), buy(world, "Zwei GmbH")
    deals = [sold(company=one), sold(company=two)]
    world.round()
    world.books("merge_customers", id="2", into="1")
    world.round(2)
    assert world.codes() == []
    ties_out(world)
    sold(company=two)
    world.round(2)
    assert ([one["customer"] for one in world.invoices()], world.codes()) == (["1"] * 3, [])
    ties_out(world)
    (line,) = [
        line
        for line in world.working.ledger.all("journal_after", n=0, limit=1000)
        if line["what"] == "customers merged"
    ]
    assert (line["subject"], line["detail"]) == ("customer 2", '{"bindings":1,"into":"1"}')
    assert len(deals) == 2


def test_an_invoice_moved_from_a_customer_in_use_is_drift_and_no_merge(world, sold, ties_out):
    one, two = buy(world, "Eins GmbH"), buy(world, "Zwei GmbH")
    for company in (one, two):
        sold(company=company)
    world.round()
    (moved,) = [made["id"] for made in world.invoices() if made["customer"] == "2"]
    world.books("edit", id=moved, changes={"CustomerRef": {"value": "1"}})
    world.round(2)
    assert world.codes() == ["changed-in-books"]
    ties_out(world)


def test_a_new_customer_that_no_deal_needs_any_more_is_left_with_that_reason(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    world.crm("lose", deal)
    world.round()
    left = {row["kind"]: row["reason"] for row in in_state(engine.ledger, "main", "skipped")}
    assert (left["customer"], sorted(left)) == ("not-needed", ["customer", "invoice"])
    assert world.codes() == []
    ties_out(world)


def test_of_two_deals_of_a_new_company_the_first_words_its_customer(world, sold, ties_out):
    """Each says another e-mail: what one deal says later undoes no approval of the other's."""
    engine = world.restart(approve="by_hand")
    company = buy(world, "Neu GmbH")
    first, second = sold(company=company), sold(company=company)
    contact(world, first, "first@neu.example")
    contact(world, second, "second@neu.example")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.crm("edit_deal", second, {"po_number": "PO-7777"})
    engine.plan()
    states = {row["kind"]: row["state"] for row in in_state(engine.ledger, "main", "approved")}
    assert states == {"customer": "approved", "invoice": "approved"}
    [planned] = [row for row in engine.plan(look=False) if row["kind"] == "customer"]
    asked = engine.ledger.one("plan_get", hash=planned["hash"])["change"]
    assert "null" not in asked  # what the CRM does not say is not said
    world.round()
    [made] = world.books_truth()["customers"]
    assert (made["email"], len(world.invoices())) == ("first@neu.example", 1)
    ties_out(world)
