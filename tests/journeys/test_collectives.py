"""The deals of a customer's month: one invoice, posted once when the month is over.

Deal by deal: won = invoiced - credited + held + not yet due, to the cent.
"""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from collective_tie_out import assert_each_ties_out
from simulated_world import MAPPINGS, World, buy, open_world, seller

from tieout.simulator.clock import SimulatedClock

BEGINS = datetime(2026, 3, 20, 9, tzinfo=UTC)
FILE = MAPPINGS / "hubspot-deals-to-monthly-invoice.yaml"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(BEGINS)


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (FILE, MAPPINGS / "hubspot-payment-to-payment.yaml")
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    sell = seller(world)
    return lambda **values: sell(**{"closedate": "2026-03-10T10:00:00Z", **values})


def until(clock: SimulatedClock, day: int, month: int) -> None:
    clock.advance((datetime(2026, month, day, 9, tzinfo=UTC) - clock()) / timedelta(seconds=1))


def nets(world: World) -> list[Decimal]:
    return sorted(Decimal(one["net"]) for one in world.invoices())


def test_the_deals_of_a_month_are_posted_together_once_it_is_over(world, sold, clock):
    buyer = buy(world, "Bär GmbH")
    first, second = sold(company=buyer), sold(company=buyer, price="33.33", quantity="3")
    other = sold()
    world.round()
    assert (nets(world), world.codes()) == ([], [])
    assert_each_ties_out(world)
    until(clock, 31, 3)
    world.round()
    assert nets(world) == []
    until(clock, 1, 4)
    world.round()
    assert nets(world) == [Decimal(300), Decimal("399.99")]
    assert world.codes() == []
    assert_each_ties_out(world)
    [invoice] = [one for one in world.invoices() if len(one["lines"]) == 2]
    assert [world.told(deal, "invoice_number") for deal in (first, second)] == [
        invoice["doc_number"]
    ] * 2
    assert world.told(other, "invoice_status") == "invoiced"
    world.round(2)
    assert len(world.invoices()) == 2


@pytest.fixture
def maps(world: World, tmp_path: Path) -> Callable[[str, str], None]:
    """Return a function that gives the mapping other words, and starts it anew."""
    given = [FILE.read_text(encoding="utf-8").partition("\ntests:")[0]]

    def give(old: str, new: str) -> None:
        assert old in given[0]
        given[0] = given[0].replace(old, new)
        file = tmp_path / FILE.name
        file.write_text(given[0])
        world.files = (file, *world.files[1:])
        if world.working is not None:
            world.restart()

    return give


@pytest.fixture
def march(world, sold, clock):
    """Return three deals of one customer, the first two posted together in April."""
    buyer = buy(world, "Bär GmbH")
    deals = sold(company=buyer), sold(company=buyer, price="33.33", quantity="3")
    world.round()
    until(clock, 1, 4)
    world.round()
    assert nets(world) == [Decimal("399.99")]
    return buyer, *deals


def states(world: World, deal: str) -> list[tuple[str, str | None, str]]:
    rows = world.working.plan((f"deal:{deal}",), look=False)
    return [(row["state"], row["reason"], row["net"]) for row in rows]


def test_until_the_month_is_over_it_waits_and_says_so(world, sold):
    buyer = buy(world, "Bär GmbH")
    deal = sold(company=buyer)
    world.round()
    assert states(world, deal) == [("collected", "2026-03", "300.00")]
    [plan] = world.working.plan((f"deal:{deal}",), look=False)
    assert (plan["goes"], plan["goes_with"]) == (False, f"company:{buyer}/2026-03:EUR")
    [plan] = world.working.plan((f"company:{buyer}/2026-03:EUR",), look=False)
    assert (plan["state"], plan["reason"], plan["net"]) == (
        "planned",
        "not-due:2026-04-01",
        "300.00",
    )
    assert plan["part"] == "2026-03:EUR"
    assert world.told(deal, "invoice_status") == "waiting"


def test_a_deal_that_changes_before_the_month_is_over_changes_with_it(world, sold, clock):
    buyer = buy(world, "Bär GmbH")
    deal, lost = sold(company=buyer), sold(company=buyer)
    world.round()
    world.crm("lose", lost)
    line = {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "100"}
    world.crm("add_line", deal, line)
    world.crm("edit_deal", deal, {"amount": "400.00"})
    world.round()
    assert_each_ties_out(world)
    until(clock, 1, 4)
    world.round()
    assert nets(world) == [Decimal(400)]
    assert_each_ties_out(world)


