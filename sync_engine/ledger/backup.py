"""Backups: a copy of one instant with its manifest, and the way back.

A backup is two files: the copy, and ``NAME.json`` beside it with the journal's head, the schema's
version and the copy's SHA-256. It holds what the ledger holds; tokens live in a sealed file of
their own, so none is in it.
"""

from __future__ import annotations

import errno
import hashlib
import json
import logging
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from sync_engine.ledger import lock
from sync_engine.ledger.journal import last_line_at, note_restored, verify
from sync_engine.ledger.migrating import migrations, schema_version
from sync_engine.ledger.refusal import refusal, refused_file
from sync_engine.ledger.sqlite import Asked, Ledger, connect, flush_folder
from tieout.model.canonical import canonical
from tieout.model.dates import instant_text
from tieout.model.errors import LedgerError

MANIFEST_BYTES: Final = 4_096
FULL: Final = "SQLITE_FULL"
LOGS: Final = ("-journal", "-wal", "-shm")  # what SQLite keeps beside a file until it is whole

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup says of itself: ``lines`` and ``head`` are those of its journal."""

    head: str
    lines: int
    schema_version: int
    at: str
    sha256: str


def backup(ledger: Ledger, target: Path, now: Callable[[], datetime]) -> Manifest:
    """Copy a ledger as it is at this instant, also while others write to it.

    The copy's own journal is verified, and its manifest is there, before it gets its name. So a
    backup that was cut off is no backup, and the same command makes it whole.

    Raises:
        LedgerError: the target exists, cannot be written, or the ledger's journal does not hold.
    """
    if target.exists() or _is_anothers(manifest_of(target)):
        raise LedgerError(f"{target} exists.", remedy="Give the backup a name of its own.")
    _demand_folder(target)
    with _part(target) as copy_path:
        with closing(connect(copy_path)) as copy, _room_at(target):
            ledger.snapshot_into(copy)
            with refusal("backup"):
                copy.execute("PRAGMA journal_mode=DELETE")  # one file, without a log beside it
            verdict = verify(Asked(copy))
            version = schema_version(copy)
        if not verdict.ok:
            raise LedgerError(
                f"The journal does not hold: {verdict.why}",
                remedy="Keep this ledger for evidence and restore the last backup.",
            )
        manifest = Manifest(
            head=verdict.head.hash,
            lines=verdict.lines,
            schema_version=version,
            at=instant_text(now()),
            sha256=_sha256(copy_path),
        )
        with _part(manifest_of(target)) as part:
            part.write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    return manifest


def restore(source: Path, path: Path, now: Callable[[], datetime], who: str) -> Path | None:
    """Put a backup in a ledger's place; return where the ledger that stood there is kept.

    The restored ledger knows that it was restored: each pair's first whole round reads the books
    from an hour before its last line (``journal.restored_from``), what it would have sent again is
    looked for first, and wishes that were open are closed.

    Raises:
        LedgerHeld: a process owns the ledger.
        LedgerError: the backup is not whole, or a newer version made it.
    """
    manifest = read_manifest(source)
    if not source.exists():
        raise LedgerError(
            f"There is no {source} beside its manifest: it was cut off, or moved away.",
            remedy="Choose another backup.",
        )
    _demand_folder(path)
    try:
        owned = lock.take(path, instant_text(now()))
    except OSError as wrong:
        raise refused_file(path, wrong) from wrong
    try:
        stamp = now().astimezone(UTC).strftime("%Y%m%dT%H%M%S%fZ")
        aside = path.with_name(f"{path.name}.before-{stamp}")
        kept = aside if path.exists() else None
        with _part(path) as part:
            _copy_verified(source, part, manifest)
            _mark_restored(part, manifest, now, who, "" if kept is None else kept.name)
            if kept is None:
                _move_logs(path, aside)
            else:
                _keep(path, kept)
    finally:
        os.close(owned)
    return kept


def _is_anothers(manifest_path: Path) -> bool:
    """Whether a file of a manifest's name is there that is no manifest."""
    if not manifest_path.exists():
        return False
    try:
        _read_manifest(manifest_path)
    except LedgerError:
        return True
    return False


@contextmanager
def _room_at(target: Path) -> Iterator[None]:
    """Say which disk is full: the backup's, not the ledger's."""
    try:
        yield
    except LedgerError as wrong:
        if wrong.vendor_code == FULL:
            raise refused_file(target, OSError(errno.ENOSPC, wrong.vendor_words)) from wrong
        raise


