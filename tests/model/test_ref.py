"""A document has one name for ever; its marker is found again in any memo."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.errors import ValueRefused
from tieout.model.ref import (
    MAX_GENERATION,
    REQUEST_ID_LENGTH,
    Key,
    Ref,
    crockford,
    find_marker,
    request_id,
)

DEAL = Ref("hubspot:123", "deal", "901")
NAMED = {"mapping": "deal-to-invoice", "document": "invoice", "target_company": "quickbooks:9"}
words = st.text(max_size=30)
keys = st.builds(Key, words.map(crockford), st.integers(1, MAX_GENERATION))


def test_a_ref_is_shown_as_people_say_it():
    assert str(DEAL) == "deal 901"


@given(words, words, words)
def test_a_key_is_the_same_each_time_it_is_asked_for(id_, mapping, part):
    def ask():
        return Key.of(
            Ref("hubspot:123", "deal", id_),
            mapping=mapping,
            document="invoice",
            target_company="quickbooks:9",
            part=part,
        )

    assert ask() == ask()
    assert re.fullmatch(r"[0-9A-HJKMNP-TV-Z]{16}-1", str(ask()))


@pytest.mark.parametrize(
    "other",
    [
        {"source": Ref("hubspot:124", "deal", "901")},
        {"source": Ref("hubspot:123", "ticket", "901")},
        {"source": Ref("hubspot:123", "deal", "902")},
        {"mapping": "deal-to-credit"},
        {"document": "payment"},
        {"target_company": "quickbooks:10"},
        {"part": "2"},
    ],
)
def test_whatever_a_document_is_made_of_is_in_its_stem(other):
    named = {"source": DEAL, **NAMED, **other}
    assert Key.of(named.pop("source"), **named).stem != Key.of(DEAL, **NAMED).stem


def test_words_that_run_together_name_two_documents():
    one = Key.of(Ref("a", "b", "c"), mapping="d", document="e", target_company="f")
    assert one != Key.of(Ref("ab", "", "c"), mapping="d", document="e", target_company="f")


def test_a_reissue_has_the_same_stem_and_the_next_generation():
    first = Key.of(DEAL, **NAMED)
    assert first.next_generation() == Key(first.stem, 2)
    assert Key.of(DEAL, **NAMED, generation=2) == first.next_generation()


def test_a_document_cannot_be_issued_more_often_than_a_marker_can_say():
    last = Key(crockford("a"), MAX_GENERATION)
    assert find_marker(last.marker) == last
    with pytest.raises(ValueRefused, match="was issued 9999 times"):
        last.next_generation()


def test_a_stored_key_never_changes_between_releases():
    assert str(Key.of(DEAL, **NAMED)) == "BFB2SB3RDVRPZRAF-1"


@given(keys)
def test_a_key_is_read_as_it_is_written(key):
    assert Key.parse(str(key)) == key
    assert Key.parse(str(key).lower()) == key


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "0123456789ABCDEF",
        "0123456789ABCDEF-0",
        "0123456789ABCDEF-01",
        "0123456789ABCDEF-10000",
        "0123456789ABCDEI-1",
        "0123456789ABCDEF-1\n",
        "x" * 9999,
    ],
)
def test_what_is_no_key_is_refused(text):
    with pytest.raises(ValueRefused, match="is not a key"):
        Key.parse(text)


@given(keys, words, words)
def test_a_marker_is_found_wherever_it_stands_in_a_memo(key, before, after):
    assert find_marker(f"{before} {key.marker}") == key
    assert find_marker(f"{key.marker} {after}") == key
    assert find_marker(f"{before}{key.marker.lower()}{after}") == key


@given(keys, keys)
def test_of_two_markers_the_last_counts(one, other):
    assert find_marker(f"{one.marker} copied {other.marker}") == other


@given(words)
def test_a_memo_without_a_marker_has_none(memo):
    assert find_marker(memo) is None


@pytest.mark.parametrize(
    "memo",
    [
        None,
        "",
        "[TIEOUT:]",
        "TIEOUT:0123456789ABCDEF-1",
        "[TIEOUT:0123456789ABCDEF]",
        "[TIEOUT:0123456789ABCDEU-1]",
        "[TIEOUT:0123456789ABCDE\u212a-1]",
        "[TIEOUT:0123456789ABCDEF-１]",
        "[TIEOUT:0123456789ABCDEF-12345]",
    ],
)
def test_what_only_resembles_a_marker_is_none(memo):
    assert find_marker(memo) is None


def test_a_marker_shows_stem_and_generation():
    assert Key("0123456789ABCDEF", 12).marker == "[TIEOUT:0123456789ABCDEF-12]"


@given(words, words)
def test_a_request_id_is_the_same_for_the_same_asking_and_no_other(one, other):
    assert request_id("key", "create", one) == request_id("key", "create", one)
    assert (request_id("key", one) == request_id("key", other)) == (one == other)
    assert request_id(one, other) != request_id(one + other)


@given(words)
def test_a_request_id_fits_a_batch_and_a_query(body):
    """QuickBooks allows 36 in a batch (R22)."""
    assert re.fullmatch(r"[0-9a-f]{36}", request_id("key", body))
    assert REQUEST_ID_LENGTH == 36


def test_half_a_letter_has_a_name_too():
    """A system that cuts a text within a letter leaves half a surrogate pair."""
    assert crockford("\ud83d") != crockford("")
    assert request_id("\ud83d") != request_id("")
