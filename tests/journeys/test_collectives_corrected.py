"""What is done about one deal of an invoice of several: its own lines are credited, and no others."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import pytest
from collective_tie_out import assert_each_ties_out
from simulated_world import MAPPINGS, World, buy, open_world, seller

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent
from tieout.model.errors import NotFound, Rejected
from tieout.simulator.clock import SimulatedClock

AFTER = datetime(2026, 4, 2, 9, tzinfo=UTC)
LINES = (
    {"name": "Licence", "hs_sku": "L-9", "quantity": "1", "price": "60.01"},
    {"name": "Consulting", "hs_sku": "C-1", "quantity": "2", "price": "19.99"},
)


@pytest.fixture
def clock() -> SimulatedClock:
    return SimulatedClock(AFTER)


@pytest.fixture
def world(tmp_path: Path, clock: SimulatedClock) -> Iterator[World]:
    with open_world(tmp_path, clock) as made:
        made.crm_rates = {"searches_per_sec": 1_000}
        made.files = (MAPPINGS / "hubspot-deals-to-monthly-invoice.yaml",)
        yield made


@pytest.fixture
def sold(world: World) -> Callable[..., str]:
    sell = seller(world)
    return lambda **values: sell(**{"closedate": "2026-03-10T10:00:00Z", **values})


@pytest.fixture
def deals(world, sold):
    """Return a customer and three deals that were invoiced together."""
    buyer = buy(world, "Bär GmbH")
    made = (
        sold(company=buyer),
        sold(company=buyer, lines=LINES, amount="99.99"),
        sold(company=buyer, price="10.00"),
    )
    world.round()
    assert [one["net"] for one in world.invoices()] == [Decimal("419.99")]
    return buyer, *made


def correct(world: World, named: str, way: Way, extent: Extent | None = None, **more: object):
    choice = Choice(way, extent or Extent(), **more)
    return world.working.correct(named, choice, who="ann", reason="the customer asked")


def credited(world: World) -> list[tuple[str, Decimal]]:
    """The lines of the credits that are there: whose, and how much."""
    return [
        (line["description"], line["amount"])
        for one in world.books_truth()["credit_memos"]
        for line in one["lines"]
        if not one["deleted"]
    ]


def test_the_lines_of_a_deal_that_was_lost_are_credited(world, deals):
    _, first, second, third = deals
    world.crm("lose", second)
    world.round()
    assert world.codes() == ["reopened"]
    chosen = correct(world, f"deal:{second}", Way.CREDIT)
    assert chosen["net"] == "99.99"
    world.round(2)
    order = world.deal(second)["po_number"]
    assert credited(world) == [
        (f"{order}, Licence", Decimal("60.01")),
        (f"{order}, Consulting", Decimal("39.98")),
    ]
    assert world.codes() == []
    assert world.invoices()[0]["balance"] == Decimal("380.80")
    told = [Decimal(world.told(deal, "invoice_balance")) for deal in (first, second, third)]
    assert sum(told) == Decimal("380.80")
    assert_each_ties_out(world)
    world.round(2)
    assert len(world.books_truth()["credit_memos"]) == 1


def test_what_a_deal_has_too_much_is_credited_down_to_it(world, deals):
    _, _, second, _ = deals
    deal = world.portal.links.of(("deals", "line_items"), int(second))
    world.crm("edit_line", str(min(deal)), {"price": "50.01"})
    world.crm("edit_deal", second, {"amount": "89.99"})
    world.round()
    assert world.codes() == ["changed-in-crm"]
    shown = world.working.corrections(f"deal:{second}")
    assert [(one["name"], one["net"]) for one in shown["options"]] == [
        ("credit-to-deal", "10.00"),
        ("credit-to-deal", "99.99"),
    ]
    assert shown["invoice"]["left"] == "99.99"
    extent = Extent(to=world.working.deal_lines(f"deal:{second}"))
    correct(world, f"deal:{second}", Way.CREDIT, extent)
    world.round(2)
    assert [amount for _, amount in credited(world)] == [Decimal(10)]
    assert world.codes() == []
    assert_each_ties_out(world)


@pytest.mark.parametrize(
    ("extent", "amounts"),
    [
        (Extent(line=2), ["39.98"]),
        (Extent(part=Decimal(50)), ["30.01", "19.99"]),
        (Extent(amount=Decimal("1.00")), ["0.60", "0.40"]),
    ],
)
def test_some_of_a_deal_s_lines_are_credited_and_the_rest_is_drift(world, deals, extent, amounts):
    _, _, second, _ = deals
    correct(world, f"deal:{second}", Way.CREDIT, extent)
    world.round(2)
    assert [amount for _, amount in credited(world)] == [Decimal(one) for one in amounts]
    assert world.codes() == ["credited"]
    assert world.tasks()["credited"]["source_id"] == second
    assert_each_ties_out(world)
    correct(world, f"deal:{second}", Way.CREDIT)
    world.round(2)
    assert sum(amount for _, amount in credited(world)) == Decimal("99.99")
    assert_each_ties_out(world)


def test_one_deal_never_takes_back_the_invoice_of_all(world, deals):
    buyer, first, *_ = deals
    for way, more in ((Way.VOID, {}), (Way.AMEND, {}), (Way.CREDIT, {"reissue": True})):
        with pytest.raises(Rejected, match="invoiced with others") as refused:
            correct(world, f"deal:{first}", way, **more)
        assert f"company:{buyer}/2026-03:EUR" in refused.value.next
    with pytest.raises(Rejected, match="more than the"):
        correct(world, f"deal:{first}", Way.CREDIT, Extent(amount=Decimal(301)))
    with pytest.raises(Rejected, match="has no line 2"):
        correct(world, f"deal:{first}", Way.CREDIT, Extent(line=2))
    with pytest.raises(Rejected, match="only what was voided"):
        world.working.reissue(f"deal:{first}", who="ann", reason="why")
    with pytest.raises(NotFound, match="no such part"):
        world.working.corrections(f"deal:{first}/rest")
    shown = world.working.corrections(f"company:{buyer}/2026-03:EUR")
    possible = {one["name"]: one["possible"] for one in shown["options"]}
    assert (possible["void"], possible["amend"]) == (True, False)
    assert world.codes() == []


def test_a_deal_whose_lines_were_credited_goes_with_the_next_once_it_is_issued_again(
    world, deals, clock
):
    _, _, second, _ = deals
    world.crm("lose", second)
    world.round()
    correct(world, f"deal:{second}", Way.CREDIT)
    world.round(2)
    world.crm("win", second)
    world.round()
    assert world.codes() == ["changed-in-crm"]
    assert_each_ties_out(world)
    world.working.reissue(f"deal:{second}", who="ann", reason="it was won again")
    world.round()
    assert world.codes() == []
    assert_each_ties_out(world)
    clock.advance(32 * 86_400)
    world.round(2)
    assert [one["net"] for one in world.invoices()] == [Decimal("419.99"), Decimal("99.99")]
    assert world.codes() == []
    assert_each_ties_out(world)


def test_a_correction_falls_when_its_deal_is_won_again(world, deals):
    world.approve = "by_hand"
    world.restart()
    _, first, *_ = deals
    world.crm("lose", first)
    world.round()
    correct(world, f"deal:{first}", Way.CREDIT)
    world.round()
    assert world.codes() == ["approval", "reopened"]
    world.crm("win", first)
    world.round()
    assert (world.codes(), credited(world)) == ([], [])
    assert_each_ties_out(world)


def test_all_of_it_is_voided_by_its_own_name_and_issued_again(world, deals):
    buyer, _, second, _ = deals
    world.crm("lose", second)
    world.round()
    correct(world, f"company:{buyer}/2026-03:EUR", Way.VOID, reissue=True)
    world.round(3)
    assert [one["net"] for one in world.invoices()] == [Decimal(320)]
    assert world.codes() == []
    assert_each_ties_out(world)


def test_all_of_it_is_credited_down_to_its_deals(world, deals):
    buyer, first, second, _ = deals
    world.crm("lose", second)
    world.crm("lose", first)
    world.round()
    named = f"company:{buyer}/2026-03:EUR"
    extent = Extent(to=world.working.deal_lines(named))
    correct(world, named, Way.CREDIT, extent)
    world.round(2)
    assert sorted(amount for _, amount in credited(world)) == [
        Decimal("39.98"),
        Decimal("60.01"),
        Decimal(300),
    ]
    assert world.codes() == []
    assert_each_ties_out(world)


def test_a_credit_that_the_books_take_back_is_the_deal_s_drift_again(world, deals):
    _, _, second, _ = deals
    world.crm("lose", second)
    world.round()
    correct(world, f"deal:{second}", Way.CREDIT)
    world.round(2)
    [memo], [applied] = (world.books_truth()[kind] for kind in ("credit_memos", "payments"))
    world.books("delete", kind="Payment", id=applied["id"])
    world.books("delete", kind="CreditMemo", id=memo["id"])
    world.round()
    assert "reopened" in world.codes()
    assert world.tasks()["reopened"]["source_id"] == second
    assert_each_ties_out(world)


def put_a_line_in_front(world: World) -> None:
    """An accountant adds carriage above the lines of the deals."""
    kept = [
        line
        for line in world.company.find("Invoice", "1").body["Line"]
        if line["DetailType"] == "SalesItemLineDetail"
    ]
    detail = {**kept[0]["SalesItemLineDetail"], "Qty": Decimal(1), "UnitPrice": Decimal(5)}
    line = {**kept[0], "Description": "Carriage", "Amount": Decimal(5)}
    line["SalesItemLineDetail"] = detail
    line.pop("Id", None)
    world.books("edit", id="1", changes={"Line": [line, *kept]})
    world.round()


def test_lines_that_accountants_moved_are_not_taken_for_another_deal_s(world, deals):
    """Which are whose is told by their place alone."""
    _, _, second, _ = deals
    put_a_line_in_front(world)
    world.crm("lose", second)
    world.round()
    shown = world.working.corrections(f"deal:{second}")
    assert [one["possible"] for one in shown["options"]] == [False]
    assert shown["lines"] == []
    with pytest.raises(Rejected, match="added, taken out or moved in the books"):
        correct(world, f"deal:{second}", Way.CREDIT)
    assert credited(world) == []


def test_a_credit_of_a_deal_that_waits_falls_when_accountants_move_the_lines(world, deals):
    _, _, second, _ = deals
    engine = world.restart(approve="by_hand")
    world.crm("lose", second)
    world.round()
    chosen = correct(world, f"deal:{second}", Way.CREDIT)
    engine.approve(chosen["hash"][:12], who="bob")
    put_a_line_in_front(world)
    world.round(2)
    assert credited(world) == []


def test_the_lines_of_a_deal_are_shown_by_the_numbers_that_they_are_credited_by(world, deals):
    _, _, second, _ = deals
    world.crm("lose", second)
    world.round()
    shown = world.working.corrections(f"deal:{second}")
    assert [(one["line"], one["amount"]) for one in shown["lines"]] == [(1, "60.01"), (2, "39.98")]
    correct(world, f"deal:{second}", Way.CREDIT, Extent(line=2))
    world.round(2)
    assert [amount for _, amount in credited(world)] == [Decimal("39.98")]
