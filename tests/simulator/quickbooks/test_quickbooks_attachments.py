"""Files on records: an upload's parts, and what is refused of them."""

import json
from datetime import UTC, datetime

import pytest

from tieout.simulator.quickbooks import QuickBooksCompany, attachments, truth_of
from tieout.simulator.quickbooks.refusals import Refused

TYPE = "multipart/form-data; boundary=xyz"
NOTED = {"FileName": "a.pdf", "ContentType": "application/pdf", "Note": "ours"}
NOWHERE = {"EntityRef": {"type": "Invoice", "value": "77"}}


@pytest.fixture
def company():
    return QuickBooksCompany(realm_id="1", now=lambda: datetime(2026, 11, 10, tzinfo=UTC))


def test_r21_the_same_file_uploaded_twice_is_there_twice(company):
    for _ in range(2):
        [answer] = uploaded(company, NOTED, b"%PDF-\r\n--no boundary")
        assert answer["Attachable"]["Size"] == len(b"%PDF-\r\n--no boundary")
    assert len(truth_of(company)["attachments"]) == 2


@pytest.mark.parametrize(
    ("said", "content", "code"),
    [
        ({**NOTED, "FileName": "a.exe"}, b"MZ", "6000"),
        (NOTED, b"", "6000"),
        ({**NOTED, "AttachableRef": [NOWHERE]}, b"%PDF-", "2500"),
        ({**NOTED, "Colour": "red"}, b"%PDF-", "2010"),
    ],
)
def test_r21_each_file_is_refused_on_its_own(company, said, content, code):
    [answer] = uploaded(company, said, content)
    assert answer["Fault"]["Error"][0]["code"] == code


def test_r21_a_body_without_parts_is_refused_whole(company):
    with pytest.raises(Refused, match="2010"):
        attachments.upload(company, TYPE, b"{}")


def uploaded(company, said, content):
    parts = (
        b'--xyz\r\nContent-Disposition: form-data; name="file_metadata_01"\r\n\r\n'
        + json.dumps(said).encode()
        + b'\r\n--xyz\r\nContent-Disposition: form-data; name="file_content_01"\r\n'
        b"Content-Type: application/pdf\r\n\r\n" + content + b"\r\n--xyz--\r\n"
    )
    return attachments.upload(company, TYPE, parts)["AttachableResponse"]
