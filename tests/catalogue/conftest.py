"""Worlds in which one thing is bad, and what must hold of each."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from foreign_world import Foreign, open_foreign


@pytest.fixture
def foreign(tmp_path: Path) -> Iterator[Foreign]:
    """A foreign world of German books with many currencies, without limits and without waiting."""
    with open_foreign(tmp_path) as made:
        made.world.crm_rates = {"searches_per_sec": 1_000}
        made.world.sleep = lambda _secs: None
        made.world.quiet_secs = 0
        made.world.rates = {
            "per_minute": 100_000,
            "per_second": 10_000,
            "batches_per_minute": 10_000,
        }
        yield made


@pytest.fixture
def held(foreign: Foreign) -> Callable[..., dict[str, Any]]:
    """Return a function that asserts that a deal is held as it should be; it returns its task.

    It sells a good deal beside the bad one. One round posts the good one, and of the bad one there
    is a task with this code, with these words in its message, with what to do, and the amount.
    """

    def judge(
        deal: str, code: str, *words: str, net: str | None = "300", currency: str | None = "EUR"
    ) -> dict[str, Any]:
        world = foreign.world
        good = foreign.sold()
        done = world.round()
        assert done.whole
        tasks = [task for task in world.working.tasks() if task["source_id"] == deal]
        found = {task["code"]: task for task in tasks}
        assert code in found, found
        task: dict[str, Any] = found[code]
        assert [word for word in words if word not in task["message"]] == [], task["message"]
        assert task["remedy"]
        first = tasks[0] if tasks[0]["currency"] else task  # the first of a deal names its amount
        assert (first["net"], first["currency"]) == (net, currency)
        orders = {held: order for order, held in world.orders.items()}
        assert [one["po_number"] for one in world.invoices()] == [orders[good]]
        assert world.told(good, "invoice_status") == "invoiced"
        return task

    return judge
