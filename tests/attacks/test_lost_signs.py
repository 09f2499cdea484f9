"""Signs that a failure swallows: what moved is seen all the same, in a later round."""

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
