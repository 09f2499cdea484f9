"""A file between the CRM and the books: what lies on this machine, and what is gone before it went."""

import shutil

import pytest
from crm_files import open_filing

PDF = b"%PDF-1.7 a signed contract"


@pytest.fixture
def filing(tmp_path):
    with open_filing("hubspot", tmp_path) as made:
        yield made


def lying_here(filing):
    """The files that lie beside the ledger."""
    return [path.name for path in (filing.world.path / "spool").glob("*/*")]


def may_go_again_now(ledger):
    """The pause that the books asked for is over."""
    with ledger.transaction() as tx:
        for row in tx.all("parcels_again", pair="main"):
            tx.run("parcel_state", request_id=row["request_id"], state="again")


def test_what_has_arrived_lies_here_no_more(filing):
    filing.put(filing.sold(), "Contract.pdf", PDF)
    filing.world.round()
    assert len(filing.attached()) == 1
    assert lying_here(filing) == []


def test_what_was_refused_for_now_stays_at_hand_and_is_not_read_again(filing):
    filing.put(filing.sold(), "Contract.pdf", PDF)
    filing.world.fault("books", fault="status", status=429, retry_after=600, path="/upload$")
    filing.world.round()
    assert (len(filing.attached()), len(lying_here(filing))) == (0, 1)


def test_a_file_that_is_gone_before_it_went_is_told_and_the_others_go_on(filing):
    first, second = filing.sold(), filing.sold()
    file = filing.put(first, "Contract.pdf", PDF)
    filing.world.fault("books", fault="status", status=429, retry_after=600, path="/upload$")
    filing.world.round()
    filing.world.mend("books")
    shutil.rmtree(filing.world.path / "spool")
    filing.world.crm("delete_file", file)
    filing.put(second, "Terms.pdf", PDF + b" others")
    filing.world.restart()
    may_go_again_now(filing.world.working.ledger)
    filing.world.round(2)
    assert [name for name, _ in filing.attached()] == ["Terms.pdf"]
    assert len(filing.world.codes()) == 1
