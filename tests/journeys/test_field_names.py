"""Our fields are called otherwise after deals were marked: told again once, or nothing is told."""

import json

from sync_engine.marks import own_mark
from tieout.app.provisioning import provide
from tieout.model.canonical import canonical
from tieout.model.contract import Request
from tieout.model.ref import Ref

OURS = {"mark", "invoice_number", "invoice_url", "invoice_status", "invoice_total"}


def under(world, deal, prefix):
    """What a deal shows under names with this prefix, by our names, without what is empty."""
    held = world.deal(deal)["custom"]
    found = {name.removeprefix(f"{prefix}_"): value for name, value in held.items()}
    return {name: found[name] for name in OURS if found.get(name)}


def renamed(world, prefix="acme"):
    """Choose another prefix, without making the fields."""
    world.crm_rates = {**world.crm_rates, "field_prefix": prefix}
    world.restart()


def test_without_the_new_fields_the_pair_stands_still_and_the_books_get_nothing(
    world, sold, ties_out
):
    sold()
    world.round(2)
    renamed(world)
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["fields-renamed"])
    (task,) = world.tasks().values()
    assert "acme_mark" in task["message"]
    assert "tieout provision" in task["remedy"]


def test_once_the_new_fields_are_made_each_deal_is_told_again_once(world, sold, ties_out):
    deals = [sold(), sold()]
    world.round(2)
    before = {deal: under(world, deal, "tieout") for deal in deals}
    assert [set(told) for told in before.values()] == [OURS, OURS]

    world.provided.clear()
    renamed(world)
    world.round()
    assert {deal: under(world, deal, "acme") for deal in deals} == before
    assert {deal: under(world, deal, "tieout") for deal in deals} == before
    assert world.portal.counts["POST deals/batch/update"] == 2

    world.round(2)
    assert world.portal.counts["POST deals/batch/update"] == 2
    ties_out(world)


def test_a_deal_that_is_won_under_the_new_names_is_told_under_them_alone(world, sold, ties_out):
    world.crm_rates = {**world.crm_rates, "field_prefix": "acme", "field_mark": "acme_ref"}
    deal = sold()
    world.round(2)
    assert under(world, deal, "tieout") == {}
    assert set(under(world, deal, "acme")) == OURS - {"mark"}
    assert world.deal(deal)["custom"]["acme_ref"] == own_mark(Ref("hubspot:123", "deal", deal))
    ties_out(world)


def test_the_pair_goes_on_when_the_names_are_as_they_were(world, sold, ties_out):
    sold()
    world.round(2)
    renamed(world)
    world.round()
    world.crm_rates = {k: v for k, v in world.crm_rates.items() if k != "field_prefix"}
    engine = world.restart()
    engine.resume("main", who="ann", reason="set back")
    world.round()
    assert world.codes() == []


def test_fields_that_were_renamed_are_made_by_provision(world, sold, ties_out):
    sold()
    world.round(2)
    renamed(world)
    crm = world.open_crm({})
    try:
        made = {one.values["name"] for one in provide(crm) if one.state == "made"}
    finally:
        crm.close()
    assert {"acme", "acme_mark", "acme_open_balance"} <= made


def test_a_version_that_knows_one_field_more_tells_nothing_again(world, sold, ties_out):
    sold()
    world.round(2)
    engine = world.restart()
    with engine.ledger.transaction() as tx:
        held = json.loads(tx.value("meta_get", name="field_names:main"))
        del held["invoice_approval"]
        tx.run("meta_set", name="field_names:main", value=canonical(held))
    world.portal.counts.clear()
    world.round()
    assert world.portal.counts["POST deals/batch/update"] == 0
    assert world.codes() == []


def test_a_running_session_sees_the_fields_that_another_made(world, sold, ties_out):
    sold()
    world.round(2)
    renamed(world)
    world.round()
    assert world.codes() == ["fields-renamed"]
    made_elsewhere(world)
    world.working.resume("main", who="ann", reason="provisioned")
    deal = sold()
    world.round(2)
    assert (world.codes(), len(world.invoices())) == ([], 2)
    assert set(under(world, deal, "acme")) == OURS


def test_where_only_some_of_the_new_fields_are_made_nothing_is_told(world, sold, ties_out):
    """A provision that died on its way: the mark is there, and what deals are told is not."""
    deal = sold()
    world.round(2)
    before = under(world, deal, "tieout")
    renamed(world)
    made_elsewhere(world, {"acme", "acme_mark", "acme_invoice_number"})
    world.round(2)
    assert world.codes() == ["fields-renamed"]
    (task,) = world.tasks().values()
    assert "acme_invoice_status" in task["message"]
    assert "acme_mark" not in task["message"]

    made_elsewhere(world)
    world.working.resume("main", who="ann", reason="provisioned")
    world.round(2)
    assert (world.codes(), under(world, deal, "acme")) == ([], before)


def made_elsewhere(world, only=None):
    """Let another process make the fields under their new names, or some of them."""
    crm = world.open_crm({})
    try:
        if only is None:
            assert {one.state for one in provide(crm)} <= {"there", "made"}
            return
        for one in crm.provisions():
            if one.values["name"] in only:
                (parcel,) = crm.prepare([Request(str(one.values["name"]), one, "field")])
                assert [outcome.error for outcome in crm.apply(parcel)] == [None]
    finally:
        crm.close()
