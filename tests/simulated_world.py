"""A simulated CRM and simulated books behind real HTTP, and an engine between them.

For every folder of tests that tells a story: ``with open_world(tmp_path) as world``.
"""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

from recording import Heard, listen
from starlette.types import ASGIApp

from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from mapping.compiler import load
from mapping.rules import Mapping
from sync_engine.approvals.policy import parse_policy
from sync_engine.engine import Engine
from sync_engine.ledger.sqlite import Ledger
from sync_engine.pair import Pair
from sync_engine.pipeline import Hands
from tieout.app.provisioning import provide
from tieout.credentials import StaticToken
from tieout.model.contract import Connector, Opening, Opens
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot import HubSpotPortal, Limits, deeds, hubspot_app, sell_uniform, truth
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    SoldItem,
    quickbooks_app,
    seed_company,
    truth_of,
)
from tieout.simulator.quickbooks import deeds as books_deeds
from tieout.simulator.serving import Served, serve

ROOT = Path(__file__).parents[1]
MAPPINGS = ROOT / "config" / "mappings"
CUTOVER = date(2026, 1, 1)
REALM = "9130"
ZONE = "Europe/Oslo"
NAMES = ("hubspot-deal-to-invoice", "hubspot-payment-to-payment")
NOBODY = "nobody"  # a deal's company that is missing
ITEMS = (
    SoldItem("Consulting", "C-1", Decimal(150)),
    SoldItem("Licence", "L-9", Decimal(500)),
    SoldItem("Services", "S-1", Decimal(100)),
)


def real_now() -> datetime:
    """This instant."""
    return datetime.now(UTC)


