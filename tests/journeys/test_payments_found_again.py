"""A payment whose answer was lost is found, and counts once."""

import pytest


@pytest.mark.parametrize("fault", [{"fault": "lose_answer"}, {"fault": "commit_late"}])
def test_a_payment_that_is_found_again_covers_its_invoice_once(world, sold, ties_out, fault):
    deals = [sold() for _ in range(2)]
    for deal in deals:
        world.crm("add_payment", deal, {"hs_initial_amount": "100.00"})
    world.fault("books", **fault, body='"Payment"', seconds=0.1)
    world.round(wait=True)
    payments = world.books_truth()["payments"]
    assert (len(payments), world.codes()) == (2, [])
    ties_out(world)