def _demand_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise LedgerError(f"There is no folder {path.parent}.", remedy="Make it first.")


def manifest_of(backup_path: Path) -> Path:
    """Return the path of a backup's manifest."""
    return backup_path.with_name(backup_path.name + ".json")


def read_manifest(source: Path) -> Manifest:
    """Return what a backup says of itself.

    Raises:
        LedgerError: it has no manifest, or one that says something else.
    """
    path = manifest_of(source)
    if not path.exists():
        raise LedgerError(
            f"There is no {path}, so {source} is no backup.",
            remedy="A backup is two files: give the other one, with its .json beside it.",
        )
    return _read_manifest(path)


def _read_manifest(path: Path) -> Manifest:
    try:
        with path.open("rb") as opened:
            told = json.loads(opened.read(MANIFEST_BYTES))
        manifest = Manifest(**told)
    except OSError as wrong:
        raise refused_file(path, wrong) from wrong
    except (ValueError, TypeError) as wrong:
        raise LedgerError(
            f"{path} is not a backup's manifest.", remedy="Choose another backup."
        ) from wrong
    return manifest


def _copy_verified(source: Path, part: Path, manifest: Manifest) -> None:
    """Copy a backup and read all of the copy: only what was verified is put in place."""
    shutil.copyfile(source, part)
    sha256 = _sha256(part)
    if sha256 != manifest.sha256:
        raise _not_whole(source, "its SHA-256 is not the manifest's")
    with closing(connect(part)) as copy:
        version = schema_version(copy)
        if version > len(migrations()):
            raise LedgerError(
                f"{source} was made by a newer version of Tieout.",
                remedy="Install that version, or choose an older backup.",
            )
        verdict = verify(Asked(copy), manifest.head)
    found = Manifest(verdict.head.hash, verdict.lines, version, manifest.at, sha256)
    if not verdict.ok or found != manifest:
        raise _not_whole(source, verdict.why or "its journal is not the manifest's")


def _mark_restored(
    part: Path, manifest: Manifest, now: Callable[[], datetime], who: str, kept_as: str
) -> None:
    told = {"backup_at": manifest.at, "lines": manifest.lines, "kept_as": kept_as}
    outcome = canonical({"closed": "the ledger was restored; ask again"})
    with closing(Ledger(part, connect(part), now)) as ledger, ledger.transaction() as tx:
        known_at = last_line_at(tx)
        note_restored(tx, manifest.at if known_at is None else instant_text(known_at))
        tx.run("meta_set", name="restored_at", value=tx.now_text())
        tx.run("parcels_doubted")
        tx.run("files_doubted")
        tx.run("files_doubted_put_back")
        tx.run("files_doubted_unqueued")
        tx.run("documents_doubt_told")
        tx.run("wish_close_all", outcome=outcome, at=tx.now_text())
        tx.journal(who, "restore", manifest.head, told)


def _keep(path: Path, kept: Path) -> None:
    """Give a ledger a second name, whole, while its own name is about to mean another file.

    Its log must be gone first: SQLite would read it into the ledger that takes its place.
    """
    try:
        with closing(connect(path)) as old:
            old.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.DatabaseError as wrong:  # damaged: perhaps why it is replaced; kept as it is
        _log.warning("%s is kept as it is: %s", path, wrong)
    _move_logs(path, kept)
    kept.hardlink_to(path)


def _move_logs(path: Path, to: Path) -> None:
    """Let SQLite's logs of a file go with it, or, where it is gone, out of another's way."""
    for ending in LOGS:
        beside = path.with_name(path.name + ending)
        if beside.exists():
            beside.rename(to.with_name(to.name + ending))


@contextmanager
def _part(path: Path) -> Iterator[Path]:
    """Give a private file that gets its name only when it is whole and on the disk.

    Raises:
        LedgerError: the disk refuses.
    """
    part = path.with_name(path.name + ".part")
    try:
        for ending in ("", *LOGS):  # an earlier part's log would be read into this one
            part.with_name(part.name + ending).unlink(missing_ok=True)
        os.close(os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
        try:
            yield part
            with part.open("rb") as written:
                os.fsync(written.fileno())
            part.replace(path)
            flush_folder(path.parent)
        finally:
            part.unlink(missing_ok=True)
    except OSError as wrong:
        raise refused_file(path, wrong) from wrong


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _not_whole(source: Path, why: str) -> LedgerError:
    return LedgerError(f"{source} is not whole: {why}.", remedy="Choose another backup.")
