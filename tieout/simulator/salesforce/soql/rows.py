"""Finding a query's records, and showing each as the wire has it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tieout.simulator.salesforce.errors import Refusal
from tieout.simulator.salesforce.fields import Field, shown
from tieout.simulator.salesforce.kinds import Kind
from tieout.simulator.salesforce.soql.filters import Filtering, sort
from tieout.simulator.salesforce.soql.paths import NAMED, Sight, no_column, no_relationship, resolve
from tieout.simulator.salesforce.soql.tree import Column, Query, TypeOf, wrong
from tieout.simulator.salesforce.tables import Values

Shape = Callable[[Values], Any]
MAX_PARENT_RELATIONSHIPS = 55


@dataclass(frozen=True, slots=True)
class Search:
    """A query understood: what it asks of which kind, and how a record of it is shown."""

    sight: Sight
    version: str
    kind: Kind
    query: Query
    find: Callable[[Sequence[Values] | None], list[Values]]
    show: Shape
    by_ids: bool
    """Its conditions name records that it is about, or that its own refer to."""

    def children_of(self, shown: Mapping[str, Any]) -> int:
        """Return how many children a shown record brings along."""
        lists = [one for one in self.query.select if isinstance(one, Query)]
        if not lists:
            return 0
        held = (one for one in shown.values() if isinstance(one, dict) and "totalSize" in one)
        return sum(int(one["totalSize"]) for one in held)

    def long_texts(self) -> int:
        """Return how many custom long texts are selected."""
        fields = (
            self.sight.field(self.kind, one.path[-1])
            for one in self.query.select
            if isinstance(one, Column) and len(one.path) == 1
        )
        return sum(one is not None and one.custom and not one.filterable for one in fields)


def understand(sight: Sight, version: str, query: Query, *, deleted: bool) -> Search:
    """Check a query against the org; `deleted` includes what lies in the recycle bin.

    Raises:
        Refusal: INVALID_TYPE, INVALID_FIELD, INVALID_QUERY_FILTER_OPERATOR or MALFORMED_QUERY.
    """
    kind = sight.kind(query.source)
    if kind is None:
        raise wrong(
            "INVALID_TYPE",
            query.text,
            query.source_at,
            f"sObject type '{query.source}' is not supported. If you are attempting to use a "
            "custom object, be sure to append the '__c' after the entity name. Please reference "
            "your WSDL or the describe call for the appropriate names.",
        )
    search = _search(sight, version, kind, query, deleted=deleted)
    if kind.name == "ContentDocumentLink" and not search.by_ids:
        raise wrong(
            "MALFORMED_QUERY",
            query.text,
            query.source_at,
            "Implementation restriction: ContentDocumentLink requires a filter by a single Id on "
            "ContentDocumentId or LinkedEntityId using the equals operator or multiple Id's using "
            "the IN operator.",
        )
    return search


def _search(sight: Sight, version: str, kind: Kind, query: Query, *, deleted: bool) -> Search:
    filtering = Filtering(
        sight, kind, query.text, lambda inner: _ids(sight, version, inner, deleted=deleted)
    )
    test = None if query.where is None else filtering.test(query.where)
    wanted = filtering.ids_wanted(query.where)
    keys = []
    for order in query.order:
        by, getter = resolve(sight, kind, order.column, query.text)
        if not by.filterable:
            raise wrong(
                "INVALID_FIELD",
                query.text,
                order.column.at,
                f"field '{by.name}' can not be sorted in a query call",
            )
        keys.append((by, getter, order.descending, order.nulls_last))
    table = sight.org.tables[kind.name]

    def candidates() -> Sequence[Values]:
        if wanted is None:
            return list(table.records.values())
        name, ids = wanted
        if name == "Id":
            return [table.records[one] for one in sorted(ids) if one in table.records]
        if table.indexes(name):
            return table.having(name, sorted(ids))
        return list(table.records.values())

    def find(among: Sequence[Values] | None) -> list[Values]:
        found = [
            one
            for one in (candidates() if among is None else among)
            if (deleted or not one.get("IsDeleted")) and (test is None or test(one))
        ]
        found = sort(found, keys)
        end = None if query.limit is None else query.offset + query.limit
        return found[query.offset : end]

    node = _Node(kind.name)
    for selected in query.select:
        _add(sight, version, kind, query, selected, node, deleted=deleted)
    return Search(sight, version, kind, query, find, node.shaped(version), wanted is not None)


@dataclass(slots=True)
class _Node:
    """How one record is shown: its parts in order, the parents' nested."""

    kind: str
    parts: dict[str, Shape | _Node] = field(default_factory=dict)
    reference: Field | None = None
    sight: Sight | None = None

    def shaped(self, version: str) -> Shape:
        parts = [
            (name, part.shaped(version) if isinstance(part, _Node) else part)
            for name, part in self.parts.items()
        ]

        def show(record: Values) -> Any:
            if self.reference is not None and self.sight is not None:
                above = self.sight.parent(self.reference, record)
                if above is None:
                    return None
                kind, record = above[0].name, above[1]
            else:
                kind = self.kind
            told: dict[str, Any] = {"attributes": attributes(version, kind, record["Id"])}
            for name, part in parts:
                told[name] = part(record)
            return told

        return show


def attributes(version: str, kind: str, record_id: str) -> dict[str, str]:
    """Return what says of a record what it is and where."""
    return {
        "type": kind,
        "url": f"/services/data/v{version}/sobjects/{kind}/{record_id}",
    }


def _add(
    sight: Sight,
    version: str,
    kind: Kind,
    query: Query,
    selected: Column | TypeOf | Query,
    node: _Node,
    *,
    deleted: bool,
) -> None:
    match selected:
        case Column():
            _add_column(sight, version, kind, query, selected, node)
        case TypeOf():
            _add_typeof(sight, version, kind, query, selected, node)
        case Query():
            _add_children(sight, version, kind, query, selected, node, deleted=deleted)


