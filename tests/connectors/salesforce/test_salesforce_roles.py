"""What travels with a deal beside its lines and customer: its currency, the day's rate, its files."""

import base64
from datetime import date
from decimal import Decimal

import pytest

from tieout.model.errors import NotFound, Unsupported
from tieout.simulator.salesforce import deeds


@pytest.fixture
def with_role(salesforce, org):
    """Return what stands in a role to a deal, and its one record if it is one."""

    def asking(deal, role):
        (answer,) = salesforce.related([org.ref("deal", deal)], role)
        return answer, next(iter(answer.records.values()), None)

    return asking


def test_a_deals_currency_with_the_rate_that_the_org_reckons_by(org, with_role):
    answer, currency = with_role(org.deal(CurrencyIsoCode="NOK"), "currency")
    assert answer.primary == currency.ref
    assert (currency.fields["code"], currency.fields["rate"]) == ("NOK", Decimal("11.6"))
    assert currency.fields["is_corporate"] is False


def test_the_rate_of_the_day_on_which_a_deal_was_closed(org, with_role):
    for first, after, rate in (
        ("2026-01-01", "2026-03-31", "11.5"),
        ("2026-03-31", "2026-04-01", "11.6"),
        ("2026-04-01", "9999-12-31", "11.7"),
    ):
        org.plant(
            "DatedConversionRate",
            {
                "IsoCode": "NOK",
                "ConversionRate": Decimal(rate),
                "StartDate": first,
                "NextStartDate": after,
            },
        )
    deal = org.deal(CurrencyIsoCode="NOK", CloseDate="2026-03-31")
    _, rate = with_role(deal, "rate")
    assert (rate.fields["rate"], rate.fields["from_date"]) == (Decimal("11.6"), date(2026, 3, 31))


def test_without_a_rate_for_the_day_there_is_none(org, with_role):
    answer, _ = with_role(org.deal(CurrencyIsoCode="KWD", CloseDate="1999-03-31"), "rate")
    assert (answer.refs, answer.error) == ((), None)


def test_an_org_of_one_currency_has_no_list_of_them(new_org, opened):
    org = new_org(multi_currency=False)
    session = opened(company_id=org.org_id, token=org.open_session())
    (answer,) = session.related([org.ref("deal", org.deal())], "currency")
    assert isinstance(answer.error, Unsupported)


def test_a_deal_that_is_gone_has_no_currency_and_no_files(org, with_role):
    deal = org.deal()
    deeds.delete(org, "Opportunity", deal)
    for role in ("currency", "rate", "files"):
        answer, _ = with_role(deal, role)
        assert isinstance(answer.error, NotFound), role


def test_the_files_of_a_deal_are_the_latest_versions_of_its_documents(org, with_role):
    deal = org.deal()
    for name, content in (("order.pdf", b"%PDF-1.7"), ("note.txt", b"")):
        deeds.create(
            org,
            "ContentVersion",
            {
                "Title": name.partition(".")[0],
                "PathOnClient": name,
                "VersionData": base64.b64encode(content).decode(),
                "FirstPublishLocationId": deal,
            },
        )
    answer, _ = with_role(deal, "files")
    assert len(answer.refs) == 2
    assert with_role(org.deal(), "files")[0].refs == ()


def test_what_a_file_is_can_be_read(salesforce, org, with_role):
    deal = org.deal()
    given = {
        "Title": "order",
        "PathOnClient": "order.pdf",
        "VersionData": base64.b64encode(b"%PDF-1.7").decode(),
        "FirstPublishLocationId": deal,
    }
    deeds.create(org, "ContentVersion", given)
    answer, _ = with_role(deal, "files")
    (record,) = salesforce.fetch(answer.refs)
    shown = {name: record.fields[name] for name in ("name", "extension", "size_bytes")}
    assert shown == {"name": "order", "extension": "pdf", "size_bytes": Decimal(8)}


def test_the_price_book_of_a_deal(org, with_role, salesforce):
    deal = org.deal(lines=[{"UnitPrice": "1"}])
    answer, _ = with_role(deal, "price_book")
    (record,) = salesforce.fetch(answer.refs)
    assert record.fields["name"] == "Standard Price Book"
