"""What is told: exact bytes, exact numbers, each record's own answer and its new version."""

import json

import pytest

from tieout.model.change import Update
from tieout.model.contract import Request
from tieout.model.errors import InvalidField, OutcomeUnknown
from tieout.model.ref import Version


@pytest.fixture
def asked(org):
    def asking(deal, key="K-1", **values):
        return Request(key, Update(org.ref("deal", deal), Version(""), values))

    return asking


def test_a_collection_and_its_versions_are_one_call(salesforce, org, asked):
    deals = [org.deal() for _ in range(3)]
    (parcel,) = salesforce.prepare(
        [asked(one, f"K-{n}", invoice_number=str(n)) for n, one in enumerate(deals)]
    )
    outcomes = salesforce.apply(parcel)
    assert salesforce.calls == {"write composite": 1}
    records = list(salesforce.fetch([outcome.receipt.ref for outcome in outcomes]))
    assert [one.version for one in records] == [one.receipt.version for one in outcomes]


def test_an_amount_is_a_number_to_the_last_digit(salesforce, org, asked):
    (parcel,) = salesforce.prepare([asked(org.deal(), invoice_total="123456789012.345")])
    assert b'"Tieout_Invoice_Total__c":123456789012.345' in parcel.body


def test_nothing_clears(salesforce, org, asked):
    deal = org.deal(Tieout_Invoice_Number__c="1")
    (parcel,) = salesforce.prepare([asked(deal, invoice_number=None)])
    salesforce.apply(parcel)
    (record,) = salesforce.fetch([org.ref("deal", deal)])
    assert record.fields["invoice_number"] is None


def test_what_looks_like_a_reference_is_written_as_it_stands(salesforce, org, asked):
    """In a composite request @{…} would be filled in: such a collection goes alone."""
    deal = org.deal()
    (parcel,) = salesforce.prepare([asked(deal, invoice_error="see @{versions.records[0].Id}")])
    assert parcel.call == "PATCH composite/sobjects"
    (outcome,) = salesforce.apply(parcel)
    (record,) = salesforce.fetch([org.ref("deal", deal)])
    assert record.fields["invoice_error"] == "see @{versions.records[0].Id}"
    assert outcome.receipt.version == record.version


def test_a_failed_reading_of_versions_is_no_failed_write(salesforce, org, asked):
    org.faults.transformers["mute"] = lambda _, right, __: {
        "compositeResponse": [
            {**part, "httpStatusCode": 500} if part["referenceId"] == "versions" else part
            for part in right["compositeResponse"]
        ]
    }
    org.faults.add(fault="mute", path="/composite", count=1)
    (parcel,) = salesforce.prepare([asked(org.deal(), invoice_number="1")])
    (outcome,) = salesforce.apply(parcel)
    assert outcome.receipt is not None
    assert outcome.receipt.version != ""


def test_a_failed_part_that_wrote_is_unknown(salesforce, org, asked):
    org.faults.transformers["mute"] = lambda _, right, __: {
        "compositeResponse": [
            {**part, "httpStatusCode": 503} for part in right["compositeResponse"]
        ]
    }
    org.faults.add(fault="mute", path="/composite", count=1)
    (parcel,) = salesforce.prepare([asked(org.deal(), invoice_number="1")])
    (outcome,) = salesforce.apply(parcel)
    assert isinstance(outcome.error, OutcomeUnknown)


def test_an_answer_without_ids_in_another_length_is_unknown_for_each(salesforce, org, asked):
    """Failed records have no id, so their places must be proven."""

    def cut(_, right, __):
        written, *rest = right["compositeResponse"]
        return {"compositeResponse": [{**written, "body": written["body"][1:]}, *rest]}

    org.faults.transformers["cut"] = cut
    org.faults.add(fault="cut", path="/composite", count=1)
    deals = [org.deal(), org.deal()]
    (parcel,) = salesforce.prepare(
        [asked(one, f"K-{n}", invoice_number="9" * 300) for n, one in enumerate(deals)]
    )
    assert [type(one.error) for one in salesforce.apply(parcel)] == [OutcomeUnknown] * 2


@pytest.mark.parametrize(
    "values",
    [
        {"is_won": True},
        {"price_book": "Standard"},
        {"no name": "1"},
        {"invoice_number": ["1"]},
        {"invoice_number": "1", "Tieout_Invoice_Number__c": "2"},
        {"Id": "1"},
    ],
)
def test_a_value_that_no_call_can_carry_is_refused_before_it_is_sent(
    salesforce, org, asked, values
):
    with pytest.raises(InvalidField):
        salesforce.prepare([asked(org.deal(), **values)])


def test_a_record_that_is_told_twice_is_in_two_calls(salesforce, org, asked):
    deal = org.deal()
    parcels = salesforce.prepare(
        [asked(deal, "K-1", invoice_number="1"), asked(deal, "K-2", invoice_status="paid")]
    )
    assert [len(parcel.items) for parcel in parcels] == [1, 1]


def test_the_bytes_hold_neither_host_nor_secret(salesforce, org, asked, front):
    (parcel,) = salesforce.prepare([asked(org.deal(), invoice_number="1")])
    assert front.url not in parcel.body.decode()
    assert not set(org.sessions) & set(json.loads(parcel.body))
