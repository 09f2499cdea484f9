"""What the CRM is told: only what changed, and never taken for news when it comes back."""

from dataclasses import replace
from datetime import datetime

import pytest

from tieout.model.contract import Outcome
from tieout.model.errors import InvalidField, Unsupported


@pytest.fixture
def deal(world, sold):
    made = sold()
    world.round()
    return made


def calls(done, word):
    return {name: n for name, n in done.calls.items() if word in name}


def test_a_posted_invoice_is_told_with_all_that_the_mapping_names(world, deal, ties_out):
    shown = world.deal(deal)["custom"]
    assert {name: held for name, held in shown.items() if not name.endswith("_at")} == {
        "tieout_invoice_approval": "approved",
        "tieout_invoice_balance": "357",
        "tieout_invoice_due_date": "2026-04-30",
        "tieout_invoice_number": "1001",
        "tieout_invoice_status": "invoiced",
        "tieout_invoice_total": "357",
        "tieout_invoice_url": shown["tieout_invoice_url"],
        "tieout_mark": shown["tieout_mark"],
    }
    assert shown["tieout_invoice_url"].endswith("/app/invoice?txnId=1")
    assert shown["tieout_invoice_tied_out_at"] == shown["tieout_invoice_checked_at"]
    checked_at = datetime.fromisoformat(shown["tieout_invoice_checked_at"])
    assert abs((world.now() - checked_at).total_seconds()) < 60
    ties_out(world)


def test_our_own_echo_costs_one_search_and_no_related_reads(world, deal):
    done = world.round()
    assert calls(done, "associations") == calls(done, "batch/read") == {}
    assert calls(done, "batch/update") == {}
    assert (done.drafted, done.told, done.compared) == (0, 0, 0)
    before = world.deal(deal)["modified"]
    world.round(3)
    assert world.deal(deal)["modified"] == before


def test_only_a_changed_value_is_written(world, deal):
    world.books("edit", id="1", changes={"CustomerMemo": {"value": "Many thanks."}})
    done = world.round()
    assert (calls(done, "batch/update"), done.told) == ({}, 0)
    world.books("receive_payment", invoices={"1": "57.00"}, day="2026-05-05")
    done = world.round()
    assert (list(calls(done, "batch/update").values()), done.told) == ([1], 1)


def test_a_hundred_deals_are_told_in_one_call(world, sold):
    for _ in range(12):
        sold()
    done = world.round()
    assert calls(done, "batch/update") == {"hubspot.objects deals/batch/update": 1}
    assert done.told == 12


def test_a_held_deal_is_told_why_in_plain_words_and_then_that_it_is_not(world, sold, ties_out):
    deal = sold(amount="299.00")
    world.round()
    assert world.told(deal, "invoice_status") == "held"
    assert world.told(deal, "invoice_error") == "The lines and the deal amount disagree."
    ties_out(world)
    world.crm("edit_deal", deal, {"amount": "300.00"})
    world.round()
    assert (world.told(deal, "invoice_status"), world.told(deal, "invoice_error")) == (
        "invoiced",
        None,
    )
    ties_out(world)


def test_a_salesperson_who_writes_over_it_is_no_source(world, deal, ties_out):
    world.crm("edit_deal", deal, {"tieout_invoice_status": "paid", "tieout_invoice_balance": "0"})
    world.round(2)
    assert world.codes() == []
    world.books("receive_payment", invoices={"1": "57.00"}, day="2026-05-05")
    world.round()
    assert world.told(deal, "invoice_status") == "part-paid"
    assert world.told(deal, "invoice_balance") == "300"
    ties_out(world)


def test_a_refused_write_back_is_one_task_for_its_cause_and_the_pair_goes_on(world, sold, ties_out):
    world.restart()  # makes the properties
    world.portal.properties["deals"].pop("tieout_invoice_due_date")
    for _ in range(3):
        sold()
    world.round()
    assert (len(world.invoices()), len(world.codes())) == (3, 1)
    ties_out(world)
    sold()
    world.round()
    assert (len(world.invoices()), len(world.codes())) == (4, 1)
    ties_out(world)


def test_the_log_of_a_refused_write_back_names_its_deal_and_not_the_vendors_words(
    world, sold, caplog
):
    world.restart()
    world.portal.properties["deals"].pop("tieout_invoice_due_date")
    deal = sold()
    world.round()
    told = [
        (one.record, one.getMessage()) for one in caplog.records if one.name == "sync_engine.push"
    ]
    assert told == [(f"deal {deal}", "update deal: unsupported")]


def test_a_refused_write_back_is_told_when_its_cause_is_mended(world, sold, ties_out):
    world.restart()
    held = world.portal.properties["deals"].pop("tieout_invoice_due_date")
    deal = sold()
    world.round()
    [task] = world.working.tasks()
    world.portal.properties["deals"]["tieout_invoice_due_date"] = held
    world.working.answer(task["id"], "retry", who="ann", reason="made the property again")
    world.round()
    assert world.told(deal, "invoice_number") == "1001"
    assert world.codes() == []
    ties_out(world)


def test_a_refused_write_back_that_was_ignored_is_not_asked_about_again(world, sold):
    """Nor when a deal changes or another is won: the words of the refusal are the same."""
    world.restart()
    world.portal.properties["deals"].pop("tieout_invoice_due_date")
    sold()
    world.round()
    [task] = world.working.tasks()
    world.working.answer(task["id"], "ignore", who="ann", reason="we do not want it")
    world.books("receive_payment", invoices={"1": "50.00"})
    sold()
    world.round(2)
    assert world.codes() == []


