"""The configuration changes under what waits: nothing is sent by a mapping or to books that went."""

import pytest
from simulated_world import MAPPINGS, open_world

from tieout.simulator.quickbooks import truth_of


def renamed(world, *, from_name=""):
    """Give the invoices' mapping another name; ``from_name`` declares the old one."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8")
    told = f"\nrenamed_from: {from_name}" if from_name else ""
    text = text.replace("mapping: hubspot-deal-to-invoice", f"mapping: sales{told}")
    file = world.path / "sales.yaml"
    file.write_text(text, "utf-8")
    world.files = (file, world.files[1])


def test_what_an_earlier_mapping_approved_is_not_sent_beside_the_new_one(world, sold, ties_out):
    sold(po_number=None)
    world.restart().plan()
    renamed(world)
    world.restart()
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])


def test_what_waits_under_a_mapping_that_went_waits_no_more(world, sold, ties_out):
    sold()
    world.restart(approve="by_hand")
    world.round()
    renamed(world)
    engine = world.restart(approve="by_hand")
    world.round()
    assert world.codes() == ["approval"]
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_mapping_that_tells_its_old_name_keeps_what_was_approved(world, sold, ties_out):
    sold()
    engine = world.restart(approve="by_hand")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    renamed(world, from_name="hubspot-deal-to-invoice")
    world.restart(approve="by_hand")
    world.round()
    assert len(world.invoices()) + len(world.codes()) == 1
    ties_out(world)


def only_above(world, amount):
    """Let the invoices' mapping leave out what is not above an amount."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8")
    wider = "when: =deal.is_won and "
    file = world.path / f"above-{amount}.yaml"
    file.write_text(text.replace(wider, f"{wider}deal.amount > {amount} and "), "utf-8")
    world.files = (file, world.files[1])
    world.restart()


def test_what_a_mapping_left_out_is_posted_when_it_is_left_out_no_more(world, sold, ties_out):
    sold()
    only_above(world, 1_000)
    world.round(2)
    assert world.invoices() == []
    only_above(world, 0)
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_what_was_posted_and_left_out_since_is_no_difference_once_it_counts_again(
    world, sold, ties_out
):
    deal = sold()
    world.round()
    only_above(world, 1_000)
    world.crm("edit_deal", deal, {"dealname": "Order, renamed"})
    world.round()
    assert world.codes() == ["reopened"]
    only_above(world, 0)
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


@pytest.fixture
def elsewhere(world, tmp_path):
    """Return a function that lets the pair post to other books."""
    with open_world(tmp_path / "elsewhere", world.now, realm_id="77") as other:

        def move() -> None:
            world.books_url, world.company, world.realm = other.books_url, other.company, "77"
            world.restart()

        (tmp_path / "elsewhere").mkdir()
        yield move


def test_what_was_approved_for_other_books_is_planned_for_the_new_ones(
    world, sold, ties_out, elsewhere
):
    sold()
    world.restart().plan()
    old = world.company
    elsewhere()
    world.round(2)
    assert truth_of(old)["invoices"] == []
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_call_without_an_answer_is_never_looked_for_in_other_books(world, sold, elsewhere):
    sold()
    world.fault("books", fault="lose_answer", method="POST", path="/invoice$")
    assert world.round().unknown == 1
    elsewhere()
    world.now.advance(10)
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], ["company-left", "unknown"])
