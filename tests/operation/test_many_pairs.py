"""Many pairs in one installation: one company's outage keeps nobody else waiting."""

import pytest
from installation import end, until

from tieout.app.cli.exits import Exit

OUTAGES = {
    "stalls": {"fault": "stall", "seconds": 120, "count": None},
    "fails": {"fault": "status", "status": 503, "count": None},
    "refuses to serve": {"fault": "status", "status": 429, "retry_after": 3600, "count": None},
}


@pytest.mark.slow
@pytest.mark.parametrize("side", ["crm", "books"])
def test_while_one_company_answers_nothing_another_s_deals_are_posted(installed, sell, side):
    """Told by structure: the first round of the one is still under way when the other's are done."""
    place = installed(2, stop_secs=1)
    one, other = place.worlds
    one.fault(side, **OUTAGES["stalls"])
    sell(one)
    sell(other)
    with place.daemon() as daemon:
        until(lambda: len(other.invoices()) == 1, "the other's first deal is posted")
        sell(other)
        until(lambda: len(other.invoices()) == 2, "and its second, in a later round")
        assert place.status("pair1")["last_round_at"] is None
        assert one.invoices() == []

        sell(other)
        code, _ = place.told("reconcile", "pair2")  # nor does a person wait
        assert (code, len(other.invoices())) == (Exit.DONE, 3)
        assert place.status("pair1")["last_round_at"] is None

        assert end(daemon) == Exit.UNKNOWNS  # its call is still on its way
    one.mend(side)
    place.told("run", "--once", "--wait")
    assert (len(one.invoices()), len(other.invoices())) == (1, 3)


@pytest.mark.slow
@pytest.mark.parametrize("outage", ["fails", "refuses to serve"])
def test_while_one_company_only_refuses_another_s_deals_are_posted(installed, sell, outage):
    place = installed(2, stop_secs=20)
    one, other = place.worlds
    one.fault("books", **OUTAGES[outage])
    sell(one)
    sell(other)
    with place.daemon() as daemon:
        until(lambda: len(other.invoices()) == 1, "the other's deal is posted")
        assert one.invoices() == []
        assert end(daemon) == Exit.DONE
    one.mend("books")
    place.told("run", "--once", "--wait")
    assert (len(one.invoices()), len(other.invoices())) == (1, 1)


@pytest.mark.slow
def test_one_round_of_all_pairs_works_them_side_by_side(installed, sell):
    place = installed(2)
    one, other = place.worlds
    one.fault("books", fault="status", status=503, count=None)
    sell(one)
    sell(other)

    code, told = place.told("run", "--once")

    assert code == Exit.TROUBLE
    assert [done["error"] and done["error"]["code"] for done in told["rounds"]] == [
        "unavailable",
        None,
    ]
    assert len(other.invoices()) == 1
