"""Tokens sealed at rest, in a file of their own: no backup of the ledger carries them."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tieout.credentials.private_files import (
    PRIVATE_MODE,
    create_private,
    demand_usable,
    read_private,
    write_private,
)
from tieout.model.errors import ConfigError, Unauthorized, Unavailable

KEY_VARIABLE = "TIEOUT_KEY"
KEYS_MAX = 8  # a key file longer than that was never made by rotation
READS_MAX = 3  # looks at a file that is sealed anew meanwhile
LOCK_SECS = 150  # longer than any refresh may take, with its time limits
LOCK_POLL_SECS = 0.05


class SealedTokens:
    """The file of sealed tokens: one sealed JSON text for each company.

    The key comes from ``TIEOUT_KEY`` (Fernet keys, comma-separated, the first seals) or from a file
    beside it, ``<name>.key``, made on first use with mode 0600.
    """

    def __init__(
        self,
        path: Path,
        *,
        environment: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = path
        self._environment = environment
        self._sleep = sleep

    def __repr__(self) -> str:
        return f"SealedTokens({str(self.path)!r})"

    def companies(self) -> tuple[str, ...]:
        """Return the companies that have tokens here."""
        return tuple(sorted(self._sealed()))

    def rotate_key(self) -> None:
        """Seal everything anew: with a fresh key, or with the first of ``TIEOUT_KEY``.

        The file of keys loses its old keys only after all is sealed with the new one.

        Raises:
            ConfigError: ``TIEOUT_KEY`` has one key alone, so there is no new one.
            Unauthorized: something was sealed with another key, or a file cannot be used.
        """
        if self._environment.get(KEY_VARIABLE) and len(set(self._keys())) < 2:
            raise ConfigError(
                f"{KEY_VARIABLE} has no new key beside the old one.",
                remedy="Put the new key first and the old one behind a comma until all is sealed.",
            )
        with self._changing():
            if not self._environment.get(KEY_VARIABLE):
                old = self._keys()
                self._write_keys([Fernet.generate_key(), *old][:KEYS_MAX])
            fernet = self._fernet()
            sealed = {
                company: _rotated(fernet, text, self.path)
                for company, text in self._sealed().items()
            }
            self._write(sealed)
            if not self._environment.get(KEY_VARIABLE):
                self._write_keys(self._keys()[:1])

    def read(self, company: str) -> Mapping[str, Any] | None:
        """Return what is sealed for a company, None where nothing is.

        Waits for no lock: where all was sealed with a new key between a look at the file and one at
        the key, it looks again.

        Raises:
            Unauthorized: it was sealed with another key, or the file cannot be used now. It can be
                mended while a daemon runs: the pair stands still, and the others go on.
        """
        for _ in range(READS_MAX):
            text = self._sealed().get(company)
            if text is None:
                return None
            try:
                opened: Mapping[str, Any] = json.loads(self._fernet().decrypt(text.encode()))
            except InvalidToken:
                if self._sealed().get(company) == text:
                    break
            else:
                return opened
        raise _other_key(self.path)

    def write(self, company: str, opened: Mapping[str, Any]) -> None:
        """Seal a company's tokens; they are on the disk when this returns. Needs ``renewing``."""
        with self._changing():
            sealed = self._sealed()
            sealed[company] = self._fernet().encrypt(json.dumps(dict(opened)).encode()).decode()
            self._write(sealed)

    @contextlib.contextmanager
    def renewing(self, company: str) -> Iterator[None]:
        """Hold the only right to renew a company's tokens, among all threads and processes.

        It is a company's own: a token server that hangs holds up nobody else's. What would keep the
        new tokens from being written down is met here, before any are asked for.

        Raises:
            Unauthorized: a file cannot be used.
            Unavailable: another process holds it for longer than a refresh may take.
        """
        with self._locked(f".{quote(company, safe=':')}.lock"):
            with self._changing():
                pass
            yield

    def _changing(self) -> contextlib.AbstractContextManager[None]:
        """Hold the only right to change the file, for an instant."""
        return self._locked(".lock")

    @contextlib.contextmanager
    def _locked(self, ending: str) -> Iterator[None]:
        lock = self.path.with_name(self.path.name + ending)
        with demand_usable(lock):
            lock.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, PRIVATE_MODE)
        try:
            self._take(descriptor)
            yield
        finally:
            os.close(descriptor)  # gives the lock back as well

    def _take(self, descriptor: int) -> None:
        for _ in range(int(LOCK_SECS / LOCK_POLL_SECS)):
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._sleep(LOCK_POLL_SECS)
            else:
                return
        raise Unavailable(f"Another process holds {self.path.name} for more than {LOCK_SECS} s.")

    def _sealed(self) -> dict[str, str]:
        if not self.path.exists():
            return {}
        try:
            sealed: dict[str, str] = json.loads(read_private(self.path))
        except ValueError as wrong:
            raise Unauthorized(
                f"{self.path} is not a file of sealed tokens.",
                remedy="Move it away and run `tieout connect COMPANY`.",
            ) from wrong
        return sealed

    def _write(self, sealed: Mapping[str, str]) -> None:
        write_private(self.path, json.dumps(sealed, indent=1, sort_keys=True))

    def _fernet(self) -> MultiFernet:
        try:
            return MultiFernet([Fernet(key) for key in self._keys()])
        except ValueError:
            raise Unauthorized(
                "The key of the sealed tokens is not a Fernet key.",
                remedy=f"Check {KEY_VARIABLE} or {self._key_path}: 32 bytes in URL-safe base64.",
            ) from None

    @property
    def _key_path(self) -> Path:
        return self.path.with_name(self.path.name + ".key")

    def _keys(self) -> list[bytes]:
        given = self._environment.get(KEY_VARIABLE)
        if given:
            return [key.strip().encode() for key in given.split(",")][:KEYS_MAX]
        if not self._key_path.exists():
            create_private(self._key_path, Fernet.generate_key().decode() + "\n")
        return [line.encode() for line in read_private(self._key_path).split()][:KEYS_MAX]

    def _write_keys(self, keys: list[bytes]) -> None:
        write_private(self._key_path, "".join(key.decode() + "\n" for key in keys))


def _rotated(fernet: MultiFernet, text: str, path: Path) -> str:
    try:
        return fernet.rotate(text.encode()).decode()
    except InvalidToken:
        raise _other_key(path) from None


def _other_key(path: Path) -> Unauthorized:
    return Unauthorized(
        f"{path} was sealed with another key.",
        remedy=f"Give its key in {KEY_VARIABLE}, or run `tieout connect COMPANY` again.",
    )
