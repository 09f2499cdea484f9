"""Keys of another company, and records of the books that an invoice cannot use."""

import pytest
from catalogue_entries import entry

OTHER_REALM = {
    "fault": {
        "error": [
            {"message": "ApplicationAuthorizationFailed; errorCode=003100", "code": "3100"},
        ],
        "type": "AUTHORIZATION",
    }
}


def refuse_books(exchange):
    exchange.status, exchange.told = 403, OTHER_REALM


def another_portal(exchange):
    if "account-info" in exchange.path:
        exchange.told["portalId"] = 999


@entry("a token of another company")
def test_a_key_of_another_portal_stops_the_pair_before_anything_is_read(foreign):
    foreign.crm.bends.append(another_portal)
    foreign.sold()
    engine = foreign.world.restart()
    engine.round("main")
    (task,) = engine.tasks()
    assert task["code"] == "other-company"
    assert "portal 999, not of 123" in task["message"]
    assert "use that portal's key" in task["remedy"]
    assert not any("search" in one.path for one in foreign.crm.seen)
    foreign.crm.bends.clear()
    assert_resumed(foreign)


@entry("a token of another company")
def test_a_token_of_other_books_stops_the_pair_before_anything_is_read(foreign):
    foreign.books.refusals.append(refuse_books)
    foreign.sold()
    engine = foreign.world.restart()
    engine.round("main")
    (task,) = engine.tasks()
    assert task["code"] == "other-company"
    assert "not those of company 9130" in task["message"]
    assert "tieout connect" in task["remedy"]
    foreign.books.refusals.clear()
    assert_resumed(foreign)


@entry("a token of another company")
def test_a_token_that_becomes_another_companys_stops_the_pair_with_the_vendors_words(foreign):
    foreign.sold()
    foreign.world.round()
    foreign.books.refusals.append(refuse_books)
    foreign.sold()
    engine = foreign.world.working
    error = engine.round("main").error
    assert (error.code, error.vendor_code) == ("unauthorized", "3100")
    (task,) = engine.tasks()
    assert "ApplicationAuthorizationFailed" in task["message"]
    foreign.books.refusals.clear()
    assert_resumed(foreign)


def assert_resumed(foreign):
    """With the right key, and a person's word, the same process posts all that was won, once."""
    foreign.world.working.resume("main", who="ann", reason="the right key is there")
    foreign.world.round(2)
    assert foreign.world.codes() == []
    orders = [one["po_number"] for one in foreign.world.invoices()]
    assert sorted(orders) == sorted(foreign.world.orders)


@entry("an item without an income account")
@pytest.mark.parametrize("account", [None, "Unheard of"])
def test_a_new_item_without_an_income_account_is_held(foreign, held, account):
    text = foreign.world.files[0].read_text("utf-8").split("\ntests:")[0]
    create = "none: create\n      create: { name: =line.name, type: Service }"
    text = text.replace("none: default\n      default: Services", create)
    file = foreign.world.path / "deal.yaml"
    file.write_text(text, "utf-8")
    foreign.world.files = (file, foreign.world.files[1])
    foreign.world.settings["default_income_account"] = account
    line = {"name": "Rocket", "hs_sku": "R-1", "quantity": "2", "price": "150.00"}
    deal = foreign.sold(lines=[line], amount="300")
    if account is None:
        held(deal, "no-income-account", "'Rocket'")
    else:
        held(deal, "no-account", "Unheard of")