@dataclass
class World:
    """Both sides, and the ledger between them."""

    portal: HubSpotPortal
    company: QuickBooksCompany
    crm_url: str
    books_url: str
    path: Path
    now: Callable[[], datetime] = real_now
    sleep: Callable[[float], None] = time.sleep
    approve: str = "automatic"
    quiet_secs: float = 0.2
    connector: ClassVar[Opens] = HubSpot
    crm_defaults: ClassVar[AnyMapping[str, Any]] = {"overlap_secs": 5}
    realm: str = REALM
    provided: list[Any] = field(default_factory=list)
    settings: dict[str, Any] = field(default_factory=dict)
    rates: dict[str, Any] = field(default_factory=dict)
    crm_rates: dict[str, int | str] = field(default_factory=dict)
    opened: ExitStack = field(default_factory=ExitStack)
    files: Sequence[Path] = tuple(MAPPINGS / f"{name}.yaml" for name in NAMES)
    orders: dict[str, str] = field(default_factory=dict)  # a purchase order number and its deal
    working: Engine | None = None
    authority: Authority | None = None  # who may speak for the books
    name: str = "main"  # of the pair

    def round(self, times: int = 1, **how: Any) -> Any:
        """Work some rounds as a daemon does: in one process, which begins with the first."""
        if self.working is None:
            self.working = self.engine()
        for _ in range(times):
            done = self.working.round(self.name, **how)
            assert done.error is None, done.error
        return done

    def restart(self, **changed: Any) -> Engine:
        """End the process and start another, perhaps with another configuration."""
        self.working = self.engine(**changed)
        return self.working

    def tasks(self) -> dict[str, dict[str, Any]]:
        """The open tasks by their code."""
        assert self.working is not None
        return {task["code"]: task for task in self.working.tasks()}

    def codes(self) -> list[str]:
        """The codes of the open tasks, in order of the alphabet."""
        assert self.working is not None
        return sorted(task["code"] for task in self.working.tasks())

    def answer(self, code: str, choice: str) -> None:
        """Answer the open task of this code."""
        assert self.working is not None
        self.working.answer(self.tasks()[code]["id"], choice, who="ann", reason="looked at both")

    def deal(self, deal: str) -> dict[str, Any]:
        """What the CRM really shows of a deal."""
        return next(one for one in self.crm_truth()["deals"] if one["id"] == deal)

    def told(self, deal: str, name: str) -> str | None:
        """What the CRM's deal was told."""
        found: str | None = self.deal(deal)["custom"].get(f"tieout_{name}")
        return found

    def engine(self, **changed: Any) -> Engine:
        """Open the ledger and both sessions anew, as a process that starts does."""
        self.opened.close()
        pair = self.pair(**changed)
        ledger = self.opened.enter_context(self.ledger())
        return Engine(ledger, {self.name: pair}, Hands(self.now, self.sleep))

    def pair(self, **changed: Any) -> Pair:
        """Open both sessions of the pair."""
        mappings = self.mappings()
        reads: dict[str, frozenset[str]] = {}
        for mapping in mappings:
            for kind, fields in mapping.reads.items():
                reads[kind] = reads.get(kind, frozenset()) | fields
        crm = self.open_crm(reads)
        books = QuickBooks.open(
            Opening(self.realm, {}, CUTOVER, options={"twin_days": 45, **self.rates}),
            urls={"api": self.books_url},
            credentials=StaticToken(f"file:{self._token('books', 'books-token')}"),
            now=self.now,
            sleep=self.sleep,
        )
        self.opened.enter_context(closing(crm))
        if not self.provided:
            self.provided = list(provide(crm))
        self.opened.enter_context(closing(books))
        return Pair(
            self.name,
            crm,
            books,
            mappings,
            parse_policy(changed.pop("approve", self.approve)),
            CUTOVER,
            quiet_secs=self.quiet_secs,
            **{**self.settings, **changed},
        )

    def open_crm(self, reads: AnyMapping[str, frozenset[str]]) -> Connector:
        """Open the session with the CRM."""
        reads = {**reads, "deal": reads.get("deal", frozenset()) | {"mark", "merged_ids"}}
        options = {**self.crm_defaults, **self.crm_rates}
        return HubSpot.open(
            Opening(str(self.portal.portal_id), reads, CUTOVER, ZONE, options),
            urls={"api": self.crm_url},
            credentials=StaticToken(f"file:{self._token('crm', self.portal.token)}"),
            now=self.now,
            sleep=self.sleep,
        )

    def mappings(self) -> Sequence[Mapping]:
        """Read the mappings that a process starts with."""
        known = {kind: dict(capability.fields) for kind, capability in self._facts().items()}
        return tuple(load(file, known) for file in self.files)

    def ledger(self) -> Ledger:
        """Open the ledger for a process that starts."""
        return Ledger.open(self.path / "ledger.db", self.now)

    def _facts(self) -> Any:
        opening = Opening("0")
        token = StaticToken("env:UNUSED")
        with closing(
            self.connector.open(opening, urls={}, credentials=token, now=real_now, sleep=time.sleep)
        ) as crm:
            return crm.capabilities.kinds

    def _token(self, name: str, token: str) -> Path:
        file = self.path / f"{name}-token"
        file.write_text(token)
        file.chmod(0o600)
        return file

    def fault(self, side: str, **fault: Any) -> None:
        """Let the next matching request to one side go wrong."""
        url = self.crm_url if side == "crm" else self.books_url
        urlopen(HttpRequest(f"{url}/__faults", json.dumps(fault).encode(), method="POST")).close()

    def remember_requests(self, size: int) -> None:
        """Let the books remember so many request ids, and none from before."""
        self.company.replay.size = size
        self.company.replay.answers.clear()

    def mend(self, side: str) -> None:
        """Let nothing go wrong any more at one side."""
        url = self.crm_url if side == "crm" else self.books_url
        urlopen(HttpRequest(f"{url}/__faults", method="DELETE")).close()

    def crm(self, deed: str, *args: Any, **named: Any) -> Any:
        """Let a salesperson do something."""
        return getattr(deeds, deed)(self.portal, *args, **named)

    def books(self, deed: str, *args: Any, **named: Any) -> Any:
        """Let an accountant do something."""
        with self.company.lock:
            return getattr(books_deeds, deed)(self.company, *args, **named)

    def crm_truth(self) -> Any:
        return truth(self.portal)

    def books_truth(self) -> Any:
        with self.company.lock:
            return truth_of(self.company)

    def invoices(self) -> list[dict[str, Any]]:
        """The invoices that are really there and live."""
        return [
            one
            for one in self.books_truth()["invoices"]
            if not one["voided"] and not one["deleted"]
        ]


