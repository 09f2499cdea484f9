"""The files of a deal go to its invoice in the books, each content once."""

import time
from hashlib import sha256
from pathlib import Path

import pytest
from simulated_world import MAPPINGS

from sync_engine.attach import attach
from sync_engine.ledger.backup import backup, restore

PDF = "%PDF-1.7 a signed contract"
RULES = """
files:
  for: file in files
  names: ["*.pdf", "order*"]
  when: =file.name != "internal"
"""


@pytest.fixture
def filing(world, tmp_path):
    """A world whose mapping sends a deal's files along."""
    world.files = (with_files(tmp_path), MAPPINGS / "hubspot-payment-to-payment.yaml")
    return world


def with_files(folder: Path, rules: str = RULES) -> Path:
    """Return the shipped mapping with a list of files and the rules for them."""
    text = (MAPPINGS / "hubspot-deal-to-invoice.yaml").read_text()
    lines = "  lines: deal.line_items[]"
    assert lines in text
    path = folder / "hubspot-deal-to-invoice.yaml"
    path.write_text(
        text.replace(lines, f"  files: deal.files[]\n{lines}").replace(
            "\ninvoice:\n", f"{rules}\ninvoice:\n", 1
        )
    )
    return path


def attached(world):
    """What hangs on which invoice in the books: names and what each is on, in order."""
    found = [one for one in world.books_truth()["attachments"] if not one["deleted"]]
    return [(one["name"], one["on"]) for one in found]


def test_a_deals_files_hang_on_its_invoice_once(filing, sold):
    deal = sold()
    filing.crm("attach_file", deal, "Contract.pdf", PDF)
    filing.round()
    [invoice] = filing.invoices()
    assert attached(filing) == [("Contract.pdf", [["Invoice", invoice["id"]]])]
    filing.round(3)
    filing.restart()
    filing.round(2)
    assert len(attached(filing)) == 1
    assert filing.codes() == []


def test_the_books_get_the_very_bytes_and_our_marker(filing, sold):
    content = "%PDF-" + "".join(map(chr, range(256))) * 700  # several pieces, with line ends
    filing.crm("attach_file", sold(), "Contract.pdf", content)
    filing.round()
    [one] = filing.books_truth()["attachments"]
    assert one["sha256"] == sha256(content.encode()).hexdigest()
    assert one["media_type"] == "application/pdf"
    assert one["note"].startswith("[TIEOUT:")


def test_the_same_bytes_under_two_names_hang_there_once(filing, sold):
    deal = sold()
    filing.crm("attach_file", deal, "Contract.pdf", PDF)
    filing.crm("attach_file", deal, "Contract (1).pdf", PDF)
    filing.round(2)
    assert len(attached(filing)) == 1


def test_two_deals_with_the_same_file_have_it_on_both_invoices(filing, sold):
    for _ in range(2):
        filing.crm("attach_file", sold(), "Terms.pdf", PDF)
    filing.round(2)
    assert sorted(on[0][1] for _, on in attached(filing)) == sorted(
        one["id"] for one in filing.invoices()
    )


def test_only_the_files_that_the_mapping_names_go_along(filing, sold):
    deal = sold()
    for name in ("Order 7.txt", "internal.pdf", "cat.png", "CONTRACT.PDF"):
        filing.crm("attach_file", deal, name, f"{PDF} {name}")
    filing.round(2)
    assert sorted(name for name, _ in attached(filing)) == ["CONTRACT.PDF", "Order 7.txt"]
    assert filing.codes() == []


def test_a_file_that_comes_after_the_invoice_follows_it(filing, sold):
    deal = sold()
    filing.round()
    filing.crm("attach_file", deal, "Contract.pdf", PDF)
    filing.round()
    assert [name for name, _ in attached(filing)] == ["Contract.pdf"]


def test_nothing_is_attached_before_its_invoice_is_approved(filing, sold):
    filing.approve = "by_hand"
    filing.crm("attach_file", sold(), "Contract.pdf", PDF)
    filing.round(2)
    assert attached(filing) == []
    assert filing.portal.files.given == []


