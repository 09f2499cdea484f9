"""Opening a portal, and making sure that it is the right one."""

from datetime import UTC, datetime, timedelta

import pytest

from connectors.hubspot.facts import facts
from tieout.model.contract import Counts, Describes
from tieout.model.errors import ConfigError, NotFound, Unauthorized, Unavailable
from tieout.simulator.hubspot import Token


def test_check_says_which_portal_it_is(hubspot, portal):
    identity = hubspot.check()
    assert (identity.company, identity.currency, identity.time_zone) == (
        str(portal.portal_id),
        "EUR",
        "Europe/Oslo",
    )
    assert abs(identity.clock - datetime.now(UTC)) < timedelta(seconds=3)


def test_the_portal_is_named_by_its_immutable_id(hubspot, portal):
    assert hubspot.company == f"hubspot:{portal.portal_id}"


def test_another_portals_key_is_refused(opened):
    with pytest.raises(ConfigError, match="not of 77"):
        opened(company_id="77").check()


@pytest.mark.parametrize("token", ["no-such-key", "old-key"])
def test_a_key_that_is_not_accepted_pauses(opened, portal, token):
    portal.tokens["old-key"] = Token(expires_at=datetime(2026, 1, 1, tzinfo=UTC))
    with pytest.raises(Unauthorized) as caught:
        opened(token=token).check()
    assert "service key" in str(caught.value)
    assert caught.value.vendor_code in ("INVALID_AUTHENTICATION", "EXPIRED_AUTHENTICATION")
    assert token not in str(caught.value)


@pytest.mark.parametrize("token", ["", "s3cret\n", "s3crét"])
def test_a_key_that_no_header_can_hold_is_refused_and_not_shown(opened, token):
    with pytest.raises(Unauthorized) as caught:
        opened(token=token).check()
    assert "s3cr" not in f"{caught.value} {caught.value.__context__}"


def test_a_missing_scope_is_named(opened, portal):
    portal.tokens["narrow"] = Token(scopes=frozenset())
    with pytest.raises(Unauthorized, match=r"lacks a scope: crm\.objects\.deals\.read"):
        list(opened(token="narrow").changes(["deal"], None))


def test_nobody_listening_is_unavailable(opened):
    with pytest.raises(Unavailable, match="nothing was sent"):
        opened(url="http://127.0.0.1:9").check()


@pytest.mark.parametrize(
    "options", [{"colour": 1}, {"overlap_secs": 0}, {"at_once": "many"}, {"at_once": True}]
)
def test_an_option_that_is_not_one_is_refused(opened, options):
    with pytest.raises(ConfigError):
        opened(options=options)


def test_plain_http_elsewhere_is_refused(opened):
    with pytest.raises(ConfigError, match="not encrypted"):
        opened(url="http://hubspot.example")


def test_the_api_version_is_a_setting(opened, portal):
    portal.api_versions = ("2025-09",)
    older = opened(options={"version": "2025-09"})
    assert older.check().company == str(portal.portal_id)
    assert [page.events for page in older.changes(["deal"], None)] == [()]
    with pytest.raises(NotFound, match=r"no version 2026-03"):
        list(opened().changes(["deal"], None))


def test_the_numbered_paths_before_the_dated_ones_are_a_version_too(opened, portal, read_all):
    portal.api_versions = ()
    session = opened(options={"version": "v3"})
    assert session.check().company == str(portal.portal_id)
    deal = portal.deal(lines=[{}], company=portal.company())
    (event,), _ = read_all(session, "deal")
    assert event.ref.id == deal
    for role in ("line_items", "company", "owner"):
        (answer,) = session.related([event.ref], role)
        assert answer.error is None
    assert session.describe("deal")["name"].label


def test_it_describes_and_counts(hubspot):
    assert isinstance(hubspot, Describes)
    assert isinstance(hubspot, Counts)
    hubspot.check()
    assert hubspot.calls == {"account-info details": 1}


def test_fields_are_described_with_our_names_first(hubspot, portal):
    from tieout.simulator.hubspot.schema import custom

    portal.define("deals", custom(name="po_number", label="PO Number", unique=True))
    fields = hubspot.describe("deal")
    assert (fields["close_date"].type, fields["close_date"].vendor_name) == ("date", "closedate")
    assert (fields["po_number"].label, fields["po_number"].unique) == ("PO Number", True)
    assert fields["po_number"].custom
    assert fields["is_won"].read_only
    assert "closedate" not in fields
    assert "invoice_number" not in fields, "it is not provisioned yet"


def test_what_the_properties_are_is_asked_once(hubspot):
    hubspot.describe("deal")
    hubspot.describe("deal")
    assert hubspot.calls == {"properties deals": 1}


def test_the_capabilities_name_their_feeds():
    kinds = ("deal", "line_item", "company", "payment", "quote", "invoice")
    assert facts().capabilities.feeds == tuple((kind,) for kind in kinds)


def test_a_portals_time_zone_that_is_not_known_must_be_configured(opened, portal, read_all):
    portal.faults.transformers["moon"] = lambda _asked, right, _dice: {**right, "timeZone": "Moon"}
    portal.faults.add(fault="moon", path="/account-info/", count=None)
    portal.deal()
    with pytest.raises(ConfigError, match="Moon"):
        read_all(opened(), "deal")
    assert len(read_all(opened(time_zone="Europe/Oslo"), "deal")[0]) == 1
