"""A person's consent to an OAuth app, and tokens that renew themselves, beside service keys."""

import multiprocessing
import traceback
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from foreign_server import Bent

from connectors.hubspot import HubSpot
from tieout.credentials import CompanyTokens, SealedTokens, StaticToken
from tieout.model.change import Update
from tieout.model.contract import Authorises, Opening, Request
from tieout.model.errors import ConfigError, Unauthorized, Unavailable
from tieout.model.ref import Ref
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.hubspot import Limits, Token, deeds
from tieout.simulator.hubspot.oauth import app_of

REDIRECT = "https://tieout.example/back"
START = datetime(2026, 3, 31, 12, tzinfo=UTC)
READS = {
    "deal": frozenset({"name"}),
    "company": frozenset({"name"}),
    "contact": frozenset(),
    "line_item": frozenset(),
    "owner": frozenset(),
}
LEAST = {
    "oauth",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "crm.objects.line_items.read",
    "crm.objects.companies.read",
    "crm.objects.contacts.read",
    "crm.objects.owners.read",
}
BESIDE = {
    "crm.schemas.deals.write",
    "crm.schemas.companies.write",
    "crm.objects.companies.write",
    "crm.objects.contacts.write",
}


class Stay(HTTPRedirectHandler):
    """Follows no redirect, so that the test reads where a browser would go."""

    def redirect_request(self, *_args):
        return None


class Connection:
    """A portal that a person may install the app in, and a session whose tokens are sealed."""

    def __init__(self, folder, front, portal):
        self.folder, self.portal, self.url = folder, portal, front.url
        self.clock = SimulatedClock(START)
        portal.now = self.clock
        self.app = app_of(portal)
        self.sessions = []
        self.connector = self.opened()

    @property
    def tokens(self):
        sealed = SealedTokens(self.folder / "tokens.sealed", environment={})
        return CompanyTokens(sealed, f"hubspot:{self.portal.portal_id}", self.clock)

    def opened(self, *, urls=None, **options):
        app = {"client_id": "env:APP_ID", "client_secret": "env:APP_SECRET"}
        session = HubSpot.open(
            Opening(str(self.portal.portal_id), READS, options={**app, **options}),
            urls={"api": self.url, "authorise": f"{self.url}/oauth/authorize", **(urls or {})},
            credentials=self.tokens,
            now=self.clock,
            sleep=self.clock.advance,
        )
        self.sessions.append(session)
        return session

    def consent(self):
        """Install the app on the simulated page; return what the redirect carries."""
        page = self.connector.authorise_url("state-1", REDIRECT)
        try:
            build_opener(Stay).open(page)
        except OSError as redirected:
            back = redirected.headers["Location"]
            redirected.close()
        return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    def exchange(self, code):
        self.connector.exchange(code, REDIRECT, str(self.portal.portal_id))

    def connect(self):
        self.exchange(self.consent()["code"])

    def end_access(self):
        """Take every access token out of force, and no refresh token."""
        for name in [name for name, token in self.portal.tokens.items() if token.app]:
            deeds.revoke_token(self.portal, name)


@pytest.fixture
def connection(tmp_path, front, portal, monkeypatch):
    monkeypatch.setenv("APP_ID", "simulated-app")
    monkeypatch.setenv("APP_SECRET", "simulated-app-secret")
    connection = Connection(tmp_path, front, portal)
    yield connection
    for session in connection.sessions:
        session.close()


def told(portal, deal, text):
    """A change of a deal's name."""
    ref = Ref(f"hubspot:{portal.portal_id}", "deal", deal)
    return Request("0000000000000001-1", Update(ref, "", {"name": text}))


def test_the_page_asks_for_the_least_scopes_and_for_what_may_lack_as_optional(connection):
    page = urlsplit(connection.connector.authorise_url("state-1", REDIRECT))
    asked = {name: values[0] for name, values in parse_qs(page.query).items()}
    assert set(asked.pop("scope").split()) == LEAST
    assert set(asked.pop("optional_scope").split()) == BESIDE
    assert asked == {
        "client_id": "simulated-app",
        "redirect_uri": REDIRECT,
        "state": "state-1",
    }


