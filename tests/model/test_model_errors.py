"""Every error says what happens next: to the engine by its next step, to people by its remedy."""

import pickle
import re

import pytest

from tieout.model import errors
from tieout.model.errors import NextStep, RateLimited, Rejected, TieoutError, ValueRefused

CLASSES = [
    known
    for known in vars(errors).values()
    if isinstance(known, type) and issubclass(known, TieoutError)
]
STEPS = {
    "TieoutError": "stop",
    "Unavailable": "retry",
    "RateLimited": "retry",
    "HintRefused": "retry",
    "AskedBefore": "look",
    "MarkGone": "look",
    "OutcomeUnknown": "look",
    "StaleVersion": "replan",
    "Rejected": "ask",
    "Duplicate": "ask",
    "PeriodClosed": "ask",
    "MissingReference": "ask",
    "InvalidField": "ask",
    "NotFound": "ask",
    "Unsupported": "ask",
    "Unauthorized": "pause",
    "QuotaExhausted": "pause",
    "ConfigError": "stop",
    "LedgerError": "stop",
    "InvariantError": "stop",
    "ValueRefused": "ask",
}


def test_each_error_has_the_next_step_that_the_design_gives_it():
    assert {known.__name__: known.next_step.value for known in CLASSES} == STEPS


def test_every_next_step_is_some_error_s():
    assert {known.next_step for known in CLASSES} == set(NextStep)


def test_codes_are_unique():
    codes = [known.code for known in CLASSES]
    assert sorted(set(codes)) == sorted(codes)


@pytest.mark.parametrize("known", CLASSES)
def test_each_error_has_a_code_a_sentence_and_a_remedy_of_its_own(known):
    assert re.fullmatch(r"[a-z]+(-[a-z]+)*", vars(known)["code"])
    assert vars(known)["__doc__"].strip().splitlines()[0].endswith(".")
    assert vars(known)["remedy"].endswith((".", "."))


@pytest.mark.parametrize("known", CLASSES)
def test_without_words_of_its_own_an_error_says_its_sentence_and_remedy(known):
    sentence = known.__doc__.strip().splitlines()[0]
    assert str(known()) == f"{sentence} {known.remedy}"


@pytest.mark.parametrize("known", CLASSES)
def test_an_error_names_the_record_the_reason_the_vendor_s_words_and_the_remedy(known):
    error = known(
        "The books are closed.",
        record="deal 901",
        remedy="Ask finance.",
        vendor_code="6210",
        vendor_words="Account period closed",
        trace_id="1-abc",
    )
    assert str(error) == (
        'deal 901: The books are closed. [6210] It said: "Account period closed". Ask finance.'
    )
    assert error.trace_id == "1-abc"
    assert (error.what, error.next) == ("The books are closed.", "Ask finance.")


def test_an_error_without_a_docstring_still_says_something():
    """Python leaves docstrings out under -OO."""

    class Bare(TieoutError):
        code = "bare"

    Bare.__doc__ = None
    assert str(Bare()) == f"bare {TieoutError.remedy}"


def test_a_pause_that_was_asked_for_is_kept():
    assert RateLimited(after_secs=30.5, record="deal 901").after_secs == 30.5
    assert RateLimited().after_secs is None


@pytest.mark.parametrize("known", CLASSES)
def test_an_error_survives_the_way_to_another_process(known):
    error = known("Why.", record="deal 901", vendor_words="no", vendor_code="1", remedy="Do it.")
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (known, str(error))


def test_every_refusal_is_caught_as_one():
    refusals = {known.__name__ for known in CLASSES if issubclass(known, Rejected)}
    assert refusals == {
        "Rejected",
        "Duplicate",
        "PeriodClosed",
        "MissingReference",
        "InvalidField",
        "NotFound",
        "Unsupported",
    }
    assert issubclass(ValueRefused, ValueError)
