"""A file of 90 MB passes through each connector in a few of memory, over real HTTP."""

import json
import tracemalloc
from contextlib import closing
from datetime import UTC, date, datetime
from hashlib import sha256
from importlib import import_module

import pytest

from connectors.dynamics365 import Dynamics365
from connectors.hubspot import HubSpot
from connectors.quickbooks import QuickBooks
from connectors.salesforce import Salesforce
from tieout.model.change import Create
from tieout.model.contract import Opening, Request
from tieout.model.ref import Key, Ref
from tieout.simulator.serving import serve

MEGABYTE = 1024 * 1024
FILE_BYTES = 90 * MEGABYTE
MEMORY_LIMIT_BYTES = 4 * MEGABYTE  # of client and server together, which share this process
PIECE = bytes(range(48)) * 1024  # a whole number of base64's quads
PIECES = FILE_BYTES // len(PIECE)
QUADS = b"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4v" * 1024


class Streaming:
    """Serves one file that is nowhere whole: as it is, or as base64."""

    url = ""

    def __init__(self):
        self.headers = {}
        self.swallowed = 0

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            for said in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{said}.complete"})
            return
        path = scope["path"]
        if scope["method"] != "GET":
            await self.swallow(scope, receive, send)
            return
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if path.endswith("/signed-url"):
            await _send(send, [json.dumps({"url": f"{self.url}/bytes"}).encode()], 1)
            return
        piece = QUADS if "documentbody" in path else PIECE
        await _send(send, [piece], PIECES)

    async def swallow(self, scope, receive, send):
        """Take a body a piece at a time, and answer as each CRM does."""
        more = True
        while more:
            message = await receive()
            self.swallowed += len(message.get("body", b""))
            more = message.get("more_body", False)
        path = scope["path"]
        if "annotations" in path:
            await send({"type": "http.response.start", "status": 204, "headers": []})
            await send({"type": "http.response.body"})
            return
        made = "068000000000001AAA" if "ContentVersion" in path else "7"
        await _send(send, [json.dumps({"id": made, "success": True}).encode()], 1)


async def _send(send, pieces, times):
    length = str(sum(map(len, pieces)) * times).encode()
    headers = [(b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    for n in range(times):
        body = {"body": pieces[0], "more_body": n + 1 < times}
        await send({"type": "http.response.body", **body})


@pytest.fixture
def streaming():
    app = Streaming()
    serving = serve(app)
    app.url = serving.url
    yield app
    serving.end()


class Token:
    """A token that works."""

    until = None

    def access_token(self):
        return "token"


def opened(connector, url):
    import_module("simple_salesforce.api")  # the first call brings it, larger than what is measured
    return connector.open(
        Opening("1", {}, date(2026, 1, 1), "Europe/Oslo"),
        urls={"api": url},
        credentials=Token(),
        now=lambda: datetime.now(UTC),
        sleep=lambda _secs: None,
    )


@pytest.mark.parametrize(
    ("connector", "file"),
    [
        (HubSpot, "180000000001"),
        (Salesforce, "068000000000001AAA"),
        (Dynamics365, "00000000-0000-4000-8000-000000000009"),
    ],
)
def test_ninety_megabytes_take_less_than_four_of_memory(streaming, connector, file):
    hashed, taken = sha256(), []

    def take(piece):
        hashed.update(piece)
        taken.append(len(piece))

    with closing(opened(connector, streaming.url)) as session:
        tracemalloc.start()
        session.read_file(Ref(session.company, "file", file), take)
        _, most_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (sum(taken), most_bytes < MEMORY_LIMIT_BYTES) == (PIECES * len(PIECE), True)
    whole = sha256()
    for _ in range(PIECES):
        whole.update(PIECE)
    assert hashed.hexdigest() == whole.hexdigest()
    assert streaming.headers["accept-encoding"] == "identity"


def test_an_invoices_pdf_of_ninety_megabytes_takes_less_than_four_of_memory(streaming):
    taken = []
    with closing(opened(QuickBooks, streaming.url)) as session:
        tracemalloc.start()
        session.print_invoice(
            Ref(session.company, "invoice", "7"), lambda one: taken.append(len(one))
        )
        _, most_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (sum(taken), most_bytes < MEMORY_LIMIT_BYTES) == (PIECES * len(PIECE), True)


class Endless:
    """A file that is nowhere: so many zeros."""

    def __init__(self):
        self.seek(0)

    def seek(self, _place):
        self.left = FILE_BYTES

    def read(self, size):
        piece = bytes(min(size, self.left))
        self.left -= len(piece)
        return piece


@pytest.mark.parametrize(
    ("connector", "deal", "sent_bytes"),
    [
        (HubSpot, "7", FILE_BYTES),
        (Salesforce, "006000000000001AAA", FILE_BYTES),
        (Dynamics365, "00000000-0000-4000-8000-000000000009", FILE_BYTES * 4 // 3),
    ],
)
def test_ninety_megabytes_are_sent_in_less_than_four_of_memory(
    streaming, connector, deal, sent_bytes
):
    with closing(opened(connector, streaming.url)) as session:
        values = {
            "about": [session.company, "deal", deal],
            "file": ["quickbooks:1", "invoice", "7"],
            "name": "Invoice-7.pdf",
            "media_type": "application/pdf",
            "size_bytes": str(FILE_BYTES),
            "sha256": "0" * 64,
            "at": "2026-03-31T10:00:00Z",
        }
        [parcel] = session.prepare([Request(str(Key("Z" * 16)), Create("print", values))])
        tracemalloc.start()
        [outcome] = session.apply_enclosing(parcel, Endless())
        _, most_bytes = tracemalloc.get_traced_memory()
        tracemalloc.stop()
    assert (outcome.error, most_bytes < MEMORY_LIMIT_BYTES) == (None, True)
    assert 0 < streaming.swallowed - sent_bytes < 10_000
