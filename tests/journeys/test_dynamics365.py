"""The first road from Dynamics 365: a won opportunity becomes one invoice, is paid, and is told.

And what goes wrong there: each is a clear error at its place, the others go on, nothing is lost.
"""

import shutil
from dataclasses import replace
from decimal import Decimal

import pytest
from dynamics_world import MAPPING, dynamics_seller, open_dynamics_world
from simulated_world import CUTOVER, MAPPINGS

from tieout.simulator.dynamics365 import sell
from tieout.simulator.dynamics365.schema import Column, Target

HELD, INVOICED, PAID = 842170000, 842170002, 842170004


@pytest.fixture
def dynamics(tmp_path):
    with open_dynamics_world(tmp_path) as made:
        yield made


@pytest.fixture
def win(dynamics):
    """Return a function that lets an opportunity be won; it returns its id."""
    return dynamics_seller(dynamics)


@pytest.fixture
def mapped(dynamics, tmp_path):
    """Return a function that changes a text of the mapping."""

    def change(old, new):
        file = tmp_path / f"{MAPPING}.yaml"
        shutil.copy(MAPPINGS / f"{MAPPING}.yaml", file)
        text = file.read_text()
        assert old in text
        text = text.replace(old, new, 1)
        file.write_text(text[: text.index("\ntests:")] + "\n")
        dynamics.files = (file,)

    return change


def held_of(org, deal):
    return org.record("opportunity", deal).values


def test_a_won_opportunity_is_invoiced_once_and_told(dynamics, win):
    deal = win()
    dynamics.round()
    [invoice] = dynamics.invoices()
    assert invoice["po_number"] == "PO-0001"
    assert Decimal(invoice["net"]) == Decimal(300)
    told = held_of(dynamics.org, deal)
    assert told["tieout_invoice_number"] == invoice["doc_number"]
    assert told["tieout_invoice_status"] == INVOICED
    assert told["tieout_invoice_total"] == Decimal(invoice["total"])
    again = dynamics.round()
    assert len(dynamics.invoices()) == 1
    assert (again.pushed.done, again.error) == (0, None)


def test_a_payment_in_the_books_is_told_to_the_opportunity(dynamics, win):
    deal = win()
    dynamics.round()
    [invoice] = dynamics.invoices()
    dynamics.books("receive_payment", invoices={invoice["id"]: None})
    dynamics.round()
    told = held_of(dynamics.org, deal)
    assert (told["tieout_invoice_status"], told["tieout_invoice_balance"]) == (PAID, 0)


def test_an_invoice_is_in_the_deals_currency_and_not_in_the_organizations(dynamics, win):
    dynamics.restart()
    dollar = Target("transactioncurrency", dynamics.org.currency("USD").id)
    deal = win(transactioncurrencyid=dollar)
    dynamics.round()
    [invoice] = dynamics.invoices()
    held = held_of(dynamics.org, deal)
    assert held["totalamount"] != held["totalamount_base"]
    assert (invoice["currency"], Decimal(invoice["net"])) == ("USD", held["totalamount"])


def test_a_line_that_changed_after_the_invoice_is_a_difference(dynamics, win):
    deal = win()
    dynamics.round()
    dynamics.crm("reopen", deal)
    [line] = dynamics.org.shelves["opportunityproduct"].pointing(
        "opportunityid", Target("opportunity", deal)
    )
    dynamics.crm("edit_line", line.id, {"quantity": "3"})
    dynamics.crm("win", deal)
    dynamics.round()
    assert dynamics.codes() == ["changed-in-crm"]
    assert len(dynamics.invoices()) == 1


def test_an_account_that_was_merged_is_the_same_customer(dynamics, win):
    first = dynamics.org.company(name="Bär GmbH", nly_countrycode="DE")
    other = dynamics.org.company(name="Baer Gesellschaft", nly_countrycode="DE")
    win(company=other)
    dynamics.round()
    dynamics.crm("merge", "account", first, other)
    win(company=first)
    dynamics.round()
    assert len({invoice["customer"] for invoice in dynamics.invoices()}) == 1


def test_a_removed_column_holds_its_deals_and_loses_none(dynamics, win):
    win()
    dynamics.round()
    dynamics.crm("remove_column", "opportunity", "nly_ponumber")
    second, third = win(nly_ponumber=None), win(nly_ponumber=None)
    dynamics.round()
    [task] = {task["message"] for task in dynamics.working.tasks() if second in task["message"]}
    assert "nly_ponumber" in task
    assert len(dynamics.invoices()) == 1
    dynamics.org.define("opportunity", Column("nly_ponumber", "String", max_length=100))
    for deal in (second, third):
        dynamics.org.edit("opportunity", deal, nly_ponumber=f"PO-{deal[:4]}")
    dynamics.round(2)
    assert len(dynamics.invoices()) == 3
    assert dynamics.codes() == ["changed-in-crm"]  # the first has lost its number with the column


def test_an_option_without_a_label_holds_its_deal_alone(dynamics, win, mapped):
    mapped(
        '=lookup("terms", company.payment_terms or "1")', '=company.payment_terms_label or "Net 30"'
    )
    named = dynamics.org.company(name="Zwei GmbH", nly_countrycode="DE", paymenttermscode=4)
    nameless = dynamics.org.company(name="Eins GmbH", nly_countrycode="DE", paymenttermscode=1)
    dynamics.crm("label_option", "account", "paymenttermscode", 1, "")
    held = win(company=nameless)
    win(company=named)
    dynamics.round()
    [invoice] = dynamics.invoices()
    assert invoice["customer_name"] == "Zwei GmbH"
    [said] = [task["message"] for task in dynamics.working.tasks()]
    assert "paymenttermscode is 1" in said
    dynamics.crm("label_option", "account", "paymenttermscode", 1, "Net 15")
    dynamics.round()
    assert len(dynamics.invoices()) == 2
    assert held_of(dynamics.org, held)["tieout_invoice_status"] == INVOICED


