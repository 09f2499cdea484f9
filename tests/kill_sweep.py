"""A kill sweep: processes are killed at every place that they come to, and at random instants.

``python tests/kill_sweep.py --crm salesforce --kills 1000`` (``make kills CRM=salesforce N=1000``)
prints what came of it, a line for each CRM. By place: in each scene a run that nobody kills finds
the places of a command, and then it dies at each of them, once with books that remember request ids
and once with books that do not. By chance: the kills that are left fall at any instant, half of
them with each sort of books.
"""

import argparse
import json
import logging
import random
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
from kill_corrections import (
    Amended,
    Correct,
    CorrectionLooked,
    Credited,
    CreditedAndReissued,
    CreditedDown,
    Voided,
)
from kill_crms import CRMS, Crm
from kill_documents import Files, FilesLooked, FilesNotArrived, Parts, PartsLooked
from kill_installation import KILLED, Installation
from kill_judge import Judged
from kill_ledgers import Backup, Lost, Restore, Upgrade
from kill_mortal import mortal
from kill_places import Place
from kill_scenes import (
    Activation,
    Answer,
    Approve,
    Backfill,
    Configuration,
    Consent,
    GoLive,
    Look,
    Recovery,
    Refresh,
    Reissue,
    Rounds,
    Scene,
    Wish,
    WishLeft,
)

SCENES: tuple[type[Scene], ...] = (
    Rounds,
    Recovery,
    Look,
    Parts,
    PartsLooked,
    Files,
    FilesLooked,
    FilesNotArrived,
    Correct,
    Credited,
    CreditedDown,
    CreditedAndReissued,
    Voided,
    Amended,
    CorrectionLooked,
    Activation,
    Refresh,
    Consent,
    Configuration,
    Approve,
    Answer,
    Backfill,
    GoLive,
    Reissue,
    Wish,
    WishLeft,
    Lost,
    Upgrade,
    Backup,
    Restore,
)
ALL = "all"
MEMORY = 10_000  # request ids that the books remember
CHANCE_KILLS_LEAST = 20

_log = logging.getLogger(__name__)


@dataclass
class Swept:
    """What a sweep found, place by place and in the end."""

    crm: str = "hubspot"
    places: Counter[str] = field(default_factory=Counter)
    kills: Counter[str] = field(default_factory=Counter)
    judged: Judged = field(default_factory=Judged)
    failed: list[str] = field(default_factory=list)
    """Where a command did not go on, or what was found wrong in the end."""
    forgotten: int = 0
    """The kills beside books that remember no request id."""
    secs: float = 0.0

    def shown(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "crm": self.crm,
            "kills": self.kills.total(),
            "of_these_without_request_ids": self.forgotten,
            "places": self.places.total(),
            "places_by_stage": dict(sorted(self.places.items())),
            "kills_by_stage": dict(sorted(self.kills.items())),
            **asdict(self.judged),
            "failed": self.failed,
            "secs": round(self.secs, 1),
        }


