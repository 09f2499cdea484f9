"""A ledger that lost its last lines, or all of them, posts nothing twice."""

from pathlib import Path
from time import sleep

import pytest
from simulated_world import open_world, real_now, seller
from tie_out import assert_ties_out

from sync_engine.ledger.backup import backup, restore
from sync_engine.ledger.journal import verify
from sync_engine.pipeline import Hands
from sync_engine.states import in_state
from tieout.simulator.clock import SimulatedClock


@pytest.fixture
def keep(world, tmp_path):
    """Return a function that backs the ledger up, and one that puts the backup back."""
    target = tmp_path / "backup.db"

    def back_up() -> None:
        backup(world.working.ledger, target, real_now)

    def put_back() -> None:
        world.opened.close()
        restore(target, world.path / "ledger.db", real_now, "ann")
        world.restart()

    return back_up, put_back


def pay(world, deal, reference, amount="357.00"):
    world.crm("add_payment", deal, {"hs_initial_amount": amount, "hs_reference_number": reference})


def test_what_was_posted_since_the_backup_is_adopted_and_not_posted_again(
    world, sold, settled, once_each, keep
):
    back_up, put_back = keep
    first = sold()
    settled()
    back_up()
    pay(world, first, "R-1")
    deals = [sold() for _ in range(3)]
    settled()
    for number, deal in enumerate(deals, 2):
        pay(world, deal, f"R-{number}")
    settled()
    put_back()
    settled()
    once_each(4, payments=4)
    posted = in_state(world.working.ledger, "main", "posted")
    kinds = [row["kind"] for row in posted if row["kind"] != "customer"]
    assert sorted(kinds) == ["invoice"] * 4 + ["payment"] * 4
    assert verify(world.working.ledger).ok
    assert world.codes() == []


def test_nothing_is_created_after_a_restore_before_the_books_were_read(
    world, sold, settled, once_each, keep
):
    back_up, put_back = keep
    sold()
    settled()
    back_up()
    sold()
    settled()
    put_back()
    sold()
    world.sleep, world.crm_rates = lambda _: None, {"searches_per_sec": 1_000}
    engine = world.restart()
    world.fault("books", fault="status", status=500, count=None, path="/cdc")
    done = engine.round("main")
    assert (done.error.code, done.pushed.parcels, len(world.invoices())) == ("unavailable", 0, 2)
    world.mend("books")
    world.sleep = sleep
    world.restart()
    settled()
    once_each(3)


def test_after_a_restore_the_running_process_watches_for_others_again(world, sold, settled, keep):
    back_up, put_back = keep
    sold()
    settled()
    back_up()
    sold()
    settled()
    put_back()
    settled()
    world.books("edit", id=world.invoices()[0]["id"], changes={"PrivateNote": other_marker()})
    world.round()
    assert "another-installation" in world.codes()


def test_a_process_that_starts_sees_what_another_installation_did_since(world, sold, settled):
    """As cron does it: each round is a process of its own."""
    sold()
    settled()
    world.books("edit", id=world.invoices()[0]["id"], changes={"PrivateNote": other_marker()})
    world.restart()
    world.round()
    assert "another-installation" in world.codes()

    world.working.resume("main", who="ann", reason="stopped the other one")
    world.restart()
    world.round()
    assert "another-installation" not in world.codes()


def test_what_waited_for_a_person_in_the_backup_and_was_posted_since_is_not_posted_again(
    world, sold, settled, once_each, keep
):
    back_up, put_back = keep
    world.approve = "by_hand"
    sold()
    settled()
    back_up()
    [plan] = [one for one in world.working.plan(look=False) if one["kind"] == "invoice"]
    world.working.approve(plan["hash"], who="ann")
    settled()
    once_each(1)
    put_back()
    settled()
    assert world.working.plan(look=False) == []
    once_each(1)
    assert world.codes() == []


def test_what_was_in_flight_in_the_backup_is_looked_for(world, sold, settled, once_each, keep):
    back_up, put_back = keep
    sold()
    world.fault("books", fault="lose_answer", path="/invoice$")
    assert world.round().unknown == 1
    back_up()
    settled()
    put_back()
    settled()
    once_each(1)
    assert world.codes() == []


