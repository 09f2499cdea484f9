"""The connectors of this checkout, known by its own pyproject: an installation may be older."""

import os
import sys
import tempfile
import tomllib
from importlib.metadata import entry_points
from pathlib import Path

ROOT = Path(__file__).parents[1]
CONNECTORS = "tieout.connectors"


def make_known() -> None:
    """Let this process and those that it starts find the connectors that pyproject names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = project["entry-points"][CONNECTORS]
    if wanted.items() <= {(one.name, one.value) for one in entry_points(group=CONNECTORS)}:
        return
    place = Path(tempfile.mkdtemp(prefix="tieout-checkout-"))
    told = place / f"tieout-{project['version']}.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: tieout\nVersion: {project['version']}\n"
    )
    groups = {CONNECTORS: wanted, "console_scripts": project["scripts"]}
    lines = [
        line
        for group, entries in groups.items()
        for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()), "")
    ]
    (told / "entry_points.txt").write_text("\n".join(lines))
    sys.path.insert(0, str(place))
    os.environ["PYTHONPATH"] = os.pathsep.join(
        [str(place), *filter(None, [os.environ.get("PYTHONPATH")])]
    )
