"""The files of a deal go to its invoice from each CRM, each content once, and bad ones wait."""

from hashlib import sha256

import pytest
from crm_files import CRMS, open_filing

PDF = b"%PDF-1.7 a signed contract"
MEGABYTE = 1024 * 1024


@pytest.fixture(params=CRMS)
def filing(request, tmp_path):
    with open_filing(request.param, tmp_path) as made:
        yield made


def test_a_deals_files_hang_on_its_invoice_once(filing):
    deal = filing.sold()
    filing.put(deal, "Contract.pdf", PDF)
    filing.world.round(2)
    [invoice] = filing.world.invoices()
    assert filing.attached() == [("Contract.pdf", [["Invoice", invoice["id"]]])]
    filing.world.restart()
    filing.world.round(2)
    assert len(filing.attached()) == 1
    assert filing.world.codes() == []


def test_the_books_get_the_very_bytes(filing):
    content = b"%PDF-" + "".join(map(chr, range(256))).encode() * 700 + b"x"
    filing.put(filing.sold(), "Contract.pdf", content)
    filing.world.round(2)
    [one] = filing.world.books_truth()["attachments"]
    assert (one["sha256"], one["media_type"]) == (sha256(content).hexdigest(), "application/pdf")


def test_a_new_version_goes_beside_the_first_when_the_deal_moves(filing):
    deal = filing.sold()
    file = filing.put(deal, "Contract.pdf", PDF)
    filing.world.round(2)
    filing.replace(file, PDF + b", amended")
    filing.edit(deal, "Order, amended")
    filing.world.round(2)
    held = [one["sha256"] for one in filing.world.books_truth()["attachments"]]
    assert held == [sha256(one).hexdigest() for one in (PDF, PDF + b", amended")]


@pytest.mark.parametrize(
    ("name", "content", "size", "code"),
    [
        ("empty.pdf", b"", None, "file-empty"),
        ("huge.pdf", PDF, 120 * MEGABYTE, "file-too-large"),
        ("..\\..\\passwd.pdf", PDF, None, "file-name"),
        ("a\r\nX-Evil: 1.pdf", PDF, None, "file-name"),
        ("invoice\u202efdp.pdf", PDF, None, "file-name"),
        ("program.pdf", b"MZ\x00 is no PDF", None, "file-type"),
        ("order.exe", b"MZ", None, "file-type"),
    ],
)
def test_a_bad_file_is_a_task_and_the_others_go_on(filing, name, content, size, code):
    deal = filing.sold()
    filing.put(deal, name, content, size)
    filing.put(deal, "Good.pdf", PDF)
    filing.world.round(2)
    assert filing.names() == ["Good.pdf"]
    assert filing.world.codes() == [code]
    filing.world.round()
    assert filing.world.codes() == [code]
    [invoice] = filing.world.invoices()
    assert invoice["doc_number"], "the invoice waits for no file"


@pytest.mark.parametrize("told", [len(PDF) + 1, len(PDF) - 1])
def test_a_file_of_another_length_than_the_crm_says_is_not_attached(filing, told):
    """An answer without a length that is cut short looks whole."""
    deal = filing.sold()
    file = filing.put(deal, "Contract.pdf", PDF, told)
    filing.put(deal, "Good.pdf", PDF + b" whole")
    filing.world.round(2)
    assert (filing.names(), filing.world.codes()) == (["Good.pdf"], ["file-unread"])
    said = filing.world.tasks()["file-unread"]["message"]
    assert f"{len(PDF)} bytes came of the {told}" in said
    filing.replace(file, PDF)
    filing.edit(deal, "Order, and the file again")
    filing.world.round(2)
    assert (sorted(filing.names()), filing.world.codes()) == (["Contract.pdf", "Good.pdf"], [])


def test_a_mended_file_closes_its_task_and_goes(filing):
    deal = filing.sold()
    file = filing.put(deal, "Contract.pdf", b"no PDF \x00")
    filing.world.round()
    assert filing.world.codes() == ["file-type"]
    filing.replace(file, PDF)
    filing.edit(deal, "Order with a better file")
    filing.world.round(2)
    assert (filing.world.codes(), len(filing.attached())) == ([], 1)