def test_what_was_approved_in_the_backup_and_sent_since_is_not_sent_again(
    world, sold, settled, once_each, keep
):
    """The backup was taken while the daemon was at work, between approving and sending."""
    back_up, put_back = keep
    sold()
    engine = world.restart()
    approved = lambda: list(in_state(engine.ledger, "main", "approved"))  # noqa: E731
    engine.hands = Hands(engine.hands.clock, engine.hands.sleep, lambda: len(approved()) > 1)
    engine.round("main")
    assert sorted(row["kind"] for row in approved()) == ["customer", "invoice"]
    back_up()
    world.restart()
    settled()
    put_back()
    settled()
    once_each(1)
    assert (world.codes(), world.working.plan(look=False)) == ([], [])


def test_a_ledger_lost_altogether_is_made_anew_from_what_the_books_show(
    world, sold, settled, once_each
):
    deals = [sold() for _ in range(3)]
    settled()
    for number, deal in enumerate(deals, 1):
        pay(world, deal, f"R-{number}")
    settled()
    lose(world)
    settled()
    once_each(3, payments=3)
    assert [world.told(deal, "invoice_status") for deal in deals] == ["paid"] * 3
    assert world.codes() == []


def test_another_installation_on_the_same_books_stops_the_pair_that_runs(
    world, sold, settled, once_each, tmp_path
):
    sold()
    settled()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    sold()
    world.opened, mine = type(world.opened)(), world.opened
    here, world.path = world.path, elsewhere
    with world.engine().ledger:
        pass
    running, world.working = world.working, world.engine()
    settled()
    once_each(2)
    world.opened.close()
    world.opened, world.path, world.working = mine, here, running
    world.round()
    once_each(2)
    assert "another-installation" in world.codes()
    sold()
    world.round()
    once_each(2)  # it stands still

    world.working.resume("main", who="ann", reason="stopped the other one")
    settled()
    once_each(3)
    assert world.codes() == []


def test_a_copied_memo_is_a_task_and_the_pair_goes_on(world, sold, settled, once_each):
    world.quiet_secs = 0.01
    sold()
    settled()
    world.sleep(1.2)  # long after our asking
    copy = world.books("copy_invoice", id=world.invoices()[0]["id"])
    sold()
    settled()
    assert world.codes() == ["copied"]
    assert len(world.invoices()) == 3

    world.books("void", id=copy["Id"])
    settled()
    once_each(2)
    assert world.codes() == []


def other_marker() -> str:
    return "HubSpot deal 1 Order [TIEOUT:0123456789ABCDEF-1]"


def test_a_process_that_starts_on_a_pair_that_stands_still_begins_once_it_goes_on(
    world, sold, settled, once_each, keep
):
    back_up, put_back = keep
    sold()
    settled()
    world.fault("books", fault="status", status=401, count=None)
    sold()
    world.working.round("main")
    assert "unauthorized" in world.codes()
    back_up()
    world.mend("books")
    world.working.resume("main", who="ann", reason="connected anew")
    settled()
    once_each(2)
    put_back()
    world.round()  # it stands still, as it did
    world.working.resume("main", who="ann", reason="connected anew")
    settled()
    once_each(2)
    assert world.codes() == []


@pytest.mark.parametrize(
    ("deed", "named"),
    [("reopen", "reopened"), ("archive", "deleted-in-crm"), ("remove_all_lines", "variance")],
)
def test_a_deal_that_was_invoiced_and_changed_since_the_backup_is_known_for_what_it_is(
    world, sold, settled, keep, deed, named
):
    back_up, put_back = keep
    sold()
    settled()
    back_up()
    deal = sold()
    settled()
    match deed:
        case "reopen":
            world.crm("reopen", deal)
        case "archive":
            world.crm("archive", "deals", deal)
        case _:
            for line in world.deal(deal)["lines"]:
                world.crm("remove_line", line["id"])
    world.working.resync(f"deal:{deal}", who="ann")
    settled()
    assert len(world.codes()) == 1
    put_back()
    world.working.resync(f"deal:{deal}", who="ann")
    settled()
    assert world.codes() == [named]
    assert_ties_out(world)


def test_a_lost_ledger_counts_the_invoice_of_a_merged_deal_once(world, sold, settled):
    deal, other = sold(), sold(dealstage="appointmentscheduled", po_number=None)
    settled()
    world.crm("merge", "deals", deal, other)
    lose(world)
    settled()
    assert world.codes() == ["check", "merged", "merged?"]
    assert_ties_out(world)


def test_a_lost_ledger_counts_again_what_shares_the_number_of_an_invoice_that_it_adopts_later(
    world, sold, settled
):
    deal = sold()
    settled()
    world.crm("clone", deal)
    world.crm("reopen", deal)
    line = {"item": "1", "amount": "12.00", "tax_code": "1"}
    buyer = world.invoices()[0]["customer"]
    world.books("create_invoice", customer=buyer, lines=[line], po_number="PO-0001")
    lose(world)
    settled()
    world.working.resync(f"deal:{deal}", who="ann")
    settled()
    assert_ties_out(world)


