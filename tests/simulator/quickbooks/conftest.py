"""A QuickBooks company to talk to without a socket."""

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest

from tieout.simulator import jsonwire
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    quickbooks_app,
    seed_company,
)

REALM = "9130"
TOKEN = "a-token"


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self) -> None:
        self.instant = datetime(2026, 11, 10, 18, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.instant

    def advance(self, **by: float) -> None:
        self.instant += timedelta(**by)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return jsonwire.loads(self.body)

    @property
    def code(self) -> str:
        """The code of the refusal, in either spelling."""
        found = self.json
        if "Fault" in found:
            return found["Fault"]["Error"][0]["code"]
        return found["fault"]["error"][0]["code"]

    @property
    def detail(self) -> str:
        return self.json["Fault"]["Error"][0]["Detail"]


class Books:
    """One company and the application before it."""

    def __init__(self, company: QuickBooksCompany, clock: HandClock, **options: Any) -> None:
        self.company = company
        self.clock = clock
        self.authority = Authority(now=clock, static_tokens={TOKEN: company.realm_id})
        options.setdefault("limits", NO_LIMITS)
        self.app = quickbooks_app(company, authority=self.authority, **options)

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        **query: str,
    ) -> Answer:
        return asyncio.run(self.ask_async(method, path, body, headers=headers, **query))

    async def ask_async(
        self, method: str, path: str, body: Any = None, *, headers: Any = None, **query: str
    ) -> Answer:
        sent = headers or {
            "authorization": f"Bearer {TOKEN}",
            "content-type": "application/text" if path.endswith("/query") else "application/json",
        }
        content = b"" if body is None else body if isinstance(body, bytes) else jsonwire.dumps(body)
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": urlencode(query).encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        answer: dict[str, Any] = {"body": b""}

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                answer["headers"] = {k.decode().lower(): v.decode() for k, v in message["headers"]}
            else:
                answer["body"] += message.get("body", b"")

        await self.app(scope, receive, send)
        return Answer(answer["status"], answer["headers"], answer["body"])

    def api(self, method: str, path: str, body: Any = None, **query: str) -> Answer:
        return self.ask(method, f"/v3/company/{self.company.realm_id}/{path}", body, **query)

    def batch(self, items: list[Any], **query: str) -> dict[str, Any]:
        """Send a batch; its answers by bId."""
        answer = self.api("POST", "batch", {"BatchItemRequest": items}, **query)
        assert answer.status == 200, answer.body
        return {one["bId"]: one for one in answer.json["BatchItemResponse"]}

    def fault(self, **wanted: Any) -> None:
        """Let the next matching request go wrong."""
        answer = self.ask("POST", "/__faults", wanted)
        assert answer.status == 200, answer.body

    def post(self, kind: str, body: Any, **query: str) -> Answer:
        return self.api("POST", kind.lower(), body, **query)

    def create(self, kind: str, body: Any, **query: str) -> Any:
        answer = self.post(kind, body, **query)
        assert answer.status == 200, answer.body
        return answer.json[kind]

    update = create

    def get(self, kind: str, one: str) -> Any:
        return self.api("GET", f"{kind.lower()}/{one}").json[kind]

    def query(self, text: str) -> Answer:
        return self.api("GET", "query", query=text)

    def rows(self, kind: str, text: str) -> list[Any]:
        answer = self.query(text)
        assert answer.status == 200, answer.body
        return answer.json["QueryResponse"].get(kind, [])

    def deed(self, deed: str, **arguments: Any) -> Any:
        answer = self.ask("POST", "/__deeds", {"deed": deed, **arguments})
        assert answer.status == 200, answer.body
        return answer.json

    def truth(self) -> Any:
        return self.ask("GET", "/__truth").json

    def customer(self, name: str = "Acme", **more: Any) -> str:
        currency = {"value": self.company.home_currency}
        body = {"DisplayName": name, "CurrencyRef": currency, **more}
        return self.create("Customer", body)["Id"]

    def item(self, name: str = "Consulting") -> str:
        return self.company.tables["Item"].having("name", name.casefold())[0].id

    def term(self, name: str) -> str:
        return self.company.tables["Term"].having("name", name.casefold())[0].id

    def tax_code(self, name: str) -> str:
        return self.company.tables["TaxCode"].having("name", name.casefold())[0].id

    def account(self, name: str) -> str:
        return self.company.tables["Account"].having("name", name.casefold())[0].id

    def line(self, amount: str = "100.00", tax_code: str = "NON", **detail: Any) -> Any:
        code = tax_code if self.company.is_us() else self.tax_code(tax_code)
        return {
            "Amount": Decimal(amount),
            "DetailType": "SalesItemLineDetail",
            "SalesItemLineDetail": {
                "ItemRef": {"value": self.item()},
                "TaxCodeRef": {"value": code},
                **detail,
            },
        }

    def invoice_body(self, customer: str, *lines: Any, **more: Any) -> Any:
        currency = self.company.find("Customer", customer).body["CurrencyRef"]["value"]
        body = {
            "CustomerRef": {"value": customer},
            "CurrencyRef": {"value": currency},
            "TxnDate": "2026-11-01",
            "Line": list(lines or [self.line()]),
            **more,
        }
        if not self.company.is_us():
            body.setdefault("GlobalTaxCalculation", "TaxExcluded")
        return body

    def invoice(self, customer: str, *lines: Any, **more: Any) -> Any:
        return self.create("Invoice", self.invoice_body(customer, *lines, **more))

    def payment_body(self, customer: str, total: str, paid: dict[str, str], **more: Any) -> Any:
        currency = self.company.find("Customer", customer).body["CurrencyRef"]["value"]
        return {
            "CustomerRef": {"value": customer},
            "CurrencyRef": {"value": currency},
            "TxnDate": "2026-11-05",
            "TotalAmt": Decimal(total),
            "Line": [
                {
                    "Amount": Decimal(amount),
                    "LinkedTxn": [{"TxnId": one, "TxnType": "Invoice"}],
                }
                for one, amount in paid.items()
            ],
            **more,
        }

    def pay(self, customer: str, total: str, paid: dict[str, str], **more: Any) -> Any:
        return self.create("Payment", self.payment_body(customer, total, paid, **more))


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def open_books(clock):
    """Open a furnished company: settings of the company, and `options` of the application."""

    def open_(options: Any = None, **settings: Any) -> Books:
        company = QuickBooksCompany(realm_id=REALM, now=clock, **settings)
        return Books(seed_company(company), clock, **(options or {}))

    return open_


@pytest.fixture
def books(open_books):
    return open_books()


@pytest.fixture
def german_books(open_books):
    return open_books(country="DE", home_currency="EUR", utc_offset_hours=1)


@pytest.fixture
def many_currencies(open_books):
    return open_books(multicurrency=True)
