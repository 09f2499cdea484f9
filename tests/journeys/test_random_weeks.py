"""Weeks that nobody thought of: whatever people do on both sides, every deal ties out."""

import random
from decimal import Decimal

import pytest
from simulated_world import World
from tie_out import is_in_scope

from tieout.simulator.hubspot import sell
from tieout.simulator.hubspot.errors import Refusal
from tieout.simulator.quickbooks.refusals import Refused

WEEKS = 5
DEALS = 24


def edit_a_line(world, dice, deal):
    line = dice.choice(deal["lines"])
    world.crm("edit_line", line["id"], {"quantity": str(dice.randrange(9))})


def remove_a_line(world, dice, deal):
    world.crm("remove_line", dice.choice(deal["lines"])["id"])


def add_a_line(world, _dice, deal):
    world.crm("add_line", deal["id"], {"name": "Licence", "price": "10.10"})


def correct_the_amount(world, _dice, deal):
    world.crm("edit_deal", deal["id"], {"amount": deal["net"]})


def reopen(world, _dice, deal):
    world.crm("reopen", deal["id"])


def win(world, _dice, deal):
    world.crm("win", deal["id"])


def clone(world, _dice, deal):
    world.crm("clone", deal["id"])


def archive(world, _dice, deal):
    world.crm("archive", "deals", deal["id"])


def merge(world, dice, deal):
    others = [
        one
        for one in world.crm_truth()["deals"]
        if one["id"] != deal["id"] and one["currency"] == deal["currency"] and not one["archived"]
    ]
    world.crm("merge", "deals", deal["id"], dice.choice(others)["id"])


def rename_the_company(world, dice, deal):
    if deal["company"]:
        world.crm("edit_company", deal["company"], {"name": f"Neu {dice.randrange(10**6)}"})


def pay(world, dice, deal):
    if deal["currency"]:
        paid = {"hs_initial_amount": f"{dice.randrange(1, 400)}"}
        world.crm("add_payment", deal["id"], paid)


def void(world, dice, _deal):
    world.books("void", id=dice.choice(world.invoices())["id"])


def delete(world, dice, _deal):
    world.books("delete", id=dice.choice(world.invoices())["id"])


def redate(world, dice, _deal):
    world.books("edit", id=dice.choice(world.invoices())["id"], changes={"TxnDate": "2026-05-01"})


def receive(world, dice, _deal):
    owed = [one for one in world.invoices() if one["balance"] > 0]
    world.books("receive_payment", invoices={dice.choice(owed)["id"]: None}, day="2026-05-05")


def invoice_by_hand(world, dice, deal):
    buyers = [one["customer"] for one in world.invoices() if one["currency"] == deal["currency"]]
    if buyers and is_in_scope(deal):
        line = {"item": "1", "amount": "12.00", "tax_code": "1"}
        number = deal["po_number"]
        world.books("create_invoice", customer=dice.choice(buyers), lines=[line], po_number=number)


DEEDS = (
    edit_a_line,
    remove_a_line,
    add_a_line,
    correct_the_amount,
    reopen,
    win,
    clone,
    archive,
    merge,
    rename_the_company,
    pay,
    void,
    delete,
    redate,
    receive,
    invoice_by_hand,
)


def play_a_week(world: World, dice: random.Random) -> None:
    for _ in range(dice.randrange(2, 8)):
        deal = dice.choice([one for one in world.crm_truth()["deals"] if not one["archived"]])
        try:
            dice.choice(DEEDS)(world, dice, deal)
        except (Refusal, Refused, IndexError):
            continue  # the vendor does not take it, or there is nothing to choose from


def answer_something(world: World, dice: random.Random) -> None:
    tasks = [task for task in world.working.tasks() if set(task["choices"]) - {"ID"}]
    if tasks:
        task = dice.choice(tasks)
        choice = dice.choice([one for one in task["choices"] if one != "ID"])
        world.working.answer(task["id"], choice, who="ann", reason="as it seems")


@pytest.mark.parametrize("seed", range(4))
def test_every_deal_ties_out_whatever_people_do(world, ties_out, seed):
    dice = random.Random(seed)
    sell(world.portal, deals=DEALS, seed=seed)
    for deal in world.crm_truth()["deals"]:
        if deal["po_number"]:
            world.orders[deal["po_number"]] = deal["id"]
    world.round(2)
    ties_out(world)
    for _ in range(WEEKS):
        play_a_week(world, dice)
        answer_something(world, dice)
        world.working.reconcile("main")
        ties_out(world)
    net = sum((Decimal(one["net"]) for one in world.invoices()), Decimal(0))
    world.round(2)
    assert sum((Decimal(one["net"]) for one in world.invoices()), Decimal(0)) == net
    ties_out(world)
