"""Records that a query left out: Salesforce itself says of each what became of it, in few calls."""

import json

import pytest
from recording import listen

from connectors.salesforce import soql
from tieout.model.record import Gone, Record, Unreadable
from tieout.simulator.salesforce import salesforce_app

PARTS = 25


@pytest.fixture
def heard(front, org):
    """What is asked of the org from now on."""
    asked = []
    front.app = salesforce_app(org)
    org.faults = front.app.state.faults
    listen(front.app, asked)
    return asked


def made_up(n):
    return soql.whole_id(f"006{n:012d}")


@pytest.mark.parametrize(("absent", "calls"), [(1, [1]), (PARTS, [25]), (60, [25, 25, 10])])
def test_what_is_not_there_is_asked_for_25_in_a_call(heard, opened, org, absent, calls):
    session = opened()
    deal = org.deal()
    refs = [org.ref("deal", one) for one in [deal, *map(made_up, range(9_000, 9_000 + absent))]]
    there, *gone = session.fetch(refs)
    assert isinstance(there, Record)
    assert [one.ref for one in gone] == refs[1:]
    assert {type(one) for one in gone} == {Gone}
    assert all(one.evidence.startswith("NOT_FOUND") for one in gone)
    sent = [json.loads(one.asked) for one in heard if one.path.endswith("/composite")]
    assert [len(one["compositeRequest"]) for one in sent] == calls
    assert len(heard) == 1 + len(calls)


class Between(list):
    """Lets something happen in the org as soon as its first answer was given."""

    def __init__(self, happen):
        super().__init__()
        self.happen = happen

    def append(self, one):
        if not self:
            self.happen()
        super().append(one)


def test_each_has_an_answer_of_its_own(front, opened, org):
    """One comes into sight after the query, one is in the bin by then, one never was."""
    session = opened()
    kept, binned = org.deal(), org.deal()
    records = org.tables["Opportunity"].records
    late = {kept: records.pop(kept), binned: {**records.pop(binned), "IsDeleted": True}}
    front.app = salesforce_app(org)
    listen(front.app, Between(lambda: records.update(late)))
    first, second, third = session.fetch(
        [org.ref("deal", one) for one in (kept, binned, made_up(9_000))]
    )
    assert isinstance(first, Unreadable)
    assert "left it out" in str(first.error)
    assert [one.evidence.split()[0] for one in (second, third)] == [
        "ENTITY_IS_DELETED",
        "NOT_FOUND",
    ]
