"""The query language: one entity, AND, a closed list of fields (R10, R48)."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from tieout.simulator.quickbooks import refusals, singles, values
from tieout.simulator.quickbooks.company import QuickBooksCompany
from tieout.simulator.quickbooks.fields import QUERYABLE, Field, id_order
from tieout.simulator.quickbooks.records import LIST_KINDS, Record
from tieout.simulator.quickbooks.refusals import Json

DEFAULT_RESULTS = 100
MAX_RESULTS = 1000
MAX_QUERY_CHARS = 8000
MAX_PARSED_QUERIES = 256

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<text>'(?:\\.|[^'\\])*')
      | (?P<number>-?\d+(?:\.\d+)?)
      | (?P<word>[A-Za-z_][A-Za-z0-9_.]*)
      | (?P<sign><=|>=|!=|=|<|>|\(|\)|,|\*)
    )""",
    re.VERBOSE,
)
_KINDS = {kind.lower(): kind for kind in QUERYABLE}
_COMPARISONS = frozenset({"=", "<", ">", "<=", ">="})


@dataclass(frozen=True, slots=True)
class Condition:
    """A field, an operator and the value or values to compare with, as text."""

    field: Field
    operator: str
    given: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Query:
    """A parsed query."""

    kind: str
    counts: bool
    where: tuple[Condition, ...]
    order: tuple[tuple[Field, bool], ...]
    """Fields to sort by, and whether downwards."""
    start: int
    limit: int


def run(company: QuickBooksCompany, text: str) -> Json:
    """Answer a query with a `QueryResponse`'s content.

    Without ORDERBY the newest records come first; nobody should rely on it.

    Raises:
        Refused: 4000 not a query, 4001 a field or a size that may not be asked.
    """
    query = parse(text)
    if query.kind in singles.KINDS:
        given = {one.field.name: one.given for one in query.where}
        shown = singles.asked(company, query.kind, given)
        return {"totalCount": len(shown)} if query.counts else _page(query, shown)
    found = select(company, query)
    if query.counts:
        return {"totalCount": sum(1 for _ in found)}
    rows = list(found)
    for field, downwards in reversed(query.order):
        rows.sort(key=_sort_key(field), reverse=downwards)
    rows = rows[query.start - 1 : query.start - 1 + query.limit]
    return _page(query, [company.shown(query.kind, record) for record in rows])


def _page(query: Query, shown: list[Json]) -> Json:
    if not shown:
        return {}
    return {query.kind: shown, "startPosition": query.start, "maxResults": len(shown)}


def select(company: QuickBooksCompany, query: Query) -> Iterable[Record]:
    """Yield the records that meet all conditions, the newest first."""
    tests = [_test(company, one) for one in query.where]
    if query.kind in LIST_KINDS and not any(one.field.name == "Active" for one in query.where):
        tests.append(lambda record: record.body.get("Active", True))
    candidates = _candidates(company, query)
    if not tests:
        return candidates
    return (record for record in candidates if all(test(record) for test in tests))


@lru_cache(MAX_PARSED_QUERIES)
def parse(text: str) -> Query:
    """Read a query.

    Raises:
        Refused: 4000 it is none, 4001 it asks what may not be asked.
    """
    if len(text) > MAX_QUERY_CHARS:
        raise refusals.unparsable(f"a query may have {MAX_QUERY_CHARS} characters")
    return _Parser(_tokens(text)).query()