def test_a_deal_that_changes_its_customer_before_the_month_is_over_moves(world, sold, clock):
    one, other = buy(world, "Bär GmbH"), buy(world, "Fuchs AG")
    deal, stays = sold(company=one), sold(company=one, price="100.00")
    third = sold(company=other, price="50.00")
    world.round()
    world.crm("part", "deals", deal, "companies", one)
    world.portal.link(("deals", "companies"), int(deal), int(other), primary=True)
    world.crm("edit_deal", deal, {"dealname": "Order of the other"})
    world.round()
    assert_each_ties_out(world)
    until(clock, 1, 4)
    world.round()
    assert nets(world) == [Decimal(200), Decimal(400)]
    numbers = {each: world.told(each, "invoice_number") for each in (deal, stays, third)}
    assert numbers[deal] == numbers[third] != numbers[stays]
    assert_each_ties_out(world)


def test_a_deal_that_comes_late_goes_with_the_next(world, sold, clock, march):
    buyer, *_ = march
    late = sold(company=buyer, price="10.00")
    now = sold(company=buyer, price="20.00", closedate="2026-04-01T10:00:00Z")
    world.round()
    assert states(world, late) == [("collected", "2026-04", "20.00")]
    assert_each_ties_out(world)
    until(clock, 1, 5)
    world.round()
    assert nets(world) == [Decimal(60), Decimal("399.99")]
    assert world.told(late, "invoice_number") == world.told(now, "invoice_number")
    assert_each_ties_out(world)


def test_a_deal_that_comes_late_is_held_where_its_mapping_says_so(world, sold, clock, maps):
    maps("late: next", "late: hold")
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer)
    until(clock, 1, 4)
    world.round()
    late = sold(company=buyer, price="10.00")
    world.round()
    assert (world.codes(), nets(world)) == (["late"], [Decimal(300)])
    assert world.tasks()["late"]["source_id"] == late
    assert_each_ties_out(world)
    world.crm("edit_deal", late, {"closedate": "2026-04-02T10:00:00Z"})
    world.round()
    assert world.codes() == []
    until(clock, 1, 5)
    world.round()
    assert nets(world) == [Decimal(20), Decimal(300)]
    assert_each_ties_out(world)


def test_the_others_go_without_a_deal_that_is_held_and_it_follows(world, sold, clock):
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer)
    bad = sold(company=buyer, price="10.00", amount="19.00")
    strange = sold(company=buyer, price="5.00", deal_currency_code=None)
    world.round()
    assert world.codes() == ["check", "missing-value"]
    assert_each_ties_out(world)
    until(clock, 1, 4)
    world.round()
    assert (nets(world), world.codes()) == ([Decimal(300)], ["check", "missing-value"])
    assert_each_ties_out(world)
    world.crm("edit_deal", bad, {"amount": "20.00"})
    world.crm("edit_deal", strange, {"deal_currency_code": "EUR"})
    world.round()
    assert world.codes() == []
    assert_each_ties_out(world)
    until(clock, 1, 5)
    world.round()
    assert nets(world) == [Decimal(30), Decimal(300)]
    assert_each_ties_out(world)


def test_all_wait_for_a_deal_that_is_held_where_their_mapping_says_so(world, sold, clock, maps):
    maps("held: leave-out", "held: wait")
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer)
    bad = sold(company=buyer, price="10.00", amount="19.00")
    other = sold()
    until(clock, 1, 4)
    world.round()
    assert world.codes() == ["check", "waits-for-held"]
    assert world.told(other, "invoice_status") == "invoiced"
    assert_each_ties_out(world)
    world.crm("edit_deal", bad, {"amount": "20.00"})
    world.round()
    assert (nets(world), world.codes()) == ([Decimal(300), Decimal(320)], [])
    assert_each_ties_out(world)


def test_each_currency_of_a_customer_has_a_document_of_its_own(world, sold, clock):
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer)
    sold(company=buyer, deal_currency_code="USD")
    sold(company=buyer, deal_currency_code="USD", price="10.00")
    until(clock, 1, 4)
    world.round(2)
    assert sorted((one["currency"], one["net"]) for one in world.invoices()) == [
        ("EUR", 300),
        ("USD", 320),
    ]
    assert world.codes() == []
    assert_each_ties_out(world)


