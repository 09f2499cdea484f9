"""From a query's conditions to a test of one record.

Texts compare without case, an absent value is equal to null and unequal to all else, and ids
compare in 15 or 18 characters. Source: SOQL and SOSL Reference, "Comparison Operators".
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from operator import ge, gt, le, lt
from typing import Any
from zoneinfo import ZoneInfo

from tieout.simulator.salesforce.errors import Refusal
from tieout.simulator.salesforce.fields import NUMBERS, Field, instant_of, instant_text
from tieout.simulator.salesforce.ids import long_id
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql.paths import Getter, Sight, resolve
from tieout.simulator.salesforce.soql.tree import (
    All,
    Column,
    Comparison,
    Condition,
    Either,
    Literal,
    Membership,
    Not,
    Query,
    wrong,
)
from tieout.simulator.salesforce.tables import Values

Test = Callable[[Values], bool]
FindIds = Callable[[Query], set[Any]]
_ORDERS = {"<": lt, ">": gt, "<=": le, ">=": ge}
_IDS = frozenset({"id", "reference"})
_WRITTEN = {"date": "date", "datetime": "dateTime", "boolean": "boolean", "int": "int"}


@dataclass(frozen=True, slots=True)
class Filtering:
    """What conditions are read against: the org, the kind, who asks, and the query's text."""

    sight: Sight
    kind: Kind
    text: str
    find_ids: FindIds

    @property
    def org(self) -> SalesforceOrg:
        """The org."""
        return self.sight.org

    def test(self, condition: Condition) -> Test:
        """Return the test that a condition means.

        Raises:
            Refusal: a field is not there, or a value is not of its type.
        """
        match condition:
            case All(terms):
                tests = [self.test(one) for one in terms]
                return lambda record: all(test(record) for test in tests)
            case Either(terms):
                tests = [self.test(one) for one in terms]
                return lambda record: any(test(record) for test in tests)
            case Not(term):
                inner = self.test(term)
                return lambda record: not inner(record)
            case Membership():
                return self._membership(condition)
            case Comparison():
                return self._comparison(condition)

    def ids_wanted(self, condition: Condition | None) -> tuple[str, set[str]] | None:
        """Return (field, ids) if the condition can hold only for records that name one of them."""
        terms = condition.terms if isinstance(condition, All) else (condition,)
        for term in terms:
            if not isinstance(term, Comparison | Membership) or len(term.column.path) > 1:
                continue
            field = self.kind.by_name.get(term.column.path[0].lower())
            if field is None or field.type not in _IDS:
                continue
            if isinstance(term, Comparison):
                literals: tuple[Literal, ...] = (term.value,) if term.operator == "=" else ()
            else:
                literals = term.among if not term.negated and isinstance(term.among, tuple) else ()
            ids = {long_id(one.value) for one in literals if isinstance(one.value, str)}
            if literals and None not in ids and len(ids) == len({one.value for one in literals}):
                return field.name, {one for one in ids if one is not None}
        return None

    def _resolved(self, column: Column) -> tuple[Field, Getter]:
        field, getter = resolve(self.sight, self.kind, column, self.text)
        if not field.filterable:
            raise wrong(
                "INVALID_FIELD",
                self.text,
                column.at,
                f"field '{field.name}' can not be filtered in a query call",
            )
        return field, getter

    def _membership(self, condition: Membership) -> Test:
        field, getter = self._resolved(condition.column)
        if isinstance(condition.among, Query):
            if field.type not in _IDS:
                raise self._misused(condition.column, field)
            wanted = self.find_ids(condition.among)
        else:
            wanted = {self._value(condition.column, field, one) for one in condition.among}
        fold = _folder(field)
        wanted = {fold(one) for one in wanted}
        if condition.negated:
            return lambda record: fold(getter(record)) not in wanted
        return lambda record: fold(getter(record)) in wanted

    def _comparison(self, condition: Comparison) -> Test:
        field, getter = self._resolved(condition.column)
        operator = condition.operator
        if operator == "like":
            return self._like(condition, field, getter)
        if condition.value.type == "range":
            return self._range(condition, field, getter)
        value = self._value(condition.column, field, condition.value)
        fold = _folder(field)
        wanted = fold(value)
        if operator == "=":
            return lambda record: fold(getter(record)) == wanted
        if operator == "!=":
            return lambda record: fold(getter(record)) != wanted
        if field.type == "boolean" or value is None:
            raise self._misused(condition.column, field)
        compare = _ORDERS[operator]

        def ordered(record: Values) -> bool:
            held = getter(record)
            return held is not None and bool(compare(fold(held), wanted))

        return ordered

    def _like(self, condition: Comparison, field: Field, getter: Getter) -> Test:
        literal = condition.value
        if field.type in {*_IDS, *NUMBERS, "boolean", "date", "datetime", "int"}:
            raise self._misused(condition.column, field)
        if literal.type != "string":
            raise self._mistyped(condition.column, field, literal)
        pattern = re.compile(_wildcards(literal.value), re.IGNORECASE | re.DOTALL)

        def alike(record: Values) -> bool:
            held = getter(record)
            return held is not None and pattern.fullmatch(held) is not None

        return alike

    def _range(self, condition: Comparison, field: Field, getter: Getter) -> Test:
        if field.type not in {"date", "datetime"}:
            raise self._mistyped(condition.column, field, condition.value)
        try:
            first, last = _days(self.org, *condition.value.value)
        except OverflowError as error:
            told = "the number of days is out of range"
            raise wrong("MALFORMED_QUERY", self.text, condition.value.at, told) from error
        low, high = first.isoformat(), last.isoformat()
        if field.type == "datetime":
            zone = ZoneInfo(self.org.time_zone)
            low = instant_text(datetime.combine(first, time(), zone))
            high = instant_text(datetime.combine(last + timedelta(days=1), time(), zone))
            high = instant_text(instant_of(high) - timedelta(seconds=1))
        tests: dict[str, Callable[[str], bool]] = {
            "=": lambda held: low <= held <= high,
            "!=": lambda held: not low <= held <= high,
            "<": lambda held: held < low,
            "<=": lambda held: held <= high,
            ">": lambda held: held > high,
            ">=": lambda held: held >= low,
        }
        test = tests[condition.operator]
        return lambda record: getter(record) is not None and test(getter(record))

    def _value(self, column: Column, field: Field, literal: Literal) -> Any:
        """Return a literal as the field's values are stored.

        Raises:
            Refusal: it is of another type.
        """
        kind, value = literal.type, literal.value
        if kind == "null":
            return None
        if field.type in _IDS and kind == "string":
            found = long_id(value)
            if found is None:
                raise wrong(
                    "INVALID_QUERY_FILTER_OPERATOR",
                    self.text,
                    column.at,
                    f"invalid ID field: {value}",
                )
            return found
        if field.type in {*NUMBERS, "int"}:
            if kind == "number":
                return value
            if kind == "money" and field.type == "currency" and self.org.multi_currency:
                return value[1]
        elif field.type == "date" and kind == "date":
            return _real_day(self.text, column, value)
        elif field.type == "datetime" and kind == "datetime":
            return _real_instant(self.text, column, value)
        elif kind == _LITERALS.get(field.type, "string"):
            return value
        raise self._mistyped(column, field, literal)

    def _mistyped(self, column: Column, field: Field, _: Literal) -> Refusal:
        written = "double" if field.type in NUMBERS else _WRITTEN.get(field.type)
        told = (
            f"must be of type {written} and should not be enclosed in quotes"
            if written
            else "must be of type string and should be enclosed in quotes"
        )
        return wrong(
            "INVALID_FIELD",
            self.text,
            column.at,
            f"value of filter criterion for field '{field.name}' {told}",
        )

    def _misused(self, column: Column, field: Field) -> Refusal:
        kind = "id" if field.type in _IDS else field.type
        return wrong(
            "INVALID_QUERY_FILTER_OPERATOR",
            self.text,
            column.at,
            f"invalid operator on {kind} field",
        )