@pytest.mark.parametrize(
    ("name", "content", "size", "code"),
    [
        ("empty.pdf", "", None, "file-empty"),
        ("huge.pdf", PDF, 120 * 1024 * 1024, "file-too-large"),
        ("../../etc/passwd.pdf", PDF, None, "file-name"),
        ("a\r\nX-Evil: 1.pdf", PDF, None, "file-name"),
        ("invoice\u202efdp.pdf", PDF, None, "file-name"),
        ("program.pdf", "MZ\x90\x00 is no PDF", None, "file-type"),
        ("order.exe", "MZ", None, "file-type"),
        ("x" * 1200 + ".pdf", PDF, None, "file-name"),
    ],
)
def test_a_bad_file_is_a_task_and_the_others_go_on(filing, sold, name, content, size, code):
    deal = sold()
    filing.files[0].write_text(filing.files[0].read_text().replace('"order*"', '"*"'))
    filing.crm("attach_file", deal, name, content, size)
    filing.crm("attach_file", deal, "Good.pdf", f"{PDF} good")
    filing.round(2)
    assert [name for name, _ in attached(filing)] == ["Good.pdf"]
    assert filing.codes() == [code]
    filing.round()
    assert filing.codes() == [code]


def test_a_file_that_lies_about_its_length_is_stopped_at_the_limit(filing, sold, monkeypatch):
    deal = sold()
    filing.crm("attach_file", deal, "long.pdf", PDF * 100, 10)
    filing.restart()
    limits = filing.working.pairs["main"].books.capabilities.kinds["attachment"].limits
    monkeypatch.setitem(limits, "size_bytes", 1000)
    filing.round()
    assert filing.codes() == ["file-too-large"]


def test_a_mended_file_closes_its_task_and_goes(filing, sold):
    deal = sold()
    file = filing.crm("attach_file", deal, "Contract.pdf", "no PDF \x00")
    filing.round()
    assert filing.codes() == ["file-type"]
    filing.crm("replace_file", file, PDF)
    filing.crm("edit_deal", deal, {"dealname": "Order with a better file"})
    filing.round()
    assert (filing.codes(), len(attached(filing))) == ([], 1)


def test_a_lost_answer_to_an_upload_is_looked_for_and_not_sent_again(filing, sold):
    filing.crm("attach_file", sold(), "Contract.pdf", PDF)
    filing.fault("books", fault="lose_answer", path="/upload$")
    filing.round()
    time.sleep(filing.quiet_secs)
    filing.round(2)
    assert len(attached(filing)) == 1
    assert filing.codes() == []
    assert not (filing.path / "spool" / "main").exists()


def test_an_upload_that_never_arrived_is_sent_again(filing, sold):
    filing.crm("attach_file", sold(), "Contract.pdf", PDF)
    filing.fault("books", fault="refuse", path="/upload$")
    filing.round()
    time.sleep(filing.quiet_secs)
    filing.round(3)
    assert len(attached(filing)) == 1


def test_a_ledger_that_was_lost_attaches_nothing_twice(filing, sold):
    filing.crm("attach_file", sold(), "Contract.pdf", PDF)
    filing.round()
    filing.opened.close()
    for file in filing.path.glob("ledger.db*"):
        file.unlink()
    filing.restart()
    filing.round()
    time.sleep(filing.quiet_secs)
    filing.round(2)
    assert len(filing.invoices()) == 1
    assert len(attached(filing)) == 1
    assert filing.codes() == []


@pytest.mark.parametrize("is_planned", [False, True], ids=["unknown then", "planned then"])
def test_what_was_attached_since_the_backup_is_not_attached_again(
    filing, sold, tmp_path, is_planned
):
    """The books may have forgotten the asking: only what they hold proves it."""
    deal = sold()
    filing.round()
    target = tmp_path / "backup.db"
    filing.crm("attach_file", deal, "Contract.pdf", PDF)
    if is_planned:
        filing.working.look()
        attach(filing.working.ledger, filing.working.pairs["main"], filing.now())
    backup(filing.working.ledger, target, filing.now)
    filing.round()
    filing.remember_requests(0)
    filing.opened.close()
    restore(target, filing.path / "ledger.db", filing.now, "ann")
    filing.restart()
    filing.round(3, wait=True)
    assert len(attached(filing)) == 1


def test_a_file_is_not_sent_again_when_its_invoice_had_no_answer_yet_at_the_backup(filing, sold):
    """The ledger finds the invoice after the restore, and one that is no more hung the file on it."""
    filing.crm("attach_file", sold(), "Contract.pdf", PDF)
    filing.fault("books", fault="lose_answer", method="POST", path="/invoice$")
    filing.round()
    target = filing.path / "backup.db"
    backup(filing.working.ledger, target, filing.now)
    time.sleep(filing.quiet_secs)
    filing.round(2)
    assert len(attached(filing)) == 1
    filing.remember_requests(0)
    filing.opened.close()
    restore(target, filing.path / "ledger.db", filing.now, "ann")
    filing.restart()
    filing.round(3, wait=True)
    assert len(attached(filing)) == 1
    assert filing.codes() == []
