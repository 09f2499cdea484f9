"""Every error, named by what happens next.

A class's docstring is the sentence people read first; the instance adds the record, the vendor's
own words and the remedy. ``next_step`` decides what the engine does; nothing else may.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar

from tieout.model.words import one_line

VENDOR_WORDS_LIMIT = 1_000  # of another system's message, in ours


class NextStep(StrEnum):
    """What the engine does after an error."""

    RETRY = "retry"  # the same request id, later; bothers nobody
    LOOK = "look"  # it may have happened: look in the other system before asking again
    REPLAN = "replan"  # the world moved: fetch, plan again, approval may fall
    ASK = "ask"  # a person decides: a task with a remedy
    PAUSE = "pause"  # stop this company, keep the queue, alert
    STOP = "stop"  # refuse to go on


class RefusedFor(StrEnum):
    """Why a hint is refused."""

    FORGED = "forged"  # its signature is missing, or not made with the secret
    OLD = "old"  # its time is too far from ours: it may be one that somebody kept
    MALFORMED = "malformed"


class TieoutError(Exception):
    """Something went wrong."""

    code: ClassVar[str] = "error"
    next_step: ClassVar[NextStep] = NextStep.STOP
    remedy: ClassVar[str] = "Report this with the log of the last round."

    def __init__(
        self,
        what: str = "",
        *,
        record: str = "",
        remedy: str = "",
        vendor_code: str = "",
        vendor_words: str = "",
        trace_id: str = "",
    ) -> None:
        """Keep what happened, to which record, and the vendor's own words.

        Args:
            what: the sentence that says what happened; the class's docstring when empty.
            record: the record concerned, as people know it (``deal 901``).
            remedy: what to do next; the class's remedy when empty.
            vendor_code: the other system's code, as text.
            vendor_words: the other system's own message, unchanged.
            trace_id: the other system's id of the exchange.
        """
        self.what = what or (type(self).__doc__ or self.code).strip().splitlines()[0]
        self.record = record
        self.next = remedy or type(self).remedy
        self.vendor_code = vendor_code
        self.vendor_words = vendor_words
        self.trace_id = trace_id
        super().__init__(self.what)

    def __str__(self) -> str:
        words = one_line(self.vendor_words, VENDOR_WORDS_LIMIT)
        said = f' It said: "{words}".' if words else ""
        code = f" [{self.vendor_code}]" if self.vendor_code else ""
        subject = f"{self.record}: " if self.record else ""
        return f"{subject}{self.what}{code}{said} {self.next}".strip()


# -- retry ------------------------------------------------------------------------------------


class Unavailable(TieoutError):
    """The other system could not be reached; nothing was sent."""

    code = "unavailable"
    next_step = NextStep.RETRY
    remedy = "Nothing to do: it is tried again in the next round."


class RateLimited(TieoutError):
    """The other system asks us to slow down; nothing was done."""

    code = "rate-limited"
    next_step = NextStep.RETRY
    remedy = "Nothing to do: it is tried again after the pause that it asked for."

    def __init__(self, what: str = "", *, after_secs: float | None = None, **known: str) -> None:
        """Keep the pause that was asked for, in seconds, when one was."""
        super().__init__(what, **known)
        self.after_secs = after_secs


class HintRefused(TieoutError):
    """A hint is not believed to be the other system's, or cannot be read; nothing was done."""

    code = "hint-refused"
    next_step = NextStep.RETRY
    remedy = (
        "Nothing is lost: the next round finds what changed. If it goes on, compare the company's "
        "`hint_secret`, and `hints.url`, with what the other system has."
    )

    def __init__(
        self, what: str = "", *, why: RefusedFor = RefusedFor.MALFORMED, **known: str
    ) -> None:
        """Keep why, in a word that can be counted."""
        super().__init__(what, **known)
        self.why = why


# -- look -------------------------------------------------------------------------------------


