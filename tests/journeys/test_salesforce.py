"""A company with Salesforce: from a won opportunity to its invoice and back, and what goes wrong."""

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from salesforce_world import SalesforceWorld, open_salesforce_world, salesforce_seller
from tie_out import assert_ties_out

from tieout.simulator.clock import SimulatedClock
from tieout.simulator.salesforce import sell as sell_a_year

Sell = Callable[..., str]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SalesforceWorld]:
    with open_salesforce_world(tmp_path) as made:
        yield made


@pytest.fixture
def sell(world: SalesforceWorld) -> Sell:
    return salesforce_seller(world)


def told(world: SalesforceWorld, deal: str) -> tuple[Any, ...]:
    balance = world.told(deal, "invoice_balance")
    day = world.told(deal, "last_payment_date")
    return world.told(deal, "invoice_status"), balance and Decimal(balance), day


def test_a_won_opportunity_is_invoiced_once_and_told_so(world: SalesforceWorld, sell: Sell) -> None:
    deal = sell(
        lines=[
            {"UnitPrice": "150.00", "Quantity": "10"},
            {"sku": "L-9", "UnitPrice": "500.00", "Quantity": "1", "Discount": "20"},
        ]
    )
    world.round(2)
    (invoice,) = world.invoices()
    assert (invoice["net"], invoice["po_number"]) == (Decimal(1900), "PO-0001")
    assert world.told(deal, "invoice_number") == invoice["doc_number"]
    assert world.told(deal, "invoice_status") == "invoiced"
    assert world.told(deal, "mark")
    assert world.codes() == []
    assert_ties_out(world)


def test_the_echo_of_what_was_told_is_no_news(world: SalesforceWorld, sell: Sell) -> None:
    sell()
    world.round(2)
    done = world.round()
    assert (done.drafted, done.pushed.done) == (0, 0)


def test_a_payment_in_the_books_comes_back_to_the_opportunity(
    world: SalesforceWorld, sell: Sell
) -> None:
    deal = sell(price="300.00", quantity="1")
    world.round()
    world.books("receive_payment", invoices={"1": "100.00"}, day="2026-05-04")
    world.round()
    assert told(world, deal) == ("part-paid", Decimal(257), "2026-05-04")
    world.books("receive_payment", invoices={"1": None}, day="2026-05-05")
    world.round()
    assert told(world, deal) == ("paid", Decimal(0), "2026-05-05")


def test_merged_accounts_are_one_customer(world: SalesforceWorld, sell: Sell) -> None:
    kept, other = (world.org.account(Name=name, BillingCountry="DE") for name in ("Bär", "Baer"))
    sell(account=other)
    world.round()
    world.crm("merge", "Account", kept, other)
    sell(account=kept)
    world.round(2)
    customers = {one["customer"] for one in world.invoices()}
    assert (len(world.invoices()), len(customers)) == (2, 1)
    assert_ties_out(world)


def test_a_line_that_changes_alone_gives_its_deal_another_plan(
    world: SalesforceWorld, sell: Sell
) -> None:
    """The deal itself does not move: its amount is what it was (R36)."""
    engine = world.restart(approve="by_hand")
    deal = sell()
    world.round()
    before = engine.sheet_hash("main")
    (line,) = world.deal(deal)["lines"]
    world.crm("edit_line", line["Id"], {"Description": "Other words"})
    world.round()
    assert engine.sheet_hash("main") != before
    engine.approve(engine.sheet_hash("main"), who="ann")
    world.round()
    assert (len(world.invoices()), world.codes()) == (1, [])
    assert_ties_out(world)


def test_a_deal_that_is_deleted_after_its_invoice_is_named(
    world: SalesforceWorld, sell: Sell
) -> None:
    deal = sell()
    world.round()
    world.crm("delete", "Opportunity", deal)
    world.round(2)
    assert len(world.invoices()) == 1
    assert len(world.codes()) == 1


def test_a_clone_is_a_deal_of_its_own_and_asked_about(world: SalesforceWorld, sell: Sell) -> None:
    deal = sell()
    world.round(2)
    clone = world.crm("clone", deal)
    world.round()
    assert world.deal(clone)["custom"].get("Tieout_Mark__c") != world.told(deal, "mark")
    assert len(world.invoices()) == 1
    assert "clone" in " ".join(world.codes())


