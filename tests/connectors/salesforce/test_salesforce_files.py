"""The files of opportunities: their bytes, by the session of the moment."""

import base64

import pytest

from tieout.model.errors import NotFound, QuotaExhausted, Unauthorized
from tieout.simulator.salesforce import deeds

PDF = base64.b64encode(b"%PDF-1.7").decode()


@pytest.fixture
def file(org):
    return org.ref("file", deeds.attach(org, org.deal(), "order.pdf", PDF))


def test_a_file_is_read_with_a_renewed_session(org, salesforce, file):
    org.faults.add(fault="status", status=401, path="/VersionData$")
    taken = []
    salesforce.read_file(file, taken.append)
    assert b"".join(taken) == b"%PDF-1.7"
    org.faults.add(fault="status", status=401, path="/VersionData$", count=None)
    with pytest.raises(Unauthorized):
        salesforce.read_file(file, taken.append)


def test_the_latest_version_is_the_deals_file(org, salesforce):
    deal = org.deal()
    first = deeds.attach(org, deal, "order.pdf", PDF)
    later = deeds.replace_file(org, first, base64.b64encode(b"%PDF-1.7 later").decode())
    [files] = salesforce.related([org.ref("deal", deal)], "files")
    assert [ref.id for ref in files.refs] == [later]
    [record] = salesforce.fetch(files.refs)
    shown = {name: record.fields[name] for name in ("name", "extension", "file_type")}
    assert shown == {"name": "order", "extension": "pdf", "file_type": "PDF"}


def test_a_file_counts_as_a_call_of_the_day(org, salesforce, file):
    org.daily_limit = len(org.calls)
    with pytest.raises(QuotaExhausted):
        salesforce.read_file(file, len)


def test_what_is_no_id_is_asked_of_nobody(org, salesforce):
    before = dict(salesforce.calls)
    with pytest.raises(NotFound):
        salesforce.read_file(org.ref("file", "../../limits"), len)
    assert dict(salesforce.calls) == before