def test_a_deal_and_its_invoice_explain_each_other(world, march):
    buyer, first, second = march
    named = f"company:{buyer}/2026-03:EUR"
    [deal] = world.working.explain(f"deal:{first}")["documents"]
    assert (deal["state"], deal["goes_with"], deal["members"]) == ("posted", named, [])
    [whole] = world.working.explain(named)["documents"]
    assert whole["members"] == [
        {"source": f"deal:{first}", "net": "300.00", "state": "posted"},
        {"source": f"deal:{second}", "net": "99.99", "state": "posted"},
    ]


def test_each_deal_is_told_its_share_of_what_is_paid(world, clock, march):
    _, first, second = march
    [invoice] = world.invoices()
    assert [world.told(deal, "invoice_total") for deal in (first, second)] == ["357", "118.99"]
    world.books("receive_payment", invoices={invoice["id"]: Decimal("100.01")})
    world.round()
    told = [Decimal(world.told(deal, "invoice_balance")) for deal in (first, second)]
    assert told == [Decimal("281.99"), Decimal("93.99")]
    assert sum(told) == world.invoices()[0]["balance"]
    assert world.told(second, "invoice_status") == "part-paid"
    world.books("receive_payment", invoices={invoice["id"]: None})
    world.round()
    assert [world.told(deal, "invoice_status") for deal in (first, second)] == ["paid"] * 2
    assert_each_ties_out(world)


def test_what_changes_afterwards_is_drift_of_its_deal_alone(world, clock, march):
    _, first, second = march
    line = {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "0.01"}
    added = world.crm("add_line", second, line)
    world.crm("edit_deal", second, {"amount": "100.00"})
    world.round()
    assert world.codes() == ["changed-in-crm"]
    assert world.tasks()["changed-in-crm"]["net"] == "0.01"
    assert world.tasks()["changed-in-crm"]["source_id"] == second
    assert_each_ties_out(world)
    world.crm("lose", first)
    world.round()
    assert world.codes() == ["changed-in-crm", "reopened"]
    task = world.tasks()["reopened"]
    assert (task["source_id"], task["net"]) == (first, "-300")
    assert world.told(first, "invoice_error") is not None
    assert_each_ties_out(world)
    world.crm("win", first)
    world.crm("remove_line", added)
    world.crm("edit_deal", second, {"amount": "99.99"})
    world.round()
    assert world.codes() == []
    assert_each_ties_out(world)


def test_a_deal_that_changes_its_currency_afterwards_is_drift_and_all_go_on(world, sold, march):
    buyer, _, second = march
    world.crm("edit_deal", second, {"deal_currency_code": "USD"})
    sold(company=buyer, price="10.00")
    world.round(2)
    assert world.codes() == ["also-in-eur", "changed-in-crm"]
    assert world.tasks()["changed-in-crm"]["source_id"] == second
    held = {(task["net"], task["currency"]) for task in world.working.tasks()}
    assert held == {("99.99", "USD"), ("-99.99", "EUR")}
    world.books("void", id=world.invoices()[0]["id"])
    world.round(2)
    assert (world.tasks()["voided"]["net"], world.tasks()["voided"]["currency"]) == ("300", "EUR")
    world.working.reissue(f"company:{buyer}/2026-03:EUR", who="ann", reason="by mistake")
    world.round(2)
    assert [(one["currency"], one["net"]) for one in world.invoices()] == [
        ("EUR", Decimal(300)),
        ("USD", Decimal("99.99")),
    ]


def test_a_deal_that_is_deleted_afterwards_is_drift_of_its_own(world, march):
    _, first, _ = march
    world.crm("archive", "deals", first)
    world.working.reconcile("main")
    assert world.codes() == ["deleted-in-crm"]
    assert world.tasks()["deleted-in-crm"]["source_id"] == first
    assert_each_ties_out(world)


def test_deals_that_are_merged_afterwards_are_drift_and_nothing_is_invoiced_twice(
    world, clock, march
):
    _, first, second = march
    merged = world.crm("merge", "deals", first, second)
    world.round(2)
    assert "merged?" in world.codes()
    until(clock, 1, 5)
    world.round()
    assert (nets(world), merged is not None) == ([Decimal("399.99")], True)
    assert_each_ties_out(world)


def test_a_document_that_was_posted_keeps_its_members(world, sold, clock, march):
    buyer, _, second = march
    other = buy(world, "Fuchs AG")
    world.crm("part", "deals", second, "companies", buyer)
    world.portal.link(("deals", "companies"), int(second), int(other), primary=True)
    world.crm("edit_deal", second, {"dealname": "Order of the other"})
    until(clock, 1, 5)
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal("399.99")], ["changed-in-crm"])
    assert world.tasks()["changed-in-crm"]["source_id"] == second
    assert_each_ties_out(world)


