"""Secrets never reach a log, an error or a report."""

import pytest

from tieout.transport.redaction import conceal, redact


@pytest.mark.parametrize(
    ("told", "shown"),
    [
        ("GET /x?a=1&access_token=abc&b=2", "GET /x?a=1&access_token=[hidden]&b=2"),
        ("Authorization: Bearer abc.def-1", "Authorization: Bearer [hidden]"),
        ("Basic dXNlcjpwYXNz", "Basic [hidden]"),
        ('{"refresh_token": "abc"}', '{"refresh_token": "[hidden]"}'),
        ("pat-na1-0a1b2c3d-1111-2222", "pat-na1-[hidden]"),
        ("https://user:pw@host/x", "https://[hidden]host/x"),
        ("/callback?code=abc&realmId=9", "/callback?code=[hidden]&realmId=9"),
        ("a deal token of thanks", "a deal token of thanks"),
    ],
)
def test_a_secret_in_a_text_is_hidden(told, shown):
    assert redact(told) == shown


def test_a_value_under_a_secret_name_is_hidden_wherever_it_stands():
    told = {"headers": [{"Authorization": "x", "Set-Cookie": "y", "Date": "z"}], "n": 1}
    assert redact(told) == {
        "headers": [{"Authorization": "[hidden]", "Set-Cookie": "[hidden]", "Date": "z"}],
        "n": 1,
    }


def test_a_structure_that_holds_itself_ends():
    told = {}
    told["inner"] = told
    assert "…" in str(redact(told))


def test_a_secret_that_this_process_uses_is_hidden_in_whatever_form_it_comes_back():
    conceal("opaque-canary-4711")

    assert redact("your key opaque-canary-4711 is too old") == "your key [hidden] is too old"


def test_a_text_too_short_to_be_a_secret_hides_no_word():
    conceal("deal")

    assert redact("a deal") == "a deal"
