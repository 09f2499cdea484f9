"""One portal with several pipelines and brands: each deal is invoiced by its own mapping, once."""

from pathlib import Path

import pytest
from simulated_world import MAPPINGS, World
from tie_out import assert_ties_out

DEAL = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8").partition("\ntests:")[0]
TABLES = """\
  brands: { "0": north, "7001": north, "7002": south }
  items: { default: Consulting, renewals: Licence }"""
RENEWAL = {"pipeline": "renewals", "dealstage": "115002002"}
BRAND = "hs_all_assigned_business_unit_ids"


def mapping_of(name: str, is_ours: str, prefix: str) -> str:
    """Return the deals' mapping for one brand: its own numbers, and an item for each pipeline."""
    text = DEAL.replace("mapping: hubspot-deal-to-invoice", f"mapping: {name}")
    changes = (
        (
            "when: =deal.is_won and",
            f"when: =deal.is_won and {is_ours} and",
        ),
        ("        - sku: =line.sku\n", '        - name: =lookup("items", deal.pipeline)\n'),
        (
            "  purchase_order:",
            f'  number: =join("-", "{prefix}", deal.po_number)\n  purchase_order:',
        ),
        (
            "\ntables:",
            f"\ntables:\n{TABLES}",
        ),
    )
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    return text


@pytest.fixture(autouse=True)
def branded(world: World, tmp_path: Path) -> None:
    """Let each of two brands have its own mapping, in one pair."""
    files = []
    ours = (
        ("deals-north", 'lookup("brands", deal.brands or "0") == "north"', "N"),
        ("deals-south", 'deal.brands == "7002"', "S"),
    )
    for name, is_ours, prefix in ours:
        file = tmp_path / f"{name}.yaml"
        file.write_text(mapping_of(name, is_ours, prefix), "utf-8")
        files.append(file)
    world.files = tuple(files)


def items(world: World) -> dict[str, str]:
    """The item of each invoice's line, by the invoice's number."""
    bodies = [world.company.find("Invoice", one["id"]).body for one in world.invoices()]
    return {
        body["DocNumber"]: body["Line"][0]["SalesItemLineDetail"]["ItemRef"]["name"]
        for body in bodies
    }


def test_deals_of_two_pipelines_and_two_brands_are_invoiced_each_by_its_own(world, sold):
    world.settings["numbers_ours"] = True
    world.company.custom_txn_numbers = True
    deals = [sold(), sold(**RENEWAL), sold(**{BRAND: "7001"}), sold(**RENEWAL, **{BRAND: "7002"})]
    world.round(3)
    assert world.codes() == []
    assert items(world) == {
        "N-PO-0001": "Consulting",
        "N-PO-0002": "Licence",
        "N-PO-0003": "Consulting",
        "S-PO-0004": "Licence",
    }
    assert [world.told(deal, "invoice_number") for deal in deals] == sorted(items(world))
    assert {world.told(deal, "invoice_status") for deal in deals} == {"invoiced"}
    assert_ties_out(world)


def test_a_brand_that_no_table_names_holds_its_deals_until_it_is_named(world, sold):
    deal = sold(**{BRAND: "7003"})
    several = sold(**{BRAND: "7001;7002"})
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["formula"] * 2)
    said = {task["message"] for task in world.working.tasks()}
    assert said == {"brands has no entry for 7003", "brands has no entry for 7001;7002"}
    assert_ties_out(world)
    world.crm("edit_deal", deal, {BRAND: "7002"})
    world.crm("edit_deal", several, {BRAND: "7001"})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    assert_ties_out(world)


def test_a_deal_that_is_lost_or_open_in_its_own_pipeline_is_left_alone(world, sold):
    sold(pipeline="renewals", dealstage="115002003")
    sold(pipeline="renewals", dealstage="115002001")
    sold(dealstage="closedlost")
    world.round()
    assert (world.invoices(), world.codes()) == ([], [])
