"""What a document is made from, and where."""

from __future__ import annotations

from collections import abc
from dataclasses import dataclass, field
from datetime import date

from tieout.model.dates import EARLIEST
from tieout.model.money import Rounding
from tieout.model.record import Record
from tieout.model.ref import Ref


@dataclass(frozen=True, slots=True)
class Given:
    """What a document is made from: the source and the records that travel with it, whole.

    ``related`` has, for each role of the mapping, its records in the system's own order;
    ``primary`` the one of them that the system itself calls so.
    """

    record: Record
    related: abc.Mapping[str, tuple[Record, ...]] = field(default_factory=dict)
    primary: abc.Mapping[str, Ref] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Setting:
    """Where a document is made: the pair's facts that formulas and keys need.

    ``target_company`` is the books' identity (``quickbooks:913``).
    """

    target_company: str
    cutover_date: date = EARLIEST
    home_currency: str | None = None
    rounding: Rounding = Rounding.HALF_UP
