"""What backfill and shadow ask of the ledger: each side once, whatever the number of deals."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from past import make_past
from seldom_asked import listen
from simulated_world import World, open_world

INVOICES = 24


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with open_world(Path(tmp_path_factory.mktemp("starting"))) as made:
        make_past(made, invoices=INVOICES, without_deal=4, deals_without_invoice=3)
        made.restart(shadow=True).look()
        yield made


@pytest.mark.parametrize("asked", ["backfill", "shadow"])
def test_no_table_is_read_whole_more_than_once(world: World, asked: str) -> None:
    assert world.working is not None
    heard = listen(world.working.ledger._connection)
    report = getattr(world.working, asked)("main")
    world.working.ledger._connection.set_trace_callback(None)
    assert report["figures"]
    assert {name: n for name, n in heard.items() if n > 1} == {}
    assert set(heard) == {"mirror_by_hand", "mirror_all"}
