"""The daemon's disk is full, fails or is read-only: a clear end, and a start that goes on.

A disk of its own is mounted where the system allows it; elsewhere the process may write no file
beyond a size, and may not write the folder, which the kernel refuses as plainly.
"""

import os
import resource
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
from installation import end, until

from tieout.app.cli.exits import Exit

DISK_KIB = 1_500
DEALS = 60


@dataclass
class Disk:
    """A small disk, or what stands for one."""

    path: Path
    is_mounted: bool

    @property
    def ballast(self) -> Path:
        """What fills it."""
        return self.path / "ballast"

    def fill(self) -> None:
        """Leave no room."""
        if self.is_mounted:
            with suppress(OSError), self.ballast.open("wb") as file:
                while True:
                    file.write(b"\0" * 1024)
                    file.flush()

    def make_room(self) -> None:
        """Give room again."""
        if self.is_mounted:
            self.ballast.unlink()
            self._remount(f"size={20 * DISK_KIB}k")

    def limit(self, kib: int) -> Callable[[], None] | None:
        """What a process is told before it starts, where there is no disk of its own."""
        size = (kib * 1024, kib * 1024)
        return None if self.is_mounted else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, size)

    @property
    def refusals(self) -> tuple[str, ...]:
        """What the ledger says of it."""
        return ("The disk is full", "The disk failed while the ledger was")[not self.is_mounted :]

    def forbid_writing(self, *, forbid: bool) -> None:
        """Make it read-only, or writable again."""
        if self.is_mounted:
            self._remount("ro" if forbid else "rw")
            return
        for path in [*self.path.glob("state/*"), self.path / "state"]:
            path.chmod((0o500 if path.is_dir() else 0o400) if forbid else 0o700)

    def _remount(self, how: str) -> None:
        subprocess.run(["mount", "-o", f"remount,{how}", self.path], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_KIB}k,mode=700", "tmpfs", str(path)]
    is_mounted = os.geteuid() == 0 and not subprocess.run(command, check=False).returncode
    try:
        yield Disk(path, is_mounted)
    finally:
        if is_mounted:
            subprocess.run(["umount", path], check=True)


@pytest.mark.slow
def test_a_disk_that_fills_ends_the_daemon_and_with_room_the_next_start_goes_on(
    installed, sell, disk
):
    place = installed(ledger=f"{disk.path}/state/ledger.db")
    [world] = place.worlds
    with place.daemon(before=disk.limit(1_100)) as daemon:
        until(lambda: place.status()["last_good_at"], "a whole round")
        disk.fill()
        sell(world, DEALS)
        assert daemon.wait(40) == Exit.TROUBLE
    assert any(f"ledger: {said}" in place.log() for said in disk.refusals)
    assert "next: " in place.log().splitlines()[-1]
    assert place.say("status")[0] in (Exit.DONE, Exit.TROUBLE, Exit.UNKNOWNS)  # it can be asked

    disk.make_room()
    with place.daemon() as daemon:
        until(lambda: len(world.invoices()) == DEALS, "all are posted")
        assert end(daemon) == Exit.DONE
    assert set(Counter(one["po_number"] for one in world.invoices()).values()) == {1}
    assert place.told("audit", "verify")[0] == Exit.DONE


@pytest.mark.slow
def test_a_read_only_disk_lets_nothing_start_and_writable_again_it_goes_on(installed, sell, disk):
    place = installed(ledger=f"{disk.path}/state/ledger.db")
    [world] = place.worlds
    assert place.say("run", "--once")[0] == Exit.DONE
    sell(world)
    disk.forbid_writing(forbid=True)
    with place.daemon(alive=False) as daemon:
        if os.geteuid():  # whom the modes bind
            assert daemon.wait(30) == Exit.TROUBLE
        elif disk.is_mounted:
            assert daemon.wait(30) == Exit.TROUBLE
            assert f"The disk of {disk.path}/state/ledger.db is read-only" in place.log()
            assert place.log().endswith("next: Keep the ledger on a disk that is writable.\n")
            assert world.invoices() == []
    disk.forbid_writing(forbid=False)
    assert place.say("run", "--once")[0] == Exit.DONE
    assert len(world.invoices()) == 1


def test_a_backup_to_a_full_disk_says_which_and_leaves_nothing_there(installed, disk):
    place = installed()
    assert place.say("run", "--once")[0] == Exit.DONE
    disk.fill()
    done = subprocess.run(
        place.command("ledger", "backup", str(disk.path / "backup.db")),
        cwd=place.here,
        preexec_fn=disk.limit(64),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == Exit.TROUBLE
    full = f"The disk of {disk.path}/backup.db is full." if disk.is_mounted else disk.refusals[0]
    assert full in done.stderr
    assert {path.name for path in disk.path.iterdir()} <= {"ballast"}
    assert place.told("status")[0] == Exit.DONE
