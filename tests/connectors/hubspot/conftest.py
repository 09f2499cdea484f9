from datetime import UTC, date, datetime

import pytest
from contracts import assert_as_published
from recording import listen

from connectors.hubspot import HubSpot
from tieout.model.contract import Opening
from tieout.simulator.hubspot import HubSpotPortal, Limits, hubspot_app
from tieout.simulator.serving import serve

CUTOVER = date(2026, 1, 1)


class Current:
    """The application of the moment behind one listening server."""

    app = None

    async def __call__(self, scope, receive, send):
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        else:
            await self.app(scope, receive, send)


@pytest.fixture(scope="session")
def front():
    current = Current()
    with serve(current) as served:
        current.url = served.url
        yield current


class Portal(HubSpotPortal):
    """A portal with short words for what tests need."""

    def deal(self, *, won=True, lines=(), company=None, **properties):
        given = {
            "dealname": "Rollout",
            "amount": "1900.00",
            "deal_currency_code": "EUR",
            "closedate": "2026-03-30T22:30:00Z",
            "dealstage": "closedwon" if won else "appointmentscheduled",
            **properties,
        }
        made = self.create("deals", given)
        for line in lines:
            self.line(made.id, **line)
        if company is not None:
            self.link(("deals", "companies"), made.id, company, primary=True)
        return str(made.id)

    def line(self, deal, **properties):
        made = self.create("line_items", {"name": "Consulting", "quantity": "1", **properties})
        self.link(("line_items", "deals"), made.id, int(deal))
        return str(made.id)

    def company(self, **properties):
        return self.create("companies", {"name": "Bär GmbH", **properties}).id

    def edit(self, kind, record_id, **properties):
        self.update(kind, self.find(kind, record_id), properties)


class Key:
    """A service key that works."""

    until = None

    def __init__(self, token):
        self.token = token

    def access_token(self):
        return self.token

    def refresh(self, stale):
        raise AssertionError("a service key is not renewed")


@pytest.fixture
def new_portal(front):
    """Put a portal of its own behind the server.

    All that is asked of version 2026-03, and its answers, is held against the published forms.
    """
    heard = []

    def making():
        portal = Portal(limits=Limits(on=False), index_lag_secs=0)
        front.app = hubspot_app(portal)
        portal.faults = front.app.state.faults
        listen(front.app, heard)
        return portal

    yield making
    assert_as_published(one for one in heard if "/2026-03" in one.path)


@pytest.fixture
def portal(new_portal):
    return new_portal()


@pytest.fixture
def opened(front, portal):
    """Open a session with the portal; everything can be said otherwise."""
    sessions = []

    def opening(**told):
        words = {
            "company_id": str(portal.portal_id),
            "cutover_date": CUTOVER,
            "time_zone": None,
            "reads": {},
            **told,
        }
        fast = {"searches_per_sec": 10_000, "calls_per_ten_secs": 100_000}
        options = {**fast, **words.pop("options", {})}
        session = HubSpot.open(
            Opening(
                options=options,
                **{k: v for k, v in words.items() if k not in ("url", "token", "now", "sleep")},
            ),
            urls={"api": words.get("url", front.url)},
            credentials=Key(words.get("token", portal.token)),
            now=words.get("now", lambda: datetime.now(UTC)),
            sleep=words.get("sleep", lambda _secs: None),
        )
        sessions.append(session)
        return session

    yield opening
    for session in sessions:
        session.close()


@pytest.fixture
def hubspot(opened):
    return opened()


@pytest.fixture
def read_all():
    """Read one feed to its end: its events and its cursor."""

    def reading(session, kind, since=None):
        events, cursor = [], since
        for page in session.changes([kind], since):
            events += page.events
            cursor = page.cursor
        return events, cursor

    return reading
