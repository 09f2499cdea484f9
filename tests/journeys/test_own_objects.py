"""A portal that sells what it keeps in an object of its own, and lets another company pay."""

from decimal import Decimal

import pytest
from simulated_world import buy

MAPPING = """
mapping: hubspot-subscription-to-invoice
version: 1
from: hubspot.object as subscription
to: invoice

fields:
  object: { plan: text, state: text, currency: text, starts_on: date }

with:
  company: subscription.company
  payer: subscription.company labelled "Paying company"?
  lines: subscription.line_items[]
  owner: subscription.owner?

when: =subscription.state == "active" and subscription.starts_on >= cutover_date

invoice:
  customer:
    match:
      - bound: =payer.id or company.id
      - name: =payer.name or company.name
    none: create
    create:
      name: =payer.name or company.name
      currency: =subscription.currency
      address: { country: Germany }
  date: =subscription.starts_on
  currency: =subscription.currency
  memo: =join(" ", subscription.plan, "sold by", owner.full_name)
  title: =subscription.plan
  lines:
    for: line in lines
    item: { match: [{ sku: =line.sku }] }
    description: =line.name
    quantity: =line.quantity
    unit_price: =line.price
    tax_code: S19

write_back:
  subscription.invoice_number: =receipt.number
  subscription.invoice_status: =status
  subscription.invoice_total: =books.total
  subscription.invoice_error: =problem
"""
PROPERTIES = {
    "plan": "string",
    "state": "string",
    "currency": "string",
    "starts_on": "date",
}


@pytest.fixture
def named(world):
    """The object's full name; nothing but it is read and invoiced."""
    full = world.crm(
        "define_object", "subscription", PROPERTIES, ["companies", "line_items", "contacts"]
    )
    world.crm("define_label", full, "companies", "Paying company", "Pays for")
    file = world.path / "subscriptions.yaml"
    file.write_text(MAPPING, "utf-8")
    world.files = (file,)
    world.crm_rates |= {"object": full, "object_date": "starts_on"}
    return full


@pytest.fixture
def subscribed(world, named):
    def subscribe(company=None, price="150.00", **values):
        line = {"name": "Seat", "hs_sku": "C-1", "quantity": "2", "price": price}
        made = str(world.portal.create("line_items", line).id)
        given = {"plan": "Gold", "state": "active", "currency": "EUR", **values}
        given = {"starts_on": "2026-04-01", **given}
        one = world.crm("create", named, given, {"line_items": [made]})
        buyer = company or buy(world, "Bär GmbH")
        world.crm("label", named, one, "companies", buyer, "Primary")
        return one

    return subscribe


def told(world, one):
    """What a subscription was told."""
    (objects,) = world.crm_truth()["own_objects"].values()
    (held,) = [each for each in objects if each["id"] == one]
    return {name: value for name, value in held.items() if name.startswith("tieout_")}


def customers(world):
    """The names of the invoices' customers, each with the invoice's net."""
    names = {one["id"]: one["name"] for one in world.books_truth()["customers"]}
    return {names[one["customer"]]: Decimal(one["net"]) for one in world.invoices()}


def test_it_is_invoiced_once_and_told(world, named, subscribed):
    world.portal.hire("7", "o@x.example", firstName="Ola", lastName="Nord")
    one = subscribed(hubspot_owner_id="7")
    subscribed(state="draft")
    subscribed(starts_on="2025-12-31")
    world.round(2)
    (invoice,) = world.invoices()
    assert (customers(world), invoice["date"]) == ({"Bär GmbH": Decimal(300)}, "2026-04-01")
    assert "Gold sold by Ola Nord" in invoice["private_note"]
    held = told(world, one)
    assert held.pop("tieout_mark")
    assert held == {
        "tieout_invoice_number": invoice["doc_number"],
        "tieout_invoice_status": "invoiced",
        "tieout_invoice_total": "357",
    }
    world.restart().round("main")
    assert len(world.invoices()) == 1


def test_whoever_is_labelled_so_pays(world, named, subscribed):
    one, _ = subscribed(), subscribed(price="10.00", company=buy(world, "Nord AS"))
    payer = buy(world, "Holding AG")
    world.crm("label", named, one, "companies", payer, "Paying company")
    world.round()
    assert customers(world) == {"Holding AG": Decimal(300), "Nord AS": Decimal(20)}


def test_two_that_pay_hold_the_invoice_until_one_is_left(world, named, subscribed):
    one = subscribed()
    payers = [buy(world, name) for name in ("Holding AG", "Mutter AG")]
    for payer in payers:
        world.crm("label", named, one, "companies", payer, "Paying company")
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["ambiguous-relation"])
    world.crm("part", named, one, "companies", payers[0])
    world.crm("edit", named, one, {"plan": "Gold+"})
    world.round()
    assert customers(world) == {"Mutter AG": Decimal(300)}


def test_a_label_that_was_renamed_holds_every_invoice_and_posts_none_to_another(
    world, named, subscribed
):
    one = subscribed()
    world.crm("label", named, one, "companies", buy(world, "Holding AG"), "Paying company")
    labels = world.portal.links.labels[named, "companies"]
    labels[max(labels)] = "Payer"
    world.round()
    assert (world.invoices(), world.codes()) == ([], ["unreadable"])
    labels[max(labels)] = "Paying company"
    world.round()
    assert customers(world) == {"Holding AG": Decimal(300)}


def test_what_changes_afterwards_is_a_task_as_a_deals_is(world, named, subscribed):
    one = subscribed()
    world.round()
    line = {"name": "Seat", "hs_sku": "C-1", "quantity": "1", "price": "99.00"}
    world.crm("create", "line_items", line, {named: [one]})
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (1, ["changed-in-crm"])


def test_two_that_are_merged_are_asked_about_and_make_no_third_invoice(world, named, subscribed):
    """HubSpot makes a new record of two, with the mark of the first."""
    one, other = subscribed(), subscribed(plan="Silver", price="10.00")
    world.round(2)
    assert len(world.invoices()) == 2
    world.crm("merge", named, one, other)
    world.round(2)
    assert (len(world.invoices()), world.codes()) == (2, ["merged", "merged", "merged?"])


def test_what_is_archived_after_it_was_invoiced_is_a_question(world, named, subscribed):
    one = subscribed()
    world.round()
    world.crm("archive", named, one)
    world.working.reconcile("main")
    assert (len(world.invoices()), world.codes()) == (1, ["deleted-in-crm"])
