"""The starter configuration: packed in a wheel, or the checkout's own."""

from pathlib import Path

import tieout


def starter() -> Path:
    """Return the directory that ``tieout init`` copies."""
    packed = Path(tieout.__file__).with_name("_config")
    return packed if packed.is_dir() else packed.parents[1] / "config"
