"""A company with Salesforce: from a won opportunity to its invoice and back."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from salesforce_world import SalesforceWorld, open_salesforce_world, salesforce_seller


@pytest.fixture
def world(tmp_path: Path) -> Iterator[SalesforceWorld]:
    with open_salesforce_world(tmp_path) as made:
        yield made


@pytest.fixture
def sell(world: SalesforceWorld) -> Callable[..., str]:
    return salesforce_seller(world)


def test_a_won_opportunity_is_invoiced_once_and_told_so(
    world: SalesforceWorld, sell: Callable[..., str]
) -> None:
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


def test_the_echo_of_what_was_told_is_no_news(
    world: SalesforceWorld, sell: Callable[..., str]
) -> None:
    sell()
    world.round(2)
    done = world.round()
    assert (done.drafted, done.pushed.done) == (0, 0)
