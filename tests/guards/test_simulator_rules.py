"""Every rule of the two vendors is followed, with a test that bears its name, or says why not."""

import importlib.util
import re

import pytest

from tieout.simulator.rules import ELSEWHERE, RULES

DOMAIN = {f"R{number}" for number in range(1, 53)}


@pytest.fixture(scope="module")
def generate(root):
    spec = importlib.util.spec_from_file_location("generate", root / "docs" / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_rule_of_the_domain_is_some_simulators_or_somebody_elses():
    vendors = {rule.name for rules in RULES.values() for rule in rules}

    assert sorted(DOMAIN - vendors - ELSEWHERE.keys()) == []
    assert sorted(vendors & ELSEWHERE.keys()) == []


def test_the_domain_has_no_further_rules(root):
    """Held against the domain's own list, where that is at hand."""
    listed = root.parent / "shared" / "domain.md"
    if listed.exists():
        assert set(re.findall(r"^- (R\d+) ", listed.read_text("utf-8"), re.MULTILINE)) == DOMAIN


def test_a_rule_is_listed_once_for_a_vendor():
    for rules in RULES.values():
        names = [rule.name for rule in rules]
        assert sorted(set(names)) == sorted(names)


def test_every_followed_rule_has_a_test_and_every_other_a_reason(generate):
    held = generate.rule_tests()
    untested = [
        (vendor, rule.name)
        for vendor, rules in RULES.items()
        for rule in rules
        if not rule.unfollowed and not held.get((vendor, rule.name))
    ]
    assert untested == []


def test_every_test_that_names_a_rule_names_one_that_is_listed(generate):
    listed = {(vendor, rule.name) for vendor, rules in RULES.items() for rule in rules}
    assert sorted(generate.rule_tests().keys() - listed) == []


def test_every_rule_says_what_and_where_it_is_said(generate):
    page = generate.simulators_page()
    for rules in RULES.values():
        for rule in rules:
            assert rule.says.endswith(".")
            assert f"{rule.says} *Source: {rule.source}.*" in page
