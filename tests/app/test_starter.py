"""What ``tieout init`` copies."""

from tieout.app.settings import load
from tieout.app.starter import starter


def test_the_starter_loads_and_points_at_this_machine():
    companies = load(starter()).companies.values()

    assert [company.url.on_this_machine for company in companies if company.url] == [True, True]
