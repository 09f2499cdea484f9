"""A HubSpot portal on loopback, and someone who asks it."""

import http.client
import json
from datetime import UTC, datetime

import pytest

from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot import HubSpotPortal, Limits, hubspot_app
from tieout.simulator.serving import serve

OBJECTS = "/crm/objects/2026-03"


class Caller:
    """Asks a served portal over one kept connection, and shows status, headers and JSON."""

    def __init__(self, portal, served):
        self.portal = portal
        self.served = served
        self.headers = {}
        self.token = portal.token
        self._connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=10)

    def ask(self, method, path, body=None):
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        text = json.dumps(body) if body is not None else None
        if text is not None:
            headers["Content-Type"] = "application/json"
        return self.send(method, path, text, headers)

    def send(self, method, path, text, headers):
        try:
            self._connection.request(method, path, text, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (http.client.HTTPException, ConnectionError):
            self.close()
            raise
        self.headers = dict(response.getheaders())
        return response.status, json.loads(content) if content else None

    def get(self, path):
        return self.ask("GET", path)

    def post(self, path, body):
        return self.ask("POST", path, body)

    def patch(self, path, body):
        return self.ask("PATCH", path, body)

    def create(self, kind, **properties):
        status, record = self.post(f"{OBJECTS}/{kind}", {"properties": properties})
        assert status == 201, record
        return record["id"]

    def read(self, kind, record_id, *names):
        status, record = self.get(f"{OBJECTS}/{kind}/{record_id}?properties={','.join(names)}")
        assert status == 200, record
        return record["properties"]

    def search(self, kind, *filters, **words):
        body = {"filterGroups": [{"filters": list(filters)}], **words}
        return self.post(f"{OBJECTS}/{kind}/search", body)

    def found(self, kind, *filters, **words):
        status, answer = self.search(kind, *filters, **{"limit": 200, **words})
        assert status == 200, answer
        return [record["id"] for record in answer["results"]]

    def close(self):
        self._connection.close()


@pytest.fixture
def clock():
    return SimulatedClock(datetime(2026, 3, 31, 12, tzinfo=UTC))


@pytest.fixture
def portal(clock):
    return HubSpotPortal(now=clock, index_lag_secs=0, limits=Limits(on=False))


@pytest.fixture
def crm(portal):
    with serve(hubspot_app(portal)) as served:
        caller = Caller(portal, served)
        yield caller
        caller.close()


@pytest.fixture
def caller_of():
    """Make callers of portals that a test file serves itself."""
    callers = []

    def make(portal, served):
        callers.append(Caller(portal, served))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()
