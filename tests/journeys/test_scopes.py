"""A key with the scopes that the page asks for, and no other, does the whole job."""

import re

import pytest

from connectors.hubspot.facts import facts
from tieout.simulator.hubspot import Token

TO_PROVISION = {"crm.schemas.deals.write", "crm.schemas.companies.write"}
NEEDED_BY_NO_MAPPING_HERE = {  # the seller, balances, files, quotes, own objects
    "crm.objects.owners.read",
    "crm.objects.companies.write",
    "files",
    "crm.objects.contacts.write",
    "crm.objects.quotes.read",
    "crm.objects.invoices.read",
    "crm.objects.custom.read",
    "crm.objects.custom.write",
    "crm.schemas.custom.write",
}
SCOPE = re.compile(r"`(crm\.[a-z_.]+|files)`")
PAID = {"hs_initiated_date": "2026-04-20T10:00:00Z", "hs_payment_method_type": "bank_transfer"}


@pytest.fixture
def on_the_page(request):
    """The scopes of the table in docs/howto/real-accounts.md."""
    page = (request.config.rootpath / "docs" / "howto" / "real-accounts.md").read_text("utf-8")
    table = [line for line in page.splitlines() if line.startswith("| `")]
    return frozenset(scope for row in table for scope in SCOPE.findall(row.split("|")[1]))


def test_the_page_lists_the_scopes_that_connect_tries(on_the_page):
    assert on_the_page == {scope.scope for scope in facts().scopes}


def give(world, scopes):
    world.portal.tokens[world.portal.token] = Token(scopes=scopes)


def test_the_pages_scopes_are_enough_to_begin_and_to_go_on(world, sold, on_the_page, ties_out):
    give(world, on_the_page)
    deal = sold()
    world.round()  # the fields are made first
    give(world, on_the_page - TO_PROVISION)
    world.crm("add_payment", deal, {**PAID, "hs_initial_amount": "357.00"})
    world.round(2)
    assert (world.told(deal, "invoice_status"), world.codes()) == ("paid", [])
    ties_out(world)


def test_no_scope_of_the_page_is_asked_for_in_vain(world, sold, on_the_page):
    """Without one something is refused, where a mapping needs it."""
    used = on_the_page - NEEDED_BY_NO_MAPPING_HERE
    world.engine()  # with every right: the fields are made
    unused = set()
    for scope in sorted(used - TO_PROVISION):
        give(world, used - {scope})
        deal = sold()
        person = world.portal.create("contacts", {"email": f"{deal}@kunde.example"})
        world.portal.link(("deals", "contacts"), int(deal), person.id)
        world.crm("add_payment", deal, {**PAID, "hs_initial_amount": "357.00"})
        done = world.restart().round("main")
        refused = done.error is not None or world.codes()
        give(world, None)
        world.restart().resume("main", who="ann", reason="the scope is there")
        world.round()
        if not refused:
            unused.add(scope)
    assert unused == set()
