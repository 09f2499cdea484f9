"""The search endpoint: filters, one sort, pages of 200, and a window that ends at 10,000 (R41).

Source: developers.hubspot.com/docs/api-reference/2026-03/crm/search-the-crm. Groups are joined by
OR, the filters in a group by AND; texts compare without case.
"""

from bisect import bisect_left, bisect_right
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tieout.simulator.hubspot.errors import Refusal, bad_request
from tieout.simulator.hubspot.portal import HubSpotPortal
from tieout.simulator.hubspot.records import Record, value_of
from tieout.simulator.hubspot.schema import Kind, Property, comparable

PAGE = 200
WINDOW = 10_000
DEFAULT_PAGE = 10
MAX_GROUPS = 5
MAX_FILTERS_PER_GROUP = 6
MAX_FILTERS = 18
MAX_QUERY_CHARS = 3_000
DIRECTIONS = frozenset({"ASCENDING", "DESCENDING"})
REMEMBERED = 16
"""How many searches' matches are kept, so that the next page costs nothing."""

Predicate = Callable[[Record], bool]
Value = Any


@dataclass(frozen=True, slots=True)
class Found:
    """One page of matches, as the index has them."""

    total: int
    records: Sequence[Record]
    next_after: str | None


class Searcher:
    """Searches a portal and remembers the matches of the latest searches."""

    def __init__(self, portal: HubSpotPortal) -> None:
        self._portal = portal
        self._remembered: OrderedDict[tuple[str, str], tuple[int, list[int]]] = OrderedDict()

    def search(self, kind: Kind, asked: Mapping[str, Any]) -> Found:
        """Answer one search.

        Raises:
            Refusal: 400 for a question over the limits, of unknown properties or operators, or
                for a page beyond the 10,000th match.
        """
        limit = _whole(asked.get("limit", DEFAULT_PAGE), "limit")
        if not 0 <= limit <= PAGE:
            raise bad_request(f"The limit must be between 0 and {PAGE}, but was {limit}.")
        after = _whole(asked.get("after") or 0, "after")
        if after + limit > WINDOW:
            raise bad_request(
                f"Paging beyond {WINDOW} results is not supported: after {after}, limit {limit}."
            )
        index = self._portal.indexes[kind.name]
        index.settle(self._portal.present())
        ids = self._matches(kind, asked)
        page = [index.versions[record_id] for record_id in ids[after : after + limit]]
        more = after + len(page) < len(ids)
        return Found(len(ids), page, str(after + len(page)) if more and page else None)

    def _matches(self, kind: Kind, asked: Mapping[str, Any]) -> list[int]:
        last, rest = _walk(asked)
        if last is None:
            return self._remembering(kind, asked)
        after: int = _Filter(self._portal, kind, last).low
        ids = self._remembering(kind, rest)
        return ids[bisect_right(ids, after) :]

    def _remembering(self, kind: Kind, asked: Mapping[str, Any]) -> list[int]:
        parts = [asked.get(name) for name in ("filterGroups", "filters", "sorts", "query")]
        key = (kind.name, repr(parts))
        index = self._portal.indexes[kind.name]
        known = self._remembered.get(key)
        if known is not None and known[0] == index.state:
            self._remembered.move_to_end(key)
            return known[1]
        ids = self._look(kind, asked)
        self._remembered[key] = (index.state, ids)
        while len(self._remembered) > REMEMBERED:
            self._remembered.popitem(last=False)
        return ids

    def _look(self, kind: Kind, asked: Mapping[str, Any]) -> list[int]:
        index = self._portal.indexes[kind.name]
        groups = _groups(asked)
        compiled = [[_Filter(self._portal, kind, one) for one in group] for group in groups]
        low, high = _span(compiled, kind.modified)
        start = bisect_left(index.by_time, (low, 0)) if low is not None else 0
        end = (
            bisect_right(index.by_time, (high, WIDEST_ID))
            if high is not None
            else len(index.by_time)
        )
        matches = _any_group(compiled, _words(kind, asked))
        versions = index.versions
        found = [
            record_id for _, record_id in index.by_time[start:end] if matches(versions[record_id])
        ]
        return self._sorted(kind, asked, found)

    def _sorted(self, kind: Kind, asked: Mapping[str, Any], ids: list[int]) -> list[int]:
        sorts = asked.get("sorts") or []
        if len(sorts) > 1:
            raise bad_request("Only one sort can be applied.")
        if not sorts:
            return sorted(ids)  # oldest first
        sort = sorts[0] if isinstance(sorts[0], dict) else {"propertyName": sorts[0]}
        name = sort.get("propertyName", "")
        prop = _known(self._portal, kind, name)
        direction = sort.get("direction", "ASCENDING")
        if direction not in DIRECTIONS:
            raise bad_request(f"Invalid direction: {direction}")
        descending = direction == "DESCENDING"
        if name == kind.modified:
            return ids[::-1] if descending else ids
        get = _getter(kind, prop)
        versions = self._portal.indexes[kind.name].versions
        valued = {record_id: get(versions[record_id]) for record_id in ids}
        filled = [record_id for record_id in ids if valued[record_id] is not None]
        empty = [record_id for record_id in ids if valued[record_id] is None]
        filled.sort(key=lambda record_id: (valued[record_id], record_id), reverse=descending)
        return filled + empty


