"""One structured log: for people or for collectors, with no secret and no personal detail.

Everything that logs through the standard library, ours or a vendor's, is written by the same last
steps. Which pair, stage, record and trace a line belongs to is bound around the work (``about``).
"""

from __future__ import annotations

import contextlib
import logging
import re
import sys
from collections.abc import Iterator, Mapping, MutableMapping
from typing import Any, Final, Literal, TextIO

HIDDEN: Final = "[hidden]"
DEPTH_LIMIT = 8
TEXT_CHARS_LIMIT = 4000

_SECRET_NAME = re.compile(
    r"(?i)authorization|token|secret|passw|cookie|api_?key|client_id|code_verifier|signature"
)
_PERSONAL_NAME = re.compile(r"(?i)e_?mail|phone|address|street|vat_number|iban|tax_id")
_SECRET_TEXTS = (
    re.compile(r"(\b(?:Bearer|Basic)\s+)[A-Za-z0-9._~+/=-]+"),
    re.compile(r"(?i)(\b(?:\w+_token|client_secret|token|code|state)=)[^&\s\"']+"),
    re.compile(r"(?i)(\"(?:\w+_token|client_secret)\"\s*:\s*\")[^\"]+"),
)
_MAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")

OURS: Final = ("tieout", "sync_engine", "connectors", "mapping")


def configure(
    form: Literal["text", "json"] = "text",
    level: Literal["debug", "info", "warning", "error"] = "info",
    stream: TextIO | None = None,
) -> None:
    """Send every logger's lines to one stream (standard error), in one form.

    Foreign libraries are heard from warning on. Calling it again replaces what was set.
    """
    import structlog  # noqa: PLC0415 (imported when used: the log is not needed for --help)

    threshold = getattr(logging, level.upper())
    before: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="at"),
    ]
    foreign = [*before, structlog.stdlib.ExtraAdder()]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=foreign,
            processors=_last_steps(form, Redactor(personal=threshold <= logging.DEBUG)),
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))
    for name in OURS:
        logging.getLogger(name).setLevel(threshold)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *before,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _last_steps(form: Literal["text", "json"], redact: Redactor) -> list[Any]:
    """Return what makes a written line: tracebacks without locals, then hiding, then the form."""
    from structlog import processors, stdlib, tracebacks  # noqa: PLC0415 (imported when used)

    first: list[Any] = [stdlib.ProcessorFormatter.remove_processors_meta]
    if form == "json":
        told = tracebacks.ExceptionDictTransformer(show_locals=False)
        written = processors.JSONRenderer(ensure_ascii=False)
        return [*first, processors.ExceptionRenderer(told), redact, written]
    return [*first, processors.format_exc_info, redact, _line]


@contextlib.contextmanager
def about(**names: str) -> Iterator[None]:
    """Say with every line of the block which pair, stage, record or trace it belongs to."""
    import structlog  # noqa: PLC0415 (imported when used)

    with structlog.contextvars.bound_contextvars(**names):
        yield


class Redactor:
    """The last step before a line is written: hides secrets always, personal details mostly.

    It runs after tracebacks became text, so that it sees them too.
    """

    def __init__(self, *, personal: bool = False) -> None:
        from tieout.transport.redaction import redact  # noqa: PLC0415 (imported when used)

        self._personal = personal
        self._redact = redact

    def __call__(
        self, _logger: Any, _method: str, event: MutableMapping[str, Any]
    ) -> MutableMapping[str, Any]:
        """Return the line without what must not be read in it."""
        return {str(name): self._named(str(name), held, 0) for name, held in event.items()}

    def text(self, text: str) -> str:
        """Return a text without secrets, and without addresses of people."""
        text = str(self._redact(text))
        for pattern in _SECRET_TEXTS:
            text = pattern.sub(rf"\g<1>{HIDDEN}", text)
        return text if self._personal else _MAIL.sub(HIDDEN, text)

    def _named(self, name: str, held: Any, depth: int) -> Any:
        secret = _SECRET_NAME.search(name)
        if secret or (not self._personal and _PERSONAL_NAME.search(name)):
            return HIDDEN
        return self._value(held, depth)

    def _value(self, held: Any, depth: int) -> Any:
        if depth > DEPTH_LIMIT:
            return "…"
        if isinstance(held, str):
            return self.text(held)
        if isinstance(held, Mapping):
            return {str(k): self._named(str(k), v, depth + 1) for k, v in held.items()}
        if isinstance(held, list | tuple | set | frozenset):
            return [self._value(each, depth + 1) for each in held]
        if held is None or isinstance(held, bool | int | float):
            return held
        return self.text(str(held))


def _line(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> str:
    """Write a line for people: time, level, what, then the names that were bound."""
    at = str(event.pop("at", ""))[11:19]
    level = str(event.pop("level", "")).upper()
    said = str(event.pop("event", ""))
    trace = event.pop("exception", None)
    event.pop("logger", None)
    named = " ".join(f"{name}={held}" for name, held in event.items() if held not in (None, ""))
    line = f"{at} {level:<7} {said}" + (f"  {named}" if named else "")
    return line[:TEXT_CHARS_LIMIT] + (f"\n{trace}" if trace else "")