def lose(world) -> None:
    world.opened.close()
    for file in Path(world.path).glob("ledger.db*"):
        file.unlink()
    world.restart()


def test_a_lost_ledger_says_what_it_found_again_and_names_the_invoice_of_a_reopened_deal(
    world, sold, settled, once_each, caplog
):
    """HubSpot's first read shows won deals only: the reopened one is not among them."""
    deals = [sold() for _ in range(3)]
    settled()
    world.crm("reopen", deals[0])
    world.opened.close()
    for file in Path(world.path).glob("ledger.db*"):
        file.unlink()
    world.restart()
    with caplog.at_level("INFO", "sync_engine"):
        world.round()

    assert (
        "main: the books have 3 documents of ours; 2 are linked again, 1 have no source that was "
        "shown: `tieout tasks`"
    ) in caplog.messages
    line = world.working.ledger.all("journal_of", subject="main")[-1]
    assert line["detail"] == '{"found":3,"linked":2,"unexplained":1}'
    assert world.codes() == ["unclaimed"]
    task = world.tasks()["unclaimed"]
    assert f"Its memo: HubSpot deal {deals[0]} Order 1" in task["message"]
    assert task["remedy"].startswith("Its deal was perhaps reopened or archived since: `tieout ")

    world.working.resync(f"deal:{deals[0]}", who="ann")
    settled()
    assert world.codes() == ["reopened"]
    once_each(3)


@pytest.mark.parametrize("deed", ["void", "delete"])
def test_a_lost_ledger_links_the_invoice_that_was_issued_again_not_the_first(
    world, sold, settled, once_each, deed
):
    deal = sold()
    settled()
    world.books(deed, id=world.invoices()[0]["id"])
    settled()
    world.working.reissue(f"deal:{deal}", who="ann", reason="again")
    settled()
    (second,) = world.invoices()
    lose(world)
    settled()

    once_each(1)
    assert (world.codes(), world.told(deal, "invoice_status")) == ([], "invoiced")
    assert world.told(deal, "invoice_number") == second["doc_number"]
    stem = str(world.working.explain(f"deal:{deal}")["documents"][0]["key"]).rpartition("-")[0]
    receipts = [world.working.ledger.one("receipt_any", key=f"{stem}-{n}") for n in (1, 2)]
    expected = ["adopted", "adopted"] if deed == "void" else ["adopted"]
    assert [receipt["how"] for receipt in receipts if receipt is not None] == expected
    assert_ties_out(world)


def test_after_a_loss_what_was_rejected_or_deleted_waits_where_a_person_approves(
    world, sold, settled
):
    """Neither leaves a trace outside of the ledger, so the page says: `approve: by_hand` first."""
    sold()
    settled()
    world.books("delete", id=world.invoices()[0]["id"])
    settled()
    engine = world.restart(approve="by_hand")
    sold()
    world.round()
    engine.reject(engine.sheet_hash("main"), who="ann", reason="a test deal")
    world.opened.close()
    for file in Path(world.path).glob("ledger.db*"):
        file.unlink()
    world.restart(approve="by_hand")
    world.round()

    assert (world.invoices(), world.codes()) == ([], ["approval", "approval"])


@pytest.mark.parametrize("backed_up", ["before the first", "after the first"])
def test_after_a_restore_the_invoice_that_was_issued_again_since_is_the_deal_s(
    world, sold, settled, once_each, keep, backed_up
):
    back_up, put_back = keep
    deal = sold()
    engine = world.restart(approve="by_hand")
    world.round()
    if backed_up == "before the first":
        back_up()
    engine.approve(engine.sheet_hash("main"), who="ann")
    settled()
    if backed_up == "after the first":
        back_up()
    world.books("void", id=world.invoices()[0]["id"])
    settled()
    engine.reissue(f"deal:{deal}", who="ann", reason="again")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    settled()
    (second,) = world.invoices()
    put_back()
    settled()

    once_each(1)
    assert world.codes() == []
    assert world.told(deal, "invoice_number") == second["doc_number"]
    rows = world.working.ledger.all("journal_after", n=0, limit=1_000)
    (told,) = [row for row in rows if row["what"] == "superseded"]
    stem = told["subject"].removesuffix("-1")
    assert (told["subject"], told["detail"]) == (f"{stem}-1", f'{{"by":"{stem}-2"}}')
    posted = [row["subject"] for row in rows if row["what"] == "posted"]
    receipts = [world.working.ledger.one("receipt_any", key=f"{stem}-{n}") for n in (1, 2)]
    if backed_up == "after the first":
        assert [key for key in posted if key.startswith(stem)] == [f"{stem}-1", f"{stem}-2"]
        assert [receipt["how"] for receipt in receipts] == ["answered", "adopted"]
    else:
        assert [key for key in posted if key.startswith(stem)] == [f"{stem}-2"]
        assert receipts[0] is None
    assert_ties_out(world)


