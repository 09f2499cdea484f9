"""Every code of R30 has its next step, decided by code and words, in both spellings."""

import pytest

from connectors.quickbooks.facts import facts
from connectors.quickbooks.faults import error_of, judge
from tieout.model.errors import (
    AskedBefore,
    Duplicate,
    InvalidField,
    MissingReference,
    NotFound,
    OutcomeUnknown,
    PeriodClosed,
    QuotaExhausted,
    RateLimited,
    Rejected,
    StaleVersion,
    Unauthorized,
    Unavailable,
    Unsupported,
)
from tieout.transport import Answer, Route

WRITE = Route("write invoice", write=True)
READ = Route("read query", write=False)


def fault(code, message="", detail="", kind="ValidationFault"):
    return {"Error": [{"Message": message, "Detail": detail, "code": code}], "type": kind}


@pytest.mark.parametrize(
    ("code", "words", "meant"),
    [
        ("6240", "Duplicate Name Exists Error", Duplicate),
        ("6140", "Duplicate Document Number Error", Duplicate),
        ("6140", "Account Period Closed", PeriodClosed),
        ("6210", "Account Period Closed", PeriodClosed),
        ("6210", "Duplicate Document Number", Duplicate),
        ("6200", "Account Period Closed", PeriodClosed),
        ("6200", "Duplicate Document Number", Duplicate),
        ("5010", "Stale Object Error", StaleVersion),
        ("610", "Object Not Found : made inactive", MissingReference),
        ("610", "Another user has deleted this transaction", NotFound),
        ("2500", "Invalid Reference Id", MissingReference),
        ("6070", "Amount calculation incorrect", InvalidField),
        ("6520", "Quantity missing", InvalidField),
        ("2020", "Required param missing", InvalidField),
        ("2050", "too long", InvalidField),
        ("6190", "Subscription has ended", QuotaExhausted),
        ("120", "no access", Unauthorized),
        ("003200", "Token expired", Unauthorized),
        ("3001", "ThrottleExceeded", RateLimited),
        ("003001", "ThrottleExceeded", RateLimited),
        ("4001", "not queryable", Unsupported),
        ("6540", "Deposited Transaction cannot be changed", Rejected),
        ("6000", "A business validation error", Rejected),
        ("6000", "An unexpected error occurred", AskedBefore),
        ("600", "Duplicate Request ID", AskedBefore),
        ("10000", "System Failure", OutcomeUnknown),
        ("99999", "never heard of", Rejected),
        ("", "", OutcomeUnknown),
    ],
)
def test_a_code_and_its_words_mean_one_thing(code, words, meant):
    assert type(error_of(fault(code, words), write=True)) is meant


def test_a_fault_of_the_system_says_nothing_about_a_write():
    said = fault("77777", "whatever", kind="SystemFault")
    assert type(error_of(said, write=True)) is OutcomeUnknown
    assert type(error_of(said, write=False)) is Unavailable


def test_the_gateways_small_letters_mean_the_same():
    said = {"error": [{"message": "Stale", "detail": "Object", "code": "5010"}], "type": "X"}
    error = error_of(said, write=True, trace_id="1-2")
    assert isinstance(error, StaleVersion)
    assert (error.vendor_code, error.vendor_words, error.trace_id) == (
        "5010",
        "Stale: Object",
        "1-2",
    )


def test_every_meaning_in_the_file_is_an_error_that_exists():
    for row in facts().meanings:
        said = error_of(fault(row.code, row.says), write=True)
        assert said.code == row.error


@pytest.mark.parametrize(
    ("status", "body", "written", "read"),
    [
        (200, b'{"Invoice":{}}', type(None), type(None)),
        (401, b"", Unauthorized, Unauthorized),
        (403, b'{"fault":{"error":[{"code":"3100"}]}}', Unauthorized, Unauthorized),
        (403, b"<html>", Unauthorized, Unauthorized),
        (404, b"{}", Rejected, Rejected),
        (429, b"<html>", RateLimited, RateLimited),
        (500, b'{"Fault":{"Error":[{"code":"2500"}]}}', OutcomeUnknown, Unavailable),
        (502, b"<html>", OutcomeUnknown, Unavailable),
        (200, b"<html>", OutcomeUnknown, Unavailable),
        (200, b'{"Invoice":', OutcomeUnknown, Unavailable),
        (200, b"[]", OutcomeUnknown, Unavailable),
        (400, b"<html>", OutcomeUnknown, Unavailable),
        (200, b'{"Fault":{"Error":[{"code":"5010"}]}}', StaleVersion, StaleVersion),
    ],
)
def test_an_answer_is_judged_by_status_and_body(status, body, written, read):
    def judged(route):
        try:
            return judge(Answer(route, status, {}, body))
        except (OutcomeUnknown, Unavailable) as unclear:
            return unclear

    assert isinstance(judged(WRITE), written)
    assert isinstance(judged(READ), read)
