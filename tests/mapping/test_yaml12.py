"""What a person wrote is what is read; what could be read in two ways is refused with its line."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mapping import yaml12
from mapping.mistake import Mistake, Mistakes, nearest
from mapping.yaml12 import read


def refused(source: str | Path) -> list[str]:
    with pytest.raises(Mistakes) as caught:
        read(source, "m.yaml")
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("true", True),
        ("false", False),
        ("null", None),
        ("", None),
        ("NO", "NO"),
        ("yes", "yes"),
        ("on", "on"),
        ("12", 12),
        ("-3", -3),
        ("0.05", Decimal("0.05")),
        ("1.10", Decimal("1.10")),
        ("2026-03-31", date(2026, 3, 31)),
        ('"2026-03-31"', "2026-03-31"),
        ("'007'", "007"),
        ("12:30", "12:30"),
        ("1,000", "1,000"),
        ("2026-03-31T00:00:00Z", "2026-03-31T00:00:00Z"),
        ("=deal.amount > 5", "=deal.amount > 5"),
        ("|\n  two\n  lines\n", "two\nlines\n"),
        ("[1, a, null]", [1, "a", None]),
    ],
)
def test_a_value_is_what_yaml_1_2_says(written: str, expected: object) -> None:
    given_value = read(f"key: {written}").plain()["key"]
    assert (given_value, type(given_value)) == (expected, type(expected))


def test_a_key_is_a_text_as_written() -> None:
    assert read("{NO: 1, 19: 2, true: 3, 007: 4}").plain() == {
        "NO": 1,
        "19": 2,
        "true": 3,
        "007": 4,
    }


def test_an_empty_file_is_nothing() -> None:
    assert read("# nothing here\n").value is None


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("~", "~ is not a word here; write null, or quote it as a text"),
        ("True", "True is not a word here; write true, or quote it as a text"),
        ("007", "007 may be a number or a text; quote a text; a number is 12 or 0.5"),
        ("1e3", "1e3 may be a number or a text"),
        ("0x1F", "0x1F may be a number or a text"),
        ("+4712", "+4712 may be a number or a text"),
        (".5", ".5 may be a number or a text"),
        (".inf", ".inf may be a number or a text"),
        ("2026-02-30", "2026-02-30 is not a day of the calendar"),
        ("9" * 31, "a number longer than 30 digits"),
        ("!!str 5", "a tag (tag:yaml.org,2002:str)"),
        ("!!python/object:os.system x", "a tag"),
        ("%b", "a text that starts with this sign must be quoted"),
        ("'x' y", "not YAML"),
        ('"open', "a quote that was opened is not closed"),
        ("{b: c", "a [ or { that was opened is not closed"),
        ('=join(": ", a)', "put a formula that holds `: ` or ` #` in single quotes: '=…'"),
        ("*nobody", "*nobody is not anchored above"),
        ("&a [*a]", "*a holds itself"),
        ("{? [x] : y}", "a key must be a text"),
        ("&a x\n? *a\n: y", "an alias cannot be a key"),
        ("{: y}", "a value without a key"),
        ("\x01", "an unreadable sign (U+0001, column 6)"),
        ("[" * 40, "nested deeper than 30 levels"),
        ("x" * 20_001, "a text longer than 20000 characters"),
        ("!" + "x" * 100_000, "a line longer than 100000 characters"),
        ('"\\UFFFFFFFF"', "not YAML: a number that is too large"),
        (r'"Rollout \ud83d"', "half a character"),
        ("b\x85c", "a sign that may end a line (U+0085, column 7)"),
        ("b # c\u2028d: e", "a sign that may end a line (U+2028, column 11)"),
        ("!" + "x" * 100, f"a tag (!{'x' * 59}…)"),
    ],
)
def test_what_has_two_readings_is_refused(written: str, said: str) -> None:
    [first, *_] = refused(f"\nkey: {written}")
    assert first.startswith("m.yaml:")
    assert said in first


def test_all_mistakes_that_can_be_seen_are_shown_at_once() -> None:
    assert refused("a: 1\na: 2\nb: ~\nc: 007\n") == [
        "m.yaml:2: a is written twice (first in line 1)",
        "m.yaml:3: ~ is not a word here; write null, or quote it as a text",
        "m.yaml:4: 007 may be a number or a text; quote a text; a number is 12 or 0.5",
    ]


def test_a_key_that_is_missing_twice_is_not_called_written_twice() -> None:
    hint = "a value without a key; write `key: value`"
    assert refused("? \n? \n") == [f"m.yaml:1: {hint}", f"m.yaml:2: {hint}"]


def test_every_tab_is_shown() -> None:
    hint = 'use spaces; a tab inside a text is "\\t" in double quotes'
    assert refused("a:\n\tb: 1\nc:\td\n") == [
        f"m.yaml:2: a tab (column 1); {hint}",
        f"m.yaml:3: a tab (column 3); {hint}",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "a: 1\n---\nb: 2\n",
            "m.yaml:2: a second document; keep one document in a file, without `---`",
        ),
        (
            "%YAML 1.1\n---\na: 1\n",
            "m.yaml:2: a %YAML or %TAG directive; remove it; files are YAML 1.2",
        ),
        (
            "%YAML 1.11111111\n---\n",
            "m.yaml:1: not YAML: a number that is too large; see what follows here",
        ),
        ("<<: 3\n<<: 4\n", "m.yaml:2: << is written twice (first in line 1)"),
        (
            "a: b\n c: d\n",
            "m.yaml:2: not YAML: mapping values are not allowed here (column 3); a text that holds `: ` must be quoted",
        ),
        (
            "a: [1, 2\nb: c\n",
            "m.yaml:2: not YAML: expected ',' or ']', but got ':' (column 2, it began in line 1); a [ or { that was opened is not closed, or a comma is missing",
        ),
    ],
)
def test_a_broken_file_says_where_and_what_may_be_meant(text: str, said: str) -> None:
    assert refused(text)[0] == said


def test_every_value_and_key_knows_its_line() -> None:
    tree = read("a:\n  b:\n    - x\n    - {c: y}\n", "m.yaml")
    rows = tree.entries["a"].entries["b"].items
    assert [tree.line_of("a"), tree.entries["a"].line_of("b"), rows[1].line_of("c")] == [1, 2, 4]
    assert [row.where for row in rows] == ["m.yaml:3", "m.yaml:4"]


def test_anchors_repeat_and_merge_keys_lose_against_what_is_written() -> None:
    tree = read("base: &b {x: 1, y: 2}\nall:\n  <<: [*b, {y: 3, z: 4}]\n  x: 9\nagain: *b\n")
    assert tree.plain()["all"] == {"x": 9, "y": 2, "z": 4}
    assert tree.plain()["again"] == {"x": 1, "y": 2}
    assert tree.entries["all"].line_of("y") == 1
    assert tree.entries["again"] is tree.entries["base"]


def test_a_quoted_merge_sign_is_an_ordinary_key() -> None:
    assert read("'<<': 1").plain() == {"<<": 1}


def test_a_billion_laughs_stop_at_the_limit() -> None:
    rows = "".join(
        f"{b}: &{b} [{','.join(['*' + a] * 9)}]\n"
        for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "more than 100000 values" in refused("a: &a [1,2,3,4,5,6,7,8,9]\n" + rows)[0]


def test_many_merges_stop_at_the_limit() -> None:
    base = ",".join(f"k{n}: {n}" for n in range(1000))
    merges = "".join("- {<<: *a}\n" for _ in range(200))
    assert "more than 100000 values" in refused(f"- &a {{{base}}}\n{merges}")[0]


def test_a_file_has_a_size_limit(tmp_path: Path) -> None:
    assert refused("#" * (yaml12.FILE_CHARS_LIMIT + 1)) == [
        "m.yaml: longer than 1000000 characters"
    ]
    (tmp_path / "huge.yaml").write_bytes(b"#" * (yaml12.FILE_CHARS_LIMIT * 4 + 10))
    assert refused(tmp_path / "huge.yaml") == ["m.yaml: longer than 1000000 characters"]


def test_a_file_is_read_as_utf_8(tmp_path: Path) -> None:
    file = tmp_path / "m.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: B\xc3\xa4r\r\nb: 1\r\n")
    assert read(file).plain() == {"a": "Bär", "b": 1}
    assert read(file).file == str(file)
    file.write_bytes(b"a: 1\nb: \xff\n")
    assert refused(file) == ["m.yaml:2: not UTF-8; save the file as UTF-8"]
    assert refused(tmp_path / "none.yaml") == ["m.yaml: cannot be read: No such file or directory"]


def test_many_mistakes_are_cut_after_fifty() -> None:
    shown = str(Mistakes(Mistake("f", n, "wrong") for n in range(1, 61))).splitlines()
    assert (len(shown), shown[-1]) == (51, "… and 10 more")


def test_the_nearest_name_is_offered_or_all_of_them() -> None:
    assert nearest("vat_nmber", ["id", "vat_number"]) == "did you mean vat_number?"
    assert nearest("x", ["b", "a"]) == "there is: a, b"
    assert nearest("x", map(str, range(20))).endswith(", …")
    assert nearest("x", []) == "there is: nothing"


@given(st.text(alphabet="ab1-:{}[],&*#'\"\n <>|!%~=?.", max_size=120))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        read(text).plain()
    except Mistakes as wrong:
        shown = str(wrong)
    else:
        shown = "read"
    assert shown