def test_a_field_that_is_removed_between_two_rounds_holds_new_deals_until_it_is_back(
    world: SalesforceWorld, sell: Sell
) -> None:
    sell()
    world.round()
    world.crm("remove_field", "Opportunity", "PO_Number__c")
    held = world.org.deal(
        AccountId=world.org.account(Name="Neu GmbH", BillingCountry="DE"), Amount="300.00"
    )
    world.org.line(held, UnitPrice="150.00", Quantity="2")
    world.round(2)
    assert len(world.invoices()) == 1
    assert "po_number__c" in world.tasks()["unreadable"]["message"]
    world.org.add_field("Opportunity", "PO_Number__c")
    world.round(2)
    assert len(world.invoices()) == 2
    assert world.codes() == ["changed-in-crm"], "the first deal's number went with the field"


def test_a_field_that_the_user_may_not_see_holds_its_deals_and_says_which(
    world: SalesforceWorld, sell: Sell
) -> None:
    world.crm("hide_field", "OpportunityLineItem", "Tax_Category__c")
    sell()
    world.round(2)
    assert world.invoices() == []
    assert "tax_category__c" in world.tasks()["unreadable"]["message"]
    world.crm("show_field", "OpportunityLineItem", "Tax_Category__c")
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, [])


def test_a_renamed_value_of_a_picklist_holds_that_deal_and_no_other(
    world: SalesforceWorld, sell: Sell
) -> None:
    world.crm("rename_value", "Opportunity", "Type", "Existing Customer - Renewal", "Renewed")
    sell(Type="Renewed")
    sell()
    world.round(2)
    assert [one["po_number"] for one in world.invoices()] == ["PO-0002"]
    assert "classes has no entry for Renewed" in world.tasks()["formula"]["message"]


def test_a_validation_rule_that_refuses_what_one_deal_is_told_holds_up_no_other(
    world: SalesforceWorld, sell: Sell
) -> None:
    deals = [sell(), sell(NextStep="locked")]
    world.crm("add_validation_rule", "Opportunity", "NextStep = 'locked'", "Ask Ada first")
    world.round(2)
    assert len(world.invoices()) == 2
    assert [world.told(deal, "invoice_status") for deal in deals] == ["invoiced", None]
    assert any("Ask Ada first" in task["message"] for task in world.tasks().values())


def test_an_org_of_one_currency_is_worked_like_any_other(tmp_path: Path) -> None:
    with open_salesforce_world(tmp_path, multi_currency=False, company_currency="EUR") as world:
        salesforce_seller(world)()
        world.round(2)
        (invoice,) = world.invoices()
        assert (invoice["currency"], world.codes()) == ("EUR", [])


def test_a_year_of_real_life_ties_out_to_the_cent(world: SalesforceWorld) -> None:
    """Discounts, currencies, deals that lack something: each is invoiced once, or held and named."""
    sell_a_year(world.org, 60, seed=7)
    world.round(3)
    posted = Counter(one["po_number"] for one in world.invoices() if one["po_number"])
    assert max(posted.values()) == 1
    assert len(world.invoices()) > 20
    deals = [deal["id"] for deal in world.crm_truth()["deals"]]
    nameless = [one for one in world.invoices() if not one["po_number"]]
    linked = {one["id"]: deal for one in nameless for deal in deals if deal in one["private_note"]}
    assert_ties_out(world, linked=linked)


@pytest.mark.parametrize("fault", ["lose_answer", "cut_body"])
def test_an_answer_that_is_lost_after_the_deal_was_told_is_looked_up_and_not_told_again(
    world: SalesforceWorld, sell: Sell, fault: str
) -> None:
    deal = sell()
    world.fault("crm", fault=fault, path="/composite", body='"write"', count=1)
    world.round(3)
    assert (world.told(deal, "invoice_status"), world.codes()) == ("invoiced", [])
    writes = [name for name in world.org.counts if name == "PATCH composite/sobjects"]
    assert [world.org.counts[name] for name in writes] == [1]


