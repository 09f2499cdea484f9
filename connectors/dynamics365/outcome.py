"""The outcome in a table of our own, where a closed opportunity takes no writes.

One row for each deal, named by the opportunity's id as an alternate key, so that writing it makes
it where there is none (page "Use Upsert to create or update a record"). What is written so is read
back under the deal's own names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from connectors.dynamics365.batch import Part
from connectors.dynamics365.facts import MARK, Field, Kind
from connectors.dynamics365.translation import written
from connectors.dynamics365.wire import Wire, counted, encoded, literal
from tieout.model.contract import Request
from tieout.model.errors import InvalidField, TieoutError, Unavailable
from tieout.transport import dump_json

OUTCOME = "outcome"
DEAL = "deal"
IDS_AT_ONCE = 600
ENDING = "outcome"  # of the table's name; what stands before it begins its columns' names


def prefixed(table: Kind, name: str) -> str:
    """Return the name of a column of the table of outcomes."""
    return f"{table.table.removesuffix(ENDING)}{name}"


def key_of(table: Kind) -> str:
    """Return the column that holds the opportunity's id, its alternate key."""
    return prefixed(table, "deal")


def part_of(
    wire: Wire, table: Kind, deals: Kind, deal: str, request: Request, headers: Any
) -> Part:
    """Return the request that tells of one deal, by its id.

    Raises:
        InvalidField: a value that is no outcome, or that its column cannot have.
    """
    bind = f"{prefixed(table, 'OpportunityId')}@odata.bind"
    values: dict[str, Any] = {bind: f"/{deals.set}({deal})"}
    for name, value in request.change.values.items():
        field = table.fields.get(name)
        if field is None:
            raise InvalidField(
                f"{name} is no outcome, and a closed opportunity is told nothing else.",
                record=request.about,
                remedy="Take it out of the mapping's write_back, or leave the option outcome out.",
            )
        values[field.column] = written(field, name, value)
    number = request.change.values.get("invoice_number")
    if number:
        values[prefixed(table, "name")] = str(number)
    key = key_of(table)
    address = f"{wire.root}{table.set}({key}={encoded(literal(deal))})?$select={key}"
    return Part("PATCH", address, headers, dump_json(values))


def is_kept(table: Kind, field: Field) -> bool:
    """Whether a field of the deal is kept in the table of outcomes, or nowhere: the mark."""
    return field.name in table.fields or field.name == MARK


def with_outcomes(
    wire: Wire, table: Kind, names: Iterable[str], found: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Mapping[str, Any]]:
    """Return the rows of deals with what was told of them; a deal that was told nothing has none.

    Raises:
        TieoutError: a list was refused, not answered or not whole.
    """
    columns = sorted(table.fields[name].column for name in names if name in table.fields)
    if not columns or not found:
        return found
    ids = list(found)
    held: dict[str, Mapping[str, Any]] = {}
    paths = [_path(table, columns, part) for part in _parts(ids)]
    for answer in wire.answers(paths, understand=counted):
        if isinstance(answer, TieoutError):
            raise answer
        if answer.link:
            raise Unavailable("More outcomes came than deals were asked for.")
        held.update({str(told.get(key_of(table))): told for told in answer.rows})
    nothing: Mapping[str, Any] = dict.fromkeys(columns)
    return {
        one: {**told, **{name: held.get(one, nothing).get(name) for name in columns}}
        for one, told in found.items()
    }


def _path(table: Kind, columns: Sequence[str], ids: Sequence[str]) -> str:
    key = key_of(table)
    listed = encoded(f"[{','.join(map(literal, ids))}]")
    within = f"Microsoft.Dynamics.CRM.In(PropertyName='{key}',PropertyValues={listed})"
    return f"{table.set}?$select={','.join([key, *columns])}&$count=true&$filter={within}"


def _parts(ids: Sequence[str]) -> list[Sequence[str]]:
    return [ids[n : n + IDS_AT_ONCE] for n in range(0, len(ids), IDS_AT_ONCE)]