class _Filter:
    """One filter, compiled; `low` and `high` bound what it lets pass, where they are known."""

    def __init__(self, portal: HubSpotPortal, kind: Kind, told: Mapping[str, Any]) -> None:
        prop = _known(portal, kind, told.get("propertyName", ""))
        self.name = prop.name
        self.low: Value = None
        self.high: Value = None
        self.test = self._compiled(kind, prop, told)

    def _compiled(self, kind: Kind, prop: Property, told: Mapping[str, Any]) -> Predicate:
        get = _getter(kind, prop)
        operator = told.get("operator")
        match operator:
            case "HAS_PROPERTY":
                return lambda record: get(record) is not None
            case "NOT_HAS_PROPERTY":
                return lambda record: get(record) is None
            case "IN" | "NOT_IN":
                wanted = {_value(prop, value) for value in told.get("values") or []}
                if not wanted:
                    raise bad_request(f"{operator} needs values")
                if operator == "IN":
                    return lambda record: get(record) in wanted
                return lambda record: get(record) not in wanted
            case "CONTAINS_TOKEN" | "NOT_CONTAINS_TOKEN":
                token = str(told.get("value", "")).lower().strip("*")
                if operator == "CONTAINS_TOKEN":
                    return lambda record: token in str(get(record) or "")
                return lambda record: token not in str(get(record) or "")
            case "BETWEEN":
                self.low, self.high = (
                    _value(prop, told.get("value")),
                    _value(prop, told.get("highValue")),
                )
                return _between(get, self.low, self.high)
            case "EQ" | "NEQ" | "LT" | "LTE" | "GT" | "GTE":
                return self._comparison(get, operator, _value(prop, told.get("value")))
            case _:
                raise bad_request(f"Invalid operator: {operator}")

    def _comparison(
        self, get: Callable[[Record], Value], operator: str, wanted: Value
    ) -> Predicate:
        match operator:
            case "EQ":
                self.low = self.high = wanted
                return lambda record: get(record) == wanted
            case "NEQ":
                return lambda record: get(record) not in {None, wanted}
            case "LT":
                self.high = wanted
                return lambda record: (value := get(record)) is not None and value < wanted
            case "LTE":
                self.high = wanted
                return lambda record: (value := get(record)) is not None and value <= wanted
            case "GT":
                self.low = wanted
                return lambda record: (value := get(record)) is not None and value > wanted
            case _:
                self.low = wanted
                return lambda record: (value := get(record)) is not None and value >= wanted


WIDEST_ID = 1 << 62
BEYOND = ("hs_object_id", "GT")


def _walk(asked: Mapping[str, Any]) -> tuple[Mapping[str, Any] | None, Mapping[str, Any]]:
    """Return the filter by which a walk over all ids goes on, and what is asked beside it.

    Each page of such a walk is a search of its own; without that filter they all ask the same.
    """
    groups = asked.get("filterGroups") or []
    sorts = asked.get("sorts") or []
    by_id = [one.get("propertyName") if isinstance(one, dict) else one for one in sorts]
    if len(groups) != 1 or asked.get("filters") or by_id != ["hs_object_id"]:
        return None, asked
    if isinstance(sorts[0], dict) and sorts[0].get("direction", "ASCENDING") != "ASCENDING":
        return None, asked
    held = groups[0].get("filters") or []
    walked = [one for one in held if (one.get("propertyName"), one.get("operator")) == BEYOND]
    if len(walked) != 1 or len(held) > MAX_FILTERS_PER_GROUP:
        return None, asked
    rest = [one for one in held if one is not walked[0]]
    return walked[0], {**asked, "filterGroups": [{"filters": rest}] if rest else []}


