from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from dynamics_world import Org

from connectors.dynamics365 import Dynamics365
from tieout.app.provisioning import provide as providing
from tieout.model.contract import Opening
from tieout.simulator.dynamics365 import Limits, dynamics365_app
from tieout.simulator.dynamics365.schema import Key
from tieout.simulator.serving import serve

CUTOVER = date(2026, 1, 1)
MADE = []  # the columns that provision makes
PUBLISHED = []  # its publisher and solution
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


class Token:
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
    """Make what ``tieout provision`` makes: once through the connector, then as it made it."""
    if not MADE:
        session = opened_with(org, org.url)
        try:
            left = [one for one in providing(session) if one.state == "by hand"]
        finally:
            session.close()
        assert left == []
        MADE.extend(
            (name, column)
            for name in ("opportunity", "account")
            for column in org.tables[name].columns.values()
            if column.custom
        )
        PUBLISHED.extend(
            (name, record.id, dict(record.values))
            for name in ("publisher", "solution")
            for record in org.shelves[name].records.values()
            if record.values["uniquename"] == "tieout"
        )
        return
    for name, record_id, values in PUBLISHED:
        org.create(name, values, record_id=record_id)
    for name, column in MADE:
        org.define(name, replace(column, id=""))
    org.add_key("opportunity", Key("tieout_mark_key", ("tieout_mark",), ""))


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
        credentials=Token(words.get("token", org.token)),
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
