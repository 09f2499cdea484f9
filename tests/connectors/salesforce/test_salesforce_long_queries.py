"""However much is asked at once, no statement and no address is longer than Salesforce takes.

The simulator refuses a statement of more than 100,000 characters and an address of more than
16,384 bytes (pages "SOQL and SOSL Limits", "API Request Limits"), so what is answered was within.
"""

import json
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from recording import listen

from connectors.salesforce import soql
from tieout.model.errors import NotFound
from tieout.model.lookup import MARKER, Absent, Found, Lookup
from tieout.simulator.salesforce import salesforce_app

STATEMENT_CHARS = 100_000
ADDRESS_BYTES = 16_384
MANY = 6_000


@pytest.fixture
def heard(front, org):
    """What is asked of the org from now on."""
    asked = []
    front.app = salesforce_app(org)
    org.faults = front.app.state.faults
    listen(front.app, asked)
    return asked


def longest(heard):
    """The longest address, and the longest statement, of all that was asked."""
    addresses = [
        len(one.path) + 1 + sum(len(quote(f"{k}={v}")) for k, v in one.query.items())
        for one in heard
    ]
    statements = [one.query["q"] for one in heard if "q" in one.query]
    for one in heard:
        if one.path.endswith("/composite"):
            inner = json.loads(one.asked)["compositeRequest"]
            statements += [parse_qs(urlsplit(each["url"]).query)["q"][0] for each in inner]
    return max(addresses), max(map(len, statements))


def made_up(n):
    return soql.whole_id(f"006{n:012d}")


def test_thousands_of_marks_are_looked_for_in_statements_that_are_short_enough(heard, opened, org):
    session = opened()
    deal = org.deal(Tieout_Mark__c="M-0004711")
    wanted = [Lookup("deal", MARKER, f"M-{n:07d}") for n in range(MANY)]
    answers = session.find("deal", wanted)
    assert [n for n, one in enumerate(answers) if isinstance(one, Found)] == [4_711]
    assert answers[4_711].ref.id == deal
    address, statement = longest(heard)
    assert address < ADDRESS_BYTES
    assert 16_384 < statement < STATEMENT_CHARS


def test_long_values_are_looked_for_whole_and_each_is_answered(heard, opened, org):
    """Quotes and signs outside of ASCII are longer in an address than in the statement."""
    org.add_field("Account", "ERP_Id__c", length=255, unique=True)
    session = opened()
    signs = "'\\é株"
    values = [f"{n:04d}{signs * 50}" for n in range(600)]
    org.account(Name="Bär", ERP_Id__c=values[7])
    answers = session.find("company", [Lookup("company", "erp_id__c", one) for one in values])
    assert [n for n, one in enumerate(answers) if isinstance(one, Found)] == [7]
    assert {type(one) for n, one in enumerate(answers) if n != 7} == {Absent}
    address, _ = longest(heard)
    assert address < ADDRESS_BYTES


def test_the_members_of_many_deals_are_read_in_statements_that_are_short_enough(heard, opened, org):
    session = opened()
    deal = org.deal()
    line = org.line(deal, Quantity="1", UnitPrice="5.00")
    refs = [org.ref("deal", one) for one in [*map(made_up, range(20_000, 23_500)), deal]]
    told = list(session.related(refs, "line_items"))
    assert {type(one.error) for one in told[:-1]} == {NotFound}
    assert [ref.id for ref in told[-1].refs] == [line]
    address, statement = longest(heard)
    assert (address < ADDRESS_BYTES, statement < STATEMENT_CHARS) == (True, True)
