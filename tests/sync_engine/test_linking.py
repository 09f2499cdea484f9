"""Which invoice made by hand is which deal's: whatever stands on either side."""

from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from sync_engine.linking import ByHand, Unlinked, contradictions, links

DAYS = 45
FIRST = date(2026, 3, 1)
FEW = st.sampled_from(["a", "b"])  # so that much fits much
NET = st.sampled_from([Decimal(100), Decimal(200)])
DAY = st.integers(0, 60).map(lambda days: FIRST + timedelta(days=days))
TEXTS = st.frozensets(FEW, max_size=1)


def numbered(one):
    return st.lists(one, max_size=7).map(
        lambda made: [build(str(n)) for n, build in enumerate(made)]
    )


UNLINKED = numbered(
    st.builds(
        lambda *told: lambda n: Unlinked(f"k{n}", *told),
        st.none() | FEW,
        st.none() | DAY,
        st.just("EUR"),
        NET,
        TEXTS,
        TEXTS,
        TEXTS,
    )
)
BY_HAND = numbered(
    st.builds(
        lambda number, customer, day, net, words: (
            lambda n: ByHand(n, number, customer, day, "EUR", frozenset({net}), words)
        ),
        st.none() | FEW,
        FEW,
        DAY,
        NET,
        TEXTS,
    )
)


@given(UNLINKED, BY_HAND)
def test_each_document_and_each_record_is_in_exactly_one_place(documents, records):
    found = links(documents, records, days=DAYS)
    linked = [*found.certain, *found.likely]
    keys = [one.key for one in (*linked, *found.questions)] + found.documents
    assert sorted(keys) == sorted(one.key for one in documents)
    assert max(Counter(one.record for one in linked).values(), default=0) <= 1
    asked = {record for one in found.questions for record in one.records}
    parts = [{one.record for one in linked}, asked, set(found.records)]
    assert sorted(record for part in parts for record in part) == sorted(r.id for r in records)


@given(UNLINKED, BY_HAND)
def test_a_certain_link_contradicts_nothing(documents, records):
    known, there = {one.key: one for one in documents}, {one.id: one for one in records}
    for link in links(documents, records, days=DAYS).certain:
        assert contradictions(known[link.key], there[link.record]) == ()


@given(UNLINKED, BY_HAND, st.randoms(use_true_random=False))
def test_the_order_in_which_they_come_links_nothing_else(documents, records, dice):
    found = links(documents, records, days=DAYS)
    mixed, others = list(documents), list(records)
    dice.shuffle(mixed)
    dice.shuffle(others)
    again = links(mixed, others, days=DAYS)
    assert sorted(map(str, found.certain)) == sorted(map(str, again.certain))
    assert sorted(map(str, found.likely)) == sorted(map(str, again.likely))
    assert sorted(found.documents) == sorted(again.documents)


@given(st.integers(0, 60))
def test_a_link_by_amount_is_certain_within_a_week_and_likely_within_the_window(days):
    document = Unlinked("k", "a", FIRST, "EUR", Decimal(100))
    day = FIRST + timedelta(days=days)
    record = ByHand("1", None, "a", day, "EUR", frozenset({Decimal(100)}))
    found = links([document], [record], days=DAYS)
    places = (bool(found.certain), bool(found.likely), bool(found.documents))
    assert places == (days <= 7, 7 < days <= DAYS, days > DAYS)


def test_a_reference_of_another_season_is_likely_and_says_the_date():
    """The order number of a frame contract stands on the sales of years, each of one amount."""
    words = frozenset({"PO-7"})
    document = Unlinked("k", "a", FIRST, "EUR", Decimal(100), words)
    for days, certain in ((DAYS, True), (DAYS + 1, False)):
        day = FIRST - timedelta(days=days)
        record = ByHand("1", None, "a", day, "EUR", frozenset({Decimal(100)}), words)
        found = links([document], [record], days=DAYS)
        differences = [one.differences for one in found.likely]
        assert (len(found.certain), differences) == (certain, [] if certain else [("date",)])