@pytest.mark.parametrize(
    ("reads", "asked"),
    [
        ({"deal"}, {"crm.objects.deals.read", "crm.objects.deals.write"}),
        ({"payment"}, set()),
        ({"deal", "file"}, {"crm.objects.deals.read", "crm.objects.deals.write", "files",
                            "crm.objects.contacts.read"}),
    ],
    ids=["deals alone", "payments alone", "files, which hang on notes"],
)  # fmt: skip
def test_what_no_mapping_reads_is_not_asked_for(opened, monkeypatch, reads, asked):
    monkeypatch.setenv("APP_ID", "simulated-app")
    monkeypatch.setenv("APP_SECRET", "simulated-app-secret")
    app = {"client_id": "env:APP_ID", "client_secret": "env:APP_SECRET"}
    session = opened(reads=dict.fromkeys(reads, frozenset()), options=app)
    page = urlsplit(session.authorise_url("s", REDIRECT))
    words = {name: set(values[0].split()) for name, values in parse_qs(page.query).items()}
    assert words["scope"] == {"oauth"} | asked
    payments = {"crm.objects.commercepayments.read"} & words["optional_scope"]
    assert bool(payments) == ("payment" in reads)


def test_a_file_is_read_with_the_scopes_that_are_listed_for_it(opened, portal):
    file = deeds.attach_file(portal, portal.deal(), "quote.pdf", "%PDF")
    portal.tokens = {"weak": Token(frozenset({"files"}))}
    session = opened(reads={"file": frozenset({"name"})}, token="weak")
    (record,) = session.fetch([Ref(f"hubspot:{portal.portal_id}", "file", file)])
    assert record.fields["name"] == "quote"


def test_without_consent_the_portal_pauses_and_says_what_to_do(connection):
    with pytest.raises(Unauthorized, match="tieout connect"):
        connection.connector.check()


def test_a_person_consents_and_the_tokens_are_sealed(connection):
    back = connection.consent()
    assert back["state"] == "state-1"
    connection.exchange(back["code"])
    identity = connection.connector.check()
    assert (identity.company, identity.until) == (str(connection.portal.portal_id), None)
    assert connection.connector.consent_until() is None
    assert connection.tokens.age_days == 0
    assert connection.connector.calls == {"POST token": 1, "account-info details": 1}
    assert isinstance(connection.connector, Authorises)


def test_the_scopes_that_were_given_are_held(connection):
    connection.connect()
    rights = connection.connector.rights()
    held = {right.name: right.held for right in rights if right.name.startswith("crm.")}
    assert held == {
        **dict.fromkeys(LEAST - {"oauth"}, True),
        **dict.fromkeys(BESIDE),
    }


def test_a_portal_that_does_not_give_a_scope_is_named_by_it(connection):
    connection.connect()
    (refresh,) = connection.app.refresh.values()
    refresh.scopes = tuple(sorted({*refresh.scopes} - {"crm.objects.contacts.read"}))
    connection.end_access()
    lacking = [right for right in connection.connector.rights() if right.held is False]
    assert [right.name for right in lacking] == ["crm.objects.contacts.read"]
    assert "crm.objects.contacts.read" in lacking[0].said


def test_consent_of_another_portal_is_refused_and_nothing_kept(connection):
    back = connection.consent()
    connection.portal.portal_id += 1
    with pytest.raises(ConfigError, match="chose portal 146000124, not 146000123"):
        connection.connector.exchange(back["code"], REDIRECT, "146000123")
    connection.portal.portal_id -= 1
    assert connection.tokens.age_days is None


def test_an_answer_that_does_not_say_whose_it_is_is_judged_by_the_portal_itself(connection):
    connection.app.tells_portal = False
    connection.connect()
    assert connection.connector.check().company == "146000123"
    connection.portal.portal_id += 1
    with pytest.raises(ConfigError, match="of HubSpot portal 146000124, not of 146000123"):
        connection.connector.check()


