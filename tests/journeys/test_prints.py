"""The books' PDF of an invoice goes to its deal, once, and again when it was amended if so said."""

import time
from base64 import b64encode

import pytest
from crm_files import open_filing

from sync_engine.standing import Choice, Way
from tieout.model.crediting import Extent

ONCE = "\npdf: once\n"
AMENDED = ["357", "178.5"]  # what each edition comes to, with its tax
CRMS = ("hubspot", "salesforce", "dynamics365")
SENT = {  # the call that puts it there
    "hubspot": ("POST", "/notes$"),
    "salesforce": ("POST", "/sobjects/ContentVersion$"),
    "dynamics365": ("PATCH", r"/annotations\("),
}


@pytest.fixture(params=CRMS)
def filing(request, tmp_path):
    with open_filing(request.param, tmp_path, ONCE) as made:
        yield made


def quiet(filing):
    """Wait until nothing can be on its way any more."""
    time.sleep(filing.world.quiet_secs)


def test_a_posted_invoices_pdf_hangs_on_its_deal_once(filing):
    deal = filing.sold()
    filing.world.round()
    [invoice] = filing.world.invoices()
    [(name, content)] = filing.printed(deal)
    assert name == f"Invoice-{invoice['doc_number']}.pdf"
    assert content.startswith(b"%PDF-")
    assert f"Invoice {invoice['doc_number']}".encode() in content
    filing.world.round(2)
    filing.world.restart()
    filing.world.round(2)
    assert (len(filing.printed(deal)), filing.world.company.prints) == (1, 1)
    assert filing.world.codes() == []
    assert not (filing.world.path / "spool" / "main").exists()


def test_nothing_is_printed_unless_the_mapping_asks_for_it(filing):
    filing.say("")
    deal = filing.sold()
    filing.world.round(2)
    assert (filing.printed(deal), filing.world.company.prints) == ([], 0)


def test_what_was_there_before_is_printed_when_its_deal_moves(filing):
    filing.say("")
    deal = filing.sold()
    filing.world.round(2)
    filing.say(ONCE)
    filing.world.restart()
    filing.edit(deal, "Order, looked at again")
    filing.world.round(2)
    assert len(filing.printed(deal)) == 1


def test_a_lost_answer_is_looked_for_and_not_sent_again(filing):
    deal = filing.sold()
    method, path = SENT[filing.crm]
    filing.world.fault("crm", fault="lose_answer", path=path, method=method)
    filing.world.round()
    quiet(filing)
    filing.world.round(2)
    assert (len(filing.printed(deal)), filing.world.company.prints) == (1, 1)
    assert filing.world.codes() == []


def test_one_that_never_arrived_is_sent_again_with_the_same_bytes(filing):
    deal = filing.sold()
    method, path = SENT[filing.crm]
    filing.world.fault("crm", fault="refuse", path=path, method=method)
    filing.world.round()
    quiet(filing)
    filing.world.round(3)
    assert (len(filing.printed(deal)), filing.world.company.prints) == (1, 1)


def test_what_the_crm_refuses_is_a_task_and_printed_anew_when_answered(filing):
    deal = filing.sold()
    words = filing.refuse_files("No invoices here.")
    filing.world.round()
    [code] = filing.world.codes()
    assert filing.printed(deal) == []
    assert words in filing.world.tasks()[code]["message"]
    filing.accept_files()
    filing.world.answer(code, "retry")
    filing.world.round(2)
    assert (len(filing.printed(deal)), filing.world.company.prints) == (1, 2)
    assert filing.world.codes() == []


def test_a_ledger_that_was_lost_prints_nothing_twice(filing):
    deal = filing.sold()
    filing.world.round()
    filing.world.opened.close()
    for file in filing.world.path.glob("ledger.db*"):
        file.unlink()
    filing.world.restart()
    filing.world.round()
    quiet(filing)
    filing.world.round(2)
    assert len(filing.world.invoices()) == 1
    assert len(filing.printed(deal)) == 1
    assert filing.world.codes() == []


def test_of_a_pdf_that_a_person_copied_no_third_is_made_after_a_loss(tmp_path):
    with open_filing("salesforce", tmp_path, ONCE) as filing:
        deal = filing.sold()
        filing.world.round()
        org = filing.world.org
        [ours] = [
            one for one in org.tables["ContentVersion"].records.values() if one["Description"]
        ]
        [(name, content)] = filing.printed(deal)
        copy = filing.world.crm("attach", deal, name, b64encode(content).decode())
        org.tables["ContentVersion"].records[copy]["Description"] = ours["Description"]
        filing.world.opened.close()
        for file in filing.world.path.glob("ledger.db*"):
            file.unlink()
        filing.world.restart()
        filing.world.round()
        quiet(filing)
        filing.world.round(2)
        assert (len(filing.printed(deal)), filing.world.codes()) == (2, [])


def test_books_that_print_nothing_now_are_asked_again_next_round(filing):
    deal = filing.sold()
    filing.world.fault("books", fault="status", status=500, path="/pdf$")
    filing.world.round()
    assert (filing.printed(deal), filing.world.codes()) == ([], ["print-unread"])
    filing.world.round(2)
    assert (len(filing.printed(deal)), filing.world.codes()) == (1, [])


