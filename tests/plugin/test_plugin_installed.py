"""A plug-in that its author built apart: installed as a wheel, found, conforming, at work.

Nothing here is on a path: Tieout and the plug-in are two wheels in a clean environment.
"""

import json
import shutil
from pathlib import Path

import pytest
from brook_crm import BrookCrm, brook_app, sell
from wheels import Environment, tieout_wheel, wheel_of

from tieout.app.simulated import town
from tieout.simulator.serving import serve

PLUGIN = Path(__file__).parent / "brook"
DEALS = 10
WON = 8

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def author(tmp_path_factory):
    """The author's folder, a copy of ours: wherever it is, it needs nothing around it."""
    return shutil.copytree(
        PLUGIN,
        tmp_path_factory.mktemp("author") / "brook",
        ignore=shutil.ignore_patterns("__pycache__"),
    )


@pytest.fixture(scope="module")
def installed(tmp_path_factory, author):
    here = tmp_path_factory.mktemp("installed")
    wheels = [tieout_wheel(here), wheel_of(author, here / "plugin")]
    shutil.rmtree(author / "brook_tieout")
    return Environment(here / "environment", *wheels)


def test_it_keeps_the_contract(installed, author):
    said = installed.run("-m", "pytest", "-q", "-W", "error", "tests", cwd=author)
    assert " passed" in said
    assert "skipped" not in said


def test_its_deals_become_invoices_once(installed, author, tmp_path):
    crm = BrookCrm()
    sell(crm, DEALS)
    with (
        serve(brook_app(crm)) as brook,
        town(deals=0, hubspot_port=0, quickbooks_port=0) as books,
    ):
        site = Site(installed, author, tmp_path, brook.url, books.quickbooks.url)

        checked = site.told("check", "--online")
        assert [(one["name"], one["system"], one["ok"]) for one in checked["companies"]] == [
            ("crm", "brook", True),
            ("books", "quickbooks", True),
        ]
        assert {(one["tests"], one["passed"]) for one in checked["mappings"]} >= {(2, 2), (1, 1)}

        site.approve_all(code=1)  # the payments wait: their invoices were not there yet
        site.approve_all()
        posted = books.company.tables["Invoice"].rows.values()
        assert len(posted) == WON
        nets = sorted(deal["cents"] for deal in crm.live("deals") if deal["won"])
        assert nets == sorted(_cents(row.body) for row in posted)
        assert len(books.company.tables["Payment"].rows) == len(crm.live("payments"))
        told = {
            deal["invoice_number"]: deal["invoice_status"]
            for deal in crm.live("deals")
            if deal["won"]
        }
        assert sorted(told) == sorted(row.body["DocNumber"] for row in posted)
        assert set(told.values()) == {"invoiced", "part-paid"}

        writes, versions = crm.writes, _versions(books)
        (again,) = site.told("run", "--once")["rounds"]
        assert (again["calls_sent"], again["done"], again["told"]) == (0, 0, 0)
        assert (crm.writes, _versions(books)) == (writes, versions)

        won = next(deal for deal in crm.live("deals") if deal["won"])
        crm.make("lines", title="One more", sku="C-1", count=1, cents="100", deal=won["id"])
        site.told("run", "--once", code=1)
        (task,) = site.told("tasks", code=1)["tasks"]
        assert (task["code"], task["choices"]) == ("changed-in-crm", ["ignore"])
        assert _versions(books) == versions


class Site:
    """An installation as its operator has it, for the plug-in's account."""

    def __init__(self, installed, author, here, crm_url, books_url):
        self.installed = installed
        self.here = here
        self.say("init")
        config = here / "config"
        shutil.copytree(author / "config", config, dirs_exist_ok=True)
        settings = (config / "tieout.yaml").read_text()
        settings = settings.replace("http://127.0.0.1:8811", crm_url)
        (config / "tieout.yaml").write_text(settings.replace("http://127.0.0.1:8802", books_url))
        (config / "brook-key").write_text("opens-the-brook\n")

    def say(self, *args, code=0):
        return self.installed.run("-m", "tieout.app", *args, cwd=self.here, code=code)

    def told(self, *args, code=0):
        return json.loads(self.say(*args, "--json", code=code))

    def approve_all(self, *, code=0):
        """Plan, approve the sheet of all that waits, and send it."""
        sheet = self.told("plan", code=2)["sheets"]["main"]
        self.say("approve", sheet)
        self.say("apply", code=code)


def _versions(books):
    """Every record of the books with its version."""
    return {
        (entity, row_id): row.body["SyncToken"]
        for entity, table in books.company.tables.items()
        for row_id, row in table.rows.items()
        if "SyncToken" in row.body
    }


def _cents(invoice):
    """What an invoice comes to before tax, as Brook writes it."""
    net = invoice["TotalAmt"] - invoice["TxnTaxDetail"]["TotalTax"]
    return str(int(net * 100))