def test_an_expired_delta_link_is_a_comparison_and_loses_nothing(dynamics, win):
    first = win()
    dynamics.round()
    second = win()
    dynamics.crm("expire_deltas")
    dynamics.crm("reopen", first)
    dynamics.round()
    assert len(dynamics.invoices()) == 2
    assert held_of(dynamics.org, second)["tieout_invoice_status"] == INVOICED
    assert dynamics.codes() == ["reopened"]


@pytest.mark.slow
def test_a_season_ties_out_to_the_cent_whatever_a_sales_team_left(dynamics):
    """Won is invoiced plus held, opportunity by opportunity."""
    sell(dynamics.org, 120)
    dynamics.settings = {"unsafe_documents": 1_000}
    dynamics.round(2)
    invoiced = {one["po_number"]: Decimal(one["net"]) for one in dynamics.invoices()}
    held = " ".join(task["title"] for task in dynamics.working.tasks())
    won = [
        deal
        for deal in dynamics.crm_truth()["deals"]
        if deal["is_won"] and deal["close_date"] >= CUTOVER.isoformat()
    ]
    numbers = {deal["id"]: deal["custom"]["nly_ponumber"] for deal in won}
    assert len(won) == 120
    assert invoiced.keys() <= set(numbers.values())
    for deal in won:
        net = invoiced.get(numbers[deal["id"]])
        assert (net == Decimal(deal["net"])) if net is not None else deal["id"] in held, deal


def test_an_opportunity_that_refuses_writes_when_it_is_closed_is_told_in_a_table_of_ours(
    dynamics, win
):
    dynamics.org.closed_refuses = True
    dynamics.crm_rates = {"outcome": "child"}
    deal = win()
    dynamics.round()
    [invoice] = dynamics.invoices()
    dynamics.books("receive_payment", invoices={invoice["id"]: None})
    dynamics.round()
    [told] = dynamics.org.shelves["tieout_outcome"].records.values()
    assert told.values["tieout_deal"] == deal
    assert told.values["tieout_invoice_status"] == PAID
    assert dynamics.codes() == []


def test_what_has_freight_or_no_products_is_held_with_all_that_it_comes_to(dynamics, win):
    """Freight is no line, and revenue that a person entered is no sum of any."""
    with_freight = win(freightamount=Decimal(12))
    without_products = win(lines=[], won=False)
    dynamics.crm("win", without_products, on="2026-03-31", revenue="990")
    dynamics.round()
    tasks = dynamics.working.tasks()
    held = {task["source_id"]: Decimal(task["net"]) for task in tasks if Decimal(task["net"])}
    assert held == {with_freight: Decimal(312), without_products: Decimal(990)}
    assert held == {deal["id"]: Decimal(deal["net"]) for deal in dynamics.crm_truth()["deals"]}
    assert dynamics.invoices() == []


def test_an_opportunity_that_is_no_documents_any_more_has_no_status(dynamics, win):
    """An option has no empty text: the column is emptied."""
    deal = win(lines=[])
    dynamics.round()
    assert held_of(dynamics.org, deal)["tieout_invoice_status"] == HELD
    dynamics.crm("reopen", deal)
    dynamics.crm("lose", deal)
    dynamics.round()
    assert dynamics.codes() == []
    assert "tieout_invoice_status" not in held_of(dynamics.org, deal)
    assert dynamics.round().pushed.done == 0


def test_an_account_is_told_what_it_owes(dynamics, win, tmp_path):
    """In columns of ours: those that Dataverse has for ages nobody can write."""
    file = tmp_path / f"{MAPPING}.yaml"
    text = (MAPPINGS / f"{MAPPING}.yaml").read_text().split("\ntests:")[0]
    file.write_text(text.replace("  # company.", "  company.") + "\n")
    dynamics.files = (file,)
    deal = win()
    dynamics.round(2)
    [invoice] = dynamics.invoices()
    told = held_of(dynamics.org, deal)
    account = dynamics.org.record("account", told["parentaccountid"].id).values
    assert account["tieout_open_balance"] == Decimal(invoice["total"])
    assert account["tieout_oldest_open_invoice"] == invoice["doc_number"]
    assert account.get("tieout_aged_60", 0) == 0
    assert told["tieout_invoice_approval"] == "approved"
    done = dynamics.round()
    assert (done.drafted, done.told, dynamics.codes()) == (0, 0, [])


def test_an_opportunity_that_is_deleted_as_it_is_told_leaves_no_task_about_telling(dynamics, win):
    deal = win()
    engine = dynamics.restart()
    pair = engine.pairs["main"]
    tell = pair.crm.apply

    def delete_and_tell(parcel):
        dynamics.org.take_away("opportunity", deal)
        return tell(parcel)

    engine.pairs = {"main": replace(pair, crm=Told(pair.crm, delete_and_tell))}
    dynamics.round()
    assert dynamics.codes() == ["write-back-not-found"]
    dynamics.restart()
    dynamics.round()
    assert dynamics.codes() == ["deleted-in-crm"]


class Told:
    """A connector that is told in another way, and else itself."""

    def __init__(self, crm, apply) -> None:
        self._crm = crm
        self.apply = apply

    def __getattr__(self, name):
        return getattr(self._crm, name)