class _Parser:
    """Reads tokens from the left."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def query(self) -> Query:
        self._expect("select")
        counts = self._selection()
        self._expect("from")
        kind = _KINDS.get(self._next().lower())
        if kind is None:
            raise refusals.unparsable(f"Invalid context declaration: {self._tokens[self._at - 1]}")
        where: list[Condition] = []
        if self._accept("where"):
            where.append(self._condition(kind))
            while self._accept("and"):
                where.append(self._condition(kind))
        order = self._order(kind)
        start = self._whole("startposition", 1)
        limit = self._whole("maxresults", DEFAULT_RESULTS)
        if self._at < len(self._tokens):
            raise self._unexpected()
        if limit > MAX_RESULTS:
            raise refusals.invalid_query(
                f"value {limit} is too large. Max allowed value is {MAX_RESULTS}."
            )
        return Query(kind, counts, tuple(where), tuple(order), max(start, 1), limit)

    def _selection(self) -> bool:
        if self._accept("*"):
            return False
        if self._accept("count"):
            for sign in ("(", "*", ")"):
                self._expect(sign)
            return True
        raise self._unexpected()

    def _condition(self, kind: str) -> Condition:
        field = self._field(kind)
        operator = self._next().lower()
        if operator == "in":
            self._expect("(")
            given = [self._value()]
            while self._accept(","):
                given.append(self._value())
            self._expect(")")
            return Condition(field, operator, tuple(given))
        if operator in _COMPARISONS or operator == "like":
            return Condition(field, operator, (self._value(),))
        self._at -= 1
        raise self._unexpected()

    def _order(self, kind: str) -> list[tuple[Field, bool]]:
        if not self._accept("orderby"):
            if not self._accept("order"):
                return []
            self._expect("by")
        order: list[tuple[Field, bool]] = []
        while True:
            field = self._field(kind)
            downwards = self._accept("desc")
            if not downwards:
                self._accept("asc")
            order.append((field, downwards))
            if not self._accept(","):
                return order

    def _field(self, kind: str) -> Field:
        name = self._next()
        if not name[0].isalpha():
            self._at -= 1
            raise self._unexpected()
        found = QUERYABLE[kind].get(name.lower())
        if found is None:
            raise refusals.invalid_query(f"property '{name}' is not queryable")
        return found

    def _whole(self, word: str, default: int) -> int:
        if not self._accept(word):
            return default
        found = self._next()
        if not found.isdigit():
            self._at -= 1
            raise self._unexpected()
        return int(found)

    def _value(self) -> str:
        found = self._next()
        if found.startswith("'"):
            return re.sub(r"\\(.)", r"\1", found[1:-1])
        if found.lower() in {"true", "false"} or _is_number(found):
            return found.lower()
        self._at -= 1
        raise self._unexpected()

    def _next(self) -> str:
        if self._at == len(self._tokens):
            raise self._unexpected()
        self._at += 1
        return self._tokens[self._at - 1]

    def _accept(self, word: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at].lower() == word:
            self._at += 1
            return True
        return False

    def _expect(self, word: str) -> None:
        if not self._accept(word):
            raise self._unexpected()

    def _unexpected(self) -> refusals.Refused:
        found = self._tokens[self._at] if self._at < len(self._tokens) else "<EOF>"
        return refusals.unparsable(f'Encountered "{found}" at token {self._at + 1}')


def _tokens(text: str) -> list[str]:
    tokens: list[str] = []
    at = 0
    end = len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise refusals.unparsable(f'Encountered "{text[at:].strip()[:20]}" at column {at + 1}')
        tokens.append(str(match.group(match.lastgroup or 0)))
        at = match.end()
    return tokens


def _candidates(company: QuickBooksCompany, query: Query) -> Iterable[Record]:
    """Return the fewest records that can meet the conditions, without reading all if we can."""
    table = company.tables[query.kind]
    best: list[Record] | None = None
    since: datetime | None = None
    by_change = False
    for one in query.where:
        name = one.field.name.lower()
        if one.operator in {"=", "in"} and (name == "id" or table.is_indexed(name)):
            if name == "id":
                found = [table.rows[given] for given in one.given if given in table.rows]
            else:
                wanted = {_read(company, one.field, given) for given in one.given}
                found = [row for value in wanted for row in table.having(name, value)]
            if best is None or len(found) < len(best):
                best = found
        elif one.operator in {">", ">="} and one.field.type == "instant" and since is None:
            since = _read(company, one.field, one.given[0])
            by_change = name.endswith("lastupdatedtime")
    if best is not None:
        return sorted(best, key=_id_key, reverse=True)
    if since is None:
        return reversed(table.rows.values())
    if by_change:
        return (row for row in table.changed_since(since) if isinstance(row, Record))
    return table.created_since(since)


def _test(company: QuickBooksCompany, one: Condition) -> Callable[[Record], bool]:
    value_of = one.field.value_of
    if one.operator == "like":
        if one.field.type != "text":
            raise refusals.invalid_query(f"property {one.field.name} cannot be compared by LIKE")
        pattern = re.compile(
            "".join(".*" if part == "%" else re.escape(part) for part in one.given[0].casefold()),
            re.DOTALL,
        )
        return lambda record: pattern.fullmatch(str(value_of(record) or "")) is not None
    wanted = [_read(company, one.field, given) for given in one.given]
    if one.operator in {"=", "in"}:
        return lambda record: value_of(record) in wanted
    first = wanted[0]
    return _compare(value_of, one.operator, first)


def _compare(
    value_of: Callable[[Record], Any], operator: str, wanted: Any
) -> Callable[[Record], bool]:
    def known(record: Record, test: Callable[[Any], bool]) -> bool:
        value = value_of(record)
        return value is not None and test(value)

    match operator:
        case "<":
            return lambda record: known(record, lambda value: bool(value < wanted))
        case ">":
            return lambda record: known(record, lambda value: bool(value > wanted))
        case "<=":
            return lambda record: known(record, lambda value: bool(value <= wanted))
        case _:
            return lambda record: known(record, lambda value: bool(value >= wanted))


def _read(company: QuickBooksCompany, field: Field, given: str) -> Any:
    """Read a value as its field's type."""
    try:
        match field.type:
            case "number":
                return Decimal(given)
            case "instant":
                return values.instant(given, company.present())
            case "day":
                return datetime.fromisoformat(given).date().isoformat()
            case "flag":
                return {"true": True, "false": False}[given.lower()]
            case "text":
                return given.casefold()
            case "id":
                return id_order(given)
            case _:
                return given
    except (InvalidOperation, ValueError, KeyError):
        raise refusals.invalid_query(
            f"value '{given}' is not valid for property {field.name}"
        ) from None


def _sort_key(field: Field) -> Callable[[Record], Any]:
    return lambda record: (field.value_of(record) is not None, field.value_of(record))


def _id_key(record: Record) -> tuple[int, str]:
    return id_order(record.id)


def _is_number(found: str) -> bool:
    return bool(re.fullmatch(r"-?\d+(?:\.\d+)?", found))
