"""Files for their owner only, replaced whole: a crash leaves the old one or the new one."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path

from tieout.model.errors import Unauthorized

PRIVATE_MODE = 0o600


@contextlib.contextmanager
def demand_usable(path: Path) -> Iterator[None]:
    """Tell what the system refuses of a file of tokens as what stops their pair.

    It is never tried again by itself: each refresh that is not written down uses a token up.
    """
    try:
        yield
    except OSError as wrong:
        raise Unauthorized(
            f"{path} cannot be used: {wrong.strerror}.",
            remedy="Make it and its folder readable and writable for this user.",
        ) from wrong


def read_private(path: Path) -> str:
    """Return what a file holds.

    Raises:
        Unauthorized: others can read it too, or it cannot be used.
    """
    with demand_usable(path):
        if path.stat().st_mode & 0o077:
            raise Unauthorized(
                f"{path} can be read by others than its owner.", remedy=f"chmod 600 {path}"
            )
        return path.read_text("utf-8")


def write_private(path: Path, text: str) -> None:
    """Replace a file at once and durably: after a crash it is the old one or the new one."""
    with demand_usable(path):
        written = path.with_name(path.name + ".new")
        _write_synced(written, text)
        written.replace(path)
        _sync_folder(path.parent)


def create_private(path: Path, text: str) -> None:
    """Make a file whole, unless another process was first: two first uses make one key."""
    written = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    with demand_usable(path):
        _write_synced(written, text)
        try:
            with contextlib.suppress(FileExistsError):
                os.link(written, path)
        finally:
            written.unlink()
        _sync_folder(path.parent)


def _write_synced(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, PRIVATE_MODE)
    with os.fdopen(descriptor, "w") as file:
        os.fchmod(descriptor, PRIVATE_MODE)
        file.write(text)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(path: Path) -> None:
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
