"""What ``tieout init`` copies."""

import pytest

from tieout.app.cli.init import copied
from tieout.app.settings import load
from tieout.app.starter import starter
from tieout.model.errors import ConfigError


def test_the_starter_loads_and_points_at_this_machine():
    companies = load(starter()).companies

    addresses = [company.url for company in companies.values() if company.url]
    assert [address.on_this_machine for address in addresses] == [True, True]
    assert companies["books"].quiet_secs == 2  # a make-believe company's late commits are sooner


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
