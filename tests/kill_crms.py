"""The CRMs that processes are killed beside: what people do in each, and what is really in it.

A scene speaks to a CRM in these words only, so it is played with each. Deals are known by their
purchase order numbers: that is what the judge finds again in the books.
"""

import base64
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, ClassVar, Final, Self

from dynamics_world import DynamicsWorld, dynamics_seller, open_dynamics_world
from salesforce_world import SalesforceWorld, open_salesforce_world, salesforce_seller
from simulated_world import MAPPINGS, World, buy, open_world, seller

from tieout.simulator.dynamics365.schema import Target

CLOSED = "2026-03-31"  # the day on which the deals are won
NET, TOTAL = "300.00", "357.00"  # what each deal is worth, and what its customer pays
LESS = "150.00"  # what it is worth once it has one piece less
TOLD = ("number", "status", "total", "balance")


@dataclass(frozen=True)
class Deal:
    """A deal as it really is, and what it was told of its invoices."""

    id: str
    order: str
    is_won: bool
    net: Decimal
    told: Mapping[str, str]


class Crm(ABC):
    """One CRM: its company's settings, what people do there, and what is really there."""

    system: ClassVar[str]
    mappings: ClassVar[tuple[Path, ...]]
    rates: ClassVar[Mapping[str, Any]] = {}
    """Options of the company beside those of its world."""
    takes_payments: ClassVar[bool] = True
    """Whether customers pay there; else an accountant enters payments in the books."""
    writes: ClassVar[Mapping[str, str]]
    """What a fault says of the calls that tell a deal of its invoice."""

    def __init__(self, world: Any) -> None:
        self.world = world
        world.files = self.mappings
        world.crm_rates = dict(self.rates)

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> Iterator[Self]:
        """Give the CRM with books beside it, both empty."""
        with cls.opened(path) as world:
            yield cls(world)

    @classmethod
    @abstractmethod
    def opened(cls, path: Path) -> Any:
        """Return the world to be entered."""

    @abstractmethod
    def portal(self) -> Mapping[str, Any]:
        """Return what another process must know to reach it."""

    @classmethod
    @abstractmethod
    def reached(cls, portal: Mapping[str, Any], crm: str, books: str, path: Path) -> World:
        """Return the world as another process sees it: neither side is in it."""

    @abstractmethod
    def settings(self) -> Mapping[str, Any]:
        """Return what a configuration says of its company."""

    @abstractmethod
    def secrets(self) -> Mapping[str, str]:
        """Return the files that the settings name."""

    @abstractmethod
    def buyer(self, name: str) -> str:
        """Let a company exist; return its id."""

    @abstractmethod
    def sell(self, company: str | None = None, *, won: bool = True) -> str:
        """Let a deal be won, or only offered; return its id. A new company buys if none is named."""

    @abstractmethod
    def win(self, deal: str) -> None:
        """Let what was offered be won."""

    @abstractmethod
    def lose(self, deal: str) -> None:
        """Let a won deal be lost after all."""

    @abstractmethod
    def sell_less(self, deal: str) -> None:
        """Let a deal be worth ``LESS``."""

    @abstractmethod
    def hand_over(self, deal: str, company: str) -> None:
        """Let another company take a deal over."""

    @abstractmethod
    def pay(self, deal: str, reference: str) -> bool:
        """Let a deal be paid, tax and all; return whether it was: it may have no invoice yet."""

    @abstractmethod
    def attach(self, deal: str, name: str, content: bytes) -> None:
        """Put a file on a deal."""

    def deals(self) -> Sequence[Deal]:
        """Return every deal as it really is."""
        return [self._deal(one) for one in self.world.crm_truth()["deals"]]

    @abstractmethod
    def _deal(self, one: Mapping[str, Any]) -> Deal:
        """Read one deal of the simulator's truth."""


