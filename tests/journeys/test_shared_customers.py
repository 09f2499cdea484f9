"""A new customer that several deals wait for: one plan, decided once, posted once."""

from decimal import Decimal

from simulated_world import buy


def test_deals_of_two_companies_with_one_name_share_one_new_customer(world, sold, ties_out):
    """The first that asks names the customer; the other never lets its approval fall."""
    for name, city in (("Silver Timber", "Leeds"), ("SILVER TIMBER", "York")):
        company = buy(world, name, city=city)
        for _ in range(2):
            sold(company=company)
    world.round(2)
    assert [len(world.invoices()), world.codes()] == [4, []]
    assert len({one["customer"] for one in world.invoices()}) == 1
    ties_out(world)


def test_a_new_customer_that_changes_after_approval_is_approved_anew(world, sold, ties_out):
    """Its deals fall with it: an approved deal never waits for a customer that nobody decided."""
    engine = world.restart(approve="by_hand")
    company, other = buy(world, "Silver Timber", city="Leeds"), buy(world, "SILVER TIMBER")
    deals = [sold(company=company), sold(company=company), sold(company=other)]
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.crm("edit_company", company, {"city": "York"})
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["approval"] * len(deals))
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert [one["net"] for one in world.invoices()] == [Decimal(300)] * len(deals)
    assert world.codes() == []
    ties_out(world)


def test_a_new_customer_goes_only_while_a_document_that_is_not_held_needs_it(world, sold):
    """Then nothing is left to send or to approve, and `tieout plan` leaves with 1."""
    company = buy(world, "Silver Timber")
    lines = [{"name": "What nobody sells", "quantity": "1", "price": "10"}]
    held = sold(company=company, lines=lines)
    engine = world.restart(approve="by_hand")
    world.round()
    goes = {(plan["kind"], plan["state"]): plan["goes"] for plan in engine.plan(look=False)}
    assert goes == {("invoice", "blocked"): False, ("customer", "planned"): False}

    sold(company=company)
    world.round()
    assert [plan["kind"] for plan in engine.plan(look=False) if not plan["goes"]] == ["invoice"]
    assert [plan["goes"] for plan in engine.plan((f"deal:{held}",), look=False)] == [False]


def test_a_name_that_a_person_takes_while_its_plan_waits_is_given_up_before_approval(world, sold):
    """What the books would refuse is never approved: a vendor has the name by now (R1)."""
    engine = world.restart(approve="by_hand")
    sold(company=buy(world, "Silver Timber"))
    world.round()
    before = engine.sheet_hash("main")
    world.books("create", kind="Vendor", body={"DisplayName": "Silver Timber"})
    world.round()
    assert engine.sheet_hash("main") not in (before, None)
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert [one["name"] for one in world.books_truth()["customers"]] == ["Silver Timber EUR"]
    assert (len(world.invoices()), world.codes()) == (1, [])