_LITERALS = {"boolean": "boolean", "date": "date", "datetime": "datetime"}


def sort(records: Iterable[Values], keys: list[tuple[Field, Getter, bool, bool]]) -> list[Values]:
    """Sort by (field, getter, descending, nulls last), the first key before all others."""
    done = list(records)
    for field, getter, descending, nulls_last in reversed(keys):
        fold = _folder(field)
        held = [one for one in done if getter(one) is not None]
        empty = [one for one in done if getter(one) is None]
        held.sort(key=lambda one: fold(getter(one)), reverse=descending)
        done = [*held, *empty] if nulls_last else [*empty, *held]
    return done


def _folder(field: Field) -> Callable[[Any], Any]:
    plain = field.case_sensitive or field.type in {*_IDS, "date", "datetime", "boolean"}
    if plain or field.type in {*NUMBERS, "int"}:
        return _same
    return _folded


def _same(value: Any) -> Any:
    return value


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


def _wildcards(pattern: str) -> str:
    parts = []
    signs = iter(pattern)
    for sign in signs:
        if sign == "\\":
            parts.append(re.escape(next(signs, "\\")))
        else:
            parts.append({"%": ".*", "_": "."}.get(sign) or re.escape(sign))
    return "".join(parts)


def _real_day(text: str, column: Column, value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError as error:
        raise wrong("MALFORMED_QUERY", text, column.at, f"Invalid date: {value}") from error


def _real_instant(text: str, column: Column, value: str) -> str:
    try:
        return instant_text(instant_of(value))
    except (ValueError, OverflowError) as error:
        raise wrong("MALFORMED_QUERY", text, column.at, f"Invalid datetime: {value}") from error


def _days(org: SalesforceOrg, word: str, count: int) -> tuple[date, date]:
    today = org.now().astimezone(ZoneInfo(org.time_zone)).date()
    month = today.replace(day=1)
    year = month.replace(month=1)
    last_month = month - timedelta(days=1)
    ranges = {
        "TODAY": (today, today),
        "YESTERDAY": (today - timedelta(days=1),) * 2,
        "TOMORROW": (today + timedelta(days=1),) * 2,
        "THIS_MONTH": (month, (month + timedelta(days=31)).replace(day=1) - timedelta(days=1)),
        "LAST_MONTH": (last_month.replace(day=1), last_month),
        "THIS_YEAR": (year, year.replace(month=12, day=31)),
        "LAST_YEAR": (year.replace(year=year.year - 1), year - timedelta(days=1)),
        "LAST_N_DAYS": (today - timedelta(days=count), today),
        "NEXT_N_DAYS": (today + timedelta(days=1), today + timedelta(days=count)),
    }
    return ranges[word]
