"""Payments, and any other object, wherever an org keeps them."""

from datetime import date
from decimal import Decimal

import pytest

from tieout.model.errors import ConfigError, Unsupported
from tieout.model.record import Gone, MergedInto, Record, Unreadable
from tieout.simulator.salesforce import deeds
from tieout.simulator.salesforce.furnishing import furnish

NAMED = {"payment": "Payment__c", "payment_deal": "Opportunity__c", "payment_date": "Paid_On__c"}
READS = {
    "payment": frozenset({"amount__c", "paid_on__c", "status__c", "currency"}),
    "deal": frozenset({"name"}),
}


@pytest.fixture
def furnished(org):
    furnish(org)
    return org


@pytest.fixture
def session(opened, furnished):
    return opened(options=NAMED, reads=READS)


def test_payments_since_the_cutover_are_read_from_the_object_that_is_named(
    session, furnished, read_all
):
    deal = furnished.deal()
    old = {"Amount__c": "1", "Paid_On__c": "2025-12-31"}
    deeds.add_payment(furnished, deal, old)
    paid = deeds.add_payment(furnished, deal, {"Amount__c": "950.07", "Paid_On__c": "2026-04-20"})
    (event,), _ = read_all(session, "payment")
    assert event.ref == furnished.ref("payment", paid)
    assert event.record.fields == {
        "id": paid,
        "amount__c": Decimal("950.07"),
        "paid_on__c": date(2026, 4, 20),
        "status__c": "Received",
        "currency": "EUR",
        "opportunity__c": deal,
    }


def test_a_payment_names_its_deal(session, furnished, read_all):
    deal = furnished.deal()
    deeds.add_payment(furnished, deal, {"Amount__c": "1", "Paid_On__c": "2026-04-20"})
    (event,), _ = read_all(session, "payment")
    (answer,) = session.related([event.ref], "deal")
    assert answer.refs == (furnished.ref("deal", deal),)


def test_a_payment_that_changes_or_goes_is_told(session, furnished, read_all, clock):
    deal = furnished.deal()
    paid = [
        deeds.add_payment(furnished, deal, {"Amount__c": "1", "Paid_On__c": "2026-04-20"})
        for _ in range(2)
    ]
    clock.pass_secs(1_000)
    _, cursor = read_all(session, "payment")
    deeds.edit(furnished, "Payment__c", paid[0], {"Status__c": "Refunded"})
    deeds.delete(furnished, "Payment__c", paid[1])
    events, _ = read_all(session, "payment", cursor)
    assert [(event.ref.id, event.seen.value) for event in events] == [
        (paid[0], "changed"),
        (paid[1], "gone"),
    ]


def test_another_object_is_read_beside_them(opened, furnished, read_all):
    options = {**NAMED, "object": "Invoice__c", "object_deal": "Opportunity__c"}
    session = opened(options=options, reads={"object": frozenset({"number__c"})})
    deal = furnished.deal()
    made = deeds.create(furnished, "Invoice__c", {"Opportunity__c": deal, "Number__c": "7"})
    (record,) = session.fetch([furnished.ref("object", made)])
    assert isinstance(record, Record)
    assert record.fields["number__c"] == "7"


def test_an_object_that_the_org_has_not_is_named(opened, furnished, read_all):
    session = opened(options={**NAMED, "payment": "Money__c"}, reads=READS)
    with pytest.raises(Unsupported, match="Money__c"):
        read_all(session, "payment")


def test_a_mapping_that_reads_payments_needs_their_object(opened):
    with pytest.raises(ConfigError, match="no object is named") as caught:
        opened(reads=READS)
    assert "payment_deal" in caught.value.next


@pytest.mark.parametrize(
    "options",
    [{"payment": "Payment__c"}, {"payment": "x; y", "payment_deal": "D__c"}, {"object": "A.B"}],
)
def test_half_a_name_is_refused(opened, options):
    with pytest.raises(ConfigError):
        opened(options=options)


def test_without_payments_there_is_no_feed_of_them(opened):
    assert ("payment",) not in opened().capabilities.feeds


@pytest.mark.parametrize("kind", ["object", "payment", "property", "print"])
def test_a_kind_that_has_no_object_is_not_described_and_says_so(salesforce, kind):
    """`tieout mapping fields salesforce object`, before any object is named."""
    with pytest.raises(Unsupported, match=kind):
        salesforce.describe(kind)


OWNED = {"object": "Invoice__c", "object_deal": "Opportunity__c"}
OWNERS = {
    "object": frozenset({"number__c"}),
    "owner": frozenset({"full_name", "email", "user_name"}),
}


def test_an_object_is_owned_by_a_person_or_a_queue(opened, furnished):
    session = opened(options=OWNED, reads=OWNERS)
    queue = deeds.add_queue(furnished, "Billing", ["Invoice__c"], "bills@n.example")
    person = furnished.integration_id
    made = [
        deeds.create(furnished, "Invoice__c", {"Opportunity__c": furnished.deal(), "OwnerId": one})
        for one in (queue, person)
    ]
    answers = list(session.related([furnished.ref("object", one) for one in made], "owner"))
    assert [one.refs for one in answers] == [
        (furnished.ref("owner", queue),),
        (furnished.ref("owner", person),),
    ]
    held, user = session.fetch([one.primary for one in answers])
    assert held.fields == {
        "id": queue,
        "full_name": "Billing",
        "email": "bills@n.example",
        "user_name": None,
    }
    assert user.fields["user_name"] == "integration@nordlys.example"


def test_a_queue_that_goes_over_to_another_is_seen_and_one_that_is_not_there_is_gone(
    opened, furnished
):
    session = opened(options=OWNED, reads=OWNERS)
    queue = deeds.add_queue(furnished, "Billing", ["Invoice__c"])
    made = deeds.create(furnished, "Invoice__c", {"OwnerId": furnished.integration_id})
    ref = furnished.ref("object", made)
    (before,) = session.fetch([ref])
    deeds.edit(furnished, "Invoice__c", made, {"OwnerId": queue})
    (after,) = session.fetch([ref])
    assert [before.fields["ownerid"], after.fields["ownerid"]] == [furnished.integration_id, queue]
    short, absent = session.fetch(
        [furnished.ref("owner", one) for one in (queue[:15], "00G00000000zzzzAAA")]
    )
    assert isinstance(short, MergedInto)
    assert short.into.ref == furnished.ref("owner", queue)
    assert isinstance(absent, Gone)


def test_an_object_without_an_owner_of_its_own_is_read_all_the_same(opened, furnished):
    """A detail of another object has its master's owner."""
    furnished.kinds["Invoice__c"].remove("OwnerId")
    furnished.forget_sight()
    session = opened(options=OWNED, reads=OWNERS)
    made = deeds.create(furnished, "Invoice__c", {"Number__c": "7"})
    ref = furnished.ref("object", made)
    (record,) = session.fetch([ref])
    assert record.fields["number__c"] == "7"
    (answer,) = session.related([ref], "owner")
    assert "shows no OwnerId" in str(answer.error)


def test_queues_that_the_user_may_not_see_are_no_owners_that_are_gone(opened, furnished):
    session = opened(options=OWNED, reads=OWNERS)
    queue = deeds.add_queue(furnished, "Billing", ["Invoice__c"])
    deeds.hide_kind(furnished, "Group")
    (answer,) = session.fetch([furnished.ref("owner", queue)])
    assert isinstance(answer, Unreadable)
