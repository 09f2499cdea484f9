"""An answer that does not come: the thing is done once, whatever the books remember."""

import pytest

SILENCES = {
    "the answer is lost after the commit": {"fault": "lose_answer"},
    "the connection drops before the commit": {"fault": "refuse"},
    "a 500 comes after the commit": {"fault": "status", "status": 500, "after_commit": True},
    "a 503 comes after the commit": {"fault": "status", "status": 503, "after_commit": True},
    "a gateway's 504 page comes after the commit": {
        "fault": "html",
        "status": 504,
        "after_commit": True,
    },
    "a 500 comes instead of a commit": {"fault": "status", "status": 500},
    "the body is cut": {"fault": "cut_body"},
    "the body is not JSON, after the commit": {"fault": "not_json", "after_commit": True},
    "it commits late, before the first look": {"fault": "commit_late", "seconds": 0.1},
}
WORST = [*SILENCES][:2] + [*SILENCES][-1:]
SILENT = pytest.mark.parametrize("fault", SILENCES.values(), ids=SILENCES)
SILENT_AT_WORST = pytest.mark.parametrize("fault", [SILENCES[name] for name in WORST], ids=WORST)
FORGETFUL = pytest.mark.parametrize("memory", ["forgets"], indirect=True)


@SILENT
@pytest.mark.usefixtures("memory")
def test_one_invoice_is_made_once(world, sold, settled, once_each, fault):
    sold()
    world.fault("books", path="/invoice$", **fault)
    first = world.engine().round("main")
    assert (first.error, first.unknown) == (None, 1)
    settled()
    once_each(1)


@SILENT
@FORGETFUL
@pytest.mark.usefixtures("memory")
def test_a_batch_of_invoices_is_made_once_each(world, sold, settled, once_each, fault):
    for _ in range(5):
        sold()
    world.fault("books", method="POST", path="/batch$", body="PrivateNote", **fault)
    settled()
    once_each(5)


@SILENT_AT_WORST
def test_new_customers_are_made_once_each(world, sold, settled, once_each, fault):
    for _ in range(3):
        sold()
    world.fault("books", method="POST", path="/batch$", body="DisplayName", **fault)
    settled()
    once_each(3)


@SILENT_AT_WORST
@FORGETFUL
@pytest.mark.usefixtures("memory")
def test_a_payment_is_received_once(world, sold, settled, once_each, fault):
    deal = sold()
    settled()
    world.crm("add_payment", deal, {"hs_initial_amount": "357.00", "hs_reference_number": "R-1"})
    world.fault("books", path="/payment$", **fault)
    settled()
    once_each(1, payments=1)


@SILENT_AT_WORST
def test_the_crm_is_told_although_its_answer_was_lost(world, sold, settled, fault):
    deal = sold()
    world.fault("crm", path="/deals/batch/update$", **fault)
    settled()
    assert world.told(deal, "invoice_status") == "invoiced"
    world.books("receive_payment", invoices={world.invoices()[0]["id"]: None})
    settled()
    assert world.told(deal, "invoice_status") == "paid"


@pytest.mark.parametrize("wrong", ["omit_batch_item", "reorder_batch"])
@pytest.mark.usefixtures("memory")
def test_a_batch_answered_short_or_in_another_order_is_settled_item_by_item(
    world, sold, settled, once_each, wrong
):
    for _ in range(6):
        sold()
    world.fault("books", fault=wrong, method="POST", path="/batch$", body="PrivateNote")
    first = world.engine().round("main")
    assert (first.error, first.unknown) == (None, 1 if wrong == "omit_batch_item" else 0)
    settled()
    once_each(6)
    tasks = world.working.tasks()
    assert tasks == []


def test_an_item_missing_from_a_batch_s_answer_is_unknown_and_its_neighbours_are_done(world, sold):
    for _ in range(6):
        sold()
    world.fault("books", fault="omit_batch_item", method="POST", path="/batch$", body="PrivateNote")
    engine = world.engine()
    engine.round("main")
    states = {
        state: len(engine.ledger.all("documents_in_state", pair="main", state=state, limit=-1))
        for state in ("unknown", "posted")
    }
    assert states == {"unknown": 1, "posted": 6 + 5}  # six new customers, five invoices