def test_sessions_that_end_in_the_middle_of_a_round_cost_nothing_but_a_call(
    tmp_path: Path,
) -> None:
    with open_salesforce_world(tmp_path) as world:
        world.by_secret = True
        deal = salesforce_seller(world)()
        world.round()
        world.crm("end_sessions")
        world.books("receive_payment", invoices={"1": None}, day="2026-05-05")
        world.round()
        assert world.told(deal, "invoice_status") == "paid"


def test_a_days_calls_that_are_used_up_stop_the_pair_until_it_is_resumed_and_lose_nothing(
    world: SalesforceWorld, sell: Sell
) -> None:
    sell()
    world.round()
    world.org.daily_limit = len(world.org.calls)
    deal = sell()
    assert world.working is not None
    world.working.round("main")
    (pair,) = world.working.status()["pairs"]
    assert pair["paused"]["code"] == "quota-exhausted"
    assert "API calls of the last 24 hours" in pair["paused"]["reason"]
    world.org.daily_limit = 100_000
    world.org.calls.clear()
    world.restart()
    world.working.resume("main", who="ann", reason="the day is over")
    world.round(2)
    assert (len(world.invoices()), world.told(deal, "invoice_status")) == (2, "invoiced")


def test_an_account_is_told_what_it_owes(
    world: SalesforceWorld, sell: Sell, tmp_path: Path
) -> None:
    (shipped,) = world.files
    telling = tmp_path / shipped.name
    text = shipped.read_text().split("\ntests:")[0]
    telling.write_text(text.replace("  # company.", "  company.") + "\n")
    world.files = (telling,)
    deal = sell(lines=[{"UnitPrice": "150.00", "Quantity": "2"}])
    world.round(2)
    (invoice,) = world.invoices()
    opportunity = world.org.find("Opportunity", deal)
    account = world.org.find("Account", opportunity["AccountId"])
    owed = ("Open_Balance", "Overdue", "Oldest_Open_Invoice", "Receivables_Currency")
    shown = [account[f"Tieout_{name}__c"] for name in owed]
    assert Decimal(str(shown[0])) == Decimal(invoice["total"])
    assert shown[2] == invoice["doc_number"]
    assert opportunity["Tieout_Invoice_Approval__c"] == "approved"
    done = world.round()
    assert (done.drafted, done.told, done.pushed.done) == (0, 0, 0)
    assert world.codes() == []


def test_a_line_that_was_removed_from_a_deal_that_nobody_won_is_asked_about_no_more(
    world: SalesforceWorld, sell: Sell
) -> None:
    """Its owner is told by no record any more: it would be asked for in every round, for ever."""
    sell()
    world.round(2)
    line = world.org.line(world.org.deal(won=False), UnitPrice="10", Quantity="1")
    world.round()
    world.crm("remove_line", line)
    world.restart()
    assert [world.round().observed.unreadable for _ in range(2)] == [[], []]


def test_an_opportunity_that_another_account_takes_over_is_a_difference(
    world: SalesforceWorld, sell: Sell
) -> None:
    """Nothing but its account moved, as when somebody corrects whom it belongs to."""
    deal = sell()
    world.round()
    world.crm("edit_deal", deal, {"AccountId": world.org.account(Name="Neu", BillingCountry="DE")})
    world.round()
    assert world.codes() == ["changed-in-crm"]


def test_an_opportunity_that_another_account_takes_over_before_its_approval_is_its_invoice(
    world: SalesforceWorld, sell: Sell
) -> None:
    world.restart(approve="by_hand")
    deal = sell()
    world.round()
    world.crm("edit_deal", deal, {"AccountId": world.org.account(Name="Neu", BillingCountry="DE")})
    world.restart(approve="automatic")
    world.round()
    assert [one["customer_name"] for one in world.invoices()] == ["Neu"]


def test_where_closed_opportunities_are_locked_the_task_says_how_they_are_told_after_all(
    world: SalesforceWorld, sell: Sell
) -> None:
    """Salesforce itself takes writes of closed opportunities; a rule of the org's own may not."""
    deal = sell()
    world.crm("add_validation_rule", "Opportunity", "IsClosed = true", "Closed is closed")
    world.round(2)
    (task,) = world.tasks().values()
    assert (len(world.invoices()), world.told(deal, "invoice_number")) == (1, None)
    assert "Closed is closed" in task["message"]
    assert "Except Tieout's user from the rule" in task["remedy"]

    world.crm("drop_validation_rules")
    world.answer(task["code"], "retry")
    world.round()
    assert world.told(deal, "invoice_status") == "invoiced"
    assert (len(world.invoices()), world.codes()) == (1, [])


