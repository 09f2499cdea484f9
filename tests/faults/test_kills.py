"""Killed anywhere, whatever was killed goes on and does everything once."""

import pytest
from kill_chance import kill_by_chance
from kill_corrections import Amended, CreditedAndReissued, CreditedDown, Voided
from kill_crms import CRMS
from kill_documents import Files, FilesLooked, FilesNotArrived, Parts, PartsLooked
from kill_scenes import Look, Rounds
from kill_sweep import SCENES, Swept, kill_by_place

EACH = 3  # places of each stage in each scene; the full form tries every one: make kills N=1000
ONCE = (Parts, PartsLooked, FilesLooked, FilesNotArrived)
ONCE += (Amended, CreditedDown, CreditedAndReissued, Voided)  # one place of each stage is enough
ELSEWHERE = (Rounds, Look, CreditedAndReissued, Files)  # what is killed with the other CRMs
CHANCE_KILLS = 20
DRIFT_KILLS = 8
STAGES = frozenset(
    {
        "begin",
        "activation",
        "observe",
        "draft",
        "plan",
        "approve",
        "look",
        "queue",
        "push",
        "write-back",
        "reconcile",
        "settle",
        "report",
        "attach",
        "open",
        "migration",
        "backup",
        "restore",
        "consent",
        "token refresh",
        "configuration",
        "wish asked",
        "wish",
        "tieout approve",
        "tieout tasks answer",
        "tieout reissue",
        "tieout backfill",
        "tieout go-live",
        "tieout correct",
    }
)


@pytest.mark.slow
@pytest.mark.parametrize("scene", SCENES)
def test_killed_at_any_place_a_command_goes_on_when_it_is_given_again(scene, tmp_path):
    demand_all_is_done_once(tmp_path / "world", scene, "hubspot", 1 if scene in ONCE else EACH)


@pytest.mark.slow
@pytest.mark.parametrize("system", [system for system in CRMS if system != "hubspot"])
@pytest.mark.parametrize("scene", ELSEWHERE)
def test_killed_beside_another_crm_a_command_goes_on_when_it_is_given_again(
    scene, system, tmp_path
):
    if scene.fits(CRMS[system]):
        demand_all_is_done_once(tmp_path / "world", scene, system, 1)


def demand_all_is_done_once(path, scene, system, each):
    swept = Swept()
    kill_by_place(path, scene, swept, crm=CRMS[system], each=each)
    tried = {stage: min(each, n) for stage, n in swept.places.items()}
    assert dict(swept.kills) == tried
    assert tried.keys() == scene.stages
    assert swept.judged.clean


def test_the_scenes_come_to_every_stage():
    assert frozenset().union(*(scene.stages for scene in SCENES)) == STAGES


@pytest.mark.slow
def test_killed_at_random_instants_rounds_lose_nothing_and_do_nothing_twice(tmp_path):
    judged = kill_by_chance(tmp_path, kills=CHANCE_KILLS, seed=3)
    assert judged.clean, judged


@pytest.mark.slow
def test_killed_at_random_instants_rounds_correct_each_invoice_once(tmp_path):
    judged = kill_by_chance(tmp_path, kills=DRIFT_KILLS, seed=5, restores=False)
    assert judged.given_back
    assert judged.clean, judged
