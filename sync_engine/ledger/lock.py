"""One process owns a ledger: an operating-system lock, held for life.

The lock is ``flock`` on a file beside the ledger. It ends with the process, however that ends, so
there is nothing to clean up; the file stays and tells people who holds the lock, or held it last.
"""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from tieout.model.errors import LedgerError

HOLDER_CHARS = 500


class LedgerHeld(LedgerError):
    """Another process owns this ledger."""

    code = "ledger-held"
    remedy = "Stop it first, or leave it a wish with `tieout apply`, `approve` or `resync`."


def take(ledger_path: Path, since: str) -> int:
    """Take the lock; return the open file that holds it, to be closed when it may go.

    Raises:
        LedgerHeld: another process holds it.
        OSError: the lock's file cannot be opened or written.
    """
    path = lock_path(ledger_path)
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        holder = {"pid": os.getpid(), "host": os.uname().nodename, "since": since}
        os.ftruncate(held, 0)
        os.pwrite(held, json.dumps(holder).encode() + b"\n", 0)
    except OSError as wrong:
        os.close(held)
        if isinstance(wrong, BlockingIOError):
            raise LedgerHeld(f"{_holder(path)} owns {ledger_path}.") from wrong
        raise
    return held


def lock_path(ledger_path: Path) -> Path:
    """Return the lock's file of a ledger."""
    return ledger_path.with_name(ledger_path.name + ".lock")


def _holder(path: Path) -> str:
    try:
        told = json.loads(path.read_text("utf-8")[:HOLDER_CHARS])
        return f"Process {told['pid']} on {told['host']}, since {told['since']},"
    except (OSError, ValueError, KeyError, TypeError):  # it took the lock and has not said so yet
        return "Another process"
