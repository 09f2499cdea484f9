"""One company's tokens, renewed by one refresher at a time, old and new kept until proven.

A rotating refresh token whose answer is lost severs the connection for good (pain 3). So the file
holds the token that was asked with until the next one is on the disk, and the one before it as
well; nobody uses a token that is not yet written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeAlias

from tieout.credentials.sealing import SealedTokens
from tieout.model.dates import instant_text, parse_instant
from tieout.model.errors import Unauthorized
from tieout.transport.redaction import conceal

EARLY_SECS = 60  # a token that ends within this is renewed before it is used

Clock: TypeAlias = Callable[[], datetime]


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

    def __post_init__(self) -> None:
        conceal(self.access)
        conceal(self.refresh)

    @property
    def until(self) -> datetime | None:
        """When a person must consent again, if nothing is renewed until then."""
        ends = [end for end in (self.refresh_until, self.hard_until) if end is not None]
        return min(ends, default=None)


Renew: TypeAlias = Callable[[str], Grant]  # a refresh token's text -> the next grant


class CompanyTokens:
    """The rotating tokens of a company, named as in its Ref: ``quickbooks:913``.

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
        with self._sealed.renewing(self._company):
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
        with self._sealed.renewing(self._company):
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
    conceal(opened["former"])
    grant = Grant(opened["access"], opened["refresh"], issued, **instants)
    return _Held(grant, opened["former"])
