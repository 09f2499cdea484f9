"""Whatever is asked, the org answers in the vendor's shape and never falls."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tieout.simulator.salesforce.app import DOORS

SOQL = """
SELECT FROM WHERE AND OR NOT IN LIKE ORDER BY ASC DESC NULLS LAST LIMIT OFFSET ( ) , = != < >=
COUNT() TYPEOF WHEN THEN ELSE END Id Name Amount CloseDate IsWon Account.Name Owner.Name What
Opportunity Account Task Contact OpportunityLineItems Description SystemModstamp 'a' '\\q'
'001000000000001AAA' null true 1 -2.5 EUR5 2026-02-30 2026-01-01T00:00:00Z 2026-01-01T99:00:00Z
TODAY LAST_N_DAYS:99999999 ' \\ : .
"""
KEYS = """
Name Amount id attributes type records allOrNone compositeRequest method url referenceId body
FullName Metadata label length precision scale operation query ids fields StageName CloseDate
AccountId OwnerId CurrencyIsoCode valueSet VersionData PathOnClient ParentId Field
"""
WORDS = st.sampled_from(SOQL.split())
NAMES = st.sampled_from(KEYS.split())
QUERIES = st.one_of(
    st.lists(WORDS, max_size=12).map(lambda words: "SELECT " + " ".join(words)),
    st.tuples(WORDS, WORDS, WORDS).map(
        lambda words: "SELECT Id FROM Opportunity WHERE " + " ".join(words)
    ),
)
VALUES = st.recursive(
    st.sampled_from(
        [None, True, 0, -1, 10**30, "", "a", "Opportunity", "Text", "@{a.id}", "NaN", "x" * 300]
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(NAMES, inner, max_size=5)),
    max_leaves=8,
)
PARTS = {
    "kind": ["Opportunity", "Account", "FieldPermissions", "Nope"],
    "id": ["006000000000001AAA", "x", "%2F"],
    "by": ["Id", "Number__c", "006000000000001AAA"],
    "value": ["a", "VersionData", "%00"],
    "field": ["Id", "Number__c", "Nope"],
    "locator": ["0r8000000000001AAA-1", "-"],
    "job": ["750000000000001AAA"],
}
MANY = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def answered(answer):
    """Return the status of an answer that is in shape."""
    assert answer.status < 500, answer.body
    if answer.status >= 400:
        assert answer.json[0]["errorCode"], answer.body
    return answer.status


@MANY
@given(soql=QUERIES, everything=st.booleans())
def test_every_query_is_answered_or_refused_with_a_code(crm, soql, everything):
    answered(crm.query(soql, "queryAll" if everything else "query"))


@MANY
@given(door=st.sampled_from(DOORS), body=VALUES, data=st.data())
def test_every_body_is_answered_or_refused_with_a_code(crm, door, body, data):
    path = door.path.strip("/")
    for word, choices in PARTS.items():
        if f"{{{word}}}" in path:
            path = path.replace(f"{{{word}}}", data.draw(st.sampled_from(choices)))
    answered(crm.ask(door.method, path, body))
