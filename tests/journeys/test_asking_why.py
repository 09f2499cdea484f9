"""What a person can ask: why, again, how it is; and what is written down of their answers."""

import pytest
from simulated_world import MAPPINGS, NOBODY, buy

from sync_engine.ledger import journal
from sync_engine.states import in_state
from tieout.model.errors import NotFound, Rejected


def line_number(text):
    lines = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8").splitlines()
    return 1 + next(n for n, line in enumerate(lines) if text in line)


def test_each_value_is_explained_by_its_line_of_the_mapping(world, sold):
    deal = sold()
    world.round()
    [document] = world.working.explain(f"deal:{deal}")["documents"]
    lines = {one["field"]: one["line"] for one in document["values"]}
    assert lines["terms"] == line_number("terms: =company.payment_terms")
    assert lines["memo"] == line_number("memo: =join")
    assert lines["lines[0].tax_code"] == line_number("tax_code: =lookup")
    assert (document["state"], document["receipt"]["number"]) == ("posted", "1001")
    assert [one["verdict"] for one in document["decisions"]] == ["approved"]
    assert [one["what"] for one in document["journal"]][-1] == "posted"


def test_one_field_is_explained_alone(world, sold):
    deal = sold()
    world.round()
    [document] = world.working.explain(f"deal:{deal}", "terms")["documents"]
    assert [one["field"] for one in document["values"]] == ["terms"]
    assert '"Net 30"' in document["values"][0]["says"]


def test_a_deal_that_is_not_invoiced_says_why(world, sold):
    open_deal, held = sold(amount="1.00"), sold(company=NOBODY)
    world.round()
    world.crm("reopen", open_deal)
    world.round()
    [skipped] = world.working.explain(f"deal:{open_deal}")["documents"]
    assert "is not so" in skipped["reason"]
    [blocked] = world.working.explain(held)["documents"]
    assert [one["message"] for one in blocked["tasks"]] == ["There is no company."]


@pytest.mark.parametrize("ask", ["explain", "plan"])
@pytest.mark.parametrize("text", ["deal:404", "404", "deal:", "invoice:404"])
def test_what_no_side_ever_showed_is_said_not_to_be_known(world, sold, ask, text):
    deal = sold()
    world.round()
    engine = world.working
    asked = {"explain": engine.explain, "plan": lambda ref: engine.plan((f"deal:{deal}", ref))}
    with pytest.raises(NotFound):
        asked[ask](text)


def test_a_deal_that_was_never_won_becomes_known_when_it_is_read(world, sold):
    world.round()
    lost = sold(dealstage="closedlost")
    engine = world.working
    engine.resync(f"deal:{lost}", who="ann")
    assert engine.plan((lost,)) == []
    assert engine.explain(lost)["documents"][0]["reason"].endswith("is not so")


def test_resync_reads_one_deal_whole(world, sold, ties_out):
    line = {"name": "Consulting", "hs_sku": "C-1", "price": "150.00"}
    deal = sold(lines=[line, line], amount="300.00")
    world.round()
    world.crm("remove_line", world.deal(deal)["lines"][0]["id"])
    world.round()
    assert world.codes() == []
    world.working.resync(f"deal:{deal}", who="ann")
    assert world.codes() == ["changed-in-crm"]
    ties_out(world)


def test_an_answer_is_journaled_with_who_and_why(world, sold):
    for name in ("Acme GmbH", "ACME  GmbH"):
        body = {"DisplayName": name, "CurrencyRef": {"value": "EUR"}}
        world.books("create", kind="Customer", body=body)
    deal = sold(company=buy(world, "Acme GmbH"))
    world.round()
    world.answer("which-customer", "2")
    [document] = world.working.explain(deal)["documents"]
    [line] = [one for one in document["journal"] if one["what"] == "answered"]
    assert (line["who"], '"reason":"looked at both"' in line["detail"]) == ("ann", True)
    assert journal.verify(world.working.ledger).lines > 0


def test_whatever_a_person_does_is_journaled_with_who_and_why(world, sold):
    deal, other = sold(), sold()
    engine = world.restart(approve="by_hand")
    world.round()
    shown = {one["source"]: one["hash"] for one in engine.plan(look=False) if one["net"]}
    engine.approve(shown[f"deal:{deal}"], who="ann", reason="seen with sales")
    engine.reject(shown[f"deal:{other}"], who="bob", reason="disputed")
    world.round()
    engine.resync(f"deal:{deal}", who="cid")
    world.books("void", id="1")
    world.round()
    engine.reissue(f"deal:{deal}", who="dan", reason="wrong address")
    engine.resume("main", who="eve", reason="had a look")

    lines = engine.ledger.all("journal_after", n=0, limit=1_000)
    told = {(one["who"], one["what"]): str(one["detail"]) for one in lines}

    assert "seen with sales" in told["ann", "approved"]
    assert "disputed" in told["bob", "rejected"]
    assert ("cid", "resync") in told
    assert "wrong address" in told["dan", "reissue"]
    assert "had a look" in told["eve", "resumed"]


def test_an_answer_that_is_none_of_the_choices_is_refused(world, sold):
    sold(company=NOBODY)
    world.round()
    [task] = world.working.tasks()
    with pytest.raises(Rejected):
        world.working.answer(task["id"], "create", who="ann", reason="")
    with pytest.raises(NotFound):
        world.working.answer(999, "create", who="ann", reason="")


def test_status_says_what_waits_and_that_nothing_does(world, sold):
    world.restart(approve="by_hand")
    sold()
    world.round()
    [pair] = world.working.status()["pairs"]
    assert pair["tasks"] == {"approval": 1}
    assert {"kind": "invoice", "state": "waiting", "n": 1} in pair["documents"]
    world.working.approve(world.working.sheet_hash("main"), who="ann")
    world.round()
    [pair] = world.working.status()["pairs"]
    assert (pair["tasks"], pair["unknowns"], pair["queue"]) == ({}, 0, {})
    assert pair["last_good_at"] == pair["last_round_at"]


def test_a_plan_writes_nothing_outside(world, sold):
    deal = sold()
    [shown] = world.restart().plan((f"deal:{deal}",))[:1] or [None]
    assert world.invoices() == []
    assert world.told(deal, "invoice_status") is None
    assert shown["source"] == f"deal:{deal}"


def test_it_is_told_how_it_is_known_that_it_was_posted(world, sold):
    world.quiet_secs = 0
    deals = [sold()]
    world.round()
    world.fault("books", fault="lose_answer", path="/invoice$")
    deals.append(sold())
    world.round(2, wait=True)

    def how():
        shown = [world.working.explain(f"deal:{deal}")["documents"][0] for deal in deals]
        return [document["receipt"]["how"] for document in shown]

    assert how() == ["answered", "found"]
    world.opened.close()
    for file in world.path.glob("ledger.db*"):
        file.unlink()
    world.restart()
    world.round(2)
    assert how() == ["adopted", "adopted"]


def test_what_is_left_alone_is_kept_with_why(world, sold):
    engine = world.restart(approve="by_hand")
    lost, gone = sold(), sold()
    world.round()
    world.crm("lose", lost)
    world.crm("archive", "deals", gone)
    engine.reconcile("main")
    left = {
        row["source_id"]: row["reason"]
        for row in in_state(engine.ledger, "main", "skipped")
        if row["kind"] == "invoice"
    }
    assert left == {
        lost: "=deal.is_won and deal.close_date >= cutover_date is not so",
        gone: "gone",
    }
