"""A deal in several invoices: its files hang on the first of them, or on each if so said."""

import pytest
from crm_files import RULES, open_filing

PDF = b"%PDF-1.7 a signed contract"
HALVES = """
parts:
  - { name: down-payment, percent: 30 }
  - { name: rest, rest: true }
"""
LATER = """
parts:
  - { name: rest, rest: true, date: 2099-05-01 }
  - { name: down-payment, percent: 30 }
"""


@pytest.fixture
def filing(tmp_path):
    with open_filing("hubspot", tmp_path) as made:
        yield made


def split(filing, parts, rules=RULES):
    """Give the mapping these parts, and let the process begin anew."""
    filing.say(rules + parts)
    path = filing.world.files[0]
    path.write_text(path.read_text().partition("\ntests:")[0] + "\n")
    if filing.world.working is not None:
        filing.world.restart()


def hung_on(filing):
    """The nets of the invoices that have the contract, in order."""
    nets = {one["id"]: str(one["net"]) for one in filing.world.invoices()}
    assert all(name == "Contract.pdf" for name, _ in filing.attached())
    return sorted(nets[on[0][1]] for _, on in filing.attached())


def test_the_first_of_several_invoices_gets_the_files(filing):
    split(filing, HALVES)
    filing.put(filing.sold(price="100.00", quantity="1"), "Contract.pdf", PDF)
    filing.world.round(2)
    assert hung_on(filing) == ["30.00"]
    assert filing.world.codes() == []


def test_each_gets_them_where_the_mapping_says_all(filing):
    split(filing, HALVES, f"{RULES}  parts: all\n")
    filing.put(filing.sold(price="100.00", quantity="1"), "Contract.pdf", PDF)
    filing.world.round(3)
    assert hung_on(filing) == ["30.00", "70.00"]


def test_files_wait_for_the_first_though_another_is_posted(filing):
    split(filing, LATER)
    filing.put(filing.sold(price="100.00", quantity="1"), "Contract.pdf", PDF)
    filing.world.round(2)
    assert [str(one["net"]) for one in filing.world.invoices()] == ["30.00"]
    assert hung_on(filing) == []


def test_what_waited_is_forgotten_when_it_belongs_to_the_first_alone(filing):
    split(filing, LATER, f"{RULES}  parts: all\n")
    filing.put(filing.sold(price="100.00", quantity="1"), "Contract.pdf", PDF)
    filing.world.round(2)
    split(filing, HALVES)
    filing.world.round(3)
    assert len(filing.world.invoices()) == 2
    assert hung_on(filing) == ["30.00"]
    assert filing.world.codes() == []
