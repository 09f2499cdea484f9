"""Opening a company, and asking who answers there."""

from datetime import UTC, datetime

import pytest

from connectors.quickbooks import QuickBooks
from tieout.credentials import StaticToken
from tieout.model.capability import FieldInfo
from tieout.model.change import Verb
from tieout.model.contract import Authorises, Connector, Counts, Describes, Opening
from tieout.model.errors import ConfigError, NextStep, Unauthorized
from tieout.model.ref import Ref

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def opened(*, urls=None, token="good", now=lambda: NOW, **options) -> Connector:
    return QuickBooks.open(
        Opening("913", options=options),
        urls=urls or {},
        credentials=StaticToken("env:TOKEN", {"TOKEN": token}),
        now=now,
        sleep=lambda _secs: None,
    )


def test_it_has_the_abilities_that_the_roof_asks_for():
    connector = opened()
    assert isinstance(connector, Authorises)
    assert isinstance(connector, Describes)
    assert isinstance(connector, Counts)
    assert connector.company == "quickbooks:913"


def test_it_claims_to_create_only_what_it_can_find_again():
    for name, kind in opened().capabilities.kinds.items():
        assert Verb.CREATE not in kind.verbs or {"marker", "name"} & kind.found_by, name


def test_one_call_says_who_answers_and_what_time_it_is_there(books):
    identity = books.connector.check()
    assert identity.name == "Sandbox Company"
    assert identity.company == "913"
    assert (identity.currency, identity.country) == ("EUR", "DE")
    assert identity.clock == books.clock().replace(microsecond=0)
    assert books.connector.calls == {"read batch": 1}


def test_a_token_that_is_refused_pauses_the_company(books):
    connector = opened(urls={"api": books.url}, token="revoked", now=books.clock)
    with pytest.raises(Unauthorized) as refused:
        connector.check()
    assert refused.value.next_step is NextStep.PAUSE
    assert "revoked" not in str(refused.value).replace("expired or revoked", "")
    connector.close()


def test_a_token_of_another_company_is_a_mistake_in_the_configuration(books):
    connector = opened(urls={"api": books.url}, token="other", now=books.clock)
    with pytest.raises(ConfigError, match="not those of company 913"):
        connector.check()
    connector.close()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"bacth": 10}, "no option bacth"),
        ({"batch": 31}, "batch is 31"),
        ({"batch": True}, "batch is True"),
        ({"mode": "slow"}, "mode is 'slow', not one of few_calls, fast"),
        ({"per_minute": "many"}, "per_minute is 'many'"),
    ],
)
def test_an_option_that_cannot_be_used_is_named(options, said):
    with pytest.raises(ConfigError, match=said):
        opened(**options)


def test_an_address_must_be_known_and_encrypted_unless_it_is_this_machine():
    with pytest.raises(ConfigError, match="no address apis"):
        opened(urls={"apis": "https://x.example"})
    with pytest.raises(ConfigError, match="not encrypted"):
        opened(urls={"tokens": "http://tokens.example"})


def test_an_invoice_is_described_with_the_companys_own_custom_fields(books):
    described = books.connector.describe("invoice")
    assert described["total"] == FieldInfo("total", "money", vendor_name="TotalAmt")
    assert described["PO Number"] == FieldInfo(
        "PO Number", "text", "PO Number", "CustomField 1", custom=True
    )
    assert books.connector.describe("term")["due_days"].vendor_name == "DueDays"


def test_the_books_have_no_roles(books):
    ref = Ref("quickbooks:913", "invoice", "1")
    (related,) = books.connector.related([ref], "line_items")
    assert related.error is not None
    assert related.error.next_step is NextStep.ASK
