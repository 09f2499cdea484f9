"""Which item of the books a line is, and when a new one is made."""

import pytest
from simulated_world import MAPPINGS, buy

LINE = {"name": "Licence", "hs_sku": "L-9", "price": "500.00"}


def lines_of(world, invoice):
    body = world.company.find("Invoice", invoice).body
    return [
        line["SalesItemLineDetail"]["ItemRef"]["name"]
        for line in body["Line"]
        if line["DetailType"] == "SalesItemLineDetail"
    ]


def with_items(world, none, more=""):
    """Let the mapping do another thing with an item that the books have not."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text("utf-8")
    body = text.split("\ntests:")[0]
    asked = "      none: default\n      default: Services\n"
    assert asked in body
    file = world.path / "deal.yaml"
    file.write_text(body.replace(asked, f"      none: {none}\n{more}"), "utf-8")
    world.files = (file, world.files[1])


CREATE = """      create:
        name: =line.name
        sku: =line.sku
"""


def test_a_line_is_found_by_its_number_then_by_its_name_then_by_default(world, sold, ties_out):
    sold(
        lines=[
            {"name": "Other words", "hs_sku": "L-9", "price": "1.00"},
            {"name": "consulting", "price": "2.00"},
            {"name": "Unheard of", "hs_sku": "X-1", "price": "3.00"},
        ],
        amount="6.00",
    )
    world.round()
    assert lines_of(world, "1") == ["Licence", "Consulting", "Services"]
    ties_out(world)


def test_an_inactive_item_blocks_until_it_is_active(world, sold, ties_out):
    world.books("inactivate", kind="Item", id="2")
    sold(lines=[LINE], amount="500.00")
    sold()
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, ["inactive-item"])
    ties_out(world)
    world.books("edit", kind="Item", id="2", changes={"Active": True})
    world.round()
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_an_item_that_becomes_inactive_while_the_plan_waits_blocks_it(world, sold, ties_out):
    engine = world.restart(approve="by_hand")
    sold(lines=[LINE], amount="500.00")
    world.round()
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.books("inactivate", kind="Item", id="2")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["inactive-item"])
    ties_out(world)


def test_a_new_item_is_made_once_with_the_income_account(world, sold, ties_out):
    with_items(world, "create", CREATE)
    world.settings["default_income_account"] = "Sales of Product Income"
    line = {"name": "Gateway", "hs_sku": "G-1", "price": "10.00"}
    sold(lines=[line, line], amount="20.00")
    sold(lines=[line], amount="10.00")
    world.round(2)
    made = [one for one in world.books_truth()["items"] if one["name"] == "Gateway"]
    assert [one["sku"] for one in made] == ["G-1"]
    body = world.company.find("Item", made[0]["id"]).body
    assert body["IncomeAccountRef"]["name"] == "Sales of Product Income"
    assert (len(world.invoices()), world.codes()) == (2, [])
    ties_out(world)


def test_an_unknown_item_blocks_where_the_mapping_says_so(world, sold, ties_out):
    with_items(world, "block")
    sold(lines=[{"name": "Gateway", "price": "10.00"}], amount="10.00")
    world.round()
    assert len(world.codes()) == 1
    assert world.codes()[0].startswith("no-item")
    ties_out(world)
    income = {"value": "5"}
    body = {"Name": "Gateway", "Type": "Service", "IncomeAccountRef": income}
    world.books("create", kind="Item", body=body)
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    ties_out(world)


@pytest.mark.parametrize("chosen", ["2", "3"])
def test_each_line_asks_for_its_own_item(world, sold, ties_out, chosen):
    with_items(world, "ask", CREATE)
    lines = [
        {"name": "Consulting", "price": "1.00"},
        {"name": "Gateway", "price": "2.00"},
        {"name": "Router", "price": "3.00"},
    ]
    sold(company=buy(world, "Nord AG"), lines=lines, amount="6.00")
    world.round()
    tasks = world.working.tasks()
    assert [task["code"][:7] for task in tasks] == ["no-item", "no-item"]
    ties_out(world)
    for task, item in zip(tasks, (chosen, "1"), strict=True):
        world.working.answer(task["id"], item, who="ann", reason="as last year")
    world.round()
    names = {"1": "Consulting", "2": "Licence", "3": "Services"}
    assert lines_of(world, "1") == ["Consulting", names[chosen], "Consulting"]
    ties_out(world)
