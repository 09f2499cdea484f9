"""The hash covers what the other system would be told, and nothing else."""

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tieout.model.canonical import plain
from tieout.model.change import Create, Finding, Plan, Severity, Update, Verb, Void
from tieout.model.money import Money
from tieout.model.ref import Ref, Version

REF = Ref("quickbooks:9", "invoice", "145")
VALUES = {"customer": "58", "date": "2026-03-31", "lines": [{"amount": "10.5"}]}
CHANGES = [
    Create("invoice", VALUES),
    Update(REF, Version("3"), VALUES, {"date": "2026-03-30"}),
    Void(REF, Version("3"), VALUES),
]


def plan(change, **more):
    named = {"key": "0123456789ABCDEF-1", "mapping": "deal-to-invoice", "mapping_version": 3}
    return Plan(**{**named, **more}, change=change)


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "other",
    [
        {"key": "0123456789ABCDEF-2"},
        {"mapping": "other"},
        {"mapping_version": 4},
        {"along": ("0a1b",)},
    ],
)
def test_key_mapping_and_its_version_are_approved(change, other):
    assert plan(change, **other).hash != plan(change).hash


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize(
    "other",
    [
        {"title": "Rollout"},
        {"needs": ("FEDCBA9876543210-1",)},
        {"findings": (Finding("twin?", Severity.ASK, "Is it the same?"),)},
        {"net": Money.of(1, "EUR")},
        {"expected": Money.of(1, "EUR")},
        {"tolerance": Money.of(1, "EUR")},
        {"source": Ref("hubspot:1", "deal", "2")},
    ],
)
def test_what_is_only_shown_is_not_approved(change, other):
    assert plan(change, **other).hash == plan(change).hash


@pytest.mark.parametrize("change", CHANGES[1:])
def test_the_version_that_was_read_is_not_approved(change):
    assert plan(replace(change, version=Version("4"))).hash == plan(change).hash


@pytest.mark.parametrize("change", CHANGES[1:])
@pytest.mark.parametrize(
    "other",
    [
        {"ref": replace(REF, id="146")},
        {"ref": replace(REF, company="quickbooks:10")},
        {"ref": replace(REF, kind="payment")},
        {"before": {"date": "2026-03-29"}},
        {"before": {}},
    ],
)
def test_the_target_and_what_is_replaced_are_approved(change, other):
    assert plan(replace(change, **other)).hash != plan(change).hash


def test_a_create_s_kind_is_approved():
    assert plan(Create("payment", VALUES)).hash != plan(Create("invoice", VALUES)).hash


@pytest.mark.parametrize("change", CHANGES[:2])
@pytest.mark.parametrize(
    "values",
    [
        {},
        {**VALUES, "customer": "59"},
        {**VALUES, "memo": ""},
        {**VALUES, "memo": None},
        {**VALUES, "lines": [{"amount": "10.51"}]},
        {**VALUES, "lines": [{"amount": "10.5"}, {"amount": "0"}]},
        {**VALUES, "customer": 58},
    ],
)
def test_each_value_is_approved(change, values):
    assert plan(replace(change, values=values)).hash != plan(change).hash


def test_the_three_verbs_of_one_record_have_three_hashes():
    assert len({plan(change).hash for change in CHANGES}) == 3
    assert [change.verb for change in CHANGES] == [Verb.CREATE, Verb.UPDATE, Verb.VOID]
    assert [change.kind for change in CHANGES] == ["invoice"] * 3
    assert CHANGES[2].values == {}


@given(st.sampled_from(["10.5", "10.50", "10.500", "1.05E+1"]), st.randoms())
def test_the_same_change_written_otherwise_has_the_same_hash(amount, random):
    written = {"customer": "58", "date": "2026-03-31", "lines": [{"amount": Decimal(amount)}]}
    shuffled = list(plain(written).items())
    random.shuffle(shuffled)
    assert plan(Create("invoice", dict(shuffled))).hash == plan(CHANGES[0]).hash


def test_a_hash_is_64_hexadecimal_digits_and_stays_between_releases():
    """Approvals are stored: another spelling would let all of them fall."""
    assert (
        plan(CHANGES[1]).hash == "8eaa31e9adc326f464ef0bfce166483aeb7e7ebcf3a11b99fa8b47641e9b7b2e"
    )


@pytest.mark.parametrize(
    ("severities", "blocked"),
    [
        ((), False),
        ((Severity.WARN,), False),
        ((Severity.ASK,), True),
        ((Severity.WARN, Severity.BLOCK), True),
    ],
)
def test_a_plan_is_blocked_until_it_is_mended_and_answered(severities, blocked):
    findings = tuple(Finding("code", severity, "Why.") for severity in severities)
    assert plan(CHANGES[0], findings=findings).blocked is blocked
