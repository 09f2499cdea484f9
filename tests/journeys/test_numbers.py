"""An invoice gets its number from whoever numbers in these books, and never none (R6)."""

import pytest
from simulated_world import MAPPINGS


def numbers(world):
    return [invoice["doc_number"] for invoice in world.invoices()]


@pytest.fixture
def numbered(world):
    """The deal's mapping gives the invoice a number, and the pair wants to be asked for it."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8").split("\ntests:")[0]
    file = world.path / "deal.yaml"
    file.write_text(text.replace("  memo:", "  number: =deal.po_number\n  memo:"), "utf-8")
    world.files = (file, world.files[1])
    world.settings["numbers_ours"] = True


@pytest.mark.parametrize("custom", [False, True])
def test_the_books_own_sequence_goes_on_whatever_their_setting(world, sold, custom):
    world.company.custom_txn_numbers = custom
    sold()
    sold()
    world.round()
    assert numbers(world) == ["1001", "1002"]


def test_our_number_is_the_invoice_s(world, sold, numbered):
    world.company.custom_txn_numbers = True
    deal = sold(po_number="R-77")
    world.round(2)
    assert (numbers(world), world.told(deal, "invoice_number")) == (["R-77"], "R-77")


def test_our_number_is_not_sent_to_books_that_number_themselves(world, sold, numbered, ties_out):
    """They would take it, and take it twice: until they are set otherwise it is held."""
    sold(po_number="R-77")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["numbering"])
    ties_out(world)
    world.books("change_preference", name="custom_txn_numbers", value=True)
    world.round()
    assert (numbers(world), world.codes()) == (["R-77"], [])


def test_an_invoice_that_we_should_number_and_cannot_is_held(world, sold, numbered):
    world.company.custom_txn_numbers = True
    sold(po_number=None)
    world.round()
    assert (world.invoices(), "no-number" in world.codes()) == ([], True)


def test_a_number_that_the_books_have_is_refused_and_named(world, sold, numbered):
    world.company.custom_txn_numbers = True
    sold(po_number="R-77", price="150.00")
    world.round()
    sold(po_number="R-77", price="500.00")
    world.round()
    assert (numbers(world), world.codes()) == (["R-77"], ["duplicate"])