def test_a_code_is_good_once_and_for_minutes(connection):
    code = connection.consent()["code"]
    connection.exchange(code)
    with pytest.raises(Unauthorized) as refused:
        connection.exchange(code)
    assert refused.value.vendor_code == "invalid_grant"
    late = connection.consent()["code"]
    connection.clock.advance(301)
    with pytest.raises(Unauthorized, match="does not accept this consent"):
        connection.exchange(late)


def test_a_token_is_renewed_before_it_ends(connection):
    connection.connect()
    first = connection.tokens.access_token()
    connection.clock.advance(1_700)
    connection.connector.check()
    assert connection.tokens.access_token() == first
    connection.clock.advance(60)
    connection.connector.check()
    assert connection.tokens.access_token() != first
    assert connection.connector.calls["POST token"] == 2


@pytest.mark.parametrize("rotates", [False, True], ids=["the same", "another"])
def test_a_refresh_token_may_stay_or_be_replaced(connection, rotates):
    """HubSpot's stays the same today; its specification says that each answer has one."""
    connection.app.rotates = rotates
    connection.connect()
    for _ in range(3):
        connection.clock.advance(3_600)
        assert connection.connector.check().company == "146000123"
    assert len(connection.app.refresh) == (4 if rotates else 1)


def test_a_token_that_ended_in_the_middle_is_renewed_and_the_write_sent_once_more(connection):
    deal = connection.portal.deal()
    connection.connect()
    connection.connector.check()
    connection.end_access()
    (parcel,) = connection.connector.prepare([told(connection.portal, deal, "New")])
    (outcome,) = connection.connector.apply(parcel)
    assert outcome.error is None
    assert connection.portal.find("deals", deal).values["dealname"] == "New"
    assert connection.connector.calls["objects deals/batch/update"] == 2


def test_many_calls_at_once_make_one_refresh(connection):
    deals = [
        Ref("hubspot:146000123", "deal", connection.portal.deal(dealname=f"D{n}"))
        for n in range(450)
    ]
    connection.connect()
    connection.end_access()
    found = list(connection.connector.fetch(deals))
    assert [one.ref for one in found] == deals
    assert connection.connector.calls["POST token"] == 2


@pytest.mark.parametrize("rotates", [False, True], ids=["the same", "another"])
def test_a_refresh_whose_answer_is_lost_is_asked_again_with_the_same_token(connection, rotates):
    connection.app.rotates = rotates
    connection.connect()
    connection.end_access()
    connection.portal.faults.add(fault="lose_answer", path="/token$", count=1)
    assert connection.connector.check().company == "146000123"


def test_a_token_server_that_is_away_loses_nothing(connection):
    connection.connect()
    connection.end_access()
    connection.portal.faults.add(fault="status", status=503, path="/token$", count=None)
    with pytest.raises(Unavailable, match="503"):
        connection.connector.check()
    connection.portal.faults.clear()
    assert connection.connector.check().company == "146000123"


@pytest.mark.parametrize("fault", ["not_json", "cut_body"])
def test_an_answer_without_tokens_is_no_consent_that_ended(connection, fault):
    connection.connect()
    connection.end_access()
    connection.portal.faults.add(fault=fault, path="/token$", count=None)
    with pytest.raises(Unavailable):
        connection.connector.check()


def test_an_app_that_was_uninstalled_pauses_the_portal_until_it_is_installed_again(connection):
    connection.connect()
    deeds.uninstall_app(connection.portal)
    with pytest.raises(Unauthorized, match="tieout connect") as refused:
        connection.connector.check()
    assert refused.value.vendor_code == "invalid_grant"
    connection.connect()
    assert connection.connector.check().company == "146000123"


def test_a_renewed_token_that_is_refused_too_is_not_renewed_for_ever(connection, front):
    connection.connect()
    bent = front.app = Bent(front.app)

    def bend(exchange):
        if exchange.path.startswith("/account-info"):
            exchange.status = 401
            exchange.told = {"category": "INVALID_AUTHENTICATION", "message": "no"}

    bent.bends.append(bend)
    with pytest.raises(Unauthorized, match="tieout connect"):
        connection.connector.check()
    assert connection.connector.calls == {"POST token": 2, "account-info details": 2}


