"""A kill sweep: processes are killed at every place that they come to, and at random instants.

``python tests/kill_sweep.py --kills 1000`` (``make kills N=1000``) prints what came of it. By place:
in each scene of ``kill_scenes`` a run that nobody kills finds the places of a command, and then it
dies at each of them, once with books that remember request ids and once with books that do not. By
chance: the kills that are left fall at any instant, half of them with each sort of books.
"""

import argparse
import json
import logging
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import structlog
from kill_chance import kill_by_chance
from kill_installation import KILLED, Installation
from kill_judge import Judged, judge
from kill_mortal import mortal
from kill_places import Place
from kill_scenes import SCENES, Scene
from simulated_world import open_world

MEMORY = 10_000  # request ids that the books remember
CHANCE_KILLS_LEAST = 20

_log = logging.getLogger(__name__)


@dataclass
class Swept:
    """What a sweep found, place by place and in the end."""

    places: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    judged: Judged = field(default_factory=Judged)
    failed: list[str] = field(default_factory=list)
    """Where a command did not go on, or what was found wrong in the end."""
    secs: float = 0.0

    def shown(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "kills": self.kills.total(),
            "places_by_stage": dict(sorted(self.places.items())),
            "kills_by_stage": dict(sorted(self.kills.items())),
            **asdict(self.judged),
            "failed": self.failed,
            "secs": round(self.secs, 1),
        }


def sweep(path: Path, *, kills: int, seed: int) -> Swept:
    """Kill at each place in each scene with both memories, and by chance up to ``kills``."""
    began, swept = time.monotonic(), Swept()
    for scene in SCENES:
        for size in (MEMORY, 0):
            try:
                kill_by_place(path / f"{scene.__name__}-{size}", scene, swept, memories=(size,))
            except AssertionError as wrong:  # the other scenes are worth their answer
                swept.failed.append(str(wrong))
            _log.info(
                "%s, %s remembered: %s kills so far", scene.__name__, size, swept.kills.total()
            )
    by_chance = max(CHANCE_KILLS_LEAST, kills - swept.kills.total())
    swept.judged += kill_by_chance(_made(path / "chance"), kills=by_chance, seed=seed)
    swept.kills["by chance"] += by_chance
    swept.secs = time.monotonic() - began
    return swept


def kill_by_place(
    path: Path,
    scene: type[Scene],
    swept: Swept,
    *,
    memories: Sequence[int] = (MEMORY, 0),
    each: int | None = None,
) -> None:
    """Kill a scene's command at its places, go on after each, and judge in the end.

    Args:
        path: a folder of the scene's own.
        scene: what the command is and what leads up to it.
        swept: takes what was found.
        memories: how many request ids the books remember, in turns.
        each: how many places of each stage are tried, those spread evenly; all when None.
    """
    with installed(path, scene.approve) as installation:
        played = scene(installation)
        for _ in range(2):  # the first run of all comes to more places than those that follow
            ended = installation.tieout(*played.arrange(), **played.more())
            assert ended.code != KILLED
            played.go_on()
        known = [place for place in ended.places if place.stage in scene.stages]
        swept.places.update(place.stage for place in known)
        for turn, place in enumerate(_chosen(known, each)):
            installation.world.remember_requests(memories[turn % len(memories)])
            killed = installation.tieout(*played.arrange(), die_at=place.name, **played.more())
            if killed.code == KILLED:  # the same command may come to fewer places another time
                swept.kills[place.stage] += 1
            with _told_of(scene, place):
                played.go_on()
        found = judge(installation.world, installation.ledger, installation.payments)
        assert found.clean, f"{scene.__name__}: {found}"
        swept.judged += found


@contextmanager
def installed(path: Path, approve: str) -> Iterator[Installation]:
    """Give a world with a configuration, and a process that runs commands in it."""
    with open_world(_made(path)) as world:
        with closing(world.engine().ledger):  # which provides what the CRM must have
            world.opened.close()
        with mortal(world, 0) as ask:
            yield Installation(world, ask, approve)


@contextmanager
def _told_of(scene: type[Scene], place: Place) -> Iterator[None]:
    try:
        yield
    except AssertionError as wrong:
        raise AssertionError(f"{scene.__name__}, killed at {place}: {wrong}") from wrong


def _chosen(places: Iterable[Place], each: int | None) -> list[Place]:
    """Return so many places of each stage, from its first to its last."""
    by_stage: dict[str, list[Place]] = {}
    for place in places:
        by_stage.setdefault(place.stage, []).append(place)
    chosen: list[Place] = []
    for some in by_stage.values():
        n = len(some) if each is None else min(each, len(some))
        chosen += [some[i * (len(some) - 1) // max(1, n - 1)] for i in range(n)]
    return chosen


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def main() -> int:
    """Sweep as the command line says, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=1_000, help="at least so many")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    _log.setLevel(logging.INFO)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    with tempfile.TemporaryDirectory() as folder:
        swept = sweep(Path(folder), kills=asked.kills, seed=asked.seed)
    sys.stdout.write(json.dumps(swept.shown()) + "\n")
    return 0 if swept.judged.clean and not swept.failed else 1


if __name__ == "__main__":
    sys.exit(main())
