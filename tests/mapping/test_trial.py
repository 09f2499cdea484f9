"""The tests inside a file pass, or say what came instead, with line and cause."""

import time
import tomllib
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest

from mapping.compiler import load
from mapping.rules import Mapping
from mapping.trial import run
from tieout.model.contract import Opening, Opens

ROOT = Path(__file__).parents[2]
MAPPINGS = ROOT / "config" / "mappings"
CASE = """\
tests:
  - name: a deal
    given:
      deal: {id: "1", is_won: true, close_date: 2026-03-31, amount: 20, currency: EUR}
      company: {id: "31", name: Bo, country: DE}
      lines: [{sku: A, quantity: 2, price: 10}]
      books: {customers: [{id: "8", name: bo}], items: [{id: "7", sku: A}]}
    expect: EXPECT
tables:"""


@pytest.mark.parametrize("name", sorted(one.stem for one in MAPPINGS.glob("*.yaml")))
def test_the_mappings_that_we_ship_pass_their_own_tests(name: str) -> None:
    mapping = load(MAPPINGS / f"{name}.yaml", fields_of(name.partition("-")[0]))
    verdicts = run(mapping)
    assert [(verdict.name, verdict.differences) for verdict in verdicts if not verdict.passed] == []
    assert len(verdicts) >= 5
    assert mapping.name == name


def fields_of(system: str) -> dict[str, dict[str, str]]:
    """What the connector that the project names for a system says of itself."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    module, _, name = project["entry-points"]["tieout.connectors"][system].partition(":")
    opens: Opens = getattr(import_module(module), name)
    opened = opens.open(
        Opening("0"), urls={}, credentials=None, now=lambda: datetime.now(UTC), sleep=time.sleep
    )
    with closing(opened):
        kinds = opened.capabilities.kinds
        return {kind: dict(capability.fields) for kind, capability in kinds.items()}


def tried(compiled: Callable[..., Mapping], expect: str) -> list[str]:
    [verdict] = run(compiled(("tables:", CASE.replace("EXPECT", expect))))
    return [str(difference).removeprefix("m.yaml:") for difference in verdict.differences]


def test_what_is_expected_and_comes_is_no_difference(compiled: Callable[..., Mapping]) -> None:
    expect = '{customer: "8", net: 20.00, memo: Deal 1, lines: [{item: "7", amount: 20, discount: 0}], findings: [], quickbooks: {department: North}}'
    assert tried(compiled, expect) == []


@pytest.mark.parametrize(
    ("expect", "said"),
    [
        ("skipped", "45: test 'a deal': came a document, expected 'skipped'"),
        (
            '{customer: "9"}',
            "45: test 'a deal': came customer '8', expected '9'; customer.match.bound = '31' (line 13: =company.id; company.id = '31')",
        ),
        (
            "{memo: Other}",
            "45: test 'a deal': came memo 'Deal 1', expected 'Other'; memo = 'Deal 1' (line 23: =join(\" \", \"Deal\", deal.id); deal.id = '1')",
        ),
        ("{lines: []}", "45: test 'a deal': came 1 lines, expected 0"),
        ("{lines: [{amount: 21}]}", "45: test 'a deal': came lines[0].amount 20.00, expected 21"),
        ("{findings: [{warn: x}]}", "45: test 'a deal': came findings [], expected [{warn: 'x'}]"),
        (
            "{method: card}",
            "45: test 'a deal': came no method: it has no such value, expected 'card'",
        ),
        ("{custom_fields: {PO: null}}", None),
        (
            "{custom_fields: {PO: 1}}",
            "45: test 'a deal': came custom_fields.PO nothing, expected 1",
        ),
    ],
)
def test_a_difference_says_what_came_and_which_line_made_it(
    compiled: Callable[..., Mapping], expect: str, said: str | None
) -> None:
    shown = tried(compiled, expect)
    assert [one[: len(said or "")] for one in shown] == ([said] if said else [])


def test_a_test_that_is_skipped_says_by_which_rule(compiled: Callable[..., Mapping]) -> None:
    text = CASE.replace("is_won: true", "is_won: false").replace("EXPECT", "{memo: x}")
    [verdict] = run(compiled(("tables:", text)))
    assert (
        "came skipped, because =deal.is_won and deal.close_date >= cutover_date is not so (line 9)"
        in str(verdict.differences[0])
    )


def test_a_line_without_item_shows_none(compiled: Callable[..., Mapping]) -> None:
    words = (
        "    item:\n      match: [{sku: =line.sku}]\n      none: default\n      default: Services\n"
    )
    case = CASE.replace("EXPECT", "{lines: [{item: null}]}")
    assert run(compiled((words, ""), ("tables:", case)))[0].passed


def test_a_policy_is_shown_where_nothing_is_found(compiled: Callable[..., Mapping]) -> None:
    text = CASE.replace("name: bo", "name: other").replace("EXPECT", "{customer: ask}")
    assert run(compiled(("tables:", text)))[0].passed


def test_a_document_that_could_not_be_made_says_why(compiled: Callable[..., Mapping]) -> None:
    text = CASE.replace("currency: EUR", "currency: XXX").replace("EXPECT", "{memo: x}")
    [verdict] = run(compiled(("tables:", text)))
    assert "came no memo: 'XXX' is not a currency." in str(verdict.differences[0])