@contextmanager
def served(app: ASGIApp) -> Iterator[Served]:
    """Serve a system for one story; its end is not waited for, as the next has a port of its own."""
    serving = serve(app)
    try:
        yield serving
    finally:
        serving.end()


@contextmanager
def open_world(
    path: Path,
    clock: SimulatedClock | None = None,
    portal_id: int = 123,
    heard: list[Heard] | None = None,
    **books: Any,
) -> Iterator[World]:
    """Give a portal and German books with many currencies, both empty; ``clock`` None is real time.

    ``heard`` takes down what is asked and answered. ``books`` makes other books: the words of
    ``QuickBooksCompany``.
    """
    now = clock or real_now
    german = {"realm_id": REALM, "country": "DE", "home_currency": "EUR", "multicurrency": True}
    given = {**german, "utc_offset_hours": 1, "stamp_millis": True, **books}
    portal = HubSpotPortal(
        portal_id=portal_id,
        name="Demo",
        time_zone=ZONE,
        company_currency=given["home_currency"],
        seed=1,
        now=now,
        index_lag_secs=0,
        limits=Limits(on=False),
    )
    company = QuickBooksCompany(now=now, **given)
    seed_company(company, items=ITEMS)
    sell_uniform(portal, 0, companies=1)  # its custom properties and people
    authority = Authority(now=now, static_tokens={"books-token": given["realm_id"]})
    crm_app = hubspot_app(portal)
    books_app = quickbooks_app([company], authority=authority, limits=NO_LIMITS)
    if heard is not None:
        listen(crm_app, heard)
        listen(books_app, heard)
    with served(crm_app) as crm, served(books_app) as books:
        made = World(portal, company, crm.url, books.url, path, now, realm=given["realm_id"])
        made.authority = authority
        if clock is not None:
            made.sleep = clock.advance
        with made.opened:
            yield made


def seller(world: World) -> Callable[..., str]:
    """Return a function that lets a deal be won; it returns the deal's id.

    It takes the deal's values, and ``lines`` where one line of ``price`` and ``quantity`` is not
    enough; a value of None is left out.
    """
    count = itertools.count(1)

    def sell(
        *,
        company: str | None = None,
        country: str = "DE",
        lines: Sequence[dict[str, str]] | None = None,
        price: str = "150.00",
        quantity: str = "2",
        **values: str | None,
    ) -> str:
        portal, n = world.portal, next(count)
        buyer = company or buy(world, f"Firma {n} GmbH", country)
        given = {
            "dealname": f"Order {n}",
            "amount": str(Decimal(price) * Decimal(quantity)),
            "deal_currency_code": portal.company_currency,
            "closedate": "2026-03-31T10:00:00Z",
            "pipeline": "default",
            "dealstage": "closedwon",
            "po_number": f"PO-{n:04d}",
            **values,
        }
        deal = portal.create("deals", {name: held for name, held in given.items() if held})
        if buyer != NOBODY:
            portal.link(("deals", "companies"), deal.id, int(buyer), primary=True)
        line = {"name": "Consulting", "hs_sku": "C-1", "quantity": quantity, "price": price}
        for each in [line] if lines is None else lines:
            deeds.add_line(portal, str(deal.id), each)
        if given["po_number"]:
            world.orders.setdefault(given["po_number"], str(deal.id))
        return str(deal.id)

    return sell


def buy(world: World, name: str, country: str = "DE", **values: str) -> str:
    """Let a company exist; return its id."""
    given = {"name": name, "hs_country_code": country, **values}
    company = world.portal.create("companies", given)
    return str(company.id)
