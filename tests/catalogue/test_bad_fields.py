"""Fields that a vendor no longer answers, or answers as something else."""

import copy
from itertools import cycle

import pytest
from catalogue_entries import entry
from spoiling import GONE, spoil

FINE = [  # what says something all the same: any text is a name, and no flag is not won
    ("dealname", "zzz"),
    ("dealname", None),
    ("name", "zzz"),
    ("hs_is_closed_won", None),
]
CRM = {
    "deals": ["amount", "closedate", "deal_currency_code", "hs_is_closed_won", "dealname"],
    "line_items": ["price", "quantity", "hs_sku"],
    "companies": ["name", "hs_country_code"],
}
NEVER_MISSED = {"dealname", "hs_sku"}  # an invoice is right without
BOOKS = [
    ("Customer", "Id"),
    ("Customer", "SyncToken"),
    ("Customer", "DisplayName"),
    ("Invoice", "Id"),
    ("Invoice", "TotalAmt"),
    ("Invoice", "Balance"),
    ("Invoice", "TxnDate"),
    ("Invoice", "Line"),
    ("Item", "Name"),
    ("Account", "Name"),
    ("TaxCode", "SalesTaxRateList"),
    ("Preferences", "CurrencyPrefs"),
    ("CompanyCurrency", "Code"),
]
VALUES = (12, None, ["y"], {"x": 1}, "zzz")
STRUCTURE = [
    ("crm", "deals/search", ("results", 0, "properties")),
    ("crm", "deals/search", ("results", 0)),
    ("crm", "deals/search", ("results",)),
    ("crm", "deals/companies/batch/read", ("results", 0, "to", 0)),
    ("crm", "deals/companies/batch/read", ("results", 0, "to", 0, "associationTypes")),
    ("crm", "deals/line_items/batch/read", ("results", 0, "from")),
    ("crm", "line_items/batch/read", ("results", 0, "properties")),
    ("crm", "properties/2026-03/line_items", ("results", 0, "options")),
    ("crm", "deals/batch/update", ("results", 0)),
    ("crm", "deals/batch/update", ("results", 0, "id")),
    ("books", "/batch", ("BatchItemResponse",)),
    ("books", "/batch", ("BatchItemResponse", 0)),
    ("books", "/batch", ("BatchItemResponse", 0, "QueryResponse")),
    ("books", "/batch", ("BatchItemResponse", 0, "Customer")),
]


def put(told, path, value):
    """Put a value in the place of what stands at a path of an answer, if something does."""
    for step in path[:-1]:
        if not _has(told, step):
            return
        told = told[step]
    if not _has(told, path[-1]):
        return
    if value is GONE:
        del told[path[-1]]
    else:
        told[path[-1]] = copy.deepcopy(value)


def _has(told, step):
    if isinstance(told, list):
        return isinstance(step, int) and step < len(told)
    return isinstance(told, dict) and step in told


def bodies(told, entity):
    """Yield every record of an entity that the books' answer shows."""
    if isinstance(told, list):
        for one in told:
            yield from bodies(one, entity)
    elif isinstance(told, dict):
        for name, held in told.items():
            if name == entity:
                yield from held if isinstance(held, list) else [held]
            elif isinstance(held, dict | list):
                yield from bodies(held, entity)


def two_rounds(foreign):
    """Sell two deals and work two rounds; no error but a named one comes, and nothing is wrong."""
    engine = foreign.world.restart()
    foreign.sold()
    foreign.sold()
    rounds = [engine.round("main") for _ in range(2)]
    assert {done.error and done.error.code for done in rounds} <= {None, "unavailable"}
    assert_right_so_far(foreign)
    return rounds, engine.tasks()


def assert_right_so_far(foreign):
    """What is posted is right: whole, once, for customers of the names that the CRM has."""
    invoices = foreign.world.invoices()
    assert [one["net"] for one in invoices] == [300] * len(invoices)
    assert len({one["po_number"] for one in invoices}) == len(invoices)
    names = {one["name"] for one in foreign.world.books_truth()["customers"]}
    assert names <= {"Firma 1 GmbH", "Firma 2 GmbH"}


def assert_mended(foreign):
    """With the field back, and the company edited, the daily look posts what is left, each once."""
    foreign.crm.bends.clear()
    foreign.books.bends.clear()
    for company in list(foreign.world.portal.shelves["companies"].records):
        foreign.world.crm("edit_company", str(company), {"city": "Köln"})
    foreign.world.settings["sweep_hours"] = 0
    foreign.world.restart()
    foreign.world.round(4)
    assert foreign.world.codes() == []
    assert sorted(one["po_number"] for one in foreign.world.invoices()) == ["PO-0001", "PO-0002"]
    assert_right_so_far(foreign)


@entry("a vendor field that vanished")
@pytest.mark.parametrize(
    ("kind", "name"), [(kind, name) for kind, names in CRM.items() for name in names]
)
def test_a_field_that_the_crm_no_longer_answers_holds_its_deal_and_no_other(foreign, kind, name):
    spoil(foreign, kind, **{name: GONE})
    rounds, tasks = two_rounds(foreign)
    assert rounds[-1].whole
    missed = name not in NEVER_MISSED
    assert (len(foreign.world.invoices()), bool(tasks)) == (1 if missed else 2, missed)
    assert_mended(foreign)


@entry("a vendor field that changed its type")
@pytest.mark.parametrize(
    ("kind", "name", "value"),
    [
        (kind, name, value)
        for kind, name in (
            ("deals", "closedate"),
            ("deals", "hs_is_closed_won"),
            ("deals", "dealname"),
            ("line_items", "price"),
            ("companies", "name"),
        )
        for value in ("zzz", {"x": 1}, ["y"], None)
        if (name, value) not in FINE
    ],
)
def test_a_field_of_another_type_in_the_crm_holds_its_deal_and_no_other(foreign, kind, name, value):
    spoil(foreign, kind, **{name: value})
    rounds, tasks = two_rounds(foreign)
    assert rounds[-1].whole
    assert (len(foreign.world.invoices()), bool(tasks)) == (1, True)
    assert all(task["remedy"] for task in tasks)
    assert_mended(foreign)


@entry("a vendor field that vanished")
@entry("a vendor field that changed its type")
@pytest.mark.parametrize(
    ("entity", "name", "value"),
    [(*field, GONE) for field in BOOKS] + [(*field, {"x": 1}) for field in BOOKS[::3]],
)
def test_a_field_of_the_books_that_cannot_be_read_is_named_and_nothing_is_posted_wrongly(
    foreign, entity, name, value
):
    def bend(exchange):
        for body in list(bodies(exchange.told, entity))[:1]:
            put(body, (name,), value)

    foreign.books.bends.append(bend)
    two_rounds(foreign)
    assert_mended(foreign)


@entry("a vendor field that changed its type")
@pytest.mark.parametrize(
    ("side", "path", "way", "value"),
    [(*place, value) for place, value in zip(STRUCTURE, cycle(VALUES), strict=False)],
)
def test_an_answer_of_another_form_never_ends_the_process(foreign, side, path, way, value):
    def bend(exchange):
        if path in exchange.path:
            put(exchange.told, way, value)

    getattr(foreign, side).bends.append(bend)
    two_rounds(foreign)
    assert_mended(foreign)
