"""Where each value of a document came from: the line that made it, and what that line saw."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from mapping.formula import Formula, Scope
from mapping.functions import text_of


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """One value of a document: the cell that made it, what came out, and what it saw."""

    field: str
    formula: Formula
    value: Any
    scope: Scope
    error: str = ""

    @property
    def sources(self) -> dict[str, Any]:
        """Each path that the formula read, and its value."""
        return self.formula.sources(self.scope)

    def __str__(self) -> str:
        seen = ", ".join(f"{path} = {shown(value)}" for path, value in self.sources.items())
        came = self.error or shown(self.value)
        return f"{self.field} = {came} (line {self.formula.line}: {self.formula.text}" + (
            f"; {seen})" if seen else ")"
        )


@dataclass(frozen=True, slots=True)
class Trace:
    """For each field of a document the line of the mapping that made it."""

    made: tuple[Made, ...] = ()

    def of(self, name: str) -> tuple[Made, ...]:
        """Return what made a field, or every field under it: ``lines[0]`` or ``customer``."""
        return tuple(
            made
            for made in self.made
            if made.field == name or made.field.startswith((f"{name}.", f"{name}["))
        )


def shown(value: Any) -> str:
    """Return a value as people read it."""
    if isinstance(value, list):
        return f"[{', '.join(shown(held) for held in value)}]"
    if value is None:
        return "(missing)"
    return text_of(value) if isinstance(value, bool | Decimal | date) else repr(value)
