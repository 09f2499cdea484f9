"""Tokens: sealed at rest, renewed by one refresher at a time, old and new kept until proven.

A rotating refresh token whose answer is lost severs the connection for good (pain 3). So the file
holds the token that was asked with until the next one is on the disk, and the one before it as
well; nobody uses a token that is not yet written. Sealed tokens live in a file of their own: no
backup of the ledger carries them.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import ConfigError, Unauthorized, Unavailable

KEY_VARIABLE = "TIEOUT_KEY"
KEYS_MAX = 8  # a key file longer than that was never made by rotation
SECRET_BYTES_MAX = 65_536
LOCK_SECS = 150  # longer than any refresh may take, with its time limits
LOCK_POLL_SECS = 0.05
EARLY_SECS = 60  # a token that ends within this is renewed before it is used
PRIVATE_MODE = 0o600

Clock: TypeAlias = "Callable[[], datetime]"


class Credentials(Protocol):
    """What a connector signs its calls with."""

    @property
    def until(self) -> datetime | None:
        """When a person must consent again, if that is known."""
        ...

    def access_token(self) -> str:
        """Return the token to sign the next call with.

        Raises:
            Unauthorized: there is none.
        """
        ...

    def refresh(self, stale: str) -> str:
        """Return another token than ``stale``, which was refused; ask for one if need be.

        Raises:
            Unauthorized: there is no other.
            Unavailable: the token server cannot be reached now.
        """
        ...


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token server gave. The texts are secrets and never shown.

    Attributes:
        access: signs calls, until ``access_until``.
        refresh: buys the next grant, once or more.
        issued_at: when it was given, by our clock.
        access_until: when ``access`` ends.
        refresh_until: when ``refresh`` ends if it is not used before (QuickBooks: 100 days, R26).
        hard_until: when consent ends whatever we do (QuickBooks: five years, R26).
        consented_at: when a person last consented.
    """

    access: str = field(repr=False)
    refresh: str = field(repr=False)
    issued_at: datetime
    access_until: datetime | None = None
    refresh_until: datetime | None = None
    hard_until: datetime | None = None
    consented_at: datetime | None = None

    @property
    def until(self) -> datetime | None:
        """When a person must consent again, if nothing is renewed until then."""
        ends = [end for end in (self.refresh_until, self.hard_until) if end is not None]
        return min(ends, default=None)


Renew: TypeAlias = Callable[[str], Grant]  # a refresh token's text -> the next grant