class OutcomeUnknown(TieoutError):
    """A write got no well-formed answer: it may have happened."""

    code = "outcome-unknown"
    next_step = NextStep.LOOK
    remedy = "Nothing to do: Tieout looks for its marker before it sends anything again."


class MarkGone(OutcomeUnknown):
    """No answer came, and the books have a record like the one asked for, without our mark."""

    code = "mark-gone"
    remedy = (
        "Somebody may have rewritten its memo. Answer `retry` in `tieout tasks`: it is planned "
        "again, and asks which of the books' records it is; or `ignore`."
    )


class AskedBefore(OutcomeUnknown):
    """The other system knows this very asking: it did it then, or is doing it still."""

    code = "asked-before"
    remedy = (
        "Where nothing is found of it, somebody deleted it: answer `retry` in `tieout tasks` "
        "to ask anew, or `ignore`."
    )


# -- replan -----------------------------------------------------------------------------------


class StaleVersion(TieoutError):
    """The record changed in the other system since it was read."""

    code = "stale-version"
    next_step = NextStep.REPLAN
    remedy = "Nothing to do: it is read and planned again; a changed plan needs a new approval."


# -- ask --------------------------------------------------------------------------------------


class Rejected(TieoutError):
    """The other system refused the change."""

    code = "rejected"
    next_step = NextStep.ASK
    remedy = "Mend what it names, then `tieout tasks answer ID retry`."


class Duplicate(Rejected):
    """A record with this name or number exists already."""

    code = "duplicate"
    remedy = "Choose the existing record in `tieout tasks`, or change the name or number."


class PeriodClosed(Rejected):
    """The books are closed for this date."""

    code = "period-closed"
    remedy = "Ask finance to reopen the period, or change the date at its source; then retry."


class MissingReference(Rejected):
    """The change names a record that is missing or inactive in the other system."""

    code = "missing-reference"
    remedy = "Reactivate or choose another record, then retry."


class InvalidField(Rejected):
    """A field's value is not accepted."""

    code = "invalid-field"
    remedy = "Correct the value at its source or in the mapping, then retry."


class NotFound(Rejected):
    """The record does not exist in the other system."""

    code = "not-found"
    remedy = "Check whether somebody deleted it; `tieout tasks` offers the choices."


class Unsupported(Rejected):
    """The other system, or its connector, cannot do this."""

    code = "unsupported"
    remedy = "Change the mapping so that it asks for what the capabilities page lists."


# -- pause ------------------------------------------------------------------------------------


class Unauthorized(TieoutError):
    """The other system does not accept our credentials."""

    code = "unauthorized"
    next_step = NextStep.PAUSE
    remedy = "Run `tieout connect COMPANY`; the queue is kept."


class QuotaExhausted(TieoutError):
    """A daily or monthly allowance, or the subscription itself, has ended."""

    code = "quota-exhausted"
    next_step = NextStep.PAUSE
    remedy = "Wait for the reset or renew the subscription; the queue is kept."


# -- stop -------------------------------------------------------------------------------------


class ConfigError(TieoutError):
    """The configuration cannot be used."""

    code = "configuration"
    next_step = NextStep.STOP
    remedy = "Correct the file, then `tieout check`."


class LedgerError(TieoutError):
    """The ledger cannot be used."""

    code = "ledger"
    next_step = NextStep.STOP
    remedy = "See docs/howto/ledger.md; nothing was sent."


class InvariantError(TieoutError):
    """Something that must always hold did not: a mistake in Tieout."""

    code = "invariant"
    next_step = NextStep.STOP
    remedy = "Report this with the log of the last round; nothing more was sent."


# -- values -----------------------------------------------------------------------------------


class ValueRefused(TieoutError, ValueError):
    """A value is not one that money, a date or a text may have."""

    code = "value"
    next_step = NextStep.ASK
    remedy = "Correct the value at its source."


VENDOR_ERRORS: Mapping[str, type[TieoutError]] = {
    kind.code: kind
    for kind in (
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
        Unsupported,
    )
}
"""What a vendor's code may stand for, by the word that a connector's YAML uses for it."""