def test_what_the_crm_refused_and_a_person_ignored_is_told_by_a_reconcile_once_it_is_mended(
    world, sold, ties_out
):
    """Nobody else would tell it: its task is answered, and nothing of the deal moves."""
    world.restart()
    properties = world.portal.properties["deals"]
    held = properties.pop("tieout_invoice_due_date")
    deals = [sold()]
    world.round()
    [task] = world.working.tasks()
    world.working.answer(task["id"], "ignore", who="ann", reason="not now")
    deals.append(sold())
    world.round(2)
    properties["tieout_invoice_due_date"] = held
    world.working.reconcile("main")

    assert [world.told(deal, "invoice_number") for deal in deals] == ["1001", "1002"]
    assert world.codes() == []
    ties_out(world)


def test_a_refused_write_back_for_another_reason_is_asked_about_though_one_was_ignored(world, sold):
    world.restart()
    properties = world.portal.properties["deals"]
    held = properties.pop("tieout_invoice_due_date")
    sold()
    world.round()
    [task] = world.working.tasks()
    world.working.answer(task["id"], "ignore", who="ann", reason="we do not want it")
    properties["tieout_invoice_due_date"] = held
    properties.pop("tieout_invoice_number")
    sold()
    world.round(2)
    assert len(world.codes()) == 1


def test_a_lost_answer_of_a_write_back_is_looked_up(world, sold, ties_out):
    world.restart()
    world.fault("crm", fault="lose_answer", path="deals/batch/update")
    deal = sold()
    world.round(wait=True)
    assert world.told(deal, "invoice_number") == "1001"
    assert world.codes() == []
    ties_out(world)


def test_the_error_of_a_write_back_is_not_the_error_of_its_invoice(world, sold):
    world.restart()
    world.portal.properties["deals"].pop("tieout_invoice_due_date")
    sold()
    world.round()
    [document] = [
        one for one in world.working.status()["pairs"][0]["documents"] if one["kind"] == "invoice"
    ]
    assert (document["state"], document["n"]) == ("posted", 1)


def test_a_held_deal_that_is_lost_is_told_nothing_any_more(world, sold, ties_out):
    deal = sold(amount="1.00")
    world.round()
    assert world.told(deal, "invoice_status") == "held"
    world.crm("lose", deal)
    world.round()
    assert world.told(deal, "invoice_status") is None
    assert world.told(deal, "invoice_error") is None
    ties_out(world)


def test_a_reissued_invoice_is_told_whatever_happens_to_the_old_one(world, deal):
    world.books("void", id="1")
    world.round()
    world.working.reissue(f"deal:{deal}", who="ann", reason="again")
    world.round()
    world.books("edit", id="1", changes={"PrivateNote": "Voided: see the other one"})
    world.round()
    assert world.told(deal, "invoice_number") == "1002"
    assert world.told(deal, "invoice_status") == "invoiced"


class Unwilling:
    """A CRM that refuses to be told of each deal for a cause of its own."""

    def __init__(self, crm, causes) -> None:
        self._crm = crm
        self._causes = causes

    def __getattr__(self, name):
        return getattr(self._crm, name)

    def apply(self, parcel):
        return [
            Outcome(item.key, item.item_id, error=self._causes[item.ref.id])
            for item in parcel.items
        ]


def test_each_cause_of_refusal_is_a_task_of_its_own_by_the_vendors_code_or_ours(world, sold):
    deals = [sold() for _ in range(5)]
    engine = world.restart()
    pair = engine.pairs["main"]
    causes = [
        Unsupported(vendor_code="NO_SUCH_PROPERTY"),
        Unsupported(vendor_code="NO_SUCH_PROPERTY"),
        Unsupported(vendor_code="READ_ONLY"),
        Unsupported(),
        InvalidField(),
    ]
    refusing = Unwilling(pair.crm, dict(zip(deals, causes, strict=True)))
    engine.pairs = {"main": replace(pair, crm=refusing)}
    world.round()
    assert sorted((task["subject"], task["code"]) for task in engine.tasks()) == [
        ("write-back:main:NO_SUCH_PROPERTY", "write-back-unsupported"),
        ("write-back:main:READ_ONLY", "write-back-unsupported"),
        ("write-back:main:invalid-field", "write-back-invalid-field"),
        ("write-back:main:unsupported", "write-back-unsupported"),
    ]


class Vanishing:
    """A CRM where deals are deleted between being read and being told of."""

    def __init__(self, crm, delete) -> None:
        self._crm = crm
        self._delete = delete

    def __getattr__(self, name):
        return getattr(self._crm, name)

    def apply(self, parcel):
        self._delete()
        return self._crm.apply(parcel)


def test_a_deal_that_is_deleted_as_it_is_told_leaves_no_task_about_telling(world, sold):
    """Its invoice is drift once the deletion is seen; the write-back is nobody's work."""
    deal = sold()
    engine = world.restart()
    pair = engine.pairs["main"]
    vanishing = Vanishing(pair.crm, lambda: world.crm("archive", "deals", deal))
    engine.pairs = {"main": replace(pair, crm=vanishing)}
    world.round()
    [task] = engine.tasks()
    assert (task["subject"], task["code"]) == (
        f"write-back:main:deal {deal}",
        "write-back-not-found",
    )
    world.restart().reconcile("main")
    assert world.codes() == ["deleted-in-crm"]