class SealedTokens:
    """The file of sealed tokens: one sealed JSON text for each company.

    The key comes from ``TIEOUT_KEY`` (Fernet keys, comma-separated, the first seals) or from a file
    beside it, ``<name>.key``, made on first use with mode 0600.
    """

    def __init__(
        self,
        path: Path,
        *,
        now: Clock,
        environment: Mapping[str, str] = os.environ,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.path = path
        self._now = now
        self._environment = environment
        self._sleep = sleep
        self._threads = threading.RLock()

    def __repr__(self) -> str:
        return f"SealedTokens({str(self.path)!r})"

    def for_company(self, company: str) -> CompanyTokens:
        """Return the tokens of one company, named as in its Ref: ``quickbooks:913``."""
        return CompanyTokens(self, company, self._now)

    def companies(self) -> tuple[str, ...]:
        """Return the companies that have tokens here."""
        return tuple(sorted(self._sealed()))

    def rotate_key(self) -> None:
        """Seal everything anew: with a fresh key, or with the first of ``TIEOUT_KEY``.

        The file of keys loses its old keys only after all is sealed with the new one.
        """
        with self.locked():
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

        Raises:
            Unauthorized: it was sealed with another key, or the file cannot be used now. It can be
                mended while a daemon runs: the pair stands still, and the others go on.
        """
        text = self._sealed().get(company)
        if text is None:
            return None
        try:
            opened: Mapping[str, Any] = json.loads(self._fernet().decrypt(text.encode()))
        except InvalidToken:
            raise _other_key(self.path) from None
        return opened

    def write(self, company: str, opened: Mapping[str, Any]) -> None:
        """Seal a company's tokens; they are on the disk when this returns. Needs the lock."""
        sealed = self._sealed()
        sealed[company] = self._fernet().encrypt(json.dumps(dict(opened)).encode()).decode()
        self._write(sealed)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the only right to change the file, among all threads and processes.

        Raises:
            Unauthorized: its file cannot be used.
            Unavailable: another process holds it for longer than a refresh may take.
        """
        with self._threads:
            lock = self.path.with_name(self.path.name + ".lock")
            with _demand_usable(lock):
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
            sealed: dict[str, str] = json.loads(_read_private(self.path))
        except ValueError as wrong:
            raise Unauthorized(
                f"{self.path} is not a file of sealed tokens.",
                remedy="Move it away and run `tieout connect COMPANY`.",
            ) from wrong
        return sealed

    def _write(self, sealed: Mapping[str, str]) -> None:
        _write_private(self.path, json.dumps(sealed, indent=1, sort_keys=True))

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
            _create_private(self._key_path, Fernet.generate_key().decode() + "\n")
        return [line.encode() for line in _read_private(self._key_path).split()][:KEYS_MAX]

    def _write_keys(self, keys: list[bytes]) -> None:
        _write_private(self._key_path, "".join(key.decode() + "\n" for key in keys))


class CompanyTokens:
    """One company's rotating tokens.

    ``renewed_by`` says how to buy the next grant; a connector that authorises gives it once.
    """

    def __init__(self, sealed: SealedTokens, company: str, now: Clock) -> None:
        self._sealed = sealed
        self._company = company
        self._now = now
        self._renew: Renew | None = None

    def __repr__(self) -> str:
        return f"CompanyTokens({self._company!r})"

    def renewed_by(self, renew: Renew) -> CompanyTokens:
        """Return these tokens, renewed by asking ``renew``."""
        tokens = CompanyTokens(self._sealed, self._company, self._now)
        tokens._renew = renew
        return tokens

    @property
    def until(self) -> datetime | None:
        """When a person must consent again, if nothing is renewed until then."""
        held = self._held()
        return held.now.until if held else None

    @property
    def age_days(self) -> int | None:
        """How many days ago a person consented; None without tokens."""
        held = self._held()
        if held is None or held.now.consented_at is None:
            return None
        return (self._now() - held.now.consented_at).days

    def store(self, grant: Grant) -> None:
        """Keep what a person's consent gave, in place of all before."""
        with self._sealed.locked():
            consented = replace(grant, consented_at=grant.issued_at)
            self._sealed.write(self._company, _packed(_Held(consented, former="")))

    def access_token(self) -> str:
        """Return a token that is good for a minute or more, as far as we know."""
        held = self._needed()
        ends = held.now.access_until
        if self._renew and ends and self._now() >= ends - timedelta(seconds=EARLY_SECS):
            return self.refresh(held.now.access)
        return held.now.access

    def refresh(self, stale: str) -> str:
        """Return another token than the one that was refused.

        Only one process asks at a time, and reads first what another may have got meanwhile. A
        refresh whose answer was lost is asked again with the same refresh token, and when that is
        refused, with the one before it.
        """
        with self._sealed.locked():
            held = self._needed()
            if held.now.access != stale:
                return held.now.access
            if self._renew is None:
                raise Unauthorized(f"The token of {self._company} was refused.")
            grant = self._bought(self._renew, held)
            renewed = replace(grant, consented_at=held.now.consented_at)
            self._sealed.write(self._company, _packed(_Held(renewed, former=held.now.refresh)))
            return renewed.access

    def _bought(self, renew: Renew, held: _Held) -> Grant:
        try:
            return renew(held.now.refresh)
        except Unauthorized:
            if not held.former or held.former == held.now.refresh:
                raise
        return renew(held.former)

    def _needed(self) -> _Held:
        held = self._held()
        if held is None:
            raise Unauthorized(f"There are no tokens for {self._company}.")
        return held

    def _held(self) -> _Held | None:
        opened = self._sealed.read(self._company)
        return None if opened is None else _unpacked(opened)


class StaticToken:
    """A token that somebody else renews: ``env:NAME`` or ``file:PATH``, read at each use."""

    until: datetime | None = None

    def __init__(self, reference: str, environment: Mapping[str, str] = os.environ) -> None:
        self._reference = reference
        self._environment = environment

    def __repr__(self) -> str:
        return f"StaticToken({self._reference!r})"

    def access_token(self) -> str:
        """Return what the variable or file holds now."""
        return secret(self._reference, self._environment)

    def refresh(self, stale: str) -> str:
        """Return the token if it is another by now."""
        token = self.access_token()
        if token == stale:
            raise Unauthorized(
                f"The token of {self._reference} was refused.",
                remedy="Put a valid token there; the queue is kept.",
            )
        return token


def secret(reference: str, environment: Mapping[str, str] = os.environ) -> str:
    """Return the secret that ``env:NAME`` or ``file:PATH`` refers to, without white space around.

    Raises:
        ConfigError: the reference has another form.
        Unauthorized: nothing is there now. It can come back while a daemon runs, as a token does
            that was refused: its pair stands still, and the others go on.
    """
    where, _, name = reference.partition(":")
    if where == "env" and name:
        text = environment.get(name, "")
    elif where == "file" and name:
        text = _file_text(Path(name).expanduser())
    else:
        raise ConfigError(
            "A secret is written as env:NAME or file:PATH, never itself.",
            remedy="Put the secret in an environment variable or a file that only you can read.",
        )
    if not text.strip():
        raise Unauthorized(
            f"There is nothing in {reference}.", remedy="Put the secret there; the queue is kept."
        )
    return text.strip()


@dataclass(frozen=True, slots=True)
class _Held:
    """What the file holds for one company: the grant and the refresh token before it."""

    now: Grant
    former: str = field(repr=False)


_INSTANTS = ("issued_at", "access_until", "refresh_until", "hard_until", "consented_at")


def _packed(held: _Held) -> dict[str, Any]:
    instants = {name: getattr(held.now, name) for name in _INSTANTS}
    return {
        "access": held.now.access,
        "refresh": held.now.refresh,
        "former": held.former,
        **{name: instant_text(at) for name, at in instants.items() if at is not None},
    }


def _unpacked(opened: Mapping[str, Any]) -> _Held:
    instants = {name: parse_instant(opened[name]) for name in _INSTANTS if name in opened}
    issued = instants.pop("issued_at", datetime.fromtimestamp(0, UTC))
    grant = Grant(opened["access"], opened["refresh"], issued, **instants)
    return _Held(grant, opened["former"])


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


@contextlib.contextmanager
def _demand_usable(path: Path) -> Iterator[None]:
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


def _file_text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(SECRET_BYTES_MAX).decode()
    except (OSError, UnicodeDecodeError) as wrong:
        raise Unauthorized(
            f"{path} cannot be read: {type(wrong).__name__}.",
            remedy="Put the secret there; the queue is kept.",
        ) from None


def _read_private(path: Path) -> str:
    with _demand_usable(path):
        if path.stat().st_mode & 0o077:
            raise Unauthorized(
                f"{path} can be read by others than its owner.", remedy=f"chmod 600 {path}"
            )
        return path.read_text("utf-8")


def _write_private(path: Path, text: str) -> None:
    """Replace a file at once and durably: after a crash it is the old one or the new one."""
    with _demand_usable(path):
        written = path.with_name(path.name + ".new")
        _write_synced(written, text)
        written.replace(path)
        _sync_folder(path.parent)


def _create_private(path: Path, text: str) -> None:
    """Make a file whole, unless another process was first: two first uses make one key."""
    written = path.with_name(f"{path.name}.{os.getpid()}.{threading.get_ident()}.new")
    with _demand_usable(path):
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
