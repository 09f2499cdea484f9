"""A make-believe Salesforce org and books behind real HTTP, and an engine between them.

The same stories as with HubSpot: ``with open_salesforce_world(tmp_path) as world``.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, ClassVar

from simulated_world import CUTOVER, ITEMS, MAPPINGS, REALM, ZONE, World, real_now, served

from connectors.salesforce import Salesforce
from tieout.credentials import StaticToken
from tieout.model.contract import Connector, Opening, Opens
from tieout.model.ref import Ref
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    quickbooks_app,
    seed_company,
)
from tieout.simulator.salesforce import SalesforceOrg, deeds, salesforce_app, sell_uniform, truth
from tieout.simulator.salesforce.fields import Field

OBJECTS = {
    "deal": "Opportunity",
    "line_item": "OpportunityLineItem",
    "company": "Account",
    "contact": "Contact",
}
MAPPING = "salesforce-deal-to-invoice"


class Clock:
    """The org's clock: the computer's, moved on where two changes must not bear one stamp."""

    def __init__(self) -> None:
        self.ahead = timedelta()

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_secs(self, secs: float) -> None:
        self.ahead += timedelta(seconds=secs)


class Org(SalesforceOrg):
    """An org with short words for what tests need."""

    faults: Any  # of the application that serves it

    def add_field(self, kind: str, name: str, type_: str = "string", **said: Any) -> None:
        """Add a custom field that the integration user may see and edit."""
        sized = {"length": 255} if type_ in ("string", "textarea", "url", "email") else {}
        label = name.removesuffix("__c").replace("_", " ")
        self.kinds[kind].add(Field(name, type_, label=label, **{**sized, **said}))
        self.tables[kind].reindex()
        deeds.grant(self, kind, name)
        self.forget_sight()

    def deal(self, *, won: bool = True, lines: Sequence[Any] = (), **fields: Any) -> str:
        given = {
            "Name": "Rollout",
            "Amount": "1900.00",
            "CloseDate": "2026-03-31",
            "StageName": "Closed Won" if won else "Prospecting",
            **({"CurrencyIsoCode": "EUR"} if self.multi_currency else {}),
            **fields,
        }
        made: str = deeds.create(self, "Opportunity", given)
        for line in lines:
            self.line(made, **line)
        return made

    def line(self, deal: str, *, sku: str = "C-1", **fields: Any) -> str:
        entry = self.entry(deal, sku)
        made: str = deeds.add_line(self, deal, {"PricebookEntryId": entry, **fields})
        return made

    def entry(self, deal: str, sku: str = "C-1") -> str:
        """Return the price book entry of a product in a deal's currency; made when first needed."""
        currency = self.tables["Opportunity"].records[deal].get("CurrencyIsoCode")
        for one in self.tables["PricebookEntry"].alive():
            if one["ProductCode"] == sku and one.get("CurrencyIsoCode") == currency:
                return str(one["Id"])
        names = {item.sku: item.name for item in ITEMS}
        product = next(
            (one["Id"] for one in self.tables["Product2"].alive() if one["ProductCode"] == sku),
            None,
        ) or deeds.create(
            self,
            "Product2",
            {"Name": names.get(sku, sku), "ProductCode": sku, "IsActive": True},
        )
        made: str = deeds.create(
            self,
            "PricebookEntry",
            {
                "Pricebook2Id": self.standard_book,
                "Product2Id": product,
                "UnitPrice": "150",
                "IsActive": True,
                **({"CurrencyIsoCode": currency} if currency else {}),
            },
        )
        return made

    def account(self, **fields: Any) -> str:
        made: str = deeds.create(self, "Account", {"Name": "Bär GmbH", **fields})
        return made

    def contact(self, **fields: Any) -> str:
        made: str = deeds.create(self, "Contact", {"LastName": "Bär", **fields})
        return made

    def ref(self, kind: str, record_id: str) -> Ref:
        return Ref(f"salesforce:{self.org_id}", kind, record_id)

    def held(self, ref: Ref) -> Any:
        return self.tables[OBJECTS[ref.kind]].records[ref.id]


