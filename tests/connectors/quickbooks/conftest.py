"""A company in simulated books, and a connector that speaks to it over real HTTP."""

import json
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any
from urllib.request import Request as HttpRequest
from urllib.request import urlopen

import pytest
from contracts import assert_as_published
from recording import Heard, listen
from starlette.applications import Starlette

from connectors.quickbooks import QuickBooks
from tieout.credentials import StaticToken
from tieout.model.change import Create
from tieout.model.contract import Opening, Outcome, Request
from tieout.model.record import Event, Record
from tieout.model.ref import Key
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    deeds,
    quickbooks_app,
    seed_company,
    writing,
)
from tieout.simulator.serving import serve

REALM = "913"
START = datetime(2026, 3, 31, 12, tzinfo=UTC)
READS = {"read batch", "read query", "read cdc"}


@dataclass
class Books:
    """The simulated company, the connector that reads it, and what people do there."""

    company: QuickBooksCompany
    clock: SimulatedClock
    connector: QuickBooks
    url: str

    @property
    def kinds(self) -> tuple[str, ...]:
        return self.connector.capabilities.feeds[0]

    def fault(self, **fault: Any) -> None:
        """Let the next matching request go wrong."""
        body = json.dumps(fault).encode()
        urlopen(HttpRequest(f"{self.url}/__faults", body, method="POST")).close()

    def deed(self, name: str, /, **arguments: Any) -> dict[str, Any]:
        """Let a person do something in the books."""
        with self.company.lock:
            return deeds.play(self.company, {"deed": name, **arguments})

    def make(self, kind: str, body: dict[str, Any]) -> dict[str, Any]:
        """Put a record into the books past the connector."""
        with self.company.lock:
            return writing.create(self.company, kind, body)

    def make_invoice(self, customer: str = "1", **more: Any) -> dict[str, Any]:
        """Put a plain invoice into the books past the connector."""
        line = {
            "Amount": 100,
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {"ItemRef": {"value": "1"}, **self._tax()},
        }
        body = {"CustomerRef": {"value": customer}, "TxnDate": "2026-03-30", "Line": [line]}
        if self.company.multicurrency:
            body["CurrencyRef"] = {"value": self.company.home_currency}
        if not self.company.is_us():
            body["GlobalTaxCalculation"] = "TaxExcluded"
        return self.make("Invoice", {**body, **more})

    def _tax(self) -> dict[str, Any]:
        return {} if self.company.is_us() else {"TaxCodeRef": {"value": "1"}}

    def first_read(self) -> tuple[list[Event], str]:
        """Read everything; return the events and the cursor."""
        pages = list(self.connector.changes(self.kinds, None))
        return [event for page in pages for event in page.events], pages[-1].cursor

    def since(self, cursor: str) -> tuple[list[Event], str]:
        """Read what changed since; return the events and the next cursor."""
        pages = list(self.connector.changes(self.kinds, cursor))
        return [event for page in pages for event in page.events], pages[-1].cursor

    def send(self, *requests: Request) -> list[Outcome]:
        """Prepare and apply some changes, parcel by parcel."""
        parcels = self.connector.prepare(requests)
        return [outcome for parcel in parcels for outcome in self.connector.apply(parcel)]

    def created(self, request: Request) -> Record:
        """Send one creation, which must succeed, and return its record."""
        (outcome,) = self.send(request)
        assert outcome.error is None, outcome.error
        assert outcome.receipt is not None
        assert outcome.receipt.record is not None
        return outcome.receipt.record


class Stage:
    """One server for all tests: it shows the application that the present test put on it."""

    def __init__(self):
        self.app = Starlette()

    async def __call__(self, scope, receive, send):
        await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def stage():
    """Listen once; starting and stopping a server would take longer than most tests."""
    stage = Stage()
    with serve(stage) as served:
        stage.url = served.url
        yield stage


@pytest.fixture
def open_books(stage):
    """Return a function that opens books set up as asked, with a connector of these options.

    All that is asked and answered is held against the vendor's schema, where it is at hand.
    """
    heard: list[Heard] = []
    with ExitStack() as stack:

        def opened(*, options=None, opening=None, **company_settings: Any) -> Books:
            clock = SimulatedClock(START)
            company = seed_company(
                QuickBooksCompany(realm_id=REALM, now=clock, **company_settings), customers=3
            )
            authority = Authority(now=clock, static_tokens={"good": REALM, "other": "999"})
            stage.app = quickbooks_app(company, authority=authority, limits=NO_LIMITS)
            listen(stage.app, heard)
            connector = QuickBooks.open(
                opening or Opening(REALM, cutover_date=date(2026, 1, 1), options=options or {}),
                urls={"api": stage.url},
                credentials=StaticToken("env:TOKEN", {"TOKEN": "good"}),
                now=clock,
                sleep=clock.advance,
            )
            stack.callback(connector.close)
            return Books(company, clock, connector, stage.url)

        yield opened
    assert_as_published(heard)


@pytest.fixture
def books(open_books) -> Books:
    """Books in Germany, in euros, with several currencies."""
    return open_books(country="DE", home_currency="EUR", multicurrency=True)


@pytest.fixture
def us_books(open_books) -> Books:
    """Books in the United States, where the books compute the tax."""
    return open_books()


@pytest.fixture
def invoice_request():
    """Return a function that asks for an invoice, numbered so that each has its own key."""

    def request(number: int = 1, /, generation: int = 1, **more: Any) -> Request:
        line = {
            "item": "2",
            "description": "Consulting",
            "quantity": "3",
            "unit_price": "33.33",
            "amount": "99.99",
            "tax_code": "1",
        }
        values = {
            "customer": "1",
            "date": "2026-03-31",
            "currency": "EUR",
            "prices": "exclusive",
            "lines": [line],
            "memo": f"HubSpot deal {number}",
            **more,
        }
        key = Key(f"{number:016X}", generation)
        held = {name: value for name, value in values.items() if value is not None}
        return Request(str(key), Create("invoice", held), about=f"deal {number}")

    return request


@pytest.fixture
def hurried(open_books):
    """Return a function that opens German books in the mode ``fast``, perhaps at other rates."""

    def opened(**rates):
        options = {"mode": "fast", **rates}
        return open_books(country="DE", home_currency="EUR", multicurrency=True, options=options)

    return opened