def _add_column(
    sight: Sight, version: str, kind: Kind, query: Query, column: Column, node: _Node
) -> None:
    resolve(sight, kind, column, query.text)
    *parents, name = column.path
    if (
        parents
        and parents[0].lower() == kind.name.lower()
        and not sight.relationship(kind, parents[0])
    ):
        parents = parents[1:]
    for parent in parents:
        step = sight.relationship(kind, parent)
        if step is None or step.relationship is None:
            raise no_relationship(query.text, column.at, parent)
        below = node.parts.setdefault(
            step.relationship, _Node(step.refers_to[0], reference=step, sight=sight)
        )
        if not isinstance(below, _Node):
            raise wrong("MALFORMED_QUERY", query.text, column.at, "duplicate field selected")
        node = below
        kind = sight.org.kinds[step.refers_to[0]]
        if len(step.refers_to) > 1:
            known = next(one for known, one in NAMED.items() if known.lower() == name.lower())
            node.parts[known.name] = _named_value(sight, known.name)
            return
    field_ = sight.field(kind, name)
    if field_ is None:
        raise no_column(query.text, column.at, name, kind.name)
    if field_.name in node.parts:
        raise wrong(
            "INVALID_FIELD", query.text, column.at, f"duplicate field selected: {field_.name}"
        )
    node.parts[field_.name] = _value(version, kind, field_)


def _add_typeof(
    sight: Sight, version: str, kind: Kind, query: Query, selected: TypeOf, node: _Node
) -> None:
    step = sight.relationship(kind, selected.relationship)
    if step is None or step.relationship is None or len(step.refers_to) < 2:
        raise no_relationship(query.text, selected.at, selected.relationship)
    reference = step
    shapes: dict[str, Shape] = {}
    for name, columns in selected.when:
        target = sight.kind(name)
        if target is None or target.name not in reference.refers_to:
            raise wrong("INVALID_TYPE", query.text, selected.at, f"{name} is not reached by TYPEOF")
        below = _Node(target.name)
        for column in columns:
            _add_column(sight, version, target, query, column, below)
        shapes[target.name] = below.shaped(version)
    rest = [column.path[-1] for column in selected.otherwise]
    unknown = [one for one in rest if one not in NAMED]
    if unknown:
        raise no_column(query.text, selected.at, unknown[0], "Name")

    def show(record: Values) -> Any:
        above = sight.parent(reference, record)
        if above is None:
            return None
        target, values = above
        shape = shapes.get(target.name)
        if shape is not None:
            return shape(values)
        told: dict[str, Any] = {"attributes": attributes(version, target.name, values["Id"])}
        return {**told, **{name: values.get(name) for name in rest}}

    node.parts[step.relationship] = show


def _add_children(
    sight: Sight,
    version: str,
    kind: Kind,
    query: Query,
    inner: Query,
    node: _Node,
    *,
    deleted: bool,
) -> None:
    found = next(
        (
            (child, one)
            for child in sight.org.kinds.values()
            for one in child.fields.values()
            if one.children
            and one.children.lower() == inner.source.lower()
            and kind.name in one.refers_to
            and one.name in sight.org.sight(sight.user, child)[0]
            and sight.org.may(sight.user, child)
        ),
        None,
    )
    if found is None:
        raise wrong(
            "INVALID_TYPE",
            query.text,
            inner.source_at,
            f"Didn't understand relationship '{inner.source}' in FROM part of query call. If you "
            "are attempting to use a custom relationship, be sure to append the '__r' after the "
            "custom relationship name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )
    child, by = found
    search = _search(sight, version, child, inner, deleted=deleted)
    table = sight.org.tables[child.name]

    def show(record: Values) -> Any:
        rows = search.find(table.having(by.name, [record["Id"]]))
        if not rows:
            return None
        return {
            "totalSize": len(rows),
            "done": True,
            "records": [search.show(one) for one in rows],
        }

    node.parts[by.children or child.plural] = show


def _ids(sight: Sight, version: str, inner: Query, *, deleted: bool) -> set[Any]:
    search = understand(sight, version, inner, deleted=deleted)
    if search.kind.name == "ContentDocumentLink":
        raise wrong(
            "MALFORMED_QUERY",
            inner.text,
            inner.source_at,
            "Entity 'ContentDocumentLink' is not supported for semi join inner selects",
        )
    if len(inner.select) != 1 or not isinstance(inner.select[0], Column):
        raise _semi_join(inner)
    column = inner.select[0]
    by, getter = resolve(sight, search.kind, column, inner.text)
    if by.type not in {"id", "reference"}:
        raise _semi_join(inner)
    return {held for one in search.find(None) if (held := getter(one)) is not None}


def _semi_join(inner: Query) -> Refusal:
    return wrong(
        "MALFORMED_QUERY",
        inner.text,
        inner.source_at,
        "The inner select must select one field, an id or a reference",
    )


def _value(version: str, kind: Kind, one: Field) -> Shape:
    name = one.name
    if one.type == "base64":
        root = f"/services/data/v{version}/sobjects/{kind.name}"
        return lambda record: f"{root}/{record['Id']}/{name}"
    if one.type in {"double", "currency", "percent"}:
        return lambda record: shown(record.get(name))
    if one.type == "boolean":
        return lambda record: bool(record.get(name))
    return lambda record: record.get(name)


def _named_value(sight: Sight, name: str) -> Shape:
    if name == "Type":
        return lambda record: getattr(sight.org.kind_of_id(record["Id"]), "name", None)
    return lambda record: record.get(name)
