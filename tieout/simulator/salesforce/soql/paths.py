"""From a column of a query to the value of a record, over up to five parents.

Source: SOQL and SOSL Reference, "Relationship Queries" and "Understanding Relationship Query
Limitations".
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tieout.simulator.salesforce.errors import Refusal
from tieout.simulator.salesforce.fields import Field
from tieout.simulator.salesforce.kinds import Kind, text
from tieout.simulator.salesforce.org import SalesforceOrg
from tieout.simulator.salesforce.soql.tree import Column, wrong
from tieout.simulator.salesforce.tables import Values

Getter = Callable[[Values], Any]
MAX_PARENTS = 5
NAMED = {name: text(name) for name in ("Name", "FirstName", "LastName", "Email", "Type")}
NAMED["Id"] = Field("Id", "id", length=18)
"""What every record has that a polymorphic reference leads to."""


@dataclass(frozen=True, slots=True)
class Sight:
    """Who looks at the org."""

    org: SalesforceOrg
    user: str
    tooling: bool = False

    def kind(self, name: str) -> Kind | None:
        """Return a kind of the API that is asked, whatever the case of its name."""
        found = self.org.kind(name)
        if found is None or found.tooling != self.tooling or not self.org.may(self.user, found):
            return None
        return found

    def field(self, kind: Kind, name: str) -> Field | None:
        """Return a field that the user may see, whatever the case of its name."""
        found = kind.by_name.get(name.lower())
        if found is None or found.name not in self.org.sight(self.user, kind)[0]:
            return None
        return found

    def relationship(self, kind: Kind, name: str) -> Field | None:
        """Return the reference behind the name of a relationship to a parent."""
        found = kind.by_relationship.get(name.lower())
        if found is None or found.name not in self.org.sight(self.user, kind)[0]:
            return None
        alone = len(found.refers_to) == 1
        if alone and not self.org.may(self.user, self.org.kinds[found.refers_to[0]]):
            return None
        return found

    def parent(self, field: Field, values: Values) -> tuple[Kind, Values] | None:
        """Return the record that a reference leads to."""
        held = values.get(field.name)
        if held is None:
            return None
        kind = (
            self.org.kinds[field.refers_to[0]]
            if len(field.refers_to) == 1
            else self.org.kind_of_id(held)
        )
        found = self.org.tables[kind.name].records.get(held) if kind else None
        return None if kind is None or found is None else (kind, found)


def resolve(sight: Sight, kind: Kind, column: Column, query: str) -> tuple[Field, Getter]:
    """Return the field at the end of a path, and what gets its value from a record.

    Raises:
        Refusal: INVALID_FIELD, there is no such field or relationship, or it is too far.
    """
    *parents, name = column.path
    if (
        parents
        and parents[0].lower() == kind.name.lower()
        and not sight.relationship(kind, parents[0])
    ):
        parents = parents[1:]  # the kind's own name may stand before a field
    if len(parents) > MAX_PARENTS:
        raise wrong(
            "INVALID_FIELD", query, column.at, f"a path may lead over {MAX_PARENTS} parents"
        )
    steps = []
    for place, parent in enumerate(parents):
        field = sight.relationship(kind, parent)
        if field is None:
            raise no_relationship(query, column.at, parent)
        steps.append(field)
        if len(field.refers_to) > 1:
            return _named(sight, steps, column, query, last=place == len(parents) - 1)
        kind = sight.org.kinds[field.refers_to[0]]
    last = sight.field(kind, name)
    if last is None:
        raise no_column(query, column.at, name, kind.name)
    return last, _getter(sight, steps, last.name)


def no_column(query: str, at: int, name: str, kind: str) -> Refusal:
    """Return the refusal of a field that is not there, or that the user may not see."""
    return wrong(
        "INVALID_FIELD",
        query,
        at,
        f"No such column '{name}' on entity '{kind}'. If you are attempting to use a custom field, "
        "be sure to append the '__c' after the custom field name. Please reference your WSDL or "
        "the describe call for the appropriate names.",
    )


def no_relationship(query: str, at: int, name: str) -> Refusal:
    """Return the refusal of a relationship to a parent that is not there."""
    return wrong(
        "INVALID_FIELD",
        query,
        at,
        f"Didn't understand relationship '{name}' in field path. If you are attempting to use a "
        "custom relationship, be sure to append the '__r' after the custom relationship name. "
        "Please reference your WSDL or the describe call for the appropriate names.",
    )


def _named(
    sight: Sight, steps: list[Field], column: Column, query: str, *, last: bool
) -> tuple[Field, Getter]:
    name = column.path[-1]
    found = next((one for known, one in NAMED.items() if known.lower() == name.lower()), None)
    if found is None or not last:
        raise no_column(query, column.at, name, "Name")
    if found.name == "Type":
        return found, lambda record: _kind_name(sight, steps, record)
    return found, _getter(sight, steps, found.name)


def _kind_name(sight: Sight, steps: list[Field], record: Values) -> str | None:
    for step in steps[:-1]:
        above = sight.parent(step, record)
        if above is None:
            return None
        record = above[1]
    found = sight.parent(steps[-1], record)
    return None if found is None else found[0].name


def _getter(sight: Sight, steps: list[Field], name: str) -> Getter:
    if not steps:
        return lambda record: record.get(name)

    def climb(record: Values) -> Any:
        for step in steps:
            above = sight.parent(step, record)
            if above is None:
                return None
            record = above[1]
        return record.get(name)

    return climb
