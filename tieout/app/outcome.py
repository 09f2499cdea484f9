"""An error as plain values and back: so `--json` tells it, and so a wish's outcome carries it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tieout.model.errors import NextStep, TieoutError


class Told(TieoutError):
    """What another process met, with its own code and next step."""

    def __init__(self, told: Mapping[str, Any]) -> None:
        super().__init__(
            str(told.get("what", "")),
            record=str(told.get("record", "")),
            remedy=str(told.get("remedy", "")),
            vendor_code=str(told.get("vendor_code", "")),
            vendor_words=str(told.get("vendor_words", "")),
            trace_id=str(told.get("trace_id", "")),
        )
        # Every other error has these from its class; this one speaks for a class met elsewhere.
        self.code = str(told.get("code", "error"))  # type: ignore[misc]
        self.next_step = NextStep(told.get("next_step", "stop"))  # type: ignore[misc]


def error_values(wrong: TieoutError) -> dict[str, Any]:
    """Return an error as plain values.

    ``{code, next_step, what, record, remedy, vendor_code, vendor_words, trace_id, mistakes}``;
    ``mistakes`` only where files are wrong: ``[{file, line, what, hint}]``.
    """
    told: dict[str, Any] = {
        "code": wrong.code,
        "next_step": wrong.next_step.value,
        "what": wrong.what,
        "record": wrong.record,
        "remedy": wrong.next,
        "vendor_code": wrong.vendor_code,
        "vendor_words": wrong.vendor_words,
        "trace_id": wrong.trace_id,
    }
    mistakes = getattr(wrong, "mistakes", None)
    if mistakes is not None:
        told["mistakes"] = [
            {"file": each.file, "line": each.line, "what": each.what, "hint": each.hint}
            for each in mistakes
        ]
    return told
