"""A key that may not do everything, and a portal that has not everything: what can go on, goes on."""

import pytest

SCOPES = {
    "status": "error",
    "message": "This app hasn't been granted all required scopes to make this call.",
    "correlationId": "c-1",
    "category": "MISSING_SCOPES",
    "errors": [
        {
            "message": "One or more of the following scopes are required.",
            "context": {"requiredGranularScopes": ["crm.objects.of.it.read"]},
        }
    ],
}
REFUSALS = {
    "403": (403, SCOPES),
    "403 bare": (403, {"status": "error", "message": "You do not have permissions"}),
    "404": (404, {"status": "error", "message": "resource not found", "correlationId": "c-1"}),
    "500": (500, {"status": "error", "message": "internal error", "correlationId": "c-1"}),
    "404 html": (404, "<html>Not found</html>"),
    "400": (
        400,
        {
            "status": "error",
            "message": "Unable to infer object type from: commerce_payments",
            "correlationId": "c-1",
            "category": "VALIDATION_ERROR",
        },
    ),
}


def refuse(part, status, told):
    """Return a server's own refusal of every path that holds these words."""

    def refusal(exchange):
        if part in exchange.path:
            exchange.status, exchange.told = status, told

    return refusal


def assert_posted(foreign, deals):
    world = foreign.world
    assert sorted(one["po_number"] for one in world.invoices()) == sorted(world.orders)
    assert [world.told(deal, "invoice_status") for deal in deals] == ["invoiced"] * len(deals)


@pytest.mark.parametrize("said", REFUSALS.values(), ids=REFUSALS)
def test_payments_that_may_not_be_read_are_one_task_and_deals_go_on(foreign, said):
    refusal = refuse("commerce_payments", *said)
    foreign.crm.refusals.append(refusal)
    deals = [foreign.sold(), foreign.sold()]
    done = foreign.world.round(2)
    assert done.whole
    assert_posted(foreign, deals)
    assert foreign.world.codes() == ["feed-refused"]
    task = foreign.world.tasks()["feed-refused"]
    assert "hubspot-payment-to-payment" in task["message"]
    foreign.crm.refusals.remove(refusal)
    foreign.world.round()
    assert foreign.world.codes() == []


def test_a_key_without_the_owners_scope_posts_what_uses_no_owner(foreign):
    foreign.crm.refusals.append(refuse("/crm/owners/", 403, SCOPES))
    deals = [foreign.sold(hubspot_owner_id="7"), foreign.sold()]
    foreign.world.round(2)
    assert foreign.world.codes() == []
    assert_posted(foreign, deals)


def test_deals_that_may_not_be_read_stop_the_pair_and_name_the_scope(foreign):
    foreign.crm.refusals.append(refuse("/deals/search", 403, SCOPES))
    foreign.sold()
    engine = foreign.world.restart()
    done = engine.round("main")
    assert "crm.objects.of.it.read" in str(done.error)
    (task,) = engine.tasks()
    assert "crm.objects.of.it.read" in task["message"]


UNKNOWN_PROPERTY = {
    "status": "error",
    "message": 'Property values were not valid: [{"isValid":false,"message":"Property '
    '\\"tieout_invoice_status\\" does not exist","error":"PROPERTY_DOESNT_EXIST",'
    '"name":"tieout_invoice_status"}]',
    "correlationId": "c-1",
    "category": "VALIDATION_ERROR",
}
WITH_CODES = {
    **UNKNOWN_PROPERTY,
    "errors": [
        {"message": "does not exist", "code": "PROPERTY_DOESNT_EXIST", "in": "properties"},
    ],
}


@pytest.mark.parametrize("told", [UNKNOWN_PROPERTY, WITH_CODES], ids=["in words", "by code"])
def test_a_portal_without_our_properties_is_one_task_and_never_a_stop(foreign, told):
    foreign.crm.refusals.append(refuse("/batch/update", 400, told))
    for _ in range(3):
        foreign.sold()
    done = foreign.world.round(3)
    assert done.whole
    assert sorted(one["po_number"] for one in foreign.world.invoices()) == sorted(
        foreign.world.orders
    )
    (task,) = foreign.world.tasks().values()
    assert task["code"] == "write-back-unsupported"
    assert "tieout provision" in task["remedy"]


def test_a_portal_and_books_without_fields_of_their_own_are_enough(foreign):
    """What a portal has not is not in its answers, whoever asks for it; so are the books'."""
    own = {"po_number", "vat_number", "payment_terms", "tax_category"}

    def without_own(exchange):
        rows = exchange.told.get("results", ()) if isinstance(exchange.told, dict) else ()
        for row in rows:
            for name in own.intersection(row.get("properties") or ()):
                del row["properties"][name]
        if "/properties/" in exchange.path and exchange.method == "GET":
            exchange.told["results"] = [row for row in rows if row["name"] not in own]

    def without_custom_fields(exchange):
        told = exchange.told if isinstance(exchange.told, dict) else {}
        for one in told.get("BatchItemResponse", ()):
            for preferences in one.get("QueryResponse", {}).get("Preferences", ()):
                preferences["SalesFormsPrefs"].pop("CustomField", None)

    foreign.crm.bends.append(without_own)
    foreign.books.bends.append(without_custom_fields)
    deals = [foreign.sold(), foreign.sold()]
    foreign.world.round(2)
    assert foreign.world.codes() == []
    assert [foreign.world.told(deal, "invoice_status") for deal in deals] == ["invoiced"] * 2


# -- provisioning -------------------------------------------------------------------------------


def states(foreign):
    """Let an engine start with an empty portal, and return what became of each thing it needs."""
    foreign.world.engine()
    return {each.values["name"]: each.state for each in foreign.world.provided}


def test_a_property_that_no_list_shows_and_nobody_can_make_again_is_there(foreign):
    states(foreign)
    foreign.world.provided = []

    def hide(exchange):
        if exchange.method == "GET" and "/properties/" in exchange.path:
            held = [row for row in exchange.told["results"] if "tieout" not in row["name"]]
            exchange.told["results"] = held

    foreign.crm.bends.append(hide)
    assert set(states(foreign).values()) == {"there"}


def test_what_may_not_be_listed_is_told_to_a_person(foreign):
    foreign.crm.refusals.append(refuse("/properties/", 403, SCOPES))
    assert set(states(foreign).values()) == {"by hand"}
    assert all("crm.objects.of.it.read" in each.why for each in foreign.world.provided)


def test_what_may_be_listed_and_not_made_is_told_to_a_person(foreign):
    def refusal(exchange):
        if exchange.method == "POST" and "/properties/" in exchange.path:
            exchange.status, exchange.told = 403, SCOPES

    foreign.crm.refusals.append(refusal)
    assert set(states(foreign).values()) == {"by hand"}


def test_a_portal_whose_properties_live_at_the_numbered_path_is_provided(foreign):
    def refusal(exchange):
        if exchange.method == "GET" and "/crm/properties/2026-03" in exchange.path:
            exchange.status, exchange.told = 404, "Not Found"

    foreign.crm.refusals.append(refusal)
    assert set(states(foreign).values()) == {"made"}
