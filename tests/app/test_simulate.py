"""The make-believe companies: served where the starter says, and remembered."""

import json
import signal
import subprocess
import sys
import urllib.request

import pytest

from tieout.app import simulated
from tieout.app.crms import CRMS


def truth(url: str) -> dict:
    with urllib.request.urlopen(f"{url}/__truth") as answer:
        return {
            name: held for name, held in json.load(answer).items() if name not in {"at", "time"}
        }


def test_both_companies_answer_and_are_remembered(tmp_path):
    ports = {"hubspot_port": 0, "quickbooks_port": 0}

    with simulated.town(state=tmp_path / "state", deals=4, **ports) as first:
        assert not first.kept
        before = truth(first.hubspot.url), truth(first.quickbooks.url)
        access = first.authority.issue(simulated.REALM_ID)["access_token"]
    with simulated.town(state=tmp_path / "state", deals=9, **ports) as second:
        assert second.kept
        assert second.authority.realm_of(f"Bearer {access}") == simulated.REALM_ID
        assert (truth(second.hubspot.url), truth(second.quickbooks.url)) == before
    with simulated.town(state=tmp_path / "state", deals=9, fresh=True, **ports) as third:
        assert not third.kept


def test_the_same_seed_makes_the_same_deals():
    ports = {"hubspot_port": 0, "quickbooks_port": 0}

    with (
        simulated.town(deals=4, seed=7, **ports) as one,
        simulated.town(deals=4, seed=7, **ports) as two,
    ):
        assert list(one.portal.shelves["deals"].records) == list(
            two.portal.shelves["deals"].records
        )


FREE = {f"{name}_port": 0 for name in (*CRMS, "quickbooks")}


def test_each_crm_is_served_at_its_own_address_and_remembered(tmp_path):
    with simulated.town(crms=list(CRMS), state=tmp_path, deals=4, **FREE) as first:
        before = {name: truth(one.served.url) for name, one in first.crms.items()}
        assert [name for name, told in before.items() if len(told["deals"]) < 4] == []
        assert list(before) == list(CRMS)
    with simulated.town(crms=list(CRMS), state=tmp_path, **FREE) as second:
        assert second.kept
        assert {name: truth(one.served.url) for name, one in second.crms.items()} == before


def test_what_one_crm_left_is_not_gone_on_with_by_another(tmp_path):
    with simulated.town(state=tmp_path, deals=1, **FREE):
        pass
    with (
        pytest.raises(ValueError, match=r"Of CRMs .* keeps HubSpot$"),
        simulated.town(crms=["salesforce"], state=tmp_path, **FREE),
    ):
        pass
    with simulated.town(crms=["salesforce"], state=tmp_path, deals=1, fresh=True, **FREE):
        pass
    with simulated.town(crms=["salesforce"], state=tmp_path, **FREE) as again:
        assert again.kept


@pytest.mark.slow
def test_the_command_says_where_they_are_and_ends_on_a_signal(tmp_path):
    asked = [
        "simulate",
        "--json",
        "--deals",
        "2",
        "--hubspot-port",
        "0",
        "--quickbooks-port",
        "0",
        "--state",
        "s",
    ]
    with subprocess.Popen(
        [sys.executable, "-m", "tieout.app", *asked],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
    ) as serving:
        told = json.loads(serving.stdout.readline())
        assert truth(told["hubspot"])
        serving.send_signal(signal.SIGTERM)
        assert serving.wait(20) == 0

    assert (told["portal_id"], told["realm_id"], told["kept"]) == (
        "146000123",
        "9130350000000001",
        False,
    )
    assert (tmp_path / "s" / "quickbooks.json").exists()


def test_a_taken_port_is_told_without_a_traceback(tmp_path):
    with simulated.town(deals=0, hubspot_port=0, quickbooks_port=0) as served:
        asked = [
            "simulate",
            "--deals",
            "0",
            "--hubspot-port",
            str(served.hubspot.port),
            "--quickbooks-port",
            "0",
        ]
        done = subprocess.run(
            [sys.executable, "-m", "tieout.app", *asked],
            capture_output=True,
            text=True,
            cwd=tmp_path,
            check=False,
        )

    assert done.returncode == 1
    assert done.stderr.startswith("Error: The companies cannot be served")