def test_another_process_has_the_renewed_token(connection):
    connection.connect()
    connection.clock.advance(3_600)
    connection.connector.check()
    other = connection.opened()
    other.check()
    assert "POST token" not in other.calls


def test_two_processes_make_one_refresh(connection):
    """Each finds its token refused; the second reads what the first has written."""
    connection.app.rotates, connection.app.old_refresh_uses = True, 0
    connection.connect()
    connection.end_access()
    context = multiprocessing.get_context("spawn")
    words = (connection.folder, connection.url, str(connection.portal.portal_id))
    children = [context.Process(target=_check_in_child, args=words) for _ in range(2)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0]
    assert connection.portal.counts["POST oauth token"] == 2


def _check_in_child(folder, url, portal_id):
    clock = SimulatedClock(START)
    sealed = SealedTokens(folder / "tokens.sealed", environment={})
    app = {"client_id": "env:APP_ID", "client_secret": "env:APP_SECRET"}
    session = HubSpot.open(
        Opening(portal_id, READS, options=app),
        urls={"api": url},
        credentials=CompanyTokens(sealed, f"hubspot:{portal_id}", clock),
        now=clock,
        sleep=clock.advance,
    )
    assert session.check().company == portal_id
    session.close()


def test_a_wrong_secret_is_told_apart_from_a_refused_consent_and_never_shown(
    connection, monkeypatch
):
    code = connection.consent()["code"]
    for name, wrong in (("APP_SECRET", "not-the-secret"), ("APP_ID", "not-the-app")):
        monkeypatch.setenv(name, wrong)
        with pytest.raises(Unauthorized, match="client id and secret") as refused:
            connection.exchange(code)
        shown = "".join(traceback.format_exception(refused.value))
        assert (wrong in shown, code in shown) == (False, False)


@pytest.mark.parametrize("lacking", ["client_id", "client_secret"])
def test_with_neither_a_key_nor_an_app_it_says_what_to_set(connection, lacking):
    connector = connection.opened(**{lacking: ""})
    with pytest.raises(ConfigError, match="no way to sign") as refused:
        connector.authorise_url("state", REDIRECT)
    assert "client_id and client_secret" in refused.value.next


def test_a_service_key_needs_no_app_and_takes_no_consent(opened, portal):
    session = opened()
    assert session.check().until is None
    with pytest.raises(ConfigError, match="kept elsewhere"):
        session.exchange("code", REDIRECT, str(portal.portal_id))


def test_a_key_that_somebody_keeps_is_not_renewed_by_us(front, portal, monkeypatch):
    monkeypatch.setenv("KEY", "unknown-key")
    session = HubSpot.open(
        Opening(str(portal.portal_id)),
        urls={"api": front.url},
        credentials=StaticToken("env:KEY"),
        now=lambda: datetime.now(UTC),
        sleep=lambda _secs: None,
    )
    with pytest.raises(Unauthorized, match="does not accept the key"):
        session.check()
    assert session.calls == {"account-info details": 1}
    session.close()


def test_an_app_keeps_to_its_own_rate_before_any_answer_tells_it(connection, opened, portal):
    assert connection.connector.capabilities.rates["calls_per_ten_secs"] == 110
    assert connection.opened(calls_per_ten_secs=90).capabilities.rates["calls_per_ten_secs"] == 90
    portal.set_limits(Limits())
    connection.connect()
    for _ in range(150):
        connection.connector.check()
    assert connection.portal.throttled == 0


def test_the_token_server_is_that_of_the_apis_version_or_where_it_is_said_to_be(connection):
    for told_of in ({"version": "v3"}, {"urls": {"tokens": f"{connection.url}/oauth/v1/token"}}):
        connector = connection.opened(**told_of)
        back = connection.consent()
        connector.exchange(back["code"], REDIRECT, "146000123")
        assert connector.check().company == "146000123"


def test_an_address_that_is_plain_http_elsewhere_is_refused(connection):
    with pytest.raises(ConfigError):
        connection.opened(urls={"tokens": "http://api.example.com/token"})
