"""A make-believe organization of Dynamics 365 and books behind real HTTP, and an engine between them.

The same stories as with HubSpot: ``with open_dynamics_world(tmp_path) as world``.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from simulated_world import CUTOVER, ITEMS, MAPPINGS, REALM, ZONE, World, real_now, served

from connectors.dynamics365 import Dynamics365
from tieout.credentials import StaticToken
from tieout.model.contract import Connector, Opening, Opens
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.dynamics365 import (
    DynamicsOrg,
    Limits,
    deeds,
    dynamics365_app,
    sell_uniform,
    truth,
)
from tieout.simulator.dynamics365.schema import Target
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    quickbooks_app,
    seed_company,
)

MAPPING = "dynamics365-deal-to-invoice"
WON, WIN_REASON, OPEN_REASON = 1, 3, 1


class Org(DynamicsOrg):
    """An organization with short words for what tests need."""

    def deal(
        self,
        *,
        won: bool = True,
        lines: Sequence[AnyMapping[str, Any]] = (),
        company: str = "",
        contact: str = "",
        **values: Any,
    ) -> str:
        given = {
            "name": "Rollout",
            "statuscode": OPEN_REASON,
            "estimatedclosedate": "2026-03-31",
            "transactioncurrencyid": self.euro,
            **({"parentaccountid": Target("account", company)} if company else {}),
            **({"parentcontactid": Target("contact", contact)} if contact else {}),
            **values,
        }
        with self.lock:
            made = self.create("opportunity", {k: v for k, v in given.items() if v is not None})
        for line in lines:
            self.line(made.id, **line)
        if won:
            day = values.get("actualclosedate", "2026-03-31")
            closing = {"statecode": WON, "statuscode": WIN_REASON, "actualclosedate": day}
            with self.lock:
                self.update("opportunity", made, closing)
        return str(made.id)

    def line(self, deal: str, **values: Any) -> str:
        given = {
            "opportunityid": Target("opportunity", deal),
            "productdescription": "Consulting",
            "isproductoverridden": True,
            "quantity": Decimal(1),
            "priceperunit": Decimal(100),
            **values,
        }
        with self.lock:
            return str(self.create("opportunityproduct", given).id)

    def company(self, **values: Any) -> str:
        with self.lock:
            return str(self.create("account", {"name": "Bär GmbH", **values}).id)

    def person(self, **values: Any) -> str:
        with self.lock:
            return str(self.create("contact", {"lastname": "Byron", **values}).id)

    def edit(self, table: str, record_id: str, **values: Any) -> None:
        with self.lock:
            self.update(table, self.record(table, record_id), values)

    def take_away(self, table: str, record_id: str) -> None:
        with self.lock:
            self.delete(table, self.record(table, record_id))

    @property
    def euro(self) -> Target:
        return Target("transactioncurrency", self.currency("EUR").id)


@dataclass
class DynamicsWorld(World):
    """Both sides, and the ledger between them; ``portal`` is the organization."""

    connector: ClassVar[Opens] = Dynamics365
    crm_defaults: ClassVar[AnyMapping[str, Any]] = {}

    @property
    def org(self) -> Org:
        """The organization."""
        org: Any = self.portal
        known: Org = org  # in another process, what is known of it
        return known

    def open_crm(self, reads: AnyMapping[str, frozenset[str]]) -> Connector:
        """Open the session with the organization."""
        reads = {**reads, "deal": reads["deal"] | {"mark"}}
        token = self._token("crm", self.org.token)
        options = {**self.crm_defaults, **self.crm_rates}
        return Dynamics365.open(
            Opening(self.org.org_id, reads, CUTOVER, ZONE, options),
            urls={"api": self.crm_url},
            credentials=StaticToken(f"file:{token}"),
            now=self.now,
            sleep=self.sleep,
        )

    def crm(self, deed: str, *args: Any, **named: Any) -> Any:
        """Let a salesperson, or an administrator, do something."""
        with self.org.lock:
            return getattr(deeds, deed)(self.org, *args, **named)

    def crm_truth(self) -> Any:
        with self.org.lock:
            return truth(self.org)


@contextmanager
def open_dynamics_world(
    path: Path, clock: SimulatedClock | None = None, **said: Any
) -> Iterator[DynamicsWorld]:
    """Give an organization and German books with many currencies; ``clock`` None is real time."""
    now = clock or real_now
    german = {"country": "DE", "home_currency": "EUR", "multicurrency": True}
    org = Org(seed=1, now=now, limits=Limits(on=False), **said)
    company = QuickBooksCompany(now=now, realm_id=REALM, stamp_millis=True, **german)
    seed_company(company, items=ITEMS)
    sell_uniform(org, 0, companies=1)  # its custom columns and people
    authority = Authority(now=now, static_tokens={"books-token": REALM})
    crm_app = dynamics365_app(org)
    books_app = quickbooks_app([company], authority=authority, limits=NO_LIMITS)
    with served(crm_app) as crm, served(books_app) as books:
        portal: Any = org
        made = DynamicsWorld(portal, company, crm.url, books.url, path, now)
        made.files = (MAPPINGS / f"{MAPPING}.yaml",)
        made.authority = authority
        if clock is not None:
            made.sleep = clock.advance
        with made.opened:
            yield made


def dynamics_seller(world: DynamicsWorld) -> Callable[..., str]:
    """Return a function that lets an opportunity be won; it returns the opportunity's id."""
    count = itertools.count(1)

    def sell(
        *,
        company: str | None = None,
        lines: Sequence[AnyMapping[str, Any]] | None = None,
        price: str = "150.00",
        quantity: str = "2",
        **values: Any,
    ) -> str:
        n = next(count)
        name = f"Firma {n} GmbH"
        buyer = company or world.org.company(name=name, nly_countrycode="DE")
        line = {"priceperunit": Decimal(price), "quantity": Decimal(quantity)}
        given = {"name": f"Order {n}", "nly_ponumber": f"PO-{n:04d}", **values}
        return world.org.deal(company=buyer, lines=[line] if lines is None else lines, **given)

    return sell
