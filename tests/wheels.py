"""Wheels as they are built for a release, and a clean environment that has nothing else of ours."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

ROOT = Path(__file__).parent.parent
BUILD_SECS = 120


def tracked():
    """Every file that git keeps, as a path relative to the root."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = [Path(name) for name in listed.stdout.split("\0") if name]
    return [path for path in paths if (ROOT / path).is_file()]


def tieout_wheel(here):
    """Build Tieout's wheel, offline, from the tracked files alone."""
    source = here / "source"
    for path in tracked():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    return wheel_of(source, here / "built")


def wheel_of(source, into):
    """Build the wheel of a folder with a ``pyproject.toml``, offline."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", into, source]
    subprocess.run(command, check=True, capture_output=True, text=True, timeout=BUILD_SECS)
    (built,) = into.iterdir()
    return built


class Environment:
    """A clean environment: wheels of ours, and the locked packages of this one beside them."""

    def __init__(self, here, *wheels):
        venv.create(here, with_pip=False)
        self.python = here / "bin" / "python"
        install = ["install", "--quiet", "--no-index", "--no-deps", "--disable-pip-version-check"]
        pip = [sys.executable, "-m", "pip", "--python", self.python, *install]
        subprocess.run([*pip, *wheels], check=True, timeout=BUILD_SECS)
        # A path in a .pth file is searched last, and the .pth files in it are not read: what this
        # environment knows of the working tree stays unknown there.
        (packages,) = here.glob("lib/python*/site-packages")
        (packages / "others.pth").write_text(sysconfig.get_paths()["purelib"])

    def run(self, *args, cwd, code=0):
        """Run Python with arguments as somebody at a terminal of it; return what it printed."""
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ran = subprocess.run(
            [self.python, *args],
            cwd=cwd,
            env=clean,
            capture_output=True,
            text=True,
            check=False,
            timeout=BUILD_SECS,
        )
        assert ran.returncode == code, f"{args}: {ran.returncode}\n{ran.stdout}{ran.stderr}"
        return ran.stdout
