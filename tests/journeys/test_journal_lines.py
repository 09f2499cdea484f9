"""What the journal keeps of a document's life: who did what to it, and with what."""

import json


def lines(world, *whats):
    """Return the journal's lines of these sorts, in their order: who, what, subject and detail."""
    return [
        (row["who"], row["what"], row["subject"], json.loads(row["detail"]))
        for row in world.working.ledger.all("journal_after", n=0, limit=1_000)
        if row["what"] in whats
    ]


def test_an_approval_that_fell_is_told_with_the_plan_that_it_was_for(world, sold):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann", reason="seen")
    world.crm("edit_deal", deal, {"po_number": "PO-7777"})
    world.round()
    (fell,) = lines(world, "approval fell")
    (approved,) = [one for one in lines(world, "approved") if one[2] == fell[2]]
    assert (approved[0], approved[3]["reason"]) == ("ann", "seen")
    assert fell == ("tieout", "approval fell", approved[2], {"plan": approved[3]["plan"]})


def test_no_approval_falls_that_was_not_given_or_still_stands(world, sold):
    engine = world.restart(approve="by_hand")
    deal = sold()
    world.round()
    world.crm("edit_deal", deal, {"po_number": "PO-7777"})
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann", reason="seen")
    world.crm("edit_deal", deal, {"description": "in no document"})
    engine.plan()
    assert lines(world, "approval fell") == []


def test_each_sending_and_what_came_of_it_are_told(world, sold):
    deal = sold()
    world.fault("books", fault="status", status=429, retry_after=1, path="/invoice$")
    world.round()
    told = lines(world, "sending", "again", "posted")
    ((_, _, customer, _), (_, _, invoice, _)) = [one for one in told if one[1] == "posted"]
    named = [
        (what, detail.get("keys", subject), detail.get("call"), detail.get("attempt"))
        for _, what, subject, detail in told[:-1]
    ]
    asking = told[2][2]
    assert named == [
        ("sending", [customer], "POST customer", 1),
        ("posted", customer, None, None),
        ("sending", [invoice], "POST invoice", 1),
        ("again", asking, None, 1),
        ("sending", [invoice], "POST invoice", 2),
        ("posted", invoice, None, None),
    ]
    assert [told[2][2:], told[3][3]["trace"]] == [
        (asking, {**told[4][3], "attempt": 1}),  # the very bytes: their hash is the same
        "1-00000000-fault",
    ]
    assert told[5][3] == {"id": "1", "number": "1001", "title": f"deal {deal} Order 1"}


def test_a_refusal_is_told_with_its_record_and_the_vendors_words(world, sold):
    world.restart()
    world.portal.properties["deals"].pop("tieout_invoice_due_date")
    deal = sold()
    world.round()
    ((who, _, _, detail),) = lines(world, "refused")
    assert (who, detail["about"]) == ("tieout", f"deal {deal}")
    assert "[PROPERTY_DOESNT_EXIST]" in detail["error"]
