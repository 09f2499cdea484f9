"""A file of 90 MB passes through each connector in a few of memory, over real HTTP."""

import json
import tracemalloc
from contextlib import closing
from datetime import UTC, date, datetime
from hashlib import sha256

import pytest

from connectors.dynamics365 import Dynamics365
from connectors.hubspot import HubSpot
from connectors.salesforce import Salesforce
from tieout.model.contract import Opening
from tieout.model.ref import Ref
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

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            for said in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{said}.complete"})
            return
        path = scope["path"]
        self.headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        if path.endswith("/signed-url"):
            await _send(send, [json.dumps({"url": f"{self.url}/bytes"}).encode()], 1)
            return
        piece = QUADS if "documentbody" in path else PIECE
        await _send(send, [piece], PIECES)


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
