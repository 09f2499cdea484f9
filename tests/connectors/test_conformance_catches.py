"""The inherited suite catches what it is there for: each broken connector, by the test named for it.

A broken connector is a real one with one fault. The real ones pass all of it, in their own files.
"""

from pathlib import Path

import pytest
from broken import claims, feeds, files, hints, reading, relating, secrecy, updates, writing
from brook_tieout import Brook

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from tieout import conformance
from tieout.conformance import SPELLINGS, ConnectorConformance

TESTS = Path(__file__).parents[1]
SUITES = {
    HubSpot: "connectors/hubspot/test_hubspot_conformance.py::TestHubSpot",
    QuickBooks: "connectors/quickbooks/test_quickbooks_conformance.py::TestQuickBooks",
    Brook: "plugin/brook/tests/test_brook.py::TestBrook",
}
CAUGHT = {
    broken: test
    for part in (claims, reading, relating, feeds, writing, updates, secrecy, hints, files)
    for broken, test in part.CAUGHT.items()
}


@pytest.mark.parametrize("broken", CAUGHT, ids=lambda broken: broken.__name__)
def test_a_broken_connector_is_caught_by_the_test_named_for_it(broken):
    assert verdicts(broken, CAUGHT[broken]) == {CAUGHT[broken]: "refused"}


def test_there_is_a_broken_connector_for_every_test_of_the_suite():
    named = {name for name in dir(ConnectorConformance) if name.startswith("test_")}
    assert named == set(CAUGHT.values())


def test_a_bench_of_several_kinds_says_its_roles():
    name = "test_related_is_the_whole_set_in_the_systems_order"
    assert verdicts(Brook, name, bench={"roles": None}) == {name: "refused"}


def test_a_bench_spells_each_fault():
    name = "test_a_short_answer_is_no_absence"
    assert verdicts(Brook, name, bench={"spellings": SPELLINGS}) == {name: "refused"}


class Breaking:
    """A plug-in of pytest that puts a broken connector in a whole one's place."""

    def __init__(self, whole, broken, bench):
        self.whole = whole
        self.broken = broken
        self.bench = bench
        self.verdicts = {}

    @pytest.fixture(autouse=True)
    def _break(self, monkeypatch, request):
        monkeypatch.setattr(request.module, self.whole.__name__, self.broken)
        bench = getattr(request.module, f"{self.whole.__name__}Bench")
        for name, said in self.bench.items():
            monkeypatch.setattr(bench, name, said)

    def pytest_runtest_makereport(self, item, call):
        """Keep how a test ended: ``refused`` if the suite itself said no, else what crashed."""
        if call.when == "call" or call.excinfo is not None:
            self.verdicts[item.name] = _verdict(call.excinfo)


def verdicts(broken, *names, bench=None):
    """Run some tests of the inherited suite over a connector; return how each one ended.

    ``bench`` is what its bench says otherwise than it does.
    """
    whole = next(one for one in SUITES if issubclass(broken, one))
    breaking = Breaking(whole, broken, bench or {})
    aside = [f"-pno:{name}" for name in ("cacheprovider", "xdist", "cov")]
    pytest.main([*aside, *(f"{TESTS / SUITES[whole]}::{name}" for name in names)], [breaking])
    return breaking.verdicts


def _verdict(excinfo):
    if excinfo is None:
        return "passed"
    suite = Path(conformance.__file__).parent
    refused = Path(excinfo.traceback[-1].path).parent == suite
    return "refused" if excinfo.errisinstance(AssertionError) and refused else repr(excinfo.value)
