"""A CRM and books in processes of their own, over real HTTP, with the deals of ``performance``.

The functions that build them run in those processes; here are their addresses and their doors.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime
from functools import partial
from math import ceil
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from shared_clock import SharedClock
from starlette.types import ASGIApp
from vendors import VENDORS, Deed, Vendor

from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    Limits,
    QuickBooksCompany,
    quickbooks_app,
    seed_company,
)
from tieout.simulator.serving import serve_in_process

REALM_ID = "9130"
BOOKS_TOKEN = "bench-books"
CUTOVER = date(2026, 1, 1)
DEALS_OF_A_COMPANY = 3
HELD_BACK = 100  # of so many deals one is lost at first, and won for the last rounds
START_SECS = 1_800  # building a hundred thousand deals takes minutes
OVERLAP_SECS = 1_200  # longer than either side's feed looks back


@dataclass(frozen=True, slots=True)
class Town:
    """Both companies, served."""

    deals: int
    vendor: Vendor
    crm_url: str
    books_url: str
    clock_file: Path
    still_at: datetime | None

    @property
    def companies(self) -> int:
        """How many companies the deals are of."""
        return ceil(self.deals / DEALS_OF_A_COMPANY)

    @property
    def changed(self) -> int:
        """How many deals are one in a hundred."""
        return ceil(self.deals / HELD_BACK)

    @property
    def clock(self) -> SharedClock:
        """The time of both."""
        return SharedClock(self.clock_file, still_at=self.still_at)

    def far_away(self, secs: float) -> None:
        """Let each answer of both take so long."""
        for url in (self.crm_url, self.books_url):
            _post(f"{url}/__faults", {"fault": "stall", "seconds": str(secs), "count": None})

    def let(self, told: list[Deed]) -> None:
        """Let people do something in the CRM."""
        _post(f"{self.crm_url}/__deeds", told)

    def deals_shown(self) -> list[dict[str, Any]]:
        """Return what the CRM really holds of each deal, without its lines."""
        with urlopen(f"{self.crm_url}/__truth?detail=0") as answer:
            shown: list[dict[str, Any]] = json.load(answer)["deals"]
        return shown

    def books_truth(self) -> dict[str, Any]:
        """Return what the books really hold."""
        with urlopen(f"{self.books_url}/__truth") as answer:
            shown: dict[str, Any] = json.load(answer)
        return shown


@contextmanager
def open_town(
    folder: Path,
    deals: int,
    vendor: Vendor,
    *,
    ahead_secs: float = 0.0,
    still_at: datetime | None = None,
    limited: bool = False,
) -> Iterator[Town]:
    """Serve a CRM with won deals (and one lost for each hundred) and empty books."""
    file = folder / "clock"
    SharedClock.make(file, ahead_secs)
    crm = partial(build_crm, file, still_at, deals, vendor.system, limited=limited)
    books = partial(build_books, file, still_at, limited=limited)
    with (
        serve_in_process(crm, start_secs=START_SECS) as crm_url,
        serve_in_process(books, start_secs=START_SECS) as books_url,
    ):
        yield Town(deals, vendor, crm_url, books_url, file, still_at)


def build_crm(
    clock: Path, still_at: datetime | None, deals: int, system: str, *, limited: bool
) -> ASGIApp:
    """Return the CRM: every deal is won but the held back, which are lost."""
    vendor = VENDORS[system]
    now = SharedClock(clock, still_at=still_at)
    return vendor.make(now, vendor.token, deals, ceil(deals / HELD_BACK), limited)


def build_books(clock: Path, still_at: datetime | None, *, limited: bool) -> ASGIApp:
    """Return the books of a German company that sells in many currencies."""
    now = SharedClock(clock, still_at=still_at)
    company = QuickBooksCompany(
        realm_id=REALM_ID,
        now=now,
        country="DE",
        home_currency="EUR",
        multicurrency=True,
        utc_offset_hours=1,
        stamp_millis=True,
    )
    seed_company(company)
    authority = Authority(now=now, static_tokens={BOOKS_TOKEN: REALM_ID})
    return quickbooks_app([company], authority=authority, limits=Limits() if limited else NO_LIMITS)


def _post(url: str, told: Any) -> None:
    urlopen(Request(url, json.dumps(told).encode(), method="POST")).close()