class HubSpotKilled(Crm):
    """A portal."""

    system = "hubspot"
    mappings = (
        MAPPINGS / "hubspot-deal-to-invoice.yaml",
        MAPPINGS / "hubspot-payment-to-payment.yaml",
    )
    rates: ClassVar[Mapping[str, Any]] = {"searches_per_sec": 1_000}
    writes: ClassVar[Mapping[str, str]] = {"path": "/batch/update$"}
    world: World

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._sell = seller(world)

    @classmethod
    def opened(cls, path: Path) -> Any:
        return open_world(path)

    def portal(self) -> Mapping[str, Any]:
        return {"portal_id": self.world.portal.portal_id, "token": self.world.portal.token}

    @classmethod
    def reached(cls, portal: Mapping[str, Any], crm: str, books: str, path: Path) -> World:
        return World(_only(portal), _NOBODY, crm, books, path)

    def settings(self) -> Mapping[str, Any]:
        return {
            "id": str(self.world.portal.portal_id),
            "token": "file:crm-token",
            "options": {**self.world.crm_defaults, **self.rates},
        }

    def secrets(self) -> Mapping[str, str]:
        return {"crm-token": self.world.portal.token}

    def buyer(self, name: str) -> str:
        return buy(self.world, name)

    def sell(self, company: str | None = None, *, won: bool = True) -> str:
        stage = "closedwon" if won else "appointmentscheduled"
        return self._sell(company=company, dealstage=stage)

    def win(self, deal: str) -> None:
        self.world.crm("win", deal)

    def lose(self, deal: str) -> None:
        self.world.crm("lose", deal)

    def sell_less(self, deal: str) -> None:
        (line,) = self.world.deal(deal)["lines"]
        self.world.crm("edit_line", line["id"], {"quantity": "1"})
        self.world.crm("edit_deal", deal, {"amount": LESS})

    def hand_over(self, deal: str, company: str) -> None:
        self.world.portal.link(("deals", "companies"), int(deal), int(company), primary=True)
        self.world.crm("edit_deal", deal, {"dealname": "Taken over"})

    def pay(self, deal: str, reference: str) -> bool:
        paid = {"hs_initial_amount": TOTAL, "hs_reference_number": reference}
        self.world.crm("add_payment", deal, paid)
        return True

    def attach(self, deal: str, name: str, content: bytes) -> None:
        self.world.crm("attach_file", deal, name, content)

    def _deal(self, one: Mapping[str, Any]) -> Deal:
        told = {name: one["custom"].get(f"tieout_invoice_{name}") or "" for name in TOLD}
        return Deal(one["id"], one["po_number"], one["is_won"], Decimal(one["net"]), told)


class SalesforceKilled(Crm):
    """An org, which keeps payments in an object of its own."""

    system = "salesforce"
    mappings = (
        MAPPINGS / "salesforce-deal-to-invoice.yaml",
        Path(__file__).parent / "salesforce-payment-to-payment.yaml",
    )
    rates: ClassVar[Mapping[str, Any]] = {
        "payment": "Payment__c",
        "payment_deal": "Opportunity__c",
        "payment_date": "Paid_On__c",
    }
    writes: ClassVar[Mapping[str, str]] = {"path": "/composite", "body": '"write"'}
    world: SalesforceWorld

    def __init__(self, world: SalesforceWorld) -> None:
        super().__init__(world)
        self._sell = salesforce_seller(world)

    @classmethod
    def opened(cls, path: Path) -> Any:
        return open_salesforce_world(path)

    def portal(self) -> Mapping[str, Any]:
        return {"org_id": self.world.org.org_id, "session": self.world.org.open_session()}

    @classmethod
    def reached(cls, portal: Mapping[str, Any], crm: str, books: str, path: Path) -> World:
        org = {"org_id": portal["org_id"], "open_session": lambda: portal["session"]}
        return SalesforceWorld(_only(org), _NOBODY, crm, books, path)

    def settings(self) -> Mapping[str, Any]:
        return {
            "id": self.world.org.org_id,
            "client_id": "file:crm-id",
            "client_secret": "file:crm-secret",
            "options": {**self.world.crm_defaults, **self.rates},
        }

    def secrets(self) -> Mapping[str, str]:
        app = self.world.org.clients["simulated-consumer-key"]
        return {"crm-id": app.key, "crm-secret": app.secret}

    def buyer(self, name: str) -> str:
        return self.world.org.account(Name=name, BillingCountry="DE")

    def sell(self, company: str | None = None, *, won: bool = True) -> str:
        return self._sell(account=company, won=won)

    def win(self, deal: str) -> None:
        self.world.crm("win", deal)

    def lose(self, deal: str) -> None:
        self.world.crm("lose", deal)

    def sell_less(self, deal: str) -> None:
        (line,) = self.world.deal(deal)["lines"]
        self.world.crm("edit_line", line["Id"], {"Quantity": "1"})

    def hand_over(self, deal: str, company: str) -> None:
        self.world.crm("edit_deal", deal, {"AccountId": company})

    def pay(self, deal: str, reference: str) -> bool:
        paid = {"Amount__c": TOTAL, "Reference__c": reference}
        self.world.crm("add_payment", deal, paid)
        return True

    def attach(self, deal: str, name: str, content: bytes) -> None:
        self.world.crm("attach", deal, name, base64.b64encode(content).decode())

    def _deal(self, one: Mapping[str, Any]) -> Deal:
        own = one["custom"]
        told = {name: own.get(f"Tieout_Invoice_{name.title()}__c") or "" for name in TOLD}
        return Deal(one["id"], one["po_number"], one["is_won"], Decimal(one["net"]), told)