def test_a_lost_ledger_finds_the_document_and_its_deals_again(world, sold, clock, march):
    buyer, *_ = march
    late = sold(company=buyer, price="10.00")
    until(clock, 1, 5)
    world.round()
    assert nets(world) == [Decimal(20), Decimal("399.99")]
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    world.restart()
    for _ in range(3):
        clock.advance(600)
        world.round()
    assert (nets(world), world.codes()) == ([Decimal(20), Decimal("399.99")], [])
    assert states(world, late) == []
    assert_each_ties_out(world)


def test_an_answer_that_is_lost_is_looked_for_before_it_is_asked_again(world, sold, clock):
    buyer = buy(world, "Bär GmbH")
    sold(company=buyer), sold(company=buyer)
    world.round()
    until(clock, 1, 4)
    world.remember_requests(0)
    world.fault("books", fault="lose_answer", path="/invoice$")
    world.round()
    joined = sold(company=buyer, price="10.00")
    clock.advance(600)
    world.round(2)
    assert nets(world) == [Decimal(600)]
    assert states(world, joined)[0][1] == "2026-04"
    assert_each_ties_out(world)


def test_one_approval_is_for_all_and_falls_when_one_of_them_changes(world, sold, clock):
    world.approve = "by_hand"
    buyer = buy(world, "Bär GmbH")
    deal = sold(company=buyer)
    sold(company=buyer)
    until(clock, 1, 4)
    world.round()
    assert world.codes() == ["approval"]
    assert_each_ties_out(world)
    [plan] = world.working.plan((f"company:{buyer}/2026-03:EUR",), look=False)
    world.working.approve(plan["hash"][:8], who="ann", reason="seen")
    world.crm("lose", deal)
    world.round()
    assert (nets(world), world.codes()) == ([], ["approval"])
    [plan] = world.working.plan((f"company:{buyer}/2026-03:EUR",), look=False)
    world.working.approve(plan["hash"][:8], who="ann", reason="seen")
    world.round()
    assert nets(world) == [Decimal(300)]
    assert_each_ties_out(world)


def test_what_the_books_voided_is_issued_again_with_the_deals_as_they_are(world, march):
    buyer, first, second = march
    world.books("void", id=world.invoices()[0]["id"])
    world.round()
    assert world.codes() == ["voided"]
    assert world.told(first, "invoice_status") == "voided"
    assert_each_ties_out(world)
    world.crm("lose", second)
    world.round()
    assert world.codes() == ["voided"]
    assert_each_ties_out(world)
    world.working.reissue(f"company:{buyer}/2026-03:EUR", who="ann", reason="by mistake")
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(300)], [])
    assert world.told(first, "invoice_status") == "invoiced"
    assert_each_ties_out(world)


def test_a_payment_that_the_crm_took_goes_to_the_invoice_of_all(world, march):
    _, first, _ = march
    pay = {"hs_initial_amount": "357.00", "hs_latest_status": "succeeded"}
    world.crm("add_payment", first, pay)
    world.round(2)
    [invoice] = world.invoices()
    assert (invoice["balance"], world.codes()) == (Decimal("118.99"), [])
    assert_each_ties_out(world)


def test_a_change_in_the_books_is_a_task_of_the_document_and_of_no_deal(world, march):
    [invoice] = world.invoices()
    world.books("edit", id=invoice["id"], changes={"TxnDate": "2026-03-30"})
    world.round()
    assert world.codes() == ["changed-in-books"]
    assert world.tasks()["changed-in-books"]["source_kind"] == "company"
    assert_each_ties_out(world)


def test_a_mapping_that_groups_no_more_invoices_each_and_none_twice(
    world, sold, clock, march, maps
):
    buyer, *_ = march
    waits = sold(company=buyer, price="10.00", closedate="2026-04-01T10:00:00Z")
    world.round()
    text = FILE.read_text(encoding="utf-8")
    group = text[text.index("group: #") : text.index("\ninvoice:")]
    maps("date: =group.last_day", "date: =deal.close_date")
    maps('deals of", group.name', 'deals of", deal.name')
    maps(group, "")
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(20), Decimal("399.99")], [])
    assert world.told(waits, "invoice_status") == "invoiced"
    assert_each_ties_out(world)
