"""An invoice that was issued again, beside its old twin."""

import pytest

from sync_engine.states import in_state


@pytest.fixture
def voided(world, sold):
    deal = sold()
    world.round()
    world.books("void", id="1")
    world.round()
    return deal


def test_what_the_old_generation_held_is_held_no_more(world, voided, ties_out):
    world.answer("voided", "ignore")
    world.round()
    assert world.codes() == ["does-not-tie-out"]
    world.working.reissue(f"deal:{voided}", who="ann", reason="by mistake")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


def test_a_revived_invoice_stops_the_one_that_was_to_follow_it(world, voided, ties_out):
    engine = world.restart(approve="by_hand")
    engine.reissue(f"deal:{voided}", who="ann", reason="by mistake")
    world.round()
    line = {
        "Amount": 300,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": "1"}, "TaxCodeRef": {"value": "1"}},
    }
    world.books("edit", id="1", changes={"Line": [line], "PrivateNote": revived_memo(world)})
    wanted = engine.sheet_hash("main")
    world.round()
    assert len(world.invoices()) == 1
    again = engine.sheet_hash("main")
    assert (wanted is not None, again) == (True, None)
    ties_out(world)


def revived_memo(world):
    [row] = world.working.ledger.all(
        "mirror_by_words", company=f"quickbooks:{world.realm}", kind="invoice", words="PO-0001"
    )
    return f"[TIEOUT:{row['marker']}]"


def test_what_is_issued_again_is_what_was_voided_whatever_else_the_deal_has(world, voided):
    """A deal may have a payment of its own, from its properties, beside its invoice."""
    ledger = world.working.ledger
    [row] = in_state(ledger, "main", "voided")
    names = ("company", "source_kind", "source_id", "pair")
    payment = {name: row[name] for name in names}
    with ledger.transaction() as tx:
        for key in ("0000000000000000-1", "ZZZZZZZZZZZZZZZZ-1"):
            tx.run(
                "document_put",
                **payment,
                **dict.fromkeys(("reason", "net", "currency", "purchase_order"), None),
                **dict.fromkeys(("customer", "name_key", "plan_hash"), None),
                key=key,
                stem=key[:16],
                generation=1,
                mapping="paid",
                part="",
                kind="payment",
                state="skipped",
                title="payment",
                content="null",
                content_hash="",
                at=tx.now_text(),
            )
    new = world.working.reissue(f"deal:{voided}", who="ann", reason="by mistake")
    assert new == f"{row['stem']}-2"
