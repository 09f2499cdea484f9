from datetime import UTC, date, datetime

import pytest
from salesforce_world import Clock, Org

from connectors.salesforce import Salesforce
from tieout.model.contract import Opening
from tieout.simulator.salesforce import salesforce_app
from tieout.simulator.serving import serve

CUTOVER = date(2026, 1, 1)
TOLD = {  # our own fields of a deal, as `tieout provision` makes them
    "Tieout_Mark__c": {"type_": "string", "length": 32, "unique": True, "external_id": True},
    "Tieout_Invoice_Number__c": {"type_": "string", "length": 80},
    "Tieout_Invoice_Url__c": {"type_": "url", "length": 255},
    "Tieout_Invoice_Status__c": {"type_": "string", "length": 80},
    "Tieout_Invoice_Total__c": {"type_": "currency", "precision": 18, "scale": 3},
    "Tieout_Invoice_Balance__c": {"type_": "currency", "precision": 18, "scale": 3},
    "Tieout_Invoice_Due_Date__c": {"type_": "date"},
    "Tieout_Last_Payment_Date__c": {"type_": "date"},
    "Tieout_Invoice_Error__c": {"type_": "textarea", "length": 4000},
    "Tieout_Invoice_Checked_At__c": {"type_": "datetime"},
    "Tieout_Invoice_Approval__c": {"type_": "string", "length": 40},
    "Tieout_Invoice_Tied_Out_At__c": {"type_": "datetime"},
}
AMOUNT = {"type_": "currency", "precision": 18, "scale": 3}
OWED = {  # and of an account
    **{
        f"Tieout_{name}__c": AMOUNT
        for name in (
            "Open_Balance",
            "Overdue",
            "Credit_Limit",
            "Aged_30",
            "Aged_60",
            "Aged_90",
            "Aged_Over_90",
        )
    },
    "Tieout_Oldest_Open_Invoice__c": {"type_": "string", "length": 100},
    "Tieout_Receivables_Currency__c": {"type_": "string", "length": 3},
    "Tieout_Other_Balances__c": {"type_": "string", "length": 250},
}


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


class Token:
    """A session that works, and no other."""

    until = None

    def __init__(self, token):
        self.token = token

    def access_token(self):
        return self.token

    def refresh(self, stale):
        return self.token


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def new_org(front, clock):
    """Put an org of its own behind the server."""

    def making(**said):
        org = Org(now=clock, **said)
        for name, field in TOLD.items():
            org.add_field("Opportunity", name, **field)
        for name, field in OWED.items():
            org.add_field("Account", name, **field)
        front.app = salesforce_app(org)
        org.faults = front.app.state.faults
        return org

    return making


@pytest.fixture
def org(new_org):
    return new_org()


@pytest.fixture
def opened(front, org):
    """Open a session with the org; everything can be said otherwise."""
    sessions = []

    def opening(**told):
        words = {
            "company_id": org.org_id,
            "cutover_date": CUTOVER,
            "time_zone": None,
            "reads": {},
            "options": {},
            **told,
        }
        given = {k: v for k, v in words.items() if k not in ("urls", "token", "now", "sleep")}
        session = Salesforce.open(
            Opening(**given),
            urls=words.get("urls", {"api": front.url}),
            credentials=Token(words.get("token") or org.open_session()),
            now=words.get("now", lambda: datetime.now(UTC)),
            sleep=words.get("sleep", lambda _secs: None),
        )
        sessions.append(session)
        return session

    yield opening
    for session in sessions:
        session.close()


@pytest.fixture
def salesforce(opened):
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
