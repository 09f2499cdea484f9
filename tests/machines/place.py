"""Where a story is played: both systems in process, and a ledger in a folder of memory."""

import random
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from machines.doom import Doom, MortalLedger
from machines.seeded_time import SeededTime
from machines.turns import in_turn
from machines.wire import Wire
from simulated_world import CUTOVER, ITEMS, MAPPINGS, NAMES, REALM, ZONE, World

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from mapping.compiler import load
from mapping.rules import Mapping
from sync_engine.approvals.policy import parse_policy
from sync_engine.engine import Engine
from sync_engine.pair import Pair
from sync_engine.pipeline import Hands
from tieout.app.provisioning import provide
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
TOKEN = "books-token"  # opens make-believe books only


@dataclass
class Place(World):
    """Both sides in process under one seed's time and wire; ``engine`` is a process that starts."""

    time: SeededTime = field(default_factory=lambda: SeededTime(BEGINS))
    doom: Doom = field(default_factory=Doom)
    wire: Any = None
    options: dict[str, Any] = field(default_factory=dict)
    edition: str = "as shipped"
    turned_back: bool = False  # a ledger was lost, or is an older one again

    def engine(self, **changed: Any) -> Engine:
        """Open the ledger and both sessions anew; what the last process did not commit is gone."""
        self.opened.close()
        self.doom.new_life()
        mappings = _mappings(self.edition)
        reads: dict[str, frozenset[str]] = {}
        for mapping in mappings:
            for kind, fields in mapping.reads.items():
                reads[kind] = reads.get(kind, frozenset()) | fields
        reads["deal"] |= {"mark", "merged_ids"}
        crm = HubSpot.open(
            Opening(self.portal.portal_id, reads, CUTOVER, ZONE, {**self.crm_rates}),
            urls={"api": self.crm_url},
            credentials=StaticToken(f"file:{self._token('crm', self.portal.token)}"),
            now=self.time.ours,
            sleep=self.time.wait,
        )
        self.opened.enter_context(closing(crm))
        books = QuickBooks.open(
            Opening(self.realm, {}, CUTOVER, options={"twin_days": 45, **self.options}),
            urls={"api": self.books_url},
            credentials=StaticToken(f"file:{self._token('books', TOKEN)}"),
            now=self.time.ours,
            sleep=self.time.wait,
        )
        self.opened.enter_context(closing(books))
        if not self.provided:
            self.provided = list(provide(crm))
        MortalLedger.doom = self.doom
        ledger = self.opened.enter_context(
            MortalLedger.open(self.path / "ledger.db", self.time.ours)
        )
        pair = Pair(
            "main",
            crm,
            books,
            mappings,
            parse_policy(changed.pop("approve", self.approve)),
            CUTOVER,
            quiet_secs=self.quiet_secs,
            **{**self.settings, **changed},
        )
        return Engine(ledger, {"main": pair}, Hands(self.time.ours, self.time.wait))


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
    authority = Authority(now=time.theirs, static_tokens={TOKEN: REALM})
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
