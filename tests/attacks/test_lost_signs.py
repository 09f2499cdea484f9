"""Signs that a failure swallows: what moved is seen all the same, in a later round."""

from dataclasses import replace

import pytest

from sync_engine.states import in_state
from tieout.model.errors import Unavailable

LICENCE = {"name": "Licence", "hs_sku": "L-9", "price": "500.00", "quantity": "1"}


def test_a_new_line_is_seen_although_the_question_whose_it_is_failed(world, sold, ties_out):
    """The feed has shown the line already: it does not show it again when we ask anew."""
    deal = sold(amount="800.00")
    world.round()
    assert (world.invoices(), len(world.codes())) == ([], 1)
    world.crm("add_line", deal, LICENCE)
    world.fault("crm", fault="status", status=503, count=None, path="line_items/deals/batch/read$")
    assert len(world.working.round("main").observed.unreadable) == 1
    world.mend("crm")
    world.now.advance(60)
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_an_invoice_deleted_while_nobody_read_the_books_for_months_is_found(world, sold, ties_out):
    """The feed tells thirty days (R24); a record that it no longer tells of is asked for."""
    sold()
    world.round()
    world.books("delete", id="1")
    world.now.advance(40 * 24 * 3600)
    world.restart()
    world.round(2)
    assert (world.invoices(), world.codes()) == ([], ["deleted"])
    ties_out(world)


def test_a_payment_deleted_while_nobody_read_the_books_for_months_is_told(world, sold, ties_out):
    deal = sold()
    world.round()
    world.books("receive_payment", invoices={"1": None})
    world.round()
    assert world.told(deal, "invoice_status") == "paid"
    [payment] = world.books_truth()["payments"]
    world.books("delete", kind="Payment", id=payment["id"])
    world.now.advance(40 * 24 * 3600)
    world.restart()
    world.round(2)
    assert world.told(deal, "invoice_status") == "invoiced"
    ties_out(world)


def test_a_deal_that_could_not_be_read_before_it_was_sent_is_read_in_the_next_round(
    world, sold, ties_out
):
    sold()
    engine = world.restart(approve="by_hand")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.fault(
        "crm", fault="status", status=503, count=None, path="objects/[^/]*/?deals/batch/read$"
    )
    world.round()
    assert world.invoices() == []
    world.mend("crm")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_posted_document_that_says_the_same_grows_old(world, sold):
    """Else the daily look would read every deal that was ever invoiced, for ever."""
    deal = sold()
    world.round()

    def changed_at():
        return next(in_state(world.working.ledger, "main", "posted"))["changed_at"]

    before = changed_at()
    world.now.advance(3600)
    world.working.resync(f"deal:{deal}", who="ann")
    assert changed_at() == before


class Bare:
    """A connector whose feeds tell which records moved and carry none, as a webhook does."""

    def __init__(self, whole):
        self.whole = whole
        self.interrupted = True

    def __getattr__(self, name):
        return getattr(self.whole, name)

    def changes(self, kinds, since):
        for page in self.whole.changes(kinds, since):
            yield replace(page, events=tuple(replace(one, record=None) for one in page.events))

    def fetch(self, refs):
        if self.interrupted:
            raise Unavailable("The connection broke.")
        return self.whole.fetch(refs)


@pytest.mark.parametrize("side", ["crm", "books"])
def test_what_a_feed_shows_bare_is_read_with_its_page(world, sold, ties_out, side):
    """The feed does not show it again: if it cannot be read, neither is its page."""
    paid = sold()
    world.round()
    pair = world.working.pairs["main"]
    bare = Bare(getattr(pair, side))
    world.working.pairs["main"] = replace(pair, **{side: bare})
    made = sold()
    world.books("receive_payment", invoices={"1": None})
    assert world.working.round("main").error.code == "unavailable"
    bare.interrupted = False
    world.now.advance(60)
    world.round(2)
    told = [world.told(deal, "invoice_status") for deal in (paid, made)]
    assert (told, world.codes()) == (["paid", "invoiced"], [])
    ties_out(world)
