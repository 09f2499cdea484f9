"""Mappings, settings, policies and variables that cannot be used: refused with file and line."""

import json

import pytest
from catalogue_entries import entry
from simulated_world import MAPPINGS

from tieout.app.cli import exit_code
from tieout.app.cli.exits import Exit

MAPPING = "mappings/hubspot-deal-to-invoice.yaml"
BOMB = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 9) if n else '1'}]\n" for n in range(12))


@pytest.fixture
def checked(tmp_path, monkeypatch, capsys):
    """Return a function that writes one text of a file otherwise and checks the configuration.

    It returns what is wrong with the file, each with how many lines below the change it stands (0
    where it is of the whole file), and which mappings are right.
    """
    monkeypatch.chdir(tmp_path)
    assert exit_code(["init", "config"]) == Exit.DONE

    def check(file, old, new):
        path = tmp_path / "config" / file
        text = path.read_text("utf-8")
        first = text[: text.index(old)].count("\n") + 1
        path.write_text(text.replace(old, new, 1), "utf-8")
        capsys.readouterr()
        code = exit_code(["check", "--config", "config", "--json"])
        told = json.loads(capsys.readouterr().out)
        assert (code, told["ok"]) == (Exit.TROUBLE, False)
        said = [
            (one["line"] and one["line"] - first, f"{one['what']}; {one['hint']}")
            for one in told["mistakes"]
            if one["file"] == f"config/{file}"
        ]
        return said, [held["name"] for held in told["mappings"] if held["passed"]]

    return check


def assert_one_mistake(checked, new, below, *words, old="mapping: hubspot-deal-to-invoice"):
    """Let the deals' mapping be wrong: it is told with its line, and all others are right."""
    said, right = checked(MAPPING, old, new)
    line, what = said[0]
    assert (line, [word for word in words if word not in what]) == (below, []), what[:200]
    others = {path.stem for path in MAPPINGS.glob("*.yaml")} - {"hubspot-deal-to-invoice"}
    assert sorted(right) == sorted(others)


@entry("a mapping with a tab")
def test_a_tab_is_told_with_its_line_and_what_to_write(checked):
    assert_one_mistake(checked, "\tversion: 1", 0, "a tab", "use spaces", old="version: 1")


@entry("a mapping whose parts do not sum")
def test_parts_that_do_not_sum_are_told_with_their_line_and_what_they_come_to(checked):
    parts = "parts:\n  - { name: now, percent: 30 }\n  - { name: later, percent: 60 }\n"
    words = ("the parts come to 90 %, not 100", "rest: true")
    assert_one_mistake(checked, f"{parts}write_back:", 1, *words, old="write_back:")


@entry("a mapping with a duplicate key")
def test_a_duplicate_key_is_told_with_both_lines(checked):
    words = ("version is written twice", "first in line 8")
    assert_one_mistake(checked, "version: 1\nversion: 2", 1, *words, old="version: 1")


@entry("a mapping with an unknown field")
@pytest.mark.parametrize(
    ("old", "new", "below", "words"),
    [
        ("from: hubspot.deal", "form: hubspot.deal", -2, ("from is missing",)),
        (
            "date: =deal.close_date",
            "date: =deal.closed_date",
            0,
            ("no field 'closed_date' in deal", "close_date"),
        ),
        ("  terms: =", "  term: =", 0, ("term", "did you mean terms?")),
    ],
)
def test_an_unknown_field_is_told_with_what_was_meant(checked, old, new, below, words):
    assert_one_mistake(checked, new, below, *words, old=old)


@entry("a mapping with a wrong type")
@pytest.mark.parametrize(
    ("old", "new", "below", "words"),
    [
        ("version: 1", "version: one", 0, ("version", "whole number")),
        ("date: =deal.close_date", "date: =deal.name", 0, ("=deal.name is a text, not a date",)),
        ("currency: =deal.currency\n  pur", "currency: [EUR]\n  pur", 0, ("not a list",)),
    ],
)
def test_a_wrong_type_is_told_with_the_right_one(checked, old, new, below, words):
    assert_one_mistake(checked, new, below, *words, old=old)


@entry("an endless alias")
def test_aliases_that_multiply_are_counted_and_not_followed(checked):
    new = f"{BOMB}mapping: hubspot-deal-to-invoice"
    assert_one_mistake(checked, new, 5, "more than 100000 values, aliases followed")


@entry("an endless alias")
def test_an_alias_that_holds_itself_is_told(checked):
    new = "mapping: &a [*a]"
    assert_one_mistake(checked, new, 0, "*a holds itself", "write &a before the value")


