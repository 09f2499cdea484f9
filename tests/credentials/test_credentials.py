"""Tokens at rest and in rotation (pain 3, R26)."""

import json
import multiprocessing
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from tieout.credentials import CompanyTokens, Grant, SealedTokens, StaticToken, secret
from tieout.model.errors import ConfigError, NextStep, Unauthorized, Unavailable

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)
BOOKS = "quickbooks:913"


def grant(number, *, at=NOW, hard_days=1825):
    return Grant(
        access=f"access-{number}",
        refresh=f"refresh-{number}",
        issued_at=at,
        access_until=at + timedelta(hours=1),
        refresh_until=at + timedelta(days=100),
        hard_until=at + timedelta(days=hard_days),
    )


def sealed_in(folder, *, environment=None):
    return SealedTokens(folder / "tokens.sealed", environment=environment or {})


def tokens_in(folder, *, now=lambda: NOW, company=BOOKS, environment=None):
    return CompanyTokens(sealed_in(folder, environment=environment), company, now)


class TokenServer:
    """Rotates refresh tokens; remembers what was asked with."""

    def __init__(self, good):
        self.good = set(good)
        self.asked = []

    def __call__(self, refresh):
        self.asked.append(refresh)
        if refresh not in self.good:
            raise Unauthorized
        number = len(self.asked) + 1
        self.good.add(f"refresh-{number}")
        return grant(number)


