"""Whether the installed files are those that were shipped.

A careless plugin that carries a package of our name overwrites ours without a word; the hashes that
the installer noted tell.
"""

from __future__ import annotations

import base64
import hashlib
from importlib.metadata import PackageNotFoundError, PackagePath, files
from pathlib import Path


def overwritten() -> list[str]:
    """Return the installed files that are not as shipped; in a checkout there is nothing to say."""
    try:
        shipped = files("tieout") or []
    except PackageNotFoundError:
        return []
    return [str(path) for path in shipped if path.suffix == ".py" and _differs(path)]


def _differs(path: PackagePath) -> bool:
    located, noted = Path(str(path.locate())), path.hash
    if noted is None or not located.is_file():
        return noted is not None
    found = hashlib.new(noted.mode, located.read_bytes()).digest()
    return base64.urlsafe_b64encode(found).rstrip(b"=").decode() != noted.value
