"""A person's consent, and tokens that renew themselves (R26, R29, pain 3)."""

import traceback
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from urllib.request import HTTPRedirectHandler, build_opener

import pytest
from foreign_server import Bent

from connectors.quickbooks import QuickBooks
from tieout.credentials import CompanyTokens, SealedTokens
from tieout.model.change import Create
from tieout.model.contract import Opening, Request
from tieout.model.errors import ConfigError, Unauthorized
from tieout.simulator.clock import SimulatedClock
from tieout.simulator.quickbooks import (
    NO_LIMITS,
    Authority,
    QuickBooksCompany,
    quickbooks_app,
    seed_company,
)

REDIRECT = "https://tieout.example/back"
START = datetime(2026, 3, 31, 12, tzinfo=UTC)


class Stay(HTTPRedirectHandler):
    """Follows no redirect, so that the test reads where a browser would go."""

    def redirect_request(self, *_args):
        return None


class Connection:
    """A company in simulated books and a connector whose tokens are sealed in a file."""

    def __init__(self, folder, stage, monkeypatch):
        monkeypatch.setenv("APP_ID", "simulated-client")
        monkeypatch.setenv("APP_SECRET", "simulated-secret")
        self.clock = SimulatedClock(START)
        company = seed_company(QuickBooksCompany(realm_id="913", now=self.clock))
        self.authority = Authority(now=self.clock)
        stage.app = quickbooks_app(company, authority=self.authority, limits=NO_LIMITS)
        self.url = stage.url
        self.sealed = SealedTokens(folder / "tokens.sealed", environment={})
        self.tokens = CompanyTokens(self.sealed, "quickbooks:913", self.clock)
        self.connector = self.opened()

    def opened(self, **options):
        return QuickBooks.open(
            Opening(
                "913",
                options={
                    "client_id": "env:APP_ID",
                    "client_secret": "env:APP_SECRET",
                    **options,
                },
            ),
            urls={
                "api": self.url,
                "authorise": f"{self.url}/connect/oauth2",
                "tokens": f"{self.url}/oauth2/v1/tokens/bearer",
            },
            credentials=self.tokens,
            now=self.clock,
            sleep=self.clock.advance,
        )

    def consent(self):
        """Press Connect in the simulated page; return what the redirect carries."""
        page = self.connector.authorise_url("state-1", REDIRECT)
        try:
            build_opener(Stay).open(page)
        except OSError as redirected:
            back = redirected.headers["Location"]
            redirected.close()
        return {name: values[0] for name, values in parse_qs(urlsplit(back).query).items()}

    def connect(self):
        back = self.consent()
        self.connector.exchange(back["code"], REDIRECT, back["realmId"])


@pytest.fixture
def connection(tmp_path, stage, monkeypatch):
    connection = Connection(tmp_path, stage, monkeypatch)
    yield connection
    connection.connector.close()


def customer(name):
    return Request("0000000000000001-1", Create("customer", {"name": name}))


def test_without_consent_the_company_pauses_and_says_what_to_do(connection):
    with pytest.raises(Unauthorized, match="tieout connect"):
        connection.connector.check()


def test_a_person_consents_and_the_tokens_are_sealed(connection):
    back = connection.consent()
    assert back["state"] == "state-1"
    connection.connector.exchange(back["code"], REDIRECT, back["realmId"])
    identity = connection.connector.check()
    assert identity.company == "913"
    assert identity.until == connection.tokens.until
    assert identity.until - START > timedelta(days=99)
    assert connection.tokens.age_days == 0


def test_consent_for_another_company_is_refused(connection):
    back = connection.consent()
    with pytest.raises(ConfigError, match="chose company 999, not 913"):
        connection.connector.exchange(back["code"], REDIRECT, "999")


def test_a_code_is_good_once(connection):
    back = connection.consent()
    connection.connector.exchange(back["code"], REDIRECT, "913")
    with pytest.raises(Unauthorized):
        connection.connector.exchange(back["code"], REDIRECT, "913")


def test_a_token_is_renewed_before_it_ends(connection):
    connection.connect()
    first = connection.tokens.access_token()
    connection.clock.advance(3600)
    connection.connector.check()
    assert connection.tokens.access_token() != first
    assert connection.connector.calls["POST token"] == 2


def test_an_answer_that_says_less_is_enough(connection, stage):
    """RFC 6749: a renewal may leave the refresh token as it is, and no life need be told."""
    bent = stage.app = Bent(stage.app)

    def bend(exchange):
        if exchange.path.endswith("/tokens/bearer"):
            told = exchange.told
            exchange.told = {"access_token": told["access_token"], "token_type": "bearer"}
            if exchange.asked.startswith("grant_type=authorization_code"):
                exchange.told["refresh_token"] = told["refresh_token"]
                exchange.told["expires_in"] = "3600"

    bent.bends.append(bend)
    connection.connect()
    first = connection.tokens.access_token()
    assert connection.tokens.until is None
    connection.clock.advance(3600)
    assert connection.connector.check().company == "913"
    assert connection.tokens.access_token() != first


def test_a_token_revoked_in_the_middle_is_renewed_and_the_write_sent_once_more(connection):
    connection.connect()
    connection.connector.check()
    connection.authority.access.clear()
    (parcel,) = connection.connector.prepare([customer("New")])
    (outcome,) = connection.connector.apply(parcel)
    assert outcome.error is None
    assert connection.connector.calls["write customer"] == 2
    assert connection.authority.access


def test_a_refresh_whose_answer_is_lost_can_be_asked_again(connection):
    connection.connect()
    connection.connector.check()
    held = connection.authority.refresh.copy()
    connection.authority.access.clear()
    connection.authority.grant(
        _basic(), {"grant_type": "refresh_token", "refresh_token": next(iter(held))}
    )
    assert connection.connector.check().name == "Sandbox Company"


def test_consent_that_was_taken_back_pauses_the_company(connection):
    connection.connect()
    connection.authority.access.clear()
    connection.authority.refresh.clear()
    with pytest.raises(Unauthorized, match="tieout connect"):
        connection.connector.check()


def test_another_process_has_the_renewed_token(connection):
    connection.connect()
    connection.clock.advance(3600)
    connection.connector.check()
    other = connection.opened()
    other.check()
    assert "POST token" not in other.calls
    other.close()


def test_an_app_that_intuit_does_not_know_is_told_apart_from_a_refused_consent(
    connection, monkeypatch
):
    back = connection.consent()
    monkeypatch.setenv("APP_SECRET", "wrong")
    with pytest.raises(Unauthorized, match="client id and secret") as refused:
        connection.connector.exchange(back["code"], REDIRECT, "913")
    shown = "".join(traceback.format_exception(refused.value))
    assert "simulated-client" not in shown


def test_without_an_app_there_is_no_consent(connection):
    connector = connection.opened(client_secret="")
    with pytest.raises(ConfigError, match="client_id and client_secret"):
        connector.authorise_url("state", REDIRECT)
    connector.close()


def _basic():
    return "Basic c2ltdWxhdGVkLWNsaWVudDpzaW11bGF0ZWQtc2VjcmV0"
