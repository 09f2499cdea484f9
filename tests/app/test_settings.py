"""The configuration's file: what it means, and what is said of every mistake in it."""

from datetime import date
from pathlib import Path

import pytest

from mapping.mistake import Mistakes
from tieout.app.schema import schema_file, schema_text
from tieout.app.settings import Unsafe, load
from tieout.app.written import Address, Approve, SecretRef, Span, Zone
from tieout.model.money import Money


def mistakes(directory: Path) -> list[str]:
    with pytest.raises(Mistakes) as refused:
        load(directory)
    return [str(mistake) for mistake in refused.value.mistakes]


def test_a_file_is_read_into_values(directory):
    settings = load(directory)

    assert settings.companies["crm"].token == SecretRef("env", "HUBSPOT_TOKEN")
    assert settings.companies["crm"].time_zone == Zone("Europe/Oslo")
    assert settings.pairs["main"].source == "crm"
    assert settings.pairs["main"].target == "books"
    assert settings.pairs["main"].cutover_date == date(2026, 1, 1)


def test_what_is_not_written_has_a_careful_default(directory):
    pair = load(directory).pairs["main"]

    assert pair.approve == Approve.parse("by_hand")
    assert pair.every == Span(300)
    assert pair.push == "few_calls"
    assert pair.unsafe == Unsafe(documents=500)
    assert (pair.twin_days, pair.payment_twin_days) == (45, 7)


def test_paths_are_relative_to_the_file(changed, tmp_path):
    settings = load(changed("pairs:", "ledger: here/ledger.db\npairs:"))

    assert settings.ledger == tmp_path / "config/here/ledger.db"
    assert settings.tokens == tmp_path / "state/tokens.sealed"


def test_a_policy_may_name_an_amount(changed):
    directory = changed("    to: books", "    to: books\n    approve: automatic under 5000.50 EUR")

    policy = load(directory).pairs["main"].approve.policy

    assert (policy.automatic, policy.under) == (True, Money.of("5000.50", "EUR"))


def test_every_mistake_is_said_at_once_with_its_line(directory):
    (directory / "tieout.yaml").write_text("""\
companies:
  crm: {system: hubspott, id: 123, url: http://api.example.com}
  books: {system: quickbooks, id: "913", tokenn: env:X, numbers: theirs}
pairs:
  main:
    from: crm
    to: books
    mappings: deals
    every: soon
    approve: maybe
    mode: dark
    twin_days: many
    unsafe: {documents: true}
stop_secs: 60
""")

    assert mistakes(directory) == [
        "config/tieout.yaml:2: companies.crm.id must be a text; put it in quotes",
        "config/tieout.yaml:2: companies.crm.url must be https; plain http is accepted on this machine only",
        "config/tieout.yaml:3: companies.books.numbers must be 'books' or 'ours'",
        "config/tieout.yaml:3: no setting companies.books.tokenn; did you mean token?",
        "config/tieout.yaml:5: pairs.main.cutover_date is missing; Nothing before this day is ever posted",
        "config/tieout.yaml:8: pairs.main.mappings must be a list; write [one, another]",
        "config/tieout.yaml:9: pairs.main.every is not a length of time; write it as 30s, 5m, 2h or 1d",
        "config/tieout.yaml:10: pairs.main.approve is no policy; write by_hand, automatic, or automatic under 5000 EUR",
        "config/tieout.yaml:11: pairs.main.mode must be 'live' or 'shadow'",
        "config/tieout.yaml:12: pairs.main.twin_days: input should be a valid integer",
        "config/tieout.yaml:13: pairs.main.unsafe.documents: input should be a valid integer",
    ]


def test_settings_that_disagree_are_said_with_their_lines(changed):
    changed("system: hubspot\n", "system: hubspott\n")
    changed("from: crm", "from: crmm")
    directory = changed("[deals]", "[deal, deals, deals]")

    assert mistakes(directory) == [
        "config/tieout.yaml:3: no connector for hubspott; did you mean hubspot?",
        "config/tieout.yaml:12: no company crmm; did you mean crm?",
        "config/tieout.yaml:14: deals is named twice",
        "config/tieout.yaml:14: no mapping deal in mappings/; did you mean deals?",
    ]


def test_one_company_under_two_names_is_refused(changed):
    directory = changed(
        '  books:\n    system: quickbooks\n    id: "913"',
        '  books:\n    system: hubspot\n    id: "123"',
    )

    assert mistakes(directory) == [
        "config/tieout.yaml:9: books is the same company as crm; keep one of them"
    ]


def test_a_secret_in_the_file_is_refused_and_not_repeated(changed):
    (said,) = mistakes(changed("env:HUBSPOT_TOKEN", "pat-eu1-very-secret"))

    assert said.startswith("config/tieout.yaml:5: companies.crm.token must say where the secret is")
    assert "very-secret" not in said


def test_a_missing_file_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert mistakes(tmp_path / "config") == [
        "config/tieout.yaml: there is no such file; `tieout init` writes one; --config DIR or TIEOUT_CONFIG says where it is"
    ]


def test_an_empty_file_is_no_configuration(directory):
    (directory / "tieout.yaml").write_text("# nothing yet\n")

    assert mistakes(directory) == [
        "config/tieout.yaml:1: settings are `name: value` lines; see `tieout init`"
    ]


@pytest.mark.parametrize(
    ("text", "secs"), [("30s", 30), ("5m", 300), ("2 h", 7200), ("1d", 86400), ("7d", 604800)]
)
def test_a_span_is_a_number_and_a_unit(text, secs):
    assert Span.parse(text) == Span(secs)


@pytest.mark.parametrize(("secs", "text"), [(30, "30s"), (300, "5m"), (7200, "2h"), (90, "90s")])
def test_a_span_is_told_as_it_is_written(secs, text):
    assert str(Span(secs)) == text


@pytest.mark.parametrize(
    "text",
    [
        "ftp://x",
        "https://",
        "https://me:pw@host",
        "http://host",
        "https://ho st",
        "https://h:x/",
        "x",
    ],
)
def test_an_address_is_https_or_on_this_machine(text):
    with pytest.raises(ValueError):
        Address.parse(text)


def test_plain_http_is_accepted_on_this_machine():
    assert Address.parse("http://127.0.0.1:8801/").url == "http://127.0.0.1:8801"


def test_a_secrets_file_is_relative_to_the_configuration(tmp_path):
    assert SecretRef.parse("file:x.token").reference(tmp_path) == f"file:{tmp_path}/x.token"
    assert SecretRef.parse("env:X").reference(tmp_path) == "env:X"


def test_the_schema_that_editors_read_is_current():
    """When this fails, run ``python -m tieout.app.schema``."""
    assert schema_file().read_text(encoding="utf-8") == schema_text()