@entry("10 MB of YAML")
@pytest.mark.parametrize("unit", ["# a comment\n", "x: y\n", "[", "é"])
def test_ten_megabytes_are_refused_before_they_are_read(checked, unit):
    new = unit * (10_000_000 // len(unit))
    assert_one_mistake(checked, new, 0, "longer than 1000000 characters")


@entry("a formula of 2,000 nested parentheses")
@pytest.mark.parametrize("count", [900, 2_000])
def test_nested_parentheses_are_refused_with_their_line(checked, count):
    new = f"date: ={'(' * count}deal.close_date{')' * count}"
    assert_one_mistake(checked, new, 0, "formula", old="date: =deal.close_date")


@entry("bad settings")
@pytest.mark.parametrize(
    ("old", "new", "below", "words"),
    [
        ("pairs:", "\tpairs:", 0, "a tab"),
        ("  crm:", "  books:", 7, "books is written twice"),
        ("rounding: half_up", "roundign: half_up", 0, "did you mean rounding?"),
        ("stop_secs: 60", "stop_secs: soon", 0, "stop_secs"),
        ("stop_secs: 60", "stop_secs: 99999", 0, "stop_secs"),
        ("cutover_date: 2026-01-01", "cutover_date: 0001-01-01", 0, "outside the years"),
        ("cutover_date: 2026-01-01", "cutover_date: 2026-02-30", 0, "not a day of the calendar"),
        ('id: "146000123"', "id: 146000123", 0, "must be a text; put it in quotes"),
        ("token: file:", "token: pat-na1-", 0, "never write a secret in this file"),
        ("pairs:", f"{BOMB}pairs:", 5, "more than 100000 values, aliases followed"),
        ("pairs:", f"x: {'[' * 2000}\npairs:", 0, "nested deeper than 30 levels"),
    ],
)
def test_settings_are_told_with_their_line(checked, old, new, below, words):
    said, _ = checked("tieout.yaml", old, new)
    assert [line for line, what in said if words in what] == [below], said


@entry("bad settings")
def test_ten_megabytes_of_settings_are_refused(checked):
    said, _ = checked("tieout.yaml", "pairs:", "x: y\n" * 2_000_000)
    assert said == [(0, "longer than 1000000 characters; ")]


@entry("a bad policy")
@pytest.mark.parametrize(
    "policy",
    [
        "always",
        "automatic under",
        "automatic under NaN EUR",
        "automatic under 5000",
        "automatic under 5000 XQZ",
        "automatic under 5000.001 EUR",
        "automatic under 1234567890123456789012 EUR",
        "automatic under -1 EUR",
        "[by_hand]",
        "1",
    ],
)
def test_a_policy_that_is_none_is_told_with_its_line(checked, policy):
    said, _ = checked("tieout.yaml", "automatic under 5000 EUR", policy)
    assert [(line, what.partition(" ")[0]) for line, what in said] == [(0, "pairs.main.approve")]


@entry("a bad environment")
@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("", "There is nothing in env:BAD_KEY."),
        ("two keys\nin it", "holds a sign or line end that no key has"),
        ("ключ", "holds a sign or line end that no key has"),
        ("\x07", "holds a sign or line end that no key has"),
    ],
)
def test_a_variable_that_holds_no_key_is_told_of_its_company_and_not_shown(
    tmp_path, monkeypatch, capsys, key, said
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BAD_KEY", key)
    exit_code(["init", "config"])
    file = tmp_path / "config" / "tieout.yaml"
    file.write_text(file.read_text().replace("file:simulators/hubspot-token", "env:BAD_KEY"))
    capsys.readouterr()
    code = exit_code(["check", "--online", "--config", "config", "--json"])
    out = capsys.readouterr().out
    crm = next(one for one in json.loads(out)["companies"] if one["name"] == "crm")
    assert (code, crm["ok"], said in crm["says"]) == (Exit.TROUBLE, False, True), crm["says"]
    assert not key or json.dumps(key)[1:-1] not in out


@entry("a bad environment")
@pytest.mark.parametrize(
    ("place", "code", "said"),
    [
        ("nowhere", Exit.TROUBLE, "`tieout init` writes one"),
        ("a\tb", Exit.TROUBLE, "`tieout init` writes one"),
        ("config/tieout.yaml", Exit.USAGE, "Directory 'config/tieout.yaml' is a file."),
        ("x" * 5_000, Exit.TROUBLE, "File name too long"),
    ],
    ids=["nowhere", "a tab", "a file", "too long"],
)
def test_a_configuration_that_is_not_there_is_told_with_its_reason(
    tmp_path, monkeypatch, capsys, place, code, said
):
    monkeypatch.chdir(tmp_path)
    exit_code(["init", "config"])
    monkeypatch.setenv("TIEOUT_CONFIG", place)
    capsys.readouterr()
    ended = exit_code(["check", "--json"])
    told = json.loads(capsys.readouterr().out)
    why = told["error"]["what"] if "error" in told else told["mistakes"][0]["hint"]
    assert (ended, said in why) == (code, True), why[:200]