def test_a_first_round_that_posts_does_not_call_it_found_again(world, sold, once_each, caplog):
    sold()
    with caplog.at_level("INFO", "sync_engine"):
        world.round()

    once_each(1)
    assert [line for line in caplog.messages if "documents of ours" in line] == []


def test_a_ledger_that_is_lost_and_killed_in_its_first_round_still_says_what_it_found(
    world, sold, settled, once_each
):
    deal = sold()
    settled()
    world.crm("reopen", deal)
    world.opened.close()
    for file in Path(world.path).glob("ledger.db*"):
        file.unlink()
    world.fault("crm", fault="status", status=503, count=None)
    world.restart().round("main")
    world.mend("crm")
    world.restart()
    world.round()
    assert world.codes() == ["unclaimed"]

    world.answer("unclaimed", "ignore")
    assert world.codes() == []
    settled()
    once_each(1)


def test_what_the_ledger_before_had_on_its_way_lands_before_anything_is_sent(
    world, sold, settled, once_each, keep
):
    """Restored right after a crash: the last asking is in no backup, and it has not landed yet."""
    back_up, put_back = keep
    world.company.replay.size, world.quiet_secs = 0, 1.0
    sold()
    settled()
    back_up()
    world.fault("books", fault="commit_late", seconds=0.5, path="/invoice$")
    sold()
    world.round()
    put_back()
    held = world.round()
    assert held.held_until is not None
    assert held.pushed.parcels == 0
    assert world.working.round("main", wait=True).held_until is None
    settled()
    once_each(2)
    assert world.codes() == []


def test_what_the_crm_was_told_since_the_backup_is_told_anew_where_it_is_not_true_any_more(
    world, sold, settled, keep
):
    back_up, put_back = keep
    deal = sold()
    settled()
    back_up()
    invoice = world.invoices()[0]
    world.books("receive_payment", invoices={invoice["id"]: None}, day="2026-05-05")
    settled()
    assert world.told(deal, "invoice_status") == "paid"
    world.books("delete", kind="Payment", id=world.books_truth()["payments"][0]["id"])
    put_back()
    settled()
    assert world.told(deal, "invoice_status") == "invoiced"


def test_what_was_deleted_before_the_ledger_was_lost_is_not_believed_posted_by_an_old_answer(
    tmp_path, heard
):
    with open_world(tmp_path, SimulatedClock(), heard=heard) as world:
        world.crm_rates = {"searches_per_sec": 1_000}
        deal = seller(world)()
        world.round()
        world.sleep(600)
        world.books("delete", id=world.invoices()[0]["id"])
        lose(world)
        assert world.round().held_until is not None  # the customer is ours
        world.sleep(world.quiet_secs)
        world.round()
        assert [row["reason"] for row in in_state(world.working.ledger, "main", "unknown")] == [
            "asked-before"
        ]
        for _ in range(3):
            world.sleep(world.quiet_secs)
            world.round()
        assert (world.invoices(), world.codes()) == ([], ["asked-before"])
        world.answer("asked-before", "retry")
        world.round()
        assert [one["po_number"] for one in world.invoices()] == ["PO-0001"]
        assert world.told(deal, "invoice_status") == "invoiced"


def test_an_old_answer_whose_record_cannot_be_read_now_proves_nothing(tmp_path, heard):
    with open_world(tmp_path, SimulatedClock(), heard=heard) as world:
        world.crm_rates = {"searches_per_sec": 1_000}
        seller(world)()
        world.round()
        world.sleep(600)
        world.books("delete", id=world.invoices()[0]["id"])
        lose(world)
        world.round()
        world.sleep(world.quiet_secs)
        world.fault("books", fault="status", status=500, body="FROM Invoice WHERE Id", count=None)
        assert world.round().unknown == 1
        world.mend("books")
        for _ in range(4):
            world.sleep(world.quiet_secs)
            world.round()
        assert (world.invoices(), world.codes()) == ([], ["asked-before"])
