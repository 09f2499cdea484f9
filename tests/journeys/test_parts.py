"""One deal, several invoices: each posted once and when it is due, and together they tie out."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from simulated_world import MAPPINGS, World, open_world, seller
from tie_out import assert_ties_out

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import NotFound, Rejected
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot.schema import custom

BEGINS = datetime(2026, 4, 1, 9, tzinfo=UTC)  # a day after the deals are won
DOWN_PAYMENT = """\
parts:
  - { name: down-payment, percent: 30, title: Down payment }
  - { name: rest, rest: true, date: 2026-05-01 }
"""
MONTHS = "parts: [{ name: month, periods: 3, date: =deal.close_date }]\n"


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(BEGINS)


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    return seller(world)


@pytest.fixture
def maps(world: World, tmp_path: Path) -> Callable[..., None]:
    """Return a function that gives the mapping these parts, in place of what it had."""
    whole = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text(encoding="utf-8")
    payments = MAPPINGS / "hubspot-payment-to-payment.yaml"

    def give(parts: str, fields: str = "deal: { ") -> None:
        file = tmp_path / "hubspot-deal-to-invoice.yaml"
        head = whole.partition("\ntests:")[0].replace("deal: { ", fields, 1)
        file.write_text(f"{head}\n{parts}", encoding="utf-8")
        world.files = (file, payments)
        if world.working is not None:
            world.restart()

    return give


def nets(world: World) -> list[Decimal]:
    return sorted(Decimal(one["net"]) for one in world.invoices())


def states(world: World, deal: str) -> list[tuple[str, str | None, str]]:
    assert world.working is not None
    rows = world.working.plan((f"deal:{deal}",), look=False)
    return [(row["state"], row["reason"], row["net"]) for row in rows]


def until(clock: SimulatedClock, day: int, month: int) -> None:
    clock.advance((datetime(2026, month, day, 9, tzinfo=UTC) - clock()) / timedelta(seconds=1))


def test_the_down_payment_is_posted_now_and_the_rest_on_its_day(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    deal = sold(price="100.01", quantity="1")
    world.round()
    assert nets(world) == [Decimal("30.00")]
    assert_ties_out(world)
    assert world.codes() == []
    assert states(world, deal) == [("planned", "not-due:2026-05-01", "70.01")]
    until(clock, 30, 4)
    world.round()
    assert nets(world) == [Decimal("30.00")]
    until(clock, 1, 5)
    world.round()
    assert nets(world) == [Decimal("30.00"), Decimal("70.01")]
    assert [one["date"] for one in world.invoices()] == ["2026-03-31", "2026-05-01"]
    assert_ties_out(world)
    world.round(2)
    assert len(world.invoices()) == 2
    assert states(world, deal) == []


def test_a_milestone_is_waited_for_and_nobody_is_asked(world, sold, maps):
    parts = DOWN_PAYMENT.replace("2026-05-01", "=deal.delivered_on")
    maps(parts, "deal: { delivered_on: date, ")
    world.portal.define("deals", custom(name="delivered_on", label="Delivered", type="date"))
    deal = sold()
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(90)], [])
    assert states(world, deal) == [("planned", "not-due", "210.00")]
    assert_ties_out(world)
    world.crm("edit_deal", deal, {"delivered_on": "2026-04-01"})
    world.round()
    assert nets(world) == [Decimal(90), Decimal(210)]
    assert_ties_out(world)


def test_each_month_is_posted_in_its_month(world, sold, maps, clock):
    maps(MONTHS)
    sold(price="100.00", quantity="1")
    for months, day in ((1, (2, 4)), (2, (30, 4)), (3, (31, 5))):
        until(clock, *day)
        world.round()
        assert len(world.invoices()) == months
        assert_ties_out(world)
    assert nets(world) == [Decimal("33.33"), Decimal("33.33"), Decimal("33.34")]
    days = [one["date"] for one in world.invoices()]
    assert days == ["2026-03-31", "2026-04-30", "2026-05-31"]


def test_the_deal_is_told_of_all_its_invoices_together(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    assert world.told(deal, "invoice_status") == "invoiced"
    assert world.told(deal, "invoice_total") == "107.1"
    until(clock, 1, 5)
    world.round()
    first, second = world.invoices()
    numbers = f"{first['doc_number']}, {second['doc_number']}"
    assert world.told(deal, "invoice_number") == numbers
    assert world.told(deal, "invoice_total") == "357"
    world.books("receive_payment", invoices={first["id"]: None})
    world.round()
    assert world.told(deal, "invoice_status") == "part-paid"
    assert world.told(deal, "invoice_balance") == "249.9"
    world.books("receive_payment", invoices={second["id"]: None})
    world.round()
    assert (world.told(deal, "invoice_status"), world.told(deal, "invoice_balance")) == (
        "paid",
        "0",
    )
    assert_ties_out(world)


def test_a_deal_that_cannot_be_split_is_held_whole(world, sold, maps):
    maps("parts: [{ name: first, amount: 100 }, { name: second, amount: 100 }]\n")
    fits, other = sold(price="200.00", quantity="1"), sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, ["parts-do-not-sum"])
    [(state, reason, net)] = states(world, other)
    assert (state, reason, net) == ("blocked", "parts-do-not-sum", "300.00")
    assert states(world, fits) == []
    assert_ties_out(world)
    maps(DOWN_PAYMENT)
    world.round()
    assert "parts-do-not-sum" not in world.codes()


def test_a_deal_that_is_blocked_after_its_down_payment_still_ties_out(world, sold, maps):
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    world.crm("edit_deal", deal, {"amount": "299.00"})
    world.round()
    assert "check" in world.codes()
    assert nets(world) == [Decimal(90)]
    assert_ties_out(world)
    world.crm("edit_deal", deal, {"amount": "300.00"})
    world.round()
    assert world.codes() == []
    assert_ties_out(world)


def test_a_deal_that_changes_after_its_down_payment_is_drift_and_its_rest_follows(
    world, sold, maps, clock
):
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    world.crm(
        "add_line", deal, {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "100"}
    )
    world.crm("edit_deal", deal, {"amount": "400.00"})
    world.round()
    assert world.codes() == ["changed-in-crm"]
    assert_ties_out(world)
    until(clock, 1, 5)
    world.round()
    assert nets(world) == [Decimal(90), Decimal(280)]
    assert_ties_out(world)


def test_a_deal_that_is_lost_after_its_down_payment_posts_no_rest(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    world.crm("lose", deal)
    until(clock, 1, 5)
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(90)], ["reopened"])
    assert_ties_out(world)


def test_a_deal_that_was_posted_whole_stays_one(world, sold, maps, clock):
    maps("")
    sold()
    world.round()
    maps(DOWN_PAYMENT)
    until(clock, 1, 5)
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(300)], [])
    assert_ties_out(world)


def test_a_mapping_that_splits_no_more_asks_nothing_twice(world, sold, maps):
    maps(DOWN_PAYMENT)
    sold()
    world.round()
    maps("")
    world.round(2)
    assert nets(world) == [Decimal(90)]
    assert "already-invoiced" in world.codes()
    assert_ties_out(world)


def test_each_part_is_approved_by_itself_and_not_before_its_day(world, sold, maps, clock):
    world.approve = "by_hand"
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    assert world.codes() == ["approval"]
    assert [state for state, _, _ in states(world, deal)] == ["planned", "waiting"]
    assert_ties_out(world)
    until(clock, 1, 5)
    world.round()
    assert world.codes() == ["approval", "approval"]
    for plan in world.working.plan((f"deal:{deal}",), look=False):
        world.working.approve(plan["hash"][:8], who="ann", reason="seen")
    world.round()
    assert nets(world) == [Decimal(90), Decimal(210)]
    assert_ties_out(world)


def test_a_lost_ledger_finds_each_part_again(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    sold()
    world.round()
    until(clock, 1, 5)
    world.round()
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    world.restart()
    for _ in range(3):
        clock.advance(600)
        world.round()
    assert nets(world) == [Decimal(90), Decimal(210)]
    assert_ties_out(world)


def test_a_payment_from_the_crm_goes_to_the_earliest_part_that_is_open(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    until(clock, 1, 5)
    world.round()
    for amount in ("107.10", "249.90"):
        pay = {"hs_initial_amount": amount, "hs_latest_status": "succeeded"}
        world.crm("add_payment", deal, pay)
        world.round()
    assert [Decimal(one["balance"]) for one in world.invoices()] == [0, 0]
    assert world.told(deal, "invoice_status") == "paid"
    assert_ties_out(world)


def test_each_part_of_a_lost_deal_is_corrected_by_its_name(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    until(clock, 1, 5)
    world.round()
    world.crm("lose", deal)
    world.round()
    assert world.codes() == ["reopened", "reopened"]
    void = Choice(Way.VOID, Extent())
    for left, named in ((1, f"deal:{deal}/rest"), (0, f"deal:{deal}")):
        world.working.correct(named, void, who="ann", reason="it was lost")
        world.round(2)
        assert len(world.invoices()) == left
        assert_ties_out(world)
    assert (world.codes(), world.told(deal, "invoice_status")) == ([], "voided")


@pytest.fixture
def both(world, sold, maps, clock):
    """Return a deal of which the down payment and the rest are posted."""
    maps(DOWN_PAYMENT)
    deal = sold()
    world.round()
    until(clock, 1, 5)
    world.round()
    return deal


def test_a_name_that_several_parts_have_lists_them_and_touches_none(world, both):
    named = f"deal:{both}"
    for ask in (
        lambda: world.working.corrections(named),
        lambda: world.working.correct(named, Choice(Way.VOID, Extent()), who="ann", reason="why"),
        lambda: world.working.ignore_drift(named, who="ann", reason="why"),
        lambda: world.working.reissue(named, who="ann", reason="why"),
    ):
        with pytest.raises(Rejected) as refused:
            ask()
        assert refused.value.what == (
            f"{named} has 2 documents that may be meant: {named}/down-payment "
            f"(90.00 EUR, posted), {named}/rest (210.00 EUR, posted)."
        )
        assert refused.value.next == f"Name one of them, as {named}/down-payment."
    world.round()
    assert nets(world) == [Decimal(90), Decimal(210)]


def test_a_part_that_is_not_there_is_told_with_those_that_are(world, both):
    named = f"deal:{both}"
    with pytest.raises(NotFound) as absent:
        world.working.corrections(f"{named}/middle")
    assert absent.value.next == f"It has {named}/down-payment, {named}/rest."
    with pytest.raises(NotFound, match="no such part as 'middle'"):
        world.working.reissue(f"{named}/middle", who="ann", reason="why")
    with pytest.raises(NotFound, match="has no part 'middle'"):
        world.working.explain(f"{named}/middle")


def test_the_part_that_the_books_voided_is_issued_again_and_the_other_stays(world, both, clock):
    named = f"deal:{both}"
    assert world.working.corrections(f"{named}/rest")["part"] == "rest"
    [first, second] = world.invoices()
    world.books("void", id=second["id"])
    world.round()
    assert world.codes() == ["voided"]
    with pytest.raises(Rejected, match="only what was voided"):
        world.working.reissue(f"{named}/down-payment", who="ann", reason="why")
    world.working.reissue(named, who="ann", reason="voided by mistake")
    world.round()
    assert first["id"] in {one["id"] for one in world.invoices()}
    assert nets(world) == [Decimal(90), Decimal(210)]
    assert_ties_out(world)
    [explained] = world.working.explain(f"{named}/rest")["documents"]
    assert (explained["part"], explained["state"]) == ("rest", "posted")
    assert world.working.plan((f"{named}/rest",), look=False) == []
    assert world.working.resync(f"{named}/rest", who="ann").error is None


LINES = (
    {"name": "Consulting", "hs_sku": "C-1", "quantity": "2", "price": "150.00"},
    {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "500.01"},
)


@pytest.mark.parametrize(
    ("parts", "amounts"),
    [
        (
            "[{ name: work, lines: '=line.sku == \"C-1\"' }, { name: rest, rest: true }]",
            "300 500.01",
        ),
        ("[{ name: entity, by: =line.sku }]", "300 500.01"),
        ("[{ name: a, percent: 50 }, { name: b, percent: 50 }]", "400.01 400.00"),
        ("[{ name: a, amount: 0.01 }, { name: b, periods: 2 }]", "0.01 400 400"),
    ],
)
def test_line_groups_entities_and_instalments_tie_out(world, sold, maps, parts, amounts):
    maps(f"parts: {parts}\n")
    sold(lines=LINES, amount="800.01")
    world.round()
    assert nets(world) == sorted(Decimal(amount) for amount in amounts.split())
    assert world.codes() == []
    assert_ties_out(world)
    world.round()
    assert len(world.invoices()) == len(amounts.split())


def test_a_part_whose_answer_is_lost_is_looked_for_by_its_own_mark(world, sold, maps, clock):
    maps(DOWN_PAYMENT)
    sold()
    world.round()
    until(clock, 1, 5)
    world.remember_requests(0)
    world.fault("books", fault="lose_answer", path="/invoice$")
    world.round()
    clock.advance(600)
    world.round(2)
    assert (nets(world), world.codes()) == ([Decimal(90), Decimal(210)], [])
    assert_ties_out(world)