def _groups(asked: Mapping[str, Any]) -> list[list[Mapping[str, Any]]]:
    """Return the filters, group by group; a flat `filters` is one group."""
    groups = [group.get("filters") or [] for group in asked.get("filterGroups") or []]
    if asked.get("filters"):
        groups.append(asked["filters"])
    if len(groups) > MAX_GROUPS:
        raise bad_request(f"Too many filterGroups: {len(groups)}, at most {MAX_GROUPS}.")
    if any(len(group) > MAX_FILTERS_PER_GROUP for group in groups):
        raise bad_request(f"A filterGroup takes at most {MAX_FILTERS_PER_GROUP} filters.")
    if sum(map(len, groups)) > MAX_FILTERS:
        raise bad_request(f"A search takes at most {MAX_FILTERS} filters.")
    return groups


def _span(groups: Sequence[Sequence[_Filter]], modified: str) -> tuple[Value, Value]:
    """Return the times of change between which every match must lie."""
    if len(groups) != 1:
        return None, None
    lows = [one.low for one in groups[0] if one.name == modified and one.low is not None]
    highs = [one.high for one in groups[0] if one.name == modified and one.high is not None]
    return max(lows, default=None), min(highs, default=None)


def _any_group(groups: Sequence[Sequence[_Filter]], words: Predicate | None) -> Predicate:
    compiled = [[one.test for one in group] for group in groups]
    tests = [_all(group) for group in compiled]
    if words is not None:
        tests = [_all([words, test]) for test in tests] or [words]
    if not tests:
        return lambda _: True
    return tests[0] if len(tests) == 1 else lambda record: any(test(record) for test in tests)


def _all(tests: Sequence[Predicate]) -> Predicate:
    if len(tests) == 1:
        return tests[0]
    return lambda record: all(test(record) for test in tests)


def _words(kind: Kind, asked: Mapping[str, Any]) -> Predicate | None:
    """Return a test that every word of `query` stands in one of the shown texts."""
    words = str(asked.get("query") or "").lower()
    if len(words) > MAX_QUERY_CHARS:
        raise bad_request(f"A query may have {MAX_QUERY_CHARS} characters.")
    if not words:
        return None
    names = [name for name, prop in kind.properties.items() if prop.type == "string"]
    return lambda record: all(
        any(word in record.values.get(name, "").lower() for name in names) for word in words.split()
    )


def _between(get: Callable[[Record], Value], low: Value, high: Value) -> Predicate:
    return lambda record: (value := get(record)) is not None and low <= value <= high


def _getter(kind: Kind, prop: Property) -> Callable[[Record], Value]:
    name = prop.name
    if name == "hs_object_id":
        return lambda record: record.id
    if name == kind.modified:
        return lambda record: record.modified
    if name in {kind.created, "hs_createdate"} and prop.read_only:
        return lambda record: record.created
    if prop.type in {"bool", "string", "enumeration"}:
        return lambda record: (value_of(kind, record, name) or "").lower() or None

    def typed(record: Record) -> Value:
        text = record.values.get(name)
        return None if text is None else comparable(prop, text)

    return typed


def _value(prop: Property, told: Any) -> Value:
    if told is None or told == "":
        raise bad_request(f"operator on {prop.name} needs a value")
    value = comparable(prop, str(told).lower() if isinstance(told, bool) else str(told))
    if value is None:
        raise bad_request(f"{told} is not a valid {prop.type} for {prop.name}")
    return value


def _known(portal: HubSpotPortal, kind: Kind, name: str) -> Property:
    prop = portal.properties[kind.name].get(name)
    if prop is None:
        raise Refusal(
            400,
            "VALIDATION_ERROR",
            f"There was a problem with the request: property {name} does not exist",
            context={"propertyName": [name]},
        )
    return prop


def _whole(value: Any, name: str) -> int:
    text = str(value)
    if not text.isdecimal():
        raise bad_request(f"{name} must be a whole number, but was {text}")
    return int(text)
