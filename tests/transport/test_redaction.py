"""Secrets never reach a log, an error or a report."""

import pytest

from tieout.transport.redaction import CONCEALED_LIMIT, conceal, redact


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


def test_a_secret_is_hidden_as_an_address_or_a_form_spells_it():
    conceal("canary+of/some==sort")

    assert redact("no grant canary%2Bof%2Fsome%3D%3Dsort") == "no grant [hidden]"


def test_of_a_secret_that_begins_with_another_no_rest_is_left():
    conceal("canary-short")
    conceal("canary-short-and-its-rest")

    assert redact("canary-short-and-its-rest, canary-short") == "[hidden], [hidden]"


def test_a_secret_in_use_is_hidden_however_many_others_came_since():
    for n in range(CONCEALED_LIMIT):
        conceal("canary-in-use")
        conceal(f"canary-no-{n:05d}")

    assert redact("canary-in-use") == "[hidden]"


def test_a_text_too_short_to_be_a_secret_hides_no_word():
    conceal("deal")

    assert redact("a deal") == "a deal"