class DynamicsKilled(Crm):
    """An organization, which knows no payments: they are entered in the books."""

    system = "dynamics365"
    mappings = (MAPPINGS / "dynamics365-deal-to-invoice.yaml",)
    takes_payments = False
    writes: ClassVar[Mapping[str, str]] = {"path": r"/\$batch$", "body": "tieout_invoice"}
    world: DynamicsWorld

    def __init__(self, world: DynamicsWorld) -> None:
        super().__init__(world)
        self._sell = dynamics_seller(world)

    @classmethod
    def opened(cls, path: Path) -> Any:
        return open_dynamics_world(path)

    def portal(self) -> Mapping[str, Any]:
        return {"org_id": self.world.org.org_id, "token": self.world.org.token}

    @classmethod
    def reached(cls, portal: Mapping[str, Any], crm: str, books: str, path: Path) -> World:
        return DynamicsWorld(_only(portal), _NOBODY, crm, books, path)

    def settings(self) -> Mapping[str, Any]:
        return {
            "id": self.world.org.org_id,
            "urls": {"authority": self.world.crm_url},
            "tenant": self.world.org.tenant_id,
            "client_id": "file:crm-id",
            "client_secret": "file:crm-secret",
        }

    def secrets(self) -> Mapping[str, str]:
        return {"crm-id": self.world.org.client_id, "crm-secret": self.world.org.client_secret}

    def buyer(self, name: str) -> str:
        return self.world.org.company(name=name, nly_countrycode="DE")

    def sell(self, company: str | None = None, *, won: bool = True) -> str:
        return self._sell(company=company, won=won)

    def win(self, deal: str) -> None:
        self.world.crm("win", deal, on=CLOSED)

    def lose(self, deal: str) -> None:
        self.world.crm("reopen", deal)
        self.world.crm("lose", deal)

    def sell_less(self, deal: str) -> None:
        (line,) = self.world.deal(deal)["lines"]
        self._reopened(deal, "edit_line", line["id"], {"quantity": "1"})

    def hand_over(self, deal: str, company: str) -> None:
        account = Target("account", company)
        self._reopened(deal, "edit_opportunity", deal, {"parentaccountid": account})

    def pay(self, deal: str, reference: str) -> bool:
        order = next(one.order for one in self.deals() if one.id == deal)
        for invoice in self.world.invoices():
            if invoice["po_number"] == order and invoice["balance"]:
                paid = {invoice["id"]: None}
                self.world.books("receive_payment", invoices=paid, reference=reference)
                return True
        return False

    def attach(self, deal: str, name: str, content: bytes) -> None:
        body = base64.b64encode(content).decode()
        self.world.crm("add_note", "opportunity", deal, name, "application/pdf", body)

    def _deal(self, one: Mapping[str, Any]) -> Deal:
        own, columns = one["custom"], self.world.org.tables["opportunity"].columns
        told = {name: own.get(f"tieout_invoice_{name}") or "" for name in TOLD}
        if told["status"]:
            told["status"] = columns["tieout_invoice_status"].options[int(told["status"])]
        return Deal(one["id"], own["nly_ponumber"], one["is_won"], Decimal(one["net"]), told)

    def _reopened(self, deal: str, deed: str, *args: Any) -> None:
        """Do what nobody can do to a closed opportunity."""
        self.world.crm("reopen", deal)
        self.world.crm(deed, *args)
        self.win(deal)


CRMS: Final[Mapping[str, type[Crm]]] = {
    crm.system: crm for crm in (HubSpotKilled, SalesforceKilled, DynamicsKilled)
}
_NOBODY: Any = None


def _only(known: Mapping[str, Any]) -> Any:
    """Return what is known of a company that is in another process."""
    return SimpleNamespace(**known)