def sweep(path: Path, *, crm: type[Crm], kills: int, seed: int, each: int | None) -> Swept:
    """Kill at each place in each scene with both memories, and by chance up to ``kills``."""
    began, swept, dice = time.monotonic(), Swept(crm.system), random.Random(seed)
    for scene in SCENES:
        for size in (MEMORY, 0):
            if not scene.fits(crm):
                continue
            place = path / f"{scene.__name__}-{size}"
            try:
                kill_by_place(place, scene, swept, crm=crm, memories=(size,), each=each, dice=dice)
            except AssertionError as wrong:  # the other scenes are worth their answer
                swept.failed.append(str(wrong))
                _log.warning("%s", wrong)
            _log.info(
                "%s, %s, %s remembered: %s kills so far",
                *(crm.system, scene.__name__, size, swept.kills.total()),
            )
    by_chance = max(CHANCE_KILLS_LEAST, kills - swept.kills.total())
    for restores, n in ((True, by_chance // 2), (False, by_chance - by_chance // 2)):
        place = _made(path / f"chance-{restores}")
        swept.judged += kill_by_chance(place, crm=crm, kills=n, seed=seed, restores=restores)
        swept.kills["by chance"] += n
        swept.forgotten += n - n // 2
    swept.secs = time.monotonic() - began
    return swept


def kill_by_place(
    path: Path,
    scene: type[Scene],
    swept: Swept,
    *,
    crm: type[Crm] = CRMS["hubspot"],
    memories: Sequence[int] = (MEMORY, 0),
    each: int | None = None,
    dice: random.Random | None = None,
) -> None:
    """Kill a scene's command at its places, go on after each, and judge in the end.

    Args:
        path: a folder of the scene's own.
        scene: what the command is and what leads up to it.
        swept: takes what was found.
        crm: what it is played with.
        memories: how many request ids the books remember, in turns.
        each: how many places of each stage are tried; all when None.
        dice: chooses them; None spreads them evenly.
    """
    with installed(path, crm, scene) as installation:
        played = scene(installation)
        for _ in range(2):  # the first run of all comes to more places than those that follow
            ended = installation.tieout(*played.arrange(), **played.more())
            assert ended.code != KILLED
            played.go_on()
        known = [place for place in ended.places if place.stage in scene.stages]
        swept.places.update(place.stage for place in known)
        for turn, place in enumerate(_chosen(known, each, dice)):
            size = memories[turn % len(memories)]
            installation.world.remember_requests(size)
            killed = installation.tieout(*played.arrange(), die_at=place.name, **played.more())
            if killed.code == KILLED:  # the same command may come to fewer places another time
                swept.kills[place.stage] += 1
                swept.forgotten += not size
            with _told_of(scene, place):
                played.go_on()
        found = installation.judged()
        assert found.clean, f"{scene.__name__}: {found}"
        swept.judged += found


@contextmanager
def installed(path: Path, crm: type[Crm], scene: type[Scene]) -> Iterator[Installation]:
    """Give a CRM with a configuration, and a process that runs commands in it."""
    with crm.open(_made(path)) as opened:
        with closing(opened.world.engine().ledger):  # which provides what the CRM must have
            opened.world.opened.close()
        with mortal(opened, 0) as ask:
            yield Installation(opened, ask, scene.approve, each=scene.each)


@contextmanager
def _told_of(scene: type[Scene], place: Place) -> Iterator[None]:
    try:
        yield
    except AssertionError as wrong:
        raise AssertionError(f"{scene.__name__}, killed at {place}: {wrong}") from wrong


def _chosen(places: Iterable[Place], each: int | None, dice: random.Random | None) -> list[Place]:
    """Return so many places of each stage, from its first to its last."""
    by_stage: dict[str, list[Place]] = {}
    for place in places:
        by_stage.setdefault(place.stage, []).append(place)
    chosen: list[Place] = []
    for some in by_stage.values():
        n = len(some) if each is None else min(each, len(some))
        if dice is not None:
            chosen += sorted(dice.sample(some, n), key=some.index)
        else:
            chosen += [some[i * (len(some) - 1) // max(1, n - 1)] for i in range(n)]
    return chosen


def _made(path: Path) -> Path:
    path.mkdir(parents=True)
    return path


def main() -> int:
    """Sweep as the command line says, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--crm", choices=[*CRMS, ALL], default=ALL)
    parser.add_argument("--kills", type=int, default=1_000, help="at least so many for each CRM")
    parser.add_argument(
        "--each", type=int, help="so many places of each stage, by chance; all if not told"
    )
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    _log.setLevel(logging.INFO)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    is_clean = True
    for crm in CRMS.values() if asked.crm == ALL else [CRMS[asked.crm]]:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder)
            swept = sweep(path, crm=crm, kills=asked.kills, seed=asked.seed, each=asked.each)
        sys.stdout.write(json.dumps(swept.shown()) + "\n")
        sys.stdout.flush()
        is_clean = is_clean and swept.judged.clean and not swept.failed
    return 0 if is_clean else 1


if __name__ == "__main__":
    sys.exit(main())
