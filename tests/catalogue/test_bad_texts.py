"""Names that are too long and signs that are no text: held with the place, or carried exactly."""

import pytest
from catalogue_entries import entry
from simulated_world import buy

from tieout.simulator import jsonwire

LINE = {"name": "Consulting", "hs_sku": "C-1", "quantity": "2", "price": "150.00"}
TITLE_CHARS = 200


@entry("a 4,000-character name")
def test_a_deals_name_of_4000_characters_is_told_short(foreign, held):
    task = held(foreign.sold(dealname="N" * 4_000), "too-long", "memo", "books take")
    assert len(task["title"]) <= TITLE_CHARS
    assert len(task["message"]) < 1_000


@entry("a 4,000-character name")
def test_a_companys_name_of_4000_characters_is_held_with_the_books_limit(foreign, held):
    deal = foreign.sold(company=buy(foreign.world, "F" * 4_000))
    held(deal, "too-long", "name has 4000 signs", "500")


@entry("a 4,000-character name")
def test_a_lines_name_of_4000_characters_is_carried_and_of_more_is_held(foreign, held):
    foreign.sold(lines=[{**LINE, "name": "Z" * 4_000}], amount="300")
    deal = foreign.sold(lines=[{**LINE, "name": "Z" * 4_001}], amount="300")
    foreign.world.round()
    assert [one["po_number"] for one in foreign.world.invoices()] == ["PO-0001"]
    (task,) = foreign.world.working.tasks()
    assert (task["code"], task["source_id"], task["net"]) == ("too-long", deal, "300")


@entry("control characters")
@pytest.mark.parametrize("sign", ["\x00", "\x07", "\x1b", "\x7f", "\x85"])
def test_a_sign_that_is_no_text_is_held_in_a_deals_name(foreign, held, sign):
    deal = foreign.sold(dealname=f"Order{sign}1")
    task = held(deal, "control-signs", "memo", repr(sign))
    assert sign not in task["title"] + task["message"]


@entry("control characters")
@pytest.mark.parametrize("kind", ["a line's name", "a company's name", "an order number"])
def test_a_sign_that_is_no_text_is_held_wherever_it_stands(foreign, held, kind):
    if kind == "a line's name":
        deal = foreign.sold(lines=[{**LINE, "name": "Con\x0bsulting"}], amount="300")
        held(deal, "control-signs", "description", "'\\x0b'")
    elif kind == "an order number":
        held(foreign.sold(po_number="PO\x02"), "control-signs", "custom field", "'\\x02'")
    else:
        deal = foreign.sold(company=buy(foreign.world, "Bad\x1bName"))
        held(deal, "name-characters", "'\\x1b'")


@entry("control characters")
@pytest.mark.parametrize("sign", ["\t", "\n"])
def test_a_line_end_in_a_deals_name_is_carried(foreign, sign):
    foreign.sold(dealname=f"Order{sign}1")
    foreign.world.round()
    assert foreign.world.codes() == []
    (invoice,) = foreign.world.company.tables["Invoice"].rows.values()
    assert f"Order{sign}1" in invoice.body["PrivateNote"]


@entry("control characters")
def test_half_a_sign_is_told_as_one_that_could_not_be_read(foreign):
    """JSON may escape half of a surrogate pair, which no text, database or books can hold."""

    def halve(exchange):
        if "/deals" in exchange.path and isinstance(exchange.told, dict):
            exchange.told = jsonwire.dumps(exchange.told).decode().replace("HALF", "\\ud83d")

    foreign.crm.bends.append(halve)
    foreign.sold(dealname="Order HALF")
    foreign.sold()
    foreign.world.round()
    assert foreign.world.codes() == []
    notes = [
        row.body["PrivateNote"] for row in foreign.world.company.tables["Invoice"].rows.values()
    ]
    assert len([note for note in notes if "Order \ufffd" in note]) == 1