@pytest.mark.parametrize("moved", ["the contact", "its account"])
def test_a_contact_that_moves_to_another_account_before_the_approval_is_its_invoice(
    tmp_path: Path, moved: str
) -> None:
    """The mapping bills whom the contact works for; nothing moves but that."""
    clock = SimulatedClock(datetime.now(UTC))
    with open_salesforce_world(tmp_path, clock) as world:
        bill_the_contacts_account(world)
        sell = salesforce_seller(world)
        world.restart(approve="by_hand")
        old, new = (world.org.account(Name=name, BillingCountry="DE") for name in ("Alt", "Neu"))
        contact = world.org.contact(AccountId=old)
        joined = {"OpportunityId": sell(account=old), "ContactId": contact, "IsPrimary": True}
        world.crm("create", "OpportunityContactRole", joined)
        world.round(2)
        clock.advance(60)
        if moved == "the contact":
            world.crm("edit", "Contact", contact, {"AccountId": new})
        else:
            world.crm("edit_account", old, {"Name": "Neu"})
        world.restart(approve="automatic")
        world.round()
        assert [one["customer_name"] for one in world.invoices()] == ["Neu"]


def bill_the_contacts_account(world: SalesforceWorld) -> None:
    file = world.path / "by-contact.yaml"
    text = world.files[0].read_text("utf-8")
    found = "  company: deal.company\n"
    assert text.count(found) == 1
    by_contact = text.replace(found, "").replace(
        "  owner: deal.owner?\n", "  company: contact.company\n  owner: deal.owner?\n"
    )
    file.write_text(by_contact.replace("contact: deal.contact?", "contact: deal.contact"), "utf-8")
    world.files = (file,)


BILL = """
mapping: salesforce-bill-to-invoice
version: 1
from: salesforce.object as bill
to: invoice

fields:
  object: { number__c: text, status__c: choice, issued_on__c: date }

with:
  deal: bill.deal
  company: deal.company
  lines: deal.line_items[]
  owner: bill.owner?

when: =bill.status__c == "Issued" and bill.issued_on__c >= cutover_date

invoice:
  customer:
    match: [{ name: =company.name }]
    none: create
    create: { name: =company.name, currency: =deal.currency, address: { country: Germany } }
  date: =bill.issued_on__c
  currency: =deal.currency
  memo: =join(" ", bill.number__c, "of", owner.full_name)
  lines:
    for: line in lines
    item: { match: [{ sku: =line.sku }] }
    description: =line.name
    quantity: =line.quantity
    unit_price: =line.unit_price
    tax_code: S19
"""


def test_what_a_queue_owns_is_invoiced_once_and_names_it(tmp_path: Path) -> None:
    clock = SimulatedClock(datetime.now(UTC))
    with open_salesforce_world(tmp_path, clock) as world:
        bill_of_a_queue(world)
        clock.advance(60)
        assert world.round().observed.unreadable == []
        world.round()
        (invoice,) = world.invoices()
        assert (invoice["net"], world.codes()) == (Decimal(300), [])
        assert "B-7 of Billing desk" in invoice["private_note"]


def bill_of_a_queue(world: SalesforceWorld) -> None:
    file = world.path / "bills.yaml"
    file.write_text(BILL, "utf-8")
    world.files = (file,)
    world.crm_rates |= {
        "object": "Invoice__c",
        "object_deal": "Opportunity__c",
        "object_date": "Issued_On__c",
    }
    deal = world.org.deal(AccountId=world.org.account(BillingCountry="DE"))
    world.org.line(deal, UnitPrice="150.00", Quantity="2")
    queue = world.crm("add_queue", "Billing desk", ["Invoice__c"])
    bill = {"Opportunity__c": deal, "Number__c": "B-7", "Status__c": "Issued", "OwnerId": queue}
    world.crm("create", "Invoice__c", {**bill, "Issued_On__c": "2026-04-01"})
