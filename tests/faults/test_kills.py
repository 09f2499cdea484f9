"""Killed anywhere, whatever was killed goes on and does everything once."""

import pytest
from kill_chance import kill_by_chance
from kill_judge import Judged
from kill_scenes import SCENES
from kill_sweep import Swept, kill_by_place

EACH = 3  # places of each stage in each scene; the full form tries every one: make kills N=1000
CHANCE_KILLS = 20
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
    swept = Swept()
    kill_by_place(tmp_path / "world", scene, swept, each=EACH)
    tried = {stage: min(EACH, n) for stage, n in swept.places.items()}
    assert dict(swept.kills) == tried
    assert tried.keys() == scene.stages
    assert swept.judged.clean


def test_the_scenes_come_to_every_stage():
    assert frozenset().union(*(scene.stages for scene in SCENES)) == STAGES


@pytest.mark.slow
def test_killed_at_random_instants_rounds_lose_nothing_and_do_nothing_twice(tmp_path):
    judged = kill_by_chance(tmp_path, kills=CHANCE_KILLS, seed=3)
    assert judged.clean, judged


@pytest.mark.parametrize(
    "wrong",
    [
        {"duplicates": 1},
        {"lost": 1},
        {"customers_twice": 1},
        {"untold": 1},
        {"tasks": ("twin",)},
        {"journal_holds": False},
    ],
)
def test_nothing_that_is_wrong_is_judged_clean(wrong):
    assert not (Judged(deals=3) + Judged(**wrong)).clean
