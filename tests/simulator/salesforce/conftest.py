"""A Salesforce org to talk to without a socket, and the key of an app that signs for itself."""

import asyncio
import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlencode

import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tieout.simulator import jsonwire
from tieout.simulator.salesforce import SalesforceOrg, salesforce_app
from tieout.simulator.salesforce.furnishing import entries, furnish

DATA = "/services/data/v66.0"


class HandClock:
    """A clock that moves when it is told to."""

    def __init__(self):
        self.instant = datetime(2026, 4, 1, 12, tzinfo=UTC)

    def __call__(self):
        return self.instant

    def advance(self, **by):
        self.instant += timedelta(**by)


@dataclass(frozen=True)
class Answer:
    status: int
    headers: dict
    body: bytes

    @property
    def json(self):
        return jsonwire.loads(self.body)

    @property
    def code(self):
        return self.json[0]["errorCode"]

    @property
    def message(self):
        return self.json[0]["message"]


class Crm:
    """One org, the application before it, and the integration user's token."""

    def __init__(self, org, clock):
        self.org = org
        self.clock = clock
        self.app = salesforce_app(org)
        self.token = org.open_session()

    def ask(self, method, path, body=None, *, headers=None, **query):
        """Ask below /services/data/v66.0, or anywhere for a path that begins so; sent as it is."""
        target = path if path.startswith(("/services", "/__", "/id")) else f"{DATA}/{path}"
        sent = {"host": "nordlys.my.salesforce.com", **(headers or {})}
        if self.token:
            sent.setdefault("authorization", f"Bearer {self.token}")
        content = body if isinstance(body, bytes) else b""
        if body is not None and not isinstance(body, bytes):
            content = jsonwire.dumps(body)
            sent.setdefault("content-type", "application/json")
        return asyncio.run(self._ask(method, target, content, sent, urlencode(query)))

    async def _ask(self, method, path, content, sent, query):
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "https",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": [(name.lower().encode(), value.encode()) for name, value in sent.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        answer = {"body": b""}

        async def receive():
            return {"type": "http.request", "body": content, "more_body": False}

        async def send(message):
            if message["type"] == "http.response.start":
                answer["status"] = message["status"]
                answer["headers"] = {k.decode().lower(): v.decode() for k, v in message["headers"]}
            else:
                answer["body"] += message.get("body", b"")

        await self.app(scope, receive, send)
        return Answer(answer["status"], answer["headers"], answer["body"])

    def query(self, soql, resource="query", **headers):
        return self.ask("GET", resource, headers=headers, q=soql)

    def rows(self, soql, resource="query"):
        answer = self.query(soql, resource)
        assert answer.status == 200, answer.body
        return answer.json["records"]

    def names(self, soql):
        return [one["Name"] for one in self.rows(soql)]

    def create(self, kind, **fields):
        answer = self.ask("POST", f"sobjects/{kind}", fields)
        assert answer.status == 201, answer.body
        return answer.json["id"]

    def change(self, kind, record_id, **fields):
        return self.ask("PATCH", f"sobjects/{kind}/{record_id}", fields)

    def read(self, kind, record_id, *fields):
        answer = self.ask("GET", f"sobjects/{kind}/{record_id}", fields=",".join(fields))
        assert answer.status == 200, answer.body
        return answer.json

    def deal(self, **fields):
        given = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2026-03-31"}
        return self.create("Opportunity", **{**given, **fields})

    def entry(self, name="Audit", currency="EUR"):
        return entries(self.org)[name, currency]

    def line(self, deal, **fields):
        given = {"OpportunityId": deal, "PricebookEntryId": self.entry(), "Quantity": 1}
        return self.create("OpportunityLineItem", **{**given, **fields})

    def collection(self, method, kind, rows, path="composite/sobjects", **more):
        records = [{"attributes": {"type": kind}, **row} for row in rows]
        return self.ask(method, path, {"records": records, **more})

    def deed(self, deed, **words):
        answer = self.ask("POST", "/__deeds", {"deed": deed, **words})
        assert answer.status == 200, answer.body
        return answer.json["done"][0]

    def fault(self, **wanted):
        answer = self.ask("POST", "/__faults", wanted)
        assert answer.status == 200, answer.body


@pytest.fixture
def clock():
    return HandClock()


@pytest.fixture
def open_org(clock):
    """Open a furnished org with settings of its own."""

    def open_(**settings):
        org = SalesforceOrg(now=clock, **settings)
        furnish(org)
        org.short_pages = 0
        return Crm(org, clock)

    return open_


@pytest.fixture
def crm(open_org):
    return open_org()


@pytest.fixture(scope="session")
def key():
    """The private key of the app."""
    return generate_private_key(public_exponent=65537, key_size=2048)


@pytest.fixture(scope="session")
def certificate(key):
    """What the app's administrator uploads: its public half, PEM."""
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


@pytest.fixture
def sign(key, clock):
    """Sign claims as the app does; those that are given replace the right ones."""

    def sign_(head=None, **claims):
        right = {
            "iss": "simulated-consumer-key",
            "sub": "integration@nordlys.example",
            "aud": "https://nordlys.my.salesforce.com",
            "exp": int(clock().timestamp()) + 180,
        }
        parts = [
            base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=")
            for one in ({"alg": "RS256", **(head or {})}, {**right, **claims})
        ]
        said = b".".join(parts)
        signature = base64.urlsafe_b64encode(key.sign(said, PKCS1v15(), SHA256())).rstrip(b"=")
        return (said + b"." + signature).decode()

    return sign_


@pytest.fixture
def encoded():
    """Encode a value for a path, as a caller must."""
    return lambda value: quote(value, safe="")
