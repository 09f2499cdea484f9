"""What an approver saw is what is sent, and what is too much asks as long as it waits."""

from simulated_world import buy

from sync_engine import approve as approving
from sync_engine import engine as showing
from tieout.app import deeds


def test_a_new_customer_that_changed_since_it_was_shown_is_not_approved_unseen(world, sold):
    """The hash that a person read covers the new customer that comes with the invoice."""
    engine = world.restart(approve="by_hand")
    company = buy(world, "Silver Timber", city="Leeds")
    sold(company=company)
    world.round()
    shown = engine.sheet_hash("main")
    world.crm("edit_company", company, {"city": "York"})
    world.round()
    assert engine.sheet_hash("main") != shown


def test_what_was_unsafe_can_be_approved_by_the_hash_that_its_task_names(world, sold, ties_out):
    engine = world.restart(approve="automatic under 100 EUR", unsafe_documents=2)
    sold()
    world.round()
    assert world.codes() == ["approval"]
    for _ in range(3):
        sold(price="10.00", quantity="1")
    world.round()
    assert world.codes() == ["approval"] * 4 + ["unsafe"]
    engine.approve(world.tasks()["unsafe"]["detail"]["sheet"], who="ann")
    world.round()
    assert (len(world.invoices()), world.codes()) == (4, [])
    ties_out(world)


def test_an_unsafe_sheet_of_which_nothing_waits_any_more_asks_no_more(world, sold, ties_out):
    world.restart(unsafe_documents=1)
    deals = [sold(), sold()]
    world.round()
    assert "unsafe" in world.codes()
    for deal in deals:
        world.crm("reopen", deal)
    world.round()
    assert (world.invoices(), world.codes()) == ([], [])
    ties_out(world)


def test_deals_of_one_new_customer_with_other_contacts_come_to_rest(world, sold, ties_out):
    """One of them words the customer; they do not undo each other's plan round after round."""
    engine = world.restart(approve="by_hand")
    company = buy(world, "Silver Timber")
    for name in ("ann", "bob"):
        deal = sold(company=company)
        contact = world.portal.create("contacts", {"email": f"{name}@example.com"})
        world.portal.link(("deals", "contacts"), int(deal), contact.id)
    world.round()
    shown = engine.sheet_hash("main")
    assert (world.round(2).drafted, engine.sheet_hash("main")) == (0, shown)
    engine.approve(shown, who="ann")
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_what_is_decided_does_not_depend_on_how_much_one_answer_shows(
    world, sold, ties_out, monkeypatch
):
    """A first day may leave more plans waiting than an answer shows or a commit decides."""
    monkeypatch.setattr(showing, "SHEET_LIMIT", 2)
    monkeypatch.setattr(approving, "DECISIONS_AT_ONCE", 2)
    engine = world.restart(approve="by_hand", unsafe_documents=4)
    deals = [sold() for _ in range(5)]
    world.round()
    assert world.codes() == ["approval"] * 5 + ["unsafe"]
    with monkeypatch.context() as smaller:
        smaller.setattr(showing, "TASKS_LIMIT", 4)
        assert deeds.do(engine, "tasks", {}, "ann")["left_out"] == 2
    assert deeds.do(engine, "plan", {"look": False}, "ann")["left_out"] == 5 - 2 + 5 - 2
    shown = [engine.plan((f"deal:{deal}",), look=False) for deal in deals]
    hashes = [plans[-1]["hash"] for plans in shown]
    assert len(set(hashes)) == 5
    assert engine.approve(hashes[4], who="ann") == 1
    deeds.do(engine, "apply", {"hash": hashes[4]}, "ann")
    assert len(world.invoices()) == 1
    sheet = engine.sheet_hash("main")
    assert world.tasks()["unsafe"]["detail"]["sheet"] == sheet
    assert engine.approve(sheet, who="ann") == 4
    world.round()
    assert (len(world.invoices()), world.codes()) == (5, [])
    ties_out(world)
