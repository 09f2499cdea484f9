"""Values that a configuration writes as one word or text: secrets, addresses, spans, policies.

Each knows how to read itself and how an editor may check it. The settings validator is imported
only when a configuration is read.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Any, ClassVar, Self
from urllib.parse import urlsplit

from sync_engine.approvals.policy import Policy, parse_policy
from tieout.model.dates import time_zone
from tieout.model.errors import ConfigError, ValueRefused
from tieout.model.money import Money

SPAN_SECS_LIMIT = 7 * 24 * 3600
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

_SPAN = re.compile(r"([1-9]\d{0,5})\s*(s|m|h|d)")
_UNIT_SECS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Written(ABC):
    """A value that is written as one text."""

    __slots__ = ()

    pattern: ClassVar[str] = ""
    """A regular expression that editors check; ``parse`` says what is wrong in words."""

    @classmethod
    @abstractmethod
    def parse(cls, text: str) -> Self:
        """Return the value of a text.

        Raises:
            ValueRefused: it is none, and why.
        """

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        """Tell the validator: a text, then ``parse``."""
        from pydantic_core import core_schema  # noqa: PLC0415 (imported when used)

        return core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema())

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Tell editors the form."""
        return {"type": "string", **({"pattern": cls.pattern} if cls.pattern else {})}


@dataclass(frozen=True, slots=True)
class SecretRef(Written):
    """Where a secret is kept: ``env:NAME`` or ``file:PATH``. The secret itself is never written."""

    pattern: ClassVar[str] = "^(env:[A-Za-z_][A-Za-z0-9_]*|file:.+)$"

    place: str
    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``env:NAME`` or ``file:PATH``; the text is never repeated in the refusal."""
        if re.fullmatch(cls.pattern, text) is None:
            raise ValueRefused(
                "must say where the secret is kept, as env:NAME or file:PATH; "
                "never write a secret in this file"
            )
        place, _, name = text.partition(":")
        return cls(place, name)

    def reference(self, directory: Path) -> str:
        """Return it as text again, with a relative path made whole from the configuration's."""
        if self.place == "env":
            return f"env:{self.name}"
        return f"file:{directory / Path(self.name).expanduser()}"


@dataclass(frozen=True, slots=True)
class Address(Written):
    """A web address: https, or http on this machine only."""

    pattern: ClassVar[str] = "^https?://[^\\s]+$"

    url: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address without user, query or fragment; a last slash is dropped."""
        try:
            parts = urlsplit(text)
            host, user = parts.hostname, parts.username
            _ = parts.port
        except ValueError as wrong:
            raise ValueRefused("is not a web address") from wrong
        if parts.scheme not in {"http", "https"} or not host or any(map(str.isspace, text)):
            raise ValueRefused("is not a web address; write it as https://host/path")
        if user is not None or parts.fragment:
            raise ValueRefused("must not carry a user, a password or a fragment")
        if parts.scheme == "http" and host not in LOOPBACK_HOSTS:
            raise ValueRefused("must be https; plain http is accepted on this machine only")
        return cls(text.rstrip("/"))

    @property
    def on_this_machine(self) -> bool:
        """Whether it is a loopback address."""
        return urlsplit(self.url).hostname in LOOPBACK_HOSTS

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True)
class Listen(Written):
    """Where to listen on this machine: HOST:PORT, as 127.0.0.1:8843 or [::1]:8843."""

    pattern: ClassVar[str] = r"^(\[[0-9a-fA-F:]+\]|[0-9.]+):[0-9]{1,5}$"

    host: str
    port: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an address by its number and a port; port 0 takes a free one."""
        if re.fullmatch(cls.pattern, text) is None:
            raise ValueRefused("is not where to listen; write it as 127.0.0.1:8843")
        host, _, port = text.rpartition(":")
        try:
            known = ip_address(host.strip("[]"))
        except ValueError as wrong:
            raise ValueRefused("is not where to listen; write it as 127.0.0.1:8843") from wrong
        if int(port) > 65_535:
            raise ValueRefused("has no such port; the last is 65535")
        return cls(str(known), int(port))

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Span(Written):
    """A length of time, written 30s, 5m, 2h or 1d."""

    pattern: ClassVar[str] = "^[1-9][0-9]{0,5} ?(s|m|h|d)$"

    secs: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a number and its unit; a week is the longest."""
        form = _SPAN.fullmatch(text.strip())
        if form is None:
            raise ValueRefused("is not a length of time; write it as 30s, 5m, 2h or 1d")
        secs = int(form[1]) * _UNIT_SECS[form[2]]
        if secs > SPAN_SECS_LIMIT:
            raise ValueRefused("is longer than 7d")
        return cls(secs)

    def __str__(self) -> str:
        unit = next(u for u in ("d", "h", "m", "s") if self.secs % _UNIT_SECS[u] == 0)
        return f"{self.secs // _UNIT_SECS[unit]}{unit}"


@dataclass(frozen=True, slots=True)
class Zone(Written):
    """A time zone by its IANA name."""

    name: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a name as ``Europe/Oslo``."""
        time_zone(text)
        return cls(text)

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class Approve(Written):
    """Who approves a plan: ``by_hand``, ``automatic``, or ``automatic under 5000 EUR``."""

    pattern: ClassVar[str] = "^(by_hand|automatic( under [0-9.]+ [A-Z]{3})?)$"

    policy: Policy

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a policy."""
        try:
            return cls(parse_policy(text))
        except ConfigError as wrong:
            raise ValueRefused(
                "is no policy; write by_hand, automatic, or automatic under 5000 EUR"
            ) from wrong


@dataclass(frozen=True, slots=True)
class Sum(Written):
    """An amount of money, written ``100000 EUR``."""

    pattern: ClassVar[str] = "^[0-9.]+ [A-Z]{3}$"

    money: Money

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read an amount and its currency."""
        amount, _, code = " ".join(text.split()).partition(" ")
        return cls(Money.of(amount, code))


@dataclass(frozen=True, slots=True)
class Whole:
    """Beside ``int`` in an annotation: a whole number from ``least`` to ``most``, never a flag."""

    least: int
    most: int

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        """Tell the validator and editors the limits."""
        from pydantic_core import core_schema  # noqa: PLC0415 (imported when used)

        return core_schema.int_schema(strict=True, ge=self.least, le=self.most)