@dataclass
class SalesforceWorld(World):
    """Both sides, and the ledger between them; ``portal`` is the org."""

    connector: ClassVar[Opens] = Salesforce
    crm_defaults: ClassVar[AnyMapping[str, Any]] = {"overlap_secs": 5}
    by_secret: bool = False

    @property
    def org(self) -> Org:
        """The org."""
        org: Any = self.portal
        known: Org = org  # in another process, what is known of it
        return known

    def open_crm(self, reads: AnyMapping[str, frozenset[str]]) -> Connector:
        """Open the session with the org: with a session's token, or by the app's secret."""
        token = self._token("crm", self.org.open_session())
        options: dict[str, Any] = {**self.crm_defaults, **self.crm_rates}
        if self.by_secret:
            app = self.org.clients["simulated-consumer-key"]
            options["client_id"] = f"file:{self._token('id', app.key)}"
            options["client_secret"] = f"file:{self._token('secret', app.secret)}"
        return Salesforce.open(
            Opening(self.org.org_id, reads, CUTOVER, ZONE, options),
            urls={"api": self.crm_url},
            credentials=StaticToken(f"file:{token}"),
            now=self.now,
            sleep=self.sleep,
        )

    def told(self, deal: str, name: str) -> str | None:
        """What the CRM's deal was told."""
        spelt = "_".join(word.capitalize() for word in f"tieout_{name}".split("_"))
        found: str | None = self.deal(deal)["custom"].get(f"{spelt}__c")
        return found

    def crm(self, deed: str, *args: Any, **named: Any) -> Any:
        """Let a salesperson do something."""
        return getattr(deeds, deed)(self.org, *args, **named)

    def crm_truth(self) -> Any:
        return truth(self.org)


@contextmanager
def open_salesforce_world(
    path: Path, clock: SimulatedClock | None = None, **said: Any
) -> Iterator[SalesforceWorld]:
    """Give an org and German books with many currencies; ``clock`` None is real time."""
    now = clock or real_now
    german = {"country": "DE", "home_currency": "EUR", "multicurrency": True}
    org = Org(seed=1, now=now, **said)
    company = QuickBooksCompany(now=now, realm_id=REALM, stamp_millis=True, **german)
    seed_company(company, items=ITEMS)
    sell_uniform(org, 0, companies=1)  # its custom fields and people
    authority = Authority(now=now, static_tokens={"books-token": REALM})
    crm_app = salesforce_app(org)
    org.faults = crm_app.state.faults
    books_app = quickbooks_app([company], authority=authority, limits=NO_LIMITS)
    with served(crm_app) as crm, served(books_app) as books:
        portal: Any = org
        made = SalesforceWorld(portal, company, crm.url, books.url, path, now)
        made.files = (MAPPINGS / f"{MAPPING}.yaml",)
        made.authority = authority
        if clock is not None:
            made.sleep = clock.advance
        with made.opened:
            yield made


def salesforce_seller(world: SalesforceWorld) -> Callable[..., str]:
    """Return a function that lets an opportunity be won; it returns the opportunity's id."""
    count = itertools.count(1)

    def sell(
        *,
        account: str | None = None,
        lines: Sequence[dict[str, Any]] | None = None,
        price: str = "150.00",
        quantity: str = "2",
        **fields: Any,
    ) -> str:
        n = next(count)
        buyer = account or world.org.account(Name=f"Firma {n} GmbH", BillingCountry="DE")
        given = {
            "Name": f"Order {n}",
            "AccountId": buyer,
            "PO_Number__c": f"PO-{n:04d}",
            "Amount": str(Decimal(price) * Decimal(quantity)),
            **fields,
        }
        deal = world.org.deal(**given)
        for line in [{"UnitPrice": price, "Quantity": quantity}] if lines is None else lines:
            world.org.line(deal, **line)
        return deal

    return sell
