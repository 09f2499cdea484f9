"""Asking again: reads only, within a budget, and with the pause that was asked for."""

import pytest

from tieout.model.errors import OutcomeUnknown, RateLimited, Unavailable
from tieout.transport import retry_call


def failing(*errors):
    """An operation that fails so, then answers."""
    left = list(errors)

    def operation():
        if left:
            raise left.pop(0)
        return "answer"

    return operation


def test_a_read_is_asked_again_with_longer_pauses(clock):
    operation = failing(Unavailable(), Unavailable(), Unavailable())
    assert retry_call(operation, sleep=clock.sleep) == "answer"
    assert clock.slept == [0.5, 1.0, 2.0]


def test_the_pause_that_was_asked_for_is_kept(clock):
    assert retry_call(failing(RateLimited(after_secs=7.0)), sleep=clock.sleep) == "answer"
    assert clock.slept == [7.0]


def test_the_last_error_is_raised_as_it_is(clock):
    errors = [Unavailable(str(n)) for n in range(4)]
    with pytest.raises(Unavailable) as caught:
        retry_call(failing(*errors), sleep=clock.sleep)
    assert caught.value is errors[3]


def test_a_pause_beyond_the_budget_is_not_taken(clock):
    with pytest.raises(RateLimited):
        retry_call(failing(RateLimited(after_secs=61.0)), sleep=clock.sleep)
    assert clock.slept == []


def test_what_may_have_happened_is_never_asked_again(clock):
    with pytest.raises(OutcomeUnknown):
        retry_call(failing(OutcomeUnknown()), sleep=clock.sleep)
    assert clock.slept == []