def test_what_was_stored_is_read_back_by_another_process(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    assert tokens_in(tmp_path).access_token() == "access-1"


def test_companies_are_kept_apart(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    tokens_in(tmp_path, company="quickbooks:914").store(grant(2))
    assert sealed_in(tmp_path).companies() == (BOOKS, "quickbooks:914")
    assert tokens_in(tmp_path).access_token() == "access-1"


def test_files_are_for_their_owner_only_and_show_no_secret(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert not any(b"access-1" in path.read_bytes() for path in files)
    assert {path.name for path in files} == {
        "tokens.sealed",
        "tokens.sealed.key",
        "tokens.sealed.lock",
        f"tokens.sealed.{BOOKS}.lock",
    }


def test_a_file_that_others_can_read_is_refused(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    (tmp_path / "tokens.sealed").chmod(0o644)
    with pytest.raises(Unauthorized, match="chmod 600"):
        tokens_in(tmp_path).access_token()


def test_a_key_in_the_environment_needs_no_key_file(tmp_path):
    environment = {"TIEOUT_KEY": Fernet.generate_key().decode()}
    tokens_in(tmp_path, environment=environment).store(grant(1))
    assert not (tmp_path / "tokens.sealed.key").exists()
    with pytest.raises(Unauthorized, match="another key"):
        tokens_in(tmp_path).access_token()


def test_a_rotated_key_file_opens_everything_and_the_old_key_nothing(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    old = (tmp_path / "tokens.sealed.key").read_text()
    sealed_in(tmp_path).rotate_key()
    new = (tmp_path / "tokens.sealed.key").read_text()
    assert tokens_in(tmp_path).access_token() == "access-1"
    assert len(new.split()) == 1
    assert new != old
    with pytest.raises(Unauthorized, match="another key"):
        tokens_in(tmp_path, environment={"TIEOUT_KEY": old}).access_token()


def test_a_key_in_the_environment_is_rotated_by_putting_the_new_one_first(tmp_path):
    old, new = Fernet.generate_key().decode(), Fernet.generate_key().decode()
    tokens_in(tmp_path, environment={"TIEOUT_KEY": old}).store(grant(1))
    sealed_in(tmp_path, environment={"TIEOUT_KEY": f"{new}, {old}"}).rotate_key()
    assert tokens_in(tmp_path, environment={"TIEOUT_KEY": new}).access_token() == "access-1"


def test_a_key_in_the_environment_alone_is_not_called_a_new_one(tmp_path):
    only = Fernet.generate_key().decode()
    tokens_in(tmp_path, environment={"TIEOUT_KEY": only}).store(grant(1))
    for given in (only, f"{only},{only}"):
        with pytest.raises(ConfigError, match="TIEOUT_KEY has no new key") as refused:
            sealed_in(tmp_path, environment={"TIEOUT_KEY": given}).rotate_key()
        assert only not in str(refused.value)


def test_tokens_that_are_sealed_anew_between_two_looks_at_their_files_are_read_all_the_same(
    tmp_path,
):
    """A daemon reads them at any instant, and a pair whose tokens cannot be read stands still."""
    tokens_in(tmp_path).store(grant(1))

    class Overtaken(dict[str, str]):
        """An environment in which somebody seals while the key is looked for, once."""

        def get(self, name, default=None):
            sealing, self.sealing = getattr(self, "sealing", sealed_in(tmp_path)), None
            if sealing is not None:
                sealing.rotate_key()
            return default

    assert tokens_in(tmp_path, environment=Overtaken(HOME="/")).access_token() == grant(1).access


def test_a_company_without_tokens_asks_for_consent(tmp_path):
    with pytest.raises(Unauthorized, match="tieout connect"):
        tokens_in(tmp_path).access_token()


def test_the_new_token_is_on_the_disk_before_anyone_uses_it(tmp_path):
    server = TokenServer({"refresh-1"})
    tokens = tokens_in(tmp_path)
    tokens.store(grant(1))
    assert tokens.renewed_by(server).refresh("access-1") == "access-2"
    assert tokens_in(tmp_path).access_token() == "access-2"


def test_a_token_that_another_process_renewed_is_not_renewed_again(tmp_path):
    server = TokenServer({"refresh-1"})
    tokens = tokens_in(tmp_path).renewed_by(server)
    tokens.store(grant(1))
    tokens_in(tmp_path).renewed_by(server).refresh("access-1")
    assert tokens.refresh("access-1") == "access-2"
    assert server.asked == ["refresh-1"]


def test_a_lost_answer_leaves_the_token_that_it_was_asked_with(tmp_path):
    tokens = tokens_in(tmp_path)
    tokens.store(grant(1))

    def lost(_refresh):
        raise Unavailable

    with pytest.raises(Unavailable):
        tokens.renewed_by(lost).refresh("access-1")
    assert tokens.renewed_by(TokenServer({"refresh-1"})).refresh("access-1") == "access-2"


def test_a_refused_new_refresh_token_falls_back_to_the_one_before_it(tmp_path):
    tokens = tokens_in(tmp_path)
    tokens.store(grant(1))
    tokens.renewed_by(TokenServer({"refresh-1"})).refresh("access-1")
    forgetful = TokenServer({"refresh-1"})
    tokens.renewed_by(forgetful).refresh("access-2")
    assert forgetful.asked == ["refresh-2", "refresh-1"]


def test_consent_that_ended_is_said_so(tmp_path):
    tokens = tokens_in(tmp_path).renewed_by(TokenServer(set()))
    tokens.store(grant(1))
    with pytest.raises(Unauthorized):
        tokens.refresh("access-1")


def test_a_token_about_to_end_is_renewed_before_it_is_used(tmp_path):
    at = [NOW]
    tokens = tokens_in(tmp_path, now=lambda: at[0])
    tokens = tokens.renewed_by(TokenServer({"refresh-1"}))
    tokens.store(grant(1))
    at[0] = NOW + timedelta(minutes=58)
    assert tokens.access_token() == "access-1"
    at[0] = NOW + timedelta(minutes=59, seconds=30)
    assert tokens.access_token() == "access-2"


def test_age_counts_from_consent_and_the_end_is_the_nearer_one(tmp_path):
    later = NOW + timedelta(days=90)
    tokens = tokens_in(tmp_path, now=lambda: later)
    assert (tokens.age_days, tokens.until) == (None, None)
    tokens.store(grant(1, hard_days=30))
    assert (tokens.age_days, tokens.until) == (90, NOW + timedelta(days=30))
    tokens.renewed_by(lambda _refresh: grant(2, at=later)).refresh("access-1")
    assert (tokens.age_days, tokens.until) == (90, later + timedelta(days=100))


def test_ten_threads_make_one_refresh(tmp_path):
    server = TokenServer({"refresh-1"})
    tokens_in(tmp_path).store(grant(1))
    answers = []

    def work():
        tokens = tokens_in(tmp_path).renewed_by(server)
        answers.append(tokens.refresh("access-1"))

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == ["access-2"] * 10
    assert server.asked == ["refresh-1"]


def test_a_token_server_that_hangs_holds_up_its_own_company_alone(tmp_path):
    asked, mended = threading.Event(), threading.Event()

    def hangs(refresh):
        asked.set()
        assert mended.wait(20)
        return TokenServer({refresh})(refresh)

    for company in (BOOKS, "quickbooks:914"):
        tokens_in(tmp_path, company=company).store(grant(1))
    with ThreadPoolExecutor(2) as threads:
        one = threads.submit(tokens_in(tmp_path).renewed_by(hangs).refresh, "access-1")
        assert asked.wait(20)
        other = tokens_in(tmp_path, company="quickbooks:914").renewed_by(TokenServer({"refresh-1"}))
        try:
            assert threads.submit(other.refresh, "access-1").result(5) == "access-2"
        finally:
            mended.set()
        assert one.result(20) == "access-2"
    assert [
        tokens_in(tmp_path, company=each).access_token() for each in (BOOKS, "quickbooks:914")
    ] == [
        "access-2",
        "access-2",
    ]


def test_three_processes_make_one_refresh(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    context = multiprocessing.get_context("spawn")
    children = [context.Process(target=_refresh_in_child, args=(tmp_path,)) for _ in range(3)]
    for child in children:
        child.start()
    for child in children:
        child.join(60)
    assert [child.exitcode for child in children] == [0, 0, 0]
    assert (tmp_path / "asked").read_text() == "refresh-1\n"


def _refresh_in_child(folder: Path):
    def renew(refresh):
        with (folder / "asked").open("a") as asked:
            asked.write(refresh + "\n")
        return grant(2)

    tokens = tokens_in(folder).renewed_by(renew)
    assert tokens.refresh("access-1") == "access-2"


def test_no_secret_is_in_a_repr_or_a_traceback(tmp_path):
    sealed = sealed_in(tmp_path)
    tokens = CompanyTokens(sealed, BOOKS, lambda: NOW).renewed_by(TokenServer(set()))
    tokens.store(grant(1))
    stale = tokens.access_token()
    with pytest.raises(Unauthorized) as refused:
        tokens.refresh(stale)
    shown = "".join(traceback.format_exception(refused.value))
    shown += repr(sealed) + repr(tokens) + repr(grant(1)) + repr(StaticToken("env:TOKEN"))
    assert "access-1" not in shown
    assert "refresh-1" not in shown


def test_a_file_that_is_not_ours_is_refused_with_its_name(tmp_path):
    path = tmp_path / "tokens.sealed"
    path.write_text("not json")
    path.chmod(0o600)
    with pytest.raises(Unauthorized, match=r"tokens\.sealed is not a file of sealed tokens"):
        tokens_in(tmp_path).access_token()


@pytest.mark.parametrize("name", ["tokens.sealed", "tokens.sealed.key", "tokens.sealed.lock"])
def test_a_file_that_the_system_refuses_stops_its_pair_and_is_named(tmp_path, name):
    server = TokenServer({"refresh-1"})
    tokens = tokens_in(tmp_path).renewed_by(server)
    tokens.store(grant(1))
    (tmp_path / name).unlink()
    (tmp_path / name).mkdir(mode=0o700)  # root reads any file, and no directory
    with pytest.raises(Unauthorized, match=f"{name} cannot be used: Is a directory"):
        tokens.refresh("access-1")
    assert server.asked == []


def test_a_renewed_token_that_cannot_be_written_stops_its_pair(tmp_path):
    server = TokenServer({"refresh-1"})
    tokens = tokens_in(tmp_path).renewed_by(server)
    tokens.store(grant(1))
    (tmp_path / "tokens.sealed.new").mkdir()
    with pytest.raises(Unauthorized, match="cannot be used"):
        tokens.refresh("access-1")
    assert tokens.access_token() == "access-1"


def test_a_tampered_text_is_refused(tmp_path):
    tokens_in(tmp_path).store(grant(1))
    path = tmp_path / "tokens.sealed"
    held = json.loads(path.read_text())
    held[BOOKS] = held[BOOKS][:-4] + "AAAA"
    path.write_text(json.dumps(held))
    with pytest.raises(Unauthorized, match="another key"):
        tokens_in(tmp_path).access_token()


def test_a_key_that_is_no_key_is_refused_without_showing_it(tmp_path):
    tokens = tokens_in(tmp_path, environment={"TIEOUT_KEY": "hunter2"})
    with pytest.raises(Unauthorized, match="not a Fernet key") as refused:
        tokens.store(grant(1))
    assert "hunter2" not in "".join(traceback.format_exception(refused.value))


def test_a_static_token_is_read_from_a_variable_or_a_file(tmp_path):
    (tmp_path / "token").write_text("from-file\n")
    assert StaticToken("env:T", {"T": " from-env "}).access_token() == "from-env"
    assert StaticToken(f"file:{tmp_path / 'token'}", {}).access_token() == "from-file"


def test_a_static_token_that_was_replaced_is_taken_up(tmp_path):
    path = tmp_path / "token"
    path.write_text("old")
    token = StaticToken(f"file:{path}", {})
    with pytest.raises(Unauthorized, match="valid token"):
        token.refresh("old")
    path.write_text("new")
    assert token.refresh("old") == "new"


@pytest.mark.parametrize("reference", ["pat-na1-secret", "env:", "file:", "https:x", ""])
def test_a_secret_written_in_the_configuration_is_refused_and_not_repeated(reference):
    with pytest.raises(ConfigError, match="env:NAME or file:PATH") as refused:
        secret(reference, {})
    assert "secret" not in str(refused.value).replace("A secret", "").replace("the secret", "")


@pytest.mark.parametrize("reference", ["env:NOT_SET", "file:/nowhere/at/all"])
def test_a_missing_secret_is_named_and_may_come_back(reference):
    with pytest.raises(Unauthorized, match=r"NOT_SET|nowhere") as absent:
        secret(reference, {})
    assert absent.value.next_step is NextStep.PAUSE
