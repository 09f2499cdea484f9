"""Create, Update, Void; Finding; Plan and its hash.

A plan is one document's change, frozen. The approver approves its hash, so the hash covers all that
the other system would be told and nothing else: not versions, times or traces.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TypeAlias

from tieout.model.canonical import Plain, Values, digest
from tieout.model.money import Money
from tieout.model.ref import Ref, Version


class Verb(StrEnum):
    """What a change does."""

    CREATE = "create"
    UPDATE = "update"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Create:
    """A new record with these plain values."""

    kind: str
    values: Values

    verb = Verb.CREATE


@dataclass(frozen=True, slots=True)
class Update:
    """Other values in a record: ``before`` is what they replace, ``version`` what was read."""

    ref: Ref
    version: Version
    values: Values
    before: Values = field(default_factory=dict)

    verb = Verb.UPDATE

    @property
    def kind(self) -> str:
        """The kind of the record."""
        return self.ref.kind


@dataclass(frozen=True, slots=True)
class Void:
    """Take a record back; it stays in the books with all amounts zero (R11)."""

    ref: Ref
    version: Version
    before: Values = field(default_factory=dict)

    verb = Verb.VOID

    @property
    def kind(self) -> str:
        """The kind of the record."""
        return self.ref.kind

    @property
    def values(self) -> Values:
        """A void writes nothing of its own."""
        return {}


Change: TypeAlias = Create | Update | Void


class Severity(StrEnum):
    """How much a finding weighs."""

    BLOCK = "block"  # the books would refuse it, or it would be wrong: mend it first
    ASK = "ask"  # a person answers, then it goes on
    WARN = "warn"  # shown to the approver


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason to block, ask or warn, with its record and its remedy.

    ``choices`` are the answers a person can give (ids of candidates, ``create``, ``link``).
    """

    code: str
    severity: Severity
    message: str
    remedy: str = ""
    record: Ref | None = None
    line: int = 0
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Plan:
    """One document's change, frozen, with what it waits for and what was found.

    Attributes:
        key: the document's key, as text.
        mapping: the mapping's name.
        mapping_version: the version that the mapping's author gave it.
        change: what would be done.
        title: what people call it.
        needs: keys of plans that must be posted first (a new customer, a new item).
        along: hashes of the plans that are approved with this one, posted meanwhile or not.
        findings: what preflight found.
        net: the document's net, for policies and tie-out.
        expected: the gross that the books should answer, where it is known.
        tolerance: how far the books' answer may be from ``expected``.
        source: the CRM record it comes from.
    """

    key: str
    mapping: str
    mapping_version: int
    change: Change
    title: str = ""
    needs: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    net: Money | None = None
    expected: Money | None = None
    tolerance: Money | None = None
    source: Ref | None = None
    along: tuple[str, ...] = ()

    @cached_property
    def hash(self) -> str:
        """The SHA-256 of everything that an approver approves."""
        change = self.change
        target = None if isinstance(change, Create) else [change.ref.company, change.ref.id]
        before: Mapping[str, Plain] = {} if isinstance(change, Create) else change.before
        return digest(
            [
                self.key,
                change.verb.value,
                change.kind,
                target,
                change.values,
                before,
                self.mapping,
                self.mapping_version,
                *([sorted(self.along)] if self.along else ()),
            ]
        )

    @property
    def blocked(self) -> bool:
        """Whether something must be mended or answered before it can be approved."""
        return any(finding.severity is not Severity.WARN for finding in self.findings)
