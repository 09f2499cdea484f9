"""What ``tieout init`` copies."""

import re

import pytest

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit
from tieout.app.cli.init import copied
from tieout.app.crms import ALL, CHOICES, CRMS, chosen
from tieout.app.settings import load
from tieout.app.starter import names_of, starter
from tieout.model.errors import ConfigError


def test_the_starter_loads_and_points_at_this_machine():
    companies = load(starter()).companies

    addresses = [company.url for company in companies.values() if company.url]
    assert [address.on_this_machine for address in addresses] == [True, True]
    assert companies["books"].quiet_secs == 2  # a make-believe company's late commits are sooner


@pytest.mark.parametrize("choice", CHOICES)
def test_each_choice_has_its_crms_at_their_simulators_and_a_pair_for_each(tmp_path, choice):
    crms = chosen(choice)
    copied(starter(), tmp_path, crms)
    settings = load(tmp_path)

    books = settings.companies["books"]
    for crm, (company_name, pair_name) in zip(crms, names_of(crms).values(), strict=True):
        company, pair = settings.companies[company_name], settings.pairs[pair_name]
        assert (company.system, company.id) == (crm.system, crm.company_id)
        assert company.url.url == f"http://127.0.0.1:{crm.port}"
        assert (pair.source, pair.target, pair.mappings) == (company_name, "books", crm.mappings)
    assert len(settings.companies) == len(crms) + 1
    assert len(settings.pairs) == len(crms)
    assert books.system == "quickbooks"


def test_the_command_says_which_simulators_are_of_its_choice(directory, capsys):
    into = directory.parent / "of-all"

    assert exit_code(["init", "--crm", "all", str(into)]) == Exit.DONE
    assert "then tieout simulate --crm all in another terminal" in capsys.readouterr().out
    assert list(load(into).pairs) == list(CRMS)


def test_every_key_that_a_choice_names_is_there(tmp_path):
    copied(starter(), tmp_path, chosen(ALL))

    named = re.findall(r"file:(simulators/\S+)", (tmp_path / "tieout.yaml").read_text())
    assert {name for name in named if not (tmp_path / name).is_file()} == set()
    assert len(named) == 7


def test_a_copy_that_was_cut_off_is_completed_by_the_next(tmp_path):
    files = copied(starter(), tmp_path)
    (tmp_path / files[-1]).rename(tmp_path / f"{files[-1]}.part")

    assert copied(starter(), tmp_path) == files
    assert (tmp_path / files[-1]).read_bytes() == (starter() / files[-1]).read_bytes()


def test_a_configuration_that_is_there_is_not_written_again(tmp_path):
    (first, *_) = copied(starter(), tmp_path)
    with pytest.raises(ConfigError, match="is there already"):
        copied(starter(), tmp_path)

    (tmp_path / "tieout.yaml").write_text("companies: {}\n")
    (tmp_path / first).unlink()
    with pytest.raises(ConfigError, match=r"tieout\.yaml is there already"):
        copied(starter(), tmp_path)
    assert not (tmp_path / first).exists()