def test_an_invoice_that_is_voided_before_its_pdf_was_read_is_not_printed_and_asks_nothing(filing):
    deal = filing.sold()
    filing.world.fault("books", fault="status", status=500, path="/pdf$", count=1)
    filing.world.round()
    assert filing.world.codes() == ["print-unread"]
    [invoice] = filing.world.invoices()
    filing.world.books("void", id=invoice["id"])
    filing.world.round(3)
    assert filing.printed(deal) == []
    assert "print-unread" not in filing.world.codes()


def test_what_is_no_pdf_is_not_sent(filing):
    deal = filing.sold()
    filing.world.fault("books", fault="html", status=200, path="/pdf$", count=None)
    filing.world.round(2)
    assert (filing.printed(deal), filing.world.codes()) == ([], ["print-unread"])


def test_a_pdf_that_is_too_large_is_a_task_and_the_others_go_on(filing, monkeypatch):
    large, small = filing.sold(), filing.sold()
    filing.world.restart()
    limits = filing.world.working.pairs["main"].crm.capabilities.kinds["print"].limits
    monkeypatch.setitem(limits, "size_bytes", 4_096)
    filing.world.company.print_padding = 10_000
    filing.world.round()
    assert filing.world.codes() == ["print-too-large", "print-too-large"]
    assert (filing.printed(large), filing.printed(small)) == ([], [])
    assert len(filing.world.invoices()) == 2


def test_a_pdf_beyond_what_the_organization_allows_is_a_task(tmp_path):
    with open_filing("dynamics365", tmp_path, ONCE) as filing:
        filing.world.org.max_upload_chars = 8_000
        filing.world.company.print_padding = 6_001
        deal = filing.sold()
        filing.world.round(2)
        assert (filing.printed(deal), filing.world.codes()) == ([], ["invalid-field"])
        assert "too big" in filing.world.tasks()["invalid-field"]["message"]


def test_a_note_that_is_there_already_is_ours_and_not_made_again(tmp_path):
    """The answer is lost and a person asks again before anybody looked: the id is its own proof."""
    with open_filing("dynamics365", tmp_path, ONCE) as filing:
        deal = filing.sold()
        method, path = SENT["dynamics365"]
        filing.world.fault("crm", fault="lose_answer", path=path, method=method)
        filing.world.fault("crm", fault="status", status=404, path=r"/annotations\(", count=1)
        filing.world.round()
        quiet(filing)
        filing.world.round(3)
        assert len(filing.printed(deal)) == 1
        assert filing.world.codes() == []


def test_what_tieout_put_there_is_none_of_the_deals_files(filing):
    """Else the invoice's own PDF would be attached to the invoice."""
    filing.say(f'{ONCE}\nfiles:\n  for: file in files\n  names: ["*.pdf"]\n')
    deal = filing.sold()
    filing.put(deal, "Contract.pdf", b"%PDF-1.7 a signed contract")
    filing.world.round()
    filing.edit(deal, "Order, looked at again")
    filing.world.round(2)
    filing.world.restart()
    filing.edit(deal, "Order, looked at once more")
    filing.world.round(2)
    assert filing.names() == ["Contract.pdf"]
    assert len(filing.printed(deal)) == 1
    assert filing.world.codes() == []


def test_a_hubspot_upload_that_broke_off_leaves_one_file_and_one_note(tmp_path):
    with open_filing("hubspot", tmp_path, ONCE) as filing:
        deal = filing.sold()
        for path in ("/files$", "/notes$"):
            filing.world.fault("crm", fault="refuse", path=path, method="POST", after_commit=True)
            filing.world.round()
            quiet(filing)
        filing.world.round(2)
        assert len(filing.printed(deal)) == 1
        assert len(list(filing.world.portal.files.live())) == 1
        assert filing.world.codes() == []


@pytest.mark.parametrize(("asked", "prints"), [("once", AMENDED[:1]), ("amended", AMENDED)])
def test_an_amended_invoice_is_printed_again_if_the_mapping_says_so(tmp_path, asked, prints):
    with open_filing("hubspot", tmp_path, f"\npdf: {asked}\n") as filing:
        world, deal = filing.world, filing.sold()
        world.round()
        line = world.deal(deal)["lines"][0]["id"]
        world.crm("edit_line", line, {"quantity": "1"})
        world.crm("edit_deal", deal, {"amount": "150.00"})
        world.round()
        choice = Choice(Way.AMEND, Extent())
        world.working.correct(f"deal:{deal}", choice, who="ann", reason="one piece less")
        world.round(3)
        assert [one["net"] for one in world.invoices()] == [150]
        shown = [content for _, content in filing.printed(deal)]
        assert len(shown) == len(prints)
        assert all(net.encode() in content for net, content in zip(prints, shown, strict=True))
        world.books(
            "receive_payment", invoices={"1": None}
        )  # its version moves, and it is no other
        world.round(2)
        assert (len(filing.printed(deal)), world.codes()) == (len(prints), [])
