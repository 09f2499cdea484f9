"""A write-back is told again under a request id of its own, whatever came in between."""

import pytest

from sync_engine.ledger.sqlite import Ledger
from tieout.model.dates import parse_instant


@pytest.fixture
def ledger(tmp_path):
    at = parse_instant("2026-03-31T09:00:00.000Z")
    with Ledger.open(tmp_path / "ledger.db", lambda: at) as opened:
        yield opened


def tell(ledger, said):
    """Queue what the CRM shall hear of one deal, in place of what still waits."""
    with ledger.transaction() as tx:
        tx.run("outbox_supersede", key="K-1")
        tx.run(
            "outbox_tell", key="K-1", plan_hash=said, pair="main", company="hubspot:1", kind="deal",
            verb="update", change="{}", about="deal 901",
        )  # fmt: skip


def send(ledger):
    """Send what waits, which is done."""
    [row] = waiting(ledger)
    with ledger.transaction() as tx:
        tx.run("outbox_sending", key="K-1", item_id="1", request_id=f"r{row['asking']}", at="now")
        tx.run("outbox_state", key="K-1", plan_hash=row["plan_hash"], state="done", error=None)
    return row["asking"]


def waiting(ledger):
    return ledger.all("outbox_queued", pair="main", company="hubspot:1", limit=9)


def test_what_was_told_before_and_waited_twice_is_not_asked_as_the_first_time(ledger):
    """Paid, part-paid, paid again, and another look before the CRM could be reached."""
    askings = []
    for said in ("paid", "part-paid"):
        tell(ledger, said)
        askings.append(send(ledger))
    tell(ledger, "paid")
    tell(ledger, "paid")
    askings.append(send(ledger))
    assert askings == [1, 1, 3]


def test_of_two_that_wait_the_later_is_sent(ledger):
    tell(ledger, "paid")
    tell(ledger, "voided")
    assert [row["plan_hash"] for row in waiting(ledger)] == ["voided"]
