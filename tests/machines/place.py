"""Where a story is played: both systems in process, and a ledger in a folder of memory."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

from machines.doom import Doom, MortalLedger
from machines.seeded_time import SeededTime
from machines.turns import in_turn
from machines.wire import Wire
from simulated_world import ITEMS, MAPPINGS, NAMES, REALM, ZONE, World

from connectors.hubspot import HubSpot
from mapping.compiler import load
from mapping.rules import Mapping
from sync_engine.engine import Engine
from sync_engine.ledger.sqlite import Ledger
from tieout.credentials import StaticToken
from tieout.model.contract import Opening
from tieout.simulator.hubspot import HubSpotPortal, Limits, hubspot_app, sell_uniform
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    quickbooks_app,
    seed_company,
)

BEGINS = datetime(2026, 4, 1, 8, 0, tzinfo=UTC)
CRM_PORT, BOOKS_PORT = 1, 2


@dataclass
class Place(World):
    """Both sides in process under one seed's time and wire; ``engine`` is a process that starts."""

    time: SeededTime = field(default_factory=lambda: SeededTime(BEGINS))
    doom: Doom = field(default_factory=Doom)
    wire: Any = None
    crm_defaults: ClassVar[AnyMapping[str, Any]] = {}
    edition: str = "as shipped"
    turned_back: bool = False  # a ledger was lost, or is an older one again
    overruled: list[str] = field(default_factory=list)  # orders that a person had invoiced again

    def engine(self, **changed: Any) -> Engine:
        """Start a process; what the last one did not commit is gone."""
        self.opened.close()
        self.doom.new_life()
        return super().engine(**changed)

    def mappings(self) -> Sequence[Mapping]:
        """Return what the operator has made of the mappings."""
        return _mappings(self.edition)

    def ledger(self) -> Ledger:
        """Open a ledger whose process may die at each commit."""
        MortalLedger.doom = self.doom
        return MortalLedger.open(self.path / "ledger.db", self.now)


EDITIONS: dict[str, tuple[tuple[str, str], ...]] = {
    "as shipped": (),
    "other words": (("message: Thank you for your order.", "message: Many thanks."),),
    "asks for customers": (("none: create # ask", "none: ask # ask"),),
    "no small deals": (
        (
            "=deal.is_won and deal.close_date",
            "=deal.is_won and deal.amount > 40 and deal.close_date",
        ),
    ),
}
"""What an operator makes of the invoices' mapping: what is replaced by what."""


@cache
def _mappings(edition: str) -> Sequence[Mapping]:
    opening, token = Opening("0"), StaticToken("env:UNUSED")
    unused = SeededTime(BEGINS)
    with closing(
        HubSpot.open(opening, urls={}, credentials=token, now=unused.ours, sleep=unused.wait)
    ) as crm:
        kinds = crm.capabilities.kinds
    known = {kind: dict(capability.fields) for kind, capability in kinds.items()}
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            text = (MAPPINGS / f"{name}.yaml").read_text("utf-8")
            for old, new in EDITIONS[edition] if name == NAMES[0] else ():
                assert old in text
                text = text.replace(old, new)
            (Path(folder) / f"{name}.yaml").write_text(text, "utf-8")
        return tuple(load(Path(folder) / f"{name}.yaml", known) for name in NAMES)


@contextmanager
def open_place(
    path: Path, dice: random.Random, *, index_lag_secs: float = 0.0, **books: Any
) -> Iterator[Place]:
    """Give a portal and German books, both empty, that only this thread can reach."""
    time, doom = SeededTime(BEGINS), Doom()
    portal = HubSpotPortal(
        portal_id="123",
        name="Demo",
        time_zone=ZONE,
        company_currency="EUR",
        seed=dice.getrandbits(32),
        now=time.theirs,
        index_lag_secs=index_lag_secs,
        limits=Limits(on=False),
    )
    company = QuickBooksCompany(
        now=time.theirs,
        realm_id=REALM,
        country="DE",
        home_currency="EUR",
        multicurrency=True,
        utc_offset_hours=1,
        seed=dice.getrandbits(32),
        **books,
    )
    seed_company(company, items=ITEMS)
    sell_uniform(portal, 0, companies=1)  # its custom properties and people
    authority = Authority(now=time.theirs, static_tokens={"books-token": REALM})
    apps = {
        CRM_PORT: ("crm", hubspot_app(portal)),
        BOOKS_PORT: (
            "books",
            quickbooks_app(
                [company], authority=authority, limits=NO_LIMITS, seed=dice.getrandbits(32)
            ),
        ),
    }
    wire = Wire(time, random.Random(dice.getrandbits(64)), doom, apps)
    place = Place(
        portal,
        company,
        f"http://127.0.0.1:{CRM_PORT}",
        f"http://127.0.0.1:{BOOKS_PORT}",
        path,
        time.ours,
        time.wait,
        quiet_secs=150.0,
        time=time,
        doom=doom,
        wire=wire,
    )
    with wire.strung(), in_turn(random.Random(dice.getrandbits(64))), place.opened:
        yield place
