from datetime import UTC, date, datetime

import pytest
from dynamics_world import Org

from connectors.dynamics365 import Dynamics365
from tieout.model.contract import Opening
from tieout.simulator.dynamics365 import Limits, dynamics365_app
from tieout.simulator.serving import serve

CUTOVER = date(2026, 1, 1)
NAME = "Søn's “Ägir” 株式会社"


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
def dynamics_front():
    current = Current()
    with serve(current) as served:
        current.url = served.url
        yield current


class Key:
    """A token that works."""

    until = None

    def __init__(self, token):
        self.token = token

    def access_token(self):
        return self.token

    def refresh(self, stale):
        return self.token


@pytest.fixture
def new_org(dynamics_front):
    """Put an organization of its own behind the server, with the columns that Tieout needs."""

    def making(*, provisioned=True, **told):
        org = Org(limits=Limits(on=False), **told)
        dynamics_front.app = dynamics365_app(org)
        org.faults = dynamics_front.app.state.faults
        org.url = dynamics_front.url
        if provisioned:
            provide(org)
        return org

    return making


def provide(org):
    """Make what ``tieout provision`` makes, through the connector itself."""
    from tieout.app.provisioning import provide as providing

    session = opened_with(org, org.url)
    try:
        left = [one for one in providing(session) if one.state == "by hand"]
    finally:
        session.close()
    assert left == []


def opened_with(org, url, **told):
    words = {
        "company_id": org.org_id,
        "cutover_date": CUTOVER,
        "time_zone": "Europe/Berlin",
        **told,
    }
    fast = {"calls_per_five_mins": 1_000_000, "page_rows": 100}
    options = {**fast, **words.pop("options", {})}
    ours = {k: v for k, v in words.items() if k not in ("token", "now", "sleep", "urls")}
    return Dynamics365.open(
        Opening(options=options, **ours),
        urls={**({"api": url} if url else {}), **words.get("urls", {})},
        credentials=Key(words.get("token", org.token)),
        now=words.get("now", lambda: datetime.now(UTC)),
        sleep=words.get("sleep", lambda _secs: None),
    )


@pytest.fixture
def org(new_org):
    return new_org()


@pytest.fixture
def opened(org):
    """Open a session with the organization; everything can be said otherwise."""
    sessions = []

    def opening(**told):
        url = told.pop("url", org.url)
        sessions.append(opened_with(org, url, **told))
        return sessions[-1]

    yield opening
    for session in sessions:
        session.close()


@pytest.fixture
def dynamics(opened):
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
